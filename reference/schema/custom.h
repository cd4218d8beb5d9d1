// SPDX-License-Identifier: Apache-2.0
//
// Rows of custom classes: made from a plugin's table, found through a registry, run through the table's functions.
#ifndef KASSAY_SCHEMA_CUSTOM_H
#define KASSAY_SCHEMA_CUSTOM_H

#include <kassay/plugin.h>

#include "schema/class.h"

/// What a plugin's function sees of a build or a call.
struct ks_plugin_call {
    ks_context *context;
    ks_call *call;               ///< NULL in a check
    void *run;                   ///< ks_run of a numeric call
    const ks_registry *registry; ///< of the load, for sub-layers
    int bits;                    ///< of floating elements
    ks_code (*apply)(ks_plugin_call *call, ks_object *layer, ks_array *input, ks_array **output);
    ks_array *(*array)(ks_plugin_call *call, const ks_shape *shape);
};

extern const ks_plugin_host ks_plugin_functions;

#endif
