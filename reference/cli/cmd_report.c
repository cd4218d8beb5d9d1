// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "runner/results.h"

extern const ks_command ks_command_report;

static void put_xml(const char *text) {
    for (; *text; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", stdout);
            break;
        case '>':
            fputs("&gt;", stdout);
            break;
        case '&':
            fputs("&amp;", stdout);
            break;
        case '"':
            fputs("&quot;", stdout);
            break;
        default:
            if ((unsigned char)*text >= 0x20 || *text == '\t')
                putchar(*text);
        }
    }
}

static size_t count_deviations(const ks_results *results) {
    size_t count = 0;
    for (size_t i = 0; i < results->n_lines; i++)
        count += results->lines[i].result.outcome != KS_OUTCOME_PASS;
    return count;
}

static void put_junit(const ks_results *results) {
    char text[KS_OUTCOME_TEXT_SIZE];
    printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"kassay\" tests=\"%zu\" failures=\"%zu\">\n",
           results->n_lines, count_deviations(results));
    for (size_t i = 0; i < results->n_lines; i++) {
        const ks_results_line *line = &results->lines[i];
        fputs("  <testcase name=\"", stdout);
        put_xml(line->id);
        if (line->result.outcome == KS_OUTCOME_PASS) {
            puts("\"/>");
            continue;
        }
        printf("\"><failure type=\"%s\">", ks_outcome_text(text, &line->result));
        put_xml(line->result.message);
        puts("</failure></testcase>");
    }
    puts("</testsuite>");
}

static void put_markdown(const ks_results *results) {
    char text[KS_OUTCOME_TEXT_SIZE];
    printf("**%zu cases, %zu deviations**\n\n", results->n_lines, count_deviations(results));
    if (count_deviations(results))
        printf("| case | outcome | first wrong place |\n|---|---|---|\n");
    for (size_t i = 0; i < results->n_lines; i++) {
        const ks_results_line *line = &results->lines[i];
        if (line->result.outcome == KS_OUTCOME_PASS)
            continue;
        printf("| %s | %s | ", line->id, ks_outcome_text(text, &line->result));
        for (const char *c = line->result.message; *c; c++)
            if (*c == '|')
                fputs("\\|", stdout);
            else
                putchar(*c);
        puts(" |");
    }
}

static void put_badge(const ks_results *results) {
    size_t deviations = count_deviations(results);
    printf("{\"schemaVersion\": 1, \"label\": \"kassay\", \"message\": \"%zu of %zu\", \"color\": \"%s\"}\n",
           results->n_lines - deviations, results->n_lines, deviations ? "red" : "brightgreen");
}

static int run(const ks_arguments *arguments) {
    const ks_command *self = &ks_command_report;
    ks_context context;
    ks_results results;
    ks_context_init(&context, NULL);
    if (ks_results_read(&results, &context, arguments->operands[0]) != KS_OK)
        return ks_report_error(&context, false);
    if (ks_argument(self, arguments, "--junit"))
        put_junit(&results);
    else if (ks_argument(self, arguments, "--badge"))
        put_badge(&results);
    else
        put_markdown(&results);
    if (results.problem[0])
        fprintf(stderr, "kassay report: %s\n", results.problem);
    {
        int exit_code = results.problem[0] ? 3 : 0;
        ks_results_free(&results);
        return exit_code;
    }
}

static const ks_option options[] = {
    {"--markdown", NULL, "a table of deviations for a CI summary page (default)"},
    {"--junit", NULL, "JUnit XML"},
    {"--badge", NULL, "JSON for a badge"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_report = {
    .name = "report",
    .synopsis = "RESULTS [--markdown|--junit|--badge]",
    .summary = "results in other forms",
    .description = "    Reads a results file of `kassay verify --out` and prints it in another form.",
    .options = options,
    .exit_codes = "    0 done, 3 the results are incomplete or altered, 64 usage, 74 I/O.",
    .examples = "    kassay report results.jsonl --junit > junit.xml",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
