// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kassay/save.h>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/npz_inputs.h"

extern const ks_command ks_command_bench;

#define MAX_RUNS 100000
#define WANTED_NS ((uint64_t)1000000000) ///< time spent, unless one run takes longer

typedef struct bench {
    const char *path;
    ks_model_options options;
    ks_limits limits;
    ks_inputs inputs;
    ks_context context; ///< of the loaded model, for predict and save
    const char *out;    ///< where save writes
    ks_save_options save;
    ks_model *model;
    uint64_t peak;
    bool json;
} bench;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static ks_code run_load(bench *b, ks_context *context) {
    ks_model *model;
    ks_code code = ks_model_load(&model, context, b->path, &b->options);
    if (code == KS_OK)
        ks_model_free(model);
    return code;
}

static ks_code run_predict(bench *b, ks_context *context) {
    ks_prediction *prediction;
    ks_code code = ks_model_predict(&prediction, b->model, b->inputs.tensors, b->inputs.count, KS_FLOAT32);
    (void)context;
    if (code == KS_OK)
        ks_prediction_free(prediction);
    return code;
}

static ks_code run_save(bench *b) {
    return ks_model_save(b->model, b->out, &b->save, NULL);
}

/// predict and save work on a model that was loaded before.
static bool has_model(const bench *b) {
    return b->model != NULL;
}

static ks_code run_once(bench *b, const char *what, uint64_t *ns) {
    ks_context context;
    uint64_t start = now();
    ks_code code;
    ks_context_init(&context, &b->limits);
    if (strcmp(what, "predict") == 0)
        code = run_predict(b, &b->context);
    else if (strcmp(what, "save") == 0)
        code = run_save(b);
    else if (strcmp(what, "load") == 0)
        code = run_load(b, &context);
    else
        code = ks_model_check(&context, b->path, &b->options);
    *ns = now() - start;
    {
        const ks_context *used = has_model(b) ? &b->context : &context;
        if (used->memory.peak > b->peak)
            b->peak = used->memory.peak;
        if (code != KS_OK)
            ks_report_error(used, b->json);
    }
    return code;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int measure(bench *b, const char *what) {
    uint64_t *times = malloc(MAX_RUNS * sizeof(*times)), total = 0;
    size_t count = 0;
    ks_code code = KS_OK;
    if (!times)
        return KS_EXIT_INTERNAL;
    while (code == KS_OK && count < MAX_RUNS && (count < 3 || total < WANTED_NS)) {
        code = run_once(b, what, &times[count]);
        total += times[count++];
    }
    if (code == KS_OK) {
        qsort(times, count, sizeof(*times), compare);
        if (b->json)
            printf("{\"median_ns\": %llu, \"min_ns\": %llu, \"runs\": %zu, \"peak_bytes\": %llu}\n",
                   (unsigned long long)times[count / 2], (unsigned long long)times[0], count,
                   (unsigned long long)b->peak);
        else
            printf("%s %s: median %.1f µs, best %.1f µs of %zu runs, peak %llu bytes\n", what, b->path,
                   (double)times[count / 2] / 1000, (double)times[0] / 1000, count, (unsigned long long)b->peak);
    }
    free(times);
    return (int)ks_code_verdict(code);
}

static int bench_predict(bench *b, const ks_arguments *arguments) {
    const char *in = ks_argument(&ks_command_bench, arguments, "--inputs");
    int exit_code = KS_EXIT_USAGE;
    if (!in) {
        fprintf(stderr, "kassay bench predict: --inputs is missing\n");
        return exit_code;
    }
    ks_context_init(&b->context, &b->limits);
    if (ks_model_load(&b->model, &b->context, b->path, &b->options) != KS_OK)
        return ks_report_error(&b->context, b->json);
    if (ks_inputs_open(&b->inputs, in, b->model) != KS_OK)
        exit_code = ks_report_error(&b->inputs.context, b->json);
    else
        exit_code = measure(b, "predict");
    ks_inputs_close(&b->inputs);
    ks_model_free(b->model);
    return exit_code;
}

static int bench_save(bench *b, const ks_arguments *arguments) {
    b->out = ks_argument(&ks_command_bench, arguments, "--out");
    b->save.format = ks_argument(&ks_command_bench, arguments, "--to");
    if (!b->out) {
        fprintf(stderr, "kassay bench save: --out is missing\n");
        return KS_EXIT_USAGE;
    }
    ks_context_init(&b->context, &b->limits);
    if (ks_model_load(&b->model, &b->context, b->path, &b->options) != KS_OK)
        return ks_report_error(&b->context, b->json);
    int exit_code = measure(b, "save");
    ks_model_free(b->model);
    return exit_code;
}

static int run(const ks_arguments *arguments) {
    const ks_command *self = &ks_command_bench;
    const char *what = arguments->operands[0];
    int road = ks_parse_road(ks_argument(self, arguments, "--road"), 0);
    bench *b = calloc(1, sizeof(*b));
    int exit_code = KS_EXIT_USAGE;
    if (!b)
        return KS_EXIT_INTERNAL;
    b->path = arguments->operands[1];
    b->json = ks_argument(self, arguments, "--json") != NULL;
    b->options.road = road == 1 ? KS_ROAD_LIBRARY : KS_ROAD_STRICT;
    b->options.architecture = ks_argument(self, arguments, "--architecture");
    b->options.format = ks_argument(self, arguments, "--format");
    if (road >= 0 && ks_parse_limits(&b->limits, ks_argument(self, arguments, "--limits"))) {
        if (strcmp(what, "predict") == 0)
            exit_code = bench_predict(b, arguments);
        else if (strcmp(what, "save") == 0)
            exit_code = bench_save(b, arguments);
        else if (strcmp(what, "load") == 0 || strcmp(what, "check") == 0)
            exit_code = measure(b, what);
        else
            fprintf(stderr, "kassay bench: expected load, predict, check or save, found \"%s\"\n", what);
    }
    free(b);
    return exit_code;
}

static const ks_option options[] = {
    {"--inputs", "FILE", "npz with the inputs, for predict"},
    {"--out", "FILE", "where save writes, again and again"},
    {"--to", "FORMAT", "format of save; without it the name decides"},
    KS_MODEL_OPTIONS,
    {"--json", NULL, "{\"median_ns\", \"min_ns\", \"runs\", \"peak_bytes\"}"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_bench = {
    .name = "bench",
    .synopsis = "load|predict|check|save FILE [--inputs in.npz] [--out OUT] [--json]",
    .summary = "time a load, a prediction, a check or a save in this process",
    .description =
        "    Repeats for about a second, at least three times. load is open to ready weights, with what it reads "
        "verified;\n"
        "    the file is in the page cache after the first run. save is from the loaded model to the synced file under "
        "its\n"
        "    name. peak_bytes is what the library held at most.",
    .options = options,
    .exit_codes = KS_FILE_EXITS,
    .examples = "    kassay bench load model.keras --json\n    kassay bench predict model.keras --inputs in.npz\n"
                "    kassay bench save model.keras --out copy.keras",
    .min_operands = 2,
    .max_operands = 2,
    .run = run,
};
