// SPDX-License-Identifier: Apache-2.0

// The declarations that do not depend on the element type.
#define KS_REAL_BITS 32
#include "layers/lookup.h"

#include <inttypes.h>
#include <stdio.h>

#include "ops/fingerprint.h"

static uint64_t hash_token(const ks_lookup *lookup, const ks_token *token) {
    char digits[24];
    ks_text text = token->text;
    if (!lookup->strings)
        text = (ks_text){digits, (size_t)snprintf(digits, sizeof(digits), "%" PRId64, token->integer)};
    return lookup->salted ? ks_siphash(lookup->salts, text.data, text.size) : ks_fingerprint64(text.data, text.size);
}

// Integers fall into the places for unknown ones by their remainder, strings by their hash.
static int64_t unknown_place(const ks_lookup *lookup, const ks_token *token) {
    int64_t count = lookup->num_oov_indices, place;
    if (count == 1)
        return 0;
    if (lookup->strings || lookup->oov_method == KS_OOV_FARMHASH)
        return (int64_t)(hash_token(lookup, token) % (uint64_t)count);
    place = token->integer % count;
    return place < 0 ? place + count : place;
}

static ks_code unknown_token(ks_run *run, const ks_object *object, const ks_lookup *lookup, const ks_token *token) {
    char digits[24] = "";
    if (!lookup->strings)
        snprintf(digits, sizeof(digits), "%" PRId64, token->integer);
    return ks_fail(run->context, KS_E_MODEL_RUN, KS_STAGE_RUN, KS_NO_OFFSET, object->place,
                   "%s \"%s\" has no place for unknown tokens and is given \"%.80s\"", object->row->name, object->name,
                   lookup->strings ? token->text.data : digits);
}

ks_code ks_lookup_find(int64_t *out, ks_run *run, const ks_object *object, const ks_lookup *lookup,
                       const ks_token *tokens, size_t count) {
    int64_t first = ks_lookup_first_token(lookup), first_oov = ks_lookup_first_oov(lookup);
    for (size_t i = 0; i < count; i++) {
        int64_t found = ks_vocabulary_find(lookup->words, &tokens[i]);
        if (lookup->has_mask && ks_token_equal(&tokens[i], &lookup->mask, lookup->strings))
            out[i] = lookup->output_mode == KS_LOOKUP_INT ? 0 : INT64_MAX;
        else if (found >= 0)
            out[i] = first + found;
        else if (lookup->num_oov_indices == 0)
            return unknown_token(run, object, lookup, &tokens[i]);
        else
            out[i] = first_oov + unknown_place(lookup, &tokens[i]);
    }
    return KS_OK;
}

void ks_indices_rows(size_t *rows, bool one_hot, const ks_shape *input, size_t count) {
    size_t group = one_hot ? 1 : count, after = 1;
    if (!one_hot && input->rank > 1)
        group = (size_t)input->dims[1];
    for (int i = 2; !one_hot && i < input->rank; i++)
        after *= (size_t)input->dims[i];
    for (size_t i = 0; i < count; i++)
        rows[i] = i / (group * after) * after + i % after;
}

void ks_indices_mark(int64_t *places, const ks_indices *indices, size_t depth, bool counted) {
    for (size_t i = 0; i < indices->count; i++) {
        int64_t index = indices->items[i], *place = &places[indices->rows[i] * depth];
        if (index >= 0 && (uint64_t)index < depth)
            place[index] = counted ? place[index] + 1 : 1;
    }
}
