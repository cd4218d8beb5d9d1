// SPDX-License-Identifier: Apache-2.0
//
// Compares the two roads on one input. The library road runs in this process only on what the strict road accepted
// whole (every member, dataset, attribute read); everything else goes to a child, if at all.
#ifndef KASSAY_HARNESS_RUNNER_ROAD_COMPARE_H
#define KASSAY_HARNESS_RUNNER_ROAD_COMPARE_H

#include "runner/isolated.h"
#include "runner/road_differences.h"
#include <kassay/text.h>

typedef enum ks_roads_outcome {
    KS_ROADS_AGREE,  ///< both accept, with equal content; or both refuse
    KS_ROADS_LISTED, ///< they differ as rows of the table say
    KS_ROADS_DIFFER  ///< red: `where` and `message` name the first difference
} ks_roads_outcome;

typedef struct ks_roads_options {
    ks_limits limits;             ///< of each road
    bool with_refused;            ///< false: the library road does not see what the strict road refused
    ks_isolated_limits isolation; ///< of the child that sees it
} ks_roads_options;

#define KS_ROADS_MAX_ROWS 8

typedef struct ks_roads_result {
    ks_roads_outcome outcome;
    const ks_road_difference *rows[KS_ROADS_MAX_ROWS]; ///< met, each once
    size_t n_rows;
    ks_error strict;          ///< code KS_OK: accepted
    ks_error library;         ///< code KS_OK: accepted, or not asked (`library_asked`)
    bool library_asked;       ///< false: the strict road refused and `with_refused` was not set
    ks_isolated_result child; ///< when the library road ran in one
    char where[256];          ///< member, dataset or value of the first difference
    char message[320];
} ks_roads_result;

/// Default limits, refused input not shown to the library road.
ks_roads_options ks_roads_options_default(void);

/// `options` may be NULL. KS_OK whatever the outcome; other codes when the comparison itself could not be done.
ks_code ks_roads_compare_archive(ks_roads_result *out, ks_context *context, const ks_roads_options *options,
                                 ks_bytes bytes);
ks_code ks_roads_compare_hdf5(ks_roads_result *out, ks_context *context, const ks_roads_options *options,
                              ks_bytes bytes);
ks_code ks_roads_compare_json(ks_roads_result *out, ks_context *context, const ks_roads_options *options,
                              ks_bytes bytes);

const char *ks_roads_outcome_name(ks_roads_outcome outcome); ///< "agree", "listed", "differ"

#endif
