// SPDX-License-Identifier: Apache-2.0
//
// Writes the groups of Keras 3: PATH/vars with datasets "0", "1", … and the attribute `name`, for every object that the
// walk of map.c reaches, also for those without variables. Source: Keras 3.15 saving/saving_lib.py (_save_state,
// H5IOStore, ShardedH5IOStore), layers/layer.py (save_own_variables).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/class.h"
#include "weights/write.h"

#define PATH_ROOM 4096

static ks_code too_long(ks_context *context, const ks_saved_object *saved) {
    return ks_fail(context, KS_E_OVER_SIZE, KS_STAGE_SAVE, KS_NO_OFFSET, saved->path, "a path is longer than %d bytes",
                   PATH_ROOM);
}

size_t ks_weights_count_own(const ks_object *object) {
    size_t count = 0;
    for (const ks_variable *v = object->trainable_variables; v; v = v->next)
        count++;
    for (const ks_variable *v = object->other_variables; v; v = v->next)
        count++;
    for (const ks_variable *v = object->kept_variables; v; v = v->next)
        count++;
    return count;
}

static const ks_variable *own_variable(const ks_object *object, size_t index) {
    const ks_variable *lists[] = {object->trainable_variables, object->other_variables, object->kept_variables};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        for (const ks_variable *v = lists[i]; v; v = v->next)
            if (index-- == 0)
                return v;
    return NULL;
}

ks_code ks_weights_tensor(ks_tensor *out, ks_context *context, const ks_variable *variable, const char *place) {
    uint64_t elements = 0;
    if (!ks_shape_elements(&variable->shape, &elements))
        return ks_fail(context, KS_E_INTERNAL, KS_STAGE_SAVE, KS_NO_OFFSET, place, "a variable without a size");
    *out = (ks_tensor){variable->dtype, variable->shape, variable->data,
                       (size_t)elements * ks_dtype_size(variable->dtype)};
    if (!variable->data && elements > 0)
        return ks_fail(context, KS_E_SAVE_NO_WEIGHTS, KS_STAGE_SAVE, KS_NO_OFFSET, place,
                       "the variable \"%s\" of \"%s\" was never loaded", variable->name, variable->owner->name);
    return KS_OK;
}

static ks_code check_size(ks_context *context, const ks_variable *variable) {
    return variable->open_ended && !variable->key
               ? ks_fail(context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, variable->owner->place,
                         "a \"%s\" that %s was adapted to is not loaded from a file of this form", variable->name,
                         variable->owner->row->name)
               : KS_OK;
}

static ks_code open_group(char *group, ks_hdf5_writer *writer, ks_context *context, const ks_saved_object *saved,
                          bool named) {
    ks_code code;
    int size = snprintf(group, PATH_ROOM, "%s%svars", saved->path, saved->path[0] ? "/" : "");
    if (size < 0 || size >= PATH_ROOM - 24)
        return too_long(context, saved);
    KS_TRY(ks_hdf5_writer_group(writer, group));
    if (named && saved->object->name)
        KS_TRY(ks_hdf5_writer_text(writer, group, "name", ks_text_from(saved->object->name)));
done:
    return code;
}

static ks_code no_room(ks_context *context, const char *path, const ks_tensor *tensor, uint64_t room) {
    return ks_fail(context, KS_E_SAVE_SHARD, KS_STAGE_SAVE, KS_NO_OFFSET, path,
                   "a variable of %zu bytes does not fit into a shard of %llu", tensor->size, (unsigned long long)room);
}

ks_code ks_weights_write_v3(const ks_weight_map *map, ks_context *context, ks_hdf5_writer *writer,
                            ks_weights_cursor *cursor, uint64_t room, uint64_t *used) {
    char path[PATH_ROOM];
    ks_code code = KS_OK;
    *used = 0;
    for (; cursor->object < map->n_objects; cursor->object++, cursor->variable = 0) {
        const ks_saved_object *saved = &map->objects[cursor->object];
        size_t count = ks_weights_count_own(saved->object);
        if (saved->object->row->kind == KS_KIND_OPERATION) // a layer in the graphs of Keras 2 only
            continue;
        // The group is named where it begins; the rest of it, in a new shard, has no name.
        KS_TRY(open_group(path, writer, context, saved, cursor->variable == 0));
        size_t group_size = strlen(path);
        for (; cursor->variable < count; cursor->variable++) {
            ks_tensor tensor;
            const ks_variable *variable = own_variable(saved->object, cursor->variable);
            if (variable->key)
                snprintf(path + group_size, PATH_ROOM - group_size, "/%s", variable->key);
            else
                snprintf(path + group_size, PATH_ROOM - group_size, "/%zu", cursor->variable);
            KS_TRY(check_size(context, variable));
            KS_TRY(ks_weights_tensor(&tensor, context, variable, path));
            if (room && tensor.size > room)
                return no_room(context, path, &tensor, room);
            if (room && *used + tensor.size > room)
                return KS_OK;
            KS_TRY(ks_hdf5_writer_dataset(writer, path, &tensor));
            *used += tensor.size;
        }
    }
done:
    return code;
}

bool ks_weights_at_end(const ks_weight_map *map, const ks_weights_cursor *cursor) {
    return cursor->object >= map->n_objects;
}
