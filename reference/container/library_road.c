// SPDX-License-Identifier: Apache-2.0
//
// Finds and loads the module of the library road.
#include <kassay/library_road.h>

#include <pthread.h>
#include <stdio.h>

#include "base/module.h"

#define MODULE_FILE "libkassay-library-road.so"

// Written once under `once`, read-only afterwards: the one place where a process remembers something.
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const ks_library_road *loaded;
static char why_not[512];

static const ks_library_road *check_version(const ks_library_road *road, char *reason, size_t reason_size) {
    if (!road || road->version == KS_LIBRARY_ROAD_VERSION)
        return road;
    snprintf(reason, reason_size, "expected version %d of the interface, found %d", KS_LIBRARY_ROAD_VERSION,
             road->version);
    return NULL;
}

const ks_library_road *ks_library_road_load(const char *directory, char *reason, size_t reason_size) {
    return check_version(ks_module_load(directory, MODULE_FILE, "ks_library_road_module", reason, reason_size), reason,
                         reason_size);
}

static void load_once(void) {
    loaded = check_version(ks_module_find(MODULE_FILE, "ks_library_road_module", why_not, sizeof why_not), why_not,
                           sizeof why_not);
}

const ks_library_road *ks_library_road_get(ks_context *context) {
    pthread_once(&once, load_once);
    if (!loaded)
        ks_fail(context, KS_E_LIBRARY_MODULE, KS_STAGE_FILE, KS_NO_OFFSET, NULL, "%s", why_not);
    return loaded;
}
