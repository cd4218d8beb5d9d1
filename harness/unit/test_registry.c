// SPDX-License-Identifier: Apache-2.0
//
// Custom classes: the guide's plugin in each of the three ways, what is said without it, and what is written of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <kassay/model.h>
#include <kassay/object.h>
#include <kassay/registry.h>
#include <kassay/save.h>

#define PLUGIN KASSAY_BINARY_DIR "/lib/custom/guide.so"

// A model of three custom things: a registered layer, a layer passed by name, a function.
static const char document[] =
    "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": ["
    "{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 3], "
    "\"dtype\": "
    "\"float32\", \"name\": \"i\"}, \"registered_name\": null},"
    "{\"module\": \"guide\", \"class_name\": \"RegisteredLayer\", \"config\": {\"name\": \"r\", \"trainable\": true, "
    "\"dtype\": \"float32\", \"start\": 0.25}, \"registered_name\": \"golden>RegisteredLayer\"},"
    "{\"module\": \"guide\", \"class_name\": \"CustomLayer\", \"config\": {\"name\": \"c\", \"trainable\": true, "
    "\"dtype\": \"float32\", \"a\": 3.0}, \"registered_name\": \"CustomLayer\"},"
    "{\"module\": \"keras.layers\", \"class_name\": \"Activation\", \"config\": {\"name\": \"f\", \"activation\": "
    "{\"module\": \"builtins\", \"class_name\": \"function\", \"config\": \"custom_activation\", \"registered_name\": "
    "\"custom_activation\"}}, \"registered_name\": null}]}, \"registered_name\": null}";

static ks_code load(ks_model **out, ks_context *context, const ks_registry *registry) {
    ks_model_options options = {.registry = registry};
    ks_context_init(context, NULL);
    return ks_model_load_bytes(out, context, (ks_bytes){(const uint8_t *)document, sizeof(document) - 1}, "model.json",
                               &options);
}

// tanh(3 (x + 0.25))^2 with fresh weights.
static void check_numbers(ks_model *model) {
    double x[6] = {-1, 0, 0.5, 0.1, -0.3, 2};
    ks_tensor input = {.dtype = KS_FLOAT64, .shape = {2, {2, 3}}, .data = x, .size = sizeof(x)};
    ks_prediction *prediction;
    const double *y;
    assert_int_equal(ks_model_initialize(model, 1), KS_OK);
    assert_int_equal(ks_model_predict(&prediction, model, &input, 1, KS_FLOAT64), KS_OK);
    y = ks_prediction_at(prediction, 0).data;
    for (int i = 0; i < 6; i++)
        assert_true(fabs(y[i] - pow(tanh(3 * (x[i] + 0.25)), 2)) < 1e-12);
    ks_prediction_free(prediction);
}

static ks_registry *with_plugin(void) {
    ks_registry *registry = ks_registry_new();
    ks_context context;
    assert_non_null(registry);
    ks_context_init(&context, NULL);
    assert_int_equal(ks_registry_load(registry, &context, PLUGIN), KS_OK);
    return registry;
}

static void test_unknown(void **state) {
    ks_context context;
    ks_model *model;
    (void)state;
    assert_int_equal(load(&model, &context, NULL), KS_E_CONFIG_UNKNOWN_CLASS);
    assert_non_null(strstr(context.error.message, "\"RegisteredLayer\""));
    assert_non_null(strstr(context.error.message, "golden>RegisteredLayer"));
    assert_non_null(strstr(context.error.message, "registered (ks_registry_registered), passed at load"));
    assert_non_null(strstr(context.error.message, "in scope"));
    assert_string_equal(context.error.place, "config.json:/config/layers/1/class_name");
    assert_int_equal(context.memory.n_live, 0);
}

static void test_passed_at_load(void **state) {
    ks_registry *registry = with_plugin();
    ks_context context;
    ks_model *model;
    (void)state;
    assert_int_equal(load(&model, &context, registry), KS_OK);
    check_numbers(model);
    ks_model_free(model);
    ks_registry_free(registry);
}

static void test_in_scope(void **state) {
    ks_registry *registry = with_plugin(), *other = ks_registry_new();
    ks_context context;
    ks_model *model;
    (void)state;
    assert_int_equal(ks_registry_push(registry), KS_OK);
    assert_int_equal(ks_registry_push(other), KS_OK); // the outer scope is seen through
    assert_int_equal(load(&model, &context, NULL), KS_OK);
    check_numbers(model);
    ks_model_free(model);
    ks_registry_pop();
    ks_registry_pop();
    assert_int_equal(load(&model, &context, NULL), KS_E_CONFIG_UNKNOWN_CLASS);
    ks_registry_free(registry);
    ks_registry_free(other);
}

// A built-in name is never taken over, and a name has one class.
static const ks_plugin_class impostor = {KS_PLUGIN_CLASS, .name = "CustomLayer", .kind = KS_PLUGIN_LAYER};

static void test_names(void **state) {
    ks_registry *registry = with_plugin();
    (void)state;
    assert_int_equal(ks_registry_pass(registry, "CustomLayer", &impostor), KS_E_USAGE);
    assert_int_equal(ks_registry_add(registry, &impostor), KS_OK); // as Custom>CustomLayer
    assert_int_equal(ks_registry_add(registry, &impostor), KS_E_USAGE);
    ks_registry_free(registry);
}

static void test_no_plugin(void **state) {
    ks_registry *registry = ks_registry_new();
    ks_context context;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_registry_load(registry, &context, "/nowhere/none.so"), KS_E_IO);
    assert_string_equal(context.error.place, "/nowhere/none.so");
    ks_registry_free(registry);
}

// The module and the registered names of the file come out again.
static void test_written(void **state) {
    ks_registry *registry = with_plugin();
    ks_context context;
    ks_model *model, *clone;
    ks_text text, again;
    (void)state;
    assert_int_equal(load(&model, &context, registry), KS_OK);
    assert_int_equal(ks_model_to_json(&text, model), KS_OK);
    assert_non_null(strstr(text.data,
                           "{\"module\": \"guide\", \"class_name\": \"RegisteredLayer\", \"config\": {\"name\": "
                           "\"r\", \"trainable\": true, \"dtype\": {\"module\": \"keras\", \"class_name\": "
                           "\"DTypePolicy\", \"config\": {\"name\": \"float32\"}, \"registered_name\": null}, "
                           "\"start\": 0.25}, \"registered_name\": \"golden>RegisteredLayer\""));
    assert_non_null(strstr(text.data,
                           "\"activation\": {\"module\": \"builtins\", \"class_name\": \"function\", \"config\": "
                           "\"custom_activation\", \"registered_name\": \"custom_activation\"}"));
    assert_int_equal(ks_model_clone(&clone, model, 1), KS_OK);
    check_numbers(clone);
    assert_int_equal(ks_model_to_json(&again, clone), KS_OK);
    assert_string_equal(text.data, again.data);
    ks_free(&context, (void *)(uintptr_t)text.data);
    ks_free(&context, (void *)(uintptr_t)again.data);
    ks_model_free(clone);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
    ks_registry_free(registry);
}

// A subclassed model: layers found by attribute, shape from build_config.
static void test_subclassed(void **state) {
    static const char text[] =
        "{\"module\": \"guide\", \"class_name\": \"CustomModel\", \"config\": {\"hidden_units\": [5, 2]}, "
        "\"registered_name\": \"CustomModel\", \"build_config\": {\"input_shape\": [null, 3]}}";
    static const char *const paths[] = {"dense_layers/dense/vars/0", "dense_layers/dense/vars/1",
                                        "dense_layers/dense_1/vars/0", "dense_layers/dense_1/vars/1"};
    ks_registry *registry = with_plugin();
    ks_model_options options = {.registry = registry};
    ks_context context;
    ks_model *model;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_model_load_bytes(&model, &context, (ks_bytes){(const uint8_t *)text, sizeof(text) - 1},
                                         "model.json", &options),
                     KS_OK);
    assert_int_equal(ks_model_weight_count(model), 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(ks_model_weight_at(model, i).path, paths[i]);
    ks_model_free(model);
    ks_registry_free(registry);
}

// A layer without get_config: the arguments it was given, in their order.
static void test_automatic_config(void **state) {
    static const char text[] =
        "{\"module\": \"guide\", \"class_name\": \"ScaleAndShift\", \"config\": {\"scale\": 2.0, "
        "\"name\": \"s\", \"trainable\": true}, \"registered_name\": \"ScaleAndShift\"}";
    ks_registry *registry = with_plugin();
    ks_object_options options = {.registry = registry};
    ks_context context;
    ks_instance *instance;
    ks_text written;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_deserialize(&instance, &context, (ks_bytes){(const uint8_t *)text, sizeof(text) - 1}, &options),
                     KS_OK);
    assert_int_equal(ks_serialize(&written, instance), KS_OK);
    assert_string_equal(written.data, text);
    ks_free(&context, (void *)(uintptr_t)written.data);
    ks_instance_free(instance);
    assert_int_equal(context.memory.n_live, 0);
    ks_registry_free(registry);
}

// A name stands for an object of a kind; from_config and get_config are each other's inverse.
static void test_single_objects(void **state) {
    static const char config[] = "{\"l1\": 0.0, \"l2\": 0.5}";
    ks_object_options options = {.kind = "initializer"};
    ks_context context;
    ks_instance *instance;
    ks_text written;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_deserialize(&instance, &context, (ks_bytes){(const uint8_t *)"\"he_normal\"", 11}, &options),
                     KS_OK);
    assert_string_equal(ks_instance_class(instance), "HeNormal");
    assert_string_equal(ks_instance_kind(instance), "initializer");
    ks_instance_free(instance);
    assert_int_equal(ks_deserialize(&instance, &context, (ks_bytes){(const uint8_t *)"\"he_norm\"", 9}, &options),
                     KS_E_CONFIG_UNKNOWN_NAME);
    assert_null(instance);
    ks_context_clear(&context);
    assert_int_equal(ks_from_config(&instance, &context, "L1L2", NULL,
                                    (ks_bytes){(const uint8_t *)config, sizeof(config) - 1}, NULL),
                     KS_OK);
    assert_int_equal(ks_get_config(&written, instance), KS_OK);
    assert_string_equal(written.data, config);
    ks_free(&context, (void *)(uintptr_t)written.data);
    ks_instance_free(instance);
    assert_int_equal(context.memory.n_live, 0);
}

// A config that is no list of arguments: read through the class's own hooks, kept as it was written.
static void test_custom_config(void **state) {
    static const char text[] =
        "{\"module\": \"guide\", \"class_name\": \"ModelWithCustomConfig\", \"config\": {\"sizes\": {\"hidden\": 6, "
        "\"out\": 3}, \"note\": \"as written\"}, \"registered_name\": \"ModelWithCustomConfig\", \"build_config\": "
        "{\"input_shape\": [null, 4]}, \"compile_config\": {}}";
    static const int64_t sizes[] = {4 * 6, 6, 6 * 3, 3};
    ks_registry *registry = with_plugin();
    ks_model_options options = {.registry = registry};
    int64_t elements = 0;
    ks_context context;
    ks_model *model;
    ks_text written;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_model_load_bytes(&model, &context, (ks_bytes){(const uint8_t *)text, sizeof(text) - 1},
                                         "model.json", &options),
                     KS_OK);
    assert_int_equal(ks_model_weight_count(model), 4);
    for (size_t i = 0; i < 4; i++) {
        ks_tensor tensor = ks_model_weight_at(model, i).tensor;
        int64_t count = 1;
        for (int k = 0; k < tensor.shape.rank; k++)
            count *= tensor.shape.dims[k];
        elements += count == sizes[i] || count == sizes[(i + 2) % 4]; // Keras lists "layers" before "hidden"
    }
    assert_int_equal(elements, 4);
    assert_int_equal(ks_model_to_json(&written, model), KS_OK);
    assert_non_null(strstr(written.data, "\"config\": {\"sizes\": {\"hidden\": 6, \"out\": 3}, \"note\": \"as "
                                         "written\"}"));
    assert_non_null(strstr(written.data, "\"registered_name\": \"ModelWithCustomConfig\""));
    ks_free(&context, (void *)(uintptr_t)written.data);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
    ks_registry_free(registry);
}

// Legacy files have the registered name as the class; Keras 3 looks for it as "registered_name".
static void test_names_of_legacy_files(void **state) {
    ks_registry *registry = with_plugin();
    ks_model_options options = {.registry = registry};
    ks_save_options json = {.format = "json-v3"};
    ks_context context;
    ks_model *model;
    ks_bytes written;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_model_load(&model, &context,
                                   KASSAY_SOURCE_DIR "/golden/h5-legacy/keras-3.15.1/custom/registered-layer/model.h5",
                                   &options),
                     KS_OK);
    assert_int_equal(ks_model_save_bytes(&written, model, &json, NULL), KS_OK);
    assert_non_null(memmem(written.data, written.size, "\"class_name\": \"RegisteredLayer\"", 31));
    assert_non_null(memmem(written.data, written.size, "\"registered_name\": \"golden>RegisteredLayer\"", 43));
    ks_free(&context, (void *)(uintptr_t)written.data);
    ks_model_free(model);
    ks_registry_free(registry);
}

// --- several tensors, masks, objects of every kind (golden/custom/parts.c) -------------------------------------------

#define PARTS KASSAY_BINARY_DIR "/lib/custom/parts.so"

static ks_registry *with_both(void) {
    ks_registry *registry = with_plugin();
    ks_context context;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_registry_load(registry, &context, PARTS), KS_OK);
    return registry;
}

// An input of 2, then one layer.
static ks_code load_layer(ks_model **out, ks_context *context, const char *record, const ks_registry *registry) {
    ks_model_options options = {.registry = registry};
    char text[2000];
    snprintf(text, sizeof(text),
             "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": ["
             "{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 2], "
             "\"dtype\": \"float32\", \"name\": \"i\"}, \"registered_name\": null}, %s]}, \"registered_name\": null}",
             record);
    ks_context_init(context, NULL);
    return ks_model_load_bytes(out, context, (ks_bytes){(const uint8_t *)text, strlen(text)}, "model.json", &options);
}

#define RAMP                                                                                                           \
    "{\"module\": \"parts\", \"class_name\": \"Ramp\", \"config\": {\"start\": 1.5, \"step\": 0.25}, "                 \
    "\"registered_name\": \"golden>Ramp\"}"

static const char dense_of_parts[] =
    "{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"name\": \"d\", \"units\": 3, "
    "\"kernel_initializer\": " RAMP ", \"bias_initializer\": {\"module\": \"builtins\", \"class_name\": \"function\", "
    "\"config\": \"quarters\", \"registered_name\": \"quarters\"}, \"kernel_regularizer\": {\"module\": \"parts\", "
    "\"class_name\": \"Pull\", \"config\": {\"target\": 0.5}, \"registered_name\": \"golden>Pull\"}, "
    "\"kernel_constraint\": {\"module\": \"parts\", \"class_name\": \"AtLeast\", \"config\": {\"low\": -2.0}, "
    "\"registered_name\": \"AtLeast\"}}, \"registered_name\": null}";

static void check_ramp(ks_model *model, bool bias) {
    const float *kernel, *quarter;
    assert_int_equal(ks_model_initialize(model, 1), KS_OK);
    kernel = ks_model_weight_at(model, 0).tensor.data;
    for (int i = 0; i < 6; i++)
        assert_true(kernel[i] == 1.5F + 0.25F * (float)i);
    if (!bias)
        return;
    quarter = ks_model_weight_at(model, 1).tensor.data;
    for (int i = 0; i < 3; i++)
        assert_true(quarter[i] == 0.25F);
}

static void assert_saved(ks_model *model, ks_context *context, const char *format, const char *expected) {
    ks_save_options options = {.format = format};
    ks_bytes written;
    assert_int_equal(ks_model_save_bytes(&written, model, &options, NULL), KS_OK);
    if (!memmem(written.data, written.size, expected, strlen(expected)))
        fail_msg("%s: no %s in %.*s", format, expected, (int)written.size, (const char *)written.data);
    ks_free(context, (void *)(uintptr_t)written.data);
}

static void check_parts(const ks_registry *registry) {
    ks_context context;
    ks_model *model, *clone;
    assert_int_equal(load_layer(&model, &context, dense_of_parts, registry), KS_OK);
    check_ramp(model, true);
    assert_saved(model, &context, "json-v3", "\"kernel_initializer\": " RAMP);
    assert_saved(model, &context, "json-v3",
                 "{\"target\": 0.5, \"strength\": 0.01}, \"registered_name\": \"golden>Pull\"");
    assert_saved(
        model, &context, "json-legacy",
        "\"kernel_initializer\": {\"class_name\": \"golden>Ramp\", \"config\": {\"start\": 1.5, \"step\": 0.25}}");
    assert_saved(model, &context, "json-legacy", "\"bias_initializer\": \"quarters\"");
    assert_int_equal(ks_model_clone(&clone, model, 3), KS_OK);
    check_ramp(clone, true);
    ks_model_free(clone);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_objects_of_every_kind(void **state) {
    ks_registry *registry = with_both();
    (void)state;
    check_parts(registry);
    assert_int_equal(ks_registry_push(registry), KS_OK);
    check_parts(NULL);
    ks_registry_pop();
    ks_registry_free(registry);
}

static void assert_unknown(const char *record, const ks_registry *registry, ks_code code, const char *word,
                           const char *place) {
    ks_context context;
    ks_model *model;
    assert_int_equal(load_layer(&model, &context, record, registry), code);
    if (!strstr(context.error.message, word))
        fail_msg("%s", context.error.message);
    assert_string_equal(context.error.place, place);
    if (code == KS_E_CONFIG_UNKNOWN_CLASS || code == KS_E_CONFIG_UNKNOWN_NAME) {
        assert_non_null(strstr(context.error.message, "ks_registry_registered"));
        assert_non_null(strstr(context.error.message, "--custom FILE.so"));
        assert_non_null(strstr(context.error.message, "ks_registry_push"));
    }
    assert_int_equal(context.memory.n_live, 0);
}

// The name, the place and the three ways; keys and values that a plugin's table or check does not take.
static void test_objects_refused(void **state) {
    static const char named[] =
        "{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"name\": \"d\", \"units\": 3, "
        "\"bias_initializer\": \"halves\"}, \"registered_name\": null}";
    static const char key[] =
        "{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"name\": \"d\", \"units\": 3, "
        "\"kernel_initializer\": {\"module\": \"parts\", \"class_name\": \"Ramp\", \"config\": {\"stop\": 1.0}, "
        "\"registered_name\": \"golden>Ramp\"}}, \"registered_name\": null}";
    static const char value[] =
        "{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"name\": \"d\", \"units\": 3, "
        "\"kernel_constraint\": {\"module\": \"parts\", \"class_name\": \"AtLeast\", \"config\": {\"low\": 1.0}, "
        "\"registered_name\": \"AtLeast\"}}, \"registered_name\": null}";
    static const char kind[] =
        "{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"name\": \"d\", \"units\": 3, "
        "\"kernel_constraint\": " RAMP "}, \"registered_name\": null}";
    ks_registry *registry = with_both();
    (void)state;
    assert_unknown(dense_of_parts, NULL, KS_E_CONFIG_UNKNOWN_CLASS, "\"Ramp\"",
                   "config.json:/config/layers/1/config/kernel_initializer/class_name");
    assert_unknown(named, registry, KS_E_CONFIG_UNKNOWN_NAME, "initializer \"halves\"",
                   "config.json:/config/layers/1/config/bias_initializer");
    assert_unknown(key, registry, KS_E_CONFIG_UNKNOWN_KEY, "Ramp has no config key",
                   "config.json:/config/layers/1/config/kernel_initializer/config/stop");
    assert_unknown(value, registry, KS_E_CONFIG_VALUE, "low must not be above zero",
                   "config.json:/config/layers/1/config/kernel_constraint/config");
    assert_unknown(kind, registry, KS_E_CONFIG_TYPE, "expected a constraint, found the initializer Ramp",
                   "config.json:/config/layers/1/config/kernel_constraint");
    ks_registry_free(registry);
}

// A record of a class of someone's own, in a value that a class of someone's own keeps.
static void test_kept_records(void **state) {
    static const char mine[] = "{\"module\": \"guide\", \"class_name\": \"MyDense\", \"config\": {\"name\": \"m\", "
                               "\"units\": 3, \"kernel_initializer\": " RAMP "}, \"registered_name\": \"MyDense\"}";
    ks_registry *registry = with_both(), *guide = with_plugin();
    ks_context context;
    ks_model *model;
    (void)state;
    assert_unknown(mine, guide, KS_E_CONFIG_UNKNOWN_CLASS, "\"Ramp\"",
                   "config.json:/config/layers/1/config/class_name");
    assert_int_equal(load_layer(&model, &context, mine, registry), KS_OK);
    check_ramp(model, false);
    assert_saved(model, &context, "json-v3", "\"kernel_initializer\": " RAMP);
    assert_saved(model, &context, "json-legacy", "{\"class_name\": \"MyDense\", \"config\": {\"name\": \"m\"");
    assert_saved(
        model, &context, "json-legacy",
        "\"kernel_initializer\": {\"class_name\": \"golden>Ramp\", \"config\": {\"start\": 1.5, \"step\": 0.25}}");
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
    ks_registry_free(registry);
    ks_registry_free(guide);
}

// Losses, metrics, optimizers: every key of the base class and of the table, in order.
static void check_described(const char *text, const char *kind, const char *older, const ks_registry *registry) {
    ks_object_options options = {.registry = registry};
    ks_context context;
    ks_instance *instance;
    ks_text written;
    ks_context_init(&context, NULL);
    if (ks_deserialize(&instance, &context, (ks_bytes){(const uint8_t *)text, strlen(text)}, &options) != KS_OK)
        fail_msg("%s", context.error.message);
    assert_string_equal(ks_instance_kind(instance), kind);
    assert_int_equal(ks_serialize(&written, instance), KS_OK);
    assert_string_equal(written.data, text);
    ks_free(&context, (void *)(uintptr_t)written.data);
    assert_int_equal(ks_serialize_as(&written, instance, KS_DIALECT_KERAS2), KS_OK);
    if (!strstr(written.data, older))
        fail_msg("%s", written.data);
    ks_free(&context, (void *)(uintptr_t)written.data);
    ks_instance_free(instance);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_what_trains(void **state) {
    ks_registry *registry = with_both();
    (void)state;
    check_described("{\"module\": \"parts\", \"class_name\": \"WeightedGap\", \"config\": {\"name\": \"gap\", "
                    "\"reduction\": \"sum\", \"weight\": 3.0}, \"registered_name\": \"golden>WeightedGap\"}",
                    "loss", "{\"class_name\": \"golden>WeightedGap\", \"config\": {\"name\": \"gap\"", registry);
    check_described("{\"module\": \"parts\", \"class_name\": \"Spread\", \"config\": {\"name\": \"spread\", "
                    "\"dtype\": \"float32\", \"width\": 2.0}, \"registered_name\": \"Spread\"}",
                    "metric", "{\"class_name\": \"Spread\", \"config\": {\"name\": \"spread\"", registry);
    check_described("{\"module\": \"parts\", \"class_name\": \"WarmSGD\", \"config\": {\"name\": \"warm\", "
                    "\"learning_rate\": 0.5, \"clipnorm\": null, \"momentum\": 0.5, \"nesterov\": true, \"warm\": 3}, "
                    "\"registered_name\": \"golden>WarmSGD\"}",
                    "optimizer", "{\"class_name\": \"golden>WarmSGD\", \"config\": {\"name\": \"warm\"", registry);
    ks_registry_free(registry);
}

// By its name and config alone.
static void test_from_config(void **state) {
    static const char config[] = "{\"start\": 1.5, \"step\": 0.25}";
    ks_registry *registry = with_both();
    ks_object_options options = {.registry = registry};
    ks_bytes bytes = {(const uint8_t *)config, sizeof(config) - 1};
    ks_context context;
    ks_instance *instance;
    ks_text written;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_from_config(&instance, &context, "golden>Ramp", "parts", bytes, NULL),
                     KS_E_CONFIG_UNKNOWN_CLASS);
    ks_context_clear(&context);
    assert_int_equal(ks_from_config(&instance, &context, "golden>Ramp", "parts", bytes, &options), KS_OK);
    assert_int_equal(ks_serialize(&written, instance), KS_OK);
    assert_string_equal(written.data, RAMP);
    ks_free(&context, (void *)(uintptr_t)written.data);
    ks_instance_free(instance);
    assert_int_equal(context.memory.n_live, 0);
    ks_registry_free(registry);
}

// What Keras 2 calls "auto" Keras 3 knows by its meaning alone, in losses of one's own as in its own.
static void test_custom_loss_of_keras2(void **state) {
    static const char path[] = KASSAY_SOURCE_DIR "/golden/h5-legacy/tf-2.15.1/parts/compiled/model.h5";
    ks_registry *registry = with_both();
    ks_model_options options = {.registry = registry};
    ks_save_options newer = {.format = "json-v3"};
    ks_context context;
    ks_losses losses;
    ks_model *model;
    ks_bytes file;
    (void)state;
    ks_context_init(&context, NULL);
    ks_losses_init(&losses, &context, true);
    assert_int_equal(ks_model_load(&model, &context, path, &options), KS_OK);
    assert_int_equal(ks_model_save_bytes(&file, model, &newer, &losses), KS_OK);
    assert_non_null(memmem(file.data, file.size, "\"reduction\": \"sum_over_batch_size\"", 34));
    assert_null(memmem(file.data, file.size, "\"auto\"", 6));
    ks_free(&context, (void *)(uintptr_t)file.data);
    ks_model_free(model);
    ks_losses_fini(&losses);
    assert_int_equal(context.memory.n_live, 0);
    ks_registry_free(registry);
}

// How a model was compiled, with a plugin and without.
static void test_compiled(void **state) {
    static const char path[] = KASSAY_SOURCE_DIR "/golden/keras-v3/keras-3.15.1/parts/compiled/model.keras";
    static const char *const words[] = {
        "\"golden>WeightedGap\", \"config\": {\"name\": \"weighted_gap\", \"reduction\": "
        "\"sum_over_batch_size\", \"weight\": 3.0}",
        "{\"class_name\": \"Spread\", \"config\": {\"name\": \"spread\", \"dtype\": "
        "\"float32\", \"width\": 2.0}}",
        "\"class_name\": \"golden>WarmSGD\"", "\"nesterov\": false, \"warm\": 7}"};
    ks_registry *registry = with_both();
    ks_save_options older = {.format = "h5-legacy"}, newer = {.format = "keras-v3"};
    for (int given = 0; given < 2; given++) {
        ks_model_options options = {.registry = given ? registry : NULL};
        ks_context context;
        ks_losses losses;
        ks_model *model, *again;
        ks_bytes file, last;
        ks_context_init(&context, NULL);
        ks_losses_init(&losses, &context, true);
        assert_int_equal(ks_model_load(&model, &context, path, &options), KS_OK);
        assert_int_equal(ks_model_save_bytes(&file, model, &older, &losses), KS_OK);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(memmem(file.data, file.size, words[i], strlen(words[i])) != NULL, given);
        if (given) { // all but the state, of which nothing is known
            assert_int_equal(losses.count, 1);
            assert_string_equal(losses.first->name, "optimizer-state");
        } else {
            assert_non_null(strstr(losses.first->text, "WarmSGD"));
        }
        assert_int_equal(ks_model_load_bytes(&again, &context, file, "model.h5", &options), KS_OK);
        assert_int_equal(ks_model_save_bytes(&last, again, &newer, NULL), KS_OK);
        ks_free(&context, (void *)(uintptr_t)last.data);
        ks_model_free(again);
        ks_free(&context, (void *)(uintptr_t)file.data);
        ks_model_free(model);
        ks_losses_fini(&losses);
        assert_int_equal(context.memory.n_live, 0);
    }
    (void)state;
    ks_registry_free(registry);
}

// A table of version 1 begins with a package, or none, where the size is now.
static void test_versions(void **state) {
    static const char package[] = "golden";
    ks_registry *registry = ks_registry_new();
    ks_plugin_class older = {.size = 0, .name = "Older"};
    (void)state;
    assert_int_equal(ks_registry_add(registry, &older), KS_E_USAGE);
    older.size = (size_t)(uintptr_t)package;
    assert_int_equal(ks_registry_add(registry, &older), KS_E_USAGE);
    older.size = sizeof(older) - 1;
    assert_int_equal(ks_registry_add(registry, &older), KS_E_USAGE);
    older.size = sizeof(older);
    older.kind = (ks_plugin_kind)(KS_PLUGIN_SCHEDULE + 1);
    assert_int_equal(ks_registry_add(registry, &older), KS_E_USAGE);
    older.kind = KS_PLUGIN_LAYER;
    assert_int_equal(ks_registry_add(registry, &older), KS_OK);
    ks_registry_free(registry);
}

// Last: what is registered stays for the process.
static void test_registered(void **state) {
    ks_context context;
    ks_model *model;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_registry_load(ks_registry_registered(), &context, PLUGIN), KS_OK);
    assert_int_equal(load(&model, &context, NULL), KS_OK);
    check_numbers(model);
    ks_model_free(model);
    assert_unknown(dense_of_parts, NULL, KS_E_CONFIG_UNKNOWN_CLASS, "\"Ramp\"",
                   "config.json:/config/layers/1/config/kernel_initializer/class_name");
    assert_int_equal(ks_registry_load(ks_registry_registered(), &context, PARTS), KS_OK);
    check_parts(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_passed_at_load),
        cmocka_unit_test(test_in_scope),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_no_plugin),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_subclassed),
        cmocka_unit_test(test_automatic_config),
        cmocka_unit_test(test_single_objects),
        cmocka_unit_test(test_custom_config),
        cmocka_unit_test(test_names_of_legacy_files),
        cmocka_unit_test(test_objects_of_every_kind),
        cmocka_unit_test(test_objects_refused),
        cmocka_unit_test(test_kept_records),
        cmocka_unit_test(test_what_trains),
        cmocka_unit_test(test_from_config),
        cmocka_unit_test(test_compiled),
        cmocka_unit_test(test_custom_loss_of_keras2),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_registered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
