// SPDX-License-Identifier: Apache-2.0
//
// HDF5 files by both roads: the same tree of hard links, the same types, the same bytes of every dataset and attribute.
//
// The strict road walks the whole file first. Only when it accepted everything, libhdf5 sees the file in this process,
// and both walk it side by side.
#include "runner/road_compare_internal.h"

#include "base/arena.h"
#include "base/checked.h"
#include <kassay/library_road.h>
#include <stdio.h>
#include <string.h>

#define BUCKETS 1024

/// An object met on the way, by the node of the road that leads.
typedef struct object {
    struct object *next_in_bucket;
    struct object *next_waiting;
    struct object *parent;
    ks_text name; ///< of the link that led here first
    ks_hdf5_node node;
    ks_hdf5_node other; ///< the same object by the other road
} object;

/// All objects of a file, each once, however many links lead to it.
typedef struct walk {
    ks_arena arena;
    object *buckets[BUCKETS];
    object *waiting;
} walk;

static object *known_object(const walk *state, ks_hdf5_node node) {
    for (object *at = state->buckets[node % BUCKETS]; at; at = at->next_in_bucket)
        if (at->node == node)
            return at;
    return NULL;
}

static object *add_object(walk *state, ks_hdf5_node node, ks_hdf5_node other, object *parent, ks_text name) {
    object *added = ks_arena_get(&state->arena, 1, sizeof *added);
    if (!added)
        return NULL;
    *added = (object){state->buckets[node % BUCKETS], state->waiting, parent, name, node, other};
    state->buckets[node % BUCKETS] = added;
    state->waiting = added;
    return added;
}

static object *take_object(walk *state) {
    object *taken = state->waiting;
    if (taken)
        state->waiting = taken->next_waiting;
    return taken;
}

// --- one road --------------------------------------------------------------------------------------------------------

/// What a dataset or an attribute holds: numbers in `data` (freed by the caller) or texts of the file's own.
typedef struct content {
    ks_hdf5_type type;
    void *data;
    size_t size;
    const ks_text *texts;
    size_t n_texts;
} content;

static bool has_numbers(const ks_hdf5_type *type) {
    return type->dtype != KS_DTYPE_NONE && type->dtype != KS_STRING && !type->null_dataspace;
}

static ks_code make_room(content *out, ks_context *context) {
    uint64_t elements = 0;
    uint64_t size = 0;
    if (!ks_shape_elements(&out->type.shape, &elements) ||
        !ks_mul_u64(elements, ks_dtype_size(out->type.dtype), &size) || size > SIZE_MAX)
        return ks_fail(context, KS_E_OVER_SIZE, KS_STAGE_HDF5, KS_NO_OFFSET, NULL, "more elements than fit in memory");
    out->size = (size_t)size;
    out->data = ks_allocate(context, out->size, 1);
    return out->data ? KS_OK : context->error.code;
}

static ks_code read_dataset(content *out, ks_hdf5 *file, ks_hdf5_node node) {
    memset(out, 0, sizeof *out);
    ks_code code = ks_hdf5_dataset(&out->type, file, node);
    if (code == KS_OK && out->type.dtype == KS_STRING && !out->type.null_dataspace)
        return ks_hdf5_read_text(&out->texts, &out->n_texts, file, node);
    if (code != KS_OK || !has_numbers(&out->type))
        return code;
    code = make_room(out, file->context);
    return code == KS_OK ? ks_hdf5_read(out->data, out->size, file, node) : code;
}

static ks_code read_attribute(content *out, ks_hdf5 *file, ks_hdf5_node node, const char *name) {
    memset(out, 0, sizeof *out);
    bool found = false;
    ks_code code = ks_hdf5_attribute(&out->type, &found, file, node, name);
    if (code == KS_OK && !found)
        return ks_fail(file->context, KS_E_INTERNAL, KS_STAGE_HDF5, KS_NO_OFFSET, name,
                       "an attribute that was listed is not found");
    if (code == KS_OK && out->type.dtype == KS_STRING && !out->type.null_dataspace)
        return ks_hdf5_attribute_text(&out->texts, &out->n_texts, file, node, name);
    if (code != KS_OK || !has_numbers(&out->type))
        return code;
    code = make_room(out, file->context);
    return code == KS_OK ? ks_hdf5_attribute_read(out->data, out->size, file, node, name) : code;
}

static void drop_content(content *held, ks_hdf5 *file) {
    ks_free(file->context, held->data);
    held->data = NULL;
}

static ks_code walk_attributes(ks_hdf5 *file, ks_hdf5_node node) {
    const ks_text *names = NULL;
    size_t count = 0;
    ks_code code = ks_hdf5_attributes(&names, &count, file, node);
    for (size_t i = 0; i < count && code == KS_OK; i++) {
        content held;
        code = read_attribute(&held, file, node, names[i].data);
        drop_content(&held, file);
    }
    return code;
}

static ks_code walk_object(walk *state, ks_hdf5 *file, object *at) {
    ks_hdf5_object_type kind = KS_HDF5_GROUP;
    content held = {.data = NULL};
    const ks_hdf5_link *links = NULL;
    size_t count = 0;
    ks_code code = ks_hdf5_object(&kind, file, at->node);
    if (code == KS_OK)
        code = walk_attributes(file, at->node);
    if (code == KS_OK && kind == KS_HDF5_DATASET)
        code = read_dataset(&held, file, at->node);
    if (code == KS_OK && kind == KS_HDF5_GROUP)
        code = ks_hdf5_links(&links, &count, file, at->node);
    for (size_t i = 0; i < count && code == KS_OK; i++)
        if (links[i].type == KS_LINK_HARD && !known_object(state, links[i].node) &&
            !add_object(state, links[i].node, 0, at, links[i].name))
            code = file->context->error.code;
    drop_content(&held, file);
    return code;
}

static ks_code walk_file(ks_hdf5 *file) {
    walk *state = ks_allocate(file->context, 1, sizeof *state);
    if (!state)
        return file->context->error.code;
    ks_arena_init(&state->arena, file->context);
    ks_code code = ks_hdf5_verify(file);
    if (code == KS_OK && !add_object(state, ks_hdf5_root(file), 0, NULL, (ks_text){"", 0}))
        code = file->context->error.code;
    for (object *at = take_object(state); at && code == KS_OK; at = take_object(state))
        code = walk_object(state, file, at);
    ks_arena_fini(&state->arena);
    ks_free(file->context, state);
    return code;
}

static ks_code walk_hdf5(ks_context *context, ks_bytes bytes, ks_road road) {
    ks_hdf5 *file = NULL;
    ks_code code = ks_hdf5_open(&file, context, bytes, road);
    if (code == KS_OK)
        code = walk_file(file);
    ks_hdf5_close(file);
    return code;
}

// --- both roads ------------------------------------------------------------------------------------------------------

typedef struct pair {
    ks__comparison *comparison;
    ks_hdf5 *strict;
    ks_hdf5 *library;
    walk *state;
} pair;

/// True when the library road did its part. The strict road has done the same before, so its answer is known.
static bool library_did(pair *roads, ks_code code) {
    ks__comparison *self = roads->comparison;
    if (code == KS_OK)
        return true;
    if ((code == KS_E_OVER_MEMORY || code == KS_E_NO_MEMORY) &&
        self->strict.memory.peak * 4 >= self->strict.memory.limit)
        ks__comparison_listed(self, KS_DIFFERENCE_HDF5_MEMORY);
    else
        ks__comparison_differ(self, "the strict road accepts, the library road refuses: %s",
                              self->library.error.message);
    return false;
}

static bool strict_did(pair *roads, ks_code code) {
    if (code == KS_OK)
        return true;
    // Both contents are held at once here; what went well alone may be too much now.
    if (ks_code_verdict(code) != KS_OVER_LIMIT && code != KS_E_NO_MEMORY)
        ks__comparison_differ(roads->comparison, "the strict road refuses what it accepted before: %s",
                              roads->comparison->strict.error.message);
    ks_context_clear(&roads->comparison->strict);
    return false;
}

static void compare_number(pair *roads, const char *what, uint64_t strict, uint64_t library) {
    if (strict != library)
        ks__comparison_differ(roads->comparison, "%s: %llu by the strict road, %llu by the library road", what,
                              (unsigned long long)strict, (unsigned long long)library);
}

static void compare_types(pair *roads, const ks_hdf5_type *a, const ks_hdf5_type *b) {
    compare_number(roads, "class of type", a->type_class, b->type_class);
    compare_number(roads, "dtype", a->dtype, b->dtype);
    if (a->type_class != KS_HDF5_STRING_VARIABLE && a->type_class != KS_HDF5_OTHER)
        compare_number(roads, "element size", a->size, b->size);
    if (a->size > 1)
        compare_number(roads, "big-endian", a->big_endian, b->big_endian);
    compare_number(roads, "null dataspace", a->null_dataspace, b->null_dataspace);
    if (!ks_shape_equal(&a->shape, &b->shape)) {
        char first[200];
        char second[200];
        ks__comparison_differ(roads->comparison, "shape %s by the strict road, %s by the library road",
                              ks_shape_format(&a->shape, first, sizeof first),
                              ks_shape_format(&b->shape, second, sizeof second));
    }
    if (a->offset != KS_NO_OFFSET && b->offset != KS_NO_OFFSET)
        compare_number(roads, "offset", a->offset, b->offset);
}

static void compare_contents(pair *roads, const content *a, const content *b) {
    ks__comparison *self = roads->comparison;
    compare_types(roads, &a->type, &b->type);
    compare_number(roads, "texts", a->n_texts, b->n_texts);
    if (ks__comparison_failed(self))
        return;
    if (a->data && b->data)
        ks__comparison_bytes(self, "elements", (ks_bytes){a->data, a->size}, (ks_bytes){b->data, b->size});
    for (size_t i = 0; i < a->n_texts; i++)
        if (!ks_text_equal(a->texts[i], b->texts[i]))
            ks__comparison_bytes(self, "a text", (ks_bytes){(const uint8_t *)a->texts[i].data, a->texts[i].size},
                                 (ks_bytes){(const uint8_t *)b->texts[i].data, b->texts[i].size});
}

static void compare_views(pair *roads, const object *at, const content *read, const ks_hdf5_type *library) {
    ks_bytes first;
    ks_bytes second;
    if (!read->type.native_view || !read->data || !strict_did(roads, ks_hdf5_view(&first, roads->strict, at->node)))
        return;
    ks__comparison_bytes(roads->comparison, "elements read and viewed", (ks_bytes){read->data, read->size}, first);
    if (library->native_view && library_did(roads, ks_hdf5_view(&second, roads->library, at->other)))
        ks__comparison_bytes(roads->comparison, "view", first, second);
}

static void compare_datasets(pair *roads, const object *at) {
    content first = {.data = NULL};
    content second = {.data = NULL};
    if (strict_did(roads, read_dataset(&first, roads->strict, at->node)) &&
        library_did(roads, read_dataset(&second, roads->library, at->other))) {
        compare_contents(roads, &first, &second);
        if (!ks__comparison_failed(roads->comparison))
            compare_views(roads, at, &first, &second.type);
    }
    drop_content(&first, roads->strict);
    drop_content(&second, roads->library);
}

static void compare_attribute(pair *roads, const object *at, ks_text name) {
    content first = {.data = NULL};
    content second = {.data = NULL};
    if (strict_did(roads, read_attribute(&first, roads->strict, at->node, name.data)) &&
        library_did(roads, read_attribute(&second, roads->library, at->other, name.data)))
        compare_contents(roads, &first, &second);
    drop_content(&first, roads->strict);
    drop_content(&second, roads->library);
}

static void compare_attributes(pair *roads, const object *at) {
    ks__comparison *self = roads->comparison;
    const ks_text *first = NULL;
    const ks_text *second = NULL;
    size_t n_first = 0;
    size_t n_second = 0;
    if (!strict_did(roads, ks_hdf5_attributes(&first, &n_first, roads->strict, at->node)) ||
        !library_did(roads, ks_hdf5_attributes(&second, &n_second, roads->library, at->other)))
        return;
    compare_number(roads, "attributes", n_first, n_second);
    for (size_t i = 0; i < n_first && !ks__comparison_failed(self); i++) {
        size_t mark = ks__comparison_enter(self, "@", first[i]);
        if (!ks_text_equal(first[i], second[i]))
            ks__comparison_differ(self, "the attribute is called %.80s by the library road", second[i].data);
        else
            compare_attribute(roads, at, first[i]);
        ks__comparison_leave(self, mark);
    }
}

static void compare_link(pair *roads, object *at, const ks_hdf5_link *a, const ks_hdf5_link *b) {
    ks__comparison *self = roads->comparison;
    if (!ks_text_equal(a->name, b->name)) {
        ks__comparison_differ(self, "the link is called %.80s by the library road", b->name.data);
        return;
    }
    compare_number(roads, "type of link", a->type, b->type);
    if (a->type != KS_LINK_HARD || ks__comparison_failed(self))
        return;
    object *known = known_object(roads->state, a->node);
    if (known)
        compare_number(roads, "object of the link", known->other, b->node);
    else if (!add_object(roads->state, a->node, b->node, at, a->name))
        ks__comparison_differ(self, "no memory to compare");
}

static void compare_groups(pair *roads, object *at) {
    ks__comparison *self = roads->comparison;
    const ks_hdf5_link *first = NULL;
    const ks_hdf5_link *second = NULL;
    size_t n_first = 0;
    size_t n_second = 0;
    if (!strict_did(roads, ks_hdf5_links(&first, &n_first, roads->strict, at->node)) ||
        !library_did(roads, ks_hdf5_links(&second, &n_second, roads->library, at->other)))
        return;
    compare_number(roads, "links", n_first, n_second);
    for (size_t i = 0; i < n_first && !ks__comparison_failed(self); i++) {
        size_t mark = ks__comparison_enter(self, "/", first[i].name);
        compare_link(roads, at, &first[i], &second[i]);
        ks__comparison_leave(self, mark);
    }
}

/// Writes the path from the root into the comparison's place.
static void set_place(ks__comparison *self, const object *at) {
    const object *chain[32];
    size_t depth = 0;
    for (; at && at->parent && depth < 32; at = at->parent)
        chain[depth++] = at;
    ks__comparison_leave(self, 0);
    while (depth > 0)
        ks__comparison_enter(self, "/", chain[--depth]->name);
}

static void compare_object(pair *roads, object *at) {
    ks_hdf5_object_type first = KS_HDF5_GROUP;
    ks_hdf5_object_type second = KS_HDF5_GROUP;
    set_place(roads->comparison, at);
    if (!strict_did(roads, ks_hdf5_object(&first, roads->strict, at->node)) ||
        !library_did(roads, ks_hdf5_object(&second, roads->library, at->other)))
        return;
    compare_number(roads, "type of object", first, second);
    compare_attributes(roads, at);
    if (ks__comparison_failed(roads->comparison))
        return;
    if (first == KS_HDF5_GROUP)
        compare_groups(roads, at);
    else if (first == KS_HDF5_DATASET)
        compare_datasets(roads, at);
}

static void compare_files(ks__comparison *self, ks_hdf5 *strict, ks_hdf5 *library) {
    walk *state = ks_allocate(self->context, 1, sizeof *state);
    if (!state) {
        ks__comparison_differ(self, "no memory to compare");
        return;
    }
    ks_arena_init(&state->arena, self->context);
    pair roads = {self, strict, library, state};
    if (!add_object(state, ks_hdf5_root(strict), ks_hdf5_root(library), NULL, (ks_text){"", 0}))
        ks__comparison_differ(self, "no memory to compare");
    for (object *at = take_object(state); at && !ks__comparison_failed(self); at = take_object(state))
        compare_object(&roads, at);
    if (!ks__comparison_failed(self)) {
        ks__comparison_leave(self, 0);
        library_did(&roads, ks_hdf5_verify(library));
    }
    ks_arena_fini(&state->arena);
    ks_free(self->context, state);
}

static ks_code compare_accepted(ks__comparison *self, ks_hdf5 *strict) {
    ks_hdf5 *library = NULL;
    self->result->library_asked = true;
    ks_code answer = ks_hdf5_open(&library, &self->library, self->bytes, KS_ROAD_LIBRARY);
    if (answer == KS_E_LIBRARY_MODULE)
        return ks_fail(self->context, answer, KS_STAGE_HDF5, KS_NO_OFFSET, NULL, "%s", self->library.error.message);
    pair roads = {self, strict, library, NULL};
    if (library_did(&roads, answer))
        compare_files(self, strict, library);
    self->result->library = self->library.error;
    ks_hdf5_close(library);
    return KS_OK;
}

ks_code ks_roads_compare_hdf5(ks_roads_result *out, ks_context *context, const ks_roads_options *options,
                              ks_bytes bytes) {
    ks__comparison self;
    ks__comparison_begin(&self, out, context, options, KS_ROADS_HDF5, bytes);
    ks_hdf5 *strict = NULL;
    ks_code code = ks_hdf5_open(&strict, &self.strict, bytes, KS_ROAD_STRICT);
    if (code == KS_OK)
        code = walk_file(strict);
    if (code != KS_OK) {
        out->strict = self.strict.error;
        code = ks__comparison_refused(&self, walk_hdf5);
    } else {
        code = compare_accepted(&self, strict);
    }
    ks_hdf5_close(strict);
    ks__comparison_end(&self);
    return code;
}
