// SPDX-License-Identifier: Apache-2.0
//
// Work that may crash, hang or eat all memory, done in a forked child: what happens to the child is an outcome, never a
// fault of the judge.
//
// The child inherits the parent's memory, so nothing has to be passed in; what it finds out comes back as a reply of
// plain bytes. Fork only while no other thread is inside one of the libraries: a lock held at that moment stays locked
// in the child, which would then look like one that hangs.
#ifndef KASSAY_HARNESS_RUNNER_ISOLATED_H
#define KASSAY_HARNESS_RUNNER_ISOLATED_H

#include <kassay/context.h>

typedef enum ks_isolated_end {
    KS_ISOLATED_REPLIED, ///< the work came to its end and the reply is whole
    KS_ISOLATED_CRASHED, ///< a signal, or any exit before the reply was whole
    KS_ISOLATED_HUNG     ///< the wall clock or the processor's time ran out
} ks_isolated_end;

typedef struct ks_isolated_limits {
    uint64_t memory;            ///< bytes of address space that the child may map beyond what it starts with
    uint32_t cpu_seconds;       ///< of processor time
    uint32_t wall_milliseconds; ///< until the child is killed
    bool keep_stderr;           ///< false: what the child prints is lost
} ks_isolated_limits;

typedef struct ks_isolated_result {
    ks_isolated_end end;
    int signal;        ///< that ended the child, 0 when none did
    int exit_status;   ///< of the child, when no signal ended it
    size_t reply_size; ///< bytes written to `reply`
} ks_isolated_result;

/// 2 GiB, 10 s of processor time, 20 s by the clock.
ks_isolated_limits ks_isolated_limits_default(void);

/// Runs `work(argument, reply, reply_size)` in a child; `work` fills `reply` (room for `reply_size` bytes, zeroed) and
/// returns how many bytes of it count. KS_E_IO when no child can be made; any fate of the child is KS_OK and told by
/// `out`.
ks_code ks_isolated_run(ks_isolated_result *out, ks_context *context, const ks_isolated_limits *limits,
                        size_t (*work)(void *argument, void *reply, size_t reply_size), void *argument, void *reply,
                        size_t reply_size);

#endif
