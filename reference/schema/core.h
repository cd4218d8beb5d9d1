// SPDX-License-Identifier: Apache-2.0
//
// Config of InputLayer and Dense, as their rows read it and their numeric halves use it.
#ifndef KASSAY_SCHEMA_CORE_H
#define KASSAY_SCHEMA_CORE_H

#include "schema/class.h"

typedef struct ks_input_layer {
    ks_shape shape;        ///< with the batch dimension
    ks_shape legacy_shape; ///< Keras 2's key for the same
    ks_text dtype;
    ks_dtype type;
    bool sparse;
    bool ragged;
    bool optional;
} ks_input_layer;

typedef struct ks_dense {
    int64_t units;
    ks_activation activation;
    bool use_bias;
    ks_object *kernel_initializer, *bias_initializer;
    ks_object *kernel_regularizer, *bias_regularizer, *activity_regularizer;
    ks_object *kernel_constraint, *bias_constraint;
    const ks_value *quantization_config;
    int64_t lora_rank, lora_alpha;
} ks_dense;

/// quantization_config must be null: quantized arithmetic is unsupported by name.
ks_code ks_check_not_quantized(ks_context *context, ks_object *object, const ks_value *quantization_config);

#endif
