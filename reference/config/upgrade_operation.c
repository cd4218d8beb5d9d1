// SPDX-License-Identifier: Apache-2.0
//
// TensorFlow functions in the graph of a Keras 2 model, as the operations of Keras 3 that compute the same:
//
//   {"class_name": "TFOpLambda", "config": {"name": …, "function": "math.add"},
//    "inbound_nodes": [["x", 0, 0, {"y": 1.0, "name": null}]]}
//
// A function that the table does not have is unsupported by its name. Source of the rules: tf_keras
// layers/core/tf_op_layer.py, the signatures and defaults of TensorFlow 2.15's functions, and of its compat.v1 ones.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/upgrade.h"
#include "config/word_list.h"

/// One call being rewritten.
typedef struct ks__operation_call {
    ks__upgrade *u;
    const ks_class *row;
    ks_value first;  ///< the first argument
    ks__dict kwargs; ///< what is left of the function's arguments
    ks__dict calls;  ///< call arguments of the operation, by name
    ks__dict config; ///< config keys of the operation
    const char *place;
} operation_call;

typedef ks_code (*fix_call)(operation_call *c);

typedef struct function {
    const char *symbol;
    const char *name;   ///< class in Keras 3
    const char *module; ///< of it, after "keras.src.ops."; "keras2.…": the whole
    const char *first;  ///< which of its arguments the first one is
    /// "a=b": the function's argument a is b of the operation; "a": it has the same name there; "a?": it changes
    /// nothing; "a!": only null, false and 0 can be said; "+b=1": what b is when the function is called without it.
    const char *arguments;
    fix_call fix;
} function;

// --- what single functions need -------------------------------------------------------------------------------------

static ks_code refuse(operation_call *c, const ks_value *value, const char *key) {
    return ks__upgrade_fail(c->u, KS_E_CONFIG_UNSUPPORTED_VALUE, value, c->place, key,
                            "this argument of the function cannot be run by this reference");
}

// x · rsqrt(max(Σx², epsilon)): Keras 3 bounds the norm, not its square.
static ks_code fix_normalize(operation_call *c) {
    ks_value *epsilon = ks__dict_get(&c->config, "epsilon");
    double number = 1e-12;
    if (epsilon && !ks_value_number(epsilon, &number))
        return refuse(c, epsilon, "epsilon");
    return ks__dict_set(&c->config, "epsilon", ks__value_float(sqrt(number), c->first.offset));
}

// A list of one tensor has become the tensor.
static ks_code fix_summands(operation_call *c) {
    ks_value *given = ks__dict_get(&c->calls, "inputs"), list;
    if (!given || given->type == KS_VALUE_LIST)
        return KS_OK;
    list = ks__value_list(c->u, 1, given->offset);
    if (!list.as.list.items)
        return c->u->context->error.code;
    list.as.list.items[0] = *given;
    *given = list;
    return KS_OK;
}

// Sizes of the parts become the places between them.
static ks_code fix_split(operation_call *c) {
    ks_value *sizes = ks__dict_get(&c->config, "indices_or_sections");
    ks_value cuts;
    int64_t at = 0;
    if (!sizes || sizes->type != KS_VALUE_LIST || sizes->as.list.count == 0)
        return KS_OK;
    cuts = ks__value_list(c->u, sizes->as.list.count - 1, sizes->offset);
    if (!cuts.as.list.items)
        return c->u->context->error.code;
    for (size_t i = 0; i < sizes->as.list.count; i++) {
        const ks_value *size = &sizes->as.list.items[i];
        if (size->type != KS_VALUE_INT || !size->fits || size->as.integer < 0 || size->as.integer > INT32_MAX)
            return refuse(c, size, "num_or_size_splits");
        at += size->as.integer;
        if (i + 1 < sizes->as.list.count)
            cuts.as.list.items[i] = ks__value_int(at, size->offset);
    }
    *sizes = cuts;
    return KS_OK;
}

static ks_code fix_pad(operation_call *c) {
    ks_value *mode = ks__dict_get(&c->config, "mode");
    static const char *const modes[][2] = {
        {"CONSTANT", "constant"}, {"REFLECT", "reflect"}, {"SYMMETRIC", "symmetric"}};
    const char *found = "constant";
    for (size_t i = 0; mode && i < 3; i++)
        if (ks_value_is_text(mode, modes[i][0]))
            found = modes[i][1];
    if (strcmp(found, "constant") != 0)
        ks__dict_remove(&c->calls, "constant_values");
    return ks__dict_set(&c->config, "mode", ks__value_text(found, c->first.offset));
}

static ks_code is_default(operation_call *c, const char *key, double otherwise) {
    const ks_value *value = ks__dict_get(&c->kwargs, key);
    double number;
    if (!value || value->type == KS_VALUE_NULL)
        return KS_OK;
    if (!ks_value_number(value, &number) || number != otherwise)
        return refuse(c, value, key);
    ks__dict_remove(&c->kwargs, key);
    return KS_OK;
}

static ks_code fix_silu(operation_call *c) {
    return is_default(c, "beta", 1);
}

static ks_code fix_one_hot(operation_call *c) {
    ks_code code;
    KS_TRY(is_default(c, "on_value", 1));
    KS_TRY(is_default(c, "off_value", 0));
done:
    return code;
}

// Keras 3 squares with the axis of a list of lists; ord null or "euclidean" is the norm.
static ks_code fix_norm(operation_call *c) {
    const ks_value *order = ks__dict_get(&c->config, "ord");
    if (order && order->type == KS_VALUE_INT && order->fits && order->as.integer == 2)
        return KS_OK;
    if (!order || order->type == KS_VALUE_NULL || ks_value_is_text(order, "euclidean"))
        return ks__dict_set(&c->config, "ord", ks__value_null(c->first.offset));
    return refuse(c, order, "ord");
}

// --- table ----------------------------------------------------------------------------------------------------------

#define UNARY(symbol, name, module) {symbol, name, module, "x", "", NULL}
#define BINARY(symbol, name) {symbol, name, "numpy", "x1", "y=x2", NULL}
#define REDUCE(symbol, name, module)                                                                                   \
    {symbol, name, module, "x", "axis reduction_indices=axis keepdims keep_dims=keepdims", NULL}

static const function functions[] = {
    BINARY("math.add", "Add"),
    BINARY("__operators__.add", "Add"),
    BINARY("math.subtract", "Subtract"),
    BINARY("math.multiply", "Multiply"),
    BINARY("math.divide", "TrueDivide"),
    BINARY("math.truediv", "TrueDivide"),
    BINARY("realdiv", "TrueDivide"),
    BINARY("math.divide_no_nan", "DivideNoNan"),
    BINARY("math.floordiv", "FloorDivide"),
    BINARY("compat.v1.floor_div", "FloorDivide"),
    BINARY("math.floormod", "Mod"),
    BINARY("math.pow", "Power"),
    BINARY("math.maximum", "Maximum"),
    BINARY("math.minimum", "Minimum"),
    {"math.atan2", "Arctan2", "numpy", "x1", "x=x2", NULL},
    {"math.squared_difference", "SquaredDifference", "keras2.math", "x1", "y=x2", NULL},
    BINARY("math.greater", "Greater"),
    BINARY("math.greater_equal", "GreaterEqual"),
    BINARY("math.less", "Less"),
    BINARY("math.less_equal", "LessEqual"),
    BINARY("math.equal", "Equal"),
    BINARY("__operators__.eq", "Equal"),
    BINARY("math.not_equal", "NotEqual"),
    BINARY("__operators__.ne", "NotEqual"),
    BINARY("math.logical_and", "LogicalAnd"),
    BINARY("math.logical_or", "LogicalOr"),
    BINARY("math.logical_xor", "LogicalXor"),
    UNARY("math.logical_not", "LogicalNot", "numpy"),
    UNARY("math.is_nan", "Isnan", "numpy"),
    UNARY("math.is_inf", "Isinf", "numpy"),
    UNARY("math.is_finite", "Isfinite", "numpy"),
    UNARY("math.negative", "Negative", "numpy"),
    UNARY("math.abs", "Absolute", "numpy"),
    UNARY("math.square", "Square", "numpy"),
    UNARY("math.sign", "Sign", "numpy"),
    UNARY("math.reciprocal", "Reciprocal", "numpy"),
    UNARY("math.sqrt", "Sqrt", "numpy"),
    UNARY("math.rsqrt", "Rsqrt", "math"),
    UNARY("math.exp", "Exp", "numpy"),
    UNARY("math.expm1", "Expm1", "numpy"),
    UNARY("math.log", "Log", "numpy"),
    UNARY("math.log1p", "Log1p", "numpy"),
    UNARY("math.sin", "Sin", "numpy"),
    UNARY("math.cos", "Cos", "numpy"),
    UNARY("math.tan", "Tan", "numpy"),
    UNARY("math.sinh", "Sinh", "numpy"),
    UNARY("math.cosh", "Cosh", "numpy"),
    UNARY("math.tanh", "Tanh", "numpy"),
    UNARY("math.asin", "Arcsin", "numpy"),
    UNARY("math.acos", "Arccos", "numpy"),
    UNARY("math.atan", "Arctan", "numpy"),
    UNARY("math.asinh", "Arcsinh", "numpy"),
    UNARY("math.acosh", "Arccosh", "numpy"),
    UNARY("math.atanh", "Arctanh", "numpy"),
    UNARY("math.erf", "Erf", "math"),
    UNARY("math.floor", "Floor", "numpy"),
    UNARY("math.ceil", "Ceil", "numpy"),
    UNARY("compat.v1.ceil", "Ceil", "numpy"),
    UNARY("math.round", "Round", "numpy"),
    UNARY("math.rint", "Round", "numpy"),
    UNARY("identity", "Copy", "numpy"),
    {"stop_gradient", "StopGradient", "core", "variable", "", NULL},
    UNARY("math.sigmoid", "Sigmoid", "nn"),
    UNARY("math.softplus", "Softplus", "nn"),
    UNARY("math.log_sigmoid", "LogSigmoid", "nn"),
    UNARY("nn.relu", "Relu", "nn"),
    UNARY("nn.relu6", "Relu6", "nn"),
    UNARY("nn.selu", "Selu", "nn"),
    UNARY("nn.softsign", "Softsign", "nn"),
    {"nn.elu", "Elu", "nn", "x", "+alpha=1", NULL},
    {"nn.silu", "Silu", "nn", "x", "beta!", fix_silu},
    {"nn.gelu", "Gelu", "nn", "x", "approximate +approximate=0", NULL},
    {"nn.leaky_relu", "LeakyRelu", "nn", "x", "alpha=negative_slope", NULL},
    {"nn.softmax", "Softmax", "nn", "x", "axis dim=axis +axis=-1", NULL},
    {"compat.v1.nn.softmax", "Softmax", "nn", "x", "axis dim=axis +axis=-1", NULL},
    {"nn.log_softmax", "LogSoftmax", "nn", "x", "axis dim=axis +axis=-1", NULL},
    {"math.l2_normalize", "Normalize", "nn", "x", "axis dim=axis epsilon", fix_normalize},
    {"clip_by_value", "Clip", "numpy", "x", "clip_value_min=x_min clip_value_max=x_max", NULL},
    {"where", "Where", "numpy", "condition", "x=x1 y=x2", NULL},
    {"math.add_n", "AddN", "keras2.math.add_n", "inputs", "", fix_summands},
    {"unstack", "Unstack", "core", "x", "num axis +axis=0", NULL},
    {"tensordot", "Tensordot", "numpy", "x1", "b=x2 axes", NULL},
    {"compat.v1.where", "Select", "keras2.compat.v1.where", "condition", "x=x1 y=x2", NULL},
    {"cast", "Cast", "core", "x", "dtype", NULL},
    REDUCE("math.reduce_sum", "Sum", "numpy"),
    REDUCE("math.reduce_mean", "Mean", "numpy"),
    REDUCE("math.reduce_max", "Max", "numpy"),
    REDUCE("math.reduce_min", "Min", "numpy"),
    REDUCE("math.reduce_prod", "Prod", "numpy"),
    REDUCE("math.reduce_std", "Std", "numpy"),
    REDUCE("math.reduce_variance", "Var", "numpy"),
    REDUCE("math.reduce_logsumexp", "Logsumexp", "math"),
    REDUCE("math.reduce_any", "Any", "numpy"),
    REDUCE("math.reduce_all", "All", "numpy"),
    {"norm", "Norm", "linalg", "x", "ord axis keepdims", fix_norm},
    {"linalg.norm", "Norm", "linalg", "x", "ord axis keepdims", fix_norm},
    {"compat.v1.norm", "Norm", "linalg", "x", "ord axis keepdims keep_dims=keepdims", fix_norm},
    {"math.argmax", "Argmax64", "keras2.math.argmax", "x", "axis output_type? +axis=0", NULL},
    {"math.argmin", "Argmin64", "keras2.math.argmin", "x", "axis output_type? +axis=0", NULL},
    {"math.cumsum", "Cumsum", "numpy", "x", "axis exclusive! reverse! +axis=0", NULL},
    {"reshape", "Reshape", "numpy", "x", "shape=newshape", NULL},
    {"transpose", "Transpose", "numpy", "x", "perm=axes conjugate!", NULL},
    {"compat.v1.transpose", "Transpose", "numpy", "x", "perm=axes conjugate!", NULL},
    {"expand_dims", "ExpandDims", "numpy", "x", "axis dim=axis", NULL},
    {"squeeze", "Squeeze", "numpy", "x", "axis squeeze_dims=axis", NULL},
    {"compat.v1.squeeze", "Squeeze", "numpy", "x", "axis squeeze_dims=axis", NULL},
    {"concat", "Concatenate", "numpy", "xs", "axis +axis=0", NULL},
    {"stack", "Stack", "numpy", "x", "axis +axis=0", NULL},
    {"tile", "Tile", "numpy", "x", "multiples=repeats", NULL},
    {"repeat", "Repeat", "numpy", "x", "repeats axis", NULL},
    {"reverse", "Flip", "numpy", "x", "axis", NULL},
    {"pad", "Pad", "numpy", "x", "paddings=pad_width mode constant_values", fix_pad},
    {"compat.v1.pad", "Pad", "numpy", "x", "paddings=pad_width mode constant_values", fix_pad},
    {"broadcast_to", "BroadcastTo", "numpy", "x", "shape", NULL},
    {"zeros_like", "ZerosLike", "numpy", "x", "dtype layout?", NULL},
    {"ones_like", "OnesLike", "numpy", "x", "dtype layout?", NULL},
    {"compat.v1.zeros_like", "ZerosLike", "numpy", "x", "dtype optimize?", NULL},
    {"compat.v1.ones_like", "OnesLike", "numpy", "x", "dtype optimize?", NULL},
    {"gather", "Take", "numpy", "x", "indices axis batch_dims! validate_indices? +axis=0", NULL},
    {"compat.v1.gather", "Take", "numpy", "x", "indices axis batch_dims! validate_indices? +axis=0", NULL},
    {"one_hot", "OneHot", "nn", "x", "depth=num_classes on_value? off_value? axis dtype +axis=-1", fix_one_hot},
    {"split", "Split", "numpy", "x", "num_or_size_splits=indices_or_sections axis num! +axis=0", fix_split},
    {"linalg.matmul", "Matmul", "numpy", "x1",
     "b=x2 transpose_a! transpose_b! adjoint_a! adjoint_b! a_is_sparse? b_is_sparse? output_type! grad_a? grad_b?",
     NULL},
};

// Keras 3's Matmul cannot transpose.
static const function transposed_product = {
    "linalg.matmul",
    "MatmulTransposed",
    "keras2.linalg.matmul",
    "x1",
    "b=x2 transpose_a transpose_b adjoint_a! adjoint_b! a_is_sparse? b_is_sparse? output_type! grad_a? grad_b?",
    NULL};

// Those of Keras 3 give int32, which must be said.
static const function narrow_places[] = {
    {"math.argmax", "Argmax", "numpy", "x", "axis output_type? +axis=0", NULL},
    {"math.argmin", "Argmin", "numpy", "x", "axis output_type? +axis=0", NULL},
};

static const function *find_function(ks_text symbol) {
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (ks_text_is(symbol, functions[i].symbol))
            return &functions[i];
    return NULL;
}

// --- one call -------------------------------------------------------------------------------------------------------

// What an operation takes both in its config and in a call stands in the config.
static bool is_argument(const ks_class *row, const char *name) {
    for (size_t i = 0; i < row->n_keys; i++)
        if (strcmp(row->keys[i].name, name) == 0)
            return false;
    for (size_t i = 0; row->arguments && row->arguments[i]; i++)
        if (strcmp(row->arguments[i], name) == 0)
            return true;
    return false;
}

// Tensors where an operation's config needs a plain value.
static bool holds_tensor(const ks_value *value) {
    if (value->type == KS_VALUE_DICT)
        return ks_value_is_text(ks_value_get(value, "class_name"), "__keras_tensor__");
    for (size_t i = 0; value->type == KS_VALUE_LIST && i < value->as.list.count; i++)
        if (value->as.list.items[i].type == KS_VALUE_DICT && holds_tensor(&value->as.list.items[i]))
            return true;
    return false;
}

static ks_code special_record(ks__upgrade *u, ks_value *value, const char *class_name, const ks_value *config) {
    ks__dict record, empty;
    ks_code code;
    KS_TRY(ks__dict_copy(&record, u, NULL));
    KS_TRY(ks__dict_copy(&empty, u, NULL));
    record.offset = empty.offset = value->offset;
    KS_TRY(ks__dict_set(&record, "class_name", ks__value_text(class_name, value->offset)));
    KS_TRY(ks__dict_set(&record, "config", config ? *config : ks__dict_value(&empty)));
    *value = ks__dict_value(&record);
done:
    return code;
}

static bool holds_float(const ks_value *value) {
    bool found = value->type == KS_VALUE_FLOAT;
    for (size_t i = 0; value->type == KS_VALUE_LIST && i < value->as.list.count && !found; i++)
        found = holds_float(&value->as.list.items[i]);
    return found;
}

// A list of numbers is a tensor to TensorFlow, of the other operand's type. Operations of Keras 3 take arrays.
static ks_code make_array(operation_call *c, ks_value *value) {
    ks__dict config;
    ks_value made;
    ks_code code;
    KS_TRY(ks__dict_copy(&config, c->u, NULL));
    config.offset = value->offset;
    KS_TRY(ks__dict_set(&config, "value", *value));
    KS_TRY(ks__dict_set(&config, "dtype", ks__value_text(holds_float(value) ? "float32" : "int32", value->offset)));
    made = ks__dict_value(&config);
    code = special_record(c->u, value, "__numpy__", &made);
done:
    return code;
}

static ks_code put(operation_call *c, const char *name, ks_value value) {
    bool argument = is_argument(c->row, name), operand = strcmp(name, "x1") == 0 || strcmp(name, "x2") == 0;
    ks_code code = KS_OK;
    if (argument && operand && value.type == KS_VALUE_LIST && !holds_tensor(&value))
        KS_TRY(make_array(c, &value));
    code = ks__dict_set(argument ? &c->calls : &c->config, name, value);
done:
    return code;
}

static bool says_nothing(const ks_value *value) {
    return value->type == KS_VALUE_NULL || (value->type == KS_VALUE_BOOL && !value->as.boolean) ||
           (value->type == KS_VALUE_INT && value->fits && value->as.integer == 0);
}

static const char *copy_name(operation_call *c, const char *text, size_t size) {
    return ks_arena_text(c->u->arena, text, size).data;
}

// One word of the table's argument list.
static ks_code apply_word(operation_call *c, const char *word, size_t size) {
    const char *equals = memchr(word, '=', size);
    char last = word[size - 1];
    bool marked = last == '?' || last == '!';
    size_t from_size = equals ? (size_t)(equals - word) : size - marked;
    const char *from, *to;
    const ks_value *value;
    ks_code code = KS_OK;
    if (word[0] == '+') {
        to = copy_name(c, word + 1, from_size - 1);
        if (!to)
            return c->u->context->error.code;
        value = ks__dict_get(&c->config, to);
        if (value && value->type != KS_VALUE_NULL)
            return KS_OK;
        if (strcmp(to, "approximate") == 0)
            return ks__dict_set(&c->config, to, ks__value_bool(false, c->first.offset));
        return ks__dict_set(&c->config, to, ks__value_int(strtol(equals + 1, NULL, 10), c->first.offset));
    }
    from = copy_name(c, word, from_size);
    to = equals ? copy_name(c, equals + 1, size - from_size - 1) : from;
    if (!from || !to)
        return c->u->context->error.code;
    value = ks__dict_get(&c->kwargs, from);
    if (!value)
        return KS_OK;
    if (last == '!' && !says_nothing(value))
        return c->kwargs.count ? refuse(c, value, from) : KS_OK;
    if (!marked && value->type != KS_VALUE_NULL)
        KS_TRY(put(c, to, *value));
    ks__dict_remove(&c->kwargs, from);
done:
    return code;
}

static ks_code apply_function(operation_call *c, const function *f) {
    const char *words = f->arguments;
    ks_text word;
    ks_code code;
    ks__dict_remove(&c->kwargs, "name");
    KS_TRY(put(c, f->first, c->first));
    if (f->fix == fix_silu || f->fix == fix_one_hot) // they look at what the table's marks would drop
        KS_TRY(f->fix(c));
    while (ks__next_word(&word, &words))
        KS_TRY(apply_word(c, word.data, word.size));
    if (c->kwargs.count)
        return ks__upgrade_fail(c->u, KS_E_CONFIG_UNSUPPORTED_VALUE, &c->kwargs.members[0].value, c->place,
                                c->kwargs.members[0].key.data, "%s is not known to take this argument", f->symbol);
    if (f->fix && f->fix != fix_silu && f->fix != fix_one_hot)
        KS_TRY(f->fix(c));
done:
    return code;
}

static ks_code refuse_tensors(operation_call *c) {
    for (size_t i = 0; i < c->config.count; i++)
        if (holds_tensor(&c->config.members[i].value))
            return refuse(c, &c->config.members[i].value, c->config.members[i].key.data);
    return KS_OK;
}

// --- slices ---------------------------------------------------------------------------------------------------------

static ks_code upgrade_index(ks__upgrade *u, ks_value *value) {
    ks_value old = *value;
    if (value->type != KS_VALUE_DICT)
        return KS_OK;
    if (ks_value_is_text(ks_value_get(value, "class_name"), "__ellipsis__"))
        return special_record(u, value, "__ellipsis__", NULL);
    if (ks_value_get(value, "start") && ks_value_get(value, "stop") && ks_value_get(value, "step"))
        return special_record(u, value, "__slice__", &old);
    return KS_OK;
}

static ks_code apply_slice(operation_call *c) {
    const ks_value *slices = ks__dict_get(&c->kwargs, "slice_spec");
    ks_value key;
    ks_code code = KS_OK;
    if (!slices)
        return ks__upgrade_fail(c->u, KS_E_CONFIG_ARGUMENT, &c->first, c->place, "slice_spec",
                                "a slice needs this argument");
    key = *slices;
    if (slices->type == KS_VALUE_LIST) {
        key = ks__value_list(c->u, slices->as.list.count, slices->offset);
        if (!key.as.list.items)
            return c->u->context->error.code;
        for (size_t i = 0; i < key.as.list.count; i++) {
            key.as.list.items[i] = slices->as.list.items[i];
            KS_TRY(upgrade_index(c->u, &key.as.list.items[i]));
        }
    } else {
        KS_TRY(upgrade_index(c->u, &key));
    }
    KS_TRY(put(c, "x", c->first));
    KS_TRY(put(c, "key", key));
done:
    return code;
}

// --- records --------------------------------------------------------------------------------------------------------

static ks_code rewrite_call(operation_call *c, const function *f, ks_value *call, ks_value *config) {
    const ks_value *args = ks_value_get(call, "args"), *kwargs = ks_value_get(call, "kwargs");
    ks__dict record;
    ks_code code;
    c->first = args->as.list.items[0];
    KS_TRY(ks__dict_copy(&c->kwargs, c->u, kwargs));
    KS_TRY(ks__dict_copy(&c->calls, c->u, NULL));
    KS_TRY(ks__dict_copy(&c->config, c->u, NULL));
    KS_TRY(f ? apply_function(c, f) : apply_slice(c));
    KS_TRY(refuse_tensors(c));
    KS_TRY(ks__dict_copy(&record, c->u, call));
    KS_TRY(ks__dict_set(&record, "args", ks__value_list(c->u, 0, call->offset)));
    KS_TRY(ks__dict_set(&record, "kwargs", ks__dict_value(&c->calls)));
    *call = ks__dict_value(&record);
    *config = ks__dict_value(&c->config);
done:
    return code;
}

static ks_code rewrite(ks__upgrade *u, ks_value *record, const ks_class *row, const function *f, const char *place) {
    const ks_value *calls = ks_value_get(record, "inbound_nodes"), *old = ks_value_get(record, "config");
    const ks_value *name = old ? ks_value_get(old, "name") : NULL;
    ks_value list = ks__value_list(u, calls->as.list.count, calls->offset), first = {0}, config;
    ks__dict result, merged;
    ks_code code = KS_OK;
    if (!list.as.list.items)
        return u->context->error.code;
    for (size_t i = 0; i < calls->as.list.count; i++) {
        operation_call c = {.u = u, .row = row, .place = place};
        list.as.list.items[i] = calls->as.list.items[i];
        KS_TRY(rewrite_call(&c, f, &list.as.list.items[i], &config));
        if (i && !ks_value_equal(&first, &config))
            return ks__upgrade_fail(u, KS_E_CONFIG_UNSUPPORTED_VALUE, calls, place, "inbound_nodes",
                                    "calls with different arguments cannot be run by this reference");
        first = config;
    }
    KS_TRY(ks__dict_copy(&merged, u, calls->as.list.count ? &first : NULL));
    merged.offset = old->offset;
    if (name)
        KS_TRY(ks__dict_set(&merged, "name", *name));
    KS_TRY(ks__dict_copy(&result, u, record));
    KS_TRY(ks__dict_set(&result, "module", ks__value_text(row->module, record->offset)));
    KS_TRY(ks__dict_set(&result, "class_name", ks__value_text(row->name, record->offset)));
    KS_TRY(ks__dict_set(&result, "config", ks__dict_value(&merged)));
    KS_TRY(ks__dict_set(&result, "inbound_nodes", list));
    ks__dict_remove(&result, "registered_name");
    *record = ks__dict_value(&result);
done:
    return code;
}

// The dtype that all calls of math.argmax give: "int32" or "int64", which need not be said; NULL: another, or several.
static const char *index_type(const ks_value *calls) {
    static const char *const names[] = {"int64", "int32"};
    size_t said[2] = {0};
    for (size_t i = 0; i < calls->as.list.count; i++) {
        const ks_value *kwargs = ks_value_get(&calls->as.list.items[i], "kwargs");
        const ks_value *type = kwargs ? ks_value_get(kwargs, "output_type") : NULL;
        if (type && ks_value_is_text(type, names[1]))
            said[1]++;
        else if (!type || ks_value_is_text(type, names[0]))
            said[0]++;
    }
    for (int k = 0; k < 2; k++)
        if (said[k] == calls->as.list.count)
            return names[k];
    return NULL;
}

static bool transposes(const ks_value *calls) {
    static const char *const words[] = {"transpose_a", "transpose_b"};
    for (size_t i = 0; i < calls->as.list.count; i++)
        for (int k = 0; k < 2; k++) {
            const ks_value *kwargs = ks_value_get(&calls->as.list.items[i], "kwargs");
            const ks_value *value = kwargs ? ks_value_get(kwargs, words[k]) : NULL;
            if (value && !says_nothing(value))
                return true;
        }
    return false;
}

// What the arguments decide between operations of Keras 3.
static ks_code choose(const function **f, ks__upgrade *u, const ks_value *calls, const char *place) {
    const char *type;
    if (strcmp((*f)->symbol, "linalg.matmul") == 0 && transposes(calls))
        *f = &transposed_product;
    if (strcmp((*f)->symbol, "math.argmax") != 0 && strcmp((*f)->symbol, "math.argmin") != 0)
        return KS_OK;
    type = index_type(calls);
    if (!type)
        return ks__upgrade_fail(u, KS_E_CONFIG_UNSUPPORTED_VALUE, calls, place, "inbound_nodes",
                                "an output_type besides int32 and int64, or several, cannot be run by this reference");
    if (strcmp(type, "int32") == 0)
        *f = &narrow_places[strcmp((*f)->symbol, "math.argmin") == 0];
    return KS_OK;
}

ks_code ks__upgrade_operation(ks__upgrade *u, ks_value *record, const char *place) {
    const ks_value *class_name = ks_value_get(record, "class_name"), *calls = ks_value_get(record, "inbound_nodes");
    const ks_value *symbol = ks_value_get(ks_value_get(record, "config"), "function");
    const char *name = "GetItem", *module;
    const function *f = NULL;
    const ks_class *row;
    ks_text module_text;
    bool slice = ks_value_is_text(class_name, "SlicingOpLambda");
    ks_code code;
    if (!slice && !ks_value_is_text(class_name, "TFOpLambda"))
        return KS_OK;
    if (!symbol || symbol->type != KS_VALUE_STRING || !calls || calls->type != KS_VALUE_LIST)
        return ks__upgrade_fail(u, KS_E_CONFIG_MISSING, record, place, "config/function",
                                "a TensorFlow function needs its name and its calls");
    if (!slice) {
        f = find_function(symbol->text);
        if (!f)
            return ks__upgrade_fail(u, KS_E_CONFIG_UNSUPPORTED_CLASS, symbol, place, "config/function",
                                    "the TensorFlow function \"%.80s\" cannot be run by this reference",
                                    symbol->text.data);
        KS_TRY(choose(&f, u, calls, place));
        name = f->name;
    }
    module = f && strncmp(f->module, "keras2.", 7) == 0
                 ? f->module
                 : ks_arena_format(u->arena, "keras.src.ops.%s", f ? f->module : "numpy");
    if (!module)
        return u->context->error.code;
    module_text = ks_text_from(module);
    row = ks_class_find(ks_text_from(name), &module_text);
    if (!row)
        return ks__upgrade_fail(u, KS_E_INTERNAL, symbol, place, "config/function", "no operation %s in %s", name,
                                module);
    code = rewrite(u, record, row, f, place);
done:
    return code;
}
