// SPDX-License-Identifier: Apache-2.0
//
// Structures of tensors, as a plugin sees them: a ks_plugin_value is a ks_tree.
#include "config/custom_internal.h"

#include <string.h>

static const ks_tree *tree_of(const ks_plugin_value *value) {
    return (const ks_tree *)value;
}

static bool has_items(const ks_plugin_value *value) {
    return value && (tree_of(value)->type == KS_TREE_LIST || tree_of(value)->type == KS_TREE_DICT);
}

// --- looking --------------------------------------------------------------------------------------------------------

ks_plugin_type ks__custom_type(const ks_plugin_value *value) {
    if (!value)
        return KS_PLUGIN_NONE;
    switch (tree_of(value)->type) {
    case KS_TREE_ARRAY:
        return KS_PLUGIN_TENSOR;
    case KS_TREE_LIST:
        return KS_PLUGIN_LIST;
    case KS_TREE_DICT:
        return KS_PLUGIN_DICT;
    case KS_TREE_VALUE:
        return KS_PLUGIN_PLAIN;
    case KS_TREE_NONE:
    case KS_TREE_SLOT: // of recorded arguments only
        break;
    }
    return KS_PLUGIN_NONE;
}

size_t ks__custom_items(const ks_plugin_value *value) {
    return has_items(value) ? tree_of(value)->as.list.count : 0;
}

ks_plugin_value *ks__custom_item(const ks_plugin_value *value, size_t index) {
    return index < ks__custom_items(value) ? (ks_plugin_value *)&tree_of(value)->as.list.items[index] : NULL;
}

ks_plugin_value *ks__custom_member(const ks_plugin_value *value, const char *key) {
    for (size_t i = 0; value && tree_of(value)->type == KS_TREE_DICT && i < tree_of(value)->as.list.count; i++)
        if (ks_text_is(tree_of(value)->as.list.keys[i], key))
            return (ks_plugin_value *)&tree_of(value)->as.list.items[i];
    return NULL;
}

ks_plugin_array *ks__custom_tensor(const ks_plugin_value *value) {
    return value && tree_of(value)->type == KS_TREE_ARRAY ? (ks_plugin_array *)tree_of(value)->as.array : NULL;
}

static const ks_value *plain_of(const ks_plugin_value *value) {
    return value && tree_of(value)->type == KS_TREE_VALUE ? tree_of(value)->as.value : NULL;
}

bool ks__custom_number(const ks_plugin_value *value, double *out) {
    return ks_value_number(plain_of(value), out);
}

const char *ks__custom_text(const ks_plugin_value *value) {
    const ks_value *plain = plain_of(value);
    return plain && plain->type == KS_VALUE_STRING ? plain->text.data : NULL;
}

bool ks__custom_truth(const ks_plugin_value *value, bool otherwise) {
    const ks_value *plain = plain_of(value);
    return plain && plain->type == KS_VALUE_BOOL ? plain->as.boolean : otherwise;
}

const char *ks__custom_dtype(const ks_plugin_array *array) {
    return ks_dtype_name(((const ks_array *)array)->dtype);
}

ks_plugin_array *ks__custom_mask(const ks_plugin_array *array) {
    return (ks_plugin_array *)((const ks_array *)array)->mask;
}

// --- making ---------------------------------------------------------------------------------------------------------

ks_plugin_value *ks__custom_value(ks_plugin_call *call, ks_plugin_array *array) {
    ks_tree *tree = ks_arena_get(call->call->arena, 1, sizeof(*tree));
    if (tree)
        *tree = ks_tree_of(ks__custom_array(array));
    return (ks_plugin_value *)tree;
}

ks_plugin_value *ks__custom_list(ks_plugin_call *call, ks_plugin_value *const *items, size_t count) {
    ks_tree *tree = ks_arena_get(call->call->arena, 1, sizeof(*tree));
    if (tree)
        *tree = ks_tree_list(call->call->arena, count);
    if (!tree || !tree->as.list.items)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!items[i])
            return NULL;
        tree->as.list.items[i] = *tree_of(items[i]);
    }
    return (ks_plugin_value *)tree;
}

ks_plugin_value *ks__custom_dict(ks_plugin_call *call, const char *const *keys, ks_plugin_value *const *items,
                                 size_t count) {
    ks_tree *tree = (ks_tree *)ks__custom_list(call, items, count);
    if (!tree)
        return NULL;
    tree->type = KS_TREE_DICT;
    tree->as.list.keys = ks_arena_get(call->call->arena, count + 1, sizeof(ks_text));
    if (!tree->as.list.keys)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const char *key = ks_arena_format(call->call->arena, "%s", keys[i]);
        if (!key)
            return NULL;
        tree->as.list.keys[i] = ks_text_from(key);
    }
    return (ks_plugin_value *)tree;
}

ks_plugin_array *ks__custom_typed_array(ks_plugin_call *call, const char *dtype, const ks_shape *shape) {
    ks_dtype type = ks_dtype_by_name(ks_text_from(dtype));
    if (type == KS_DTYPE_NONE || type == KS_STRING)
        return NULL;
    if (strncmp(dtype, "float", 5) == 0)
        type = call->call->real;
    return (ks_plugin_array *)call->array(call, type, shape);
}

// --- calling --------------------------------------------------------------------------------------------------------

ks_code ks__symbolic_call_layer(ks_plugin_call *call, ks_object *layer, const ks_tree *arguments, ks_tree *out) {
    return ks_infer(out, call->call, layer, arguments);
}

static ks_code one_tensor(ks_plugin_call *call, const ks_object *layer, const ks_tree *result, ks_array **output) {
    if (result->type != KS_TREE_ARRAY)
        return ks_shape_error(call->context, layer, "expected one tensor as the result");
    *output = result->as.array;
    return KS_OK;
}

ks_code ks__custom_apply(ks_plugin_call *call, ks_object *layer, ks_array *input, ks_array **output) {
    size_t count = ks_class_argument_count(layer->row);
    ks_tree *arguments = ks_arena_get(call->call->arena, count + 1, sizeof(*arguments)), result;
    ks_code code;
    if (!arguments)
        return call->context->error.code;
    arguments[0] = ks_tree_of(input);
    KS_TRY(call->apply(call, layer, arguments, &result));
    code = one_tensor(call, layer, &result, output);
done:
    return code;
}

ks_code ks__symbolic_apply(ks_plugin_call *call, ks_object *layer, ks_array *input, ks_array **output) {
    ks_plugin_call symbolic = *call;
    symbolic.apply = ks__symbolic_call_layer;
    return ks__custom_apply(&symbolic, layer, input, output);
}

static size_t argument_at(const ks_class *row, const char *name) {
    size_t count = ks_class_argument_count(row);
    if (!row->arguments)
        return strcmp(name, "inputs") == 0 ? 0 : count;
    for (size_t i = 0; i < count; i++)
        if (strcmp(row->arguments[i], name) == 0)
            return i;
    return count;
}

ks_code ks__custom_apply_all(ks_plugin_call *call, ks_plugin_object *layer, const char *const *names,
                             ks_plugin_value *const *values, size_t count, ks_plugin_value **output) {
    ks_object *object = ks__own_object(layer);
    size_t n_arguments = ks_class_argument_count(object->row);
    ks_tree *arguments = ks_arena_get(call->call->arena, n_arguments + 1, sizeof(*arguments));
    ks_tree *result = ks_arena_get(call->call->arena, 1, sizeof(*result));
    ks_code code;
    if (!arguments || !result)
        return call->context->error.code;
    for (size_t i = 0; i < count; i++) {
        size_t at = argument_at(object->row, names[i]);
        if (at == n_arguments || !values[i])
            return ks__custom_fail(call, layer, "it is called with an argument that it does not have");
        arguments[at] = *tree_of(values[i]);
    }
    KS_TRY(call->apply(call, object, arguments, result));
    if (output)
        *output = (ks_plugin_value *)result;
done:
    return code;
}

ks_code ks__custom_build_all(ks_plugin_call *call, ks_plugin_object *layer, const char *const *names,
                             ks_plugin_value *const *values, size_t count, ks_plugin_value **output) {
    ks_plugin_call inner = *call;
    inner.apply = ks__symbolic_call_layer;
    return ks__custom_apply_all(&inner, layer, names, values, count, output);
}
