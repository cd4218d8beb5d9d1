// SPDX-License-Identifier: Apache-2.0
//
// Keras objects as JSON: layers, models, initializers, regularizers, constraints, losses, metrics, optimizers,
// learning-rate schedules and dtype policies, one at a time. What is read is checked key by key; what is written is the
// record that Keras 3.15.1 writes of the object. Objects that this reference cannot run can be read and written too.
#ifndef KASSAY_OBJECT_H
#define KASSAY_OBJECT_H

#include <kassay/context.h>
#include <kassay/dialect.h>
#include <kassay/text.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One object with what it holds. It keeps its own memory and borrows nothing but the context.
typedef struct ks_instance ks_instance;

typedef struct ks_object_options {
    ks_dialect dialect; ///< whose words; KS_DIALECT_AUTO: the form of the record says
    const char *kind;   ///< "layer", "loss", "initializer", …: what a bare name ("zeros") or a record without a module,
                        ///< as all those of Keras 2, stands for; NULL: only records
    const struct ks_registry *registry; ///< custom classes; NULL: none but those registered
} ks_object_options;

/// Reads one record ({"module", "class_name", "config", …}) or, when `options` name a kind, one name. `options` may be
/// NULL. An unknown class, key or name is an error by name, a Lambda is KS_E_CONFIG_UNSAFE.
ks_code ks_deserialize(ks_instance **out, ks_context *context, ks_bytes json, const ks_object_options *options);
/// Makes an object of a class from its config alone, as Class.from_config does. `module` may be NULL. A custom class
/// has the name it is registered or passed under ("package>name").
ks_code ks_from_config(ks_instance **out, ks_context *context, const char *class_name, const char *module,
                       ks_bytes config, const ks_object_options *options);
/// The record, as json.dumps writes it. Free with ks_free. KS_E_SAVE_NO_WORD: a class, function or name of Keras 1 or 2
/// that Keras 3 does not have. KS_E_SAVE_LOSS: a key of such an object that Keras 3 does not save.
ks_code ks_serialize(ks_text *out, const ks_instance *instance);
/// The record in the words of a generation. KS_DIALECT_KERAS2: as tf_keras 2.21's legacy serialize_keras_object writes
/// it. KS_E_SAVE_NO_WORD or KS_E_SAVE_LOSS: what Keras 2 cannot say. KS_DIALECT_KERAS1 is KS_E_USAGE; others are
/// ks_serialize. Free with ks_free.
ks_code ks_serialize_as(ks_text *out, const ks_instance *instance, ks_dialect dialect);
/// The config alone, as get_config() gives it. Free with ks_free.
ks_code ks_get_config(ks_text *out, const ks_instance *instance);
/// "Dense"
const char *ks_instance_class(const ks_instance *instance);
/// "layer", "model", "initializer", "regularizer", "constraint", "policy", "optimizer", "loss", "metric", "schedule"
const char *ks_instance_kind(const ks_instance *instance);
void ks_instance_free(ks_instance *instance); ///< NULL is allowed

#ifdef __cplusplus
}
#endif
#endif
