// SPDX-License-Identifier: Apache-2.0
//
// What files keep of training: found in every form, absent where there is none, never a reason to refuse a load.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <kassay/json.h>

#include "model/training.h"

#define GOLDEN KASSAY_SOURCE_DIR "/golden/"

static ks_model *load(ks_context *context, const char *path) {
    ks_model *model;
    ks_context_init(context, NULL);
    assert_int_equal(ks_model_load(&model, context, path, NULL), KS_OK);
    return model;
}

static void end(ks_model *model, ks_context *context) {
    ks_model_free(model);
    assert_int_equal(context->memory.n_live, 0);
}

static void test_older_files(void **state) {
    ks_optimizer_weights weights;
    ks_context context;
    ks_model *model = load(&context, GOLDEN "h5-legacy/keras-2.3.1/compiled/trained-adam/model.h5");
    const ks_value *config;
    ks_tensor tensor;
    (void)state;
    assert_int_equal(ks__training_config(&config, model), KS_OK);
    assert_true(ks_value_is_text(ks_value_get(ks_value_get(config, "optimizer_config"), "class_name"), "Adam"));
    assert_int_equal(ks__optimizer_weights(&weights, model), KS_OK);
    assert_int_equal(weights.count, 19);
    assert_string_equal(weights.items[0].path, "optimizer_weights/Adam/iterations:0");
    assert_int_equal(ks__optimizer_read(&tensor, model, &weights.items[1]), KS_OK);
    assert_string_equal(weights.items[1].name, "training/Adam/m_0_1:0");
    assert_int_equal(tensor.dtype, KS_FLOAT32);
    assert_int_equal(tensor.size, 4 * 6 * 4);
    assert_float_equal(*(const float *)tensor.data, -0.00015391495, 1e-10);
    end(model, &context);
}

static void test_archives(void **state) {
    ks_optimizer_weights weights;
    ks_context context;
    ks_model *model = load(&context, GOLDEN "keras-v3/keras-3.15.1/structure/compiled-classifier/model.keras");
    const ks_value *config;
    (void)state;
    assert_int_equal(ks__training_config(&config, model), KS_OK);
    assert_non_null(ks_value_get(config, "optimizer"));
    assert_int_equal(ks__optimizer_weights(&weights, model), KS_OK);
    assert_true(weights.count > 0);
    for (size_t i = 0; i < weights.count; i++) {
        char path[64];
        snprintf(path, sizeof(path), "optimizer/vars/%zu", i);
        assert_string_equal(weights.items[i].path, path);
    }
    end(model, &context);
}

static void test_models_that_were_never_compiled(void **state) {
    static const char *const paths[] = {GOLDEN "h5-legacy/keras-3.15.1/structure/nested-functional/model.h5",
                                        GOLDEN "keras-v3/keras-3.15.1/structure/nested-functional/model.keras",
                                        GOLDEN "json-v3/keras-3.15.1/core/dense/model.json"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        ks_optimizer_weights weights;
        ks_context context;
        ks_model *model = load(&context, paths[i]);
        const ks_value *config;
        assert_int_equal(ks__training_config(&config, model), KS_OK);
        assert_null(config);
        assert_int_equal(ks__optimizer_weights(&weights, model), KS_OK);
        assert_int_equal(weights.count, 0);
        end(model, &context);
    }
}

static void test_broken_config(void **state) {
    ks_context context;
    ks_model *model = load(&context, GOLDEN "h5-legacy/dialect/keras2/training-config-broken/model.h5");
    const ks_value *config;
    (void)state;
    assert_int_not_equal(ks__training_config(&config, model), KS_OK);
    assert_int_equal(context.error.stage, KS_STAGE_JSON);
    assert_true(strncmp(context.error.place, "training_config:", 16) == 0);
    end(model, &context);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_older_files),
        cmocka_unit_test(test_archives),
        cmocka_unit_test(test_models_that_were_never_compiled),
        cmocka_unit_test(test_broken_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
