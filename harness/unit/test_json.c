// SPDX-License-Identifier: Apache-2.0
//
// The strict JSON reader: offsets, places of errors, numbers, depth, limits, failing allocations, duplicate keys.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kassay/json.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ks_code parse(ks_json **out, ks_context *context, const char *text, size_t size) {
    return ks_json_parse(out, context, (ks_bytes){(const uint8_t *)text, size}, KS_ROAD_STRICT);
}

static ks_json *accept(ks_context *context, const char *text) {
    ks_json *json = NULL;
    ks_context_init(context, NULL);
    assert_int_equal(parse(&json, context, text, strlen(text)), KS_OK);
    return json;
}

static void release(ks_context *context, ks_json *json) {
    ks_json_free(json);
    assert_int_equal(context->memory.n_live, 0);
}

static void offsets_are_those_of_the_bytes(void **state) {
    (void)state;
    ks_context context;
    ks_json *json = accept(&context, " {\"a\": [1, {\"\\u00e9b\": \"x\"}], \"c\" :null}");
    const ks_value *root = ks_json_root(json);
    assert_int_equal(root->offset, 1);
    const ks_member *a = &root->as.dict.members[0];
    assert_int_equal(a->key_offset, 2);
    assert_int_equal(a->value.offset, 7);
    assert_int_equal(a->value.as.list.items[0].offset, 8);
    const ks_value *inner = &a->value.as.list.items[1];
    assert_int_equal(inner->offset, 11);
    assert_int_equal(inner->as.dict.members[0].key_offset, 12);
    assert_int_equal(inner->as.dict.members[0].value.offset, 23);
    assert_string_equal(inner->as.dict.members[0].key.data, "\xC3\xA9"
                                                            "b");
    assert_int_equal(ks_value_get(root, "c")->offset, 35);
    release(&context, json);
}

static void offsets_count_bytes_of_wide_documents(void **state) {
    (void)state;
    // BOM, [ " U+1F600 U+00E9 " , 1 ]
    static const char utf16[] = "\xFF\xFE[\0\"\0\x3D\xD8\x00\xDE\xE9\0\"\0,\0001\0]\0";
    static const char utf32[] = "\0\0\0[\0\0\0\"\0\1\xF6\0\0\0\0\xE9\0\0\0\"\0\0\0,\0\0\0001\0\0\0]";
    ks_context context;
    ks_json *json = NULL;
    ks_context_init(&context, NULL);
    assert_int_equal(parse(&json, &context, utf16, sizeof utf16 - 1), KS_OK);
    const ks_value *items = ks_json_root(json)->as.list.items;
    assert_int_equal(ks_json_root(json)->offset, 2);
    assert_int_equal(items[0].offset, 4);
    assert_int_equal(items[1].offset, 16);
    assert_string_equal(items[0].text.data, "\xF0\x9F\x98\x80\xC3\xA9");
    ks_json_free(json);
    assert_int_equal(parse(&json, &context, utf32, sizeof utf32 - 1), KS_OK);
    items = ks_json_root(json)->as.list.items;
    assert_int_equal(items[0].offset, 4);
    assert_int_equal(items[1].offset, 24);
    release(&context, json);
}

static void failures_say_where(void **state) {
    (void)state;
    static const struct {
        const char *text;
        ks_code code;
        uint64_t offset;
        const char *place;
    } rows[] = {
        {"", KS_E_JSON_EMPTY, 0, ""},
        {"{\"a\": [0, {\"b\": tru}]}", KS_E_JSON_VALUE, 16, "/a/1/b"},
        {"[[], [1, 2,]]", KS_E_JSON_TRAILING_COMMA, 11, "/1/2"},
        {"{\"a\": 1, }", KS_E_JSON_TRAILING_COMMA, 9, "/a"},
        {"{\"a\": {\"k\" 1}}", KS_E_JSON_COLON, 11, "/a/k"},
        {"{\"a\": {k: 1}}", KS_E_JSON_KEY, 7, "/a"},
        {"[1 2]", KS_E_JSON_COMMA, 3, "/1"},
        {"{} {}", KS_E_JSON_EXTRA_DATA, 3, ""},
        {"[\"abc", KS_E_JSON_TRUNCATED, 5, "/0"},
        {"[1, {\"a\"", KS_E_JSON_TRUNCATED, 8, "/1/a"},
        {"[1,", KS_E_JSON_TRUNCATED, 3, "/1"},
        {"[\"a\\qb\"]", KS_E_JSON_ESCAPE, 4, "/0"},
        {"[\"a\nb\"]", KS_E_JSON_CONTROL, 3, "/0"},
        {"[\"a\\u12x4\"]", KS_E_JSON_ESCAPE, 4, "/0"},
        {"[01]", KS_E_JSON_NUMBER, 2, "/0"},
        {"[1.x]", KS_E_JSON_NUMBER, 3, "/0"},
        {"[1e-]", KS_E_JSON_NUMBER, 4, "/0"},
        {"[\"\xC3(\"]", KS_E_JSON_ENCODING, 2, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ks_context context;
        ks_json *json = NULL;
        ks_context_init(&context, NULL);
        assert_int_equal(parse(&json, &context, rows[i].text, strlen(rows[i].text)), rows[i].code);
        assert_null(json);
        assert_int_equal(context.error.stage, KS_STAGE_JSON);
        assert_int_equal(context.error.offset, rows[i].offset);
        assert_string_equal(context.error.place, rows[i].place);
        assert_int_equal(context.memory.n_live, 0);
    }
}

static void long_places_keep_their_end(void **state) {
    (void)state;
    char text[4096] = "";
    for (int i = 0; i < 100; i++)
        strcat(text, "{\"layers\":");
    strcat(text, "{\"units\": x");
    ks_context context;
    ks_json *json = NULL;
    ks_context_init(&context, NULL);
    assert_int_equal(parse(&json, &context, text, strlen(text)), KS_E_JSON_VALUE);
    size_t size = strlen(context.error.place);
    assert_true(size > 150 && size < 256);
    assert_string_equal(context.error.place + size - 13, "/layers/units");
}

static void numbers_keep_their_text(void **state) {
    (void)state;
    ks_context context;
    ks_json *json = accept(&context, "[-0, 1E+05, NaN,-Infinity, 9223372036854775808,-9223372036854775808 ,1.50]");
    const ks_value *items = ks_json_root(json)->as.list.items;
    static const char *const texts[] = {
        "-0", "1E+05", "NaN", "-Infinity", "9223372036854775808", "-9223372036854775808", "1.50"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_string_equal(items[i].text.data, texts[i]);
        assert_int_equal(items[i].text.size, strlen(texts[i]));
    }
    assert_true(items[0].type == KS_VALUE_INT && items[0].fits && items[0].as.integer == 0);
    assert_true(items[1].type == KS_VALUE_FLOAT && items[1].as.number == 1e5);
    assert_true(isnan(items[2].as.number) && isinf(items[3].as.number));
    assert_true(items[4].type == KS_VALUE_INT && !items[4].fits);
    assert_true(items[5].fits && items[5].as.integer == INT64_MIN);
    release(&context, json);
}

static ks_code parse_digits(const char *before, size_t n_digits, const char *after) {
    ks_context context;
    ks_json *json = NULL;
    size_t n_before = strlen(before);
    size_t size = n_before + n_digits + strlen(after);
    char *text = malloc(size + 1);
    assert_non_null(text);
    memcpy(text, before, n_before);
    memset(text + n_before, '7', n_digits);
    memcpy(text + n_before + n_digits, after, strlen(after));
    ks_context_init(&context, NULL);
    ks_code code = parse(&json, &context, text, size);
    free(text);
    release(&context, json);
    return code;
}

static void integers_are_as_long_as_in_python(void **state) {
    (void)state;
    assert_int_equal(parse_digits("", 4300, ""), KS_OK);
    assert_int_equal(parse_digits("-", 4300, ""), KS_OK);
    assert_int_equal(parse_digits("", 4301, ""), KS_E_JSON_LONG_INTEGER);
    assert_int_equal(parse_digits("[-", 4301, "]"), KS_E_JSON_LONG_INTEGER);
    assert_int_equal(parse_digits("", 5000, ".0"), KS_OK);
    assert_int_equal(parse_digits("0.", 5000, ""), KS_OK);
    assert_int_equal(parse_digits("1e", 5000, ""), KS_OK);
}

static void floats_do_not_depend_on_the_locale(void **state) {
    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        setlocale(LC_ALL, "C.UTF-8"); // without a locale of commas this is only the ordinary case
    ks_context context;
    ks_json *json = accept(&context, "[0.1, 1.7976931348623157e308, 0.3000000000000000444089209850062616]");
    const ks_value *items = ks_json_root(json)->as.list.items;
    assert_true(items[0].as.number == 0.1);
    assert_true(items[1].as.number == 1.7976931348623157e308);
    assert_true(items[2].as.number == 0.3 + 5.551115123125783e-17);
    release(&context, json);
    setlocale(LC_ALL, "C");
}

static ks_code parse_nested(size_t depth, bool closed, uint64_t json_depth) {
    ks_context context;
    ks_limits limits = ks_limits_default();
    if (json_depth)
        limits.json_depth = json_depth;
    ks_json *json = NULL;
    char *text = malloc(2 * depth + 1);
    assert_non_null(text);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    ks_context_init(&context, &limits);
    ks_context_budget(&context, 2 * depth);
    ks_code code = parse(&json, &context, text, closed ? 2 * depth : depth);
    free(text);
    release(&context, json);
    return code;
}

static void depth_is_bounded_by_a_limit_only(void **state) {
    (void)state;
    assert_int_equal(parse_nested(5000, true, 0), KS_OK);
    assert_int_equal(parse_nested(20000, true, 0), KS_OK);
    assert_int_equal(parse_nested(20001, true, 0), KS_E_OVER_DEPTH);
    assert_int_equal(parse_nested(1000000, true, 0), KS_E_OVER_DEPTH);
    assert_int_equal(parse_nested(1000000, false, 0), KS_E_OVER_DEPTH);
    assert_int_equal(parse_nested(300000, true, 1000000), KS_OK);
    assert_int_equal(parse_nested(300000, false, 1000000), KS_E_JSON_TRUNCATED);
}

static void values_are_counted(void **state) {
    (void)state;
    ks_limits limits = ks_limits_default();
    limits.json_values = 5;
    ks_context context;
    ks_json *json = NULL;
    ks_context_init(&context, &limits);
    assert_int_equal(parse(&json, &context, "[1, [2], 3]", 11), KS_OK);
    ks_json_free(json);
    assert_int_equal(parse(&json, &context, "[1, [2], 3, 4]", 14), KS_E_OVER_COUNT);
    assert_null(json);
}

static void memory_is_budgeted(void **state) {
    (void)state;
    size_t size = 4000001;
    char *text = malloc(size);
    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        text[i] = i == 0 ? '[' : i == size - 1 ? ']' : i % 2 ? '1' : ',';
    ks_context context;
    ks_json *json = NULL;
    ks_context_init(&context, NULL);
    ks_context_budget(&context, size);
    assert_int_equal(parse(&json, &context, text, size), KS_E_OVER_MEMORY);
    assert_int_equal(context.memory.n_live, 0);
    ks_context_clear(&context);
    context.memory.limit = UINT64_MAX;
    assert_int_equal(parse(&json, &context, text, size), KS_OK);
    assert_int_equal(ks_json_root(json)->as.list.count, 2000000);
    release(&context, json);
    free(text);
}

/// A document of every kind of value, with more members than the short search for duplicates takes.
static char *rich_document(size_t *size) {
    char *text = NULL;
    FILE *file = open_memstream(&text, size);
    assert_non_null(file);
    fputs("{\"list\": [1, 2.5, \"\\u00e9\", null, true, {\"a\": {\"b\": []}, \"a\": 1}], \"many\": {", file);
    for (int i = 0; i < 200; i++)
        fprintf(file, "\"k%d\": %d, ", i % 90, i);
    fputs("\"last\": [[[[]]]]}}", file);
    fclose(file);
    return text;
}

static void every_failing_allocation_is_clean(void **state) {
    (void)state;
    size_t size = 0;
    char *text = rich_document(&size);
    ks_context context;
    uint64_t k = 1;
    for (;; k++) {
        ks_json *json = NULL;
        ks_context_init(&context, NULL);
        context.memory.fail_at = k;
        ks_code code = parse(&json, &context, text, size);
        if (code == KS_OK) {
            release(&context, json);
            break;
        }
        assert_int_equal(code, KS_E_NO_MEMORY);
        assert_null(json);
        assert_int_equal(context.memory.n_live, 0);
    }
    assert_true(k > 5);
    free(text);
}

static void later_duplicates_win_in_the_place_of_the_first(void **state) {
    (void)state;
    size_t size = 0;
    char *text = rich_document(&size);
    ks_context context;
    ks_json *json = NULL;
    ks_context_init(&context, NULL);
    assert_int_equal(parse(&json, &context, text, size), KS_OK);
    const ks_value *many = ks_value_get(ks_json_root(json), "many");
    assert_int_equal(many->as.dict.count, 91);
    for (int i = 0; i < 90; i++) {
        const ks_member *member = &many->as.dict.members[i];
        char key[8];
        snprintf(key, sizeof key, "k%d", i);
        assert_string_equal(member->key.data, key);
        assert_int_equal(member->value.as.integer, i < 20 ? 180 + i : 90 + i);
        assert_int_equal(member->key_offset + strlen(key) + 4, member->value.offset);
        assert_memory_equal(text + member->key_offset + 1, key, strlen(key));
    }
    assert_string_equal(many->as.dict.members[90].key.data, "last");
    assert_string_equal(context.warnings[0].name, "json-duplicate-key");
    assert_int_equal(context.n_warnings, 111);
    release(&context, json);
    free(text);
}

/// A key of each size, once as it is and once with an escape in front: in an object of few members both are one.
static void a_key_and_its_escaped_form_are_equal(void **state) {
    (void)state;
    for (int size = 0; size <= 20; size++) {
        char text[128];
        ks_context context;
        ks_json *json = NULL;
        ks_context_init(&context, NULL);
        int length = snprintf(text, sizeof text, "{\"x\": 0, \"%.*s\": 1, \"%s%.*s\": 2}", size, "abcdefghijklmnopqrst",
                              size > 0 ? "\\u0061" : "", size > 0 ? size - 1 : 0, "bcdefghijklmnopqrst");
        assert_int_equal(parse(&json, &context, text, (size_t)length), KS_OK);
        assert_int_equal(ks_json_root(json)->as.dict.count, 2);
        assert_int_equal(ks_json_root(json)->as.dict.members[1].key.size, size);
        assert_int_equal(ks_json_root(json)->as.dict.members[1].value.as.integer, 2);
        assert_int_equal(context.n_warnings, 1);
        release(&context, json);
    }
}

/// Half a million keys: an attempt to compare each with each would outlast the test's time limit.
static void large_objects_are_not_quadratic(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    fputs("{", file);
    for (int i = 0; i < 500000; i++)
        fprintf(file, "\"key%08d\":%d,", (int)((uint32_t)i * 2654435761u % 400000u), i);
    fputs("\"z\":1}", file);
    fclose(file);
    ks_context context;
    ks_json *json = NULL;
    ks_context_init(&context, NULL);
    context.memory.limit = UINT64_MAX;
    assert_int_equal(parse(&json, &context, text, size), KS_OK);
    assert_true(ks_json_root(json)->as.dict.count <= 400001);
    release(&context, json);
    free(text);
}

static void the_document_outlives_its_bytes(void **state) {
    (void)state;
    char text[] = "{\"name\": \"dense\", \"units\": 64}";
    ks_context context;
    ks_json *json = accept(&context, text);
    memset(text, 'x', sizeof text);
    assert_true(ks_value_is_text(ks_value_get(ks_json_root(json), "name"), "dense"));
    assert_int_equal(ks_value_get(ks_json_root(json), "units")->as.integer, 64);
    release(&context, json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_those_of_the_bytes),
        cmocka_unit_test(offsets_count_bytes_of_wide_documents),
        cmocka_unit_test(failures_say_where),
        cmocka_unit_test(long_places_keep_their_end),
        cmocka_unit_test(numbers_keep_their_text),
        cmocka_unit_test(integers_are_as_long_as_in_python),
        cmocka_unit_test(floats_do_not_depend_on_the_locale),
        cmocka_unit_test(depth_is_bounded_by_a_limit_only),
        cmocka_unit_test(values_are_counted),
        cmocka_unit_test(memory_is_budgeted),
        cmocka_unit_test(every_failing_allocation_is_clean),
        cmocka_unit_test(later_duplicates_win_in_the_place_of_the_first),
        cmocka_unit_test(a_key_and_its_escaped_form_are_equal),
        cmocka_unit_test(large_objects_are_not_quadratic),
        cmocka_unit_test(the_document_outlives_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
