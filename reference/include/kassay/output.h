// SPDX-License-Identifier: Apache-2.0
//
// A file that is being written: it stands under a temporary name beside its place until everything is in it, and takes
// the place in one step. A reader sees the old file or the new one, whole; when writing fails the old one stays. A link
// keeps its place: the file that it leads to is replaced. A device or a pipe is never replaced; it gets the bytes when
// all of them are there.
#ifndef KASSAY_OUTPUT_H
#define KASSAY_OUTPUT_H

#include <kassay/context.h>
#include <kassay/text.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_output ks_output;

/// `path` NULL: a file in memory, whose bytes ks_output_take gives.
ks_code ks_output_open(ks_output **out, ks_context *context, const char *path);
int ks_output_descriptor(const ks_output *output);
ks_code ks_output_write(ks_output *output, uint64_t offset, ks_bytes bytes);
/// CRC-32 of `size` bytes that were written at `offset`.
ks_code ks_output_crc32(uint32_t *out, ks_output *output, uint64_t offset, uint64_t size);
/// Everything written so far is on the disk afterwards; the file has no name yet. For several files that are to appear
/// together: sync them all, then commit them all.
ks_code ks_output_sync(ks_output *output);
/// Syncs what is not synced, and gives the file its name, and the mode of a file that it replaces. The output is still
/// to be closed.
ks_code ks_output_commit(ks_output *output);
/// What is in a file in memory. Free `out->data` with ks_free.
ks_code ks_output_take(ks_bytes *out, ks_output *output);
/// Removes what was not committed. NULL is allowed.
void ks_output_close(ks_output *output);

#ifdef __cplusplus
}
#endif
#endif
