// SPDX-License-Identifier: Apache-2.0
//
// Matrix products.
#ifndef KASSAY_OPS_PRODUCT_H
#define KASSAY_OPS_PRODUCT_H

#include "ops/real.h"

/// out[rows][columns] = a[rows][inner] · b[inner][columns] + bias[columns]; `bias` may be NULL. All dense, C order.
/// Large right sides (see KS_BLAS_FROM) are multiplied by OpenBLAS when its module is there; which way is taken never
/// depends on the number of rows or on alignment.
void KS_REAL(ks_matmul)(ks_real *out, const ks_real *a, const ks_real *b, const ks_real *bias, size_t rows,
                        size_t inner, size_t columns);
/// The same by plain loops: the oracle for the above.
void KS_REAL(ks_matmul_plain)(ks_real *out, const ks_real *a, const ks_real *b, size_t rows, size_t inner,
                              size_t columns);

/// Elements of the right side from which OpenBLAS pays.
#define KS_BLAS_FROM ((size_t)1 << 16)

#endif
