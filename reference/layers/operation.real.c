// SPDX-License-Identifier: Apache-2.0
//
// keras.ops as nodes of a graph. Floating tensors are computed in ks_real, integers and bools in int64_t.
#include "schema/operation.h"

#include <math.h>
#include <string.h>

#include "base/cast.h"
#include "layers/layer.h"
#include "ops/activation.h"
#include "ops/einsum.h"
#include "ops/elementwise.h"
#include "ops/move.h"
#include "ops/product.h"
#include "ops/strided.h"
#include "schema/broadcast.h"

// --- operands -------------------------------------------------------------------------------------------------------

// The type that computes a result of this one.
static ks_dtype working_dtype(ks_dtype dtype) {
    return ks_dtype_is_floating(dtype) ? KS_REAL_DTYPE : KS_INT64;
}

static void *converted(ks_run *run, const ks_array *array, ks_dtype dtype) {
    size_t count = ks_array_elements(array);
    void *copy;
    if (array->dtype == dtype)
        return array->data;
    copy = ks_run_memory(run, count, ks_dtype_size(dtype));
    if (copy)
        ks_cast(copy, dtype, array->data, array->dtype, count);
    return copy;
}

// Argument `index` in the working type, repeated to `shape`.
static void *operand_in(ks_run *run, ks_call *call, ks_object *object, size_t index, ks_dtype dtype,
                        const ks_shape *shape) {
    ks_operand operand;
    ks_array full = {.shape = *shape};
    void *data, *wide;
    if (ks_operand_at(&operand, call, object, index) != KS_OK)
        return NULL;
    data = converted(run, operand.array, dtype);
    if (!data || ks_shape_equal(&operand.array->shape, shape))
        return data;
    wide = ks_run_memory(run, ks_array_elements(&full), ks_dtype_size(dtype));
    if (wide)
        ks_broadcast_to(wide, shape, data, &operand.array->shape, ks_dtype_size(dtype));
    return wide;
}

// Room for a result in the working type: its own data when it has that type.
static void *working_result(ks_run *run, const ks_array *result) {
    ks_dtype dtype = working_dtype(result->dtype);
    return dtype == result->dtype ? result->data : ks_run_memory(run, ks_array_elements(result), ks_dtype_size(dtype));
}

static void finish_result(const ks_array *result, const void *data) {
    if (data != result->data)
        ks_cast(result->data, result->dtype, data, working_dtype(result->dtype), ks_array_elements(result));
}

static ks_dtype common_working(ks_call *call, ks_object *object) {
    ks_operand operands[2];
    for (size_t i = 0; i < 2; i++)
        if (ks_operand_at(&operands[i], call, object, i) != KS_OK)
            return KS_DTYPE_NONE;
    return working_dtype(ks_operand_dtype(call, operands, 2));
}

// --- element by element ---------------------------------------------------------------------------------------------

static ks_code run_unary(ks_run *run, ks_call *call, ks_object *object, ks_array *result, ks_unary id) {
    size_t count = ks_array_elements(result);
    ks_dtype dtype = working_dtype(result->dtype);
    void *x = operand_in(run, call, object, 0, dtype, &result->shape), *y = working_result(run, result);
    if (!x || !y)
        return run->context->error.code;
    if (dtype == KS_INT64)
        ks_unary_integer(id, y, x, count);
    else
        KS_REAL(ks_unary)(id, y, x, count);
    finish_result(result, y);
    return KS_OK;
}

static ks_code run_binary(ks_run *run, ks_call *call, ks_object *object, ks_array *result, ks_binary id) {
    size_t count = ks_array_elements(result);
    ks_dtype dtype = working_dtype(result->dtype);
    void *a = operand_in(run, call, object, 0, dtype, &result->shape);
    void *b = operand_in(run, call, object, 1, dtype, &result->shape), *y = working_result(run, result);
    if (!a || !b || !y)
        return run->context->error.code;
    if (dtype != KS_INT64)
        KS_REAL(ks_binary)(id, y, a, b, count);
    else if (!ks_binary_integer(id, y, a, b, count))
        return ks_fail(run->context, KS_E_MODEL_INPUTS, KS_STAGE_RUN, KS_NO_OFFSET, object->place,
                       "%s \"%s\": expected integers %s, found %s", object->row->name, object->name,
                       id == KS_BINARY_POWER ? "of 0 and more as powers" : "other than 0 as divisors",
                       id == KS_BINARY_POWER ? "a negative one" : "0");
    finish_result(result, y);
    return KS_OK;
}

static ks_code run_compare(ks_run *run, ks_call *call, ks_object *object, ks_array *result, ks_comparison id) {
    size_t count = ks_array_elements(result);
    ks_dtype dtype = common_working(call, object);
    void *a, *b;
    if (dtype == KS_DTYPE_NONE)
        return run->context->error.code;
    a = operand_in(run, call, object, 0, dtype, &result->shape);
    b = operand_in(run, call, object, 1, dtype, &result->shape);
    if (!a || !b)
        return run->context->error.code;
    if (dtype == KS_INT64)
        ks_compare_integer(id, result->data, a, b, count);
    else
        KS_REAL(ks_compare)(id, result->data, a, b, count);
    return KS_OK;
}

// [rows][columns] with the reduced axes last.
static void *reduction_rows(ks_run *run, ks_call *call, ks_object *object, ks_dtype dtype, size_t *columns) {
    const ks_operation *params = object->params;
    ks_operand operand;
    int axes[KS_MAX_RANK], order[KS_MAX_RANK] = {0}, n_axes, n = 0;
    const ks_shape *shape;
    void *x, *moved;
    if (ks_operand_at(&operand, call, object, 0) != KS_OK)
        return NULL;
    shape = &operand.array->shape;
    x = converted(run, operand.array, dtype);
    moved = ks_run_memory(run, ks_array_elements(operand.array), ks_dtype_size(dtype));
    if (!x || !moved || !ks_operation_axes(axes, &n_axes, &params->axis, shape->rank))
        return NULL;
    *columns = 1;
    for (int i = 0, k = 0; i < shape->rank; i++) {
        if (k < n_axes && axes[k] == i)
            k++;
        else
            order[n++] = i;
    }
    for (int k = 0; k < n_axes; k++) {
        order[n++] = axes[k];
        *columns *= (size_t)shape->dims[axes[k]];
    }
    ks_transpose(moved, x, shape, order, ks_dtype_size(dtype));
    return moved;
}

static ks_code run_reduce(ks_run *run, ks_call *call, ks_object *object, ks_array *result, ks_reduction id) {
    ks_dtype dtype = working_dtype(result->dtype);
    size_t columns, rows = ks_array_elements(result);
    void *x = reduction_rows(run, call, object, dtype, &columns), *y = working_result(run, result);
    if (!x || !y)
        return run->context->error.code;
    if (dtype == KS_INT64)
        ks_reduce_integer(id, y, x, rows, columns);
    else
        KS_REAL(ks_reduce)(id, y, x, rows, columns);
    finish_result(result, y);
    return KS_OK;
}

static ks_code run_activation(ks_run *run, ks_call *call, ks_object *object, ks_array *result, ks_activation_id id) {
    size_t count = ks_array_elements(result);
    const ks_real *x = operand_in(run, call, object, 0, KS_REAL_DTYPE, &result->shape);
    if (!x)
        return run->context->error.code;
    if (count)
        KS_REAL(ks_activation_apply)(id, ks_reals(result), x, 1, count);
    return KS_OK;
}

#define KS_OPERATION_UNARY(name, module, kernel, type)                                                                 \
    KS_FORWARD(Op##name) {                                                                                             \
        return run_unary(run, call, object, out->as.array, KS_UNARY_##kernel);                                         \
    }
#define KS_OPERATION_BINARY(name, kernel, type)                                                                        \
    KS_FORWARD(Op##name) {                                                                                             \
        return run_binary(run, call, object, out->as.array, KS_BINARY_##kernel);                                       \
    }
#define KS_OPERATION_COMPARE(name, kernel)                                                                             \
    KS_FORWARD(Op##name) {                                                                                             \
        return run_compare(run, call, object, out->as.array, KS_COMPARE_##kernel);                                     \
    }
#define KS_OPERATION_REDUCE(name, module, kernel, type)                                                                \
    KS_FORWARD(Op##name) {                                                                                             \
        return run_reduce(run, call, object, out->as.array, KS_REDUCE_##kernel);                                       \
    }
#define KS_OPERATION_ACTIVATION(name, function)                                                                        \
    KS_FORWARD(Op##name) {                                                                                             \
        return run_activation(run, call, object, out->as.array, KS_ACTIVATION_##function);                             \
    }
#define KS_OPERATION(name)
#include "schema/operations.def"
#undef KS_OPERATION

KS_FORWARD(OpStopGradient) {
    return run_unary(run, call, object, out->as.array, KS_UNARY_COPY);
}

KS_FORWARD(OpRound) {
    return run_unary(run, call, object, out->as.array, KS_UNARY_ROUND);
}

// --- tests of bools and floats --------------------------------------------------------------------------------------

typedef bool (*real_test)(ks_real x);

static bool is_zero(ks_real x) {
    return x == 0;
}
static bool is_nan(ks_real x) {
    return x != x;
}
static bool is_infinite(ks_real x) {
    return x == (ks_real)INFINITY || x == -(ks_real)INFINITY;
}
static bool is_finite(ks_real x) {
    return !is_nan(x) && !is_infinite(x);
}

static ks_code run_test(ks_run *run, ks_call *call, ks_object *object, ks_array *result, real_test test) {
    const ks_real *x = operand_in(run, call, object, 0, KS_REAL_DTYPE, &result->shape);
    if (!x)
        return run->context->error.code;
    for (size_t i = 0; i < ks_array_elements(result); i++)
        ((bool *)result->data)[i] = test(x[i]);
    return KS_OK;
}

KS_FORWARD(OpLogicalNot) {
    return run_test(run, call, object, out->as.array, is_zero);
}
KS_FORWARD(OpIsnan) {
    return run_test(run, call, object, out->as.array, is_nan);
}
KS_FORWARD(OpIsinf) {
    return run_test(run, call, object, out->as.array, is_infinite);
}
KS_FORWARD(OpIsfinite) {
    return run_test(run, call, object, out->as.array, is_finite);
}

// Any when an element decides for true, All when one decides for false.
static ks_code run_quantifier(ks_run *run, ks_call *call, ks_object *object, ks_array *result, bool decides) {
    size_t columns;
    const bool *x = reduction_rows(run, call, object, KS_BOOL8, &columns);
    bool *y = result->data;
    if (!x)
        return run->context->error.code;
    for (size_t i = 0; i < ks_array_elements(result); i++) {
        y[i] = !decides;
        for (size_t k = 0; k < columns; k++)
            if (x[i * columns + k] == decides)
                y[i] = decides;
    }
    return KS_OK;
}

KS_FORWARD(OpAny) {
    return run_quantifier(run, call, object, out->as.array, true);
}
KS_FORWARD(OpAll) {
    return run_quantifier(run, call, object, out->as.array, false);
}

static ks_code run_arg(ks_run *run, ks_call *call, ks_object *object, ks_array *result, bool largest) {
    size_t columns, rows = ks_array_elements(result);
    const ks_real *x = reduction_rows(run, call, object, KS_REAL_DTYPE, &columns);
    int64_t *found = ks_run_memory(run, rows, sizeof(*found));
    if (!x || !found)
        return run->context->error.code;
    KS_REAL(ks_arg_extreme)(largest, found, x, rows, columns);
    ks_cast(result->data, result->dtype, found, KS_INT64, rows);
    return KS_OK;
}

KS_FORWARD(OpArgmax) {
    return run_arg(run, call, object, out->as.array, true);
}
KS_FORWARD(OpArgmin) {
    return run_arg(run, call, object, out->as.array, false);
}
KS_FORWARD(OpArgmax64) {
    return run_arg(run, call, object, out->as.array, true);
}
KS_FORWARD(OpArgmin64) {
    return run_arg(run, call, object, out->as.array, false);
}

// --- functions with parameters --------------------------------------------------------------------------------------

typedef ks_real (*real_function)(const ks_operation *params, ks_real x);

static ks_code run_function(ks_run *run, ks_call *call, ks_object *object, ks_array *result, real_function function) {
    const ks_real *x = operand_in(run, call, object, 0, KS_REAL_DTYPE, &result->shape);
    if (!x)
        return run->context->error.code;
    for (size_t i = 0; i < ks_array_elements(result); i++)
        ks_reals(result)[i] = function(object->params, x[i]);
    return KS_OK;
}

static ks_real relu(const ks_operation *params, ks_real x) {
    ks_real slope = KS_C(params->a), threshold = KS_C(params->c);
    ks_real y = threshold != 0 ? (x > threshold ? x : 0) : (x < 0 ? 0 : x);
    ks_real below = threshold - x;
    if (!isnan(params->b) && y > KS_C(params->b))
        y = KS_C(params->b);
    return slope != 0 ? y - slope * (below < 0 ? 0 : below) : y;
}
static ks_real leaky_relu(const ks_operation *params, ks_real x) {
    return x > 0 ? x : KS_C(params->a) * x;
}
static ks_real elu(const ks_operation *params, ks_real x) {
    return KS_REAL(ks_elu)(x, KS_C(params->a));
}
static ks_real celu(const ks_operation *params, ks_real x) {
    ks_real alpha = KS_C(params->a);
    return x > 0 ? x : alpha * KS_MATH(expm1)(x / alpha);
}
static ks_real gelu_tanh(const ks_operation *params, ks_real x) {
    (void)params;
    return KS_C(0.5) * x * (1 + KS_MATH(tanh)(KS_C(0.7978845608028654) * (x + KS_C(0.044715) * x * x * x)));
}

KS_FORWARD(OpActivationReLU) {
    return run_function(run, call, object, out->as.array, relu);
}
KS_FORWARD(OpLeakyRelu) {
    return run_function(run, call, object, out->as.array, leaky_relu);
}
KS_FORWARD(OpElu) {
    return run_function(run, call, object, out->as.array, elu);
}
KS_FORWARD(OpCelu) {
    return run_function(run, call, object, out->as.array, celu);
}
KS_FORWARD(OpGelu) {
    const ks_operation *params = object->params;
    if (!params->approximate)
        return run_activation(run, call, object, out->as.array, KS_ACTIVATION_GELU);
    return run_function(run, call, object, out->as.array, gelu_tanh);
}

static ks_code run_clip(ks_run *run, ks_call *call, ks_object *object, ks_array *result) {
    const ks_operation *params = object->params;
    bool whole = working_dtype(result->dtype) == KS_INT64;
    size_t count = ks_array_elements(result);
    double *x = operand_in(run, call, object, 0, KS_FLOAT64, &result->shape);
    double *y = ks_run_memory(run, count, sizeof(*y));
    if (!x || !y)
        return run->context->error.code;
    for (size_t i = 0; i < count; i++) {
        double low = whole ? params->a : (double)KS_C(params->a), high = whole ? params->b : (double)KS_C(params->b);
        y[i] = x[i] < low ? low : x[i];
        y[i] = y[i] > high ? high : y[i];
    }
    ks_cast(result->data, result->dtype, y, KS_FLOAT64, count);
    return KS_OK;
}

KS_FORWARD(OpClip) {
    return run_clip(run, call, object, out->as.array);
}

// A function of rows along one axis.
typedef void (*row_function)(const ks_operation *params, ks_real *row, size_t columns);

static ks_code run_rows(ks_run *run, ks_call *call, ks_object *object, ks_array *result, row_function function) {
    const ks_operation *params = object->params;
    size_t count = ks_array_elements(result), columns;
    int rank = result->shape.rank, axis = ks_axis(params->axis.items[0], rank);
    int order[KS_MAX_RANK] = {0}, back[KS_MAX_RANK] = {0};
    const ks_real *x = operand_in(run, call, object, 0, KS_REAL_DTYPE, &result->shape);
    ks_real *moved = ks_run_memory(run, count, sizeof(*moved));
    ks_real *y = ks_run_memory(run, count, sizeof(*y));
    ks_shape shape = result->shape;
    if (!x || !moved || !y)
        return run->context->error.code;
    for (int i = 0; i < rank; i++) {
        order[i] = i < axis ? i : i + 1 < rank ? i + 1 : axis;
        back[order[i]] = i;
        shape.dims[i] = result->shape.dims[order[i]];
    }
    columns = (size_t)result->shape.dims[axis];
    ks_transpose(moved, x, &result->shape, order, sizeof(*moved));
    for (size_t i = 0; i < count; i += columns)
        function(params, moved + i, columns);
    ks_transpose(y, moved, &shape, back, sizeof(*y));
    ks_cast(result->data, result->dtype, y, KS_REAL_DTYPE, count);
    return KS_OK;
}

static void softmax_row(const ks_operation *params, ks_real *row, size_t columns) {
    (void)params;
    KS_REAL(ks_activation_apply)(KS_ACTIVATION_SOFTMAX, row, row, 1, columns);
}
static void log_softmax_row(const ks_operation *params, ks_real *row, size_t columns) {
    (void)params;
    KS_REAL(ks_activation_apply)(KS_ACTIVATION_LOG_SOFTMAX, row, row, 1, columns);
}
static void normalize_row(const ks_operation *params, ks_real *row, size_t columns) {
    ks_real epsilon = isnan(params->a) ? KS_C(1e-7) : KS_C(params->a), sum = 0, inverse;
    for (size_t i = 0; i < columns; i++)
        sum += row[i] * row[i];
    inverse = 1 / KS_MATH(sqrt)(sum);
    inverse = inverse > 1 / epsilon ? 1 / epsilon : inverse;
    for (size_t i = 0; i < columns; i++)
        row[i] *= inverse;
}
static void cumulate_row(const ks_operation *params, ks_real *row, size_t columns) {
    double sum = 0;
    (void)params;
    for (size_t i = 0; i < columns; i++) {
        sum += (double)row[i];
        row[i] = (ks_real)sum;
    }
}

KS_FORWARD(OpSoftmax) {
    return run_rows(run, call, object, out->as.array, softmax_row);
}
KS_FORWARD(OpLogSoftmax) {
    return run_rows(run, call, object, out->as.array, log_softmax_row);
}
KS_FORWARD(OpNormalize) {
    return run_rows(run, call, object, out->as.array, normalize_row);
}
KS_FORWARD(OpCumsum) {
    return run_rows(run, call, object, out->as.array, cumulate_row);
}

// --- products -------------------------------------------------------------------------------------------------------

// Rows and columns of every matrix exchanged.
static const ks_real *turn_matrices(ks_run *run, const ks_array *array, const ks_real *data, ks_shape *shape) {
    size_t rows = (size_t)shape->dims[shape->rank - 2], columns = (size_t)shape->dims[shape->rank - 1];
    size_t count = ks_array_elements(array), size = rows * columns;
    ks_real *out = ks_run_memory(run, count, sizeof(*out));
    for (size_t i = 0; out && size && i < count; i++)
        out[i - i % size + i % columns * rows + i % size / columns] = data[i];
    shape->dims[shape->rank - 2] = (int64_t)columns;
    shape->dims[shape->rank - 1] = (int64_t)rows;
    return out;
}

// One operand with its batch axes repeated to those of the result; a vector becomes a matrix of one row or column.
static const ks_real *matmul_operand(ks_run *run, const ks_array *array, const ks_shape *batch, bool left, bool turned,
                                     ks_shape *shape) {
    const ks_real *data = KS_REAL(ks_as_real)(run, array);
    ks_shape own = array->shape;
    ks_array full = {.dtype = KS_REAL_DTYPE};
    ks_real *wide;
    if (own.rank == 1)
        ks_shape_insert(&own, left ? 0 : 1, 1);
    if (data && turned)
        data = turn_matrices(run, array, data, &own);
    *shape = *batch;
    ks_shape_insert(shape, shape->rank, own.dims[own.rank - 2]);
    ks_shape_insert(shape, shape->rank, own.dims[own.rank - 1]);
    if (!data || ks_shape_equal(shape, &own))
        return data;
    full.shape = *shape;
    wide = ks_run_memory(run, ks_array_elements(&full), sizeof(*wide));
    if (wide)
        ks_broadcast_to(wide, shape, data, &own, sizeof(*wide));
    return wide;
}

KS_FORWARD(OpMatmul) {
    ks_array *result = out->as.array;
    ks_operand operands[2];
    ks_shape batch = result->shape, left, right;
    const ks_real *a, *b;
    ks_real *y = ks_run_memory(run, ks_array_elements(result), sizeof(*y));
    size_t n_batch = 1, rows, inner, columns;
    for (size_t i = 0; i < 2; i++) {
        if (ks_operand_at(&operands[i], call, object, i) != KS_OK)
            return run->context->error.code;
        batch.rank -= operands[i].array->shape.rank > 1;
    }
    a = matmul_operand(run, operands[0].array, &batch, true, ks_operand_is_transposed(object, 0), &left);
    b = matmul_operand(run, operands[1].array, &batch, false, ks_operand_is_transposed(object, 1), &right);
    if (!a || !b || !y)
        return run->context->error.code;
    for (int i = 0; i < batch.rank; i++)
        n_batch *= (size_t)batch.dims[i];
    rows = (size_t)left.dims[left.rank - 2];
    inner = (size_t)left.dims[left.rank - 1];
    columns = (size_t)right.dims[right.rank - 1];
    for (size_t i = 0; inner && i < n_batch; i++)
        KS_REAL(ks_matmul)(y + i * rows * columns, a + i * rows * inner, b + i * inner * columns, NULL, rows, inner,
                           columns);
    ks_cast(result->data, result->dtype, y, KS_REAL_DTYPE, ks_array_elements(result));
    return KS_OK;
}

KS_FORWARD(OpMatmulTransposed) {
    return KS_REAL(ks__forward_OpMatmul)(run, call, object, out);
}

KS_FORWARD(OpSquaredDifference) {
    return run_binary(run, call, object, out->as.array, KS_BINARY_SQUARED_DIFFERENCE);
}

KS_FORWARD(OpEinsum) {
    const ks_operation *params = object->params;
    const char *text = params->text.data;
    ks_array *result = out->as.array;
    ks_operand operands[2];
    ks_labelled axes[2], out_axes = {&result->shape, strstr(text, "->") + 2};
    const ks_real *data[2];
    for (size_t i = 0; i < 2; i++) {
        if (ks_operand_at(&operands[i], call, object, i) != KS_OK)
            return run->context->error.code;
        axes[i] = (ks_labelled){&operands[i].array->shape, i ? strchr(text, ',') + 1 : text};
        data[i] = KS_REAL(ks_as_real)(run, operands[i].array);
        if (!data[i])
            return run->context->error.code;
    }
    if (!KS_REAL(ks_einsum)(run->arena, ks_reals(result), out_axes, data[0], axes[0], data[1], axes[1]))
        return run->context->error.code;
    return KS_OK;
}

KS_FORWARD(OpTensordot) {
    char labels[KS_MAX_TENSORDOT + 1], operand_labels[2][KS_MAX_TENSORDOT];
    ks_array *result = out->as.array;
    ks_operand operands[2];
    const ks_real *data[2];
    for (size_t i = 0; i < 2; i++) {
        if (ks_operand_at(&operands[i], call, object, i) != KS_OK)
            return run->context->error.code;
        data[i] = KS_REAL(ks_as_real)(run, operands[i].array);
        if (!data[i])
            return run->context->error.code;
    }
    ks_tensordot_labels(labels, operand_labels[0], operand_labels[1], object, &operands[0].array->shape,
                        &operands[1].array->shape); // infer saw that it can
    if (!KS_REAL(ks_einsum)(run->arena, ks_reals(result), (ks_labelled){&result->shape, labels}, data[0],
                            (ks_labelled){&operands[0].array->shape, operand_labels[0]}, data[1],
                            (ks_labelled){&operands[1].array->shape, operand_labels[1]}))
        return run->context->error.code;
    return KS_OK;
}

KS_FORWARD(OpAddN) {
    ks_array *result = out->as.array;
    ks_dtype dtype = working_dtype(result->dtype);
    size_t n, count = ks_array_elements(result);
    ks_operand *operands = ks_operand_list(&n, call, object, 0);
    void *y = working_result(run, result), *next = ks_run_memory(run, count, ks_dtype_size(dtype));
    if (!operands || !y || !next)
        return run->context->error.code;
    for (size_t i = 0; i < n; i++) {
        ks_cast(i ? next : y, dtype, operands[i].array->data, operands[i].array->dtype, count);
        if (i && dtype == KS_INT64)
            (void)ks_binary_integer(KS_BINARY_ADD, y, y, next, count); // every sum has an answer
        else if (i)
            KS_REAL(ks_binary)(KS_BINARY_ADD, y, y, next, count);
    }
    finish_result(result, y);
    return KS_OK;
}

// --- types, fills, choices ------------------------------------------------------------------------------------------

static ks_code run_cast(ks_call *call, const ks_object *object, const ks_tree *out) {
    ks_array *result = out->as.array;
    ks_operand x;
    if (ks_operand_at(&x, call, object, 0) != KS_OK)
        return call->context->error.code;
    ks_cast(result->data, result->dtype, x.array->data, x.array->dtype, ks_array_elements(result));
    return KS_OK;
}

KS_FORWARD(OpCast) {
    (void)run;
    return run_cast(call, object, out);
}

KS_FORWARD(OpConvertToTensor) {
    (void)run;
    return run_cast(call, object, out);
}

static ks_code run_fill(const ks_array *result, double value) {
    size_t item_size = ks_dtype_size(result->dtype);
    for (size_t i = 0; i < ks_array_elements(result); i++)
        ks_cast((char *)result->data + i * item_size, result->dtype, &value, KS_FLOAT64, 1);
    return KS_OK;
}

KS_FORWARD(OpZerosLike) {
    (void)run;
    (void)call;
    (void)object;
    return run_fill(out->as.array, 0);
}
KS_FORWARD(OpOnesLike) {
    (void)run;
    (void)call;
    (void)object;
    return run_fill(out->as.array, 1);
}

KS_FORWARD(OpWhere) {
    ks_array *result = out->as.array;
    size_t item_size = ks_dtype_size(result->dtype);
    const bool *condition = operand_in(run, call, object, 0, KS_BOOL8, &result->shape);
    const char *a = operand_in(run, call, object, 1, result->dtype, &result->shape);
    const char *b = operand_in(run, call, object, 2, result->dtype, &result->shape);
    if (!condition || !a || !b)
        return run->context->error.code;
    for (size_t i = 0; i < ks_array_elements(result); i++)
        memcpy((char *)result->data + i * item_size, (condition[i] ? a : b) + i * item_size, item_size);
    return KS_OK;
}

KS_FORWARD(OpSelect) {
    return KS_REAL(ks__forward_OpWhere)(run, call, object, out);
}

// 1 where the class stands, along a new axis; numbers outside the classes give none.
KS_FORWARD(OpOneHot) {
    const ks_operation *params = object->params;
    ks_array *result = out->as.array;
    int axis = ks_axis(params->axis.items[0], result->shape.rank);
    size_t item_size = ks_dtype_size(result->dtype), inner = 1, classes = (size_t)params->number, count;
    const double one = 1;
    ks_operand x;
    const int64_t *number;
    ks_code code;
    KS_TRY(ks_operand_at(&x, call, object, 0));
    number = converted(run, x.array, KS_INT64);
    if (!number)
        return run->context->error.code;
    count = ks_array_elements(x.array);
    for (int i = axis + 1; i < result->shape.rank; i++)
        inner *= (size_t)result->shape.dims[i];
    run_fill(result, 0);
    for (size_t i = 0; i < count; i++) {
        size_t place = (i / inner * classes + (size_t)number[i]) * inner + i % inner;
        if (number[i] >= 0 && number[i] < params->number)
            ks_cast((char *)result->data + place * item_size, result->dtype, &one, KS_FLOAT64, 1);
    }
done:
    return code;
}
