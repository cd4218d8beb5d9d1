// SPDX-License-Identifier: Apache-2.0
//
// JSON documents over cJSON, turned into the values that the rest of the library knows.
//
// What cJSON forgets is not guessed:
//   offsets            unknown; every value has KS_NO_OFFSET
//   text of numbers    gone; a number is its double. An integral double below 2^53 in magnitude is an int, any other
//                      (and negative zero) a float, and `text` is a decimal that gives the double back
//   duplicate keys     both members are kept, as in cJSON; a lookup finds the first
//   "\u0000"           ends the string, as in cJSON
// Raw NUL bytes are refused before cJSON sees them.
#include "container/library/road_module.h"
#include "document/json_internal.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LARGEST_EXACT 9007199254740992.0 // 2^53
#define HEAP_OVERHEAD 16                 // bytes that the allocator adds to each item

/// At most how many values the document has, counted without parsing: cJSON allocates one item for each.
static uint64_t count_values(ks_bytes bytes) {
    uint64_t count = 1;
    bool inside = false;
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        if (inside) {
            if (c == '\\')
                i++;
            else if (c == '"')
                inside = false;
        } else if (c == '"') {
            inside = true;
        } else if (c == ',' || c == '[' || c == '{') {
            count++;
        }
    }
    return count;
}

/// cJSON allocates outside the context's accounting: what it will need is charged before, and given back by the caller
/// afterwards.
static ks_code charge(uint64_t *out, ks_context *context, ks_bytes bytes) {
    ks_memory *memory = &context->memory;
    uint64_t count = count_values(bytes);
    if (count > context->limits.json_values)
        return ks_fail(context, KS_E_OVER_COUNT, KS_STAGE_JSON, KS_NO_OFFSET, NULL,
                       "%llu values are more than the limit %llu", (unsigned long long)count,
                       (unsigned long long)context->limits.json_values);
    uint64_t size = count * (sizeof(cJSON) + HEAP_OVERHEAD) + bytes.size;
    if (size > memory->limit - memory->held)
        return ks_fail(context, KS_E_OVER_MEMORY, KS_STAGE_JSON, KS_NO_OFFSET, NULL,
                       "%llu values of cJSON do not fit: %llu of %llu bytes are held", (unsigned long long)count,
                       (unsigned long long)memory->held, (unsigned long long)memory->limit);
    memory->held += size;
    if (memory->held > memory->peak)
        memory->peak = memory->held;
    *out = size;
    return KS_OK;
}

static ks_text number_text(ks_arena *arena, double number) {
    char text[40];
    int size = 0;
    for (int digits = 15; digits <= 17; digits++) {
        size = snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    return ks_arena_text(arena, text, (size_t)size);
}

static ks_code convert_number(ks_value *out, ks_arena *arena, double number) {
    bool negative_zero = number == 0 && signbit(number);
    if (number == trunc(number) && fabs(number) < LARGEST_EXACT && !negative_zero) {
        out->type = KS_VALUE_INT;
        out->fits = true;
        out->as.integer = (int64_t)number;
    } else {
        out->type = KS_VALUE_FLOAT;
        out->as.number = number;
    }
    out->text = number_text(arena, number);
    return out->text.data ? KS_OK : arena->context->error.code;
}

static ks_code convert(ks_value *out, ks_arena *arena, const cJSON *item, uint64_t depth);

static ks_code convert_children(ks_value *out, ks_arena *arena, const cJSON *item, uint64_t depth) {
    ks_context *context = arena->context;
    if (depth >= context->limits.json_depth)
        return ks_fail(context, KS_E_OVER_DEPTH, KS_STAGE_JSON, KS_NO_OFFSET, NULL, "nested deeper than the limit %llu",
                       (unsigned long long)context->limits.json_depth);
    size_t count = 0;
    for (const cJSON *child = item->child; child; child = child->next)
        count++;
    bool dict = cJSON_IsObject(item);
    out->type = dict ? KS_VALUE_DICT : KS_VALUE_LIST;
    ks_value *items = NULL;
    ks_member *members = NULL;
    if (dict)
        members = ks_arena_get(arena, count, sizeof *members);
    else
        items = ks_arena_get(arena, count, sizeof *items);
    if (!items && !members)
        return context->error.code;
    size_t at = 0;
    ks_code code = KS_OK;
    for (const cJSON *child = item->child; child; child = child->next, at++) {
        if (dict) {
            members[at].key_offset = KS_NO_OFFSET;
            members[at].key = ks_arena_text(arena, child->string, strlen(child->string));
            KS_TRY(members[at].key.data ? KS_OK : context->error.code);
        }
        KS_TRY(convert(dict ? &members[at].value : &items[at], arena, child, depth + 1));
    }
    if (dict) {
        out->as.dict.members = members;
        out->as.dict.count = count;
    } else {
        out->as.list.items = items;
        out->as.list.count = count;
    }
done:
    return code;
}

// Recursion is bounded by cJSON's own limit of nested arrays and objects (1000).
static ks_code convert(ks_value *out, ks_arena *arena, const cJSON *item, uint64_t depth) {
    out->offset = KS_NO_OFFSET;
    if (cJSON_IsNull(item)) {
        out->type = KS_VALUE_NULL;
    } else if (cJSON_IsBool(item)) {
        out->type = KS_VALUE_BOOL;
        out->as.boolean = cJSON_IsTrue(item);
    } else if (cJSON_IsNumber(item)) {
        return convert_number(out, arena, item->valuedouble);
    } else if (cJSON_IsString(item)) {
        out->type = KS_VALUE_STRING;
        out->text = ks_arena_text(arena, item->valuestring, strlen(item->valuestring));
        return out->text.data ? KS_OK : arena->context->error.code;
    } else {
        return convert_children(out, arena, item, depth);
    }
    return KS_OK;
}

/// The tree of the whole document; cJSON stops after the first value, what follows must be blank.
static cJSON *parse_whole(ks_context *context, ks_bytes bytes) {
    const char *text = (const char *)bytes.data;
    const char *end = NULL;
    const char *nul = bytes.size ? memchr(text, 0, bytes.size) : NULL;
    if (nul) { // a blank to cJSON between values, the end inside a string: UTF-16 would be misread, not refused
        ks_fail(context, KS_E_LIBRARY_JSON, KS_STAGE_JSON, (uint64_t)(nul - text), NULL,
                "cJSON reads UTF-8, not NUL bytes");
        return NULL;
    }
    cJSON *tree = bytes.size ? cJSON_ParseWithLengthOpts(text, bytes.size, &end, false) : NULL;
    size_t at = end ? (size_t)(end - text) : 0;
    if (!tree) {
        ks_fail(context, KS_E_LIBRARY_JSON, KS_STAGE_JSON, at, NULL, "cJSON stops here");
        return NULL;
    }
    while (at < bytes.size && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
        at++;
    if (at < bytes.size) {
        cJSON_Delete(tree);
        ks_fail(context, KS_E_LIBRARY_JSON, KS_STAGE_JSON, at, NULL, "expected the end of the document, found more");
        return NULL;
    }
    return tree;
}

ks_code ks__cjson_parse(ks_json **out, ks_context *context, ks_bytes bytes) {
    uint64_t charged = 0;
    ks_code code = charge(&charged, context, bytes);
    if (code != KS_OK)
        return code;
    cJSON *tree = parse_whole(context, bytes);
    if (!tree) {
        context->memory.held -= charged;
        return context->error.code;
    }
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(c_locale); // for the text of numbers
    ks_json *json = ks__json_new(context);
    code = json ? convert(&json->root, &json->arena, tree, 0) : context->error.code;
    uselocale(before);
    freelocale(c_locale);
    cJSON_Delete(tree);
    context->memory.held -= charged;
    if (code != KS_OK) {
        if (json)
            ks_arena_fini(&json->arena);
        ks_free(context, json);
        return code;
    }
    *out = json;
    return KS_OK;
}
