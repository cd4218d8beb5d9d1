// SPDX-License-Identifier: Apache-2.0
//
// Judges every case of a plan, each exactly once, in child processes: a crash or a hang costs one case, not the run.
#ifndef KASSAY_HARNESS_RUNNER_VERIFY_H
#define KASSAY_HARNESS_RUNNER_VERIFY_H

#include "runner/adapter_judge.h"
#include "runner/judge.h"
#include "runner/plan.h"

typedef struct ks_verify_options {
    ks_roads roads;
    unsigned jobs;         ///< child processes at a time, at least 1
    unsigned case_seconds; ///< after which a case is HANG
    /// Asks an adapter instead of the embedded reference, when not NULL; each child process has its own instance.
    /// `case_seconds` is then only a guard for the case that the judge itself hangs.
    const ks_adapter_run *adapter;
    /// Called as results come in, when not NULL.
    void (*progress)(void *argument, size_t done, size_t count);
    /// Called with each result of the plan as it comes, when not NULL; only the outcome of a refusal can still change,
    /// to UNDECIDED. Not KS_OK ends the run.
    ks_code (*finished)(void *argument, size_t index, const ks_result *result);
    void *argument;
    bool resume; ///< `results` has outcomes of an earlier run: only cases that are NOT_RUN are judged
    /// Judges one case; NULL: ks_judge or the adapter. Tests put a crash or a hang here.
    void (*judge)(ks_result *out, const char *root, const char *id, ks_roads roads);
} ks_verify_options;

/// `results` has plan->count records. KS_OK whatever the outcomes.
ks_code ks_verify(ks_result *results, ks_context *context, const char *root, const ks_plan *plan,
                  const ks_verify_options *options);

#endif
