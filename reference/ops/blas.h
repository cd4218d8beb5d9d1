// SPDX-License-Identifier: Apache-2.0
//
// OpenBLAS's few entry points. They come in a module, libkassay-blas.so, loaded on first use: the processor type is
// chosen before OpenBLAS looks at it (Debian's build falls back to SSE3 on processors it does not know), and one thread
// is set, so that results repeat.
#ifndef KASSAY_OPS_BLAS_H
#define KASSAY_OPS_BLAS_H

#include <stddef.h>

typedef struct ks_blas {
    int version; ///< KS_BLAS_VERSION
    /// out[rows][columns] = a[rows][inner] · b[inner][columns], C order.
    void (*product_f32)(float *out, const float *a, const float *b, size_t rows, size_t inner, size_t columns);
    void (*product_f64)(double *out, const double *a, const double *b, size_t rows, size_t inner, size_t columns);
    const char *(*core_name)(void); ///< the kernels that OpenBLAS chose
} ks_blas;

#define KS_BLAS_VERSION 1

/// NULL when the module cannot be loaded: the plain loops do the work then.
const ks_blas *ks_blas_get(void);

#endif
