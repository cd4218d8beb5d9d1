// SPDX-License-Identifier: Apache-2.0
//
// Config of the convolution layers; one struct for all of them, each row fills what it has.
#ifndef KASSAY_SCHEMA_CONVOLUTION_H
#define KASSAY_SCHEMA_CONVOLUTION_H

#include "schema/window.h"

typedef struct ks_convolution {
    int64_t filters;
    int64_t depth_multiplier;
    int64_t groups;
    ks_ints kernel_size, strides, dilation_rate;
    ks_ints output_padding; ///< of the transposed ones; empty: Keras's default
    int padding;            ///< ks_padding
    int data_format;
    ks_activation activation;
    bool use_bias;
    ks_object *kernel_initializer, *depthwise_initializer, *pointwise_initializer, *bias_initializer;
    ks_object *kernel_regularizer, *depthwise_regularizer, *pointwise_regularizer, *bias_regularizer;
    ks_object *kernel_constraint, *depthwise_constraint, *pointwise_constraint, *bias_constraint;
    ks_object *activity_regularizer;
    int64_t lora_rank, lora_alpha;
} ks_convolution;

ks_window_rule ks_convolution_rule(const ks_convolution *params);

#endif
