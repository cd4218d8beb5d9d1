// SPDX-License-Identifier: Apache-2.0
//
// Convolution and pooling kernels against their definitions, written out over padded positions with all bounds checked.
#define KS_REAL_BITS 64
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/convolution.h"
#include "ops/pooling.h"
#include "ops/window_span.h"

static void assert_near(double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("expected %.12g, found %.12g", expected, got);
}

enum { BATCH = 2, CHANNELS = 6, FILTERS = 4 };

// Valid, same with an odd element of padding, dilation, a window wider than the tensor, strides beyond the kernel.
static const ks_window windows[] = {
    {{1, 1, 9}, {1, 1, 7}, {1, 1, 3}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
    {{1, 6, 5}, {1, 3, 3}, {1, 3, 2}, {1, 2, 2}, {1, 1, 1}, {0, 0, 0}},
    {{1, 7, 6}, {1, 4, 3}, {1, 4, 3}, {1, 2, 2}, {1, 1, 1}, {0, 1, 0}},
    {{1, 7, 9}, {1, 7, 9}, {1, 3, 2}, {1, 1, 1}, {1, 2, 3}, {0, 2, 1}},
    {{3, 4, 5}, {2, 2, 3}, {2, 3, 2}, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}},
    {{1, 2, 2}, {1, 2, 2}, {1, 5, 5}, {1, 1, 1}, {1, 1, 1}, {0, 2, 2}},
    {{1, 1, 9}, {1, 1, 9}, {1, 1, 3}, {1, 1, 1}, {1, 1, 2}, {0, 0, 4}},
    {{1, 1, 8}, {1, 1, 3}, {1, 1, 1}, {1, 1, 3}, {1, 1, 1}, {0, 0, 0}},
};

static double *random_doubles(size_t count, uint32_t seed) {
    double *out = malloc(count * sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525U + 1013904223U;
        out[i] = (double)(int32_t)seed / 2147483648.0;
    }
    return out;
}

// Element of `in` under tap k at position o, -1 outside.
static int64_t under(const ks_window *w, const int64_t *o, const int64_t *k) {
    int64_t index = 0;
    for (int i = 0; i < KS_SPATIAL; i++) {
        int64_t at = o[i] * w->stride[i] + k[i] * w->dilation[i] - w->before[i];
        if (at < 0 || at >= w->in[i])
            return -1;
        index = index * w->in[i] + at;
    }
    return index;
}

static bool next(int64_t *index, const int64_t *sizes) {
    for (int i = KS_SPATIAL - 1; i >= 0; i--) {
        if (++index[i] < sizes[i])
            return true;
        index[i] = 0;
    }
    return false;
}

static int64_t flat(const int64_t *index, const int64_t *sizes) {
    return (index[0] * sizes[1] + index[1]) * sizes[2] + index[2];
}

typedef struct tensors {
    size_t in_size, out_size, taps; ///< elements of one channel
    double *in, *kernel, *out;
} tensors;

static tensors make(const ks_window *w, size_t out_channels, size_t kernel_rows) {
    tensors t = {ks_window_volume(w->in), ks_window_volume(w->out), ks_window_volume(w->kernel), NULL, NULL, NULL};
    t.in = random_doubles(BATCH * t.in_size * CHANNELS, 1);
    t.kernel = random_doubles(t.taps * kernel_rows * out_channels, 2);
    t.out = calloc(BATCH * t.out_size * out_channels, sizeof(double));
    return t;
}

static void drop(tensors *t) {
    free(t->in);
    free(t->kernel);
    free(t->out);
}

// Σ over taps and the channels of the filter's group.
static double defined(const tensors *t, const ks_window *w, size_t n, const int64_t *o, size_t filter, size_t groups) {
    size_t in_group = CHANNELS / groups, first = filter / (FILTERS / groups) * in_group;
    int64_t k[KS_SPATIAL] = {0};
    double sum = 0;
    do {
        int64_t at = under(w, o, k);
        for (size_t c = 0; at >= 0 && c < in_group; c++)
            sum += t->in[(n * t->in_size + (size_t)at) * CHANNELS + first + c] *
                   t->kernel[((size_t)flat(k, w->kernel) * in_group + c) * FILTERS + filter];
    } while (next(k, w->kernel));
    return sum;
}

static void check_convolution(const ks_window *w, size_t groups) {
    tensors t = make(w, FILTERS, CHANNELS / groups);
    ks_convolve_f64(t.out, t.in, t.kernel, w, BATCH, CHANNELS, groups, FILTERS);
    for (size_t n = 0; n < BATCH; n++) {
        int64_t o[KS_SPATIAL] = {0};
        do {
            for (size_t f = 0; f < FILTERS; f++)
                assert_near(t.out[(n * t.out_size + (size_t)flat(o, w->out)) * FILTERS + f],
                            defined(&t, w, n, o, f, groups), 1e-12);
        } while (next(o, w->out));
    }
    drop(&t);
}

static void test_convolution(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        check_convolution(&windows[i], 1);
        check_convolution(&windows[i], 2);
    }
}

// A depthwise convolution is a convolution whose kernel is zero off the diagonal of channels.
static void check_depthwise(const ks_window *w, size_t multiplier) {
    tensors t = make(w, multiplier, CHANNELS);
    size_t filters = CHANNELS * multiplier;
    double *full = calloc(t.taps * CHANNELS * filters, sizeof(double));
    double *expected = calloc(BATCH * t.out_size * filters, sizeof(double));
    double *got = calloc(BATCH * t.out_size * filters, sizeof(double));
    for (size_t k = 0; k < t.taps; k++)
        for (size_t c = 0; c < CHANNELS; c++)
            for (size_t m = 0; m < multiplier; m++)
                full[(k * CHANNELS + c) * filters + c * multiplier + m] = t.kernel[(k * CHANNELS + c) * multiplier + m];
    ks_convolve_f64(expected, t.in, full, w, BATCH, CHANNELS, 1, filters);
    ks_convolve_depthwise_f64(got, t.in, t.kernel, w, BATCH, CHANNELS, multiplier);
    for (size_t i = 0; i < BATCH * t.out_size * filters; i++)
        assert_near(got[i], expected[i], 1e-12);
    free(full);
    free(expected);
    free(got);
    drop(&t);
}

static void test_depthwise(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        check_depthwise(&windows[i], 1);
        check_depthwise(&windows[i], 3);
    }
}

static double dot(const double *a, const double *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

// The transposed convolution is the adjoint: ⟨conv(x), y⟩ = ⟨x, transposed(y)⟩ with the kernel's last axes exchanged.
static void test_transposed(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        const ks_window *w = &windows[i];
        tensors t = make(w, FILTERS, CHANNELS);
        double *y = random_doubles(BATCH * t.out_size * FILTERS, 3);
        double *back = calloc(BATCH * t.in_size * CHANNELS, sizeof(double));
        double *turned = calloc(t.taps * CHANNELS * FILTERS, sizeof(double));
        for (size_t k = 0; k < t.taps; k++)
            for (size_t c = 0; c < CHANNELS; c++)
                for (size_t f = 0; f < FILTERS; f++)
                    turned[(k * FILTERS + f) * CHANNELS + c] = t.kernel[(k * CHANNELS + c) * FILTERS + f];
        ks_convolve_f64(t.out, t.in, t.kernel, w, BATCH, CHANNELS, 1, FILTERS);
        ks_convolve_transposed_f64(back, y, turned, w, BATCH, FILTERS, CHANNELS);
        assert_near(dot(t.out, y, BATCH * t.out_size * FILTERS), dot(t.in, back, BATCH * t.in_size * CHANNELS), 1e-10);
        free(y);
        free(back);
        free(turned);
        drop(&t);
    }
}

static void pool_defined(double *maximum, double *mean, const tensors *t, const ks_window *w, size_t n,
                         const int64_t *o, size_t channel) {
    int64_t k[KS_SPATIAL] = {0};
    double sum = 0, count = 0;
    *maximum = -(double)INFINITY;
    do {
        int64_t at = under(w, o, k);
        double x = at < 0 ? 0 : t->in[(n * t->in_size + (size_t)at) * CHANNELS + channel];
        if (at < 0)
            continue;
        sum += x;
        count += 1;
        *maximum = x > *maximum ? x : *maximum;
    } while (next(k, w->kernel));
    *mean = sum / count;
}

// All inputs are negative, so that a zero of padding would show in both.
static void test_pooling(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        const ks_window *w = &windows[i];
        tensors t = make(w, CHANNELS, CHANNELS);
        double *means = calloc(BATCH * t.out_size * CHANNELS, sizeof(double));
        for (size_t j = 0; j < BATCH * t.in_size * CHANNELS; j++)
            t.in[j] -= 2;
        ks_max_pool_f64(t.out, t.in, w, BATCH, CHANNELS);
        ks_average_pool_f64(means, t.in, w, BATCH, CHANNELS);
        for (size_t n = 0; n < BATCH; n++) {
            int64_t o[KS_SPATIAL] = {0};
            do {
                for (size_t c = 0; c < CHANNELS; c++) {
                    size_t at = (n * t.out_size + (size_t)flat(o, w->out)) * CHANNELS + c;
                    double maximum, mean;
                    pool_defined(&maximum, &mean, &t, w, n, o, c);
                    assert_true(t.out[at] == maximum);
                    assert_near(means[at], mean, 1e-12);
                }
            } while (next(o, w->out));
        }
        free(means);
        drop(&t);
    }
}

// Seven elements in three pieces: 0–2, 2–4, 4–6; in nine: pieces of one and of two.
static void test_adaptive(void **state) {
    const double in[7] = {1, 5, 2, 8, 3, 9, 4};
    const double means[3] = {8.0 / 3, 13.0 / 3, 16.0 / 3}, maxima[3] = {5, 8, 9};
    const double nine[9] = {1, 5, 5, 8, 8, 8, 9, 9, 4};
    double out[9];
    (void)state;
    ks_adaptive_axis_f64(out, in, 1, 7, 1, 3, true);
    for (size_t i = 0; i < 3; i++)
        assert_near(out[i], means[i], 1e-12);
    ks_adaptive_axis_f64(out, in, 1, 7, 1, 3, false);
    assert_memory_equal(out, maxima, sizeof(maxima));
    ks_adaptive_axis_f64(out, in, 1, 7, 1, 9, false);
    assert_memory_equal(out, nine, sizeof(nine));
}

static void test_masked_mean(void **state) {
    const double in[2 * 3 * 2] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const double weights[2 * 3] = {1, 0, 1, 0, 0, 0};
    double out[4];
    (void)state;
    ks_masked_mean_axis_f64(out, in, weights, 2, 3, 2, 1);
    assert_true(out[0] == 3 && out[1] == 4);
    assert_true(isnan(out[2]) && isnan(out[3])); // 0 / 0, as Keras gives
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolution), cmocka_unit_test(test_depthwise), cmocka_unit_test(test_transposed),
        cmocka_unit_test(test_pooling),     cmocka_unit_test(test_adaptive),  cmocka_unit_test(test_masked_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
