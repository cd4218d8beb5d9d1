// SPDX-License-Identifier: Apache-2.0
//
// The JSON writer gives the text of Python's json.dumps.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kassay/json_writer.h>

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char sample[] =
    "{\"a\": [1, -0.50, 1E5, NaN, 12345678901234567890], \"\\u00e9\\n\\u007f\": {\"x\": {}, \"y\": []}, "
    "\"s\": \"\\ud83d\\ude00\\ud800\\\"\\\\/\", \"b\": [true, false, null]}";

static void drop(ks_context *context, ks_text text) {
    ks_free(context, (void *)(uintptr_t)text.data);
}

/// What is written of `source` in `style` is `expected`.
static void check_style(const char *source, ks_json_style style, const char *expected) {
    ks_context context;
    ks_json *json = NULL;
    ks_text text = {NULL, 0};
    ks_context_init(&context, NULL);
    ks_bytes bytes = {(const uint8_t *)source, strlen(source)};
    assert_int_equal(ks_json_parse(&json, &context, bytes, KS_ROAD_STRICT), KS_OK);
    assert_int_equal(ks_json_write(&text, &context, ks_json_root(json), style), KS_OK);
    assert_string_equal(text.data, expected);
    assert_int_equal(text.size, strlen(expected));
    drop(&context, text);
    ks_json_free(json);
    assert_int_equal(context.memory.n_live, 0);
}

static void one_line_is_that_of_dumps(void **state) {
    (void)state;
    check_style(sample, (ks_json_style){0, true}, sample);
    check_style(sample, (ks_json_style){0, false},
                "{\"a\": [1, -0.50, 1E5, NaN, 12345678901234567890], \"\xC3\xA9\\n\x7F\": {\"x\": {}, \"y\": []}, "
                "\"s\": \"\xF0\x9F\x98\x80\xED\xA0\x80\\\"\\\\/\", \"b\": [true, false, null]}");
    check_style("\"\\u0000\\u001f\\b\\f\\r\\t\"", (ks_json_style){0, false}, "\"\\u0000\\u001f\\b\\f\\r\\t\"");
    check_style("[]", (ks_json_style){0, true}, "[]");
    check_style("3", (ks_json_style){0, true}, "3");
}

static void indented_is_that_of_dumps(void **state) {
    (void)state;
    check_style("{\"a\": [1, [2]], \"b\": {}, \"c\": {\"d\": []}}", (ks_json_style){2, true},
                "{\n  \"a\": [\n    1,\n    [\n      2\n    ]\n  ],\n  \"b\": {},\n  \"c\": {\n    \"d\": []\n  }\n}");
    check_style("[]", (ks_json_style){4, true}, "[]");
}

static void write_all(ks_json_writer *writer) {
    ks_json_begin_object(writer);
    ks_json_put_key(writer, "int");
    ks_json_put_int(writer, INT64_MIN);
    ks_json_put_key_text(writer, (ks_text){"u\0x", 3});
    ks_json_put_uint(writer, UINT64_MAX);
    ks_json_put_key(writer, "list");
    ks_json_begin_list(writer);
    ks_json_put_double(writer, 0.1);
    ks_json_put_double(writer, -HUGE_VAL);
    ks_json_put_bool(writer, true);
    ks_json_put_null(writer);
    ks_json_put_string(writer, NULL);
    ks_json_put_string(writer, "caf\xC3\xA9 \xFF");
    ks_json_begin_object(writer);
    ks_json_end_object(writer);
    ks_json_end_list(writer);
    ks_json_end_object(writer);
}

static void pieces_make_a_document(void **state) {
    (void)state;
    ks_context context;
    ks_json_writer writer;
    ks_text text;
    ks_context_init(&context, NULL);
    ks_json_writer_init(&writer, &context, (ks_json_style){0, true});
    write_all(&writer);
    assert_int_equal(ks_json_writer_finish(&text, &writer), KS_OK);
    assert_string_equal(
        text.data, "{\"int\": -9223372036854775808, \"u\\u0000x\": 18446744073709551615, \"list\": [0.1, -Infinity, "
                   "true, null, null, \"caf\\u00e9 \\ufffd\", {}]}");
    drop(&context, text);
    assert_int_equal(context.memory.n_live, 0);
}

static void values_of_programs_need_no_text(void **state) {
    (void)state;
    ks_value items[4] = {{.type = KS_VALUE_INT, .fits = true, .as.integer = -7},
                         {.type = KS_VALUE_FLOAT, .as.number = 1e22},
                         {.type = KS_VALUE_STRING, .text = {"\xFFz", 2}},
                         {.type = KS_VALUE_BOOL, .as.boolean = true}};
    ks_value list = {.type = KS_VALUE_LIST, .as.list = {items, 4}};
    ks_context context;
    ks_text text;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_json_write(&text, &context, &list, (ks_json_style){0, false}), KS_OK);
    assert_string_equal(text.data, "[-7, 1e+22, \"\xEF\xBF\xBDz\", true]");
    drop(&context, text);
}

static void misuse_is_told(void **state) {
    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        ks_context context;
        ks_json_writer writer;
        ks_text text;
        ks_context_init(&context, NULL);
        ks_json_writer_init(&writer, &context, (ks_json_style){0, true});
        if (kind != 0)
            kind % 2 ? ks_json_begin_object(&writer) : ks_json_begin_list(&writer);
        if (kind == 1) // a value without a key
            ks_json_put_int(&writer, 1);
        if (kind == 2 || kind == 3) // the wrong end
            kind % 2 ? ks_json_end_list(&writer) : ks_json_end_object(&writer);
        if (kind == 4) // a key in a list
            ks_json_put_key(&writer, "a");
        if (kind == 5) { // a key without a value
            ks_json_put_key(&writer, "a");
            ks_json_end_object(&writer);
        }
        if (kind == 6) { // two documents
            ks_json_end_list(&writer);
            ks_json_put_null(&writer);
        }
        if (kind == 7) { // two keys
            ks_json_put_key(&writer, "a");
            ks_json_put_key(&writer, "b");
        }
        assert_int_equal(ks_json_writer_finish(&text, &writer), KS_E_USAGE);
        assert_null(text.data);
        assert_int_equal(context.memory.n_live, 0);
    }
}

static void doubles_are_written_as_repr(void **state) {
    (void)state;
    static const struct {
        uint64_t bits;
        const char *text;
    } rows[] = {
#define DOUBLE(bits, text) {bits, text},
#include "double_table.inc"
#undef DOUBLE
    };
    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        setlocale(LC_ALL, "C.UTF-8");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ks_context context;
        ks_json_writer writer;
        ks_text text;
        double number;
        memcpy(&number, &rows[i].bits, sizeof number);
        ks_context_init(&context, NULL);
        ks_json_writer_init(&writer, &context, (ks_json_style){0, true});
        ks_json_put_double(&writer, number);
        assert_int_equal(ks_json_writer_finish(&text, &writer), KS_OK);
        assert_string_equal(text.data, rows[i].text);
        drop(&context, text);
    }
    setlocale(LC_ALL, "C");
}

static void deep_values_are_written(void **state) {
    (void)state;
    size_t depth = 20000;
    char *source = malloc(2 * depth + 1);
    assert_non_null(source);
    memset(source, '[', depth);
    memset(source + depth, ']', depth);
    source[2 * depth] = 0;
    check_style(source, (ks_json_style){0, true}, source);
    free(source);
}

static void every_failing_allocation_is_clean(void **state) {
    (void)state;
    ks_context context;
    ks_json *json = NULL;
    char source[700];
    memset(source, '[', 100);
    memset(source + 100, '7', 500);
    memset(source + 600, ']', 100);
    ks_context_init(&context, NULL);
    assert_int_equal(ks_json_parse(&json, &context, (ks_bytes){(const uint8_t *)source, 700}, KS_ROAD_STRICT), KS_OK);
    uint64_t n_live = context.memory.n_live;
    ks_text text;
    uint64_t k = 1;
    for (;; k++) {
        context.memory.fail_at = context.memory.n_allocations + k;
        ks_code code = ks_json_write(&text, &context, ks_json_root(json), (ks_json_style){1, true});
        if (code == KS_OK)
            break;
        assert_int_equal(code, KS_E_NO_MEMORY);
        assert_null(text.data);
        assert_int_equal(context.memory.n_live, n_live);
        ks_context_clear(&context);
    }
    assert_true(k > 4);
    drop(&context, text);
    ks_json_free(json);
    assert_int_equal(context.memory.n_live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_is_that_of_dumps),
        cmocka_unit_test(indented_is_that_of_dumps),
        cmocka_unit_test(pieces_make_a_document),
        cmocka_unit_test(values_of_programs_need_no_text),
        cmocka_unit_test(misuse_is_told),
        cmocka_unit_test(doubles_are_written_as_repr),
        cmocka_unit_test(deep_values_are_written),
        cmocka_unit_test(every_failing_allocation_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
