// SPDX-License-Identifier: Apache-2.0
//
// What build and infer functions of the rows call.
#include <stdarg.h>
#include <stdio.h>

#include "base/checked.h"
#include "schema/broadcast.h"
#include "schema/class.h"

static const char *argument_name(const ks_class *row, size_t index) {
    return row->arguments ? row->arguments[index] : "inputs";
}

static const ks_value *class_config_value(const ks_object *object, const char *key) {
    return object->config ? ks_value_get(object->config, key) : NULL;
}

ks_code ks_shape_error(ks_context *context, const ks_object *object, const char *format, ...) {
    char message[256];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof(message), format, list);
    va_end(list);
    return ks_fail(context, KS_E_CONFIG_SHAPE, KS_STAGE_CONFIG, object->config ? object->config->offset : KS_NO_OFFSET,
                   object->place, "%s \"%s\": %s", object->row->name, object->name, message);
}

ks_code ks_key_error(ks_context *context, ks_code code, const ks_object *object, const char *key, const char *format,
                     ...) {
    char message[256], place[256];
    const ks_value *value = class_config_value(object, key);
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof(message), format, list);
    va_end(list);
    snprintf(place, sizeof(place), "%.200s/%.50s", object->place ? object->place : "", key);
    return ks_fail(context, code, KS_STAGE_CONFIG, value ? value->offset : KS_NO_OFFSET, place, "%s", message);
}

ks_array *ks_call_input(ks_call *call, const ks_object *object) {
    const ks_tree *first = &call->arguments[0];
    if (first->type == KS_TREE_ARRAY)
        return first->as.array;
    if (first->type == KS_TREE_LIST && first->as.list.count == 1 && first->as.list.items[0].type == KS_TREE_ARRAY)
        return first->as.list.items[0].as.array;
    ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
            "%s \"%s\": expected one tensor as %s", object->row->name, object->name, argument_name(object->row, 0));
    return NULL;
}

ks_array *ks_call_array(const ks_call *call, size_t index) {
    return call->arguments[index].type == KS_TREE_ARRAY ? call->arguments[index].as.array : NULL;
}

bool ks_call_flag(const ks_call *call, size_t index, bool otherwise) {
    const ks_tree *tree = &call->arguments[index];
    if (tree->type != KS_TREE_VALUE || tree->as.value->type != KS_VALUE_BOOL)
        return otherwise;
    return tree->as.value->as.boolean;
}

ks_code ks_call_check_rank(ks_call *call, const ks_object *object, const ks_array *input, int minimum, int maximum) {
    char text[256];
    if (input->shape.rank >= minimum && (maximum < 0 || input->shape.rank <= maximum))
        return KS_OK;
    ks_shape_format(&input->shape, text, sizeof(text));
    if (minimum == maximum)
        return ks_shape_error(call->context, object, "expected a tensor of rank %d, found shape %s", minimum, text);
    return ks_shape_error(call->context, object, "expected a tensor of rank %d or more, found shape %s", minimum, text);
}

ks_code ks_result(ks_tree *out, ks_call *call, ks_dtype dtype, const ks_shape *shape) {
    ks_array *array = ks_array_new(call->arena, dtype == KS_DTYPE_NONE ? call->real : dtype, shape);
    *out = ks_tree_of(array);
    return array ? KS_OK : call->context->error.code;
}

ks_code ks_add_variable(ks_call *call, ks_object *object, const char *name, const ks_shape *shape, ks_dtype dtype,
                        bool trainable) {
    ks_variable *variable;
    ks_variable **end = trainable ? &object->trainable_variables : &object->other_variables;
    uint64_t elements;
    char text[256];

    if (!ks_shape_elements(shape, &elements))
        return ks_shape_error(call->context, object, "variable \"%s\" would have shape %s", name,
                              ks_shape_format(shape, text, sizeof(text)));
    if (elements > call->context->limits.tensor_elements)
        return ks_fail(call->context, KS_E_WEIGHTS_TOO_LARGE, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "variable \"%s\" would have shape %s; the limit is %llu elements", name,
                       ks_shape_format(shape, text, sizeof(text)),
                       (unsigned long long)call->context->limits.tensor_elements);
    variable = ks_arena_get(call->arena, 1, sizeof(*variable));
    if (!variable)
        return call->context->error.code;
    variable->name = name;
    variable->owner = object;
    ks_shape_copy(&variable->shape, shape);
    variable->dtype = dtype == KS_DTYPE_NONE ? object->variable_dtype : dtype;
    variable->trainable = trainable;
    while (*end)
        end = &(*end)->next;
    *end = variable;
    return KS_OK;
}

ks_code ks_add_kept_variable(ks_variable **out, ks_call *call, ks_object *object, const char *key, bool kept) {
    ks_variable *variable = ks_arena_get(call->arena, 1, sizeof(*variable));
    ks_variable **end = kept ? &object->kept_variables : &object->other_variables;
    *out = variable;
    if (!variable)
        return call->context->error.code;
    variable->name = variable->key = key;
    variable->owner = object;
    variable->shape.rank = 1;
    variable->dtype = KS_FLOAT32;
    variable->open_ended = true;
    while (*end)
        end = &(*end)->next;
    *end = variable;
    return KS_OK;
}

bool ks_config_dtype_is(const ks_object *object, const char *name) {
    const ks_value *value = class_config_value(object, "dtype");
    const ks_value *config = value ? ks_value_get(value, "config") : NULL;
    const ks_value *found = config ? ks_value_get(config, "name") : value;
    return found && ks_value_is_text(found, name);
}

ks_code ks_add_child(ks_call *call, ks_object *object, const char *attribute, bool member, ks_object *child) {
    ks_child *link = ks_arena_get(call->arena, 1, sizeof(*link));
    if (!link)
        return call->context->error.code;
    link->attribute = attribute;
    link->member = member;
    link->object = child;
    if (object->last_child)
        object->last_child->next = link;
    else
        object->children = link;
    object->last_child = link;
    return KS_OK;
}

ks_code ks_make_child(ks_object **out, ks_call *call, ks_object *object, const char *attribute, const char *name,
                      const ks_class *row) {
    ks_object *child = ks_arena_get(call->arena, 1, sizeof(*child));
    void *params = ks_arena_get(call->arena, 1, row->params_size ? row->params_size : 1);
    if (!child || !params)
        return call->context->error.code;
    child->row = row;
    child->name = name;
    child->place = object->place;
    child->params = params;
    child->trainable = object->trainable;
    child->dialect = object->dialect;
    child->multi_backend = object->multi_backend;
    child->theano = object->theano;
    child->version = object->version;
    child->compute_dtype = object->compute_dtype;
    child->variable_dtype = object->variable_dtype;
    child->parent = object;
    *out = child;
    return ks_add_child(call, object, attribute, false, child);
}

ks_code ks_build(ks_call *call, ks_object *child, const ks_tree *arguments) {
    ks_call inner = *call;
    ks_code code = KS_OK;
    if (child->built)
        return KS_OK;
    if (++inner.depth > (int)call->context->limits.model_depth)
        return ks_fail(call->context, KS_E_CONFIG_DEPTH, KS_STAGE_CONFIG, KS_NO_OFFSET, child->place,
                       "layers are nested more than %d deep", (int)call->context->limits.model_depth);
    inner.arguments = arguments;
    inner.real = child->compute_dtype;
    child->built = true;
    if (child->row->build)
        code = child->row->build(&inner, child);
    if (code != KS_OK)
        child->built = false;
    return code;
}

static bool has_other_floats(const ks_tree *tree, ks_dtype dtype) {
    bool found = false;
    if (tree->type == KS_TREE_ARRAY)
        return ks_dtype_is_floating(tree->as.array->dtype) && tree->as.array->dtype != dtype;
    if (tree->type == KS_TREE_LIST || tree->type == KS_TREE_DICT)
        for (size_t i = 0; i < tree->as.list.count && !found; i++)
            found = has_other_floats(&tree->as.list.items[i], dtype);
    return found;
}

static ks_code cast_floats(ks_tree *out, ks_call *call, const ks_tree *tree, ks_dtype dtype) {
    ks_code code = KS_OK;
    *out = *tree;
    if (!has_other_floats(tree, dtype))
        return KS_OK;
    if (tree->type == KS_TREE_ARRAY) {
        out->as.array = ks_array_new(call->arena, dtype, &tree->as.array->shape);
        if (!out->as.array)
            return call->context->error.code;
        out->as.array->mask = tree->as.array->mask;
        return KS_OK;
    }
    out->as.list.items = ks_arena_get(call->arena, tree->as.list.count + 1, sizeof(ks_tree));
    if (!out->as.list.items)
        return call->context->error.code;
    for (size_t i = 0; i < tree->as.list.count && code == KS_OK; i++)
        code = cast_floats(&out->as.list.items[i], call, &tree->as.list.items[i], dtype);
    return code;
}

// Layers cast floating tensors to the type that they compute in; operations take them as they are, and models of Keras
// 2 cast them to the types of their inputs.
static ks_code autocast(const ks_tree **arguments, ks_call *call, const ks_object *child) {
    size_t count = ks_class_argument_count(child->row);
    ks_tree *cast;
    ks_code code = KS_OK;
    if (child->row->kind == KS_KIND_OPERATION || !ks_dtype_is_floating(child->compute_dtype) ||
        (child->row->kind == KS_KIND_MODEL && ks_is_old(child)))
        return KS_OK;
    cast = ks_arena_get(call->arena, count + 1, sizeof(*cast));
    if (!cast)
        return call->context->error.code;
    for (size_t i = 0; i < count && code == KS_OK; i++)
        code = cast_floats(&cast[i], call, &(*arguments)[i], child->compute_dtype);
    *arguments = cast;
    return code;
}

static bool has_integers(const ks_tree *tree) {
    bool found = false;
    if (tree->type == KS_TREE_ARRAY)
        return tree->as.array->dtype >= KS_INT8 && tree->as.array->dtype <= KS_UINT64;
    if (tree->type == KS_TREE_LIST || tree->type == KS_TREE_DICT)
        for (size_t i = 0; i < tree->as.list.count && !found; i++)
            found = has_integers(&tree->as.list.items[i]);
    return found;
}

static ks_code check_integers(ks_call *call, const ks_object *child, const ks_tree *arguments) {
    ks_integer_rule rule = child->row->integers;
    bool refuses = rule == KS_INTEGERS_REFUSED || (rule == KS_INTEGERS_REFUSED_KERAS2 && ks_is_old(child));
    if (!refuses || !has_integers(&arguments[0]))
        return KS_OK;
    return ks_fail(call->context, KS_E_CONFIG_UNSUPPORTED_VALUE, KS_STAGE_CONFIG, KS_NO_OFFSET, child->place,
                   "%s \"%s\": what it makes of integers cannot be run by this reference", child->row->name,
                   child->name);
}

ks_code ks_infer(ks_tree *out, ks_call *call, ks_object *child, const ks_tree *arguments) {
    ks_call inner = *call;
    ks_array *input;
    ks_code code;
    if (call->symbolic) {
        inner.real = child->compute_dtype;
        code = autocast(&arguments, call, child);
        if (code == KS_OK)
            code = ks_build(call, child, arguments);
        if (code != KS_OK)
            return code;
    }
    if (++inner.depth > (int)call->context->limits.model_depth)
        return ks_fail(call->context, KS_E_CONFIG_DEPTH, KS_STAGE_CONFIG, KS_NO_OFFSET, child->place,
                       "layers are nested more than %d deep", (int)call->context->limits.model_depth);
    inner.arguments = arguments;
    code = check_integers(call, child, arguments);
    if (code != KS_OK)
        return code;
    if (child->row->infer)
        return child->row->infer(out, &inner, child);
    input = ks_call_input(&inner, child);
    if (!input)
        return call->context->error.code;
    return ks_result(out, &inner, KS_DTYPE_NONE, &input->shape);
}
