// SPDX-License-Identifier: Apache-2.0
//
// The graph of a Functional model in the form of Keras 2 (see upgrade_graph.c for that form): calls
// {"args": [first, …], "kwargs": {…}} become a structure of [layer name, node, tensor, {kwargs}] for the first
// argument. Nodes of nested models that begin with an InputLayer count from one. Operations become TFOpLambda and
// SlicingOpLambda layers. Source: tf_keras engine/node.py (serialize), engine/functional.py (get_network_config,
// process_node).
#include <stdlib.h>
#include <string.h>

#include "config/downgrade_internal.h"
#include "config/word_list.h"

#define MAX_STRUCTURE_DEPTH 32

typedef struct new_layer {
    const ks_value *record; ///< of Keras 3
    int64_t first_node;     ///< number of its first call in Keras 2
    bool operation;
    bool used;
} new_layer;

typedef struct rewiring {
    ks__downgrade *d;
    const char *place;
    new_layer *layers;
    size_t n_layers;
    ks_name_table names;
    bool dropped;           ///< some argument of a call was left out
    const ks_value *states; ///< of the call, where Keras 2.3 has them among the tensors that a layer is called on
} rewiring;

static ks_code failed(const rewiring *w) {
    return w->d->context->error.code;
}

static const ks_value *name_of(const ks_value *record) {
    const ks_value *name = ks_value_get(record, "name");
    return name ? name : ks_value_get(ks_value_get(record, "config"), "name");
}

static new_layer *find_layer(const rewiring *w, const ks_value *name) {
    if (!name || name->type != KS_VALUE_STRING)
        return NULL;
    size_t at = ks_name_table_place(&w->names, name->text)->number;
    return at == KS_NO_NUMBER ? NULL : &w->layers[at];
}

/// Keras 2 counts the construction of a nested model whose first layer is an InputLayer as its node 0.
static bool begins_with_input(const ks_value *record) {
    const ks_value *name = ks_value_get(record, "class_name");
    const ks_value *layers = ks_value_get(ks_value_get(record, "config"), "layers");
    if (ks_value_is_text(name, "Functional"))
        return true;
    return ks_value_is_text(name, "Sequential") && layers && layers->type == KS_VALUE_LIST &&
           layers->as.list.count > 0 &&
           ks_value_is_text(ks_value_get(&layers->as.list.items[0], "class_name"), "InputLayer");
}

/// In Keras 2.3 every model has such a node, since when it was built or before it is called.
static int64_t first_node(const ks__downgrade *d, const ks_value *record) {
    const ks_class *row = d->early ? ks__downgrade_row(d, record) : NULL;
    return row ? row->kind == KS_KIND_MODEL : begins_with_input(record);
}

static ks_code read_layers(rewiring *w, const ks_value *layers) {
    ks_code code;
    w->n_layers = layers->as.list.count;
    w->layers = ks_arena_get(w->d->arena, w->n_layers + 1, sizeof *w->layers);
    if (!w->layers)
        return failed(w);
    KS_TRY(ks_name_table_init(&w->names, w->d->arena, w->n_layers));
    for (size_t i = 0; i < w->n_layers; i++) {
        const ks_value *record = &layers->as.list.items[i];
        const ks_value *name = name_of(record);
        w->layers[i] = (new_layer){record, first_node(w->d, record), ks__is_operation(record), false};
        if (name && name->type == KS_VALUE_STRING)
            *ks_name_table_place(&w->names, name->text) = (ks_named){name->text, i};
    }
done:
    return code;
}

// --- tensors --------------------------------------------------------------------------------------------------------

bool ks__is_tensor(const ks_value *value) {
    const ks_value *name = ks_value_get(value, "class_name");
    return name && ks_value_is_text(name, "__keras_tensor__");
}

static const ks_value *history_of(const ks_value *tensor) {
    return ks_value_get(ks_value_get(tensor, "config"), "keras_history");
}

static const new_layer *producer(const rewiring *w, const ks_value *tensor) {
    const ks_value *history = history_of(tensor);
    bool good = history && history->type == KS_VALUE_LIST && history->as.list.count == 3;
    return good ? find_layer(w, &history->as.list.items[0]) : NULL;
}

/// [layer name, node, tensor], and {kwargs} when there are some to carry.
static ks_code write_history(ks_value *out, rewiring *w, const ks_value *history, int64_t add, const ks_value *kwargs) {
    *out = ks_value_list(w->d->arena, kwargs ? 4 : 3);
    if (!out->as.list.items)
        return failed(w);
    memcpy(out->as.list.items, history->as.list.items, 3 * sizeof(ks_value));
    out->as.list.items[1] = ks_value_int(history->as.list.items[1].as.integer + add);
    if (kwargs)
        out->as.list.items[3] = *kwargs;
    return KS_OK;
}

static ks_code write_tensor(ks_value *out, rewiring *w, const ks_value *tensor, const ks_value *kwargs) {
    const new_layer *layer = producer(w, tensor);
    if (!layer)
        return ks__no_word(w->d, w->place, "a tensor comes from no layer of the model");
    return write_history(out, w, history_of(tensor), layer->first_node, kwargs);
}

/// An argument with its tensors replaced. `kwargs` not NULL: the first argument, whose leaves all carry them.
static ks_code convert(ks_value *out, rewiring *w, const ks_value *value, const ks_value *kwargs, int depth) {
    bool dict = value->type == KS_VALUE_DICT;
    ks_code code = KS_OK;
    if (depth > MAX_STRUCTURE_DEPTH)
        return ks_fail(w->d->context, KS_E_OVER_DEPTH, KS_STAGE_SAVE, KS_NO_OFFSET, w->place,
                       "arguments are nested more than %d deep", MAX_STRUCTURE_DEPTH);
    if (ks__is_tensor(value))
        return write_tensor(out, w, value, kwargs);
    if (value->type == KS_VALUE_LIST) {
        *out = ks_value_list(w->d->arena, value->as.list.count);
        for (size_t i = 0; code == KS_OK && i < out->as.list.count; i++)
            code = convert(&out->as.list.items[i], w, &value->as.list.items[i], kwargs, depth + 1);
        return code != KS_OK ? code : failed(w);
    }
    if (dict && !ks_value_get(value, "class_name")) {
        *out = ks_value_dict(w->d->arena, value->as.dict.count);
        for (size_t i = 0; i < value->as.dict.count; i++) {
            ks_value item;
            KS_TRY(convert(&item, w, &value->as.dict.members[i].value, kwargs, depth + 1));
            KS_TRY(ks__downgrade_put_text(w->d, out, value->as.dict.members[i].key, item));
        }
        return KS_OK;
    }
    if (!kwargs)
        return ks__downgrade_value(out, w->d, value, w->place);
    *out = ks_value_list(w->d->arena, 4); // a constant among the tensors of the first argument
    if (!out->as.list.items)
        return failed(w);
    out->as.list.items[0] = ks_value_string("_CONSTANT_VALUE");
    out->as.list.items[1] = ks_value_int(-1);
    out->as.list.items[3] = *kwargs;
    return ks__downgrade_value(&out->as.list.items[2], w->d, value, w->place);
done:
    return code;
}

// --- calls of layers ------------------------------------------------------------------------------------------------

static ks_text argument_name(const ks_class *row, size_t index) {
    if (!row->arguments)
        return ks_text_from(index == 0 ? "inputs" : "");
    return index < ks_class_argument_count(row) ? ks_text_from(row->arguments[index]) : ks_text_from("");
}

static bool made_by_operation(const rewiring *w, const ks_value *tensor) {
    const new_layer *layer = ks__is_tensor(tensor) ? producer(w, tensor) : NULL;
    return layer && layer->operation;
}

/// The call of a whole model decides over a training=True of Keras 3, which Keras 2 would obey.
static bool is_no_order(ks_text name, const ks_value *value) {
    return value->type == KS_VALUE_BOOL && value->as.boolean && ks_text_is(name, "training");
}

/// MultiHeadAttention of Keras 2 finds these masks with its inputs; Keras 3 writes them into the call. Only masks that
/// come with the inputs are made by operations.
static ks_code drop_argument(bool *drop, rewiring *w, const ks_class *row, ks_text name, const ks_value *value) {
    static const char *const implied[] = {"query_mask", "key_mask", "value_mask"};
    *drop = value->type == KS_VALUE_NULL || is_no_order(name, value);
    if (*drop || strcmp(row->name, "MultiHeadAttention") != 0)
        return KS_OK;
    for (size_t i = 0; i < 3; i++) {
        if (!ks_text_is(name, implied[i]))
            continue;
        if (!made_by_operation(w, value))
            return ks__no_word(w->d, w->place, "MultiHeadAttention of Keras 2 has no argument \"%s\"", implied[i]);
        *drop = w->dropped = true;
    }
    return KS_OK;
}

static bool holds_tensor(const ks_value *value, int depth) {
    bool dict = value->type == KS_VALUE_DICT, found = ks__is_tensor(value) || depth > MAX_STRUCTURE_DEPTH;
    size_t count = dict ? value->as.dict.count : value->type == KS_VALUE_LIST ? value->as.list.count : 0;
    for (size_t i = 0; i < count && !found; i++)
        found = holds_tensor(dict ? &value->as.dict.members[i].value : &value->as.list.items[i], depth + 1);
    return found;
}

static ks_code put_argument(rewiring *w, ks_value *kwargs, const ks_class *row, ks_text name, const ks_value *value) {
    ks_value converted;
    bool drop;
    ks_code code;
    KS_TRY(drop_argument(&drop, w, row, name, value));
    if (drop)
        return KS_OK;
    if (w->d->early && holds_tensor(value, 0)) {
        w->states = value;
        return ks_text_is(name, "initial_state")
                   ? KS_OK
                   : ks__no_word(w->d, w->place, "a call in Keras 2.3 cannot have a tensor as \"%.60s\"", name.data);
    }
    if (name.size == 0)
        return ks__no_word(w->d, w->place, "a call of %s has more arguments than the class", row->name);
    KS_TRY(convert(&converted, w, value, NULL, 0));
    KS_TRY(ks__downgrade_put_text(w->d, kwargs, name, converted));
done:
    return code;
}

/// The first argument is positional, or a keyword of its name.
static const ks_value *first_argument(const ks_class *row, const ks_value *args, const ks_value *kwargs) {
    if (args->as.list.count > 0)
        return &args->as.list.items[0];
    return ks_value_get(kwargs, argument_name(row, 0).data);
}

static ks_code layer_kwargs(ks_value *out, rewiring *w, const ks_class *row, const ks_value *args,
                            const ks_value *kwargs) {
    ks_code code = KS_OK;
    *out = ks_value_dict(w->d->arena, args->as.list.count + kwargs->as.dict.count);
    for (size_t i = 1; i < args->as.list.count; i++)
        KS_TRY(put_argument(w, out, row, argument_name(row, i), &args->as.list.items[i]));
    for (size_t i = 0; i < kwargs->as.dict.count; i++) {
        const ks_member *member = &kwargs->as.dict.members[i];
        if (args->as.list.count > 0 || !ks_text_is(member->key, argument_name(row, 0).data))
            KS_TRY(put_argument(w, out, row, member->key, &member->value));
    }
done:
    return code;
}

/// The tensors of a tensor or a flat list of them, behind those that are there.
static ks_code add_tensors(ks_value *out, rewiring *w, const ks_value *value, const ks_value *kwargs) {
    bool list = value->type == KS_VALUE_LIST;
    size_t count = list ? value->as.list.count : 1;
    ks_value all = ks_value_list(w->d->arena, out->as.list.count + count);
    ks_code code;
    if (!all.as.list.items)
        return failed(w);
    if (out->as.list.count)
        memcpy(all.as.list.items, out->as.list.items, out->as.list.count * sizeof(ks_value));
    for (size_t i = 0; i < count; i++) {
        const ks_value *tensor = list ? &value->as.list.items[i] : value;
        if (!ks__is_tensor(tensor))
            return ks__no_word(w->d, w->place, "Keras 2.3 calls layers on one tensor or a list of tensors");
        KS_TRY(write_tensor(&all.as.list.items[out->as.list.count + i], w, tensor, kwargs));
    }
    *out = all;
done:
    return code;
}

static ks_code early_call(ks_value *out, rewiring *w, const ks_value *first, const ks_value *kwargs) {
    ks_code code;
    *out = ks_value_list(w->d->arena, 0);
    KS_TRY(add_tensors(out, w, first, kwargs));
    if (w->states)
        KS_TRY(add_tensors(out, w, w->states, kwargs));
done:
    return code;
}

static ks_code layer_call(ks_value *out, rewiring *w, const ks_class *row, const ks_value *args,
                          const ks_value *kwargs) {
    const ks_value *first = first_argument(row, args, kwargs);
    ks_value converted;
    ks_value more;
    ks_code code;
    if (!first)
        return ks__no_word(w->d, w->place, "a call of %s has no argument", row->name);
    if (!ks__is_tensor(first) && first->type == KS_VALUE_LIST && first->as.list.count == 1 &&
        row->kind != KS_KIND_MODEL)
        return ks__no_word(w->d, w->place, "Keras 2 calls %s on the tensor in a list of one, not on the list",
                           row->name);
    w->states = NULL;
    KS_TRY(layer_kwargs(&more, w, row, args, kwargs));
    if (w->d->early)
        return early_call(out, w, first, &more);
    KS_TRY(convert(&converted, w, first, &more, 0));
    *out = converted;
    if (!ks__is_tensor(first) && (first->type == KS_VALUE_LIST || first->type == KS_VALUE_DICT))
        return KS_OK; // a structure stays what it is
    *out = ks_value_list(w->d->arena, 1);
    if (!out->as.list.items)
        return failed(w);
    out->as.list.items[0] = converted;
done:
    return code;
}

// --- calls of operations --------------------------------------------------------------------------------------------

static bool is_float_name(const ks_value *dtype) {
    return dtype && dtype->type == KS_VALUE_STRING && strstr(dtype->text.data, "float") != NULL;
}

typedef struct operands {
    const ks_value *dtype; ///< of the tensors, NULL: none was seen
    size_t first;          ///< index of the first argument with a tensor, SIZE_MAX: none
    const ks_value *array; ///< dtype of an array of integers, NULL: none was seen
    bool mixed;            ///< of more than one dtype
    bool fraction;         ///< a constant that is a float
    bool whole;            ///< a constant that is an int
    bool truth;            ///< a constant that is a bool
    bool wide;             ///< an array of float64
    bool vector;           ///< a tensor of less than two axes
} operands;

static void look_at_array(operands *seen, const ks_value *record) {
    const ks_value *config = ks_value_get(record, "config");
    const ks_value *dtype = config && config->type == KS_VALUE_DICT ? ks_value_get(config, "dtype") : NULL;
    bool truth = dtype && ks_value_is_text(dtype, "bool");
    seen->fraction = seen->fraction || is_float_name(dtype);
    seen->truth = seen->truth || truth;
    if (!truth && !is_float_name(dtype)) {
        seen->whole = true;
        seen->array = dtype;
    }
    seen->wide = seen->wide || (dtype && ks_value_is_text(dtype, "float64"));
}

static void look_at_tensor(operands *seen, const ks_value *config, size_t index) {
    const ks_value *dtype = ks_value_get(config, "dtype");
    const ks_value *shape = ks_value_get(config, "shape");
    if (!dtype || (seen->dtype && !ks_value_equal(dtype, seen->dtype)))
        seen->mixed = true;
    if (!shape || shape->type != KS_VALUE_LIST || shape->as.list.count < 2)
        seen->vector = true;
    seen->dtype = dtype;
    if (index < seen->first)
        seen->first = index;
}

/// `index`: which argument of the call this is, or is in.
static void look(operands *seen, const ks_value *value, size_t index, int depth) {
    const ks_value *config = ks__is_tensor(value) ? ks_value_get(value, "config") : NULL;
    seen->fraction = seen->fraction || value->type == KS_VALUE_FLOAT;
    seen->whole = seen->whole || value->type == KS_VALUE_INT;
    seen->truth = seen->truth || value->type == KS_VALUE_BOOL;
    if (config)
        look_at_tensor(seen, config, index);
    else if (value->type == KS_VALUE_DICT)
        look_at_array(seen, value);
    else if (value->type == KS_VALUE_LIST && depth < MAX_STRUCTURE_DEPTH)
        for (size_t i = 0; i < value->as.list.count; i++)
            look(seen, &value->as.list.items[i], index, depth + 1);
}

static bool has_word(const char *list, const char *word) {
    size_t size = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += size)
        if ((at == list || at[-1] == ' ') && (at[size] == ' ' || at[size] == 0))
            return true;
    return false;
}

/// The place of the tensor that a choice is made by: no operand.
static bool is_condition(const ks__tf_operation *operation, size_t index) {
    return index == 0 && strncmp(operation->names, "condition ", 10) == 0;
}

/// The last two arguments are operands that Keras 3 gives one type.
static bool takes_two(const ks__tf_operation *operation) {
    size_t size = strlen(operation->names);
    const char *end = size >= 3 ? operation->names + size - 3 : "";
    return strcmp(end, "x y") == 0 || strcmp(end, "y x") == 0;
}

/// Keras 3 finds a common type of the operands, and computes fractions of integers in floats; TensorFlow does not.
static bool same_types(const operands *seen, const ks__tf_operation *operation) {
    static const char whole[] =
        "Abs Absolute Add AddN All Any Argmax Argmax64 Argmin Argmin64 BroadcastTo Cast Concatenate Copy Cumsum Equal "
        "ExpandDims Flip Greater GreaterEqual Less LessEqual LogicalAnd LogicalNot LogicalOr LogicalXor Maximum "
        "Minimum Moveaxis Multiply Negative NotEqual OneHot OnesLike Pad Ravel Repeat Reshape Select Sign Split "
        "Square Squeeze Stack StopGradient Subtract Swapaxes Take Tile Transpose Unstack Where ZerosLike";
    static const char numbers[] =
        "Abs Absolute Add AddN Argmax Argmax64 Argmin Argmin64 Cumsum Greater GreaterEqual Less LessEqual Maximum "
        "Minimum Multiply Negative Sign Square Subtract";
    const char *name = operation->class_name;
    bool truths = seen->dtype && ks_value_is_text(seen->dtype, "bool");
    if (is_condition(operation, 0) && !seen->dtype)
        return !seen->wide && (seen->fraction || !(seen->array || (seen->truth && seen->whole)));
    if (seen->mixed || (seen->wide && !(seen->dtype && ks_value_is_text(seen->dtype, "float64"))))
        return false;
    if (is_float_name(seen->dtype))
        return true;
    if (takes_two(operation) && seen->array && !(seen->dtype && ks_value_equal(seen->dtype, seen->array)))
        return false; // of integers of two sizes
    if ((truths && has_word(numbers, name)) || (takes_two(operation) && (truths ? seen->whole : seen->truth)))
        return false;
    return !seen->fraction && has_word(whole, name);
}

typedef struct operation_parts {
    const ks__tf_operation *operation;
    const ks_class *row;
    const ks_value *record;
    const ks_value *first;
    const ks_value *args;
    const ks_value *kwargs;
    operands seen;
} operation_parts;

static size_t argument_index(const ks_class *row, ks_text name) {
    size_t at = 0;
    while (at < 12 && !ks_text_is(name, argument_name(row, at).data))
        at++;
    return at;
}

static void look_at_call(operation_parts *parts) {
    parts->seen.first = SIZE_MAX;
    for (size_t i = is_condition(parts->operation, 0); i < parts->args->as.list.count; i++)
        look(&parts->seen, &parts->args->as.list.items[i], i, 0);
    for (size_t i = 0; i < parts->kwargs->as.dict.count; i++) {
        const ks_member *member = &parts->kwargs->as.dict.members[i];
        size_t at = argument_index(parts->row, member->key);
        if (!is_condition(parts->operation, at))
            look(&parts->seen, &member->value, at, 0);
    }
}

/// Keras 3 casts to bools what these operations take; TensorFlow does not.
static bool takes_truth(const operation_parts *parts) {
    static const char list[] = "All Any LogicalAnd LogicalNot LogicalOr LogicalXor";
    const ks_value *config = ks__is_tensor(parts->first) ? ks_value_get(parts->first, "config") : NULL;
    const ks_value *dtype = parts->seen.dtype;
    if (is_condition(parts->operation, 0))
        dtype = config ? ks_value_get(config, "dtype") : NULL;
    else if (!has_word(list, parts->operation->class_name))
        return true;
    return dtype && ks_value_is_text(dtype, "bool");
}

static ks_code check_operands(rewiring *w, const operation_parts *parts) {
    const char *name = parts->operation->class_name;
    if (!same_types(&parts->seen, parts->operation) || !takes_truth(parts))
        return ks__no_word(w->d, w->place, "%s of these types is not the same in TensorFlow", name);
    if (parts->seen.vector && strcmp(name, "Matmul") == 0)
        return ks__no_word(w->d, w->place, "Matmul of vectors is not the same in TensorFlow");
    return KS_OK;
}

static ks_code put_floats(ks_value *out, rewiring *w, const ks_value *value, int depth) {
    ks_code code = KS_OK;
    *out = *value;
    if (value->type == KS_VALUE_INT || value->type == KS_VALUE_BOOL) {
        double number = value->type == KS_VALUE_BOOL && value->as.boolean ? 1 : 0;
        if (value->type == KS_VALUE_INT && !ks_value_number(value, &number))
            return ks__no_word(w->d, w->place, "a constant of this size cannot be written");
        *out = ks_value_float(number);
    } else if (value->type == KS_VALUE_LIST && depth < MAX_STRUCTURE_DEPTH) {
        *out = ks_value_list(w->d->arena, value->as.list.count);
        for (size_t i = 0; i < out->as.list.count && code == KS_OK; i++)
            code = put_floats(&out->as.list.items[i], w, &value->as.list.items[i], depth + 1);
        code = code != KS_OK ? code : failed(w);
    }
    return code;
}

/// The array that `record` is, of floats.
static ks_code put_float_array(ks_value *out, rewiring *w, const ks_value *record, const ks_value *numbers) {
    ks_value config = ks_value_dict(w->d->arena, 1), floats;
    ks_code code;
    *out = ks_value_dict(w->d->arena, 2);
    KS_TRY(put_floats(&floats, w, numbers, 0));
    KS_TRY(ks__downgrade_put(w->d, &config, "value", floats));
    KS_TRY(ks__downgrade_put(w->d, out, "class_name", *ks_value_get(record, "class_name")));
    KS_TRY(ks__downgrade_put(w->d, out, "config", config));
done:
    return code;
}

/// A constant among floats. TensorFlow makes tensors of the operands in their order and gives an int the type of a
/// tensor before it, but not of one behind it, and a bool never: these are written as the floats they are in Keras 3.
static ks_code as_operand(ks_value *out, rewiring *w, const operation_parts *parts, size_t index,
                          const ks_value *value) {
    const operands *seen = &parts->seen;
    const ks_value *config = ks_value_get(value, "config");
    const ks_value *array = config && config->type == KS_VALUE_DICT ? ks_value_get(config, "value") : NULL;
    bool floats = seen->dtype ? is_float_name(seen->dtype) : seen->fraction;
    operands own = {.first = SIZE_MAX};
    *out = *value;
    look(&own, value, index, 0);
    if (!takes_two(parts->operation) || is_condition(parts->operation, index) || !floats || own.dtype)
        return KS_OK;
    if (!own.truth && index >= seen->first)
        return KS_OK;
    return array ? put_float_array(out, w, value, array) : put_floats(out, w, value, 0);
}

static ks_code put_operand(rewiring *w, ks_value *kwargs, const operation_parts *parts, size_t index,
                           const ks_value *value) {
    const ks__tf_operation *operation = parts->operation;
    ks_text word;
    const char *key = NULL;
    ks_value operand, converted;
    ks_code code;
    if (!ks__word_at(&word, operation->names, index))
        return ks__no_word(w->d, w->place, "%s has no argument %zu in TensorFlow", operation->class_name, index);
    key = ks_arena_format(w->d->arena, "%.*s", (int)word.size, word.data);
    if (!key)
        return failed(w);
    KS_TRY(as_operand(&operand, w, parts, index, value));
    KS_TRY(convert(&converted, w, &operand, NULL, 0));
    KS_TRY(ks__downgrade_put(w->d, kwargs, key, converted));
done:
    return code;
}

/// Whether a value is what the words after "!" say: null, a text, or a number however it is written.
static bool is_said(rewiring *w, const ks_value *value, const char *said) {
    double number, expected;
    char *end;
    if (!said[0])
        return value->type == KS_VALUE_NULL;
    expected = strtod(said, &end);
    if (!*end)
        return ks_value_number(value, &number) && number == expected;
    return ks__prints_as(w->d, value, said);
}

/// A key of the operation's config, by the words of ks__tf_operation.
static ks_code put_setting(rewiring *w, ks_value *kwargs, const ks__tf_operation *operation, const ks_member *member) {
    const char *words = operation->config;
    ks_text word;
    if (ks_text_is(member->key, "name"))
        return KS_OK;
    while (ks__next_word(&word, &words)) {
        size_t key = strcspn(word.data, " =!*");
        if (key != member->key.size || memcmp(word.data, member->key.data, key) != 0)
            continue;
        const char *rest = ks_arena_format(w->d->arena, "%.*s", (int)(word.size - key), word.data + key);
        if (!rest)
            return failed(w);
        if (rest[0] == '!') {
            if (is_said(w, &member->value, rest + 1))
                return KS_OK;
            if (failed(w) != KS_OK)
                return failed(w);
            break;
        }
        if (rest[0] == '*' && member->value.type == KS_VALUE_NULL)
            return ks__no_word(w->d, w->place, "%s without \"%.*s\" is another function in TensorFlow",
                               operation->class_name, (int)key, word.data);
        return ks__downgrade_put_text(w->d, kwargs, rest[0] == '=' ? ks_text_from(rest + 1) : member->key,
                                      member->value);
    }
    if (member->value.type == KS_VALUE_NULL)
        return KS_OK;
    return ks__no_word(w->d, w->place, "%s of TensorFlow has no \"%.*s\" of this value", operation->class_name,
                       (int)member->key.size, member->key.data);
}

static ks_code operation_kwargs(ks_value *out, rewiring *w, const operation_parts *parts) {
    const ks_value *args = parts->args, *kwargs = parts->kwargs, *config = ks_value_get(parts->record, "config");
    ks_code code = KS_OK;
    *out = ks_value_dict(w->d->arena, args->as.list.count + kwargs->as.dict.count + config->as.dict.count + 1);
    for (size_t i = 1; i < args->as.list.count; i++)
        KS_TRY(put_operand(w, out, parts, i, &args->as.list.items[i]));
    for (size_t i = 0; i < kwargs->as.dict.count; i++) {
        size_t at = argument_index(parts->row, kwargs->as.dict.members[i].key);
        if (at > 0 || args->as.list.count > 0)
            KS_TRY(put_operand(w, out, parts, at, &kwargs->as.dict.members[i].value));
    }
    for (size_t i = 0; i < config->as.dict.count; i++)
        KS_TRY(put_setting(w, out, parts->operation, &config->as.dict.members[i]));
done:
    return code;
}

static ks_code operation_call(ks_value *out, rewiring *w, const ks_value *record, const ks_value *args,
                              const ks_value *kwargs) {
    const ks__tf_operation *operation = ks__tf_operation_find(ks_value_get(record, "class_name"));
    const ks_class *row =
        ks_class_find(ks_value_get(record, "class_name")->text, &ks_value_get(record, "module")->text);
    operation_parts parts = {operation, row, record, first_argument(row, args, kwargs), args, kwargs, {0}};
    ks_value first, more;
    ks_code code;
    if (!operation || !parts.first)
        return ks__no_word(w->d, w->place, "%s is no function of TensorFlow with the same arguments", row->name);
    look_at_call(&parts);
    KS_TRY(check_operands(w, &parts));
    KS_TRY(operation_kwargs(&more, w, &parts));
    if (operation->fix) {
        ks__tf_call call = {w->d, w->place, operation->class_name, parts.first, &more};
        KS_TRY(operation->fix(&call));
    }
    KS_TRY(as_operand(&first, w, &parts, 0, parts.first));
    KS_TRY(convert(out, w, &first, &more, 0));
done:
    return code;
}

/// {"class_name": "__slice__", "config": {…}} is {"start", "stop", "step"} in Keras 2.
static ks_code write_slice(ks_value *out, rewiring *w, const ks_value *value) {
    const ks_value *name = ks_value_get(value, "class_name");
    *out = *value;
    if (name && ks_value_is_text(name, "__slice__")) {
        *out = *ks_value_get(value, "config");
    } else if (name && ks_value_is_text(name, "__ellipsis__")) {
        *out = ks_value_dict(w->d->arena, 1);
        return ks__downgrade_put(w->d, out, "class_name", *name);
    } else if (value->type != KS_VALUE_INT && value->type != KS_VALUE_NULL) {
        return ks__no_word(w->d, w->place, "an index of this kind cannot be written");
    }
    return KS_OK;
}

static ks_code slicing_call(ks_value *out, rewiring *w, const ks_value *args, const ks_value *kwargs) {
    const ks_value *key = args->as.list.count > 1 ? &args->as.list.items[1] : ks_value_get(kwargs, "key");
    bool list = key && key->type == KS_VALUE_LIST;
    ks_value more = ks_value_dict(w->d->arena, 1);
    ks_value slices;
    ks_code code;
    const ks_value *first = args->as.list.count > 0 ? &args->as.list.items[0] : ks_value_get(kwargs, "x");
    if (!key || !first)
        return ks__no_word(w->d, w->place, "an index is missing");
    slices = ks_value_list(w->d->arena, list ? key->as.list.count : 1);
    for (size_t i = 0; i < slices.as.list.count; i++)
        KS_TRY(write_slice(&slices.as.list.items[i], w, list ? &key->as.list.items[i] : key));
    KS_TRY(ks__downgrade_put(w->d, &more, "slice_spec", slices));
    KS_TRY(convert(out, w, first, &more, 0));
done:
    return code;
}

static bool is_slicing(const ks_value *record) {
    return ks_value_is_text(ks_value_get(record, "class_name"), "GetItem");
}

static ks_code operation_record(ks_value *out, rewiring *w, const ks_value *record) {
    const ks__tf_operation *operation = ks__tf_operation_find(ks_value_get(record, "class_name"));
    const char *function = is_slicing(record) ? "__operators__.getitem" : operation ? operation->function : NULL;
    ks_value config = ks_value_dict(w->d->arena, 4);
    ks_code code;
    if (!function)
        return ks__no_word(w->d, w->place, "TensorFlow has no function that does what %.60s does",
                           ks_value_get(record, "class_name")->text.data);
    KS_TRY(ks__downgrade_put(w->d, &config, "name", *name_of(record)));
    KS_TRY(ks__downgrade_put(w->d, &config, "trainable", ks_value_bool(true)));
    KS_TRY(ks__downgrade_put(w->d, &config, "dtype", ks_value_string("float32")));
    KS_TRY(ks__downgrade_put(w->d, &config, "function", ks_value_string(function)));
    *out = ks_value_dict(w->d->arena, 4);
    KS_TRY(ks__downgrade_put(w->d, out, "class_name",
                             ks_value_string(is_slicing(record) ? "SlicingOpLambda" : "TFOpLambda")));
    KS_TRY(ks__downgrade_put(w->d, out, "config", config));
done:
    return code;
}

// --- layers ---------------------------------------------------------------------------------------------------------

static ks_code write_call(ks_value *out, rewiring *w, const new_layer *layer, const ks_value *call) {
    const ks_value *args = ks_value_get(call, "args");
    const ks_value *kwargs = ks_value_get(call, "kwargs");
    const ks_class *row = ks__downgrade_row(w->d, layer->record);
    if (!args || args->type != KS_VALUE_LIST || !kwargs || kwargs->type != KS_VALUE_DICT)
        return ks__no_word(w->d, w->place, "a call without arguments cannot be written");
    if (layer->operation && is_slicing(layer->record))
        return slicing_call(out, w, args, kwargs);
    if (layer->operation)
        return operation_call(out, w, layer->record, args, kwargs);
    if (!row)
        return ks__no_word(w->d, w->place, "the class of a layer is not known");
    return layer_call(out, w, row, args, kwargs);
}

static ks_code write_layer(ks_value *out, rewiring *w, const new_layer *layer, const char *place) {
    const ks_value *calls = ks_value_get(layer->record, "inbound_nodes");
    ks_value list = ks_value_list(w->d->arena, calls ? calls->as.list.count : 0);
    ks_code code;
    w->place = place;
    KS_TRY(ks__downgrade_name(w->d, layer->record, KS__NAME_OF_LAYER, place));
    if (layer->operation && w->d->early)
        return ks__no_word(w->d, place, "Keras 2.3 has no layers for operations, here %.60s",
                           ks_value_get(layer->record, "class_name")->text.data);
    if (layer->operation)
        KS_TRY(operation_record(out, w, layer->record));
    else
        KS_TRY(ks__downgrade_record(out, w->d, layer->record, place));
    w->place = place; // a nested model had its own
    for (size_t i = 0; i < list.as.list.count; i++)
        KS_TRY(write_call(&list.as.list.items[i], w, layer, &calls->as.list.items[i]));
    KS_TRY(ks__downgrade_put(w->d, out, "name", *name_of(layer->record)));
    KS_TRY(ks__downgrade_put(w->d, out, "inbound_nodes", list));
done:
    return code;
}

// Marks the layers whose tensors stand in a converted structure.
static void mark_used(rewiring *w, const ks_value *value, int depth) {
    bool dict = value->type == KS_VALUE_DICT;
    size_t count = dict ? value->as.dict.count : value->type == KS_VALUE_LIST ? value->as.list.count : 0;
    if (depth > MAX_STRUCTURE_DEPTH + 4)
        return;
    if (!dict && count >= 3 && value->as.list.items[1].type == KS_VALUE_INT) {
        new_layer *layer = find_layer(w, &value->as.list.items[0]);
        if (layer)
            layer->used = true;
    }
    for (size_t i = 0; i < count; i++)
        mark_used(w, dict ? &value->as.dict.members[i].value : &value->as.list.items[i], depth + 1);
}

/// Takes operations away that only made arguments which were left out.
static void drop_unused(rewiring *w, ks_value *layers, const ks_value *outputs) {
    for (bool changed = true; changed && w->dropped;) {
        size_t count = 0;
        for (size_t i = 0; i < w->n_layers; i++)
            w->layers[i].used = false;
        mark_used(w, outputs, 0);
        for (size_t i = 0; i < layers->as.list.count; i++)
            mark_used(w, ks_value_get(&layers->as.list.items[i], "inbound_nodes"), 0);
        for (size_t i = 0; i < layers->as.list.count; i++) {
            const new_layer *layer = find_layer(w, ks_value_get(&layers->as.list.items[i], "name"));
            if (!layer || !layer->operation || layer->used)
                layers->as.list.items[count++] = layers->as.list.items[i];
        }
        changed = count != layers->as.list.count;
        layers->as.list.count = count;
    }
}

static ks_code write_layers(ks_value *out, rewiring *w, const char *place) {
    ks_code code = KS_OK;
    *out = ks_value_list(w->d->arena, w->n_layers);
    for (size_t i = 0; i < out->as.list.count && code == KS_OK; i++) {
        const char *inner = ks_arena_format(w->d->arena, "%s/layers/%zu", place, i);
        code = inner ? write_layer(&out->as.list.items[i], w, &w->layers[i], inner) : failed(w);
    }
    return code != KS_OK ? code : failed(w);
}

// --- ends of the model ----------------------------------------------------------------------------------------------

static bool is_history(const ks_value *value) {
    return value->type == KS_VALUE_LIST && value->as.list.count == 3 &&
           value->as.list.items[0].type == KS_VALUE_STRING && value->as.list.items[1].type == KS_VALUE_INT;
}

/// Keras 3 counts the outputs of nested Functional models from one already.
static ks_code write_ends(ks_value *out, rewiring *w, const ks_value *value, int depth) {
    bool dict = value->type == KS_VALUE_DICT;
    ks_code code = KS_OK;
    if (depth > MAX_STRUCTURE_DEPTH)
        return ks_fail(w->d->context, KS_E_OVER_DEPTH, KS_STAGE_SAVE, KS_NO_OFFSET, w->place, "nested too deep");
    if (is_history(value)) {
        const new_layer *layer = find_layer(w, &value->as.list.items[0]);
        bool functional = layer && ks_value_is_text(ks_value_get(layer->record, "class_name"), "Functional");
        return write_history(out, w, value, layer && !functional ? layer->first_node : 0, NULL);
    }
    if (value->type == KS_VALUE_LIST) {
        *out = ks_value_list(w->d->arena, value->as.list.count);
        for (size_t i = 0; i < out->as.list.count && code == KS_OK; i++)
            code = write_ends(&out->as.list.items[i], w, &value->as.list.items[i], depth + 1);
        return code != KS_OK ? code : failed(w);
    }
    *out = dict ? ks_value_dict(w->d->arena, value->as.dict.count) : *value;
    for (size_t i = 0; dict && i < value->as.dict.count && code == KS_OK; i++) {
        ks_value *item = ks_value_put_text(out, value->as.dict.members[i].key);
        code = item ? write_ends(item, w, &value->as.dict.members[i].value, depth + 1) : failed(w);
    }
    return code;
}

/// One tensor is a list of one in Keras 2.
static ks_code write_end(ks_value *out, rewiring *w, const ks_value *value) {
    ks_code code;
    KS_TRY(write_ends(out, w, value, 0));
    if (is_history(value)) {
        ks_value single = *out;
        *out = ks_value_list(w->d->arena, 1);
        if (!out->as.list.items)
            return failed(w);
        out->as.list.items[0] = single;
    }
done:
    return code;
}

ks_code ks__downgrade_functional(ks_value *out, ks__downgrade *d, const ks_value *config, const char *place) {
    rewiring w = {.d = d, .place = place};
    const ks_value *layers = ks_value_get(config, "layers");
    const ks_value *name = ks_value_get(config, "name");
    const ks_value *trainable = ks_value_get(config, "trainable");
    const ks_value *inputs = ks_value_get(config, "input_layers");
    const ks_value *outputs = ks_value_get(config, "output_layers");
    ks_value list;
    ks_value first;
    ks_value last;
    ks_code code;
    if (!layers || layers->type != KS_VALUE_LIST || !name || !inputs || !outputs)
        return ks__no_word(d, place, "a model without layers or ends cannot be written");
    KS_TRY(read_layers(&w, layers));
    KS_TRY(write_layers(&list, &w, place));
    w.place = place;
    KS_TRY(write_end(&first, &w, inputs));
    KS_TRY(write_end(&last, &w, outputs));
    drop_unused(&w, &list, &last);
    *out = ks_value_dict(d->arena, 5);
    KS_TRY(ks__downgrade_put(d, out, "name", *name));
    KS_TRY(ks__downgrade_put(d, out, "trainable", trainable ? *trainable : ks_value_bool(true)));
    KS_TRY(ks__downgrade_put(d, out, "layers", list));
    KS_TRY(ks__downgrade_put(d, out, "input_layers", first));
    KS_TRY(ks__downgrade_put(d, out, "output_layers", last));
    if (d->early)
        KS_TRY(ks__early_functional(out, d, place));
done:
    return code;
}
