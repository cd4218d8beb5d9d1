// SPDX-License-Identifier: Apache-2.0
//
// What classes are called and how they are configured in Keras 2 (mb-Keras 2.0 to 2.3, tf.keras, tf_keras), where that
// differs from Keras 3. Source: tf_keras layers/*, compared class by class with Keras 3's constructors.
#include "config/upgrade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// --- pieces ---------------------------------------------------------------------------------------------------------

// A list of one number is the number.
static void unwrap_single(ks__dict *config, const char *key) {
    ks_value *value = ks__dict_get(config, key);
    if (value && value->type == KS_VALUE_LIST && value->as.list.count == 1)
        *value = value->as.list.items[0];
}

static bool is_false(const ks_value *value) {
    return !value || value->type == KS_VALUE_NULL || (value->type == KS_VALUE_BOOL && !value->as.boolean);
}

// A key that may be dropped while it says `false` or nothing; with another value the layer computes something else.
static ks_code drop_while_false(ks__upgrade *u, ks__dict *config, const char *key, const char *place) {
    const ks_value *value = ks__dict_get(config, key);
    if (!is_false(value) && !u->described)
        return ks__upgrade_fail(u, KS_E_CONFIG_UNSUPPORTED_VALUE, value, place, "config",
                                "\"%s\" with this value cannot be run by this reference", key);
    ks__dict_remove(config, key);
    return KS_OK;
}

// --- layers ---------------------------------------------------------------------------------------------------------

// Several axes are a class of their own, as Keras 3 takes one.
static ks_code batch_normalization(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    const ks_value *axis;
    ks_code code;
    unwrap_single(config, "axis");
    axis = ks__dict_get(config, "axis");
    if (axis && axis->type == KS_VALUE_LIST)
        KS_TRY(ks__dict_set(record, "class_name", ks__value_text("BatchNormalizationAxes", record->offset)));
    KS_TRY(drop_while_false(u, config, "virtual_batch_size", place));
    KS_TRY(drop_while_false(u, config, "adjustment", place));
    ks__dict_remove(config, "fused"); // a choice of kernel
done:
    return code;
}

// TensorFlow 1.13 renormalizes by other variables.
static ks_code batch_normalization_v1(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    ks_code code;
    KS_TRY(drop_while_false(u, config, "renorm", place));
    KS_TRY(batch_normalization(u, record, config, place));
done:
    return code;
}

static ks_code leaky_relu(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)place;
    ks__dict_rename(config, "alpha", "negative_slope");
    return KS_OK;
}

static ks_code recurrent(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)record;
    return drop_while_false(u, config, "time_major", place);
}

static ks_code convolutional_lstm(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    ks__dict_remove(config, "implementation"); // how, not what
    return recurrent(u, record, config, place);
}

// Before tf.keras, pixels were interpolated between their corners instead of their middles.
static ks_code up_sampling_2d(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    const ks_value *interpolation = ks__dict_get(config, "interpolation");
    (void)record;
    if (!u->multi_backend || !interpolation || ks_value_is_text(interpolation, "nearest"))
        return KS_OK;
    return ks__upgrade_fail(u, KS_E_CONFIG_UNSUPPORTED_VALUE, interpolation, place, "config/interpolation",
                            "this interpolation of Keras before tf.keras cannot be run by this reference");
}

static ks_code gru(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    ks_code code;
    KS_TRY(recurrent(u, record, config, place));
    if (!ks__dict_get(config, "reset_after")) // before it existed, the reset came first
        KS_TRY(ks__dict_set(config, "reset_after", ks__value_bool(false, config->offset)));
done:
    return code;
}

// The cuDNN layers are the plain ones with fixed functions; their biases are for both products.
static ks_code cudnn_gru(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    ks_code code;
    KS_TRY(recurrent(u, record, config, place));
    KS_TRY(ks__dict_set(config, "reset_after", ks__value_bool(true, config->offset)));
done:
    return code;
}

static ks_code multi_head_attention(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    const ks_value *robust = ks__dict_get(config, "softmax_robust_masking"); // newer tf_keras
    (void)record;
    if (robust && !u->described && !(robust->type == KS_VALUE_BOOL && !robust->as.boolean))
        return ks__upgrade_fail(u, KS_E_CONFIG_UNSUPPORTED_VALUE, robust, place, "config/softmax_robust_masking",
                                "another masking of the softmax cannot be run by this reference");
    ks__dict_remove(config, "softmax_robust_masking");
    ks__dict_remove(config, "query_shape"); // the calls tell them again
    ks__dict_remove(config, "key_shape");
    ks__dict_remove(config, "value_shape");
    return KS_OK;
}

// Since TensorFlow 2.3 every convolution has "groups", which only some can have.
static ks_code ungrouped(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    const ks_value *groups = ks__dict_get(config, "groups");
    (void)record;
    if (groups && !u->described && !(groups->type == KS_VALUE_INT && groups->fits && groups->as.integer == 1))
        return ks__upgrade_fail(u, KS_E_CONFIG_UNSUPPORTED_VALUE, groups, place, "config/groups",
                                "groups cannot be run in this layer by this reference");
    ks__dict_remove(config, "groups");
    return KS_OK;
}

static ks_code depthwise(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    static const char *const unused[] = {"filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint"};
    for (size_t i = 0; i < sizeof(unused) / sizeof(unused[0]); i++)
        ks__dict_remove(config, unused[i]);
    return ungrouped(u, record, config, place);
}

static ks_code separable(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    static const char *const unused[] = {"kernel_initializer", "kernel_regularizer", "kernel_constraint"};
    for (size_t i = 0; i < sizeof(unused) / sizeof(unused[0]); i++)
        ks__dict_remove(config, unused[i]);
    return ungrouped(u, record, config, place);
}

static ks_code spatial_dropout(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)place;
    ks__dict_remove(config, "noise_shape");
    return KS_OK;
}

// "causal" became an argument of the call, which the graph's upgrade adds.
static ks_code attention(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    const ks_value *causal = ks__dict_get(config, "causal");
    if (!is_false(causal) && !ks__dict_get(record, "inbound_nodes"))
        return ks__upgrade_fail(u, KS_E_CONFIG_UNSUPPORTED_VALUE, causal, place, "config/causal",
                                "causal attention outside a graph cannot be run by this reference");
    ks__dict_remove(config, "causal");
    return KS_OK;
}

static ks_code category_encoding(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    static const char *const modes[][2] = {{"binary", "multi_hot"}, {"one_hot", "one_hot"}};
    ks_value *mode = ks__dict_get(config, "output_mode");
    (void)record;
    for (size_t i = 0; mode && i < 2; i++)
        if (ks_value_is_text(mode, modes[i][0]))
            mode->text = ks_text_from(modes[i][1]);
    ks__dict_rename(config, "max_tokens", "num_tokens");
    return drop_while_false(u, config, "sparse", place);
}

// Whole numbers of bins are int64, which is no policy of Keras 3.
static ks_code discretization(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    const ks_value *boundaries = ks__dict_get(config, "bin_boundaries"), *bins = ks__dict_get(config, "num_bins");
    const ks_value *mode = ks__dict_get(config, "output_mode"), *dtype = ks__dict_get(config, "dtype");
    (void)record;
    bool adapts = !boundaries || boundaries->type == KS_VALUE_NULL;
    if (!adapts && bins && bins->type != KS_VALUE_NULL)
        return ks__upgrade_fail(u, KS_E_CONFIG_VALUE, bins, place, "config/num_bins",
                                "num_bins and bin_boundaries are both given");
    if (dtype && ks_value_is_text(dtype, "int64") && (!mode || ks_value_is_text(mode, "int")))
        ks__dict_remove(config, "dtype");
    return KS_OK;
}

// "binary" and "tf-idf" are names that both generations still take.
static void rename_mode(ks_value *mode) {
    if (mode && ks_value_is_text(mode, "binary"))
        mode->text = ks_text_from("multi_hot");
    else if (mode && ks_value_is_text(mode, "tf-idf"))
        mode->text = ks_text_from("tf_idf");
}

// The dtype is that of the indices, which is no policy of Keras 3. Until TensorFlow 2.6 it was that of the words and
// said nothing of the output.
static void drop_lookup_dtype(ks__dict *config, bool of_words) {
    const ks_value *mode = ks__dict_get(config, "output_mode"), *dtype = ks__dict_get(config, "dtype");
    bool whole = !mode || ks_value_is_text(mode, "int");
    if (dtype && (of_words || (whole && ks_value_is_text(dtype, "int64"))))
        ks__dict_remove(config, "dtype");
}

// TensorFlow 2.3 and 2.4, which have no output_mode, number the words of an inverted layer without a place for others.
static ks_code check_inverted(ks__upgrade *u, const ks__dict *config, const char *place) {
    const ks_value *invert = ks__dict_get(config, "invert");
    if (ks__dict_get(config, "output_mode") || is_false(invert))
        return KS_OK;
    return ks__upgrade_fail(u, KS_E_CONFIG_UNSUPPORTED_VALUE, invert, place, "config/invert",
                            "an inverted lookup of TensorFlow before 2.6 cannot be run by this reference");
}

static ks_code string_lookup(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    const ks_value *dtype = ks__dict_get(config, "dtype");
    (void)record;
    rename_mode(ks__dict_get(config, "output_mode"));
    drop_lookup_dtype(config, dtype && ks_value_is_text(dtype, "string"));
    return check_inverted(u, config, place);
}

// TensorFlow 2.6 writes its numbers as text.
static ks_code number_of_text(ks__upgrade *u, ks_value *value, const char *place, const char *key) {
    char *end;
    if (!value || value->type != KS_VALUE_STRING)
        return KS_OK;
    errno = 0;
    long long number = strtoll(value->text.data, &end, 10);
    if (value->text.size == 0 || errno != 0 || end != value->text.data + value->text.size)
        return ks__upgrade_fail(u, KS_E_CONFIG_VALUE, value, place, key, "expected an integer, found \"%.80s\"",
                                value->text.data);
    value->type = KS_VALUE_INT;
    value->fits = true;
    value->as.integer = number;
    return KS_OK;
}

static ks_code integer_lookup(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    bool former = !ks__dict_get(config, "vocabulary_dtype");
    ks_code code = KS_OK;
    (void)record;
    ks__dict_rename(config, "max_values", "max_tokens"); // until TensorFlow 2.4
    ks__dict_rename(config, "mask_value", "mask_token");
    ks__dict_rename(config, "oov_value", "oov_token");
    KS_TRY(check_inverted(u, config, place));
    rename_mode(ks__dict_get(config, "output_mode"));
    drop_lookup_dtype(config, former);
    if (former) {
        KS_TRY(number_of_text(u, ks__dict_get(config, "mask_token"), place, "config/mask_token"));
        KS_TRY(number_of_text(u, ks__dict_get(config, "oov_token"), place, "config/oov_token"));
    }
done:
    return code;
}

// Until TensorFlow 2.6 the dtype of a layer without an output_mode said nothing.
static ks_code hashing(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)place;
    if (!ks__dict_get(config, "output_mode"))
        ks__dict_remove(config, "dtype");
    return KS_OK;
}

// Until TensorFlow 2.4 pad_to_max_tokens was true unless said otherwise, and without max_tokens nothing was padded.
static void drop_idle_padding(ks__dict *config) {
    const ks_value *most = ks__dict_get(config, "max_tokens");
    if (!ks__dict_get(config, "vocabulary") && most && most->type == KS_VALUE_NULL)
        ks__dict_remove(config, "pad_to_max_tokens");
}

static ks_code text_vectorization(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    const ks_value *dtype = ks__dict_get(config, "dtype");
    (void)u;
    (void)record;
    (void)place;
    drop_idle_padding(config);
    rename_mode(ks__dict_get(config, "output_mode"));
    if (dtype && ks_value_is_text(dtype, "string"))
        ks__dict_remove(config, "dtype");
    return KS_OK;
}

// How random numbers are made does not matter at inference.
static ks_code augmentation(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)place;
    ks__dict_remove(config, "rng_type");
    return KS_OK;
}

static ks_code stacked_cells(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)record;
    return drop_while_false(u, config, "reverse_state_order", place);
}

// --- table ----------------------------------------------------------------------------------------------------------

static const ks__old_class old_classes[] = {
    {"Model", "Functional", NULL},
    {"Network", "Functional", NULL},
    {"BatchNormalization", "BatchNormalization", batch_normalization},
    {"BatchNormalizationV1", "BatchNormalization", batch_normalization_v1},
    {"BatchNormalizationV2", "BatchNormalization", batch_normalization},
    {"SyncBatchNormalization", "BatchNormalization", batch_normalization},
    {"LeakyReLU", "LeakyReLU", leaky_relu},
    {"SimpleRNN", "SimpleRNN", recurrent},
    {"LSTM", "LSTM", recurrent},
    {"LSTMV1", "LSTM", recurrent},
    {"LSTMV2", "LSTM", recurrent},
    {"RNN", "RNN", recurrent},
    {"UpSampling2D", "UpSampling2D", up_sampling_2d},
    {"ConvLSTM1D", "ConvLSTM1D", convolutional_lstm},
    {"ConvLSTM2D", "ConvLSTM2D", convolutional_lstm},
    {"ConvLSTM3D", "ConvLSTM3D", convolutional_lstm},
    {"GRU", "GRU", gru},
    {"GRUV1", "GRU", gru},
    {"GRUV2", "GRU", gru},
    {"GRUCell", "GRUCell", gru},
    {"CuDNNLSTM", "LSTM", recurrent},
    {"CuDNNGRU", "GRU", cudnn_gru},
    {"MultiHeadAttention", "MultiHeadAttention", multi_head_attention},
    {"RandomBrightness", "RandomBrightness", augmentation},
    {"RandomContrast", "RandomContrast", augmentation},
    {"RandomCrop", "RandomCrop", augmentation},
    {"RandomFlip", "RandomFlip", augmentation},
    {"RandomRotation", "RandomRotation", augmentation},
    {"RandomTranslation", "RandomTranslation", augmentation},
    {"RandomZoom", "RandomZoom", augmentation},
    {"CategoryEncoding", "CategoryEncoding", category_encoding},
    {"Discretization", "Discretization", discretization},
    {"IntegerLookup", "IntegerLookup", integer_lookup},
    {"StringLookup", "StringLookup", string_lookup},
    {"Hashing", "Hashing", hashing},
    {"TextVectorization", "TextVectorization", text_vectorization},
    {"Attention", "Attention", attention},
    {"AdditiveAttention", "AdditiveAttention", attention},
    {"StackedRNNCells", "StackedRNNCells", stacked_cells},
    {"Conv1DTranspose", "Conv1DTranspose", ungrouped},
    {"Conv2DTranspose", "Conv2DTranspose", ungrouped},
    {"Conv3DTranspose", "Conv3DTranspose", ungrouped},
    {"DepthwiseConv1D", "DepthwiseConv1D", depthwise},
    {"DepthwiseConv2D", "DepthwiseConv2D", depthwise},
    {"SeparableConv1D", "SeparableConv1D", separable},
    {"SeparableConv2D", "SeparableConv2D", separable},
    {"SpatialDropout1D", "SpatialDropout1D", spatial_dropout},
    {"SpatialDropout2D", "SpatialDropout2D", spatial_dropout},
    {"SpatialDropout3D", "SpatialDropout3D", spatial_dropout},
};

const ks__old_class *ks__keras2_class(ks_text name) {
    for (size_t i = 0; i < sizeof(old_classes) / sizeof(old_classes[0]); i++)
        if (ks_text_is(name, old_classes[i].old))
            return &old_classes[i];
    return NULL;
}
