// SPDX-License-Identifier: Apache-2.0
//
// A hash of short texts, such as names: eight bytes at a time, then one by one; mixed, so that names that differ in any
// of their bytes differ in all bits.
#ifndef KASSAY_BASE_HASH_H
#define KASSAY_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t ks_hash_text(const char *text, size_t size) {
    uint64_t hash = UINT64_C(14695981039346656037) ^ size, eight;
    size_t i = 0;
    for (; size - i >= sizeof(eight); i += sizeof(eight)) {
        memcpy(&eight, text + i, sizeof(eight));
        hash = (hash ^ eight) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29; // what the upper half of the bytes did must reach the lower bits
    }
    for (; i < size; i++)
        hash = (hash ^ (uint8_t)text[i]) * UINT64_C(1099511628211);
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    return (uint32_t)(hash >> 32);
}

#endif
