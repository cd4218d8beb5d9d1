// SPDX-License-Identifier: Apache-2.0
//
// Hashing. Source of the rules: Keras 3 layers/preprocessing/hashing.py, tf_keras layers/preprocessing/hashing.py.
#include "schema/hashing.h"

#include "schema/key_row.h"
#include "schema/lookup.h"

static const char *const output_modes[] = {"int", "one_hot", "multi_hot", "count", NULL};

static const ks_key hashing_keys[] = {
    KS_ROW_INTS(ks_hashing, num_bins, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1),
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

static ks_code hashing_check(ks_context *context, ks_object *object) {
    ks_hashing *params = object->params;
    const ks_value *mask = params->mask_value;
    ks_code code;
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
