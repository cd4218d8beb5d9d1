// SPDX-License-Identifier: Apache-2.0
//
// ConvLSTM1D, ConvLSTM2D, ConvLSTM3D. Everything is computed with channels last; a step computes the four gates of all
// places in one convolution, [places][4 · filters].
#include "schema/convolutional_recurrent.h"

#include <string.h>

#include "layers/layer.h"
#include "ops/convolution.h"
#include "ops/move.h"
#include "ops/window_span.h"
#include "schema/broadcast.h"
#include "schema/key_row.h"

typedef struct lstm_run {
    const ks_conv_lstm *params;
    ks_window window, inner; ///< of the inputs, and of the states
    size_t batch, steps, channels, filters;
    size_t elements, places; ///< spatial elements of an input, of a state
    const ks_real *kernel, *recurrent, *bias;
    const ks_real *x;               ///< [batch][steps][elements][channels]
    ks_real *step;                  ///< [batch][elements][channels]
    ks_real *sums, *recurrent_sums; ///< [batch · places][4 · filters]
    ks_real *gate[4];               ///< [batch · places][filters]
    ks_real *h, *c, *next_h, *next_c, *previous;
    const bool *mask; ///< [batch][steps], NULL: none
} lstm_run;

// The geometry of a convolution with padding "same" from the states' places to themselves.
static ks_window inner_window(const ks_window *outer, bool theano) {
    ks_window w = *outer;
    for (int i = 0; i < KS_SPATIAL; i++) {
        w.in[i] = w.out[i];
        w.stride[i] = 1;
        w.dilation[i] = 1;
        w.before[i] = theano ? w.kernel[i] / 2 : (w.kernel[i] - 1) / 2;
    }
    return w;
}

static ks_code activate_gate(const lstm_run *r, ks_run *run, const ks_activation *activation, ks_real *values) {
    ks_shape shape = {2, {(int64_t)(r->batch * r->places), (int64_t)r->filters}};
    return KS_REAL(ks_activate)(run, activation, values, values, &shape);
}

static ks_code take_step(const lstm_run *r, ks_run *run) {
    size_t rows = r->batch * r->places, count = rows * r->filters, width = 4 * r->filters;
    const ks_activation *values = &r->params->convolution.activation, *gates = &r->params->recurrent_activation;
    ks_code code = KS_OK;
    KS_REAL(ks_convolve)(r->sums, r->step, r->kernel, &r->window, r->batch, r->channels, 1, width);
    KS_REAL(ks_convolve)(r->recurrent_sums, r->h, r->recurrent, &r->inner, r->batch, r->filters, 1, width);
    for (size_t g = 0; g < 4; g++) {
        for (size_t i = 0; i < rows; i++)
            for (size_t f = 0; f < r->filters; f++) {
                size_t at = i * width + g * r->filters + f;
                ks_real bias = r->bias ? r->bias[g * r->filters + f] : 0;
                r->gate[g][i * r->filters + f] = r->sums[at] + bias + r->recurrent_sums[at];
            }
        KS_TRY(activate_gate(r, run, g == 2 ? values : gates, r->gate[g]));
    }
    for (size_t i = 0; i < count; i++)
        r->next_c[i] = r->gate[1][i] * r->c[i] + r->gate[0][i] * r->gate[2][i];
    memcpy(r->gate[2], r->next_c, count * sizeof(ks_real));
    KS_TRY(activate_gate(r, run, values, r->gate[2]));
    for (size_t i = 0; i < count; i++)
        r->next_h[i] = r->gate[3][i] * r->gate[2][i];
done:
    return code;
}

static void gather_step(const lstm_run *r, size_t time) {
    size_t size = r->elements * r->channels;
    for (size_t b = 0; b < r->batch; b++)
        memcpy(r->step + b * size, r->x + (b * r->steps + time) * size, size * sizeof(ks_real));
}

// Masked samples keep their states; their output is the one before, or zero.
static void keep(const lstm_run *r, size_t time, ks_real *out, size_t position) {
    size_t size = r->places * r->filters, bytes = size * sizeof(ks_real);
    for (size_t b = 0; b < r->batch; b++) {
        ks_real *previous = r->previous + b * size;
        if (!r->mask || r->mask[b * r->steps + time]) {
            memcpy(r->h + b * size, r->next_h + b * size, bytes);
            memcpy(r->c + b * size, r->next_c + b * size, bytes);
            memcpy(previous, r->next_h + b * size, bytes);
        } else if (r->params->zero_output_for_mask) {
            memset(previous, 0, bytes);
        }
        memcpy(r->params->return_sequences ? out + (b * r->steps + position) * size : out + b * size, previous, bytes);
    }
}

static ks_code get_memory(lstm_run *r, ks_run *run) {
    size_t rows = r->batch * r->places, count = rows * r->filters;
    ks_real **blocks[] = {&r->h,       &r->c,       &r->next_h,  &r->next_c, &r->previous,
                          &r->gate[0], &r->gate[1], &r->gate[2], &r->gate[3]};
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        *blocks[i] = ks_run_memory(run, count, sizeof(ks_real));
    r->step = ks_run_memory(run, r->batch * r->elements * r->channels, sizeof(ks_real));
    r->sums = ks_run_memory(run, 4 * count, sizeof(ks_real));
    r->recurrent_sums = ks_run_memory(run, 4 * count, sizeof(ks_real));
    return run->context->error.code;
}

// Channels to the back of each picture and to the front again: `shape` is one picture's in its first form.
static const ks_real *turn(ks_run *run, const ks_real *in, size_t pictures, const ks_shape *shape, bool to_back) {
    ks_shape whole = *shape;
    ks_real *out;
    size_t count = pictures;
    for (int i = 0; i < shape->rank; i++)
        count *= (size_t)shape->dims[i];
    ks_shape_insert(&whole, 0, (int64_t)pictures);
    out = ks_run_memory(run, count, sizeof(*out));
    if (!out)
        return NULL;
    if (to_back)
        ks_channels_to_back(out, in, &whole, sizeof(*out));
    else
        ks_channels_to_front(out, in, &whole, sizeof(*out));
    return out;
}

static ks_code put_result(ks_run *run, const lstm_run *r, const ks_array *result, const ks_real *values,
                          size_t pictures) {
    ks_shape picture = {.rank = r->params->convolution.kernel_size.count + 1};
    size_t bytes = ks_array_elements(result) * sizeof(ks_real);
    if (r->params->convolution.data_format == KS_CHANNELS_FIRST) {
        for (int i = 0; i + 1 < picture.rank; i++)
            picture.dims[i] = r->window.out[KS_SPATIAL - picture.rank + 1 + i];
        picture.dims[picture.rank - 1] = (int64_t)r->filters;
        values = turn(run, values, pictures, &picture, false);
        if (!values)
            return run->context->error.code;
    }
    memcpy(result->data, values, bytes);
    return KS_OK;
}

static ks_code load_state(ks_run *run, const lstm_run *r, const ks_object *object, ks_array *given, ks_real *state) {
    const ks_real *data = KS_REAL(ks_as_real)(run, given);
    size_t count = r->batch * r->places * r->filters;
    ks_shape picture = given->shape;
    if (!data)
        return run->context->error.code;
    if (ks_array_elements(given) != count || given->shape.rank < 3)
        return ks_shape_error(run->context, object, "an initial state has other sizes than the layer's");
    if (r->params->convolution.data_format == KS_CHANNELS_FIRST) {
        ks_shape_drop(&picture, 0);
        data = turn(run, data, r->batch, &picture, true);
        if (!data)
            return run->context->error.code;
    }
    memcpy(state, data, count * sizeof(ks_real));
    return KS_OK;
}

static ks_code load_states(ks_run *run, const lstm_run *r, const ks_object *object, const ks_tree *given) {
    ks_array *states[2];
    size_t count = ks_tree_flatten(given, states, 2);
    ks_code code = KS_OK;
    if (count == 0)
        return KS_OK;
    if (count != 2)
        return ks_shape_error(run->context, object, "expected 2 states, found %zu", count);
    KS_TRY(load_state(run, r, object, states[0], r->h));
    KS_TRY(load_state(run, r, object, states[1], r->c));
done:
    return code;
}

static ks_code read_mask(lstm_run *r, ks_run *run, ks_call *call, const ks_object *object) {
    ks_array *mask = ks_call_array(call, 2);
    if (!mask)
        return KS_OK;
    if (mask->dtype != KS_BOOL8 || ks_array_elements(mask) != r->batch * r->steps)
        return ks_shape_error(run->context, object, "the mask does not fit the sequences");
    r->mask = mask->data;
    return KS_OK;
}

static ks_code prepare(lstm_run *r, ks_run *run, ks_call *call, ks_object *object) {
    const ks_conv_lstm *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    ks_window_rule rule = ks_convolution_rule(&params->convolution);
    ks_shape step = input->shape, state, picture;
    ks_code code;
    rule.same = object->theano ? KS_SAME_THEANO_CONVOLUTION : KS_SAME_TENSORFLOW;
    r->params = params;
    r->x = KS_REAL(ks_as_real)(run, input);
    if (!r->x)
        return run->context->error.code;
    ks_shape_drop(&step, 1);
    KS_TRY(ks_conv_lstm_step_shape(&state, call, object, &input->shape));
    r->window = ks_window_between(&step, &state, &rule);
    r->inner = inner_window(&r->window, object->theano);
    r->batch = (size_t)input->shape.dims[0];
    r->steps = (size_t)input->shape.dims[1];
    r->channels = (size_t)step.dims[ks_channel_axis(&step, rule.channels_first)];
    r->filters = (size_t)params->convolution.filters;
    r->elements = ks_window_volume(r->window.in);
    r->places = ks_window_volume(r->window.out);
    r->kernel = ks_variable_real(ks_variable_at(params->cell, 0));
    r->recurrent = ks_variable_real(ks_variable_at(params->cell, 1));
    r->bias = params->convolution.use_bias ? ks_variable_real(ks_variable_at(params->cell, 2)) : NULL;
    picture = step;
    ks_shape_drop(&picture, 0);
    if (rule.channels_first)
        r->x = turn(run, r->x, r->batch * r->steps, &picture, true);
    if (!r->x)
        return run->context->error.code;
    KS_TRY(get_memory(r, run));
    KS_TRY(load_states(run, r, object, &call->arguments[1]));
    KS_TRY(read_mask(r, run, call, object));
done:
    return code;
}

static ks_code run_conv_lstm(ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    ks_array *results[3];
    lstm_run r = {0};
    ks_real *values;
    size_t pictures;
    ks_code code;
    KS_TRY(prepare(&r, run, call, object));
    ks_tree_flatten(out, results, 3);
    pictures = r.params->return_sequences ? r.batch * r.steps : r.batch;
    values = ks_run_memory(run, ks_array_elements(results[0]), sizeof(*values));
    if (!values)
        return run->context->error.code;
    for (size_t i = 0; i < r.steps; i++) {
        size_t time = r.params->go_backwards ? r.steps - 1 - i : i;
        gather_step(&r, time);
        KS_TRY(take_step(&r, run));
        keep(&r, time, values, i);
    }
    KS_TRY(put_result(run, &r, results[0], values, pictures));
    if (r.params->return_state) {
        KS_TRY(put_result(run, &r, results[1], r.h, r.batch));
        KS_TRY(put_result(run, &r, results[2], r.c, r.batch));
    }
done:
    return code;
}

// The masks of the outputs are those that came in, with their data.
#define CONV_LSTM_FORWARD(class_name)                                                                                  \
    KS_FORWARD(class_name) {                                                                                           \
        return run_conv_lstm(run, call, object, out);                                                                  \
    }                                                                                                                  \
    KS_FORWARD_MASK(class_name) {                                                                                      \
        (void)run, (void)call, (void)object, (void)out, (void)masks;                                                   \
        return KS_OK;                                                                                                  \
    }
CONV_LSTM_FORWARD(ConvLSTM1D)
CONV_LSTM_FORWARD(ConvLSTM2D)
CONV_LSTM_FORWARD(ConvLSTM3D)
