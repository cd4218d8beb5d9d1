// SPDX-License-Identifier: Apache-2.0
#include "ops/resample.h"

#include <string.h>

void KS_REAL(ks_resample_axis)(ks_real *out, const ks_real *in, ks_interpolation interpolation, size_t outer,
                               size_t in_size, size_t out_size, size_t inner) {
    for (size_t i = 0; i < out_size; i++) {
        ks_resample_taps taps = ks_resample_taps_at(interpolation, i, in_size, out_size);
        for (size_t o = 0; o < outer; o++) {
            ks_real *restrict row = out + (o * out_size + i) * inner;
            const ks_real *x = in + (o * in_size + taps.first) * inner;
            memset(row, 0, inner * sizeof(*row));
            for (size_t t = 0; t < taps.count; t++)
                for (size_t j = 0; j < inner; j++)
                    row[j] += (ks_real)taps.weights[t] * x[t * inner + j];
        }
    }
}
