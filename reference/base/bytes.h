// SPDX-License-Identifier: Apache-2.0
//
// A bounded reader of little-endian fields with one sticky failure: after the first read past the end every read gives
// zero, so a parser may read many fields and test once.
#ifndef KASSAY_BASE_BYTES_H
#define KASSAY_BASE_BYTES_H

#include <kassay/text.h>

typedef struct ks_reader {
    ks_bytes bytes;
    size_t at;   ///< offset of the next byte
    bool failed; ///< a read went past the end
} ks_reader;

static inline ks_reader ks_reader_from(ks_bytes bytes, size_t at) {
    ks_reader reader = {bytes, at, at > bytes.size};
    return reader;
}
/// `size` bytes as a view; an empty view with the failure set when they are not there.
static inline ks_bytes ks_read_bytes(ks_reader *reader, size_t size) {
    ks_bytes none = {reader->bytes.data, 0};
    if (reader->failed || size > reader->bytes.size - reader->at) {
        reader->failed = true;
        return none;
    }
    ks_bytes view = {reader->bytes.data + reader->at, size};
    reader->at += size;
    return view;
}
static inline uint64_t ks__little_endian(const uint8_t *data, size_t size) {
    uint64_t value = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&value, data, size);
#else
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)data[i] << (8 * i);
#endif
    return value;
}
/// `size` is known to the compiler: one load.
static inline uint64_t ks__read_fixed(ks_reader *reader, size_t size) {
    ks_bytes view = ks_read_bytes(reader, size);
    return view.size ? ks__little_endian(view.data, size) : 0;
}
static inline uint8_t ks_read_u8(ks_reader *reader) {
    return (uint8_t)ks__read_fixed(reader, 1);
}
static inline uint16_t ks_read_u16(ks_reader *reader) {
    return (uint16_t)ks__read_fixed(reader, 2);
}
static inline uint32_t ks_read_u32(ks_reader *reader) {
    return (uint32_t)ks__read_fixed(reader, 4);
}
static inline uint64_t ks_read_u64(ks_reader *reader) {
    return ks__read_fixed(reader, 8);
}
/// An unsigned integer of 1 to 8 bytes.
static inline uint64_t ks_read_uint(ks_reader *reader, size_t size) {
    switch (size) {
    case 1:
        return ks_read_u8(reader);
    case 2:
        return ks_read_u16(reader);
    case 4:
        return ks_read_u32(reader);
    case 8:
        return ks_read_u64(reader);
    default: {
        ks_bytes view = ks_read_bytes(reader, size);
        return ks__little_endian(view.data, view.size);
    }
    }
}
static inline void ks_read_skip(ks_reader *reader, size_t size) {
    (void)ks_read_bytes(reader, size);
}

#endif
