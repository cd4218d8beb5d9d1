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

// What of cumulated weights belongs to `x`, as numpy.interp has it.
static double interpolated(double x, const double *weights, const ks_real *values, size_t count) {
    size_t low = 0, high = count;
    double slope, result;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (x < weights[middle])
            high = middle;
        else
            low = middle + 1;
    }
    if (low == 0)
        return (double)values[0];
    if (low == count || weights[low - 1] == x)
        return (double)values[low - 1];
    slope = ((double)values[low] - (double)values[low - 1]) / (weights[low] - weights[low - 1]);
    result = slope * (x - weights[low - 1]) + (double)values[low - 1];
    if (result != result)
        result = slope * (x - weights[low]) + (double)values[low];
    return result != result && values[low] == values[low - 1] ? (double)values[low] : result;
}

// Keras 2: the boundaries are those values of the summary below which equal parts of all weights are.
static ks_code boundaries_of(ks_numbers *out, ks_run *run, const ks_object *object) {
    const ks_discretization *params = object->params;
    const ks_variable *summary = object->other_variables;
    const ks_real *values = ks_variable_real(summary);
    size_t n_values = (size_t)summary->shape.dims[1], count = ks_discretization_boundaries(params, summary);
    double *items = ks_run_memory(run, count + 1, sizeof *items), step = 1.0 / (double)params->num_bins;
    double *weights = ks_run_memory(run, n_values + 1, sizeof *weights);
    bool few = (double)n_values * step < 1;
    float total = 0;
    if (!items || !weights)
        return run->context->error.code;
    for (size_t i = 0; i < n_values; i++) {
        total += (float)values[n_values + i];
        weights[i] = (double)total;
    }
    for (size_t i = 0; i < n_values; i++)
        weights[i] = (double)((float)weights[i] / total);
    for (size_t i = 0; i < count; i++) {
        double item = few ? (double)values[i] : interpolated(step + (double)i * step, weights, values, n_values);
        items[i] = (double)(float)item;
        if (items[i] != items[i] || (i > 0 && items[i] < items[i - 1]))
            return ks_fail(run->context, KS_E_CONFIG_UNSUPPORTED_VALUE, KS_STAGE_RUN, KS_NO_OFFSET, object->place,
                           "boundary %zu of the summary is %s", i,
                           items[i] != items[i] ? "not a number" : "below the one before it");
    }
    *out = (ks_numbers){.items = items, .count = count, .shape = {1, {(int64_t)count}}};
    return KS_OK;
}

KS_FORWARD(Discretization) {
    const ks_discretization *params = object->params;
    const ks_array *input = ks_call_input(call, object), *result = out->as.array;
    size_t depth, count = ks_array_elements(input), group = 1, after = 1, *bins;
    ks_numbers boundaries = params->bin_boundaries;
    ks_real *y = ks_reals(result);
    ks_code code;
    if (object->other_variables)
        KS_TRY(boundaries_of(&boundaries, run, object));
    depth = boundaries.count + 1;
    KS_TRY(find_bins(&bins, run, input, &boundaries));
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
