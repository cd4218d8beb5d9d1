// SPDX-License-Identifier: Apache-2.0
//
// Where tensors with different masks are joined, Keras 1 and 2 keep what all of them keep, and have a mask as soon as
// one has; Keras 3 keeps what one of them keeps, and has a mask only when all have. A model in which somebody looks at
// such a mask cannot be said in the words of the other generation; nor one that is used after MultiHeadAttention. Masks
// are followed by where they come from, through the graphs; whether one lets a mask through is taken to be so where it
// is not certain.
#include <string.h>

#include "config/serialize_internal.h"
#include "schema/attention.h"
#include "schema/convolutional_recurrent.h"
#include "schema/core_layers.h"
#include "schema/recurrent.h"

#define NO_MASK 0
#define JOINED (-1) ///< of different ones, or taken away; others are numbers of the places where they were made

typedef struct flow {
    const ks__serializer *s;
    int64_t n_made;
    int depth;
    const ks_object *reader; ///< the first that looks at a joined mask
} flow;

static ks_code follow(int64_t *outputs, flow *f, const ks_graph *graph, const int64_t *inputs, size_t n_inputs);

static bool joins(const ks_class *row) {
    const ks_class *const rows[] = {&ks_class_Add,     &ks_class_Subtract, &ks_class_Multiply,   &ks_class_Average,
                                    &ks_class_Maximum, &ks_class_Minimum,  &ks_class_Concatenate};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (row == rows[i])
            return true;
    return false;
}

/// By its signature: "mask", "attention_mask", …; a class of someone's own may.
static bool looks_at_masks(const ks_class *row) {
    bool found = row->custom != NULL;
    for (size_t i = 0; row->arguments && row->arguments[i] && !found; i++) {
        size_t size = strlen(row->arguments[i]);
        found = size >= 4 && strcmp(row->arguments[i] + size - 4, "mask") == 0;
    }
    return found;
}

static int64_t join(const int64_t *masks, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (masks[i] != masks[0])
            return JOINED;
    return count ? masks[0] : NO_MASK;
}

/// A recurrent layer that gives the last output alone: a mask ends there.
static bool ends_mask(const ks_object *layer) {
    const ks_class *row = layer->row;
    if (row == &ks_class_Bidirectional)
        return ends_mask(((const ks_bidirectional *)layer->params)->layer);
    if (row == &ks_class_RNN || row == &ks_class_SimpleRNN || row == &ks_class_LSTM || row == &ks_class_GRU)
        return !((const ks_recurrent *)layer->params)->return_sequences;
    if (row == &ks_class_ConvLSTM1D || row == &ks_class_ConvLSTM2D || row == &ks_class_ConvLSTM3D)
        return !((const ks_conv_lstm *)layer->params)->return_sequences;
    return false;
}

static int64_t mask_of(flow *f, const ks_object *layer, const int64_t *masks, size_t count) {
    if (layer->row == &ks_class_Masking)
        return ++f->n_made;
    if (layer->row == &ks_class_Embedding)
        return ((const ks_embedding *)layer->params)->mask_zero ? ++f->n_made : NO_MASK;
    if (joins(layer->row))
        return join(masks, count);
    return layer->row->mask == KS_MASK_NONE || count == 0 || ends_mask(layer) ? NO_MASK : masks[0];
}

/// The masks of the tensors in the arguments; `count` of them, those of the first argument first.
static int64_t *masks_of(size_t *count, flow *f, const ks_node *node, const int64_t *slots) {
    size_t n_arguments = ks_class_argument_count(node->layer->row), total = 0, at = 0, *places;
    int64_t *masks;
    for (size_t i = 0; i < n_arguments; i++)
        total += ks_tree_slots(&node->arguments[i], NULL, 0);
    places = ks_arena_get(f->s->arena, total + 1, sizeof *places);
    masks = ks_arena_get(f->s->arena, total + 1, sizeof *masks);
    if (!places || !masks)
        return NULL;
    for (size_t i = 0; i < n_arguments; i++)
        at += ks_tree_slots(&node->arguments[i], places + at, total - at);
    for (size_t i = 0; i < total; i++)
        masks[i] = slots[places[i]];
    *count = total;
    return masks;
}

/// MultiHeadAttention of Keras 3 takes the masks of what it is given away: later ones find none, where Keras 2 has
/// them. A mask is the same for all tensors that have it from one place; it is taken from all of them here.
static void take_masks(const int64_t *masks, size_t count, int64_t *slots, size_t n_slots) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; masks[i] != NO_MASK && k < n_slots; k++)
            if (slots[k] == masks[i])
                slots[k] = JOINED;
}

/// Where nothing may be looked at, Keras 3 gives scores of 0 and Keras 2 equal ones, which those who ask for them see.
static bool gives_scores(const ks_node *node) {
    const ks_multi_head *params = node->layer->params;
    size_t count = ks_class_argument_count(node->layer->row);
    for (size_t i = 0; i < count; i++)
        if (strcmp(node->layer->row->arguments[i], "return_attention_scores") == 0 &&
            node->arguments[i].type != KS_TREE_NONE)
            return true;
    return params->dropout > 0;
}

static ks_code follow_node(flow *f, const ks_node *node, int64_t *slots, size_t n_slots) {
    size_t n_results = ks_tree_slots(&node->result, NULL, 0), n_masks = 0;
    size_t *places = ks_arena_get(f->s->arena, n_results + 1, sizeof *places);
    int64_t *results = ks_arena_get(f->s->arena, n_results + 1, sizeof *results);
    int64_t *masks = masks_of(&n_masks, f, node, slots);
    ks_code code = KS_OK;
    if (!places || !results || !masks)
        return f->s->context->error.code;
    for (size_t i = 0; i < n_masks && !f->reader; i++)
        if (masks[i] == JOINED && looks_at_masks(node->layer->row))
            f->reader = node->layer;
    if (node->layer->graph)
        KS_TRY(follow(results, f, node->layer->graph, masks, n_masks));
    else
        results[0] = mask_of(f, node->layer, masks, n_masks);
    if (node->layer->row->takes_masks) {
        if (join(masks, n_masks) != NO_MASK && gives_scores(node) && !f->reader)
            f->reader = node->layer;
        take_masks(masks, n_masks, slots, n_slots);
    }
    ks_tree_slots(&node->result, places, n_results);
    for (size_t i = 0; i < n_results; i++)
        slots[places[i]] = results[node->layer->graph ? i : 0];
done:
    return code;
}

/// `outputs` has room for those of the graph.
static ks_code follow(int64_t *outputs, flow *f, const ks_graph *graph, const int64_t *inputs, size_t n_inputs) {
    size_t n_outputs = ks_tree_slots(&graph->outputs, NULL, 0), n_own = ks_tree_slots(&graph->inputs, NULL, 0);
    int64_t *slots = ks_arena_get(f->s->arena, graph->n_slots + 1, sizeof *slots);
    size_t *places = ks_arena_get(f->s->arena, n_outputs + n_own + 1, sizeof *places);
    ks_code code = KS_OK;
    if (!slots || !places)
        return f->s->context->error.code;
    if (++f->depth > (int)f->s->context->limits.model_depth)
        return ks_fail(f->s->context, KS_E_CONFIG_DEPTH, KS_STAGE_SAVE, KS_NO_OFFSET,
                       "config.json:", "models are nested more than %d deep", (int)f->s->context->limits.model_depth);
    ks_tree_slots(&graph->inputs, places, n_own);
    for (size_t i = 0; i < n_own; i++)
        slots[places[i]] = i < n_inputs ? inputs[i] : NO_MASK;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const ks_node *node = &graph->nodes[graph->run_order ? graph->run_order[i] : i];
        if (ks_class_argument_count(node->layer->row) > 0) // not an InputLayer
            KS_TRY(follow_node(f, node, slots, graph->n_slots));
    }
    ks_tree_slots(&graph->outputs, places, n_outputs);
    for (size_t i = 0; i < n_outputs && outputs; i++)
        outputs[i] = slots[places[i]];
    f->depth--;
done:
    return code;
}

ks_code ks__check_joined_masks(ks__serializer *s, const ks_object *model) {
    bool from_keras3 = !model->original || model->original == model->source;
    flow f = {.s = s};
    ks_code code = KS_OK;
    if (!model->graph || from_keras3 != s->options.keras2 || s->options.old_keys)
        return KS_OK;
    KS_TRY(follow(NULL, &f, model->graph, NULL, 0));
    if (f.reader)
        code = ks_fail(
            s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, f.reader->place,
            "\"%.60s\" looks at a mask that was joined of others or taken away, in %s otherwise than in Keras %d",
            f.reader->name, s->options.keras2 ? "Keras 2" : "Keras 3", s->options.keras2 ? 3 : 2);
done:
    return code;
}
