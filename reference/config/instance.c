// SPDX-License-Identifier: Apache-2.0
//
// Single objects for callers outside: <kassay/object.h> over the readers and writers of this stage.
#include <kassay/object.h>

#include <string.h>

#include <kassay/json.h>

#include "base/value_make.h"
#include "config/config_internal.h"
#include "config/downgrade.h"
#include "config/registry.h"
#include "config/serialize.h"
#include "config/training_internal.h"
#include "config/upgrade.h"

struct ks_instance {
    ks_context *context;
    ks_arena arena;
    ks_json *json; ///< what was read; the object borrows from it
    ks_object *object;
};

static ks_code new_instance(ks_instance **out, ks_context *context, ks_bytes json) {
    ks_instance *instance = ks_allocate(context, 1, sizeof(*instance));
    ks_code code;
    *out = NULL;
    if (!instance)
        return context->error.code;
    instance->context = context;
    ks_arena_init(&instance->arena, context);
    KS_TRY(ks_json_parse(&instance->json, context, json, KS_ROAD_STRICT));
    *out = instance;
    return KS_OK;
done:
    ks_instance_free(instance);
    return code;
}

static bool kind_by_name(ks_kind *out, const char *name) {
    for (int kind = KS_KIND_LAYER; kind <= KS_KIND_SCHEDULE; kind++)
        if (strcmp(ks_kind_name((ks_kind)kind), name) == 0) {
            *out = (ks_kind)kind;
            return true;
        }
    return false;
}

// The record that a name stands for, or the module that a record leaves out: both say which class is meant.
static ks_code complete(const ks_value **out, ks_instance *i, const ks_value *value, const char *kind_name,
                        const struct ks_registry *registry) {
    const ks_value *name = value->type == KS_VALUE_STRING ? value : ks_value_get(value, "class_name");
    const ks_class *row;
    ks_value *record;
    ks_kind kind;
    *out = value;
    if (!kind_name || !name || name->type != KS_VALUE_STRING || ks_value_get(value, "module"))
        return KS_OK;
    if (!kind_by_name(&kind, kind_name))
        return ks_fail(i->context, KS_E_USAGE, KS_STAGE_CONFIG, KS_NO_OFFSET, NULL, "\"%.40s\" is no kind of object",
                       kind_name);
    row = ks_class_by_alias(kind, name->text);
    if (!row && value->type == KS_VALUE_DICT && ks_registry_find(registry, name->text))
        return KS_OK; // the reader finds it
    if (!row)
        return ks_fail(i->context, KS_E_CONFIG_UNKNOWN_NAME, KS_STAGE_CONFIG, name->offset, "object",
                       "unknown %s \"%.80s\"", kind_name, name->text.data);
    record = ks_arena_get(&i->arena, 1, sizeof(*record));
    if (!record)
        return i->context->error.code;
    *record = ks_value_record(&i->arena, row->module, row->name, ks_value_dict(&i->arena, 0), NULL, 0);
    if (!record->as.dict.members)
        return i->context->error.code;
    if (value->type == KS_VALUE_DICT && ks_value_get(value, "config"))
        record->as.dict.members[2].value = *ks_value_get(value, "config");
    *out = record;
    return KS_OK;
}

static ks_training training_of(ks_context *context, ks_arena *arena, ks_losses *losses) {
    ks_losses_init(losses, context, false);
    return (ks_training){.context = context, .arena = arena, .losses = losses, .keras_version = "", .alone = true};
}

static bool trains(ks_kind kind) {
    return kind == KS_KIND_LOSS || kind == KS_KIND_METRIC || kind == KS_KIND_OPTIMIZER || kind == KS_KIND_SCHEDULE;
}

// A record of Keras 2 has no module: what it is, the caller says. Layers and models are upgraded by the reader.
static ks_code upgrade(const ks_value **value, ks_instance *i, const ks_object_options *options,
                       ks_config_options *config) {
    ks_losses losses;
    ks_training training = training_of(i->context, &i->arena, &losses);
    ks_value *record = ks_arena_get(&i->arena, 1, sizeof(*record));
    ks_kind kind;
    ks_code code = KS_OK;
    if (!record)
        return i->context->error.code;
    if (!kind_by_name(&kind, options->kind) || kind == KS_KIND_LAYER || kind == KS_KIND_MODEL)
        return KS_OK;
    *record = **value;
    training.registry = options->registry;
    if (trains(kind))
        KS_TRY(ks_training_upgrade_object(record, &training, *value, kind));
    else
        KS_TRY(ks__upgrade_object(record, i->context, &i->arena, kind));
    *value = record;
    config->upgraded = true;
done:
    ks_losses_fini(&losses);
    return code;
}

static ks_code read_instance(ks_instance *i, const ks_value *value, const ks_object_options *options) {
    ks_config_options config = {.dialect = options ? options->dialect : KS_DIALECT_AUTO,
                                .keras_version = "",
                                .registry = options ? options->registry : NULL,
                                .described = true};
    ks_code code;
    if (config.dialect == KS_DIALECT_KERAS2 && options->kind && ks__training_is_record(value) &&
        !ks_value_get(value, "module"))
        KS_TRY(upgrade(&value, i, options, &config));
    else
        KS_TRY(complete(&value, i, value, options ? options->kind : NULL, config.registry));
    KS_TRY(ks_config_read(&i->object, i->context, &i->arena, value, "object", &config));
done:
    return code;
}

ks_code ks_deserialize(ks_instance **out, ks_context *context, ks_bytes json, const ks_object_options *options) {
    ks_instance *instance;
    ks_code code;
    KS_TRY(new_instance(&instance, context, json));
    code = read_instance(instance, ks_json_root(instance->json), options);
    if (code == KS_OK)
        *out = instance;
    else
        ks_instance_free(instance);
done:
    if (code != KS_OK)
        *out = NULL;
    return code;
}

ks_code ks_from_config(ks_instance **out, ks_context *context, const char *class_name, const char *module,
                       ks_bytes config, const ks_object_options *options) {
    ks_text name = ks_text_from(class_name);
    ks_text module_text = module ? ks_text_from(module) : (ks_text){NULL, 0};
    const ks_class *row = ks_class_find(name, module ? &module_text : NULL);
    ks_instance *instance;
    ks_value *record;
    ks_code code;
    *out = NULL;
    if (!row)
        row = ks_registry_find(options ? options->registry : NULL, name);
    if (!row)
        return ks_fail(context, KS_E_CONFIG_UNKNOWN_CLASS, KS_STAGE_CONFIG, KS_NO_OFFSET, "class_name",
                       "unknown class \"%.80s\"", class_name);
    KS_TRY(new_instance(&instance, context, config));
    record = ks_arena_get(&instance->arena, 1, sizeof(*record));
    if (record)
        *record = ks_value_record(&instance->arena, row->custom && module ? module : row->module, row->name,
                                  *ks_json_root(instance->json), row->custom ? class_name : NULL, 0);
    code = record && record->as.dict.members ? read_instance(instance, record, options) : context->error.code;
    if (code == KS_OK)
        *out = instance;
    else
        ks_instance_free(instance);
done:
    return code;
}

static ks_code to_keras2(ks_value *value, ks_context *context, ks_arena *arena, const ks_object *object) {
    ks_kind kind = object->row->kind;
    ks_losses losses;
    ks_training training = training_of(context, arena, &losses);
    const ks_value record = *value;
    ks_code code;
    training.registry = object->registry;
    code = trains(kind) ? ks_training_downgrade_object(value, &training, &record, kind)
                        : ks_config_downgrade_object(value, arena, &record, kind, &losses, "object", object->registry);
    ks_losses_fini(&losses);
    return code;
}

static ks_code write_instance(ks_text *out, const ks_instance *instance, ks_dialect dialect, bool config_only) {
    ks_write_options options = {.original = dialect == KS_DIALECT_KERAS2,
                                .keras2 = dialect == KS_DIALECT_KERAS2,
                                .words = dialect == KS_DIALECT_KERAS2 ? KS_WRITE_WORDS_ALL : KS_WRITE_WORDS_NONE};
    ks_json_writer writer;
    ks_arena arena;
    ks_value value;
    ks_code code;
    *out = (ks_text){NULL, 0};
    ks_arena_init(&arena, instance->context);
    code = ks_config_value(&value, instance->context, &arena, instance->object, &options);
    if (code == KS_OK && dialect == KS_DIALECT_KERAS2)
        code = to_keras2(&value, instance->context, &arena, instance->object);
    else if (code == KS_OK)
        code = ks_config_check_words(instance->context, &arena, &value, "object:");
    if (code == KS_OK) {
        ks_json_writer_init(&writer, instance->context, (ks_json_style){0, true});
        ks_json_put_value(&writer, config_only ? ks_value_get(&value, "config") : &value);
        code = ks_json_writer_finish(out, &writer);
    }
    ks_arena_fini(&arena);
    return code;
}

ks_code ks_serialize(ks_text *out, const ks_instance *instance) {
    return write_instance(out, instance, KS_DIALECT_KERAS3, false);
}

ks_code ks_serialize_as(ks_text *out, const ks_instance *instance, ks_dialect dialect) {
    *out = (ks_text){NULL, 0};
    if (dialect == KS_DIALECT_KERAS1)
        return ks_fail(instance->context, KS_E_USAGE, KS_STAGE_SAVE, KS_NO_OFFSET, NULL,
                       "objects are not written in the words of Keras 1");
    return write_instance(out, instance, dialect, false);
}

ks_code ks_get_config(ks_text *out, const ks_instance *instance) {
    return write_instance(out, instance, KS_DIALECT_KERAS3, true);
}

const char *ks_instance_class(const ks_instance *instance) {
    return instance->object->row->name;
}

const char *ks_instance_kind(const ks_instance *instance) {
    return ks_kind_name(instance->object->row->kind);
}

void ks_instance_free(ks_instance *instance) {
    if (!instance)
        return;
    ks_arena_fini(&instance->arena);
    ks_json_free(instance->json);
    ks_free(instance->context, instance);
}
