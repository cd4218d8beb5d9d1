// SPDX-License-Identifier: Apache-2.0
//
// What StringLookup and IntegerLookup do to tokens; TextVectorization does it to those of its texts.
#ifndef KASSAY_LAYERS_LOOKUP_H
#define KASSAY_LAYERS_LOOKUP_H

#include "layers/layer.h"
#include "schema/lookup.h"

/// Indices of tokens, and the row of the output that each belongs to.
typedef struct ks_indices {
    int64_t *items;
    size_t *rows;
    size_t count;
} ks_indices;

/// The index of each token, with masks and places for unknown ones.
ks_code ks_lookup_find(int64_t *out, ks_run *run, const ks_object *object, const ks_lookup *lookup,
                       const ks_token *tokens, size_t count);
/// Rows in which each index has a place: 1 where it occurs, or how often, times the weights of tf_idf. Indices outside
/// have none.
ks_code KS_REAL(ks_lookup_encode)(ks_run *run, const ks_object *object, const ks_array *out, const ks_indices *indices);
/// The row of the output for each element of a dense input.
void ks_indices_rows(size_t *rows, bool one_hot, const ks_shape *input, size_t count);
/// Marks, or counts, indices in rows of `depth` places, which are 0.
void ks_indices_mark(int64_t *places, const ks_indices *indices, size_t depth, bool counted);

#endif
