// SPDX-License-Identifier: Apache-2.0
//
// Whole loads: every failing allocation, a file that shrinks while it is mapped, equal predictions by both roads and
// from every address, budgets, inputs that do not fit.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kassay/archive.h>
#include <kassay/model.h>
#include <kassay/source.h>
#include <kassay/writer.h>

#define GOLDEN KASSAY_SOURCE_DIR "/golden/keras-v3/keras-3.15.1/"

static const char *const cases[] = {
    GOLDEN "structure/nested-functional/model.keras",
    GOLDEN "attention/mha-masked/model.keras",
    GOLDEN "recurrent/bidirectional-masked/model.keras",
};

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

// The k-th allocation fails, for every k: a clean error, nothing left, and in the end success.
static void test_every_failing_allocation(void **state) {
    (void)state;
    for (size_t i = 0; i < N_CASES; i++) {
        uint64_t failures = 0;
        for (uint64_t k = 1;; k++) {
            ks_context context;
            ks_model *model = NULL;
            ks_code code;
            ks_context_init(&context, NULL);
            context.memory.fail_at = k;
            code = ks_model_load(&model, &context, cases[i], NULL);
            if (code == KS_OK) {
                ks_model_free(model);
                assert_int_equal(context.memory.n_live, 0);
                break;
            }
            failures++;
            assert_int_equal(code, KS_E_NO_MEMORY);
            assert_int_equal(context.error.code, KS_E_NO_MEMORY);
            assert_null(model);
            assert_int_equal(context.memory.n_live, 0);
        }
        assert_true(failures > 10);
    }
}

static ks_bytes read_file(const char *path, size_t shift) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(1 << 20);
    size_t size;
    assert_non_null(file);
    size = fread(data + shift, 1, (1 << 20) - shift, file);
    fclose(file);
    return (ks_bytes){data + shift, size};
}

// Tokens or numbers that fit any of the cases' inputs.
static void make_inputs(const ks_model *model, ks_tensor *inputs, float *numbers, int32_t *tokens) {
    for (size_t i = 0; i < 4096; i++) {
        numbers[i] = (float)((int)(i * 37 % 101) - 50) / 25.0F;
        tokens[i] = (int32_t)(i * 7 % 19);
    }
    for (size_t i = 0; i < ks_model_input_count(model); i++) {
        ks_model_port port = ks_model_input_at(model, i);
        bool integer = port.dtype == KS_INT32;
        inputs[i] =
            (ks_tensor){integer ? KS_INT32 : KS_FLOAT32, port.shape, integer ? (const void *)tokens : numbers, 0};
        inputs[i].shape.dims[0] = 3;
    }
}

static void predict_bytes(uint8_t *out, size_t *size, ks_model *model) {
    static float numbers[4096];
    static int32_t tokens[4096];
    ks_tensor inputs[8], result;
    ks_prediction *prediction;
    make_inputs(model, inputs, numbers, tokens);
    assert_int_equal(ks_model_predict(&prediction, model, inputs, ks_model_input_count(model), KS_FLOAT32), KS_OK);
    result = ks_prediction_at(prediction, 0);
    *size = result.size;
    assert_true(result.size > 0 && result.size <= 4096);
    memcpy(out, result.data, result.size);
    ks_prediction_free(prediction);
}

// The same bits by both roads, and wherever the file's bytes lie: the HDF5 member is then aligned or not.
static void test_predictions_have_equal_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < N_CASES; i++) {
        uint8_t first[4096], other[4096];
        size_t size = 0, other_size;
        for (size_t shift = 0; shift < 9; shift++) {
            ks_bytes bytes = read_file(cases[i], shift);
            ks_model_options options = {.road = shift == 8 ? KS_ROAD_LIBRARY : KS_ROAD_STRICT};
            ks_context context;
            ks_model *model;
            ks_context_init(&context, NULL);
            assert_int_equal(ks_model_load_bytes(&model, &context, bytes, "m.keras", &options), KS_OK);
            predict_bytes(shift ? other : first, shift ? &other_size : &size, model);
            if (shift) {
                assert_int_equal(other_size, size);
                assert_memory_equal(other, first, size);
            }
            ks_model_free(model);
            assert_int_equal(context.memory.n_live, 0);
            free((void *)(uintptr_t)(bytes.data - shift));
        }
    }
}

// --- a mapped file that shrinks -------------------------------------------------------------------------------------

static int make_large_file(char *path) {
    ks_bytes bytes = read_file(cases[0], 0);
    static const uint8_t zeros[1 << 16];
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    for (int i = 0; i < 24; i++) // a prefix, which zip archives may have, makes it large enough to be mapped
        assert_int_equal(write(descriptor, zeros, sizeof(zeros)), sizeof(zeros));
    assert_int_equal(write(descriptor, bytes.data, bytes.size), bytes.size);
    free((void *)(uintptr_t)bytes.data);
    return descriptor;
}

static void test_file_that_shrinks_while_loaded(void **state) {
    char path[] = "/tmp/kassay-shrink-XXXXXX";
    int descriptor = make_large_file(path);
    ks_model_options options = {.format = "keras-v3"};
    ks_context context;
    ks_model *model;
    static float numbers[4096];
    static int32_t tokens[4096];
    ks_tensor inputs[8];
    ks_prediction *prediction = NULL;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_model_load(&model, &context, path, &options), KS_OK);
    make_inputs(model, inputs, numbers, tokens);
    assert_int_equal(ftruncate(descriptor, 0), 0);
    // Weights that lie aligned are views of the map, which has lost its pages.
    {
        ks_code code = ks_model_predict(&prediction, model, inputs, ks_model_input_count(model), KS_FLOAT32);
        assert_true(code == KS_OK || code == KS_E_FILE_CHANGED);
    }
    ks_prediction_free(prediction);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
    close(descriptor);
    unlink(path);
}

static ks_code read_last_byte(void *argument) {
    const ks_bytes *bytes = argument;
    return bytes->data[bytes->size - 1] == 255 ? KS_E_USAGE : KS_OK;
}

static void test_guard_turns_sigbus_into_an_error(void **state) {
    char path[] = "/tmp/kassay-guard-XXXXXX";
    int descriptor = make_large_file(path);
    ks_context context;
    ks_source *source;
    ks_bytes bytes;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_source_open(&source, &context, path), KS_OK);
    bytes = ks_source_bytes(source);
    assert_int_equal(ks_source_guard(source, &context, read_last_byte, &bytes), KS_OK);
    assert_int_equal(ftruncate(descriptor, 0), 0);
    assert_int_equal(ks_source_guard(source, &context, read_last_byte, &bytes), KS_E_FILE_CHANGED);
    assert_int_equal(context.error.stage, KS_STAGE_FILE);
    ks_source_close(source);
    assert_int_equal(context.memory.n_live, 0);
    close(descriptor);
    unlink(path);
}

// --- what does not fit ----------------------------------------------------------------------------------------------

static void test_inputs_that_do_not_fit(void **state) {
    static float numbers[4096];
    static int32_t tokens[4096];
    ks_tensor inputs[8];
    ks_prediction *prediction;
    ks_context context;
    ks_model *model;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_model_load(&model, &context, cases[0], NULL), KS_OK);
    make_inputs(model, inputs, numbers, tokens);
    assert_int_equal(ks_model_predict(&prediction, model, inputs, 0, KS_FLOAT32), KS_E_MODEL_INPUTS);
    ks_context_clear(&context);
    inputs[0].shape.dims[1]++;
    assert_int_equal(ks_model_predict(&prediction, model, inputs, 1, KS_FLOAT32), KS_E_MODEL_INPUTS);
    assert_string_equal(context.error.place, "input.0");
    ks_context_clear(&context);
    inputs[0].shape.dims[1]--;
    assert_int_equal(ks_model_predict(&prediction, model, inputs, 1, KS_INT32), KS_E_USAGE);
    ks_context_clear(&context);
    context.limits.run_memory = 0;
    context.memory.limit = context.memory.held + 1024;
    assert_int_equal(ks_model_predict(&prediction, model, inputs, 1, KS_FLOAT32), KS_E_OVER_MEMORY);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

/// An operation on integers a and b; twice its class.
static const char of_integers[] =
    "{\"module\":\"keras.src.models.functional\",\"class_name\":\"Functional\",\"config\":{\"name\":\"f\","
    "\"trainable\":true,\"layers\":[{\"module\":\"keras.layers\",\"class_name\":\"InputLayer\",\"config\":"
    "{\"batch_shape\":[null,2],\"dtype\":\"int32\",\"name\":\"a\"},\"registered_name\":null,\"name\":\"a\","
    "\"inbound_nodes\":[]},{\"module\":\"keras.layers\",\"class_name\":\"InputLayer\",\"config\":"
    "{\"batch_shape\":[null,2],\"dtype\":\"int32\",\"name\":\"b\"},\"registered_name\":null,\"name\":\"b\","
    "\"inbound_nodes\":[]},{\"module\":\"keras.src.ops.numpy\",\"class_name\":\"%s\",\"config\":{\"name\":\"o\"},"
    "\"registered_name\":\"%s\",\"name\":\"o\",\"inbound_nodes\":[{\"args\":[{\"class_name\":"
    "\"__keras_tensor__\",\"config\":{\"shape\":[null,2],\"dtype\":\"int32\",\"keras_history\":[\"a\",0,0]}},"
    "{\"class_name\":\"__keras_tensor__\",\"config\":{\"shape\":[null,2],\"dtype\":\"int32\",\"keras_history\":"
    "[\"b\",0,0]}}],\"kwargs\":{}}]}],\"input_layers\":[[\"a\",0,0],[\"b\",0,0]],\"output_layers\":[[\"o\",0,0]]},"
    "\"registered_name\":\"Functional\"}";

static void expect_no_answer(const char *class_name, const int32_t *a, const int32_t *b, ks_code expected) {
    char json[2048];
    ks_tensor inputs[2];
    ks_prediction *prediction;
    ks_context context;
    ks_model *model;
    snprintf(json, sizeof json, of_integers, class_name, class_name);
    ks_context_init(&context, NULL);
    if (ks_model_load_bytes(&model, &context, (ks_bytes){(const uint8_t *)json, strlen(json)}, "config.json", NULL))
        fail_msg("%s", context.error.message);
    for (size_t i = 0; i < 2; i++)
        inputs[i] = (ks_tensor){.dtype = KS_INT32, .shape = {2, {1, 2}}, .data = i ? b : a, .size = 2 * sizeof *a};
    assert_int_equal(ks_model_predict(&prediction, model, inputs, 2, KS_FLOAT32), expected);
    if (expected == KS_OK)
        ks_prediction_free(prediction);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

/// TensorFlow raises where integers have no answer.
static void test_integers_without_an_answer(void **state) {
    static const int32_t a[] = {7, -3}, fits[] = {2, 3}, zero[] = {2, 0}, negative[] = {1, -1};
    (void)state;
    expect_no_answer("FloorDivide", a, fits, KS_OK);
    expect_no_answer("FloorDivide", a, negative, KS_OK);
    expect_no_answer("FloorDivide", a, zero, KS_E_MODEL_INPUTS);
    expect_no_answer("Mod", a, negative, KS_OK);
    expect_no_answer("Mod", a, zero, KS_E_MODEL_INPUTS);
    expect_no_answer("Power", a, zero, KS_OK);
    expect_no_answer("Power", a, negative, KS_E_MODEL_INPUTS);
    expect_no_answer("Add", a, zero, KS_OK);
}

/// Keras 3.0 takes the axis of Normalize for its order.
static void test_normalize_of_3_0(void **state) {
    static const struct {
        const char *version;
        int axis;
        ks_code expected;
    } rows[] = {
        {"3.0.5", -1, KS_E_CONFIG_UNSUPPORTED_VALUE},
        {"3.0.5", 1, KS_E_CONFIG_UNSUPPORTED_VALUE},
        {"3.0.5", 2, KS_OK},
        {"3.1.0", -1, KS_OK},
        {"3.15.1", 1, KS_OK},
    };
    char json[2048];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ks_context context;
        ks_model *model = NULL;
        snprintf(json, sizeof json,
                 "{\"module\":\"keras.src.models.functional\",\"class_name\":\"Functional\",\"config\":{\"name\":\"f\","
                 "\"trainable\":true,\"layers\":[{\"module\":\"keras.layers\",\"class_name\":\"InputLayer\",\"config\":"
                 "{\"batch_shape\":[null,2,3],\"dtype\":\"float32\",\"name\":\"a\"},\"registered_name\":null,\"name\":"
                 "\"a\",\"inbound_nodes\":[]},{\"module\":\"keras.src.ops.nn\",\"class_name\":\"Normalize\",\"config\":"
                 "{\"name\":\"o\",\"axis\":%d,\"order\":2},\"registered_name\":\"Normalize\",\"name\":\"o\","
                 "\"inbound_nodes\":[{\"args\":[{\"class_name\":\"__keras_tensor__\",\"config\":{\"shape\":[null,2,3],"
                 "\"dtype\":\"float32\",\"keras_history\":[\"a\",0,0]}}],\"kwargs\":{}}]}],\"input_layers\":"
                 "[[\"a\",0,0]],\"output_layers\":[[\"o\",0,0]]},\"registered_name\":\"Functional\","
                 "\"keras_version\":\"%s\"}",
                 rows[i].axis, rows[i].version);
        ks_context_init(&context, NULL);
        assert_int_equal(
            ks_model_load_bytes(&model, &context, (ks_bytes){(const uint8_t *)json, strlen(json)}, "config.json", NULL),
            rows[i].expected);
        ks_model_free(model);
        assert_int_equal(context.memory.n_live, 0);
    }
}

static ks_code embed(const char *path, int32_t number) {
    int32_t numbers[9] = {number};
    ks_tensor input = {.dtype = KS_INT32, .shape = {2, {1, 9}}, .data = numbers, .size = sizeof numbers};
    ks_prediction *prediction;
    ks_context context;
    ks_model *model;
    ks_code code;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_model_load(&model, &context, path, NULL), KS_OK);
    code = ks_model_predict(&prediction, model, &input, 1, KS_FLOAT32);
    if (code == KS_OK)
        ks_prediction_free(prediction);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
    return code;
}

/// Which numbers a table of 20 rows has an answer for, in each generation.
static void test_rows_outside_a_table(void **state) {
    static const struct {
        const char *path;
        bool from_the_end, clips;
    } rows[] = {
        {KASSAY_SOURCE_DIR "/golden/h5-legacy/tf-2.15.1/core/embedding/model.h5", false, false},
        {KASSAY_SOURCE_DIR "/golden/h5-legacy/keras-1.2.2/core/embedding/model.h5", false, false},
        {KASSAY_SOURCE_DIR "/golden/keras-v3/keras-3.0.5/core/embedding-negative/model.keras", true, true},
        {KASSAY_SOURCE_DIR "/golden/keras-v3/keras-3.3.3/core/embedding-negative/model.keras", true, false},
        {GOLDEN "core/embedding-negative/model.keras", true, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(embed(rows[i].path, 19), KS_OK);
        assert_int_equal(embed(rows[i].path, 20), rows[i].clips ? KS_OK : KS_E_MODEL_INPUTS);
        assert_int_equal(embed(rows[i].path, -1), rows[i].from_the_end ? KS_OK : KS_E_MODEL_INPUTS);
        assert_int_equal(embed(rows[i].path, -20), rows[i].from_the_end ? KS_OK : KS_E_MODEL_INPUTS);
        assert_int_equal(embed(rows[i].path, -21), rows[i].clips ? KS_OK : KS_E_MODEL_INPUTS);
    }
}

static void test_budget_of_a_check(void **state) {
    (void)state;
    for (size_t i = 0; i < N_CASES; i++) {
        ks_context context;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_model_check(&context, cases[i], NULL), KS_OK);
        assert_true(context.memory.peak < (uint64_t)1 << 20);
        assert_int_equal(context.memory.n_live, 0);
    }
}

/// The npz of weights alone is refused as within its archive.
static void test_pickled_weights_alone(void **state) {
    ks_context context, second;
    ks_source *source;
    ks_archive *archive;
    ks_bytes bytes;
    ks_model *model;
    (void)state;
    ks_context_init(&context, NULL);
    ks_context_init(&second, NULL);
    assert_int_equal(
        ks_source_open(&source, &context, KASSAY_SOURCE_DIR "/golden/keras-v3/reject/npz/npz-pickled/model.keras"),
        KS_OK);
    assert_int_equal(ks_archive_open_zip(&archive, &context, ks_source_bytes(source), KS_ROAD_STRICT), KS_OK);
    assert_int_equal(ks_archive_read(&bytes, archive, ks_archive_find(archive, "model.weights.npz"), true), KS_OK);
    assert_int_equal(ks_model_load_bytes(&model, &second, bytes, "model.weights.npz", NULL), KS_E_WEIGHTS_PICKLE);
    ks_archive_close(archive);
    ks_source_close(source);
    // Arrays of numbers are no model, and no danger.
    ks_context_clear(&second);
    assert_int_equal(ks_source_open(&source, &context, GOLDEN "core/dense/weights.npz"), KS_OK);
    assert_int_equal(ks_model_load_bytes(&model, &second, ks_source_bytes(source), "weights.npz", NULL),
                     KS_E_MODEL_MEMBER);
    ks_source_close(source);
    assert_int_equal(context.memory.n_live + second.memory.n_live, 0);
}

static void put_names(ks_hdf5_writer *writer, const char *path, const char *name, const char *text) {
    ks_text names = ks_text_from(text);
    ks_tensor tensor = {KS_STRING, {1, {1}}, &names, sizeof names};
    assert_int_equal(ks_hdf5_writer_attribute(writer, path, name, &tensor), KS_OK);
}

/// A type that no variable has is named.
static void test_complex_weights(void **state) {
    static const char json[] =
        "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": [{\"class_name\": \"Dense\", "
        "\"config\": {\"name\": \"d\", \"units\": 1, \"use_bias\": false, \"batch_input_shape\": [null, 2]}}]}}";
    const float numbers[4] = {1, 2, 3, 4};
    const ks_tensor tensor = {KS_COMPLEX64, {2, {2, 1}}, numbers, sizeof numbers};
    ks_context context;
    ks_hdf5_writer *writer;
    ks_model *model;
    ks_bytes bytes;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_hdf5_writer_open(&writer, &context), KS_OK);
    assert_int_equal(ks_hdf5_writer_bytes(writer, "", "model_config", ks_text_from(json)), KS_OK);
    assert_int_equal(ks_hdf5_writer_bytes(writer, "", "keras_version", ks_text_from("2.9.0")), KS_OK);
    assert_int_equal(ks_hdf5_writer_group(writer, "model_weights/d"), KS_OK);
    put_names(writer, "model_weights", "layer_names", "d");
    put_names(writer, "model_weights/d", "weight_names", "d/kernel:0");
    assert_int_equal(ks_hdf5_writer_dataset(writer, "model_weights/d/d/kernel:0", &tensor), KS_OK);
    assert_int_equal(ks_hdf5_writer_finish(&bytes, writer), KS_OK);
    if (ks_model_load_bytes(&model, &context, bytes, "model.h5", NULL) != KS_E_WEIGHTS_DTYPE)
        fail_msg("%s: %s", context.error.place, context.error.message);
    assert_non_null(strstr(context.error.message, "complex64"));
    ks_hdf5_writer_close(writer);
    assert_int_equal(context.memory.n_live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_failing_allocation),
        cmocka_unit_test(test_predictions_have_equal_bits),
        cmocka_unit_test(test_file_that_shrinks_while_loaded),
        cmocka_unit_test(test_guard_turns_sigbus_into_an_error),
        cmocka_unit_test(test_normalize_of_3_0),
        cmocka_unit_test(test_integers_without_an_answer),
        cmocka_unit_test(test_rows_outside_a_table),
        cmocka_unit_test(test_inputs_that_do_not_fit),
        cmocka_unit_test(test_budget_of_a_check),
        cmocka_unit_test(test_pickled_weights_alone),
        cmocka_unit_test(test_complex_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
