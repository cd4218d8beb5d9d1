// SPDX-License-Identifier: Apache-2.0
//
// Source: Keras 2 saving/hdf5_format.py (load_optimizer_weights_from_hdf5_group), Keras 3 optimizers/base_optimizer.py
// (load_own_variables).
#include "weights/optimizer.h"

#include <stdio.h>
#include <string.h>

#include "weights/legacy_internal.h"

static ks_code add(ks_optimizer_weights *out, ks__load *l, ks_hdf5_node group, const char *group_path, ks_text name) {
    ks_optimizer_weight *weight = &out->items[out->count];
    ks_code code;
    weight->name = name.data;
    weight->path = ks_arena_format(l->arena, "%s/%s", group_path, name.data);
    if (!weight->path)
        return l->context->error.code;
    KS_TRY(ks__legacy_find(&weight->dataset, l, group, group_path, name));
    KS_TRY(ks__dataset_type(&weight->type, l, weight->dataset, weight->path));
    out->count++;
done:
    return code;
}

static ks_code make_room(ks_optimizer_weights *out, ks__load *l, size_t count) {
    out->items = ks_arena_get(l->arena, count + 1, sizeof(*out->items));
    return out->items ? KS_OK : l->context->error.code;
}

static ks_code list_older(ks_optimizer_weights *out, ks__load *l, ks_hdf5_node group) {
    const ks_text *names;
    size_t count;
    ks_code code;
    KS_TRY(ks__legacy_names(&names, &count, l, group, "optimizer_weights", "weight_names"));
    KS_TRY(make_room(out, l, count));
    for (size_t i = 0; i < count; i++)
        KS_TRY(add(out, l, group, "optimizer_weights", names[i]));
done:
    return code;
}

// Links come sorted by their bytes ("10" before "2"); the numbers have no gaps.
static ks_code list_numbered(ks_optimizer_weights *out, ks__load *l, ks_hdf5_node group) {
    const ks_hdf5_link *links;
    size_t count;
    ks_code code;
    KS_TRY(ks_hdf5_links(&links, &count, l->file, group));
    KS_TRY(make_room(out, l, count));
    for (size_t i = 0; i < count; i++) {
        const char *number = ks_arena_format(l->arena, "%zu", i);
        if (!number)
            return l->context->error.code;
        KS_TRY(add(out, l, group, "optimizer/vars", ks_text_from(number)));
    }
done:
    return code;
}

ks_code ks_optimizer_weights_list(ks_optimizer_weights *out, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                                  const char *document) {
    ks__load l = {.context = context, .arena = arena, .file = file, .document = document};
    ks_hdf5_node group;
    bool found;
    ks_code code;
    memset(out, 0, sizeof(*out));
    KS_TRY(ks_hdf5_find(&group, &found, file, ks_hdf5_root(file), "optimizer_weights"));
    if (found)
        return list_older(out, &l, group);
    KS_TRY(ks_hdf5_find(&group, &found, file, ks_hdf5_root(file), "optimizer/vars"));
    if (found)
        return list_numbered(out, &l, group);
done:
    return code;
}

ks_code ks_optimizer_weight_read(ks_tensor *out, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                                 const char *document, const ks_optimizer_weight *weight) {
    ks__load l = {.context = context, .arena = arena, .file = file, .document = document};
    uint64_t elements = 0;
    ks_code code;
    *out = (ks_tensor){.dtype = weight->type.dtype, .shape = weight->type.shape};
    KS_TRY(ks__dataset_read(&out->data, &l, weight->dataset, &weight->type, weight->type.dtype, weight->path));
    ks_shape_elements(&out->shape, &elements);
    out->size = (size_t)elements * ks_dtype_size(out->dtype);
done:
    return code;
}
