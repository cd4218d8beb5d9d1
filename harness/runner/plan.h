// SPDX-License-Identifier: Apache-2.0
//
// The plan: which cases a run judges, in order. Written before anything is judged, so that a missing result is seen.
#ifndef KASSAY_HARNESS_RUNNER_PLAN_H
#define KASSAY_HARNESS_RUNNER_PLAN_H

#include <kassay/context.h>

#include "base/arena.h"

typedef struct ks_plan_options {
    const char *only;   ///< glob on the id, NULL: all
    const char *format; ///< NULL: all
    unsigned shard;     ///< from 1; 0: no sharding
    unsigned n_shards;
    unsigned sample;    ///< at most so many, evenly spread; 0: all
    bool accepted_only; ///< only cases of a whole model that must be accepted
    bool with_weights;  ///< and only those whose files hold weights
} ks_plan_options;

typedef struct ks_plan_item {
    const char *id;
    const char *twin; ///< of a reject case, else NULL
} ks_plan_item;

typedef struct ks_plan {
    ks_arena arena;
    ks_plan_item *items; ///< sorted by id
    size_t count;
    const char *implementation, *version; ///< what is judged, NULL: the embedded reference
} ks_plan;

/// Finds every case.json below `root`/`suite` for each suite (all of `root` when there is none).
ks_code ks_plan_make(ks_plan *out, ks_context *context, const char *root, const char *const *suites, size_t n_suites,
                     const ks_plan_options *options);
void ks_plan_free(ks_plan *plan);

#endif
