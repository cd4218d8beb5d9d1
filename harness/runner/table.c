// SPDX-License-Identifier: Apache-2.0
#include "runner/table.h"

#include <string.h>

static size_t group_size(const char *id) {
    const char *slash = strchr(id, '/');
    const char *second = slash ? strchr(slash + 1, '/') : NULL;
    return second ? (size_t)(second - id) : slash ? (size_t)(slash - id) : strlen(id);
}

static bool same_group(const char *a, const char *b) {
    return group_size(a) == group_size(b) && memcmp(a, b, group_size(a)) == 0;
}

static void put_row(FILE *out, const char *name, size_t name_size, const size_t counts[KS_N_OUTCOMES]) {
    size_t cases = 0, other;
    for (int i = 0; i < KS_N_OUTCOMES; i++)
        cases += counts[i];
    other = cases - counts[KS_OUTCOME_PASS] - counts[KS_OUTCOME_FAIL] - counts[KS_OUTCOME_UNSUPPORTED] -
            counts[KS_OUTCOME_UNDECIDED];
    fprintf(out, "%-34.*s %6zu %6zu %6zu %12zu %10zu %6zu\n", (int)name_size, name, cases, counts[KS_OUTCOME_PASS],
            counts[KS_OUTCOME_FAIL], counts[KS_OUTCOME_UNSUPPORTED], counts[KS_OUTCOME_UNDECIDED], other);
}

void ks_table_print(FILE *out, const char *root, const ks_plan *plan, const ks_result *results) {
    size_t all[KS_N_OUTCOMES] = {0};
    uint64_t nanoseconds = 0;
    char text[KS_OUTCOME_TEXT_SIZE];
    fprintf(out, "%-34s %6s %6s %6s %12s %10s %6s\n", root, "cases", "PASS", "FAIL", "UNSUPPORTED", "UNDECIDED",
            "other");
    for (size_t i = 0; i < plan->count;) {
        size_t counts[KS_N_OUTCOMES] = {0}, start = i;
        for (; i < plan->count && same_group(plan->items[i].id, plan->items[start].id); i++) {
            counts[results[i].outcome]++;
            all[results[i].outcome]++;
            nanoseconds += results[i].nanoseconds;
        }
        put_row(out, plan->items[start].id, group_size(plan->items[start].id), counts);
    }
    put_row(out, "all", 3, all);
    for (size_t i = 0; i < plan->count; i++)
        if (results[i].outcome != KS_OUTCOME_PASS)
            fprintf(out, "%s %s\n    %s\n", ks_outcome_text(text, &results[i]), plan->items[i].id, results[i].message);
    fprintf(out, "%zu cases, %zu deviations, %.2f s of judging\n", plan->count, plan->count - all[KS_OUTCOME_PASS],
            (double)nanoseconds / 1e9);
}
