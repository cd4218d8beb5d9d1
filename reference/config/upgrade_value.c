// SPDX-License-Identifier: Apache-2.0
//
// New values in the arena, for upgraded documents. Copies are shallow: what is inside a value is shared and never
// written to.
#include "config/upgrade.h"

#include "config/config_internal.h"

#include <stdarg.h>
#include <string.h>

ks_code ks__upgrade_fail(ks__upgrade *u, ks_code code, const ks_value *value, const char *place, const char *key,
                         const char *format, ...) {
    va_list list;
    va_start(list, format);
    ks__config_vfail(u->context, code, value, place, key, format, list);
    va_end(list);
    return code;
}

// --- dicts ----------------------------------------------------------------------------------------------------------

#define MORE_MEMBERS 4 ///< room for what an upgrade adds to most dicts

static ks_code make_room(ks__dict *dict, size_t room) {
    ks_member *members = ks_arena_room(dict->upgrade->arena, room, sizeof(*members));
    if (!members)
        return dict->upgrade->context->error.code;
    if (dict->count)
        memcpy(members, dict->members, dict->count * sizeof(*members));
    dict->members = members;
    dict->room = room;
    return KS_OK;
}

ks_code ks__dict_copy(ks__dict *out, ks__upgrade *u, const ks_value *from) {
    return ks__dict_copy_for(out, u, from, MORE_MEMBERS);
}

ks_code ks__dict_copy_for(ks__dict *out, ks__upgrade *u, const ks_value *from, size_t more) {
    *out = (ks__dict){.upgrade = u, .offset = KS_NO_OFFSET};
    if (from) {
        out->members = from->as.dict.members;
        out->count = from->as.dict.count;
        out->offset = from->offset;
    }
    return make_room(out, out->count + more);
}

static ks_member *find(const ks__dict *dict, const char *key) {
    for (size_t i = 0; i < dict->count; i++)
        if (ks_text_is(dict->members[i].key, key))
            return &dict->members[i];
    return NULL;
}

ks_value *ks__dict_get(const ks__dict *dict, const char *key) {
    ks_member *member = find(dict, key);
    return member ? &member->value : NULL;
}

ks_code ks__dict_set(ks__dict *dict, const char *key, ks_value value) {
    ks_member *member = find(dict, key);
    if (!member) {
        if (dict->count == dict->room && make_room(dict, 2 * dict->room + 1) != KS_OK)
            return dict->upgrade->context->error.code;
        member = &dict->members[dict->count++];
        member->key = ks_text_from(key);
        member->key_offset = value.offset;
    }
    member->value = value;
    return KS_OK;
}

void ks__dict_remove(ks__dict *dict, const char *key) {
    ks_member *member = find(dict, key);
    if (!member)
        return;
    dict->count--;
    memmove(member, member + 1, (size_t)(dict->members + dict->count - member) * sizeof(*member));
}

void ks__dict_rename(ks__dict *dict, const char *from, const char *to) {
    ks_member *member = find(dict, from);
    if (member && !find(dict, to))
        member->key = ks_text_from(to);
}

ks_value ks__dict_value(const ks__dict *dict) {
    ks_value value = {.type = KS_VALUE_DICT, .offset = dict->offset};
    value.as.dict.members = dict->members;
    value.as.dict.count = dict->count;
    return value;
}

// --- other values ---------------------------------------------------------------------------------------------------

ks_value ks__value_null(uint64_t offset) {
    return (ks_value){.type = KS_VALUE_NULL, .offset = offset};
}

ks_value ks__value_bool(bool boolean, uint64_t offset) {
    ks_value value = {.type = KS_VALUE_BOOL, .offset = offset};
    value.as.boolean = boolean;
    return value;
}

ks_value ks__value_int(int64_t integer, uint64_t offset) {
    ks_value value = {.type = KS_VALUE_INT, .fits = true, .offset = offset, .text = ks_text_from("")};
    value.as.integer = integer;
    return value;
}

ks_value ks__value_float(double number, uint64_t offset) {
    ks_value value = {.type = KS_VALUE_FLOAT, .offset = offset, .text = ks_text_from("")};
    value.as.number = number;
    return value;
}

ks_value ks__value_text(const char *text, uint64_t offset) {
    return (ks_value){.type = KS_VALUE_STRING, .offset = offset, .text = ks_text_from(text)};
}

ks_value ks__value_list(ks__upgrade *u, size_t count, uint64_t offset) {
    ks_value value = {.type = KS_VALUE_LIST, .offset = offset};
    value.as.list.items = ks_arena_get(u->arena, count + 1, sizeof(ks_value));
    value.as.list.count = count;
    for (size_t i = 0; value.as.list.items && i < count; i++)
        value.as.list.items[i].offset = offset;
    return value;
}
