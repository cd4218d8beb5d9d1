// SPDX-License-Identifier: Apache-2.0
//
// StringLookup and IntegerLookup.
#include "layers/lookup.h"

#include "base/cast.h"

// Weights of tf_idf, one for each place; NULL, with an error, when there are others.
static const ks_real *weights_of(ks_run *run, const ks_object *object, size_t depth) {
    const ks_variable *weights = ks_is_old(object) ? object->other_variables : object->kept_variables;
    if (weights && weights->shape.dims[0] == (int64_t)depth)
        return ks_variable_real(weights);
    ks_fail(run->context, KS_E_MODEL_RUN, KS_STAGE_RUN, KS_NO_OFFSET, object->place,
            "%s \"%s\" has %lld idf_weights for %zu places", object->row->name, object->name,
            weights ? (long long)weights->shape.dims[0] : 0LL, depth);
    return NULL;
}

static ks_code write_counts(ks_run *run, const ks_object *object, const ks_array *out, const int64_t *counts,
                            size_t depth) {
    const ks_lookup *lookup = object->params;
    size_t total = ks_array_elements(out);
    bool weighted = lookup->output_mode == KS_LOOKUP_TF_IDF;
    const ks_real *weights = weighted ? weights_of(run, object, depth) : NULL;
    if (weighted && !weights)
        return run->context->error.code;
    if (weighted)
        for (size_t i = 0; i < total; i++)
            ks_reals(out)[i] = (ks_real)counts[i] * weights[i % depth];
    else
        ks_cast(out->data, out->dtype, counts, KS_INT64, total);
    return KS_OK;
}

ks_code KS_REAL(ks_lookup_encode)(ks_run *run, const ks_object *object, const ks_array *out,
                                  const ks_indices *indices) {
    const ks_lookup *lookup = object->params;
    bool counted = lookup->output_mode == KS_LOOKUP_COUNT || lookup->output_mode == KS_LOOKUP_TF_IDF;
    size_t depth = (size_t)out->shape.dims[out->shape.rank - 1];
    int64_t *counts = ks_run_memory(run, ks_array_elements(out), sizeof(*counts));
    ks_code code;
    if (!counts)
        return run->context->error.code;
    ks_indices_mark(counts, indices, depth, counted);
    KS_TRY(write_counts(run, object, out, counts, depth));
done:
    return code;
}

// The input's elements as tokens; numbers are cast to the vocabulary's type.
static ks_token *tokens_of(ks_run *run, const ks_array *input, bool strings) {
    size_t count = ks_array_elements(input);
    ks_token *tokens = ks_run_memory(run, count, sizeof(*tokens));
    int64_t *numbers = strings ? NULL : ks_run_memory(run, count, sizeof(*numbers));
    if (!tokens || (!strings && !numbers))
        return NULL;
    if (!strings)
        ks_cast(numbers, KS_INT64, input->data, input->dtype, count);
    for (size_t i = 0; i < count; i++)
        if (strings)
            tokens[i].text = ((const ks_text *)input->data)[i];
        else
            tokens[i].integer = numbers[i];
    return tokens;
}

// Indices to tokens: 0 is the mask, what has no token gives the oov_token.
static ks_code invert(ks_run *run, const ks_lookup *lookup, const ks_array *input, const ks_array *out) {
    size_t count = ks_array_elements(input);
    const ks_token *indices = tokens_of(run, input, false);
    int64_t first = ks_lookup_first_token(lookup);
    if (!indices)
        return run->context->error.code;
    for (size_t i = 0; i < count; i++) {
        int64_t index = indices[i].integer;
        const ks_token *token = &lookup->oov;
        if (lookup->has_mask && index == 0)
            token = &lookup->mask;
        else if (index >= first && (uint64_t)(index - first) < lookup->words->count)
            token = &lookup->words->tokens[index - first];
        if (lookup->strings)
            ((ks_text *)out->data)[i] = token->text;
        else
            ((int64_t *)out->data)[i] = token->integer;
    }
    return KS_OK;
}

static ks_code look_up(ks_run *run, ks_call *call, const ks_object *object, const ks_array *out) {
    const ks_lookup *lookup = object->params;
    const ks_array *input = ks_call_input(call, object);
    ks_indices indices = {.count = ks_array_elements(input)};
    const ks_token *tokens;
    ks_code code;
    if (lookup->invert)
        return invert(run, lookup, input, out);
    tokens = tokens_of(run, input, lookup->strings);
    indices.items = ks_run_memory(run, indices.count, sizeof(*indices.items));
    indices.rows = ks_run_memory(run, indices.count, sizeof(*indices.rows));
    if (!tokens || !indices.items || !indices.rows)
        return run->context->error.code;
    KS_TRY(ks_lookup_find(indices.items, run, object, lookup, tokens, indices.count));
    if (lookup->output_mode == KS_LOOKUP_INT) {
        memcpy(out->data, indices.items, indices.count * sizeof(*indices.items));
        return KS_OK;
    }
    ks_indices_rows(indices.rows, lookup->output_mode == KS_LOOKUP_ONE_HOT, &input->shape, indices.count);
    KS_TRY(KS_REAL(ks_lookup_encode)(run, object, out, &indices));
done:
    return code;
}

KS_FORWARD(StringLookup) {
    return look_up(run, call, object, out->as.array);
}

KS_FORWARD(IntegerLookup) {
    return look_up(run, call, object, out->as.array);
}
