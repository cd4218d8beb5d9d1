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
                                 .name_size = (uint32_t)strlen(key->name),
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

// --- subclassed models -----------------------------------------------------------------------------------------------

// A call of the model as a layer, with a slot for every tensor: first those of the arguments, then those of the result.
typedef struct model_call {
    ks__reader *reader;
    ks_object *layer;
    ks_graph *graph;
    ks_tree *arguments; ///< of arrays
    size_t n_arguments, n_inputs, n_slots;
    ks_array **arrays; ///< by slot
} model_call;

static ks_code input_of(ks_object **out, const model_call *m, size_t slot) {
    ks_arena *arena = m->reader->arena;
    ks_object *input = ks_arena_get(arena, 1, sizeof(*input));
    ks_input_layer *params = ks_arena_get(arena, 1, sizeof(*params));
    const char *name = slot ? ks_arena_format(arena, "input_layer_%zu", slot) : "input_layer";
    if (!input || !params || !name)
        return m->reader->context->error.code;
    params->shape = m->arrays[slot]->shape;
    params->dtype = ks_text_from("float32");
    params->type = KS_FLOAT32;
    input->row = &ks_class_InputLayer;
    input->name = name;
    input->place = m->layer->place;
    input->params = params;
    input->compute_dtype = input->variable_dtype = KS_FLOAT32;
    *out = input;
    return KS_OK;
}

// The same structure with slots in place of arrays.
static bool slots_of(ks_tree *out, const model_call *m, const ks_tree *from, size_t first) {
    *out = *from;
    if (from->type == KS_TREE_ARRAY) {
        out->type = KS_TREE_SLOT;
        out->as.slot = first;
        while (out->as.slot + 1 < m->n_slots && m->arrays[out->as.slot] != from->as.array)
            out->as.slot++;
    }
    if (from->type != KS_TREE_LIST && from->type != KS_TREE_DICT)
        return true;
    out->as.list.items = ks_arena_get(m->reader->arena, from->as.list.count + 1, sizeof(*out->as.list.items));
    for (size_t i = 0; out->as.list.items && i < from->as.list.count; i++)
        if (!slots_of(&out->as.list.items[i], m, &from->as.list.items[i], first))
            return false;
    return out->as.list.items != NULL;
}

static bool has_rank(const model_call *m) {
    for (size_t i = 0; i < m->n_inputs; i++)
        if (m->arrays[i]->shape.rank == 0)
            return false;
    return m->n_inputs > 0;
}

static ks_code take_arguments(model_call *m) {
    ks__reader *reader = m->reader;
    ks_code code;
    KS_TRY(ks__build_arguments(&m->arguments, reader, m->layer));
    m->n_arguments = ks_class_argument_count(m->layer->row);
    for (size_t i = 0; m->arguments && i < m->n_arguments; i++)
        m->n_inputs += ks_tree_flatten(&m->arguments[i], NULL, 0);
    m->arrays = ks_arena_get(reader->arena, m->n_inputs + 1, sizeof(*m->arrays));
    if (!m->arrays)
        return reader->context->error.code;
    for (size_t i = 0; m->arguments && i < m->n_arguments; i++)
        m->n_slots += ks_tree_flatten(&m->arguments[i], m->arrays + m->n_slots, m->n_inputs - m->n_slots);
    if (!has_rank(m))
        return ks__config_fail(reader, KS_E_CONFIG_MISSING, m->layer->source, m->layer->place, "../build_config",
                               "a subclassed model needs the shapes of its inputs here");
done:
    return code;
}

static ks_code take_result(model_call *m, const ks_tree *result) {
    size_t count = ks_tree_flatten(result, NULL, 0);
    ks_array **arrays = ks_arena_get(m->reader->arena, m->n_inputs + count + 1, sizeof(*arrays));
    if (!arrays)
        return m->reader->context->error.code;
    memcpy(arrays, m->arrays, m->n_inputs * sizeof(*arrays));
    ks_tree_flatten(result, arrays + m->n_inputs, count);
    m->arrays = arrays;
    m->n_slots = m->n_inputs + count;
    return KS_OK;
}

// model.inputs: the one argument that has tensors, or a list of them.
static bool take_inputs(model_call *m, ks_tree *slots) {
    size_t count = 0, last = 0;
    ks_tree list;
    for (size_t i = 0; i < m->n_arguments; i++) {
        if (!slots_of(&slots[i], m, &m->arguments[i], 0))
            return false;
        if (ks_tree_count(&slots[i]) > 0) {
            count++;
            last = i;
        }
    }
    m->graph->inputs = slots[last];
    if (count == 1)
        return true;
    list = ks_tree_list(m->reader->arena, count);
    for (size_t i = 0, n = 0; list.as.list.items && i < m->n_arguments; i++)
        if (ks_tree_count(&slots[i]) > 0)
            list.as.list.items[n++] = slots[i];
    m->graph->inputs = list;
    return list.as.list.items != NULL;
}

static ks_code make_nodes(model_call *m, const ks_tree *result) {
    ks_graph *graph = m->graph;
    ks_arena *arena = m->reader->arena;
    ks_tree *slots = ks_arena_get(arena, m->n_arguments + 1, sizeof(*slots));
    ks_code code;
    graph->nodes = ks_arena_get(arena, m->n_inputs + 1, sizeof(*graph->nodes));
    graph->symbols = ks_arena_get(arena, m->n_slots + 1, sizeof(*graph->symbols));
    if (!slots || !graph->nodes || !graph->symbols || !take_inputs(m, slots) ||
        !slots_of(&graph->outputs, m, result, m->n_inputs))
        return m->reader->context->error.code;
    for (size_t i = 0; i < m->n_slots; i++)
        graph->symbols[i] = (ks_array){.dtype = m->arrays[i]->dtype, .shape = m->arrays[i]->shape};
    for (size_t i = 0; i < m->n_inputs; i++) {
        ks_tree slot = {.type = KS_TREE_SLOT, .as.slot = i};
        graph->nodes[i].result = slot;
        KS_TRY(input_of(&graph->nodes[i].layer, m, i));
    }
    graph->nodes[m->n_inputs] = (ks_node){m->layer, slots, graph->outputs, 0, NULL, false, false};
    graph->n_nodes = m->n_inputs + 1;
    graph->n_slots = m->n_slots;
    code = KS_OK;
done:
    return code;
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
    ks_object *model = ks_arena_get(reader->arena, 1, sizeof(*model));
    model_call m = {.reader = reader, .layer = layer};
    ks_tree result;
    ks_call call;
    ks_code code;
    m.graph = ks_arena_get(reader->arena, 1, sizeof(*m.graph));
    if (!model || !m.graph)
        return reader->context->error.code;
    KS_TRY(take_arguments(&m));
    ks__symbolic_call(&call, reader);
    KS_TRY(ks_infer(&result, &call, layer, m.arguments));
    KS_TRY(take_result(&m, &result));
    KS_TRY(make_nodes(&m, &result));
    KS_TRY(list_layers(reader, m.graph, layer));
    *model = *layer; // the same children and variables
    model->row = layer->row + 1;
    model->graph = m.graph;
    *out = model;
done:
    return code;
}
