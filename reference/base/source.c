// SPDX-License-Identifier: Apache-2.0
//
// Files as bytes: read when small, mapped when large, and a guard against pages that vanish.
#include <kassay/source.h>

#include "base/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_FROM ((size_t)1 << 20) ///< below this reading costs less than mapping
#define STREAM_SHARE 16            ///< a stream may bring this many times the memory that any load may hold

struct ks_source {
    ks_context *context;
    const char *path;
    uint8_t *data;
    size_t size;
    bool mapped;
};

static ks_code io_error(ks_context *context, const char *path, const char *what) {
    return ks_fail(context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, path, "%s: %s", what, strerror(errno));
}

// Fills the buffer; a file that ends early has changed since its size was asked.
static ks_code read_all(ks_source *source, int descriptor) {
    size_t got = 0;
    while (got < source->size) {
        ssize_t n = read(descriptor, source->data + got, source->size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(source->context, source->path, "reading failed");
        if (n == 0)
            return ks_fail(source->context, KS_E_FILE_CHANGED, KS_STAGE_FILE, got, source->path,
                           "expected %zu bytes, found %zu", source->size, got);
        got += (size_t)n;
    }
    return KS_OK;
}

static ks_code load(ks_source *source, int descriptor, bool map_large) {
    if (map_large && source->size >= MAP_FROM) {
        void *map = mmap(NULL, source->size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (map == MAP_FAILED)
            return io_error(source->context, source->path, "mapping failed");
        source->data = map;
        source->mapped = true;
        return KS_OK;
    }
    source->data = ks__allocate_room(source->context, source->size + 1, 1);
    if (!source->data)
        return source->context->error.code;
    return read_all(source, descriptor);
}

static ks_source *new_source(ks_context *context, const char *path) {
    size_t size = strlen(path) + 1;
    ks_source *source = ks_allocate(context, 1, sizeof(*source) + size);
    if (!source)
        return NULL;
    source->context = context;
    source->path = memcpy(source + 1, path, size);
    return source;
}

static ks_code open_file(ks_source **out, ks_context *context, const char *path, bool map_large) {
    ks_source *source = NULL;
    struct stat status;
    ks_code code;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *out = NULL;
    if (descriptor < 0)
        return io_error(context, path, "cannot be opened");
    if (fstat(descriptor, &status) != 0) {
        code = io_error(context, path, "cannot be examined");
        goto done;
    }
    if (!S_ISREG(status.st_mode)) {
        code = ks_fail(context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, path, "not a regular file");
        goto done;
    }
    ks_context_budget(context, (uint64_t)status.st_size);
    source = new_source(context, path);
    if (!source) {
        code = context->error.code;
        goto done;
    }
    source->size = (size_t)status.st_size;
    KS_TRY(load(source, descriptor, map_large));
    *out = source;
    source = NULL;
done:
    ks_source_close(source);
    close(descriptor);
    return code;
}

ks_code ks_source_open(ks_source **out, ks_context *context, const char *path) {
    return open_file(out, context, path, true);
}

ks_code ks_source_open_copy(ks_source **out, ks_context *context, const char *path) {
    return open_file(out, context, path, false);
}

// Makes room for as many bytes again. What has come counts as the file's size, up to a limit: a stream has no end.
static ks_code grow(ks_source *source, size_t *room) {
    ks_context *context = source->context;
    size_t bigger_room = *room ? 2 * *room : 65536;
    uint8_t *bigger;
    if (*room / STREAM_SHARE >= context->limits.memory_base)
        return ks_fail(context, KS_E_OVER_SIZE, KS_STAGE_FILE, *room, source->path,
                       "more than %zu bytes; a file of this size can be opened by its name", *room);
    ks_context_budget(context, bigger_room);
    bigger = ks__allocate_room(context, bigger_room, 1);
    if (!bigger)
        return context->error.code;
    if (source->size)
        memcpy(bigger, source->data, source->size);
    ks_free(context, source->data);
    source->data = bigger;
    *room = bigger_room;
    return KS_OK;
}

ks_code ks_source_read(ks_source **out, ks_context *context, int descriptor) {
    ks_source *source = new_source(context, "-");
    size_t room = 0;
    ks_code code;
    *out = NULL;
    if (!source)
        return context->error.code;
    for (;;) {
        ssize_t n;
        if (source->size == room)
            KS_TRY(grow(source, &room));
        n = read(descriptor, source->data + source->size, room - source->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            code = io_error(context, "-", "reading failed");
            goto done;
        }
        if (n == 0)
            break;
        source->size += (size_t)n;
    }
    ks_context_budget(context, source->size);
    *out = source;
    return KS_OK;
done:
    ks_source_close(source);
    return code;
}

void ks_source_close(ks_source *source) {
    if (!source)
        return;
    if (source->mapped)
        munmap(source->data, source->size);
    else
        ks_free(source->context, source->data);
    ks_free(source->context, source);
}

ks_bytes ks_source_bytes(const ks_source *source) {
    return (ks_bytes){source->data, source->size};
}

const char *ks_source_path(const ks_source *source) {
    return source->path;
}

// --- guard ----------------------------------------------------------------------------------------------------------

typedef struct guard {
    const uint8_t *begin, *end;
    sigjmp_buf back;
    struct guard *outer;
} guard;

static _Thread_local guard *innermost;
static struct sigaction previous_action; ///< written under `installing`
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;

static void on_sigbus(int number, siginfo_t *info, void *machine) {
    const uint8_t *address = info->si_addr;
    for (guard *g = innermost; g; g = g->outer)
        if (address >= g->begin && address < g->end) {
            innermost = g->outer;
            siglongjmp(g->back, 1);
        }
    // Not ours: what was there before decides.
    if (previous_action.sa_flags & SA_SIGINFO) {
        previous_action.sa_sigaction(number, info, machine);
    } else if (previous_action.sa_handler != SIG_IGN && previous_action.sa_handler != SIG_DFL) {
        previous_action.sa_handler(number);
    } else {
        signal(number, SIG_DFL);
        raise(number);
    }
}

// Others may have put a handler of their own in place since the last guard; theirs then comes after ours.
static void install_handler(void) {
    struct sigaction action, current;
    pthread_mutex_lock(&installing);
    if (sigaction(SIGBUS, NULL, &current) == 0 &&
        (!(current.sa_flags & SA_SIGINFO) || current.sa_sigaction != on_sigbus)) {
        memset(&action, 0, sizeof(action));
        action.sa_sigaction = on_sigbus;
        action.sa_flags = SA_SIGINFO | SA_NODEFER;
        sigemptyset(&action.sa_mask);
        previous_action = current;
        sigaction(SIGBUS, &action, NULL);
    }
    pthread_mutex_unlock(&installing);
}

ks_code ks_source_guard(ks_source *source, ks_context *context, ks_code (*work)(void *argument), void *argument) {
    guard g = {.begin = source->data, .end = source->data + source->size};
    uint64_t mark;
    ks_code code;
    if (!source->mapped)
        return work(argument);
    install_handler();
    mark = ks_context_mark(context);
    g.outer = innermost;
    if (sigsetjmp(g.back, 1) != 0) {
        ks_context_release_since(context, mark);
        return ks_fail(context, KS_E_FILE_CHANGED, KS_STAGE_FILE, KS_NO_OFFSET, source->path,
                       "the file became shorter than %zu bytes while it was read", source->size);
    }
    innermost = &g;
    code = work(argument);
    innermost = g.outer;
    return code;
}
