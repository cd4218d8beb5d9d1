// SPDX-License-Identifier: Apache-2.0
//
// Normalization over batches (by stored statistics), layers, groups, roots of mean squares, norms. Source of the rules:
// Keras 3 layers/normalization/*.py, ops/nn.py (layer_normalization, rms_normalization).
#include "schema/normalization.h"

#include "base/value_make.h"
#include "schema/broadcast.h"
#include "schema/key_row.h"
#include "schema/regularization.h"
#include "schema/window.h"

bool ks_listed_axes(bool *listed, const ks_ints *axes, int rank) {
    for (int i = 0; i < rank; i++)
        listed[i] = false;
    for (int i = 0; i < axes->count; i++) {
        int axis = ks_axis(axes->items[i], rank);
        if (axis < 0 || listed[axis])
            return false;
        listed[axis] = true;
    }
    return true;
}

static ks_code axis_error(ks_call *call, const ks_object *object, const ks_array *input) {
    return ks_shape_error(call->context, object, "an axis does not fit a tensor of rank %d", (int)input->shape.rank);
}

// A variable made for another shape of this axis.
static ks_code check_size(ks_call *call, const ks_object *object, int64_t expected, int64_t found) {
    if (found == expected || (found == KS_UNKNOWN_DIM && call->symbolic))
        return KS_OK;
    return ks_shape_error(call->context, object, "expected %lld elements along the axis, found %lld",
                          (long long)expected, (long long)found);
}

static ks_code add(ks_call *call, ks_object *object, const char *name, const ks_shape *shape, bool trainable) {
    return ks_add_variable(call, object, name, shape, KS_DTYPE_NONE, trainable);
}

static const ks_variable *first_variable(const ks_object *object) {
    return object->trainable_variables ? object->trainable_variables : object->other_variables;
}

// --- BatchNormalization ---------------------------------------------------------------------------------------------

#define BATCH ks_batch_normalization

// Besides the axis.
#define BATCH_KEYS                                                                                                     \
    KS_ROW(BATCH, momentum, FLOAT, KS_INERT, "0.99"), KS_ROW(BATCH, epsilon, FLOAT, KS_NUMERIC, "0.001"),              \
        KS_ROW(BATCH, center, BOOL, KS_NUMERIC, "true"), KS_ROW(BATCH, scale, BOOL, KS_NUMERIC, "true"),               \
        KS_ROW_INITIALIZER(BATCH, beta_initializer, "\"zeros\""),                                                      \
        KS_ROW_INITIALIZER(BATCH, gamma_initializer, "\"ones\""),                                                      \
        KS_ROW_INITIALIZER(BATCH, moving_mean_initializer, "\"zeros\""),                                               \
        KS_ROW_INITIALIZER(BATCH, moving_variance_initializer, "\"ones\""),                                            \
        KS_ROW_REGULARIZER(BATCH, beta_regularizer), KS_ROW_REGULARIZER(BATCH, gamma_regularizer),                     \
        KS_ROW_CONSTRAINT(BATCH, beta_constraint), KS_ROW_CONSTRAINT(BATCH, gamma_constraint),                         \
        KS_ROW(BATCH, synchronized, BOOL, KS_INERT, "false"),                                                          \
        KS_ROW_SINCE(BATCH, renorm, BOOL, KS_INERT, "false", "3.14"),                                                  \
        KS_ROW_SINCE(BATCH, renorm_clipping, ANY, KS_NULLABLE | KS_INERT, "null", "3.14"),                             \
        KS_ROW_SINCE(BATCH, renorm_momentum, FLOAT, KS_INERT, "0.99", "3.14")

static const ks_key batch_keys[] = {
    KS_ROW_INTS(BATCH, axis, INT, KS_NUMERIC, "-1", 0, -KS_MAX_RANK),
    BATCH_KEYS,
};

static bool clipping_value(const ks_value *clipping, const char *key, double *out) {
    const ks_value *value = ks_value_get(clipping, key);
    return value && ks_value_number(value, out);
}

static ks_code batch_check(ks_context *context, ks_object *object) {
    const ks_batch_normalization *params = object->params;
    const ks_value *clipping = params->renorm_clipping;
    double rmax, rmin, dmax;
    if (!params->renorm || clipping->type == KS_VALUE_NULL)
        return KS_OK;
    if (clipping->type != KS_VALUE_DICT)
        return ks_key_error(context, KS_E_CONFIG_TYPE, object, "renorm_clipping", "expected a dict, found %s",
                            ks_value_type_name(clipping->type));
    for (size_t i = 0; i < clipping->as.dict.count; i++) {
        ks_text key = clipping->as.dict.members[i].key;
        if (!ks_text_is(key, "rmax") && !ks_text_is(key, "rmin") && !ks_text_is(key, "dmax"))
            return ks_key_error(context, KS_E_CONFIG_VALUE, object, "renorm_clipping",
                                "expected rmax, rmin, dmax, found \"%.40s\"", key.data);
    }
    if (clipping_value(clipping, "rmax", &rmax) && clipping_value(clipping, "rmin", &rmin) && rmax < rmin)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "renorm_clipping", "rmax %g is below rmin %g", rmax,
                            rmin);
    if (clipping_value(clipping, "dmax", &dmax) && dmax < 0)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "renorm_clipping", "dmax %g is negative", dmax);
    return KS_OK;
}

static ks_code add_statistics(ks_call *call, ks_object *object, const ks_shape *shape) {
    static const char *const renorm_names[] = {"moving_stddev", "renorm_mean", "renorm_stddev"};
    const ks_batch_normalization *params = object->params;
    ks_code code;
    if (params->scale)
        KS_TRY(add(call, object, "gamma", shape, true));
    if (params->center)
        KS_TRY(add(call, object, "beta", shape, true));
    KS_TRY(add(call, object, "moving_mean", shape, false));
    KS_TRY(add(call, object, "moving_variance", shape, false));
    for (size_t i = 0; params->renorm && i < sizeof(renorm_names) / sizeof(renorm_names[0]); i++)
        KS_TRY(add(call, object, renorm_names[i], shape, false));
done:
    return code;
}

static ks_code batch_build(ks_call *call, ks_object *object) {
    const ks_batch_normalization *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_shape shape = {.rank = 1};
    int axis;
    if (!input)
        return call->context->error.code;
    axis = ks_axis(params->axis, input->shape.rank);
    if (axis < 0)
        return axis_error(call, object, input);
    shape.dims[0] = input->shape.dims[axis];
    return add_statistics(call, object, &shape);
}

static ks_code batch_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_batch_normalization *params = object->params;
    ks_array *input = ks_call_input(call, object);
    const ks_array *mask = ks_call_array(call, 2);
    int axis;
    ks_code code;
    if (!input)
        return call->context->error.code;
    if (object->trainable)
        KS_TRY(ks_check_inference(call, object, 1));
    axis = ks_axis(params->axis, input->shape.rank);
    if (axis < 0)
        return axis_error(call, object, input);
    if (mask && mask->shape.rank != input->shape.rank - 1)
        return ks_shape_error(call->context, object, "expected a mask of rank %d, found %d", (int)input->shape.rank - 1,
                              (int)mask->shape.rank);
    KS_TRY(check_size(call, object, object->other_variables->shape.dims[0], input->shape.dims[axis]));
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &input->shape));
done:
    return code;
}

static const char *const batch_arguments[] = {"inputs", "training", "mask", NULL};

// Renormalization without limits has an empty dict of them.
static bool batch_normalization_adjust(ks_value *config, ks_arena *arena, const ks_object *object) {
    const ks_value *renorm = ks_value_get(config, "renorm");
    ks_value *clipping =
        (ks_value *)(uintptr_t)ks_value_get(config, "renorm_clipping"); // the config is being made here
    (void)object;
    if (!renorm || renorm->type != KS_VALUE_BOOL || !renorm->as.boolean || clipping->type != KS_VALUE_NULL)
        return true;
    *clipping = ks_value_dict(arena, 0);
    return clipping->as.dict.members != NULL;
}

const ks_class ks_class_BatchNormalization = {
    .name = "BatchNormalization",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(batch_keys),
    .adjust = batch_normalization_adjust,
    .params_size = sizeof(BATCH),
    .arguments = batch_arguments,
    .mask = KS_MASK_PASS,
    .check = batch_check,
    .build = batch_build,
    .infer = batch_infer,
};

// --- BatchNormalizationAxes: BatchNormalization of tf.keras over a list of axes -------------------------------------

static const ks_key batch_axes_keys[] = {
    {KS_NAMED("axis"), .type = KS_KEY_INTS, .flags = KS_NUMERIC | KS_REQUIRED, .offset = KS_FIELD(BATCH, axes),
     .minimum = -KS_MAX_RANK, .maximum = INT32_MAX},
    BATCH_KEYS,
};

// The input's shape with ones where an axis is not listed.
static ks_code shape_of_axes(ks_shape *out, ks_call *call, const ks_object *object, const ks_array *input) {
    const ks_batch_normalization *params = object->params;
    bool listed[KS_MAX_RANK];
    if (!ks_listed_axes(listed, &params->axes, input->shape.rank))
        return axis_error(call, object, input);
    *out = input->shape;
    for (int i = 0; i < out->rank; i++)
        if (!listed[i])
            out->dims[i] = 1;
    return KS_OK;
}

static ks_code batch_axes_build(ks_call *call, ks_object *object) {
    const ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(shape_of_axes(&shape, call, object, input));
    KS_TRY(add_statistics(call, object, &shape));
done:
    return code;
}

static ks_code batch_axes_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_array *input = ks_call_input(call, object);
    const ks_shape *built = &object->other_variables->shape;
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    if (object->trainable)
        KS_TRY(ks_check_inference(call, object, 1));
    KS_TRY(shape_of_axes(&shape, call, object, input));
    if (shape.rank != built->rank)
        return ks_shape_error(call->context, object, "expected a tensor of rank %d, found %d", built->rank, shape.rank);
    for (int i = 0; i < shape.rank; i++)
        KS_TRY(check_size(call, object, built->dims[i], shape.dims[i]));
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &input->shape));
done:
    return code;
}

const ks_class ks_class_BatchNormalizationAxes = {
    .name = "BatchNormalizationAxes",
    .python_name = "BatchNormalization",
    .module = "keras2.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(batch_axes_keys),
    .params_size = sizeof(BATCH),
    .arguments = batch_arguments,
    .mask = KS_MASK_PASS,
    .check = batch_check,
    .build = batch_axes_build,
    .infer = batch_axes_infer,
};

// --- LayerNormalization, RMSNormalization, UnitNormalization --------------------------------------------------------

#define LAYER ks_layer_normalization
#define AXIS_KEY KS_ROW_INTS(LAYER, axis, INTS, KS_NUMERIC, "-1", 0, -KS_MAX_RANK)
#define AFFINE_KEYS                                                                                                    \
    KS_ROW_INITIALIZER(LAYER, beta_initializer, "\"zeros\""),                                                          \
        KS_ROW_INITIALIZER(LAYER, gamma_initializer, "\"ones\""), KS_ROW_REGULARIZER(LAYER, beta_regularizer),         \
        KS_ROW_REGULARIZER(LAYER, gamma_regularizer), KS_ROW_CONSTRAINT(LAYER, beta_constraint),                       \
        KS_ROW_CONSTRAINT(LAYER, gamma_constraint)

static const ks_key layer_keys[] = {
    AXIS_KEY,
    KS_ROW(LAYER, epsilon, FLOAT, KS_NUMERIC, "0.001"),
    KS_ROW(LAYER, center, BOOL, KS_NUMERIC, "true"),
    KS_ROW(LAYER, scale, BOOL, KS_NUMERIC, "true"),
    KS_ROW(LAYER, rms_scaling, BOOL, KS_NUMERIC, "false"),
    AFFINE_KEYS,
};
static const ks_key rms_keys[] = {AXIS_KEY, KS_ROW(LAYER, epsilon, FLOAT, KS_NUMERIC, "1e-06")};
static const ks_key unit_keys[] = {AXIS_KEY};
static const ks_key group_keys[] = {
    KS_ROW_INTS(LAYER, groups, INT, KS_NUMERIC, "32", 0, -1), AXIS_KEY,
    KS_ROW(LAYER, epsilon, FLOAT, KS_NUMERIC, "0.001"),       KS_ROW(LAYER, center, BOOL, KS_NUMERIC, "true"),
    KS_ROW(LAYER, scale, BOOL, KS_NUMERIC, "true"),           AFFINE_KEYS,
};

// The sizes of the listed axes in ascending order of the numbers as written: Keras sorts them before it counts negative
// ones from the end, so that [1, -1] gives (last, second).
static ks_shape sizes_of_axes(const ks_ints *axes, const ks_shape *input) {
    ks_shape shape = {.rank = axes->count};
    int64_t sorted[KS_MAX_INTS];
    for (int i = 0; i < axes->count; i++) {
        int at = i;
        for (; at > 0 && sorted[at - 1] > axes->items[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = axes->items[i];
    }
    for (int i = 0; i < axes->count; i++)
        shape.dims[i] = input->dims[ks_axis(sorted[i], input->rank)];
    return shape;
}

static ks_array *axes_input(ks_call *call, const ks_object *object) {
    const ks_layer_normalization *params = object->params;
    ks_array *input = ks_call_input(call, object);
    bool listed[KS_MAX_RANK];
    if (!input)
        return NULL;
    if (ks_listed_axes(listed, &params->axis, input->shape.rank))
        return input;
    axis_error(call, object, input);
    return NULL;
}

static ks_code layer_build(ks_call *call, ks_object *object) {
    const ks_layer_normalization *params = object->params;
    ks_array *input = axes_input(call, object);
    ks_shape shape;
    ks_code code = KS_OK;
    if (!input)
        return call->context->error.code;
    shape = sizes_of_axes(&params->axis, &input->shape);
    if (params->scale || params->rms_scaling)
        KS_TRY(add(call, object, "gamma", &shape, true));
    if (params->center && !params->rms_scaling)
        KS_TRY(add(call, object, "beta", &shape, true));
done:
    return code;
}

static ks_code rms_build(ks_call *call, ks_object *object) {
    const ks_layer_normalization *params = object->params;
    ks_array *input = axes_input(call, object);
    ks_shape shape;
    if (!input)
        return call->context->error.code;
    shape = sizes_of_axes(&params->axis, &input->shape);
    return add(call, object, "scale", &shape, true);
}

static ks_code layer_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_layer_normalization *params = object->params;
    ks_array *input = axes_input(call, object);
    const ks_variable *variable = first_variable(object);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    shape = sizes_of_axes(&params->axis, &input->shape);
    for (int i = 0; variable && i < shape.rank; i++)
        KS_TRY(check_size(call, object, variable->shape.dims[i], shape.dims[i]));
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &input->shape));
done:
    return code;
}

// The scale is not moved to its axis: it multiplies as numpy broadcasts it, from the last axis on.
static ks_code rms_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_code code;
    KS_TRY(layer_infer(out, call, object));
    if (!ks_shape_broadcast(&shape, &input->shape, &object->trainable_variables->shape) ||
        (!call->symbolic && !ks_shape_equal(&shape, &input->shape)))
        return ks_shape_error(call->context, object, "the scale does not fit the last axes");
done:
    return code;
}

static const char *const rms_arguments[] = {"x", NULL};

const ks_class ks_class_LayerNormalization = {
    .name = "LayerNormalization",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED,
    KS_KEYS(layer_keys),
    .params_size = sizeof(LAYER),
    .mask = KS_MASK_PASS,
    .build = layer_build,
    .infer = layer_infer,
};

const ks_class ks_class_RMSNormalization = {
    .name = "RMSNormalization",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED,
    KS_KEYS(rms_keys),
    .params_size = sizeof(LAYER),
    .arguments = rms_arguments,
    .mask = KS_MASK_NONE,
    .since = "3.9",
    .build = rms_build,
    .infer = rms_infer,
};

const ks_class ks_class_UnitNormalization = {
    .name = "UnitNormalization",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED,
    KS_KEYS(unit_keys),
    .params_size = sizeof(LAYER),
    .mask = KS_MASK_PASS,
    .infer = layer_infer,
};

// --- GroupNormalization ---------------------------------------------------------------------------------------------

static ks_code group_check(ks_context *context, ks_object *object) {
    const ks_layer_normalization *params = object->params;
    if (params->groups == 0)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "groups", "expected a positive number or -1, found 0");
    if (!params->axis.scalar)
        return ks_key_error(context, KS_E_CONFIG_TYPE, object, "axis", "expected an integer, found a list");
    return KS_OK;
}

static ks_code group_build(ks_call *call, ks_object *object) {
    const ks_layer_normalization *params = object->params;
    ks_array *input = axes_input(call, object);
    ks_shape shape = {.rank = 1};
    ks_code code = KS_OK;
    if (!input)
        return call->context->error.code;
    shape.dims[0] = input->shape.dims[ks_axis(params->axis.items[0], input->shape.rank)];
    if (shape.dims[0] < 0)
        return ks_shape_error(call->context, object, "the size of the axis must be known");
    if (params->groups > 0 && (shape.dims[0] < params->groups || shape.dims[0] % params->groups != 0))
        return ks_shape_error(call->context, object, "%lld groups do not divide %lld channels",
                              (long long)params->groups, (long long)shape.dims[0]);
    if (params->scale)
        KS_TRY(add(call, object, "gamma", &shape, true));
    if (params->center)
        KS_TRY(add(call, object, "beta", &shape, true));
done:
    return code;
}

// Groups over the batch axis would not be groups; a layer without variables may see other sizes than it was built for.
static ks_code group_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_layer_normalization *params = object->params;
    ks_array *input = axes_input(call, object);
    int64_t size;
    int axis;
    if (!input)
        return call->context->error.code;
    axis = ks_axis(params->axis.items[0], input->shape.rank);
    size = input->shape.dims[axis];
    if (axis == 0)
        return axis_error(call, object, input);
    if (params->groups > 0 && size >= 0 && (size == 0 || size % params->groups != 0))
        return ks_shape_error(call->context, object, "%lld groups do not divide %lld channels",
                              (long long)params->groups, (long long)size);
    return layer_infer(out, call, object);
}

const ks_class ks_class_GroupNormalization = {
    .name = "GroupNormalization",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED,
    KS_KEYS(group_keys),
    .params_size = sizeof(LAYER),
    .mask = KS_MASK_PASS,
    .check = group_check,
    .build = group_build,
    .infer = group_infer,
};

// --- SpectralNormalization ------------------------------------------------------------------------------------------

static const ks_key spectral_keys[] = {
    KS_ROW(ks_spectral_normalization, layer, LAYER, KS_REQUIRED | KS_NUMERIC, NULL),
    KS_ROW_INTS(ks_spectral_normalization, power_iterations, INT, KS_INERT, "1", 0, 1),
};

const ks_class ks_class_SpectralNormalization = {
    .name = "SpectralNormalization",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(spectral_keys),
    .params_size = sizeof(ks_spectral_normalization),
    .mask = KS_MASK_NONE,
    .unsupported = "it shares a kernel with the layer inside",
};
