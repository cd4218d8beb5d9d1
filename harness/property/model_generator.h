// SPDX-License-Identifier: Apache-2.0
//
// Random models as real Keras 3.15.1 would save them: Functional and Sequential, nested in each other, with shared
// layers, several inputs and outputs, merges, inputs of words and integers. One generator for property tests and fuzz
// seeds; `check_with_keras.py` shows that Keras loads a sample of what it makes and predicts the same.
#ifndef KASSAY_HARNESS_PROPERTY_MODEL_GENERATOR_H
#define KASSAY_HARNESS_PROPERTY_MODEL_GENERATOR_H

#include "property/choices.h"
#include <kassay/context.h>
#include <kassay/tensor.h>
#include <kassay/text.h>

#define KS_GENERATED_INPUTS 3

/// An input of a generated model: dimensions without the batch, and what its elements are.
typedef struct ks_generated_input {
    int rank;
    int64_t dims[3];
    ks_dtype dtype;     ///< KS_FLOAT32: numbers in [-1, 1); KS_STRING: ks_generated_word()s; KS_INT32
    int64_t vocabulary; ///< of KS_INT32: numbers in [0, vocabulary)
} ks_generated_input;

#define KS_GENERATED_PASSES 5

/// What the optimizer of a compiled model keeps, in the order of optimizer.variables: the iteration, the learning rate,
/// then in each pass `passes[i]` slots for every trained variable, those of one variable together.
typedef struct ks_generated_optimizer {
    int64_t iteration; ///< 0: not compiled
    bool has_rate;     ///< false: a schedule gives it
    float learning_rate;
    int passes[KS_GENERATED_PASSES];
    int n_passes;
} ks_generated_optimizer;

typedef struct ks_generated_model {
    ks_text config; ///< config.json; free with ks_free
    ks_generated_optimizer optimizer;
    size_t n_inputs;
    ks_generated_input inputs[KS_GENERATED_INPUTS];
    size_t n_layers; ///< layers of all models in it
} ks_generated_model;

/// May the generator use this class? For a reference that does not know all of them yet.
typedef bool ks_class_filter(const char *class_name);

/// `filter` may be NULL: every class.
ks_code ks_generate_config(ks_generated_model *out, ks_context *context, ks_choices *choices, ks_class_filter *filter);
/// The classes that the generator knows, NULL-terminated.
const char *const *ks_generator_classes(void);

/// The `.keras` file of a generated model: random weights and optimizer's variables, written through the library road.
/// The paths and shapes of the variables are those that the reference finds in the config. Free `out->data` with
/// ks_free.
ks_code ks_generate_file(ks_bytes *out, ks_context *context, const ks_generated_model *model, uint64_t seed);

#endif
