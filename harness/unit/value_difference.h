// SPDX-License-Identifier: Apache-2.0
//
// The first place where two JSON values differ. Python's ids of shared objects are left out of the comparison.
#ifndef KASSAY_UNIT_VALUE_DIFFERENCE_H
#define KASSAY_UNIT_VALUE_DIFFERENCE_H

#include <stdio.h>
#include <string.h>

#include <kassay/value.h>

static inline bool difference_is_counted(const ks_member *member) {
    return !ks_text_is(member->key, "shared_object_id");
}

static inline size_t difference_next(const ks_value *dict, size_t at) {
    while (at < dict->as.dict.count && !difference_is_counted(&dict->as.dict.members[at]))
        at++;
    return at;
}

/// True when `found` equals `expected`: same order of keys, ints and floats told apart. Else `place` tells where.
static bool values_agree(const ks_value *expected, const ks_value *found, char *place, size_t room) {
    size_t size = strlen(place);
    if (expected->type != found->type) {
        snprintf(place + size, room - size, ": %s expected, %s found", ks_value_type_name(expected->type),
                 ks_value_type_name(found->type));
        return false;
    }
    if (expected->type == KS_VALUE_LIST) {
        for (size_t i = 0; i < expected->as.list.count && i < found->as.list.count; i++) {
            snprintf(place + size, room - size, "/%zu", i);
            if (!values_agree(&expected->as.list.items[i], &found->as.list.items[i], place, room))
                return false;
        }
        place[size] = 0;
        if (expected->as.list.count == found->as.list.count)
            return true;
        snprintf(place + size, room - size, ": %zu items expected, %zu found", expected->as.list.count,
                 found->as.list.count);
        return false;
    }
    if (expected->type == KS_VALUE_DICT) {
        size_t a = difference_next(expected, 0), b = difference_next(found, 0);
        while (a < expected->as.dict.count && b < found->as.dict.count) {
            const ks_member *left = &expected->as.dict.members[a], *right = &found->as.dict.members[b];
            if (!ks_text_equal(left->key, right->key)) {
                snprintf(place + size, room - size, ": key \"%s\" expected, \"%s\" found", left->key.data,
                         right->key.data);
                return false;
            }
            snprintf(place + size, room - size, "/%s", left->key.data);
            if (!values_agree(&left->value, &right->value, place, room))
                return false;
            a = difference_next(expected, a + 1);
            b = difference_next(found, b + 1);
        }
        place[size] = 0;
        if (a >= expected->as.dict.count && b >= found->as.dict.count)
            return true;
        snprintf(place + size, room - size, ": key \"%s\" %s",
                 a < expected->as.dict.count ? expected->as.dict.members[a].key.data
                                             : found->as.dict.members[b].key.data,
                 a < expected->as.dict.count ? "is missing" : "is too many");
        return false;
    }
    if (ks_value_equal(expected, found))
        return true;
    snprintf(place + size, room - size, ": %.60s expected, %.60s found",
             expected->text.data ? expected->text.data : "?", found->text.data ? found->text.data : "?");
    return false;
}

#endif
