// SPDX-License-Identifier: Apache-2.0
//
// SimpleRNN, LSTM, GRU, RNN, their cells, StackedRNNCells, Bidirectional.
//
// A step computes every gate in a block of its own, [gate][batch][units], so that any activation can be applied to it.
#include "schema/recurrent.h"

#include <string.h>

#include "layers/layer.h"
#include "ops/product.h"

#define MAX_GATES 4

typedef struct cell_run {
    const ks_object *object;
    const ks_rnn_cell *params;
    size_t batch, inputs, units, gates, n_states;
    const ks_real *kernel[MAX_GATES];    ///< [inputs][units] of each gate
    const ks_real *recurrent[MAX_GATES]; ///< [units][units]
    const ks_real *bias[MAX_GATES];      ///< [units], NULL without bias
    const ks_real *recurrent_bias[MAX_GATES];
    ks_real *state[2]; ///< h and, for LSTM, c: [batch][units]
    ks_real *next[2];
    ks_real *gate[MAX_GATES];
    ks_real *inner; ///< [batch][units]
} cell_run;

static size_t gate_count(const ks_object *object) {
    return object->row == &ks_class_LSTMCell ? 4 : object->row == &ks_class_GRUCell ? 3 : 1;
}

// One gate's columns of a kernel [rows][gates * units].
static const ks_real *gate_columns(ks_run *run, const ks_real *kernel, size_t rows, size_t units, size_t gates,
                                   size_t gate) {
    ks_real *out;
    if (gates == 1)
        return kernel;
    out = ks_run_memory(run, rows * units, sizeof(*out));
    for (size_t i = 0; out && i < rows; i++)
        memcpy(out + i * units, kernel + (i * gates + gate) * units, units * sizeof(*out));
    return out;
}

static ks_code start_weights(cell_run *cell, ks_run *run) {
    const ks_real *kernel = ks_variable_real(ks_variable_at(cell->object, 0));
    const ks_real *recurrent = ks_variable_real(ks_variable_at(cell->object, 1));
    const ks_real *bias = cell->params->use_bias ? ks_variable_real(ks_variable_at(cell->object, 2)) : NULL;
    bool two = cell->object->row == &ks_class_GRUCell && cell->params->reset_after;
    for (size_t g = 0; g < cell->gates; g++) {
        cell->kernel[g] = gate_columns(run, kernel, cell->inputs, cell->units, cell->gates, g);
        cell->recurrent[g] = gate_columns(run, recurrent, cell->units, cell->units, cell->gates, g);
        if (!cell->kernel[g] || !cell->recurrent[g])
            return run->context->error.code;
        cell->bias[g] = bias ? bias + g * cell->units : NULL;
        cell->recurrent_bias[g] = bias && two ? bias + (cell->gates + g) * cell->units : NULL;
    }
    return KS_OK;
}

static ks_code start_cell(cell_run *cell, ks_run *run, const ks_object *object, size_t batch, size_t inputs) {
    size_t block;
    memset(cell, 0, sizeof(*cell));
    cell->object = object;
    cell->params = object->params;
    cell->batch = batch;
    cell->inputs = inputs;
    cell->units = (size_t)cell->params->units;
    cell->gates = gate_count(object);
    cell->n_states = ks_rnn_cell_states(object);
    block = batch * cell->units;
    for (size_t g = 0; g < cell->gates; g++)
        cell->gate[g] = ks_run_memory(run, block, sizeof(ks_real));
    for (size_t i = 0; i < cell->n_states; i++) {
        cell->state[i] = ks_run_memory(run, block, sizeof(ks_real));
        cell->next[i] = ks_run_memory(run, block, sizeof(ks_real));
    }
    cell->inner = ks_run_memory(run, block, sizeof(ks_real));
    if (run->context->error.code != KS_OK)
        return run->context->error.code;
    return start_weights(cell, run);
}

// out = x·kernel + bias of one gate.
static void input_part(const cell_run *cell, const ks_real *x, size_t gate) {
    KS_REAL(ks_matmul)(cell->gate[gate], x, cell->kernel[gate], cell->bias[gate], cell->batch, cell->inputs,
                       cell->units);
}

static void recurrent_part(const cell_run *cell, const ks_real *h, size_t gate) {
    KS_REAL(ks_matmul)(cell->inner, h, cell->recurrent[gate], cell->recurrent_bias[gate], cell->batch, cell->units,
                       cell->units);
}

static void add_inner(const cell_run *cell, size_t gate) {
    for (size_t i = 0; i < cell->batch * cell->units; i++)
        cell->gate[gate][i] += cell->inner[i];
}

static ks_code activate(const cell_run *cell, ks_run *run, const ks_activation *activation, size_t gate) {
    ks_shape shape = {2, {(int64_t)cell->batch, (int64_t)cell->units}};
    return KS_REAL(ks_activate)(run, activation, cell->gate[gate], cell->gate[gate], &shape);
}

static ks_code plain_gate(const cell_run *cell, ks_run *run, const ks_real *x, const ks_activation *activation,
                          size_t gate) {
    input_part(cell, x, gate);
    recurrent_part(cell, cell->state[0], gate);
    add_inner(cell, gate);
    return activate(cell, run, activation, gate);
}

static ks_code simple_step(cell_run *cell, ks_run *run, const ks_real *x) {
    ks_code code = plain_gate(cell, run, x, &cell->params->activation, 0);
    if (code == KS_OK)
        memcpy(cell->next[0], cell->gate[0], cell->batch * cell->units * sizeof(ks_real));
    return code;
}

static ks_code lstm_step(cell_run *cell, ks_run *run, const ks_real *x) {
    const ks_activation *gates = &cell->params->recurrent_activation, *values = &cell->params->activation;
    size_t count = cell->batch * cell->units;
    ks_code code;
    for (size_t g = 0; g < 4; g++)
        KS_TRY(plain_gate(cell, run, x, g == 2 ? values : gates, g));
    for (size_t i = 0; i < count; i++)
        cell->next[1][i] = cell->gate[1][i] * cell->state[1][i] + cell->gate[0][i] * cell->gate[2][i];
    memcpy(cell->gate[2], cell->next[1], count * sizeof(ks_real));
    KS_TRY(activate(cell, run, values, 2));
    for (size_t i = 0; i < count; i++)
        cell->next[0][i] = cell->gate[3][i] * cell->gate[2][i];
done:
    return code;
}

static ks_code gru_step(cell_run *cell, ks_run *run, const ks_real *x) {
    const ks_activation *gates = &cell->params->recurrent_activation;
    size_t count = cell->batch * cell->units;
    ks_code code;
    KS_TRY(plain_gate(cell, run, x, gates, 0));
    KS_TRY(plain_gate(cell, run, x, gates, 1));
    input_part(cell, x, 2);
    if (cell->params->reset_after) {
        recurrent_part(cell, cell->state[0], 2);
        for (size_t i = 0; i < count; i++)
            cell->inner[i] *= cell->gate[1][i];
    } else {
        for (size_t i = 0; i < count; i++)
            cell->gate[1][i] *= cell->state[0][i];
        recurrent_part(cell, cell->gate[1], 2);
    }
    add_inner(cell, 2);
    KS_TRY(activate(cell, run, &cell->params->activation, 2));
    for (size_t i = 0; i < count; i++) {
        ks_real z = cell->gate[0][i];
        cell->next[0][i] = z * cell->state[0][i] + (1 - z) * cell->gate[2][i];
    }
done:
    return code;
}

static ks_code step_cell(cell_run *cell, ks_run *run, const ks_real *x) {
    if (cell->object->row == &ks_class_LSTMCell)
        return lstm_step(cell, run, x);
    if (cell->object->row == &ks_class_GRUCell)
        return gru_step(cell, run, x);
    return simple_step(cell, run, x);
}

// --- stacks of cells ------------------------------------------------------------------------------------------------

typedef struct stack_run {
    cell_run *cells;
    size_t count;
    size_t batch, units; ///< units of the last cell
} stack_run;

static ks_code start_stack(stack_run *stack, ks_run *run, ks_object *cell, size_t batch, size_t inputs) {
    ks_object *objects[KS_MAX_CELLS];
    ks_code code = KS_OK;
    stack->count = ks_rnn_cells(objects, KS_MAX_CELLS, cell);
    stack->batch = batch;
    stack->cells = ks_run_memory(run, stack->count, sizeof(*stack->cells));
    if (!stack->cells)
        return run->context->error.code;
    for (size_t i = 0; i < stack->count; i++) {
        KS_TRY(start_cell(&stack->cells[i], run, objects[i], batch, inputs));
        inputs = stack->cells[i].units;
    }
    stack->units = inputs;
done:
    return code;
}

// Every cell's next states from one step's input.
static ks_code step_stack(const stack_run *stack, ks_run *run, const ks_real *x) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < stack->count && code == KS_OK; i++) {
        code = step_cell(&stack->cells[i], run, x);
        x = stack->cells[i].next[0];
    }
    return code;
}

static const ks_real *stack_output(const stack_run *stack) {
    return stack->cells[stack->count - 1].next[0];
}

// The states go on, except of samples that are masked.
static void advance(const stack_run *stack, const bool *keep) {
    for (size_t i = 0; i < stack->count; i++) {
        const cell_run *cell = &stack->cells[i];
        size_t size = cell->units * sizeof(ks_real);
        for (size_t s = 0; s < cell->n_states; s++)
            for (size_t b = 0; b < cell->batch; b++)
                if (!keep || keep[b])
                    memcpy(cell->state[s] + b * cell->units, cell->next[s] + b * cell->units, size);
    }
}

static size_t stack_states(const stack_run *stack) {
    size_t count = 0;
    for (size_t i = 0; i < stack->count; i++)
        count += stack->cells[i].n_states;
    return count;
}

static ks_real **state_at(const stack_run *stack, size_t n, bool next, size_t *units) {
    for (size_t i = 0; i < stack->count; i++) {
        cell_run *cell = &stack->cells[i];
        *units = cell->units;
        if (n < cell->n_states)
            return next ? &cell->next[n] : &cell->state[n];
        n -= cell->n_states;
    }
    return NULL;
}

static ks_code load_states(const stack_run *stack, ks_run *run, const ks_object *object, const ks_tree *given) {
    size_t count = stack_states(stack), n_given = ks_tree_flatten(given, NULL, 0), units = 0;
    ks_array **arrays = ks_run_memory(run, count, sizeof(*arrays));
    if (!arrays)
        return run->context->error.code;
    if (n_given == 0)
        return KS_OK;
    if (n_given != count)
        return ks_shape_error(run->context, object, "expected %zu states, found %zu", count, n_given);
    ks_tree_flatten(given, arrays, count);
    for (size_t i = 0; i < count; i++) {
        ks_real **state = state_at(stack, i, false, &units);
        const ks_real *data = KS_REAL(ks_as_real)(run, arrays[i]);
        if (!data)
            return run->context->error.code;
        if (ks_array_elements(arrays[i]) != stack->batch * units)
            return ks_shape_error(run->context, object, "state %zu does not have %zu units for each sample", i, units);
        memcpy(*state, data, stack->batch * units * sizeof(ks_real));
    }
    return KS_OK;
}

static void store_states(const stack_run *stack, bool next, ks_array **out) {
    size_t units;
    for (size_t i = 0; i < stack_states(stack); i++) {
        ks_real **state = state_at(stack, i, next, &units);
        memcpy(out[i]->data, *state, stack->batch * units * sizeof(ks_real));
    }
}

// --- a cell called for one step -------------------------------------------------------------------------------------

static ks_code run_cell(ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    const ks_array *input = ks_call_input(call, object);
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    ks_array *results[1 + 2 * KS_MAX_CELLS];
    stack_run stack;
    ks_code code;
    if (!x)
        return run->context->error.code;
    KS_TRY(start_stack(&stack, run, object, (size_t)input->shape.dims[0], (size_t)input->shape.dims[1]));
    KS_TRY(load_states(&stack, run, object, &call->arguments[1]));
    KS_TRY(step_stack(&stack, run, x));
    ks_tree_flatten(out, results, 1 + 2 * KS_MAX_CELLS);
    memcpy(results[0]->data, stack_output(&stack), stack.batch * stack.units * sizeof(ks_real));
    store_states(&stack, true, results + 1);
done:
    return code;
}

#define CELL_FORWARD(class_name)                                                                                       \
    KS_FORWARD(class_name) {                                                                                           \
        return run_cell(run, call, object, out);                                                                       \
    }
CELL_FORWARD(SimpleRNNCell)
CELL_FORWARD(LSTMCell)
CELL_FORWARD(GRUCell)
CELL_FORWARD(StackedRNNCells)

// --- sequences ------------------------------------------------------------------------------------------------------

typedef struct sequence_run {
    const ks_recurrent *params;
    stack_run stack;
    const ks_real *x; ///< [batch][steps][inputs]
    size_t steps, inputs;
    const bool *mask;  ///< [batch][steps], NULL: none
    ks_real *step;     ///< [batch][inputs]: one step's input
    bool *keep;        ///< [batch]
    ks_real *previous; ///< [batch][units]: what a masked step repeats
    ks_real *out;      ///< [batch][steps][units] or [batch][units]
} sequence_run;

static void gather_step(const sequence_run *s, size_t time) {
    for (size_t b = 0; b < s->stack.batch; b++) {
        memcpy(s->step + b * s->inputs, s->x + (b * s->steps + time) * s->inputs, s->inputs * sizeof(ks_real));
        s->keep[b] = !s->mask || s->mask[b * s->steps + time];
    }
}

// Zeros instead: of the steps that are masked. Unrolled, Keras takes the mask from the beginning for the outputs of all
// steps, also where it goes backwards.
static bool is_zero(const sequence_run *s, size_t sample, size_t position) {
    bool from_start = s->params->unroll && s->params->return_sequences;
    if (!s->mask || !s->params->zero_output_for_mask)
        return false;
    return from_start ? !s->mask[sample * s->steps + position] : !s->keep[sample];
}

// A masked sample's output is the one before, or zero; `previous` starts as zeros.
static void keep_output(const sequence_run *s, size_t position) {
    size_t units = s->stack.units, size = units * sizeof(ks_real);
    const ks_real *output = stack_output(&s->stack);
    for (size_t b = 0; b < s->stack.batch; b++) {
        ks_real *previous = s->previous + b * units;
        ks_real *to = s->params->return_sequences ? s->out + (b * s->steps + position) * units : s->out + b * units;
        if (s->keep[b])
            memcpy(previous, output + b * units, size);
        if (is_zero(s, b, position))
            memset(to, 0, size);
        else
            memcpy(to, previous, size);
    }
}

static ks_code run_sequence(const sequence_run *s, ks_run *run) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < s->steps; i++) {
        gather_step(s, s->params->go_backwards ? s->steps - 1 - i : i);
        KS_TRY(step_stack(&s->stack, run, s->step));
        keep_output(s, i);
        advance(&s->stack, s->mask ? s->keep : NULL);
    }
done:
    return code;
}

// The mask argument as bools [batch][steps].
static ks_code sequence_mask(const bool **out, ks_run *run, const ks_object *object, const ks_tree *argument,
                             const ks_shape *sequence) {
    ks_array *mask = NULL;
    bool *bools;
    size_t count;
    *out = NULL;
    ks_tree_flatten(argument, &mask, 1);
    if (!mask)
        return KS_OK;
    count = ks_array_elements(mask);
    if (mask->shape.rank < 2 || mask->shape.dims[0] != sequence->dims[0] || mask->shape.dims[1] != sequence->dims[1] ||
        count != (size_t)(sequence->dims[0] * sequence->dims[1]))
        return ks_shape_error(run->context, object, "the mask does not fit the sequences");
    bools = ks_run_memory(run, count, sizeof(bool));
    if (!bools)
        return run->context->error.code;
    if (mask->dtype == KS_BOOL8) {
        memcpy(bools, mask->data, count);
    } else {
        const ks_real *numbers = KS_REAL(ks_as_real)(run, mask);
        for (size_t i = 0; numbers && i < count; i++)
            bools[i] = numbers[i] != 0;
    }
    *out = bools;
    return run->context->error.code;
}

static ks_code run_recurrent(ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    const ks_recurrent *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    sequence_run s = {.params = params, .x = KS_REAL(ks_as_real)(run, input)};
    size_t batch = (size_t)input->shape.dims[0];
    ks_array *results[1 + 2 * KS_MAX_CELLS];
    ks_code code;
    s.steps = (size_t)input->shape.dims[1];
    s.inputs = (size_t)input->shape.dims[2];
    ks_tree_flatten(out, results, 1 + 2 * KS_MAX_CELLS);
    s.out = ks_reals(results[0]);
    KS_TRY(start_stack(&s.stack, run, params->cell, batch, s.inputs));
    KS_TRY(load_states(&s.stack, run, object, &call->arguments[1]));
    KS_TRY(sequence_mask(&s.mask, run, object, &call->arguments[2], &input->shape));
    s.step = ks_run_memory(run, batch * s.inputs, sizeof(ks_real));
    s.keep = ks_run_memory(run, batch, sizeof(bool));
    s.previous = ks_run_memory(run, batch * s.stack.units, sizeof(ks_real));
    if (!s.x || !s.step || !s.keep || !s.previous)
        return run->context->error.code;
    KS_TRY(run_sequence(&s, run));
    if (params->return_state)
        store_states(&s.stack, false, results + 1);
done:
    return code;
}

// The masks of the outputs are those that came in, with their data.
#define RECURRENT_FORWARD(class_name, function)                                                                        \
    KS_FORWARD(class_name) {                                                                                           \
        return function(run, call, object, out);                                                                       \
    }                                                                                                                  \
    KS_FORWARD_MASK(class_name) {                                                                                      \
        (void)run;                                                                                                     \
        (void)call;                                                                                                    \
        (void)object;                                                                                                  \
        (void)out;                                                                                                     \
        (void)masks;                                                                                                   \
        return KS_OK;                                                                                                  \
    }
RECURRENT_FORWARD(RNN, run_recurrent)
RECURRENT_FORWARD(SimpleRNN, run_recurrent)
RECURRENT_FORWARD(LSTM, run_recurrent)
RECURRENT_FORWARD(GRU, run_recurrent)

// --- Bidirectional --------------------------------------------------------------------------------------------------

// Half of the initial states for each direction.
static ks_code direction_arguments(ks_tree *arguments, ks_run *run, ks_call *call, const ks_object *object,
                                   size_t direction) {
    const ks_tree *states = &call->arguments[1];
    size_t half;
    arguments[0] = call->arguments[0];
    arguments[1] = ks_tree_of(NULL);
    arguments[2] = call->arguments[2];
    arguments[3] = ks_tree_of(NULL);
    if (states->type == KS_TREE_NONE)
        return KS_OK;
    if (states->type != KS_TREE_LIST || states->as.list.count < 2)
        return ks_shape_error(run->context, object, "expected a list of states for both directions");
    half = states->as.list.count / 2;
    arguments[1] = *states;
    arguments[1].as.list.items = states->as.list.items + direction * half;
    arguments[1].as.list.count = direction ? states->as.list.count - half : half;
    return KS_OK;
}

// Steps in the opposite order.
static ks_code flipped(ks_real **out, ks_run *run, const ks_array *array) {
    size_t batch = (size_t)array->shape.dims[0], steps = (size_t)array->shape.dims[1];
    size_t units = (size_t)array->shape.dims[2];
    *out = ks_run_memory(run, batch * steps * units, sizeof(ks_real));
    if (!*out)
        return run->context->error.code;
    for (size_t b = 0; b < batch; b++)
        for (size_t t = 0; t < steps; t++)
            memcpy(*out + (b * steps + steps - 1 - t) * units, ks_reals(array) + (b * steps + t) * units,
                   units * sizeof(ks_real));
    return KS_OK;
}

static void merge(int mode, ks_array *result, const ks_array *forward, const ks_real *backward, size_t back_units) {
    size_t units = (size_t)forward->shape.dims[forward->shape.rank - 1];
    size_t rows = ks_array_elements(forward) / units;
    ks_real *out = ks_reals(result);
    const ks_real *a = ks_reals(forward);
    if (mode == KS_MERGE_CONCAT) {
        for (size_t i = 0; i < rows; i++) {
            memcpy(out + i * (units + back_units), a + i * units, units * sizeof(*out));
            memcpy(out + i * (units + back_units) + units, backward + i * back_units, back_units * sizeof(*out));
        }
        return;
    }
    for (size_t i = 0; i < rows * units; i++)
        out[i] = mode == KS_MERGE_SUM   ? a[i] + backward[i]
                 : mode == KS_MERGE_AVE ? (a[i] + backward[i]) / 2
                                        : a[i] * backward[i];
}

static void copy_array(const ks_array *out, const void *data) {
    memcpy(out->data, data, ks_array_elements(out) * sizeof(ks_real));
}

static ks_code run_bidirectional(ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    const ks_bidirectional *params = object->params;
    const ks_recurrent *settings = params->layer->params;
    ks_array *results[2 + 4 * KS_MAX_CELLS], *parts[2][1 + 2 * KS_MAX_CELLS];
    ks_object *layers[2] = {params->layer, params->backward_layer};
    size_t n_parts[2], n = 1;
    ks_tree arguments[4], trees[2];
    ks_real *backward;
    ks_code code;
    for (size_t i = 0; i < 2; i++) {
        KS_TRY(direction_arguments(arguments, run, call, object, i));
        KS_TRY(KS_REAL(ks_call_layer)(run, layers[i], arguments, &trees[i]));
        n_parts[i] = ks_tree_flatten(&trees[i], parts[i], 1 + 2 * KS_MAX_CELLS);
    }
    ks_tree_flatten(out, results, 2 + 4 * KS_MAX_CELLS);
    backward = ks_reals(parts[1][0]);
    if (settings->return_sequences)
        KS_TRY(flipped(&backward, run, parts[1][0]));
    if (params->merge_mode == KS_MERGE_NONE) {
        copy_array(results[0], parts[0][0]->data);
        copy_array(results[n++], backward);
    } else {
        merge(params->merge_mode, results[0], parts[0][0], backward,
              (size_t)parts[1][0]->shape.dims[parts[1][0]->shape.rank - 1]);
    }
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 1; k < n_parts[i]; k++)
            copy_array(results[n++], parts[i][k]->data);
done:
    return code;
}

RECURRENT_FORWARD(Bidirectional, run_bidirectional)
