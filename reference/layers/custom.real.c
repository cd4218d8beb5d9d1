// SPDX-License-Identifier: Apache-2.0
//
// The numeric half of custom classes: their tables' functions, on numbers.
#include "schema/custom.h"

#include <string.h>

#include "layers/layer.h"

static ks_code numeric_apply(ks_plugin_call *call, ks_object *layer, const ks_tree *arguments, ks_tree *out) {
    return KS_REAL(ks_call_layer)(call->run, layer, arguments, out);
}

static ks_array *numeric_array(ks_plugin_call *call, ks_dtype dtype, const ks_shape *shape) {
    return ks_run_array(call->run, dtype, shape);
}

static ks_plugin_call numeric_call(ks_run *run, ks_call *call, const ks_object *object) {
    ks_plugin_call plugin = {.context = run->context,
                             .call = call,
                             .run = run,
                             .registry = object->registry,
                             .bits = KS_REAL_BITS,
                             .apply = numeric_apply,
                             .array = numeric_array};
    return plugin;
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

// --- several tensors ------------------------------------------------------------------------------------------------

static ks_plugin_value **arguments_of(const ks_call *call, const ks_class *row) {
    size_t count = ks_class_argument_count(row);
    ks_plugin_value **out = ks_arena_get(call->arena, count + 1, sizeof(*out));
    for (size_t i = 0; out && i < count; i++)
        out[i] = (ks_plugin_value *)(uintptr_t)&call->arguments[i]; // a plugin cannot write to them
    return out;
}

static bool same_structure(const ks_tree *a, const ks_tree *b) {
    if (a->type != b->type)
        return false;
    if (a->type != KS_TREE_LIST && a->type != KS_TREE_DICT)
        return true;
    if (a->as.list.count != b->as.list.count)
        return false;
    for (size_t i = 0; i < a->as.list.count; i++)
        if ((a->type == KS_TREE_DICT && !ks_text_equal(a->as.list.keys[i], b->as.list.keys[i])) ||
            !same_structure(&a->as.list.items[i], &b->as.list.items[i]))
            return false;
    return true;
}

static bool copy_array(ks_array *to, const ks_array *from) {
    if (!from->data || from->dtype != to->dtype || !ks_shape_equal(&from->shape, &to->shape))
        return false;
    memcpy(to->data, from->data, ks_array_elements(from) * ks_dtype_size(from->dtype));
    return true;
}

static ks_code copy_result(ks_run *run, const ks_object *object, ks_tree *out, const ks_tree *result) {
    size_t count = ks_tree_flatten(out, NULL, 0);
    ks_array **to = ks_arena_get(run->arena, count + 1, sizeof(*to));
    ks_array **from = ks_arena_get(run->arena, count + 1, sizeof(*from));
    if (!to || !from)
        return run->context->error.code;
    if (!result || !same_structure(out, result))
        return run_error(run, object, "the result is not of the structure that was announced");
    ks_tree_flatten(out, to, count);
    ks_tree_flatten(result, from, count);
    for (size_t i = 0; i < count; i++)
        if (!copy_array(to[i], from[i]))
            return run_error(run, object, "a tensor of the result is not of the type and shape that was announced");
    return KS_OK;
}

static ks_code call_all(ks_plugin_call *plugin, ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    ks_plugin_value **arguments = arguments_of(call, object->row), *result = NULL;
    ks_code code;
    if (!arguments)
        return run->context->error.code;
    KS_TRY(object->row->custom->call_all(&ks_plugin_functions, plugin, (ks_plugin_object *)object, arguments, &result));
    code = copy_result(run, object, out, (const ks_tree *)result);
done:
    return code;
}

KS_FORWARD_MASK(custom) {
    ks_plugin_call plugin = numeric_call(run, call, object);
    ks_plugin_value **arguments = arguments_of(call, object->row);
    size_t count = ks_tree_flatten(out, NULL, 0);
    ks_plugin_array **given = ks_arena_get(run->arena, count + 1, sizeof(*given));
    ks_code code;
    if (!arguments || !given)
        return run->context->error.code;
    KS_TRY(object->row->custom->compute_mask(&ks_plugin_functions, &plugin, (ks_plugin_object *)object, arguments,
                                             given, count));
    for (size_t i = 0; i < count; i++)
        if (!given[i] != !masks[i] || (given[i] && !copy_array(masks[i], (const ks_array *)given[i])))
            return run_error(run, object, "a mask is not of the shape that was announced");
done:
    return code;
}

// --- all ------------------------------------------------------------------------------------------------------------

KS_FORWARD(custom) {
    const ks_plugin_class *custom = object->row->custom;
    ks_plugin_call plugin = numeric_call(run, call, object);
    ks_array *input, *output = out->as.array;
    const ks_real *in;
    if (custom->call_all)
        return call_all(&plugin, run, call, object, out);
    input = ks_call_input(call, object);
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
