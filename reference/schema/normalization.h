// SPDX-License-Identifier: Apache-2.0
//
// Config of the normalization layers.
#ifndef KASSAY_SCHEMA_NORMALIZATION_H
#define KASSAY_SCHEMA_NORMALIZATION_H

#include "schema/class.h"

typedef struct ks_batch_normalization {
    int64_t axis;
    ks_ints axes; ///< of BatchNormalizationAxes, which has no `axis`
    double momentum, epsilon;
    bool center, scale;
    ks_object *beta_initializer, *gamma_initializer, *moving_mean_initializer, *moving_variance_initializer;
    ks_object *beta_regularizer, *gamma_regularizer;
    ks_object *beta_constraint, *gamma_constraint;
    bool synchronized, renorm;
    const ks_value *renorm_clipping;
    double renorm_momentum;
} ks_batch_normalization;

/// LayerNormalization, RMSNormalization, UnitNormalization, GroupNormalization (axis is one int there).
typedef struct ks_layer_normalization {
    ks_ints axis;
    int64_t groups;
    double epsilon;
    bool center, scale, rms_scaling;
    ks_object *beta_initializer, *gamma_initializer;
    ks_object *beta_regularizer, *gamma_regularizer;
    ks_object *beta_constraint, *gamma_constraint;
} ks_layer_normalization;

typedef struct ks_spectral_normalization {
    ks_object *layer;
    int64_t power_iterations;
} ks_spectral_normalization;

/// Which axes of a tensor of this rank are listed; false when one is out of range or occurs twice.
bool ks_listed_axes(bool *listed, const ks_ints *axes, int rank);

#endif
