// SPDX-License-Identifier: Apache-2.0
//
// Names with numbers: a hash table of fixed capacity in an arena.
#ifndef KASSAY_BASE_NAME_TABLE_H
#define KASSAY_BASE_NAME_TABLE_H

#include "base/arena.h"

#define KS_NO_NUMBER SIZE_MAX

typedef struct ks_named {
    ks_text name;
    size_t number; ///< KS_NO_NUMBER: the place is free
} ks_named;

typedef struct ks_name_table {
    ks_named *places;
    size_t size; ///< a power of two, more than the names it was made for
} ks_name_table;

/// Room for `count` names.
ks_code ks_name_table_init(ks_name_table *table, ks_arena *arena, size_t count);
/// Where `name` is, or the free place where it belongs; the caller fills in both fields. `name` is not copied.
ks_named *ks_name_table_place(const ks_name_table *table, ks_text name);

#endif
