// SPDX-License-Identifier: Apache-2.0
//
// Reads everything that hard links reach from the root, so that every checksum on the way is verified: object headers,
// trees, heaps, chunk indexes, and what the filters of chunks carry. Elements without a checksum are not touched.
//
// The walk keeps its own list of nodes: a file may nest groups deeper than a stack.
#include "container/hdf5_internal.h"

typedef struct walk {
    ks__h5 *self;
    ks__h5_set seen;
    ks__h5_set nodes;      ///< of trees
    ks_hdf5_node *waiting; ///< a stack
    size_t count;
    size_t capacity;
} walk;

static ks_code push(walk *w, ks_hdf5_node node) {
    ks_context *context = w->self->base.context;
    bool added = false;
    ks_code code = ks__h5_set_add(&added, &w->seen, context, node);
    if (code != KS_OK || !added)
        return code;
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 64;
        ks_hdf5_node *larger = ks_allocate(context, capacity, sizeof *larger);
        if (!larger)
            return context->error.code;
        if (w->count)
            memcpy(larger, w->waiting, w->count * sizeof *larger);
        ks_free(context, w->waiting);
        w->waiting = larger;
        w->capacity = capacity;
    }
    w->waiting[w->count++] = node;
    return KS_OK;
}

static ks_code verify_attributes(ks_hdf5 *file, ks_hdf5_node node) {
    const ks_text *names = NULL;
    size_t count = 0;
    ks_code code = ks__h5_attributes(&names, &count, file, node);
    for (size_t i = 0; i < count && code == KS_OK; i++) {
        ks_hdf5_type type;
        bool found = false;
        code = ks__h5_attribute(&type, &found, file, node, names[i].data);
    }
    return code;
}

static ks_code verify_object(walk *w, ks_hdf5_node node) {
    ks_hdf5 *file = &w->self->base;
    ks__h5_object *object = NULL;
    ks_hdf5_object_type kind = KS_HDF5_GROUP;
    ks_code code = verify_attributes(file, node);
    if (code == KS_OK)
        code = ks__h5_object_get(&object, w->self, node);
    if (code == KS_OK)
        code = ks__h5_attributes_verify(w->self, object);
    if (code == KS_OK)
        code = ks__h5_object_type(&kind, w->self, object);
    if (code != KS_OK || kind == KS_HDF5_NAMED_TYPE)
        return code;
    if (kind == KS_HDF5_DATASET) {
        ks_hdf5_type type;
        return ks__h5_dataset_verify(&type, w->self, node);
    }
    const ks_hdf5_link *links = NULL;
    size_t count = 0;
    code = ks__h5_group_verify(w->self, object);
    if (code == KS_OK)
        code = file->ops->links(&links, &count, file, node);
    for (size_t i = 0; i < count && code == KS_OK; i++)
        if (links[i].type == KS_LINK_HARD)
            code = push(w, links[i].node);
    return code;
}

ks_code ks__h5_verify(ks_hdf5 *file) {
    walk w = {.self = (ks__h5 *)file};
    ks_code code = push(&w, w.self->root);
    w.self->nodes = &w.nodes;
    while (w.count > 0 && code == KS_OK)
        code = verify_object(&w, w.waiting[--w.count]);
    ks_free(file->context, w.waiting);
    w.self->nodes = NULL;
    ks__h5_set_free(&w.nodes, file->context);
    ks__h5_set_free(&w.seen, file->context);
    return code;
}
