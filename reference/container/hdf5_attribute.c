// SPDX-License-Identifier: Apache-2.0
//
// Attributes, in the object's header or in a fractal heap.
//
//   message, version 1: version 1, reserved 1, sizes of name, datatype and dataspace 2 each; then each of the three
//   filled
//                       to a multiple of 8, and the elements
//            version 2: version 1, flags 1 (bit 0: the datatype is shared, 1: the dataspace), sizes 2 each; then the
//            three
//                       as they are, and the elements
//            version 3: as 2, with a character set 1 behind the sizes
//   attribute info:     version 1 (0), flags 1 (bit 0: creation order kept, 1: indexed), [largest creation order 2],
//                       fractal heap O, name index O, [creation order index O]
//   name index:         version 2 B-tree of type 8: heap id 8, message flags 1, creation order 4, hash of the name 4
#include "container/hdf5_internal.h"

#include <stdlib.h>

#define ATTRIBUTE_ID_SIZE 8
#define FIRST_ATTRIBUTES 16

/// An attribute message taken apart.
typedef struct parts {
    ks_text name; ///< in place, a NUL behind it
    ks__h5_span type;
    ks__h5_span space;
    bool shared_type;
    bool shared_space;
    ks__h5_span data; ///< all that is behind
} parts;

static ks__h5_span take(ks_reader *reader, size_t size, bool padded) {
    ks__h5_span span = {reader->at, size};
    ks_read_skip(reader, padded ? (size + 7) & ~(size_t)7 : size);
    return span;
}

static ks_code split(parts *out, ks__h5 *self, ks__h5_span message) {
    ks_reader reader = ks__h5_reader(self, message);
    unsigned version = ks_read_u8(&reader);
    unsigned flags = ks_read_u8(&reader);
    size_t name_size = ks_read_u16(&reader);
    size_t type_size = ks_read_u16(&reader);
    size_t space_size = ks_read_u16(&reader);
    if (version < 1 || version > 3)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, message.at, "expected an attribute of version 1 to 3, found %u",
                           version);
    if (version == 1)
        flags = 0;
    if (version == 3)
        ks_read_skip(&reader, 1);
    ks__h5_span name = take(&reader, name_size, version == 1);
    out->type = take(&reader, type_size, version == 1);
    out->space = take(&reader, space_size, version == 1);
    out->shared_type = flags & 1;
    out->shared_space = flags & 2;
    out->data = (ks__h5_span){reader.at, ks__h5_left(&reader)};
    if (reader.failed || (flags & ~3U))
        return ks__h5_fail(self, KS_E_HDF5_ATTRIBUTE, message.at,
                           "expected name, datatype and dataspace of an attribute, found the message's end");
    const char *text = (const char *)self->bytes.data + name.at;
    if (name_size < 2 || memchr(text, 0, name_size) != text + name_size - 1)
        return ks__h5_fail(self, KS_E_HDF5_ATTRIBUTE, name.at, "expected an attribute's name with a NUL behind it");
    out->name = (ks_text){text, name_size - 1};
    return KS_OK;
}

// --- finding ---------------------------------------------------------------------------------------------------------

static int by_name(const void *a, const void *b) {
    return ks__h5_compare(((const ks__h5_named *)a)->name, ((const ks__h5_named *)b)->name);
}

/// Attributes as they are found: all of them, or the one with a name.
typedef struct list {
    const ks__h5_object *object;
    ks__h5_heap heap;
    uint64_t names; ///< name index
    uint64_t order; ///< creation order index
    ks__h5_named *items;
    size_t count;
    size_t capacity;
    bool search;
    ks_text name;
    uint32_t hash;
    ks__h5_named found_item;
    ks__h5_last_name last; ///< in the name index
    bool found;
} list;

static ks_code grow(list *l, ks__h5 *self) {
    ks_context *context = self->base.context;
    size_t capacity = l->capacity ? l->capacity * 2 : FIRST_ATTRIBUTES;
    ks__h5_named *larger = ks_allocate(context, capacity, sizeof *larger);
    if (!larger)
        return context->error.code;
    if (l->count)
        memcpy(larger, l->items, l->count * sizeof *larger);
    ks_free(context, l->items);
    l->items = larger;
    l->capacity = capacity;
    return KS_OK;
}

static ks_code take_message(list *l, ks__h5 *self, ks__h5_span message, unsigned flags) {
    parts found;
    if (flags & KS__H5_MESSAGE_IS_SHARED)
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE_SHARED, message.at,
                           "expected an attribute with its object, found it in a table of shared messages");
    if (l->found)
        return KS_OK;
    ks_code code = split(&found, self, message);
    if (code != KS_OK)
        return code;
    ks__h5_named item = {found.name, message};
    if (l->search) {
        if (ks_text_equal(found.name, l->name)) {
            l->found = true;
            l->found_item = item;
        }
        return KS_OK;
    }
    if (l->count >= self->base.context->limits.hdf5_objects)
        return ks__h5_fail(self, KS_E_OVER_COUNT, l->object->address, "expected at most %llu attributes, found more",
                           (unsigned long long)self->base.context->limits.hdf5_objects);
    if (l->count == l->capacity && (code = grow(l, self)) != KS_OK)
        return code;
    l->items[l->count++] = item;
    return KS_OK;
}

static uint32_t hash_of_record(ks__h5 *self, ks__h5_span record) {
    ks_reader reader = ks__h5_reader(self, record);
    ks_read_skip(&reader, ATTRIBUTE_ID_SIZE + 5);
    return ks_read_u32(&reader);
}

static ks_code take_record(void *data, ks__h5 *self, ks__h5_span record) {
    list *l = data;
    ks__h5_span message;
    if (record.size < ATTRIBUTE_ID_SIZE + 9 || l->heap.id_size != ATTRIBUTE_ID_SIZE)
        return ks__h5_fail(self, KS_E_HDF5_TREE, record.at, "expected a heap id of 8 bytes and a name's hash");
    ks_code code = ks__h5_heap_object(&message, self, &l->heap, (ks__h5_span){record.at, ATTRIBUTE_ID_SIZE});
    unsigned flags = self->bytes.data[record.at + ATTRIBUTE_ID_SIZE];
    size_t count = l->count;
    if (code == KS_OK)
        code = take_message(l, self, message, flags);
    if (code == KS_OK && l->count > count)
        code = ks__h5_check_name(&l->last, self, record.at, l->items[count].name, hash_of_record(self, record));
    return code;
}

static ks__h5_order place_hash(void *data, ks__h5 *self, ks__h5_span record) {
    const list *l = data;
    uint32_t hash = hash_of_record(self, record);
    return hash < l->hash ? KS__H5_BEFORE : hash > l->hash ? KS__H5_BEHIND : KS__H5_INSIDE;
}

/// Opens the heap when the object's attributes are in one.
static ks_code open_dense(bool *dense, list *l, ks__h5 *self) {
    const ks__h5_message *message = ks__h5_find_message(l->object, KS__H5_ATTRIBUTE_INFO);
    *dense = false;
    if (!message || l->object->version < 2)
        return KS_OK;
    ks_reader reader = ks__h5_reader(self, ks__h5_message_span(message));
    unsigned version = ks_read_u8(&reader);
    unsigned flags = ks_read_u8(&reader);
    if (flags & 0x01)
        ks_read_skip(&reader, 2);
    uint64_t heap = ks__h5_address(self, &reader);
    l->names = ks__h5_address(self, &reader);
    l->order = flags & 0x02 ? ks__h5_address(self, &reader) : KS__H5_UNDEFINED;
    if (reader.failed || (flags & ~0x03U))
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE, message->at,
                           "expected attribute info, found flags 0x%02X or its end", flags);
    if (version != 0)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, message->at, "expected attribute info of version 0, found %u",
                           version);
    *dense = heap != KS__H5_UNDEFINED;
    return *dense ? ks__h5_heap_open(&l->heap, self, heap) : KS_OK;
}

static ks_code pass_record(void *data, ks__h5 *self, ks__h5_span record) {
    (void)data;
    (void)self;
    (void)record;
    return KS_OK;
}

ks_code ks__h5_attributes_verify(ks__h5 *self, const ks__h5_object *object) {
    ks__h5_tree2 what = {.type = 9, .visit = pass_record};
    list l = {.object = object, .order = KS__H5_UNDEFINED};
    bool dense = false;
    ks_code code = open_dense(&dense, &l, self);
    return code == KS_OK && l.order != KS__H5_UNDEFINED ? ks__h5_tree2_walk(self, l.order, &what) : code;
}

static ks_code collect(list *l, ks__h5 *self) {
    bool dense = false;
    ks_code code = open_dense(&dense, l, self);
    if (code == KS_OK && dense) {
        ks__h5_tree2 what = {.type = 8, .visit = take_record, .data = l};
        if (l->search) {
            what.place = place_hash;
            l->hash = ks__h5_lookup3((const uint8_t *)l->name.data, l->name.size);
        }
        return ks__h5_tree2_walk(self, l->names, &what);
    }
    for (uint32_t i = 0; i < l->object->n_messages && code == KS_OK && !l->found; i++) {
        const ks__h5_message *message = &l->object->messages[i];
        if (message->type == KS__H5_ATTRIBUTE)
            code = take_message(l, self, ks__h5_message_span(message), message->flags);
    }
    return code;
}

static ks_code keep(ks__h5_object *object, ks__h5 *self, const list *l) {
    ks__h5_named *items = ks_arena_get(&self->arena, l->count, sizeof *items);
    ks_text *names = ks_arena_get(&self->arena, l->count, sizeof *names);
    if (!items || !names)
        return self->base.context->error.code;
    for (size_t i = 0; i < l->count; i++) {
        items[i] = l->items[i];
        names[i] = l->items[i].name;
    }
    object->attributes = items;
    object->attribute_names = names;
    object->n_attributes = l->count;
    object->attributes_listed = true;
    return KS_OK;
}

static ks_code list_attributes(ks__h5_object *object, ks__h5 *self) {
    if (object->attributes_listed)
        return KS_OK;
    list l = {.object = object};
    ks_code code = collect(&l, self);
    if (l.count > 1 && code == KS_OK)
        qsort(l.items, l.count, sizeof *l.items, by_name);
    for (size_t i = 1; i < l.count && code == KS_OK; i++)
        if (ks__h5_compare(l.items[i - 1].name, l.items[i].name) == 0)
            code = ks__h5_fail(self, KS_E_HDF5_ATTRIBUTE_ORDER, l.items[i].message.at,
                               "expected each attribute once, found \"%.60s\" twice", l.items[i].name.data);
    if (code == KS_OK)
        code = keep(object, self, &l);
    ks_free(self->base.context, l.items);
    return code;
}

static ks_code find_attribute(ks__h5_span *out, bool *found, ks__h5 *self, ks_hdf5_node node, const char *name) {
    ks__h5_object *object = NULL;
    *found = false;
    self->current = node;
    ks_code code = ks__h5_object_get(&object, self, node);
    if (code != KS_OK)
        return code;
    list l = {.object = object, .search = true, .name = ks_text_from(name)};
    if (object->attributes_listed) {
        ks__h5_named wanted = {.name = l.name};
        const ks__h5_named *item =
            object->n_attributes ? bsearch(&wanted, object->attributes, object->n_attributes, sizeof wanted, by_name)
                                 : NULL;
        l.found = item != NULL;
        if (item)
            l.found_item = *item;
    } else {
        code = collect(&l, self);
    }
    *found = code == KS_OK && l.found;
    *out = l.found_item.message;
    return code;
}

// --- reading ---------------------------------------------------------------------------------------------------------

typedef struct attribute {
    ks__h5_type type;
    ks__h5_space space;
    const uint8_t *data;
    uint64_t size; ///< bytes of all elements
} attribute;

static ks_code open_attribute(attribute *out, ks__h5 *self, ks__h5_span message) {
    parts found;
    ks__h5_span type;
    ks__h5_span space;
    uint64_t limit = self->base.context->limits.hdf5_attribute_size;
    ks_code code;
    KS_TRY(split(&found, self, message));
    KS_TRY(ks__h5_shared_span(&type, self, found.type, found.shared_type, KS__H5_DATATYPE));
    KS_TRY(ks__h5_type_parse(&out->type, self, type));
    KS_TRY(ks__h5_shared_span(&space, self, found.space, found.shared_space, KS__H5_DATASPACE));
    KS_TRY(ks__h5_space_parse(&out->space, self, space));
    if (!ks_mul_u64(out->space.elements, out->type.size, &out->size) || out->size > limit)
        return ks__h5_fail(self, KS_E_OVER_SIZE, message.at, "expected at most %llu bytes of an attribute, found more",
                           (unsigned long long)limit);
    if (out->size > found.data.size)
        return ks__h5_fail(self, KS_E_HDF5_ATTRIBUTE, found.data.at, "expected %llu bytes of elements, found %llu",
                           (unsigned long long)out->size, (unsigned long long)found.data.size);
    out->data = self->bytes.data + found.data.at;
done:
    return code;
}

static ks_code find_and_open(attribute *out, ks__h5 *self, ks_hdf5_node node, const char *name) {
    ks__h5_span message;
    bool found = false;
    ks_code code = find_attribute(&message, &found, self, node, name);
    if (code == KS_OK && !found)
        return ks__h5_fail(self, KS_E_USAGE, node, "expected an attribute \"%s\", found none", name);
    return code == KS_OK ? open_attribute(out, self, message) : code;
}

ks_code ks__h5_attributes(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node) {
    ks__h5 *self = (ks__h5 *)file;
    ks__h5_object *object = NULL;
    *out = NULL;
    *count = 0;
    self->current = node;
    ks_code code = ks__h5_object_get(&object, self, node);
    if (code == KS_OK)
        code = list_attributes(object, self);
    if (code != KS_OK)
        return code;
    *out = object->attribute_names;
    *count = object->n_attributes;
    return KS_OK;
}

ks_code ks__h5_attribute(ks_hdf5_type *out, bool *found, ks_hdf5 *file, ks_hdf5_node node, const char *name) {
    ks__h5 *self = (ks__h5 *)file;
    ks__h5_span message;
    attribute a;
    ks_code code = find_attribute(&message, found, self, node, name);
    if (code != KS_OK || !*found)
        return code;
    code = open_attribute(&a, self, message);
    if (code != KS_OK)
        return code;
    ks__h5_describe(out, &a.type, &a.space);
    out->stored_size = a.size;
    return KS_OK;
}

ks_code ks__h5_attribute_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node node, const char *name) {
    ks__h5 *self = (ks__h5 *)file;
    attribute a;
    ks_code code = find_and_open(&a, self, node, name);
    if (code == KS_OK)
        code = ks__h5_check_numbers(self, &a.type, a.space.elements, data_size);
    if (code != KS_OK)
        return code;
    if (a.size > 0)
        memcpy(data, a.data, (size_t)a.size);
    ks__h5_elements_swap(data, a.space.elements, &a.type);
    return KS_OK;
}

ks_code ks__h5_attribute_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node, const char *name) {
    ks__h5 *self = (ks__h5 *)file;
    attribute a;
    ks_code code = find_and_open(&a, self, node, name);
    if (code == KS_OK)
        code = ks__h5_elements_text(out, self, a.data, a.space.elements, &a.type);
    if (code == KS_OK)
        *count = (size_t)a.space.elements;
    return code;
}
