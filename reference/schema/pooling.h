// SPDX-License-Identifier: Apache-2.0
//
// Config of the pooling layers.
#ifndef KASSAY_SCHEMA_POOLING_H
#define KASSAY_SCHEMA_POOLING_H

#include "schema/window.h"

typedef struct ks_pooling {
    ks_ints pool_size;
    ks_ints strides; ///< null in the file: pool_size
    int padding;     ///< ks_padding
    int data_format;
} ks_pooling;

typedef struct ks_global_pooling {
    int data_format;
    bool keepdims;
} ks_global_pooling;

typedef struct ks_adaptive_pooling {
    ks_ints output_size;
    int data_format;
} ks_adaptive_pooling;

ks_window_rule ks_pooling_rule(const ks_pooling *params);

#endif
