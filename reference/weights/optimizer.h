// SPDX-License-Identifier: Apache-2.0
//
// The state of an optimizer in a file: listed and read when it is asked for, never by a load.
#ifndef KASSAY_WEIGHTS_OPTIMIZER_H
#define KASSAY_WEIGHTS_OPTIMIZER_H

#include <kassay/hdf5.h>

#include <kassay/losses.h>

#include "base/arena.h"
#include "schema/object.h"

typedef struct ks_optimizer_weight {
    const char *name; ///< as the file has it: "Adam/m/dense/kernel:0", or its number for Keras 3
    const char *path; ///< from the file's root: "optimizer_weights/Adam/iter:0", "optimizer/vars/0"
    ks_hdf5_node dataset;
    ks_hdf5_type type;
} ks_optimizer_weight;

typedef struct ks_optimizer_weights {
    ks_optimizer_weight *items; ///< in the order of optimizer.variables
    size_t count;
} ks_optimizer_weights;

/// Group optimizer_weights of the older form (order of its attribute weight_names), or optimizer/vars of Keras 3 (order
/// of the numbers). A file with neither has none. Lives in `arena`; `document` names the file in errors.
ks_code ks_optimizer_weights_list(ks_optimizer_weights *out, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                                  const char *document);
/// The elements in type.dtype: a view of the file where it is aligned, else a copy in the arena.
ks_code ks_optimizer_weight_read(ks_tensor *out, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                                 const char *document, const ks_optimizer_weight *weight);

// --- what the state is ----------------------------------------------------------------------------------------------

typedef struct ks_trained {
    ks_variable **variables;
    const char **names;
    size_t count;
} ks_trained;

/// One variable of an optimizer.
typedef struct ks_state_part {
    const char *slot; ///< as Keras 2 calls it: "iteration", "m", "average"; also "learning_rate", "u_product"
    const ks_variable *variable; ///< that it belongs to; NULL: to the optimizer
    const char *name;            ///< of that variable; NULL: none
    ks_dtype dtype;
    ks_shape shape;
} ks_state_part;

typedef struct ks_state_plan {
    ks_state_part *items; ///< in the order of optimizer.variables
    size_t count, room;
} ks_state_plan;

/// Whether it is known what an optimizer of the class of this record keeps.
bool ks_state_plan_known(const ks_value *record);
/// What an optimizer keeps for these variables: of Keras 3.15.1 or of tf_keras 2.21. `record` is its record as Keras
/// 3.15.1 writes it, of a class that both have. Lives in `arena`.
ks_code ks_state_plan_make(ks_state_plan *out, ks_context *context, ks_arena *arena, const ks_value *record,
                           const ks_trained *trained, bool keras3);
/// Its number in the plan; `plan->count` when it has no such part. `*near` is where the search begins and ended: two
/// plans in much the same order are matched in one pass.
size_t ks_state_plan_find(const ks_state_plan *plan, const ks_state_part *wanted, size_t *near);

#endif
