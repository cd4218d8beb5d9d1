// SPDX-License-Identifier: Apache-2.0
//
// Fresh weights: every variable from its initializer, as Keras defines shape, fans, gain and distribution; the numbers
// come from base/random.h.
#ifndef KASSAY_WEIGHTS_INITIALIZE_H
#define KASSAY_WEIGHTS_INITIALIZE_H

#include "base/random.h"
#include "weights/weights.h"

/// Gives every variable of the map new data, which lives in `arena`.
ks_code ks_weights_initialize(const ks_weight_map *map, ks_context *context, ks_arena *arena, uint64_t seed);
/// Fills `out` (one double per element) as the initializer says; NULL is Keras's default, glorot_uniform.
ks_code ks_initializer_fill(double *out, const ks_shape *shape, const ks_object *initializer, ks_context *context,
                            ks_arena *arena, ks_random *random);
/// Keras's compute_fans.
void ks_initializer_fans(double *fan_in, double *fan_out, const ks_shape *shape);

#endif
