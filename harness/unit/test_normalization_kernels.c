// SPDX-License-Identifier: Apache-2.0
//
// Normalization kernels against what Keras 3.15.1 computes in float64; epsilon is far from every variance.
#define KS_REAL_BITS 64
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "ops/normalization.h"

static void assert_near(double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("expected %.12g, found %.12g", expected, got);
}

static const double rows[8] = {1, 2, 4, 9, -3, 0, 5, 6};
static const double gamma_values[4] = {1, 2, 3, 4};
static const double beta_values[4] = {0.5, 0, -1, 2};

static void check(const double *got, const double *expected, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_near(got[i], expected[i], 1e-7);
}

static void test_layer_norm(void **state) {
    const double expected[8] = {-0.460768923, -1.28102523, -1,        8.40512615,
                                -0.848399725, -1.07871978, 1.4271195, 6.31487912};
    double out[8];
    (void)state;
    ks_layer_norm_f64(out, rows, gamma_values, beta_values, 0.25, 2, 4);
    check(out, expected, 8);
}

static void test_variance_scaling(void **state) {
    const double expected[8] = {0.320256308,  1.28102523, 3.84307569, 11.5292271,
                                -0.809039835, 0,          4.04519917, 6.47231868};
    double out[8];
    (void)state;
    ks_variance_scaling_f64(out, rows, gamma_values, 0.25, 2, 4);
    check(out, expected, 8);
}

static void test_rms_norm(void **state) {
    const double expected[8] = {0.197065856,  0.394131711, 0.788263423, 1.7735927,
                                -0.712068995, 0,           1.18678166,  1.42413799};
    double out[8];
    (void)state;
    ks_rms_norm_f64(out, rows, 0.25, 2, 4);
    check(out, expected, 8);
}

// Channels on axis 1 of (1, 4, 3), two groups of two.
static void test_group_norm(void **state) {
    const double expected[12] = {-0.528801473, -0.416568585, -0.079869921, -0.0374109626, 1.53384947, 3.55404145,
                                 -5.0316663,   -3.69349621,  -2.1494538,   2.80061459,    5.40833066, 8.29054317};
    double in[12], out[12];
    (void)state;
    for (int i = 0; i < 12; i++)
        in[i] = i * i;
    ks_group_norm_f64(out, in, gamma_values, beta_values, 0.25, 1, 1, 4, 3, 2);
    check(out, expected, 12);
}

// With one row of channels the same numbers, channels last.
static void test_group_norm_channels_last(void **state) {
    double in[12], turned[12], out[12], expected[12];
    (void)state;
    for (int i = 0; i < 12; i++)
        in[i] = i * i;
    for (int c = 0; c < 4; c++)
        for (int s = 0; s < 3; s++)
            turned[s * 4 + c] = in[c * 3 + s];
    ks_group_norm_f64(expected, in, gamma_values, beta_values, 0.25, 1, 1, 4, 3, 2);
    ks_group_norm_f64(out, turned, gamma_values, beta_values, 0.25, 1, 3, 4, 1, 2);
    for (int c = 0; c < 4; c++)
        for (int s = 0; s < 3; s++)
            assert_near(out[s * 4 + c], expected[c * 3 + s], 1e-12);
}

static void test_batch_norm(void **state) {
    const double in[4] = {1, 2, 3, 4}, mean[2] = {1, 2}, variance[2] = {3.75, 0.75};
    double out[4], expected[4] = {0.5, 0, 0.5 + 2 / sqrt(4.0), 2 * (4 - 2) / 1.0};
    (void)state;
    ks_batch_norm_f64(out, in, mean, variance, gamma_values, beta_values, 0.25, 2, 2, 1);
    check(out, expected, 4);
    ks_batch_norm_f64(out, in, mean, variance, NULL, NULL, 0.25, 1, 2, 2);
    check(out, (const double[]){0, 0.5, 1, 2}, 4);
}

static void test_unit_norm(void **state) {
    const double in[6] = {3, 4, 0, 0, 1e-20, 0}, expected[6] = {0.6, 0.8, 0, 0, 1e-8, 0};
    double out[6];
    (void)state;
    ks_unit_norm_f64(out, in, 3, 2);
    for (int i = 0; i < 6; i++)
        assert_near(out[i], expected[i], 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_variance_scaling),
        cmocka_unit_test(test_rms_norm),
        cmocka_unit_test(test_group_norm),
        cmocka_unit_test(test_group_norm_channels_last),
        cmocka_unit_test(test_batch_norm),
        cmocka_unit_test(test_unit_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
