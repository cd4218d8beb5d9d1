// SPDX-License-Identifier: Apache-2.0
#include "ops/move.h"

#include <string.h>

#include "ops/strided.h"

static size_t elements_of(const ks_shape *shape, int first, int last) {
    size_t count = 1;
    for (int i = first; i < last; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

void ks_transpose(void *out, const void *in, const ks_shape *shape, const int *axes, size_t item_size) {
    int64_t strides[KS_MAX_RANK], turned[KS_MAX_RANK], dims[KS_MAX_RANK];
    ks_strides(strides, shape);
    for (int i = 0; i < shape->rank; i++) {
        dims[i] = shape->dims[axes[i]];
        turned[i] = strides[axes[i]];
    }
    ks_strided_copy(out, in, item_size, shape->rank, dims, turned);
}

void ks_channels_to_front(void *out, const void *in, const ks_shape *shape, size_t item_size) {
    int axes[KS_MAX_RANK] = {0, shape->rank - 1};
    for (int i = 2; i < shape->rank; i++)
        axes[i] = i - 1;
    ks_transpose(out, in, shape, axes, item_size);
}

void ks_channels_to_back(void *out, const void *in, const ks_shape *shape, size_t item_size) {
    int axes[KS_MAX_RANK] = {0};
    for (int i = 1; i < shape->rank - 1; i++)
        axes[i] = i + 1;
    axes[shape->rank - 1] = 1;
    ks_transpose(out, in, shape, axes, item_size);
}

// The next index in C order; false after the last.
static bool advance(int64_t *index, const int64_t *dims, int rank) {
    for (int i = rank - 1; i >= 0; i--) {
        if (++index[i] < dims[i])
            return true;
        index[i] = 0;
    }
    return false;
}

void ks_copy_box(void *out, const ks_shape *out_shape, const void *in, const ks_shape *in_shape, const int64_t *offset,
                 size_t item_size) {
    int64_t in_strides[KS_MAX_RANK], out_strides[KS_MAX_RANK];
    int64_t first[KS_MAX_RANK] = {0}, count[KS_MAX_RANK] = {0}, index[KS_MAX_RANK] = {0};
    int last = in_shape->rank - 1;
    for (int i = 0; i <= last; i++) {
        int64_t room = out_shape->dims[i] - offset[i];
        first[i] = offset[i] < 0 ? -offset[i] : 0;
        count[i] = (in_shape->dims[i] < room ? in_shape->dims[i] : room) - first[i];
        if (count[i] <= 0)
            return;
    }
    ks_strides(in_strides, in_shape);
    ks_strides(out_strides, out_shape);
    do { // a row of the last axis at a time
        int64_t from = 0, to = 0;
        for (int i = 0; i <= last; i++) {
            from += (first[i] + index[i]) * in_strides[i];
            to += (first[i] + index[i] + offset[i]) * out_strides[i];
        }
        memcpy((char *)out + (size_t)to * item_size, (const char *)in + (size_t)from * item_size,
               (size_t)count[last] * item_size);
    } while (advance(index, count, last));
}

void ks_repeat(void *out, const void *in, const ks_shape *shape, int axis, size_t times, size_t item_size) {
    size_t outer = elements_of(shape, 0, axis + 1);
    size_t inner_size = elements_of(shape, axis + 1, shape->rank) * item_size;
    const char *from = in;
    char *to = out;
    for (size_t i = 0; i < outer; i++, from += inner_size)
        for (size_t t = 0; t < times; t++, to += inner_size)
            memcpy(to, from, inner_size);
}
