// SPDX-License-Identifier: Apache-2.0
#include <kassay/context.h>

#include "base/checked.h"
#include "base/keep.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64
#define MALLOC_ALIGNMENT _Alignof(max_align_t)

/// Stands before every allocation. Its size keeps the memory behind it aligned.
typedef struct ks__allocation {
    struct ks__allocation *older;
    struct ks__allocation *newer;
    uint64_t size;                ///< bytes charged
    uint64_t number;              ///< from ks_memory.n_allocations
    void (*release)(void *thing); ///< of ks_keep: what is kept goes when the allocation does; else NULL
    void *block;                  ///< as malloc gave it
    char pad[ALIGNMENT - 48];
} allocation;

_Static_assert(sizeof(allocation) == ALIGNMENT, "the header must keep the alignment");

void ks_context_init(ks_context *context, const ks_limits *limits) {
    memset(context, 0, sizeof *context);
    context->limits = limits ? *limits : ks_limits_default();
    context->error.offset = KS_NO_OFFSET;
    ks_context_budget(context, 0);
}

void ks_context_clear(ks_context *context) {
    memset(&context->error, 0, sizeof context->error);
    context->error.offset = KS_NO_OFFSET;
    context->n_warnings = 0;
}

void ks_context_budget(ks_context *context, uint64_t file_size) {
    uint64_t scaled = 0;
    uint64_t total = 0;
    if (!ks_mul_u64(file_size, context->limits.memory_per_byte, &scaled) ||
        !ks_add_u64(scaled, context->limits.memory_base, &total))
        total = UINT64_MAX;
    context->memory.limit = total;
}

void *ks__allocate_room(ks_context *context, size_t count, size_t item_size) {
    ks_memory *memory = &context->memory;
    uint64_t size = 0;
    uint64_t total = 0;
    if (!ks_mul_u64(count, item_size, &size) ||
        !ks_add_u64(size, sizeof(allocation) + ALIGNMENT - MALLOC_ALIGNMENT, &total) ||
        !ks_range_inside(memory->held, total, memory->limit)) {
        ks_fail(context, KS_E_OVER_MEMORY, KS_STAGE_NONE, KS_NO_OFFSET, NULL,
                "%zu items of %zu bytes do not fit: %llu of %llu bytes are held", count, item_size,
                (unsigned long long)memory->held, (unsigned long long)memory->limit);
        return NULL;
    }
    memory->n_allocations++;
    void *block = NULL;
    if (memory->fail_at == 0 || memory->n_allocations < memory->fail_at)
        block = malloc((size_t)total);
    if (!block) {
        ks_fail(context, KS_E_NO_MEMORY, KS_STAGE_NONE, KS_NO_OFFSET, NULL, "no memory for %llu bytes",
                (unsigned long long)size);
        return NULL;
    }
    allocation *header = (allocation *)(((uintptr_t)block + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1));
    *header = (allocation){.older = memory->newest, .size = total, .number = memory->n_allocations, .block = block};
    if (memory->newest)
        memory->newest->newer = header;
    memory->newest = header;
    memory->held += total;
    memory->n_live++;
    if (memory->held > memory->peak)
        memory->peak = memory->held;
    return header + 1;
}

void *ks_allocate(ks_context *context, size_t count, size_t item_size) {
    void *room = ks__allocate_room(context, count, item_size);
    return room ? memset(room, 0, count * item_size) : NULL;
}

void ks_free(ks_context *context, void *pointer) {
    if (!pointer)
        return;
    ks_memory *memory = &context->memory;
    allocation *header = (allocation *)pointer - 1;
    if (header->newer)
        header->newer->older = header->older;
    else
        memory->newest = header->older;
    if (header->older)
        header->older->newer = header->newer;
    memory->held -= header->size;
    memory->n_live--;
    if (header->release)
        header->release(*(void **)pointer);
    free(header->block);
}

void *ks_keep(ks_context *context, void *thing, void (*release)(void *thing)) {
    void **keeper = ks_allocate(context, 1, sizeof *keeper);
    if (!keeper) {
        release(thing);
        return NULL;
    }
    *keeper = thing;
    ((allocation *)(void *)keeper - 1)->release = release;
    return keeper;
}

uint64_t ks_context_mark(const ks_context *context) {
    return context->memory.n_allocations;
}

void ks_context_release_since(ks_context *context, uint64_t mark) {
    while (context->memory.newest && context->memory.newest->number > mark)
        ks_free(context, context->memory.newest + 1);
}

ks_code ks_fail(ks_context *context, ks_code code, ks_stage stage, uint64_t offset, const char *place,
                const char *format, ...) {
    ks_error *error = &context->error;
    if (error->code != KS_OK)
        return code;
    error->code = code;
    error->stage = stage;
    error->offset = offset;
    snprintf(error->place, sizeof error->place, "%s", place ? place : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    for (char *at = error->message; *at; at++)
        if ((unsigned char)*at < 0x20)
            *at = '?'; // one line, whatever bytes of the file the message quotes
    return code;
}

void ks_error_prefix_place(ks_context *context, const char *prefix) {
    ks_error *error = &context->error;
    char place[sizeof error->place];
    // A place too long for the record keeps its end, which is the more telling part.
    size_t prefix_size = strlen(prefix);
    size_t place_size = strlen(error->place);
    if (prefix_size + place_size >= sizeof place) {
        if (prefix_size >= sizeof place / 2)
            return;
        size_t keep = sizeof place - 1 - prefix_size;
        memmove(error->place, error->place + place_size - keep, keep + 1);
    }
    snprintf(place, sizeof place, "%s%.*s", prefix, (int)(sizeof place - 1), error->place);
    memcpy(error->place, place, sizeof place);
}

void ks_warn(ks_context *context, const char *name, const char *place) {
    size_t index = context->n_warnings++;
    if (index >= KS_MAX_WARNINGS)
        return;
    context->warnings[index].name = name;
    snprintf(context->warnings[index].place, sizeof context->warnings[index].place, "%s", place ? place : "");
}
