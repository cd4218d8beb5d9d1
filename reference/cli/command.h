// SPDX-License-Identifier: Apache-2.0
//
// A subcommand: one file with a `const ks_command ks_command_NAME` row, one line in kassay_main.c.
#ifndef KASSAY_CLI_COMMAND_H
#define KASSAY_CLI_COMMAND_H

#include <kassay/context.h>
#include <kassay/json_writer.h>
#include <kassay/model.h>

typedef struct ks_option {
    const char *name;     ///< "--road"
    const char *argument; ///< "strict|library|both"; NULL: a flag
    const char *help;
} ks_option;

#define KS_MAX_OPTIONS 24

/// A parsed command line. Values stand in the order of the command's options; NULL: not given.
typedef struct ks_arguments {
    const char *values[KS_MAX_OPTIONS]; ///< of flags: "" when given
    const char *const *operands;
    int n_operands;
} ks_arguments;

typedef struct ks_command {
    const char *name;
    const char *synopsis; ///< after the name: "FILE… [--json]"
    const char *summary;  ///< one line
    const char *description;
    const ks_option *options; ///< ends with a row whose name is NULL
    const char *exit_codes;
    const char *examples;
    int min_operands, max_operands; ///< max -1: any
    int (*run)(const ks_arguments *arguments);
} ks_command;

/// Value of an option, or NULL.
const char *ks_argument(const ks_command *command, const ks_arguments *arguments, const char *name);

#define KS_EXIT_USAGE 64
#define KS_EXIT_INTERNAL 70
#define KS_EXIT_IO 74

/// "strict", "library" or "both" (as 0, 1, 2); -1 and a message when it is none. `text` NULL gives `otherwise`.
int ks_parse_road(const char *text, int otherwise);
/// False and a message when it is no dialect; `text` NULL: KS_DIALECT_AUTO.
bool ks_parse_dialect(ks_dialect *out, const char *text);
/// False and a message when it is no backend; `text` NULL: KS_BACKEND_AUTO.
bool ks_parse_backend(ks_backend *out, const char *text);
/// False and a message when it is the name of no format; `text` NULL: NULL.
bool ks_parse_format(const char **out, const char *text);
/// Applies "K=V,K=V"; false and a message when a name or number is wrong. `text` may be NULL.
bool ks_parse_limits(ks_limits *limits, const char *text);
/// A whole number of at least `minimum`; false and a message when it is none.
bool ks_parse_count(unsigned *out, const char *option, const char *text, unsigned minimum);
/// The fields of an error record (code, verdict, stage, offset, place, message), inside an object that is open.
void ks_put_error(ks_json_writer *writer, const ks_error *error);
/// Prints the context's error to standard error, as one line or with `json` as an error record; returns the exit code.
int ks_report_error(const ks_context *context, bool json);
/// The options --road, --architecture, --format, --dialect, --backend and --limits; --custom is left to ks_load_custom.
/// False after a message.
bool ks_parse_model_options(ks_model_options *out, ks_limits *limits, const ks_command *command,
                            const ks_arguments *arguments);
/// Loads MODEL, the first operand, as the options --road, --architecture, --format, --dialect, --backend, --custom and
/// --limits say. NULL after a message;
/// `*exit_code` is set.
ks_model *ks_load_model(ks_context *context, const ks_command *command, const ks_arguments *arguments, int *exit_code);
/// Loads the plugin of --custom, a file or the plain name of one of golden/custom; `path` NULL: no registry. False with
/// the context's error.
bool ks_load_custom(const struct ks_registry **out, ks_context *context, const char *path);
/// Warnings of a load, one line each on standard error.
void ks_report_warnings(const ks_context *context, const char *file);

#endif
