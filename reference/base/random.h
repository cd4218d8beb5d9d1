// SPDX-License-Identifier: Apache-2.0
//
// The generator behind every random number of this library: xoshiro256** (Blackman and Vigna), its state filled by
// SplitMix64 from a 64-bit seed. The same seed gives the same numbers on every machine.
#ifndef KASSAY_BASE_RANDOM_H
#define KASSAY_BASE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ks_random {
    uint64_t state[4];
    double spare; ///< second number of a normal pair
    bool has_spare;
} ks_random;

void ks_random_seed(ks_random *random, uint64_t seed);
uint64_t ks_random_bits(ks_random *random);
/// Uniform in [0, 1), a multiple of 2^-53.
double ks_random_unit(ks_random *random);
/// Standard normal, by Marsaglia's polar method.
double ks_random_gauss(ks_random *random);
/// Standard normal, drawn again while it lies beyond two standard deviations.
double ks_random_truncated_gauss(ks_random *random);

#endif
