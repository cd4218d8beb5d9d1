// SPDX-License-Identifier: Apache-2.0
//
// Which arrays each generation of Keras keeps for a layer, and in which order.
//
//   Keras 1, 2 (several backends): engine/topology.py (Container.trainable_weights), layers/recurrent.py
//   tf.keras, tf_keras:            engine/base_layer.py, engine/training.py (trainable_weights, non_trainable_weights)
//   Keras 3:                       layers/layer.py (weights, trainable_weights)
//
// In all of them a frozen layer has no trainable arrays: they move to the front of its other ones. What a layer inside
// a wrapper or model is, its own flag says, also where Keras sets all flags below an object at once: it does so before
// the config is written.
#include <string.h>

#include "schema/convolutional_recurrent.h"
#include "schema/recurrent.h"
#include "weights/legacy_internal.h"

/// Keras 1 lists the layers of a Sequential model in its own order.
static const ks_child *children(const ks_legacy *l, const ks_object *object) {
    const ks_graph *graph = l->writer == KS_WRITER_KERAS1 ? object->graph : NULL;
    return graph && graph->in_order ? graph->in_order : object->children;
}

// --- slots ----------------------------------------------------------------------------------------------------------

// Where the gates that Keras 1 keeps apart stand in the kernel: it lists i, c, f, o.
static const int lstm_gates[] = {0, 2, 1, 3};
static const int gru_gates[] = {0, 1, 2};

static int n_gates(const ks_object *object) {
    if (object->row == &ks_class_LSTMCell || object->row == &ks_conv_lstm_cell)
        return 4;
    return object->row == &ks_class_GRUCell ? 3 : 1;
}

// consume_less="gpu" in its words
static bool side_by_side(const ks_object *object) {
    const ks_value *implementation;
    if (object->row == &ks_conv_lstm_cell)
        return false;
    implementation = ((const ks_rnn_cell *)object->params)->implementation;
    return implementation && implementation->type == KS_VALUE_INT && implementation->as.integer == 2;
}

static int stored_parts(const ks_legacy *l, const ks_object *object) {
    if (l->writer != KS_WRITER_KERAS1 || n_gates(object) == 1 || side_by_side(object))
        return 1;
    return n_gates(object);
}

static ks_code make_slots(ks_legacy *l, ks_variable *first, int parts) {
    for (ks_variable *v = first; v; v = v->next) {
        v->slots = ks_arena_get(l->arena, (size_t)parts, sizeof(*v->slots));
        if (!v->slots)
            return l->context->error.code;
        v->n_slots = (size_t)parts;
        for (int i = 0; i < parts; i++)
            v->slots[i] = (ks_slot){.variable = v,
                                    .layout = l->writer == KS_WRITER_KERAS1 ? ks__keras1_layout(v) : NULL,
                                    .part = i,
                                    .parts = parts};
    }
    return KS_OK;
}

static ks_code too_deep(const ks_legacy *l, const ks_object *object) {
    return ks_fail(l->context, KS_E_CONFIG_DEPTH, KS_STAGE_WEIGHTS, KS_NO_OFFSET, object->place,
                   "objects are nested more than %d deep", (int)l->context->limits.model_depth);
}

static ks_code make_all(ks_legacy *l, ks_object *object) {
    int parts = stored_parts(l, object);
    ks_code code;
    if (object->walked[0] == l->map->stamp)
        return KS_OK;
    object->walked[0] = l->map->stamp;
    if (++l->depth > (int)l->context->limits.model_depth)
        return too_deep(l, object);
    KS_TRY(make_slots(l, object->trainable_variables, parts));
    KS_TRY(make_slots(l, object->other_variables, parts));
    for (const ks_child *child = children(l, object); child; child = child->next)
        KS_TRY(make_all(l, child->object));
done:
    l->depth--;
    return code;
}

// --- lists ----------------------------------------------------------------------------------------------------------

static ks_code put(ks_slots *list, const ks_legacy *l, ks_slot *slot) {
    if (slot->stamp == l->map->stamp)
        return KS_OK; // shared: the first place counts
    slot->stamp = l->map->stamp;
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 8;
        ks_slot **bigger = ks_arena_get(l->arena, room, sizeof(*bigger));
        if (!bigger)
            return l->context->error.code;
        if (list->count)
            memcpy(bigger, list->items, list->count * sizeof(*bigger));
        list->items = bigger;
        list->room = room;
    }
    list->items[list->count++] = slot;
    return KS_OK;
}

// Gate after gate: kernel, recurrent kernel and bias of each.
static ks_code put_gates(ks_slots *list, const ks_legacy *l, const ks_variable *first, size_t count) {
    const int *order = count == 4 ? lstm_gates : gru_gates;
    ks_code code = KS_OK;
    for (size_t i = 0; i < count; i++)
        for (const ks_variable *v = first; v; v = v->next)
            KS_TRY(put(list, l, &v->slots[order[i]]));
done:
    return code;
}

static ks_code put_variables(ks_slots *list, const ks_legacy *l, const ks_variable *first) {
    ks_code code = KS_OK;
    if (first && first->n_slots > 1)
        return put_gates(list, l, first, first->n_slots);
    for (const ks_variable *v = first; v; v = v->next)
        KS_TRY(put(list, l, &v->slots[0]));
done:
    return code;
}

enum { TRAINABLE, OTHERS, LISTED };

static ks_code put_trainable(ks_slots *list, ks_legacy *l, ks_object *object);
static ks_code put_others(ks_slots *list, ks_legacy *l, ks_object *object);

static bool enter(ks_legacy *l, ks_object *object, int which) {
    if (object->walked[which] == l->map->stamp)
        return false;
    object->walked[which] = l->map->stamp;
    l->depth++;
    return true;
}

static ks_code put_trainable(ks_slots *list, ks_legacy *l, ks_object *object) {
    bool model = object->row->kind == KS_KIND_MODEL; // models list their own after those of their layers
    ks_code code = KS_OK;
    if (!object->trainable || !enter(l, object, TRAINABLE))
        return KS_OK;
    if (l->depth > (int)l->context->limits.model_depth)
        return too_deep(l, object);
    if (!model)
        KS_TRY(put_variables(list, l, object->trainable_variables));
    for (const ks_child *child = children(l, object); child; child = child->next)
        KS_TRY(put_trainable(list, l, child->object));
    if (model)
        KS_TRY(put_variables(list, l, object->trainable_variables));
done:
    l->depth--;
    return code;
}

// Of a frozen model: all that is trainable in its layers, then all that is not. Of another frozen layer: its own, then
// layer by layer what is inside.
static ks_code put_frozen(ks_slots *list, ks_legacy *l, ks_object *object) {
    bool model = object->row->kind == KS_KIND_MODEL;
    ks_code code;
    if (!model) {
        KS_TRY(put_variables(list, l, object->trainable_variables));
        KS_TRY(put_variables(list, l, object->other_variables));
    }
    for (const ks_child *child = children(l, object); child; child = child->next) {
        KS_TRY(put_trainable(list, l, child->object));
        if (!model)
            KS_TRY(put_others(list, l, child->object));
    }
    if (model) {
        KS_TRY(put_variables(list, l, object->trainable_variables));
        for (const ks_child *child = children(l, object); child; child = child->next)
            KS_TRY(put_others(list, l, child->object));
        KS_TRY(put_variables(list, l, object->other_variables));
    }
    code = KS_OK;
done:
    return code;
}

static ks_code put_others(ks_slots *list, ks_legacy *l, ks_object *object) {
    bool model = object->row->kind == KS_KIND_MODEL;
    ks_code code = KS_OK;
    if (!enter(l, object, OTHERS))
        return KS_OK;
    if (l->depth > (int)l->context->limits.model_depth)
        return too_deep(l, object);
    if (!object->trainable) {
        KS_TRY(put_frozen(list, l, object));
        goto done;
    }
    if (!model)
        KS_TRY(put_variables(list, l, object->other_variables));
    for (const ks_child *child = children(l, object); child; child = child->next)
        KS_TRY(put_others(list, l, child->object));
    if (model)
        KS_TRY(put_variables(list, l, object->other_variables));
done:
    l->depth--;
    return code;
}

// Keras 3: all variables in the order of layer.weights, those first that are trainable and stand in a layer that is.
static ks_code put_in_order(ks_slots *list, ks_legacy *l, ks_object *object, bool trainable, bool all) {
    ks_code code = KS_OK;
    if (!enter(l, object, trainable ? TRAINABLE : OTHERS))
        return KS_OK;
    if (l->depth > (int)l->context->limits.model_depth)
        return too_deep(l, object);
    for (int kind = 0; kind < 2; kind++)
        for (ks_variable *v = kind ? object->other_variables : object->trainable_variables; v; v = v->next)
            if (all || trainable == (v->trainable && object->trainable))
                KS_TRY(put(list, l, &v->slots[0]));
    for (const ks_child *child = children(l, object); child; child = child->next)
        KS_TRY(put_in_order(list, l, child->object, trainable, all));
done:
    l->depth--;
    return code;
}

static ks_code put_weights(ks_slots *list, ks_legacy *l, ks_object *layer) {
    ks_code code;
    if (l->writer == KS_WRITER_KERAS3) {
        if (layer->trainable)
            KS_TRY(put_in_order(list, l, layer, true, false));
        KS_TRY(put_in_order(list, l, layer, false, !layer->trainable));
    } else {
        KS_TRY(put_trainable(list, l, layer));
        KS_TRY(put_others(list, l, layer));
    }
done:
    return code;
}

ks_code ks_legacy_stored(ks_slots *out, ks_legacy *l, ks_object *layer) {
    memset(out, 0, sizeof(*out));
    l->map->stamp++;
    return put_weights(out, l, layer);
}

ks_code ks_legacy_top_level(ks_slots *out, ks_legacy *l) {
    ks_code code;
    memset(out, 0, sizeof(*out));
    l->map->stamp++;
    KS_TRY(put_variables(out, l, l->root->trainable_variables));
    KS_TRY(put_variables(out, l, l->root->other_variables));
done:
    return code;
}

ks_code ks_legacy_trained(ks_slots *out, ks_legacy *l) {
    memset(out, 0, sizeof(*out));
    l->map->stamp++;
    if (!l->root->trainable)
        return KS_OK;
    return l->writer == KS_WRITER_KERAS3 ? put_in_order(out, l, l->root, true, false) : put_trainable(out, l, l->root);
}

// --- get_weights() --------------------------------------------------------------------------------------------------

static ks_code put_listed(ks_slots *list, ks_legacy *l, const ks_slots *more) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < more->count; i++) {
        ks_slot *slot = more->items[i];
        if (slot->listed)
            continue;
        slot->listed = true;
        slot->stamp = 0;
        KS_TRY(put(list, l, slot));
    }
done:
    return code;
}

// tf.keras takes nested models apart, so that their layers' arrays stay together; Keras before it did not.
static ks_code list_layer(ks_slots *list, ks_legacy *l, ks_object *layer) {
    ks_slots stored;
    ks_code code;
    if (layer->walked[LISTED] == l->list_stamp)
        return KS_OK;
    layer->walked[LISTED] = l->list_stamp;
    if (++l->depth > (int)l->context->limits.model_depth)
        return too_deep(l, layer);
    if (l->writer == KS_WRITER_TF_KERAS && layer->row->kind == KS_KIND_MODEL) {
        for (const ks_child *child = children(l, layer); child; child = child->next)
            KS_TRY(list_layer(list, l, child->object));
        memset(&stored, 0, sizeof(stored));
        l->map->stamp++;
        KS_TRY(put_variables(&stored, l, layer->trainable_variables));
        KS_TRY(put_variables(&stored, l, layer->other_variables));
    } else {
        KS_TRY(ks_legacy_stored(&stored, l, layer));
    }
    KS_TRY(put_listed(list, l, &stored));
done:
    l->depth--;
    return code;
}

// Of a Sequential, or of one that began with a Merge and was taken apart.
static bool is_sequential(const ks_object *object) {
    return object->row == &ks_class_Sequential || (object->graph && object->graph->in_order);
}

// Keras 1: a Sequential asks its layers for get_weights(), and so does a wrapper; a Functional asks for their weights.
static ks_code list_keras1(ks_slots *list, ks_legacy *l, ks_object *object) {
    bool asks = is_sequential(object) || object->row == &ks_class_TimeDistributed;
    ks_code code = KS_OK;
    if (!asks && object->row->kind != KS_KIND_MODEL)
        return list_layer(list, l, object);
    if (++l->depth > (int)l->context->limits.model_depth)
        return too_deep(l, object);
    for (const ks_child *child = children(l, object); child && code == KS_OK; child = child->next)
        code = asks ? list_keras1(list, l, child->object) : list_layer(list, l, child->object);
    l->depth--;
    return code;
}

// Keras 2.0 and 2.1: a Sequential asks a Functional that it makes of its tensors. A model that it begins with was never
// called, so that the tensors are those of the layers inside.
static ks_code list_keras2_0(ks_slots *list, ks_legacy *l, ks_object *model) {
    const ks_child *child = children(l, model);
    ks_code code = KS_OK;
    if (++l->depth > (int)l->context->limits.model_depth)
        return too_deep(l, model);
    if (is_sequential(model) && child && child->object->row->kind == KS_KIND_MODEL) {
        code = list_keras2_0(list, l, child->object);
        child = child->next;
    }
    for (; child && code == KS_OK; child = child->next)
        code = list_layer(list, l, child->object);
    l->depth--;
    return code;
}

static ks_code list_layers(ks_slots *list, ks_legacy *l) {
    ks_code code = KS_OK;
    if (is_sequential(l->root) && l->writer == KS_WRITER_KERAS1)
        return list_keras1(list, l, l->root);
    if (is_sequential(l->root) && l->writer == KS_WRITER_KERAS2_0)
        return list_keras2_0(list, l, l->root);
    for (size_t i = 0; i < l->n_layers; i++)
        KS_TRY(list_layer(list, l, l->layers[i]));
done:
    return code;
}

ks_code ks_legacy_listed(ks_slots *out, ks_legacy *l) {
    ks_slots top;
    ks_code code;
    memset(out, 0, sizeof(*out));
    if (l->writer == KS_WRITER_KERAS3) {
        l->map->stamp++;
        return put_in_order(out, l, l->root, false, true);
    }
    l->list_stamp = ++l->map->stamp;
    KS_TRY(list_layers(out, l));
    KS_TRY(ks_legacy_top_level(&top, l));
    KS_TRY(put_listed(out, l, &top));
done:
    return code;
}

// --- model.layers ---------------------------------------------------------------------------------------------------

ks_code ks_legacy_init(ks_legacy *out, ks_context *context, ks_arena *arena, ks_weight_map *map, ks_writer writer) {
    ks_object *root = map->objects[0].object;
    ks_code code;
    memset(out, 0, sizeof(*out));
    out->context = context;
    out->arena = arena;
    out->map = map;
    out->root = root;
    out->writer = writer;
    out->layers = writer == KS_WRITER_KERAS1 && root->graph->in_order ? root->graph->operations : root->graph->layers;
    out->n_layers = root->graph->n_layers;
    map->stamp++;
    KS_TRY(make_all(out, root));
done:
    return code;
}
