// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/command.h"
#include "cli/model_options.h"

extern const ks_command ks_command_summary;

static int run(const ks_arguments *arguments) {
    ks_context context;
    ks_text text;
    int exit_code;
    ks_model *model = ks_load_model(&context, &ks_command_summary, arguments, &exit_code);
    if (!model)
        return exit_code;
    if (ks_model_summary(&text, model) == KS_OK) {
        fputs(text.data, stdout);
        ks_free(&context, (void *)(uintptr_t)text.data);
    } else {
        exit_code = ks_report_error(&context, false);
    }
    ks_model_free(model);
    return exit_code;
}

static const ks_option options[] = {KS_MODEL_OPTIONS, {NULL, NULL, NULL}};

const ks_command ks_command_summary = {
    .name = "summary",
    .synopsis = "MODEL [--architecture A]",
    .summary = "Keras's summary() table",
    .description = "    The table of Keras 3's model.summary() in a terminal of 80 columns, with the same columns and "
                   "totals. The\n"
                   "    optimizer's parameters are not counted: the model is loaded without its compile state.",
    .options = options,
    .exit_codes = KS_FILE_EXITS,
    .examples = "    kassay summary model.keras",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
