// SPDX-License-Identifier: Apache-2.0
//
// Which tensor belongs to which variable. First cut: the paths of Keras 3 (`.weights.h5` and the HDF5 inside `.keras`).
//
// Every object that is reached from the root owns a group PATH/vars with datasets "0", "1", …: its trainable variables
// in the order of creation, then the others. Children: of a Functional or Sequential model first its layers, as
// `layers/<snake case of the Python class>[_N]`, N counting within the list; then attributes in sorted order, names
// that start with "_" last. The first path that reaches an object counts. Source: Keras 3 saving/saving_lib.py
// (_walk_saveable, _save_state, _load_state, _load_container_state).
#ifndef KASSAY_WEIGHTS_WEIGHTS_H
#define KASSAY_WEIGHTS_WEIGHTS_H

#include <kassay/hdf5.h>

#include "schema/object.h"

typedef struct ks_saved_object {
    ks_object *object;
    const char *path; ///< "layers/dense"; "" for the root
} ks_saved_object;

/// Everything the root's file has a group for, in the order Keras visits it.
typedef struct ks_weight_map {
    ks_saved_object *objects;
    size_t n_objects;
    ks_variable **variables; ///< in get_weights() order, each once
    size_t n_variables;
} ks_weight_map;

/// Walks the model; also sets variable->path. Lives in `arena`.
ks_code ks_weights_map(ks_weight_map *out, ks_context *context, ks_arena *arena, ks_object *root);

typedef enum ks_weights_mode {
    KS_WEIGHTS_CHECK, ///< shapes, types and counts of what the file has; no data is kept
    KS_WEIGHTS_LOAD   ///< the data too: views into the file where they are aligned, copies elsewhere
} ks_weights_mode;

/// Matches the file with the model. `document` names the file in errors. Data lives in `arena` or in the file's bytes.
ks_code ks_weights_load_v3(const ks_weight_map *map, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                           const char *document, ks_weights_mode mode);

/// Makes variable->real[0] (float) or real[1] (double) of every variable.
ks_code ks_weights_prepare(const ks_weight_map *map, ks_context *context, ks_arena *arena, bool as_double);

#endif
