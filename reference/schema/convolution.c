// SPDX-License-Identifier: Apache-2.0
//
// Convolutions: Conv, Conv*Transpose, DepthwiseConv, SeparableConv. Source of the rules: Keras 3
// layers/convolutional/base_conv.py, base_conv_transpose.py, base_depthwise_conv.py, base_separable_conv.py.
#include "schema/convolution.h"

#include "schema/broadcast.h"
#include "schema/key_row.h"

static const char *const paddings[] = {"valid", "same", NULL};
static const char *const paddings_1d[] = {"valid", "same", "causal", NULL};

#define PARAMS ks_convolution

// Keys that all of them have, in the order of get_config.
#define WINDOW_KEYS(rank, padding_table)                                                                               \
    KS_ROW_INTS(PARAMS, kernel_size, INTS, KS_REQUIRED | KS_NUMERIC, NULL, rank, 1),                                   \
        KS_ROW_INTS(PARAMS, strides, INTS, KS_NUMERIC, "1", rank, 1),                                                  \
        KS_ROW_CHOICE(PARAMS, padding, KS_NUMERIC, "\"valid\"", padding_table)
#define FORMAT_KEYS(rank) KS_ROW_DATA_FORMAT(PARAMS), KS_ROW_INTS(PARAMS, dilation_rate, INTS, KS_NUMERIC, "1", rank, 1)
#define RESULT_KEYS                                                                                                    \
    KS_ROW(PARAMS, activation, ACTIVATION, KS_NULLABLE | KS_NUMERIC, "null"),                                          \
        KS_ROW(PARAMS, use_bias, BOOL, KS_NUMERIC, "true")
#define FILTERS_KEY KS_ROW_INTS(PARAMS, filters, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1)
#define MULTIPLIER_KEY KS_ROW_INTS(PARAMS, depth_multiplier, INT, KS_NUMERIC, "1", 0, 1)

#define KERNEL_TRAINING_KEYS                                                                                           \
    KS_ROW_INITIALIZER(PARAMS, kernel_initializer, "\"glorot_uniform\""),                                              \
        KS_ROW_INITIALIZER(PARAMS, bias_initializer, "\"zeros\""), KS_ROW_REGULARIZER(PARAMS, kernel_regularizer),     \
        KS_ROW_REGULARIZER(PARAMS, bias_regularizer), KS_ROW_REGULARIZER(PARAMS, activity_regularizer),                \
        KS_ROW_CONSTRAINT(PARAMS, kernel_constraint), KS_ROW_CONSTRAINT(PARAMS, bias_constraint)
#define DEPTHWISE_TRAINING_KEYS                                                                                        \
    KS_ROW_INITIALIZER(PARAMS, depthwise_initializer, "\"glorot_uniform\""),                                           \
        KS_ROW_INITIALIZER(PARAMS, bias_initializer, "\"zeros\""), KS_ROW_REGULARIZER(PARAMS, depthwise_regularizer),  \
        KS_ROW_REGULARIZER(PARAMS, bias_regularizer), KS_ROW_REGULARIZER(PARAMS, activity_regularizer),                \
        KS_ROW_CONSTRAINT(PARAMS, depthwise_constraint), KS_ROW_CONSTRAINT(PARAMS, bias_constraint)
#define SEPARABLE_TRAINING_KEYS                                                                                        \
    KS_ROW_INITIALIZER(PARAMS, depthwise_initializer, "\"glorot_uniform\""),                                           \
        KS_ROW_INITIALIZER(PARAMS, pointwise_initializer, "\"glorot_uniform\""),                                       \
        KS_ROW_INITIALIZER(PARAMS, bias_initializer, "\"zeros\""), KS_ROW_REGULARIZER(PARAMS, depthwise_regularizer),  \
        KS_ROW_REGULARIZER(PARAMS, pointwise_regularizer), KS_ROW_REGULARIZER(PARAMS, bias_regularizer),               \
        KS_ROW_REGULARIZER(PARAMS, activity_regularizer), KS_ROW_CONSTRAINT(PARAMS, depthwise_constraint),             \
        KS_ROW_CONSTRAINT(PARAMS, pointwise_constraint), KS_ROW_CONSTRAINT(PARAMS, bias_constraint)

#define CONV_KEYS(rank, padding_table)                                                                                 \
    FILTERS_KEY, WINDOW_KEYS(rank, padding_table), FORMAT_KEYS(rank),                                                  \
        KS_ROW_INTS(PARAMS, groups, INT, KS_NUMERIC, "1", 0, 1), RESULT_KEYS, KERNEL_TRAINING_KEYS,                    \
        {KS_NAMED("lora_rank"),                                                                                        \
         .type = KS_KEY_INT,                                                                                           \
         .flags = KS_NULLABLE | KS_INERT | KS_NOT_NULL,                                                                \
         .offset = KS_FIELD(PARAMS, lora_rank),                                                                        \
         .otherwise = "null",                                                                                          \
         .minimum = 1,                                                                                                 \
         .maximum = INT32_MAX,                                                                                         \
         .since = "3.7"},                                                                                              \
        KS_ROW_SINCE(PARAMS, lora_alpha, INT, KS_NULLABLE | KS_INERT | KS_NOT_NULL, "null", "3.10")
#define TRANSPOSE_KEYS(rank)                                                                                           \
    FILTERS_KEY, WINDOW_KEYS(rank, paddings),                                                                          \
        KS_ROW_INTS(PARAMS, output_padding, INTS, KS_NULLABLE | KS_NUMERIC, "null", rank, 0), FORMAT_KEYS(rank),       \
        RESULT_KEYS, KERNEL_TRAINING_KEYS
#define DEPTHWISE_KEYS(rank)                                                                                           \
    MULTIPLIER_KEY, WINDOW_KEYS(rank, paddings), FORMAT_KEYS(rank), RESULT_KEYS, DEPTHWISE_TRAINING_KEYS
#define SEPARABLE_KEYS(rank)                                                                                           \
    MULTIPLIER_KEY, FILTERS_KEY, WINDOW_KEYS(rank, paddings), FORMAT_KEYS(rank), RESULT_KEYS, SEPARABLE_TRAINING_KEYS

static const ks_key conv1d_keys[] = {CONV_KEYS(1, paddings_1d)};
static const ks_key conv2d_keys[] = {CONV_KEYS(2, paddings)};
static const ks_key conv3d_keys[] = {CONV_KEYS(3, paddings)};
static const ks_key conv1d_transpose_keys[] = {TRANSPOSE_KEYS(1)};
static const ks_key conv2d_transpose_keys[] = {TRANSPOSE_KEYS(2)};
static const ks_key conv3d_transpose_keys[] = {TRANSPOSE_KEYS(3)};
static const ks_key depthwise_conv1d_keys[] = {DEPTHWISE_KEYS(1)};
static const ks_key depthwise_conv2d_keys[] = {DEPTHWISE_KEYS(2)};
static const ks_key separable_conv1d_keys[] = {SEPARABLE_KEYS(1)};
static const ks_key separable_conv2d_keys[] = {SEPARABLE_KEYS(2)};

ks_window_rule ks_convolution_rule(const ks_convolution *params) {
    ks_window_rule rule = {&params->kernel_size,
                           &params->strides,
                           &params->dilation_rate,
                           (ks_padding)params->padding,
                           params->data_format == KS_CHANNELS_FIRST,
                           KS_SAME_TENSORFLOW};
    return rule;
}

// --- checks ---------------------------------------------------------------------------------------------------------

static int64_t largest(const ks_ints *ints) {
    int64_t most = 0;
    for (int i = 0; i < ints->count; i++)
        most = ints->items[i] > most ? ints->items[i] : most;
    return most;
}

static ks_code check_steps(ks_context *context, ks_object *object) {
    const ks_convolution *params = object->params;
    if (largest(&params->strides) > 1 && largest(&params->dilation_rate) > 1)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "dilation_rate",
                            "strides above 1 do not go with a dilation above 1");
    return KS_OK;
}

static ks_code conv_check(ks_context *context, ks_object *object) {
    const ks_convolution *params = object->params;
    if (params->filters % params->groups != 0)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "groups", "%lld groups do not divide %lld filters",
                            (long long)params->groups, (long long)params->filters);
    return check_steps(context, object);
}

static ks_code transpose_check(ks_context *context, ks_object *object) {
    const ks_convolution *params = object->params;
    for (int i = 0; i < params->output_padding.count; i++)
        if (params->output_padding.items[i] >= params->strides.items[i])
            return ks_key_error(context, KS_E_CONFIG_VALUE, object, "output_padding",
                                "expected less than the stride %lld, found %lld", (long long)params->strides.items[i],
                                (long long)params->output_padding.items[i]);
    return check_steps(context, object);
}

// --- variables and shapes -------------------------------------------------------------------------------------------

// The input, its rank checked; NULL with the error set.
static ks_array *conv_input(ks_call *call, const ks_object *object) {
    const ks_convolution *params = object->params;
    ks_array *input = ks_call_input(call, object);
    int rank = params->kernel_size.count + 2;
    if (!input || ks_call_check_rank(call, object, input, rank, rank) != KS_OK)
        return NULL;
    return input;
}

static int64_t channels_of(const ks_convolution *params, const ks_array *input) {
    return input->shape.dims[ks_channel_axis(&input->shape, params->data_format == KS_CHANNELS_FIRST)];
}

// kernel_size + (rows, columns)
static ks_shape kernel_shape(const ks_convolution *params, bool ones, int64_t rows, int64_t columns) {
    ks_shape shape = {.rank = params->kernel_size.count + 2};
    for (int i = 0; i < params->kernel_size.count; i++)
        shape.dims[i] = ones ? 1 : params->kernel_size.items[i];
    shape.dims[shape.rank - 2] = rows;
    shape.dims[shape.rank - 1] = columns;
    return shape;
}

static ks_code add_bias(ks_call *call, ks_object *object, int64_t size) {
    const ks_convolution *params = object->params;
    ks_shape shape = {1, {size}};
    return params->use_bias ? ks_add_variable(call, object, "bias", &shape, KS_DTYPE_NONE, true) : KS_OK;
}

// After the first call the channels must stay what the kernel was made for.
static ks_code check_channels(ks_call *call, const ks_object *object, int64_t expected, int64_t found) {
    if (found == expected || (found == KS_UNKNOWN_DIM && call->symbolic))
        return KS_OK;
    return ks_shape_error(call->context, object, "expected %lld channels, found %lld", (long long)expected,
                          (long long)found);
}

static int64_t kernel_dim(const ks_object *object, int from_end) {
    const ks_shape *shape = &object->trainable_variables->shape;
    return shape->dims[shape->rank - from_end];
}

static ks_code conv_build(ks_call *call, ks_object *object) {
    const ks_convolution *params = object->params;
    ks_array *input = conv_input(call, object);
    ks_window_rule rule = ks_convolution_rule(params);
    ks_shape kernel, result;
    int64_t channels;
    ks_code code;
    if (!input)
        return call->context->error.code;
    channels = channels_of(params, input);
    if (channels >= 0 && channels % params->groups != 0)
        return ks_shape_error(call->context, object, "%lld groups do not divide %lld channels",
                              (long long)params->groups, (long long)channels);
    KS_TRY(ks_window_shape(&result, call, object, &input->shape, &rule, params->filters));
    kernel = kernel_shape(params, false, channels < 0 ? channels : channels / params->groups, params->filters);
    KS_TRY(ks_add_variable(call, object, "kernel", &kernel, KS_DTYPE_NONE, true));
    KS_TRY(add_bias(call, object, params->filters));
done:
    return code;
}

static ks_code conv_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_convolution *params = object->params;
    ks_array *input = conv_input(call, object);
    ks_window_rule rule = ks_convolution_rule(params);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(check_channels(call, object, kernel_dim(object, 2) * params->groups, channels_of(params, input)));
    KS_TRY(ks_window_shape(&shape, call, object, &input->shape, &rule, params->filters));
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &shape));
done:
    return code;
}

static ks_code transpose_build(ks_call *call, ks_object *object) {
    const ks_convolution *params = object->params;
    ks_array *input = conv_input(call, object);
    ks_shape kernel;
    ks_code code;
    if (!input)
        return call->context->error.code;
    kernel = kernel_shape(params, false, params->filters, channels_of(params, input));
    KS_TRY(ks_add_variable(call, object, "kernel", &kernel, KS_DTYPE_NONE, true));
    KS_TRY(add_bias(call, object, params->filters));
done:
    return code;
}

// Keras 1 announces the result's shape, which must be the one that comes out.
static ks_code check_announced(ks_call *call, const ks_object *object, const ks_shape *shape) {
    const ks_value *old = object->original && object->dialect == KS_DIALECT_KERAS1
                              ? ks_value_get(ks_value_get(object->original, "config"), "output_shape")
                              : NULL;
    for (int i = 0; old && old->type == KS_VALUE_LIST && i < shape->rank; i++) {
        const ks_value *size = (size_t)i < old->as.list.count ? &old->as.list.items[i] : NULL;
        if (size && (size->type != KS_VALUE_INT || ks_dims_agree(size->as.integer, shape->dims[i])))
            continue;
        return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "output_shape",
                            "a result of other sizes than the usual ones cannot be run by this reference");
    }
    return KS_OK;
}

static ks_code transpose_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_convolution *params = object->params;
    ks_array *input = conv_input(call, object);
    ks_window_rule rule = ks_convolution_rule(params);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(check_channels(call, object, kernel_dim(object, 1), channels_of(params, input)));
    shape = ks_window_transposed_shape(&input->shape, &rule, &params->output_padding, params->filters);
    KS_TRY(check_announced(call, object, &shape));
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &shape));
done:
    return code;
}

static ks_code depthwise_build(ks_call *call, ks_object *object) {
    const ks_convolution *params = object->params;
    ks_array *input = conv_input(call, object);
    ks_window_rule rule = ks_convolution_rule(params);
    ks_shape kernel, result;
    int64_t channels;
    ks_code code;
    if (!input)
        return call->context->error.code;
    channels = channels_of(params, input);
    KS_TRY(ks_window_shape(&result, call, object, &input->shape, &rule, channels));
    kernel = kernel_shape(params, false, channels, params->depth_multiplier);
    KS_TRY(
        ks_add_variable(call, object, ks_is_old(object) ? "depthwise_kernel" : "kernel", &kernel, KS_DTYPE_NONE, true));
    KS_TRY(add_bias(call, object, ks_size_multiply(channels, params->depth_multiplier)));
done:
    return code;
}

static ks_code depthwise_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_convolution *params = object->params;
    ks_array *input = conv_input(call, object);
    ks_window_rule rule = ks_convolution_rule(params);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(check_channels(call, object, kernel_dim(object, 2), channels_of(params, input)));
    KS_TRY(ks_window_shape(&shape, call, object, &input->shape, &rule,
                           ks_size_multiply(channels_of(params, input), params->depth_multiplier)));
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &shape));
done:
    return code;
}

static ks_code separable_build(ks_call *call, ks_object *object) {
    const ks_convolution *params = object->params;
    ks_array *input = conv_input(call, object);
    ks_window_rule rule = ks_convolution_rule(params);
    ks_shape depthwise, pointwise, result;
    int64_t channels;
    ks_code code;
    if (!input)
        return call->context->error.code;
    channels = channels_of(params, input);
    KS_TRY(ks_window_shape(&result, call, object, &input->shape, &rule, params->filters));
    depthwise = kernel_shape(params, false, channels, params->depth_multiplier);
    pointwise = kernel_shape(params, true, ks_size_multiply(channels, params->depth_multiplier), params->filters);
    KS_TRY(ks_add_variable(call, object, "depthwise_kernel", &depthwise, KS_DTYPE_NONE, true));
    KS_TRY(ks_add_variable(call, object, "pointwise_kernel", &pointwise, KS_DTYPE_NONE, true));
    KS_TRY(add_bias(call, object, params->filters));
done:
    return code;
}

static ks_code separable_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_convolution *params = object->params;
    ks_array *input = conv_input(call, object);
    ks_window_rule rule = ks_convolution_rule(params);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(check_channels(call, object, kernel_dim(object, 2), channels_of(params, input)));
    KS_TRY(ks_window_shape(&shape, call, object, &input->shape, &rule, params->filters));
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &shape));
done:
    return code;
}

// --- rows -----------------------------------------------------------------------------------------------------------

#define CONVOLUTION(class_name, key_table, check_function, family)                                                     \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(key_table),                                                                                            \
        .params_size = sizeof(PARAMS),                                                                                 \
        .mask = KS_MASK_NONE,                                                                                          \
        .check = check_function,                                                                                       \
        .build = family##_build,                                                                                       \
        .infer = family##_infer,                                                                                       \
    }

CONVOLUTION(Conv1D, conv1d_keys, conv_check, conv);
CONVOLUTION(Conv2D, conv2d_keys, conv_check, conv);
CONVOLUTION(Conv3D, conv3d_keys, conv_check, conv);
CONVOLUTION(Conv1DTranspose, conv1d_transpose_keys, transpose_check, transpose);
CONVOLUTION(Conv2DTranspose, conv2d_transpose_keys, transpose_check, transpose);
CONVOLUTION(Conv3DTranspose, conv3d_transpose_keys, transpose_check, transpose);
CONVOLUTION(DepthwiseConv1D, depthwise_conv1d_keys, NULL, depthwise);
CONVOLUTION(DepthwiseConv2D, depthwise_conv2d_keys, NULL, depthwise);
CONVOLUTION(SeparableConv1D, separable_conv1d_keys, NULL, separable);
CONVOLUTION(SeparableConv2D, separable_conv2d_keys, NULL, separable);
