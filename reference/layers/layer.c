// SPDX-License-Identifier: Apache-2.0
#include <string.h>

// The declarations that do not depend on the element type.
#define KS_REAL_BITS 32
#include "layers/layer.h"

const ks_variable *ks_variable_at(const ks_object *object, size_t n) {
    for (const ks_variable *v = object->trainable_variables; v; v = v->next)
        if (n-- == 0)
            return v;
    for (const ks_variable *v = object->other_variables; v; v = v->next)
        if (n-- == 0)
            return v;
    return NULL;
}

const ks_variable *ks_variable_named(const ks_object *object, const char *name) {
    for (size_t i = 0;; i++) {
        const ks_variable *v = ks_variable_at(object, i);
        if (!v || strcmp(v->name, name) == 0)
            return v;
    }
}

const ks_object *ks_child_named(const ks_object *object, const char *attribute) {
    for (const ks_child *child = object->children; child; child = child->next)
        if (strcmp(child->attribute, attribute) == 0)
            return child->object;
    return NULL;
}

void *ks_run_memory(ks_run *run, size_t count, size_t item_size) {
    return ks_arena_get(run->arena, count ? count : 1, item_size);
}

ks_array *ks_run_array(ks_run *run, ks_dtype dtype, const ks_shape *shape) {
    ks_array *array = ks_array_new(run->arena, dtype, shape);
    if (!array)
        return NULL;
    array->data = ks_run_memory(run, ks_array_elements(array), ks_dtype_size(dtype));
    return array->data ? array : NULL;
}
