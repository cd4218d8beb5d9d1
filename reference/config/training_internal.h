// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_CONFIG_TRAINING_INTERNAL_H
#define KASSAY_CONFIG_TRAINING_INTERNAL_H

#include "base/value_make.h"
#include "config/training.h"
#include "schema/training_name.h"

/// What is done with each object of a nested list or dict: a record or a name.
typedef ks_code ks__training_map(ks_value *out, ks_training *t, const ks_value *value, ks_kind kind, const char *place);

/// Applies `map` to every object in `value`; null stays null.
ks_code ks__training_nested(ks_value *out, ks_training *t, const ks_value *value, ks_kind kind, ks__training_map *map,
                            const char *place);
/// Reads a record of Keras 3 and gives it back as 3.15.1 writes it.
ks_code ks__training_canonical(ks_value *out, ks_training *t, const ks_value *record, const char *place);
/// A loss of the compile state by name; `*out` is null when it is allowed.
#if defined(__GNUC__)
__attribute__((cold, format(printf, 4, 5)))
#endif
ks_code
ks__training_lose(ks_value *out, ks_training *t, const char *place, const char *format, ...);
/// The custom class of a record, or of a name (a record of "class_name" or a string); NULL when there is none.
const ks_class *ks__training_custom(const ks_training *t, const ks_value *value);
/// {"class_name": "function"} of Keras 3: the function's name, else NULL.
const ks_value *ks__training_function(const ks_value *value);
/// The tf_keras function behind a class of losses: "mean_squared_error"; NULL: Keras 2 has no such loss.
const char *ks__loss_function(ks_text class_name);
ks_code ks__training_put(ks_training *t, ks_value *dict, const char *key, ks_value value);
bool ks__training_is_record(const ks_value *value);

#endif
