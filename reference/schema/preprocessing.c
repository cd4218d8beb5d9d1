// SPDX-License-Identifier: Apache-2.0
//
// Rescaling, Normalization and Discretization. Source of the rules: Keras 3 layers/preprocessing/{rescaling,
// normalization,discretization}.py, utils/numerical_utils.py; tf_keras layers/preprocessing/discretization.py.
#include "schema/preprocessing.h"

#include <math.h>

#include "schema/broadcast.h"
#include "schema/key_row.h"
#include "schema/normalization.h"

// --- Rescaling ------------------------------------------------------------------------------------------------------

static const ks_key rescaling_keys[] = {
    KS_ROW(ks_rescaling, scale, NUMBERS, KS_REQUIRED | KS_NUMERIC, NULL),
    KS_ROW(ks_rescaling, offset, NUMBERS, KS_NUMERIC, "0.0"),
};

static bool is_array(const ks_object *object, const char *key) {
    const ks_value *value = object->config ? ks_value_get(object->config, key) : NULL;
    return value && value->type == KS_VALUE_DICT;
}

static ks_code rescaling_check(ks_context *context, ks_object *object) {
    ks_rescaling *params = object->params;
    (void)context;
    params->scale_is_array = is_array(object, "scale");
    params->offset_is_array = is_array(object, "offset");
    return KS_OK;
}

static bool fits(const ks_numbers *numbers, const ks_shape *shape, bool symbolic) {
    ks_shape both;
    return ks_shape_broadcast(&both, shape, &numbers->shape) && (symbolic || ks_shape_equal(&both, shape));
}

static ks_code rescaling_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_rescaling *params = object->params;
    ks_array *input = ks_call_input(call, object);
    if (!input)
        return call->context->error.code;
    if (!fits(&params->scale, &input->shape, call->symbolic) || !fits(&params->offset, &input->shape, call->symbolic))
        return ks_shape_error(call->context, object, "scale or offset does not fit the last axes");
    return ks_result(out, call, KS_DTYPE_NONE, &input->shape);
}

const ks_class ks_class_Rescaling = {
    .name = "Rescaling",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(rescaling_keys),
    .params_size = sizeof(ks_rescaling),
    .mask = KS_MASK_PASS,
    .mask_since = KS_SINCE_KERAS3,
    .check = rescaling_check,
    .infer = rescaling_infer,
};

// --- Normalization --------------------------------------------------------------------------------------------------

static const ks_key normalization_keys[] = {
    {KS_NAMED("axis"), .type = KS_KEY_INTS, .flags = KS_NULLABLE | KS_NUMERIC,
     .offset = offsetof(ks_normalization, axis), .otherwise = "-1", .minimum = -KS_MAX_RANK, .maximum = INT32_MAX,
     .form = KS_FORM_LIST},
    KS_ROW(ks_normalization, invert, BOOL, KS_NUMERIC, "false"),
    KS_ROW(ks_normalization, mean, NUMBERS, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_ROW(ks_normalization, variance, NUMBERS, KS_NULLABLE | KS_NUMERIC, "null"),
};

static ks_code normalization_check(ks_context *context, ks_object *object) {
    const ks_normalization *params = object->params;
    bool has_mean = params->mean.items != NULL, has_variance = params->variance.items != NULL;
    if (has_mean != has_variance)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, has_mean ? "variance" : "mean",
                            "mean and variance are given together or not at all");
    if (!ks_shape_equal(&params->mean.shape, &params->variance.shape))
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "variance", "mean and variance differ in shape");
    if (params->mean.shape.rank > params->axis.count)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "mean", "rank %d for %d axes",
                            (int)params->mean.shape.rank, (int)params->axis.count);
    return KS_OK;
}

ks_shape ks_normalization_shape(const ks_normalization *params, const ks_shape *input) {
    ks_shape shape = *input;
    bool kept[KS_MAX_RANK];
    ks_listed_axes(kept, &params->axis, input->rank);
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = kept[i] ? shape.dims[i] : 1;
    return shape;
}

bool ks_normalization_constant_shape(ks_shape *out, const ks_normalization *params, const ks_shape *input) {
    const ks_shape *given = &params->mean.shape;
    bool kept[KS_MAX_RANK];
    int next = given->rank;
    ks_listed_axes(kept, &params->axis, input->rank);
    *out = *input;
    for (int i = input->rank - 1; i >= 0; i--) {
        out->dims[i] = kept[i] && next > 0 ? given->dims[--next] : 1;
        if (out->dims[i] != 1 && out->dims[i] != input->dims[i])
            return false;
    }
    return true;
}

static ks_array *normalization_input(ks_call *call, const ks_object *object) {
    const ks_normalization *params = object->params;
    ks_array *input = ks_call_input(call, object);
    bool kept[KS_MAX_RANK];
    if (!input)
        return NULL;
    if (!ks_listed_axes(kept, &params->axis, input->shape.rank)) {
        ks_shape_error(call->context, object, "an axis does not fit a tensor of rank %d", (int)input->shape.rank);
        return NULL;
    }
    for (int i = 0; i < input->shape.rank; i++)
        if (kept[i] && input->shape.dims[i] < 0) {
            ks_shape_error(call->context, object, "axis %d is kept, so that its size must be known", i);
            return NULL;
        }
    return input;
}

static ks_code normalization_build(ks_call *call, ks_object *object) {
    const ks_normalization *params = object->params;
    ks_array *input = normalization_input(call, object);
    ks_shape shape = {.rank = 0}, scalar = {.rank = 0};
    bool kept[KS_MAX_RANK];
    ks_code code = KS_OK;
    if (!input)
        return call->context->error.code;
    if (params->mean.items) {
        if (!ks_normalization_constant_shape(&shape, params, &input->shape))
            return ks_shape_error(call->context, object, "mean and variance do not fit the kept axes");
        return KS_OK;
    }
    ks_listed_axes(kept, &params->axis, input->shape.rank);
    for (int i = 0; i < input->shape.rank; i++)
        if (kept[i])
            shape.dims[shape.rank++] = input->shape.dims[i];
    KS_TRY(ks_add_variable(call, object, "mean", &shape, KS_DTYPE_NONE, false));
    KS_TRY(ks_add_variable(call, object, "variance", &shape, KS_DTYPE_NONE, false));
    KS_TRY(ks_add_variable(call, object, "count", &scalar, KS_INT64, false));
done:
    return code;
}

static ks_code normalization_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_normalization *params = object->params;
    ks_array *input = normalization_input(call, object);
    const ks_variable *mean = object->other_variables;
    ks_shape shape;
    uint64_t elements, expected;
    if (!input)
        return call->context->error.code;
    shape = ks_normalization_shape(params, &input->shape);
    if (mean &&
        (!ks_shape_elements(&mean->shape, &expected) || !ks_shape_elements(&shape, &elements) || elements != expected))
        return ks_shape_error(call->context, object, "the kept axes have other sizes than the mean");
    if (!mean && !ks_normalization_constant_shape(&shape, params, &input->shape))
        return ks_shape_error(call->context, object, "mean and variance do not fit the kept axes");
    return ks_result(out, call, KS_DTYPE_NONE, &input->shape);
}

const ks_class ks_class_Normalization = {
    .name = "Normalization",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(normalization_keys),
    .params_size = sizeof(ks_normalization),
    .mask = KS_MASK_PASS,
    .mask_since = KS_SINCE_KERAS3,
    .check = normalization_check,
    .build = normalization_build,
    .infer = normalization_infer,
};

// --- Discretization -------------------------------------------------------------------------------------------------

static const char *const bin_modes[] = {"int", "one_hot", "multi_hot", "count", NULL};

static const ks_key discretization_keys[] = {
    KS_ROW(ks_discretization, bin_boundaries, NUMBERS, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_ROW_INTS(ks_discretization, num_bins, INT, KS_NULLABLE, "null", 0, 0),
    KS_ROW_LOOSE(epsilon, FLOAT, 0, "0.01"), // of adapt
    KS_ROW_CHOICE(ks_discretization, output_mode, KS_NUMERIC, "\"int\"", bin_modes),
    KS_ROW(ks_discretization, sparse, BOOL, 0, "false"),
};

// TensorFlow takes the boundaries as floats, in order.
static ks_code boundaries_check(ks_context *context, const ks_object *object, const ks_numbers *numbers) {
    for (size_t i = 0; i < numbers->count; i++) {
        if (numbers->items[i] != numbers->items[i])
            return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "bin_boundaries",
                                "boundary %zu is not a number", i);
        if (i > 0 && (float)numbers->items[i] < (float)numbers->items[i - 1])
            return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "bin_boundaries",
                                "boundary %zu is below the one before it", i);
    }
    return KS_OK;
}

// Until 3.9 a layer that gives the numbers of bins has the dtype "int64", and so have the numbers.
static bool is_int64(const ks_object *object) {
    return ks_config_dtype_is(object, "int64");
}

static ks_code discretization_check(ks_context *context, ks_object *object) {
    const ks_discretization *params = object->params;
    const ks_numbers *numbers = &params->bin_boundaries;
    if (!numbers->items && params->num_bins == KS_NULL_INT)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "num_bins",
                            "neither num_bins nor bin_boundaries is given");
    if (ks_is_old(object) && !numbers->items && params->num_bins < 1)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "num_bins", "expected a number of bins");
    if (numbers->items && numbers->shape.rank != 1)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "bin_boundaries",
                            "expected a list of numbers, found rank %d", (int)numbers->shape.rank);
    if (params->output_mode != KS_BINS_INT && is_int64(object))
        return ks_key_error(context, KS_E_CONFIG_POLICY, object, "dtype",
                            "dtype policy \"int64\" with output_mode \"%s\" cannot be run by this reference",
                            bin_modes[params->output_mode]);
    if (params->sparse && params->output_mode == KS_BINS_INT)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "sparse", "true with output_mode \"int\"");
    if (params->sparse)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "sparse",
                            "sparse tensors cannot be run by this reference");
    return boundaries_check(context, object, numbers);
}

// Keras 2 keeps what it was adapted to in a variable, and no boundaries in the config.
static ks_code discretization_build(ks_call *call, ks_object *object) {
    const ks_discretization *params = object->params;
    const ks_shape shape = {2, {2, 0}};
    ks_code code = KS_OK;
    if (!ks_is_old(object) || params->bin_boundaries.items)
        return KS_OK;
    KS_TRY(ks_add_variable(call, object, "summary", &shape, KS_FLOAT32, false));
    object->other_variables->open_ended = true;
done:
    return code;
}

// Source: tf_keras layers/preprocessing/discretization.py (_compress_summary_numpy, get_bin_boundaries).
size_t ks_discretization_boundaries(const ks_discretization *params, const ks_variable *summary) {
    double count = (double)summary->shape.dims[1], step = 1.0 / (double)params->num_bins;
    if (count * step < 1)
        return count > 0 ? (size_t)count - 1 : 0;
    return (size_t)ceil(1.0 / step) - 1;
}

// Until its weights are loaded there are no boundaries in Keras 2, and one bin.
static int64_t bins_of(const ks_object *object) {
    const ks_discretization *params = object->params;
    if (object->other_variables)
        return (int64_t)ks_discretization_boundaries(params, object->other_variables) + 1;
    return params->bin_boundaries.items ? (int64_t)params->bin_boundaries.count + 1 : params->num_bins;
}

// one_hot: a last axis of 1 goes away; the others look at all bins along the second axis.
static ks_code discretization_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_discretization *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    if (!call->symbolic && !params->bin_boundaries.items && !object->other_variables)
        return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "bin_boundaries",
                            "a layer that was never adapted cannot be run");
    if (params->output_mode == KS_BINS_INT)
        return ks_result(out, call, ks_is_old(object) || is_int64(object) ? KS_INT64 : KS_INT32, &input->shape);
    KS_TRY(ks_call_check_rank(call, object, input, params->output_mode == KS_BINS_ONE_HOT ? 1 : 2, KS_MAX_RANK - 1));
    shape = input->shape;
    if (params->output_mode != KS_BINS_ONE_HOT)
        ks_shape_drop(&shape, 1);
    else if (shape.rank > 1 && shape.dims[shape.rank - 1] == 1)
        shape.rank--;
    ks_shape_insert(&shape, shape.rank, bins_of(object));
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &shape));
done:
    return code;
}

const ks_class ks_class_Discretization = {
    .name = "Discretization",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(discretization_keys),
    .written = "bin_boundaries num_bins epsilon output_mode sparse name dtype_name",
    .params_size = sizeof(ks_discretization),
    .mask = KS_MASK_NONE,
    .policy = "int64",
    .check = discretization_check,
    .build = discretization_build,
    .infer = discretization_infer,
};
