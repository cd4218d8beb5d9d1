// SPDX-License-Identifier: Apache-2.0
//
// From the canonical model back to Keras 3's records, as Keras 3.15.1 writes them: every config key, in its order and
// value form, whatever generation the object came from.
#ifndef KASSAY_CONFIG_SERIALIZE_H
#define KASSAY_CONFIG_SERIALIZE_H

#include <kassay/json_writer.h>
#include <kassay/losses.h>

#include "schema/class.h"

/// Of the words that a lookup was adapted to, which are in an asset, these go into its config.
typedef enum ks_write_words {
    KS_WRITE_WORDS_NONE,
    KS_WRITE_WORDS_ODD, ///< that Keras 3 would not read back from the asset
    KS_WRITE_WORDS_ALL  ///< there are no assets
} ks_write_words;

typedef struct ks_write_options {
    bool no_build;   ///< leave "build_config" out
    bool no_compile; ///< leave the empty "compile_config" of models out
    bool keras2;     ///< the record is for Keras 2: with the keys that Keras 3 does not write, and nothing is lost
    bool early;      ///< … for Keras 2.3, whose meaning of masks is that of Keras 1 and 2 before tf.keras
    bool old_keys;   ///< with these keys, for a reader of ours
    ks_write_words words;
    bool original;     ///< with the record that it was read from, as "original", where Keras 3 does not write all of it
    ks_losses *losses; ///< where it is told what Keras 3 does not write; NULL: that is an error, KS_E_SAVE_LOSS
} ks_write_options;

/// The record {"module", "class_name", "config", "registered_name", …} of an object as a value. It lives in `arena` and
/// borrows from the object. `options` may be NULL.
ks_code ks_config_value(ks_value *out, ks_context *context, ks_arena *arena, const ks_object *object,
                        const ks_write_options *options);
/// KS_E_SAVE_NO_WORD when `record`, as ks_config_value gave it, holds a class, function or name that Keras 3 does not
/// have. `document` begins the place in the error.
ks_code ks_config_check_words(ks_context *context, ks_arena *arena, const ks_value *record, const char *document);
/// Writes that record as the writer's next value.
ks_code ks_config_write(ks_json_writer *writer, const ks_object *object, const ks_write_options *options);

#endif
