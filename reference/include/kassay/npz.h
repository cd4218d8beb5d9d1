// SPDX-License-Identifier: Apache-2.0
//
// numpy's `.npz`: a zip archive of `.npy` arrays (versions 1.0 to 3.0 of the format). Object arrays are pickles and are
// refused as unsafe.
#ifndef KASSAY_NPZ_H
#define KASSAY_NPZ_H

#include <kassay/context.h>
#include <kassay/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_npz ks_npz;

/// `bytes` must outlive the result.
ks_code ks_npz_open(ks_npz **out, ks_context *context, ks_bytes bytes);
void ks_npz_close(ks_npz *npz); ///< NULL is allowed
size_t ks_npz_count(const ks_npz *npz);
const char *ks_npz_name(const ks_npz *npz, size_t index); ///< without ".npy"
bool ks_npz_has(const ks_npz *npz, const char *name);
/// An array in C order and the host's byte order; its data lives as long as the npz. `|S` and `<U` arrays come as
/// KS_STRING, `|V2` as KS_BFLOAT16.
ks_code ks_npz_get(ks_tensor *out, ks_npz *npz, const char *name);

typedef struct ks_npz_entry {
    const char *name;
    ks_tensor tensor;
} ks_npz_entry;

/// Writes arrays, stored, in this order, atomically (temporary file beside `path`, fsync, rename); "-" is standard
/// output. Deterministic. KS_STRING is written as `|S` of the longest element, KS_BFLOAT16 as `|V2`.
ks_code ks_npz_write(ks_context *context, const char *path, const ks_npz_entry *entries, size_t count);

#ifdef __cplusplus
}
#endif
#endif
