// SPDX-License-Identifier: Apache-2.0
//
// The reviewed table of differences between the two roads. Agreement is: whatever the strict road accepts, the library
// road accepts with equal bytes of every tensor (every value, for JSON). Anything else is one row of this table, or
// red.
#ifndef KASSAY_HARNESS_RUNNER_ROAD_DIFFERENCES_H
#define KASSAY_HARNESS_RUNNER_ROAD_DIFFERENCES_H

#include <kassay/status.h>

typedef enum ks_road_family { KS_ROADS_ARCHIVE, KS_ROADS_HDF5, KS_ROADS_JSON } ks_road_family;

typedef enum ks_road_difference_id {
#define KS_ROAD_DIFFERENCE(symbol, name, family, input, strict, library, reason, test) KS_DIFFERENCE_##symbol,
#include "runner/road_differences.def"
#undef KS_ROAD_DIFFERENCE
    KS_N_DIFFERENCES
} ks_road_difference_id;

typedef struct ks_road_difference {
    ks_road_difference_id id;
    const char *name; ///< "json-duplicate-key"
    ks_road_family family;
    const char *input;   ///< the class of input
    const char *strict;  ///< what the strict road answers
    const char *library; ///< what the library road answers
    const char *reason;  ///< why each is right, or why the difference is tolerated
    const char *test;    ///< the test of test_road_compare.c that provokes it
} ks_road_difference;

const ks_road_difference *ks_road_difference_row(ks_road_difference_id id);
const char *ks_road_family_name(ks_road_family family);

#endif
