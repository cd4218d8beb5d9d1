// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_CONFIG_CUSTOM_INTERNAL_H
#define KASSAY_CONFIG_CUSTOM_INTERNAL_H

#include "schema/custom.h"

static inline const ks_object *ks__custom_object(const ks_plugin_object *self) {
    return (const ks_object *)self;
}
static inline ks_object *ks__own_object(ks_plugin_object *self) {
    return (ks_object *)self;
}
static inline ks_array *ks__custom_array(ks_plugin_array *array) {
    return (ks_array *)array;
}

/// Members of ks_plugin_host.
ks_code ks__custom_fail(ks_plugin_call *call, const ks_plugin_object *self, const char *message);
ks_plugin_type ks__custom_type(const ks_plugin_value *value);
size_t ks__custom_items(const ks_plugin_value *value);
ks_plugin_value *ks__custom_item(const ks_plugin_value *value, size_t index);
ks_plugin_value *ks__custom_member(const ks_plugin_value *value, const char *key);
ks_plugin_array *ks__custom_tensor(const ks_plugin_value *value);
bool ks__custom_truth(const ks_plugin_value *value, bool otherwise);
bool ks__custom_number(const ks_plugin_value *value, double *out);
const char *ks__custom_text(const ks_plugin_value *value);
ks_plugin_value *ks__custom_value(ks_plugin_call *call, ks_plugin_array *array);
ks_plugin_value *ks__custom_list(ks_plugin_call *call, ks_plugin_value *const *items, size_t count);
ks_plugin_value *ks__custom_dict(ks_plugin_call *call, const char *const *keys, ks_plugin_value *const *items,
                                 size_t count);
ks_code ks__custom_apply_all(ks_plugin_call *call, ks_plugin_object *layer, const char *const *names,
                             ks_plugin_value *const *values, size_t count, ks_plugin_value **output);
ks_code ks__custom_build_all(ks_plugin_call *call, ks_plugin_object *layer, const char *const *names,
                             ks_plugin_value *const *values, size_t count, ks_plugin_value **output);
const char *ks__custom_dtype(const ks_plugin_array *array);
ks_plugin_array *ks__custom_typed_array(ks_plugin_call *call, const char *dtype, const ks_shape *shape);
ks_plugin_array *ks__custom_mask(const ks_plugin_array *array);

/// Calls a layer that has one tensor in and one out.
ks_code ks__custom_apply(ks_plugin_call *call, ks_object *layer, ks_array *input, ks_array **output);
/// The same for shapes only.
ks_code ks__symbolic_apply(ks_plugin_call *call, ks_object *layer, ks_array *input, ks_array **output);
/// ks_plugin_call.apply of symbolic calls.
ks_code ks__symbolic_call_layer(ks_plugin_call *call, ks_object *layer, const ks_tree *arguments, ks_tree *out);

#endif
