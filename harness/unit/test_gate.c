// SPDX-License-Identifier: Apache-2.0
//
// Expectations, results and the gate: every rule of its own seen failing; the self-test; the written form read back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/gate.h"

static ks_code parse(ks_expectations *out, ks_context *context, const char *text) {
    ks_context_clear(context);
    return ks_expectations_parse(out, context, (ks_bytes){(const uint8_t *)text, strlen(text)}, "2026-06-01");
}

static void test_expectation_lines(void **state) {
    static const char text[] = "# a comment with until=nothing\n"
                               "\n"
                               "keras-v3/*/lstm* FAIL:wrong-value  # gates  @https://example.org/1  until=2026-12-31\n"
                               "a/b UNSUPPORTED # not yet until=2026-05-31\r\n"
                               "x CRASH #";
    ks_expectations expectations;
    ks_context context;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(parse(&expectations, &context, text), KS_OK);
    assert_int_equal(expectations.count, 3);
    assert_string_equal(expectations.items[0].pattern, "keras-v3/*/lstm*");
    assert_string_equal(expectations.items[0].outcome.kind, "wrong-value");
    assert_int_equal(expectations.items[0].line, 3);
    assert_false(expectations.items[0].expired);
    assert_int_equal(expectations.items[1].outcome.outcome, KS_OUTCOME_UNSUPPORTED);
    assert_true(expectations.items[1].expired);
    assert_int_equal(expectations.items[2].outcome.outcome, KS_OUTCOME_CRASH);
    ks_expectations_free(&expectations);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_wrong_lines(void **state) {
    static const char *const wrongs[] = {"a # why",         "a FAIL # why", "a FAIL:wrong # why",      "a PASS # why",
                                         "a CRASH b # why", "a CRASH",      "a CRASH # why until=soon"};
    ks_expectations expectations;
    ks_context context;
    (void)state;
    ks_context_init(&context, NULL);
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        assert_int_equal(parse(&expectations, &context, wrongs[i]), KS_E_USAGE);
        assert_string_equal(context.error.place, "line 1");
        assert_int_equal(context.memory.n_live, 0);
    }
}

static void test_self_test(void **state) {
    ks_context context;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_gate_self_test(&context, NULL), KS_GATE_EQUAL);
    assert_int_equal(context.memory.n_live, 0);
}

static int gate_of(ks_context *context, const char *text, const char *lines) {
    ks_expectations expectations;
    ks_results results;
    int code;
    assert_int_equal(ks_results_parse(&results, context, (ks_bytes){(const uint8_t *)text, strlen(text)}), KS_OK);
    assert_int_equal(parse(&expectations, context, lines), KS_OK);
    code = ks_gate(&results, &expectations, NULL);
    ks_expectations_free(&expectations);
    ks_results_free(&results);
    return code;
}

static void test_broken_results(void **state) {
    static const char *const broken[] = {
        "",
        "not json\n",
        "{\"kassay\": \"results/1\"}\n",
        "{\"kassay\": \"results/1\"}\n{\"plan\": [\"a\"]}\n",
        "{\"kassay\": \"results/1\"}\n{\"plan\": [\"a\"]}\n{\"id\": \"b\", \"outcome\": \"PASS\"}\n",
        "{\"kassay\": \"results/1\"}\n{\"plan\": [\"a\"]}\n{\"id\": \"a\", \"outcome\": \"GOOD\"}\n"};
    ks_context context;
    (void)state;
    ks_context_init(&context, NULL);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_int_equal(gate_of(&context, broken[i], ""), KS_GATE_HARNESS);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_written_results_are_read(void **state) {
    ks_plan_item items[2] = {{"a/one", NULL}, {"a/two", NULL}};
    ks_plan plan = {.items = items, .count = 2};
    ks_result results[2] = {{.outcome = KS_OUTCOME_PASS},
                            {.outcome = KS_OUTCOME_FAIL, .kind = "wrong-weights", .message = "weight.0 \"x\"\n"}};
    ks_context context;
    ks_results read;
    ks_text text;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_results_text(&text, &context, &plan, results, 2), KS_OK);
    assert_int_equal(ks_results_parse(&read, &context, (ks_bytes){(const uint8_t *)text.data, text.size}), KS_OK);
    assert_string_equal(read.problem, "");
    assert_int_equal(read.n_lines, 2);
    assert_string_equal(read.lines[1].id, "a/two");
    assert_string_equal(read.lines[1].result.message, "weight.0 \"x\"\n");
    ks_results_free(&read);
    assert_int_equal(gate_of(&context, text.data, "a/t* FAIL:wrong-weights # x\n"), KS_GATE_EQUAL);
    assert_int_equal(gate_of(&context, text.data, "a/* FAIL:wrong-weights # x\n"), KS_GATE_STALE); // a/one passes
    assert_int_equal(gate_of(&context, text.data, ""), KS_GATE_NEW_DEVIATION);
    ks_free(&context, (void *)(uintptr_t)text.data);
    assert_int_equal(context.memory.n_live, 0);
}

// A run that is cut short, in the middle of a line, and continued.
static void test_journal_is_continued(void **state) {
    ks_plan_item items[3] = {{"a", NULL}, {"b", NULL}, {"c", NULL}};
    ks_plan plan = {.items = items, .count = 3, .implementation = "x", .version = "1"};
    ks_result results[3],
        good = {.outcome = KS_OUTCOME_PASS, .accepted = true, .verdict = "accepted", .nanoseconds = 7};
    ks_result broken = {.outcome = KS_OUTCOME_HARNESS_ERROR};
    char path[64] = "/tmp/kassay-journal-XXXXXX", partial[80];
    ks_results_journal journal;
    ks_context context;
    int file = mkstemp(path);
    FILE *torn;
    (void)state;
    assert_true(file >= 0);
    close(file);
    snprintf(partial, sizeof(partial), "%s.partial", path);
    ks_context_init(&context, NULL);
    memset(results, 0, sizeof(results));
    assert_int_equal(ks_results_journal_open(&journal, &context, path, &plan, results, true), KS_OK); // there is none
    assert_int_equal(ks_results_journal_put(&journal, "c", &good), KS_OK);
    assert_int_equal(ks_results_journal_put(&journal, "a", &broken), KS_OK);
    ks_results_journal_close(&journal, false);
    torn = fopen(partial, "ab");
    assert_non_null(torn);
    fputs("{\"id\": \"b\", \"outco", torn);
    fclose(torn);
    assert_int_equal(ks_results_journal_open(&journal, &context, path, &plan, results, true), KS_OK);
    ks_results_journal_close(&journal, false);
    assert_int_equal(results[0].outcome, KS_OUTCOME_NOT_RUN); // a harness error is tried again
    assert_int_equal(results[1].outcome, KS_OUTCOME_NOT_RUN);
    assert_int_equal(results[2].outcome, KS_OUTCOME_PASS);
    assert_true(results[2].accepted && results[2].nanoseconds == 7);
    plan.version = "2"; // no longer the same
    assert_int_equal(ks_results_journal_open(&journal, &context, path, &plan, results, true), KS_E_USAGE);
    plan.version = "1";
    plan.count = 2;
    ks_context_clear(&context);
    assert_int_equal(ks_results_journal_open(&journal, &context, path, &plan, results, true), KS_E_USAGE);
    ks_context_clear(&context);
    plan.count = 3;
    memset(results, 0, sizeof(results));
    assert_int_equal(ks_results_journal_open(&journal, &context, path, &plan, results, false), KS_OK); // anew
    assert_int_equal(results[2].outcome, KS_OUTCOME_NOT_RUN);
    ks_results_journal_close(&journal, true);
    assert_int_not_equal(access(partial, F_OK), 0);
    assert_int_equal(context.memory.n_live, 0);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expectation_lines),
        cmocka_unit_test(test_wrong_lines),
        cmocka_unit_test(test_self_test),
        cmocka_unit_test(test_broken_results),
        cmocka_unit_test(test_written_results_are_read),
        cmocka_unit_test(test_journal_is_continued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
