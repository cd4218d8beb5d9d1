// SPDX-License-Identifier: Apache-2.0
#include "ops/strided.h"

#include <string.h>

// One row: `count` items, `stride` items apart.
static void copy_row(char *out, const char *in, size_t item_size, int64_t count, int64_t stride) {
    if (stride == 1) {
        memcpy(out, in, (size_t)count * item_size);
        return;
    }
    switch (item_size) {
    case 4:
        for (int64_t i = 0; i < count; i++)
            memcpy(out + 4 * i, in + 4 * i * stride, 4);
        return;
    case 8:
        for (int64_t i = 0; i < count; i++)
            memcpy(out + 8 * i, in + 8 * i * stride, 8);
        return;
    default:
        for (int64_t i = 0; i < count; i++)
            memcpy(out + (size_t)i * item_size, in + i * stride * (int64_t)item_size, item_size);
    }
}

void ks_strided_copy(void *out, const void *in, size_t item_size, int rank, const int64_t *dims,
                     const int64_t *strides) {
    int64_t index[KS_MAX_RANK] = {0};
    const char *from = in;
    char *to = out;
    int64_t row = rank ? dims[rank - 1] : 1, row_stride = rank ? strides[rank - 1] : 1;
    size_t row_size = (size_t)row * item_size;
    for (int i = 0; i < rank; i++)
        if (dims[i] == 0)
            return;
    for (;;) {
        int axis = rank - 2;
        copy_row(to, from, item_size, row, row_stride);
        to += row_size;
        for (; axis >= 0; axis--) {
            from += strides[axis] * (int64_t)item_size;
            if (++index[axis] < dims[axis])
                break;
            from -= strides[axis] * dims[axis] * (int64_t)item_size;
            index[axis] = 0;
        }
        if (axis < 0)
            return;
    }
}

void ks_strides(int64_t *strides, const ks_shape *shape) {
    int64_t stride = 1;
    for (int i = shape->rank; i-- > 0;) {
        strides[i] = stride;
        stride *= shape->dims[i];
    }
}

void ks_broadcast_strides(int64_t *strides, const ks_shape *in, const ks_shape *out) {
    int64_t own[KS_MAX_RANK];
    int missing = out->rank - in->rank;
    ks_strides(own, in);
    for (int i = 0; i < out->rank; i++)
        strides[i] = i < missing || in->dims[i - missing] == 1 ? 0 : own[i - missing];
}

void ks_broadcast_to(void *out, const ks_shape *out_shape, const void *in, const ks_shape *in_shape, size_t item_size) {
    int64_t strides[KS_MAX_RANK];
    ks_broadcast_strides(strides, in_shape, out_shape);
    ks_strided_copy(out, in, item_size, out_shape->rank, out_shape->dims, strides);
}
