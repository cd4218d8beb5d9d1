// SPDX-License-Identifier: Apache-2.0
//
// A whole model in the older HDF5 form: attributes, config of any generation, lists of names, weights; then its
// description, which walks everything that was loaded.
#include "common/fuzz_common.h"

#include <kassay/model.h>

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_weights(const ks_model *model) {
    for (size_t i = 0; i < ks_model_weight_count(model); i++) {
        ks_model_weight weight = ks_model_weight_at(model, i);
        uint64_t elements;
        ks_fuzz_assert(ks_shape_elements(&weight.tensor.shape, &elements));
        ks_fuzz_assert(weight.tensor.data || elements == 0);
        ks_fuzz_assert(weight.path && weight.name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ks_model *model = NULL;
    ks_context context;
    ks_text text = {NULL, 0};
    ks_code code;
    ks_fuzz_begin(&context, size);
    code = ks_model_load_bytes(&model, &context, (ks_bytes){data, size}, "input.h5", NULL);
    ks_fuzz_check_error(&context, code, SIZE_MAX);
    if (model) {
        check_weights(model);
        code = ks_model_dump(&text, model);
        ks_fuzz_assert_with(&context, code == KS_OK || ks_code_verdict(code) == KS_OVER_LIMIT);
        ks_free(&context, (void *)(uintptr_t)text.data);
    }
    ks_model_free(model);
    ks_fuzz_end(&context, size);
    return 0;
}
