// SPDX-License-Identifier: Apache-2.0
//
// Pooling kernels.
#ifndef KASSAY_OPS_POOLING_H
#define KASSAY_OPS_POOLING_H

#include "ops/real.h"
#include "schema/window.h"

/// Windows over [batch][spatial …][channels]. Padding never counts: the maximum and the mean are of real elements.
void KS_REAL(ks_max_pool)(ks_real *out, const ks_real *in, const ks_window *window, size_t batch, size_t channels);
void KS_REAL(ks_average_pool)(ks_real *out, const ks_real *in, const ks_window *window, size_t batch, size_t channels);

/// Over the middle axis of [outer][count][inner].
void KS_REAL(ks_max_axis)(ks_real *out, const ks_real *in, size_t outer, size_t count, size_t inner);
void KS_REAL(ks_mean_axis)(ks_real *out, const ks_real *in, size_t outer, size_t count, size_t inner);
/// The mean of those elements whose weight is not zero; `weights` is [outer / repeat][count]. No such element: NaN.
void KS_REAL(ks_masked_mean_axis)(ks_real *out, const ks_real *in, const ks_real *weights, size_t outer, size_t count,
                                  size_t inner, size_t repeat);
/// The middle axis is cut into `parts` pieces that overlap when count is no multiple of parts: piece i goes from
/// floor(i × count / parts) to ceil((i + 1) × count / parts).
void KS_REAL(ks_adaptive_axis)(ks_real *out, const ks_real *in, size_t outer, size_t count, size_t inner, size_t parts,
                               bool average);

#endif
