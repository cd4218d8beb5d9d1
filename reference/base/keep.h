// SPDX-License-Identifier: Apache-2.0
//
// Things that another library allocated, tied to a context: they are released with everything else when work is left in
// the middle. And memory of a context that is not zeroed.
#ifndef KASSAY_BASE_KEEP_H
#define KASSAY_BASE_KEEP_H

#include <kassay/context.h>

/// Calls `release(thing)` when the result is freed, by ks_free or by ks_context_release_since. On failure NULL with the
/// error set, and `thing` is released already.
void *ks_keep(ks_context *context, void *thing, void (*release)(void *thing));

/// As ks_allocate, but whatever was in the memory is still there: the caller writes all of it.
void *ks__allocate_room(ks_context *context, size_t count, size_t item_size);

#endif
