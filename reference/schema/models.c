// SPDX-License-Identifier: Apache-2.0
//
// Functional and Sequential: models as layers of other models. Their configs are read by the config stage
// (functional.c, sequential.c there); their graphs are run by layers/run.real.c. Source: Keras 3
// models/{functional,sequential}.py.
#include "schema/broadcast.h"
#include "schema/graph.h"

// Floating inputs become what the InputLayers say.
static ks_code declared_types(ks_call *call, const ks_graph *graph, ks_array **slots) {
    size_t count = ks_tree_slots(&graph->inputs, NULL, 0);
    size_t *inputs = ks_arena_get(call->arena, count + 1, sizeof(*inputs));
    if (!inputs)
        return call->context->error.code;
    ks_tree_slots(&graph->inputs, inputs, count);
    for (size_t i = 0; i < count; i++) {
        const ks_array *given = slots[inputs[i]];
        ks_dtype declared = graph->symbols[inputs[i]].dtype;
        if (!ks_dtype_is_floating(declared) || !ks_dtype_is_floating(given->dtype) || declared == given->dtype)
            continue;
        slots[inputs[i]] = ks_array_new(call->arena, declared, &given->shape);
        if (!slots[inputs[i]])
            return call->context->error.code;
        slots[inputs[i]]->mask = given->mask;
    }
    return KS_OK;
}

static ks_code model_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_graph *graph = object->graph;
    ks_array **slots = ks_arena_get(call->arena, graph->n_slots + 1, sizeof(*slots));
    ks_code code;
    if (!slots)
        return call->context->error.code;
    KS_TRY(ks_graph_inputs(call, object, slots));
    if (call->symbolic)
        KS_TRY(declared_types(call, graph, slots));
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const ks_node *node = &graph->nodes[i];
        ks_tree result;
        ks_tree *arguments;
        if (ks_class_argument_count(node->layer->row) == 0 || node->skipped)
            continue; // an InputLayer: its slot is filled
        arguments = ks_graph_arguments(call, node, slots);
        if (!arguments)
            return call->context->error.code;
        KS_TRY(ks_infer(&result, call, node->layer, arguments));
        KS_TRY(ks_graph_store(call, node->layer, &node->result, &result, slots));
    }
    return ks_graph_outputs(out, call, &graph->outputs, slots);
done:
    return code;
}

static const char *const model_arguments[] = {"inputs", "training", "mask", NULL};

const ks_class ks_class_Functional = {
    .name = "Functional",
    .module = "keras.src.models.functional",
    .kind = KS_KIND_MODEL,
    .arguments = model_arguments,
    .mask = KS_MASK_NONE, // the tensors that come out of the graph carry their own masks
    .infer = model_infer,
};

const ks_class ks_class_Sequential = {
    .name = "Sequential",
    .module = "keras",
    .kind = KS_KIND_MODEL,
    .arguments = model_arguments,
    .mask = KS_MASK_NONE, // the tensors that come out of the graph carry their own masks
    .infer = model_infer,
};
