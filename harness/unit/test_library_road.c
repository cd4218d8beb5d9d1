// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "odd_hdf5.h"
#include <kassay/library_road.h>
#include <kassay/writer.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES(literal) ((ks_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static ks_context context;
static ssize_t open_before;

static int setup(void **state) {
    (void)state;
    ks_context_init(&context, NULL);
    open_before = odd_open_objects();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    return context.memory.n_live == 0 ? 0 : -1;
}

// --- the loader ------------------------------------------------------------------------------------------------------

static void loads_the_module(void **state) {
    (void)state;
    const ks_library_road *road = ks_library_road_get(&context);
    assert_non_null(road);
    assert_int_equal(road->version, KS_LIBRARY_ROAD_VERSION);
    assert_ptr_equal(road, ks_library_road_get(&context));
}

static void says_why_there_is_no_module(void **state) {
    (void)state;
    char reason[256] = "";
    assert_null(ks_library_road_load("/nonexistent", reason, sizeof reason));
    assert_non_null(strstr(reason, "/nonexistent/libkassay-library-road.so"));
}

static void refuses_a_module_without_the_table(void **state) {
    (void)state;
    char directory[] = "/tmp/kassay-module-XXXXXX";
    assert_non_null(mkdtemp(directory));
    char path[128];
    snprintf(path, sizeof path, "%s/libkassay-library-road.so", directory);
    assert_int_equal(symlink(KASSAY_BINARY_DIR "/lib/libkassay-blas.so", path), 0);
    char reason[256] = "";
    assert_null(ks_library_road_load(directory, reason, sizeof reason));
    assert_non_null(strstr(reason, "it has no ks_library_road_module"));
    unlink(path);
    rmdir(directory);
}

// --- zip -------------------------------------------------------------------------------------------------------------

static ks_bytes write_archive(const ks_zip_item *items, size_t count) {
    ks_bytes bytes;
    assert_int_equal(ks_zip_write(&bytes, &context, items, count), KS_OK);
    return bytes;
}

static void reads_what_it_wrote(void **state) {
    (void)state;
    const ks_zip_item items[] = {
        {"metadata.json", BYTES("{}"), 0, false},
        {"model.weights.h5", BYTES("not really"), 64, false},
        {"deflated", BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 0, true},
        {"empty", {NULL, 0}, 0, false},
    };
    ks_bytes bytes = write_archive(items, 4);
    ks_archive *archive = NULL;
    assert_int_equal(ks_archive_open_zip(&archive, &context, bytes, KS_ROAD_LIBRARY), KS_OK);
    assert_int_equal(ks_archive_count(archive), 4);
    for (size_t i = 0; i < 4; i++) {
        const ks_archive_member *member = ks_archive_member_at(archive, i);
        assert_string_equal(member->name.data, items[i].name);
        assert_int_equal(member->method, items[i].deflate ? 8 : 0);
        assert_ptr_equal(ks_archive_find(archive, items[i].name), member);
        ks_bytes content;
        assert_int_equal(ks_archive_read(&content, archive, member, true), KS_OK);
        assert_int_equal(content.size, items[i].bytes.size);
        assert_memory_equal(content.data, items[i].bytes.data ? items[i].bytes.data : content.data, content.size);
    }
    assert_null(ks_archive_find(archive, "missing"));
    ks_archive_close(archive);
    ks_free(&context, (void *)(uintptr_t)bytes.data);
}

static void aligns_a_member(void **state) {
    (void)state;
    char names[130];
    memset(names, 'n', sizeof names - 1);
    names[sizeof names - 1] = '\0';
    for (size_t shift = 0; shift < 129; shift++) {
        const ks_zip_item items[] = {
            {names + shift, BYTES("{}"), 0, false},
            {"model.weights.h5", BYTES("@@content@@"), 64, false},
        };
        ks_bytes bytes = write_archive(items, 2);
        const uint8_t *content = memmem(bytes.data, bytes.size, "@@content@@", 11);
        assert_non_null(content);
        assert_int_equal((content - bytes.data) % 64, 0);
        ks_free(&context, (void *)(uintptr_t)bytes.data);
    }
}

static void refuses_alignment_after_a_deflated_member(void **state) {
    (void)state;
    const ks_zip_item items[] = {
        {"a", BYTES("{}"), 0, true},
        {"b", BYTES("{}"), 64, false},
    };
    ks_bytes bytes;
    assert_int_equal(ks_zip_write(&bytes, &context, items, 2), KS_E_USAGE);
}

static void writes_the_same_archive_twice(void **state) {
    (void)state;
    const ks_zip_item items[] = {{"a", BYTES("one"), 0, false}, {"b", BYTES("two"), 64, true}};
    ks_bytes first = write_archive(items, 2);
    setenv("TZ", "Asia/Tokyo", 1);
    ks_bytes second = write_archive(items, 2);
    unsetenv("TZ");
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    ks_free(&context, (void *)(uintptr_t)first.data);
    ks_free(&context, (void *)(uintptr_t)second.data);
}

static void finds_a_wrong_checksum(void **state) {
    (void)state;
    const ks_zip_item items[] = {{"a", BYTES("some content"), 0, false}};
    ks_bytes bytes = write_archive(items, 1);
    uint8_t *content = memmem(bytes.data, bytes.size, "some content", 12);
    content[3] ^= 1;
    ks_archive *archive = NULL;
    ks_bytes read;
    assert_int_equal(ks_archive_open_zip(&archive, &context, bytes, KS_ROAD_LIBRARY), KS_OK);
    assert_int_equal(ks_archive_read(&read, archive, ks_archive_member_at(archive, 0), true), KS_E_LIBRARY_ZIP_MEMBER);
    ks_archive_close(archive);
    ks_free(&context, (void *)(uintptr_t)bytes.data);
}

static void refuses_what_is_no_archive(void **state) {
    (void)state;
    ks_archive *archive = NULL;
    assert_int_equal(ks_archive_open_zip(&archive, &context, BYTES("PK but nothing else"), KS_ROAD_LIBRARY),
                     KS_E_LIBRARY_ZIP);
    assert_null(archive);
}

// --- HDF5 ------------------------------------------------------------------------------------------------------------

static ks_hdf5 *open_file(ks_bytes bytes) {
    ks_hdf5 *file = NULL;
    assert_int_equal(ks_hdf5_open(&file, &context, bytes, KS_ROAD_LIBRARY), KS_OK);
    return file;
}

static void close_file(ks_hdf5 *file, ks_bytes bytes) {
    ks_hdf5_close(file);
    free((void *)(uintptr_t)bytes.data);
    assert_int_equal(odd_open_objects(), open_before); // nothing is left open
}

static ks_hdf5_node node_at(ks_hdf5 *file, const char *path) {
    ks_hdf5_node node = 0;
    bool found = false;
    assert_int_equal(ks_hdf5_find(&node, &found, file, ks_hdf5_root(file), path), KS_OK);
    assert_true(found);
    return node;
}

/// Writes one dataset of each dtype and reads it back.
static void keeps_every_dtype(void **state) {
    (void)state;
    static uint8_t numbers[6 * 16];
    for (size_t i = 0; i < sizeof numbers; i++)
        numbers[i] = (uint8_t)(i * 7 + 1);
    ks_hdf5_writer *writer = NULL;
    assert_int_equal(ks_hdf5_writer_open(&writer, &context), KS_OK);
    static uint8_t truths[6] = {0, 1, 1, 0, 0, 1};
    for (int dtype = KS_BOOL8; dtype < KS_STRING; dtype++) {
        ks_tensor tensor = {
            (ks_dtype)dtype, {2, {2, 3}}, dtype == KS_BOOL8 ? truths : numbers, 6 * ks_dtype_size((ks_dtype)dtype)};
        char path[64];
        snprintf(path, sizeof path, "layers/%s/vars/0", ks_dtype_name((ks_dtype)dtype));
        assert_int_equal(ks_hdf5_writer_dataset(writer, path, &tensor), KS_OK);
        assert_int_equal(ks_hdf5_writer_dataset(writer, path, &tensor), KS_E_USAGE);
        ks_context_clear(&context);
    }
    ks_bytes bytes;
    assert_int_equal(ks_hdf5_writer_finish(&bytes, writer), KS_OK);
    ks_hdf5 *file = open_file(bytes);
    for (int dtype = KS_BOOL8; dtype < KS_STRING; dtype++) {
        char path[64];
        snprintf(path, sizeof path, "layers/%s/vars/0", ks_dtype_name((ks_dtype)dtype));
        ks_hdf5_node node = node_at(file, path);
        ks_hdf5_type type;
        assert_int_equal(ks_hdf5_dataset(&type, file, node), KS_OK);
        assert_int_equal(type.dtype, dtype);
        assert_int_equal(type.shape.rank, 2);
        assert_int_equal(type.shape.dims[1], 3);
        assert_true(type.native_view);
        uint8_t read[sizeof numbers];
        size_t size = 6 * ks_dtype_size((ks_dtype)dtype);
        assert_int_equal(ks_hdf5_read(read, size, file, node), KS_OK);
        assert_memory_equal(read, dtype == KS_BOOL8 ? truths : numbers, size);
        ks_bytes view;
        assert_int_equal(ks_hdf5_view(&view, file, node), KS_OK);
        assert_int_equal(view.size, size);
        assert_memory_equal(view.data, read, size);
    }
    ks_hdf5_close(file);
    ks_hdf5_writer_close(writer);
}

static void keeps_texts_and_shapes(void **state) {
    (void)state;
    const ks_text names[] = {{"dense", 5}, {"a longer one", 12}, {"", 0}};
    const ks_tensor list = {KS_STRING, {1, {3}}, names, sizeof names};
    const ks_tensor empty = {KS_FLOAT64, {1, {0}}, NULL, 0};
    const double one = 1.5;
    const ks_tensor scalar = {KS_FLOAT64, {0, {0}}, &one, sizeof one};
    ks_hdf5_writer *writer = NULL;
    ks_bytes bytes;
    assert_int_equal(ks_hdf5_writer_open(&writer, &context), KS_OK);
    assert_int_equal(ks_hdf5_writer_group(writer, "vars"), KS_OK);
    assert_int_equal(ks_hdf5_writer_group(writer, "vars"), KS_OK);
    assert_int_equal(ks_hdf5_writer_text(writer, "vars", "name", (ks_text){"d\xc3\xa9nse", 6}), KS_OK);
    assert_int_equal(ks_hdf5_writer_attribute(writer, "", "layer_names", &list), KS_OK);
    assert_int_equal(ks_hdf5_writer_attribute(writer, "", "nothing", &empty), KS_OK);
    assert_int_equal(ks_hdf5_writer_dataset(writer, "texts", &list), KS_OK);
    assert_int_equal(ks_hdf5_writer_dataset(writer, "empty", &empty), KS_OK);
    assert_int_equal(ks_hdf5_writer_dataset(writer, "scalar", &scalar), KS_OK);
    assert_int_equal(ks_hdf5_writer_text(writer, "missing", "name", names[0]), KS_E_USAGE);
    ks_context_clear(&context);
    assert_int_equal(ks_hdf5_writer_finish(&bytes, writer), KS_OK);
    assert_memory_equal(bytes.data, "\x89HDF\r\n\x1a\n\0", 9); // superblock 0

    ks_hdf5 *file = open_file(bytes);
    const ks_text *texts = NULL;
    size_t count = 0;
    assert_int_equal(ks_hdf5_attribute_text(&texts, &count, file, node_at(file, "vars"), "name"), KS_OK);
    assert_int_equal(count, 1);
    assert_string_equal(texts[0].data, "d\xc3\xa9nse");
    assert_int_equal(ks_hdf5_attributes(&texts, &count, file, ks_hdf5_root(file)), KS_OK);
    assert_int_equal(count, 2);
    assert_string_equal(texts[0].data, "layer_names");
    for (int attribute = 0; attribute < 2; attribute++) {
        if (attribute)
            assert_int_equal(ks_hdf5_attribute_text(&texts, &count, file, ks_hdf5_root(file), "layer_names"), KS_OK);
        else
            assert_int_equal(ks_hdf5_read_text(&texts, &count, file, node_at(file, "texts")), KS_OK);
        assert_int_equal(count, 3);
        for (size_t i = 0; i < 3; i++)
            assert_true(ks_text_equal(texts[i], names[i]));
    }
    ks_hdf5_type type;
    bool found = false;
    assert_int_equal(ks_hdf5_attribute(&type, &found, file, ks_hdf5_root(file), "nothing"), KS_OK);
    assert_true(found && type.dtype == KS_FLOAT64 && type.shape.rank == 1 && type.shape.dims[0] == 0);
    assert_int_equal(ks_hdf5_attribute(&type, &found, file, ks_hdf5_root(file), "absent"), KS_OK);
    assert_false(found);
    assert_int_equal(ks_hdf5_dataset(&type, file, node_at(file, "empty")), KS_OK);
    assert_false(type.has_storage);
    assert_int_equal(ks_hdf5_read(NULL, 0, file, node_at(file, "empty")), KS_OK);
    double read = 0;
    assert_int_equal(ks_hdf5_read(&read, sizeof read, file, node_at(file, "scalar")), KS_OK);
    assert_true(read == one);
    ks_hdf5_close(file);
    ks_hdf5_writer_close(writer);
}

// h5py before 3.0 gives text for the one and bytes for the other; Keras before 2.4 decodes the bytes.
static void marks_bytes_as_ascii(void **state) {
    char path[64] = "/tmp/kassay-marks-XXXXXX";
    int descriptor = mkstemp(path);
    ks_hdf5_writer *writer = NULL;
    ks_bytes bytes;
    (void)state;
    assert_int_equal(ks_hdf5_writer_open(&writer, &context), KS_OK);
    assert_int_equal(ks_hdf5_writer_text(writer, "", "text", ks_text_from("a")), KS_OK);
    assert_int_equal(ks_hdf5_writer_bytes(writer, "", "bytes", ks_text_from("a")), KS_OK);
    assert_int_equal(ks_hdf5_writer_finish(&bytes, writer), KS_OK);
    assert_int_equal(write(descriptor, bytes.data, bytes.size), (ssize_t)bytes.size);
    close(descriptor);
    ks_hdf5_writer_close(writer);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    for (int i = 0; i < 2; i++) {
        hid_t attribute = H5Aopen(file, i ? "bytes" : "text", H5P_DEFAULT);
        hid_t type = H5Aget_type(attribute);
        assert_int_equal(H5Tget_cset(type), i ? H5T_CSET_ASCII : H5T_CSET_UTF8);
        assert_true(H5Tis_variable_str(type) > 0);
        H5Tclose(type);
        H5Aclose(attribute);
    }
    H5Fclose(file);
    unlink(path);
}

static ks_bytes write_small_file(ks_hdf5_writer **writer) {
    static const float data[] = {1, 2, 3};
    const ks_tensor tensor = {KS_FLOAT32, {1, {3}}, data, sizeof data};
    ks_bytes bytes;
    assert_int_equal(ks_hdf5_writer_open(writer, &context), KS_OK);
    assert_int_equal(ks_hdf5_writer_dataset(*writer, "layers/dense/vars/0", &tensor), KS_OK);
    assert_int_equal(ks_hdf5_writer_text(*writer, "layers/dense/vars", "name", ks_text_from("dense")), KS_OK);
    assert_int_equal(ks_hdf5_writer_finish(&bytes, *writer), KS_OK);
    return bytes;
}

static void writes_the_same_file_twice(void **state) {
    (void)state;
    ks_hdf5_writer *first_writer = NULL;
    ks_hdf5_writer *second_writer = NULL;
    ks_bytes first = write_small_file(&first_writer);
    ks_bytes second = write_small_file(&second_writer);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    assert_int_equal(ks_hdf5_writer_group(first_writer, "late"), KS_E_USAGE);
    ks_hdf5_writer_close(first_writer);
    ks_hdf5_writer_close(second_writer);
}

static void converts_order_and_layouts(void **state) {
    (void)state;
    hid_t odd = odd_begin(true);
    odd_floats(odd, "big", 5, H5T_IEEE_F32BE, -1);
    odd_floats(odd, "ints", 5, H5T_STD_I16BE, -1);
    hid_t list = odd_chunked(3);
    H5Pset_shuffle(list);
    H5Pset_deflate(list, 6);
    H5Pset_fletcher32(list);
    odd_floats(odd, "chunks", 5, H5T_IEEE_F32LE, list);
    ks_bytes bytes = odd_end(odd);
    ks_hdf5 *file = open_file(bytes);
    for (int i = 0; i < 2; i++) {
        float read[5];
        assert_int_equal(ks_hdf5_read(read, sizeof read, file, node_at(file, i ? "big" : "chunks")), KS_OK);
        for (int k = 0; k < 5; k++)
            assert_true(read[k] == (float)k);
    }
    int16_t ints[5];
    assert_int_equal(ks_hdf5_read(ints, sizeof ints, file, node_at(file, "ints")), KS_OK);
    assert_int_equal(ints[4], 4);
    assert_int_equal(ks_hdf5_read(ints, sizeof ints - 1, file, node_at(file, "ints")), KS_E_USAGE);
    ks_context_clear(&context);
    ks_hdf5_type type;
    assert_int_equal(ks_hdf5_dataset(&type, file, node_at(file, "big")), KS_OK);
    assert_true(type.big_endian && !type.native_view);
    assert_int_equal(ks_hdf5_verify(file), KS_OK);
    close_file(file, bytes);
}

static void lists_but_does_not_follow_links(void **state) {
    (void)state;
    hid_t odd = odd_begin(false);
    odd_floats(odd, "real", 2, H5T_IEEE_F32LE, -1);
    H5Lcreate_hard(odd, "real", odd, "again", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/real", odd, "soft", H5P_DEFAULT, H5P_DEFAULT);
    odd_external_link(odd, "outside");
    ks_bytes bytes = odd_end(odd);
    ks_hdf5 *file = open_file(bytes);
    const ks_hdf5_link *links = NULL;
    const ks_hdf5_link *same = NULL;
    size_t count = 0;
    assert_int_equal(ks_hdf5_links(&links, &count, file, ks_hdf5_root(file)), KS_OK);
    assert_int_equal(ks_hdf5_links(&same, &count, file, ks_hdf5_root(file)), KS_OK);
    assert_ptr_equal(links, same);
    assert_int_equal(count, 4);
    assert_string_equal(links[0].name.data, "again");
    assert_int_equal(links[0].node, node_at(file, "real"));
    assert_int_equal(links[1].type, KS_LINK_EXTERNAL);
    assert_int_equal(links[3].type, KS_LINK_SOFT);
    ks_hdf5_node node;
    bool found = false;
    assert_int_equal(ks_hdf5_find(&node, &found, file, ks_hdf5_root(file), "soft"), KS_E_LIBRARY_HDF5_SOFT_LINK);
    ks_context_clear(&context);
    assert_int_equal(ks_hdf5_find(&node, &found, file, ks_hdf5_root(file), "outside/x"), KS_E_LIBRARY_HDF5_LINK);
    ks_context_clear(&context);
    assert_int_equal(ks_hdf5_find(&node, &found, file, ks_hdf5_root(file), "real/below"), KS_OK);
    assert_false(found);
    close_file(file, bytes);
}

static void refuses_elements_elsewhere(void **state) {
    (void)state;
    hid_t odd = odd_begin(true);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t count = 2;
    H5Pset_external(list, "/etc/passwd", 0, 8);
    hid_t space = H5Screate_simple(1, &count, NULL);
    H5Dclose(H5Dcreate2(odd, "external", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Pclose(list);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(list, space, "other.h5", "data", space);
    H5Dclose(H5Dcreate2(odd, "virtual", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Pclose(list);
    H5Sclose(space);
    list = odd_chunked(2);
    H5Pset_scaleoffset(list, H5Z_SO_FLOAT_DSCALE, 2);
    odd_floats(odd, "scaled", 2, H5T_IEEE_F32LE, list);
    ks_bytes bytes = odd_end(odd);
    ks_hdf5 *file = open_file(bytes);
    static const struct {
        const char *name;
        ks_code code;
    } refused[] = {
        {"external", KS_E_LIBRARY_HDF5_STORAGE},
        {"virtual", KS_E_LIBRARY_HDF5_STORAGE},
        {"scaled", KS_E_LIBRARY_HDF5_FILTER},
    };
    for (size_t i = 0; i < 3; i++) {
        ks_hdf5_type type;
        float data[2];
        assert_int_equal(ks_hdf5_dataset(&type, file, node_at(file, refused[i].name)), refused[i].code);
        ks_context_clear(&context);
        assert_int_equal(ks_hdf5_read(data, sizeof data, file, node_at(file, refused[i].name)), refused[i].code);
        ks_context_clear(&context);
    }
    close_file(file, bytes);
}

static void names_types_that_it_never_reads(void **state) {
    (void)state;
    hid_t odd = odd_begin(false);
    hid_t array = H5Tarray_create2(H5T_IEEE_F32LE, 1, (hsize_t[]){2});
    float pair[2] = {1, 2};
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t dataset = H5Dcreate2(odd, "array", array, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(dataset, array, H5S_ALL, H5S_ALL, H5P_DEFAULT, pair);
    H5Dclose(dataset);
    H5Tclose(array);
    H5Sclose(space);
    space = H5Screate(H5S_NULL);
    H5Dclose(H5Dcreate2(odd, "null", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    hid_t named = H5Tcopy(H5T_STD_I32LE);
    H5Tcommit2(odd, "type", named, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Tclose(named);
    ks_bytes bytes = odd_end(odd);
    ks_hdf5 *file = open_file(bytes);
    ks_hdf5_type type;
    ks_hdf5_object_type kind;
    assert_int_equal(ks_hdf5_dataset(&type, file, node_at(file, "array")), KS_OK);
    assert_int_equal(type.type_class, KS_HDF5_OTHER);
    assert_int_equal(ks_hdf5_read(pair, sizeof pair, file, node_at(file, "array")), KS_E_LIBRARY_HDF5_TYPE);
    ks_context_clear(&context);
    assert_int_equal(ks_hdf5_dataset(&type, file, node_at(file, "null")), KS_OK);
    assert_true(type.null_dataspace);
    assert_int_equal(ks_hdf5_object(&kind, file, node_at(file, "type")), KS_OK);
    assert_int_equal(kind, KS_HDF5_NAMED_TYPE);
    assert_int_equal(ks_hdf5_verify(file), KS_OK);
    close_file(file, bytes);
}

static void verify_reads_every_chunk(void **state) {
    (void)state;
    hid_t odd = odd_begin(true);
    hid_t list = odd_chunked(4);
    H5Pset_fletcher32(list);
    odd_floats(odd, "chunks", 16, H5T_IEEE_F32LE, list);
    ks_bytes bytes = odd_end(odd);
    const float third[] = {8, 9, 10, 11};
    uint8_t *chunk = memmem(bytes.data, bytes.size, third, sizeof third);
    assert_non_null(chunk);
    chunk[5] ^= 1;
    ks_hdf5 *file = open_file(bytes);
    assert_int_equal(ks_hdf5_verify(file), KS_E_LIBRARY_HDF5);
    close_file(file, bytes);
}

static void refuses_what_is_no_hdf5(void **state) {
    (void)state;
    ks_hdf5 *file = NULL;
    assert_int_equal(ks_hdf5_open(&file, &context, BYTES("\x89HDF\r\n\x1a\n and no more"), KS_ROAD_LIBRARY),
                     KS_E_LIBRARY_HDF5);
    ks_context_clear(&context);
    assert_int_equal(ks_hdf5_open(&file, &context, (ks_bytes){NULL, 0}, KS_ROAD_LIBRARY), KS_E_LIBRARY_HDF5);
}

/// Every allocation of ours may fail: a clean error each time, nothing left.
static void survives_failing_allocations(void **state) {
    (void)state;
    ks_hdf5_writer *writer = NULL;
    ks_bytes bytes = write_small_file(&writer);
    uint64_t before = context.memory.n_live;
    for (uint64_t k = 1;; k++) {
        ks_hdf5 *file = NULL;
        float data[3];
        ks_hdf5_node node = 0;
        bool found = false;
        context.memory.fail_at = context.memory.n_allocations + k;
        ks_code code = ks_hdf5_open(&file, &context, bytes, KS_ROAD_LIBRARY);
        if (code == KS_OK)
            code = ks_hdf5_verify(file);
        if (code == KS_OK)
            code = ks_hdf5_find(&node, &found, file, ks_hdf5_root(file), "layers/dense/vars/0");
        if (code == KS_OK)
            code = ks_hdf5_read(data, sizeof data, file, node);
        ks_hdf5_close(code == KS_OK || file ? file : NULL);
        context.memory.fail_at = 0;
        assert_int_equal(context.memory.n_live, before);
        if (code == KS_OK)
            break;
        assert_int_equal(code, KS_E_NO_MEMORY);
        ks_context_clear(&context);
        assert_true(k < 1000);
    }
    ks_hdf5_writer_close(writer);
}

// --- JSON ------------------------------------------------------------------------------------------------------------

// The document owns an arena and nothing else; json.c frees it the same way.
static void free_document(ks_json *json) {
    ks_json_free(json);
}

static const ks_value *parse(ks_json **json, ks_bytes bytes) {
    assert_int_equal(ks_json_parse(json, &context, bytes, KS_ROAD_LIBRARY), KS_OK);
    return ks_json_root(*json);
}

static void converts_values(void **state) {
    (void)state;
    ks_json *json = NULL;
    const ks_value *root =
        parse(&json, BYTES(" {\"a\": [1, -2.5, 1e3, \"x\\u00e9\", true, null], \"b\": {}, \"c\": 9007199254740993} "));
    assert_int_equal(root->type, KS_VALUE_DICT);
    assert_int_equal(root->as.dict.count, 3);
    const ks_value *items = ks_value_get(root, "a")->as.list.items;
    assert_int_equal(items[0].type, KS_VALUE_INT);
    assert_int_equal(items[0].as.integer, 1);
    assert_int_equal(items[1].type, KS_VALUE_FLOAT);
    assert_true(items[1].as.number == -2.5);
    assert_string_equal(items[1].text.data, "-2.5");
    assert_int_equal(items[2].type, KS_VALUE_INT);
    assert_int_equal(items[2].as.integer, 1000);
    assert_string_equal(items[3].text.data, "x\xc3\xa9");
    assert_int_equal(items[4].type, KS_VALUE_BOOL);
    assert_int_equal(items[5].type, KS_VALUE_NULL);
    assert_int_equal(items[0].offset, KS_NO_OFFSET);
    assert_int_equal(ks_value_get(root, "c")->type, KS_VALUE_FLOAT);
    free_document(json);
}

static void refuses_what_cjson_refuses(void **state) {
    (void)state;
    const ks_bytes refused[] = {BYTES(""),     BYTES("{"),    BYTES("NaN"),
                                BYTES("{} x"), BYTES("[1,]"), BYTES("\"\\ud800\"")};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        ks_json *json = NULL;
        assert_int_equal(ks_json_parse(&json, &context, refused[i], KS_ROAD_LIBRARY), KS_E_LIBRARY_JSON);
        ks_context_clear(&context);
    }
}

static void bounds_what_cjson_allocates(void **state) {
    (void)state;
    static char many[200001];
    memset(many, ',', sizeof many - 1);
    many[0] = '[';
    ks_json *json = NULL;
    context.memory.limit = 1 << 20;
    assert_int_equal(ks_json_parse(&json, &context, BYTES(many), KS_ROAD_LIBRARY), KS_E_OVER_MEMORY);
    ks_context_clear(&context);
    context.limits.json_values = 10;
    assert_int_equal(ks_json_parse(&json, &context, BYTES("[1,2,3,4,5,6,7,8,9,10,11]"), KS_ROAD_LIBRARY),
                     KS_E_OVER_COUNT);
}

// --- saving ----------------------------------------------------------------------------------------------------------

static void saves_atomically(void **state) {
    (void)state;
    char directory[] = "/tmp/kassay-save-XXXXXX";
    assert_non_null(mkdtemp(directory));
    char path[128];
    snprintf(path, sizeof path, "%s/file", directory);
    assert_int_equal(ks_save_bytes(&context, path, BYTES("old")), KS_OK);
    chmod(path, 0640);
    assert_int_equal(ks_save_bytes(&context, path, BYTES("newer")), KS_OK);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 5);
    assert_int_equal(status.st_mode & 0777, 0640);
    char missing[160];
    snprintf(missing, sizeof missing, "%s/no/file", directory);
    assert_int_equal(ks_save_bytes(&context, missing, BYTES("x")), KS_E_IO);
    unlink(path);
    assert_int_equal(rmdir(directory), 0); // no temporary file is left
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(loads_the_module),
        TEST(says_why_there_is_no_module),
        TEST(refuses_a_module_without_the_table),
        TEST(reads_what_it_wrote),
        TEST(aligns_a_member),
        TEST(refuses_alignment_after_a_deflated_member),
        TEST(writes_the_same_archive_twice),
        TEST(finds_a_wrong_checksum),
        TEST(refuses_what_is_no_archive),
        TEST(keeps_every_dtype),
        TEST(keeps_texts_and_shapes),
        TEST(marks_bytes_as_ascii),
        TEST(writes_the_same_file_twice),
        TEST(converts_order_and_layouts),
        TEST(lists_but_does_not_follow_links),
        TEST(refuses_elements_elsewhere),
        TEST(names_types_that_it_never_reads),
        TEST(verify_reads_every_chunk),
        TEST(refuses_what_is_no_hdf5),
        TEST(survives_failing_allocations),
        TEST(converts_values),
        TEST(refuses_what_cjson_refuses),
        TEST(bounds_what_cjson_allocates),
        TEST(saves_atomically),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
