// SPDX-License-Identifier: Apache-2.0
//
// Writes zip archives of stored members piece by piece, as Python's zipfile writes them for Keras (APPNOTE 4.3, 4.4,
// 4.5.3): local header and content of each member, central directory, end record. zip64 where a size needs it.
//
// A local header is written when its member is complete. In front of an aligned content stands an extra field of type
// 0xD935 (the one Android's zipalign writes): u16 alignment, then zeros. It is made large enough to give up 20 bytes to
// a zip64 field, since the size of a member is known only at its end.
#include "container/zip_write.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#define LOCAL_HEADER 30
#define CENTRAL_HEADER 46
#define END_RECORD 22
#define END_RECORD_64 56
#define LOCATOR_64 20
#define ZIP64_LOCAL 20   ///< id, size, member's size twice
#define ZIP64_CENTRAL 28 ///< the same with the header's offset
#define ALIGN_FIELD 0xD935
#define ALIGN_FIELD_SMALLEST 6 ///< id, size, alignment
#define ALL_ONES 0xFFFFFFFFu   ///< a number that stands in the zip64 field, and the first that must
#define MAX_MEMBERS 65534
#define DATE_1980 0x0021
#define MODE_0600 (0600u << 16)
#define UTF8_NAME 0x0800
#define MADE_BY_UNIX (3 << 8)

typedef struct member {
    const char *name;
    uint32_t alignment;
    uint32_t crc;
    uint64_t header;  ///< offset of the local header
    uint64_t content; ///< offset of the first byte
    uint64_t size;
} member;

struct ks_zip_writer {
    ks_context *context;
    ks_output *output;
    member *members;
    size_t count, room;
    uint64_t end;   ///< of what is written
    uint64_t large; ///< sizes and offsets from here on stand in zip64 fields
    bool open;      ///< the last member is being written
};

typedef struct bytes_out {
    uint8_t *at;
} bytes_out;

static void put(bytes_out *out, uint64_t number, int size) {
    for (int i = 0; i < size; i++)
        *out->at++ = (uint8_t)(number >> (8 * i));
}

static uint32_t in_32(uint64_t number, bool large) {
    return large ? ALL_ONES : (uint32_t)number;
}

static bool is_large(const ks_zip_writer *writer, const member *m) {
    return m->size >= writer->large;
}

/// Extra bytes in front of the content: what is left between the name and the content.
static size_t extra_size(const member *m) {
    return (size_t)(m->content - m->header) - LOCAL_HEADER - strlen(m->name);
}

static uint16_t flags_of(const char *name) {
    for (; *name; name++)
        if ((uint8_t)*name >= 0x80)
            return UTF8_NAME;
    return 0;
}

// --- one member ------------------------------------------------------------------------------------------------------

/// Where the content begins: behind the header, the name and, when it is aligned, the smallest extra fields.
static uint64_t content_offset(uint64_t header, const char *name, uint32_t alignment, bool growing) {
    uint64_t at = header + LOCAL_HEADER + strlen(name) + (growing ? ZIP64_LOCAL : 0);
    if (!alignment && growing)
        alignment = 1;
    if (!alignment)
        return at;
    at += ALIGN_FIELD_SMALLEST;
    return (at + alignment - 1) / alignment * alignment;
}

static ks_code misuse(const ks_zip_writer *writer, const char *name, const char *what) {
    return ks_fail(writer->context, KS_E_USAGE, KS_STAGE_SAVE, KS_NO_OFFSET, name, "%s", what);
}

static ks_code new_member(ks_zip_writer *writer, const char *name, uint32_t alignment, bool growing) {
    size_t size = strlen(name);
    if (writer->open)
        return misuse(writer, name, "the member before it is not ended");
    if (alignment > 4096 || (alignment & (alignment - 1)) != 0)
        return misuse(writer, name, "expected an alignment that is a power of two up to 4096");
    if (size > UINT16_MAX || writer->count >= MAX_MEMBERS)
        return misuse(writer, "", "a name is too long, or there are too many members");
    if (writer->count == writer->room) {
        size_t room = writer->room ? 2 * writer->room : 16;
        member *bigger = ks_allocate(writer->context, room, sizeof *bigger);
        if (!bigger)
            return writer->context->error.code;
        if (writer->count)
            memcpy(bigger, writer->members, writer->count * sizeof *bigger);
        ks_free(writer->context, writer->members);
        writer->members = bigger;
        writer->room = room;
    }
    char *copy = ks_allocate(writer->context, size + 1, 1);
    if (!copy)
        return writer->context->error.code;
    memcpy(copy, name, size);
    writer->members[writer->count++] =
        (member){copy, alignment, 0, writer->end, content_offset(writer->end, name, alignment, growing), 0};
    return KS_OK;
}

static void put_local_extra(bytes_out *out, const member *m, bool large) {
    size_t left = extra_size(m);
    if (large) {
        put(out, 1, 2);
        put(out, 16, 2);
        put(out, m->size, 8);
        put(out, m->size, 8);
        left -= ZIP64_LOCAL;
    }
    if (left == 0)
        return;
    put(out, ALIGN_FIELD, 2);
    put(out, left - 4, 2);
    put(out, m->alignment, 2);
    memset(out->at, 0, left - ALIGN_FIELD_SMALLEST);
    out->at += left - ALIGN_FIELD_SMALLEST;
}

static ks_code write_local_header(ks_zip_writer *writer, const member *m) {
    size_t size = (size_t)(m->content - m->header);
    bool large = is_large(writer, m);
    uint8_t *header = ks_allocate(writer->context, size, 1);
    if (!header)
        return writer->context->error.code;
    bytes_out out = {header};
    put(&out, 0x04034B50, 4);
    put(&out, large ? 45 : 20, 2);
    put(&out, flags_of(m->name), 2);
    put(&out, 0, 2); // stored
    put(&out, 0, 2); // midnight
    put(&out, DATE_1980, 2);
    put(&out, m->crc, 4);
    put(&out, in_32(m->size, large), 4);
    put(&out, in_32(m->size, large), 4);
    put(&out, strlen(m->name), 2);
    put(&out, extra_size(m), 2);
    memcpy(out.at, m->name, strlen(m->name));
    out.at += strlen(m->name);
    put_local_extra(&out, m, large);
    ks_code code = ks_output_write(writer->output, m->header, (ks_bytes){header, size});
    ks_free(writer->context, header);
    return code;
}

ks_code ks_zip_writer_begin(uint64_t *offset, ks_zip_writer *writer, const char *name, uint32_t alignment) {
    ks_code code;
    KS_TRY(new_member(writer, name, alignment, true));
    writer->open = true;
    *offset = writer->members[writer->count - 1].content;
done:
    return code;
}

ks_code ks_zip_writer_end(ks_zip_writer *writer, uint64_t size) {
    ks_code code;
    if (!writer->open)
        return misuse(writer, "", "no member is being written");
    member *m = &writer->members[writer->count - 1];
    m->size = size;
    KS_TRY(ks_output_crc32(&m->crc, writer->output, m->content, size));
    KS_TRY(write_local_header(writer, m));
    writer->end = m->content + size;
    writer->open = false;
done:
    return code;
}

ks_code ks_zip_writer_add(ks_zip_writer *writer, const char *name, ks_bytes content, uint32_t alignment) {
    ks_code code;
    KS_TRY(new_member(writer, name, alignment, content.size >= writer->large));
    member *m = &writer->members[writer->count - 1];
    m->size = content.size;
    m->crc = libdeflate_crc32(0, content.data, content.size);
    KS_TRY(ks_output_write(writer->output, m->content, content));
    KS_TRY(write_local_header(writer, m));
    writer->end = m->content + content.size;
done:
    return code;
}

// --- the central directory -------------------------------------------------------------------------------------------

static void put_central_header(bytes_out *out, const ks_zip_writer *writer, const member *m) {
    bool large = is_large(writer, m) || m->header >= writer->large;
    put(out, 0x02014B50, 4);
    put(out, MADE_BY_UNIX | (large ? 45 : 20), 2);
    put(out, large ? 45 : 20, 2);
    put(out, flags_of(m->name), 2);
    put(out, 0, 2);
    put(out, 0, 2);
    put(out, DATE_1980, 2);
    put(out, m->crc, 4);
    put(out, in_32(m->size, large), 4);
    put(out, in_32(m->size, large), 4);
    put(out, strlen(m->name), 2);
    put(out, large ? ZIP64_CENTRAL : 0, 2);
    put(out, 0, 2); // comment
    put(out, 0, 2); // disk
    put(out, 0, 2); // internal attributes
    put(out, MODE_0600, 4);
    put(out, in_32(m->header, large), 4);
    memcpy(out->at, m->name, strlen(m->name));
    out->at += strlen(m->name);
    if (!large)
        return;
    put(out, 1, 2);
    put(out, ZIP64_CENTRAL - 4, 2);
    put(out, m->size, 8);
    put(out, m->size, 8);
    put(out, m->header, 8);
}

static void put_end_64(bytes_out *out, uint64_t at, uint64_t size, uint64_t count) {
    put(out, 0x06064B50, 4);
    put(out, END_RECORD_64 - 12, 8);
    put(out, MADE_BY_UNIX | 45, 2);
    put(out, 45, 2);
    put(out, 0, 4);
    put(out, 0, 4);
    put(out, count, 8);
    put(out, count, 8);
    put(out, size, 8);
    put(out, at, 8);
    put(out, 0x07064B50, 4);
    put(out, 0, 4);
    put(out, at + size, 8);
    put(out, 1, 4);
}

static void put_end(bytes_out *out, const ks_zip_writer *writer, uint64_t size) {
    uint64_t at = writer->end, count = writer->count;
    bool large = at >= writer->large || size >= writer->large;
    if (large)
        put_end_64(out, at, size, count);
    put(out, 0x06054B50, 4);
    put(out, 0, 2);
    put(out, 0, 2);
    put(out, count, 2);
    put(out, count, 2);
    put(out, in_32(size, large), 4);
    put(out, in_32(at, large), 4);
    put(out, 0, 2);
}

ks_code ks_zip_writer_finish(ks_zip_writer *writer) {
    size_t room = END_RECORD + END_RECORD_64 + LOCATOR_64;
    if (writer->open)
        return misuse(writer, "", "the last member is not ended");
    for (size_t i = 0; i < writer->count; i++)
        room += CENTRAL_HEADER + strlen(writer->members[i].name) + ZIP64_CENTRAL;
    uint8_t *directory = ks_allocate(writer->context, room, 1);
    if (!directory)
        return writer->context->error.code;
    bytes_out out = {directory};
    for (size_t i = 0; i < writer->count; i++)
        put_central_header(&out, writer, &writer->members[i]);
    put_end(&out, writer, (uint64_t)(out.at - directory));
    ks_bytes bytes = {directory, (size_t)(out.at - directory)};
    ks_code code = ks_output_write(writer->output, writer->end, bytes);
    writer->end += bytes.size;
    ks_free(writer->context, directory);
    return code;
}

ks_code ks_zip_writer_open(ks_zip_writer **out, ks_context *context, ks_output *output) {
    ks_zip_writer *writer = ks_allocate(context, 1, sizeof *writer);
    *out = writer;
    if (!writer)
        return context->error.code;
    writer->context = context;
    writer->output = output;
    writer->large = ALL_ONES;
    return KS_OK;
}

void ks__zip_writer_large(ks_zip_writer *writer, uint64_t large) {
    writer->large = large;
}

void ks_zip_writer_close(ks_zip_writer *writer) {
    if (!writer)
        return;
    for (size_t i = 0; i < writer->count; i++)
        ks_free(writer->context, (void *)(uintptr_t)writer->members[i].name);
    ks_free(writer->context, writer->members);
    ks_free(writer->context, writer);
}
