// SPDX-License-Identifier: Apache-2.0
//
// Formulas: Keras 3 activations/activations.py on the TensorFlow backend. hard_sigmoid is x/6 + 1/2 (Keras 3's);
// the 0.2x + 0.5 of Keras 1 and 2 is a function of its own.
#include "ops/activation.h"

#include <stdlib.h>
#include <string.h>

static ks_real clamp(ks_real x, ks_real low, ks_real high) {
    return x < low ? low : x > high ? high : x; // NaN stays NaN
}

ks_real KS_REAL(ks_sigmoid)(ks_real x) {
    if (x >= 0)
        return 1 / (1 + KS_MATH(exp)(-x));
    {
        ks_real e = KS_MATH(exp)(x);
        return e / (1 + e);
    }
}

ks_real KS_REAL(ks_elu)(ks_real x, ks_real alpha) {
    return x > 0 ? x : alpha * KS_MATH(expm1)(x);
}

static ks_real softplus(ks_real x) {
    return KS_MATH(log1p)(KS_MATH(exp)(-KS_MATH(fabs)(x))) + (x > 0 ? x : x == x ? 0 : x);
}

static ks_real gelu(ks_real x) {
    return KS_C(0.5) * x * KS_MATH(erfc)(-x * KS_C(0.70710678118654752440));
}

static ks_real selu(ks_real x) {
    const ks_real scale = KS_C(1.0507009873554804934193349852946);
    const ks_real scale_alpha = KS_C(1.7580993408473768599402175208123);
    return x > 0 ? scale * x : scale_alpha * KS_MATH(expm1)(x);
}

static ks_real hard_sigmoid(ks_real x) {
    return clamp(x + 3, 0, 6) / 6;
}

static ks_real element(ks_activation_id id, ks_real x) {
    switch (id) {
    case KS_ACTIVATION_RELU:
        return x < 0 ? 0 : x;
    case KS_ACTIVATION_RELU6:
        return clamp(x, 0, 6);
    case KS_ACTIVATION_LEAKY_RELU:
        return x > 0 ? x : KS_C(0.2) * x;
    case KS_ACTIVATION_ELU:
    case KS_ACTIVATION_CELU:
        return KS_REAL(ks_elu)(x, 1);
    case KS_ACTIVATION_SELU:
        return selu(x);
    case KS_ACTIVATION_GELU:
        return gelu(x);
    case KS_ACTIVATION_SILU:
        return x * KS_REAL(ks_sigmoid)(x);
    case KS_ACTIVATION_HARD_SILU:
        return x * hard_sigmoid(x);
    case KS_ACTIVATION_SIGMOID:
        return KS_REAL(ks_sigmoid)(x);
    case KS_ACTIVATION_HARD_SIGMOID:
        return hard_sigmoid(x);
    case KS_ACTIVATION_HARD_SIGMOID_2:
        return clamp(KS_C(0.2) * x + KS_C(0.5), 0, 1);
    case KS_ACTIVATION_LOG_SIGMOID:
        return -softplus(-x);
    case KS_ACTIVATION_SPARSE_SIGMOID:
        return clamp(KS_C(0.5) * (x + 1), 0, 1);
    case KS_ACTIVATION_TANH:
        return KS_MATH(tanh)(x);
    case KS_ACTIVATION_HARD_TANH:
        return clamp(x, -1, 1);
    case KS_ACTIVATION_TANH_SHRINK:
        return x - KS_MATH(tanh)(x);
    case KS_ACTIVATION_SOFT_SHRINK:
        return x > KS_C(0.5) ? x - KS_C(0.5) : x < KS_C(-0.5) ? x + KS_C(0.5) : 0;
    case KS_ACTIVATION_HARD_SHRINK:
        return KS_MATH(fabs)(x) > KS_C(0.5) ? x : 0;
    case KS_ACTIVATION_SOFTPLUS:
        return softplus(x);
    case KS_ACTIVATION_SOFTSIGN:
        return x / (1 + KS_MATH(fabs)(x));
    case KS_ACTIVATION_SQUAREPLUS:
        return (x + KS_MATH(sqrt)(x * x + 4)) / 2;
    case KS_ACTIVATION_SPARSE_PLUS:
        return x <= -1 ? 0 : x < 1 ? KS_C(0.25) * (x + 1) * (x + 1) : x;
    case KS_ACTIVATION_EXPONENTIAL:
        return KS_MATH(exp)(x);
    case KS_ACTIVATION_MISH:
        return x * KS_MATH(tanh)(softplus(x));
    default:
        return x;
    }
}

static ks_real row_maximum(const ks_real *in, size_t columns) {
    ks_real maximum = in[0];
    for (size_t j = 1; j < columns; j++)
        if (in[j] > maximum || in[j] != in[j])
            maximum = in[j];
    return maximum;
}

void KS_REAL(ks_softmax_row)(ks_real *out, const ks_real *in, size_t columns) {
    ks_real maximum = row_maximum(in, columns), sum = 0;
    for (size_t j = 0; j < columns; j++) {
        out[j] = KS_MATH(exp)(in[j] - maximum);
        sum += out[j];
    }
    for (size_t j = 0; j < columns; j++)
        out[j] /= sum;
}

static void log_softmax_row(ks_real *out, const ks_real *in, size_t columns) {
    ks_real maximum = row_maximum(in, columns), sum = 0;
    for (size_t j = 0; j < columns; j++)
        sum += KS_MATH(exp)(in[j] - maximum);
    sum = KS_MATH(log)(sum);
    for (size_t j = 0; j < columns; j++)
        out[j] = in[j] - maximum - sum;
}

// The largest element below `last` (any, when `first`) and how often it occurs; false when there is none.
static bool next_largest(ks_real *out, size_t *equal, const ks_real *in, size_t columns, ks_real last, bool first) {
    *equal = 0;
    for (size_t j = 0; j < columns; j++) {
        if (!first && !(in[j] < last))
            continue;
        if (*equal == 0 || in[j] > *out) {
            *out = in[j];
            *equal = 1;
        } else if (in[j] == *out) {
            (*equal)++;
        }
    }
    return *equal > 0;
}

// Keras's threshold is (Σ of all cumulative sums inside the support - 1) / k, where the definition of sparsemax has the
// last cumulative sum only. The support is found without sorting memory.
static void sparsemax_row(ks_real *out, const ks_real *in, size_t columns) {
    ks_real sum = 0, sum_of_sums = 0, next = 0, tau;
    size_t k = 0, equal;
    bool inside = true;
    while (inside && next_largest(&next, &equal, in, columns, next, k == 0)) {
        for (size_t e = 0; e < equal && inside; e++) {
            inside = next - (sum + next - 1) / (ks_real)(k + 1) > 0;
            if (!inside)
                break;
            sum += next;
            sum_of_sums += sum;
            k++;
        }
    }
    tau = (sum_of_sums - 1) / (ks_real)k; // without support (NaN in the row) 0/0, as in Keras
    for (size_t j = 0; j < columns; j++)
        out[j] = in[j] - tau < 0 ? 0 : in[j] - tau;
}

void KS_REAL(ks_activation_apply)(ks_activation_id id, ks_real *out, const ks_real *in, size_t rows, size_t columns) {
    if (columns == 0)
        return;
    switch (id) {
    case KS_ACTIVATION_LINEAR:
        if (out != in)
            memcpy(out, in, rows * columns * sizeof(*out));
        return;
    case KS_ACTIVATION_SOFTMAX:
        for (size_t i = 0; i < rows; i++)
            KS_REAL(ks_softmax_row)(out + i * columns, in + i * columns, columns);
        return;
    case KS_ACTIVATION_LOG_SOFTMAX:
        for (size_t i = 0; i < rows; i++)
            log_softmax_row(out + i * columns, in + i * columns, columns);
        return;
    case KS_ACTIVATION_SPARSEMAX:
        for (size_t i = 0; i < rows; i++)
            sparsemax_row(out + i * columns, in + i * columns, columns);
        return;
    case KS_ACTIVATION_GLU:
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns / 2; j++)
                out[i * (columns / 2) + j] =
                    in[i * columns + j] * KS_REAL(ks_sigmoid)(in[i * columns + columns / 2 + j]);
        return;
    default:
        for (size_t i = 0; i < rows * columns; i++)
            out[i] = element(id, in[i]);
    }
}
