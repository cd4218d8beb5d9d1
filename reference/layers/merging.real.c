// SPDX-License-Identifier: Apache-2.0
//
// Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot.
//
// Integers are computed as doubles: exact up to 2^53.
#include "schema/merging.h"

#include <string.h>

#include "base/cast.h"
#include "layers/layer.h"
#include "ops/move.h"
#include "ops/product.h"
#include "ops/strided.h"
#include "schema/broadcast.h"

// --- operands -------------------------------------------------------------------------------------------------------

// One input of an elementwise merge, brought to the result's shape.
typedef struct operand {
    const double *doubles; ///< of integer results
    const ks_real *reals;
    const bool *mask; ///< NULL: none
} operand;

// New axes come behind the batch axis until the ranks are equal.
static ks_shape expanded(const ks_shape *shape, int rank) {
    ks_shape out = *shape;
    while (out.rank < rank)
        ks_shape_insert(&out, 1, 1);
    return out;
}

static const void *as_type(ks_run *run, const ks_array *array, ks_dtype dtype) {
    size_t count = ks_array_elements(array);
    void *copy;
    if (array->dtype == dtype)
        return array->data;
    copy = ks_run_memory(run, count, ks_dtype_size(dtype));
    if (copy)
        ks_cast(copy, dtype, array->data, array->dtype, count);
    return copy;
}

static const bool *mask_operand(ks_run *run, const ks_array *input, const ks_shape *shape) {
    ks_shape own = input->mask->shape, full;
    bool *wide = ks_run_memory(run, ks_array_elements(input), sizeof(bool));
    ks_array result = {.shape = *shape};
    bool *out = ks_run_memory(run, ks_array_elements(&result), sizeof(bool));
    if (!wide || !out)
        return NULL;
    ks_shape_insert(&own, own.rank, 1);
    if (!ks_shape_broadcast(&full, &own, &input->shape) || !ks_shape_equal(&full, &input->shape)) {
        ks_fail(run->context, KS_E_CONFIG_SHAPE, KS_STAGE_RUN, KS_NO_OFFSET, NULL,
                "a mask of rank %d does not fit its tensor of rank %d", own.rank - 1, input->shape.rank);
        return NULL;
    }
    ks_broadcast_to(wide, &input->shape, input->mask->data, &own, sizeof(bool));
    ks_broadcast_to(out, shape, wide, &input->shape, sizeof(bool));
    return out;
}

static ks_code make_operand(operand *out, ks_run *run, const ks_array *input, const ks_array *result, bool masks) {
    bool whole = result->dtype != KS_REAL_DTYPE;
    ks_dtype dtype = whole ? KS_FLOAT64 : KS_REAL_DTYPE;
    ks_shape shape = expanded(&input->shape, result->shape.rank);
    const void *data = as_type(run, input, dtype);
    memset(out, 0, sizeof(*out));
    if (!data)
        return run->context->error.code;
    if (!ks_shape_equal(&shape, &result->shape)) {
        void *wide = ks_run_memory(run, ks_array_elements(result), ks_dtype_size(dtype));
        if (!wide)
            return run->context->error.code;
        ks_broadcast_to(wide, &result->shape, data, &shape, ks_dtype_size(dtype));
        data = wide;
    }
    if (whole)
        out->doubles = data;
    else
        out->reals = data;
    if (masks && input->mask && input->shape.rank == result->shape.rank) { // a new axis loses the mask
        out->mask = mask_operand(run, input, &result->shape);
        if (!out->mask)
            return run->context->error.code;
    }
    return KS_OK;
}

typedef enum merge_rule { MERGE_ADD, MERGE_SUBTRACT, MERGE_MULTIPLY, MERGE_MAXIMUM, MERGE_MINIMUM } merge_rule;

#define MERGE_BODY(type)                                                                                               \
    for (size_t i = 0; i < count; i++) {                                                                               \
        type a = out[i], b = in[i];                                                                                    \
        switch (rule) {                                                                                                \
        case MERGE_ADD:                                                                                                \
            out[i] = a + b;                                                                                            \
            break;                                                                                                     \
        case MERGE_SUBTRACT:                                                                                           \
            out[i] = a - b;                                                                                            \
            break;                                                                                                     \
        case MERGE_MULTIPLY:                                                                                           \
            out[i] = a * b;                                                                                            \
            break;                                                                                                     \
        case MERGE_MAXIMUM:                                                                                            \
            out[i] = a > b || a != a ? a : b;                                                                          \
            break;                                                                                                     \
        case MERGE_MINIMUM:                                                                                            \
            out[i] = a < b || a != a ? a : b;                                                                          \
            break;                                                                                                     \
        }                                                                                                              \
    }

static void merge_reals(merge_rule rule, ks_real *out, const ks_real *in, size_t count) {
    MERGE_BODY(ks_real)
}

static void merge_doubles(merge_rule rule, double *out, const double *in, size_t count) {
    MERGE_BODY(double)
}

// --- elementwise ----------------------------------------------------------------------------------------------------

static operand *make_operands(ks_run *run, ks_call *call, ks_object *object, const ks_array *result, size_t *count) {
    ks_array **inputs = ks_merge_inputs(count, call, object);
    operand *operands = inputs ? ks_run_memory(run, *count, sizeof(*operands)) : NULL;
    for (size_t i = 0; operands && i < *count; i++)
        if (make_operand(&operands[i], run, inputs[i], result, !ks_is_old(object)) !=
            KS_OK) // masks change no number in 1 and 2
            return NULL;
    return operands;
}

static ks_code merge_whole(ks_run *run, merge_rule rule, const operand *operands, size_t n, ks_array *result) {
    size_t count = ks_array_elements(result);
    double *sum = ks_run_memory(run, count, sizeof(*sum));
    if (!sum)
        return run->context->error.code;
    memcpy(sum, operands[0].doubles, count * sizeof(*sum));
    for (size_t i = 1; i < n; i++)
        merge_doubles(rule, sum, operands[i].doubles, count);
    ks_cast(result->data, result->dtype, sum, KS_FLOAT64, count);
    return KS_OK;
}

static ks_code merge_simply(ks_run *run, merge_rule rule, ks_call *call, ks_object *object, ks_array *result) {
    size_t n, count = ks_array_elements(result);
    operand *operands = make_operands(run, call, object, result, &n);
    if (!operands)
        return run->context->error.code;
    if (result->dtype != KS_REAL_DTYPE)
        return merge_whole(run, rule, operands, n, result);
    memcpy(result->data, operands[0].reals, count * sizeof(ks_real));
    for (size_t i = 1; i < n; i++)
        merge_reals(rule, ks_reals(result), operands[i].reals, count);
    return KS_OK;
}

KS_FORWARD(Add) {
    return merge_simply(run, MERGE_ADD, call, object, out->as.array);
}

KS_FORWARD(Subtract) {
    return merge_simply(run, MERGE_SUBTRACT, call, object, out->as.array);
}

KS_FORWARD(Average) {
    ks_array *result = out->as.array;
    size_t count = ks_array_elements(result);
    ks_real n = (ks_real)call->arguments[0].as.list.count;
    ks_code code = merge_simply(run, MERGE_ADD, call, object, result);
    for (size_t i = 0; code == KS_OK && i < count; i++)
        ks_reals(result)[i] /= n;
    return code;
}

// Masked elements count as 1; where every input has a mask, what none of them keeps is 0.
KS_FORWARD(Multiply) {
    ks_array *result = out->as.array;
    size_t n, count = ks_array_elements(result);
    operand *operands = make_operands(run, call, object, result, &n);
    ks_real *y = ks_reals(result);
    bool all = true;
    if (!operands)
        return run->context->error.code;
    if (result->dtype != KS_REAL_DTYPE)
        return merge_whole(run, MERGE_MULTIPLY, operands, n, result);
    for (size_t i = 0; i < n; i++)
        all = all && operands[i].mask;
    for (size_t k = 0; k < count; k++) {
        bool kept = !all;
        y[k] = 1;
        for (size_t i = 0; i < n; i++) {
            bool own = !operands[i].mask || operands[i].mask[k];
            y[k] *= own ? operands[i].reals[k] : 1;
            kept = kept || own;
        }
        if (!kept)
            y[k] = 0;
    }
    return KS_OK;
}

// A masked element takes the value of its counterpart. `kept` is the union of the masks so far; once an input without a
// mask was met there is none.
static void extreme_step(merge_rule rule, ks_real *out, bool *kept, bool has_kept, const operand *next, size_t count) {
    for (size_t k = 0; k < count; k++) {
        ks_real x = next->mask && !next->mask[k] ? out[k] : next->reals[k];
        if (has_kept && !kept[k])
            out[k] = x;
        if (next->mask && has_kept)
            kept[k] = kept[k] || next->mask[k];
        merge_reals(rule, &out[k], &x, 1);
    }
}

static ks_code merge_extreme(ks_run *run, merge_rule rule, ks_call *call, ks_object *object, ks_array *result) {
    size_t n, count = ks_array_elements(result);
    operand *operands = make_operands(run, call, object, result, &n);
    bool *kept = ks_run_memory(run, count, sizeof(bool)), has_kept;
    if (!operands || !kept)
        return run->context->error.code;
    if (result->dtype != KS_REAL_DTYPE)
        return merge_whole(run, rule, operands, n, result);
    memcpy(result->data, operands[0].reals, count * sizeof(ks_real));
    has_kept = operands[0].mask != NULL;
    if (has_kept)
        memcpy(kept, operands[0].mask, count);
    for (size_t i = 1; i < n; i++) {
        extreme_step(rule, ks_reals(result), kept, has_kept, &operands[i], count);
        has_kept = has_kept && operands[i].mask;
    }
    return KS_OK;
}

KS_FORWARD(Maximum) {
    return merge_extreme(run, MERGE_MAXIMUM, call, object, out->as.array);
}

KS_FORWARD(Minimum) {
    return merge_extreme(run, MERGE_MINIMUM, call, object, out->as.array);
}

static ks_code join_masks(ks_run *run, ks_call *call, ks_object *object, ks_array **masks) {
    size_t n, count;
    ks_array **inputs = ks_merge_inputs(&n, call, object);
    bool *out, *next, old = ks_is_old(object);
    if (!inputs)
        return run->context->error.code;
    if (!masks[0])
        return KS_OK;
    count = ks_array_elements(masks[0]);
    out = masks[0]->data;
    next = ks_run_memory(run, count, sizeof(bool));
    if (!next)
        return run->context->error.code;
    memset(out, old, count);
    for (size_t i = 0; i < n; i++) {
        if (!inputs[i]->mask)
            continue;
        ks_broadcast_to(next, &masks[0]->shape, inputs[i]->mask->data, &inputs[i]->mask->shape, sizeof(bool));
        for (size_t k = 0; k < count; k++)
            out[k] = old ? out[k] && next[k] : out[k] || next[k];
    }
    return KS_OK;
}

#define JOINED_MASK(class_name)                                                                                        \
    KS_FORWARD_MASK(class_name) {                                                                                      \
        (void)out;                                                                                                     \
        return join_masks(run, call, object, masks);                                                                   \
    }
JOINED_MASK(Add)
JOINED_MASK(Subtract)
JOINED_MASK(Multiply)
JOINED_MASK(Average)
JOINED_MASK(Maximum)
JOINED_MASK(Minimum)

// --- Concatenate ----------------------------------------------------------------------------------------------------

// Copies one part of a concatenation into its place.
static void put_part(char *out, const char *part, size_t outer, size_t out_row, size_t part_row, size_t offset) {
    for (size_t i = 0; i < outer; i++)
        memcpy(out + i * out_row + offset, part + i * part_row, part_row);
}

static size_t product_of(const ks_shape *shape, int first, int last) {
    size_t product = 1;
    for (int i = first; i < last; i++)
        product *= (size_t)shape->dims[i];
    return product;
}

KS_FORWARD(Concatenate) {
    const ks_concatenate *params = object->params;
    ks_array *result = out->as.array;
    int axis = ks_axis(params->axis, result->shape.rank), rank = result->shape.rank;
    size_t item_size = ks_dtype_size(result->dtype), offset = 0, n;
    ks_array **inputs = ks_merge_inputs(&n, call, object);
    size_t outer = product_of(&result->shape, 0, axis), row = product_of(&result->shape, axis, rank) * item_size;
    if (!inputs)
        return run->context->error.code;
    for (size_t i = 0; i < n; i++) {
        size_t part = product_of(&inputs[i]->shape, axis, rank) * item_size;
        const void *data = as_type(run, inputs[i], result->dtype);
        if (!data)
            return run->context->error.code;
        put_part(result->data, data, outer, row, part, offset);
        offset += part;
    }
    return KS_OK;
}

// An input's mask in the input's own shape; ones when it has none.
static const bool *whole_mask(ks_run *run, const ks_array *input) {
    bool *full = ks_run_memory(run, ks_array_elements(input), sizeof(bool));
    ks_shape own;
    if (!full)
        return NULL;
    if (!input->mask) {
        memset(full, 1, ks_array_elements(input));
        return full;
    }
    own = input->mask->shape;
    if (own.rank < input->shape.rank)
        ks_shape_insert(&own, own.rank, 1);
    ks_broadcast_to(full, &input->shape, input->mask->data, &own, sizeof(bool));
    return full;
}

KS_FORWARD_MASK(Concatenate) {
    const ks_concatenate *params = object->params;
    const ks_array *result = out->as.array;
    int rank = result->shape.rank, axis = ks_axis(params->axis, rank);
    size_t n, offset = 0, last = (size_t)result->shape.dims[rank - 1];
    ks_array **inputs = ks_merge_inputs(&n, call, object);
    bool *joined = ks_run_memory(run, ks_array_elements(result), sizeof(bool));
    if (!inputs || !joined)
        return run->context->error.code;
    if (!masks[0])
        return KS_OK;
    for (size_t i = 0; i < n; i++) {
        size_t part = product_of(&inputs[i]->shape, axis, rank);
        const bool *mask = whole_mask(run, inputs[i]);
        if (!mask)
            return run->context->error.code;
        put_part((char *)joined, (const char *)mask, product_of(&result->shape, 0, axis),
                 product_of(&result->shape, axis, rank), part, offset);
        offset += part;
    }
    for (size_t i = 0; i < ks_array_elements(masks[0]); i++)
        ((bool *)masks[0]->data)[i] = ks_is_old(object) ? memchr(joined + i * last, 0, last) == NULL
                                                        : last && memchr(joined + i * last, 1, last) != NULL;
    return KS_OK;
}

// --- Dot ------------------------------------------------------------------------------------------------------------

// Moves one axis to the end (or to just behind the batch axis) and divides by the norm along it when asked to.
static ks_real *dot_operand(ks_run *run, const ks_array *input, int axis, bool to_end, bool normalize) {
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    size_t count = ks_array_elements(input);
    ks_real *out = ks_run_memory(run, count, sizeof(*out));
    int rank = input->shape.rank, axes[KS_MAX_RANK] = {0}, n = 1;
    if (!x || !out)
        return NULL;
    if (!to_end)
        axes[n++] = axis;
    for (int i = 1; i < rank; i++)
        if (i != axis)
            axes[n++] = i;
    if (to_end)
        axes[n++] = axis;
    ks_transpose(out, x, &input->shape, axes, sizeof(*out));
    if (normalize && count) {
        size_t length = (size_t)input->shape.dims[axis], per_batch = count / (size_t)input->shape.dims[0];
        size_t others = per_batch / length;
        size_t step = to_end ? 1 : others, next = to_end ? length : 1;
        for (size_t b = 0; b < (size_t)input->shape.dims[0]; b++)
            for (size_t o = 0; o < others; o++) {
                ks_real *v = out + b * per_batch + o * next, sum = 0, inverse;
                for (size_t i = 0; i < length; i++)
                    sum += v[i * step] * v[i * step];
                inverse = 1 / KS_MATH(sqrt)(sum);
                inverse = inverse > KS_C(1 / 1e-7) ? KS_C(1 / 1e-7) : inverse;
                for (size_t i = 0; i < length; i++)
                    v[i * step] *= inverse;
            }
    }
    return out;
}

KS_FORWARD(Dot) {
    const ks_dot *params = object->params;
    ks_array *result = out->as.array;
    size_t n, batches = (size_t)result->shape.dims[0], inner, rows, columns;
    ks_array **inputs = ks_merge_inputs(&n, call, object);
    int axes[2];
    ks_real *x, *y;
    ks_code code;
    if (!inputs)
        return run->context->error.code;
    KS_TRY(ks_dot_axes(axes, call, object, inputs));
    x = dot_operand(run, inputs[0], axes[0], true, params->normalize);
    y = dot_operand(run, inputs[1], axes[1], false, params->normalize);
    if (!x || !y)
        return run->context->error.code;
    inner = (size_t)inputs[0]->shape.dims[axes[0]];
    if (ks_array_elements(result) == 0 || inner == 0)
        return KS_OK;
    rows = ks_array_elements(inputs[0]) / batches / inner;
    columns = ks_array_elements(inputs[1]) / batches / inner;
    for (size_t b = 0; b < batches; b++)
        KS_REAL(ks_matmul)(ks_reals(result) + b * rows * columns, x + b * rows * inner, y + b * inner * columns, NULL,
                           rows, inner, columns);
done:
    return code;
}
