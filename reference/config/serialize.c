// SPDX-License-Identifier: Apache-2.0
//
// One object as Keras 3.15.1's record:
//
//   {"module": "keras.layers", "class_name": "Dense", "config": {…}, "registered_name": null,
//    "build_config": {…} of layers that were built, "compile_config": {} of models}
//
// Source: Keras 3 saving/serialization_lib.py, serialize_keras_object. Objects that Keras shares by "shared_object_id"
// are written out each time, as it does outside of model.save().
#include "config/serialize.h"

#include <string.h>

#include <kassay/plugin.h>

#include "config/serialize_internal.h"
#include "config/word_list.h"
#include "schema/custom.h"
#include "schema/key_row.h"
#include "schema/lookup.h"

static ks_code failed(const ks__serializer *s) {
    return s->context->error.code;
}

static ks_code put(ks__serializer *s, ks_value *dict, const char *key, ks_value value) {
    ks_value *place = ks_value_put(dict, key);
    if (!place)
        return failed(s);
    *place = value;
    return KS_OK;
}

// --- values ---------------------------------------------------------------------------------------------------------

static ks_code read_described(ks_object **out, ks__serializer *s, const ks_value *record, const char *place) {
    ks__reader reader = {.context = s->context, .arena = s->arena, .described = true, .depth = s->depth};
    reader.registry = s->registry;
    reader.dialect = KS_DIALECT_KERAS3;
    return ks__read_record(out, &reader, record, place);
}

static ks_code copy_value(ks_value *out, ks__serializer *s, const ks_value *value, const char *place, int depth);

static ks_code copy_members(ks_value *out, ks__serializer *s, const ks_value *value, const char *place, int depth) {
    ks_code code = KS_OK;
    if (value->type == KS_VALUE_LIST) {
        *out = ks_value_list(s->arena, value->as.list.count);
        if (!out->as.list.items)
            return failed(s);
        for (size_t i = 0; i < value->as.list.count && code == KS_OK; i++)
            code = copy_value(&out->as.list.items[i], s, &value->as.list.items[i], place, depth + 1);
        return code;
    }
    *out = ks_value_dict(s->arena, value->as.dict.count);
    for (size_t i = 0; i < value->as.dict.count && code == KS_OK; i++) {
        const ks_member *member = &value->as.dict.members[i];
        ks_value *place_of = ks_value_put_text(out, member->key);
        if (!place_of)
            return failed(s);
        code = copy_value(place_of, s, &member->value, place, depth + 1);
    }
    return code;
}

static ks_code copy_value(ks_value *out, ks__serializer *s, const ks_value *value, const char *place, int depth) {
    ks_object *object;
    ks_code code;
    if (depth > KS__MAX_VALUE_DEPTH)
        return ks_fail(s->context, KS_E_OVER_DEPTH, KS_STAGE_CONFIG, value->offset, place,
                       "values are nested more than %d deep", KS__MAX_VALUE_DEPTH);
    if (ks__is_object_record(value)) {
        KS_TRY(read_described(&object, s, value, place));
        return ks__write_record(out, s, object);
    }
    if (value->type == KS_VALUE_LIST || value->type == KS_VALUE_DICT)
        return copy_members(out, s, value, place, depth);
    *out = *value;
    if (value->type == KS_VALUE_FLOAT || (value->type == KS_VALUE_INT && value->fits))
        out->text = (ks_text){NULL, 0}; // "1e-3" is written as Python prints the number
    return KS_OK;
done:
    return code;
}

ks_code ks__write_value(ks_value *out, ks__serializer *s, const ks_value *value, const char *place) {
    return copy_value(out, s, value, place, 0);
}

ks_code ks__write_object(ks_value *out, ks__serializer *s, const ks_value *value, ks_kind kind, const char *place) {
    const ks_class *row;
    ks_object named = {.place = place};
    if (value->type != KS_VALUE_STRING)
        return ks__write_value(out, s, value, place);
    row = ks_class_by_alias(kind, value->text);
    if (!row)
        return ks_fail(s->context, KS_E_CONFIG_UNKNOWN_NAME, KS_STAGE_CONFIG, value->offset, place,
                       "unknown %s \"%.80s\"", ks_kind_name(kind), value->text.data);
    named.row = row;
    named.name = row->name;
    return ks__write_record(out, s, &named);
}

// A layer asks for a policy's class by its name alone, whatever module the record says, and keeps one of a single or
// mixed type as its name.
static bool is_common_policy(const ks_value *record) {
    const ks_value *name = ks_value_get(record, "class_name");
    return name && (ks_value_is_text(name, "DTypePolicy") || ks_value_is_text(name, "FloatDTypePolicy"));
}

ks_code ks__write_policy(ks_value *out, ks__serializer *s, const ks_value *value, const char *place) {
    ks_value config;
    if (value && value->type == KS_VALUE_DICT) {
        if (!is_common_policy(value))
            return ks__write_value(out, s, value, place);
        value = ks_value_get(ks_value_get(value, "config"), "name");
    }
    config = ks_value_dict(s->arena, 1);
    if (put(s, &config, "name", value && value->type == KS_VALUE_STRING ? *value : ks_value_string("float32")) != KS_OK)
        return failed(s);
    *out = ks_value_record(s->arena, "keras", "DTypePolicy", config, NULL, 0);
    return out->as.dict.members ? KS_OK : failed(s);
}

// --- fields ---------------------------------------------------------------------------------------------------------

static const char *key_place(ks__serializer *s, const ks_object *object, const ks_key *key) {
    return ks_arena_format(s->arena, "%s/%s", object->place ? object->place : "", key->name);
}

static ks_value ints_list(ks__serializer *s, const ks_ints *ints) {
    ks_value list;
    if (ints->count == 0)
        return ks_value_null();
    list = ks_value_list(s->arena, (size_t)ints->count);
    for (size_t i = 0; i < list.as.list.count; i++)
        list.as.list.items[i] = ks_value_int(ints->items[i]);
    return list;
}

static ks_value ints_value(ks__serializer *s, const ks_ints *ints) {
    return ints->scalar && ints->count == 1 ? ks_value_int(ints->items[0]) : ints_list(s, ints);
}

// [[a, b], [c, d]], and [a, b] for one axis.
static ks_value pairs_value(ks__serializer *s, const ks_ints *ints, int length) {
    ks_value list;
    ks_ints pair = {.count = 2};
    if (ints->count == 0)
        return ks_value_null();
    if (length == 1)
        return ints_value(s, ints);
    list = ks_value_list(s->arena, (size_t)length);
    for (size_t i = 0; i < list.as.list.count; i++) {
        pair.items[0] = ints->items[2 * i];
        pair.items[1] = ints->items[2 * i + 1];
        list.as.list.items[i] = ints_value(s, &pair);
    }
    return list;
}

static ks_code write_layers(ks_value *out, ks__serializer *s, const ks_objects *layers) {
    ks_code code = KS_OK;
    *out = ks_value_list(s->arena, layers->count);
    if (!out->as.list.items)
        return failed(s);
    for (size_t i = 0; i < layers->count && code == KS_OK; i++)
        code = ks__write_record(&out->as.list.items[i], s, layers->items[i]);
    return code;
}

static ks_code write_float(ks_value *out, ks__serializer *s, const ks_key *key, double number) {
    const ks_value *otherwise = key->otherwise ? ks__default_value(s->arena, key->otherwise) : NULL;
    double common;
    if (key->otherwise && !otherwise)
        return failed(s);
    // A default that is an int in Python stays one.
    *out = otherwise && ks_value_number(otherwise, &common) && common == number ? *otherwise : ks_value_float(number);
    if (number != number && (key->flags & KS_NULLABLE))
        *out = ks_value_null();
    return KS_OK;
}

static ks_value choice_value(const ks_key *key, int choice) {
    if (choice < 0 && key->choices == ks_data_formats)
        choice = 0; // Keras's own default
    return choice < 0 ? ks_value_null() : ks_value_string(key->choices[choice]);
}

// The field of an object that has no config of its own: another object made it.
static ks_code write_field(ks_value *out, ks__serializer *s, const ks_key *key, const void *field) {
    switch (key->type) {
    case KS_KEY_BOOL:
        *out = ks_value_bool(*(const bool *)field);
        return KS_OK;
    case KS_KEY_INT:
        *out = *(const int64_t *)field == KS_NULL_INT ? ks_value_null() : ks_value_int(*(const int64_t *)field);
        return KS_OK;
    case KS_KEY_FLOAT:
        return write_float(out, s, key, *(const double *)field);
    case KS_KEY_TEXT:
        *out = ks_value_text(*(const ks_text *)field);
        return KS_OK;
    case KS_KEY_CHOICE:
        *out = choice_value(key, *(const int *)field);
        return KS_OK;
    case KS_KEY_INTS:
        *out = ints_value(s, field);
        return KS_OK;
    case KS_KEY_PAIRS:
        *out = pairs_value(s, field, key->length);
        return KS_OK;
    case KS_KEY_SHAPE:
        *out = ks_value_shape(s->arena, field);
        return KS_OK;
    default:
        return ks_fail(s->context, KS_E_INTERNAL, KS_STAGE_CONFIG, KS_NO_OFFSET, key->name, "a field without a config");
    }
}

// --- keys -----------------------------------------------------------------------------------------------------------

static ks_code write_activation(ks_value *out, ks__serializer *s, const ks_activation *activation) {
    if (activation->id == KS_ACTIVATION_LAYER)
        return ks__write_record(out, s, activation->layer);
    *out = ks_value_string(ks_activation_name(activation->id));
    return KS_OK;
}

static ks_code write_member(ks_value *out, ks_object *const *field, ks__serializer *s) {
    if (*field)
        return ks__write_record(out, s, *field);
    *out = ks_value_null();
    return KS_OK;
}

// Keys whose field says it all.
static bool write_from_field(ks_code *code, ks_value *out, ks__serializer *s, const ks_key *key, const void *field) {
    switch (key->type) {
    case KS_KEY_ACTIVATION:
        *code = write_activation(out, s, field);
        return true;
    case KS_KEY_INITIALIZER:
    case KS_KEY_REGULARIZER:
    case KS_KEY_CONSTRAINT:
    case KS_KEY_LAYER:
        *code = write_member(out, field, s);
        return true;
    case KS_KEY_LAYERS:
        *code = write_layers(out, s, field);
        return true;
    case KS_KEY_PAIRS:
        *out = pairs_value(s, field, key->length);
        return true;
    case KS_KEY_INTS:
        *out = key->length && !(key->flags & KS_SCALAR) ? ints_list(s, field) : ints_value(s, field);
        return key->length > 0; // one int stands for all of them
    default:
        return false;
    }
}

static ks_value negative(const ks_value *value) {
    ks_value number;
    if (value->type == KS_VALUE_FLOAT)
        return ks_value_float(-value->as.number);
    if (value->as.integer != INT64_MIN)
        return ks_value_int(-value->as.integer);
    number = ks_value_int(0);
    number.fits = false; // one more than 64 bits hold
    number.text = ks_text_from("9223372036854775808");
    return number;
}

// [from, v] for a number v.
static ks_value range_value(ks__serializer *s, const ks_value *value, ks_key_form form) {
    ks_value list = ks_value_list(s->arena, form == KS_FORM_LIST ? 1 : 2), *items = list.as.list.items;
    if (!items)
        return list;
    items[list.as.list.count - 1] = *value;
    if (form == KS_FORM_PAIR)
        items[0] = *value;
    else if (form == KS_FORM_FROM_0 || form == KS_FORM_FROM_1)
        items[0] = ks_value_int(form == KS_FORM_FROM_1);
    else if (form == KS_FORM_AROUND_0)
        items[0] = negative(value);
    return list;
}

static ks_value repeated(ks__serializer *s, const ks_value *number, size_t count) {
    ks_value list = ks_value_list(s->arena, count);
    for (size_t i = 0; i < list.as.list.count; i++)
        list.as.list.items[i] = ks_value_int(number->as.integer);
    return list;
}

static const char *activation_name(const ks_value *value) {
    return ks_activation_name(value->type == KS_VALUE_STRING ? ks_activation_by_name(value->text)
                                                             : KS_ACTIVATION_LINEAR);
}

// What a name in a key of this type stands for; LAYER: nothing.
static ks_kind key_kind(ks_key_type type) {
    switch (type) {
    case KS_KEY_INITIALIZER:
        return KS_KIND_INITIALIZER;
    case KS_KEY_REGULARIZER:
        return KS_KIND_REGULARIZER;
    case KS_KEY_CONSTRAINT:
        return KS_KIND_CONSTRAINT;
    default:
        return KS_KIND_LAYER;
    }
}

// A key that the config does not name has what the row's checks left in its field.
static bool has_field_form(const ks_key *key) {
    return key->type != KS_KEY_NUMBERS && key->type != KS_KEY_ANY;
}

static void single_precision(ks_value *value) {
    double number;
    if (ks_value_number(value, &number))
        *value = ks_value_float((double)(float)number);
}

// A value as it was given or as the row says, in the form of its type.
static ks_code write_given(ks_value *out, ks__serializer *s, const ks_object *object, const ks_key *key,
                           const ks_value *value) {
    const char *place = key_place(s, object, key);
    if (!place)
        return failed(s);
    if (key->choices == ks_data_formats && value->type == KS_VALUE_NULL)
        *out = ks_value_string(ks_data_formats[0]);
    else if (key->type == KS_KEY_INTS && key->length && value->type == KS_VALUE_INT)
        *out = repeated(s, value, (size_t)key->length);
    else if (key->type == KS_KEY_ACTIVATION && value->type != KS_VALUE_DICT)
        *out = ks_value_string(activation_name(value));
    else if (key_kind(key->type) != KS_KIND_LAYER)
        return ks__write_object(out, s, value, key_kind(key->type), place);
    else
        return ks__write_value(out, s, value, place);
    return KS_OK;
}

static ks_code write_plain(ks_value *out, ks__serializer *s, const ks_object *object, const ks_key *key) {
    const ks_value *value = object->config ? ks_value_get(object->config, key->name) : NULL;
    const void *field = object->params && key->offset != KS_LOOSE ? (const char *)object->params + key->offset : NULL;
    ks_code code = KS_OK;
    if (field && write_from_field(&code, out, s, key, field))
        return code;
    if (!value && field && has_field_form(key))
        return write_field(out, s, key, field);
    if (!value && key->otherwise)
        value = ks__default_value(s->arena, key->otherwise);
    return value ? write_given(out, s, object, key, value) : failed(s);
}

static ks_code write_key(ks_value *out, ks__serializer *s, const ks_object *object, const ks_key *key) {
    ks_code code = write_plain(out, s, object, key);
    if (code == KS_OK && key->form && (out->type == KS_VALUE_FLOAT || (out->type == KS_VALUE_INT && out->fits)))
        *out = range_value(s, out, key->form);
    if (code == KS_OK && (key->flags & KS_SINGLE))
        single_precision(out);
    return code;
}

static const char *default_name(ks__serializer *s, const ks_object *object) {
    char snake[128];
    if (object->name != object->row->name)
        return object->name;
    ks_snake_case(snake, sizeof(snake), ks_class_python_name(object->row));
    return ks_arena_format(s->arena, "%s", snake);
}

// Layer.get_config puts a regularizer of the activity behind dtype, where the class's own key then stays.
static ks_code write_activity_regularizer(ks_value *dict, ks__serializer *s, const ks_object *object) {
    const ks_value *value = ks_value_get(object->config, "activity_regularizer");
    ks_value *out;
    if (object->row->kind != KS_KIND_LAYER || !value || value->type == KS_VALUE_NULL)
        return KS_OK;
    out = ks_value_put(dict, "activity_regularizer");
    return out ? ks__write_object(out, s, value, KS_KIND_REGULARIZER, object->place) : failed(s);
}

// The name of the dtype of variables alone: "float32" of "mixed_float16".
static ks_value dtype_name(const ks_object *object, ks_text otherwise) {
    const ks_value *value = ks_value_get(object->config, "dtype");
    const ks_value *config = ks_value_get(value, "config");
    if (config)
        value = ks_value_get(config, "name");
    if (!value || value->type != KS_VALUE_STRING)
        return ks_value_text(otherwise);
    return strncmp(value->text.data, "mixed_", 6) == 0 ? ks_value_string("float32") : *value;
}

// "dtype=int64" is the word "dtype" with another default than float32.
static bool take_word(ks_text word, const char *name, ks_text *otherwise) {
    size_t size = strlen(name);
    *otherwise = ks_text_from("float32");
    if (word.size < size || memcmp(word.data, name, size) != 0)
        return false;
    if (word.size > size)
        *otherwise = (ks_text){word.data + size + 1, word.size - size - 1};
    return word.size == size || word.data[size] == '=';
}

static ks_code write_base(bool *known, ks_value *dict, ks__serializer *s, const ks_object *object, ks_text word) {
    const ks_value *policy = ks_value_get(object->config, "dtype");
    ks_text otherwise;
    ks_value common, *out;
    *known = true;
    if (ks_text_is(word, "regularizer"))
        return write_activity_regularizer(dict, s, object);
    if (take_word(word, "dtype_name", &otherwise))
        return put(s, dict, "dtype", dtype_name(object, otherwise));
    if (take_word(word, "dtype", &otherwise)) {
        common = ks_value_text(otherwise);
        out = ks_value_put(dict, "dtype");
        return out ? ks__write_policy(out, s, policy && policy->type != KS_VALUE_NULL ? policy : &common, object->place)
                   : failed(s);
    }
    if (ks_text_is(word, "trainable"))
        return put(s, dict, "trainable", ks_value_bool(object->trainable));
    *known = ks_text_is(word, "name");
    if (!*known)
        return KS_OK;
    common = ks_value_string(default_name(s, object));
    return common.type == KS_VALUE_NULL ? failed(s) : put(s, dict, "name", common);
}

static bool is_written(const ks_value *dict, const char *name) {
    return ks_value_get(dict, name) != NULL;
}

static bool words_have(const char *words, const char *name) {
    ks_text word;
    while (ks__next_word(&word, &words))
        if (ks_text_is(word, name))
            return true;
    return false;
}

// Operations have the keys that their call gave, no others.
static bool has_default_keys(const ks_class *row) {
    return row->kind != KS_KIND_OPERATION;
}

static ks_code write_own(ks_value *dict, ks__serializer *s, const ks_object *object, const ks_key *key) {
    const ks_value *value = ks_value_get(object->config, key->name);
    ks_value *out;
    if ((key->flags & KS_GIVEN) && !value)
        return KS_OK;
    if ((key->flags & KS_OLD) && (!value || !(s->options.keras2 || s->options.old_keys)))
        return KS_OK;
    if ((key->flags & KS_READ_ONLY) || ((key->flags & KS_NOT_NULL) && (!value || value->type == KS_VALUE_NULL)))
        return KS_OK;
    if (is_written(dict, key->name) || (!has_default_keys(object->row) && !value))
        return KS_OK;
    out = ks_value_put_text(dict, ks_text_from(key->name));
    return out ? write_key(out, s, object, key) : failed(s);
}

static ks_code write_word(ks_value *dict, ks__serializer *s, const ks_object *object, const char *words, ks_text word) {
    const ks_class *row = object->row;
    bool known, rest = ks_text_is(word, "*");
    ks_code code = KS_OK;
    for (size_t i = 0; i < row->n_keys; i++) {
        const ks_key *key = &row->keys[i];
        if (rest ? words_have(words, key->name) : !ks_text_is(word, key->name))
            continue;
        KS_TRY(write_own(dict, s, object, key));
        if (!rest)
            return code;
    }
    if (rest)
        return code;
    KS_TRY(write_base(&known, dict, s, object, word));
    if (!known)
        return ks_fail(s->context, KS_E_INTERNAL, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "the row of %s names a key \"%s\" that it does not have", row->name, word.data);
done:
    return code;
}

static const char *row_words(const ks_class *row) {
    if (row->written)
        return row->written;
    if (row->kind == KS_KIND_LAYER || row->kind == KS_KIND_MODEL)
        return "name trainable dtype regularizer *";
    return row->kind == KS_KIND_OPERATION ? "name *" : "*";
}

// The automatic config of a layer without get_config: the arguments that its constructor was given, in their order.
static ks_code write_automatic(ks_value *out, ks__serializer *s, const ks_object *object) {
    const ks_value *config = object->config;
    ks_code code = KS_OK;
    *out = ks_value_dict(s->arena, config->as.dict.count);
    for (size_t i = 0; i < config->as.dict.count; i++) {
        ks_text key = config->as.dict.members[i].key;
        if (ks_text_is(key, "name") || ks_text_is(key, "trainable") || ks_text_is(key, "dtype")) {
            KS_TRY(write_word(out, s, object, "", key));
        } else {
            ks_value *place = ks_value_put_text(out, key);
            if (!place)
                return failed(s);
            KS_TRY(ks__write_value(place, s, &config->as.dict.members[i].value, object->place));
        }
    }
done:
    return code;
}

static bool write_words(ks_value *config, ks__serializer *s, const ks_object *object) {
    const ks_object *layer;
    const ks_lookup *lookup = ks_lookup_of(object, &layer);
    if (!lookup || s->options.words == KS_WRITE_WORDS_NONE ||
        (s->options.words == KS_WRITE_WORDS_ODD && !ks_lookup_has_line_ends(lookup)))
        return true;
    return ks_lookup_write_words(config, s->arena, layer, lookup);
}

ks_code ks__write_keys(ks_value *out, ks__serializer *s, const ks_object *object, size_t extra) {
    const ks_class *row = object->row;
    const char *words = row_words(row), *rest = words;
    ks_text word;
    ks_code code = KS_OK;
    if (row->custom && row->custom->automatic_config && object->config)
        return write_automatic(out, s, object);
    *out = ks_value_dict(s->arena, row->n_keys + 4 + extra);
    while (ks__next_word(&word, &rest))
        KS_TRY(write_word(out, s, object, words, word));
    if (row->adjust && !row->adjust(out, s->arena, object))
        return failed(s);
    if (!write_words(out, s, object))
        return failed(s);
done:
    return code;
}

// --- records --------------------------------------------------------------------------------------------------------

// Legacy files have the registered name, "package>name", as the class.
static void split_name(ks_value *record, const ks_object *object) {
    ks_value *name = (ks_value *)(uintptr_t)ks_value_get(record, "class_name"); // the record is being made here
    const char *end = name->type == KS_VALUE_STRING ? memchr(name->text.data, '>', name->text.size) : NULL;
    if (!end || ks_value_get(object->source, "registered_name"))
        return;
    *(ks_value *)(uintptr_t)ks_value_get(record, "registered_name") = *name;
    name->text.size -= (size_t)(end + 1 - name->text.data);
    name->text.data = end + 1;
}

// Of custom objects the file knows more than the row: the Python module, and how the name was registered.
static void keep_origin(ks_value *record, const ks_object *object) {
    static const char *const kept[] = {"module", "class_name", "registered_name"};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        const ks_value *value = ks_value_get(object->source, kept[i]);
        if (value)
            *(ks_value *)(uintptr_t)ks_value_get(record, kept[i]) = *value; // the record is being made here
    }
    split_name(record, object);
}

// A function: {"module", "class_name": "function", "config": name, "registered_name": name}.
static ks_code write_function(ks_value *out, ks__serializer *s, const ks_object *object) {
    const ks_value *name = ks_value_get(object->source, "config");
    *out = ks_value_record(s->arena, "builtins", "function", name ? *name : ks_value_string(object->name), object->name,
                           0);
    if (!out->as.dict.members)
        return failed(s);
    keep_origin(out, object);
    return KS_OK;
}

// What Keras exports has null; what it keeps inside, and what is not Keras's, has its own name.
static const char *registered_name(const ks_class *row) {
    return row->custom ? row->name : strncmp(row->module, "keras.src.", 10) == 0 ? row->name : NULL;
}

static ks_code write_build(ks_value *record, ks__serializer *s, const ks_object *object) {
    const ks_value *build = object->source ? ks_value_get(object->source, "build_config") : NULL;
    ks_value *out;
    if (!s->options.no_build && !build && object->row->writes_build)
        return put(s, record, "build_config", ks_value_dict(s->arena, 0));
    if (s->options.no_build || !build || build->type != KS_VALUE_DICT)
        return KS_OK;
    out = ks_value_put(record, "build_config");
    if (!out)
        return failed(s);
    *out = *build; // Keras makes no objects of what is in it
    return KS_OK;
}

static ks_code model_build_config(ks_value *record, ks__serializer *s, const ks_object *model) {
    const ks_value *shape = NULL;
    ks_value config = ks_value_dict(s->arena, 1);
    if (model->row != &ks_class_Functional)
        shape = ks_value_get(ks_value_get(record, "config"), "build_input_shape");
    if (model->row != &ks_class_Functional && !shape)
        return KS_OK; // a Sequential model that was never built
    if (put(s, &config, "input_shape", shape ? *shape : ks_value_null()) != KS_OK)
        return failed(s);
    return put(s, record, "build_config", config);
}

static ks_code write_model(ks_value *out, ks__serializer *s, const ks_object *model) {
    const ks_class *row = model->row;
    ks_value config;
    ks_code code;
    KS_TRY(row == &ks_class_Functional ? ks__write_functional(&config, s, model)
                                       : ks__write_sequential(&config, s, model));
    *out = ks_value_record(s->arena, row->module, row->name, config, registered_name(row), 4);
    if (!s->options.no_build)
        KS_TRY(model_build_config(out, s, model));
    if (!s->options.no_compile)
        KS_TRY(put(s, out, "compile_config", ks_value_dict(s->arena, 0)));
done:
    return code;
}

// Where Theano's padding "same" begins no record can say. ConvLSTM2D pads its states so.
static bool pads_as_theano(const ks_object *object, const ks_value *config) {
    return object->theano &&
           (object->row == &ks_class_ConvLSTM2D || ks_value_is_text(ks_value_get(config, "padding"), "same"));
}

static bool is_layer(const ks_object *object) {
    return object->row->kind == KS_KIND_LAYER || object->row->kind == KS_KIND_MODEL;
}

ks_code ks__write_record(ks_value *out, ks__serializer *s, const ks_object *object) {
    const struct ks_registry *outer = s->registry;
    ks_value config;
    ks_code code;
    if (s->depth >= (int)s->context->limits.model_depth)
        return ks_fail(s->context, KS_E_CONFIG_DEPTH, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "objects are nested more than %d deep", (int)s->context->limits.model_depth);
    s->depth++;
    s->registry = object->registry ? object->registry : outer; // of what another object made: that of the other
    if (object->row->kind == KS_KIND_MODEL && !object->row->custom) {
        code = write_model(out, s, object);
        goto done;
    }
    if (object->row->kind == KS_KIND_FUNCTION) {
        code = write_function(out, s, object);
        goto done;
    }
    KS_TRY(ks__lose_old_words(s, object));
    KS_TRY(ks__write_keys(&config, s, object, 0));
    if (pads_as_theano(object, &config)) {
        code = ks_fail(s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, object->place,
                       "later Keras has no word for Theano's padding \"same\"");
        goto done;
    }
    // Room for build_config, and for the graph's "name" and "inbound_nodes".
    *out = ks_value_record(s->arena, object->row->module, object->row->name, config, registered_name(object->row), 4);
    if (object->row->custom && out->as.dict.members)
        keep_origin(out, object);
    if (object->row->kind == KS_KIND_LAYER || object->row->custom)
        KS_TRY(write_build(out, s, object));
    if (s->options.original && object->original && (object->original != object->source || !is_layer(object)))
        KS_TRY(put(s, out, "original", *object->original));
    // A model of someone's own is a layer where it stands in another one.
    if ((object->row->kind == KS_KIND_MODEL || (object->row->custom && object->row->custom->kind == KS_PLUGIN_MODEL)) &&
        !s->options.no_compile)
        KS_TRY(put(s, out, "compile_config", ks_value_dict(s->arena, 0)));
done:
    s->registry = outer;
    s->depth--;
    return code;
}

ks_code ks_config_value(ks_value *out, ks_context *context, ks_arena *arena, const ks_object *object,
                        const ks_write_options *options) {
    ks__serializer s = {.context = context, .arena = arena};
    ks_code code;
    if (options)
        s.options = *options;
    KS_TRY(ks__check_masks(&s, object));
    code = ks__write_record(out, &s, object);
done:
    return code;
}

ks_code ks_config_write(ks_json_writer *writer, const ks_object *object, const ks_write_options *options) {
    ks_arena arena;
    ks_value value;
    ks_code code;
    ks_arena_init(&arena, writer->context);
    code = ks_config_value(&value, writer->context, &arena, object, options);
    if (code == KS_OK)
        ks_json_put_value(writer, &value);
    ks_arena_fini(&arena);
    return code;
}
