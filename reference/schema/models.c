// SPDX-License-Identifier: Apache-2.0
//
// Functional and Sequential: models as layers of other models. Their configs are read by the config stage
// (functional.c, sequential.c there); their graphs are run by layers/run.real.c. Source: Keras 3
// models/{functional,sequential}.py.
#include "schema/graph.h"

static ks_code model_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_graph *graph = object->graph;
    ks_array **slots = ks_arena_get(call->arena, graph->n_slots + 1, sizeof(*slots));
    ks_code code;
    if (!slots)
        return call->context->error.code;
    KS_TRY(ks_graph_inputs(call, object, slots));
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const ks_node *node = &graph->nodes[i];
        ks_tree result;
        ks_tree *arguments;
        if (ks_class_argument_count(node->layer->row) == 0)
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
