// SPDX-License-Identifier: Apache-2.0
//
// Rescaling and Normalization.
#include "schema/preprocessing.h"
#include "layers/layer.h"
#include "ops/strided.h"

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
