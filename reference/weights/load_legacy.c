// SPDX-License-Identifier: Apache-2.0
//
// Matches the groups of the older form with the layers of a model: in order, leaving out those without arrays on either
// side, or by name. Source: Keras 2 saving/hdf5_format.py, Keras 3 legacy/saving/legacy_h5_format.py
// (load_weights_from_hdf5_group, load_weights_from_hdf5_group_by_name).
#include <stdio.h>
#include <string.h>

#include "base/name_table.h"
#include "weights/legacy_internal.h"

/// A layer's group of the file.
typedef struct saved_layer {
    ks_text name;
    const char *path;
    ks_hdf5_node node;
    const ks_text *weight_names;
    size_t n_weights;
} saved_layer;

typedef struct matching {
    ks__load load;
    const ks_legacy_group *group;
    ks_legacy legacy;
    saved_layer *saved;
    size_t n_saved;
} matching;

static const char *join(ks__load *l, const char *path, ks_text name) {
    return ks_arena_format(l->arena, "%s%s%.*s", path, path[0] ? "/" : "", (int)name.size, name.data);
}

static ks_code open_layer(saved_layer *out, matching *m, ks_text name) {
    ks_code code;
    out->name = name;
    out->path = join(&m->load, m->group->path, name);
    if (!out->path)
        return m->load.context->error.code;
    KS_TRY(ks__legacy_find(&out->node, &m->load, m->group->node, m->group->path, name));
    KS_TRY(ks__legacy_names(&out->weight_names, &out->n_weights, &m->load, out->node, out->path, "weight_names"));
done:
    return code;
}

// The layers that the file names; in order of the file only those count that have arrays.
static ks_code open_layers(matching *m) {
    const ks_text *names;
    size_t count;
    ks_code code;
    KS_TRY(ks__legacy_names(&names, &count, &m->load, m->group->node, m->group->path, "layer_names"));
    m->saved = ks_arena_get(m->load.arena, count + 1, sizeof(*m->saved));
    if (!m->saved)
        return m->load.context->error.code;
    for (size_t i = 0; i < count; i++) {
        saved_layer *layer = &m->saved[m->n_saved];
        KS_TRY(open_layer(layer, m, names[i]));
        m->n_saved += layer->n_weights > 0 || m->load.options.by_name;
    }
done:
    return code;
}

// --- one layer ------------------------------------------------------------------------------------------------------

// "kernel" from "dense/kernel:0"
static const char *last_part(ks__load *l, ks_text name) {
    const char *slash = strrchr(name.data, '/'), *start = slash ? slash + 1 : name.data;
    size_t size = strlen(start);
    if (size > 2 && strcmp(start + size - 2, ":0") == 0)
        size -= 2;
    return ks_arena_text(l->arena, start, size).data;
}

static ks_code open_slot(matching *m, ks_slot *slot, const saved_layer *saved, size_t index) {
    ks_code code;
    slot->path = join(&m->load, saved->path, saved->weight_names[index]);
    slot->name = last_part(&m->load, saved->weight_names[index]);
    if (!slot->path || !slot->name)
        return m->load.context->error.code;
    KS_TRY(ks__legacy_find(&slot->dataset, &m->load, saved->node, saved->path, saved->weight_names[index]));
    KS_TRY(ks__dataset_type(&slot->type, &m->load, slot->dataset, slot->path));
    slot->present = true;
    slot->data = NULL;
done:
    return code;
}

static ks_code note(matching *m, const ks_object *layer, const char *source, const char *reason) {
    return ks__weights_note(&m->load, layer, NULL, source, reason);
}

static ks_code wrong_count(matching *m, const ks_object *layer, const saved_layer *saved, size_t expected) {
    if (m->load.options.skip_mismatch && m->load.options.by_name)
        return note(m, layer, saved->path, "another number of weights");
    return ks__weights_fail(&m->load, KS_E_WEIGHTS_COUNT, saved->path,
                            "%.60s \"%.60s\" expects %zu weights, the file's \"%.60s\" has %zu", layer->row->name,
                            layer->name, expected, saved->name.data, saved->n_weights);
}

static ks_code load_slots(matching *m, const ks_object *layer, const ks_slots *slots, const saved_layer *saved) {
    ks_code code = KS_OK;
    if (slots->count != saved->n_weights)
        return wrong_count(m, layer, saved, slots->count);
    for (size_t i = 0; i < slots->count; i++)
        KS_TRY(open_slot(m, slots->items[i], saved, i));
    KS_TRY(ks__legacy_convert(&m->load, m->group, slots));
done:
    return code;
}

static ks_code load_layer(matching *m, ks_object *layer, const saved_layer *saved) {
    ks_slots slots;
    ks_code code;
    layer->group = saved->path;
    KS_TRY(ks_legacy_stored(&slots, &m->legacy, layer));
    KS_TRY(load_slots(m, layer, &slots, saved));
done:
    return code;
}

// --- in order -------------------------------------------------------------------------------------------------------

static ks_code load_in_order(matching *m) {
    ks_object **layers = ks_arena_get(m->load.arena, m->legacy.n_layers + 1, sizeof(ks_object *));
    size_t count = 0;
    ks_slots slots;
    ks_code code = KS_OK;
    if (!layers)
        return m->load.context->error.code;
    for (size_t i = 0; i < m->legacy.n_layers; i++) {
        KS_TRY(ks_legacy_stored(&slots, &m->legacy, m->legacy.layers[i]));
        if (slots.count)
            layers[count++] = m->legacy.layers[i];
    }
    if (count != m->n_saved)
        return ks__weights_fail(&m->load, KS_E_WEIGHTS_LAYERS, m->group->path,
                                "the model has %zu layers with weights, the file %zu", count, m->n_saved);
    for (size_t i = 0; i < count; i++)
        KS_TRY(load_layer(m, layers[i], &m->saved[i]));
done:
    return code;
}

// --- by name --------------------------------------------------------------------------------------------------------

static ks_code load_by_name(matching *m) {
    ks_name_table names;
    ks_code code;
    KS_TRY(ks_name_table_init(&names, m->load.arena, m->legacy.n_layers));
    for (size_t i = 0; i < m->legacy.n_layers; i++) {
        ks_text name = ks_text_from(m->legacy.layers[i]->name);
        *ks_name_table_place(&names, name) = (ks_named){name, i};
    }
    for (size_t i = 0; i < m->n_saved; i++) {
        const ks_named *place = ks_name_table_place(&names, m->saved[i].name);
        if (place->number == KS_NO_NUMBER)
            KS_TRY(note(m, NULL, m->saved[i].path, "the model has no layer of this name"));
        else
            KS_TRY(load_layer(m, m->legacy.layers[place->number], &m->saved[i]));
    }
done:
    return code;
}

// --- what the model itself owns -------------------------------------------------------------------------------------

static ks_code load_top_level(matching *m) {
    static const char *const name = "top_level_model_weights";
    saved_layer saved = {0};
    ks_hdf5_node node;
    ks_slots slots;
    bool found;
    ks_code code;
    KS_TRY(ks_hdf5_find(&node, &found, m->load.file, m->group->node, name));
    if (!found)
        return KS_OK;
    KS_TRY(open_layer(&saved, m, ks_text_from(name)));
    KS_TRY(ks_legacy_top_level(&slots, &m->legacy));
    KS_TRY(load_slots(m, m->legacy.root, &slots, &saved));
done:
    return code;
}

ks_code ks_weights_list(ks_weight_map *map, ks_context *context, ks_arena *arena, ks_writer writer) {
    ks_legacy legacy;
    ks_slots list;
    ks_code code;
    map->listed = NULL;
    map->n_listed = 0;
    if (writer == KS_WRITER_KERAS3)
        return KS_OK;
    KS_TRY(ks_legacy_init(&legacy, context, arena, map, writer));
    KS_TRY(ks_legacy_listed(&list, &legacy));
    map->listed = list.items;
    map->n_listed = list.count;
done:
    return code;
}

ks_code ks_weights_load_legacy(ks_weight_map *map, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                               const char *document, const ks_legacy_group *group, const ks_weights_options *options) {
    matching m = {.load = {context, arena, file, document, *options}, .group = group};
    ks_slots list;
    ks_code code;
    KS_TRY(ks_legacy_init(&m.legacy, context, arena, map, group->writer));
    KS_TRY(open_layers(&m));
    KS_TRY(options->by_name ? load_by_name(&m) : load_in_order(&m));
    KS_TRY(load_top_level(&m));
    if (options->copy)
        return KS_OK; // the model keeps the list it has
    KS_TRY(ks_legacy_listed(&list, &m.legacy));
    map->listed = list.items;
    map->n_listed = list.count;
done:
    return code;
}
