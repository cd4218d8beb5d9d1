// SPDX-License-Identifier: Apache-2.0
//
// Activation, ReLU, LeakyReLU, PReLU, ELU, Softmax. Source of the rules: Keras 3 layers/activations/*.py.
#include "schema/advanced_activation.h"

#include <math.h>

#include "schema/broadcast.h"
#include "schema/key_row.h"

static const char *const no_training[] = {"inputs", NULL};
static const char *const masked[] = {"inputs", "mask", NULL};

// --- Activation -----------------------------------------------------------------------------------------------------

static const ks_key activation_keys[] = {
    KS_ROW(ks_activation_layer, activation, ACTIVATION, KS_REQUIRED | KS_NULLABLE | KS_NUMERIC, NULL),
};

// A layer as activation is a sub-layer with weights of its own.
static ks_code activation_build(ks_call *call, ks_object *object) {
    const ks_activation_layer *params = object->params;
    ks_code code;
    if (params->activation.id != KS_ACTIVATION_LAYER)
        return KS_OK;
    KS_TRY(ks_add_child(call, object, "activation", false, params->activation.layer));
    KS_TRY(ks_build(call, params->activation.layer, call->arguments));
done:
    return code;
}

static ks_code activation_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_activation_layer *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    if (!input)
        return call->context->error.code;
    if (params->activation.id == KS_ACTIVATION_LAYER)
        return ks_infer(out, call, params->activation.layer, call->arguments);
    shape = input->shape;
    // Keras's own shape inference does not know that glu halves its axis; only its result shows it.
    if (params->activation.id == KS_ACTIVATION_GLU && !call->symbolic) {
        int64_t *last = shape.rank ? &shape.dims[shape.rank - 1] : NULL;
        if (!last || *last % 2)
            return ks_shape_error(call->context, object, "glu needs an even last dimension");
        *last /= 2;
    }
    return ks_result(out, call, KS_DTYPE_NONE, &shape);
}

const ks_class ks_class_Activation = {
    .name = "Activation",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED,
    KS_KEYS(activation_keys),
    .params_size = sizeof(ks_activation_layer),
    .arguments = no_training,
    .mask = KS_MASK_PASS,
    .build = activation_build,
    .infer = activation_infer,
};

// --- ReLU -----------------------------------------------------------------------------------------------------------

static ks_code not_negative(ks_context *context, const ks_object *object, const char *key, double value) {
    if (value >= 0)
        return KS_OK;
    return ks_key_error(context, KS_E_CONFIG_VALUE, object, key, "expected a number not below 0, found %g", value);
}

static const ks_key relu_keys[] = {
    KS_ROW(ks_relu, max_value, FLOAT, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_ROW(ks_relu, negative_slope, FLOAT, KS_NUMERIC, "0.0"),
    KS_ROW(ks_relu, threshold, FLOAT, KS_NUMERIC, "0.0"),
};

static ks_code relu_check(ks_context *context, ks_object *object) {
    const ks_relu *params = object->params;
    ks_code code = KS_OK;
    if (params->max_value < 0)
        KS_TRY(not_negative(context, object, "max_value", params->max_value));
    KS_TRY(not_negative(context, object, "negative_slope", params->negative_slope));
    KS_TRY(not_negative(context, object, "threshold", params->threshold));
done:
    return code;
}

const ks_class ks_class_ReLU = {
    .name = "ReLU",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED,
    KS_KEYS(relu_keys),
    .params_size = sizeof(ks_relu),
    .arguments = no_training,
    .mask = KS_MASK_PASS,
    .mask_since = 205, // misspelt before, as "support_masking"
    .check = relu_check,
};

// --- LeakyReLU ------------------------------------------------------------------------------------------------------

static const ks_key leaky_relu_keys[] = {
    KS_ROW(ks_leaky_relu, negative_slope, FLOAT, KS_NUMERIC, "0.3"),
    KS_ROW(ks_leaky_relu, alpha, FLOAT, KS_NULLABLE | KS_READ_ONLY, "null"),
};

static ks_code leaky_relu_check(ks_context *context, ks_object *object) {
    ks_leaky_relu *params = object->params;
    if (!isnan(params->alpha))
        params->negative_slope = params->alpha;
    return not_negative(context, object, "negative_slope", params->negative_slope);
}

const ks_class ks_class_LeakyReLU = {
    .name = "LeakyReLU",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(leaky_relu_keys),
    .params_size = sizeof(ks_leaky_relu),
    .arguments = no_training,
    .mask = KS_MASK_PASS,
    .check = leaky_relu_check,
};

// --- PReLU ----------------------------------------------------------------------------------------------------------

static const ks_key prelu_keys[] = {
    KS_ROW_INITIALIZER(ks_prelu, alpha_initializer, "\"zeros\""),
    KS_ROW_REGULARIZER(ks_prelu, alpha_regularizer),
    KS_ROW_CONSTRAINT(ks_prelu, alpha_constraint),
    KS_ROW(ks_prelu, shared_axes, INTS, KS_NULLABLE | KS_NUMERIC, "null"),
};

static ks_code prelu_build(ks_call *call, ks_object *object) {
    const ks_prelu *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    if (!input)
        return call->context->error.code;
    shape = input->shape;
    if (shape.rank < 1)
        return ks_shape_error(call->context, object, "expected a tensor with a batch dimension");
    ks_shape_drop(&shape, 0);
    for (int i = 0; i < params->shared_axes.count; i++) {
        int axis = ks_axis(params->shared_axes.items[i] - 1, shape.rank); // Python's indexing, also below zero
        if (axis < 0)
            return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "shared_axes",
                                "axis %lld is outside an input of rank %d", (long long)params->shared_axes.items[i],
                                shape.rank + 1);
        shape.dims[axis] = 1;
    }
    return ks_add_variable(call, object, "alpha", &shape, KS_DTYPE_NONE, true);
}

static ks_code prelu_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_array *input = ks_call_input(call, object);
    const ks_shape *alpha = &object->trainable_variables->shape;
    if (!input)
        return call->context->error.code;
    if (input->shape.rank != alpha->rank + 1)
        return ks_shape_error(call->context, object, "expected a tensor of rank %d, found rank %d", alpha->rank + 1,
                              input->shape.rank);
    for (int i = 0; i < alpha->rank; i++)
        if (alpha->dims[i] != 1 && !ks_dims_agree(alpha->dims[i], input->shape.dims[i + 1]))
            return ks_shape_error(call->context, object, "expected %lld in dimension %d, found %lld",
                                  (long long)alpha->dims[i], i + 1, (long long)input->shape.dims[i + 1]);
    return ks_result(out, call, KS_DTYPE_NONE, &input->shape);
}

const ks_class ks_class_PReLU = {
    .name = "PReLU",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED,
    KS_KEYS(prelu_keys),
    .params_size = sizeof(ks_prelu),
    .arguments = no_training,
    .mask = KS_MASK_PASS,
    .build = prelu_build,
    .infer = prelu_infer,
};

// --- ELU, Softmax ---------------------------------------------------------------------------------------------------

static const ks_key elu_keys[] = {
    {KS_NAMED("alpha"), .type = KS_KEY_FLOAT, .flags = KS_NUMERIC, .offset = KS_FIELD(ks_elu_layer, alpha),
     .otherwise = "1.0", .since = "3.10"},
};

const ks_class ks_class_ELU = {
    .name = "ELU",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED,
    KS_KEYS(elu_keys),
    .written = "name alpha trainable dtype",
    .params_size = sizeof(ks_elu_layer),
    .arguments = no_training,
    .mask = KS_MASK_PASS,
};

static const ks_key softmax_keys[] = {
    KS_ROW(ks_softmax_layer, axis, INTS, KS_NUMERIC, "-1"),
};

ks_array *ks_softmax_mask(const ks_call *call, const ks_object *object) {
    return ks_is_before(object, 204) ? NULL : ks_call_array(call, 1);
}

static ks_code softmax_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_softmax_layer *params = object->params;
    ks_array *input = ks_call_input(call, object), *mask = ks_softmax_mask(call, object);
    ks_shape shape;
    if (!input)
        return call->context->error.code;
    for (int i = 0; i < params->axis.count; i++)
        if (ks_axis(params->axis.items[i], input->shape.rank) < 0)
            return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "axis",
                                "axis %lld is outside an input of rank %d", (long long)params->axis.items[i],
                                input->shape.rank);
    if (mask && (mask->shape.rank > input->shape.rank || !ks_shape_broadcast(&shape, &input->shape, &mask->shape)))
        return ks_shape_error(call->context, object, "the mask cannot be broadcast to the input");
    return ks_result(out, call, KS_DTYPE_NONE, &input->shape);
}

static ks_code softmax_check(ks_context *context, ks_object *object) {
    const ks_softmax_layer *params = object->params;
    if (params->axis.count)
        return KS_OK;
    return ks_key_error(context, KS_E_CONFIG_VALUE, object, "axis", "expected at least one axis");
}

const ks_class ks_class_Softmax = {
    .name = "Softmax",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED,
    KS_KEYS(softmax_keys),
    .params_size = sizeof(ks_softmax_layer),
    .arguments = masked,
    .mask = KS_MASK_PASS,
    .check = softmax_check,
    .infer = softmax_infer,
};
