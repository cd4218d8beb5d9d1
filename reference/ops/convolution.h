// SPDX-License-Identifier: Apache-2.0
//
// Convolutions over up to three spatial axes, channels last: tensors are [batch][spatial …][channels], the `in` side of
// a window is the larger tensor. Biases and activations are added by the caller.
#ifndef KASSAY_OPS_CONVOLUTION_H
#define KASSAY_OPS_CONVOLUTION_H

#include "ops/real.h"
#include "schema/window.h"

/// kernel [taps …][channels / groups][filters]
void KS_REAL(ks_convolve)(ks_real *out, const ks_real *in, const ks_real *kernel, const ks_window *window, size_t batch,
                          size_t channels, size_t groups, size_t filters);
/// kernel [taps …][channels][multiplier]; result channel c × multiplier + m
void KS_REAL(ks_convolve_depthwise)(ks_real *out, const ks_real *in, const ks_real *kernel, const ks_window *window,
                                    size_t batch, size_t channels, size_t multiplier);
/// The transposed convolution: `in` has the window's `out` sizes and the result its `in` sizes. kernel [taps
/// …][channels][filters], that is with the last two axes of Keras's kernel exchanged.
void KS_REAL(ks_convolve_transposed)(ks_real *out, const ks_real *in, const ks_real *kernel, const ks_window *window,
                                     size_t batch, size_t channels, size_t filters);
/// rows[i] += bias
void KS_REAL(ks_add_bias)(ks_real *rows, const ks_real *bias, size_t n_rows, size_t columns);

#endif
