// SPDX-License-Identifier: Apache-2.0
//
// Borrowed bytes and borrowed text. Neither owns its memory; the owner is said where one is returned.
#ifndef KASSAY_TEXT_H
#define KASSAY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_bytes {
    const uint8_t *data;
    size_t size; ///< bytes
} ks_bytes;

/// UTF-8, may hold NUL bytes; always followed by a NUL that `size` does not count. Lone surrogates of JSON are kept in
/// their three-byte form, as Python's "surrogatepass" does.
typedef struct ks_text {
    const char *data;
    size_t size; ///< bytes
} ks_text;

static inline ks_text ks_text_from(const char *data) {
    ks_text text = {data, strlen(data)};
    return text;
}
static inline bool ks_text_is(ks_text text, const char *other) {
    if (text.size && text.data[0] != other[0])
        return false; // most comparisons end here
    return strlen(other) == text.size && memcmp(text.data, other, text.size) == 0;
}
static inline bool ks_text_equal(ks_text a, ks_text b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

#ifdef __cplusplus
}
#endif
#endif
