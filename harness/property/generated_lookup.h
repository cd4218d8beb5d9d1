// SPDX-License-Identifier: Apache-2.0
//
// Layers that make numbers of words or integers, as real Keras 3.15.1 writes their configs: vocabularies, bins, masks,
// salts. For the models of model_generator.h.
#ifndef KASSAY_HARNESS_PROPERTY_GENERATED_LOOKUP_H
#define KASSAY_HARNESS_PROPERTY_GENERATED_LOOKUP_H

#include "property/choices.h"
#include <kassay/tensor.h>

#define KS_GENERATED_WORDS 10

typedef enum ks_lookup_class {
    KS_LOOKUP_HASHING, ///< the simplest; of words and of integers
    KS_LOOKUP_STRING,
    KS_LOOKUP_INTEGER,
    KS_LOOKUP_TEXT,
    KS_LOOKUP_CLASSES
} ks_lookup_class;

typedef struct ks_generated_lookup {
    ks_lookup_class is;
    ks_dtype from; ///< of the layer's input: KS_STRING or integers
    int mode;      ///< 0 "int"; of a Hashing also multi_hot, count. Others give what Keras 2 would not
    int first;     ///< of the words or integers in the vocabulary
    int words;     ///< in the vocabulary; bins of a Hashing
    int unknown;   ///< places for what is not in the vocabulary
    int mask;      ///< 0: none
    int salt;      ///< of a Hashing, 0: none
    int steps;     ///< of a TextVectorization
} ks_generated_lookup;

/// The words that inputs and vocabularies are made of: some with more than letters, one of them empty, and the one that
/// stands for unknown words.
const char *ks_generated_word(size_t i);

/// Decides everything but `is`; false when there is no such layer for this dtype and this many elements.
bool ks_generated_lookup_choose(ks_generated_lookup *out, ks_choices *choices, ks_lookup_class is, ks_dtype from,
                                int64_t elements);

/// KS_INT64 for the mode "int", else KS_FLOAT32.
ks_dtype ks_generated_lookup_dtype(const ks_generated_lookup *lookup);
/// The numbers of the mode "int" are below it; of the other modes the number of columns.
int64_t ks_generated_lookup_depth(const ks_generated_lookup *lookup);
/// Name of the layer's dtype policy.
const char *ks_generated_lookup_policy(const ks_generated_lookup *lookup);
/// The config keys behind name, trainable and dtype.
void ks_generated_lookup_write(char *out, size_t room, const ks_generated_lookup *lookup);

#endif
