// SPDX-License-Identifier: Apache-2.0
//
// Config of recurrent layers and their cells.
#ifndef KASSAY_SCHEMA_RECURRENT_H
#define KASSAY_SCHEMA_RECURRENT_H

#include "schema/class.h"

/// SimpleRNNCell, LSTMCell, GRUCell.
typedef struct ks_rnn_cell {
    int64_t units;
    ks_activation activation;
    ks_activation recurrent_activation; ///< not SimpleRNN
    bool use_bias;
    bool unit_forget_bias; ///< LSTM; only at initialization
    bool reset_after;      ///< GRU
    ks_object *kernel_initializer, *recurrent_initializer, *bias_initializer;
    ks_object *kernel_regularizer, *recurrent_regularizer, *bias_regularizer;
    ks_object *kernel_constraint, *recurrent_constraint, *bias_constraint;
    double dropout, recurrent_dropout;
    const ks_value *seed, *implementation;
} ks_rnn_cell;

typedef struct ks_stacked_cells {
    ks_objects cells;
} ks_stacked_cells;

/// RNN, SimpleRNN, LSTM, GRU.
typedef struct ks_recurrent {
    bool return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask;
    ks_rnn_cell settings; ///< of the cell that SimpleRNN, LSTM and GRU make
    ks_object *activity_regularizer;
    ks_object *cell; ///< RNN: from the config; the others: made by build
} ks_recurrent;

enum ks_merge_mode { KS_MERGE_SUM, KS_MERGE_MUL, KS_MERGE_AVE, KS_MERGE_CONCAT, KS_MERGE_NONE = -1 };

typedef struct ks_bidirectional {
    ks_object *layer, *backward_layer;
    int merge_mode; ///< ks_merge_mode
    const ks_value *weights;
} ks_bidirectional;

#define KS_MAX_CELLS 64

/// The cells that a cell object stands for: itself, or the members of StackedRNNCells. Returns their number; 0: it is
/// no cell that this reference runs.
size_t ks_rnn_cells(ks_object **out, size_t room, ks_object *cell);
/// 2 for LSTM, 1 for the others.
size_t ks_rnn_cell_states(const ks_object *cell);

#endif
