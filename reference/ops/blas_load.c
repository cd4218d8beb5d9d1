// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <stdlib.h>

#include "base/module.h"
#include "ops/blas.h"

// Written once under `once`, read-only afterwards.
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const ks_blas *loaded;

static void choose_core_type(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        setenv("OPENBLAS_CORETYPE", "Haswell", 0);
#endif
}

static void load_once(void) {
    char reason[512];
    choose_core_type();
    loaded = ks_module_find("libkassay-blas.so", "ks_blas_module", reason, sizeof(reason));
    if (loaded && loaded->version != KS_BLAS_VERSION)
        loaded = NULL;
}

const ks_blas *ks_blas_get(void) {
    pthread_once(&once, load_once);
    return loaded;
}
