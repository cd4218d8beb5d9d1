// SPDX-License-Identifier: Apache-2.0
//
// Hashing and HashedCrossing.
#include "schema/hashing.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/cast.h"
#include "layers/lookup.h"
#include "ops/fingerprint.h"
#include "schema/broadcast.h"

static int64_t bin_of(const ks_hashing *params, ks_text text) {
    uint64_t bins = (uint64_t)params->num_bins - params->masked;
    uint64_t hash =
        params->salted ? ks_siphash(params->salts, text.data, text.size) : ks_fingerprint64(text.data, text.size);
    return (int64_t)(hash % bins) + params->masked;
}

static void hash_texts(int64_t *out, const ks_hashing *params, const ks_array *input) {
    const ks_text *texts = input->data;
    size_t count = ks_array_elements(input);
    for (size_t i = 0; i < count; i++)
        out[i] = params->masked && ks_text_equal(texts[i], params->mask_value->text) ? 0 : bin_of(params, texts[i]);
}

// As decimal text; other numbers than whole ones are made whole first, when they were compared with the mask.
static ks_code hash_numbers(int64_t *out, ks_run *run, const ks_hashing *params, const ks_array *input) {
    size_t count = ks_array_elements(input);
    bool whole = !ks_dtype_is_floating(input->dtype);
    int64_t *numbers = ks_run_memory(run, count, sizeof(*numbers));
    double *exact = ks_run_memory(run, count, sizeof(*exact));
    char digits[24];
    if (!numbers || !exact)
        return run->context->error.code;
    ks_cast(numbers, KS_INT64, input->data, input->dtype, count);
    ks_cast(exact, KS_FLOAT64, input->data, input->dtype, count);
    for (size_t i = 0; i < count; i++) {
        int64_t mask = params->masked ? params->mask_value->as.integer : 0;
        size_t size = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, numbers[i]);
        bool is_mask = params->masked && (whole ? numbers[i] == mask : exact[i] == (double)mask);
        out[i] = is_mask ? 0 : bin_of(params, (ks_text){digits, size});
    }
    return KS_OK;
}

static ks_code hash_all(int64_t *out, ks_run *run, const ks_hashing *params, const ks_array *input) {
    if (input->dtype != KS_STRING)
        return hash_numbers(out, run, params, input);
    hash_texts(out, params, input);
    return KS_OK;
}

KS_FORWARD(Hashing) {
    const ks_hashing *params = object->params;
    const ks_array *input = ks_call_input(call, object), *result = out->as.array;
    ks_indices bins = {.count = ks_array_elements(input)};
    int64_t *places;
    ks_code code;
    if (params->output_mode == KS_HASHING_INT)
        return hash_all(result->data, run, params, input);
    bins.items = ks_run_memory(run, bins.count, sizeof(*bins.items));
    bins.rows = ks_run_memory(run, bins.count, sizeof(*bins.rows));
    places = ks_run_memory(run, ks_array_elements(result), sizeof(*places));
    if (!bins.items || !bins.rows || !places)
        return run->context->error.code;
    KS_TRY(hash_all(bins.items, run, params, input));
    ks_indices_rows(bins.rows, params->output_mode == KS_HASHING_ONE_HOT, &input->shape, bins.count);
    ks_indices_mark(places, &bins, (size_t)params->num_bins, params->output_mode == KS_HASHING_COUNT);
    ks_cast(result->data, result->dtype, places, KS_INT64, ks_array_elements(result));
done:
    return code;
}

// What TensorFlow's sparse_cross begins with when it is given no key.
#define CROSS_KEY UINT64_C(0xdecafcaffe)

// A string counts as its fingerprint, a number as itself.
static ks_code cross(uint64_t *hashes, ks_run *run, const ks_array *input) {
    size_t count = ks_array_elements(input);
    int64_t *numbers = ks_run_memory(run, count, sizeof(*numbers));
    if (!numbers)
        return run->context->error.code;
    if (input->dtype != KS_STRING)
        ks_cast(numbers, KS_INT64, input->data, input->dtype, count);
    for (size_t i = 0; i < count; i++) {
        const ks_text *text = input->dtype == KS_STRING ? &((const ks_text *)input->data)[i] : NULL;
        uint64_t feature = text ? ks_fingerprint64(text->data, text->size) : (uint64_t)numbers[i];
        hashes[i] = ks_fingerprint_pair(hashes[i], feature);
    }
    return KS_OK;
}

KS_FORWARD(HashedCrossing) {
    const ks_hashed_crossing *params = object->params;
    const ks_array *result = out->as.array;
    ks_array *inputs[KS_MAX_CROSSED];
    size_t n_inputs = ks_crossed_inputs(inputs, KS_MAX_CROSSED, call, object);
    size_t count = n_inputs ? ks_array_elements(inputs[0]) : 0, bins = (size_t)params->num_bins;
    uint64_t *hashes = ks_run_memory(run, count, sizeof(*hashes));
    int64_t *places = ks_run_memory(run, ks_array_elements(result), sizeof(*places));
    ks_code code = KS_OK;
    if (!n_inputs || !hashes || !places)
        return run->context->error.code;
    for (size_t i = 0; i < count; i++)
        hashes[i] = CROSS_KEY;
    for (size_t i = 0; i < n_inputs; i++)
        KS_TRY(cross(hashes, run, inputs[i]));
    for (size_t i = 0; i < count; i++)
        if (params->output_mode == KS_HASHING_INT)
            places[i] = (int64_t)(hashes[i] % bins);
        else
            places[i * bins + hashes[i] % bins] = 1;
    ks_cast(result->data, result->dtype, places, KS_INT64, ks_array_elements(result));
done:
    return code;
}
