// SPDX-License-Identifier: Apache-2.0
//
// Results for people: counts by format and writer, then every case that is no PASS.
#ifndef KASSAY_HARNESS_RUNNER_TABLE_H
#define KASSAY_HARNESS_RUNNER_TABLE_H

#include <stdio.h>

#include "runner/outcome.h"
#include "runner/plan.h"

/// Rows are the first two parts of the ids ("keras-v3/keras-3.15.1").
void ks_table_print(FILE *out, const char *root, const ks_plan *plan, const ks_result *results);

#endif
