// SPDX-License-Identifier: Apache-2.0
//
// Weights in the older HDF5 form: names in pieces, order and names, counts and shapes that do not fit, and the layouts
// of each generation against numbers worked out by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kassay/model.h>
#include <kassay/writer.h>

// --- files -----------------------------------------------------------------------------------------------------------

static char folder[] = "/tmp/kassay-legacy-XXXXXX";
static char weights_path[64], config_path[64];

typedef struct maker {
    ks_context context;
    ks_hdf5_writer *writer;
} maker;

static void make(maker *m) {
    ks_context_init(&m->context, NULL);
    assert_int_equal(ks_hdf5_writer_open(&m->writer, &m->context), KS_OK);
}

static void names(maker *m, const char *path, const char *attribute, const char *const *list, size_t count) {
    ks_text texts[16];
    for (size_t i = 0; i < count; i++)
        texts[i] = ks_text_from(list[i]);
    assert_int_equal(ks_hdf5_writer_group(m->writer, path), KS_OK);
    assert_int_equal(
        ks_hdf5_writer_attribute(m->writer, path, attribute,
                                 &(ks_tensor){KS_STRING, {1, {(int64_t)count}}, texts, count * sizeof(ks_text)}),
        KS_OK);
}

#define NAMES(m, path, attribute, ...)                                                                                 \
    names(m, path, attribute, (const char *const[]){__VA_ARGS__},                                                      \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void no_names(maker *m, const char *path) {
    static const double none[1];
    assert_int_equal(ks_hdf5_writer_group(m->writer, path), KS_OK);
    assert_int_equal(
        ks_hdf5_writer_attribute(m->writer, path, "weight_names", &(ks_tensor){KS_FLOAT64, {1, {0}}, none, 0}), KS_OK);
}

static void text(maker *m, const char *path, const char *name, const char *value) {
    assert_int_equal(ks_hdf5_writer_text(m->writer, path, name, ks_text_from(value)), KS_OK);
}

// A dataset of floats that count up from `first`.
static void numbers(maker *m, const char *path, ks_shape shape, float first) {
    float data[1024];
    uint64_t count;
    assert_true(ks_shape_elements(&shape, &count));
    assert_true(count <= 1024);
    for (size_t i = 0; i < count; i++)
        data[i] = first + (float)i;
    assert_int_equal(ks_hdf5_writer_dataset(m->writer, path, &(ks_tensor){KS_FLOAT32, shape, data, (size_t)count * 4}),
                     KS_OK);
}

#define SHAPE(...)                                                                                                     \
    (ks_shape) {                                                                                                       \
        sizeof((int64_t[]){__VA_ARGS__}) / 8, {                                                                        \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

static void write_file(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void finish(maker *m) {
    ks_bytes bytes;
    assert_int_equal(ks_hdf5_writer_finish(&bytes, m->writer), KS_OK);
    write_file(weights_path, bytes.data, bytes.size);
    ks_hdf5_writer_close(m->writer);
    assert_int_equal(m->context.memory.n_live, 0);
}

#define RECORD(class_name, config)                                                                                     \
    "{\"module\": \"keras.layers\", \"class_name\": \"" class_name                                                     \
    "\", \"registered_name\": null, \"config\": {" config "}}"
#define INPUT(shape) RECORD("InputLayer", "\"name\": \"i\", \"dtype\": \"float32\", \"batch_shape\": " shape)
#define DENSE(name, units) RECORD("Dense", "\"name\": \"" name "\", \"units\": " units)

static void sequential(const char *layers) {
    char config[8192];
    int size = snprintf(config, sizeof(config),
                        "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"registered_name\": null, "
                        "\"config\": {\"name\": \"s\", \"layers\": [%s]}}",
                        layers);
    assert_true(size > 0 && (size_t)size < sizeof(config));
    write_file(config_path, config, (size_t)size);
}

// --- loads -----------------------------------------------------------------------------------------------------------

static ks_code load(ks_model **out, ks_context *context, ks_road road) {
    ks_model_options options = {.road = road, .architecture = config_path};
    ks_context_init(context, NULL);
    return ks_model_load(out, context, weights_path, &options);
}

static void expect_failure(ks_code code, const char *place) {
    for (int road = 0; road < 2; road++) {
        ks_context context;
        ks_model *model;
        assert_int_equal(load(&model, &context, (ks_road)road), code);
        assert_null(model);
        if (strcmp(context.error.place, place) != 0)
            print_message("%s: %s\n", context.error.place, context.error.message);
        assert_string_equal(context.error.place, place);
        assert_int_equal(context.memory.n_live, 0);
    }
}

// What the model computes with: get_weights() of a model that the file was loaded into.
static void expect_variable(size_t index, const float *expected, size_t count) {
    for (int road = 0; road < 2; road++) {
        ks_load_options options = {.road = (ks_road)road};
        ks_context context;
        ks_model *model;
        ks_model_weight weight;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_model_load(&model, &context, config_path, NULL), KS_OK);
        if (ks_model_load_weights(NULL, model, weights_path, &options) != KS_OK)
            fail_msg("%s: %s", context.error.place, context.error.message);
        weight = ks_model_weight_at(model, index);
        assert_int_equal(weight.tensor.size, count * 4);
        for (size_t i = 0; i < count; i++)
            assert_float_equal(((const float *)weight.tensor.data)[i], expected[i], 0);
        ks_model_free(model);
        assert_int_equal(context.memory.n_live, 0);
    }
}

// --- names -----------------------------------------------------------------------------------------------------------

static void two_dense(maker *m) {
    sequential(INPUT("[null, 2]") ", " DENSE("one", "3") ", " DENSE("two", "1"));
    make(m);
}

static void dense_group(maker *m, const char *group, ks_shape kernel, ks_shape bias, float first) {
    char path[64];
    NAMES(m, group, "weight_names", "w/kernel:0", "w/bias:0");
    snprintf(path, sizeof(path), "%s/w/kernel:0", group);
    numbers(m, path, kernel, first);
    snprintf(path, sizeof(path), "%s/w/bias:0", group);
    numbers(m, path, bias, first + 10);
}

static void test_names_in_pieces(void **state) {
    static const float kernel[] = {50, 51, 52};
    maker m;
    (void)state;
    two_dense(&m);
    text(&m, "", "keras_version", "2.15.0");
    NAMES(&m, "", "layer_names0", "i", "a");
    NAMES(&m, "", "layer_names1", "empty", "b");
    no_names(&m, "i");
    no_names(&m, "empty");
    NAMES(&m, "a", "weight_names0", "kernel:0");
    NAMES(&m, "a", "weight_names1", "bias:0");
    numbers(&m, "a/kernel:0", SHAPE(2, 3), 0);
    numbers(&m, "a/bias:0", SHAPE(3), 20);
    dense_group(&m, "b", SHAPE(3, 1), SHAPE(1), 50);
    finish(&m);
    expect_variable(2, kernel, 3);
}

static void test_list_of_the_file(void **state) {
    ks_context context;
    ks_model *model;
    maker m;
    (void)state;
    two_dense(&m);
    NAMES(&m, "model_weights", "layer_names", "a", "b");
    text(&m, "model_weights", "keras_version", "2.2.4");
    dense_group(&m, "model_weights/a", SHAPE(2, 3), SHAPE(3), 0);
    dense_group(&m, "model_weights/b", SHAPE(3, 1), SHAPE(1), 50);
    finish(&m);
    assert_int_equal(load(&model, &context, KS_ROAD_STRICT), KS_OK);
    assert_string_equal(ks_model_format(model), "h5-weights-legacy");
    assert_int_equal(ks_model_weight_count(model), 4);
    assert_string_equal(ks_model_weight_at(model, 2).path, "model_weights/b/w/kernel:0");
    assert_string_equal(ks_model_weight_at(model, 2).name, "kernel");
    assert_string_equal(ks_model_weight_at(model, 2).layer, "two");
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

// --- what does not fit -----------------------------------------------------------------------------------------------

static void test_layer_count(void **state) {
    maker m;
    (void)state;
    two_dense(&m);
    NAMES(&m, "", "layer_names", "a");
    dense_group(&m, "a", SHAPE(2, 3), SHAPE(3), 0);
    finish(&m);
    expect_failure(KS_E_WEIGHTS_LAYERS, "weights:/");
}

static void test_weight_count(void **state) {
    maker m;
    (void)state;
    two_dense(&m);
    NAMES(&m, "", "layer_names", "a", "b");
    dense_group(&m, "a", SHAPE(2, 3), SHAPE(3), 0);
    NAMES(&m, "b", "weight_names", "kernel:0");
    numbers(&m, "b/kernel:0", SHAPE(3, 1), 0);
    finish(&m);
    expect_failure(KS_E_WEIGHTS_COUNT, "weights:/b");
}

static void test_shape(void **state) {
    maker m;
    (void)state;
    two_dense(&m);
    NAMES(&m, "", "layer_names", "a", "b");
    dense_group(&m, "a", SHAPE(2, 3), SHAPE(3), 0);
    dense_group(&m, "b", SHAPE(1, 3), SHAPE(1), 0);
    finish(&m);
    expect_failure(KS_E_WEIGHTS_SHAPE, "weights:/b/w/kernel:0");
}

static void test_missing_objects(void **state) {
    maker m;
    (void)state;
    two_dense(&m);
    NAMES(&m, "", "layer_names", "a", "b");
    dense_group(&m, "a", SHAPE(2, 3), SHAPE(3), 0);
    finish(&m);
    expect_failure(KS_E_WEIGHTS_MISSING, "weights:/b");
    two_dense(&m);
    NAMES(&m, "", "layer_names", "a", "b");
    dense_group(&m, "a", SHAPE(2, 3), SHAPE(3), 0);
    NAMES(&m, "b", "weight_names", "kernel:0", "bias:0");
    numbers(&m, "b/kernel:0", SHAPE(3, 1), 0);
    finish(&m);
    expect_failure(KS_E_WEIGHTS_MISSING, "weights:/b/bias:0");
}

static void test_names_that_are_none(void **state) {
    static const double number[] = {1};
    maker m;
    (void)state;
    two_dense(&m);
    assert_int_equal(
        ks_hdf5_writer_attribute(m.writer, "", "layer_names", &(ks_tensor){KS_FLOAT64, {1, {1}}, number, 8}), KS_OK);
    finish(&m);
    expect_failure(KS_E_WEIGHTS_NAMES, "weights:/");
    two_dense(&m);
    NAMES(&m, "", "layer_names", "a", "");
    dense_group(&m, "a", SHAPE(2, 3), SHAPE(3), 0);
    finish(&m);
    expect_failure(KS_E_WEIGHTS_NAMES, "weights:/");
}

static void test_numbered_layers(void **state) {
    static const int32_t count[] = {2};
    ks_context context;
    ks_model *model;
    maker m;
    (void)state;
    two_dense(&m);
    assert_int_equal(ks_hdf5_writer_attribute(m.writer, "", "nb_layers", &(ks_tensor){KS_INT32, {0, {0}}, count, 4}),
                     KS_OK);
    finish(&m);
    assert_int_equal(load(&model, &context, KS_ROAD_STRICT), KS_E_MODEL_FORMAT);
    assert_int_equal(context.memory.n_live, 0);
}

// --- layouts ---------------------------------------------------------------------------------------------------------

#define LSTM RECORD("LSTM", "\"name\": \"l\", \"units\": 2")
#define GRU(more) RECORD("GRU", "\"name\": \"l\", \"units\": 2" more)

// Keras 1: kernel, recurrent kernel and bias of i, c, f, o; Keras 2: i, f, c, o side by side.
static void test_gates_of_keras1(void **state) {
    static const char *const list[] = {"W_i", "U_i", "b_i", "W_c", "U_c", "b_c",
                                       "W_f", "U_f", "b_f", "W_o", "U_o", "b_o"};
    static const float bias[] = {20, 21, 80, 81, 50, 51, 110, 111};
    static const float kernel[] = {0,  1,  60, 61, 30, 31, 90, 91, 2,  3,  62, 63,
                                   32, 33, 92, 93, 4,  5,  64, 65, 34, 35, 94, 95};
    ks_context context;
    ks_model *model;
    maker m;
    (void)state;
    sequential(INPUT("[null, 4, 3]") ", " LSTM);
    make(&m);
    NAMES(&m, "", "layer_names", "lstm_1");
    names(&m, "lstm_1", "weight_names", list, 12);
    for (int i = 0; i < 12; i++) {
        char path[32];
        snprintf(path, sizeof(path), "lstm_1/%s", list[i]);
        numbers(&m, path, i % 3 == 2 ? SHAPE(2) : i % 3 ? SHAPE(2, 2) : SHAPE(3, 2), (float)(10 * i));
    }
    finish(&m);
    expect_variable(0, kernel, 24);
    expect_variable(2, bias, 8);
    // The file's own list has the twelve.
    assert_int_equal(load(&model, &context, KS_ROAD_STRICT), KS_OK);
    assert_int_equal(ks_model_weight_count(model), 12);
    assert_string_equal(ks_model_weight_at(model, 6).path, "lstm_1/W_f");
    assert_float_equal(((const float *)ks_model_weight_at(model, 6).tensor.data)[5], 65, 0);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

static void recurrent_file(maker *m, const char *version, int64_t width, ks_shape bias) {
    make(m);
    text(m, "", "keras_version", version);
    NAMES(m, "", "layer_names", "l");
    NAMES(m, "l", "weight_names", "kernel", "recurrent", "bias");
    numbers(m, "l/kernel", SHAPE(3, width), 0);
    numbers(m, "l/recurrent", SHAPE(2, width), 100);
    numbers(m, "l/bias", bias, 200);
    finish(m);
}

// numpy: hstack([k.T.reshape(k.shape, order="F") for k in hsplit(kernel, gates)]), k.T for the recurrent one.
static void test_cudnn_lstm(void **state) {
    static const float kernel[] = {0, 9,  2, 11, 4, 13, 6,  15, 1,  16, 3,  18,
                                   5, 20, 7, 22, 8, 17, 10, 19, 12, 21, 14, 23};
    static const float recurrent[] = {100, 108, 102, 110, 104, 112, 106, 114, 101, 109, 103, 111, 105, 113, 107, 115};
    static const float bias[] = {408, 410, 412, 414, 416, 418, 420, 422};
    maker m;
    (void)state;
    sequential(INPUT("[null, 4, 3]") ", " LSTM);
    recurrent_file(&m, "2.2.4", 8, SHAPE(16));
    expect_variable(0, kernel, 24);
    expect_variable(1, recurrent, 16);
    expect_variable(2, bias, 8);
    recurrent_file(&m, "3.15.1", 8, SHAPE(16)); // Keras 3 converts nothing
    expect_failure(KS_E_WEIGHTS_SHAPE, "weights:/l/bias");
}

static void test_cudnn_gru(void **state) {
    static const float kernel[] = {0, 7, 2, 9, 4, 11, 1, 12, 3, 14, 5, 16, 6, 13, 8, 15, 10, 17};
    static const float bias[] = {200, 201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211};
    maker m;
    (void)state;
    sequential(INPUT("[null, 4, 3]") ", " GRU(", \"reset_after\": true"));
    recurrent_file(&m, "2.2.4", 6, SHAPE(12));
    expect_variable(0, kernel, 18);
    expect_variable(2, bias, 12);
    sequential(INPUT("[null, 4, 3]") ", " GRU(", \"reset_after\": false"));
    expect_failure(KS_E_WEIGHTS_SHAPE, "weights:/l/bias");
}

#define CONV2D(more)                                                                                                   \
    RECORD("Conv2D", "\"name\": \"c\", \"filters\": 2, \"kernel_size\": [1, 3], \"use_bias\": false" more)

static void conv_file(maker *m, const char *version, const char *backend, ks_shape kernel) {
    make(m);
    if (version)
        text(m, "", "keras_version", version);
    if (backend)
        text(m, "", "backend", backend);
    NAMES(m, "", "layer_names", "c");
    NAMES(m, "c", "weight_names", "k");
    numbers(m, "c/k", kernel, 0);
    finish(m);
}

static void test_kernels_of_theano(void **state) {
    static const float turned[] = {4, 5, 2, 3, 0, 1}, straight[] = {0, 1, 2, 3, 4, 5};
    maker m;
    (void)state;
    sequential(INPUT("[null, 4, 5, 1]") ", " CONV2D(""));
    conv_file(&m, "2.1.2", "theano", SHAPE(1, 3, 1, 2));
    expect_variable(0, turned, 6);
    conv_file(&m, "2.1.2", "tensorflow", SHAPE(1, 3, 1, 2));
    expect_variable(0, straight, 6);
}

static void test_kernels_of_keras1(void **state) {
    static const float moved[] = {0, 3, 1, 4, 2, 5}, straight[] = {0, 1, 2, 3, 4, 5};
    maker m;
    (void)state;
    sequential(INPUT("[null, 1, 4, 5]") ", " CONV2D(", \"data_format\": \"channels_first\""));
    conv_file(&m, NULL, NULL, SHAPE(2, 1, 1, 3)); // filters, channels, rows, columns
    expect_variable(0, moved, 6);
    sequential(INPUT("[null, 5, 1]") ", " RECORD(
        "Conv1D", "\"name\": \"c\", \"filters\": 2, \"kernel_size\": [3], \"use_bias\": false"));
    conv_file(&m, NULL, NULL, SHAPE(3, 1, 1, 2));
    expect_variable(0, straight, 6);
    conv_file(&m, NULL, NULL, SHAPE(2, 1, 3, 1)); // of Keras 1.1
    expect_variable(0, moved, 6);
    sequential(INPUT("[null, 4, 5, 1]") ", " RECORD(
        "Conv2DTranspose", "\"name\": \"c\", \"filters\": 2, \"kernel_size\": [1, 3], \"use_bias\": false"));
    conv_file(&m, NULL, NULL, SHAPE(1, 3, 1, 2)); // rows, columns, channels, filters
    expect_variable(0, straight, 6);
}

// Only a kernel of another shape is transposed, and only by Keras 2.
static void test_kernel_in_other_order(void **state) {
    static const float moved[] = {0, 3, 1, 4, 2, 5};
    maker m;
    (void)state;
    sequential(INPUT("[null, 4, 5, 1]") ", " CONV2D(""));
    conv_file(&m, "2.2.4", "tensorflow", SHAPE(3, 1, 1, 2));
    expect_failure(KS_E_WEIGHTS_SHAPE, "weights:/c/k");
    conv_file(&m, "2.2.4", "tensorflow", SHAPE(1, 3, 2, 1)); // transposed by (3, 2, 0, 1): [1, 2, 1, 3]
    expect_failure(KS_E_WEIGHTS_SHAPE, "weights:/c/k");
    conv_file(&m, "2.2.4", "tensorflow", SHAPE(1, 2, 3, 1));
    expect_variable(0, moved, 6);
    conv_file(&m, "3.15.1", "tensorflow", SHAPE(1, 2, 3, 1));
    expect_failure(KS_E_WEIGHTS_SHAPE, "weights:/c/k");
}

// --- loads into a model ----------------------------------------------------------------------------------------------

#define KERAS2                                                                                                         \
    "{\"class_name\": \"Sequential\", \"keras_version\": \"2.15.0\", \"backend\": \"tensorflow\", \"config\": "        \
    "{\"name\": \"s\", \"layers\": [{\"class_name\": \"InputLayer\", \"config\": {\"batch_input_shape\": [null, 2], "  \
    "\"dtype\": \"float32\", \"sparse\": false, \"ragged\": false, \"name\": \"i\"}}, {\"class_name\": \"Dense\", "    \
    "\"config\": {\"name\": \"one\", \"units\": 3}}, {\"class_name\": \"Dense\", \"config\": {\"name\": \"two\", "     \
    "\"units\": 1}}]}}"

static ks_model *initial_model(ks_context *context) {
    static const float values[9] = {-1, -2, -3, -4, -5, -6, -7, -8, -9};
    ks_tensor weights[] = {{KS_FLOAT32, {2, {2, 3}}, values, 24},
                           {KS_FLOAT32, {1, {3}}, values + 6, 12},
                           {KS_FLOAT32, {2, {3, 1}}, values, 12},
                           {KS_FLOAT32, {1, {1}}, values, 4}};
    ks_model *model;
    ks_context_init(context, NULL);
    assert_int_equal(ks_model_load(&model, context, config_path, NULL), KS_OK);
    assert_int_equal(ks_model_set_weights(model, weights, 4), KS_OK);
    return model;
}

static float first_of(const ks_model *model, size_t index) {
    return *(const float *)ks_model_weight_at(model, index).tensor.data;
}

static void test_by_name(void **state) {
    ks_load_options options = {.by_name = true};
    ks_context context;
    ks_model *model;
    ks_text report;
    maker m;
    (void)state;
    two_dense(&m);
    NAMES(&m, "", "layer_names", "two", "other");
    dense_group(&m, "two", SHAPE(3, 1), SHAPE(1), 50);
    dense_group(&m, "other", SHAPE(2, 2), SHAPE(2), 70);
    finish(&m);
    model = initial_model(&context);
    assert_int_equal(ks_model_load_weights(&report, model, weights_path, &options), KS_OK);
    assert_float_equal(first_of(model, 0), -1, 0);
    assert_float_equal(first_of(model, 2), 50, 0);
    assert_float_equal(first_of(model, 3), 60, 0);
    assert_non_null(strstr(report.data, "\"left\": [\n  {\n   \"layer\": \"one\",\n   \"variable\": \"kernel\""));
    assert_non_null(
        strstr(report.data, "\"source\": \"other\",\n   \"reason\": \"the model has no layer of this name\""));
    ks_free(&context, (void *)(uintptr_t)report.data);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_skip_mismatch(void **state) {
    ks_load_options options = {.by_name = true};
    ks_context context;
    ks_model *model;
    maker m;
    (void)state;
    two_dense(&m);
    NAMES(&m, "", "layer_names", "one", "two");
    dense_group(&m, "one", SHAPE(2, 3), SHAPE(3), 0);
    dense_group(&m, "two", SHAPE(3, 2), SHAPE(1), 50); // another kernel, but its bias fits
    finish(&m);
    model = initial_model(&context);
    assert_int_equal(ks_model_load_weights(NULL, model, weights_path, &options), KS_E_WEIGHTS_SHAPE);
    assert_float_equal(first_of(model, 0), -1, 0); // nothing was done
    ks_context_clear(&context);
    options.skip_mismatch = true;
    assert_int_equal(ks_model_load_weights(NULL, model, weights_path, &options), KS_OK);
    assert_float_equal(first_of(model, 0), 0, 0);
    assert_float_equal(first_of(model, 2), -1, 0);
    assert_float_equal(first_of(model, 3), 60, 0);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

// By name a layer that the file lists without weights is one with another number of them.
static void test_counts_by_name(void **state) {
    ks_load_options options = {.by_name = true};
    ks_context context;
    ks_model *model;
    ks_text report;
    maker m;
    (void)state;
    two_dense(&m);
    NAMES(&m, "", "layer_names", "one", "two");
    no_names(&m, "one");
    dense_group(&m, "two", SHAPE(3, 1), SHAPE(1), 50);
    finish(&m);
    model = initial_model(&context);
    assert_int_equal(ks_model_load_weights(NULL, model, weights_path, &options), KS_E_WEIGHTS_COUNT);
    assert_float_equal(first_of(model, 2), -1, 0);
    ks_context_clear(&context);
    options.skip_mismatch = true;
    assert_int_equal(ks_model_load_weights(&report, model, weights_path, &options), KS_OK);
    assert_float_equal(first_of(model, 0), -1, 0);
    assert_float_equal(first_of(model, 2), 50, 0);
    assert_non_null(strstr(report.data, "\"source\": \"one\",\n   \"reason\": \"another number of weights\""));
    ks_free(&context, (void *)(uintptr_t)report.data);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

// Keras 2 has no skip_mismatch for loads in order; Keras 3 has, for shapes alone.
static void test_skip_mismatch_in_order(void **state) {
    ks_load_options options = {.skip_mismatch = true};
    ks_context context;
    ks_model *model;
    maker m;
    (void)state;
    two_dense(&m);
    NAMES(&m, "", "layer_names", "a", "b");
    dense_group(&m, "a", SHAPE(2, 3), SHAPE(3), 0);
    dense_group(&m, "b", SHAPE(3, 2), SHAPE(1), 50);
    finish(&m);
    model = initial_model(&context);
    assert_int_equal(ks_model_load_weights(NULL, model, weights_path, &options), KS_OK);
    assert_float_equal(first_of(model, 0), 0, 0);
    assert_float_equal(first_of(model, 2), -1, 0);
    assert_float_equal(first_of(model, 3), 60, 0);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
    write_file(config_path, KERAS2, sizeof(KERAS2) - 1);
    model = initial_model(&context);
    assert_int_equal(ks_model_load_weights(NULL, model, weights_path, &options), KS_E_WEIGHTS_OPTION);
    assert_float_equal(first_of(model, 0), -1, 0);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_set_weights_that_do_not_fit(void **state) {
    static const float values[8];
    ks_tensor weights[4] = {{KS_FLOAT32, {2, {2, 3}}, values, 24},
                            {KS_FLOAT32, {1, {3}}, values, 12},
                            {KS_FLOAT32, {2, {1, 3}}, values, 12},
                            {KS_FLOAT32, {1, {1}}, values, 4}};
    ks_context context;
    ks_model *model;
    maker m;
    (void)state;
    two_dense(&m);
    ks_hdf5_writer_close(m.writer);
    model = initial_model(&context);
    assert_int_equal(ks_model_set_weights(model, weights, 3), KS_E_MODEL_WEIGHTS);
    ks_context_clear(&context);
    assert_int_equal(ks_model_set_weights(model, weights, 4), KS_E_MODEL_WEIGHTS);
    assert_string_equal(context.error.place, "weight.2");
    assert_float_equal(first_of(model, 0), -1, 0);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

#define KERAS1                                                                                                         \
    "{\"class_name\": \"Sequential\", \"keras_version\": \"1.2.2\", \"config\": [{\"class_name\": "                    \
    "\"Convolution2D\", \"config\": {\"name\": \"c\", \"batch_input_shape\": [null, 1, 4, 5], \"nb_filter\": 2, "      \
    "\"nb_row\": 1, \"nb_col\": 3, \"dim_ordering\": \"th\", \"bias\": false}}]}"

// A model of Keras 1 shows and takes its kernels in the layout of Keras 1: filters, channels, rows, columns.
static void test_layout_of_keras1(void **state) {
    static const float values[] = {5, 4, 3, 2, 1, 0};
    ks_tensor given = {KS_FLOAT32, {4, {2, 1, 1, 3}}, values, 24};
    ks_context context;
    ks_model *model;
    ks_tensor shown;
    maker m;
    (void)state;
    write_file(config_path, KERAS1, strlen(KERAS1));
    conv_file(&m, NULL, NULL, SHAPE(2, 1, 1, 3));
    ks_context_init(&context, NULL);
    assert_int_equal(ks_model_load(&model, &context, config_path, NULL), KS_OK);
    shown = ks_model_weight_at(model, 0).tensor;
    assert_true(ks_shape_equal(&shown.shape, &given.shape));
    assert_int_equal(ks_model_load_weights(NULL, model, weights_path, NULL), KS_OK);
    shown = ks_model_weight_at(model, 0).tensor;
    assert_true(ks_shape_equal(&shown.shape, &given.shape));
    for (int i = 0; i < 6; i++)
        assert_float_equal(((const float *)shown.data)[i], (float)i, 0);
    assert_int_equal(ks_model_set_weights(model, &given, 1), KS_OK);
    shown = ks_model_weight_at(model, 0).tensor;
    for (int i = 0; i < 6; i++)
        assert_float_equal(((const float *)shown.data)[i], values[i], 0);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

// --- failing allocations ---------------------------------------------------------------------------------------------

static void test_every_failing_allocation_of_a_load(void **state) {
    uint64_t failures = 0;
    maker m;
    (void)state;
    sequential(INPUT("[null, 4, 3]") ", " LSTM);
    recurrent_file(&m, "2.2.4", 8, SHAPE(16));
    for (uint64_t k = 1;; k++, failures++) {
        ks_model_options options = {.architecture = config_path};
        ks_context context;
        ks_model *model = NULL;
        ks_code code;
        ks_context_init(&context, NULL);
        context.memory.fail_at = k;
        code = ks_model_load(&model, &context, weights_path, &options);
        if (code == KS_OK) {
            ks_model_free(model);
            assert_int_equal(context.memory.n_live, 0);
            break;
        }
        assert_int_equal(code, KS_E_NO_MEMORY);
        assert_int_equal(context.memory.n_live, 0);
    }
    assert_true(failures > 10);
}

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(weights_path, sizeof(weights_path), "%s/w.h5", folder);
    snprintf(config_path, sizeof(config_path), "%s/c.json", folder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(weights_path);
    unlink(config_path);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_in_pieces),
        cmocka_unit_test(test_list_of_the_file),
        cmocka_unit_test(test_layer_count),
        cmocka_unit_test(test_weight_count),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_missing_objects),
        cmocka_unit_test(test_names_that_are_none),
        cmocka_unit_test(test_numbered_layers),
        cmocka_unit_test(test_gates_of_keras1),
        cmocka_unit_test(test_cudnn_lstm),
        cmocka_unit_test(test_cudnn_gru),
        cmocka_unit_test(test_kernels_of_theano),
        cmocka_unit_test(test_kernels_of_keras1),
        cmocka_unit_test(test_kernel_in_other_order),
        cmocka_unit_test(test_by_name),
        cmocka_unit_test(test_skip_mismatch),
        cmocka_unit_test(test_counts_by_name),
        cmocka_unit_test(test_skip_mismatch_in_order),
        cmocka_unit_test(test_set_weights_that_do_not_fit),
        cmocka_unit_test(test_layout_of_keras1),
        cmocka_unit_test(test_every_failing_allocation_of_a_load),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
