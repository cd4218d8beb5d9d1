// SPDX-License-Identifier: Apache-2.0
//
// TimeDistributed, Wrapper, Lambda. Source of the rules: Keras 3 layers/rnn/time_distributed.py, layers/core/{wrapper,
// lambda_layer}.py.
#include "schema/wrapper.h"

#include <string.h>

#include "schema/broadcast.h"
#include "schema/graph.h"
#include "schema/key_row.h"

ks_tree *ks_single_arguments(ks_call *call, const ks_object *layer, ks_array *input, ks_array *mask) {
    size_t count = ks_class_argument_count(layer->row);
    ks_tree *arguments = ks_arena_get(call->arena, count + 1, sizeof(*arguments));
    if (!arguments)
        return NULL;
    arguments[0] = ks_tree_of(input);
    for (size_t i = 1; mask && i < count; i++)
        if (strcmp(layer->row->arguments[i], "mask") == 0)
            arguments[i] = ks_tree_of(mask);
    return arguments;
}

static const ks_key wrapper_keys[] = {
    KS_ROW(ks_wrapper, layer, LAYER, KS_REQUIRED | KS_NUMERIC, NULL),
};

const ks_class ks_class_Wrapper = {
    .name = "Wrapper",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(wrapper_keys),
    .params_size = sizeof(ks_wrapper),
    .unsupported = "an abstract class, which cannot be called",
};

// --- TimeDistributed ------------------------------------------------------------------------------------------------

// One time step of the input: the wrapped layer's argument.
static ks_tree *step_arguments(ks_call *call, const ks_object *object, ks_shape *shape) {
    const ks_wrapper *params = object->params;
    ks_array *input = ks_call_input(call, object), *step;
    if (!input || ks_call_check_rank(call, object, input, 3, -1) != KS_OK)
        return NULL;
    *shape = input->shape;
    step = ks_array_new(call->arena, input->dtype, shape);
    if (!step)
        return NULL;
    ks_shape_drop(&step->shape, 1);
    return ks_single_arguments(call, params->layer, step, NULL);
}

static ks_code time_distributed_build(ks_call *call, ks_object *object) {
    const ks_wrapper *params = object->params;
    ks_shape shape;
    ks_tree *arguments = step_arguments(call, object, &shape);
    ks_code code;
    if (!arguments)
        return call->context->error.code;
    KS_TRY(ks_add_child(call, object, "layer", false, params->layer));
    KS_TRY(ks_build(call, params->layer, arguments));
done:
    return code;
}

static ks_code time_distributed_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_wrapper *params = object->params;
    ks_shape shape;
    ks_tree *arguments = step_arguments(call, object, &shape);
    ks_code code;
    if (!arguments)
        return call->context->error.code;
    ks_graph_take_single(params->layer);
    KS_TRY(ks_infer(out, call, params->layer, arguments));
    if (out->type != KS_TREE_ARRAY || out->as.array->shape.rank < 1 || out->as.array->shape.rank >= KS_MAX_RANK)
        return ks_shape_error(call->context, object, "the wrapped layer must return one tensor with a batch dimension");
    ks_shape_insert(&out->as.array->shape, 1, shape.dims[1]);
done:
    return code;
}

static const char *const time_distributed_arguments[] = {"inputs", "training", "mask", NULL};

const ks_class ks_class_TimeDistributed = {
    .name = "TimeDistributed",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(wrapper_keys),
    .params_size = sizeof(ks_wrapper),
    .arguments = time_distributed_arguments,
    .mask = KS_MASK_PASS,
    .build = time_distributed_build,
    .infer = time_distributed_infer,
};

const ks_class ks_class_Lambda = {
    .name = "Lambda",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .unsafe = "it carries Python code, which would be run",
};
