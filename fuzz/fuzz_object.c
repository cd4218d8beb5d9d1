// SPDX-License-Identifier: Apache-2.0
//
// One object: read, written, read again. What was written is a record of Keras 3 that is accepted, of the same class,
// and written again it is the same text. The number of blanks behind the document chooses the kind of object that a
// bare name, or a record without a module, stands for.
#include "common/fuzz_common.h"

#include <kassay/object.h>

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM ((uint64_t)512 << 20) ///< bytes for an object and what is written of it

static const char *const kinds[] = {
    NULL,     "layer",     "model", "initializer", "regularizer", "constraint",
    "policy", "optimizer", "loss",  "metric",      "schedule",
};

#define N_KINDS (sizeof kinds / sizeof kinds[0])

static const char *chosen_kind(const uint8_t *data, size_t size) {
    size_t n_blanks = 0;
    while (n_blanks < size && (data[size - 1 - n_blanks] == ' ' || data[size - 1 - n_blanks] == '\n'))
        n_blanks++;
    return kinds[n_blanks % N_KINDS];
}

static bool is_over_limit(ks_code code) {
    return ks_code_verdict(code) == KS_OVER_LIMIT;
}

/// Old classes and functions have no record in Keras 3, and some of their keys no word.
static bool write(ks_text *out, ks_context *context, const ks_instance *instance) {
    ks_code code = ks_serialize(out, instance);
    ks_fuzz_assert_with(context,
                        code == KS_OK || code == KS_E_SAVE_NO_WORD || code == KS_E_SAVE_LOSS || is_over_limit(code));
    return code == KS_OK;
}

/// In the words of Keras 2 what can be said is text, what cannot is told.
static void write_keras2(ks_context *context, const ks_instance *instance) {
    ks_text text = {NULL, 0};
    ks_code code = ks_serialize_as(&text, instance, KS_DIALECT_KERAS2);
    ks_fuzz_assert_with(context, (code == KS_OK) == (text.data != NULL));
    ks_free(context, (void *)(uintptr_t)text.data);
}

static void read_again(ks_context *context, const ks_instance *instance, ks_text first) {
    ks_object_options options = {.dialect = KS_DIALECT_KERAS3};
    ks_bytes bytes = {(const uint8_t *)first.data, first.size};
    ks_instance *again = NULL;
    ks_text second = {NULL, 0};
    ks_code code = ks_deserialize(&again, context, bytes, &options);
    ks_fuzz_assert_with(context, code == KS_OK || is_over_limit(code));
    if (again) {
        ks_fuzz_assert(strcmp(ks_instance_class(instance), ks_instance_class(again)) == 0);
        ks_fuzz_assert(strcmp(ks_instance_kind(instance), ks_instance_kind(again)) == 0);
        if (write(&second, context, again))
            ks_fuzz_assert(ks_text_equal(first, second));
    }
    ks_free(context, (void *)(uintptr_t)second.data);
    ks_instance_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ks_object_options options = {.dialect = KS_DIALECT_AUTO, .kind = chosen_kind(data, size)};
    ks_instance *instance = NULL;
    ks_context context;
    ks_text first = {NULL, 0};
    ks_fuzz_begin(&context, size);
    ks_code code = ks_deserialize(&instance, &context, (ks_bytes){data, size}, &options);
    ks_fuzz_check_error(&context, code, SIZE_MAX);
    ks_fuzz_assert((code == KS_OK) == (instance != NULL));
    if (instance) {
        context.memory.limit = ROOM;
        write_keras2(&context, instance);
        if (write(&first, &context, instance))
            read_again(&context, instance, first);
    }
    ks_free(&context, (void *)(uintptr_t)first.data);
    ks_instance_free(instance);
    ks_fuzz_assert_with(&context, context.memory.n_live == 0);
    return 0;
}
