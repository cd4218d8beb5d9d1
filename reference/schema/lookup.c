// SPDX-License-Identifier: Apache-2.0
//
// StringLookup and IntegerLookup. Their words are in the config, or in the asset vocabulary.txt of a layer that was
// adapted; the weights of tf_idf are a dataset "idf_weights" that is none of the layer's weights in Keras 3. Source of
// the rules: Keras 3 layers/preprocessing/{index,string,integer}_lookup.py, tf_keras
// layers/preprocessing/index_lookup.py.
#include "schema/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/value_make.h"
#include "schema/broadcast.h"
#include "schema/hashing.h"
#include "schema/key_row.h"

static const char *const output_modes[] = {"int", "one_hot", "multi_hot", "count", "tf_idf", NULL};
static const char *const oov_methods[] = {"floormod", "farmhash", NULL};

// Keys of both classes, before and after their own.
#define FIRST_KEYS(oov)                                                                                                \
    KS_ROW(ks_lookup, invert, BOOL, KS_NUMERIC, "false"),                                                              \
        KS_ROW(ks_lookup, max_tokens, INT, KS_NULLABLE | KS_NUMERIC, "null"),                                          \
        KS_ROW(ks_lookup, num_oov_indices, INT, KS_NUMERIC, "1"),                                                      \
        KS_ROW(ks_lookup, oov_token, ANY, KS_NULLABLE | KS_NUMERIC, oov),                                              \
        KS_ROW(ks_lookup, mask_token, ANY, KS_NULLABLE | KS_NUMERIC, "null"),                                          \
        KS_ROW_CHOICE(ks_lookup, output_mode, KS_NUMERIC, "\"int\"", output_modes),                                    \
        KS_ROW(ks_lookup, sparse, BOOL, 0, "false"), KS_ROW(ks_lookup, pad_to_max_tokens, BOOL, KS_NUMERIC, "false")
#define LAST_KEYS                                                                                                      \
    KS_ROW(ks_lookup, idf_weights, NUMBERS, KS_NULLABLE | KS_NUMERIC, "null"),                                         \
        KS_ROW(ks_lookup, vocabulary, ANY, KS_NULLABLE | KS_NUMERIC, "null"),                                          \
        KS_ROW(ks_lookup, vocabulary_size, INT, KS_NULLABLE, "null"),                                                  \
        KS_ROW_CHOICE(ks_lookup, oov_method, KS_NUMERIC, "\"floormod\"", oov_methods), {                               \
        KS_NAMED("salt"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_NUMERIC, .offset = offsetof(ks_lookup, salt),  \
            .otherwise = "null", .form = KS_FORM_PAIR                                                                  \
    }

static const ks_key integer_lookup_keys[] = {
    FIRST_KEYS("-1"),
    KS_ROW_LOOSE(vocabulary_dtype, TEXT, 0, "\"int64\""),
    LAST_KEYS,
};

static const ks_key string_lookup_keys[] = {
    FIRST_KEYS("\"[UNK]\""),
    LAST_KEYS,
    KS_ROW_LOOSE(encoding, TEXT, 0, "\"utf-8\""),
};

// --- numbers of places ----------------------------------------------------------------------------------------------

int64_t ks_lookup_first_oov(const ks_lookup *lookup) {
    return lookup->has_mask && lookup->output_mode == KS_LOOKUP_INT ? 1 : 0;
}

int64_t ks_lookup_first_token(const ks_lookup *lookup) {
    return ks_lookup_first_oov(lookup) + lookup->num_oov_indices;
}

int64_t ks_lookup_depth(const ks_lookup *lookup) {
    if (lookup->pad_to_max_tokens)
        return lookup->max_tokens;
    return lookup->words ? ks_lookup_first_token(lookup) + (int64_t)lookup->words->count : lookup->vocabulary_size;
}

// --- words ----------------------------------------------------------------------------------------------------------

/// Tokens in the order that they were given in, from a config or a file.
typedef struct word_list {
    const ks_token *tokens;
    size_t count;
    bool special;      ///< the special tokens are in front
    const char *place; ///< of a file, or NULL
} word_list;

static ks_code bad_words(ks_context *context, const ks_object *object, const word_list *words, const char *what,
                         const ks_token *token, size_t index, bool strings) {
    char text[100];
    if (strings)
        snprintf(text, sizeof(text), "\"%.80s\"", token->text.data);
    else
        snprintf(text, sizeof(text), "%lld", (long long)token->integer);
    if (words->place)
        return ks_fail(context, KS_E_CONFIG_VALUE, KS_STAGE_MODEL, KS_NO_OFFSET, words->place,
                       "token %s, number %zu, %s", text, index, what);
    return ks_key_error(context, KS_E_CONFIG_VALUE, object, "vocabulary", "token %s, number %zu, %s", text, index,
                        what);
}

static bool has_special_tokens(const ks_lookup *lookup, const word_list *words) {
    int64_t first_oov = ks_lookup_first_oov(lookup), first = ks_lookup_first_token(lookup);
    if ((uint64_t)first > words->count)
        return false;
    for (int64_t i = 0; i < first; i++) {
        bool known = i < first_oov || lookup->has_oov;
        if (!known || !ks_token_equal(&words->tokens[i], i < first_oov ? &lookup->mask : &lookup->oov, lookup->strings))
            return false;
    }
    return true;
}

static ks_code check_count(ks_context *context, const ks_object *object, const ks_lookup *lookup,
                           const word_list *words, size_t count) {
    int64_t total = ks_lookup_first_token(lookup) + (int64_t)count;
    if (lookup->max_tokens != KS_NULL_INT && total > lookup->max_tokens)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "max_tokens", "%lld tokens, where %lld are allowed",
                            (long long)total, (long long)lookup->max_tokens);
    if (lookup->vocabulary_size == KS_NULL_INT || lookup->vocabulary_size == total)
        return KS_OK;
    if (lookup->output_mode != KS_LOOKUP_INT && !lookup->pad_to_max_tokens)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "vocabulary_size", "expected %lld, found %lld",
                            (long long)total, (long long)lookup->vocabulary_size);
    if (words->place)
        ks_warn(context, "vocabulary-size-odd", words->place);
    return KS_OK;
}

/// set_vocabulary: every token once, the mask only in front, an inverted layer's oov_token too.
static ks_code set_words(ks_vocabulary *out, ks_context *context, ks_arena *arena, const ks_object *object,
                         const ks_lookup *lookup, word_list *words) {
    size_t first;
    ks_code code;
    words->special = has_special_tokens(lookup, words);
    first = words->special ? (size_t)ks_lookup_first_token(lookup) : 0;
    if (!ks_vocabulary_init(out, arena, lookup->strings, words->tokens + first, words->count - first))
        return context->error.code;
    for (size_t i = first; i < words->count; i++) {
        const ks_token *token = &words->tokens[i];
        if (!ks_vocabulary_add(out))
            return bad_words(context, object, words, "is there already", token, i, lookup->strings);
        if (lookup->has_mask && ks_token_equal(token, &lookup->mask, lookup->strings))
            return bad_words(context, object, words, "is the mask_token", token, i, lookup->strings);
        if (lookup->has_oov && lookup->invert && ks_token_equal(token, &lookup->oov, lookup->strings))
            return bad_words(context, object, words, "is the oov_token", token, i, lookup->strings);
    }
    KS_TRY(check_count(context, object, lookup, words, words->count - first));
done:
    return code;
}

// NumPy, which the words go through, drops NULs at their ends.
static bool ends_in_nul(ks_text text) {
    return text.size && text.data[text.size - 1] == '\0';
}

static ks_code config_token(ks_token *out, ks_context *context, const ks_object *object, const char *key,
                            const ks_value *value, bool strings) {
    bool fits = strings ? value->type == KS_VALUE_STRING : value->type == KS_VALUE_INT && value->fits;
    if (!fits)
        return ks_key_error(context, KS_E_CONFIG_TYPE, object, key, "expected %s as a token, found %s",
                            strings ? "a string" : "an integer", ks_value_type_name(value->type));
    if (strings && ends_in_nul(value->text))
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, key,
                            "a token that ends in a NUL cannot be kept by this reference");
    *out = strings ? (ks_token){.text = value->text} : (ks_token){.integer = value->as.integer};
    return KS_OK;
}

static ks_code config_words(word_list *out, ks_context *context, ks_arena *arena, const ks_object *object,
                            const ks_lookup *lookup) {
    const ks_value *list = lookup->vocabulary;
    ks_token *tokens;
    ks_code code = KS_OK;
    if (list->type == KS_VALUE_STRING)
        return ks_key_error(context, KS_E_CONFIG_UNSAFE, object, "vocabulary",
                            "the words are in another file, \"%.80s\", which would be read", list->text.data);
    if (list->type != KS_VALUE_LIST)
        return ks_key_error(context, KS_E_CONFIG_TYPE, object, "vocabulary", "expected a list of tokens, found %s",
                            ks_value_type_name(list->type));
    if (list->as.list.count == 0)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "vocabulary", "expected tokens, found an empty list");
    tokens = ks_arena_get(arena, list->as.list.count, sizeof(*tokens));
    if (!tokens)
        return context->error.code;
    for (size_t i = 0; i < list->as.list.count; i++)
        KS_TRY(config_token(&tokens[i], context, object, "vocabulary", &list->as.list.items[i], lookup->strings));
    *out = (word_list){.tokens = tokens, .count = list->as.list.count};
done:
    return code;
}

static bool has_config_words(const ks_lookup *lookup) {
    return lookup->vocabulary && lookup->vocabulary->type != KS_VALUE_NULL;
}

// --- checks of a constructor ----------------------------------------------------------------------------------------

static ks_code read_token(ks_token *out, bool *given, ks_context *context, const ks_object *object, const char *key,
                          const ks_value *value, bool strings) {
    *given = value && value->type != KS_VALUE_NULL;
    return *given ? config_token(out, context, object, key, value, strings) : KS_OK;
}

static ks_code read_salt(ks_context *context, const ks_object *object, ks_lookup *lookup) {
    ks_code code;
    KS_TRY(ks_read_salt(lookup->salts, &lookup->salted, context, object, lookup->salt));
    if (lookup->salted && !lookup->strings && lookup->oov_method != KS_OOV_FARMHASH)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "salt", "only goes with oov_method \"farmhash\"");
done:
    return code;
}

static ks_code check_numbers(ks_context *context, const ks_object *object, const ks_lookup *lookup) {
    if (lookup->max_tokens != KS_NULL_INT && lookup->max_tokens <= 1)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "max_tokens", "expected more than 1, found %lld",
                            (long long)lookup->max_tokens);
    if (lookup->max_tokens != KS_NULL_INT && lookup->max_tokens > INT32_MAX)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "max_tokens",
                            "%lld tokens cannot be kept by this reference", (long long)lookup->max_tokens);
    if (lookup->pad_to_max_tokens && lookup->max_tokens == KS_NULL_INT)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "pad_to_max_tokens", "true without max_tokens");
    if (lookup->num_oov_indices < 0)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "num_oov_indices", "expected 0 or more, found %lld",
                            (long long)lookup->num_oov_indices);
    if (lookup->num_oov_indices > INT32_MAX)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "num_oov_indices",
                            "%lld places cannot be kept by this reference", (long long)lookup->num_oov_indices);
    if (lookup->vocabulary_size != KS_NULL_INT && (lookup->vocabulary_size < 0 || lookup->vocabulary_size > INT32_MAX))
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "vocabulary_size", "found %lld",
                            (long long)lookup->vocabulary_size);
    return KS_OK;
}

static ks_code check_modes(ks_context *context, const ks_object *object, const ks_lookup *lookup) {
    bool weighted = lookup->output_mode == KS_LOOKUP_TF_IDF;
    if (lookup->invert && lookup->output_mode != KS_LOOKUP_INT)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "output_mode",
                            "expected \"int\" for an inverted layer, found \"%s\"", output_modes[lookup->output_mode]);
    if (lookup->invert && !lookup->has_oov)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "oov_token", "expected a token for an inverted layer");
    if (lookup->sparse && lookup->output_mode == KS_LOOKUP_INT)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "sparse", "true with output_mode \"int\"");
    if (lookup->sparse)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "sparse",
                            "sparse tensors cannot be run by this reference");
    if (lookup->idf_weights.items && !weighted)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "idf_weights", "given for output_mode \"%s\"",
                            output_modes[lookup->output_mode]);
    if (weighted && has_config_words(lookup) && !lookup->idf_weights.items)
        return ks_key_error(context, KS_E_CONFIG_MISSING, object, "idf_weights", "a vocabulary is given without them");
    if (weighted && has_config_words(lookup) &&
        (lookup->idf_weights.shape.rank != 1 || lookup->idf_weights.count != lookup->vocabulary->as.list.count))
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "idf_weights",
                            "expected one for each of %zu tokens, found %zu", lookup->vocabulary->as.list.count,
                            lookup->idf_weights.count);
    return KS_OK;
}

ks_code ks_lookup_check(ks_context *context, ks_object *object, ks_lookup *lookup) {
    ks_vocabulary words;
    word_list list;
    ks_arena arena;
    ks_code code;
    ks_arena_init(&arena, context);
    KS_TRY(read_token(&lookup->mask, &lookup->has_mask, context, object, "mask_token", lookup->mask_token,
                      lookup->strings));
    KS_TRY(
        read_token(&lookup->oov, &lookup->has_oov, context, object, "oov_token", lookup->oov_token, lookup->strings));
    KS_TRY(read_salt(context, object, lookup));
    KS_TRY(check_numbers(context, object, lookup));
    if (has_config_words(lookup)) {
        KS_TRY(config_words(&list, context, &arena, object, lookup));
        KS_TRY(set_words(&words, context, &arena, object, lookup, &list));
    }
    KS_TRY(check_modes(context, object, lookup));
done:
    ks_arena_fini(&arena);
    return code;
}

// The dtype of Keras 2 is that of the output: an integer's with "int", else a floating one's. Keras 3 ignores it.
static ks_code check_dtype(ks_context *context, const ks_object *object, const ks_lookup *lookup) {
    bool whole = lookup->output_mode == KS_LOOKUP_INT;
    if (!ks_is_old(object) || !ks_value_get(object->config, "dtype"))
        return KS_OK;
    if (whole && ks_config_dtype_is(object, "float32"))
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "dtype", "\"float32\" with output_mode \"int\"");
    if (!whole && ks_config_dtype_is(object, "int64"))
        return ks_key_error(context, KS_E_CONFIG_POLICY, object, "dtype",
                            "dtype policy \"int64\" with output_mode \"%s\" cannot be run by this reference",
                            output_modes[lookup->output_mode]);
    return KS_OK;
}

static ks_code integer_lookup_check(ks_context *context, ks_object *object) {
    const ks_value *dtype = ks_value_get(object->config, "vocabulary_dtype");
    ks_code code;
    if (dtype && !ks_value_is_text(dtype, "int64"))
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "vocabulary_dtype",
                            "a vocabulary of another type than int64 cannot be run by this reference");
    KS_TRY(check_dtype(context, object, object->params));
    KS_TRY(ks_lookup_check(context, object, object->params));
done:
    return code;
}

static ks_code check_encoding(ks_context *context, const ks_object *object) {
    const ks_value *encoding = ks_value_get(object->config, "encoding");
    if (encoding && !ks_value_is_text(encoding, "utf-8"))
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "encoding",
                            "another encoding than \"utf-8\" cannot be run by this reference");
    return KS_OK;
}

static ks_code string_lookup_check(ks_context *context, ks_object *object) {
    ks_lookup *lookup = object->params;
    ks_code code;
    lookup->strings = true;
    KS_TRY(check_encoding(context, object));
    KS_TRY(check_dtype(context, object, lookup));
    KS_TRY(ks_lookup_check(context, object, lookup));
done:
    return code;
}

// --- weights of tf_idf ----------------------------------------------------------------------------------------------

// Special tokens that were not given get the mean of what was given, places up to max_tokens get 0.
static ks_code config_weights(ks_call *call, ks_variable *variable, const ks_lookup *lookup, bool special) {
    const ks_numbers *given = &lookup->idf_weights;
    size_t front = special ? 0 : (size_t)ks_lookup_first_token(lookup), count = front + given->count;
    size_t total = lookup->pad_to_max_tokens ? (size_t)lookup->max_tokens : count;
    float *weights = ks_arena_get(call->arena, total + 1, sizeof(*weights));
    double sum = 0;
    if (!weights)
        return call->context->error.code;
    for (size_t i = 0; i < given->count; i++)
        sum += given->items[i];
    for (size_t i = 0; i < front; i++)
        weights[i] = (float)(sum / (double)given->count);
    for (size_t i = 0; i < given->count; i++)
        weights[front + i] = (float)given->items[i];
    variable->shape.dims[0] = (int64_t)total;
    variable->data = weights;
    return KS_OK;
}

ks_code ks_lookup_build(ks_call *call, ks_object *object, ks_lookup *lookup) {
    word_list list = {0};
    ks_variable *variable;
    ks_code code = KS_OK;
    if (has_config_words(lookup)) {
        ks_vocabulary *words = ks_arena_get(call->arena, 1, sizeof(*words));
        if (!words)
            return call->context->error.code;
        KS_TRY(config_words(&list, call->context, call->arena, object, lookup));
        KS_TRY(set_words(words, call->context, call->arena, object, lookup, &list));
        lookup->words = words;
    }
    if (lookup->output_mode != KS_LOOKUP_TF_IDF)
        return KS_OK;
    KS_TRY(ks_add_kept_variable(&variable, call, object, "idf_weights", !ks_is_old(object)));
    if (lookup->words)
        KS_TRY(config_weights(call, variable, lookup, list.special));
done:
    return code;
}

static ks_code lookup_build(ks_call *call, ks_object *object) {
    return ks_lookup_build(call, object, object->params);
}

// --- the asset ------------------------------------------------------------------------------------------------------

bool ks_lookup_wants_words(const ks_object *object) {
    const ks_lookup *lookup = object->params;
    return (object->row == &ks_class_StringLookup || object->row == &ks_class_IntegerLookup) && object->built &&
           !has_config_words(lookup);
}

static ks_code line_token(ks_token *out, ks_context *context, ks_text line, bool strings, const char *place,
                          uint64_t offset) {
    char *end;
    *out = (ks_token){.text = line};
    if (strings)
        return KS_OK;
    errno = 0;
    out->integer = strtoll(line.data, &end, 10);
    if (line.size == 0 || errno != 0 || end != line.data + line.size)
        return ks_fail(context, KS_E_CONFIG_VALUE, KS_STAGE_MODEL, offset, place,
                       "expected an integer on each line, found \"%.80s\"", line.data);
    return KS_OK;
}

// What Keras does not read: other encodings, and in Keras 3 nothing (one empty token in Keras 2).
static ks_code check_lines(ks_context *context, const ks_object *object, ks_bytes text, const char *place) {
    const char *start = (const char *)text.data;
    if (text.size == 0 && !ks_is_old(object))
        return ks_fail(context, KS_E_CONFIG_VALUE, KS_STAGE_MODEL, 0, place, "expected tokens, found an empty file");
    for (size_t at = 0, size; at < text.size; at += size) {
        size = ks_utf8_size(start + at, text.size - at);
        if (size == 0)
            return ks_fail(context, KS_E_CONFIG_VALUE, KS_STAGE_MODEL, at, place, "the tokens are not UTF-8");
    }
    return KS_OK;
}

// Whether "\r\n" ends every line: on Windows, where no file has another end.
static bool is_of_windows(const char *start, const char *end) {
    bool found = false;
    for (const char *at = start; at < end; at++) {
        bool ends = *at == '\n';
        if (ends && (at == start || at[-1] != '\r'))
            return false;
        found = found || ends;
    }
    return found;
}

// The writer puts "\n" between the tokens and nothing else: what else may end a line belongs to them.
static ks_code read_lines(word_list *out, ks_context *context, ks_arena *arena, ks_bytes text, bool strings) {
    const char *start = (const char *)text.data, *end = start + text.size;
    const char *place = out->place;
    bool windows = is_of_windows(start, end);
    ks_token *tokens;
    size_t count = 1;
    ks_code code = KS_OK;
    for (const char *at = start; at < end; at++)
        count += *at == '\n';
    tokens = ks_arena_get(arena, count, sizeof(*tokens));
    if (!tokens)
        return context->error.code;
    for (size_t i = 0; i < count; i++) {
        const char *stop = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
        ks_text line = ks_arena_text(arena, start, (size_t)((stop ? stop : end) - start) - (stop && windows));
        if (!line.data)
            return context->error.code;
        KS_TRY(line_token(&tokens[i], context, line, strings, place, (uint64_t)(start - (const char *)text.data)));
        start = stop ? stop + 1 : end;
    }
    *out = (word_list){.tokens = tokens, .count = count, .place = place};
done:
    return code;
}

ks_code ks_lookup_read_words(ks_context *context, ks_arena *arena, ks_object *object, ks_bytes text,
                             const char *place) {
    ks_lookup *lookup = object->params;
    ks_vocabulary *words = ks_arena_get(arena, 1, sizeof(*words));
    word_list list = {.place = place};
    ks_code code;
    if (!words)
        return context->error.code;
    KS_TRY(check_lines(context, object, text, place));
    KS_TRY(read_lines(&list, context, arena, text, lookup->strings));
    KS_TRY(set_words(words, context, arena, object, lookup, &list));
    lookup->words = words;
done:
    return code;
}

// --- results --------------------------------------------------------------------------------------------------------

static ks_code too_many_axes(ks_call *call, const ks_object *object, const ks_shape *input) {
    char text[256];
    return ks_shape_error(call->context, object,
                          "the output would have more than two axes, which Keras refuses unless output_mode is "
                          "\"int\"; the input has shape %s",
                          ks_shape_format(input, text, sizeof(text)));
}

ks_code ks_encoded_shape(ks_shape *out, ks_call *call, const ks_object *object, bool one_hot, int64_t depth,
                         const ks_shape *input) {
    bool last_is_1 = input->rank > 0 && input->dims[input->rank - 1] == 1;
    if (input->rank < 1 || input->rank > KS_MAX_RANK - 1)
        return ks_shape_error(call->context, object, "a tensor of rank %d", (int)input->rank);
    if (ks_is_old(object) && (input->rank > 2 || (one_hot && input->rank == 2 && !last_is_1)))
        return too_many_axes(call, object, input);
    *out = *input;
    if (one_hot && !(out->rank > 1 && last_is_1))
        ks_shape_insert(out, out->rank, depth);
    else if (one_hot || out->rank < 3)
        out->dims[out->rank - 1] = depth;
    else { // it is the second axis that goes
        ks_shape_drop(out, 1);
        ks_shape_insert(out, out->rank, depth);
    }
    return KS_OK;
}

// What Keras 3 says before it runs, which is not always what it then does.
static void symbolic_shape_of_keras3(ks_shape *out, const ks_object *object, const ks_lookup *lookup,
                                     const ks_shape *input) {
    int64_t depth = ks_lookup_depth(lookup);
    *out = *input;
    if (object->version && object->version < 314) {
        out->rank = 2;
        out->dims[1] = depth;
    } else if (lookup->output_mode == KS_LOOKUP_ONE_HOT && !(out->rank > 1 && out->dims[out->rank - 1] == 1)) {
        ks_shape_insert(out, out->rank, depth);
    } else {
        out->dims[out->rank - 1] = depth;
    }
}

ks_code ks_lookup_shape(ks_shape *out, ks_call *call, const ks_object *object, const ks_lookup *lookup,
                        const ks_shape *input) {
    ks_code code;
    if (lookup->output_mode == KS_LOOKUP_INT) {
        *out = *input;
        return KS_OK;
    }
    if (ks_lookup_depth(lookup) == KS_NULL_INT)
        return ks_key_error(call->context, KS_E_CONFIG_VALUE, object, "vocabulary_size",
                            "a layer with output_mode \"%s\" was neither adapted nor given a vocabulary",
                            output_modes[lookup->output_mode]);
    if (call->symbolic && !ks_is_old(object) && input->rank > 0 && input->rank < KS_MAX_RANK) {
        symbolic_shape_of_keras3(out, object, lookup, input);
        return KS_OK;
    }
    KS_TRY(
        ks_encoded_shape(out, call, object, lookup->output_mode == KS_LOOKUP_ONE_HOT, ks_lookup_depth(lookup), input));
done:
    return code;
}

ks_dtype ks_lookup_dtype(const ks_call *call, const ks_object *object, const ks_lookup *lookup) {
    bool counted = lookup->output_mode != KS_LOOKUP_INT;
    if (ks_is_old(object))
        return counted ? KS_DTYPE_NONE : lookup->invert && lookup->strings ? KS_STRING : KS_INT64;
    if (call->symbolic) // what Keras 3 says, and does otherwise
        return counted ? KS_DTYPE_NONE : KS_INT64;
    if (counted)
        return lookup->output_mode == KS_LOOKUP_TF_IDF ? KS_DTYPE_NONE : KS_INT64;
    return lookup->invert && lookup->strings ? KS_STRING : KS_INT64;
}

// The input is cast to the type of the words (inverted: to int64), which strings are not and do not become.
static ks_code check_input(ks_call *call, const ks_object *object, const ks_lookup *lookup, const ks_array *input) {
    bool wanted = lookup->strings && !lookup->invert;
    if ((input->dtype == KS_STRING) == wanted)
        return KS_OK;
    return ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                   "%s \"%s\": expected %s as input, found %s", object->row->name, object->name,
                   wanted ? "strings" : "numbers", ks_dtype_name(input->dtype));
}

static ks_code lookup_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_lookup *lookup = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    if (!call->symbolic || ks_is_old(object)) // Keras 3 does not look at it before it runs
        KS_TRY(check_input(call, object, lookup, input));
    if (!call->symbolic && !lookup->words)
        return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "vocabulary",
                            "a layer that was never adapted cannot be run");
    KS_TRY(ks_lookup_shape(&shape, call, object, lookup, &input->shape));
    KS_TRY(ks_result(out, call, ks_lookup_dtype(call, object, lookup), &shape));
done:
    return code;
}

// --- config ---------------------------------------------------------------------------------------------------------

void ks_lookup_count_words(ks_value *config, const ks_lookup *lookup, int64_t n_special) {
    ks_value *size = (ks_value *)(uintptr_t)ks_value_get(config, "vocabulary_size"); // the config is being made
    if (size && lookup->words)
        *size = ks_value_int(n_special + (int64_t)lookup->words->count);
    else if (size && lookup->vocabulary && lookup->vocabulary->type == KS_VALUE_LIST) // described, not to be run
        *size = ks_value_int(n_special + (int64_t)lookup->vocabulary->as.list.count);
}

// --- words in a config ----------------------------------------------------------------------------------------------

static ks_value token_value(const ks_token *token, bool strings) {
    return strings ? ks_value_text(token->text) : ks_value_int(token->integer);
}

static bool write_weights(ks_value *config, ks_arena *arena, const ks_object *object, size_t count) {
    const ks_variable *weights = ks_is_old(object) ? object->other_variables : object->kept_variables;
    ks_value *place = (ks_value *)(uintptr_t)ks_value_get(config, "idf_weights"); // the config is being made
    const float *numbers = weights ? weights->data : NULL;
    if (!place || !numbers || (uint64_t)weights->shape.dims[0] < count)
        return true;
    *place = ks_value_list(arena, count);
    if (!place->as.list.items)
        return false;
    for (size_t i = 0; i < count; i++)
        place->as.list.items[i] = ks_value_float((double)numbers[i]);
    return true;
}

static bool names_special_tokens(const ks_lookup *lookup) {
    return lookup->has_oov || lookup->num_oov_indices == 0;
}

bool ks_lookup_fits_config(const ks_lookup *lookup) {
    return lookup->words &&
           (names_special_tokens(lookup) || (lookup->words->count > 0 && lookup->output_mode != KS_LOOKUP_TF_IDF));
}

bool ks_lookup_write_words(ks_value *config, ks_arena *arena, const ks_object *object, const ks_lookup *lookup) {
    ks_value *place = (ks_value *)(uintptr_t)ks_value_get(config, "vocabulary"); // the config is being made
    size_t first_oov = (size_t)ks_lookup_first_oov(lookup), first = (size_t)ks_lookup_first_token(lookup), count;
    if (!place || has_config_words(lookup) || !ks_lookup_fits_config(lookup))
        return true;
    if (!names_special_tokens(lookup))
        first = first_oov = 0;
    count = first + lookup->words->count;
    if (count == 0) // which means the same as no vocabulary
        return true;
    *place = ks_value_list(arena, count);
    if (!place->as.list.items)
        return false;
    for (size_t i = 0; i < count; i++) {
        const ks_token *token = i < first_oov ? &lookup->mask
                                : i < first   ? &lookup->oov
                                              : &lookup->words->tokens[i - first];
        place->as.list.items[i] = token_value(token, lookup->strings);
    }
    return lookup->output_mode != KS_LOOKUP_TF_IDF || write_weights(config, arena, object, count);
}

// Of str.splitlines.
static bool has_line_end(ks_text text) {
    const uint8_t *c = (const uint8_t *)text.data;
    for (size_t i = 0; i < text.size; i++) {
        size_t left = text.size - i;
        if ((c[i] >= '\n' && c[i] <= '\r') || (c[i] >= 0x1c && c[i] <= 0x1e))
            return true;
        if ((left > 1 && c[i] == 0xc2 && c[i + 1] == 0x85) ||
            (left > 2 && c[i] == 0xe2 && c[i + 1] == 0x80 && (c[i + 2] == 0xa8 || c[i + 2] == 0xa9)))
            return true;
    }
    return false;
}

bool ks_lookup_has_line_ends(const ks_lookup *lookup) {
    size_t count = lookup->words && lookup->strings ? lookup->words->count : 0;
    for (size_t i = 0; i < count; i++)
        if (has_line_end(lookup->words->tokens[i].text))
            return true;
    return count && lookup->words->tokens[count - 1].text.size == 0;
}

const ks_lookup *ks_lookup_of(const ks_object *object, const ks_object **layer) {
    *layer = object->row == &ks_class_TextVectorization && object->children ? object->children->object : object;
    return (*layer)->row == &ks_class_StringLookup || (*layer)->row == &ks_class_IntegerLookup ? (*layer)->params
                                                                                               : NULL;
}

static bool lookup_adjust(ks_value *config, ks_arena *arena, const ks_object *object) {
    const ks_lookup *lookup = object->params;
    bool has_mask = lookup->mask_token && lookup->mask_token->type != KS_VALUE_NULL;
    (void)arena;
    ks_lookup_count_words(config, lookup, lookup->num_oov_indices + (has_mask && lookup->output_mode == KS_LOOKUP_INT));
    return true;
}

#define LOOKUP(class_name, table, check_function)                                                                      \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(table),                                                                                                \
        .params_size = sizeof(ks_lookup),                                                                              \
        .mask = KS_MASK_NONE,                                                                                          \
        .policy = "int64",                                                                                             \
        .writes_build = true,                                                                                          \
        .check = check_function,                                                                                       \
        .adjust = lookup_adjust,                                                                                       \
        .build = lookup_build,                                                                                         \
        .infer = lookup_infer,                                                                                         \
    }

LOOKUP(IntegerLookup, integer_lookup_keys, integer_lookup_check);
LOOKUP(StringLookup, string_lookup_keys, string_lookup_check);
