// SPDX-License-Identifier: Apache-2.0
//
// How a model was compiled and its optimizer's state: from Keras 3 into the older HDF5 form and back nothing changes;
// what tf_keras wrote becomes Keras 3's; older optimizers go from one file of Keras 2 to another, and are a loss with a
// name elsewhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kassay/json.h>
#include <kassay/save.h>

#include "model/training.h"
#include "value_difference.h"

#define GOLDEN KASSAY_SOURCE_DIR "/golden/"

static ks_model *load(ks_context *context, const char *path) {
    ks_model *model = NULL;
    ks_context_init(context, NULL);
    if (ks_model_load(&model, context, path, NULL) != KS_OK)
        printf("%s: %s\n", path, context->error.message);
    assert_non_null(model);
    return model;
}

/// The model in another format, read again. `*file` is to be freed after the model.
static ks_model *through(ks_bytes *file, ks_context *context, ks_model *model, const char *format) {
    ks_save_options options = {.format = format};
    ks_model *result = NULL;
    ks_code code = ks_model_save_bytes(file, model, &options, NULL);
    if (code != KS_OK)
        printf("%s %s: %s\n", ks_code_name(code), context->error.place, context->error.message);
    assert_int_equal(code, KS_OK);
    assert_int_equal(ks_model_load_bytes(&result, context, *file, "converted", NULL), KS_OK);
    return result;
}

static void drop(ks_context *context, ks_bytes bytes) {
    ks_free(context, (void *)(uintptr_t)bytes.data);
}

static ks_optimizer_weights state_of(ks_model *model) {
    ks_optimizer_weights weights;
    assert_int_equal(ks__optimizer_weights(&weights, model), KS_OK);
    return weights;
}

static ks_tensor part_of(ks_model *model, const ks_optimizer_weights *weights, size_t i) {
    ks_tensor tensor;
    assert_true(i < weights->count);
    assert_int_equal(ks__optimizer_read(&tensor, model, &weights->items[i]), KS_OK);
    return tensor;
}

static bool same_part(ks_model *a, const ks_optimizer_weights *in_a, size_t i, ks_model *b,
                      const ks_optimizer_weights *in_b, size_t k) {
    ks_tensor first = part_of(a, in_a, i), second = part_of(b, in_b, k);
    return first.dtype == second.dtype && ks_shape_equal(&first.shape, &second.shape) && first.size == second.size &&
           memcmp(first.data, second.data, first.size) == 0;
}

static void expect_same_state(ks_model *a, ks_model *b) {
    ks_optimizer_weights first = state_of(a), second = state_of(b);
    assert_int_equal(first.count, second.count);
    for (size_t i = 0; i < first.count; i++)
        assert_true(same_part(a, &first, i, b, &second, i));
}

// --- Keras 3, Keras 2, Keras 3 --------------------------------------------------------------------------------------

/// Of older versions, which leave keys out or write a name alone, only the state is compared.
static void there_and_back(const char *path) {
    bool newest = strstr(path, "keras-3.15.1") != NULL;
    char place[500] = "";
    const ks_value *first, *second;
    ks_bytes files[2];
    ks_context context;
    ks_model *model = load(&context, path);
    ks_model *older = through(&files[0], &context, model, "h5-legacy");
    ks_model *back = through(&files[1], &context, older, "keras-v3");
    assert_int_equal(ks__training_config(&first, model), KS_OK);
    assert_int_equal(ks__training_config(&second, back), KS_OK);
    assert_non_null(first);
    assert_non_null(second);
    if (newest && !values_agree(first, second, place, sizeof place))
        fail_msg("%s: %s", path, place);
    expect_same_state(model, back);
    ks_model_free(back);
    ks_model_free(older);
    ks_model_free(model);
    drop(&context, files[0]);
    drop(&context, files[1]);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_there_and_back(void **state) {
    size_t count = 0;
    glob_t files;
    (void)state;
    assert_int_equal(glob(GOLDEN "keras-v3/keras-3.*/structure/compiled-*/model.keras", 0, NULL, &files), 0);
    assert_int_equal(glob(GOLDEN "keras-v3/keras-3.*/structure/trained-*/model.keras", GLOB_APPEND, NULL, &files), 0);
    for (; count < files.gl_pathc; count++)
        there_and_back(files.gl_pathv[count]);
    assert_true(count >= 14);
    globfree(&files);
}

static void test_words_of_keras_2(void **state) {
    const ks_value *config;
    ks_optimizer_weights weights, original;
    ks_bytes file;
    ks_context context;
    ks_model *model = load(&context, GOLDEN "keras-v3/keras-3.15.1/structure/trained-adam/model.keras");
    ks_model *older = through(&file, &context, model, "h5-legacy");
    (void)state;
    assert_int_equal(ks__training_config(&config, older), KS_OK);
    const ks_value *optimizer = ks_value_get(config, "optimizer_config");
    assert_true(ks_value_is_text(ks_value_get(optimizer, "class_name"), "Custom>Adam"));
    assert_non_null(ks_value_get(ks_value_get(optimizer, "config"), "is_legacy_optimizer"));
    assert_null(ks_value_get(ks_value_get(optimizer, "config"), "loss_scale_factor"));
    assert_true(ks_value_is_text(ks_value_get(config, "loss"), "mse"));
    weights = state_of(older);
    original = state_of(model);
    assert_int_equal(weights.count + 1, original.count); // the learning rate is in the config
    assert_string_equal(weights.items[0].name, "iteration:0");
    assert_true(strncmp(weights.items[1].name, "adam/m/", 7) == 0);
    assert_true(strncmp(weights.items[2].name, "adam/v/", 7) == 0);
    assert_true(same_part(older, &weights, 0, model, &original, 0));
    for (size_t i = 1; i < weights.count; i++)
        assert_true(same_part(older, &weights, i, model, &original, i + 1));
    ks_model_free(older);
    ks_model_free(model);
    drop(&context, file);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_losses_of_keras_2(void **state) {
    const ks_value *config, *loss;
    ks_bytes file;
    ks_context context;
    ks_model *model = load(&context, GOLDEN "keras-v3/keras-3.15.1/structure/compiled-classifier/model.keras");
    ks_model *older = through(&file, &context, model, "h5-legacy");
    (void)state;
    assert_int_equal(ks__training_config(&config, older), KS_OK);
    loss = ks_value_get(config, "loss");
    assert_true(ks_value_is_text(ks_value_get(loss, "class_name"), "CategoricalCrossentropy"));
    assert_true(ks_value_is_text(ks_value_get(ks_value_get(loss, "config"), "reduction"), "sum_over_batch_size"));
    assert_null(ks_value_get(ks_value_get(loss, "config"), "fn"));
    ks_model_free(older);
    ks_model_free(model);
    drop(&context, file);
    assert_int_equal(context.memory.n_live, 0);
}

// --- Keras 2, Keras 3 -----------------------------------------------------------------------------------------------

static void test_newer_optimizers(void **state) {
    const ks_value *config;
    ks_optimizer_weights weights, original;
    ks_bytes file;
    ks_context context;
    ks_model *model = load(&context, GOLDEN "h5-legacy/tfkeras-2.21.0/compiled/trained-rmsprop/model.h5");
    ks_model *newer = through(&file, &context, model, "keras-v3");
    (void)state;
    assert_int_equal(ks__training_config(&config, newer), KS_OK);
    const ks_value *optimizer = ks_value_get(config, "optimizer");
    assert_true(ks_value_is_text(ks_value_get(optimizer, "class_name"), "RMSprop"));
    assert_null(ks_value_get(ks_value_get(optimizer, "config"), "jit_compile"));
    assert_non_null(ks_value_get(ks_value_get(optimizer, "config"), "gradient_accumulation_steps"));
    weights = state_of(newer);
    original = state_of(model);
    assert_int_equal(weights.count, original.count + 1);
    assert_true(same_part(newer, &weights, 0, model, &original, 0));
    assert_float_equal(*(const float *)part_of(newer, &weights, 1).data, 0.01, 1e-9);
    for (size_t i = 1; i < original.count; i++)
        assert_true(same_part(newer, &weights, i + 1, model, &original, i));
    ks_model_free(newer);
    ks_model_free(model);
    drop(&context, file);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_older_optimizers(void **state) {
    static const char *const paths[] = {"tf-2.9.3/compiled/trained-adam", "tf-2.4.4/compiled/trained-adam-amsgrad",
                                        "keras-2.3.1/compiled/trained-sgd",
                                        "tf-2.12.1/compiled/trained-legacy-rmsprop"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const ks_value *first, *second;
        ks_save_options options = {.format = "keras-v3"};
        char path[300];
        ks_losses losses;
        ks_bytes files[2];
        ks_context context;
        snprintf(path, sizeof path, GOLDEN "h5-legacy/%s/model.h5", paths[i]);
        ks_model *model = load(&context, path);
        ks_model *copy = through(&files[0], &context, model, "h5-legacy");
        assert_int_equal(ks__training_config(&first, model), KS_OK);
        assert_int_equal(ks__training_config(&second, copy), KS_OK);
        assert_true(ks_value_equal(first, second));
        assert_true(state_of(copy).count > 1);
        expect_same_state(model, copy);
        assert_int_equal(ks_model_save_bytes(&files[1], model, &options, NULL), KS_E_SAVE_LOSS);
        ks_context_clear(&context);
        ks_losses_init(&losses, &context, true);
        assert_int_equal(ks_model_save_bytes(&files[1], model, &options, &losses), KS_OK);
        assert_string_equal(losses.first->name, "compile-config");
        assert_string_equal(losses.last->name, "optimizer-state");
        ks_losses_fini(&losses);
        ks_model_free(copy);
        ks_model_free(model);
        drop(&context, files[0]);
        drop(&context, files[1]);
        assert_int_equal(context.memory.n_live, 0);
    }
}

/// Keras 1 lists its state in the order of its own arrays.
static void test_keras_1(void **state) {
    ks_save_options options = {.format = "h5-legacy"};
    ks_bytes file;
    ks_context context;
    ks_model *model = load(&context, GOLDEN "h5-legacy/keras-1.2.2/compiled/trained-adam/model.h5");
    (void)state;
    assert_int_equal(ks_model_save_bytes(&file, model, &options, NULL), KS_E_SAVE_LOSS);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),    cmocka_unit_test(test_words_of_keras_2),
        cmocka_unit_test(test_losses_of_keras_2), cmocka_unit_test(test_newer_optimizers),
        cmocka_unit_test(test_older_optimizers),  cmocka_unit_test(test_keras_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
