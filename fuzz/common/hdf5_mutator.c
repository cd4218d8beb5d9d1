// SPDX-License-Identifier: Apache-2.0
#include "common/hdf5_mutator.h"

#include <kassay/hdf5.h>

#include <stdio.h>

#define MAX_REPAIRS 24

__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); // only one engine has it

/// True when a wrong checksum was found and replaced.
static bool repair_one(uint8_t *data, size_t size) {
    ks_context context;
    ks_hdf5 *file = NULL;
    unsigned computed = 0;
    ks_context_init(&context, NULL);
    ks_context_budget(&context, size);
    ks_code code = ks_hdf5_open(&file, &context, (ks_bytes){data, size}, KS_ROAD_STRICT);
    if (code == KS_OK)
        code = ks_hdf5_verify(file);
    ks_hdf5_close(file);
    uint64_t at = context.error.offset;
    if (code != KS_E_HDF5_CHECKSUM || at > size || size - at < 4 ||
        sscanf(context.error.message, "expected checksum 0x%8X", &computed) != 1)
        return false;
    for (size_t i = 0; i < 4; i++)
        data[at + i] = (uint8_t)(computed >> (8 * i));
    return true;
}

size_t ks_fuzz_hdf5_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    if (LLVMFuzzerMutate)
        size = LLVMFuzzerMutate(data, size, max_size);
    for (size_t i = 0; i < MAX_REPAIRS && seed % 8 != 0; i++)
        if (!repair_one(data, size))
            break;
    return size;
}
