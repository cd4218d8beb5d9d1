// SPDX-License-Identifier: Apache-2.0
//
// SimpleRNN, LSTM, GRU, RNN, their cells, StackedRNNCells, Bidirectional. Source of the rules: Keras 3 layers/rnn/*.py.
//
// Kernels have their gates side by side: LSTM i, f, c, o; GRU z, r, h.
#include "schema/recurrent.h"

#include <string.h>

#include "base/value_make.h"
#include "schema/broadcast.h"
#include "schema/key_row.h"

// --- cells ----------------------------------------------------------------------------------------------------------

#define CELL_ROW(prefix, owner, key, key_type, key_flags, text)                                                        \
    {KS_NAMED(#key), .type = KS_KEY_##key_type, .flags = (key_flags), .offset = offsetof(owner, prefix key),           \
     .otherwise = (text)}
#define CELL_UNITS(prefix, owner)                                                                                      \
    {                                                                                                                  \
        KS_NAMED("units"),                                                                                             \
        .type = KS_KEY_INT,                                                                                            \
        .flags = KS_REQUIRED | KS_NUMERIC,                                                                             \
        .offset = offsetof(owner, prefix units),                                                                       \
        .minimum = 1,                                                                                                  \
        .maximum = INT32_MAX}
#define CELL_COMMON_KEYS(prefix, owner)                                                                                \
    CELL_UNITS(prefix, owner), CELL_ROW(prefix, owner, activation, ACTIVATION, KS_NULLABLE | KS_NUMERIC, "\"tanh\""),  \
        CELL_ROW(prefix, owner, use_bias, BOOL, KS_NUMERIC, "true"),                                                   \
        CELL_ROW(prefix, owner, kernel_initializer, INITIALIZER, KS_NULLABLE | KS_INERT, "\"glorot_uniform\""),        \
        CELL_ROW(prefix, owner, recurrent_initializer, INITIALIZER, KS_NULLABLE | KS_INERT, "\"orthogonal\""),         \
        CELL_ROW(prefix, owner, bias_initializer, INITIALIZER, KS_NULLABLE | KS_INERT, "\"zeros\""),                   \
        CELL_ROW(prefix, owner, kernel_regularizer, REGULARIZER, KS_NULLABLE | KS_INERT, "null"),                      \
        CELL_ROW(prefix, owner, recurrent_regularizer, REGULARIZER, KS_NULLABLE | KS_INERT, "null"),                   \
        CELL_ROW(prefix, owner, bias_regularizer, REGULARIZER, KS_NULLABLE | KS_INERT, "null"),                        \
        CELL_ROW(prefix, owner, kernel_constraint, CONSTRAINT, KS_NULLABLE | KS_INERT, "null"),                        \
        CELL_ROW(prefix, owner, recurrent_constraint, CONSTRAINT, KS_NULLABLE | KS_INERT, "null"),                     \
        CELL_ROW(prefix, owner, bias_constraint, CONSTRAINT, KS_NULLABLE | KS_INERT, "null"),                          \
        CELL_ROW(prefix, owner, dropout, FLOAT, KS_INERT, "0.0"),                                                      \
        CELL_ROW(prefix, owner, recurrent_dropout, FLOAT, KS_INERT, "0.0"),                                            \
        CELL_ROW(prefix, owner, seed, ANY, KS_NULLABLE | KS_INERT, "null"),                                            \
        CELL_ROW(prefix, owner, implementation, ANY, KS_NULLABLE | KS_INERT, "null")
#define GATED_KEYS(prefix, owner)                                                                                      \
    CELL_ROW(prefix, owner, recurrent_activation, ACTIVATION, KS_NULLABLE | KS_NUMERIC, "\"sigmoid\"")
#define LSTM_KEYS(prefix, owner) CELL_ROW(prefix, owner, unit_forget_bias, BOOL, KS_INERT, "true")
#define GRU_KEYS(prefix, owner) CELL_ROW(prefix, owner, reset_after, BOOL, KS_NUMERIC, "true")

// Keys in the order of get_config.
#define BASE_WORDS "name trainable dtype regularizer "
#define SEQUENCE_WORDS "return_sequences return_state go_backwards stateful unroll zero_output_for_mask "
#define INITIALIZER_WORDS "kernel_initializer recurrent_initializer bias_initializer "
#define REGULARIZER_WORDS "kernel_regularizer recurrent_regularizer bias_regularizer "
#define CONSTRAINT_WORDS "kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout"

static const ks_key simple_rnn_cell_keys[] = {CELL_COMMON_KEYS(, ks_rnn_cell)};
static const ks_key lstm_cell_keys[] = {CELL_COMMON_KEYS(, ks_rnn_cell), GATED_KEYS(, ks_rnn_cell),
                                        LSTM_KEYS(, ks_rnn_cell)};
static const ks_key gru_cell_keys[] = {CELL_COMMON_KEYS(, ks_rnn_cell), GATED_KEYS(, ks_rnn_cell),
                                       GRU_KEYS(, ks_rnn_cell)};

static int64_t gates_of(const ks_class *row) {
    return row == &ks_class_LSTMCell ? 4 : row == &ks_class_GRUCell ? 3 : 1;
}

static bool is_cell(const ks_object *object) {
    return object->row == &ks_class_SimpleRNNCell || object->row == &ks_class_LSTMCell ||
           object->row == &ks_class_GRUCell;
}

size_t ks_rnn_cell_states(const ks_object *cell) {
    return cell->row == &ks_class_LSTMCell ? 2 : 1;
}

size_t ks_rnn_cells(ks_object **out, size_t room, ks_object *cell) {
    const ks_stacked_cells *stack = cell->params;
    if (is_cell(cell)) {
        out[0] = cell;
        return 1;
    }
    if (cell->row != &ks_class_StackedRNNCells || stack->cells.count == 0 || stack->cells.count > room)
        return 0;
    for (size_t i = 0; i < stack->cells.count; i++) {
        if (!is_cell(stack->cells.items[i]))
            return 0;
        out[i] = stack->cells.items[i];
    }
    return stack->cells.count;
}

static ks_code cell_build(ks_call *call, ks_object *object) {
    const ks_rnn_cell *params = object->params;
    int64_t width = gates_of(object->row) * params->units;
    ks_array *input = ks_call_input(call, object);
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 2, 2));
    {
        ks_shape kernel = {2, {input->shape.dims[1], width}}, recurrent = {2, {params->units, width}};
        ks_shape bias = {1, {width}}, two = {2, {2, width}};
        KS_TRY(ks_add_variable(call, object, "kernel", &kernel, KS_DTYPE_NONE, true));
        KS_TRY(ks_add_variable(call, object, "recurrent_kernel", &recurrent, KS_DTYPE_NONE, true));
        if (params->use_bias)
            KS_TRY(ks_add_variable(call, object, "bias",
                                   object->row == &ks_class_GRUCell && params->reset_after ? &two : &bias,
                                   KS_DTYPE_NONE, true));
    }
done:
    return code;
}

// The states of the cells: for one cell a list of them, for stacked cells a list with one entry for each.
static ks_code state_tree(ks_tree *out, ks_call *call, ks_object *cell, int64_t batch) {
    ks_object *cells[KS_MAX_CELLS];
    size_t count = ks_rnn_cells(cells, KS_MAX_CELLS, cell);
    bool stacked = cell->row == &ks_class_StackedRNNCells;
    ks_code code = KS_OK;
    *out = ks_tree_list(call->arena, stacked ? count : ks_rnn_cell_states(cell));
    if (!out->as.list.items)
        return call->context->error.code;
    for (size_t i = 0; i < count && code == KS_OK; i++) {
        const ks_rnn_cell *params = cells[i]->params;
        ks_shape shape = {2, {batch, params->units}};
        ks_tree *list = out;
        if (stacked) {
            list = &out->as.list.items[i];
            *list = ks_tree_list(call->arena, ks_rnn_cell_states(cells[i]));
            if (!list->as.list.items)
                return call->context->error.code;
        }
        for (size_t k = 0; k < list->as.list.count && code == KS_OK; k++)
            code = ks_result(&list->as.list.items[k], call, KS_DTYPE_NONE, &shape);
    }
    return code;
}

static int64_t last_units(ks_object *cell) {
    ks_object *cells[KS_MAX_CELLS];
    size_t count = ks_rnn_cells(cells, KS_MAX_CELLS, cell);
    return count ? ((const ks_rnn_cell *)cells[count - 1]->params)->units : 0;
}

static ks_code check_width(ks_call *call, const ks_object *object, ks_object *cell, int64_t width) {
    ks_object *cells[KS_MAX_CELLS];
    const ks_variable *kernel;
    if (!ks_rnn_cells(cells, KS_MAX_CELLS, cell))
        return ks_shape_error(call->context, object, "the cell cannot be run");
    kernel = cells[0]->trainable_variables;
    if (!kernel || ks_dims_agree(kernel->shape.dims[0], width))
        return KS_OK;
    return ks_shape_error(call->context, object, "expected %lld as the last dimension of the input, found %lld",
                          (long long)kernel->shape.dims[0], (long long)width);
}

// A cell called for one step: (output, states).
static ks_code cell_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 2, 2));
    KS_TRY(check_width(call, object, object, input->shape.dims[1]));
    *out = ks_tree_list(call->arena, 2);
    if (!out->as.list.items)
        return call->context->error.code;
    shape = (ks_shape){2, {input->shape.dims[0], last_units(object)}};
    KS_TRY(ks_result(&out->as.list.items[0], call, KS_DTYPE_NONE, &shape));
    KS_TRY(state_tree(&out->as.list.items[1], call, object, input->shape.dims[0]));
done:
    return code;
}

static const char *const cell_arguments[] = {"inputs", "states", "training", NULL};
static const char *const simple_cell_arguments[] = {"sequence", "states", "training", NULL};

#define CELL_CLASS(class_name, key_table, words, argument_list)                                                        \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(key_table),                                                                                            \
        .written = (words),                                                                                            \
        .params_size = sizeof(ks_rnn_cell),                                                                            \
        .arguments = argument_list,                                                                                    \
        .mask = KS_MASK_NONE,                                                                                          \
        .build = cell_build,                                                                                           \
        .infer = cell_infer,                                                                                           \
    }

CELL_CLASS(SimpleRNNCell, simple_rnn_cell_keys,
           BASE_WORDS "units activation use_bias " INITIALIZER_WORDS REGULARIZER_WORDS CONSTRAINT_WORDS " seed",
           simple_cell_arguments);
CELL_CLASS(LSTMCell, lstm_cell_keys,
           BASE_WORDS "units activation recurrent_activation use_bias unit_forget_bias " INITIALIZER_WORDS
               REGULARIZER_WORDS CONSTRAINT_WORDS " seed",
           cell_arguments);
CELL_CLASS(GRUCell, gru_cell_keys,
           BASE_WORDS
           "units activation recurrent_activation use_bias " INITIALIZER_WORDS REGULARIZER_WORDS CONSTRAINT_WORDS
           " reset_after seed",
           cell_arguments);

// --- StackedRNNCells ------------------------------------------------------------------------------------------------

static const ks_key stacked_keys[] = {
    KS_ROW(ks_stacked_cells, cells, LAYERS, KS_REQUIRED | KS_NUMERIC, NULL),
};

static ks_code stacked_check(ks_context *context, ks_object *object) {
    const ks_stacked_cells *params = object->params;
    if (params->cells.count == 0 || params->cells.count > KS_MAX_CELLS)
        return ks_key_error(context, params->cells.count ? KS_E_CONFIG_TOO_MANY : KS_E_CONFIG_VALUE, object, "cells",
                            "expected 1 to %d cells, found %zu", KS_MAX_CELLS, params->cells.count);
    for (size_t i = 0; i < params->cells.count; i++)
        if (!is_cell(params->cells.items[i]))
            return ks_key_error(context, KS_E_CONFIG_VALUE, object, "cells", "%s is no recurrent cell",
                                params->cells.items[i]->row->name);
    return KS_OK;
}

static ks_code stacked_build(ks_call *call, ks_object *object) {
    const ks_stacked_cells *params = object->params;
    ks_array *input = ks_call_input(call, object), *step;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 2, 2));
    for (size_t i = 0; i < params->cells.count; i++)
        KS_TRY(ks_add_child(call, object, "cells", true, params->cells.items[i]));
    step = ks_array_new(call->arena, input->dtype, &input->shape);
    if (!step)
        return call->context->error.code;
    for (size_t i = 0; i < params->cells.count; i++) {
        ks_object *cell = params->cells.items[i];
        ks_tree arguments[3] = {ks_tree_of(step)};
        KS_TRY(ks_build(call, cell, arguments));
        step->shape.dims[1] = ((const ks_rnn_cell *)cell->params)->units;
    }
done:
    return code;
}

const ks_class ks_class_StackedRNNCells = {
    .name = "StackedRNNCells",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(stacked_keys),
    .params_size = sizeof(ks_stacked_cells),
    .arguments = cell_arguments,
    .mask = KS_MASK_NONE,
    .check = stacked_check,
    .build = stacked_build,
    .infer = cell_infer,
};

// --- layers ---------------------------------------------------------------------------------------------------------

#define RECURRENT_KEYS                                                                                                 \
    KS_ROW(ks_recurrent, return_sequences, BOOL, KS_NUMERIC, "false"),                                                 \
        KS_ROW(ks_recurrent, return_state, BOOL, KS_NUMERIC, "false"),                                                 \
        KS_ROW(ks_recurrent, go_backwards, BOOL, KS_NUMERIC, "false"),                                                 \
        KS_ROW(ks_recurrent, stateful, BOOL, KS_NUMERIC, "false"), KS_ROW(ks_recurrent, unroll, BOOL, 0, "false"),     \
        KS_ROW(ks_recurrent, zero_output_for_mask, BOOL, KS_NUMERIC, "false")
#define OWN_CELL_KEYS                                                                                                  \
    RECURRENT_KEYS, CELL_COMMON_KEYS(settings., ks_recurrent), KS_ROW_REGULARIZER(ks_recurrent, activity_regularizer)

static const ks_key rnn_keys[] = {
    RECURRENT_KEYS,
    KS_ROW_REGULARIZER(ks_recurrent, activity_regularizer),
    KS_ROW(ks_recurrent, cell, LAYER, KS_REQUIRED | KS_NUMERIC, NULL),
};
static const ks_key simple_rnn_keys[] = {OWN_CELL_KEYS};
static const ks_key lstm_keys[] = {OWN_CELL_KEYS, GATED_KEYS(settings., ks_recurrent),
                                   LSTM_KEYS(settings., ks_recurrent)};
static const ks_key gru_keys[] = {OWN_CELL_KEYS, GATED_KEYS(settings., ks_recurrent),
                                  GRU_KEYS(settings., ks_recurrent)};

static ks_code rnn_check(ks_context *context, ks_object *object) {
    const ks_recurrent *params = object->params;
    ks_object *cells[KS_MAX_CELLS];
    if (ks_rnn_cells(cells, KS_MAX_CELLS, params->cell))
        return KS_OK;
    return ks_key_error(context, KS_E_CONFIG_VALUE, object, "cell", "%s is no recurrent cell", params->cell->row->name);
}

static ks_code make_cell(ks_call *call, ks_object *object) {
    ks_recurrent *params = object->params;
    const ks_class *row = object->row == &ks_class_LSTM  ? &ks_class_LSTMCell
                          : object->row == &ks_class_GRU ? &ks_class_GRUCell
                                                         : &ks_class_SimpleRNNCell;
    const char *name = object->row == &ks_class_LSTM  ? "lstm_cell"
                       : object->row == &ks_class_GRU ? "gru_cell"
                                                      : "simple_rnn_cell";
    ks_code code;
    if (params->cell)
        return ks_add_child(call, object, "cell", false, params->cell);
    code = ks_make_child(&params->cell, call, object, "cell", name, row);
    if (code == KS_OK)
        *(ks_rnn_cell *)params->cell->params = params->settings;
    return code;
}

static ks_code recurrent_build(ks_call *call, ks_object *object) {
    ks_recurrent *params = object->params;
    ks_array *input = ks_call_input(call, object), *step;
    ks_tree arguments[3] = {{0}};
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 3, 3));
    if (params->stateful && input->shape.dims[0] == KS_UNKNOWN_DIM)
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "stateful",
                            "a stateful layer needs a known batch size");
    step = ks_array_new(call->arena, input->dtype, &input->shape);
    if (!step)
        return call->context->error.code;
    ks_shape_drop(&step->shape, 1);
    arguments[0] = ks_tree_of(step);
    KS_TRY(make_cell(call, object));
    KS_TRY(ks_build(call, params->cell, arguments));
done:
    return code;
}

// The output alone, or a list of it and the states.
static ks_code recurrent_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_recurrent *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_tree output, states;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 3, 3));
    KS_TRY(check_width(call, object, params->cell, input->shape.dims[2]));
    shape = input->shape;
    shape.dims[2] = last_units(params->cell);
    if (!params->return_sequences)
        ks_shape_drop(&shape, 1);
    KS_TRY(ks_result(&output, call, KS_DTYPE_NONE, &shape));
    *out = output;
    if (!params->return_state)
        return KS_OK;
    KS_TRY(state_tree(&states, call, params->cell, shape.dims[0]));
    *out = ks_tree_list(call->arena, 1 + states.as.list.count);
    if (!out->as.list.items)
        return call->context->error.code;
    out->as.list.items[0] = output;
    for (size_t i = 0; i < states.as.list.count; i++)
        out->as.list.items[i + 1] = states.as.list.items[i];
done:
    return code;
}

// The mask that arrives: the argument, else the one on the sequences.
static ks_array *previous_mask(ks_call *call, const ks_object *object) {
    const ks_tree *argument = &call->arguments[2];
    ks_array *first[1] = {NULL}, *input;
    if (argument->type != KS_TREE_NONE) {
        ks_tree_flatten(argument, first, 1);
        return first[0];
    }
    input = ks_call_input(call, object);
    return input ? input->mask : NULL;
}

static ks_code recurrent_compute_mask(ks_array **masks, const ks_tree *result, ks_call *call, ks_object *object) {
    const ks_recurrent *params = object->params;
    (void)result;
    if (params->return_sequences)
        masks[0] = previous_mask(call, object);
    return KS_OK;
}

static const char *const recurrent_arguments[] = {"sequences", "initial_state", "mask", "training", NULL};

#define RECURRENT_CLASS(class_name, key_table, words, check_function)                                                  \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(key_table),                                                                                            \
        .written = (words),                                                                                            \
        .params_size = sizeof(ks_recurrent),                                                                           \
        .arguments = recurrent_arguments,                                                                              \
        .mask = KS_MASK_CUSTOM,                                                                                        \
        .check = check_function,                                                                                       \
        .build = recurrent_build,                                                                                      \
        .infer = recurrent_infer,                                                                                      \
        .compute_mask = recurrent_compute_mask,                                                                        \
    }

RECURRENT_CLASS(RNN, rnn_keys, BASE_WORDS SEQUENCE_WORDS "cell", rnn_check);
RECURRENT_CLASS(SimpleRNN, simple_rnn_keys,
                BASE_WORDS SEQUENCE_WORDS "units activation use_bias " INITIALIZER_WORDS REGULARIZER_WORDS
                                          "activity_regularizer " CONSTRAINT_WORDS,
                NULL);
RECURRENT_CLASS(LSTM, lstm_keys,
                BASE_WORDS SEQUENCE_WORDS "units activation recurrent_activation use_bias " INITIALIZER_WORDS
                                          "unit_forget_bias " REGULARIZER_WORDS "activity_regularizer " CONSTRAINT_WORDS
                                          " seed",
                NULL);
RECURRENT_CLASS(GRU, gru_keys,
                BASE_WORDS SEQUENCE_WORDS
                "units activation recurrent_activation use_bias " INITIALIZER_WORDS REGULARIZER_WORDS
                "activity_regularizer " CONSTRAINT_WORDS " reset_after seed",
                NULL);

// --- Bidirectional --------------------------------------------------------------------------------------------------

static const char *const merge_modes[] = {"sum", "mul", "ave", "concat", NULL};

static const ks_key bidirectional_keys[] = {
    {KS_NAMED("merge_mode"), .type = KS_KEY_CHOICE, .flags = KS_NULLABLE | KS_NUMERIC,
     .offset = KS_FIELD(ks_bidirectional, merge_mode), .otherwise = "\"concat\"", .choices = merge_modes},
    KS_ROW(ks_bidirectional, layer, LAYER, KS_REQUIRED | KS_NUMERIC, NULL),
    KS_ROW(ks_bidirectional, backward_layer, LAYER, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_ROW(ks_bidirectional, weights, ANY, KS_NULLABLE | KS_READ_ONLY, "null"),
};

static bool is_recurrent(const ks_object *object) {
    return object->row == &ks_class_RNN || object->row == &ks_class_SimpleRNN || object->row == &ks_class_LSTM ||
           object->row == &ks_class_GRU;
}

static ks_code check_pair(ks_context *context, const ks_object *object, const ks_recurrent *forward,
                          const ks_recurrent *backward) {
    if (forward->go_backwards == backward->go_backwards)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "backward_layer",
                            "the two layers must go in different directions");
    if (forward->stateful != backward->stateful || forward->return_sequences != backward->return_sequences ||
        forward->return_state != backward->return_state)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "backward_layer",
                            "the two layers differ in stateful, return_sequences or return_state");
    return KS_OK;
}

static ks_code not_recurrent(ks_context *context, const ks_object *object, const char *key, const ks_object *layer) {
    bool valid = layer->row->custom || strncmp(layer->row->name, "ConvLSTM", 8) == 0;
    return ks_key_error(context, valid ? KS_E_CONFIG_UNSUPPORTED_VALUE : KS_E_CONFIG_VALUE, object, key,
                        valid ? "%s in two directions cannot be run by this reference" : "%s is no recurrent layer",
                        layer->row->name);
}

static ks_code bidirectional_check(ks_context *context, ks_object *object) {
    ks_bidirectional *params = object->params;
    ks_recurrent *forward = params->layer->params, *backward;
    if (!is_recurrent(params->layer))
        return not_recurrent(context, object, "layer", params->layer);
    if (params->weights && params->weights->type != KS_VALUE_NULL)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "weights",
                            "initial weights in a config cannot be read by this reference");
    // When a sequence is returned, what is masked is zero, whatever the layers' own configs say; but not before
    // tf.keras.
    forward->zero_output_for_mask = forward->return_sequences && !object->multi_backend;
    if (!params->backward_layer) {
        if (params->layer->row == &ks_class_RNN)
            return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "backward_layer",
                                "an RNN without its backward layer cannot be run by this reference");
        return KS_OK;
    }
    if (!is_recurrent(params->backward_layer))
        return not_recurrent(context, object, "backward_layer", params->backward_layer);
    backward = params->backward_layer->params;
    backward->zero_output_for_mask = backward->return_sequences && !object->multi_backend;
    return check_pair(context, object, forward, backward);
}

// "forward_lstm" stays as it is, "lstm" becomes that.
static const char *prefixed(ks_call *call, const char *prefix, const char *name) {
    if (strncmp(name, prefix, strlen(prefix)) == 0)
        return name;
    return ks_arena_format(call->arena, "%s%s", prefix, name);
}

static ks_code bidirectional_children(ks_call *call, ks_object *object) {
    ks_bidirectional *params = object->params;
    const char *name = params->layer->name;
    ks_code code;
    params->layer->name = prefixed(call, "forward_", name);
    KS_TRY(ks_add_child(call, object, "forward_layer", false, params->layer));
    if (params->backward_layer)
        return ks_add_child(call, object, "backward_layer", false, params->backward_layer);
    name = prefixed(call, "backward_", strncmp(name, "forward_", 8) == 0 ? name + 8 : name);
    if (!name || !params->layer->name)
        return call->context->error.code;
    KS_TRY(ks_make_child(&params->backward_layer, call, object, "backward_layer", name, params->layer->row));
    *(ks_recurrent *)params->backward_layer->params = *(const ks_recurrent *)params->layer->params;
    // Keras 1 and 2 turn the forward layer around, whichever way it goes; Keras 3 refuses one that goes backwards.
    ((ks_recurrent *)params->backward_layer->params)->go_backwards =
        !ks_is_old(object) || !((const ks_recurrent *)params->layer->params)->go_backwards;
    code = check_pair(call->context, object, params->layer->params, params->backward_layer->params);
done:
    return code;
}

static ks_code bidirectional_build(ks_call *call, ks_object *object) {
    const ks_bidirectional *params = object->params;
    ks_tree arguments[4] = {call->arguments[0]};
    ks_code code;
    KS_TRY(bidirectional_children(call, object));
    KS_TRY(ks_build(call, params->layer, arguments));
    KS_TRY(ks_build(call, params->backward_layer, arguments));
done:
    return code;
}

static void split_output(const ks_tree *tree, ks_tree *output, const ks_tree **states, size_t *n_states) {
    *output = tree->type == KS_TREE_LIST ? tree->as.list.items[0] : *tree;
    *states = tree->type == KS_TREE_LIST ? tree->as.list.items + 1 : NULL;
    *n_states = tree->type == KS_TREE_LIST ? tree->as.list.count - 1 : 0;
}

static ks_code bidirectional_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_bidirectional *params = object->params;
    const ks_recurrent *forward = params->layer->params;
    bool apart = params->merge_mode == KS_MERGE_NONE;
    ks_tree arguments[4] = {call->arguments[0]}, trees[2], outputs[2];
    const ks_tree *states[2];
    size_t n_states[2], n = 0;
    int64_t *last;
    ks_code code;
    KS_TRY(ks_infer(&trees[0], call, params->layer, arguments));
    KS_TRY(ks_infer(&trees[1], call, params->backward_layer, arguments));
    for (int i = 0; i < 2; i++)
        split_output(&trees[i], &outputs[i], &states[i], &n_states[i]);
    if (params->merge_mode == KS_MERGE_CONCAT) {
        last = &outputs[0].as.array->shape.dims[outputs[0].as.array->shape.rank - 1];
        // Keras announces twice the forward width; what comes out is both widths.
        *last += call->symbolic ? *last : outputs[1].as.array->shape.dims[outputs[1].as.array->shape.rank - 1];
    } else if (!apart && !call->symbolic && !ks_shape_equal(&outputs[0].as.array->shape, &outputs[1].as.array->shape)) {
        return ks_shape_error(call->context, object, "the two directions have different widths");
    }
    if (!apart && !forward->return_state) {
        *out = outputs[0];
        return KS_OK;
    }
    *out = ks_tree_list(call->arena, 1 + apart + n_states[0] + n_states[1]);
    if (!out->as.list.items)
        return call->context->error.code;
    out->as.list.items[n++] = outputs[0];
    if (apart)
        out->as.list.items[n++] = outputs[1];
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < n_states[i]; k++)
            out->as.list.items[n++] = states[i][k];
done:
    return code;
}

static ks_code bidirectional_compute_mask(ks_array **masks, const ks_tree *result, ks_call *call, ks_object *object) {
    const ks_bidirectional *params = object->params;
    const ks_recurrent *forward = params->layer->params;
    (void)result;
    if (!forward->return_sequences)
        return KS_OK;
    masks[0] = previous_mask(call, object);
    if (params->merge_mode == KS_MERGE_NONE)
        masks[1] = masks[0];
    return KS_OK;
}

static ks_value *member(const ks_value *dict, const char *key) {
    return (ks_value *)(uintptr_t)ks_value_get(dict, key); // the config is being made here
}

static bool rename_layer(ks_value *config, ks_arena *arena, const char *prefix, const char *other) {
    ks_value *name = member(config, "name");
    const char *text = name->text.data;
    if (strncmp(text, other, strlen(other)) == 0)
        text += strlen(other);
    if (strncmp(text, prefix, strlen(prefix)) != 0)
        *name = ks_value_string(ks_arena_format(arena, "%s%s", prefix, text));
    return name->type == KS_VALUE_STRING;
}

// What is masked is zero in both directions when a sequence is returned (bidirectional_check).
static void fill_masked(ks_value *layer) {
    const ks_value *config = ks_value_get(layer, "config");
    const ks_value *sequences = ks_value_get(config, "return_sequences");
    ks_value *zero = member(config, "zero_output_for_mask");
    if (sequences && zero)
        *zero = *sequences;
}

// The layers' names say their directions; a backward layer that was not given is the forward one turned around.
static bool bidirectional_adjust(ks_value *config, ks_arena *arena, const ks_object *object) {
    ks_value *forward = member(config, "layer"), *backward = member(config, "backward_layer"), *inner;
    ks_value copy;
    (void)object;
    if (!rename_layer(member(forward, "config"), arena, "forward_", ""))
        return false;
    fill_masked(forward);
    fill_masked(backward);
    if (backward->type != KS_VALUE_NULL)
        return true;
    inner = member(forward, "config");
    copy = ks_value_dict(arena, inner->as.dict.count);
    if (!copy.as.dict.members)
        return false;
    for (size_t i = 0; i < inner->as.dict.count; i++)
        *ks_value_put_text(&copy, inner->as.dict.members[i].key) = inner->as.dict.members[i].value;
    member(&copy, "go_backwards")->as.boolean = !member(&copy, "go_backwards")->as.boolean;
    *backward = ks_value_record(arena, ks_value_get(forward, "module")->text.data,
                                ks_value_get(forward, "class_name")->text.data, copy, NULL, 0);
    return backward->as.dict.members && rename_layer(member(backward, "config"), arena, "backward_", "forward_");
}

const ks_class ks_class_Bidirectional = {
    .name = "Bidirectional",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(bidirectional_keys),
    .adjust = bidirectional_adjust,
    .params_size = sizeof(ks_bidirectional),
    .arguments = recurrent_arguments,
    .mask = KS_MASK_CUSTOM,
    .check = bidirectional_check,
    .build = bidirectional_build,
    .infer = bidirectional_infer,
    .compute_mask = bidirectional_compute_mask,
};
