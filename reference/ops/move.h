// SPDX-License-Identifier: Apache-2.0
//
// Moving elements of any type about: transposition, boxes, repetition. Shapes are known, tensors dense.
#ifndef KASSAY_OPS_MOVE_H
#define KASSAY_OPS_MOVE_H

#include <kassay/tensor.h>

/// out's axis i is axis axes[i] of `in`, whose shape is `shape`.
void ks_transpose(void *out, const void *in, const ks_shape *shape, const int *axes, size_t item_size);
/// Channels from behind the spatial axes to the front of them, or back: `shape` is the shape of `in`.
void ks_channels_to_front(void *out, const void *in, const ks_shape *shape, size_t item_size);
void ks_channels_to_back(void *out, const void *in, const ks_shape *shape, size_t item_size);
/// Copies the part of `in` that lies inside `out` when in's first element stands at `offset` (per axis, negative: cut
/// off); the rest of `out` stays as it is.
void ks_copy_box(void *out, const ks_shape *out_shape, const void *in, const ks_shape *in_shape, const int64_t *offset,
                 size_t item_size);
/// Every element along `axis` `times` times over.
void ks_repeat(void *out, const void *in, const ks_shape *shape, int axis, size_t times, size_t item_size);

#endif
