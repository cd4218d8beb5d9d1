// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_CONFIG_CONFIG_INTERNAL_H
#define KASSAY_CONFIG_CONFIG_INTERNAL_H

#include <stdarg.h>

#include "base/name_table.h"
#include "config/config.h"

typedef struct ks__shared {
    int64_t id;
    ks_object *object;
} ks__shared;

/// One run of ks_config_read.
typedef struct ks__reader {
    ks_context *context;
    ks_arena *arena;
    ks_dialect dialect;                 ///< never AUTO; of the document, which is upgraded when it is not KERAS3
    bool described;                     ///< objects are only described: what cannot be run here is read all the same
    bool multi_backend;                 ///< the document is of Keras 1 or 2 before tf.keras
    bool theano;                        ///< … and computed by Theano
    int version;                        ///< of Keras, 209 for "2.9.0"; 0: not said
    int depth;                          ///< of records in records
    const struct ks_registry *registry; ///< passed at load
    uint64_t n_layers;
    uint64_t n_nodes;
    ks__shared *shared; ///< objects that carried a shared_object_id
    size_t n_shared, room_shared;
} ks__reader;

/// A record of any kind. `place` is where the record stands.
ks_code ks__read_record(ks_object **out, ks__reader *reader, const ks_value *record, const char *place);
/// Applies the key table and the base keys (name, trainable, dtype) to object->params.
ks_code ks__read_keys(ks__reader *reader, ks_object *object);
/// {"class_name": …, "config": …} with a class that has keys; "__numpy__", "__slice__", … and functions have none.
bool ks__is_object_record(const ks_value *value);
/// A value that is kept as it is: the records in it are read, so that it can be written again. Values may be nested
/// KS__MAX_VALUE_DEPTH deep.
ks_code ks__check_value(ks__reader *reader, const ks_value *value, const char *place);
#define KS__MAX_VALUE_DEPTH 64
/// The value that a row's default stands for; NULL with the error set.
ks_value *ks__default_value(ks_arena *arena, const char *text);
/// A subclassed model that stands at the root: a model whose graph is one call of the object as a layer.
ks_code ks__custom_model(ks_object **out, ks__reader *reader, ks_object *layer);
ks_code ks__read_functional(ks__reader *reader, ks_object *model);
ks_code ks__read_sequential(ks__reader *reader, ks_object *model);
/// Gives each layer whose config has no name one that no other layer of the model has: "dense", "dense_1", as Keras
/// does in a fresh session. `names` has room for all of them and holds those that the configs give.
ks_code ks__name_layers(ks__reader *reader, ks_name_table *names, ks_object *const *layers, size_t count);
/// Its config has no name.
bool ks__is_unnamed(const ks_object *object);
/// The arguments of a call with the shapes that build_config gives; NULL when it gives none.
ks_code ks__build_arguments(ks_tree **out, ks__reader *reader, const ks_object *object);
/// Builds with the shapes that build_config gives, if it gives any.
ks_code ks__apply_build_config(ks__reader *reader, ks_object *object);
/// Fails with place "PLACE/KEY".
/// Fails in the config stage at the offset of `value`; the place is `place`, or `place`/`key`.
#if defined(__GNUC__)
__attribute__((format(printf, 6, 0)))
#endif
ks_code
ks__config_vfail(ks_context *context, ks_code code, const ks_value *value, const char *place, const char *key,
                 const char *format, va_list list);
#if defined(__GNUC__)
__attribute__((cold, format(printf, 6, 7)))
#endif
ks_code
ks__config_fail(ks__reader *reader, ks_code code, const ks_value *value, const char *place, const char *key,
                const char *format, ...);
/// shape from [null, 4]; false when it is none.
bool ks__shape_from_value(ks_shape *out, const ks_value *value);
void ks__symbolic_call(ks_call *call, ks__reader *reader);

#endif
