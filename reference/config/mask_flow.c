// SPDX-License-Identifier: Apache-2.0
//
// Where masks go in a model that is written in other words than it came in. Some words mean something else once a mask
// comes to them, and are refused then:
//
// - Where tensors with different masks are joined, Keras 1 and 2 keep what all of them keep, and have a mask as soon as
//   one has; Keras 3 keeps what one of them keeps, and has a mask only when all have. Nor can it be said in the other
//   generation's words when a mask is looked at after MultiHeadAttention, which takes masks away in Keras 3.
// - Multiply, Maximum and Minimum of Keras 3 leave out what is masked; those of Keras 1 and 2 do not look.
// - A layer that is called with tensors in several arguments, as a recurrent one with its first states, is not told the
//   mask of the first in Keras 3.
// - Some layers computed something else where steps are masked in earlier versions of Keras 1 and 2.
// - Most layers of Keras 2.3 refuse an input that has a mask, where tf.keras and Keras 3 let it end there.
// - Some layers let a mask through since one version only, or in Keras 3 only.
//
// Masks are followed by where they come from, through the graphs; whether one lets a mask through is taken to be so
// where it is not certain. Source: Keras 2.3.1, supports_masking and compute_mask of every class,
// engine/base_layer.py (compute_mask).
#include <string.h>

#include "config/serialize_internal.h"
#include "schema/attention.h"
#include "schema/convolutional_recurrent.h"
#include "schema/core_layers.h"
#include "schema/recurrent.h"

#define NO_MASK 0
#define JOINED (-1) ///< of different ones, or taken away; others are numbers of the places where they were made
#define HALF (-2)   ///< there in the words that are written and not in those that came, or the other way round

/// Models in models are followed again for each call, so there must be an end.
#define MAX_VISITS 2000000

typedef struct flow {
    const ks__serializer *s;
    bool joins;  ///< masks that were joined or taken away mean something else in the words that are written
    bool early;  ///< those are the words of Keras 2.3, and the model does not come from it
    bool alters; ///< layers of earlier versions, which the words do not tell from later ones, are looked for
    int64_t n_made;
    int depth;
    size_t visits;
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

/// Whether Keras 3 leaves out of its numbers what is masked, where Keras 1 and 2 take everything.
static bool leaves_out(const ks_class *row) {
    return row == &ks_class_Multiply || row == &ks_class_Maximum || row == &ks_class_Minimum;
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
    for (size_t i = 0; i < count; i++)
        if (masks[i] == HALF)
            return HALF;
    for (size_t i = 1; i < count; i++)
        if (masks[i] != masks[0])
            return JOINED;
    return count ? masks[0] : NO_MASK;
}

static const ks_recurrent *recurrent(const ks_object *layer) {
    const ks_class *row = layer->row;
    bool is = row == &ks_class_RNN || row == &ks_class_SimpleRNN || row == &ks_class_LSTM || row == &ks_class_GRU;
    return is ? layer->params : NULL;
}

static const ks_conv_lstm *conv_lstm(const ks_object *layer) {
    const ks_class *row = layer->row;
    bool is = row == &ks_class_ConvLSTM1D || row == &ks_class_ConvLSTM2D || row == &ks_class_ConvLSTM3D;
    return is ? layer->params : NULL;
}

/// A recurrent layer that gives the last output alone: a mask ends there.
static bool ends_mask(const ks_object *layer) {
    if (layer->row == &ks_class_Bidirectional)
        return ends_mask(((const ks_bidirectional *)layer->params)->layer);
    if (recurrent(layer))
        return !recurrent(layer)->return_sequences;
    return conv_lstm(layer) && !conv_lstm(layer)->return_sequences;
}

static bool ends_mask_when_written(const flow *f, const ks_class *row) {
    return row->mask == KS_MASK_NONE || (row->mask_since == KS_SINCE_KERAS3 && f->s->options.keras2);
}

static int64_t mask_of(flow *f, const ks_object *layer, const int64_t *masks, size_t count) {
    if (layer->row == &ks_class_Masking)
        return ++f->n_made;
    if (layer->row == &ks_class_Embedding)
        return ((const ks_embedding *)layer->params)->mask_zero ? ++f->n_made : NO_MASK;
    if (layer->row->custom && layer->row->mask == KS_MASK_CUSTOM)
        return ++f->n_made;
    if (joins(layer->row))
        return join(masks, count);
    if (layer->row->mask == KS_MASK_NONE || count == 0 || ends_mask(layer))
        return NO_MASK;
    if (masks[0] != NO_MASK && (ks_mask_rule_of(layer) == KS_MASK_NONE) != ends_mask_when_written(f, layer->row))
        return HALF;
    return ks_mask_rule_of(layer) == KS_MASK_NONE ? NO_MASK : masks[0];
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

/// Whether Keras 3 does not tell the layer the mask of its first argument, as there are tensors in others.
static bool is_not_told(const ks_node *node) {
    size_t count = ks_class_argument_count(node->layer->row), n_tensors = 0;
    bool asks = false;
    for (size_t i = 0; i < count; i++) {
        n_tensors += ks_tree_slots(&node->arguments[i], NULL, 0) > 0;
        asks = asks || (strcmp(node->layer->row->arguments[i], "mask") == 0 && node->arguments[i].type == KS_TREE_NONE);
    }
    return asks && n_tensors > 1 && ks_tree_slots(&node->arguments[0], NULL, 0) > 0;
}

// --- what is refused -------------------------------------------------------------------------------------------------

/// Repeated outputs in both directions before tf.keras, zeros since; masks were not looked at by Softmax before 2.4 and
/// MultiHeadAttention before 2.10.
static bool computed_otherwise(const ks_object *layer) {
    if (layer->row == &ks_class_Bidirectional)
        return layer->multi_backend && !ends_mask(layer);
    return (layer->row == &ks_class_Softmax && ks_is_before(layer, 204)) ||
           (layer->row == &ks_class_MultiHeadAttention && ks_is_before(layer, 210));
}

/// Zeros where a step is masked; Keras 2.3 repeats the last output there.
static bool gives_zeros(const ks_object *layer) {
    if (recurrent(layer))
        return recurrent(layer)->return_sequences && recurrent(layer)->zero_output_for_mask;
    return conv_lstm(layer) && conv_lstm(layer)->return_sequences && conv_lstm(layer)->zero_output_for_mask;
}

static bool early_refuses(const ks_class *row) {
    static const char *const names[] = {
        "AveragePooling1D",
        "AveragePooling2D",
        "AveragePooling3D",
        "Conv1D",
        "Conv2D",
        "Conv2DTranspose",
        "Conv3D",
        "Conv3DTranspose",
        "Cropping1D",
        "Cropping2D",
        "Cropping3D",
        "DepthwiseConv2D",
        "Flatten",
        "GlobalAveragePooling2D",
        "GlobalAveragePooling3D",
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "GlobalMaxPooling3D",
        "LocallyConnected1D",
        "LocallyConnected2D",
        "MaxPooling1D",
        "MaxPooling2D",
        "MaxPooling3D",
        "Permute",
        "RepeatVector",
        "Reshape",
        "SeparableConv1D",
        "SeparableConv2D",
        "UpSampling1D",
        "UpSampling2D",
        "UpSampling3D",
        "ZeroPadding1D",
        "ZeroPadding2D",
        "ZeroPadding3D",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(row->name, names[i]) == 0)
            return true;
    return false;
}

static ks_code refuse(flow *f, const ks_object *layer, const char *why) {
    return ks_fail(f->s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, layer->place, "%s %s",
                   layer->row->name, why);
}

static ks_code count_visit(flow *f, const ks_object *layer) {
    int depth = (int)f->s->context->limits.model_depth;
    if (f->depth > depth) // of models, or of layers in layers
        return ks_fail(f->s->context, KS_E_CONFIG_DEPTH, KS_STAGE_SAVE, KS_NO_OFFSET, layer->place,
                       "models are nested more than %d deep", depth);
    if (++f->visits > MAX_VISITS)
        return ks_fail(f->s->context, KS_E_OVER_DEPTH, KS_STAGE_SAVE, KS_NO_OFFSET, layer->place,
                       "the masks of this model go through more than %d calls", MAX_VISITS);
    return KS_OK;
}

/// A layer that a mask comes to, and what is in it: wrapped layers, parts of a class of someone's own.
static ks_code check_masked(flow *f, const ks_object *layer) {
    ks_code code = KS_OK;
    KS_TRY(count_visit(f, layer));
    f->depth++;
    if (f->alters && computed_otherwise(layer))
        KS_TRY(refuse(f, layer, "of later versions computes something else where steps are masked"));
    if (f->early && gives_zeros(layer))
        KS_TRY(refuse(f, layer, "of Keras 2.3 has no \"zero_output_for_mask\""));
    if (f->early && layer->row == &ks_class_Softmax)
        KS_TRY(refuse(f, layer, "of Keras 2.3 does not look at masks"));
    for (const ks_child *child = layer->children; child; child = child->next)
        KS_TRY(check_masked(f, child->object));
    f->depth--;
done:
    return code;
}

/// Of a class of someone's own it is not known where the masks go that are made in it.
static bool makes_masks(flow *f, const ks_object *layer) {
    bool found = mask_of(f, layer, NULL, 0) != NO_MASK || ++f->visits > MAX_VISITS ||
                 f->depth > (int)f->s->context->limits.model_depth;
    f->depth++;
    for (const ks_child *child = layer->children; child && !found; child = child->next)
        found = makes_masks(f, child->object);
    f->depth--;
    return found;
}

static ks_code check_call(flow *f, const ks_node *node, const int64_t *masks, size_t n_masks) {
    const ks_object *layer = node->layer;
    bool joined = layer->row->takes_masks && join(masks, n_masks) != NO_MASK && gives_scores(node), any = false;
    bool half = false;
    ks_code code = KS_OK;
    for (size_t i = 0; i < n_masks; i++) {
        joined = joined || (masks[i] == JOINED && looks_at_masks(layer->row));
        any = any || masks[i] != NO_MASK;
        half = half || (masks[i] == HALF && (looks_at_masks(layer->row) || leaves_out(layer->row)));
    }
    if (half)
        KS_TRY(refuse(f, layer, "looks at a mask that ends before it in one of the versions, and not in the other"));
    if (f->joins && joined)
        KS_TRY(ks_fail(f->s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, layer->place,
                       "\"%.60s\" looks at a mask that was joined of others or taken away, in %s otherwise than in "
                       "Keras %d",
                       layer->name, f->s->options.keras2 ? "Keras 2" : "Keras 3", f->s->options.keras2 ? 3 : 2));
    if (f->joins && n_masks > 0 && masks[0] != NO_MASK && layer->row->arguments && is_not_told(node))
        KS_TRY(refuse(f, layer, "with tensors in several arguments looks at the mask of the first in Keras 2 only"));
    if (f->joins && any && leaves_out(layer->row))
        KS_TRY(refuse(f, layer,
                      f->s->options.keras2 ? "of Keras 2 takes in what is masked"
                                           : "of Keras 3 leaves out what is masked"));
    if (any && f->early && early_refuses(layer->row))
        KS_TRY(refuse(f, layer, "of Keras 2.3 refuses an input with a mask"));
    if (!layer->graph && (any || (layer->row->custom && makes_masks(f, layer))))
        KS_TRY(check_masked(f, layer));
done:
    return code;
}

// --- graphs ---------------------------------------------------------------------------------------------------------

static ks_code follow_node(flow *f, const ks_node *node, int64_t *slots, size_t n_slots) {
    size_t n_results = ks_tree_slots(&node->result, NULL, 0), n_masks = 0;
    size_t *places = ks_arena_get(f->s->arena, n_results + 1, sizeof *places);
    int64_t *results = ks_arena_get(f->s->arena, n_results + 1, sizeof *results);
    int64_t *masks = masks_of(&n_masks, f, node, slots);
    ks_code code = KS_OK;
    if (!places || !results || !masks)
        return f->s->context->error.code;
    KS_TRY(count_visit(f, node->layer));
    KS_TRY(check_call(f, node, masks, n_masks));
    if (node->layer->graph)
        KS_TRY(follow(results, f, node->layer->graph, masks, n_masks));
    else
        results[0] = mask_of(f, node->layer, masks, n_masks);
    if (node->layer->row->takes_masks)
        take_masks(masks, n_masks, slots, n_slots);
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
    f->depth++;
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

ks_code ks__check_masks(ks__serializer *s, const ks_object *model) {
    bool from_keras3 = !model->original || model->original == model->source;
    flow f = {.s = s,
              .joins = from_keras3 == s->options.keras2 && !s->options.old_keys,
              .early = s->options.early && !model->multi_backend,
              .alters = !from_keras3 && !s->options.early};
    if (!f.joins && !f.early && !f.alters)
        return KS_OK;
    if (model->graph)
        return follow(NULL, &f, model->graph, NULL, 0);
    return model->row->custom && makes_masks(&f, model) ? check_masked(&f, model) : KS_OK;
}
