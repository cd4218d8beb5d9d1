// SPDX-License-Identifier: Apache-2.0
//
// Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot. Source of the rules: Keras 3
// layers/merging/*.py (the mask rules are those of 3.9 and later).
#include "schema/merging.h"

#include "schema/broadcast.h"
#include "schema/key_row.h"
#include "schema/promotion.h"

ks_array **ks_merge_inputs(size_t *count, ks_call *call, const ks_object *object) {
    const ks_tree *first = &call->arguments[0];
    ks_array **inputs;
    bool fits = first->type == KS_TREE_LIST && first->as.list.count > 0;
    for (size_t i = 0; fits && i < first->as.list.count; i++)
        fits = first->as.list.items[i].type == KS_TREE_ARRAY;
    if (!fits) {
        ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                "%s \"%s\": expected a list of tensors", object->row->name, object->name);
        return NULL;
    }
    *count = first->as.list.count;
    inputs = ks_arena_get(call->arena, *count, sizeof(*inputs));
    for (size_t i = 0; inputs && i < *count; i++)
        inputs[i] = first->as.list.items[i].as.array;
    return inputs;
}

// Keras announces the layer's own type, whatever the inputs are; what comes out is what the inputs promote to.
static ks_dtype result_dtype(const ks_call *call, ks_array *const *inputs, size_t count) {
    ks_dtype dtype = inputs[0]->dtype;
    if (call->symbolic)
        return KS_DTYPE_NONE;
    for (size_t i = 1; i < count; i++)
        dtype = ks_promote(dtype, inputs[i]->dtype);
    return ks_dtype_is_floating(dtype) ? KS_DTYPE_NONE : dtype;
}

static ks_code shapes_differ(ks_call *call, const ks_object *object, const ks_shape *a, const ks_shape *b) {
    char left[256], right[256];
    ks_shape_format(a, left, sizeof(left));
    ks_shape_format(b, right, sizeof(right));
    return ks_shape_error(call->context, object, "inputs of shapes %.100s and %.100s do not fit together", left, right);
}

// --- elementwise ----------------------------------------------------------------------------------------------------

static ks_code merge_batch(int64_t *out, ks_call *call, const ks_object *object, ks_array *const *inputs,
                           size_t count) {
    *out = KS_UNKNOWN_DIM;
    for (size_t i = 0; i < count; i++) {
        int64_t batch = inputs[i]->shape.rank > 0 ? inputs[i]->shape.dims[0] : KS_UNKNOWN_DIM;
        if (!ks_dims_agree(*out, batch))
            return shapes_differ(call, object, &inputs[0]->shape, &inputs[i]->shape);
        if (batch != KS_UNKNOWN_DIM)
            *out = batch;
    }
    return KS_OK;
}

static void drop_batch(ks_shape *shape) {
    if (shape->rank > 0)
        ks_shape_drop(shape, 0);
}

// Trailing axes aligned; what is unknown in one input is unknown in the result.
static bool merge_shapes(ks_shape *out, const ks_shape *a, const ks_shape *b) {
    ks_shape merged;
    if (!ks_shape_broadcast(&merged, a, b))
        return false;
    for (int i = 1; i <= a->rank && i <= b->rank; i++)
        if (a->dims[a->rank - i] == KS_UNKNOWN_DIM || b->dims[b->rank - i] == KS_UNKNOWN_DIM)
            merged.dims[merged.rank - i] = KS_UNKNOWN_DIM;
    *out = merged;
    return true;
}

static ks_code merge_infer(ks_tree *out, ks_call *call, ks_object *object) {
    size_t count;
    ks_array **inputs = ks_merge_inputs(&count, call, object);
    ks_shape shape, next;
    int64_t batch;
    ks_code code;
    if (!inputs)
        return call->context->error.code;
    KS_TRY(merge_batch(&batch, call, object, inputs, count));
    shape = inputs[0]->shape;
    drop_batch(&shape);
    for (size_t i = 1; i < count; i++) {
        next = inputs[i]->shape;
        drop_batch(&next);
        if (!merge_shapes(&shape, &shape, &next))
            return shapes_differ(call, object, &inputs[0]->shape, &inputs[i]->shape);
    }
    ks_shape_insert(&shape, 0, batch);
    return ks_result(out, call, result_dtype(call, inputs, count), &shape);
done:
    return code;
}

static ks_code subtract_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_tree *first = &call->arguments[0];
    if (!call->symbolic && first->type == KS_TREE_LIST && first->as.list.count != 2)
        return ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "%s \"%s\": expected two tensors, found %zu", object->row->name, object->name,
                       first->as.list.count);
    return merge_infer(out, call, object);
}

static ks_code average_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_code code = merge_infer(out, call, object);
    if (code == KS_OK)
        out->as.array->dtype = call->real; // a division: integers become floats
    return code;
}

// A Merge of branches in Keras 1 stands behind whole models, whose results have no masks.
static bool loses_masks(const ks_object *object) {
    const ks_value *old = object->original ? ks_value_get(object->original, "config") : NULL;
    return object->dialect == KS_DIALECT_KERAS1 && old && ks_value_get(old, "layers");
}

// In Keras 1 and 2 a mask as soon as one input has one: where all that there are keep. In Keras 3 only when every
// input has one: their union.
static ks_code merge_compute_mask(ks_array **masks, const ks_tree *result, ks_call *call, ks_object *object) {
    size_t count;
    ks_array **inputs = ks_merge_inputs(&count, call, object);
    ks_shape shape = {.rank = -1};
    (void)result;
    if (!inputs)
        return call->context->error.code;
    if (loses_masks(object))
        return KS_OK;
    for (size_t i = 0; i < count; i++) {
        const ks_array *mask = inputs[i]->mask;
        if (!mask && !ks_is_old(object))
            return KS_OK;
        if (!mask)
            continue;
        if (shape.rank < 0)
            shape = mask->shape;
        else if (!ks_shape_broadcast(&shape, &shape, &mask->shape))
            return shapes_differ(call, object, &shape, &mask->shape);
    }
    if (shape.rank < 0)
        return KS_OK;
    masks[0] = ks_array_new(call->arena, KS_BOOL8, &shape);
    return masks[0] ? KS_OK : call->context->error.code;
}

#define KS_MERGE_CLASS(class_name, infer_function, integer_rule)                                                       \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        .integers = integer_rule,                                                                                      \
        .mask = KS_MASK_CUSTOM,                                                                                        \
        .infer = infer_function,                                                                                       \
        .compute_mask = merge_compute_mask,                                                                            \
    }

KS_MERGE_CLASS(Add, merge_infer, KS_INTEGERS_TAKEN);
KS_MERGE_CLASS(Subtract, subtract_infer, KS_INTEGERS_TAKEN);
KS_MERGE_CLASS(Multiply, merge_infer, KS_INTEGERS_TAKEN);
KS_MERGE_CLASS(Average, average_infer, KS_INTEGERS_REFUSED);
KS_MERGE_CLASS(Maximum, merge_infer, KS_INTEGERS_TAKEN);
KS_MERGE_CLASS(Minimum, merge_infer, KS_INTEGERS_TAKEN);

// --- Concatenate ----------------------------------------------------------------------------------------------------

static const ks_key concatenate_keys[] = {
    KS_ROW(ks_concatenate, axis, INT, KS_NUMERIC, "-1"),
};

static ks_code concatenate_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_concatenate *params = object->params;
    size_t count;
    ks_array **inputs = ks_merge_inputs(&count, call, object);
    ks_shape shape;
    int axis;
    if (!inputs)
        return call->context->error.code;
    shape = inputs[0]->shape;
    axis = ks_axis(params->axis, shape.rank);
    if (axis < 0)
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "axis",
                            "axis %lld is outside an input of rank %d", (long long)params->axis, shape.rank);
    for (size_t i = 1; i < count; i++) {
        const ks_shape *next = &inputs[i]->shape;
        bool fits = next->rank == shape.rank;
        for (int k = 0; fits && k < shape.rank; k++)
            fits = k == axis || ks_dims_agree(inputs[0]->shape.dims[k], next->dims[k]);
        if (!fits)
            return shapes_differ(call, object, &inputs[0]->shape, next);
        if (shape.dims[axis] == KS_UNKNOWN_DIM || next->dims[axis] == KS_UNKNOWN_DIM)
            shape.dims[axis] = KS_UNKNOWN_DIM;
        else
            shape.dims[axis] += next->dims[axis];
    }
    return ks_result(out, call, result_dtype(call, inputs, count), &shape);
}

// A mask as soon as one input has one. The masks are brought to the inputs' rank, joined along the axis, and a place is
// kept when anything in its last axis is (Keras 1 and 2: everything).
static ks_code concatenate_compute_mask(ks_array **masks, const ks_tree *result, ks_call *call, ks_object *object) {
    const ks_concatenate *params = object->params;
    size_t count, n_masks = 0;
    ks_array **inputs = ks_merge_inputs(&count, call, object);
    ks_shape shape;
    int axis;
    if (!inputs)
        return call->context->error.code;
    for (size_t i = 0; i < count; i++)
        n_masks += inputs[i]->mask != NULL && !loses_masks(object);
    if (n_masks == 0)
        return KS_OK;
    shape = result->as.array->shape;
    axis = ks_axis(params->axis, shape.rank);
    for (size_t i = 0; i < count; i++) {
        ks_shape own = inputs[i]->mask ? inputs[i]->mask->shape : inputs[i]->shape;
        ks_shape full;
        if (own.rank < shape.rank)
            ks_shape_insert(&own, own.rank, 1);
        if (!ks_shape_broadcast(&full, &own, &inputs[i]->shape) || full.rank != shape.rank || axis < 0)
            return shapes_differ(call, object, &own, &inputs[i]->shape);
    }
    ks_shape_drop(&shape, shape.rank - 1);
    masks[0] = ks_array_new(call->arena, KS_BOOL8, &shape);
    return masks[0] ? KS_OK : call->context->error.code;
}

const ks_class ks_class_Concatenate = {
    .name = "Concatenate",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(concatenate_keys),
    .params_size = sizeof(ks_concatenate),
    .mask = KS_MASK_CUSTOM,
    .infer = concatenate_infer,
    .compute_mask = concatenate_compute_mask,
};

// --- Dot ------------------------------------------------------------------------------------------------------------

static const ks_key dot_keys[] = {
    KS_ROW(ks_dot, axes, INTS, KS_REQUIRED | KS_NUMERIC, NULL),
    KS_ROW(ks_dot, normalize, BOOL, KS_NUMERIC, "false"),
};

static ks_code dot_check(ks_context *context, ks_object *object) {
    const ks_dot *params = object->params;
    if (params->axes.scalar || params->axes.count == 2)
        return KS_OK;
    return ks_key_error(context, KS_E_CONFIG_VALUE, object, "axes", "expected an integer or two, found %d",
                        (int)params->axes.count);
}

ks_code ks_dot_axes(int axes[2], ks_call *call, const ks_object *object, ks_array *const *inputs) {
    const ks_dot *params = object->params;
    for (int i = 0; i < 2; i++) {
        int64_t axis = params->axes.items[params->axes.scalar ? 0 : i];
        axes[i] = ks_axis(axis, inputs[i]->shape.rank);
        if (axes[i] < 0)
            return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "axes",
                                "axis %lld is outside an input of rank %d", (long long)axis, inputs[i]->shape.rank);
    }
    return KS_OK;
}

static ks_code dot_infer(ks_tree *out, ks_call *call, ks_object *object) {
    size_t count;
    ks_array **inputs = ks_merge_inputs(&count, call, object);
    ks_shape shape, second;
    int axes[2];
    ks_code code;
    if (!inputs)
        return call->context->error.code;
    if (count != 2)
        return ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "%s \"%s\": expected two tensors, found %zu", object->row->name, object->name, count);
    KS_TRY(ks_dot_axes(axes, call, object, inputs));
    shape = inputs[0]->shape;
    second = inputs[1]->shape;
    if (!ks_dims_agree(shape.dims[axes[0]], second.dims[axes[1]]) ||
        (!call->symbolic && (axes[0] == 0 || axes[1] == 0 || shape.dims[0] != second.dims[0])))
        return shapes_differ(call, object, &shape, &second);
    ks_shape_drop(&shape, axes[0]);
    ks_shape_drop(&second, axes[1]);
    for (int i = 1; i < second.rank; i++)
        ks_shape_insert(&shape, shape.rank, second.dims[i]);
    if (shape.rank == 1)
        ks_shape_insert(&shape, 1, 1);
    return ks_result(out, call, KS_DTYPE_NONE, &shape);
done:
    return code;
}

const ks_class ks_class_Dot = {
    .name = "Dot",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED,
    KS_KEYS(dot_keys),
    .params_size = sizeof(ks_dot),
    .mask = KS_MASK_NONE, // compute_mask gives None
    .check = dot_check,
    .infer = dot_infer,
};
