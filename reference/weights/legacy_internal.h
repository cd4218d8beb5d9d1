// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_WEIGHTS_LEGACY_INTERNAL_H
#define KASSAY_WEIGHTS_LEGACY_INTERNAL_H

#include "weights/legacy.h"
#include "weights/weights_internal.h"

/// Names in an attribute of a group ("layer_names", "weight_names"), or in its pieces NAME0, NAME1, …; an empty array
/// of any type is an empty list, and so is a missing attribute.
ks_code ks__legacy_names(const ks_text **out, size_t *count, ks__load *load, ks_hdf5_node group, const char *path,
                         const char *name);
/// Looks up a group below another. Its absence is an error.
ks_code ks__legacy_find(ks_hdf5_node *out, ks__load *load, ks_hdf5_node from, const char *from_path, ks_text name);
/// Gives the variables of a layer the values of their slots, each of which is present.
ks_code ks__legacy_convert(ks__load *load, const ks_legacy_group *group, const ks_slots *slots);
/// The layout that Keras 1 gives the arrays of a variable; NULL: the variable's own.
const ks_layout *ks__keras1_layout(const ks_variable *variable);
/// Copies the array of a slot into its place in the variable's elements `whole`, or out of it.
void ks__slot_put(const ks_slot *slot, void *whole, const void *array);
void ks__slot_take(const ks_slot *slot, void *array, const void *whole);

#endif
