// SPDX-License-Identifier: Apache-2.0
//
// Adapters: every way to misbehave is an outcome of its own, in both forms; an honest one passes; one that refuses
// everything or gives nothing earns nothing; the process that follows a crash is a fresh one; nothing stays behind.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/scratch.h"
#include "runner/verify.h"

#define PROGRAM KASSAY_BINARY_DIR "/bin/adapter_for_tests"
#define GOLDEN KASSAY_SOURCE_DIR "/golden"
#define N_CASES 4

// Three that must be accepted, the second with three outputs, and one that must be refused, whose twin is elsewhere.
static ks_plan_item items[N_CASES] = {
    {"keras-v3/keras-3.15.1/core/dense", NULL},
    {"keras-v3/keras-3.15.1/structure/nested-outputs", NULL},
    {"keras-v3/reject/zip/crc-field", NULL},
    {"weights-v3/keras-3.15.1/core/dense", NULL},
};

static char folder[1024];

static int set_up(void **state) {
    ks_context context;
    (void)state;
    ks_context_init(&context, NULL);
    if (ks_scratch_make(folder, &context, NULL, "kassay-test") != KS_OK || setenv("TMPDIR", folder, 1) != 0)
        return -1;
    ks_case c;
    for (int i = 0; i < N_CASES; i++) { // the twin, as the plan finds it
        if (ks_case_open(&c, &context, GOLDEN, items[i].id) != KS_OK)
            return -1;
        if (c.expect == KS_EXPECT_REJECT)
            items[i].twin = strdup(c.twin);
        ks_case_close(&c);
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unsetenv("TMPDIR");
    ks_scratch_remove(folder);
    return 0;
}

static ks_result results[N_CASES];
static const char *through, *rewrite; ///< of the next run

static size_t entries_of(const char *path) {
    DIR *stream = opendir(path);
    size_t count = 0;
    assert_non_null(stream);
    while (readdir(stream))
        count++;
    closedir(stream);
    return count - 2;
}

static void judge_some(const char *mode, ks_adapter_form form, size_t count) {
    ks_plan plan = {.items = items, .count = count};
    ks_adapter_limits limits = ks_adapter_limits_default();
    ks_adapter_run asking = {.converter = PROGRAM, .through = through, .rewrite = rewrite};
    ks_verify_options options = {.jobs = 1, .case_seconds = 60, .adapter = &asking};
    ks_context context;
    ks_adapter adapter;
    char command[1024];
    snprintf(command, sizeof(command), "'%s' -%s", PROGRAM, mode);
    // Short only where it is waited for: the machine may be busy.
    limits.case_seconds =
        strcmp(mode, "hang") == 0 || strcmp(mode, "late") == 0 || strcmp(mode, "silent") == 0 ? 3 : 60;
    limits.cpu_seconds = strcmp(mode, "spin") == 0 ? 1 : 60;
    limits.memory = (uint64_t)800 << 20;
    limits.disk = (uint64_t)8 << 20;
    ks_context_init(&context, NULL);
    if (ks_adapter_open(&adapter, &context, command, form, &limits) != KS_OK)
        fail_msg("%s", context.error.message);
    assert_int_equal(adapter.form, form);
    ks_adapter_rest(&adapter);
    asking.adapter = &adapter;
    assert_int_equal(ks_verify(results, &context, GOLDEN, &plan, &options), KS_OK);
    ks_adapter_close(&adapter);
    assert_int_equal(entries_of(folder), 0);
}

static void judge(const char *mode, ks_adapter_form form) {
    judge_some(mode, form, N_CASES);
}

static void expect(const char *mode, size_t index, const char *outcome, const char *message) {
    char text[KS_OUTCOME_TEXT_SIZE];
    const ks_result *result = &results[index];
    if (strcmp(ks_outcome_text(text, result), outcome) != 0 || !strstr(result->message, message))
        fail_msg("%s, case %zu: %s (%s), expected %s (…%s…)", mode, index, text, result->message, outcome, message);
}

static void expect_all(const char *mode, const char *const outcomes[N_CASES], const char *message) {
    for (size_t i = 0; i < N_CASES; i++)
        expect(mode, i, outcomes[i], strcmp(outcomes[i], "PASS") == 0 ? "" : message);
}

// --- honest ---------------------------------------------------------------------------------------------------------

static void test_honest(void **state) {
    static const char *const all[N_CASES] = {"PASS", "PASS", "PASS", "PASS"};
    (void)state;
    judge("honest", KS_ADAPTER_LONG);
    expect_all("honest", all, "");
    judge("honest", KS_ADAPTER_SMALL);
    expect_all("honest", all, "");
    // No golden file lies in the folder of the request or above it.
    judge("peek", KS_ADAPTER_LONG);
    expect_all("peek", all, "");
}

static void test_form_is_found(void **state) {
    ks_adapter_limits limits = ks_adapter_limits_default();
    ks_context context;
    ks_adapter adapter;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_adapter_open(&adapter, &context, PROGRAM, KS_ADAPTER_FIND, &limits), KS_OK);
    assert_int_equal(adapter.form, KS_ADAPTER_LONG);
    assert_string_equal(adapter.hello.name, "adapter for tests");
    assert_true(ks_adapter_reads(&adapter, "keras-v3"));
    assert_false(ks_adapter_reads(&adapter, "keras-v"));
    assert_true(ks_adapter_writes(&adapter, "json-v3"));
    assert_false(ks_adapter_writes(&adapter, "h5-legacy"));
    ks_adapter_close(&adapter);
    setenv("KASSAY_TEST_SMALL", "1", 1);
    assert_int_equal(ks_adapter_open(&adapter, &context, PROGRAM, KS_ADAPTER_FIND, &limits), KS_OK);
    assert_int_equal(adapter.form, KS_ADAPTER_SMALL);
    ks_adapter_close(&adapter);
    unsetenv("KASSAY_TEST_SMALL");
    assert_int_equal(ks_adapter_open(&adapter, &context, "/no/such/program", KS_ADAPTER_FIND, &limits), KS_E_IO);
    assert_non_null(strstr(context.error.message, "not found"));
    ks_context_clear(&context);
    assert_int_equal(ks_adapter_open(&adapter, &context, "sh -c 'sleep 9' adapter", KS_ADAPTER_FIND,
                                     &(ks_adapter_limits){1, 1, 60, (uint64_t)1 << 30, (uint64_t)1 << 30}),
                     KS_E_IO);
    assert_non_null(strstr(context.error.message, "no answer to hello within 1 s"));
    assert_int_equal(entries_of(folder), 0);
}

// --- misbehaviour ---------------------------------------------------------------------------------------------------

// From its second request on the adapter misbehaves; a fresh process does well with its first one, so the next case
// passes again. The twin of case 2 is judged by a process of its own.
static void test_long_form(void **state) {
    static const struct {
        const char *mode, *outcome, *message;
    } rows[] = {
        {"crash", "CRASH", "ended by signal 6 (Aborted); it printed: request read about to abort"},
        {"exit", "CRASH", "ended with status 1 without an answer"},
        {"hang", "HANG", "no answer within 3 s"},
        {"spin", "HANG", "no answer within 1 s of processor time"},
        {"late", "HANG", "no answer within 3 s"},
        {"silent", "HANG", "no answer within 3 s"},
        {"sequence", "CRASH", "a reply out of sequence: seq 1 to request 2"},
        {"twice", "CRASH", "more than one line to one request"},
        {"garbage", "CRASH", "a malformed reply"},
        {"eat", "OVER_MEMORY", "more than 800 MiB resident"},
        {"fill", "OVER_DISK", "more than 8 MiB of files"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const outcomes[N_CASES] = {"PASS", rows[i].outcome, "PASS", rows[i].outcome};
        judge(rows[i].mode, KS_ADAPTER_LONG);
        expect_all(rows[i].mode, outcomes, rows[i].message);
    }
}

static void test_small_form(void **state) {
    static const struct {
        const char *mode, *outcome, *message;
    } rows[] = {
        {"crash", "CRASH", "ended by signal 6 (Aborted); it printed"},
        {"exit", "CRASH", "ended with status 1 without an answer"},
        {"hang", "HANG", "no answer within 3 s"},
        {"spin", "HANG", "no answer within 1 s of processor time"},
        {"quiet", "CRASH", "a missing reply"},
        {"garbage", "CRASH", "a malformed reply"},
        {"eat", "OVER_MEMORY", "more than 800 MiB resident"},
        {"fill", "OVER_DISK", "more than 8 MiB of files"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        judge_some(rows[i].mode, KS_ADAPTER_SMALL, 2);
        for (size_t k = 0; k < 2; k++)
            expect(rows[i].mode, k, rows[i].outcome, rows[i].message);
    }
}

static void test_lie(void **state) {
    (void)state;
    judge("lie", KS_ADAPTER_SMALL);
    expect("lie", 0, "CRASH", "exit status 11 (rejected), but the reply says accepted");
    expect("lie", 2, "CRASH", "exit status 10 (accepted), but the reply says rejected");
}

// --- wrong answers --------------------------------------------------------------------------------------------------

static void test_refusing_everything_earns_nothing(void **state) {
    static const char *const refuse[N_CASES] = {"FAIL:rejected-good", "FAIL:rejected-good", "UNDECIDED",
                                                "FAIL:rejected-good"};
    static const char *const unsupported[N_CASES] = {"UNSUPPORTED", "UNSUPPORTED", "UNSUPPORTED", "UNSUPPORTED"};
    (void)state;
    judge("refuse", KS_ADAPTER_LONG);
    expect_all("refuse", refuse, "as");
    assert_non_null(strstr(results[2].message, "its twin keras-v3/"));
    judge("unsupported", KS_ADAPTER_LONG);
    expect_all("unsupported", unsupported, "as asked");
}

static void test_giving_nothing_earns_nothing(void **state) {
    static const char *const outcomes[N_CASES] = {"UNDECIDED", "UNDECIDED", "PASS", "UNDECIDED"};
    (void)state;
    judge("empty", KS_ADAPTER_LONG);
    expect_all("empty", outcomes, "nothing that could be compared");
}

static void test_wrong_parts(void **state) {
    static const struct {
        const char *mode, *outcome, *message;
    } rows[] = {
        {"weight", "FAIL:wrong-weights", "has other bits"},
        {"outputs", "FAIL:wrong-value", "output.0"},
        {"dump", "FAIL:wrong-structure", "/inputs: got a list of 0, expected a list of"},
        {"missing", "FAIL:wrong-weights", "the reply says accepted, but there is no w.npz"},
        {"unpredicted", "FAIL:wrong-value", "no outputs: did not feel like it"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const outcomes[N_CASES] = {rows[i].outcome, rows[i].outcome, "PASS", rows[i].outcome};
        judge(rows[i].mode, KS_ADAPTER_LONG);
        expect_all(rows[i].mode, outcomes, rows[i].message);
    }
}

// --- both ways ------------------------------------------------------------------------------------------------------

static void test_through_another_format(void **state) {
    (void)state;
    through = "keras-v3";
    judge_some("honest", KS_ADAPTER_LONG, 2);
    expect("honest", 0, "PASS", "");
    expect("honest", 1, "PASS", "");
    judge_some("outputs", KS_ADAPTER_SMALL, 1);
    expect("outputs", 0, "FAIL:wrong-value", "output.0");
    through = "json-v3";
    judge_some("honest", KS_ADAPTER_LONG, 1);
    expect("honest", 0, "UNSUPPORTED", "cannot be written as json-v3: this cannot be said in json-v3");
    through = "weights-v3";
    judge_some("honest", KS_ADAPTER_LONG, 1);
    expect("honest", 0, "HARNESS_ERROR", "the conversion to weights-v3 failed: this cannot be said");
    through = "h5-legacy";
    judge_some("honest", KS_ADAPTER_LONG, 1);
    expect("honest", 0, "UNSUPPORTED", "the adapter does not declare h5-legacy");
    through = NULL;
}

static void test_rewriting(void **state) {
    (void)state;
    rewrite = "keras-v3";
    judge_some("honest", KS_ADAPTER_LONG, 2);
    expect("honest", 0, "PASS", "");
    expect("honest", 1, "PASS", "");
    judge_some("honest", KS_ADAPTER_SMALL, 1);
    expect("honest", 0, "PASS", "");
    rewrite = "weights-v3"; // it only copies
    judge_some("honest", KS_ADAPTER_LONG, 1);
    expect("honest", 0, "FAIL:wrong-structure", "model.weights.h5");
    rewrite = "h5-legacy";
    judge_some("honest", KS_ADAPTER_LONG, 1);
    expect("honest", 0, "UNSUPPORTED", "does not declare to write h5-legacy");
    rewrite = NULL;
}

// --- what stays behind ----------------------------------------------------------------------------------------------

static size_t count_processes(const char *name) {
    char path[300], text[512];
    struct dirent *entry;
    size_t count = 0, size;
    DIR *stream = opendir("/proc");
    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
        FILE *file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (!file)
            continue;
        size = fread(text, 1, sizeof(text) - 1, file);
        fclose(file);
        for (size_t i = 0; i < size; i++)
            text[i] = text[i] ? text[i] : ' ';
        text[size] = 0;
        count += strstr(text, name) != NULL;
    }
    closedir(stream);
    return count;
}

static void test_nothing_stays_behind(void **state) {
    static const char *const all[N_CASES] = {"PASS", "PASS", "PASS", "PASS"};
    (void)state;
    judge("leave", KS_ADAPTER_LONG);
    expect_all("leave", all, "");
    assert_int_equal(count_processes(PROGRAM " -leave"), 0);
    judge("leave", KS_ADAPTER_SMALL);
    assert_int_equal(count_processes(PROGRAM " -leave"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),
        cmocka_unit_test(test_form_is_found),
        cmocka_unit_test(test_long_form),
        cmocka_unit_test(test_small_form),
        cmocka_unit_test(test_lie),
        cmocka_unit_test(test_refusing_everything_earns_nothing),
        cmocka_unit_test(test_giving_nothing_earns_nothing),
        cmocka_unit_test(test_wrong_parts),
        cmocka_unit_test(test_through_another_format),
        cmocka_unit_test(test_rewriting),
        cmocka_unit_test(test_nothing_stays_behind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
