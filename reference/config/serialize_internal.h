// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_CONFIG_SERIALIZE_INTERNAL_H
#define KASSAY_CONFIG_SERIALIZE_INTERNAL_H

#include "base/value_make.h"
#include "config/config_internal.h"
#include "config/serialize.h"

typedef struct ks__serializer {
    ks_context *context;
    ks_arena *arena;
    ks_write_options options;
    int depth;                          ///< of records in records
    const struct ks_registry *registry; ///< of the object that is written, for records in values that it keeps
} ks__serializer;

/// Tells, or refuses, what Keras 3 has no word for in the config that an object came from.
ks_code ks__lose_old_words(ks__serializer *s, const ks_object *object);
/// Refuses a model in which a mask comes to where the words that are written mean something else with it.
ks_code ks__check_masks(ks__serializer *s, const ks_object *model);
ks_code ks__write_record(ks_value *out, ks__serializer *s, const ks_object *object);
/// The config of a layer, loss, …: the row's keys. `extra` members can be added by the caller.
ks_code ks__write_keys(ks_value *out, ks__serializer *s, const ks_object *object, size_t extra);
/// A value of a config or of a call, with the objects in it as Keras writes them and numbers as Python prints them.
ks_code ks__write_value(ks_value *out, ks__serializer *s, const ks_value *value, const char *place);
/// The record of the object that a value stands for: a name, a record, null.
ks_code ks__write_object(ks_value *out, ks__serializer *s, const ks_value *value, ks_kind kind, const char *place);
/// A dtype policy: a name, a record or null.
ks_code ks__write_policy(ks_value *out, ks__serializer *s, const ks_value *value, const char *place);
/// The config of a Functional model and of a Sequential one.
ks_code ks__write_functional(ks_value *out, ks__serializer *s, const ks_object *model);
ks_code ks__write_sequential(ks_value *out, ks__serializer *s, const ks_object *model);

#endif
