// SPDX-License-Identifier: Apache-2.0
//
// A conformance case: a folder with case.json, schema "kassay-case/1" (harness/case.schema.json).
#ifndef KASSAY_HARNESS_RUNNER_CASE_H
#define KASSAY_HARNESS_RUNNER_CASE_H

#include <kassay/dialect.h>
#include <kassay/json.h>

#define KS_CASE_MAX_OUTPUTS 64

typedef enum ks_expect { KS_EXPECT_ACCEPT, KS_EXPECT_REJECT, KS_EXPECT_EITHER } ks_expect;

typedef struct ks_case {
    ks_context *context;
    ks_json *json;
    char id[512]; ///< path below the suite's root, "/" between parts
    char folder[1024];
    const char *title, *format, *artifact;
    const char *architecture; ///< file name in the folder, NULL: none
    const char *into;         ///< a model file in the folder, in place of an architecture: weights are loaded into it
    ks_backend backend;       ///< option of a load: who computed the model
    bool by_name, skip_mismatch; ///< options of a load into a model
    const char *initial;         ///< the same: weights of the model before a load into it
    const char *writer;          ///< Keras version
    ks_expect expect;
    const ks_value *reason; ///< list of acceptable verdicts or codes, NULL: none
    const char *twin;       ///< id, NULL: none
    bool predict;           ///< outputs are compared
    size_t n_outputs;
    double atol[KS_CASE_MAX_OUTPUTS];
    double float64_atol[KS_CASE_MAX_OUTPUTS];
    double rtol;
} ks_case;

/// Reads and checks FOLDER/case.json. On failure the context's error names the key; nothing is left behind.
ks_code ks_case_open(ks_case *out, ks_context *context, const char *root, const char *id);
/// Weights into a model that is there already, in place of a plain load.
bool ks_case_loads_into(const ks_case *c);
void ks_case_close(ks_case *c);
/// PATH of a file of the case's folder.
void ks_case_file(char path[2048], const ks_case *c, const char *name);
/// Is `answer` (a verdict or a code) in the case's reasons?
bool ks_case_allows(const ks_case *c, const char *answer);
/// What the case says it may use, loaded once per name for the whole run. NULL when it names nothing, or on failure.
const struct ks_registry *ks_case_custom_objects(ks_context *context, const ks_case *c);

#endif
