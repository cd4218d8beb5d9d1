// SPDX-License-Identifier: Apache-2.0
//
// ConvLSTM1D, ConvLSTM2D, ConvLSTM3D: an LSTM whose products are convolutions. Kernels have their gates side by side:
// i, f, c, o. Source of the rules: Keras 3 layers/rnn/conv_lstm.py; tf_keras layers/rnn/base_conv_lstm.py.
#include "schema/convolutional_recurrent.h"

#include "schema/broadcast.h"
#include "schema/key_row.h"

#define PARAMS ks_conv_lstm
#define INNER_ROW(key, key_type, key_flags, text)                                                                      \
    {KS_NAMED(#key), .type = KS_KEY_##key_type, .flags = (key_flags), .offset = offsetof(PARAMS, convolution.key),     \
     .otherwise = (text)}
#define INNER_INTS(key, key_type, key_flags, text, count)                                                              \
    {KS_NAMED(#key),       .type = KS_KEY_##key_type,                                                                  \
     .flags = (key_flags), .offset = offsetof(PARAMS, convolution.key),                                                \
     .otherwise = (text),  .minimum = 1,                                                                               \
     .maximum = INT32_MAX, .length = (count)}
#define INNER_CHOICE(key, key_flags, text, table)                                                                      \
    {KS_NAMED(#key),      .type = KS_KEY_CHOICE, .flags = (key_flags), .offset = offsetof(PARAMS, convolution.key),    \
     .otherwise = (text), .choices = (table)}
#define CONV_LSTM_KEYS(rank)                                                                                           \
    KS_ROW(PARAMS, return_sequences, BOOL, KS_NUMERIC, "false"),                                                       \
        KS_ROW(PARAMS, return_state, BOOL, KS_NUMERIC, "false"),                                                       \
        KS_ROW(PARAMS, go_backwards, BOOL, KS_NUMERIC, "false"), KS_ROW(PARAMS, stateful, BOOL, KS_NUMERIC, "false"),  \
        KS_ROW(PARAMS, unroll, BOOL, 0, "false"), KS_ROW(PARAMS, zero_output_for_mask, BOOL, KS_NUMERIC, "false"),     \
        INNER_INTS(filters, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0),                                                   \
        INNER_INTS(kernel_size, INTS, KS_REQUIRED | KS_NUMERIC, NULL, rank),                                           \
        INNER_INTS(strides, INTS, KS_NUMERIC, "1", rank), INNER_CHOICE(padding, KS_NUMERIC, "\"valid\"", paddings),    \
        INNER_CHOICE(data_format, KS_NULLABLE | KS_NUMERIC, "null", ks_data_formats),                                  \
        INNER_INTS(dilation_rate, INTS, KS_NUMERIC, "1", rank),                                                        \
        INNER_ROW(activation, ACTIVATION, KS_NULLABLE | KS_NUMERIC, "\"tanh\""),                                       \
        KS_ROW(PARAMS, recurrent_activation, ACTIVATION, KS_NULLABLE | KS_NUMERIC, "\"sigmoid\""),                     \
        INNER_ROW(use_bias, BOOL, KS_NUMERIC, "true"),                                                                 \
        INNER_ROW(kernel_initializer, INITIALIZER, KS_NULLABLE | KS_INERT, "\"glorot_uniform\""),                      \
        KS_ROW_INITIALIZER(PARAMS, recurrent_initializer, "\"orthogonal\""),                                           \
        INNER_ROW(bias_initializer, INITIALIZER, KS_NULLABLE | KS_INERT, "\"zeros\""),                                 \
        KS_ROW(PARAMS, unit_forget_bias, BOOL, KS_INERT, "true"),                                                      \
        INNER_ROW(kernel_regularizer, REGULARIZER, KS_NULLABLE | KS_INERT, "null"),                                    \
        KS_ROW_REGULARIZER(PARAMS, recurrent_regularizer),                                                             \
        INNER_ROW(bias_regularizer, REGULARIZER, KS_NULLABLE | KS_INERT, "null"),                                      \
        INNER_ROW(activity_regularizer, REGULARIZER, KS_NULLABLE | KS_INERT, "null"),                                  \
        INNER_ROW(kernel_constraint, CONSTRAINT, KS_NULLABLE | KS_INERT, "null"),                                      \
        KS_ROW_CONSTRAINT(PARAMS, recurrent_constraint),                                                               \
        INNER_ROW(bias_constraint, CONSTRAINT, KS_NULLABLE | KS_INERT, "null"),                                        \
        KS_ROW(PARAMS, dropout, FLOAT, KS_INERT, "0.0"), KS_ROW(PARAMS, recurrent_dropout, FLOAT, KS_INERT, "0.0"),    \
        KS_ROW(PARAMS, seed, ANY, KS_NULLABLE | KS_INERT, "null")

static const char *const paddings[] = {"valid", "same", NULL};
static const ks_key keys_1d[] = {CONV_LSTM_KEYS(1)};
static const ks_key keys_2d[] = {CONV_LSTM_KEYS(2)};
static const ks_key keys_3d[] = {CONV_LSTM_KEYS(3)};

static ks_array *sequence_input(ks_call *call, const ks_object *object) {
    const ks_conv_lstm *params = object->params;
    ks_array *input = ks_call_input(call, object);
    int rank = params->convolution.kernel_size.count + 3;
    return input && ks_call_check_rank(call, object, input, rank, rank) == KS_OK ? input : NULL;
}

ks_code ks_conv_lstm_step_shape(ks_shape *out, ks_call *call, const ks_object *object, const ks_shape *sequence) {
    const ks_conv_lstm *params = object->params;
    ks_window_rule rule = ks_convolution_rule(&params->convolution);
    ks_shape step = *sequence;
    ks_shape_drop(&step, 1);
    return ks_window_shape(out, call, object, &step, &rule, params->convolution.filters);
}

const ks_class ks_conv_lstm_cell = {
    .name = "ConvLSTMCell",
    .module = "keras.src.layers.rnn.conv_lstm",
    .kind = KS_KIND_LAYER,
};

static ks_code conv_lstm_build(ks_call *call, ks_object *object) {
    ks_conv_lstm *params = object->params;
    const ks_convolution *c = &params->convolution;
    ks_array *input = sequence_input(call, object);
    ks_shape kernel = {.rank = c->kernel_size.count + 2}, recurrent, bias = {1, {4 * c->filters}}, step;
    ks_code code;
    if (!input)
        return call->context->error.code;
    if (params->stateful && input->shape.dims[0] == KS_UNKNOWN_DIM)
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "stateful",
                            "a stateful layer needs a known batch size");
    KS_TRY(ks_conv_lstm_step_shape(&step, call, object, &input->shape));
    for (int i = 0; i < c->kernel_size.count; i++)
        kernel.dims[i] = c->kernel_size.items[i];
    kernel.dims[kernel.rank - 1] = 4 * c->filters;
    recurrent = kernel;
    kernel.dims[kernel.rank - 2] = input->shape.dims[c->data_format == KS_CHANNELS_FIRST ? 2 : input->shape.rank - 1];
    recurrent.dims[recurrent.rank - 2] = c->filters;
    KS_TRY(ks_make_child(&params->cell, call, object, "cell", "conv_lstm_cell", &ks_conv_lstm_cell));
    params->cell->built = true;
    KS_TRY(ks_add_variable(call, params->cell, "kernel", &kernel, KS_DTYPE_NONE, true));
    KS_TRY(ks_add_variable(call, params->cell, "recurrent_kernel", &recurrent, KS_DTYPE_NONE, true));
    if (c->use_bias)
        KS_TRY(ks_add_variable(call, params->cell, "bias", &bias, KS_DTYPE_NONE, true));
done:
    return code;
}

static ks_code check_channels(ks_call *call, const ks_object *object, const ks_shape *input) {
    const ks_conv_lstm *params = object->params;
    const ks_shape *kernel = &params->cell->trainable_variables->shape;
    int64_t expected = kernel->dims[kernel->rank - 2];
    int64_t found = input->dims[params->convolution.data_format == KS_CHANNELS_FIRST ? 2 : input->rank - 1];
    if (ks_dims_agree(expected, found))
        return KS_OK;
    return ks_shape_error(call->context, object, "expected %lld channels, found %lld", (long long)expected,
                          (long long)found);
}

static ks_code conv_lstm_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_conv_lstm *params = object->params;
    ks_array *input = sequence_input(call, object);
    ks_shape step, result;
    ks_tree output;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(check_channels(call, object, &input->shape));
    KS_TRY(ks_conv_lstm_step_shape(&step, call, object, &input->shape));
    result = step;
    if (params->return_sequences)
        ks_shape_insert(&result, 1, input->shape.dims[1]);
    KS_TRY(ks_result(&output, call, KS_DTYPE_NONE, &result));
    *out = output;
    if (!params->return_state)
        return KS_OK;
    *out = ks_tree_list(call->arena, 3);
    if (!out->as.list.items)
        return call->context->error.code;
    out->as.list.items[0] = output;
    KS_TRY(ks_result(&out->as.list.items[1], call, KS_DTYPE_NONE, &step));
    KS_TRY(ks_result(&out->as.list.items[2], call, KS_DTYPE_NONE, &step));
done:
    return code;
}

static ks_code conv_lstm_compute_mask(ks_array **masks, const ks_tree *result, ks_call *call, ks_object *object) {
    const ks_conv_lstm *params = object->params;
    const ks_tree *argument = &call->arguments[2];
    ks_array *input = ks_call_input(call, object);
    (void)result;
    if (!params->return_sequences || !input)
        return KS_OK;
    masks[0] = argument->type == KS_TREE_ARRAY ? argument->as.array : input->mask;
    return KS_OK;
}

static const char *const arguments[] = {"sequences", "initial_state", "mask", "training", NULL};

#define CONV_LSTM_CLASS(class_name, table)                                                                             \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(table),                                                                                                \
        .params_size = sizeof(PARAMS),                                                                                 \
        .arguments = arguments,                                                                                        \
        .mask = KS_MASK_CUSTOM,                                                                                        \
        .build = conv_lstm_build,                                                                                      \
        .infer = conv_lstm_infer,                                                                                      \
        .compute_mask = conv_lstm_compute_mask,                                                                        \
    }
CONV_LSTM_CLASS(ConvLSTM1D, keys_1d);
CONV_LSTM_CLASS(ConvLSTM2D, keys_2d);
CONV_LSTM_CLASS(ConvLSTM3D, keys_3d);
