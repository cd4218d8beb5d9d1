// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include <kassay/save.h>

#include "cli/command.h"
#include "cli/model_options.h"

extern const ks_command ks_command_convert;

static void report_losses(const ks_losses *losses) {
    for (const ks_loss *loss = losses->first; loss; loss = loss->next)
        fprintf(stderr, "lost %s%s%s: %s\n", loss->name, loss->place[0] ? " " : "", loss->place, loss->text);
}

static bool parse_shard_size(uint64_t *out, const char *text) {
    unsigned mebibytes = 0;
    *out = 0;
    if (!text)
        return true;
    if (!ks_parse_count(&mebibytes, "--shard-mib", text, 1))
        return false;
    *out = (uint64_t)mebibytes << 20;
    return true;
}

static bool parse_target(ks_save_target *out, const char *text) {
    int target = text ? ks_save_target_by_name(text) : KS_FOR_TF_KERAS;
    *out = target < 0 ? KS_FOR_TF_KERAS : (ks_save_target)target;
    if (target >= 0)
        return true;
    fprintf(stderr, "kassay: --for wants tf_keras-2.21 or keras-2.3, found \"%s\"\n", text);
    return false;
}

static int run(const ks_arguments *arguments) {
    const ks_command *self = &ks_command_convert;
    ks_save_options options = {.format = ks_argument(self, arguments, "--to")};
    ks_context context;
    ks_losses losses;
    int exit_code = 0;
    if (!parse_shard_size(&options.shard_bytes, ks_argument(self, arguments, "--shard-mib")) ||
        !parse_target(&options.target, ks_argument(self, arguments, "--for")))
        return KS_EXIT_USAGE;
    ks_model *model = ks_load_model(&context, self, arguments, &exit_code);
    if (!model)
        return exit_code;
    ks_losses_init(&losses, &context, ks_argument(self, arguments, "--lossy") != NULL);
    if (ks_model_save(model, arguments->operands[1], &options, &losses) != KS_OK)
        exit_code = ks_report_error(&context, ks_argument(self, arguments, "--json") != NULL);
    else
        report_losses(&losses);
    ks_losses_fini(&losses);
    ks_model_free(model);
    return exit_code;
}

static const ks_option options[] = {
    {"--to", "FORMAT",
     "keras-v3, keras-v3-dir, weights-v3, weights-v3-sharded, h5-legacy, h5-weights-legacy, json-v3, json-legacy"},
    {"--for", "tf_keras-2.21|keras-2.3",
     "older formats: whose words; tf_keras-2.21 (default) tf.keras too knows, keras-2.3 the Keras before it"},
    {"--lossy", NULL, "leave out what the format cannot carry, and list it on standard error"},
    {"--shard-mib", "N", "weights-v3-sharded: at most so many MiB of variables in a file (default: all in one)"},
    KS_MODEL_OPTIONS,
    {"--json", NULL, "an error as one JSON record"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_convert = {
    .name = "convert",
    .synopsis = "IN OUT [--to FORMAT] [--for KERAS] [--lossy]",
    .summary = "save a model or its weights in another format",
    .description =
        "    Loads IN and saves it as OUT. Without --to the name of OUT decides, as in Keras: .keras, .weights.h5,\n"
        "    .weights.json (an index of shards), .h5 and .hdf5 (Keras 2), .json (Keras 3), else a folder.\n"
        "    What the format cannot carry is an error with a name, unless --lossy allows it: nothing is changed or\n"
        "    dropped silently. Formats of weights alone or of the architecture alone carry just these.\n"
        "    The older formats have the words of tf_keras; Keras 2.3.1 refuses what is newer than itself, and loads\n"
        "    what is written with --for keras-2.3. What it has no word for is an error with a name.\n"
        "    The same model gives the same bytes. OUT appears whole or not at all; a file that it replaces stays when\n"
        "    saving fails.",
    .options = options,
    .exit_codes = KS_FILE_EXITS "\n    2 also when OUT's format cannot carry a part of the model.",
    .examples = "    kassay convert model.keras model.h5\n"
                "    kassay convert old.h5 new.keras --lossy\n"
                "    kassay convert model.keras model.h5 --for keras-2.3\n"
                "    kassay convert model.keras model.weights.json --shard-mib 512",
    .min_operands = 2,
    .max_operands = 2,
    .run = run,
};
