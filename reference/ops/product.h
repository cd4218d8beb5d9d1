// SPDX-License-Identifier: Apache-2.0
//
// Matrix products.
#ifndef KASSAY_OPS_PRODUCT_H
#define KASSAY_OPS_PRODUCT_H

#include "ops/real.h"

/// out[rows][columns] = a[rows][inner] · b[inner][columns] + bias[columns]; `bias` may be NULL. All dense, C order.
void KS_REAL(ks_matmul)(ks_real *out, const ks_real *a, const ks_real *b, const ks_real *bias, size_t rows,
                        size_t inner, size_t columns);

#endif
