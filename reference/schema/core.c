// SPDX-License-Identifier: Apache-2.0
//
// InputLayer and Dense. Source of the rules: Keras 3 layers/core/{input_layer,dense}.py.
#include "schema/core.h"

static const ks_key input_layer_keys[] = {
    {KS_NAMED("batch_shape"), .type = KS_KEY_SHAPE, .flags = KS_NULLABLE, .offset = KS_FIELD(ks_input_layer, shape),
     .otherwise = "null"},
    {KS_NAMED("batch_input_shape"), .type = KS_KEY_SHAPE, .flags = KS_NULLABLE,
     .offset = KS_FIELD(ks_input_layer, legacy_shape), .otherwise = "null"},
    {KS_NAMED("dtype"), .type = KS_KEY_TEXT, .flags = KS_NULLABLE, .offset = KS_FIELD(ks_input_layer, dtype),
     .otherwise = "null"},
    {KS_NAMED("sparse"), .type = KS_KEY_BOOL, .flags = KS_NULLABLE, .offset = KS_FIELD(ks_input_layer, sparse),
     .otherwise = "false"},
    {KS_NAMED("ragged"), .type = KS_KEY_BOOL, .flags = KS_NULLABLE, .offset = KS_FIELD(ks_input_layer, ragged),
     .otherwise = "false", .since = "3.9"},
    {KS_NAMED("optional"), .type = KS_KEY_BOOL, .offset = KS_FIELD(ks_input_layer, optional), .otherwise = "false",
     .since = "3.13"},
};

static ks_code input_layer_check(ks_context *context, ks_object *object) {
    ks_input_layer *params = object->params;
    ks_text dtype = params->dtype.data ? params->dtype : ks_text_from("float32");
    params->dtype = dtype;
    if (params->shape.rank < 0)
        params->shape = params->legacy_shape;
    if (params->shape.rank < 0)
        return ks_key_error(context, KS_E_CONFIG_MISSING, object, "batch_shape", "an InputLayer needs a shape");
    if (params->shape.rank == 0)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "batch_shape",
                            "expected a batch dimension at least, found an empty shape");
    params->type = ks_dtype_by_name(dtype);
    if (params->type == KS_DTYPE_NONE)
        return ks_key_error(context, KS_E_CONFIG_UNKNOWN_NAME, object, "dtype", "unknown dtype \"%.60s\"", dtype.data);
    if (params->type == KS_COMPLEX64 || params->type == KS_COMPLEX128)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "dtype",
                            "inputs of dtype \"%.60s\" cannot be run by this reference", dtype.data);
    if (params->sparse || params->ragged)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, params->sparse ? "sparse" : "ragged",
                            "%s inputs cannot be run by this reference", params->sparse ? "sparse" : "ragged");
    return KS_OK;
}

static ks_code input_layer_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_input_layer *params = object->params;
    return ks_result(out, call, params->type, &params->shape);
}

static const char *const no_arguments[] = {NULL};

const ks_class ks_class_InputLayer = {
    .name = "InputLayer",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(input_layer_keys),
    .written = "batch_shape dtype sparse ragged name optional",
    .params_size = sizeof(ks_input_layer),
    .arguments = no_arguments,
    .mask = KS_MASK_NONE,
    .check = input_layer_check,
    .infer = input_layer_infer,
};

static const ks_key dense_keys[] = {
    {KS_NAMED("units"), .type = KS_KEY_INT, .flags = KS_REQUIRED | KS_NUMERIC, .offset = KS_FIELD(ks_dense, units),
     .minimum = 1, .maximum = INT32_MAX},
    {KS_NAMED("activation"), .type = KS_KEY_ACTIVATION, .flags = KS_NULLABLE | KS_NUMERIC,
     .offset = KS_FIELD(ks_dense, activation), .otherwise = "null"},
    {KS_NAMED("use_bias"), .type = KS_KEY_BOOL, .flags = KS_NUMERIC, .offset = KS_FIELD(ks_dense, use_bias),
     .otherwise = "true"},
    {KS_NAMED("kernel_initializer"), .type = KS_KEY_INITIALIZER, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_dense, kernel_initializer), .otherwise = "\"glorot_uniform\""},
    {KS_NAMED("bias_initializer"), .type = KS_KEY_INITIALIZER, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_dense, bias_initializer), .otherwise = "\"zeros\""},
    {KS_NAMED("kernel_regularizer"), .type = KS_KEY_REGULARIZER, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_dense, kernel_regularizer), .otherwise = "null"},
    {KS_NAMED("bias_regularizer"), .type = KS_KEY_REGULARIZER, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_dense, bias_regularizer), .otherwise = "null"},
    {KS_NAMED("activity_regularizer"), .type = KS_KEY_REGULARIZER, .flags = KS_NULLABLE | KS_INERT | KS_READ_ONLY,
     .offset = KS_FIELD(ks_dense, activity_regularizer), .otherwise = "null"},
    {KS_NAMED("kernel_constraint"), .type = KS_KEY_CONSTRAINT, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_dense, kernel_constraint), .otherwise = "null"},
    {KS_NAMED("bias_constraint"), .type = KS_KEY_CONSTRAINT, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_dense, bias_constraint), .otherwise = "null"},
    {KS_NAMED("quantization_config"), .type = KS_KEY_ANY, .flags = KS_NULLABLE,
     .offset = KS_FIELD(ks_dense, quantization_config), .otherwise = "null", .since = "3.13"},
    {KS_NAMED("lora_rank"), .type = KS_KEY_INT, .flags = KS_NULLABLE | KS_INERT | KS_NOT_NULL,
     .offset = KS_FIELD(ks_dense, lora_rank), .otherwise = "null", .minimum = 1, .maximum = INT32_MAX, .since = "3.1"},
    {KS_NAMED("lora_alpha"), .type = KS_KEY_INT, .flags = KS_NULLABLE | KS_INERT | KS_NOT_NULL,
     .offset = KS_FIELD(ks_dense, lora_alpha), .otherwise = "null", .since = "3.10"},
};

ks_code ks_check_not_quantized(ks_context *context, ks_object *object, const ks_value *quantization_config) {
    if (!quantization_config || quantization_config->type == KS_VALUE_NULL)
        return KS_OK;
    return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "quantization_config",
                        "quantized layers cannot be run by this reference");
}

static ks_code dense_check(ks_context *context, ks_object *object) {
    const ks_dense *params = object->params;
    return ks_check_not_quantized(context, object, params->quantization_config);
}

static ks_code dense_build(ks_call *call, ks_object *object) {
    const ks_dense *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 2, -1));
    {
        ks_shape kernel = {2, {input->shape.dims[input->shape.rank - 1], params->units}};
        ks_shape bias = {1, {params->units}};
        KS_TRY(ks_add_variable(call, object, "kernel", &kernel, KS_DTYPE_NONE, true));
        if (params->use_bias)
            KS_TRY(ks_add_variable(call, object, "bias", &bias, KS_DTYPE_NONE, true));
    }
done:
    return code;
}

static ks_code dense_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_dense *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    int64_t last, width;
    if (!input)
        return call->context->error.code;
    if (ks_call_check_rank(call, object, input, 2, -1) != KS_OK)
        return call->context->error.code;
    shape = input->shape;
    last = shape.dims[shape.rank - 1];
    width = object->trainable_variables->shape.dims[0];
    if (last != width && (last != KS_UNKNOWN_DIM || !call->symbolic))
        return ks_shape_error(call->context, object, "expected %lld as the last dimension of the input, found %lld",
                              (long long)width, (long long)last);
    shape.dims[shape.rank - 1] = params->units;
    return ks_result(out, call, KS_DTYPE_NONE, &shape);
}

static const char *const dense_arguments[] = {"inputs", "training", NULL};

const ks_class ks_class_Dense = {
    .name = "Dense",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(dense_keys),
    .params_size = sizeof(ks_dense),
    .arguments = dense_arguments,
    .mask = KS_MASK_PASS,
    .check = dense_check,
    .build = dense_build,
    .infer = dense_infer,
};
