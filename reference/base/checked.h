// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on numbers that come from a file. Each function is false when the result does not fit.
#ifndef KASSAY_BASE_CHECKED_H
#define KASSAY_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

static inline bool ks_add_u64(uint64_t a, uint64_t b, uint64_t *out) {
    return !__builtin_add_overflow(a, b, out);
}
static inline bool ks_mul_u64(uint64_t a, uint64_t b, uint64_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}
/// [offset, offset + size) lies inside [0, total)
static inline bool ks_range_inside(uint64_t offset, uint64_t size, uint64_t total) {
    return offset <= total && size <= total - offset;
}

#endif
