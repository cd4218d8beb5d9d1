// SPDX-License-Identifier: Apache-2.0
//
// Config and words of StringLookup and IntegerLookup, and of the StringLookup inside a TextVectorization.
#ifndef KASSAY_SCHEMA_LOOKUP_H
#define KASSAY_SCHEMA_LOOKUP_H

#include "schema/class.h"
#include "schema/vocabulary.h"

enum { KS_LOOKUP_INT, KS_LOOKUP_ONE_HOT, KS_LOOKUP_MULTI_HOT, KS_LOOKUP_COUNT, KS_LOOKUP_TF_IDF };
enum { KS_OOV_FLOORMOD, KS_OOV_FARMHASH };

typedef struct ks_lookup {
    bool invert, sparse, pad_to_max_tokens;
    int64_t max_tokens, num_oov_indices, vocabulary_size; ///< KS_NULL_INT: null
    int output_mode, oov_method;
    const ks_value *mask_token, *oov_token, *vocabulary, *salt; ///< as in the config
    ks_numbers idf_weights;

    bool strings;           ///< the words are strings
    bool has_mask, has_oov; ///< and then:
    ks_token mask, oov;
    bool salted;
    uint64_t salts[2]; ///< of the strong hash
    /// What set_vocabulary was given, without the special tokens in front; NULL: nothing yet. The first token's index
    /// is ks_lookup_first_token.
    ks_vocabulary *words;
} ks_lookup;

/// The index of the first place for unknown words: 1 after a mask's 0, else 0.
int64_t ks_lookup_first_oov(const ks_lookup *lookup);
int64_t ks_lookup_first_token(const ks_lookup *lookup);
/// The last dimension of all output modes but "int"; KS_NULL_INT: not known.
int64_t ks_lookup_depth(const ks_lookup *lookup);
/// Reads mask_token, oov_token and salt, and checks all that a constructor does, the vocabulary too.
ks_code ks_lookup_check(ks_context *context, ks_object *object, ks_lookup *lookup);
/// Makes the words of the config and the variable of tf_idf.
ks_code ks_lookup_build(ks_call *call, ks_object *object, ks_lookup *lookup);
/// The lines of an asset vocabulary.txt, special tokens in front; `place` is the file's. Source: load_assets.
ks_code ks_lookup_read_words(ks_context *context, ks_arena *arena, ks_object *object, ks_bytes text, const char *place);
/// Whether an asset has its words: the config has none.
bool ks_lookup_wants_words(const ks_object *object);
/// Writes what Keras computes: "vocabulary_size", the words and special tokens.
void ks_lookup_count_words(ks_value *config, const ks_lookup *lookup, int64_t n_special);
/// Writes the words that are not in the config into it, special tokens in front, and the weights of tf_idf. False: no
/// memory.
bool ks_lookup_write_words(ks_value *config, ks_arena *arena, const ks_object *object, const ks_lookup *lookup);
/// Whether a config can say its words: special tokens that have no name cannot be in it.
bool ks_lookup_fits_config(const ks_lookup *lookup);
/// Whether Keras 3.14 and later would read other words from an asset: it ends lines wherever Python does, and drops
/// empty words at the end.
bool ks_lookup_has_line_ends(const ks_lookup *lookup);
/// What a StringLookup, IntegerLookup or TextVectorization looks words up with, and the layer that does it; NULL: it is
/// another.
const ks_lookup *ks_lookup_of(const ks_object *object, const ks_object **layer);
/// The shape of indices that were encoded. one_hot: a last axis of 1 goes away, and there is a new one. Others: all of
/// an axis becomes one row.
ks_code ks_encoded_shape(ks_shape *out, ks_call *call, const ks_object *object, bool one_hot, int64_t depth,
                         const ks_shape *input);
/// The shape of the output beside `input`, for all modes.
ks_code ks_lookup_shape(ks_shape *out, ks_call *call, const ks_object *object, const ks_lookup *lookup,
                        const ks_shape *input);
/// The type of the output.
ks_dtype ks_lookup_dtype(const ks_call *call, const ks_object *object, const ks_lookup *lookup);

#endif
