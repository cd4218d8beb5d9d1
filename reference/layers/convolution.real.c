// SPDX-License-Identifier: Apache-2.0
//
// Convolution layers. The kernels work with channels last; tensors with channels first are turned on the way in and
// out, and the activation is applied in the layer's own layout, as Keras does.
#include "schema/convolution.h"
#include "layers/layer.h"
#include "ops/convolution.h"
#include "ops/move.h"
#include "ops/product.h"
#include "ops/window_span.h"
#include "schema/key_row.h"

// One call, in channels-last layout.
typedef struct convolution {
    const ks_convolution *params;
    const ks_real *in;
    ks_real *out;
    ks_window window;
    size_t batch, channels, positions; ///< of the input; positions of the result, over the whole batch
} convolution;

static ks_code prepare(convolution *c, ks_run *run, ks_call *call, ks_object *object, const ks_array *result,
                       bool transposed) {
    const ks_array *input = ks_call_input(call, object);
    ks_window_rule rule;
    c->params = object->params;
    rule = ks_convolution_rule(c->params);
    rule.same = object->theano ? KS_SAME_THEANO_CONVOLUTION : KS_SAME_TENSORFLOW;
    c->window = transposed ? ks_window_between(&result->shape, &input->shape, &rule)
                           : ks_window_between(&input->shape, &result->shape, &rule);
    c->batch = (size_t)input->shape.dims[0];
    c->channels = (size_t)input->shape.dims[ks_channel_axis(&input->shape, rule.channels_first)];
    c->positions = c->batch * ks_window_volume(transposed ? c->window.in : c->window.out);
    c->in = KS_REAL(ks_as_real)(run, input);
    c->out = ks_reals(result);
    if (!c->in)
        return run->context->error.code;
    if (rule.channels_first) {
        ks_real *turned = ks_run_memory(run, ks_array_elements(input), sizeof(*turned));
        c->out = ks_run_memory(run, ks_array_elements(result), sizeof(*c->out));
        if (!turned || !c->out)
            return run->context->error.code;
        ks_channels_to_back(turned, c->in, &input->shape, sizeof(*turned));
        c->in = turned;
    }
    return KS_OK;
}

// The shape of a channels-first result when its channels stand last.
static ks_shape turned_shape(const ks_shape *shape) {
    ks_shape turned = *shape;
    for (int i = 1; i < shape->rank - 1; i++)
        turned.dims[i] = shape->dims[i + 1];
    turned.dims[shape->rank - 1] = shape->dims[1];
    return turned;
}

static ks_code finish(const convolution *c, ks_run *run, const ks_object *object, const ks_array *result) {
    const ks_variable *bias = ks_variable_named(object, "bias");
    if (bias)
        KS_REAL(ks_add_bias)(c->out, ks_variable_real(bias), c->positions, (size_t)bias->shape.dims[0]);
    if (c->params->data_format == KS_CHANNELS_FIRST) {
        ks_shape turned = turned_shape(&result->shape);
        ks_channels_to_front(result->data, c->out, &turned, sizeof(ks_real));
    }
    return KS_REAL(ks_activate)(run, &c->params->activation, ks_reals(result), ks_reals(result), &result->shape);
}

static ks_code forward_conv(ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    convolution c;
    ks_code code;
    KS_TRY(prepare(&c, run, call, object, out->as.array, false));
    KS_REAL(ks_convolve)(c.out, c.in, ks_variable_real(ks_variable_at(object, 0)), &c.window, c.batch, c.channels,
                         (size_t)c.params->groups, (size_t)c.params->filters);
    KS_TRY(finish(&c, run, object, out->as.array));
done:
    return code;
}

static ks_code forward_transpose(ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    const ks_variable *kernel = ks_variable_at(object, 0);
    int rank = kernel->shape.rank;
    int axes[KS_SPATIAL + 2] = {0, 1, 2, 3, 4};
    size_t count = 1;
    convolution c;
    ks_real *turned;
    ks_code code;
    KS_TRY(prepare(&c, run, call, object, out->as.array, true));
    for (int i = 0; i < rank; i++)
        count *= (size_t)kernel->shape.dims[i];
    turned = ks_run_memory(run, count, sizeof(*turned));
    if (!turned)
        return run->context->error.code;
    axes[rank - 2] = rank - 1;
    axes[rank - 1] = rank - 2;
    ks_transpose(turned, ks_variable_real(kernel), &kernel->shape, axes, sizeof(*turned));
    KS_REAL(ks_convolve_transposed)(c.out, c.in, turned, &c.window, c.batch, c.channels, (size_t)c.params->filters);
    KS_TRY(finish(&c, run, object, out->as.array));
done:
    return code;
}

static ks_code forward_depthwise(ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    convolution c;
    ks_code code;
    KS_TRY(prepare(&c, run, call, object, out->as.array, false));
    KS_REAL(ks_convolve_depthwise)(c.out, c.in, ks_variable_real(ks_variable_at(object, 0)), &c.window, c.batch,
                                   c.channels, (size_t)c.params->depth_multiplier);
    KS_TRY(finish(&c, run, object, out->as.array));
done:
    return code;
}

static ks_code forward_separable(ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    size_t middle_channels;
    convolution c;
    ks_real *middle;
    ks_code code;
    KS_TRY(prepare(&c, run, call, object, out->as.array, false));
    middle_channels = c.channels * (size_t)c.params->depth_multiplier;
    middle = ks_run_memory(run, c.positions * middle_channels, sizeof(*middle));
    if (!middle)
        return run->context->error.code;
    KS_REAL(ks_convolve_depthwise)(middle, c.in, ks_variable_real(ks_variable_at(object, 0)), &c.window, c.batch,
                                   c.channels, (size_t)c.params->depth_multiplier);
    KS_REAL(ks_matmul)(c.out, middle, ks_variable_real(ks_variable_at(object, 1)), NULL, c.positions, middle_channels,
                       (size_t)c.params->filters);
    KS_TRY(finish(&c, run, object, out->as.array));
done:
    return code;
}

KS_FORWARD(Conv1D) {
    return forward_conv(run, call, object, out);
}
KS_FORWARD(Conv2D) {
    return forward_conv(run, call, object, out);
}
KS_FORWARD(Conv3D) {
    return forward_conv(run, call, object, out);
}
KS_FORWARD(Conv1DTranspose) {
    return forward_transpose(run, call, object, out);
}
KS_FORWARD(Conv2DTranspose) {
    return forward_transpose(run, call, object, out);
}
KS_FORWARD(Conv3DTranspose) {
    return forward_transpose(run, call, object, out);
}
KS_FORWARD(DepthwiseConv1D) {
    return forward_depthwise(run, call, object, out);
}
KS_FORWARD(DepthwiseConv2D) {
    return forward_depthwise(run, call, object, out);
}
KS_FORWARD(SeparableConv1D) {
    return forward_separable(run, call, object, out);
}
KS_FORWARD(SeparableConv2D) {
    return forward_separable(run, call, object, out);
}
