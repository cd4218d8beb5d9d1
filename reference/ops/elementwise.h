// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic element by element: floating and integer, comparisons, reductions over rows.
#ifndef KASSAY_OPS_ELEMENTWISE_H
#define KASSAY_OPS_ELEMENTWISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ks_binary {
    KS_BINARY_ADD,
    KS_BINARY_SUBTRACT,
    KS_BINARY_MULTIPLY,
    KS_BINARY_DIVIDE,
    KS_BINARY_DIVIDE_NO_NAN,
    KS_BINARY_FLOOR_DIVIDE,
    KS_BINARY_MOD,
    KS_BINARY_POWER,
    KS_BINARY_MAXIMUM,
    KS_BINARY_MINIMUM,
    KS_BINARY_ARCTAN2,
    KS_BINARY_SQUARED_DIFFERENCE
} ks_binary;

typedef enum ks_comparison {
    KS_COMPARE_EQUAL,
    KS_COMPARE_NOT_EQUAL,
    KS_COMPARE_GREATER,
    KS_COMPARE_GREATER_EQUAL,
    KS_COMPARE_LESS,
    KS_COMPARE_LESS_EQUAL,
    KS_COMPARE_AND,
    KS_COMPARE_OR,
    KS_COMPARE_XOR
} ks_comparison;

typedef enum ks_unary {
    KS_UNARY_NEGATIVE,
    KS_UNARY_ABSOLUTE,
    KS_UNARY_SQUARE,
    KS_UNARY_SIGN,
    KS_UNARY_RECIPROCAL,
    KS_UNARY_SQRT,
    KS_UNARY_RSQRT,
    KS_UNARY_EXP,
    KS_UNARY_EXP2,
    KS_UNARY_EXPM1,
    KS_UNARY_LOG,
    KS_UNARY_LOG2,
    KS_UNARY_LOG10,
    KS_UNARY_LOG1P,
    KS_UNARY_SIN,
    KS_UNARY_COS,
    KS_UNARY_TAN,
    KS_UNARY_SINH,
    KS_UNARY_COSH,
    KS_UNARY_TANH,
    KS_UNARY_ARCSIN,
    KS_UNARY_ARCCOS,
    KS_UNARY_ARCTAN,
    KS_UNARY_ARCSINH,
    KS_UNARY_ARCCOSH,
    KS_UNARY_ARCTANH,
    KS_UNARY_ERF,
    KS_UNARY_FLOOR,
    KS_UNARY_CEIL,
    KS_UNARY_TRUNC,
    KS_UNARY_ROUND,
    KS_UNARY_COPY
} ks_unary;

typedef enum ks_reduction {
    KS_REDUCE_SUM,
    KS_REDUCE_MEAN,
    KS_REDUCE_PROD,
    KS_REDUCE_MAX,
    KS_REDUCE_MIN,
    KS_REDUCE_VAR,
    KS_REDUCE_STD,
    KS_REDUCE_LOGSUMEXP,
    KS_REDUCE_NORM
} ks_reduction;

void ks_binary_f32(ks_binary id, float *out, const float *a, const float *b, size_t count);
void ks_binary_f64(ks_binary id, double *out, const double *a, const double *b, size_t count);
/// Wraps around as the machine does. False, with an unfinished `out`, for a division by zero or a negative power:
/// integers have no answer, and TensorFlow raises.
bool ks_binary_integer(ks_binary id, int64_t *out, const int64_t *a, const int64_t *b, size_t count);
void ks_compare_f32(ks_comparison id, bool *out, const float *a, const float *b, size_t count);
void ks_compare_f64(ks_comparison id, bool *out, const double *a, const double *b, size_t count);
void ks_compare_integer(ks_comparison id, bool *out, const int64_t *a, const int64_t *b, size_t count);
void ks_unary_f32(ks_unary id, float *out, const float *in, size_t count);
void ks_unary_f64(ks_unary id, double *out, const double *in, size_t count);
void ks_unary_integer(ks_unary id, int64_t *out, const int64_t *in, size_t count);
/// out[rows] from in[rows][columns].
void ks_reduce_f32(ks_reduction id, float *out, const float *in, size_t rows, size_t columns);
void ks_reduce_f64(ks_reduction id, double *out, const double *in, size_t rows, size_t columns);
void ks_reduce_integer(ks_reduction id, int64_t *out, const int64_t *in, size_t rows, size_t columns);
/// Index of the first largest (or smallest) element of every row.
void ks_arg_extreme_f32(bool largest, int64_t *out, const float *in, size_t rows, size_t columns);
void ks_arg_extreme_f64(bool largest, int64_t *out, const double *in, size_t rows, size_t columns);

#endif
