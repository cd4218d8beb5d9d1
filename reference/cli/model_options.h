// SPDX-License-Identifier: Apache-2.0
//
// Option rows that every command which loads a model shares.
#ifndef KASSAY_CLI_MODEL_OPTIONS_H
#define KASSAY_CLI_MODEL_OPTIONS_H

#define KS_FORMATS_HELP                                                                                                \
    "refuse every format but this: keras-v3, keras-v3-dir, weights-v3, weights-v3-sharded, h5-legacy, "                \
    "h5-weights-legacy, json-v3, json-legacy"
#define KS_DIALECT_HELP "whose words and numbers a config has (auto: what the file says)"
#define KS_BACKEND_HELP "who computed a model of Keras 1 or 2 (auto: what the file says; Keras 1 does not)"

#define KS_MODEL_OPTIONS                                                                                               \
    {"--architecture", "FILE", "config (JSON file or model file) for weights-only files"},                             \
        {"--format", "FORMAT", KS_FORMATS_HELP}, {"--dialect", "auto|keras1|keras2|keras3", KS_DIALECT_HELP},          \
        {"--backend", "auto|tensorflow|theano", KS_BACKEND_HELP},                                                      \
        {"--road", "strict|library", "which reader: our own (default) or libzip, libhdf5 and cJSON"},                  \
        {"--custom", "FILE.so", "a plugin with custom classes (<kassay/plugin.h>)"},                                   \
        {"--limits", "K=V,…", "change limits, such as json_depth=100"}

#define KS_FILE_EXITS                                                                                                  \
    "    0 done; when the file is at fault 1 malformed, 2 unsupported, 3 over-limit, 4 unsafe;\n"                      \
    "    64 usage, 70 internal, 74 I/O."

#endif
