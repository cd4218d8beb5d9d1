// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/command.h"
#include "runner/gate.h"

extern const ks_command ks_command_gate;

static int run(const ks_arguments *arguments) {
    ks_expectations expectations;
    ks_results results;
    ks_context context;
    int code;
    ks_context_init(&context, NULL);
    if (ks_argument(&ks_command_gate, arguments, "--self-test"))
        return ks_gate_self_test(&context, stdout);
    if (arguments->n_operands != 2) {
        fprintf(stderr, "usage: kassay gate %s\n", ks_command_gate.synopsis);
        return KS_EXIT_USAGE;
    }
    if (ks_results_read(&results, &context, arguments->operands[0]) != KS_OK) {
        ks_report_error(&context, false);
        return KS_GATE_HARNESS;
    }
    if (ks_expectations_read(&expectations, &context, arguments->operands[1], NULL) != KS_OK) {
        ks_report_error(&context, false);
        ks_results_free(&results);
        return KS_GATE_HARNESS;
    }
    if (ks_gate_self_test(&context, NULL) != KS_GATE_EQUAL) {
        fprintf(stderr, "kassay gate: the self-test failed\n");
        code = KS_GATE_SELF_TEST_FAILED;
    } else {
        code = ks_gate(&results, &expectations, stdout);
        printf("%zu cases, %zu expected deviations: %s\n", results.n_lines, expectations.count,
               code == KS_GATE_EQUAL ? "as expected" : "not as expected");
    }
    ks_expectations_free(&expectations);
    ks_results_free(&results);
    return code;
}

static const ks_option options[] = {
    {"--self-test", NULL, "plant a fault of every kind and see that each gives its own exit status"},
    {NULL, NULL, NULL},
};

const ks_command ks_command_gate = {
    .name = "gate",
    .synopsis = "RESULTS EXPECTATIONS | --self-test",
    .summary = "compare results with the expected deviations",
    .description = "    Every line of EXPECTATIONS is \"id-or-glob OUTCOME  # why  @url  until=YYYY-MM-DD\"; it must "
                   "match a planned case,\n"
                   "    and every case it matches must have that outcome. The gate passes only when the deviations of "
                   "RESULTS are\n"
                   "    exactly those: an unexpected pass fails too. The self-test runs first, each time.",
    .options = options,
    .exit_codes = "    The highest that applies: 0 equal, 1 new deviation, 2 unexpected pass or stale line, 3 missing, "
                  "doubled or\n"
                  "    altered results or a harness error, 4 the self-test failed.",
    .examples = "    kassay gate results.jsonl harness/expectations/kassay.txt",
    .min_operands = 0,
    .max_operands = 2,
    .run = run,
};
