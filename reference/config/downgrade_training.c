// SPDX-License-Identifier: Apache-2.0
//
// From compile_config to training_config, as tf_keras 2.21 writes it: {"loss", "metrics", "weighted_metrics",
// "loss_weights", "optimizer_config": {"class_name": "Custom>Adam", "config"}}, and behind these the keys that Keras
// 3's own writer of this form adds ("run_eagerly", "steps_per_execution", "jit_compile"), which tf_keras passes over.
// Losses and metrics have the keys that both take, so that both compile the model: not the "fn" of tf_keras, and not
// what Keras 3 does not write (Huber's "delta"; a file means the default, which tf_keras fills in). Single objects have
// these too, as tf_keras itself writes them.
// Source: tf_keras saving/legacy/saving_utils.py, losses.py, metrics/base_metric.py, optimizers/optimizer.py.
#include <stdio.h>
#include <string.h>

#include "config/registry.h"
#include "config/training_internal.h"

// --- losses ---------------------------------------------------------------------------------------------------------

static const struct {
    const char *class_name;
    const char *function;
} loss_classes[] = {
    {"BinaryCrossentropy", "binary_crossentropy"},
    {"BinaryFocalCrossentropy", "binary_focal_crossentropy"},
    {"CategoricalCrossentropy", "categorical_crossentropy"},
    {"CategoricalFocalCrossentropy", "categorical_focal_crossentropy"},
    {"CategoricalHinge", "categorical_hinge"},
    {"CosineSimilarity", "cosine_similarity"},
    {"Hinge", "hinge"},
    {"Huber", "huber"},
    {"KLDivergence", "kl_divergence"},
    {"LogCosh", "log_cosh"},
    {"MeanAbsoluteError", "mean_absolute_error"},
    {"MeanAbsolutePercentageError", "mean_absolute_percentage_error"},
    {"MeanSquaredError", "mean_squared_error"},
    {"MeanSquaredLogarithmicError", "mean_squared_logarithmic_error"},
    {"Poisson", "poisson"},
    {"SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"},
    {"SquaredHinge", "squared_hinge"},
};

const char *ks__loss_function(ks_text class_name) {
    for (size_t i = 0; i < sizeof loss_classes / sizeof loss_classes[0]; i++)
        if (ks_text_is(class_name, loss_classes[i].class_name))
            return loss_classes[i].function;
    return NULL;
}

/// Written as it is: tf_keras takes "sum_over_batch_size" as well as its own default "auto", Keras 3 does not take that
/// one.
static ks_code put_reduction(ks_value *config, ks_training *t, const ks_value *reduction, const char *place) {
    static const char *const both[] = {"sum_over_batch_size", "sum", "none"};
    ks_value word = ks_value_string("none");
    bool known = !reduction || reduction->type == KS_VALUE_NULL;
    for (size_t i = 0; i < 3 && !known; i++)
        if (ks_value_is_text(reduction, both[i])) {
            known = true;
            word = *reduction;
        }
    if (t->alone && ks_value_is_text(&word, "sum_over_batch_size"))
        word = ks_value_string("auto"); // the default of both, which is the same
    if (!known)
        return ks__training_lose(&word, t, place, "Keras 2 has no reduction \"%.40s\"", reduction->text.data);
    return ks__training_put(t, config, "reduction", word);
}

/// These come first in tf_keras, whatever their order in Keras 3.
static const char *const early_keys[] = {"name", "apply_class_balancing", "alpha", "gamma"};

static bool is_early(ks_text key) {
    for (size_t i = 0; i < sizeof early_keys / sizeof early_keys[0]; i++)
        if (ks_text_is(key, early_keys[i]))
            return true;
    return false;
}

/// What tf_keras writes of a loss and Keras 3 does not: when it was not read, the default of both.
static ks_code put_alone(ks_value *config, ks_training *t, ks_text name) {
    const char *function = ks__loss_function(name);
    ks_code code = KS_OK;
    if (ks_text_is(name, "Huber") && !ks_value_get(config, "delta"))
        KS_TRY(ks__training_put(t, config, "delta", ks_value_float(1)));
    if (ks_text_is(name, "CosineSimilarity") && !ks_value_get(config, "axis"))
        KS_TRY(ks__training_put(t, config, "axis", ks_value_int(-1)));
    if (function)
        KS_TRY(ks__training_put(t, config, "fn", ks_value_string(function)));
done:
    return code;
}

/// Keras 3 gives its base class a name, tf_keras does not.
static ks_value early_value(const ks_training *t, ks_text class_name, const ks_value *value) {
    bool given = t->alone && ks_text_is(class_name, "Loss") && ks_value_is_text(value, "loss");
    return given ? ks_value_null() : *value;
}

static ks_code loss_config(ks_value *out, ks_training *t, const ks_value *record, const char *place) {
    const ks_value *from = ks_value_get(record, "config");
    ks_text name = ks_value_get(record, "class_name")->text;
    ks_value config = ks_value_dict(t->arena, from->as.dict.count + 5);
    ks_code code;
    KS_TRY(put_reduction(&config, t, ks_value_get(from, "reduction"), place));
    for (size_t i = 0; i < sizeof early_keys / sizeof early_keys[0]; i++)
        if (ks_value_get(from, early_keys[i]))
            KS_TRY(
                ks__training_put(t, &config, early_keys[i], early_value(t, name, ks_value_get(from, early_keys[i]))));
    for (size_t i = 0; i < from->as.dict.count; i++) {
        const ks_member *member = &from->as.dict.members[i];
        if (!is_early(member->key) && !ks_text_is(member->key, "reduction"))
            KS_TRY(ks__training_put(t, &config, member->key.data, member->value));
    }
    if (t->alone)
        KS_TRY(put_alone(&config, t, name));
    *out = config;
done:
    return code;
}

// --- metrics --------------------------------------------------------------------------------------------------------

static bool metric_is_known(ks_text class_name) {
    static const char *const without_name[] = {"IoU",
                                               "MeanIoU",
                                               "OneHotIoU",
                                               "OneHotMeanIoU",
                                               "PrecisionAtRecall",
                                               "RecallAtPrecision",
                                               "SensitivityAtSpecificity",
                                               "SpecificityAtSensitivity",
                                               "MeanTensor",
                                               "MeanRelativeError",
                                               "MeanMetricWrapper"};
    const ks_training_name *known = ks_training_name_find(class_name);
    for (size_t i = 0; i < sizeof without_name / sizeof without_name[0]; i++)
        if (ks_text_is(class_name, without_name[i]))
            return true;
    return known && (known->known & KS_METRIC2) && !known->function;
}

static ks_code metric_config(ks_value *out, ks_training *t, const ks_value *record, const char *place) {
    const ks_value *from = ks_value_get(record, "config");
    ks_text name = ks_value_get(record, "class_name")->text;
    ks_value config = ks_value_dict(t->arena, from->as.dict.count + 2);
    ks_code code = KS_OK;
    for (size_t i = 0; i < from->as.dict.count; i++) {
        const ks_member *member = &from->as.dict.members[i];
        const ks_value *function = ks__training_function(&member->value);
        ks_value value = function ? *function : member->value;
        if (!function && ks__training_is_record(&member->value))
            KS_TRY(ks__training_lose(&value, t, place, "%s with an object as \"%.40s\" is not in Keras 2", name.data,
                                     member->key.data));
        KS_TRY(ks__training_put(t, &config, member->key.data, value));
    }
    if (t->alone && ks_text_is(name, "CosineSimilarity") && !ks_value_get(&config, "axis"))
        KS_TRY(ks__training_put(t, &config, "axis", ks_value_int(-1)));
    *out = config;
done:
    return code;
}

// --- both -----------------------------------------------------------------------------------------------------------

/// A loss, metric or optimizer of someone's own, read and written by its table.
static ks_code downgrade_custom(ks_value *out, ks_training *t, const ks_value *record, const ks_value *config) {
    ks_code code;
    *out = ks_value_dict(t->arena, 2);
    KS_TRY(ks__training_put(t, out, "class_name", ks_value_text(ks_registry_old_name(record))));
    KS_TRY(ks__training_put(t, out, "config", *config));
done:
    return code;
}

static ks_code downgrade_name(ks_value *out, ks_training *t, const ks_value *name, ks_kind kind, const char *place) {
    const ks_training_name *known = ks_training_name_find(name->text);
    unsigned needed = kind == KS_KIND_LOSS ? KS_LOSS2 : KS_METRIC2;
    *out = *name;
    if (!known || !(known->known & needed))
        return ks__training_lose(out, t, place, "Keras 2 has no %s \"%.60s\"", ks_kind_name(kind), name->text.data);
    return KS_OK;
}

static ks_code downgrade_object(ks_value *out, ks_training *t, const ks_value *value, ks_kind kind, const char *place) {
    const ks_value *function = ks__training_function(value);
    ks_value record, config;
    ks_text name;
    ks_code code;
    if (function && ks__training_custom(t, value)) {
        *out = ks_value_text(ks_registry_old_name(value));
        return KS_OK;
    }
    if (value->type == KS_VALUE_STRING || function)
        return downgrade_name(out, t, function ? function : value, kind, place);
    record = *value;
    if (!t->alone) // a single one is as it was just written
        KS_TRY(ks__training_canonical(&record, t, value, place));
    *out = ks_value_null();
    if (record.type == KS_VALUE_NULL)
        return KS_OK; // told
    name = ks_value_get(&record, "class_name")->text;
    if (ks__training_custom(t, &record))
        return downgrade_custom(out, t, &record, ks_value_get(&record, "config"));
    if (kind == KS_KIND_LOSS ? !ks__loss_function(name) && !(t->alone && ks_text_is(name, "Loss"))
                             : !metric_is_known(name))
        return ks__training_lose(out, t, place, "Keras 2 has no %s %.60s", ks_kind_name(kind), name.data);
    if (kind == KS_KIND_LOSS)
        KS_TRY(loss_config(&config, t, &record, place));
    else
        KS_TRY(metric_config(&config, t, &record, place));
    *out = ks_value_dict(t->arena, 2);
    KS_TRY(ks__training_put(t, out, "class_name", ks_value_text(name)));
    KS_TRY(ks__training_put(t, out, "config", config));
done:
    return code;
}

// --- optimizers -----------------------------------------------------------------------------------------------------

static const char *const optimizers[] = {"Adadelta", "Adafactor", "Adagrad", "Adam",    "AdamW", "Adamax",
                                         "Ftrl",     "Lion",      "Nadam",   "RMSprop", "SGD"};

/// What stands before learning_rate in tf_keras; the others come behind it.
static const char *const first_keys[] = {"name",      "weight_decay", "clipnorm",     "global_clipnorm",
                                         "clipvalue", "use_ema",      "ema_momentum", "ema_overwrite_frequency"};

static bool is_first(ks_text key) {
    for (size_t i = 0; i < sizeof first_keys / sizeof first_keys[0]; i++)
        if (ks_text_is(key, first_keys[i]))
            return true;
    return false;
}

/// Keras 3 gives schedules the name of their class, tf_keras gives them none.
static bool is_given_name(const ks_value *name, const char *class_name) {
    if (strcmp(class_name, "CosineDecayRestarts") == 0)
        return ks_value_is_text(name, "SGDRDecay");
    if (strcmp(class_name, "PiecewiseConstantDecay") == 0)
        return ks_value_is_text(name, "PiecewiseConstant");
    return ks_value_is_text(name, class_name);
}

static ks_code schedule_config(ks_value *out, ks_training *t, const ks_value *record) {
    const ks_value *from = ks_value_get(record, "config");
    const char *class_name = ks_value_get(record, "class_name")->text.data;
    ks_code code = KS_OK;
    *out = ks_value_dict(t->arena, from->as.dict.count);
    for (size_t i = 0; i < from->as.dict.count; i++) {
        const ks_member *member = &from->as.dict.members[i];
        bool given = ks_text_is(member->key, "name") && is_given_name(&member->value, class_name);
        KS_TRY(ks__training_put(t, out, member->key.data, given ? ks_value_null() : member->value));
    }
done:
    return code;
}

/// A record inside of an optimizer's config keeps its module.
static ks_code optimizer_value(ks_value *out, ks_training *t, const ks_value *value) {
    const ks_value *module = ks_value_get(value, "module");
    ks_value config;
    ks_code code = KS_OK;
    *out = *value;
    if (!t->alone || !ks__training_is_record(value) || ks_value_get(value, "config")->type != KS_VALUE_DICT ||
        !module || module->type != KS_VALUE_STRING)
        return KS_OK;
    KS_TRY(schedule_config(&config, t, value));
    *out = ks_value_record(t->arena, module->text.data, ks_value_get(value, "class_name")->text.data, config, NULL, 0);
    if (!out->as.dict.members)
        code = t->context->error.code;
done:
    return code;
}

static ks_code optimizer_config(ks_value *out, ks_training *t, const ks_value *from, const char *place) {
    ks_value config = ks_value_dict(t->arena, from->as.dict.count + 2);
    ks_code code;
    for (size_t i = 0; i < sizeof first_keys / sizeof first_keys[0]; i++)
        if (ks_value_get(from, first_keys[i]))
            KS_TRY(ks__training_put(t, &config, first_keys[i], *ks_value_get(from, first_keys[i])));
    KS_TRY(ks__training_put(t, &config, "jit_compile", ks_value_bool(false)));
    KS_TRY(ks__training_put(t, &config, "is_legacy_optimizer", ks_value_bool(false)));
    for (size_t i = 0; i < from->as.dict.count; i++) {
        const ks_member *member = &from->as.dict.members[i];
        ks_value none;
        if (is_first(member->key))
            continue;
        if (!ks_text_is(member->key, "loss_scale_factor") && !ks_text_is(member->key, "gradient_accumulation_steps")) {
            KS_TRY(optimizer_value(&none, t, &member->value));
            KS_TRY(ks__training_put(t, &config, member->key.data, none));
        } else if (member->value.type != KS_VALUE_NULL)
            KS_TRY(ks__training_lose(&none, t, place, "optimizers of Keras 2 have no \"%.40s\"", member->key.data));
    }
    *out = config;
done:
    return code;
}

static ks_code downgrade_optimizer(ks_value *out, ks_training *t, const ks_value *record) {
    const char *place = "compile_config:/optimizer";
    const ks_value *name = ks_value_get(record, "class_name");
    const char *word = NULL;
    ks_value config;
    ks_code code;
    if (!name)
        return ks__training_lose(out, t, place, "without an optimizer Keras 2 has no compile state");
    for (size_t i = 0; i < sizeof optimizers / sizeof optimizers[0]; i++)
        if (ks_value_is_text(name, optimizers[i]))
            word = ks_arena_format(t->arena, "Custom>%s", optimizers[i]);
    if (ks__training_custom(t, record)) {
        KS_TRY(optimizer_config(&config, t, ks_value_get(record, "config"), place));
        return downgrade_custom(out, t, record, &config);
    }
    if (!word)
        return ks__training_lose(out, t, place, "Keras 2 has no optimizer %.60s", name->text.data);
    KS_TRY(optimizer_config(&config, t, ks_value_get(record, "config"), place));
    *out = ks_value_dict(t->arena, 2);
    KS_TRY(ks__training_put(t, out, "class_name", ks_value_string(word)));
    KS_TRY(ks__training_put(t, out, "config", config));
done:
    return code;
}

// --- single objects -------------------------------------------------------------------------------------------------

static ks_code downgrade_schedule(ks_value *out, ks_training *t, const ks_value *record) {
    ks_value config;
    ks_code code;
    KS_TRY(schedule_config(&config, t, record));
    *out = ks_value_dict(t->arena, 2);
    KS_TRY(ks__training_put(t, out, "class_name", *ks_value_get(record, "class_name")));
    KS_TRY(ks__training_put(t, out, "config", config));
done:
    return code;
}

ks_code ks_training_downgrade_object(ks_value *out, ks_training *t, const ks_value *record, ks_kind kind) {
    if (kind == KS_KIND_OPTIMIZER)
        return downgrade_optimizer(out, t, record);
    if (kind == KS_KIND_SCHEDULE)
        return downgrade_schedule(out, t, record);
    return downgrade_object(out, t, record, kind, "object:");
}

// --- all ------------------------------------------------------------------------------------------------------------

static const char *const plain_keys[] = {"run_eagerly", "steps_per_execution", "jit_compile"};

static ks_code check_keys(ks_training *t, const ks_value *compile) {
    static const char *const known[] = {"optimizer",        "loss",        "loss_weights",        "metrics",
                                        "weighted_metrics", "run_eagerly", "steps_per_execution", "jit_compile"};
    ks_value none;
    ks_code code = KS_OK;
    for (size_t i = 0; i < compile->as.dict.count && code == KS_OK; i++) {
        const ks_member *member = &compile->as.dict.members[i];
        bool found = member->value.type == KS_VALUE_NULL;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            found = found || ks_text_is(member->key, known[k]);
        if (!found)
            code =
                ks__training_lose(&none, t, "compile_config:", "nothing is known of a key \"%.40s\"", member->key.data);
    }
    return code;
}

ks_code ks_training_downgrade(ks_value *out, ks_training *t, const ks_value *compile, const ks_value *optimizer) {
    ks_value loss, metrics, weighted, rule;
    const ks_value *weights = ks_value_get(compile, "loss_weights");
    ks_code code;
    KS_TRY(check_keys(t, compile));
    KS_TRY(ks__training_nested(&loss, t, ks_value_get(compile, "loss"), KS_KIND_LOSS, downgrade_object,
                               "compile_config:/loss"));
    KS_TRY(ks__training_nested(&metrics, t, ks_value_get(compile, "metrics"), KS_KIND_METRIC, downgrade_object,
                               "compile_config:/metrics"));
    KS_TRY(ks__training_nested(&weighted, t, ks_value_get(compile, "weighted_metrics"), KS_KIND_METRIC,
                               downgrade_object, "compile_config:/weighted_metrics"));
    KS_TRY(downgrade_optimizer(&rule, t, optimizer));
    *out = ks_value_dict(t->arena, 8);
    KS_TRY(ks__training_put(t, out, "loss", loss));
    KS_TRY(ks__training_put(t, out, "metrics", metrics));
    KS_TRY(ks__training_put(t, out, "weighted_metrics", weighted));
    KS_TRY(ks__training_put(t, out, "loss_weights", weights ? *weights : ks_value_null()));
    KS_TRY(ks__training_put(t, out, "optimizer_config", rule));
    for (size_t i = 0; i < sizeof plain_keys / sizeof plain_keys[0]; i++)
        if (ks_value_get(compile, plain_keys[i]))
            KS_TRY(ks__training_put(t, out, plain_keys[i], *ks_value_get(compile, plain_keys[i])));
done:
    return code;
}
