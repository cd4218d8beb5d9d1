// SPDX-License-Identifier: Apache-2.0
//
// Rows of custom classes, whose functions are those of a plugin's table, and subclassed models.
#include <string.h>

#include "config/config_internal.h"
#include "config/custom_internal.h"
#include "config/registry.h"
#include "schema/core.h"
#include "schema/key_row.h"

static ks_array *symbolic_array(ks_plugin_call *call, ks_dtype dtype, const ks_shape *shape) {
    return ks_array_new(call->call->arena, dtype, shape);
}

static ks_plugin_call symbolic_call(ks_call *call, const ks_object *object) {
    ks_plugin_call plugin = {.context = call->context,
                             .call = call,
                             .registry = object->registry,
                             .bits = call->real == KS_FLOAT64 ? 64 : 32,
                             .apply = ks__symbolic_call_layer,
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
        return ks__custom_fail(plugin, (ks_plugin_object *)object, "the plugin's call gave no result");
    *out = ks__custom_array(result)->shape;
done:
    return code;
}

// --- several tensors ------------------------------------------------------------------------------------------------

static ks_array *head_of(ks_arena *arena, const ks_array *array) {
    return ks_array_new(arena, array->dtype, &array->shape);
}

static bool heads_of(ks_tree *out, ks_arena *arena, const ks_tree *from, bool masks) {
    *out = *from;
    if (from->type == KS_TREE_ARRAY) {
        out->as.array = head_of(arena, from->as.array);
        if (!out->as.array)
            return false;
        if (masks && from->as.array->mask)
            out->as.array->mask = head_of(arena, from->as.array->mask);
        return !masks || !from->as.array->mask || out->as.array->mask;
    }
    if (from->type != KS_TREE_LIST && from->type != KS_TREE_DICT)
        return true;
    out->as.list.items = ks_arena_get(arena, from->as.list.count + 1, sizeof(*out->as.list.items));
    for (size_t i = 0; out->as.list.items && i < from->as.list.count; i++)
        if (!heads_of(&out->as.list.items[i], arena, &from->as.list.items[i], masks))
            return false;
    return out->as.list.items != NULL;
}

ks_tree *ks_custom_heads(const ks_call *call, const ks_class *row) {
    size_t count = ks_class_argument_count(row);
    ks_tree *heads = ks_arena_get(call->arena, count + 1, sizeof(*heads));
    for (size_t i = 0; heads && i < count; i++)
        if (!heads_of(&heads[i], call->arena, &call->arguments[i], true))
            return NULL;
    return heads;
}

// The arguments as a plugin takes them, and one NULL.
static ks_plugin_value **arguments_of(const ks_call *call, const ks_class *row) {
    size_t count = ks_class_argument_count(row);
    ks_tree *heads = ks_custom_heads(call, row);
    ks_plugin_value **out = ks_arena_get(call->arena, count + 1, sizeof(*out));
    if (!heads || !out)
        return NULL;
    for (size_t i = 0; i < count; i++)
        out[i] = (ks_plugin_value *)&heads[i];
    return out;
}

static ks_code build_all(ks_call *call, ks_object *object) {
    ks_plugin_call plugin = symbolic_call(call, object);
    ks_plugin_value **arguments = arguments_of(call, object->row);
    if (!arguments)
        return call->context->error.code;
    return object->row->custom->build_all(&ks_plugin_functions, &plugin, (ks_plugin_object *)object, arguments);
}

// Calling sub-layers also builds them.
static ks_code infer_all(ks_tree *out, ks_call *call, ks_object *object) {
    ks_plugin_call plugin = symbolic_call(call, object);
    ks_plugin_value **arguments = arguments_of(call, object->row), *result = NULL;
    ks_code code;
    if (!arguments)
        return call->context->error.code;
    KS_TRY(
        object->row->custom->call_all(&ks_plugin_functions, &plugin, (ks_plugin_object *)object, arguments, &result));
    if (!result)
        return ks__custom_fail(&plugin, (ks_plugin_object *)object, "the plugin's call gave no result");
    if (!heads_of(out, call->arena, (const ks_tree *)result, false)) // arrays of its own: an input may be the result
        code = call->context->error.code;
done:
    return code;
}

static ks_code custom_mask(ks_array **masks, const ks_tree *result, ks_call *call, ks_object *object) {
    ks_plugin_call plugin = symbolic_call(call, object);
    ks_plugin_value **arguments = arguments_of(call, object->row);
    size_t count = ks_tree_flatten(result, NULL, 0);
    ks_plugin_array **given = ks_arena_get(call->arena, count + 1, sizeof(*given));
    ks_code code;
    if (!arguments || !given)
        return call->context->error.code;
    KS_TRY(object->row->custom->compute_mask(&ks_plugin_functions, &plugin, (ks_plugin_object *)object, arguments,
                                             given, count));
    for (size_t i = 0; i < count; i++) {
        masks[i] = ks__custom_array(given[i]);
        if (masks[i] && masks[i]->dtype != KS_BOOL8)
            return ks__custom_fail(&plugin, (ks_plugin_object *)object, "a mask is not of type \"bool\"");
        // One of its own: what is given may be the mask of an argument.
        if (masks[i] && !(masks[i] = ks_array_new(call->arena, KS_BOOL8, &masks[i]->shape)))
            return call->context->error.code;
    }
done:
    return code;
}

// --- building and shapes --------------------------------------------------------------------------------------------

static ks_code custom_build(ks_call *call, ks_object *object) {
    const ks_plugin_class *custom = object->row->custom;
    ks_plugin_call plugin = symbolic_call(call, object);
    ks_array *input;
    ks_shape shape;
    ks_tree result;
    ks_code code = KS_OK;
    if (custom->build_all)
        KS_TRY(build_all(call, object));
    if (custom->call_all)
        return infer_all(&result, call, object);
    if (custom->build_all)
        return KS_OK;
    input = ks_call_input(call, object);
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
    ks_array *input;
    ks_shape shape;
    ks_code code = KS_OK;
    if (custom->call_all)
        return infer_all(out, call, object);
    input = ks_call_input(call, object);
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

// --- rows -----------------------------------------------------------------------------------------------------------

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

static ks_kind row_kind(ks_plugin_kind kind) {
    switch (kind) {
    case KS_PLUGIN_LAYER:
    case KS_PLUGIN_MODEL: // a layer where it stands in another one
        break;
    case KS_PLUGIN_FUNCTION:
        return KS_KIND_FUNCTION;
    case KS_PLUGIN_INITIALIZER:
        return KS_KIND_INITIALIZER;
    case KS_PLUGIN_REGULARIZER:
        return KS_KIND_REGULARIZER;
    case KS_PLUGIN_CONSTRAINT:
        return KS_KIND_CONSTRAINT;
    case KS_PLUGIN_LOSS:
        return KS_KIND_LOSS;
    case KS_PLUGIN_METRIC:
        return KS_KIND_METRIC;
    case KS_PLUGIN_OPTIMIZER:
        return KS_KIND_OPTIMIZER;
    case KS_PLUGIN_SCHEDULE:
        return KS_KIND_SCHEDULE;
    }
    return KS_KIND_LAYER;
}

// What get_config of Keras's base classes gives. They are written where they were read.
static const ks_key loss_base[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE | KS_GIVEN, "null"),
    KS_ROW_LOOSE(reduction, TEXT, KS_NULLABLE | KS_GIVEN, "null"),
};

static const ks_key metric_base[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE | KS_GIVEN, "null"),
    KS_ROW_LOOSE(dtype, ANY, KS_NULLABLE | KS_GIVEN, "null"),
};

static const ks_key optimizer_base[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE | KS_GIVEN, "null"),
    KS_ROW_LOOSE(learning_rate, ANY, KS_SINGLE | KS_GIVEN, "null"),
    KS_ROW_LOOSE(weight_decay, FLOAT, KS_NULLABLE | KS_GIVEN, "null"),
    KS_ROW_LOOSE(clipnorm, FLOAT, KS_NULLABLE | KS_GIVEN, "null"),
    KS_ROW_LOOSE(global_clipnorm, FLOAT, KS_NULLABLE | KS_GIVEN, "null"),
    KS_ROW_LOOSE(clipvalue, FLOAT, KS_NULLABLE | KS_GIVEN, "null"),
    KS_ROW_LOOSE(use_ema, BOOL, KS_GIVEN, "null"),
    KS_ROW_LOOSE(ema_momentum, FLOAT, KS_GIVEN, "null"),
    KS_ROW_LOOSE(ema_overwrite_frequency, INT, KS_NULLABLE | KS_GIVEN, "null"),
    KS_ROW_LOOSE(loss_scale_factor, FLOAT, KS_NULLABLE | KS_GIVEN, "null"),
    KS_ROW_LOOSE(gradient_accumulation_steps, INT, KS_NULLABLE | KS_GIVEN, "null"),
};

_Static_assert(sizeof(optimizer_base) / sizeof(optimizer_base[0]) <= KS_CUSTOM_BASE_KEYS,
               "more keys than there is room");

static size_t base_keys(ks_key *out, const ks_plugin_class *custom) {
    const ks_key *base = NULL;
    size_t count = 0;
    if (custom->kind == KS_PLUGIN_LOSS) {
        base = loss_base;
        count = sizeof(loss_base) / sizeof(loss_base[0]);
    } else if (custom->kind == KS_PLUGIN_METRIC) {
        base = metric_base;
        count = sizeof(metric_base) / sizeof(metric_base[0]);
    } else if (custom->kind == KS_PLUGIN_OPTIMIZER) {
        base = optimizer_base;
        count = sizeof(optimizer_base) / sizeof(optimizer_base[0]);
    }
    if (custom->bare_config || !base)
        return 0;
    memcpy(out, base, count * sizeof(*base));
    return count;
}

static size_t all_keys(ks_key *keys, const ks_plugin_class *custom) {
    size_t count = base_keys(keys, custom);
    for (size_t i = 0; i < custom->n_keys; i++) {
        const ks_plugin_key *key = &custom->keys[i];
        bool nullable = key->otherwise && strcmp(key->otherwise, "null") == 0;
        keys[count++] = (ks_key){.name = key->name,
                                 .type = row_type(key->type),
                                 .flags = (nullable ? KS_NULLABLE : 0) | (key->otherwise ? 0 : KS_REQUIRED),
                                 .offset = KS_LOOSE,
                                 .otherwise = key->otherwise};
    }
    return count;
}

static ks_mask_rule mask_rule(const ks_plugin_class *custom) {
    if (custom->compute_mask)
        return KS_MASK_CUSTOM;
    return custom->passes_mask ? KS_MASK_PASS : KS_MASK_NONE;
}

void ks_custom_rows(ks_class out[2], ks_key *keys, const ks_plugin_class *custom) {
    size_t n_keys = all_keys(keys, custom);
    bool layer = custom->kind == KS_PLUGIN_LAYER || custom->kind == KS_PLUGIN_MODEL;
    out[0] = (ks_class){.name = custom->name,
                        .module = "builtins",
                        .kind = row_kind(custom->kind),
                        .keys = keys,
                        .n_keys = n_keys,
                        .written = layer && custom->bare_config ? "*" : NULL,
                        .arguments = custom->arguments,
                        .mask = mask_rule(custom),
                        .check = custom_check,
                        .build = custom_build,
                        .infer = custom_infer,
                        .compute_mask = custom_mask,
                        .custom = custom};
    out[1] = ks_class_Functional; // its graph is one call, of the object as a layer
    out[1].name = custom->name;
    out[1].module = "builtins";
    out[1].keys = keys;
    out[1].n_keys = n_keys;
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
