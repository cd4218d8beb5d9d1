// SPDX-License-Identifier: Apache-2.0
//
// Arrays: what is written is read back, other people's headers, one array for every way to be wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kassay/npz.h>
#include <kassay/source.h>
#include <kassay/writer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ks_npz_entry numbers_entry(const char *name, ks_dtype dtype, const void *data, int64_t rows, int64_t columns) {
    ks_npz_entry entry = {name, {dtype, {2, {rows, columns}}, data, (size_t)(rows * columns) * ks_dtype_size(dtype)}};
    return entry;
}

static void test_what_is_written_is_read(void **state) {
    static const float floats[6] = {1, 2, 3, 4, 5, 6.5F};
    static const int64_t ints[2] = {-1, INT64_MAX};
    static const ks_text texts[2] = {{"layers/dense/vars/0", 19}, {"x", 1}};
    char path[] = "/tmp/kassay-npz-XXXXXX";
    ks_npz_entry entries[3] = {numbers_entry("input.0", KS_FLOAT32, floats, 2, 3),
                               numbers_entry("n", KS_INT64, ints, 2, 1),
                               {"names", {KS_STRING, {1, {2}}, texts, sizeof(texts)}}};
    ks_context context;
    ks_source *source;
    ks_npz *npz;
    ks_tensor tensor;
    (void)state;
    close(mkstemp(path));
    ks_context_init(&context, NULL);
    assert_int_equal(ks_npz_write(&context, path, entries, 3), KS_OK);
    assert_int_equal(ks_source_open(&source, &context, path), KS_OK);
    assert_int_equal(ks_npz_open(&npz, &context, ks_source_bytes(source)), KS_OK);
    assert_int_equal(ks_npz_count(npz), 3);
    assert_string_equal(ks_npz_name(npz, 0), "input.0");
    assert_true(ks_npz_has(npz, "n"));
    assert_false(ks_npz_has(npz, "m"));
    assert_int_equal(ks_npz_get(&tensor, npz, "input.0"), KS_OK);
    assert_int_equal(tensor.dtype, KS_FLOAT32);
    assert_int_equal(tensor.shape.dims[1], 3);
    assert_memory_equal(tensor.data, floats, sizeof(floats));
    assert_int_equal(ks_npz_get(&tensor, npz, "n"), KS_OK);
    assert_memory_equal(tensor.data, ints, sizeof(ints));
    assert_int_equal(ks_npz_get(&tensor, npz, "names"), KS_OK);
    assert_int_equal(tensor.dtype, KS_STRING);
    assert_string_equal(((const ks_text *)tensor.data)[0].data, "layers/dense/vars/0");
    assert_int_equal(((const ks_text *)tensor.data)[1].size, 1);
    assert_int_equal(ks_npz_get(&tensor, npz, "m"), KS_E_NPZ_MISSING);
    ks_npz_close(npz);
    ks_source_close(source);
    assert_int_equal(context.memory.n_live, 0);
    unlink(path);
}

// --- arrays by hand -------------------------------------------------------------------------------------------------

typedef struct made {
    ks_context context;
    ks_bytes archive;
    ks_npz *npz;
    ks_tensor tensor;
    ks_code code;
} made;

static void make(made *m, const char *header, const void *data, size_t data_size) {
    uint8_t array[1024];
    size_t size = strlen(header);
    ks_zip_item item = {.name = "a.npy"};
    memcpy(array, "\x93NUMPY\x01\x00", 8);
    array[8] = (uint8_t)size;
    array[9] = (uint8_t)(size >> 8);
    memcpy(array + 10, header, size);
    if (data_size)
        memcpy(array + 10 + size, data, data_size);
    item.bytes = (ks_bytes){array, 10 + size + data_size};
    ks_context_init(&m->context, NULL);
    m->npz = NULL;
    assert_int_equal(ks_zip_write(&m->archive, &m->context, &item, 1), KS_OK);
    assert_int_equal(ks_npz_open(&m->npz, &m->context, m->archive), KS_OK);
    m->code = ks_npz_get(&m->tensor, m->npz, "a");
}

static void unmake(made *m) {
    ks_npz_close(m->npz);
    ks_free(&m->context, (void *)(uintptr_t)m->archive.data);
    assert_int_equal(m->context.memory.n_live, 0);
}

static void test_fortran_and_big_endian(void **state) {
    static const uint8_t column_major[12] = {1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0};
    static const uint8_t big[4] = {0x3f, 0x80, 0, 0};
    static const int16_t expected[6] = {1, 2, 3, 4, 5, 6};
    made m;
    (void)state;
    make(&m, "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }\n", column_major, 12);
    assert_int_equal(m.code, KS_OK);
    assert_memory_equal(m.tensor.data, expected, sizeof(expected));
    unmake(&m);
    make(&m, "{'shape': (), 'fortran_order': False, 'descr': '>f4'}", big, 4);
    assert_int_equal(m.code, KS_OK);
    assert_int_equal(m.tensor.shape.rank, 0);
    assert_true(*(const float *)m.tensor.data == 1.0F);
    unmake(&m);
    make(&m, "{'descr': '<U2', 'fortran_order': False, 'shape': (1,)}", "\xe9\0\0\0\0\0\0\0", 8);
    assert_int_equal(m.code, KS_OK);
    assert_string_equal(((const ks_text *)m.tensor.data)[0].data, "\xc3\xa9");
    unmake(&m);
}

static void test_every_way_to_be_wrong(void **state) {
    static const struct {
        ks_code code;
        const char *header;
    } wrongs[] = {
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'fortran_order': False}"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x"},
        {KS_E_NPZ_HEADER, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"},
        {KS_E_NPZ_HEADER, "__import__('os')"},
        {KS_E_NPZ_OBJECTS, "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"},
        {KS_E_NPZ_DTYPE, "{'descr': '<f16', 'fortran_order': False, 'shape': (1,)}"},
        {KS_E_NPZ_SIZE, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"},
        {KS_E_NPZ_SIZE, "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9)}"},
        {KS_E_NPZ_SIZE, "{'descr': '<f4', 'fortran_order': False, 'shape': ()} "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        made m;
        make(&m, wrongs[i].header, "\0\0\0\0\0\0", 6);
        if (m.code != wrongs[i].code)
            fail_msg("header %zu: expected %s, found %s", i, ks_code_name(wrongs[i].code), ks_code_name(m.code));
        unmake(&m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_fortran_and_big_endian),
        cmocka_unit_test(test_every_way_to_be_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
