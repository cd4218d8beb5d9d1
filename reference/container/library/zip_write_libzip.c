// SPDX-License-Identifier: Apache-2.0
//
// Writes zip archives with libzip: local headers, contents, central directory, in the order given; no data descriptors,
// no zip64 unless a size needs it, no clock.
#include "container/library/road_module.h"

#include <stdlib.h>
#include <zip.h>

#define LOCAL_HEADER 30      // bytes before the name
#define ALIGN_FIELD 0xD935   // alignment extra field: u16 alignment, then zeros
#define ALIGN_FIELD_HEADER 4 // id and size
#define ALIGN_FIELD_SMALLEST 2
#define DATE_1980 0x0021 // 1 January 1980 in DOS form
#define MODE_0600 (0100600u << 16)

static ks_code failed(ks_context *context, const char *what, const char *place, zip_error_t *error) {
    return ks_fail(context, KS_E_LIBRARY_WRITE, KS_STAGE_SAVE, KS_NO_OFFSET, place, "%s; libzip says: %s", what,
                   zip_error_strerror(error));
}

/// Bytes of an alignment field that brings content, which would start at `at` without it, to a multiple of `alignment`.
static uint16_t padding(uint64_t at, uint32_t alignment) {
    uint64_t smallest = at + ALIGN_FIELD_HEADER + ALIGN_FIELD_SMALLEST;
    uint64_t rest = smallest % alignment;
    return (uint16_t)(ALIGN_FIELD_SMALLEST + (rest ? alignment - rest : 0));
}

static ks_code check_item(ks_context *context, const ks_zip_item *item, bool known) {
    uint32_t alignment = item->alignment;
    if (alignment > 4096 || (alignment & (alignment - 1)) != 0)
        return ks_fail(context, KS_E_USAGE, KS_STAGE_SAVE, KS_NO_OFFSET, item->name,
                       "expected an alignment that is a power of two up to 4096, found %u", alignment);
    if (alignment && !known)
        return ks_fail(context, KS_E_USAGE, KS_STAGE_SAVE, KS_NO_OFFSET, item->name,
                       "a member before an aligned one is deflated");
    return KS_OK;
}

static ks_code align(zip_t *zip, ks_context *context, zip_uint64_t index, const ks_zip_item *item, uint16_t size) {
    uint8_t field[4096 + 8] = {(uint8_t)item->alignment, (uint8_t)(item->alignment >> 8)};
    if (zip_file_extra_field_set(zip, index, ALIGN_FIELD, ZIP_EXTRA_FIELD_NEW, field, size, ZIP_FL_LOCAL) != 0)
        return failed(context, "the alignment cannot be set", item->name, zip_get_error(zip));
    return KS_OK;
}

static ks_code add_item(zip_t *zip, ks_context *context, const ks_zip_item *item, zip_uint64_t *index) {
    static const uint8_t nothing[1] = {0};
    zip_source_t *source = zip_source_buffer(zip, item->bytes.data ? item->bytes.data : nothing, item->bytes.size, 0);
    zip_int64_t added = source ? zip_file_add(zip, item->name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (added < 0) {
        ks_code code = failed(context, "a member cannot be added", item->name, zip_get_error(zip));
        if (source)
            zip_source_free(source);
        return code;
    }
    *index = (zip_uint64_t)added;
    if (zip_set_file_compression(zip, *index, item->deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 9) != 0 ||
        zip_file_set_dostime(zip, *index, 0, DATE_1980, 0) != 0 ||
        zip_file_set_external_attributes(zip, *index, 0, ZIP_OPSYS_UNIX, MODE_0600) != 0)
        return failed(context, "a member cannot be described", item->name, zip_get_error(zip));
    return KS_OK;
}

static ks_code add_items(zip_t *zip, ks_context *context, const ks_zip_item *items, size_t count) {
    uint64_t at = 0;   // where the next local header will stand
    bool known = true; // false after a deflated member
    for (size_t i = 0; i < count; i++) {
        zip_uint64_t index = 0;
        ks_code code = check_item(context, &items[i], known);
        if (code == KS_OK)
            code = add_item(zip, context, &items[i], &index);
        at += LOCAL_HEADER + strlen(items[i].name);
        if (code == KS_OK && items[i].alignment) {
            uint16_t size = padding(at, items[i].alignment);
            code = align(zip, context, index, &items[i], size);
            at += ALIGN_FIELD_HEADER + size;
        }
        if (code != KS_OK)
            return code;
        at += items[i].bytes.size;
        known = known && !items[i].deflate;
    }
    return KS_OK;
}

static ks_code take_bytes(ks_bytes *out, ks_context *context, zip_source_t *source) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_source_stat(source, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE) || zip_source_open(source) != 0)
        return failed(context, "the archive cannot be read back", NULL, zip_source_error(source));
    size_t size = (size_t)stat.size;
    uint8_t *data = ks_allocate(context, size, 1);
    ks_code code = data ? KS_OK : context->error.code;
    size_t at = 0;
    while (code == KS_OK && at < size) {
        zip_int64_t got = zip_source_read(source, data + at, size - at);
        if (got <= 0)
            code = failed(context, "the archive cannot be read back", NULL, zip_source_error(source));
        else
            at += (size_t)got;
    }
    zip_source_close(source);
    if (code != KS_OK)
        ks_free(context, data);
    else
        *out = (ks_bytes){data, size};
    return code;
}

static ks_code write_to(ks_bytes *out, ks_context *context, zip_source_t *source, const ks_zip_item *items,
                        size_t count) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_keep(source);
    zip_t *zip = zip_open_from_source(source, ZIP_TRUNCATE, &error);
    ks_code code = KS_OK;
    if (!zip) {
        zip_source_free(source);
        code = failed(context, "an archive cannot be made", NULL, &error);
        goto done;
    }
    code = add_items(zip, context, items, count);
    if (code == KS_OK && zip_close(zip) != 0)
        code = failed(context, "the archive cannot be written", NULL, zip_get_error(zip));
    else if (code == KS_OK)
        zip = NULL;
    if (zip)
        zip_discard(zip);
    if (code == KS_OK)
        code = take_bytes(out, context, source);
done:
    zip_error_fini(&error);
    return code;
}

ks_code ks__libzip_write(ks_bytes *out, ks_context *context, const ks_zip_item *items, size_t count) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &error);
    ks_code code = KS_OK;
    if (source) {
        code = write_to(out, context, source, items, count);
        zip_source_free(source);
    } else {
        code = failed(context, "a buffer cannot be made", NULL, &error);
    }
    zip_error_fini(&error);
    return code;
}
