// SPDX-License-Identifier: Apache-2.0
//
// The context of one piece of work: its limits, its memory, its error record and its warnings. A context belongs to one
// thread; different contexts share nothing. Everything allocated for a load is allocated through its context, so that
// the budget holds, tests can make the k-th allocation fail, and a leak can be counted.
#ifndef KASSAY_CONTEXT_H
#define KASSAY_CONTEXT_H

#include <kassay/limits.h>
#include <kassay/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KS_MAX_WARNINGS 16

/// Something odd in an accepted file that a careful reader should hear of.
typedef struct ks_warning {
    const char *name; ///< static text, such as "zip-duplicate-name"
    char place[128];
} ks_warning;

typedef struct ks_memory {
    uint64_t limit;                ///< bytes that may be held at once
    uint64_t held;                 ///< bytes held now
    uint64_t peak;                 ///< most bytes ever held
    uint64_t n_allocations;        ///< allocations asked for so far
    uint64_t fail_at;              ///< the allocation with this number (from 1) fails, and all after it; 0 = none
    uint64_t n_live;               ///< allocations not yet freed
    struct ks__allocation *newest; ///< list of live allocations
} ks_memory;

typedef struct ks_context {
    ks_limits limits;
    ks_memory memory;
    ks_error error; ///< the first failure since ks_context_clear
    ks_warning warnings[KS_MAX_WARNINGS];
    size_t n_warnings; ///< may exceed KS_MAX_WARNINGS: later ones are counted only
} ks_context;

/// `limits` may be NULL: the defaults.
void ks_context_init(ks_context *context, const ks_limits *limits);
/// Forgets error and warnings, keeps limits and memory accounting.
void ks_context_clear(ks_context *context);
/// Sets the memory limit for a file of this size: memory_base + memory_per_byte × file_size.
void ks_context_budget(ks_context *context, uint64_t file_size);

/// Zeroed memory for `count` items of `item_size` bytes, or NULL with the error set (over-memory or out-of-memory).
/// Aligned to 64 bytes. Zero bytes give a valid pointer.
void *ks_allocate(ks_context *context, size_t count, size_t item_size);
/// `memory` may be NULL.
void ks_free(ks_context *context, void *memory);
/// A mark for ks_context_release_since: everything allocated later and not yet freed can be freed at once, when work
/// was left in the middle.
uint64_t ks_context_mark(const ks_context *context);
void ks_context_release_since(ks_context *context, uint64_t mark);

/// Records a failure unless one is recorded already, and returns `code`. `place` may be NULL.
/// Failures are cold: what leads to one stands apart from the code of a file that is read well, which then takes less
/// of the processor's cache of instructions. The same holds for all functions that end here.
#if defined(__GNUC__)
__attribute__((cold, format(printf, 6, 7)))
#endif
ks_code
ks_fail(ks_context *context, ks_code code, ks_stage stage, uint64_t offset, const char *place, const char *format, ...);

/// Puts `prefix` before the place of the recorded error: readers name places inside their own document, their callers
/// say which document it was.
void ks_error_prefix_place(ks_context *context, const char *prefix);

void ks_warn(ks_context *context, const char *name, const char *place);

/// A condition that holds for few files: what it leads to stands apart.
#if defined(__GNUC__)
#define KS_SELDOM(condition) __builtin_expect(!!(condition), 0)
#else
#define KS_SELDOM(condition) (condition)
#endif

/// Leaves the function's work when `call` fails; needs a `ks_code code` and a label `done` that cleans up.
#define KS_TRY(call)                                                                                                   \
    do {                                                                                                               \
        code = (call);                                                                                                 \
        if (KS_SELDOM(code != KS_OK))                                                                                  \
            goto done;                                                                                                 \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
