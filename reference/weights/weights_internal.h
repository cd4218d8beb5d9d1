// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_WEIGHTS_WEIGHTS_INTERNAL_H
#define KASSAY_WEIGHTS_WEIGHTS_INTERNAL_H

#include "schema/class.h"
#include "weights/weights.h"

/// One run over a weights file.
typedef struct ks__load {
    ks_context *context;
    ks_arena *arena; ///< copied tensors and names live here
    ks_hdf5 *file;
    const char *document;
    ks_weights_options options;
} ks__load;

/// Fails with place "DOCUMENT:/PATH".
#if defined(__GNUC__)
__attribute__((cold, format(printf, 4, 5)))
#endif
ks_code
ks__weights_fail(ks__load *load, ks_code code, const char *path, const char *format, ...);

// --- datasets -------------------------------------------------------------------------------------------------------

/// Describes a dataset of numbers; anything else is an error.
ks_code ks__dataset_type(ks_hdf5_type *out, ks__load *load, ks_hdf5_node dataset, const char *path);
/// All elements as `wanted`: a view of the file where that is allowed and aligned, else a copy in the arena.
ks_code ks__dataset_read(const void **out, ks__load *load, ks_hdf5_node dataset, const ks_hdf5_type *type,
                         ks_dtype wanted, const char *path);
/// Fails with both shapes in the message.
ks_code ks__shape_mismatch(ks__load *load, const ks_variable *variable, const ks_hdf5_type *found, const char *path);
/// Tells the report, if there is one. `variable` NULL: the whole layer; `reason` NULL: it was loaded.
ks_code ks__weights_note(ks__load *load, const ks_object *layer, ks_variable *variable, const char *source,
                         const char *reason);
/// Puts values in place of the variable's old ones.
void ks__set_data(ks_variable *variable, const void *data);

#endif
