// SPDX-License-Identifier: Apache-2.0
//
// What a record of Keras 3 cannot say: words of the canonical model that only Keras 1 and 2 have.
#include <string.h>

#include "config/serialize.h"

typedef struct search {
    ks_context *context;
    ks_arena *arena;
    const char *document;
} search;

// The way from a value up to the root, for a message.
typedef struct way {
    const struct way *up;
    ks_text key; ///< without data: the item number `index`
    size_t index;
} way;

static const char *way_text(const search *s, const way *at) {
    const char *above = at->up ? way_text(s, at->up) : s->document;
    if (!above || !at->up)
        return above;
    return at->key.data ? ks_arena_format(s->arena, "%s/%.*s", above, (int)at->key.size, at->key.data)
                        : ks_arena_format(s->arena, "%s/%zu", above, at->index);
}

// Functions and classes that only Keras 1 and 2 have are called "keras2.…" and "keras1.…" in the canonical model;
// Keras 3 has none, or others, of those names.
static bool is_old_word(const ks_value *value) {
    return value->type == KS_VALUE_STRING && value->text.size > 7 &&
           (memcmp(value->text.data, "keras1.", 7) == 0 || memcmp(value->text.data, "keras2.", 7) == 0);
}

// Losses, metrics and optimizers may be called anything. A class that has no row may be anyone's layer.
static bool is_operation(const ks_value *record) {
    const ks_value *name = ks_value_get(record, "class_name"), *module = ks_value_get(record, "module");
    const ks_class *row;
    if (!name || name->type != KS_VALUE_STRING)
        return false;
    row = ks_class_find(name->text, module && module->type == KS_VALUE_STRING ? &module->text : NULL);
    return !row || row->kind == KS_KIND_LAYER || row->kind == KS_KIND_MODEL || row->kind == KS_KIND_OPERATION;
}

// Keras 3 takes no "/" in the name of a layer.
static bool has_old_name(const ks_value *record) {
    const ks_value *name = ks_value_get(ks_value_get(record, "config"), "name");
    return name && name->type == KS_VALUE_STRING && memchr(name->text.data, '/', name->text.size) &&
           is_operation(record);
}

static ks_code fail_old(const search *s, const way *at, ks_text word) {
    return ks_fail(s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, way_text(s, at),
                   "Keras 3 has nothing that computes what \"%.60s\" of Keras 1 and 2 does", word.data);
}

static ks_text name_of_class(const ks_value *name, const ks_value *module) {
    const ks_class *row = ks_class_find(name->text, &module->text);
    return row ? ks_text_from(ks_class_python_name(row)) : name->text;
}

static ks_code check_words(const search *s, const ks_value *value, const way *at) {
    bool dict = value->type == KS_VALUE_DICT;
    size_t count = dict ? value->as.dict.count : value->type == KS_VALUE_LIST ? value->as.list.count : 0;
    ks_code code = KS_OK;
    const ks_value *module = ks_value_get(value, "module"), *name = ks_value_get(value, "class_name");
    if (module && is_old_word(module) && name && name->type == KS_VALUE_STRING)
        return fail_old(s, at, name_of_class(name, module));
    if (is_old_word(value))
        return fail_old(s, at, (ks_text){value->text.data + 7, value->text.size - 7});
    if (has_old_name(value))
        return ks_fail(s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, way_text(s, at),
                       "Keras 3 takes no \"/\" in a name");
    for (size_t i = 0; i < count && code == KS_OK; i++) {
        way inner = {at, dict ? value->as.dict.members[i].key : (ks_text){NULL, 0}, i};
        code = check_words(s, dict ? &value->as.dict.members[i].value : &value->as.list.items[i], &inner);
    }
    return code;
}

ks_code ks_config_check_words(ks_context *context, ks_arena *arena, const ks_value *record, const char *document) {
    search s = {context, arena, document};
    return check_words(&s, record, &(way){NULL, {NULL, 0}, 0});
}
