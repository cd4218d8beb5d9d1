// SPDX-License-Identifier: Apache-2.0
//
// Config of the activation layers, as their rows read it and their numeric halves use it.
#ifndef KASSAY_SCHEMA_ADVANCED_ACTIVATION_H
#define KASSAY_SCHEMA_ADVANCED_ACTIVATION_H

#include "schema/class.h"

typedef struct ks_activation_layer {
    ks_activation activation;
} ks_activation_layer;

typedef struct ks_relu {
    double max_value; ///< NaN: none
    double negative_slope;
    double threshold;
} ks_relu;

typedef struct ks_leaky_relu {
    double negative_slope;
    double alpha; ///< Keras 2's key for the same; NaN: not there
} ks_leaky_relu;

typedef struct ks_prelu {
    ks_object *alpha_initializer, *alpha_regularizer, *alpha_constraint;
    ks_ints shared_axes;
} ks_prelu;

typedef struct ks_elu_layer {
    double alpha;
} ks_elu_layer;

typedef struct ks_softmax_layer {
    ks_ints axis;
} ks_softmax_layer;

/// The mask that Softmax obeys; versions before 2.4 had none.
ks_array *ks_softmax_mask(const ks_call *call, const ks_object *object);

#endif
