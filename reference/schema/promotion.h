// SPDX-License-Identifier: Apache-2.0
//
// Which element type comes out when two meet: Keras's lattice (backend/common/dtypes.py), which is JAX's. Python's
// numbers are weak: they take the type of the tensor they meet unless their kind is higher.
#ifndef KASSAY_SCHEMA_PROMOTION_H
#define KASSAY_SCHEMA_PROMOTION_H

#include "schema/class.h"

ks_dtype ks_promote(ks_dtype a, ks_dtype b);
/// With a Python bool, int or float (KS_VALUE_BOOL, KS_VALUE_INT, KS_VALUE_FLOAT).
ks_dtype ks_promote_weak(ks_dtype tensor, ks_value_type number);
bool ks_dtype_is_integer(ks_dtype dtype); ///< bool is none

#endif
