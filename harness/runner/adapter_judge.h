// SPDX-License-Identifier: Apache-2.0
//
// Judges one case with an adapter. It is given copies of the artifact and of what belongs to its loading, in a folder
// of their own, and never an expected value; what it gives back is compared by the same code as the embedded
// reference's.
#ifndef KASSAY_HARNESS_RUNNER_ADAPTER_JUDGE_H
#define KASSAY_HARNESS_RUNNER_ADAPTER_JUDGE_H

#include "runner/adapter.h"
#include "runner/case.h"

/// How a run asks an adapter. At most one of `through` and `rewrite`.
typedef struct ks_adapter_run {
    const ks_adapter *adapter; ///< open: its command, form, limits and hello are those of every worker's
    const char *through;       ///< format: the reference writes the case's model in it, the adapter reads that
    const char *target;        ///< of `through`: whose words an older format has (convert --for); NULL: the usual ones
    const char *rewrite;       ///< format: the adapter reads the case and writes it, the reference reads that
    const char *converter;     ///< program that `through` runs as `PROGRAM convert IN OUT --to FORMAT`
    const char *keep;          ///< folder in which those of cases that are no PASS stay, NULL: none stays
} ks_adapter_run;

/// Fills `out`. Like ks_judge, a refusal that the case allows is PASS here; twins are for the caller. `worker` is this
/// process's instance.
void ks_adapter_judge(ks_result *out, ks_adapter *worker, const ks_adapter_run *run, const char *root, const char *id);

#endif
