// SPDX-License-Identifier: Apache-2.0
//
// A whole model in the older HDF5 form by both roads. The library road sees it only when the strict road accepted every
// object, attribute and element of the file; then it accepts the model too, with the same bytes of every weight.
#include "common/fuzz_common.h"

#include "runner/road_compare.h"
#include <kassay/hdf5.h>
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

/// Whether cJSON keeps of a config all that tells one model from another. Where it does not (two equal keys, a NUL in a
/// string, an integer that becomes a float, ...) the table of differences has a row, and the models may differ.
static bool same_config(ks_text config) {
    ks_context context;
    ks_roads_result result;
    ks_context_init(&context, NULL);
    ks_bytes bytes = {(const uint8_t *)config.data, config.size};
    ks_code code = ks_roads_compare_json(&result, &context, NULL, bytes);
    ks_fuzz_assert_with(&context, code == KS_OK);
    ks_fuzz_assert(result.outcome != KS_ROADS_DIFFER);
    for (size_t i = 0; i < result.n_rows; i++)
        if (result.rows[i]->id != KS_DIFFERENCE_JSON_NUMBER_FORM)
            return false;
    return true;
}

static bool same_config_in(ks_bytes bytes) {
    ks_context context;
    ks_hdf5 *file = NULL;
    const ks_text *texts = NULL;
    size_t count = 0;
    ks_context_init(&context, NULL);
    ks_code code = ks_hdf5_open(&file, &context, bytes, KS_ROAD_STRICT);
    if (code == KS_OK)
        code = ks_hdf5_attribute_text(&texts, &count, file, ks_hdf5_root(file), "model_config");
    ks_fuzz_assert_with(&context, code == KS_OK && count == 1); // the model was loaded from it
    bool same = same_config(texts[0]);
    ks_hdf5_close(file);
    return same;
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
    if (code == KS_OK && ks_model_load_bytes(&strict, &first, bytes, "input.h5", &options) == KS_OK &&
        same_config_in(bytes)) {
        options.road = KS_ROAD_LIBRARY;
        code = ks_model_load_bytes(&library, &second, bytes, "input.h5", &options);
        bool no_memory = code == KS_E_OVER_MEMORY || code == KS_E_NO_MEMORY; // the row "hdf5-memory"
        if (code != KS_OK)
            fprintf(stderr, "the library road refuses it at %s: %s\n", second.error.place, second.error.message);
        ks_fuzz_assert(code == KS_OK || (no_memory && first.memory.peak * 4 >= first.memory.limit));
        if (code == KS_OK)
            compare(strict, library);
    }
    ks_model_free(strict);
    ks_model_free(library);
    ks_fuzz_end(&first, size);
    ks_fuzz_end(&second, size);
    return 0;
}
