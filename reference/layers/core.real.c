// SPDX-License-Identifier: Apache-2.0
//
// InputLayer and Dense.
#include "schema/core.h"
#include "layers/layer.h"
#include "ops/product.h"

KS_FORWARD(InputLayer) {
    (void)call;
    (void)out;
    return ks_fail(run->context, KS_E_INTERNAL, KS_STAGE_RUN, KS_NO_OFFSET, object->place, "an InputLayer was called");
}

KS_FORWARD(Dense) {
    const ks_dense *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    ks_array *result = out->as.array;
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    size_t columns = (size_t)params->units;
    size_t inner = (size_t)input->shape.dims[input->shape.rank - 1];
    if (!x)
        return run->context->error.code;
    KS_REAL(ks_matmul)(ks_reals(result), x, ks_variable_real(ks_variable_at(object, 0)),
                       params->use_bias ? ks_variable_real(ks_variable_at(object, 1)) : NULL,
                       ks_array_elements(result) / columns, inner, columns);
    return KS_REAL(ks_activate)(run, &params->activation, ks_reals(result), ks_reals(result), &result->shape);
}
