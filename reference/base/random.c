// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <math.h>

static uint64_t rotate(uint64_t bits, int count) {
    return bits << count | bits >> (64 - count);
}

void ks_random_seed(ks_random *random, uint64_t seed) {
    for (int i = 0; i < 4; i++) { // SplitMix64
        uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        random->state[i] = z ^ z >> 31;
    }
    random->has_spare = false;
    random->spare = 0;
}

uint64_t ks_random_bits(ks_random *random) {
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double ks_random_unit(ks_random *random) {
    return (double)(ks_random_bits(random) >> 11) * 0x1p-53;
}

double ks_random_gauss(ks_random *random) {
    double u, v, s, scale;
    if (random->has_spare) {
        random->has_spare = false;
        return random->spare;
    }
    do {
        u = 2 * ks_random_unit(random) - 1;
        v = 2 * ks_random_unit(random) - 1;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    scale = sqrt(-2 * log(s) / s);
    random->spare = v * scale;
    random->has_spare = true;
    return u * scale;
}

double ks_random_truncated_gauss(ks_random *random) {
    double z;
    do
        z = ks_random_gauss(random);
    while (z < -2 || z > 2);
    return z;
}
