// SPDX-License-Identifier: Apache-2.0
//
// Walking a call graph: what the symbolic pass (shapes) and the numeric one share.
#ifndef KASSAY_SCHEMA_GRAPH_H
#define KASSAY_SCHEMA_GRAPH_H

#include "schema/class.h"

/// The recorded arguments of a node with their slots replaced by arrays. NULL on failure.
ks_tree *ks_graph_arguments(ks_call *call, const ks_node *node, ks_array *const *slots);
/// Fills the slots of `pattern` with the arrays of `values`, in flattened order.
ks_code ks_graph_store(ks_call *call, const ks_object *object, const ks_tree *pattern, const ks_tree *values,
                       ks_array **slots);
/// The model's first argument sorted into the slots of its inputs: same structure, or a dict by the names of
/// InputLayers.
ks_code ks_graph_inputs(ks_call *call, const ks_object *model, ks_array **slots);
/// A model's only output without the list around it, where the document does not tell a list of one from a single
/// tensor. For holders that take one tensor and no list.
void ks_graph_take_single(ks_object *model);
/// `pattern` with its slots replaced by arrays.
ks_code ks_graph_outputs(ks_tree *out, ks_call *call, const ks_tree *pattern, ks_array *const *slots);

#endif
