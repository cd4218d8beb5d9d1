// SPDX-License-Identifier: Apache-2.0
#include <kassay/value.h>

#include <string.h>

const ks_value *ks_value_find(const ks_value *value, ks_text key) {
    if (!value || value->type != KS_VALUE_DICT)
        return NULL;
    const ks_member *member = value->as.dict.members;
    for (const ks_member *end = member + value->as.dict.count; member != end; member++)
        if (member->key.size == key.size && (key.size == 0 || (member->key.data[0] == key.data[0] &&
                                                               memcmp(member->key.data, key.data, key.size) == 0)))
            return &member->value;
    return NULL;
}

bool ks_value_is_text(const ks_value *value, const char *text) {
    return value && value->type == KS_VALUE_STRING && ks_text_is(value->text, text);
}

bool ks_value_number(const ks_value *value, double *out) {
    if (!value)
        return false;
    if (value->type == KS_VALUE_FLOAT) {
        *out = value->as.number;
        return true;
    }
    if (value->type == KS_VALUE_INT && value->fits) {
        *out = (double)value->as.integer;
        return true;
    }
    return false;
}

const char *ks_value_type_name(ks_value_type type) {
    static const char *const names[] = {"null", "bool", "int", "float", "string", "list", "dict"};
    return names[type];
}

// Recursion is as deep as the document, which its reader has bounded; deep documents are compared with a depth below
// it.
bool ks_value_equal(const ks_value *a, const ks_value *b) {
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case KS_VALUE_NULL:
        return true;
    case KS_VALUE_BOOL:
        return a->as.boolean == b->as.boolean;
    case KS_VALUE_INT:
        return a->fits == b->fits && (a->fits ? a->as.integer == b->as.integer : ks_text_equal(a->text, b->text));
    case KS_VALUE_FLOAT:
        return memcmp(&a->as.number, &b->as.number, sizeof a->as.number) == 0 ||
               (a->as.number != a->as.number && b->as.number != b->as.number);
    case KS_VALUE_STRING:
        return ks_text_equal(a->text, b->text);
    case KS_VALUE_LIST:
        if (a->as.list.count != b->as.list.count)
            return false;
        for (size_t i = 0; i < a->as.list.count; i++)
            if (!ks_value_equal(&a->as.list.items[i], &b->as.list.items[i]))
                return false;
        return true;
    case KS_VALUE_DICT:
        if (a->as.dict.count != b->as.dict.count)
            return false;
        for (size_t i = 0; i < a->as.dict.count; i++)
            if (!ks_text_equal(a->as.dict.members[i].key, b->as.dict.members[i].key) ||
                !ks_value_equal(&a->as.dict.members[i].value, &b->as.dict.members[i].value))
                return false;
        return true;
    }
    return false;
}
