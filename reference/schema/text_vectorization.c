// SPDX-License-Identifier: Apache-2.0
//
// TextVectorization: texts are standardized, split, joined to n-grams and looked up by a StringLookup inside. Source of
// the rules: Keras 3 layers/preprocessing/text_vectorization.py, tf_keras layers/preprocessing/text_vectorization.py.
#include "schema/text_vectorization.h"

#include "schema/broadcast.h"
#include "schema/key_row.h"

static const char *const standards[] = {"lower_and_strip_punctuation", "lower", "strip_punctuation", NULL};
static const char *const splits[] = {"whitespace", "character", NULL};
static const char *const output_modes[] = {"int", "one_hot", "multi_hot", "count", "tf_idf", NULL};

#define FIELD(key, key_type, key_flags, text, field)                                                                   \
    {KS_NAMED(key), .type = KS_KEY_##key_type, .flags = (key_flags), .offset = offsetof(ks_text_vectorization, field), \
     .otherwise = (text)}

static const ks_key text_vectorization_keys[] = {
    FIELD("max_tokens", INT, KS_NULLABLE | KS_NUMERIC, "null", lookup.max_tokens),
    FIELD("standardize", ANY, KS_NULLABLE | KS_NUMERIC, "\"lower_and_strip_punctuation\"", standardize_value),
    FIELD("split", ANY, KS_NULLABLE | KS_NUMERIC, "\"whitespace\"", split_value),
    FIELD("ngrams", ANY, KS_NULLABLE | KS_NUMERIC, "null", ngrams_value),
    {KS_NAMED("output_mode"), .type = KS_KEY_CHOICE, .flags = KS_NUMERIC,
     .offset = offsetof(ks_text_vectorization, lookup.output_mode), .otherwise = "\"int\"", .choices = output_modes},
    FIELD("output_sequence_length", INT, KS_NULLABLE | KS_NUMERIC, "null", output_sequence_length),
    FIELD("pad_to_max_tokens", BOOL, KS_NUMERIC, "false", lookup.pad_to_max_tokens),
    FIELD("sparse", BOOL, 0, "false", lookup.sparse),
    FIELD("ragged", BOOL, 0, "false", ragged),
    FIELD("vocabulary", ANY, KS_NULLABLE | KS_NUMERIC, "null", lookup.vocabulary),
    FIELD("idf_weights", NUMBERS, KS_NULLABLE | KS_NUMERIC, "null", lookup.idf_weights),
    KS_ROW_LOOSE(encoding, TEXT, 0, "\"utf-8\""),
    FIELD("vocabulary_size", INT, KS_NULLABLE, "null", lookup.vocabulary_size),
};

// --- checks ---------------------------------------------------------------------------------------------------------

// A name of the table, or null: -1. Anything else is a function.
static ks_code read_choice(int *out, ks_context *context, const ks_object *object, const char *key,
                           const ks_value *value, const char *const *choices) {
    *out = -1;
    if (!value || value->type == KS_VALUE_NULL)
        return KS_OK;
    if (value->type != KS_VALUE_STRING)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, key,
                            "a function in place of a name cannot be run by this reference");
    for (int i = 0; choices[i]; i++)
        if (ks_text_is(value->text, choices[i]))
            *out = i;
    if (*out < 0)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, key, "unknown value \"%.80s\"", value->text.data);
    return KS_OK;
}

static ks_code bad_ngrams(ks_context *context, const ks_object *object) {
    return ks_key_error(context, KS_E_CONFIG_VALUE, object, "ngrams",
                        "expected null, an integer or a list of integers");
}

// An integer stands for all widths up to it.
static ks_code read_ngrams(ks_context *context, const ks_object *object, ks_text_vectorization *params) {
    const ks_value *value = params->ngrams_value;
    bool list;
    size_t count;
    params->n_ngrams = 0;
    if (!value || value->type == KS_VALUE_NULL)
        return KS_OK;
    list = value->type == KS_VALUE_LIST;
    if (!list && (value->type != KS_VALUE_INT || !value->fits))
        return bad_ngrams(context, object);
    count = list ? value->as.list.count : value->as.integer > 0 ? (size_t)value->as.integer : 0;
    if (count == 0)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "ngrams", "no width of 1 or more is given");
    if (count > KS_MAX_INTS)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "ngrams",
                            "more than %d widths cannot be run by this reference", KS_MAX_INTS);
    for (size_t i = 0; i < count; i++) {
        const ks_value *item = list ? &value->as.list.items[i] : NULL;
        if (item && (item->type != KS_VALUE_INT || !item->fits))
            return bad_ngrams(context, object);
        params->ngrams[i] = item ? item->as.integer : (int64_t)i + 1;
        if (params->ngrams[i] < 1)
            return ks_key_error(context, KS_E_CONFIG_VALUE, object, "ngrams", "a width of %lld",
                                (long long)params->ngrams[i]);
    }
    params->n_ngrams = (int)count;
    return KS_OK;
}

static ks_code check_length(ks_context *context, const ks_object *object, const ks_text_vectorization *params) {
    int64_t length = params->output_sequence_length;
    if (params->ragged && params->lookup.output_mode != KS_LOOKUP_INT)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "ragged", "true with another output_mode than \"int\"");
    if (params->ragged)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "ragged",
                            "ragged tensors cannot be run by this reference");
    if (length == KS_NULL_INT)
        return KS_OK;
    if (params->lookup.output_mode != KS_LOOKUP_INT)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "output_sequence_length",
                            "given for output_mode \"%s\"", output_modes[params->lookup.output_mode]);
    if (length < 1 || length > INT32_MAX)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "output_sequence_length",
                            "%lld tokens cannot be run by this reference", (long long)length);
    return KS_OK;
}

// What TextVectorization says to the layer inside; the rest are its defaults.
static void fill_lookup(ks_lookup *lookup) {
    static const ks_value mask = {.type = KS_VALUE_STRING, .text = {"", 0}};
    static const ks_value oov = {.type = KS_VALUE_STRING, .text = {"[UNK]", 5}};
    lookup->strings = true;
    lookup->num_oov_indices = 1;
    lookup->mask_token = &mask;
    lookup->oov_token = &oov;
}

static ks_code text_check(ks_context *context, ks_object *object) {
    ks_text_vectorization *params = object->params;
    const ks_value *encoding = ks_value_get(object->config, "encoding");
    ks_code code;
    KS_TRY(read_choice(&params->standardize, context, object, "standardize", params->standardize_value, standards));
    KS_TRY(read_choice(&params->split, context, object, "split", params->split_value, splits));
    KS_TRY(read_ngrams(context, object, params));
    KS_TRY(check_length(context, object, params));
    if (encoding && !ks_value_is_text(encoding, "utf-8"))
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "encoding",
                            "another encoding than \"utf-8\" cannot be run by this reference");
    if (ks_is_old(object) && params->lookup.output_mode == KS_LOOKUP_ONE_HOT)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "output_mode", "Keras 2 has no \"one_hot\" here");
    fill_lookup(&params->lookup);
    KS_TRY(ks_lookup_check(context, object, &params->lookup));
done:
    return code;
}

// --- the layer inside -----------------------------------------------------------------------------------------------

ks_object *ks_text_lookup(const ks_object *object) {
    return object->children ? object->children->object : NULL;
}

// The weights of tf_idf are saved twice: as the layer's own, and as those of the layer inside, which count.
static ks_code text_build(ks_call *call, ks_object *object) {
    const ks_text_vectorization *params = object->params;
    ks_variable *own;
    ks_object *child;
    ks_lookup *lookup;
    ks_code code;
    KS_TRY(ks_make_child(&child, call, object, "_lookup_layer", "string_lookup", &ks_class_StringLookup));
    lookup = child->params;
    *lookup = params->lookup;
    child->compute_dtype = KS_FLOAT32;
    child->variable_dtype = KS_FLOAT32;
    child->built = true;
    KS_TRY(ks_lookup_build(call, child, lookup));
    if (lookup->output_mode == KS_LOOKUP_TF_IDF) {
        const ks_variable *inner = ks_is_old(child) ? child->other_variables : child->kept_variables;
        KS_TRY(ks_add_kept_variable(&own, call, object, "idf_weights", true));
        own->shape = inner->shape;
        own->data = inner->data;
    }
done:
    return code;
}

// --- results --------------------------------------------------------------------------------------------------------

// The texts of a batch, one in each row: splitting takes away a last axis of 1.
static ks_code squeeze(ks_shape *out, ks_call *call, const ks_object *object, const ks_shape *input) {
    char text[256];
    *out = *input;
    if (input->rank < 2)
        return KS_OK;
    if (input->dims[input->rank - 1] != 1)
        return ks_shape_error(call->context, object, "expected a last dimension of 1, found shape %s",
                              ks_shape_format(input, text, sizeof(text)));
    out->rank--;
    return KS_OK;
}

// What Keras 3 says before it runs.
static ks_code symbolic_shape_of_keras3(ks_shape *out, ks_call *call, ks_object *object, const ks_shape *input) {
    const ks_text_vectorization *params = object->params;
    const ks_object *child = ks_text_lookup(object);
    ks_shape tokens = *input;
    if (params->lookup.output_mode == KS_LOOKUP_INT) {
        out->rank = 2;
        out->dims[0] = input->rank ? input->dims[0] : KS_UNKNOWN_DIM;
        out->dims[1] = params->output_sequence_length == KS_NULL_INT ? KS_UNKNOWN_DIM : params->output_sequence_length;
        return KS_OK;
    }
    if (params->split != KS_SPLIT_NONE)
        ks_shape_insert(&tokens, tokens.rank, KS_UNKNOWN_DIM);
    else if (tokens.rank < 2)
        ks_shape_insert(&tokens, tokens.rank, 1);
    return ks_lookup_shape(out, call, child, child->params, &tokens);
}

static ks_code not_run(ks_call *call, const ks_object *object, const char *what) {
    return ks_fail(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                   "%s \"%s\": %s cannot be run by this reference", object->row->name, object->name, what);
}

// What a call gives; the number of tokens is known when the texts are (see the layer's numeric half).
static ks_code call_shape(ks_shape *out, ks_call *call, ks_object *object, const ks_shape *input) {
    const ks_text_vectorization *params = object->params;
    const ks_object *child = ks_text_lookup(object);
    bool whole = params->lookup.output_mode == KS_LOOKUP_INT;
    bool grows = params->split != KS_SPLIT_NONE || params->n_ngrams > 0;
    int64_t unknown = call->symbolic ? KS_UNKNOWN_DIM : 0, length = params->output_sequence_length;
    ks_code code;
    *out = *input;
    if (params->split != KS_SPLIT_NONE) {
        KS_TRY(squeeze(out, call, object, input));
        ks_shape_insert(out, out->rank, unknown);
    } else if (params->n_ngrams && out->rank < 2) {
        return not_run(call, object, "n-grams across a batch");
    } else if (params->n_ngrams) {
        out->dims[out->rank - 1] = unknown;
    }
    if (whole && length != KS_NULL_INT && out->rank < 2)
        return not_run(call, object, "an output_sequence_length along a batch");
    if (whole && length != KS_NULL_INT) // Keras 2 does not know what it pads a dense tensor to
        out->dims[out->rank - 1] = call->symbolic && params->split == KS_SPLIT_NONE ? KS_UNKNOWN_DIM : length;
    if (whole)
        return KS_OK;
    if (grows && (out->rank > 2 || params->lookup.output_mode == KS_LOOKUP_ONE_HOT))
        return not_run(call, object, "such an output of ragged tensors");
    KS_TRY(ks_lookup_shape(out, call, child, child->params, out));
done:
    return code;
}

static ks_code text_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_object *child = ks_text_lookup(object);
    ks_array *input = ks_call_input(call, object);
    ks_dtype dtype;
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    dtype = ks_lookup_dtype(call, child, child->params);
    if (dtype == KS_DTYPE_NONE && call->symbolic)
        dtype = KS_FLOAT32; // the layer's own is "string" in Keras 2
    if (call->symbolic && !ks_is_old(object)) {
        KS_TRY(symbolic_shape_of_keras3(&shape, call, object, &input->shape));
    } else {
        if (input->dtype != KS_STRING)
            return ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                           "%s \"%s\": expected strings as input, found %s", object->row->name, object->name,
                           ks_dtype_name(input->dtype));
        if (!call->symbolic && !((const ks_lookup *)child->params)->words)
            return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "vocabulary",
                                "a layer that was never adapted cannot be run");
        KS_TRY(call_shape(&shape, call, object, &input->shape));
    }
    KS_TRY(ks_result(out, call, dtype, &shape));
done:
    return code;
}

// --- config ---------------------------------------------------------------------------------------------------------

static bool text_adjust(ks_value *config, ks_arena *arena, const ks_object *object) {
    const ks_text_vectorization *params = object->params;
    const ks_object *child = ks_text_lookup(object);
    (void)arena;
    ks_lookup_count_words(config, child ? child->params : &params->lookup,
                          params->lookup.output_mode == KS_LOOKUP_INT ? 2 : 1);
    return true;
}

const ks_class ks_class_TextVectorization = {
    .name = "TextVectorization",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(text_vectorization_keys),
    .params_size = sizeof(ks_text_vectorization),
    .mask = KS_MASK_NONE,
    .policy = "string",
    .check = text_check,
    .adjust = text_adjust,
    .build = text_build,
    .infer = text_infer,
};
