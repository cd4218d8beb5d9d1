// SPDX-License-Identifier: Apache-2.0
//
// Group names of Keras 2.12 to 2.15, sharded weights, weights of whole files, and loads into a model when memory fails.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kassay/losses.h>
#include <kassay/model.h>
#include <kassay/save.h>
#include <kassay/writer.h>

#define GOLDEN KASSAY_SOURCE_DIR "/golden/"

static char folder[] = "/tmp/kassay-into-XXXXXX";
static char config_path[64], weights_path[64], index_path[64], shard_path[2][64];

static void write_file(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void write_text(const char *path, const char *text) {
    write_file(path, text, strlen(text));
}

#define DENSE2(name, units)                                                                                            \
    "{\"class_name\": \"Dense\", \"config\": {\"name\": \"" name "\", \"units\": " units                               \
    ", \"activation\": \"linear\"}}"
#define DENSE3(name, units)                                                                                            \
    "{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"registered_name\": null, \"config\": {\"name\": "     \
    "\"" name "\", \"units\": " units "}}"

// 2 -> 3 -> 3 -> 1
static void keras2(const char *version) {
    char config[2048];
    snprintf(
        config, sizeof(config),
        "{\"class_name\": \"Sequential\", \"keras_version\": \"%s\", \"backend\": \"tensorflow\", \"config\": "
        "{\"name\": \"s\", \"layers\": [{\"class_name\": \"InputLayer\", \"config\": {\"batch_input_shape\": [null, "
        "2], \"dtype\": \"float32\", \"sparse\": false, \"ragged\": false, \"name\": \"i\"}}, " DENSE2(
            "a", "3") ", " DENSE2("b", "3") ", " DENSE2("c", "1") "]}}",
        version);
    write_text(config_path, config);
}

static void keras3(void) {
    write_text(
        config_path,
        "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"registered_name\": null, \"config\": {\"name\": "
        "\"s\", \"layers\": [{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"registered_name\": "
        "null, \"config\": {\"batch_shape\": [null, 2], \"dtype\": \"float32\", \"name\": \"i\"}}, " DENSE3(
            "a", "3") ", " DENSE3("b", "3") ", " DENSE3("c", "1") "]}}");
}

typedef struct maker {
    ks_context context;
    ks_hdf5_writer *writer;
} maker;

static void make(maker *m) {
    ks_context_init(&m->context, NULL);
    assert_int_equal(ks_hdf5_writer_open(&m->writer, &m->context), KS_OK);
}

static void dataset(maker *m, const char *path, ks_shape shape, float value) {
    float data[16];
    uint64_t count;
    assert_true(ks_shape_elements(&shape, &count) && count <= 16);
    for (size_t i = 0; i < count; i++)
        data[i] = value;
    assert_int_equal(ks_hdf5_writer_dataset(m->writer, path, &(ks_tensor){KS_FLOAT32, shape, data, (size_t)count * 4}),
                     KS_OK);
}

static void group(maker *m, const char *path, ks_shape kernel, float value) {
    char name[128];
    snprintf(name, sizeof(name), "%s/vars/0", path);
    dataset(m, name, kernel, value);
    snprintf(name, sizeof(name), "%s/vars/1", path);
    dataset(m, name, (ks_shape){1, {kernel.dims[1]}}, value + 0.5F);
}

static void finish(maker *m, const char *path) {
    ks_bytes bytes;
    assert_int_equal(ks_hdf5_writer_finish(&bytes, m->writer), KS_OK);
    write_file(path, bytes.data, bytes.size);
    ks_hdf5_writer_close(m->writer);
    assert_int_equal(m->context.memory.n_live, 0);
}

static const ks_shape first = {2, {2, 3}}, middle = {2, {3, 3}}, last = {2, {3, 1}};

static float value_of(const ks_model *model, size_t index) {
    return *(const float *)ks_model_weight_at(model, index).tensor.data;
}

static void expect_loaded(const char *path) {
    for (int road = 0; road < 2; road++) {
        ks_model_options options = {.road = (ks_road)road, .architecture = config_path};
        ks_context context;
        ks_model *model;
        ks_context_init(&context, NULL);
        if (ks_model_load(&model, &context, path, &options) != KS_OK)
            fail_msg("%s: %s", context.error.place, context.error.message);
        assert_int_equal(ks_model_weight_count(model), 6);
        for (size_t i = 0; i < 6; i++)
            assert_float_equal(value_of(model, i), 1 + 0.5F * (float)i, 0);
        ks_model_free(model);
        assert_int_equal(context.memory.n_live, 0);
    }
}

static void expect_refused(const char *path, ks_code code) {
    for (int road = 0; road < 2; road++) {
        ks_model_options options = {.road = (ks_road)road, .architecture = config_path};
        ks_context context;
        ks_model *model;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_model_load(&model, &context, path, &options), code);
        assert_int_equal(context.error.code, code);
        assert_int_equal(context.memory.n_live, 0);
    }
}

// --- names of groups -------------------------------------------------------------------------------------------------

static void named_groups(const char *folder_name, const char *const names[3]) {
    const ks_shape *shapes[] = {&first, &middle, &last};
    char path[128];
    maker m;
    make(&m);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder_name, names[i]);
        group(&m, path, *shapes[i], (float)(i + 1));
    }
    finish(&m, weights_path);
}

static void test_names_of_keras2(void **state) {
    static const char *const twice[] = {"dense", "dense_2", "dense_4"}, *const once[] = {"dense", "dense_1", "dense_2"};
    (void)state;
    keras2("2.13.1");
    named_groups("_layer_checkpoint_dependencies", twice);
    expect_loaded(weights_path);
    named_groups("_layer_checkpoint_dependencies", once); // as 2.14 has them
    expect_loaded(weights_path);
    keras2("2.14.0");
    expect_loaded(weights_path);
    keras2("2.15.0");
    named_groups("layers", once);
    expect_loaded(weights_path);
    named_groups("layers", twice);
    expect_refused(weights_path, KS_E_WEIGHTS_MISSING);
}

// --- shards ----------------------------------------------------------------------------------------------------------

static void make_shards(void) {
    maker m;
    make(&m);
    group(&m, "layers/dense", first, 1);
    dataset(&m, "layers/dense_1/vars/0", middle, 2);
    finish(&m, shard_path[0]);
    make(&m);
    dataset(&m, "layers/dense_1/vars/1", (ks_shape){1, {3}}, 2.5F);
    group(&m, "layers/dense_2", last, 3);
    finish(&m, shard_path[1]);
}

#define INDEX(middle)                                                                                                  \
    "{\"metadata\": {\"total_size\": 1.0}, \"weight_map\": {\"/layers/dense/vars\": \"x_0.h5\", "                      \
    "\"/layers/dense_1/vars\": " middle ", \"/layers/dense_2/vars\": [\"x_1.h5\"]}}"

static void test_shards(void **state) {
    (void)state;
    keras3();
    make_shards();
    write_text(index_path, INDEX("[\"x_0.h5\", \"x_1.h5\"]"));
    expect_loaded(index_path);
    write_text(index_path, INDEX("[\"x_1.h5\", \"x_0.h5\"]"));
    expect_loaded(index_path);
    write_text(index_path, INDEX("\"x_0.h5\"")); // Keras 3.10 names the first alone
    expect_refused(index_path, KS_E_WEIGHTS_COUNT);
    write_text(index_path, INDEX("[\"x_0.h5\", \"x_0.h5\"]"));
    expect_refused(index_path, KS_E_WEIGHTS_INDEX);
    write_text(index_path, INDEX("[]"));
    expect_refused(index_path, KS_E_WEIGHTS_INDEX);
    write_text(index_path, INDEX("[\"x_2.h5\"]"));
    expect_refused(index_path, KS_E_WEIGHTS_MISSING);
    write_text(index_path, INDEX("[\"../x_0.h5\"]"));
    expect_refused(index_path, KS_E_WEIGHTS_SHARD);
    write_text(index_path, INDEX("[\"..\"]"));
    expect_refused(index_path, KS_E_WEIGHTS_SHARD);
    write_text(index_path, INDEX("[\"/etc/passwd\"]"));
    expect_refused(index_path, KS_E_WEIGHTS_SHARD);
    write_text(index_path, INDEX("[7]"));
    expect_refused(index_path, KS_E_WEIGHTS_INDEX);
    write_text(index_path, "{\"weight_map\": 7}");
    expect_refused(index_path, KS_E_WEIGHTS_INDEX);
}

// --- loads into a model ----------------------------------------------------------------------------------------------

static ks_model *model_of_threes(ks_context *context) {
    static float data[9];
    ks_tensor weights[] = {{KS_FLOAT32, first, data, 24},  {KS_FLOAT32, {1, {3}}, data, 12},
                           {KS_FLOAT32, middle, data, 36}, {KS_FLOAT32, {1, {3}}, data, 12},
                           {KS_FLOAT32, last, data, 12},   {KS_FLOAT32, {1, {1}}, data, 4}};
    ks_model *model;
    for (size_t i = 0; i < 9; i++)
        data[i] = -3;
    ks_context_init(context, NULL);
    assert_int_equal(ks_model_load(&model, context, config_path, NULL), KS_OK);
    assert_int_equal(ks_model_set_weights(model, weights, 6), KS_OK);
    return model;
}

// What Keras 3 skips: the whole object from the first variable on that does not fit.
static void test_skip_mismatch_of_keras3(void **state) {
    ks_load_options options = {.skip_mismatch = true};
    ks_context context;
    ks_model *model;
    ks_text report;
    maker m;
    (void)state;
    keras3();
    make(&m);
    group(&m, "layers/dense", first, 1);
    group(&m, "layers/dense_1", last, 2); // another kernel
    dataset(&m, "layers/dense_2/vars/0", last, 3);
    finish(&m, weights_path); // and no bias
    model = model_of_threes(&context);
    assert_int_equal(ks_model_load_weights(&report, model, weights_path, &options), KS_OK);
    assert_float_equal(value_of(model, 0), 1, 0);
    for (size_t i = 2; i < 6; i++)
        assert_float_equal(value_of(model, i), -3, 0);
    assert_non_null(strstr(report.data, "\"reason\": \"another shape\""));
    assert_non_null(strstr(report.data, "\"reason\": \"another number of variables\""));
    ks_free(&context, (void *)(uintptr_t)report.data);
    options.skip_mismatch = false;
    assert_int_equal(ks_model_load_weights(NULL, model, weights_path, &options), KS_E_WEIGHTS_SHAPE);
    assert_float_equal(value_of(model, 2), -3, 0);
    ks_context_clear(&context);
    options.by_name = true;
    assert_int_equal(ks_model_load_weights(NULL, model, weights_path, &options), KS_E_WEIGHTS_OPTION);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

// Weights of a whole file, of either container, by both roads.
static void test_weights_of_whole_files(void **state) {
    static const char *const files[] = {GOLDEN "keras-v3/keras-3.15.1/structure/nested-functional/model.keras",
                                        GOLDEN "h5-legacy/keras-3.15.1/structure/nested-functional/model.h5"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        ks_load_options options = {.road = (ks_road)(i % 2)};
        ks_context context;
        ks_model *from, *into;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_model_load(&from, &context, files[i / 2], NULL), KS_OK);
        assert_int_equal(ks_model_load(&into, &context, files[i / 2], NULL), KS_OK);
        assert_int_equal(ks_model_load_weights(NULL, into, files[i / 2], &options), KS_OK);
        for (size_t k = 0; k < ks_model_weight_count(from); k++) {
            ks_model_weight a = ks_model_weight_at(from, k), b = ks_model_weight_at(into, k);
            assert_string_equal(a.path, b.path);
            assert_int_equal(a.tensor.size, b.tensor.size);
            assert_memory_equal(a.tensor.data, b.tensor.data, a.tensor.size);
        }
        ks_model_free(into);
        ks_model_free(from);
        assert_int_equal(context.memory.n_live, 0);
    }
}

// Memory that fails at any moment: nothing is left, and the model keeps its values.
static void test_every_failing_allocation(void **state) {
    const char *paths[] = {weights_path, index_path};
    maker m;
    (void)state;
    keras3();
    make(&m);
    group(&m, "layers/dense", first, 1);
    group(&m, "layers/dense_1", middle, 2);
    group(&m, "layers/dense_2", last, 3);
    finish(&m, weights_path);
    make_shards();
    write_text(index_path, INDEX("[\"x_0.h5\", \"x_1.h5\"]"));
    for (size_t i = 0; i < 2; i++) {
        uint64_t failures = 0;
        for (;; failures++) {
            ks_context context;
            ks_model *model = model_of_threes(&context);
            ks_text report;
            ks_code code;
            context.memory.fail_at = context.memory.n_allocations + failures + 1;
            code = ks_model_load_weights(&report, model, paths[i], NULL);
            assert_true(value_of(model, 0) == (code == KS_OK ? 1.0F : -3.0F));
            assert_true(value_of(model, 4) == (code == KS_OK ? 3.0F : -3.0F));
            ks_free(&context, (void *)(uintptr_t)report.data);
            ks_model_free(model);
            assert_int_equal(context.memory.n_live, 0);
            if (code == KS_OK)
                break;
            assert_int_equal(code, KS_E_NO_MEMORY);
        }
        assert_true(failures > 5);
    }
}

/// What ks_model_weight_at gives is the same for a whole model and for its weights beside it.
static void same_by_architecture(const char *whole, const char *format, const char *name) {
    ks_context context;
    ks_model *model, *read;
    ks_losses losses;
    ks_save_options save = {.format = format};
    char path[96];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    ks_context_init(&context, NULL);
    ks_losses_init(&losses, &context, true);
    assert_int_equal(ks_model_load(&model, &context, whole, NULL), KS_OK);
    assert_int_equal(ks_model_save(model, path, &save, &losses), KS_OK);
    assert_int_equal(ks_model_load(&read, &context, path, &(ks_model_options){.architecture = whole}), KS_OK);
    assert_int_equal(ks_model_weight_count(read), ks_model_weight_count(model));
    assert_true(ks_model_weight_count(model) > 2);
    for (size_t i = 0; i < ks_model_weight_count(model); i++) {
        ks_model_weight a = ks_model_weight_at(model, i), b = ks_model_weight_at(read, i);
        assert_true(ks_shape_equal(&a.tensor.shape, &b.tensor.shape));
        assert_non_null(b.tensor.data);
        assert_memory_equal(a.tensor.data, b.tensor.data, a.tensor.size);
        assert_null(strstr(b.path, "model_weights"));
    }
    ks_model_free(read);
    ks_model_free(model);
    ks_losses_fini(&losses);
    assert_int_equal(context.memory.n_live, 0);
    unlink(path);
}

static void test_architecture_of_legacy_hdf5(void **state) {
    (void)state;
    same_by_architecture(GOLDEN "h5-legacy/keras-2.3.1/recurrent/gru-reset-after/model.h5", "weights-v3",
                         "w.weights.h5");
    same_by_architecture(GOLDEN "h5-legacy/keras-1.2.2/recurrent/lstm/model.h5", "weights-v3", "w.weights.h5");
    same_by_architecture(GOLDEN "h5-legacy/keras-2.3.1/recurrent/gru/model.h5", "h5-weights-legacy", "w.h5");
}

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(weights_path, sizeof(weights_path), "%s/w.h5", folder);
    snprintf(config_path, sizeof(config_path), "%s/c.json", folder);
    snprintf(index_path, sizeof(index_path), "%s/x.json", folder);
    for (int i = 0; i < 2; i++)
        snprintf(shard_path[i], sizeof(shard_path[i]), "%s/x_%d.h5", folder, i);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(weights_path);
    unlink(config_path);
    unlink(index_path);
    unlink(shard_path[0]);
    unlink(shard_path[1]);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_keras2),          cmocka_unit_test(test_shards),
        cmocka_unit_test(test_skip_mismatch_of_keras3),  cmocka_unit_test(test_weights_of_whole_files),
        cmocka_unit_test(test_every_failing_allocation), cmocka_unit_test(test_architecture_of_legacy_hdf5),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
