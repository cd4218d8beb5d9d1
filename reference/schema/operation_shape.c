// SPDX-License-Identifier: Apache-2.0
//
// Operations that move elements: reshape, transpose, join, split, index. Source of the rules: Keras 3 ops/numpy.py.
#include <string.h>

#include "schema/broadcast.h"
#include "schema/key_row.h"
#include "schema/operation.h"

static const char *const one_operand[] = {"x", NULL};
static const char *const operand_list[] = {"xs", NULL};

#define KS_NAMED_ROW(key, key_type, field, key_flags, text)                                                            \
    {KS_NAMED(key), .type = KS_KEY_##key_type, .flags = key_flags, .offset = KS_FIELD(ks_operation, field),            \
     .otherwise = text}
#define KS_MOVE_CLASS(symbol, key_table, argument_list, infer_function)                                                \
    const ks_class ks_class_Op##symbol = {                                                                             \
        .name = #symbol,                                                                                               \
        .module = "keras.src.ops.numpy",                                                                               \
        .kind = KS_KIND_OPERATION,                                                                                     \
        KS_KEYS(key_table),                                                                                            \
        .params_size = sizeof(ks_operation),                                                                           \
        .arguments = argument_list,                                                                                    \
        .infer = infer_function,                                                                                       \
    };

static ks_code axis_error(ks_call *call, const ks_object *object, int rank) {
    return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "axis", "an axis is outside a tensor of rank %d",
                        rank);
}

static ks_code result_like(ks_tree *out, ks_call *call, const ks_operand *x, const ks_shape *shape) {
    return ks_result(out, call, ks_operand_dtype(call, x, 1), shape);
}

// The config's one axis, in a tensor of this rank; -1: none such.
static int only_axis(const ks_operation *params, int rank) {
    return params->axis.count == 1 ? ks_axis(params->axis.items[0], rank) : -1;
}

// --- Reshape, Ravel -------------------------------------------------------------------------------------------------

static const ks_key reshape_keys[] = {KS_NAMED_ROW("newshape", INTS, axis, KS_REQUIRED | KS_NUMERIC, NULL)};

static ks_code reshape_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_operand x;
    ks_shape shape = {.rank = params->axis.count};
    uint64_t size, known = 1;
    int unknown = -1;
    bool has_size;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    has_size = ks_shape_elements(&x.array->shape, &size);
    for (int i = 0; i < shape.rank; i++) {
        shape.dims[i] = params->axis.items[i];
        if (shape.dims[i] < -1 || (shape.dims[i] == -1 && unknown >= 0))
            return ks_key_error(call->context, KS_E_CONFIG_VALUE, object, "newshape",
                                "expected sizes, one of them -1 at most");
        if (shape.dims[i] == -1)
            unknown = i;
        else if (__builtin_mul_overflow(known, (uint64_t)shape.dims[i], &known))
            return ks_key_error(call->context, KS_E_OVER_SIZE, object, "newshape", "the sizes are too large");
    }
    if (has_size && ((unknown < 0 && known != size) || (unknown >= 0 && (known == 0 || size % known))))
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "newshape",
                            "%llu elements do not fit the new shape", (unsigned long long)size);
    if (has_size && unknown >= 0)
        shape.dims[unknown] = (int64_t)(size / known);
    code = result_like(out, call, &x, &shape);
done:
    return code;
}

KS_MOVE_CLASS(Reshape, reshape_keys, one_operand, reshape_infer)

static ks_code ravel_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_operand x;
    ks_shape shape = {.rank = 1, .dims = {KS_UNKNOWN_DIM}};
    uint64_t size;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    if (ks_shape_elements(&x.array->shape, &size))
        shape.dims[0] = (int64_t)size;
    code = result_like(out, call, &x, &shape);
done:
    return code;
}

const ks_class ks_class_OpRavel = {
    .name = "Ravel",
    .module = "keras.src.ops.numpy",
    .kind = KS_KIND_OPERATION,
    .arguments = one_operand,
    .infer = ravel_infer,
};

// --- orders of axes -------------------------------------------------------------------------------------------------

static const ks_key transpose_keys[] = {KS_NAMED_ROW("axes", INTS, axis, KS_NULLABLE | KS_NUMERIC, "null")};

static ks_code permuted(ks_tree *out, ks_call *call, const ks_object *object, const ks_operand *x, const int *axes) {
    ks_shape shape = x->array->shape;
    bool seen[KS_MAX_RANK] = {false};
    for (int i = 0; i < shape.rank; i++) {
        if (axes[i] < 0 || seen[axes[i]])
            return axis_error(call, object, shape.rank);
        seen[axes[i]] = true;
        shape.dims[i] = x->array->shape.dims[axes[i]];
    }
    return result_like(out, call, x, &shape);
}

void ks_operation_order(int *axes, const ks_object *object, int rank) {
    const ks_operation *params = object->params;
    if (strcmp(object->row->name, "Transpose") == 0) {
        bool reverse = params->axis.count == 0;
        for (int i = 0; i < rank; i++)
            axes[i] = reverse ? rank - 1 - i : i < params->axis.count ? ks_axis(params->axis.items[i], rank) : -1;
        if (!reverse && params->axis.count != rank && rank)
            axes[0] = -1;
        return;
    }
    for (int i = 0; i < rank; i++)
        axes[i] = i;
    if (strcmp(object->row->name, "Swapaxes") == 0 && rank) {
        int a = ks_axis(params->axis.items[0], rank), b = ks_axis(params->axis2.items[0], rank);
        if (a < 0 || b < 0) {
            axes[0] = -1;
            return;
        }
        axes[a] = b;
        axes[b] = a;
    } else if (rank) { // Moveaxis: what is not moved keeps its order
        bool moved[KS_MAX_RANK] = {false}, filled[KS_MAX_RANK] = {false};
        int next = 0;
        bool fits = params->axis.count == params->axis2.count && params->axis.count <= rank;
        for (int i = 0; fits && i < params->axis.count; i++) {
            int from = ks_axis(params->axis.items[i], rank), to = ks_axis(params->axis2.items[i], rank);
            fits = from >= 0 && to >= 0 && !moved[from] && !filled[to];
            if (!fits)
                break;
            moved[from] = filled[to] = true;
            axes[to] = from;
        }
        for (int i = 0; fits && i < rank; i++) {
            if (filled[i])
                continue;
            while (moved[next])
                next++;
            axes[i] = next++;
        }
        if (!fits)
            axes[0] = -1;
    }
}

static ks_code order_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_operand x;
    int axes[KS_MAX_RANK];
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    ks_operation_order(axes, object, x.array->shape.rank);
    code = permuted(out, call, object, &x, axes);
done:
    return code;
}

KS_MOVE_CLASS(Transpose, transpose_keys, one_operand, order_infer)

static const ks_key swapaxes_keys[] = {
    {KS_NAMED("axis1"), .type = KS_KEY_INTS, .flags = KS_REQUIRED | KS_NUMERIC | KS_SCALAR,
     .offset = KS_FIELD(ks_operation, axis), .length = 1},
    {KS_NAMED("axis2"), .type = KS_KEY_INTS, .flags = KS_REQUIRED | KS_NUMERIC | KS_SCALAR,
     .offset = KS_FIELD(ks_operation, axis2), .length = 1},
};
KS_MOVE_CLASS(Swapaxes, swapaxes_keys, one_operand, order_infer)

static const ks_key moveaxis_keys[] = {
    KS_NAMED_ROW("source", INTS, axis, KS_REQUIRED | KS_NUMERIC, NULL),
    KS_NAMED_ROW("destination", INTS, axis2, KS_REQUIRED | KS_NUMERIC, NULL),
};
KS_MOVE_CLASS(Moveaxis, moveaxis_keys, one_operand, order_infer)

// --- Squeeze, ExpandDims, BroadcastTo, Flip -------------------------------------------------------------------------

static const ks_key any_axis_keys[] = {KS_NAMED_ROW("axis", INTS, axis, KS_NULLABLE | KS_NUMERIC, "null")};

static ks_code squeeze_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    int axes[KS_MAX_RANK], count;
    ks_operand x;
    ks_shape shape;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    shape = x.array->shape;
    if (!ks_operation_axes(axes, &count, &params->axis, shape.rank))
        return axis_error(call, object, shape.rank);
    for (int i = count; i-- > 0;) {
        if (shape.dims[axes[i]] == 1)
            ks_shape_drop(&shape, axes[i]);
        else if (params->axis.count)
            return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "axis",
                                "axis %d cannot be removed: its size is not 1", axes[i]);
    }
    code = result_like(out, call, &x, &shape);
done:
    return code;
}

KS_MOVE_CLASS(Squeeze, any_axis_keys, one_operand, squeeze_infer)

static ks_code expand_dims_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_operand x;
    ks_shape shape;
    int rank;
    bool added[KS_MAX_RANK] = {false};
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    shape = x.array->shape;
    rank = shape.rank + params->axis.count;
    if (rank > KS_MAX_RANK || params->axis.count == 0)
        return axis_error(call, object, rank);
    for (int i = 0; i < params->axis.count; i++) {
        int axis = ks_axis(params->axis.items[i], rank);
        if (axis < 0 || added[axis])
            return axis_error(call, object, rank);
        added[axis] = true;
    }
    for (int i = 0; i < rank; i++)
        if (added[i])
            ks_shape_insert(&shape, i, 1);
    code = result_like(out, call, &x, &shape);
done:
    return code;
}

KS_MOVE_CLASS(ExpandDims, any_axis_keys, one_operand, expand_dims_infer)

static const ks_key broadcast_to_keys[] = {KS_NAMED_ROW("shape", INTS, axis, KS_REQUIRED | KS_NUMERIC, NULL)};

static ks_code broadcast_to_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_operand x;
    ks_shape shape = {.rank = params->axis.count}, full;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    for (int i = 0; i < shape.rank; i++) {
        shape.dims[i] = params->axis.items[i];
        if (shape.dims[i] < 0)
            return ks_key_error(call->context, KS_E_CONFIG_VALUE, object, "shape", "expected sizes");
    }
    if (!ks_shape_broadcast(&full, &x.array->shape, &shape) || !ks_shape_equal(&full, &shape))
        return ks_shape_error(call->context, object, "the tensor cannot be broadcast to this shape");
    code = result_like(out, call, &x, &shape);
done:
    return code;
}

KS_MOVE_CLASS(BroadcastTo, broadcast_to_keys, one_operand, broadcast_to_infer)

static ks_code flip_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    int axes[KS_MAX_RANK], count;
    ks_operand x;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    if (!ks_operation_axes(axes, &count, &params->axis, x.array->shape.rank))
        return axis_error(call, object, x.array->shape.rank);
    code = result_like(out, call, &x, &x.array->shape);
done:
    return code;
}

KS_MOVE_CLASS(Flip, any_axis_keys, one_operand, flip_infer)

// --- Repeat, Tile ---------------------------------------------------------------------------------------------------

#define REPEATS_ROW                                                                                                    \
    {KS_NAMED("repeats"),                                                                                              \
     .type = KS_KEY_INTS,                                                                                              \
     .flags = KS_REQUIRED | KS_NUMERIC,                                                                                \
     .offset = KS_FIELD(ks_operation, axis2),                                                                          \
     .minimum = 0,                                                                                                     \
     .maximum = INT32_MAX}

static const ks_key repeat_keys[] = {
    REPEATS_ROW,
    KS_NAMED_ROW("axis", INTS, axis, KS_NULLABLE | KS_NUMERIC, "null"),
};

static ks_code repeat_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_operand x;
    ks_shape shape;
    int axis;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    shape = x.array->shape;
    axis = only_axis(params, shape.rank);
    if (params->axis2.count != 1 || params->axis.count != 1)
        return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "repeats",
                            "only one number of repeats along one axis can be run by this reference");
    if (axis < 0)
        return axis_error(call, object, shape.rank);
    if (shape.dims[axis] != KS_UNKNOWN_DIM &&
        __builtin_mul_overflow(shape.dims[axis], params->axis2.items[0], &shape.dims[axis]))
        return ks_key_error(call->context, KS_E_OVER_SIZE, object, "repeats", "the result is too large");
    code = result_like(out, call, &x, &shape);
done:
    return code;
}

KS_MOVE_CLASS(Repeat, repeat_keys, one_operand, repeat_infer)

static const ks_key tile_keys[] = {REPEATS_ROW};

static ks_code tile_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_operand x;
    ks_shape shape;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    shape = x.array->shape;
    while (shape.rank < params->axis2.count)
        ks_shape_insert(&shape, 0, 1);
    for (int i = 0; i < params->axis2.count; i++) {
        int64_t *dim = &shape.dims[shape.rank - params->axis2.count + i];
        if (*dim != KS_UNKNOWN_DIM && __builtin_mul_overflow(*dim, params->axis2.items[i], dim))
            return ks_key_error(call->context, KS_E_OVER_SIZE, object, "repeats", "the result is too large");
    }
    code = result_like(out, call, &x, &shape);
done:
    return code;
}

KS_MOVE_CLASS(Tile, tile_keys, one_operand, tile_infer)

// --- Concatenate, Stack ---------------------------------------------------------------------------------------------

static const ks_key join_keys[] = {KS_NAMED_ROW("axis", INTS, axis, KS_NULLABLE | KS_NUMERIC, "0")};

static ks_code join_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    bool stack = strcmp(object->row->name, "Stack") == 0;
    size_t count;
    ks_operand *operands = ks_operand_list(&count, call, object, 0);
    ks_shape shape;
    int axis;
    if (!operands)
        return call->context->error.code;
    shape = operands[0].array->shape;
    axis = only_axis(params, shape.rank + stack);
    if (axis < 0 || shape.rank >= KS_MAX_RANK)
        return axis_error(call, object, shape.rank);
    for (size_t i = 1; i < count; i++) {
        const ks_shape *next = &operands[i].array->shape;
        bool fits = next->rank == shape.rank;
        for (int k = 0; fits && k < shape.rank; k++)
            fits = (k == axis && !stack) || ks_dims_agree(operands[0].array->shape.dims[k], next->dims[k]);
        if (!fits)
            return ks_shape_error(call->context, object, "the tensors' shapes do not fit together");
        if (!stack)
            shape.dims[axis] = shape.dims[axis] == KS_UNKNOWN_DIM || next->dims[axis] == KS_UNKNOWN_DIM
                                   ? KS_UNKNOWN_DIM
                                   : shape.dims[axis] + next->dims[axis];
    }
    if (stack)
        ks_shape_insert(&shape, axis, (int64_t)count);
    return ks_result(out, call, ks_operand_dtype(call, operands, count), &shape);
}

KS_MOVE_CLASS(Concatenate, join_keys, operand_list, join_infer)

static const char *const stack_operands[] = {"x", NULL};
KS_MOVE_CLASS(Stack, join_keys, stack_operands, join_infer)

// --- Split ----------------------------------------------------------------------------------------------------------

static const ks_key split_keys[] = {
    KS_NAMED_ROW("indices_or_sections", INTS, axis2, KS_REQUIRED | KS_NUMERIC, NULL),
    KS_NAMED_ROW("axis", INTS, axis, KS_NUMERIC, "0"),
};

ks_code ks_split_parts(int64_t *starts, size_t room, size_t *count, ks_call *call, const ks_object *object,
                       const ks_shape *shape, int axis) {
    const ks_operation *params = object->params;
    const ks_ints *given = &params->axis2;
    int64_t size = shape->dims[axis], sections = given->items[0];
    if (!given->scalar) {
        *count = (size_t)given->count + 1;
        starts[0] = 0;
        for (int i = 0; i < given->count; i++)
            starts[i + 1] = given->items[i] < 0 && size >= 0 ? given->items[i] + size : given->items[i];
        starts[*count] = size;
        for (size_t i = 0; size >= 0 && i < *count; i++)
            if (starts[i] < 0 || starts[i] > starts[i + 1])
                return ks_shape_error(call->context, object, "the parts do not lie in order inside the axis");
        return KS_OK;
    }
    if (sections < 1 || (size_t)sections >= room || (size != KS_UNKNOWN_DIM && size % sections))
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "indices_or_sections",
                            "a size of %lld cannot be split in %lld parts", (long long)size, (long long)sections);
    *count = (size_t)sections;
    for (int64_t i = 0; i <= sections; i++)
        starts[i] = size == KS_UNKNOWN_DIM ? KS_UNKNOWN_DIM : i * (size / sections);
    return KS_OK;
}

static ks_code split_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_operand x;
    int64_t starts[256];
    size_t count;
    int axis;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    axis = only_axis(params, x.array->shape.rank);
    if (axis < 0)
        return axis_error(call, object, x.array->shape.rank);
    KS_TRY(ks_split_parts(starts, 256, &count, call, object, &x.array->shape, axis));
    *out = ks_tree_list(call->arena, count);
    if (!out->as.list.items)
        return call->context->error.code;
    for (size_t i = 0; i < count; i++) {
        ks_shape shape = x.array->shape;
        shape.dims[axis] = shape.dims[axis] == KS_UNKNOWN_DIM ? KS_UNKNOWN_DIM : starts[i + 1] - starts[i];
        KS_TRY(result_like(&out->as.list.items[i], call, &x, &shape));
    }
done:
    return code;
}

KS_MOVE_CLASS(Split, split_keys, one_operand, split_infer)

// --- Unstack --------------------------------------------------------------------------------------------------------

static const ks_key unstack_keys[] = {
    KS_NAMED_ROW("num", INTS, axis2, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_NAMED_ROW("axis", INTS, axis, KS_NUMERIC, "0"),
};

#define MAX_PARTS 256

static ks_code unstack_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_operand x;
    ks_shape shape;
    int64_t count;
    int axis;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    shape = x.array->shape;
    axis = only_axis(params, shape.rank);
    if (axis < 0)
        return axis_error(call, object, shape.rank);
    if (params->axis2.count > 1)
        return ks_key_error(call->context, KS_E_CONFIG_TYPE, object, "num", "expected one number");
    count = params->axis2.count ? params->axis2.items[0] : shape.dims[axis];
    if (count < 0 || !ks_dims_agree(count, shape.dims[axis]))
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "num",
                            "expected the size of the axis, which must be known");
    if (count > MAX_PARTS)
        return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "num",
                            "at most %d parts can be made by this reference", MAX_PARTS);
    ks_shape_drop(&shape, axis);
    *out = ks_tree_list(call->arena, (size_t)count);
    if (!out->as.list.items)
        return call->context->error.code;
    for (int64_t i = 0; i < count; i++)
        KS_TRY(result_like(&out->as.list.items[i], call, &x, &shape));
done:
    return code;
}

const ks_class ks_class_OpUnstack = {
    .name = "Unstack",
    .module = "keras.src.ops.core",
    .kind = KS_KIND_OPERATION,
    KS_KEYS(unstack_keys),
    .params_size = sizeof(ks_operation),
    .arguments = one_operand,
    .infer = unstack_infer,
};

// --- Take, Pad ------------------------------------------------------------------------------------------------------

static const char *const take_arguments[] = {"x", "indices", NULL};

static ks_code take_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_operand x, indices;
    ks_shape shape;
    int axis;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    KS_TRY(ks_operand_at(&indices, call, object, 1));
    shape = x.array->shape;
    if (params->axis.count != 1)
        return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "axis",
                            "taking from all axes at once cannot be run by this reference");
    axis = only_axis(params, shape.rank);
    if (axis < 0 || shape.rank + indices.array->shape.rank > KS_MAX_RANK)
        return axis_error(call, object, shape.rank);
    ks_shape_drop(&shape, axis);
    for (int i = 0; i < indices.array->shape.rank; i++)
        ks_shape_insert(&shape, axis + i, indices.array->shape.dims[i]);
    code = result_like(out, call, &x, &shape);
done:
    return code;
}

KS_MOVE_CLASS(Take, any_axis_keys, take_arguments, take_infer)

static const ks_key pad_keys[] = {
    KS_NAMED_ROW("pad_width", ANY, ignored, KS_REQUIRED | KS_NUMERIC, NULL),
    KS_NAMED_ROW("mode", TEXT, text, KS_NUMERIC, "\"constant\""),
};
static const char *const pad_arguments[] = {"x", "constant_values", NULL};

static bool pad_pair(int64_t *pair, const ks_value *value) {
    if (value->type != KS_VALUE_LIST || value->as.list.count < 1 || value->as.list.count > 2)
        return false;
    for (size_t i = 0; i < 2; i++) {
        const ks_value *item = &value->as.list.items[value->as.list.count == 2 ? i : 0];
        if (item->type != KS_VALUE_INT || !item->fits || item->as.integer < 0 || item->as.integer > INT32_MAX)
            return false;
        pair[i] = item->as.integer;
    }
    return true;
}

bool ks_pad_widths(int64_t (*widths)[2], const ks_object *object, int rank) {
    const ks_operation *params = object->params;
    const ks_value *value = params->ignored;
    bool nested = value->type == KS_VALUE_LIST && value->as.list.count && value->as.list.items[0].type == KS_VALUE_LIST;
    if (nested && value->as.list.count != 1 && value->as.list.count != (size_t)rank)
        return false;
    for (int i = 0; i < rank; i++) {
        const ks_value *item = !nested ? value : &value->as.list.items[value->as.list.count == 1 ? 0 : i];
        if (value->type == KS_VALUE_INT && value->fits && value->as.integer >= 0 && value->as.integer <= INT32_MAX)
            widths[i][0] = widths[i][1] = value->as.integer;
        else if (!pad_pair(widths[i], item))
            return false;
    }
    return true;
}

static ks_code pad_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_operation *params = object->params;
    ks_operand x;
    ks_shape shape;
    int64_t widths[KS_MAX_RANK][2];
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    shape = x.array->shape;
    if (!ks_text_is(params->text, "constant"))
        return ks_key_error(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "mode",
                            "only constant padding can be run by this reference");
    if (!ks_pad_widths(widths, object, shape.rank))
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "pad_width",
                            "expected a pair for each of %d axes", shape.rank);
    for (int i = 0; i < shape.rank; i++)
        if (shape.dims[i] != KS_UNKNOWN_DIM)
            shape.dims[i] += widths[i][0] + widths[i][1];
    code = result_like(out, call, &x, &shape);
done:
    return code;
}

KS_MOVE_CLASS(Pad, pad_keys, pad_arguments, pad_infer)

// --- GetItem --------------------------------------------------------------------------------------------------------

// A bound of a slice as Python's slice.indices() settles it.
static bool slice_bound(int64_t *out, const ks_value *bound, int64_t length, int64_t step, bool is_start) {
    int64_t low = step < 0 ? -1 : 0, high = step < 0 ? length - 1 : length, value;
    if (!bound || bound->type == KS_VALUE_NULL) {
        *out = is_start == (step > 0) ? low : high;
        return true;
    }
    if (bound->type != KS_VALUE_INT || !bound->fits)
        return false;
    value = bound->as.integer;
    if (value < 0)
        value += length;
    *out = value < low ? low : value > high ? high : value;
    return true;
}

static bool slice_index(ks_index *out, const ks_value *config, int64_t length) {
    const ks_value *step = ks_value_get(config, "step");
    int64_t stop;
    out->step = 1;
    if (step && step->type == KS_VALUE_INT && step->fits && step->as.integer != 0 && step->as.integer > -INT32_MAX &&
        step->as.integer < INT32_MAX)
        out->step = step->as.integer;
    else if (step && step->type != KS_VALUE_NULL)
        return false;
    if (length == KS_UNKNOWN_DIM) {
        out->count = KS_UNKNOWN_DIM;
        return true;
    }
    if (!slice_bound(&out->start, ks_value_get(config, "start"), length, out->step, true) ||
        !slice_bound(&stop, ks_value_get(config, "stop"), length, out->step, false))
        return false;
    out->count = out->step > 0 ? (stop - out->start + out->step - 1) / out->step
                               : (out->start - stop - out->step - 1) / -out->step;
    if (out->count < 0)
        out->count = 0;
    return true;
}

static bool is_record(const ks_value *value, const char *name) {
    const ks_value *class_name = ks_value_get(value, "class_name");
    return class_name && ks_value_is_text(class_name, name);
}

typedef struct key_reader {
    ks_index *indices;
    int count;
    int axis; ///< of x, next to be indexed
    const ks_shape *shape;
} key_reader;

static void whole_axes(key_reader *r, int n) {
    for (; n > 0; n--, r->axis++)
        r->indices[r->count++] = (ks_index){.step = 1, .count = r->shape->dims[r->axis]};
}

static bool read_index(key_reader *r, const ks_value *key, int consumed_after) {
    ks_index *out = &r->indices[r->count];
    int64_t length;
    if (r->count >= KS_MAX_RANK)
        return false;
    memset(out, 0, sizeof(*out));
    if (key->type == KS_VALUE_NULL) {
        *out = (ks_index){.new_axis = true, .step = 1, .count = 1};
        r->count++;
        return true;
    }
    if (is_record(key, "__ellipsis__")) {
        whole_axes(r, r->shape->rank - r->axis - consumed_after);
        return true;
    }
    if (r->axis >= r->shape->rank)
        return false;
    length = r->shape->dims[r->axis];
    if (key->type == KS_VALUE_INT && key->fits) {
        out->single = true;
        out->step = out->count = 1;
        out->start = key->as.integer < 0 && length != KS_UNKNOWN_DIM ? key->as.integer + length : key->as.integer;
        if (length != KS_UNKNOWN_DIM && (out->start < 0 || out->start >= length))
            return false;
    } else if (!is_record(key, "__slice__") || !ks_value_get(key, "config") ||
               !slice_index(out, ks_value_get(key, "config"), length)) {
        return false;
    }
    r->axis++;
    r->count++;
    return true;
}

static int consuming(const ks_value *keys, size_t first, size_t count) {
    int n = 0;
    for (size_t i = first; i < count; i++)
        n += keys[i].type != KS_VALUE_NULL && !is_record(&keys[i], "__ellipsis__");
    return n;
}

ks_code ks_getitem_key(ks_index *indices, int *count, ks_call *call, const ks_object *object, const ks_shape *shape) {
    static const ks_value null = {.type = KS_VALUE_NULL};
    const ks_tree *argument = &call->arguments[1];
    const ks_value *key = argument->type == KS_TREE_NONE ? &null : argument->as.value;
    key_reader r = {.indices = indices, .shape = shape};
    bool fits = argument->type == KS_TREE_NONE || argument->type == KS_TREE_VALUE;
    const ks_value *keys;
    size_t n_keys;
    int ellipses = 0;
    if (!fits)
        return ks_argument_error(call, object, "a key with tensors cannot be run by this reference");
    keys = key->type == KS_VALUE_LIST ? key->as.list.items : key;
    n_keys = key->type == KS_VALUE_LIST ? key->as.list.count : 1;
    for (size_t i = 0; i < n_keys && fits; i++) {
        ellipses += is_record(&keys[i], "__ellipsis__");
        fits = ellipses < 2 && read_index(&r, &keys[i], consuming(keys, i + 1, n_keys));
    }
    if (!fits || r.count + shape->rank - r.axis > KS_MAX_RANK)
        return ks_argument_error(call, object, "expected indices and slices within the tensor's shape");
    whole_axes(&r, shape->rank - r.axis);
    *count = r.count;
    return KS_OK;
}

static ks_code getitem_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_index indices[KS_MAX_RANK];
    ks_operand x;
    ks_shape shape = {.rank = 0};
    int count;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    KS_TRY(ks_getitem_key(indices, &count, call, object, &x.array->shape));
    for (int i = 0; i < count; i++)
        if (!indices[i].single)
            shape.dims[shape.rank++] = indices[i].count;
    code = result_like(out, call, &x, &shape);
done:
    return code;
}

static const char *const getitem_arguments[] = {"x", "key", NULL};

const ks_class ks_class_OpGetItem = {
    .name = "GetItem",
    .module = "keras.src.ops.numpy",
    .kind = KS_KIND_OPERATION,
    .arguments = getitem_arguments,
    .infer = getitem_infer,
};
