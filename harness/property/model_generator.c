// SPDX-License-Identifier: Apache-2.0
//
// A model is first laid out as layers and calls with their shapes, then written as JSON.
#include "property/model_generator.h"

#include "property/generated_lookup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_RANK 3
#define MAX_LAYERS 24
#define MAX_CALLS 3
#define MAX_TENSORS 40
#define MAX_MERGED 3
#define MAX_DEPTH 2
#define MAX_ELEMENTS 600 // of one tensor without its batch
#define N_PARAMS 10

typedef struct shape {
    int rank;
    int64_t dims[MAX_RANK];
} shape;

typedef struct kind kind;
typedef struct plan plan;

/// The result of a call (or an input).
typedef struct tensor {
    int layer;
    int node; ///< which call of the layer
    shape of;
    ks_dtype dtype;     ///< what is no float goes into an Embedding or a lookup
    int64_t vocabulary; ///< of integers: they are below it
    bool used;
} tensor;

typedef struct call {
    int inputs[MAX_MERGED];
    int n_inputs;
} call;

typedef struct layer {
    const kind *is; ///< NULL: an InputLayer
    char name[32];
    int p[N_PARAMS]; ///< what the kind chose
    plan *model;     ///< of a nested model
    shape built;     ///< shape of the first call's (first) input
    shape made;      ///< shape of its results
    ks_dtype dtype;  ///< of its results
    int64_t vocabulary;
    ks_generated_lookup lookup;
    call calls[MAX_CALLS];
    int n_calls;
} layer;

struct plan {
    bool sequential;
    char name[32];
    layer layers[MAX_LAYERS];
    int n_layers;
    tensor tensors[MAX_TENSORS];
    int n_tensors;
    int n_inputs; ///< the first layers and tensors
};

typedef struct generator {
    ks_context *context;
    ks_choices *choices;
    ks_class_filter *filter;
    char *text;
    size_t text_size;
    size_t text_capacity;
    int next_name;
    size_t n_layers;
    bool out_of_memory;
} generator;

/// A class that the generator can use as a layer with one input, or as a merge.
struct kind {
    const char *class_name;
    const char *label; ///< of generated names
    int lowest_rank, highest_rank;
    bool built;         ///< its record has a build_config with the input's shape
    const char *kwargs; ///< of its calls
    /// Chooses parameters into made->p and sets made->made; false when the class does not fit this shape.
    bool (*choose)(generator *g, layer *made, const shape *in);
    /// The config keys behind name, trainable and dtype, each followed by ", " but the last.
    void (*write)(generator *g, const layer *made);
};

// --- text ------------------------------------------------------------------------------------------------------------

__attribute__((format(printf, 2, 3))) static void put(generator *g, const char *format, ...) {
    if (g->out_of_memory)
        return;
    for (;;) {
        size_t room = g->text_capacity - g->text_size;
        va_list arguments;
        va_start(arguments, format);
        int size = vsnprintf(g->text ? g->text + g->text_size : NULL, g->text ? room : 0, format, arguments);
        va_end(arguments);
        if (g->text && size >= 0 && (size_t)size < room) {
            g->text_size += (size_t)size;
            return;
        }
        size_t wanted = g->text_capacity * 2 + (size_t)size + 4096;
        char *larger = ks_allocate(g->context, wanted, 1);
        if (!larger) {
            g->out_of_memory = true;
            return;
        }
        if (g->text)
            memcpy(larger, g->text, g->text_size);
        ks_free(g->context, g->text);
        g->text = larger;
        g->text_capacity = wanted;
    }
}

static const char *truth(int value) {
    return value ? "true" : "false";
}

#define INITIALIZER(name, config)                                                                                      \
    "{\"module\": \"keras.initializers\", \"class_name\": \"" name "\", \"config\": {" config                          \
    "}, \"registered_name\": null}"
#define GLOROT INITIALIZER("GlorotUniform", "\"seed\": null, \"input_axes\": null, \"output_axes\": null")
#define ZEROS INITIALIZER("Zeros", "")
#define ONES INITIALIZER("Ones", "")
#define ORTHOGONAL INITIALIZER("Orthogonal", "\"seed\": null, \"gain\": 1.0")
#define POLICY(name)                                                                                                   \
    "{\"module\": \"keras\", \"class_name\": \"DTypePolicy\", \"config\": {\"name\": \"" name "\"}, "                  \
    "\"registered_name\": null}"

static const char *const activations[] = {"linear",   "relu",     "tanh", "sigmoid", "softmax",      "elu",
                                          "softplus", "softsign", "silu", "selu",    "hard_sigmoid", "relu6"};

static int choose_activation(generator *g) {
    return (int)ks_choose(g->choices, sizeof activations / sizeof activations[0]);
}

static int choose_between(generator *g, int lowest, int highest) {
    return lowest + (int)ks_choose(g->choices, (uint32_t)(highest - lowest + 1));
}

static int64_t elements_of(const shape *of) {
    int64_t elements = 1;
    for (int i = 0; i < of->rank; i++)
        elements *= of->dims[i];
    return elements;
}

static bool fits(const shape *of) {
    for (int i = 0; i < of->rank; i++)
        if (of->dims[i] < 1)
            return false;
    return elements_of(of) <= MAX_ELEMENTS;
}

static int64_t channels(const shape *in) {
    return in->dims[in->rank - 1];
}

static bool same_shape(generator *g, layer *made, const shape *in) {
    (void)g;
    made->made = *in;
    return true;
}

static void write_nothing(generator *g, const layer *made) {
    (void)made;
    g->text_size -= 2; // no key follows: take ", " back
}

// --- Dense, Embedding, activations -----------------------------------------------------------------------------------

static bool choose_dense(generator *g, layer *made, const shape *in) {
    made->p[0] = choose_between(g, 1, 7);
    made->p[1] = choose_activation(g);
    made->p[2] = choose_between(g, 0, 4) != 4; // use_bias
    made->made = *in;
    made->made.dims[in->rank - 1] = made->p[0];
    return fits(&made->made);
}

static void write_dense(generator *g, const layer *made) {
    put(g,
        "\"units\": %d, \"activation\": \"%s\", \"use_bias\": %s, \"kernel_initializer\": " GLOROT
        ", \"bias_initializer\": " ZEROS ", \"kernel_regularizer\": null, \"bias_regularizer\": null, "
        "\"kernel_constraint\": null, \"bias_constraint\": null, \"quantization_config\": null",
        made->p[0], activations[made->p[1]], truth(made->p[2]));
}

static bool choose_embedding(generator *g, layer *made, const shape *in) {
    made->p[1] = choose_between(g, 1, 5);
    made->made = (shape){2, {in->dims[0], made->p[1]}};
    return fits(&made->made);
}

static void write_embedding(generator *g, const layer *made) {
    put(g,
        "\"input_dim\": %lld, \"output_dim\": %d, \"embeddings_initializer\": " INITIALIZER(
            "RandomUniform", "\"minval\": -0.05, \"maxval\": 0.05, \"seed\": null") ", \"embeddings_regularizer\": "
                                                                                    "null, \"activity_regularizer\": "
                                                                                    "null, \"embeddings_constraint\": "
                                                                                    "null, \"mask_zero\": false, "
                                                                                    "\"quantization_config\": null",
        (long long)made->vocabulary, made->p[1]);
}

static bool choose_activation_layer(generator *g, layer *made, const shape *in) {
    made->p[0] = choose_activation(g);
    made->made = *in;
    return true;
}

static void write_activation(generator *g, const layer *made) {
    put(g, "\"activation\": \"%s\"", activations[made->p[0]]);
}

static bool choose_slopes(generator *g, layer *made, const shape *in) {
    made->p[0] = choose_between(g, 0, 4);
    made->p[1] = choose_between(g, 0, 3);
    made->made = *in;
    return true;
}

static void write_relu(generator *g, const layer *made) {
    if (made->p[1])
        put(g, "\"max_value\": %d.5, ", made->p[1]);
    else
        put(g, "\"max_value\": null, ");
    put(g, "\"negative_slope\": 0.%d, \"threshold\": 0.0", made->p[0]);
}

static void write_leaky_relu(generator *g, const layer *made) {
    put(g, "\"negative_slope\": 0.%d", made->p[0] + 1);
}

static void write_elu(generator *g, const layer *made) {
    put(g, "\"alpha\": 1.%d", made->p[0]);
}

static void write_prelu(generator *g, const layer *made) {
    (void)made;
    put(g, "\"alpha_initializer\": " ZEROS
           ", \"alpha_regularizer\": null, \"alpha_constraint\": null, \"shared_axes\": null");
}

static void write_softmax(generator *g, const layer *made) {
    (void)made;
    put(g, "\"axis\": -1");
}

static void write_dropout(generator *g, const layer *made) {
    put(g, "\"rate\": 0.%d, \"seed\": null, \"noise_shape\": null", made->p[0] + 1);
}

// --- normalization ---------------------------------------------------------------------------------------------------

static void write_batch_normalization(generator *g, const layer *made) {
    put(g,
        "\"axis\": -1, \"momentum\": 0.99, \"epsilon\": 0.0%d1, \"center\": %s, \"scale\": true, "
        "\"beta_initializer\": " ZEROS ", \"gamma_initializer\": " ONES ", \"moving_mean_initializer\": " ZEROS
        ", \"moving_variance_initializer\": " ONES
        ", \"beta_regularizer\": null, \"gamma_regularizer\": null, \"beta_constraint\": null, \"gamma_constraint\": "
        "null, \"synchronized\": false, \"renorm\": false, \"renorm_clipping\": null, \"renorm_momentum\": 0.99",
        made->p[0], truth(made->p[1] != 3));
}

static void write_layer_normalization(generator *g, const layer *made) {
    put(g,
        "\"axis\": [-1], \"epsilon\": 0.0%d1, \"center\": %s, \"scale\": true, \"rms_scaling\": false, "
        "\"beta_initializer\": " ZEROS ", \"gamma_initializer\": " ONES
        ", \"beta_regularizer\": null, \"gamma_regularizer\": null, \"beta_constraint\": null, "
        "\"gamma_constraint\": null",
        made->p[0], truth(made->p[1] != 3));
}

static void write_rms_normalization(generator *g, const layer *made) {
    put(g, "\"axis\": [-1], \"epsilon\": 0.0%d1", made->p[0]);
}

static bool choose_groups(generator *g, layer *made, const shape *in) {
    made->p[0] = choose_between(g, 1, 3);
    made->made = *in;
    return channels(in) % made->p[0] == 0;
}

static void write_group_normalization(generator *g, const layer *made) {
    put(g,
        "\"groups\": %d, \"axis\": -1, \"epsilon\": 0.001, \"center\": true, \"scale\": true, "
        "\"beta_initializer\": " ZEROS ", \"gamma_initializer\": " ONES
        ", \"beta_regularizer\": null, \"gamma_regularizer\": null, \"beta_constraint\": null, \"gamma_constraint\": "
        "null",
        made->p[0]);
}

// --- shapes ----------------------------------------------------------------------------------------------------------

static bool choose_flatten(generator *g, layer *made, const shape *in) {
    (void)g;
    made->made = (shape){1, {elements_of(in)}};
    return true;
}

static void write_flatten(generator *g, const layer *made) {
    (void)made;
    put(g, "\"data_format\": \"channels_last\"");
}

static bool choose_reshape(generator *g, layer *made, const shape *in) {
    int64_t elements = elements_of(in);
    int64_t first = choose_between(g, 1, 4);
    if (elements % first != 0)
        return false;
    made->p[0] = (int)ks_choose(g->choices, 2); // the last one as -1
    switch (ks_choose(g->choices, 3)) {
    case 0:
        made->made = (shape){2, {first, elements / first}};
        return true;
    case 1:
        made->made = (shape){3, {first, elements / first, 1}};
        return true;
    default:
        made->made = (shape){1, {elements}};
        return true;
    }
}

static void write_reshape(generator *g, const layer *made) {
    put(g, "\"target_shape\": [");
    for (int i = 0; i < made->made.rank; i++) {
        bool last = i == made->made.rank - 1;
        put(g, "%lld%s", last && made->p[0] ? -1ll : (long long)made->made.dims[i], last ? "]" : ", ");
    }
}

static bool choose_permute(generator *g, layer *made, const shape *in) {
    int swap = (int)ks_choose(g->choices, (uint32_t)in->rank - 1);
    made->made = *in;
    for (int i = 0; i < in->rank; i++)
        made->p[i] = i == swap ? swap + 1 : i == swap + 1 ? swap : i;
    for (int i = 0; i < in->rank; i++)
        made->made.dims[i] = in->dims[made->p[i]];
    return true;
}

static void write_permute(generator *g, const layer *made) {
    put(g, "\"dims\": [");
    for (int i = 0; i < made->made.rank; i++)
        put(g, "%d%s", made->p[i] + 1, i == made->made.rank - 1 ? "]" : ", ");
}

static bool choose_repeat(generator *g, layer *made, const shape *in) {
    made->p[0] = choose_between(g, 1, 4);
    made->made = (shape){2, {made->p[0], in->dims[0]}};
    return fits(&made->made);
}

static void write_repeat(generator *g, const layer *made) {
    put(g, "\"n\": %d", made->p[0]);
}

/// Paddings and croppings: two numbers for each axis but the last.
static bool choose_margins(generator *g, layer *made, const shape *in, int sign) {
    made->made = *in;
    for (int i = 0; i < in->rank - 1; i++) {
        made->p[2 * i] = choose_between(g, 0, 2);
        made->p[2 * i + 1] = choose_between(g, 0, 2);
        made->made.dims[i] += sign * (made->p[2 * i] + made->p[2 * i + 1]);
    }
    return fits(&made->made);
}

static bool choose_padding(generator *g, layer *made, const shape *in) {
    return choose_margins(g, made, in, 1);
}

static bool choose_cropping(generator *g, layer *made, const shape *in) {
    return choose_margins(g, made, in, -1);
}

static void write_margins(generator *g, const layer *made, const char *key, bool format) {
    const int *p = made->p;
    if (made->made.rank == 2)
        put(g, "\"%s\": [%d, %d]", key, p[0], p[1]);
    else
        put(g, "\"%s\": [[%d, %d], [%d, %d]]", key, p[0], p[1], p[2], p[3]);
    if (format)
        put(g, ", \"data_format\": \"channels_last\"");
}

static void write_padding(generator *g, const layer *made) {
    write_margins(g, made, "padding", true);
}

static void write_cropping(generator *g, const layer *made) {
    write_margins(g, made, "cropping", made->made.rank == 3);
}

static bool choose_upsampling(generator *g, layer *made, const shape *in) {
    made->made = *in;
    for (int i = 0; i < in->rank - 1; i++) {
        made->p[i] = choose_between(g, 1, 3);
        made->made.dims[i] *= made->p[i];
    }
    return fits(&made->made);
}

static void write_upsampling(generator *g, const layer *made) {
    if (made->made.rank == 2)
        put(g, "\"size\": %d", made->p[0]);
    else
        put(g, "\"size\": [%d, %d], \"data_format\": \"channels_last\", \"interpolation\": \"nearest\"", made->p[0],
            made->p[1]);
}

// --- convolutions and pooling ----------------------------------------------------------------------------------------
// p: 0 filters, 1-2 kernel (or pool), 3-4 strides, 5 padding is "same", 6 activation, 7 use_bias, 8 dilation

static int64_t windows(int64_t size, int window, int stride, bool same) {
    if (same)
        return (size + stride - 1) / stride;
    return size < window ? 0 : (size - window) / stride + 1;
}

static bool choose_windows(generator *g, layer *made, const shape *in, int largest) {
    made->p[5] = (int)ks_choose(g->choices, 2);
    made->made = *in;
    for (int i = 0; i < in->rank - 1; i++) {
        made->p[1 + i] = choose_between(g, 1, largest);
        made->p[3 + i] = choose_between(g, 1, 2);
    }
    for (int i = 0; i < in->rank - 1; i++)
        made->made.dims[i] = windows(in->dims[i], made->p[1 + i], made->p[3 + i], made->p[5]);
    return fits(&made->made);
}

static bool choose_convolution(generator *g, layer *made, const shape *in) {
    if (!choose_windows(g, made, in, 3))
        return false;
    made->p[0] = choose_between(g, 1, 4);
    made->p[6] = choose_activation(g);
    made->p[7] = choose_between(g, 0, 4) != 4;
    made->p[8] = 1;
    made->made.dims[in->rank - 1] = made->p[0];
    bool dense = made->p[3] == 1 && (in->rank == 2 || made->p[4] == 1);
    if (dense && made->p[5] && ks_choose(g->choices, 4) == 3) // strides and dilation exclude each other
        made->p[8] = 2;
    return fits(&made->made);
}

/// Depthwise: the same strides on both axes, as TensorFlow wants it.
static bool choose_depthwise(generator *g, layer *made, const shape *in) {
    if (!choose_convolution(g, made, in))
        return false;
    made->p[4] = made->p[3];
    made->p[8] = 1;
    made->p[9] = choose_between(g, 1, 2); // depth multiplier
    for (int i = 0; i < in->rank - 1; i++)
        made->made.dims[i] = windows(in->dims[i], made->p[1 + i], made->p[3], made->p[5]);
    made->made.dims[in->rank - 1] = channels(in) * made->p[9];
    return fits(&made->made);
}

static bool choose_separable(generator *g, layer *made, const shape *in) {
    if (!choose_depthwise(g, made, in))
        return false;
    made->made.dims[in->rank - 1] = made->p[0];
    return fits(&made->made);
}

static bool choose_transposed(generator *g, layer *made, const shape *in) {
    if (!choose_convolution(g, made, in))
        return false;
    made->p[8] = 1;
    for (int i = 0; i < in->rank - 1; i++) {
        int kernel = made->p[1 + i];
        int stride = made->p[3 + i];
        made->made.dims[i] = in->dims[i] * stride;
        if (!made->p[5] && kernel > stride)
            made->made.dims[i] += kernel - stride;
    }
    return fits(&made->made);
}

static bool choose_pooling(generator *g, layer *made, const shape *in) {
    return choose_windows(g, made, in, 3);
}

static void put_pair(generator *g, const layer *made, const char *key, int first, int second) {
    if (made->made.rank == 2)
        put(g, "\"%s\": [%d], ", key, first);
    else
        put(g, "\"%s\": [%d, %d], ", key, first, second);
}

static void put_windows(generator *g, const layer *made) {
    put_pair(g, made, "kernel_size", made->p[1], made->p[2]);
    put_pair(g, made, "strides", made->p[3], made->p[4]);
    put(g, "\"padding\": \"%s\", \"data_format\": \"channels_last\", ", made->p[5] ? "same" : "valid");
    put_pair(g, made, "dilation_rate", made->p[8], made->p[8]);
}

static void write_convolution(generator *g, const layer *made) {
    put(g, "\"filters\": %d, ", made->p[0]);
    put_windows(g, made);
    put(g,
        "\"groups\": 1, \"activation\": \"%s\", \"use_bias\": %s, \"kernel_initializer\": " GLOROT
        ", \"bias_initializer\": " ZEROS
        ", \"kernel_regularizer\": null, \"bias_regularizer\": null, \"activity_regularizer\": null, "
        "\"kernel_constraint\": null, \"bias_constraint\": null",
        activations[made->p[6]], truth(made->p[7]));
}

static void write_transposed(generator *g, const layer *made) {
    put(g, "\"filters\": %d, \"output_padding\": null, ", made->p[0]);
    put_windows(g, made);
    put(g,
        "\"activation\": \"%s\", \"use_bias\": %s, \"kernel_initializer\": " GLOROT ", \"bias_initializer\": " ZEROS
        ", \"kernel_regularizer\": null, \"bias_regularizer\": null, \"activity_regularizer\": null, "
        "\"kernel_constraint\": null, \"bias_constraint\": null",
        activations[made->p[6]], truth(made->p[7]));
}

static void write_depthwise(generator *g, const layer *made) {
    put(g, "\"depth_multiplier\": %d, ", made->p[9]);
    put_windows(g, made);
    put(g,
        "\"activation\": \"%s\", \"use_bias\": %s, \"depthwise_initializer\": " GLOROT ", \"bias_initializer\": " ZEROS
        ", \"depthwise_regularizer\": null, \"bias_regularizer\": null, \"activity_regularizer\": null, "
        "\"depthwise_constraint\": null, \"bias_constraint\": null",
        activations[made->p[6]], truth(made->p[7]));
}

static void write_separable(generator *g, const layer *made) {
    put(g, "\"depth_multiplier\": %d, \"filters\": %d, ", made->p[9], made->p[0]);
    put_windows(g, made);
    put(g,
        "\"activation\": \"%s\", \"use_bias\": %s, \"depthwise_initializer\": " GLOROT
        ", \"pointwise_initializer\": " GLOROT ", \"bias_initializer\": " ZEROS
        ", \"depthwise_regularizer\": null, \"pointwise_regularizer\": null, \"bias_regularizer\": null, "
        "\"activity_regularizer\": null, \"depthwise_constraint\": null, \"pointwise_constraint\": null, "
        "\"bias_constraint\": null",
        activations[made->p[6]], truth(made->p[7]));
}

static void write_pooling(generator *g, const layer *made) {
    put_pair(g, made, "pool_size", made->p[1], made->p[2]);
    put(g, "\"padding\": \"%s\", ", made->p[5] ? "same" : "valid");
    put_pair(g, made, "strides", made->p[3], made->p[4]);
    put(g, "\"data_format\": \"channels_last\"");
}

static bool choose_global(generator *g, layer *made, const shape *in) {
    made->p[0] = choose_between(g, 0, 3) == 3; // keepdims
    made->made = made->p[0] ? *in : (shape){1, {channels(in)}};
    for (int i = 0; made->p[0] && i < in->rank - 1; i++)
        made->made.dims[i] = 1;
    return true;
}

static void write_global(generator *g, const layer *made) {
    put(g, "\"data_format\": \"channels_last\", \"keepdims\": %s", truth(made->p[0]));
}

// --- recurrent -------------------------------------------------------------------------------------------------------
// p: 0 units, 1 return_sequences, 2 go_backwards, 3 use_bias, 4 reset_after or unit_forget_bias

static bool choose_recurrent(generator *g, layer *made, const shape *in) {
    made->p[0] = choose_between(g, 1, 5);
    made->p[1] = (int)ks_choose(g->choices, 2);
    made->p[2] = choose_between(g, 0, 3) == 3;
    made->p[3] = choose_between(g, 0, 4) != 4;
    made->p[4] = choose_between(g, 0, 3) != 3;
    made->made = made->p[1] ? (shape){2, {in->dims[0], made->p[0]}} : (shape){1, {made->p[0]}};
    return fits(&made->made);
}

static void put_recurrent(generator *g, const layer *made, const char *gate) {
    put(g,
        "\"return_sequences\": %s, \"return_state\": false, \"go_backwards\": %s, \"stateful\": false, \"unroll\": "
        "false, \"zero_output_for_mask\": false, \"units\": %d, \"activation\": \"tanh\", %s\"use_bias\": %s, "
        "\"kernel_initializer\": " GLOROT ", \"recurrent_initializer\": " ORTHOGONAL ", \"bias_initializer\": " ZEROS
        ", \"kernel_regularizer\": null, \"recurrent_regularizer\": null, \"bias_regularizer\": null, "
        "\"activity_regularizer\": null, \"kernel_constraint\": null, \"recurrent_constraint\": null, "
        "\"bias_constraint\": null, \"dropout\": 0.0, \"recurrent_dropout\": 0.0",
        truth(made->p[1]), truth(made->p[2]), made->p[0], gate, truth(made->p[3]));
}

#define GATE "\"recurrent_activation\": \"sigmoid\", "

static void write_simple_rnn(generator *g, const layer *made) {
    put_recurrent(g, made, "");
}

static void write_lstm(generator *g, const layer *made) {
    put_recurrent(g, made, GATE);
    put(g, ", \"unit_forget_bias\": %s, \"seed\": null", truth(made->p[4]));
}

static void write_gru(generator *g, const layer *made) {
    put_recurrent(g, made, GATE);
    put(g, ", \"reset_after\": %s, \"seed\": null", truth(made->p[4]));
}

// --- lookups ---------------------------------------------------------------------------------------------------------

static void write_lookup(generator *g, const layer *made) {
    char text[1000];
    ks_generated_lookup_write(text, sizeof text, &made->lookup);
    put(g, "%s", text);
}

static bool is_lookup(const layer *made) {
    return made->is && made->is->write == write_lookup;
}

// --- merges ----------------------------------------------------------------------------------------------------------

static bool choose_concatenate(generator *g, layer *made, const shape *in) {
    int axis = (int)ks_choose(g->choices, (uint32_t)in->rank);
    made->p[0] = axis == 0 ? -1 : axis;
    made->made = *in;
    made->p[1] = axis == 0 ? in->rank - 1 : axis - 1; // the axis without the batch
    return true;
}

static void write_concatenate(generator *g, const layer *made) {
    put(g, "\"axis\": %d", made->p[0]);
}

#define PLAIN "\"training\": false"
#define MASK "\"mask\": null"
#define STEPS "\"training\": false, \"mask\": null"

static const kind kinds[] = {
    {"Dense", "dense", 1, 3, true, "", choose_dense, write_dense},
    {"Activation", "activation", 1, 3, false, "", choose_activation_layer, write_activation},
    {"ReLU", "re_lu", 1, 3, false, "", choose_slopes, write_relu},
    {"LeakyReLU", "leaky_re_lu", 1, 3, false, "", choose_slopes, write_leaky_relu},
    {"ELU", "elu", 1, 3, false, "", choose_slopes, write_elu},
    {"PReLU", "p_re_lu", 1, 3, true, "", same_shape, write_prelu},
    {"Softmax", "softmax", 1, 3, false, MASK, same_shape, write_softmax},
    {"Dropout", "dropout", 1, 3, false, PLAIN, choose_slopes, write_dropout},
    {"BatchNormalization", "batch_normalization", 1, 3, true, MASK, choose_slopes, write_batch_normalization},
    {"LayerNormalization", "layer_normalization", 1, 3, true, "", choose_slopes, write_layer_normalization},
    {"RMSNormalization", "rms_normalization", 1, 3, true, "", choose_slopes, write_rms_normalization},
    {"GroupNormalization", "group_normalization", 1, 3, true, "", choose_groups, write_group_normalization},
    {"UnitNormalization", "unit_normalization", 1, 3, false, "", same_shape, write_softmax},
    {"Flatten", "flatten", 1, 3, true, "", choose_flatten, write_flatten},
    {"Reshape", "reshape", 1, 3, false, "", choose_reshape, write_reshape},
    {"Permute", "permute", 2, 3, true, "", choose_permute, write_permute},
    {"RepeatVector", "repeat_vector", 1, 1, true, "", choose_repeat, write_repeat},
    {"ZeroPadding1D", "zero_padding1d", 2, 2, true, "", choose_padding, write_padding},
    {"ZeroPadding2D", "zero_padding2d", 3, 3, true, "", choose_padding, write_padding},
    {"Cropping1D", "cropping1d", 2, 2, true, "", choose_cropping, write_cropping},
    {"Cropping2D", "cropping2d", 3, 3, true, "", choose_cropping, write_cropping},
    {"UpSampling1D", "up_sampling1d", 2, 2, true, "", choose_upsampling, write_upsampling},
    {"UpSampling2D", "up_sampling2d", 3, 3, true, "", choose_upsampling, write_upsampling},
    {"Conv1D", "conv1d", 2, 2, true, "", choose_convolution, write_convolution},
    {"Conv2D", "conv2d", 3, 3, true, "", choose_convolution, write_convolution},
    {"DepthwiseConv1D", "depthwise_conv1d", 2, 2, true, "", choose_depthwise, write_depthwise},
    {"DepthwiseConv2D", "depthwise_conv2d", 3, 3, true, "", choose_depthwise, write_depthwise},
    {"SeparableConv1D", "separable_conv1d", 2, 2, true, "", choose_separable, write_separable},
    {"SeparableConv2D", "separable_conv2d", 3, 3, true, "", choose_separable, write_separable},
    {"Conv1DTranspose", "conv1d_transpose", 2, 2, true, "", choose_transposed, write_transposed},
    {"Conv2DTranspose", "conv2d_transpose", 3, 3, true, "", choose_transposed, write_transposed},
    {"MaxPooling1D", "max_pooling1d", 2, 2, false, "", choose_pooling, write_pooling},
    {"MaxPooling2D", "max_pooling2d", 3, 3, false, "", choose_pooling, write_pooling},
    {"AveragePooling1D", "average_pooling1d", 2, 2, false, "", choose_pooling, write_pooling},
    {"AveragePooling2D", "average_pooling2d", 3, 3, false, "", choose_pooling, write_pooling},
    {"GlobalMaxPooling1D", "global_max_pooling1d", 2, 2, false, "", choose_global, write_global},
    {"GlobalMaxPooling2D", "global_max_pooling2d", 3, 3, false, "", choose_global, write_global},
    {"GlobalAveragePooling1D", "global_average_pooling1d", 2, 2, false, "", choose_global, write_global},
    {"GlobalAveragePooling2D", "global_average_pooling2d", 3, 3, false, "", choose_global, write_global},
    {"SimpleRNN", "simple_rnn", 2, 2, true, STEPS, choose_recurrent, write_simple_rnn},
    {"LSTM", "lstm", 2, 2, true, STEPS, choose_recurrent, write_lstm},
    {"GRU", "gru", 2, 2, true, STEPS, choose_recurrent, write_gru},
};

static const kind merges[] = {
    {"Add", "add", 1, 3, true, "", same_shape, write_nothing},
    {"Subtract", "subtract", 1, 3, true, "", same_shape, write_nothing},
    {"Multiply", "multiply", 1, 3, true, "", same_shape, write_nothing},
    {"Average", "average", 1, 3, true, "", same_shape, write_nothing},
    {"Maximum", "maximum", 1, 3, true, "", same_shape, write_nothing},
    {"Minimum", "minimum", 1, 3, true, "", same_shape, write_nothing},
    {"Concatenate", "concatenate", 1, 3, true, "", choose_concatenate, write_concatenate},
};

static const kind embedding = {"Embedding", "embedding", 1, 1, true, "", choose_embedding, write_embedding};
static const kind lookups[] = {
    [KS_LOOKUP_HASHING] = {"Hashing", "hashing", 1, 1, true, "", NULL, write_lookup},
    [KS_LOOKUP_STRING] = {"StringLookup", "string_lookup", 1, 1, false, "", NULL, write_lookup},
    [KS_LOOKUP_INTEGER] = {"IntegerLookup", "integer_lookup", 1, 1, false, "", NULL, write_lookup},
    [KS_LOOKUP_TEXT] = {"TextVectorization", "text_vectorization", 1, 1, true, "", NULL, write_lookup},
};
static const kind nested_functional = {"Functional", "functional", 1, 3, false, MASK, NULL, NULL};
static const kind nested_sequential = {"Sequential", "sequential", 1, 3, false, MASK, NULL, NULL};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *const *ks_generator_classes(void) {
    static const char *names[COUNT(kinds) + COUNT(merges) + COUNT(lookups) + 4];
    size_t count = 0;
    for (size_t i = 0; i < COUNT(kinds); i++)
        names[count++] = kinds[i].class_name;
    for (size_t i = 0; i < COUNT(merges); i++)
        names[count++] = merges[i].class_name;
    for (size_t i = 0; i < COUNT(lookups); i++)
        names[count++] = lookups[i].class_name;
    names[count++] = embedding.class_name;
    names[count++] = nested_functional.class_name;
    names[count++] = nested_sequential.class_name;
    return names;
}

// --- laying out ------------------------------------------------------------------------------------------------------

static bool may_use(const generator *g, const kind *is) {
    return !g->filter || g->filter(is->class_name);
}

static layer *new_layer(generator *g, plan *model, const kind *is, const char *label) {
    layer *made = &model->layers[model->n_layers];
    memset(made, 0, sizeof *made);
    made->is = is;
    made->dtype = KS_FLOAT32;
    snprintf(made->name, sizeof made->name, "%s_%d", label, g->next_name);
    return made;
}

/// The layer that new_layer began is part of the model from now on.
static void keep_layer(generator *g, plan *model) {
    model->n_layers++;
    g->next_name++;
    g->n_layers++;
}

static bool has_room(const plan *model) {
    return model->n_layers < MAX_LAYERS && model->n_tensors < MAX_TENSORS;
}

static bool is_float(const tensor *known) {
    return known->dtype == KS_FLOAT32;
}

static bool takes_floats(const layer *known) {
    return known->is != &embedding && !is_lookup(known);
}

static void add_tensor(plan *model, int from_layer, int node) {
    const layer *from = &model->layers[from_layer];
    model->tensors[model->n_tensors++] = (tensor){from_layer, node, from->made, from->dtype, from->vocabulary, false};
}

static void call_layer(plan *model, int index, const int *inputs, int n_inputs) {
    layer *called = &model->layers[index];
    call *made = &called->calls[called->n_calls];
    made->n_inputs = n_inputs;
    for (int i = 0; i < n_inputs; i++) {
        made->inputs[i] = inputs[i];
        model->tensors[inputs[i]].used = true;
    }
    add_tensor(model, index, called->n_calls++);
}

static bool same(const shape *a, const shape *b) {
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

static plan *lay_out_nested(generator *g, const shape *in, int depth, bool sequential, shape *out);

static bool add_unary(generator *g, plan *model, int input) {
    const shape *in = &model->tensors[input].of;
    size_t chosen = ks_choose(g->choices, COUNT(kinds));
    const kind *is = &kinds[chosen];
    for (size_t i = 0; i < COUNT(kinds); i++) { // the next one that fits; Dense fits everything
        is = &kinds[(chosen + i) % COUNT(kinds)];
        if (in->rank >= is->lowest_rank && in->rank <= is->highest_rank && may_use(g, is))
            break;
    }
    layer *made = new_layer(g, model, is, is->label);
    made->built = *in;
    if (!is->choose(g, made, in))
        return false;
    keep_layer(g, model);
    call_layer(model, model->n_layers - 1, &input, 1);
    return true;
}

static bool add_merge(generator *g, plan *model, int input) {
    const kind *is = &merges[ks_choose(g->choices, COUNT(merges))];
    int inputs[MAX_MERGED] = {input};
    int n_inputs = 1;
    for (int i = 0; i < model->n_tensors && n_inputs < MAX_MERGED; i++)
        if (i != input && is_float(&model->tensors[i]) && same(&model->tensors[i].of, &model->tensors[input].of))
            inputs[n_inputs++] = i;
    if (n_inputs == 1)
        inputs[n_inputs++] = input; // twice the same one is allowed
    if (strcmp(is->class_name, "Subtract") == 0)
        n_inputs = 2;
    if (!may_use(g, is))
        return false;
    layer *made = new_layer(g, model, is, is->label);
    made->built = model->tensors[input].of;
    if (!is->choose(g, made, &made->built))
        return false;
    if (is->choose == choose_concatenate)
        made->made.dims[made->p[1]] *= n_inputs;
    if (!fits(&made->made))
        return false;
    keep_layer(g, model);
    call_layer(model, model->n_layers - 1, inputs, n_inputs);
    return true;
}

/// Calls a layer with one input again, on another tensor of the same shape.
static bool add_shared(generator *g, plan *model, int input) {
    int start = (int)ks_choose(g->choices, (uint32_t)model->n_layers);
    for (int i = 0; i < model->n_layers; i++) {
        int index = (start + i) % model->n_layers;
        layer *known = &model->layers[index];
        if (!known->is || known->n_calls == 0 || known->n_calls == MAX_CALLS || known->calls[0].n_inputs != 1 ||
            !takes_floats(known) || !same(&known->built, &model->tensors[input].of))
            continue;
        call_layer(model, index, &input, 1);
        return true;
    }
    return false;
}

static bool add_nested(generator *g, plan *model, int input, int depth) {
    bool sequential = ks_choose(g->choices, 2) == 0;
    const kind *is = sequential ? &nested_sequential : &nested_functional;
    if (depth >= MAX_DEPTH)
        return false;
    shape in = model->tensors[input].of;
    shape out;
    plan *inner = lay_out_nested(g, &in, depth + 1, sequential, &out);
    if (!inner)
        return false;
    layer *made = new_layer(g, model, is, is->label);
    memcpy(made->name, inner->name, sizeof made->name);
    made->model = inner;
    made->built = in;
    made->made = out;
    keep_layer(g, model);
    call_layer(model, model->n_layers - 1, &input, 1);
    return true;
}

static void add_input(generator *g, plan *model, const shape *of, ks_dtype dtype, int64_t vocabulary) {
    layer *made = new_layer(g, model, NULL, "input");
    made->built = *of;
    made->made = *of;
    made->dtype = dtype;
    made->vocabulary = vocabulary;
    keep_layer(g, model);
    add_tensor(model, model->n_layers - 1, 0);
    model->n_inputs++;
}

static void add_embedding(generator *g, plan *model, int input) {
    layer *made = new_layer(g, model, &embedding, embedding.label);
    made->built = model->tensors[input].of;
    made->vocabulary = model->tensors[input].vocabulary;
    choose_embedding(g, made, &made->built);
    keep_layer(g, model);
    call_layer(model, model->n_layers - 1, &input, 1);
}

static void add_lookup(generator *g, plan *model, int input) {
    const tensor *from = &model->tensors[input];
    ks_generated_lookup lookup;
    uint32_t chosen = ks_choose(g->choices, COUNT(lookups));
    while (!may_use(g, &lookups[chosen]) ||
           !ks_generated_lookup_choose(&lookup, g->choices, (ks_lookup_class)chosen, from->dtype, from->of.dims[0]))
        chosen = (chosen + 1) % COUNT(lookups); // the next one that fits; Hashing fits everything
    layer *made = new_layer(g, model, &lookups[chosen], lookups[chosen].label);
    made->built = from->of;
    made->lookup = lookup;
    made->dtype = ks_generated_lookup_dtype(&lookup);
    made->vocabulary = ks_generated_lookup_depth(&lookup);
    made->made = lookup.mode ? (shape){1, {made->vocabulary}} : lookup.steps ? (shape){1, {lookup.steps}} : from->of;
    keep_layer(g, model);
    call_layer(model, model->n_layers - 1, &input, 1);
}

/// What makes floats of integers, sooner or later.
static void add_integer_step(generator *g, plan *model, int input) {
    bool words = model->tensors[input].dtype == KS_STRING;
    if (words || (may_use(g, &lookups[KS_LOOKUP_HASHING]) && ks_choose(g->choices, 2) == 1))
        add_lookup(g, model, input);
    else
        add_embedding(g, model, input);
}

/// A Dense layer: the step that always works.
static void add_plain(generator *g, plan *model, int input) {
    layer *made = new_layer(g, model, &kinds[0], kinds[0].label);
    made->built = model->tensors[input].of;
    made->p[0] = 2;
    made->p[2] = 1;
    made->made = made->built;
    made->made.dims[made->built.rank - 1] = 2;
    keep_layer(g, model);
    call_layer(model, model->n_layers - 1, &input, 1);
}

static int next_input(generator *g, const plan *model) {
    for (int i = 0; i < model->n_inputs; i++)
        if (!model->tensors[i].used)
            return i;
    if (model->sequential || ks_choose(g->choices, 3) != 2)
        return model->n_tensors - 1;
    int chosen = (int)ks_choose(g->choices, (uint32_t)model->n_tensors);
    return is_float(&model->tensors[chosen]) ? chosen : model->n_tensors - 1;
}

static void add_step(generator *g, plan *model, int depth) {
    int input = next_input(g, model);
    if (!is_float(&model->tensors[input])) {
        add_integer_step(g, model, input);
        return;
    }
    uint32_t what = ks_choose(g->choices, model->sequential ? 8 : 14);
    bool done = false;
    if (what == 7)
        done = add_nested(g, model, input, depth);
    else if (what >= 11)
        done = add_merge(g, model, input);
    else if (what >= 9)
        done = add_shared(g, model, input);
    if (!done && !add_unary(g, model, input))
        add_plain(g, model, input);
}

static void add_steps(generator *g, plan *model, int depth) {
    uint32_t steps = 1 + ks_choose(g->choices, depth ? 4 : 12);
    for (uint32_t i = 0; i < steps && has_room(model); i++)
        add_step(g, model, depth);
    for (int i = 0; i < model->n_inputs && has_room(model); i++) { // no input may be an output itself
        if (model->tensors[i].used)
            continue;
        if (is_float(&model->tensors[i]))
            add_plain(g, model, i);
        else
            add_integer_step(g, model, i);
    }
}

static plan *new_plan(generator *g, bool sequential) {
    plan *model = ks_allocate(g->context, 1, sizeof *model);
    if (!model) {
        g->out_of_memory = true;
        return NULL;
    }
    model->sequential = sequential;
    snprintf(model->name, sizeof model->name, "%s_%d", sequential ? "sequential" : "functional", g->next_name++);
    return model;
}

static void drop_plan(generator *g, plan *model) {
    for (int i = 0; model && i < model->n_layers; i++)
        drop_plan(g, model->layers[i].model);
    ks_free(g->context, model);
}

/// A nested model has one input, and one output: its last tensor. What else hangs loose becomes part of it by a merge,
/// or the model is not made.
static plan *lay_out_nested(generator *g, const shape *in, int depth, bool sequential, shape *out) {
    plan *model = new_plan(g, sequential);
    if (!model)
        return NULL;
    add_input(g, model, in, KS_FLOAT32, 0);
    add_steps(g, model, depth);
    for (int i = 0; i < model->n_tensors - 1; i++) {
        if (model->tensors[i].used)
            continue;
        drop_plan(g, model);
        return NULL;
    }
    *out = model->tensors[model->n_tensors - 1].of;
    return model;
}

static shape choose_input_shape(generator *g) {
    shape of = {1 + (int)ks_choose(g->choices, 3), {0}};
    for (int i = 0; i < of.rank; i++)
        of.dims[i] = choose_between(g, i == of.rank - 1 ? 1 : 2, 6);
    return of;
}

static plan *lay_out(generator *g) {
    plan *model = new_plan(g, ks_choose(g->choices, 3) == 0);
    if (!model)
        return NULL;
    uint32_t n_inputs = 1 + (model->sequential ? 0 : ks_choose(g->choices, KS_GENERATED_INPUTS));
    for (uint32_t i = 0; i < n_inputs; i++) {
        shape of = choose_input_shape(g);
        ks_dtype dtype = KS_FLOAT32;
        int64_t vocabulary = 0;
        uint32_t chosen = of.rank == 1 ? ks_choose(g->choices, 5) : 0;
        if (chosen == 3 && may_use(g, &embedding)) {
            dtype = KS_INT32;
            vocabulary = choose_between(g, 2, 9);
        } else if (chosen == 4 && may_use(g, &lookups[KS_LOOKUP_HASHING])) {
            dtype = KS_STRING;
            of.dims[0] = ks_choose(g->choices, 2) ? of.dims[0] : 1; // texts are one to a row
        }
        add_input(g, model, &of, dtype, vocabulary);
    }
    add_steps(g, model, 0);
    return model;
}

// --- writing ---------------------------------------------------------------------------------------------------------

static void write_model(generator *g, const plan *model);

static void write_shape(generator *g, const shape *of) {
    put(g, "[null");
    for (int i = 0; i < of->rank; i++)
        put(g, ", %lld", (long long)of->dims[i]);
    put(g, "]");
}

static void write_tensor(generator *g, const plan *model, int index) {
    const tensor *written = &model->tensors[index];
    put(g, "{\"class_name\": \"__keras_tensor__\", \"config\": {\"shape\": ");
    write_shape(g, &written->of);
    put(g, ", \"dtype\": \"%s\", \"keras_history\": [\"%s\", %d, 0]}}", ks_dtype_name(written->dtype),
        model->layers[written->layer].name, written->node);
}

static void write_input_layer(generator *g, const layer *made) {
    put(g, "{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": ");
    write_shape(g, &made->built);
    put(g,
        ", \"dtype\": \"%s\", \"sparse\": false, \"ragged\": false, \"name\": \"%s\", \"optional\": false}, "
        "\"registered_name\": null",
        ks_dtype_name(made->dtype), made->name);
}

static void write_build_config(generator *g, const layer *made) {
    int copies = made->n_calls ? made->calls[0].n_inputs : 1;
    put(g, ", \"build_config\": {\"input_shape\": ");
    if (copies > 1)
        put(g, "[");
    for (int i = 0; i < copies; i++) {
        put(g, "%s", i ? ", " : "");
        write_shape(g, &made->built);
    }
    put(g, copies > 1 ? "]}" : "}");
}

/// The record without its closing brace: Functional adds the name and the calls.
static void write_record(generator *g, const layer *made) {
    if (!made->is) {
        write_input_layer(g, made);
    } else if (made->model) {
        write_model(g, made->model);
        g->text_size--; // its closing brace
    } else {
        put(g,
            "{\"module\": \"keras.layers\", \"class_name\": \"%s\", \"config\": {\"name\": \"%s\", \"trainable\": "
            "true, "
            "\"dtype\": " POLICY("%s") ", ",
            made->is->class_name, made->name, is_lookup(made) ? ks_generated_lookup_policy(&made->lookup) : "float32");
        made->is->write(g, made);
        put(g, "}, \"registered_name\": null");
        if (made->is->built)
            write_build_config(g, made);
        else if (is_lookup(made))
            put(g, ", \"build_config\": {}");
    }
}

static void write_calls(generator *g, const plan *model, const layer *made) {
    put(g, ", \"name\": \"%s\", \"inbound_nodes\": [", made->name);
    for (int i = 0; i < made->n_calls; i++) {
        const call *written = &made->calls[i];
        put(g, "%s{\"args\": [%s", i ? ", " : "", written->n_inputs > 1 ? "[" : "");
        for (int k = 0; k < written->n_inputs; k++) {
            put(g, "%s", k ? ", " : "");
            write_tensor(g, model, written->inputs[k]);
        }
        put(g, "%s], \"kwargs\": {%s}}", written->n_inputs > 1 ? "]" : "", made->is->kwargs);
    }
    put(g, "]}");
}

static void write_port(generator *g, const plan *model, int index) {
    const tensor *written = &model->tensors[index];
    const layer *from = &model->layers[written->layer];
    // The calls of a nested Functional count from 1 here, and only here.
    int node = written->node + (from->model && !from->model->sequential);
    put(g, "[\"%s\", %d, 0]", from->name, node);
}

static void write_ports(generator *g, const plan *model, const char *key, bool outputs) {
    int ports[MAX_TENSORS];
    int count = 0;
    for (int i = 0; i < model->n_tensors; i++)
        if (outputs ? !model->tensors[i].used : i < model->n_inputs)
            ports[count++] = i;
    put(g, ", \"%s\": %s", key, count > 1 ? "[" : "");
    for (int i = 0; i < count; i++) {
        put(g, "%s", i ? ", " : "");
        write_port(g, model, ports[i]);
    }
    put(g, "%s", count > 1 ? "]" : "");
}

static void write_functional(generator *g, const plan *model) {
    put(g,
        "{\"module\": \"keras.src.models.functional\", \"class_name\": \"Functional\", \"config\": {\"name\": \"%s\", "
        "\"trainable\": true, \"layers\": [",
        model->name);
    for (int i = 0; i < model->n_layers; i++) {
        put(g, "%s", i ? ", " : "");
        write_record(g, &model->layers[i]);
        write_calls(g, model, &model->layers[i]);
    }
    put(g, "]");
    write_ports(g, model, "input_layers", false);
    write_ports(g, model, "output_layers", true);
    put(g,
        "}, \"registered_name\": \"Functional\", \"build_config\": {\"input_shape\": null}, \"compile_config\": {}}");
}

static void write_sequential(generator *g, const plan *model) {
    put(g,
        "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"%s\", \"trainable\": true, "
        "\"dtype\": " POLICY("float32") ", \"layers\": [",
        model->name);
    for (int i = 0; i < model->n_layers; i++) {
        put(g, "%s", i ? ", " : "");
        write_record(g, &model->layers[i]);
        put(g, "}");
    }
    put(g, "], \"build_input_shape\": ");
    write_shape(g, &model->layers[0].built);
    put(g, "}, \"registered_name\": null, \"build_config\": {\"input_shape\": ");
    write_shape(g, &model->layers[0].built);
    put(g, "}, \"compile_config\": {}}");
}

static void write_model(generator *g, const plan *model) {
    if (model->sequential)
        write_sequential(g, model);
    else
        write_functional(g, model);
}

ks_code ks_generate_config(ks_generated_model *out, ks_context *context, ks_choices *choices, ks_class_filter *filter) {
    memset(out, 0, sizeof *out);
    generator g = {.context = context, .choices = choices, .filter = filter};
    plan *model = lay_out(&g);
    if (model) {
        write_model(&g, model);
        out->n_inputs = (size_t)model->n_inputs;
        for (int i = 0; i < model->n_inputs; i++) {
            const layer *input = &model->layers[i];
            out->inputs[i].rank = input->built.rank;
            memcpy(out->inputs[i].dims, input->built.dims, sizeof out->inputs[i].dims);
            out->inputs[i].dtype = input->dtype;
            out->inputs[i].vocabulary = input->vocabulary;
        }
        out->n_layers = g.n_layers;
        drop_plan(&g, model);
    }
    if (g.out_of_memory) {
        ks_free(context, g.text);
        return context->error.code;
    }
    out->config = (ks_text){g.text, g.text_size};
    return KS_OK;
}
