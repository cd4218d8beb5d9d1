// SPDX-License-Identifier: Apache-2.0
//
// An arena: many small pieces of memory that are freed together. Growth is charged to the context's budget.
#ifndef KASSAY_BASE_ARENA_H
#define KASSAY_BASE_ARENA_H

#include <kassay/context.h>
#include <kassay/text.h>

#define KS_ARENA_ALIGNMENT ((size_t)16)

typedef struct ks__arena_block ks__arena_block;

typedef struct ks_arena {
    ks_context *context;
    ks__arena_block *blocks; ///< the one that pieces are cut from, then full ones
    char *free;              ///< next piece
    size_t left;             ///< bytes from `free` on
    size_t next_size;        ///< bytes of the next block
} ks_arena;

void ks_arena_init(ks_arena *arena, ks_context *context);
void ks_arena_fini(ks_arena *arena);
/// The next block has at least `size` bytes: for who knows what is to come.
void ks_arena_expect(ks_arena *arena, size_t size);
void *ks__arena_slow(ks_arena *arena, size_t count, size_t item_size);

/// As ks_arena_get, but whatever was in the memory is still there: the caller writes all of it.
static inline void *ks_arena_room(ks_arena *arena, size_t count, size_t item_size) {
    size_t size;
    if (!__builtin_mul_overflow(count, item_size, &size) && size <= arena->left && arena->free) {
        // `left` is a multiple of the alignment
        void *memory = arena->free;
        size = (size + KS_ARENA_ALIGNMENT - 1) & ~(KS_ARENA_ALIGNMENT - 1);
        arena->free += size;
        arena->left -= size;
        return memory;
    }
    return ks__arena_slow(arena, count, item_size);
}
/// Zeroed, aligned to 16 bytes; NULL with the context's error set.
static inline void *ks_arena_get(ks_arena *arena, size_t count, size_t item_size) {
    void *memory = ks_arena_room(arena, count, item_size);
    return memory ? memset(memory, 0, count * item_size) : NULL;
}
/// A copy followed by NUL; data is NULL on failure.
ks_text ks_arena_text(ks_arena *arena, const char *data, size_t size);
/// printf into the arena; NULL on failure.
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
const char *
ks_arena_format(ks_arena *arena, const char *format, ...);
/// TEXT MIDDLE NUMBER without anything between them: "config.json:/config" "/layers/" 3; NULL on failure.
const char *ks_arena_numbered(ks_arena *arena, const char *text, const char *middle, size_t number);
/// "OUTER/INNER", or "INNER" when `outer` is empty; NULL on failure.
const char *ks_arena_path(ks_arena *arena, const char *outer, const char *inner);

#endif
