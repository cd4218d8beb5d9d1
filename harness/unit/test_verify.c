// SPDX-License-Identifier: Apache-2.0
//
// The runner: a crash and a hang cost one case each; planted faults in a copied case (wrong value, wrong weight, wrong
// structure, missing twin) each give their own outcome.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/verify.h"

// --- children that misbehave ----------------------------------------------------------------------------------------

static void misbehave(ks_result *out, const char *root, const char *id, ks_roads roads) {
    (void)root;
    (void)roads;
    memset(out, 0, sizeof(*out));
    if (strcmp(id, "crash") == 0) {
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    if (strcmp(id, "exit") == 0)
        _exit(7);
    while (strcmp(id, "hang") == 0)
        pause();
    out->outcome = KS_OUTCOME_PASS;
    snprintf(out->message, sizeof(out->message), "%s", id);
}

static void test_every_case_has_one_outcome(void **state) {
    ks_plan_item items[7] = {{"a", NULL},    {"b", NULL},    {"crash", NULL}, {"d", NULL},
                             {"exit", NULL}, {"hang", NULL}, {"z", NULL}};
    ks_plan plan = {.items = items, .count = 7};
    ks_result results[7];
    ks_context context;
    (void)state;
    for (unsigned jobs = 1; jobs <= 3; jobs++) {
        ks_verify_options options = {.jobs = jobs, .case_seconds = 1, .judge = misbehave};
        ks_context_init(&context, NULL);
        assert_int_equal(ks_verify(results, &context, ".", &plan, &options), KS_OK);
        assert_int_equal(results[0].outcome, KS_OUTCOME_PASS);
        assert_string_equal(results[0].message, "a");
        assert_int_equal(results[1].outcome, KS_OUTCOME_PASS);
        assert_int_equal(results[2].outcome, KS_OUTCOME_CRASH);
        assert_int_equal(results[3].outcome, KS_OUTCOME_PASS);
        assert_int_equal(results[4].outcome, KS_OUTCOME_CRASH);
        assert_int_equal(results[5].outcome, KS_OUTCOME_HANG);
        assert_int_equal(results[6].outcome, KS_OUTCOME_PASS);
    }
}

// --- planted faults in a case ---------------------------------------------------------------------------------------

static char suite[64];

#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
static void
shell(const char *format, ...) {
    char command[4096];
    va_list list;
    va_start(list, format);
    vsnprintf(command, sizeof(command), format, list);
    va_end(list);
    assert_int_equal(system(command), 0);
}

static int copy_case(void **state) {
    (void)state;
    snprintf(suite, sizeof(suite), "/tmp/kassay-suite-XXXXXX");
    if (!mkdtemp(suite))
        return -1;
    shell("cp -r '%s/golden/keras-v3/keras-3.15.1/core/dense' '%s/case'", KASSAY_SOURCE_DIR, suite);
    return 0;
}

static int remove_case(void **state) {
    (void)state;
    shell("rm -rf '%s'", suite);
    return 0;
}

// Changes one byte of a file, counted from its end when `at` is negative.
static void change(const char *name, long at) {
    char path[256];
    FILE *file;
    int byte;
    snprintf(path, sizeof(path), "%s/case/%s", suite, name);
    file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    byte = fgetc(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    fputc(byte ^ 0x40, file);
    fclose(file);
}

static ks_result judged(void) {
    ks_result result;
    ks_judge(&result, suite, "case", KS_ROADS_BOTH);
    return result;
}

static void test_good_case_passes(void **state) {
    ks_result result = judged();
    (void)state;
    if (result.outcome != KS_OUTCOME_PASS)
        fail_msg("%s", result.message);
}

static void test_wrong_golden_value(void **state) {
    ks_result result;
    (void)state;
    shell("cd '%s/case' && mkdir x && cd x && unzip -q ../io.npz && printf '\\377\\377' | "
          "dd of=output.0.npy bs=1 seek=130 conv=notrunc 2>/dev/null && rm ../io.npz && zip -q -0 ../io.npz *.npy && "
          "cd .. && rm -r x",
          suite);
    result = judged();
    assert_int_equal(result.outcome, KS_OUTCOME_FAIL);
    assert_string_equal(result.kind, "wrong-value");
    assert_non_null(strstr(result.message, "output.0[0, 0]"));
}

static void test_wrong_golden_weight(void **state) {
    ks_result result;
    (void)state;
    shell("cd '%s/case' && mkdir x && cd x && unzip -q ../weights.npz && printf '\\001' | "
          "dd of=weight.0.npy bs=1 seek=132 conv=notrunc 2>/dev/null && rm ../weights.npz && zip -q -0 ../weights.npz "
          "*.npy && cd .. && "
          "rm -r x",
          suite);
    result = judged();
    assert_string_equal(result.kind, "wrong-weights");
    assert_non_null(strstr(result.message, "weight.0 (layers/dense/vars/0): element 1"));
}

static void test_wrong_golden_structure(void **state) {
    ks_result result;
    (void)state;
    shell("sed -i 's/\"units\": 4/\"units\": 5/' '%s/case/structure.json'", suite);
    result = judged();
    assert_string_equal(result.kind, "wrong-structure");
    assert_string_equal(result.message, "/object/config/layers/1/config/units: got 4, expected 5");
}

static void test_damaged_artifact(void **state) {
    ks_result result;
    (void)state;
    change("model.keras", 300);
    result = judged();
    assert_string_equal(result.kind, "rejected-good");
    assert_string_equal(result.code, "zip-bad-crc");
}

static void test_accepted_bad(void **state) {
    ks_result result;
    (void)state;
    shell("sed -i 's/\"expect\": \"accept\"/\"expect\": \"reject\"/; s/\"reason\": null/\"reason\": [\"malformed\"]/; "
          "s/\"twin\": null/\"twin\": \"x\"/' "
          "'%s/case/case.json'",
          suite);
    result = judged();
    assert_string_equal(result.kind, "accepted-bad");
}

static void test_broken_case_is_a_harness_error(void **state) {
    (void)state;
    shell("sed -i 's/\"revision\"/\"revisoin\"/' '%s/case/case.json'", suite);
    assert_int_equal(judged().outcome, KS_OUTCOME_HARNESS_ERROR);
}

// A refusal whose twin is not accepted earns nothing.
static void test_refused_twin_leaves_undecided(void **state) {
    ks_plan_item items[2] = {{"case", "twin"}, {"twin", NULL}};
    ks_plan plan = {.items = items, .count = 2};
    ks_verify_options options = {.jobs = 1, .case_seconds = 20};
    ks_result results[2];
    ks_context context;
    (void)state;
    shell(
        "cp -r '%s/case' '%s/twin' && sed -i 's/\"expect\": \"accept\"/\"expect\": \"reject\"/; "
        "s/\"reason\": null/\"reason\": [\"zip-bad-crc\"]/; s/\"twin\": null/\"twin\": \"twin\"/' '%s/case/case.json'",
        suite, suite, suite);
    change("model.keras", 300);
    ks_context_init(&context, NULL);
    assert_int_equal(ks_verify(results, &context, suite, &plan, &options), KS_OK);
    assert_int_equal(results[0].outcome, KS_OUTCOME_PASS);
    assert_int_equal(results[1].outcome, KS_OUTCOME_PASS);
    shell("cp '%s/case/model.keras' '%s/twin/model.keras'", suite, suite);
    assert_int_equal(ks_verify(results, &context, suite, &plan, &options), KS_OK);
    assert_int_equal(results[0].outcome, KS_OUTCOME_UNDECIDED);
    assert_int_equal(results[1].outcome, KS_OUTCOME_FAIL);
}

// What is known from an earlier run is not judged again.
static void test_run_is_resumed(void **state) {
    ks_plan_item items[3] = {{"a", NULL}, {"crash", NULL}, {"z", NULL}};
    ks_plan plan = {.items = items, .count = 3};
    ks_verify_options options = {.jobs = 2, .case_seconds = 5, .judge = misbehave, .resume = true};
    ks_result results[3];
    ks_context context;
    (void)state;
    ks_context_init(&context, NULL);
    memset(results, 0, sizeof(results));
    results[1].outcome = KS_OUTCOME_PASS;
    snprintf(results[1].message, sizeof(results[1].message), "known");
    assert_int_equal(ks_verify(results, &context, ".", &plan, &options), KS_OK);
    assert_string_equal(results[0].message, "a");
    assert_string_equal(results[1].message, "known");
    assert_string_equal(results[2].message, "z");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_case_has_one_outcome),
        cmocka_unit_test(test_run_is_resumed),
        cmocka_unit_test_setup_teardown(test_good_case_passes, copy_case, remove_case),
        cmocka_unit_test_setup_teardown(test_wrong_golden_value, copy_case, remove_case),
        cmocka_unit_test_setup_teardown(test_wrong_golden_weight, copy_case, remove_case),
        cmocka_unit_test_setup_teardown(test_wrong_golden_structure, copy_case, remove_case),
        cmocka_unit_test_setup_teardown(test_damaged_artifact, copy_case, remove_case),
        cmocka_unit_test_setup_teardown(test_accepted_bad, copy_case, remove_case),
        cmocka_unit_test_setup_teardown(test_broken_case_is_a_harness_error, copy_case, remove_case),
        cmocka_unit_test_setup_teardown(test_refused_twin_leaves_undecided, copy_case, remove_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
