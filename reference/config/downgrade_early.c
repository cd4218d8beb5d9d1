// SPDX-License-Identifier: Apache-2.0
//
// The words of Keras 2.3, the last one before Keras became tf.keras. It takes no key that it does not know, calls a
// graph Model, has initializers of scaled variance under one name, and calls layers on one tensor or a list of them;
// the state of a recurrent layer is a part of that list. Keys that it does not have are left out while they say what it
// does anyway. Source: Keras 2.3.1 engine/network.py, engine/sequential.py, get_config of every class, asked one by
// one.
#include <string.h>

#include "config/downgrade_internal.h"
#include "config/word_list.h"

// --- keys ------------------------------------------------------------------------------------------------------------

#define BIASED                                                                                                         \
    "activation use_bias kernel_initializer bias_initializer kernel_regularizer bias_regularizer "                     \
    "activity_regularizer kernel_constraint bias_constraint "
#define WINDOW "kernel_size strides padding data_format dilation_rate "
#define CONVOLUTION "filters " WINDOW BIASED "groups=1 "
#define TRANSPOSED "filters " WINDOW BIASED "output_padding "
#define SEPARABLE                                                                                                      \
    "filters " WINDOW "activation use_bias bias_initializer bias_regularizer activity_regularizer bias_constraint "    \
    "depth_multiplier depthwise_initializer pointwise_initializer depthwise_regularizer pointwise_regularizer "        \
    "depthwise_constraint pointwise_constraint "
#define POOLING "pool_size strides padding data_format "
#define GLOBAL_POOLING "data_format keepdims=false "
#define CELL                                                                                                           \
    "activation use_bias kernel_initializer recurrent_initializer bias_initializer kernel_regularizer "                \
    "recurrent_regularizer bias_regularizer kernel_constraint recurrent_constraint bias_constraint dropout "           \
    "recurrent_dropout "
#define RUN "return_sequences return_state go_backwards stateful unroll zero_output_for_mask=false "
#define GATED "recurrent_activation "

/// KEY; KEY=DEFAULT: Keras 2.3 has no such key, and does what the default says; KEY~DEFAULT: when it says something
/// else, that is of no account for a prediction. Every layer has a name, a dtype and a trainable as well.
static const struct {
    const char *class_name;
    const char *keys;
} classes[] = {
    {"Activation", "activation"},
    {"ActivityRegularization", "l1 l2"},
    {"Add", ""},
    {"AlphaDropout", "rate noise_shape seed"},
    {"Average", ""},
    {"AveragePooling1D", POOLING},
    {"AveragePooling2D", POOLING},
    {"AveragePooling3D", POOLING},
    {"BatchNormalization", "axis momentum epsilon center scale beta_initializer gamma_initializer "
                           "moving_mean_initializer moving_variance_initializer beta_regularizer gamma_regularizer "
                           "beta_constraint gamma_constraint"},
    {"Bidirectional", "layer merge_mode"},
    {"Concatenate", "axis"},
    {"Conv1D", CONVOLUTION},
    {"Conv2D", CONVOLUTION},
    {"Conv2DTranspose", TRANSPOSED},
    {"Conv3D", CONVOLUTION},
    {"Conv3DTranspose", TRANSPOSED},
    {"ConvLSTM2D", RUN "filters " WINDOW CELL GATED "unit_forget_bias activity_regularizer"},
    {"Cropping1D", "cropping"},
    {"Cropping2D", "cropping data_format"},
    {"Cropping3D", "cropping data_format"},
    {"Dense", "units " BIASED},
    {"DepthwiseConv2D",
     WINDOW "activation use_bias bias_initializer bias_regularizer activity_regularizer bias_constraint "
            "depth_multiplier depthwise_initializer depthwise_regularizer depthwise_constraint"},
    {"Dot", "axes normalize"},
    {"Dropout", "rate noise_shape seed"},
    {"ELU", "alpha"},
    {"Embedding", "input_dim output_dim embeddings_initializer embeddings_regularizer activity_regularizer "
                  "embeddings_constraint mask_zero input_length"},
    {"Flatten", "data_format"},
    {"GRU", RUN "units " CELL GATED "activity_regularizer implementation reset_after"},
    {"GRUCell", "units " CELL GATED "implementation reset_after"},
    {"GaussianDropout", "rate seed~null"},
    {"GaussianNoise", "stddev seed~null"},
    {"GlobalAveragePooling1D", GLOBAL_POOLING},
    {"GlobalAveragePooling2D", GLOBAL_POOLING},
    {"GlobalAveragePooling3D", GLOBAL_POOLING},
    {"GlobalMaxPooling1D", GLOBAL_POOLING},
    {"GlobalMaxPooling2D", GLOBAL_POOLING},
    {"GlobalMaxPooling3D", GLOBAL_POOLING},
    {"InputLayer", "batch_input_shape sparse ragged=false optional=false"},
    {"LSTM", RUN "units " CELL GATED "activity_regularizer unit_forget_bias implementation"},
    {"LSTMCell", "units " CELL GATED "unit_forget_bias implementation"},
    {"LeakyReLU", "alpha"},
    {"LocallyConnected1D",
     "filters kernel_size strides padding " BIASED "implementation=1 data_format=\"channels_last\""},
    {"LocallyConnected2D", "filters kernel_size strides padding data_format " BIASED "implementation=1"},
    {"Masking", "mask_value"},
    {"MaxPooling1D", POOLING},
    {"MaxPooling2D", POOLING},
    {"MaxPooling3D", POOLING},
    {"Maximum", ""},
    {"Minimum", ""},
    {"Multiply", ""},
    {"PReLU", "alpha_initializer alpha_regularizer alpha_constraint shared_axes"},
    {"Permute", "dims"},
    {"RNN", RUN "cell"},
    {"ReLU", "max_value negative_slope threshold"},
    {"RepeatVector", "n"},
    {"Reshape", "target_shape"},
    {"SeparableConv1D", SEPARABLE},
    {"SeparableConv2D", SEPARABLE},
    {"SimpleRNN", RUN "units " CELL "activity_regularizer"},
    {"SimpleRNNCell", "units " CELL},
    {"Softmax", "axis"},
    {"SpatialDropout1D", "rate noise_shape seed"},
    {"SpatialDropout2D", "rate noise_shape seed data_format"},
    {"SpatialDropout3D", "rate noise_shape seed data_format"},
    {"StackedRNNCells", "cells"},
    {"Subtract", ""},
    {"ThresholdedReLU", "theta"},
    {"TimeDistributed", "layer"},
    {"UpSampling1D", "size"},
    {"UpSampling2D", "size data_format interpolation"},
    {"UpSampling3D", "size data_format"},
    {"ZeroPadding1D", "padding"},
    {"ZeroPadding2D", "padding data_format"},
    {"ZeroPadding3D", "padding data_format"},
};

static const char *keys_of(const char *class_name) {
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(classes[i].class_name, class_name) == 0)
            return classes[i].keys;
    return NULL;
}

static bool is_true(const ks_value *value) {
    return value && value->type == KS_VALUE_BOOL && value->as.boolean;
}

static ks_code keep_key(bool *keep, ks__downgrade *d, const char *class_name, const ks_member *member,
                        const char *place) {
    const char *inner = ks__below(d, place, member->key);
    const char *otherwise;
    ks_text rule;
    bool known = ks__find_word(&rule, keys_of(class_name), member->key);
    *keep = ks_text_is(member->key, "name") || ks_text_is(member->key, "dtype") ||
            (ks_text_is(member->key, "trainable") && strcmp(class_name, "InputLayer") != 0) || (known && !rule.size);
    if (*keep || !inner)
        return d->context->error.code;
    otherwise = rule.size ? ks_arena_format(d->arena, "%.*s", (int)rule.size - 1, rule.data + 1) : NULL;
    if (otherwise && ks__prints_as(d, &member->value, otherwise))
        return KS_OK;
    if (d->context->error.code != KS_OK)
        return d->context->error.code;
    if (ks_text_is(member->key, "zero_output_for_mask")) // mask_flow.c has seen to it that it is no matter
        return KS_OK;
    if (rule.size && rule.data[0] == '~')
        return ks_lose(d->losses, "config-key", inner, "%s of Keras 2.3 has no \"%.60s\"", class_name,
                       member->key.data);
    return ks__no_word(d, inner, "%s of Keras 2.3 has no \"%.60s\"", class_name, member->key.data);
}

static ks_code keep_keys(ks_value *config, ks__downgrade *d, const char *class_name, const char *place) {
    ks_value out = ks_value_dict(d->arena, config->as.dict.count + 1); // room for batch_input_shape
    ks_code code = KS_OK;
    for (size_t i = 0; i < config->as.dict.count; i++) {
        const ks_member *member = &config->as.dict.members[i];
        bool keep;
        KS_TRY(keep_key(&keep, d, class_name, member, place));
        if (keep)
            KS_TRY(ks__downgrade_put_text(d, &out, member->key, member->value));
    }
    *config = out;
done:
    return code;
}

// --- layers ----------------------------------------------------------------------------------------------------------

static bool same_but_for_direction(const ks_value *forward, const ks_value *backward) {
    if (forward->as.dict.count != backward->as.dict.count)
        return false;
    for (size_t i = 0; i < forward->as.dict.count; i++) {
        const ks_member *member = &forward->as.dict.members[i];
        const ks_value *other = ks_value_get(backward, member->key.data);
        bool turns = ks_text_is(member->key, "go_backwards");
        if (!other || (!ks_text_is(member->key, "name") && ks_value_equal(&member->value, other) == turns))
            return false;
    }
    return true;
}

/// Keras 2.3 makes the backward layer of the forward one, and gives both their names.
static ks_code turn_forward(ks_value *config, ks__downgrade *d, const char *place) {
    const ks_value *layer = ks_value_get(config, "layer"), *backward = ks_value_get(config, "backward_layer");
    ks_value *inner = (ks_value *)(uintptr_t)ks_value_get(layer, "config"); // the config is being made here
    ks_value *name = (ks_value *)(uintptr_t)ks_value_get(inner, "name");
    ks_value out = ks_value_dict(d->arena, config->as.dict.count);
    ks_code code;
    if (backward && backward->type != KS_VALUE_NULL &&
        (!ks_value_equal(ks_value_get(layer, "class_name"), ks_value_get(backward, "class_name")) ||
         !same_but_for_direction(inner, ks_value_get(backward, "config"))))
        return ks__no_word(d, place, "the backward layer of a Bidirectional of Keras 2.3 is the forward one turned");
    if (name && name->type == KS_VALUE_STRING && strncmp(name->text.data, "forward_", 8) == 0)
        *name = ks_value_string(name->text.data + 8);
    for (size_t i = 0; i < config->as.dict.count; i++)
        if (!ks_text_is(config->as.dict.members[i].key, "backward_layer"))
            KS_TRY(ks__downgrade_put_text(d, &out, config->as.dict.members[i].key, config->as.dict.members[i].value));
    *config = out;
    return KS_OK;
done:
    return code;
}

/// What has the same words and computes something else.
static ks_code check_numbers(ks__downgrade *d, const char *class_name, const ks_value *config, const char *place) {
    const ks_value *axis = ks_value_get(config, "axis"), *way = ks_value_get(config, "interpolation");
    if (strcmp(class_name, "UpSampling2D") == 0 && way && !ks_value_is_text(way, "nearest"))
        return ks__no_word(d, place, "Keras 2.3 interpolates between the corners of pixels, not their middles");
    if ((strcmp(class_name, "BatchNormalization") == 0 || strcmp(class_name, "Softmax") == 0) && axis &&
        axis->type != KS_VALUE_INT)
        return ks__no_word(d, place, "%s of Keras 2.3 has one axis", class_name);
    return KS_OK;
}

ks_code ks__early_layer(ks_value *config, ks__downgrade *d, const char *class_name, const char *place) {
    ks_code code;
    if (!keys_of(class_name))
        return ks__no_word(d, place, "Keras 2.3 has no layer %s", class_name);
    KS_TRY(check_numbers(d, class_name, config, place));
    if (strcmp(class_name, "Bidirectional") == 0)
        KS_TRY(turn_forward(config, d, place));
    code = keep_keys(config, d, class_name, place);
done:
    return code;
}

// --- initializers, regularizers, constraints, functions --------------------------------------------------------------

static const struct {
    const char *class_name;
    double scale;
    const char *mode, *distribution;
} scalings[] = {
    {"GlorotNormal", 1, "fan_avg", "normal"}, {"GlorotUniform", 1, "fan_avg", "uniform"},
    {"HeNormal", 2, "fan_in", "normal"},      {"HeUniform", 2, "fan_in", "uniform"},
    {"LecunNormal", 1, "fan_in", "normal"},   {"LecunUniform", 1, "fan_in", "uniform"},
};

/// NULL: as the config says it.
static ks_code put_scaling(ks_value *config, ks__downgrade *d, const ks_value *scale, const ks_value *mode,
                           const char *distribution) {
    static const char *const keys[] = {"scale", "mode", "distribution", "seed"};
    const ks_value named = ks_value_string(distribution ? distribution : "");
    const ks_value *const values[] = {scale, mode, distribution ? &named : NULL, NULL};
    ks_value out = ks_value_dict(d->arena, 4);
    ks_code code;
    for (size_t i = 0; i < 4; i++) {
        const ks_value *value = values[i] ? values[i] : ks_value_get(config, keys[i]);
        KS_TRY(ks__downgrade_put(d, &out, keys[i], value ? *value : ks_value_null()));
    }
    *config = out;
done:
    return code;
}

static ks_code early_scaling(ks_value *config, ks__downgrade *d, const char *place) {
    const ks_value *way = ks_value_get(config, "distribution");
    bool uniform = way && ks_value_is_text(way, "uniform");
    ks_code code;
    if (way && ks_value_is_text(way, "untruncated_normal"))
        KS_TRY(ks_lose(d->losses, "initializer", place, "the normal distribution of Keras 2.3 is truncated"));
    code = put_scaling(config, d, NULL, NULL, uniform ? NULL : "normal");
done:
    return code;
}

static ks_code early_initializer(ks_value *name, ks_value *config, ks__downgrade *d, const char *place) {
    static const char *const known[] = {"Constant",      "Identity",        "Ones", "Orthogonal", "RandomNormal",
                                        "RandomUniform", "TruncatedNormal", "Zeros"};
    ks_code code;
    if (ks_value_is_text(name, "VarianceScaling"))
        return early_scaling(config, d, place);
    for (size_t i = 0; i < sizeof scalings / sizeof scalings[0]; i++)
        if (ks_value_is_text(name, scalings[i].class_name)) {
            const ks_value scale = ks_value_float(scalings[i].scale), mode = ks_value_string(scalings[i].mode);
            *name = ks_value_string("VarianceScaling");
            return put_scaling(config, d, &scale, &mode, scalings[i].distribution);
        }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (ks_value_is_text(name, known[i]))
            return KS_OK;
    code = ks_lose(d->losses, "initializer", place, "Keras 2.3 has no initializer %.60s", name->text.data);
    *name = ks_value_string("Zeros"); // one there must be
    *config = ks_value_dict(d->arena, 0);
    return code;
}

static ks_code early_regularizer(ks_value *name, ks_value *config, ks__downgrade *d, const char *place) {
    static const char *const keys[] = {"l1", "l2"};
    ks_value out = ks_value_dict(d->arena, 2);
    ks_code code = KS_OK;
    if (!ks_value_is_text(name, "L1") && !ks_value_is_text(name, "L2") && !ks_value_is_text(name, "L1L2")) {
        code = ks_lose(d->losses, "regularizer", place, "Keras 2.3 has no regularizer %.60s", name->text.data);
        *name = ks_value_null();
        return code;
    }
    for (size_t i = 0; i < 2; i++) {
        const ks_value *factor = ks_value_get(config, keys[i]);
        KS_TRY(ks__downgrade_put(d, &out, keys[i], factor ? *factor : ks_value_float(0)));
    }
    *name = ks_value_string("L1L2");
    *config = out;
done:
    return code;
}

static ks_code early_constraint(ks_value *name, ks__downgrade *d, const char *place) {
    static const char *const known[] = {"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"};
    ks_code code;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (ks_value_is_text(name, known[i]))
            return KS_OK;
    code = ks_lose(d->losses, "constraint", place, "Keras 2.3 has no constraint %.60s", name->text.data);
    *name = ks_value_null();
    return code;
}

ks_code ks__early_object(ks_value *name, ks_value *config, ks__downgrade *d, ks_kind kind, const char *place) {
    if (kind == KS_KIND_INITIALIZER)
        return early_initializer(name, config, d, place);
    if (kind == KS_KIND_REGULARIZER)
        return early_regularizer(name, config, d, place);
    return early_constraint(name, d, place);
}

ks_code ks__early_activation(const ks_value *word, ks__downgrade *d, const char *place) {
    static const char *const known[] = {"elu",     "exponential", "hard_sigmoid", "linear",   "relu", "selu",
                                        "sigmoid", "softmax",     "softplus",     "softsign", "tanh"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (ks_value_is_text(word, known[i]))
            return KS_OK;
    return ks__no_word(d, place, "Keras 2.3 has no activation function \"%.60s\"", word->text.data);
}

// --- models ----------------------------------------------------------------------------------------------------------

/// A graph or Sequential model in the words of Keras 2.3, with its list of layers.
static bool is_model(const ks_value *record) {
    const ks_value *name = ks_value_get(record, "class_name"), *config = ks_value_get(record, "config");
    const ks_value *layers = config ? ks_value_get(config, "layers") : NULL;
    return (ks_value_is_text(name, "Model") || ks_value_is_text(name, "Sequential")) && layers &&
           layers->type == KS_VALUE_LIST;
}

/// Is there a layer whose weights are trained, in a model that was downgraded?
static bool trains(const ks_value *config) {
    const ks_value *layers = ks_value_get(config, "layers");
    for (size_t i = 0; layers && i < layers->as.list.count; i++) {
        const ks_value *record = &layers->as.list.items[i], *inner = ks_value_get(record, "config");
        bool input = ks_value_is_text(ks_value_get(record, "class_name"), "InputLayer");
        const ks_value *trainable = ks_value_get(inner, "trainable");
        if (!input && (is_model(record) ? trains(inner) : !trainable || is_true(trainable)))
            return true;
    }
    return false;
}

/// A Model does not say that it is frozen. When its layers say so, that is the same, also for the order of its weights.
static ks_code drop_trainable(ks_value *config, ks__downgrade *d, const char *place) {
    const ks_value *trainable = ks_value_get(config, "trainable");
    size_t count = 0;
    if (trainable && !is_true(trainable) && trains(config))
        return ks__no_word(d, place, "a model of Keras 2.3 has no \"trainable\", and not all of its layers are frozen");
    for (size_t i = 0; i < config->as.dict.count; i++)
        if (!ks_text_is(config->as.dict.members[i].key, "trainable"))
            config->as.dict.members[count++] = config->as.dict.members[i];
    config->as.dict.count = count;
    return KS_OK;
}

static ks_code check_ends(const ks_value *ends, ks__downgrade *d, const char *place) {
    bool flat = ends->type == KS_VALUE_LIST;
    for (size_t i = 0; flat && i < ends->as.list.count; i++)
        flat = ends->as.list.items[i].type == KS_VALUE_LIST && ends->as.list.items[i].as.list.count == 3 &&
               ends->as.list.items[i].as.list.items[0].type == KS_VALUE_STRING;
    return flat ? KS_OK : ks__no_word(d, place, "inputs and outputs of a model of Keras 2.3 are lists of tensors");
}

ks_code ks__early_functional(ks_value *config, ks__downgrade *d, const char *place) {
    ks_code code;
    KS_TRY(check_ends(ks_value_get(config, "input_layers"), d, place));
    KS_TRY(check_ends(ks_value_get(config, "output_layers"), d, place));
    code = drop_trainable(config, d, place);
done:
    return code;
}

/// The first layer as Keras 2.3 looks for it, through models at the beginning of models; NULL: there is none.
static const ks_value *innermost(const ks_value *record) {
    for (int depth = 0; record && is_model(record) && depth < 1000; depth++) {
        const ks_value *layers = ks_value_get(ks_value_get(record, "config"), "layers");
        bool hidden = ks_value_is_text(ks_value_get(record, "class_name"), "Sequential") && layers->as.list.count > 0 &&
                      ks_value_is_text(ks_value_get(&layers->as.list.items[0], "class_name"), "InputLayer");
        record = layers->as.list.count > hidden ? &layers->as.list.items[hidden] : NULL;
    }
    return record;
}

/// The input is a layer of its own here; Keras 2.3 makes it of the shape and dtype of the innermost first layer, and
/// calls it after the first layer.
static bool makes_that_input(ks__downgrade *d, const ks_value *input, const ks_value *first) {
    const ks_value *inner = innermost(first), *config = inner ? ks_value_get(inner, "config") : NULL;
    const ks_value *layer = ks_value_get(ks_value_get(first, "config"), "name");
    static const char *const keys[] = {"batch_input_shape", "dtype"};
    const char *made =
        layer && layer->type == KS_VALUE_STRING ? ks_arena_format(d->arena, "%s_input", layer->text.data) : NULL;
    if (!made || !ks_value_is_text(ks_value_get(input, "name"), made) || is_true(ks_value_get(input, "sparse")))
        return false;
    for (size_t i = 0; i < 2; i++) {
        const ks_value *here = ks_value_get(input, keys[i]), *there = ks_value_get(config, keys[i]);
        if (!here || !there || !ks_value_equal(here, there))
            return false;
    }
    return true;
}

/// A Sequential model that is itself the first layer of another one gets its shape from its own first layer.
ks_code ks__early_sequential(ks_value *layers, ks__downgrade *d) {
    ks_value *items = layers->as.list.items, *config;
    const ks_value *input, *shape;
    ks_code code;
    if (layers->as.list.count < 2 || !ks_value_is_text(ks_value_get(&items[0], "class_name"), "InputLayer"))
        return KS_OK;
    input = ks_value_get(&items[0], "config");
    shape = ks_value_get(input, "batch_input_shape");
    config = (ks_value *)(uintptr_t)ks_value_get(&items[1], "config"); // being made here, with room
    if (keys_of(ks_value_get(&items[1], "class_name")->text.data) && shape &&
        !ks_value_get(config, "batch_input_shape"))
        KS_TRY(ks__downgrade_put(d, config, "batch_input_shape", *shape));
    if (makes_that_input(d, input, &items[1])) {
        layers->as.list.items++;
        layers->as.list.count--;
    }
    return d->context->error.code;
done:
    return code;
}

// --- the whole -------------------------------------------------------------------------------------------------------

ks_code ks_config_downgrade_early(ks_value *out, ks_arena *arena, const ks_value *record, ks_losses *losses,
                                  const char *document, const struct ks_registry *registry) {
    ks__downgrade d = {
        .context = losses->context, .arena = arena, .losses = losses, .registry = registry, .early = true};
    return ks__downgrade_model(out, &d, record, document);
}
