// SPDX-License-Identifier: Apache-2.0
//
// Config of EinsumDense, Embedding and Masking, and the equation of an EinsumDense.
#ifndef KASSAY_SCHEMA_CORE_LAYERS_H
#define KASSAY_SCHEMA_CORE_LAYERS_H

#include "schema/class.h"

/// "…ab,bc->…ac" without its ellipsis.
typedef struct ks_equation {
    char input[KS_MAX_RANK + 1], kernel[KS_MAX_RANK + 1], output[KS_MAX_RANK + 1];
    bool left_elided, right_elided;
} ks_equation;

typedef struct ks_einsum_dense {
    ks_shape output_shape; ///< without the batch dimension and without what the ellipsis stands for
    ks_text equation;
    ks_activation activation;
    ks_text bias_axes; ///< data NULL: no bias
    ks_object *kernel_initializer, *bias_initializer;
    ks_object *kernel_regularizer, *bias_regularizer, *activity_regularizer;
    ks_object *kernel_constraint, *bias_constraint;
    const ks_value *quantization_config;
    int64_t lora_rank, lora_alpha;
    const ks_value *gptq_unpacked_column_size;
    ks_equation parsed;
} ks_einsum_dense;

typedef struct ks_embedding {
    int64_t input_dim, output_dim;
    ks_object *embeddings_initializer, *embeddings_regularizer, *activity_regularizer, *embeddings_constraint;
    bool mask_zero;
    const ks_value *quantization_config, *weights, *input_length;
    int64_t lora_rank, lora_alpha;
} ks_embedding;

typedef struct ks_masking {
    ks_numbers mask_value;
} ks_masking;

/// Fills params->parsed from params->equation; for rows that make EinsumDense children too.
ks_code ks_einsum_dense_parse(ks_context *context, ks_object *object);
/// One label for each axis of a tensor of this rank: the letters of `spec`, and digits for what the ellipsis stands
/// for.
void ks_equation_labels(char *labels, const ks_equation *equation, const char *spec, int rank);

#endif
