// SPDX-License-Identifier: Apache-2.0
//
// Compares what an implementation made of a case's artifact with the case's golden files: weights bit by bit and in
// order, structure key by key, outputs within the case's bounds. The embedded reference and adapters are judged by this
// one code. The first difference ends a comparison: it is a FAIL with kind and place in the result.
#ifndef KASSAY_HARNESS_RUNNER_COMPARISON_H
#define KASSAY_HARNESS_RUNNER_COMPARISON_H

#include <kassay/npz.h>
#include <kassay/source.h>

#include "runner/case.h"
#include "runner/outcome.h"

typedef struct ks_comparison {
    ks_result *out; ///< NOT_RUN until something is wrong
    const ks_case *c;
    ks_context files; ///< of the golden files
    ks_source *weights_source, *io_source;
    ks_npz *weights, *io;
} ks_comparison;

typedef struct ks_given_weight {
    const char *path; ///< dataset in the file, compared with the golden `names`; NULL: the implementation does not say
    ks_tensor tensor;
} ks_given_weight;

typedef struct ks_given_output {
    const char *layer; ///< for messages, NULL: not known
    ks_tensor tensor;
} ks_given_output;

/// `result` is zeroed by the caller. Nothing is read yet.
void ks_comparison_open(ks_comparison *out, ks_result *result, const ks_case *c);
void ks_comparison_close(ks_comparison *comparison);

/// Nothing is wrong so far.
bool ks_comparison_going_on(const ks_comparison *comparison);
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void ks_comparison_fail(ks_comparison *comparison, const char *kind, const char *format, ...);
void ks_result_harness_error(ks_result *out, const ks_error *error);

/// Does the case's folder hold `name` ("weights.npz", "structure.json", …)?
bool ks_case_has_file(const ks_case *c, const char *name);

/// With weights.npz, which the case must have.
void ks_compare_weights(ks_comparison *comparison, const ks_given_weight *given, size_t count);
/// With other weights, bit by bit and in their order.
void ks_compare_weights_with(ks_comparison *comparison, const ks_given_weight *given, size_t count,
                             const ks_given_weight *expected, size_t n_expected);
/// With structure.json, which the case must have. `partial`: `got` may leave out any of its top-level keys, and of
/// inputs, layers and variables what only a file or one generation of Keras says (paths, names, classes, digests); what
/// it has is compared.
void ks_compare_structure(ks_comparison *comparison, const ks_value *got, bool partial);
/// With `output.N` (KS_FLOAT32) or `float64.N` (KS_FLOAT64) of io.npz, within the case's bounds.
void ks_compare_outputs(ks_comparison *comparison, const ks_given_output *given, size_t count, ks_dtype real);
/// `input.N` of io.npz; lives as long as the comparison. False: a harness error is in the result.
bool ks_golden_input(ks_tensor *out, ks_comparison *comparison, size_t index);

#endif
