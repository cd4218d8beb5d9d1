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
// There is no recursion: open containers wait on a stack of frames, their children on two more stacks. When a container
// closes, its children move from there to the arena, as one array. Strings are unescaped in place in the document's
// UTF-8 copy, and text ends with a NUL that takes the place of the byte behind it, once that byte was read.
//
// The place in the text goes through the functions as an argument and comes back as what was reached, or NULL after a
// failure: so it stays in a register.
#include "document/json_internal.h"

#include "base/checked.h"
#include "base/keep.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <stdio.h>
#include <string.h>

#define LONGEST_INTEGER 4300
#define FEW_MEMBERS 64
#define SMALL 8192    ///< bytes of a document whose values get one piece of memory
#define SMALL_SHARE 8 ///< bytes of values for one byte of it
#define FIRST_ROOM 48 ///< items of each stack before it takes memory

#if defined(__GNUC__)
#define RARE __attribute__((cold, noinline)) ///< keeps what seldom happens out of the loops
#else
#define RARE
#endif

typedef struct frame {
    bool dict;
    bool repeated;   ///< some key may have come twice
    size_t first;    ///< its first child on the stack of its kind
    uint64_t offset; ///< of its opening bracket
    uint64_t marks;  ///< of the keys so far, one bit of 64 each
} frame;

typedef struct parser {
    ks_context *context;
    ks_json *json;
    ks__json_source source;
    uint64_t n_left;    ///< values that may still come
    locale_t c_locale;  ///< made when it is needed first
    char *text;         ///< UTF-8, NULs behind it
    char *end;          ///< of the text
    ks_code code;       ///< of the failure, once there was one
    bool between;       ///< behind a finished value
    ks_value *here;     ///< what the next value becomes
    ks_value *values;   ///< children of open lists; the last one of each may be in the making
    ks_member *members; ///< children of open dicts; the same
    frame *frames;
    size_t n_values, values_room;
    size_t n_members, members_room;
    size_t n_frames, frames_room;
    uint32_t *order; ///< scratch of the search for duplicate keys
    size_t order_room;
    ks_value first_values[FIRST_ROOM];
    ks_member first_members[FIRST_ROOM];
    frame first_frames[FIRST_ROOM];
} parser;

static inline uint64_t offset_of(parser *p, const char *at) {
    return ks__json_source_offset(&p->source, (size_t)(at - p->text));
}

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
            size_t n_items = values_end - open->first;
            bool in_making = n_items > 0 && !(p->between && i + 1 == p->n_frames);
            step.size = (size_t)snprintf(number, sizeof number, "%zu", n_items - in_making);
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

/// Fails at a place in the text, saying what stands there. Returns NULL, as all that move through the text do.
RARE static char *fail(parser *p, ks_code code, const char *at, const char *expected) {
    char place[200];
    char found[32];
    uint8_t c = (uint8_t)*at;
    write_place(p, place, sizeof place);
    if (at >= p->end)
        snprintf(found, sizeof found, "the end");
    else if (c > 0x20 && c < 0x7F)
        snprintf(found, sizeof found, "'%c'", c);
    else
        snprintf(found, sizeof found, "byte 0x%02X", c);
    p->code = ks_fail(p->context, code, KS_STAGE_JSON, offset_of(p, at < p->end ? at : p->end), place,
                      "expected %s, found %s", expected, found);
    return NULL;
}

/// Fails with `code`, or with "truncated" when the text ends here.
RARE static char *unexpected(parser *p, ks_code code, const char *at, const char *expected) {
    return fail(p, at >= p->end ? KS_E_JSON_TRUNCATED : code, at, expected);
}

RARE static char *too_many(parser *p, ks_code code, const char *at, uint64_t limit, const char *what) {
    p->code = ks_fail(p->context, code, KS_STAGE_JSON, offset_of(p, at), NULL, "expected at most %llu %s, found more",
                      (unsigned long long)limit, what);
    return NULL;
}

// ------------------------------------------------------------------------------------------------------------ stacks

/// Makes room for more items in a full array; the new one is half as large again.
RARE static bool grow(parser *p, void **items, size_t *room, size_t item_size, const void *first) {
    size_t wanted = *room + *room / 2;
    void *larger = ks__allocate_room(p->context, wanted, item_size);
    if (!larger) {
        p->code = p->context->error.code;
        return false;
    }
    memcpy(larger, *items, *room * item_size);
    if (*items != first)
        ks_free(p->context, *items);
    *items = larger;
    *room = wanted;
    return true;
}

static bool grow_values(parser *p) {
    void *items = p->values;
    bool grown = grow(p, &items, &p->values_room, sizeof *p->values, p->first_values);
    p->values = items;
    return grown;
}

static bool grow_members(parser *p) {
    void *items = p->members;
    bool grown = grow(p, &items, &p->members_room, sizeof *p->members, p->first_members);
    p->members = items;
    return grown;
}

static bool grow_frames(parser *p) {
    void *items = p->frames;
    bool grown = grow(p, &items, &p->frames_room, sizeof *p->frames, p->first_frames);
    p->frames = items;
    return grown;
}

static void free_stacks(parser *p) {
    if (p->values != p->first_values)
        ks_free(p->context, p->values);
    if (p->members != p->first_members)
        ks_free(p->context, p->members);
    if (p->frames != p->first_frames)
        ks_free(p->context, p->frames);
    ks_free(p->context, p->order);
}

// ----------------------------------------------------------------------------------------------------------- scanning

static inline char *skip_space(char *at) {
    while ((uint8_t)*at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

/// The first quote, backslash or control character from `at` on. May look at as many bytes behind the text as
/// KS__JSON_PADDING says.
static inline char *skip_plain(char *at) {
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i slash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);
    for (;; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash));
        stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);
        if (mask)
            return at + __builtin_ctz(mask);
    }
#else
    while ((uint8_t)*at >= 0x20 && *at != '"' && *at != '\\')
        at++;
    return at;
#endif
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
static size_t unescape(char **from, char *to) {
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

/// The rest of a string, from its first backslash on.
RARE static char *read_escaped(parser *p, ks_text *out, char *start, char *stop) {
    char *to = stop;
    char *from = stop;
    while (*from != '"') {
        if (from >= p->end)
            return fail(p, KS_E_JSON_TRUNCATED, from, "the closing quote of a string");
        if (*from != '\\')
            return fail(p, KS_E_JSON_CONTROL, from, "no raw control character in a string");
        const char *escape = from + 1;
        size_t step = unescape(&from, to);
        if (step == 0)
            return fail(p, escape >= p->end ? KS_E_JSON_TRUNCATED : KS_E_JSON_ESCAPE, escape,
                        "one of \"\\/bfnrt or u with four hexadecimal digits after a backslash");
        to += step;
        size_t plain = (size_t)(skip_plain(from) - from);
        memmove(to, from, plain);
        to += plain;
        from += plain;
    }
    *to = 0;
    *out = (ks_text){start, (size_t)(to - start)};
    return from + 1;
}

/// Reads the string whose opening quote is at `at`.
static inline char *read_string(parser *p, char *at, ks_text *out) {
    char *stop = skip_plain(at + 1);
    if (*stop != '"')
        return read_escaped(p, out, at + 1, stop);
    *stop = 0;
    *out = (ks_text){at + 1, (size_t)(stop - at - 1)};
    return stop + 1;
}

static size_t count_digits(const char *at) {
    size_t count = 0;
    while (at[count] >= '0' && at[count] <= '9')
        count++;
    return count;
}

RARE static char *bad_number(parser *p, const char *at) {
    return fail(p, at >= p->end ? KS_E_JSON_TRUNCATED : KS_E_JSON_NUMBER, at, "a digit");
}

/// Behind the fraction and the exponent at `at`.
static char *skip_fraction(parser *p, char *at) {
    if (*at == '.') {
        size_t digits = count_digits(++at);
        at += digits;
        if (digits == 0)
            return bad_number(p, at);
    }
    if (*at == 'e' || *at == 'E') {
        ++at;
        at += *at == '+' || *at == '-';
        size_t digits = count_digits(at);
        at += digits;
        if (digits == 0)
            return bad_number(p, at);
    }
    return at;
}

RARE static char *read_float(parser *p, char *start, char *at, ks_value *out) {
    at = skip_fraction(p, at);
    if (!at)
        return NULL;
    out->text = (ks_text){start, (size_t)(at - start)};
    out->type = KS_VALUE_FLOAT;
    out->as.number = ks__json_float(out->text, &p->c_locale);
    return at;
}

static inline char *read_number(parser *p, char *start, ks_value *out) {
    char *at = start + (*start == '-');
    size_t digits = count_digits(at);
    if (digits == 0)
        return bad_number(p, at);
    if (digits > 1 && *at == '0')
        return fail(p, KS_E_JSON_NUMBER, at + 1, "no digit after a leading zero");
    at += digits;
    if (*at == '.' || *at == 'e' || *at == 'E')
        return read_float(p, start, at, out);
    if (digits > LONGEST_INTEGER)
        return fail(p, KS_E_JSON_LONG_INTEGER, start, "an integer of at most 4300 digits");
    out->text = (ks_text){start, (size_t)(at - start)};
    out->type = KS_VALUE_INT;
    out->fits = ks__json_integer(out->text, &out->as.integer);
    return at;
}

RARE static char *no_value(parser *p, const char *at) {
    if (at >= p->end && p->n_frames == 0)
        return fail(p, KS_E_JSON_EMPTY, at, "a value");
    return unexpected(p, KS_E_JSON_VALUE, at, "a value");
}

/// Behind the word, which must stand at `at`. The NULs behind the text are part of no word.
static inline char *read_word(parser *p, char *at, const char *word, size_t word_size) {
    return memcmp(at, word, word_size) == 0 ? at + word_size : no_value(p, at);
}

/// NaN, Infinity, -Infinity
static char *read_number_word(parser *p, char *at, const char *word, double number, ks_value *out) {
    out->type = KS_VALUE_FLOAT;
    out->as.number = number;
    out->text = (ks_text){at, strlen(word)};
    return read_word(p, at, word, out->text.size);
}

/// Strings and numbers are tested for before the jump: it is seldom foreseen.
static inline char *read_scalar(parser *p, char *at, ks_value *out) {
    *out = (ks_value){.offset = offset_of(p, at)};
    if (*at == '"') {
        out->type = KS_VALUE_STRING;
        return read_string(p, at, &out->text);
    }
    if (*at >= '0' && *at <= '9')
        return read_number(p, at, out);
    switch (*at) {
    case 'n':
        out->type = KS_VALUE_NULL;
        return read_word(p, at, "null", 4);
    case 't':
        out->type = KS_VALUE_BOOL;
        out->as.boolean = true;
        return read_word(p, at, "true", 4);
    case 'f':
        out->type = KS_VALUE_BOOL;
        return read_word(p, at, "false", 5);
    case 'N':
        return read_number_word(p, at, "NaN", (double)__builtin_nanf(""), out);
    case 'I':
        return read_number_word(p, at, "Infinity", __builtin_inf(), out);
    case '-':
        return at[1] == 'I' ? read_number_word(p, at, "-Infinity", -__builtin_inf(), out) : read_number(p, at, out);
    default:
        return no_value(p, at);
    }
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

static size_t hide_duplicates_of_few(parser *p, ks_member *members, size_t count) {
    size_t n_hidden = 0;
    for (size_t i = 1; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (members[j].key.data && ks_text_equal(members[j].key, members[i].key)) {
                hide(p, members, j, i);
                n_hidden++;
                break;
            }
        }
    }
    return n_hidden;
}

static ks_code hide_duplicates_of_many(parser *p, ks_member *members, size_t count, size_t *out) {
    if (count > UINT32_MAX)
        return ks_fail(p->context, KS_E_OVER_COUNT, KS_STAGE_JSON, KS_NO_OFFSET, NULL, "%zu keys in one object", count);
    if (count > p->order_room) {
        ks_free(p->context, p->order);
        p->order_room = 0;
        p->order = ks_allocate(p->context, count, sizeof *p->order);
        if (!p->order)
            return p->context->error.code;
        p->order_room = count;
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

/// Where a finished container goes: the last child of the one around it.
static ks_value *outer_slot(parser *p) {
    if (p->n_frames == 0)
        return &p->json->root;
    return p->frames[p->n_frames - 1].dict ? &p->members[p->n_members - 1].value : &p->values[p->n_values - 1];
}

static bool close_list(parser *p, const frame *open) {
    size_t count = p->n_values - open->first;
    ks_value *items = ks_arena_room(&p->json->arena, count, sizeof *items);
    if (!items)
        return false;
    memcpy(items, p->values + open->first, count * sizeof *items);
    p->n_values = open->first;
    ks_value *out = outer_slot(p);
    *out = (ks_value){.type = KS_VALUE_LIST, .offset = open->offset};
    out->as.list.items = items;
    out->as.list.count = count;
    return true;
}

static bool close_dict(parser *p, const frame *open) {
    size_t count = p->n_members - open->first;
    ks_member *members = p->members + open->first;
    size_t n_hidden = 0;
    if (count > FEW_MEMBERS) {
        if (hide_duplicates_of_many(p, members, count, &n_hidden) != KS_OK)
            return false;
    } else if (open->repeated) {
        n_hidden = hide_duplicates_of_few(p, members, count);
    }
    ks_member *kept = ks_arena_room(&p->json->arena, count - n_hidden, sizeof *kept);
    if (!kept)
        return false;
    if (n_hidden == 0) {
        memcpy(kept, members, count * sizeof *kept);
    } else {
        for (size_t i = 0, at = 0; i < count; i++)
            if (members[i].key.data)
                kept[at++] = members[i];
    }
    p->n_members = open->first;
    ks_value *out = outer_slot(p);
    *out = (ks_value){.type = KS_VALUE_DICT, .offset = open->offset};
    out->as.dict.members = kept;
    out->as.dict.count = count - n_hidden;
    return true;
}

/// `at` is at the opening bracket.
static char *open_container(parser *p, char *at, bool dict) {
    if (p->n_frames >= p->context->limits.json_depth)
        return too_many(p, KS_E_OVER_DEPTH, at, p->context->limits.json_depth, "nested containers");
    if (p->n_frames == p->frames_room && !grow_frames(p))
        return NULL;
    frame *open = &p->frames[p->n_frames++];
    *open = (frame){.dict = dict, .first = dict ? p->n_members : p->n_values, .offset = offset_of(p, at)};
    return at + 1;
}

/// `at` is at the closing bracket.
static char *close_container(parser *p, char *at) {
    const frame *open = &p->frames[--p->n_frames];
    if (open->dict ? close_dict(p, open) : close_list(p, open))
        return at + 1;
    p->code = p->context->error.code;
    return NULL;
}

/// One bit of 64 that equal keys share. To be asked before a NUL is written behind the key: a load of more bytes than
/// the last store wrote waits for it, which once made parsing 20 % slower.
static inline uint64_t mark_of(ks_text key) {
    size_t first = (uint8_t)key.data[0], middle = (uint8_t)key.data[key.size / 2];
    size_t last = (uint8_t)key.data[key.size - (key.size > 0)];
    return (uint64_t)1 << ((key.size + 5 * first + 9 * middle + 17 * last) & 63);
}

/// Whether the dict in the making has `key` already.
RARE static bool has_key(const parser *p, const frame *open, ks_text key) {
    for (size_t i = open->first; i < p->n_members; i++)
        if (ks_text_equal(p->members[i].key, key))
            return true;
    return false;
}

/// Reads `"key":` and leaves a member waiting for its value.
static inline char *next_member(parser *p, char *at) {
    if (*at != '"')
        return unexpected(p, KS_E_JSON_KEY, at, "a key in double quotes");
    if (p->n_members == p->members_room && !grow_members(p))
        return NULL;
    ks_member *member = &p->members[p->n_members];
    frame *open = &p->frames[p->n_frames - 1];
    member->key_offset = offset_of(p, at);
    char *stop = skip_plain(at + 1);
    member->key = (ks_text){at + 1, (size_t)(stop - at - 1)};
    uint64_t mark = mark_of(member->key);
    if (*stop == '"') {
        *stop = 0;
        at = stop + 1;
    } else {
        at = read_escaped(p, &member->key, at + 1, stop);
        if (!at)
            return NULL;
        mark = mark_of(member->key);
    }
    if ((open->marks & mark) && !open->repeated && p->n_members - open->first < FEW_MEMBERS)
        open->repeated = has_key(p, open, member->key);
    open->marks |= mark;
    p->n_members++;
    p->here = &member->value;
    at = skip_space(at);
    if (*at != ':')
        return unexpected(p, KS_E_JSON_COLON, at, "':' after a key");
    return skip_space(at + 1);
}

/// Leaves an item waiting for its value.
static inline char *next_item(parser *p, char *at) {
    if (p->n_values == p->values_room && !grow_values(p))
        return NULL;
    p->here = &p->values[p->n_values++];
    return at;
}

// ------------------------------------------------------------------------------------------------------------ document

/// Behind a finished value: closes containers, up to the place of the next key or item or to the end of the document.
static inline char *read_separators(parser *p, char *at) {
    p->between = true;
    while (p->n_frames > 0) {
        char *behind = at;
        bool dict = p->frames[p->n_frames - 1].dict;
        char closing = dict ? '}' : ']';
        at = skip_space(at);
        if (*at == ',') {
            *behind = 0;
            at = skip_space(at + 1);
            if (*at == closing)
                return fail(p, KS_E_JSON_TRAILING_COMMA, at, "an item after ','");
            p->between = false;
            return at;
        }
        if (*at != closing)
            return unexpected(p, KS_E_JSON_COMMA, at, dict ? "',' or '}'" : "',' or ']'");
        *behind = 0;
        at = close_container(p, at);
        if (!at)
            return NULL;
    }
    char *behind = at;
    at = skip_space(at);
    if (at != p->end)
        return fail(p, KS_E_JSON_EXTRA_DATA, at, "nothing after the value");
    *behind = 0;
    return at;
}

/// Opens a container, up to its first child; an empty one is closed.
static inline char *read_container(parser *p, char *at, bool dict, bool *finished) {
    at = open_container(p, at, dict);
    if (!at)
        return NULL;
    at = skip_space(at);
    *finished = *at == (dict ? '}' : ']');
    return *finished ? close_container(p, at) : at;
}

/// Each kind of value and key is read at one place, which the compiler then puts into the loop.
static ks_code parse_document(parser *p) {
    char *at = skip_space(p->text);
    do {
        bool finished = true;
        if (p->n_left-- == 0)
            at = too_many(p, KS_E_OVER_COUNT, at, p->context->limits.json_values, "values");
        else if (*at == '{' || *at == '[')
            at = read_container(p, at, *at == '{', &finished);
        else
            at = read_scalar(p, at, p->here);
        if (at && finished)
            at = read_separators(p, at);
        if (at && p->n_frames > 0)
            at = p->frames[p->n_frames - 1].dict ? next_member(p, at) : next_item(p, at);
    } while (at && p->n_frames > 0);
    return p->code;
}

static void start(parser *p, ks_context *context) {
    p->context = context;
    p->order = NULL;
    p->order_room = 0;
    p->c_locale = (locale_t)0;
    p->code = KS_OK;
    p->between = false;
    p->n_left = context->limits.json_values;
    p->values = p->first_values;
    p->members = p->first_members;
    p->frames = p->first_frames;
    p->values_room = p->members_room = p->frames_room = FIRST_ROOM;
    p->n_values = p->n_members = p->n_frames = 0;
}

ks_code ks__json_parse_strict(ks_json **out, ks_context *context, ks_bytes bytes) {
    parser p;
    ks_code code = KS_OK;
    *out = NULL;
    start(&p, context);
    p.json = ks__json_new(context);
    if (!p.json)
        return context->error.code;
    if (bytes.size <= SMALL)
        ks_arena_expect(&p.json->arena, SMALL_SHARE * bytes.size);
    p.here = &p.json->root;
    KS_TRY(ks__json_source_decode(&p.source, &p.json->arena, bytes));
    p.text = p.source.text;
    p.end = p.text + p.source.text_size;
    KS_TRY(parse_document(&p));
    *out = p.json;
    p.json = NULL;
done:
    if (p.c_locale)
        freelocale(p.c_locale);
    free_stacks(&p);
    ks_json_free(p.json);
    return code;
}
