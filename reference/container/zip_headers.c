// SPDX-License-Identifier: Apache-2.0
//
// The headers of a zip archive's members (APPNOTE.TXT 6.3, little-endian):
//
//   central header    "PK\1\2" made:2 needed:2 flags:2 method:2 time:2 date:2 crc:4 stored:4 size:4 name_size:2
//                     extra_size:2 comment_size:2 disk:2 internal:2 external:4 header_offset:4 name extra comment
//   local header      "PK\3\4" needed:2 flags:2 method:2 time:2 date:2 crc:4 stored:4 size:4 name_size:2 extra_size:2
//                     name extra, then the member's bytes
//   zip64 field       id 1: size:8 stored:8 header_offset:8, of these the ones that are all ones in the header
//   data descriptor   ["PK\7\10"] crc:4 stored:4|8 size:4|8, behind the bytes when flag 3 is set
//
// The central header counts, as in Python's zipfile; a local one that says something else is refused. Descriptors are
// compared and an odd one only told: nothing is read by them.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "container/zip_internal.h"

#define CENTRAL_SIZE 46
#define NEWEST_VERSION 63 ///< of the format, times ten; zipfile refuses newer members
#define DESCRIPTOR_SIGNATURE 0x08074b50u

/// A header's fields that both kinds have.
typedef struct fields {
    uint16_t needed, flags, method, name_size, extra_size;
    uint32_t crc;
    uint64_t stored, size;
} fields;

static fields read_fields(ks_reader *r) {
    fields f = {0};
    f.needed = ks_read_u16(r);
    f.flags = ks_read_u16(r);
    f.method = ks_read_u16(r);
    ks_read_skip(r, 4); // time and date
    f.crc = ks_read_u32(r);
    f.stored = ks_read_u32(r);
    f.size = ks_read_u32(r);
    f.name_size = ks_read_u16(r);
    f.extra_size = ks_read_u16(r);
    return f;
}

// The zip64 field holds those of size, stored size and header offset that are all ones in the header, in this order.
static ks_code read_extra(const ks__zip *z, ks_bytes extra, uint64_t offset, uint64_t *size, uint64_t *stored,
                          uint64_t *header) {
    ks_reader r = ks_reader_from(extra, 0);
    bool found = false;
    while (r.at + 4 <= extra.size) {
        uint16_t id = ks_read_u16(&r);
        uint16_t length = ks_read_u16(&r);
        ks_reader field = ks_reader_from(ks_read_bytes(&r, length), 0);
        if (r.failed)
            return ks__zip_fail(z, KS_E_ZIP_EXTRA, offset, NULL, "an extra field is longer than its space");
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
            return ks__zip_fail(z, KS_E_ZIP_ZIP64, offset, NULL, "a zip64 field is too short");
    }
    if (!found && (*size == UINT32_MAX || *stored == UINT32_MAX || (header && *header == UINT32_MAX)))
        return ks__zip_fail(z, KS_E_ZIP_ZIP64, offset, NULL, "a size says zip64 but the field is missing");
    return KS_OK;
}

// --- central headers ------------------------------------------------------------------------------------------------

static ks_code check_safety(const ks__zip *z, const ks__entry *e, uint32_t external, uint64_t offset) {
    const char *name = e->member.name.data;
    if (!ks__name_is_safe(e->member.name))
        return ks__zip_fail(z, KS_E_ZIP_UNSAFE_NAME, offset, name,
                            "the name would leave the directory it is extracted to");
    if ((external >> 16 & 0170000) == 0120000)
        return ks__zip_fail(z, KS_E_ZIP_SYMLINK, offset, name, "the member is a symbolic link");
    return KS_OK;
}

static ks_code check_features(const ks__zip *z, const ks__entry *e, uint16_t needed, uint64_t offset) {
    const char *name = e->member.name.data;
    if ((needed & 0xff) > NEWEST_VERSION)
        return ks_fail(z->base.context, KS_E_ZIP_VERSION, KS_STAGE_ZIP, offset, name,
                       "expected at most version 6.3 of the format, found %u.%u", (needed & 0xff) / 10,
                       (needed & 0xff) % 10);
    if (e->flags & (KS_ZIP_ENCRYPTED | KS_ZIP_STRONG))
        return ks__zip_fail(z, KS_E_ZIP_ENCRYPTED, offset, name, "the member is encrypted");
    if (e->flags & KS_ZIP_PATCHED)
        return ks__zip_fail(z, KS_E_ZIP_PATCHED, offset, name, "the member is compressed patched data");
    if (e->member.method != 0 && e->member.method != 8)
        return ks_fail(z->base.context, KS_E_ZIP_METHOD, KS_STAGE_ZIP, offset, name,
                       "expected method 0 (stored) or 8 (deflated), found %u", e->member.method);
    return KS_OK;
}

static ks_code check_sizes(const ks__zip *z, const ks__entry *e, uint64_t offset) {
    const ks_archive_member *m = &e->member;
    const ks_limits *limits = &z->base.context->limits;
    if (m->method == 0 && m->size != m->stored_size)
        return ks__zip_fail(z, KS_E_ZIP_SIZE, offset, m->name.data, "a stored member has two different sizes");
    if (m->size > limits->member_size ||
        (m->size > (uint64_t)1 << 20 && m->size / limits->inflate_ratio > m->stored_size))
        return ks__zip_fail(z, KS_E_ZIP_BOMB, offset, m->name.data,
                            "the member inflates to more than the limits allow");
    return KS_OK;
}

// Offsets count from where the archive starts, which need not be where the file starts.
static bool shift_header(ks__entry *e, const ks__zip_directory *d) {
    uint64_t distance = d->shift < 0 ? 0 - (uint64_t)d->shift : (uint64_t)d->shift;
    if (d->shift < 0 && e->header < distance)
        return false;
    if (d->shift < 0)
        e->header -= distance;
    else if (!ks_add_u64(e->header, distance, &e->header))
        return false;
    return e->header <= d->offset;
}

static ks_code read_central(ks__zip *z, ks_reader *r, ks__entry *e, const ks__zip_directory *d) {
    uint64_t offset = r->at;
    ks_bytes signature = ks_read_bytes(r, 4), extra;
    uint16_t comment_size, disk;
    uint32_t external;
    fields f;
    ks_code code;

    if (!r->failed && memcmp(signature.data, "PK\1\2", 4) != 0)
        return ks__zip_fail(z, KS_E_ZIP_SIGNATURE, offset, NULL, "expected a central header");
    ks_read_skip(r, 2);
    f = read_fields(r);
    comment_size = ks_read_u16(r);
    disk = ks_read_u16(r);
    ks_read_skip(r, 2);
    external = ks_read_u32(r);
    e->header = ks_read_u32(r);
    e->raw_name = ks_read_bytes(r, f.name_size);
    extra = ks_read_bytes(r, f.extra_size);
    ks_read_skip(r, comment_size);
    if (r->failed)
        return ks__zip_fail(z, KS_E_ZIP_TRUNCATED, offset, NULL, "a central header reaches beyond the directory's end");
    if (disk != 0 && disk != 0xffff)
        return ks__zip_fail(z, KS_E_ZIP_MULTI_DISK, offset, NULL, "a member starts on another disk");
    e->flags = f.flags;
    KS_TRY(ks__zip_decode_name(z, &e->member.name, e->raw_name, f.flags & KS_ZIP_UTF8, offset));
    KS_TRY(read_extra(z, extra, offset, &f.size, &f.stored, &e->header));
    e->member.method = f.method;
    e->member.crc32 = f.crc;
    e->member.stored_size = f.stored;
    e->member.size = f.size;
    e->member.directory = e->member.name.data[e->member.name.size - 1] == '/';
    if (!shift_header(e, d))
        return ks__zip_fail(z, KS_E_ZIP_TRUNCATED, offset, e->member.name.data,
                            "the local header lies outside the archive");
    KS_TRY(check_safety(z, e, external, offset));
    KS_TRY(check_features(z, e, f.needed, offset));
    KS_TRY(check_sizes(z, e, offset));
done:
    return code;
}

// --- local headers --------------------------------------------------------------------------------------------------

static ks_code check_name(ks__zip *z, const ks__entry *e, ks_bytes raw, uint16_t flags) {
    ks_text decoded;
    ks_code code;
    if (raw.size == e->raw_name.size && ((flags ^ e->flags) & KS_ZIP_UTF8) == 0 &&
        memcmp(raw.data, e->raw_name.data, raw.size) == 0)
        return KS_OK;
    KS_TRY(ks__zip_decode_name(z, &decoded, raw, flags & KS_ZIP_UTF8, e->header));
    if (!ks_text_equal(decoded, e->member.name))
        return ks__zip_fail(z, KS_E_ZIP_MISMATCH, e->header, e->member.name.data, "the local header has another name");
done:
    return code;
}

static ks_code check_local(const ks__zip *z, const ks__entry *e, fields f, ks_bytes extra) {
    const ks_archive_member *m = &e->member;
    ks_code code = KS_OK;
    if (f.method != m->method || ((f.flags ^ e->flags) & (KS_ZIP_ENCRYPTED | KS_ZIP_PATCHED)))
        return ks__zip_fail(z, KS_E_ZIP_MISMATCH, e->header, m->name.data,
                            "the local header has another method or other flags");
    if ((f.flags | e->flags) & KS_ZIP_DESCRIPTOR) // zero, or real, or unknown: the descriptor after the data has them
        return KS_OK;
    if (f.size == UINT32_MAX || f.stored == UINT32_MAX)
        KS_TRY(read_extra(z, extra, e->header, &f.size, &f.stored, NULL));
    if (f.crc != m->crc32 || f.stored != m->stored_size || f.size != m->size)
        return ks__zip_fail(z, KS_E_ZIP_MISMATCH, e->header, m->name.data,
                            "CRC or sizes of the local header differ from the central one");
done:
    return code;
}

static bool descriptor_fits(const ks_archive_member *m, ks_reader r, bool signed_too, size_t width) {
    bool fits = !signed_too || ks_read_u32(&r) == DESCRIPTOR_SIGNATURE;
    fits = ks_read_u32(&r) == m->crc32 && fits;
    fits = ks_read_uint(&r, width) == m->stored_size && fits;
    fits = ks_read_uint(&r, width) == m->size && fits;
    return fits && !r.failed;
}

static void look_at_descriptor(const ks__zip *z, const ks__entry *e, ks_reader r) {
    const ks_archive_member *m = &e->member;
    if (!descriptor_fits(m, r, true, 4) && !descriptor_fits(m, r, false, 4) && !descriptor_fits(m, r, true, 8) &&
        !descriptor_fits(m, r, false, 8))
        ks_warn(z->base.context, "zip-odd-descriptor", m->name.data);
}

static ks_code read_local(ks__zip *z, ks__entry *e, const ks__zip_directory *d) {
    ks_reader r = ks_reader_from((ks_bytes){z->bytes.data, (size_t)d->offset}, (size_t)e->header);
    ks_bytes signature = ks_read_bytes(&r, 4), raw, extra;
    const char *name = e->member.name.data;
    fields f;
    ks_code code;
    if (r.failed || memcmp(signature.data, "PK\3\4", 4) != 0)
        return ks__zip_fail(z, KS_E_ZIP_SIGNATURE, e->header, name, "expected a local header");
    f = read_fields(&r);
    raw = ks_read_bytes(&r, f.name_size);
    extra = ks_read_bytes(&r, f.extra_size);
    if (r.failed)
        return ks__zip_fail(z, KS_E_ZIP_TRUNCATED, e->header, name,
                            "the local header reaches into the central directory");
    KS_TRY(check_name(z, e, raw, f.flags));
    KS_TRY(check_local(z, e, f, extra));
    e->member.offset = r.at;
    if (!ks_range_inside(r.at, e->member.stored_size, d->offset))
        return ks__zip_fail(z, KS_E_ZIP_TRUNCATED, r.at, name, "the member's bytes reach into the central directory");
    ks_read_skip(&r, (size_t)e->member.stored_size);
    if (f.flags & KS_ZIP_DESCRIPTOR)
        look_at_descriptor(z, e, r);
done:
    return code;
}

// --- overlaps -------------------------------------------------------------------------------------------------------

static int compare_headers(const void *a, const void *b) {
    const ks__entry *left = *(const ks__entry *const *)a, *right = *(const ks__entry *const *)b;
    return (left->header > right->header) - (left->header < right->header);
}

// Whether the members lie in the order of the directory without overlaps, as every writer that does not patch leaves
// them: then nothing need be sorted.
static bool lie_in_order(const ks__entries *entries) {
    for (size_t i = 1; i < entries->count; i++) {
        const ks_archive_member *before = &entries->items[i - 1].member;
        if (before->offset + before->stored_size > entries->items[i].header)
            return false;
    }
    return true;
}

static ks_code check_overlaps(ks__zip *z) {
    if (lie_in_order(&z->entries))
        return KS_OK;
    const ks__entry **sorted = ks_allocate(z->base.context, z->entries.count, sizeof(*sorted));
    ks_code code = KS_OK;
    if (!sorted)
        return z->base.context->error.code;
    for (size_t i = 0; i < z->entries.count; i++)
        sorted[i] = &z->entries.items[i];
    qsort(sorted, z->entries.count, sizeof(*sorted), compare_headers);
    for (size_t i = 1; i < z->entries.count && code == KS_OK; i++) {
        const ks_archive_member *before = &sorted[i - 1]->member;
        if (before->offset + before->stored_size > sorted[i]->header)
            code = ks__zip_fail(z, KS_E_ZIP_OVERLAP, sorted[i]->header, sorted[i]->member.name.data,
                                "the member overlaps the one before it");
    }
    ks_free(z->base.context, sorted);
    return code;
}

// --- all of them ----------------------------------------------------------------------------------------------------

// Entries of the directory up to the first broken one, which counts too: reading it then says what is wrong.
static uint64_t count_entries(ks_reader r) {
    uint64_t count = 0;
    while (!r.failed && r.at < r.bytes.size) {
        ks_reader header = r;
        size_t rest;
        count++;
        ks_read_skip(&header, 28);
        rest = ks_read_u16(&header);
        rest += ks_read_u16(&header);
        rest += ks_read_u16(&header);
        ks_read_skip(&r, CENTRAL_SIZE + rest);
    }
    return count;
}

ks_code ks__zip_read_headers(ks__zip *z, const ks__zip_directory *d) {
    ks_bytes up_to_end = {z->bytes.data, (size_t)(d->offset + d->size)};
    ks_reader r = ks_reader_from(up_to_end, (size_t)d->offset);
    uint64_t count = count_entries(r);
    ks_code code;
    if (count > z->base.context->limits.zip_members)
        return ks__zip_fail(z, KS_E_ZIP_MEMBERS, d->offset, NULL, "more members than the limits allow");
    if (count != d->count) // zipfile reads the directory to its end and does not look at the number
        ks_warn(z->base.context, "zip-odd-count", "");
    z->entries.items = ks_arena_get(&z->arena, (size_t)count, sizeof(*z->entries.items));
    if (!z->entries.items)
        return z->base.context->error.code;
    z->entries.count = (size_t)count;
    for (size_t i = 0; i < z->entries.count; i++)
        KS_TRY(read_central(z, &r, &z->entries.items[i], d));
    for (size_t i = 0; i < z->entries.count; i++)
        KS_TRY(read_local(z, &z->entries.items[i], d));
    KS_TRY(check_overlaps(z));
    KS_TRY(ks__entries_index(&z->entries, &z->arena));
done:
    return code;
}
