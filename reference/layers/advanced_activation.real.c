// SPDX-License-Identifier: Apache-2.0
//
// Activation, ReLU, LeakyReLU, PReLU, ELU, Softmax.
#include "schema/advanced_activation.h"

#include <math.h>
#include <string.h>

#include "layers/layer.h"
#include "ops/activation.h"
#include "ops/move.h"
#include "ops/strided.h"

// The first argument as ks_real, and the number of its elements.
static const ks_real *input_of(ks_run *run, ks_call *call, ks_object *object, size_t *count) {
    const ks_array *input = ks_call_input(call, object);
    *count = 0;
    if (!input)
        return NULL;
    *count = ks_array_elements(input);
    return KS_REAL(ks_as_real)(run, input);
}

KS_FORWARD(Activation) {
    const ks_activation_layer *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    ks_array *result = out->as.array;
    if (!x)
        return run->context->error.code;
    if (params->activation.id == KS_ACTIVATION_GLU) {
        size_t columns = (size_t)input->shape.dims[input->shape.rank - 1];
        size_t count = ks_array_elements(input);
        KS_REAL(ks_activation_apply)(params->activation.id, ks_reals(result), x, columns ? count / columns : 0,
                                     columns);
        return KS_OK;
    }
    return KS_REAL(ks_activate)(run, &params->activation, ks_reals(result), x, &input->shape);
}

// The part above zero and the part below are computed apart and added, as Keras does.
static ks_real relu(const ks_relu *params, ks_real x) {
    ks_real threshold = KS_C(params->threshold), slope = KS_C(params->negative_slope);
    ks_real y = threshold != 0 ? (x > threshold ? x : 0) : (x < 0 ? 0 : x);
    if (!isnan(params->max_value) && y > KS_C(params->max_value))
        y = KS_C(params->max_value);
    if (slope != 0) {
        ks_real below = threshold != 0 ? threshold - x : -x;
        y -= slope * (below < 0 ? 0 : below);
    }
    return y;
}

KS_FORWARD(ReLU) {
    size_t count;
    const ks_real *x = input_of(run, call, object, &count);
    if (!x)
        return run->context->error.code;
    for (size_t i = 0; i < count; i++)
        ks_reals(out->as.array)[i] = relu(object->params, x[i]);
    return KS_OK;
}

KS_FORWARD(LeakyReLU) {
    const ks_leaky_relu *params = object->params;
    ks_real slope = KS_C(params->negative_slope);
    size_t count;
    const ks_real *x = input_of(run, call, object, &count);
    if (!x)
        return run->context->error.code;
    for (size_t i = 0; i < count; i++)
        ks_reals(out->as.array)[i] = x[i] > 0 ? x[i] : slope * x[i];
    return KS_OK;
}

KS_FORWARD(PReLU) {
    const ks_variable *alpha = ks_variable_at(object, 0);
    ks_array *result = out->as.array;
    size_t count;
    const ks_real *x = input_of(run, call, object, &count);
    ks_real *y = ks_reals(result);
    if (!x)
        return run->context->error.code;
    ks_broadcast_to(y, &result->shape, ks_variable_real(alpha), &alpha->shape, sizeof(*y));
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] < 0 ? y[i] * x[i] : x[i];
    return KS_OK;
}

KS_FORWARD(ELU) {
    const ks_elu_layer *params = object->params;
    size_t count;
    const ks_real *x = input_of(run, call, object, &count);
    if (!x)
        return run->context->error.code;
    for (size_t i = 0; i < count; i++)
        ks_reals(out->as.array)[i] = KS_REAL(ks_elu)(x[i], KS_C(params->alpha));
    return KS_OK;
}

// --- Softmax --------------------------------------------------------------------------------------------------------

// The mask as bools in the input's shape; a mask of numbers holds where it is above one half.
static const bool *full_mask(ks_run *run, const ks_array *mask, const ks_shape *shape, size_t count) {
    size_t n = ks_array_elements(mask);
    bool *small = ks_run_memory(run, n, sizeof(bool)), *full = ks_run_memory(run, count, sizeof(bool));
    const ks_real *numbers = mask->dtype == KS_BOOL8 ? NULL : KS_REAL(ks_as_real)(run, mask);
    if (!small || !full || (mask->dtype != KS_BOOL8 && !numbers))
        return NULL;
    for (size_t i = 0; i < n; i++)
        small[i] = numbers ? numbers[i] > KS_C(0.5) : ((const uint8_t *)mask->data)[i] != 0;
    ks_broadcast_to(full, shape, small, &mask->shape, sizeof(bool));
    return full;
}

// Axes in an order that puts those of the softmax last; returns the number of elements along them.
static size_t order_axes(int *permutation, const ks_ints *axes, const ks_shape *shape) {
    bool inner[KS_MAX_RANK] = {false};
    size_t columns = 1;
    int n = 0;
    for (int i = 0; i < axes->count; i++)
        inner[ks_axis(axes->items[i], shape->rank)] = true;
    for (int i = 0; i < shape->rank; i++)
        if (!inner[i])
            permutation[n++] = i;
    for (int i = 0; i < shape->rank; i++)
        if (inner[i]) {
            permutation[n++] = i;
            columns *= (size_t)shape->dims[i];
        }
    return columns;
}

KS_FORWARD(Softmax) {
    const ks_softmax_layer *params = object->params;
    const ks_array *mask = ks_softmax_mask(call, object);
    ks_array *result = out->as.array;
    ks_shape moved = result->shape;
    int permutation[KS_MAX_RANK], back[KS_MAX_RANK];
    size_t count, columns = order_axes(permutation, &params->axis, &result->shape);
    const ks_real *x = input_of(run, call, object, &count);
    ks_real *work = ks_run_memory(run, count, sizeof(*work)), *y = ks_reals(result);
    const bool *keep = mask ? full_mask(run, mask, &result->shape, count) : NULL;

    if (!x || !work || (mask && !keep))
        return run->context->error.code;
    for (int i = 0; i < moved.rank; i++) {
        moved.dims[i] = result->shape.dims[permutation[i]];
        back[permutation[i]] = i;
    }
    for (size_t i = 0; i < count; i++)
        y[i] = keep && !keep[i] ? KS_C(-1e9) : x[i];
    ks_transpose(work, y, &result->shape, permutation, sizeof(*y));
    for (size_t i = 0; i < count; i += columns)
        KS_REAL(ks_softmax_row)(work + i, work + i, columns);
    ks_transpose(y, work, &moved, back, sizeof(*y));
    for (size_t i = 0; keep && i < count; i++)
        if (!keep[i])
            y[i] = 0;
    return KS_OK;
}
