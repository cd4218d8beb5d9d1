// SPDX-License-Identifier: Apache-2.0
//
// The end of a zip archive (APPNOTE.TXT 6.3, little-endian), found as Python's zipfile finds it:
//
//   end record        "PK\5\6" disk:2 cd_disk:2 entries_here:2 entries:2 cd_size:4 cd_offset:4 comment_size:2 comment
//   zip64 locator     "PK\6\7" disk:4 offset:8 disks:4                     (20 bytes before the end record)
//   zip64 end record  "PK\6\6" size:8 made:2 needed:2 disk:4 cd_disk:4 entries_here:8 entries:8 cd_size:8 cd_offset:8
//
// The last signature in the last 64 KiB counts, even one that is cut off or stands in a comment. The central directory
// ends where the end records begin; where it starts by its stated offset says how far all offsets are shifted.
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "container/zip_internal.h"

#define END_SIZE 22
#define LOCATOR_SIZE 20
#define END64_SIZE 56
#define MAX_COMMENT 65536 // zipfile looks one byte further than a comment can reach

ks_code ks__zip_fail(const ks__zip *z, ks_code code, uint64_t offset, const char *name, const char *text) {
    return ks_fail(z->base.context, code, KS_STAGE_ZIP, offset, name, "%s", text);
}

static ks_code find_end(size_t *out, const ks__zip *z) {
    const uint8_t *data = z->bytes.data;
    size_t size = z->bytes.size, lowest;
    if (size < END_SIZE)
        return ks__zip_fail(z, KS_E_ZIP_NO_END, 0, NULL, "the file is shorter than an end record");
    *out = size - END_SIZE;
    if (memcmp(data + *out, "PK\5\6", 4) == 0 && data[size - 1] == 0 && data[size - 2] == 0)
        return KS_OK; // no comment
    lowest = size > END_SIZE + MAX_COMMENT ? size - END_SIZE - MAX_COMMENT : 0;
    for (size_t at = size - 3; at-- > lowest;) {
        if (memcmp(data + at, "PK\5\6", 4) != 0)
            continue;
        *out = at;
        return at + END_SIZE <= size ? KS_OK
                                     : ks__zip_fail(z, KS_E_ZIP_TRUNCATED, at, NULL, "the last end record is cut off");
    }
    return ks__zip_fail(z, KS_E_ZIP_NO_END, size, NULL, "no end record in the last 64 KiB");
}

// `*records_size` stays 0 when there is no zip64 end record.
static ks_code read_end64(ks__zip_directory *d, uint64_t *records_size, const ks__zip *z, size_t end) {
    size_t at = end - LOCATOR_SIZE;
    ks_reader r = ks_reader_from(z->bytes, at + 4);
    uint32_t disk = ks_read_u32(&r), disks;
    ks_read_skip(&r, 8);
    disks = ks_read_u32(&r);
    if (disk != 0 || disks > 1)
        return ks__zip_fail(z, KS_E_ZIP_MULTI_DISK, at, NULL, "the zip64 locator names another disk");
    if (at < END64_SIZE)
        return ks__zip_fail(z, KS_E_ZIP_ZIP64, at, NULL, "no room for a zip64 end record before its locator");
    at -= END64_SIZE;
    r = ks_reader_from(z->bytes, at);
    if (memcmp(ks_read_bytes(&r, 4).data, "PK\6\6", 4) != 0)
        return KS_OK; // as zipfile: a locator without record is no zip64 archive
    ks_read_skip(&r, 8 + 2 + 2);
    if (ks_read_u32(&r) != 0 || ks_read_u32(&r) != 0)
        return ks__zip_fail(z, KS_E_ZIP_MULTI_DISK, at, NULL, "the zip64 end record names another disk");
    ks_read_skip(&r, 8);
    d->count = ks_read_u64(&r);
    d->size = ks_read_u64(&r);
    d->offset = ks_read_u64(&r);
    *records_size = END64_SIZE + LOCATOR_SIZE;
    return KS_OK;
}

static ks_code place_directory(ks__zip_directory *d, const ks__zip *z, uint64_t directory_end, size_t end) {
    uint64_t stated = d->offset;
    if (d->size > directory_end)
        return ks__zip_fail(z, KS_E_ZIP_TRUNCATED, end, NULL, "the central directory is larger than the file");
    d->offset = directory_end - d->size;
    if (stated > INT64_MAX)
        return ks__zip_fail(z, KS_E_ZIP_TRUNCATED, end, NULL, "the central directory starts beyond any file");
    d->shift = (int64_t)d->offset - (int64_t)stated;
    if (d->shift > 0)
        ks_warn(z->base.context, "zip-prefixed", "");
    if (d->shift < 0) // only the end of a larger file; fine while no member lies in the missing part
        ks_warn(z->base.context, "zip-cut-front", "");
    return KS_OK;
}

ks_code ks__zip_read_end(ks__zip_directory *out, const ks__zip *z) {
    size_t end = 0;
    uint64_t records_size = 0;
    uint16_t disk, start_disk, comment;
    ks_reader r;
    ks_code code;
    KS_TRY(find_end(&end, z));
    r = ks_reader_from(z->bytes, end + 4);
    disk = ks_read_u16(&r);
    start_disk = ks_read_u16(&r);
    ks_read_skip(&r, 2);
    out->count = ks_read_u16(&r);
    out->size = ks_read_u32(&r);
    out->offset = ks_read_u32(&r);
    comment = ks_read_u16(&r);
    if (comment != z->bytes.size - r.at) // zipfile takes what is there
        ks_warn(z->base.context, comment > z->bytes.size - r.at ? "zip-cut-comment" : "zip-trailing-bytes", "");
    if (end >= LOCATOR_SIZE && memcmp(z->bytes.data + end - LOCATOR_SIZE, "PK\6\7", 4) == 0)
        KS_TRY(read_end64(out, &records_size, z, end));
    else if ((disk != 0 && disk != 0xffff) || (start_disk != 0 && start_disk != 0xffff))
        return ks__zip_fail(z, KS_E_ZIP_MULTI_DISK, end, NULL, "the end record names another disk");
    KS_TRY(place_directory(out, z, end - records_size, end));
done:
    return code;
}
