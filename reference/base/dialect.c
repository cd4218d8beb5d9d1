// SPDX-License-Identifier: Apache-2.0
#include <kassay/dialect.h>

#include <stddef.h>
#include <string.h>

static const char *const backends[] = {"auto", "tensorflow", "theano"};
static const char *const names[] = {"auto", "keras1", "keras2", "keras3"};

const char *ks_dialect_name(ks_dialect dialect) {
    return names[dialect];
}

static int find(const char *const *words, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], name) == 0)
            return (int)i;
    return -1;
}

int ks_dialect_by_name(const char *name) {
    return find(names, sizeof(names) / sizeof(names[0]), name);
}

const char *ks_backend_name(ks_backend backend) {
    return backends[backend];
}

int ks_backend_by_name(const char *name) {
    return find(backends, sizeof(backends) / sizeof(backends[0]), name);
}
