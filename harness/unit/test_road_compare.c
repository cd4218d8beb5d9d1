// SPDX-License-Identifier: Apache-2.0
//
// Every row of the table of differences is provoked here by the test that the row names, and must be met; what agrees
// must agree, and a difference that no row explains must be red.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runner/road_compare.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES(literal) ((ks_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static ks_context context;
static bool met[KS_N_DIFFERENCES];

static int setup(void **state) {
    (void)state;
    ks_context_init(&context, NULL);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    return context.memory.n_live == 0 ? 0 : -1;
}

static ks_roads_options all_roads(void) {
    ks_roads_options options = ks_roads_options_default();
    options.with_refused = true;
    return options;
}

static void note_rows(const ks_roads_result *result) {
    for (size_t i = 0; i < result->n_rows; i++)
        met[result->rows[i]->id] = true;
}

static ks_roads_result compare_json_with(const ks_roads_options *options, ks_bytes bytes) {
    ks_roads_result result;
    assert_int_equal(ks_roads_compare_json(&result, &context, options, bytes), KS_OK);
    if (result.outcome == KS_ROADS_DIFFER)
        print_message("%s: %s\n", result.where, result.message);
    note_rows(&result);
    return result;
}

static ks_roads_result compare_json(ks_bytes bytes) {
    ks_roads_options options = all_roads();
    return compare_json_with(&options, bytes);
}

static void json_agrees(ks_bytes bytes) {
    assert_int_equal(compare_json(bytes).outcome, KS_ROADS_AGREE);
}

static void json_is_listed(ks_bytes bytes, ks_road_difference_id id) {
    ks_roads_result result = compare_json(bytes);
    assert_int_equal(result.outcome, KS_ROADS_LISTED);
    assert_int_equal(result.n_rows, 1);
    assert_string_equal(result.rows[0]->name, ks_road_difference_row(id)->name);
}

static void equal_documents(void **state) {
    (void)state;
    json_agrees(BYTES("{\"a\": [1, -2.5, \"x\\u00e9\\ud83d\\ude00\", true, null], \"b\": {}, \"c\": 1e-3}"));
    json_agrees(BYTES("\xEF\xBB\xBF{} "));
    json_agrees(BYTES("[1, 2"));
    json_agrees(BYTES("{} x"));
    json_agrees(BYTES(""));
}

static void refused_input_can_be_kept_from_the_library(void **state) {
    (void)state;
    ks_roads_result result = compare_json_with(NULL, BYTES("[01]"));
    assert_int_equal(result.outcome, KS_ROADS_AGREE);
    assert_false(result.library_asked);
    assert_int_equal(result.strict.code, KS_E_JSON_NUMBER);
}

static void duplicate_keys(void **state) {
    (void)state;
    json_is_listed(BYTES("{\"a\": 1, \"b\": {\"x\": 0}, \"a\": [2]}"), KS_DIFFERENCE_JSON_DUPLICATE_KEY);
    json_is_listed(BYTES("{\"a\": 1, \"ab\": 2, \"a\": 3, \"a\": 4}"), KS_DIFFERENCE_JSON_DUPLICATE_KEY);
}

static void nul_in_strings(void **state) {
    (void)state;
    json_is_listed(BYTES("[\"a\\u0000b\"]"), KS_DIFFERENCE_JSON_NUL);
    json_is_listed(BYTES("{\"a\\u0000b\": 1}"), KS_DIFFERENCE_JSON_NUL);
}

static void numbers_lose_their_form(void **state) {
    (void)state;
    json_is_listed(BYTES("[1.0]"), KS_DIFFERENCE_JSON_NUMBER_FORM);
    json_is_listed(BYTES("[1e3]"), KS_DIFFERENCE_JSON_NUMBER_FORM);
    json_is_listed(BYTES("[-0]"), KS_DIFFERENCE_JSON_NUMBER_FORM);
    json_agrees(BYTES("[0.1, 1e300, 1e999, -0.0, 5e-324, 9007199254740991]"));
}

static void big_integers_are_rounded(void **state) {
    (void)state;
    json_is_listed(BYTES("[9007199254740993]"), KS_DIFFERENCE_JSON_BIG_INTEGER);
    json_is_listed(BYTES("[123456789012345678901234567890]"), KS_DIFFERENCE_JSON_BIG_INTEGER);
}

static void words_for_numbers(void **state) {
    (void)state;
    json_is_listed(BYTES("[NaN]"), KS_DIFFERENCE_JSON_NAN);
    json_is_listed(BYTES("{\"a\": -Infinity}"), KS_DIFFERENCE_JSON_NAN);
}

static void lone_surrogates(void **state) {
    (void)state;
    json_is_listed(BYTES("[\"\\ud800\"]"), KS_DIFFERENCE_JSON_SURROGATE);
    json_is_listed(BYTES("{\"\\udc00\": 1}"), KS_DIFFERENCE_JSON_SURROGATE);
}

static void wide_encodings(void **state) {
    (void)state;
    json_is_listed(BYTES("[\0001\0]\0"), KS_DIFFERENCE_JSON_WIDE);
    json_is_listed(BYTES("\xFF\xFE[\0]\0"), KS_DIFFERENCE_JSON_WIDE);
    json_is_listed(BYTES("\0\0\0[\0\0\0]"), KS_DIFFERENCE_JSON_WIDE);
}

static void short_document_with_mark(void **state) {
    (void)state;
    json_is_listed(BYTES("\xEF\xBB\xBF"
                         "7"),
                   KS_DIFFERENCE_JSON_SHORT_BOM);
}

static ks_bytes nested(char *text, size_t depth) {
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return (ks_bytes){(const uint8_t *)text, 2 * depth};
}

static void deep_documents(void **state) {
    (void)state;
    static char text[40000];
    json_agrees(nested(text, 1000));
    json_is_listed(nested(text, 1001), KS_DIFFERENCE_JSON_DEPTH);
    json_is_listed(nested(text, 20000), KS_DIFFERENCE_JSON_DEPTH);
}

static void long_numbers_agree(void **state) {
    (void)state;
    static char text[20000] = "[0.";
    for (size_t size = 60; size < 19000; size = size * 2 + 1) {
        memset(text + 3, '7', size);
        text[size + 3] = ']';
        json_agrees((ks_bytes){(const uint8_t *)text, size + 4});
    }
}

static void cjson_needs_more_memory(void **state) {
    (void)state;
    static char text[20001];
    for (size_t i = 0; i < 20000; i++)
        text[i] = ",1"[i % 2];
    text[0] = '[';
    text[19999] = ' ';
    text[19998] = ']';
    ks_roads_options options = all_roads();
    options.limits.memory_base = 1200000;
    options.limits.memory_per_byte = 0;
    ks_roads_result result = compare_json_with(&options, (ks_bytes){(const uint8_t *)text, 20000});
    assert_int_equal(result.strict.code, KS_OK);
    assert_int_equal(result.outcome, KS_ROADS_LISTED);
    assert_int_equal(result.rows[0]->id, KS_DIFFERENCE_JSON_MEMORY);
}

static void lax_text(void **state) {
    (void)state;
    json_is_listed(BYTES("[\"\xff\"]"), KS_DIFFERENCE_JSON_LAX_TEXT);
}

static void lax_control_characters(void **state) {
    (void)state;
    json_is_listed(BYTES("[\"a\nb\"]"), KS_DIFFERENCE_JSON_LAX_CONTROL);
    json_is_listed(BYTES("[1,\v2]"), KS_DIFFERENCE_JSON_LAX_CONTROL);
    json_is_listed(BYTES("[1\f]"), KS_DIFFERENCE_JSON_LAX_CONTROL);
}

static void lax_numbers(void **state) {
    (void)state;
    json_is_listed(BYTES("[01]"), KS_DIFFERENCE_JSON_LAX_NUMBER);
    json_is_listed(BYTES("[1.]"), KS_DIFFERENCE_JSON_LAX_NUMBER);
    json_is_listed(BYTES("1."), KS_DIFFERENCE_JSON_LAX_NUMBER);
    json_is_listed(BYTES("[-.5]"), KS_DIFFERENCE_JSON_LAX_NUMBER);
}

static void lax_escapes(void **state) {
    (void)state;
    json_is_listed(BYTES("[\"\\u00g0\"]"), KS_DIFFERENCE_JSON_LAX_ESCAPE);
    json_agrees(BYTES("[\"\\x\"]"));
}

static void json_limits(void **state) {
    (void)state;
    ks_roads_options options = all_roads();
    options.limits.json_depth = 3;
    ks_roads_result result = compare_json_with(&options, BYTES("[[[[1]]]]"));
    assert_int_equal(result.strict.code, KS_E_OVER_DEPTH);
    // The same limit counts for the library road's values, so both refuse …
    assert_int_equal(result.outcome, KS_ROADS_AGREE);
    // … but memory is counted as each road needs it.
    options = all_roads();
    options.limits.memory_base = 5000;
    options.limits.memory_per_byte = 0;
    result = compare_json_with(&options, BYTES("[1]"));
    assert_int_equal(result.strict.code, KS_E_OVER_MEMORY);
    if (result.outcome != KS_ROADS_AGREE)
        assert_int_equal(result.rows[0]->id, KS_DIFFERENCE_JSON_LIMITS);
}

static void every_row_was_met(void **state) {
    (void)state;
    for (int id = 0; id < KS_N_DIFFERENCES; id++)
        if (!met[id])
            fail_msg("no test met the row %s", ks_road_difference_row((ks_road_difference_id)id)->name);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(equal_documents),
        TEST(refused_input_can_be_kept_from_the_library),
        TEST(duplicate_keys),
        TEST(nul_in_strings),
        TEST(numbers_lose_their_form),
        TEST(big_integers_are_rounded),
        TEST(words_for_numbers),
        TEST(lone_surrogates),
        TEST(wide_encodings),
        TEST(short_document_with_mark),
        TEST(deep_documents),
        TEST(long_numbers_agree),
        TEST(cjson_needs_more_memory),
        TEST(lax_text),
        TEST(lax_control_characters),
        TEST(lax_numbers),
        TEST(lax_escapes),
        TEST(json_limits),
        TEST(every_row_was_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
