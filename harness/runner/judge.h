// SPDX-License-Identifier: Apache-2.0
//
// Judges one case with the embedded reference, in this process.
#ifndef KASSAY_HARNESS_RUNNER_JUDGE_H
#define KASSAY_HARNESS_RUNNER_JUDGE_H

#include "runner/case.h"
#include "runner/outcome.h"

typedef enum ks_roads { KS_ROADS_STRICT, KS_ROADS_LIBRARY, KS_ROADS_BOTH } ks_roads;

/// Fills `out`. A reject case that is refused for a listed reason is PASS here; whether its twin was accepted in the
/// same run is for the caller to check.
void ks_judge(ks_result *out, const char *root, const char *id, ks_roads roads);

#endif
