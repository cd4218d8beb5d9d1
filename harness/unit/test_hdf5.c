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

static ks_bytes load(const char *name) {
    char path[400];
    snprintf(path, sizeof path, "%s%s", FOLDER, name);
    ks_bytes bytes = hdf5_file_read(path);
    assert_non_null(bytes.data);
    return bytes;
}

static void release(ks_context *context, ks_hdf5 *file, ks_bytes bytes) {
    ks_hdf5_close(file);
    assert_int_equal(context->memory.n_live, 0);
    free((void *)(uintptr_t)bytes.data);
}

/// libhdf5 finds the same in each file that the strict road accepts.
static void contents_are_those_of_the_library(void **state) {
    (void)state;
    static const char *const files[] = {
        "attributes-earliest.h5", "attributes-v108.h5", "attributes-v110.h5", "empty.h5",
        "index-extensible.h5",    "index-tree1.h5",     "index-tree2.h5",     "index-fixed-paged.h5",
        "keras-earliest.h5",      "keras-v108.h5",      "keras-v110.h5",      "layouts-earliest.h5",
        "layouts-v108.h5",        "plain-edges.h5",     "layouts-v110.h5",    "legacy-earliest.h5",
        "legacy-v110.h5",         "links-earliest.h5",  "links-v108.h5",      "links-v110.h5",
        "many-earliest.h5",       "many-v108.h5",       "repack-latest.h5",   "repack-deflate.h5",
        "repack-attributes.h5",   "repack-types.h5",    "types-earliest.h5",  "types-v110.h5",
        "userblock.h5",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        hdf5_text texts[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
        ks_bytes bytes = load(files[i]);
        for (int road = 0; road < 2; road++) {
            ks_context context;
            ks_context_init(&context, NULL);
            ks_context_budget(&context, bytes.size);
            ks_code code = hdf5_walk_file(&texts[road], &context, bytes, road ? KS_ROAD_LIBRARY : KS_ROAD_STRICT);
            if (code != KS_OK)
                fail_msg("%s, road %d: %s", files[i], road, context.error.message);
        }
        compare_texts(files[i], texts[0].data, texts[1].data);
        free(texts[0].data);
        free(texts[1].data);
        free((void *)(uintptr_t)bytes.data);
    }
}

/// Both roads describe each dataset alike: storage, place, view.
static void descriptions_are_those_of_the_library(void **state) {
    (void)state;
    static const char *const files[] = {"keras-earliest.h5", "types-earliest.h5",   "layouts-earliest.h5",
                                        "layouts-v110.h5",   "index-extensible.h5", "userblock.h5"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        ks_bytes bytes = load(files[i]);
        ks_context context[2];
        ks_hdf5 *file[2] = {NULL, NULL};
        const ks_hdf5_link *links = NULL;
        size_t count = 0;
        for (int road = 0; road < 2; road++) {
            ks_context_init(&context[road], NULL);
            assert_int_equal(ks_hdf5_open(&file[road], &context[road], bytes, road ? KS_ROAD_LIBRARY : KS_ROAD_STRICT),
                             KS_OK);
        }
        assert_int_equal(ks_hdf5_links(&links, &count, file[0], ks_hdf5_root(file[0])), KS_OK);
        for (size_t k = 0; k < count; k++) {
            ks_hdf5_object_type kind = KS_HDF5_GROUP;
            ks_hdf5_type type[2];
            ks_hdf5_node node[2];
            memset(type, 0, sizeof type);
            if (links[k].type != KS_LINK_HARD || ks_hdf5_object(&kind, file[0], links[k].node) != KS_OK ||
                kind != KS_HDF5_DATASET)
                continue;
            for (int road = 0; road < 2; road++) {
                bool found = false;
                assert_int_equal(
                    ks_hdf5_find(&node[road], &found, file[road], ks_hdf5_root(file[road]), links[k].name.data), KS_OK);
                assert_true(found);
                assert_int_equal(ks_hdf5_dataset(&type[road], file[road], node[road]), KS_OK);
            }
            if (type[0].has_storage != type[1].has_storage || type[0].native_view != type[1].native_view ||
                type[0].stored_size != type[1].stored_size || type[0].offset != type[1].offset ||
                type[0].size != type[1].size || type[0].big_endian != type[1].big_endian ||
                type[0].type_class != type[1].type_class)
                fail_msg("%s: %s: storage %d %d, view %d %d, bytes %llu %llu, offset %llu %llu, size %zu %zu", files[i],
                         links[k].name.data, type[0].has_storage, type[1].has_storage, type[0].native_view,
                         type[1].native_view, (unsigned long long)type[0].stored_size,
                         (unsigned long long)type[1].stored_size, (unsigned long long)type[0].offset,
                         (unsigned long long)type[1].offset, type[0].size, type[1].size);
        }
        ks_hdf5_close(file[1]);
        assert_int_equal(context[1].memory.n_live, 0);
        release(&context[0], file[0], bytes);
    }
}

static void paths_are_looked_up(void **state) {
    (void)state;
    static const char *const files[] = {"keras-earliest.h5", "keras-v110.h5"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        ks_bytes bytes = load(files[i]);
        ks_context context;
        ks_hdf5 *file = NULL;
        ks_hdf5_node node = 0;
        ks_hdf5_node layer = 0;
        ks_hdf5_node again = 0;
        ks_hdf5_type type;
        bool found = false;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_hdf5_open(&file, &context, bytes, KS_ROAD_STRICT), KS_OK);
        ks_hdf5_node root = ks_hdf5_root(file);
        assert_int_equal(ks_hdf5_find(&node, &found, file, root, ""), KS_OK);
        assert_true(found && node == root);
        assert_int_equal(ks_hdf5_find(&layer, &found, file, root, "/layers//dense/vars/"), KS_OK);
        assert_true(found);
        assert_int_equal(ks_hdf5_find(&node, &found, file, layer, "1"), KS_OK);
        assert_true(found);
        assert_int_equal(ks_hdf5_find(&again, &found, file, root, "layers/dense/vars/1"), KS_OK);
        assert_true(found && node == again);
        assert_int_equal(ks_hdf5_dataset(&type, file, node), KS_OK);
        assert_int_equal(type.dtype, KS_FLOAT32);
        assert_int_equal(type.shape.dims[0], 4);
        static const char *const missing[] = {"layers/dense/vars/2", "layers/densf", "a", "zzz",
                                              "layers/dense/vars/1/x"};
        for (size_t k = 0; k < sizeof missing / sizeof missing[0]; k++) {
            assert_int_equal(ks_hdf5_find(&node, &found, file, root, missing[k]), KS_OK);
            assert_false(found);
        }
        release(&context, file, bytes);
    }
}

static void every_name_of_many_is_found(void **state) {
    (void)state;
    static const struct {
        const char *file;
        size_t count;
    } rows[] = {{"many-earliest.h5", 300}, {"many-v108.h5", 600}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ks_bytes bytes = load(rows[i].file);
        ks_context context;
        ks_hdf5 *file = NULL;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_hdf5_open(&file, &context, bytes, KS_ROAD_STRICT), KS_OK);
        for (size_t k = 0; k <= rows[i].count; k++) {
            char path[32];
            ks_hdf5_node node = 0;
            bool found = false;
            snprintf(path, sizeof path, "vars/%zu", k);
            assert_int_equal(ks_hdf5_find(&node, &found, file, ks_hdf5_root(file), path), KS_OK);
            assert_int_equal(found, k < rows[i].count);
        }
        // Few objects were opened: the root, the group, and nothing else is kept but what was verified.
        assert_true(context.memory.held < 64 * 1024);
        release(&context, file, bytes);
    }
}

static void views_are_in_place_and_wrong_wishes_are_told(void **state) {
    (void)state;
    ks_bytes bytes = load("types-earliest.h5");
    ks_context context;
    ks_hdf5 *file = NULL;
    ks_hdf5_node node = 0;
    bool found = false;
    ks_bytes view;
    float data[6];
    const ks_text *texts = NULL;
    size_t count = 0;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_hdf5_open(&file, &context, bytes, KS_ROAD_STRICT), KS_OK);
    ks_hdf5_node root = ks_hdf5_root(file);
    assert_int_equal(ks_hdf5_find(&node, &found, file, root, "le_f4"), KS_OK);
    assert_int_equal(ks_hdf5_view(&view, file, node), KS_OK);
    assert_int_equal(view.size, sizeof data);
    memcpy(data, view.data, sizeof data);
    for (int i = 0; i < 6; i++)
        assert_true(data[i] == (float)i * 0.5F - 3.0F);
    assert_int_equal(ks_hdf5_read(data, sizeof data - 1, file, node), KS_E_USAGE);
    ks_context_clear(&context);
    assert_int_equal(ks_hdf5_read_text(&texts, &count, file, node), KS_E_HDF5_TYPE);
    ks_context_clear(&context);
    assert_int_equal(ks_hdf5_attribute_read(data, sizeof data, file, root, "nothing"), KS_E_USAGE);
    ks_context_clear(&context);
    assert_int_equal(ks_hdf5_find(&node, &found, file, root, "be_f4"), KS_OK);
    assert_int_equal(ks_hdf5_view(&view, file, node), KS_E_USAGE);
    ks_context_clear(&context);
    assert_int_equal(ks_hdf5_find(&node, &found, file, root, "compound"), KS_OK);
    assert_int_equal(ks_hdf5_read(data, sizeof data, file, node), KS_E_HDF5_TYPE);
    ks_context_clear(&context);
    assert_int_equal(ks_hdf5_find(&node, &found, file, root, "bfloat16"), KS_OK);
    ks_hdf5_type type;
    assert_int_equal(ks_hdf5_dataset(&type, file, node), KS_OK);
    assert_int_equal(type.dtype, KS_BFLOAT16);
    assert_true(type.native_view);
    release(&context, file, bytes);
}

static void attributes_are_looked_up(void **state) {
    (void)state;
    static const char *const files[] = {"attributes-earliest.h5", "attributes-v110.h5", "repack-attributes.h5"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        ks_bytes bytes = load(files[i]);
        ks_context context;
        ks_hdf5 *file = NULL;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_hdf5_open(&file, &context, bytes, KS_ROAD_STRICT), KS_OK);
        ks_hdf5_node root = ks_hdf5_root(file);
        for (int listed = 0; listed < 2; listed++) {
            for (int k = 0; k < 12; k++) {
                char name[8];
                float data[3] = {0, 0, 0};
                ks_hdf5_type type;
                bool found = false;
                snprintf(name, sizeof name, "a%d", k);
                assert_int_equal(ks_hdf5_attribute(&type, &found, file, root, name), KS_OK);
                assert_true(found && type.dtype == KS_FLOAT32 && type.shape.dims[0] == k % 4);
                assert_int_equal(ks_hdf5_attribute_read(data, sizeof(float) * (size_t)(k % 4), file, root, name),
                                 KS_OK);
                for (int j = 0; j < k % 4; j++)
                    assert_true(data[j] == (float)j * 0.5F - 3.0F);
                assert_int_equal(ks_hdf5_attribute(&type, &found, file, root, "b"), KS_OK);
                assert_false(found);
            }
            const ks_text *names = NULL;
            size_t count = 0;
            assert_int_equal(ks_hdf5_attributes(&names, &count, file, root), KS_OK);
            assert_true(count >= 12);
        }
        release(&context, file, bytes);
    }
}

static void limits_are_kept(void **state) {
    (void)state;
    static const struct {
        const char *file;
        const char *limit;
        ks_code code;
    } rows[] = {
        {"keras-earliest.h5", "hdf5_objects=3", KS_E_OVER_COUNT},
        {"many-v108.h5", "hdf5_objects=20", KS_E_OVER_COUNT},
        {"attributes-earliest.h5", "hdf5_objects=9", KS_E_OVER_COUNT},
        {"attributes-v108.h5", "hdf5_attribute_size=100", KS_E_OVER_SIZE},
        {"keras-earliest.h5", "tensor_elements=5", KS_E_OVER_SIZE},
        {"many-v108.h5", "hdf5_depth=0", KS_E_OVER_DEPTH},
        {"many-earliest.h5", "hdf5_depth=0", KS_E_OVER_DEPTH},
        {"many-earliest.h5", "memory_base=10000", KS_E_OVER_MEMORY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ks_bytes bytes = load(rows[i].file);
        ks_limits limits = ks_limits_default();
        ks_context context;
        assert_int_equal(ks_limits_set(&limits, rows[i].limit), KS_OK);
        ks_context_init(&context, &limits);
        ks_code code = hdf5_walk_file(NULL, &context, bytes, KS_ROAD_STRICT);
        if (code != rows[i].code)
            fail_msg("row %zu: found %s: %s", i, ks_code_name(code), context.error.message);
        assert_int_equal(context.memory.n_live, 0);
        free((void *)(uintptr_t)bytes.data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_are_those_of_h5py),
        cmocka_unit_test(contents_are_those_of_the_library),
        cmocka_unit_test(descriptions_are_those_of_the_library),
        cmocka_unit_test(paths_are_looked_up),
        cmocka_unit_test(every_name_of_many_is_found),
        cmocka_unit_test(views_are_in_place_and_wrong_wishes_are_told),
        cmocka_unit_test(attributes_are_looked_up),
        cmocka_unit_test(limits_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
