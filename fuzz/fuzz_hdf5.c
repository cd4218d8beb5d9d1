// SPDX-License-Identifier: Apache-2.0
//
// The strict HDF5 reader over everything that a file has: links, attributes, datasets, texts, checksums. Asserts the
// memory budget, that failures are recorded as they are returned, and that two ways to the same thing agree: a name
// that is listed is found, a view has the bytes that reading gives.
#include "common/fuzz_common.h"
#include "common/hdf5_mutator.h"

#include <kassay/hdf5.h>

#include <stdint.h>
#include <string.h>

#define MAX_OBJECTS 400
#define MAX_DATA ((uint64_t)1 << 22) ///< bytes of elements read from one dataset

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

typedef struct walk {
    ks_hdf5 *file;
    ks_context *context;
    size_t size; ///< of the input
    ks_hdf5_node waiting[MAX_OBJECTS];
    size_t n_seen; ///< waiting or done
    size_t n_done;
} walk;

/// True when `code` is a success; a failure is checked and forgotten, so that the walk goes on behind it.
static bool succeeded(walk *w, ks_code code) {
    ks_fuzz_check_error(w->context, code, w->size);
    ks_context_clear(w->context);
    return code == KS_OK;
}

static void push(walk *w, ks_hdf5_node node) {
    for (size_t i = 0; i < w->n_seen; i++)
        if (w->waiting[i] == node)
            return;
    if (w->n_seen < MAX_OBJECTS)
        w->waiting[w->n_seen++] = node;
}

static void check_texts(const ks_text *texts, size_t count) {
    for (size_t i = 0; i < count; i++)
        ks_fuzz_assert(texts[i].data[texts[i].size] == 0);
}

/// The size of all elements, or false when they are not numbers or too many.
static bool data_size(uint64_t *out, const ks_hdf5_type *type) {
    uint64_t elements = 0;
    if (type->null_dataspace || type->dtype == KS_DTYPE_NONE || type->dtype == KS_STRING)
        return false;
    ks_fuzz_assert(ks_shape_elements(&type->shape, &elements));
    *out = elements * ks_dtype_size(type->dtype);
    return elements <= MAX_DATA && *out <= MAX_DATA;
}

static void read_dataset(walk *w, ks_hdf5_node node, const ks_hdf5_type *type) {
    uint64_t size = 0;
    const ks_text *texts = NULL;
    size_t count = 0;
    if (type->dtype == KS_STRING && succeeded(w, ks_hdf5_read_text(&texts, &count, w->file, node)))
        check_texts(texts, count);
    if (!data_size(&size, type))
        return;
    uint8_t *data = ks_allocate(w->context, (size_t)size, 1);
    if (data && succeeded(w, ks_hdf5_read(data, (size_t)size, w->file, node)) && type->native_view) {
        ks_bytes view = {NULL, 0};
        ks_fuzz_assert(succeeded(w, ks_hdf5_view(&view, w->file, node)));
        ks_fuzz_assert(view.size == size && (size == 0 || memcmp(view.data, data, (size_t)size) == 0));
    }
    ks_context_clear(w->context);
    ks_free(w->context, data);
}

static void read_attribute(walk *w, ks_hdf5_node node, const char *name) {
    ks_hdf5_type type;
    bool found = false;
    uint64_t size = 0;
    const ks_text *texts = NULL;
    size_t count = 0;
    if (!succeeded(w, ks_hdf5_attribute(&type, &found, w->file, node, name)))
        return;
    ks_fuzz_assert(found);
    if (type.dtype == KS_STRING && succeeded(w, ks_hdf5_attribute_text(&texts, &count, w->file, node, name)))
        check_texts(texts, count);
    if (!data_size(&size, &type))
        return;
    uint8_t *data = ks_allocate(w->context, (size_t)size, 1);
    if (data)
        ks_fuzz_assert(succeeded(w, ks_hdf5_attribute_read(data, (size_t)size, w->file, node, name)));
    ks_context_clear(w->context);
    ks_free(w->context, data);
}

static void walk_attributes(walk *w, ks_hdf5_node node) {
    const ks_text *names = NULL;
    size_t count = 0;
    ks_hdf5_type type;
    bool found = false;
    (void)succeeded(w, ks_hdf5_attribute(&type, &found, w->file, node, "dtype")); // before they are listed
    if (!succeeded(w, ks_hdf5_attributes(&names, &count, w->file, node)))
        return;
    check_texts(names, count);
    for (size_t i = 0; i < count; i++) {
        ks_fuzz_assert(i == 0 || strcmp(names[i - 1].data, names[i].data) < 0);
        if (i < 64)
            read_attribute(w, node, names[i].data);
    }
}

static void walk_group(walk *w, ks_hdf5_node node) {
    const ks_hdf5_link *links = NULL;
    size_t count = 0;
    ks_hdf5_node found_node = 0;
    bool found = false;
    (void)succeeded(w, ks_hdf5_find(&found_node, &found, w->file, node, "vars/0")); // before the links are listed
    if (!succeeded(w, ks_hdf5_links(&links, &count, w->file, node)))
        return;
    for (size_t i = 0; i < count; i++) {
        ks_fuzz_assert(links[i].name.data[links[i].name.size] == 0);
        ks_fuzz_assert(i == 0 || strcmp(links[i - 1].name.data, links[i].name.data) < 0);
        if (links[i].type != KS_LINK_HARD)
            continue;
        push(w, links[i].node);
        ks_fuzz_assert(succeeded(w, ks_hdf5_find(&found_node, &found, w->file, node, links[i].name.data)));
        ks_fuzz_assert(found && found_node == links[i].node);
    }
}

static void walk_object(walk *w, ks_hdf5_node node) {
    ks_hdf5_object_type kind = KS_HDF5_GROUP;
    ks_hdf5_type type;
    walk_attributes(w, node);
    if (!succeeded(w, ks_hdf5_object(&kind, w->file, node)))
        return;
    if (kind == KS_HDF5_GROUP)
        walk_group(w, node);
    else if (kind == KS_HDF5_DATASET && succeeded(w, ks_hdf5_dataset(&type, w->file, node)))
        read_dataset(w, node, &type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static walk w;
    ks_context context;
    ks_fuzz_begin(&context, size);
    memset(&w, 0, sizeof w);
    w.context = &context;
    w.size = size;
    ks_code code = ks_hdf5_open(&w.file, &context, (ks_bytes){data, size}, KS_ROAD_STRICT);
    ks_fuzz_assert((code == KS_OK) == (w.file != NULL));
    if (succeeded(&w, code)) {
        push(&w, ks_hdf5_root(w.file));
        while (w.n_done < w.n_seen)
            walk_object(&w, w.waiting[w.n_done++]);
        (void)succeeded(&w, ks_hdf5_verify(w.file));
        ks_hdf5_close(w.file);
    }
    ks_fuzz_end(&context, size);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    return ks_fuzz_hdf5_mutate(data, size, max_size, seed);
}
