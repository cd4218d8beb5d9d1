// SPDX-License-Identifier: Apache-2.0
//
// Strict UTF-8, as Python's codec reads it.
#ifndef KASSAY_BASE_UTF8_H
#define KASSAY_BASE_UTF8_H

#include <kassay/text.h>

/// Bytes of the character at `at`, of which there are `left` > 0; 0 when they are no UTF-8: overlong, a surrogate,
/// beyond Unicode, cut off.
static inline size_t ks_utf8_size(const char *at, size_t left) {
    const uint8_t *c = (const uint8_t *)at;
    size_t size = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0;
    if (size == 0 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
        (c[0] == 0xf4 && c[1] > 0x8f))
        return 0;
    return size;
}

#endif
