// SPDX-License-Identifier: Apache-2.0
//
// From the words of Keras 1 and 2 to those of Keras 3: a document is read into new values that a Keras 3 file could
// hold, before any class sees it, so that there is one reader for all generations. New values keep the offsets of what
// they came from. Where a word means something else in the older generation, the new document says so explicitly:
// "hard_sigmoid" becomes "keras2.hard_sigmoid", which no Keras 3 file can name (the reader refuses such words there).
//
// Every record keeps the one it came from as its member "original"; the object made of it shows it as
// `object->original`.
#ifndef KASSAY_CONFIG_UPGRADE_H
#define KASSAY_CONFIG_UPGRADE_H

#include "config/config.h"

/// How many inputs Keras 1 has named after a class so far.
typedef struct ks__input_count {
    struct ks__input_count *next;
    ks_text class_name;
    size_t count;
} ks__input_count;

typedef struct ks__upgrade {
    ks_context *context;
    ks_arena *arena;
    ks_dialect dialect;  ///< KERAS1 or KERAS2
    int version;         ///< of Keras: 203 for "2.3.1"; 0 when the file does not say
    bool multi_backend;  ///< Keras 2 before it became tf.keras: "2.3.1", but neither "2.2.4-tf" nor "2.4.0"
    bool channels_first; ///< Keras 1: what layers have that do not say their "dim_ordering"
    int depth;           ///< of records in records
    bool described;      ///< a single object, which need not run: keys that Keras 3 does not have are passed over
    ks__input_count *inputs;
} ks__upgrade;

/// A dict in the making.
typedef struct ks__dict {
    ks__upgrade *upgrade;
    ks_member *members;
    size_t count, room;
    uint64_t offset; ///< of the dict it came from
} ks__dict;

/// Fails at place "PLACE/KEY"; `key` may be NULL.
#if defined(__GNUC__)
__attribute__((cold, format(printf, 6, 7)))
#endif
ks_code
ks__upgrade_fail(ks__upgrade *u, ks_code code, const ks_value *value, const char *place, const char *key,
                 const char *format, ...);

// --- values ---------------------------------------------------------------------------------------------------------

/// A copy of `from` (a dict, or NULL for an empty one).
ks_code ks__dict_copy(ks__dict *out, ks__upgrade *u, const ks_value *from);
/// The same with room for `more` members; there is always room for others, but it costs a copy.
ks_code ks__dict_copy_for(ks__dict *out, ks__upgrade *u, const ks_value *from, size_t more);
/// NULL when there is no such key. Valid until the next change.
ks_value *ks__dict_get(const ks__dict *dict, const char *key);
/// Replaces the value of `key` or adds it at the end.
ks_code ks__dict_set(ks__dict *dict, const char *key, ks_value value);
void ks__dict_remove(ks__dict *dict, const char *key);
/// Gives the value of `from` the key `to`; nothing when there is no `from` or there is a `to` already.
void ks__dict_rename(ks__dict *dict, const char *from, const char *to);
ks_value ks__dict_value(const ks__dict *dict);

ks_value ks__value_null(uint64_t offset);
ks_value ks__value_bool(bool boolean, uint64_t offset);
ks_value ks__value_int(int64_t integer, uint64_t offset);
ks_value ks__value_float(double number, uint64_t offset);
ks_value ks__value_text(const char *text, uint64_t offset);
/// A list with room for `count` items, all null; items is NULL on failure.
ks_value ks__value_list(ks__upgrade *u, size_t count, uint64_t offset);

// --- records --------------------------------------------------------------------------------------------------------

/// Any record {"class_name", "config", …} of a layer or model. What is none is copied: its reader says what is wrong.
ks_code ks__upgrade_record(ks__upgrade *u, ks_value *out, const ks_value *record, const char *place);
/// One class's own changes, applied to its config. `record` may get another class.
typedef ks_code (*ks__upgrade_hook)(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place);

/// What Keras 2 calls a class and what is to be done with its config.
typedef struct ks__old_class {
    const char *old;
    const char *name;     ///< in Keras 3
    ks__upgrade_hook fix; ///< NULL: the words did not change
} ks__old_class;
/// NULL when the class has its own name and words in Keras 3.
const ks__old_class *ks__keras2_class(ks_text name);

/// From the words of Keras 1 to those of Keras 2, for a layer or model.
ks_code ks__upgrade_keras1(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place);
/// A Sequential model that begins with a Merge of branches, as a Functional one; others stay as they are.
ks_code ks__keras1_branches(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place);
/// Whether any layer says "dim_ordering": "th".
bool ks__channels_first(const ks_value *document, int depth);
/// Whether a document without keras_version and without modules has words that only Keras 1 has.
bool ks__looks_like_keras1(const ks_value *document, int depth);

/// The layers, "input_layers" and "output_layers" of a Functional config.
ks_code ks__upgrade_functional(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place);
/// Its input, which older writers leave to the first layer's "batch_input_shape".
ks_code ks__upgrade_sequential(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place);

/// An operation of TensorFlow 1.14 to 2.3 in a graph, whose calls are in the form of Keras 3 already, as a function.
/// Other records stay as they are.
ks_code ks__upgrade_node(ks__upgrade *u, ks_value *record, const char *place);
/// A TensorFlow function in a graph, whose calls are in the form of Keras 3 already. Other records stay as they are.
ks_code ks__upgrade_operation(ks__upgrade *u, ks_value *record, const char *place);

/// What Keras calls the input that it makes for a first layer, which no file says: "dense_1_input"; Keras 1 says
/// "dense_input_1", counting the inputs of a class. NULL: out of memory.
const char *ks__input_name(ks__upgrade *u, const ks_value *record, const char *layer_name);

/// 203 for "2.3.1", 0 for what is no version.
int ks__version_number(const char *keras_version);
/// Whether a document of this generation and version is of Keras before it became tf.keras.
bool ks__multi_backend(ks_dialect dialect, const char *keras_version);
/// One initializer, regularizer, constraint or policy of Keras 2, in place. What is not a record of its kind stays as
/// it is.
ks_code ks__upgrade_object(ks_value *value, ks_context *context, ks_arena *arena, ks_kind kind);
/// The whole document.
ks_code ks__upgrade_document(const ks_value **out, ks_context *context, ks_arena *arena, const ks_value *document,
                             ks_dialect dialect, const char *keras_version, bool described, const char *place);

#endif
