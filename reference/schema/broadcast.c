// SPDX-License-Identifier: Apache-2.0
#include "schema/broadcast.h"

bool ks_dims_agree(int64_t a, int64_t b) {
    return a == b || a == KS_UNKNOWN_DIM || b == KS_UNKNOWN_DIM;
}

static bool broadcast_dim(int64_t *out, int64_t a, int64_t b) {
    if (a == 1)
        *out = b;
    else if (b == 1 || b == KS_UNKNOWN_DIM)
        *out = a;
    else
        *out = b;
    return a == 1 || b == 1 || ks_dims_agree(a, b);
}

bool ks_shape_broadcast(ks_shape *out, const ks_shape *a, const ks_shape *b) {
    ks_shape result;
    if (a->rank < 0 || b->rank < 0)
        return false;
    result.rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 0; i < result.rank; i++) {
        int in_a = i - (result.rank - a->rank), in_b = i - (result.rank - b->rank);
        if (!broadcast_dim(&result.dims[i], in_a < 0 ? 1 : a->dims[in_a], in_b < 0 ? 1 : b->dims[in_b]))
            return false;
    }
    *out = result;
    return true;
}

void ks_shape_drop(ks_shape *shape, int axis) {
    for (int i = axis; i + 1 < shape->rank; i++)
        shape->dims[i] = shape->dims[i + 1];
    shape->rank--;
}

void ks_shape_insert(ks_shape *shape, int axis, int64_t dim) {
    for (int i = shape->rank; i > axis; i--)
        shape->dims[i] = shape->dims[i - 1];
    shape->dims[axis] = dim;
    shape->rank++;
}

bool ks_dtype_is_floating(ks_dtype dtype) {
    return dtype == KS_FLOAT16 || dtype == KS_BFLOAT16 || dtype == KS_FLOAT32 || dtype == KS_FLOAT64;
}
