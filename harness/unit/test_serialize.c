// SPDX-License-Identifier: Apache-2.0
//
// What this library writes of an object must be what Keras writes: of every golden model of the newest Keras, and of
// every public class (golden/objects/).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdlib.h>

#include <kassay/archive.h>
#include <kassay/json.h>
#include <kassay/model.h>
#include <kassay/object.h>
#include <kassay/registry.h>
#include <kassay/source.h>

#include "object_table.h"
#include "value_difference.h"

#define GOLDEN KASSAY_SOURCE_DIR "/golden/keras-v3/keras-3.15.1/"

// The config.json that Keras put into the archive.
static ks_json *config_of(ks_context *context, const char *path) {
    ks_source *source;
    ks_archive *archive;
    ks_bytes bytes;
    ks_json *json = NULL;
    assert_int_equal(ks_source_open(&source, context, path), KS_OK);
    assert_int_equal(ks_archive_open_zip(&archive, context, ks_source_bytes(source), KS_ROAD_STRICT), KS_OK);
    assert_int_equal(ks_archive_read(&bytes, archive, ks_archive_find(archive, "config.json"), true), KS_OK);
    assert_int_equal(ks_json_parse(&json, context, bytes, KS_ROAD_STRICT), KS_OK);
    ks_archive_close(archive);
    ks_source_close(source);
    return json;
}

// Keras saves what compile() was given; a model that is loaded without compiling has an empty one.
static void forget_compile(ks_value *record) {
    ks_value *config = (ks_value *)(uintptr_t)ks_value_get(record, "compile_config");
    if (config && config->type == KS_VALUE_DICT)
        config->as.dict.count = 0;
}

static bool written_equals(const char *path, const ks_registry *custom) {
    ks_model_options options = {.registry = custom};
    char place[1024] = "";
    ks_context context;
    ks_model *model;
    ks_text text;
    ks_json *expected, *found;
    bool equal;
    ks_context_init(&context, NULL);
    if (ks_model_load(&model, &context, path, &options) != KS_OK) {
        printf("%s: %s %s\n", path, ks_code_name(context.error.code), context.error.message);
        return false;
    }
    if (ks_model_to_json(&text, model) != KS_OK) {
        printf("%s: %s %s\n", path, context.error.place, context.error.message);
        ks_model_free(model);
        return false;
    }
    expected = config_of(&context, path);
    forget_compile((ks_value *)(uintptr_t)ks_json_root(expected));
    assert_int_equal(ks_json_parse(&found, &context, (ks_bytes){(const uint8_t *)text.data, text.size}, KS_ROAD_STRICT),
                     KS_OK);
    equal = values_agree(ks_json_root(expected), ks_json_root(found), place, sizeof(place));
    if (!equal)
        printf("%s: %s\n", path, place);
    ks_json_free(expected);
    ks_json_free(found);
    ks_free(&context, (void *)(uintptr_t)text.data);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
    return equal;
}

static void test_golden_models(void **state) {
    ks_registry *custom = ks_registry_new();
    ks_context context;
    glob_t files;
    size_t different = 0;
    (void)state;
    ks_context_init(&context, NULL);
    assert_non_null(custom);
    assert_int_equal(ks_registry_load(custom, &context, KASSAY_BINARY_DIR "/lib/custom/guide.so"), KS_OK);
    assert_int_equal(ks_registry_load(custom, &context, KASSAY_BINARY_DIR "/lib/custom/parts.so"), KS_OK);
    assert_int_equal(glob(GOLDEN "*/*/model.keras", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) // but one, whose vocabulary has more lines than its config counts
        different += !strstr(files.gl_pathv[i], "lookup-adapted-newline") && !written_equals(files.gl_pathv[i], custom);
    assert_true(files.gl_pathc > 350);
    globfree(&files);
    ks_registry_free(custom);
    assert_int_equal(different, 0);
}

// --- every public class ---------------------------------------------------------------------------------------------

// False with a reason.
static bool object_agrees(const ks_value *entry, char *reason, size_t room) {
    const ks_value *output = ks_value_get(entry, "output"), *input;
    ks_object_options options;
    ks_context context;
    ks_instance *instance = NULL;
    ks_text text;
    ks_json *found;
    bool equal = false;
    reason[0] = 0;
    ks_context_init(&context, NULL);
    input = object_of_entry(entry, &options);
    assert_int_equal(ks_json_write(&text, &context, input, (ks_json_style){0, true}), KS_OK);
    if (ks_deserialize(&instance, &context, (ks_bytes){(const uint8_t *)text.data, text.size}, &options) != KS_OK) {
        snprintf(reason, room, "%s: %s", ks_code_name(context.error.code), context.error.message);
        ks_free(&context, (void *)(uintptr_t)text.data);
        return false;
    }
    ks_free(&context, (void *)(uintptr_t)text.data);
    if (ks_serialize_as(&text, instance, options.dialect) != KS_OK) {
        snprintf(reason, room, "%s: %s %s", ks_code_name(context.error.code), context.error.place,
                 context.error.message);
    } else {
        assert_int_equal(
            ks_json_parse(&found, &context, (ks_bytes){(const uint8_t *)text.data, text.size}, KS_ROAD_STRICT), KS_OK);
        equal = values_agree(output, ks_json_root(found), reason, room);
        ks_json_free(found);
        ks_free(&context, (void *)(uintptr_t)text.data);
    }
    ks_instance_free(instance);
    assert_int_equal(context.memory.n_live, 0);
    return equal;
}

// An object of Keras 2 that has gone through Keras 3's JSON, where nothing is left of its own words. False: Keras 3 has
// no word for it, or not for all of it.
static bool agrees_through_keras3(const ks_value *entry) {
    ks_object_options options, third = {.dialect = KS_DIALECT_KERAS3};
    const ks_value *input = object_of_entry(entry, &options);
    ks_instance *instance = NULL, *again = NULL;
    ks_text text = {NULL, 0}, modern = {NULL, 0}, last = {NULL, 0};
    ks_context context;
    bool equal = false;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_json_write(&text, &context, input, (ks_json_style){0, true}), KS_OK);
    if (ks_deserialize(&instance, &context, (ks_bytes){(const uint8_t *)text.data, text.size}, &options) == KS_OK &&
        ks_serialize(&modern, instance) == KS_OK &&
        ks_deserialize(&again, &context, (ks_bytes){(const uint8_t *)modern.data, modern.size}, &third) == KS_OK &&
        ks_serialize_as(&last, again, KS_DIALECT_KERAS2) == KS_OK) {
        char place[1024] = "";
        ks_json *found;
        assert_int_equal(
            ks_json_parse(&found, &context, (ks_bytes){(const uint8_t *)last.data, last.size}, KS_ROAD_STRICT), KS_OK);
        equal = values_agree(input, ks_json_root(found), place, sizeof(place));
        ks_json_free(found);
    }
    ks_free(&context, (void *)(uintptr_t)text.data);
    ks_free(&context, (void *)(uintptr_t)modern.data);
    ks_free(&context, (void *)(uintptr_t)last.data);
    ks_instance_free(instance);
    ks_instance_free(again);
    assert_int_equal(context.memory.n_live, 0);
    return equal;
}

typedef struct tally {
    char names[512][96]; ///< public classes met so far
    bool equal[512];
    size_t count;
} tally;

static void note(tally *t, const char *name, bool equal) {
    size_t i = 0;
    while (i < t->count && strcmp(t->names[i], name) != 0)
        i++;
    assert_true(i < 512);
    if (i == t->count) {
        snprintf(t->names[i], sizeof(t->names[i]), "%s", name);
        t->equal[i] = true;
        t->count++;
    }
    t->equal[i] = t->equal[i] && equal;
}

// A class that is refused for what its config holds is refused as unsafe.
static void refused_as_unsafe(const char *name) {
    char text[256];
    const char *dot = strrchr(name, '.');
    ks_context context;
    ks_instance *instance = NULL;
    ks_context_init(&context, NULL);
    snprintf(text, sizeof(text), "{\"module\": \"%.*s\", \"class_name\": \"%s\", \"config\": {}}", (int)(dot - name),
             name, dot + 1);
    assert_int_equal(ks_deserialize(&instance, &context, (ks_bytes){(const uint8_t *)text, strlen(text)}, NULL),
                     KS_E_CONFIG_UNSAFE);
    assert_int_equal(context.memory.n_live, 0);
}

// Every class that differs is listed, every listed one differs; 98 of 100 that Keras itself can write agree.
static void check_exceptions(const tally *t, const char *path) {
    char line[512];
    size_t n_listed = 0, n_abstract = 0, n_different = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        char *colon = strstr(line, ": ");
        bool found = false;
        if (line[0] == '#' || !colon)
            continue;
        *colon = 0;
        for (size_t i = 0; i < t->count; i++)
            if (strcmp(t->names[i], line) == 0 && !t->equal[i])
                found = true;
        if (!found)
            printf("%s agrees or is gone: its exception is stale\n", line);
        assert_true(found);
        n_listed++;
        n_abstract += strstr(colon + 2, "which Keras cannot write either") != NULL;
        if (strstr(colon + 2, "refused as unsafe"))
            refused_as_unsafe(line);
    }
    fclose(file);
    for (size_t i = 0; i < t->count; i++)
        n_different += !t->equal[i];
    assert_int_equal(n_different, n_listed);
    assert_true(100 * (t->count - n_different) >= 98 * (t->count - n_abstract));
}

static void check_table(const char *table, const char *exceptions, size_t least, size_t through) {
    ks_context context;
    ks_source *source;
    ks_json *json;
    const ks_value *root;
    tally *t = calloc(1, sizeof(*t));
    size_t n_equal = 0, n_through = 0;
    assert_non_null(t);
    ks_context_init(&context, NULL);
    assert_int_equal(ks_source_open(&source, &context, table), KS_OK);
    assert_int_equal(ks_json_parse(&json, &context, ks_source_bytes(source), KS_ROAD_STRICT), KS_OK);
    root = ks_json_root(json);
    for (size_t i = 0; i < root->as.list.count; i++) {
        const ks_value *entry = &root->as.list.items[i], *output = ks_value_get(entry, "output");
        char reason[1024] = "", name[96];
        bool equal = output && object_agrees(entry, reason, sizeof(reason));
        if (output && !ks_value_get(entry, "class"))
            snprintf(name, sizeof(name), "%s.%s", ks_value_get(output, "module")->text.data,
                     ks_value_get(output, "class_name")->text.data);
        else
            snprintf(name, sizeof(name), "%s", ks_value_get(entry, "class")->text.data);
        if (output && !equal)
            printf("%s: %s\n", name, reason);
        n_equal += equal;
        n_through += output && through && agrees_through_keras3(entry);
        note(t, name, equal);
    }
    assert_true(n_equal >= least);
    assert_int_equal(n_through, through);
    check_exceptions(t, exceptions);
    free(t);
    ks_json_free(json);
    ks_source_close(source);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_public_classes(void **state) {
    (void)state;
    check_table(KASSAY_SOURCE_DIR "/golden/objects/keras-3.15.1.json",
                KASSAY_SOURCE_DIR "/golden/objects/keras-3.15.1.exceptions", 500, 0);
}

static void test_public_classes_of_keras2(void **state) {
    (void)state;
    check_table(KASSAY_SOURCE_DIR "/golden/objects/tfkeras-2.21.0.json",
                KASSAY_SOURCE_DIR "/golden/objects/tfkeras-2.21.0.exceptions", 425, 366);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_models),
        cmocka_unit_test(test_public_classes),
        cmocka_unit_test(test_public_classes_of_keras2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
