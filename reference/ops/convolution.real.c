// SPDX-License-Identifier: Apache-2.0
//
// Plain loops. The innermost one runs over contiguous result channels, so that it vectorises; the order of summation is
// that of the taps and then of the input channels, whatever the batch.
#include "ops/convolution.h"

#include <string.h>

#include "ops/window_span.h"

// What one position of the window needs: its taps on each axis.
typedef struct position {
    const ks_window *window;
    ks_span span[KS_SPATIAL];
} position;

// Index of the element under the taps, and of the taps in the kernel.
static size_t element_index(const position *at, int64_t k0, int64_t k1, int64_t k2) {
    const ks_window *w = at->window;
    int64_t i0 = at->span[0].start + k0 * w->dilation[0];
    int64_t i1 = at->span[1].start + k1 * w->dilation[1];
    int64_t i2 = at->span[2].start + k2 * w->dilation[2];
    return (size_t)((i0 * w->in[1] + i1) * w->in[2] + i2);
}

static size_t tap_index(const position *at, int64_t k0, int64_t k1, int64_t k2) {
    return (size_t)((k0 * at->window->kernel[1] + k1) * at->window->kernel[2] + k2);
}

#define FOR_EACH_TAP(at)                                                                                               \
    for (int64_t k0 = (at)->span[0].first; k0 < (at)->span[0].last; k0++)                                              \
        for (int64_t k1 = (at)->span[1].first; k1 < (at)->span[1].last; k1++)                                          \
            for (int64_t k2 = (at)->span[2].first; k2 < (at)->span[2].last; k2++)

#define FOR_EACH_POSITION(window)                                                                                      \
    for (int64_t o0 = 0; o0 < (window)->out[0]; o0++)                                                                  \
        for (int64_t o1 = 0; o1 < (window)->out[1]; o1++)                                                              \
            for (int64_t o2 = 0; o2 < (window)->out[2]; o2++)

static position position_at(const ks_window *window, int64_t o0, int64_t o1, int64_t o2) {
    position at = {window,
                   {ks_window_span(window, 0, o0), ks_window_span(window, 1, o1), ks_window_span(window, 2, o2)}};
    return at;
}

static void multiply_add(ks_real *restrict row, const ks_real *restrict factors, ks_real x, size_t count) {
    for (size_t j = 0; j < count; j++)
        row[j] += x * factors[j];
}

static void convolve_position(ks_real *row, const ks_real *in, const ks_real *kernel, const position *at,
                              size_t channels, size_t groups, size_t filters) {
    size_t in_group = channels / groups, out_group = filters / groups;
    FOR_EACH_TAP(at) {
        const ks_real *x = in + element_index(at, k0, k1, k2) * channels;
        const ks_real *taps = kernel + tap_index(at, k0, k1, k2) * in_group * filters;
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
        FOR_EACH_POSITION(window) {
            position at = position_at(window, o0, o1, o2);
            convolve_position(out, image, kernel, &at, channels, groups, filters);
            out += filters;
        }
    }
}

static void depthwise_position(ks_real *restrict row, const ks_real *restrict in, const ks_real *restrict kernel,
                               const position *at, size_t channels, size_t multiplier) {
    FOR_EACH_TAP(at) {
        const ks_real *x = in + element_index(at, k0, k1, k2) * channels;
        const ks_real *taps = kernel + tap_index(at, k0, k1, k2) * channels * multiplier;
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
        FOR_EACH_POSITION(window) {
            position at = position_at(window, o0, o1, o2);
            depthwise_position(out, image, kernel, &at, channels, multiplier);
            out += channels * multiplier;
        }
    }
}

// Each input element adds its image of the kernel to the result.
static void scatter_position(ks_real *image, const ks_real *x, const ks_real *kernel, const position *at,
                             size_t channels, size_t filters) {
    FOR_EACH_TAP(at) {
        ks_real *row = image + element_index(at, k0, k1, k2) * filters;
        const ks_real *taps = kernel + tap_index(at, k0, k1, k2) * channels * filters;
        for (size_t c = 0; c < channels; c++)
            multiply_add(row, taps + c * filters, x[c], filters);
    }
}

void KS_REAL(ks_convolve_transposed)(ks_real *out, const ks_real *in, const ks_real *kernel, const ks_window *window,
                                     size_t batch, size_t channels, size_t filters) {
    size_t image_size = ks_window_volume(window->in) * filters;
    memset(out, 0, batch * image_size * sizeof(*out));
    for (size_t n = 0; n < batch; n++)
        FOR_EACH_POSITION(window) {
            position at = position_at(window, o0, o1, o2);
            scatter_position(out + n * image_size, in, kernel, &at, channels, filters);
            in += channels;
        }
}

void KS_REAL(ks_add_bias)(ks_real *rows, const ks_real *bias, size_t n_rows, size_t columns) {
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < columns; j++)
            rows[i * columns + j] += bias[j];
}
