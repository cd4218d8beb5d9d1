// SPDX-License-Identifier: Apache-2.0
//
// Operations of TensorFlow in the graph of a Keras 2 model of TensorFlow 1.14 to 2.3, as the calls of functions that
// TensorFlow 2.4 writes (which upgrade_operation.c knows):
//
//   {"class_name": "TensorFlowOpLayer", "name": "tf_op_layer_mul",
//    "config": {"name": "mul", "node_def": NODE, "constants": {"1": 2.0}},
//    "inbound_nodes": [[["dense", 0, 0, {}]]]}
//   NODE: a NodeDef in protobuf's JSON form: {"name": "mul", "op": "Mul", "input": ["dense/BiasAdd", "mul/y"],
//    "attr": {"T": {"type": "DT_FLOAT"}}}; integers are text, bytes are base64
//
// Of the operation's inputs, those that "constants" has are values; the others are the tensors of the call, in their
// order. An operation or attribute that the table does not have is unsupported by its name.
// Source: TensorFlow 2.3 keras/engine/base_layer.py (TensorFlowOpLayer), engine/base_layer_utils.py
// (_create_keras_history_helper); the operations' definitions in core/ops/*.cc.
#include <stdio.h>
#include <string.h>

#include "config/upgrade.h"
#include "config/word_list.h"

#define PREFIX "tf_op_layer_"

typedef struct node_operation {
    const char *op;
    const char *function; ///< of upgrade_operation.c; NULL: a slice
    /// What the inputs are in a call of the function: "@": the first argument; "*": a list of these is; "a#": its
    /// argument a, which may be a tensor; "a": its argument a, a plain value.
    const char *inputs;
    /// "a=b": the attribute a is the function's argument b; "a!": only false and 0 can be said; "a:TEXT": only TEXT.
    /// Types and counts that the inputs tell again need not be here.
    const char *attributes;
} node_operation;

/// One layer being rewritten.
typedef struct node {
    ks__upgrade *u;
    const node_operation *operation;
    const ks_value *attributes; ///< dict or NULL
    const ks_value *constants;  ///< dict or NULL
    size_t n_inputs;
    ks_value *inputs; ///< [n_inputs] of one call
    const char *place;
} node;

// --- table ----------------------------------------------------------------------------------------------------------

#define UNARY(op, function) {op, function, "@", ""}
#define BINARY(op, function) {op, function, "@ y#", ""}
#define REDUCE(op, function) {op, function, "@ axis", "keep_dims=keepdims"}
#define PRODUCT(op) {op, "linalg.matmul", "@ b#", "adj_x=transpose_a adj_y=transpose_b"}

static const node_operation operations[] = {
    BINARY("Add", "math.add"),
    BINARY("AddV2", "math.add"),
    BINARY("Sub", "math.subtract"),
    BINARY("Mul", "math.multiply"),
    BINARY("RealDiv", "realdiv"),
    BINARY("FloorDiv", "math.floordiv"),
    BINARY("FloorMod", "math.floormod"),
    BINARY("Pow", "math.pow"),
    BINARY("Maximum", "math.maximum"),
    BINARY("Minimum", "math.minimum"),
    {"Atan2", "math.atan2", "@ x#", ""},
    BINARY("DivNoNan", "math.divide_no_nan"),
    BINARY("SquaredDifference", "math.squared_difference"),
    BINARY("Greater", "math.greater"),
    BINARY("GreaterEqual", "math.greater_equal"),
    BINARY("Less", "math.less"),
    BINARY("LessEqual", "math.less_equal"),
    {"Equal", "math.equal", "@ y#", "incompatible_shape_error?"},
    {"NotEqual", "math.not_equal", "@ y#", "incompatible_shape_error?"},
    BINARY("LogicalAnd", "math.logical_and"),
    BINARY("LogicalOr", "math.logical_or"),
    UNARY("LogicalNot", "math.logical_not"),
    {"BiasAdd", "math.add", "@ y#", "data_format:NHWC"},
    UNARY("IsNan", "math.is_nan"),
    UNARY("IsInf", "math.is_inf"),
    UNARY("IsFinite", "math.is_finite"),
    UNARY("Neg", "math.negative"),
    UNARY("Abs", "math.abs"),
    UNARY("Square", "math.square"),
    UNARY("Sign", "math.sign"),
    UNARY("Reciprocal", "math.reciprocal"),
    UNARY("Sqrt", "math.sqrt"),
    UNARY("Rsqrt", "math.rsqrt"),
    UNARY("Exp", "math.exp"),
    UNARY("Expm1", "math.expm1"),
    UNARY("Log", "math.log"),
    UNARY("Log1p", "math.log1p"),
    UNARY("Sin", "math.sin"),
    UNARY("Cos", "math.cos"),
    UNARY("Tan", "math.tan"),
    UNARY("Sinh", "math.sinh"),
    UNARY("Cosh", "math.cosh"),
    UNARY("Tanh", "math.tanh"),
    UNARY("Asin", "math.asin"),
    UNARY("Acos", "math.acos"),
    UNARY("Atan", "math.atan"),
    UNARY("Asinh", "math.asinh"),
    UNARY("Acosh", "math.acosh"),
    UNARY("Atanh", "math.atanh"),
    UNARY("Erf", "math.erf"),
    UNARY("Floor", "math.floor"),
    UNARY("Ceil", "math.ceil"),
    UNARY("Round", "math.round"),
    UNARY("Rint", "math.rint"),
    UNARY("Identity", "identity"),
    UNARY("StopGradient", "stop_gradient"),
    UNARY("Sigmoid", "math.sigmoid"),
    UNARY("Softplus", "math.softplus"),
    UNARY("Softsign", "nn.softsign"),
    UNARY("Relu", "nn.relu"),
    UNARY("Relu6", "nn.relu6"),
    UNARY("Selu", "nn.selu"),
    UNARY("Elu", "nn.elu"),
    {"LeakyRelu", "nn.leaky_relu", "@", "alpha=alpha"},
    UNARY("Softmax", "nn.softmax"),
    UNARY("LogSoftmax", "nn.log_softmax"),
    UNARY("ZerosLike", "zeros_like"),
    UNARY("OnesLike", "ones_like"),
    {"AddN", "math.add_n", "*", ""},
    {"Unpack", "unstack", "@", "num=num axis=axis"},
    {"SelectV2", "where", "@ x# y#", ""},
    {"Select", "compat.v1.where", "@ x# y#", ""},
    {"Cast", "cast", "@", "DstT=dtype Truncate!"},
    REDUCE("Sum", "math.reduce_sum"),
    REDUCE("Mean", "math.reduce_mean"),
    REDUCE("Max", "math.reduce_max"),
    REDUCE("Min", "math.reduce_min"),
    REDUCE("Prod", "math.reduce_prod"),
    REDUCE("Any", "math.reduce_any"),
    REDUCE("All", "math.reduce_all"),
    {"ArgMax", "math.argmax", "@ axis", "output_type=output_type"},
    {"ArgMin", "math.argmin", "@ axis", "output_type=output_type"},
    {"Cumsum", "math.cumsum", "@ axis", "exclusive! reverse!"},
    {"Reshape", "reshape", "@ shape", ""},
    {"Transpose", "transpose", "@ perm", ""},
    {"ExpandDims", "expand_dims", "@ axis", ""},
    {"Squeeze", "squeeze", "@", "squeeze_dims=axis"},
    {"ConcatV2", "concat", "* axis", ""},
    {"Pack", "stack", "*", "axis=axis"},
    {"Tile", "tile", "@ multiples", ""},
    {"ReverseV2", "reverse", "@ axis", ""},
    {"Pad", "pad", "@ paddings", ""},
    {"PadV2", "pad", "@ paddings constant_values", ""},
    {"MirrorPad", "pad", "@ paddings", "mode=mode"},
    {"BroadcastTo", "broadcast_to", "@ shape", ""},
    {"GatherV2", "gather", "@ indices axis", "batch_dims!"},
    {"OneHot", "one_hot", "@ depth on_value off_value", "axis=axis T=dtype"},
    {"Split", "split", "axis @", "num_split=num_or_size_splits"},
    {"SplitV", "split", "@ num_or_size_splits axis", "num_split?"},
    {"MatMul", "linalg.matmul", "@ b#", "transpose_a=transpose_a transpose_b=transpose_b"},
    PRODUCT("BatchMatMul"),
    PRODUCT("BatchMatMulV2"),
    {"StridedSlice", NULL, "@ begin end strides",
     "begin_mask= end_mask= ellipsis_mask= new_axis_mask= shrink_axis_mask="},
    {"Slice", NULL, "@ begin size", ""},
};

static const node_operation *find_operation(ks_text op) {
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        if (ks_text_is(op, operations[i].op))
            return &operations[i];
    return NULL;
}

static ks_code malformed(const node *n, const ks_value *value, const char *key, const char *message) {
    return ks__upgrade_fail(n->u, KS_E_CONFIG_VALUE, value, n->place, key, "%s", message);
}

static ks_code refuse(const node *n, const ks_value *value, const char *what, const char *name) {
    return ks__upgrade_fail(n->u, KS_E_CONFIG_UNSUPPORTED_VALUE, value, n->place, "config/node_def",
                            "the %s \"%.60s\" of %.60s cannot be run by this reference", what, name, n->operation->op);
}

// --- attributes -----------------------------------------------------------------------------------------------------

// Protobuf writes integers of 64 bits as text.
static bool integer_of(int64_t *out, const ks_value *value) {
    const char *at;
    bool minus;
    if (value->type == KS_VALUE_INT && value->fits) {
        *out = value->as.integer;
        return true;
    }
    if (value->type != KS_VALUE_STRING || value->text.size == 0 || value->text.size > 11)
        return false;
    at = value->text.data;
    minus = *at == '-';
    *out = 0;
    if (minus && value->text.size == 1)
        return false;
    for (at += minus; at < value->text.data + value->text.size; at++) {
        if (*at < '0' || *at > '9')
            return false;
        *out = 10 * *out + (*at - '0');
    }
    *out = minus ? -*out : *out;
    return true;
}

static const char *dtype_name(const ks_value *type) {
    static const char *const names[][2] = {{"DT_FLOAT", "float32"}, {"DT_DOUBLE", "float64"}, {"DT_HALF", "float16"},
                                           {"DT_INT32", "int32"},   {"DT_INT64", "int64"},    {"DT_INT16", "int16"},
                                           {"DT_INT8", "int8"},     {"DT_UINT8", "uint8"},    {"DT_UINT16", "uint16"},
                                           {"DT_BOOL", "bool"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (ks_value_is_text(type, names[i][0]))
            return names[i][1];
    return NULL;
}

static int digit_of(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) : -1;
}

// Bytes in base64; only printable ones are words of an attribute. NULL: they are not.
static const char *text_of(const node *n, const ks_value *value) {
    size_t size = value->type == KS_VALUE_STRING ? value->text.size : 1, used = 0;
    uint32_t bits = 0;
    char *text;
    while (size > 0 && size % 4 != 1 && value->text.data[size - 1] == '=')
        size--;
    text = size % 4 == 1 || value->text.size % 4 != 0 ? NULL : ks_arena_get(n->u->arena, size + 1, 1);
    for (size_t i = 0; text && i < size; i++) {
        int digit = digit_of(value->text.data[i]);
        char c;
        if (digit < 0)
            return NULL;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 == 0)
            continue;
        c = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
        if (c < ' ' || c > '~')
            return NULL;
        text[used++] = c;
    }
    return text;
}

// {"i": "2"}, {"b": true}, {"f": 0.5}, {"s": "TkhXQw=="}, {"type": "DT_FLOAT"}, {"list": {"i": ["1"]}}
static bool attribute_value(const node *n, ks_value *out, const ks_value *attribute) {
    const ks_member *member = attribute->type == KS_VALUE_DICT ? attribute->as.dict.members : NULL;
    const char *text;
    int64_t number;
    if (!member || attribute->as.dict.count != 1)
        return false;
    *out = member->value;
    if (ks_text_is(member->key, "b"))
        return out->type == KS_VALUE_BOOL;
    if (ks_text_is(member->key, "f"))
        return out->type == KS_VALUE_FLOAT || (out->type == KS_VALUE_INT && out->fits);
    if (ks_text_is(member->key, "i")) {
        if (!integer_of(&number, out))
            return false;
        *out = ks__value_int(number, out->offset);
        return true;
    }
    if (!ks_text_is(member->key, "s") && !ks_text_is(member->key, "type"))
        return false;
    text = ks_text_is(member->key, "s") ? text_of(n, out) : dtype_name(out);
    if (text)
        *out = ks__value_text(text, out->offset);
    return text != NULL;
}

// {"list": {"i": ["1"]}}; {"list": {}} is empty.
static bool attribute_list(const node *n, ks_value *out, const ks_value *attribute) {
    const ks_value *list = ks_value_get(attribute, "list"), *items;
    if (!list || attribute->as.dict.count != 1 || list->type != KS_VALUE_DICT || list->as.dict.count > 1)
        return false;
    items = ks_value_get(list, "i");
    if ((list->as.dict.count == 1 && !items) || (items && items->type != KS_VALUE_LIST))
        return false;
    *out = ks__value_list(n->u, items ? items->as.list.count : 0, list->offset);
    for (size_t i = 0; out->as.list.items && i < out->as.list.count; i++) {
        int64_t number;
        if (!integer_of(&number, &items->as.list.items[i]))
            return false;
        out->as.list.items[i] = ks__value_int(number, items->as.list.items[i].offset);
    }
    return out->as.list.items != NULL;
}

static size_t count_words(const char *list) {
    size_t count = 0;
    ks_text word;
    while (ks__next_word(&word, &list))
        count++;
    return count;
}

// What follows the attribute's name in the table ("=axis", "!"); NULL: the table does not have it.
static const char *find_rule(const node *n, ks_text name, size_t *size) {
    const char *rest = n->operation->attributes;
    ks_text word;
    while (ks__next_word(&word, &rest)) {
        size_t key = strcspn(word.data, " =!?:");
        if (key == name.size && memcmp(word.data, name.data, key) == 0) {
            *size = word.size - key;
            return word.data + key;
        }
    }
    return NULL;
}

// Types of inputs, how many there are in the list, and notes of TensorFlow's own, none of which computes anything.
static bool changes_nothing(const node *n, const ks_member *attribute) {
    static const char *const names[] = {"_class", "_cloned", "_gradient_op_type", "_output_shapes"};
    const ks_value *type = ks_value_get(&attribute->value, "type");
    ks_value value;
    if (ks_text_is(attribute->key, "N"))
        return n->operation->inputs[0] == '*' && attribute_value(n, &value, &attribute->value) &&
               value.type == KS_VALUE_INT && value.as.integer >= 0 &&
               (uint64_t)value.as.integer == n->n_inputs + 1 - count_words(n->operation->inputs);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (ks_text_is(attribute->key, names[i]))
            return true;
    return type && dtype_name(type);
}

static bool is_nothing(const ks_value *value) {
    return value->type == KS_VALUE_BOOL ? !value->as.boolean : value->type == KS_VALUE_INT && value->as.integer == 0;
}

static ks_code put_attribute(const node *n, ks__dict *kwargs, const ks_member *attribute) {
    size_t size;
    const char *rule = find_rule(n, attribute->key, &size), *key;
    ks_value value;
    if (!rule)
        return changes_nothing(n, attribute) ? KS_OK : refuse(n, &attribute->value, "attribute", attribute->key.data);
    if (rule[0] == '?' || (rule[0] == '=' && size == 1)) // a mask of a slice is read by the slice
        return KS_OK;
    if (!attribute_value(n, &value, &attribute->value) && !attribute_list(n, &value, &attribute->value))
        return n->u->context->error.code ? n->u->context->error.code
                                         : refuse(n, &attribute->value, "attribute", attribute->key.data);
    if (rule[0] == '!' ? !is_nothing(&value)
                       : rule[0] == ':' && (value.type != KS_VALUE_STRING || value.text.size != size - 1 ||
                                            memcmp(value.text.data, rule + 1, size - 1) != 0))
        return refuse(n, &attribute->value, "attribute", attribute->key.data);
    if (rule[0] != '=' || (value.type == KS_VALUE_LIST && value.as.list.count == 0))
        return KS_OK;
    key = ks_arena_text(n->u->arena, rule + 1, size - 1).data;
    return key ? ks__dict_set(kwargs, key, value) : n->u->context->error.code;
}

// --- inputs ---------------------------------------------------------------------------------------------------------

static bool is_tensor(const ks_value *value) {
    return ks_value_is_text(ks_value_get(value, "class_name"), "__keras_tensor__");
}

static bool is_numbers(const ks_value *value) {
    if (value->type != KS_VALUE_LIST)
        return value->type == KS_VALUE_INT || value->type == KS_VALUE_FLOAT || value->type == KS_VALUE_BOOL;
    for (size_t i = 0; i < value->as.list.count; i++)
        if (!is_numbers(&value->as.list.items[i]))
            return false;
    return true;
}

// Constants go to their places, the call's tensors to the others.
static ks_code place_inputs(node *n, const ks_value *first) {
    bool list = first->type == KS_VALUE_LIST;
    const ks_value *tensors = list ? first->as.list.items : first;
    size_t count = list ? first->as.list.count : 1, used = 0,
           n_constants = n->constants ? n->constants->as.dict.count : 0;
    if (count + n_constants != n->n_inputs)
        return malformed(n, first, "inbound_nodes",
                         "the tensors and constants are not as many as the operation's inputs");
    n->inputs = ks_arena_get(n->u->arena, n->n_inputs + 1, sizeof(*n->inputs));
    if (!n->inputs)
        return n->u->context->error.code;
    for (size_t i = 0; i < n->n_inputs; i++) {
        char key[24];
        const ks_value *constant;
        snprintf(key, sizeof(key), "%zu", i);
        constant = n->constants ? ks_value_get(n->constants, key) : NULL;
        if (!constant && used == count)
            return malformed(n, n->constants, "config/constants", "expected the number of an input, or each once");
        if (constant ? !is_numbers(constant) : !is_tensor(&tensors[used]))
            return refuse(n, constant ? constant : &tensors[used], "input", key);
        n->inputs[i] = constant ? *constant : tensors[used++];
    }
    return KS_OK;
}

// A constant of several numbers has the type that the operation says.
static ks_code make_operand(const node *n, ks_value *value) {
    const ks_value *type = n->attributes ? ks_value_get(ks_value_get(n->attributes, "T"), "type") : NULL;
    const char *name = type ? dtype_name(type) : NULL;
    ks__dict record, config;
    ks_code code;
    if (value->type != KS_VALUE_LIST)
        return KS_OK;
    if (!name)
        return refuse(n, value, "attribute", "T");
    KS_TRY(ks__dict_copy(&config, n->u, NULL));
    KS_TRY(ks__dict_copy(&record, n->u, NULL));
    config.offset = record.offset = value->offset;
    KS_TRY(ks__dict_set(&config, "value", *value));
    KS_TRY(ks__dict_set(&config, "dtype", ks__value_text(name, value->offset)));
    KS_TRY(ks__dict_set(&record, "class_name", ks__value_text("__numpy__", value->offset)));
    KS_TRY(ks__dict_set(&record, "config", ks__dict_value(&config)));
    *value = ks__dict_value(&record);
done:
    return code;
}

// The list that takes all inputs but the named ones behind it.
static ks_code put_list(const node *n, ks_value *first, size_t count) {
    ks_code code = KS_OK;
    *first = ks__value_list(n->u, count, n->inputs[0].offset);
    if (!first->as.list.items)
        return n->u->context->error.code;
    for (size_t i = 0; i < count; i++) {
        first->as.list.items[i] = n->inputs[i];
        KS_TRY(make_operand(n, &first->as.list.items[i]));
    }
done:
    return code;
}

static ks_code put_inputs(const node *n, ks_value *first, ks__dict *kwargs) {
    const char *words = n->operation->inputs;
    size_t n_words = count_words(words), at = 0;
    ks_text name;
    bool several = n->operation->inputs[0] == '*';
    ks_code code = KS_OK;
    if (several ? n->n_inputs < n_words : n->n_inputs != n_words)
        return malformed(n, NULL, "config/node_def/input", "the operation does not have that many inputs");
    while (ks__next_word(&name, &words)) {
        const char *word = name.data, *key;
        size_t size = name.size;
        bool operand = word[size - 1] == '#';
        ks_value value;
        if (word[0] == '*') {
            at = n->n_inputs - n_words + 1;
            KS_TRY(put_list(n, first, at));
            continue;
        }
        value = n->inputs[at++];
        if (operand || word[0] == '@')
            KS_TRY(make_operand(n, &value));
        if (word[0] == '@') {
            *first = value;
            continue;
        }
        key = ks_arena_text(n->u->arena, word, size - operand).data;
        if (!key)
            return n->u->context->error.code;
        KS_TRY(ks__dict_set(kwargs, key, value));
    }
done:
    return code;
}

// --- slices ---------------------------------------------------------------------------------------------------------

static ks_code read_mask(const node *n, int64_t *out, const char *name) {
    const ks_value *attribute = n->attributes ? ks_value_get(n->attributes, name) : NULL;
    ks_value value;
    *out = 0;
    if (!attribute)
        return KS_OK;
    if (!attribute_value(n, &value, attribute) || value.type != KS_VALUE_INT || value.as.integer < 0)
        return refuse(n, attribute, "attribute", name);
    *out = value.as.integer;
    return KS_OK;
}

// A list of as many whole numbers as `begin` has.
static bool is_index_list(const ks_value *value, const ks_value *begin) {
    if (value->type != KS_VALUE_LIST || value->as.list.count != begin->as.list.count || value->as.list.count > 32)
        return false;
    for (size_t i = 0; i < value->as.list.count; i++)
        if (value->as.list.items[i].type != KS_VALUE_INT || !value->as.list.items[i].fits)
            return false;
    return true;
}

static ks_code put_range(const node *n, ks_value *out, ks_value start, ks_value stop, ks_value step) {
    ks__dict range;
    ks_code code;
    KS_TRY(ks__dict_copy(&range, n->u, NULL));
    range.offset = start.offset;
    KS_TRY(ks__dict_set(&range, "start", start));
    KS_TRY(ks__dict_set(&range, "stop", stop));
    KS_TRY(ks__dict_set(&range, "step", step));
    *out = ks__dict_value(&range);
done:
    return code;
}

static ks_code put_ellipsis(const node *n, ks_value *out, uint64_t offset) {
    ks__dict record;
    ks_code code;
    KS_TRY(ks__dict_copy(&record, n->u, NULL));
    record.offset = offset;
    KS_TRY(ks__dict_set(&record, "class_name", ks__value_text("__ellipsis__", offset)));
    *out = ks__dict_value(&record);
done:
    return code;
}

// Masks have a bit for every index: which are "…", new axes, single numbers, or ranges without an end.
static ks_code strided_slice(const node *n, ks_value *out) {
    static const char *const names[] = {"ellipsis_mask", "new_axis_mask", "shrink_axis_mask", "begin_mask", "end_mask"};
    const ks_value *begin = &n->inputs[1], *end = &n->inputs[2], *strides = &n->inputs[3];
    int64_t masks[5];
    ks_code code = KS_OK;
    if (!is_index_list(begin, begin) || !is_index_list(end, begin) || !is_index_list(strides, begin))
        return refuse(n, begin, "input", "begin, end or strides");
    for (size_t i = 0; i < 5; i++)
        KS_TRY(read_mask(n, &masks[i], names[i]));
    *out = ks__value_list(n->u, begin->as.list.count, begin->offset);
    if (!out->as.list.items)
        return n->u->context->error.code;
    for (size_t i = 0; i < out->as.list.count; i++) {
        ks_value *item = &out->as.list.items[i], none = ks__value_null(begin->offset);
        bool bit[5];
        for (size_t k = 0; k < 5; k++)
            bit[k] = masks[k] >> i & 1;
        if (bit[0])
            KS_TRY(put_ellipsis(n, item, begin->offset));
        else if (bit[1])
            *item = none;
        else if (bit[2])
            *item = begin->as.list.items[i];
        else
            KS_TRY(put_range(n, item, bit[3] ? none : begin->as.list.items[i], bit[4] ? none : end->as.list.items[i],
                             strides->as.list.items[i]));
    }
done:
    return code;
}

// tf.slice: where it begins, and how many; -1 is all that are left.
static ks_code plain_slice(const node *n, ks_value *out) {
    const ks_value *begin = &n->inputs[1], *size = &n->inputs[2];
    ks_code code = KS_OK;
    if (!is_index_list(begin, begin) || !is_index_list(size, begin))
        return refuse(n, begin, "input", "begin or size");
    *out = ks__value_list(n->u, begin->as.list.count, begin->offset);
    if (!out->as.list.items)
        return n->u->context->error.code;
    for (size_t i = 0; i < out->as.list.count; i++) {
        int64_t from = begin->as.list.items[i].as.integer, count = size->as.list.items[i].as.integer;
        ks_value none = ks__value_null(begin->offset);
        if (from < 0 || count < -1 || from > INT32_MAX || count > INT32_MAX)
            return malformed(n, begin, "config/constants", "a slice begins or ends outside of its tensor");
        KS_TRY(put_range(n, &out->as.list.items[i], begin->as.list.items[i],
                         count == -1 ? none : ks__value_int(from + count, begin->offset), none));
    }
done:
    return code;
}

static ks_code put_slice(const node *n, ks_value *first, ks__dict *kwargs) {
    ks_value slices;
    ks_code code;
    if (n->n_inputs != count_words(n->operation->inputs))
        return malformed(n, NULL, "config/node_def/input", "the operation does not have that many inputs");
    KS_TRY(n->n_inputs == 4 ? strided_slice(n, &slices) : plain_slice(n, &slices));
    *first = n->inputs[0];
    KS_TRY(ks__dict_set(kwargs, "slice_spec", slices));
done:
    return code;
}

// --- records --------------------------------------------------------------------------------------------------------

static ks_code rewrite_call(node *n, ks_value *call) {
    const ks_value *args = ks_value_get(call, "args"), *old = ks_value_get(call, "kwargs");
    ks_value first = {0}, list;
    ks__dict kwargs, record;
    ks_code code;
    if (!args || args->as.list.count != 1 || !old || old->as.dict.count)
        return malformed(n, call, "inbound_nodes", "an operation is called on its tensors only");
    KS_TRY(place_inputs(n, &args->as.list.items[0]));
    KS_TRY(ks__dict_copy(&kwargs, n->u, NULL));
    kwargs.offset = call->offset;
    KS_TRY(n->operation->function ? put_inputs(n, &first, &kwargs) : put_slice(n, &first, &kwargs));
    for (size_t i = 0; n->attributes && i < n->attributes->as.dict.count; i++)
        KS_TRY(put_attribute(n, &kwargs, &n->attributes->as.dict.members[i]));
    list = ks__value_list(n->u, 1, call->offset);
    if (!list.as.list.items)
        return n->u->context->error.code;
    list.as.list.items[0] = first;
    KS_TRY(ks__dict_copy(&record, n->u, call));
    KS_TRY(ks__dict_set(&record, "args", list));
    KS_TRY(ks__dict_set(&record, "kwargs", ks__dict_value(&kwargs)));
    *call = ks__dict_value(&record);
done:
    return code;
}

static ks_code check_keys(const node *n, const ks_value *dict, const char *const *known, const char *where) {
    for (size_t i = 0; i < dict->as.dict.count; i++) {
        const char *const *at = known;
        while (*at && !ks_text_is(dict->as.dict.members[i].key, *at))
            at++;
        if (!*at)
            return ks__upgrade_fail(n->u, KS_E_CONFIG_UNKNOWN_KEY, &dict->as.dict.members[i].value, n->place, where,
                                    "unknown key \"%.60s\"", dict->as.dict.members[i].key.data);
    }
    return KS_OK;
}

static bool is_dict_or_missing(const ks_value *value) {
    return !value || value->type == KS_VALUE_DICT;
}

// Inputs that are no tensors ("^name") only say what runs first.
static bool count_inputs(size_t *out, const ks_value *names) {
    *out = 0;
    if (!names || names->type != KS_VALUE_LIST)
        return false;
    for (size_t i = 0; i < names->as.list.count; i++) {
        const ks_value *name = &names->as.list.items[i];
        if (name->type != KS_VALUE_STRING || name->text.size == 0)
            return false;
        *out += name->text.data[0] != '^';
    }
    return *out > 0;
}

static ks_code read_node(node *n, const ks_value *config) {
    static const char *const config_keys[] = {"name", "trainable", "dtype", "node_def", "constants", NULL};
    static const char *const node_keys[] = {"name", "op", "input", "attr", "device", NULL};
    const ks_value *definition = ks_value_get(config, "node_def"), *op;
    ks_code code;
    KS_TRY(check_keys(n, config, config_keys, "config"));
    if (!definition || definition->type != KS_VALUE_DICT)
        return malformed(n, definition ? definition : config, "config/node_def", "expected a NodeDef as an object");
    KS_TRY(check_keys(n, definition, node_keys, "config/node_def"));
    op = ks_value_get(definition, "op");
    if (!op || op->type != KS_VALUE_STRING)
        return malformed(n, definition, "config/node_def/op", "expected the name of an operation");
    n->operation = find_operation(op->text);
    if (!n->operation)
        return ks__upgrade_fail(n->u, KS_E_CONFIG_UNSUPPORTED_CLASS, op, n->place, "config/node_def/op",
                                "the TensorFlow operation \"%.60s\" cannot be run by this reference", op->text.data);
    n->attributes = ks_value_get(definition, "attr");
    n->constants = ks_value_get(config, "constants");
    if (n->constants && n->constants->type == KS_VALUE_NULL)
        n->constants = NULL;
    if (!is_dict_or_missing(n->attributes) || !is_dict_or_missing(n->constants) ||
        !count_inputs(&n->n_inputs, ks_value_get(definition, "input")))
        return malformed(n, definition, "config/node_def", "expected inputs, attributes and constants by name");
done:
    return code;
}

// Keras names the layer after the operation.
static bool has_layer_name(const ks_value *record, const ks_value *config) {
    const ks_value *layer = ks_value_get(record, "name"), *operation = ks_value_get(config, "name");
    size_t prefix = strlen(PREFIX);
    return layer && layer->type == KS_VALUE_STRING && operation && operation->type == KS_VALUE_STRING &&
           layer->text.size == prefix + operation->text.size && memcmp(layer->text.data, PREFIX, prefix) == 0 &&
           memcmp(layer->text.data + prefix, operation->text.data, operation->text.size) == 0;
}

ks_code ks__upgrade_node(ks__upgrade *u, ks_value *record, const char *place) {
    const ks_value *config = ks_value_get(record, "config"), *calls = ks_value_get(record, "inbound_nodes");
    node n = {.u = u, .place = place};
    ks__dict result, function;
    ks_value list;
    ks_code code;
    if (!ks_value_is_text(ks_value_get(record, "class_name"), "TensorFlowOpLayer"))
        return KS_OK;
    if (!config || config->type != KS_VALUE_DICT || !calls || calls->type != KS_VALUE_LIST)
        return malformed(&n, record, "config", "an operation needs its config and its calls");
    if (!has_layer_name(record, config))
        return malformed(&n, config, "config/name", "expected the layer's name to be \"" PREFIX "\" and this name");
    KS_TRY(read_node(&n, config));
    list = ks__value_list(u, calls->as.list.count, calls->offset);
    if (!list.as.list.items)
        return u->context->error.code;
    for (size_t i = 0; i < calls->as.list.count; i++) {
        list.as.list.items[i] = calls->as.list.items[i];
        KS_TRY(rewrite_call(&n, &list.as.list.items[i]));
    }
    KS_TRY(ks__dict_copy(&function, u, NULL));
    function.offset = config->offset;
    KS_TRY(ks__dict_set(&function, "name", *ks_value_get(record, "name")));
    KS_TRY(ks__dict_set(
        &function, "function",
        ks__value_text(n.operation->function ? n.operation->function : "__operators__.getitem", config->offset)));
    KS_TRY(ks__dict_copy(&result, u, record));
    KS_TRY(ks__dict_set(&result, "class_name",
                        ks__value_text(n.operation->function ? "TFOpLambda" : "SlicingOpLambda", record->offset)));
    KS_TRY(ks__dict_set(&result, "config", ks__dict_value(&function)));
    KS_TRY(ks__dict_set(&result, "inbound_nodes", list));
    *record = ks__dict_value(&result);
done:
    return code;
}
