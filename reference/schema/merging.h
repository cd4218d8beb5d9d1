// SPDX-License-Identifier: Apache-2.0
//
// Config of the merging layers, as their rows read it and their numeric halves use it.
#ifndef KASSAY_SCHEMA_MERGING_H
#define KASSAY_SCHEMA_MERGING_H

#include "schema/class.h"

typedef struct ks_concatenate {
    int64_t axis;
} ks_concatenate;

typedef struct ks_dot {
    ks_ints axes;
    bool normalize;
} ks_dot;

/// The arrays of the first argument, a list. NULL with the error set when it is something else.
ks_array **ks_merge_inputs(size_t *count, ks_call *call, const ks_object *object);
/// The axes along which Dot multiplies, counted from the front.
ks_code ks_dot_axes(int axes[2], ks_call *call, const ks_object *object, ks_array *const *inputs);

#endif
