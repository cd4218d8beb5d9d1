// SPDX-License-Identifier: Apache-2.0
//
// Configs of Keras 1 and 2: what they become, whose numbers they have, and what is refused by name.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kassay/json.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "schema/advanced_activation.h"
#include "schema/convolution.h"
#include "schema/core.h"
#include "schema/lookup.h"
#include "schema/operation.h"
#include "schema/recurrent.h"
#include "schema/text_vectorization.h"

typedef struct document {
    ks_context context;
    ks_json *json;
    ks_arena arena;
    ks_object *root;
    ks_code code;
} document;

static void read_as(document *d, const char *text, ks_dialect dialect, const char *version, uint64_t fail_at) {
    ks_context_init(&d->context, NULL);
    ks_context_budget(&d->context, strlen(text));
    d->context.memory.fail_at = fail_at;
    d->json = NULL;
    d->root = NULL;
    ks_arena_init(&d->arena, &d->context);
    d->code = ks_json_parse(&d->json, &d->context, (ks_bytes){(const uint8_t *)text, strlen(text)}, KS_ROAD_STRICT);
    if (d->code == KS_OK)
        d->code = ks_config_read(&d->root, &d->context, &d->arena, ks_json_root(d->json), "config.json",
                                 &(ks_config_options){.dialect = dialect, .keras_version = version});
}

static void read_document(document *d, const char *text) {
    read_as(d, text, KS_DIALECT_AUTO, "", 0);
}

static void free_document(document *d) {
    ks_arena_fini(&d->arena);
    ks_json_free(d->json);
    assert_int_equal(d->context.memory.n_live, 0);
}

static const ks_object *layer(const document *d, size_t n) {
    if (d->code != KS_OK)
        fprintf(stderr, "%s: %s\n", d->context.error.place, d->context.error.message);
    assert_int_equal(d->code, KS_OK);
    assert_true(n < d->root->graph->n_layers);
    return d->root->graph->layers[n];
}

// --- pieces of documents --------------------------------------------------------------------------------------------

#define SEQUENTIAL2(version, layers)                                                                                   \
    "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" layers "]},\"keras_version\":\"" version  \
    "\",\"backend\":\"tensorflow\"}"
#define SEQUENTIAL1(layers) "{\"class_name\":\"Sequential\",\"config\":[" layers "],\"keras_version\":\"1.2.2\"}"
#define RECORD(class_name, config) "{\"class_name\":\"" class_name "\",\"config\":{" config "}}"
#define NAMED(class_name, name, config, nodes)                                                                         \
    "{\"class_name\":\"" class_name "\",\"config\":{\"name\":\"" name "\"" config "},\"name\":\"" name                 \
    "\",\"inbound_nodes\":" nodes "}"
#define INPUT2(name) NAMED("InputLayer", name, ",\"batch_input_shape\":[null,4],\"dtype\":\"float32\"", "[]")
#define FUNCTIONAL2(layers, inputs, outputs)                                                                           \
    "{\"class_name\":\"Model\",\"config\":{\"name\":\"m\",\"layers\":[" layers "],\"input_layers\":" inputs            \
    ",\"output_layers\":" outputs "},\"keras_version\":\"2.9.0\"}"
#define FIRST "\"batch_input_shape\":[null,4],\"dtype\":\"float32\","
#define DENSE2(more) RECORD("Dense", "\"name\":\"d\"," FIRST "\"units\":3" more)

// --- generations ----------------------------------------------------------------------------------------------------

static ks_dialect dialect_of(const char *text, const char *version) {
    ks_config_options options = {.dialect = KS_DIALECT_AUTO, .keras_version = version};
    ks_context context;
    ks_json *json = NULL;
    ks_dialect dialect;
    ks_context_init(&context, NULL);
    ks_context_budget(&context, strlen(text));
    assert_int_equal(ks_json_parse(&json, &context, (ks_bytes){(const uint8_t *)text, strlen(text)}, KS_ROAD_STRICT),
                     KS_OK);
    dialect = ks_config_dialect(ks_json_root(json), &options);
    ks_json_free(json);
    return dialect;
}

static void test_generations(void **state) {
    (void)state;
    assert_int_equal(dialect_of(SEQUENTIAL2("2.3.1", ""), ""), KS_DIALECT_KERAS2);
    assert_int_equal(dialect_of(SEQUENTIAL2("2.3.1", ""), "1.0.8"), KS_DIALECT_KERAS1); // the file's own word counts
    assert_int_equal(dialect_of(SEQUENTIAL1(""), ""), KS_DIALECT_KERAS1);
    assert_int_equal(dialect_of("{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{}}", ""),
                     KS_DIALECT_KERAS3);
    assert_int_equal(dialect_of("{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{}}", "2.15.0"),
                     KS_DIALECT_KERAS2);
    assert_int_equal(dialect_of("{\"class_name\":\"Sequential\",\"config\":{}}", ""), KS_DIALECT_KERAS2);
    assert_int_equal(
        dialect_of("{\"class_name\":\"Sequential\",\"config\":[" RECORD("Dense", "\"output_dim\":3") "]}", ""),
        KS_DIALECT_KERAS1);
}

static ks_activation_id dense_activation(const document *d) {
    return ((const ks_dense *)layer(d, 0)->params)->activation.id;
}

// hard_sigmoid is another function since Keras 3; no word of Keras 3 names the old one.
static void test_hard_sigmoid(void **state) {
    static const char text[] = SEQUENTIAL2("2.9.0", DENSE2(",\"activation\":\"hard_sigmoid\""));
    document d;
    (void)state;
    read_document(&d, text);
    assert_int_equal(dense_activation(&d), KS_ACTIVATION_HARD_SIGMOID_2);
    free_document(&d);
    read_as(&d, text, KS_DIALECT_KERAS3, "", 0);
    assert_int_equal(d.code, KS_E_CONFIG_UNKNOWN_KEY); // batch_input_shape of Dense is no word of Keras 3
    free_document(&d);
    read_as(&d,
            "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[{\"module\":"
            "\"keras.layers\",\"class_name\":\"Dense\",\"config\":{\"units\":3,\"activation\":\"keras2.hard_sigmoid\"},"
            "\"registered_name\":null}]},\"registered_name\":null}",
            KS_DIALECT_AUTO, "", 0);
    assert_int_equal(d.code, KS_E_CONFIG_UNKNOWN_NAME);
    free_document(&d);
    read_as(&d,
            "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[{\"module\":"
            "\"keras2.layers\",\"class_name\":\"ThresholdedReLU\",\"config\":{\"theta\":3.0},"
            "\"registered_name\":null}]},\"registered_name\":null}",
            KS_DIALECT_AUTO, "", 0);
    assert_int_equal(d.code, KS_E_CONFIG_UNKNOWN_CLASS);
    free_document(&d);
}

// --- Keras 2 --------------------------------------------------------------------------------------------------------

static void test_sequential_of_keras2(void **state) {
    document d;
    (void)state;
    read_document(&d, SEQUENTIAL2("2.3.1", DENSE2("")));
    assert_string_equal(layer(&d, 0)->name, "d");
    assert_int_equal(layer(&d, 0)->trainable_variables->shape.dims[0], 4);
    assert_string_equal(d.root->graph->nodes[0].layer->name, "d_input");
    assert_non_null(layer(&d, 0)->original);
    assert_non_null(ks_value_get(ks_value_get(layer(&d, 0)->original, "config"), "batch_input_shape"));
    assert_int_equal(layer(&d, 0)->dialect, KS_DIALECT_KERAS2);
    assert_true(layer(&d, 0)->multi_backend);
    assert_int_equal(layer(&d, 0)->version, 203);
    free_document(&d);
    read_document(&d, SEQUENTIAL2("2.2.4-tf", DENSE2("")));
    assert_false(layer(&d, 0)->multi_backend);
    free_document(&d);
}

static void test_defaults_that_changed(void **state) {
    document d;
    (void)state;
#define RNN_FIRST "\"batch_input_shape\":[null,5,4],"
    read_document(&d, SEQUENTIAL2("2.0.9", RECORD("GRU", "\"name\":\"g\"," RNN_FIRST "\"units\":3")));
    assert_false(((const ks_recurrent *)layer(&d, 0)->params)->settings.reset_after);
    free_document(&d);
    read_document(&d, SEQUENTIAL2("2.9.0", RECORD("GRU", "\"name\":\"g\"," RNN_FIRST
                                                         "\"units\":3,\"reset_after\":true,\"time_major\":false")));
    assert_true(((const ks_recurrent *)layer(&d, 0)->params)->settings.reset_after);
    free_document(&d);
    read_document(&d, SEQUENTIAL2("2.9.0", RECORD("CuDNNGRU", "\"name\":\"g\"," RNN_FIRST "\"units\":3")));
    assert_true(((const ks_recurrent *)layer(&d, 0)->params)->settings.reset_after);
    free_document(&d);
    read_document(&d, SEQUENTIAL2("2.9.0", RECORD("LeakyReLU", "\"name\":\"l\"," FIRST "\"alpha\":0.125")));
    assert_true(((const ks_leaky_relu *)layer(&d, 0)->params)->negative_slope == 0.125);
    free_document(&d);
}

// As TensorFlow 2.3 and 2.4 write them: without a vocabulary, and with words of their own.
static void test_first_lookups(void **state) {
    document d;
    (void)state;
#define STRINGS "\"batch_input_shape\":[null,1],\"dtype\":\"string\",\"max_tokens\":null,"
    read_document(&d, SEQUENTIAL2("2.4.0", RECORD("IntegerLookup", "\"name\":\"i\",\"batch_input_shape\":[null,2],"
                                                                   "\"dtype\":\"int64\",\"num_oov_indices\":2,"
                                                                   "\"max_values\":9,\"mask_value\":0,"
                                                                   "\"oov_value\":-7")));
    {
        const ks_lookup *lookup = layer(&d, 0)->params;
        assert_int_equal(lookup->max_tokens, 9);
        assert_true(lookup->has_mask && lookup->has_oov);
        assert_int_equal(lookup->mask.integer, 0);
        assert_int_equal(lookup->oov.integer, -7);
        assert_int_equal(ks_lookup_first_token(lookup), 3);
    }
    free_document(&d);
    read_document(
        &d, SEQUENTIAL2("2.4.0", RECORD("TextVectorization", "\"name\":\"t\"," STRINGS "\"pad_to_max_tokens\":true")));
    assert_false(((const ks_text_vectorization *)layer(&d, 0)->params)->lookup.pad_to_max_tokens);
    free_document(&d);
    read_document(&d, SEQUENTIAL2("2.4.0", RECORD("StringLookup", "\"name\":\"s\"," STRINGS "\"invert\":true")));
    assert_int_equal(d.code, KS_E_CONFIG_UNSUPPORTED_VALUE);
    free_document(&d);
    // Since there are vocabularies in configs, it is an error.
    read_document(
        &d, SEQUENTIAL2("2.9.0", RECORD("TextVectorization", "\"name\":\"t\"," STRINGS "\"pad_to_max_tokens\":true,"
                                                             "\"vocabulary\":[\"a\"]")));
    assert_int_equal(d.code, KS_E_CONFIG_VALUE);
    free_document(&d);
}

// A nested model's own construction was its node 0, so that its first call is node 1.
static void test_nodes_of_nested_models(void **state) {
    document d;
    (void)state;
#define INNER                                                                                                          \
    "{\"class_name\":\"Model\",\"config\":{\"name\":\"in\",\"layers\":[" INPUT2("x") "," NAMED(                        \
        "Dense", "e", ",\"units\":4",                                                                                  \
        "[[[\"x\",0,0,{}]]]") "],\"input_layers\":[[\"x\",0,0]],\"output_layers\":"                                    \
                              "[[\"e\",0,0]]},\"name\":\"in\",\"inbound_nodes\":[[[\"a\",0,0,{}]],[[\"b\",0,0,{}]]]}"
    read_document(&d, FUNCTIONAL2(INPUT2("a") "," INPUT2("b") "," INNER, "[[\"a\",0,0],[\"b\",0,0]]",
                                  "[[\"in\",2,0],[\"in\",1,0]]"));
    assert_int_equal(d.code, KS_OK);
    assert_int_equal(d.root->graph->n_nodes, 4);
    {
        size_t slots[2];
        assert_int_equal(ks_tree_slots(&d.root->graph->outputs, slots, 2), 2);
        for (size_t i = 0; i < d.root->graph->n_nodes; i++)
            if (d.root->graph->nodes[i].result.as.slot == slots[0])
                assert_int_equal(d.root->graph->nodes[i].index, 1);
    }
    free_document(&d);
    read_document(&d, FUNCTIONAL2(INPUT2("a") "," INPUT2("b") "," INNER, "[[\"a\",0,0],[\"b\",0,0]]",
                                  "[[\"in\",3,0],[\"in\",1,0]]"));
    assert_int_equal(d.code, KS_E_CONFIG_GRAPH_LOOP);
    free_document(&d);
}

static void test_functions_of_tensorflow(void **state) {
    document d;
    (void)state;
    read_document(&d, FUNCTIONAL2(INPUT2("a") "," NAMED("TFOpLambda", "t", ",\"function\":\"math.subtract\"",
                                                        "[[\"_CONSTANT_VALUE\",-1,1.5,{\"y\":[\"a\",0,0],"
                                                        "\"name\":null}]]"),
                                  "[[\"a\",0,0]]", "[[\"t\",0,0]]"));
    assert_int_equal(d.code, KS_OK);
    assert_string_equal(layer(&d, 1)->row->name, "Subtract");
    assert_int_equal(d.root->graph->nodes[1].arguments[0].type, KS_TREE_VALUE);
    assert_int_equal(d.root->graph->nodes[1].arguments[1].type, KS_TREE_SLOT);
    free_document(&d);
    read_document(&d,
                  FUNCTIONAL2(INPUT2("a") "," NAMED("TFOpLambda", "t", ",\"function\":\"nn.gelu\"", "[[\"a\",0,0,{}]]"),
                              "[[\"a\",0,0]]", "[[\"t\",0,0]]"));
    assert_false(((const ks_operation *)layer(&d, 1)->params)->approximate); // Keras 3's default is the other one
    free_document(&d);
    read_document(&d, FUNCTIONAL2(INPUT2("a") "," NAMED("SlicingOpLambda", "t", ",\"function\":\"x\"",
                                                        "[[\"a\",0,0,{\"slice_spec\":[{\"start\":null,\"stop\":null,"
                                                        "\"step\":null},{\"start\":1,\"stop\":3,\"step\":null}]}]]"),
                                  "[[\"a\",0,0]]", "[[\"t\",0,0]]"));
    assert_int_equal(d.code, KS_OK);
    assert_int_equal(d.root->graph->symbols[1].shape.dims[1], 2);
    free_document(&d);
}

// --- Keras 1 --------------------------------------------------------------------------------------------------------

#define DENSE1(name, more) RECORD("Dense", "\"name\":\"" name "\",\"output_dim\":3,\"bias\":false" more)
#define SHAPE1 ",\"batch_input_shape\":[null,4],\"input_dtype\":\"float32\",\"input_dim\":4"
#define MERGE(mode, more)                                                                                              \
    "{\"class_name\":\"Merge\",\"config\":{\"name\":\"merge_1\",\"mode\":" mode more ",\"layers\":["                   \
    "{\"class_name\":\"Sequential\",\"config\":[" DENSE1(                                                              \
        "a", SHAPE1) "]},"                                                                                             \
                     "{\"class_name\":\"Sequential\",\"config\":[" DENSE1("b", SHAPE1) "," RECORD(                     \
                         "Activation", "\"name\":\"t\","                                                               \
                                       "\"activation\":\"tanh\"") "]}]}}"

static void test_sequential_of_keras1(void **state) {
    document d;
    (void)state;
    read_document(&d, SEQUENTIAL1(DENSE1("d", SHAPE1 ",\"init\":\"uniform\",\"W_regularizer\":{\"name\":"
                                                     "\"L1L2Regularizer\",\"l1\":0.0,\"l2\":0.01},\"W_constraint\":{"
                                                     "\"name\":\"MaxNorm\",\"m\":2.0,\"axis\":0}")));
    assert_int_equal(((const ks_dense *)layer(&d, 0)->params)->units, 3);
    assert_false(((const ks_dense *)layer(&d, 0)->params)->use_bias);
    assert_string_equal(((const ks_dense *)layer(&d, 0)->params)->kernel_regularizer->row->name, "L1L2");
    assert_string_equal(((const ks_dense *)layer(&d, 0)->params)->kernel_constraint->row->name, "MaxNorm");
    free_document(&d);
    read_document(
        &d, SEQUENTIAL1(RECORD("Convolution2D",
                               "\"name\":\"c\",\"batch_input_shape\":[null,2,7,6],\"nb_filter\":3,\"nb_row\":"
                               "2,\"nb_col\":3,\"border_mode\":\"same\",\"subsample\":[2,1],"
                               "\"dim_ordering\":\"th\"") "," RECORD("UpSampling2D", "\"name\":\"u\",\"size\":[2,3]")));
    assert_int_equal(((const ks_convolution *)layer(&d, 0)->params)->kernel_size.items[1], 3);
    assert_int_equal(((const ks_convolution *)layer(&d, 0)->params)->padding, KS_PADDING_SAME);
    assert_int_equal(d.root->graph->symbols[2].shape.dims[1], 3); // channels first, as the other layer says
    assert_int_equal(d.root->graph->symbols[2].shape.dims[3], 18);
    free_document(&d);
}

static void test_branches_of_keras1(void **state) {
    document d;
    (void)state;
    read_document(&d,
                  SEQUENTIAL1(MERGE("\"concat\"", ",\"mode_type\":\"raw\",\"concat_axis\":-1") "," DENSE1("z", "")));
    assert_int_equal(d.code, KS_OK);
    assert_int_equal(ks_tree_count(&d.root->graph->inputs), 2);
    // Keras 1 lists a layer behind its input; later versions list the longer branch first.
    assert_string_equal(d.root->graph->operations[1]->name, "a");
    assert_ptr_equal(d.root->graph->in_order->next->object, d.root->graph->operations[1]);
    assert_string_not_equal(layer(&d, 1)->name, "a");
    assert_int_equal(layer(&d, d.root->graph->n_layers - 1)->trainable_variables->shape.dims[0], 6);
    free_document(&d);
    read_document(&d, SEQUENTIAL1(MERGE("[\"code\",null,null]", ",\"mode_type\":\"lambda\"")));
    assert_int_equal(d.code, KS_E_CONFIG_UNSAFE);
    free_document(&d);
    read_document(&d, SEQUENTIAL1(MERGE("\"sideways\"", ",\"mode_type\":\"raw\"")));
    assert_int_equal(d.code, KS_E_CONFIG_UNKNOWN_NAME);
    free_document(&d);
}

// --- refusals -------------------------------------------------------------------------------------------------------

// A function of a tensor that was cast.
#define WHOLE2(dtype, function)                                                                                        \
    FUNCTIONAL2(INPUT2("a") "," NAMED("TFOpLambda", "c", ",\"function\":\"cast\"",                                     \
                                      "[[\"a\",0,0,{\"dtype\":\"" dtype                                                \
                                      "\"}]]") "," NAMED("TFOpLambda", "t", ",\"function\":\"" function "\"",          \
                                                         "[[\"c\",0,0,{}]]"),                                          \
                "[[\"a\",0,0]]", "[[\"t\",0,0]]")

static const struct {
    ks_code code;
    const char *place; ///< how the place ends
    const char *text;
} refusals[] = {
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "layers/0/config",
     SEQUENTIAL2("2.2.4-tf", RECORD("BatchNormalizationV1", "\"name\":\"b\"," FIRST "\"renorm\":true"))},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "layers/0/config",
     SEQUENTIAL2("2.9.0", RECORD("BatchNormalization", "\"name\":\"b\",\"axis\":[1,2],\"virtual_batch_size\":2"))},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "config/interpolation",
     SEQUENTIAL2("2.3.1", RECORD("UpSampling2D", "\"name\":\"u\",\"size\":[2,2],\"interpolation\":\"bilinear\""))},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "layers/0/config",
     SEQUENTIAL2("2.9.0", RECORD("LSTM", "\"name\":\"b\",\"units\":2,\"time_major\":true"))},
    {KS_E_CONFIG_UNKNOWN_CLASS, "layers/1/class_name", SEQUENTIAL2("2.9.0", RECORD("Mine>Layer", FIRST "\"a\":1"))},
    {KS_E_CONFIG_UNKNOWN_CLASS, "layers/0/class_name", SEQUENTIAL2("2.9.0", RECORD("Absolute", "\"name\":\"a\""))},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "config/layer",
     SEQUENTIAL2("2.9.0",
                 RECORD("Bidirectional", "\"name\":\"b\",\"batch_input_shape\":[null,4,6,6,2],\"layer\":" RECORD(
                                             "ConvLSTM2D", "\"name\":\"c\",\"filters\":2,\"kernel_size\":[3,3]")))},
    {KS_E_CONFIG_ARGUMENT, "layers/1/config",
     SEQUENTIAL2("2.9.0",
                 RECORD("GRU", "\"name\":\"g\",\"batch_input_shape\":[null,4,3],\"dtype\":\"float32\",\"units\":2,"
                               "\"return_state\":true"))},
    {KS_E_CONFIG_UNKNOWN_KEY, "config/novelty", SEQUENTIAL2("2.9.0", DENSE2(",\"novelty\":1"))},
    {KS_E_CONFIG_POLICY, "config/dtype",
     SEQUENTIAL2("2.9.0", RECORD("Dense", "\"name\":\"d\",\"units\":3,\"dtype\":{\"class_name\":\"Policy\",\"config\":{"
                                          "\"name\":\"mixed_float16\"}}"))},
    {KS_E_CONFIG_UNSAFE, "layers/0/class_name", SEQUENTIAL2("2.9.0", RECORD("Lambda", "\"name\":\"l\""))},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "config/mode",
     SEQUENTIAL1(RECORD("BatchNormalization", "\"name\":\"b\",\"batch_input_shape\":[null,4],\"mode\":2"))},
    {KS_E_CONFIG_UNSUPPORTED_CLASS, "config/function",
     FUNCTIONAL2(INPUT2("a") "," NAMED("TFOpLambda", "t", ",\"function\":\"io.read_file\"", "[[\"a\",0,0,{}]]"),
                 "[[\"a\",0,0]]", "[[\"t\",0,0]]")},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "layers/1/adjoint_b",
     FUNCTIONAL2(INPUT2("a") "," NAMED("TFOpLambda", "t", ",\"function\":\"linalg.matmul\"",
                                       "[[\"a\",0,0,{\"b\":[\"a\",0,0],\"adjoint_b\":true}]]"),
                 "[[\"a\",0,0]]", "[[\"t\",0,0]]")},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "layers/1/novelty",
     FUNCTIONAL2(
         INPUT2("a") "," NAMED("TFOpLambda", "t", ",\"function\":\"math.abs\"", "[[\"a\",0,0,{\"novelty\":1}]]"),
         "[[\"a\",0,0]]", "[[\"t\",0,0]]")},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "layers/1/inbound_nodes",
     FUNCTIONAL2(INPUT2("a") "," NAMED("TFOpLambda", "t", ",\"function\":\"math.argmax\"",
                                       "[[\"a\",0,0,{\"axis\":1,\"output_type\":\"int16\"}]]"),
                 "[[\"a\",0,0]]", "[[\"t\",0,0]]")},
    // integers: TensorFlow's mean is an integer, and so is its relu; its sum of int8 does not grow
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "layers/2/config", WHOLE2("int32", "math.reduce_mean")},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "layers/2/config", WHOLE2("int32", "nn.relu")},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "layers/2/config", WHOLE2("int8", "math.reduce_sum")},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "layers/1/inbound_nodes",
     FUNCTIONAL2(RECORD("InputLayer", "\"name\":\"a\",\"batch_input_shape\":[null,4],\"dtype\":\"float16\"") "," NAMED(
                     "TFOpLambda", "t", ",\"function\":\"math.abs\"", "[[\"a\",0,0,{}]]"),
                 "[[\"a\",0,0]]", "[[\"t\",0,0]]")},
    {KS_E_CONFIG_UNKNOWN_LAYER, "inbound_nodes/0",
     FUNCTIONAL2(INPUT2("a") "," NAMED("Dense", "d", ",\"units\":2", "[[[\"nobody\",0,0,{}]]]"), "[[\"a\",0,0]]",
                 "[[\"d\",0,0]]")},
    {KS_E_CONFIG_GRAPH, "inbound_nodes",
     FUNCTIONAL2(INPUT2("a") "," NAMED("Dense", "d", ",\"units\":2", "[7]"), "[[\"a\",0,0]]", "[[\"d\",0,0]]")},
};

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        document d;
        const char *place;
        size_t size = strlen(refusals[i].place);
        read_document(&d, refusals[i].text);
        place = d.context.error.place;
        if (d.code != refusals[i].code || strlen(place) < size ||
            strcmp(place + strlen(place) - size, refusals[i].place) != 0) {
            fprintf(stderr, "document %zu: expected %s at …%s, found %s at %s (%s)\n", i,
                    ks_code_name(refusals[i].code), refusals[i].place, ks_code_name(d.code), place,
                    d.context.error.message);
            fail();
        }
        free_document(&d);
    }
}

static void test_every_failing_allocation(void **state) {
    static const char text[] = FUNCTIONAL2(
        INPUT2("a") "," NAMED("Dense", "d", ",\"units\":4,\"activation\":\"hard_sigmoid\"",
                              "[[[\"a\",0,0,{}]]]") "," NAMED("TFOpLambda", "t", ",\"function\":\"math.add\"",
                                                              "[[\"a\",0,0,{\"y\":[\"d\",0,0]}]]"),
        "[[\"a\",0,0]]", "[[\"t\",0,0]]");
    uint64_t count;
    document d;
    (void)state;
    read_document(&d, text);
    assert_int_equal(d.code, KS_OK);
    count = d.context.memory.n_allocations;
    free_document(&d);
    for (uint64_t k = 1; k <= count; k++) {
        read_as(&d, text, KS_DIALECT_AUTO, "", k);
        assert_int_equal(d.code, KS_E_NO_MEMORY);
        free_document(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_hard_sigmoid),
        cmocka_unit_test(test_sequential_of_keras2),
        cmocka_unit_test(test_defaults_that_changed),
        cmocka_unit_test(test_first_lookups),
        cmocka_unit_test(test_nodes_of_nested_models),
        cmocka_unit_test(test_functions_of_tensorflow),
        cmocka_unit_test(test_sequential_of_keras1),
        cmocka_unit_test(test_branches_of_keras1),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
