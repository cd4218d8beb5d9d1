// SPDX-License-Identifier: Apache-2.0
//
// Layers that Keras 3 does not have any more.
#ifndef KASSAY_SCHEMA_OLD_LAYERS_H
#define KASSAY_SCHEMA_OLD_LAYERS_H

#include "schema/convolution.h"

typedef struct ks_thresholded_relu {
    double theta;
} ks_thresholded_relu;

/// LocallyConnected1D and 2D: a convolution whose kernel differs from place to place.
typedef struct ks_locally_connected {
    ks_convolution convolution; ///< filters, kernel_size, strides, padding, data_format, activation, use_bias
    int64_t implementation;     ///< 1: patches, 2: a dense kernel that is zero where nothing is connected, 3: only its
                                ///< connected elements
} ks_locally_connected;

ks_window ks_local_window(const ks_locally_connected *params, const ks_shape *input, const ks_shape *result);

/// MaxoutDense and Highway.
typedef struct ks_old_dense {
    int64_t units, nb_feature;
    bool use_bias;
    ks_activation activation;
    ks_object *kernel_initializer, *kernel_regularizer, *bias_regularizer, *activity_regularizer;
    ks_object *kernel_constraint, *bias_constraint;
} ks_old_dense;

/// SReLU and ParametricSoftplus: only initial values.
typedef struct ks_old_activation {
    const ks_value *ignored[4];
} ks_old_activation;

typedef struct ks_sample_normalization {
    double epsilon;
    ks_object *gamma_regularizer, *beta_regularizer;
} ks_sample_normalization;

typedef struct ks_cosine_merge {
    ks_ints axes;
} ks_cosine_merge;

#endif
