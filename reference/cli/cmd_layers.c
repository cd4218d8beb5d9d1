// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/command.h"
#include "schema/class.h"

extern const ks_command ks_command_layers;

static void put_table(void) {
    for (const ks_class *const *row = ks_classes(); *row; row++) {
        const char *reason = (*row)->unsafe ? (*row)->unsafe : (*row)->unsupported;
        printf("%-28s %-12s %-11s%s%s\n", (*row)->name, ks_kind_name((*row)->kind),
               (*row)->unsafe        ? "unsafe"
               : (*row)->unsupported ? "unsupported"
                                     : "supported",
               reason ? " " : "", reason ? reason : "");
    }
}

static int run(const ks_arguments *arguments) {
    ks_context context;
    ks_text text;
    if (!ks_argument(&ks_command_layers, arguments, "--json")) {
        put_table();
        return 0;
    }
    ks_context_init(&context, NULL);
    if (ks_layers_json(&text, &context) != KS_OK)
        return ks_report_error(&context, true);
    puts(text.data);
    ks_free(&context, (void *)(uintptr_t)text.data);
    return 0;
}

static const ks_option options[] = {
    {"--json", NULL, "one JSON document with every config key"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_layers = {
    .name = "layers",
    .synopsis = "[--json]",
    .summary = "the classes this reference knows",
    .description = "    One line per class: the name Keras writes in class_name, its kind, and whether it is "
                   "supported, unsupported\n"
                   "    or unsafe. The registry that the readers use is the source.",
    .options = options,
    .exit_codes = "    0 done, 64 usage.",
    .examples = "    kassay layers\n    kassay layers --json",
    .min_operands = 0,
    .max_operands = 0,
    .run = run,
};
