// SPDX-License-Identifier: Apache-2.0
//
// Short forms of the rows that many key tables share. A field has the name of its key.
#ifndef KASSAY_SCHEMA_KEY_ROW_H
#define KASSAY_SCHEMA_KEY_ROW_H

#include "schema/class.h"

/// A key without a range. `text` is the default as JSON, NULL when the key is required.
#define KS_ROW(params, key, key_type, key_flags, text)                                                                 \
    {KS_NAMED(#key), .type = KS_KEY_##key_type, .flags = (key_flags), .offset = offsetof(params, key),                 \
     .otherwise = (text)}
/// A key that some versions of Keras do not write.
#define KS_ROW_SINCE(params, key, key_type, key_flags, text, version)                                                  \
    {KS_NAMED(#key),      .type = KS_KEY_##key_type, .flags = (key_flags), .offset = offsetof(params, key),            \
     .otherwise = (text), .since = (version)}
/// INT, INTS or PAIRS of `count` numbers (0: any) of at least `low`.
#define KS_ROW_INTS(params, key, key_type, key_flags, text, count, low)                                                \
    {KS_NAMED(#key),      .type = KS_KEY_##key_type, .flags = (key_flags), .offset = offsetof(params, key),            \
     .otherwise = (text), .minimum = (low),          .maximum = INT32_MAX, .length = (count)}
#define KS_ROW_CHOICE(params, key, key_flags, text, table)                                                             \
    {KS_NAMED(#key),      .type = KS_KEY_CHOICE, .flags = (key_flags), .offset = offsetof(params, key),                \
     .otherwise = (text), .choices = (table)}
/// A key without a field, of a class that is only described; `text` is NULL with KS_REQUIRED.
#define KS_ROW_LOOSE(key, key_type, key_flags, text)                                                                   \
    {KS_NAMED(#key), .type = KS_KEY_##key_type, .flags = (key_flags), .offset = KS_LOOSE, .otherwise = (text)}
#define KS_ROW_LOOSE_FORM(key, key_flags, text, key_form)                                                              \
    {KS_NAMED(#key),     .type = KS_KEY_ANY,  .flags = (key_flags),                                                    \
     .offset = KS_LOOSE, .otherwise = (text), .form = (key_form)}
#define KS_ROW_LOOSE_INTS(key, key_flags, text, count)                                                                 \
    {KS_NAMED(#key),     .type = KS_KEY_INTS, .flags = (key_flags),                                                    \
     .offset = KS_LOOSE, .otherwise = (text), .length = (count)}
#define KS_ROW_LOOSE_FORMAT(text)                                                                                      \
    {KS_NAMED("data_format"), .type = KS_KEY_CHOICE, .flags = KS_NULLABLE,                                             \
     .offset = KS_LOOSE,      .otherwise = (text),   .choices = ks_data_formats}
/// What only training looks at.
#define KS_ROW_INITIALIZER(params, key, text) KS_ROW(params, key, INITIALIZER, KS_NULLABLE | KS_INERT, text)
#define KS_ROW_REGULARIZER(params, key) KS_ROW(params, key, REGULARIZER, KS_NULLABLE | KS_INERT, "null")
#define KS_ROW_CONSTRAINT(params, key) KS_ROW(params, key, CONSTRAINT, KS_NULLABLE | KS_INERT, "null")
#define KS_ROW_DATA_FORMAT(params) KS_ROW_CHOICE(params, data_format, KS_NULLABLE | KS_NUMERIC, "null", ks_data_formats)

/// Index 1 means that channels come before the spatial axes; null (-1) is Keras's default, channels last.
extern const char *const ks_data_formats[];
#define KS_CHANNELS_FIRST 1

#endif
