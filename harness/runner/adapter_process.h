// SPDX-License-Identifier: Apache-2.0
//
// The process of an adapter: started in a process group of its own, watched while it works, and ended with everything
// it left behind. What it prints goes to a log file, whose tail explains a failure.
#ifndef KASSAY_HARNESS_RUNNER_ADAPTER_PROCESS_H
#define KASSAY_HARNESS_RUNNER_ADAPTER_PROCESS_H

#include <sys/types.h>

#include <kassay/context.h>
#include <kassay/text.h>

#define KS_ADAPTER_MAX_LINE ((size_t)1 << 20)

typedef struct ks_adapter_limits {
    unsigned start_seconds; ///< from start to the reply to `hello`
    unsigned case_seconds;  ///< by the clock, for one request
    unsigned cpu_seconds;   ///< of processor time, for one request
    uint64_t memory;        ///< bytes resident in the whole process group
    uint64_t disk;          ///< bytes in the scratch folder, and in any one file
} ks_adapter_limits;

/// 120 s to start, 60 s a request by the clock and 120 s of processor time, 4 GiB of memory, 1 GiB of disk.
ks_adapter_limits ks_adapter_limits_default(void);

typedef enum ks_adapter_event {
    KS_ADAPTER_LINE,  ///< a whole line was read from its channel
    KS_ADAPTER_ENDED, ///< the process has ended by itself, or closed its channel; its status
                      ///< is known unless it had to be killed
    KS_ADAPTER_LATE,  ///< the clock ran out
    KS_ADAPTER_OVER_CPU,
    KS_ADAPTER_OVER_MEMORY,
    KS_ADAPTER_OVER_DISK
} ks_adapter_event;

typedef struct ks_adapter_process {
    pid_t pid;         ///< 0: none
    int request;       ///< where requests are written, -1: none
    int reply;         ///< where replies are read, -1: none
    char log[1100];    ///< path of what it prints
    int64_t log_start; ///< bytes in the log when the request was sent
    uint64_t cpu_start;
    int status; ///< as waitpid gives it, once it has ended
    char *line; ///< KS_ADAPTER_MAX_LINE + 1 bytes
    size_t line_size;
} ks_adapter_process;

/// Starts `exec COMMAND ARGUMENTS…` through the shell, in the caller's directory. With `channels` it reads requests on
/// descriptor 3 and writes replies on 4. `folder` becomes its TMPDIR and holds the log. The argument list ends with
/// NULL.
ks_code ks_adapter_process_start(ks_adapter_process *out, ks_context *context, const char *command,
                                 const char *const *arguments, const char *folder, bool channels,
                                 const ks_adapter_limits *limits);
/// Marks the start of a request: limits and the log's tail count from here.
void ks_adapter_process_mark(ks_adapter_process *process);
/// Sends one line. False: the process does not take it.
bool ks_adapter_process_send(ks_adapter_process *process, ks_text line);
/// Is there anything to read that nobody asked for?
bool ks_adapter_process_chatters(const ks_adapter_process *process);
/// Waits for a line (with channels) or for the end. The line, without its end, is in `process->line`.
ks_adapter_event ks_adapter_process_wait(ks_adapter_process *process, const char *scratch, unsigned seconds,
                                         const ks_adapter_limits *limits);
/// Kills the process group and, with `sweep`, every other child of this process; reaps all. NULL-safe fields: may be
/// called at any time.
void ks_adapter_process_end(ks_adapter_process *process, bool sweep);
/// The last of what it printed since the mark, on one line.
void ks_adapter_process_tail(char *text, size_t size, const ks_adapter_process *process);

#endif
