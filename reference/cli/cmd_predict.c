// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/npz_inputs.h"

extern const ks_command ks_command_predict;

static ks_code write_outputs(ks_context *context, const ks_prediction *prediction, const char *path) {
    ks_npz_entry entries[KS_MAX_PORTS];
    char names[KS_MAX_PORTS][32];
    size_t count = ks_prediction_count(prediction);
    if (count > KS_MAX_PORTS)
        return ks_fail(context, KS_E_OVER_COUNT, KS_STAGE_RUN, KS_NO_OFFSET, NULL, "the model has %zu outputs", count);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "output.%zu", i);
        entries[i] = (ks_npz_entry){names[i], ks_prediction_at(prediction, i)};
    }
    return ks_npz_write(context, path, entries, count);
}

static int predict(ks_context *context, ks_model *model, const ks_inputs *inputs, ks_dtype real, const char *out,
                   bool json) {
    ks_prediction *prediction = NULL;
    int exit_code = 0;
    context->memory.limit += context->limits.run_memory;
    if (ks_model_predict(&prediction, model, inputs->tensors, inputs->count, real) != KS_OK ||
        write_outputs(context, prediction, out) != KS_OK)
        exit_code = ks_report_error(context, json);
    ks_prediction_free(prediction);
    return exit_code;
}

static int run(const ks_arguments *arguments) {
    const ks_command *self = &ks_command_predict;
    const char *in = ks_argument(self, arguments, "--inputs"), *out = ks_argument(self, arguments, "--outputs");
    const char *dtype = ks_argument(self, arguments, "--dtype");
    bool json = ks_argument(self, arguments, "--json") != NULL;
    ks_context context;
    ks_inputs inputs;
    ks_model *model;
    unsigned seed = 0;
    int exit_code;
    if (ks_argument(self, arguments, "--seed") &&
        !ks_parse_count(&seed, "--seed", ks_argument(self, arguments, "--seed"), 0))
        return KS_EXIT_USAGE;
    if (!in || !out) {
        fprintf(stderr, "kassay predict: --inputs and --outputs are needed\n");
        return KS_EXIT_USAGE;
    }
    if (dtype && strcmp(dtype, "float32") != 0 && strcmp(dtype, "float64") != 0) {
        fprintf(stderr, "kassay predict: --dtype wants float32 or float64, found \"%s\"\n", dtype);
        return KS_EXIT_USAGE;
    }
    model = ks_load_model(&context, self, arguments, &exit_code);
    if (!model)
        return exit_code;
    if (!ks_model_has_weights(model) && ks_model_initialize(model, seed) != KS_OK) {
        exit_code = ks_report_error(&context, json);
        ks_model_free(model);
        return exit_code;
    }
    if (ks_inputs_open(&inputs, in, model) != KS_OK)
        exit_code = ks_report_error(&inputs.context, json);
    else
        exit_code = predict(&context, model, &inputs, dtype && strcmp(dtype, "float64") == 0 ? KS_FLOAT64 : KS_FLOAT32,
                            out, json);
    ks_inputs_close(&inputs);
    ks_model_free(model);
    return exit_code;
}

static const ks_option options[] = {
    {"--inputs", "FILE", "npz with input.0, input.1, … in the order of model.inputs; - is standard input"},
    {"--outputs", "FILE", "npz to write: output.0, output.1, …; - is standard output"},
    {"--dtype", "float32|float64", "the type all floating arithmetic is done in (float32)"},
    {"--seed", "N", "of the fresh weights that a config without weights gets (0)"},
    KS_MODEL_OPTIONS,
    {"--json", NULL, "errors as JSON records"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_predict = {
    .name = "predict",
    .synopsis = "MODEL --inputs in.npz --outputs out.npz [--dtype float64] [--architecture A]",
    .summary = "run a model",
    .description =
        "    Runs the model at inference. Inputs are cast to the model's input types, as Keras casts them; outputs "
        "have the\n"
        "    type the model gives (float64 with --dtype float64), flattened: a dict in the order of its sorted keys.\n"
        "    Strings are given as arrays of type |S or <U, and written as |S, in UTF-8.",
    .options = options,
    .exit_codes = KS_FILE_EXITS,
    .examples = "    kassay predict model.keras --inputs in.npz --outputs out.npz\n"
                "    kassay predict model.keras --inputs in.npz --outputs reference.npz --dtype float64",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
