// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include "base/checked.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_BLOCK 4096
#define LARGEST_BLOCK (1024 * 1024)

struct ks__arena_block {
    ks__arena_block *older;
    size_t size; ///< bytes behind the header
    size_t used;
    char pad[40]; ///< keeps the data aligned to 64 bytes
};

void ks_arena_init(ks_arena *arena, ks_context *context) {
    arena->context = context;
    arena->blocks = NULL;
    arena->next_size = FIRST_BLOCK;
}

void ks_arena_fini(ks_arena *arena) {
    while (arena->blocks) {
        ks__arena_block *older = arena->blocks->older;
        ks_free(arena->context, arena->blocks);
        arena->blocks = older;
    }
}

void *ks_arena_get(ks_arena *arena, size_t count, size_t item_size) {
    uint64_t size = 0;
    uint64_t rounded = 0;
    if (!ks_mul_u64(count, item_size, &size) || !ks_add_u64(size, 15, &rounded) || rounded > SIZE_MAX / 2) {
        ks_fail(arena->context, KS_E_OVER_MEMORY, KS_STAGE_NONE, KS_NO_OFFSET, NULL,
                "%zu items of %zu bytes are more than memory can hold", count, item_size);
        return NULL;
    }
    size_t need = (size_t)rounded & ~(size_t)15;
    ks__arena_block *block = arena->blocks;
    if (!block || need > block->size - block->used) {
        size_t block_size = need > arena->next_size ? need : arena->next_size;
        block = ks_allocate(arena->context, 1, sizeof *block + block_size);
        if (!block)
            return NULL;
        block->size = block_size;
        block->older = arena->blocks;
        arena->blocks = block;
        if (arena->next_size < LARGEST_BLOCK)
            arena->next_size *= 2;
    }
    void *memory = (char *)(block + 1) + block->used;
    block->used += need;
    return memory;
}

ks_text ks_arena_text(ks_arena *arena, const char *data, size_t size) {
    ks_text text = {NULL, 0};
    char *copy = ks_arena_get(arena, size + 1, 1);
    if (!copy)
        return text;
    if (size)
        memcpy(copy, data, size);
    text.data = copy;
    text.size = size;
    return text;
}

const char *ks_arena_format(ks_arena *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = size < 0 ? NULL : ks_arena_get(arena, (size_t)size + 1, 1);
    if (!text)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return text;
}
