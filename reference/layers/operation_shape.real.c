// SPDX-License-Identifier: Apache-2.0
//
// Operations that move elements of any type about.
#include <string.h>

#include "base/cast.h"
#include "layers/layer.h"
#include "ops/move.h"
#include "ops/strided.h"
#include "schema/broadcast.h"
#include "schema/operation.h"

// An operand in the result's type.
static ks_code operand_in(const char **out, ks_operand *x, ks_run *run, ks_call *call, ks_object *object, size_t index,
                          ks_dtype dtype) {
    size_t count;
    void *copy;
    ks_code code;
    KS_TRY(ks_operand_at(x, call, object, index));
    *out = x->array->data;
    if (x->array->dtype == dtype)
        return KS_OK;
    count = ks_array_elements(x->array);
    copy = ks_run_memory(run, count, ks_dtype_size(dtype));
    if (!copy)
        return run->context->error.code;
    ks_cast(copy, dtype, x->array->data, x->array->dtype, count);
    *out = copy;
done:
    return code;
}

// Same elements in the same order, another shape.
static ks_code run_copy(ks_run *run, ks_call *call, ks_object *object, ks_array *result) {
    const char *data;
    ks_operand x;
    ks_code code;
    KS_TRY(operand_in(&data, &x, run, call, object, 0, result->dtype));
    memcpy(result->data, data, ks_array_elements(result) * ks_dtype_size(result->dtype));
done:
    return code;
}

#define COPY_FORWARD(name)                                                                                             \
    KS_FORWARD(name) {                                                                                                 \
        return run_copy(run, call, object, out->as.array);                                                             \
    }
COPY_FORWARD(OpReshape)
COPY_FORWARD(OpRavel)
COPY_FORWARD(OpSqueeze)
COPY_FORWARD(OpExpandDims)

static ks_code run_order(ks_run *run, ks_call *call, ks_object *object, ks_array *result) {
    int axes[KS_MAX_RANK];
    const char *data;
    ks_operand x;
    ks_code code;
    KS_TRY(operand_in(&data, &x, run, call, object, 0, result->dtype));
    ks_operation_order(axes, object, x.array->shape.rank);
    ks_transpose(result->data, data, &x.array->shape, axes, ks_dtype_size(result->dtype));
done:
    return code;
}

KS_FORWARD(OpTranspose) {
    return run_order(run, call, object, out->as.array);
}
KS_FORWARD(OpSwapaxes) {
    return run_order(run, call, object, out->as.array);
}
KS_FORWARD(OpMoveaxis) {
    return run_order(run, call, object, out->as.array);
}

KS_FORWARD(OpBroadcastTo) {
    ks_array *result = out->as.array;
    const char *data;
    ks_operand x;
    ks_code code;
    KS_TRY(operand_in(&data, &x, run, call, object, 0, result->dtype));
    ks_broadcast_to(result->data, &result->shape, data, &x.array->shape, ks_dtype_size(result->dtype));
done:
    return code;
}

KS_FORWARD(OpFlip) {
    const ks_operation *params = object->params;
    ks_array *result = out->as.array;
    size_t item_size = ks_dtype_size(result->dtype);
    int64_t strides[KS_MAX_RANK], start = 0;
    int axes[KS_MAX_RANK], count;
    const char *data;
    ks_operand x;
    ks_code code;
    KS_TRY(operand_in(&data, &x, run, call, object, 0, result->dtype));
    ks_strides(strides, &result->shape);
    ks_operation_axes(axes, &count, &params->axis, result->shape.rank);
    for (int i = 0; i < count; i++) {
        start += strides[axes[i]] * (result->shape.dims[axes[i]] - 1);
        strides[axes[i]] = -strides[axes[i]];
    }
    if (ks_array_elements(result))
        ks_strided_copy(result->data, data + start * (int64_t)item_size, item_size, result->shape.rank,
                        result->shape.dims, strides);
done:
    return code;
}

KS_FORWARD(OpRepeat) {
    const ks_operation *params = object->params;
    ks_array *result = out->as.array;
    const char *data;
    ks_operand x;
    ks_code code;
    KS_TRY(operand_in(&data, &x, run, call, object, 0, result->dtype));
    ks_repeat(result->data, data, &x.array->shape, ks_axis(params->axis.items[0], x.array->shape.rank),
              (size_t)params->axis2.items[0], ks_dtype_size(result->dtype));
done:
    return code;
}

// Every axis as two: how often, and the axis itself.
KS_FORWARD(OpTile) {
    ks_array *result = out->as.array;
    ks_shape own;
    int64_t own_strides[KS_MAX_RANK], dims[2 * KS_MAX_RANK], strides[2 * KS_MAX_RANK];
    const char *data;
    ks_operand x;
    int n = 0;
    ks_code code;
    KS_TRY(operand_in(&data, &x, run, call, object, 0, result->dtype));
    own = x.array->shape;
    while (own.rank < result->shape.rank)
        ks_shape_insert(&own, 0, 1);
    if (2 * own.rank > KS_MAX_RANK)
        return ks_argument_error(call, object, "more axes than this reference can tile");
    ks_strides(own_strides, &own);
    for (int i = 0; i < own.rank; i++) {
        dims[n] = own.dims[i] ? result->shape.dims[i] / own.dims[i] : 0;
        strides[n++] = 0;
        dims[n] = own.dims[i];
        strides[n++] = own_strides[i];
    }
    ks_strided_copy(result->data, data, ks_dtype_size(result->dtype), n, dims, strides);
done:
    return code;
}

// --- joining and splitting ------------------------------------------------------------------------------------------

static size_t product_of(const ks_shape *shape, int first, int last) {
    size_t product = 1;
    for (int i = first; i < last; i++)
        product *= (size_t)shape->dims[i];
    return product;
}

static ks_code run_join(ks_run *run, ks_call *call, ks_object *object, ks_array *result) {
    const ks_operation *params = object->params;
    size_t item_size = ks_dtype_size(result->dtype), n, offset = 0;
    ks_operand *operands = ks_operand_list(&n, call, object, 0);
    int axis = ks_axis(params->axis.items[0], result->shape.rank);
    size_t outer = product_of(&result->shape, 0, axis);
    size_t row_size = product_of(&result->shape, axis, result->shape.rank) * item_size;
    if (!operands)
        return run->context->error.code;
    for (size_t i = 0; i < n; i++) {
        size_t count = ks_array_elements(operands[i].array), part_size = outer ? count / outer * item_size : 0;
        char *part = ks_run_memory(run, count, item_size);
        if (!part)
            return run->context->error.code;
        ks_cast(part, result->dtype, operands[i].array->data, operands[i].array->dtype, count);
        for (size_t o = 0; o < outer; o++)
            memcpy((char *)result->data + o * row_size + offset, part + o * part_size, part_size);
        offset += part_size;
    }
    return KS_OK;
}

KS_FORWARD(OpConcatenate) {
    return run_join(run, call, object, out->as.array);
}
KS_FORWARD(OpStack) {
    return run_join(run, call, object, out->as.array);
}

KS_FORWARD(OpSplit) {
    const ks_operation *params = object->params;
    int64_t strides[KS_MAX_RANK], starts[256];
    const char *data;
    ks_operand x;
    size_t count, item_size;
    int axis;
    ks_code code;
    KS_TRY(operand_in(&data, &x, run, call, object, 0, out->as.list.items[0].as.array->dtype));
    axis = ks_axis(params->axis.items[0], x.array->shape.rank);
    item_size = ks_dtype_size(x.array->dtype);
    KS_TRY(ks_split_parts(starts, 256, &count, call, object, &x.array->shape, axis));
    ks_strides(strides, &x.array->shape);
    for (size_t i = 0; i < count; i++) {
        ks_array *part = out->as.list.items[i].as.array;
        ks_strided_copy(part->data, data + starts[i] * strides[axis] * (int64_t)item_size, item_size, part->shape.rank,
                        part->shape.dims, strides);
    }
done:
    return code;
}

KS_FORWARD(OpUnstack) {
    const ks_operation *params = object->params;
    size_t count = out->as.list.count, item_size, part_size, outer;
    const char *data;
    ks_operand x;
    int axis;
    ks_code code = KS_OK;
    if (!count)
        return KS_OK;
    KS_TRY(operand_in(&data, &x, run, call, object, 0, out->as.list.items[0].as.array->dtype));
    axis = ks_axis(params->axis.items[0], x.array->shape.rank);
    item_size = ks_dtype_size(x.array->dtype);
    outer = product_of(&x.array->shape, 0, axis);
    part_size = product_of(&x.array->shape, axis + 1, x.array->shape.rank) * item_size;
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < count && part_size; i++, data += part_size)
            memcpy((char *)out->as.list.items[i].as.array->data + o * part_size, data, part_size);
done:
    return code;
}

// --- indexing -------------------------------------------------------------------------------------------------------

KS_FORWARD(OpTake) {
    const ks_operation *params = object->params;
    ks_array *result = out->as.array;
    const char *data;
    const int64_t *rows;
    ks_operand x, indices;
    int axis;
    size_t outer, row_size, n, size;
    ks_code code;
    KS_TRY(operand_in(&data, &x, run, call, object, 0, result->dtype));
    KS_TRY(operand_in((const char **)&rows, &indices, run, call, object, 1, KS_INT64));
    axis = ks_axis(params->axis.items[0], x.array->shape.rank);
    outer = product_of(&x.array->shape, 0, axis);
    row_size = product_of(&x.array->shape, axis + 1, x.array->shape.rank) * ks_dtype_size(result->dtype);
    size = (size_t)x.array->shape.dims[axis];
    n = ks_array_elements(indices.array);
    for (size_t i = 0; i < n; i++) {
        size_t row;
        if (!ks_row_of(&row, object, rows[i], size))
            return ks_argument_error(call, object, "an index is outside the axis");
        for (size_t o = 0; o < outer; o++)
            memcpy((char *)result->data + (o * n + i) * row_size, data + (o * size + row) * row_size, row_size);
    }
done:
    return code;
}

KS_FORWARD(OpPad) {
    ks_array *result = out->as.array;
    size_t item_size = ks_dtype_size(result->dtype);
    int64_t widths[KS_MAX_RANK][2], offset[KS_MAX_RANK] = {0};
    const char *data, *value;
    ks_operand x, fill;
    ks_code code;
    KS_TRY(operand_in(&data, &x, run, call, object, 0, result->dtype));
    memset(result->data, 0, ks_array_elements(result) * item_size);
    if (call->arguments[1].type != KS_TREE_NONE) {
        KS_TRY(operand_in(&value, &fill, run, call, object, 1, result->dtype));
        for (size_t i = 0; i < ks_array_elements(result); i++)
            memcpy((char *)result->data + i * item_size, value, item_size);
    }
    if (!ks_pad_widths(widths, object, x.array->shape.rank))
        return ks_argument_error(call, object, "pad_width does not fit");
    for (int i = 0; i < x.array->shape.rank; i++)
        offset[i] = widths[i][0];
    ks_copy_box(result->data, &result->shape, data, &x.array->shape, offset, item_size);
done:
    return code;
}

KS_FORWARD(OpGetItem) {
    ks_array *result = out->as.array;
    ks_index indices[KS_MAX_RANK];
    int64_t own[KS_MAX_RANK], strides[KS_MAX_RANK], start = 0;
    size_t item_size = ks_dtype_size(result->dtype);
    const char *data;
    ks_operand x;
    int count, axis = 0, n = 0;
    ks_code code;
    KS_TRY(operand_in(&data, &x, run, call, object, 0, result->dtype));
    KS_TRY(ks_getitem_key(indices, &count, call, object, &x.array->shape));
    ks_strides(own, &x.array->shape);
    for (int i = 0; i < count; i++) {
        int64_t stride = indices[i].new_axis ? 0 : own[axis++];
        start += indices[i].start * stride;
        if (!indices[i].single)
            strides[n++] = stride * indices[i].step;
    }
    if (ks_array_elements(result))
        ks_strided_copy(result->data, data + start * (int64_t)item_size, item_size, n, result->shape.dims, strides);
done:
    return code;
}
