// SPDX-License-Identifier: Apache-2.0
//
// The older HDF5 form: one group per layer of model.layers, its arrays in the order of layer.weights. What a layer's
// list holds differs between the generations that wrote it, and depends on the `trainable` flags.
#ifndef KASSAY_WEIGHTS_LEGACY_H
#define KASSAY_WEIGHTS_LEGACY_H

#include "schema/class.h"
#include "weights/weights.h"

/// Whose lists and layouts.
typedef enum ks_writer {
    KS_WRITER_KERAS1,
    KS_WRITER_KERAS2_0, ///< Keras 2.0 and 2.1, whose Sequential is no Model; all else is as in KS_WRITER_KERAS2
    KS_WRITER_KERAS2,   ///< Keras of several backends, 2.2 to 2.3.1
    KS_WRITER_TF_KERAS, ///< tf.keras 1.x and 2.x, Keras 2.4 to 2.15, tf_keras
    KS_WRITER_KERAS3
} ks_writer;

/// Where the axes of an array stand in the variable.
typedef struct ks_layout {
    int rank;
    int axes[KS_MAX_RANK]; ///< of the variable, for each axis of the array; -1: the array has one of length 1 more
} ks_layout;

/// One array as the writer keeps it: a variable, or (Keras 1) the part of it that belongs to one gate.
struct ks_slot {
    ks_variable *variable;
    const ks_layout *layout; ///< NULL: that of the variable
    int part, parts;         ///< gate `part` of `parts` along the variable's last axis
    uint32_t stamp;          ///< the list it was last put into
    bool listed;             ///< has its place in get_weights() order
    // Of the file:
    bool present;
    ks_hdf5_node dataset;
    const char *path; ///< from the file's root: "model_weights/dense/dense/kernel:0"
    const char *name; ///< last part of the path without ":0": "kernel"
    ks_hdf5_type type;
    const void *data; ///< elements in type.dtype; NULL before it is read
};

typedef struct ks_slots {
    ks_slot **items;
    size_t count, room;
} ks_slots;

/// The lists of one model for one writer.
typedef struct ks_legacy {
    ks_context *context;
    ks_arena *arena;
    ks_weight_map *map;
    ks_object *root;
    ks_writer writer;
    int depth;
    uint32_t list_stamp;
    ks_object **layers; ///< whose groups the file has: model.layers, for Keras 1 with leading models taken apart
    size_t n_layers;
} ks_legacy;

/// Makes slots for every variable of the map's model, in place of any made before. Lives in `arena`.
ks_code ks_legacy_init(ks_legacy *out, ks_context *context, ks_arena *arena, ks_weight_map *map, ks_writer writer);
/// The arrays of a layer's group: trainable ones, then the others.
ks_code ks_legacy_stored(ks_slots *out, ks_legacy *legacy, ks_object *layer);
/// The arrays that the model itself owns: group top_level_model_weights.
ks_code ks_legacy_top_level(ks_slots *out, ks_legacy *legacy);
/// What an optimizer trains: model.trainable_variables of the writer, each once.
ks_code ks_legacy_trained(ks_slots *out, ks_legacy *legacy);
/// All arrays in the order of the writer's model.get_weights(), each once.
ks_code ks_legacy_listed(ks_slots *out, ks_legacy *legacy);
/// Keras 2 of several backends.
static inline bool ks_writer_is_keras2(ks_writer writer) {
    return writer == KS_WRITER_KERAS2_0 || writer == KS_WRITER_KERAS2;
}
/// "1.2.2", "2.2.4-tf", "3.15.1"; a file of Keras 1 names no version where its weights are.
ks_writer ks_writer_of(const char *keras_version);

/// A group of weights: the file's root or its "model_weights".
typedef struct ks_legacy_group {
    ks_hdf5_node node;
    const char *path;          ///< "" or "model_weights"
    const char *keras_version; ///< attribute of the group; NULL: none
    const char *backend;       ///< NULL: none
    ks_writer writer;
} ks_legacy_group;

/// Finds the group's attributes. `document` names the file in errors.
ks_code ks_legacy_group_open(ks_legacy_group *out, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                             const char *document, const char *path);
/// Loads the variables from the group and, unless into a model that was loaded before (options->copy), makes
/// map->listed the writer's list.
ks_code ks_weights_load_legacy(ks_weight_map *map, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                               const char *document, const ks_legacy_group *group, const ks_weights_options *options);
/// Makes map->listed the list of this writer without any file; for Keras 3 there is none (NULL).
ks_code ks_weights_list(ks_weight_map *map, ks_context *context, ks_arena *arena, ks_writer writer);
/// After variables were given other values: map->listed shows these.
ks_code ks_weights_relist(const ks_weight_map *map, ks_context *context, ks_arena *arena);
/// Gives the variable the values of one array of the list, which is in the writer's layout: all of it, or its gate.
ks_code ks_slot_store(ks_slot *slot, ks_context *context, ks_arena *arena, const ks_tensor *values);
/// The shape of the slot's array when it holds the variable's present values.
ks_shape ks_slot_shape(const ks_slot *slot);

#endif
