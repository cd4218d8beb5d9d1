// SPDX-License-Identifier: Apache-2.0
//
// Option rows that every command which loads a model shares.
#ifndef KASSAY_CLI_MODEL_OPTIONS_H
#define KASSAY_CLI_MODEL_OPTIONS_H

#define KS_MODEL_OPTIONS                                                                                               \
    {"--architecture", "FILE", "config (JSON file or model file) for weights-only files"},                             \
        {"--format", "FORMAT", "refuse every format but this: keras-v3, keras-v3-dir, weights-v3, json-v3"},           \
        {"--road", "strict|library", "which reader: our own (default) or libzip, libhdf5 and cJSON"},                  \
        {"--limits", "K=V,…", "change limits, such as json_depth=100"}

#define KS_FILE_EXITS                                                                                                  \
    "    0 done; when the file is at fault 1 malformed, 2 unsupported, 3 over-limit, 4 unsafe;\n"                      \
    "    64 usage, 70 internal, 74 I/O."

#endif
