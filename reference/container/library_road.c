// SPDX-License-Identifier: Apache-2.0
//
// Finds and loads the module of the library road.
#include <kassay/library_road.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE_FILE "libkassay-library-road.so"
#define PATH_SIZE 4096

// Written once under `once`, read-only afterwards: the one place where a process remembers something.
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const ks_library_road *loaded;
static char why_not[512];

const ks_library_road *ks_library_road_load(const char *directory, char *reason, size_t reason_size) {
    char path[PATH_SIZE];
    int size = snprintf(path, sizeof path, "%s/%s", directory, MODULE_FILE);
    if (size < 0 || (size_t)size >= sizeof path) {
        snprintf(reason, reason_size, "the path of the module is too long");
        return NULL;
    }
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module) {
        const char *message = dlerror();
        snprintf(reason, reason_size, "%s", message ? message : "dlopen failed");
        return NULL;
    }
    const ks_library_road *road = dlsym(module, "ks_library_road_module");
    if (!road || road->version != KS_LIBRARY_ROAD_VERSION) {
        snprintf(reason, reason_size, "%s: expected version %d of the interface, found %d", path,
                 KS_LIBRARY_ROAD_VERSION, road ? road->version : 0);
        dlclose(module);
        return NULL;
    }
    return road;
}

/// The directory of the running program, without the trailing slash.
static bool program_directory(char *directory, size_t directory_size) {
    ssize_t size = readlink("/proc/self/exe", directory, directory_size - 1);
    if (size <= 0)
        return false;
    directory[size] = '\0';
    char *slash = strrchr(directory, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

static void load_once(void) {
    const char *named = secure_getenv("KASSAY_MODULES");
    if (named && *named) {
        loaded = ks_library_road_load(named, why_not, sizeof why_not);
        return; // who names a directory wants to hear when it is wrong
    }
    char program[PATH_SIZE - 16];
    if (!program_directory(program, sizeof program)) {
        snprintf(why_not, sizeof why_not, "the directory of this program is not known; set KASSAY_MODULES");
        return;
    }
    loaded = ks_library_road_load(program, why_not, sizeof why_not);
    if (!loaded) {
        char beside[PATH_SIZE];
        snprintf(beside, sizeof beside, "%s/../lib", program);
        loaded = ks_library_road_load(beside, why_not, sizeof why_not);
    }
}

const ks_library_road *ks_library_road_get(ks_context *context) {
    pthread_once(&once, load_once);
    if (!loaded)
        ks_fail(context, KS_E_LIBRARY_MODULE, KS_STAGE_FILE, KS_NO_OFFSET, NULL, "%s", why_not);
    return loaded;
}
