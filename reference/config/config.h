// SPDX-License-Identifier: Apache-2.0
//
// From a document's values to the canonical model: classes found, config keys checked and read, graphs wired, layers
// built, shapes inferred. Source: Keras 3 saving/serialization_lib.py, models/functional.py, models/sequential.py.
#ifndef KASSAY_CONFIG_CONFIG_H
#define KASSAY_CONFIG_CONFIG_H

#include <kassay/dialect.h>

#include "schema/class.h"

typedef struct ks_config_options {
    ks_dialect dialect;                 ///< AUTO: `keras_version` decides, else the form of the config
    const char *keras_version;          ///< that the file names, "" when it names none
    const struct ks_registry *registry; ///< custom classes passed at load; NULL: none
    ks_backend backend;                 ///< who computed it; only of Keras 1 and 2 before tf.keras
    bool upgraded;  ///< the document is in the words of Keras 3 already, but for what only its dialect has
    bool described; ///< a single object that need not run: classes and values outside this reference too
} ks_config_options;

/// Whose words and numbers a document has: what `options` says, else its keras_version, else its form.
ks_dialect ks_config_dialect(const ks_value *document, const ks_config_options *options);
/// The version that `options` or else the document's root names; "" when neither does.
const char *ks_config_keras_version(const ks_value *document, const ks_config_options *options);

/// Reads a serialized object {"module", "class_name", "config", …}. `document` names it in errors ("config.json").
/// Everything lives in `arena`; `value` must outlive it.
ks_code ks_config_read(ks_object **out, ks_context *context, ks_arena *arena, const ks_value *value,
                       const char *document, const ks_config_options *options);

#endif
