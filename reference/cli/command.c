// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <kassay/registry.h>
#include <kassay/save.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *ks_argument(const ks_command *command, const ks_arguments *arguments, const char *name) {
    for (int i = 0; command->options[i].name; i++)
        if (strcmp(command->options[i].name, name) == 0)
            return arguments->values[i];
    return NULL;
}

int ks_parse_road(const char *text, int otherwise) {
    static const char *const roads[] = {"strict", "library", "both"};
    if (!text)
        return otherwise;
    for (int i = 0; i < 3; i++)
        if (strcmp(text, roads[i]) == 0)
            return i;
    fprintf(stderr, "kassay: --road wants strict, library or both, found \"%s\"\n", text);
    return -1;
}

bool ks_parse_dialect(ks_dialect *out, const char *text) {
    int dialect = text ? ks_dialect_by_name(text) : KS_DIALECT_AUTO;
    *out = dialect < 0 ? KS_DIALECT_AUTO : (ks_dialect)dialect;
    if (dialect >= 0)
        return true;
    fprintf(stderr, "kassay: --dialect wants auto, keras1, keras2 or keras3, found \"%s\"\n", text);
    return false;
}

bool ks_parse_backend(ks_backend *out, const char *text) {
    int backend = text ? ks_backend_by_name(text) : KS_BACKEND_AUTO;
    *out = backend < 0 ? KS_BACKEND_AUTO : (ks_backend)backend;
    if (backend >= 0)
        return true;
    fprintf(stderr, "kassay: --backend wants auto, tensorflow or theano, found \"%s\"\n", text);
    return false;
}

bool ks_parse_format(const char **out, const char *text) {
    const char *const *formats = ks_save_formats();
    *out = text;
    if (!text)
        return true;
    for (int i = 0; formats[i]; i++)
        if (strcmp(text, formats[i]) == 0)
            return true;
    fprintf(stderr, "kassay: --format wants the name of a format, found \"%s\"\n", text);
    return false;
}

bool ks_parse_limits(ks_limits *limits, const char *text) {
    char one[128];
    *limits = ks_limits_default();
    while (text && *text) {
        size_t size = strcspn(text, ",");
        snprintf(one, sizeof(one), "%.*s", (int)size, text);
        if (size >= sizeof(one) || ks_limits_set(limits, one) != KS_OK) {
            fprintf(stderr, "kassay: --limits wants NAME=NUMBER,…, found \"%s\"\n", one);
            return false;
        }
        text += size + (text[size] == ',');
    }
    return true;
}

bool ks_parse_count(unsigned *out, const char *option, const char *text, unsigned minimum) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && value >= minimum && value <= 100000) {
        *out = (unsigned)value;
        return true;
    }
    fprintf(stderr, "kassay: %s wants a number of at least %u, found \"%s\"\n", option, minimum, text);
    return false;
}

void ks_put_error(ks_json_writer *writer, const ks_error *error) {
    ks_json_put_key(writer, "code");
    ks_json_put_string(writer, ks_code_name(error->code));
    ks_json_put_key(writer, "verdict");
    ks_json_put_string(writer, ks_verdict_name(ks_code_verdict(error->code)));
    ks_json_put_key(writer, "stage");
    ks_json_put_string(writer, ks_stage_name(error->stage));
    ks_json_put_key(writer, "offset");
    if (error->offset == KS_NO_OFFSET)
        ks_json_put_null(writer);
    else
        ks_json_put_uint(writer, error->offset);
    ks_json_put_key(writer, "place");
    ks_json_put_string(writer, error->place);
    ks_json_put_key(writer, "message");
    ks_json_put_string(writer, error->message);
}

static void put_record(const ks_error *error) {
    ks_context context;
    ks_json_writer w;
    ks_text text = {0};
    ks_context_init(&context, NULL);
    ks_json_writer_init(&w, &context, (ks_json_style){0, true});
    ks_json_begin_object(&w);
    ks_put_error(&w, error);
    ks_json_end_object(&w);
    if (ks_json_writer_finish(&text, &w) == KS_OK)
        fprintf(stderr, "%s\n", text.data);
    ks_free(&context, (void *)(uintptr_t)text.data);
}

int ks_report_error(const ks_context *context, bool json) {
    char text[1024];
    if (json) {
        put_record(&context->error);
    } else {
        ks_error_format(&context->error, text, sizeof(text));
        fprintf(stderr, "kassay: %s\n", text);
    }
    return (int)ks_code_verdict(context->error.code);
}

void ks_report_warnings(const ks_context *context, const char *file) {
    for (size_t i = 0; i < context->n_warnings && i < KS_MAX_WARNINGS; i++)
        fprintf(stderr, "kassay: %s: warning: %s %s\n", file, context->warnings[i].name, context->warnings[i].place);
}

bool ks_load_custom(const struct ks_registry **out, ks_context *context, const char *path) {
    bool named = path && !strchr(path, '/') && !strchr(path, '.');
    static ks_registry *passed; // lives as long as the models that use it
    *out = NULL;
    if (!path)
        return true;
    if (!passed)
        passed = ks_registry_new();
    if (!passed) {
        ks_fail(context, KS_E_NO_MEMORY, KS_STAGE_FILE, KS_NO_OFFSET, path, "no memory for a registry");
        return false;
    }
    *out = passed;
    return (named ? ks_registry_load_named : ks_registry_load)(passed, context, path) == KS_OK;
}

bool ks_parse_model_options(ks_model_options *out, ks_limits *limits, const ks_command *command,
                            const ks_arguments *arguments) {
    int road = ks_parse_road(ks_argument(command, arguments, "--road"), 0);
    *out = (ks_model_options){.road = road == 1 ? KS_ROAD_LIBRARY : KS_ROAD_STRICT,
                              .architecture = ks_argument(command, arguments, "--architecture")};
    return road >= 0 && ks_parse_format(&out->format, ks_argument(command, arguments, "--format")) &&
           ks_parse_limits(limits, ks_argument(command, arguments, "--limits")) &&
           ks_parse_dialect(&out->dialect, ks_argument(command, arguments, "--dialect")) &&
           ks_parse_backend(&out->backend, ks_argument(command, arguments, "--backend"));
}

ks_model *ks_load_model(ks_context *context, const ks_command *command, const ks_arguments *arguments, int *exit_code) {
    const char *path = arguments->operands[0];
    ks_model_options options;
    ks_limits limits;
    ks_model *model;
    *exit_code = KS_EXIT_USAGE;
    if (!ks_parse_model_options(&options, &limits, command, arguments))
        return NULL;
    ks_context_init(context, &limits);
    if (!ks_load_custom(&options.registry, context, ks_argument(command, arguments, "--custom")) ||
        ks_model_load(&model, context, path, &options) != KS_OK) {
        *exit_code = ks_report_error(context, ks_argument(command, arguments, "--json") != NULL);
        return NULL;
    }
    ks_report_warnings(context, path);
    *exit_code = 0;
    return model;
}
