// SPDX-License-Identifier: Apache-2.0
//
// Reads everything that hard links reach from the root, so that libhdf5 verifies each checksum on the way. The walk
// keeps its own list of nodes: a file may nest groups deeper than a stack.
#include "container/library/libhdf5_internal.h"

#include "base/checked.h"

typedef struct walk_item {
    struct walk_item *next;
    ks_hdf5_node node;
} walk_item;

typedef struct walk {
    ks_arena arena; ///< lives as long as the walk
    ks__node_table seen;
    walk_item *waiting;
    uint64_t count;
} walk;

static ks_code wait_for(walk *state, ks_context *context, ks_hdf5_node node) {
    if (ks__node_find(&state->seen, node))
        return KS_OK;
    if (state->count++ >= context->limits.hdf5_objects)
        return ks_fail(context, KS_E_OVER_COUNT, KS_STAGE_HDF5, KS_NO_OFFSET, NULL, "more objects than the limit %llu",
                       (unsigned long long)context->limits.hdf5_objects);
    walk_item *item = ks_arena_get(&state->arena, 1, sizeof *item);
    if (!item || !ks__node_add(&state->seen, &state->arena, node))
        return context->error.code;
    item->node = node;
    item->next = state->waiting;
    state->waiting = item;
    return KS_OK;
}

static ks_code verify_links(walk *state, ks_hdf5 *file, ks_hdf5_node node) {
    const ks_hdf5_link *links = NULL;
    size_t count = 0;
    ks_code code = file->ops->links(&links, &count, file, node);
    for (size_t i = 0; i < count && code == KS_OK; i++)
        if (links[i].type == KS_LINK_HARD)
            code = wait_for(state, file->context, links[i].node);
    return code;
}

static ks_code verify_numbers(ks_hdf5 *file, ks_hdf5_node node, const ks_hdf5_type *type) {
    uint64_t elements = 0;
    uint64_t size = 0;
    if (!ks_shape_elements(&type->shape, &elements) || !ks_mul_u64(elements, ks_dtype_size(type->dtype), &size))
        return ks_fail(file->context, KS_E_OVER_SIZE, KS_STAGE_HDF5, KS_NO_OFFSET, NULL, "too many elements");
    void *data = ks_allocate(file->context, (size_t)size, 1);
    ks_code code = data ? ks__libhdf5_read(data, (size_t)size, file, node) : file->context->error.code;
    ks_free(file->context, data);
    return code;
}

static ks_code verify_object(walk *state, ks_hdf5 *file, ks_hdf5_node node) {
    const ks_text *names = NULL;
    size_t count = 0;
    ks_hdf5_object_type kind = KS_HDF5_GROUP;
    ks_code code = ks__libhdf5_attributes(&names, &count, file, node);
    if (code == KS_OK)
        code = file->ops->object(&kind, file, node);
    if (code != KS_OK || kind == KS_HDF5_NAMED_TYPE)
        return code;
    if (kind == KS_HDF5_GROUP)
        return verify_links(state, file, node);
    ks_hdf5_type type;
    code = ks__libhdf5_dataset(&type, file, node);
    // Contiguous elements have no checksum, and elements of other types are never read.
    if (code != KS_OK || type.null_dataspace || type.offset != KS_NO_OFFSET || type.dtype == KS_DTYPE_NONE)
        return code;
    if (type.dtype == KS_STRING)
        return ks__libhdf5_read_text(&names, &count, file, node);
    return verify_numbers(file, node, &type);
}

ks_code ks__libhdf5_verify(ks_hdf5 *file) {
    walk *state = ks_allocate(file->context, 1, sizeof *state);
    if (!state)
        return file->context->error.code;
    ks_arena_init(&state->arena, file->context);
    ks_code code = wait_for(state, file->context, file->ops->root(file));
    while (state->waiting && code == KS_OK) {
        ks_hdf5_node node = state->waiting->node;
        state->waiting = state->waiting->next;
        code = verify_object(state, file, node);
    }
    ks_arena_fini(&state->arena);
    ks_free(file->context, state);
    return code;
}
