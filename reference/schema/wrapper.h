// SPDX-License-Identifier: Apache-2.0
//
// Config of layers that wrap another layer.
#ifndef KASSAY_SCHEMA_WRAPPER_H
#define KASSAY_SCHEMA_WRAPPER_H

#include "schema/class.h"

typedef struct ks_wrapper {
    ks_object *layer;
} ks_wrapper;

/// The arguments of a layer that is called with one tensor, and with this mask if it takes one. NULL on failure.
ks_tree *ks_single_arguments(ks_call *call, const ks_object *layer, ks_array *input, ks_array *mask);

#endif
