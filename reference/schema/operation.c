// SPDX-License-Identifier: Apache-2.0
//
// Operations whose result has the (broadcast) shape of its operands or a reduction of it. Source of the rules: Keras 3
// ops/{numpy,nn,math,core}.py, compute_output_spec of each class. An operation's config has its constructor's arguments
// besides "name".
#include "schema/operation.h"

#include <string.h>

#include "schema/broadcast.h"
#include "schema/key_row.h"
#include "schema/promotion.h"

static const char *const one_operand[] = {"x", NULL};
static const char *const two_operands[] = {"x1", "x2", NULL};

// Result of two or more operands: broadcast shape.
static ks_code broadcast_operands(ks_shape *out, ks_call *call, const ks_object *object, const ks_operand *operands,
                                  size_t count) {
    *out = operands[0].array->shape;
    for (size_t i = 1; i < count; i++)
        if (!ks_shape_broadcast(out, out, &operands[i].array->shape))
            return ks_shape_error(call->context, object, "the operands' shapes cannot be broadcast");
    return KS_OK;
}

// Where Keras 3 makes floats of integers, or wider integers, TensorFlow has another function or none.
static ks_code check_whole(ks_call *call, const ks_object *object, ks_dtype given, ks_dtype result) {
    if (given == result || !ks_is_old(object) || ks_dtype_is_floating(given) || object->row == &ks_class_OpLeakyRelu)
        return KS_OK;
    return ks_fail(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                   "%s \"%s\": what TensorFlow makes of %s here cannot be run by this reference", object->row->name,
                   object->name, ks_dtype_name(given));
}

// --- one operand ----------------------------------------------------------------------------------------------------

static ks_code like_operand(ks_tree *out, ks_call *call, ks_object *object, bool to_float) {
    ks_operand x;
    ks_dtype dtype, result;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    dtype = ks_operand_dtype(call, &x, 1);
    result = to_float ? ks_operand_float(call, dtype) : dtype;
    KS_TRY(check_whole(call, object, dtype, result));
    code = ks_result(out, call, result, &x.array->shape);
done:
    return code;
}

static ks_code unary_infer_KEEP(ks_tree *out, ks_call *call, ks_object *object) {
    return like_operand(out, call, object, false);
}

static ks_code unary_infer_FLOAT(ks_tree *out, ks_call *call, ks_object *object) {
    return like_operand(out, call, object, true);
}

static ks_code test_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_code code = like_operand(out, call, object, false);
    if (code == KS_OK)
        out->as.array->dtype = KS_BOOL8;
    return code;
}

#define KS_OPERATION_UNARY(class_name, module_name, kernel, type)                                                      \
    const ks_class ks_class_Op##class_name = {                                                                         \
        .name = #class_name,                                                                                           \
        .module = module_name,                                                                                         \
        .kind = KS_KIND_OPERATION,                                                                                     \
        .arguments = one_operand,                                                                                      \
        .infer = unary_infer_##type,                                                                                   \
    };
#define KS_OPERATION_ACTIVATION(class_name, function)                                                                  \
    KS_OPERATION_UNARY(class_name, "keras.src.ops.nn", function, FLOAT)

// --- two operands ---------------------------------------------------------------------------------------------------

static ks_code two_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_operand operands[2];
    ks_shape shape;
    ks_code code;
    KS_TRY(ks_operand_at(&operands[0], call, object, 0));
    KS_TRY(ks_operand_at(&operands[1], call, object, 1));
    KS_TRY(broadcast_operands(&shape, call, object, operands, 2));
    code = ks_result(out, call, ks_operand_dtype(call, operands, 2), &shape);
done:
    return code;
}

static ks_code binary_infer_KEEP(ks_tree *out, ks_call *call, ks_object *object) {
    return two_infer(out, call, object);
}

// TensorFlow divides int32 and int64 in float64.
static bool divides_wide(const ks_object *object, ks_dtype dtype) {
    bool divides = object->row == &ks_class_OpTrueDivide || object->row == &ks_class_OpDivide;
    return divides && ks_is_old(object) && ks_dtype_is_integer(dtype) && ks_dtype_size(dtype) >= 4;
}

static ks_code binary_infer_FLOAT(ks_tree *out, ks_call *call, ks_object *object) {
    ks_code code;
    ks_dtype dtype;
    KS_TRY(two_infer(out, call, object));
    dtype = out->as.array->dtype;
    out->as.array->dtype = ks_operand_float(call, divides_wide(object, dtype) ? KS_FLOAT64 : dtype);
    if (object->row != &ks_class_OpTrueDivide && object->row != &ks_class_OpDivide)
        KS_TRY(check_whole(call, object, dtype, out->as.array->dtype));
done:
    return code;
}

static ks_code compare_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_code code = two_infer(out, call, object);
    if (code == KS_OK)
        out->as.array->dtype = KS_BOOL8;
    return code;
}

#define KS_OPERATION_BINARY(class_name, kernel, type)                                                                  \
    const ks_class ks_class_Op##class_name = {                                                                         \
        .name = #class_name,                                                                                           \
        .module = "keras.src.ops.numpy",                                                                               \
        .kind = KS_KIND_OPERATION,                                                                                     \
        .arguments = two_operands,                                                                                     \
        .infer = binary_infer_##type,                                                                                  \
    };
#define KS_OPERATION_COMPARE(class_name, kernel)                                                                       \
    const ks_class ks_class_Op##class_name = {                                                                         \
        .name = #class_name,                                                                                           \
        .module = "keras.src.ops.numpy",                                                                               \
        .kind = KS_KIND_OPERATION,                                                                                     \
        .arguments = two_operands,                                                                                     \
        .infer = compare_infer,                                                                                        \
    };

// --- reductions -----------------------------------------------------------------------------------------------------

static const ks_key reduction_keys[] = {
    KS_ROW(ks_operation, axis, INTS, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_ROW(ks_operation, keepdims, BOOL, KS_NUMERIC, "false"),
    {KS_NAMED("initial"), .type = KS_KEY_FLOAT, .flags = KS_NULLABLE, .offset = KS_FIELD(ks_operation, a),
     .otherwise = "null"},
    {KS_NAMED("ord"), .type = KS_KEY_ANY, .flags = KS_NULLABLE, .offset = KS_FIELD(ks_operation, ignored),
     .otherwise = "null"},
    {KS_NAMED("dtype"), .type = KS_KEY_TEXT, .flags = KS_NULLABLE, .offset = KS_FIELD(ks_operation, text),
     .otherwise = "null"},
};

static ks_code reduction_check(ks_context *context, ks_object *object) {
    const ks_operation *params = object->params;
    if (params->a == params->a) // not NaN
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "initial",
                            "a reduction that starts from a value cannot be run by this reference");
    if (params->ignored->type != KS_VALUE_NULL && !ks_value_is_text(params->ignored, "euclidean") &&
        !(params->ignored->type == KS_VALUE_INT && params->ignored->as.integer == 2 && params->axis.count == 1))
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "ord",
                            "only the euclidean norm can be run by this reference");
    if (params->text.data)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "dtype",
                            "a reduction in another type cannot be run by this reference");
    return KS_OK;
}

static ks_code reduced_shape(ks_shape *shape, ks_call *call, const ks_object *object) {
    const ks_operation *params = object->params;
    int axes[KS_MAX_RANK], count;
    if (!ks_operation_axes(axes, &count, &params->axis, shape->rank))
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "axis",
                            "an axis is outside a tensor of rank %d, or twice there", shape->rank);
    for (int i = count; i-- > 0;) {
        if (params->keepdims)
            shape->dims[axes[i]] = 1;
        else
            ks_shape_drop(shape, axes[i]);
    }
    return KS_OK;
}

static ks_code reduce_infer_KEEP(ks_tree *out, ks_call *call, ks_object *object) {
    ks_operand x;
    ks_shape shape;
    ks_dtype dtype, given;
    bool sums = strcmp(object->row->name, "Sum") == 0 || strcmp(object->row->name, "Prod") == 0;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    shape = x.array->shape;
    KS_TRY(reduced_shape(&shape, call, object));
    given = dtype = ks_operand_dtype(call, &x, 1);
    if (sums && (dtype == KS_BOOL8 || dtype == KS_INT8 || dtype == KS_INT16))
        dtype = KS_INT32;
    if (sums && (dtype == KS_UINT8 || dtype == KS_UINT16))
        dtype = KS_UINT32;
    KS_TRY(check_whole(call, object, given, dtype));
    code = ks_result(out, call, dtype, &shape);
done:
    return code;
}

static ks_code reduce_infer_FLOAT(ks_tree *out, ks_call *call, ks_object *object) {
    ks_code code;
    ks_dtype dtype;
    KS_TRY(reduce_infer_KEEP(out, call, object));
    dtype = out->as.array->dtype;
    out->as.array->dtype = ks_operand_float(call, dtype);
    code = check_whole(call, object, dtype, out->as.array->dtype);
done:
    return code;
}

static ks_code any_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_code code = reduce_infer_KEEP(out, call, object);
    if (code == KS_OK)
        out->as.array->dtype = KS_BOOL8;
    return code;
}

// TensorFlow's own, which give int64 where those of Keras 3 give int32.
static bool counts_in_int64(const ks_class *row) {
    return row == &ks_class_OpArgmax64 || row == &ks_class_OpArgmin64;
}

static ks_code arg_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_code code;
    if (params->axis.count > 1)
        return ks_key_error(call->context, KS_E_CONFIG_VALUE, object, "axis", "expected one axis");
    code = reduce_infer_KEEP(out, call, object);
    if (code == KS_OK)
        out->as.array->dtype = counts_in_int64(object->row) ? KS_INT64 : KS_INT32;
    return code;
}

#define KS_REDUCTION_CLASS(symbol, class_name, module_name, infer_function)                                            \
    const ks_class ks_class_Op##symbol = {                                                                             \
        .name = class_name,                                                                                            \
        .module = module_name,                                                                                         \
        .kind = KS_KIND_OPERATION,                                                                                     \
        KS_KEYS(reduction_keys),                                                                                       \
        .written = "name ord *",                                                                                       \
        .params_size = sizeof(ks_operation),                                                                           \
        .arguments = one_operand,                                                                                      \
        .check = reduction_check,                                                                                      \
        .infer = infer_function,                                                                                       \
    };
#define KS_OPERATION_REDUCE(class_name, module_name, kernel, type)                                                     \
    KS_REDUCTION_CLASS(class_name, #class_name, module_name, reduce_infer_##type)
#define KS_OPERATION(name)
#include "schema/operations.def"
#undef KS_OPERATION

KS_REDUCTION_CLASS(Any, "Any", "keras.src.ops.numpy", any_infer)
KS_REDUCTION_CLASS(All, "All", "keras.src.ops.numpy", any_infer)
KS_REDUCTION_CLASS(Argmax, "Argmax", "keras.src.ops.numpy", arg_infer)
KS_REDUCTION_CLASS(Argmin, "Argmin", "keras.src.ops.numpy", arg_infer)
KS_REDUCTION_CLASS(Argmax64, "Argmax64", "keras2.math.argmax", arg_infer)
KS_REDUCTION_CLASS(Argmin64, "Argmin64", "keras2.math.argmin", arg_infer)

// --- of their own ---------------------------------------------------------------------------------------------------

#define KS_KEYLESS_CLASS(symbol, module_name, argument_list, infer_function)                                           \
    const ks_class ks_class_Op##symbol = {                                                                             \
        .name = #symbol,                                                                                               \
        .module = module_name,                                                                                         \
        .kind = KS_KIND_OPERATION,                                                                                     \
        .arguments = argument_list,                                                                                    \
        .infer = infer_function,                                                                                       \
    };
#define KS_KEYED_CLASS(symbol, class_name, module_name, key_table, argument_list, check_function, infer_function)      \
    const ks_class ks_class_Op##symbol = {                                                                             \
        .name = class_name,                                                                                            \
        .module = module_name,                                                                                         \
        .kind = KS_KIND_OPERATION,                                                                                     \
        KS_KEYS(key_table),                                                                                            \
        .params_size = sizeof(ks_operation),                                                                           \
        .arguments = argument_list,                                                                                    \
        .check = check_function,                                                                                       \
        .infer = infer_function,                                                                                       \
    };
#define KS_NAMED_ROW(key, key_type, field, key_flags, text)                                                            \
    {KS_NAMED(key), .type = KS_KEY_##key_type, .flags = key_flags, .offset = KS_FIELD(ks_operation, field),            \
     .otherwise = text}

KS_KEYLESS_CLASS(LogicalNot, "keras.src.ops.numpy", one_operand, test_infer)
KS_KEYLESS_CLASS(Isnan, "keras.src.ops.numpy", one_operand, test_infer)
KS_KEYLESS_CLASS(Isinf, "keras.src.ops.numpy", one_operand, test_infer)
KS_KEYLESS_CLASS(Isfinite, "keras.src.ops.numpy", one_operand, test_infer)

static const char *const variable_operand[] = {"variable", NULL};
KS_KEYLESS_CLASS(StopGradient, "keras.src.ops.core", variable_operand, unary_infer_KEEP)

static const ks_key round_keys[] = {
    KS_NAMED_ROW("decimals", INT, number, KS_NUMERIC, "0"),
};

static ks_code round_check(ks_context *context, ks_object *object) {
    const ks_operation *params = object->params;
    if (params->number == 0)
        return KS_OK;
    return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "decimals",
                        "rounding to decimals cannot be run by this reference");
}

KS_KEYED_CLASS(Round, "Round", "keras.src.ops.numpy", round_keys, one_operand, round_check, unary_infer_KEEP)

static const ks_key clip_keys[] = {
    KS_NAMED_ROW("x_min", FLOAT, a, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_NAMED_ROW("x_max", FLOAT, b, KS_NULLABLE | KS_NUMERIC, "null"),
};

static ks_code clip_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_code code = like_operand(out, call, object, false);
    if (code == KS_OK && out->as.array->dtype == KS_BOOL8)
        out->as.array->dtype = KS_INT32;
    return code;
}

KS_KEYED_CLASS(Clip, "Clip", "keras.src.ops.numpy", clip_keys, one_operand, NULL, clip_infer)

static const char *const where_arguments[] = {"condition", "x1", "x2", NULL};

static ks_code where_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_operand operands[3];
    ks_shape shape;
    ks_code code;
    for (size_t i = 0; i < 3; i++)
        KS_TRY(ks_operand_at(&operands[i], call, object, i));
    KS_TRY(broadcast_operands(&shape, call, object, operands, 3));
    code = ks_result(out, call, ks_operand_dtype(call, operands + 1, 2), &shape);
done:
    return code;
}

KS_KEYLESS_CLASS(Where, "keras.src.ops.numpy", where_arguments, where_infer)

// TensorFlow 1's where: of one shape. A condition that chooses whole rows is another operation.
static ks_code select_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_operand operands[3];
    ks_code code;
    for (int i = 0; i < 3; i++)
        KS_TRY(ks_operand_at(&operands[i], call, object, (size_t)i));
    for (int i = 1; i < 3; i++) {
        const ks_shape *a = &operands[0].array->shape, *b = &operands[i].array->shape;
        bool same = a->rank == b->rank;
        for (int k = 0; same && k < a->rank; k++)
            same = ks_dims_agree(a->dims[k], b->dims[k]);
        if (!same)
            return ks_fail(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                           "a choice between tensors of different shapes cannot be run by this reference");
    }
    KS_TRY(where_infer(out, call, object));
done:
    return code;
}

KS_KEYLESS_CLASS(Select, "keras2.compat.v1.where", where_arguments, select_infer)

// --- types ----------------------------------------------------------------------------------------------------------

static const ks_key cast_keys[] = {
    KS_NAMED_ROW("dtype", TEXT, text, KS_REQUIRED | KS_NUMERIC, NULL),
};

static ks_code known_dtype(ks_context *context, const ks_object *object) {
    const ks_operation *params = object->params;
    ks_dtype dtype = params->text.data ? ks_dtype_by_name(params->text) : KS_FLOAT32;
    if (dtype == KS_DTYPE_NONE)
        return ks_key_error(context, KS_E_CONFIG_UNKNOWN_NAME, object, "dtype", "unknown dtype \"%.40s\"",
                            params->text.data);
    if (dtype == KS_FLOAT16 || dtype == KS_BFLOAT16 || dtype == KS_COMPLEX64 || dtype == KS_COMPLEX128 ||
        dtype == KS_STRING)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "dtype",
                            "dtype \"%.40s\" cannot be run by this reference", params->text.data);
    return KS_OK;
}

static ks_code dtype_check(ks_context *context, ks_object *object) {
    return known_dtype(context, object);
}

static ks_dtype own_dtype(const ks_call *call, const ks_object *object) {
    const ks_operation *params = object->params;
    ks_dtype dtype = params->text.data ? ks_dtype_by_name(params->text) : KS_FLOAT32;
    return ks_dtype_is_floating(dtype) ? ks_operand_float(call, dtype) : dtype;
}

static ks_code cast_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_code code = like_operand(out, call, object, false);
    if (code == KS_OK)
        out->as.array->dtype = own_dtype(call, object);
    return code;
}

const ks_class ks_class_OpCast = {
    .name = "Cast",
    .module = "keras.src.ops.core",
    .kind = KS_KIND_OPERATION,
    KS_KEYS(cast_keys),
    .params_size = sizeof(ks_operation),
    .arguments = one_operand,
    .returns_input = true, // when it has that type already
    .check = dtype_check,
    .infer = cast_infer,
};

// What Keras 3 puts into a graph that hands the mask of Attention or AdditiveAttention on.
static const ks_key convert_keys[] = {
    KS_NAMED_ROW("dtype", TEXT, text, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_NAMED_ROW("sparse", BOOL, sparse, KS_NULLABLE, "null"),
    {KS_NAMED("ragged"), .type = KS_KEY_BOOL, .flags = KS_NULLABLE, .offset = KS_FIELD(ks_operation, ragged),
     .otherwise = "null", .since = "3.12"},
};

static ks_code convert_check(ks_context *context, ks_object *object) {
    const ks_operation *params = object->params;
    if (params->sparse || params->ragged)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, params->sparse ? "sparse" : "ragged",
                            "sparse and ragged tensors cannot be run by this reference");
    return known_dtype(context, object);
}

static ks_code convert_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_code code = like_operand(out, call, object, false);
    if (code == KS_OK && params->text.data)
        out->as.array->dtype = own_dtype(call, object);
    return code;
}

const ks_class ks_class_OpConvertToTensor = {
    .name = "ConvertToTensor",
    .module = "keras.src.ops.core",
    .kind = KS_KIND_OPERATION,
    KS_KEYS(convert_keys),
    .params_size = sizeof(ks_operation),
    .arguments = one_operand,
    .returns_input = true,
    .check = convert_check,
    .infer = convert_infer,
};

static const ks_key like_keys[] = {
    KS_NAMED_ROW("dtype", TEXT, text, KS_NULLABLE | KS_NUMERIC, "null"),
};
static const char *const like_arguments[] = {"x", "dtype", NULL};

static ks_code like_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_code code = like_operand(out, call, object, false);
    if (code == KS_OK && call->arguments[1].type != KS_TREE_NONE)
        return ks_argument_error(call, object, "a dtype in a call cannot be run by this reference");
    if (code == KS_OK && params->text.data)
        out->as.array->dtype = own_dtype(call, object);
    return code;
}

KS_KEYED_CLASS(ZerosLike, "ZerosLike", "keras.src.ops.numpy", like_keys, like_arguments, dtype_check, like_infer)
KS_KEYED_CLASS(OnesLike, "OnesLike", "keras.src.ops.numpy", like_keys, like_arguments, dtype_check, like_infer)

static const ks_key one_hot_keys[] = {
    {KS_NAMED("num_classes"), .type = KS_KEY_INT, .flags = KS_REQUIRED | KS_NUMERIC,
     .offset = KS_FIELD(ks_operation, number), .minimum = 1, .maximum = INT32_MAX},
    KS_NAMED_ROW("axis", INTS, axis, KS_NUMERIC, "-1"),
    KS_NAMED_ROW("dtype", TEXT, text, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_NAMED_ROW("sparse", BOOL, keepdims, 0, "false"),
};

static ks_code one_hot_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_operand x;
    ks_shape shape;
    int axis;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    shape = x.array->shape;
    axis = params->axis.count == 1 ? ks_axis(params->axis.items[0], shape.rank + 1) : -1;
    if (axis < 0 || shape.rank >= KS_MAX_RANK)
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "axis", "expected an axis of the result");
    ks_shape_insert(&shape, axis, params->number);
    code = ks_result(out, call, own_dtype(call, object), &shape);
done:
    return code;
}

static ks_code one_hot_check(ks_context *context, ks_object *object) {
    const ks_operation *params = object->params;
    if (params->keepdims)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "sparse",
                            "sparse tensors cannot be run by this reference");
    return known_dtype(context, object);
}

KS_KEYED_CLASS(OneHot, "OneHot", "keras.src.ops.nn", one_hot_keys, one_operand, one_hot_check, one_hot_infer)

// --- functions with parameters --------------------------------------------------------------------------------------

static const ks_key activation_relu_keys[] = {
    KS_NAMED_ROW("negative_slope", FLOAT, a, KS_NUMERIC, "0.0"),
    KS_NAMED_ROW("max_value", FLOAT, b, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_NAMED_ROW("threshold", FLOAT, c, KS_NUMERIC, "0.0"),
};
static const ks_key leaky_relu_keys[] = {KS_NAMED_ROW("negative_slope", FLOAT, a, KS_NUMERIC, "0.2")};
static const ks_key alpha_keys[] = {KS_NAMED_ROW("alpha", FLOAT, a, KS_NUMERIC, "1.0")};
static const ks_key gelu_keys[] = {KS_NAMED_ROW("approximate", BOOL, approximate, KS_NUMERIC, "true")};
static const ks_key axis_keys[] = {KS_NAMED_ROW("axis", INTS, axis, KS_NUMERIC, "-1")};
static const ks_key normalize_keys[] = {
    KS_NAMED_ROW("axis", INTS, axis, KS_NUMERIC, "-1"),
    KS_NAMED_ROW("order", INT, number, KS_NUMERIC, "2"),
    KS_NAMED_ROW("epsilon", FLOAT, a, KS_NULLABLE | KS_NUMERIC, "null"),
};
static const ks_key cumsum_keys[] = {
    KS_NAMED_ROW("axis", INTS, axis, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_NAMED_ROW("dtype", TEXT, text, KS_NULLABLE, "null"),
};

// One axis, within range.
static ks_code axis_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_code code = like_operand(out, call, object, true);
    if (code == KS_OK && (params->axis.count != 1 || ks_axis(params->axis.items[0], out->as.array->shape.rank) < 0))
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "axis", "expected one axis of the tensor");
    return code;
}

static ks_code normalize_check(ks_context *context, ks_object *object) {
    const ks_operation *params = object->params;
    bool crossed = object->dialect == KS_DIALECT_KERAS3 && object->version && object->version < 301;
    if (params->number != 2)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "order",
                            "only the euclidean norm can be run by this reference");
    if (crossed && !(params->axis.count == 1 && params->axis.items[0] == 2))
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "axis",
                            "Keras 3.0 takes axis and order for each other: only 2 and 2 can be run by this reference");
    return KS_OK;
}

KS_KEYED_CLASS(ActivationReLU, "ReLU", "keras.src.activations.activations", activation_relu_keys, one_operand, NULL,
               unary_infer_FLOAT)
KS_KEYED_CLASS(LeakyRelu, "LeakyRelu", "keras.src.ops.nn", leaky_relu_keys, one_operand, NULL, unary_infer_FLOAT)
KS_KEYED_CLASS(Elu, "Elu", "keras.src.ops.nn", alpha_keys, one_operand, NULL, unary_infer_FLOAT)
KS_KEYED_CLASS(Celu, "Celu", "keras.src.ops.nn", alpha_keys, one_operand, NULL, unary_infer_FLOAT)
KS_KEYED_CLASS(Gelu, "Gelu", "keras.src.ops.nn", gelu_keys, one_operand, NULL, unary_infer_FLOAT)
KS_KEYED_CLASS(Softmax, "Softmax", "keras.src.ops.nn", axis_keys, one_operand, NULL, axis_infer)
KS_KEYED_CLASS(LogSoftmax, "LogSoftmax", "keras.src.ops.nn", axis_keys, one_operand, NULL, axis_infer)
KS_KEYED_CLASS(Normalize, "Normalize", "keras.src.ops.nn", normalize_keys, one_operand, normalize_check, axis_infer)

static ks_code cumsum_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_code code = like_operand(out, call, object, false);
    if (code != KS_OK)
        return code;
    if (params->text.data || params->axis.count != 1)
        return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, params->text.data ? "dtype" : "axis",
                            "cannot be run by this reference");
    if (ks_axis(params->axis.items[0], out->as.array->shape.rank) < 0)
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "axis", "expected an axis of the tensor");
    if (out->as.array->dtype == KS_BOOL8)
        out->as.array->dtype = KS_INT32;
    return KS_OK;
}

KS_KEYED_CLASS(Cumsum, "Cumsum", "keras.src.ops.numpy", cumsum_keys, one_operand, NULL, cumsum_infer)

// --- products -------------------------------------------------------------------------------------------------------

static const ks_key matmul_keys[] = {
    KS_NAMED_ROW("transpose_a", BOOL, transpose_a, KS_NUMERIC, "false"),
    KS_NAMED_ROW("transpose_b", BOOL, transpose_b, KS_NUMERIC, "false"),
};

bool ks_operand_is_transposed(const ks_object *object, size_t index) {
    const ks_operation *params = object->params;
    return object->row == &ks_class_OpMatmulTransposed && (index ? params->transpose_b : params->transpose_a);
}

static void turn_matrix(ks_shape *shape, bool turned) {
    int64_t rows = shape->rank > 1 ? shape->dims[shape->rank - 2] : 0;
    if (!turned)
        return;
    shape->dims[shape->rank - 2] = shape->dims[shape->rank - 1];
    shape->dims[shape->rank - 1] = rows;
}

static ks_code matmul_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_operand operands[2];
    ks_shape a, b, shape;
    int64_t rows, columns, inner;
    bool vector_a, vector_b;
    ks_code code;
    KS_TRY(ks_operand_at(&operands[0], call, object, 0));
    KS_TRY(ks_operand_at(&operands[1], call, object, 1));
    a = operands[0].array->shape;
    b = operands[1].array->shape;
    if (a.rank < 1 || b.rank < 1)
        return ks_shape_error(call->context, object, "expected operands with at least one dimension");
    if (object->row == &ks_class_OpMatmulTransposed && (a.rank < 2 || b.rank < 2))
        return ks_shape_error(call->context, object, "expected matrices");
    turn_matrix(&a, ks_operand_is_transposed(object, 0));
    turn_matrix(&b, ks_operand_is_transposed(object, 1));
    vector_a = a.rank == 1;
    vector_b = b.rank == 1;
    rows = vector_a ? 1 : a.dims[a.rank - 2];
    inner = a.dims[a.rank - 1];
    columns = vector_b ? 1 : b.dims[b.rank - 1];
    if (!ks_dims_agree(inner, vector_b ? b.dims[0] : b.dims[b.rank - 2]))
        return ks_shape_error(call->context, object, "the inner dimensions of the operands differ");
    a.rank = a.rank < 2 ? 0 : a.rank - 2;
    b.rank = b.rank < 2 ? 0 : b.rank - 2;
    if (!ks_shape_broadcast(&shape, &a, &b))
        return ks_shape_error(call->context, object, "the operands' shapes cannot be broadcast");
    if (!vector_a)
        ks_shape_insert(&shape, shape.rank, rows);
    if (!vector_b)
        ks_shape_insert(&shape, shape.rank, columns);
    code = ks_result(out, call, ks_operand_dtype(call, operands, 2), &shape);
done:
    return code;
}

KS_KEYLESS_CLASS(Matmul, "keras.src.ops.numpy", two_operands, matmul_infer)
KS_KEYED_CLASS(MatmulTransposed, "MatmulTransposed", "keras2.linalg.matmul", matmul_keys, two_operands, NULL,
               matmul_infer)

// The axes that Tensordot sums over, in both operands: the last and the first so many, or lists. False: they do not
// fit.
static bool contracted(ks_ints out[2], const ks_value *axes, const ks_shape *a, const ks_shape *b) {
    memset(out, 0, 2 * sizeof(*out));
    if (axes->type == KS_VALUE_INT) {
        if (!axes->fits || axes->as.integer < 0 || axes->as.integer > a->rank || axes->as.integer > b->rank)
            return false;
        out[0].count = out[1].count = (int)axes->as.integer;
        for (int i = 0; i < out[0].count; i++) {
            out[0].items[i] = a->rank - out[0].count + i;
            out[1].items[i] = i;
        }
        return true;
    }
    if (axes->type != KS_VALUE_LIST || axes->as.list.count != 2)
        return false;
    for (int k = 0; k < 2; k++) {
        const ks_value *list = &axes->as.list.items[k];
        const ks_value *items = list->type == KS_VALUE_LIST ? list->as.list.items : list;
        size_t count = list->type == KS_VALUE_LIST ? list->as.list.count : 1;
        const ks_shape *shape = k ? b : a;
        bool listed[KS_MAX_RANK] = {false};
        if (count > (size_t)shape->rank)
            return false;
        for (size_t i = 0; i < count; i++) {
            int axis = items[i].type == KS_VALUE_INT && items[i].fits ? ks_axis(items[i].as.integer, shape->rank) : -1;
            if (axis < 0 || listed[axis])
                return false;
            listed[axis] = true;
            out[k].items[out[k].count++] = axis;
        }
    }
    return out[0].count == out[1].count;
}

bool ks_tensordot_labels(char *out, char *a_labels, char *b_labels, const ks_object *object, const ks_shape *a,
                         const ks_shape *b) {
    const ks_operation *params = object->params;
    ks_ints axes[2];
    char next = 'A';
    if (a->rank + b->rank > KS_MAX_TENSORDOT || !contracted(axes, params->ignored, a, b))
        return false;
    memset(b_labels, 0, (size_t)b->rank);
    for (int i = 0; i < a->rank; i++)
        a_labels[i] = next++;
    for (int i = 0; i < axes[0].count; i++)
        b_labels[axes[1].items[i]] = a_labels[axes[0].items[i]];
    for (int i = 0; i < a->rank; i++)
        if (!memchr(b_labels, a_labels[i], (size_t)b->rank))
            *out++ = a_labels[i];
    for (int i = 0; i < b->rank; i++)
        if (!b_labels[i])
            *out++ = b_labels[i] = next++;
    *out = 0;
    return true;
}

static ks_code tensordot_infer(ks_tree *out, ks_call *call, ks_object *object) {
    char labels[KS_MAX_TENSORDOT + 1], a_labels[KS_MAX_TENSORDOT], b_labels[KS_MAX_TENSORDOT];
    ks_operand operands[2];
    ks_shape shape = {.rank = 0};
    const ks_shape *a, *b;
    ks_dtype dtype;
    ks_code code;
    KS_TRY(ks_operand_at(&operands[0], call, object, 0));
    KS_TRY(ks_operand_at(&operands[1], call, object, 1));
    a = &operands[0].array->shape;
    b = &operands[1].array->shape;
    if (!ks_tensordot_labels(labels, a_labels, b_labels, object, a, b) || strlen(labels) > KS_MAX_RANK)
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "axes", "the axes do not fit the operands");
    for (int i = 0; i < a->rank; i++) {
        const char *at = memchr(b_labels, a_labels[i], (size_t)b->rank);
        if (at && !ks_dims_agree(a->dims[i], b->dims[at - b_labels]))
            return ks_shape_error(call->context, object, "the dimensions summed over differ");
        if (!at)
            shape.dims[shape.rank++] = a->dims[i];
    }
    for (int i = 0; i < b->rank; i++)
        if (b_labels[i] && strchr(labels, b_labels[i]))
            shape.dims[shape.rank++] = b->dims[i];
    dtype = ks_operand_dtype(call, operands, 2);
    if (dtype != ks_operand_float(call, dtype))
        return ks_fail(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "products of integers along axes cannot be run by this reference");
    code = ks_result(out, call, dtype, &shape);
done:
    return code;
}

static const ks_key tensordot_keys[] = {KS_NAMED_ROW("axes", ANY, ignored, KS_NUMERIC, "2")};
KS_KEYED_CLASS(Tensordot, "Tensordot", "keras.src.ops.numpy", tensordot_keys, two_operands, NULL, tensordot_infer)

// TensorFlow's add_n: tensors of one shape.
static const char *const summands[] = {"inputs", NULL};

static ks_code sum_infer(ks_tree *out, ks_call *call, ks_object *object) {
    size_t count;
    ks_operand *operands = ks_operand_list(&count, call, object, 0);
    const ks_shape *shape;
    if (!operands)
        return call->context->error.code;
    shape = &operands[0].array->shape;
    for (size_t i = 1; i < count; i++) {
        const ks_shape *next = &operands[i].array->shape;
        bool same = shape->rank == next->rank;
        for (int k = 0; same && k < shape->rank; k++)
            same = ks_dims_agree(shape->dims[k], next->dims[k]);
        if (!same)
            return ks_shape_error(call->context, object, "the summands have different shapes");
    }
    return ks_result(out, call, ks_operand_dtype(call, operands, count), shape);
}

KS_KEYLESS_CLASS(AddN, "keras2.math.add_n", summands, sum_infer)

// Of TensorFlow alone.
KS_KEYLESS_CLASS(SquaredDifference, "keras2.math", two_operands, two_infer)

static const ks_key einsum_keys[] = {
    KS_NAMED_ROW("subscripts", TEXT, text, KS_REQUIRED | KS_NUMERIC, NULL),
};

// "ab,bc->ac" with one letter for each axis.
static bool letters_fit(const char *letters, size_t size, const ks_shape *shape) {
    return size == (size_t)shape->rank &&
           strspn(letters, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") >= size;
}

static ks_code einsum_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    const char *text = params->text.data, *comma = strchr(text, ','), *arrow = strstr(text, "->");
    ks_operand operands[2];
    ks_shape shape = {.rank = 0};
    ks_code code;
    KS_TRY(ks_operand_at(&operands[0], call, object, 0));
    KS_TRY(ks_operand_at(&operands[1], call, object, 1));
    if (!comma || !arrow || arrow < comma || strlen(arrow + 2) > KS_MAX_RANK || strchr(text, '.') || strchr(text, ' '))
        return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "subscripts",
                            "only [X],[Y]->[Z] can be run by this reference");
    if (!letters_fit(text, (size_t)(comma - text), &operands[0].array->shape) ||
        !letters_fit(comma + 1, (size_t)(arrow - comma - 1), &operands[1].array->shape))
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "subscripts",
                            "the letters do not fit the operands");
    for (const char *c = arrow + 2; *c; c++) {
        const char *in_a = memchr(text, *c, (size_t)(comma - text));
        const char *in_b = memchr(comma, *c, (size_t)(arrow - comma));
        if (!in_a && !in_b)
            return ks_key_error(call->context, KS_E_CONFIG_VALUE, object, "subscripts", "'%c' is in no operand", *c);
        shape.dims[shape.rank++] =
            in_a ? operands[0].array->shape.dims[in_a - text] : operands[1].array->shape.dims[in_b - comma - 1];
    }
    for (const char *c = text; c < comma; c++) {
        const char *in_b = memchr(comma, *c, (size_t)(arrow - comma));
        if (in_b &&
            !ks_dims_agree(operands[0].array->shape.dims[c - text], operands[1].array->shape.dims[in_b - comma - 1]))
            return ks_shape_error(call->context, object, "dimension '%c' differs between the operands", *c);
    }
    code = ks_result(out, call, ks_operand_float(call, ks_operand_dtype(call, operands, 2)), &shape);
done:
    return code;
}

KS_KEYED_CLASS(Einsum, "Einsum", "keras.src.ops.numpy", einsum_keys, two_operands, NULL, einsum_infer)
