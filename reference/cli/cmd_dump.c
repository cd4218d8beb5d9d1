// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/command.h"
#include "cli/model_options.h"

extern const ks_command ks_command_dump;

static int run(const ks_arguments *arguments) {
    bool json = ks_argument(&ks_command_dump, arguments, "--json") != NULL;
    ks_context context;
    ks_text text;
    int exit_code;
    ks_model *model = ks_load_model(&context, &ks_command_dump, arguments, &exit_code);
    if (!model)
        return exit_code;
    if ((json ? ks_model_dump(&text, model) : ks_model_describe(&text, model)) == KS_OK) {
        printf("%s%s", text.data, json ? "\n" : "");
        ks_free(&context, (void *)(uintptr_t)text.data);
    } else {
        exit_code = ks_report_error(&context, json);
    }
    ks_model_free(model);
    return exit_code;
}

static const ks_option options[] = {
    KS_MODEL_OPTIONS,
    {"--json", NULL, "one JSON document, schema kassay-dump/1 (harness/dump.schema.json)"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_dump = {
    .name = "dump",
    .synopsis = "MODEL [--json] [--architecture A]",
    .summary = "canonical description of a model",
    .description =
        "    Classes, config, inputs, outputs, layers with their v3 paths, and every variable with path, dtype, shape\n"
        "    and the SHA-256 of its little-endian C-order bytes, in get_weights() order.",
    .options = options,
    .exit_codes = KS_FILE_EXITS,
    .examples = "    kassay dump model.keras\n    kassay dump --json model.weights.h5 --architecture config.json",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
