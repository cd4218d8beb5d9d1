// SPDX-License-Identifier: Apache-2.0
//
// Random models through every format and through chains of formats: the same weights and predictions, bit for bit, the
// same configs of all layers, and, back in the first format, the same file, byte for byte. What Keras 2 does not write
// (the shapes that a layer was built with, arguments of a call that are null) may be missing after its formats; a
// second time through them then gives the same bytes. Two saves of one model are equal.
//
//   prop_conversions [--models N] [--seed S] [--write FOLDER]
//
// A failure is made smaller, and printed with the seed and the smallest config. With --write each model is saved in
// every format as FOLDER/NNNN.…, with NNNN.in.npz and NNNN.out.npz.
#include "property/trial.h"

#include <kassay/json.h>
#include <kassay/model.h>
#include <kassay/save.h>
#include <kassay/writer.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHRINK_BUDGET 500
#define CHAIN 3

/// Formats that are one file and hold weights.
static const char *const carriers[] = {"keras-v3", "weights-v3", "h5-legacy", "h5-weights-legacy"};
static const char *const documents[] = {"json-v3", "json-legacy"};

#define N_CARRIERS (sizeof carriers / sizeof carriers[0])

static char architecture[64]; ///< a file with the model's JSON, for weights without one
static bool legacy;           ///< Keras 2 has words for the model
static size_t n_legacy;       ///< models that it has words for

static bool failed(ks_trial *test, const ks_context *context, const char *what, const char *format) {
    return ks_trial_failed(test, context, "%.100s (%.40s)", what, format);
}

static bool is_legacy(const char *format) {
    return strstr(format, "legacy") != NULL;
}

static ks_model *load(ks_trial *test, ks_context *context, ks_bytes file, const char *format) {
    ks_model_options options = {.format = format};
    ks_model *model = NULL;
    if (strstr(format, "weights"))
        options.architecture = architecture;
    if (ks_model_load_bytes(&model, context, file, "converted", &options) != KS_OK) {
        failed(test, context, "what was written cannot be loaded", format);
        return NULL;
    }
    return model;
}

static bool save(ks_bytes *out, ks_trial *test, ks_context *context, ks_model *model, const char *format) {
    ks_save_options options = {.format = format};
    return ks_model_save_bytes(out, model, &options, NULL) == KS_OK || failed(test, context, "cannot be saved", format);
}

static void drop(ks_context *context, ks_bytes bytes) {
    ks_free(context, (void *)(uintptr_t)bytes.data);
}

static bool same_bytes(ks_bytes a, ks_bytes b) {
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

// --- outputs -------------------------------------------------------------------------------------------------------

static bool predicts_same(ks_trial *test, ks_context *context, ks_model *model, const ks_trial_inputs *in,
                          const ks_prediction *expected, const char *format) {
    ks_prediction *found = NULL;
    bool same = ks_model_predict(&found, model, in->tensors, in->count, KS_FLOAT32) == KS_OK &&
                ks_prediction_count(found) == ks_prediction_count(expected);
    for (size_t i = 0; same && i < ks_prediction_count(expected); i++) {
        ks_tensor a = ks_prediction_at(found, i);
        ks_tensor b = ks_prediction_at(expected, i);
        same = ks_trial_same_tensor(&a, &b);
    }
    ks_prediction_free(found);
    return same || failed(test, context, "predicts something else", format);
}

// --- configs ---------------------------------------------------------------------------------------------------------

static bool is_null(const ks_value *value) {
    return value->type == KS_VALUE_NULL;
}

/// `b` may lack "build_config" and "inbound_nodes" (the graph is compared by predictions), and keys that are null in
/// `a`.
static bool same_config(const ks_value *a, const ks_value *b, char *where, size_t room) {
    size_t size = strlen(where);
    if (a->type == KS_VALUE_LIST && b->type == KS_VALUE_LIST && a->as.list.count == b->as.list.count) {
        for (size_t i = 0; i < a->as.list.count; i++) {
            snprintf(where + size, room - size, "/%zu", i);
            if (!same_config(&a->as.list.items[i], &b->as.list.items[i], where, room))
                return false;
        }
        where[size] = '\0';
        return true;
    }
    if (a->type != KS_VALUE_DICT || b->type != KS_VALUE_DICT)
        return ks_value_equal(a, b);
    for (size_t i = 0; i < a->as.dict.count; i++) {
        const ks_member *member = &a->as.dict.members[i];
        if (ks_text_is(member->key, "build_config") || ks_text_is(member->key, "inbound_nodes"))
            continue;
        snprintf(where + size, room - size, "/%.*s", (int)member->key.size, member->key.data);
        const ks_value *other = NULL;
        for (size_t k = 0; k < b->as.dict.count; k++)
            if (b->as.dict.members[k].key.size == member->key.size &&
                memcmp(b->as.dict.members[k].key.data, member->key.data, member->key.size) == 0)
                other = &b->as.dict.members[k].value;
        if (other ? !same_config(&member->value, other, where, room) : !is_null(&member->value))
            return false;
    }
    where[size] = '\0';
    return true;
}

static bool same_configs(ks_trial *test, ks_context *context, ks_bytes a, ks_bytes b, const char *format) {
    ks_json *first = NULL;
    ks_json *second = NULL;
    char where[400] = "";
    bool parsed = ks_json_parse(&first, context, a, KS_ROAD_STRICT) == KS_OK &&
                  ks_json_parse(&second, context, b, KS_ROAD_STRICT) == KS_OK;
    bool same = parsed && same_config(ks_json_root(first), ks_json_root(second), where, sizeof where);
    ks_json_free(first);
    ks_json_free(second);
    return same || failed(test, context, where[0] ? where : "the config changes", format);
}

// --- one model -------------------------------------------------------------------------------------------------------

typedef struct original {
    ks_model *model;
    ks_bytes file; ///< as keras-v3
    ks_bytes json; ///< as json-v3
    ks_trial_inputs in;
    ks_prediction *prediction;
} original;

static bool same_weights(ks_trial *test, ks_context *context, ks_model *a, ks_model *b, const char *format) {
    ks_bytes first = {NULL, 0};
    ks_bytes second = {NULL, 0};
    bool same = save(&first, test, context, a, "weights-v3") && save(&second, test, context, b, "weights-v3") &&
                (same_bytes(first, second) || failed(test, NULL, "other weights", format));
    drop(context, first);
    drop(context, second);
    return same;
}

static ks_model *convert(ks_bytes *file, ks_trial *test, ks_context *context, ks_model *from, const char *format) {
    return save(file, test, context, from, format) ? load(test, context, *file, format) : NULL;
}

/// `file` is the model in one format: saved again it gives the same bytes; a second way there and back too.
static bool again(ks_trial *test, ks_context *context, ks_model *model, const char *format) {
    ks_bytes files[4] = {{NULL, 0}};
    ks_model *second = NULL;
    bool good = save(&files[0], test, context, model, "keras-v3") &&
                (second = convert(&files[1], test, context, model, format)) != NULL &&
                save(&files[2], test, context, second, "keras-v3") && save(&files[3], test, context, second, format) &&
                ((same_bytes(files[0], files[2]) && same_bytes(files[1], files[3])) ||
                 failed(test, NULL, "the second time gives another file", format));
    ks_model_free(second);
    for (size_t i = 0; i < 4; i++)
        drop(context, files[i]);
    return good;
}

static bool through(ks_trial *test, ks_context *context, const original *from, const char *format) {
    ks_bytes file = {NULL, 0};
    ks_bytes other = {NULL, 0};
    ks_bytes back = {NULL, 0};
    ks_bytes config = {NULL, 0};
    ks_model *model = convert(&file, test, context, from->model, format);
    bool exact = strcmp(format, "h5-legacy") != 0;
    bool good =
        model && save(&other, test, context, from->model, format) &&
        (same_bytes(file, other) || failed(test, NULL, "two saves differ", format)) &&
        predicts_same(test, context, model, &from->in, from->prediction, format) &&
        same_weights(test, context, from->model, model, format) && save(&back, test, context, model, "keras-v3") &&
        save(&config, test, context, model, "json-v3") &&
        (!exact || same_bytes(back, from->file) || failed(test, NULL, "the way back gives another file", format)) &&
        same_configs(test, context, from->json, config, format) && again(test, context, model, format);
    ks_model_free(model);
    drop(context, file);
    drop(context, other);
    drop(context, back);
    drop(context, config);
    return good;
}

static bool document_through(ks_trial *test, ks_context *context, const original *from, const char *format) {
    ks_bytes files[4] = {{NULL, 0}};
    ks_model *model = convert(&files[0], test, context, from->model, format);
    bool exact = strcmp(format, "json-v3") == 0;
    bool good = model && save(&files[1], test, context, model, "json-v3") &&
                (!exact || same_bytes(files[1], from->json) ||
                 failed(test, NULL, "the way back gives another config", format)) &&
                same_configs(test, context, from->json, files[1], format) &&
                save(&files[2], test, context, model, format) &&
                (same_bytes(files[0], files[2]) || failed(test, NULL, "the second time gives another file", format));
    ks_model_free(model);
    for (size_t i = 0; i < 4; i++)
        drop(context, files[i]);
    return good;
}

/// A → B → C → D → A.
static bool chain(ks_trial *test, ks_context *context, const original *from, ks_choices *choices) {
    ks_bytes held[CHAIN + 1] = {{NULL, 0}};
    ks_model *models[CHAIN + 1] = {NULL};
    char name[120] = "";
    ks_model *model = from->model;
    bool exact = true;
    bool good = true;
    for (size_t i = 0; good && i <= CHAIN; i++) {
        const char *format = i == CHAIN ? "keras-v3" : carriers[ks_choose(choices, N_CARRIERS)];
        if (is_legacy(format) && !legacy)
            format = "weights-v3";
        exact = strstr(format, "weights") ? i < CHAIN : exact && strcmp(format, "h5-legacy") != 0;
        snprintf(name + strlen(name), sizeof name - strlen(name), "%s ", format);
        models[i] = model = convert(&held[i], test, context, model, format);
        good = model != NULL;
    }
    good = good && predicts_same(test, context, model, &from->in, from->prediction, name) &&
           same_weights(test, context, from->model, model, name) &&
           (!exact || same_bytes(held[CHAIN], from->file) || failed(test, NULL, "a chain gives another file", name));
    for (size_t i = 0; i <= CHAIN; i++) {
        ks_model_free(models[i]);
        drop(context, held[i]);
    }
    return good;
}

static bool check_legacy(ks_trial *test, ks_context *context, ks_model *model) {
    ks_bytes file = {NULL, 0};
    ks_save_options options = {.format = "json-legacy"};
    ks_code code = ks_model_save_bytes(&file, model, &options, NULL);
    drop(context, file);
    legacy = code == KS_OK;
    if (code != KS_OK && code != KS_E_SAVE_NO_WORD)
        return failed(test, context, "cannot be saved", "json-legacy");
    if (code != KS_OK)
        ks_context_clear(context);
    return true;
}

static bool write_architecture(ks_trial *test, ks_context *context, const original *from) {
    return ks_save_bytes(context, architecture, from->json) == KS_OK ||
           failed(test, context, "the architecture cannot be written", architecture);
}

static bool write_sample(ks_trial *test, ks_context *context, const original *from) {
    static const char *const files[][2] = {
        {"keras", "keras-v3"},
        {"weights.h5", "weights-v3"},
        {"weights.json", "weights-v3-sharded"},
        {"folder", "keras-v3-dir"},
        {"json", "json-v3"},
        {"h5", "h5-legacy"},
        {"legacy.h5", "h5-weights-legacy"},
        {"legacy.json", "json-legacy"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[600];
        ks_save_options options = {.format = files[i][1], .shard_bytes = 4096};
        snprintf(path, sizeof path, "%s/%04llu.%s", test->folder, (unsigned long long)test->number, files[i][0]);
        if ((legacy || !is_legacy(files[i][1])) && ks_model_save(from->model, path, &options, NULL) != KS_OK)
            return failed(test, context, "cannot be saved", files[i][1]);
    }
    return ks_trial_write_io(test, context, &from->in, from->prediction);
}

static bool convert_all(ks_trial *test, ks_context *context, const original *from, ks_choices *choices) {
    bool good = write_architecture(test, context, from) && check_legacy(test, context, from->model);
    for (size_t i = 0; good && i < N_CARRIERS; i++)
        good = (is_legacy(carriers[i]) && !legacy) || through(test, context, from, carriers[i]);
    for (size_t i = 0; good && i < 2; i++)
        good = (is_legacy(documents[i]) && !legacy) || document_through(test, context, from, documents[i]);
    return good && chain(test, context, from, choices) && (!test->folder || write_sample(test, context, from));
}

static bool holds(ks_trial *test, ks_choices *choices) {
    ks_context context;
    ks_generated_model model;
    ks_bytes file = {NULL, 0};
    original from = {0};
    ks_context_init(&context, NULL);
    context.memory.limit = (uint64_t)1 << 30;
    test->message[0] = '\0';
    bool good = ks_generate_config(&model, &context, choices, ks_trial_knows_class) == KS_OK ||
                failed(test, &context, "no config", "");
    test->n_layers = model.n_layers;
    good = good &&
           (ks_generate_file(&file, &context, &model, test->seed) == KS_OK || failed(test, &context, "no file", ""));
    good = good && (from.model = load(test, &context, file, "keras-v3")) != NULL &&
           save(&from.file, test, &context, from.model, "keras-v3") &&
           save(&from.json, test, &context, from.model, "json-v3") &&
           ks_trial_make_inputs(&from.in, &context, &model, 3, test->seed) &&
           (ks_model_predict(&from.prediction, from.model, from.in.tensors, from.in.count, KS_FLOAT32) == KS_OK ||
            failed(test, &context, "cannot be run", "")) &&
           convert_all(test, &context, &from, choices);
    if (!good)
        snprintf(test->config, sizeof test->config, "%.*s", (int)model.config.size, model.config.data);
    ks_prediction_free(from.prediction);
    ks_model_free(from.model);
    ks_trial_drop_inputs(&from.in, &context);
    drop(&context, from.file);
    drop(&context, from.json);
    drop(&context, file);
    ks_free(&context, (void *)(uintptr_t)model.config.data);
    if (good && context.memory.n_live != 0)
        good = failed(test, NULL, "memory is left", "");
    n_legacy += good && legacy;
    return good;
}

int main(int argc, char **argv) {
    snprintf(architecture, sizeof architecture, "/tmp/kassay-conversions-%ld.json", (long)getpid());
    int status = ks_trial_main(argc, argv, holds, SHRINK_BUDGET);
    unlink(architecture);
    printf("%zu of them in the formats of Keras 2\n", n_legacy);
    return status;
}
