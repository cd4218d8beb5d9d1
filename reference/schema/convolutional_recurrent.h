// SPDX-License-Identifier: Apache-2.0
//
// Config of the convolutional LSTM layers.
#ifndef KASSAY_SCHEMA_CONVOLUTIONAL_RECURRENT_H
#define KASSAY_SCHEMA_CONVOLUTIONAL_RECURRENT_H

#include "schema/convolution.h"

typedef struct ks_conv_lstm {
    bool return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask;
    bool unit_forget_bias;
    ks_convolution convolution; ///< of the inputs; the recurrent one has its kernel_size, padding "same", stride 1
    ks_activation recurrent_activation;
    ks_object *recurrent_initializer, *recurrent_regularizer, *recurrent_constraint;
    double dropout, recurrent_dropout;
    const ks_value *seed, *implementation;
    ks_object *cell; ///< holds the variables
} ks_conv_lstm;

/// What holds the variables: it has no record of its own in any file.
extern const ks_class ks_conv_lstm_cell;

/// The result of the inputs' convolution for one step's shape (the sequence's without its time axis).
ks_code ks_conv_lstm_step_shape(ks_shape *out, ks_call *call, const ks_object *object, const ks_shape *sequence);

#endif
