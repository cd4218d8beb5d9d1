// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "runner/gate.h"
#include "runner/table.h"
#include "runner/verify.h"

extern const ks_command ks_command_verify;

static void show_progress(void *argument, size_t done, size_t count) {
    (void)argument;
    fprintf(stderr, "\r%zu of %zu cases", done, count);
    if (done == count)
        fputs("\r                              \r", stderr);
    fflush(stderr);
}

static bool parse_shard(ks_plan_options *out, const char *text) {
    unsigned shard, count;
    char rest;
    if (!text)
        return true;
    if (sscanf(text, "%u/%u%c", &shard, &count, &rest) == 2 && shard >= 1 && shard <= count) {
        out->shard = shard;
        out->n_shards = count;
        return true;
    }
    fprintf(stderr, "kassay verify: --shard wants K/N with 1 <= K <= N, found \"%s\"\n", text);
    return false;
}

// The gate on what was just judged, or plain "all PASS".
static int decide(ks_context *context, const ks_plan *plan, const ks_result *results, const char *expect) {
    ks_expectations expectations;
    ks_results read;
    ks_text text;
    int code = KS_GATE_HARNESS;
    if (ks_results_text(&text, context, plan, results, plan->count) != KS_OK)
        return code;
    if (ks_results_parse(&read, context, (ks_bytes){(const uint8_t *)text.data, text.size}) == KS_OK) {
        if (ks_expectations_read(&expectations, context, expect, NULL) == KS_OK) {
            code = ks_gate(&read, &expectations, expect ? stdout : NULL);
            ks_expectations_free(&expectations);
        } else {
            ks_report_error(context, false);
        }
        ks_results_free(&read);
    }
    ks_free(context, (void *)(uintptr_t)text.data);
    return code == KS_GATE_STALE ? 1 : code;
}

static int judge(ks_context *context, const char *root, const ks_plan *plan, const ks_verify_options *options,
                 const ks_arguments *arguments) {
    const char *out = ks_argument(&ks_command_verify, arguments, "--out");
    ks_result *results = ks_allocate(context, plan->count, sizeof(*results));
    int exit_code;
    if (!results)
        return ks_report_error(context, false);
    if (ks_verify(results, context, root, plan, options) != KS_OK) {
        ks_report_error(context, false);
        ks_free(context, results);
        return KS_GATE_HARNESS;
    }
    ks_table_print(stdout, root, plan, results);
    exit_code = decide(context, plan, results, ks_argument(&ks_command_verify, arguments, "--expect"));
    if (out && ks_results_write(context, out, plan, results) != KS_OK) {
        ks_report_error(context, false);
        exit_code = KS_GATE_HARNESS;
    }
    ks_free(context, results);
    return exit_code;
}

static int run(const ks_arguments *arguments) {
    const ks_command *self = &ks_command_verify;
    const char *root = ks_argument(self, arguments, "--golden"), *jobs = ks_argument(self, arguments, "--jobs");
    const char *seconds = ks_argument(self, arguments, "--timeout");
    ks_plan_options plan_options = {.only = ks_argument(self, arguments, "--only"),
                                    .format = ks_argument(self, arguments, "--format")};
    ks_verify_options options = {.jobs = 1, .case_seconds = 60};
    int road = ks_parse_road(ks_argument(self, arguments, "--road"), KS_ROADS_BOTH), exit_code;
    ks_context context;
    ks_plan plan;
    if (road < 0 || !parse_shard(&plan_options, ks_argument(self, arguments, "--shard")) ||
        (jobs && !ks_parse_count(&options.jobs, "--jobs", jobs, 1)) ||
        (seconds && !ks_parse_count(&options.case_seconds, "--timeout", seconds, 1)))
        return KS_EXIT_USAGE;
    options.roads = (ks_roads)road;
    if (isatty(STDERR_FILENO))
        options.progress = show_progress;
    ks_context_init(&context, NULL);
    context.memory.limit = (uint64_t)1 << 32;
    root = root ? root : "golden";
    if (ks_plan_make(&plan, &context, root, arguments->operands, (size_t)arguments->n_operands, &plan_options) !=
        KS_OK) {
        ks_report_error(&context, false);
        return KS_GATE_HARNESS;
    }
    if (plan.count == 0) {
        fprintf(stderr, "kassay verify: no case below %s fits\n", root);
        exit_code = KS_GATE_HARNESS;
    } else {
        exit_code = judge(&context, root, &plan, &options, arguments);
    }
    ks_plan_free(&plan);
    return exit_code;
}

static const ks_option options[] = {
    {"--golden", "DIR", "root of the suite (golden); SUITEs are folders below it"},
    {"--only", "GLOB", "only cases whose id fits, such as '*/lstm*'"},
    {"--format", "FORMAT", "only cases of this format"},
    {"--shard", "K/N", "every N-th case, starting with the K-th"},
    {"--jobs", "N", "child processes at a time (1)"},
    {"--road", "strict|library|both", "which reader; both (default): the library road must agree"},
    {"--timeout", "SECONDS", "after which a case is HANG (60)"},
    {"--expect", "FILE", "expected deviations; the exit status is then that of their comparison"},
    {"--out", "FILE", "results as JSON lines; - is standard output"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_verify = {
    .name = "verify",
    .synopsis = "[SUITE…] [--only GLOB] [--format F] [--shard K/N] [--jobs N] [--expect FILE] [--out results.jsonl]",
    .summary = "judge the reference with the golden suite",
    .description = "    Plans every case, judges each exactly once in child processes, and prints a table and every "
                   "deviation with the\n"
                   "    first wrong place. A refusal counts only if the case's twin is accepted in the same run.",
    .options = options,
    .exit_codes = "    0 all cases PASS (or deviate exactly as --expect says), 1 not, 3 a harness error.",
    .examples = "    kassay verify --jobs 2\n    kassay verify keras-v3 --only '*/lstm*' --out results.jsonl",
    .min_operands = 0,
    .max_operands = -1,
    .run = run,
};
