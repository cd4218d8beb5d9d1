// SPDX-License-Identifier: Apache-2.0
//
// Link messages: one link of a new-style group.
//
//   version 1 (1), flags 1 (bits 0-1: bytes of the name's size, 2: creation order, 3: type, 4: character set),
//   [type 1: 0 hard, 1 soft, 64 external, 65- user-defined], [creation order 8], [character set 1],
//   size of the name 1-8, name, then
//   hard: header address O; soft: size 2, path; others: size 2, data
#include "container/hdf5_internal.h"

#define TYPE_HARD 0
#define TYPE_SOFT 1
#define TYPE_EXTERNAL 64

static ks_code read_target(ks_hdf5_link *out, ks__h5 *self, ks_reader *reader, unsigned type) {
    out->type = type == TYPE_HARD       ? KS_LINK_HARD
                : type == TYPE_SOFT     ? KS_LINK_SOFT
                : type == TYPE_EXTERNAL ? KS_LINK_EXTERNAL
                                        : KS_LINK_USER;
    if (type == TYPE_HARD) {
        out->node = ks__h5_address(self, reader);
        return KS_OK;
    }
    size_t size = ks_read_u16(reader);
    ks_read_skip(reader, size);
    if (type == TYPE_SOFT && size == 0)
        return ks__h5_fail(self, KS_E_HDF5_LINK, reader->at, "expected the path of a soft link, found none");
    return KS_OK;
}

ks_code ks__h5_link_parse(ks_hdf5_link *out, ks__h5 *self, ks__h5_span message) {
    ks_reader reader = ks__h5_reader(self, message);
    memset(out, 0, sizeof *out);
    unsigned version = ks_read_u8(&reader);
    unsigned flags = ks_read_u8(&reader);
    unsigned type = flags & 0x08 ? ks_read_u8(&reader) : TYPE_HARD;
    if (!reader.failed && version != 1)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, message.at, "expected a link of version 1, found %u", version);
    if ((flags & ~0x1FU) != 0 || (type > TYPE_SOFT && type < TYPE_EXTERNAL))
        return ks__h5_fail(self, KS_E_HDF5_LINK, message.at, "expected known flags and type, found 0x%02X and %u",
                           flags, type);
    if (flags & 0x04)
        ks_read_skip(&reader, 8);
    if (flags & 0x10 && ks_read_u8(&reader) > 1)
        return ks__h5_fail(self, KS_E_HDF5_LINK, message.at, "expected character set 0 or 1, found another");
    uint64_t size = ks_read_uint(&reader, (size_t)1 << (flags & 3));
    ks_bytes name = ks_read_bytes(&reader, size > SIZE_MAX ? SIZE_MAX : (size_t)size);
    if (reader.failed || size == 0 || memchr(name.data, 0, name.size) || memchr(name.data, '/', name.size))
        return ks__h5_fail(self, KS_E_HDF5_LINK, message.at, "expected a name without NUL and slash, found none");
    out->name = (ks_text){(const char *)name.data, name.size};
    ks_code code = read_target(out, self, &reader, type);
    if (code == KS_OK && reader.failed)
        return ks__h5_fail(self, KS_E_HDF5_LINK, message.at, "expected the target of a link, found the message's end");
    return code;
}
