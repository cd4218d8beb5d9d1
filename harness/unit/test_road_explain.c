// SPDX-License-Identifier: Apache-2.0
//
// Which answers of the library road the table explains, in every kind of file that a model comes in; an answer that
// does not come of a row stays unexplained.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/road_explain.h"
#include <kassay/output.h>
#include <kassay/writer.h>

#define ODD "{\"a\": NaN, \"b\": 1.0}"
#define PLAIN "{\"a\": 1.0, \"b\": 2e3}"

static char folder[] = "/tmp/kassay-explain-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state) {
    static const char *const names[] = {"config.json", "model.weights.h5", "m.keras"};
    char path[256];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static const char *put(const char *name, ks_bytes bytes) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static ks_bytes text(const char *content) {
    return (ks_bytes){(const uint8_t *)content, strlen(content)};
}

static void expect(const char *path, ks_code answer, const char *row_name) {
    const ks_road_difference *row;
    ks_context context;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_roads_explain(&row, &context, path, answer), KS_OK);
    if (row_name ? !row || strcmp(row->name, row_name) != 0 : row != NULL)
        fail_msg("%s: %s, expected %s", path, row ? row->name : "no row", row_name ? row_name : "no row");
    assert_int_equal(context.memory.n_live, 0);
}

static void test_documents(void **state) {
    (void)state;
    expect(put("config.json", text(ODD)), KS_E_LIBRARY_JSON, "json-nan");
    expect(put("config.json", text(ODD)), KS_E_CONFIG_VALUE, NULL);
    expect(put("config.json", text(PLAIN)), KS_E_LIBRARY_JSON, NULL);
    expect(put("config.json", text(PLAIN)), KS_E_CONFIG_VALUE, NULL);
    // Both accept these, and see something else.
    expect(put("config.json", text("{\"a\": 1, \"a\": 2}")), KS_E_CONFIG_VALUE, "json-duplicate-key");
}

static void test_folders(void **state) {
    (void)state;
    put("config.json", text(ODD));
    expect(folder, KS_E_LIBRARY_JSON, "json-nan");
    put("config.json", text(PLAIN));
    expect(folder, KS_E_LIBRARY_JSON, NULL);
}

static void test_attributes(void **state) {
    static const char *const configs[] = {ODD, PLAIN};
    (void)state;
    for (int i = 0; i < 2; i++) {
        ks_context context;
        ks_hdf5_writer *writer;
        ks_bytes bytes;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_hdf5_writer_open(&writer, &context), KS_OK);
        assert_int_equal(ks_hdf5_writer_bytes(writer, "", "model_config", ks_text_from(configs[i])), KS_OK);
        assert_int_equal(ks_hdf5_writer_finish(&bytes, writer), KS_OK);
        expect(put("model.weights.h5", bytes), KS_E_LIBRARY_JSON, i ? NULL : "json-nan");
        expect(put("model.weights.h5", bytes), KS_E_LIBRARY_HDF5, NULL);
        ks_hdf5_writer_close(writer);
        assert_int_equal(context.memory.n_live, 0);
    }
}

/// Members that belong to the model, and one that does not.
static void test_archives(void **state) {
    static const char *const configs[] = {ODD, PLAIN};
    (void)state;
    for (int i = 0; i < 2; i++) {
        ks_context context;
        ks_output *output;
        ks_zip_writer *writer;
        ks_bytes bytes;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_output_open(&output, &context, NULL), KS_OK);
        assert_int_equal(ks_zip_writer_open(&writer, &context, output), KS_OK);
        assert_int_equal(ks_zip_writer_add(writer, "notes.json", text(ODD), 1), KS_OK);
        assert_int_equal(ks_zip_writer_add(writer, "config.json", text(configs[i]), 1), KS_OK);
        assert_int_equal(ks_zip_writer_finish(writer), KS_OK);
        assert_int_equal(ks_output_take(&bytes, output), KS_OK);
        ks_zip_writer_close(writer);
        ks_output_close(output);
        expect(put("m.keras", bytes), KS_E_LIBRARY_JSON, i ? NULL : "json-nan");
        expect(put("m.keras", bytes), KS_E_LIBRARY_ZIP, NULL);
        ks_free(&context, (void *)(uintptr_t)bytes.data);
        assert_int_equal(context.memory.n_live, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_documents), cmocka_unit_test(test_folders),
                                       cmocka_unit_test(test_attributes), cmocka_unit_test(test_archives)};
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
