// SPDX-License-Identifier: Apache-2.0
#include <kassay/status.h>

#include <stdio.h>
#include <string.h>

typedef struct code_row {
    ks_code code;
    const char *name;
    ks_verdict verdict;
    const char *text;
} code_row;

static const code_row code_table[] = {
#define KS_CODE(symbol, number, name, verdict, text) {KS_##symbol, name, verdict, text},
#include <kassay/codes/all.def>
#undef KS_CODE
};

static const code_row *row_of(ks_code code) {
    for (size_t i = 0; i < sizeof code_table / sizeof code_table[0]; i++)
        if (code_table[i].code == code)
            return &code_table[i];
    return row_of(KS_E_INTERNAL);
}

const char *ks_code_name(ks_code code) {
    return row_of(code)->name;
}

const char *ks_code_text(ks_code code) {
    return row_of(code)->text;
}

ks_verdict ks_code_verdict(ks_code code) {
    return row_of(code)->verdict;
}

ks_code ks_code_by_name(const char *name, bool *found) {
    for (size_t i = 0; i < sizeof code_table / sizeof code_table[0]; i++) {
        if (strcmp(code_table[i].name, name) == 0) {
            *found = true;
            return code_table[i].code;
        }
    }
    *found = false;
    return KS_OK;
}

const char *ks_verdict_name(ks_verdict verdict) {
    switch (verdict) {
    case KS_ACCEPTED:
        return "accepted";
    case KS_MALFORMED:
        return "malformed";
    case KS_UNSUPPORTED:
        return "unsupported";
    case KS_OVER_LIMIT:
        return "over-limit";
    case KS_UNSAFE:
        return "unsafe";
    case KS_VERDICT_USAGE:
        return "usage";
    case KS_VERDICT_INTERNAL:
        return "internal";
    case KS_VERDICT_IO:
        return "io";
    }
    return "internal";
}

const char *ks_stage_name(ks_stage stage) {
    static const char *const names[] = {
        "none", "file", "zip", "hdf5", "npz", "json", "config", "weights", "model", "run", "save",
    };
    return (size_t)stage < sizeof names / sizeof names[0] ? names[stage] : "none";
}

int ks_error_format(const ks_error *error, char *text, size_t text_size) {
    char offset[32] = "";
    if (error->offset != KS_NO_OFFSET)
        snprintf(offset, sizeof offset, " @%llu", (unsigned long long)error->offset);
    return snprintf(text, text_size, "%s [%s]%s%s%s: %s", ks_code_name(error->code), ks_stage_name(error->stage),
                    error->place[0] ? " " : "", error->place, offset, error->message);
}
