// SPDX-License-Identifier: Apache-2.0
//
// Random models, written through the libraries, loaded by both roads: the same weights, and predictions equal bit for
// bit.
//
//   prop_keras_roundtrip [--models N] [--seed S] [--write FOLDER]
//
// A failure is made smaller, and printed with the seed and the smallest config. With --write each model is also saved
// as FOLDER/NNNN.keras with NNNN.in.npz and NNNN.out.npz, for check_with_keras.py.
#include "property/trial.h"
#include "runner/road_compare.h"

#include <kassay/model.h>
#include <kassay/writer.h>
#include <stdio.h>
#include <string.h>

#define SHRINK_BUDGET 2000

typedef struct loaded {
    ks_model *model;
    ks_prediction *prediction;
} loaded;

// --- one model -------------------------------------------------------------------------------------------------------

static bool roads_agree(ks_trial *test, ks_context *context, const ks_generated_model *model, ks_bytes file) {
    ks_roads_result result;
    ks_bytes config = {(const uint8_t *)model->config.data, model->config.size};
    ks_archive *archive = NULL;
    ks_bytes weights = {NULL, 0};
    ks_code code = ks_roads_compare_json(&result, context, NULL, config);
    if (code == KS_OK && result.outcome != KS_ROADS_DIFFER)
        code = ks_roads_compare_archive(&result, context, NULL, file);
    if (code == KS_OK && result.outcome == KS_ROADS_AGREE) {
        code = ks_archive_open_zip(&archive, context, file, KS_ROAD_STRICT);
        const ks_archive_member *member = code == KS_OK ? ks_archive_find(archive, "model.weights.h5") : NULL;
        if (member)
            code = ks_archive_read(&weights, archive, member, true);
        if (code == KS_OK && ((uintptr_t)weights.data - (uintptr_t)file.data) % 64 != 0)
            return ks_trial_failed(test, context, "the weights are not aligned");
        if (code == KS_OK)
            code = ks_roads_compare_hdf5(&result, context, NULL, weights);
    }
    ks_archive_close(archive);
    if (code != KS_OK)
        return ks_trial_failed(test, context, "the roads cannot be compared:");
    if (result.outcome == KS_ROADS_DIFFER) {
        snprintf(test->message, sizeof test->message, "the roads differ at %s: %s", result.where, result.message);
        return false;
    }
    return true;
}

static bool load_and_run(loaded *out, ks_trial *test, ks_context *context, ks_bytes file, const ks_trial_inputs *in,
                         ks_road road) {
    ks_model_options options = {.road = road, .format = "keras-v3"};
    const char *name = road == KS_ROAD_STRICT ? "strict road:" : "library road:";
    if (ks_model_load_bytes(&out->model, context, file, "generated.keras", &options) != KS_OK)
        return ks_trial_failed(test, context, "%s", name);
    if (ks_model_predict(&out->prediction, out->model, in->tensors, in->count, KS_FLOAT32) != KS_OK)
        return ks_trial_failed(test, context, "%s", name);
    return true;
}

static bool same_weights(ks_trial *test, const loaded *strict, const loaded *library) {
    size_t count = ks_model_weight_count(strict->model);
    if (count != ks_model_weight_count(library->model))
        return ks_trial_failed(test, NULL, "the roads find another number of weights");
    for (size_t i = 0; i < count; i++) {
        ks_model_weight a = ks_model_weight_at(strict->model, i);
        ks_model_weight b = ks_model_weight_at(library->model, i);
        if (strcmp(a.path, b.path) != 0 || !ks_trial_same_tensor(&a.tensor, &b.tensor)) {
            snprintf(test->message, sizeof test->message, "weight %zu (%s) differs", i, a.path);
            return false;
        }
    }
    return true;
}

static bool same_outputs(ks_trial *test, const loaded *strict, const loaded *library) {
    size_t count = ks_prediction_count(strict->prediction);
    if (count != ks_prediction_count(library->prediction))
        return ks_trial_failed(test, NULL, "the roads give another number of outputs");
    for (size_t i = 0; i < count; i++) {
        ks_tensor a = ks_prediction_at(strict->prediction, i);
        ks_tensor b = ks_prediction_at(library->prediction, i);
        if (!ks_trial_same_tensor(&a, &b)) {
            snprintf(test->message, sizeof test->message, "output %zu differs", i);
            return false;
        }
    }
    return true;
}

static bool save_sample(ks_trial *test, ks_context *context, ks_bytes file, const ks_trial_inputs *in,
                        const ks_prediction *prediction) {
    char path[600];
    snprintf(path, sizeof path, "%s/%04llu.keras", test->folder, (unsigned long long)test->number);
    if (ks_save_bytes(context, path, file) != KS_OK)
        return ks_trial_failed(test, context, "%s", path);
    return ks_trial_write_io(test, context, in, prediction);
}

static bool compare_loads(ks_trial *test, ks_context *context, const ks_generated_model *model, ks_bytes file,
                          int64_t batch) {
    loaded strict = {NULL, NULL};
    loaded library = {NULL, NULL};
    ks_trial_inputs in = {.count = 0};
    bool good = ks_trial_make_inputs(&in, context, model, batch, test->seed) &&
                load_and_run(&strict, test, context, file, &in, KS_ROAD_STRICT) &&
                load_and_run(&library, test, context, file, &in, KS_ROAD_LIBRARY) &&
                same_weights(test, &strict, &library) && same_outputs(test, &strict, &library);
    if (good && test->folder)
        good = save_sample(test, context, file, &in, strict.prediction);
    ks_prediction_free(strict.prediction);
    ks_prediction_free(library.prediction);
    ks_model_free(strict.model);
    ks_model_free(library.model);
    ks_trial_drop_inputs(&in, context);
    return good;
}

static bool holds(ks_trial *test, ks_choices *choices) {
    ks_context context;
    ks_context_init(&context, NULL);
    context.memory.limit = (uint64_t)1 << 30;
    ks_generated_model model;
    ks_bytes file = {NULL, 0};
    test->message[0] = '\0';
    int64_t batch = 1 + ks_choose(choices, 4);
    bool good = ks_generate_config(&model, &context, choices, ks_trial_knows_class) == KS_OK ||
                ks_trial_failed(test, &context, "no config:");
    test->n_layers = model.n_layers;
    if (good && ks_generate_file(&file, &context, &model, test->seed) != KS_OK)
        good = ks_trial_failed(test, &context, "no file:");
    good = good && roads_agree(test, &context, &model, file) && compare_loads(test, &context, &model, file, batch);
    if (!good)
        snprintf(test->config, sizeof test->config, "%.*s", (int)model.config.size, model.config.data);
    ks_free(&context, (void *)(uintptr_t)model.config.data);
    ks_free(&context, (void *)(uintptr_t)file.data);
    if (good && context.memory.n_live != 0)
        good = ks_trial_failed(test, NULL, "memory is left");
    return good;
}

// --- many models -----------------------------------------------------------------------------------------------------

static void report_classes(void) {
    size_t known = 0;
    size_t count = 0;
    for (const char *const *name = ks_generator_classes(); *name; name++, count++)
        known += ks_trial_knows_class(*name);
    printf("%zu of the generator's %zu classes", known, count);
    for (const char *const *name = ks_generator_classes(); *name; name++)
        if (!ks_trial_knows_class(*name))
            printf("%s %s", known == count ? "" : ", not", *name);
    printf("\n");
}

int main(int argc, char **argv) {
    report_classes();
    return ks_trial_main(argc, argv, holds, SHRINK_BUDGET);
}
