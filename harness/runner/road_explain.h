// SPDX-License-Identifier: Apache-2.0
//
// Why the library road refuses a model that the strict road accepts, by the table of differences.
#ifndef KASSAY_HARNESS_RUNNER_ROAD_EXPLAIN_H
#define KASSAY_HARNESS_RUNNER_ROAD_EXPLAIN_H

#include "runner/road_differences.h"
#include <kassay/context.h>

/// `path`: a file or a folder with the files of an archive, which the strict road accepts. `answer`: what the library
/// road said of it. `*out` is NULL when no row explains this answer, or some part differs as no row says. Other codes
/// than KS_OK: the comparison could not be done.
ks_code ks_roads_explain(const ks_road_difference **out, ks_context *context, const char *path, ks_code answer);

#endif
