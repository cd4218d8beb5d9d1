// SPDX-License-Identifier: Apache-2.0
//
// Local heaps: the names of an old-style group.
//
//   "HEAP" 4, version 1 (0), reserved 3, size of the data L, first free block L (1: none), address of the data O
//   free block, in the data: next free block L (1: none), size L
//   name: bytes, NUL
#include "container/hdf5_internal.h"

#define NO_BLOCK 1

/// The list of free blocks must end inside the data.
static ks_code check_free(ks__h5 *self, ks__h5_span data, uint64_t block) {
    uint64_t left = data.size / (2 * self->length_size) + 1; // blocks that there can be
    while (block != NO_BLOCK) {
        if (left-- == 0)
            return ks__h5_fail(self, KS_E_HDF5_CYCLE, data.at, "expected a list of free blocks, found a circle");
        if (block == 0 || !ks_range_inside(block, 2 * self->length_size, data.size))
            return ks__h5_fail(self, KS_E_HDF5_LOCAL_HEAP, data.at,
                               "expected a free block in the heap, found offset %llu", (unsigned long long)block);
        uint64_t next = ks__h5_length_at(self, data.at + block);
        uint64_t size = ks__h5_length_at(self, data.at + block + self->length_size);
        if (!ks_range_inside(block, size, data.size))
            return ks__h5_fail(self, KS_E_HDF5_LOCAL_HEAP, data.at + block,
                               "expected a free block that ends in the heap, found %llu bytes",
                               (unsigned long long)size);
        block = next;
    }
    return KS_OK;
}

ks_code ks__h5_local_heap(ks__h5_span *out, ks__h5 *self, uint64_t address) {
    uint64_t size = 8 + 2 * self->length_size + self->offset_size;
    ks_code code = ks__h5_signature(self, address, "HEAP");
    if (code == KS_OK)
        code = ks__h5_need(self, address, size, "a local heap");
    if (code != KS_OK)
        return code;
    unsigned version = (unsigned)ks__h5_field(self, address + 4, 1);
    out->size = ks__h5_length_at(self, address + 8);
    uint64_t first_free = ks__h5_length_at(self, address + 8 + self->length_size);
    out->at = ks__h5_address_at(self, address + 8 + 2 * self->length_size);
    if (version != 0)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, address, "expected a local heap of version 0, found %u", version);
    code = ks__h5_need(self, out->at, out->size, "a local heap's data");
    if (code == KS_OK && out->size > 0)
        code = ks__h5_claim(self, out->at, "the data of a local heap");
    return code == KS_OK ? check_free(self, *out, first_free) : code;
}

/// The bytes before the first NUL; `size` when there is none. Nearly all names have less than eight bytes, which one
/// load shows (a call of memchr for each name was 2 % of a small file's load).
static size_t name_size(const char *name, size_t size) {
    uint64_t eight;
    if (size >= sizeof eight) {
        memcpy(&eight, name, sizeof eight);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        uint64_t zero = (eight - 0x0101010101010101U) & ~eight & 0x8080808080808080U; // its lowest bit is exact
        if (zero)
            return (size_t)__builtin_ctzll(zero) / 8;
#endif
    }
    const char *end = memchr(name, 0, size);
    return end ? (size_t)(end - name) : size;
}

ks_code ks__h5_local_name(ks_text *out, ks__h5 *self, ks__h5_span heap, uint64_t offset) {
    const char *name = (const char *)self->bytes.data + heap.at;
    size_t left = offset < heap.size ? (size_t)(heap.size - offset) : 0;
    size_t size = left ? name_size(name + offset, left) : 0;
    if (size == left)
        return ks__h5_fail(self, KS_E_HDF5_LOCAL_HEAP, heap.at,
                           "expected a name at offset %llu of the heap, found none", (unsigned long long)offset);
    *out = (ks_text){name + offset, size};
    return KS_OK;
}
