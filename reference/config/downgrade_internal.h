// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_CONFIG_DOWNGRADE_INTERNAL_H
#define KASSAY_CONFIG_DOWNGRADE_INTERNAL_H

#include "base/name_table.h"
#include "base/value_make.h"
#include "config/downgrade.h"
#include "schema/class.h"

typedef struct ks__downgrade {
    ks_context *context;
    ks_arena *arena;
    ks_losses *losses;
    int depth;                          ///< of records in records
    const struct ks_registry *registry; ///< custom classes
    int kept;   ///< inside of the config of a class of someone's own, which reads records itself
    bool alone; ///< a single object, not in a file: every key, in tf_keras's order
    bool early; ///< in the words of Keras 2.3 (downgrade_early.c), not in those of tf_keras
} ks__downgrade;

/// Fails with KS_E_SAVE_NO_WORD: the model would not work without it, so that no loss can be allowed.
#if defined(__GNUC__)
__attribute__((cold, format(printf, 3, 4)))
#endif
ks_code
ks__no_word(ks__downgrade *d, const char *place, const char *format, ...);

/// A layer or model.
ks_code ks__downgrade_record(ks_value *out, ks__downgrade *d, const ks_value *record, const char *place);
/// Any value in a config: records of initializers, policies, arrays, … inside it are taken apart.
ks_code ks__downgrade_value(ks_value *out, ks__downgrade *d, const ks_value *value, const char *place);
ks_code ks__downgrade_functional(ks_value *out, ks__downgrade *d, const ks_value *config, const char *place);
/// Gives a layer's config the order and all keys of tf_keras. `was`: the config that was read, when it was of Keras 2.
ks_code ks__downgrade_order(ks_value *config, ks__downgrade *d, const char *class_name, const ks_value *was);
/// A whole model, in the words that `d` asks for.
ks_code ks__downgrade_model(ks_value *out, ks__downgrade *d, const ks_value *record, const char *document);

// From the words of tf_keras to those of Keras 2.3; all change what was just made.

/// The config of a layer.
ks_code ks__early_layer(ks_value *config, ks__downgrade *d, const char *class_name, const char *place);
/// Name and config of an initializer, regularizer or constraint; `*name` is null when it was left out.
ks_code ks__early_object(ks_value *name, ks_value *config, ks__downgrade *d, ks_kind kind, const char *place);
/// Whether there is a function of this name.
ks_code ks__early_activation(const ks_value *word, ks__downgrade *d, const char *place);
/// The config of a graph.
ks_code ks__early_functional(ks_value *config, ks__downgrade *d, const char *place);
/// The layers of a Sequential model.
ks_code ks__early_sequential(ks_value *layers, ks__downgrade *d);

/// PLACE/KEY in the arena.
const char *ks__below(ks__downgrade *d, const char *place, ks_text key);
ks_code ks__downgrade_put(ks__downgrade *d, ks_value *dict, const char *key, ks_value value);
ks_code ks__downgrade_put_text(ks__downgrade *d, ks_value *dict, ks_text key, ks_value value);
/// A value that prints as this JSON text.
bool ks__prints_as(ks__downgrade *d, const ks_value *value, const char *text);
bool ks__is_operation(const ks_value *record);
/// The class of a record, custom ones too; NULL when it is unknown.
const ks_class *ks__downgrade_row(const ks__downgrade *d, const ks_value *record);
bool ks__is_tensor(const ks_value *value);
typedef enum ks__name_kind {
    KS__NAME_OF_MODEL, ///< the outermost
    KS__NAME_OF_LAYER, ///< among the layers of a model
    KS__NAME_OF_PART,  ///< of another layer: a cell, what a wrapper wraps
} ks__name_kind;
/// Refuses names that cannot be scopes of TensorFlow, where the thing of this name becomes one.
ks_code ks__downgrade_name(ks__downgrade *d, const ks_value *record, ks__name_kind kind, const char *place);
/// A call of an operation on its way to TensorFlow.
typedef struct ks__tf_call {
    ks__downgrade *d;
    const char *place;
    const char *class_name;
    const ks_value *first; ///< its first argument, as Keras 3 writes it
    ks_value *kwargs;      ///< the arguments of the function so far; room for one more
} ks__tf_call;

/// What TensorFlow calls an operation, and its parameters: `names` in the order of the arguments of Keras's operation.
typedef struct ks__tf_operation {
    const char *class_name;
    const char *function; ///< "math.add"
    const char *names;    ///< "x y": parameters for the arguments of the call
    /// Parameters for keys of the config: "axis", "newshape=shape": under another name, "axis*": null cannot be said,
    /// "initial!": only null can be said, "decimals!0": only this number or text.
    const char *config;
    ks_code (*fix)(ks__tf_call *c); ///< changes values in place that mean the same in other words; or NULL
} ks__tf_operation;
/// NULL: TensorFlow has no such function under one name.
const ks__tf_operation *ks__tf_operation_find(const ks_value *class_name);

#endif
