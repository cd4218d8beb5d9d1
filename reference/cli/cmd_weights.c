// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/npz_weights.h"

extern const ks_command ks_command_weights;

static int run(const ks_arguments *arguments) {
    const char *out = ks_argument(&ks_command_weights, arguments, "--out");
    ks_context context;
    int exit_code;
    ks_model *model;
    if (!out) {
        fprintf(stderr, "kassay weights: --out is missing\n");
        return KS_EXIT_USAGE;
    }
    model = ks_load_model(&context, &ks_command_weights, arguments, &exit_code);
    if (!model)
        return exit_code;
    context.memory.limit += context.limits.run_memory;
    if (ks_weights_write(&context, model, out) != KS_OK)
        exit_code = ks_report_error(&context, ks_argument(&ks_command_weights, arguments, "--json") != NULL);
    ks_model_free(model);
    return exit_code;
}

static const ks_option options[] = {
    {"--out", "FILE", "the npz to write; - is standard output"},
    KS_MODEL_OPTIONS,
    {"--json", NULL, "errors as JSON records"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_weights = {
    .name = "weights",
    .synopsis = "MODEL --out w.npz [--architecture A]",
    .summary = "the weights as npz",
    .description = "    Writes weight.0, weight.1, … in get_weights() order of the Keras generation that wrote the "
                   "file, and names:\n"
                   "    the dataset of each inside the weights file, such as layers/dense/vars/0.",
    .options = options,
    .exit_codes = KS_FILE_EXITS,
    .examples = "    kassay weights model.keras --out w.npz\n    kassay weights model.keras --out - > w.npz",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
