// SPDX-License-Identifier: Apache-2.0
//
// Plain loops. The innermost one runs over contiguous result channels, so that it vectorises; the order of summation is
// that of the taps and then of the input channels, whatever the batch.
#include "ops/convolution.h"

#include <string.h>

#include "ops/window_span.h"

static void multiply_add(ks_real *restrict row, const ks_real *restrict factors, ks_real x, size_t count) {
    for (size_t j = 0; j < count; j++)
        row[j] += x * factors[j];
}

static void convolve_position(ks_real *row, const ks_real *in, const ks_real *kernel, const ks_position *at,
                              size_t channels, size_t groups, size_t filters) {
    size_t in_group = channels / groups, out_group = filters / groups;
    KS_EACH_TAP(at) {
        const ks_real *x = in + ks_element_index(at, k0, k1, k2) * channels;
        const ks_real *taps = kernel + ks_tap_index(at, k0, k1, k2) * in_group * filters;
        for (size_t g = 0; g < groups; g++)
            for (size_t c = 0; c < in_group; c++)
                multiply_add(row + g * out_group, taps + c * filters + g * out_group, x[g * in_group + c], out_group);
    }
}

void KS_REAL(ks_convolve)(ks_real *out, const ks_real *in, const ks_real *kernel, const ks_window *window, size_t batch,
                          size_t channels, size_t groups, size_t filters) {
    memset(out, 0, batch * ks_window_volume(window->out) * filters * sizeof(*out));
    for (size_t n = 0; n < batch; n++) {
        const ks_real *image = in + n * ks_window_volume(window->in) * channels;
        KS_EACH_POSITION(window) {
            ks_position at = ks_position_at(window, o0, o1, o2);
            convolve_position(out, image, kernel, &at, channels, groups, filters);
            out += filters;
        }
    }
}

static void depthwise_position(ks_real *restrict row, const ks_real *restrict in, const ks_real *restrict kernel,
                               const ks_position *at, size_t channels, size_t multiplier) {
    KS_EACH_TAP(at) {
        const ks_real *x = in + ks_element_index(at, k0, k1, k2) * channels;
        const ks_real *taps = kernel + ks_tap_index(at, k0, k1, k2) * channels * multiplier;
        if (multiplier == 1) {
            for (size_t c = 0; c < channels; c++)
                row[c] += x[c] * taps[c];
            continue;
        }
        for (size_t c = 0; c < channels; c++)
            for (size_t m = 0; m < multiplier; m++)
                row[c * multiplier + m] += x[c] * taps[c * multiplier + m];
    }
}

void KS_REAL(ks_convolve_depthwise)(ks_real *out, const ks_real *in, const ks_real *kernel, const ks_window *window,
                                    size_t batch, size_t channels, size_t multiplier) {
    memset(out, 0, batch * ks_window_volume(window->out) * channels * multiplier * sizeof(*out));
    for (size_t n = 0; n < batch; n++) {
        const ks_real *image = in + n * ks_window_volume(window->in) * channels;
        KS_EACH_POSITION(window) {
            ks_position at = ks_position_at(window, o0, o1, o2);
            depthwise_position(out, image, kernel, &at, channels, multiplier);
            out += channels * multiplier;
        }
    }
}

// Each input element adds its image of the kernel to the result.
static void scatter_position(ks_real *image, const ks_real *x, const ks_real *kernel, const ks_position *at,
                             size_t channels, size_t filters) {
    KS_EACH_TAP(at) {
        ks_real *row = image + ks_element_index(at, k0, k1, k2) * filters;
        const ks_real *taps = kernel + ks_tap_index(at, k0, k1, k2) * channels * filters;
        for (size_t c = 0; c < channels; c++)
            multiply_add(row, taps + c * filters, x[c], filters);
    }
}

void KS_REAL(ks_convolve_transposed)(ks_real *out, const ks_real *in, const ks_real *kernel, const ks_window *window,
                                     size_t batch, size_t channels, size_t filters) {
    size_t image_size = ks_window_volume(window->in) * filters;
    memset(out, 0, batch * image_size * sizeof(*out));
    for (size_t n = 0; n < batch; n++)
        KS_EACH_POSITION(window) {
            ks_position at = ks_position_at(window, o0, o1, o2);
            scatter_position(out + n * image_size, in, kernel, &at, channels, filters);
            in += channels;
        }
}

void KS_REAL(ks_add_bias)(ks_real *rows, const ks_real *bias, size_t n_rows, size_t columns) {
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < columns; j++)
            rows[i * columns + j] += bias[j];
}
