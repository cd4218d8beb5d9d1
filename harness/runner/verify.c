// SPDX-License-Identifier: Apache-2.0
#include "runner/verify.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_JOBS 64

/// What a worker writes: once when it takes a case, once when it has judged it.
typedef struct message {
    size_t index;
    bool finished;
    ks_result result;
} message;

typedef struct worker {
    pid_t process; ///< 0: none
    int pipe;      ///< the reading end
    size_t next;   ///< first case it still has to judge
    bool busy;
    size_t current; ///< the case it is at
    uint64_t since; ///< nanoseconds
    message part;   ///< what was read of a message
    size_t part_size;
} worker;

typedef struct run {
    const ks_verify_options *options;
    ks_context *context;
    const char *root;
    const ks_plan *plan;
    ks_result *results;
    worker workers[MAX_JOBS];
    unsigned jobs;
    size_t done;
} run;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// --- the child ------------------------------------------------------------------------------------------------------

static void send(int pipe, const message *m) {
    const char *data = (const char *)m;
    for (size_t at = 0; at < sizeof(*m);) {
        ssize_t wrote = write(pipe, data + at, sizeof(*m) - at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            _exit(3);
        at += (size_t)wrote;
    }
}

static void judge_one(ks_result *out, const run *r, ks_adapter *adapter, const char *id) {
    if (r->options->judge)
        r->options->judge(out, r->root, id, r->options->roads);
    else if (adapter)
        ks_adapter_judge(out, adapter, r->options->adapter, r->root, id);
    else
        ks_judge(out, r->root, id, r->options->roads);
}

// This child's instance of the adapter; its program starts with the first case.
static ks_adapter *open_adapter(ks_adapter *adapter, const run *r) {
    ks_context context;
    if (!r->options->adapter)
        return NULL;
    ks_context_init(&context, NULL);
    if (ks_adapter_open_like(adapter, &context, r->options->adapter->adapter) != KS_OK)
        _exit(3);
    adapter->sweep = prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
    return adapter;
}

static void work(const run *r, size_t first, int pipe) {
    ks_adapter room, *adapter = open_adapter(&room, r);
    for (size_t i = first; i < r->plan->count; i += r->jobs) {
        message m;
        if (r->results[i].outcome != KS_OUTCOME_NOT_RUN)
            continue; // known from an earlier run
        memset(&m, 0, sizeof(m));
        m.index = i;
        send(pipe, &m);
        judge_one(&m.result, r, adapter, r->plan->items[i].id);
        m.finished = true;
        send(pipe, &m);
    }
    if (adapter)
        ks_adapter_close(adapter);
    _exit(0);
}

// --- the parent -----------------------------------------------------------------------------------------------------

static ks_code start(run *r, unsigned which) {
    worker *w = &r->workers[which];
    int ends[2];
    if (w->next >= r->plan->count)
        return KS_OK;
    fflush(NULL);
    if (pipe(ends) != 0)
        return ks_fail(r->context, KS_E_IO, KS_STAGE_NONE, KS_NO_OFFSET, NULL, "no pipe: %s", strerror(errno));
    w->process = fork();
    if (w->process < 0) {
        w->process = 0;
        close(ends[0]);
        close(ends[1]);
        return ks_fail(r->context, KS_E_IO, KS_STAGE_NONE, KS_NO_OFFSET, NULL, "no child process: %s", strerror(errno));
    }
    if (w->process == 0) {
        close(ends[0]);
        for (unsigned i = 0; i < r->jobs; i++)
            if (i != which && r->workers[i].process)
                close(r->workers[i].pipe);
        work(r, w->next, ends[1]);
    }
    close(ends[1]);
    w->pipe = ends[0];
    w->busy = false;
    w->part_size = 0;
    return KS_OK;
}

static ks_code put_result(run *r, size_t index, const ks_result *result) {
    r->results[index] = *result;
    r->done++;
    if (r->options->progress)
        r->options->progress(r->options->argument, r->done, r->plan->count);
    return r->options->finished ? r->options->finished(r->options->argument, index, result) : KS_OK;
}

static ks_code take_message(run *r, worker *w) {
    const message *m = &w->part;
    w->part_size = 0;
    if (m->index >= r->plan->count)
        return KS_OK;
    w->busy = !m->finished;
    w->current = m->index;
    w->since = now();
    w->next = m->index + r->jobs;
    return m->finished ? put_result(r, m->index, &m->result) : KS_OK;
}

// The child has ended: at a case that is its fault, or after its last one.
static ks_code end_worker(run *r, unsigned which, bool hung) {
    worker *w = &r->workers[which];
    ks_result result;
    ks_code code;
    int status = 0;
    close(w->pipe);
    while (waitpid(w->process, &status, 0) < 0 && errno == EINTR) {
    }
    w->process = 0;
    if (!w->busy && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return KS_OK;
    if (!w->busy) // between two cases: the next one is to blame for nothing
        return start(r, which);
    memset(&result, 0, sizeof(result));
    result.outcome = hung ? KS_OUTCOME_HANG : KS_OUTCOME_CRASH;
    if (hung)
        snprintf(result.message, sizeof(result.message), "no answer within %u s", r->options->case_seconds);
    else if (WIFSIGNALED(status))
        snprintf(result.message, sizeof(result.message), "ended by signal %d", WTERMSIG(status));
    else
        snprintf(result.message, sizeof(result.message), "ended with status %d", WEXITSTATUS(status));
    w->busy = false;
    code = put_result(r, w->current, &result);
    return code == KS_OK ? start(r, which) : code;
}

static ks_code read_worker(run *r, unsigned which) {
    worker *w = &r->workers[which];
    ssize_t got = read(w->pipe, (char *)&w->part + w->part_size, sizeof(w->part) - w->part_size);
    if (got < 0 && errno == EINTR)
        return KS_OK;
    if (got <= 0)
        return end_worker(r, which, false);
    w->part_size += (size_t)got;
    return w->part_size == sizeof(w->part) ? take_message(r, w) : KS_OK;
}

static ks_code stop_hanging(run *r) {
    uint64_t limit = (uint64_t)r->options->case_seconds * 1000000000;
    ks_code code = KS_OK;
    for (unsigned i = 0; i < r->jobs && code == KS_OK; i++) {
        worker *w = &r->workers[i];
        if (w->process && w->busy && now() - w->since > limit) {
            kill(w->process, SIGKILL);
            code = end_worker(r, i, true);
        }
    }
    return code;
}

static ks_code loop(run *r) {
    ks_code code = KS_OK;
    for (;;) {
        struct pollfd polls[MAX_JOBS];
        unsigned which[MAX_JOBS], count = 0;
        for (unsigned i = 0; i < r->jobs; i++)
            if (r->workers[i].process) {
                polls[count] = (struct pollfd){.fd = r->workers[i].pipe, .events = POLLIN};
                which[count++] = i;
            }
        if (count == 0)
            return KS_OK;
        if (poll(polls, count, 100) < 0 && errno != EINTR)
            return ks_fail(r->context, KS_E_IO, KS_STAGE_NONE, KS_NO_OFFSET, NULL, "poll: %s", strerror(errno));
        for (unsigned i = 0; i < count; i++)
            if (polls[i].revents)
                KS_TRY(read_worker(r, which[i]));
        KS_TRY(stop_hanging(r));
    }
done:
    return code;
}

// --- twins ----------------------------------------------------------------------------------------------------------

static int compare(const void *key, const void *item) {
    return strcmp(key, ((const ks_plan_item *)item)->id);
}

static int compare_items(const void *a, const void *b) {
    return strcmp(((const ks_plan_item *)a)->id, ((const ks_plan_item *)b)->id);
}

static const ks_plan_item *find(const ks_plan *plan, const char *id) {
    return bsearch(id, plan->items, plan->count, sizeof(*plan->items), compare);
}

static bool seen(const ks_plan *plan, const char *id) {
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->items[i].id, id) == 0)
            return true;
    return false;
}

// Twins that are not in the plan are judged on the side, in the same way.
static ks_code judge_twins(ks_plan *sides, ks_result **results, const run *r) {
    ks_verify_options options = *r->options;
    ks_code code = KS_OK;
    sides->items = ks_allocate(r->context, r->plan->count + 1, sizeof(*sides->items));
    if (!sides->items)
        return r->context->error.code;
    for (size_t i = 0; i < r->plan->count; i++) {
        const char *twin = r->plan->items[i].twin;
        if (twin && r->results[i].outcome == KS_OUTCOME_PASS && !find(r->plan, twin) && !seen(sides, twin))
            sides->items[sides->count++] = (ks_plan_item){twin, NULL};
    }
    if (sides->count == 0)
        return KS_OK;
    qsort(sides->items, sides->count, sizeof(*sides->items), compare_items);
    *results = ks_allocate(r->context, sides->count, sizeof(**results));
    if (!*results)
        return r->context->error.code;
    options.progress = NULL;
    options.finished = NULL;
    options.resume = false;
    if (!options.adapter)
        options.roads = KS_ROADS_STRICT;
    KS_TRY(ks_verify(*results, r->context, r->root, sides, &options));
done:
    return code;
}

// A refusal counts only if the implementation accepts the twin: a reader that refuses everything earns nothing.
static ks_code check_twins(run *r) {
    ks_plan sides = {.count = 0};
    ks_result *side_results = NULL;
    ks_code code;
    KS_TRY(judge_twins(&sides, &side_results, r));
    for (size_t i = 0; i < r->plan->count; i++) {
        const char *twin = r->plan->items[i].twin;
        const ks_plan_item *item;
        bool accepted;
        if (!twin || r->results[i].outcome != KS_OUTCOME_PASS)
            continue;
        item = find(r->plan, twin);
        accepted =
            item ? r->results[item - r->plan->items].accepted : side_results[find(&sides, twin) - sides.items].accepted;
        if (accepted)
            continue;
        r->results[i].outcome = KS_OUTCOME_UNDECIDED;
        snprintf(r->results[i].message, sizeof(r->results[i].message), "its twin %s was not accepted", twin);
    }
done:
    ks_free(r->context, side_results);
    ks_free(r->context, sides.items);
    return code;
}

ks_code ks_verify(ks_result *results, ks_context *context, const char *root, const ks_plan *plan,
                  const ks_verify_options *options) {
    run r = {.options = options, .context = context, .root = root, .plan = plan, .results = results};
    ks_code code = KS_OK;
    r.jobs = options->jobs < 1 ? 1 : options->jobs > MAX_JOBS ? MAX_JOBS : options->jobs;
    if (!options->resume)
        memset(results, 0, plan->count * sizeof(*results));
    for (size_t i = 0; i < plan->count; i++)
        r.done += results[i].outcome != KS_OUTCOME_NOT_RUN;
    for (unsigned i = 0; i < r.jobs; i++) {
        r.workers[i].next = i;
        KS_TRY(start(&r, i));
    }
    KS_TRY(loop(&r));
    KS_TRY(check_twins(&r));
done:
    for (unsigned i = 0; i < r.jobs; i++)
        if (r.workers[i].process) {
            kill(r.workers[i].process, SIGKILL);
            waitpid(r.workers[i].process, NULL, 0);
            close(r.workers[i].pipe);
        }
    return code;
}
