// SPDX-License-Identifier: Apache-2.0
#include "common/fuzz_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET_BASE ((uint64_t)64 << 20)
#define BUDGET_PER_BYTE 4

_Noreturn void ks_fuzz_fail(const char *condition, const char *file, int line, const ks_context *context) {
    fprintf(stderr, "%s:%d: not true: %s\n", file, line, condition);
    if (context) {
        char text[768];
        ks_error_format(&context->error, text, sizeof text);
        fprintf(stderr, "error record: %s\n", text);
        fprintf(stderr, "memory: %llu held, %llu at most, %llu allocations live\n",
                (unsigned long long)context->memory.held, (unsigned long long)context->memory.peak,
                (unsigned long long)context->memory.n_live);
    }
    abort();
}

void ks_fuzz_begin(ks_context *context, size_t size) {
    ks_context_init(context, NULL);
    ks_context_budget(context, size);
}

void ks_fuzz_end(const ks_context *context, size_t size) {
    ks_fuzz_assert_with(context, context->memory.n_live == 0);
    ks_fuzz_assert_with(context, context->memory.held == 0);
    ks_fuzz_assert_with(context, context->memory.peak <= BUDGET_BASE + BUDGET_PER_BYTE * (uint64_t)size);
    ks_fuzz_assert_with(context, context->error.code != KS_E_INTERNAL);
}

void ks_fuzz_check_error(const ks_context *context, ks_code code, size_t size) {
    const ks_error *error = &context->error;
    ks_fuzz_assert_with(context, error->code == code);
    if (code == KS_OK)
        return;
    ks_fuzz_assert_with(context, error->message[0] != 0);
    ks_fuzz_assert_with(context, memchr(error->place, 0, sizeof error->place) != NULL);
    ks_fuzz_assert_with(context, ks_code_verdict(code) != KS_ACCEPTED && ks_code_verdict(code) != KS_VERDICT_INTERNAL);
    ks_fuzz_assert_with(context, size == SIZE_MAX || error->offset == KS_NO_OFFSET || error->offset <= size);
}
