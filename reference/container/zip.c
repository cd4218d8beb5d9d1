// SPDX-License-Identifier: Apache-2.0
//
// The strict zip reader: every archive that Keras and Python's zipfile write, read as zipfile reads them, with every
// lie between the headers named. Fields (APPNOTE.TXT 6.3, little-endian):
//
//   end record        "PK\5\6" disk:2 cd_disk:2 entries_here:2 entries:2 cd_size:4 cd_offset:4 comment_size:2 comment
//   zip64 locator     "PK\6\7" disk:4 offset:8 disks:4                     (20 bytes before the end record)
//   zip64 end record  "PK\6\6" size:8 made:2 needed:2 disk:4 cd_disk:4 entries_here:8 entries:8 cd_size:8 cd_offset:8
//   central header    "PK\1\2" made:2 needed:2 flags:2 method:2 time:2 date:2 crc:4 stored:4 size:4 name_size:2
//                     extra_size:2 comment_size:2 disk:2 internal:2 external:4 header_offset:4 name extra comment
//   local header      "PK\3\4" needed:2 flags:2 method:2 time:2 date:2 crc:4 stored:4 size:4 name_size:2 extra_size:2
//
// As in zipfile: the last end record in the last 64 KiB counts, bytes before the archive shift all offsets, names
// without the UTF-8 flag are code page 437, of equal names the last one counts.
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "container/container_internal.h"
#include "container/zip_internal.h"

#define END_SIZE 22
#define LOCATOR_SIZE 20
#define END64_SIZE 56
#define CENTRAL_SIZE 46
#define LOCAL_SIZE 30
#define MAX_COMMENT 65535

#define FLAG_ENCRYPTED 0x0001
#define FLAG_DESCRIPTOR 0x0008
#define FLAG_PATCHED 0x0020
#define FLAG_STRONG 0x0040
#define FLAG_UTF8 0x0800

typedef struct zip {
    ks_archive base;
    ks_arena arena;
    ks_bytes bytes;
    ks__entries entries;
    struct libdeflate_decompressor *inflater;
} zip;

/// What the end records say.
typedef struct directory {
    uint64_t offset; ///< of the first central header in the file
    uint64_t size;
    uint64_t count;
    uint64_t shift; ///< bytes before the archive
} directory;

static ks_code fail(const zip *z, ks_code code, uint64_t offset, const char *name, const char *text) {
    return ks_fail(z->base.context, code, KS_STAGE_ZIP, offset, name, "%s", text);
}

// --- end records ----------------------------------------------------------------------------------------------------

static bool is_end(const zip *z, size_t at) {
    return at + END_SIZE <= z->bytes.size && memcmp(z->bytes.data + at, "PK\5\6", 4) == 0;
}

static ks_code find_end(const zip *z, size_t *out) {
    size_t size = z->bytes.size, lowest;
    if (size < END_SIZE)
        return fail(z, KS_E_ZIP_NO_END, 0, NULL, "the file is shorter than an end record");
    lowest = size > END_SIZE + MAX_COMMENT ? size - END_SIZE - MAX_COMMENT : 0;
    for (size_t at = size - END_SIZE + 1; at-- > lowest;) {
        if (is_end(z, at)) {
            *out = at;
            return KS_OK;
        }
    }
    return fail(z, KS_E_ZIP_NO_END, size, NULL, "no end record in the last 64 KiB");
}

static ks_code read_end64(const zip *z, size_t end, directory *d, uint64_t *end_size) {
    size_t at = end - LOCATOR_SIZE;
    ks_reader r = ks_reader_from(z->bytes, at + 4);
    uint32_t disk = ks_read_u32(&r);
    uint32_t disks;
    ks_read_skip(&r, 8);
    disks = ks_read_u32(&r);
    if (disk != 0 || disks > 1)
        return fail(z, KS_E_ZIP_MULTI_DISK, at, NULL, "the zip64 locator names another disk");
    if (at < END64_SIZE)
        return fail(z, KS_E_ZIP_ZIP64, at, NULL, "no room for a zip64 end record before its locator");
    at -= END64_SIZE;
    r = ks_reader_from(z->bytes, at);
    if (memcmp(ks_read_bytes(&r, 4).data, "PK\6\6", 4) != 0)
        return KS_OK; // as zipfile: a locator without record is no zip64 archive
    ks_read_skip(&r, 8 + 2 + 2);
    if (ks_read_u32(&r) != 0 || ks_read_u32(&r) != 0)
        return fail(z, KS_E_ZIP_MULTI_DISK, at, NULL, "the zip64 end record names another disk");
    ks_read_skip(&r, 8);
    d->count = ks_read_u64(&r);
    d->size = ks_read_u64(&r);
    d->offset = ks_read_u64(&r);
    *end_size = END64_SIZE + LOCATOR_SIZE;
    return KS_OK;
}

static ks_code read_end(const zip *z, directory *d) {
    size_t end = 0;
    uint64_t before = 0, directory_end;
    uint16_t disk, start_disk, comment;
    ks_reader r;
    ks_code code;
    KS_TRY(find_end(z, &end));
    r = ks_reader_from(z->bytes, end + 4);
    disk = ks_read_u16(&r);
    start_disk = ks_read_u16(&r);
    ks_read_skip(&r, 2);
    d->count = ks_read_u16(&r);
    d->size = ks_read_u32(&r);
    d->offset = ks_read_u32(&r);
    comment = ks_read_u16(&r);
    if (r.at + comment > z->bytes.size)
        return fail(z, KS_E_ZIP_TRUNCATED, r.at, NULL, "the archive's comment lies outside the file");
    if (r.at + comment < z->bytes.size)
        ks_warn(z->base.context, "zip-trailing-bytes", "");
    if (end >= LOCATOR_SIZE && memcmp(z->bytes.data + end - LOCATOR_SIZE, "PK\6\7", 4) == 0)
        KS_TRY(read_end64(z, end, d, &before));
    else if ((disk != 0 && disk != 0xffff) || (start_disk != 0 && start_disk != 0xffff))
        return fail(z, KS_E_ZIP_MULTI_DISK, end, NULL, "the end record names another disk");
    directory_end = end - before;
    if (d->size > directory_end || d->offset > directory_end - d->size)
        return fail(z, KS_E_ZIP_TRUNCATED, end, NULL, "the central directory lies outside the file");
    d->shift = directory_end - d->size - d->offset;
    d->offset += d->shift;
    if (d->shift)
        ks_warn(z->base.context, "zip-prefixed", "");
    if (d->count > z->base.context->limits.zip_members)
        return fail(z, KS_E_ZIP_MEMBERS, end, NULL, "more members than the limits allow");
    if (d->count > d->size / CENTRAL_SIZE)
        return fail(z, KS_E_ZIP_COUNT, end, NULL, "more entries announced than the central directory has room for");
done:
    return code;
}

// --- central headers ------------------------------------------------------------------------------------------------

// Unicode of the upper half of code page 437, as Python's cp437 codec has it.
static const uint16_t code_page_437[128] = {
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee,
    0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6,
    0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa,
    0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502,
    0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514,
    0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
    0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c,
    0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
    0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320,
    0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0};

static bool is_utf8(ks_bytes text) {
    for (size_t i = 0; i < text.size;) {
        uint8_t c = text.data[i];
        size_t extra = c < 0x80                ? 0
                       : c >= 0xc2 && c < 0xe0 ? 1
                       : c >= 0xe0 && c < 0xf0 ? 2
                       : c >= 0xf0 && c < 0xf5 ? 3
                                               : 9;
        if (extra == 9 || extra >= text.size - i)
            return false;
        for (size_t k = 1; k <= extra; k++)
            if ((text.data[i + k] & 0xc0) != 0x80)
                return false;
        if ((c == 0xe0 && text.data[i + 1] < 0xa0) || (c == 0xed && text.data[i + 1] >= 0xa0) ||
            (c == 0xf0 && text.data[i + 1] < 0x90) || (c == 0xf4 && text.data[i + 1] >= 0x90))
            return false;
        i += extra + 1;
    }
    return true;
}

static ks_code decode_name(zip *z, ks_text *out, ks_bytes raw, bool utf8, uint64_t offset) {
    char *text;
    size_t size = 0;
    if (raw.size == 0 || memchr(raw.data, 0, raw.size))
        return fail(z, KS_E_ZIP_NAME, offset, NULL, "a member's name is empty or holds NUL");
    if (utf8 && !is_utf8(raw))
        return fail(z, KS_E_ZIP_NAME, offset, NULL, "a member's name is marked as UTF-8 and is not");
    text = ks_arena_get(&z->arena, 3 * raw.size + 1, 1);
    if (!text)
        return z->base.context->error.code;
    for (size_t i = 0; i < raw.size; i++) {
        uint16_t code = raw.data[i];
        if (utf8 || code < 0x80) {
            text[size++] = (char)code;
            continue;
        }
        code = code_page_437[code - 0x80];
        if (code < 0x800) {
            text[size++] = (char)(0xc0 | code >> 6);
        } else {
            text[size++] = (char)(0xe0 | code >> 12);
            text[size++] = (char)(0x80 | (code >> 6 & 0x3f));
        }
        text[size++] = (char)(0x80 | (code & 0x3f));
    }
    *out = (ks_text){text, size};
    return KS_OK;
}

// The zip64 field holds those of size, stored size and header offset that are all ones in the header, in this order.
static ks_code read_extra(const zip *z, ks_bytes extra, uint64_t offset, uint64_t *size, uint64_t *stored,
                          uint64_t *header) {
    ks_reader r = ks_reader_from(extra, 0);
    bool found = false;
    while (r.at + 4 <= extra.size) {
        uint16_t id = ks_read_u16(&r);
        uint16_t length = ks_read_u16(&r);
        ks_reader field = ks_reader_from(ks_read_bytes(&r, length), 0);
        if (r.failed)
            return fail(z, KS_E_ZIP_EXTRA, offset, NULL, "an extra field is longer than its space");
        if (id != 1)
            continue;
        found = true;
        if (*size == UINT32_MAX)
            *size = ks_read_u64(&field);
        if (*stored == UINT32_MAX)
            *stored = ks_read_u64(&field);
        if (header && *header == UINT32_MAX)
            *header = ks_read_u64(&field);
        if (field.failed)
            return fail(z, KS_E_ZIP_ZIP64, offset, NULL, "a zip64 field is too short");
    }
    if (!found && (*size == UINT32_MAX || *stored == UINT32_MAX || (header && *header == UINT32_MAX)))
        return fail(z, KS_E_ZIP_ZIP64, offset, NULL, "a size says zip64 but the field is missing");
    return KS_OK;
}

static ks_code check_entry(const zip *z, const ks__entry *e, uint16_t made, uint32_t external, uint64_t offset) {
    const char *name = e->member.name.data;
    const ks_limits *limits = &z->base.context->limits;
    if (!ks__name_is_safe(e->member.name))
        return fail(z, KS_E_ZIP_UNSAFE_NAME, offset, name, "the name would leave the directory it is extracted to");
    if (made >> 8 == 3 && (external >> 16 & 0170000) == 0120000)
        return fail(z, KS_E_ZIP_SYMLINK, offset, name, "the member is a symbolic link");
    if (e->flags & (FLAG_ENCRYPTED | FLAG_STRONG))
        return fail(z, KS_E_ZIP_ENCRYPTED, offset, name, "the member is encrypted");
    if (e->flags & FLAG_PATCHED)
        return fail(z, KS_E_ZIP_PATCHED, offset, name, "the member is compressed patched data");
    if (e->member.method != 0 && e->member.method != 8)
        return ks_fail(z->base.context, KS_E_ZIP_METHOD, KS_STAGE_ZIP, offset, name,
                       "expected method 0 (stored) or 8 (deflated), found %u", e->member.method);
    if (e->member.method == 0 && e->member.size != e->member.stored_size)
        return fail(z, KS_E_ZIP_SIZE, offset, name, "a stored member has two different sizes");
    if (e->member.size > limits->member_size ||
        (e->member.size > (uint64_t)1 << 20 && e->member.size / limits->inflate_ratio > e->member.stored_size))
        return fail(z, KS_E_ZIP_BOMB, offset, name, "the member inflates to more than the limits allow");
    return KS_OK;
}

static ks_code read_central(zip *z, ks_reader *r, ks__entry *e, const directory *d) {
    uint64_t offset = r->at;
    ks_bytes signature = ks_read_bytes(r, 4);
    uint16_t made, name_size, extra_size, comment_size;
    uint32_t external;
    ks_bytes name, extra;
    ks_code code;

    if (r->failed)
        return fail(z, KS_E_ZIP_COUNT, offset, NULL, "the central directory ends before its last entry");
    if (memcmp(signature.data, "PK\1\2", 4) != 0)
        return fail(z, KS_E_ZIP_SIGNATURE, offset, NULL, "expected a central header");
    made = ks_read_u16(r);
    ks_read_skip(r, 2);
    e->flags = ks_read_u16(r);
    e->member.method = ks_read_u16(r);
    ks_read_skip(r, 4);
    e->member.crc32 = ks_read_u32(r);
    e->member.stored_size = ks_read_u32(r);
    e->member.size = ks_read_u32(r);
    name_size = ks_read_u16(r);
    extra_size = ks_read_u16(r);
    comment_size = ks_read_u16(r);
    if (ks_read_u16(r) != 0 && !r->failed)
        return fail(z, KS_E_ZIP_MULTI_DISK, offset, NULL, "a member starts on another disk");
    ks_read_skip(r, 2);
    external = ks_read_u32(r);
    e->header = ks_read_u32(r);
    name = ks_read_bytes(r, name_size);
    extra = ks_read_bytes(r, extra_size);
    ks_read_skip(r, comment_size);
    if (r->failed)
        return fail(z, KS_E_ZIP_TRUNCATED, offset, NULL, "a central header reaches beyond the central directory");
    KS_TRY(decode_name(z, &e->member.name, name, e->flags & FLAG_UTF8, offset));
    KS_TRY(read_extra(z, extra, offset, &e->member.size, &e->member.stored_size, &e->header));
    e->member.directory = e->member.name.data[e->member.name.size - 1] == '/';
    if (!ks_add_u64(e->header, d->shift, &e->header) || e->header > d->offset)
        return fail(z, KS_E_ZIP_TRUNCATED, offset, e->member.name.data, "the local header lies outside the archive");
    KS_TRY(check_entry(z, e, made, external, offset));
done:
    return code;
}

// --- local headers --------------------------------------------------------------------------------------------------

static ks_code check_local_sizes(const zip *z, const ks__entry *e, ks_bytes extra, uint32_t crc, uint64_t stored,
                                 uint64_t size) {
    const char *name = e->member.name.data;
    ks_code code;
    if (e->flags & FLAG_DESCRIPTOR) // zero, or real, or unknown: the descriptor after the data has them
        return KS_OK;
    KS_TRY(read_extra(z, extra, e->header, &size, &stored, NULL));
    if (crc != e->member.crc32 || stored != e->member.stored_size || size != e->member.size)
        return fail(z, KS_E_ZIP_MISMATCH, e->header, name,
                    "CRC or sizes of the local header differ from the central one");
done:
    return code;
}

static ks_code read_local(zip *z, ks__entry *e, const directory *d) {
    ks_reader r = ks_reader_from((ks_bytes){z->bytes.data, (size_t)d->offset}, (size_t)e->header);
    ks_bytes signature = ks_read_bytes(&r, 4);
    const char *name = e->member.name.data;
    uint16_t flags, method, name_size, extra_size;
    uint64_t stored, size;
    uint32_t crc;
    ks_bytes raw, extra;
    ks_text decoded;
    ks_code code;

    if (r.failed || memcmp(signature.data, "PK\3\4", 4) != 0)
        return fail(z, KS_E_ZIP_SIGNATURE, e->header, name, "expected a local header");
    ks_read_skip(&r, 2);
    flags = ks_read_u16(&r);
    method = ks_read_u16(&r);
    ks_read_skip(&r, 4);
    crc = ks_read_u32(&r);
    stored = ks_read_u32(&r);
    size = ks_read_u32(&r);
    name_size = ks_read_u16(&r);
    extra_size = ks_read_u16(&r);
    raw = ks_read_bytes(&r, name_size);
    extra = ks_read_bytes(&r, extra_size);
    if (r.failed)
        return fail(z, KS_E_ZIP_TRUNCATED, e->header, name, "the local header reaches into the central directory");
    KS_TRY(decode_name(z, &decoded, raw, flags & FLAG_UTF8, e->header));
    if (!ks_text_equal(decoded, e->member.name))
        return fail(z, KS_E_ZIP_MISMATCH, e->header, name, "the local header has another name");
    if (method != e->member.method || ((flags ^ e->flags) & (FLAG_ENCRYPTED | FLAG_PATCHED | FLAG_DESCRIPTOR)))
        return fail(z, KS_E_ZIP_MISMATCH, e->header, name, "the local header has another method or other flags");
    KS_TRY(check_local_sizes(z, e, extra, crc, stored, size));
    e->member.offset = r.at;
    if (!ks_range_inside(r.at, e->member.stored_size, d->offset))
        return fail(z, KS_E_ZIP_TRUNCATED, r.at, name, "the member's bytes reach into the central directory");
done:
    return code;
}

// --- overlaps -------------------------------------------------------------------------------------------------------

static int compare_headers(const void *a, const void *b) {
    const ks__entry *left = *(const ks__entry *const *)a, *right = *(const ks__entry *const *)b;
    return (left->header > right->header) - (left->header < right->header);
}

static ks_code check_overlaps(zip *z) {
    const ks__entry **sorted = ks_arena_get(&z->arena, z->entries.count + 1, sizeof(*sorted));
    if (!sorted)
        return z->base.context->error.code;
    for (size_t i = 0; i < z->entries.count; i++)
        sorted[i] = &z->entries.items[i];
    qsort(sorted, z->entries.count, sizeof(*sorted), compare_headers);
    for (size_t i = 1; i < z->entries.count; i++) {
        const ks__entry *before = sorted[i - 1];
        if (before->member.offset + before->member.stored_size > sorted[i]->header)
            return fail(z, KS_E_ZIP_OVERLAP, sorted[i]->header, sorted[i]->member.name.data,
                        "the member overlaps the one before it");
    }
    return KS_OK;
}

// --- the archive ----------------------------------------------------------------------------------------------------

static ks_code read_directory(zip *z) {
    directory d = {0};
    ks_reader r;
    ks_code code;
    KS_TRY(read_end(z, &d));
    z->entries.items = ks_arena_get(&z->arena, (size_t)d.count + 1, sizeof(*z->entries.items));
    if (!z->entries.items)
        return z->base.context->error.code;
    z->entries.count = (size_t)d.count;
    r = ks_reader_from((ks_bytes){z->bytes.data, (size_t)(d.offset + d.size)}, (size_t)d.offset);
    for (size_t i = 0; i < z->entries.count; i++)
        KS_TRY(read_central(z, &r, &z->entries.items[i], &d));
    if (r.at != d.offset + d.size)
        return fail(z, KS_E_ZIP_COUNT, r.at, NULL, "the central directory has bytes after its last entry");
    for (size_t i = 0; i < z->entries.count; i++)
        KS_TRY(read_local(z, &z->entries.items[i], &d));
    KS_TRY(check_overlaps(z));
    KS_TRY(ks__entries_index(&z->entries, &z->arena));
done:
    return code;
}

static ks_code inflate(zip *z, ks__entry *e, ks_bytes stored) {
    uint8_t *data;
    size_t used;
    if (!z->inflater)
        z->inflater = libdeflate_alloc_decompressor();
    if (!z->inflater)
        return fail(z, KS_E_NO_MEMORY, KS_NO_OFFSET, NULL, "no memory for a decompressor");
    data = ks_allocate(z->base.context, (size_t)e->member.size + 1, 1);
    if (!data)
        return z->base.context->error.code;
    e->content = (ks_bytes){data, (size_t)e->member.size};
    switch (libdeflate_deflate_decompress_ex(z->inflater, stored.data, stored.size, data, (size_t)e->member.size, &used,
                                             NULL)) {
    case LIBDEFLATE_SUCCESS:
        if (used == stored.size)
            return KS_OK;
        return fail(z, KS_E_ZIP_SIZE, e->member.offset + used, e->member.name.data, "bytes follow the deflate stream");
    case LIBDEFLATE_SHORT_OUTPUT:
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return fail(z, KS_E_ZIP_SIZE, e->member.offset, e->member.name.data,
                    "the deflate stream gives another number of bytes than the header says");
    default:
        return fail(z, KS_E_ZIP_DEFLATE, e->member.offset, e->member.name.data, "the deflate stream is broken");
    }
}

static ks_code zip_read(ks_bytes *out, ks_archive *archive, const ks_archive_member *member, bool verify) {
    zip *z = (zip *)archive;
    ks__entry *e = (ks__entry *)(uintptr_t)member; // the member is the entry's first field
    ks_bytes stored = {z->bytes.data + e->member.offset, (size_t)e->member.stored_size};
    ks_code code = KS_OK;
    out->size = 0;
    if (!e->loaded) {
        if (e->member.method == 0) {
            e->content = stored;
        } else {
            code = inflate(z, e, stored);
            if (code != KS_OK) {
                ks_free(archive->context, (void *)(uintptr_t)e->content.data);
                e->content = (ks_bytes){0};
                return code;
            }
        }
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
}

static void zip_close(ks_archive *archive) {
    zip *z = (zip *)archive;
    ks_context *context = archive->context;
    for (size_t i = 0; i < z->entries.count; i++)
        if (z->entries.items[i].loaded && z->entries.items[i].member.method != 0)
            ks_free(context, (void *)(uintptr_t)z->entries.items[i].content.data);
    libdeflate_free_decompressor(z->inflater);
    ks_arena_fini(&z->arena);
    ks_free(context, z);
}

static size_t zip_count(const ks_archive *archive) {
    return ((const zip *)archive)->entries.count;
}

static const ks_archive_member *zip_member_at(const ks_archive *archive, size_t index) {
    return &((const zip *)archive)->entries.items[index].member;
}

static const ks_archive_member *zip_find(const ks_archive *archive, const char *name) {
    return ks__entries_find(&((const zip *)archive)->entries, name);
}

static const ks_archive_ops zip_ops = {zip_close, zip_count, zip_member_at, zip_find, zip_read};

ks_code ks__zip_open(ks_archive **out, ks_context *context, ks_bytes bytes) {
    zip *z = ks_allocate(context, 1, sizeof(*z));
    ks_code code;
    *out = NULL;
    if (!z)
        return context->error.code;
    z->base.ops = &zip_ops;
    z->base.context = context;
    z->bytes = bytes;
    ks_arena_init(&z->arena, context);
    code = read_directory(z);
    if (code != KS_OK) {
        zip_close(&z->base);
        return code;
    }
    *out = &z->base;
    return KS_OK;
}
