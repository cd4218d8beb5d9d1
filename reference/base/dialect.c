// SPDX-License-Identifier: Apache-2.0
#include <kassay/dialect.h>

#include <stddef.h>
#include <string.h>

static const char *const names[] = {"auto", "keras1", "keras2", "keras3"};

const char *ks_dialect_name(ks_dialect dialect) {
    return names[dialect];
}

int ks_dialect_by_name(const char *name) {
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}
