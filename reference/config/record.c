// SPDX-License-Identifier: Apache-2.0
//
// One serialized object: finds the class, reads its config, builds it.
//
//   {"module": "keras.layers", "class_name": "Dense", "config": {…}, "registered_name": null,
//    "build_config": {…}, "compile_config": {…}, "shared_object_id": 123}
//
// Source: Keras 3 saving/serialization_lib.py, deserialize_keras_object and _retrieve_class_or_fn.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_internal.h"
#include "config/registry.h"
#include "config/upgrade.h"
#include "schema/custom.h"

ks_code ks__config_vfail(ks_context *context, ks_code code, const ks_value *value, const char *place, const char *key,
                         const char *format, va_list list) {
    char message[300], full[256];
    vsnprintf(message, sizeof(message), format, list);
    snprintf(full, sizeof(full), "%.200s%s%.50s", place, key ? "/" : "", key ? key : "");
    return ks_fail(context, code, KS_STAGE_CONFIG, value ? value->offset : KS_NO_OFFSET, full, "%s", message);
}

ks_code ks__config_fail(ks__reader *reader, ks_code code, const ks_value *value, const char *place, const char *key,
                        const char *format, ...) {
    va_list list;
    va_start(list, format);
    ks__config_vfail(reader->context, code, value, place, key, format, list);
    va_end(list);
    return code;
}

void ks__symbolic_call(ks_call *call, ks__reader *reader) {
    memset(call, 0, sizeof(*call));
    call->context = reader->context;
    call->arena = reader->arena;
    call->real = KS_FLOAT32;
    call->symbolic = true;
    call->depth = reader->depth;
}

/// What any record may say; NULL: it does not. Found in one pass, as every object of a file begins with it.
typedef struct parts {
    const ks_value *module, *class_name, *config, *registered_name, *build_config, *shared_object_id;
    const ks_value *original; ///< of an upgraded record
} parts;

static void find_parts(parts *out, const ks_value *record) {
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; record->type == KS_VALUE_DICT && i < record->as.dict.count; i++) {
        const ks_member *member = &record->as.dict.members[i];
        const char *key = member->key.data;
        switch (member->key.size) {
        case 6:
            if (memcmp(key, "module", 6) == 0)
                out->module = &member->value;
            else if (memcmp(key, "config", 6) == 0)
                out->config = &member->value;
            break;
        case 8:
            if (memcmp(key, "original", 8) == 0)
                out->original = &member->value;
            break;
        case 10:
            if (memcmp(key, "class_name", 10) == 0)
                out->class_name = &member->value;
            break;
        case 12:
            if (memcmp(key, "build_config", 12) == 0)
                out->build_config = &member->value;
            break;
        case 15:
            if (memcmp(key, "registered_name", 15) == 0)
                out->registered_name = &member->value;
            break;
        case 16:
            if (memcmp(key, "shared_object_id", 16) == 0)
                out->shared_object_id = &member->value;
            break;
        default:
            break;
        }
    }
}

static ks_code unknown_class(ks__reader *reader, const ks_value *record, const parts *found, const char *place) {
    const ks_value *registered = found->registered_name, *module = found->module;
    return ks__config_fail(reader, KS_E_CONFIG_UNKNOWN_CLASS, record, place, "class_name",
                           "unknown class \"%.80s\" (module %.60s, registered name %.60s); a custom class can be "
                           "registered (ks_registry_registered), passed at load (--custom FILE.so) or put in scope "
                           "(ks_registry_push)",
                           found->class_name->text.data,
                           module && module->type == KS_VALUE_STRING ? module->text.data : "none",
                           registered && registered->type == KS_VALUE_STRING ? registered->text.data : "none");
}

// A built-in class may carry its own name as registered name (3.0.0, 3.0.1 and operations do); any other registered
// name belongs to someone's own class, which must not be replaced by ours.
static bool registered_elsewhere(const ks_class *row, const ks_value *registered) {
    if (!registered || registered->type != KS_VALUE_STRING)
        return false;
    return !ks_text_is(registered->text, row->name) && !ks_text_is(registered->text, ks_class_python_name(row));
}

static ks_code find_class(const ks_class **out, ks__reader *reader, const ks_value *record, const parts *found,
                          const char *place) {
    const ks_value *name = found->class_name, *module = found->module;
    const ks_class *row;

    if (!name || !found->config)
        return ks__config_fail(reader, KS_E_CONFIG_RECORD, record, place, NULL,
                               "expected an object with \"class_name\" and \"config\", found %s",
                               ks_value_type_name(record->type));
    if (name->type != KS_VALUE_STRING)
        return ks__config_fail(reader, KS_E_CONFIG_TYPE, name, place, "class_name", "expected a string, found %s",
                               ks_value_type_name(name->type));
    if (ks_text_is(name->text, "__lambda__"))
        return ks__config_fail(reader, KS_E_CONFIG_UNSAFE, name, place, "class_name",
                               "a Python lambda would be run as code");
    row = ks_class_find(name->text, module && module->type == KS_VALUE_STRING ? &module->text : NULL);
    if (!row || registered_elsewhere(row, found->registered_name) ||
        (ks_class_is_old(row) && reader->dialect == KS_DIALECT_KERAS3))
        row = ks_registry_find_record(reader->registry, record);
    if (!row)
        return unknown_class(reader, record, found, place);
    if (row->unsafe)
        return ks__config_fail(reader, KS_E_CONFIG_UNSAFE, name, place, "class_name", "%s: %s", row->name, row->unsafe);
    if (row->unsupported && !reader->described)
        return ks__config_fail(reader, KS_E_CONFIG_UNSUPPORTED_CLASS, name, place, "class_name", "%s: %s", row->name,
                               row->unsupported);
    *out = row;
    return KS_OK;
}

// --- shared objects -------------------------------------------------------------------------------------------------

static bool shared_id(const ks_value *id, int64_t *out) {
    if (!id || id->type != KS_VALUE_INT || !id->fits)
        return false;
    *out = id->as.integer;
    return true;
}

static ks_object *shared_find(const ks__reader *reader, int64_t id, const ks_class *row) {
    for (size_t i = 0; i < reader->n_shared; i++)
        if (reader->shared[i].id == id && reader->shared[i].object->row == row)
            return reader->shared[i].object;
    return NULL;
}

static ks_code shared_add(ks__reader *reader, int64_t id, ks_object *object) {
    if (reader->n_shared == reader->room_shared) {
        size_t room = reader->room_shared ? 2 * reader->room_shared : 16;
        ks__shared *bigger = ks_arena_get(reader->arena, room, sizeof(*bigger));
        if (!bigger)
            return reader->context->error.code;
        if (reader->n_shared)
            memcpy(bigger, reader->shared, reader->n_shared * sizeof(*bigger));
        reader->shared = bigger;
        reader->room_shared = room;
    }
    reader->shared[reader->n_shared++] = (ks__shared){id, object};
    return KS_OK;
}

// --- build_config ---------------------------------------------------------------------------------------------------

// [null, 4] is one shape, a list of such lists a list of tensors, a dict of them a dict.
static ks_code shapes_to_tree(ks_tree *out, ks__reader *reader, const ks_value *value, int depth) {
    ks_shape shape;
    ks_code code;
    if (value->type == KS_VALUE_NULL) {
        *out = ks_tree_of(NULL);
        return KS_OK;
    }
    if (ks__shape_from_value(&shape, value)) {
        *out = ks_tree_of(ks_array_new(reader->arena, KS_FLOAT32, &shape));
        return out->type == KS_TREE_NONE ? reader->context->error.code : KS_OK;
    }
    if ((value->type != KS_VALUE_LIST && value->type != KS_VALUE_DICT) || depth > 8)
        return ks__config_fail(reader, KS_E_CONFIG_TYPE, value, "build_config", NULL, "expected shapes, found %s",
                               ks_value_type_name(value->type));
    *out = ks_tree_list(reader->arena, value->type == KS_VALUE_LIST ? value->as.list.count : value->as.dict.count);
    if (!out->as.list.items)
        return reader->context->error.code;
    if (value->type == KS_VALUE_DICT) {
        out->type = KS_TREE_DICT;
        out->as.list.keys = ks_arena_get(reader->arena, out->as.list.count + 1, sizeof(ks_text));
        if (!out->as.list.keys)
            return reader->context->error.code;
    }
    for (size_t i = 0; i < out->as.list.count; i++) {
        const ks_value *item =
            value->type == KS_VALUE_LIST ? &value->as.list.items[i] : &value->as.dict.members[i].value;
        if (value->type == KS_VALUE_DICT)
            out->as.list.keys[i] = value->as.dict.members[i].key;
        code = shapes_to_tree(&out->as.list.items[i], reader, item, depth + 1);
        if (code != KS_OK)
            return code;
    }
    return KS_OK;
}

// "query_shape" belongs to the argument "query", "input_shape" and "inputs_shape" to the first one.
static size_t shape_argument(const ks_class *row, ks_text key) {
    size_t count = ks_class_argument_count(row);
    for (size_t i = 0; row->arguments && i < count; i++) {
        size_t size = strlen(row->arguments[i]);
        if (key.size == size + 6 && memcmp(key.data, row->arguments[i], size) == 0)
            return i;
    }
    return ks_text_is(key, "input_shape") || ks_text_is(key, "inputs_shape") || ks_text_is(key, "sequences_shape")
               ? 0
               : count;
}

ks_code ks__build_arguments(ks_tree **out, ks__reader *reader, const ks_object *object) {
    const ks_value *build = object->source ? ks_value_get(object->source, "build_config") : NULL;
    const ks_value *shapes = build ? ks_value_get(build, "shapes_dict") : NULL;
    const ks_value *shape = build ? ks_value_get(build, "input_shape") : NULL;
    size_t count = ks_class_argument_count(object->row);
    ks_tree *arguments;
    ks_code code = KS_OK;

    *out = NULL;
    if (count == 0 || (!shapes && (!shape || shape->type == KS_VALUE_NULL)))
        return KS_OK;
    arguments = ks_arena_get(reader->arena, count + 1, sizeof(*arguments));
    if (!arguments)
        return reader->context->error.code;
    if (shapes && shapes->type == KS_VALUE_DICT) {
        for (size_t i = 0; i < shapes->as.dict.count; i++) {
            size_t index = shape_argument(object->row, shapes->as.dict.members[i].key);
            if (index == count)
                return ks__config_fail(reader, KS_E_CONFIG_UNKNOWN_KEY, &shapes->as.dict.members[i].value,
                                       object->place, "../build_config/shapes_dict", "unknown shape \"%.60s\"",
                                       shapes->as.dict.members[i].key.data);
            KS_TRY(shapes_to_tree(&arguments[index], reader, &shapes->as.dict.members[i].value, 0));
        }
    } else if (shape) {
        KS_TRY(shapes_to_tree(&arguments[0], reader, shape, 0));
    }
    *out = arguments;
done:
    return code;
}

ks_code ks__apply_build_config(ks__reader *reader, ks_object *object) {
    ks_tree *arguments;
    ks_call call;
    ks_code code;
    if (object->built || !object->row->build)
        return KS_OK;
    KS_TRY(ks__build_arguments(&arguments, reader, object));
    if (!arguments)
        return KS_OK;
    ks__symbolic_call(&call, reader);
    code = ks_build(&call, object, arguments);
done:
    return code;
}

// --- records --------------------------------------------------------------------------------------------------------

static ks_code read_new(ks_object **out, ks__reader *reader, const ks_value *record, const parts *found,
                        const ks_class *row, const char *place) {
    ks_object *object = ks_arena_get(reader->arena, 1, sizeof(*object));
    ks_code code;
    if (!object)
        return reader->context->error.code;
    object->row = row;
    object->source = record;
    object->original = reader->dialect == KS_DIALECT_KERAS3 ? record : found->original;
    object->dialect = reader->dialect;
    object->multi_backend = reader->multi_backend;
    object->theano = reader->theano;
    object->version = reader->version;
    object->config = found->config;
    object->place = ks_arena_path(reader->arena, place, "config");
    object->params = ks_arena_get(reader->arena, 1, row->params_size ? row->params_size : 1);
    object->name = row->name;
    object->trainable = true;
    object->registry = reader->registry;
    object->compute_dtype = object->variable_dtype = KS_FLOAT32;
    object->index = (size_t)reader->n_layers;
    if (!object->place || !object->params)
        return reader->context->error.code;
    if (object->config->type != KS_VALUE_DICT)
        return ks__config_fail(reader, KS_E_CONFIG_TYPE, object->config, object->place, NULL,
                               "expected an object, found %s", ks_value_type_name(object->config->type));
    if ((row->kind == KS_KIND_LAYER || row->kind == KS_KIND_MODEL || row->kind == KS_KIND_OPERATION) &&
        ++reader->n_layers > reader->context->limits.layers)
        return ks__config_fail(reader, KS_E_CONFIG_TOO_MANY, record, place, NULL, "more than %llu layers",
                               (unsigned long long)reader->context->limits.layers);
    KS_TRY(ks__read_keys(reader, object));
    if (row == &ks_class_Functional)
        KS_TRY(ks__read_functional(reader, object));
    else if (row->kind == KS_KIND_MODEL)
        KS_TRY(ks__read_sequential(reader, object));
    if (found->build_config)
        KS_TRY(ks__apply_build_config(reader, object));
    *out = object;
done:
    return code;
}

ks_code ks__read_record(ks_object **out, ks__reader *reader, const ks_value *record, const char *place) {
    const ks_class *row = NULL;
    parts found;
    int64_t id;
    bool has_id;
    ks_code code;

    if (reader->depth >= (int)reader->context->limits.model_depth)
        return ks__config_fail(reader, KS_E_CONFIG_DEPTH, record, place, NULL, "objects are nested more than %d deep",
                               (int)reader->context->limits.model_depth);
    reader->depth++;
    find_parts(&found, record);
    KS_TRY(find_class(&row, reader, record, &found, place));
    has_id = shared_id(found.shared_object_id, &id) && (row->kind == KS_KIND_LAYER || row->kind == KS_KIND_MODEL);
    *out = has_id ? shared_find(reader, id, row) : NULL;
    if (*out)
        goto done;
    KS_TRY(read_new(out, reader, record, &found, row, place));
    if (has_id)
        KS_TRY(shared_add(reader, id, *out));
done:
    reader->depth--;
    return code;
}

// --- names ----------------------------------------------------------------------------------------------------------

bool ks__is_unnamed(const ks_object *object) {
    return object->name == object->row->name;
}

ks_code ks__name_layers(ks__reader *reader, ks_name_table *names, ks_object *const *layers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char snake[128];
        ks_named *place;
        const char *name;
        if (!ks__is_unnamed(layers[i]))
            continue;
        ks_snake_case(snake, sizeof(snake), ks_class_python_name(layers[i]->row));
        name = ks_arena_format(reader->arena, "%s", snake);
        place = name ? ks_name_table_place(names, ks_text_from(name)) : NULL;
        for (size_t number = 1; place && place->number != KS_NO_NUMBER; number++) {
            name = ks_arena_format(reader->arena, "%s_%zu", snake, number);
            place = name ? ks_name_table_place(names, ks_text_from(name)) : NULL;
        }
        if (!place)
            return reader->context->error.code;
        *place = (ks_named){ks_text_from(name), i};
        layers[i]->name = name;
    }
    return KS_OK;
}

// --- values that are kept -------------------------------------------------------------------------------------------

bool ks__is_object_record(const ks_value *value) {
    const ks_value *name = ks_value_get(value, "class_name");
    if (!name || name->type != KS_VALUE_STRING || !ks_value_get(value, "config"))
        return false;
    return strncmp(name->text.data, "__", 2) != 0 && !ks_text_is(name->text, "function");
}

static ks_code check_value(ks__reader *reader, const ks_value *value, const char *place, int depth) {
    bool dict = value->type == KS_VALUE_DICT;
    size_t count = dict ? value->as.dict.count : value->type == KS_VALUE_LIST ? value->as.list.count : 0;
    ks_object *object;
    ks_code code = KS_OK;
    if (depth > KS__MAX_VALUE_DEPTH)
        return ks__config_fail(reader, KS_E_OVER_DEPTH, value, place, NULL, "values are nested more than %d deep",
                               KS__MAX_VALUE_DEPTH);
    if (ks__is_object_record(value))
        return ks__read_record(&object, reader, value, place);
    for (size_t i = 0; i < count && code == KS_OK; i++)
        code =
            check_value(reader, dict ? &value->as.dict.members[i].value : &value->as.list.items[i], place, depth + 1);
    return code;
}

ks_code ks__check_value(ks__reader *reader, const ks_value *value, const char *place) {
    ks__reader inner = *reader;
    if (value->type != KS_VALUE_LIST && value->type != KS_VALUE_DICT)
        return KS_OK;
    inner.described = true; // it is not run
    inner.dialect = KS_DIALECT_KERAS3;
    inner.n_shared = inner.room_shared = 0;
    return check_value(&inner, value, place, 0);
}

ks_code ks_config_read(ks_object **out, ks_context *context, ks_arena *arena, const ks_value *value,
                       const char *document, const ks_config_options *options) {
    ks__reader reader = {.context = context, .arena = arena, .dialect = ks_config_dialect(value, options)};
    reader.described = options->described;
    reader.registry = options->registry;
    const char *place = ks_arena_format(arena, "%s:", document);
    ks_code code = KS_OK;
    *out = NULL;
    if (!place)
        return context->error.code;
    reader.multi_backend = ks__multi_backend(reader.dialect, ks_config_keras_version(value, options));
    reader.theano = reader.multi_backend && options->backend == KS_BACKEND_THEANO;
    reader.version = ks__version_number(ks_config_keras_version(value, options));
    if (reader.dialect != KS_DIALECT_KERAS3 && !options->upgraded)
        KS_TRY(ks__upgrade_document(&value, context, arena, value, reader.dialect,
                                    ks_config_keras_version(value, options), options->described, place));
    KS_TRY(ks__read_record(out, &reader, value, place));
    if ((*out)->row->custom && (*out)->row->custom->kind == KS_PLUGIN_MODEL && !options->described)
        code = ks__custom_model(out, &reader, *out);
done:
    return code;
}
