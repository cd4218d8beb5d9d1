// SPDX-License-Identifier: Apache-2.0
//
// Config of the layers that do something in training only.
#ifndef KASSAY_SCHEMA_REGULARIZATION_H
#define KASSAY_SCHEMA_REGULARIZATION_H

#include "schema/class.h"

/// Dropout, AlphaDropout, GaussianDropout, GaussianNoise, SpatialDropout.
typedef struct ks_dropout {
    double rate, stddev;
    const ks_value *seed;
    const ks_value *noise_shape;
    int data_format;
} ks_dropout;

typedef struct ks_activity_regularization {
    double l1, l2;
} ks_activity_regularization;

/// A call with training=True would be computed otherwise: unsupported by name.
ks_code ks_check_inference(ks_call *call, const ks_object *object, size_t training_argument);

#endif
