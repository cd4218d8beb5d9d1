// SPDX-License-Identifier: Apache-2.0
//
// What a plugin may ask of this program (<kassay/plugin.h>): configs, variables, sub-layers, arrays. Structures of
// tensors are in custom_value.c, rows of custom classes in custom_row.c.
#include "config/custom_internal.h"

#include <stdlib.h>
#include <string.h>

#include <kassay/json.h>

#include "base/value_make.h"
#include "config/config_internal.h"
#include "config/registry.h"

// --- config ---------------------------------------------------------------------------------------------------------

static const ks_value *step(const ks_value *value, const char *word, size_t size) {
    char *end;
    unsigned long index;
    if (value->type == KS_VALUE_DICT) {
        for (size_t i = 0; i < value->as.dict.count; i++)
            if (ks_text_equal(value->as.dict.members[i].key, (ks_text){word, size}))
                return &value->as.dict.members[i].value;
        return NULL;
    }
    if (value->type != KS_VALUE_LIST)
        return NULL;
    index = strtoul(word, &end, 10);
    return end == word + size && index < value->as.list.count ? &value->as.list.items[index] : NULL;
}

static const ks_value *value_at(const ks_plugin_object *self, const char *path) {
    const ks_value *value = ks__custom_object(self)->config;
    for (const char *at = path; value && *at;) {
        size_t size = strcspn(at, "/");
        value = step(value, at, size);
        at += size + (at[size] == '/');
    }
    return value;
}

static bool get_number(const ks_plugin_object *self, const char *key, double *out) {
    return ks_value_number(value_at(self, key), out);
}

// R keras writes every number as a float.
static bool get_integer(const ks_plugin_object *self, const char *key, int64_t *out) {
    const ks_value *value = value_at(self, key);
    if (value && value->type == KS_VALUE_INT && value->fits) {
        *out = value->as.integer;
        return true;
    }
    if (!value || value->type != KS_VALUE_FLOAT || !(value->as.number >= -1e15 && value->as.number <= 1e15))
        return false;
    *out = (int64_t)value->as.number;
    return (double)*out == value->as.number;
}

static bool get_boolean(const ks_plugin_object *self, const char *key, bool *out) {
    const ks_value *value = value_at(self, key);
    if (!value || value->type != KS_VALUE_BOOL)
        return false;
    *out = value->as.boolean;
    return true;
}

static const char *get_text(const ks_plugin_object *self, const char *key) {
    const ks_value *value = value_at(self, key);
    return value && value->type == KS_VALUE_STRING ? value->text.data : NULL;
}

static size_t get_count(const ks_plugin_object *self, const char *key) {
    const ks_value *value = value_at(self, key);
    return value && value->type == KS_VALUE_LIST ? value->as.list.count : 0;
}

// --- building -------------------------------------------------------------------------------------------------------

ks_code ks__custom_fail(ks_plugin_call *call, const ks_plugin_object *self, const char *message) {
    const ks_object *object = ks__custom_object(self);
    return ks_fail(call->context, KS_E_CONFIG_VALUE, KS_STAGE_CONFIG,
                   object->config ? object->config->offset : KS_NO_OFFSET, object->place, "%s \"%s\": %s",
                   object->row->name, object->name, message);
}

// JSON text or "@key".
static ks_code named_value(const ks_value **out, ks_plugin_call *call, const ks_plugin_object *self, const char *text) {
    ks_json *json;
    ks_code code;
    *out = text[0] == '@' ? value_at(self, text + 1) : NULL;
    if (*out)
        return KS_OK;
    if (text[0] == '@')
        return ks__custom_fail(call, self, "the config has no such key");
    code = ks_json_parse(&json, call->context, (ks_bytes){(const uint8_t *)text, strlen(text)}, KS_ROAD_STRICT);
    if (code == KS_OK) {
        *out = ks_value_copy(call->call->arena, ks_json_root(json));
        ks_json_free(json);
        code = *out ? KS_OK : call->context->error.code;
    }
    return code;
}

static ks_code read_object(ks_object **out, ks_plugin_call *call, const ks_plugin_object *self, const ks_value *value) {
    ks__reader reader = {.context = call->context,
                         .arena = call->call->arena,
                         .dialect = KS_DIALECT_KERAS3,
                         .registry = call->registry,
                         .depth = call->call->depth + 1};
    return ks__read_record(out, &reader, value, ks__custom_object(self)->place);
}

static ks_code read_initializer(ks_object **out, ks_plugin_call *call, const ks_plugin_object *self, const char *text) {
    const ks_value *value;
    const ks_class *row;
    ks_value record;
    ks_value *kept;
    ks_code code;
    KS_TRY(named_value(&value, call, self, text));
    if (value->type == KS_VALUE_STRING) {
        row = ks_class_by_alias(KS_KIND_INITIALIZER, value->text);
        if (!row)
            return ks__custom_fail(call, self, "an initializer's name is not known");
        record =
            ks_value_record(call->call->arena, row->module, row->name, ks_value_dict(call->call->arena, 0), NULL, 0);
        kept = ks_arena_get(call->call->arena, 1, sizeof(*kept));
        if (!kept || !record.as.dict.members)
            return call->context->error.code;
        *kept = record;
        value = kept;
    }
    if (value->type != KS_VALUE_NULL)
        code = read_object(out, call, self, value);
done:
    return code;
}

static ks_code add_variable(ks_plugin_call *call, ks_plugin_object *self, const char *name, const ks_shape *shape,
                            bool trainable, const char *initializer) {
    ks_object *object = ks__own_object(self);
    ks_variable *last;
    ks_code code;
    KS_TRY(ks_add_variable(call->call, object, name, shape, KS_DTYPE_NONE, trainable));
    last = trainable ? object->trainable_variables : object->other_variables;
    while (last->next)
        last = last->next;
    if (initializer)
        KS_TRY(read_initializer(&last->initializer, call, self, initializer));
done:
    return code;
}

static ks_code add_layer(ks_plugin_call *call, ks_plugin_object *self, const char *attribute, bool member,
                         const char *record, ks_plugin_object **out) {
    const ks_value *value;
    ks_object *layer = NULL;
    ks_code code;
    KS_TRY(named_value(&value, call, self, record));
    KS_TRY(read_object(&layer, call, self, value));
    if (layer->row->kind != KS_KIND_LAYER && layer->row->kind != KS_KIND_MODEL)
        return ks__custom_fail(call, self, "a sub-layer is no layer");
    KS_TRY(ks_add_child(call->call, ks__own_object(self), attribute, member, layer));
    if (out)
        *out = (ks_plugin_object *)layer;
done:
    return code;
}

static ks_plugin_object *layer_at(const ks_plugin_object *self, const char *attribute, size_t index) {
    for (const ks_child *child = ks__custom_object(self)->children; child; child = child->next)
        if (strcmp(child->attribute, attribute) == 0 && index-- == 0)
            return (ks_plugin_object *)child->object;
    return NULL;
}

static ks_code build_layer(ks_plugin_call *call, ks_plugin_object *layer, const ks_shape *input) {
    ks_call symbolic = *call->call;
    ks_plugin_call inner = *call;
    ks_array *array = ks_array_new(call->call->arena, KS_FLOAT32, input), *output;
    if (!array)
        return call->context->error.code;
    symbolic.symbolic = true;
    inner.call = &symbolic;
    return ks__symbolic_apply(&inner, ks__own_object(layer), array, &output);
}

// --- calling --------------------------------------------------------------------------------------------------------

static ks_code apply(ks_plugin_call *call, ks_plugin_object *layer, ks_plugin_array *input, ks_plugin_array **output) {
    ks_array *result = NULL;
    ks_code code = ks__custom_apply(call, ks__own_object(layer), ks__custom_array(input), &result);
    *output = (ks_plugin_array *)result;
    return code;
}

static const ks_shape *array_shape(const ks_plugin_array *array) {
    return &((const ks_array *)array)->shape;
}

static void *array_data(ks_plugin_array *array) {
    return ks__custom_array(array)->data;
}

static ks_plugin_array *new_array(ks_plugin_call *call, const ks_shape *shape) {
    return (ks_plugin_array *)call->array(call, call->call->real, shape);
}

static const void *variable_data(const ks_plugin_call *call, const ks_plugin_object *self, const char *name) {
    const ks_variable *lists[] = {ks__custom_object(self)->trainable_variables,
                                  ks__custom_object(self)->other_variables};
    for (int i = 0; i < 2; i++)
        for (const ks_variable *v = lists[i]; v; v = v->next)
            if (strcmp(v->name, name) == 0)
                return v->real[call->bits == 64];
    return NULL;
}

static int get_bits(const ks_plugin_call *call) {
    return call->bits;
}

static double get_uniform(ks_plugin_call *call) {
    return call->random ? ks_random_unit(call->random) : 0;
}

static double get_gauss(ks_plugin_call *call) {
    return call->random ? ks_random_gauss(call->random) : 0;
}

const ks_plugin_host ks_plugin_functions = {
    .abi = KS_PLUGIN_ABI,
    .add = ks_registry_add,
    .pass = ks_registry_pass,
    .number = get_number,
    .integer = get_integer,
    .boolean = get_boolean,
    .text = get_text,
    .count = get_count,
    .add_variable = add_variable,
    .add_layer = add_layer,
    .build_layer = build_layer,
    .layer = layer_at,
    .apply = apply,
    .shape = array_shape,
    .data = array_data,
    .array = new_array,
    .variable = variable_data,
    .bits = get_bits,
    .fail = ks__custom_fail,
    .size = sizeof(ks_plugin_host),
    .type = ks__custom_type,
    .items = ks__custom_items,
    .item = ks__custom_item,
    .member = ks__custom_member,
    .tensor = ks__custom_tensor,
    .truth = ks__custom_truth,
    .plain_number = ks__custom_number,
    .plain_text = ks__custom_text,
    .value = ks__custom_value,
    .list = ks__custom_list,
    .dict = ks__custom_dict,
    .apply_all = ks__custom_apply_all,
    .build_layer_all = ks__custom_build_all,
    .dtype = ks__custom_dtype,
    .typed_array = ks__custom_typed_array,
    .mask = ks__custom_mask,
    .uniform = get_uniform,
    .gauss = get_gauss,
};
