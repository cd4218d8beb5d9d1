// SPDX-License-Identifier: Apache-2.0
//
// The hashes by which TensorFlow puts strings into buckets: they are what they are for ever, files depend on them.
#ifndef KASSAY_OPS_FINGERPRINT_H
#define KASSAY_OPS_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

/// FarmHash's Fingerprint64: tf.strings.to_hash_bucket_fast takes its remainder.
uint64_t ks_fingerprint64(const char *data, size_t size);
/// TensorFlow's fingerprint of two (FingerprintCat64): tf.sparse.cross_hashed is a chain of it.
uint64_t ks_fingerprint_pair(uint64_t first, uint64_t second);
/// SipHash-2-4: tf.strings.to_hash_bucket_strong takes its remainder.
uint64_t ks_siphash(const uint64_t key[2], const char *data, size_t size);

#endif
