// SPDX-License-Identifier: Apache-2.0
//
// Interpolated resizing, one axis at a time, with half-pixel centres as tf.image.resize computes it.
#ifndef KASSAY_OPS_RESAMPLE_H
#define KASSAY_OPS_RESAMPLE_H

#include "ops/real.h"
#include "schema/reshaping.h"

#define KS_MAX_RESAMPLE_TAPS 12

/// What one element of the result is made of: the elements from `first` on.
typedef struct ks_resample_taps {
    size_t first, count;
    double weights[KS_MAX_RESAMPLE_TAPS];
} ks_resample_taps;

/// The taps of element `index` when `in_size` elements become `out_size`, not fewer.
ks_resample_taps ks_resample_taps_at(ks_interpolation interpolation, size_t index, size_t in_size, size_t out_size);
/// [outer][in_size][inner] becomes [outer][out_size][inner].
void KS_REAL(ks_resample_axis)(ks_real *out, const ks_real *in, ks_interpolation interpolation, size_t outer,
                               size_t in_size, size_t out_size, size_t inner);

#endif
