// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include "base/checked.h"
#include "base/keep.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_BLOCK 4096
#define LARGEST_BLOCK ((size_t)1024 * 1024)

struct ks__arena_block {
    ks__arena_block *older;
    char pad[56]; ///< keeps the data aligned to 64 bytes
};

void ks_arena_init(ks_arena *arena, ks_context *context) {
    *arena = (ks_arena){.context = context, .next_size = FIRST_BLOCK};
}

void ks_arena_fini(ks_arena *arena) {
    while (arena->blocks) {
        ks__arena_block *older = arena->blocks->older;
        ks_free(arena->context, arena->blocks);
        arena->blocks = older;
    }
    arena->free = NULL;
    arena->left = 0;
}

void ks_arena_expect(ks_arena *arena, size_t size) {
    size = size < LARGEST_BLOCK ? size : LARGEST_BLOCK;
    if (arena->next_size < size)
        arena->next_size = (size + 63) & ~(size_t)63;
}

static ks__arena_block *new_block(ks_arena *arena, size_t size) {
    return ks__allocate_room(arena->context, 1, sizeof(ks__arena_block) + size);
}

void *ks__arena_slow(ks_arena *arena, size_t count, size_t item_size) {
    uint64_t size = 0;
    uint64_t rounded = 0;
    if (!ks_mul_u64(count, item_size, &size) || !ks_add_u64(size, KS_ARENA_ALIGNMENT - 1, &rounded) ||
        rounded > SIZE_MAX / 2) {
        ks_fail(arena->context, KS_E_OVER_MEMORY, KS_STAGE_NONE, KS_NO_OFFSET, NULL,
                "%zu items of %zu bytes are more than memory can hold", count, item_size);
        return NULL;
    }
    size_t need = (size_t)rounded & ~(KS_ARENA_ALIGNMENT - 1);
    bool alone = need >= arena->next_size; // then the block that is in use stays in use
    ks__arena_block *block = new_block(arena, alone ? need : arena->next_size);
    if (!block)
        return NULL;
    if (alone && arena->blocks) {
        block->older = arena->blocks->older;
        arena->blocks->older = block;
        return block + 1;
    }
    block->older = arena->blocks;
    arena->blocks = block;
    if (alone)
        return block + 1;
    arena->free = (char *)(block + 1) + need;
    arena->left = arena->next_size - need;
    if (arena->next_size < LARGEST_BLOCK)
        arena->next_size *= 2;
    return block + 1;
}

ks_text ks_arena_text(ks_arena *arena, const char *data, size_t size) {
    ks_text text = {NULL, 0};
    char *copy = ks_arena_room(arena, size + 1, 1);
    if (!copy)
        return text;
    if (size)
        memcpy(copy, data, size);
    copy[size] = 0;
    text.data = copy;
    text.size = size;
    return text;
}

// --- text -----------------------------------------------------------------------------------------------------------

/// Text that is being put together, in the free end of an arena's block: counted beyond it.
typedef struct pieces {
    char *data;
    size_t room;
    size_t size;
} pieces;

static inline void put(pieces *p, const char *text, size_t size) {
    if (size <= p->room && p->size <= p->room - size && size)
        memcpy(p->data + p->size, text, size);
    p->size += size;
}

static void put_number(pieces *p, size_t number) {
    char digits[24];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    put(p, digits + at, sizeof digits - at);
}

// The conversions that places and paths are made of: %s, %.*s, %zu. False at any other.
static bool format_simply(pieces *p, const char *format, va_list arguments) {
    while (*format) {
        size_t plain = 0;
        while (format[plain] && format[plain] != '%')
            plain++;
        if (plain) {
            put(p, format, plain);
            format += plain;
        } else if (format[1] == 's') {
            const char *text = va_arg(arguments, const char *);
            put(p, text, strlen(text));
            format += 2;
        } else if (format[1] == 'z' && format[2] == 'u') {
            put_number(p, va_arg(arguments, size_t));
            format += 3;
        } else if (strncmp(format + 1, ".*s", 3) == 0) {
            int limit = va_arg(arguments, int);
            const char *text = va_arg(arguments, const char *);
            put(p, text, strnlen(text, limit < 0 ? 0 : (size_t)limit));
            format += 4;
        } else {
            return false;
        }
    }
    return true;
}

// Formatting is on the way of every load (each object has a place and a path), hence the short cut around vsnprintf.
const char *ks_arena_format(ks_arena *arena, const char *format, ...) {
    pieces p = {arena->free, arena->left, 0};
    va_list arguments;
    va_start(arguments, format);
    bool simple = format_simply(&p, format, arguments);
    va_end(arguments);
    if (simple && p.size < p.room) { // taken as it stands
        char *made = ks_arena_room(arena, p.size + 1, 1);
        made[p.size] = 0;
        return made;
    }
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = size < 0 ? NULL : ks_arena_room(arena, (size_t)size + 1, 1);
    if (!text)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return text;
}

// Places and paths that end in a number are what a load makes most of.
const char *ks_arena_numbered(ks_arena *arena, const char *text, const char *middle, size_t number) {
    size_t text_size = strlen(text), middle_size = strlen(middle), n_digits = 1;
    for (size_t rest = number / 10; rest; rest /= 10)
        n_digits++;
    char *made = ks_arena_room(arena, text_size + middle_size + n_digits + 1, 1);
    if (!made)
        return NULL;
    memcpy(made, text, text_size);
    memcpy(made + text_size, middle, middle_size);
    char *end = made + text_size + middle_size + n_digits;
    *end = 0;
    do
        *--end = (char)('0' + number % 10);
    while (number /= 10);
    return made;
}

const char *ks_arena_path(ks_arena *arena, const char *outer, const char *inner) {
    size_t outer_size = strlen(outer);
    size_t inner_size = strlen(inner);
    char *path = ks_arena_room(arena, outer_size + inner_size + 2, 1);
    if (!path)
        return NULL;
    memcpy(path, outer, outer_size);
    if (outer_size)
        path[outer_size++] = '/';
    memcpy(path + outer_size, inner, inner_size + 1);
    return path;
}
