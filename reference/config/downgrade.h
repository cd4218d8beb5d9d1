// SPDX-License-Identifier: Apache-2.0
//
// From Keras 3's records to the words of Keras 2, as tf_keras 2.21 reads them (and writes them, where it does not keep
// Keras 3's form inside): {"class_name", "config"} without module, registered_name and build_config, graphs with lists
// [layer, node, tensor, {kwargs}], operations as TFOpLambda layers. What Keras 2 has no word for is refused, or told as
// a loss when the model computes the same without it.
#ifndef KASSAY_CONFIG_DOWNGRADE_H
#define KASSAY_CONFIG_DOWNGRADE_H

#include <kassay/losses.h>
#include <kassay/value.h>

#include "base/arena.h"
#include "schema/class.h"

/// `record` is a model's: every key written, as ks_config_value gives it. The result lives in `arena` and borrows from
/// the record. `document` names the record in errors ("config.json"). `registry`: custom classes, NULL: none but those
/// in scope and registered.
ks_code ks_config_downgrade(ks_value *out, ks_arena *arena, const ks_value *record, ks_losses *losses,
                            const char *document, const struct ks_registry *registry);
/// The same in the words of Keras 2.3, which knows fewer; ks_config_value (`early`) has refused masks that come to
/// where it does not take them.
ks_code ks_config_downgrade_early(ks_value *out, ks_arena *arena, const ks_value *record, ks_losses *losses,
                                  const char *document, const struct ks_registry *registry);
/// One object of any kind but those that train (training.h), as tf_keras's serialize writes it.
ks_code ks_config_downgrade_object(ks_value *out, ks_arena *arena, const ks_value *record, ks_kind kind,
                                   ks_losses *losses, const char *document, const struct ks_registry *registry);

#endif
