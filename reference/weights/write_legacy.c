// SPDX-License-Identifier: Apache-2.0
//
// Writes weights by layer, as tf_keras does: for each layer of model.layers a group of its name with the attribute
// `weight_names` and a dataset for each name, in the order of layer.trainable_weights and layer.non_trainable_weights;
// in the group above them `layer_names`, `backend` and `keras_version`. Source: tf_keras saving/legacy/hdf5_format.py
// (save_weights_to_hdf5_group, save_attributes_to_hdf5_group).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name_table.h"
#include "schema/class.h"
#include "weights/legacy.h"
#include "weights/write.h"

#define ATTRIBUTE_LIMIT 64512 ///< bytes of one attribute; longer lists go into NAME0, NAME1, …

#define TOP_LEVEL "top_level_model_weights" ///< the group of the model's own weights

typedef struct writing {
    ks_context *context;
    ks_arena *arena;
    ks_hdf5_writer *writer;
    ks_legacy legacy;
    const char *group; ///< "" or "model_weights"
    int depth;
} writing;

static ks_code failed(const writing *w) {
    return w->context->error.code;
}

// --- lists of names -------------------------------------------------------------------------------------------------

static ks_code put_names(writing *w, const char *path, const char *name, const ks_text *names, size_t count) {
    ks_tensor tensor = {KS_STRING, {1, {(int64_t)count}}, names, count * sizeof *names};
    if (count == 0) // numpy makes an array of float64 of an empty list
        tensor.dtype = KS_FLOAT64;
    return ks_hdf5_writer_attribute(w->writer, path, name, &tensor);
}

static size_t longest(const ks_text *names, size_t count) {
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size = names[i].size > size ? names[i].size : size;
    return size;
}

/// As numpy.array_split: the first count % pieces of them have one more.
static ks_code save_names(writing *w, const char *path, const char *name, const ks_text *names, size_t count) {
    size_t size = longest(names, count);
    size_t pieces = 1;
    ks_code code = KS_OK;
    if (size > ATTRIBUTE_LIMIT)
        return ks_fail(w->context, KS_E_OVER_SIZE, KS_STAGE_SAVE, KS_NO_OFFSET, path,
                       "a name is longer than %d bytes, which an attribute cannot hold", ATTRIBUTE_LIMIT);
    while ((count + pieces - 1) / pieces * size > ATTRIBUTE_LIMIT)
        pieces++;
    if (pieces == 1)
        return put_names(w, path, name, names, count);
    for (size_t i = 0; i < pieces && code == KS_OK; i++) {
        size_t here = count / pieces + (i < count % pieces);
        const char *numbered = ks_arena_format(w->arena, "%s%zu", name, i);
        code = numbered ? put_names(w, path, numbered, names, here) : failed(w);
        names += here;
    }
    return code;
}

// --- names of variables ---------------------------------------------------------------------------------------------

// The kernel of a depthwise layer is a "kernel" in Keras 3 only.
static const char *old_name(const ks_variable *v) {
    const ks_class *row = v->owner->row;
    bool depthwise = row == &ks_class_DepthwiseConv1D || row == &ks_class_DepthwiseConv2D;
    if (v->key) // a variable of TensorFlow's without a name
        return "Variable";
    return depthwise && strcmp(v->name, "kernel") == 0 ? "depthwise_kernel" : v->name;
}

static void name_variables(writing *w, ks_variable *first, const char *path) {
    for (ks_variable *v = first; v; v = v->next)
        if (!v->slots[0].path)
            v->slots[0].path = ks_arena_format(w->arena, "%s/%s:0", path, old_name(v));
}

/// "lstm/lstm_cell/kernel:0": the names of the objects on the way. Layers of models begin anew.
static ks_code name_object(writing *w, ks_object *object, const char *above) {
    bool model = object->row->kind == KS_KIND_MODEL;
    const char *path = above ? ks_arena_format(w->arena, "%s/%s", above, object->name) : object->name;
    ks_code code = KS_OK;
    if (!path)
        return failed(w);
    if (++w->depth > (int)w->context->limits.model_depth)
        return ks_fail(w->context, KS_E_CONFIG_DEPTH, KS_STAGE_SAVE, KS_NO_OFFSET, object->place,
                       "objects are nested more than %d deep", (int)w->context->limits.model_depth);
    name_variables(w, object->trainable_variables, path);
    name_variables(w, object->other_variables, path);
    for (const ks_child *child = object->children; child; child = child->next)
        KS_TRY(name_object(w, child->object, model ? NULL : path));
    code = failed(w);
done:
    w->depth--;
    return code;
}

/// Layers of equal names in nested models would meet in one group: later ones get a number.
static ks_code make_unique(writing *w, ks_slots *slots) {
    ks_name_table table;
    ks_code code;
    KS_TRY(ks_name_table_init(&table, w->arena, slots->count));
    for (size_t i = 0; i < slots->count; i++) {
        ks_slot *slot = slots->items[i];
        const char *plain = slot->path;
        ks_named *place = ks_name_table_place(&table, ks_text_from(slot->path));
        for (size_t number = 1; place->number != KS_NO_NUMBER; number++) {
            slot->path = ks_arena_format(w->arena, "%.*s_%zu:0", (int)(strlen(plain) - 2), plain, number);
            if (!slot->path)
                return failed(w);
            place = ks_name_table_place(&table, ks_text_from(slot->path));
        }
        *place = (ks_named){ks_text_from(slot->path), i};
    }
done:
    return code;
}

// --- groups ---------------------------------------------------------------------------------------------------------

/// Of a path in a file: the steps have names, and "." stands for the group itself.
static bool is_path(const char *path) {
    for (;;) {
        size_t size = strcspn(path, "/");
        if (size == 0 || (size == 1 && path[0] == '.'))
            return false;
        if (!path[size])
            return true;
        path += size + 1;
    }
}

static ks_code no_group(writing *w, const ks_object *layer, const char *why) {
    return ks_fail(w->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, layer->place,
                   "a layer called \"%.80s\" has no group of its own: %s", layer->name, why);
}

static ks_code check_layer_name(writing *w, const ks_object *layer) {
    if (!is_path(layer->name))
        return no_group(w, layer, "its name is none in HDF5");
    if (strcmp(layer->name, TOP_LEVEL) == 0)
        return no_group(w, layer, "the weights of the model itself have this one");
    return KS_OK;
}

static ks_code write_slots(writing *w, const char *group, ks_slots *slots) {
    ks_text *names = ks_arena_get(w->arena, slots->count + 1, sizeof *names);
    ks_code code;
    if (!names)
        return failed(w);
    KS_TRY(ks_hdf5_writer_group(w->writer, group));
    KS_TRY(make_unique(w, slots));
    for (size_t i = 0; i < slots->count; i++)
        names[i] = ks_text_from(slots->items[i]->path);
    KS_TRY(save_names(w, group, "weight_names", names, slots->count));
    for (size_t i = 0; i < slots->count; i++) {
        const char *path = ks_arena_format(w->arena, "%s/%s", group, slots->items[i]->path);
        ks_tensor tensor;
        if (!path)
            return failed(w);
        if (!is_path(slots->items[i]->path))
            return ks_fail(w->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, group,
                           "the name \"%.80s\" of a weight is no path in HDF5", slots->items[i]->path);
        KS_TRY(ks_weights_tensor(&tensor, w->context, slots->items[i]->variable, path));
        KS_TRY(ks_hdf5_writer_dataset(w->writer, path, &tensor));
    }
done:
    return code;
}

static const char *group_of(writing *w, const char *name) {
    return ks_arena_format(w->arena, "%s%s%s", w->group, w->group[0] ? "/" : "", name);
}

static ks_code write_layer(writing *w, ks_object *layer) {
    const char *group = group_of(w, layer->name);
    ks_slots slots;
    ks_code code;
    if (!group)
        return failed(w);
    KS_TRY(check_layer_name(w, layer));
    KS_TRY(name_object(w, layer, NULL));
    KS_TRY(ks_legacy_stored(&slots, &w->legacy, layer));
    KS_TRY(write_slots(w, group, &slots));
done:
    return code;
}

static ks_code write_versions(writing *w, const char *keras_version, const char *backend) {
    ks_text version = ks_text_from(keras_version);
    ks_text name = ks_text_from(backend);
    ks_tensor tensor = {KS_STRING, {0, {0}}, &version, sizeof version};
    ks_code code;
    KS_TRY(ks_hdf5_writer_attribute(w->writer, w->group, "keras_version", &tensor));
    tensor.data = &name;
    KS_TRY(ks_hdf5_writer_attribute(w->writer, w->group, "backend", &tensor));
done:
    return code;
}

static ks_code write_top_level(writing *w) {
    const char *group = group_of(w, TOP_LEVEL);
    ks_slots slots;
    ks_code code;
    if (!group)
        return failed(w);
    name_variables(w, w->legacy.root->trainable_variables, w->legacy.root->name);
    name_variables(w, w->legacy.root->other_variables, w->legacy.root->name);
    KS_TRY(ks_legacy_top_level(&slots, &w->legacy));
    KS_TRY(write_slots(w, group, &slots));
done:
    return code;
}

/// Operations in a graph are layers without weights in Keras 2, which its readers pass over.
static bool has_group(const ks_object *layer) {
    return layer->row->kind != KS_KIND_OPERATION;
}

static ks_code write_all(writing *w, const char *keras_version, const char *backend) {
    ks_text *names = ks_arena_get(w->arena, w->legacy.n_layers + 1, sizeof *names);
    size_t count = 0;
    ks_code code;
    if (!names)
        return failed(w);
    KS_TRY(ks_hdf5_writer_group(w->writer, w->group));
    for (size_t i = 0; i < w->legacy.n_layers; i++)
        if (has_group(w->legacy.layers[i]))
            names[count++] = ks_text_from(w->legacy.layers[i]->name);
    KS_TRY(save_names(w, w->group, "layer_names", names, count));
    KS_TRY(write_versions(w, keras_version, backend));
    for (size_t i = 0; i < w->legacy.n_layers; i++)
        if (has_group(w->legacy.layers[i]))
            KS_TRY(write_layer(w, w->legacy.layers[i]));
    KS_TRY(write_top_level(w));
done:
    return code;
}

// --- the model's own list -------------------------------------------------------------------------------------------

/// What the model says of its weights must stay: the lists made for writing are put aside afterwards.
typedef struct kept {
    ks_slot *slots;
    size_t n_slots;
} kept;

static kept *keep_slots(ks_arena *arena, const ks_weight_map *map) {
    kept *list = ks_arena_get(arena, map->n_variables + 1, sizeof *list);
    for (size_t i = 0; list && i < map->n_variables; i++)
        list[i] = (kept){map->variables[i]->slots, map->variables[i]->n_slots};
    return list;
}

static void put_back(const kept *list, const ks_weight_map *map) {
    for (size_t i = 0; i < map->n_variables; i++) {
        map->variables[i]->slots = list[i].slots;
        map->variables[i]->n_slots = list[i].n_slots;
    }
}

ks_code ks_weights_write_names(ks_context *context, ks_arena *arena, ks_hdf5_writer *writer, const char *path,
                               const char *name, const ks_text *names, size_t count) {
    writing w = {.context = context, .arena = arena, .writer = writer};
    return save_names(&w, path, name, names, count);
}

static ks_code list_trained(ks_trained *out, writing *w) {
    ks_slots slots;
    ks_code code;
    for (size_t i = 0; i < w->legacy.n_layers; i++)
        KS_TRY(name_object(w, w->legacy.layers[i], NULL));
    name_variables(w, w->legacy.root->trainable_variables, w->legacy.root->name);
    KS_TRY(ks_legacy_trained(&slots, &w->legacy));
    KS_TRY(make_unique(w, &slots));
    out->variables = ks_arena_get(w->arena, slots.count + 1, sizeof(ks_variable *));
    out->names = ks_arena_get(w->arena, slots.count + 1, sizeof(char *));
    if (!out->variables || !out->names)
        return failed(w);
    for (size_t i = 0; i < slots.count; i++) {
        const char *path = slots.items[i]->path;
        out->variables[i] = slots.items[i]->variable;
        out->names[i] = ks_arena_format(w->arena, "%.*s", (int)(strlen(path) - 2), path); // without ":0"
    }
    out->count = slots.count;
    code = failed(w);
done:
    return code;
}

ks_code ks_weights_trained(ks_trained *out, ks_weight_map *map, ks_context *context, ks_arena *arena,
                           ks_writer writer) {
    writing w = {.context = context, .arena = arena};
    kept *list = keep_slots(arena, map);
    ks_code code;
    memset(out, 0, sizeof *out);
    if (!list)
        return context->error.code;
    KS_TRY(ks_legacy_init(&w.legacy, context, arena, map, writer));
    KS_TRY(list_trained(out, &w));
done:
    put_back(list, map);
    return code;
}

ks_code ks_weights_write_legacy(ks_weight_map *map, ks_context *context, ks_arena *arena, ks_hdf5_writer *writer,
                                const char *group, const char *keras_version, const char *backend) {
    writing w = {.context = context, .arena = arena, .writer = writer, .group = group};
    kept *list = keep_slots(arena, map);
    ks_code code;
    if (!list)
        return context->error.code;
    KS_TRY(ks_legacy_init(&w.legacy, context, arena, map, KS_WRITER_TF_KERAS));
    KS_TRY(write_all(&w, keras_version, backend));
done:
    put_back(list, map);
    return code;
}
