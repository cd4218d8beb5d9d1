// SPDX-License-Identifier: Apache-2.0
//
// The strict HDF5 reader on the files of corpus/hdf5/: what is in them is what h5py found (hdf5_listing.txt).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hdf5_files.h"

#define FOLDER KASSAY_SOURCE_DIR "/corpus/hdf5/"

/// The next section of the listing: "F name" and the lines up to the next "F".
static const char *next_section(char *name, size_t name_size, hdf5_text *lines, const char *at) {
    const char *start = strstr(at, "F ");
    lines->size = 0;
    if (!start)
        return NULL;
    const char *end = strchr(start, '\n');
    snprintf(name, name_size, "%.*s", (int)(end - start - 2), start + 2);
    for (at = end + 1; *at && strncmp(at, "F ", 2) != 0; at = end + 1) {
        end = strchr(at, '\n');
        char line[2048];
        snprintf(line, sizeof line, "%.*s\n", (int)(end - at), at);
        hdf5_put(lines, line);
    }
    return at;
}

static void compare_texts(const char *name, const char *got, const char *expected) {
    const char *line = expected;
    for (size_t i = 0; got[i] == expected[i]; i++) {
        if (!expected[i])
            return;
        if (expected[i] == '\n')
            line = expected + i + 1;
    }
    fail_msg("%s: expected\n%.200s\nfound\n%.200s", name, line, got + (line - expected));
}

static void contents_are_those_of_h5py(void **state) {
    (void)state;
    ks_bytes listing = hdf5_file_read(KASSAY_SOURCE_DIR "/harness/unit/hdf5_listing.txt");
    assert_non_null(listing.data);
    char *text = malloc(listing.size + 1);
    memcpy(text, listing.data, listing.size);
    text[listing.size] = '\0';
    hdf5_text expected = {NULL, 0, 0};
    hdf5_text got = {NULL, 0, 0};
    char name[200];
    size_t n_files = 0;
    for (const char *at = strchr(text, '\n') + 1; (at = next_section(name, sizeof name, &expected, at)) != NULL;) {
        char path[400];
        ks_context context;
        snprintf(path, sizeof path, "%s%s", FOLDER, name);
        ks_bytes bytes = hdf5_file_read(path);
        assert_non_null(bytes.data);
        ks_context_init(&context, NULL);
        ks_context_budget(&context, bytes.size);
        got.size = 0;
        ks_code code = hdf5_walk_file(&got, &context, bytes, KS_ROAD_STRICT);
        bool refused = code == KS_E_HDF5_VIRTUAL || code == KS_E_HDF5_EXTERNAL || code == KS_E_HDF5_FILTER_UNKNOWN;
        if (code != KS_OK && !(refused && strstr(expected.data, "\nR "))) {
            char message[800];
            ks_error_format(&context.error, message, sizeof message);
            fail_msg("%s: %s", name, message);
        }
        compare_texts(name, got.data, expected.data);
        assert_int_equal(context.memory.n_live, 0);
        free((void *)(uintptr_t)bytes.data);
        n_files++;
    }
    assert_true(n_files >= 30);
    free(expected.data);
    free(got.data);
    free(text);
    free((void *)(uintptr_t)listing.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(contents_are_those_of_h5py)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
