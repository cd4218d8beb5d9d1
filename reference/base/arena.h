// SPDX-License-Identifier: Apache-2.0
//
// An arena: many small pieces of memory that are freed together. Growth is charged to the context's budget.
#ifndef KASSAY_BASE_ARENA_H
#define KASSAY_BASE_ARENA_H

#include <kassay/context.h>
#include <kassay/text.h>

typedef struct ks__arena_block ks__arena_block;

typedef struct ks_arena {
    ks_context *context;
    ks__arena_block *blocks; ///< newest first
    size_t next_size;        ///< bytes of the next block
} ks_arena;

void ks_arena_init(ks_arena *arena, ks_context *context);
void ks_arena_fini(ks_arena *arena);
/// Zeroed, aligned to 16 bytes; NULL with the context's error set.
void *ks_arena_get(ks_arena *arena, size_t count, size_t item_size);
/// A copy followed by NUL; data is NULL on failure.
ks_text ks_arena_text(ks_arena *arena, const char *data, size_t size);
/// printf into the arena; NULL on failure.
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
const char *
ks_arena_format(ks_arena *arena, const char *format, ...);

#endif
