// SPDX-License-Identifier: Apache-2.0
//
// Short forms for the rows of key tables: KS_ROW(params struct, field and key name, type, flags, default).
#ifndef KASSAY_SCHEMA_KEY_ROWS_H
#define KASSAY_SCHEMA_KEY_ROWS_H

#include "schema/class.h"

#define KS_ROW(owner, key, kind, bits, text)                                                                           \
    { .name = #key, .type = KS_KEY_##kind, .flags = (bits), .offset = KS_FIELD(owner, key), .otherwise = text }
#define KS_ROW_RANGE(owner, key, kind, bits, text, low, high)                                                          \
    {                                                                                                                  \
        .name = #key, .type = KS_KEY_##kind, .flags = (bits), .offset = KS_FIELD(owner, key), .otherwise = text,       \
        .minimum = (low), .maximum = (high)                                                                            \
    }
#define KS_ROW_SINCE(owner, key, kind, bits, text, version)                                                            \
    {                                                                                                                  \
        .name = #key, .type = KS_KEY_##kind, .flags = (bits), .offset = KS_FIELD(owner, key), .otherwise = text,       \
        .since = version                                                                                               \
    }
#define KS_ROW_CHOICE(owner, key, bits, text, list)                                                                    \
    {                                                                                                                  \
        .name = #key, .type = KS_KEY_CHOICE, .flags = (bits), .offset = KS_FIELD(owner, key), .otherwise = text,       \
        .choices = list                                                                                                \
    }
/// A size that must be at least 1 and has no default.
#define KS_ROW_SIZE(owner, key) KS_ROW_RANGE(owner, key, INT, KS_REQUIRED | KS_NUMERIC, NULL, 1, INT32_MAX)
#define KS_ROW_INITIALIZER(owner, key, text) KS_ROW(owner, key, INITIALIZER, KS_NULLABLE | KS_INERT, text)
#define KS_ROW_REGULARIZER(owner, key) KS_ROW(owner, key, REGULARIZER, KS_NULLABLE | KS_INERT, "null")
#define KS_ROW_CONSTRAINT(owner, key) KS_ROW(owner, key, CONSTRAINT, KS_NULLABLE | KS_INERT, "null")

#endif
