// SPDX-License-Identifier: Apache-2.0
//
// Element types, shapes and tensors. A tensor's elements are dense, C order, little-endian (the host's order).
#ifndef KASSAY_TENSOR_H
#define KASSAY_TENSOR_H

#include <kassay/context.h>
#include <kassay/text.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ks_dtype {
    KS_DTYPE_NONE,
    KS_BOOL8,
    KS_INT8,
    KS_INT16,
    KS_INT32,
    KS_INT64,
    KS_UINT8,
    KS_UINT16,
    KS_UINT32,
    KS_UINT64,
    KS_FLOAT16,
    KS_BFLOAT16,
    KS_FLOAT32,
    KS_FLOAT64,
    KS_COMPLEX64,
    KS_COMPLEX128,
    KS_STRING ///< data is an array of ks_text
} ks_dtype;

#define KS_MAX_RANK 32
#define KS_UNKNOWN_DIM (-1) ///< None in Keras: any size

typedef struct ks_shape {
    int32_t rank; ///< -1: not even the rank is known
    int64_t dims[KS_MAX_RANK];
} ks_shape;

typedef struct ks_tensor {
    ks_dtype dtype;
    ks_shape shape;
    const void *data; ///< aligned for dtype; not owned
    size_t size;      ///< bytes
} ks_tensor;

/// Bytes of one element; 0 for KS_DTYPE_NONE.
size_t ks_dtype_size(ks_dtype dtype);
/// Keras's and numpy's name: "float32", "bool", …
const char *ks_dtype_name(ks_dtype dtype);
/// KS_DTYPE_NONE when the name is unknown.
ks_dtype ks_dtype_by_name(ks_text name);
/// False when a dimension is unknown or negative, or the product overflows.
bool ks_shape_elements(const ks_shape *shape, uint64_t *out);
bool ks_shape_equal(const ks_shape *a, const ks_shape *b);
/// *out = *in without the dims beyond the rank (all but a few of 264 bytes; a load copies hundreds of shapes).
static inline void ks_shape_copy(ks_shape *out, const ks_shape *in) {
    out->rank = in->rank;
    memcpy(out->dims, in->dims, in->rank <= 4 ? 4 * sizeof(in->dims[0]) : sizeof(in->dims));
}
/// "(None, 4)" as Python prints it; returns text.
const char *ks_shape_format(const ks_shape *shape, char *text, size_t text_size);

#ifdef __cplusplus
}
#endif
#endif
