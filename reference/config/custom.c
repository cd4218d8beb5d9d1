// SPDX-License-Identifier: Apache-2.0
//
// Custom classes: their rows, and what a plugin may ask of this program (<kassay/plugin.h>).
#include "schema/custom.h"

#include <stdlib.h>
#include <string.h>

#include <kassay/json.h>

#include "base/value_make.h"
#include "config/config_internal.h"
#include "config/registry.h"
#include "schema/core.h"

static const ks_object *object_of(const ks_plugin_object *self) {
    return (const ks_object *)self;
}

static ks_object *own_object(ks_plugin_object *self) {
    return (ks_object *)self;
}

static ks_array *array_of(ks_plugin_array *array) {
    return (ks_array *)array;
}

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
    const ks_value *value = object_of(self)->config;
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

static ks_code fail(ks_plugin_call *call, const ks_plugin_object *self, const char *message) {
    const ks_object *object = object_of(self);
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
        return fail(call, self, "the config has no such key");
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
    return ks__read_record(out, &reader, value, object_of(self)->place);
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
            return fail(call, self, "an initializer's name is not known");
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
    ks_object *object = own_object(self);
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
        return fail(call, self, "a sub-layer is no layer");
    KS_TRY(ks_add_child(call->call, own_object(self), attribute, member, layer));
    if (out)
        *out = (ks_plugin_object *)layer;
done:
    return code;
}

static ks_plugin_object *layer_at(const ks_plugin_object *self, const char *attribute, size_t index) {
    for (const ks_child *child = object_of(self)->children; child; child = child->next)
        if (strcmp(child->attribute, attribute) == 0 && index-- == 0)
            return (ks_plugin_object *)child->object;
    return NULL;
}

static ks_code symbolic_apply(ks_plugin_call *call, ks_object *layer, ks_array *input, ks_array **output) {
    size_t count = ks_class_argument_count(layer->row);
    ks_tree *arguments = ks_arena_get(call->call->arena, count + 1, sizeof(*arguments)), result;
    ks_code code;
    if (!arguments)
        return call->context->error.code;
    arguments[0] = ks_tree_of(input);
    KS_TRY(ks_infer(&result, call->call, layer, arguments));
    if (result.type != KS_TREE_ARRAY)
        return ks_shape_error(call->context, layer, "expected one tensor as the result");
    *output = result.as.array;
done:
    return code;
}

static ks_code build_layer(ks_plugin_call *call, ks_plugin_object *layer, const ks_shape *input) {
    ks_call symbolic = *call->call;
    ks_plugin_call inner = *call;
    ks_array *array = ks_array_new(call->call->arena, KS_FLOAT32, input), *output;
    if (!array)
        return call->context->error.code;
    symbolic.symbolic = true;
    inner.call = &symbolic;
    return symbolic_apply(&inner, own_object(layer), array, &output);
}

// --- calling --------------------------------------------------------------------------------------------------------

static ks_array *symbolic_array(ks_plugin_call *call, const ks_shape *shape) {
    return ks_array_new(call->call->arena, call->call->real, shape);
}

static ks_code apply(ks_plugin_call *call, ks_plugin_object *layer, ks_plugin_array *input, ks_plugin_array **output) {
    ks_array *result = NULL;
    ks_code code = call->apply(call, own_object(layer), array_of(input), &result);
    *output = (ks_plugin_array *)result;
    return code;
}

static const ks_shape *array_shape(const ks_plugin_array *array) {
    return &((const ks_array *)array)->shape;
}

static void *array_data(ks_plugin_array *array) {
    return array_of(array)->data;
}

static ks_plugin_array *new_array(ks_plugin_call *call, const ks_shape *shape) {
    return (ks_plugin_array *)call->array(call, shape);
}

static const void *variable_data(const ks_plugin_call *call, const ks_plugin_object *self, const char *name) {
    const ks_variable *lists[] = {object_of(self)->trainable_variables, object_of(self)->other_variables};
    for (int i = 0; i < 2; i++)
        for (const ks_variable *v = lists[i]; v; v = v->next)
            if (strcmp(v->name, name) == 0)
                return v->real[call->bits == 64];
    return NULL;
}

static int get_bits(const ks_plugin_call *call) {
    return call->bits;
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
    .fail = fail,
};

// --- rows -----------------------------------------------------------------------------------------------------------

static ks_plugin_call symbolic_call(ks_call *call, const ks_object *object) {
    ks_plugin_call plugin = {.context = call->context,
                             .call = call,
                             .registry = object->registry,
                             .bits = call->real == KS_FLOAT64 ? 64 : 32,
                             .apply = symbolic_apply,
                             .array = symbolic_array};
    return plugin;
}

static ks_code custom_check(ks_context *context, ks_object *object) {
    const ks_plugin_class *custom = object->row->custom;
    ks_plugin_call plugin = {.context = context, .registry = object->registry};
    return custom->check ? custom->check(&ks_plugin_functions, &plugin, (ks_plugin_object *)object) : KS_OK;
}

// The shape of what `call` gives; calling sub-layers also builds them.
static ks_code called_shape(ks_shape *out, ks_plugin_call *plugin, ks_object *object, const ks_array *input) {
    ks_array head = *input; // without its numbers: only the shape is asked
    ks_plugin_array *result = NULL;
    ks_code code;
    head.data = NULL;
    KS_TRY(object->row->custom->call(&ks_plugin_functions, plugin, (ks_plugin_object *)object, (ks_plugin_array *)&head,
                                     &result));
    if (!result)
        return fail(plugin, (ks_plugin_object *)object, "the plugin's call gave no result");
    *out = array_of(result)->shape;
done:
    return code;
}

static ks_code custom_build(ks_call *call, ks_object *object) {
    const ks_plugin_class *custom = object->row->custom;
    ks_plugin_call plugin = symbolic_call(call, object);
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_code code = KS_OK;
    if (!input)
        return call->context->error.code;
    if (custom->build)
        KS_TRY(custom->build(&ks_plugin_functions, &plugin, (ks_plugin_object *)object, &input->shape));
    if (custom->call)
        code = called_shape(&shape, &plugin, object, input);
done:
    return code;
}

static ks_code custom_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_plugin_class *custom = object->row->custom;
    ks_plugin_call plugin = symbolic_call(call, object);
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_code code = KS_OK;
    if (!input)
        return call->context->error.code;
    shape = input->shape;
    if (custom->call)
        KS_TRY(called_shape(&shape, &plugin, object, input));
    else if (custom->infer)
        KS_TRY(custom->infer(&ks_plugin_functions, &plugin, (ks_plugin_object *)object, &shape, &input->shape));
    code = ks_result(out, call, KS_DTYPE_NONE, &shape);
done:
    return code;
}

static ks_key_type row_type(ks_plugin_key_type type) {
    switch (type) {
    case KS_PLUGIN_BOOL:
        return KS_KEY_BOOL;
    case KS_PLUGIN_TEXT:
        return KS_KEY_TEXT;
    case KS_PLUGIN_NUMBER:
    case KS_PLUGIN_INTEGER: // a float that is one, too
        return KS_KEY_FLOAT;
    case KS_PLUGIN_OBJECT:
    case KS_PLUGIN_VALUE:
        break;
    }
    return KS_KEY_ANY;
}

void ks_custom_rows(ks_class out[2], ks_key *keys, const ks_plugin_class *custom) {
    for (size_t i = 0; i < custom->n_keys; i++) {
        const ks_plugin_key *key = &custom->keys[i];
        bool nullable = key->otherwise && strcmp(key->otherwise, "null") == 0;
        keys[i] = (ks_key){.name = key->name,
                           .type = row_type(key->type),
                           .flags = (nullable ? KS_NULLABLE : 0) | (key->otherwise ? 0 : KS_REQUIRED),
                           .offset = KS_LOOSE,
                           .otherwise = key->otherwise};
    }
    out[0] = (ks_class){.name = custom->name,
                        .module = "builtins",
                        .kind = custom->kind == KS_PLUGIN_FUNCTION ? KS_KIND_FUNCTION : KS_KIND_LAYER,
                        .keys = keys,
                        .n_keys = custom->n_keys,
                        .written = custom->bare_config ? "*" : NULL,
                        .mask = custom->passes_mask ? KS_MASK_PASS : KS_MASK_NONE,
                        .check = custom_check,
                        .build = custom_build,
                        .infer = custom_infer,
                        .custom = custom};
    out[1] = ks_class_Functional; // its graph is one call, of the object as a layer
    out[1].name = custom->name;
    out[1].module = "builtins";
    out[1].keys = keys;
    out[1].n_keys = custom->n_keys;
    out[1].written = out[0].written;
    out[1].custom = custom;
}

// --- subclassed models
// ------------------------------------------------------------------------------------------------

static ks_tree slot_tree(size_t slot) {
    ks_tree tree = {.type = KS_TREE_SLOT};
    tree.as.slot = slot;
    return tree;
}

static ks_code input_of(ks_object **out, ks__reader *reader, const ks_object *layer) {
    const ks_value *shape = ks_value_get(ks_value_get(layer->source, "build_config"), "input_shape");
    ks_object *input = ks_arena_get(reader->arena, 1, sizeof(*input));
    ks_input_layer *params = ks_arena_get(reader->arena, 1, sizeof(*params));
    if (!input || !params)
        return reader->context->error.code;
    if (!shape || !ks__shape_from_value(&params->shape, shape) || params->shape.rank == 0)
        return ks__config_fail(reader, KS_E_CONFIG_MISSING, layer->source, layer->place, "../build_config",
                               "a subclassed model needs the shape of its input here");
    params->dtype = ks_text_from("float32");
    params->type = KS_FLOAT32;
    input->row = &ks_class_InputLayer;
    input->name = "input_layer";
    input->place = layer->place;
    input->params = params;
    input->compute_dtype = input->variable_dtype = KS_FLOAT32;
    *out = input;
    return KS_OK;
}

static ks_code list_layers(ks__reader *reader, ks_graph *graph, const ks_object *layer) {
    size_t count = 0;
    for (const ks_child *child = layer->children; child; child = child->next)
        count++;
    graph->layers = ks_arena_get(reader->arena, count + 1, sizeof(*graph->layers));
    if (!graph->layers)
        return reader->context->error.code;
    for (const ks_child *child = layer->children; child; child = child->next)
        graph->layers[graph->n_layers++] = child->object;
    graph->operations = graph->layers;
    graph->n_operations = graph->n_layers;
    return KS_OK;
}

ks_code ks__custom_model(ks_object **out, ks__reader *reader, ks_object *layer) {
    ks_object *model = ks_arena_get(reader->arena, 1, sizeof(*model)), *input = NULL;
    ks_graph *graph = ks_arena_get(reader->arena, 1, sizeof(*graph));
    ks_tree *arguments = ks_arena_get(reader->arena, 2, sizeof(*arguments)), result;
    ks_call call;
    ks_code code;
    if (!model || !graph || !arguments)
        return reader->context->error.code;
    graph->nodes = ks_arena_get(reader->arena, 2, sizeof(*graph->nodes));
    graph->symbols = ks_arena_get(reader->arena, 2, sizeof(*graph->symbols));
    if (!graph->nodes || !graph->symbols)
        return reader->context->error.code;
    KS_TRY(input_of(&input, reader, layer));
    graph->symbols[0] = (ks_array){.dtype = KS_FLOAT32, .shape = ((const ks_input_layer *)input->params)->shape};
    ks__symbolic_call(&call, reader);
    arguments[0] = ks_tree_of(&graph->symbols[0]);
    KS_TRY(ks_infer(&result, &call, layer, arguments));
    graph->symbols[1] = *result.as.array;
    arguments[0] = slot_tree(0);
    graph->nodes[0] = (ks_node){input, NULL, slot_tree(0), 0, NULL};
    graph->nodes[1] = (ks_node){layer, arguments, slot_tree(1), 0, NULL};
    graph->n_nodes = graph->n_slots = 2;
    graph->inputs = slot_tree(0);
    graph->outputs = slot_tree(1);
    KS_TRY(list_layers(reader, graph, layer));
    *model = *layer; // the same children and variables
    model->row = layer->row + 1;
    model->graph = graph;
    *out = model;
done:
    return code;
}
