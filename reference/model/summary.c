// SPDX-License-Identifier: Apache-2.0
//
// summary(): what is common to the tables of all generations. Source: Keras 3 utils/summary_utils.py, Keras 2
// utils/layer_utils.py.
#include <stdio.h>
#include <stdlib.h>

#include "model/summary_internal.h"

// --- text -----------------------------------------------------------------------------------------------------------

void ks__put(ks__summary *s, const char *text) {
    size_t size = strlen(text);
    if (s->size + size + 1 > s->room && !s->failed) {
        size_t room = 2 * (s->size + size + 512);
        char *bigger = ks_allocate(s->model->context, room, 1);
        s->failed = !bigger;
        if (bigger && s->size)
            memcpy(bigger, s->text, s->size);
        if (bigger) {
            ks_free(s->model->context, s->text);
            s->text = bigger;
            s->room = room;
        }
    }
    if (s->failed)
        return;
    memcpy(s->text + s->size, text, size + 1);
    s->size += size;
}

void ks__put_many(ks__summary *s, const char *text, int count) {
    for (int i = 0; i < count; i++)
        ks__put(s, text);
}

int ks__characters(const char *text, size_t size) {
    int count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

size_t ks__bytes_of(const char *text, size_t size, int count) {
    size_t at = 0;
    while (at < size && count > 0) {
        at++;
        while (at < size && ((unsigned char)text[at] & 0xc0) == 0x80)
            at++;
        count--;
    }
    return at;
}

// --- parameters -----------------------------------------------------------------------------------------------------

const char *ks__with_commas(ks_arena *arena, uint64_t number) {
    char digits[32], *out = ks_arena_get(arena, 1, 48);
    int size = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number), at = 0;
    for (int i = 0; out && i < size; i++) {
        if (i && (size - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    return out ? out : "";
}

void ks__readable_size(char *out, size_t room, uint64_t bytes, const char *unit_name) {
    const char *const units[] = {unit_name, "KB", "MB", "GB", "TB", "PB"};
    double size = (double)bytes;
    int unit = 0;
    while (size / 1024 >= 1 && unit < 5) {
        size /= 1024;
        unit++;
    }
    snprintf(out, room, "%.2f %s", size, units[unit]);
}

static void add_variables(ks__params *sum, const ks_variable *first) {
    for (const ks_variable *v = first; v; v = v->next) {
        uint64_t elements = 0;
        if (!v->open_ended) // Keras does not know the number
            ks_shape_elements(&v->shape, &elements);
        sum->count += elements;
        sum->bytes += elements * ks_dtype_size(v->dtype);
    }
}

uint64_t ks__count_params(const ks_object *object, int depth) {
    ks__params sum = {0, 0};
    uint64_t count;
    add_variables(&sum, object->trainable_variables);
    add_variables(&sum, object->other_variables);
    count = sum.count;
    for (const ks_child *child = object->children; child && depth < 64; child = child->next)
        count += ks__count_params(child->object, depth + 1);
    return count;
}

// Sequential.from_config passes over "trainable": the flags of the layers inside say what is frozen.
bool ks__shown_trainable(const ks_object *layer) {
    return layer->trainable || layer->row == &ks_class_Sequential;
}

// In Keras 3 the flag of a layer is not that of its parts, but for the cells that recurrent layers make themselves.
static bool freezes_parts(const ks_object *object) {
    static const ks_class *const rows[] = {&ks_class_SimpleRNN,  &ks_class_LSTM,       &ks_class_GRU,
                                           &ks_class_ConvLSTM1D, &ks_class_ConvLSTM2D, &ks_class_ConvLSTM3D};
    bool found = ks_is_old(object) || object->row->kind == KS_KIND_MODEL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        found = found || object->row == rows[i];
    return found;
}

// Whether its own flag counts. What an attention layer makes was not frozen with it when Keras 3 has loaded it.
static bool is_trainable(const ks_object *object) {
    const ks_class *maker = object->parent && !ks_is_old(object) ? object->parent->row : NULL;
    bool fresh = maker == &ks_class_MultiHeadAttention || maker == &ks_class_GroupQueryAttention;
    return fresh || ks__shown_trainable(object);
}

// A layer that several models share counts once, where it is met first.
static void add_params(ks__params sums[2], ks_object *object, bool trainable, uint32_t mark, int depth) {
    if (object->walked[2] == mark)
        return;
    object->walked[2] = mark;
    bool own = trainable && is_trainable(object), parts = freezes_parts(object) ? own : trainable;
    add_variables(&sums[!own], object->trainable_variables);
    add_variables(&sums[1], object->other_variables);
    for (const ks_child *child = object->children; child && depth < 64; child = child->next)
        add_params(sums, child->object, parts, mark, depth + 1);
}

void ks__sum_params(ks__params sums[2], ks_model *model) {
    add_params(sums, model->root, true, ++model->map.stamp, 0);
}

// --- who gave what --------------------------------------------------------------------------------------------------

ks_code ks__index_calls(ks__calls *out, ks__summary *s, const ks_graph *graph) {
    size_t n_layers = 0;
    out->graph = graph;
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].layer->index >= n_layers)
            n_layers = graph->nodes[i].layer->index + 1;
    for (size_t i = 0; i < graph->n_operations; i++)
        if (graph->operations[i]->index >= n_layers)
            n_layers = graph->operations[i]->index + 1;
    out->givers = ks_arena_get(s->arena, graph->n_slots + 1, sizeof(*out->givers));
    out->tensors = ks_arena_get(s->arena, graph->n_slots + 1, sizeof(*out->tensors));
    out->first_call = ks_arena_get(s->arena, n_layers + 1, sizeof(*out->first_call));
    out->last_call = ks_arena_get(s->arena, n_layers + 1, sizeof(*out->last_call));
    if (!out->givers || !out->tensors || !out->first_call || !out->last_call)
        return s->model->context->error.code;
    for (size_t i = 0; i <= n_layers; i++)
        out->first_call[i] = out->last_call[i] = graph->n_nodes;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const ks_node *node = &graph->nodes[i];
        size_t slots[64], count = ks_tree_slots(&node->result, slots, 64);
        for (size_t k = 0; k < count && k < 64; k++) {
            out->givers[slots[k]] = node;
            out->tensors[slots[k]] = k;
        }
        if (out->first_call[node->layer->index] == graph->n_nodes)
            out->first_call[node->layer->index] = i;
        out->last_call[node->layer->index] = i;
    }
    return KS_OK;
}

size_t ks__connections(const char **out, size_t room, ks__summary *s, const ks_object *layer) {
    const ks__calls *calls = &s->calls;
    const ks_graph *graph = calls->graph;
    size_t n_arguments = ks_class_argument_count(layer->row), total = 0;
    for (size_t i = calls->first_call[layer->index]; i < graph->n_nodes; i++) {
        if (graph->nodes[i].layer != layer)
            continue;
        for (size_t a = 0; a < n_arguments; a++) {
            size_t slots[64], count = ks_tree_slots(&graph->nodes[i].arguments[a], slots, 64);
            for (size_t k = 0; k < count && k < 64; k++) {
                const ks_node *source = calls->givers[slots[k]];
                if (source && total < room)
                    out[total++] = ks_arena_format(
                        s->arena, "%s[%zu][%zu]", source->layer->name,
                        source->index + (source->layer->row->kind == KS_KIND_MODEL ? s->first_model_call : 0),
                        calls->tensors[slots[k]]);
            }
        }
        if (i == calls->last_call[layer->index])
            break;
    }
    return total;
}

const ks_graph *ks__nested_graph(const ks_object *object) {
    return object->row->kind == KS_KIND_MODEL && object->graph && object->graph->n_layers ? object->graph : NULL;
}

// One input, no call with several tensors, no tensor read twice, no layer called twice.
static bool is_sequential_like(const ks__summary *s) {
    const ks__calls *calls = &s->calls;
    const ks_graph *graph = calls->graph;
    bool *read;
    if (s->model->root->row == &ks_class_Sequential)
        return true;
    read = ks_arena_get(s->arena, graph->n_nodes + 1, sizeof(*read));
    if (!read || ks_tree_count(&graph->inputs) != 1)
        return false;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const ks_node *node = &graph->nodes[i];
        size_t n_tensors = 0, slot = 0;
        for (size_t a = 0; a < ks_class_argument_count(node->layer->row); a++) {
            n_tensors += ks_tree_count(&node->arguments[a]);
            ks_tree_slots(&node->arguments[a], &slot, 1);
        }
        if (n_tensors > 1 || calls->first_call[node->layer->index] != calls->last_call[node->layer->index])
            return false;
        if (n_tensors && calls->givers[slot]) {
            size_t giver = (size_t)(calls->givers[slot] - graph->nodes);
            if (read[giver])
                return false;
            read[giver] = true;
        }
    }
    return true;
}

// --- entry ----------------------------------------------------------------------------------------------------------

ks_code ks_model_summary(ks_text *out, ks_model *m, const ks_summary_options *options) {
    static const ks_summary_options none = {0};
    const char *version = options && options->keras_version ? options->keras_version : m->keras_version;
    ks_arena arena;
    ks__summary s = {.model = m, .arena = &arena, .options = options ? options : &none};
    memset(out, 0, sizeof(*out));
    ks_arena_init(&arena, m->context);
    if (ks__index_calls(&s.calls, &s, m->root->graph) == KS_OK) {
        s.sequential_like = is_sequential_like(&s);
        if (version[0] && strtol(version, NULL, 10) < 3)
            ks__summary_plain(&s, version);
        else
            ks__summary_boxes(&s);
    }
    ks_arena_fini(&arena);
    if (s.failed || m->context->error.code != KS_OK) {
        ks_free(m->context, s.text);
        return m->context->error.code;
    }
    *out = (ks_text){s.text, s.size};
    return KS_OK;
}
