// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <kassay/save.h>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/npz_inputs.h"

extern const ks_command ks_command_bench;

#define MAX_RUNS 100000
#define LEAST_RUNS 3
#define KEPT_MEMORY (32 << 20) ///< the largest that mallopt takes for M_MMAP_THRESHOLD

typedef struct bench {
    const char *path;
    ks_model_options options;
    ks_limits limits;
    ks_inputs inputs;
    ks_context context; ///< of the loaded model, for predict and save
    const char *out;    ///< where save writes
    const char *plain;  ///< where the same bytes are written plainly after each save; NULL: they are not
    ks_save_options save;
    ks_model *model;
    uint64_t wanted_ns; ///< time spent, unless few runs take longer
    uint64_t peak;
    uint64_t beside; ///< bytes held before, which do not count
    bool json;
} bench;

/// Times of each run; of a run with a plain write also its time, and how many times as long it took.
typedef struct timings {
    uint64_t ours[MAX_RUNS];
    uint64_t plain[MAX_RUNS];
    double ratios[MAX_RUNS];
    size_t count;
} timings;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// --- one run ---------------------------------------------------------------------------------------------------------

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
        if (used->memory.peak - b->beside > b->peak)
            b->peak = used->memory.peak - b->beside;
        if (code != KS_OK)
            ks_report_error(used, b->json);
    }
    return code;
}

// --- the plain write that a save is compared with --------------------------------------------------------------------

static bool write_all(int descriptor, const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t wrote = write(descriptor, data, size);
        if (wrote <= 0 && errno != EINTR)
            return false;
        data += wrote > 0 ? wrote : 0;
        size -= wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

/// A new file of these bytes, synced as a save is.
static bool write_plainly(const char *path, const uint8_t *data, size_t size) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return false;
    bool written = write_all(descriptor, data, size) && fsync(descriptor) == 0;
    return close(descriptor) == 0 && written;
}

/// The file that was just saved, written once more.
static bool run_plain(const bench *b, uint64_t *ns) {
    struct stat status;
    int descriptor = open(b->out, O_RDONLY | O_CLOEXEC);
    void *map = MAP_FAILED;
    bool written = false;
    if (descriptor >= 0 && fstat(descriptor, &status) == 0)
        map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
    if (map != MAP_FAILED) {
        uint64_t start = now();
        written = write_plainly(b->plain, map, (size_t)status.st_size);
        *ns = now() - start;
        munmap(map, (size_t)status.st_size);
    }
    if (!written)
        fprintf(stderr, "kassay bench: %s cannot be written: %s\n", b->plain, strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    unlink(b->plain);
    return written;
}

// --- all runs --------------------------------------------------------------------------------------------------------

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int compare_ratios(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const bench *b, const char *what, timings *t) {
    size_t middle = t->count / 2;
    qsort(t->ours, t->count, sizeof(t->ours[0]), compare);
    qsort(t->plain, t->count, sizeof(t->plain[0]), compare);
    qsort(t->ratios, t->count, sizeof(t->ratios[0]), compare_ratios);
    if (!b->json) {
        printf("%s %s: median %.1f µs, best %.1f µs of %zu runs, peak %llu bytes\n", what, b->path,
               (double)t->ours[middle] / 1000, (double)t->ours[0] / 1000, t->count, (unsigned long long)b->peak);
        if (b->plain)
            printf("a plain write of the same bytes: median %.1f µs; %.2f of its speed\n",
                   (double)t->plain[middle] / 1000, t->ratios[middle]);
        return;
    }
    printf("{\"median_ns\": %llu, \"min_ns\": %llu, \"runs\": %zu, \"peak_bytes\": %llu",
           (unsigned long long)t->ours[middle], (unsigned long long)t->ours[0], t->count, (unsigned long long)b->peak);
    if (b->plain)
        printf(", \"plain_median_ns\": %llu, \"plain_min_ns\": %llu, \"of_plain\": %.4f",
               (unsigned long long)t->plain[middle], (unsigned long long)t->plain[0], t->ratios[middle]);
    printf("}\n");
}

static int measure(bench *b, const char *what) {
    timings *t = malloc(sizeof(*t));
    uint64_t total = 0;
    ks_code code = KS_OK;
    bool written = true;
    if (!t)
        return KS_EXIT_INTERNAL;
    for (t->count = 0; t->count < MAX_RUNS && (t->count < LEAST_RUNS || total < b->wanted_ns); t->count++) {
        size_t i = t->count;
        if (b->plain)
            unlink(b->out); // so that both write a new file
        code = run_once(b, what, &t->ours[i]);
        t->plain[i] = 0;
        written = code != KS_OK || !b->plain || run_plain(b, &t->plain[i]);
        if (code != KS_OK || !written)
            break;
        t->ratios[i] = (double)t->plain[i] / (double)t->ours[i];
        total += t->ours[i] + t->plain[i];
    }
    if (code == KS_OK && written)
        report(b, what, t);
    free(t);
    return written ? (int)ks_code_verdict(code) : KS_EXIT_IO;
}

/// predict and save: the model is loaded first.
static bool load_model(bench *b, const ks_arguments *arguments, int *exit_code) {
    ks_arguments model_arguments = *arguments;
    model_arguments.operands = &b->path;
    b->model = ks_load_model(&b->context, &ks_command_bench, &model_arguments, exit_code);
    return b->model != NULL;
}

static int bench_predict(bench *b, const ks_arguments *arguments) {
    const char *in = ks_argument(&ks_command_bench, arguments, "--inputs");
    int exit_code = KS_EXIT_USAGE;
    if (!in) {
        fprintf(stderr, "kassay bench predict: --inputs is missing\n");
        return exit_code;
    }
    if (!load_model(b, arguments, &exit_code))
        return exit_code;
    if (ks_inputs_open(&b->inputs, in, b->model) != KS_OK)
        exit_code = ks_report_error(&b->inputs.context, b->json);
    else
        exit_code = measure(b, "predict");
    ks_inputs_close(&b->inputs);
    ks_model_free(b->model);
    return exit_code;
}

static int bench_save(bench *b, const ks_arguments *arguments) {
    int exit_code = KS_EXIT_USAGE;
    b->out = ks_argument(&ks_command_bench, arguments, "--out");
    b->plain = ks_argument(&ks_command_bench, arguments, "--plain");
    b->save.format = ks_argument(&ks_command_bench, arguments, "--to");
    if (!b->out) {
        fprintf(stderr, "kassay bench save: --out is missing\n");
        return exit_code;
    }
    if (!load_model(b, arguments, &exit_code))
        return exit_code;
    b->beside = b->context.memory.held; // the model
    b->context.memory.peak = b->beside;
    exit_code = measure(b, "save");
    ks_model_free(b->model);
    return exit_code;
}

static int bench_file(bench *b, const char *what, const ks_arguments *arguments) {
    ks_context_init(&b->context, &b->limits);
    if (!ks_load_custom(&b->options.registry, &b->context, ks_argument(&ks_command_bench, arguments, "--custom")))
        return ks_report_error(&b->context, b->json);
    return measure(b, what);
}

/// Decimal seconds; false after a message.
static bool parse_seconds(uint64_t *ns, const char *text) {
    char *end = NULL;
    double seconds = text ? strtod(text, &end) : 1;
    if (text && (end == text || *end || !(seconds >= 0 && seconds <= 3600))) {
        fprintf(stderr, "kassay bench: --seconds wants a number from 0 to 3600, found \"%s\"\n", text);
        return false;
    }
    *ns = (uint64_t)(seconds * 1e9);
    return true;
}

// What a run frees stays with the process. Else large models alone would pay in every run for pages that the kernel
// takes back and clears.
static void keep_memory(void) {
    mallopt(M_MMAP_THRESHOLD, KEPT_MEMORY);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

static int run(const ks_arguments *arguments) {
    const ks_command *self = &ks_command_bench;
    const char *what = arguments->operands[0];
    bench *b = calloc(1, sizeof(*b));
    int exit_code = KS_EXIT_USAGE;
    if (!b)
        return KS_EXIT_INTERNAL;
    keep_memory();
    b->path = arguments->operands[1];
    b->json = ks_argument(self, arguments, "--json") != NULL;
    if (ks_parse_model_options(&b->options, &b->limits, self, arguments) &&
        parse_seconds(&b->wanted_ns, ks_argument(self, arguments, "--seconds"))) {
        if (strcmp(what, "predict") == 0)
            exit_code = bench_predict(b, arguments);
        else if (strcmp(what, "save") == 0)
            exit_code = bench_save(b, arguments);
        else if (strcmp(what, "load") == 0 || strcmp(what, "check") == 0)
            exit_code = bench_file(b, what, arguments);
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
    {"--plain", "FILE", "after each save write the same bytes plainly there, synced, and compare the times"},
    {"--seconds", "S", "time to spend (1)"},
    KS_MODEL_OPTIONS,
    {"--json", NULL,
     "{\"median_ns\", \"min_ns\", \"runs\", \"peak_bytes\"}; with --plain also its times and the ratio"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_bench = {
    .name = "bench",
    .synopsis = "load|predict|check|save FILE [--inputs in.npz] [--out OUT] [--json]",
    .summary = "time a load, a prediction, a check or a save in this process",
    .description =
        "    Repeats for about a second, at least three times. load is open to ready weights, with what it reads "
        "verified;\n"
        "    the file is in the page cache after the first run, and memory stays with the process. save is from the "
        "loaded model to the synced file under "
        "its\n"
        "    name. peak_bytes is what the library held at most, for save beside the model.",
    .options = options,
    .exit_codes = KS_FILE_EXITS,
    .examples = "    kassay bench load model.keras --json\n    kassay bench predict model.keras --inputs in.npz\n"
                "    kassay bench save model.keras --out copy.keras",
    .min_operands = 2,
    .max_operands = 2,
    .run = run,
};
