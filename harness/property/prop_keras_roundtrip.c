// SPDX-License-Identifier: Apache-2.0
//
// Random models, written through the libraries, loaded by both roads: the same weights, and predictions equal bit for
// bit.
//
//   prop_keras_roundtrip [--models N] [--seed S] [--write FOLDER]
//
// A failure is made smaller, and printed with the seed and the smallest config. With --write each model is also saved
// as FOLDER/NNNN.keras with NNNN.in.npz and NNNN.out.npz, for check_with_keras.py.
#include "property/model_generator.h"
#include "runner/road_compare.h"
#include "schema/class.h"

#include <kassay/model.h>
#include <kassay/npz.h>
#include <kassay/writer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHRINK_BUDGET 2000

typedef struct trial {
    uint64_t seed; ///< of weights and inputs
    const char *folder;
    uint64_t number;
    size_t n_layers;
    char config[4000]; ///< its beginning, of the last failure
    char message[600]; ///< what went wrong, empty when nothing did
} trial;

typedef struct loaded {
    ks_model *model;
    ks_prediction *prediction;
} loaded;

static bool know_class(const char *class_name) {
    const ks_class *row = ks_class_find(ks_text_from(class_name), NULL);
    return row && !row->unsupported && !row->unsafe;
}

static bool failed(trial *test, const ks_context *context, const char *what) {
    char record[500] = "";
    if (context && context->error.code != KS_OK)
        ks_error_format(&context->error, record, sizeof record);
    snprintf(test->message, sizeof test->message, "%.80s %.500s", what, record);
    return false;
}

// --- inputs ----------------------------------------------------------------------------------------------------------

typedef struct inputs {
    ks_tensor tensors[KS_GENERATED_INPUTS];
    size_t count;
} inputs;

static bool make_inputs(inputs *out, ks_context *context, const ks_generated_model *model, int64_t batch,
                        uint64_t seed) {
    uint64_t state = seed ^ 0x5EED;
    out->count = model->n_inputs;
    for (size_t i = 0; i < out->count; i++) {
        const ks_generated_input *from = &model->inputs[i];
        ks_tensor *tensor = &out->tensors[i];
        *tensor = (ks_tensor){.dtype = from->vocabulary ? KS_INT32 : KS_FLOAT32, .shape = {from->rank + 1, {batch}}};
        size_t elements = (size_t)batch;
        for (int k = 0; k < from->rank; k++) {
            tensor->shape.dims[k + 1] = from->dims[k];
            elements *= (size_t)from->dims[k];
        }
        tensor->size = elements * 4;
        void *data = ks_allocate(context, elements, 4);
        if (!data)
            return false;
        for (size_t k = 0; k < elements; k++) {
            double unit = ks_random_unit(&state);
            if (from->vocabulary)
                ((int32_t *)data)[k] = (int32_t)((unit + 1) / 2 * (double)from->vocabulary);
            else
                ((float *)data)[k] = (float)unit;
        }
        tensor->data = data;
    }
    return true;
}

static void drop_inputs(inputs *held, ks_context *context) {
    for (size_t i = 0; i < held->count; i++)
        ks_free(context, (void *)(uintptr_t)held->tensors[i].data);
}

// --- one model -------------------------------------------------------------------------------------------------------

static bool roads_agree(trial *test, ks_context *context, const ks_generated_model *model, ks_bytes file) {
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
            return failed(test, context, "the weights are not aligned");
        if (code == KS_OK)
            code = ks_roads_compare_hdf5(&result, context, NULL, weights);
    }
    ks_archive_close(archive);
    if (code != KS_OK)
        return failed(test, context, "the roads cannot be compared:");
    if (result.outcome == KS_ROADS_DIFFER) {
        snprintf(test->message, sizeof test->message, "the roads differ at %s: %s", result.where, result.message);
        return false;
    }
    return true;
}

static bool load_and_run(loaded *out, trial *test, ks_context *context, ks_bytes file, const inputs *in, ks_road road) {
    ks_model_options options = {.road = road, .format = "keras-v3"};
    const char *name = road == KS_ROAD_STRICT ? "strict road:" : "library road:";
    if (ks_model_load_bytes(&out->model, context, file, "generated.keras", &options) != KS_OK)
        return failed(test, context, name);
    if (ks_model_predict(&out->prediction, out->model, in->tensors, in->count, KS_FLOAT32) != KS_OK)
        return failed(test, context, name);
    return true;
}

static bool same_tensor(const ks_tensor *a, const ks_tensor *b) {
    return a->dtype == b->dtype && ks_shape_equal(&a->shape, &b->shape) && a->size == b->size && a->data && b->data &&
           memcmp(a->data, b->data, a->size) == 0;
}

static bool same_weights(trial *test, const loaded *strict, const loaded *library) {
    size_t count = ks_model_weight_count(strict->model);
    if (count != ks_model_weight_count(library->model))
        return failed(test, NULL, "the roads find another number of weights");
    for (size_t i = 0; i < count; i++) {
        ks_model_weight a = ks_model_weight_at(strict->model, i);
        ks_model_weight b = ks_model_weight_at(library->model, i);
        if (strcmp(a.path, b.path) != 0 || !same_tensor(&a.tensor, &b.tensor)) {
            snprintf(test->message, sizeof test->message, "weight %zu (%s) differs", i, a.path);
            return false;
        }
    }
    return true;
}

static bool same_outputs(trial *test, const loaded *strict, const loaded *library) {
    size_t count = ks_prediction_count(strict->prediction);
    if (count != ks_prediction_count(library->prediction))
        return failed(test, NULL, "the roads give another number of outputs");
    for (size_t i = 0; i < count; i++) {
        ks_tensor a = ks_prediction_at(strict->prediction, i);
        ks_tensor b = ks_prediction_at(library->prediction, i);
        if (!same_tensor(&a, &b)) {
            snprintf(test->message, sizeof test->message, "output %zu differs", i);
            return false;
        }
    }
    return true;
}

static bool write_npz(trial *test, ks_context *context, const char *suffix, const char *prefix,
                      const ks_tensor *tensors, size_t count) {
    char path[600];
    char names[16][24];
    ks_npz_entry entries[16];
    if (count > 16)
        count = 16;
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "%s.%zu", prefix, i);
        entries[i] = (ks_npz_entry){names[i], tensors[i]};
    }
    snprintf(path, sizeof path, "%s/%04llu.%s.npz", test->folder, (unsigned long long)test->number, suffix);
    return ks_npz_write(context, path, entries, count) == KS_OK || failed(test, context, path);
}

static bool save_sample(trial *test, ks_context *context, ks_bytes file, const inputs *in,
                        const ks_prediction *prediction) {
    char path[600];
    ks_tensor outputs[16];
    size_t count = ks_prediction_count(prediction);
    snprintf(path, sizeof path, "%s/%04llu.keras", test->folder, (unsigned long long)test->number);
    if (ks_save_bytes(context, path, file) != KS_OK)
        return failed(test, context, path);
    for (size_t i = 0; i < count && i < 16; i++)
        outputs[i] = ks_prediction_at(prediction, i);
    return write_npz(test, context, "in", "input", in->tensors, in->count) &&
           write_npz(test, context, "out", "output", outputs, count);
}

static bool compare_loads(trial *test, ks_context *context, const ks_generated_model *model, ks_bytes file,
                          int64_t batch) {
    loaded strict = {NULL, NULL};
    loaded library = {NULL, NULL};
    inputs in = {.count = 0};
    bool good = make_inputs(&in, context, model, batch, test->seed) &&
                load_and_run(&strict, test, context, file, &in, KS_ROAD_STRICT) &&
                load_and_run(&library, test, context, file, &in, KS_ROAD_LIBRARY) &&
                same_weights(test, &strict, &library) && same_outputs(test, &strict, &library);
    if (good && test->folder)
        good = save_sample(test, context, file, &in, strict.prediction);
    ks_prediction_free(strict.prediction);
    ks_prediction_free(library.prediction);
    ks_model_free(strict.model);
    ks_model_free(library.model);
    drop_inputs(&in, context);
    return good;
}

static bool holds(trial *test, ks_choices *choices) {
    ks_context context;
    ks_context_init(&context, NULL);
    context.memory.limit = (uint64_t)1 << 30;
    ks_generated_model model;
    ks_bytes file = {NULL, 0};
    test->message[0] = '\0';
    int64_t batch = 1 + ks_choose(choices, 4);
    bool good =
        ks_generate_config(&model, &context, choices, know_class) == KS_OK || failed(test, &context, "no config:");
    test->n_layers = model.n_layers;
    if (good && ks_generate_file(&file, &context, &model, test->seed) != KS_OK)
        good = failed(test, &context, "no file:");
    good = good && roads_agree(test, &context, &model, file) && compare_loads(test, &context, &model, file, batch);
    if (!good)
        snprintf(test->config, sizeof test->config, "%.*s", (int)model.config.size, model.config.data);
    ks_free(&context, (void *)(uintptr_t)model.config.data);
    ks_free(&context, (void *)(uintptr_t)file.data);
    if (good && context.memory.n_live != 0)
        good = failed(test, NULL, "memory is left");
    return good;
}

static bool fails(void *argument, ks_choices *choices) {
    return !holds(argument, choices);
}

// --- many models -----------------------------------------------------------------------------------------------------

static void report(trial *test, ks_choices *choices) {
    printf("model %llu fails: %s\n", (unsigned long long)test->number, test->message);
    test->folder = NULL;
    ks_choices_shrink(choices, fails, test, SHRINK_BUDGET);
    ks_choices_replay(choices);
    holds(test, choices);
    printf("smallest model that fails (%zu layers), weights from seed %llu: %s\nchoices:", test->n_layers,
           (unsigned long long)test->seed, test->message);
    for (size_t i = 0; i < choices->count; i++)
        printf(" %u", choices->list[i]);
    printf("\nconfig: %s\n", test->config);
}

static void report_classes(void) {
    size_t known = 0;
    size_t count = 0;
    for (const char *const *name = ks_generator_classes(); *name; name++, count++)
        known += know_class(*name);
    printf("%zu of the generator's %zu classes", known, count);
    for (const char *const *name = ks_generator_classes(); *name; name++)
        if (!know_class(*name))
            printf("%s %s", known == count ? "" : ", not", *name);
    printf("\n");
}

static bool run(uint64_t seed, uint64_t models, const char *folder) {
    static ks_choices choices; // too large for a stack
    static trial test;
    size_t n_layers = 0;
    for (uint64_t i = 0; i < models; i++) {
        test = (trial){.seed = seed + i, .folder = folder, .number = i};
        ks_choices_random(&choices, seed + i);
        if (!holds(&test, &choices)) {
            report(&test, &choices);
            printf("again: --models 1 --seed %llu\n", (unsigned long long)(seed + i));
            return false;
        }
        n_layers += test.n_layers;
    }
    printf("%llu models with %zu layers hold, seeds %llu to %llu\n", (unsigned long long)models, n_layers,
           (unsigned long long)seed, (unsigned long long)(seed + models - 1));
    return true;
}

int main(int argc, char **argv) {
    uint64_t seed = 20240601;
    uint64_t models = 1000;
    const char *folder = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--models") == 0)
            models = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--write") == 0)
            folder = argv[i + 1];
    }
    report_classes();
    return run(seed, models, folder) ? 0 : 1;
}
