// SPDX-License-Identifier: Apache-2.0
//
// Extensible arrays: the chunk index of datasets with one unlimited axis.
//
//   header:      "EAHD" 4, version 1 (0), client 1 (0 chunks, 1 filtered chunks), bytes of an entry 1,
//                bits of the largest number of entries 1, entries in the index block 1, entries of the smallest data
//                block 1, data blocks of the smallest super block 1, page bits 1,
//                super blocks L, their size L, data blocks L, their size L, largest entry set L, entries L,
//                index block address O, checksum 4
//   index block: "EAIB" 4, version 1 (0), client 1, header address O, entries, data block addresses O each,
//                super block addresses O each, checksum 4
//   super block: "EASB" 4, version 1 (0), client 1, header address O, offset, [bits of written pages for each data
//   block],
//                data block addresses O each, checksum 4
//   data block:  "EADB" 4, version 1 (0), client 1, header address O, offset, then
//                up to 2^page bits entries: entries, checksum 4; more: checksum 4, pages (entries, checksum 4)
//
// Super block u has 2^(u/2) data blocks of 2^((u+1)/2) times the smallest number of entries. The first ones have no
// block of their own: their data blocks are in the index block.
#include "container/hdf5_internal.h"

typedef struct array {
    ks__h5 *self;
    ks__h5_entries *entries;
    uint64_t header;
    unsigned max_bits;
    uint64_t n_index_entries;
    uint64_t least_entries; ///< of a data block
    uint64_t least_blocks;  ///< of a super block
    uint64_t page_entries;
    uint64_t index;
} array;

static bool is_power(uint64_t value) {
    return value != 0 && (value & (value - 1)) == 0;
}

static ks_code read_header(array *a, ks__h5 *self, ks__h5_entries *entries) {
    uint64_t size = 12 + 6 * self->length_size + self->offset_size;
    memset(a, 0, sizeof *a);
    a->self = self;
    a->entries = entries;
    a->header = entries->layout->address;
    ks_code code = ks__h5_signature(self, a->header, "EAHD");
    if (code == KS_OK)
        code = ks__h5_checksum(self, a->header, size, "an extensible array");
    if (code != KS_OK)
        return code;
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){a->header + 4, size - 4});
    unsigned version = ks_read_u8(&reader);
    unsigned client = ks_read_u8(&reader);
    size_t entry_size = ks_read_u8(&reader);
    a->max_bits = ks_read_u8(&reader);
    a->n_index_entries = ks_read_u8(&reader);
    a->least_entries = ks_read_u8(&reader);
    a->least_blocks = ks_read_u8(&reader);
    unsigned page_bits = ks_read_u8(&reader);
    ks_read_skip(&reader, 4 * self->length_size);
    uint64_t largest = ks__h5_length(self, &reader); // number of the largest entry that was set, and 1
    ks_read_skip(&reader, self->length_size);
    a->index = ks__h5_address(self, &reader);
    if (version != 0)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, a->header, "expected an extensible array of version 0, found %u",
                           version);
    if (client != (entries->layout->filtered ? 1 : 0) || entry_size != entries->entry_size)
        return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, a->header,
                           "expected entries of %zu bytes, found %zu bytes for client %u", entries->entry_size,
                           entry_size, client);
    if (a->max_bits > 64 || page_bits > 63 || !is_power(a->least_entries) || !is_power(a->least_blocks) ||
        a->least_blocks < 2 || ks__h5_log2(a->least_entries) > a->max_bits)
        return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, a->header, "expected sizes of an extensible array that fit");
    a->page_entries = (uint64_t)1 << page_bits;
    uint64_t limit = self->base.context->limits.tensor_elements;
    if (largest > limit) // libhdf5 asks for each of them, also for those behind the shape
        return ks__h5_fail(self, KS_E_OVER_COUNT, a->header, "expected at most %llu chunks, found %llu",
                           (unsigned long long)limit, (unsigned long long)largest);
    if (entries->end > largest)
        entries->end = largest;
    return KS_OK;
}

/// Signature, version, client and header address of a block; checksum over `size` bytes.
static ks_code open_block(array *a, uint64_t at, const char *signature, uint64_t size) {
    ks__h5 *self = a->self;
    ks_code code = ks__h5_signature(self, at, signature);
    if (code == KS_OK)
        code = ks__h5_checksum(self, at, size, "a block of an extensible array");
    if (code != KS_OK)
        return code;
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){at + 4, size - 4});
    unsigned version = ks_read_u8(&reader);
    unsigned client = ks_read_u8(&reader);
    if (version != 0 || client != (a->entries->layout->filtered ? 1 : 0) || ks__h5_address(self, &reader) != a->header)
        return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, at, "expected a block of this extensible array");
    return KS_OK;
}

/// The bits that say which pages of a super block's data blocks were written, one block behind the other.
typedef struct page_bits {
    uint64_t at;   ///< address; 0: there are none
    uint64_t next; ///< number of the next block's first bit
} page_bits;

static bool page_written(const array *a, const page_bits *bits, uint64_t page) {
    uint64_t bit = bits->next + page;
    return a->self->bytes.data[bits->at + bit / 8] & (0x80U >> bit % 8);
}

static ks_code read_data_block(array *a, uint64_t at, uint64_t count, const page_bits *bits) {
    ks__h5 *self = a->self;
    ks__h5_entries *entries = a->entries;
    uint64_t prefix = 6 + self->offset_size + (a->max_bits + 7) / 8;
    uint64_t size = 0;
    if (!ks_mul_u64(count, entries->entry_size, &size) || size > self->bytes.size)
        return ks__h5_need(self, at, UINT64_MAX, "a data block");
    if (count <= a->page_entries) {
        ks_code code = open_block(a, at, "EADB", prefix + size);
        return code == KS_OK ? ks__h5_entries_take(entries, self, at + prefix, count) : code;
    }
    if (bits->at == 0)
        return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, at, "expected a data block without pages, found it larger");
    ks_code code = open_block(a, at, "EADB", prefix);
    uint64_t page_size = a->page_entries * entries->entry_size;
    at += prefix + 4;
    for (uint64_t page = 0; page < count / a->page_entries && code == KS_OK; page++, at += page_size + 4) {
        if (!page_written(a, bits, page)) {
            entries->next += a->page_entries;
            continue;
        }
        code = ks__h5_checksum(self, at, page_size, "a page of an extensible array");
        if (code == KS_OK)
            code = ks__h5_entries_take(entries, self, at, a->page_entries);
    }
    return code;
}

static uint64_t blocks_of(unsigned super_block) {
    return (uint64_t)1 << super_block / 2;
}

/// Entries of each data block of a super block; 0 when there are too many to count.
static uint64_t entries_of(const array *a, unsigned super_block) {
    unsigned shift = (super_block + 1) / 2;
    return shift > 63 || a->least_entries > UINT64_MAX >> shift ? 0 : a->least_entries << shift;
}

static bool at_end(const array *a) {
    return a->entries->next >= a->entries->end;
}

static void skip_entries(array *a, uint64_t count) {
    if (!ks_add_u64(a->entries->next, count, &a->entries->next))
        a->entries->next = UINT64_MAX;
}

/// Data blocks whose addresses stand one behind the other.
static ks_code read_data_blocks(array *a, ks_reader *addresses, unsigned super_block, page_bits bits) {
    uint64_t count = entries_of(a, super_block);
    for (uint64_t i = 0; i < blocks_of(super_block) && !at_end(a); i++, bits.next += count / a->page_entries) {
        uint64_t at = ks__h5_address(a->self, addresses);
        if (at == KS__H5_UNDEFINED) {
            skip_entries(a, count);
            continue;
        }
        ks_code code = read_data_block(a, at, count, &bits);
        if (code != KS_OK)
            return code;
    }
    return KS_OK;
}

static ks_code read_super_block(array *a, uint64_t at, unsigned super_block) {
    ks__h5 *self = a->self;
    uint64_t count = entries_of(a, super_block);
    uint64_t n_blocks = blocks_of(super_block);
    uint64_t prefix = 6 + self->offset_size + (a->max_bits + 7) / 8;
    uint64_t bits_size = count > a->page_entries ? (count / a->page_entries + 7) / 8 : 0;
    uint64_t size = 0;
    if (!ks_mul_u64(n_blocks, bits_size + self->offset_size, &size) || size > self->bytes.size)
        return ks__h5_need(self, at, UINT64_MAX, "a super block");
    ks_code code = open_block(a, at, "EASB", prefix + size);
    if (code != KS_OK)
        return code;
    uint64_t bits = at + prefix;
    ks_reader addresses = ks__h5_reader(self, (ks__h5_span){bits + n_blocks * bits_size, n_blocks * self->offset_size});
    return read_data_blocks(a, &addresses, super_block, (page_bits){bits_size ? bits : 0, 0});
}

static ks_code read_index_block(array *a) {
    ks__h5 *self = a->self;
    ks__h5_entries *entries = a->entries;
    unsigned n_super = 1 + a->max_bits - ks__h5_log2(a->least_entries);
    unsigned n_direct = 2 * ks__h5_log2(a->least_blocks); // super blocks without a block of their own
    if (n_direct > n_super)
        return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, a->header, "expected sizes of an extensible array that fit");
    uint64_t prefix = 6 + self->offset_size;
    uint64_t n_addresses = 2 * (a->least_blocks - 1) + (n_super - n_direct);
    uint64_t size = a->n_index_entries * entries->entry_size + n_addresses * self->offset_size;
    ks_code code = open_block(a, a->index, "EAIB", prefix + size);
    if (code == KS_OK)
        code = ks__h5_entries_take(entries, self, a->index + prefix, a->n_index_entries);
    if (code != KS_OK)
        return code;
    uint64_t first = a->index + prefix + a->n_index_entries * entries->entry_size;
    ks_reader addresses = ks__h5_reader(self, (ks__h5_span){first, n_addresses * self->offset_size});
    for (unsigned u = 0; u < n_super && !at_end(a) && code == KS_OK; u++) {
        uint64_t count = entries_of(a, u);
        uint64_t all = 0;
        if (u < n_direct) {
            code = read_data_blocks(a, &addresses, u, (page_bits){0, 0});
            continue;
        }
        uint64_t at = ks__h5_address(self, &addresses);
        if (at != KS__H5_UNDEFINED && count != 0)
            code = read_super_block(a, at, u);
        else
            skip_entries(a, count != 0 && ks_mul_u64(count, blocks_of(u), &all) ? all : UINT64_MAX);
    }
    return code;
}

ks_code ks__h5_extensible_array(ks__h5 *self, ks__h5_entries *entries) {
    array a;
    ks_code code = read_header(&a, self, entries);
    if (code != KS_OK || a.index == KS__H5_UNDEFINED)
        return code;
    return read_index_block(&a);
}
