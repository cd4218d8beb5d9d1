// SPDX-License-Identifier: Apache-2.0
#include "base/value_make.h"

ks_value ks_value_null(void) {
    ks_value value = {.type = KS_VALUE_NULL, .offset = KS_NO_OFFSET};
    return value;
}

ks_value ks_value_bool(bool boolean) {
    ks_value value = {.type = KS_VALUE_BOOL, .offset = KS_NO_OFFSET};
    value.as.boolean = boolean;
    return value;
}

ks_value ks_value_int(int64_t number) {
    ks_value value = {.type = KS_VALUE_INT, .fits = true, .offset = KS_NO_OFFSET};
    value.as.integer = number;
    return value;
}

ks_value ks_value_float(double number) {
    ks_value value = {.type = KS_VALUE_FLOAT, .offset = KS_NO_OFFSET};
    value.as.number = number;
    return value;
}

ks_value ks_value_text(ks_text text) {
    ks_value value = {.type = KS_VALUE_STRING, .offset = KS_NO_OFFSET, .text = text};
    return text.data ? value : ks_value_null();
}

ks_value ks_value_string(const char *text) {
    return text ? ks_value_text(ks_text_from(text)) : ks_value_null();
}

ks_value ks_value_list(ks_arena *arena, size_t count) {
    ks_value value = {.type = KS_VALUE_LIST, .offset = KS_NO_OFFSET};
    value.as.list.items = ks_arena_get(arena, count + 1, sizeof(ks_value));
    value.as.list.count = value.as.list.items ? count : 0;
    for (size_t i = 0; i < value.as.list.count; i++)
        value.as.list.items[i] = ks_value_null();
    return value;
}

ks_value ks_value_shape(ks_arena *arena, const ks_shape *shape) {
    ks_value value;
    if (shape->rank < 0)
        return ks_value_null();
    value = ks_value_list(arena, (size_t)shape->rank);
    for (size_t i = 0; i < value.as.list.count; i++)
        if (shape->dims[i] != KS_UNKNOWN_DIM)
            value.as.list.items[i] = ks_value_int(shape->dims[i]);
    return value;
}

ks_value ks_value_dict(ks_arena *arena, size_t room) {
    ks_value value = {.type = KS_VALUE_DICT, .offset = KS_NO_OFFSET};
    value.as.dict.members = ks_arena_get(arena, room + 1, sizeof(ks_member));
    return value;
}

ks_value *ks_value_put_text(ks_value *dict, ks_text key) {
    ks_member *member;
    if (!dict->as.dict.members)
        return NULL;
    member = &dict->as.dict.members[dict->as.dict.count++];
    member->key = key;
    member->key_offset = KS_NO_OFFSET;
    member->value = ks_value_null();
    return &member->value;
}

ks_value *ks_value_put(ks_value *dict, const char *key) {
    return ks_value_put_text(dict, ks_text_from(key));
}

// Recursion is as deep as the document, which its reader has bounded.
static bool copy_into(ks_value *out, ks_arena *arena, const ks_value *value) {
    *out = *value;
    if (value->text.data) {
        out->text = ks_arena_text(arena, value->text.data, value->text.size);
        if (!out->text.data)
            return false;
    }
    if (value->type == KS_VALUE_LIST) {
        out->as.list.items = ks_arena_get(arena, value->as.list.count + 1, sizeof(ks_value));
        for (size_t i = 0; out->as.list.items && i < value->as.list.count; i++)
            if (!copy_into(&out->as.list.items[i], arena, &value->as.list.items[i]))
                return false;
        return out->as.list.items != NULL;
    }
    if (value->type == KS_VALUE_DICT) {
        out->as.dict.members = ks_arena_get(arena, value->as.dict.count + 1, sizeof(ks_member));
        for (size_t i = 0; out->as.dict.members && i < value->as.dict.count; i++) {
            ks_member *member = &out->as.dict.members[i];
            *member = value->as.dict.members[i];
            member->key = ks_arena_text(arena, member->key.data, member->key.size);
            if (!member->key.data || !copy_into(&member->value, arena, &value->as.dict.members[i].value))
                return false;
        }
        return out->as.dict.members != NULL;
    }
    return true;
}

ks_value *ks_value_copy(ks_arena *arena, const ks_value *value) {
    ks_value *out = ks_arena_get(arena, 1, sizeof(*out));
    return out && copy_into(out, arena, value) ? out : NULL;
}

static void put(ks_value *dict, const char *key, ks_value value) {
    ks_value *place = ks_value_put(dict, key);
    if (place)
        *place = value;
}

ks_value ks_value_record(ks_arena *arena, const char *module, const char *class_name, ks_value config,
                         const char *registered_name, size_t extra) {
    ks_value record = ks_value_dict(arena, 4 + extra);
    put(&record, "module", ks_value_string(module));
    put(&record, "class_name", ks_value_string(class_name));
    put(&record, "config", config);
    put(&record, "registered_name", ks_value_string(registered_name));
    return record;
}
