// SPDX-License-Identifier: Apache-2.0
//
// The graph of a Functional model in the form of Keras 1 and 2:
//
//   "inbound_nodes": [CALL, …]
//   CALL:  a structure whose leaves are [layer name, node, tensor, {kwargs}] (or without kwargs), the first argument;
//          every leaf repeats the other arguments
//   leaf of the first argument that is no tensor: ["_CONSTANT_VALUE", -1, value, {kwargs}]
//   tensor in kwargs: [layer name, node, tensor]
//
// becomes {"args": [first argument], "kwargs": {…}} with `__keras_tensor__` records. Nodes of nested models count from
// one: their own construction was node 0.
//
// Source: tf_keras engine/functional.py (reconstruct_from_config, get_network_config), engine/node.py (serialize);
// Keras 2.3 engine/network.py; Keras 1.2 engine/topology.py.
#include <string.h>

#include "base/name_table.h"
#include "config/config_internal.h"
#include "config/upgrade.h"

#define MAX_STRUCTURE_DEPTH 32

typedef struct old_layer {
    const ks_class *row;  ///< after the upgrade; NULL: unknown class
    bool model;           ///< a nested model
    bool keeps_structure; ///< a first argument that is a list of one tensor stays a list
    bool causal;          ///< attention that looks back only, in every call
    int64_t first_node;   ///< number of its first call in this model
} old_layer;

typedef struct rewiring {
    ks__upgrade *u;
    old_layer *layers;
    ks_name_table names;
    const char *place;
} rewiring;

static const ks_value *layer_name(const ks_value *record) {
    const ks_value *name = ks_value_get(record, "name");
    return name ? name : ks_value_get(ks_value_get(record, "config"), "name");
}

static old_layer *find_layer(const rewiring *w, const ks_value *name) {
    size_t at;
    if (name->type != KS_VALUE_STRING)
        return NULL;
    at = ks_name_table_place(&w->names, name->text)->number;
    return at == KS_NO_NUMBER ? NULL : &w->layers[at];
}

static bool is_constant(const ks_value *value) {
    return value->type == KS_VALUE_LIST && value->as.list.count >= 3 && value->as.list.count <= 4 &&
           ks_value_is_text(&value->as.list.items[0], "_CONSTANT_VALUE") &&
           value->as.list.items[1].type == KS_VALUE_INT && value->as.list.items[1].as.integer == -1;
}

// [name, node, tensor] of a layer of this model, with kwargs behind it where `leaf`.
static bool is_tensor(const rewiring *w, const ks_value *value, bool leaf) {
    const ks_value *items = value->as.list.items;
    if (value->type != KS_VALUE_LIST || (value->as.list.count != 3 && !(leaf && value->as.list.count == 4)))
        return false;
    return items[0].type == KS_VALUE_STRING && items[1].type == KS_VALUE_INT && items[2].type == KS_VALUE_INT &&
           (leaf || find_layer(w, &items[0]));
}

// --- numbers of nodes -----------------------------------------------------------------------------------------------

// Whether the construction of a nested model was counted differs between versions; a reference to node 0 tells that it
// was not.
static void look_at_nodes(rewiring *w, const ks_value *value, int depth) {
    bool dict = value->type == KS_VALUE_DICT;
    size_t count = dict ? value->as.dict.count : value->type == KS_VALUE_LIST ? value->as.list.count : 0;
    if (depth > MAX_STRUCTURE_DEPTH)
        return;
    if (is_tensor(w, value, true)) {
        old_layer *layer = find_layer(w, &value->as.list.items[0]);
        if (layer && value->as.list.items[1].as.integer == 0)
            layer->first_node = 0;
    }
    for (size_t i = 0; i < count; i++)
        look_at_nodes(w, dict ? &value->as.dict.members[i].value : &value->as.list.items[i], depth + 1);
}

static bool is_model(const ks_value *record) {
    const ks_value *name = ks_value_get(record, "class_name");
    return name && (ks_value_is_text(name, "Model") || ks_value_is_text(name, "Functional") ||
                    ks_value_is_text(name, "Sequential") || ks_value_is_text(name, "Network"));
}

static ks_code read_names(rewiring *w, const ks_value *layers) {
    ks_code code;
    w->layers = ks_arena_get(w->u->arena, layers->as.list.count + 1, sizeof(*w->layers));
    if (!w->layers)
        return w->u->context->error.code;
    KS_TRY(ks_name_table_init(&w->names, w->u->arena, layers->as.list.count));
    for (size_t i = 0; i < layers->as.list.count; i++) {
        const ks_value *record = &layers->as.list.items[i], *name = layer_name(record);
        w->layers[i].model = is_model(record);
        w->layers[i].first_node = w->layers[i].model;
        if (name && name->type == KS_VALUE_STRING)
            *ks_name_table_place(&w->names, name->text) = (ks_named){name->text, i};
    }
    for (size_t i = 0; i < layers->as.list.count; i++) {
        const ks_value *calls = ks_value_get(&layers->as.list.items[i], "inbound_nodes");
        if (calls)
            look_at_nodes(w, calls, 0);
    }
done:
    return code;
}

// --- values ---------------------------------------------------------------------------------------------------------

// [name, node, tensor] with the number of the node as Keras 3 counts.
static ks_code renumber(rewiring *w, ks_value *out, const ks_value *history, bool output) {
    const old_layer *layer = find_layer(w, &history->as.list.items[0]);
    const ks_value *items = history->as.list.items; // `out` may be `history`
    int64_t node = items[1].as.integer;
    if (layer && layer->model)
        node -= layer->first_node;
    if (layer && output && layer->row == &ks_class_Functional)
        node++; // Keras 3 writes the outputs of nested Functional models one too high
    *out = ks__value_list(w->u, 3, history->offset);
    if (!out->as.list.items)
        return w->u->context->error.code;
    out->as.list.items[0] = items[0];
    out->as.list.items[1] = ks__value_int(node, items[1].offset);
    out->as.list.items[1].text = items[1].text;
    out->as.list.items[2] = items[2];
    return KS_OK;
}

static ks_code tensor_record(rewiring *w, ks_value *out, const ks_value *history) {
    ks__dict record, config;
    ks_value numbers;
    ks_code code;
    KS_TRY(renumber(w, &numbers, history, false));
    KS_TRY(ks__dict_copy(&config, w->u, NULL));
    KS_TRY(ks__dict_copy(&record, w->u, NULL));
    config.offset = record.offset = history->offset;
    KS_TRY(ks__dict_set(&config, "keras_history", numbers));
    KS_TRY(ks__dict_set(&record, "class_name", ks__value_text("__keras_tensor__", history->offset)));
    KS_TRY(ks__dict_set(&record, "config", ks__dict_value(&config)));
    *out = ks__dict_value(&record);
done:
    return code;
}

static ks_code constant(rewiring *w, ks_value *out, const ks_value *leaf) {
    *out = leaf->as.list.items[2];
    if (out->type == KS_VALUE_LIST && out->as.list.count && ks_value_is_text(&out->as.list.items[0], "_COMPOSITE_TYPE"))
        return ks__upgrade_fail(w->u, KS_E_CONFIG_UNSUPPORTED_VALUE, leaf, w->place, "inbound_nodes",
                                "a sparse or ragged constant cannot be run by this reference");
    return KS_OK;
}

// A structure with its tensors replaced; `leaf`: of the first argument.
static ks_code convert(rewiring *w, ks_value *out, const ks_value *value, bool leaf, int depth) {
    ks__dict dict;
    ks_code code = KS_OK;
    if (depth > MAX_STRUCTURE_DEPTH)
        return ks__upgrade_fail(w->u, KS_E_OVER_DEPTH, value, w->place, "inbound_nodes",
                                "arguments are nested more than %d deep", MAX_STRUCTURE_DEPTH);
    if (leaf && is_constant(value))
        return constant(w, out, value);
    if (is_tensor(w, value, leaf))
        return tensor_record(w, out, value);
    *out = *value;
    if (value->type == KS_VALUE_LIST) {
        *out = ks__value_list(w->u, value->as.list.count, value->offset);
        if (!out->as.list.items)
            return w->u->context->error.code;
        for (size_t i = 0; i < value->as.list.count; i++)
            KS_TRY(convert(w, &out->as.list.items[i], &value->as.list.items[i], leaf, depth + 1));
    } else if (value->type == KS_VALUE_DICT) {
        KS_TRY(ks__dict_copy(&dict, w->u, value));
        for (size_t i = 0; i < dict.count; i++)
            KS_TRY(convert(w, &dict.members[i].value, &value->as.dict.members[i].value, leaf, depth + 1));
        *out = ks__dict_value(&dict);
    }
done:
    return code;
}

// --- calls ----------------------------------------------------------------------------------------------------------

// The kwargs of the first leaf that has some.
static const ks_value *find_kwargs(const rewiring *w, const ks_value *value, int depth) {
    bool dict = value->type == KS_VALUE_DICT;
    size_t count = dict ? value->as.dict.count : value->type == KS_VALUE_LIST ? value->as.list.count : 0;
    const ks_value *found = NULL;
    if (depth > MAX_STRUCTURE_DEPTH)
        return NULL;
    if (is_tensor(w, value, true) || is_constant(value))
        return count == 4 ? &value->as.list.items[3] : NULL;
    for (size_t i = 0; i < count && !found; i++)
        found = find_kwargs(w, dict ? &value->as.dict.members[i].value : &value->as.list.items[i], depth + 1);
    return found;
}

static bool has_argument(const ks_class *row, ks_text name) {
    size_t count = ks_class_argument_count(row);
    for (size_t i = 0; row->arguments && i < count; i++)
        if (ks_text_is(name, row->arguments[i]))
            return true;
    return false;
}

// training=False is what this reference does; Keras 2 writes it for layers that do not ask in Keras 3.
static void drop_idle_arguments(const ks_class *row, ks__dict *kwargs) {
    static const char *const names[] = {"training", "mask"};
    for (size_t i = 0; row && i < 2; i++) {
        const ks_value *value = ks__dict_get(kwargs, names[i]);
        bool idle =
            value && (value->type == KS_VALUE_NULL || (i == 0 && value->type == KS_VALUE_BOOL && !value->as.boolean) ||
                      (i == 0 && value->type == KS_VALUE_INT && value->fits && value->as.integer == 0));
        if (idle && !has_argument(row, ks_text_from(names[i])))
            ks__dict_remove(kwargs, names[i]);
    }
}

// What a config of Keras 2 says of every call.
static ks_code add_arguments(const old_layer *layer, ks__dict *kwargs) {
    const ks_value *constants = ks__dict_get(kwargs, "constants");
    if (constants && constants->type == KS_VALUE_NULL)
        ks__dict_remove(kwargs, "constants");
    if (layer->causal)
        return ks__dict_set(kwargs, "use_causal_mask", ks__value_bool(true, kwargs->offset));
    return KS_OK;
}

static bool is_causal(const ks_value *record) {
    const ks_value *causal = ks_value_get(ks_value_get(record, "config"), "causal");
    return causal && causal->type == KS_VALUE_BOOL && causal->as.boolean;
}

static bool takes_states(const ks_class *row) {
    return row && row->arguments && row->arguments[0] && strcmp(row->arguments[0], "sequences") == 0;
}

// A recurrent layer called with initial states has them behind its sequences.
static ks_code split_states(rewiring *w, ks_value *first, ks__dict *kwargs) {
    ks_value states;
    ks_code code = KS_OK;
    if (first->type != KS_VALUE_LIST || first->as.list.count < 2)
        return KS_OK;
    states = ks__value_list(w->u, first->as.list.count - 1, first->offset);
    if (!states.as.list.items)
        return w->u->context->error.code;
    memcpy(states.as.list.items, first->as.list.items + 1, states.as.list.count * sizeof(ks_value));
    *first = first->as.list.items[0];
    KS_TRY(ks__dict_set(kwargs, "initial_state", states));
done:
    return code;
}

static ks_code upgrade_call(rewiring *w, const old_layer *layer, ks_value *out, const ks_value *call) {
    const ks_value *old = find_kwargs(w, call, 0);
    ks_value first, args, kwargs_value;
    ks__dict kwargs, result;
    ks_code code;
    if (call->type == KS_VALUE_DICT && ks_value_get(call, "args") && ks_value_get(call, "kwargs")) {
        *out = *call; // already in the form of Keras 3
        return KS_OK;
    }
    if (call->type != KS_VALUE_LIST && call->type != KS_VALUE_DICT)
        return ks__upgrade_fail(w->u, KS_E_CONFIG_GRAPH, call, w->place, "inbound_nodes",
                                "expected a structure of [layer name, node index, tensor index, {…}], found %s",
                                ks_value_type_name(call->type));
    if (old && old->type != KS_VALUE_DICT)
        return ks__upgrade_fail(w->u, KS_E_CONFIG_GRAPH, old, w->place, "inbound_nodes",
                                "expected an object with arguments, found %s", ks_value_type_name(old->type));
    KS_TRY(convert(w, &first, call, true, 0));
    if (!layer->keeps_structure && !is_tensor(w, call, true) && !is_constant(call) && first.type == KS_VALUE_LIST &&
        first.as.list.count == 1)
        first = first.as.list.items[0];
    kwargs_value = old ? *old : ks__value_null(call->offset);
    if (old)
        KS_TRY(convert(w, &kwargs_value, old, false, 0));
    KS_TRY(ks__dict_copy(&kwargs, w->u, old ? &kwargs_value : NULL));
    drop_idle_arguments(layer->row, &kwargs);
    KS_TRY(add_arguments(layer, &kwargs));
    if (takes_states(layer->row))
        KS_TRY(split_states(w, &first, &kwargs));
    args = ks__value_list(w->u, 1, call->offset);
    if (!args.as.list.items)
        return w->u->context->error.code;
    args.as.list.items[0] = first;
    KS_TRY(ks__dict_copy(&result, w->u, NULL));
    result.offset = call->offset;
    KS_TRY(ks__dict_set(&result, "args", args));
    KS_TRY(ks__dict_set(&result, "kwargs", ks__dict_value(&kwargs)));
    *out = ks__dict_value(&result);
done:
    return code;
}

static ks_code upgrade_calls(rewiring *w, const old_layer *layer, ks_value *record) {
    const ks_value *calls = ks_value_get(record, "inbound_nodes");
    ks_value list;
    ks__dict dict;
    ks_code code;
    if (!calls || calls->type != KS_VALUE_LIST)
        return KS_OK;
    list = ks__value_list(w->u, calls->as.list.count, calls->offset);
    if (!list.as.list.items)
        return w->u->context->error.code;
    for (size_t i = 0; i < calls->as.list.count; i++)
        KS_TRY(upgrade_call(w, layer, &list.as.list.items[i], &calls->as.list.items[i]));
    KS_TRY(ks__dict_copy(&dict, w->u, record));
    KS_TRY(ks__dict_set(&dict, "inbound_nodes", list));
    *record = ks__dict_value(&dict);
done:
    return code;
}

// --- models ---------------------------------------------------------------------------------------------------------

// A structure of [name, node, tensor].
static ks_code convert_ends(rewiring *w, ks_value *value, int depth) {
    ks__dict dict;
    ks_value list;
    ks_code code = KS_OK;
    if (depth > MAX_STRUCTURE_DEPTH)
        return ks__upgrade_fail(w->u, KS_E_OVER_DEPTH, value, w->place, NULL, "nested more than %d deep",
                                MAX_STRUCTURE_DEPTH);
    if (is_tensor(w, value, false))
        return renumber(w, value, value, true);
    if (value->type == KS_VALUE_LIST) {
        list = ks__value_list(w->u, value->as.list.count, value->offset);
        if (!list.as.list.items)
            return w->u->context->error.code;
        for (size_t i = 0; i < value->as.list.count; i++) {
            list.as.list.items[i] = value->as.list.items[i];
            KS_TRY(convert_ends(w, &list.as.list.items[i], depth + 1));
        }
        *value = list;
    } else if (value->type == KS_VALUE_DICT) {
        KS_TRY(ks__dict_copy(&dict, w->u, value));
        for (size_t i = 0; i < dict.count; i++)
            KS_TRY(convert_ends(w, &dict.members[i].value, depth + 1));
        *value = ks__dict_value(&dict);
    }
done:
    return code;
}

// Keras 2 writes one tensor and a list of one alike; it calls the model with the tensor.
static void unwrap_single(const rewiring *w, ks_value *ends) {
    if (ends->type == KS_VALUE_LIST && ends->as.list.count == 1 && is_tensor(w, &ends->as.list.items[0], false))
        *ends = ends->as.list.items[0];
}

static bool keeps_structure(const ks_value *record) {
    static const char *const classes[] = {"TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceProperty",
                                          "InstanceMethod"};
    const ks_value *name = ks_value_get(record, "class_name");
    for (size_t i = 0; name && i < sizeof(classes) / sizeof(classes[0]); i++)
        if (ks_value_is_text(name, classes[i]))
            return true;
    return false;
}

ks_code ks__upgrade_functional(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    rewiring w = {.u = u};
    const ks_value *layers = ks__dict_get(config, "layers");
    ks_value list, *inputs, *outputs;
    ks_code code;
    (void)record;
    if (!layers || layers->type != KS_VALUE_LIST)
        return KS_OK; // its reader says so
    w.place = place;
    KS_TRY(read_names(&w, layers));
    list = ks__value_list(u, layers->as.list.count, layers->offset);
    if (!list.as.list.items)
        return u->context->error.code;
    outputs = ks__dict_get(config, "output_layers");
    if (outputs)
        look_at_nodes(&w, outputs, 0);
    for (size_t i = 0; i < layers->as.list.count; i++) {
        const ks_value *original = &layers->as.list.items[i];
        const ks_value *class_name, *module;
        w.place = ks_arena_format(u->arena, "%s/config/layers/%zu", place, i);
        if (!w.place)
            return u->context->error.code;
        KS_TRY(ks__upgrade_record(u, &list.as.list.items[i], original, w.place));
        class_name = ks_value_get(&list.as.list.items[i], "class_name");
        module = ks_value_get(&list.as.list.items[i], "module");
        if (class_name && class_name->type == KS_VALUE_STRING)
            w.layers[i].row =
                ks_class_find(class_name->text, module && module->type == KS_VALUE_STRING ? &module->text : NULL);
        w.layers[i].keeps_structure = keeps_structure(original);
        w.layers[i].causal = is_causal(original);
    }
    for (size_t i = 0; i < layers->as.list.count; i++) {
        w.place = ks_arena_format(u->arena, "%s/config/layers/%zu", place, i);
        if (!w.place)
            return u->context->error.code;
        KS_TRY(upgrade_calls(&w, &w.layers[i], &list.as.list.items[i]));
        KS_TRY(ks__upgrade_node(u, &list.as.list.items[i], w.place));
        KS_TRY(ks__upgrade_operation(u, &list.as.list.items[i], w.place));
    }
    w.place = place;
    KS_TRY(ks__dict_set(config, "layers", list));
    inputs = ks__dict_get(config, "input_layers");
    outputs = ks__dict_get(config, "output_layers");
    if (inputs)
        KS_TRY(convert_ends(&w, inputs, 0));
    if (outputs)
        KS_TRY(convert_ends(&w, outputs, 0));
    if (inputs)
        unwrap_single(&w, inputs);
    if (outputs)
        unwrap_single(&w, outputs);
done:
    return code;
}

// --- Sequential -----------------------------------------------------------------------------------------------------

// The layer that knows the input's shape: the first one, in nested models their first.
static const ks_value *first_record(const ks_value *layers, int depth) {
    const ks_value *record =
        layers && layers->type == KS_VALUE_LIST && layers->as.list.count ? &layers->as.list.items[0] : NULL;
    const ks_value *config = record ? ks_value_get(record, "config") : NULL;
    if (!config || depth > MAX_STRUCTURE_DEPTH)
        return NULL;
    if (!is_model(record) || ks_value_get(config, "batch_input_shape"))
        return record;
    return first_record(config->type == KS_VALUE_LIST ? config : ks_value_get(config, "layers"), depth + 1);
}

const char *ks__input_name(ks__upgrade *u, const ks_value *record, const char *name) {
    const ks_value *class_name = ks_value_get(record, "class_name");
    ks__input_count *found = u->inputs;
    char *lower;
    size_t length;
    if (u->dialect != KS_DIALECT_KERAS1 || !class_name || class_name->type != KS_VALUE_STRING)
        return ks_arena_format(u->arena, "%s_input", name);
    while (found && !ks_text_equal(found->class_name, class_name->text))
        found = found->next;
    if (!found) {
        found = ks_arena_get(u->arena, 1, sizeof(*found));
        if (!found)
            return NULL;
        *found = (ks__input_count){u->inputs, class_name->text, 0};
        u->inputs = found;
    }
    length = class_name->text.size;
    lower = ks_arena_get(u->arena, length + 1, 1);
    for (size_t i = 0; lower && i <= length; i++) {
        char c = class_name->text.data[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return lower ? ks_arena_format(u->arena, "%s_input_%zu", lower, ++found->count) : NULL;
}

// `first` is the model's first layer, `knows` the one that knows the shape. Until Keras 2.1 a model that comes first
// keeps the input that it has.
static ks_code input_record(ks__upgrade *u, ks_value *out, const ks_value *first, const ks_value *knows) {
    const ks_value *config = ks_value_get(knows, "config"), *dtype = ks_value_get(config, "dtype");
    bool keeps = u->dialect == KS_DIALECT_KERAS1 || (u->multi_backend && u->version > 0 && u->version < 202);
    const ks_value *name = layer_name(keeps && u->dialect != KS_DIALECT_KERAS1 ? knows : first);
    const ks_value *shape = ks_value_get(config, "batch_input_shape");
    ks__dict record, inner;
    const char *input_name;
    ks_code code;
    if (ks_value_get(config, "input_dtype"))
        dtype = ks_value_get(config, "input_dtype");
    if (keeps && ks_value_is_text(ks_value_get(knows, "class_name"), "InputLayer"))
        input_name =
            layer_name(knows) && layer_name(knows)->type == KS_VALUE_STRING ? layer_name(knows)->text.data : "";
    else
        input_name = ks__input_name(u, knows, name && name->type == KS_VALUE_STRING ? name->text.data : "");
    if (!input_name)
        return u->context->error.code;
    KS_TRY(ks__dict_copy(&inner, u, NULL));
    KS_TRY(ks__dict_copy(&record, u, NULL));
    record.offset = inner.offset = shape->offset;
    KS_TRY(ks__dict_set(&inner, "batch_shape", *shape));
    if (dtype && dtype->type == KS_VALUE_STRING)
        KS_TRY(ks__dict_set(&inner, "dtype", *dtype));
    KS_TRY(ks__dict_set(&inner, "name", ks__value_text(input_name, shape->offset)));
    KS_TRY(ks__dict_set(&record, "module", ks__value_text("keras.layers", shape->offset)));
    KS_TRY(ks__dict_set(&record, "class_name", ks__value_text("InputLayer", shape->offset)));
    KS_TRY(ks__dict_set(&record, "config", ks__dict_value(&inner)));
    *out = ks__dict_value(&record);
done:
    return code;
}

// Without a layer that knows it, the shape the model was built with, which 2.12 to 2.15 note beside it.
static ks_code note_build_shape(ks__dict *record, ks__dict *config) {
    const ks_value *build = ks__dict_get(record, "build_config");
    const ks_value *shape = build ? ks_value_get(build, "input_shape") : NULL;
    ks_shape checked;
    if (!shape || ks__dict_get(config, "build_input_shape") || !ks__shape_from_value(&checked, shape))
        return KS_OK;
    return ks__dict_set(config, "build_input_shape", *shape);
}

// Sequential models were lists without names until Keras 2.1; nested ones need different ones.
static ks_code name_nested(ks__upgrade *u, ks_value *out, const ks_value *record, size_t index) {
    const ks_value *config = ks_value_get(record, "config");
    const char *name;
    ks__dict dict;
    ks_code code;
    *out = *record;
    if (!config || config->type != KS_VALUE_LIST || ks_value_get(record, "name"))
        return KS_OK;
    name = ks_arena_format(u->arena, "sequential_%zu", index + 2);
    if (!name)
        return u->context->error.code;
    KS_TRY(ks__dict_copy(&dict, u, record));
    KS_TRY(ks__dict_set(&dict, "name", ks__value_text(name, record->offset)));
    *out = ks__dict_value(&dict);
done:
    return code;
}

ks_code ks__upgrade_sequential(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    const ks_value *layers = ks__dict_get(config, "layers"), *first, *knows;
    bool add = false;
    ks_value list, named;
    ks_code code;
    if (!layers || layers->type != KS_VALUE_LIST || layers->as.list.count == 0)
        return KS_OK;
    first = &layers->as.list.items[0];
    knows = first_record(layers, 0);
    if (knows && !ks_value_is_text(ks_value_get(first, "class_name"), "InputLayer"))
        add = ks_value_get(ks_value_get(knows, "config"), "batch_input_shape") != NULL;
    if (knows && !add && u->dialect == KS_DIALECT_KERAS1 &&
        !ks_value_is_text(ks_value_get(first, "class_name"), "InputLayer"))
        return ks__upgrade_fail(u, KS_E_CONFIG_MISSING, first, place, "config/layers/0",
                                "the first layer does not say its batch_input_shape, which Keras 1 needs");
    list = ks__value_list(u, layers->as.list.count + add, layers->offset);
    if (!list.as.list.items)
        return u->context->error.code;
    if (add)
        KS_TRY(input_record(u, &list.as.list.items[0], first, knows));
    else
        KS_TRY(note_build_shape(record, config));
    for (size_t i = 0; i < layers->as.list.count; i++) {
        const char *inner = ks_arena_format(u->arena, "%s/config/layers/%zu", place, i);
        if (!inner)
            return u->context->error.code;
        KS_TRY(name_nested(u, &named, &layers->as.list.items[i], i));
        KS_TRY(ks__upgrade_record(u, &list.as.list.items[i + add], &named, inner));
    }
    KS_TRY(ks__dict_set(config, "layers", list));
done:
    return code;
}
