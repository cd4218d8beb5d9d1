// SPDX-License-Identifier: Apache-2.0
//
// No silent loss between the generations: of every public class (golden/objects/), every key is given another value;
// the object in the words of the other generation must then be another one, or be refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <kassay/json.h>
#include <kassay/object.h>
#include <kassay/save.h>
#include <kassay/source.h>

#include "object_table.h"

/// A key that the other generation need not hear of, and why.
typedef struct exemption {
    const char *class_name; ///< "*": any
    const char *key;        ///< "layer/units": of an object in the config
    const char *why;
    bool met;
} exemption;

// Of tf_keras, in Keras 3.
static exemption of_keras2[] = {
    {"*", "jit_compile", "how it is computed", false},
    {"*", "dynamic", "how it is computed", false},
    {"*", "implementation", "how it is computed", false},
    {"Bidirectional", "layer/implementation", "how it is computed", false},
    {"RNN", "cell/implementation", "how it is computed", false},
    {"AUC", "num_thresholds", "the thresholds tell it", false},
    {"Embedding", "batch_input_shape", "the wiring tells it", false},
    {"Embedding", "input_length", "the wiring tells it", false},
    {"MultiHeadAttention", "query_shape", "the calls tell it", false},
    {"MultiHeadAttention", "key_shape", "the calls tell it", false},
    {"MultiHeadAttention", "value_shape", "the calls tell it", false},
    {"SeparableConv1D", "kernel_initializer", "there is no such kernel", false},
    {"SeparableConv1D", "kernel_initializer/seed", "there is no such kernel", false},
    {"SeparableConv1D", "kernel_regularizer", "there is no such kernel", false},
    {"SeparableConv1D", "kernel_constraint", "there is no such kernel", false},
    {"SeparableConv2D", "kernel_initializer", "there is no such kernel", false},
    {"SeparableConv2D", "kernel_initializer/seed", "there is no such kernel", false},
    {"SeparableConv2D", "kernel_regularizer", "there is no such kernel", false},
    {"SeparableConv2D", "kernel_constraint", "there is no such kernel", false},
    {"SpatialDropout1D", "noise_shape", "it makes its own", false},
    {"SpatialDropout2D", "noise_shape", "it makes its own", false},
    {"SpatialDropout3D", "noise_shape", "it makes its own", false},
    {"SpatialDropout1D", "trainable", "it has no weights", false},
    {"SpatialDropout2D", "trainable", "it has no weights", false},
    {"SpatialDropout3D", "trainable", "it has no weights", false},
    {"Discretization", "trainable", "it has no weights", false},
    {"HashedCrossing", "trainable", "it has no weights", false},
    {"IntegerLookup", "vocabulary_size", "the vocabulary tells it", false},
    {"StringLookup", "vocabulary_size", "the vocabulary tells it", false},
    {"TextVectorization", "vocabulary_size", "the vocabulary tells it", false},
};

// Of Keras 3, in tf_keras.
static exemption of_keras3[] = {
    {"AUC", "num_thresholds", "the thresholds tell it", false},
    {"Bidirectional", "layer/zero_output_for_mask", "both set it to return_sequences", false},
    {"Bidirectional", "backward_layer/zero_output_for_mask", "both set it to return_sequences", false},
    {"IntegerLookup", "vocabulary_size", "the vocabulary tells it", false},
    {"StringLookup", "vocabulary_size", "the vocabulary tells it", false},
    {"TextVectorization", "vocabulary_size", "the vocabulary tells it", false},
    {"Resizing", "fill_mode", "of pad_to_aspect_ratio, which is refused", false},
    {"Resizing", "fill_value", "of pad_to_aspect_ratio, which is refused", false},
};

typedef struct tally {
    exemption *exemptions;
    size_t n_exemptions;
    size_t n_carried, n_told, n_refused,
        n_silent; ///< keys that made a difference, were told, could not be read, are lost
} tally;

/// In the words of the other generation; NULL text and a message when it cannot be said, nothing when it is not read.
typedef struct answer {
    bool read;
    ks_text text;
    char message[700];
} answer;

static void convert(answer *out, ks_context *context, const ks_value *record, const ks_object_options *options) {
    ks_dialect other = options->dialect == KS_DIALECT_KERAS2 ? KS_DIALECT_KERAS3 : KS_DIALECT_KERAS2;
    ks_instance *instance = NULL;
    ks_text text;
    memset(out, 0, sizeof *out);
    if (ks_json_write(&text, context, record, (ks_json_style){0, true}) != KS_OK)
        fail_msg("%s", context->error.message);
    out->read = ks_deserialize(&instance, context, (ks_bytes){(const uint8_t *)text.data, text.size}, options) == KS_OK;
    if (out->read && ks_serialize_as(&out->text, instance, other) != KS_OK)
        snprintf(out->message, sizeof out->message, "%s %s", context->error.place, context->error.message);
    ks_context_clear(context);
    ks_instance_free(instance);
    ks_free(context, (void *)(uintptr_t)text.data);
}

static void forget(answer *a, ks_context *context) {
    ks_free(context, (void *)(uintptr_t)a->text.data);
    a->text = (ks_text){NULL, 0};
}

static bool is_exempt(tally *t, const char *class_name, const char *path) {
    for (size_t i = 0; i < t->n_exemptions; i++) {
        exemption *e = &t->exemptions[i];
        if ((e->class_name[0] == '*' || strcmp(e->class_name, class_name) == 0) && strcmp(e->key, path) == 0)
            return e->met = true;
    }
    return false;
}

/// One key of the entry with another value.
typedef struct attempt {
    ks_context *context;
    const ks_value *root; ///< the record
    const ks_object_options *options;
    const char *class_name;
    const answer *before;
    tally *tally;
    char path[200]; ///< of the key: "layer/units"
} attempt;

static void print_value(ks_context *context, const ks_value *value) {
    ks_text text;
    if (ks_json_write(&text, context, value, (ks_json_style){0, true}) == KS_OK)
        printf("%s", text.data);
    ks_free(context, (void *)(uintptr_t)text.data);
}

/// True when the value could be read.
static bool try_value(const attempt *a, ks_member *member, ks_value value) {
    const ks_value kept = member->value;
    bool said;
    answer after;
    member->value = value;
    convert(&after, a->context, a->root, a->options);
    if (!after.read) {
        a->tally->n_refused++;
    } else if (!after.text.data) {
        said = strstr(after.message, member->key.data) != NULL || strstr(after.message, a->class_name) != NULL ||
               (value.type == KS_VALUE_STRING && strstr(after.message, value.text.data) != NULL);
        a->tally->n_told += said;
        if (!said && a->before->text.data) {
            printf("%s.%s: told without its name: %s\n", a->class_name, member->key.data, after.message);
            a->tally->n_silent++;
        }
    } else if (!a->before->text.data || !ks_text_equal(after.text, a->before->text)) {
        a->tally->n_carried++;
    } else if (!is_exempt(a->tally, a->class_name, a->path)) {
        a->tally->n_silent++;
        printf("%s.%s: lost in silence: ", a->class_name, a->path);
        print_value(a->context, &kept);
        printf(" and ");
        print_value(a->context, &value);
        printf("\n");
    }
    member->value = kept;
    forget(&after, a->context);
    return after.read;
}

static ks_value changed_number(const ks_value *value) {
    ks_value other = *value;
    other.text = (ks_text){NULL, 0};
    if (value->type == KS_VALUE_BOOL)
        other.as.boolean = !value->as.boolean;
    else if (value->type == KS_VALUE_INT)
        other.as.integer++;
    else
        other.as.number = value->as.number + 0.0625;
    return other;
}

/// Values that the key has in other entries of this class.
static void try_others(const attempt *a, const ks_value *table, ks_member *member) {
    for (size_t i = 0; i < table->as.list.count; i++) {
        const ks_value *record = ks_value_get(&table->as.list.items[i], "output");
        const ks_value *name = ks_value_get(record, "class_name");
        const ks_value *value = ks_value_get(ks_value_get(record, "config"), member->key.data);
        if (record != a->root && name && value && ks_value_is_text(name, a->class_name) &&
            !same_value(a->context, value, &member->value))
            try_value(a, member, *value);
    }
}

static void try_key(const attempt *a, const ks_value *table, ks_member *member) {
    ks_value_type type = member->value.type;
    if (type == KS_VALUE_BOOL || (type == KS_VALUE_INT && member->value.fits) || type == KS_VALUE_FLOAT)
        try_value(a, member, changed_number(&member->value));
    if (type == KS_VALUE_NULL) {
        ks_value guess = {.type = KS_VALUE_INT, .fits = true};
        guess.as.integer = 2;
        try_value(a, member, guess);
        guess.type = KS_VALUE_FLOAT;
        guess.as.number = 0.75;
        try_value(a, member, guess);
        guess = (ks_value){.type = KS_VALUE_STRING, .text = ks_text_from("l2")};
        try_value(a, member, guess);
    }
    try_others(a, table, member);
}

/// The keys of objects in the config as well: those of a layer's initializers.
static void try_keys(attempt *a, const ks_value *table, ks_value *config) {
    size_t size = strlen(a->path);
    if (config->type != KS_VALUE_DICT)
        return;
    for (size_t i = 0; i < config->as.dict.count; i++) {
        ks_member *member = &config->as.dict.members[i];
        ks_value *inner = (ks_value *)(uintptr_t)ks_value_get(&member->value, "config"); // the table is ours
        snprintf(a->path + size, sizeof a->path - size, "%s%s", size ? "/" : "", member->key.data);
        try_key(a, table, member);
        if (inner)
            try_keys(a, table, inner);
    }
    a->path[size] = 0;
}

static void check_table(const char *path, tally *t) {
    ks_context context;
    ks_source *source;
    ks_json *json;
    const ks_value *root;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_source_open(&source, &context, path), KS_OK);
    assert_int_equal(ks_json_parse(&json, &context, ks_source_bytes(source), KS_ROAD_STRICT), KS_OK);
    root = ks_json_root(json);
    for (size_t i = 0; i < root->as.list.count; i++) {
        const ks_value *entry = &root->as.list.items[i], *output = ks_value_get(entry, "output"), *record;
        ks_object_options options;
        answer before;
        if (!output)
            continue;
        object_of_entry(entry, &options);
        record = output;
        convert(&before, &context, record, &options);
        if (before.read) {
            attempt a = {&context, record, &options, ks_value_get(record, "class_name")->text.data, &before, t, ""};
            try_keys(&a, root, (ks_value *)(uintptr_t)ks_value_get(record, "config")); // the table is ours
        }
        forget(&before, &context);
    }
    ks_json_free(json);
    ks_source_close(source);
    assert_int_equal(context.memory.n_live, 0);
    printf("%zu carried, %zu told, %zu not read, %zu lost in silence\n", t->n_carried, t->n_told, t->n_refused,
           t->n_silent);
    for (size_t i = 0; i < t->n_exemptions; i++)
        if (!t->exemptions[i].met)
            printf("%s.%s makes a difference or is gone: its line is stale\n", t->exemptions[i].class_name,
                   t->exemptions[i].key);
    for (size_t i = 0; i < t->n_exemptions; i++)
        assert_true(t->exemptions[i].met);
    assert_int_equal(t->n_silent, 0);
}

static void test_keras2_to_keras3(void **state) {
    tally t = {of_keras2, sizeof of_keras2 / sizeof of_keras2[0], 0, 0, 0, 0};
    (void)state;
    check_table(KASSAY_SOURCE_DIR "/golden/objects/tfkeras-2.21.0.json", &t);
}

static void test_keras3_to_keras2(void **state) {
    tally t = {of_keras3, sizeof of_keras3 / sizeof of_keras3[0], 0, 0, 0, 0};
    (void)state;
    check_table(KASSAY_SOURCE_DIR "/golden/objects/keras-3.15.1.json", &t);
}

// --- models ---------------------------------------------------------------------------------------------------------

/// A Sequential model of Keras 2 with one layer.
static ks_model *model_of(ks_context *context, const char *layer, const char *config) {
    ks_model *model = NULL;
    char text[600];
    snprintf(text, sizeof text,
             "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": [{\"class_name\": \"%s\", "
             "\"config\": {\"name\": \"l\", \"batch_input_shape\": [null, 3], %s}}]}, \"keras_version\": \"2.15.0\"}",
             layer, config);
    ks_context_init(context, NULL);
    if (ks_model_load_bytes(&model, context, (ks_bytes){(const uint8_t *)text, strlen(text)}, "model.json", NULL) !=
        KS_OK)
        fail_msg("%s", context->error.message);
    return model;
}

/// The only loss of saving as json-v3 names this, and json-legacy has `kept` without a loss.
static void check_model(const char *layer, const char *config, const char *named, const char *kept) {
    ks_save_options modern = {.format = "json-v3"}, older = {.format = "json-legacy"};
    ks_context context;
    ks_model *model = model_of(&context, layer, config), *clone = NULL;
    ks_losses losses;
    ks_bytes bytes;
    ks_losses_init(&losses, &context, true);
    assert_int_equal(ks_model_save_bytes(&bytes, model, &modern, NULL), KS_E_SAVE_LOSS);
    assert_non_null(strstr(context.error.message, named));
    ks_context_clear(&context);
    assert_int_equal(ks_model_save_bytes(&bytes, model, &modern, &losses), KS_OK);
    assert_int_equal(losses.count, 1);
    assert_non_null(strstr(losses.first->text, named));
    assert_non_null(strstr(losses.first->place, "/config/layers/1/config/"));
    ks_free(&context, (void *)(uintptr_t)bytes.data);
    ks_losses_fini(&losses);
    assert_int_equal(ks_model_save_bytes(&bytes, model, &older, NULL), KS_OK);
    assert_non_null(memmem(bytes.data, bytes.size, kept, strlen(kept)));
    ks_free(&context, (void *)(uintptr_t)bytes.data);
    if (strcmp(layer, "Dense") == 0) {
        assert_int_equal(ks_model_clone(&clone, model, 1), KS_OK);
        assert_true(*(const float *)ks_model_weight_at(clone, 0).tensor.data == 2.5F);
    }
    ks_model_free(clone);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_models(void **state) {
    (void)state;
    check_model("Dense",
                "\"units\": 3, \"kernel_initializer\": {\"class_name\": \"Identity\", \"config\": {\"gain\": 2.5}}",
                "\"gain\"", "{\"gain\": 2.5}");
    check_model("Discretization", "\"dtype\": \"int64\", \"bin_boundaries\": [0.0, 1.0], \"output_mode\": \"int\"",
                "int32", "\"bin_boundaries\": [0.0, 1.0]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keras2_to_keras3),
        cmocka_unit_test(test_keras3_to_keras2),
        cmocka_unit_test(test_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
