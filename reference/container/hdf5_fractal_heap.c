// SPDX-License-Identifier: Apache-2.0
//
// Fractal heaps: links and attributes of objects that have many.
//
//   header:         "FRHP" 4, version 1 (0), bytes of an id 2, bytes of filters 2, flags 1 (bit 1: direct blocks have
//                   checksums), largest managed object 4, next id of a huge object L, huge objects' B-tree O,
//                   free bytes L, free space O, managed bytes L, allocated bytes L, iterator L, managed objects L,
//                   huge bytes L, huge objects L, tiny bytes L, tiny objects L, blocks of a row 2, bytes of the first
//                   blocks L, bytes of the largest direct block L, bits of the heap's space 2, first rows 2,
//                   root block O, rows of the root 2 (0: it is a direct block), checksum 4
//   direct block:   "FHDB" 4, version 1 (0), header address O, offset in the heap, [checksum 4 with itself as 0],
//   objects indirect block: "FHIB" 4, version 1 (0), header address O, offset in the heap, direct blocks O each,
//   indirect blocks
//                   O each, checksum 4
//   id:             1: bits 4-5 kind (0 managed, 1 huge, 2 tiny), 6-7 version (0)
//                   managed: offset in the heap, size; huge: address O and size L when the id has room, else the key of
//                   a B-tree record of type 1 (address O, size L, key L); tiny: size - 1 in bits 0-3 (ids of more than
//                   17 bytes: in 12 bits), object
//
// Row 0 and row 1 have blocks of the first size, each further row of twice the size. Filtered heaps are refused.
#include "container/hdf5_internal.h"

enum { MANAGED, HUGE_OBJECT, TINY };
enum { BLOCK_CHECKSUMS = 0x02 };

static bool is_power(uint64_t value) {
    return value != 0 && (value & (value - 1)) == 0;
}

static size_t offset_bytes(uint64_t bits) {
    return (size_t)(bits + 7) / 8;
}

static ks_code check_sizes(ks__h5_heap *h, ks__h5 *self, size_t filters_size) {
    if (filters_size != 0)
        return ks__h5_fail(self, KS_E_HDF5_HEAP_FILTER, h->header, "expected a heap without filters, found some");
    if (h->width == 0 || !is_power(h->width) || !is_power(h->start_size) || !is_power(h->direct_size) ||
        h->direct_size < h->start_size || h->max_bits == 0 || h->max_bits > 64 || h->id_size == 0 ||
        h->max_managed_size > h->direct_size || ks__h5_log2(h->direct_size) > h->max_bits ||
        ks__h5_log2(h->start_size) + ks__h5_log2(h->width) > h->max_bits)
        return ks__h5_fail(self, KS_E_HDF5_HEAP, h->header, "expected sizes of blocks that fit together");
    if (h->huge_tree != KS__H5_UNDEFINED && h->n_huge == 0) // libhdf5 would delete the tree
        return ks__h5_fail(self, KS_E_HDF5_HEAP, h->header, "expected no tree of huge objects, where there are none");
    unsigned first_bits = ks__h5_log2(h->start_size) + ks__h5_log2(h->width);
    if (h->root_rows > h->max_bits - first_bits + 1)
        return ks__h5_fail(self, KS_E_HDF5_HEAP, h->header, "expected at most %u rows, found %zu",
                           h->max_bits - first_bits + 1, h->root_rows);
    h->n_direct_rows = ks__h5_log2(h->direct_size) - ks__h5_log2(h->start_size) + 2;
    h->offset_bytes = offset_bytes(h->max_bits);
    size_t direct_bytes = offset_bytes(ks__h5_log2(h->direct_size));
    size_t managed_bytes = ks__h5_bytes_for(h->max_managed_size);
    h->length_bytes = direct_bytes < managed_bytes ? direct_bytes : managed_bytes;
    return KS_OK;
}

ks_code ks__h5_heap_open(ks__h5_heap *out, ks__h5 *self, uint64_t address) {
    uint64_t size = 22 + 12 * self->length_size + 3 * self->offset_size;
    memset(out, 0, sizeof *out);
    out->header = address;
    ks_code code = ks__h5_signature(self, address, "FRHP");
    if (code == KS_OK)
        code = ks__h5_need(self, address, size, "a fractal heap");
    if (code != KS_OK)
        return code;
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){address + 4, size - 4});
    unsigned version = ks_read_u8(&reader);
    out->id_size = ks_read_u16(&reader);
    size_t filters_size = ks_read_u16(&reader);
    out->flags = ks_read_u8(&reader);
    out->max_managed_size = ks_read_u32(&reader);
    ks_read_skip(&reader, self->length_size);
    out->huge_tree = ks__h5_address(self, &reader);
    ks_read_skip(&reader, self->length_size + self->offset_size);
    out->managed_size = ks__h5_length(self, &reader);
    ks_read_skip(&reader, 4 * self->length_size);
    out->n_huge = ks__h5_length(self, &reader);
    ks_read_skip(&reader, 2 * self->length_size);
    out->width = ks_read_u16(&reader);
    out->start_size = ks__h5_length(self, &reader);
    out->direct_size = ks__h5_length(self, &reader);
    out->max_bits = ks_read_u16(&reader);
    ks_read_skip(&reader, 2);
    out->root = ks__h5_address(self, &reader);
    out->root_rows = ks_read_u16(&reader);
    if (version != 0)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, address, "expected a fractal heap of version 0, found %u", version);
    if (filters_size == 0)
        code = ks__h5_checksum(self, address, size, "a fractal heap");
    return code == KS_OK ? check_sizes(out, self, filters_size) : code;
}

// --- managed objects -------------------------------------------------------------------------------------------------

/// Signature, version, header address and offset of a block, whose `size` bytes lie in the file.
static ks_code open_block(ks__h5 *self, const ks__h5_heap *h, uint64_t at, const char *signature, uint64_t size,
                          uint64_t offset) {
    ks_code code = ks__h5_signature(self, at, signature);
    if (code == KS_OK)
        code = ks__h5_need(self, at, size, "a block of a fractal heap");
    if (code != KS_OK)
        return code;
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){at + 4, size - 4});
    unsigned version = ks_read_u8(&reader);
    uint64_t header = ks__h5_address(self, &reader);
    uint64_t found = ks_read_uint(&reader, h->offset_bytes);
    if (reader.failed || version != 0 || header != h->header || found != offset)
        return ks__h5_fail(self, KS_E_HDF5_HEAP, at, "expected the block at offset %llu of this heap, found another",
                           (unsigned long long)offset);
    return KS_OK;
}

static ks_code open_direct(ks__h5 *self, const ks__h5_heap *h, uint64_t at, uint64_t size, uint64_t offset) {
    if (ks__h5_is_verified(self, at, size))
        return ks__h5_need(self, at, size, "a block of a fractal heap");
    ks_code code = open_block(self, h, at, "FHDB", size, offset);
    if (code != KS_OK)
        return code;
    size_t hole = 5 + self->offset_size + h->offset_bytes;
    if (!(h->flags & BLOCK_CHECKSUMS))
        return KS_OK;
    if (size < hole + 4)
        return ks__h5_fail(self, KS_E_HDF5_HEAP, at, "expected room for a checksum in a block of %llu bytes",
                           (unsigned long long)size);
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){at + hole, 4});
    uint32_t stored = ks_read_u32(&reader);
    uint32_t computed = ks__h5_lookup3_hole(self->bytes.data + at, (size_t)size, hole);
    if (stored != computed)
        return ks__h5_fail(self, KS_E_HDF5_CHECKSUM, at + hole,
                           "expected checksum 0x%08X of a fractal heap's block, found 0x%08X", computed, stored);
    return ks__h5_set_verified(self, at, size);
}

static uint64_t row_size(const ks__h5_heap *h, unsigned row) {
    unsigned shift = row ? row - 1 : 0;
    return shift > 63 || h->start_size > UINT64_MAX >> shift ? 0 : h->start_size << shift;
}

/// The child of an indirect block that holds what is `*inside` bytes from its start; moves `*inside` to the child's.
static void choose_child(unsigned *row, uint64_t *column, uint64_t *inside, const ks__h5_heap *h) {
    unsigned first_bits = ks__h5_log2(h->start_size) + ks__h5_log2(h->width);
    uint64_t rest = *inside;
    *row = 0;
    if (first_bits < 64 && rest >> first_bits != 0) {
        unsigned high = ks__h5_log2(rest);
        *row = high - first_bits + 1;
        rest -= (uint64_t)1 << high;
    }
    uint64_t size = row_size(h, *row);
    *column = rest / size;
    *inside = rest % size;
}

static uint64_t indirect_size(const ks__h5 *self, const ks__h5_heap *h, size_t n_rows) {
    return 5 + self->offset_size + h->offset_bytes + n_rows * h->width * self->offset_size;
}

/// From the root down to the direct block; `*inside` becomes the offset in it.
static ks_code descend(uint64_t *block, uint64_t *block_size, uint64_t *inside, ks__h5 *self, const ks__h5_heap *h) {
    uint64_t at = h->root;
    uint64_t start = 0;
    size_t n_rows = h->root_rows;
    unsigned first_bits = ks__h5_log2(h->start_size) + ks__h5_log2(h->width);
    *block_size = h->start_size;
    while (n_rows > 0) {
        unsigned row = 0;
        uint64_t column = 0;
        uint64_t size = indirect_size(self, h, n_rows);
        ks_code code = open_block(self, h, at, "FHIB", size, start);
        if (code == KS_OK)
            code = ks__h5_checksum(self, at, size, "a fractal heap's indirect block");
        if (code != KS_OK)
            return code;
        uint64_t before = *inside;
        choose_child(&row, &column, inside, h);
        if (row >= n_rows)
            return ks__h5_fail(self, KS_E_HDF5_HEAP, at, "expected an object in %zu rows, found row %u", n_rows, row);
        start += before - *inside;
        *block_size = row_size(h, row);
        uint64_t entry = at + 5 + self->offset_size + h->offset_bytes + (row * h->width + column) * self->offset_size;
        ks_reader reader = ks__h5_reader(self, (ks__h5_span){entry, self->offset_size});
        at = ks__h5_address(self, &reader);
        // Rows of an indirect child are fewer each time, so this ends.
        n_rows = row < h->n_direct_rows ? 0 : ks__h5_log2(*block_size) - first_bits + 1;
    }
    *block = at;
    return open_direct(self, h, at, *block_size, start);
}

static ks_code managed(ks__h5_span *out, ks__h5 *self, const ks__h5_heap *h, ks_reader *id, uint64_t at) {
    uint64_t inside = ks_read_uint(id, h->offset_bytes);
    uint64_t size = ks_read_uint(id, h->length_bytes);
    uint64_t block = 0;
    uint64_t block_size = 0;
    if (id->failed || size == 0 || size > h->max_managed_size || inside > h->managed_size ||
        h->root == KS__H5_UNDEFINED || (h->max_bits < 64 && inside >> h->max_bits != 0))
        return ks__h5_fail(self, KS_E_HDF5_HEAP, at, "expected the offset and size of an object in the heap");
    ks_code code = descend(&block, &block_size, &inside, self, h);
    if (code != KS_OK)
        return code;
    uint64_t prefix = 5 + self->offset_size + h->offset_bytes + (h->flags & BLOCK_CHECKSUMS ? 4 : 0);
    if (inside < prefix || !ks_range_inside(inside, size, block_size))
        return ks__h5_fail(self, KS_E_HDF5_HEAP, at,
                           "expected an object inside its block of %llu bytes, found it outside",
                           (unsigned long long)block_size);
    *out = (ks__h5_span){block + inside, size};
    return KS_OK;
}

// --- huge and tiny objects -------------------------------------------------------------------------------------------

typedef struct huge {
    uint64_t key;
    ks__h5_span object;
    bool found;
} huge;

static uint64_t record_key(ks__h5 *self, ks__h5_span record, ks__h5_span *object) {
    ks_reader reader = ks__h5_reader(self, record);
    object->at = ks__h5_address(self, &reader);
    object->size = ks__h5_length(self, &reader);
    return ks__h5_length(self, &reader);
}

static ks__h5_order place_key(void *data, ks__h5 *self, ks__h5_span record) {
    ks__h5_span object;
    uint64_t wanted = ((huge *)data)->key;
    uint64_t key = record_key(self, record, &object);
    return key < wanted ? KS__H5_BEFORE : key > wanted ? KS__H5_BEHIND : KS__H5_INSIDE;
}

static ks_code take_huge(void *data, ks__h5 *self, ks__h5_span record) {
    huge *h = data;
    (void)record_key(self, record, &h->object);
    h->found = true;
    return KS_OK;
}

static ks_code find_huge(ks__h5_span *out, ks__h5 *self, const ks__h5_heap *h, ks_reader *id, uint64_t at) {
    if (h->id_size > self->offset_size + self->length_size) { // an id with room for both holds them itself
        out->at = ks__h5_address(self, id);
        out->size = ks__h5_length(self, id);
    } else {
        size_t key_size = h->id_size - 1 < 8 ? h->id_size - 1 : 8;
        huge wanted = {.key = ks_read_uint(id, key_size)};
        ks__h5_tree2 what = {.type = 1, .place = place_key, .visit = take_huge, .data = &wanted};
        if (h->huge_tree == KS__H5_UNDEFINED)
            return ks__h5_fail(self, KS_E_HDF5_HEAP, at, "expected a tree of huge objects, found none");
        ks_code code = ks__h5_tree2_walk(self, h->huge_tree, &what);
        if (code != KS_OK)
            return code;
        if (!wanted.found)
            return ks__h5_fail(self, KS_E_HDF5_HEAP, at, "expected huge object %llu, found none",
                               (unsigned long long)wanted.key);
        *out = wanted.object;
    }
    return ks__h5_need(self, out->at, out->size, "a huge object");
}

static ks_code tiny(ks__h5_span *out, ks__h5 *self, const ks__h5_heap *h, ks_reader *id, unsigned first, uint64_t at) {
    uint64_t size = first & 0x0f;
    if (h->id_size > 17)
        size = size << 8 | ks_read_u8(id);
    size++;
    *out = (ks__h5_span){id->at, size};
    if (size > ks__h5_left(id))
        return ks__h5_fail(self, KS_E_HDF5_HEAP, at, "expected a tiny object in its id, found %llu bytes",
                           (unsigned long long)size);
    return KS_OK;
}

ks_code ks__h5_heap_object(ks__h5_span *out, ks__h5 *self, const ks__h5_heap *heap, ks__h5_span id) {
    ks_reader reader = ks__h5_reader(self, id);
    unsigned first = ks_read_u8(&reader);
    if (first >> 6 != 0)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, id.at, "expected a heap id of version 0, found %u", first >> 6);
    switch (first >> 4 & 3) {
    case MANAGED:
        return managed(out, self, heap, &reader, id.at);
    case HUGE_OBJECT:
        return find_huge(out, self, heap, &reader, id.at);
    case TINY:
        return tiny(out, self, heap, &reader, first, id.at);
    default:
        return ks__h5_fail(self, KS_E_HDF5_HEAP, id.at, "expected a heap id of a known kind");
    }
}
