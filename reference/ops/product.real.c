// SPDX-License-Identifier: Apache-2.0
#include "ops/product.h"

#include <limits.h>
#include <string.h>

#include "ops/blas.h"

// Row by row; the inner loop runs over contiguous columns, so that it vectorises. The order of summation is that of
// `inner`, whatever the number of rows: one row gives the same bits alone and in a batch.
void KS_REAL(ks_matmul_plain)(ks_real *out, const ks_real *a, const ks_real *b, size_t rows, size_t inner,
                              size_t columns) {
    for (size_t i = 0; i < rows; i++) {
        ks_real *restrict row = out + i * columns;
        memset(row, 0, columns * sizeof(*row));
        for (size_t k = 0; k < inner; k++) {
            ks_real factor = a[i * inner + k];
            const ks_real *restrict b_row = b + k * columns;
            for (size_t j = 0; j < columns; j++)
                row[j] += factor * b_row[j];
        }
    }
}

void KS_REAL(ks_matmul)(ks_real *out, const ks_real *a, const ks_real *b, const ks_real *bias, size_t rows,
                        size_t inner, size_t columns) {
    const ks_blas *blas = NULL;
    if (columns && inner >= KS_BLAS_FROM / columns && rows <= INT_MAX && inner <= INT_MAX && columns <= INT_MAX)
        blas = ks_blas_get();
    if (blas)
        blas->KS_REAL(product)(out, a, b, rows, inner, columns);
    else
        KS_REAL(ks_matmul_plain)(out, a, b, rows, inner, columns);
    if (!bias)
        return;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            out[i * columns + j] += bias[j];
}
