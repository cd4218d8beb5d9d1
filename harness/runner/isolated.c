// SPDX-License-Identifier: Apache-2.0
#include "runner/isolated.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REPLIED 0x4B41u // before the reply: what a dying child prints there by accident is no reply

typedef struct reply_header {
    uint32_t mark;
    uint32_t size;
} reply_header;

ks_isolated_limits ks_isolated_limits_default(void) {
    ks_isolated_limits limits = {
        .memory = (uint64_t)2 << 30, .cpu_seconds = 10, .wall_milliseconds = 20000, .keep_stderr = false};
    return limits;
}

// --- the child -------------------------------------------------------------------------------------------------------

/// Bytes of address space in use. Sanitizers reserve terabytes before main, hence the limit is counted from here on.
static uint64_t mapped_now(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long long pages = 0;
    if (!file)
        return 0;
    if (fscanf(file, "%llu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void limit(int resource, uint64_t value) {
    struct rlimit both = {value, value};
    setrlimit((__rlimit_resource_t)resource, &both);
}

static void confine(const ks_isolated_limits *limits) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit(RLIMIT_CORE, 0);
    struct rlimit cpu = {limits->cpu_seconds, limits->cpu_seconds + 1};
    setrlimit(RLIMIT_CPU, &cpu);
    limit(RLIMIT_AS, mapped_now() + limits->memory);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing >= 0 && !limits->keep_stderr) {
        dup2(nothing, STDOUT_FILENO);
        dup2(nothing, STDERR_FILENO);
    }
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU, SIGTERM};
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        signal(fatal[i], SIG_DFL); // the parent's handlers are not for this process
}

static bool write_all(int descriptor, const void *data, size_t size) {
    const char *at = data;
    while (size > 0) {
        ssize_t wrote = write(descriptor, at, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        at += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

_Noreturn static void be_the_child(int descriptor, const ks_isolated_limits *limits,
                                   size_t (*work)(void *argument, void *reply, size_t reply_size), void *argument,
                                   void *reply, size_t reply_size) {
    confine(limits);
    memset(reply, 0, reply_size);
    size_t used = work(argument, reply, reply_size);
    reply_header header = {REPLIED, (uint32_t)used};
    bool whole =
        used <= reply_size && write_all(descriptor, &header, sizeof header) && write_all(descriptor, reply, used);
    _exit(whole ? 0 : 1);
}

// --- the parent ------------------------------------------------------------------------------------------------------

static int64_t now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/// Reads `size` bytes before `deadline`; false at the end of the stream or when time is out (`*late`).
static bool read_before(int descriptor, void *data, size_t size, int64_t deadline, bool *late) {
    char *at = data;
    while (size > 0) {
        int64_t left = deadline - now_milliseconds();
        struct pollfd ready = {descriptor, POLLIN, 0};
        int polled = left > 0 ? poll(&ready, 1, (int)left) : 0;
        if (polled < 0 && errno == EINTR)
            continue;
        if (polled <= 0) {
            *late = true;
            return false;
        }
        ssize_t got = read(descriptor, at, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

/// Waits for the child's end; kills it when time is out.
static int reap(pid_t child, int64_t deadline, bool *late) {
    int status = 0;
    while (!*late) {
        pid_t done = waitpid(child, &status, WNOHANG);
        if (done == child || (done < 0 && errno != EINTR))
            return status;
        if (now_milliseconds() >= deadline)
            *late = true;
        else
            nanosleep(&(struct timespec){0, 500000}, NULL);
    }
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static void judge(ks_isolated_result *out, bool replied, bool late, int status) {
    out->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    out->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    if (late || out->signal == SIGXCPU)
        out->end = KS_ISOLATED_HUNG;
    else if (replied && out->signal == 0 && out->exit_status == 0)
        out->end = KS_ISOLATED_REPLIED;
    else
        out->end = KS_ISOLATED_CRASHED;
}

ks_code ks_isolated_run(ks_isolated_result *out, ks_context *context, const ks_isolated_limits *limits,
                        size_t (*work)(void *argument, void *reply, size_t reply_size), void *argument, void *reply,
                        size_t reply_size) {
    memset(out, 0, sizeof *out);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ks_fail(context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, NULL, "no pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0) {
        int why = errno;
        close(ends[0]);
        close(ends[1]);
        return ks_fail(context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, NULL, "no child: %s", strerror(why));
    }
    if (child == 0) {
        close(ends[0]);
        be_the_child(ends[1], limits, work, argument, reply, reply_size);
    }
    close(ends[1]);
    int64_t deadline = now_milliseconds() + limits->wall_milliseconds;
    bool late = false;
    reply_header header = {0, 0};
    bool replied = read_before(ends[0], &header, sizeof header, deadline, &late) && header.mark == REPLIED &&
                   header.size <= reply_size && read_before(ends[0], reply, header.size, deadline, &late);
    close(ends[0]);
    int status = reap(child, deadline, &late);
    judge(out, replied, late, status);
    out->reply_size = out->end == KS_ISOLATED_REPLIED ? header.size : 0;
    return KS_OK;
}
