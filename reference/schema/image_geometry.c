// SPDX-License-Identifier: Apache-2.0
//
// CenterCrop, Resizing, CategoryEncoding. Source of the rules: Keras 3 layers/preprocessing/image_preprocessing/
// {center_crop,resizing}.py, layers/preprocessing/category_encoding.py; tf_keras layers/preprocessing/*.py.
#include "schema/image_geometry.h"

#include "schema/broadcast.h"
#include "schema/key_row.h"

#define GEOMETRY ks_image_geometry
#define SIZE_KEYS                                                                                                      \
    KS_ROW_DATA_FORMAT(GEOMETRY), KS_ROW_LOOSE(bounding_box_format, TEXT, KS_NULLABLE | KS_NOT_NULL, "null"),          \
        KS_ROW_INTS(GEOMETRY, height, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1),                                      \
        KS_ROW_INTS(GEOMETRY, width, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1)

static const char *const interpolations[] = {"bilinear", "nearest",  "bicubic",       "lanczos3", "lanczos5",
                                             "area",     "gaussian", "mitchellcubic", NULL};

static const ks_key center_crop_keys[] = {SIZE_KEYS};
static const ks_key resizing_keys[] = {
    SIZE_KEYS,
    KS_ROW_CHOICE(GEOMETRY, interpolation, KS_NUMERIC, "\"bilinear\"", interpolations),
    KS_ROW(GEOMETRY, crop_to_aspect_ratio, BOOL, KS_NUMERIC, "false"),
    KS_ROW(GEOMETRY, pad_to_aspect_ratio, BOOL, KS_NUMERIC, "false"),
    KS_ROW(GEOMETRY, fill_mode, TEXT, KS_NUMERIC, "\"constant\""),
    KS_ROW(GEOMETRY, fill_value, FLOAT, KS_NUMERIC, "0.0"),
    KS_ROW(GEOMETRY, antialias, BOOL, KS_NUMERIC, "false"),
};

static const char *const geometry_arguments[] = {"inputs", "training", NULL};

static ks_code resizing_check(ks_context *context, ks_object *object) {
    const GEOMETRY *params = object->params;
    if (params->interpolation > KS_RESIZE_NEAREST)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "interpolation",
                            "interpolation \"%s\" cannot be run by this reference",
                            interpolations[params->interpolation]);
    if (params->crop_to_aspect_ratio || params->pad_to_aspect_ratio || params->antialias)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object,
                            params->crop_to_aspect_ratio  ? "crop_to_aspect_ratio"
                            : params->pad_to_aspect_ratio ? "pad_to_aspect_ratio"
                                                          : "antialias",
                            "true cannot be run by this reference");
    return KS_OK;
}

static int row_axis(const GEOMETRY *params, const ks_shape *shape) {
    return params->data_format == KS_CHANNELS_FIRST ? shape->rank - 2 : shape->rank - 3;
}

static ks_code resizing_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const GEOMETRY *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_code code;
    int rows;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 3, 4));
    shape = input->shape;
    rows = row_axis(params, &shape);
    if (!call->symbolic && (shape.dims[rows] == 0 || shape.dims[rows + 1] == 0))
        return ks_shape_error(call->context, object, "there is nothing to resize");
    shape.dims[rows] = params->height;
    shape.dims[rows + 1] = params->width;
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &shape));
done:
    return code;
}

// Images that are too small would be resized.
static ks_code center_crop_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const GEOMETRY *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_code code;
    int rows;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 3, 4));
    rows = row_axis(params, &input->shape);
    for (int i = 0; i < 2; i++) {
        int64_t size = input->shape.dims[rows + i], wanted = i ? params->width : params->height;
        if (size < wanted && (size >= 0 || !call->symbolic))
            return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, i ? "width" : "height",
                                "images smaller than the crop cannot be run by this reference");
    }
    KS_TRY(resizing_infer(out, call, object));
done:
    return code;
}

#define GEOMETRY_CLASS(class_name, table, check_function, infer_function)                                              \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(table),                                                                                                \
        .params_size = sizeof(GEOMETRY),                                                                               \
        .arguments = geometry_arguments,                                                                               \
        .mask = KS_MASK_NONE,                                                                                          \
        .check = check_function,                                                                                       \
        .infer = infer_function,                                                                                       \
    }
GEOMETRY_CLASS(CenterCrop, center_crop_keys, NULL, center_crop_infer);
GEOMETRY_CLASS(Resizing, resizing_keys, resizing_check, resizing_infer);

// --- CategoryEncoding -----------------------------------------------------------------------------------------------

static const char *const encodings[] = {"multi_hot", "one_hot", "count", NULL};

static const ks_key category_keys[] = {
    KS_ROW_INTS(ks_category_encoding, num_tokens, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1),
    KS_ROW_CHOICE(ks_category_encoding, output_mode, KS_NUMERIC, "\"multi_hot\"", encodings),
};

// one_hot: a last axis of 1 goes away; the others count over the last axis.
static ks_code category_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_category_encoding *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    if (call->arguments[1].type != KS_TREE_NONE)
        return ks_fail(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "weights of the counts cannot be run by this reference");
    KS_TRY(ks_call_check_rank(call, object, input, 2, KS_MAX_RANK - 1));
    shape = input->shape;
    if (params->output_mode == KS_ENCODE_ONE_HOT && shape.dims[shape.rank - 1] != 1)
        ks_shape_insert(&shape, shape.rank, params->num_tokens);
    else
        shape.dims[shape.rank - 1] = params->num_tokens;
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &shape));
done:
    return code;
}

static const char *const category_arguments[] = {"inputs", "count_weights", NULL};

const ks_class ks_class_CategoryEncoding = {
    .name = "CategoryEncoding",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(category_keys),
    .params_size = sizeof(ks_category_encoding),
    .arguments = category_arguments,
    .mask = KS_MASK_NONE,
    .infer = category_infer,
};
