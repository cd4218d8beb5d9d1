// SPDX-License-Identifier: Apache-2.0
//
// How a model was compiled, between the words of Keras 3 (compile_config: records with modules) and those of Keras 2
// (the attribute training_config of its HDF5 files). Objects pass through the registry, so that every key is known and
// every default is written; what the other generation cannot say is a loss by name.
#ifndef KASSAY_CONFIG_TRAINING_H
#define KASSAY_CONFIG_TRAINING_H

#include <kassay/losses.h>

#include "base/arena.h"
#include "config/config.h"

typedef struct ks_training {
    ks_context *context;
    ks_arena *arena;
    ks_losses *losses;
    const char *keras_version;          ///< of the file
    const struct ks_registry *registry; ///< custom classes of the load
    bool lost;   ///< something had no word: with only a part of its compile state a model would train otherwise
    bool keras3; ///< upgrading a training_config that Keras 3 wrote
    bool alone;  ///< a single object, not in a compile state: every key that tf_keras writes
    int depth;
} ks_training;

/// The optimizer's record as Keras 3.15.1 writes it, from a compile_config of Keras 3 (a record, or "adam").
/// KS_VALUE_NULL: none.
ks_code ks_training_optimizer(ks_value *out, ks_training *training, const ks_value *compile);
/// From compile_config to training_config. `optimizer` is the record of ks_training_optimizer.
ks_code ks_training_downgrade(ks_value *out, ks_training *training, const ks_value *compile, const ks_value *optimizer);
/// What that gave, from the words of tf_keras to those of Keras 2.3.
ks_code ks_training_downgrade_early(ks_value *config, ks_training *training);
/// From training_config, of tf_keras's newer optimizers or of Keras 3, to compile_config.
ks_code ks_training_upgrade(ks_value *out, ks_training *training, const ks_value *config);
/// One loss, metric, optimizer or schedule (`kind`) of tf_keras as Keras 3.15.1 writes it, and back.
ks_code ks_training_upgrade_object(ks_value *out, ks_training *training, const ks_value *record, ks_kind kind);
ks_code ks_training_downgrade_object(ks_value *out, ks_training *training, const ks_value *record, ks_kind kind);
/// Whether a training_config is in the words of Keras 3.
bool ks_training_is_keras3(const ks_value *config);

#endif
