// SPDX-License-Identifier: Apache-2.0
//
// Texts to tokens, as TextVectorization does it: standardize, split, join to n-grams.
#ifndef KASSAY_LAYERS_TEXT_TOKENS_H
#define KASSAY_LAYERS_TEXT_TOKENS_H

#include "layers/run.h"
#include "schema/text_vectorization.h"

/// A row for each text, or where texts are not split, for each row of them (of the last axis).
typedef struct ks_text_rows {
    ks_text *tokens; ///< [n_tokens], row after row
    size_t n_tokens;
    size_t *counts; ///< [n_rows]
    size_t n_rows;
} ks_text_rows;

ks_code ks_text_tokens(ks_text_rows *out, ks_run *run, const ks_object *object, const ks_array *input);

#endif
