// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_CONTAINER_ZIP_INTERNAL_H
#define KASSAY_CONTAINER_ZIP_INTERNAL_H

#include <kassay/library_road.h>

#include "base/name_table.h"

/// A member with what the readers keep about it.
typedef struct ks__entry {
    ks_archive_member member;
    uint16_t flags;
    uint64_t header; ///< offset of the local header in the file
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

/// Builds the index. A name that occurs again is told to `ks_warn` as zip-duplicate-name.
ks_code ks__entries_index(ks__entries *entries, ks_arena *arena);
const ks_archive_member *ks__entries_find(const ks__entries *entries, const char *name);
/// False for names that would leave a directory: absolute, with "..", with a drive or a backslash.
bool ks__name_is_safe(ks_text name);

#endif
