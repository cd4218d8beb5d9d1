// SPDX-License-Identifier: Apache-2.0
//
// The strict JSON reader: the language of Python's json.loads (CPython 3.11, Lib/json/decoder.py and scanner.py).
//   document   space value space
//   space      U+0020, U+0009, U+000A, U+000D
//   value      object | array | string | number | true | false | null
//   string     anything from U+0020 on but " and \, or \" \\ \/ \b \f \n \r \t \uXXXX; two \u that form a surrogate
//   pair
//              are one character, other surrogates stay as they are
//   number     -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? | NaN | Infinity | -Infinity; without fraction and
//   exponent
//              it is an int of any size up to 4300 digits
//   object     of two equal keys the last value counts, in the place of the first
//
// There is no recursion: open containers wait on a stack of frames, their finished children on two more stacks. When a
// container closes, its children move from there to the arena, as one array. Strings are unescaped in place in the
// document's UTF-8 copy, and text ends with a NUL that takes the place of the byte behind it.
#include "document/json_internal.h"

#include "base/checked.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_INTEGER 4300
#define FEW_MEMBERS 64

typedef struct frame {
    bool dict;
    size_t first;    ///< its first child on the stack of its kind
    uint64_t offset; ///< of its opening bracket
} frame;

typedef struct parser {
    ks_context *context;
    ks_json *json;
    ks__json_source source;
    locale_t c_locale;
    char *text; ///< UTF-8, NUL behind it
    size_t size;
    size_t at;
    char *open_number; ///< byte behind the last number: becomes NUL as soon as it has been read
    uint64_t n_seen;   ///< values so far
    ks_value *values;  ///< children of open lists
    size_t n_values, values_capacity;
    ks_member *members; ///< children of open dicts; the last one of each waits for its value
    size_t n_members, members_capacity;
    frame *frames;
    size_t n_frames, frames_capacity;
    uint32_t *order; ///< scratch of the search for duplicate keys
    size_t order_capacity;
} parser;

// ---------------------------------------------------------------------------------------------------------- failures

/// Writes the path of the place being read, "/config/layers/3/name", keeping its end when it is too long.
static void write_place(const parser *p, char *place, size_t place_size) {
    size_t at = place_size - 1;
    size_t values_end = p->n_values;
    size_t members_end = p->n_members;
    place[at] = 0;
    for (size_t i = p->n_frames; i-- > 0;) {
        const frame *open = &p->frames[i];
        char number[24];
        ks_text step = {number, 0};
        if (open->dict) {
            if (members_end == open->first)
                continue; // before its first key
            step = p->members[members_end - 1].key;
            members_end = open->first;
        } else {
            step.size = (size_t)snprintf(number, sizeof number, "%zu", values_end - open->first);
            values_end = open->first;
        }
        if (step.size + 1 > at)
            break;
        at -= step.size;
        memcpy(place + at, step.data, step.size);
        place[--at] = '/';
    }
    memmove(place, place + at, place_size - at);
}

/// Fails at a place in the text, saying what stands there.
static ks_code fail(parser *p, ks_code code, size_t at, const char *expected) {
    char place[200];
    char found[32];
    uint8_t c = (uint8_t)p->text[at];
    write_place(p, place, sizeof place);
    if (at >= p->size)
        snprintf(found, sizeof found, "the end");
    else if (c > 0x20 && c < 0x7F)
        snprintf(found, sizeof found, "'%c'", c);
    else
        snprintf(found, sizeof found, "byte 0x%02X", c);
    uint64_t offset = ks__json_source_offset(&p->source, at < p->size ? at : p->size);
    return ks_fail(p->context, code, KS_STAGE_JSON, offset, place, "expected %s, found %s", expected, found);
}

/// Fails with `code`, or with "truncated" when the text ends here.
static ks_code unexpected(parser *p, ks_code code, const char *expected) {
    return fail(p, p->at >= p->size ? KS_E_JSON_TRUNCATED : code, p->at, expected);
}

// ------------------------------------------------------------------------------------------------------------ stacks

/// Makes room for one more item in a full array; the new one is half as large again.
static ks_code grow(parser *p, void **items, size_t *capacity, size_t count, size_t item_size) {
    size_t wanted = count < 32 ? 32 : count + count / 2;
    void *larger = ks_allocate(p->context, wanted, item_size);
    if (!larger)
        return p->context->error.code;
    if (count)
        memcpy(larger, *items, count * item_size);
    ks_free(p->context, *items);
    *items = larger;
    *capacity = wanted;
    return KS_OK;
}

static ks_code count_value(parser *p) {
    if (p->n_seen++ < p->context->limits.json_values)
        return KS_OK;
    return ks_fail(p->context, KS_E_OVER_COUNT, KS_STAGE_JSON, ks__json_source_offset(&p->source, p->at), NULL,
                   "expected at most %llu values, found more", (unsigned long long)p->context->limits.json_values);
}

static ks_code open_container(parser *p, bool dict) {
    if (p->n_frames >= p->context->limits.json_depth)
        return ks_fail(p->context, KS_E_OVER_DEPTH, KS_STAGE_JSON, ks__json_source_offset(&p->source, p->at), NULL,
                       "expected at most %llu nested containers, found more",
                       (unsigned long long)p->context->limits.json_depth);
    if (p->n_frames == p->frames_capacity) {
        void *frames = p->frames;
        ks_code code = grow(p, &frames, &p->frames_capacity, p->n_frames, sizeof *p->frames);
        p->frames = frames;
        if (code != KS_OK)
            return code;
    }
    frame *open = &p->frames[p->n_frames++];
    open->dict = dict;
    open->first = dict ? p->n_members : p->n_values;
    open->offset = ks__json_source_offset(&p->source, p->at);
    p->at++;
    return KS_OK;
}

// ----------------------------------------------------------------------------------------------------------- scanning

static char skip_space(parser *p) {
    const char *at = p->text + p->at;
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
        at++;
    p->at = (size_t)(at - p->text);
    return *at;
}

/// The first quote, backslash or control character from `at` on.
static const char *skip_plain(const char *at) {
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t high = 0x8080808080808080u;
    for (;; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word); // seven bytes of padding stand behind the NUL
        uint64_t quote = word ^ (ones * '"');
        uint64_t slash = word ^ (ones * '\\');
        uint64_t stop = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * 0x20) & ~word);
        stop &= high;
        if (stop == 0)
            continue;
        // Only the first hit is exact: a borrow may set bits of the bytes behind it.
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        return at + __builtin_ctzll(stop) / 8;
#else
        while ((uint8_t)*at >= 0x20 && *at != '"' && *at != '\\')
            at++;
        return at;
#endif
    }
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Four hexadecimal digits at `at`; false when they are not there. The NUL at the end is no digit.
static bool read_hex(const char *at, uint32_t *out) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
    }
    *out = value;
    return true;
}

/// Reads the escape whose backslash is at *from, writes its character to `to` and moves *from behind it.
static size_t unescape(const char **from, char *to) {
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char letter = (*from)[1];
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found) {
        *to = meanings[found - letters];
        *from += 2;
        return 1;
    }
    uint32_t point = 0;
    if (letter != 'u' || !read_hex(*from + 2, &point))
        return 0;
    *from += 6;
    uint32_t low = 0;
    if ((point & 0xFC00) == 0xD800 && (*from)[0] == '\\' && (*from)[1] == 'u' && read_hex(*from + 2, &low) &&
        (low & 0xFC00) == 0xDC00) {
        point = 0x10000 + ((point & 0x3FF) << 10) + (low & 0x3FF);
        *from += 6;
    }
    return ks__utf8_put(to, point);
}

/// Reads the string whose opening quote is at p->at.
static ks_code read_string(parser *p, ks_text *out) {
    char *start = p->text + p->at + 1;
    char *to = start;
    const char *from = start;
    for (;;) {
        const char *stop = skip_plain(from);
        size_t plain = (size_t)(stop - from);
        if (to != from)
            memmove(to, from, plain);
        to += plain;
        from = stop;
        if (*from == '"')
            break;
        size_t at = (size_t)(from - p->text);
        if (at >= p->size)
            return fail(p, KS_E_JSON_TRUNCATED, at, "the closing quote of a string");
        if (*from != '\\')
            return fail(p, KS_E_JSON_CONTROL, at, "no raw control character in a string");
        size_t step = unescape(&from, to);
        if (step == 0)
            return fail(p, at + 1 >= p->size ? KS_E_JSON_TRUNCATED : KS_E_JSON_ESCAPE, at + 1,
                        "one of \"\\/bfnrt or u with four hexadecimal digits after a backslash");
        to += step;
    }
    p->at = (size_t)(from + 1 - p->text);
    *to = 0;
    *out = (ks_text){start, (size_t)(to - start)};
    return KS_OK;
}

static size_t count_digits(const char *at) {
    size_t count = 0;
    while (at[count] >= '0' && at[count] <= '9')
        count++;
    return count;
}

static ks_code bad_number(parser *p, size_t at) {
    return fail(p, at >= p->size ? KS_E_JSON_TRUNCATED : KS_E_JSON_NUMBER, at, "a digit");
}

/// Fraction and exponent from *at on, which is moved behind them.
static ks_code read_fraction(parser *p, const char **at, bool *is_float) {
    if (**at == '.') {
        *is_float = true;
        size_t digits = count_digits(++*at);
        *at += digits;
        if (digits == 0)
            return bad_number(p, (size_t)(*at - p->text));
    }
    if (**at == 'e' || **at == 'E') {
        *is_float = true;
        ++*at;
        *at += **at == '+' || **at == '-';
        size_t digits = count_digits(*at);
        *at += digits;
        if (digits == 0)
            return bad_number(p, (size_t)(*at - p->text));
    }
    return KS_OK;
}

static void take_number(parser *p, ks_value *out, size_t size) {
    out->text = (ks_text){p->text + p->at, size};
    p->at += size;
    p->open_number = p->text + p->at;
}

static ks_code read_number(parser *p, ks_value *out) {
    const char *start = p->text + p->at;
    const char *at = start + (*start == '-');
    bool is_float = false;
    size_t digits = count_digits(at);
    if (digits == 0)
        return bad_number(p, (size_t)(at - p->text));
    if (digits > 1 && *at == '0')
        return fail(p, KS_E_JSON_NUMBER, (size_t)(at + 1 - p->text), "no digit after a leading zero");
    at += digits;
    ks_code code = read_fraction(p, &at, &is_float);
    if (code != KS_OK)
        return code;
    if (!is_float && digits > LONGEST_INTEGER)
        return fail(p, KS_E_JSON_LONG_INTEGER, p->at, "an integer of at most 4300 digits");
    take_number(p, out, (size_t)(at - start));
    if (is_float) {
        out->type = KS_VALUE_FLOAT;
        out->as.number = ks__json_float(out->text, p->c_locale);
    } else {
        out->type = KS_VALUE_INT;
        out->fits = ks__json_integer(out->text, &out->as.integer);
    }
    return KS_OK;
}

static bool word_is(const parser *p, const char *word, size_t word_size) {
    return p->size - p->at >= word_size && memcmp(p->text + p->at, word, word_size) == 0;
}

/// true, false, null, NaN, Infinity, -Infinity; false when no word stands here.
static bool read_word(parser *p, ks_value *out) {
    static const struct {
        const char *word;
        ks_value_type type;
        bool boolean;
        double number;
    } words[] = {
        {"null", KS_VALUE_NULL, false, 0},
        {"true", KS_VALUE_BOOL, true, 0},
        {"false", KS_VALUE_BOOL, false, 0},
        {"NaN", KS_VALUE_FLOAT, false, (double)__builtin_nanf("")},
        {"Infinity", KS_VALUE_FLOAT, false, __builtin_inf()},
        {"-Infinity", KS_VALUE_FLOAT, false, -__builtin_inf()},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t word_size = strlen(words[i].word);
        if (!word_is(p, words[i].word, word_size))
            continue;
        out->type = words[i].type;
        if (out->type == KS_VALUE_FLOAT) {
            out->as.number = words[i].number;
            take_number(p, out, word_size);
            return true;
        }
        if (out->type == KS_VALUE_BOOL)
            out->as.boolean = words[i].boolean;
        p->at += word_size;
        return true;
    }
    return false;
}

static ks_code read_scalar(parser *p, ks_value *out) {
    char c = p->text[p->at];
    out->offset = ks__json_source_offset(&p->source, p->at);
    if (c == '"') {
        out->type = KS_VALUE_STRING;
        return read_string(p, &out->text);
    }
    if ((c >= '0' && c <= '9') || (c == '-' && p->text[p->at + 1] != 'I'))
        return read_number(p, out);
    if (read_word(p, out))
        return KS_OK;
    if (p->at >= p->size && p->n_frames == 0)
        return fail(p, KS_E_JSON_EMPTY, p->at, "a value");
    return unexpected(p, KS_E_JSON_VALUE, "a value");
}

// --------------------------------------------------------------------------------------------------------- containers

/// Orders keys by size, then bytes, then place: cheap, and equal keys stand together in their order.
static bool key_before(const ks_member *members, uint32_t a, uint32_t b) {
    ks_text x = members[a].key;
    ks_text y = members[b].key;
    if (x.size != y.size)
        return x.size < y.size;
    int order = memcmp(x.data, y.data, x.size);
    return order != 0 ? order < 0 : a < b;
}

static void sift_down(uint32_t *heap, size_t count, size_t at, const ks_member *members) {
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && key_before(members, heap[child], heap[child + 1]))
            child++;
        if (!key_before(members, heap[at], heap[child]))
            return;
        uint32_t moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

/// Heapsort: no input makes it slow, and it needs no memory.
static void sort_keys(uint32_t *order, size_t count, const ks_member *members) {
    for (size_t i = count / 2; i-- > 0;)
        sift_down(order, count, i, members);
    for (size_t last = count; last-- > 1;) {
        uint32_t largest = order[0];
        order[0] = order[last];
        order[last] = largest;
        sift_down(order, last, 0, members);
    }
}

/// Moves the later of two members with one key into the place of the earlier, and marks its own place as free.
static void hide(parser *p, ks_member *members, size_t first, size_t last) {
    char place[64];
    snprintf(place, sizeof place, "offset %llu", (unsigned long long)members[last].key_offset);
    ks_warn(p->context, "json-duplicate-key", place);
    members[first].value = members[last].value;
    members[first].key_offset = members[last].key_offset;
    members[last].key.data = NULL;
}

/// Finds duplicates among few members: only keys whose mark (one bit of 64) was seen before are compared.
static size_t hide_duplicates_of_few(parser *p, ks_member *members, size_t count) {
    uint64_t marks = 0;
    size_t n_hidden = 0;
    for (size_t i = 0; i < count; i++) {
        ks_text key = members[i].key;
        unsigned mix = (unsigned)key.size * 31u;
        if (key.size)
            mix += (uint8_t)key.data[0] * 7u + (uint8_t)key.data[key.size / 2] * 5u + (uint8_t)key.data[key.size - 1];
        uint64_t mark = (uint64_t)1 << (mix & 63);
        for (size_t j = 0; (marks & mark) && j < i; j++) {
            if (members[j].key.data && ks_text_equal(members[j].key, key)) {
                hide(p, members, j, i);
                n_hidden++;
                break;
            }
        }
        marks |= mark;
    }
    return n_hidden;
}

static ks_code hide_duplicates_of_many(parser *p, ks_member *members, size_t count, size_t *out) {
    if (count > UINT32_MAX)
        return ks_fail(p->context, KS_E_OVER_COUNT, KS_STAGE_JSON, KS_NO_OFFSET, NULL, "%zu keys in one object", count);
    if (count > p->order_capacity) {
        ks_free(p->context, p->order);
        p->order_capacity = 0;
        p->order = ks_allocate(p->context, count, sizeof *p->order);
        if (!p->order)
            return p->context->error.code;
        p->order_capacity = count;
    }
    for (size_t i = 0; i < count; i++)
        p->order[i] = (uint32_t)i;
    sort_keys(p->order, count, members);
    *out = 0;
    for (size_t i = 1, first = 0; i < count; i++) {
        if (!ks_text_equal(members[p->order[first]].key, members[p->order[i]].key)) {
            first = i;
            continue;
        }
        hide(p, members, p->order[first], p->order[i]);
        ++*out;
    }
    return KS_OK;
}

static ks_code close_list(parser *p, const frame *open, ks_value *out) {
    size_t count = p->n_values - open->first;
    out->type = KS_VALUE_LIST;
    out->as.list.count = count;
    out->as.list.items = ks_arena_get(&p->json->arena, count, sizeof *p->values);
    if (!out->as.list.items)
        return p->context->error.code;
    if (count)
        memcpy(out->as.list.items, p->values + open->first, count * sizeof *p->values);
    p->n_values = open->first;
    return KS_OK;
}

static ks_code close_dict(parser *p, const frame *open, ks_value *out) {
    size_t count = p->n_members - open->first;
    ks_member *members = count ? p->members + open->first : NULL;
    size_t n_hidden = 0;
    ks_code code = KS_OK;
    if (count <= FEW_MEMBERS)
        n_hidden = hide_duplicates_of_few(p, members, count);
    else
        code = hide_duplicates_of_many(p, members, count, &n_hidden);
    if (code != KS_OK)
        return code;
    out->type = KS_VALUE_DICT;
    out->as.dict.count = count - n_hidden;
    out->as.dict.members = ks_arena_get(&p->json->arena, count - n_hidden, sizeof *members);
    if (!out->as.dict.members)
        return p->context->error.code;
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        if (members[i].key.data)
            out->as.dict.members[at++] = members[i];
    p->n_members = open->first;
    return KS_OK;
}

static ks_code close_container(parser *p, ks_value *out) {
    const frame *open = &p->frames[p->n_frames - 1];
    *out = (ks_value){.offset = open->offset};
    ks_code code = open->dict ? close_dict(p, open, out) : close_list(p, open, out);
    p->n_frames--;
    p->at++;
    return code;
}

/// Reads `"key":` and leaves a member waiting for its value.
static ks_code read_key(parser *p) {
    if (p->text[p->at] != '"')
        return unexpected(p, KS_E_JSON_KEY, "a key in double quotes");
    if (p->n_members == p->members_capacity) {
        void *members = p->members;
        ks_code code = grow(p, &members, &p->members_capacity, p->n_members, sizeof *p->members);
        p->members = members;
        if (code != KS_OK)
            return code;
    }
    ks_member *member = &p->members[p->n_members]; // its value is set when it is complete
    member->key_offset = ks__json_source_offset(&p->source, p->at);
    ks_code code = read_string(p, &member->key);
    if (code != KS_OK)
        return code;
    p->n_members++;
    if (skip_space(p) != ':')
        return unexpected(p, KS_E_JSON_COLON, "':' after a key");
    p->at++;
    return KS_OK;
}

// ------------------------------------------------------------------------------------------------------------ document

typedef enum state {
    AT_VALUE, ///< a value must come
    GOT_VALUE,
    DONE
} state;

/// Reads a scalar, or opens a container and closes it when it is empty.
static ks_code read_value(parser *p, ks_value *out, state *next) {
    char c = skip_space(p);
    ks_code code = count_value(p);
    *next = GOT_VALUE;
    if (code != KS_OK)
        return code;
    if (c != '{' && c != '[') {
        *out = (ks_value){.type = KS_VALUE_NULL};
        return read_scalar(p, out);
    }
    code = open_container(p, c == '{');
    if (code != KS_OK)
        return code;
    char first = skip_space(p);
    if (first == (c == '{' ? '}' : ']'))
        return close_container(p, out);
    *next = AT_VALUE;
    return c == '{' ? read_key(p) : KS_OK;
}

/// Puts a finished value where it belongs.
static ks_code place_value(parser *p, const ks_value *value) {
    if (p->n_frames == 0) {
        p->json->root = *value;
        return KS_OK;
    }
    if (p->frames[p->n_frames - 1].dict) {
        p->members[p->n_members - 1].value = *value;
        return KS_OK;
    }
    if (p->n_values == p->values_capacity) {
        void *values = p->values;
        ks_code code = grow(p, &values, &p->values_capacity, p->n_values, sizeof *p->values);
        p->values = values;
        if (code != KS_OK)
            return code;
    }
    p->values[p->n_values++] = *value;
    return KS_OK;
}

/// What follows a finished value: the next one, or the end of the container, which is then finished itself.
static ks_code read_separator(parser *p, ks_value *value, state *next) {
    char c = skip_space(p);
    if (p->open_number) {
        *p->open_number = 0;
        p->open_number = NULL;
    }
    if (p->n_frames == 0) {
        *next = DONE;
        return p->at == p->size ? KS_OK : fail(p, KS_E_JSON_EXTRA_DATA, p->at, "nothing after the value");
    }
    bool dict = p->frames[p->n_frames - 1].dict;
    if (c == (dict ? '}' : ']')) {
        *next = GOT_VALUE;
        return close_container(p, value);
    }
    if (c != ',')
        return unexpected(p, KS_E_JSON_COMMA, dict ? "',' or '}'" : "',' or ']'");
    p->at++;
    c = skip_space(p);
    if (c == (dict ? '}' : ']'))
        return fail(p, KS_E_JSON_TRAILING_COMMA, p->at, "an item after ','");
    *next = AT_VALUE;
    return dict ? read_key(p) : KS_OK;
}

static ks_code parse_document(parser *p) {
    ks_value value = {.type = KS_VALUE_NULL};
    state now = AT_VALUE;
    while (now != DONE) {
        ks_code code = KS_OK;
        if (now == AT_VALUE) {
            code = read_value(p, &value, &now);
        } else {
            code = place_value(p, &value);
            if (code == KS_OK)
                code = read_separator(p, &value, &now);
        }
        if (code != KS_OK)
            return code;
    }
    return KS_OK;
}

ks_code ks__json_parse_strict(ks_json **out, ks_context *context, ks_bytes bytes) {
    parser p = {.context = context};
    ks_code code = KS_OK;
    *out = NULL;
    p.json = ks__json_new(context);
    if (!p.json)
        return context->error.code;
    p.c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    KS_TRY(ks__json_source_decode(&p.source, &p.json->arena, bytes));
    p.text = p.source.text;
    p.size = p.source.text_size;
    KS_TRY(parse_document(&p));
    *out = p.json;
    p.json = NULL;
done:
    freelocale(p.c_locale);
    ks_free(context, p.values);
    ks_free(context, p.members);
    ks_free(context, p.frames);
    ks_free(context, p.order);
    ks_json_free(p.json);
    return code;
}
