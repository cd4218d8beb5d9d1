// SPDX-License-Identifier: Apache-2.0
//
// Rows of custom classes: made from a plugin's table, found through a registry, run through the table's functions.
#ifndef KASSAY_SCHEMA_CUSTOM_H
#define KASSAY_SCHEMA_CUSTOM_H

#include <kassay/plugin.h>

#include "base/random.h"
#include "schema/class.h"

/// What a plugin's function sees of a build or a call.
struct ks_plugin_call {
    ks_context *context;
    ks_call *call;               ///< NULL in a check
    void *run;                   ///< ks_run of a numeric call
    const ks_registry *registry; ///< of the load, for sub-layers
    int bits;                    ///< of floating elements
    ks_random *random;           ///< in `fill`; else NULL
    ks_code (*apply)(ks_plugin_call *call, ks_object *layer, const ks_tree *arguments, ks_tree *out);
    ks_array *(*array)(ks_plugin_call *call, ks_dtype dtype, const ks_shape *shape);
};

extern const ks_plugin_host ks_plugin_functions;

/// The arguments of a call without their numbers: only shapes are asked. NULL: memory ran out.
ks_tree *ks_custom_heads(const ks_call *call, const ks_class *row);

#endif
