// SPDX-License-Identifier: Apache-2.0
//
// Copies with another order of elements: permutation, broadcasting, slicing, reversal. One walk serves them all.
#ifndef KASSAY_OPS_STRIDED_H
#define KASSAY_OPS_STRIDED_H

#include <kassay/tensor.h>

/// Fills `out` in C order over `dims` with the items in[Σ index·stride]; strides count items and may be 0 or negative.
void ks_strided_copy(void *out, const void *in, size_t item_size, int rank, const int64_t *dims,
                     const int64_t *strides);
/// C order strides of a shape.
void ks_strides(int64_t *strides, const ks_shape *shape);
/// Strides that read an array of shape `in` as if it had shape `out`, trailing axes aligned.
void ks_broadcast_strides(int64_t *strides, const ks_shape *in, const ks_shape *out);
/// `in` repeated to the shape of `out`.
void ks_broadcast_to(void *out, const ks_shape *out_shape, const void *in, const ks_shape *in_shape, size_t item_size);

#endif
