// SPDX-License-Identifier: Apache-2.0
//
// A Sequential model's config: {"name", "trainable", "dtype", "layers": [records], "build_input_shape": shape}. A first
// InputLayer or build_input_shape gives the input's shape; with neither, the layers know theirs from their
// build_config. Source: Keras 3 models/sequential.py.
#include <string.h>

#include "base/name_table.h"
#include "config/config_internal.h"
#include "schema/core.h"
#include "schema/graph.h"

typedef struct chain {
    ks__reader *reader;
    ks_object *model;
    ks_object *input;   ///< InputLayer, NULL when the shape of the input is not known
    ks_object **layers; ///< without the InputLayer
    size_t n_layers;
} chain;

static ks_code read_layers(chain *c, const ks_value *records) {
    size_t count = records->as.list.count;
    ks_name_table names;
    ks_code code;
    KS_TRY(ks_name_table_init(&names, c->reader->arena, count));
    c->layers = ks_arena_get(c->reader->arena, count + 1, sizeof(*c->layers));
    if (!c->layers)
        return c->reader->context->error.code;
    for (size_t i = 0; i < count; i++) {
        const ks_value *record = &records->as.list.items[i];
        const char *place = ks_arena_numbered(c->reader->arena, c->model->place, "/layers/", i);
        ks_object *layer;
        ks_named *name;
        if (!place)
            return c->reader->context->error.code;
        KS_TRY(ks__read_record(&layer, c->reader, record, place));
        ks_graph_take_single(layer);
        if (layer->row->kind != KS_KIND_LAYER && layer->row->kind != KS_KIND_MODEL)
            return ks__config_fail(c->reader, KS_E_CONFIG_RECORD, record, place, NULL,
                                   "expected a layer, found the %s %s", ks_kind_name(layer->row->kind),
                                   layer->row->name);
        if (!ks__is_unnamed(layer)) {
            name = ks_name_table_place(&names, ks_text_from(layer->name));
            if (name->number != KS_NO_NUMBER)
                return ks__config_fail(c->reader, KS_E_CONFIG_DUPLICATE_LAYER, record, place, "config/name",
                                       "the model has two layers called \"%.80s\"", layer->name);
            *name = (ks_named){ks_text_from(layer->name), i};
        }
        if (layer->row != &ks_class_InputLayer) {
            c->layers[c->n_layers++] = layer;
        } else {
            if (i)
                return ks__config_fail(c->reader, KS_E_CONFIG_GRAPH, record, place, NULL,
                                       "an InputLayer can only be the first layer");
            c->input = layer;
        }
    }
    if (c->input)
        KS_TRY(ks__name_layers(c->reader, &names, &c->input, 1));
    KS_TRY(ks__name_layers(c->reader, &names, c->layers, c->n_layers));
done:
    return code;
}

// The InputLayer that Keras makes from build_input_shape.
static ks_code make_input(chain *c) {
    const ks_value *value = ks_value_get(c->model->config, "build_input_shape");
    ks_input_layer *params;
    ks_object *input;
    ks_shape shape;
    if (c->input || !value || value->type == KS_VALUE_NULL)
        return KS_OK;
    if (!ks__shape_from_value(&shape, value) || shape.rank == 0)
        return ks__config_fail(c->reader, KS_E_CONFIG_TYPE, value, c->model->place, "build_input_shape",
                               "expected a shape");
    input = ks_arena_get(c->reader->arena, 1, sizeof(*input));
    params = ks_arena_get(c->reader->arena, 1, sizeof(*params));
    if (!input || !params)
        return c->reader->context->error.code;
    params->shape = shape;
    params->type = KS_FLOAT32;
    input->row = &ks_class_InputLayer;
    input->name = "input_layer";
    input->place = c->model->place;
    input->params = params;
    input->compute_dtype = input->variable_dtype = KS_FLOAT32;
    for (size_t i = 0; i < c->n_layers; i++)
        if (strcmp(c->layers[i]->name, input->name) == 0)
            return ks__config_fail(c->reader, KS_E_CONFIG_DUPLICATE_LAYER, value, c->model->place, "build_input_shape",
                                   "the input that this makes and a layer are both called \"%s\"", input->name);
    c->input = input;
    return KS_OK;
}

static ks_tree slot_tree(size_t slot) {
    ks_tree tree = {.type = KS_TREE_SLOT};
    tree.as.slot = slot;
    return tree;
}

static ks_code make_graph(chain *c) {
    ks_arena *arena = c->reader->arena;
    ks_graph *graph = c->model->graph;
    ks_call call;
    ks_code code = KS_OK;

    graph->nodes = ks_arena_get(arena, c->n_layers + 1, sizeof(*graph->nodes));
    graph->symbols = ks_arena_get(arena, c->n_layers + 1, sizeof(*graph->symbols));
    if (!graph->nodes || !graph->symbols)
        return c->reader->context->error.code;
    graph->layers = c->layers;
    graph->n_layers = c->n_layers;
    graph->operations = c->layers;
    graph->n_operations = c->n_layers;
    graph->n_slots = c->n_layers + 1;
    graph->inputs = slot_tree(0);
    graph->outputs = slot_tree(c->n_layers);
    for (size_t i = 0; i < graph->n_slots; i++) {
        graph->symbols[i].dtype = KS_FLOAT32;
        graph->symbols[i].shape.rank = -1;
    }
    if (c->input) {
        const ks_input_layer *params = c->input->params;
        graph->nodes[graph->n_nodes++] = (ks_node){c->input, NULL, slot_tree(0), 0, NULL, false, false};
        graph->symbols[0].dtype = params->type;
        graph->symbols[0].shape = params->shape;
    }
    ks__symbolic_call(&call, c->reader);
    for (size_t i = 0; i < c->n_layers; i++) {
        ks_tree *arguments = ks_arena_get(arena, ks_class_argument_count(c->layers[i]->row) + 1, sizeof(*arguments));
        if (!arguments)
            return c->reader->context->error.code;
        arguments[0] = slot_tree(i);
        graph->nodes[graph->n_nodes++] = (ks_node){c->layers[i], arguments, slot_tree(i + 1), 0, NULL, false, false};
        KS_TRY(ks_add_child(&call, c->model, "layers", true, c->layers[i]));
    }
done:
    return code;
}

static ks_code make_room(chain *c, ks_array ***slots, size_t *room, size_t needed) {
    ks_graph *graph = c->model->graph;
    size_t wider = needed > 2 * *room ? needed : 2 * *room;
    ks_array **arrays, *symbols;
    if (needed <= *room)
        return KS_OK;
    arrays = ks_arena_get(c->reader->arena, wider, sizeof(ks_array *));
    symbols = ks_arena_get(c->reader->arena, wider, sizeof(*symbols));
    if (!arrays || !symbols)
        return c->reader->context->error.code;
    memcpy(arrays, *slots, graph->n_slots * sizeof(ks_array *));
    memcpy(symbols, graph->symbols, graph->n_slots * sizeof(*symbols));
    *slots = arrays;
    *room = wider;
    graph->symbols = symbols;
    return KS_OK;
}

// Shapes through the chain; only when the input's shape is known. A layer with several results (states, a model's
// outputs) hands all of them to the next one, in their structure.
static ks_code infer_chain(chain *c) {
    ks_graph *graph = c->model->graph;
    size_t room = graph->n_slots, count;
    ks_array **slots = ks_arena_get(c->reader->arena, room, sizeof(*slots));
    ks_call call;
    ks_code code = KS_OK;
    if (!slots)
        return c->reader->context->error.code;
    ks__symbolic_call(&call, c->reader);
    slots[0] = &graph->symbols[0];
    graph->n_slots = 1;
    for (size_t i = 1; i < graph->n_nodes; i++) {
        ks_node *node = &graph->nodes[i];
        ks_tree *arguments, result;
        node->arguments[0] = graph->nodes[i - 1].result;
        arguments = ks_graph_arguments(&call, node, slots);
        if (!arguments)
            return c->reader->context->error.code;
        KS_TRY(ks_infer(&result, &call, node->layer, arguments));
        count = ks_tree_flatten(&result, NULL, 0);
        if (count != 1 && c->reader->dialect != KS_DIALECT_KERAS3)
            return ks__config_fail(c->reader, KS_E_CONFIG_ARGUMENT, node->layer->config, node->layer->place, NULL,
                                   "%s \"%.80s\": before Keras 3 each layer of a Sequential model gives one tensor, "
                                   "found %zu",
                                   node->layer->row->name, node->layer->name, count);
        KS_TRY(make_room(c, &slots, &room, graph->n_slots + count));
        ks_tree_flatten(&result, slots + graph->n_slots, count);
        for (size_t k = graph->n_slots; k < graph->n_slots + count; k++)
            graph->symbols[k] = *slots[k];
        graph->n_slots = ks_tree_number(&result, graph->n_slots);
        node->result = result;
    }
    graph->outputs = graph->nodes[graph->n_nodes - 1].result;
done:
    return code;
}

ks_code ks__read_sequential(ks__reader *reader, ks_object *model) {
    chain c = {.reader = reader, .model = model};
    const ks_value *layers = ks_value_get(model->config, "layers");
    ks_code code;

    model->graph = ks_arena_get(reader->arena, 1, sizeof(*model->graph));
    if (!model->graph)
        return reader->context->error.code;
    if (!layers || layers->type != KS_VALUE_LIST)
        return ks__config_fail(reader, layers ? KS_E_CONFIG_TYPE : KS_E_CONFIG_MISSING, layers ? layers : model->config,
                               model->place, "layers", "expected a list of layers");
    KS_TRY(read_layers(&c, layers));
    KS_TRY(make_input(&c));
    KS_TRY(make_graph(&c));
    if (c.input)
        KS_TRY(infer_chain(&c));
    model->built = true;
done:
    return code;
}
