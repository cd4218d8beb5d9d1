// SPDX-License-Identifier: Apache-2.0
//
// Initializers: exact ones exactly, the others by mean, deviation, range and shape of their distribution; clones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kassay/json.h>
#include <kassay/model.h>

#include "config/config.h"
#include "weights/initialize.h"

#define MODEL KASSAY_SOURCE_DIR "/golden/keras-v3/keras-3.15.1/structure/nested-functional/model.keras"

static double *sample(const char *class_name, const char *config, ks_shape shape, uint64_t seed, size_t *count) {
    char text[512];
    ks_context context;
    ks_arena arena;
    ks_json *json;
    ks_object *object;
    ks_random random;
    uint64_t elements;
    double *out;
    snprintf(text, sizeof(text), "{\"module\": \"keras.initializers\", \"class_name\": \"%s\", \"config\": %s}",
             class_name, config);
    ks_context_init(&context, NULL);
    ks_arena_init(&arena, &context);
    assert_int_equal(ks_json_parse(&json, &context, (ks_bytes){(const uint8_t *)text, strlen(text)}, KS_ROAD_STRICT),
                     KS_OK);
    assert_int_equal(ks_config_read(&object, &context, &arena, ks_json_root(json), "object",
                                    &(ks_config_options){.keras_version = "", .described = true}),
                     KS_OK);
    assert_true(ks_shape_elements(&shape, &elements));
    out = calloc((size_t)elements + 1, sizeof(*out));
    assert_non_null(out);
    ks_random_seed(&random, seed);
    assert_int_equal(ks_initializer_fill(out, &shape, object, &context, &arena, &random), KS_OK);
    *count = (size_t)elements;
    ks_arena_fini(&arena);
    ks_json_free(json);
    assert_int_equal(context.memory.n_live, 0);
    return out;
}

typedef struct expectation {
    const char *class_name, *config;
    double mean, deviation; ///< of the distribution
    double limit;           ///< no number lies beyond mean ± limit; 0: there is no limit
    double inner;           ///< share of the numbers within mean ± deviation
} expectation;

// For a kernel of shape (3, 40, 50): fans 120 and 150.
static const double in = 120, to = 150;

static void check(const expectation *e) {
    size_t count, inner = 0;
    double *x = sample(e->class_name, e->config, (ks_shape){3, {3, 40, 50}}, 11, &count);
    double mean = 0, square = 0, far = 0, error;
    for (size_t i = 0; i < count; i++) {
        mean += x[i] / (double)count;
        far = fabs(x[i] - e->mean) > far ? fabs(x[i] - e->mean) : far;
        inner += fabs(x[i] - e->mean) < e->deviation;
    }
    for (size_t i = 0; i < count; i++)
        square += (x[i] - mean) * (x[i] - mean) / (double)count;
    error = 5 * e->deviation / sqrt((double)count); // five standard errors
    assert_true(fabs(mean - e->mean) < error);
    assert_true(fabs(sqrt(square) / e->deviation - 1) < 5 / sqrt((double)count));
    assert_true(fabs((double)inner / (double)count - e->inner) < 2.5 / sqrt((double)count));
    if (e->limit > 0) {
        assert_true(far <= e->limit);
        assert_true(far > 0.98 * e->limit);
    }
    free(x);
}

static void test_distributions(void **state) {
    const double cut = 0.87962566103423978, n = erf(sqrt(0.5)), u = 1 / sqrt(3.0);
    // A normal cut at two deviations has, within one deviation of its own, erf(cut/sqrt 2)/erf(sqrt 2) of its numbers.
    const double c = erf(cut / sqrt(2.0)) / erf(sqrt(2.0));
    const expectation table[] = {
        {"GlorotUniform", "{}", 0, sqrt(2 / (in + to)), sqrt(6 / (in + to)), u},
        {"GlorotNormal", "{}", 0, sqrt(2 / (in + to)), 2 * sqrt(2 / (in + to)) / cut, c},
        {"HeUniform", "{}", 0, sqrt(2 / in), sqrt(6 / in), u},
        {"HeNormal", "{}", 0, sqrt(2 / in), 2 * sqrt(2 / in) / cut, c},
        {"LecunUniform", "{}", 0, sqrt(1 / in), sqrt(3 / in), u},
        {"LecunNormal", "{}", 0, sqrt(1 / in), 2 * sqrt(1 / in) / cut, c},
        {"VarianceScaling", "{\"scale\": 3.0, \"mode\": \"fan_out\", \"distribution\": \"uniform\"}", 0, sqrt(3 / to),
         sqrt(9 / to), u},
        {"VarianceScaling", "{\"scale\": 3.0, \"mode\": \"fan_out\", \"distribution\": \"untruncated_normal\"}", 0,
         sqrt(3 / to), 0, n},
        {"RandomNormal", "{\"mean\": 0.5, \"stddev\": 0.25}", 0.5, 0.25, 0, n},
        {"TruncatedNormal", "{\"mean\": -1.0, \"stddev\": 0.5}", -1, 0.5 * cut, 1, c},
        {"RandomUniform", "{\"minval\": -1.0, \"maxval\": 3.0}", 1, 4 / sqrt(12.0), 2, u},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        check(&table[i]);
}

static void test_exact(void **state) {
    size_t count;
    double *x = sample("Zeros", "{}", (ks_shape){2, {3, 4}}, 1, &count);
    (void)state;
    for (size_t i = 0; i < count; i++)
        assert_true(x[i] == 0);
    free(x);
    x = sample("Ones", "{}", (ks_shape){2, {3, 4}}, 1, &count);
    for (size_t i = 0; i < count; i++)
        assert_true(x[i] == 1);
    free(x);
    x = sample("Constant", "{\"value\": -2.5}", (ks_shape){1, {5}}, 1, &count);
    for (size_t i = 0; i < count; i++)
        assert_true(x[i] == -2.5);
    free(x);
    x = sample("Constant", "{\"value\": [1, 2, 3]}", (ks_shape){2, {2, 3}}, 1, &count);
    for (size_t i = 0; i < count; i++)
        assert_true(x[i] == (double)(i % 3 + 1));
    free(x);
    x = sample("Identity", "{\"gain\": 0.5}", (ks_shape){2, {3, 4}}, 1, &count);
    for (size_t i = 0; i < count; i++)
        assert_true(x[i] == (i % 4 == i / 4 ? 0.5 : 0));
    free(x);
}

static void test_orthogonal(void **state) {
    static const ks_shape shapes[] = {{2, {20, 7}}, {2, {7, 20}}, {3, {3, 4, 5}}, {2, {6, 6}}};
    (void)state;
    for (size_t s = 0; s < 4; s++) {
        size_t count, columns = (size_t)shapes[s].dims[shapes[s].rank - 1], rows;
        double *x = sample("Orthogonal", "{\"gain\": 2.0}", shapes[s], 3 + s, &count);
        rows = count / columns;
        for (size_t a = 0; a < (rows < columns ? rows : columns); a++)
            for (size_t b = 0; b <= a; b++) {
                double sum = 0; // of the shorter side: products of rows or columns
                for (size_t i = 0; i < (rows < columns ? columns : rows); i++)
                    sum += rows < columns ? x[a * columns + i] * x[b * columns + i]
                                          : x[i * columns + a] * x[i * columns + b];
                assert_true(fabs(sum - (a == b ? 4 : 0)) < 1e-12);
            }
        free(x);
    }
}

static void test_fans(void **state) {
    double a, b;
    (void)state;
    ks_initializer_fans(&a, &b, &(ks_shape){0, {0}});
    assert_true(a == 1 && b == 1);
    ks_initializer_fans(&a, &b, &(ks_shape){1, {7}});
    assert_true(a == 7 && b == 7);
    ks_initializer_fans(&a, &b, &(ks_shape){2, {7, 9}});
    assert_true(a == 7 && b == 9);
    ks_initializer_fans(&a, &b, &(ks_shape){4, {3, 2, 7, 9}});
    assert_true(a == 42 && b == 54);
}

// A seed names its numbers: these are the generator's own, for good.
static void test_generator(void **state) {
    ks_random random;
    (void)state;
    ks_random_seed(&random, 0);
    assert_true(ks_random_bits(&random) == UINT64_C(11091344671253066420));
    assert_true(ks_random_bits(&random) == UINT64_C(13793997310169335082));
}

// A nested model that is called twice is one object in the clone, too: as many weights, the same text; other numbers,
// the same ones for the same seed.
static void test_clone(void **state) {
    ks_context context;
    ks_model *model, *first, *second, *third;
    ks_text a, b;
    size_t n_different = 0;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_model_load(&model, &context, MODEL, NULL), KS_OK);
    assert_int_equal(ks_model_clone(&first, model, 5), KS_OK);
    assert_int_equal(ks_model_clone(&second, model, 5), KS_OK);
    assert_int_equal(ks_model_clone(&third, model, 6), KS_OK);
    assert_int_equal(ks_model_to_json(&a, model), KS_OK);
    assert_int_equal(ks_model_to_json(&b, first), KS_OK);
    assert_string_equal(a.data, b.data);
    assert_true(ks_model_weight_count(model) > 0);
    assert_int_equal(ks_model_weight_count(first), ks_model_weight_count(model));
    for (size_t i = 0; i < ks_model_weight_count(model); i++) {
        ks_model_weight w = ks_model_weight_at(first, i), same = ks_model_weight_at(second, i);
        assert_string_equal(w.path, ks_model_weight_at(model, i).path);
        assert_memory_equal(w.tensor.data, same.tensor.data, w.tensor.size);
        n_different += memcmp(w.tensor.data, ks_model_weight_at(third, i).tensor.data, w.tensor.size) != 0;
    }
    assert_true(n_different > 0);
    ks_free(&context, (void *)(uintptr_t)a.data);
    ks_free(&context, (void *)(uintptr_t)b.data);
    ks_model_free(first);
    ks_model_free(second);
    ks_model_free(third);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distributions), cmocka_unit_test(test_exact),     cmocka_unit_test(test_orthogonal),
        cmocka_unit_test(test_fans),          cmocka_unit_test(test_generator), cmocka_unit_test(test_clone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
