// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a file. Small files are read, large ones mapped; the readers see the same ks_bytes either way.
// A mapped file that shrinks while it is read must not kill the program: every access to a source's bytes happens
// inside ks_source_guard, which turns the SIGBUS into KS_E_FILE_CHANGED.
#ifndef KASSAY_SOURCE_H
#define KASSAY_SOURCE_H

#include <kassay/context.h>
#include <kassay/text.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_source ks_source;

/// Opens a regular file; anything else (a directory, a pipe) is KS_E_IO. Sets the context's memory budget for its size.
ks_code ks_source_open(ks_source **out, ks_context *context, const char *path);
/// The same, but read whatever its size: the bytes stay what they are, and no guard is needed.
ks_code ks_source_open_copy(ks_source **out, ks_context *context, const char *path);
/// Reads everything from a descriptor such as standard input; bounded by the limits.
ks_code ks_source_read(ks_source **out, ks_context *context, int descriptor);
void ks_source_close(ks_source *source); ///< NULL is allowed
ks_bytes ks_source_bytes(const ks_source *source);
const char *ks_source_path(const ks_source *source);

/// Runs `work(argument)`. When a page of `source` is gone (the file shrank), `work` is left at once, what it allocated
/// through `context` is freed, and the call returns KS_E_FILE_CHANGED. Guards nest.
ks_code ks_source_guard(ks_source *source, ks_context *context, ks_code (*work)(void *argument), void *argument);

#ifdef __cplusplus
}
#endif
#endif
