// SPDX-License-Identifier: Apache-2.0
//
// Rescaling, Normalization and Discretization.
#include "schema/preprocessing.h"

#include <string.h>

#include "layers/layer.h"
#include "ops/strided.h"
#include "schema/broadcast.h"

// `values`, of this shape, repeated beside every element of `like`.
static ks_real *spread(ks_run *run, const ks_real *values, const ks_shape *shape, const ks_array *like) {
    ks_real *out = ks_run_memory(run, ks_array_elements(like), sizeof(*out));
    if (out)
        ks_broadcast_to(out, &like->shape, values, shape, sizeof(*out));
    return out;
}

// Numbers of the config. A Python number is a float to TensorFlow, also where the arithmetic is double.
static ks_real *spread_numbers(ks_run *run, const ks_numbers *numbers, bool is_array, const ks_shape *shape,
                               const ks_array *like) {
    ks_real *values = ks_run_memory(run, numbers->count, sizeof(*values));
    for (size_t i = 0; values && i < numbers->count; i++)
        values[i] = is_array ? (ks_real)numbers->items[i] : (ks_real)(float)numbers->items[i];
    return values ? spread(run, values, shape, like) : NULL;
}

KS_FORWARD(Rescaling) {
    const ks_rescaling *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    ks_real *scale = spread_numbers(run, &params->scale, params->scale_is_array, &params->scale.shape, input);
    ks_real *offset = spread_numbers(run, &params->offset, params->offset_is_array, &params->offset.shape, input);
    ks_real *result = ks_reals(out->as.array);
    size_t count = ks_array_elements(input);
    if (!x || !scale || !offset)
        return run->context->error.code;
    for (size_t i = 0; i < count; i++)
        result[i] = x[i] * scale[i] + offset[i];
    return KS_OK;
}

// mean and variance beside every element of the input.
static ks_code statistics(ks_run *run, const ks_object *object, const ks_array *input, ks_real **mean,
                          ks_real **variance) {
    const ks_normalization *params = object->params;
    ks_shape shape = ks_normalization_shape(params, &input->shape);
    if (params->mean.items) {
        ks_normalization_constant_shape(&shape, params, &input->shape);
        *mean = spread_numbers(run, &params->mean, false, &shape, input);
        *variance = spread_numbers(run, &params->variance, false, &shape, input);
    } else {
        *mean = spread(run, ks_variable_real(ks_variable_at(object, 0)), &shape, input);
        *variance = spread(run, ks_variable_real(ks_variable_at(object, 1)), &shape, input);
    }
    return *mean && *variance ? KS_OK : run->context->error.code;
}

KS_FORWARD(Normalization) {
    const ks_normalization *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    ks_real *result = ks_reals(out->as.array);
    size_t count = ks_array_elements(input);
    ks_real *mean, *variance;
    ks_code code;
    if (!x)
        return run->context->error.code;
    KS_TRY(statistics(run, object, input, &mean, &variance));
    for (size_t i = 0; i < count; i++) {
        ks_real deviation = KS_MATH(sqrt)(variance[i]);
        if (deviation < KS_C(1e-7))
            deviation = KS_C(1e-7);
        result[i] = params->invert ? mean[i] + x[i] * deviation : (x[i] - mean[i]) / deviation;
    }
done:
    return code;
}

// How many boundaries are at or below `x`; NaN is above all of them.
static size_t bin_of(ks_real x, const ks_numbers *boundaries) {
    size_t low = 0, high = boundaries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (x < (ks_real)(float)boundaries->items[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

// Integers are compared as floats, whatever the numbers of the model are.
static ks_code find_bins(size_t **out, ks_run *run, const ks_array *input, const ks_numbers *boundaries) {
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    bool whole = !ks_dtype_is_floating(input->dtype);
    size_t count = ks_array_elements(input);
    size_t *bins = x ? ks_run_memory(run, count, sizeof(*bins)) : NULL;
    for (size_t i = 0; bins && i < count; i++)
        bins[i] = bin_of(whole ? (ks_real)(float)x[i] : x[i], boundaries);
    *out = bins;
    return bins ? KS_OK : run->context->error.code;
}

static void write_bins(const ks_array *result, const size_t *bins) {
    size_t count = ks_array_elements(result);
    for (size_t i = 0; i < count; i++)
        if (result->dtype == KS_INT32)
            ((int32_t *)result->data)[i] = (int32_t)bins[i];
        else
            ((int64_t *)result->data)[i] = (int64_t)bins[i];
}

KS_FORWARD(Discretization) {
    const ks_discretization *params = object->params;
    const ks_array *input = ks_call_input(call, object), *result = out->as.array;
    size_t depth = params->bin_boundaries.count + 1, count = ks_array_elements(input), group = 1, after = 1, *bins;
    ks_real *y = ks_reals(result);
    ks_code code;
    KS_TRY(find_bins(&bins, run, input, &params->bin_boundaries));
    if (params->output_mode == KS_BINS_INT) {
        write_bins(result, bins);
        return KS_OK;
    }
    if (params->output_mode != KS_BINS_ONE_HOT)
        group = (size_t)input->shape.dims[1];
    for (int i = 2; group > 1 && i < input->shape.rank; i++)
        after *= (size_t)input->shape.dims[i];
    memset(y, 0, ks_array_elements(result) * sizeof(*y));
    for (size_t i = 0; i < count; i++) { // what goes away are `group` rows of `after` elements
        ks_real *to = &y[(i / (group * after) * after + i % after) * depth + bins[i]];
        *to = params->output_mode == KS_BINS_COUNT ? *to + 1 : 1;
    }
done:
    return code;
}
