// SPDX-License-Identifier: Apache-2.0
//
// A Functional model's config:
//
//   "layers": [{"class_name", "config", …, "name": graph key, "inbound_nodes": [{"args": […], "kwargs": {…}}, …]}, …]
//   "input_layers", "output_layers": structures of [layer name, node index, tensor index]
//
// A tensor in args or kwargs is {"class_name": "__keras_tensor__", "config": {"keras_history": [name, node, tensor],
// …}}. Every record becomes an object; every inbound node one call, made as soon as the calls it needs are made and,
// within one layer, in order. model.layers is what the outputs need, in the order of depth that Keras computes
// (Function.map_graph).
//
// Source: Keras 3 models/functional.py (functional_from_config, deserialize_node) and ops/function.py (map_graph).
#include <stdlib.h>
#include <string.h>

#include "base/name_table.h"
#include "config/config_internal.h"
#include "schema/graph.h"
#include "schema/operation.h"

#define NONE SIZE_MAX
#define MAX_ARGUMENT_DEPTH 32

typedef struct entry {
    ks_text name; ///< key in the graph
    ks_object *object;
    const ks_value *record;
    const ks_value *calls; ///< "inbound_nodes", NULL for an InputLayer
    const char *place;
    size_t first_node; ///< of its nodes in wiring.nodes
    size_t n_nodes;
    int64_t depth; ///< in map_graph, -1: not reached
    size_t order;  ///< traversal order in map_graph
    bool emitted;
} entry;

typedef struct reference {
    size_t node; ///< in wiring.nodes
    size_t tensor;
    const ks_value *value;
} reference;

typedef struct node {
    entry *entry;
    ks_tree *arguments; ///< slots are numbers of references until the node is called
    size_t first_reference, n_references;
    size_t n_waiting;     ///< calls that must be made first
    size_t first_waiter;  ///< head of the list of calls that wait for this one
    const ks_value *call; ///< {"args", "kwargs"}
    ks_tree result;
    size_t first_slot, n_results;
    bool called;
    bool wide;    ///< an operation on float64
    bool skipped; ///< what it needs does not follow from the inputs
    // map_graph
    int64_t depth;
    size_t rank; ///< among those of equal depth, from 1; 0: not known
    bool finished, in_progress, reached;
} node;

typedef struct waiter {
    size_t node;
    size_t next;
} waiter;

typedef struct wiring {
    ks__reader *reader;
    ks_object *model;
    entry *entries;
    size_t n_entries;
    ks_name_table names; ///< graph keys of the entries
    node *nodes;
    size_t n_nodes;
    reference *references;
    size_t n_references, room_references;
    waiter *waiters;
    size_t n_waiters, room_waiters;
    size_t *called; ///< nodes in the order of their calls
    size_t n_called;
    ks_array **slots;
    size_t n_slots, room_slots;
} wiring;

static ks_code fail(wiring *w, ks_code code, const ks_value *value, const char *key, const char *text,
                    const char *name) {
    if (!name)
        return ks__config_fail(w->reader, code, value, w->model->place, key, "%s", text);
    return ks__config_fail(w->reader, code, value, w->model->place, key, "%s: \"%.80s\"", text, name);
}

// Doubles an array in the arena.
static ks_code grow(wiring *w, void **items, size_t *room, size_t count, size_t item_size) {
    void *bigger;
    size_t wanted;
    if (count < *room)
        return KS_OK;
    wanted = *room ? 2 * *room : 64;
    bigger = ks_arena_room(w->reader->arena, wanted, item_size); // items are written when they are added
    if (!bigger)
        return w->reader->context->error.code;
    if (count)
        memcpy(bigger, *items, count * item_size);
    *items = bigger;
    *room = wanted;
    return KS_OK;
}

// --- names ----------------------------------------------------------------------------------------------------------

static ks_code read_entry(wiring *w, entry *e, const ks_value *record, size_t index) {
    const ks_value *name = ks_value_get(record, "name");
    ks_code code;
    e->record = record;
    e->place = ks_arena_numbered(w->reader->arena, w->model->place, "/layers/", index);
    if (!e->place)
        return w->reader->context->error.code;
    KS_TRY(ks__read_record(&e->object, w->reader, record, e->place));
    if (e->object->row->kind != KS_KIND_LAYER && e->object->row->kind != KS_KIND_MODEL &&
        e->object->row->kind != KS_KIND_OPERATION)
        return ks__config_fail(w->reader, KS_E_CONFIG_RECORD, record, e->place, NULL,
                               "expected a layer, found the %s %s", ks_kind_name(e->object->row->kind),
                               e->object->row->name);
    // Until 3.1 the config of some operations has no name of its own.
    if (name && name->type == KS_VALUE_STRING && e->object->name == e->object->row->name &&
        !memchr(name->text.data, 0, name->text.size))
        e->object->name = name->text.data;
    e->name = name && name->type == KS_VALUE_STRING ? name->text : ks_text_from(e->object->name);
    e->calls = ks_value_get(record, "inbound_nodes");
    e->depth = -1;
    if (e->calls && e->calls->type != KS_VALUE_LIST)
        return ks__config_fail(w->reader, KS_E_CONFIG_TYPE, e->calls, e->place, "inbound_nodes",
                               "expected a list, found %s", ks_value_type_name(e->calls->type));
    e->n_nodes = e->calls ? e->calls->as.list.count : 0;
    if (ks_class_argument_count(e->object->row) == 0) { // an InputLayer: its call is its making
        if (e->n_nodes)
            return ks__config_fail(w->reader, KS_E_CONFIG_GRAPH, e->calls, e->place, "inbound_nodes",
                                   "an InputLayer cannot be called");
        e->n_nodes = 1;
        e->calls = NULL;
    }
done:
    return code;
}

static ks_code read_entries(wiring *w, const ks_value *layers) {
    ks_code code = KS_OK;
    w->n_entries = layers->as.list.count;
    w->entries = ks_arena_get(w->reader->arena, w->n_entries + 1, sizeof(*w->entries));
    if (!w->entries)
        return w->reader->context->error.code;
    KS_TRY(ks_name_table_init(&w->names, w->reader->arena, w->n_entries));
    for (size_t i = 0; i < w->n_entries; i++) {
        entry *e = &w->entries[i];
        ks_named *place;
        KS_TRY(read_entry(w, e, &layers->as.list.items[i], i));
        place = ks_name_table_place(&w->names, e->name);
        if (place->number != KS_NO_NUMBER)
            return ks__config_fail(w->reader, KS_E_CONFIG_DUPLICATE_LAYER, e->record, e->place, "name",
                                   "the model has two layers called \"%.80s\"", e->name.data);
        *place = (ks_named){e->name, i};
        e->first_node = w->n_nodes;
        w->n_nodes += e->n_nodes;
    }
    w->reader->n_nodes += w->n_nodes;
    if (w->reader->n_nodes > w->reader->context->limits.nodes)
        return fail(w, KS_E_CONFIG_TOO_MANY, layers, "layers", "more calls than the limits allow", NULL);
done:
    return code;
}

// --- references -----------------------------------------------------------------------------------------------------

// [layer name, node index, tensor index]
static ks_code find_node(wiring *w, const ks_value *history, const char *place, bool model_output, reference *out) {
    const ks_value *items;
    size_t at;
    const entry *e;
    int64_t index;
    if (history->type != KS_VALUE_LIST || history->as.list.count < 3 ||
        history->as.list.items[0].type != KS_VALUE_STRING || history->as.list.items[1].type != KS_VALUE_INT ||
        history->as.list.items[2].type != KS_VALUE_INT)
        return ks__config_fail(w->reader, KS_E_CONFIG_GRAPH, history, place, NULL,
                               "expected [layer name, node index, tensor index]");
    items = history->as.list.items;
    at = ks_name_table_place(&w->names, items[0].text)->number;
    if (at == KS_NO_NUMBER)
        return ks__config_fail(w->reader, KS_E_CONFIG_UNKNOWN_LAYER, &items[0], place, NULL,
                               "there is no layer called \"%.80s\"", items[0].text.data);
    e = &w->entries[at];
    index = items[1].as.integer;
    // Keras writes the outputs of nested Functional models one too high, and subtracts one again when it reads them.
    if (model_output && e->object->row == &ks_class_Functional)
        index--;
    if (model_output && index < 0)
        index += (int64_t)e->n_nodes; // Python's negative index
    if (!items[1].fits || index < 0 || index >= (int64_t)e->n_nodes)
        return ks__config_fail(w->reader, KS_E_CONFIG_GRAPH_LOOP, &items[1], place, NULL,
                               "layer \"%.60s\" has %zu calls, found node index %.20s", e->name.data, e->n_nodes,
                               items[1].text.data);
    out->node = e->first_node + (size_t)index;
    out->tensor = items[2].fits && items[2].as.integer >= 0 ? (size_t)items[2].as.integer : NONE;
    out->value = history;
    return KS_OK;
}

static ks_code add_reference(wiring *w, ks_tree *out, const ks_value *history, const char *place) {
    ks_code code;
    KS_TRY(grow(w, (void **)&w->references, &w->room_references, w->n_references, sizeof(*w->references)));
    KS_TRY(find_node(w, history, place, false, &w->references[w->n_references]));
    out->type = KS_TREE_SLOT;
    out->as.slot = w->n_references++;
done:
    return code;
}

static const ks_value *keras_history(const ks_value *value) {
    const ks_value *config = ks_value_get(value, "config");
    return config ? ks_value_get(config, "keras_history") : NULL;
}

// An argument: a tensor, a structure with tensors in it, or a plain value, which stays as it is.
static ks_code read_argument(wiring *w, ks_tree *out, const ks_value *value, const char *place, int depth) {
    size_t before = w->n_references;
    bool dict = value->type == KS_VALUE_DICT;
    size_t count = dict ? value->as.dict.count : value->type == KS_VALUE_LIST ? value->as.list.count : 0;
    ks_code code = KS_OK;

    out->type = value->type == KS_VALUE_NULL ? KS_TREE_NONE : KS_TREE_VALUE;
    out->as.value = value;
    if (depth > MAX_ARGUMENT_DEPTH)
        return ks__config_fail(w->reader, KS_E_OVER_DEPTH, value, place, NULL, "arguments are nested more than %d deep",
                               MAX_ARGUMENT_DEPTH);
    if (dict && ks_value_is_text(ks_value_get(value, "class_name"), "__keras_tensor__")) {
        const ks_value *history = keras_history(value);
        if (!history)
            return ks__config_fail(w->reader, KS_E_CONFIG_GRAPH, value, place, NULL, "a tensor without keras_history");
        return add_reference(w, out, history, place);
    }
    if (count) {
        ks_tree tree = ks_tree_list(w->reader->arena, count);
        if (!tree.as.list.items)
            return w->reader->context->error.code;
        if (dict) {
            tree.type = KS_TREE_DICT;
            tree.as.list.keys = ks_arena_get(w->reader->arena, count, sizeof(ks_text));
            if (!tree.as.list.keys)
                return w->reader->context->error.code;
        }
        for (size_t i = 0; i < count; i++) {
            if (dict)
                tree.as.list.keys[i] = value->as.dict.members[i].key;
            KS_TRY(read_argument(w, &tree.as.list.items[i],
                                 dict ? &value->as.dict.members[i].value : &value->as.list.items[i], place, depth + 1));
        }
        if (w->n_references > before)
            *out = tree;
    }
done:
    return code;
}

// The plain values among the arguments can be written again.
static ks_code check_plain(wiring *w, const ks_tree *tree, const char *place) {
    ks_code code = KS_OK;
    if (tree->type == KS_TREE_VALUE)
        return ks__check_value(w->reader, tree->as.value, place);
    if (tree->type == KS_TREE_LIST || tree->type == KS_TREE_DICT)
        for (size_t i = 0; i < tree->as.list.count && code == KS_OK; i++)
            code = check_plain(w, &tree->as.list.items[i], place);
    return code;
}

// --- calls ----------------------------------------------------------------------------------------------------------

static size_t argument_index(const ks_class *row, ks_text name) {
    size_t count = ks_class_argument_count(row);
    for (size_t i = 0; i < count; i++)
        if (ks_text_is(name, row->arguments ? row->arguments[i] : "inputs"))
            return i;
    return count;
}

static ks_code read_kwargs(wiring *w, node *n, const ks_value *kwargs, const char *place) {
    const ks_class *row = n->entry->object->row;
    size_t count = ks_class_argument_count(row);
    ks_code code = KS_OK;
    for (size_t i = 0; i < kwargs->as.dict.count; i++) {
        const ks_member *member = &kwargs->as.dict.members[i];
        size_t at = argument_index(row, member->key);
        if (at < count) {
            if (n->arguments[at].type != KS_TREE_NONE)
                return ks__config_fail(w->reader, KS_E_CONFIG_ARGUMENT, &member->value, place, member->key.data,
                                       "%s got two values for this argument", row->name);
            KS_TRY(read_argument(w, &n->arguments[at], &member->value, place, 0));
        } else if (!(member->value.type == KS_VALUE_NULL &&
                     (ks_text_is(member->key, "mask") || ks_text_is(member->key, "training")))) {
            return ks__config_fail(w->reader, KS_E_CONFIG_ARGUMENT, &member->value, place, member->key.data,
                                   "%s takes no argument of this name", row->name);
        }
    }
done:
    return code;
}

static ks_code read_call(wiring *w, node *n, const ks_value *call, size_t index) {
    const ks_class *row = n->entry->object->row;
    size_t count = ks_class_argument_count(row);
    const ks_value *args = ks_value_get(call, "args");
    const ks_value *kwargs = ks_value_get(call, "kwargs");
    const char *place = ks_arena_numbered(w->reader->arena, n->entry->place, "/inbound_nodes/", index);
    ks_code code = KS_OK;

    n->call = call;
    n->first_reference = w->n_references;
    n->arguments = ks_arena_get(w->reader->arena, count + 1, sizeof(*n->arguments));
    if (!place || !n->arguments)
        return w->reader->context->error.code;
    if (call->type == KS_VALUE_LIST)
        return ks__config_fail(w->reader, KS_E_CONFIG_UNSUPPORTED_VALUE, call, place, NULL,
                               "calls in the form of Keras 2 cannot be read yet by this format");
    if (!args || !kwargs || args->type != KS_VALUE_LIST || kwargs->type != KS_VALUE_DICT)
        return ks__config_fail(w->reader, KS_E_CONFIG_GRAPH, call, place, NULL,
                               "expected {\"args\": […], \"kwargs\": {…}}");
    if (args->as.list.count > count)
        return ks__config_fail(w->reader, KS_E_CONFIG_ARGUMENT, args, place, "args",
                               "%s takes %zu arguments, found %zu", row->name, count, args->as.list.count);
    for (size_t i = 0; i < args->as.list.count; i++)
        KS_TRY(read_argument(w, &n->arguments[i], &args->as.list.items[i], place, 0));
    KS_TRY(read_kwargs(w, n, kwargs, place));
    for (size_t i = 0; i < count; i++)
        KS_TRY(check_plain(w, &n->arguments[i], place));
done:
    n->n_references = w->n_references - n->first_reference;
    return code;
}

static ks_code wait_for(wiring *w, size_t which, size_t needed) {
    ks_code code;
    KS_TRY(grow(w, (void **)&w->waiters, &w->room_waiters, w->n_waiters, sizeof(*w->waiters)));
    w->waiters[w->n_waiters] = (waiter){which, w->nodes[needed].first_waiter};
    w->nodes[needed].first_waiter = w->n_waiters++;
    w->nodes[which].n_waiting++;
done:
    return code;
}

static ks_code read_calls(wiring *w) {
    ks_code code = KS_OK;
    w->nodes = ks_arena_get(w->reader->arena, w->n_nodes + 1, sizeof(*w->nodes));
    w->called = ks_arena_get(w->reader->arena, w->n_nodes + 1, sizeof(*w->called));
    if (!w->nodes || !w->called)
        return w->reader->context->error.code;
    for (size_t i = 0; i < w->n_nodes; i++)
        w->nodes[i].first_waiter = NONE;
    for (size_t i = 0; i < w->n_entries; i++) {
        entry *e = &w->entries[i];
        for (size_t k = 0; k < e->n_nodes; k++) {
            size_t which = e->first_node + k;
            node *n = &w->nodes[which];
            n->entry = e;
            if (e->calls)
                KS_TRY(read_call(w, n, &e->calls->as.list.items[k], k));
            if (k)
                KS_TRY(wait_for(w, which, which - 1));
            for (size_t r = 0; r < n->n_references; r++)
                KS_TRY(wait_for(w, which, w->references[n->first_reference + r].node));
        }
    }
done:
    return code;
}

// --- making the calls -----------------------------------------------------------------------------------------------

// Slots of recorded arguments: from numbers of references to numbers of tensors.
static ks_code resolve(wiring *w, ks_tree *tree, const char *place) {
    ks_code code = KS_OK;
    if (tree->type == KS_TREE_SLOT) {
        const reference *r = &w->references[tree->as.slot];
        const node *source = &w->nodes[r->node];
        if (r->tensor >= source->n_results)
            return ks__config_fail(w->reader, KS_E_CONFIG_GRAPH_LOOP, r->value, place, NULL,
                                   "the call of \"%.60s\" has %zu results, found another tensor index",
                                   source->entry->name.data, source->n_results);
        tree->as.slot = source->first_slot + r->tensor;
    } else if (tree->type == KS_TREE_LIST || tree->type == KS_TREE_DICT) {
        for (size_t i = 0; i < tree->as.list.count && code == KS_OK; i++)
            code = resolve(w, &tree->as.list.items[i], place);
    }
    return code;
}

static ks_code keep_result(wiring *w, node *n, ks_tree *result) {
    size_t count = ks_tree_flatten(result, NULL, 0);
    ks_code code = KS_OK;
    n->first_slot = w->n_slots;
    n->n_results = count;
    while (w->n_slots + count > w->room_slots)
        KS_TRY(grow(w, (void **)&w->slots, &w->room_slots, w->room_slots, sizeof(*w->slots)));
    ks_tree_flatten(result, w->slots + w->n_slots, count);
    // A model may give one tensor at two places of its result: outside these are two tensors.
    w->n_slots = ks_tree_number(result, w->n_slots);
    n->result = *result;
done:
    return code;
}

/// What an operation computes in another type than the model's: float64 is done, the narrow ones are not.
static ks_code check_types(wiring *w, node *n, const ks_tree *arguments, const ks_tree *result) {
    size_t count = ks_class_argument_count(n->entry->object->row), n_results = ks_tree_flatten(result, NULL, 0);
    ks_array **results = ks_arena_get(w->reader->arena, n_results + 1, sizeof(*results));
    if (!results)
        return w->reader->context->error.code;
    ks_tree_flatten(result, results, n_results);
    for (size_t i = 0; i < n_results; i++)
        if (results[i]->dtype == KS_FLOAT16 || results[i]->dtype == KS_BFLOAT16)
            return ks__config_fail(w->reader, KS_E_CONFIG_UNSUPPORTED_VALUE, n->entry->record, n->entry->place,
                                   "inbound_nodes", "\"%.60s\" gives %s, which this reference does not compute in",
                                   n->entry->name.data, ks_dtype_name(results[i]->dtype));
    n->wide = ks_holds_double(result);
    for (size_t i = 0; i < count && !n->wide; i++)
        n->wide = ks_holds_double(&arguments[i]);
    return KS_OK;
}

static ks_code make_call(wiring *w, size_t which) {
    node *n = &w->nodes[which];
    ks_object *layer = n->entry->object;
    size_t count = ks_class_argument_count(layer->row);
    ks_node recorded = {.layer = layer, .arguments = n->arguments};
    ks_tree *arguments;
    ks_tree result;
    ks_call call;
    ks_code code = KS_OK;

    ks__symbolic_call(&call, w->reader);
    for (size_t i = 0; i < count; i++)
        KS_TRY(resolve(w, &n->arguments[i], n->entry->place));
    arguments = ks_graph_arguments(&call, &recorded, w->slots);
    if (!arguments)
        return w->reader->context->error.code;
    KS_TRY(ks_infer(&result, &call, layer, arguments));
    if (layer->row->kind == KS_KIND_OPERATION)
        KS_TRY(check_types(w, n, arguments, &result));
    KS_TRY(keep_result(w, n, &result));
    n->called = true;
    w->called[w->n_called++] = which;
done:
    return code;
}

static ks_code make_calls(wiring *w) {
    size_t *queue = ks_arena_get(w->reader->arena, w->n_nodes + 1, sizeof(*queue));
    size_t head = 0, tail = 0;
    ks_code code = KS_OK;
    if (!queue)
        return w->reader->context->error.code;
    for (size_t i = 0; i < w->n_nodes; i++)
        if (w->nodes[i].n_waiting == 0)
            queue[tail++] = i;
    while (head < tail) {
        size_t which = queue[head++];
        KS_TRY(make_call(w, which));
        for (size_t i = w->nodes[which].first_waiter; i != NONE; i = w->waiters[i].next)
            if (--w->nodes[w->waiters[i].node].n_waiting == 0)
                queue[tail++] = w->waiters[i].node;
    }
    for (size_t i = 0; i < w->n_nodes; i++)
        if (!w->nodes[i].called)
            return ks__config_fail(
                w->reader, KS_E_CONFIG_GRAPH_LOOP, w->nodes[i].entry->record, w->nodes[i].entry->place, "inbound_nodes",
                "the call of \"%.60s\" can never be made: loops or disconnected nodes", w->nodes[i].entry->name.data);
done:
    return code;
}

// --- inputs and outputs of the model --------------------------------------------------------------------------------

static bool is_reference(const ks_value *value) {
    return value->type == KS_VALUE_LIST && value->as.list.count == 3 &&
           value->as.list.items[0].type == KS_VALUE_STRING && value->as.list.items[1].type == KS_VALUE_INT;
}

static ks_code read_structure(wiring *w, ks_tree *out, const ks_value *value, const char *place, int depth) {
    ks_code code = KS_OK;
    if (depth > MAX_ARGUMENT_DEPTH)
        return ks__config_fail(w->reader, KS_E_OVER_DEPTH, value, place, NULL, "nested more than %d deep",
                               MAX_ARGUMENT_DEPTH);
    if (is_reference(value)) {
        reference r = {0};
        KS_TRY(find_node(w, value, place, true, &r));
        if (r.tensor >= w->nodes[r.node].n_results)
            return ks__config_fail(w->reader, KS_E_CONFIG_GRAPH, value, place, NULL, "the call has no such result");
        out->type = KS_TREE_SLOT;
        out->as.slot = w->nodes[r.node].first_slot + r.tensor;
        return KS_OK;
    }
    if (value->type == KS_VALUE_DICT) {
        *out = ks_tree_list(w->reader->arena, value->as.dict.count);
        out->type = KS_TREE_DICT;
        out->as.list.keys = ks_arena_get(w->reader->arena, value->as.dict.count + 1, sizeof(ks_text));
        if (!out->as.list.items || !out->as.list.keys)
            return w->reader->context->error.code;
        for (size_t i = 0; i < value->as.dict.count; i++) {
            out->as.list.keys[i] = value->as.dict.members[i].key;
            KS_TRY(read_structure(w, &out->as.list.items[i], &value->as.dict.members[i].value, place, depth + 1));
        }
        return KS_OK;
    }
    if (value->type == KS_VALUE_NULL) {
        out->type = KS_TREE_NONE;
        return KS_OK;
    }
    if (value->type != KS_VALUE_LIST)
        return ks__config_fail(w->reader, KS_E_CONFIG_TYPE, value, place, NULL,
                               "expected [layer name, node, tensor] or a structure");
    *out = ks_tree_list(w->reader->arena, value->as.list.count);
    if (!out->as.list.items)
        return w->reader->context->error.code;
    for (size_t i = 0; i < value->as.list.count; i++)
        KS_TRY(read_structure(w, &out->as.list.items[i], &value->as.list.items[i], place, depth + 1));
done:
    return code;
}

static bool is_list_of_one(const ks_tree *ends) {
    return ends->type == KS_TREE_LIST && ends->as.list.count == 1 && ends->as.list.items[0].type == KS_TREE_SLOT;
}

// Until 3.10 a single tensor was written in a list like a list of one, and read as the single tensor that it mostly
// was; a layer that wraps the model gets one tensor from it. JSON of Keras 3 names no version.
static void unwrap(const wiring *w, ks_graph *graph) {
    bool known = w->reader->version > 0, older = known && w->reader->version <= 310;
    if (older && is_list_of_one(&graph->inputs))
        graph->inputs = graph->inputs.as.list.items[0];
    if (older && is_list_of_one(&graph->outputs))
        graph->outputs = graph->outputs.as.list.items[0];
    graph->single_in_list = !known && is_list_of_one(&graph->outputs);
}

static ks_code read_ends(wiring *w, ks_graph *graph) {
    const ks_value *inputs = ks_value_get(w->model->config, "input_layers");
    const ks_value *outputs = ks_value_get(w->model->config, "output_layers");
    const char *place = ks_arena_format(w->reader->arena, "%s/input_layers", w->model->place);
    ks_code code;
    if (!inputs || !outputs)
        return fail(w, KS_E_CONFIG_MISSING, w->model->config, inputs ? "output_layers" : "input_layers",
                    "a Functional model needs this key", NULL);
    if (!place)
        return w->reader->context->error.code;
    KS_TRY(read_structure(w, &graph->inputs, inputs, place, 0));
    place = ks_arena_format(w->reader->arena, "%s/output_layers", w->model->place);
    if (!place)
        return w->reader->context->error.code;
    KS_TRY(read_structure(w, &graph->outputs, outputs, place, 0));
    unwrap(w, graph);
    if (ks_tree_count(&graph->outputs) == 0)
        return fail(w, KS_E_CONFIG_GRAPH, outputs, "output_layers", "the model has no output", NULL);
done:
    return code;
}

// --- map_graph ------------------------------------------------------------------------------------------------------

typedef struct visit {
    size_t node;
    size_t next; ///< reference to look at next
} visit;

static size_t slot_node(const wiring *w, size_t slot) { // the call that gave this tensor
    size_t low = 0, high = w->n_called;
    while (high - low > 1) { // first_slot grows in the order of calls; calls without results share one
        size_t middle = low + (high - low) / 2;
        if (w->nodes[w->called[middle]].first_slot <= slot)
            low = middle;
        else
            high = middle;
    }
    return w->called[low];
}

// Depth-first from the outputs; `order` receives the nodes in decreasing depth.
static ks_code traverse(wiring *w, const ks_graph *graph, size_t *order, size_t *n_order) {
    size_t n_outputs = ks_tree_count(&graph->outputs), n_seen = 0;
    size_t *outputs = ks_arena_get(w->reader->arena, n_outputs + 1, sizeof(*outputs));
    visit *stack = ks_arena_get(w->reader->arena, w->n_nodes + 1, sizeof(*stack));
    size_t depth = 0;
    if (!outputs || !stack)
        return w->reader->context->error.code;
    ks_tree_slots(&graph->outputs, outputs, n_outputs);
    for (size_t i = 0; i < n_outputs; i++) {
        stack[depth++] = (visit){slot_node(w, outputs[i]), NONE};
        while (depth) {
            visit *v = &stack[depth - 1];
            node *n = &w->nodes[v->node];
            size_t child = NONE;
            if (v->next == NONE) { // first time here
                if (n->finished) {
                    depth--;
                    continue;
                }
                v->next = 0;
                if (n->entry->depth < 0) {
                    n->entry->depth = 0;
                    n->entry->order = n_seen++;
                }
            }
            while (v->next < n->n_references && child == NONE) {
                size_t candidate = w->references[n->first_reference + v->next++].node;
                if (!w->nodes[candidate].finished)
                    child = candidate;
            }
            if (child != NONE) {
                stack[depth++] = (visit){child, NONE};
                continue;
            }
            n->finished = true;
            order[(*n_order)++] = v->node;
            depth--;
        }
    }
    return KS_OK;
}

// The rank of a node is the moment when Keras first notes its depth: of equal depths the earlier one runs first.
static void compute_depths(wiring *w, const size_t *order, size_t n_order) {
    size_t n_ranked = 0;
    for (size_t i = n_order; i-- > 0;) {
        node *n = &w->nodes[order[i]];
        if (n->rank == 0)
            n->rank = ++n_ranked;
        if (n->entry->depth > n->depth)
            n->depth = n->entry->depth;
        n->entry->depth = n->depth;
        n->reached = true;
        for (size_t r = 0; r < n->n_references; r++) {
            node *source = &w->nodes[w->references[n->first_reference + r].node];
            if (source->depth < n->depth + 1)
                source->depth = n->depth + 1;
            if (source->rank == 0)
                source->rank = ++n_ranked;
        }
    }
}

// Models that were Sequential in Keras 1 list their layers in the order of the file.
static bool keeps_order(const wiring *w) {
    return w->reader->dialect == KS_DIALECT_KERAS1 && ks_value_get(w->model->config, "keras1.in_order");
}

static int compare_entries(const void *a, const void *b) {
    const entry *left = *(const entry *const *)a, *right = *(const entry *const *)b;
    if (left->depth != right->depth)
        return left->depth < right->depth ? 1 : -1;
    return (left->order > right->order) - (left->order < right->order);
}

// A record may give its layer another name than the config inside; those of the configs count in the model.
static ks_code check_names(wiring *w, entry *const *entries, size_t count) {
    ks_object **layers = ks_arena_get(w->reader->arena, count + 1, sizeof(*layers));
    ks_name_table names;
    ks_code code;
    if (!layers)
        return w->reader->context->error.code;
    KS_TRY(ks_name_table_init(&names, w->reader->arena, count));
    for (size_t i = 0; i < count; i++) {
        ks_text name = ks_text_from(entries[i]->object->name);
        ks_named *place = ks_name_table_place(&names, name);
        layers[i] = entries[i]->object;
        if (ks__is_unnamed(layers[i]))
            continue;
        if (place->number != KS_NO_NUMBER)
            return ks__config_fail(w->reader, KS_E_CONFIG_DUPLICATE_LAYER, entries[i]->record, entries[i]->place,
                                   "config/name", "the model has two layers called \"%.80s\"", name.data);
        *place = (ks_named){name, i};
    }
    KS_TRY(ks__name_layers(w->reader, &names, layers, count));
done:
    return code;
}

static ks_code keep_order(wiring *w, ks_graph *graph) {
    ks_child *links = ks_arena_get(w->reader->arena, graph->n_operations + 1, sizeof *links);
    if (!links)
        return w->reader->context->error.code;
    for (size_t i = 0; i < graph->n_operations; i++)
        links[i] = (ks_child){"layers", true, graph->operations[i], i + 1 < graph->n_operations ? &links[i + 1] : NULL};
    graph->in_order = links;
    return KS_OK;
}

static ks_code finish_layers(wiring *w, ks_graph *graph) {
    entry **sorted = ks_arena_get(w->reader->arena, w->n_entries + 1, sizeof(*sorted));
    size_t count = 0;
    ks_call call;
    ks_code code = KS_OK;
    graph->layers = ks_arena_get(w->reader->arena, w->n_entries + 1, sizeof(*graph->layers));
    graph->operations = ks_arena_get(w->reader->arena, w->n_entries + 1, sizeof(*graph->operations));
    if (!sorted || !graph->layers || !graph->operations)
        return w->reader->context->error.code;
    for (size_t i = 0; i < w->n_entries; i++)
        if (w->entries[i].depth >= 0)
            sorted[count++] = &w->entries[i];
    if (!keeps_order(w))
        qsort(sorted, count, sizeof(*sorted), compare_entries);
    KS_TRY(check_names(w, sorted, count));
    for (size_t i = 0; i < count; i++)
        graph->operations[graph->n_operations++] = sorted[i]->object;
    if (keeps_order(w)) {
        KS_TRY(keep_order(w, graph));
        qsort(sorted, count, sizeof(*sorted), compare_entries);
    }
    ks__symbolic_call(&call, w->reader);
    for (size_t i = 0; i < count; i++) {
        if (sorted[i]->object->row->kind == KS_KIND_OPERATION && w->reader->dialect == KS_DIALECT_KERAS3)
            continue; // in Keras 2 every operation is a layer
        graph->layers[graph->n_layers++] = sorted[i]->object;
        KS_TRY(ks_add_child(&call, w->model, "layers", true, sorted[i]->object));
    }
done:
    return code;
}

typedef struct turn {
    size_t index;
    int64_t depth;
    size_t rank;
} turn;

static int compare_turns(const void *a, const void *b) {
    const turn *left = a, *right = b;
    if (left->depth != right->depth)
        return left->depth < right->depth ? 1 : -1;
    return (left->rank > right->rank) - (left->rank < right->rank);
}

// Who runs first matters where a layer takes masks away from tensors that others use.
static ks_code order_turns(wiring *w, ks_graph *graph, turn *turns) {
    graph->run_order = ks_arena_get(w->reader->arena, graph->n_nodes + 1, sizeof(*graph->run_order));
    if (!graph->run_order)
        return w->reader->context->error.code;
    qsort(turns, graph->n_nodes, sizeof(*turns), compare_turns);
    for (size_t i = 0; i < graph->n_nodes; i++)
        graph->run_order[i] = turns[i].index;
    return KS_OK;
}

static ks_code finish_nodes(wiring *w, ks_graph *graph) {
    graph->nodes = ks_arena_get(w->reader->arena, w->n_called + 1, sizeof(*graph->nodes));
    graph->symbols = ks_arena_get(w->reader->arena, w->n_slots + 1, sizeof(*graph->symbols));
    turn *turns = ks_arena_get(w->reader->arena, w->n_called + 1, sizeof(*turns));
    ks_code code = KS_OK;
    if (!graph->nodes || !graph->symbols || !turns)
        return w->reader->context->error.code;
    for (size_t i = 0; i < w->n_called; i++) {
        const node *n = &w->nodes[w->called[i]];
        if (n->reached)
            turns[graph->n_nodes] = (turn){graph->n_nodes, n->depth, n->rank};
        if (n->reached)
            graph->nodes[graph->n_nodes++] =
                (ks_node){n->entry->object, n->arguments, n->result, w->called[i] - n->entry->first_node,
                          n->call,          n->wide,      n->skipped};
    }
    graph->n_slots = w->n_slots;
    for (size_t i = 0; i < w->n_slots; i++) {
        const ks_array *slot = w->slots[i];
        graph->symbols[i].dtype = slot->dtype;
        graph->symbols[i].mask = slot->mask;
        ks_shape_copy(&graph->symbols[i].shape, &slot->shape);
    }
    if (w->reader->dialect == KS_DIALECT_KERAS3)
        code = order_turns(w, graph, turns);
    return code;
}

static bool is_input_layer(const entry *e) {
    return ks_class_argument_count(e->object->row) == 0;
}

// Keras 3.0 lets a model begin at the result of a layer, and keeps what gave it as part of the model; 3.1 puts an
// InputLayer there. Only what follows from the inputs is computed, if need be over an input.
static ks_code skip_beginnings(wiring *w, const ks_graph *graph, bool *known) {
    size_t n_outputs = ks_tree_count(&graph->outputs);
    size_t *outputs = ks_arena_get(w->reader->arena, n_outputs + 1, sizeof(*outputs));
    if (!outputs)
        return w->reader->context->error.code;
    for (size_t i = 0; i < w->n_called; i++) {
        node *n = &w->nodes[w->called[i]];
        if (is_input_layer(n->entry))
            continue;
        for (size_t r = 0; r < n->n_references; r++) {
            const reference *needed = &w->references[n->first_reference + r];
            n->skipped = n->skipped || !known[w->nodes[needed->node].first_slot + needed->tensor];
        }
        for (size_t k = 0; k < n->n_results && !n->skipped; k++)
            known[n->first_slot + k] = true;
    }
    ks_tree_slots(&graph->outputs, outputs, n_outputs);
    for (size_t i = 0; i < n_outputs; i++)
        if (!known[outputs[i]])
            return fail(w, KS_E_CONFIG_GRAPH, w->model->config, "output_layers",
                        "an output does not follow from the inputs", NULL);
    return KS_OK;
}

static ks_code check_inputs(wiring *w, const bool *inputs, const size_t *order, size_t n_order) {
    for (size_t i = 0; i < n_order; i++) {
        const node *n = &w->nodes[order[i]];
        if (is_input_layer(n->entry) && !inputs[n->first_slot])
            return fail(w, KS_E_CONFIG_GRAPH, n->entry->record, "input_layers",
                        "the outputs depend on an InputLayer that is no input of the model", n->entry->object->name);
    }
    return KS_OK;
}

static ks_code map_graph(wiring *w, ks_graph *graph) {
    size_t *order = ks_arena_get(w->reader->arena, w->n_nodes + 1, sizeof(*order));
    bool *inputs = ks_arena_get(w->reader->arena, w->n_slots + 1, sizeof(*inputs));
    size_t n_inputs = ks_tree_count(&graph->inputs), n_order = 0;
    size_t *slots = ks_arena_get(w->reader->arena, n_inputs + 1, sizeof(*slots));
    bool begins_inside = false;
    ks_code code;
    if (!order || !inputs || !slots)
        return w->reader->context->error.code;
    ks_tree_slots(&graph->inputs, slots, n_inputs);
    for (size_t i = 0; i < n_inputs; i++) {
        node *n = &w->nodes[slot_node(w, slots[i])];
        inputs[slots[i]] = true;
        begins_inside = begins_inside || !is_input_layer(n->entry);
        if (!is_input_layer(n->entry) && w->reader->version != 300)
            return fail(w, KS_E_CONFIG_UNSUPPORTED_VALUE, n->entry->record, "input_layers",
                        "an input is the result of a layer", n->entry->object->name);
    }
    KS_TRY(traverse(w, graph, order, &n_order));
    compute_depths(w, order, n_order);
    for (size_t i = 0; i < n_inputs; i++) { // inputs that nothing uses
        node *n = &w->nodes[slot_node(w, slots[i])];
        if (n->entry->depth < 0)
            n->entry->depth = 0;
        n->reached = true;
    }
    code = begins_inside ? skip_beginnings(w, graph, inputs) : check_inputs(w, inputs, order, n_order);
    if (code != KS_OK)
        return code;
    graph->begins_inside = begins_inside;
    KS_TRY(finish_layers(w, graph));
    KS_TRY(finish_nodes(w, graph));
done:
    return code;
}

ks_code ks__read_functional(ks__reader *reader, ks_object *model) {
    wiring w = {.reader = reader, .model = model};
    const ks_value *layers = ks_value_get(model->config, "layers");
    ks_code code;

    model->graph = ks_arena_get(reader->arena, 1, sizeof(*model->graph));
    if (!model->graph)
        return reader->context->error.code;
    if (!layers || layers->type != KS_VALUE_LIST)
        return fail(&w, layers ? KS_E_CONFIG_TYPE : KS_E_CONFIG_MISSING, layers ? layers : model->config, "layers",
                    "expected a list of layers", NULL);
    KS_TRY(read_entries(&w, layers));
    KS_TRY(read_calls(&w));
    KS_TRY(make_calls(&w));
    KS_TRY(read_ends(&w, model->graph));
    KS_TRY(map_graph(&w, model->graph));
    model->built = true;
done:
    return code;
}
