// SPDX-License-Identifier: Apache-2.0
//
// Definitions: FarmHash's farmhashna::Hash64 (which Fingerprint64 is), Aumasson and Bernstein's SipHash. All arithmetic
// is modulo 2^64.
#include "ops/fingerprint.h"

#include <string.h>

static const uint64_t k0 = UINT64_C(0xc3a5c85c97cb3127), k1 = UINT64_C(0xb492b66fbe98f273),
                      k2 = UINT64_C(0x9ae16a3b2f90404f);

static uint64_t eight(const char *at) {
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t four(const char *at) {
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t byte(const char *at) {
    return (uint8_t)*at;
}

static uint64_t rotate_right(uint64_t value, int by) {
    return value >> by | value << (64 - by);
}

// --- FarmHash -------------------------------------------------------------------------------------------------------

static uint64_t mix(uint64_t value) {
    return value ^ value >> 47;
}

static uint64_t combine(uint64_t u, uint64_t v, uint64_t multiplier) {
    uint64_t a = mix((u ^ v) * multiplier);
    return mix((v ^ a) * multiplier) * multiplier;
}

static uint64_t hash_16(const char *s, size_t size) {
    uint64_t multiplier = k2 + size * 2;
    if (size >= 8) {
        uint64_t a = eight(s) + k2, b = eight(s + size - 8);
        uint64_t c = rotate_right(b, 37) * multiplier + a, d = (rotate_right(a, 25) + b) * multiplier;
        return combine(c, d, multiplier);
    }
    if (size >= 4)
        return combine(size + (four(s) << 3), four(s + size - 4), multiplier);
    if (size == 0)
        return k2;
    uint64_t y = byte(s) + (byte(s + size / 2) << 8), z = size + (byte(s + size - 1) << 2);
    return mix((y * k2) ^ (z * k0)) * k2;
}

static uint64_t hash_32(const char *s, size_t size) {
    uint64_t multiplier = k2 + size * 2;
    uint64_t a = eight(s) * k1, b = eight(s + 8);
    uint64_t c = eight(s + size - 8) * multiplier, d = eight(s + size - 16) * k2;
    return combine(rotate_right(a + b, 43) + rotate_right(c, 30) + d, a + rotate_right(b + k2, 18) + c, multiplier);
}

static uint64_t hash_64(const char *s, size_t size) {
    uint64_t multiplier = k2 + size * 2;
    uint64_t a = eight(s) * k2, b = eight(s + 8);
    uint64_t c = eight(s + size - 8) * multiplier, d = eight(s + size - 16) * k2;
    uint64_t y = rotate_right(a + b, 43) + rotate_right(c, 30) + d;
    uint64_t z = combine(y, a + rotate_right(b + k2, 18) + c, multiplier);
    uint64_t e = eight(s + 16) * multiplier, f = eight(s + 24);
    uint64_t g = (y + eight(s + size - 32)) * multiplier, h = (z + eight(s + size - 24)) * multiplier;
    return combine(rotate_right(e + f, 43) + rotate_right(g, 30) + h, e + rotate_right(f + a, 18) + g, multiplier);
}

typedef struct pair {
    uint64_t first, second;
} pair;

static pair hash_block_of_32(const char *s, uint64_t a, uint64_t b) {
    uint64_t w = eight(s), x = eight(s + 8), y = eight(s + 16), z = eight(s + 24), c;
    a += w;
    b = rotate_right(b + a + z, 21);
    c = a;
    a += x + y;
    b += rotate_right(a, 44);
    return (pair){a + z, b + c};
}

static void swap(uint64_t *a, uint64_t *b) {
    uint64_t kept = *a;
    *a = *b;
    *b = kept;
}

static uint64_t hash_long(const char *s, size_t size) {
    const char *last_block = s + (size - 1) / 64 * 64, *last_64 = s + size - 64;
    const uint64_t seed = 81;
    uint64_t x = seed, y = seed * k1 + 113, z = mix(y * k2 + 113) * k2, multiplier;
    pair v = {0, 0}, w = {0, 0};
    x = x * k2 + eight(s);
    for (; s < last_block; s += 64) {
        x = rotate_right(x + y + v.first + eight(s + 8), 37) * k1;
        y = rotate_right(y + v.second + eight(s + 48), 42) * k1;
        x ^= w.second;
        y += v.first + eight(s + 40);
        z = rotate_right(z + w.first, 33) * k1;
        v = hash_block_of_32(s, v.second * k1, x + w.first);
        w = hash_block_of_32(s + 32, z + w.second, y + eight(s + 16));
        swap(&z, &x);
    }
    multiplier = k1 + ((z & 0xff) << 1);
    s = last_64;
    w.first += (size - 1) & 63;
    v.first += w.first;
    w.first += v.first;
    x = rotate_right(x + y + v.first + eight(s + 8), 37) * multiplier;
    y = rotate_right(y + v.second + eight(s + 48), 42) * multiplier;
    x ^= w.second * 9;
    y += v.first * 9 + eight(s + 40);
    z = rotate_right(z + w.first, 33) * multiplier;
    v = hash_block_of_32(s, v.second * multiplier, x + w.first);
    w = hash_block_of_32(s + 32, z + w.second, y + eight(s + 16));
    swap(&z, &x);
    return combine(combine(v.first, w.first, multiplier) + mix(y) * k0 + z, combine(v.second, w.second, multiplier) + x,
                   multiplier);
}

uint64_t ks_fingerprint64(const char *data, size_t size) {
    if (size <= 16)
        return hash_16(data, size);
    if (size <= 32)
        return hash_32(data, size);
    return size <= 64 ? hash_64(data, size) : hash_long(data, size);
}

uint64_t ks_fingerprint_pair(uint64_t first, uint64_t second) {
    const uint64_t multiplier = UINT64_C(0xc6a4a7935bd1e995);
    uint64_t result = (first ^ multiplier ^ mix(second * multiplier) * multiplier) * multiplier;
    return mix(mix(result) * multiplier);
}

// --- SipHash --------------------------------------------------------------------------------------------------------

static uint64_t rotate_left(uint64_t value, int by) {
    return value << by | value >> (64 - by);
}

static void rounds(uint64_t v[4], int count) {
    for (int i = 0; i < count; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate_left(v[1], 13) ^ v[0];
        v[3] = rotate_left(v[3], 16) ^ v[2];
        v[0] = rotate_left(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate_left(v[1], 17) ^ v[2];
        v[3] = rotate_left(v[3], 21) ^ v[0];
        v[2] = rotate_left(v[2], 32);
    }
}

static void take(uint64_t v[4], uint64_t word) {
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

uint64_t ks_siphash(const uint64_t key[2], const char *data, size_t size) {
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t last = (uint64_t)size << 56;
    size_t at = 0;
    for (; size - at >= 8; at += 8)
        take(v, eight(data + at));
    for (int shift = 0; at < size; at++, shift += 8)
        last |= byte(data + at) << shift;
    take(v, last);
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
