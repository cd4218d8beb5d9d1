// SPDX-License-Identifier: Apache-2.0
//
// The defaults of the rows: short JSON texts of this program, read without the document stage.
#include <stdlib.h>
#include <string.h>

#include "base/value_make.h"
#include "config/config_internal.h"

#define MAX_ITEMS 16

static bool read_value(ks_value *out, ks_arena *arena, const char **at);

static void skip_blanks(const char **at) {
    *at += strspn(*at, ", ");
}

static bool read_word(const char **at, const char *word) {
    size_t size = strlen(word);
    if (strncmp(*at, word, size) != 0)
        return false;
    *at += size;
    return true;
}

static bool read_list(ks_value *out, ks_arena *arena, const char **at) {
    *out = ks_value_list(arena, MAX_ITEMS);
    if (!out->as.list.items)
        return false;
    out->as.list.count = 0;
    for (skip_blanks(at); **at != ']'; skip_blanks(at))
        if (out->as.list.count == MAX_ITEMS || !read_value(&out->as.list.items[out->as.list.count++], arena, at))
            return false;
    (*at)++;
    return true;
}

static bool read_number(ks_value *out, const char **at) {
    size_t size = strspn(*at, "+-0123456789.eE");
    char *end;
    if (strcspn(*at, ".eE") < size)
        *out = ks_value_float(strtod(*at, &end));
    else
        *out = ks_value_int(strtoll(*at, &end, 10));
    *at += size;
    return size > 0;
}

static bool read_value(ks_value *out, ks_arena *arena, const char **at) {
    if (**at == 'n' && read_word(at, "null")) {
        *out = ks_value_null();
        return true;
    }
    if (**at == 't' || **at == 'f') {
        *out = ks_value_bool(**at == 't');
        return read_word(at, "true") || read_word(at, "false");
    }
    if (**at == '"') {
        size_t size = strcspn(*at + 1, "\"");
        *out = ks_value_text(ks_arena_text(arena, *at + 1, size));
        *at += size + 2;
        return out->type == KS_VALUE_STRING;
    }
    if (**at == '[') {
        (*at)++;
        return read_list(out, arena, at);
    }
    if (read_word(at, "{}")) {
        *out = ks_value_dict(arena, 0);
        return out->as.dict.members != NULL;
    }
    return read_number(out, at);
}

ks_value *ks__default_value(ks_arena *arena, const char *text) {
    ks_value *value = ks_arena_get(arena, 1, sizeof(*value));
    if (!value)
        return NULL;
    if (read_value(value, arena, &text))
        return value;
    ks_fail(arena->context, KS_E_INTERNAL, KS_STAGE_CONFIG, KS_NO_OFFSET, NULL, "the default \"%s\" is no value", text);
    return NULL;
}
