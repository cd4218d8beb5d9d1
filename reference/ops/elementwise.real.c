// SPDX-License-Identifier: Apache-2.0
//
// Floored division and its remainder take the divisor's sign, as Python's. Sums of float rows are kept in double.
#include "ops/elementwise.h"

#include "ops/real.h"

static ks_real floor_mod(ks_real a, ks_real b) {
    ks_real r = KS_MATH(fmod)(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static ks_real binary(ks_binary id, ks_real a, ks_real b) {
    switch (id) {
    case KS_BINARY_ADD:
        return a + b;
    case KS_BINARY_SUBTRACT:
        return a - b;
    case KS_BINARY_MULTIPLY:
        return a * b;
    case KS_BINARY_DIVIDE:
        return a / b;
    case KS_BINARY_DIVIDE_NO_NAN:
        return b == 0 ? 0 : a / b;
    case KS_BINARY_FLOOR_DIVIDE:
        return KS_MATH(floor)(a / b);
    case KS_BINARY_MOD:
        return floor_mod(a, b);
    case KS_BINARY_POWER:
        return KS_MATH(pow)(a, b);
    case KS_BINARY_MAXIMUM:
        return a > b || a != a ? a : b;
    case KS_BINARY_MINIMUM:
        return a < b || a != a ? a : b;
    case KS_BINARY_ARCTAN2:
        return KS_MATH(atan2)(a, b);
    case KS_BINARY_SQUARED_DIFFERENCE:
        return (a - b) * (a - b);
    }
    return a;
}

void KS_REAL(ks_binary)(ks_binary id, ks_real *out, const ks_real *a, const ks_real *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = binary(id, a[i], b[i]);
}

static bool compare(ks_comparison id, ks_real a, ks_real b) {
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
        return a != 0 && b != 0;
    case KS_COMPARE_OR:
        return a != 0 || b != 0;
    case KS_COMPARE_XOR:
        return (a != 0) != (b != 0);
    }
    return false;
}

void KS_REAL(ks_compare)(ks_comparison id, bool *out, const ks_real *a, const ks_real *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = compare(id, a[i], b[i]);
}

static ks_real unary(ks_unary id, ks_real x) {
    switch (id) {
    case KS_UNARY_NEGATIVE:
        return -x;
    case KS_UNARY_ABSOLUTE:
        return KS_MATH(fabs)(x);
    case KS_UNARY_SQUARE:
        return x * x;
    case KS_UNARY_SIGN:
        return x > 0 ? 1 : x < 0 ? -1 : x;
    case KS_UNARY_RECIPROCAL:
        return 1 / x;
    case KS_UNARY_SQRT:
        return KS_MATH(sqrt)(x);
    case KS_UNARY_RSQRT:
        return 1 / KS_MATH(sqrt)(x);
    case KS_UNARY_EXP:
        return KS_MATH(exp)(x);
    case KS_UNARY_EXP2:
        return KS_MATH(exp2)(x);
    case KS_UNARY_EXPM1:
        return KS_MATH(expm1)(x);
    case KS_UNARY_LOG:
        return KS_MATH(log)(x);
    case KS_UNARY_LOG2:
        return KS_MATH(log2)(x);
    case KS_UNARY_LOG10:
        return KS_MATH(log10)(x);
    case KS_UNARY_LOG1P:
        return KS_MATH(log1p)(x);
    case KS_UNARY_SIN:
        return KS_MATH(sin)(x);
    case KS_UNARY_COS:
        return KS_MATH(cos)(x);
    case KS_UNARY_TAN:
        return KS_MATH(tan)(x);
    case KS_UNARY_SINH:
        return KS_MATH(sinh)(x);
    case KS_UNARY_COSH:
        return KS_MATH(cosh)(x);
    case KS_UNARY_TANH:
        return KS_MATH(tanh)(x);
    case KS_UNARY_ARCSIN:
        return KS_MATH(asin)(x);
    case KS_UNARY_ARCCOS:
        return KS_MATH(acos)(x);
    case KS_UNARY_ARCTAN:
        return KS_MATH(atan)(x);
    case KS_UNARY_ARCSINH:
        return KS_MATH(asinh)(x);
    case KS_UNARY_ARCCOSH:
        return KS_MATH(acosh)(x);
    case KS_UNARY_ARCTANH:
        return KS_MATH(atanh)(x);
    case KS_UNARY_ERF:
        return KS_MATH(erf)(x);
    case KS_UNARY_FLOOR:
        return KS_MATH(floor)(x);
    case KS_UNARY_CEIL:
        return KS_MATH(ceil)(x);
    case KS_UNARY_TRUNC:
        return KS_MATH(trunc)(x);
    case KS_UNARY_ROUND:
        return KS_MATH(rint)(x); // half to even
    case KS_UNARY_COPY:
        return x;
    }
    return x;
}

void KS_REAL(ks_unary)(ks_unary id, ks_real *out, const ks_real *in, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = unary(id, in[i]);
}

// --- reductions -----------------------------------------------------------------------------------------------------

static double sum_of(const ks_real *in, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)in[i];
    return sum;
}

static double product_of(const ks_real *in, size_t count) {
    double product = 1;
    for (size_t i = 0; i < count; i++)
        product *= (double)in[i];
    return product;
}

static ks_real extreme_of(ks_binary id, const ks_real *in, size_t count) {
    ks_real best = id == KS_BINARY_MAXIMUM ? -(ks_real)INFINITY : (ks_real)INFINITY;
    for (size_t i = 0; i < count; i++)
        best = binary(id, in[i], best);
    return best;
}

static double variance_of(const ks_real *in, size_t count) {
    double mean = sum_of(in, count) / (double)count, sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ((double)in[i] - mean) * ((double)in[i] - mean);
    return sum / (double)count;
}

static double logsumexp_of(const ks_real *in, size_t count) {
    ks_real maximum = extreme_of(KS_BINARY_MAXIMUM, in, count);
    double sum = 0;
    if (KS_MATH(fabs)(maximum) == (ks_real)INFINITY)
        maximum = 0;
    for (size_t i = 0; i < count; i++)
        sum += exp((double)(in[i] - maximum));
    return log(sum) + (double)maximum;
}

static double norm_of(const ks_real *in, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)in[i] * (double)in[i];
    return sqrt(sum);
}

static ks_real reduce(ks_reduction id, const ks_real *in, size_t count) {
    switch (id) {
    case KS_REDUCE_SUM:
        return (ks_real)sum_of(in, count);
    case KS_REDUCE_MEAN:
        return (ks_real)(sum_of(in, count) / (double)count);
    case KS_REDUCE_PROD:
        return (ks_real)product_of(in, count);
    case KS_REDUCE_MAX:
        return extreme_of(KS_BINARY_MAXIMUM, in, count);
    case KS_REDUCE_MIN:
        return extreme_of(KS_BINARY_MINIMUM, in, count);
    case KS_REDUCE_VAR:
        return (ks_real)variance_of(in, count);
    case KS_REDUCE_STD:
        return (ks_real)sqrt(variance_of(in, count));
    case KS_REDUCE_LOGSUMEXP:
        return (ks_real)logsumexp_of(in, count);
    case KS_REDUCE_NORM:
        return (ks_real)norm_of(in, count);
    }
    return 0;
}

void KS_REAL(ks_reduce)(ks_reduction id, ks_real *out, const ks_real *in, size_t rows, size_t columns) {
    for (size_t i = 0; i < rows; i++)
        out[i] = reduce(id, in + i * columns, columns);
}

void KS_REAL(ks_arg_extreme)(bool largest, int64_t *out, const ks_real *in, size_t rows, size_t columns) {
    for (size_t i = 0; i < rows; i++) {
        const ks_real *row = in + i * columns;
        size_t best = 0;
        for (size_t k = 1; k < columns; k++)
            if (largest ? row[k] > row[best] : row[k] < row[best])
                best = k;
        out[i] = (int64_t)best;
    }
}
