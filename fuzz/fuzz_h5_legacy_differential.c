// SPDX-License-Identifier: Apache-2.0
//
// A whole model in the older HDF5 form by both roads. The library road sees it only when the strict road accepted every
// object, attribute and element of the file; then it accepts the model too, with the same bytes of every weight.
#include "common/fuzz_common.h"

#include <kassay/model.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/// libhdf5 takes seconds over a dataset of very many tiny chunks; larger ones tell nothing more.
#define MOST_ELEMENTS ((uint64_t)1 << 14)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const ks_model *strict, const ks_model *library) {
    ks_fuzz_assert(ks_model_weight_count(strict) == ks_model_weight_count(library));
    for (size_t i = 0; i < ks_model_weight_count(strict); i++) {
        ks_model_weight a = ks_model_weight_at(strict, i), b = ks_model_weight_at(library, i);
        ks_fuzz_assert(strcmp(a.path, b.path) == 0 && a.tensor.dtype == b.tensor.dtype);
        ks_fuzz_assert(ks_shape_equal(&a.tensor.shape, &b.tensor.shape) && a.tensor.size == b.tensor.size);
        ks_fuzz_assert(a.tensor.size == 0 || memcmp(a.tensor.data, b.tensor.data, a.tensor.size) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ks_model_options options = {.road = KS_ROAD_STRICT, .format = "h5-legacy", .check_only = true};
    ks_bytes bytes = {data, size};
    ks_model *strict = NULL, *library = NULL;
    ks_context first, second;
    ks_fuzz_begin(&first, size);
    ks_fuzz_begin(&second, size);
    first.limits.tensor_elements = second.limits.tensor_elements = MOST_ELEMENTS;
    ks_code code = ks_model_load_bytes(&strict, &first, bytes, "input.h5", &options);
    ks_model_free(strict);
    strict = NULL;
    options.check_only = false;
    if (code == KS_OK && ks_model_load_bytes(&strict, &first, bytes, "input.h5", &options) == KS_OK) {
        options.road = KS_ROAD_LIBRARY;
        code = ks_model_load_bytes(&library, &second, bytes, "input.h5", &options);
        if (code != KS_OK)
            fprintf(stderr, "the library road refuses it at %s: %s\n", second.error.place, second.error.message);
        ks_fuzz_assert(code == KS_OK);
        compare(strict, library);
    }
    ks_model_free(strict);
    ks_model_free(library);
    ks_fuzz_end(&first, size);
    ks_fuzz_end(&second, size);
    return 0;
}
