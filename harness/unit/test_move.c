// SPDX-License-Identifier: Apache-2.0
//
// Elements moved about and resampled.
#define KS_REAL_BITS 64
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "ops/move.h"
#include "ops/resample.h"

static void assert_near(double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("expected %.12g, found %.12g", expected, got);
}

static void test_channels_there_and_back(void **state) {
    const ks_shape shape = {4, {2, 3, 2, 4}}, front = {4, {2, 4, 3, 2}};
    int16_t in[48], turned[48], back[48];
    (void)state;
    for (int16_t i = 0; i < 48; i++)
        in[i] = i;
    ks_channels_to_front(turned, in, &shape, sizeof(in[0]));
    assert_int_equal(turned[1], 4);           // the next column
    assert_int_equal(turned[6], 1);           // the next channel
    assert_int_equal(turned[24 + 6 + 1], 29); // both, in the second element of the batch
    ks_channels_to_back(back, turned, &front, sizeof(in[0]));
    assert_memory_equal(back, in, sizeof(in));
}

static void test_transpose(void **state) {
    const ks_shape shape = {3, {2, 3, 2}};
    const int axes[] = {1, 2, 0};
    const int32_t in[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const int32_t expected[12] = {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11};
    int32_t out[12];
    (void)state;
    ks_transpose(out, in, &shape, axes, sizeof(out[0]));
    assert_memory_equal(out, expected, sizeof(out));
}

static void test_boxes(void **state) {
    const ks_shape small = {2, {2, 3}}, large = {2, {4, 4}};
    const int64_t into[] = {1, 1}, out_of[] = {-1, -1};
    const uint8_t in[6] = {1, 2, 3, 4, 5, 6};
    const uint8_t expected[16] = {0, 0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0};
    uint8_t box[16] = {0}, cut[6] = {0};
    (void)state;
    ks_copy_box(box, &large, in, &small, into, 1);
    assert_memory_equal(box, expected, sizeof(box));
    ks_copy_box(cut, &small, box, &large, out_of, 1);
    assert_memory_equal(cut, in, sizeof(cut));
}

static void test_repeat(void **state) {
    const ks_shape shape = {3, {1, 2, 2}};
    const int64_t in[4] = {1, 2, 3, 4}, rows[8] = {1, 2, 1, 2, 3, 4, 3, 4}, columns[8] = {1, 1, 2, 2, 3, 3, 4, 4};
    int64_t out[8];
    (void)state;
    ks_repeat(out, in, &shape, 1, 2, sizeof(out[0]));
    assert_memory_equal(out, rows, sizeof(out));
    ks_repeat(out, in, &shape, 2, 2, sizeof(out[0]));
    assert_memory_equal(out, columns, sizeof(out));
}

// Values of tf.image.resize for [0, 1, 4, 9] made eight long.
static void test_resample(void **state) {
    static const struct {
        ks_interpolation interpolation;
        double expected[8];
    } cases[] = {
        {KS_INTERPOLATION_BILINEAR, {0.0, 0.25, 0.75, 1.75, 3.25, 5.25, 7.75, 9.0}},
        {KS_INTERPOLATION_BICUBIC,
         {-0.088235296, 0.12408759, 0.57251906, 1.5625, 3.0625, 5.3129773, 8.1167879, 9.4411774}},
        {KS_INTERPOLATION_LANCZOS3,
         {-0.016242906, 0.059307672, 0.59463632, 1.4179995, 2.7455537, 5.5410128, 8.2045784, 9.5388441}},
        {KS_INTERPOLATION_LANCZOS5,
         {-0.19959481, 0.2599481, 0.80215275, 1.2128549, 2.6284108, 5.5110817, 8.0845585, 9.6760998}},
        {KS_INTERPOLATION_AREA, {0, 0, 1, 1, 4, 4, 9, 9}},
    };
    const double in[4] = {0, 1, 4, 9};
    double out[8];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ks_resample_axis_f64(out, in, cases[i].interpolation, 1, 4, 8, 1);
        for (size_t j = 0; j < 8; j++)
            assert_near(out[j], cases[i].expected[j], 2e-6);
    }
}

// A constant stays constant, whatever the factor.
static void test_weights_sum_to_one(void **state) {
    (void)state;
    for (int kind = KS_INTERPOLATION_BILINEAR; kind <= KS_INTERPOLATION_AREA; kind++)
        for (size_t size = 1; size < 12; size++)
            for (size_t factor = 1; factor < 8; factor++)
                for (size_t i = 0; i < size * factor; i++) {
                    ks_resample_taps taps = ks_resample_taps_at((ks_interpolation)kind, i, size, size * factor);
                    double sum = 0;
                    assert_true(taps.count > 0 && taps.first + taps.count <= size);
                    for (size_t t = 0; t < taps.count; t++)
                        sum += taps.weights[t];
                    assert_near(sum, 1, 1e-5);
                }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels_there_and_back),
        cmocka_unit_test(test_transpose),
        cmocka_unit_test(test_boxes),
        cmocka_unit_test(test_repeat),
        cmocka_unit_test(test_resample),
        cmocka_unit_test(test_weights_sum_to_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
