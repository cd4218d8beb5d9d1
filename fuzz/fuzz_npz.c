// SPDX-License-Identifier: Apache-2.0
//
// The npz reader: every array of what it accepts has as many bytes as its shape says.
#include "common/fuzz_common.h"

#include <kassay/npz.h>

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ks_context context;
    ks_npz *npz = NULL;
    ks_fuzz_begin(&context, size);
    if (ks_npz_open(&npz, &context, (ks_bytes){data, size}) == KS_OK) {
        for (size_t i = 0; i < ks_npz_count(npz); i++) {
            ks_tensor tensor;
            uint64_t elements;
            if (ks_npz_get(&tensor, npz, ks_npz_name(npz, i)) == KS_OK) {
                ks_fuzz_assert(ks_shape_elements(&tensor.shape, &elements));
                ks_fuzz_assert(tensor.size == elements * ks_dtype_size(tensor.dtype));
            }
            ks_context_clear(&context);
        }
    }
    ks_npz_close(npz);
    ks_fuzz_end(&context, size);
    return 0;
}
