// SPDX-License-Identifier: Apache-2.0
//
// Operations of keras.ops as functions of TensorFlow, for TFOpLambda layers. Only those that compute the same for the
// tensors that a model has.
#include <string.h>

#include "config/downgrade_internal.h"

// --- the same in other words ----------------------------------------------------------------------------------------

static ks_value *argument(const ks__tf_call *c, const char *key) {
    for (size_t i = 0; i < c->kwargs->as.dict.count; i++)
        if (ks_text_is(c->kwargs->as.dict.members[i].key, key))
            return &c->kwargs->as.dict.members[i].value;
    return NULL;
}

static ks_code no_memory(const ks__tf_call *c) {
    return c->d->context->error.code;
}

/// The shape of the first argument; NULL when it is no tensor or its rank is not known.
static const ks_value *first_shape(const ks__tf_call *c) {
    const ks_value *config = ks__is_tensor(c->first) ? ks_value_get(c->first, "config") : NULL;
    const ks_value *shape = config ? ks_value_get(config, "shape") : NULL;
    return shape && shape->type == KS_VALUE_LIST && shape->as.list.count <= KS_MAX_RANK ? shape : NULL;
}

static bool whole_number(int64_t *out, const ks_value *value) {
    *out = value && value->type == KS_VALUE_INT ? value->as.integer : 0;
    return value && value->type == KS_VALUE_INT && value->fits && *out >= INT32_MIN && *out <= INT32_MAX;
}

/// An axis of the first argument from its beginning, also in a list of one; false when there is none such.
static bool axis_of(int64_t *out, const ks_value *shape, const ks_value *axis) {
    int64_t rank = (int64_t)shape->as.list.count;
    if (axis->type == KS_VALUE_LIST && axis->as.list.count == 1)
        axis = &axis->as.list.items[0];
    if (!whole_number(out, axis))
        return false;
    if (*out < 0)
        *out += rank;
    return *out >= 0 && *out < rank;
}

static ks_code no_shape(const ks__tf_call *c) {
    return ks__no_word(c->d, c->place, "%s of a tensor of this shape cannot be said in TensorFlow", c->class_name);
}

static ks_code name_int32(ks__tf_call *c) {
    return ks__downgrade_put(c->d, c->kwargs, "output_type", ks_value_string("int32"));
}

/// Numbers of axes, all when there is no list.
static ks_code list_axes(ks__tf_call *c) {
    const ks_value *shape = first_shape(c);
    ks_value *axis = argument(c, "axis"), list;
    bool all = !axis || axis->type == KS_VALUE_NULL;
    if (axis && axis->type == KS_VALUE_LIST)
        return KS_OK;
    if (all && !shape)
        return no_shape(c);
    list = ks_value_list(c->d->arena, all ? shape->as.list.count : 1);
    for (size_t i = 0; i < list.as.list.count; i++)
        list.as.list.items[i] = all ? ks_value_int((int64_t)i) : *axis;
    if (!axis)
        return ks__downgrade_put(c->d, c->kwargs, "axis", list);
    *axis = list;
    return no_memory(c);
}

/// The order of the axes takes the place of what was said about two of them.
static ks_code put_order(ks__tf_call *c, const int64_t *order, size_t rank) {
    ks_value list = ks_value_list(c->d->arena, rank);
    for (size_t i = 0; i < list.as.list.count; i++)
        list.as.list.items[i] = ks_value_int(order[i]);
    c->kwargs->as.dict.count -= 2;
    return ks__downgrade_put(c->d, c->kwargs, "perm", list);
}

static ks_code order_swapped(ks__tf_call *c) {
    const ks_value *shape = first_shape(c), *axis1 = argument(c, "axis1"), *axis2 = argument(c, "axis2");
    int64_t order[KS_MAX_RANK], a, b;
    if (!shape || !axis1 || !axis2 || !axis_of(&a, shape, axis1) || !axis_of(&b, shape, axis2))
        return no_shape(c);
    for (size_t i = 0; i < shape->as.list.count; i++)
        order[i] = (int64_t)i == a ? b : (int64_t)i == b ? a : (int64_t)i;
    return put_order(c, order, shape->as.list.count);
}

/// An axis, or a list of them; -1: something else, or one twice.
static int axes_of(int64_t *out, const ks_value *shape, const ks_value *value) {
    size_t count = value->type == KS_VALUE_LIST ? value->as.list.count : 1;
    const ks_value *items = value->type == KS_VALUE_LIST ? value->as.list.items : value;
    if (count > shape->as.list.count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (!axis_of(&out[i], shape, &items[i]))
            return -1;
        for (size_t k = 0; k < i; k++)
            if (out[k] == out[i])
                return -1;
    }
    return (int)count;
}

static bool is_in(const int64_t *list, int count, int64_t number) {
    for (int i = 0; i < count; i++)
        if (list[i] == number)
            return true;
    return false;
}

static ks_code order_moved(ks__tf_call *c) {
    const ks_value *shape = first_shape(c), *source = argument(c, "source"), *target = argument(c, "destination");
    int64_t order[KS_MAX_RANK], from[KS_MAX_RANK], to[KS_MAX_RANK], next = 0;
    int count = shape && source ? axes_of(from, shape, source) : -1;
    if (count < 0 || !target || axes_of(to, shape, target) != count)
        return no_shape(c);
    for (int i = 0; i < count; i++)
        order[to[i]] = from[i];
    for (size_t i = 0; i < shape->as.list.count; i++) {
        if (is_in(to, count, (int64_t)i))
            continue;
        while (is_in(from, count, next))
            next++;
        order[i] = next++;
    }
    return put_order(c, order, shape->as.list.count);
}

static ks_code one_axis(ks__tf_call *c) {
    ks_value list = ks_value_list(c->d->arena, 1);
    if (!list.as.list.items)
        return no_memory(c);
    list.as.list.items[0] = ks_value_int(-1);
    return ks__downgrade_put(c->d, c->kwargs, "shape", list);
}

/// Kassay reads no other norm, of vectors and of matrices. A list of one axis is the axis.
static ks_code euclidean(ks__tf_call *c) {
    ks_value *order = argument(c, "ord"), *axis = argument(c, "axis");
    if (axis && axis->type == KS_VALUE_LIST && axis->as.list.count > 2)
        return ks__no_word(c->d, c->place, "a norm along more than two axes cannot be said in TensorFlow");
    if (axis && axis->type == KS_VALUE_LIST && axis->as.list.count == 1)
        *axis = axis->as.list.items[0];
    if (!order)
        return ks__downgrade_put(c->d, c->kwargs, "ord", ks_value_string("euclidean"));
    *order = ks_value_string("euclidean");
    return KS_OK;
}

/// TensorFlow bounds the squared norm.
static ks_code square_epsilon(ks__tf_call *c) {
    ks_value *epsilon = argument(c, "epsilon");
    double number = 1e-7;
    if (epsilon && epsilon->type != KS_VALUE_NULL && !ks_value_number(epsilon, &number))
        return ks__no_word(c->d, c->place, "Normalize needs a number as its epsilon");
    if (!epsilon)
        return ks__downgrade_put(c->d, c->kwargs, "epsilon", ks_value_float(number * number));
    *epsilon = ks_value_float(number * number);
    return KS_OK;
}

static ks_code whole_classes(ks__tf_call *c) {
    const ks_value *config = ks__is_tensor(c->first) ? ks_value_get(c->first, "config") : NULL;
    const ks_value *dtype = config ? ks_value_get(config, "dtype") : NULL;
    const ks_value *result = argument(c, "dtype");
    if (!dtype ||
        !(ks_value_is_text(dtype, "int32") || ks_value_is_text(dtype, "int64") || ks_value_is_text(dtype, "uint8")))
        return ks__no_word(c->d, c->place, "one_hot of TensorFlow takes no numbers of this type");
    if (result && result->type == KS_VALUE_NULL) // the last of the arguments
        *argument(c, "dtype") = ks_value_string("float32");
    return KS_OK;
}

/// [before, after] of one axis from a number, a list of one or a pair.
static bool pair_of(ks_value *out, ks_arena *arena, const ks_value *value) {
    size_t count = value->type == KS_VALUE_LIST ? value->as.list.count : 1;
    const ks_value *items = value->type == KS_VALUE_LIST ? value->as.list.items : value;
    int64_t width;
    *out = ks_value_list(arena, 2);
    if (!out->as.list.items || count < 1 || count > 2)
        return false;
    for (size_t i = 0; i < 2; i++) {
        if (!whole_number(&width, &items[count == 2 ? i : 0]) || width < 0)
            return false;
        out->as.list.items[i] = ks_value_int(width);
    }
    return true;
}

static ks_code pairs(ks__tf_call *c) {
    const ks_value *shape = first_shape(c), *fill = argument(c, "constant_values");
    ks_value *widths = argument(c, "paddings"), *mode = argument(c, "mode"), given, list;
    bool each;
    if (!shape || !widths)
        return no_shape(c);
    if (mode && !ks_value_is_text(mode, "constant"))
        return ks__no_word(c->d, c->place, "only Pad with a constant is the same in TensorFlow");
    if (mode)
        *mode = ks_value_string("CONSTANT");
    if (fill && fill->type == KS_VALUE_NULL)
        *argument(c, "constant_values") = ks_value_int(0);
    given = *widths;
    each = given.type == KS_VALUE_LIST && given.as.list.count && given.as.list.items[0].type == KS_VALUE_LIST;
    if (each && given.as.list.count == 1) {
        given = given.as.list.items[0];
        each = false;
    }
    list = ks_value_list(c->d->arena, shape->as.list.count);
    if (each && given.as.list.count != shape->as.list.count)
        return no_shape(c);
    for (size_t i = 0; i < list.as.list.count; i++)
        if (!pair_of(&list.as.list.items[i], c->d->arena, each ? &given.as.list.items[i] : &given))
            return no_memory(c) != KS_OK ? no_memory(c) : no_shape(c);
    *widths = list;
    return no_memory(c);
}

/// Places between the parts become their sizes.
static ks_code sizes(ks__tf_call *c) {
    const ks_value *shape = first_shape(c), *axis = argument(c, "axis");
    ks_value *cuts = argument(c, "num_or_size_splits"), list;
    const ks_value zero = ks_value_int(0);
    int64_t size, at, last = 0, along;
    if (!cuts || cuts->type != KS_VALUE_LIST)
        return KS_OK;
    if (!shape || !axis_of(&along, shape, axis ? axis : &zero) || !whole_number(&size, &shape->as.list.items[along]))
        return no_shape(c);
    list = ks_value_list(c->d->arena, cuts->as.list.count + 1);
    for (size_t i = 0; i < list.as.list.count; i++) {
        at = size;
        if (i < cuts->as.list.count && !whole_number(&at, &cuts->as.list.items[i]))
            return no_shape(c);
        at += at < 0 ? size : 0;
        if (at < last || at > size)
            return no_shape(c);
        list.as.list.items[i] = ks_value_int(at - last);
        last = at;
    }
    *cuts = list;
    return no_memory(c);
}

static bool inside(ks_value *value, int64_t size) {
    int64_t index;
    if (value->type == KS_VALUE_LIST) {
        for (size_t i = 0; i < value->as.list.count; i++)
            if (!inside(&value->as.list.items[i], size))
                return false;
        return true;
    }
    if (!whole_number(&index, value))
        return false;
    if (index < 0)
        index += size;
    *value = ks_value_int(index);
    return index >= 0 && index < size;
}

/// Keras counts negative indices from the end and takes fractions; TensorFlow knows neither.
static ks_code places_in_axis(ks__tf_call *c) {
    const ks_value *shape = first_shape(c), *axis = argument(c, "axis");
    ks_value *indices = argument(c, "indices"), *copy;
    int64_t size, along;
    if (!indices || !axis || !shape || !axis_of(&along, shape, axis) ||
        !whole_number(&size, &shape->as.list.items[along]))
        return no_shape(c);
    copy = ks_value_copy(c->d->arena, indices);
    if (!copy)
        return no_memory(c);
    if (!inside(copy, size))
        return ks__no_word(c->d, c->place,
                           "Take counts negative indices from the end, which TensorFlow does not: only constant "
                           "indices inside the axis are the same");
    *indices = *copy;
    return KS_OK;
}

// --- table ----------------------------------------------------------------------------------------------------------

static const ks__tf_operation table[] = {
    {"Abs", "math.abs", "x", "", NULL},
    {"Absolute", "math.abs", "x", "", NULL},
    {"Add", "math.add", "x y", "", NULL},
    {"AddN", "math.add_n", "inputs", "", NULL},
    {"All", "math.reduce_all", "input_tensor", "axis keepdims", NULL},
    {"Amax", "math.reduce_max", "input_tensor", "axis keepdims", NULL},
    {"Amin", "math.reduce_min", "input_tensor", "axis keepdims", NULL},
    {"Any", "math.reduce_any", "input_tensor", "axis keepdims", NULL},
    {"Arccos", "math.acos", "x", "", NULL},
    {"Arccosh", "math.acosh", "x", "", NULL},
    {"Arcsin", "math.asin", "x", "", NULL},
    {"Arcsinh", "math.asinh", "x", "", NULL},
    {"Arctan", "math.atan", "x", "", NULL},
    {"Arctan2", "math.atan2", "y x", "", NULL},
    {"Arctanh", "math.atanh", "x", "", NULL},
    {"Argmax", "math.argmax", "input", "axis* keepdims!false", name_int32},
    {"Argmax64", "math.argmax", "input", "axis* keepdims!false", NULL},
    {"Argmin", "math.argmin", "input", "axis* keepdims!false", name_int32},
    {"Argmin64", "math.argmin", "input", "axis* keepdims!false", NULL},
    {"BroadcastTo", "broadcast_to", "input", "shape", NULL},
    {"Cast", "cast", "x", "dtype", NULL},
    {"Ceil", "math.ceil", "x", "", NULL},
    {"Clip", "clip_by_value", "t", "x_min=clip_value_min x_max=clip_value_max", NULL},
    {"Concatenate", "concat", "values", "axis", NULL},
    {"Copy", "identity", "input", "", NULL},
    {"Cos", "math.cos", "x", "", NULL},
    {"Cosh", "math.cosh", "x", "", NULL},
    {"Cumsum", "math.cumsum", "x", "axis* dtype!", NULL},
    {"Divide", "math.divide", "x y", "", NULL},
    {"DivideNoNan", "math.divide_no_nan", "x y", "", NULL},
    {"Elu", "nn.elu", "features", "alpha!1", NULL},
    {"Equal", "math.equal", "x y", "", NULL},
    {"Erf", "math.erf", "x", "", NULL},
    {"Exp", "math.exp", "x", "", NULL},
    {"ExpandDims", "expand_dims", "input", "axis", NULL},
    {"Expm1", "math.expm1", "x", "", NULL},
    {"Fabs", "math.abs", "x", "", NULL},
    {"Flip", "reverse", "tensor", "axis", list_axes},
    {"Floor", "math.floor", "x", "", NULL},
    {"FloorDivide", "math.floordiv", "x y", "", NULL},
    {"Gelu", "nn.gelu", "features", "approximate", NULL},
    {"Greater", "math.greater", "x y", "", NULL},
    {"GreaterEqual", "math.greater_equal", "x y", "", NULL},
    {"Isfinite", "math.is_finite", "x", "", NULL},
    {"Isinf", "math.is_inf", "x", "", NULL},
    {"Isnan", "math.is_nan", "x", "", NULL},
    {"LeakyRelu", "nn.leaky_relu", "features", "negative_slope=alpha", NULL},
    {"Less", "math.less", "x y", "", NULL},
    {"LessEqual", "math.less_equal", "x y", "", NULL},
    {"Log", "math.log", "x", "", NULL},
    {"Log1p", "math.log1p", "x", "", NULL},
    {"LogSigmoid", "math.log_sigmoid", "x", "", NULL},
    {"LogSoftmax", "nn.log_softmax", "logits", "axis", NULL},
    {"LogicalAnd", "math.logical_and", "x y", "", NULL},
    {"LogicalNot", "math.logical_not", "x", "", NULL},
    {"LogicalOr", "math.logical_or", "x y", "", NULL},
    {"LogicalXor", "math.logical_xor", "x y", "", NULL},
    {"Logsumexp", "math.reduce_logsumexp", "input_tensor", "axis keepdims", NULL},
    {"Matmul", "linalg.matmul", "a b", "", NULL},
    {"MatmulTransposed", "linalg.matmul", "a b", "transpose_a transpose_b", NULL},
    {"Max", "math.reduce_max", "input_tensor", "axis keepdims initial!", NULL},
    {"Maximum", "math.maximum", "x y", "", NULL},
    {"Mean", "math.reduce_mean", "input_tensor", "axis keepdims", NULL},
    {"Min", "math.reduce_min", "input_tensor", "axis keepdims initial!", NULL},
    {"Minimum", "math.minimum", "x y", "", NULL},
    {"Mod", "math.floormod", "x y", "", NULL},
    {"Moveaxis", "transpose", "a", "source destination", order_moved},
    {"Multiply", "math.multiply", "x y", "", NULL},
    {"Negative", "math.negative", "x", "", NULL},
    {"Norm", "compat.v1.norm", "tensor", "ord axis keepdims", euclidean},
    {"Normalize", "math.l2_normalize", "x", "axis* order!2 epsilon", square_epsilon},
    {"NotEqual", "math.not_equal", "x y", "", NULL},
    {"OneHot", "one_hot", "indices", "num_classes=depth axis dtype sparse!false", whole_classes},
    {"OnesLike", "ones_like", "input", "dtype", NULL},
    {"Pad", "compat.v1.pad", "tensor constant_values", "pad_width=paddings mode", pairs},
    {"Power", "math.pow", "x y", "", NULL},
    {"Prod", "math.reduce_prod", "input_tensor", "axis keepdims dtype!", NULL},
    {"Ravel", "reshape", "tensor", "", one_axis},
    {"ReLU", "nn.relu", "features", "negative_slope!0 max_value! threshold!0", NULL},
    {"Reciprocal", "math.reciprocal", "x", "", NULL},
    {"Relu", "nn.relu", "features", "", NULL},
    {"Relu6", "nn.relu6", "features", "", NULL},
    {"Repeat", "repeat", "input", "repeats axis", NULL},
    {"Reshape", "reshape", "tensor", "newshape=shape", NULL},
    {"Round", "math.round", "x", "decimals!0", NULL},
    {"Rsqrt", "math.rsqrt", "x", "", NULL},
    {"Select", "where", "condition x y", "", NULL},
    {"Selu", "nn.selu", "features", "", NULL},
    {"Sigmoid", "math.sigmoid", "x", "", NULL},
    {"Sign", "math.sign", "x", "", NULL},
    {"Silu", "nn.silu", "features", "", NULL},
    {"Sin", "math.sin", "x", "", NULL},
    {"Sinh", "math.sinh", "x", "", NULL},
    {"Softmax", "nn.softmax", "logits", "axis", NULL},
    {"Softplus", "math.softplus", "features", "", NULL},
    {"Softsign", "nn.softsign", "features", "", NULL},
    {"Split", "split", "value", "indices_or_sections=num_or_size_splits axis", sizes},
    {"Sqrt", "math.sqrt", "x", "", NULL},
    {"Square", "math.square", "x", "", NULL},
    {"SquaredDifference", "math.squared_difference", "x y", "", NULL},
    {"Squeeze", "squeeze", "input", "axis", NULL},
    {"Stack", "stack", "values", "axis", NULL},
    {"Std", "math.reduce_std", "input_tensor", "axis keepdims", NULL},
    {"StopGradient", "stop_gradient", "input", "", NULL},
    {"Subtract", "math.subtract", "x y", "", NULL},
    {"Sum", "math.reduce_sum", "input_tensor", "axis keepdims", NULL},
    {"Swapaxes", "transpose", "a", "axis1 axis2", order_swapped},
    {"Take", "compat.v1.gather", "params indices", "axis*", places_in_axis},
    {"Tan", "math.tan", "x", "", NULL},
    {"Tanh", "math.tanh", "x", "", NULL},
    {"Tensordot", "tensordot", "a b", "axes", NULL},
    {"Tile", "tile", "input", "repeats=multiples", NULL},
    {"Transpose", "transpose", "a", "axes=perm", NULL},
    {"TrueDivide", "math.divide", "x y", "", NULL},
    {"Unstack", "unstack", "value", "num axis", NULL},
    {"Var", "math.reduce_variance", "input_tensor", "axis keepdims", NULL},
    {"Where", "where", "condition x y", "", NULL},
    {"ZerosLike", "zeros_like", "input", "dtype", NULL},
};

const ks__tf_operation *ks__tf_operation_find(const ks_value *class_name) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (ks_value_is_text(class_name, table[i].class_name))
            return &table[i];
    return NULL;
}
