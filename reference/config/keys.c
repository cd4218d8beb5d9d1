// SPDX-License-Identifier: Apache-2.0
//
// Config keys: every key of a record is known to the class's table and read into its params struct, or it is an error
// by name. Base keys of every layer: name, trainable, dtype, autocast, activity_regularizer. Source: Keras 3
// layers/layer.py, dtype_policies/__init__.py.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value_make.h"
#include "config/config_internal.h"
#include "config/registry.h"

typedef struct field {
    ks__reader *reader;
    ks_object *object;
    const ks_key *key;
    const ks_value *value;
    void *out;
} field;

static ks_code wrong_type(const field *f, const char *expected) {
    return ks__config_fail(f->reader, KS_E_CONFIG_TYPE, f->value, f->object->place, f->key->name,
                           "expected %s, found %s", expected, ks_value_type_name(f->value->type));
}

static ks_code check_range(const field *f, const ks_value *value, int64_t number) {
    if (f->key->minimum >= f->key->maximum || (number >= f->key->minimum && number <= f->key->maximum))
        return KS_OK;
    return ks__config_fail(f->reader, number > f->key->maximum ? KS_E_OVER_SIZE : KS_E_CONFIG_VALUE, value,
                           f->object->place, f->key->name, "expected %lld to %lld, found %lld",
                           (long long)f->key->minimum, (long long)f->key->maximum, (long long)number);
}

// An int, or a float that is one (JSON of some writers has 3.0).
static bool value_int(const ks_value *value, int64_t *out) {
    if (value->type != KS_VALUE_INT || !value->fits)
        return false;
    *out = value->as.integer;
    return true;
}

static ks_code read_int(const field *f) {
    int64_t *out = f->out;
    if (f->value->type == KS_VALUE_NULL) {
        *out = KS_NULL_INT;
        return KS_OK;
    }
    if (f->value->type == KS_VALUE_INT && !f->value->fits)
        return ks__config_fail(f->reader, KS_E_OVER_SIZE, f->value, f->object->place, f->key->name,
                               "an integer beyond 64 bits");
    if (!value_int(f->value, out))
        return wrong_type(f, "an integer");
    return check_range(f, f->value, *out);
}

static ks_code read_float(const field *f) {
    double *out = f->out;
    if (f->value->type == KS_VALUE_NULL)
        *out = (double)NAN;
    else if (!ks_value_number(f->value, out))
        return wrong_type(f, "a number");
    return KS_OK;
}

static ks_code read_choice(const field *f) {
    int *out = f->out;
    *out = -1;
    if (f->value->type == KS_VALUE_NULL)
        return KS_OK;
    if (f->value->type != KS_VALUE_STRING)
        return wrong_type(f, "a string");
    for (int i = 0; f->key->choices[i]; i++)
        if (ks_text_is(f->value->text, f->key->choices[i]))
            *out = i;
    if (*out >= 0)
        return KS_OK;
    return ks__config_fail(f->reader, KS_E_CONFIG_CHOICE, f->value, f->object->place, f->key->name,
                           "\"%.60s\" is none of its choices (\"%s\", …)", f->value->text.data, f->key->choices[0]);
}

static ks_code add_int(const field *f, ks_ints *out, const ks_value *value) {
    int64_t number;
    if (out->count == KS_MAX_INTS)
        return ks__config_fail(f->reader, KS_E_CONFIG_VALUE, value, f->object->place, f->key->name,
                               "more than %d integers", KS_MAX_INTS);
    if (!value_int(value, &number))
        return ks__config_fail(f->reader, KS_E_CONFIG_TYPE, value, f->object->place, f->key->name,
                               "expected integers, found %s", ks_value_type_name(value->type));
    out->items[out->count++] = number;
    return check_range(f, value, number);
}

static ks_code read_ints(const field *f) {
    ks_ints *out = f->out;
    ks_code code = KS_OK;
    out->count = 0;
    out->scalar = f->value->type == KS_VALUE_INT;
    if (f->value->type == KS_VALUE_NULL)
        return KS_OK;
    if (out->scalar) {
        for (int i = 0; i < (f->key->length ? f->key->length : 1); i++)
            KS_TRY(add_int(f, out, f->value));
        return KS_OK;
    }
    if (f->value->type != KS_VALUE_LIST)
        return wrong_type(f, "an integer or a list of integers");
    for (size_t i = 0; i < f->value->as.list.count; i++)
        KS_TRY(add_int(f, out, &f->value->as.list.items[i]));
    if (f->key->length && out->count != f->key->length)
        return ks__config_fail(f->reader, KS_E_CONFIG_VALUE, f->value, f->object->place, f->key->name,
                               "expected %d integers, found %d", f->key->length, (int)out->count);
done:
    return code;
}

// [[a, b], [c, d]]; [a, c] stands for [[a, a], [c, c]] and a for [a, a] on every axis; for one axis [a, b] is the pair.
static ks_code read_pairs(const field *f) {
    const ks_value *value = f->value;
    ks_ints *out = f->out;
    ks_code code = KS_OK;
    int length = f->key->length;
    out->count = 0;
    if (value->type == KS_VALUE_NULL)
        return KS_OK;
    if (value->type == KS_VALUE_INT) {
        for (int i = 0; i < 2 * length; i++)
            KS_TRY(add_int(f, out, value));
        return KS_OK;
    }
    if (value->type != KS_VALUE_LIST || value->as.list.count != (size_t)(length == 1 ? 2 : length))
        return wrong_type(f, "one integer or pair per axis");
    for (size_t i = 0; i < value->as.list.count; i++) {
        const ks_value *item = &value->as.list.items[i];
        bool pair = item->type == KS_VALUE_LIST;
        if (pair && (length == 1 || item->as.list.count != 2))
            return wrong_type(f, "one integer or pair per axis");
        KS_TRY(add_int(f, out, pair ? &item->as.list.items[0] : item));
        if (pair || length != 1)
            KS_TRY(add_int(f, out, pair ? &item->as.list.items[1] : item));
    }
done:
    return code;
}

bool ks__shape_from_value(ks_shape *out, const ks_value *value) {
    if (value->type != KS_VALUE_LIST || value->as.list.count > KS_MAX_RANK)
        return false;
    out->rank = (int32_t)value->as.list.count;
    for (int i = 0; i < out->rank; i++) {
        const ks_value *item = &value->as.list.items[i];
        if (item->type == KS_VALUE_NULL)
            out->dims[i] = KS_UNKNOWN_DIM;
        else if (!value_int(item, &out->dims[i]) || out->dims[i] < 0)
            return false;
    }
    return true;
}

static ks_code read_shape(const field *f) {
    ks_shape *out = f->out;
    memset(out, 0, sizeof(*out));
    out->rank = -1;
    if (f->value->type == KS_VALUE_NULL || ks__shape_from_value(out, f->value))
        return KS_OK;
    return ks__config_fail(f->reader, KS_E_CONFIG_TYPE, f->value, f->object->place, f->key->name,
                           "expected a shape: a list of at most %d sizes or nulls", KS_MAX_RANK);
}

// --- nested numbers -------------------------------------------------------------------------------------------------

static ks_code numbers_shape(const field *f, ks_shape *shape, const ks_value *value) {
    shape->rank = 0;
    while (value->type == KS_VALUE_LIST) {
        if (shape->rank == 8)
            return wrong_type(f, "numbers nested at most 8 deep");
        shape->dims[shape->rank++] = (int64_t)value->as.list.count;
        if (value->as.list.count == 0)
            break;
        value = &value->as.list.items[0];
    }
    return KS_OK;
}

static ks_code numbers_fill(const field *f, double *out, size_t *n, const ks_shape *shape, int axis,
                            const ks_value *value) {
    ks_code code = KS_OK;
    if (axis == shape->rank) {
        if (!ks_value_number(value, &out[(*n)++]))
            return ks__config_fail(f->reader, KS_E_CONFIG_TYPE, value, f->object->place, f->key->name,
                                   "expected a number, found %s", ks_value_type_name(value->type));
        return KS_OK;
    }
    if (value->type != KS_VALUE_LIST || (int64_t)value->as.list.count != shape->dims[axis])
        return ks__config_fail(f->reader, KS_E_CONFIG_VALUE, value, f->object->place, f->key->name,
                               "nested lists of different lengths");
    for (size_t i = 0; i < value->as.list.count && code == KS_OK; i++)
        code = numbers_fill(f, out, n, shape, axis + 1, &value->as.list.items[i]);
    return code;
}

static ks_code read_numbers(const field *f) {
    ks_numbers *out = f->out;
    const ks_value *value = f->value;
    uint64_t elements;
    double *items;
    ks_code code;
    memset(out, 0, sizeof(*out));
    if (value->type == KS_VALUE_NULL)
        return KS_OK;
    if (value->type == KS_VALUE_DICT) { // {"class_name": "__numpy__", "config": {"value": …, "dtype": …}}
        const ks_value *name = ks_value_get(value, "class_name");
        const ks_value *inner = ks_value_get(value, "config");
        if (!name || !(ks_value_is_text(name, "__numpy__") || ks_value_is_text(name, "__tensor__")))
            return wrong_type(f, "numbers");
        value = inner ? ks_value_get(inner, "value") : NULL;
        if (!value)
            return wrong_type(f, "numbers with a \"value\"");
    }
    KS_TRY(numbers_shape(f, &out->shape, value));
    if (!ks_shape_elements(&out->shape, &elements) || elements > f->reader->context->limits.tensor_elements)
        return wrong_type(f, "fewer numbers");
    items = ks_arena_get(f->reader->arena, (size_t)elements + 1, sizeof(*items));
    if (!items)
        return f->reader->context->error.code;
    KS_TRY(numbers_fill(f, items, &out->count, &out->shape, 0, value));
    out->items = items;
done:
    return code;
}

// --- objects --------------------------------------------------------------------------------------------------------

static const char *key_place(const field *f) {
    return ks_arena_path(f->reader->arena, f->object->place, f->key->name);
}

static ks_code read_kind(const field *f, ks_object **out, const ks_value *value, const char *place, ks_kind kind) {
    ks_code code = ks__read_record(out, f->reader, value, place);
    bool layer = kind == KS_KIND_LAYER && code == KS_OK && (*out)->row->kind == KS_KIND_MODEL;
    if (code == KS_OK && (*out)->row->kind != kind && !layer)
        return ks__config_fail(f->reader, KS_E_CONFIG_TYPE, value, place, NULL, "expected a %s, found the %s %s",
                               ks_kind_name(kind), ks_kind_name((*out)->row->kind), (*out)->row->name);
    return code;
}

static ks_code unknown_name(const field *f, const char *kind, const ks_value *name) {
    return ks__config_fail(f->reader, KS_E_CONFIG_UNKNOWN_NAME, name, f->object->place, f->key->name,
                           "unknown %s \"%.80s\"; a custom one can be registered (ks_registry_registered), passed at "
                           "load (--custom FILE.so) or put in scope (ks_registry_push)",
                           kind, name->text.data);
}

static const ks_class *find_function(const field *f, const ks_value *name) {
    const ks_class *row =
        name && name->type == KS_VALUE_STRING ? ks_registry_find(f->reader->registry, name->text) : NULL;
    return row && row->kind == KS_KIND_FUNCTION ? row : NULL;
}

// A function that is only named: as the record that Keras 3 makes of it.
static ks_value *record_of_function(const field *f, const ks_value *name) {
    ks_value *record = ks_arena_get(f->reader->arena, 1, sizeof(*record)), *kept;
    const char *end = memchr(name->text.data, '>', name->text.size);
    ks_value plain = *name;
    if (!record)
        return NULL;
    if (end)
        plain.text = (ks_text){end + 1, name->text.size - (size_t)(end + 1 - name->text.data)};
    *record = ks_value_record(f->reader->arena, "builtins", "function", plain, "", 0);
    kept = (ks_value *)(uintptr_t)ks_value_get(record, "registered_name"); // made here
    if (!kept)
        return NULL;
    *kept = *name;
    return record;
}

// A custom function as an object without config: an activation, which is called like a layer, an initializer, ….
static ks_code function_object(const field *f, ks_object **out, const ks_class *row, const ks_value *record,
                               const ks_value *name) {
    ks_object *object = ks_arena_get(f->reader->arena, 1, sizeof(*object));
    if (!object)
        return f->reader->context->error.code;
    object->row = row;
    object->name = row->name;
    object->place = f->object->place;
    object->source = record ? record : record_of_function(f, name);
    object->registry = f->reader->registry;
    object->built = true;
    object->compute_dtype = object->variable_dtype = KS_FLOAT32;
    *out = object;
    return object->source ? KS_OK : f->reader->context->error.code;
}

// {"module", "class_name": "function", "config": name, "registered_name": name}: its name, else NULL.
static const ks_value *function_name(const ks_value *record) {
    const ks_value *name = ks_value_get(record, "class_name"), *config = ks_value_get(record, "config");
    return name && ks_value_is_text(name, "function") && config && config->type == KS_VALUE_STRING ? config : NULL;
}

static ks_code function_by_record(const field *f, ks_object **out, const char *kind, const ks_value *record,
                                  const ks_value *name) {
    const ks_class *row = find_function(f, ks_value_get(record, "registered_name"));
    if (!row)
        row = find_function(f, name);
    return row ? function_object(f, out, row, record, name) : unknown_name(f, kind, name);
}

static ks_code object_by_name(const field *f, ks_object **out, ks_kind kind) {
    const ks_class *row = ks_class_by_alias(kind, f->value->text);
    ks_object *object;
    if (!row && find_function(f, f->value))
        return function_object(f, out, find_function(f, f->value), NULL, f->value);
    if (!row)
        return unknown_name(f, ks_kind_name(kind), f->value);
    object = ks_arena_get(f->reader->arena, 1, sizeof(*object));
    if (!object)
        return f->reader->context->error.code;
    object->row = row;
    object->name = row->name;
    object->place = f->object->place;
    object->params = ks_arena_get(f->reader->arena, 1, row->params_size ? row->params_size : 1);
    if (!object->params)
        return f->reader->context->error.code;
    *out = object;
    return ks__read_keys(f->reader, object); // a name carries no config: all defaults
}

static ks_code read_object(const field *f, ks_kind kind) {
    ks_object **out = f->out;
    const char *place;
    *out = NULL;
    if (f->value->type == KS_VALUE_NULL)
        return KS_OK;
    if (f->value->type == KS_VALUE_STRING && kind != KS_KIND_LAYER)
        return object_by_name(f, out, kind);
    if (kind != KS_KIND_LAYER && function_name(f->value))
        return function_by_record(f, out, ks_kind_name(kind), f->value, function_name(f->value));
    place = key_place(f);
    if (!place)
        return f->reader->context->error.code;
    return read_kind(f, out, f->value, place, kind);
}

static ks_code read_layers(const field *f) {
    ks_objects *out = f->out;
    ks_code code = KS_OK;
    if (f->value->type == KS_VALUE_NULL)
        return KS_OK;
    if (f->value->type != KS_VALUE_LIST)
        return wrong_type(f, "a list of layers");
    out->items = ks_arena_get(f->reader->arena, f->value->as.list.count + 1, sizeof(ks_object *));
    if (!out->items)
        return f->reader->context->error.code;
    for (size_t i = 0; i < f->value->as.list.count && code == KS_OK; i++) {
        const char *place = ks_arena_format(f->reader->arena, "%s/%s/%zu", f->object->place, f->key->name, i);
        if (!place)
            return f->reader->context->error.code;
        code = read_kind(f, &out->items[i], &f->value->as.list.items[i], place, KS_KIND_LAYER);
        out->count = i + 1;
    }
    return code;
}

static ks_code activation_by_name(const field *f, ks_activation *out, const ks_value *name) {
    out->id = ks_activation_by_name(name->text);
    if (out->id >= KS_FIRST_OLD_ACTIVATION && f->reader->dialect == KS_DIALECT_KERAS3)
        out->id = KS_N_ACTIVATIONS; // a word that only upgraded documents have
    if (out->id != KS_N_ACTIVATIONS)
        return KS_OK;
    out->id = KS_ACTIVATION_LAYER;
    if (find_function(f, name))
        return function_object(f, &out->layer, find_function(f, name), NULL, name);
    return unknown_name(f, "activation", name);
}

static ks_code function_record(const field *f, ks_activation *out, const ks_value *record, const ks_value *name) {
    const ks_class *row = find_function(f, ks_value_get(record, "registered_name"));
    if (!row)
        row = find_function(f, name);
    if (!row)
        return activation_by_name(f, out, name);
    out->id = KS_ACTIVATION_LAYER;
    return function_object(f, &out->layer, row, record, name);
}

static ks_code read_activation(const field *f) {
    ks_activation *out = f->out;
    const ks_value *value = f->value;
    const char *place;
    out->id = KS_ACTIVATION_LINEAR;
    out->layer = NULL;
    if (value->type == KS_VALUE_NULL)
        return KS_OK;
    if (value->type == KS_VALUE_STRING)
        return activation_by_name(f, out, value);
    if (value->type != KS_VALUE_DICT)
        return wrong_type(f, "the name of an activation or an object");
    if (function_name(value))
        return function_record(f, out, value, function_name(value));
    place = key_place(f);
    if (!place)
        return f->reader->context->error.code;
    out->id = KS_ACTIVATION_LAYER;
    return read_kind(f, &out->layer, value, place, KS_KIND_LAYER);
}

static ks_code read_field(const field *f) {
    if (f->value->type == KS_VALUE_NULL && !(f->key->flags & KS_NULLABLE))
        return wrong_type(f, "a value");
    switch (f->key->type) {
    case KS_KEY_BOOL:
        if (f->value->type == KS_VALUE_NULL)
            return KS_OK;
        if (f->value->type != KS_VALUE_BOOL)
            return wrong_type(f, "true or false");
        *(bool *)f->out = f->value->as.boolean;
        return KS_OK;
    case KS_KEY_INT:
        return read_int(f);
    case KS_KEY_FLOAT:
        return read_float(f);
    case KS_KEY_TEXT:
        memset(f->out, 0, sizeof(ks_text));
        if (f->value->type == KS_VALUE_STRING)
            *(ks_text *)f->out = f->value->text;
        else if (f->value->type != KS_VALUE_NULL)
            return wrong_type(f, "a string");
        return KS_OK;
    case KS_KEY_CHOICE:
        return read_choice(f);
    case KS_KEY_INTS:
        return read_ints(f);
    case KS_KEY_PAIRS:
        return read_pairs(f);
    case KS_KEY_NUMBERS:
        return read_numbers(f);
    case KS_KEY_SHAPE:
        return read_shape(f);
    case KS_KEY_ACTIVATION:
        return read_activation(f);
    case KS_KEY_INITIALIZER:
        return read_object(f, KS_KIND_INITIALIZER);
    case KS_KEY_REGULARIZER:
        return read_object(f, KS_KIND_REGULARIZER);
    case KS_KEY_CONSTRAINT:
        return read_object(f, KS_KIND_CONSTRAINT);
    case KS_KEY_LAYER:
        return read_object(f, KS_KIND_LAYER);
    case KS_KEY_LAYERS:
        return read_layers(f);
    case KS_KEY_ANY:
        *(const ks_value **)f->out = f->value;
        return ks__check_value(f->reader, f->value, f->object->place);
    }
    return KS_OK;
}

// --- defaults -------------------------------------------------------------------------------------------------------

static ks_code apply_default(field *f) {
    if (f->key->flags & KS_REQUIRED)
        return ks__config_fail(f->reader, KS_E_CONFIG_MISSING, f->object->config, f->object->place, f->key->name,
                               "%s needs this key", f->object->row->name);
    f->value = ks__default_value(f->reader->arena, f->key->otherwise);
    return f->value ? read_field(f) : f->reader->context->error.code;
}

// --- base keys ------------------------------------------------------------------------------------------------------

static ks_code no_policy(const field *f, const ks_value *name) {
    return ks__config_fail(f->reader, KS_E_CONFIG_POLICY, name, f->object->place, f->key->name,
                           "dtype policy \"%.80s\" cannot be run by this reference", name->text.data);
}

// {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}; `name` NULL: the common policy. The
// class is found by its name alone: any module will do, but null means a class that nobody exported.
static ks_code read_policy_record(const field *f, const ks_value **name) {
    const ks_value *class_name = ks_value_get(f->value, "class_name");
    const ks_value *config = ks_value_get(f->value, "config");
    const ks_value *module = ks_value_get(f->value, "module");
    if (!class_name || class_name->type != KS_VALUE_STRING || !config || config->type != KS_VALUE_DICT)
        return wrong_type(f, "a dtype policy");
    if (module && module->type == KS_VALUE_NULL)
        return ks__config_fail(f->reader, KS_E_CONFIG_RECORD, module, f->object->place, f->key->name,
                               "the class of a dtype policy has no module");
    if (!ks_text_is(class_name->text, "DTypePolicy") && !ks_text_is(class_name->text, "FloatDTypePolicy"))
        return no_policy(f, class_name);
    for (size_t i = 0; i < config->as.dict.count; i++)
        if (!ks_text_is(config->as.dict.members[i].key, "name"))
            return ks__config_fail(f->reader, KS_E_CONFIG_UNKNOWN_KEY, &config->as.dict.members[i].value,
                                   f->object->place, f->key->name, "a dtype policy has no config key \"%.80s\"",
                                   config->as.dict.members[i].key.data);
    *name = ks_value_get(config, "name");
    return KS_OK;
}

// A policy: null, "float32", or a record.
static ks_code read_policy(const field *f) {
    const ks_value *name = f->value;
    ks_code code = KS_OK;
    if (f->reader->described)
        return ks__check_value(f->reader, f->value, f->object->place);
    if (name->type == KS_VALUE_DICT)
        code = read_policy_record(f, &name);
    if (code != KS_OK || !name || name->type == KS_VALUE_NULL)
        return code;
    if (name->type != KS_VALUE_STRING)
        return wrong_type(f, "the name of a dtype policy");
    if (ks_text_is(name->text, "float32"))
        return KS_OK;
    if (f->object->row->policy && ks_text_is(name->text, f->object->row->policy))
        return KS_OK;
    return no_policy(f, name);
}

typedef enum base_key {
    BASE_NAME,
    BASE_TRAINABLE,
    BASE_DTYPE,
    BASE_AUTOCAST,
    BASE_ACTIVITY_REGULARIZER,
    N_BASE
} base_key;

static const ks_key base_keys[N_BASE] = {
    [BASE_NAME] = {KS_NAMED("name"), .type = KS_KEY_TEXT, .flags = KS_NULLABLE},
    [BASE_TRAINABLE] = {KS_NAMED("trainable"), .type = KS_KEY_BOOL, .flags = KS_INERT},
    [BASE_DTYPE] = {KS_NAMED("dtype"), .type = KS_KEY_ANY, .flags = KS_NULLABLE},
    [BASE_AUTOCAST] = {KS_NAMED("autocast"), .type = KS_KEY_BOOL},
    [BASE_ACTIVITY_REGULARIZER] = {KS_NAMED("activity_regularizer"), .type = KS_KEY_REGULARIZER, .flags = KS_NULLABLE},
};

static bool has_base_keys(const ks_class *row) {
    return row->kind == KS_KIND_LAYER || row->kind == KS_KIND_MODEL || row->kind == KS_KIND_OPERATION;
}

// Keras 3 makes paths of names and takes no "/" in one; Keras 1 and 2 do.
static ks_code read_name(field *f) {
    ks_text name;
    ks_code code;
    f->out = &name;
    KS_TRY(read_field(f));
    if (!name.data)
        return KS_OK;
    if (memchr(name.data, 0, name.size))
        return ks__config_fail(f->reader, KS_E_CONFIG_UNSUPPORTED_VALUE, f->value, f->object->place, f->key->name,
                               "a name with a NUL in it cannot be kept by this reference");
    if (f->reader->dialect == KS_DIALECT_KERAS3 && memchr(name.data, '/', name.size))
        return ks__config_fail(f->reader, KS_E_CONFIG_VALUE, f->value, f->object->place, f->key->name,
                               "expected a name without \"/\", found \"%.80s\"", name.data);
    f->object->name = name.data;
done:
    return code;
}

static ks_code read_base(field *f, base_key which) {
    bool autocast = true;
    ks_object *regularizer;
    ks_code code;
    switch (which) {
    case BASE_NAME:
        return read_name(f);
    case BASE_TRAINABLE:
        f->out = &f->object->trainable;
        return read_field(f);
    case BASE_DTYPE:
        return read_policy(f);
    case BASE_AUTOCAST:
        f->out = &autocast;
        code = read_field(f);
        if (code == KS_OK && !autocast)
            return ks__config_fail(f->reader, KS_E_CONFIG_UNSUPPORTED_VALUE, f->value, f->object->place, "autocast",
                                   "layers without autocast cannot be run by this reference");
        return code;
    case BASE_ACTIVITY_REGULARIZER:
        f->out = &regularizer;
        return read_field(f);
    case N_BASE:
        break;
    }
    return KS_OK;
}

// Position of `name` in the table, searched from where the last key was found: files list keys in the table's order.
static size_t find_key(const ks_key *keys, size_t count, size_t start, ks_text name) {
    for (size_t i = 0; i < count; i++) {
        size_t at = start + i < count ? start + i : start + i - count;
        if (name.size == keys[at].name_size && memcmp(name.data, keys[at].name, name.size) == 0)
            return at;
    }
    return count;
}

// No layer has keys of these names of its own, and every layer's config has these first: with the row's keys before
// them each would be compared with all of the row's. (A custom class may have any key.)
static size_t common_base_key(const ks_class *row, ks_text name) {
    if (!has_base_keys(row) || row->custom)
        return N_BASE;
    if (name.size == 4 && memcmp(name.data, "name", 4) == 0)
        return BASE_NAME;
    return name.size == 9 && memcmp(name.data, "trainable", 9) == 0 ? BASE_TRAINABLE : N_BASE;
}

static bool model_ignores(const ks_object *object) {
    return object->row->kind == KS_KIND_MODEL; // its own reader takes what it needs; Keras ignores the rest
}

ks_code ks__read_keys(ks__reader *reader, ks_object *object) {
    const ks_class *row = object->row;
    const ks_value *config = object->config;
    union {
        ks_ints ints;
        ks_numbers numbers;
        ks_shape shape;
    } unused; // what a key without a field gives
    uint64_t seen = 0;
    size_t cursor = 0;
    ks_code code = KS_OK;

    for (size_t i = 0; config && i < config->as.dict.count; i++) {
        const ks_member *member = &config->as.dict.members[i];
        size_t base = common_base_key(row, member->key);
        size_t at = base < N_BASE ? row->n_keys : find_key(row->keys, row->n_keys, cursor, member->key);
        field f = {.reader = reader, .object = object, .value = &member->value};
        if (at < row->n_keys) {
            f.key = &row->keys[at];
            f.out = f.key->offset == KS_LOOSE ? (void *)&unused : (char *)object->params + f.key->offset;
            KS_TRY(read_field(&f));
            seen |= UINT64_C(1) << at;
            cursor = at + 1;
            continue;
        }
        if (base == N_BASE && has_base_keys(row))
            base = find_key(base_keys, N_BASE, 0, member->key);
        if (base < N_BASE) {
            f.key = &base_keys[base];
            KS_TRY(read_base(&f, (base_key)base));
        } else if (!model_ignores(object)) {
            return ks__config_fail(reader, KS_E_CONFIG_UNKNOWN_KEY, &member->value, object->place, member->key.data,
                                   "%s has no config key of this name", row->name);
        }
    }
    for (size_t i = 0; i < row->n_keys; i++) {
        if (seen >> i & 1)
            continue;
        field f = {.reader = reader, .object = object, .key = &row->keys[i]};
        if (f.key->offset == KS_LOOSE && !(f.key->flags & KS_REQUIRED))
            continue;
        f.out = f.key->offset == KS_LOOSE ? (void *)&unused : (char *)object->params + f.key->offset;
        KS_TRY(apply_default(&f));
    }
    if (row->check)
        code = row->check(reader->context, object);
    if (code != KS_OK && reader->described && ks_code_verdict(code) == KS_UNSUPPORTED) {
        memset(&reader->context->error, 0, sizeof(reader->context->error)); // it need not run here
        code = KS_OK;
    }
done:
    return code;
}
