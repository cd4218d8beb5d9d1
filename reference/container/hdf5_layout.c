// SPDX-License-Identifier: Apache-2.0
//
// Layout messages: where a dataset's elements are.
//
//   version 1, 2: version 1, rank 1, class 1 (0 compact, 1 contiguous, 2 chunked), reserved 5, [address O, not
//   compact],
//                 dimensions 4 each (chunked: of a chunk; rank counts the element's bytes too), [chunked: element size
//                 4], [compact: size 4, elements]
//   version 3:    version 1, class 1
//                 compact: size 2, elements
//                 contiguous: address O, size L
//                 chunked: rank + 1 1, B-tree address O, dimensions of a chunk 4 each, element size 4
//   version 4:    compact and contiguous as version 3
//                 chunked: flags 1 (bit 0: chunks over the edge are not filtered, 1: the single chunk is filtered),
//                 rank + 1 1, bytes of a dimension 1, dimensions of a chunk, element size, index type 1, then
//                   1 single: [size L, filter mask 4]; 2 implicit: nothing; 3 fixed array: page bits 1;
//                   4 extensible array: five sizes 1 each; 5 B-tree: node size 4, split 1, merge 1
//                 address O
//                 virtual (class 3): refused
#include "container/hdf5_internal.h"

enum { CLASS_COMPACT, CLASS_CONTIGUOUS, CLASS_CHUNKED, CLASS_VIRTUAL };

static ks_code cut(ks__h5 *self, const ks_reader *reader) {
    return ks__h5_fail(self, KS_E_HDF5_LAYOUT, reader->at, "expected more of a layout, found the message's end");
}

static ks_code set_chunk(ks__h5_layout *out, ks__h5 *self, uint64_t at) {
    uint64_t size = out->element_size;
    bool fits = size > 0;
    for (size_t i = 0; i < out->rank; i++)
        fits = fits && out->chunk[i] > 0 && ks_mul_u64(size, out->chunk[i], &size) && size <= UINT32_MAX;
    if (!fits)
        return ks__h5_fail(self, KS_E_HDF5_LAYOUT, at, "expected a chunk of 1 byte to 4 GiB, found another");
    out->chunk_size = size;
    return KS_OK;
}

static ks_code set_rank(ks__h5_layout *out, ks__h5 *self, unsigned rank_with_element, uint64_t at) {
    if (rank_with_element < 2 || rank_with_element > KS_MAX_RANK + 1)
        return ks__h5_fail(self, KS_E_HDF5_LAYOUT, at, "expected chunks of rank 1 to %d, found %d", KS_MAX_RANK,
                           (int)rank_with_element - 1);
    out->rank = rank_with_element - 1;
    return KS_OK;
}

static ks_code parse_old(ks__h5_layout *out, ks__h5 *self, ks_reader *reader) {
    unsigned rank = ks_read_u8(reader);
    unsigned layout_class = ks_read_u8(reader);
    uint64_t at = reader->at;
    ks_read_skip(reader, 5);
    if (layout_class > CLASS_CHUNKED || rank == 0 || rank > KS_MAX_RANK + 1)
        return ks__h5_fail(self, KS_E_HDF5_LAYOUT, at,
                           "expected a class up to 2 and a rank of 1 to %d, found %u and %u", KS_MAX_RANK + 1,
                           layout_class, rank);
    out->layout_class = (ks__h5_layout_class)layout_class;
    if (layout_class != CLASS_COMPACT)
        out->address = ks__h5_address(self, reader);
    if (layout_class == CLASS_CHUNKED) {
        ks_code code = set_rank(out, self, rank, at);
        for (size_t i = 0; i < out->rank && code == KS_OK; i++)
            out->chunk[i] = ks_read_u32(reader);
        out->element_size = ks_read_u32(reader);
        if (code == KS_OK)
            code = reader->failed ? cut(self, reader) : set_chunk(out, self, at);
        return code;
    }
    ks_read_skip(reader, 4 * rank);
    if (layout_class == CLASS_COMPACT) {
        out->size = ks_read_u32(reader);
        out->address = reader->at;
        ks_read_skip(reader, (size_t)out->size);
    }
    return reader->failed ? cut(self, reader) : KS_OK;
}

static ks_code parse_tree1(ks__h5_layout *out, ks__h5 *self, ks_reader *reader) {
    ks_code code = set_rank(out, self, ks_read_u8(reader), reader->at);
    if (code != KS_OK)
        return code;
    out->address = ks__h5_address(self, reader);
    for (size_t i = 0; i < out->rank; i++)
        out->chunk[i] = ks_read_u32(reader);
    out->element_size = ks_read_u32(reader);
    return reader->failed ? cut(self, reader) : set_chunk(out, self, reader->at);
}

/// The parameters with which an index was made stand in its own header too; here they only may not be 0.
static ks_code parse_index(ks__h5_layout *out, ks__h5 *self, ks_reader *reader, unsigned index, bool single_filtered) {
    static const uint8_t not_zero[] = {0, 0, 0, 1, 5, 0};
    for (size_t i = 0; i < not_zero[index]; i++)
        if (ks_read_u8(reader) == 0 && !reader->failed)
            return ks__h5_fail(self, KS_E_HDF5_LAYOUT, reader->at - 1,
                               "expected sizes of a chunk index, found one of 0");
    if (index == KS__H5_INDEX_TREE2)
        ks_read_skip(reader, 6);
    out->index = (ks__h5_index)index;
    if (index == KS__H5_INDEX_SINGLE && single_filtered) {
        out->single_size = ks__h5_length(self, reader);
        out->single_mask = ks_read_u32(reader);
    }
    return KS_OK;
}

static ks_code parse_chunked(ks__h5_layout *out, ks__h5 *self, ks_reader *reader) {
    unsigned flags = ks_read_u8(reader);
    ks_code code = set_rank(out, self, ks_read_u8(reader), reader->at);
    if (code != KS_OK)
        return code;
    size_t dim_size = ks_read_u8(reader);
    if ((flags & ~3U) || dim_size < 1 || dim_size > 8)
        return ks__h5_fail(self, KS_E_HDF5_LAYOUT, reader->at,
                           "expected known flags and dimensions of 1 to 8 bytes, found "
                           "0x%02X and %zu",
                           flags, dim_size);
    out->whole_edges = flags & 1;
    for (size_t i = 0; i < out->rank; i++)
        out->chunk[i] = ks_read_uint(reader, dim_size);
    out->element_size = ks_read_uint(reader, dim_size);
    unsigned index = ks_read_u8(reader);
    if (!reader->failed && (index < KS__H5_INDEX_SINGLE || index > KS__H5_INDEX_TREE2))
        return ks__h5_fail(self, KS_E_HDF5_LAYOUT, reader->at, "expected a chunk index of type 1 to 5, found %u",
                           index);
    if (!reader->failed)
        code = parse_index(out, self, reader, index, flags & 2);
    if (code != KS_OK)
        return code;
    out->filtered = flags & 2; // of the single chunk; the caller knows of filters
    out->address = ks__h5_address(self, reader);
    return reader->failed ? cut(self, reader) : set_chunk(out, self, reader->at);
}

static ks_code parse_new(ks__h5_layout *out, ks__h5 *self, ks_reader *reader, unsigned version) {
    unsigned layout_class = ks_read_u8(reader);
    switch (layout_class) {
    case CLASS_COMPACT:
        out->layout_class = KS__H5_COMPACT;
        out->size = ks_read_u16(reader);
        out->address = reader->at;
        ks_read_skip(reader, (size_t)out->size);
        break;
    case CLASS_CONTIGUOUS:
        out->layout_class = KS__H5_CONTIGUOUS;
        out->address = ks__h5_address(self, reader);
        out->size = ks__h5_length(self, reader);
        break;
    case CLASS_CHUNKED:
        out->layout_class = KS__H5_CHUNKED;
        return version == 3 ? parse_tree1(out, self, reader) : parse_chunked(out, self, reader);
    case CLASS_VIRTUAL:
        return ks__h5_fail(self, KS_E_HDF5_VIRTUAL, reader->at,
                           "expected elements in this dataset, found a virtual one");
    default:
        return ks__h5_fail(self, KS_E_HDF5_LAYOUT, reader->at, "expected a layout of class 0 to 3, found %u",
                           layout_class);
    }
    return reader->failed ? cut(self, reader) : KS_OK;
}

ks_code ks__h5_layout_parse(ks__h5_layout *out, ks__h5 *self, ks__h5_span message) {
    ks_reader reader = ks__h5_reader(self, message);
    unsigned version = ks_read_u8(&reader);
    memset(out, 0, offsetof(ks__h5_layout, chunk)); // the arrays hold as many entries as `rank` says
    out->address = KS__H5_UNDEFINED;
    out->size = KS__H5_NO_SIZE;
    out->index = KS__H5_INDEX_TREE1;
    if (version < 1 || version > 4)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, message.at, "expected a layout of version 1 to 4, found %u",
                           version);
    return version < 3 ? parse_old(out, self, &reader) : parse_new(out, self, &reader, version);
}
