// SPDX-License-Identifier: Apache-2.0
//
// The module that links OpenBLAS.
#include "ops/blas.h"

#include <cblas.h>

static void product_f32(float *out, const float *a, const float *b, size_t rows, size_t inner, size_t columns) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)columns, (blasint)inner, 1.0F, a,
                (blasint)inner, b, (blasint)columns, 0.0F, out, (blasint)columns);
}

static void product_f64(double *out, const double *a, const double *b, size_t rows, size_t inner, size_t columns) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)columns, (blasint)inner, 1.0, a,
                (blasint)inner, b, (blasint)columns, 0.0, out, (blasint)columns);
}

static const char *core_name(void) {
    return openblas_get_corename();
}

__attribute__((constructor)) static void one_thread(void) {
    openblas_set_num_threads(1);
}

__attribute__((visibility("default"))) extern const ks_blas ks_blas_module;
const ks_blas ks_blas_module = {KS_BLAS_VERSION, product_f32, product_f64, core_name};
