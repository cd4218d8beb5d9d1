// SPDX-License-Identifier: Apache-2.0
//
// The configs of models: Functional's layers with their calls, Sequential's list. Calls are renumbered among those that
// the model needs. Source: Keras 3 models/functional.py (get_config, serialize_node), models/sequential.py.
#include <stdlib.h>
#include <string.h>

#include "config/serialize_internal.h"
#include "schema/core.h"
#include "schema/operation.h"

typedef struct origin {
    size_t node;   ///< in graph->nodes
    size_t tensor; ///< among the node's results
} origin;

typedef struct walk {
    ks__serializer *s;
    const ks_object *model;
    const ks_graph *graph;
    size_t *number;   ///< [n_nodes]: index of the call among the kept calls of its layer
    size_t *by_layer; ///< nodes sorted by layer, then in the order of the layer's calls
    origin *origins;  ///< [n_slots]
} walk;

static ks_code failed(const walk *w) {
    return w->s->context->error.code;
}

static ks_code put(walk *w, ks_value *dict, const char *key, ks_value value) {
    ks_value *place = ks_value_put(dict, key);
    if (!place)
        return failed(w);
    *place = value;
    return KS_OK;
}

// --- numbers --------------------------------------------------------------------------------------------------------

typedef struct sorted {
    const ks_object *layer;
    size_t index; ///< among all calls of the layer
    size_t node;
} sorted;

static int compare(const void *a, const void *b) {
    const sorted *left = a, *right = b;
    if (left->layer != right->layer)
        return (uintptr_t)left->layer < (uintptr_t)right->layer ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

static ks_code number_nodes(walk *w) {
    size_t count = w->graph->n_nodes;
    sorted *items = ks_arena_get(w->s->arena, count + 1, sizeof(*items));
    w->number = ks_arena_get(w->s->arena, count + 1, sizeof(*w->number));
    w->by_layer = ks_arena_get(w->s->arena, count + 1, sizeof(*w->by_layer));
    if (!items || !w->number || !w->by_layer)
        return failed(w);
    for (size_t i = 0; i < count; i++)
        items[i] = (sorted){w->graph->nodes[i].layer, w->graph->nodes[i].index, i};
    qsort(items, count, sizeof(*items), compare);
    for (size_t i = 0; i < count; i++) {
        bool same = i && items[i].layer == items[i - 1].layer;
        w->by_layer[i] = items[i].node;
        w->number[items[i].node] = same ? w->number[items[i - 1].node] + 1 : 0;
    }
    return KS_OK;
}

// First of the layer's nodes in by_layer.
static size_t first_node(const walk *w, const ks_object *layer) {
    size_t low = 0, high = w->graph->n_nodes;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uintptr_t)w->graph->nodes[w->by_layer[middle]].layer < (uintptr_t)layer)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static ks_code find_origins(walk *w) {
    w->origins = ks_arena_get(w->s->arena, w->graph->n_slots + 1, sizeof(*w->origins));
    if (!w->origins)
        return failed(w);
    for (size_t i = 0; i < w->graph->n_nodes; i++) {
        const ks_tree *result = &w->graph->nodes[i].result;
        size_t count = ks_tree_count(result);
        size_t *slots = ks_arena_get(w->s->arena, count + 1, sizeof(*slots));
        if (!slots)
            return failed(w);
        ks_tree_slots(result, slots, count);
        for (size_t k = 0; k < count; k++)
            w->origins[slots[k]] = (origin){i, k};
    }
    return KS_OK;
}

// --- calls ----------------------------------------------------------------------------------------------------------

// [layer name, call, result]
static ks_code history(ks_value *out, walk *w, size_t slot, size_t add) {
    const origin *from = &w->origins[slot];
    *out = ks_value_list(w->s->arena, 3);
    if (!out->as.list.items)
        return failed(w);
    out->as.list.items[0] = ks_value_string(w->graph->nodes[from->node].layer->name);
    out->as.list.items[1] = ks_value_int((int64_t)(w->number[from->node] + add));
    out->as.list.items[2] = ks_value_int((int64_t)from->tensor);
    return KS_OK;
}

static ks_code write_tensor(ks_value *out, walk *w, size_t slot) {
    const ks_array *symbol = &w->graph->symbols[slot];
    ks_value config = ks_value_dict(w->s->arena, 3), list;
    ks_code code;
    KS_TRY(put(w, &config, "shape", ks_value_shape(w->s->arena, &symbol->shape)));
    KS_TRY(put(w, &config, "dtype", ks_value_string(ks_dtype_name(symbol->dtype))));
    KS_TRY(history(&list, w, slot, 0));
    KS_TRY(put(w, &config, "keras_history", list));
    *out = ks_value_dict(w->s->arena, 2);
    KS_TRY(put(w, out, "class_name", ks_value_string("__keras_tensor__")));
    KS_TRY(put(w, out, "config", config));
done:
    return code;
}

static ks_code write_argument(ks_value *out, walk *w, const ks_tree *tree) {
    ks_code code = KS_OK;
    switch (tree->type) {
    case KS_TREE_NONE:
    case KS_TREE_ARRAY:
        *out = ks_value_null();
        return KS_OK;
    case KS_TREE_SLOT:
        return write_tensor(out, w, tree->as.slot);
    case KS_TREE_VALUE:
        return ks__write_value(out, w->s, tree->as.value, w->model->place);
    case KS_TREE_LIST:
        *out = ks_value_list(w->s->arena, tree->as.list.count);
        if (!out->as.list.items)
            return failed(w);
        for (size_t i = 0; i < tree->as.list.count && code == KS_OK; i++)
            code = write_argument(&out->as.list.items[i], w, &tree->as.list.items[i]);
        return code;
    case KS_TREE_DICT:
        *out = ks_value_dict(w->s->arena, tree->as.list.count);
        for (size_t i = 0; i < tree->as.list.count && code == KS_OK; i++) {
            ks_value *place = ks_value_put_text(out, tree->as.list.keys[i]);
            code = place ? write_argument(place, w, &tree->as.list.items[i]) : failed(w);
        }
        return code;
    }
    return code;
}

static const char *argument_name(const ks_class *row, size_t index) {
    return row->arguments ? row->arguments[index] : "inputs";
}

static size_t argument_index(const ks_class *row, ks_text name) {
    size_t count = ks_class_argument_count(row);
    for (size_t i = 0; i < count; i++)
        if (ks_text_is(name, argument_name(row, i)))
            return i;
    return count;
}

// A call that no file gave: its arguments stand in their places, up to the last one that is there.
static size_t positional(const ks_node *node) {
    const ks_value *args = ks_value_get(node->call, "args");
    size_t count = ks_class_argument_count(node->layer->row);
    if (args)
        return args->as.list.count;
    while (count && node->arguments[count - 1].type == KS_TREE_NONE)
        count--;
    return count;
}

// Keras of today has this argument in the config, and cannot read a call that names it. It is null in all that is read.
static bool is_dtype_of_fill(const ks_class *row, ks_text name) {
    return (row == &ks_class_OpOnesLike || row == &ks_class_OpZerosLike) && ks_text_is(name, "dtype");
}

static ks_code write_kwargs(ks_value *out, walk *w, const ks_node *node) {
    const ks_value *kwargs = ks_value_get(node->call, "kwargs");
    size_t count = kwargs ? kwargs->as.dict.count : 0;
    ks_code code = KS_OK;
    *out = ks_value_dict(w->s->arena, count);
    for (size_t i = 0; i < count && code == KS_OK; i++) {
        ks_text name = kwargs->as.dict.members[i].key;
        size_t at = argument_index(node->layer->row, name);
        ks_value *place;
        if (is_dtype_of_fill(node->layer->row, name))
            continue;
        place = ks_value_put_text(out, name);
        if (!place)
            return failed(w);
        if (at < ks_class_argument_count(node->layer->row)) // others were null
            code = write_argument(place, w, &node->arguments[at]);
    }
    return code;
}

static bool takes_double(const walk *w, const ks_tree *tree) {
    bool found = tree->type == KS_TREE_SLOT && w->graph->symbols[tree->as.slot].dtype == KS_FLOAT64;
    if (tree->type == KS_TREE_LIST || tree->type == KS_TREE_DICT)
        for (size_t i = 0; i < tree->as.list.count && !found; i++)
            found = takes_double(w, &tree->as.list.items[i]);
    return found;
}

// TensorFlow divides integers in float64, Keras 3 in float32.
static ks_code check_division(const walk *w, const ks_node *node) {
    bool wide = node->wide && ks_is_old(node->layer) &&
                (node->layer->row == &ks_class_OpTrueDivide || node->layer->row == &ks_class_OpDivide);
    for (size_t i = 0; wide && i < ks_class_argument_count(node->layer->row); i++)
        wide = !takes_double(w, &node->arguments[i]);
    if (!wide)
        return KS_OK;
    return ks_fail(w->s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, node->layer->place,
                   "a division of integers in float64 cannot be written: \"%.60s\"", node->layer->name);
}

static bool value_inside(const ks_value *value, int64_t size) {
    bool inside = value->type == KS_VALUE_LIST;
    if (value->type == KS_VALUE_INT)
        return value->fits && value->as.integer >= 0 && value->as.integer < size;
    for (size_t i = 0; inside && i < value->as.list.count; i++)
        inside = value_inside(&value->as.list.items[i], size);
    return inside;
}

static bool tree_inside(const ks_tree *tree, int64_t size) {
    bool inside = tree->type == KS_TREE_LIST;
    if (tree->type == KS_TREE_VALUE)
        return value_inside(tree->as.value, size);
    for (size_t i = 0; inside && i < tree->as.list.count; i++)
        inside = tree_inside(&tree->as.list.items[i], size);
    return inside;
}

// Which row a number outside the axis means has changed with Keras 3.3; see ks_row_of. What is an input cannot be seen
// here, and is meant to be inside.
static ks_code check_rows(const walk *w, const ks_node *node) {
    const ks_tree *x = &node->arguments[0], *indices = &node->arguments[1];
    int64_t size = KS_UNKNOWN_DIM;
    if (node->layer->row != &ks_class_OpTake || !ks_clips_rows(node->layer) || ks_tree_count(indices) > 0)
        return KS_OK;
    if (x->type == KS_TREE_SLOT) {
        const ks_shape *shape = &w->graph->symbols[x->as.slot].shape;
        size = shape->dims[ks_axis(((const ks_operation *)node->layer->params)->axis.items[0], shape->rank)];
    }
    if (tree_inside(indices, size))
        return KS_OK;
    return ks_fail(w->s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, node->layer->place,
                   "an index outside the axis, which Keras before 3.3 takes to the nearest row, cannot be written: "
                   "\"%.60s\"",
                   node->layer->name);
}

static ks_code write_call(ks_value *out, walk *w, const ks_node *node) {
    size_t count = positional(node);
    ks_value args = ks_value_list(w->s->arena, count), kwargs;
    ks_code code;
    if (!args.as.list.items)
        return failed(w);
    KS_TRY(check_division(w, node));
    KS_TRY(check_rows(w, node));
    for (size_t i = 0; i < count; i++)
        KS_TRY(write_argument(&args.as.list.items[i], w, &node->arguments[i]));
    KS_TRY(write_kwargs(&kwargs, w, node));
    *out = ks_value_dict(w->s->arena, 2);
    KS_TRY(put(w, out, "args", args));
    KS_TRY(put(w, out, "kwargs", kwargs));
done:
    return code;
}

static ks_code write_calls(ks_value *out, walk *w, const ks_object *layer) {
    size_t first = first_node(w, layer), count = 0;
    ks_code code = KS_OK;
    if (ks_class_argument_count(layer->row) > 0) // an InputLayer is not called
        while (first + count < w->graph->n_nodes && w->graph->nodes[w->by_layer[first + count]].layer == layer)
            count++;
    *out = ks_value_list(w->s->arena, count);
    if (!out->as.list.items)
        return failed(w);
    for (size_t i = 0; i < count && code == KS_OK; i++)
        code = write_call(&out->as.list.items[i], w, &w->graph->nodes[w->by_layer[first + i]]);
    return code;
}

// --- models ---------------------------------------------------------------------------------------------------------

static ks_code write_layers(ks_value *out, walk *w) {
    ks_code code = KS_OK;
    *out = ks_value_list(w->s->arena, w->graph->n_operations);
    if (!out->as.list.items)
        return failed(w);
    for (size_t i = 0; i < w->graph->n_operations; i++) {
        const ks_object *layer = w->graph->operations[i];
        ks_value *record = &out->as.list.items[i], calls;
        KS_TRY(ks__write_record(record, w->s, layer));
        KS_TRY(put(w, record, "name", ks_value_string(layer->name)));
        KS_TRY(write_calls(&calls, w, layer));
        KS_TRY(put(w, record, "inbound_nodes", calls));
    }
done:
    return code;
}

static ks_code write_ends(ks_value *out, walk *w, const ks_tree *tree) {
    ks_code code = KS_OK;
    if (tree->type == KS_TREE_SLOT) {
        const ks_object *layer = w->graph->nodes[w->origins[tree->as.slot].node].layer;
        return history(out, w, tree->as.slot, layer->row == &ks_class_Functional); // counted from 1, see functional.c
    }
    if (tree->type == KS_TREE_LIST) {
        *out = ks_value_list(w->s->arena, tree->as.list.count);
        if (!out->as.list.items)
            return failed(w);
        for (size_t i = 0; i < tree->as.list.count && code == KS_OK; i++)
            code = write_ends(&out->as.list.items[i], w, &tree->as.list.items[i]);
    } else if (tree->type == KS_TREE_DICT) {
        *out = ks_value_dict(w->s->arena, tree->as.list.count);
        for (size_t i = 0; i < tree->as.list.count && code == KS_OK; i++) {
            ks_value *place = ks_value_put_text(out, tree->as.list.keys[i]);
            code = place ? write_ends(place, w, &tree->as.list.items[i]) : failed(w);
        }
    } else {
        *out = ks_value_null();
    }
    return code;
}

ks_code ks__write_functional(ks_value *out, ks__serializer *s, const ks_object *model) {
    walk w = {.s = s, .model = model, .graph = model->graph};
    ks_value value;
    ks_code code;
    if (model->graph->begins_inside)
        return ks_fail(s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, model->place,
                       "later Keras has no word for a model that begins at the result of a layer");
    KS_TRY(number_nodes(&w));
    KS_TRY(find_origins(&w));
    *out = ks_value_dict(s->arena, 5);
    KS_TRY(put(&w, out, "name", ks_value_string(model->name)));
    KS_TRY(put(&w, out, "trainable", ks_value_bool(model->trainable)));
    KS_TRY(write_layers(&value, &w));
    KS_TRY(put(&w, out, "layers", value));
    KS_TRY(write_ends(&value, &w, &model->graph->inputs));
    KS_TRY(put(&w, out, "input_layers", value));
    KS_TRY(write_ends(&value, &w, &model->graph->outputs));
    KS_TRY(put(&w, out, "output_layers", value));
done:
    return code;
}

ks_code ks__write_sequential(ks_value *out, ks__serializer *s, const ks_object *model) {
    walk w = {.s = s, .model = model, .graph = model->graph};
    const ks_graph *graph = model->graph;
    ks_value layers = ks_value_list(s->arena, graph->n_nodes), value;
    ks_code code;
    if (!layers.as.list.items)
        return failed(&w);
    for (size_t i = 0; i < graph->n_nodes; i++) // the InputLayer first, if there is one
        KS_TRY(ks__write_record(&layers.as.list.items[i], s, graph->nodes[i].layer));
    *out = ks_value_dict(s->arena, 5);
    KS_TRY(put(&w, out, "name", ks_value_string(model->name)));
    KS_TRY(put(&w, out, "trainable", ks_value_bool(model->trainable)));
    KS_TRY(ks__write_policy(&value, s, ks_value_get(model->config, "dtype"), model->place));
    KS_TRY(put(&w, out, "dtype", value));
    KS_TRY(put(&w, out, "layers", layers));
    if (graph->n_nodes > graph->n_layers) {
        const ks_input_layer *input = graph->nodes[0].layer->params;
        KS_TRY(put(&w, out, "build_input_shape", ks_value_shape(s->arena, &input->shape)));
    }
done:
    return code;
}
