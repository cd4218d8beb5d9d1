// SPDX-License-Identifier: Apache-2.0
//
// Products of two tensors with named axes, as numpy's einsum.
#ifndef KASSAY_OPS_EINSUM_H
#define KASSAY_OPS_EINSUM_H

#include <kassay/tensor.h>

#include "base/arena.h"
#include "ops/real.h"

/// A tensor whose axes carry labels; equal labels are the same axis.
typedef struct ks_labelled {
    const ks_shape *shape;
    const char *labels; ///< [rank]
} ks_labelled;

/// out = Σ a·b over every label that `out` does not have. All shapes are known and agree. False: out of memory, the
/// error is set.
bool KS_REAL(ks_einsum)(ks_arena *arena, ks_real *out, ks_labelled out_axes, const ks_real *a, ks_labelled a_axes,
                        const ks_real *b, ks_labelled b_axes);

#endif
