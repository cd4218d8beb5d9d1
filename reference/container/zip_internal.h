// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_CONTAINER_ZIP_INTERNAL_H
#define KASSAY_CONTAINER_ZIP_INTERNAL_H

#include <kassay/library_road.h>

#include "base/arena.h"
#include "base/name_table.h"

/// A member with what the readers keep about it.
typedef struct ks__entry {
    ks_archive_member member;
    uint16_t flags;
    uint64_t header;   ///< offset of the local header in the file
    ks_bytes raw_name; ///< as it stands in the central header
    bool verified;
    bool loaded;
    ks_bytes content; ///< after loading
} ks__entry;

/// Entries with an index by name; shared by the zip reader and the directory reader.
typedef struct ks__entries {
    ks__entry *items;
    size_t count;
    ks_name_table names; ///< of equal names the last one counts
} ks__entries;

struct libdeflate_decompressor;

/// The strict zip reader.
typedef struct ks__zip {
    ks_archive base;
    ks_arena arena;
    ks_bytes bytes;
    ks__entries entries;
    struct libdeflate_decompressor *inflater;
    void *inflater_keeper; ///< frees the inflater
} ks__zip;

#define KS_ZIP_ENCRYPTED 0x0001
#define KS_ZIP_DESCRIPTOR 0x0008
#define KS_ZIP_PATCHED 0x0020
#define KS_ZIP_STRONG 0x0040
#define KS_ZIP_UTF8 0x0800

/// What the end records say, in offsets of the file.
typedef struct ks__zip_directory {
    uint64_t offset; ///< of the first central header
    uint64_t size;   ///< bytes of all central headers
    uint64_t count;  ///< of entries, as announced
    int64_t shift;   ///< add this to an offset that the archive states
} ks__zip_directory;

#if defined(__GNUC__)
__attribute__((cold))
#endif
ks_code
ks__zip_fail(const ks__zip *zip, ks_code code, uint64_t offset, const char *name, const char *text);
/// Finds and reads the end records.
ks_code ks__zip_read_end(ks__zip_directory *out, const ks__zip *zip);
/// Reads all headers: fills zip->entries, checks them against each other and builds the index.
ks_code ks__zip_read_headers(ks__zip *zip, const ks__zip_directory *directory);
/// A member's name as text; `offset` is that of its header, for messages.
ks_code ks__zip_decode_name(ks__zip *zip, ks_text *out, ks_bytes raw, bool utf8, uint64_t offset);

/// Builds the index. A name that occurs again is told to `ks_warn` as zip-duplicate-name.
ks_code ks__entries_index(ks__entries *entries, ks_arena *arena);
const ks_archive_member *ks__entries_find(const ks__entries *entries, const char *name);
/// False for names that would leave a directory: absolute, with "..", with a drive or a backslash.
bool ks__name_is_safe(ks_text name);

#endif
