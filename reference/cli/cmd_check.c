// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/model_options.h"
#include "runner/road_explain.h"

extern const ks_command ks_command_check;

typedef struct checking {
    const ks_arguments *arguments;
    ks_limits limits;
    const struct ks_registry *registry; ///< of --custom
    int road;
    ks_dialect dialect;
    ks_backend backend;
    const char *format;
    bool json;
    int worst;
    size_t n_files;
} checking;

static void note(checking *c, int exit_code) {
    if (exit_code > c->worst)
        c->worst = exit_code;
}

static void put_json(const ks_context *context, const char *path, ks_code code) {
    ks_context memory;
    ks_json_writer w;
    ks_text text = {0};
    ks_context_init(&memory, NULL);
    ks_json_writer_init(&w, &memory, (ks_json_style){0, true});
    ks_json_begin_object(&w);
    ks_json_put_key(&w, "file");
    ks_json_put_string(&w, path);
    if (code == KS_OK) {
        ks_json_put_key(&w, "verdict");
        ks_json_put_string(&w, ks_verdict_name(KS_ACCEPTED));
    } else {
        ks_put_error(&w, &context->error);
    }
    ks_json_put_key(&w, "warnings");
    ks_json_begin_list(&w);
    for (size_t i = 0; i < context->n_warnings && i < KS_MAX_WARNINGS; i++)
        ks_json_put_string(&w, context->warnings[i].name);
    ks_json_end_list(&w);
    ks_json_put_key(&w, "peak_bytes");
    ks_json_put_uint(&w, context->memory.peak);
    ks_json_end_object(&w);
    if (ks_json_writer_finish(&text, &w) == KS_OK)
        puts(text.data);
    ks_free(&memory, (void *)(uintptr_t)text.data);
}

static void put_line(const ks_context *context, const char *path, ks_code code) {
    char text[1024];
    if (code == KS_OK) {
        printf("%s: accepted", path);
        for (size_t i = 0; i < context->n_warnings && i < KS_MAX_WARNINGS; i++)
            printf("%s %s", i ? "," : "; warning:", context->warnings[i].name);
        puts("");
        return;
    }
    ks_error_format(&context->error, text, sizeof(text));
    printf("%s: %s %s\n", path, ks_verdict_name(ks_code_verdict(code)), text);
}

static ks_code check_road(checking *c, ks_context *context, const char *path, ks_road road) {
    ks_model_options options = {.road = road};
    options.format = c->format;
    options.architecture = ks_argument(&ks_command_check, c->arguments, "--architecture");
    options.dialect = c->dialect;
    options.backend = c->backend;
    ks_context_init(context, &c->limits);
    options.registry = c->registry;
    return ks_model_check(context, path, &options);
}

// The row of the reviewed table for the library road's answer; NULL when there is none.
static const ks_road_difference *listed(const checking *c, const char *path, ks_code answer) {
    const char *files[] = {path, ks_argument(&ks_command_check, c->arguments, "--architecture")};
    const ks_road_difference *row = NULL;
    for (int i = 0; i < 2 && !row && files[i]; i++) {
        ks_context context;
        ks_context_init(&context, &c->limits);
        if (ks_roads_explain(&row, &context, files[i], answer) != KS_OK)
            row = NULL;
    }
    return row;
}

// With both roads the library sees only what the strict road accepted, and must accept it too, or refuse it as the
// table of differences says.
static void check_file(checking *c, const char *path) {
    ks_context context;
    ks_code code = check_road(c, &context, path, c->road == 1 ? KS_ROAD_LIBRARY : KS_ROAD_STRICT);
    if (code == KS_OK && c->road == 2) {
        ks_context other;
        ks_code second = check_road(c, &other, path, KS_ROAD_LIBRARY);
        const ks_road_difference *row = second != KS_OK ? listed(c, path, second) : NULL;
        if (row) {
            ks_warn(&context, row->name, path);
        } else if (second != KS_OK) {
            code = KS_E_INTERNAL;
            ks_fail(&context, code, KS_STAGE_FILE, KS_NO_OFFSET, path, "the roads differ: the library road answers %s",
                    ks_code_name(second));
        }
    }
    if (c->json)
        put_json(&context, path, code);
    else
        put_line(&context, path, code);
    c->n_files++;
    note(c, (int)ks_code_verdict(code));
}

static bool is_model_directory(const char *path) {
    struct stat status;
    char inner[4096];
    snprintf(inner, sizeof(inner), "%s/config.json", path);
    return stat(inner, &status) == 0;
}

static bool is_model_name(const char *name) {
    static const char *const ends[] = {".keras", ".weights.h5", ".h5", ".hdf5", ".json", NULL};
    size_t size = strlen(name);
    for (int i = 0; ends[i]; i++)
        if (size > strlen(ends[i]) && strcmp(name + size - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

// A directory that is a model is one file; any other is searched for model files.
static void check_path(checking *c, const char *path, int depth) {
    struct stat status;
    struct dirent **entries;
    int count;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode) || is_model_directory(path)) {
        check_file(c, path);
        return;
    }
    count = scandir(path, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        char inner[4096];
        snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && depth < 32 && lstat(inner, &status) == 0) {
            if (S_ISDIR(status.st_mode))
                check_path(c, inner, depth + 1);
            else if (S_ISREG(status.st_mode) && is_model_name(entries[i]->d_name))
                check_file(c, inner);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static int run(const ks_arguments *arguments) {
    checking c = {.arguments = arguments};
    ks_context context;
    c.json = ks_argument(&ks_command_check, arguments, "--json") != NULL;
    c.road = ks_parse_road(ks_argument(&ks_command_check, arguments, "--road"), 0);
    if (c.road < 0 || !ks_parse_limits(&c.limits, ks_argument(&ks_command_check, arguments, "--limits")) ||
        !ks_parse_format(&c.format, ks_argument(&ks_command_check, arguments, "--format")) ||
        !ks_parse_dialect(&c.dialect, ks_argument(&ks_command_check, arguments, "--dialect")) ||
        !ks_parse_backend(&c.backend, ks_argument(&ks_command_check, arguments, "--backend")))
        return KS_EXIT_USAGE;
    ks_context_init(&context, NULL);
    if (!ks_load_custom(&c.registry, &context, ks_argument(&ks_command_check, arguments, "--custom")))
        return ks_report_error(&context, c.json);
    for (int i = 0; i < arguments->n_operands; i++)
        check_path(&c, arguments->operands[i], 0);
    if (c.n_files == 0) {
        fprintf(stderr, "kassay check: no model files found\n");
        return KS_EXIT_USAGE;
    }
    return c.worst;
}

static const ks_option options[] = {
    {"--architecture", "FILE", "config (JSON file or model file) for weights-only files"},
    {"--format", "FORMAT", KS_FORMATS_HELP},
    {"--dialect", "auto|keras1|keras2|keras3", KS_DIALECT_HELP},
    {"--backend", "auto|tensorflow|theano", KS_BACKEND_HELP},
    {"--road", "strict|library|both", "which reader; both: the library road must accept what the strict one accepted"},
    {"--custom", "FILE.so", "a plugin with custom classes (<kassay/plugin.h>)"},
    {"--limits", "K=V,…", "change limits, such as json_depth=100"},
    {"--json", NULL, "one JSON object per file"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_check = {
    .name = "check",
    .synopsis = "FILE|DIR… [--format F] [--architecture A] [--road strict|library|both] [--limits K=V,…] [--json]",
    .summary = "the verdict on model files",
    .description =
        "    Reads each file up to its weights, verifies every checksum, and prints one line: the verdict (accepted,\n"
        "    malformed, unsupported, over-limit, unsafe), the code, the stage, the place in the model and the byte\n"
        "    offset. Nothing is run. A directory is searched for model files, unless it is a model itself. With "
        "--road\n"
        "    both a difference that the table of differences lists is a warning, any other an internal error.",
    .options = options,
    .exit_codes = "    That of the worst file: 0 accepted, 1 malformed, 2 unsupported, 3 over-limit, 4 unsafe,\n"
                  "    64 usage, 70 internal, 74 I/O.",
    .examples = "    kassay check model.keras\n    kassay check --json --limits json_depth=50 models/",
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
