// SPDX-License-Identifier: Apache-2.0
//
// The gate: the set of deviations of a run must equal the list of expected ones.
//
// An expectation file has lines "id-or-glob OUTCOME  # why  @url  until=YYYY-MM-DD". Every line must match at least one
// planned case, and every case it matches must have that outcome; a deviation (any outcome but PASS) that no line
// matches is new; a line whose date is over is stale.
#ifndef KASSAY_HARNESS_RUNNER_GATE_H
#define KASSAY_HARNESS_RUNNER_GATE_H

#include <stdio.h>

#include "runner/results.h"

typedef struct ks_expectation {
    const char *pattern;
    ks_result outcome;
    int line; ///< in the file, from 1
    bool expired;
    size_t n_matched;
} ks_expectation;

typedef struct ks_expectations {
    ks_arena arena;
    ks_expectation *items;
    size_t count;
    bool partial; ///< only a part of the suite was planned: a line may match no case of it
} ks_expectations;

/// `path` NULL: no expectations. `today` is "YYYY-MM-DD"; NULL: the clock's. A line that cannot be read is KS_E_USAGE.
ks_code ks_expectations_read(ks_expectations *out, ks_context *context, const char *path, const char *today);
ks_code ks_expectations_parse(ks_expectations *out, ks_context *context, ks_bytes text, const char *today);
void ks_expectations_free(ks_expectations *expectations);

/// Exit codes; the highest that applies counts.
enum {
    KS_GATE_EQUAL = 0,
    KS_GATE_NEW_DEVIATION = 1,
    KS_GATE_STALE = 2,   ///< an unexpected pass, or a line that matches nothing or is over
    KS_GATE_HARNESS = 3, ///< a missing, doubled or altered result, a harness error
    KS_GATE_SELF_TEST_FAILED = 4
};

/// Tells every difference on `out` (may be NULL) and returns the exit code.
int ks_gate(const ks_results *results, ks_expectations *expectations, FILE *out);
/// Plants faults (a wrong value, a missing result, an unlisted failure, a stale line, an altered byte) and sees that
/// each gives its own code: KS_GATE_EQUAL, or KS_GATE_SELF_TEST_FAILED.
int ks_gate_self_test(ks_context *context, FILE *out);

#endif
