// SPDX-License-Identifier: Apache-2.0
//
// Config of TextVectorization.
#ifndef KASSAY_SCHEMA_TEXT_VECTORIZATION_H
#define KASSAY_SCHEMA_TEXT_VECTORIZATION_H

#include "schema/lookup.h"

enum { KS_STANDARDIZE_NONE = -1, KS_STANDARDIZE_LOWER_AND_STRIP, KS_STANDARDIZE_LOWER, KS_STANDARDIZE_STRIP };
enum { KS_SPLIT_NONE = -1, KS_SPLIT_WHITESPACE, KS_SPLIT_CHARACTER };

typedef struct ks_text_vectorization {
    const ks_value *standardize_value, *split_value, *ngrams_value; ///< as in the config
    int standardize, split;
    int64_t ngrams[KS_MAX_INTS];    ///< widths in the order in which their results follow each other
    int n_ngrams;                   ///< 0: single tokens
    int64_t output_sequence_length; ///< KS_NULL_INT: that of the longest text
    bool ragged;
    ks_lookup lookup; ///< what the layer inside is made of
} ks_text_vectorization;

/// The StringLookup inside.
ks_object *ks_text_lookup(const ks_object *object);

#endif
