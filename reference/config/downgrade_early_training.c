// SPDX-License-Identifier: Apache-2.0
//
// training_config from the words of tf_keras to those of Keras 2.3: {"optimizer_config", "loss", "metrics",
// "weighted_metrics", "sample_weight_mode", "loss_weights"}. Metrics are names there; objects it reads of losses only.
// Only what computes the same: RMSprop and Adagrad add their epsilon elsewhere, hinges do not take labels of 0 and 1,
// and "clipnorm" is the norm of all gradients together. Source: Keras 2.3.1 optimizers.py, losses.py, metrics.py,
// engine/saving.py.
#include <string.h>

#include "config/training_internal.h"
#include "config/word_list.h"

// --- optimizers -----------------------------------------------------------------------------------------------------

/// KEY; KEY=DEFAULT: Keras 2.3 has no such key; KEY>OTHER: it has another name; KEY-: it says nothing there.
#define COMMON                                                                                                         \
    "name- weight_decay=null clipnorm=null global_clipnorm>clipnorm clipvalue use_ema=false ema_momentum- "            \
    "ema_overwrite_frequency- jit_compile- is_legacy_optimizer- learning_rate "

static const struct {
    const char *class_name, *keys, *extra; ///< `extra`: a number that Keras 2.3 has besides
    double number;
} optimizers[] = {
    {"Adadelta", COMMON "rho epsilon", "decay", 0},
    {"Adam", COMMON "beta_1 beta_2 epsilon amsgrad", "decay", 0},
    {"Adamax", COMMON "beta_1 beta_2 epsilon", "decay", 0},
    {"Nadam", COMMON "beta_1 beta_2 epsilon", "schedule_decay", 0.004},
    {"SGD", COMMON "momentum nesterov", "decay", 0},
};

static bool is_default(const ks_value *value, ks_text rule) {
    if (value->type == KS_VALUE_NULL)
        return rule.size == 5 && memcmp(rule.data, "=null", 5) == 0;
    return value->type == KS_VALUE_BOOL && !value->as.boolean && rule.size == 6 && memcmp(rule.data, "=false", 6) == 0;
}

static ks_code optimizer_key(ks_value *out, ks_training *t, const ks_member *member, const char *keys) {
    const char *place = "compile_config:/optimizer";
    ks_text rule;
    bool known = ks__find_word(&rule, keys, member->key);
    char sign = rule.size ? rule.data[0] : ' ';
    ks_value none;
    if (sign == '-' || is_default(&member->value, rule))
        return KS_OK;
    if (!known || sign == '=' || ks__training_is_record(&member->value))
        return ks__training_lose(&none, t, place, "optimizers of Keras 2.3 have no \"%.60s\" of this kind",
                                 member->key.data);
    if (member->value.type == KS_VALUE_NULL)
        return KS_OK; // clipping that is not asked for is not written
    return ks__training_put(t, out, sign == '>' ? "clipnorm" : member->key.data, member->value);
}

static ks_code early_optimizer(ks_value *out, ks_training *t, const ks_value *record) {
    const ks_value *name = ks_value_get(record, "class_name"), *from = ks_value_get(record, "config");
    bool known = name && name->type == KS_VALUE_STRING && strncmp(name->text.data, "Custom>", 7) == 0;
    ks_value config;
    ks_code code = KS_OK;
    if (record->type == KS_VALUE_NULL || ks__training_custom(t, record))
        return KS_OK;
    for (size_t i = 0; known && i < sizeof optimizers / sizeof optimizers[0]; i++) {
        if (strcmp(optimizers[i].class_name, name->text.data + 7) != 0)
            continue;
        config = ks_value_dict(t->arena, from->as.dict.count + 1);
        for (size_t k = 0; k < from->as.dict.count; k++)
            KS_TRY(optimizer_key(&config, t, &from->as.dict.members[k], optimizers[i].keys));
        KS_TRY(ks__training_put(t, &config, optimizers[i].extra, ks_value_float(optimizers[i].number)));
        *out = ks_value_dict(t->arena, 2);
        KS_TRY(ks__training_put(t, out, "class_name", ks_value_string(optimizers[i].class_name)));
        return ks__training_put(t, out, "config", config);
    }
    return ks__training_lose(out, t, "compile_config:/optimizer", "Keras 2.3 has no optimizer like %.60s",
                             known ? name->text.data + 7 : "this");
done:
    return code;
}

// --- losses and metrics ---------------------------------------------------------------------------------------------

static const char *const functions[][2] = {
    {"binary_crossentropy", "binary_crossentropy"},
    {"categorical_crossentropy", "categorical_crossentropy"},
    {"categorical_hinge", "categorical_hinge"},
    {"kl_divergence", "kullback_leibler_divergence"},
    {"kullback_leibler_divergence", "kullback_leibler_divergence"},
    {"log_cosh", "logcosh"},
    {"logcosh", "logcosh"},
    {"mae", "mean_absolute_error"},
    {"mape", "mean_absolute_percentage_error"},
    {"mean_absolute_error", "mean_absolute_error"},
    {"mean_absolute_percentage_error", "mean_absolute_percentage_error"},
    {"mean_squared_error", "mean_squared_error"},
    {"mean_squared_logarithmic_error", "mean_squared_logarithmic_error"},
    {"mse", "mean_squared_error"},
    {"msle", "mean_squared_logarithmic_error"},
    {"poisson", "poisson"},
    {"sparse_categorical_crossentropy", "sparse_categorical_crossentropy"},
};

static const char *const metrics[] = {"acc",
                                      "accuracy",
                                      "binary_accuracy",
                                      "categorical_accuracy",
                                      "sparse_categorical_accuracy",
                                      "sparse_top_k_categorical_accuracy",
                                      "top_k_categorical_accuracy"};

static const struct {
    const char *class_name, *keys;
} losses[] = {
    {"BinaryCrossentropy", "reduction name from_logits label_smoothing"},
    {"CategoricalCrossentropy", "reduction name from_logits label_smoothing"},
    {"CategoricalHinge", "reduction name"},
    {"Huber", "reduction name delta"},
    {"KLDivergence", "reduction name"},
    {"LogCosh", "reduction name"},
    {"MeanAbsoluteError", "reduction name"},
    {"MeanAbsolutePercentageError", "reduction name"},
    {"MeanSquaredError", "reduction name"},
    {"MeanSquaredLogarithmicError", "reduction name"},
    {"Poisson", "reduction name"},
    {"SparseCategoricalCrossentropy", "reduction name from_logits"},
};

static const char *function_word(const ks_value *name) {
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (ks_value_is_text(name, functions[i][0]))
            return functions[i][1];
    return NULL;
}

/// The last axis, and no class that is ignored: so does Keras 2.3.
static bool says_nothing(const ks_member *member) {
    bool last = member->value.type == KS_VALUE_INT && member->value.as.integer == -1;
    return (ks_text_is(member->key, "axis") && last) ||
           (ks_text_is(member->key, "ignore_class") && member->value.type == KS_VALUE_NULL);
}

static ks_code early_loss(ks_value *out, ks_training *t, const ks_value *record, const char *place) {
    const ks_value *name = ks_value_get(record, "class_name"), *from = ks_value_get(record, "config");
    const char *keys = NULL;
    ks_value config, none;
    ks_code code = KS_OK;
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
        if (ks_value_is_text(name, losses[i].class_name))
            keys = losses[i].keys;
    if (!keys)
        return ks__training_lose(out, t, place, "Keras 2.3 has no loss %.60s that computes the same", name->text.data);
    config = ks_value_dict(t->arena, from->as.dict.count);
    for (size_t i = 0; i < from->as.dict.count; i++) {
        const ks_member *member = &from->as.dict.members[i];
        ks_text rest;
        if (ks__find_word(&rest, keys, member->key))
            KS_TRY(ks__training_put(t, &config, member->key.data, member->value));
        else if (!says_nothing(member))
            KS_TRY(ks__training_lose(&none, t, place, "%.60s of Keras 2.3 has no \"%.60s\"", name->text.data,
                                     member->key.data));
    }
    *out = ks_value_dict(t->arena, 2);
    KS_TRY(ks__training_put(t, out, "class_name", *name));
    KS_TRY(ks__training_put(t, out, "config", config));
done:
    return code;
}

static ks_code early_object(ks_value *out, ks_training *t, const ks_value *value, ks_kind kind, const char *place) {
    const char *word = value->type == KS_VALUE_STRING ? function_word(value) : NULL;
    *out = *value;
    if (word)
        *out = ks_value_string(word);
    if (word || ks__training_custom(t, value))
        return KS_OK;
    if (value->type != KS_VALUE_STRING)
        return kind == KS_KIND_LOSS
                   ? early_loss(out, t, value, place)
                   : ks__training_lose(out, t, place, "Keras 2.3 reads no objects as metrics, here %.60s",
                                       ks_value_get(value, "class_name")->text.data);
    for (size_t i = 0; kind == KS_KIND_METRIC && i < sizeof metrics / sizeof metrics[0]; i++)
        if (ks_value_is_text(value, metrics[i]))
            return KS_OK;
    return ks__training_lose(out, t, place, "Keras 2.3 has no %s \"%.60s\" that computes the same", ks_kind_name(kind),
                             value->text.data);
}

// --- all ------------------------------------------------------------------------------------------------------------

ks_code ks_training_downgrade_early(ks_value *config, ks_training *t) {
    const ks_value *weights = ks_value_get(config, "loss_weights");
    ks_value out = ks_value_dict(t->arena, 6), rule = *ks_value_get(config, "optimizer_config"), value;
    ks_code code;
    KS_TRY(early_optimizer(&rule, t, ks_value_get(config, "optimizer_config")));
    KS_TRY(ks__training_put(t, &out, "optimizer_config", rule));
    KS_TRY(ks__training_nested(&value, t, ks_value_get(config, "loss"), KS_KIND_LOSS, early_object,
                               "compile_config:/loss"));
    KS_TRY(ks__training_put(t, &out, "loss", value));
    KS_TRY(ks__training_nested(&value, t, ks_value_get(config, "metrics"), KS_KIND_METRIC, early_object,
                               "compile_config:/metrics"));
    KS_TRY(ks__training_put(t, &out, "metrics", value));
    KS_TRY(ks__training_nested(&value, t, ks_value_get(config, "weighted_metrics"), KS_KIND_METRIC, early_object,
                               "compile_config:/weighted_metrics"));
    KS_TRY(ks__training_put(t, &out, "weighted_metrics", value));
    KS_TRY(ks__training_put(t, &out, "sample_weight_mode", ks_value_null()));
    KS_TRY(ks__training_put(t, &out, "loss_weights", weights ? *weights : ks_value_null()));
    *config = out;
done:
    return code;
}
