// SPDX-License-Identifier: Apache-2.0
//
// Hashing and HashedCrossing. Source of the rules: Keras 3 layers/preprocessing/{hashing,hashed_crossing}.py, tf_keras
// layers/preprocessing/{hashing,hashed_crossing}.py.
#include "schema/hashing.h"

#include "schema/key_row.h"
#include "schema/lookup.h"

static const char *const output_modes[] = {"int", "one_hot", "multi_hot", "count", NULL};

static const char *const crossed_modes[] = {"int", "one_hot", NULL};

static const ks_key hashing_keys[] = {
    KS_ROW(ks_hashing, num_bins, INT, KS_REQUIRED | KS_NUMERIC, NULL),
    {KS_NAMED("salt"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_NUMERIC, .offset = offsetof(ks_hashing, salt),
     .otherwise = "null", .form = KS_FORM_PAIR},
    KS_ROW(ks_hashing, mask_value, ANY, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_ROW_CHOICE(ks_hashing, output_mode, KS_NUMERIC, "\"int\"", output_modes),
    KS_ROW(ks_hashing, sparse, BOOL, 0, "false"),
};

ks_code ks_read_salt(uint64_t salts[2], bool *salted, ks_context *context, const ks_object *object,
                     const ks_value *salt) {
    *salted = salt && salt->type != KS_VALUE_NULL;
    if (!*salted)
        return KS_OK;
    if (salt->type != KS_VALUE_INT && !(salt->type == KS_VALUE_LIST && salt->as.list.count == 2))
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "salt", "expected an integer or two of them");
    for (size_t i = 0; i < 2; i++) {
        const ks_value *item = salt->type == KS_VALUE_LIST ? &salt->as.list.items[i] : salt;
        if (item->type != KS_VALUE_INT || !item->fits)
            return ks_key_error(context, KS_E_CONFIG_VALUE, object, "salt", "expected integers, found %s",
                                ks_value_type_name(item->type));
        salts[i] = (uint64_t)item->as.integer;
    }
    return KS_OK;
}

static ks_code check_bins(ks_context *context, const ks_object *object, int64_t num_bins, bool encoded) {
    if (num_bins < 1)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "num_bins", "expected 1 or more, found %lld",
                            (long long)num_bins);
    if (encoded && num_bins > INT32_MAX)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "num_bins",
                            "%lld places cannot be kept by this reference", (long long)num_bins);
    return KS_OK;
}

static ks_code hashing_check(ks_context *context, ks_object *object) {
    ks_hashing *params = object->params;
    const ks_value *mask = params->mask_value;
    ks_code code;
    KS_TRY(check_bins(context, object, params->num_bins, params->output_mode != KS_HASHING_INT));
    KS_TRY(ks_read_salt(params->salts, &params->salted, context, object, params->salt));
    if (params->output_mode == KS_HASHING_INT && ks_config_dtype_is(object, "float32"))
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "dtype", "\"float32\" with output_mode \"int\"");
    if (params->sparse && params->output_mode == KS_HASHING_INT)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "sparse", "true with output_mode \"int\"");
    if (params->sparse)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "sparse",
                            "sparse tensors cannot be run by this reference");
    params->masked = mask && mask->type != KS_VALUE_NULL && params->num_bins > 1;
    if (params->masked && mask->type != KS_VALUE_STRING && !(mask->type == KS_VALUE_INT && mask->fits))
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "mask_value",
                            "%s as a mask cannot be run by this reference", ks_value_type_name(mask->type));
done:
    return code;
}

static bool is_hashed(const ks_object *object, ks_dtype dtype) {
    if (dtype == KS_STRING || (dtype >= KS_INT8 && dtype <= KS_UINT32))
        return true;
    return !ks_is_old(object) && (dtype == KS_FLOAT32 || dtype == KS_FLOAT64); // made whole first
}

static ks_code check_input(ks_call *call, const ks_object *object, const ks_array *input) {
    const ks_hashing *params = object->params;
    bool text = input->dtype == KS_STRING;
    if (!is_hashed(object, input->dtype))
        return ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "%s \"%s\": an input of dtype %s cannot be hashed", object->row->name, object->name,
                       ks_dtype_name(input->dtype));
    if (params->masked && text != (params->mask_value->type == KS_VALUE_STRING))
        return ks_key_error(call->context, KS_E_CONFIG_VALUE, object, "mask_value",
                            "of another type than the input, which is %s", ks_dtype_name(input->dtype));
    return KS_OK;
}

static ks_code hashing_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_hashing *params = object->params;
    ks_array *input = ks_call_input(call, object);
    bool one_hot = params->output_mode == KS_HASHING_ONE_HOT;
    ks_dtype dtype = ks_config_dtype_is(object, "int64") ? KS_INT64 : KS_DTYPE_NONE;
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    if (!call->symbolic || ks_is_old(object)) // Keras 3 does not look at it before it runs
        KS_TRY(check_input(call, object, input));
    if (params->output_mode == KS_HASHING_INT)
        return ks_result(out, call, KS_INT64, &input->shape);
    shape = input->shape;
    if (!call->symbolic || ks_is_old(object) || shape.rank < 1)
        KS_TRY(ks_encoded_shape(&shape, call, object, one_hot, params->num_bins, &input->shape));
    else
        shape.dims[shape.rank - 1] = params->num_bins;
    KS_TRY(ks_result(out, call, dtype, &shape));
done:
    return code;
}

const ks_class ks_class_Hashing = {
    .name = "Hashing",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(hashing_keys),
    .written = "name trainable dtype=int64 regularizer *",
    .params_size = sizeof(ks_hashing),
    .mask = KS_MASK_NONE,
    .policy = "int64",
    .check = hashing_check,
    .infer = hashing_infer,
};

// --- HashedCrossing -------------------------------------------------------------------------------------------------

static const ks_key hashed_crossing_keys[] = {
    KS_ROW(ks_hashed_crossing, num_bins, INT, KS_REQUIRED | KS_NUMERIC, NULL),
    {KS_NAMED("output_mode"), .type = KS_KEY_CHOICE, .flags = KS_NUMERIC,
     .offset = offsetof(ks_hashed_crossing, output_mode), .otherwise = "\"int\"", .choices = crossed_modes},
    KS_ROW(ks_hashed_crossing, sparse, BOOL, 0, "false"),
};

static ks_code hashed_crossing_check(ks_context *context, ks_object *object) {
    const ks_hashed_crossing *params = object->params;
    ks_code code;
    KS_TRY(check_bins(context, object, params->num_bins, params->output_mode != KS_HASHING_INT));
    if (params->output_mode == KS_HASHING_INT && ks_config_dtype_is(object, "float32"))
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "dtype",
                            "numbers of bins as floats cannot be run by this reference");
    if (params->sparse)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "sparse",
                            "sparse tensors cannot be run by this reference");
done:
    return code;
}

static size_t bad_inputs(ks_call *call, const ks_object *object, const char *what) {
    ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place, "%s \"%s\": %s",
            object->row->name, object->name, what);
    return 0;
}

size_t ks_crossed_inputs(ks_array **out, size_t room, ks_call *call, const ks_object *object) {
    size_t count = ks_tree_flatten(&call->arguments[0], NULL, 0);
    if (call->arguments[0].type != KS_TREE_LIST || count < 2)
        return bad_inputs(call, object, "expected a list of two tensors or more");
    if (count != 2 && !ks_is_old(object))
        return bad_inputs(call, object, "Keras 3 crosses two tensors");
    if (count > room)
        return bad_inputs(call, object, "more tensors than can be crossed");
    ks_tree_flatten(&call->arguments[0], out, count);
    for (size_t i = 0; i < count; i++) {
        const ks_shape *shape = &out[i]->shape;
        if (!call->symbolic && out[i]->dtype != KS_STRING && !(out[i]->dtype >= KS_INT8 && out[i]->dtype <= KS_UINT32))
            return bad_inputs(call, object, "expected strings and integers");
        if (shape->rank > 2 || shape->rank < 1 || (shape->rank == 2 && shape->dims[1] != 1))
            return bad_inputs(call, object, "expected tensors of shape (batch,) or (batch, 1)");
        if (shape->rank != out[0]->shape.rank || (!call->symbolic && shape->dims[0] != out[0]->shape.dims[0]))
            return bad_inputs(call, object, "expected tensors of one shape");
    }
    return count;
}

static ks_code hashed_crossing_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_hashed_crossing *params = object->params;
    ks_array *inputs[KS_MAX_CROSSED];
    ks_shape shape;
    ks_code code;
    params->n_crossed = ks_crossed_inputs(inputs, KS_MAX_CROSSED, call, object);
    if (params->n_crossed == 0)
        return call->context->error.code;
    if (params->output_mode == KS_HASHING_INT)
        return ks_result(out, call, KS_INT64, &inputs[0]->shape);
    KS_TRY(ks_encoded_shape(&shape, call, object, true, params->num_bins, &inputs[0]->shape));
    KS_TRY(ks_result(out, call, ks_config_dtype_is(object, "int64") ? KS_INT64 : KS_DTYPE_NONE, &shape));
done:
    return code;
}

const ks_class ks_class_HashedCrossing = {
    .name = "HashedCrossing",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(hashed_crossing_keys),
    .written = "num_bins output_mode sparse name dtype_name=int64",
    .params_size = sizeof(ks_hashed_crossing),
    .mask = KS_MASK_NONE,
    .policy = "int64",
    .check = hashed_crossing_check,
    .infer = hashed_crossing_infer,
};
