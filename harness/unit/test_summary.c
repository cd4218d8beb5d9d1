// SPDX-License-Identifier: Apache-2.0
//
// summary() against what real Keras prints: summary.txt, summary-nested.txt and summary-narrow.txt beside golden cases
// (golden/make/summaries.py).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include <kassay/model.h>
#include <kassay/source.h>

#define GOLDEN KASSAY_SOURCE_DIR "/golden/"

// The first line that differs, printed; true when there is none.
static bool same_lines(const char *path, ks_bytes expected, ks_text found) {
    size_t at = 0, start = 0;
    while (at < expected.size && at < found.size && expected.data[at] == (uint8_t)found.data[at]) {
        at++;
        if (expected.data[at - 1] == '\n')
            start = at;
    }
    if (at == expected.size && at == found.size)
        return true;
    printf("%s:\n  expected %.*s\n  found    %.*s\n", path, (int)strcspn((const char *)expected.data + start, "\n"),
           (const char *)expected.data + start, (int)strcspn(found.data + start, "\n"), found.data + start);
    return false;
}

static bool agrees(const char *path) {
    static const ks_summary_options nested = {.expand_nested = true, .show_trainable = true};
    static const ks_summary_options narrow = {.expand_nested = true, .show_trainable = true, .line_length = 40};
    const char *name = strrchr(path, '/') + 1;
    const ks_summary_options *options = strcmp(name, "summary.txt") == 0          ? NULL
                                        : strcmp(name, "summary-narrow.txt") == 0 ? &narrow
                                                                                  : &nested;
    char model_path[1024];
    ks_context context;
    ks_source *source;
    ks_model *model;
    ks_text text;
    bool equal;
    snprintf(model_path, sizeof(model_path), "%.*smodel.%s", (int)(name - path), path,
             strstr(path, "/keras-v3/") ? "keras" : "h5");
    ks_context_init(&context, NULL);
    assert_int_equal(ks_source_open(&source, &context, path), KS_OK);
    assert_int_equal(ks_model_load(&model, &context, model_path, NULL), KS_OK);
    assert_int_equal(ks_model_summary(&text, model, options), KS_OK);
    equal = same_lines(path, ks_source_bytes(source), text);
    ks_free(&context, (void *)(uintptr_t)text.data);
    ks_model_free(model);
    ks_source_close(source);
    assert_int_equal(context.memory.n_live, 0);
    return equal;
}

static void check_all(const char *pattern, size_t least) {
    glob_t files;
    size_t different = 0;
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        different += !agrees(files.gl_pathv[i]);
    assert_true(files.gl_pathc >= least);
    globfree(&files);
    assert_int_equal(different, 0);
}

static void test_keras1_and_2(void **state) {
    (void)state;
    check_all(GOLDEN "h5-legacy/*/*/*/summary*.txt", 90);
}

static void test_keras3(void **state) {
    (void)state;
    check_all(GOLDEN "keras-v3/*/*/*/summary*.txt", 20);
}

#define RECORD(type, name, keys, rest, calls)                                                                          \
    "{\"module\":\"keras.layers\",\"class_name\":\"" type "\",\"config\":{\"name\":\"" name "\"" keys "},"             \
    "\"registered_name\":null" rest ",\"name\":\"" name "\",\"inbound_nodes\":[" calls "]}"
#define CALL(of)                                                                                                       \
    "{\"args\":[{\"class_name\":\"__keras_tensor__\",\"config\":{\"shape\":[null,3],\"dtype\":\"float32\","            \
    "\"keras_history\":[\"" of "\",0,0]}}],\"kwargs\":{}}"
#define INPUT(name) RECORD("InputLayer", name, ",\"batch_shape\":[null,3],\"dtype\":\"float32\"", "", "")
#define SHARED(of) RECORD("Dense", "d", ",\"units\":3", ",\"shared_object_id\":7", CALL(of))
#define MODEL(name, layers, in, out, rest)                                                                             \
    "{\"module\":\"keras.src.models.functional\",\"class_name\":\"Functional\",\"config\":{\"name\":\"" name           \
    "\",\"trainable\":true,\"layers\":[" layers "],\"input_layers\":[[\"" in "\",0,0]],\"output_layers\":[[\"" out     \
    "\",0,0]]},\"registered_name\":\"Functional\"" rest "}"

static void expect_line(const char *json, const char *line) {
    ks_bytes bytes = {(const uint8_t *)json, strlen(json)};
    ks_context context;
    ks_model *model;
    ks_text text;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_model_load_bytes(&model, &context, bytes, "model.json", NULL), KS_OK);
    assert_int_equal(ks_model_summary(&text, model, NULL), KS_OK);
    if (!strstr(text.data, line))
        fail_msg("no \"%s\" in\n%s", line, text.data);
    ks_free(&context, (void *)(uintptr_t)text.data);
    ks_model_free(model);
    assert_int_equal(context.memory.n_live, 0);
}

// A layer that a model shares with a model inside it has its parameters once.
static void test_shared_with_inner_model(void **state) {
    static const char json[] =
        MODEL("outer",
              INPUT("b") "," MODEL("inner", INPUT("a") "," SHARED("a"), "a", "d",
                                   ",\"name\":\"inner\",\"inbound_nodes\":[" CALL("b") "]") "," SHARED("inner"),
              "b", "d", "");
    (void)state;
    expect_line(json, " Total params: 12 (48.00 B)\n");
}

// As Keras 3.15.1 counts them: the flag of a layer is not that of its parts, but for a recurrent layer's own cell.
static void test_frozen_parts(void **state) {
#define OF_STEPS(layer)                                                                                                \
    "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":["                      \
    "{\"module\":\"keras.layers\",\"class_name\":\"InputLayer\",\"config\":{\"name\":\"i\",\"batch_shape\":[null,4,3]" \
    ","                                                                                                                \
    "\"dtype\":\"float32\"},\"registered_name\":null}," layer "]},\"registered_name\":null}"
#define PART(type, keys)                                                                                               \
    "{\"module\":\"keras.layers\",\"class_name\":\"" type "\",\"config\":{\"name\":\"p\"," keys                        \
    "},\"registered_name\":null}"
    (void)state;
    expect_line(OF_STEPS(PART("TimeDistributed", "\"trainable\":false,\"layer\":" PART("Dense", "\"units\":2"))),
                " Trainable params: 8 (32.00 B)\n");
    expect_line(OF_STEPS(PART("TimeDistributed", "\"layer\":" PART("Dense", "\"units\":2,\"trainable\":false"))),
                " Trainable params: 0 (0.00 B)\n");
    expect_line(OF_STEPS(PART("RNN", "\"trainable\":false,\"cell\":" PART("LSTMCell", "\"units\":2"))),
                " Trainable params: 48 (192.00 B)\n");
    expect_line(OF_STEPS(PART("LSTM", "\"trainable\":false,\"units\":2")), " Trainable params: 0 (0.00 B)\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keras1_and_2), cmocka_unit_test(test_keras3),
                                       cmocka_unit_test(test_shared_with_inner_model),
                                       cmocka_unit_test(test_frozen_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
