// SPDX-License-Identifier: Apache-2.0
#include "schema/graph.h"

static ks_code bind(ks_tree *out, ks_call *call, const ks_tree *pattern, ks_array *const *slots) {
    ks_code code;
    *out = *pattern;
    if (pattern->type == KS_TREE_SLOT) {
        *out = ks_tree_of(slots[pattern->as.slot]);
    } else if (pattern->type == KS_TREE_LIST || pattern->type == KS_TREE_DICT) {
        out->as.list.items = ks_arena_get(call->arena, pattern->as.list.count + 1, sizeof(ks_tree));
        if (!out->as.list.items)
            return call->context->error.code;
        for (size_t i = 0; i < pattern->as.list.count; i++) {
            code = bind(&out->as.list.items[i], call, &pattern->as.list.items[i], slots);
            if (code != KS_OK)
                return code;
        }
    }
    return KS_OK;
}

ks_tree *ks_graph_arguments(ks_call *call, const ks_node *node, ks_array *const *slots) {
    size_t count = ks_class_argument_count(node->layer->row);
    ks_tree *arguments = ks_arena_get(call->arena, count + 1, sizeof(ks_tree));
    if (!arguments)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (bind(&arguments[i], call, &node->arguments[i], slots) != KS_OK)
            return NULL;
    return arguments;
}

void ks_graph_take_single(ks_object *model) {
    ks_graph *graph = model->graph;
    if (!graph || !graph->single_in_list)
        return;
    graph->outputs = graph->outputs.as.list.items[0];
    graph->single_in_list = false;
}

ks_code ks_graph_outputs(ks_tree *out, ks_call *call, const ks_tree *pattern, ks_array *const *slots) {
    return bind(out, call, pattern, slots);
}

ks_code ks_graph_store(ks_call *call, const ks_object *object, const ks_tree *pattern, const ks_tree *values,
                       ks_array **slots) {
    size_t expected = ks_tree_slots(pattern, NULL, 0);
    size_t count = ks_tree_flatten(values, NULL, 0);
    size_t *targets = ks_arena_get(call->arena, expected + 1, sizeof(*targets));
    ks_array **arrays = ks_arena_get(call->arena, count + 1, sizeof(*arrays));
    if (!targets || !arrays)
        return call->context->error.code;
    if (expected != count)
        return ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "%s \"%s\": expected %zu tensors, found %zu", object->row->name, object->name, expected, count);
    ks_tree_slots(pattern, targets, expected);
    ks_tree_flatten(values, arrays, count);
    for (size_t i = 0; i < count; i++)
        slots[targets[i]] = arrays[i];
    return KS_OK;
}

// A dict given to a model whose inputs are a list is read by the names of its InputLayers.
static ks_code inputs_by_name(ks_call *call, const ks_object *model, const ks_tree *given, ks_array **slots) {
    const ks_graph *graph = model->graph;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const ks_node *node = &graph->nodes[i];
        bool found = false;
        if (node->result.type != KS_TREE_SLOT || ks_class_argument_count(node->layer->row) != 0)
            continue;
        for (size_t k = 0; k < given->as.list.count && !found; k++) {
            found =
                ks_text_is(given->as.list.keys[k], node->layer->name) && given->as.list.items[k].type == KS_TREE_ARRAY;
            if (found)
                slots[node->result.as.slot] = given->as.list.items[k].as.array;
        }
        if (!found)
            return ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, model->place,
                           "%s \"%s\": the call gives no tensor for input \"%s\"", model->row->name, model->name,
                           node->layer->name);
    }
    return KS_OK;
}

ks_code ks_graph_inputs(ks_call *call, const ks_object *model, ks_array **slots) {
    const ks_tree *given = &call->arguments[0];
    if (given->type == KS_TREE_DICT && model->graph->inputs.type != KS_TREE_DICT)
        return inputs_by_name(call, model, given, slots);
    return ks_graph_store(call, model, &model->graph->inputs, given, slots);
}
