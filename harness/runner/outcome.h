// SPDX-License-Identifier: Apache-2.0
//
// What can come out of judging one case, and the record of it.
#ifndef KASSAY_HARNESS_RUNNER_OUTCOME_H
#define KASSAY_HARNESS_RUNNER_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ks_outcome {
    KS_OUTCOME_NOT_RUN, ///< zero: a record that nobody filled
    KS_OUTCOME_PASS,
    KS_OUTCOME_FAIL, ///< with a kind: "accepted-bad", "rejected-good", "wrong-structure", "wrong-weights",
                     ///< "wrong-value"
    KS_OUTCOME_CRASH,
    KS_OUTCOME_HANG,
    KS_OUTCOME_OVER_MEMORY,
    KS_OUTCOME_OVER_DISK,
    KS_OUTCOME_SIDE_EFFECT,
    KS_OUTCOME_UNSUPPORTED,
    KS_OUTCOME_UNDECIDED,
    KS_OUTCOME_HARNESS_ERROR,
    KS_N_OUTCOMES
} ks_outcome;

/// Plain bytes: it travels through a pipe.
typedef struct ks_result {
    ks_outcome outcome;
    bool accepted;        ///< the implementation accepted the artifact
    char kind[24];        ///< of a FAIL, else empty
    char verdict[16];     ///< "accepted", "malformed", …; empty when there is none
    char code[40];        ///< of the refusal: "zip-bad-crc"
    char message[600];    ///< the first wrong place, got, expected, bound; empty for a PASS
    uint64_t nanoseconds; ///< spent on the case
} ks_result;

#define KS_OUTCOME_TEXT_SIZE 64
/// "PASS", "FAIL:wrong-value", …
const char *ks_outcome_text(char text[KS_OUTCOME_TEXT_SIZE], const ks_result *result);
/// The plain name without kind.
const char *ks_outcome_name(ks_outcome outcome);
/// Reads "FAIL:wrong-value"; false when it is no outcome.
bool ks_outcome_parse(ks_result *out, const char *text);

/// Shell-like pattern: * (any characters, "/" too), ?, [abc]. The same rule for --only and for expectation files.
bool ks_glob(const char *pattern, const char *text);

#endif
