// SPDX-License-Identifier: Apache-2.0
//
// The command: exit codes, help, files it writes, and that `check` maps neither OpenBLAS nor libhdf5.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KASSAY KASSAY_BINARY_DIR "/bin/kassay"
#define DENSE KASSAY_SOURCE_DIR "/golden/keras-v3/keras-3.15.1/core/dense"

static char output[65536];

// Runs a shell command line; what it prints is in `output`.
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
static int
run(const char *format, ...) {
    char command[4096];
    va_list list;
    FILE *pipe;
    size_t size;
    int status;
    va_start(list, format);
    vsnprintf(command, sizeof(command), format, list);
    va_end(list);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    size = fread(output, 1, sizeof(output) - 1, pipe);
    output[size] = 0;
    status = pclose(pipe);
    return WEXITSTATUS(status);
}

static void test_usage(void **state) {
    (void)state;
    assert_int_equal(run(KASSAY " 2>&1"), 64);
    assert_int_equal(run(KASSAY " nonsense 2>&1"), 64);
    assert_int_equal(run(KASSAY " check 2>&1"), 64);
    assert_int_equal(run(KASSAY " check --nonsense x 2>&1"), 64);
    assert_non_null(strstr(output, "unknown option \"--nonsense\""));
    assert_int_equal(run(KASSAY " check --road 2>&1"), 64);
    assert_int_equal(run(KASSAY " check --limits depth=3 " DENSE "/model.keras 2>&1"), 64);
    assert_int_equal(run(KASSAY " predict " DENSE "/model.keras 2>&1"), 64);
    assert_int_equal(run(KASSAY " check --format nonsense " DENSE "/model.keras 2>&1"), 64);
    assert_int_equal(run(KASSAY " --version"), 0);
    assert_int_equal(run(KASSAY " --help"), 0);
}

static void test_every_command_has_help(void **state) {
    static const char *const commands[] = {"check",   "dump",    "summary", "layers", "weights", "load",
                                           "predict", "convert", "bench",   "verify", "gate",    "report"};
    (void)state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        assert_int_equal(run(KASSAY " %s --help", commands[i]), 0);
        assert_non_null(strstr(output, "SYNOPSIS"));
        assert_non_null(strstr(output, "EXIT STATUS"));
        assert_non_null(strstr(output, "EXAMPLES"));
    }
}

static void test_exit_codes_of_check(void **state) {
    (void)state;
    assert_int_equal(run(KASSAY " check " DENSE "/model.keras"), 0);
    assert_non_null(strstr(output, ": accepted\n"));
    assert_int_equal(run(KASSAY " check --road both " DENSE "/model.keras"), 0);
    assert_int_equal(
        run(KASSAY " check " KASSAY_SOURCE_DIR "/golden/keras-v3/reject/config/units-negative/model.keras"), 1);
    assert_non_null(strstr(output, "malformed config-value [config]"));
    assert_int_equal(run(KASSAY " check " KASSAY_SOURCE_DIR "/golden/keras-v3/reject/config/unknown-class/model.keras"),
                     2);
    assert_int_equal(run(KASSAY " check --limits json_depth=2 " DENSE "/model.keras"), 3);
    assert_int_equal(run(KASSAY " check /nonexistent.keras 2>&1"), 74);
    assert_int_equal(run(KASSAY " check " DENSE "/model.keras /nonexistent.keras"), 74);
    assert_int_equal(run(KASSAY " check --json " DENSE "/model.keras"), 0);
    assert_non_null(strstr(output, "\"verdict\": \"accepted\""));
}

#define MODEL_WITH(name, momentum)                                                                                     \
    "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"" name "\", \"layers\": ["       \
    "{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 4], "         \
    "\"name\": "                                                                                                       \
    "\"i\"}}, {\"module\": \"keras.layers\", \"class_name\": \"BatchNormalization\", \"config\": {\"name\": \"b\", "   \
    "\"epsilon\": 1.0, \"momentum\": " momentum "}}]}}"

/// What the library road refuses as the table of differences says is no fault.
static void test_listed_differences_of_check(void **state) {
    static const char *const rows[][2] = {{MODEL_WITH("s", "0.5"), ": accepted\n"},
                                          {MODEL_WITH("s", "NaN"), "accepted; warning: json-nan\n"},
                                          {MODEL_WITH("s\\ud800", "0.5"), "warning: json-lone-surrogate\n"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int code =
            run("d=$(mktemp -d) && cat >$d/m.json <<'E'\n%s\nE\n" KASSAY " check --road both $d/m.json && rm -r $d",
                rows[i][0]);
        if (code != 0 || !strstr(output, rows[i][1]))
            fail_msg("%d: %s", code, output);
    }
}

static void test_weights_and_predictions(void **state) {
    (void)state;
    assert_int_equal(run(KASSAY " weights " DENSE "/model.keras --out - | wc -c"), 0);
    assert_true(atoi(output) > 500);
    assert_int_equal(run("d=$(mktemp -d) && " KASSAY " predict " DENSE "/model.keras --inputs " DENSE
                         "/io.npz --outputs $d/out.npz && unzip -l $d/out.npz && rm -r $d"),
                     0);
    assert_non_null(strstr(output, "output.0.npy"));
    assert_int_equal(
        run(KASSAY " predict " DENSE "/model.keras --inputs " DENSE "/weights.npz --outputs /dev/null 2>&1"), 64);
    // The first of two inputs fits.
    assert_int_equal(run("d=$(mktemp -d) && cd $d && unzip -q " DENSE "/io.npz && cp input.0.npy input.1.npy && "
                         "zip -q0 two.npz input.*.npy && " KASSAY " predict " DENSE
                         "/model.keras --inputs two.npz --outputs out.npz 2>&1; e=$?; rm -r $d; exit $e"),
                     64);
    assert_non_null(strstr(output, "model-inputs"));
    assert_non_null(strstr(output, "input.1"));
    assert_int_equal(run(KASSAY " dump " DENSE "/model.keras --json | head -c 30"), 0);
    assert_non_null(strstr(output, "kassay-dump/1"));
    assert_int_equal(run(KASSAY " summary " DENSE "/model.keras"), 0);
    assert_non_null(strstr(output, " Total params: 28 (112.00 B)"));
}

static int check_version(const char *version) {
    return run("d=$(mktemp -d) && " KASSAY " convert " DENSE "/model.keras $d/m --to keras-v3-dir && "
               "echo '{\"keras_version\": \"%s\"}' >$d/m/metadata.json && cd $d && " KASSAY " check m && " KASSAY
               " dump m; status=$?; rm -r $d; exit $status",
               version);
}

static void test_versions(void **state) {
    (void)state;
    assert_int_equal(check_version("3.15.1"), 0);
    assert_non_null(strstr(output, "m: accepted\n"));
    assert_int_equal(check_version("3.99.0"), 0);
    assert_non_null(strstr(output, "m: accepted; warning: keras-version-newer"));
    // Keras 1 would have another list of weights; it wrote no archives.
    assert_int_equal(check_version("1.15.1"), 0);
    assert_non_null(strstr(output, "m: accepted; warning: keras-version-odd"));
    assert_non_null(strstr(output, "variable layers/dense/vars/0 kernel float32 (6, 4) "));
    assert_null(strstr(output, " -\n"));
    assert_int_equal(check_version("4.0.0"), 2);
    assert_non_null(strstr(output, "m: unsupported model-version"));
}

// Only files are replaced: a pipe gets the bytes, a device is asked, a link keeps its place.
static void test_outputs_that_are_no_files(void **state) {
    (void)state;
    assert_int_equal(run("d=$(mktemp -d) && cd $d && mkfifo pipe && (cat pipe >got &) && " KASSAY " weights " DENSE
                         "/model.keras --out pipe && sleep 0.2 && " KASSAY " weights " DENSE
                         "/model.keras --out - | cmp - got && test -p pipe && rm -r $d"),
                     0);
    assert_int_equal(run("d=$(mktemp -d) && cd $d && echo old >file && ln -s file link && " KASSAY " convert " DENSE
                         "/model.keras link --to keras-v3 && test -L link && " KASSAY " check file && ls | wc -l && "
                         "rm -r $d"),
                     0);
    assert_string_equal(output, "file: accepted\n2\n");
    assert_int_equal(run("d=$(mktemp -d) && cd $d && ln -s nothing link && " KASSAY " convert " DENSE
                         "/model.keras link 2>&1; status=$?; test -L link && rm -r $d && exit $status"),
                     74);
    assert_int_equal(run(KASSAY " dump " DENSE "/model.keras 2>&1 >/dev/full"), 74);
    assert_non_null(strstr(output, "standard output cannot be written"));
}

static void test_benchmarks(void **state) {
    (void)state;
    assert_int_equal(run(KASSAY " bench check " DENSE "/model.keras --json --seconds 0.01"), 0);
    assert_non_null(strstr(output, "\"median_ns\": "));
    assert_null(strstr(output, "of_plain"));
    assert_int_equal(run("d=$(mktemp -d) && " KASSAY " bench save " DENSE
                         "/model.keras --seconds 0 --json --out $d/a.keras --plain $d/b && ls $d && rm -r $d"),
                     0);
    assert_non_null(strstr(output, "\"runs\": 3, "));
    assert_non_null(strstr(output, "\"of_plain\": "));
    assert_non_null(strstr(output, "}\na.keras\n")); // the plain file is gone
    assert_int_equal(run("d=$(mktemp -d) && " KASSAY " bench save " DENSE
                         "/model.keras --out $d/a.keras --plain $d/none/b 2>&1; x=$?; rm -r $d; exit $x"),
                     74);
    assert_int_equal(run(KASSAY " bench load " DENSE "/model.keras --seconds soon 2>&1"), 64);
    assert_int_equal(run(KASSAY " bench load " DENSE "/model.keras --dialect none 2>&1"), 64);
    assert_int_equal(run(KASSAY " bench load " DENSE "/model.keras --custom none.so 2>&1"), 74);
}

// What the dynamic linker loads is told by LD_DEBUG.
static void test_check_maps_no_heavy_library(void **state) {
    (void)state;
    assert_int_equal(
        run("LD_DEBUG=files " KASSAY " check " DENSE "/model.keras 2>&1 | grep -c -E 'lib(openblas|hdf5|zip|cjson)'"),
        1);
    assert_string_equal(output, "0\n");
    run("LD_DEBUG=files " KASSAY " check --road library " DENSE "/model.keras 2>&1 | grep -c -E 'libhdf5'");
    assert_true(atoi(output) > 0); // so the probe can see one
}

#define CUSTOM KASSAY_SOURCE_DIR "/golden/weights-v3/keras-3.15.1/custom/model-with-custom-config"
#define PLUGIN KASSAY_BINARY_DIR "/lib/custom/guide.so"

// Weights into a model of custom classes: only with the plugin, and then the same as those read with the architecture.
static void test_load_with_plugin(void **state) {
    char folder[] = "/tmp/kassay-command-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(
        run(KASSAY " load " CUSTOM "/model.weights.h5 --into " CUSTOM "/architecture.json --out %s/a.npz 2>&1", folder),
        2);
    assert_non_null(strstr(output, "unknown class"));
    assert_int_equal(run(KASSAY " load " CUSTOM "/model.weights.h5 --into " CUSTOM "/architecture.json --custom " PLUGIN
                                " --out %s/a.npz 2>&1",
                         folder),
                     0);
    assert_int_equal(run(KASSAY " weights " CUSTOM "/model.weights.h5 --architecture " CUSTOM
                                "/architecture.json --custom " PLUGIN " --out %s/b.npz 2>&1",
                         folder),
                     0);
    assert_int_equal(run("cmp %s/a.npz %s/b.npz", folder, folder), 0);
    assert_int_equal(run(KASSAY " load " CUSTOM "/model.weights.h5 --into " CUSTOM
                                "/architecture.json --custom %s/none.so --out %s/a.npz 2>&1",
                         folder, folder),
                     74);
    run("rm -r %s", folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_every_command_has_help),
        cmocka_unit_test(test_exit_codes_of_check),
        cmocka_unit_test(test_listed_differences_of_check),
        cmocka_unit_test(test_weights_and_predictions),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_outputs_that_are_no_files),
        cmocka_unit_test(test_benchmarks),
        cmocka_unit_test(test_load_with_plugin),
        cmocka_unit_test(test_check_maps_no_heavy_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
