// SPDX-License-Identifier: Apache-2.0
//
// Folders that an adapter works in: made fresh, filled with copies, measured, removed.
#ifndef KASSAY_HARNESS_RUNNER_SCRATCH_H
#define KASSAY_HARNESS_RUNNER_SCRATCH_H

#include <kassay/context.h>
#include <kassay/text.h>

/// A new folder NAME-XXXXXX below `parent` (NULL: TMPDIR or /tmp); its path goes to `out`.
ks_code ks_scratch_make(char out[1024], ks_context *context, const char *parent, const char *name);
/// Copies a file or a whole folder (files and folders only). `to` must not exist.
ks_code ks_scratch_copy(ks_context *context, const char *from, const char *to);
/// Bytes of all files below `path`; links are not followed.
uint64_t ks_scratch_size(const char *path);
/// Removes a folder with all it holds; links are not followed.
void ks_scratch_remove(const char *path);

#endif
