// SPDX-License-Identifier: Apache-2.0
#include "base/name_table.h"

#include "base/hash.h"

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
    size_t at = ks_hash_text(name.data, name.size) & (table->size - 1);
    while (table->places[at].number != KS_NO_NUMBER && !ks_text_equal(table->places[at].name, name))
        at = (at + 1) & (table->size - 1);
    return &table->places[at];
}
