// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "container/zip_internal.h"

ks_code ks__entries_index(ks__entries *entries, ks_arena *arena) {
    ks_code code = ks_name_table_init(&entries->names, arena, entries->count);
    for (size_t i = 0; code == KS_OK && i < entries->count; i++) {
        ks_text name = entries->items[i].member.name;
        ks_named *place = ks_name_table_place(&entries->names, name);
        if (place->number != KS_NO_NUMBER)
            ks_warn(arena->context, "zip-duplicate-name", name.data);
        *place = (ks_named){name, i};
    }
    return code;
}

const ks_archive_member *ks__entries_find(const ks__entries *entries, const char *name) {
    const ks_named *place = ks_name_table_place(&entries->names, ks_text_from(name));
    return place->number == KS_NO_NUMBER ? NULL : &entries->items[place->number].member;
}
