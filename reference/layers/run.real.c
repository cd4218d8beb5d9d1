// SPDX-License-Identifier: Apache-2.0
//
// Running layers and graphs of layers, as Keras's Layer.__call__ and Function._run_through_graph do: masks that travel
// with tensors are handed to layers that take them, unless the call names a mask itself; results get the masks that the
// layer's mask rule gives. Source: Keras 3 layers/layer.py, models/functional.py.
#include <stdio.h>
#include <string.h>

#include "base/cast.h"
#include "layers/layer.h"
#include "ops/activation.h"
#include "schema/advanced_activation.h"
#include "schema/graph.h"

typedef ks_code (*forward_function)(ks_run *run, ks_call *call, ks_object *object, ks_tree *out);
typedef ks_code (*mask_function)(ks_run *run, ks_call *call, ks_object *object, const ks_tree *out, ks_array **masks);

#define KS_OBJECT(name)

typedef struct numeric_half {
    const ks_class *row;
    forward_function forward;
    mask_function mask;
} numeric_half;

static const numeric_half halves[] = {
#define KS_LAYER(name) {&ks_class_##name, KS_REAL(ks__forward_##name), NULL},
#define KS_MASKED_LAYER(name) {&ks_class_##name, KS_REAL(ks__forward_##name), KS_REAL(ks__forward_mask_##name)},
#include "schema/classes.def"
#undef KS_LAYER
#undef KS_MASKED_LAYER
#undef KS_OBJECT
};

static const numeric_half custom_half = {NULL, KS_REAL(ks__forward_custom), KS_REAL(ks__forward_mask_custom)};

static const numeric_half *half_of(const ks_class *row) {
    if (row->custom)
        return &custom_half;
    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++)
        if (halves[i].row == row)
            return &halves[i];
    return NULL;
}

static ks_code run_error(ks_run *run, const ks_object *object, ks_code code, const char *text) {
    return ks_fail(run->context, code, KS_STAGE_RUN, KS_NO_OFFSET, object->place, "%s \"%s\": %s", object->row->name,
                   object->name, text);
}

// --- masks ----------------------------------------------------------------------------------------------------------

// The masks of a structure of tensors, in the same structure; NONE where there is none.
static ks_code masks_of(ks_run *run, ks_tree *out, const ks_tree *tensors) {
    ks_code code = KS_OK;
    *out = *tensors;
    if (tensors->type == KS_TREE_ARRAY) {
        *out = ks_tree_of(tensors->as.array->mask);
    } else if (tensors->type == KS_TREE_LIST || tensors->type == KS_TREE_DICT) {
        out->as.list.items = ks_arena_get(run->arena, tensors->as.list.count + 1, sizeof(ks_tree));
        if (!out->as.list.items)
            return run->context->error.code;
        for (size_t i = 0; i < tensors->as.list.count && code == KS_OK; i++)
            code = masks_of(run, &out->as.list.items[i], &tensors->as.list.items[i]);
    } else {
        *out = ks_tree_of(NULL);
    }
    return code;
}

static size_t find_argument(const ks_class *row, size_t count, const char *name) {
    for (size_t i = 0; row->arguments && i < count; i++)
        if (strcmp(row->arguments[i], name) == 0)
            return i;
    return count;
}

static bool has_tensors(const ks_tree *tree) {
    return ks_tree_count(tree) > 0;
}

// Step 6 of Layer.__call__: with one tensor argument its mask goes to "mask"; with several, each one's to
// "<name>_mask". Keras 1 and 2 take that of the first argument in any case.
static ks_code fill_mask_arguments(ks_run *run, const ks_object *object, ks_tree *arguments, size_t count) {
    const ks_class *row = object->row;
    size_t n_tensors = 0, only = 0;
    ks_code code = KS_OK;
    for (size_t i = 0; i < count; i++)
        if (has_tensors(&arguments[i])) {
            n_tensors++;
            only = i;
        }
    if (n_tensors > 1 && ks_is_old(object) && has_tensors(&arguments[0]) && find_argument(row, count, "mask") < count) {
        n_tensors = 1;
        only = 0;
    }
    if (n_tensors == 1) {
        size_t at = find_argument(row, count, "mask");
        if (at < count && arguments[at].type == KS_TREE_NONE)
            KS_TRY(masks_of(run, &arguments[at], &arguments[only]));
        return KS_OK;
    }
    for (size_t i = 0; i < count; i++) {
        char name[64];
        size_t at;
        if (!has_tensors(&arguments[i]) || !row->arguments)
            continue;
        snprintf(name, sizeof(name), "%s_mask", row->arguments[i]);
        at = find_argument(row, count, name);
        if (at < count && arguments[at].type == KS_TREE_NONE)
            KS_TRY(masks_of(run, &arguments[at], &arguments[i]));
    }
done:
    return code;
}

static ks_code previous_mask(ks_run *run, ks_tree *out, const ks_class *row, const ks_tree *arguments, size_t count) {
    size_t at = find_argument(row, count, "mask");
    if (at < count && arguments[at].type != KS_TREE_NONE) {
        *out = arguments[at];
        return KS_OK;
    }
    return masks_of(run, out, &arguments[0]);
}

// Flattened as Keras flattens a structure of masks: one entry per place, NULL where there is none.
static void flatten_masks(const ks_tree *tree, ks_array **out, size_t room, size_t *count) {
    if (tree->type == KS_TREE_LIST || tree->type == KS_TREE_DICT) {
        for (size_t i = 0; i < tree->as.list.count; i++)
            flatten_masks(&tree->as.list.items[i], out, room, count);
        return;
    }
    if (*count < room)
        out[*count] = tree->type == KS_TREE_ARRAY ? tree->as.array : NULL;
    (*count)++;
}

static ks_code allocate(ks_run *run, const ks_object *object, ks_array *array) {
    uint64_t elements;
    if (!ks_shape_elements(&array->shape, &elements))
        return run_error(run, object, KS_E_CONFIG_SHAPE, "a result's shape is not known");
    array->data = ks_run_memory(run, (size_t)elements, ks_dtype_size(array->dtype));
    return array->data ? KS_OK : run->context->error.code;
}

static ks_code custom_masks(ks_run *run, ks_call *call, ks_object *layer, const numeric_half *half, const ks_tree *out,
                            ks_array **masks, size_t count) {
    ks_code code;
    KS_TRY(layer->row->compute_mask(masks, out, call, layer));
    for (size_t i = 0; i < count; i++)
        if (masks[i] && !masks[i]->data)
            KS_TRY(allocate(run, layer, masks[i]));
    KS_TRY(half->mask(run, call, layer, out, masks));
done:
    return code;
}

static ks_code attach_masks(ks_run *run, ks_call *call, ks_object *layer, const numeric_half *half,
                            const ks_tree *out) {
    size_t count = ks_tree_flatten(out, NULL, 0), n_masks = 0;
    ks_array **arrays, **masks;
    ks_tree previous;
    ks_code code = KS_OK;
    if (ks_mask_rule_of(layer) == KS_MASK_NONE)
        return KS_OK;
    arrays = ks_arena_get(run->arena, count + 1, sizeof(*arrays));
    masks = ks_arena_get(run->arena, count + 1, sizeof(*masks));
    if (!arrays || !masks)
        return run->context->error.code;
    ks_tree_flatten(out, arrays, count);
    if (layer->row->mask == KS_MASK_CUSTOM) {
        KS_TRY(custom_masks(run, call, layer, half, out, masks, count));
    } else {
        KS_TRY(previous_mask(run, &previous, layer->row, call->arguments, ks_class_argument_count(layer->row)));
        flatten_masks(&previous, masks, count, &n_masks);
    }
    for (size_t i = 0; i < count; i++)
        if (!arrays[i]->mask)
            arrays[i]->mask = masks[i];
done:
    return code;
}

static bool returns_its_input(const ks_object *layer) {
    if (layer->row == &ks_class_Activation)
        return ((const ks_activation_layer *)layer->params)->activation.id == KS_ACTIVATION_LINEAR;
    return layer->row->returns_input;
}

// What a call does to the tensors it was given, in Keras 3: a result that is the given tensor itself shares its mask
// (an operation's too), and a layer may take their masks away.
static void share_masks(const ks_call *call, const ks_object *layer, const ks_tree *out) {
    ks_array *input = ks_call_array(call, 0);
    if (ks_is_old(layer))
        return;
    if (input && out->type == KS_TREE_ARRAY && out->as.array->dtype == input->dtype && returns_its_input(layer))
        ks_array_join(out->as.array, input);
    for (size_t i = 0; layer->row->takes_masks && i < ks_class_argument_count(layer->row); i++)
        if (ks_call_array(call, i))
            ks_array_set_mask(ks_call_array(call, i), NULL);
}

// --- graphs ---------------------------------------------------------------------------------------------------------

static ks_code attach_given_masks(const ks_tree *mask, ks_array **slots, const ks_tree *inputs, ks_run *run) {
    size_t count = ks_tree_slots(inputs, NULL, 0), n_masks = 0;
    size_t *targets = ks_arena_get(run->arena, count + 1, sizeof(*targets));
    ks_array **masks = ks_arena_get(run->arena, count + 1, sizeof(*masks));
    if (!targets || !masks)
        return run->context->error.code;
    ks_tree_slots(inputs, targets, count);
    flatten_masks(mask, masks, count, &n_masks);
    for (size_t i = 0; i < count; i++)
        if (masks[i])
            ks_array_set_mask(slots[targets[i]], masks[i]);
    return KS_OK;
}

static ks_code retype_array(ks_run *run, ks_array **array, ks_dtype to) {
    const ks_array *old = *array;
    size_t count = ks_array_elements(old);
    ks_array *made = ks_array_new(run->arena, to, &old->shape);
    if (!made)
        return run->context->error.code;
    made->mask = old->mask;
    made->data = ks_run_memory(run, count, ks_dtype_size(to));
    if (!made->data)
        return run->context->error.code;
    ks_cast(made->data, to, old->data, old->dtype, count);
    *array = made;
    return KS_OK;
}

// Tensors of one floating type as the other.
static ks_code retype(ks_run *run, ks_tree *tree, ks_dtype from, ks_dtype to) {
    ks_code code = KS_OK;
    if (tree->type == KS_TREE_ARRAY && tree->as.array->dtype == from && from != to)
        return retype_array(run, &tree->as.array, to);
    if (tree->type == KS_TREE_LIST || tree->type == KS_TREE_DICT)
        for (size_t i = 0; i < tree->as.list.count && code == KS_OK; i++)
            code = retype(run, &tree->as.list.items[i], from, to);
    return code;
}

// Copies of the arrays' heads: a mask that a model attaches must not be seen by others who hold the same tensor, but in
// Keras 3, where it is one tensor inside and outside. The caller's own are left alone.
// Floating inputs are of the model's own type, or of float64 when the InputLayer says so.
static ks_code own_heads(ks_run *run, const ks_object *model, ks_array **slots) {
    const ks_graph *graph = model->graph;
    const ks_tree *inputs = &graph->inputs;
    size_t count = ks_tree_slots(inputs, NULL, 0);
    size_t *targets = ks_arena_get(run->arena, count + 1, sizeof(*targets));
    ks_dtype wanted;
    ks_code code = KS_OK;
    if (!targets)
        return run->context->error.code;
    ks_tree_slots(inputs, targets, count);
    for (size_t i = 0; i < count; i++) {
        ks_array *copy = ks_array_new(run->arena, slots[targets[i]]->dtype, &slots[targets[i]]->shape);
        if (!copy)
            return run->context->error.code;
        *copy = *slots[targets[i]];
        copy->same = NULL;
        if (!ks_is_old(model) && run->depth > 1)
            ks_array_join(copy, slots[targets[i]]);
        slots[targets[i]] = copy;
        wanted = graph->symbols[targets[i]].dtype == KS_FLOAT64 ? KS_FLOAT64 : KS_REAL_DTYPE;
        if ((copy->dtype == KS_FLOAT32 || copy->dtype == KS_FLOAT64) && copy->dtype != wanted)
            KS_TRY(retype_array(run, &slots[targets[i]], wanted));
    }
done:
    return code;
}

// One node. An operation on float64 is done in that type in a model of float32 too; layers cast what they get.
static ks_code run_node(ks_run *run, ks_call *call, const ks_graph *graph, const ks_node *node, ks_array **slots) {
    const ks_class *row = node->layer->row;
    ks_tree *arguments = ks_graph_arguments(call, node, slots), result;
    size_t first;
    ks_code code = KS_OK;
    if (!arguments)
        return run->context->error.code;
    if (!node->wide) {
        bool takes_all = row->kind == KS_KIND_MODEL && ks_is_old(node->layer);
        for (size_t i = 0; i < ks_class_argument_count(row) && !takes_all; i++)
            KS_TRY(retype(run, &arguments[i], KS_FLOAT64, KS_REAL_DTYPE));
        KS_TRY(KS_REAL(ks_call_layer)(run, node->layer, arguments, &result));
    } else {
        for (size_t i = 0; i < ks_class_argument_count(row); i++)
            KS_TRY(retype(run, &arguments[i], KS_FLOAT32, KS_FLOAT64));
        KS_TRY(ks_call_layer_f64(run, node->layer, arguments, &result));
        if (ks_tree_slots(&node->result, &first, 1) && graph->symbols[first].dtype != KS_FLOAT64) // a cast, say
            KS_TRY(retype(run, &result, KS_FLOAT64, KS_REAL_DTYPE));
    }
    KS_TRY(ks_graph_store(call, node->layer, &node->result, &result, slots));
done:
    return code;
}

static ks_code run_graph(ks_run *run, ks_call *call, ks_object *model, ks_tree *out) {
    const ks_graph *graph = model->graph;
    ks_array **slots = ks_arena_get(run->arena, graph->n_slots + 1, sizeof(*slots));
    ks_code code;
    if (!slots)
        return run->context->error.code;
    KS_TRY(ks_graph_inputs(call, model, slots));
    KS_TRY(own_heads(run, model, slots));
    if (call->arguments[2].type != KS_TREE_NONE)
        KS_TRY(attach_given_masks(&call->arguments[2], slots, &graph->inputs, run));
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const ks_node *node = &graph->nodes[graph->run_order ? graph->run_order[i] : i];
        if (ks_class_argument_count(node->layer->row) != 0 && !node->skipped) // not an InputLayer, whose slot is filled
            KS_TRY(run_node(run, call, graph, node, slots));
    }
    KS_TRY(ks_graph_outputs(out, call, &graph->outputs, slots));
done:
    return code;
}

// --- layers ---------------------------------------------------------------------------------------------------------

static ks_code run_layer(ks_run *run, ks_call *call, ks_object *layer, ks_tree *out) {
    const numeric_half *half = half_of(layer->row);
    size_t count;
    ks_array **arrays;
    ks_code code;
    if (!half)
        return run_error(run, layer, KS_E_MODEL_RUN, "the class cannot be run");
    KS_TRY(ks_infer(out, call, layer, call->arguments));
    count = ks_tree_flatten(out, NULL, 0);
    arrays = ks_arena_get(run->arena, count + 1, sizeof(*arrays));
    if (!arrays)
        return run->context->error.code;
    ks_tree_flatten(out, arrays, count);
    for (size_t i = 0; i < count; i++)
        KS_TRY(allocate(run, layer, arrays[i]));
    KS_TRY(half->forward(run, call, layer, out));
    KS_TRY(attach_masks(run, call, layer, half, out));
    share_masks(call, layer, out);
done:
    return code;
}

ks_code KS_REAL(ks_call_layer)(ks_run *run, ks_object *layer, const ks_tree *arguments, ks_tree *out) {
    size_t count = ks_class_argument_count(layer->row);
    ks_tree *filled = ks_arena_get(run->arena, count + 1, sizeof(*filled));
    ks_call call = {.context = run->context, .arena = run->arena, .real = KS_REAL_DTYPE, .depth = run->depth};
    ks_code code;
    if (!filled)
        return run->context->error.code;
    if (run->depth >= (int)run->context->limits.model_depth)
        return run_error(run, layer, KS_E_CONFIG_DEPTH, "layers are nested too deeply");
    run->depth++;
    memcpy(filled, arguments, count * sizeof(*filled));
    call.arguments = filled;
    KS_TRY(fill_mask_arguments(run, layer, filled, count));
    code = layer->row->kind == KS_KIND_MODEL ? run_graph(run, &call, layer, out) : run_layer(run, &call, layer, out);
    if (code == KS_OK && run->trace)
        code = run->trace(run, layer, out);
done:
    run->depth--;
    return code;
}

ks_code KS_REAL(ks_call_simple)(ks_run *run, ks_object *layer, ks_array *input, ks_array **out) {
    ks_tree *arguments = ks_arena_get(run->arena, ks_class_argument_count(layer->row) + 1, sizeof(*arguments));
    ks_tree result;
    ks_code code;
    if (!arguments)
        return run->context->error.code;
    arguments[0] = ks_tree_of(input);
    KS_TRY(KS_REAL(ks_call_layer)(run, layer, arguments, &result));
    if (result.type != KS_TREE_ARRAY)
        return run_error(run, layer, KS_E_CONFIG_ARGUMENT, "expected one tensor as the result");
    *out = result.as.array;
done:
    return code;
}

// --- for forward functions ------------------------------------------------------------------------------------------

ks_code KS_REAL(ks_activate)(ks_run *run, const ks_activation *activation, ks_real *out, const ks_real *in,
                             const ks_shape *shape) {
    ks_array input = {.dtype = KS_REAL_DTYPE, .shape = *shape};
    size_t columns = shape->rank ? (size_t)shape->dims[shape->rank - 1] : 1;
    size_t elements = ks_array_elements(&input);
    ks_array *copy, *result;
    ks_code code;
    if (activation->id == KS_ACTIVATION_GLU)
        return ks_fail(run->context, KS_E_MODEL_RUN, KS_STAGE_RUN, KS_NO_OFFSET, NULL,
                       "glu halves its axis and cannot be the activation of this layer");
    if (activation->id != KS_ACTIVATION_LAYER) {
        if (elements)
            KS_REAL(ks_activation_apply)(activation->id, out, in, elements / columns, columns);
        return KS_OK;
    }
    copy = ks_run_array(run, KS_REAL_DTYPE, shape);
    if (!copy)
        return run->context->error.code;
    memcpy(copy->data, in, elements * sizeof(*in));
    KS_TRY(KS_REAL(ks_call_simple)(run, activation->layer, copy, &result));
    if (!ks_shape_equal(&result->shape, shape))
        return run_error(run, activation->layer, KS_E_CONFIG_SHAPE, "an activation layer changed the shape");
    memcpy(out, result->data, elements * sizeof(*out));
done:
    return code;
}

const ks_real *KS_REAL(ks_as_real)(ks_run *run, const ks_array *array) {
    size_t count = ks_array_elements(array);
    ks_real *copy;
    if (array->dtype == KS_REAL_DTYPE)
        return array->data;
    copy = ks_run_memory(run, count, sizeof(*copy));
    if (copy)
        ks_cast(copy, KS_REAL_DTYPE, array->data, array->dtype, count);
    return copy;
}
