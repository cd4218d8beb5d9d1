// SPDX-License-Identifier: Apache-2.0
//
// Config of the attention layers, as their rows read it and their numeric halves use it.
#ifndef KASSAY_SCHEMA_ATTENTION_H
#define KASSAY_SCHEMA_ATTENTION_H

#include "schema/class.h"

/// Arguments of MultiHeadAttention and GroupQueryAttention, in the order of their signature.
enum {
    KS_MHA_QUERY,
    KS_MHA_VALUE,
    KS_MHA_KEY,
    KS_MHA_QUERY_MASK,
    KS_MHA_VALUE_MASK,
    KS_MHA_KEY_MASK,
    KS_MHA_ATTENTION_MASK,
    KS_MHA_RETURN_SCORES,
    KS_MHA_TRAINING,
    KS_MHA_USE_CAUSAL_MASK
};

/// Arguments of Attention and AdditiveAttention.
enum {
    KS_ATTENTION_INPUTS,
    KS_ATTENTION_MASK,
    KS_ATTENTION_TRAINING,
    KS_ATTENTION_RETURN_SCORES,
    KS_ATTENTION_USE_CAUSAL_MASK
};

/// Both multi-head layers after their keys were read.
typedef struct ks_multi_head {
    int64_t num_heads; ///< of queries
    int64_t num_key_value_heads;
    int64_t key_dim;   ///< per head
    int64_t value_dim; ///< per head
    ks_ints output_shape;
    ks_ints attention_axes;
    int64_t sliding_window; ///< KS_NULL_INT: none
    bool use_bias;
    bool use_gate;
    double dropout;
    ks_object *kernel_initializer, *bias_initializer;
    ks_object *kernel_regularizer, *bias_regularizer, *activity_regularizer;
    ks_object *kernel_constraint, *bias_constraint;
    const ks_value *seed;
    const ks_value *flash_attention;
} ks_multi_head;

typedef struct ks_attention {
    bool use_scale;
    int score_mode; ///< 0 dot, 1 concat
    double dropout;
    const ks_value *seed;
} ks_attention;

/// The projections of a built multi-head layer, in the order they were made: query, key, [gate,] value, output.
typedef struct ks_projections {
    const ks_object *query, *key, *gate, *value, *output; ///< gate NULL when there is none
} ks_projections;

ks_projections ks_multi_head_projections(const ks_object *object);
/// Marks the axes of the projected tensors (features dropped) that are attended over: the config's, or all but the
/// batch. False when the config names an axis that is not there.
bool ks_attention_axes(bool *attended, const ks_multi_head *params, int n_axes);

#endif
