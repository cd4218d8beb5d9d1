// SPDX-License-Identifier: Apache-2.0
#include "schema/vocabulary.h"

#include "base/hash.h"

bool ks_vocabulary_init(ks_vocabulary *vocabulary, ks_arena *arena, bool strings, const ks_token *tokens,
                        size_t n_tokens) {
    size_t room = 8;
    if (n_tokens > UINT32_MAX / 4)
        n_tokens = UINT32_MAX / 4; // more than any budget holds: the arena says so
    while (room < n_tokens + n_tokens / 2)
        room *= 2;
    *vocabulary = (ks_vocabulary){.strings = strings, .tokens = tokens, .mask = room - 1};
    vocabulary->places = ks_arena_get(arena, room, sizeof(*vocabulary->places));
    return vocabulary->places;
}

bool ks_token_equal(const ks_token *a, const ks_token *b, bool strings) {
    return strings ? ks_text_equal(a->text, b->text) : a->integer == b->integer;
}

static uint32_t *place_of(const ks_vocabulary *vocabulary, const ks_token *token) {
    uint32_t hash = vocabulary->strings ? ks_hash_text(token->text.data, token->text.size)
                                        : ks_hash_text((const char *)&token->integer, sizeof(token->integer));
    size_t at = hash & vocabulary->mask;
    while (vocabulary->places[at] &&
           !ks_token_equal(&vocabulary->tokens[vocabulary->places[at] - 1], token, vocabulary->strings))
        at = (at + 1) & vocabulary->mask;
    return &vocabulary->places[at];
}

bool ks_vocabulary_add(ks_vocabulary *vocabulary) {
    uint32_t *place = place_of(vocabulary, &vocabulary->tokens[vocabulary->count]);
    if (*place)
        return false;
    *place = (uint32_t)++vocabulary->count;
    return true;
}

int64_t ks_vocabulary_find(const ks_vocabulary *vocabulary, const ks_token *token) {
    return (int64_t)*place_of(vocabulary, token) - 1;
}
