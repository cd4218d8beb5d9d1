// SPDX-License-Identifier: Apache-2.0
#include "runner/adapter_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runner/scratch.h"

#define TICK 20         // milliseconds between two looks at the process
#define TICKS_GROUP 8   // looks between two sums over the whole group and folder
#define LOG_KEPT 262144 // bytes of log after which it starts anew

ks_adapter_limits ks_adapter_limits_default(void) {
    ks_adapter_limits limits = {.start_seconds = 120,
                                .case_seconds = 60,
                                .cpu_seconds = 120,
                                .memory = (uint64_t)4 << 30,
                                .disk = (uint64_t)1 << 30};
    return limits;
}

static int64_t now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// --- the child ------------------------------------------------------------------------------------------------------

typedef struct start {
    const char *command;
    const char *const *arguments;
    const char *folder;
    const char *log;
    int request, reply; ///< its ends, -1: none
    const ks_adapter_limits *limits;
} start;

static void limit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit both = {soft, hard};
    setrlimit((__rlimit_resource_t)resource, &both);
}

static void set_descriptors(const start *s) {
    int nothing = open("/dev/null", O_RDONLY), log = open(s->log, O_WRONLY | O_APPEND | O_CREAT, 0600);
    // Out of the way first: any of them may be 3 or 4 already.
    int request = s->request < 0 ? -1 : fcntl(s->request, F_DUPFD, 10);
    int reply = s->reply < 0 ? -1 : fcntl(s->reply, F_DUPFD, 10);
    dup2(nothing, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (request >= 0) {
        dup2(request, 3);
        dup2(reply, 4);
        close_range(5, ~0u, 0);
    } else {
        close_range(3, ~0u, 0);
    }
}

static void confine(const start *s) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_FSIZE, s->limits->disk, s->limits->disk);
    if (s->request < 0) // one request a process: the kernel counts it too
        limit(RLIMIT_CPU, s->limits->cpu_seconds, s->limits->cpu_seconds + 1);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL); // the judge's handlers are not for this process
    setenv("TMPDIR", s->folder, 1);
    setenv("KASSAY_ADAPTER", "1", 1);
}

_Noreturn static void be_the_child(const start *s) {
    const char *argv[64] = {"sh", "-c", NULL, "adapter"};
    char line[4096];
    size_t count = 4;
    snprintf(line, sizeof(line), "exec %s \"$@\"", s->command);
    argv[2] = line;
    for (size_t i = 0; s->arguments[i] && count < 63; i++)
        argv[count++] = s->arguments[i];
    argv[count] = NULL;
    confine(s);
    set_descriptors(s);
    execv("/bin/sh", (char *const *)(uintptr_t)argv);
    _exit(127);
}

// --- starting -------------------------------------------------------------------------------------------------------

static ks_code failed(ks_context *context, const char *what) {
    return ks_fail(context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, NULL, "no %s for the adapter: %s", what,
                   strerror(errno));
}

static ks_code fork_it(ks_adapter_process *out, ks_context *context, start *s, int requests[2], int replies[2]) {
    s->request = requests[0];
    s->reply = replies[1];
    fflush(NULL);
    out->pid = fork();
    if (out->pid < 0) {
        out->pid = 0;
        return failed(context, "process");
    }
    if (out->pid == 0)
        be_the_child(s);
    setpgid(out->pid, out->pid); // whoever comes first
    out->request = requests[1];
    out->reply = replies[0];
    requests[1] = replies[0] = -1;
    return KS_OK;
}

static void close_both(int ends[2]) {
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
}

ks_code ks_adapter_process_start(ks_adapter_process *out, ks_context *context, const char *command,
                                 const char *const *arguments, const char *folder, bool channels,
                                 const ks_adapter_limits *limits) {
    start s = {.command = command, .arguments = arguments, .folder = folder, .log = out->log, .limits = limits};
    int requests[2] = {-1, -1}, replies[2] = {-1, -1};
    ks_code code = KS_OK;
    memset(out, 0, sizeof(*out));
    out->request = out->reply = -1;
    snprintf(out->log, sizeof(out->log), "%s/log", folder);
    out->line = malloc(KS_ADAPTER_MAX_LINE + 1);
    if (!out->line)
        return ks_fail(context, KS_E_NO_MEMORY, KS_STAGE_FILE, KS_NO_OFFSET, NULL, "no memory for a line");
    if (channels && (pipe2(requests, O_CLOEXEC) != 0 || pipe2(replies, O_CLOEXEC) != 0)) {
        code = failed(context, "pipe");
        goto done;
    }
    ks_adapter_process_mark(out); // before the process can print anything
    KS_TRY(fork_it(out, context, &s, requests, replies));
    if (channels && fcntl(out->request, F_SETFL, O_NONBLOCK) != 0)
        code = failed(context, "pipe");
done:
    close_both(requests);
    close_both(replies);
    if (code != KS_OK)
        ks_adapter_process_end(out, false);
    return code;
}

// --- what it uses ---------------------------------------------------------------------------------------------------

/// Fields of /proc/PID/stat behind the name, which may hold anything.
static bool read_stat(pid_t pid, int *group, uint64_t *cpu, uint64_t *resident) {
    char path[64], text[1024];
    const char *rest;
    unsigned long long user, system;
    long pages;
    FILE *file;
    size_t size;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[size] = 0;
    rest = strrchr(text, ')');
    if (!rest ||
        sscanf(rest + 1, " %*c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %*u %*u %ld",
               group, &user, &system, &pages) != 4)
        return false;
    *cpu = (user + system) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
    *resident = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

static uint64_t group_resident(pid_t leader) {
    uint64_t sum = 0, cpu, resident;
    struct dirent *entry;
    int group;
    DIR *stream = opendir("/proc");
    while (stream && (entry = readdir(stream)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            read_stat((pid_t)strtol(entry->d_name, NULL, 10), &group, &cpu, &resident) && group == leader)
            sum += resident;
    if (stream)
        closedir(stream);
    return sum;
}

/// KS_ADAPTER_LINE: nothing is over its limit.
static ks_adapter_event look(const ks_adapter_process *p, const char *scratch, const ks_adapter_limits *limits,
                             unsigned tick) {
    uint64_t cpu, resident;
    int group;
    if (!read_stat(p->pid, &group, &cpu, &resident))
        return KS_ADAPTER_LINE; // it has just ended
    if (tick % TICKS_GROUP == TICKS_GROUP - 1) {
        resident = group_resident(p->pid);
        if (ks_scratch_size(scratch) > limits->disk)
            return KS_ADAPTER_OVER_DISK;
    }
    if (resident > limits->memory)
        return KS_ADAPTER_OVER_MEMORY;
    if (cpu - p->cpu_start > (uint64_t)limits->cpu_seconds * 1000)
        return KS_ADAPTER_OVER_CPU;
    return KS_ADAPTER_LINE;
}

// --- talking --------------------------------------------------------------------------------------------------------

void ks_adapter_process_mark(ks_adapter_process *process) {
    struct stat status;
    uint64_t resident;
    int group;
    process->line_size = 0;
    process->log_start = 0;
    if (stat(process->log, &status) == 0 && (status.st_size <= LOG_KEPT || truncate(process->log, 0) != 0))
        process->log_start = status.st_size;
    if (!read_stat(process->pid, &group, &process->cpu_start, &resident))
        process->cpu_start = 0;
}

bool ks_adapter_process_send(ks_adapter_process *process, ks_text line) {
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    bool whole = true;
    sigaction(SIGPIPE, &ignore, &before);
    for (size_t at = 0; at < line.size && whole;) {
        ssize_t wrote = write(process->request, line.data + at, line.size - at);
        if (wrote < 0 && errno == EINTR)
            continue;
        whole = wrote > 0;
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    sigaction(SIGPIPE, &before, NULL);
    return whole;
}

bool ks_adapter_process_chatters(const ks_adapter_process *process) {
    struct pollfd ready = {process->reply, POLLIN, 0};
    return process->line_size > 0 || (poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN));
}

typedef enum reading { READ_MORE, READ_LINE, READ_END } reading;

static reading read_some(ks_adapter_process *p) {
    char *end;
    ssize_t got = read(p->reply, p->line + p->line_size, KS_ADAPTER_MAX_LINE - p->line_size);
    if (got < 0 && errno == EINTR)
        return READ_MORE;
    if (got <= 0)
        return READ_END;
    p->line_size += (size_t)got;
    p->line[p->line_size] = 0;
    end = memchr(p->line, '\n', p->line_size);
    if (end || p->line_size == KS_ADAPTER_MAX_LINE)
        return READ_LINE;
    return READ_MORE;
}

static bool has_ended(ks_adapter_process *p, struct rusage *usage) {
    pid_t done = p->pid ? wait4(p->pid, &p->status, WNOHANG, usage) : 0;
    return done == p->pid || (done < 0 && errno == ECHILD);
}

static ks_adapter_event ended(ks_adapter_process *p, const struct rusage *usage, const char *scratch,
                              const ks_adapter_limits *limits) {
    kill(-p->pid, SIGKILL); // what it left behind in its group
    p->pid = 0;
    if (WIFSIGNALED(p->status) && WTERMSIG(p->status) == SIGXCPU)
        return KS_ADAPTER_OVER_CPU;
    if (WIFSIGNALED(p->status) && WTERMSIG(p->status) == SIGXFSZ)
        return KS_ADAPTER_OVER_DISK;
    if ((uint64_t)usage->ru_maxrss * 1024 > limits->memory)
        return KS_ADAPTER_OVER_MEMORY;
    return ks_scratch_size(scratch) > limits->disk ? KS_ADAPTER_OVER_DISK : KS_ADAPTER_ENDED;
}

// The channel is closed: give the process a moment to end by itself, so that its status is known.
static ks_adapter_event await_end(ks_adapter_process *p, const char *scratch, const ks_adapter_limits *limits) {
    struct rusage usage = {0};
    for (int i = 0; i < 500; i++) {
        if (has_ended(p, &usage))
            return ended(p, &usage, scratch, limits);
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    return KS_ADAPTER_ENDED;
}

ks_adapter_event ks_adapter_process_wait(ks_adapter_process *process, const char *scratch, unsigned seconds,
                                         const ks_adapter_limits *limits) {
    int64_t deadline = now_milliseconds() + (int64_t)seconds * 1000, next_look = now_milliseconds() + TICK;
    struct rusage usage = {0};
    for (unsigned tick = 0;;) {
        struct pollfd ready = {process->reply, POLLIN, 0};
        int wait = process->reply >= 0 ? TICK : tick ? 5 : 1;
        if (poll(&ready, process->reply >= 0 ? 1 : 0, wait) > 0) {
            reading got = read_some(process);
            if (got == READ_LINE)
                return KS_ADAPTER_LINE;
            if (got == READ_END)
                return await_end(process, scratch, limits);
        } else if (process->reply < 0 && has_ended(process, &usage)) {
            return ended(process, &usage, scratch, limits);
        }
        if (now_milliseconds() >= next_look) {
            ks_adapter_event event = look(process, scratch, limits, tick++);
            next_look = now_milliseconds() + TICK;
            if (event != KS_ADAPTER_LINE)
                return event;
        }
        if (now_milliseconds() >= deadline)
            return KS_ADAPTER_LATE;
    }
}

// --- the end --------------------------------------------------------------------------------------------------------

// Children that left the group come to this process when their parents end (it is their subreaper).
static void kill_children(void) {
    char path[64];
    int pid;
    for (int round = 0; round < 20; round++) {
        int count = 0;
        snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
        FILE *file = fopen(path, "re");
        while (file && fscanf(file, "%d", &pid) == 1) {
            kill(pid, SIGKILL);
            count++;
        }
        if (file)
            fclose(file);
        while (waitpid(-1, NULL, 0) > 0) {
        }
        if (count == 0)
            return;
    }
}

void ks_adapter_process_end(ks_adapter_process *process, bool sweep) {
    if (process->pid > 0) {
        kill(-process->pid, SIGKILL);
        kill(process->pid, SIGKILL);
        while (waitpid(process->pid, &process->status, 0) < 0 && errno == EINTR) {
        }
        process->pid = 0;
    }
    if (sweep)
        kill_children();
    if (process->request >= 0)
        close(process->request);
    if (process->reply >= 0)
        close(process->reply);
    process->request = process->reply = -1;
    free(process->line);
    process->line = NULL;
}

void ks_adapter_process_tail(char *text, size_t size, const ks_adapter_process *process) {
    FILE *file = fopen(process->log, "re");
    long end, from;
    size_t used;
    text[0] = 0;
    if (!file)
        return;
    if (fseek(file, 0, SEEK_END) == 0 && (end = ftell(file)) >= 0) {
        from = end - (long)size + 1 > process->log_start ? end - (long)size + 1 : process->log_start;
        used = from < end && fseek(file, from, SEEK_SET) == 0 ? fread(text, 1, size - 1, file) : 0;
        text[used] = 0;
        while (used && (text[used - 1] == '\n' || text[used - 1] == ' '))
            text[--used] = 0;
        for (size_t i = 0; i < used; i++)
            if ((unsigned char)text[i] < 0x20)
                text[i] = ' ';
    }
    fclose(file);
}
