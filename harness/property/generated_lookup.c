// SPDX-License-Identifier: Apache-2.0
#include "property/generated_lookup.h"

#include <stdarg.h>
#include <stdio.h>

/// As text, and as JSON writes it without quotes.
static const struct {
    const char *text, *json;
} words[KS_GENERATED_WORDS] = {
    {"ant", "ant"}, {"bee", "bee"},         {"d\u00fc", "d\\u00fc"},          {"a b", "a b"}, {"\u6f22", "\\u6f22"},
    {"Ant", "Ant"}, {"\"q\"", "\\\"q\\\""}, {"\U0001F600", "\\ud83d\\ude00"}, {"", ""},       {"[UNK]", "[UNK]"},
};

#define UNKNOWN_WORDS 2 ///< at the end of the list: never in a vocabulary
#define LAST_NUMBER 9   ///< of the integers of a vocabulary

const char *ks_generated_word(size_t i) {
    return words[i % KS_GENERATED_WORDS].text;
}

static int choose_between(ks_choices *choices, int lowest, int highest) {
    return lowest + (int)ks_choose(choices, (uint32_t)(highest - lowest + 1));
}

static void choose_hashing(ks_generated_lookup *out, ks_choices *choices) {
    out->mode = choose_between(choices, 0, 2);
    out->words = choose_between(choices, 2, 6);
    out->mask = choose_between(choices, 0, 2);
    out->salt = choose_between(choices, 0, 2);
}

static void choose_vocabulary(ks_generated_lookup *out, ks_choices *choices, int entries) {
    out->words = choose_between(choices, 1, entries);
    out->first = choose_between(choices, 0, entries - out->words);
}

bool ks_generated_lookup_choose(ks_generated_lookup *out, ks_choices *choices, ks_lookup_class is, ks_dtype from,
                                int64_t elements) {
    bool strings = from == KS_STRING;
    *out = (ks_generated_lookup){.is = is, .from = from};
    switch (is) {
    case KS_LOOKUP_HASHING:
        choose_hashing(out, choices);
        return true;
    case KS_LOOKUP_STRING:
    case KS_LOOKUP_INTEGER:
        if (strings != (is == KS_LOOKUP_STRING))
            return false;
        out->unknown = choose_between(choices, 1, 3);
        out->mask = choose_between(choices, 0, 1);
        choose_vocabulary(out, choices, strings ? KS_GENERATED_WORDS - UNKNOWN_WORDS : LAST_NUMBER);
        return true;
    case KS_LOOKUP_TEXT:
        if (!strings || elements != 1)
            return false;
        out->unknown = 1;
        out->mask = 1;
        out->steps = choose_between(choices, 1, 4);
        choose_vocabulary(out, choices, KS_GENERATED_WORDS - UNKNOWN_WORDS);
        return true;
    case KS_LOOKUP_CLASSES:
        break;
    }
    return false;
}

ks_dtype ks_generated_lookup_dtype(const ks_generated_lookup *lookup) {
    return lookup->mode ? KS_FLOAT32 : KS_INT64;
}

int64_t ks_generated_lookup_depth(const ks_generated_lookup *lookup) {
    bool masked = lookup->is != KS_LOOKUP_HASHING && lookup->mask && !lookup->mode;
    return lookup->words + lookup->unknown + masked;
}

const char *ks_generated_lookup_policy(const ks_generated_lookup *lookup) {
    return lookup->is == KS_LOOKUP_HASHING && !lookup->mode ? "int64" : "float32";
}

// --- writing ---------------------------------------------------------------------------------------------------------

typedef struct text {
    char *at;
    size_t room;
} text;

__attribute__((format(printf, 2, 3))) static void put(text *out, const char *format, ...) {
    va_list values;
    va_start(values, format);
    int size = vsnprintf(out->at, out->room, format, values);
    va_end(values);
    if (size < 0 || (size_t)size >= out->room)
        return;
    out->at += size;
    out->room -= (size_t)size;
}

static void put_hashing(text *out, const ks_generated_lookup *lookup) {
    static const char *const modes[] = {"int", "multi_hot", "count"};
    put(out, "\"num_bins\": %d, \"salt\": ", lookup->words);
    if (lookup->salt)
        put(out, "[%d, %d]", lookup->salt, 7 * lookup->salt);
    else
        put(out, "null");
    put(out, ", \"mask_value\": ");
    if (!lookup->mask)
        put(out, "null");
    else if (lookup->from == KS_STRING)
        put(out, "\"%s\"", lookup->mask == 1 ? "" : words[0].json);
    else
        put(out, "%d", lookup->mask);
    put(out, ", \"output_mode\": \"%s\", \"sparse\": false", modes[lookup->mode]);
}

static void put_vocabulary(text *out, const ks_generated_lookup *lookup) {
    put(out, "\"vocabulary\": [");
    for (int i = 0; i < lookup->words; i++) {
        put(out, "%s", i ? ", " : "");
        if (lookup->from == KS_STRING)
            put(out, "\"%s\"", words[lookup->first + i].json);
        else
            put(out, "%d", lookup->first + i + 1);
    }
    put(out, "]");
}

static void put_lookup(text *out, const ks_generated_lookup *lookup) {
    bool strings = lookup->from == KS_STRING;
    put(out,
        "\"invert\": false, \"max_tokens\": null, \"num_oov_indices\": %d, \"oov_token\": %s, \"mask_token\": %s, ",
        lookup->unknown, strings ? "\"[UNK]\"" : "-1",
        !lookup->mask ? "null"
        : strings     ? "\"\""
                      : "0");
    put(out, "\"output_mode\": \"int\", \"sparse\": false, \"pad_to_max_tokens\": false, ");
    if (!strings)
        put(out, "\"vocabulary_dtype\": \"int64\", ");
    put(out, "\"idf_weights\": null, ");
    put_vocabulary(out, lookup);
    put(out, ", \"vocabulary_size\": %d, \"oov_method\": \"floormod\", \"salt\": null",
        (int)ks_generated_lookup_depth(lookup));
    if (strings)
        put(out, ", \"encoding\": \"utf-8\"");
}

static void put_text_vectorization(text *out, const ks_generated_lookup *lookup) {
    put(out,
        "\"max_tokens\": null, \"standardize\": \"lower_and_strip_punctuation\", \"split\": \"whitespace\", "
        "\"ngrams\": "
        "null, \"output_mode\": \"int\", \"output_sequence_length\": %d, \"pad_to_max_tokens\": false, \"sparse\": "
        "false, \"ragged\": false, ",
        lookup->steps);
    put_vocabulary(out, lookup);
    put(out, ", \"idf_weights\": null, \"encoding\": \"utf-8\", \"vocabulary_size\": %d",
        (int)ks_generated_lookup_depth(lookup));
}

void ks_generated_lookup_write(char *out, size_t room, const ks_generated_lookup *lookup) {
    text rest = {out, room};
    if (lookup->is == KS_LOOKUP_HASHING)
        put_hashing(&rest, lookup);
    else if (lookup->is == KS_LOOKUP_TEXT)
        put_text_vectorization(&rest, lookup);
    else
        put_lookup(&rest, lookup);
}
