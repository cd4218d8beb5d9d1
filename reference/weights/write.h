// SPDX-License-Identifier: Apache-2.0
//
// From the canonical variables to the datasets of each format of weights.
#ifndef KASSAY_WEIGHTS_WRITE_H
#define KASSAY_WEIGHTS_WRITE_H

#include <kassay/losses.h>
#include <kassay/writer.h>

#include "weights/legacy.h"
#include "weights/optimizer.h"

/// The next variable to write: that number `variable` of object number `object`. {0, 0} is the first.
typedef struct ks_weights_cursor {
    size_t object;
    size_t variable;
} ks_weights_cursor;

/// Writes the groups of Keras 3 (`.weights.h5`) from the cursor on, and moves it. `room` bytes at most, 0: all that is
/// left; a variable that does not fit into an empty room is KS_E_SAVE_SHARD. `*used` is what was written.
ks_code ks_weights_write_v3(const ks_weight_map *map, ks_context *context, ks_hdf5_writer *writer,
                            ks_weights_cursor *cursor, uint64_t room, uint64_t *used);
/// Writes the groups of Keras 2 into `group` ("": the root). What the model tells of its weights stays as it is.
/// `arena` is for names that are needed until the writer is finished.
ks_code ks_weights_write_legacy(ks_weight_map *map, ks_context *context, ks_arena *arena, ks_hdf5_writer *writer,
                                const char *group, const char *keras_version, const char *backend);
/// The variables that an optimizer trains, in the order of model.trainable_variables of `writer`, and what the older
/// form calls them ("lstm/lstm_cell/kernel"). What the model tells of its weights stays as it is.
ks_code ks_weights_trained(ks_trained *out, ks_weight_map *map, ks_context *context, ks_arena *arena, ks_writer writer);
/// Attribute `name` of the group at `path`: a list of names, in pieces when it is long.
ks_code ks_weights_write_names(ks_context *context, ks_arena *arena, ks_hdf5_writer *writer, const char *path,
                               const char *name, const ks_text *names, size_t count);
/// The cursor behind the last variable.
bool ks_weights_at_end(const ks_weight_map *map, const ks_weights_cursor *cursor);
/// Number of an object's own variables.
size_t ks_weights_count_own(const ks_object *object);
/// A variable's elements as a tensor; fails when it was never loaded. `place` is for messages.
ks_code ks_weights_tensor(ks_tensor *out, ks_context *context, const ks_variable *variable, const char *place);

#endif
