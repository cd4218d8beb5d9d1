// SPDX-License-Identifier: Apache-2.0
//
// OpenBLAS against the plain loops, and the bits of one row alone and in a batch.
#define KS_REAL_BITS 32
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "ops/blas.h"
#include "ops/product.h"

enum { ROWS = 7, INNER = 300, COLUMNS = 257 };

static float *random_floats(size_t count, uint32_t seed) {
    float *out = malloc(count * sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525U + 1013904223U;
        out[i] = (float)(int32_t)seed / 2147483648.0F;
    }
    return out;
}

// Each sum of INNER products errs by at most INNER · eps · sum |a||b| on either side.
static void test_openblas_agrees_with_plain_loops(void **state) {
    float *a = random_floats((size_t)ROWS * INNER, 1), *b = random_floats((size_t)INNER * COLUMNS, 2);
    float *fast = calloc((size_t)ROWS * COLUMNS, sizeof(*fast)),
          *plain = calloc((size_t)ROWS * COLUMNS, sizeof(*plain));
    (void)state;
    assert_non_null(ks_blas_get());
    assert_true((size_t)INNER * COLUMNS >= KS_BLAS_FROM);
    ks_matmul_f32(fast, a, b, NULL, ROWS, INNER, COLUMNS);
    ks_matmul_plain_f32(plain, a, b, ROWS, INNER, COLUMNS);
    for (size_t i = 0; i < (size_t)ROWS * COLUMNS; i++)
        assert_float_equal(fast[i], plain[i], 2.0F * (float)(INNER * INNER) * FLT_EPSILON);
    free(a);
    free(b);
    free(fast);
    free(plain);
}

static void test_a_row_alone_has_the_bits_it_has_in_a_batch(void **state) {
    enum { SMALL = 40 };
    float *a = random_floats((size_t)ROWS * SMALL, 3), *b = random_floats((size_t)SMALL * SMALL, 4);
    float batch[ROWS * SMALL], alone[SMALL];
    (void)state;
    ks_matmul_f32(batch, a, b, NULL, ROWS, SMALL, SMALL);
    ks_matmul_f32(alone, a + 3 * SMALL, b, NULL, 1, SMALL, SMALL);
    assert_memory_equal(alone, batch + 3 * SMALL, sizeof(alone));
    free(a);
    free(b);
}

static void test_bias(void **state) {
    const float a[2] = {1, 2}, b[2] = {3, 4}, bias[1] = {0.5F};
    float out[1];
    (void)state;
    ks_matmul_f32(out, a, b, bias, 1, 2, 1);
    assert_true(out[0] == 11.5F);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openblas_agrees_with_plain_loops),
        cmocka_unit_test(test_a_row_alone_has_the_bits_it_has_in_a_batch),
        cmocka_unit_test(test_bias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
