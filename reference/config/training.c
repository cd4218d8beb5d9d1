// SPDX-License-Identifier: Apache-2.0
//
// What both directions share. Source: Keras 3 trainers/trainer.py (get_compile_config), legacy/saving/saving_utils.py;
// tf_keras saving/legacy/saving_utils.py (model_metadata, compile_args_from_training_config).
#include "config/training_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/registry.h"
#include "config/serialize.h"

#define MAX_DEPTH 32 ///< of lists and dicts of losses and metrics

ks_code ks__training_lose(ks_value *out, ks_training *t, const char *place, const char *format, ...) {
    char message[300];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    *out = ks_value_null();
    t->lost = true;
    return ks_lose(t->losses, "compile-config", place, "%s", message);
}

ks_code ks__training_put(ks_training *t, ks_value *dict, const char *key, ks_value value) {
    ks_value *place = ks_value_put(dict, key);
    if (!place)
        return t->context->error.code;
    *place = value;
    return KS_OK;
}

bool ks__training_is_record(const ks_value *value) {
    const ks_value *name = ks_value_get(value, "class_name");
    return name && name->type == KS_VALUE_STRING && ks_value_get(value, "config");
}

const ks_value *ks__training_function(const ks_value *value) {
    const ks_value *name = ks_value_get(value, "config");
    return ks_value_is_text(ks_value_get(value, "class_name"), "function") && name && name->type == KS_VALUE_STRING
               ? name
               : NULL;
}

const ks_class *ks__training_custom(const ks_training *t, const ks_value *value) {
    const ks_value *function = ks__training_function(value);
    const ks_class *row = NULL;
    if (value->type == KS_VALUE_STRING)
        return ks_registry_find(t->registry, value->text);
    if (function) {
        const ks_value *registered = ks_value_get(value, "registered_name");
        if (registered && registered->type == KS_VALUE_STRING)
            row = ks_registry_find(t->registry, registered->text);
        return row ? row : ks_registry_find(t->registry, function->text);
    }
    return ks_registry_find_record(t->registry, value);
}

// --- nested lists and dicts -----------------------------------------------------------------------------------------

static ks_code nested_item(ks_value *out, ks_training *t, const ks_value *value, ks_kind kind, ks__training_map *map,
                           const char *place, ks_text key, size_t index) {
    const char *inner = key.data ? ks_arena_format(t->arena, "%s/%.*s", place, (int)key.size, key.data)
                                 : ks_arena_format(t->arena, "%s/%zu", place, index);
    return inner ? ks__training_nested(out, t, value, kind, map, inner) : t->context->error.code;
}

static ks_code nested_list(ks_value *out, ks_training *t, const ks_value *value, ks_kind kind, ks__training_map *map,
                           const char *place) {
    ks_code code = KS_OK;
    *out = ks_value_list(t->arena, value->as.list.count);
    for (size_t i = 0; i < out->as.list.count && code == KS_OK; i++)
        code =
            nested_item(&out->as.list.items[i], t, &value->as.list.items[i], kind, map, place, (ks_text){NULL, 0}, i);
    return code == KS_OK ? t->context->error.code : code;
}

static ks_code nested_dict(ks_value *out, ks_training *t, const ks_value *value, ks_kind kind, ks__training_map *map,
                           const char *place) {
    ks_value dict = ks_value_dict(t->arena, value->as.dict.count);
    ks_code code = KS_OK;
    for (size_t i = 0; i < value->as.dict.count && code == KS_OK; i++) {
        const ks_member *member = &value->as.dict.members[i];
        ks_value *item = ks_value_put_text(&dict, member->key);
        code = item ? nested_item(item, t, &member->value, kind, map, place, member->key, 0) : t->context->error.code;
    }
    *out = dict;
    return code;
}

ks_code ks__training_nested(ks_value *out, ks_training *t, const ks_value *value, ks_kind kind, ks__training_map *map,
                            const char *place) {
    ks_code code;
    *out = ks_value_null();
    if (!value || value->type == KS_VALUE_NULL)
        return KS_OK;
    if (t->depth >= MAX_DEPTH)
        return ks_fail(t->context, KS_E_OVER_DEPTH, KS_STAGE_SAVE, value->offset, place, "nested too deep");
    t->depth++;
    if (value->type == KS_VALUE_STRING || ks__training_is_record(value))
        code = map(out, t, value, kind, place);
    else if (value->type == KS_VALUE_LIST)
        code = nested_list(out, t, value, kind, map, place);
    else if (value->type == KS_VALUE_DICT)
        code = nested_dict(out, t, value, kind, map, place);
    else
        code = ks__training_lose(out, t, place, "expected a %s, found %s", ks_kind_name(kind),
                                 ks_value_type_name(value->type));
    t->depth--;
    return code;
}

// --- objects --------------------------------------------------------------------------------------------------------

// A class of someone's own, a key that nobody knows: not carried, in the words of the reader that refused it.
static ks_code lose_unsupported(ks_value *out, ks_training *t, const char *place) {
    ks_error error = t->context->error;
    memset(&t->context->error, 0, sizeof t->context->error);
    t->context->error.offset = KS_NO_OFFSET;
    return ks__training_lose(out, t, place, "%s", error.message);
}

ks_code ks__training_canonical(ks_value *out, ks_training *t, const ks_value *record, const char *place) {
    ks_config_options options = {
        .dialect = KS_DIALECT_KERAS3, .keras_version = t->keras_version, .registry = t->registry, .described = true};
    ks_write_options write = {.losses = t->losses};
    ks_object *object;
    ks_code code;
    *out = ks_value_null();
    KS_TRY(ks_config_read(&object, t->context, t->arena, record, place, &options));
    KS_TRY(ks_config_value(out, t->context, t->arena, object, &write));
done:
    return code != KS_OK && ks_code_verdict(code) == KS_UNSUPPORTED ? lose_unsupported(out, t, place) : code;
}

static ks_code optimizer_by_name(ks_value *out, ks_training *t, const ks_value *name, const char *place) {
    const ks_class *row = ks_class_by_alias(KS_KIND_OPTIMIZER, name->text);
    ks_value record;
    if (!row)
        return ks__training_lose(out, t, place, "there is no optimizer \"%.60s\"", name->text.data);
    record = ks_value_record(t->arena, row->module, row->name, ks_value_dict(t->arena, 0), NULL, 0);
    return record.as.dict.members ? ks__training_canonical(out, t, &record, place) : t->context->error.code;
}

ks_code ks_training_optimizer(ks_value *out, ks_training *t, const ks_value *compile) {
    const ks_value *optimizer = ks_value_get(compile, "optimizer");
    const char *place = "compile_config:/optimizer";
    *out = ks_value_null();
    if (!optimizer || optimizer->type == KS_VALUE_NULL)
        return KS_OK;
    if (optimizer->type == KS_VALUE_STRING)
        return optimizer_by_name(out, t, optimizer, place);
    return ks__training_canonical(out, t, optimizer, place);
}

bool ks_training_is_keras3(const ks_value *config) {
    const ks_value *optimizer = ks_value_get(ks_value_get(config, "optimizer_config"), "config");
    return ks_value_get(optimizer, "loss_scale_factor") || ks_value_get(optimizer, "inner_optimizer");
}
