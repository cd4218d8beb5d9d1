// SPDX-License-Identifier: Apache-2.0
//
// The numeric half of custom classes: their tables' functions, on numbers.
#include "schema/custom.h"

#include <string.h>

#include "layers/layer.h"

static ks_code numeric_apply(ks_plugin_call *call, ks_object *layer, ks_array *input, ks_array **output) {
    return KS_REAL(ks_call_simple)(call->run, layer, input, output);
}

static ks_array *numeric_array(ks_plugin_call *call, const ks_shape *shape) {
    return ks_run_array(call->run, KS_REAL_DTYPE, shape);
}

static ks_code run_error(ks_run *run, const ks_object *object, const char *text) {
    return ks_fail(run->context, KS_E_MODEL_RUN, KS_STAGE_RUN, KS_NO_OFFSET, object->place, "%s \"%s\": %s",
                   object->row->name, object->name, text);
}

static ks_code composed(ks_plugin_call *plugin, ks_run *run, ks_object *object, ks_array *input, ks_array *output) {
    ks_plugin_array *result = NULL;
    ks_array *array;
    ks_code code;
    KS_TRY(object->row->custom->call(&ks_plugin_functions, plugin, (ks_plugin_object *)object, (ks_plugin_array *)input,
                                     &result));
    array = (ks_array *)result;
    if (!array || !array->data || array->dtype != KS_REAL_DTYPE || !ks_shape_equal(&array->shape, &output->shape))
        return run_error(run, object, "the result is not of the shape that was announced");
    memcpy(output->data, array->data, ks_array_elements(array) * sizeof(ks_real));
done:
    return code;
}

KS_FORWARD(custom) {
    const ks_plugin_class *custom = object->row->custom;
    ks_plugin_call plugin = {.context = run->context,
                             .call = call,
                             .run = run,
                             .registry = object->registry,
                             .bits = KS_REAL_BITS,
                             .apply = numeric_apply,
                             .array = numeric_array};
    ks_array *input = ks_call_input(call, object), *output = out->as.array;
    const ks_real *in;
    if (!input)
        return run->context->error.code;
    if (custom->call)
        return composed(&plugin, run, object, input, output);
    in = KS_REAL(ks_as_real)(run, input);
    if (!in)
        return run->context->error.code;
#if KS_REAL_BITS == 64
    if (custom->forward_double)
        return custom->forward_double(&ks_plugin_functions, &plugin, (ks_plugin_object *)object, output->data,
                                      &output->shape, in, &input->shape);
#else
    if (custom->forward_float)
        return custom->forward_float(&ks_plugin_functions, &plugin, (ks_plugin_object *)object, output->data,
                                     &output->shape, in, &input->shape);
#endif
    return run_error(run, object, "the plugin has no forward function for this type");
}
