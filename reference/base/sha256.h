// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 (FIPS 180-4), for naming tensors and closing result files; not for secrets.
#ifndef KASSAY_BASE_SHA256_H
#define KASSAY_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct ks_sha256 {
    uint32_t state[8];
    uint64_t size;     ///< bytes so far
    uint8_t block[64]; ///< bytes of an unfinished block
} ks_sha256;

void ks_sha256_init(ks_sha256 *hash);
void ks_sha256_add(ks_sha256 *hash, const void *data, size_t size);
void ks_sha256_finish(uint8_t digest[32], ks_sha256 *hash);
/// The digest of one piece of memory as 64 hexadecimal digits and NUL.
void ks_sha256_hex(char text[65], const void *data, size_t size);
/// A digest as text.
void ks_sha256_text(char text[65], const uint8_t digest[32]);

#endif
