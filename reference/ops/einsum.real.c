// SPDX-License-Identifier: Apache-2.0
//
// Both operands are brought to [batch][rows][inner] and [batch][inner][columns], multiplied as matrices, and the result
// is permuted. Labels of both operands and the result are batch axes; those of one operand and the result are rows or
// columns; the others are summed over.
#include "ops/einsum.h"

#include <string.h>

#include "ops/product.h"
#include "ops/strided.h"

typedef struct axis_list {
    char labels[KS_MAX_RANK];
    int64_t dims[KS_MAX_RANK];
    int count;
} axis_list;

static int find_label(const char *labels, int count, char label) {
    for (int i = 0; i < count; i++)
        if (labels[i] == label)
            return i;
    return -1;
}

static bool has_label(ks_labelled axes, char label) {
    return find_label(axes.labels, axes.shape->rank, label) >= 0;
}

static void add_axis(axis_list *list, ks_labelled axes, int axis) {
    if (find_label(list->labels, list->count, axes.labels[axis]) >= 0 || list->count == KS_MAX_RANK)
        return;
    list->labels[list->count] = axes.labels[axis];
    list->dims[list->count++] = axes.shape->dims[axis];
}

static void append(axis_list *list, const axis_list *more) {
    for (int i = 0; i < more->count && list->count < KS_MAX_RANK; i++) {
        list->labels[list->count] = more->labels[i];
        list->dims[list->count++] = more->dims[i];
    }
}

static size_t elements(const axis_list *list) {
    size_t count = 1;
    for (int i = 0; i < list->count; i++)
        count *= (size_t)list->dims[i];
    return count;
}

// How far one step along each listed axis goes in the tensor: 0 where it lacks the label, the sum where it has it
// twice.
static void label_strides(int64_t *strides, const axis_list *list, ks_labelled axes) {
    int64_t own[KS_MAX_RANK] = {0};
    ks_strides(own, axes.shape);
    for (int i = 0; i < list->count; i++) {
        strides[i] = 0;
        for (int k = 0; k < axes.shape->rank; k++)
            if (axes.labels[k] == list->labels[i])
                strides[i] += own[k];
    }
}

static bool is_dense(const axis_list *list, const int64_t *strides) {
    int64_t expected = 1;
    for (int i = list->count; i-- > 0;) {
        if (list->dims[i] != 1 && strides[i] != expected)
            return false;
        expected *= list->dims[i];
    }
    return true;
}

// The tensor's elements in the order of the listed axes; the tensor itself when it has that order.
static const ks_real *pack(ks_arena *arena, const axis_list *list, const ks_real *data, ks_labelled axes) {
    int64_t strides[KS_MAX_RANK] = {0};
    ks_real *copy;
    label_strides(strides, list, axes);
    if (is_dense(list, strides))
        return data;
    copy = ks_arena_get(arena, elements(list) + 1, sizeof(*copy));
    if (copy)
        ks_strided_copy(copy, data, sizeof(*copy), list->count, list->dims, strides);
    return copy;
}

static void unpack(ks_real *out, ks_labelled axes, const ks_real *data, const axis_list *list) {
    int64_t own[KS_MAX_RANK] = {0}, strides[KS_MAX_RANK] = {0}, stride = 1;
    for (int i = list->count; i-- > 0;) {
        own[i] = stride;
        stride *= list->dims[i];
    }
    for (int i = 0; i < axes.shape->rank; i++) {
        int at = find_label(list->labels, list->count, axes.labels[i]);
        strides[i] = at < 0 ? 0 : own[at];
    }
    ks_strided_copy(out, data, sizeof(*out), axes.shape->rank, axes.shape->dims, strides);
}

bool KS_REAL(ks_einsum)(ks_arena *arena, ks_real *out, ks_labelled out_axes, const ks_real *a, ks_labelled a_axes,
                        const ks_real *b, ks_labelled b_axes) {
    axis_list batch = {.count = 0}, rows = {.count = 0}, columns = {.count = 0}, inner = {.count = 0};
    axis_list left, right, result;
    size_t n_batch, n_rows, n_inner, n_columns;
    ks_real *product;

    for (int i = 0; i < a_axes.shape->rank; i++) {
        bool kept = has_label(out_axes, a_axes.labels[i]), shared = has_label(b_axes, a_axes.labels[i]);
        add_axis(!kept ? &inner : shared ? &batch : &rows, a_axes, i);
    }
    for (int i = 0; i < b_axes.shape->rank; i++)
        if (!has_label(a_axes, b_axes.labels[i]))
            add_axis(has_label(out_axes, b_axes.labels[i]) ? &columns : &inner, b_axes, i);
    left = right = result = batch;
    append(&left, &rows);
    append(&left, &inner);
    append(&right, &inner);
    append(&right, &columns);
    append(&result, &rows);
    append(&result, &columns);
    n_batch = elements(&batch);
    n_rows = elements(&rows);
    n_inner = elements(&inner);
    n_columns = elements(&columns);
    a = pack(arena, &left, a, a_axes);
    b = pack(arena, &right, b, b_axes);
    product = ks_arena_get(arena, elements(&result) + 1, sizeof(*product));
    if (!a || !b || !product)
        return false;
    if (n_inner)
        for (size_t i = 0; i < n_batch; i++)
            KS_REAL(ks_matmul)(product + i * n_rows * n_columns, a + i * n_rows * n_inner, b + i * n_inner * n_columns,
                               NULL, n_rows, n_inner, n_columns);
    unpack(out, out_axes, product, &result);
    return true;
}
