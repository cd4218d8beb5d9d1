// SPDX-License-Identifier: Apache-2.0
//
// The two checksums of HDF5.
//
// - lookup3: Jenkins's hash over 12 bytes at a time, start value 0. Behind every structure of version 2 and later, and
//   the hash of names in version 2 B-trees.
// - fletcher32: two sums modulo 65535 over big-endian 16-bit words, an odd last byte being the high one. Behind chunks.
#include "container/hdf5_internal.h"

static inline uint32_t rotate(uint32_t value, unsigned bits) {
    return value << bits | value >> (32 - bits);
}

static inline uint32_t word(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

typedef struct state {
    uint32_t a, b, c;
} state;

static inline void mix(state *s) {
    static const unsigned char turns[6] = {4, 6, 8, 16, 19, 4};
    for (size_t i = 0; i < 6; i += 3) {
        s->a = (s->a - s->c) ^ rotate(s->c, turns[i]);
        s->c += s->b;
        s->b = (s->b - s->a) ^ rotate(s->a, turns[i + 1]);
        s->a += s->c;
        s->c = (s->c - s->b) ^ rotate(s->b, turns[i + 2]);
        s->b += s->a;
    }
}

static inline uint32_t finish(state *s) {
    s->c = (s->c ^ s->b) - rotate(s->b, 14);
    s->a = (s->a ^ s->c) - rotate(s->c, 11);
    s->b = (s->b ^ s->a) - rotate(s->a, 25);
    s->c = (s->c ^ s->b) - rotate(s->b, 16);
    s->a = (s->a ^ s->c) - rotate(s->c, 4);
    s->b = (s->b ^ s->a) - rotate(s->a, 14);
    s->c = (s->c ^ s->b) - rotate(s->b, 24);
    return s->c;
}

static inline void add(state *s, const uint8_t *p) {
    s->a += word(p);
    s->b += word(p + 4);
    s->c += word(p + 8);
}

/// The last 1 to 12 bytes, filled up with zeros.
static uint32_t add_last(state *s, const uint8_t *p, size_t size) {
    uint8_t last[12] = {0};
    memcpy(last, p, size);
    add(s, last);
    return finish(s);
}

uint32_t ks__h5_lookup3(const uint8_t *data, size_t size) {
    uint32_t start = 0xdeadbeefU + (uint32_t)size;
    state s = {start, start, start};
    if (size == 0)
        return s.c;
    for (; size > 12; data += 12, size -= 12) {
        add(&s, data);
        mix(&s);
    }
    return add_last(&s, data, size);
}

uint32_t ks__h5_lookup3_hole(const uint8_t *data, size_t size, size_t hole) {
    uint32_t start = 0xdeadbeefU + (uint32_t)size;
    state s = {start, start, start};
    for (size_t at = 0; at < size; at += 12) {
        uint8_t part[12] = {0};
        size_t left = size - at;
        const uint8_t *p = data + at;
        if (left <= 12 || (at + 12 > hole && at < hole + 4)) {
            memcpy(part, p, left < 12 ? left : 12);
            for (size_t i = 0; i < 12; i++)
                if (at + i >= hole && at + i < hole + 4)
                    part[i] = 0;
            p = part;
        }
        add(&s, p);
        if (left <= 12)
            return finish(&s);
        mix(&s);
    }
    return s.c;
}

uint32_t ks__h5_fletcher32(const uint8_t *data, size_t size) {
    uint32_t low = 0;
    uint32_t high = 0;
    size_t at = 0;
    while (at + 1 < size) {
        size_t end = size - at > 720 ? at + 720 : size; // so many words cannot overflow the sums
        for (; at + 1 < end; at += 2) {
            low += (uint32_t)data[at] << 8 | data[at + 1];
            high += low;
        }
        low = (low & 0xffff) + (low >> 16);
        high = (high & 0xffff) + (high >> 16);
    }
    if (size % 2) {
        low += (uint32_t)data[size - 1] << 8;
        high += low;
    }
    for (int i = 0; i < 2; i++) {
        low = (low & 0xffff) + (low >> 16);
        high = (high & 0xffff) + (high >> 16);
    }
    return high << 16 | low;
}
