// SPDX-License-Identifier: Apache-2.0
#include "base/name_table.h"

ks_code ks_name_table_init(ks_name_table *table, ks_arena *arena, size_t count) {
    for (table->size = 16; table->size < 2 * count;)
        table->size *= 2;
    table->places = ks_arena_get(arena, table->size, sizeof(*table->places));
    if (!table->places)
        return arena->context->error.code;
    for (size_t i = 0; i < table->size; i++)
        table->places[i].number = KS_NO_NUMBER;
    return KS_OK;
}

ks_named *ks_name_table_place(const ks_name_table *table, ks_text name) {
    uint64_t hash = UINT64_C(14695981039346656037); // FNV-1a, eight bytes at a time and then one
    size_t at, i = 0;
    for (uint64_t eight; name.size - i >= sizeof(eight); i += sizeof(eight)) {
        memcpy(&eight, name.data + i, sizeof(eight));
        hash = (hash ^ eight) * UINT64_C(1099511628211);
        hash ^= hash >> 32;
    }
    for (; i < name.size; i++)
        hash = (hash ^ (uint8_t)name.data[i]) * UINT64_C(1099511628211);
    at = (size_t)(hash ^ hash >> 32) & (table->size - 1);
    while (table->places[at].number != KS_NO_NUMBER && !ks_text_equal(table->places[at].name, name))
        at = (at + 1) & (table->size - 1);
    return &table->places[at];
}
