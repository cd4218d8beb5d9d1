// SPDX-License-Identifier: Apache-2.0
//
// Arguments of operations. Python numbers stay weak: they take the type of the tensor they meet (Keras 3
// backend/common/dtypes.py).
#include "schema/operation.h"

#include <math.h>

#include "base/cast.h"
#include "schema/broadcast.h"
#include "schema/promotion.h"

#define MAX_LIST_DEPTH 8

ks_code ks_argument_error(ks_call *call, const ks_object *object, const char *text) {
    return ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place, "%s \"%s\": %s",
                   object->row->name, object->name, text);
}

static bool is_number(const ks_value *value) {
    return value->type == KS_VALUE_BOOL || value->type == KS_VALUE_INT || value->type == KS_VALUE_FLOAT;
}

// Nested lists as doubles: shape first, then the numbers; also the highest kind of number met.
typedef struct list_reader {
    ks_shape shape;
    double *items;
    size_t count, room;
    ks_value_type kind;
} list_reader;

static bool list_shape(list_reader *r, const ks_value *value) {
    uint64_t elements;
    r->shape.rank = 0;
    while (value->type == KS_VALUE_LIST) {
        if (r->shape.rank == MAX_LIST_DEPTH)
            return false;
        r->shape.dims[r->shape.rank++] = (int64_t)value->as.list.count;
        if (value->as.list.count == 0)
            break;
        value = &value->as.list.items[0];
    }
    r->kind = KS_VALUE_BOOL;
    if (!ks_shape_elements(&r->shape, &elements) || elements > SIZE_MAX / sizeof(double))
        return false;
    r->room = (size_t)elements;
    return true;
}

static bool list_fill(list_reader *r, const ks_value *value, int axis) {
    double number;
    if (axis == r->shape.rank) {
        if (!is_number(value))
            return false;
        if (value->type > r->kind)
            r->kind = value->type;
        number = value->type == KS_VALUE_BOOL ? value->as.boolean : 0;
        if (value->type != KS_VALUE_BOOL && !ks_value_number(value, &number))
            return false;
        r->items[r->count++] = number;
        return true;
    }
    if (value->type != KS_VALUE_LIST || (int64_t)value->as.list.count != r->shape.dims[axis])
        return false;
    for (size_t i = 0; i < value->as.list.count; i++)
        if (!list_fill(r, &value->as.list.items[i], axis + 1))
            return false;
    return true;
}

// A tensor's element type within this call.
static ks_dtype within(const ks_call *call, ks_dtype dtype) {
    return ks_dtype_is_floating(dtype) && !call->symbolic ? call->real : dtype;
}

static ks_code constant(ks_operand *out, ks_call *call, const ks_object *object, const ks_value *value,
                        ks_dtype dtype) {
    list_reader r = {.count = 0};
    if (!list_shape(&r, value))
        return ks_argument_error(call, object, "expected numbers in a constant");
    if (r.room > call->context->limits.tensor_elements)
        return ks_argument_error(call, object, "a constant has too many elements");
    r.items = ks_arena_get(call->arena, r.room + 1, sizeof(double));
    if (!r.items)
        return call->context->error.code;
    if (!list_fill(&r, value, 0))
        return ks_argument_error(call, object, "expected numbers in a constant");
    if (dtype == KS_DTYPE_NONE)
        dtype = r.kind == KS_VALUE_FLOAT ? KS_FLOAT32 : r.kind == KS_VALUE_INT ? KS_INT32 : KS_BOOL8;
    dtype = within(call, dtype);
    out->array = ks_array_new(call->arena, dtype, &r.shape);
    out->weak = value->type == KS_VALUE_LIST ? KS_VALUE_NULL : value->type;
    if (!out->array)
        return call->context->error.code;
    if (call->symbolic)
        return KS_OK;
    out->array->data = ks_arena_get(call->arena, r.room + 1, ks_dtype_size(dtype));
    if (!out->array->data)
        return call->context->error.code;
    if (!ks_cast(out->array->data, dtype, r.items, KS_FLOAT64, r.room))
        return ks_argument_error(call, object, "a constant's type cannot be computed with");
    return KS_OK;
}

// {"class_name": "__numpy__" or "__tensor__", "config": {"value": …, "dtype": "float32"}}
static ks_code stored_tensor(ks_operand *out, ks_call *call, const ks_object *object, const ks_value *value) {
    const ks_value *name = ks_value_get(value, "class_name");
    const ks_value *config = ks_value_get(value, "config");
    const ks_value *items = config ? ks_value_get(config, "value") : NULL;
    const ks_value *dtype = config ? ks_value_get(config, "dtype") : NULL;
    ks_dtype type = dtype && dtype->type == KS_VALUE_STRING ? ks_dtype_by_name(dtype->text) : KS_DTYPE_NONE;
    ks_code code;
    if (!name || !items || !(ks_value_is_text(name, "__numpy__") || ks_value_is_text(name, "__tensor__")) ||
        type == KS_DTYPE_NONE)
        return ks_argument_error(call, object, "expected a tensor or numbers");
    code = constant(out, call, object, items, type);
    out->weak = KS_VALUE_NULL;
    return code;
}

static bool is_double_constant(const ks_value *value) {
    bool found = false;
    if (value->type == KS_VALUE_DICT) {
        const ks_value *name = ks_value_get(value, "class_name"), *config = ks_value_get(value, "config");
        const ks_value *dtype = config ? ks_value_get(config, "dtype") : NULL;
        return name && dtype && (ks_value_is_text(name, "__numpy__") || ks_value_is_text(name, "__tensor__")) &&
               ks_value_is_text(dtype, "float64");
    }
    for (size_t i = 0; value->type == KS_VALUE_LIST && i < value->as.list.count && !found; i++)
        found = is_double_constant(&value->as.list.items[i]);
    return found;
}

bool ks_holds_double(const ks_tree *tree) {
    bool found = false;
    if (tree->type == KS_TREE_ARRAY)
        return tree->as.array->dtype == KS_FLOAT64;
    if (tree->type == KS_TREE_VALUE)
        return is_double_constant(tree->as.value);
    if (tree->type == KS_TREE_LIST || tree->type == KS_TREE_DICT)
        for (size_t i = 0; i < tree->as.list.count && !found; i++)
            found = ks_holds_double(&tree->as.list.items[i]);
    return found;
}

ks_code ks_operand_of(ks_operand *out, ks_call *call, const ks_object *object, const ks_tree *tree) {
    out->array = NULL;
    out->weak = KS_VALUE_NULL;
    if (tree->type == KS_TREE_ARRAY) {
        out->array = tree->as.array;
        return KS_OK;
    }
    if (tree->type != KS_TREE_VALUE)
        return ks_argument_error(call, object, "expected a tensor or numbers");
    if (tree->as.value->type == KS_VALUE_DICT)
        return stored_tensor(out, call, object, tree->as.value);
    return constant(out, call, object, tree->as.value, KS_DTYPE_NONE);
}

ks_code ks_operand_at(ks_operand *out, ks_call *call, const ks_object *object, size_t index) {
    return ks_operand_of(out, call, object, &call->arguments[index]);
}

ks_dtype ks_operand_dtype(const ks_call *call, const ks_operand *operands, size_t count) {
    ks_dtype dtype = KS_DTYPE_NONE;
    for (size_t i = 0; i < count; i++)
        if (operands[i].weak == KS_VALUE_NULL)
            dtype = dtype == KS_DTYPE_NONE ? operands[i].array->dtype : ks_promote(dtype, operands[i].array->dtype);
    for (size_t i = 0; i < count; i++)
        if (operands[i].weak != KS_VALUE_NULL)
            dtype = dtype == KS_DTYPE_NONE ? operands[i].array->dtype : ks_promote_weak(dtype, operands[i].weak);
    return within(call, dtype);
}

ks_dtype ks_operand_float(const ks_call *call, ks_dtype dtype) {
    return within(call, ks_dtype_is_floating(dtype) ? dtype : KS_FLOAT32);
}

ks_operand *ks_operand_list(size_t *count, ks_call *call, const ks_object *object, size_t index) {
    const ks_tree *tree = &call->arguments[index];
    ks_operand *operands;
    if (tree->type != KS_TREE_LIST || tree->as.list.count == 0) {
        ks_argument_error(call, object, "expected a list of tensors");
        return NULL;
    }
    *count = tree->as.list.count;
    operands = ks_arena_get(call->arena, *count, sizeof(*operands));
    for (size_t i = 0; operands && i < *count; i++)
        if (ks_operand_of(&operands[i], call, object, &tree->as.list.items[i]) != KS_OK)
            return NULL;
    return operands;
}

bool ks_operation_axes(int *axes, int *count, const ks_ints *given, int rank) {
    bool seen[KS_MAX_RANK] = {false};
    *count = 0;
    for (int i = 0; i < given->count; i++) {
        int axis = ks_axis(given->items[i], rank);
        if (axis < 0 || seen[axis])
            return false;
        seen[axis] = true;
    }
    for (int i = 0; i < rank; i++)
        if (given->count == 0 || seen[i])
            axes[(*count)++] = i;
    return true;
}
