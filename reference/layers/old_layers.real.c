// SPDX-License-Identifier: Apache-2.0
//
// ThresholdedReLU, LocallyConnected1D and 2D, MaxoutDense, Highway, SReLU, ParametricSoftplus, SampleNormalization,
// CosineMerge: layers of Keras 1 and 2 only.
#include "schema/old_layers.h"

#include <string.h>

#include "layers/layer.h"
#include "ops/activation.h"
#include "ops/product.h"
#include "ops/window_span.h"
#include "schema/key_row.h"
#include "schema/merging.h"

static const ks_real *input_of(ks_run *run, ks_call *call, ks_object *object, const ks_array **array) {
    *array = ks_call_input(call, object);
    return *array ? KS_REAL(ks_as_real)(run, *array) : NULL;
}

// x times 0 or 1, so that what is not finite becomes NaN.
KS_FORWARD(ThresholdedReLU) {
    const ks_thresholded_relu *params = object->params;
    const ks_array *input;
    const ks_real *x = input_of(run, call, object, &input);
    ks_real theta = KS_C(params->theta), *y = ks_reals(out->as.array);
    if (!x)
        return run->context->error.code;
    for (size_t i = 0; i < ks_array_elements(input); i++)
        y[i] = x[i] * (x[i] > theta ? KS_C(1) : KS_C(0));
    return KS_OK;
}

// --- locally connected ----------------------------------------------------------------------------------------------

typedef struct local_run {
    const ks_locally_connected *params;
    ks_window window;
    const ks_real *kernel;
    size_t channels, filters, places, elements; ///< places of the result, elements of the input's spatial axes
    size_t taps;
    bool channels_first;
    size_t *starts; ///< third implementation: connections of all places before this one
} local_run;

// The weight between channel c of an input element and filter f of a place; `n` counts the place's connected elements
// and `tap` its taps.
static ks_real weight(const local_run *l, size_t place, size_t connected, size_t n, size_t tap, size_t element,
                      size_t c, size_t f) {
    if (l->params->implementation == 1) {
        size_t column = l->channels_first ? c * l->taps + tap : tap * l->channels + c;
        return l->kernel[(place * l->taps * l->channels + column) * l->filters + f];
    }
    if (l->params->implementation == 2) {
        if (l->channels_first)
            return l->kernel[((c * l->elements + element) * l->filters + f) * l->places + place];
        return l->kernel[((element * l->channels + c) * l->places + place) * l->filters + f];
    }
    if (l->channels_first) {
        size_t before = f * l->starts[l->places] + l->starts[place];
        return l->kernel[before * l->channels + c * connected + n];
    }
    return l->kernel[(l->starts[place] * l->filters + f * connected) * l->channels + n * l->channels + c];
}

static size_t connected_at(const ks_position *at) {
    size_t count = 1;
    for (int i = 0; i < KS_SPATIAL; i++)
        count *= (size_t)(at->span[i].last > at->span[i].first ? at->span[i].last - at->span[i].first : 0);
    return count;
}

static ks_code count_connections(local_run *l, ks_run *run) {
    size_t place = 0;
    l->starts = ks_run_memory(run, l->places + 1, sizeof(*l->starts));
    if (!l->starts)
        return run->context->error.code;
    KS_EACH_POSITION(&l->window) {
        ks_position at = ks_position_at(&l->window, o0, o1, o2);
        l->starts[place + 1] = l->starts[place] + connected_at(&at);
        place++;
    }
    return KS_OK;
}

static ks_real local_sum(const local_run *l, const ks_position *at, const ks_real *x, size_t place, size_t f) {
    size_t connected = connected_at(at), n = 0;
    ks_real sum = 0;
    KS_EACH_TAP(at) {
        size_t element = ks_element_index(at, k0, k1, k2), tap = ks_tap_index(at, k0, k1, k2);
        for (size_t c = 0; c < l->channels; c++) {
            ks_real value = l->channels_first ? x[c * l->elements + element] : x[element * l->channels + c];
            sum += value * weight(l, place, connected, n, tap, element, c, f);
        }
        n++;
    }
    return sum;
}

static ks_code run_local(ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    const ks_locally_connected *params = object->params;
    const ks_array *input, *result = out->as.array;
    const ks_real *x = input_of(run, call, object, &input);
    const ks_variable *bias = ks_variable_named(object, "bias");
    ks_window_rule rule = ks_convolution_rule(&params->convolution);
    local_run l = {.params = params};
    ks_real *y = ks_reals(result);
    size_t batch = (size_t)input->shape.dims[0];
    ks_code code;
    if (!x)
        return run->context->error.code;
    l.window = ks_local_window(params, &input->shape, &result->shape);
    l.kernel = ks_variable_real(ks_variable_at(object, 0));
    l.channels_first = rule.channels_first;
    l.channels = (size_t)input->shape.dims[ks_channel_axis(&input->shape, rule.channels_first)];
    l.filters = (size_t)params->convolution.filters;
    l.places = ks_window_volume(l.window.out);
    l.elements = ks_window_volume(l.window.in);
    l.taps = ks_window_volume(l.window.kernel);
    KS_TRY(count_connections(&l, run));
    for (size_t b = 0; b < batch; b++) {
        size_t place = 0;
        KS_EACH_POSITION(&l.window) {
            ks_position at = ks_position_at(&l.window, o0, o1, o2);
            for (size_t f = 0; f < l.filters; f++) {
                size_t to = l.channels_first ? f * l.places + place : place * l.filters + f;
                ks_real sum = local_sum(&l, &at, x + b * l.elements * l.channels, place, f);
                // The bias of channels that come first is taken as it lies in memory, not turned.
                y[b * l.places * l.filters + to] = sum + (bias ? ks_variable_real(bias)[to] : 0);
            }
            place++;
        }
    }
    KS_TRY(KS_REAL(ks_activate)(run, &params->convolution.activation, y, y, &result->shape));
done:
    return code;
}

KS_FORWARD(LocallyConnected1D) {
    return run_local(run, call, object, out);
}
KS_FORWARD(LocallyConnected2D) {
    return run_local(run, call, object, out);
}

// --- dense ----------------------------------------------------------------------------------------------------------

KS_FORWARD(MaxoutDense) {
    const ks_old_dense *params = object->params;
    const ks_array *input;
    const ks_real *x = input_of(run, call, object, &input), *kernel = ks_variable_real(ks_variable_at(object, 0));
    const ks_real *bias = params->use_bias ? ks_variable_real(ks_variable_at(object, 1)) : NULL;
    size_t rows = (size_t)input->shape.dims[0], inner = (size_t)input->shape.dims[1], units = (size_t)params->units;
    ks_real *y = ks_reals(out->as.array), *one = ks_run_memory(run, rows * units, sizeof(*one));
    if (!x || !one)
        return run->context->error.code;
    for (size_t f = 0; f < (size_t)params->nb_feature; f++) {
        KS_REAL(ks_matmul)(f ? one : y, x, kernel + f * inner * units, bias ? bias + f * units : NULL, rows, inner,
                           units);
        for (size_t i = 0; f && i < rows * units; i++)
            y[i] = one[i] > y[i] || one[i] != one[i] ? one[i] : y[i];
    }
    return KS_OK;
}

KS_FORWARD(Highway) {
    const ks_old_dense *params = object->params;
    const ks_array *input;
    const ks_real *x = input_of(run, call, object, &input);
    size_t rows = (size_t)input->shape.dims[0], width = (size_t)input->shape.dims[1];
    ks_real *y = ks_reals(out->as.array), *carry = ks_run_memory(run, rows * width, sizeof(*carry));
    ks_code code;
    if (!x || !carry)
        return run->context->error.code;
    KS_REAL(ks_matmul)(carry, x, ks_variable_real(ks_variable_at(object, 1)),
                       params->use_bias ? ks_variable_real(ks_variable_at(object, 3)) : NULL, rows, width, width);
    KS_REAL(ks_matmul)(y, x, ks_variable_real(ks_variable_at(object, 0)),
                       params->use_bias ? ks_variable_real(ks_variable_at(object, 2)) : NULL, rows, width, width);
    KS_TRY(KS_REAL(ks_activate)(run, &params->activation, y, y, &input->shape));
    for (size_t i = 0; i < rows * width; i++) {
        ks_real transform = KS_REAL(ks_sigmoid)(carry[i]);
        y[i] = y[i] * transform + (1 - transform) * x[i];
    }
done:
    return code;
}

// --- elementwise ----------------------------------------------------------------------------------------------------

static ks_real positive(ks_real x) {
    return x < 0 ? 0 : x;
}

// Between the thresholds the identity, outside of them straight lines of their own slopes.
KS_FORWARD(SReLU) {
    const ks_array *input;
    const ks_real *x = input_of(run, call, object, &input);
    const ks_real *v[4];
    ks_real *y = ks_reals(out->as.array);
    size_t count, per_sample;
    if (!x)
        return run->context->error.code;
    for (size_t i = 0; i < 4; i++)
        v[i] = ks_variable_real(ks_variable_at(object, i));
    count = ks_array_elements(input);
    per_sample = input->shape.dims[0] ? count / (size_t)input->shape.dims[0] : 1;
    for (size_t i = 0; i < count; i++) {
        size_t k = i % per_sample;
        ks_real left = v[0][k], span = KS_MATH(fabs)(v[2][k]), right = left + span;
        ks_real middle = positive(x[i] - left), most = right - left;
        middle = middle > most ? most : middle;
        middle -= v[1][k] * positive(-(x[i] - left));
        y[i] = left + middle + positive(x[i] - right) * v[3][k];
    }
    return KS_OK;
}

KS_FORWARD(ParametricSoftplus) {
    const ks_array *input;
    const ks_real *x = input_of(run, call, object, &input);
    const ks_real *alpha = ks_variable_real(ks_variable_at(object, 0));
    const ks_real *beta = ks_variable_real(ks_variable_at(object, 1));
    ks_real *y = ks_reals(out->as.array);
    size_t count, per_sample;
    if (!x)
        return run->context->error.code;
    count = ks_array_elements(input);
    per_sample = input->shape.dims[0] ? count / (size_t)input->shape.dims[0] : 1;
    for (size_t i = 0; i < count; i++)
        y[i] = beta[i % per_sample] * x[i];
    KS_REAL(ks_activation_apply)(KS_ACTIVATION_SOFTPLUS, y, y, count, 1);
    for (size_t i = 0; i < count; i++)
        y[i] *= alpha[i % per_sample];
    return KS_OK;
}

// Epsilon counts twice: below the root and beside it.
KS_FORWARD(SampleNormalization) {
    const ks_sample_normalization *params = object->params;
    const ks_array *input;
    const ks_real *x = input_of(run, call, object, &input);
    const ks_real *gamma = ks_variable_real(ks_variable_at(object, 0));
    const ks_real *beta = ks_variable_real(ks_variable_at(object, 1));
    ks_real *y = ks_reals(out->as.array), epsilon = KS_C(params->epsilon);
    size_t columns = (size_t)input->shape.dims[input->shape.rank - 1];
    if (!x)
        return run->context->error.code;
    for (size_t r = 0; columns && r < ks_array_elements(input) / columns; r++) {
        const ks_real *row = x + r * columns;
        ks_real mean = 0, variance = 0, deviation;
        for (size_t i = 0; i < columns; i++)
            mean += row[i];
        mean /= (ks_real)columns;
        for (size_t i = 0; i < columns; i++)
            variance += (row[i] - mean) * (row[i] - mean);
        deviation = KS_MATH(sqrt)(variance / (ks_real)columns + epsilon) + epsilon;
        for (size_t i = 0; i < columns; i++)
            y[r * columns + i] = gamma[i] * ((row[i] - mean) / deviation) + beta[i];
    }
    return KS_OK;
}

KS_FORWARD(CosineMerge) {
    size_t n, rows, width;
    ks_array **inputs = ks_merge_inputs(&n, call, object);
    const ks_real *a = inputs ? KS_REAL(ks_as_real)(run, inputs[0]) : NULL;
    const ks_real *b = inputs ? KS_REAL(ks_as_real)(run, inputs[1]) : NULL;
    ks_real *y = ks_reals(out->as.array);
    if (!a || !b)
        return run->context->error.code;
    rows = (size_t)inputs[0]->shape.dims[0];
    width = (size_t)inputs[0]->shape.dims[1];
    for (size_t r = 0; r < rows; r++) {
        ks_real aa = 0, bb = 0, ab = 0, norm;
        for (size_t i = r * width; i < (r + 1) * width; i++) {
            aa += a[i] * a[i];
            bb += b[i] * b[i];
            ab += a[i] * b[i];
        }
        norm = KS_MATH(sqrt)(aa * bb);
        y[r] = ab / (norm > KS_C(1e-7) || norm != norm ? norm : KS_C(1e-7));
    }
    return KS_OK;
}
