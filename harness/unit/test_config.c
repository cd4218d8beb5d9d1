// SPDX-License-Identifier: Apache-2.0
//
// The config stage on small documents: what is read, and one document for every way to be wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kassay/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "schema/core.h"
#include "weights/weights.h"

typedef struct document {
    ks_context context;
    ks_json *json;
    ks_arena arena;
    ks_object *root;
    ks_code code;
} document;

static void read_document(document *d, const char *text, uint64_t fail_at) {
    ks_context_init(&d->context, NULL);
    ks_context_budget(&d->context, strlen(text));
    d->context.memory.fail_at = fail_at;
    d->json = NULL;
    d->root = NULL;
    ks_arena_init(&d->arena, &d->context);
    d->code = ks_json_parse(&d->json, &d->context, (ks_bytes){(const uint8_t *)text, strlen(text)}, KS_ROAD_STRICT);
    if (d->code == KS_OK)
        d->code = ks_config_read(&d->root, &d->context, &d->arena, ks_json_root(d->json), "config.json",
                                 &(ks_config_options){.keras_version = ""});
}

static void free_document(document *d) {
    ks_arena_fini(&d->arena);
    ks_json_free(d->json);
    assert_int_equal(d->context.memory.n_live, 0);
}

// --- pieces of documents --------------------------------------------------------------------------------------------

#define INPUT(name)                                                                                                    \
    "{\"module\":\"keras.layers\",\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,4],\"dtype\":"       \
    "\"float32\",\"name\":\"" name "\"},\"registered_name\":null,\"name\":\"" name "\",\"inbound_nodes\":[]}"
#define TENSOR(name)                                                                                                   \
    "{\"class_name\":\"__keras_tensor__\",\"config\":{\"shape\":[null,4],\"dtype\":\"float32\",\"keras_history\":["    \
    "\"" name "\",0,0]}}"
#define DENSE_WITH(name, more, nodes)                                                                                  \
    "{\"module\":\"keras.layers\",\"class_name\":\"Dense\",\"config\":{\"name\":\"" name "\"," more                    \
    "},\"registered_name\":null,\"name\":\"" name "\",\"inbound_nodes\":[" nodes "]}"
#define RENAMED_DENSE(name, own_name, nodes)                                                                           \
    "{\"module\":\"keras.layers\",\"class_name\":\"Dense\",\"config\":{\"name\":\"" own_name                           \
    "\",\"units\":3},\"registered_name\":null,\"name\":\"" name "\",\"inbound_nodes\":[" nodes "]}"
#define CALL(name) "{\"args\":[" TENSOR(name) "],\"kwargs\":{}}"
#define DENSE(name, source) DENSE_WITH(name, "\"units\":3", CALL(source))
#define MODEL(layers, inputs, outputs)                                                                                 \
    "{\"module\":\"keras.src.models.functional\",\"class_name\":\"Functional\",\"config\":{\"name\":\"m\","            \
    "\"trainable\":"                                                                                                   \
    "true,\"layers\":[" layers "],\"input_layers\":" inputs ",\"output_layers\":" outputs                              \
    "},\"registered_name\":\"Functional\",\"build_config\":{\"input_shape\":null}}"
#define SEQUENTIAL(layers)                                                                                             \
    "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" layers               \
    "],\"build_input_shape\":[null,4]},\"registered_name\":null}"
#define PLAIN_DENSE(name, more)                                                                                        \
    "{\"module\":\"keras.layers\",\"class_name\":\"Dense\",\"config\":{\"name\":\"" name "\"," more                    \
    "},\"registered_name\":null}"

static const char good_model[] =
    MODEL(INPUT("a") "," DENSE("d", "a") "," DENSE("e", "a"), "[\"a\",0,0]", "[[\"d\",0,0],[\"e\",0,0]]");

// --- what is read ---------------------------------------------------------------------------------------------------

static void test_functional(void **state) {
    document d;
    (void)state;
    read_document(&d, good_model, 0);
    assert_int_equal(d.code, KS_OK);
    assert_string_equal(d.root->name, "m");
    assert_int_equal(d.root->graph->n_layers, 3);
    assert_int_equal(d.root->graph->n_nodes, 3);
    assert_int_equal(ks_tree_count(&d.root->graph->outputs), 2);
    assert_string_equal(d.root->graph->layers[1]->name, "d");
    assert_int_equal(((const ks_dense *)d.root->graph->layers[1]->params)->units, 3);
    assert_true(((const ks_dense *)d.root->graph->layers[1]->params)->use_bias);
    assert_int_equal(d.root->graph->layers[1]->trainable_variables->shape.dims[0], 4);
    free_document(&d);
}

static void test_names_and_order_of_weights(void **state) {
    static const char text[] = MODEL(
        INPUT("a") "," DENSE("z", "a") "," DENSE_WITH("y", "\"units\":4,\"use_bias\":false", CALL("z") "," CALL("a")),
        "[[\"a\",0,0]]", "[\"y\",1,0]");
    ks_weight_map map;
    document d;
    (void)state;
    read_document(&d, text, 0);
    assert_int_equal(d.code, KS_E_CONFIG_SHAPE); // y is built for 3 columns by its first call, the second has 4
    assert_string_equal(d.context.error.place, "config.json:/config/layers/2/config");
    free_document(&d);

    read_document(&d, good_model, 0);
    assert_int_equal(ks_weights_map(&map, &d.context, &d.arena, d.root), KS_OK);
    assert_int_equal(map.n_variables, 4);
    assert_string_equal(map.variables[0]->path, "layers/dense/vars/0");
    assert_string_equal(map.variables[3]->path, "layers/dense_1/vars/1");
    free_document(&d);
}

// A layer that no output needs is not part of the model.
static void test_unreachable_layer_is_dropped(void **state) {
    document d;
    (void)state;
    read_document(&d, MODEL(INPUT("a") "," DENSE("d", "a") "," DENSE("e", "d"), "[\"a\",0,0]", "[\"d\",0,0]"), 0);
    assert_int_equal(d.code, KS_OK);
    assert_int_equal(d.root->graph->n_layers, 2);
    free_document(&d);
}

static void test_order_of_file_does_not_matter(void **state) {
    document d;
    (void)state;
    read_document(&d, MODEL(DENSE("e", "d") "," DENSE("d", "a") "," INPUT("a"), "[\"a\",0,0]", "[\"e\",0,0]"), 0);
    assert_int_equal(d.code, KS_OK);
    assert_string_equal(d.root->graph->layers[0]->name, "a");
    assert_string_equal(d.root->graph->layers[2]->name, "e");
    free_document(&d);
}

static void test_sequential(void **state) {
    document d;
    (void)state;
    read_document(&d, SEQUENTIAL(PLAIN_DENSE("d", "\"units\":3") "," PLAIN_DENSE("e", "\"units\":2")), 0);
    assert_int_equal(d.code, KS_OK);
    assert_int_equal(d.root->graph->n_layers, 2);
    assert_int_equal(d.root->graph->symbols[2].shape.dims[1], 2);
    free_document(&d);
}

#define UNNAMED_DENSE                                                                                                  \
    "{\"module\":\"keras.layers\",\"class_name\":\"Dense\",\"config\":{\"units\":3},\"registered_name\":null}"

// Layers without a name get those that Keras gives in a fresh session, around the names that are taken.
static void test_layers_without_names(void **state) {
    document d;
    (void)state;
    read_document(&d, SEQUENTIAL(UNNAMED_DENSE "," PLAIN_DENSE("dense", "\"units\":3") "," UNNAMED_DENSE), 0);
    assert_int_equal(d.code, KS_OK);
    assert_string_equal(d.root->graph->layers[0]->name, "dense_1");
    assert_string_equal(d.root->graph->layers[1]->name, "dense");
    assert_string_equal(d.root->graph->layers[2]->name, "dense_2");
    free_document(&d);
}

// --- one document for every way to be wrong -------------------------------------------------------------------------

typedef struct wrong {
    ks_code code;
    const char *place;
    const char *text;
} wrong;

#define D(more) SEQUENTIAL(PLAIN_DENSE("d", more))
#define L(class_name, more)                                                                                            \
    SEQUENTIAL("{\"module\":\"keras.layers\",\"class_name\":\"" class_name "\",\"config\":{\"name\":\"l\"," more "}}")
#define AT "config.json:/config/layers/0/config"
#define DEEP4(x) "{\"a\":{\"a\":{\"a\":{\"a\":" x "}}}}"
#define DEEP16(x) DEEP4(DEEP4(DEEP4(DEEP4(x))))

static const wrong wrongs[] = {
    {KS_E_CONFIG_RECORD, "config.json:", "[]"},
    {KS_E_CONFIG_RECORD, "config.json:", "{\"class_name\":\"Dense\"}"},
    {KS_E_CONFIG_TYPE, "config.json:/class_name", "{\"class_name\":3,\"config\":{}}"},
    {KS_E_CONFIG_TYPE, "config.json:/config", "{\"class_name\":\"Dense\",\"config\":[]}"},
    {KS_E_CONFIG_UNKNOWN_CLASS, "config.json:/class_name",
     "{\"module\":\"keras.layers\",\"class_name\":\"Dens\",\"config\":{}}"},
    {KS_E_CONFIG_UNKNOWN_CLASS, "config.json:/class_name",
     "{\"module\":\"keras.optimizers\",\"class_name\":\"Dense\",\"config\":{\"units\":1}}"},
    {KS_E_CONFIG_UNKNOWN_CLASS, "config.json:/class_name",
     "{\"module\":null,\"class_name\":\"Dense\",\"config\":{\"units\":1},\"registered_name\":\"mine>Dense\"}"},
    {KS_E_CONFIG_UNSAFE, "config.json:/class_name", "{\"class_name\":\"__lambda__\",\"config\":{}}"},
    {KS_E_CONFIG_MISSING, AT "/units", D("\"use_bias\":true")},
    {KS_E_CONFIG_TYPE, AT "/units", D("\"units\":\"3\"")},
    {KS_E_CONFIG_TYPE, AT "/units", D("\"units\":3.0")},
    {KS_E_CONFIG_TYPE, AT "/units", D("\"units\":null")},
    {KS_E_CONFIG_VALUE, AT "/units", D("\"units\":0")},
    {KS_E_CONFIG_VALUE, AT "/units", D("\"units\":-3")},
    {KS_E_OVER_SIZE, AT "/units", D("\"units\":4294967296")},
    {KS_E_OVER_SIZE, AT "/units", D("\"units\":123456789012345678901234567890")},
    {KS_E_CONFIG_TYPE, AT "/use_bias", D("\"units\":3,\"use_bias\":1")},
    {KS_E_CONFIG_UNKNOWN_KEY, AT "/colour", D("\"units\":3,\"colour\":1")},
    {KS_E_CONFIG_UNKNOWN_NAME, AT "/activation", D("\"units\":3,\"activation\":\"rellu\"")},
    {KS_E_CONFIG_TYPE, AT "/activation", D("\"units\":3,\"activation\":3")},
    {KS_E_CONFIG_UNKNOWN_NAME, AT "/kernel_initializer", D("\"units\":3,\"kernel_initializer\":\"magic\"")},
    {KS_E_CONFIG_UNKNOWN_CLASS, AT "/kernel_initializer/class_name",
     D("\"units\":3,\"kernel_initializer\":{\"module\":\"keras.initializers\",\"class_name\":\"Magic\",\"config\":{}"
       "}")},
    {KS_E_CONFIG_TYPE, AT "/kernel_initializer",
     D("\"units\":3,\"kernel_initializer\":{\"module\":\"keras.regularizers\",\"class_name\":\"L2\",\"config\":{}}")},
    {KS_E_CONFIG_POLICY, AT "/dtype", D("\"units\":3,\"dtype\":\"float16\"")},
    {KS_E_CONFIG_POLICY, AT "/dtype",
     D("\"units\":3,\"dtype\":{\"module\":\"keras\",\"class_name\":\"DTypePolicy\",\"config\":{\"name\":\"mixed_"
       "float16\"}}")},
    {KS_E_CONFIG_POLICY, AT "/dtype", D("\"units\":3,\"dtype\":{\"class_name\":\"Int4DTypePolicy\",\"config\":{}}")},
    {KS_E_CONFIG_TYPE, AT "/dtype", D("\"units\":3,\"dtype\":7")},
    {KS_E_CONFIG_RECORD, AT "/dtype",
     D("\"units\":3,\"dtype\":{\"module\":null,\"class_name\":\"DTypePolicy\",\"config\":{}}")},
    {KS_E_CONFIG_UNKNOWN_KEY, AT "/dtype",
     D("\"units\":3,\"dtype\":{\"class_name\":\"DTypePolicy\",\"config\":{\"name\":\"float32\",\"size\":1}}")},
    {KS_E_CONFIG_VALUE, AT "/name", SEQUENTIAL(PLAIN_DENSE("a/b", "\"units\":3"))},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, AT "/name", SEQUENTIAL(PLAIN_DENSE("a\\u0000b", "\"units\":3"))},
    {KS_E_CONFIG_TYPE, AT "/factor", L("RandomRotation", "\"factor\":\"much\"")},
    {KS_E_CONFIG_TYPE, AT "/width_factor", L("RandomTranslation", "\"height_factor\":0.1,\"width_factor\":[0.1]")},
    {KS_E_CONFIG_TYPE, AT "/width_factor", L("RandomTranslation", "\"height_factor\":[0,1],\"width_factor\":[0,null]")},
    {KS_E_CONFIG_TYPE, AT "/height_factor", L("RandomZoom", "\"height_factor\":null")},
    {KS_E_CONFIG_POLICY, AT "/dtype",
     L("Discretization", "\"bin_boundaries\":[0.5],\"output_mode\":\"one_hot\",\"dtype\":\"int64\"")},
    {KS_E_CONFIG_POLICY, AT "/dtype", L("Discretization", "\"bin_boundaries\":[0.5],\"dtype\":\"int32\"")},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, AT "/autocast", D("\"units\":3,\"autocast\":false")},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, AT "/quantization_config", D("\"units\":3,\"quantization_config\":{\"a\":1}")},
    {KS_E_CONFIG_DUPLICATE_LAYER, "config.json:/config/layers/1/config/name",
     SEQUENTIAL(PLAIN_DENSE("d", "\"units\":3") "," PLAIN_DENSE("d", "\"units\":3"))},
    {KS_E_CONFIG_DUPLICATE_LAYER, "config.json:/config/build_input_shape",
     SEQUENTIAL(PLAIN_DENSE("input_layer", "\"units\":3"))},
    {KS_E_CONFIG_MISSING, "config.json:/config/layers",
     "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\"}}"},
    {KS_E_CONFIG_TYPE, "config.json:/config/layers",
     "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":3}}"},
    {KS_E_CONFIG_GRAPH, "config.json:/config/layers/1", SEQUENTIAL(PLAIN_DENSE("d", "\"units\":3") "," INPUT("a"))},
    {KS_E_CONFIG_RECORD, "config.json:/config/layers/0",
     SEQUENTIAL("{\"module\":\"keras.initializers\",\"class_name\":\"Zeros\",\"config\":{}}")},
    {KS_E_CONFIG_UNKNOWN_LAYER, "config.json:/config/layers/1/inbound_nodes/0",
     MODEL(INPUT("a") "," DENSE("d", "b"), "[\"a\",0,0]", "[\"d\",0,0]")},
    {KS_E_CONFIG_UNKNOWN_LAYER, "config.json:/config/input_layers",
     MODEL(INPUT("a") "," DENSE("d", "a"), "[\"b\",0,0]", "[\"d\",0,0]")},
    {KS_E_CONFIG_GRAPH_LOOP, "config.json:/config/layers/1/inbound_nodes",
     MODEL(INPUT("a") "," DENSE("d", "e") "," DENSE("e", "d"), "[\"a\",0,0]", "[\"d\",0,0]")},
    {KS_E_CONFIG_GRAPH_LOOP, "config.json:/config/output_layers",
     MODEL(INPUT("a") "," DENSE("d", "a"), "[\"a\",0,0]", "[\"d\",1,0]")},
    {KS_E_CONFIG_GRAPH, "config.json:/config/output_layers",
     MODEL(INPUT("a") "," DENSE("d", "a"), "[\"a\",0,0]", "[\"d\",0,1]")},
    {KS_E_CONFIG_GRAPH, "config.json:/config/output_layers",
     MODEL(INPUT("a") "," DENSE("d", "a"), "[\"a\",0,0]", "[]")},
    {KS_E_CONFIG_GRAPH, "config.json:/config/input_layers",
     MODEL(INPUT("a") "," INPUT("b") "," DENSE("d", "a"), "[\"b\",0,0]", "[\"d\",0,0]")},
    {KS_E_CONFIG_UNSUPPORTED_VALUE, "config.json:/config/input_layers",
     MODEL(INPUT("a") "," DENSE("d", "a") "," DENSE("e", "d"), "[\"d\",0,0]", "[\"e\",0,0]")},
    {KS_E_CONFIG_DUPLICATE_LAYER, "config.json:/config/layers/2/name",
     MODEL(INPUT("a") "," DENSE("d", "a") "," DENSE("d", "a"), "[\"a\",0,0]", "[\"d\",0,0]")},
    {KS_E_CONFIG_DUPLICATE_LAYER, "config.json:/config/layers/1/config/name", // "name" of the record is another
     MODEL(INPUT("a") "," RENAMED_DENSE("d", "a", CALL("a")), "[\"a\",0,0]", "[\"d\",0,0]")},
    {KS_E_CONFIG_ARGUMENT, "config.json:/config/layers/1/inbound_nodes/0/colour",
     MODEL(INPUT("a") "," DENSE_WITH("d", "\"units\":3", "{\"args\":[" TENSOR("a") "],\"kwargs\":{\"colour\":1}}"),
           "[\"a\",0,0]", "[\"d\",0,0]")},
    {KS_E_CONFIG_ARGUMENT, "config.json:/config/layers/1/inbound_nodes/0/inputs",
     MODEL(INPUT("a") "," DENSE_WITH("d", "\"units\":3",
                                     "{\"args\":[" TENSOR("a") "],\"kwargs\":{\"inputs\":" TENSOR("a") "}}"),
           "[\"a\",0,0]", "[\"d\",0,0]")},
    {KS_E_CONFIG_ARGUMENT, "config.json:/config/layers/1/inbound_nodes/0/args",
     MODEL(INPUT("a") "," DENSE_WITH("d", "\"units\":3",
                                     "{\"args\":[" TENSOR("a") "," TENSOR("a") "," TENSOR("a") "],\"kwargs\":{}}"),
           "[\"a\",0,0]", "[\"d\",0,0]")},
    {KS_E_CONFIG_GRAPH, "config.json:/config/layers/1/inbound_nodes/0",
     MODEL(INPUT("a") "," DENSE_WITH("d", "\"units\":3", "{\"args\":3}"), "[\"a\",0,0]", "[\"d\",0,0]")},
    {KS_E_OVER_DEPTH, "config.json:/config/layers/1/inbound_nodes/0",
     MODEL(INPUT("a") "," DENSE_WITH("d", "\"units\":3", "{\"args\":[" DEEP16(DEEP16(DEEP16("1"))) "],\"kwargs\":{}}"),
           "[\"a\",0,0]", "[\"d\",0,0]")},
};

static void test_every_way_to_be_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        document d;
        read_document(&d, wrongs[i].text, 0);
        if (d.code != wrongs[i].code || strcmp(d.context.error.place, wrongs[i].place) != 0)
            fail_msg("document %zu: expected %s at %s, found %s at %s (%s)", i, ks_code_name(wrongs[i].code),
                     wrongs[i].place, ks_code_name(d.code), d.context.error.place, d.context.error.message);
        free_document(&d);
    }
}

// A million layers would be refused, and so is a model in a model in a model …
static void test_depth(void **state) {
    enum { DEPTH = 5000 };
    static const char open[] = "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"layers\":[";
    static const char close[] = "]}}";
    char *text = malloc(DEPTH * (sizeof(open) + sizeof(close)) + 1);
    document d;
    (void)state;
    text[0] = 0;
    {
        char *at = text;
        for (int i = 0; i < DEPTH; i++, at += sizeof(open) - 1)
            memcpy(at, open, sizeof(open));
        for (int i = 0; i < DEPTH; i++, at += sizeof(close) - 1)
            memcpy(at, close, sizeof(close));
    }
    read_document(&d, text, 0);
    assert_int_equal(d.code, KS_E_CONFIG_DEPTH);
    free_document(&d);
    free(text);
}

static void test_every_failing_allocation(void **state) {
    (void)state;
    for (uint64_t k = 1;; k++) {
        document d;
        ks_code code;
        read_document(&d, good_model, k);
        code = d.code;
        if (code != KS_OK)
            assert_int_equal(code, KS_E_NO_MEMORY);
        free_document(&d);
        if (code == KS_OK)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functional),
        cmocka_unit_test(test_names_and_order_of_weights),
        cmocka_unit_test(test_unreachable_layer_is_dropped),
        cmocka_unit_test(test_order_of_file_does_not_matter),
        cmocka_unit_test(test_sequential),
        cmocka_unit_test(test_layers_without_names),
        cmocka_unit_test(test_every_way_to_be_wrong),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
