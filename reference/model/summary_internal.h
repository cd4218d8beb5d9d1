// SPDX-License-Identifier: Apache-2.0
//
// What both kinds of summary tables need: text that grows, who gave which tensor, parameters counted.
#ifndef KASSAY_MODEL_SUMMARY_INTERNAL_H
#define KASSAY_MODEL_SUMMARY_INTERNAL_H

#include "model/model_internal.h"

#define KS__MAX_COLUMNS 5

/// One model's calls: the whole model's, or those of a model inside it.
typedef struct ks__calls {
    const ks_graph *graph;
    const ks_node **givers; ///< [slot]: the call that gave the tensor
    size_t *tensors;        ///< [slot]: and as which of its results
    size_t *first_call;     ///< [layer's index]: in graph->nodes; n_nodes when there is none
    size_t *last_call;
} ks__calls;

typedef struct ks__params {
    uint64_t count, bytes;
} ks__params;

typedef struct ks__summary {
    ks_model *model;
    ks_arena *arena;
    const ks_summary_options *options;
    ks__calls calls; ///< of the whole model
    bool sequential_like;
    size_t first_model_call; ///< number of a nested model's first call: 1 where its own making is node 0
    char *text;
    size_t size, room;
    bool failed;
} ks__summary;

void ks__put(ks__summary *s, const char *text);
void ks__put_many(ks__summary *s, const char *text, int count);
/// Characters of UTF-8 text, and the bytes of its first `count` characters.
int ks__characters(const char *text, size_t size);
size_t ks__bytes_of(const char *text, size_t size, int count);
ks_code ks__index_calls(ks__calls *out, ks__summary *s, const ks_graph *graph);
uint64_t ks__count_params(const ks_object *object, int depth);
/// What a loaded model says of a layer.
bool ks__shown_trainable(const ks_object *layer);
/// [0] trainable, [1] not: a layer that is not trainable freezes everything below it.
void ks__sum_params(ks__params sums[2], ks_model *model);
/// "215.04 KB"; `unit` is what single bytes are called.
void ks__readable_size(char *out, size_t room, uint64_t bytes, const char *unit);
const char *ks__with_commas(ks_arena *arena, uint64_t number);
/// "dense[0][0]" of every tensor of the layer's calls, up to `room`; returns how many there are.
size_t ks__connections(const char **out, size_t room, ks__summary *s, const ks_object *layer);
/// The layers a nested model's rows show, or NULL when `object` is no model.
const ks_graph *ks__nested_graph(const ks_object *object);

/// The tables: Keras 3's, and the one of Keras 1 and 2 as `version` prints it.
void ks__summary_boxes(ks__summary *s);
void ks__summary_plain(ks__summary *s, const char *version);

#endif
