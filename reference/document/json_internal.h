// SPDX-License-Identifier: Apache-2.0
//
// What both JSON readers share: the document that owns the values.
#ifndef KASSAY_DOCUMENT_JSON_INTERNAL_H
#define KASSAY_DOCUMENT_JSON_INTERNAL_H

#include "base/arena.h"
#include <kassay/json.h>

#include <locale.h>

struct ks_json {
    ks_context *context;
    ks_arena arena; ///< all values and text
    ks_value root;
};

/// An empty document, to be freed with ks_json_free; NULL with the error set.
static inline ks_json *ks__json_new(ks_context *context) {
    ks_json *json = ks_allocate(context, 1, sizeof *json);
    if (json) {
        json->context = context;
        ks_arena_init(&json->arena, context);
    }
    return json;
}

ks_code ks__json_parse_strict(ks_json **out, ks_context *context, ks_bytes bytes);

typedef enum ks__json_encoding {
    KS__JSON_UTF8,
    KS__JSON_UTF16_LE,
    KS__JSON_UTF16_BE,
    KS__JSON_UTF32_LE,
    KS__JSON_UTF32_BE
} ks__json_encoding;

/// NULs behind the text: the first stops every scan, the others let it look at 16 bytes at once.
#define KS__JSON_PADDING 16

/// The document's bytes and their UTF-8 form. The copy is the reader's to change: offsets are found in `bytes` alone.
typedef struct ks__json_source {
    ks_bytes bytes;
    ks__json_encoding encoding;
    size_t bom_size;   ///< bytes of the byte order mark, which is no part of the text
    char *text;        ///< UTF-8, surrogates in three bytes each, followed by KS__JSON_PADDING NULs
    size_t text_size;  ///< bytes
    size_t known_text; ///< the last place asked for: offset in `text` …
    size_t known_byte; ///< … and in `bytes`
} ks__json_source;

/// Finds the encoding as Python does and makes the UTF-8 copy in the arena.
ks_code ks__json_source_decode(ks__json_source *out, ks_arena *arena, ks_bytes bytes);
/// The offset in `bytes` of the character at `at` in the text of a UTF-16 or UTF-32 document. Going forward costs only
/// the distance.
uint64_t ks__json_wide_offset(ks__json_source *source, size_t at);
/// The same for any document.
static inline uint64_t ks__json_source_offset(ks__json_source *source, size_t at) {
    return source->encoding == KS__JSON_UTF8 ? source->bom_size + at : ks__json_wide_offset(source, at);
}

/// The float whose text is `text`, of the grammar of JSON, correctly rounded whatever the process's locale is. The byte
/// behind the text must not continue it.
/// `*c_locale` is 0 or the C locale, and is made when it is needed.
double ks__json_float(ks_text text, locale_t *c_locale);
/// False when the integer does not fit.
bool ks__json_integer(ks_text text, int64_t *out);
/// Digits of the shortest text that reads back as `number`, laid out as Python's repr; "NaN", "Infinity" and
/// "-Infinity" as json.dumps. Returns the length.
#define KS__JSON_DOUBLE_SIZE 40
size_t ks__json_double_text(char text[KS__JSON_DOUBLE_SIZE], double number);

/// Writes a code point as UTF-8 (surrogates too); returns the number of bytes, 1 to 4.
static inline size_t ks__utf8_put(char *out, uint32_t point) {
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xC0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}
/// Reads one code point of at most `size` bytes; returns its length, 0 when the bytes are no UTF-8. Surrogates in three
/// bytes are let through, as Python's "surrogatepass" does.
size_t ks__utf8_get(const uint8_t *data, size_t size, uint32_t *out);

#endif
