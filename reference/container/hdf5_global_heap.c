// SPDX-License-Identifier: Apache-2.0
//
// Global heap: what variable-length elements refer to.
//
//   collection: "GCOL" 4, version 1 (1), reserved 3, size of the collection L (with this), objects
//   object: index 2 (0: the rest is free), references 2, reserved 4, size L, bytes filled to a multiple of 8
#include "container/hdf5_internal.h"

static ks_code open_collection(ks_reader *out, ks__h5 *self, uint64_t address) {
    uint64_t header_size = 8 + self->length_size;
    ks_code code = ks__h5_signature(self, address, "GCOL");
    if (code == KS_OK)
        code = ks__h5_need(self, address, header_size, "a global heap collection");
    if (code != KS_OK)
        return code;
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){address + 4, header_size - 4});
    unsigned version = ks_read_u8(&reader);
    ks_read_skip(&reader, 3);
    uint64_t size = ks__h5_length(self, &reader);
    if (version != 1)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, address, "expected a collection of version 1, found %u", version);
    if (size < header_size)
        return ks__h5_fail(self, KS_E_HDF5_GLOBAL_HEAP, address, "expected %llu bytes or more, found %llu",
                           (unsigned long long)header_size, (unsigned long long)size);
    code = ks__h5_need(self, address, size, "a global heap collection");
    // Objects stand at multiples of 8 from the collection's start.
    uint64_t first = (header_size + 7) & ~(uint64_t)7;
    if (code == KS_OK)
        *out = ks__h5_reader(self,
                             (ks__h5_span){address + (first < size ? first : size), first < size ? size - first : 0});
    return code;
}

/// The next object; `*index` is 0 at the end.
static ks_code next_object(ks__h5_span *out, uint32_t *index, ks__h5 *self, ks_reader *reader) {
    uint64_t header_size = (8 + self->length_size + 7) & ~(size_t)7;
    uint64_t at = reader->at;
    uint64_t left = ks__h5_left(reader);
    *index = 0;
    if (left < header_size)
        return KS_OK;
    *index = ks_read_u16(reader);
    ks_read_skip(reader, 6);
    out->size = ks__h5_length(self, reader);
    out->at = at + header_size;
    if (*index == 0) { // the free space, which fills the rest; a smaller one would keep libhdf5 from ever ending
        if (out->size != left)
            return ks__h5_fail(self, KS_E_HDF5_GLOBAL_HEAP, at, "expected %llu bytes of free space, found %llu",
                               (unsigned long long)left, (unsigned long long)out->size);
        return KS_OK;
    }
    reader->at = (size_t)out->at;
    uint64_t padded = (out->size + 7) & ~(uint64_t)7;
    if (out->size > UINT64_MAX - 7 || padded > ks__h5_left(reader))
        return ks__h5_fail(self, KS_E_HDF5_GLOBAL_HEAP, at,
                           "expected an object inside its collection, found %llu bytes", (unsigned long long)out->size);
    ks_read_skip(reader, (size_t)padded);
    return KS_OK;
}

static ks_code read_collection(ks__h5_collection *out, ks__h5 *self, ks_reader start) {
    ks__h5_span object;
    uint32_t index = 0;
    uint32_t largest = 0;
    ks_code code = KS_OK;
    ks_reader reader = start;
    while ((code = next_object(&object, &index, self, &reader)) == KS_OK && index != 0)
        largest = index > largest ? index : largest;
    if (code != KS_OK)
        return code;
    ks__h5_span *objects = ks_arena_get(&self->arena, (size_t)largest + 1, sizeof *objects);
    if (!objects)
        return self->base.context->error.code;
    out->objects = objects;
    out->n_objects = (size_t)largest + 1;
    reader = start;
    while (next_object(&object, &index, self, &reader) == KS_OK && index != 0) {
        if (objects[index].at != 0)
            return ks__h5_fail(self, KS_E_HDF5_GLOBAL_HEAP, object.at, "expected each index once, found %u twice",
                               index);
        objects[index] = object;
    }
    return KS_OK;
}

ks_code ks__h5_global_object(ks__h5_span *out, ks__h5 *self, uint64_t address, uint32_t index) {
    size_t n_buckets = sizeof self->collections / sizeof self->collections[0];
    ks__h5_collection **bucket = &self->collections[(address >> 3) % n_buckets];
    ks__h5_collection *known = *bucket;
    while (known && known->address != address)
        known = known->next;
    if (!known) {
        ks_reader reader = {0};
        ks_code code = open_collection(&reader, self, address);
        if (code != KS_OK)
            return code;
        known = ks_arena_get(&self->arena, 1, sizeof *known);
        if (!known)
            return self->base.context->error.code;
        code = read_collection(known, self, reader);
        if (code != KS_OK)
            return code;
        known->address = address;
        known->next = *bucket;
        *bucket = known;
    }
    if (index == 0 || index >= known->n_objects || known->objects[index].at == 0)
        return ks__h5_fail(self, KS_E_HDF5_GLOBAL_HEAP, address, "expected object %u in this collection, found none",
                           index);
    *out = known->objects[index];
    return KS_OK;
}
