// SPDX-License-Identifier: Apache-2.0
//
// The superblock, at byte 0, 512, 1024, 2048, ... of the file (what is before it belongs to the user).
//
// Version 0 and 1:
//   signature          8  "\x89HDF\r\n\x1a\n"
//   version            1
//   free space version 1  0
//   root group version 1  0
//   reserved           1
//   shared header version 1  0
//   size of addresses  1  O
//   size of lengths    1  L
//   reserved           1
//   group leaf K       2
//   group internal K   2
//   consistency flags  4
//   chunk internal K   2  version 1 only, and 2 reserved
//   base address       O  moves with the superblock
//   free space address O  undefined
//   end of file        O
//   driver information O  address, or undefined
//   root group         symbol table entry: name offset L, header address O, cache type 4, reserved 4, scratch 16
//
// Version 2 and 3:
//   signature 8, version 1, size of addresses 1, size of lengths 1, flags 1 (bit 0: open for writing, bit 2: SWMR)
//   base address O, extension address O, end of file O, root header address O, checksum 4
//
// The extension is an object header; its "B-tree K" message (version 1, chunk K 2, group internal K 2, leaf K 2) is
// read; its "file space" message (version 1; version 0: strategy 1, threshold L, [managers 8 each]; version 1: strategy
// 1, persistent 1, threshold L, page size L, metadata at a page's end 2, end O, [managers O each]) is checked, and says
// nothing that a reader needs. Refused are driver information, a table of shared messages, and an image of the metadata
// cache, which counts instead of what stands in the file.
#include "container/hdf5_internal.h"

#define KNOWN_FLAGS 7U // open for writing, was closed, SWMR
#define SIGNATURE "\x89HDF\r\n\x1a\n"

typedef struct fields {
    uint64_t base;
    uint64_t end;
    uint64_t extension;
    uint64_t driver;
} fields;

static bool signature_at(ks_bytes bytes, uint64_t at) {
    return ks_range_inside(at, 8, bytes.size) && memcmp(bytes.data + at, SIGNATURE, 8) == 0;
}

static ks_code locate(uint64_t *out, ks__h5 *self) {
    for (uint64_t at = 0; ks_range_inside(at, 8, self->bytes.size); at = at ? at * 2 : 512) {
        if (signature_at(self->bytes, at)) {
            *out = at;
            return KS_OK;
        }
    }
    return ks__h5_fail(self, KS_E_HDF5_NO_SIGNATURE, 0,
                       "expected the HDF5 signature at byte 0, 512, 1024, ..., found none");
}

static ks_code set_sizes(ks__h5 *self, ks_reader *reader) {
    self->offset_size = ks_read_u8(reader);
    self->length_size = ks_read_u8(reader);
    size_t o = self->offset_size;
    size_t l = self->length_size;
    if (reader->failed)
        return ks__h5_fail(self, KS_E_HDF5_TRUNCATED, self->bytes.size,
                           "expected a superblock, found the end of the file");
    if ((o != 2 && o != 4 && o != 8) || (l != 2 && l != 4 && l != 8))
        return ks__h5_fail(self, KS_E_HDF5_SIZES, reader->at, "expected sizes of 2, 4 or 8 bytes, found %zu and %zu", o,
                           l);
    return KS_OK;
}

static ks_code read_old(fields *out, ks__h5 *self, ks_reader *reader, unsigned version) {
    unsigned free_version = ks_read_u8(reader);
    unsigned root_version = ks_read_u8(reader);
    ks_read_skip(reader, 1);
    unsigned shared_version = ks_read_u8(reader);
    if (free_version != 0 || root_version != 0 || shared_version != 0)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, 9, "expected versions 0, found %u, %u and %u", free_version,
                           root_version, shared_version);
    ks_code code = set_sizes(self, reader);
    if (code != KS_OK)
        return code;
    ks_read_skip(reader, 1);
    self->leaf_k = ks_read_u16(reader);
    self->group_k = ks_read_u16(reader);
    uint32_t flags = ks_read_u32(reader);
    if (!reader->failed && (flags & ~KNOWN_FLAGS) != 0)
        return ks__h5_fail(self, KS_E_HDF5_SUPERBLOCK, 20, "expected known flags, found 0x%X", flags);
    if (version == 1) {
        self->chunk_k = ks_read_u16(reader);
        ks_read_skip(reader, 2);
    }
    out->base = ks__h5_address(self, reader);
    uint64_t free_space = ks__h5_address(self, reader);
    if (!reader->failed && free_space != KS__H5_UNDEFINED) // libhdf5 takes it for an extension
        return ks__h5_fail(self, KS_E_HDF5_SUPERBLOCK, reader->at - self->offset_size,
                           "expected no address of free space, found 0x%llX", (unsigned long long)free_space);
    out->end = ks__h5_address(self, reader);
    out->driver = ks__h5_address(self, reader);
    (void)ks__h5_length(self, reader); // the root's name
    self->root = ks__h5_address(self, reader);
    uint64_t cache_at = reader->at;
    uint32_t cache = ks_read_u32(reader);
    ks_read_skip(reader, 20);
    if (!reader->failed && cache > 1)
        return ks__h5_fail(self, KS_E_HDF5_SUPERBLOCK, cache_at,
                           "expected a cache type of 0 or 1 for the root, found %u", cache);
    if (!reader->failed && (self->leaf_k == 0 || self->group_k == 0 || self->chunk_k == 0))
        return ks__h5_fail(self, KS_E_HDF5_SUPERBLOCK, 16, "expected room for entries in tree nodes, found none");
    return KS_OK;
}

static ks_code read_new(fields *out, ks__h5 *self, ks_reader *reader, unsigned version) {
    ks_code code = set_sizes(self, reader);
    if (code != KS_OK)
        return code;
    unsigned flags = ks_read_u8(reader);
    out->base = ks__h5_address(self, reader);
    out->extension = ks__h5_address(self, reader);
    out->end = ks__h5_address(self, reader);
    self->root = ks__h5_address(self, reader);
    if (reader->failed)
        return KS_OK; // the caller says so
    uint64_t size = reader->at;
    uint32_t stored = ks_read_u32(reader);
    uint32_t computed = ks__h5_lookup3(self->bytes.data, (size_t)size);
    if (!reader->failed && stored != computed)
        return ks__h5_fail(self, KS_E_HDF5_CHECKSUM, size, "expected checksum 0x%08X of the superblock, found 0x%08X",
                           computed, stored);
    if ((flags & ~5U) != 0)
        return ks__h5_fail(self, KS_E_HDF5_SUPERBLOCK, 11, "expected known flags, found 0x%02X", flags);
    if (version == 3 && flags != 0)
        return ks__h5_fail(self, KS_E_HDF5_IN_USE, 11, "expected a file that was closed, found flags 0x%02X", flags);
    return KS_OK;
}

static ks_code check_space_info(ks__h5 *self, const ks__h5_message *message) {
    ks_reader reader = ks__h5_reader(self, ks__h5_message_span(message));
    unsigned version = ks_read_u8(&reader);
    unsigned strategy = ks_read_u8(&reader);
    bool known = false;
    if (version == 0) {
        known = strategy >= 1 && strategy <= 4;
        ks_read_skip(&reader, self->length_size + (strategy == 1 ? 6 * 8 : 0));
    } else {
        known = strategy <= 3;
        unsigned persistent = ks_read_u8(&reader);
        ks_read_skip(&reader,
                     2 * self->length_size + 2 + self->offset_size + (persistent ? 12 * self->offset_size : 0));
    }
    if (!reader.failed && version > 1)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, message->at, "expected file space of version 0 or 1, found %u",
                           version);
    if (reader.failed || !known)
        return ks__h5_fail(self, KS_E_HDF5_SUPERBLOCK, message->at,
                           "expected a known strategy of file space, found %u or the message's end", strategy);
    return KS_OK;
}

static ks_code read_tree_k(ks__h5 *self, const ks__h5_message *message) {
    ks_reader reader = ks__h5_reader(self, ks__h5_message_span(message));
    unsigned version = ks_read_u8(&reader);
    self->chunk_k = ks_read_u16(&reader);
    self->group_k = ks_read_u16(&reader);
    self->leaf_k = ks_read_u16(&reader);
    if (reader.failed || version != 0 || self->chunk_k == 0 || self->group_k == 0 || self->leaf_k == 0)
        return ks__h5_fail(self, KS_E_HDF5_SUPERBLOCK, message->at, "expected the sizes of tree nodes");
    return KS_OK;
}

static ks_code read_extension(ks__h5 *self, uint64_t address) {
    ks__h5_object *object = NULL;
    if (address == self->root)
        return ks__h5_fail(self, KS_E_HDF5_CYCLE, address,
                           "expected an extension of the superblock, found the root group");
    ks_code code = ks__h5_object_get(&object, self, address);
    if (code != KS_OK)
        return code;
    if (ks__h5_find_message(object, KS__H5_DRIVER_INFO))
        return ks__h5_fail(self, KS_E_HDF5_DRIVER, address, "expected one whole file, found driver information");
    if (ks__h5_find_message(object, KS__H5_SHARED_TABLE) || ks__h5_find_message(object, KS__H5_CACHE_IMAGE))
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE_SHARED, address,
                           "expected metadata in its place, found a table of shared messages or an image of the cache");
    const ks__h5_message *space = ks__h5_find_message(object, KS__H5_SPACE_INFO);
    const ks__h5_message *sizes = ks__h5_find_message(object, KS__H5_TREE_K);
    if (space)
        code = check_space_info(self, space);
    return code == KS_OK && sizes ? read_tree_k(self, sizes) : code;
}

/// The end that the superblock gives moves with the superblock, as its base address does.
static ks_code set_end(ks__h5 *self, const fields *found) {
    uint64_t size = 0; // from the superblock on
    if (found->base == KS__H5_UNDEFINED || found->end == KS__H5_UNDEFINED || found->end < found->base)
        return ks__h5_fail(self, KS_E_HDF5_SUPERBLOCK, 24, "expected an end behind the base address");
    size = found->end - found->base;
    if (size > self->bytes.size)
        return ks__h5_fail(self, KS_E_HDF5_TRUNCATED, self->bytes.size, "expected %llu bytes, found %zu",
                           (unsigned long long)size, self->bytes.size);
    self->bytes.size = (size_t)size;
    return KS_OK;
}

ks_code ks__h5_superblock(ks__h5 *self) {
    uint64_t at = 0;
    ks_code code = locate(&at, self);
    if (code != KS_OK)
        return code;
    self->base_offset = at;
    self->bytes.data += at;
    self->bytes.size -= (size_t)at;
    self->leaf_k = 4;
    self->group_k = 16;
    self->chunk_k = 32;
    fields found = {0, 0, KS__H5_UNDEFINED, KS__H5_UNDEFINED};
    ks_reader reader = ks_reader_from(self->bytes, 8);
    unsigned version = ks_read_u8(&reader);
    if (reader.failed)
        return ks__h5_fail(self, KS_E_HDF5_TRUNCATED, 8, "expected a superblock, found the end of the file");
    if (version > 3)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, 8, "expected a superblock of version 0 to 3, found %u", version);
    code = version < 2 ? read_old(&found, self, &reader, version) : read_new(&found, self, &reader, version);
    if (code != KS_OK)
        return code;
    if (reader.failed)
        return ks__h5_fail(self, KS_E_HDF5_TRUNCATED, self->bytes.size,
                           "expected a superblock of version %u, found the end of the file", version);
    if (found.driver != KS__H5_UNDEFINED)
        return ks__h5_fail(self, KS_E_HDF5_DRIVER, 0, "expected one whole file, found driver information");
    code = set_end(self, &found);
    if (code == KS_OK && self->root == KS__H5_UNDEFINED)
        code = ks__h5_fail(self, KS_E_HDF5_SUPERBLOCK, 0, "expected the address of the root group, found none");
    if (code == KS_OK)
        code = ks__h5_need(self, self->root, 4, "the root group");
    if (code == KS_OK && found.extension != KS__H5_UNDEFINED)
        code = read_extension(self, found.extension);
    return code;
}
