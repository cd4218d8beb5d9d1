// SPDX-License-Identifier: Apache-2.0
//
// Flatten, Reshape, Permute, RepeatVector, ZeroPadding, Cropping, UpSampling. Source of the rules: Keras 3
// layers/reshaping/*.py, ops/operation_utils.py (compute_reshape_output_shape).
#include "schema/reshaping.h"

#include "schema/key_row.h"

static const char *const interpolations[] = {"nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area", NULL};

static ks_array *input_of_rank(ks_call *call, const ks_object *object, int minimum, int maximum) {
    ks_array *input = ks_call_input(call, object);
    if (!input || ks_call_check_rank(call, object, input, minimum, maximum) != KS_OK)
        return NULL;
    return input;
}

// Elements of the axes from `first` on; unknown when one of them is.
static int64_t elements_from(const ks_shape *shape, int first) {
    int64_t count = 1;
    for (int i = first; i < shape->rank; i++)
        if (shape->dims[i] < 0)
            return KS_UNKNOWN_DIM;
    for (int i = first; i < shape->rank; i++)
        count = ks_size_multiply(count, shape->dims[i]);
    return count;
}

// --- Flatten --------------------------------------------------------------------------------------------------------

static const ks_key flatten_keys[] = {KS_ROW_DATA_FORMAT(ks_flatten)};

static ks_code flatten_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_array *input = input_of_rank(call, object, 1, -1);
    ks_shape shape = {.rank = 2};
    if (!input)
        return call->context->error.code;
    shape.dims[0] = input->shape.dims[0];
    shape.dims[1] = elements_from(&input->shape, 1);
    return ks_result_like(out, call, input, &shape);
}

// --- Reshape --------------------------------------------------------------------------------------------------------

static const ks_key reshape_keys[] = {
    KS_ROW_INTS(ks_reshape, target_shape, INTS, KS_REQUIRED | KS_NUMERIC, NULL, 0, -1),
};

static ks_code reshape_check(ks_context *context, ks_object *object) {
    const ks_reshape *params = object->params;
    int n_unknown = 0;
    if (params->target_shape.scalar)
        return ks_key_error(context, KS_E_CONFIG_TYPE, object, "target_shape", "expected a list, found an integer");
    for (int i = 0; i < params->target_shape.count; i++)
        n_unknown += params->target_shape.items[i] == -1;
    if (n_unknown > 1)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "target_shape", "expected one -1 at most, found %d",
                            n_unknown);
    return KS_OK;
}

static ks_code reshape_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_reshape *params = object->params;
    ks_array *input = input_of_rank(call, object, 1, -1);
    ks_shape shape;
    int64_t total, known = 1;
    int unknown = -1;
    if (!input)
        return call->context->error.code;
    shape.rank = params->target_shape.count + 1;
    shape.dims[0] = input->shape.dims[0];
    for (int i = 1; i < shape.rank; i++) {
        shape.dims[i] = params->target_shape.items[i - 1];
        if (shape.dims[i] < 0)
            unknown = i;
        else
            known = ks_size_multiply(known, shape.dims[i]);
    }
    total = elements_from(&input->shape, 1);
    if (total >= 0) {
        if (unknown >= 0 ? known == 0 || total % known != 0 : total != known)
            return ks_shape_error(call->context, object, "%lld elements do not fit the target shape", (long long)total);
        if (unknown >= 0)
            shape.dims[unknown] = total / known;
    }
    return ks_result_like(out, call, input, &shape);
}

// --- Permute --------------------------------------------------------------------------------------------------------

static const ks_key permute_keys[] = {
    KS_ROW_INTS(ks_permute, dims, INTS, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1),
};

static ks_code permute_check(ks_context *context, ks_object *object) {
    const ks_permute *params = object->params;
    uint32_t seen = 0;
    bool valid = !params->dims.scalar;
    for (int i = 0; i < params->dims.count; i++) {
        int64_t dim = params->dims.items[i];
        valid = valid && dim <= params->dims.count && !(seen >> dim & 1);
        seen |= dim < 32 ? UINT32_C(1) << dim : 0;
    }
    if (!valid)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "dims", "expected the axes from 1 on, each once");
    return KS_OK;
}

static ks_code permute_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_permute *params = object->params;
    int rank = params->dims.count + 1;
    ks_array *input = input_of_rank(call, object, rank, rank);
    ks_shape shape;
    if (!input)
        return call->context->error.code;
    shape = input->shape;
    for (int i = 1; i < rank; i++)
        shape.dims[i] = input->shape.dims[params->dims.items[i - 1]];
    return ks_result_like(out, call, input, &shape);
}

// --- RepeatVector ---------------------------------------------------------------------------------------------------

static const ks_key repeat_vector_keys[] = {
    KS_ROW_INTS(ks_repeat_vector, n, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1),
};

static ks_code repeat_vector_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_repeat_vector *params = object->params;
    ks_array *input = input_of_rank(call, object, 2, 2);
    ks_shape shape = {.rank = 3};
    if (!input)
        return call->context->error.code;
    shape.dims[0] = input->shape.dims[0];
    shape.dims[1] = params->n;
    shape.dims[2] = input->shape.dims[1];
    return ks_result_like(out, call, input, &shape);
}

// --- ZeroPadding, Cropping ------------------------------------------------------------------------------------------

#define BORDER ks_border

static const ks_key padding_1d_keys[] = {
    KS_ROW_INTS(BORDER, padding, INTS, KS_NUMERIC, "1", 2, 0),
    KS_ROW_DATA_FORMAT(BORDER), // since 3.9
};
static const ks_key padding_2d_keys[] = {
    KS_ROW_INTS(BORDER, padding, PAIRS, KS_NUMERIC, "1", 2, 0),
    KS_ROW_DATA_FORMAT(BORDER),
};
static const ks_key padding_3d_keys[] = {
    KS_ROW_INTS(BORDER, padding, PAIRS, KS_NUMERIC, "1", 3, 0),
    KS_ROW_DATA_FORMAT(BORDER),
};
static const ks_key cropping_1d_keys[] = {
    KS_ROW_INTS(BORDER, cropping, INTS, KS_NUMERIC, "1", 2, 0),
};
static const ks_key cropping_2d_keys[] = {
    KS_ROW_INTS(BORDER, cropping, PAIRS, KS_NUMERIC, "0", 2, 0),
    KS_ROW_DATA_FORMAT(BORDER),
};
static const ks_key cropping_3d_keys[] = {
    KS_ROW_INTS(BORDER, cropping, PAIRS, KS_NUMERIC, "1", 3, 0),
    KS_ROW_DATA_FORMAT(BORDER),
};

static ks_code padding_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_border *params = object->params;
    int n_axes = params->padding.count / 2;
    int first = ks_spatial_axis(params->data_format == KS_CHANNELS_FIRST);
    ks_array *input = input_of_rank(call, object, n_axes + 2, n_axes + 2);
    ks_shape shape;
    if (!input)
        return call->context->error.code;
    shape = input->shape;
    for (int i = 0; i < n_axes; i++)
        shape.dims[first + i] =
            ks_size_add(shape.dims[first + i], params->padding.items[2 * i] + params->padding.items[2 * i + 1]);
    return ks_result_like(out, call, input, &shape);
}

static ks_code cropping_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_border *params = object->params;
    int n_axes = params->cropping.count / 2;
    int first = ks_spatial_axis(params->data_format == KS_CHANNELS_FIRST);
    ks_array *input = input_of_rank(call, object, n_axes + 2, n_axes + 2);
    ks_shape shape;
    if (!input)
        return call->context->error.code;
    shape = input->shape;
    for (int i = 0; i < n_axes; i++) {
        int64_t cut = params->cropping.items[2 * i] + params->cropping.items[2 * i + 1];
        if (shape.dims[first + i] < 0)
            continue;
        if (cut >= shape.dims[first + i])
            return ks_shape_error(call->context, object, "%lld elements cannot be cut from %lld", (long long)cut,
                                  (long long)shape.dims[first + i]);
        shape.dims[first + i] -= cut;
    }
    return ks_result_like(out, call, input, &shape);
}

// --- UpSampling -----------------------------------------------------------------------------------------------------

static const ks_key up_sampling_1d_keys[] = {
    KS_ROW_INTS(ks_up_sampling, size, INTS, KS_NUMERIC | KS_SCALAR, "2", 1, 1),
};
static const ks_key up_sampling_2d_keys[] = {
    KS_ROW_INTS(ks_up_sampling, size, INTS, KS_NUMERIC, "2", 2, 1),
    KS_ROW_DATA_FORMAT(ks_up_sampling),
    KS_ROW_CHOICE(ks_up_sampling, interpolation, KS_NUMERIC, "\"nearest\"", interpolations),
};
static const ks_key up_sampling_3d_keys[] = {
    KS_ROW_INTS(ks_up_sampling, size, INTS, KS_NUMERIC, "2", 3, 1),
    KS_ROW_DATA_FORMAT(ks_up_sampling),
};

static ks_code up_sampling_1d_check(ks_context *context, ks_object *object) {
    const ks_up_sampling *params = object->params;
    if (!params->size.scalar && object->config && ks_value_get(object->config, "size"))
        return ks_key_error(context, KS_E_CONFIG_TYPE, object, "size", "expected an integer, found a list");
    return KS_OK;
}

// Interpolated pixels are real numbers whatever the pixels were.
static ks_code up_sampling_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_up_sampling *params = object->params;
    int n_axes = params->size.count;
    int first = ks_spatial_axis(params->data_format == KS_CHANNELS_FIRST);
    ks_array *input = input_of_rank(call, object, n_axes + 2, n_axes + 2);
    ks_shape shape;
    if (!input)
        return call->context->error.code;
    shape = input->shape;
    for (int i = 0; i < n_axes; i++)
        shape.dims[first + i] = ks_size_multiply(shape.dims[first + i], params->size.items[i]);
    if (params->interpolation == KS_INTERPOLATION_NEAREST)
        return ks_result_like(out, call, input, &shape);
    return ks_result(out, call, KS_DTYPE_NONE, &shape);
}

// --- rows -----------------------------------------------------------------------------------------------------------

#define RESHAPING(class_name, params, key_table, check_function, infer_function)                                       \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(key_table),                                                                                            \
        .params_size = sizeof(params),                                                                                 \
        .mask = KS_MASK_NONE,                                                                                          \
        .check = check_function,                                                                                       \
        .infer = infer_function,                                                                                       \
    }

RESHAPING(Flatten, ks_flatten, flatten_keys, NULL, flatten_infer);
RESHAPING(Reshape, ks_reshape, reshape_keys, reshape_check, reshape_infer);
RESHAPING(Permute, ks_permute, permute_keys, permute_check, permute_infer);
RESHAPING(RepeatVector, ks_repeat_vector, repeat_vector_keys, NULL, repeat_vector_infer);
RESHAPING(ZeroPadding1D, ks_border, padding_1d_keys, NULL, padding_infer);
RESHAPING(ZeroPadding2D, ks_border, padding_2d_keys, NULL, padding_infer);
RESHAPING(ZeroPadding3D, ks_border, padding_3d_keys, NULL, padding_infer);
RESHAPING(Cropping1D, ks_border, cropping_1d_keys, NULL, cropping_infer);
RESHAPING(Cropping2D, ks_border, cropping_2d_keys, NULL, cropping_infer);
RESHAPING(Cropping3D, ks_border, cropping_3d_keys, NULL, cropping_infer);
RESHAPING(UpSampling1D, ks_up_sampling, up_sampling_1d_keys, up_sampling_1d_check, up_sampling_infer);
RESHAPING(UpSampling2D, ks_up_sampling, up_sampling_2d_keys, NULL, up_sampling_infer);
RESHAPING(UpSampling3D, ks_up_sampling, up_sampling_3d_keys, NULL, up_sampling_infer);
