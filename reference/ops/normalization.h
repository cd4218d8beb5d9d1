// SPDX-License-Identifier: Apache-2.0
//
// Normalization kernels. Means and variances are summed in double; what follows has Keras's order of operations:
// inverse × gamma, then x × inverse + (beta − mean × inverse).
#ifndef KASSAY_OPS_NORMALIZATION_H
#define KASSAY_OPS_NORMALIZATION_H

#include "ops/real.h"

/// gamma and beta may be NULL in all of these.

/// Over [outer][channels][inner], by given statistics per channel.
void KS_REAL(ks_batch_norm)(ks_real *out, const ks_real *in, const ks_real *mean, const ks_real *variance,
                            const ks_real *gamma, const ks_real *beta, ks_real epsilon, size_t outer, size_t channels,
                            size_t inner);
/// Each row of [rows][columns] by its own mean and variance; gamma and beta have `columns` elements.
void KS_REAL(ks_layer_norm)(ks_real *out, const ks_real *in, const ks_real *gamma, const ks_real *beta, ks_real epsilon,
                            size_t rows, size_t columns);
/// Keras's rms_scaling: by the variance, without taking the mean away.
void KS_REAL(ks_variance_scaling)(ks_real *out, const ks_real *in, const ks_real *gamma, ks_real epsilon, size_t rows,
                                  size_t columns);
/// By the root of the mean square.
void KS_REAL(ks_rms_norm)(ks_real *out, const ks_real *in, ks_real epsilon, size_t rows, size_t columns);
/// By the Euclidean norm; a row of zeros stays as it is.
void KS_REAL(ks_unit_norm)(ks_real *out, const ks_real *in, size_t rows, size_t columns);
/// Over [batch][outer][channels][inner]: each group of adjacent channels of one element of the batch by its own mean
/// and variance; gamma and beta have one element per channel.
void KS_REAL(ks_group_norm)(ks_real *out, const ks_real *in, const ks_real *gamma, const ks_real *beta, ks_real epsilon,
                            size_t batch, size_t outer, size_t channels, size_t inner, size_t groups);

#endif
