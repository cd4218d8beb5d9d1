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
        {KS_E_NPZ_HEADER, "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'fortran_order': False, 'shape': [1]}"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"},
        {KS_E_NPZ_HEADER, "{'descr: 1"},
        {KS_E_NPZ_HEADER, "{'descr': 'f', 'fortran_order': False, 'shape': (1,)}"},
        {KS_E_NPZ_HEADER, "{'descr': '<f4x', 'fortran_order': False, 'shape': (1,)}"},
        {KS_E_NPZ_HEADER, ""},
        {KS_E_NPZ_HEADER, "{'descr': '<U1', 'fortran_order': False, 'shape': ()} "}, // U+58000000
        {KS_E_OVER_SIZE, "{'descr': '|S0', 'fortran_order': False, 'shape': (2199023255552,)}"},
        {KS_E_NPZ_OBJECTS, "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"},
        {KS_E_NPZ_DTYPE, "{'descr': '<f16', 'fortran_order': False, 'shape': (1,)}"},
        {KS_E_NPZ_SIZE, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"},
        {KS_E_NPZ_SIZE, "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9)}"},
        {KS_E_NPZ_SIZE, "{'descr': '<f4', 'fortran_order': False, 'shape': ()} "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        made m;
        bool text = strstr(wrongs[i].header, "U1") != NULL, nothing = strstr(wrongs[i].header, "S0") != NULL;
        make(&m, wrongs[i].header, text ? "\0\0\0X" : "\0\0\0\0\0\0", text ? 4 : nothing ? 0 : 6);
        if (m.code != wrongs[i].code)
            fail_msg("header %zu: expected %s, found %s", i, ks_code_name(wrongs[i].code), ks_code_name(m.code));
        unmake(&m);
    }
}

static void test_every_type(void **state) {
    static const struct {
        ks_dtype dtype;
        const char *descr;
    } types[] = {{KS_BOOL8, "|b1"},   {KS_INT8, "|i1"},      {KS_INT16, "<i2"},      {KS_INT32, "<i4"},
                 {KS_INT64, "<i8"},   {KS_UINT8, "|u1"},     {KS_UINT16, "<u2"},     {KS_UINT32, "<u4"},
                 {KS_UINT64, "<u8"},  {KS_FLOAT16, "<f2"},   {KS_BFLOAT16, "|V2"},   {KS_FLOAT32, "<f4"},
                 {KS_FLOAT64, "<f8"}, {KS_COMPLEX64, "<c8"}, {KS_COMPLEX128, "<c16"}};
    static const char data[16] = "0123456789abcdef";
    static const char turned[16] = "76543210fedcba98"; // complex numbers turn their halves one by one
    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        char header[100];
        made m;
        snprintf(header, sizeof(header), "{'descr': '%s', 'fortran_order': False, 'shape': (1, 1)}", types[i].descr);
        make(&m, header, data, ks_dtype_size(types[i].dtype));
        assert_int_equal(m.code, KS_OK);
        assert_int_equal(m.tensor.dtype, types[i].dtype);
        assert_memory_equal(m.tensor.data, data, m.tensor.size);
        assert_int_equal((uintptr_t)m.tensor.data % ks_dtype_size(types[i].dtype), 0);
        unmake(&m);
    }
    made m;
    make(&m, "{'descr': '>c16', 'fortran_order': False, 'shape': (1L,), }", data, 16);
    assert_int_equal(m.code, KS_OK);
    assert_memory_equal(m.tensor.data, turned, 16);
    unmake(&m);
    make(&m, "{\"descr\": \"<f4\", \"fortran_order\": True, \"shape\": (0, 3)}", data, 0);
    assert_int_equal(m.code, KS_OK);
    assert_int_equal(m.tensor.size, 0);
    unmake(&m);
    make(&m, "{'descr': '>U3', 'fortran_order': False, 'shape': ()}", "\0\0\7\xff\0\0\xff\xff\0\1\0\0", 12);
    assert_int_equal(m.code, KS_OK);
    assert_string_equal(((const ks_text *)m.tensor.data)[0].data, "\xdf\xbf\xef\xbf\xbf\xf0\x90\x80\x80");
    unmake(&m);
}

// The bytes before the header, and members that are no arrays.
static void test_magic_and_versions(void **state) {
    static const struct {
        ks_code code;
        size_t size;
        const char *bytes;
    } rows[] = {
        {KS_OK, 75, "\x93NUMPY\2\0\x3e\0\0\0{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }    \n7"},
        {KS_OK, 75, "\x93NUMPY\3\0\x3e\0\0\0{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }    \n7"},
        {KS_E_NPZ_VERSION, 75,
         "\x93NUMPY\4\0\x3e\0\0\0{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }    \n7"},
        {KS_E_NPZ_VERSION, 75,
         "\x93NUMPY\0\0\x3e\0\0\0{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }    \n7"},
        {KS_E_NPZ_HEADER, 72,
         "\x93NUMPY\3\0\x3e\0\0\0{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }    \n7"},
        {KS_E_NPZ_HEADER, 9, "\x93NUMPY\1\0\x3c"},
        {KS_E_NPZ_MAGIC, 8, "\x93NUMPX\1\0"},
        {KS_E_NPZ_MAGIC, 3, "abc"},
        {KS_E_NPZ_MAGIC, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ks_zip_item item = {"no-suffix", {(const uint8_t *)rows[i].bytes, rows[i].size}, 0, true};
        ks_context context;
        ks_bytes archive;
        ks_npz *npz;
        ks_tensor tensor;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_zip_write(&archive, &context, &item, 1), KS_OK);
        assert_int_equal(ks_npz_open(&npz, &context, archive), KS_OK);
        ks_code code = ks_npz_get(&tensor, npz, "no-suffix");
        if (code != rows[i].code)
            fail_msg("row %zu: expected %s, found %s", i, ks_code_name(rows[i].code), ks_code_name(code));
        if (code == KS_OK)
            assert_int_equal(*(const uint8_t *)tensor.data, '7');
        ks_npz_close(npz);
        ks_free(&context, (void *)(uintptr_t)archive.data);
        assert_int_equal(context.memory.n_live, 0);
    }
    ks_npz_close(NULL);
}

static size_t slurp(const char *path, uint8_t *data, size_t room) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(data, 1, room, file);
    fclose(file);
    return size;
}

static void test_writing_is_deterministic_and_safe(void **state) {
    static const float floats[2] = {1, 2};
    static uint8_t first[4096], second[4096];
    char path[] = "/tmp/kassay-npz-XXXXXX", command[64];
    ks_npz_entry entry = numbers_entry("a", KS_FLOAT32, floats, 1, 2);
    ks_context context;
    size_t size;
    (void)state;
    close(mkstemp(path));
    ks_context_init(&context, NULL);
    assert_int_equal(ks_npz_write(&context, path, &entry, 1), KS_OK);
    size = slurp(path, first, sizeof(first));
    assert_int_equal(ks_npz_write(&context, path, &entry, 1), KS_OK);
    assert_int_equal(slurp(path, second, sizeof(second)), size);
    assert_memory_equal(first, second, size);
    assert_int_equal(ks_npz_write(&context, "/nowhere/at/all.npz", &entry, 1), KS_E_IO);
    ks_context_clear(&context);
    int saved = dup(1); // "-" is standard output
    fflush(stdout);
    assert_non_null(freopen(path, "wb", stdout));
    ks_code code = ks_npz_write(&context, "-", &entry, 1);
    fflush(stdout);
    dup2(saved, 1);
    close(saved);
    assert_int_equal(code, KS_OK);
    assert_int_equal(slurp(path, second, sizeof(second)), size);
    assert_memory_equal(first, second, size);
    snprintf(command, sizeof(command), "test $(ls %s* | wc -l) = 1", path); // no temporary file is left
    assert_int_equal(system(command), 0);
    unlink(path);
}

static void test_any_allocation_may_fail(void **state) {
    static const ks_text texts[2] = {{"one", 3}, {"two", 3}};
    static const float floats[2] = {1, 2};
    char path[] = "/tmp/kassay-npz-XXXXXX";
    ks_npz_entry entries[2] = {numbers_entry("a", KS_FLOAT32, floats, 1, 2),
                               {"names", {KS_STRING, {1, {2}}, texts, sizeof(texts)}}};
    ks_code code = KS_E_NO_MEMORY;
    uint64_t k = 1;
    (void)state;
    close(mkstemp(path));
    for (; code == KS_E_NO_MEMORY; k++) {
        ks_context context;
        ks_source *source = NULL;
        ks_npz *npz = NULL;
        ks_tensor tensor;
        ks_context_init(&context, NULL);
        context.memory.fail_at = k;
        KS_TRY(ks_npz_write(&context, path, entries, 2));
        KS_TRY(ks_source_open(&source, &context, path));
        KS_TRY(ks_npz_open(&npz, &context, ks_source_bytes(source)));
        KS_TRY(ks_npz_get(&tensor, npz, "a"));
        KS_TRY(ks_npz_get(&tensor, npz, "names"));
    done:
        ks_npz_close(npz);
        ks_source_close(source);
        assert_int_equal(context.memory.n_live, 0);
    }
    assert_int_equal(code, KS_OK);
    assert_true(k > 6);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read), cmocka_unit_test(test_fortran_and_big_endian),
        cmocka_unit_test(test_every_way_to_be_wrong),   cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_magic_and_versions),      cmocka_unit_test(test_writing_is_deterministic_and_safe),
        cmocka_unit_test(test_any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
