// SPDX-License-Identifier: Apache-2.0
//
// The strict JSON reader and the writer: parse, write, parse again. What is read back is equal; what is written a
// second time is the same text, in every style.
#include "common/fuzz_common.h"

#include <kassay/json.h>

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/// Every offset lies in the document, children behind their parents, and all text ends with a NUL.
static void check_value(const ks_value *value, uint64_t from, size_t size, unsigned depth) {
    ks_fuzz_assert(value->offset >= from && value->offset < size);
    if (value->type == KS_VALUE_STRING || value->type == KS_VALUE_INT || value->type == KS_VALUE_FLOAT)
        ks_fuzz_assert(value->text.data[value->text.size] == 0);
    if (depth == 1000)
        return; // deeper ones would only try this function's own stack
    if (value->type == KS_VALUE_LIST)
        for (size_t i = 0; i < value->as.list.count; i++)
            check_value(&value->as.list.items[i], value->offset + 1, size, depth + 1);
    if (value->type == KS_VALUE_DICT) {
        for (size_t i = 0; i < value->as.dict.count; i++) {
            const ks_member *member = &value->as.dict.members[i];
            ks_fuzz_assert(member->key.data[member->key.size] == 0);
            ks_fuzz_assert(member->key_offset > value->offset && member->key_offset < member->value.offset);
            check_value(&member->value, member->key_offset + 1, size, depth + 1);
        }
    }
}

/// Writes `value`, reads the text, and writes that again: `same_value` asks for equal values too.
static void check_written(ks_context *context, const ks_value *value, ks_json_style style, bool same_value) {
    ks_text first = {NULL, 0};
    ks_text second = {NULL, 0};
    ks_json *again = NULL;
    if (ks_json_write(&first, context, value, style) != KS_OK)
        return; // over the budget
    ks_bytes bytes = {(const uint8_t *)first.data, first.size};
    if (ks_json_parse(&again, context, bytes, KS_ROAD_STRICT) == KS_OK) {
        ks_fuzz_assert(!same_value || ks_value_equal(value, ks_json_root(again)));
        if (ks_json_write(&second, context, ks_json_root(again), style) == KS_OK)
            ks_fuzz_assert(ks_text_equal(first, second));
    }
    ks_fuzz_assert_with(context, context->error.code == KS_OK || context->error.code == KS_E_OVER_MEMORY);
    ks_json_free(again);
    ks_free(context, (void *)(uintptr_t)second.data);
    ks_free(context, (void *)(uintptr_t)first.data);
    ks_context_clear(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ks_context context;
    ks_json *json = NULL;
    ks_fuzz_begin(&context, size);
    ks_code code = ks_json_parse(&json, &context, (ks_bytes){data, size}, KS_ROAD_STRICT);
    ks_fuzz_check_error(&context, code, size);
    ks_fuzz_assert((code == KS_OK) == (json != NULL));
    if (json) {
        const ks_value *root = ks_json_root(json);
        check_value(root, 0, size, 0);
        ks_context_clear(&context);
        check_written(&context, root, (ks_json_style){0, false}, true);
        // Escaped, two surrogates that only stood side by side become one character.
        check_written(&context, root, (ks_json_style){2, true}, false);
        ks_json_free(json);
    }
    ks_fuzz_end(&context, size);
    return 0;
}
