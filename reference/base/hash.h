// SPDX-License-Identifier: Apache-2.0
//
// A hash of short texts, such as names: FNV-1a over eight bytes at a time, then one by one.
#ifndef KASSAY_BASE_HASH_H
#define KASSAY_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t ks_hash_text(const char *text, size_t size) {
    uint64_t hash = UINT64_C(14695981039346656037), eight;
    size_t i = 0;
    for (; size - i >= sizeof(eight); i += sizeof(eight)) {
        memcpy(&eight, text + i, sizeof(eight));
        hash = (hash ^ eight) * UINT64_C(1099511628211);
        hash ^= hash >> 32;
    }
    for (; i < size; i++)
        hash = (hash ^ (uint8_t)text[i]) * UINT64_C(1099511628211);
    return (uint32_t)(hash ^ hash >> 32);
}

#endif
