// SPDX-License-Identifier: Apache-2.0
//
// Shapes of numpy-style arithmetic, with unknown dimensions.
#ifndef KASSAY_SCHEMA_BROADCAST_H
#define KASSAY_SCHEMA_BROADCAST_H

#include "schema/class.h"

/// The shape of an elementwise result, trailing axes aligned; an unknown dimension takes the other's size unless that
/// is 1. False when the shapes do not fit.
bool ks_shape_broadcast(ks_shape *out, const ks_shape *a, const ks_shape *b);
/// True when the dimensions are equal or one is unknown.
bool ks_dims_agree(int64_t a, int64_t b);
/// The shape without one axis.
void ks_shape_drop(ks_shape *shape, int axis);
/// The shape with a new axis before `axis`.
void ks_shape_insert(ks_shape *shape, int axis, int64_t dim);
bool ks_dtype_is_floating(ks_dtype dtype);

#endif
