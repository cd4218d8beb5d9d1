// SPDX-License-Identifier: Apache-2.0
#include "runner/gate.h"

#include <kassay/source.h>

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

// --- expectations ---------------------------------------------------------------------------------------------------

static ks_code bad_line(ks_context *context, int line, const char *what) {
    char place[32];
    snprintf(place, sizeof(place), "line %d", line);
    return ks_fail(context, KS_E_USAGE, KS_STAGE_NONE, KS_NO_OFFSET, place, "expectations: %s", what);
}

static bool is_date(const char *text) {
    for (int i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

static ks_code take_line(ks_expectations *out, ks_context *context, char *text, int line, const char *today) {
    ks_expectation *item = &out->items[out->count];
    char *comment = strchr(text, '#'), *until = NULL, *pattern, *outcome, *rest = NULL;
    if (comment) {
        until = strstr(comment, "until=");
        *comment = 0;
    }
    pattern = strtok_r(text, " \t\r", &rest);
    outcome = strtok_r(NULL, " \t\r", &rest);
    if (!pattern)
        return KS_OK; // blank or comment
    if (!outcome || strtok_r(NULL, " \t\r", &rest))
        return bad_line(context, line, "expected \"id-or-glob OUTCOME  # why\"");
    if (!ks_outcome_parse(&item->outcome, outcome) || item->outcome.outcome == KS_OUTCOME_PASS)
        return bad_line(context, line, "this is no deviation's name");
    if (!comment)
        return bad_line(context, line, "a reason is missing (# why)");
    if (until && !is_date(until + 6))
        return bad_line(context, line, "until= wants a date, YYYY-MM-DD");
    item->expired = until && strncmp(until + 6, today, 10) < 0;
    item->pattern = pattern;
    item->line = line;
    out->count++;
    return KS_OK;
}

ks_code ks_expectations_parse(ks_expectations *out, ks_context *context, ks_bytes text, const char *today) {
    size_t n_lines = 1;
    int line = 1;
    char *copy, date[16];
    ks_code code = KS_OK;
    memset(out, 0, sizeof(*out));
    ks_arena_init(&out->arena, context);
    if (!today) {
        time_t clock = time(NULL);
        struct tm day;
        gmtime_r(&clock, &day);
        strftime(date, sizeof(date), "%Y-%m-%d", &day);
        today = date;
    }
    for (size_t i = 0; i < text.size; i++)
        n_lines += text.data[i] == '\n';
    copy = ks_arena_get(&out->arena, text.size + 1, 1);
    out->items = ks_arena_get(&out->arena, n_lines + 1, sizeof(*out->items));
    if (!copy || !out->items) {
        code = context->error.code;
        goto done;
    }
    if (text.size)
        memcpy(copy, text.data, text.size);
    for (char *at = copy; at; line++) {
        char *end = strchr(at, '\n');
        if (end)
            *end = 0;
        KS_TRY(take_line(out, context, at, line, today));
        at = end ? end + 1 : NULL;
    }
done:
    if (code != KS_OK)
        ks_expectations_free(out);
    return code;
}

ks_code ks_expectations_read(ks_expectations *out, ks_context *context, const char *path, const char *today) {
    ks_source *source = NULL;
    ks_bytes none = {0};
    ks_code code;
    memset(out, 0, sizeof(*out));
    if (!path)
        return ks_expectations_parse(out, context, none, today);
    KS_TRY(ks_source_open(&source, context, path));
    KS_TRY(ks_expectations_parse(out, context, ks_source_bytes(source), today));
done:
    ks_source_close(source);
    return code;
}

void ks_expectations_free(ks_expectations *expectations) {
    ks_arena_fini(&expectations->arena);
}

// --- the gate -------------------------------------------------------------------------------------------------------

typedef struct judgement {
    int code;
    FILE *out;
} judgement;

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
say(judgement *j, int code, const char *format, ...) {
    va_list list;
    if (code > j->code)
        j->code = code;
    if (!j->out)
        return;
    va_start(list, format);
    vfprintf(j->out, format, list);
    va_end(list);
}

static bool same_outcome(const ks_result *a, const ks_result *b) {
    return a->outcome == b->outcome && strcmp(a->kind, b->kind) == 0;
}

static void judge_line(judgement *j, const ks_results_line *line, ks_expectations *expectations) {
    char got[KS_OUTCOME_TEXT_SIZE], expected[KS_OUTCOME_TEXT_SIZE];
    bool listed = false;
    ks_outcome_text(got, &line->result);
    for (size_t i = 0; i < expectations->count; i++) {
        ks_expectation *item = &expectations->items[i];
        if (!ks_glob(item->pattern, line->id))
            continue;
        item->n_matched++;
        listed = true;
        ks_outcome_text(expected, &item->outcome);
        if (line->result.outcome == KS_OUTCOME_PASS)
            say(j, KS_GATE_STALE, "unexpected pass: %s (line %d expects %s)\n", line->id, item->line, expected);
        else if (!same_outcome(&line->result, &item->outcome))
            say(j, KS_GATE_NEW_DEVIATION, "other deviation: %s %s (line %d expects %s)\n", line->id, got, item->line,
                expected);
    }
    if (line->result.outcome == KS_OUTCOME_HARNESS_ERROR)
        say(j, KS_GATE_HARNESS, "harness error: %s: %s\n", line->id, line->result.message);
    else if (line->result.outcome != KS_OUTCOME_PASS && !listed)
        say(j, KS_GATE_NEW_DEVIATION, "new deviation: %s %s: %s\n", line->id, got, line->result.message);
}

int ks_gate(const ks_results *results, ks_expectations *expectations, FILE *out) {
    judgement j = {.out = out};
    if (results->problem[0])
        say(&j, KS_GATE_HARNESS, "results: %s\n", results->problem);
    if (results->n_planned == 0)
        say(&j, KS_GATE_HARNESS, "results: nothing was planned\n");
    for (size_t i = 0; i < expectations->count; i++)
        expectations->items[i].n_matched = 0;
    for (size_t i = 0; i < results->n_lines; i++)
        judge_line(&j, &results->lines[i], expectations);
    for (size_t i = 0; i < expectations->count; i++) {
        const ks_expectation *item = &expectations->items[i];
        if (item->n_matched == 0 && !expectations->partial)
            say(&j, KS_GATE_STALE, "stale line %d: %s matches no planned case\n", item->line, item->pattern);
        if (item->expired)
            say(&j, KS_GATE_STALE, "stale line %d: %s is past its date\n", item->line, item->pattern);
    }
    return j.code;
}

// --- self-test ------------------------------------------------------------------------------------------------------

typedef struct planted {
    const char *what;
    ks_outcome outcomes[3];
    const char *expectations;
    size_t cut;   ///< results left out at the end
    size_t alter; ///< byte to change, 0: none
    int code;
} planted;

static ks_code write_results(ks_text *out, ks_context *context, const planted *p);

static int run_planted(ks_context *context, const planted *p) {
    ks_text text = {0};
    ks_results results;
    ks_expectations expectations;
    int code = -1;
    if (write_results(&text, context, p) != KS_OK)
        return -1;
    if (ks_results_parse(&results, context, (ks_bytes){(const uint8_t *)text.data, text.size}) == KS_OK) {
        ks_bytes lines = {(const uint8_t *)p->expectations, strlen(p->expectations)};
        if (ks_expectations_parse(&expectations, context, lines, "2026-01-01") == KS_OK) {
            code = ks_gate(&results, &expectations, NULL);
            ks_expectations_free(&expectations);
        }
        ks_results_free(&results);
    }
    ks_free(context, (void *)(uintptr_t)text.data);
    return code;
}

int ks_gate_self_test(ks_context *context, FILE *out) {
    static const planted faults[] = {
        {"nothing", {KS_OUTCOME_PASS, KS_OUTCOME_PASS, KS_OUTCOME_PASS}, "", 0, 0, KS_GATE_EQUAL},
        {"a listed failure",
         {KS_OUTCOME_PASS, KS_OUTCOME_FAIL, KS_OUTCOME_PASS},
         "case/1 FAIL:wrong-value # known\n",
         0,
         0,
         KS_GATE_EQUAL},
        {"an unlisted failure", {KS_OUTCOME_PASS, KS_OUTCOME_FAIL, KS_OUTCOME_PASS}, "", 0, 0, KS_GATE_NEW_DEVIATION},
        {"a crash", {KS_OUTCOME_CRASH, KS_OUTCOME_PASS, KS_OUTCOME_PASS}, "", 0, 0, KS_GATE_NEW_DEVIATION},
        {"another failure than the listed one",
         {KS_OUTCOME_PASS, KS_OUTCOME_FAIL, KS_OUTCOME_PASS},
         "case/1 FAIL:wrong-weights # known\n",
         0,
         0,
         KS_GATE_NEW_DEVIATION},
        {"an unexpected pass",
         {KS_OUTCOME_PASS, KS_OUTCOME_PASS, KS_OUTCOME_PASS},
         "case/1 FAIL:wrong-value # known\n",
         0,
         0,
         KS_GATE_STALE},
        {"a stale line",
         {KS_OUTCOME_PASS, KS_OUTCOME_PASS, KS_OUTCOME_PASS},
         "other/* CRASH # gone\n",
         0,
         0,
         KS_GATE_STALE},
        {"a line past its date",
         {KS_OUTCOME_PASS, KS_OUTCOME_FAIL, KS_OUTCOME_PASS},
         "case/1 FAIL:wrong-value # known until=2025-12-31\n",
         0,
         0,
         KS_GATE_STALE},
        {"a missing result", {KS_OUTCOME_PASS, KS_OUTCOME_PASS, KS_OUTCOME_PASS}, "", 1, 0, KS_GATE_HARNESS},
        {"an altered byte", {KS_OUTCOME_PASS, KS_OUTCOME_PASS, KS_OUTCOME_PASS}, "", 0, 25, KS_GATE_HARNESS},
        {"a harness error", {KS_OUTCOME_PASS, KS_OUTCOME_HARNESS_ERROR, KS_OUTCOME_PASS}, "", 0, 0, KS_GATE_HARNESS},
    };
    int worst = KS_GATE_EQUAL;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        int code = run_planted(context, &faults[i]);
        if (out)
            fprintf(out, "%-38s expected %d, got %d%s\n", faults[i].what, faults[i].code, code,
                    code == faults[i].code ? "" : "  WRONG");
        if (code != faults[i].code)
            worst = KS_GATE_SELF_TEST_FAILED;
    }
    return worst;
}

// Three results as ks_results_write gives them, with the fault in them.
static ks_code write_results(ks_text *out, ks_context *context, const planted *p) {
    ks_plan_item items[3] = {{"case/0", NULL}, {"case/1", NULL}, {"case/2", NULL}};
    ks_plan plan = {.items = items, .count = 3};
    ks_result results[3];
    char *data;
    ks_code code;
    memset(results, 0, sizeof(results));
    for (int i = 0; i < 3; i++) {
        results[i].outcome = p->outcomes[i];
        if (p->outcomes[i] == KS_OUTCOME_FAIL)
            snprintf(results[i].kind, sizeof(results[i].kind), "wrong-value");
    }
    KS_TRY(ks_results_text(out, context, &plan, results, 3 - p->cut));
    data = (char *)(uintptr_t)out->data;
    if (p->alter)
        data[p->alter] = data[p->alter] == 'x' ? 'y' : 'x';
done:
    return code;
}
