// SPDX-License-Identifier: Apache-2.0
#include "ops/normalization.h"

static ks_real inverse_root(ks_real x) {
    return 1 / KS_MATH(sqrt)(x);
}

void KS_REAL(ks_batch_norm)(ks_real *out, const ks_real *in, const ks_real *mean, const ks_real *variance,
                            const ks_real *gamma, const ks_real *beta, ks_real epsilon, size_t outer, size_t channels,
                            size_t inner) {
    for (size_t o = 0; o < outer; o++)
        for (size_t c = 0; c < channels; c++) {
            ks_real inverse = inverse_root(variance[c] + epsilon) * (gamma ? gamma[c] : 1);
            ks_real shift = (beta ? beta[c] : 0) - mean[c] * inverse;
            for (size_t i = 0; i < inner; i++, in++, out++)
                *out = *in * inverse + shift;
        }
}

static double sum(const ks_real *in, size_t count) {
    double total = 0;
    for (size_t i = 0; i < count; i++)
        total += (double)in[i];
    return total;
}

static double sum_of_squares(const ks_real *in, size_t count, double mean) {
    double total = 0;
    for (size_t i = 0; i < count; i++)
        total += ((double)in[i] - mean) * ((double)in[i] - mean);
    return total;
}

void KS_REAL(ks_layer_norm)(ks_real *out, const ks_real *in, const ks_real *gamma, const ks_real *beta, ks_real epsilon,
                            size_t rows, size_t columns) {
    for (size_t i = 0; i < rows; i++, in += columns, out += columns) {
        double mean = sum(in, columns) / (double)columns;
        double variance = sum_of_squares(in, columns, mean) / (double)columns;
        ks_real root = inverse_root((ks_real)variance + epsilon);
        for (size_t j = 0; j < columns; j++) {
            ks_real inverse = gamma ? root * gamma[j] : root;
            ks_real shift = -(ks_real)mean * inverse;
            out[j] = in[j] * inverse + (beta ? shift + beta[j] : shift);
        }
    }
}

void KS_REAL(ks_variance_scaling)(ks_real *out, const ks_real *in, const ks_real *gamma, ks_real epsilon, size_t rows,
                                  size_t columns) {
    for (size_t i = 0; i < rows; i++, in += columns, out += columns) {
        double mean = sum(in, columns) / (double)columns;
        double variance = sum_of_squares(in, columns, mean) / (double)columns;
        ks_real root = inverse_root((ks_real)variance + epsilon);
        for (size_t j = 0; j < columns; j++)
            out[j] = in[j] * root * (gamma ? gamma[j] : 1);
    }
}

void KS_REAL(ks_rms_norm)(ks_real *out, const ks_real *in, ks_real epsilon, size_t rows, size_t columns) {
    for (size_t i = 0; i < rows; i++, in += columns, out += columns) {
        double mean_square = sum_of_squares(in, columns, 0) / (double)columns;
        ks_real root = inverse_root((ks_real)mean_square + epsilon);
        for (size_t j = 0; j < columns; j++)
            out[j] = in[j] * root;
    }
}

void KS_REAL(ks_unit_norm)(ks_real *out, const ks_real *in, size_t rows, size_t columns) {
    for (size_t i = 0; i < rows; i++, in += columns, out += columns) {
        ks_real root = inverse_root((ks_real)sum_of_squares(in, columns, 0));
        if (root > KS_C(1e12))
            root = KS_C(1e12);
        for (size_t j = 0; j < columns; j++)
            out[j] = in[j] * root;
    }
}

// --- groups ---------------------------------------------------------------------------------------------------------

typedef struct group {
    const ks_real *in;  ///< first element of the group
    size_t outer, step; ///< rows, and elements from one row to the next
    size_t count;       ///< elements of a row
} group;

static void group_moments(const group *g, ks_real *mean, ks_real *variance) {
    double total = 0, squares = 0, n = (double)g->outer * (double)g->count;
    for (size_t o = 0; o < g->outer; o++)
        total += sum(g->in + o * g->step, g->count);
    for (size_t o = 0; o < g->outer; o++)
        squares += sum_of_squares(g->in + o * g->step, g->count, total / n);
    *mean = (ks_real)(total / n);
    *variance = (ks_real)(squares / n);
}

static void group_apply(ks_real *out, const group *g, const ks_real *gamma, const ks_real *beta, ks_real mean,
                        ks_real root, size_t inner) {
    for (size_t o = 0; o < g->outer; o++)
        for (size_t i = 0; i < g->count; i++) {
            ks_real inverse = gamma ? root * gamma[i / inner] : root;
            ks_real shift = -mean * inverse;
            out[o * g->step + i] = g->in[o * g->step + i] * inverse + (beta ? shift + beta[i / inner] : shift);
        }
}

void KS_REAL(ks_group_norm)(ks_real *out, const ks_real *in, const ks_real *gamma, const ks_real *beta, ks_real epsilon,
                            size_t batch, size_t outer, size_t channels, size_t inner, size_t groups) {
    size_t width = channels / groups;
    for (size_t n = 0; n < batch; n++)
        for (size_t k = 0; k < groups; k++) {
            size_t first = n * outer * channels * inner + k * width * inner;
            group g = {in + first, outer, channels * inner, width * inner};
            ks_real mean, variance;
            group_moments(&g, &mean, &variance);
            group_apply(out + first, &g, gamma ? gamma + k * width : NULL, beta ? beta + k * width : NULL, mean,
                        inverse_root(variance + epsilon), inner);
        }
}
