// SPDX-License-Identifier: Apache-2.0
#include <kassay/output.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/npz_weights.h"

extern const ks_command ks_command_load;

static ks_code write_report(ks_context *context, const char *path, ks_text report) {
    ks_output *output = NULL;
    ks_code code;
    if (strcmp(path, "-") == 0) {
        puts(report.data);
        return KS_OK;
    }
    KS_TRY(ks_output_open(&output, context, path));
    KS_TRY(ks_output_write(output, 0, (ks_bytes){(const uint8_t *)report.data, report.size}));
    KS_TRY(ks_output_write(output, report.size, (ks_bytes){(const uint8_t *)"\n", 1}));
    KS_TRY(ks_output_commit(output));
done:
    ks_output_close(output);
    return code;
}

static ks_code load(ks_context *context, ks_model *model, const ks_arguments *arguments,
                    const ks_load_options *options) {
    const char *initial = ks_argument(&ks_command_load, arguments, "--initial");
    const char *report_path = ks_argument(&ks_command_load, arguments, "--report");
    ks_text report = {NULL, 0};
    ks_code code = KS_OK;
    if (initial)
        KS_TRY(ks_weights_read(context, model, initial));
    KS_TRY(ks_model_load_weights(report_path ? &report : NULL, model, arguments->operands[0], options));
    ks_report_warnings(context, arguments->operands[0]);
    context->memory.limit += context->limits.run_memory;
    if (report_path)
        KS_TRY(write_report(context, report_path, report));
    KS_TRY(ks_weights_write(context, model, ks_argument(&ks_command_load, arguments, "--out")));
done:
    ks_free(context, (void *)(uintptr_t)report.data);
    return code;
}

static int run(const ks_arguments *arguments) {
    const ks_command *self = &ks_command_load;
    const char *into = ks_argument(self, arguments, "--into");
    bool json = ks_argument(self, arguments, "--json") != NULL;
    ks_arguments model_arguments = *arguments;
    ks_load_options options = {0};
    ks_context context;
    ks_model *model;
    int exit_code;
    if (!into || !ks_argument(self, arguments, "--out")) {
        fprintf(stderr, "kassay load: --into and --out are needed\n");
        return KS_EXIT_USAGE;
    }
    if (ks_argument(self, arguments, "--status")) {
        fprintf(stderr, "kassay load: --status belongs to checkpoints, which this version does not read\n");
        return KS_EXIT_USAGE;
    }
    options.by_name = ks_argument(self, arguments, "--by-name") != NULL;
    options.skip_mismatch = ks_argument(self, arguments, "--skip-mismatch") != NULL;
    model_arguments.operands = &into;
    model = ks_load_model(&context, self, &model_arguments, &exit_code);
    if (!model)
        return exit_code;
    ks_parse_backend(&options.backend, ks_argument(self, arguments, "--backend"));
    options.road = ks_parse_road(ks_argument(self, arguments, "--road"), 0) == 1 ? KS_ROAD_LIBRARY : KS_ROAD_STRICT;
    if (load(&context, model, arguments, &options) != KS_OK)
        exit_code = ks_report_error(&context, json);
    ks_model_free(model);
    return exit_code;
}

static const ks_option options[] = {
    {"--into", "MODEL", "the model: a model file, or the JSON of an architecture"},
    {"--initial", "FILE", "npz with the weights the model has before: weight.0, weight.1, …"},
    {"--by-name", NULL, "older HDF5 form: layers by their names, in place of their order"},
    {"--skip-mismatch", NULL, "leave out what does not fit; for Keras 2 only together with --by-name"},
    {"--status", "STATUS", "of a checkpoint: assert_consumed, existing, nontrivial, partial"},
    {"--out", "FILE", "npz to write: all weights of the model afterwards; - is standard output"},
    {"--report", "FILE", "JSON: what was loaded, skipped and left; - is standard output"},
    {"--dialect", "auto|keras1|keras2|keras3", KS_DIALECT_HELP},
    {"--custom", "FILE.so", "a plugin with custom classes of the model (<kassay/plugin.h>)"},
    {"--backend", "auto|tensorflow|theano", KS_BACKEND_HELP},
    {"--road", "strict|library", "which reader: our own (default) or libzip, libhdf5 and cJSON"},
    {"--limits", "K=V,…", "change limits, such as json_depth=100"},
    {"--json", NULL, "errors as JSON records"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_load = {
    .name = "load",
    .synopsis = "FILE --into MODEL --out w.npz [--initial i.npz] [--by-name] [--skip-mismatch] [--report r.json]",
    .summary = "weights into an existing model",
    .description =
        "    Loads a weights file, sharded weights, or the weights of a whole .keras or .h5 file into a model, as\n"
        "    Keras's load_weights does, and writes all weights of the model in get_weights() order. The report lists\n"
        "    what was loaded, what was skipped and why, and what kept its values, by layer and variable.",
    .options = options,
    .exit_codes = KS_FILE_EXITS,
    .examples = "    kassay load w.weights.h5 --into model.keras --out after.npz\n"
                "    kassay load old.h5 --into new.json --initial before.npz --by-name --out after.npz --report -",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
