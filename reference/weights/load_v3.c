// SPDX-License-Identifier: Apache-2.0
//
// Loads the variables of each object from its group PATH/vars. As Keras: the group's members must be as many as the
// object's variables, shapes equal; another number type is cast. Of sharded weights a group may have parts in several
// files, which count together. Source: Keras 3 layers/layer.py (load_own_variables), saving/saving_lib.py (_load_state,
// H5IOStore, ShardedH5IOStore).
#include <string.h>

#include "base/cast.h"
#include "weights/weights_internal.h"

#define MAX_PARTS 64

/// An object's group, one part for each file that has it.
typedef struct group {
    const char *path;
    struct {
        ks_hdf5 *file;
        ks_hdf5_node node;
    } parts[MAX_PARTS];
    size_t n_parts;
    size_t n_members;
} group;

static size_t count_variables(const ks_object *object) {
    size_t count = 0;
    for (const ks_variable *v = object->trainable_variables; v; v = v->next)
        count++;
    for (const ks_variable *v = object->other_variables; v; v = v->next)
        count++;
    for (const ks_variable *v = object->kept_variables; v; v = v->next)
        count++;
    return count;
}

// --- one dataset ----------------------------------------------------------------------------------------------------

// `*fits` is false, with KS_OK, when the shape differs and mismatches are skipped.
static ks_code load_variable(bool *fits, ks__load *l, ks_variable *v, ks_hdf5_node dataset) {
    ks_hdf5_type type;
    const void *data;
    ks_code code;
    if (v->open_ended && !v->key) // Keras 2 loads it and goes on as if it had not
        return ks_fail(l->context, KS_E_CONFIG_UNSUPPORTED_VALUE, KS_STAGE_WEIGHTS, KS_NO_OFFSET, v->owner->place,
                       "a \"%s\" in a file of this form cannot be run by this reference", v->name);
    KS_TRY(ks__dataset_type(&type, l, dataset, v->path));
    *fits = !type.null_dataspace && (v->open_ended ? type.shape.rank == 1 : ks_shape_equal(&type.shape, &v->shape));
    if (!*fits)
        return l->options.skip_mismatch ? ks__weights_note(l, v->owner, v, v->path, "another shape")
                                        : ks__shape_mismatch(l, v, &type, v->path);
    if (!l->options.check) {
        KS_TRY(ks__dataset_read(&data, l, dataset, &type, v->dtype, v->path));
        v->shape = type.shape;
        ks__set_data(v, data);
    }
    KS_TRY(ks__weights_note(l, v->owner, v, v->path, NULL));
done:
    return code;
}

static ks_code find_dataset(ks_hdf5_node *out, ks__load *l, const group *g, const ks_variable *v) {
    const char *name = strrchr(v->path, '/') + 1;
    bool found = false;
    ks_code code = KS_OK;
    for (size_t i = 0; i < g->n_parts && !found; i++) {
        l->file = g->parts[i].file;
        KS_TRY(ks_hdf5_find(out, &found, l->file, g->parts[i].node, name));
    }
    if (!found)
        return ks__weights_fail(l, KS_E_WEIGHTS_MISSING, v->path, "the file has no such dataset");
done:
    return code;
}

// As Keras: the first variable that does not fit ends the object.
static ks_code load_list(bool *fits, ks__load *l, ks_variable *first, const group *g) {
    ks_code code = KS_OK;
    for (ks_variable *v = first; v && *fits; v = v->next) {
        ks_hdf5_node dataset;
        KS_TRY(find_dataset(&dataset, l, g, v));
        KS_TRY(load_variable(fits, l, v, dataset));
    }
done:
    return code;
}

// --- one object -----------------------------------------------------------------------------------------------------

static void rename_variables(ks__load *l, ks_variable *first, const char *path) {
    for (ks_variable *v = first; v; v = v->next)
        v->path = ks_arena_format(l->arena, "%s/%s", path, strrchr(v->path, '/') + 1);
}

static ks_code open_group(group *g, ks__load *l, const ks_weights_store *store, const char *path) {
    ks_hdf5 *const *files;
    const ks_hdf5_link *links;
    size_t n_files, n_links;
    ks_code code;
    g->path = path;
    g->n_parts = g->n_members = 0;
    if (!path)
        return l->context->error.code;
    KS_TRY(store->find(&files, &n_files, store->argument, path));
    if (n_files > MAX_PARTS)
        return ks__weights_fail(l, KS_E_WEIGHTS_TOO_LARGE, path, "an object in more than %d files", MAX_PARTS);
    for (size_t i = 0; i < n_files; i++) {
        ks_hdf5_node node;
        bool found;
        KS_TRY(ks_hdf5_find(&node, &found, files[i], ks_hdf5_root(files[i]), path));
        if (!found)
            continue;
        KS_TRY(ks_hdf5_links(&links, &n_links, files[i], node));
        g->parts[g->n_parts].file = files[i];
        g->parts[g->n_parts++].node = node;
        g->n_members += n_links;
    }
done:
    return code;
}

// Until 3.0.2 some attributes were private: "_query_dense" for what is "query_dense" now (formats of
// MultiHeadAttention).
static ks_code find_former_name(group *g, ks__load *l, const ks_weights_store *store, const ks_saved_object *saved) {
    const char *slash = strrchr(saved->path, '/'), *path = g->path;
    const char *former =
        slash ? ks_arena_format(l->arena, "%.*s/_%s/vars", (int)(slash - saved->path), saved->path, slash + 1)
              : ks_arena_format(l->arena, "_%s/vars", saved->path);
    ks_code code;
    KS_TRY(open_group(g, l, store, former));
    if (g->n_parts == 0) {
        g->path = path;
        return KS_OK;
    }
    rename_variables(l, saved->object->trainable_variables, former);
    rename_variables(l, saved->object->other_variables, former);
    rename_variables(l, saved->object->kept_variables, former);
done:
    return code;
}

static ks_code load_object(ks__load *l, const ks_weights_store *store, const ks_saved_object *saved) {
    size_t expected = count_variables(saved->object);
    bool fits = true;
    group g;
    ks_code code;
    KS_TRY(open_group(&g, l, store, ks_arena_path(l->arena, saved->path, "vars")));
    if (g.n_parts == 0 && expected && saved->path[0])
        KS_TRY(find_former_name(&g, l, store, saved));
    if (g.n_members != expected && l->options.skip_mismatch)
        return ks__weights_note(l, saved->object, NULL, g.path, "another number of variables");
    if (g.n_members != expected)
        return ks__weights_fail(l, g.n_members ? KS_E_WEIGHTS_COUNT : KS_E_WEIGHTS_MISSING, g.path,
                                "%.60s \"%.60s\" expected %zu variables, the file has %zu", saved->object->row->name,
                                saved->object->name, expected, g.n_members);
    KS_TRY(load_list(&fits, l, saved->object->trainable_variables, &g));
    KS_TRY(load_list(&fits, l, saved->object->other_variables, &g));
    KS_TRY(load_list(&fits, l, saved->object->kept_variables, &g));
done:
    return code;
}

ks_code ks_weights_load_store(const ks_weight_map *map, ks_context *context, ks_arena *arena,
                              const ks_weights_store *store, const char *document, const ks_weights_options *options) {
    ks__load l = {context, arena, NULL, document, *options};
    ks_code code = KS_OK;
    for (size_t i = 0; i < map->n_objects; i++)
        KS_TRY(load_object(&l, store, &map->objects[i]));
done:
    return code;
}

static ks_code only_file(ks_hdf5 *const **out, size_t *count, void *argument, const char *path) {
    (void)path;
    *out = argument;
    *count = 1;
    return KS_OK;
}

ks_code ks_weights_load_v3(const ks_weight_map *map, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                           const char *document, const ks_weights_options *options) {
    ks_weights_store store = {only_file, &file};
    return ks_weights_load_store(map, context, arena, &store, document, options);
}

// --- names of Keras 2 -----------------------------------------------------------------------------------------------

static ks_code has_all_groups(bool *out, ks_context *context, ks_arena *arena, const ks_weight_map *map,
                              ks_hdf5 *file) {
    ks_code code = KS_OK;
    *out = true;
    for (size_t i = 0; i < map->n_objects && *out; i++) {
        const ks_saved_object *saved = &map->objects[i];
        ks_hdf5_node node;
        const char *path;
        if (!count_variables(saved->object))
            continue;
        path = ks_arena_format(arena, "%s%svars", saved->path, saved->path[0] ? "/" : "");
        if (!path)
            return context->error.code;
        KS_TRY(ks_hdf5_find(&node, out, file, ks_hdf5_root(file), path));
    }
done:
    return code;
}

ks_code ks_weights_naming(ks_naming *out, ks_context *context, ks_arena *arena, ks_weight_map *map, ks_hdf5 *file,
                          const char *keras_version, bool older) {
    ks_weight_map twice;
    ks_hdf5_node node;
    bool found, all;
    ks_code code;
    *out = older ? KS_NAMES_KERAS2 : KS_NAMES_KERAS3;
    KS_TRY(ks_hdf5_find(&node, &found, file, ks_hdf5_root(file), "_layer_checkpoint_dependencies"));
    if (!found)
        return KS_OK;
    *out = KS_NAMES_DEPENDENCIES;
    if (strncmp(keras_version, "2.14", 4) == 0)
        return KS_OK;
    KS_TRY(ks_weights_map_as(&twice, context, arena, map, KS_NAMES_DEPENDENCIES_TWICE));
    KS_TRY(has_all_groups(&all, context, arena, &twice, file));
    if (all)
        *out = KS_NAMES_DEPENDENCIES_TWICE;
done:
    return code;
}

static ks_code prepare(ks_variable *v, ks_context *context, ks_arena *arena, bool as_double) {
    ks_dtype wanted = as_double ? KS_FLOAT64 : KS_FLOAT32;
    uint64_t elements;
    void *cast;
    if (v->real[as_double])
        return KS_OK;
    if (!v->data)
        return ks_fail(context, KS_E_WEIGHTS_MISSING, KS_STAGE_RUN, KS_NO_OFFSET, v->path,
                       "the variable \"%s\" of \"%s\" was never loaded", v->name, v->owner->name);
    if (v->dtype == wanted) {
        v->real[as_double] = v->data;
        return KS_OK;
    }
    if (!ks_shape_elements(&v->shape, &elements))
        return ks_fail(context, KS_E_INTERNAL, KS_STAGE_RUN, KS_NO_OFFSET, v->path, "a variable without a size");
    cast = ks_arena_get(arena, (size_t)elements + 1, ks_dtype_size(wanted));
    if (!cast)
        return context->error.code;
    ks_cast(cast, wanted, v->data, v->dtype, (size_t)elements);
    v->real[as_double] = cast;
    return KS_OK;
}

ks_code ks_weights_prepare(const ks_weight_map *map, ks_context *context, ks_arena *arena, bool as_double) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < map->n_variables; i++)
        KS_TRY(prepare(map->variables[i], context, arena, as_double));
    for (size_t i = 0; i < map->n_kept; i++)
        KS_TRY(prepare(map->kept[i], context, arena, as_double));
done:
    return code;
}
