// SPDX-License-Identifier: Apache-2.0
//
// `kassay convert`: every pair of formats, what is lost and told, and that a conversion which fails leaves nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define KASSAY KASSAY_BINARY_DIR "/bin/kassay"
#define GOLDEN KASSAY_SOURCE_DIR "/golden/"
#define DENSE GOLDEN "keras-v3/keras-3.15.1/core/dense/model.keras"

static char output[65536];
static char folder[] = "/tmp/kassay-convert-XXXXXX";

// Runs a shell command line in the folder; what it prints is in `output`.
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
static int
run(const char *format, ...) {
    char command[4096];
    int start = snprintf(command, sizeof command, "cd %s && exec 2>&1 && ", folder);
    va_list list;
    va_start(list, format);
    vsnprintf(command + start, sizeof command - (size_t)start, format, list);
    va_end(list);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t size = fread(output, 1, sizeof output - 1, pipe);
    output[size] = 0;
    return WEXITSTATUS(pclose(pipe));
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return run("rm -r %s", folder);
}

// --- every pair -----------------------------------------------------------------------------------------------------

static const struct {
    const char *format, *name;
    bool config, weights;
} formats[] = {
    {"keras-v3", "m.keras", true, true},         {"keras-v3-dir", "m-dir", true, true},
    {"weights-v3", "m.weights.h5", false, true}, {"weights-v3-sharded", "m.weights.json", false, true},
    {"h5-legacy", "m.h5", true, true},           {"h5-weights-legacy", "m-weights.hdf5", false, true},
    {"json-v3", "m.json", true, false},          {"json-legacy", "m-legacy.json", true, false},
};

#define N_FORMATS (sizeof formats / sizeof formats[0])

// From each to each; where the target has weights they are those of the first file, bit for bit.
static void convert_pair(size_t from, size_t to) {
    const char *architecture = formats[from].config ? "" : "--architecture " DENSE;
    char target[64];
    int code;
    snprintf(target, sizeof target, "to-%zu-%s", from, formats[to].name);
    code = run(KASSAY " convert %s %s --to %s %s", formats[from].name, target, formats[to].format, architecture);
    if (!formats[from].weights && formats[to].weights) {
        assert_int_equal(code, 2); // nothing is made up
        assert_non_null(strstr(output, "save-no-weights"));
        assert_int_not_equal(run("ls -d %s", target), 0);
        return;
    }
    if (code != 0)
        fail_msg("%s to %s: %s", formats[from].format, formats[to].format, output);
    assert_int_equal(run(KASSAY " check %s --format %s %s", target, formats[to].format,
                         formats[to].config ? "" : "--architecture " DENSE),
                     0);
    if (!formats[to].weights)
        return;
    assert_int_equal(run(KASSAY " convert %s back.keras %s", target, formats[to].config ? "" : "--architecture " DENSE),
                     0);
    assert_int_equal(run(KASSAY " weights back.keras --out back.npz && cmp back.npz first.npz"), 0);
}

static void test_every_pair(void **state) {
    (void)state;
    assert_int_equal(run(KASSAY " convert " DENSE " first.keras && " KASSAY " weights first.keras --out first.npz"), 0);
    for (size_t i = 0; i < N_FORMATS; i++)
        assert_int_equal(run(KASSAY " convert " DENSE " %s --to %s", formats[i].name, formats[i].format), 0);
    for (size_t from = 0; from < N_FORMATS; from++)
        for (size_t to = 0; to < N_FORMATS; to++)
            convert_pair(from, to);
}

// --- failure --------------------------------------------------------------------------------------------------------

#define OLD_STATE GOLDEN "h5-legacy/tf-2.9.3/compiled/trained-adam/model.h5"

static void test_failure_leaves_nothing(void **state) {
    (void)state;
    assert_int_equal(run("mkdir empty && echo before > empty/kept.keras"), 0);
    assert_int_equal(run(KASSAY " convert " OLD_STATE " empty/new.keras"), 2);
    assert_non_null(strstr(output, "save-loss"));
    assert_int_equal(run(KASSAY " convert " OLD_STATE " empty/kept.keras"), 2);
    assert_int_equal(run(KASSAY " convert " OLD_STATE " empty/new-dir"), 2);
    assert_int_equal(run(KASSAY " convert " DENSE " empty/new.x --to nonsense"), 64);
    assert_int_equal(run(KASSAY " convert " DENSE " nowhere/new.keras"), 74);
    assert_int_equal(run("ls -A empty"), 0);
    assert_string_equal(output, "kept.keras\n");
    assert_int_equal(run("cat empty/kept.keras"), 0);
    assert_string_equal(output, "before\n");
}

static void test_report_of_losses(void **state) {
    (void)state;
    assert_int_equal(run(KASSAY " convert " OLD_STATE " lossy.keras --lossy"), 0);
    assert_non_null(strstr(output, "lost compile-config training_config:/optimizer_config: the older Adam"));
    assert_non_null(strstr(output, "lost optimizer-state optimizer_weights: "));
    assert_int_equal(run(KASSAY " check lossy.keras"), 0);
    assert_int_equal(run(KASSAY " convert " DENSE " whole.keras --lossy"), 0);
    assert_string_equal(output, ""); // nothing to tell
}

// --- assets ---------------------------------------------------------------------------------------------------------

// A model with files of its layers beside it.
static void make_assets(void) {
    assert_int_equal(run("rm -rf tree && " KASSAY " convert " DENSE " tree && mkdir -p tree/assets/layers/dense && "
                         "printf 'one\\ntwo\\n' > tree/assets/layers/dense/words.txt && printf x > tree/assets/y"),
                     0);
}

static void test_assets(void **state) {
    (void)state;
    make_assets();
    assert_int_equal(run(KASSAY " convert tree packed.keras && unzip -p packed.keras assets/layers/dense/words.txt"),
                     0);
    assert_string_equal(output, "one\ntwo\n");
    assert_int_equal(run(KASSAY " convert packed.keras again.keras && cmp packed.keras again.keras"), 0);
    assert_int_equal(run(KASSAY " convert packed.keras unpacked && diff -r tree unpacked"), 0);
    assert_int_equal(run(KASSAY " summary packed.keras"), 0);
    assert_int_equal(run("LC_ALL=C sed s/^two$/tvo/ packed.keras >broken.keras; " KASSAY " summary broken.keras"), 1);
    assert_non_null(strstr(output, "zip-bad-crc [zip] assets/layers/dense/words.txt"));
    assert_int_equal(run(KASSAY " convert packed.keras flat.h5"), 2);
    assert_non_null(strstr(output, "assets/layers/dense/words.txt"));
    assert_int_not_equal(run("ls flat.h5"), 0);
    assert_int_equal(run(KASSAY " convert packed.keras flat.h5 --lossy"), 0);
    assert_non_null(strstr(output, "lost asset assets/layers/dense/words.txt"));
    assert_non_null(strstr(output, "lost asset assets/y"));
    assert_int_equal(run(KASSAY " convert packed.keras alone.weights.h5"), 0); // weights alone carry weights alone
}

// Weights have no assets: the words that a layer was adapted to, and their weights, go with the architecture.
static void test_words_of_an_asset(void **state) {
    static const char *const layers[] = {"integer-lookup-adapted-negative", "string-lookup-tf-idf-adapted",
                                         "text-vectorization-tf-idf-adapted", "classified-adapted"};
    (void)state;
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        assert_int_equal(run("c=" GOLDEN "keras-v3/keras-3.15.1/preprocessing-layers/%s; " KASSAY
                             " convert $c/model.keras a.json && " KASSAY
                             " convert $c/model.keras a.weights.h5 && " KASSAY
                             " predict $c/model.keras --inputs $c/io.npz --outputs whole.npz && " KASSAY
                             " predict a.weights.h5 --architecture a.json --inputs $c/io.npz --outputs parts.npz && "
                             "cmp whole.npz parts.npz",
                             layers[i]),
                         0);
    }
}

// Random layers of Keras 3 are called with training=True, which has no effect there; Keras 2 would obey it.
static void test_training_in_a_graph(void **state) {
    (void)state;
    assert_int_equal(run(KASSAY " convert " GOLDEN "keras-v3-dir/keras-3.9.2/preprocessing/augmented-image/model m.h5"),
                     0);
    assert_int_equal(run(KASSAY " check m.h5"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pair),          cmocka_unit_test(test_failure_leaves_nothing),
        cmocka_unit_test(test_report_of_losses),    cmocka_unit_test(test_assets),
        cmocka_unit_test(test_training_in_a_graph), cmocka_unit_test(test_words_of_an_asset),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
