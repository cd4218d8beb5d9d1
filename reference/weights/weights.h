// SPDX-License-Identifier: Apache-2.0
//
// Which tensor belongs to which variable: here the paths of Keras 3 (`.weights.h5` and the HDF5 inside `.keras`); the
// older form is in legacy.h.
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
    ks_saved_object *objects; ///< [0] is the root
    size_t n_objects;
    ks_variable **variables; ///< in get_weights() order of Keras 3, each once
    size_t n_variables;
    ks_variable **kept; ///< what is saved with them and is none of them
    size_t n_kept;
    ks_slot **listed; ///< in get_weights() order of an older writer; NULL: `variables` is the order
    size_t n_listed;
    uint32_t stamp; ///< newest mark in the objects
} ks_weight_map;

/// Walks the model; also sets variable->path. Lives in `arena`.
ks_code ks_weights_map(ks_weight_map *out, ks_context *context, ks_arena *arena, ks_object *root);

/// How the groups of a model's objects are called. Numbers count the elements of one class in a list of layers.
typedef enum ks_naming {
    KS_NAMES_KERAS3,            ///< layers/dense_1
    KS_NAMES_KERAS2,            ///< 2.15, tf_keras: the same, but layers that were reached before do not count
    KS_NAMES_DEPENDENCIES,      ///< 2.14: _layer_checkpoint_dependencies/dense_1
    KS_NAMES_DEPENDENCIES_TWICE ///< 2.12, 2.13: _layer_checkpoint_dependencies/dense_2, layers with weights count twice
} ks_naming;

/// The objects of `map` with other names, for loading from such a file: objects and their order alone. Sets
/// variable->path, not object->path.
ks_code ks_weights_map_as(ks_weight_map *out, ks_context *context, ks_arena *arena, ks_weight_map *map,
                          ks_naming naming);
/// Which names a file has, for a model of this version of Keras ("" when it is not known). `older`: its words are those
/// of Keras 2.
ks_code ks_weights_naming(ks_naming *out, ks_context *context, ks_arena *arena, ks_weight_map *map, ks_hdf5 *file,
                          const char *keras_version, bool older);

/// What happened to a layer or variable when weights were loaded.
typedef struct ks_weights_note {
    const ks_object *layer;
    const ks_variable *variable; ///< NULL: the whole layer
    const char *source;          ///< dataset or layer of the file
    const char *reason;          ///< NULL: loaded; else why it was skipped
} ks_weights_note;

typedef struct ks_weights_report {
    ks_weights_note *items;
    size_t count, room;
} ks_weights_report;

typedef struct ks_weights_options {
    bool check;                ///< shapes, types and counts of what the file has; no data is kept
    bool copy;                 ///< no views: the file will be closed
    bool skip_mismatch;        ///< leave out what does not fit
    bool by_name;              ///< older form only: layers by their names, in place of their order
    ks_backend backend;        ///< older form only: who wrote it
    ks_weights_report *report; ///< filled in when not NULL; lives in the arena
} ks_weights_options;

/// Where groups are. `find` gives the files that may hold parts of the group "layers/dense/vars"; each must stay open.
typedef struct ks_weights_store {
    ks_code (*find)(ks_hdf5 *const **files, size_t *count, void *argument, const char *group);
    void *argument;
} ks_weights_store;

/// Matches the files with the model. `document` names them in errors. Data lives in `arena` or, unless it is to be
/// copied, in the files' bytes.
ks_code ks_weights_load_store(const ks_weight_map *map, ks_context *context, ks_arena *arena,
                              const ks_weights_store *store, const char *document, const ks_weights_options *options);
/// The same from one file.
ks_code ks_weights_load_v3(const ks_weight_map *map, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                           const char *document, const ks_weights_options *options);

/// Makes variable->real[0] (float) or real[1] (double) of every variable.
ks_code ks_weights_prepare(const ks_weight_map *map, ks_context *context, ks_arena *arena, bool as_double);

#endif
