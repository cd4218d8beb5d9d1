// SPDX-License-Identifier: Apache-2.0
//
// Files as bytes: read and mapped alike, streams, and files that shrink under the map.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <kassay/source.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE ((size_t)1300000) // is mapped

typedef struct file {
    char path[40];
    uint8_t *data;
    size_t size;
} file;

static file make_file(size_t size) {
    file f = {.path = "/tmp/kassay-source-XXXXXX", .data = malloc(size + 1), .size = size};
    int descriptor = mkstemp(f.path);
    assert_true(descriptor >= 0);
    for (size_t i = 0; i < size; i++)
        f.data[i] = (uint8_t)(i * 7 + i / 251);
    assert_int_equal(write(descriptor, f.data, size), size);
    close(descriptor);
    return f;
}

static void drop_file(file *f) {
    unlink(f->path);
    free(f->data);
}

static void test_every_size_gives_the_same_bytes(void **state) {
    static const size_t sizes[] = {0, 1, 4096, 131071, ((size_t)1 << 20) - 1, (size_t)1 << 20, LARGE};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        file f = make_file(sizes[i]);
        ks_context context;
        ks_source *source;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_source_open(&source, &context, f.path), KS_OK);
        assert_int_equal(ks_source_bytes(source).size, sizes[i]);
        assert_memory_equal(ks_source_bytes(source).data, f.data, sizes[i]);
        assert_string_equal(ks_source_path(source), f.path);
        assert_int_equal(context.memory.limit, context.limits.memory_base + 4 * sizes[i]);
        assert_true(sizes[i] < LARGE || context.memory.peak < 4096); // mapped, not copied
        ks_source_close(source);
        assert_int_equal(context.memory.n_live, 0);
        drop_file(&f);
    }
}

static void test_what_is_no_file(void **state) {
    char path[] = "/tmp/kassay-source-XXXXXX";
    const char *const paths[] = {"/nowhere/at/all", "/tmp", path};
    (void)state;
    close(mkstemp(path));
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < 3; i++) {
        ks_context context;
        ks_source *source;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_source_open(&source, &context, paths[i]), KS_E_IO);
        assert_null(source);
        assert_string_equal(context.error.place, paths[i]);
        assert_int_equal(context.memory.n_live, 0);
    }
    unlink(path);
    ks_source_close(NULL);
}

static void test_streams(void **state) {
    (void)state;
    file f = make_file(LARGE);
    ks_limits limits = ks_limits_default();
    ks_context context;
    ks_source *source;
    int descriptor = open(f.path, O_RDONLY);
    ks_context_init(&context, NULL);
    assert_int_equal(ks_source_read(&source, &context, descriptor), KS_OK);
    assert_int_equal(ks_source_bytes(source).size, LARGE);
    assert_memory_equal(ks_source_bytes(source).data, f.data, LARGE);
    assert_string_equal(ks_source_path(source), "-");
    ks_source_close(source);

    limits.memory_base = 4096; // 16 × 4096 bytes may come
    lseek(descriptor, 0, SEEK_SET);
    ks_context_init(&context, &limits);
    assert_int_equal(ks_source_read(&source, &context, descriptor), KS_E_OVER_SIZE);
    assert_null(source);
    limits.memory_base = 0;
    ks_context_init(&context, &limits);
    assert_int_equal(ks_source_read(&source, &context, descriptor), KS_E_OVER_MEMORY);
    assert_int_equal(context.memory.n_live, 0);
    close(descriptor);
    ks_context_init(&context, NULL);
    assert_int_equal(ks_source_read(&source, &context, descriptor), KS_E_IO);
    assert_int_equal(context.memory.n_live, 0);
    drop_file(&f);
}

static void test_allocations_may_fail(void **state) {
    (void)state;
    file f = make_file(100);
    for (int stream = 0; stream < 2; stream++) {
        ks_code code = KS_E_NO_MEMORY;
        uint64_t k = 1;
        for (; code == KS_E_NO_MEMORY; k++) {
            ks_context context;
            ks_source *source;
            int descriptor = open(f.path, O_RDONLY);
            ks_context_init(&context, NULL);
            context.memory.fail_at = k;
            code = stream ? ks_source_read(&source, &context, descriptor) : ks_source_open(&source, &context, f.path);
            ks_source_close(source);
            close(descriptor);
            assert_int_equal(context.memory.n_live, 0);
        }
        assert_int_equal(code, KS_OK);
        assert_true(k > 2);
    }
    drop_file(&f);
}

// --- files that shrink ----------------------------------------------------------------------------------------------

typedef struct shrinking {
    file file;
    ks_context context;
    ks_source *source;
    struct shrinking *inner; ///< guarded inside
    struct shrinking *touch; ///< whose bytes are read after it shrank
    ks_code inner_code;
    bool finished;
} shrinking;

static void start(shrinking *s) {
    memset(s, 0, sizeof(*s));
    s->file = make_file(LARGE);
    ks_context_init(&s->context, NULL);
    assert_int_equal(ks_source_open(&s->source, &s->context, s->file.path), KS_OK);
}

static void finish(shrinking *s) {
    ks_source_close(s->source);
    assert_int_equal(s->context.memory.n_live, 0);
    drop_file(&s->file);
}

static ks_code work(void *argument) {
    shrinking *s = argument;
    ks_bytes bytes;
    unsigned sum = 0;
    (void)!ks_allocate(&s->context, 1000, 1);
    if (s->inner)
        s->inner_code = ks_source_guard(s->inner->source, &s->inner->context, work, s->inner);
    if (s->touch) {
        bytes = ks_source_bytes(s->touch->source);
        assert_int_equal(truncate(s->touch->file.path, 0), 0);
        for (size_t i = 0; i < bytes.size; i++)
            sum += bytes.data[i];
    }
    s->finished = true;
    return sum == 12345 ? KS_E_IO : KS_E_USAGE;
}

static void test_the_guard_gives_back_what_the_work_says(void **state) {
    (void)state;
    shrinking s;
    start(&s);
    assert_int_equal(ks_source_guard(s.source, &s.context, work, &s), KS_E_USAGE);
    assert_true(s.finished);
    assert_int_equal(s.context.memory.n_live, 2); // the source, and what the work made
    ks_context_release_since(&s.context, 1);
    finish(&s);
    file small = make_file(100); // read, not mapped: nothing can vanish
    ks_source *source;
    start(&s);
    assert_int_equal(ks_source_open(&source, &s.context, small.path), KS_OK);
    assert_int_equal(ks_source_guard(source, &s.context, work, &s), KS_E_USAGE);
    ks_source_close(source);
    ks_context_release_since(&s.context, 1);
    finish(&s);
    drop_file(&small);
}

static void *shrink_one(void *argument) {
    (void)argument;
    for (int i = 0; i < 5; i++) {
        shrinking s;
        start(&s);
        s.touch = &s;
        assert_int_equal(ks_source_guard(s.source, &s.context, work, &s), KS_E_FILE_CHANGED);
        assert_false(s.finished);
        assert_int_equal(s.context.error.code, KS_E_FILE_CHANGED);
        assert_int_equal(s.context.memory.n_live, 1);
        finish(&s);
    }
    return NULL;
}

static void test_a_file_that_shrinks(void **state) {
    (void)state;
    shrink_one(NULL);
}

static void test_threads_do_not_meet(void **state) {
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, shrink_one, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void test_guards_nest(void **state) {
    (void)state;
    for (int who = 0; who < 2; who++) {
        shrinking outer, inner;
        start(&outer);
        start(&inner);
        outer.inner = &inner;
        inner.touch = who ? &outer : &inner; // the outer file may vanish while the inner one is read
        ks_code code = ks_source_guard(outer.source, &outer.context, work, &outer);
        assert_int_equal(code, who ? KS_E_FILE_CHANGED : KS_E_USAGE);
        assert_int_equal(outer.finished, !who);
        assert_false(inner.finished);
        if (!who)
            assert_int_equal(outer.inner_code, KS_E_FILE_CHANGED);
        ks_context_release_since(&outer.context, 1);
        ks_context_release_since(&inner.context, 1);
        finish(&inner);
        finish(&outer);
    }
}

// --- other faults ---------------------------------------------------------------------------------------------------

static volatile sig_atomic_t plain_seen, informed_seen;

static void plain(int number) {
    (void)number;
    plain_seen++;
}

static void informed(int number, siginfo_t *info, void *machine) {
    (void)number;
    (void)machine;
    informed_seen += info != NULL;
}

// In a child: its handler is there before the first guard, then SIGBUS comes from elsewhere. Returns the wait status.
static int fault_elsewhere(void (*handler)(int), void (*sigaction_handler)(int, siginfo_t *, void *)) {
    pid_t child = fork();
    int status = 0;
    if (child == 0) {
        struct sigaction action;
        shrinking s;
        memset(&action, 0, sizeof(action));
        if (sigaction_handler) {
            action.sa_flags = SA_SIGINFO;
            action.sa_sigaction = sigaction_handler;
        } else {
            action.sa_handler = handler;
        }
        sigaction(SIGBUS, &action, NULL);
        start(&s);
        (void)ks_source_guard(s.source, &s.context, work, &s);
        unlink(s.file.path);
        raise(SIGBUS);
        _exit(plain_seen + 2 * informed_seen);
    }
    waitpid(child, &status, 0);
    return status;
}

static void test_other_faults_go_to_who_was_there_before(void **state) {
    (void)state;
    int status = fault_elsewhere(plain, NULL);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    status = fault_elsewhere(NULL, informed);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    status = fault_elsewhere(SIG_DFL, NULL);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

// A guard ends with its fault: the same page read without one is a fault like any other.
static void test_a_guard_that_was_left_is_gone(void **state) {
    (void)state;
    pid_t child = fork();
    int status = 0;
    if (child == 0) {
        shrinking s;
        signal(SIGBUS, SIG_DFL);
        start(&s);
        s.touch = &s;
        if (ks_source_guard(s.source, &s.context, work, &s) != KS_E_FILE_CHANGED)
            _exit(1);
        unlink(s.file.path);
        _exit(ks_source_bytes(s.source).data[0]); // dies here
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size_gives_the_same_bytes),
        cmocka_unit_test(test_what_is_no_file),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_allocations_may_fail),
        cmocka_unit_test(test_the_guard_gives_back_what_the_work_says),
        cmocka_unit_test(test_a_file_that_shrinks),
        cmocka_unit_test(test_threads_do_not_meet),
        cmocka_unit_test(test_guards_nest),
        cmocka_unit_test(test_other_faults_go_to_who_was_there_before),
        cmocka_unit_test(test_a_guard_that_was_left_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
