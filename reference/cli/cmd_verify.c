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

typedef struct reporting {
    ks_results_journal journal;
    const ks_plan *plan;
} reporting;

static void show_progress(void *argument, size_t done, size_t count) {
    (void)argument;
    fprintf(stderr, "\r%zu of %zu cases", done, count);
    if (done == count)
        fputs("\r                              \r", stderr);
    fflush(stderr);
}

static ks_code put_finished(void *argument, size_t index, const ks_result *result) {
    reporting *r = argument;
    return ks_results_journal_put(&r->journal, r->plan->items[index].id, result);
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
static int decide(ks_context *context, const ks_plan *plan, const ks_result *results, const char *expect,
                  bool partial) {
    ks_expectations expectations;
    ks_results read;
    ks_text text;
    int code = KS_GATE_HARNESS;
    if (ks_results_text(&text, context, plan, results, plan->count) != KS_OK)
        return code;
    if (ks_results_parse(&read, context, (ks_bytes){(const uint8_t *)text.data, text.size}) == KS_OK) {
        if (ks_expectations_read(&expectations, context, expect, NULL) == KS_OK) {
            expectations.partial = partial;
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

static int judge(ks_context *context, const char *root, const ks_plan *plan, ks_verify_options *options,
                 const ks_arguments *arguments) {
    const ks_command *self = &ks_command_verify;
    const char *out = ks_argument(self, arguments, "--out");
    bool partial = arguments->n_operands > 0 || ks_argument(self, arguments, "--only") ||
                   ks_argument(self, arguments, "--format") || ks_argument(self, arguments, "--shard") ||
                   ks_argument(self, arguments, "--sample");
    ks_result *results = ks_allocate(context, plan->count, sizeof(*results));
    reporting r = {.plan = plan};
    int exit_code;
    if (!results)
        return ks_report_error(context, false);
    options->resume = ks_argument(self, arguments, "--continue") != NULL;
    options->finished = put_finished;
    options->argument = &r;
    if ((out && strcmp(out, "-") != 0 && strcmp(out, "/dev/null") != 0 &&
         ks_results_journal_open(&r.journal, context, out, plan, results, options->resume) != KS_OK) ||
        ks_verify(results, context, root, plan, options) != KS_OK) {
        ks_report_error(context, false);
        ks_results_journal_close(&r.journal, false);
        ks_free(context, results);
        return KS_GATE_HARNESS;
    }
    ks_table_print(stdout, root, plan, results);
    exit_code = decide(context, plan, results, ks_argument(self, arguments, "--expect"), partial);
    if (out && ks_results_write(context, out, plan, results) != KS_OK) {
        ks_report_error(context, false);
        exit_code = KS_GATE_HARNESS;
        out = NULL;
    }
    ks_results_journal_close(&r.journal, out != NULL);
    ks_free(context, results);
    return exit_code;
}

// --- adapters -------------------------------------------------------------------------------------------------------

static bool parse_form(ks_adapter_form *out, const char *text) {
    *out = KS_ADAPTER_FIND;
    if (text && strcmp(text, "small") == 0)
        *out = KS_ADAPTER_SMALL;
    else if (text && strcmp(text, "long") == 0)
        *out = KS_ADAPTER_LONG;
    else if (text) {
        fprintf(stderr, "kassay verify: --form wants small or long, found \"%s\"\n", text);
        return false;
    }
    return true;
}

static bool parse_mebibytes(uint64_t *out, const ks_arguments *arguments, const char *option) {
    const char *text = ks_argument(&ks_command_verify, arguments, option);
    unsigned count;
    if (!text)
        return true;
    if (!ks_parse_count(&count, option, text, 1))
        return false;
    *out = (uint64_t)count << 20;
    return true;
}

static bool parse_limits(ks_adapter_limits *out, const ks_arguments *arguments, unsigned case_seconds) {
    const char *start = ks_argument(&ks_command_verify, arguments, "--start-timeout");
    *out = ks_adapter_limits_default();
    out->case_seconds = case_seconds;
    out->cpu_seconds = 2 * case_seconds;
    return (!start || ks_parse_count(&out->start_seconds, "--start-timeout", start, 1)) &&
           parse_mebibytes(&out->memory, arguments, "--memory") && parse_mebibytes(&out->disk, arguments, "--disk");
}

static void show_adapter(const ks_adapter *adapter) {
    printf("%s %s, %s form; it reads%s; compared:", adapter->hello.name, adapter->hello.version,
           adapter->form == KS_ADAPTER_LONG ? "long-lived" : "small", adapter->hello.formats);
    for (int i = 0; i < KS_ADAPTER_N_PARTS; i++)
        if (adapter->hello.gives[i])
            printf(" %s", ks_adapter_part_name((ks_adapter_part)i));
    puts("");
}

/// Judges an adapter instead of the reference.
static int judge_adapter(ks_context *context, const char *root, ks_plan *plan, ks_verify_options *options,
                         const ks_adapter_limits *limits, ks_adapter_form form, const ks_arguments *arguments) {
    const ks_command *self = &ks_command_verify;
    ks_adapter_run asking = {.through = ks_argument(self, arguments, "--through"),
                             .target = ks_argument(self, arguments, "--for"),
                             .rewrite = ks_argument(self, arguments, "--rewrite"),
                             .keep = ks_argument(self, arguments, "--keep"),
                             .converter = "/proc/self/exe"};
    ks_adapter adapter;
    char own[4096];
    ssize_t size = readlink("/proc/self/exe", own, sizeof(own) - 1);
    int exit_code;
    if (size > 0) {
        own[size] = 0;
        asking.converter = own;
    }
    if (ks_adapter_open(&adapter, context, ks_argument(self, arguments, "--adapter"), form, limits) != KS_OK) {
        ks_report_error(context, false);
        return KS_GATE_HARNESS;
    }
    show_adapter(&adapter);
    fflush(stdout);
    ks_adapter_hello hello = adapter.hello;
    asking.adapter = &adapter;
    options->adapter = &asking;
    options->case_seconds = limits->start_seconds + 2 * limits->case_seconds + 60;
    plan->implementation = hello.name;
    plan->version = hello.version;
    ks_adapter_rest(&adapter);
    exit_code = judge(context, root, plan, options, arguments);
    ks_adapter_close(&adapter);
    plan->implementation = plan->version = NULL;
    return exit_code;
}

static int run(const ks_arguments *arguments) {
    const ks_command *self = &ks_command_verify;
    const char *root = ks_argument(self, arguments, "--golden"), *jobs = ks_argument(self, arguments, "--jobs");
    const char *seconds = ks_argument(self, arguments, "--timeout"), *sample = ks_argument(self, arguments, "--sample");
    bool adapter = ks_argument(self, arguments, "--adapter") != NULL;
    const char *to = ks_argument(self, arguments, "--through"), *back = ks_argument(self, arguments, "--rewrite");
    bool through = to != NULL, rewrite = back != NULL;
    ks_plan_options plan_options = {.only = ks_argument(self, arguments, "--only"),
                                    .format = ks_argument(self, arguments, "--format"),
                                    .accepted_only = through || rewrite,
                                    .with_weights = (to && strncmp(to, "json-", 5) != 0) ||
                                                    (back && strncmp(back, "json-", 5) != 0)};
    ks_verify_options options = {.jobs = 1, .case_seconds = 60};
    int road = ks_parse_road(ks_argument(self, arguments, "--road"), KS_ROADS_BOTH), exit_code;
    ks_adapter_limits limits;
    ks_adapter_form form;
    ks_context context;
    ks_plan plan;
    if (road < 0 || !parse_shard(&plan_options, ks_argument(self, arguments, "--shard")) ||
        (jobs && !ks_parse_count(&options.jobs, "--jobs", jobs, 1)) ||
        (sample && !ks_parse_count(&plan_options.sample, "--sample", sample, 1)) ||
        (seconds && !ks_parse_count(&options.case_seconds, "--timeout", seconds, 1)) ||
        !parse_limits(&limits, arguments, options.case_seconds) ||
        !parse_form(&form, ks_argument(self, arguments, "--form")))
        return KS_EXIT_USAGE;
    if (ks_argument(self, arguments, "--continue") && !ks_argument(self, arguments, "--out")) {
        fprintf(stderr, "kassay verify: --continue wants the --out of the run that was cut short\n");
        return KS_EXIT_USAGE;
    }
    if (through + rewrite > adapter) {
        fprintf(stderr, "kassay verify: one of --through and --rewrite, and with --adapter\n");
        return KS_EXIT_USAGE;
    }
    if (ks_argument(self, arguments, "--for") && !through) {
        fprintf(stderr, "kassay verify: --for is about what --through writes\n");
        return KS_EXIT_USAGE;
    }
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
    } else if (adapter) {
        exit_code = judge_adapter(&context, root, &plan, &options, &limits, form, arguments);
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
    {"--sample", "N", "at most N cases, evenly spread over what the other options leave"},
    {"--jobs", "N", "child processes at a time (1)"},
    {"--road", "strict|library|both", "which reader; both (default): the library road must agree"},
    {"--timeout", "SECONDS", "after which a case is HANG (60)"},
    {"--expect", "FILE", "expected deviations; the exit status is then that of their comparison"},
    {"--out", "FILE", "results as JSON lines; - is standard output. Until the end they grow in FILE.partial"},
    {"--continue", NULL, "take over what FILE.partial of --out has and judge the rest"},
    {"--adapter", "CMD", "judge this program instead; a shell command that gets further words"},
    {"--form", "small|long", "one process a case, or one for all; found by its hello when not given"},
    {"--through", "FORMAT", "the reference writes each accepted case as FORMAT, the adapter reads that"},
    {"--for", "KERAS", "with --through: whose words an older FORMAT has, see kassay convert --help"},
    {"--rewrite", "FORMAT", "the adapter writes each accepted case as FORMAT, the reference reads that"},
    {"--memory", "MIB", "resident in the adapter's processes, else OVER_MEMORY (4096)"},
    {"--disk", "MIB", "of files that the adapter writes for a case, else OVER_DISK (1024)"},
    {"--start-timeout", "SECONDS", "from the adapter's start to its hello (120)"},
    {"--keep", "DIR", "keep the folders of cases that are no PASS: what the adapter got and gave"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_verify = {
    .name = "verify",
    .synopsis = "[SUITE…] [--adapter CMD] [--only GLOB] [--format F] [--shard K/N] [--jobs N] [--expect FILE] "
                "[--out results.jsonl]",
    .summary = "judge the reference, or another program, with the golden suite",
    .description =
        "    Plans every case, judges each exactly once in child processes, and prints a table and every "
        "deviation with the\n"
        "    first wrong place. A refusal counts only if the case's twin is accepted in the same run.\n\n"
        "    --adapter judges another reader by the same cases. CMD speaks the protocol of\n"
        "    harness/adapters/README.md: \"CMD serve\" answers JSON lines on descriptors 3 and 4, or\n"
        "    \"CMD read FILE …\" answers one file with its exit status (10 accepted, 11 rejected, 12 not\n"
        "    supported) and a reply file that says the same. It gets copies of the case's files in a folder\n"
        "    of its own and no expected value. What it gives (weights, outputs, dump) is compared as the\n"
        "    reference's is. With --only, --format, --shard, --sample or a SUITE, lines of --expect that match no\n"
        "    planned case are no fault.",
    .options = options,
    .exit_codes = "    0 all cases PASS (or deviate exactly as --expect says), 1 not, 3 a harness error.",
    .examples = "    kassay verify --jobs 2\n    kassay verify keras-v3 --only '*/lstm*' --out results.jsonl\n"
                "    kassay verify --adapter 'python harness/adapters/keras.py' --jobs 2",
    .min_operands = 0,
    .max_operands = -1,
    .run = run,
};
