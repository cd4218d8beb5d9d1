// SPDX-License-Identifier: Apache-2.0
//
// Config of Rescaling, Normalization and Discretization.
#ifndef KASSAY_SCHEMA_PREPROCESSING_H
#define KASSAY_SCHEMA_PREPROCESSING_H

#include "schema/class.h"

typedef struct ks_rescaling {
    ks_numbers scale, offset;
    bool scale_is_array, offset_is_array; ///< not Python numbers, which TensorFlow rounds to float first
} ks_rescaling;

typedef struct ks_normalization {
    ks_ints axis; ///< null and []: one mean for everything
    ks_numbers mean, variance;
    bool invert;
} ks_normalization;

typedef struct ks_discretization {
    ks_numbers bin_boundaries; ///< null: the layer was never adapted, or (Keras 2) has a summary of what it was given
    int64_t num_bins;
    int output_mode; ///< index into "int", "one_hot", "multi_hot", "count"
    bool sparse;
} ks_discretization;

enum { KS_BINS_INT, KS_BINS_ONE_HOT, KS_BINS_MULTI_HOT, KS_BINS_COUNT };

/// The shape that mean and variance have beside `input`: its size on the kept axes, 1 elsewhere.
ks_shape ks_normalization_shape(const ks_normalization *params, const ks_shape *input);
/// The shape that numbers given in the config have there: their axes belong to the last kept ones.
bool ks_normalization_constant_shape(ks_shape *out, const ks_normalization *params, const ks_shape *input);

/// Keras 2 makes the boundaries from the variable "summary" [2, n]: partition values, and their weights below.
size_t ks_discretization_boundaries(const ks_discretization *params, const ks_variable *summary);

#endif
