// SPDX-License-Identifier: Apache-2.0
//
// Filter pipelines of chunks.
//
//   version 1: version 1, filters 1, reserved 6; each: id 2, size of the name 2 (a multiple of 8), flags 2, values 2,
//              name, values 4 each, [padding 4 when their number is odd]
//   version 2: version 1, filters 1; each: id 2, [size of the name 2, id >= 256], flags 2, values 2, [name], values 4
//   each
//
//   1 deflate (value: level), a zlib stream
//   2 shuffle (value: bytes of an element): all first bytes, then all second bytes, ...; what is left over stays behind
//   3 fletcher32: checksum 4 behind the data
//
// Filters were applied in the order of the message, and are undone from the last to the first. A bit in a chunk's mask
// says that a filter was left out for it.
#include "base/keep.h"
#include "container/hdf5_internal.h"

#include <libdeflate.h>

enum { DEFLATE = 1, SHUFFLE = 2, FLETCHER32 = 3 };

static ks_code check_values(ks__h5 *self, const ks__h5_filter *filter, size_t n_values, uint64_t at) {
    switch (filter->id) {
    case DEFLATE:
        if (n_values != 1 || filter->value > 9)
            return ks__h5_fail(self, KS_E_HDF5_FILTER, at, "expected deflate with a level of 0 to 9, found %zu values",
                               n_values);
        return KS_OK;
    case SHUFFLE:
        if (n_values != 1 || filter->value == 0)
            return ks__h5_fail(self, KS_E_HDF5_FILTER, at, "expected shuffle with a size of elements, found %zu values",
                               n_values);
        return KS_OK;
    case FLETCHER32:
        return KS_OK;
    default:
        return ks__h5_fail(self, KS_E_HDF5_FILTER_UNKNOWN, at,
                           "expected deflate, shuffle or fletcher32, found filter %u", filter->id);
    }
}

static ks_code parse_filter(ks__h5_filter *out, ks__h5 *self, ks_reader *reader, unsigned version) {
    uint64_t at = reader->at;
    size_t name_size = 0;
    out->id = ks_read_u16(reader);
    if (version == 1 || out->id >= 256)
        name_size = ks_read_u16(reader);
    out->flags = ks_read_u16(reader);
    size_t n_values = ks_read_u16(reader);
    if (version == 1 && name_size % 8 != 0)
        return ks__h5_fail(self, KS_E_HDF5_FILTER, at, "expected a name of a multiple of 8 bytes, found %zu",
                           name_size);
    ks_read_skip(reader, name_size);
    out->value = n_values ? ks_read_u32(reader) : 0;
    if (n_values)
        ks_read_skip(reader, 4 * (n_values - 1));
    if (version == 1 && n_values % 2)
        ks_read_skip(reader, 4);
    if (reader->failed)
        return ks__h5_fail(self, KS_E_HDF5_FILTER, at, "expected a filter, found the message's end");
    return check_values(self, out, n_values, at);
}

ks_code ks__h5_filters_parse(ks__h5_filters *out, ks__h5 *self, ks__h5_span message) {
    ks_reader reader = ks__h5_reader(self, message);
    unsigned version = ks_read_u8(&reader);
    out->count = ks_read_u8(&reader);
    if (version == 1)
        ks_read_skip(&reader, 6);
    if (version < 1 || version > 2)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, message.at, "expected filters of version 1 or 2, found %u",
                           version);
    if (out->count > KS__H5_MAX_FILTERS)
        return ks__h5_fail(self, KS_E_HDF5_FILTER, message.at, "expected at most %d filters, found %zu",
                           KS__H5_MAX_FILTERS, out->count);
    for (size_t i = 0; i < out->count; i++) {
        ks_code code = parse_filter(&out->items[i], self, &reader, version);
        if (code != KS_OK)
            return code;
    }
    return KS_OK;
}

size_t ks__h5_filter_room(const ks__h5_filters *filters, size_t chunk_size) {
    return chunk_size + 4 * filters->count;
}

// --- undoing one filter ----------------------------------------------------------------------------------------------

typedef struct work {
    ks__h5 *self;
    uint64_t at; ///< of the chunk, for errors
    const uint8_t *data;
    size_t size;
    uint8_t *out; ///< holds `room` bytes, and is not where data is
    size_t room;
} work;

static void free_inflater(void *inflater) {
    libdeflate_free_decompressor(inflater);
}

static ks_code need_inflater(ks__h5 *self) {
    if (self->inflater_keeper)
        return KS_OK;
    self->inflater = libdeflate_alloc_decompressor();
    if (!self->inflater)
        return ks__h5_fail(self, KS_E_NO_MEMORY, KS__H5_UNDEFINED, "no memory for inflating");
    self->inflater_keeper = ks_keep(self->base.context, self->inflater, free_inflater);
    return self->inflater_keeper ? KS_OK : self->base.context->error.code;
}

static ks_code inflate(work *w) {
    ks__h5 *self = w->self;
    size_t size = 0;
    ks_code code = need_inflater(self);
    if (code != KS_OK)
        return code;
    switch (libdeflate_zlib_decompress(self->inflater, w->data, w->size, w->out, w->room, &size)) {
    case LIBDEFLATE_SUCCESS:
        break;
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return ks__h5_fail(self, KS_E_HDF5_CHUNK, w->at, "expected a deflate stream of at most %zu bytes, found more",
                           w->room);
    default:
        return ks__h5_fail(self, KS_E_HDF5_DEFLATE, w->at, "expected a deflate stream, found a broken one");
    }
    w->data = w->out;
    w->size = size;
    return KS_OK;
}

static ks_code unshuffle(work *w, size_t element_size) {
    if (w->size > w->room)
        return ks__h5_fail(w->self, KS_E_HDF5_CHUNK, w->at, "expected a chunk of at most %zu bytes, found %zu", w->room,
                           w->size);
    size_t count = w->size / element_size;
    const uint8_t *from = w->data;
    if (element_size > 1 && count > 1) {
        for (size_t byte = 0; byte < element_size; byte++, from += count)
            for (size_t i = 0; i < count; i++)
                w->out[i * element_size + byte] = from[i];
        size_t done = count * element_size;
        memcpy(w->out + done, w->data + done, w->size - done);
        w->data = w->out;
    }
    return KS_OK;
}

/// Early writers on big-endian hosts swapped the bytes of each half.
static uint32_t swap_halves(uint32_t sum) {
    return (sum & 0x00ff00ff) << 8 | (sum >> 8 & 0x00ff00ff);
}

static ks_code check_sum(work *w) {
    if (w->size < 4)
        return ks__h5_fail(w->self, KS_E_HDF5_FLETCHER, w->at, "expected a checksum behind a chunk, found %zu bytes",
                           w->size);
    w->size -= 4;
    const uint8_t *p = w->data + w->size;
    uint32_t stored = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    uint32_t computed = ks__h5_fletcher32(w->data, w->size);
    if (stored != computed && stored != swap_halves(computed))
        return ks__h5_fail(w->self, KS_E_HDF5_FLETCHER, w->at, "expected checksum 0x%08X of a chunk, found 0x%08X",
                           computed, stored);
    return KS_OK;
}

static ks_code undo(work *w, const ks__h5_filter *filter) {
    switch (filter->id) {
    case DEFLATE:
        return inflate(w);
    case SHUFFLE:
        return unshuffle(w, filter->value);
    default:
        return check_sum(w);
    }
}

/// Each read of a file may decode so much that its size explains; the same chunks may be read twice, but not for ever.
static ks_code charge(ks__h5 *self, uint64_t at, size_t size) {
    const uint64_t base = (uint64_t)1 << 30;
    uint64_t limit = 0;
    if (!ks_mul_u64(self->bytes.size, self->base.context->limits.inflate_ratio, &limit) ||
        !ks_add_u64(limit, base, &limit))
        limit = UINT64_MAX;
    self->decoded_size += size;
    if (self->decoded_size > limit)
        return ks__h5_fail(self, KS_E_OVER_WORK, at, "expected at most %llu bytes out of filters, found more",
                           (unsigned long long)limit);
    return KS_OK;
}

ks_code ks__h5_filter_decode(const uint8_t **out, size_t out_size, ks__h5 *self, const ks__h5_filters *filters,
                             const ks__h5_chunk *chunk, uint8_t *buffers[2]) {
    work w = {.self = self, .at = chunk->address, .room = ks__h5_filter_room(filters, out_size)};
    ks_code code = charge(self, chunk->address, out_size);
    w.data = self->bytes.data + chunk->address;
    w.size = (size_t)chunk->size;
    for (size_t i = filters->count; i-- > 0 && code == KS_OK;) {
        if (chunk->mask >> i & 1)
            continue;
        w.out = buffers[w.data == buffers[0] ? 1 : 0];
        code = undo(&w, &filters->items[i]);
    }
    if (code == KS_OK && w.size != out_size)
        return ks__h5_fail(self, KS_E_HDF5_CHUNK, w.at, "expected a chunk of %zu bytes, found %zu", out_size, w.size);
    *out = w.data;
    return code;
}
