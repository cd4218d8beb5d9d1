// SPDX-License-Identifier: Apache-2.0
//
// Result shapes and refusals of layers, one line each: the layer's config in a Sequential document, the input's shape,
// and what Keras 3.15.1 says. An unknown interpolation, an axis listed twice and a scale that fits no axis it refuses
// only when the layer runs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kassay/json.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

typedef struct shape_case {
    const char *class_name, *config; ///< config without name
    const char *input;               ///< after the batch
    const char *expected;            ///< as Python prints it, or the code's name
} shape_case;

static const shape_case cases[] = {
    {"Conv1D", "\"filters\":4,\"kernel_size\":[3],\"strides\":[2],\"padding\":\"causal\"", "9,3", "(None, 5, 4)"},
    {"Conv1D", "\"filters\":4,\"kernel_size\":[3]", "2,3", "config-shape"},
    {"Conv1D", "\"filters\":4,\"kernel_size\":[3],\"padding\":\"same\"", "2,3", "(None, 2, 4)"},
    {"Conv1D", "\"filters\":4,\"kernel_size\":[3,3]", "9,3", "config-value"},
    {"Conv1D", "\"filters\":0,\"kernel_size\":[3]", "9,3", "config-value"},
    {"Conv1D", "\"kernel_size\":[3]", "9,3", "config-missing-key"},
    {"Conv1D", "\"filters\":4,\"kernel_size\":[3],\"groups\":3", "9,3", "config-value"},
    {"Conv1D", "\"filters\":4,\"kernel_size\":[3],\"groups\":2", "9,3", "config-shape"},
    {"Conv1D", "\"filters\":4,\"kernel_size\":[2],\"strides\":[2],\"dilation_rate\":[2]", "9,3", "config-value"},
    {"Conv1D", "\"filters\":4,\"kernel_size\":[2]", "9,null", "config-shape"},
    {"Conv2D", "\"filters\":4,\"kernel_size\":[3,2],\"strides\":[2,1],\"dilation_rate\":[1,1]", "9,8,3",
     "(None, 4, 7, 4)"},
    {"Conv2D", "\"filters\":4,\"kernel_size\":3,\"dilation_rate\":2", "9,null,3", "(None, 5, None, 4)"},
    {"Conv2D", "\"filters\":4,\"kernel_size\":3,\"padding\":\"causal\"", "9,9,3", "config-choice"},
    {"Conv2D", "\"filters\":4,\"kernel_size\":3,\"data_format\":\"channels_first\"", "3,9,8", "(None, 4, 7, 6)"},
    {"Conv2D", "\"filters\":4,\"kernel_size\":3", "9,3", "config-shape"},
    {"Conv3D", "\"filters\":2,\"kernel_size\":[1,2,3],\"strides\":2,\"padding\":\"same\"", "5,6,7,3",
     "(None, 3, 3, 4, 2)"},
    {"Conv2DTranspose", "\"filters\":4,\"kernel_size\":3,\"strides\":2", "5,6,3", "(None, 11, 13, 4)"},
    {"Conv2DTranspose", "\"filters\":4,\"kernel_size\":2,\"strides\":3", "5,6,3", "(None, 15, 18, 4)"},
    {"Conv2DTranspose", "\"filters\":4,\"kernel_size\":3,\"strides\":2,\"padding\":\"same\"", "5,null,3",
     "(None, 10, None, 4)"},
    {"Conv2DTranspose", "\"filters\":4,\"kernel_size\":3,\"strides\":2,\"padding\":\"same\",\"output_padding\":[0,1]",
     "5,6,3", "(None, 9, 12, 4)"},
    {"Conv2DTranspose", "\"filters\":4,\"kernel_size\":3,\"strides\":2,\"output_padding\":2", "5,6,3", "config-value"},
    {"Conv1DTranspose", "\"filters\":4,\"kernel_size\":3,\"dilation_rate\":2", "5,3", "(None, 9, 4)"},
    {"DepthwiseConv2D", "\"kernel_size\":3,\"depth_multiplier\":2", "5,6,3", "(None, 3, 4, 6)"},
    {"DepthwiseConv2D", "\"kernel_size\":3,\"depth_multiplier\":0", "5,6,3", "config-value"},
    {"DepthwiseConv1D", "\"kernel_size\":3,\"strides\":2,\"dilation_rate\":2", "9,3", "(None, 3, 3)"},
    {"SeparableConv2D", "\"filters\":5,\"kernel_size\":3,\"padding\":\"same\",\"strides\":2", "5,6,3",
     "(None, 3, 3, 5)"},
    {"MaxPooling2D", "\"pool_size\":[3,2]", "9,8,3", "(None, 3, 4, 3)"},
    {"MaxPooling2D", "\"pool_size\":[3,2],\"strides\":[2,3],\"padding\":\"same\"", "9,8,3", "(None, 5, 3, 3)"},
    {"MaxPooling2D", "\"pool_size\":10", "9,8,3", "config-shape"},
    {"MaxPooling2D", "", "9,8,3", "(None, 4, 4, 3)"},
    {"AveragePooling2D", "", "9,8,3", "config-missing-key"},
    {"AveragePooling1D", "\"pool_size\":[2],\"strides\":null,\"data_format\":\"channels_first\"", "3,9",
     "(None, 3, 4)"},
    {"GlobalAveragePooling1D", "\"keepdims\":true", "9,3", "(None, 1, 3)"},
    {"GlobalMaxPooling2D", "\"data_format\":\"channels_first\"", "3,9,8", "(None, 3)"},
    {"GlobalMaxPooling2D", "\"data_format\":\"channels_first\",\"keepdims\":true", "3,9,8", "(None, 3, 1, 1)"},
    {"GlobalMaxPooling3D", "", "9,8,3", "config-shape"},
    {"AdaptiveAveragePooling2D", "\"output_size\":[2,3]", "9,null,3", "(None, 2, 3, 3)"},
    {"Flatten", "", "2,3,4", "(None, 24)"},
    {"Flatten", "", "2,null", "(None, None)"},
    {"Flatten", "", "", "(None, 1)"},
    {"Reshape", "\"target_shape\":[-1,2]", "6", "(None, 3, 2)"},
    {"Reshape", "\"target_shape\":[-1,4]", "6", "config-shape"},
    {"Reshape", "\"target_shape\":[-1,-1]", "6", "config-value"},
    {"Reshape", "\"target_shape\":[-2,3]", "6", "config-value"},
    {"Reshape", "\"target_shape\":[2,2]", "6", "config-shape"},
    {"Reshape", "\"target_shape\":[-1,3]", "null,6", "(None, None, 3)"},
    {"Reshape", "\"target_shape\":[]", "1", "(None,)"},
    {"Permute", "\"dims\":[3,1,2]", "2,null,4", "(None, 4, 2, None)"},
    {"Permute", "\"dims\":[1,3]", "2,3", "config-value"},
    {"Permute", "\"dims\":[1,1]", "2,3", "config-value"},
    {"Permute", "\"dims\":[2,1]", "2,3,4", "config-shape"},
    {"RepeatVector", "\"n\":3", "4", "(None, 3, 4)"},
    {"RepeatVector", "\"n\":0", "4", "config-value"},
    {"ZeroPadding1D", "\"padding\":[1,2]", "4,3", "(None, 7, 3)"},
    {"ZeroPadding2D", "\"padding\":[[1,2],[0,3]]", "4,null,3", "(None, 7, None, 3)"},
    {"ZeroPadding2D", "\"padding\":[1,2],\"data_format\":\"channels_first\"", "3,4,5", "(None, 3, 6, 9)"},
    {"ZeroPadding2D", "\"padding\":[[1,-2],[0,3]]", "4,4,3", "config-value"},
    {"Cropping1D", "\"cropping\":[1,2]", "4,3", "(None, 1, 3)"},
    {"Cropping1D", "\"cropping\":[2,2]", "4,3", "config-shape"},
    {"Cropping2D", "\"cropping\":1,\"data_format\":\"channels_first\"", "3,4,5", "(None, 3, 2, 3)"},
    {"Cropping3D", "", "4,5,6,3", "(None, 2, 3, 4, 3)"},
    {"UpSampling1D", "\"size\":3", "4,3", "(None, 12, 3)"},
    {"UpSampling1D", "\"size\":[3]", "4,3", "config-type"},
    {"UpSampling2D", "\"size\":[2,3],\"interpolation\":\"bilinear\"", "4,null,3", "(None, 8, None, 3)"},
    {"UpSampling2D", "\"interpolation\":\"gaussian\"", "4,4,3", "config-choice"},
    {"Dropout", "\"rate\":1.5", "4", "config-value"},
    {"GaussianNoise", "\"stddev\":-0.1", "4", "config-value"},
    {"Dropout", "\"rate\":0.5,\"noise_shape\":[null,1]", "4", "(None, 4)"},
    {"Dropout", "\"rate\":0.5,\"noise_shape\":[0]", "4", "config-value"},
    {"SpatialDropout2D", "\"rate\":0.5", "4,3", "config-shape"},
    {"BatchNormalization", "\"axis\":1", "4,3", "(None, 4, 3)"},
    {"BatchNormalization", "\"axis\":3", "4,3", "config-shape"},
    {"BatchNormalization", "\"renorm\":true,\"renorm_clipping\":{\"rmax\":1,\"rmin\":2}", "4,3", "config-value"},
    {"BatchNormalization", "", "4,null", "config-shape"},
    {"LayerNormalization", "\"axis\":[1,-1]", "4,3", "(None, 4, 3)"},
    {"LayerNormalization", "\"axis\":[2,-1]", "4,3", "config-shape"},
    {"RMSNormalization", "\"axis\":1", "4,3", "config-shape"},
    {"GroupNormalization", "\"groups\":3", "4,4", "config-shape"},
    {"GroupNormalization", "\"groups\":-1", "4,4", "(None, 4, 4)"},
    {"GroupNormalization", "\"groups\":0", "4,4", "config-value"},
    {"UnitNormalization", "\"axis\":[1,2]", "4,3", "(None, 4, 3)"},
    {"Rescaling", "\"scale\":[1,2,3]", "4,3", "(None, 4, 3)"},
    {"Rescaling", "\"scale\":[1,2]", "4,3", "config-shape"},
    {"Normalization", "\"axis\":[-1],\"mean\":[1,2,3],\"variance\":[1,2,3]", "4,3", "(None, 4, 3)"},
    {"Normalization", "\"axis\":[-1],\"mean\":[1,2],\"variance\":[1,2]", "4,3", "config-shape"},
    {"Normalization", "\"axis\":[-1],\"mean\":[1,2,3]", "4,3", "config-value"},
    {"Normalization", "\"axis\":[1]", "null,3", "config-shape"},
};

// Where Keras goes on in integers, as in a mean without its fraction, this reference says that it does not.
static const struct {
    shape_case layer;
    const char *dtype;
} on_integers[] = {
    {{"ReLU", "\"max_value\":0.75", "4,3", "config-unsupported-value"}, "int64"},
    {{"Activation", "\"activation\":\"relu\"", "4,3", "config-unsupported-value"}, "int32"},
    {{"MaxPooling1D", "", "4,3", "config-unsupported-value"}, "uint8"},
    {{"GlobalMaxPooling1D", "", "4,3", "config-unsupported-value"}, "int64"},
    {{"Masking", "", "4,3", "config-unsupported-value"}, "int64"},
    {{"LayerNormalization", "", "4,3", "config-unsupported-value"}, "int64"},
    {{"GlobalAveragePooling1D", "", "4,3", "(None, 3)"}, "int64"}, // Keras 3: floats
    {{"Flatten", "", "4,3", "(None, 12)"}, "int64"},
    {{"Dense", "\"units\":2", "4,3", "(None, 4, 2)"}, "int64"},
};

static void write_document(char *text, size_t size, const shape_case *c, const char *dtype) {
    snprintf(text, size,
             "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":["
             "{\"module\":\"keras.layers\",\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null%s%s],"
             "\"dtype\":\"%s\",\"name\":\"a\"},\"registered_name\":null},"
             "{\"module\":\"keras.layers\",\"class_name\":\"%s\",\"config\":{%s%s\"name\":\"b\"},"
             "\"registered_name\":null}]},\"registered_name\":null}",
             *c->input ? "," : "", c->input, dtype, c->class_name, c->config, *c->config ? "," : "");
}

static void check(const shape_case *c, const char *dtype) {
    char document[2048], shape[256];
    const char *got;
    ks_context context;
    ks_arena arena;
    ks_json *json = NULL;
    ks_object *root = NULL;
    ks_code code;
    write_document(document, sizeof(document), c, dtype);
    ks_context_init(&context, NULL);
    ks_arena_init(&arena, &context);
    code = ks_json_parse(&json, &context, (ks_bytes){(const uint8_t *)document, strlen(document)}, KS_ROAD_STRICT);
    if (code == KS_OK)
        code = ks_config_read(&root, &context, &arena, ks_json_root(json), "config.json",
                              &(ks_config_options){.keras_version = ""});
    got = ks_code_name(code);
    if (code == KS_OK) {
        size_t slot = 0;
        assert_int_equal(ks_tree_slots(&root->graph->outputs, &slot, 1), 1);
        got = ks_shape_format(&root->graph->symbols[slot].shape, shape, sizeof(shape));
    }
    if (strcmp(got, c->expected) != 0)
        fail_msg("%s {%s} on (%s): expected %s, found %s (%s)", c->class_name, c->config, c->input, c->expected, got,
                 context.error.message);
    ks_arena_fini(&arena);
    ks_json_free(json);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_shapes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check(&cases[i], "float32");
}

static void test_integers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(on_integers) / sizeof(on_integers[0]); i++)
        check(&on_integers[i].layer, on_integers[i].dtype);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shapes), cmocka_unit_test(test_integers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
