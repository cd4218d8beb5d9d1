// SPDX-License-Identifier: Apache-2.0
//
// What the property programs share: a trial is one random model; the first that fails is made smaller and printed with
// its seed, choices and config.
#ifndef KASSAY_HARNESS_PROPERTY_TRIAL_H
#define KASSAY_HARNESS_PROPERTY_TRIAL_H

#include "property/choices.h"
#include "property/model_generator.h"

#include <kassay/model.h>

typedef struct ks_trial {
    uint64_t seed; ///< of the choices, the weights and the inputs
    uint64_t number;
    const char *folder; ///< where samples are written, NULL: nowhere
    size_t n_layers;
    char config[4000]; ///< its beginning, of the last failure
    char message[800]; ///< what went wrong, empty when nothing did
} ks_trial;

typedef bool (*ks_trial_property)(ks_trial *test, ks_choices *choices);

/// `PROGRAM [--models N] [--seed S] [--write FOLDER]`: the property of N models (1,000 when nothing is said). `budget`
/// bounds the runs that make a failure smaller. Returns the exit status: 1 when a model fails.
int ks_trial_main(int argc, char **argv, ks_trial_property holds, size_t budget);

/// Writes the message, `what` and the error of `context` if there is one; always false.
bool ks_trial_failed(ks_trial *test, const ks_context *context, const char *what, ...)
    __attribute__((format(printf, 3, 4)));

bool ks_trial_knows_class(const char *class_name);

typedef struct ks_trial_inputs {
    ks_tensor tensors[KS_GENERATED_INPUTS];
    size_t count;
} ks_trial_inputs;

/// Random inputs of the model. Freed by ks_trial_drop_inputs(), after a failure too.
bool ks_trial_make_inputs(ks_trial_inputs *out, ks_context *context, const ks_generated_model *model, int64_t batch,
                          uint64_t seed);
void ks_trial_drop_inputs(ks_trial_inputs *held, ks_context *context);

bool ks_trial_same_tensor(const ks_tensor *a, const ks_tensor *b);

/// FOLDER/NNNN.in.npz and FOLDER/NNNN.out.npz.
bool ks_trial_write_io(ks_trial *test, ks_context *context, const ks_trial_inputs *in, const ks_prediction *prediction);

#endif
