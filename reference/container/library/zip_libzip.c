// SPDX-License-Identifier: Apache-2.0
//
// The archive interface over libzip, reading from memory.
//
// Names are decoded as the zip specification says (bit 11: UTF-8, else code page 437). ZIP_CHECKCONS is not used: it
// refuses archives that Python reads. libzip looks names up from the front, so of duplicates the first counts here.
#include "container/library/road_module.h"

#include "base/arena.h"

#include <zip.h>

typedef struct libzip_archive {
    ks_archive base;
    ks_arena arena; ///< members, names
    zip_t *zip;
    ks_archive_member *members;
    ks_bytes *contents; ///< [count] data is NULL until the member was read
    size_t count;
} libzip_archive;

static ks_code refuse(ks_context *context, ks_code code, const char *place, zip_error_t *error) {
    int kind = zip_error_code_zip(error);
    if (kind == ZIP_ER_MEMORY)
        code = KS_E_NO_MEMORY;
    else if (kind == ZIP_ER_COMPNOTSUPP || kind == ZIP_ER_ENCRNOTSUPP || kind == ZIP_ER_NOPASSWD)
        code = KS_E_LIBRARY_ZIP_METHOD;
    return ks_fail(context, code, KS_STAGE_ZIP, KS_NO_OFFSET, place, "libzip says: %s", zip_error_strerror(error));
}

static void close_archive(ks_archive *archive) {
    libzip_archive *self = (libzip_archive *)archive;
    ks_context *context = archive->context;
    for (size_t i = 0; self->contents && i < self->count; i++)
        ks_free(context, (void *)(uintptr_t)self->contents[i].data);
    if (self->zip)
        zip_discard(self->zip);
    ks_arena_fini(&self->arena);
    ks_free(context, self);
}

static size_t count_members(const ks_archive *archive) {
    return ((const libzip_archive *)archive)->count;
}

static const ks_archive_member *member_at(const ks_archive *archive, size_t index) {
    return &((const libzip_archive *)archive)->members[index];
}

static const ks_archive_member *find_member(const ks_archive *archive, const char *name) {
    const libzip_archive *self = (const libzip_archive *)archive;
    zip_int64_t index = zip_name_locate(self->zip, name, ZIP_FL_ENC_STRICT);
    return index < 0 || (size_t)index >= self->count ? NULL : &self->members[index];
}

/// Reads until libzip itself reports the end: only then has it looked at the CRC.
static ks_code read_whole(uint8_t *data, size_t size, libzip_archive *self, const ks_archive_member *member,
                          zip_file_t *file) {
    ks_context *context = self->base.context;
    size_t at = 0;
    for (;;) {
        uint8_t beyond;
        bool full = at == size;
        zip_int64_t got = zip_fread(file, full ? &beyond : data + at, full ? 1 : size - at);
        if (got < 0)
            return refuse(context, KS_E_LIBRARY_ZIP_MEMBER, member->name.data, zip_file_get_error(file));
        if (got == 0)
            break;
        if (full || (size_t)got > size - at)
            return ks_fail(context, KS_E_LIBRARY_ZIP_MEMBER, KS_STAGE_ZIP, KS_NO_OFFSET, member->name.data,
                           "expected %zu bytes, found more", size);
        at += (size_t)got;
    }
    if (at != size)
        return ks_fail(context, KS_E_LIBRARY_ZIP_MEMBER, KS_STAGE_ZIP, KS_NO_OFFSET, member->name.data,
                       "expected %zu bytes, found %zu", size, at);
    return KS_OK;
}

static ks_code read_member(ks_bytes *out, ks_archive *archive, const ks_archive_member *member, bool verify) {
    (void)verify; // libzip has no switch: it always verifies
    libzip_archive *self = (libzip_archive *)archive;
    ks_context *context = archive->context;
    size_t index = (size_t)(member - self->members);
    if (self->contents[index].data) {
        *out = self->contents[index];
        return KS_OK;
    }
    if (member->size > context->limits.member_size || member->size > SIZE_MAX)
        return ks_fail(context, KS_E_OVER_SIZE, KS_STAGE_ZIP, KS_NO_OFFSET, member->name.data,
                       "%llu bytes are more than the limit %llu", (unsigned long long)member->size,
                       (unsigned long long)context->limits.member_size);
    zip_file_t *file = zip_fopen_index(self->zip, index, 0);
    if (!file)
        return refuse(context, KS_E_LIBRARY_ZIP_MEMBER, member->name.data, zip_get_error(self->zip));
    size_t size = (size_t)member->size;
    uint8_t *data = ks_allocate(context, size, 1);
    ks_code code = data ? read_whole(data, size, self, member, file) : context->error.code;
    zip_fclose(file);
    if (code != KS_OK) {
        ks_free(context, data);
        return code;
    }
    self->contents[index] = (ks_bytes){data, size};
    *out = self->contents[index];
    return KS_OK;
}

static const ks_archive_ops libzip_ops = {
    .close = close_archive,
    .count = count_members,
    .member_at = member_at,
    .find = find_member,
    .read = read_member,
};

static ks_code describe_member(libzip_archive *self, size_t index) {
    ks_context *context = self->base.context;
    ks_archive_member *member = &self->members[index];
    zip_stat_t stat;
    zip_stat_init(&stat);
    const zip_uint64_t needed =
        ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC | ZIP_STAT_COMP_METHOD;
    if (zip_stat_index(self->zip, index, ZIP_FL_ENC_STRICT, &stat) != 0)
        return refuse(context, KS_E_LIBRARY_ZIP, NULL, zip_get_error(self->zip));
    if ((stat.valid & needed) != needed)
        return ks_fail(context, KS_E_LIBRARY_ZIP, KS_STAGE_ZIP, KS_NO_OFFSET, NULL,
                       "libzip does not know name, size and checksum of member %zu", index);
    size_t name_size = strlen(stat.name);
    member->name = ks_arena_text(&self->arena, stat.name, name_size);
    if (!member->name.data)
        return context->error.code;
    member->size = stat.size;
    member->stored_size = stat.comp_size;
    member->offset = KS_NO_OFFSET; // libzip does not tell
    member->crc32 = stat.crc;
    member->method = stat.comp_method;
    member->directory = name_size > 0 && stat.name[name_size - 1] == '/';
    return KS_OK;
}

static ks_code describe_members(libzip_archive *self) {
    ks_context *context = self->base.context;
    zip_int64_t count = zip_get_num_entries(self->zip, ZIP_FL_UNCHANGED);
    if (count < 0 || (uint64_t)count > context->limits.zip_members)
        return ks_fail(context, KS_E_OVER_COUNT, KS_STAGE_ZIP, KS_NO_OFFSET, NULL,
                       "%lld members are more than the limit %llu", (long long)count,
                       (unsigned long long)context->limits.zip_members);
    self->members = ks_arena_get(&self->arena, (size_t)count, sizeof *self->members);
    self->contents = ks_arena_get(&self->arena, (size_t)count, sizeof *self->contents);
    if (!self->members || !self->contents)
        return context->error.code;
    self->count = (size_t)count;
    for (size_t i = 0; i < self->count; i++) {
        ks_code code = describe_member(self, i);
        if (code != KS_OK)
            return code;
    }
    return KS_OK;
}

static ks_code open_memory(libzip_archive *self, ks_bytes bytes) {
    ks_context *context = self->base.context;
    zip_error_t error;
    zip_error_init(&error);
    ks_code code = KS_OK;
    zip_source_t *source = zip_source_buffer_create(bytes.data, bytes.size, 0, &error);
    if (source)
        self->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (!self->zip) {
        code = refuse(context, KS_E_LIBRARY_ZIP, NULL, &error);
        if (source)
            zip_source_free(source);
    }
    zip_error_fini(&error);
    return code;
}

ks_code ks__libzip_open(ks_archive **out, ks_context *context, ks_bytes bytes) {
    libzip_archive *self = ks_allocate(context, 1, sizeof *self);
    if (!self)
        return context->error.code;
    self->base.ops = &libzip_ops;
    self->base.context = context;
    ks_arena_init(&self->arena, context);
    ks_code code = open_memory(self, bytes);
    if (code == KS_OK)
        code = describe_members(self);
    if (code != KS_OK) {
        close_archive(&self->base);
        return code;
    }
    *out = &self->base;
    return KS_OK;
}
