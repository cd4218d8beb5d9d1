// SPDX-License-Identifier: Apache-2.0
//
// Source of the rules: TensorFlow's strings.lower (of ASCII letters alone, as no encoding is given), regex_replace with
// the class of all ASCII punctuation, strings.split (at runs of ASCII white space), unicode_split, strings.ngrams.

// The declarations that do not depend on the element type.
#define KS_REAL_BITS 32
#include "layers/layer.h"

#include "layers/text_tokens.h"

#include <string.h>

#include "base/utf8.h"

static bool is_punctuation(char c) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// --- one text -------------------------------------------------------------------------------------------------------

// Into `out`, which has room for the text and a NUL.
static ks_text standardize(char *out, ks_text text, int how) {
    bool lower = how == KS_STANDARDIZE_LOWER || how == KS_STANDARDIZE_LOWER_AND_STRIP;
    bool strip = how == KS_STANDARDIZE_STRIP || how == KS_STANDARDIZE_LOWER_AND_STRIP;
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (strip && is_punctuation(c))
            continue;
        out[size++] = lower && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out[size] = '\0';
    return (ks_text){out, size};
}

/// Tokens that are being made.
typedef struct maker {
    ks_run *run;
    const ks_object *object;
    const ks_text_vectorization *params;
    ks_text *tokens; ///< with room for all
    size_t count;
    char *bytes; ///< room for what is standardized and split
} maker;

static ks_text keep(maker *m, const char *data, size_t size) {
    char *start = m->bytes;
    memcpy(start, data, size);
    start[size] = '\0';
    m->bytes += size + 1;
    return (ks_text){start, size};
}

static void split_words(maker *m, ks_text text) {
    for (size_t at = 0; at < text.size;) {
        size_t end = at;
        while (end < text.size && !is_space(text.data[end]))
            end++;
        if (end > at)
            m->tokens[m->count++] = keep(m, text.data + at, end - at);
        at = end + 1;
    }
}

static ks_code split_characters(maker *m, ks_text text) {
    for (size_t at = 0, size; at < text.size; at += size) {
        size = ks_utf8_size(text.data + at, text.size - at);
        if (size == 0)
            return ks_fail(m->run->context, KS_E_CONFIG_UNSUPPORTED_VALUE, KS_STAGE_RUN, KS_NO_OFFSET, m->object->place,
                           "%s \"%s\": a text that is not UTF-8 cannot be split into characters by this reference",
                           m->object->row->name, m->object->name);
        m->tokens[m->count++] = keep(m, text.data + at, size);
    }
    return KS_OK;
}

static ks_code split(maker *m, ks_text text, char *work) {
    ks_text plain = standardize(work, text, m->params->standardize);
    if (m->params->split == KS_SPLIT_CHARACTER)
        return split_characters(m, plain);
    if (m->params->split == KS_SPLIT_WHITESPACE)
        split_words(m, plain);
    else
        m->tokens[m->count++] = keep(m, plain.data, plain.size);
    return KS_OK;
}

// --- n-grams --------------------------------------------------------------------------------------------------------

static size_t ngram_count(const ks_text_vectorization *params, size_t count) {
    size_t sum = 0;
    for (int i = 0; i < params->n_ngrams; i++)
        if ((uint64_t)params->ngrams[i] <= count)
            sum += count - (size_t)params->ngrams[i] + 1;
    return sum;
}

static ks_code join(ks_text *out, ks_run *run, const ks_text *tokens, size_t width) {
    size_t size = width - 1, at = 0;
    char *bytes;
    for (size_t i = 0; i < width; i++)
        size += tokens[i].size;
    bytes = ks_run_memory(run, size + 1, 1);
    if (!bytes)
        return run->context->error.code;
    for (size_t i = 0; i < width; i++) {
        if (i)
            bytes[at++] = ' ';
        memcpy(bytes + at, tokens[i].data, tokens[i].size);
        at += tokens[i].size;
    }
    *out = (ks_text){bytes, size};
    return KS_OK;
}

// Width after width, in each row.
static ks_code join_all(ks_text_rows *rows, ks_run *run, const ks_text_vectorization *params) {
    const ks_text *from = rows->tokens;
    ks_text *to;
    size_t total = 0;
    ks_code code = KS_OK;
    for (size_t row = 0; row < rows->n_rows; row++)
        total += ngram_count(params, rows->counts[row]);
    rows->tokens = to = ks_run_memory(run, total, sizeof(*to));
    rows->n_tokens = total;
    if (!to)
        return run->context->error.code;
    for (size_t row = 0; row < rows->n_rows; row++) {
        size_t count = rows->counts[row];
        for (int i = 0; i < params->n_ngrams; i++)
            for (size_t at = 0; (uint64_t)params->ngrams[i] <= count && at <= count - (size_t)params->ngrams[i]; at++)
                KS_TRY(join(to++, run, from + at, (size_t)params->ngrams[i]));
        rows->counts[row] = ngram_count(params, count);
        from += count;
    }
done:
    return code;
}

// --- all texts ------------------------------------------------------------------------------------------------------

static void count_rows(ks_text_rows *out, const ks_text_vectorization *params, const ks_array *input, size_t n_texts) {
    size_t last = input->shape.rank > 1 ? (size_t)input->shape.dims[input->shape.rank - 1] : n_texts;
    if (params->split != KS_SPLIT_NONE)
        out->n_rows = n_texts;
    else
        out->n_rows = last ? n_texts / last : 0;
}

ks_code ks_text_tokens(ks_text_rows *out, ks_run *run, const ks_object *object, const ks_array *input) {
    const ks_text_vectorization *params = object->params;
    const ks_text *texts = input->data;
    size_t n_texts = ks_array_elements(input), bytes = 1, longest = 0, rows;
    maker m = {.run = run, .object = object, .params = params};
    char *work;
    ks_code code = KS_OK;
    for (size_t i = 0; i < n_texts; i++) { // texts are in memory, twice their sizes fits
        bytes += 2 * texts[i].size + 1;
        longest = texts[i].size > longest ? texts[i].size : longest;
    }
    count_rows(out, params, input, n_texts);
    rows = out->n_rows;
    out->counts = ks_run_memory(run, rows, sizeof(*out->counts));
    out->tokens = m.tokens = ks_run_memory(run, bytes, sizeof(*m.tokens));
    m.bytes = ks_run_memory(run, bytes, 1);
    work = ks_run_memory(run, longest + 1, 1);
    if (!out->counts || !m.tokens || !m.bytes || !work)
        return run->context->error.code;
    for (size_t i = 0; i < n_texts; i++) {
        size_t before = m.count;
        KS_TRY(split(&m, texts[i], work));
        out->counts[i / (n_texts / rows)] += m.count - before;
    }
    out->n_tokens = m.count;
    if (params->n_ngrams)
        KS_TRY(join_all(out, run, params));
done:
    return code;
}
