// SPDX-License-Identifier: Apache-2.0
//
// Upgrading a document of Keras 1 or 2, record by record: class names, base keys, names of functions, nested objects.
// What belongs to one class is in upgrade_keras2.c and upgrade_keras1.c, graphs are in upgrade_graph.c.
//
// Source of the rules: tf_keras saving/legacy/serialization.py, layers/serialization.py, engine/base_layer.py.
#include "config/upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "config/config_internal.h"

// --- generations ----------------------------------------------------------------------------------------------------

static const char *version_of(const ks_value *document, const ks_config_options *options) {
    const ks_value *version = ks_value_get(document, "keras_version");
    if (options->keras_version && options->keras_version[0])
        return options->keras_version;
    return version && version->type == KS_VALUE_STRING ? version->text.data : "";
}

const char *ks_config_keras_version(const ks_value *document, const ks_config_options *options) {
    return version_of(document, options);
}

ks_dialect ks_config_dialect(const ks_value *document, const ks_config_options *options) {
    const char *version = version_of(document, options);
    if (options->dialect != KS_DIALECT_AUTO)
        return options->dialect;
    if (version[0] == '0' || version[0] == '1')
        return KS_DIALECT_KERAS1;
    if (version[0] == '2')
        return KS_DIALECT_KERAS2;
    if (version[0] == '3' || ks_value_get(document, "module"))
        return KS_DIALECT_KERAS3;
    return ks__looks_like_keras1(document, 0) ? KS_DIALECT_KERAS1 : KS_DIALECT_KERAS2;
}

// --- functions and objects in configs -------------------------------------------------------------------------------

// hard_sigmoid of Keras 1 and 2 is 0.2x + 0.5; Keras 3 took x/6 + 0.5.
static ks_value upgrade_activation_name(const ks_value *name) {
    ks_value value = *name;
    if (ks_value_is_text(name, "hard_sigmoid"))
        value.text = ks_text_from("keras2.hard_sigmoid");
    else if (ks_value_is_text(name, "softmax_v2"))
        value.text = ks_text_from("softmax");
    return value;
}

static ks_code upgrade_activation(ks__upgrade *u, ks_value *value, const char *place) {
    const ks_value *name = ks_value_get(value, "class_name");
    const ks_value *config = ks_value_get(value, "config");
    if (name && config && config->type == KS_VALUE_STRING)
        *value = upgrade_activation_name(config); // {"class_name": "function", "config": "relu"}
    else if (name && config)
        return ks__upgrade_record(u, value, value, place);
    return KS_OK;
}

static const char *object_module(ks_key_type type) {
    return type == KS_KEY_INITIALIZER   ? "keras.initializers"
           : type == KS_KEY_REGULARIZER ? "keras.regularizers"
                                        : "keras.constraints";
}

// Names under which older versions wrote objects as records: TensorFlow 1 had a class for each of its own versions, and
// Keras 1 and 2.0 have the names of functions.
static const char *object_class(ks_kind kind, ks_text name) {
    const ks_class *row = ks_class_by_alias(kind, name);
    return row ? row->name : NULL;
}

static ks_code upgrade_object(ks__upgrade *u, ks_value *value, ks_key_type type) {
    ks_kind kind = type == KS_KEY_INITIALIZER   ? KS_KIND_INITIALIZER
                   : type == KS_KEY_REGULARIZER ? KS_KIND_REGULARIZER
                                                : KS_KIND_CONSTRAINT;
    const ks_value *name = ks_value_get(value, "class_name"), *inner = ks_value_get(value, "config");
    const char *class_name, *module = object_module(type);
    ks__dict record, config;
    ks_code code;
    if (!name || name->type != KS_VALUE_STRING || !inner || inner->type != KS_VALUE_DICT)
        return KS_OK;
    KS_TRY(ks__dict_copy_for(&record, u, value, 2)); // two of these for each layer: no more room than is used
    KS_TRY(ks__dict_copy_for(&config, u, inner, 0));
    ks__dict_remove(&config, "dtype");
    ks__dict_remove(&config, "name");
    ks__dict_rename(&config, "m", "max_value"); // MaxNorm of Keras 1
    class_name = object_class(kind, name->text);
    if (class_name)
        KS_TRY(ks__dict_set(&record, "class_name", ks__value_text(class_name, name->offset)));
    KS_TRY(ks__dict_set(&record, "config", ks__dict_value(&config)));
    if (ks_value_is_text(name, "Initializer"))
        module = "keras";
    else if (ks_value_is_text(name, "RadialConstraint"))
        module = "keras2.constraints";
    if (class_name || strncmp(module, "keras.", 6) != 0) // else a class of someone's own
        KS_TRY(ks__dict_set(&record, "module", ks__value_text(module, value->offset)));
    if (u->described)
        KS_TRY(ks__dict_set(&record, "original", *value));
    *value = ks__dict_value(&record);
done:
    return code;
}

static ks_code upgrade_layers(ks__upgrade *u, ks_value *value, const char *place) {
    ks_value list;
    ks_code code = KS_OK;
    if (value->type != KS_VALUE_LIST)
        return KS_OK;
    list = ks__value_list(u, value->as.list.count, value->offset);
    if (!list.as.list.items)
        return u->context->error.code;
    for (size_t i = 0; i < value->as.list.count && code == KS_OK; i++) {
        const char *inner = ks_arena_format(u->arena, "%s/%zu", place, i);
        if (!inner)
            return u->context->error.code;
        code = ks__upgrade_record(u, &list.as.list.items[i], &value->as.list.items[i], inner);
    }
    *value = list;
    return code;
}

static ks_key_type type_of_key(const ks_class *row, ks_text key) {
    for (size_t k = 0; k < row->n_keys; k++)
        if (ks_text_is(key, row->keys[k].name))
            return row->keys[k].type;
    return ks_text_is(key, "activity_regularizer") ? KS_KEY_REGULARIZER : KS_KEY_ANY;
}

// What holds records that have a place of their own.
static ks_code upgrade_nested(ks__upgrade *u, ks_member *member, ks_key_type type, const char *place) {
    const char *inner = ks_arena_format(u->arena, "%s/config/%s", place, member->key.data);
    if (!inner)
        return u->context->error.code;
    if (type == KS_KEY_ACTIVATION)
        return upgrade_activation(u, &member->value, inner);
    if (type == KS_KEY_LAYERS)
        return upgrade_layers(u, &member->value, inner);
    return ks__upgrade_record(u, &member->value, &member->value, inner);
}

// Values by the type of their key in Keras 3.
static ks_code upgrade_typed(ks__upgrade *u, const ks_class *row, ks__dict *config, const char *place) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < config->count && code == KS_OK; i++) {
        ks_member *member = &config->members[i];
        ks_key_type type = type_of_key(row, member->key);
        if (type == KS_KEY_INITIALIZER || type == KS_KEY_REGULARIZER || type == KS_KEY_CONSTRAINT)
            code = upgrade_object(u, &member->value, type);
        else if (type == KS_KEY_ACTIVATION && member->value.type == KS_VALUE_STRING) // nearly all of them
            member->value = upgrade_activation_name(&member->value);
        else if ((type == KS_KEY_ACTIVATION || type == KS_KEY_LAYER) && member->value.type == KS_VALUE_DICT)
            code = upgrade_nested(u, member, type, place);
        else if (type == KS_KEY_LAYERS)
            code = upgrade_nested(u, member, type, place);
    }
    return code;
}

// --- base keys ------------------------------------------------------------------------------------------------------

// {"class_name": "Policy", "config": {"name": "mixed_float16"}}
static ks_code upgrade_policy(ks__upgrade *u, ks__dict *config) {
    ks_value *dtype = ks__dict_get(config, "dtype");
    const ks_value *name = dtype ? ks_value_get(dtype, "class_name") : NULL;
    ks__dict policy;
    ks_code code = KS_OK;
    if (!name || !(ks_value_is_text(name, "Policy") || ks_value_is_text(name, "PolicyV1")))
        return KS_OK;
    KS_TRY(ks__dict_copy(&policy, u, dtype));
    KS_TRY(ks__dict_set(&policy, "class_name", ks__value_text("DTypePolicy", name->offset)));
    KS_TRY(ks__dict_set(&policy, "module", ks__value_text("keras", name->offset)));
    *dtype = ks__dict_value(&policy);
done:
    return code;
}

// Keys of every layer that say what a model's wiring says again.
static ks_code upgrade_base(ks__upgrade *u, ks__dict *config, bool input) {
    static const char *const dropped[] = {"batch_input_shape", "input_shape", "input_dtype", "batch_size",
                                          "experimental_autocast"};
    // Keras 3 has nothing for these; of a single object its "original" still says them.
    static const char *const kept[] = {"rng_type", "dynamic", "robust_masking"};
    const ks_value *autocast = ks__dict_get(config, "autocast");
    if (input) {
        ks__dict_rename(config, "batch_input_shape", "batch_shape");
        ks__dict_rename(config, "input_dtype", "dtype");
        return KS_OK;
    }
    for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
        ks__dict_remove(config, dropped[i]);
    for (size_t i = 0; u->described && i < sizeof(kept) / sizeof(kept[0]); i++)
        ks__dict_remove(config, kept[i]);
    if (autocast && autocast->type == KS_VALUE_BOOL) // with the policy float32 there is nothing to cast
        ks__dict_remove(config, "autocast");
    return upgrade_policy(u, config);
}

// --- records --------------------------------------------------------------------------------------------------------

static const ks_class *find_row(const char *name) {
    static const ks_text layers = {"keras.layers", 12}, second = {"keras2.layers", 13}, first = {"keras1.layers", 13},
                         base = {"keras", 5};
    const ks_class *row;
    if (strcmp(name, "Functional") == 0)
        return &ks_class_Functional;
    if (strcmp(name, "Sequential") == 0)
        return &ks_class_Sequential;
    row = ks_class_find(ks_text_from(name), &layers);
    if (!row)
        row = ks_class_find(ks_text_from(name), &second);
    if (!row)
        row = ks_class_find(ks_text_from(name), &first);
    if (!row && strcmp(name, "Layer") == 0)
        row = ks_class_find(ks_text_from(name), &base);
    return row;
}

static bool is_record(const ks_value *record) {
    const ks_value *name = ks_value_get(record, "class_name"), *config = ks_value_get(record, "config");
    return name && name->type == KS_VALUE_STRING && config &&
           (config->type == KS_VALUE_DICT || (config->type == KS_VALUE_LIST && ks_value_is_text(name, "Sequential")));
}

// A config that is a list is that of a Sequential model until Keras 2.1; it has no name of its own.
static ks_code copy_config(ks__dict *out, ks__upgrade *u, const ks_value *record) {
    const ks_value *config = ks_value_get(record, "config"), *name = ks_value_get(record, "name");
    ks_code code;
    if (config->type == KS_VALUE_DICT)
        return ks__dict_copy(out, u, config);
    KS_TRY(ks__dict_copy(out, u, NULL));
    out->offset = config->offset;
    KS_TRY(ks__dict_set(out, "name", name ? *name : ks__value_text("sequential_1", config->offset)));
    KS_TRY(ks__dict_set(out, "layers", *config));
done:
    return code;
}

// The class in Keras 3, with the class's own changes made.
static ks_code upgrade_class(ks__upgrade *u, const ks_class **row, ks__dict *record, ks__dict *config,
                             const char *place) {
    const ks_value *name = ks__dict_get(record, "class_name");
    const ks__old_class *old;
    ks_code code = KS_OK;
    if (u->dialect == KS_DIALECT_KERAS1) {
        KS_TRY(ks__keras1_branches(u, record, config, place));
        KS_TRY(ks__upgrade_keras1(u, record, config, place));
        name = ks__dict_get(record, "class_name");
    }
    old = ks__keras2_class(name->text);
    if (old)
        KS_TRY(ks__dict_set(record, "class_name", ks__value_text(old->name, name->offset)));
    KS_TRY(upgrade_base(u, config, ks_value_is_text(ks__dict_get(record, "class_name"), "InputLayer")));
    if (old && old->fix)
        KS_TRY(old->fix(u, record, config, place));
    *row = find_row(ks__dict_get(record, "class_name")->text.data);
    if (*row)
        KS_TRY(upgrade_typed(u, *row, config, place));
done:
    return code;
}

static ks_code upgrade_known(ks__upgrade *u, ks_value *out, const ks_value *original, const char *place) {
    const ks_class *row = NULL;
    const ks_value *module;
    ks__dict record, config;
    ks_code code;
    KS_TRY(ks__dict_copy(&record, u, original));
    KS_TRY(copy_config(&config, u, original));
    module = ks__dict_get(&record, "module");
    KS_TRY(upgrade_class(u, &row, &record, &config, place));
    if (row == &ks_class_Functional)
        KS_TRY(ks__upgrade_functional(u, &record, &config, place));
    else if (row == &ks_class_Sequential)
        KS_TRY(ks__upgrade_sequential(u, &record, &config, place));
    ks__dict_remove(&record, "build_config"); // the wiring tells the shapes
    ks__dict_remove(&record, "shared_object_id");
    if (row && row->kind != KS_KIND_OPERATION)
        KS_TRY(ks__dict_set(&record, "module", ks__value_text(row->module, original->offset)));
    else if (!module)
        KS_TRY(ks__dict_set(&record, "module", ks__value_text("keras.layers", original->offset)));
    KS_TRY(ks__dict_set(&record, "config", ks__dict_value(&config)));
    KS_TRY(ks__dict_set(&record, "original", *original));
    *out = ks__dict_value(&record);
done:
    return code;
}

ks_code ks__upgrade_record(ks__upgrade *u, ks_value *out, const ks_value *record, const char *place) {
    ks_value original = *record; // `out` may be `record`
    ks_code code;
    if (!is_record(record)) {
        *out = *record;
        return KS_OK;
    }
    if (u->depth >= (int)u->context->limits.model_depth)
        return ks__upgrade_fail(u, KS_E_CONFIG_DEPTH, record, place, NULL, "objects are nested more than %d deep",
                                (int)u->context->limits.model_depth);
    u->depth++;
    code = upgrade_known(u, out, &original, place);
    u->depth--;
    return code;
}

// --- single objects -------------------------------------------------------------------------------------------------

static ks_code upgrade_lone_policy(ks__upgrade *u, ks_value *value) {
    ks__dict config;
    ks_code code;
    KS_TRY(ks__dict_copy(&config, u, NULL));
    KS_TRY(ks__dict_set(&config, "dtype", *value));
    KS_TRY(upgrade_policy(u, &config));
    *value = *ks__dict_get(&config, "dtype");
done:
    return code;
}

ks_code ks__upgrade_object(ks_value *value, ks_context *context, ks_arena *arena, ks_kind kind) {
    ks__upgrade u = {.context = context, .arena = arena, .dialect = KS_DIALECT_KERAS2, .described = true};
    if (kind == KS_KIND_POLICY)
        return upgrade_lone_policy(&u, value);
    return upgrade_object(&u, value,
                          kind == KS_KIND_INITIALIZER   ? KS_KEY_INITIALIZER
                          : kind == KS_KIND_REGULARIZER ? KS_KEY_REGULARIZER
                                                        : KS_KEY_CONSTRAINT);
}

int ks__version_number(const char *keras_version) {
    char *end;
    long major = strtol(keras_version, &end, 10), minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    return major > 0 && major < 100 && minor >= 0 && minor < 100 ? (int)(100 * major + minor) : 0;
}

// Without a version the newer kind is assumed.
bool ks__multi_backend(ks_dialect dialect, const char *keras_version) {
    if (dialect != KS_DIALECT_KERAS2)
        return dialect == KS_DIALECT_KERAS1;
    return keras_version[0] == '2' && keras_version[1] == '.' && strtol(keras_version + 2, NULL, 10) < 4 &&
           !strstr(keras_version, "-tf");
}

ks_code ks__upgrade_document(const ks_value **out, ks_context *context, ks_arena *arena, const ks_value *document,
                             ks_dialect dialect, const char *keras_version, bool described, const char *place) {
    ks__upgrade u = {.context = context, .arena = arena, .dialect = dialect};
    ks_value *upgraded = ks_arena_get(arena, 1, sizeof(*upgraded));
    if (!upgraded)
        return context->error.code;
    u.version = ks__version_number(keras_version);
    u.described = described;
    u.multi_backend = ks__multi_backend(dialect, keras_version);
    u.channels_first = dialect == KS_DIALECT_KERAS1 && ks__channels_first(document, 0);
    *out = upgraded;
    return ks__upgrade_record(&u, upgraded, document, place);
}
