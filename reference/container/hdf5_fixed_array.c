// SPDX-License-Identifier: Apache-2.0
//
// Fixed arrays: the chunk index of datasets whose largest shape has bounds.
//
//   header:     "FAHD" 4, version 1 (0), client 1 (0 chunks, 1 filtered chunks), bytes of an entry 1, page bits 1,
//               entries L, data block address O, checksum 4
//   data block: "FADB" 4, version 1 (0), client 1, header address O, then
//               up to 2^page bits entries: entries, checksum 4
//               more: one bit per page (first page: highest bit) that says whether it was written, checksum 4, pages
//   page:       2^page bits entries (the last page: what is left), checksum 4
#include "container/hdf5_internal.h"

typedef struct fixed {
    size_t page_bits;
    uint64_t count;
    uint64_t block;
} fixed;

static ks_code read_header(fixed *out, ks__h5 *self, const ks__h5_entries *entries) {
    uint64_t address = entries->layout->address;
    uint64_t size = 8 + self->length_size + self->offset_size;
    ks_code code = ks__h5_signature(self, address, "FAHD");
    if (code == KS_OK)
        code = ks__h5_checksum(self, address, size, "a fixed array");
    if (code != KS_OK)
        return code;
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){address + 4, size - 4});
    unsigned version = ks_read_u8(&reader);
    unsigned client = ks_read_u8(&reader);
    size_t entry_size = ks_read_u8(&reader);
    out->page_bits = ks_read_u8(&reader);
    out->count = ks__h5_length(self, &reader);
    out->block = ks__h5_address(self, &reader);
    if (version != 0)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, address, "expected a fixed array of version 0, found %u", version);
    if (client != (entries->layout->filtered ? 1 : 0) || entry_size != entries->entry_size || out->page_bits > 63 ||
        out->count != entries->end)
        return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, address,
                           "expected %llu entries of %zu bytes, found %llu of %zu bytes for client %u",
                           (unsigned long long)entries->end, entries->entry_size, (unsigned long long)out->count,
                           entry_size, client);
    return KS_OK;
}

static ks_code read_pages(ks__h5 *self, const fixed *array, ks__h5_entries *entries, ks__h5_span bits) {
    uint64_t page_count = (uint64_t)1 << array->page_bits;
    uint64_t at = bits.at + bits.size + 4;
    uint64_t left = array->count;
    for (uint64_t page = 0; left > 0; page++) {
        uint64_t count = left < page_count ? left : page_count;
        uint64_t size = count * entries->entry_size; // the caller knows that count entries fit into the file
        bool written = self->bytes.data[bits.at + page / 8] & (0x80U >> page % 8);
        ks_code code = KS_OK;
        if (written) {
            code = ks__h5_checksum(self, at, size, "a page of a fixed array");
            if (code == KS_OK)
                code = ks__h5_entries_take(entries, self, at, count);
        } else {
            entries->next += count;
        }
        if (code != KS_OK)
            return code;
        at += size + 4;
        left -= count;
    }
    return KS_OK;
}

static ks_code check_block(ks__h5 *self, const fixed *array, const ks__h5_layout *layout) {
    const uint8_t *p = self->bytes.data + array->block;
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){array->block + 6, self->offset_size});
    if (p[4] != 0 || p[5] != (layout->filtered ? 1 : 0) || ks__h5_address(self, &reader) != layout->address)
        return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, array->block, "expected the data block of this fixed array");
    return KS_OK;
}

ks_code ks__h5_fixed_array(ks__h5 *self, ks__h5_entries *entries) {
    fixed array;
    ks_code code = read_header(&array, self, entries);
    if (code != KS_OK || array.block == KS__H5_UNDEFINED || array.count == 0)
        return code;
    uint64_t prefix = 6 + self->offset_size;
    uint64_t size = 0;
    code = ks__h5_signature(self, array.block, "FADB");
    if (code == KS_OK && !ks_mul_u64(array.count, entries->entry_size, &size))
        size = UINT64_MAX / 2;
    if (code == KS_OK)
        code = ks__h5_need(self, array.block, prefix, "a fixed array's data block");
    if (code == KS_OK)
        code = ks__h5_need(self, array.block + prefix, size, "a fixed array's entries");
    if (code != KS_OK)
        return code;
    uint64_t n_pages = ((array.count - 1) >> array.page_bits) + 1;
    ks__h5_span body = {array.block + prefix, n_pages == 1 ? size : (n_pages + 7) / 8};
    code = ks__h5_checksum(self, array.block, prefix + body.size, "a fixed array's data block");
    if (code == KS_OK)
        code = check_block(self, &array, entries->layout);
    if (code != KS_OK)
        return code;
    return n_pages == 1 ? ks__h5_entries_take(entries, self, body.at, array.count)
                        : read_pages(self, &array, entries, body);
}
