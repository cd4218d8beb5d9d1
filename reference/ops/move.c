// SPDX-License-Identifier: Apache-2.0
#include "ops/move.h"

#include <string.h>

// Elements per step of each axis.
static void strides_of(size_t *strides, const ks_shape *shape) {
    size_t step = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        strides[i] = step;
        step *= (size_t)shape->dims[i];
    }
}

static size_t elements_of(const ks_shape *shape, int first, int last) {
    size_t count = 1;
    for (int i = first; i < last; i++)
        count *= (size_t)shape->dims[i];
    return count;
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

void ks_transpose(void *out, const void *in, const ks_shape *shape, const int *axes, size_t item_size) {
    size_t strides[KS_MAX_RANK] = {0};
    int64_t index[KS_MAX_RANK] = {0}, dims[KS_MAX_RANK] = {0};
    int rank = shape->rank;
    char *to = out;
    if (elements_of(shape, 0, rank) == 0)
        return;
    strides_of(strides, shape);
    for (int i = 0; i < rank; i++)
        dims[i] = shape->dims[axes[i]];
    do {
        size_t from = 0;
        for (int i = 0; i < rank; i++)
            from += (size_t)index[i] * strides[axes[i]];
        memcpy(to, (const char *)in + from * item_size, item_size);
        to += item_size;
    } while (advance(index, dims, rank));
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

void ks_copy_box(void *out, const ks_shape *out_shape, const void *in, const ks_shape *in_shape, const int64_t *offset,
                 size_t item_size) {
    size_t in_strides[KS_MAX_RANK] = {0}, out_strides[KS_MAX_RANK] = {0};
    int64_t first[KS_MAX_RANK] = {0}, count[KS_MAX_RANK] = {0}, index[KS_MAX_RANK] = {0};
    int last = in_shape->rank - 1;
    for (int i = 0; i <= last; i++) {
        int64_t end = in_shape->dims[i] < out_shape->dims[i] - offset[i] ? in_shape->dims[i] //
                                                                         : out_shape->dims[i] - offset[i];
        first[i] = offset[i] < 0 ? -offset[i] : 0;
        count[i] = end - first[i];
        if (count[i] <= 0)
            return;
    }
    strides_of(in_strides, in_shape);
    strides_of(out_strides, out_shape);
    do { // a row of the last axis at a time
        size_t from = 0, to = 0;
        for (int i = 0; i <= last; i++) {
            from += (size_t)(first[i] + index[i]) * in_strides[i];
            to += (size_t)(first[i] + index[i] + offset[i]) * out_strides[i];
        }
        memcpy((char *)out + to * item_size, (const char *)in + from * item_size, (size_t)count[last] * item_size);
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
