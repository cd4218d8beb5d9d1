// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kassay/npz.h>

#include "cli/command.h"
#include "cli/model_options.h"

extern const ks_command ks_command_weights;

static ks_code write_weights(ks_context *context, ks_model *model, const char *path) {
    size_t count = ks_model_weight_count(model);
    ks_npz_entry *entries = ks_allocate(context, count + 1, sizeof(*entries));
    ks_text *names = ks_allocate(context, count + 1, sizeof(*names));
    char(*labels)[32] = ks_allocate(context, count + 1, sizeof(*labels));
    ks_code code = context->error.code;
    for (size_t i = 0; code == KS_OK && i < count; i++) {
        ks_model_weight weight = ks_model_weight_at(model, i);
        snprintf(labels[i], sizeof(labels[i]), "weight.%zu", i);
        entries[i] = (ks_npz_entry){labels[i], weight.tensor};
        names[i] = ks_text_from(weight.path);
        if (!weight.tensor.data && weight.tensor.size)
            code = ks_fail(context, KS_E_WEIGHTS_MISSING, KS_STAGE_WEIGHTS, KS_NO_OFFSET, weight.path,
                           "the file has an architecture and no weights");
    }
    if (code == KS_OK) {
        ks_shape shape = {1, {(int64_t)count}};
        entries[count] = (ks_npz_entry){"names", {KS_STRING, shape, names, count * sizeof(*names)}};
        code = ks_npz_write(context, path, entries, count + 1);
    }
    ks_free(context, entries);
    ks_free(context, names);
    ks_free(context, labels);
    return code;
}

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
    if (write_weights(&context, model, out) != KS_OK)
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
