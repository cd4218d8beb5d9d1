// SPDX-License-Identifier: Apache-2.0
//
// TextVectorization.
#include "schema/text_vectorization.h"
#include "layers/lookup.h"
#include "layers/text_tokens.h"

// Tokens of all texts, looked up; `rows` are those of the output unless it has one for each text.
static ks_code find_all(ks_indices *out, ks_run *run, const ks_object *object, const ks_text_rows *rows) {
    const ks_object *inside = ks_text_lookup(object);
    const ks_lookup *lookup = inside->params;
    ks_token *tokens = ks_run_memory(run, rows->n_tokens, sizeof(*tokens));
    size_t next = 0;
    ks_code code;
    out->count = rows->n_tokens;
    out->items = ks_run_memory(run, rows->n_tokens, sizeof(*out->items));
    out->rows = ks_run_memory(run, rows->n_tokens, sizeof(*out->rows));
    if (!tokens || !out->items || !out->rows)
        return run->context->error.code;
    for (size_t i = 0; i < rows->n_tokens; i++)
        tokens[i].text = rows->tokens[i];
    for (size_t row = 0; row < rows->n_rows; row++)
        for (size_t i = 0; i < rows->counts[row]; i++)
            out->rows[next++] = row;
    KS_TRY(ks_lookup_find(out->items, run, inside, lookup, tokens, rows->n_tokens));
done:
    return code;
}

// Rows of one length: cut, or filled up with 0. Unless the layer says how long, the longest is.
static ks_code write_rows(ks_run *run, ks_array *out, const ks_text_rows *rows, const ks_indices *indices, bool fixed) {
    size_t width = fixed && out->shape.rank ? (size_t)out->shape.dims[out->shape.rank - 1] : 0, start = 0;
    int64_t *items = out->data;
    for (size_t row = 0; row < rows->n_rows && !fixed; row++)
        width = rows->counts[row] > width ? rows->counts[row] : width;
    if (!fixed) {
        out->shape.dims[out->shape.rank - 1] = (int64_t)width;
        out->data = items = ks_run_memory(run, rows->n_rows * width, sizeof(*items));
        if (!items)
            return run->context->error.code;
    }
    memset(items, 0, ks_array_elements(out) * sizeof(*items));
    for (size_t row = 0; row < rows->n_rows; row++) {
        size_t count = rows->counts[row] < width ? rows->counts[row] : width;
        memcpy(&items[row * width], &indices->items[start], count * sizeof(*items));
        start += rows->counts[row];
    }
    return KS_OK;
}

KS_FORWARD(TextVectorization) {
    const ks_text_vectorization *params = object->params;
    const ks_object *inside = ks_text_lookup(object);
    const ks_array *input = ks_call_input(call, object);
    bool grows = params->split != KS_SPLIT_NONE || params->n_ngrams > 0;
    ks_indices indices;
    ks_text_rows rows;
    ks_code code;
    KS_TRY(ks_text_tokens(&rows, run, object, input));
    KS_TRY(find_all(&indices, run, object, &rows));
    if (params->lookup.output_mode == KS_LOOKUP_INT) {
        bool fixed = !grows || params->output_sequence_length != KS_NULL_INT;
        return write_rows(run, out->as.array, &rows, &indices, fixed);
    }
    if (!grows)
        ks_indices_rows(indices.rows, params->lookup.output_mode == KS_LOOKUP_ONE_HOT, &input->shape, indices.count);
    KS_TRY(KS_REAL(ks_lookup_encode)(run, inside, out->as.array, &indices));
done:
    return code;
}
