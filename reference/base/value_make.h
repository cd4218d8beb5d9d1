// SPDX-License-Identifier: Apache-2.0
//
// Making values: what a program writes in place of a document that was read. Everything lives in an arena; a failed
// allocation leaves its error in the arena's context, and the caller asks once, at the end.
#ifndef KASSAY_BASE_VALUE_MAKE_H
#define KASSAY_BASE_VALUE_MAKE_H

#include <kassay/value.h>

#include "base/arena.h"

ks_value ks_value_null(void);
ks_value ks_value_bool(bool boolean);
ks_value ks_value_int(int64_t number);
/// Written as Python's repr of the number.
ks_value ks_value_float(double number);
/// Borrows the bytes; NULL gives null.
ks_value ks_value_string(const char *text);
ks_value ks_value_text(ks_text text);
/// A list of `count` nulls to be filled.
ks_value ks_value_list(ks_arena *arena, size_t count);
/// A shape as a list: null for an unknown dimension, null for an unknown rank.
ks_value ks_value_shape(ks_arena *arena, const ks_shape *shape);

/// A dict without members and with room for `room` of them.
ks_value ks_value_dict(ks_arena *arena, size_t room);
/// Appends a member and returns where its value stands (null until it is filled); the caller knows that there is room
/// and that the key is new. NULL when the dict could not be made.
ks_value *ks_value_put(ks_value *dict, const char *key);
ks_value *ks_value_put_text(ks_value *dict, ks_text key);

/// A copy of a value and of everything in it; NULL when memory ran out. Depth is that of the document.
ks_value *ks_value_copy(ks_arena *arena, const ks_value *value);

/// {"module", "class_name", "config", "registered_name"}: what Keras 3 writes around a config. Room for `extra` more
/// members. `registered_name` NULL gives null.
ks_value ks_value_record(ks_arena *arena, const char *module, const char *class_name, ks_value config,
                         const char *registered_name, size_t extra);

#endif
