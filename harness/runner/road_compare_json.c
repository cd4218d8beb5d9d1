// SPDX-License-Identifier: Apache-2.0
//
// JSON by both roads: equal values, but for what cJSON cannot keep.
#include "runner/road_compare_internal.h"

#include <kassay/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CJSON_DEPTH 1000     // CJSON_NESTING_LIMIT as Debian compiles it
#define CJSON_BOM_DOCUMENT 5 // bytes that a document needs for cJSON to look for a mark

static ks_code walk_json(ks_context *context, ks_bytes bytes, ks_road road) {
    ks_json *json = NULL;
    ks_code code = ks_json_parse(&json, context, bytes, road);
    ks_json_free(json);
    return code;
}

// --- why cJSON refuses what the strict road accepts ------------------------------------------------------------------

typedef struct traits {
    bool no_number; ///< NaN or an infinity, by its word
    bool lone_surrogate;
    bool deep;
} traits;

static bool has_surrogate(ks_text text) {
    for (size_t i = 0; i + 1 < text.size; i++)
        if ((uint8_t)text.data[i] == 0xED && (uint8_t)text.data[i + 1] >= 0xA0)
            return true;
    return false;
}

// Leaves at the depth where the answer is known, so recursion is bounded by it.
static void find_traits(traits *found, const ks_value *value, size_t depth) {
    if (depth > CJSON_DEPTH) {
        found->deep = true;
        return;
    }
    switch (value->type) {
    case KS_VALUE_INT:
    case KS_VALUE_FLOAT:
        found->no_number |= value->text.size > 0 && value->text.data[value->text.size - 1] > '9'; // "NaN", "Infinity"
        break;
    case KS_VALUE_STRING:
        found->lone_surrogate |= has_surrogate(value->text);
        break;
    case KS_VALUE_LIST:
        for (size_t i = 0; i < value->as.list.count; i++)
            find_traits(found, &value->as.list.items[i], depth + 1);
        found->deep |= depth == CJSON_DEPTH;
        break;
    case KS_VALUE_DICT:
        for (size_t i = 0; i < value->as.dict.count; i++) {
            found->lone_surrogate |= has_surrogate(value->as.dict.members[i].key);
            find_traits(found, &value->as.dict.members[i].value, depth + 1);
        }
        found->deep |= depth == CJSON_DEPTH;
        break;
    default:
        break;
    }
}

/// The same from the text alone, for what stands in values that a duplicate key hides from the tree. Any escaped
/// surrogate counts as a lone one.
static void find_hidden_traits(traits *found, ks_bytes bytes) {
    bool inside = false;
    size_t depth = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        if (inside && c == '\\') {
            found->lone_surrogate |=
                bytes.size - i > 2 && bytes.data[i + 1] == 'u' && (bytes.data[i + 2] | 0x20) == 'd';
            i++;
        } else if (c == '"') {
            inside = !inside;
        } else if (!inside) {
            found->no_number |= c == 'N' || c == 'I';
            depth += c == '[' || c == '{';
            depth -= c == ']' || c == '}';
            found->deep |= depth > CJSON_DEPTH;
        }
    }
}

static bool hides_values(const ks_context *strict) {
    return strict->n_warnings > 0 && strcmp(strict->warnings[0].name, "json-duplicate-key") == 0;
}

static bool has_mark(ks_bytes bytes) {
    return bytes.size >= 3 && memcmp(bytes.data, "\xEF\xBB\xBF", 3) == 0;
}

static bool is_wide(ks_bytes bytes) {
    if (bytes.size < 2)
        return false;
    uint8_t a = bytes.data[0];
    uint8_t b = bytes.data[1];
    return (a == 0xFF && b == 0xFE) || (a == 0xFE && b == 0xFF) || a == 0 || b == 0;
}

static void explain_refusal(ks__comparison *self, const ks_value *root) {
    ks_code code = self->library.error.code;
    if (code == KS_E_OVER_MEMORY || code == KS_E_NO_MEMORY) {
        // The library road needs at most four times what the strict road needs for the same document.
        if (self->strict.memory.peak * 4 >= self->strict.memory.limit)
            ks__comparison_listed(self, KS_DIFFERENCE_JSON_MEMORY);
        else
            ks__comparison_differ(self, "over memory, though the strict road needs little: %s",
                                  self->library.error.message);
        return;
    }
    traits found = {false, false, false};
    find_traits(&found, root, 0);
    if (hides_values(&self->strict))
        find_hidden_traits(&found, self->bytes);
    if (is_wide(self->bytes))
        ks__comparison_listed(self, KS_DIFFERENCE_JSON_WIDE);
    else if (found.no_number)
        ks__comparison_listed(self, KS_DIFFERENCE_JSON_NAN);
    else if (found.lone_surrogate)
        ks__comparison_listed(self, KS_DIFFERENCE_JSON_SURROGATE);
    else if (found.deep)
        ks__comparison_listed(self, KS_DIFFERENCE_JSON_DEPTH);
    else if (has_mark(self->bytes) && self->bytes.size < CJSON_BOM_DOCUMENT)
        ks__comparison_listed(self, KS_DIFFERENCE_JSON_SHORT_BOM);
    else
        ks__comparison_differ(self, "the strict road accepts, the library road refuses: %s at byte %llu",
                              self->library.error.message, (unsigned long long)self->library.error.offset);
}

// --- values ----------------------------------------------------------------------------------------------------------

static void compare_values(ks__comparison *self, const ks_value *strict, const ks_value *library);

static bool is_number(const ks_value *value) {
    return value->type == KS_VALUE_INT || value->type == KS_VALUE_FLOAT;
}

static double as_double(const ks_value *value) {
    return value->type == KS_VALUE_FLOAT ? value->as.number : strtod(value->text.data, NULL);
}

static void compare_numbers(ks__comparison *self, const ks_value *strict, const ks_value *library) {
    double a = as_double(strict);
    double b = as_double(library);
    if (a != b) {
        ks__comparison_differ(self, "the number %.60s is %.17g by the strict road, %.17g by the library road",
                              strict->text.data, a, b);
        return;
    }
    bool exact = strict->type == KS_VALUE_INT && strict->fits && library->type == KS_VALUE_INT &&
                 strict->as.integer == library->as.integer;
    if (strict->type == KS_VALUE_INT && fabs(a) >= 9007199254740992.0)
        ks__comparison_listed(self, KS_DIFFERENCE_JSON_BIG_INTEGER);
    else if (strict->type == KS_VALUE_INT && library->type == KS_VALUE_FLOAT && a == 0)
        ks__comparison_listed(self, KS_DIFFERENCE_JSON_NEGATIVE_ZERO);
    else if (strict->type == KS_VALUE_FLOAT && library->type == KS_VALUE_INT)
        ks__comparison_listed(self, KS_DIFFERENCE_JSON_NUMBER_FORM);
    else if (strict->type != library->type)
        ks__comparison_differ(self, "the integer %.60s is a float by the library road", strict->text.data);
    else if (strict->type == KS_VALUE_INT && !exact)
        ks__comparison_differ(self, "the integer %.60s is another by the library road", strict->text.data);
}

/// The part before a NUL: all that cJSON keeps.
static ks_text before_nul(ks_text text) {
    const char *nul = memchr(text.data, 0, text.size);
    return nul ? (ks_text){text.data, (size_t)(nul - text.data)} : text;
}

static void compare_strings(ks__comparison *self, ks_text strict, ks_text library) {
    ks_text kept = before_nul(strict);
    if (kept.size != strict.size)
        ks__comparison_listed(self, KS_DIFFERENCE_JSON_NUL);
    if (!ks_text_equal(kept, library))
        ks__comparison_bytes(self, "a string", (ks_bytes){(const uint8_t *)kept.data, kept.size},
                             (ks_bytes){(const uint8_t *)library.data, library.size});
}

static void compare_lists(ks__comparison *self, const ks_value *strict, const ks_value *library) {
    if (strict->as.list.count != library->as.list.count) {
        ks__comparison_differ(self, "a list has %zu items by the strict road, %zu by the library road",
                              strict->as.list.count, library->as.list.count);
        return;
    }
    for (size_t i = 0; i < strict->as.list.count && !ks__comparison_failed(self); i++) {
        char step[24];
        snprintf(step, sizeof step, "%zu", i);
        size_t mark = ks__comparison_enter(self, "/", ks_text_from(step));
        compare_values(self, &strict->as.list.items[i], &library->as.list.items[i]);
        ks__comparison_leave(self, mark);
    }
}

// --- dicts -----------------------------------------------------------------------------------------------------------

static int by_key(const void *a, const void *b) {
    const ks_member *first = *(const ks_member *const *)a;
    const ks_member *second = *(const ks_member *const *)b;
    int order = strcmp(first->key.data, second->key.data); // cJSON's keys hold no NUL
    return order != 0 ? order : first < second ? -1 : first > second;
}

/// The library's members with this key, in the order of the document: [*first, return value).
static size_t equal_range(size_t *first, const ks_member **sorted, size_t count, ks_text key) {
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strncmp(sorted[middle]->key.data, key.data, key.size) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < count && sorted[low]->key.size != key.size && strncmp(sorted[low]->key.data, key.data, key.size) == 0)
        low++;
    *first = low;
    while (low < count && ks_text_equal(sorted[low]->key, key))
        low++;
    return low;
}

/// Whether a key of `dict` became `key` by losing its end.
static bool became(const ks_value *dict, ks_text key) {
    for (size_t i = 0; i < dict->as.dict.count; i++) {
        ks_text whole = dict->as.dict.members[i].key;
        ks_text kept = before_nul(whole);
        if (kept.size != whole.size && ks_text_equal(kept, key))
            return true;
    }
    return false;
}

static void compare_member(ks__comparison *self, const ks_value *dict, const ks_member *strict,
                           const ks_member **sorted, size_t count) {
    ks_text key = before_nul(strict->key);
    size_t first = 0;
    size_t last = equal_range(&first, sorted, count, key);
    size_t mark = ks__comparison_enter(self, "/", key);
    if (first == last)
        ks__comparison_differ(self, "the library road has no such key");
    else if (last - first > 1)
        ks__comparison_listed(self, KS_DIFFERENCE_JSON_DUPLICATE_KEY);
    if (key.size != strict->key.size || (last - first > 1 && became(dict, key)))
        ks__comparison_listed(self, KS_DIFFERENCE_JSON_NUL); // keys may have become equal: any of them may be meant
    else if (first < last)
        compare_values(self, &strict->value, &sorted[last - 1]->value);
    ks__comparison_leave(self, mark);
}

static bool same_keys(const ks_value *strict, const ks_value *library) {
    if (strict->as.dict.count != library->as.dict.count)
        return false;
    for (size_t i = 0; i < strict->as.dict.count; i++)
        if (!ks_text_equal(strict->as.dict.members[i].key, library->as.dict.members[i].key))
            return false;
    return true;
}

static void compare_dicts(ks__comparison *self, const ks_value *strict, const ks_value *library) {
    size_t count = library->as.dict.count;
    if (same_keys(strict, library)) {
        for (size_t i = 0; i < count && !ks__comparison_failed(self); i++) {
            size_t mark = ks__comparison_enter(self, "/", strict->as.dict.members[i].key);
            compare_values(self, &strict->as.dict.members[i].value, &library->as.dict.members[i].value);
            ks__comparison_leave(self, mark);
        }
        return;
    }
    if (strict->as.dict.count > count) {
        ks__comparison_differ(self, "a dict has %zu keys by the strict road, %zu by the library road",
                              strict->as.dict.count, count);
        return;
    }
    const ks_member **sorted = ks_allocate(self->context, count, sizeof(const ks_member *));
    if (!sorted) {
        ks__comparison_differ(self, "no memory to compare a dict of %zu keys", count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = &library->as.dict.members[i];
    qsort(sorted, count, sizeof(const ks_member *), by_key);
    bool explained = false; // by duplicates, or by keys that lost their end
    for (size_t i = 1; i < count; i++)
        explained |= ks_text_equal(sorted[i - 1]->key, sorted[i]->key);
    for (size_t i = 0; i < strict->as.dict.count && !ks__comparison_failed(self); i++) {
        explained |= before_nul(strict->as.dict.members[i].key).size != strict->as.dict.members[i].key.size;
        compare_member(self, strict, &strict->as.dict.members[i], sorted, count);
    }
    if (!explained)
        ks__comparison_differ(self, "the keys of a dict differ or stand in another order");
    ks_free(self->context, sorted);
}

static void compare_values(ks__comparison *self, const ks_value *strict, const ks_value *library) {
    if (is_number(strict) && is_number(library)) {
        compare_numbers(self, strict, library);
        return;
    }
    if (strict->type != library->type) {
        ks__comparison_differ(self, "%s by the strict road, %s by the library road", ks_value_type_name(strict->type),
                              ks_value_type_name(library->type));
        return;
    }
    switch (strict->type) {
    case KS_VALUE_BOOL:
        if (strict->as.boolean != library->as.boolean)
            ks__comparison_differ(self, "a bool is another by the library road");
        break;
    case KS_VALUE_STRING:
        compare_strings(self, strict->text, library->text);
        break;
    case KS_VALUE_LIST:
        compare_lists(self, strict, library);
        break;
    case KS_VALUE_DICT:
        compare_dicts(self, strict, library);
        break;
    default:
        break;
    }
}

ks_code ks_roads_compare_json(ks_roads_result *out, ks_context *context, const ks_roads_options *options,
                              ks_bytes bytes) {
    ks__comparison self;
    ks__comparison_begin(&self, out, context, options, KS_ROADS_JSON, bytes);
    ks_json *strict = NULL;
    ks_json *library = NULL;
    ks_code code = KS_OK;
    if (ks_json_parse(&strict, &self.strict, bytes, KS_ROAD_STRICT) != KS_OK) {
        out->strict = self.strict.error;
        code = ks__comparison_refused(&self, walk_json);
    } else {
        out->library_asked = true;
        ks_code answer = ks_json_parse(&library, &self.library, bytes, KS_ROAD_LIBRARY);
        if (answer == KS_E_LIBRARY_MODULE)
            code = ks_fail(context, answer, KS_STAGE_JSON, KS_NO_OFFSET, NULL, "%s", self.library.error.message);
        else if (answer != KS_OK)
            explain_refusal(&self, ks_json_root(strict));
        else
            compare_values(&self, ks_json_root(strict), ks_json_root(library));
        out->library = self.library.error;
    }
    ks_json_free(strict);
    ks_json_free(library);
    ks__comparison_end(&self);
    return code;
}
