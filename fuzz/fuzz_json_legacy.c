// SPDX-License-Identifier: Apache-2.0
//
// An architecture of Keras 1 or 2 as JSON, read as each generation would: upgraded, wired, built; what is accepted can
// be described, twice the same.
#include "common/fuzz_common.h"

#include <kassay/model.h>

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as(ks_dialect dialect, ks_bytes bytes) {
    ks_model_options options = {.format = "json-legacy", .dialect = dialect};
    ks_model *model = NULL;
    ks_context context;
    ks_text first = {0}, second = {0};
    ks_code code;
    ks_fuzz_begin(&context, bytes.size);
    code = ks_model_load_bytes(&model, &context, bytes, "input.json", &options);
    ks_fuzz_check_error(&context, code, SIZE_MAX);
    if (model && ks_model_dump(&first, model) == KS_OK && ks_model_dump(&second, model) == KS_OK)
        ks_fuzz_assert(ks_text_equal(first, second));
    ks_free(&context, (void *)(uintptr_t)first.data);
    ks_free(&context, (void *)(uintptr_t)second.data);
    ks_model_free(model);
    ks_fuzz_end(&context, bytes.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_as(KS_DIALECT_KERAS1, (ks_bytes){data, size});
    read_as(KS_DIALECT_KERAS2, (ks_bytes){data, size});
    return 0;
}
