// SPDX-License-Identifier: Apache-2.0
//
// The strict JSON reader gives every document the verdict and the value that Python's json.loads gives it. The table
// was written by make_json_table.py.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kassay/json.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *data;
    size_t size;
    const char *value; // NULL: refused
} documents[] = {
#define DOCUMENT(data, size, value) {data, size, value},
#include "json_table.inc"
#undef DOCUMENT
};

typedef struct buffer {
    char *data;
    size_t size;
} buffer;

static void add(buffer *to, const char *data, size_t size) {
    to->data = realloc(to->data, to->size + size + 1);
    assert_non_null(to->data);
    memcpy(to->data + to->size, data, size);
    to->size += size;
    to->data[to->size] = 0;
}

static void add_string(buffer *to, ks_text text) {
    add(to, "s", 1);
    for (size_t i = 0; i < text.size; i++) {
        char hex[3];
        snprintf(hex, sizeof hex, "%02x", (uint8_t)text.data[i]);
        add(to, hex, 2);
    }
    add(to, ";", 1);
}

static void add_number(buffer *to, const ks_value *value) {
    char text[64];
    if (value->type == KS_VALUE_INT && !value->fits) {
        add(to, "i", 1);
        add(to, value->text.data, value->text.size);
        add(to, ";", 1);
        return;
    }
    uint64_t bits;
    memcpy(&bits, &value->as.number, sizeof bits);
    if (value->type == KS_VALUE_INT)
        snprintf(text, sizeof text, "i%" PRId64 ";", value->as.integer);
    else if (value->as.number != value->as.number)
        snprintf(text, sizeof text, "dnan;");
    else
        snprintf(text, sizeof text, "d%016" PRIx64 ";", bits);
    add(to, text, strlen(text));
}

static void add_value(buffer *to, const ks_value *value) {
    switch (value->type) {
    case KS_VALUE_NULL:
        add(to, "n", 1);
        break;
    case KS_VALUE_BOOL:
        add(to, value->as.boolean ? "t" : "F", 1);
        break;
    case KS_VALUE_INT:
    case KS_VALUE_FLOAT:
        add_number(to, value);
        break;
    case KS_VALUE_STRING:
        add_string(to, value->text);
        break;
    case KS_VALUE_LIST:
        add(to, "[", 1);
        for (size_t i = 0; i < value->as.list.count; i++)
            add_value(to, &value->as.list.items[i]);
        add(to, "]", 1);
        break;
    case KS_VALUE_DICT:
        add(to, "{", 1);
        for (size_t i = 0; i < value->as.dict.count; i++) {
            add_string(to, value->as.dict.members[i].key);
            add_value(to, &value->as.dict.members[i].value);
        }
        add(to, "}", 1);
        break;
    }
}

/// Reads the document from memory that ends with it; true when the answer is Python's.
static bool answer_is_right(size_t index) {
    ks_context context;
    ks_json *json = NULL;
    size_t size = documents[index].size;
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, documents[index].data, size);
    ks_context_init(&context, NULL);
    ks_code code = ks_json_parse(&json, &context, (ks_bytes){copy, size}, KS_ROAD_STRICT);
    free(copy);
    buffer got = {NULL, 0};
    if (json)
        add_value(&got, ks_json_root(json));
    ks_json_free(json);
    assert_int_equal(context.memory.n_live, 0);
    const char *expected = documents[index].value;
    bool right = expected ? code == KS_OK && strcmp(got.data, expected) == 0
                          : code != KS_OK && ks_code_verdict(code) == KS_MALFORMED && context.error.offset <= size;
    if (!right)
        print_message("document %zu: %.200s\n  expected %s\n  got %s %s\n", index, documents[index].data,
                      expected ? expected : "a refusal", ks_code_name(code), got.data ? got.data : "");
    free(got.data);
    return right;
}

static void same_answers_as_python(void **state) {
    (void)state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        n_wrong += !answer_is_right(i);
    assert_int_equal(n_wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_answers_as_python)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
