// SPDX-License-Identifier: Apache-2.0
//
// The JSON writer: the text of Python's json.dumps (CPython 3.11, Lib/json/encoder.py).
//   indent 0      one line, ", " between items, ": " behind keys
//   indent n      every item on its own line, n spaces per level; empty containers stay "[]" and "{}"
//   ascii         everything but U+0020 … U+007E as \uXXXX, beyond U+FFFF as a pair; else control characters only
#include <kassay/json_writer.h>

#include "document/json_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// One byte per open container.
#define LEVEL_OBJECT 1u
#define LEVEL_FILLED 2u

void ks_json_writer_init(ks_json_writer *writer, ks_context *context, ks_json_style style) {
    *writer = (ks_json_writer){.context = context, .style = style};
}

void ks_json_writer_fini(ks_json_writer *writer) {
    ks_free(writer->context, writer->data);
    ks_free(writer->context, writer->levels);
    writer->data = NULL;
    writer->levels = NULL;
}

/// Room for `more` bytes and the NUL behind them.
static char *reserve(ks_json_writer *writer, size_t more) {
    if (writer->code != KS_OK)
        return NULL;
    if (more < writer->capacity - writer->size)
        return writer->data + writer->size;
    size_t wanted = writer->capacity + writer->capacity / 2;
    if (wanted < writer->size + more + 1)
        wanted = writer->size + more + 1;
    if (wanted < 256)
        wanted = 256;
    char *larger = ks_allocate(writer->context, wanted, 1);
    if (!larger) {
        writer->code = writer->context->error.code;
        return NULL;
    }
    if (writer->size)
        memcpy(larger, writer->data, writer->size);
    ks_free(writer->context, writer->data);
    writer->data = larger;
    writer->capacity = wanted;
    return larger + writer->size;
}

static void put(ks_json_writer *writer, const char *data, size_t size) {
    char *to = reserve(writer, size);
    if (!to)
        return;
    memcpy(to, data, size);
    writer->size += size;
}

static void put_line(ks_json_writer *writer, size_t depth) {
    size_t spaces = depth * (size_t)writer->style.indent;
    char *to = reserve(writer, spaces + 1);
    if (!to)
        return;
    to[0] = '\n';
    memset(to + 1, ' ', spaces);
    writer->size += spaces + 1;
}

static void misuse(ks_json_writer *writer, const char *what) {
    if (writer->code == KS_OK)
        writer->code = ks_fail(writer->context, KS_E_USAGE, KS_STAGE_JSON, writer->size, NULL, "%s", what);
}

static void next_item(ks_json_writer *writer, uint8_t *level) {
    if (*level & LEVEL_FILLED)
        put(writer, ", ", writer->style.indent > 0 ? 1 : 2);
    if (writer->style.indent > 0)
        put_line(writer, writer->depth);
    *level |= LEVEL_FILLED;
}

/// What comes before a value: separator and line, or nothing behind a key.
static void before_value(ks_json_writer *writer) {
    uint8_t *level = writer->depth ? &writer->levels[writer->depth - 1] : NULL;
    if (!level && writer->complete)
        misuse(writer, "a second value was written behind the document");
    else if (!level)
        writer->complete = true;
    else if (writer->after_key)
        writer->after_key = false;
    else if (*level & LEVEL_OBJECT)
        misuse(writer, "a value was written into an object without a key");
    else
        next_item(writer, level);
}

static void begin(ks_json_writer *writer, bool object) {
    before_value(writer);
    if (writer->code != KS_OK)
        return;
    if (writer->depth == writer->levels_capacity) {
        size_t wanted = writer->depth ? writer->depth * 2 : 64;
        uint8_t *larger = ks_allocate(writer->context, wanted, 1);
        if (!larger) {
            writer->code = writer->context->error.code;
            return;
        }
        if (writer->depth)
            memcpy(larger, writer->levels, writer->depth);
        ks_free(writer->context, writer->levels);
        writer->levels = larger;
        writer->levels_capacity = wanted;
    }
    writer->levels[writer->depth++] = object ? LEVEL_OBJECT : 0;
    put(writer, object ? "{" : "[", 1);
}

static void end(ks_json_writer *writer, bool object) {
    if (writer->code != KS_OK)
        return;
    if (writer->depth == 0 || !(writer->levels[writer->depth - 1] & LEVEL_OBJECT) == object || writer->after_key) {
        misuse(writer, "a container was ended that is not open, or behind a key");
        return;
    }
    writer->depth--;
    if (writer->style.indent > 0 && (writer->levels[writer->depth] & LEVEL_FILLED))
        put_line(writer, writer->depth);
    put(writer, object ? "}" : "]", 1);
}

void ks_json_begin_object(ks_json_writer *writer) {
    begin(writer, true);
}

void ks_json_end_object(ks_json_writer *writer) {
    end(writer, true);
}

void ks_json_begin_list(ks_json_writer *writer) {
    begin(writer, false);
}

void ks_json_end_list(ks_json_writer *writer) {
    end(writer, false);
}

static void put_unit(ks_json_writer *writer, uint32_t unit) {
    char text[8];
    snprintf(text, sizeof text, "\\u%04x", (unsigned)(unit & 0xFFFF));
    put(writer, text, 6);
}

static void put_escaped(ks_json_writer *writer, uint32_t point) {
    static const char letters[] = "\"\\\b\f\n\r\t";
    static const char *const escapes[] = {"\\\"", "\\\\", "\\b", "\\f", "\\n", "\\r", "\\t"};
    const char *found = point && point < 0x80 ? strchr(letters, (int)point) : NULL;
    if (found) {
        put(writer, escapes[found - letters], 2);
    } else if (point >= 0x10000) {
        put_unit(writer, 0xD800 + ((point - 0x10000) >> 10));
        put_unit(writer, 0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
        put_unit(writer, point);
    }
}

static bool needs_escape(uint32_t point, bool ascii) {
    return point < 0x20 || point == '"' || point == '\\' || (ascii && point > 0x7E);
}

static void put_quoted(ks_json_writer *writer, ks_text text) {
    const uint8_t *data = (const uint8_t *)text.data;
    size_t plain = 0; // first byte not yet written
    put(writer, "\"", 1);
    for (size_t at = 0; at < text.size;) {
        uint32_t point = 0;
        size_t step = ks__utf8_get(data + at, text.size - at, &point);
        bool broken = step == 0;
        if (broken || needs_escape(point, writer->style.ascii)) {
            put(writer, text.data + plain, at - plain);
            if (broken && !writer->style.ascii)
                put(writer, "\xEF\xBF\xBD", 3);
            else
                put_escaped(writer, broken ? 0xFFFD : point);
            plain = at + (broken ? 1 : step);
        }
        at += broken ? 1 : step;
    }
    if (text.size > plain)
        put(writer, text.data + plain, text.size - plain);
    put(writer, "\"", 1);
}

void ks_json_put_key_text(ks_json_writer *writer, ks_text key) {
    if (writer->code != KS_OK)
        return;
    uint8_t *level = writer->depth ? &writer->levels[writer->depth - 1] : NULL;
    if (!level || !(*level & LEVEL_OBJECT) || writer->after_key) {
        misuse(writer, "a key was written outside an object, or behind another key");
        return;
    }
    next_item(writer, level);
    put_quoted(writer, key);
    put(writer, ": ", 2);
    writer->after_key = true;
}

void ks_json_put_key(ks_json_writer *writer, const char *key) {
    ks_json_put_key_text(writer, ks_text_from(key));
}

static void put_plain(ks_json_writer *writer, const char *data, size_t size) {
    before_value(writer);
    put(writer, data, size);
}

void ks_json_put_text(ks_json_writer *writer, ks_text text) {
    before_value(writer);
    put_quoted(writer, text);
}

void ks_json_put_string(ks_json_writer *writer, const char *string) {
    if (string)
        ks_json_put_text(writer, ks_text_from(string));
    else
        ks_json_put_null(writer);
}

void ks_json_put_int(ks_json_writer *writer, int64_t number) {
    char text[24];
    put_plain(writer, text, (size_t)snprintf(text, sizeof text, "%" PRId64, number));
}

void ks_json_put_uint(ks_json_writer *writer, uint64_t number) {
    char text[24];
    put_plain(writer, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, number));
}

void ks_json_put_double(ks_json_writer *writer, double number) {
    char text[KS__JSON_DOUBLE_SIZE];
    put_plain(writer, text, ks__json_double_text(text, number));
}

void ks_json_put_bool(ks_json_writer *writer, bool boolean) {
    put_plain(writer, boolean ? "true" : "false", boolean ? 4 : 5);
}

void ks_json_put_null(ks_json_writer *writer) {
    put_plain(writer, "null", 4);
}

static void put_scalar(ks_json_writer *writer, const ks_value *value) {
    switch (value->type) {
    case KS_VALUE_NULL:
        ks_json_put_null(writer);
        break;
    case KS_VALUE_BOOL:
        ks_json_put_bool(writer, value->as.boolean);
        break;
    case KS_VALUE_INT:
    case KS_VALUE_FLOAT:
        if (value->text.data) // a value made by a program may have none
            put_plain(writer, value->text.data, value->text.size);
        else if (value->type == KS_VALUE_INT)
            ks_json_put_int(writer, value->as.integer);
        else
            ks_json_put_double(writer, value->as.number);
        break;
    case KS_VALUE_STRING:
        ks_json_put_text(writer, value->text);
        break;
    case KS_VALUE_LIST:
    case KS_VALUE_DICT:
        break;
    }
}

/// A container being written, and how far it is.
typedef struct cursor {
    const ks_value *value;
    size_t next;
} cursor;

static bool is_container(const ks_value *value) {
    return value->type == KS_VALUE_LIST || value->type == KS_VALUE_DICT;
}

/// The next child, behind its key; NULL when all are written.
static const ks_value *next_child(ks_json_writer *writer, cursor *open) {
    const ks_value *value = open->value;
    size_t index = open->next++;
    if (value->type == KS_VALUE_LIST)
        return index < value->as.list.count ? &value->as.list.items[index] : NULL;
    if (index >= value->as.dict.count)
        return NULL;
    ks_json_put_key_text(writer, value->as.dict.members[index].key);
    return &value->as.dict.members[index].value;
}

static cursor *grow_cursors(ks_json_writer *writer, cursor *stack, size_t *capacity) {
    size_t wanted = *capacity ? *capacity * 2 : 32;
    cursor *larger = ks_allocate(writer->context, wanted, sizeof *larger);
    if (!larger)
        writer->code = writer->context->error.code;
    else if (*capacity)
        memcpy(larger, stack, *capacity * sizeof *larger);
    ks_free(writer->context, stack);
    *capacity = wanted;
    return larger;
}

void ks_json_put_value(ks_json_writer *writer, const ks_value *value) {
    cursor *stack = NULL;
    size_t depth = 0;
    size_t capacity = 0;
    for (; writer->code == KS_OK;) {
        if (value && is_container(value)) {
            begin(writer, value->type == KS_VALUE_DICT);
            if (depth == capacity)
                stack = grow_cursors(writer, stack, &capacity);
            if (!stack)
                return;
            stack[depth++] = (cursor){value, 0};
        } else if (value) {
            put_scalar(writer, value);
        } else {
            end(writer, stack[--depth].value->type == KS_VALUE_DICT);
        }
        if (depth == 0)
            break;
        value = next_child(writer, &stack[depth - 1]);
    }
    ks_free(writer->context, stack);
}

ks_code ks_json_writer_finish(ks_text *out, ks_json_writer *writer) {
    *out = (ks_text){NULL, 0};
    if (!writer->complete || writer->depth)
        misuse(writer, "the document is not complete");
    char *last = reserve(writer, 0);
    if (last) {
        *last = 0;
        *out = (ks_text){writer->data, writer->size};
        writer->data = NULL;
    }
    ks_json_writer_fini(writer);
    return writer->code;
}

ks_code ks_json_write(ks_text *out, ks_context *context, const ks_value *value, ks_json_style style) {
    ks_json_writer writer;
    ks_json_writer_init(&writer, context, style);
    ks_json_put_value(&writer, value);
    return ks_json_writer_finish(out, &writer);
}
