// SPDX-License-Identifier: Apache-2.0
//
// How a generated model is compiled: optimizer, loss and metrics with values that are not their defaults, in the words
// of Keras 3.15.1, such that Keras 2 has words for all of it.
#ifndef KASSAY_HARNESS_PROPERTY_COMPILE_GENERATOR_H
#define KASSAY_HARNESS_PROPERTY_COMPILE_GENERATOR_H

#include "property/model_generator.h"

/// Puts a compile_config into the record of the whole model, and says in `model->optimizer` what the optimizer keeps.
ks_code ks_generate_compile(ks_generated_model *model, ks_context *context, ks_choices *choices);

#endif
