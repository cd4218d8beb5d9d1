// SPDX-License-Identifier: Apache-2.0
#include "ops/elementwise.h"

// Signed overflow wraps around: the arithmetic is done without sign.
static int64_t wrap(uint64_t value) {
    return (int64_t)value;
}

static int64_t floor_divide(int64_t a, int64_t b) {
    int64_t q;
    if (b == 0)
        return 0;
    if (b == -1)
        return wrap(0 - (uint64_t)a);
    q = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

static int64_t floor_mod(int64_t a, int64_t b) {
    int64_t r;
    if (b == 0 || b == -1)
        return 0;
    r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static int64_t power(int64_t base, int64_t exponent) {
    uint64_t result = 1, factor = (uint64_t)base;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            result *= factor;
        factor *= factor;
    }
    return wrap(result);
}

static int64_t binary(ks_binary id, int64_t a, int64_t b) {
    uint64_t x = (uint64_t)a, y = (uint64_t)b;
    switch (id) {
    case KS_BINARY_ADD:
        return wrap(x + y);
    case KS_BINARY_SUBTRACT:
        return wrap(x - y);
    case KS_BINARY_MULTIPLY:
        return wrap(x * y);
    case KS_BINARY_FLOOR_DIVIDE:
    case KS_BINARY_DIVIDE:
    case KS_BINARY_DIVIDE_NO_NAN:
        return floor_divide(a, b);
    case KS_BINARY_MOD:
        return floor_mod(a, b);
    case KS_BINARY_POWER:
        return power(a, b);
    case KS_BINARY_MAXIMUM:
        return a > b ? a : b;
    case KS_BINARY_MINIMUM:
        return a < b ? a : b;
    case KS_BINARY_SQUARED_DIFFERENCE:
        return wrap((x - y) * (x - y));
    case KS_BINARY_ARCTAN2:
        return 0; // has floating operands
    }
    return a;
}

bool ks_binary_integer(ks_binary id, int64_t *out, const int64_t *a, const int64_t *b, size_t count) {
    bool divides = id == KS_BINARY_FLOOR_DIVIDE || id == KS_BINARY_MOD;
    for (size_t i = 0; i < count; i++) {
        if ((divides && b[i] == 0) || (id == KS_BINARY_POWER && b[i] < 0))
            return false;
        out[i] = binary(id, a[i], b[i]);
    }
    return true;
}

static bool compare(ks_comparison id, int64_t a, int64_t b) {
    switch (id) {
    case KS_COMPARE_EQUAL:
        return a == b;
    case KS_COMPARE_NOT_EQUAL:
        return a != b;
    case KS_COMPARE_GREATER:
        return a > b;
    case KS_COMPARE_GREATER_EQUAL:
        return a >= b;
    case KS_COMPARE_LESS:
        return a < b;
    case KS_COMPARE_LESS_EQUAL:
        return a <= b;
    case KS_COMPARE_AND:
        return a && b;
    case KS_COMPARE_OR:
        return a || b;
    case KS_COMPARE_XOR:
        return !a != !b;
    }
    return false;
}

void ks_compare_integer(ks_comparison id, bool *out, const int64_t *a, const int64_t *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = compare(id, a[i], b[i]);
}

static int64_t unary(ks_unary id, int64_t x) {
    switch (id) {
    case KS_UNARY_NEGATIVE:
        return wrap(0 - (uint64_t)x);
    case KS_UNARY_ABSOLUTE:
        return x < 0 ? wrap(0 - (uint64_t)x) : x;
    case KS_UNARY_SQUARE:
        return wrap((uint64_t)x * (uint64_t)x);
    case KS_UNARY_SIGN:
        return (x > 0) - (x < 0);
    default:
        return x; // rounding leaves integers as they are
    }
}

void ks_unary_integer(ks_unary id, int64_t *out, const int64_t *in, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = unary(id, in[i]);
}

static int64_t reduce(ks_reduction id, const int64_t *in, size_t count) {
    ks_binary step = id == KS_REDUCE_PROD  ? KS_BINARY_MULTIPLY
                     : id == KS_REDUCE_MAX ? KS_BINARY_MAXIMUM
                     : id == KS_REDUCE_MIN ? KS_BINARY_MINIMUM
                                           : KS_BINARY_ADD;
    int64_t result = id == KS_REDUCE_PROD ? 1 : id == KS_REDUCE_MAX ? INT64_MIN : id == KS_REDUCE_MIN ? INT64_MAX : 0;
    for (size_t i = 0; i < count; i++)
        result = binary(step, result, in[i]);
    return result;
}

void ks_reduce_integer(ks_reduction id, int64_t *out, const int64_t *in, size_t rows, size_t columns) {
    for (size_t i = 0; i < rows; i++)
        out[i] = reduce(id, in + i * columns, columns);
}
