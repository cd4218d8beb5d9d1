// SPDX-License-Identifier: Apache-2.0
//
// Configs of layers as tf_keras 2.21 itself writes them: its order of keys, and those of its keys that Keras 3 does not
// have, with what they mean when nothing is said. Files are read without both; only single objects are written so.
// Source: get_config of tf_keras layers/*, asked class by class.
#include <stdlib.h>
#include <string.h>

#include "config/downgrade_internal.h"
#include "config/word_list.h"

#define ONE_INPUT                                                                                                      \
    "activation use_bias kernel_initializer bias_initializer kernel_regularizer bias_regularizer "                     \
    "activity_regularizer=null kernel_constraint bias_constraint "
#define WINDOW "kernel_size strides padding data_format dilation_rate "
#define CONVOLUTION "filters " WINDOW "groups=1 " ONE_INPUT
#define DEPTHWISE                                                                                                      \
    WINDOW "groups=1 activation use_bias bias_initializer bias_regularizer activity_regularizer bias_constraint "      \
           "depth_multiplier depthwise_initializer depthwise_regularizer depthwise_constraint"
#define SEPARABLE                                                                                                      \
    "filters " WINDOW "groups=1 activation use_bias kernel_initializer=GlorotUniform bias_initializer "                \
    "kernel_regularizer=null bias_regularizer activity_regularizer kernel_constraint=null bias_constraint "            \
    "depth_multiplier depthwise_initializer pointwise_initializer depthwise_regularizer pointwise_regularizer "        \
    "depthwise_constraint pointwise_constraint"
#define RUN "return_sequences return_state go_backwards stateful unroll time_major=false zero_output_for_mask "
#define CELL                                                                                                           \
    "units filters " WINDOW                                                                                            \
    "activation recurrent_activation use_bias kernel_initializer recurrent_initializer bias_initializer "              \
    "unit_forget_bias kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer "                 \
    "kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout "
#define RANDOM "rng_type=stateful height width "

/// KEY; KEY=DEFAULT: Keras 3 has no such key, or not always; KEY=: only written when it was read. In order; what is not
/// named comes behind. Only classes that differ from Keras 3.
static const struct {
    const char *class_name;
    const char *keys;
} table[] = {
    {"AdditiveAttention", "dropout use_scale"},
    {"Attention", "dropout use_scale score_mode"},
    {"AveragePooling1D", "strides pool_size padding data_format"},
    {"BatchNormalization", "axis momentum epsilon center scale beta_initializer gamma_initializer "
                           "moving_mean_initializer moving_variance_initializer beta_regularizer gamma_regularizer "
                           "beta_constraint gamma_constraint renorm renorm_clipping renorm_momentum "
                           "virtual_batch_size="},
    {"Bidirectional", "layer merge_mode"},
    {"CategoryEncoding", "num_tokens output_mode sparse=false"},
    {"Conv1D", CONVOLUTION},
    {"Conv1DTranspose", CONVOLUTION "output_padding"},
    {"Conv2D", CONVOLUTION},
    {"Conv2DTranspose", CONVOLUTION "output_padding"},
    {"Conv3D", CONVOLUTION},
    {"Conv3DTranspose", CONVOLUTION "output_padding"},
    {"ConvLSTM1D", RUN CELL},
    {"ConvLSTM2D", RUN CELL},
    {"ConvLSTM3D", RUN CELL},
    {"Dense", "units " ONE_INPUT},
    {"DepthwiseConv1D", DEPTHWISE},
    {"DepthwiseConv2D", DEPTHWISE},
    {"Discretization", ""},
    {"Dropout", "rate noise_shape seed"},
    {"EinsumDense", "output_shape equation activation bias_axes kernel_initializer bias_initializer kernel_regularizer "
                    "bias_regularizer activity_regularizer kernel_constraint bias_constraint"},
    {"ELU", ""},
    {"Embedding", "batch_input_shape=[] input_dim output_dim embeddings_initializer embeddings_regularizer "
                  "activity_regularizer embeddings_constraint mask_zero input_length=null"},
    {"GRU", RUN CELL "implementation=2 reset_after"},
    {"GRUCell", CELL "implementation=2 reset_after"},
    {"HashedCrossing", ""},
    {"InputLayer", "sparse ragged name optional=false"},
    {"Layer", ""},
    {"LocallyConnected1D", "filters " WINDOW ONE_INPUT "implementation"},
    {"LocallyConnected2D", "filters " WINDOW ONE_INPUT "implementation"},
    {"LSTM", RUN CELL "implementation=2"},
    {"LSTMCell", CELL "implementation=2"},
    {"MaxPooling1D", "strides pool_size padding data_format"},
    {"MultiHeadAttention", "num_heads key_dim value_dim dropout use_bias output_shape attention_axes "
                           "kernel_initializer bias_initializer kernel_regularizer bias_regularizer "
                           "activity_regularizer kernel_constraint bias_constraint query_shape key_shape value_shape "
                           "softmax_robust_masking=false"},
    {"RandomBrightness", RANDOM},
    {"RandomContrast", RANDOM},
    {"RandomCrop", RANDOM},
    {"RandomFlip", RANDOM "mode"},
    {"RandomHeight", RANDOM},
    {"RandomRotation", RANDOM "factor fill_mode fill_value"},
    {"RandomTranslation", RANDOM "height_factor width_factor fill_mode fill_value"},
    {"RandomWidth", RANDOM},
    {"RandomZoom", RANDOM "height_factor width_factor fill_mode fill_value"},
    {"RNN", RUN "cell"},
    {"SeparableConv1D", SEPARABLE},
    {"SeparableConv2D", SEPARABLE},
    {"SimpleRNN", RUN CELL},
    {"Softmax", "axis robust_masking="},
    {"SpatialDropout1D", "rate noise_shape=null seed"},
    {"SpatialDropout2D", "rate noise_shape=null seed"},
    {"SpatialDropout3D", "rate noise_shape=null seed"},
};

static const char *keys_of(const char *class_name) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].class_name, class_name) == 0)
            return table[i].keys;
    return NULL;
}

static ks_code initializer(ks_value *out, ks__downgrade *d, const char *class_name) {
    ks_value config = ks_value_dict(d->arena, 1);
    ks_code code;
    KS_TRY(ks__downgrade_put(d, &config, "seed", ks_value_null()));
    *out = ks_value_record(d->arena, "keras.initializers", class_name, config, NULL, 0);
    if (!out->as.dict.members)
        return d->context->error.code;
done:
    return code;
}

/// null, a truth, a number; [] is the shape [null, null]; a class of initializers; else a word.
static ks_code default_value(ks_value *out, ks__downgrade *d, const char *text) {
    *out = ks_value_string(text);
    if (strcmp(text, "null") == 0)
        *out = ks_value_null();
    else if (strcmp(text, "false") == 0 || strcmp(text, "true") == 0)
        *out = ks_value_bool(text[0] == 't');
    else if (text[0] >= '0' && text[0] <= '9')
        *out = ks_value_int(strtol(text, NULL, 10));
    else if (text[0] >= 'A' && text[0] <= 'Z')
        return initializer(out, d, text);
    else if (text[0] == '[') {
        *out = ks_value_list(d->arena, 2);
        for (size_t i = 0; i < out->as.list.count; i++)
            out->as.list.items[i] = ks_value_null();
    }
    return d->context->error.code;
}

/// `was`: the config that Keras 2 gave; it has what Keras 3 has no key for. May be NULL.
static ks_code put_word(ks__downgrade *d, ks_value *out, const ks_value *config, const ks_value *was, const char *word,
                        size_t size) {
    const char *text = ks_arena_format(d->arena, "%.*s", (int)size, word);
    char *equals = text ? strchr((char *)(uintptr_t)text, '=') : NULL; // the arena's own copy
    const ks_value *value;
    ks_value missing;
    ks_code code;
    if (!text)
        return d->context->error.code;
    if (equals)
        *equals = 0;
    value = ks_value_get(config, text);
    if (value)
        return ks__downgrade_put(d, out, text, *value);
    if (!equals)
        return KS_OK;
    value = ks_value_get(was, text);
    if (value)
        return ks__downgrade_put(d, out, text, *value);
    if (!equals[1])
        return KS_OK;
    KS_TRY(default_value(&missing, d, equals + 1));
    code = ks__downgrade_put(d, out, text, missing);
done:
    return code;
}

static ks_code put_words(ks__downgrade *d, ks_value *out, const ks_value *config, const ks_value *was,
                         const char *words) {
    ks_text word;
    ks_code code = KS_OK;
    while (ks__next_word(&word, &words) && code == KS_OK)
        code = put_word(d, out, config, was, word.data, word.size);
    return code;
}

/// A range that Keras 3 makes of one number is that number again.
static void join_factor(ks_value *config, const char *class_name) {
    ks_value *factor = (ks_value *)(uintptr_t)ks_value_get(config, "factor"); // the config is being made here
    bool contrast = strcmp(class_name, "RandomContrast") == 0;
    double low, high;
    if (!contrast && strcmp(class_name, "RandomRotation") != 0)
        return;
    if (factor && factor->type == KS_VALUE_LIST && factor->as.list.count == 2 &&
        ks_value_number(&factor->as.list.items[0], &low) && ks_value_number(&factor->as.list.items[1], &high) &&
        low == (contrast ? 0 : -high))
        *factor = factor->as.list.items[1];
}

/// The first layer of a Bidirectional as tf_keras was given it: "lstm", where Keras 3 makes it "forward_lstm" and sets
/// how it is to treat what is masked.
static ks_code first_layer(ks_value *config, ks__downgrade *d, const char *class_name) {
    ks_value *from = (ks_value *)(uintptr_t)ks_value_get(ks_value_get(config, "layer"), "config"); // being made here
    ks_value out;
    ks_code code = KS_OK;
    if (strcmp(class_name, "Bidirectional") != 0 || !from || from->type != KS_VALUE_DICT)
        return KS_OK;
    out = ks_value_dict(d->arena, from->as.dict.count);
    for (size_t i = 0; i < from->as.dict.count; i++) {
        const ks_member *member = &from->as.dict.members[i];
        ks_value value = member->value;
        if (ks_text_is(member->key, "zero_output_for_mask"))
            continue;
        if (ks_text_is(member->key, "name") && value.type == KS_VALUE_STRING &&
            strncmp(value.text.data, "forward_", 8) == 0)
            value = ks_value_string(value.text.data + 8);
        KS_TRY(ks__downgrade_put_text(d, &out, member->key, value));
    }
    *from = out;
done:
    return code;
}

ks_code ks__downgrade_order(ks_value *config, ks__downgrade *d, const char *class_name, const ks_value *was) {
    const char *keys = keys_of(class_name);
    bool input = strcmp(class_name, "InputLayer") == 0;
    // Keras 3 always has it
    bool own_backward = strcmp(class_name, "Bidirectional") == 0 && was && !ks_value_get(was, "backward_layer");
    ks_value out;
    ks_code code;
    if (!keys && !ks_value_get(was, "rng_type") && !ks_value_get(was, "dynamic"))
        return KS_OK;
    if (!keys)
        keys = "";
    out = ks_value_dict(d->arena, config->as.dict.count + 8); // more than any class adds
    KS_TRY(put_words(d, &out, config, was,
                     input ? "batch_input_shape dtype" : "name trainable=true dtype dynamic= rng_type="));
    KS_TRY(put_words(d, &out, config, was, keys));
    for (size_t i = 0; i < config->as.dict.count; i++)
        if (!ks_value_get(&out, config->as.dict.members[i].key.data) &&
            !(own_backward && ks_text_is(config->as.dict.members[i].key, "backward_layer")))
            KS_TRY(ks__downgrade_put_text(d, &out, config->as.dict.members[i].key, config->as.dict.members[i].value));
    *config = out;
    // Reading gives it the type of its numbers in Keras 3.
    if (strcmp(class_name, "Discretization") == 0 && ks_value_get(was, "dtype") && ks_value_get(config, "dtype"))
        *(ks_value *)(uintptr_t)ks_value_get(config, "dtype") = *ks_value_get(was, "dtype"); // being made here
    join_factor(config, class_name);
    code = first_layer(config, d, class_name);
done:
    return code;
}
