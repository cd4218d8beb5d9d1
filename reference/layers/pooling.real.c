// SPDX-License-Identifier: Apache-2.0
//
// Pooling layers.
#include "schema/pooling.h"
#include "layers/layer.h"
#include "ops/pooling.h"
#include "schema/key_row.h"

typedef void (*pool_kernel)(ks_real *out, const ks_real *in, const ks_window *window, size_t batch, size_t channels);
typedef void (*axis_kernel)(ks_real *out, const ks_real *in, size_t outer, size_t count, size_t inner);

static size_t product(const ks_shape *shape, int first, int last) {
    size_t count = 1;
    for (int i = first; i < last; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

// --- windows --------------------------------------------------------------------------------------------------------

// Channels first: every channel is an image of its own with one channel.
static ks_code forward_pool(ks_run *run, ks_call *call, ks_object *object, ks_tree *out, pool_kernel pool) {
    const ks_array *input = ks_call_input(call, object);
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    ks_window_rule rule = ks_pooling_rule(object->params);
    ks_window window;
    rule.same = object->theano ? KS_SAME_THEANO_POOLING : KS_SAME_TENSORFLOW;
    window = ks_window_between(&input->shape, &out->as.array->shape, &rule);
    if (!x)
        return run->context->error.code;
    if (rule.channels_first)
        pool(ks_reals(out->as.array), x, &window, product(&input->shape, 0, 2), 1);
    else
        pool(ks_reals(out->as.array), x, &window, (size_t)input->shape.dims[0],
             (size_t)input->shape.dims[input->shape.rank - 1]);
    return KS_OK;
}

KS_FORWARD(MaxPooling1D) {
    return forward_pool(run, call, object, out, KS_REAL(ks_max_pool));
}
KS_FORWARD(MaxPooling2D) {
    return forward_pool(run, call, object, out, KS_REAL(ks_max_pool));
}
KS_FORWARD(MaxPooling3D) {
    return forward_pool(run, call, object, out, KS_REAL(ks_max_pool));
}
KS_FORWARD(AveragePooling1D) {
    return forward_pool(run, call, object, out, KS_REAL(ks_average_pool));
}
KS_FORWARD(AveragePooling2D) {
    return forward_pool(run, call, object, out, KS_REAL(ks_average_pool));
}
KS_FORWARD(AveragePooling3D) {
    return forward_pool(run, call, object, out, KS_REAL(ks_average_pool));
}

// --- global ---------------------------------------------------------------------------------------------------------

static ks_code forward_global(ks_run *run, ks_call *call, ks_object *object, ks_tree *out, axis_kernel reduce) {
    const ks_global_pooling *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    const ks_shape *shape = &input->shape;
    if (!x)
        return run->context->error.code;
    if (params->data_format == KS_CHANNELS_FIRST)
        reduce(ks_reals(out->as.array), x, product(shape, 0, 2), product(shape, 2, shape->rank), 1);
    else
        reduce(ks_reals(out->as.array), x, product(shape, 0, 1), product(shape, 1, shape->rank - 1),
               (size_t)shape->dims[shape->rank - 1]);
    return KS_OK;
}

KS_FORWARD(GlobalMaxPooling1D) {
    return forward_global(run, call, object, out, KS_REAL(ks_max_axis));
}
KS_FORWARD(GlobalMaxPooling2D) {
    return forward_global(run, call, object, out, KS_REAL(ks_max_axis));
}
KS_FORWARD(GlobalMaxPooling3D) {
    return forward_global(run, call, object, out, KS_REAL(ks_max_axis));
}
KS_FORWARD(GlobalAveragePooling2D) {
    return forward_global(run, call, object, out, KS_REAL(ks_mean_axis));
}
KS_FORWARD(GlobalAveragePooling3D) {
    return forward_global(run, call, object, out, KS_REAL(ks_mean_axis));
}

KS_FORWARD(GlobalAveragePooling1D) {
    const ks_global_pooling *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    const ks_array *mask = ks_call_array(call, 1);
    bool channels_first = params->data_format == KS_CHANNELS_FIRST;
    const ks_real *x, *weights;
    size_t channels;
    if (!mask)
        return forward_global(run, call, object, out, KS_REAL(ks_mean_axis));
    x = KS_REAL(ks_as_real)(run, input);
    weights = KS_REAL(ks_as_real)(run, mask);
    if (!x || !weights)
        return run->context->error.code;
    channels = (size_t)input->shape.dims[ks_channel_axis(&input->shape, channels_first)];
    KS_REAL(ks_masked_mean_axis)(
        ks_reals(out->as.array), x, weights, (size_t)input->shape.dims[0] * (channels_first ? channels : 1),
        (size_t)mask->shape.dims[1], channels_first ? 1 : channels, channels_first ? channels : 1);
    return KS_OK;
}

// --- adaptive -------------------------------------------------------------------------------------------------------

// One axis after the other, so that the mean over an image is the mean of means, as TensorFlow's is.
static ks_code forward_adaptive(ks_run *run, ks_call *call, ks_object *object, ks_tree *out, bool average) {
    const ks_adaptive_pooling *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    int first = ks_spatial_axis(params->data_format == KS_CHANNELS_FIRST);
    int n_axes = params->output_size.count;
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    ks_shape shape = input->shape;
    if (!x)
        return run->context->error.code;
    for (int i = 0; i < n_axes; i++) {
        int axis = first + i;
        size_t outer = product(&shape, 0, axis), inner = product(&shape, axis + 1, shape.rank);
        size_t parts = (size_t)params->output_size.items[i];
        bool last = i == n_axes - 1;
        ks_real *to = last ? ks_reals(out->as.array) : ks_run_memory(run, outer * parts * inner, sizeof(*to));
        if (!to)
            return run->context->error.code;
        KS_REAL(ks_adaptive_axis)(to, x, outer, (size_t)shape.dims[axis], inner, parts, average);
        shape.dims[axis] = (int64_t)parts;
        x = to;
    }
    return KS_OK;
}

KS_FORWARD(AdaptiveMaxPooling1D) {
    return forward_adaptive(run, call, object, out, false);
}
KS_FORWARD(AdaptiveMaxPooling2D) {
    return forward_adaptive(run, call, object, out, false);
}
KS_FORWARD(AdaptiveMaxPooling3D) {
    return forward_adaptive(run, call, object, out, false);
}
KS_FORWARD(AdaptiveAveragePooling1D) {
    return forward_adaptive(run, call, object, out, true);
}
KS_FORWARD(AdaptiveAveragePooling2D) {
    return forward_adaptive(run, call, object, out, true);
}
KS_FORWARD(AdaptiveAveragePooling3D) {
    return forward_adaptive(run, call, object, out, true);
}
