// SPDX-License-Identifier: Apache-2.0
//
// Saving: equal bytes, aligned tensors, files that appear whole or not at all, shards, losses by name, every failing
// allocation.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kassay/archive.h>
#include <kassay/hdf5.h>
#include <kassay/json.h>
#include <kassay/save.h>
#include <kassay/writer.h>

#define GOLDEN KASSAY_SOURCE_DIR "/golden/keras-v3/keras-3.15.1/"
#define NESTED GOLDEN "structure/nested-functional/model.keras"
#define LSTM GOLDEN "recurrent/bidirectional-masked/model.keras"

static char folder[64];
static char path_buffer[8][300];

/// A path in the test's own folder; the last eight live.
static const char *at(const char *name) {
    static unsigned next;
    char *path = path_buffer[next++ % 8];
    snprintf(path, sizeof path_buffer[0], "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/kassay-save-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state) {
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static size_t count_entries(const char *path) {
    DIR *directory = opendir(path);
    size_t count = 0;
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static ks_model *load_with(ks_context *context, const char *path, const char *architecture) {
    ks_model_options options = {.architecture = architecture};
    ks_model *model = NULL;
    ks_context_init(context, NULL);
    if (ks_model_load(&model, context, path, &options) != KS_OK)
        fail_msg("%s: %s", path, context->error.message);
    return model;
}

static ks_model *load(ks_context *context, const char *path) {
    return load_with(context, path, NULL);
}

static ks_model *parse(ks_context *context, const char *json) {
    ks_model *model = NULL;
    ks_context_init(context, NULL);
    if (ks_model_load_bytes(&model, context, (ks_bytes){(const uint8_t *)json, strlen(json)}, "config.json", NULL) !=
        KS_OK)
        fail_msg("%s: %s", context->error.place, context->error.message);
    return model;
}

static ks_bytes save_bytes(ks_model *model, ks_context *context, const char *format) {
    ks_save_options options = {.format = format};
    ks_bytes bytes;
    if (ks_model_save_bytes(&bytes, model, &options, NULL) != KS_OK)
        fail_msg("%s: %s", format, context->error.message);
    return bytes;
}

static void drop(ks_context *context, ks_bytes bytes) {
    ks_free(context, (void *)(uintptr_t)bytes.data);
}

static void same_weights(const ks_model *a, const ks_model *b) {
    assert_int_equal(ks_model_weight_count(a), ks_model_weight_count(b));
    for (size_t i = 0; i < ks_model_weight_count(a); i++) {
        ks_tensor first = ks_model_weight_at(a, i).tensor;
        ks_tensor second = ks_model_weight_at(b, i).tensor;
        assert_int_equal(first.size, second.size);
        assert_memory_equal(first.data, second.data, first.size);
    }
}

// --- what is written -------------------------------------------------------------------------------------------------

static void test_format_of_name(void **state) {
    (void)state;
    assert_string_equal(ks_format_of_name("a/b.keras"), "keras-v3");
    assert_string_equal(ks_format_of_name("b.weights.h5"), "weights-v3");
    assert_string_equal(ks_format_of_name("b.weights.json"), "weights-v3-sharded");
    assert_string_equal(ks_format_of_name("b.h5"), "h5-legacy");
    assert_string_equal(ks_format_of_name("b.hdf5"), "h5-legacy");
    assert_string_equal(ks_format_of_name("b.json"), "json-v3");
    assert_string_equal(ks_format_of_name("some.folder"), "keras-v3-dir");
}

/// Two loads of one file, each saved: the same bytes; and a save changes nothing in the model.
static void test_equal_bytes(void **state) {
    static const char *const formats[] = {"keras-v3",          "weights-v3", "h5-legacy",
                                          "h5-weights-legacy", "json-v3",    "json-legacy"};
    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        ks_context contexts[2];
        ks_model *models[2] = {load(&contexts[0], NESTED), load(&contexts[1], NESTED)};
        ks_bytes first = save_bytes(models[0], &contexts[0], formats[i]);
        ks_bytes again = save_bytes(models[0], &contexts[0], formats[i]);
        ks_bytes other = save_bytes(models[1], &contexts[1], formats[i]);
        assert_int_equal(first.size, again.size);
        assert_memory_equal(first.data, again.data, first.size);
        assert_int_equal(first.size, other.size);
        assert_memory_equal(first.data, other.data, first.size);
        same_weights(models[0], models[1]);
        drop(&contexts[0], first);
        drop(&contexts[0], again);
        drop(&contexts[1], other);
        for (size_t k = 0; k < 2; k++) {
            ks_model_free(models[k]);
            assert_int_equal(contexts[k].memory.n_live, 0);
        }
    }
}

static void check_alignment(ks_hdf5 *file, ks_hdf5_node group, const uint8_t *start, size_t *count) {
    const ks_hdf5_link *links;
    size_t n_links;
    assert_int_equal(ks_hdf5_links(&links, &n_links, file, group), KS_OK);
    for (size_t i = 0; i < n_links; i++) {
        ks_hdf5_object_type type;
        ks_hdf5_node node;
        ks_bytes view;
        bool found;
        char name[200];
        snprintf(name, sizeof name, "%.*s", (int)links[i].name.size, links[i].name.data);
        assert_int_equal(ks_hdf5_find(&node, &found, file, group, name), KS_OK);
        assert_int_equal(ks_hdf5_object(&type, file, node), KS_OK);
        if (type == KS_HDF5_GROUP) {
            check_alignment(file, node, start, count);
            continue;
        }
        assert_int_equal(ks_hdf5_view(&view, file, node), KS_OK);
        if (view.size >= 64) {
            assert_int_equal((view.data - start) % 64, 0);
            ++*count;
        }
    }
}

/// Tensors of 64 bytes and more begin at multiples of 64, of the whole file.
static void test_alignment(void **state) {
    ks_context context;
    ks_archive *archive = NULL;
    ks_hdf5 *file = NULL;
    ks_bytes weights;
    size_t count = 0;
    (void)state;
    ks_model *model = load(&context, LSTM);
    ks_bytes bytes = save_bytes(model, &context, "keras-v3");
    assert_int_equal(ks_archive_open_zip(&archive, &context, bytes, KS_ROAD_STRICT), KS_OK);
    assert_int_equal(ks_archive_read(&weights, archive, ks_archive_find(archive, "model.weights.h5"), true), KS_OK);
    assert_int_equal(ks_hdf5_open(&file, &context, weights, KS_ROAD_STRICT), KS_OK);
    check_alignment(file, ks_hdf5_root(file), bytes.data, &count);
    assert_true(count >= 6);
    ks_hdf5_close(file);
    ks_archive_close(archive);
    drop(&context, bytes);
    ks_model_free(model);
}

/// Names that do not fit into one attribute stand in several.
static void test_long_lists_of_names(void **state) {
    static char json[1 << 20];
    ks_context context;
    ks_hdf5 *file = NULL;
    ks_hdf5_type type;
    bool found;
    size_t size = 0;
    (void)state;
    size += (size_t)snprintf(json, sizeof json,
                             "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": "
                             "{\"name\": \"s\", \"layers\": [");
    for (int i = 0; i < 1200; i++)
        size += (size_t)snprintf(json + size, sizeof json - size,
                                 "%s{\"module\": \"keras.layers\", \"class_name\": \"Flatten\", \"config\": {\"name\": "
                                 "\"a_name_that_is_long_enough_to_fill_attributes_soon_%06d\"}}",
                                 i ? ", "
                                   : "{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"config\": "
                                     "{\"batch_shape\": [null, 4], \"name\": \"i\"}}, ",
                                 i);
    snprintf(json + size, sizeof json - size, "]}}");
    ks_model *model = parse(&context, json);
    ks_bytes bytes = save_bytes(model, &context, "h5-weights-legacy");
    assert_int_equal(ks_hdf5_open(&file, &context, bytes, KS_ROAD_STRICT), KS_OK);
    assert_int_equal(ks_hdf5_attribute(&type, &found, file, ks_hdf5_root(file), "layer_names"), KS_OK);
    assert_false(found);
    assert_int_equal(ks_hdf5_attribute(&type, &found, file, ks_hdf5_root(file), "layer_names1"), KS_OK);
    assert_true(found);
    assert_int_equal(type.shape.dims[0], 600);
    assert_int_equal(ks_hdf5_attribute(&type, &found, file, ks_hdf5_root(file), "layer_names2"), KS_OK);
    assert_false(found);
    ks_hdf5_close(file);
    drop(&context, bytes);
    ks_model_free(model);
}

// --- whole or not at all ---------------------------------------------------------------------------------------------

static void put_text(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect_text(const char *path, const char *text) {
    char found[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(found, sizeof found, file));
    fclose(file);
    assert_string_equal(found, text);
}

/// Runs a save that may write no more than `bytes` into a file.
static ks_code save_limited(ks_model *model, const char *path, const char *format, rlim_t bytes) {
    struct rlimit old;
    struct rlimit small;
    ks_save_options options = {.format = format, .shard_bytes = 400};
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &small);
    ks_code code = ks_model_save(model, path, &options, NULL);
    setrlimit(RLIMIT_FSIZE, &old);
    return code;
}

/// The disk is full after `limit` bytes, for many limits: the old file stays, and nothing is left beside it.
static void test_full_disk(void **state) {
    static const char *const formats[] = {"keras-v3", "weights-v3", "h5-legacy", "json-v3"};
    ks_context context;
    (void)state;
    ks_model *model = load(&context, LSTM);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        size_t failures = 0;
        put_text(at("kept"), "old");
        for (rlim_t limit = 0;; limit += 509) {
            ks_context_clear(&context);
            ks_code code = save_limited(model, at("kept"), formats[i], limit);
            if (code == KS_OK)
                break;
            failures++;
            assert_int_equal(code, KS_E_IO);
            expect_text(at("kept"), "old");
            assert_int_equal(count_entries(folder), 1);
        }
        assert_true(failures >= 5);
        assert_int_equal(unlink(at("kept")), 0);
    }
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_full_disk_for_several_files(void **state) {
    ks_context context;
    (void)state;
    ks_model *model = load(&context, LSTM);
    assert_int_equal(mkdir(at("several"), 0700), 0);
    put_text(at("several/x.weights.json"), "old");
    assert_int_equal(save_limited(model, at("several/x.weights.json"), NULL, 1500), KS_E_IO);
    expect_text(at("several/x.weights.json"), "old");
    assert_int_equal(count_entries(at("several")), 1);
    ks_context_clear(&context);
    assert_int_equal(save_limited(model, at("several/folder"), "keras-v3-dir", 5000), KS_E_IO);
    assert_int_equal(count_entries(at("several")), 1);
    ks_model_free(model);
}

static void test_no_such_folder(void **state) {
    ks_context context;
    (void)state;
    ks_model *model = load(&context, NESTED);
    assert_int_equal(ks_model_save(model, at("missing/x.keras"), NULL, NULL), KS_E_IO);
    ks_context_clear(&context);
    assert_int_equal(ks_model_save(model, at("missing/x"), NULL, NULL), KS_E_IO);
    ks_context_clear(&context);
    ks_save_options options = {.format = "savedmodel"};
    assert_int_equal(ks_model_save(model, at("x"), &options, NULL), KS_E_SAVE_FORMAT);
    ks_model_free(model);
}

static void test_folder_is_replaced(void **state) {
    ks_context context;
    ks_context other;
    (void)state;
    ks_model *model = load(&context, NESTED);
    ks_model *second = load(&other, LSTM);
    assert_int_equal(ks_model_save(model, at("folder"), NULL, NULL), KS_OK);
    assert_int_equal(count_entries(at("folder")), 3);
    assert_int_equal(ks_model_save(second, at("folder/"), NULL, NULL), KS_OK);
    assert_int_equal(count_entries(at("folder")), 3);
    ks_context third;
    ks_model *back = load(&third, at("folder"));
    same_weights(second, back);
    put_text(at("folder/notes.txt"), "mine");
    assert_int_equal(ks_model_save(model, at("folder"), NULL, NULL), KS_E_SAVE_PLACE);
    expect_text(at("folder/notes.txt"), "mine");
    ks_context_clear(&context);
    put_text(at("plain"), "mine");
    ks_save_options options = {.format = "keras-v3-dir"};
    assert_int_equal(ks_model_save(model, at("plain"), &options, NULL), KS_E_SAVE_PLACE);
    expect_text(at("plain"), "mine");
    ks_model_free(model);
    ks_model_free(second);
    ks_model_free(back);
}

// --- shards ----------------------------------------------------------------------------------------------------------

static void test_shards(void **state) {
    ks_context context;
    ks_context second;
    (void)state;
    ks_model *model = load(&context, LSTM);
    ks_save_options options = {.shard_bytes = 400};
    assert_int_equal(mkdir(at("shards"), 0700), 0);
    assert_int_equal(ks_model_save(model, at("shards/x.weights.json"), &options, NULL), KS_OK);
    assert_true(count_entries(at("shards")) >= 3);
    ks_model *back = load_with(&second, at("shards/x.weights.json"), LSTM);
    same_weights(model, back);
    options.shard_bytes = 40;
    assert_int_equal(ks_model_save(model, at("shards/y.weights.json"), &options, NULL), KS_E_SAVE_SHARD);
    ks_context_clear(&context);
    options = (ks_save_options){.format = "weights-v3-sharded"};
    assert_int_equal(ks_model_save(model, at("shards/y.json"), &options, NULL), KS_E_SAVE_FORMAT);
    ks_model_free(back);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

// --- what cannot be said ---------------------------------------------------------------------------------------------

#define SEQUENTIAL(layer)                                                                                              \
    "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": [{\"module\": " \
    "\"keras.layers\", \"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 5, 4], \"name\": "         \
    "\"i\"}}, {\"module\": \"keras.layers\", " layer "}]}}"

#define CONV_LSTM(config)                                                                                              \
    "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": [{\"module\": " \
    "\"keras.layers\", \"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 5, 4, 3], \"name\": "      \
    "\"i\"}}, {\"module\": \"keras.layers\", \"class_name\": \"ConvLSTM1D\", \"config\": {" config "}}]}}"

static void expect_refusal(const char *json, const char *format, ks_code expected, const char *word) {
    ks_context context;
    ks_save_options options = {.format = format};
    ks_losses losses;
    ks_bytes bytes = {NULL, 0};
    ks_model *model = parse(&context, json);
    assert_int_equal(ks_model_save_bytes(&bytes, model, &options, NULL), expected);
    assert_non_null(strstr(context.error.message, word));
    ks_context_clear(&context);
    ks_losses_init(&losses, &context, true);
    if (expected == KS_E_SAVE_LOSS) {
        assert_int_equal(ks_model_save_bytes(&bytes, model, &options, &losses), KS_OK);
        assert_int_equal(losses.count, 1);
        assert_non_null(strstr(losses.first->text, word));
    } else { // there is nothing to leave out
        assert_int_equal(ks_model_save_bytes(&bytes, model, &options, &losses), expected);
    }
    drop(&context, bytes);
    ks_losses_fini(&losses);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

// Kernels are turned when they are read; where Theano's padding begins cannot be written.
static void test_padding_of_theano(void **state) {
    static const char *const names[] = {"convolution-1d-theano", "convolution-2d-even-theano", "max-2d-same-theano"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        ks_model_options options = {.backend = KS_BACKEND_THEANO};
        ks_context context;
        ks_model *model;
        ks_bytes bytes = {0};
        char path[512];
        ks_context_init(&context, NULL);
        snprintf(path, sizeof(path), KASSAY_SOURCE_DIR "/golden/h5-legacy/keras-1.2.2/convolution/%s/model.h5",
                 names[i]);
        assert_int_equal(ks_model_load(&model, &context, path, &options), KS_OK);
        assert_int_equal(ks_model_save_bytes(&bytes, model, &(ks_save_options){.format = "keras-v3"}, NULL),
                         i ? KS_E_SAVE_NO_WORD : KS_OK);
        drop(&context, bytes);
        ks_model_free(model);
        assert_int_equal(context.memory.n_live, 0);
    }
}

static void expect_same_outputs(ks_model *model, ks_model *again) {
    float numbers[2][12];
    ks_tensor inputs[2];
    ks_prediction *first = NULL, *second = NULL;
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 12; k++)
            numbers[i][k] = (float)((i * 12 + k) * 7 % 11) / 5 - 1;
        inputs[i] = (ks_tensor){KS_FLOAT32, {2, {2, 6}}, numbers[i], sizeof numbers[i]};
    }
    assert_int_equal(ks_model_predict(&first, model, inputs, 2, KS_FLOAT32), KS_OK);
    assert_int_equal(ks_model_predict(&second, again, inputs, 2, KS_FLOAT32), KS_OK);
    assert_int_equal(ks_prediction_at(first, 0).size, ks_prediction_at(second, 0).size);
    assert_memory_equal(ks_prediction_at(first, 0).data, ks_prediction_at(second, 0).data,
                        ks_prediction_at(first, 0).size);
    ks_prediction_free(first);
    ks_prediction_free(second);
}

// Keras 1 lists the layers of the branches in their order, later versions by their depth.
static void test_order_of_branches(void **state) {
    static const char *const formats[] = {"keras-v3", "h5-legacy"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        ks_context context, second;
        ks_model *model =
            load(&context, KASSAY_SOURCE_DIR "/golden/h5-legacy/keras-1.2.2/merging/merge-layer-uneven/model.h5");
        ks_model *again = NULL;
        ks_bytes bytes = save_bytes(model, &context, formats[i]);
        ks_context_init(&second, NULL);
        assert_int_equal(ks_model_load_bytes(&again, &second, bytes, "model", NULL), KS_OK);
        expect_same_outputs(model, again);
        ks_model_free(again);
        drop(&context, bytes);
        ks_model_free(model);
    }
}

static void test_losses(void **state) {
    (void)state;
    expect_refusal(SEQUENTIAL("\"class_name\": \"LSTM\", \"config\": {\"name\": \"l\", \"units\": 2, \"seed\": 3}"),
                   "json-legacy", KS_E_SAVE_LOSS, "seed");
    expect_refusal(CONV_LSTM("\"name\": \"l\", \"filters\": 2, \"kernel_size\": 1, \"seed\": 3"), "json-legacy",
                   KS_E_SAVE_LOSS, "seed");
    expect_refusal(SEQUENTIAL("\"class_name\": \"Dense\", \"config\": {\"name\": \"d\", \"units\": 2, \"activation\": "
                              "\"hard_sigmoid\"}"),
                   "json-legacy", KS_E_SAVE_NO_WORD, "hard_sigmoid");
    expect_refusal(SEQUENTIAL("\"class_name\": \"RMSNormalization\", \"config\": {\"name\": \"r\"}"), "json-legacy",
                   KS_E_SAVE_NO_WORD, "RMSNormalization");
    // Keras 2 has these layers, but not all of their keys: it would refuse the config.
    expect_refusal(
        SEQUENTIAL("\"class_name\": \"Resizing\", \"config\": {\"name\": \"r\", \"height\": 2, \"width\": 1, "
                   "\"data_format\": \"channels_first\"}"),
        "json-legacy", KS_E_SAVE_NO_WORD, "data_format");
    expect_refusal(
        SEQUENTIAL("\"class_name\": \"CenterCrop\", \"config\": {\"name\": \"c\", \"height\": 2, \"width\": 1, "
                   "\"data_format\": \"channels_first\"}"),
        "json-legacy", KS_E_SAVE_NO_WORD, "data_format");
    expect_refusal(SEQUENTIAL("\"class_name\": \"LayerNormalization\", \"config\": {\"name\": \"n\", \"rms_scaling\": "
                              "true}"),
                   "json-legacy", KS_E_SAVE_NO_WORD, "rms_scaling");
    // Keras 2 takes no layer of several tensors into a Sequential model.
    expect_refusal(SEQUENTIAL("\"class_name\": \"GRU\", \"config\": {\"name\": \"g\", \"units\": 2, \"return_state\": "
                              "true}"),
                   "json-legacy", KS_E_SAVE_NO_WORD, "each layer of a Sequential model gives one tensor");
    // Without weights there is nothing for a format that needs them.
    expect_refusal(SEQUENTIAL("\"class_name\": \"Dense\", \"config\": {\"name\": \"d\", \"units\": 2}"), "keras-v3",
                   KS_E_SAVE_NO_WEIGHTS, "kernel");
}

/// compile_config and the optimizer's variables go from Keras 3 to Keras 3 as they are (to Keras 2:
/// test_save_training.c).
static void test_training_state(void **state) {
    ks_context context;
    ks_archive *archive = NULL;
    ks_hdf5 *file = NULL;
    ks_hdf5_node node;
    ks_bytes bytes;
    bool found;
    (void)state;
    ks_model *model = load(&context, GOLDEN "structure/trained-adam/model.keras");
    ks_bytes keras = save_bytes(model, &context, "keras-v3");
    assert_int_equal(ks_archive_open_zip(&archive, &context, keras, KS_ROAD_STRICT), KS_OK);
    assert_int_equal(ks_archive_read(&bytes, archive, ks_archive_find(archive, "config.json"), true), KS_OK);
    assert_non_null(memmem(bytes.data, bytes.size, "\"class_name\": \"Adam\"", 20));
    assert_int_equal(ks_archive_read(&bytes, archive, ks_archive_find(archive, "model.weights.h5"), true), KS_OK);
    assert_int_equal(ks_hdf5_open(&file, &context, bytes, KS_ROAD_STRICT), KS_OK);
    assert_int_equal(ks_hdf5_find(&node, &found, file, ks_hdf5_root(file), "optimizer/vars/9"), KS_OK);
    assert_true(found);
    ks_hdf5_close(file);
    ks_archive_close(archive);
    drop(&context, keras);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

/// hard_sigmoid of Keras 2 is 0.2x + 0.5; Keras 3 would compute x/6 + 0.5 under its name.
static void test_old_functions(void **state) {
    (void)state;
    expect_refusal("{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": [{\"class_name\": "
                   "\"Dense\", \"config\": {\"name\": \"d\", \"units\": 2, \"activation\": \"hard_sigmoid\", "
                   "\"batch_input_shape\": [null, 4]}}]}, \"keras_version\": \"2.3.1\", \"backend\": \"tensorflow\"}",
                   "json-v3", KS_E_SAVE_NO_WORD, "hard_sigmoid");
}

/// A mask that ends at a layer in one version and goes on in another; only where something looks at it does it matter.
static void test_masks_that_end(void **state) {
    static const struct {
        const char *version, *layer, *last, *format;
        bool refused;
    } rows[] = {
        {"2.2.4-tf", "ReLU", "GRU", "json-legacy", true},    {"2.4.0", "ReLU", "GRU", "json-v3", true},
        {"2.4.0", "ReLU", "Dense", "json-v3", false},        {"2.5.0", "ReLU", "GRU", "json-v3", false},
        {"2.3.1", "ReLU", "GRU", "json-legacy", false},      {"2.15.0", "Identity", "GRU", "json-v3", true},
        {"2.15.0", "Identity", "GRU", "json-legacy", false}, {"3.15.1", "Identity", "GRU", "json-legacy", true},
        {"3.15.1", "Identity", "GRU", "json-v3", false},
    };
    char json[2048];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *shape = rows[i].version[0] == '3' ? "batch_shape" : "batch_input_shape";
        snprintf(json, sizeof json,
                 "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": [{\"class_name\": "
                 "\"InputLayer\", \"config\": {\"name\": \"i\", \"%s\": [null, 3, 2], \"dtype\": \"float32\"}}, "
                 "{\"class_name\": \"Masking\", \"config\": {\"name\": \"m\"}}, {\"class_name\": \"%s\", "
                 "\"config\": {\"name\": \"e\"}}, {\"class_name\": \"%s\", \"config\": {\"name\": \"l\", \"units\": 2, "
                 "\"activation\": \"tanh\"%s}}]}, \"keras_version\": \"%s\", \"backend\": \"tensorflow\"}",
                 shape, rows[i].layer, rows[i].last,
                 strcmp(rows[i].last, "GRU") == 0 ? ", \"recurrent_activation\": \"sigmoid\"" : "", rows[i].version);
        if (rows[i].refused) {
            expect_refusal(json, rows[i].format, KS_E_SAVE_NO_WORD, "a mask that ends before it");
        } else {
            ks_context context;
            ks_model *model = parse(&context, json);
            drop(&context, save_bytes(model, &context, rows[i].format));
            ks_model_free(model);
        }
    }
}

/// Which row an index outside the axis means has changed with Keras 3.3.
static void test_rows_outside_an_axis(void **state) {
    static const char *const formats[] = {"keras-v3", "json-v3", "h5-legacy"};
    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        ks_context context;
        ks_save_options options = {.format = formats[i]};
        ks_bytes bytes;
        ks_model *model =
            load(&context, KASSAY_SOURCE_DIR "/golden/keras-v3/keras-3.0.5/structure/take-from-the-end/model.keras");
        assert_int_equal(ks_model_save_bytes(&bytes, model, &options, NULL), KS_E_SAVE_NO_WORD);
        assert_non_null(strstr(context.error.message, "to the nearest row"));
        ks_model_free(model);
        model = load(&context, GOLDEN "structure/take-from-the-end/model.keras");
        drop(&context, save_bytes(model, &context, formats[i]));
        ks_model_free(model);
    }
}

/// TensorFlow divides integers in float64.
static void test_whole_division(void **state) {
    (void)state;
    expect_refusal(
        "{\"class_name\": \"Functional\", \"config\": {\"name\": \"f\", \"layers\": [{\"class_name\": "
        "\"InputLayer\", \"config\": {\"name\": \"a\", \"batch_input_shape\": [null, 4], \"dtype\": "
        "\"int32\"}, \"name\": \"a\", \"inbound_nodes\": []}, {\"class_name\": \"TFOpLambda\", \"config\": "
        "{\"name\": \"t\", \"function\": \"math.truediv\"}, \"name\": \"t\", \"inbound_nodes\": [[\"a\", 0, 0, "
        "{\"y\": 7}]]}], \"input_layers\": [[\"a\", 0, 0]], \"output_layers\": [[\"t\", 0, 0]]}, "
        "\"keras_version\": \"2.9.0\"}",
        "json-v3", KS_E_SAVE_NO_WORD, "division of integers");
}

/// An operation of Keras 3 takes an array, not a list, as an operand.
static void test_constants(void **state) {
    ks_context context;
    ks_model *model = load(&context, KASSAY_SOURCE_DIR "/golden/h5-legacy/tf-2.15.1/operations/constants/model.h5");
    ks_bytes bytes = save_bytes(model, &context, "json-v3");
    static const char array[] =
        "{\"class_name\": \"__numpy__\", \"config\": {\"value\": [1.5, -2.0, 0.25], \"dtype\": \"float32\"}}";
    (void)state;
    assert_non_null(memmem(bytes.data, bytes.size, array, sizeof array - 1));
    drop(&context, bytes);
    ks_model_free(model);
}

// --- operations of Keras 3 in the words of TensorFlow ---------------------------------------------------------------

#define V3_INPUT(dtype)                                                                                                \
    "{\"module\":\"keras.layers\",\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,4,3],"               \
    "\"dtype\":\"" dtype "\",\"name\":\"a\"},\"registered_name\":null,\"name\":\"a\",\"inbound_nodes\":[]}"
#define V3_TENSOR(dtype)                                                                                               \
    "{\"class_name\":\"__keras_tensor__\",\"config\":{\"shape\":[null,4,3],\"dtype\":\"" dtype                         \
    "\",\"keras_history\":[\"a\",0,0]}}"

typedef struct word_row {
    const char *module, *class_name, *config; ///< config: what stands before "name"
    const char *dtype;                        ///< of the input
    const char *more;                         ///< arguments after the first
    const char *function;                     ///< of TensorFlow; NULL: there is none
    const char *kwargs;                       ///< of the call, or a part of the refusal
} word_row;

static const word_row word_rows[] = {
    {"numpy", "Split", "\"indices_or_sections\":[1,3],\"axis\":1,", "float32", "", "split",
     "{\"num_or_size_splits\": [1, 2, 1], \"axis\": 1}"},
    {"numpy", "Split", "\"indices_or_sections\":3,\"axis\":-1,", "float32", "", "split",
     "{\"num_or_size_splits\": 3, \"axis\": -1}"},
    {"numpy", "Split", "\"indices_or_sections\":[1],\"axis\":0,", "float32", "", NULL,
     "Split of a tensor of this shape"},
    {"numpy", "Take", "\"axis\":2,", "float32", ",[0,2,-1]", "compat.v1.gather",
     "{\"indices\": [0, 2, 2], \"axis\": 2}"},
    {"numpy", "Take", "\"axis\":2,", "float32", ",[0,3]", NULL, "only constant indices inside the axis"},
    {"numpy", "Take", "\"axis\":1,", "int32", "," V3_TENSOR("int32"), NULL, "only constant indices inside the axis"},
    {"numpy", "Pad", "\"pad_width\":[[0,0],[1,2],[0,1]],\"mode\":\"constant\",", "float32", "", "compat.v1.pad",
     "{\"paddings\": [[0, 0], [1, 2], [0, 1]], \"mode\": \"CONSTANT\"}"},
    {"numpy", "Pad", "\"pad_width\":[1,2],\"mode\":\"constant\",", "float32", ",1.5", "compat.v1.pad",
     "{\"constant_values\": 1.5, \"paddings\": [[1, 2], [1, 2], [1, 2]], \"mode\": \"CONSTANT\"}"},
    {"numpy", "Pad", "\"pad_width\":[1,2],\"mode\":\"constant\",", "int32", ",1.5", NULL, "Pad of these types"},
    {"numpy", "Flip", "\"axis\":null,", "float32", "", "reverse", "{\"axis\": [0, 1, 2]}"},
    {"numpy", "Flip", "\"axis\":1,", "int32", "", "reverse", "{\"axis\": [1]}"},
    {"nn", "OneHot", "\"num_classes\":5,\"axis\":1,\"dtype\":null,\"sparse\":false,", "int32", "", "one_hot",
     "{\"depth\": 5, \"axis\": 1, \"dtype\": \"float32\"}"},
    {"nn", "OneHot", "\"num_classes\":5,\"axis\":1,\"dtype\":null,\"sparse\":false,", "float32", "", NULL,
     "takes no numbers of this type"},
    {"numpy", "Argmax", "\"axis\":-1,\"keepdims\":false,", "float32", "", "math.argmax",
     "{\"axis\": -1, \"output_type\": \"int32\"}"},
    {"numpy", "Argmin", "\"axis\":1,\"keepdims\":false,", "int32", "", "math.argmin",
     "{\"axis\": 1, \"output_type\": \"int32\"}"},
    {"numpy", "Argmin", "\"axis\":null,\"keepdims\":false,", "float32", "", NULL, "Argmin without \"axis\""},
    {"numpy", "Argmax", "\"axis\":1,\"keepdims\":true,", "float32", "", NULL, "no \"keepdims\" of this value"},
    {"numpy", "Cumsum", "\"axis\":1,\"dtype\":null,", "int32", "", "math.cumsum", "{\"axis\": 1}"},
    {"nn", "Elu", "\"alpha\":1.0,", "float32", "", "nn.elu", "{}"},
    {"nn", "Elu", "\"alpha\":0.5,", "float32", "", NULL, "Elu of TensorFlow has no \"alpha\""},
    {"nn", "LeakyRelu", "\"negative_slope\":0.25,", "float32", "", "nn.leaky_relu", "{\"alpha\": 0.25}"},
    {"nn", "Gelu", "\"approximate\":true,", "float32", "", "nn.gelu", "{\"approximate\": true}"},
    {"nn", "Normalize", "\"axis\":1,\"order\":2,\"epsilon\":0.25,", "float32", "", "math.l2_normalize",
     "{\"axis\": 1, \"epsilon\": 0.0625}"},
    {"linalg", "Norm", "\"ord\":2,\"axis\":[1],\"keepdims\":true,", "float32", "", "compat.v1.norm",
     "{\"ord\": \"euclidean\", \"axis\": 1, \"keepdims\": true}"},
    {"numpy", "Std", "\"axis\":[1],\"keepdims\":false,", "float32", "", "math.reduce_std",
     "{\"axis\": [1], \"keepdims\": false}"},
    {"numpy", "Var", "\"axis\":[2],\"keepdims\":true,", "float32", "", "math.reduce_variance",
     "{\"axis\": [2], \"keepdims\": true}"},
    {"numpy", "Repeat", "\"repeats\":2,\"axis\":1,", "float32", "", "repeat", "{\"repeats\": 2, \"axis\": 1}"},
    {"numpy", "Ravel", "", "float32", "", "reshape", "{\"shape\": [-1]}"},
    {"numpy", "Swapaxes", "\"axis1\":1,\"axis2\":-1,", "float32", "", "transpose", "{\"perm\": [0, 2, 1]}"},
    {"numpy", "Moveaxis", "\"source\":[0],\"destination\":[2],", "float32", "", "transpose", "{\"perm\": [1, 2, 0]}"},
    {"numpy", "Copy", "", "int32", "", "identity", "{}"},
    {"numpy", "Multiply", "", "float32",
     ",{\"class_name\":\"__numpy__\",\"config\":{\"value\":[1.5,2.0,2.5],\"dtype\":\"float64\"}}", NULL,
     "Multiply of these types"},
    {"numpy", "Multiply", "", "int32",
     ",{\"class_name\":\"__numpy__\",\"config\":{\"value\":[1.5,2.0,2.5],\"dtype\":\"float32\"}}", NULL,
     "Multiply of these types"},
    {"numpy", "Negative", "", "bool", "", NULL, "Negative of these types"},
};

/// What is written is read again: another document of the same text.
static void check_words(const char *json, const word_row *row) {
    ks_context context, second;
    ks_model *model = parse(&context, json), *again = NULL;
    ks_bytes bytes = save_bytes(model, &context, "json-legacy"), bytes_again;
    char function[64], call[256];
    snprintf(function, sizeof function, "\"function\": \"%s\"", row->function);
    snprintf(call, sizeof call, "[\"a\", 0, 0, %s]", row->kwargs);
    if (!memmem(bytes.data, bytes.size, function, strlen(function)) ||
        !memmem(bytes.data, bytes.size, call, strlen(call)))
        fail_msg("%s: %.*s", row->class_name, (int)bytes.size, (const char *)bytes.data);
    ks_context_init(&second, NULL);
    if (ks_model_load_bytes(&again, &second, bytes, "config.json", NULL) != KS_OK)
        fail_msg("%s: %s", row->class_name, second.error.message);
    bytes_again = save_bytes(again, &second, "json-legacy");
    if (bytes.size != bytes_again.size || memcmp(bytes.data, bytes_again.data, bytes.size) != 0)
        fail_msg("%s: %.*s\n%.*s", row->class_name, (int)bytes.size, (const char *)bytes.data, (int)bytes_again.size,
                 (const char *)bytes_again.data);
    drop(&second, bytes_again);
    drop(&context, bytes);
    ks_model_free(again);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live + second.memory.n_live, 0);
}

static void test_words_of_operations(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof word_rows / sizeof word_rows[0]; i++) {
        const word_row *row = &word_rows[i];
        const char *input = strcmp(row->dtype, "int32") == 0  ? V3_INPUT("int32")
                            : strcmp(row->dtype, "bool") == 0 ? V3_INPUT("bool")
                                                              : V3_INPUT("float32");
        const char *tensor = strcmp(row->dtype, "int32") == 0  ? V3_TENSOR("int32")
                             : strcmp(row->dtype, "bool") == 0 ? V3_TENSOR("bool")
                                                               : V3_TENSOR("float32");
        char json[2048];
        snprintf(json, sizeof json,
                 "{\"module\":\"keras.src.models.functional\",\"class_name\":\"Functional\",\"config\":{\"name\":\"f\","
                 "\"trainable\":true,\"layers\":[%s,{\"module\":\"keras.src.ops.%s\",\"class_name\":\"%s\",\"config\":{"
                 "%s\"name\":\"o\"},\"registered_name\":\"%s\",\"name\":\"o\",\"inbound_nodes\":[{\"args\":[%s%s],"
                 "\"kwargs\":{}}]}],\"input_layers\":[[\"a\",0,0]],\"output_layers\":[[\"o\",0,0]]},"
                 "\"registered_name\":\"Functional\"}",
                 input, row->module, row->class_name, row->config, row->class_name, tensor, row->more);
        if (row->function)
            check_words(json, row);
        else
            expect_refusal(json, "json-legacy", KS_E_SAVE_NO_WORD, row->kwargs);
    }
}

// --- constants and tensors ------------------------------------------------------------------------------------------

#define ARRAY(dtype, list) "{\"class_name\":\"__numpy__\",\"config\":{\"value\":" list ",\"dtype\":\"" dtype "\"}}"

typedef struct operand_row {
    const char *class_name;
    const char *args;
    const char *written; ///< the node in the form of Keras 2; NULL: refused
} operand_row;

#define V3_CHOICE(more) V3_TENSOR("bool") "," more
#define V3_INPUT_B                                                                                                     \
    "{\"module\":\"keras.layers\",\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,4,3],"               \
    "\"dtype\":\"float32\",\"name\":\"b\"},\"registered_name\":null,\"name\":\"b\",\"inbound_nodes\":[]}"
#define OF_FLOATS V3_TENSOR("float32")
#define MORE_FLOATS                                                                                                    \
    "{\"class_name\":\"__keras_tensor__\",\"config\":{\"shape\":[null,4,3],\"dtype\":\"float32\",\"keras_history\":"   \
    "[\"b\",0,0]}}"

// TensorFlow gives an int the type of a tensor before it, not of one behind it, and a bool never; tf_keras 2.21 was
// asked for each.
static const operand_row operand_rows[] = {
    {"TrueDivide", "2," OF_FLOATS, "[\"_CONSTANT_VALUE\", -1, 2.0, {\"y\": [\"a\", 0, 0]}]"},
    {"Subtract", ARRAY("int64", "[2,3,4]") "," OF_FLOATS,
     "[\"_CONSTANT_VALUE\", -1, [2.0, 3.0, 4.0], {\"y\": [\"a\", 0, 0]}]"},
    {"Subtract", OF_FLOATS ",2", "[\"a\", 0, 0, {\"y\": 2}]"},
    {"Subtract", OF_FLOATS ",true", "[\"a\", 0, 0, {\"y\": 1.0}]"},
    {"Multiply", OF_FLOATS "," ARRAY("bool", "[true,false,true]"), "[\"a\", 0, 0, {\"y\": [1.0, 0.0, 1.0]}]"},
    {"Subtract", "2," V3_TENSOR("int32"), "[\"_CONSTANT_VALUE\", -1, 2, {\"y\": [\"a\", 0, 0]}]"},
    {"Subtract", "true," V3_TENSOR("int32"), NULL},
    {"Subtract", ARRAY("int64", "[2,3,4]") "," V3_TENSOR("int32"), NULL},
    {"Subtract", ARRAY("int32", "[2,3,4]") "," V3_TENSOR("int32"),
     "[\"_CONSTANT_VALUE\", -1, [2, 3, 4], {\"y\": [\"a\", 0, 0]}]"},
    {"Equal", V3_TENSOR("bool") ",1", NULL},
    {"Equal", V3_TENSOR("bool") ",true", "[\"a\", 0, 0, {\"y\": true}]"},
    {"LogicalAnd", OF_FLOATS "," OF_FLOATS, NULL},
    {"Where", V3_CHOICE("1," MORE_FLOATS), "[\"a\", 0, 0, {\"x\": 1.0, \"y\": [\"b\", 0, 0]}]"},
    {"Where", V3_CHOICE(MORE_FLOATS ",1"), "[\"a\", 0, 0, {\"x\": [\"b\", 0, 0], \"y\": 1}]"},
    {"Where", V3_CHOICE("1,0.5"), "[\"a\", 0, 0, {\"x\": 1.0, \"y\": 0.5}]"},
    {"Where", V3_CHOICE("1,0"), "[\"a\", 0, 0, {\"x\": 1, \"y\": 0}]"},
    {"Where", V3_CHOICE("1,true"), NULL},
    {"Where", V3_CHOICE("1," ARRAY("int64", "[2,3,4]")), NULL},
    {"Where", OF_FLOATS "," OF_FLOATS ",1", NULL},
};

/// Input "a" is of the type that its tensor says, "b" of floats.
static void test_operands(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof operand_rows / sizeof operand_rows[0]; i++) {
        const operand_row *row = &operand_rows[i];
        const char *input = strstr(row->args, "\"bool\",\"keras_history")    ? V3_INPUT("bool")
                            : strstr(row->args, "\"int32\",\"keras_history") ? V3_INPUT("int32")
                                                                             : V3_INPUT("float32");
        char json[3072];
        snprintf(
            json, sizeof json,
            "{\"module\":\"keras.src.models.functional\",\"class_name\":\"Functional\",\"config\":{\"name\":\"f\","
            "\"trainable\":true,\"layers\":[%s," V3_INPUT_B
            ",{\"module\":\"keras.src.ops.numpy\",\"class_name\":\"%s\","
            "\"config\":{\"name\":\"o\"},\"registered_name\":\"%s\",\"name\":\"o\",\"inbound_nodes\":[{\"args\":[%s],"
            "\"kwargs\":{}}]}],\"input_layers\":[[\"a\",0,0],[\"b\",0,0]],\"output_layers\":[[\"o\",0,0]]},"
            "\"registered_name\":\"Functional\"}",
            input, row->class_name, row->class_name, row->args);
        if (row->written) {
            ks_context context;
            ks_model *model = parse(&context, json);
            ks_bytes bytes = save_bytes(model, &context, "json-legacy");
            if (!memmem(bytes.data, bytes.size, row->written, strlen(row->written)))
                fail_msg("%s: %.*s", row->args, (int)bytes.size, (const char *)bytes.data);
            drop(&context, bytes);
            ks_model_free(model);
        } else {
            expect_refusal(json, "json-legacy", KS_E_SAVE_NO_WORD, "of these types is not the same in TensorFlow");
        }
    }
}

// --- names ----------------------------------------------------------------------------------------------------------

#define NAMED(model, layer, cell)                                                                                      \
    "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"" model "\", \"layers\": ["      \
    "{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 5, 4], "      \
    "\"name\": \"an input\"}}, {\"module\": \"keras.layers\", \"class_name\": \"RNN\", \"config\": {\"name\": "        \
    "\"" layer                                                                                                         \
    "\", \"cell\": {\"module\": \"keras.layers\", \"class_name\": \"GRUCell\", \"config\": {\"name\": \"" cell         \
    "\", \"units\": 2}}}}]}}"

static void expect_name(const char *json, ks_save_target target, bool good) {
    ks_context context;
    ks_save_options options = {.format = "json-legacy", .target = target};
    ks_bytes bytes = {NULL, 0};
    ks_model *model = parse(&context, json);
    ks_code code = ks_model_save_bytes(&bytes, model, &options, NULL);
    if (code != (good ? KS_OK : KS_E_SAVE_NO_WORD) || (!good && !strstr(context.error.message, "name of a scope")))
        fail_msg("%s: %s", json, context.error.message);
    ks_context_clear(&context);
    drop(&context, bytes);
    ks_model_free(model);
}

#define KERAS_2_3(first, second)                                                                                       \
    "{\"class_name\": \"Sequential\", \"keras_version\": \"2.3.1\", \"backend\": \"tensorflow\", \"config\": "         \
    "{\"name\": \"s\", \"layers\": [{\"class_name\": \"" first                                                         \
    "\", \"config\": {\"name\": \"a\", \"batch_input_shape\": [null, 3, 2]}}, {\"class_name\": \"" second "}]}}"
#define SEQUENCE(wrapped)                                                                                              \
    "Bidirectional\", \"config\": {\"name\": \"b\", \"merge_mode\": \"concat\", \"layer\": {\"class_name\": "          \
    "\"SimpleRNN\", \"config\": {\"name\": \"r\", \"units\": 2, \"return_sequences\": " wrapped "}}}"

#define MERGED(class_name, first, second)                                                                              \
    "{\"class_name\": \"Functional\", \"config\": {\"name\": \"f\", \"layers\": [" INPUT ", "                          \
    "{\"class_name\": \"Masking\", \"config\": {\"name\": \"m\"}, \"name\": \"m\", \"inbound_nodes\": [[[\"a\", 0, "   \
    "0, {}]]]}"                                                                                                        \
    ", {\"class_name\": \"" class_name                                                                                 \
    "\", \"config\": {\"name\": \"s\"}, \"name\": \"s\", \"inbound_nodes\": [[[\"" first "\", 0, 0, {}], [\"" second   \
    "\", 0, 0, {}]]]}, {\"class_name\": \"GRU\", \"config\": {\"name\": \"g\", \"units\": 2, "                         \
    "\"recurrent_activation\": \"sigmoid\"}, \"name\": \"g\", \"inbound_nodes\": [[[\"s\", 0, 0, {}]]]}], "            \
    "\"input_layers\": [[\"a\", 0, 0]], \"output_layers\": [[\"g\", 0, 0]]}, \"keras_version\": \"2.9.0\"}"
#define JOINED(first, second) MERGED("Add", first, second)
#define INPUT                                                                                                          \
    "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"a\", \"batch_input_shape\": [null, 3, 2]}, \"name\": "  \
    "\"a\", \"inbound_nodes\": []}"

/// Keras 2 keeps what all masks keep that are joined, Keras 3 what one of them keeps.
static void test_joined_masks(void **state) {
    (void)state;
    expect_refusal(JOINED("a", "m"), "json-v3", KS_E_SAVE_NO_WORD, "joined of others");
    expect_name(JOINED("a", "m"), KS_FOR_TF_KERAS, true);
    ks_context context;
    ks_model *model = parse(&context, JOINED("m", "m"));
    drop(&context, save_bytes(model, &context, "json-v3"));
    ks_model_free(model);
}

/// Keras 3 leaves out of these what is masked.
static void test_masked_products(void **state) {
    static const char *const masked[] = {MERGED("Multiply", "m", "m"), MERGED("Multiply", "m", "a"),
                                         MERGED("Maximum", "m", "m"), MERGED("Minimum", "m", "m")};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        expect_refusal(masked[i], "json-v3", KS_E_SAVE_NO_WORD, "leaves out what is masked");
        expect_name(masked[i], KS_FOR_TF_KERAS, true);
    }
    ks_context context;
    ks_model *model = parse(&context, MERGED("Multiply", "a", "a"));
    drop(&context, save_bytes(model, &context, "json-v3"));
    ks_model_free(model);
}

#define WRAPPED                                                                                                        \
    "TimeDistributed\", \"config\": {\"name\": \"t\", \"layer\": {\"class_name\": \"Softmax\", \"config\": "           \
    "{\"name\": "                                                                                                      \
    "\"x\"}}}"
#define ENDED                                                                                                          \
    "GlobalAveragePooling1D\", \"config\": {\"name\": \"p\"}}, {\"class_name\": \"Softmax\", \"config\": {\"name\": "  \
    "\"x\"}"

// What it computes where a step is masked has changed since; without masks it is the same.
static void test_masks_of_old(void **state) {
    static const char *const masked[] = {KERAS_2_3("Masking", SEQUENCE("true")),
                                         KERAS_2_3("Masking", "Softmax\", \"config\": {\"name\": \"x\"}"),
                                         KERAS_2_3("Masking", WRAPPED)};
    static const char *const plain[] = {KERAS_2_3("Masking", SEQUENCE("false")), KERAS_2_3("ReLU", SEQUENCE("true")),
                                        KERAS_2_3("ReLU", "Softmax\", \"config\": {\"name\": \"x\"}"),
                                        KERAS_2_3("Masking", ENDED)};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        expect_refusal(masked[i], "json-legacy", KS_E_SAVE_NO_WORD, "where steps are masked");
        expect_refusal(masked[i], "json-v3", KS_E_SAVE_NO_WORD, "where steps are masked");
        expect_name(masked[i], KS_FOR_KERAS_2_3, true);
    }
    for (size_t i = 0; i < 4; i++)
        expect_name(plain[i], KS_FOR_TF_KERAS, true);
}

/// What becomes a scope of TensorFlow must be able to be one.
static void test_names_of_scopes(void **state) {
    static const struct {
        const char *json;
        bool tf_keras, keras_2_3;
    } rows[] = {
        {NAMED("s", "l", "c"), true, true},          {NAMED("s", "a b", "c"), false, false},
        {NAMED("s", "\xC3\xA4", "c"), false, false}, {NAMED("s", "a:0", "c"), false, false},
        {NAMED("s", "_l", "c"), false, false},       {NAMED("s", "-l", "c"), false, false},
        {NAMED("s", ".l_-9", "c"), true, true},      {NAMED("s", "9>l", "c"), true, false},
        {NAMED("s", "a\\\\l", "c"), true, false},    {NAMED("a s", "l", "c"), false, true},
        {NAMED("s", "l", "a c"), false, true},       {NAMED("s", "l", "_c"), true, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_name(rows[i].json, KS_FOR_TF_KERAS, rows[i].tf_keras);
        expect_name(rows[i].json, KS_FOR_KERAS_2_3, rows[i].keras_2_3);
    }
}

/// tf_keras takes "/" in the name of a layer, and makes groups in groups of it.
static void test_groups_of_scopes(void **state) {
    static const char json[] =
        "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": [{\"class_name\": \"InputLayer\", "
        "\"config\": {\"batch_input_shape\": [null, 4], \"dtype\": \"float32\", \"sparse\": false, \"ragged\": false, "
        "\"name\": \"i\"}}, {\"class_name\": \"Dense\", \"config\": {\"name\": \"b/d\", \"units\": 2}}, "
        "{\"class_name\": "
        "\"Dense\", \"config\": {\"name\": \"b\", \"units\": 2}}, {\"class_name\": \"Dense\", \"config\": {\"name\": "
        "\"b/e/f\", \"units\": 3}}]}, \"keras_version\": \"2.9.0\", \"backend\": \"tensorflow\"}";
    static const char *const paths[] = {"model_weights/b/d/b/d/kernel:0", "model_weights/b/b/bias:0",
                                        "model_weights/b/e/f/b/e/f/bias:0"};
    ks_context context, second;
    ks_hdf5 *file = NULL;
    ks_hdf5_node node;
    ks_model *again = NULL, *model;
    ks_bytes bytes;
    bool found;
    (void)state;
    model = parse(&context, json);
    assert_int_equal(ks_model_initialize(model, 5), KS_OK);
    bytes = save_bytes(model, &context, "h5-legacy");
    assert_int_equal(ks_hdf5_open(&file, &context, bytes, KS_ROAD_STRICT), KS_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ks_hdf5_find(&node, &found, file, ks_hdf5_root(file), paths[i]), KS_OK);
        assert_true(found);
    }
    ks_hdf5_close(file);
    ks_context_init(&second, NULL);
    assert_int_equal(ks_model_load_bytes(&again, &second, bytes, "model.h5", NULL), KS_OK);
    same_weights(model, again);
    ks_model_free(again);
    drop(&context, bytes);
    ks_model_free(model);
}

// --- failing allocations ---------------------------------------------------------------------------------------------

// Keras saves and loads a model that was never built; it has no variables, and cannot run here.
static void test_never_built(void **state) {
    static const char json[] =
        "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":["
        "{\"module\":\"keras.layers\",\"class_name\":\"Dense\",\"config\":{\"name\":\"d\","
        "\"units\":3},\"registered_name\":null}]},\"registered_name\":null}";
    float numbers[4] = {1, 2, 3, 4};
    ks_tensor input = {KS_FLOAT32, {2, {1, 4}}, numbers, sizeof numbers};
    ks_context context, second;
    ks_prediction *prediction = NULL;
    ks_model *model = parse(&context, json), *again = NULL;
    ks_bytes bytes = save_bytes(model, &context, "keras-v3");
    (void)state;
    ks_context_init(&second, NULL);
    assert_int_equal(ks_model_load_bytes(&again, &second, bytes, "model.keras", NULL), KS_OK);
    assert_int_equal(ks_model_weight_count(again), 0);
    assert_int_equal(ks_model_predict(&prediction, again, &input, 1, KS_FLOAT32), KS_E_MODEL_RUN);
    assert_null(prediction);
    ks_model_free(again);
    ks_model_free(model);
    drop(&context, bytes);
    assert_int_equal(context.memory.n_live + second.memory.n_live, 0);
}

static void test_every_failing_allocation(void **state) {
    static const char *const formats[] = {"keras-v3", "h5-legacy", "json-legacy"};
    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        ks_context context;
        ks_save_options options = {.format = formats[i]};
        uint64_t failures = 0;
        ks_model *model = load(&context, LSTM);
        uint64_t live = context.memory.n_live;
        for (uint64_t k = 1;; k++) {
            ks_bytes bytes = {NULL, 0};
            ks_context_clear(&context);
            context.memory.fail_at = context.memory.n_allocations + k;
            ks_code code = ks_model_save_bytes(&bytes, model, &options, NULL);
            context.memory.fail_at = 0;
            drop(&context, bytes);
            assert_int_equal(context.memory.n_live, live);
            if (code == KS_OK)
                break;
            failures++;
            assert_int_equal(code, KS_E_NO_MEMORY);
            assert_null(bytes.data);
        }
        assert_true(failures > 5);
        ks_model_free(model);
        assert_int_equal(context.memory.n_live, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format_of_name),
        cmocka_unit_test(test_equal_bytes),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_long_lists_of_names),
        cmocka_unit_test_setup_teardown(test_full_disk, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_full_disk_for_several_files, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_no_such_folder, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_folder_is_replaced, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_shards, make_folder, drop_folder),
        cmocka_unit_test(test_padding_of_theano),
        cmocka_unit_test(test_order_of_branches),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_training_state),
        cmocka_unit_test(test_old_functions),
        cmocka_unit_test(test_masks_that_end),
        cmocka_unit_test(test_rows_outside_an_axis),
        cmocka_unit_test(test_whole_division),
        cmocka_unit_test(test_never_built),
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_masks_of_old),
        cmocka_unit_test(test_joined_masks),
        cmocka_unit_test(test_masked_products),
        cmocka_unit_test(test_words_of_operations),
        cmocka_unit_test(test_operands),
        cmocka_unit_test(test_names_of_scopes),
        cmocka_unit_test(test_groups_of_scopes),
        cmocka_unit_test(test_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
