// SPDX-License-Identifier: Apache-2.0
//
// Changes to HDF5 files that get behind their checksums.
#ifndef KASSAY_FUZZ_HDF5_MUTATOR_H
#define KASSAY_FUZZ_HDF5_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/// For a target's LLVMFuzzerCustomMutator: a change by the engine, and then (for 7 of 8 seeds) every checksum that the
/// strict reader finds wrong is set right, so that what was changed is looked at.
size_t ks_fuzz_hdf5_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed);

#endif
