// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "container/zip_internal.h"

static uint64_t hash_text(const char *data, size_t size) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)data[i]) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

static size_t *place_of(const ks__entries *entries, const char *name, size_t size) {
    size_t at = (size_t)hash_text(name, size) & (entries->table_size - 1);
    for (; entries->table[at] != SIZE_MAX; at = (at + 1) & (entries->table_size - 1)) {
        ks_text other = entries->items[entries->table[at]].member.name;
        if (other.size == size && memcmp(other.data, name, size) == 0)
            break;
    }
    return &entries->table[at];
}

ks_code ks__entries_index(ks__entries *entries, ks_arena *arena) {
    for (entries->table_size = 8; entries->table_size < 2 * entries->count;)
        entries->table_size *= 2;
    entries->table = ks_arena_get(arena, entries->table_size, sizeof(*entries->table));
    if (!entries->table)
        return arena->context->error.code;
    memset(entries->table, 0xff, entries->table_size * sizeof(*entries->table));
    for (size_t i = 0; i < entries->count; i++) {
        ks_text name = entries->items[i].member.name;
        size_t *place = place_of(entries, name.data, name.size);
        if (*place != SIZE_MAX)
            ks_warn(arena->context, "zip-duplicate-name", name.data);
        *place = i;
    }
    return KS_OK;
}

const ks_archive_member *ks__entries_find(const ks__entries *entries, const char *name) {
    size_t at = *place_of(entries, name, strlen(name));
    return at == SIZE_MAX ? NULL : &entries->items[at].member;
}

bool ks__name_is_safe(ks_text name) {
    size_t start = 0;
    if (name.data[0] == '/' || memchr(name.data, '\\', name.size))
        return false;
    if (name.size >= 2 && name.data[1] == ':')
        return false;
    for (size_t i = 0; i <= name.size; i++) {
        if (i < name.size && name.data[i] != '/')
            continue;
        if (i - start == 2 && name.data[start] == '.' && name.data[start + 1] == '.')
            return false;
        start = i + 1;
    }
    return true;
}
