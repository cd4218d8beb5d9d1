// SPDX-License-Identifier: Apache-2.0
//
// What a file keeps of training. A model is loaded as with compile=False: nothing of this is looked at until it is
// asked for, by writers that carry it on.
#ifndef KASSAY_MODEL_TRAINING_H
#define KASSAY_MODEL_TRAINING_H

#include "model/model_internal.h"
#include "weights/optimizer.h"

/// The training_config of an older file, the compile_config of Keras 3; NULL when the file has none. Lives as long as
/// the model.
ks_code ks__training_config(const ks_value **out, ks_model *model);
/// The optimizer's state in the model's file, for ks__optimizer_read; none when the model has no file with weights.
ks_code ks__optimizer_weights(ks_optimizer_weights *out, ks_model *model);
ks_code ks__optimizer_read(ks_tensor *out, ks_model *model, const ks_optimizer_weight *weight);

#endif
