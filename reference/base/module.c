// SPDX-License-Identifier: Apache-2.0
#include "base/module.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4096

void *ks_module_load(const char *directory, const char *file, const char *symbol, char *reason, size_t reason_size) {
    char path[PATH_SIZE];
    int size = snprintf(path, sizeof(path), "%s/%s", directory, file);
    void *module, *found;
    if (size < 0 || (size_t)size >= sizeof(path)) {
        snprintf(reason, reason_size, "the path of the module is too long");
        return NULL;
    }
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module) {
        const char *message = dlerror();
        snprintf(reason, reason_size, "%s", message ? message : "dlopen failed");
        return NULL;
    }
    found = dlsym(module, symbol);
    if (!found) {
        snprintf(reason, reason_size, "%s: it has no %s", path, symbol);
        dlclose(module);
    }
    return found;
}

/// The directory of the running program, without the trailing slash.
static bool program_directory(char *directory, size_t directory_size) {
    ssize_t size = readlink("/proc/self/exe", directory, directory_size - 1);
    char *slash;
    if (size <= 0)
        return false;
    directory[size] = '\0';
    slash = strrchr(directory, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

void *ks_module_find(const char *file, const char *symbol, char *reason, size_t reason_size) {
    const char *named = secure_getenv("KASSAY_MODULES");
    char program[PATH_SIZE - 16], beside[PATH_SIZE];
    void *found;
    if (named && *named)
        return ks_module_load(named, file, symbol, reason, reason_size); // who names a directory hears when it is wrong
    if (!program_directory(program, sizeof(program))) {
        snprintf(reason, reason_size, "the directory of this program is not known; set KASSAY_MODULES");
        return NULL;
    }
    found = ks_module_load(program, file, symbol, reason, reason_size);
    if (found)
        return found;
    snprintf(beside, sizeof(beside), "%s/../lib", program);
    return ks_module_load(beside, file, symbol, reason, reason_size);
}
