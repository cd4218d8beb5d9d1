// SPDX-License-Identifier: Apache-2.0
//
// Pooling: windows, global, adaptive. Source of the rules: Keras 3 layers/pooling/base_pooling.py,
// base_global_pooling.py, base_adaptive_pooling.py, global_average_pooling1d.py.
#include "schema/pooling.h"

#include "schema/key_row.h"

static const char *const paddings[] = {"valid", "same", NULL};

#define POOLING_KEYS(rank, size_flags, size_default)                                                                   \
    KS_ROW_INTS(ks_pooling, pool_size, INTS, KS_NUMERIC | (size_flags), size_default, rank, 1),                        \
        KS_ROW_CHOICE(ks_pooling, padding, KS_NUMERIC, "\"valid\"", paddings),                                         \
        KS_ROW_INTS(ks_pooling, strides, INTS, KS_NULLABLE | KS_NUMERIC, "null", rank, 1),                             \
        KS_ROW_DATA_FORMAT(ks_pooling)

static const ks_key max_1d_keys[] = {POOLING_KEYS(1, 0, "2")};
static const ks_key max_2d_keys[] = {POOLING_KEYS(2, 0, "2")};
static const ks_key max_3d_keys[] = {POOLING_KEYS(3, 0, "2")};
static const ks_key average_1d_keys[] = {POOLING_KEYS(1, KS_REQUIRED, NULL)};
static const ks_key average_2d_keys[] = {POOLING_KEYS(2, KS_REQUIRED, NULL)};
static const ks_key average_3d_keys[] = {POOLING_KEYS(3, KS_REQUIRED, NULL)};

static const ks_key global_keys[] = {
    KS_ROW_DATA_FORMAT(ks_global_pooling),
    KS_ROW(ks_global_pooling, keepdims, BOOL, KS_NUMERIC, "false"),
};

#define ADAPTIVE_KEYS(rank)                                                                                            \
    KS_ROW_INTS(ks_adaptive_pooling, output_size, INTS, KS_REQUIRED | KS_NUMERIC, NULL, rank, 1),                      \
        KS_ROW_DATA_FORMAT(ks_adaptive_pooling)

static const ks_key adaptive_1d_keys[] = {ADAPTIVE_KEYS(1)};
static const ks_key adaptive_2d_keys[] = {ADAPTIVE_KEYS(2)};
static const ks_key adaptive_3d_keys[] = {ADAPTIVE_KEYS(3)};

// The input, its rank checked; NULL with the error set.
static ks_array *pooling_input(ks_call *call, const ks_object *object, int rank) {
    ks_array *input = ks_call_input(call, object);
    if (!input || (rank && ks_call_check_rank(call, object, input, rank, rank) != KS_OK))
        return NULL;
    return input;
}

// --- windows --------------------------------------------------------------------------------------------------------

ks_window_rule ks_pooling_rule(const ks_pooling *params) {
    ks_window_rule rule = {&params->pool_size,
                           &params->strides,
                           NULL,
                           (ks_padding)params->padding,
                           params->data_format == KS_CHANNELS_FIRST,
                           KS_SAME_TENSORFLOW};
    return rule;
}

// Without strides a window follows the other.
static ks_code pooling_check(ks_context *context, ks_object *object) {
    ks_pooling *params = object->params;
    (void)context;
    if (params->strides.count == 0)
        params->strides = params->pool_size;
    return KS_OK;
}

static ks_code pooling_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_pooling *params = object->params;
    ks_array *input = pooling_input(call, object, params->pool_size.count + 2);
    ks_window_rule rule = ks_pooling_rule(params);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_window_shape(&shape, call, object, &input->shape, &rule,
                           input->shape.dims[ks_channel_axis(&input->shape, rule.channels_first)]));
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &shape));
done:
    return code;
}

// --- global ---------------------------------------------------------------------------------------------------------

static ks_code global_infer(ks_tree *out, ks_call *call, ks_object *object, int spatial) {
    const ks_global_pooling *params = object->params;
    bool channels_first = params->data_format == KS_CHANNELS_FIRST;
    ks_array *input = pooling_input(call, object, spatial + 2);
    ks_shape shape;
    int64_t channels;
    if (!input)
        return call->context->error.code;
    shape = input->shape;
    channels = shape.dims[ks_channel_axis(&shape, channels_first)];
    for (int i = 1; i < shape.rank; i++)
        shape.dims[i] = 1;
    if (!params->keepdims)
        shape.rank = 2;
    shape.dims[ks_channel_axis(&shape, channels_first)] = channels;
    return ks_result(out, call, KS_DTYPE_NONE, &shape);
}

static ks_code global_1d_infer(ks_tree *out, ks_call *call, ks_object *object) {
    return global_infer(out, call, object, 1);
}

static ks_code global_2d_infer(ks_tree *out, ks_call *call, ks_object *object) {
    return global_infer(out, call, object, 2);
}

static ks_code global_3d_infer(ks_tree *out, ks_call *call, ks_object *object) {
    return global_infer(out, call, object, 3);
}

// A mask says of each step whether it counts.
static ks_code masked_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_global_pooling *params = object->params;
    const ks_array *mask = ks_call_array(call, 1);
    ks_code code;
    KS_TRY(global_1d_infer(out, call, object));
    if (mask && !call->symbolic) {
        const ks_array *input = ks_call_input(call, object);
        int steps = params->data_format == KS_CHANNELS_FIRST ? 2 : 1;
        if (mask->shape.rank != 2 || mask->shape.dims[0] != input->shape.dims[0] ||
            mask->shape.dims[1] != input->shape.dims[steps])
            return ks_shape_error(call->context, object, "the mask does not have one element per step");
    }
done:
    return code;
}

// --- adaptive -------------------------------------------------------------------------------------------------------

static ks_code adaptive_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_adaptive_pooling *params = object->params;
    ks_array *input = pooling_input(call, object, params->output_size.count + 2);
    int first = ks_spatial_axis(params->data_format == KS_CHANNELS_FIRST);
    ks_shape shape;
    if (!input)
        return call->context->error.code;
    shape = input->shape;
    for (int i = 0; i < params->output_size.count; i++) {
        if (shape.dims[first + i] == 0)
            return ks_shape_error(call->context, object, "spatial axis %d has no elements", i);
        shape.dims[first + i] = params->output_size.items[i];
    }
    return ks_result(out, call, KS_DTYPE_NONE, &shape);
}

// --- rows -----------------------------------------------------------------------------------------------------------

#define POOLING(class_name, params, key_table, check_function, infer_function, integer_rule)                           \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        .integers = integer_rule,                                                                                      \
        KS_KEYS(key_table),                                                                                            \
        .params_size = sizeof(params),                                                                                 \
        .mask = KS_MASK_NONE,                                                                                          \
        .check = check_function,                                                                                       \
        .infer = infer_function,                                                                                       \
    }

POOLING(MaxPooling1D, ks_pooling, max_1d_keys, pooling_check, pooling_infer, KS_INTEGERS_REFUSED);
POOLING(MaxPooling2D, ks_pooling, max_2d_keys, pooling_check, pooling_infer, KS_INTEGERS_REFUSED);
POOLING(MaxPooling3D, ks_pooling, max_3d_keys, pooling_check, pooling_infer, KS_INTEGERS_REFUSED);
POOLING(AveragePooling1D, ks_pooling, average_1d_keys, pooling_check, pooling_infer, KS_INTEGERS_REFUSED);
POOLING(AveragePooling2D, ks_pooling, average_2d_keys, pooling_check, pooling_infer, KS_INTEGERS_REFUSED);
POOLING(AveragePooling3D, ks_pooling, average_3d_keys, pooling_check, pooling_infer, KS_INTEGERS_REFUSED);
POOLING(GlobalMaxPooling1D, ks_global_pooling, global_keys, NULL, global_1d_infer, KS_INTEGERS_REFUSED);
POOLING(GlobalMaxPooling2D, ks_global_pooling, global_keys, NULL, global_2d_infer, KS_INTEGERS_REFUSED);
POOLING(GlobalMaxPooling3D, ks_global_pooling, global_keys, NULL, global_3d_infer, KS_INTEGERS_REFUSED);
POOLING(GlobalAveragePooling2D, ks_global_pooling, global_keys, NULL, global_2d_infer, KS_INTEGERS_REFUSED_KERAS2);
POOLING(GlobalAveragePooling3D, ks_global_pooling, global_keys, NULL, global_3d_infer, KS_INTEGERS_REFUSED_KERAS2);

static const char *const masked_arguments[] = {"inputs", "mask", NULL};

const ks_class ks_class_GlobalAveragePooling1D = {
    .name = "GlobalAveragePooling1D",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED_KERAS2,
    KS_KEYS(global_keys),
    .params_size = sizeof(ks_global_pooling),
    .arguments = masked_arguments,
    .mask = KS_MASK_NONE, // it takes masks and gives none
    .infer = masked_infer,
};

#define ADAPTIVE(class_name, key_table)                                                                                \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        .integers = KS_INTEGERS_REFUSED,                                                                               \
        KS_KEYS(key_table),                                                                                            \
        .params_size = sizeof(ks_adaptive_pooling),                                                                    \
        .mask = KS_MASK_NONE,                                                                                          \
        .since = "3.14",                                                                                               \
        .infer = adaptive_infer,                                                                                       \
    }

ADAPTIVE(AdaptiveMaxPooling1D, adaptive_1d_keys);
ADAPTIVE(AdaptiveMaxPooling2D, adaptive_2d_keys);
ADAPTIVE(AdaptiveMaxPooling3D, adaptive_3d_keys);
ADAPTIVE(AdaptiveAveragePooling1D, adaptive_1d_keys);
ADAPTIVE(AdaptiveAveragePooling2D, adaptive_2d_keys);
ADAPTIVE(AdaptiveAveragePooling3D, adaptive_3d_keys);
