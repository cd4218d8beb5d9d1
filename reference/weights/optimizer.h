// SPDX-License-Identifier: Apache-2.0
//
// The state of an optimizer in a file: listed and read when it is asked for, never by a load.
#ifndef KASSAY_WEIGHTS_OPTIMIZER_H
#define KASSAY_WEIGHTS_OPTIMIZER_H

#include <kassay/hdf5.h>

#include "base/arena.h"

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

#endif
