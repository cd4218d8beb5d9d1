// SPDX-License-Identifier: Apache-2.0
//
// EinsumDense, Embedding, Masking, Identity, TimeDistributed.
#include "schema/core_layers.h"

#include <string.h>

#include "base/cast.h"
#include "layers/layer.h"
#include "ops/einsum.h"
#include "ops/strided.h"
#include "schema/wrapper.h"

// --- EinsumDense ----------------------------------------------------------------------------------------------------

static ks_code add_bias(ks_run *run, ks_array *result, const ks_variable *bias) {
    size_t count = ks_array_elements(result);
    ks_real *full = ks_run_memory(run, count, sizeof(*full)), *y = ks_reals(result);
    if (!full)
        return run->context->error.code;
    ks_broadcast_to(full, &result->shape, ks_variable_real(bias), &bias->shape, sizeof(*full));
    for (size_t i = 0; i < count; i++)
        y[i] += full[i];
    return KS_OK;
}

KS_FORWARD(EinsumDense) {
    const ks_einsum_dense *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    const ks_variable *kernel = ks_variable_at(object, 0), *bias = ks_variable_at(object, 1);
    ks_array *result = out->as.array;
    char in_labels[KS_MAX_RANK], out_labels[KS_MAX_RANK];
    ks_labelled in_axes = {&input->shape, in_labels}, out_axes = {&result->shape, out_labels};
    ks_labelled kernel_axes = {&kernel->shape, params->parsed.kernel};
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    ks_code code = KS_OK;
    if (!x)
        return run->context->error.code;
    ks_equation_labels(in_labels, &params->parsed, params->parsed.input, input->shape.rank);
    ks_equation_labels(out_labels, &params->parsed, params->parsed.output, result->shape.rank);
    if (!KS_REAL(ks_einsum)(run->arena, ks_reals(result), out_axes, x, in_axes, ks_variable_real(kernel), kernel_axes))
        return run->context->error.code;
    if (bias)
        KS_TRY(add_bias(run, result, bias));
    code = KS_REAL(ks_activate)(run, &params->activation, ks_reals(result), ks_reals(result), &result->shape);
done:
    return code;
}

// --- Embedding ------------------------------------------------------------------------------------------------------

// Row numbers: floats are truncated to 32 bits, numbers below zero count from the end.
static const int64_t *row_numbers(ks_run *run, const ks_array *input) {
    size_t count = ks_array_elements(input);
    int64_t *rows = ks_run_memory(run, count, sizeof(*rows));
    if (rows)
        ks_cast(rows, KS_INT64, input->data, input->dtype, count);
    return rows;
}

KS_FORWARD(Embedding) {
    const ks_embedding *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    const ks_real *table = ks_variable_real(ks_variable_at(object, 0));
    const int64_t *rows = row_numbers(run, input);
    ks_real *y = ks_reals(out->as.array);
    size_t width = (size_t)params->output_dim;
    if (!rows)
        return run->context->error.code;
    for (size_t i = 0; i < ks_array_elements(input); i++) {
        size_t row;
        if (!ks_row_of(&row, object, rows[i], (size_t)params->input_dim))
            return ks_fail(run->context, KS_E_MODEL_INPUTS, KS_STAGE_RUN, KS_NO_OFFSET, object->place,
                           "Embedding \"%s\": expected a row of %lld, found %lld", object->name,
                           (long long)params->input_dim, (long long)rows[i]);
        memcpy(y + i * width, table + row * width, width * sizeof(*y));
    }
    return KS_OK;
}

KS_FORWARD_MASK(Embedding) {
    const ks_array *input = ks_call_input(call, object);
    (void)run;
    (void)out;
    if (masks[0])
        ks_cast(masks[0]->data, KS_BOOL8, input->data, input->dtype, ks_array_elements(input));
    return KS_OK;
}

// --- Masking --------------------------------------------------------------------------------------------------------

// The value that marks a masked step, in the input's shape.
static const ks_real *mask_values(ks_run *run, const ks_masking *params, const ks_shape *shape, size_t count) {
    size_t n = params->mask_value.count;
    ks_real *small = ks_run_memory(run, n, sizeof(*small)), *full = ks_run_memory(run, count, sizeof(*full));
    if (!small || !full)
        return NULL;
    for (size_t i = 0; i < n; i++)
        small[i] = (ks_real)params->mask_value.items[i];
    ks_broadcast_to(full, shape, small, &params->mask_value.shape, sizeof(*full));
    return full;
}

static bool step_differs(const ks_real *x, const ks_real *value, size_t width) {
    for (size_t i = 0; i < width; i++)
        if (x[i] != value[i])
            return true;
    return false;
}

KS_FORWARD(Masking) {
    const ks_array *input = ks_call_input(call, object);
    size_t count = ks_array_elements(input), width = (size_t)input->shape.dims[input->shape.rank - 1];
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    const ks_real *value = mask_values(run, object->params, &input->shape, count);
    ks_real *y = ks_reals(out->as.array);
    if (!x || !value)
        return run->context->error.code;
    for (size_t i = 0; i < count; i += width) {
        if (step_differs(x + i, value + i, width))
            memcpy(y + i, x + i, width * sizeof(*y));
        else
            memset(y + i, 0, width * sizeof(*y));
    }
    return KS_OK;
}

KS_FORWARD_MASK(Masking) {
    const ks_array *input = ks_call_input(call, object);
    size_t count = ks_array_elements(input), width = (size_t)input->shape.dims[input->shape.rank - 1];
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    const ks_real *value = mask_values(run, object->params, &input->shape, count);
    (void)out;
    if (!x || !value)
        return run->context->error.code;
    for (size_t i = 0; width && i < count / width; i++)
        ((bool *)masks[0]->data)[i] = step_differs(x + i * width, value + i * width, width);
    return KS_OK;
}

// --- Identity -------------------------------------------------------------------------------------------------------

static void copy_leaves(const ks_tree *out, const ks_tree *in) {
    if (in->type == KS_TREE_ARRAY)
        memcpy(out->as.array->data, in->as.array->data,
               ks_array_elements(in->as.array) * ks_dtype_size(in->as.array->dtype));
    if (in->type == KS_TREE_LIST || in->type == KS_TREE_DICT)
        for (size_t i = 0; i < in->as.list.count; i++)
            copy_leaves(&out->as.list.items[i], &in->as.list.items[i]);
}

KS_FORWARD(IdentityLayer) {
    (void)run;
    (void)object;
    copy_leaves(out, &call->arguments[0]);
    return KS_OK;
}

// --- TimeDistributed ------------------------------------------------------------------------------------------------

// Batch and time as one axis: the same memory under another shape.
static ks_array *folded(ks_run *run, const ks_array *array) {
    ks_shape shape = array->shape;
    ks_array *out;
    shape.dims[0] *= shape.dims[1];
    for (int i = 1; i + 1 < shape.rank; i++)
        shape.dims[i] = shape.dims[i + 1];
    shape.rank--;
    out = ks_array_new(run->arena, array->dtype, &shape);
    if (out)
        out->data = array->data;
    return out;
}

// No layer mixes the samples of a batch at inference, so every step of every sample is one sample of the wrapped layer.
KS_FORWARD(TimeDistributed) {
    const ks_wrapper *params = object->params;
    const ks_array *input = ks_call_input(call, object), *mask = ks_call_array(call, 2);
    ks_array *result = out->as.array, *steps = folded(run, input), *step_mask = NULL;
    ks_tree *arguments, inner;
    ks_code code;
    if (mask && (mask->shape.rank < 2 || mask->shape.dims[0] != input->shape.dims[0] ||
                 mask->shape.dims[1] != input->shape.dims[1]))
        return ks_shape_error(run->context, object, "the mask does not fit the input's batch and time");
    if (mask)
        step_mask = folded(run, mask);
    if (!steps || (mask && !step_mask))
        return run->context->error.code;
    arguments = ks_single_arguments(call, params->layer, steps, step_mask);
    if (!arguments)
        return run->context->error.code;
    KS_TRY(KS_REAL(ks_call_layer)(run, params->layer, arguments, &inner));
    if (inner.type != KS_TREE_ARRAY || ks_array_elements(inner.as.array) != ks_array_elements(result))
        return ks_shape_error(run->context, object, "the wrapped layer must return one tensor");
    memcpy(result->data, inner.as.array->data, ks_array_elements(result) * ks_dtype_size(result->dtype));
done:
    return code;
}
