// SPDX-License-Identifier: Apache-2.0
#include "property/trial.h"

#include "property/generated_lookup.h"
#include "schema/class.h"

#include <inttypes.h>
#include <kassay/npz.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TENSORS 16 ///< of a sample

bool ks_trial_failed(ks_trial *test, const ks_context *context, const char *what, ...) {
    va_list values;
    va_start(values, what);
    vsnprintf(test->message, sizeof test->message, what, values);
    va_end(values);
    size_t used = strlen(test->message);
    if (context && context->error.code != KS_OK && used + 2 < sizeof test->message) {
        test->message[used++] = ' ';
        ks_error_format(&context->error, test->message + used, sizeof test->message - used);
    }
    return false;
}

bool ks_trial_knows_class(const char *class_name) {
    const ks_class *row = ks_class_find(ks_text_from(class_name), NULL);
    return row && !row->unsupported && !row->unsafe;
}

// --- inputs and outputs ----------------------------------------------------------------------------------------------

static void fill(void *data, size_t elements, const ks_generated_input *from, uint64_t *state) {
    for (size_t i = 0; i < elements; i++) {
        double unit = ks_trial_unit(state);
        if (from->dtype == KS_STRING)
            ((ks_text *)data)[i] = ks_text_from(ks_generated_word((size_t)((unit + 1) / 2 * KS_GENERATED_WORDS)));
        else if (from->dtype == KS_INT32)
            ((int32_t *)data)[i] = (int32_t)((unit + 1) / 2 * (double)from->vocabulary);
        else
            ((float *)data)[i] = (float)unit;
    }
}

bool ks_trial_make_inputs(ks_trial_inputs *out, ks_context *context, const ks_generated_model *model, int64_t batch,
                          uint64_t seed) {
    uint64_t state = seed ^ 0x5EED;
    out->count = model->n_inputs;
    for (size_t i = 0; i < out->count; i++) {
        const ks_generated_input *from = &model->inputs[i];
        ks_tensor *tensor = &out->tensors[i];
        size_t elements = (size_t)batch;
        size_t size = ks_dtype_size(from->dtype);
        *tensor = (ks_tensor){.dtype = from->dtype, .shape = {from->rank + 1, {batch}}};
        for (int k = 0; k < from->rank; k++) {
            tensor->shape.dims[k + 1] = from->dims[k];
            elements *= (size_t)from->dims[k];
        }
        void *data = ks_allocate(context, elements, size);
        if (!data) {
            out->count = i;
            return false;
        }
        fill(data, elements, from, &state);
        tensor->size = elements * size;
        tensor->data = data;
    }
    return true;
}

void ks_trial_drop_inputs(ks_trial_inputs *held, ks_context *context) {
    for (size_t i = 0; i < held->count; i++)
        ks_free(context, (void *)(uintptr_t)held->tensors[i].data);
}

static bool same_texts(const ks_text *a, const ks_text *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!ks_text_equal(a[i], b[i]))
            return false;
    return true;
}

bool ks_trial_same_tensor(const ks_tensor *a, const ks_tensor *b) {
    if (a->dtype != b->dtype || !ks_shape_equal(&a->shape, &b->shape) || a->size != b->size || !a->data || !b->data)
        return false;
    return a->dtype == KS_STRING ? same_texts(a->data, b->data, a->size / sizeof(ks_text))
                                 : memcmp(a->data, b->data, a->size) == 0;
}

static bool write_npz(ks_trial *test, ks_context *context, const char *suffix, const char *prefix,
                      const ks_tensor *tensors, size_t count) {
    char path[600];
    char names[MAX_TENSORS][24];
    ks_npz_entry entries[MAX_TENSORS];
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "%s.%zu", prefix, i);
        entries[i] = (ks_npz_entry){names[i], tensors[i]};
    }
    snprintf(path, sizeof path, "%s/%04" PRIu64 ".%s.npz", test->folder, test->number, suffix);
    return ks_npz_write(context, path, entries, count) == KS_OK || ks_trial_failed(test, context, "%s", path);
}

bool ks_trial_write_io(ks_trial *test, ks_context *context, const ks_trial_inputs *in,
                       const ks_prediction *prediction) {
    ks_tensor outputs[MAX_TENSORS];
    size_t count = ks_prediction_count(prediction);
    if (count > MAX_TENSORS || in->count > MAX_TENSORS)
        return ks_trial_failed(test, NULL, "more inputs or outputs than a sample holds");
    for (size_t i = 0; i < count; i++)
        outputs[i] = ks_prediction_at(prediction, i);
    return write_npz(test, context, "in", "input", in->tensors, in->count) &&
           write_npz(test, context, "out", "output", outputs, count);
}

// --- many models -----------------------------------------------------------------------------------------------------

typedef struct shrinking {
    ks_trial *test;
    ks_trial_property holds;
} shrinking;

static bool fails(void *argument, ks_choices *choices) {
    const shrinking *s = argument;
    return !s->holds(s->test, choices);
}

static void report(ks_trial *test, ks_choices *choices, ks_trial_property holds, size_t budget) {
    printf("model %" PRIu64 " fails: %s\n", test->number, test->message);
    test->folder = NULL;
    ks_choices_shrink(choices, fails, &(shrinking){test, holds}, budget);
    ks_choices_replay(choices);
    holds(test, choices);
    printf("smallest model that fails (%zu layers), weights from seed %" PRIu64 ": %s\nchoices:", test->n_layers,
           test->seed, test->message);
    for (size_t i = 0; i < choices->count; i++)
        printf(" %u", choices->list[i]);
    printf("\nconfig: %s\nagain: --models 1 --seed %" PRIu64 "\n", test->config, test->seed);
}

static bool run(uint64_t seed, uint64_t models, const char *folder, ks_trial_property holds, size_t budget) {
    static ks_choices choices; // too large for a stack
    static ks_trial test;
    size_t n_layers = 0;
    for (uint64_t i = 0; i < models; i++) {
        test = (ks_trial){.seed = seed + i, .folder = folder, .number = i};
        ks_choices_random(&choices, seed + i);
        if (!holds(&test, &choices)) {
            report(&test, &choices, holds, budget);
            return false;
        }
        n_layers += test.n_layers;
    }
    printf("%" PRIu64 " models with %zu layers hold, seeds %" PRIu64 " to %" PRIu64 "\n", models, n_layers, seed,
           seed + models - 1);
    return true;
}

int ks_trial_main(int argc, char **argv, ks_trial_property holds, size_t budget) {
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
    return run(seed, models, folder, holds, budget) ? 0 : 1;
}
