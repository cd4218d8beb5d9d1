// SPDX-License-Identifier: Apache-2.0
//
// From the words of Keras 1 to those of Keras 2: "output_dim" to "units", "border_mode" to "padding", "Merge" to the
// layer of its mode. A Sequential model that begins with a Merge has branches; it becomes a Functional model.
//
// Keras 1 does not write "dim_ordering" for layers that pad, crop or repeat pixels. They have that of the rest of the
// document.
//
// Source: Keras 1.2.2, get_config of layers/*.py and engine/topology.py, legacy/models.py.
#include <string.h>

#include "config/upgrade.h"

// --- pieces ---------------------------------------------------------------------------------------------------------

typedef struct word {
    const char *old, *name; ///< name NULL: the key is dropped
} word;

static void apply_words(ks__dict *config, const word *words) {
    for (; words->old; words++) {
        if (words->name)
            ks__dict_rename(config, words->old, words->name);
        else
            ks__dict_remove(config, words->old);
    }
}

// What many layers have.
static const word common_words[] = {
    {"W_regularizer", "kernel_regularizer"},
    {"b_regularizer", "bias_regularizer"},
    {"U_regularizer", "recurrent_regularizer"},
    {"W_constraint", "kernel_constraint"},
    {"b_constraint", "bias_constraint"},
    {"U_constraint", "recurrent_constraint"},
    {"init", "kernel_initializer"},
    {"inner_init", "recurrent_initializer"},
    {"inner_activation", "recurrent_activation"},
    {"bias", "use_bias"},
    {"dropout_W", "dropout"},
    {"dropout_U", "recurrent_dropout"},
    {"forget_bias_init", NULL}, // of initial values only
    {"consume_less", NULL},     // how, not what; see keep_gates
    {"input_dim", NULL},        // the wiring tells
    {"input_length", NULL},
    {"nb_filter", "filters"},
    {"border_mode", "padding"},
    {"filter_length", "kernel_size"},
    {"subsample_length", "strides"},
    {"subsample", "strides"},
    {"atrous_rate", "dilation_rate"},
    {NULL, NULL},
};

// {"name": "L1L2Regularizer", "l1": 0.0, "l2": 0.01} and {"name": "MaxNorm", "m": 2, "axis": 0}
static ks_code name_objects(ks__upgrade *u, ks__dict *config) {
    static const char *const keys[] = {"kernel_regularizer",    "bias_regularizer",       "recurrent_regularizer",
                                       "activity_regularizer",  "embeddings_regularizer", "depthwise_regularizer",
                                       "pointwise_regularizer", "gamma_regularizer",      "beta_regularizer",
                                       "kernel_constraint",     "bias_constraint",        "recurrent_constraint",
                                       "embeddings_constraint", "depthwise_constraint",   "pointwise_constraint"};
    ks_code code = KS_OK;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        ks_value *value = ks__dict_get(config, keys[i]);
        const ks_value *name = value ? ks_value_get(value, "name") : NULL;
        ks__dict record, inner;
        if (!name || ks_value_get(value, "class_name"))
            continue;
        KS_TRY(ks__dict_copy(&record, u, NULL));
        KS_TRY(ks__dict_copy(&inner, u, value));
        ks__dict_remove(&inner, "name");
        record.offset = value->offset;
        KS_TRY(ks__dict_set(&record, "class_name", *name));
        if (ks_value_is_text(name, "L1L2Regularizer") || ks_value_is_text(name, "WeightRegularizer") ||
            ks_value_is_text(name, "ActivityRegularizer"))
            KS_TRY(ks__dict_set(&record, "class_name", ks__value_text("L1L2", name->offset)));
        KS_TRY(ks__dict_set(&record, "config", ks__dict_value(&inner)));
        *value = ks__dict_value(&record);
    }
done:
    return code;
}

static ks_code set_data_format(ks__upgrade *u, ks__dict *config, bool always, const char *place) {
    const ks_value *ordering = ks__dict_get(config, "dim_ordering");
    bool first = u->channels_first;
    uint64_t offset = ordering ? ordering->offset : config->offset;
    if (!ordering && !always)
        return KS_OK;
    if (ordering && ks_value_is_text(ordering, "th"))
        first = true;
    else if (ordering && ks_value_is_text(ordering, "tf"))
        first = false;
    else if (ordering && !ks_value_is_text(ordering, "default"))
        return ks__upgrade_fail(u, KS_E_CONFIG_UNKNOWN_NAME, ordering, place, "config/dim_ordering",
                                "expected \"tf\", \"th\" or \"default\"");
    ks__dict_remove(config, "dim_ordering");
    return ks__dict_set(config, "data_format", ks__value_text(first ? "channels_first" : "channels_last", offset));
}

// "nb_row", "nb_col" and the like become one list.
static ks_code join_sizes(ks__upgrade *u, ks__dict *config, const char *const *keys, size_t count) {
    ks_value list = ks__value_list(u, count, config->offset);
    if (!list.as.list.items)
        return u->context->error.code;
    for (size_t i = 0; i < count; i++) {
        const ks_value *value = ks__dict_get(config, keys[i]);
        if (!value)
            return KS_OK; // its reader says what is missing
        list.as.list.items[i] = *value;
        list.offset = value->offset;
    }
    for (size_t i = 0; i < count; i++)
        ks__dict_remove(config, keys[i]);
    return ks__dict_set(config, "kernel_size", list);
}

static ks_code rename_class(ks__dict *record, const char *name) {
    return ks__dict_set(record, "class_name", ks__value_text(name, ks__dict_get(record, "class_name")->offset));
}

// --- classes --------------------------------------------------------------------------------------------------------

static ks_code units(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)place;
    ks__dict_rename(config, "output_dim", "units");
    return KS_OK;
}

static ks_code rate(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)place;
    ks__dict_rename(config, "p", "rate");
    return KS_OK;
}

static ks_code noise(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)place;
    ks__dict_rename(config, "sigma", "stddev");
    return KS_OK;
}

static ks_code spatial_dropout(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)place;
    ks__dict_rename(config, "p", "rate");
    ks__dict_remove(config, "dim_ordering");
    return KS_OK;
}

static ks_code convolution_2d(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    static const char *const keys[] = {"nb_row", "nb_col"};
    (void)record;
    (void)place;
    return join_sizes(u, config, keys, 2);
}

static ks_code separable_2d(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    ks__dict_rename(config, "kernel_initializer", "depthwise_initializer");
    return convolution_2d(u, record, config, place);
}

static ks_code convolution_3d(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    static const char *const keys[] = {"kernel_dim1", "kernel_dim2", "kernel_dim3"};
    (void)record;
    (void)place;
    return join_sizes(u, config, keys, 3);
}

// The announced output shape must be the one that comes out; the layer checks it.
static ks_code deconvolution_2d(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    ks__dict_remove(config, "output_shape");
    return convolution_2d(u, record, config, place);
}

static ks_code pooling_1d(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)place;
    ks__dict_rename(config, "pool_length", "pool_size");
    ks__dict_rename(config, "stride", "strides");
    return KS_OK;
}

static ks_code up_sampling_1d(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)place;
    ks__dict_rename(config, "length", "size");
    return KS_OK;
}

static ks_code spatial(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)record;
    return set_data_format(u, config, true, place);
}

// {"top_pad": 1, …} and [top, bottom, left, right]
static ks_code pad_pairs(ks__upgrade *u, ks__dict *config, const char *const *names, size_t count) {
    ks_value *padding = ks__dict_get(config, "padding");
    ks_value flat, list;
    if (!padding || !(padding->type == KS_VALUE_DICT ||
                      (padding->type == KS_VALUE_LIST && padding->as.list.count == count && count == 4)))
        return KS_OK;
    flat = ks__value_list(u, count, padding->offset);
    list = ks__value_list(u, count / 2, padding->offset);
    if (!flat.as.list.items || !list.as.list.items)
        return u->context->error.code;
    for (size_t i = 0; i < count; i++) {
        const ks_value *item =
            padding->type == KS_VALUE_LIST ? &padding->as.list.items[i] : ks_value_get(padding, names[i]);
        flat.as.list.items[i] = item ? *item : ks__value_int(0, padding->offset);
    }
    for (size_t i = 0; i < count / 2; i++) {
        list.as.list.items[i] = ks__value_list(u, 2, padding->offset);
        if (!list.as.list.items[i].as.list.items)
            return u->context->error.code;
        memcpy(list.as.list.items[i].as.list.items, &flat.as.list.items[2 * i], 2 * sizeof(ks_value));
    }
    *padding = count == 2 ? flat : list;
    return KS_OK;
}

static ks_code zero_padding_1d(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    static const char *const names[] = {"left_pad", "right_pad"};
    (void)record;
    (void)place;
    return pad_pairs(u, config, names, 2);
}

static ks_code zero_padding_2d(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    static const char *const names[] = {"top_pad", "bottom_pad", "left_pad", "right_pad"};
    ks_code code;
    KS_TRY(pad_pairs(u, config, names, 4));
    code = spatial(u, record, config, place);
done:
    return code;
}

static ks_code embedding(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    static const word words[] = {{"kernel_initializer", "embeddings_initializer"},
                                 {"kernel_regularizer", "embeddings_regularizer"},
                                 {"kernel_constraint", "embeddings_constraint"},
                                 {"dropout", NULL},
                                 {NULL, NULL}};
    (void)u;
    (void)record;
    (void)place;
    apply_words(config, words);
    return KS_OK;
}

// Mode 0 has moving statistics, mode 1 normalizes every sample, mode 2 the batch, also at inference.
static ks_code batch_normalization(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    const ks_value *mode = ks__dict_get(config, "mode");
    int64_t number = mode && mode->type == KS_VALUE_INT && mode->fits ? mode->as.integer : mode ? -1 : 0;
    ks__dict_remove(config, "kernel_initializer");
    if (number < 0 || number > 1)
        return ks__upgrade_fail(u, KS_E_CONFIG_UNSUPPORTED_VALUE, mode, place, "config/mode",
                                "normalization by the statistics of the batch cannot be run by this reference");
    ks__dict_remove(config, "mode");
    if (number == 0)
        return KS_OK;
    ks__dict_remove(config, "axis");
    ks__dict_remove(config, "momentum");
    return rename_class(record, "SampleNormalization");
}

static ks_code prelu(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)place;
    ks__dict_rename(config, "kernel_initializer", "alpha_initializer");
    return KS_OK;
}

static ks_code convolutional_lstm(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    return convolution_2d(u, record, config, place);
}

static ks_code merge(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    static const char *const modes[][2] = {{"sum", "Add"},           {"mul", "Multiply"}, {"ave", "Average"},
                                           {"max", "Maximum"},       {"dot", "Dot"},      {"cos", "CosineMerge"},
                                           {"concat", "Concatenate"}};
    const ks_value *mode = ks__dict_get(config, "mode"), *type = ks__dict_get(config, "mode_type");
    const char *name = NULL;
    ks__dict kept;
    ks_code code;
    if (type && ks_value_is_text(type, "lambda"))
        return ks__upgrade_fail(u, KS_E_CONFIG_UNSAFE, mode, place, "config/mode",
                                "Merge: a Python lambda would be run as code");
    for (size_t i = 0; mode && i < sizeof(modes) / sizeof(modes[0]); i++)
        if (ks_value_is_text(mode, modes[i][0]))
            name = modes[i][1];
    if (!name || (type && !ks_value_is_text(type, "raw")))
        return ks__upgrade_fail(u, KS_E_CONFIG_UNKNOWN_NAME, mode ? mode : type, place, "config/mode",
                                "unknown mode \"%.80s\" of Merge",
                                mode && mode->type == KS_VALUE_STRING ? mode->text.data : "");
    KS_TRY(ks__dict_copy(&kept, u, NULL));
    kept.offset = config->offset;
    if (ks__dict_get(config, "name"))
        KS_TRY(ks__dict_set(&kept, "name", *ks__dict_get(config, "name")));
    if (strcmp(name, "Concatenate") == 0 && ks__dict_get(config, "concat_axis"))
        KS_TRY(ks__dict_set(&kept, "axis", *ks__dict_get(config, "concat_axis")));
    if ((strcmp(name, "Dot") == 0 || strcmp(name, "CosineMerge") == 0) && ks__dict_get(config, "dot_axes"))
        KS_TRY(ks__dict_set(&kept, "axes", *ks__dict_get(config, "dot_axes")));
    *config = kept;
    code = rename_class(record, name);
done:
    return code;
}

// --- table ----------------------------------------------------------------------------------------------------------

static const struct {
    const char *old, *name;
    ks__upgrade_hook fix;
} classes[] = {
    {"Dense", "Dense", units},
    {"TimeDistributedDense", "Dense", units},
    {"MaxoutDense", "MaxoutDense", units},
    {"Dropout", "Dropout", rate},
    {"GaussianDropout", "GaussianDropout", rate},
    {"GaussianNoise", "GaussianNoise", noise},
    {"SpatialDropout1D", "SpatialDropout1D", spatial_dropout},
    {"SpatialDropout2D", "SpatialDropout2D", spatial_dropout},
    {"SpatialDropout3D", "SpatialDropout3D", spatial_dropout},
    {"Convolution1D", "Conv1D", NULL},
    {"AtrousConvolution1D", "Conv1D", NULL},
    {"Convolution2D", "Conv2D", convolution_2d},
    {"AtrousConvolution2D", "Conv2D", convolution_2d},
    {"SeparableConvolution2D", "SeparableConv2D", separable_2d},
    {"Deconvolution2D", "Conv2DTranspose", deconvolution_2d},
    {"Convolution3D", "Conv3D", convolution_3d},
    {"LocallyConnected1D", "LocallyConnected1D", NULL},
    {"LocallyConnected2D", "LocallyConnected2D", convolution_2d},
    {"MaxPooling1D", "MaxPooling1D", pooling_1d},
    {"AveragePooling1D", "AveragePooling1D", pooling_1d},
    {"UpSampling1D", "UpSampling1D", up_sampling_1d},
    {"UpSampling2D", "UpSampling2D", spatial},
    {"UpSampling3D", "UpSampling3D", spatial},
    {"ZeroPadding1D", "ZeroPadding1D", zero_padding_1d},
    {"ZeroPadding2D", "ZeroPadding2D", zero_padding_2d},
    {"ZeroPadding3D", "ZeroPadding3D", spatial},
    {"Cropping2D", "Cropping2D", spatial},
    {"Cropping3D", "Cropping3D", spatial},
    {"Embedding", "Embedding", embedding},
    {"BatchNormalization", "BatchNormalization", batch_normalization},
    {"PReLU", "PReLU", prelu},
    {"SimpleRNN", "SimpleRNN", units},
    {"LSTM", "LSTM", units},
    {"GRU", "GRU", units},
    {"ConvLSTM2D", "ConvLSTM2D", convolutional_lstm},
    {"Merge", NULL, merge},
};

// How a recurrent layer runs decides in Keras 1 what it stores: one array per gate or, for "gpu", the gates side by
// side, as the later `implementation` 2 has them.
static ks_code keep_gates(ks__dict *config) {
    ks_value *less = ks__dict_get(config, "consume_less");
    if (!less || !ks_value_is_text(less, "gpu"))
        return KS_OK;
    return ks__dict_set(config, "implementation", ks__value_int(2, less->offset));
}

// A word that came with Keras 2 means nothing to a class of Keras 1.
static ks_code refuse_later_words(ks__upgrade *u, const ks__dict *config, const char *place) {
    static const char *const words[] = {"units",
                                        "filters",
                                        "kernel_size",
                                        "use_bias",
                                        "kernel_initializer",
                                        "bias_initializer",
                                        "recurrent_activation",
                                        "kernel_regularizer",
                                        "bias_regularizer",
                                        "data_format"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const ks_value *value = ks__dict_get(config, words[i]);
        if (value)
            return ks__upgrade_fail(u, KS_E_CONFIG_UNKNOWN_KEY, value, place, "config", "Keras 1 has no key \"%s\"",
                                    words[i]);
    }
    return KS_OK;
}

ks_code ks__upgrade_keras1(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    ks_text name = ks__dict_get(record, "class_name")->text;
    ks_value input_dim = {0};
    bool embeds = ks_text_is(name, "Embedding") && ks__dict_get(config, "input_dim");
    ks_code code;
    if (ks_text_is(name, "Sequential") || ks_text_is(name, "Model") || ks_text_is(name, "InputLayer"))
        return KS_OK;
    if (embeds)
        input_dim = *ks__dict_get(config, "input_dim");
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (ks_text_is(name, classes[i].old))
            KS_TRY(refuse_later_words(u, config, place));
    KS_TRY(keep_gates(config));
    apply_words(config, common_words);
    if (embeds)
        KS_TRY(ks__dict_set(config, "input_dim", input_dim));
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (!ks_text_is(name, classes[i].old))
            continue;
        if (classes[i].name)
            KS_TRY(rename_class(record, classes[i].name));
        if (classes[i].fix)
            KS_TRY(classes[i].fix(u, record, config, place));
        break;
    }
    KS_TRY(set_data_format(u, config, false, place));
    KS_TRY(name_objects(u, config));
done:
    return code;
}

// --- documents ------------------------------------------------------------------------------------------------------

#define MAX_LOOK_DEPTH 64

bool ks__looks_like_keras1(const ks_value *document, int depth) {
    static const char *const words[] = {"output_dim",    "nb_filter",        "border_mode",
                                        "W_regularizer", "inner_activation", "dim_ordering"};
    const ks_value *name = ks_value_get(document, "class_name"), *config = ks_value_get(document, "config");
    bool dict = document->type == KS_VALUE_DICT;
    size_t count = dict ? document->as.dict.count : document->type == KS_VALUE_LIST ? document->as.list.count : 0;
    if (depth > MAX_LOOK_DEPTH)
        return false;
    if (name && ks_value_is_text(name, "Merge"))
        return true;
    for (size_t i = 0; name && config && i < sizeof(words) / sizeof(words[0]); i++)
        if (ks_value_get(config, words[i]) && !ks_value_is_text(name, "Embedding"))
            return true;
    for (size_t i = 0; i < count; i++)
        if (ks__looks_like_keras1(dict ? &document->as.dict.members[i].value : &document->as.list.items[i], depth + 1))
            return true;
    return false;
}

bool ks__channels_first(const ks_value *document, int depth) {
    const ks_value *ordering = ks_value_get(document, "dim_ordering");
    bool dict = document->type == KS_VALUE_DICT;
    size_t count = dict ? document->as.dict.count : document->type == KS_VALUE_LIST ? document->as.list.count : 0;
    if (depth > MAX_LOOK_DEPTH)
        return false;
    if (ordering && ks_value_is_text(ordering, "th"))
        return true;
    for (size_t i = 0; i < count; i++)
        if (ks__channels_first(dict ? &document->as.dict.members[i].value : &document->as.list.items[i], depth + 1))
            return true;
    return false;
}

// --- branches -------------------------------------------------------------------------------------------------------

typedef struct branches {
    ks__upgrade *u;
    ks_value layers; ///< records of a Functional model in the making
    size_t n, room;
    ks_value inputs; ///< names of its InputLayers, as references
    size_t n_inputs;
    const char *place;
    int depth;
    int n_models; ///< Sequential ones met so far, which have no names of their own
} branches;

static ks_value reference(ks__upgrade *u, const char *name, uint64_t offset) {
    ks_value value = ks__value_list(u, 3, offset);
    if (!value.as.list.items)
        return value;
    value.as.list.items[0] = ks__value_text(name, offset);
    value.as.list.items[1] = ks__value_int(0, offset);
    value.as.list.items[2] = ks__value_int(0, offset);
    return value;
}

static ks_code grow(branches *b, ks_value *list, size_t count) {
    ks_value bigger;
    if (count < list->as.list.count)
        return KS_OK;
    bigger = ks__value_list(b->u, count ? 2 * count : 16, list->offset);
    if (!bigger.as.list.items)
        return b->u->context->error.code;
    if (count)
        memcpy(bigger.as.list.items, list->as.list.items, count * sizeof(ks_value));
    *list = bigger;
    return KS_OK;
}

// A record with its calls: `sources` is one list of references, NULL for an input.
static ks_code add_layer(branches *b, const ks_value *record, const char *name, const ks_value *sources) {
    ks_value calls = ks__value_list(b->u, sources ? 1 : 0, record->offset);
    ks__dict dict;
    ks_code code;
    KS_TRY(grow(b, &b->layers, b->n));
    if (!calls.as.list.items)
        return b->u->context->error.code;
    if (sources)
        calls.as.list.items[0] = *sources;
    KS_TRY(ks__dict_copy(&dict, b->u, record));
    KS_TRY(ks__dict_set(&dict, "name", ks__value_text(name, record->offset)));
    KS_TRY(ks__dict_set(&dict, "inbound_nodes", calls));
    b->layers.as.list.items[b->n++] = ks__dict_value(&dict);
done:
    return code;
}

static const char *record_name(const ks_value *record) {
    const ks_value *config = ks_value_get(record, "config");
    const ks_value *name = config && config->type == KS_VALUE_DICT ? ks_value_get(config, "name") : NULL;
    return name && name->type == KS_VALUE_STRING ? name->text.data : NULL;
}

static ks_code add_chained(branches *b, const ks_value *record, const char **last) {
    const char *name = record_name(record);
    ks_value sources = ks__value_list(b->u, 1, record->offset);
    ks_code code;
    if (!name)
        return ks__upgrade_fail(b->u, KS_E_CONFIG_MISSING, record, b->place, "config", "a layer without a name");
    if (!sources.as.list.items)
        return b->u->context->error.code;
    sources.as.list.items[0] = reference(b->u, *last, record->offset);
    if (!sources.as.list.items[0].as.list.items)
        return b->u->context->error.code;
    KS_TRY(add_layer(b, record, name, &sources));
    *last = name;
done:
    return code;
}

static ks_code add_input(branches *b, const ks_value *record, const char **last) {
    const ks_value *config = ks_value_get(record, "config");
    const ks_value *shape = config ? ks_value_get(config, "batch_input_shape") : NULL;
    const ks_value *dtype = config ? ks_value_get(config, "input_dtype") : NULL;
    const char *name = record_name(record);
    ks__dict input, inner;
    ks_value made;
    ks_code code;
    if (!shape || !name)
        return ks__upgrade_fail(b->u, KS_E_CONFIG_MISSING, record, b->place, "config",
                                "the first layer of a branch needs batch_input_shape and a name");
    name = ks__input_name(b->u, record, name);
    if (!name)
        return b->u->context->error.code;
    KS_TRY(ks__dict_copy(&input, b->u, NULL));
    KS_TRY(ks__dict_copy(&inner, b->u, NULL));
    input.offset = inner.offset = shape->offset;
    KS_TRY(ks__dict_set(&inner, "batch_input_shape", *shape));
    if (dtype)
        KS_TRY(ks__dict_set(&inner, "input_dtype", *dtype));
    KS_TRY(ks__dict_set(&inner, "name", ks__value_text(name, shape->offset)));
    KS_TRY(ks__dict_set(&input, "class_name", ks__value_text("InputLayer", shape->offset)));
    KS_TRY(ks__dict_set(&input, "config", ks__dict_value(&inner)));
    made = ks__dict_value(&input);
    KS_TRY(add_layer(b, &made, name, NULL));
    KS_TRY(grow(b, &b->inputs, b->n_inputs));
    b->inputs.as.list.items[b->n_inputs] = reference(b->u, name, shape->offset);
    if (!b->inputs.as.list.items[b->n_inputs++].as.list.items)
        return b->u->context->error.code;
    *last = name;
done:
    return code;
}

static const ks_value *layers_of(const ks_value *record) {
    const ks_value *config = ks_value_get(record, "config");
    if (!ks_value_is_text(ks_value_get(record, "class_name"), "Sequential") || !config)
        return NULL;
    return config->type == KS_VALUE_LIST ? config : ks_value_get(config, "layers");
}

static bool begins_with_merge(const ks_value *layers) {
    const ks_value *config;
    if (!layers || layers->type != KS_VALUE_LIST || layers->as.list.count == 0)
        return false;
    if (layers_of(&layers->as.list.items[0]))
        return begins_with_merge(layers_of(&layers->as.list.items[0]));
    config = ks_value_get(&layers->as.list.items[0], "config");
    return ks_value_is_text(ks_value_get(&layers->as.list.items[0], "class_name"), "Merge") && config &&
           ks_value_get(config, "layers");
}

// The inputs of a model that stands at the beginning of a branch, appended to `sources`: those of its own first layer,
// or of the branches it begins with.
static ks_code add_inputs(branches *b, const ks_value *record, ks_value *sources, size_t *count) {
    const ks_value *layers = layers_of(record), *config = ks_value_get(record, "config");
    const char *last = NULL;
    ks_code code;
    if (!layers && ks_value_is_text(ks_value_get(record, "class_name"), "Merge") && config)
        layers = ks_value_get(config, "layers");
    if (!layers) {
        KS_TRY(add_input(b, record, &last));
        KS_TRY(grow(b, sources, *count));
        sources->as.list.items[*count] = reference(b->u, last, record->offset);
        return sources->as.list.items[(*count)++].as.list.items ? KS_OK : b->u->context->error.code;
    }
    if (layers->type != KS_VALUE_LIST || layers->as.list.count == 0)
        return ks__upgrade_fail(b->u, KS_E_CONFIG_GRAPH, record, b->place, NULL, "a branch without layers");
    if (b->depth >= (int)b->u->context->limits.model_depth)
        return ks__upgrade_fail(b->u, KS_E_CONFIG_DEPTH, layers, b->place, NULL, "models are nested more than %d deep",
                                (int)b->u->context->limits.model_depth);
    b->depth++;
    code = KS_OK;
    for (size_t i = 0; i < (layers_of(record) ? 1 : layers->as.list.count) && code == KS_OK; i++)
        code = add_inputs(b, &layers->as.list.items[i], sources, count);
    b->depth--;
done:
    return code;
}

// A Sequential model that is no branch itself stays a model, whose weights stand together.
static ks_code add_nested(branches *b, const ks_value *record, const char **last) {
    ks_value sources = {.type = KS_VALUE_LIST, .offset = record->offset};
    const char *name = record_name(record);
    size_t count = 0;
    ks_code code;
    b->n_models++;
    if (!name)
        name = ks_arena_format(b->u->arena, "sequential_%d", b->n_models);
    if (!name)
        return b->u->context->error.code;
    if (*last) {
        KS_TRY(grow(b, &sources, 0));
        sources.as.list.items[0] = reference(b->u, *last, record->offset);
        if (!sources.as.list.items[count++].as.list.items)
            return b->u->context->error.code;
    } else {
        KS_TRY(add_inputs(b, record, &sources, &count));
    }
    sources.as.list.count = count;
    KS_TRY(add_layer(b, record, name, &sources));
    *last = name;
done:
    return code;
}

static ks_code add_sequence(branches *b, const ks_value *layers, const char **last);

static ks_code add_merge(branches *b, const ks_value *record, const char **last) {
    const ks_value *config = ks_value_get(record, "config"), *inner = ks_value_get(config, "layers");
    const char *name = record_name(record);
    ks_value sources;
    ks_code code = KS_OK;
    if (inner->type != KS_VALUE_LIST || !name)
        return ks__upgrade_fail(b->u, KS_E_CONFIG_TYPE, inner, b->place, "config/layers",
                                "expected a list of the layers to merge");
    sources = ks__value_list(b->u, inner->as.list.count, record->offset);
    if (!sources.as.list.items)
        return b->u->context->error.code;
    for (size_t i = 0; i < inner->as.list.count; i++) {
        const ks_value *branch = &inner->as.list.items[i];
        ks_value one = {.type = KS_VALUE_LIST, .offset = branch->offset};
        const char *end = NULL;
        one.as.list.items = &inner->as.list.items[i];
        one.as.list.count = 1;
        if (ks_value_is_text(ks_value_get(branch, "class_name"), "Model"))
            return ks__upgrade_fail(b->u, KS_E_CONFIG_UNSUPPORTED_VALUE, branch, b->place, "config/layers",
                                    "a branch that is a Model cannot be run by this reference");
        if (layers_of(branch))
            b->n_models++;
        KS_TRY(add_sequence(b, layers_of(branch) ? layers_of(branch) : &one, &end));
        sources.as.list.items[i] = reference(b->u, end, branch->offset);
        if (!sources.as.list.items[i].as.list.items)
            return b->u->context->error.code;
    }
    KS_TRY(add_layer(b, record, name, &sources));
    *last = name;
done:
    return code;
}

// Adds the layers of a chain; without `*last` its first layer gets an input.
static ks_code add_sequence(branches *b, const ks_value *layers, const char **last) {
    ks_code code = KS_OK;
    if (b->depth >= (int)b->u->context->limits.model_depth)
        return ks__upgrade_fail(b->u, KS_E_CONFIG_DEPTH, layers, b->place, NULL, "models are nested more than %d deep",
                                (int)b->u->context->limits.model_depth);
    b->depth++;
    for (size_t i = 0; layers->type == KS_VALUE_LIST && i < layers->as.list.count; i++) {
        const ks_value *record = &layers->as.list.items[i], *config = ks_value_get(record, "config");
        if (layers_of(record)) {
            KS_TRY(add_nested(b, record, last));
        } else if (!*last && ks_value_is_text(ks_value_get(record, "class_name"), "Merge") && config &&
                   ks_value_get(config, "layers")) {
            KS_TRY(add_merge(b, record, last));
        } else {
            if (!*last)
                KS_TRY(add_input(b, record, last));
            KS_TRY(add_chained(b, record, last));
        }
    }
    if (!*last)
        code = ks__upgrade_fail(b->u, KS_E_CONFIG_GRAPH, layers, b->place, NULL, "a branch without layers");
done:
    b->depth--;
    return code;
}

ks_code ks__keras1_branches(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    const ks_value *layers = ks__dict_get(config, "layers");
    branches b = {.u = u, .place = place, .n_models = 1}; // the first is this one
    const char *last = NULL;
    ks_value outputs;
    ks_code code;
    if (!ks_value_is_text(ks__dict_get(record, "class_name"), "Sequential") || !begins_with_merge(layers))
        return KS_OK;
    b.layers.offset = b.inputs.offset = layers->offset;
    KS_TRY(add_sequence(&b, layers, &last));
    b.layers.as.list.count = b.n;
    b.inputs.as.list.count = b.n_inputs;
    outputs = ks__value_list(u, 1, layers->offset);
    if (!outputs.as.list.items)
        return u->context->error.code;
    outputs.as.list.items[0] = reference(u, last, layers->offset);
    if (!outputs.as.list.items[0].as.list.items)
        return u->context->error.code;
    KS_TRY(ks__dict_set(config, "layers", b.layers));
    KS_TRY(ks__dict_set(config, "input_layers", b.inputs));
    KS_TRY(ks__dict_set(config, "output_layers", outputs));
    KS_TRY(ks__dict_set(config, "keras1.in_order", ks__value_bool(true, layers->offset)));
    code = rename_class(record, "Model");
done:
    return code;
}
