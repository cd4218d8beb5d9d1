// SPDX-License-Identifier: Apache-2.0
//
// Loads the variables of each object from its group PATH/vars. As Keras: the group's members must be as many as the
// object's variables, shapes equal; another number type is cast. Source: Keras 3 layers/layer.py (load_own_variables),
// saving/saving_lib.py (_load_state, H5IOStore).
#include <string.h>

#include "base/cast.h"
#include "weights/weights_internal.h"

static size_t count_variables(const ks_object *object) {
    size_t count = 0;
    for (const ks_variable *v = object->trainable_variables; v; v = v->next)
        count++;
    for (const ks_variable *v = object->other_variables; v; v = v->next)
        count++;
    return count;
}

// --- one dataset ----------------------------------------------------------------------------------------------------

static ks_code load_variable(ks__load *l, ks_variable *v, ks_hdf5_node dataset) {
    ks_hdf5_type type;
    const void *data;
    ks_code code;
    KS_TRY(ks__dataset_type(&type, l, dataset, v->path));
    if (type.null_dataspace || !ks_shape_equal(&type.shape, &v->shape))
        return ks__shape_mismatch(l, v, &type, v->path);
    if (l->options.check)
        return KS_OK;
    KS_TRY(ks__dataset_read(&data, l, dataset, &type, v->dtype, v->path));
    ks__set_data(v, data);
done:
    return code;
}

static ks_code load_list(ks__load *l, ks_variable *first, ks_hdf5_node group) {
    ks_code code = KS_OK;
    for (ks_variable *v = first; v; v = v->next) {
        ks_hdf5_node dataset;
        bool found;
        KS_TRY(ks_hdf5_find(&dataset, &found, l->file, group, strrchr(v->path, '/') + 1));
        if (!found)
            return ks__weights_fail(l, KS_E_WEIGHTS_MISSING, v->path, "the file has no such dataset");
        KS_TRY(load_variable(l, v, dataset));
    }
done:
    return code;
}

// --- one object -----------------------------------------------------------------------------------------------------

static void rename_variables(ks__load *l, ks_variable *first, const char *group) {
    for (ks_variable *v = first; v; v = v->next)
        v->path = ks_arena_format(l->arena, "%s/%s", group, strrchr(v->path, '/') + 1);
}

// Until 3.0.2 some attributes were private: "_query_dense" for what is "query_dense" now (formats of
// MultiHeadAttention).
static ks_code find_former_name(ks__load *l, const ks_saved_object *saved, ks_hdf5_node *group, bool *found,
                                const char **path) {
    const char *slash = strrchr(saved->path, '/');
    const char *former =
        slash ? ks_arena_format(l->arena, "%.*s/_%s/vars", (int)(slash - saved->path), saved->path, slash + 1)
              : ks_arena_format(l->arena, "_%s/vars", saved->path);
    ks_code code;
    if (!former)
        return l->context->error.code;
    KS_TRY(ks_hdf5_find(group, found, l->file, ks_hdf5_root(l->file), former));
    if (!*found)
        return KS_OK;
    *path = former;
    rename_variables(l, saved->object->trainable_variables, former);
    rename_variables(l, saved->object->other_variables, former);
done:
    return code;
}

static ks_code load_object(ks__load *l, const ks_saved_object *saved) {
    size_t expected = count_variables(saved->object), found = 0;
    const char *path = ks_arena_format(l->arena, "%s%svars", saved->path, saved->path[0] ? "/" : "");
    const ks_hdf5_link *links;
    ks_hdf5_node group;
    bool has_group;
    ks_code code;
    if (!path)
        return l->context->error.code;
    KS_TRY(ks_hdf5_find(&group, &has_group, l->file, ks_hdf5_root(l->file), path));
    if (!has_group && expected && saved->path[0])
        KS_TRY(find_former_name(l, saved, &group, &has_group, &path));
    if (has_group)
        KS_TRY(ks_hdf5_links(&links, &found, l->file, group));
    if (found != expected) {
        return ks__weights_fail(l, found ? KS_E_WEIGHTS_COUNT : KS_E_WEIGHTS_MISSING, path,
                                "%.60s \"%.60s\" expected %zu variables, the file has %zu", saved->object->row->name,
                                saved->object->name, expected, found);
    }
    if (!saved->object->built && saved->object->row->build)
        return ks__weights_fail(l, KS_E_WEIGHTS_MISSING, path,
                                "the layer was never built: the file does not say its input's shape");
    KS_TRY(load_list(l, saved->object->trainable_variables, group));
    KS_TRY(load_list(l, saved->object->other_variables, group));
done:
    return code;
}

ks_code ks_weights_load_v3(const ks_weight_map *map, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                           const char *document, const ks_weights_options *options) {
    ks__load l = {context, arena, file, document, *options};
    ks_code code = KS_OK;
    for (size_t i = 0; i < map->n_objects; i++)
        KS_TRY(load_object(&l, &map->objects[i]));
done:
    return code;
}

ks_code ks_weights_prepare(const ks_weight_map *map, ks_context *context, ks_arena *arena, bool as_double) {
    for (size_t i = 0; i < map->n_variables; i++) {
        ks_variable *v = map->variables[i];
        ks_dtype wanted = as_double ? KS_FLOAT64 : KS_FLOAT32;
        uint64_t elements;
        void *cast;
        if (v->real[as_double])
            continue;
        if (!v->data)
            return ks_fail(context, KS_E_WEIGHTS_MISSING, KS_STAGE_RUN, KS_NO_OFFSET, v->path,
                           "the variable \"%s\" of \"%s\" was never loaded", v->name, v->owner->name);
        if (v->dtype == wanted) {
            v->real[as_double] = v->data;
            continue;
        }
        if (!ks_shape_elements(&v->shape, &elements))
            return ks_fail(context, KS_E_INTERNAL, KS_STAGE_RUN, KS_NO_OFFSET, v->path, "a variable without a size");
        cast = ks_arena_get(arena, (size_t)elements + 1, ks_dtype_size(wanted));
        if (!cast)
            return context->error.code;
        ks_cast(cast, wanted, v->data, v->dtype, (size_t)elements);
        v->real[as_double] = cast;
    }
    return KS_OK;
}
