// SPDX-License-Identifier: Apache-2.0
//
// The words of Keras 2.3 (config/downgrade_early*.c). What Keras 2.3.1 wrote itself comes out as it was, but for keys
// that say nothing; what is newer is said otherwise, left out where it says what Keras 2.3 does anyway, or refused by
// name.
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
#include <kassay/source.h>

#include "model/training.h"

#define GOLDEN KASSAY_SOURCE_DIR "/golden/"

static void drop(ks_context *context, ks_bytes bytes) {
    ks_free(context, (void *)(uintptr_t)bytes.data);
}

/// The model as json-legacy for Keras 2.3.
static ks_code written(ks_bytes *out, ks_model *model, ks_losses *losses) {
    ks_save_options options = {.format = "json-legacy", .target = KS_FOR_KERAS_2_3};
    return ks_model_save_bytes(out, model, &options, losses);
}

// --- what Keras 2.3.1 wrote -----------------------------------------------------------------------------------------

/// How a layer computes is not what; the shape of a layer that is not the first one of a Sequential model is not asked.
static bool says_nothing(const ks_member *member) {
    return member->value.type == KS_VALUE_NULL || ks_text_is(member->key, "implementation") ||
           ks_text_is(member->key, "batch_input_shape");
}

static bool same_words(const ks_value *theirs, const ks_value *ours, char *place, size_t room) {
    size_t size = strlen(place);
    bool list = theirs->type == KS_VALUE_LIST;
    if (theirs->type != ours->type || (theirs->type != KS_VALUE_DICT && !list))
        return ks_value_equal(theirs, ours);
    for (size_t i = 0; list && i < theirs->as.list.count; i++) {
        snprintf(place + size, room - size, "/%zu", i);
        if (i >= ours->as.list.count || !same_words(&theirs->as.list.items[i], &ours->as.list.items[i], place, room))
            return false;
    }
    for (size_t i = 0; !list && i < theirs->as.dict.count; i++) {
        const ks_member *member = &theirs->as.dict.members[i];
        const ks_value *value = ks_value_get(ours, member->key.data);
        snprintf(place + size, room - size, "/%s", member->key.data);
        if (value ? !same_words(&member->value, value, place, room) : !says_nothing(member))
            return false;
    }
    for (size_t i = 0; !list && i < ours->as.dict.count; i++) {
        snprintf(place + size, room - size, "/%s", ours->as.dict.members[i].key.data);
        if (!ks_value_get(theirs, ours->as.dict.members[i].key.data))
            return false;
    }
    place[size] = 0;
    return !list || theirs->as.list.count == ours->as.list.count;
}

static ks_json *parse_file(ks_context *context, ks_source **source, const char *path) {
    ks_json *json = NULL;
    assert_int_equal(ks_source_open(source, context, path), KS_OK);
    assert_int_equal(ks_json_parse(&json, context, ks_source_bytes(*source), KS_ROAD_STRICT), KS_OK);
    return json;
}

static void expect_own_words(const char *artifact) {
    char path[1024], place[4096] = "";
    ks_context context, other;
    ks_model *model = NULL;
    ks_source *source;
    ks_bytes bytes;
    ks_json *json = NULL, *theirs;
    const ks_value *config;
    ks_context_init(&context, NULL);
    ks_context_init(&other, NULL);
    assert_int_equal(ks_model_load(&model, &context, artifact, NULL), KS_OK);
    if (written(&bytes, model, NULL) != KS_OK)
        fail_msg("%s: %s: %s", artifact, context.error.place, context.error.message);
    assert_int_equal(ks_json_parse(&json, &other, bytes, KS_ROAD_STRICT), KS_OK);
    assert_true(ks_value_is_text(ks_value_get(ks_json_root(json), "keras_version"), "2.3.1"));
    snprintf(path, sizeof path, "%.*s/structure.json", (int)(strrchr(artifact, '/') - artifact), artifact);
    theirs = parse_file(&other, &source, path);
    config = ks_value_get(ks_json_root(theirs), "object");
    assert_non_null(config);
    assert_true(ks_value_equal(ks_value_get(config, "class_name"), ks_value_get(ks_json_root(json), "class_name")));
    if (!same_words(ks_value_get(config, "config"), ks_value_get(ks_json_root(json), "config"), place, sizeof place))
        fail_msg("%s: %s", artifact, place);
    ks_json_free(theirs);
    ks_json_free(json);
    ks_source_close(source);
    drop(&context, bytes);
    ks_model_free(model);
}

static void test_own_words(void **state) {
    (void)state;
    glob_t found;
    assert_int_equal(glob(GOLDEN "h5-legacy/keras-2.3.1/*/*/model.h5", 0, NULL, &found), 0);
    assert_true(found.gl_pathc > 50);
    for (size_t i = 0; i < found.gl_pathc; i++)
        expect_own_words(found.gl_pathv[i]);
    globfree(&found);
}

// --- what is newer --------------------------------------------------------------------------------------------------

#define SHAPE "[null, 4, 4, 2]"
#define INPUT(shape)                                                                                                   \
    "{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": " shape              \
    ", \"dtype\": \"float32\", \"name\": \"x\"}, \"registered_name\": null}"
#define LAYER(name, config)                                                                                            \
    "{\"module\": \"keras.layers\", \"class_name\": \"" name "\", \"config\": {\"name\": \"y\", \"dtype\": "           \
    "\"float32\"" config "}, \"registered_name\": null}"
#define MODEL(layers)                                                                                                  \
    "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"m\", \"layers\": [" layers       \
    "]}, \"registered_name\": null}"
#define IMAGES(layer) MODEL(INPUT(SHAPE) ", " layer)
#define MASK                                                                                                           \
    "{\"module\": \"keras.layers\", \"class_name\": \"Masking\", \"config\": {\"name\": \"k\"}, \"registered_name\": " \
    "null}"
#define SEQUENCE(layers) MODEL(INPUT("[null, 4, 3]") ", " layers)
#define LSTM(more)                                                                                                     \
    "{\"module\": \"keras.layers\", \"class_name\": \"LSTM\", \"config\": {\"units\": 2, \"name\": \"z\"" more         \
    "}, \"registered_name\": null}"

/// The model of Keras 3 in the words of Keras 2.3: all of them are there, or the error says so.
static void expect_with(bool lossy, const char *model_text, const char *words) {
    ks_bytes bytes = {(const uint8_t *)model_text, strlen(model_text)}, out = {NULL, 0};
    char text[16384];
    ks_context context;
    ks_model *model = NULL;
    ks_losses losses;
    ks_context_init(&context, NULL);
    if (ks_model_load_bytes(&model, &context, bytes, "model.json", NULL) != KS_OK)
        fail_msg("%s: %s", context.error.place, context.error.message);
    ks_losses_init(&losses, &context, lossy);
    if (written(&out, model, &losses) != KS_OK)
        snprintf(text, sizeof text, "%s %s: %s", ks_code_name(context.error.code), context.error.place,
                 context.error.message);
    else
        snprintf(text, sizeof text, "%.*s", (int)out.size, (const char *)out.data);
    if (lossy && out.data && !losses.first)
        fail_msg("nothing is lost: %s", text);
    if (!strstr(text, words))
        fail_msg("%s expected, found: %s", words, text);
    ks_losses_fini(&losses);
    drop(&context, out);
    ks_model_free(model);
}

static void expect(const char *model_text, const char *words) {
    expect_with(false, model_text, words);
}

static void test_keys(void **state) {
    (void)state;
    expect(IMAGES(LAYER("Conv2D", ", \"filters\": 2, \"kernel_size\": [2, 2], \"groups\": 1")), "\"Conv2D\"");
    expect(IMAGES(LAYER("Conv2D", ", \"filters\": 2, \"kernel_size\": [2, 2], \"groups\": 2")),
           "save-no-word config.json:/config/layers/1/config/groups: Conv2D of Keras 2.3 has no \"groups\"");
    expect(IMAGES(LAYER("GlobalMaxPooling2D", ", \"keepdims\": false")), "\"GlobalMaxPooling2D\"");
    expect(IMAGES(LAYER("GlobalMaxPooling2D", ", \"keepdims\": true")), "has no \"keepdims\"");
    expect(IMAGES(LAYER("UpSampling2D", ", \"size\": [2, 2]")), "\"interpolation\": \"nearest\"");
    expect(IMAGES(LAYER("UpSampling2D", ", \"size\": [2, 2], \"interpolation\": \"bilinear\"")), "save-no-word");
    expect(IMAGES(LAYER("Softmax", ", \"axis\": [1, 2]")), "has one axis");
    expect(IMAGES(LAYER("BatchNormalization", ", \"renorm\": true")), "has no \"renorm\"");
    expect(IMAGES(LAYER("LayerNormalization", "")), "Keras 2.3 has no layer LayerNormalization");
    expect(IMAGES(LAYER("GaussianNoise", ", \"stddev\": 1.0, \"seed\": 3")), "save-loss");
    expect_with(true, IMAGES(LAYER("GaussianNoise", ", \"stddev\": 1.0, \"seed\": 3")),
                "\"stddev\": 1.0, \"batch_input_shape\"");
    expect(IMAGES(LAYER("Activation", ", \"activation\": \"gelu\"")), "no activation function \"gelu\"");
    // The first layer gives the shape, as Keras 2.3 has it, and the input keeps its name.
    expect(IMAGES(LAYER("Flatten", "")), "\"name\": \"x\"");
    expect(IMAGES(LAYER("Flatten", "")), "\"batch_input_shape\": [null, 4, 4, 2]}}]");
}

#define DENSE(key, module, name, config)                                                                               \
    IMAGES(LAYER("Dense", ", \"units\": 2, \"" key "\": {\"module\": \"keras." module "\", \"class_name\": \"" name    \
                          "\", \"config\": {" config "}, \"registered_name\": null}"))

static void test_objects(void **state) {
    (void)state;
    expect(DENSE("kernel_initializer", "initializers", "HeNormal", "\"seed\": 5"),
           "\"kernel_initializer\": {\"class_name\": \"VarianceScaling\", \"config\": {\"scale\": 2.0, \"mode\": "
           "\"fan_in\", \"distribution\": \"normal\", \"seed\": 5}}");
    expect(DENSE("kernel_initializer", "initializers", "GlorotUniform", "\"seed\": null"),
           "\"scale\": 1.0, \"mode\": \"fan_avg\", \"distribution\": \"uniform\", \"seed\": null");
    expect(DENSE("kernel_initializer", "initializers", "VarianceScaling",
                 "\"scale\": 3.0, \"mode\": \"fan_out\", \"distribution\": \"truncated_normal\", \"seed\": 1"),
           "\"distribution\": \"normal\"");
    expect(DENSE("kernel_initializer", "initializers", "VarianceScaling",
                 "\"scale\": 3.0, \"mode\": \"fan_out\", \"distribution\": \"untruncated_normal\", \"seed\": 1"),
           "save-loss");
    expect(DENSE("kernel_regularizer", "regularizers", "L2", "\"l2\": 0.5"),
           "{\"class_name\": \"L1L2\", \"config\": {\"l1\": 0.0, \"l2\": 0.5}}");
    expect(DENSE("kernel_regularizer", "regularizers", "OrthogonalRegularizer", "\"factor\": 0.5, \"mode\": \"rows\""),
           "save-loss");
    expect_with(
        true,
        DENSE("kernel_regularizer", "regularizers", "OrthogonalRegularizer", "\"factor\": 0.5, \"mode\": \"rows\""),
        "\"kernel_regularizer\": null");
    expect(DENSE("kernel_constraint", "constraints", "MaxNorm", "\"max_value\": 1.0, \"axis\": 0"), "\"MaxNorm\"");
    expect("{\"class_name\": \"Sequential\", \"config\": {\"name\": \"m\", \"layers\": [{\"class_name\": \"Dense\", "
           "\"config\": {\"name\": \"d\", \"batch_input_shape\": [null, 3], \"units\": 2, \"kernel_constraint\": "
           "{\"class_name\": \"RadialConstraint\", \"config\": {}}}}]}, \"keras_version\": \"2.21.0\"}",
           "Keras 2.3 has no constraint RadialConstraint");
}

#define BOTH_WAYS(sequences, units)                                                                                    \
    LAYER("Bidirectional",                                                                                             \
          ", \"layer\": " LSTM(                                                                                        \
              ", \"return_sequences\": " sequences) ", \"backward_layer\": "                                           \
                                                    "{\"module\": \"keras.layers\", \"class_name\": \"LSTM\", "        \
                                                    "\"config\": {\"units\": " units ", \"name\": "                    \
                                                    "\"w\", \"go_backwards\": true, \"return_sequences\": " sequences  \
                                                    "}, \"registered_name\": null}")

static void test_recurrent(void **state) {
    (void)state;
    expect(SEQUENCE(BOTH_WAYS("true", "2")), "\"layer\": {\"class_name\": \"LSTM\", \"config\": {\"name\": \"z\"");
    expect(SEQUENCE(BOTH_WAYS("true", "3")), "the backward layer of a Bidirectional of Keras 2.3");
    expect(SEQUENCE(MASK ", " BOTH_WAYS("true", "2")), "has no \"zero_output_for_mask\"");
    expect(SEQUENCE(MASK ", " BOTH_WAYS("false", "2")), "\"merge_mode\": \"concat\"");
    expect(SEQUENCE(LSTM(", \"return_sequences\": true, \"zero_output_for_mask\": true")), "\"LSTM\"");
    expect(SEQUENCE(MASK ", " LAYER("Softmax", ", \"axis\": -1")), "does not look at masks");
    expect(SEQUENCE(MASK ", " LAYER("Flatten", "")),
           "config.json:/config/layers/2/config: Flatten of Keras 2.3 refuses an input with a mask");
    expect(SEQUENCE(MASK ", " LSTM("") ", " LAYER("RepeatVector", ", \"n\": 2")), "\"RepeatVector\"");
    expect(SEQUENCE(MASK ", " LSTM(", \"return_sequences\": true") ", " LAYER("Conv1D", ", \"filters\": 2, "
                                                                                        "\"kernel_size\": [2]")),
           "Conv1D of Keras 2.3 refuses");
}

// --- calls and models -----------------------------------------------------------------------------------------------

#define TENSOR(layer, shape)                                                                                           \
    "{\"class_name\": \"__keras_tensor__\", \"config\": {\"shape\": " shape ", \"dtype\": \"float32\", "               \
    "\"keras_history\": [\"" layer "\", 0, 0]}}"
#define NODE(class_name, name, config, args, kwargs)                                                                   \
    "{\"module\": \"keras.layers\", \"class_name\": \"" class_name "\", \"config\": {\"name\": \"" name "\"" config    \
    "}, \"registered_name\": null, \"name\": \"" name "\", \"inbound_nodes\": [{\"args\": [" args                      \
    "], \"kwargs\": {" kwargs "}}]}"
#define SOURCE(name, shape)                                                                                            \
    "{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": " shape              \
    ", \"dtype\": \"float32\", \"name\": \"" name "\"}, \"registered_name\": null, \"name\": \"" name                  \
    "\", \"inbound_nodes\": []}"
#define GRAPH(more, layers, inputs, outputs)                                                                           \
    "{\"module\": \"keras.src.models.functional\", \"class_name\": \"Functional\", \"config\": {\"name\": "            \
    "\"g\", " more "\"layers\": [" layers "], \"input_layers\": " inputs ", \"output_layers\": " outputs               \
    "}, \"registered_name\": \"Functional\"}"

static void test_graphs(void **state) {
    (void)state;
#define A SOURCE("a", "[null, 5, 3]")
#define S SOURCE("s", "[null, 2]")
#define WITH_STATE(kwargs)                                                                                             \
    GRAPH("\"trainable\": true, ",                                                                                     \
          A ", " S ", " NODE("GRU", "r", ", \"units\": 2", TENSOR("a", "[null, 5, 3]"), kwargs),                       \
          "[[\"a\", 0, 0], [\"s\", 0, 0]]", "[\"r\", 0, 0]")
    expect(WITH_STATE("\"initial_state\": [" TENSOR("s", "[null, 2]") "]"),
           "\"inbound_nodes\": [[[\"a\", 0, 0, {}], [\"s\", 0, 0, {}]]]");
    expect(WITH_STATE("\"initial_state\": [" TENSOR("s", "[null, 2]") "]"), "{\"class_name\": \"Model\", \"config\": "
                                                                            "{\"name\": \"g\", \"layers\": [");
    expect(GRAPH("", S ", " NODE("Dense", "p", ", \"units\": 2", TENSOR("s", "[null, 2]"), ""),
                 "{\"k\": [\"s\", 0, 0]}", "[\"p\", 0, 0]"),
           "inputs and outputs of a model of Keras 2.3 are lists of tensors");
    // Frozen as a whole while a layer is not: it cannot be said, and the order of the weights depends on it.
    expect(GRAPH("\"trainable\": false, ", S ", " NODE("Dense", "d", ", \"units\": 2", TENSOR("s", "[null, 2]"), ""),
                 "[\"s\", 0, 0]", "[\"d\", 0, 0]"),
           "not all of its layers are frozen");
    expect(GRAPH("\"trainable\": false, ",
                 S ", " NODE("Dense", "d", ", \"units\": 2, \"trainable\": false", TENSOR("s", "[null, 2]"), ""),
                 "[\"s\", 0, 0]", "[\"d\", 0, 0]"),
           "{\"name\": \"g\", \"layers\": [");
    expect("{\"module\": \"keras.src.models.functional\", \"class_name\": \"Functional\", \"config\": {\"name\": "
           "\"g\", \"layers\": [" S ", "
           "{\"module\": \"keras.src.ops.numpy\", \"class_name\": \"Sin\", \"config\": {\"name\": \"o\"}, "
           "\"registered_name\": \"Sin\", \"name\": \"o\", \"inbound_nodes\": [{\"args\": [" TENSOR(
               "s", "[null, 2]") "], \"kwargs\": {}}]}], \"input_layers\": [\"s\", 0, 0], \"output_layers\": "
                                 "[\"o\", 0, 0]}, \"registered_name\": \"Functional\"}",
           "Keras 2.3 has no layers for operations, here Sin");
}

// The layers stand in another order than they are called in.
static void test_masks_in_graphs(void **state) {
    (void)state;
#define MASKED(class_name, config)                                                                                     \
    GRAPH("",                                                                                                          \
          NODE(class_name, "f", config, TENSOR("k", "[null, 5, 3]"),                                                   \
               "") ", " NODE("Masking", "k", "", TENSOR("a", "[null, 5, 3]"), "") ", " A,                              \
          "[\"a\", 0, 0]", "[\"f\", 0, 0]")
    expect(MASKED("Permute", ", \"dims\": [2, 1]"), "Permute of Keras 2.3 refuses an input with a mask");
    expect(MASKED("Dense", ", \"units\": 2"), "\"Masking\"");
    expect(MASKED("LSTM", ", \"units\": 2"), "\"Masking\"");
    // From inside of a nested model.
    expect(SEQUENCE(MODEL(INPUT("[null, 4, 3]") ", " MASK) ", " LAYER("Flatten", "")),
           "config.json:/config/layers/2/config: Flatten of Keras 2.3 refuses");
    expect(SEQUENCE(MASK ", " MODEL(INPUT("[null, 4, 3]") ", " LAYER("Flatten", ""))),
           "config.json:/config/layers/2/config/layers/1/config: Flatten of Keras 2.3 refuses");
    expect(SEQUENCE(MASK ", " GRAPH(
               "", SOURCE("b", "[null, 4, 3]") ", " NODE("Flatten", "f", "", TENSOR("b", "[null, 4, 3]"), ""),
               "[\"b\", 0, 0]", "[\"f\", 0, 0]")),
           "config.json:/config/layers/2/config/layers/1/config: Flatten of Keras 2.3 refuses");
}

static void test_other_formats(void **state) {
    (void)state;
    ks_save_options options = {.format = "keras-v3", .target = KS_FOR_KERAS_2_3};
    ks_context context;
    ks_model *model = NULL;
    ks_bytes out;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_model_load(&model, &context, GOLDEN "h5-legacy/keras-2.3.1/core/dense/model.h5", NULL), KS_OK);
    assert_int_equal(ks_model_save_bytes(&out, model, &options, NULL), KS_E_SAVE_FORMAT);
    assert_int_equal(ks_save_target_by_name(ks_save_target_name(KS_FOR_KERAS_2_3)), KS_FOR_KERAS_2_3);
    assert_int_equal(ks_save_target_by_name("keras-2.4"), -1);
    ks_model_free(model);
}

// --- training -------------------------------------------------------------------------------------------------------

/// What the file says about training, for Keras 2.3; NULL: nothing. Lives as long as the model.
static const ks_value *training_of(ks_model **again, ks_bytes *file, ks_context *context, const char *path,
                                   ks_losses *losses) {
    ks_save_options options = {.format = "h5-legacy", .target = KS_FOR_KERAS_2_3};
    const ks_value *config = NULL;
    ks_model *model = NULL;
    ks_context_init(context, NULL);
    ks_losses_init(losses, context, true);
    assert_int_equal(ks_model_load(&model, context, path, NULL), KS_OK);
    assert_int_equal(ks_model_save_bytes(file, model, &options, losses), KS_OK);
    ks_model_free(model);
    assert_int_equal(ks_model_load_bytes(again, context, *file, "converted", NULL), KS_OK);
    assert_int_equal(ks__training_config(&config, *again), KS_OK);
    return config;
}

static void test_training(void **state) {
    (void)state;
    static const char *const keys[] = {"learning_rate", "momentum", "nesterov", "decay"};
    ks_context context;
    ks_model *model;
    ks_bytes file;
    ks_losses losses;
    const ks_value *config =
        training_of(&model, &file, &context, GOLDEN "h5-legacy/tfkeras-2.21.0/compiled/trained-sgd/model.h5", &losses);
    const ks_value *rule = ks_value_get(config, "optimizer_config");
    assert_true(ks_value_is_text(ks_value_get(rule, "class_name"), "SGD"));
    assert_int_equal(ks_value_get(rule, "config")->as.dict.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_non_null(ks_value_get(ks_value_get(rule, "config"), keys[i]));
    assert_non_null(ks_value_get(config, "sample_weight_mode"));
    assert_int_equal(losses.count, 1); // the state
    ks_losses_fini(&losses);
    ks_model_free(model);
    drop(&context, file);
    config = training_of(&model, &file, &context, GOLDEN "h5-legacy/tfkeras-2.21.0/compiled/trained-rmsprop/model.h5",
                         &losses);
    assert_null(config); // it adds its epsilon elsewhere
    assert_int_equal(losses.count, 2);
    ks_losses_fini(&losses);
    ks_model_free(model);
    drop(&context, file);
    config =
        training_of(&model, &file, &context, GOLDEN "h5-legacy/keras-2.3.1/compiled/trained-adam/model.h5", &losses);
    assert_true(ks_value_is_text(ks_value_get(ks_value_get(config, "optimizer_config"), "class_name"), "Adam"));
    assert_int_equal(losses.count, 0); // its own
    ks_losses_fini(&losses);
    ks_model_free(model);
    drop(&context, file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_words),     cmocka_unit_test(test_keys),     cmocka_unit_test(test_objects),
        cmocka_unit_test(test_recurrent),     cmocka_unit_test(test_graphs),   cmocka_unit_test(test_masks_in_graphs),
        cmocka_unit_test(test_other_formats), cmocka_unit_test(test_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
