// SPDX-License-Identifier: Apache-2.0
//
// The strict zip reader: every archive that Keras and Python's zipfile write, read as zipfile reads them, with every
// lie between the headers named. The end records are read in zip_end.c, the headers in zip_headers.c; here the members'
// contents: stored ones are views into the file, deflated ones (RFC 1951) are inflated once.
#include <libdeflate.h>
#include <string.h>

#include "base/keep.h"
#include "container/container_internal.h"
#include "container/zip_internal.h"

static void free_inflater(void *inflater) {
    libdeflate_free_decompressor(inflater);
}

static ks_code need_inflater(ks__zip *z) {
    if (z->inflater)
        return KS_OK;
    z->inflater = libdeflate_alloc_decompressor();
    if (!z->inflater)
        return ks__zip_fail(z, KS_E_NO_MEMORY, KS_NO_OFFSET, NULL, "no memory for a decompressor");
    z->inflater_keeper = ks_keep(z->base.context, z->inflater, free_inflater);
    if (!z->inflater_keeper) {
        z->inflater = NULL;
        return z->base.context->error.code;
    }
    return KS_OK;
}

static ks_code inflate(ks_bytes *out, ks__zip *z, const ks_archive_member *m, ks_bytes stored) {
    size_t size = (size_t)m->size, used;
    uint8_t *data;
    ks_code code;
    KS_TRY(need_inflater(z));
    data = ks_allocate(z->base.context, size, 1);
    if (!data)
        return z->base.context->error.code;
    switch (libdeflate_deflate_decompress_ex(z->inflater, stored.data, stored.size, data, size, &used, NULL)) {
    case LIBDEFLATE_SUCCESS:
        if (used != stored.size)
            code = ks__zip_fail(z, KS_E_ZIP_SIZE, m->offset + used, m->name.data, "bytes follow the deflate stream");
        break;
    case LIBDEFLATE_SHORT_OUTPUT:
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        code = ks__zip_fail(z, KS_E_ZIP_SIZE, m->offset, m->name.data,
                            "the deflate stream gives another number of bytes than the header says");
        break;
    default:
        code = ks__zip_fail(z, KS_E_ZIP_DEFLATE, m->offset, m->name.data, "the deflate stream is broken");
    }
    *out = (ks_bytes){data, size};
    if (code != KS_OK)
        ks_free(z->base.context, data);
done:
    return code;
}

static ks_code zip_read(ks_bytes *out, ks_archive *archive, const ks_archive_member *member, bool verify) {
    ks__zip *z = (ks__zip *)archive;
    ks__entry *e = (ks__entry *)(uintptr_t)member; // the member is the entry's first field
    ks_bytes content = {z->bytes.data + e->member.offset, (size_t)e->member.stored_size};
    ks_code code;
    *out = (ks_bytes){z->bytes.data, 0};
    if (!e->loaded) {
        if (e->member.method != 0)
            KS_TRY(inflate(&content, z, &e->member, content));
        e->content = content;
        e->loaded = true;
    }
    if (verify && !e->verified) {
        uint32_t crc = libdeflate_crc32(0, e->content.data, e->content.size);
        if (crc != e->member.crc32)
            return ks_fail(archive->context, KS_E_ZIP_CRC, KS_STAGE_ZIP, e->member.offset, e->member.name.data,
                           "expected CRC-32 %08x, found %08x", e->member.crc32, crc);
        e->verified = true;
    }
    *out = e->content;
    return KS_OK;
done:
    return code;
}

static void zip_close(ks_archive *archive) {
    ks__zip *z = (ks__zip *)archive;
    ks_context *context = archive->context;
    for (size_t i = 0; i < z->entries.count; i++)
        if (z->entries.items[i].loaded && z->entries.items[i].member.method != 0)
            ks_free(context, (void *)(uintptr_t)z->entries.items[i].content.data);
    ks_free(context, z->inflater_keeper);
    ks_arena_fini(&z->arena);
    ks_free(context, z);
}

static size_t zip_count(const ks_archive *archive) {
    return ((const ks__zip *)archive)->entries.count;
}

static const ks_archive_member *zip_member_at(const ks_archive *archive, size_t index) {
    return &((const ks__zip *)archive)->entries.items[index].member;
}

static const ks_archive_member *zip_find(const ks_archive *archive, const char *name) {
    return ks__entries_find(&((const ks__zip *)archive)->entries, name);
}

static const ks_archive_ops zip_ops = {zip_close, zip_count, zip_member_at, zip_find, zip_read};

ks_code ks__zip_open(ks_archive **out, ks_context *context, ks_bytes bytes) {
    ks__zip *z = ks_allocate(context, 1, sizeof(*z));
    ks__zip_directory directory = {0};
    ks_code code;
    *out = NULL;
    if (!z)
        return context->error.code;
    z->base.ops = &zip_ops;
    z->base.context = context;
    z->bytes = bytes;
    ks_arena_init(&z->arena, context);
    KS_TRY(ks__zip_read_end(&directory, z));
    KS_TRY(ks__zip_read_headers(z, &directory));
    *out = &z->base;
    return KS_OK;
done:
    zip_close(&z->base);
    return code;
}
