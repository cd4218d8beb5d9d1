// SPDX-License-Identifier: Apache-2.0
//
// The words of a lookup layer and where each stands: strings or integers, every one once.
#ifndef KASSAY_SCHEMA_VOCABULARY_H
#define KASSAY_SCHEMA_VOCABULARY_H

#include <kassay/value.h>

#include "base/arena.h"

typedef union ks_token {
    ks_text text;    ///< of a vocabulary of strings
    int64_t integer; ///< of a vocabulary of integers
} ks_token;

typedef struct ks_vocabulary {
    bool strings;
    const ks_token *tokens; ///< [count], not copied
    size_t count;
    uint32_t *places; ///< [mask + 1]: index of a token + 1, or 0
    size_t mask;
} ks_vocabulary;

/// Of these tokens, which must outlive it and are added one by one. False: no memory, which the arena's context says.
bool ks_vocabulary_init(ks_vocabulary *vocabulary, ks_arena *arena, bool strings, const ks_token *tokens,
                        size_t n_tokens);
/// Adds the next token. False when it is there already.
bool ks_vocabulary_add(ks_vocabulary *vocabulary);
/// The token's index, or -1.
int64_t ks_vocabulary_find(const ks_vocabulary *vocabulary, const ks_token *token);
bool ks_token_equal(const ks_token *a, const ks_token *b, bool strings);

#endif
