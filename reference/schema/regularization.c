// SPDX-License-Identifier: Apache-2.0
//
// Layers that give their input back at inference. Source of the rules: Keras 3 layers/regularization/*.py.
#include "schema/regularization.h"

#include "schema/key_row.h"
#include "schema/window.h"

#define PARAMS ks_dropout
#define RATE_KEY KS_ROW(PARAMS, rate, FLOAT, KS_REQUIRED | KS_INERT, NULL)
#define SEED_KEY KS_ROW(PARAMS, seed, ANY, KS_NULLABLE | KS_INERT, "null")
#define NOISE_KEY KS_ROW(PARAMS, noise_shape, ANY, KS_NULLABLE | KS_INERT, "null")

static const ks_key dropout_keys[] = {RATE_KEY, SEED_KEY, NOISE_KEY};
static const ks_key gaussian_dropout_keys[] = {RATE_KEY, SEED_KEY};
static const ks_key gaussian_noise_keys[] = {KS_ROW(PARAMS, stddev, FLOAT, KS_REQUIRED | KS_INERT, NULL), SEED_KEY};
static const ks_key spatial_1d_keys[] = {RATE_KEY, SEED_KEY};
static const ks_key spatial_keys[] = {
    RATE_KEY,
    SEED_KEY,
    KS_ROW_CHOICE(PARAMS, data_format, KS_NULLABLE | KS_INERT, "null", ks_data_formats),
};
static const ks_key activity_keys[] = {
    KS_ROW(ks_activity_regularization, l1, FLOAT, KS_INERT, "0.0"),
    KS_ROW(ks_activity_regularization, l2, FLOAT, KS_INERT, "0.0"),
};

static ks_code check_share(ks_context *context, ks_object *object, const char *key, double share) {
    if (share >= 0 && share <= 1)
        return KS_OK;
    return ks_key_error(context, KS_E_CONFIG_VALUE, object, key, "expected 0 to 1, found %g", share);
}

static ks_code rate_check(ks_context *context, ks_object *object) {
    const ks_dropout *params = object->params;
    return check_share(context, object, "rate", params->rate);
}

static ks_code stddev_check(ks_context *context, ks_object *object) {
    const ks_dropout *params = object->params;
    return check_share(context, object, "stddev", params->stddev);
}

// Positive integers and nulls.
static ks_code dropout_check(ks_context *context, ks_object *object) {
    const ks_dropout *params = object->params;
    const ks_value *shape = params->noise_shape;
    if (shape->type != KS_VALUE_NULL && shape->type != KS_VALUE_LIST)
        return ks_key_error(context, KS_E_CONFIG_TYPE, object, "noise_shape", "expected a list, found %s",
                            ks_value_type_name(shape->type));
    for (size_t i = 0; shape->type == KS_VALUE_LIST && i < shape->as.list.count; i++) {
        const ks_value *item = &shape->as.list.items[i];
        if (item->type != KS_VALUE_NULL && (item->type != KS_VALUE_INT || (item->fits && item->as.integer <= 0)))
            return ks_key_error(context, KS_E_CONFIG_VALUE, object, "noise_shape",
                                "expected positive integers and nulls");
    }
    return rate_check(context, object);
}

// In Keras 3 the outermost call's training, False when predicting, takes the place of what the graph says (its random
// layers write True); Keras 2 obeys the graph.
ks_code ks_check_inference(ks_call *call, const ks_object *object, size_t training_argument) {
    if (!ks_is_old(object) || !ks_call_flag(call, training_argument, false))
        return KS_OK;
    return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "training",
                        "a call with training=True cannot be run by this reference");
}

static ks_code same_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_array *input = ks_call_input(call, object);
    return input ? ks_result_like(out, call, input, &input->shape) : call->context->error.code;
}

static ks_code inference_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_code code = ks_check_inference(call, object, 1);
    return code == KS_OK ? same_infer(out, call, object) : code;
}

static ks_code spatial_infer(ks_tree *out, ks_call *call, ks_object *object, int rank) {
    ks_array *input = ks_call_input(call, object);
    if (!input || ks_call_check_rank(call, object, input, rank, rank) != KS_OK)
        return call->context->error.code;
    return inference_infer(out, call, object);
}

static ks_code spatial_1d_infer(ks_tree *out, ks_call *call, ks_object *object) {
    return spatial_infer(out, call, object, 3);
}

static ks_code spatial_2d_infer(ks_tree *out, ks_call *call, ks_object *object) {
    return spatial_infer(out, call, object, 4);
}

static ks_code spatial_3d_infer(ks_tree *out, ks_call *call, ks_object *object) {
    return spatial_infer(out, call, object, 5);
}

static const char *const dropout_arguments[] = {"inputs", "training", NULL};

#define DROPOUT(class_name, key_table, words, check_function, infer_function)                                          \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(key_table),                                                                                            \
        .written = (words),                                                                                            \
        .params_size = sizeof(PARAMS),                                                                                 \
        .arguments = dropout_arguments,                                                                                \
        .mask = KS_MASK_PASS,                                                                                          \
        .returns_input = true,                                                                                         \
        .check = check_function,                                                                                       \
        .infer = infer_function,                                                                                       \
    }

DROPOUT(Dropout, dropout_keys, NULL, dropout_check, inference_infer);
DROPOUT(AlphaDropout, dropout_keys, NULL, rate_check, inference_infer);
DROPOUT(GaussianDropout, gaussian_dropout_keys, NULL, rate_check, inference_infer);
DROPOUT(GaussianNoise, gaussian_noise_keys, NULL, stddev_check, inference_infer);
DROPOUT(SpatialDropout1D, spatial_1d_keys, "rate seed name dtype_name", rate_check, spatial_1d_infer);
DROPOUT(SpatialDropout2D, spatial_keys, "rate seed name dtype_name data_format", rate_check, spatial_2d_infer);
DROPOUT(SpatialDropout3D, spatial_keys, "rate seed name dtype_name data_format", rate_check, spatial_3d_infer);

const ks_class ks_class_ActivityRegularization = {
    .name = "ActivityRegularization",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(activity_keys),
    .params_size = sizeof(ks_activity_regularization),
    .mask = KS_MASK_PASS,
    .returns_input = true,
    .infer = same_infer,
};
