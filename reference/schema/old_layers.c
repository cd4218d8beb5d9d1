// SPDX-License-Identifier: Apache-2.0
//
// Layers that Keras 3 does not have any more. Their modules are "keras2.layers" and "keras1.layers", which no document
// of Keras 3 may name. Source of the rules: tf_keras layers/locally_connected/*.py, layers/activation; Keras 1.2.2
// layers/core.py, advanced_activations.py, normalization.py (mode 1), engine/topology.py (Merge, mode "cos").
#include "schema/old_layers.h"

#include "schema/broadcast.h"
#include "schema/key_row.h"
#include "schema/merging.h"

// --- ThresholdedReLU ------------------------------------------------------------------------------------------------

static const ks_key thresholded_keys[] = {KS_ROW(ks_thresholded_relu, theta, FLOAT, KS_NUMERIC, "1.0")};

static const char *const inputs_only[] = {"inputs", NULL};

const ks_class ks_class_ThresholdedReLU = {
    .name = "ThresholdedReLU",
    .module = "keras2.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(thresholded_keys),
    .params_size = sizeof(ks_thresholded_relu),
    .arguments = inputs_only,
    .mask = KS_MASK_PASS,
};

// --- LocallyConnected1D, LocallyConnected2D -------------------------------------------------------------------------

#define LOCAL ks_locally_connected
#define LOCAL_ROW(key, key_type, key_flags, text)                                                                      \
    {KS_NAMED(#key), .type = KS_KEY_##key_type, .flags = (key_flags), .offset = offsetof(LOCAL, convolution.key),      \
     .otherwise = (text)}
#define LOCAL_INTS(key, key_type, key_flags, text, count)                                                              \
    {KS_NAMED(#key),       .type = KS_KEY_##key_type,                                                                  \
     .flags = (key_flags), .offset = offsetof(LOCAL, convolution.key),                                                 \
     .otherwise = (text),  .minimum = 1,                                                                               \
     .maximum = INT32_MAX, .length = (count)}
#define LOCAL_CHOICE(key, key_flags, text, table)                                                                      \
    {KS_NAMED(#key),      .type = KS_KEY_CHOICE, .flags = (key_flags), .offset = offsetof(LOCAL, convolution.key),     \
     .otherwise = (text), .choices = (table)}
#define LOCAL_KEYS(rank)                                                                                               \
    LOCAL_INTS(filters, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0),                                                       \
        LOCAL_INTS(kernel_size, INTS, KS_REQUIRED | KS_NUMERIC, NULL, rank),                                           \
        LOCAL_INTS(strides, INTS, KS_NUMERIC, "1", rank),                                                              \
        LOCAL_CHOICE(padding, KS_NUMERIC, "\"valid\"", local_paddings),                                                \
        LOCAL_CHOICE(data_format, KS_NULLABLE | KS_NUMERIC, "null", ks_data_formats),                                  \
        LOCAL_ROW(activation, ACTIVATION, KS_NULLABLE | KS_NUMERIC, "null"),                                           \
        LOCAL_ROW(use_bias, BOOL, KS_NUMERIC, "true"),                                                                 \
        LOCAL_ROW(kernel_initializer, INITIALIZER, KS_NULLABLE | KS_INERT, "\"glorot_uniform\""),                      \
        LOCAL_ROW(bias_initializer, INITIALIZER, KS_NULLABLE | KS_INERT, "\"zeros\""),                                 \
        LOCAL_ROW(kernel_regularizer, REGULARIZER, KS_NULLABLE | KS_INERT, "null"),                                    \
        LOCAL_ROW(bias_regularizer, REGULARIZER, KS_NULLABLE | KS_INERT, "null"),                                      \
        LOCAL_ROW(activity_regularizer, REGULARIZER, KS_NULLABLE | KS_INERT, "null"),                                  \
        LOCAL_ROW(kernel_constraint, CONSTRAINT, KS_NULLABLE | KS_INERT, "null"),                                      \
        LOCAL_ROW(bias_constraint, CONSTRAINT, KS_NULLABLE | KS_INERT, "null"),                                        \
        {KS_NAMED("implementation"), .type = KS_KEY_INT, .flags = 0,  .offset = offsetof(LOCAL, implementation),       \
         .otherwise = "1",           .minimum = 1,       .maximum = 3}

static const char *const local_paddings[] = {"valid", "same", NULL};
static const ks_key local_1d_keys[] = {LOCAL_KEYS(1)};
static const ks_key local_2d_keys[] = {LOCAL_KEYS(2)};

static ks_code local_check(ks_context *context, ks_object *object) {
    const LOCAL *params = object->params;
    if (params->implementation == 1 && params->convolution.padding != KS_PADDING_VALID)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "padding",
                            "the first implementation has no padding but \"valid\"");
    return KS_OK;
}

// Connected pairs of an input and an output place.
static int64_t connections(const ks_window *window) {
    int64_t count = 1;
    for (int axis = 0; axis < KS_SPATIAL; axis++) {
        int64_t along = 0;
        for (int64_t o = 0; o < window->out[axis]; o++) {
            int64_t first = o * window->stride[axis] - window->before[axis], last = first + window->kernel[axis];
            int64_t from = first < 0 ? 0 : first, to = last > window->in[axis] ? window->in[axis] : last;
            along = ks_size_add(along, to > from ? to - from : 0);
        }
        count = ks_size_multiply(count, along);
    }
    return count;
}

static int64_t volume(const int64_t *sizes) {
    return ks_size_multiply(sizes[0], ks_size_multiply(sizes[1], sizes[2]));
}

static int put_sizes(ks_shape *shape, int at, const int64_t *sizes, int rank) {
    for (int i = 0; i < rank; i++)
        shape->dims[at++] = sizes[KS_SPATIAL - rank + i];
    return at;
}

// The kernel's shape in each implementation.
static ks_shape local_kernel(const LOCAL *params, const ks_window *window, int64_t channels) {
    const ks_convolution *c = &params->convolution;
    int rank = c->kernel_size.count, at = 0;
    bool first = c->data_format == KS_CHANNELS_FIRST;
    ks_shape shape = {.rank = 3};
    if (params->implementation == 1) {
        shape.dims[0] = volume(window->out);
        shape.dims[1] = ks_size_multiply(volume(window->kernel), channels);
        shape.dims[2] = c->filters;
    } else if (params->implementation == 2) {
        shape.rank = 2 * rank + 2;
        if (first)
            shape.dims[at++] = channels;
        at = put_sizes(&shape, at, window->in, rank);
        shape.dims[at++] = first ? c->filters : channels;
        at = put_sizes(&shape, at, window->out, rank);
        if (!first)
            shape.dims[at] = c->filters;
    } else {
        shape.rank = 1;
        shape.dims[0] = ks_size_multiply(connections(window), ks_size_multiply(channels, c->filters));
    }
    return shape;
}

static ks_shape local_bias(const LOCAL *params, const ks_window *window) {
    int rank = params->convolution.kernel_size.count;
    ks_shape shape = {.rank = rank + 1};
    shape.dims[put_sizes(&shape, 0, window->out, rank)] = params->convolution.filters;
    return shape;
}

// With padding "same" a window stands around the middle of its kernel, not as TensorFlow's convolutions do.
ks_window ks_local_window(const ks_locally_connected *params, const ks_shape *input, const ks_shape *result) {
    ks_window_rule rule = ks_convolution_rule(&params->convolution);
    ks_window window = ks_window_between(input, result, &rule);
    for (int i = 0; i < KS_SPATIAL && rule.padding == KS_PADDING_SAME; i++)
        window.before[i] = window.kernel[i] / 2;
    return window;
}

static ks_code local_shape(ks_shape *out, ks_array **input, ks_call *call, ks_object *object) {
    const LOCAL *params = object->params;
    int rank = params->convolution.kernel_size.count + 2;
    ks_window_rule rule = ks_convolution_rule(&params->convolution);
    ks_code code;
    *input = ks_call_input(call, object);
    if (!*input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, *input, rank, rank));
    KS_TRY(ks_window_shape(out, call, object, &(*input)->shape, &rule, params->convolution.filters));
done:
    return code;
}

static ks_code local_build(ks_call *call, ks_object *object) {
    const LOCAL *params = object->params;
    ks_window_rule rule = ks_convolution_rule(&params->convolution);
    ks_shape result, kernel, bias;
    ks_window window;
    ks_array *input;
    ks_code code;
    KS_TRY(local_shape(&result, &input, call, object));
    for (int i = 1; i < input->shape.rank; i++)
        if (input->shape.dims[i] < 0)
            return ks_shape_error(call->context, object, "every size of the input but the batch must be known");
    window = ks_local_window(params, &input->shape, &result);
    if (params->implementation == 3)
        for (int i = 0; i < KS_SPATIAL; i++)
            if (window.out[i] > (int64_t)call->context->limits.tensor_elements)
                return ks_shape_error(call->context, object, "the input is too large");
    kernel = local_kernel(params, &window, input->shape.dims[ks_channel_axis(&input->shape, rule.channels_first)]);
    bias = local_bias(params, &window);
    KS_TRY(ks_add_variable(call, object, "kernel", &kernel, KS_DTYPE_NONE, true));
    if (params->convolution.use_bias)
        KS_TRY(ks_add_variable(call, object, "bias", &bias, KS_DTYPE_NONE, true));
done:
    return code;
}

static ks_code local_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const LOCAL *params = object->params;
    ks_window_rule rule = ks_convolution_rule(&params->convolution);
    ks_shape result, expected;
    ks_window window;
    ks_array *input;
    ks_code code;
    KS_TRY(local_shape(&result, &input, call, object));
    window = ks_local_window(params, &input->shape, &result);
    expected = local_kernel(params, &window, input->shape.dims[ks_channel_axis(&input->shape, rule.channels_first)]);
    if (!ks_shape_equal(&expected, &object->trainable_variables->shape))
        return ks_shape_error(call->context, object, "the kernel was made for an input of other sizes");
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &result));
done:
    return code;
}

#define LOCAL_CLASS(class_name, table)                                                                                 \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras2.layers",                                                                                     \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(table),                                                                                                \
        .params_size = sizeof(LOCAL),                                                                                  \
        .arguments = inputs_only,                                                                                      \
        .mask = KS_MASK_NONE,                                                                                          \
        .check = local_check,                                                                                          \
        .build = local_build,                                                                                          \
        .infer = local_infer,                                                                                          \
    }
LOCAL_CLASS(LocallyConnected1D, local_1d_keys);
LOCAL_CLASS(LocallyConnected2D, local_2d_keys);

// --- MaxoutDense, Highway -------------------------------------------------------------------------------------------

#define OLD_DENSE_KEYS                                                                                                 \
    KS_ROW(ks_old_dense, use_bias, BOOL, KS_NUMERIC, "true"),                                                          \
        KS_ROW_INITIALIZER(ks_old_dense, kernel_initializer, "\"glorot_uniform\""),                                    \
        KS_ROW_REGULARIZER(ks_old_dense, kernel_regularizer), KS_ROW_REGULARIZER(ks_old_dense, bias_regularizer),      \
        KS_ROW_REGULARIZER(ks_old_dense, activity_regularizer), KS_ROW_CONSTRAINT(ks_old_dense, kernel_constraint),    \
        KS_ROW_CONSTRAINT(ks_old_dense, bias_constraint)

static const ks_key maxout_keys[] = {
    KS_ROW_INTS(ks_old_dense, units, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1),
    KS_ROW_INTS(ks_old_dense, nb_feature, INT, KS_NUMERIC, "4", 0, 1),
    OLD_DENSE_KEYS,
};
static const ks_key highway_keys[] = {
    KS_ROW(ks_old_dense, activation, ACTIVATION, KS_NULLABLE | KS_NUMERIC, "null"),
    OLD_DENSE_KEYS,
};

static ks_code maxout_build(ks_call *call, ks_object *object) {
    const ks_old_dense *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 2, 2));
    {
        ks_shape kernel = {3, {params->nb_feature, input->shape.dims[1], params->units}};
        ks_shape bias = {2, {params->nb_feature, params->units}};
        KS_TRY(ks_add_variable(call, object, "kernel", &kernel, KS_DTYPE_NONE, true));
        if (params->use_bias)
            KS_TRY(ks_add_variable(call, object, "bias", &bias, KS_DTYPE_NONE, true));
    }
done:
    return code;
}

static ks_code dense_width(ks_array **input, ks_call *call, ks_object *object, int axis) {
    int64_t width = object->trainable_variables->shape.dims[axis];
    ks_code code;
    *input = ks_call_input(call, object);
    if (!*input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, *input, 2, 2));
    if (!ks_dims_agree((*input)->shape.dims[1], width))
        return ks_shape_error(call->context, object, "expected %lld as the last dimension of the input, found %lld",
                              (long long)width, (long long)(*input)->shape.dims[1]);
done:
    return code;
}

static ks_code maxout_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_old_dense *params = object->params;
    ks_array *input;
    ks_shape shape;
    ks_code code;
    KS_TRY(dense_width(&input, call, object, 1));
    shape = input->shape;
    shape.dims[1] = params->units;
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &shape));
done:
    return code;
}

static ks_code highway_build(ks_call *call, ks_object *object) {
    const ks_old_dense *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 2, 2));
    {
        ks_shape kernel = {2, {input->shape.dims[1], input->shape.dims[1]}}, bias = {1, {input->shape.dims[1]}};
        KS_TRY(ks_add_variable(call, object, "kernel", &kernel, KS_DTYPE_NONE, true));
        KS_TRY(ks_add_variable(call, object, "carry_kernel", &kernel, KS_DTYPE_NONE, true));
        if (params->use_bias) {
            KS_TRY(ks_add_variable(call, object, "bias", &bias, KS_DTYPE_NONE, true));
            KS_TRY(ks_add_variable(call, object, "carry_bias", &bias, KS_DTYPE_NONE, true));
        }
    }
done:
    return code;
}

static ks_code highway_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_array *input;
    ks_code code;
    KS_TRY(dense_width(&input, call, object, 0));
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &input->shape));
done:
    return code;
}

const ks_class ks_class_MaxoutDense = {
    .name = "MaxoutDense",
    .module = "keras1.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(maxout_keys),
    .params_size = sizeof(ks_old_dense),
    .arguments = inputs_only,
    .mask = KS_MASK_NONE,
    .build = maxout_build,
    .infer = maxout_infer,
};

const ks_class ks_class_Highway = {
    .name = "Highway",
    .module = "keras1.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(highway_keys),
    .params_size = sizeof(ks_old_dense),
    .arguments = inputs_only,
    .mask = KS_MASK_NONE,
    .build = highway_build,
    .infer = highway_infer,
};

// --- SReLU, ParametricSoftplus --------------------------------------------------------------------------------------

#define START_ROW(key, n)                                                                                              \
    {KS_NAMED(key), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,                                               \
     .offset = offsetof(ks_old_activation, ignored[n]), .otherwise = "null"}

static const ks_key srelu_keys[] = {START_ROW("t_left_init", 0), START_ROW("a_left_init", 1),
                                    START_ROW("t_right_init", 2), START_ROW("a_right_init", 3)};
static const ks_key softplus_keys[] = {START_ROW("alpha_init", 0), START_ROW("beta_init", 1)};

static ks_code elementwise_build(ks_call *call, ks_object *object, const char *const *names) {
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_code code = KS_OK;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 2, -1));
    shape = input->shape;
    ks_shape_drop(&shape, 0);
    for (size_t i = 0; names[i]; i++)
        KS_TRY(ks_add_variable(call, object, names[i], &shape, KS_DTYPE_NONE, true));
done:
    return code;
}

static ks_code srelu_build(ks_call *call, ks_object *object) {
    static const char *const names[] = {"t_left", "a_left", "t_right", "a_right", NULL};
    return elementwise_build(call, object, names);
}

static ks_code softplus_build(ks_call *call, ks_object *object) {
    static const char *const names[] = {"alpha", "beta", NULL};
    return elementwise_build(call, object, names);
}

static ks_code elementwise_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    if (!input)
        return call->context->error.code;
    shape = input->shape;
    if (shape.rank < 1)
        return ks_shape_error(call->context, object, "expected a batch");
    ks_shape_drop(&shape, 0);
    if (shape.rank != object->trainable_variables->shape.rank ||
        (!call->symbolic && !ks_shape_equal(&shape, &object->trainable_variables->shape)))
        return ks_shape_error(call->context, object, "the variables were made for an input of other sizes");
    return ks_result(out, call, KS_DTYPE_NONE, &input->shape);
}

#define ELEMENTWISE_CLASS(class_name, table, build_function)                                                           \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras1.layers",                                                                                     \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(table),                                                                                                \
        .params_size = sizeof(ks_old_activation),                                                                      \
        .arguments = inputs_only,                                                                                      \
        .mask = KS_MASK_PASS,                                                                                          \
        .build = build_function,                                                                                       \
        .infer = elementwise_infer,                                                                                    \
    }
ELEMENTWISE_CLASS(SReLU, srelu_keys, srelu_build);
ELEMENTWISE_CLASS(ParametricSoftplus, softplus_keys, softplus_build);

// --- SampleNormalization: BatchNormalization of Keras 1 in mode 1 ---------------------------------------------------

static const ks_key sample_keys[] = {
    KS_ROW(ks_sample_normalization, epsilon, FLOAT, KS_NUMERIC, "0.001"),
    KS_ROW_REGULARIZER(ks_sample_normalization, gamma_regularizer),
    KS_ROW_REGULARIZER(ks_sample_normalization, beta_regularizer),
};

static ks_code sample_build(ks_call *call, ks_object *object) {
    ks_array *input = ks_call_input(call, object);
    ks_shape shape = {.rank = 1};
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 2, -1));
    shape.dims[0] = input->shape.dims[input->shape.rank - 1];
    KS_TRY(ks_add_variable(call, object, "gamma", &shape, KS_DTYPE_NONE, true));
    KS_TRY(ks_add_variable(call, object, "beta", &shape, KS_DTYPE_NONE, true));
    KS_TRY(ks_add_variable(call, object, "moving_mean", &shape, KS_DTYPE_NONE, false)); // kept, never looked at
    KS_TRY(ks_add_variable(call, object, "moving_variance", &shape, KS_DTYPE_NONE, false));
done:
    return code;
}

static ks_code sample_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_array *input = ks_call_input(call, object);
    int64_t last;
    if (!input)
        return call->context->error.code;
    last = input->shape.rank ? input->shape.dims[input->shape.rank - 1] : KS_UNKNOWN_DIM;
    if (input->shape.rank < 2 || !ks_dims_agree(last, object->trainable_variables->shape.dims[0]))
        return ks_shape_error(call->context, object, "expected %lld as the last dimension of the input",
                              (long long)object->trainable_variables->shape.dims[0]);
    return ks_result(out, call, KS_DTYPE_NONE, &input->shape);
}

const ks_class ks_class_SampleNormalization = {
    .name = "SampleNormalization",
    .module = "keras1.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(sample_keys),
    .params_size = sizeof(ks_sample_normalization),
    .arguments = inputs_only,
    .mask = KS_MASK_PASS,
    .build = sample_build,
    .infer = sample_infer,
};

// --- CosineMerge: Merge of Keras 1 with mode "cos" ------------------------------------------------------------------

static const ks_key cosine_keys[] = {KS_ROW(ks_cosine_merge, axes, INTS, KS_NUMERIC, "-1")};

// Of vectors only: for matrices Keras 1 divides by something that is no norm.
static ks_code cosine_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_cosine_merge *params = object->params;
    size_t count;
    ks_array **inputs = ks_merge_inputs(&count, call, object);
    ks_shape shape;
    if (!inputs)
        return call->context->error.code;
    if (count != 2 || inputs[0]->shape.rank != 2 || inputs[1]->shape.rank != 2)
        return ks_fail(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "the cosine of anything but two vectors cannot be run by this reference");
    for (int i = 0; i < params->axes.count; i++)
        if (ks_axis(params->axes.items[i], 2) != 1)
            return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "axes", "expected the last axis");
    if (!ks_dims_agree(inputs[0]->shape.dims[1], inputs[1]->shape.dims[1]))
        return ks_shape_error(call->context, object, "the inputs have different widths");
    shape = (ks_shape){3, {inputs[0]->shape.dims[0], 1, 1}};
    return ks_result(out, call, KS_DTYPE_NONE, &shape);
}

const ks_class ks_class_CosineMerge = {
    .name = "CosineMerge",
    .module = "keras1.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(cosine_keys),
    .params_size = sizeof(ks_cosine_merge),
    .arguments = inputs_only,
    .mask = KS_MASK_NONE,
    .infer = cosine_infer,
};
