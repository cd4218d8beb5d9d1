// SPDX-License-Identifier: Apache-2.0
//
// From training_config to compile_config. Optimizers before tf_keras's newer ones (without "is_legacy_optimizer":
// false) compute other numbers than those of Keras 3 of the same name and keep their state in another order: they are
// a loss. Source: as in downgrade_training.c.
#include <stdio.h>
#include <string.h>

#include "config/registry.h"
#include "config/training_internal.h"

/// `was`: the record of tf_keras, which a single object keeps: Keras 3 has no key for all of it.
static ks_code make_record(ks_value *out, ks_training *t, const char *module, ks_text name, ks_value config,
                           const ks_value *was, const char *place) {
    ks_value record = ks_value_record(t->arena, module, name.data, config, NULL, 1);
    if (!record.as.dict.members)
        return t->context->error.code;
    *out = record;
    return t->alone ? ks__training_put(t, out, "original", *was) : ks__training_canonical(out, t, &record, place);
}

// --- classes and functions of someone's own -------------------------------------------------------------------------

/// The record that Keras 3 finds the class by; its table reads and writes the config.
static ks_code upgrade_custom(ks_value *out, ks_training *t, const ks_value *record, const ks_value *config,
                              const char *place) {
    const ks_value *module = ks_value_get(record, "module"), *registered = ks_value_get(record, "registered_name");
    ks_value plain = ks_value_dict(t->arena, 4);
    ks_code code;
    if (module)
        KS_TRY(ks__training_put(t, &plain, "module", *module));
    KS_TRY(ks__training_put(t, &plain, "class_name", *ks_value_get(record, "class_name")));
    KS_TRY(ks__training_put(t, &plain, "config", *config));
    if (registered)
        KS_TRY(ks__training_put(t, &plain, "registered_name", *registered));
    code = ks__training_canonical(out, t, &plain, place);
done:
    return code;
}

/// {"module": "builtins", "class_name": "function", "config": "gap", "registered_name": "package>gap"}
static ks_code function_record(ks_value *out, ks_training *t, const ks_value *name) {
    const char *end = memchr(name->text.data, '>', name->text.size);
    ks_value plain = *name;
    if (end)
        plain.text = (ks_text){end + 1, name->text.size - (size_t)(end + 1 - name->text.data)};
    *out = ks_value_record(t->arena, "builtins", "function", plain, "", 0);
    if (!out->as.dict.members)
        return t->context->error.code;
    *(ks_value *)(uintptr_t)ks_value_get(out, "registered_name") = *name; // the record is being made here
    return KS_OK;
}

// --- losses ---------------------------------------------------------------------------------------------------------

static bool number_is(const ks_value *value, double expected) {
    double number;
    return ks_value_number(value, &number) && number == expected;
}

static ks_code loss_member(ks_value *config, ks_training *t, const ks_member *member, ks_text name, const char *place) {
    ks_value value = member->value;
    bool delta = ks_text_is(name, "Huber") && ks_text_is(member->key, "delta");
    bool axis = ks_text_is(name, "CosineSimilarity") && ks_text_is(member->key, "axis");
    if (ks_text_is(member->key, "fn") || (ks_text_is(member->key, "name") && value.type == KS_VALUE_NULL))
        return KS_OK;                 // its class says it
    if ((delta || axis) && !t->alone) // which Keras 3 does not write
        return number_is(&value, delta ? 1 : -1)
                   ? KS_OK
                   : ks__training_lose(&value, t, place, "Keras 3 does not save the \"%s\" of this loss",
                                       member->key.data);
    if (ks_text_is(member->key, "reduction") && ks_value_is_text(&value, "auto"))
        value = ks_value_string("sum_over_batch_size");
    return ks__training_put(t, config, member->key.data, value);
}

static ks_code upgrade_loss(ks_value *out, ks_training *t, const ks_value *record, const char *place) {
    ks_text name = ks_value_get(record, "class_name")->text;
    const ks_value *from = ks_value_get(record, "config");
    ks_value config;
    ks_code code = KS_OK;
    if ((!t->keras3 && !ks__loss_function(name) && !(t->alone && ks_text_is(name, "Loss"))) ||
        from->type != KS_VALUE_DICT)
        return ks__training_lose(out, t, place, "the loss %.60s is not one that both generations have", name.data);
    config = ks_value_dict(t->arena, from->as.dict.count);
    for (size_t i = 0; i < from->as.dict.count; i++)
        KS_TRY(loss_member(&config, t, &from->as.dict.members[i], name, place));
    KS_TRY(make_record(out, t, ks_text_is(name, "Loss") ? "keras" : "keras.losses", name, config, record, place));
done:
    return code;
}

// --- metrics --------------------------------------------------------------------------------------------------------

/// A function of a metric, as Keras 3 writes it: {"module": "builtins", "class_name": "function", …}.
static ks_code metric_function(ks_value *out, ks_training *t, const ks_value *name, const char *place) {
    const ks_training_name *known = name->type == KS_VALUE_STRING ? ks_training_name_find(name->text) : NULL;
    *out = *name;
    if (ks__training_function(name))
        return KS_OK; // as Keras 3 writes it itself
    if (!known || !(known->known & (KS_METRIC3 | KS_LOSS3)))
        return ks__training_lose(out, t, place, "this metric's function is not one of Keras 3");
    *out = ks_value_record(t->arena, "builtins", "function", *name, "function", 0);
    return out->as.dict.members ? KS_OK : t->context->error.code;
}

/// tf_keras writes "mae", once it is used, as a wrapper of that name around its function.
static bool is_alias(const ks_value *from) {
    const ks_value *name = ks_value_get(from, "name"), *function = ks_value_get(from, "fn");
    const ks_training_name *known = name && name->type == KS_VALUE_STRING ? ks_training_name_find(name->text) : NULL;
    return known && (known->known & KS_METRIC3) && known->function && function &&
           ks_value_is_text(function, known->function) && ks_value_is_text(ks_value_get(from, "dtype"), "float32");
}

static bool is_old(ks_text name) {
    return ks_text_is(name, "MeanTensor") || ks_text_is(name, "MeanRelativeError");
}

static ks_code upgrade_metric(ks_value *out, ks_training *t, const ks_value *record, const char *place) {
    ks_text name = ks_value_get(record, "class_name")->text;
    const ks_value *from = ks_value_get(record, "config");
    bool wrapper = ks_text_is(name, "MeanMetricWrapper");
    ks_value config;
    ks_code code = KS_OK;
    if (from->type != KS_VALUE_DICT)
        return ks__training_lose(out, t, place, "a metric without a config");
    if (wrapper && is_alias(from)) {
        *out = *ks_value_get(from, "name");
        return KS_OK;
    }
    config = ks_value_dict(t->arena, from->as.dict.count);
    for (size_t i = 0; i < from->as.dict.count; i++) {
        const ks_member *member = &from->as.dict.members[i];
        ks_value value = member->value;
        if (wrapper && ks_text_is(member->key, "fn"))
            KS_TRY(metric_function(&value, t, &member->value, place));
        if (ks_text_is(name, "CosineSimilarity") && ks_text_is(member->key, "axis") && !t->alone) {
            if (!number_is(&value, -1))
                KS_TRY(ks__training_lose(&value, t, place, "Keras 3 does not save the \"axis\" of this metric"));
            continue;
        }
        KS_TRY(ks__training_put(t, &config, member->key.data, value));
    }
    if (t->lost) {
        *out = ks_value_null();
        return KS_OK;
    }
    KS_TRY(make_record(out, t, is_old(name) ? "keras2.metrics" : "keras.metrics", name, config, record, place));
done:
    return code;
}

/// "reduction" is a word of the class that every loss is made from.
static ks_code upgrade_custom_loss(ks_value *out, ks_training *t, const ks_value *record, const char *place) {
    const ks_value *from = ks_value_get(record, "config");
    ks_value config = ks_value_dict(t->arena, from->type == KS_VALUE_DICT ? from->as.dict.count : 0);
    ks_code code;
    if (from->type != KS_VALUE_DICT)
        return upgrade_custom(out, t, record, from, place);
    for (size_t i = 0; i < from->as.dict.count; i++) {
        const ks_member *member = &from->as.dict.members[i];
        bool automatic = ks_text_is(member->key, "reduction") && ks_value_is_text(&member->value, "auto");
        KS_TRY(ks__training_put(t, &config, member->key.data,
                                automatic ? ks_value_string("sum_over_batch_size") : member->value));
    }
    code = upgrade_custom(out, t, record, &config, place);
done:
    return code;
}

static ks_code upgrade_object(ks_value *out, ks_training *t, const ks_value *value, ks_kind kind, const char *place) {
    const ks_training_name *known;
    unsigned needed = kind == KS_KIND_LOSS ? KS_LOSS3 : KS_METRIC3;
    const ks_class *custom = ks__training_custom(t, value);
    if (ks__training_function(value) && custom) {
        *out = *value;
        return KS_OK;
    }
    if (custom && custom->kind == KS_KIND_LOSS && value->type != KS_VALUE_STRING)
        return upgrade_custom_loss(out, t, value, place);
    if (custom && value->type != KS_VALUE_STRING)
        return upgrade_custom(out, t, value, ks_value_get(value, "config"), place);
    if (value->type != KS_VALUE_STRING)
        return kind == KS_KIND_LOSS ? upgrade_loss(out, t, value, place) : upgrade_metric(out, t, value, place);
    *out = *value;
    known = ks_training_name_find(value->text);
    if (!known && custom && custom->kind == KS_KIND_FUNCTION)
        return function_record(out, t, value);
    if (!known || !(known->known & needed))
        return ks__training_lose(out, t, place, "Keras 3 has no %s \"%.60s\"", ks_kind_name(kind), value->text.data);
    return KS_OK;
}

/// Metrics of one output, which tf_keras writes as a list of one list.
static const ks_value *unwrapped(const ks_value *metrics) {
    return metrics && metrics->type == KS_VALUE_LIST && metrics->as.list.count == 1 &&
                   metrics->as.list.items[0].type == KS_VALUE_LIST
               ? &metrics->as.list.items[0]
               : metrics;
}

// --- optimizers -----------------------------------------------------------------------------------------------------

static ks_code upgrade_rate(ks_value *out, ks_training *t, const ks_value *rate, const char *place) {
    const ks_value *name = ks_value_get(rate, "class_name"), *from = ks_value_get(rate, "config");
    ks_value config;
    ks_code code = KS_OK;
    *out = *rate;
    if (!name || name->type != KS_VALUE_STRING || !from || from->type != KS_VALUE_DICT)
        return KS_OK;
    config = ks_value_dict(t->arena, from->as.dict.count);
    for (size_t i = 0; i < from->as.dict.count; i++) {
        const ks_member *member = &from->as.dict.members[i];
        // tf_keras writes no name; a schedule of Keras 3 cannot run without one
        if (!ks_text_is(member->key, "name") || member->value.type != KS_VALUE_NULL)
            KS_TRY(ks__training_put(t, &config, member->key.data, member->value));
    }
    KS_TRY(make_record(out, t, "keras.optimizers.schedules", name->text, config, rate, place));
done:
    return code;
}

static ks_code upgrade_optimizer(ks_value *out, ks_training *t, const ks_value *record) {
    const char *place = "training_config:/optimizer_config";
    const ks_value *name = ks_value_get(record, "class_name"), *from = ks_value_get(record, "config");
    const ks_value *older = ks_value_get(from, "is_legacy_optimizer");
    ks_value config;
    ks_text word;
    ks_code code = KS_OK;
    if (!name || name->type != KS_VALUE_STRING || !from || from->type != KS_VALUE_DICT)
        return ks__training_lose(out, t, place, "there is no optimizer");
    if (!t->keras3 && !(older && older->type == KS_VALUE_BOOL && !older->as.boolean))
        return ks__training_lose(out, t, place, "the older %.60s computes other numbers than that of Keras 3",
                                 name->text.data);
    word = name->text;
    if (word.size > 7 && memcmp(word.data, "Custom>", 7) == 0)
        word = (ks_text){word.data + 7, word.size - 7};
    config = ks_value_dict(t->arena, from->as.dict.count);
    for (size_t i = 0; i < from->as.dict.count; i++) {
        const ks_member *member = &from->as.dict.members[i];
        ks_value value = member->value;
        if (ks_text_is(member->key, "jit_compile") || ks_text_is(member->key, "is_legacy_optimizer"))
            continue; // how, not what
        if (ks_text_is(member->key, "learning_rate"))
            KS_TRY(upgrade_rate(&value, t, &member->value, place));
        KS_TRY(ks__training_put(t, &config, member->key.data, value));
    }
    if (ks__training_custom(t, record))
        code = upgrade_custom(out, t, record, &config, place);
    else
        code = make_record(out, t, "keras.optimizers", word, config, record, place);
done:
    return code;
}

// --- single objects -------------------------------------------------------------------------------------------------

ks_code ks_training_upgrade_object(ks_value *out, ks_training *t, const ks_value *record, ks_kind kind) {
    if (kind == KS_KIND_OPTIMIZER)
        return upgrade_optimizer(out, t, record);
    if (kind == KS_KIND_SCHEDULE)
        return upgrade_rate(out, t, record, "object:");
    return upgrade_object(out, t, record, kind, "object:");
}

// --- all ------------------------------------------------------------------------------------------------------------

static ks_code put_plain(ks_value *out, ks_training *t, const ks_value *config) {
    const ks_value *eagerly = ks_value_get(config, "run_eagerly"), *steps = ks_value_get(config, "steps_per_execution"),
                   *jit = ks_value_get(config, "jit_compile");
    ks_code code;
    KS_TRY(ks__training_put(t, out, "run_eagerly", eagerly ? *eagerly : ks_value_bool(false)));
    KS_TRY(ks__training_put(t, out, "steps_per_execution", steps ? *steps : ks_value_int(1)));
    KS_TRY(ks__training_put(t, out, "jit_compile", jit ? *jit : ks_value_bool(false)));
done:
    return code;
}

static ks_code check_keys(ks_training *t, const ks_value *config) {
    static const char *const known[] = {"optimizer_config", "loss",        "loss_weights",        "metrics",
                                        "weighted_metrics", "run_eagerly", "steps_per_execution", "jit_compile"};
    ks_value none;
    ks_code code = KS_OK;
    for (size_t i = 0; i < config->as.dict.count && code == KS_OK; i++) {
        const ks_member *member = &config->as.dict.members[i];
        bool found = member->value.type == KS_VALUE_NULL;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            found = found || ks_text_is(member->key, known[k]);
        if (!found)
            code =
                ks__training_lose(&none, t, "training_config:", "Keras 3 has nothing for \"%.40s\"", member->key.data);
    }
    return code;
}

ks_code ks_training_upgrade(ks_value *out, ks_training *t, const ks_value *config) {
    const ks_value *weights = ks_value_get(config, "loss_weights");
    ks_value loss, metrics, weighted, optimizer;
    ks_code code;
    if (config->type != KS_VALUE_DICT)
        return ks__training_lose(out, t, "training_config:", "expected a dict");
    KS_TRY(check_keys(t, config));
    t->keras3 = ks_training_is_keras3(config);
    KS_TRY(upgrade_optimizer(&optimizer, t, ks_value_get(config, "optimizer_config")));
    KS_TRY(ks__training_nested(&loss, t, ks_value_get(config, "loss"), KS_KIND_LOSS, upgrade_object,
                               "training_config:/loss"));
    KS_TRY(ks__training_nested(&metrics, t, unwrapped(ks_value_get(config, "metrics")), KS_KIND_METRIC, upgrade_object,
                               "training_config:/metrics"));
    KS_TRY(ks__training_nested(&weighted, t, unwrapped(ks_value_get(config, "weighted_metrics")), KS_KIND_METRIC,
                               upgrade_object, "training_config:/weighted_metrics"));
    *out = ks_value_dict(t->arena, 8);
    KS_TRY(ks__training_put(t, out, "optimizer", optimizer));
    KS_TRY(ks__training_put(t, out, "loss", loss));
    KS_TRY(ks__training_put(t, out, "loss_weights", weights ? *weights : ks_value_null()));
    KS_TRY(ks__training_put(t, out, "metrics", metrics));
    KS_TRY(ks__training_put(t, out, "weighted_metrics", weighted));
    KS_TRY(put_plain(out, t, config));
done:
    return code;
}
