// SPDX-License-Identifier: Apache-2.0
//
// The one door from outside into the numeric halves: a call of a layer or model in either element type.
#ifndef KASSAY_LAYERS_RUN_H
#define KASSAY_LAYERS_RUN_H

#include "schema/class.h"

typedef struct ks_run ks_run;

/// One prediction: where its memory comes from.
struct ks_run {
    ks_context *context;
    ks_arena *arena; ///< trees and arrays; freed with the run
    int depth;       ///< of nested calls
    /// Called after every layer with its result, when not NULL.
    ks_code (*trace)(ks_run *run, const ks_object *layer, const ks_tree *result);
    void *trace_data;
};

/// Calls a layer as Keras's Layer.__call__ does: masks, infer, allocation, forward. `arguments` follow its signature.
ks_code ks_call_layer_f32(ks_run *run, ks_object *layer, const ks_tree *arguments, ks_tree *out);
ks_code ks_call_layer_f64(ks_run *run, ks_object *layer, const ks_tree *arguments, ks_tree *out);

#endif
