// SPDX-License-Identifier: Apache-2.0
//
// The two HDF5 roads on one file. libhdf5 sees it only when the strict road accepted every object, attribute and
// element; then both find the same tree with the same bytes.
#include "common/fuzz_common.h"
#include "common/hdf5_mutator.h"

#include "runner/road_compare.h"
#include <stdio.h>

/// libhdf5 takes seconds over a dataset of very many tiny chunks; larger ones tell nothing more.
#define MOST_ELEMENTS ((uint64_t)1 << 14)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ks_roads_options options = ks_roads_options_default();
    ks_context context;
    ks_roads_result result;
    options.limits.tensor_elements = MOST_ELEMENTS;
    ks_fuzz_begin(&context, size);
    ks_code code = ks_roads_compare_hdf5(&result, &context, &options, (ks_bytes){data, size});
    ks_fuzz_assert_with(&context, code == KS_OK);
    if (result.outcome == KS_ROADS_DIFFER)
        fprintf(stderr, "the roads differ at '%s': %s\n", result.where, result.message);
    ks_fuzz_assert(result.outcome != KS_ROADS_DIFFER);
    ks_fuzz_end(&context, size);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    return ks_fuzz_hdf5_mutate(data, size, max_size, seed);
}
