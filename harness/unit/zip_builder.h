// SPDX-License-Identifier: Apache-2.0
//
// Builds small zip archives field by field, and remembers where each record stands so that a test can make any field
// wrong. Deflated members are one stored block.
#ifndef KASSAY_HARNESS_ZIP_BUILDER_H
#define KASSAY_HARNESS_ZIP_BUILDER_H

#include <kassay/text.h>
#include <stdlib.h>
#include <string.h>

#define ZIP_MEMBERS 4

typedef struct zip_part {
    const char *name;
    const char *content;
    uint16_t method; ///< 0 or 8
    uint16_t flags;
    int descriptor;    ///< 0: none, 4 or 8: width of its sizes
    bool unsigned_;    ///< the descriptor has no signature
    bool zip64;        ///< sizes stand in zip64 fields of both headers
    uint32_t external; ///< attributes
    ks_bytes extra;    ///< of both headers
} zip_part;

typedef struct zip_plan {
    const char *prefix; ///< bytes before the archive, not counted by its offsets
    const char *comment;
    const char *trailing; ///< bytes behind the comment
    bool zip64;           ///< end records of zip64
    zip_part parts[ZIP_MEMBERS];
} zip_plan;

typedef struct built {
    uint8_t *data;
    size_t size, room;
    size_t local[ZIP_MEMBERS], content[ZIP_MEMBERS], central[ZIP_MEMBERS];
    size_t end64, locator, end;
} built;

static inline uint32_t built_crc(const void *data, size_t size) {
    const uint8_t *bytes = data;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
    }
    return ~crc;
}

static inline void built_put(built *b, const void *data, size_t size) {
    if (b->size + size > b->room) {
        b->room = 2 * (b->size + size) + 256;
        b->data = realloc(b->data, b->room);
    }
    if (size)
        memcpy(b->data + b->size, data, size);
    b->size += size;
}

static inline void built_text(built *b, const char *text) {
    if (text)
        built_put(b, text, strlen(text));
}

static inline void built_number(built *b, uint64_t value, size_t size) {
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    built_put(b, bytes, size);
}

/// Overwrites a field.
static inline void built_set(built *b, size_t at, size_t size, uint64_t value) {
    for (size_t i = 0; i < size; i++)
        b->data[at + i] = (uint8_t)(value >> (8 * i));
}

static inline void built_fields(built *b, const zip_part *p, bool central, uint32_t crc, uint64_t stored, uint64_t size,
                                uint64_t extra_size) {
    bool hide = p->descriptor && !central;
    built_number(b, p->zip64 ? 45 : 20, 2);
    built_number(b, p->flags | (p->descriptor ? 8u : 0u), 2);
    built_number(b, p->method, 2);
    built_number(b, 0x210000, 4);
    built_number(b, hide ? 0 : crc, 4);
    built_number(b, p->zip64 ? UINT32_MAX : hide ? 0 : stored, 4);
    built_number(b, p->zip64 ? UINT32_MAX : hide ? 0 : size, 4);
    built_number(b, strlen(p->name), 2);
    built_number(b, extra_size, 2);
}

static inline void built_extra(built *b, const zip_part *p, uint64_t stored, uint64_t size) {
    if (p->zip64) {
        built_number(b, 1, 2);
        built_number(b, 16, 2);
        built_number(b, size, 8);
        built_number(b, stored, 8);
    }
    built_put(b, p->extra.data, p->extra.size);
}

static inline size_t built_stored_size(const zip_part *p) {
    return strlen(p->content) + (p->method == 8 ? 5 : 0);
}

static inline void built_local(built *b, const zip_part *p, size_t index) {
    size_t size = strlen(p->content), stored = built_stored_size(p);
    uint32_t crc = built_crc(p->content, size);
    b->local[index] = b->size;
    built_put(b, "PK\3\4", 4);
    built_fields(b, p, false, crc, stored, size, p->extra.size + (p->zip64 ? 20 : 0));
    built_text(b, p->name);
    built_extra(b, p, stored, size);
    b->content[index] = b->size;
    if (p->method == 8) {
        built_number(b, 1, 1); // last block, stored
        built_number(b, size, 2);
        built_number(b, ~size, 2);
    }
    built_text(b, p->content);
    if (p->descriptor) {
        if (!p->unsigned_)
            built_put(b, "PK\7\10", 4);
        built_number(b, crc, 4);
        built_number(b, stored, (size_t)p->descriptor);
        built_number(b, size, (size_t)p->descriptor);
    }
}

static inline void built_central(built *b, const zip_part *p, size_t index, size_t shift) {
    size_t size = strlen(p->content), stored = built_stored_size(p);
    b->central[index] = b->size;
    built_put(b, "PK\1\2", 4);
    built_number(b, 0x0314, 2);
    built_fields(b, p, true, built_crc(p->content, size), stored, size, p->extra.size + (p->zip64 ? 20 : 0));
    built_number(b, 0, 6); // comment, disk, internal attributes
    built_number(b, p->external, 4);
    built_number(b, b->local[index] - shift, 4);
    built_text(b, p->name);
    built_extra(b, p, stored, size);
}

static inline void built_end64(built *b, size_t count, size_t start, size_t shift) {
    size_t size = b->size - start;
    b->end64 = b->size;
    built_put(b, "PK\6\6", 4);
    built_number(b, 44, 8);
    built_number(b, 45, 2);
    built_number(b, 45, 2);
    built_number(b, 0, 8);
    built_number(b, count, 8);
    built_number(b, count, 8);
    built_number(b, size, 8);
    built_number(b, start - shift, 8);
    b->locator = b->size;
    built_put(b, "PK\6\7", 4);
    built_number(b, 0, 4);
    built_number(b, b->end64 - shift, 8);
    built_number(b, 1, 4);
}

static inline built build_zip(const zip_plan *plan) {
    built b = {0};
    size_t count = 0, start, size, shift;
    built_text(&b, plan->prefix);
    shift = b.size;
    for (; count < ZIP_MEMBERS && plan->parts[count].name; count++)
        built_local(&b, &plan->parts[count], count);
    start = b.size;
    for (size_t i = 0; i < count; i++)
        built_central(&b, &plan->parts[i], i, shift);
    size = b.size - start;
    if (plan->zip64)
        built_end64(&b, count, start, shift);
    b.end = b.size;
    built_put(&b, "PK\5\6\0\0\0\0", 8);
    built_number(&b, plan->zip64 ? UINT16_MAX : count, 2);
    built_number(&b, plan->zip64 ? UINT16_MAX : count, 2);
    built_number(&b, plan->zip64 ? UINT32_MAX : size, 4);
    built_number(&b, plan->zip64 ? UINT32_MAX : start - shift, 4);
    built_number(&b, plan->comment ? strlen(plan->comment) : 0, 2);
    built_text(&b, plan->comment);
    built_text(&b, plan->trailing);
    return b;
}

#endif
