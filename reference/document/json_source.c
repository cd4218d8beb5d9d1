// SPDX-License-Identifier: Apache-2.0
//
// From the bytes of a document to UTF-8, as Python's json.loads(bytes) does it (CPython 3.11, Lib/json/__init__.py,
// detect_encoding; then bytes.decode(encoding, "surrogatepass")):
//   byte order mark    UTF-32 before UTF-16 before UTF-8; the mark is dropped, a second one is text
//   no mark, >= 4 bytes  zero bytes among the first four tell UTF-16 and UTF-32 and their byte order
//   no mark, 2 bytes   a zero byte tells UTF-16 and its byte order
//   else               UTF-8
// Surrogates that do not pair are kept; everything else that is not well-formed is refused.
#include "document/json_internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <string.h>

static bool starts_with(ks_bytes bytes, const char *mark, size_t mark_size) {
    return bytes.size >= mark_size && memcmp(bytes.data, mark, mark_size) == 0;
}

static bool find_mark(ks__json_source *source) {
    static const struct {
        const char *mark;
        uint8_t size;
        uint8_t encoding;
    } marks[] = {
        {"\x00\x00\xFE\xFF", 4, KS__JSON_UTF32_BE}, {"\xFF\xFE\x00\x00", 4, KS__JSON_UTF32_LE},
        {"\xFE\xFF", 2, KS__JSON_UTF16_BE},         {"\xFF\xFE", 2, KS__JSON_UTF16_LE},
        {"\xEF\xBB\xBF", 3, KS__JSON_UTF8},
    };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (starts_with(source->bytes, marks[i].mark, marks[i].size)) {
            source->encoding = (ks__json_encoding)marks[i].encoding;
            source->bom_size = marks[i].size;
            return true;
        }
    }
    return false;
}

static ks__json_encoding guess_encoding(ks_bytes bytes) {
    const uint8_t *b = bytes.data;
    if (bytes.size >= 4) {
        if (!b[0])
            return b[1] ? KS__JSON_UTF16_BE : KS__JSON_UTF32_BE;
        if (!b[1])
            return b[2] || b[3] ? KS__JSON_UTF16_LE : KS__JSON_UTF32_LE;
    } else if (bytes.size == 2) {
        if (!b[0])
            return KS__JSON_UTF16_BE;
        if (!b[1])
            return KS__JSON_UTF16_LE;
    }
    return KS__JSON_UTF8;
}

static uint32_t unit16(const ks__json_source *source, size_t at) {
    const uint8_t *b = source->bytes.data + at;
    return source->encoding == KS__JSON_UTF16_LE ? (uint32_t)(b[0] | b[1] << 8) : (uint32_t)(b[0] << 8 | b[1]);
}

static uint32_t unit32(const ks__json_source *source, size_t at) {
    const uint8_t *b = source->bytes.data + at;
    if (source->encoding == KS__JSON_UTF32_LE)
        return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return (uint32_t)b[3] | (uint32_t)b[2] << 8 | (uint32_t)b[1] << 16 | (uint32_t)b[0] << 24;
}

/// Reads the code point of a UTF-16 or UTF-32 document at `at`; returns its bytes, 0 when there is none.
static size_t wide_get(const ks__json_source *source, size_t at, uint32_t *out) {
    size_t left = source->bytes.size - at;
    if (source->encoding == KS__JSON_UTF32_LE || source->encoding == KS__JSON_UTF32_BE) {
        if (left < 4)
            return 0;
        *out = unit32(source, at);
        return *out < 0x110000 ? 4 : 0;
    }
    if (left < 2)
        return 0;
    *out = unit16(source, at);
    if ((*out & 0xFC00) != 0xD800 || left < 4)
        return 2;
    uint32_t low = unit16(source, at + 2);
    if ((low & 0xFC00) != 0xDC00)
        return 2;
    *out = 0x10000 + ((*out & 0x3FF) << 10) + (low & 0x3FF);
    return 4;
}

/// Transcodes into `text`, or only counts when it is NULL. False at the first bad byte, whose offset is in *out_at.
static bool wide_decode(const ks__json_source *source, char *text, size_t *out_size, size_t *out_at) {
    size_t size = 0;
    char piece[4];
    for (size_t at = source->bom_size; at < source->bytes.size;) {
        uint32_t point = 0;
        size_t step = wide_get(source, at, &point);
        *out_at = at;
        if (step == 0)
            return false;
        size += ks__utf8_put(text ? text + size : piece, point);
        at += step;
    }
    *out_size = size;
    return true;
}

size_t ks__utf8_get(const uint8_t *data, size_t size, uint32_t *out) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = data[0];
    size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || length > size)
        return 0;
    uint32_t point = length == 1 ? first : first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((data[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (data[i] & 0x3F);
    }
    if (point < least[length] || point > 0x10FFFF)
        return 0;
    *out = point;
    return length;
}

/// The offset of the first byte that is not UTF-8, or the size.
static size_t utf8_check(ks_bytes bytes, size_t at) {
    while (at < bytes.size) {
        uint64_t eight;
#ifdef __SSE2__
        while (bytes.size - at >= 32) {
            __m128i first = _mm_loadu_si128((const __m128i *)(const void *)(bytes.data + at));
            __m128i second = _mm_loadu_si128((const __m128i *)(const void *)(bytes.data + at + 16));
            if (_mm_movemask_epi8(_mm_or_si128(first, second)))
                break;
            at += 32;
        }
#endif
        while (bytes.size - at >= sizeof eight) {
            memcpy(&eight, bytes.data + at, sizeof eight);
            if (eight & 0x8080808080808080u)
                break;
            at += sizeof eight;
        }
        uint32_t point = 0;
        size_t step = at < bytes.size ? ks__utf8_get(bytes.data + at, bytes.size - at, &point) : 0;
        if (step == 0)
            return at;
        at += step;
    }
    return at;
}

static ks_code bad_bytes(ks_arena *arena, const ks__json_source *source, size_t at) {
    static const char *const names[] = {"UTF-8", "UTF-16-LE", "UTF-16-BE", "UTF-32-LE", "UTF-32-BE"};
    return ks_fail(arena->context, KS_E_JSON_ENCODING, KS_STAGE_JSON, at, NULL,
                   "expected text in %s, found byte 0x%02X that fits no character", names[source->encoding],
                   source->bytes.data[at]);
}

ks_code ks__json_source_decode(ks__json_source *out, ks_arena *arena, ks_bytes bytes) {
    *out = (ks__json_source){.bytes = bytes};
    if (!find_mark(out))
        out->encoding = guess_encoding(bytes);
    out->known_byte = out->bom_size;
    size_t at = 0;
    if (out->encoding == KS__JSON_UTF8) {
        at = utf8_check(bytes, out->bom_size);
        if (at != bytes.size)
            return bad_bytes(arena, out, at);
        out->text_size = bytes.size - out->bom_size;
    } else if (!wide_decode(out, NULL, &out->text_size, &at)) {
        return bad_bytes(arena, out, at);
    }
    out->text = ks_arena_room(arena, out->text_size + KS__JSON_PADDING, 1);
    if (!out->text)
        return arena->context->error.code;
    memset(out->text + out->text_size, 0, KS__JSON_PADDING);
    if (out->encoding != KS__JSON_UTF8)
        wide_decode(out, out->text, &out->text_size, &at);
    else if (out->text_size)
        memcpy(out->text, bytes.data + out->bom_size, out->text_size);
    return KS_OK;
}

uint64_t ks__json_wide_offset(ks__json_source *source, size_t at) {
    if (at < source->known_text) {
        source->known_text = 0;
        source->known_byte = source->bom_size;
    }
    char piece[4];
    while (source->known_text < at) {
        uint32_t point = 0;
        source->known_byte += wide_get(source, source->known_byte, &point);
        source->known_text += ks__utf8_put(piece, point);
    }
    return source->known_byte;
}
