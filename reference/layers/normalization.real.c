// SPDX-License-Identifier: Apache-2.0
//
// Normalization layers. Axes in the middle of a tensor are turned behind the others, normalized as rows, and turned
// back.
#include "schema/normalization.h"
#include "layers/layer.h"
#include "ops/move.h"
#include "ops/normalization.h"
#include "ops/strided.h"

static size_t product(const ks_shape *shape, int first, int last) {
    size_t count = 1;
    for (int i = first; i < last; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

static const ks_real *values_of(const ks_object *object, const char *name) {
    const ks_variable *variable = ks_variable_named(object, name);
    return variable ? ks_variable_real(variable) : NULL;
}

KS_FORWARD(BatchNormalization) {
    const ks_batch_normalization *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    const ks_shape *shape = &input->shape;
    int axis = ks_axis(params->axis, shape->rank);
    if (!x)
        return run->context->error.code;
    KS_REAL(ks_batch_norm)(ks_reals(out->as.array), x, values_of(object, "moving_mean"),
                           values_of(object, "moving_variance"), values_of(object, "gamma"), values_of(object, "beta"),
                           KS_C(params->epsilon), product(shape, 0, axis), (size_t)shape->dims[axis],
                           product(shape, axis + 1, shape->rank));
    return KS_OK;
}

KS_FORWARD(GroupNormalization) {
    const ks_layer_normalization *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    const ks_shape *shape = &input->shape;
    int axis = ks_axis(params->axis.items[0], shape->rank);
    size_t channels = (size_t)shape->dims[axis];
    if (!x)
        return run->context->error.code;
    if (channels)
        KS_REAL(ks_group_norm)(ks_reals(out->as.array), x, values_of(object, "gamma"), values_of(object, "beta"),
                               KS_C(params->epsilon), product(shape, 0, 1), product(shape, 1, axis), channels,
                               product(shape, axis + 1, shape->rank),
                               params->groups > 0 ? (size_t)params->groups : channels);
    return KS_OK;
}

// --- rows -----------------------------------------------------------------------------------------------------------

typedef struct rows {
    const ks_real *in;
    ks_real *out;
    size_t n_rows, columns;
    int order[KS_MAX_RANK]; ///< axis i of the turned tensor is axis order[i] of the input
    ks_shape turned;        ///< its shape
    bool is_turned;
} rows;

// The listed axes behind the others, both in their order.
static void find_order(rows *r, const ks_shape *shape, const bool *listed) {
    int at = 0;
    r->n_rows = r->columns = 1;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < shape->rank; i++) {
            if (listed[i] != (pass == 1))
                continue;
            *(pass ? &r->columns : &r->n_rows) *= (size_t)shape->dims[i];
            r->is_turned = r->is_turned || at != i;
            r->turned.dims[at] = shape->dims[i];
            r->order[at++] = i;
        }
    r->turned.rank = shape->rank;
}

static ks_code open_rows(rows *r, ks_run *run, const ks_array *input, ks_array *result, const ks_ints *axes) {
    bool listed[KS_MAX_RANK];
    ks_real *turned;
    ks_listed_axes(listed, axes, input->shape.rank);
    *r = (rows){.in = KS_REAL(ks_as_real)(run, input), .out = ks_reals(result)};
    if (!r->in)
        return run->context->error.code;
    find_order(r, &input->shape, listed);
    if (!r->is_turned)
        return KS_OK;
    turned = ks_run_memory(run, ks_array_elements(input), sizeof(*turned));
    if (!turned)
        return run->context->error.code;
    ks_transpose(turned, r->in, &input->shape, r->order, sizeof(*turned));
    r->in = r->out = turned;
    return KS_OK;
}

static void close_rows(const rows *r, ks_array *result) {
    int back[KS_MAX_RANK];
    if (!r->is_turned)
        return;
    for (int i = 0; i < r->turned.rank; i++)
        back[r->order[i]] = i;
    ks_transpose(result->data, r->out, &r->turned, back, sizeof(ks_real));
}

// Statistics have an element for every place along the listed axes, in the order of the axes in the tensor.
KS_FORWARD(BatchNormalizationAxes) {
    const ks_batch_normalization *params = object->params;
    rows r;
    ks_code code;
    KS_TRY(open_rows(&r, run, ks_call_input(call, object), out->as.array, &params->axes));
    KS_REAL(ks_batch_norm)(r.out, r.in, values_of(object, "moving_mean"), values_of(object, "moving_variance"),
                           values_of(object, "gamma"), values_of(object, "beta"), KS_C(params->epsilon), r.n_rows,
                           r.columns, 1);
    close_rows(&r, out->as.array);
done:
    return code;
}

KS_FORWARD(LayerNormalization) {
    const ks_layer_normalization *params = object->params;
    rows r;
    ks_code code;
    KS_TRY(open_rows(&r, run, ks_call_input(call, object), out->as.array, &params->axis));
    if (params->rms_scaling)
        KS_REAL(ks_variance_scaling)(r.out, r.in, values_of(object, "gamma"), KS_C(params->epsilon), r.n_rows,
                                     r.columns);
    else
        KS_REAL(ks_layer_norm)(r.out, r.in, values_of(object, "gamma"), values_of(object, "beta"),
                               KS_C(params->epsilon), r.n_rows, r.columns);
    close_rows(&r, out->as.array);
done:
    return code;
}

KS_FORWARD(UnitNormalization) {
    const ks_layer_normalization *params = object->params;
    rows r;
    ks_code code;
    KS_TRY(open_rows(&r, run, ks_call_input(call, object), out->as.array, &params->axis));
    KS_REAL(ks_unit_norm)(r.out, r.in, r.n_rows, r.columns);
    close_rows(&r, out->as.array);
done:
    return code;
}

KS_FORWARD(RMSNormalization) {
    const ks_layer_normalization *params = object->params;
    const ks_variable *scale = ks_variable_at(object, 0);
    ks_array *result = out->as.array;
    size_t count = ks_array_elements(result);
    ks_real *factors = ks_run_memory(run, count, sizeof(*factors));
    rows r;
    ks_code code;
    if (!factors)
        return run->context->error.code;
    KS_TRY(open_rows(&r, run, ks_call_input(call, object), result, &params->axis));
    KS_REAL(ks_rms_norm)(r.out, r.in, KS_C(params->epsilon), r.n_rows, r.columns);
    close_rows(&r, result);
    ks_broadcast_to(factors, &result->shape, ks_variable_real(scale), &scale->shape, sizeof(*factors));
    for (size_t i = 0; i < count; i++)
        ks_reals(result)[i] *= factors[i];
done:
    return code;
}
