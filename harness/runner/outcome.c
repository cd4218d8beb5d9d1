// SPDX-License-Identifier: Apache-2.0
#include "runner/outcome.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

static const char *const names[KS_N_OUTCOMES] = {
    [KS_OUTCOME_NOT_RUN] = "NOT_RUN",
    [KS_OUTCOME_PASS] = "PASS",
    [KS_OUTCOME_FAIL] = "FAIL",
    [KS_OUTCOME_CRASH] = "CRASH",
    [KS_OUTCOME_HANG] = "HANG",
    [KS_OUTCOME_OVER_MEMORY] = "OVER_MEMORY",
    [KS_OUTCOME_OVER_DISK] = "OVER_DISK",
    [KS_OUTCOME_SIDE_EFFECT] = "SIDE_EFFECT",
    [KS_OUTCOME_UNSUPPORTED] = "UNSUPPORTED",
    [KS_OUTCOME_UNDECIDED] = "UNDECIDED",
    [KS_OUTCOME_HARNESS_ERROR] = "HARNESS_ERROR",
};

static const char *const kinds[] = {
    "accepted-bad", "rejected-good", "wrong-structure", "wrong-weights", "wrong-value", "wrong-state", NULL};

const char *ks_outcome_name(ks_outcome outcome) {
    return names[outcome];
}

const char *ks_outcome_text(char text[KS_OUTCOME_TEXT_SIZE], const ks_result *result) {
    snprintf(text, KS_OUTCOME_TEXT_SIZE, "%s%s%s", names[result->outcome], result->kind[0] ? ":" : "", result->kind);
    return text;
}

bool ks_outcome_parse(ks_result *out, const char *text) {
    memset(out, 0, sizeof(*out));
    if (strncmp(text, "FAIL:", 5) == 0) {
        for (int i = 0; kinds[i]; i++)
            if (strcmp(text + 5, kinds[i]) == 0) {
                out->outcome = KS_OUTCOME_FAIL;
                snprintf(out->kind, sizeof(out->kind), "%s", kinds[i]);
                return true;
            }
        return false;
    }
    for (int i = 0; i < KS_N_OUTCOMES; i++)
        if (i != KS_OUTCOME_FAIL && strcmp(text, names[i]) == 0) {
            out->outcome = (ks_outcome)i;
            return true;
        }
    return false;
}

bool ks_glob(const char *pattern, const char *text) {
    return fnmatch(pattern, text, 0) == 0;
}
