// SPDX-License-Identifier: Apache-2.0
//
// A value of a document: what Python's json.loads would give, with what it would forget (the text of numbers, the place
// of every value). Both JSON readers produce this one form, and nothing after the config stage looks at source text.
//
// Values live in an arena; parents hold their children as arrays, so any item is reached in constant time.
#ifndef KASSAY_VALUE_H
#define KASSAY_VALUE_H

#include <kassay/tensor.h>
#include <kassay/text.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ks_value_type {
    KS_VALUE_NULL,
    KS_VALUE_BOOL,
    KS_VALUE_INT,
    KS_VALUE_FLOAT,
    KS_VALUE_STRING,
    KS_VALUE_LIST,
    KS_VALUE_DICT
} ks_value_type;

typedef struct ks_value ks_value;
typedef struct ks_member ks_member;

struct ks_value {
    ks_value_type type;
    bool fits;       ///< int: the value is `as.integer`; false for integers beyond int64, which only have text
    uint64_t offset; ///< of its first byte in the document (UTF-16 and UTF-32 documents: in their own bytes)
    ks_text text;    ///< string: its value; int and float: the number as written ("1e-3", "NaN", "-Infinity")
    union {
        bool boolean;
        int64_t integer;
        double number; ///< correctly rounded, as Python's float()
        struct {
            ks_value *items;
            size_t count;
        } list;
        struct {
            ks_member *members; ///< in order of first appearance of each key, as Python's dict
            size_t count;
        } dict;
    } as;
};

struct ks_member {
    ks_text key;
    uint64_t key_offset;
    ks_value value;
};

/// The member called `key`, or NULL when there is none or `value` is no dict. Linear in the number of members.
const ks_value *ks_value_find(const ks_value *value, ks_text key);
static inline const ks_value *ks_value_get(const ks_value *value, const char *key) {
    return ks_value_find(value, ks_text_from(key)); // the size of a literal costs nothing
}
bool ks_value_is_text(const ks_value *value, const char *text);
/// An int or float as double; false for anything else.
bool ks_value_number(const ks_value *value, double *out);
/// "null", "bool", "int", "float", "string", "list", "dict"
const char *ks_value_type_name(ks_value_type type);
/// Same type, same text of strings, same numeric value (NaN equals NaN; int and float differ), same order.
bool ks_value_equal(const ks_value *a, const ks_value *b);

#ifdef __cplusplus
}
#endif
#endif
