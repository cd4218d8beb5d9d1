// SPDX-License-Identifier: Apache-2.0
#include "ops/pooling.h"

#include <string.h>

#include "ops/window_span.h"

static void take_maximum(ks_real *restrict row, const ks_real *restrict x, size_t count) {
    for (size_t c = 0; c < count; c++)
        row[c] = x[c] > row[c] ? x[c] : row[c];
}

static void max_position(ks_real *row, const ks_real *in, const ks_position *at, size_t channels) {
    for (size_t c = 0; c < channels; c++)
        row[c] = -(ks_real)INFINITY;
    KS_EACH_TAP(at) {
        take_maximum(row, in + ks_element_index(at, k0, k1, k2) * channels, channels);
    }
}

void KS_REAL(ks_max_pool)(ks_real *out, const ks_real *in, const ks_window *window, size_t batch, size_t channels) {
    for (size_t n = 0; n < batch; n++) {
        const ks_real *image = in + n * ks_window_volume(window->in) * channels;
        KS_EACH_POSITION(window) {
            ks_position at = ks_position_at(window, o0, o1, o2);
            max_position(out, image, &at, channels);
            out += channels;
        }
    }
}

static void average_position(ks_real *restrict row, const ks_real *in, const ks_position *at, size_t channels) {
    size_t count = 0;
    memset(row, 0, channels * sizeof(*row));
    KS_EACH_TAP(at) {
        const ks_real *restrict x = in + ks_element_index(at, k0, k1, k2) * channels;
        for (size_t c = 0; c < channels; c++)
            row[c] += x[c];
        count++;
    }
    for (size_t c = 0; c < channels; c++)
        row[c] /= (ks_real)count;
}

void KS_REAL(ks_average_pool)(ks_real *out, const ks_real *in, const ks_window *window, size_t batch, size_t channels) {
    for (size_t n = 0; n < batch; n++) {
        const ks_real *image = in + n * ks_window_volume(window->in) * channels;
        KS_EACH_POSITION(window) {
            ks_position at = ks_position_at(window, o0, o1, o2);
            average_position(out, image, &at, channels);
            out += channels;
        }
    }
}

// --- whole axes -----------------------------------------------------------------------------------------------------

static void max_piece(ks_real *out, const ks_real *in, size_t first, size_t last, size_t inner) {
    for (size_t j = 0; j < inner; j++)
        out[j] = -(ks_real)INFINITY;
    for (size_t i = first; i < last; i++)
        take_maximum(out, in + i * inner, inner);
}

#define BLOCK 64

// Sums are kept in double: a global mean may have many thousand terms.
static void mean_piece(ks_real *out, const ks_real *in, const ks_real *weights, size_t first, size_t last,
                       size_t inner) {
    size_t count = 0;
    for (size_t i = first; i < last; i++)
        count += !weights || weights[i] != 0;
    for (size_t block = 0; block < inner; block += BLOCK) {
        size_t width = inner - block < BLOCK ? inner - block : BLOCK;
        double sums[BLOCK] = {0};
        for (size_t i = first; i < last; i++)
            for (size_t j = 0; j < width && (!weights || weights[i] != 0); j++)
                sums[j] += (double)in[i * inner + block + j];
        for (size_t j = 0; j < width; j++)
            out[block + j] = (ks_real)(sums[j] / (double)count);
    }
}

void KS_REAL(ks_max_axis)(ks_real *out, const ks_real *in, size_t outer, size_t count, size_t inner) {
    for (size_t o = 0; o < outer; o++)
        max_piece(out + o * inner, in + o * count * inner, 0, count, inner);
}

void KS_REAL(ks_mean_axis)(ks_real *out, const ks_real *in, size_t outer, size_t count, size_t inner) {
    for (size_t o = 0; o < outer; o++)
        mean_piece(out + o * inner, in + o * count * inner, NULL, 0, count, inner);
}

void KS_REAL(ks_masked_mean_axis)(ks_real *out, const ks_real *in, const ks_real *weights, size_t outer, size_t count,
                                  size_t inner, size_t repeat) {
    for (size_t o = 0; o < outer; o++)
        mean_piece(out + o * inner, in + o * count * inner, weights + o / repeat * count, 0, count, inner);
}

void KS_REAL(ks_adaptive_axis)(ks_real *out, const ks_real *in, size_t outer, size_t count, size_t inner, size_t parts,
                               bool average) {
    for (size_t o = 0; o < outer; o++)
        for (size_t p = 0; p < parts; p++) {
            size_t first = p * count / parts, last = ((p + 1) * count + parts - 1) / parts;
            ks_real *row = out + (o * parts + p) * inner;
            if (average)
                mean_piece(row, in + o * count * inner, NULL, first, last, inner);
            else
                max_piece(row, in + o * count * inner, first, last, inner);
        }
}
