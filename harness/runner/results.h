// SPDX-License-Identifier: Apache-2.0
//
// Results as JSON lines:
//
//   {"kassay": "results/1", "implementation": …, "version": …, "started": seconds since 1970}
//   {"plan": ["id", …]}
//   {"id": …, "outcome": "FAIL:wrong-value", "message": …, "verdict": …, "code": …, "ns": …}      one per planned case
//   {"counts": {"PASS": n, …}, "sha256": digest of every byte before this line}
#ifndef KASSAY_HARNESS_RUNNER_RESULTS_H
#define KASSAY_HARNESS_RUNNER_RESULTS_H

#include <stdio.h>

#include "runner/outcome.h"
#include "runner/plan.h"

/// Writes the whole file atomically; "-" is standard output.
ks_code ks_results_write(ks_context *context, const char *path, const ks_plan *plan, const ks_result *results);

/// The text of such a file with the first `n_results` results; free it with ks_free.
ks_code ks_results_text(ks_text *out, ks_context *context, const ks_plan *plan, const ks_result *results,
                        size_t n_results);

/// Results on their way to a file: the same lines without the footer, appended to "FILE.partial" as they come. A run
/// that is cut short can be looked at there, and continued.
typedef struct ks_results_journal {
    ks_context *context;
    FILE *file; ///< NULL: none is kept
    char path[4200];
} ks_results_journal;

/// Starts the journal of the results file `path`. With `resume` a journal that is there is read first: `results`
/// (zeroed, plan->count records) gets what it has, but no harness errors. One of another plan or implementation is
/// KS_E_USAGE.
ks_code ks_results_journal_open(ks_results_journal *out, ks_context *context, const char *path, const ks_plan *plan,
                                ks_result *results, bool resume);
ks_code ks_results_journal_put(ks_results_journal *journal, const char *id, const ks_result *result);
/// `done`: the results file is written; the journal is removed.
void ks_results_journal_close(ks_results_journal *journal, bool done);

typedef struct ks_results_line {
    const char *id;
    ks_result result;
} ks_results_line;

/// A results file read back.
typedef struct ks_results {
    ks_arena arena;
    const char *implementation, *version; ///< of the header, NULL: it has none
    const char **plan;
    size_t n_planned;
    ks_results_line *lines;
    size_t n_lines;
    char problem[256]; ///< a missing, doubled or altered result, a hash that does not fit; empty: none
} ks_results;

/// KS_OK also when `problem` is set: the gate judges it. Other codes: the file cannot be read at all.
ks_code ks_results_read(ks_results *out, ks_context *context, const char *path);
/// From memory; the text may go away.
ks_code ks_results_parse(ks_results *out, ks_context *context, ks_bytes text);
void ks_results_free(ks_results *results);

#endif
