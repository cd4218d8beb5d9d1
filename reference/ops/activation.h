// SPDX-License-Identifier: Apache-2.0
//
// Activation functions with their default parameters, as keras.activations computes them.
#ifndef KASSAY_OPS_ACTIVATION_H
#define KASSAY_OPS_ACTIVATION_H

#include "ops/real.h"
#include "schema/class.h"

/// Over [rows][columns]; softmax, log_softmax, sparsemax work on each row, glu halves it (out is [rows][columns / 2]),
/// the others on each element. `out` may be `in`.
void KS_REAL(ks_activation_apply)(ks_activation_id id, ks_real *out, const ks_real *in, size_t rows, size_t columns);

void KS_REAL(ks_softmax_row)(ks_real *out, const ks_real *in, size_t columns);
ks_real KS_REAL(ks_sigmoid)(ks_real x);
ks_real KS_REAL(ks_elu)(ks_real x, ks_real alpha);

#endif
