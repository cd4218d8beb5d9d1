// SPDX-License-Identifier: Apache-2.0
//
// The numeric half of a class: forward. One file per family, `layers/FAMILY.real.c`, which defines KS_FORWARD(Name) for
// each KS_LAYER(Name) of schema/classes.def. The outputs were sized by the row's infer and allocated before forward is
// called.
#ifndef KASSAY_LAYERS_LAYER_H
#define KASSAY_LAYERS_LAYER_H

#include "layers/run.h"
#include "ops/real.h"
#include "schema/class.h"

/// Fills the data of `out`. `call->arguments` are concrete arrays: floating ones hold ks_real, integers and bools what
/// their dtype says.
#define KS_FORWARD(class_name)                                                                                         \
    ks_code KS_REAL(ks__forward_##class_name)(ks_run * run, ks_call * call, ks_object * object, ks_tree * out)

/// KS_MASK_CUSTOM layers: fills the data of the masks that compute_mask announced (same order, NULL: none).
#define KS_FORWARD_MASK(class_name)                                                                                    \
    ks_code KS_REAL(ks__forward_mask_##class_name)(ks_run * run, ks_call * call, ks_object * object,                   \
                                                   const ks_tree *out, ks_array **masks)

/// Of every custom class.
KS_FORWARD(custom);
KS_FORWARD_MASK(custom);

#define KS_LAYER(name) KS_FORWARD(name);
#define KS_MASKED_LAYER(name)                                                                                          \
    KS_FORWARD(name);                                                                                                  \
    KS_FORWARD_MASK(name);
#define KS_OBJECT(name)
#include "schema/classes.def"
#undef KS_LAYER
#undef KS_MASKED_LAYER
#undef KS_OBJECT

static inline const ks_real *ks_variable_real(const ks_variable *variable) {
    return variable->real[KS_REAL_BITS == 64];
}
/// The n-th own variable: trainable ones first, then the others; NULL beyond the end.
const ks_variable *ks_variable_at(const ks_object *object, size_t n);
/// The own variable of this name, or NULL.
const ks_variable *ks_variable_named(const ks_object *object, const char *name);
const ks_object *ks_child_named(const ks_object *object, const char *attribute);

static inline ks_real *ks_reals(const ks_array *array) {
    return array->data;
}
/// Memory for `count` items that lives until the run ends.
void *ks_run_memory(ks_run *run, size_t count, size_t item_size);
/// A new array with data that lives until the run ends; NULL with the error set.
ks_array *ks_run_array(ks_run *run, ks_dtype dtype, const ks_shape *shape);

/// Calls a child with one tensor.
ks_code KS_REAL(ks_call_simple)(ks_run *run, ks_object *layer, ks_array *input, ks_array **out);
/// Applies an activation, also one that is a layer, over [..., last]; `in` may equal `out` except for glu.
/// `shape` is the shape of `in`.
ks_code KS_REAL(ks_activate)(ks_run *run, const ks_activation *activation, ks_real *out, const ks_real *in,
                             const ks_shape *shape);
/// The array's elements as ks_real: itself when floating, a converted copy of ints and bools.
const ks_real *KS_REAL(ks_as_real)(ks_run *run, const ks_array *array);

#endif
