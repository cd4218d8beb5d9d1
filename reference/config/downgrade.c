// SPDX-License-Identifier: Apache-2.0
//
// Records of Keras 3 in the words of Keras 2: classes, keys, objects in configs. Graphs are in downgrade_graph.c,
// operations in downgrade_operation.c, what Keras 2.3 says otherwise in downgrade_early.c. Source: tf_keras 2.21
// layers/*, compared class by class with Keras 3's get_config; saving/legacy/serialization.py.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kassay/json.h>

#include "config/downgrade_internal.h"
#include "config/registry.h"

#define MAX_VALUE_DEPTH 64

// --- pieces ---------------------------------------------------------------------------------------------------------

ks_code ks__no_word(ks__downgrade *d, const char *place, const char *format, ...) {
    char message[300];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    return ks_fail(d->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, place, "%s", message);
}

const char *ks__below(ks__downgrade *d, const char *place, ks_text key) {
    return ks_arena_format(d->arena, "%s/%.*s", place, (int)key.size, key.data);
}

ks_code ks__downgrade_put_text(ks__downgrade *d, ks_value *dict, ks_text key, ks_value value) {
    ks_value *place = ks_value_put_text(dict, key);
    if (!place)
        return d->context->error.code;
    *place = value;
    return KS_OK;
}

ks_code ks__downgrade_put(ks__downgrade *d, ks_value *dict, const char *key, ks_value value) {
    return ks__downgrade_put_text(d, dict, ks_text_from(key), value);
}

bool ks__prints_as(ks__downgrade *d, const ks_value *value, const char *text) {
    ks_text printed;
    if (ks_json_write(&printed, d->context, value, (ks_json_style){0, true}) != KS_OK)
        return false;
    bool equal = ks_text_is(printed, text);
    ks_free(d->context, (void *)(uintptr_t)printed.data);
    return equal;
}

static bool is_record(const ks_value *value) {
    const ks_value *name = ks_value_get(value, "class_name");
    return name && name->type == KS_VALUE_STRING && ks_value_get(value, "config");
}

static const ks_class *row_of(const ks_value *record) {
    const ks_value *module = ks_value_get(record, "module");
    bool named = module && module->type == KS_VALUE_STRING;
    return ks_class_find(ks_value_get(record, "class_name")->text, named ? &module->text : NULL);
}

const ks_class *ks__downgrade_row(const ks__downgrade *d, const ks_value *record) {
    const ks_class *row = row_of(record);
    return row ? row : ks_registry_find_record(d->registry, record);
}

bool ks__is_operation(const ks_value *record) {
    const ks_class *row = is_record(record) ? row_of(record) : NULL;
    return row && row->kind == KS_KIND_OPERATION;
}

// --- names ----------------------------------------------------------------------------------------------------------

static bool is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// [A-Za-z0-9.][A-Za-z0-9_.\\/>-]* for a scope of its own, without the restriction of the first one for a scope in
/// another; TensorFlow 1, where Keras 2.3 runs, does not take "\\" and ">". Without a name there is no scope.
static bool is_scope(ks_text name, bool inner, bool early) {
    const char *more = early ? "_./-" : "_.\\/>-";
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool good = is_letter_or_digit(c) || c == '.' || ((i > 0 || inner) && c && strchr(more, c));
        if (!good)
            return false;
    }
    return true;
}

/// tf_keras makes a scope of every name but those of inputs, at the latest when it predicts. Keras 2.3 makes one of
/// every name but that of the model, and none of the parts of a layer.
ks_code ks__downgrade_name(ks__downgrade *d, const ks_value *record, ks__name_kind kind, const char *place) {
    const ks_value *name = ks_value_get(ks_value_get(record, "config"), "name");
    bool input = ks_value_is_text(ks_value_get(record, "class_name"), "InputLayer");
    if (d->early ? kind != KS__NAME_OF_LAYER : input)
        return KS_OK;
    if (!name || name->type != KS_VALUE_STRING || is_scope(name->text, kind == KS__NAME_OF_PART, d->early))
        return KS_OK;
    return ks__no_word(d, place, "\"%.80s\" is no name of a scope in TensorFlow, so Keras 2 cannot run it",
                       name->text.data);
}

// --- objects in a config --------------------------------------------------------------------------------------------

static ks_code downgrade_policy(ks_value *out, ks__downgrade *d, const ks_value *record, const char *place) {
    const ks_value *name = ks_value_get(ks_value_get(record, "config"), "name");
    ks_value config = ks_value_dict(d->arena, 1);
    ks_code code;
    if (!ks_value_is_text(ks_value_get(record, "class_name"), "DTypePolicy") || !name || name->type != KS_VALUE_STRING)
        return ks__no_word(d, place, "Keras 2 has no dtype policy of this class");
    if (ks_dtype_by_name(name->text) != KS_DTYPE_NONE) {
        *out = *name; // a policy of one type is that type
        return KS_OK;
    }
    if (d->early)
        return ks__no_word(d, place, "Keras 2.3 has no dtype policies");
    *out = ks_value_dict(d->arena, 2);
    KS_TRY(ks__downgrade_put(d, out, "class_name", ks_value_string("Policy")));
    KS_TRY(ks__downgrade_put(d, &config, "name", *name));
    KS_TRY(ks__downgrade_put(d, out, "config", config));
done:
    return code;
}

/// A key of an initializer, regularizer or constraint that Keras 2 does not have.
static ks_code check_object_key(bool *keep, ks__downgrade *d, const ks_member *member, const char *place) {
    static const char *const new_keys[] = {"input_axes", "output_axes"};
    *keep = true;
    for (size_t i = 0; i < sizeof new_keys / sizeof new_keys[0]; i++)
        *keep = *keep && !ks_text_is(member->key, new_keys[i]);
    if (*keep && ks_text_is(member->key, "seed") && member->value.type == KS_VALUE_DICT) {
        *keep = false;
        return ks_lose(d->losses, "seed", place, "a seed generator; Keras 2 has numbers only");
    }
    if (*keep || member->value.type == KS_VALUE_NULL)
        return KS_OK;
    return ks_lose(d->losses, "config-key", place, "Keras 2 has no \"%.*s\"", (int)member->key.size, member->key.data);
}

/// As tf_keras writes it below a class of someone's own, and finds it in HDF5 files: by the name in custom objects, or
/// among the initializers that the class asks.
static ks_code put_bare(ks_value *out, ks__downgrade *d, ks_value name, ks_value config) {
    ks_code code;
    *out = ks_value_dict(d->arena, 2);
    KS_TRY(ks__downgrade_put(d, out, "class_name", name));
    KS_TRY(ks__downgrade_put(d, out, "config", config));
done:
    return code;
}

/// A record inside of a config, with its module as tf_keras since 2.13 writes it: Keras 3 finds no class without it.
/// Earlier versions do not look at it, and Keras 2.3 never had one.
static ks_code put_named(ks_value *out, ks__downgrade *d, const ks_value *record, ks_value name, ks_value config) {
    const ks_value *module = ks_value_get(record, "module"), *registered = ks_value_get(record, "registered_name");
    ks_code code;
    if (d->early)
        return put_bare(out, d, name, config);
    *out = ks_value_dict(d->arena, 4);
    if (module && module->type == KS_VALUE_STRING) {
        bool old = strncmp(module->text.data, "keras2.", 7) == 0; // of Keras 2 only
        const char *word = old ? ks_arena_format(d->arena, "keras.%s", module->text.data + 7) : module->text.data;
        if (!word)
            return d->context->error.code;
        KS_TRY(ks__downgrade_put(d, out, "module", ks_value_string(word)));
    }
    KS_TRY(ks__downgrade_put(d, out, "class_name", name));
    KS_TRY(ks__downgrade_put(d, out, "config", config));
    if (module && module->type == KS_VALUE_STRING)
        KS_TRY(ks__downgrade_put(d, out, "registered_name", registered ? *registered : ks_value_null()));
done:
    return code;
}

static ks_code downgrade_object(ks_value *out, ks__downgrade *d, const ks_value *record, const char *place) {
    const ks_value *name = ks_value_get(record, "class_name");
    const ks_value *from = ks_value_get(record, "config");
    ks_value config, word;
    ks_code code = KS_OK;
    if (from->type != KS_VALUE_DICT)
        return ks__no_word(d, place, "functions of one's own cannot be written");
    if (ks_value_is_text(name, "STFT") && !d->early) {
        *out = ks_value_null();
        return ks_lose(d->losses, "initializer", place, "Keras 2 has no initializer STFT");
    }
    config = ks_value_dict(d->arena, from->as.dict.count);
    for (size_t i = 0; i < from->as.dict.count; i++) {
        const ks_member *member = &from->as.dict.members[i];
        ks_value value;
        bool keep;
        KS_TRY(check_object_key(&keep, d, member, place));
        if (!keep || (d->alone && ks_text_is(member->key, "seed")))
            continue;
        KS_TRY(ks__downgrade_value(&value, d, &member->value, place));
        KS_TRY(ks__downgrade_put_text(d, &config, member->key, value));
    }
    if (d->alone && ks_value_get(from, "seed")) // the last one in tf_keras
        KS_TRY(ks__downgrade_put(d, &config, "seed", *ks_value_get(from, "seed")));
    if (d->alone && ks_value_is_text(name, "Identity") && !ks_value_get(&config, "gain"))
        KS_TRY(ks__downgrade_put(d, &config, "gain", ks_value_float(1)));
    word = *name;
    if (d->early)
        KS_TRY(ks__early_object(&word, &config, d, row_of(record)->kind, place));
    *out = word;
    if (word.type != KS_VALUE_NULL)
        code = d->kept > 0 ? put_bare(out, d, word, config) : put_named(out, d, record, word, config);
done:
    return code;
}

static ks_code downgrade_nested_layer(ks_value *out, ks__downgrade *d, const ks_value *record, const char *place) {
    ks_value bare;
    ks_code code = ks__downgrade_record(&bare, d, record, place);
    return code != KS_OK
               ? code
               : put_named(out, d, record, *ks_value_get(&bare, "class_name"), *ks_value_get(&bare, "config"));
}

// A record of a class of someone's own, with its parts in the words of Keras 2.
static ks_code downgrade_custom(ks_value *out, ks__downgrade *d, const ks_class *row, const ks_value *record,
                                const char *place) {
    ks_value name = ks_value_text(ks_registry_old_name(record)), config;
    ks_code code;
    d->kept++;
    code = ks__downgrade_value(&config, d, ks_value_get(record, "config"), place);
    d->kept--;
    if (code != KS_OK)
        return code;
    return row->kind == KS_KIND_LAYER && d->kept > 0 ? put_named(out, d, record, name, config)
                                                     : put_bare(out, d, name, config);
}

static ks_code downgrade_nested(ks_value *out, ks__downgrade *d, const ks_value *record, const char *place) {
    const ks_value *name = ks_value_get(record, "class_name");
    const ks_class *row = ks__downgrade_row(d, record);
    const ks_value *inner = ks_value_get(ks_value_get(record, "config"), "value");
    if (ks_value_is_text(name, "function") && ks_value_get(record, "config")->type == KS_VALUE_STRING) {
        *out = ks_value_text(ks_registry_old_name(record));
        return KS_OK;
    }
    if ((ks_value_is_text(name, "__numpy__") || ks_value_is_text(name, "__tensor__")) && inner) {
        *out = *inner;
        return KS_OK;
    }
    if (row && (row->kind == KS_KIND_LAYER || row->kind == KS_KIND_MODEL) &&
        ks__downgrade_name(d, record, KS__NAME_OF_PART, place) != KS_OK)
        return d->context->error.code;
    if (row && (row->kind == KS_KIND_LAYER || row->kind == KS_KIND_MODEL))
        return row->custom ? downgrade_custom(out, d, row, record, place)
                           : downgrade_nested_layer(out, d, record, place);
    if (row && row->custom)
        return downgrade_custom(out, d, row, record, place);
    if (ks_value_is_text(name, "DTypePolicy") || (row && row->kind == KS_KIND_POLICY))
        return downgrade_policy(out, d, record, place);
    if (row &&
        (row->kind == KS_KIND_INITIALIZER || row->kind == KS_KIND_REGULARIZER || row->kind == KS_KIND_CONSTRAINT))
        return downgrade_object(out, d, record, place);
    return ks__no_word(d, place, "an object of class %.60s has no place in a config of Keras 2", name->text.data);
}

static ks_code downgrade_items(ks_value *out, ks__downgrade *d, const ks_value *value, const char *place) {
    ks_code code = KS_OK;
    if (value->type == KS_VALUE_LIST) {
        *out = ks_value_list(d->arena, value->as.list.count);
        for (size_t i = 0; code == KS_OK && i < out->as.list.count; i++)
            code = ks__downgrade_value(&out->as.list.items[i], d, &value->as.list.items[i], place);
    } else {
        *out = ks_value_dict(d->arena, value->as.dict.count);
        for (size_t i = 0; code == KS_OK && i < value->as.dict.count; i++) {
            ks_value *item = ks_value_put_text(out, value->as.dict.members[i].key);
            code = item ? ks__downgrade_value(item, d, &value->as.dict.members[i].value, place) : KS_OK;
        }
    }
    return code != KS_OK ? code : d->context->error.code;
}

ks_code ks__downgrade_value(ks_value *out, ks__downgrade *d, const ks_value *value, const char *place) {
    ks_code code;
    if (++d->depth > MAX_VALUE_DEPTH + (int)d->context->limits.model_depth)
        code = ks_fail(d->context, KS_E_OVER_DEPTH, KS_STAGE_SAVE, KS_NO_OFFSET, place, "values are nested too deep");
    else if (is_record(value))
        code = downgrade_nested(out, d, value, place);
    else if (value->type == KS_VALUE_LIST || value->type == KS_VALUE_DICT)
        code = downgrade_items(out, d, value, place);
    else {
        *out = *value;
        code = KS_OK;
    }
    d->depth--;
    return code;
}

// --- functions of activation ----------------------------------------------------------------------------------------

static ks_code downgrade_activation(ks_value *out, ks__downgrade *d, const ks_value *value, const char *place) {
    // hard_sigmoid is another function in Keras 2: the one that has a name of its own here.
    static const char *const table[][2] = {
        {"elu", "elu"},
        {"exponential", "exponential"},
        {"gelu", "gelu"},
        {"linear", "linear"},
        {"leaky_relu", "leaky_relu"},
        {"log_softmax", "log_softmax"},
        {"mish", "mish"},
        {"relu", "relu"},
        {"relu6", "relu6"},
        {"selu", "selu"},
        {"sigmoid", "sigmoid"},
        {"silu", "swish"},
        {"softmax", "softmax"},
        {"softplus", "softplus"},
        {"softsign", "softsign"},
        {"swish", "swish"},
        {"tanh", "tanh"},
        {"keras2.hard_sigmoid", "hard_sigmoid"},
    };
    if (value->type == KS_VALUE_DICT && d->early && ks__downgrade_row(d, value) &&
        ks__downgrade_row(d, value)->kind == KS_KIND_LAYER)
        return ks__no_word(d, place, "Keras 2.3 takes no layer as an activation");
    if (value->type != KS_VALUE_STRING)
        return ks__downgrade_value(out, d, value, place);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (ks_value_is_text(value, table[i][0])) {
            *out = ks_value_string(table[i][1]);
            return d->early ? ks__early_activation(out, d, place) : KS_OK;
        }
    }
    return ks__no_word(d, place, "Keras 2 has no activation function \"%.60s\" that computes the same",
                       value->text.data);
}

// --- keys -----------------------------------------------------------------------------------------------------------

typedef enum key_fate {
    DROP,   ///< says nothing in Keras 2
    LOSE,   ///< dropped while it has its default; else a loss: inference is the same without it
    REFUSE, ///< dropped while it has its default; else there is no word
    KEEP,   ///< dropped while it has its default; else written: tf_keras takes it, and does not write it itself
    RENAME
} key_fate;

/// What becomes of a key of Keras 3 that Keras 2 does not write. Class "*": any class.
typedef struct new_key {
    const char *class_name;
    const char *key;
    key_fate fate;
    const char *text; ///< default as JSON, or the new name
} new_key;

static const new_key new_keys[] = {
    {"*", "quantization_config", REFUSE, "null"},
    {"InputLayer", "batch_shape", RENAME, "batch_input_shape"},
    {"InputLayer", "optional", KEEP, "false"},
    {"LeakyReLU", "negative_slope", RENAME, "alpha"},
    {"BatchNormalization", "renorm", KEEP, "false"},
    {"BatchNormalization", "renorm_momentum", KEEP, "0.99"},
    {"BatchNormalization", "renorm_clipping", KEEP, "null"},
    {"BatchNormalization", "synchronized", LOSE, "false"},
    {"LayerNormalization", "rms_scaling", REFUSE, "false"},
    {"MultiHeadAttention", "sliding_window", REFUSE, "null"},
    {"MultiHeadAttention", "use_gate", REFUSE, "false"},
    {"MultiHeadAttention", "seed", LOSE, "null"},
    {"Attention", "seed", LOSE, "null"},
    {"AdditiveAttention", "seed", LOSE, "null"},
    {"AlphaDropout", "noise_shape", KEEP, "null"},
    {"ZeroPadding1D", "data_format", REFUSE, "\"channels_last\""},
    {"Conv3DTranspose", "dilation_rate", REFUSE, "[1, 1, 1]"},
    {"RNN", "zero_output_for_mask", KEEP, "false"},
    {"SimpleRNN", "zero_output_for_mask", KEEP, "false"},
    {"LSTM", "zero_output_for_mask", KEEP, "false"},
    {"GRU", "zero_output_for_mask", KEEP, "false"},
    {"ConvLSTM1D", "zero_output_for_mask", KEEP, "false"},
    {"ConvLSTM2D", "zero_output_for_mask", KEEP, "false"},
    {"ConvLSTM3D", "zero_output_for_mask", KEEP, "false"},
    {"SimpleRNN", "seed", LOSE, "null"},
    {"LSTM", "seed", LOSE, "null"},
    {"GRU", "seed", LOSE, "null"},
    {"ConvLSTM1D", "seed", LOSE, "null"},
    {"ConvLSTM2D", "seed", LOSE, "null"},
    {"ConvLSTM3D", "seed", LOSE, "null"},
    {"SimpleRNNCell", "seed", LOSE, "null"},
    {"LSTMCell", "seed", LOSE, "null"},
    {"GRUCell", "seed", LOSE, "null"},
    // Keras 2 takes the layout of images from its settings, where it is channels_last.
    {"CenterCrop", "data_format", REFUSE, "\"channels_last\""},
    {"Resizing", "data_format", REFUSE, "\"channels_last\""},
    {"Resizing", "pad_to_aspect_ratio", REFUSE, "false"},
    {"Resizing", "fill_mode", DROP, NULL},  // of pad_to_aspect_ratio
    {"Resizing", "fill_value", DROP, NULL}, // of pad_to_aspect_ratio
    {"Resizing", "antialias", REFUSE, "false"},
    {"RandomFlip", "data_format", REFUSE, "\"channels_last\""},
    {"RandomCrop", "data_format", REFUSE, "\"channels_last\""},
    {"RandomRotation", "data_format", REFUSE, "\"channels_last\""},
    {"RandomZoom", "data_format", REFUSE, "\"channels_last\""},
    {"RandomTranslation", "data_format", REFUSE, "\"channels_last\""},
    {"RandomContrast", "data_format", REFUSE, "\"channels_last\""},
    {"RandomBrightness", "data_format", REFUSE, "\"channels_last\""},
    {"Layer", "activity_regularizer", KEEP, "null"},
    {"Layer", "autocast", KEEP, "true"},
    {"SpatialDropout2D", "data_format", KEEP, "\"channels_last\""},
    {"SpatialDropout3D", "data_format", KEEP, "\"channels_last\""},
    {"RandomContrast", "value_range", LOSE, "[0, 255]"},
    {"IntegerLookup", "oov_method", REFUSE, "\"floormod\""},
    {"IntegerLookup", "salt", REFUSE, "null"},
    {"StringLookup", "oov_method", REFUSE, "\"floormod\""},
    {"StringLookup", "salt", REFUSE, "null"},
};

static const char *const unknown_classes[] = {
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",     "AdaptiveMaxPooling3D",     "GroupQueryAttention",      "RMSNormalization",
};

/// What Keras 2 calls it: a class of Keras 2 may have another name here.
static const char *name_in_keras2(const ks_class *row) {
    return ks_class_is_old(row) ? ks_class_python_name(row) : row->name;
}

static const new_key *find_new_key(const char *class_name, ks_text key) {
    for (size_t i = 0; i < sizeof new_keys / sizeof new_keys[0]; i++)
        if (ks_text_is(key, new_keys[i].key) &&
            (new_keys[i].class_name[0] == '*' || strcmp(new_keys[i].class_name, class_name) == 0))
            return &new_keys[i];
    return NULL;
}

static ks_key_type type_of_key(const ks_class *row, ks_text key) {
    for (size_t i = 0; i < row->n_keys; i++)
        if (ks_text_is(key, row->keys[i].name))
            return row->keys[i].type;
    return KS_KEY_ANY;
}

/// `*word` is the key to write, without data when there is none.
static ks_code fate_of_key(ks_text *word, ks__downgrade *d, const ks_class *row, const ks_member *member,
                           const char *place) {
    const new_key *rule = find_new_key(name_in_keras2(row), member->key);
    *word = member->key;
    if (!rule)
        return KS_OK;
    if (rule->fate == RENAME) {
        *word = ks_text_from(rule->text);
        return KS_OK;
    }
    bool common = rule->text && ks__prints_as(d, &member->value, rule->text);
    if (d->context->error.code != KS_OK)
        return d->context->error.code;
    if (rule->fate == KEEP && !common)
        return KS_OK;
    *word = (ks_text){NULL, 0};
    if (rule->fate == DROP || common)
        return KS_OK;
    if (rule->fate == LOSE)
        return ks_lose(d->losses, "config-key", place, "%s of Keras 2 has no \"%s\"", row->name, rule->key);
    return ks__no_word(d, place, "%s of Keras 2 has no \"%s\"", row->name, rule->key);
}

static ks_code downgrade_keys(ks_value *out, ks__downgrade *d, const ks_class *row, const ks_value *config,
                              const char *place) {
    ks_code code = KS_OK;
    *out = ks_value_dict(d->arena, config->as.dict.count + 4); // room for what a class adds
    for (size_t i = 0; i < config->as.dict.count; i++) {
        const ks_member *member = &config->as.dict.members[i];
        const char *inner = ks__below(d, place, member->key);
        ks_text word;
        ks_value value;
        if (!inner)
            return d->context->error.code;
        KS_TRY(fate_of_key(&word, d, row, member, inner));
        if (!word.data)
            continue;
        if (type_of_key(row, member->key) == KS_KEY_ACTIVATION)
            KS_TRY(downgrade_activation(&value, d, &member->value, inner));
        else
            KS_TRY(ks__downgrade_value(&value, d, &member->value, inner));
        KS_TRY(ks__downgrade_put_text(d, out, word, value));
    }
done:
    return code;
}

// --- classes with more to do ----------------------------------------------------------------------------------------

/// Keras 2 takes boundaries or a number of bins.
static ks_code finish_discretization(ks__downgrade *d, ks_value *config, const char *place) {
    const ks_value *boundaries = ks_value_get(config, "bin_boundaries");
    if (!boundaries || boundaries->type == KS_VALUE_NULL)
        return KS_OK;
    for (size_t i = 0; i < config->as.dict.count; i++) {
        ks_member *member = &config->as.dict.members[i];
        if (!ks_text_is(member->key, "num_bins") || member->value.type == KS_VALUE_NULL)
            continue;
        member->value = ks_value_null();
        return ks_lose(d->losses, "config-key", place,
                       "a Discretization layer of Keras 2 with boundaries has no \"num_bins\"");
    }
    return KS_OK;
}

/// The dtype of Keras 2 is that of the indices, of TextVectorization that of the texts.
static void finish_lookup(const ks_class *row, ks_value *config) {
    ks_value *dtype = (ks_value *)(uintptr_t)ks_value_get(config, "dtype"); // the config is being made here
    const ks_value *mode = ks_value_get(config, "output_mode");
    if (!dtype || !ks_value_is_text(dtype, "float32"))
        return;
    if (row == &ks_class_TextVectorization)
        *dtype = ks_value_string("string");
    else if (mode && ks_value_is_text(mode, "int"))
        *dtype = ks_value_string("int64");
}

/// Widths 1 to n are the number n; Keras 2 does not read a list of them back, not even its own.
static ks_code finish_ngrams(ks__downgrade *d, ks_value *config, const char *place) {
    ks_value *widths = (ks_value *)(uintptr_t)ks_value_get(config, "ngrams"); // the config is being made here
    bool all = true;
    if (!widths || widths->type != KS_VALUE_LIST)
        return KS_OK;
    for (size_t i = 0; i < widths->as.list.count; i++)
        all = all && widths->as.list.items[i].as.integer == (int64_t)i + 1;
    if (!all)
        return ks__no_word(d, place, "Keras 2 does not read a TextVectorization with a list of ngrams");
    *widths = ks_value_int((int64_t)widths->as.list.count);
    return KS_OK;
}

/// tf_keras takes these three out of the config without asking whether they are there; null: the calls tell.
static ks_code finish_class(ks__downgrade *d, const ks_class *row, ks_value *config, const char *place) {
    static const char *const keys[] = {"query_shape", "key_shape", "value_shape"};
    ks_code code = KS_OK;
    if (strcmp(row->name, "Discretization") == 0)
        return finish_discretization(d, config, place);
    if (row == &ks_class_StringLookup || row == &ks_class_IntegerLookup || row == &ks_class_TextVectorization)
        finish_lookup(row, config);
    if (row == &ks_class_TextVectorization)
        KS_TRY(finish_ngrams(d, config, place));
    for (size_t i = 0; i < 3 && strcmp(row->name, "MultiHeadAttention") == 0; i++)
        KS_TRY(ks__downgrade_put(d, config, keys[i], ks_value_null()));
done:
    return code;
}

// --- records --------------------------------------------------------------------------------------------------------

static bool is_dict_or_several(const ks_value *outputs) {
    const ks_value *first =
        outputs && outputs->type == KS_VALUE_LIST && outputs->as.list.count ? &outputs->as.list.items[0] : NULL;
    if (!outputs || outputs->type == KS_VALUE_DICT)
        return outputs != NULL;
    return first && first->type != KS_VALUE_STRING && (outputs->as.list.count > 1 || is_dict_or_several(first));
}

static bool is_true(const ks_value *value) {
    return value && value->type == KS_VALUE_BOOL && value->as.boolean;
}

/// Whether a call gives more than one tensor: states beside a result, two directions, a model's outputs.
static bool gives_several(const ks__downgrade *d, const ks_value *record) {
    const ks_class *row = is_record(record) ? ks__downgrade_row(d, record) : NULL;
    const ks_value *config = ks_value_get(record, "config");
    const ks_value *layers = ks_value_get(config, "layers"), *merge = ks_value_get(config, "merge_mode");
    if (row == &ks_class_Functional)
        return is_dict_or_several(ks_value_get(config, "output_layers"));
    if (row == &ks_class_Sequential)
        return layers && layers->type == KS_VALUE_LIST && layers->as.list.count &&
               gives_several(d, &layers->as.list.items[layers->as.list.count - 1]);
    if (row && strcmp(row->name, "Bidirectional") == 0)
        return (merge && merge->type == KS_VALUE_NULL) ||
               is_true(ks_value_get(ks_value_get(ks_value_get(config, "layer"), "config"), "return_state"));
    return row && is_true(ks_value_get(config, "return_state"));
}

static ks_code downgrade_sequential(ks_value *out, ks__downgrade *d, const ks_value *config, const char *place) {
    const ks_value *layers = ks_value_get(config, "layers");
    const ks_value *build = ks_value_get(config, "build_input_shape");
    const ks_value *name = ks_value_get(config, "name");
    ks_value list = ks_value_list(d->arena, layers ? layers->as.list.count : 0);
    bool input = false;
    ks_code code;
    for (size_t i = 0; i < list.as.list.count; i++) {
        const ks_value *record = &layers->as.list.items[i];
        const char *inner = ks_arena_format(d->arena, "%s/layers/%zu", place, i);
        if (!inner)
            return d->context->error.code;
        bool is_input = ks_value_is_text(ks_value_get(record, "class_name"), "InputLayer");
        if (gives_several(d, record))
            return ks__no_word(d, inner, "in Keras 2 each layer of a Sequential model gives one tensor");
        if (!is_input) // which Keras 2.3 does not write
            KS_TRY(ks__downgrade_name(d, record, KS__NAME_OF_LAYER, inner));
        KS_TRY(ks__downgrade_record(&list.as.list.items[i], d, record, inner));
        input = input || is_input;
    }
    if (d->early)
        KS_TRY(ks__early_sequential(&list, d));
    *out = ks_value_dict(d->arena, 4);
    KS_TRY(ks__downgrade_put(d, out, "name", name ? *name : ks_value_string("sequential")));
    KS_TRY(ks__downgrade_put(d, out, "layers", list));
    if (!input && build)
        KS_TRY(ks__downgrade_put(d, out, "build_input_shape", *build));
done:
    return code;
}

/// Keras 2 writes models that are no graphs in other formats only.
static ks_code check_root(ks__downgrade *d, const ks_value *record, const char *place) {
    const ks_class *row = is_record(record) ? ks__downgrade_row(d, record) : NULL;
    return row && row->custom && row->custom->kind == KS_PLUGIN_MODEL
               ? ks__no_word(d, place, "Keras 2 saves no subclassed model in this form")
               : KS_OK;
}

static ks_code downgrade_layer(ks_value *out, ks__downgrade *d, const ks_class *row, const ks_value *record,
                               const char *place) {
    for (size_t i = 0; i < sizeof unknown_classes / sizeof unknown_classes[0]; i++)
        if (strcmp(unknown_classes[i], row->name) == 0)
            return ks__no_word(d, place, "Keras 2 has no layer %s", row->name);
    if (strncmp(row->module, "keras1.", 7) == 0)
        return ks__no_word(d, place, "Keras 2 has no layer %s; it was one of Keras 1", row->name);
    ks_code code;
    d->kept += row->custom != NULL;
    code = downgrade_keys(out, d, row, ks_value_get(record, "config"), place);
    d->kept -= row->custom != NULL;
    if (code != KS_OK)
        return code;
    if (d->early && !row->custom)
        return ks__early_layer(out, d, name_in_keras2(row), place);
    KS_TRY(finish_class(d, row, out, place));
    if (d->alone)
        KS_TRY(
            ks__downgrade_order(out, d, name_in_keras2(row), ks_value_get(ks_value_get(record, "original"), "config")));
done:
    return code;
}

static const char *class_word(const ks__downgrade *d, const ks_class *row) {
    return d->early && row == &ks_class_Functional ? "Model" : name_in_keras2(row);
}

ks_code ks__downgrade_record(ks_value *out, ks__downgrade *d, const ks_value *record, const char *place) {
    const ks_class *row = is_record(record) ? ks__downgrade_row(d, record) : NULL;
    const char *inner = ks__below(d, place, ks_text_from("config"));
    ks_value config;
    ks_code code;
    if (!inner)
        return d->context->error.code;
    if (!row || (row->kind != KS_KIND_LAYER && row->kind != KS_KIND_MODEL))
        return ks__no_word(d, place, "this class cannot be written in the words of Keras 2");
    if (++d->depth > (int)d->context->limits.model_depth)
        return ks_fail(d->context, KS_E_CONFIG_DEPTH, KS_STAGE_SAVE, KS_NO_OFFSET, place,
                       "objects are nested more than %d deep", (int)d->context->limits.model_depth);
    if (row == &ks_class_Functional)
        KS_TRY(ks__downgrade_functional(&config, d, ks_value_get(record, "config"), inner));
    else if (row == &ks_class_Sequential)
        KS_TRY(downgrade_sequential(&config, d, ks_value_get(record, "config"), inner));
    else
        KS_TRY(downgrade_layer(&config, d, row, record, inner));
    *out = ks_value_dict(d->arena, 4); // room for "name" and "inbound_nodes" in a graph
    KS_TRY(ks__downgrade_put(d, out, "class_name",
                             row->custom ? ks_value_text(ks_registry_old_name(record))
                                         : ks_value_string(class_word(d, row))));
    KS_TRY(ks__downgrade_put(d, out, "config", config));
done:
    d->depth--;
    return code;
}

ks_code ks__downgrade_model(ks_value *out, ks__downgrade *d, const ks_value *record, const char *document) {
    const char *place = ks_arena_format(d->arena, "%s:", document);
    ks_code code;
    if (!place)
        return d->context->error.code;
    KS_TRY(check_root(d, record, place));
    KS_TRY(ks__downgrade_name(d, record, KS__NAME_OF_MODEL, place));
    code = ks__downgrade_record(out, d, record, place);
done:
    return code;
}

ks_code ks_config_downgrade(ks_value *out, ks_arena *arena, const ks_value *record, ks_losses *losses,
                            const char *document, const struct ks_registry *registry) {
    ks__downgrade d = {.context = losses->context, .arena = arena, .losses = losses, .registry = registry};
    return ks__downgrade_model(out, &d, record, document);
}

// --- single objects -------------------------------------------------------------------------------------------------

/// The outermost record of tf_keras has no module.
static ks_code bare(ks__downgrade *d, ks_value *record) {
    const ks_value named = *record;
    ks_code code;
    *record = ks_value_dict(d->arena, 2);
    KS_TRY(ks__downgrade_put(d, record, "class_name", *ks_value_get(&named, "class_name")));
    KS_TRY(ks__downgrade_put(d, record, "config", *ks_value_get(&named, "config")));
done:
    return code;
}

/// A policy alone is a record, whatever its name.
static ks_code downgrade_lone_policy(ks_value *out, ks__downgrade *d, const ks_value *record, const char *place) {
    ks_code code;
    KS_TRY(downgrade_policy(out, d, record, place));
    if (out->type == KS_VALUE_STRING) {
        ks_value config = ks_value_dict(d->arena, 1);
        KS_TRY(ks__downgrade_put(d, &config, "name", *out));
        *out = ks_value_dict(d->arena, 2);
        KS_TRY(ks__downgrade_put(d, out, "class_name", ks_value_string("Policy")));
        KS_TRY(ks__downgrade_put(d, out, "config", config));
    }
done:
    return code;
}

ks_code ks_config_downgrade_object(ks_value *out, ks_arena *arena, const ks_value *record, ks_kind kind,
                                   ks_losses *losses, const char *document, const struct ks_registry *registry) {
    ks__downgrade d = {
        .context = losses->context, .arena = arena, .losses = losses, .registry = registry, .alone = true};
    const char *place = ks_arena_format(arena, "%s:", document);
    ks_code code;
    if (!place)
        return losses->context->error.code;
    if (kind == KS_KIND_POLICY)
        return downgrade_lone_policy(out, &d, record, place);
    if (kind != KS_KIND_INITIALIZER && kind != KS_KIND_REGULARIZER && kind != KS_KIND_CONSTRAINT)
        return ks__downgrade_record(out, &d, record, place);
    KS_TRY(downgrade_object(out, &d, record, place));
    if (out->type == KS_VALUE_DICT)
        KS_TRY(bare(&d, out));
done:
    return code;
}
