// SPDX-License-Identifier: Apache-2.0
//
// Writes JSON piece by piece into memory of a context, with the separators, escapes and floats of Python's json.dumps.
// Failures stick: after the first one every call does nothing, and ks_json_writer_finish returns it, so that a program
// writes a whole document and asks once.
//
//     ks_json_writer writer;
//     ks_json_writer_init(&writer, context, (ks_json_style){0, true});
//     ks_json_begin_object(&writer);
//     ks_json_put_key(&writer, "layers");
//     ks_json_put_int(&writer, 3);
//     ks_json_end_object(&writer);
//     code = ks_json_writer_finish(&text, &writer);
#ifndef KASSAY_JSON_WRITER_H
#define KASSAY_JSON_WRITER_H

#include <kassay/json.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_json_writer {
    ks_context *context;
    ks_json_style style;
    ks_code code; ///< the first failure
    char *data;
    size_t size;
    size_t capacity;
    uint8_t *levels; ///< one per open container
    size_t depth;
    size_t levels_capacity;
    bool after_key; ///< a key waits for its value
    bool complete;  ///< the outermost value is written
} ks_json_writer;

void ks_json_writer_init(ks_json_writer *writer, ks_context *context, ks_json_style style);
/// Hands the text over (free it with ks_free) and ends the writer. KS_E_USAGE when the document is not complete.
ks_code ks_json_writer_finish(ks_text *out, ks_json_writer *writer);
/// Ends a writer that was not finished.
void ks_json_writer_fini(ks_json_writer *writer);

void ks_json_begin_object(ks_json_writer *writer);
void ks_json_end_object(ks_json_writer *writer);
void ks_json_begin_list(ks_json_writer *writer);
void ks_json_end_list(ks_json_writer *writer);
/// Inside an object every value follows its key.
void ks_json_put_key(ks_json_writer *writer, const char *key);
void ks_json_put_key_text(ks_json_writer *writer, ks_text key);
/// UTF-8; bytes that are none are written as U+FFFD. NULL is written as null.
void ks_json_put_string(ks_json_writer *writer, const char *string);
void ks_json_put_text(ks_json_writer *writer, ks_text text);
void ks_json_put_int(ks_json_writer *writer, int64_t number);
void ks_json_put_uint(ks_json_writer *writer, uint64_t number);
/// As Python's repr: the shortest text that reads back as the same number.
void ks_json_put_double(ks_json_writer *writer, double number);
void ks_json_put_bool(ks_json_writer *writer, bool boolean);
void ks_json_put_null(ks_json_writer *writer);
/// A whole value, of any depth; its numbers as they were written.
void ks_json_put_value(ks_json_writer *writer, const ks_value *value);

#ifdef __cplusplus
}
#endif
#endif
