// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/model_options.h"

extern const ks_command ks_command_summary;

static bool read_options(ks_summary_options *out, const ks_arguments *arguments) {
    const ks_command *self = &ks_command_summary;
    const char *length = ks_argument(self, arguments, "--line-length");
    unsigned count = 0;
    out->keras_version = ks_argument(self, arguments, "--keras");
    out->expand_nested = ks_argument(self, arguments, "--expand-nested") != NULL;
    out->show_trainable = ks_argument(self, arguments, "--show-trainable") != NULL;
    if (out->keras_version && !isdigit((unsigned char)out->keras_version[0])) {
        fprintf(stderr, "kassay summary: --keras wants a version such as 2.15.0, found \"%s\"\n", out->keras_version);
        return false;
    }
    if (length && (!ks_parse_count(&count, "--line-length", length, 40) || count > 1000))
        return false;
    out->line_length = (int)count;
    return true;
}

static int run(const ks_arguments *arguments) {
    ks_summary_options options;
    ks_context context;
    ks_text text;
    ks_model *model;
    int exit_code;
    if (!read_options(&options, arguments))
        return KS_EXIT_USAGE;
    model = ks_load_model(&context, &ks_command_summary, arguments, &exit_code);
    if (!model)
        return exit_code;
    if (ks_model_summary(&text, model, &options) == KS_OK) {
        fputs(text.data, stdout);
        ks_free(&context, (void *)(uintptr_t)text.data);
    } else {
        exit_code = ks_report_error(&context, false);
    }
    ks_model_free(model);
    return exit_code;
}

static const ks_option options[] = {
    KS_MODEL_OPTIONS,
    {"--keras", "VERSION", "print as this version of Keras does (that of the file's writer)"},
    {"--expand-nested", NULL, "rows for the layers of nested models"},
    {"--show-trainable", NULL, "a column that says which layers are trainable"},
    {"--line-length", "N", "characters of a line"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_summary = {
    .name = "summary",
    .synopsis = "MODEL [--architecture A] [--keras VERSION] [--expand-nested] [--show-trainable]",
    .summary = "Keras's summary() table",
    .description =
        "    The table that model.summary() of the file's own Keras prints, with the same columns and totals; Keras "
        "3's\n"
        "    is that of a terminal of 80 columns. The optimizer's parameters are not counted: the model is loaded\n"
        "    without its compile state.",
    .options = options,
    .exit_codes = KS_FILE_EXITS,
    .examples = "    kassay summary model.keras\n"
                "    kassay summary model.keras --expand-nested --show-trainable",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
