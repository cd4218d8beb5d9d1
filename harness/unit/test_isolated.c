// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runner/isolated.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static ks_isolated_limits quick(void) {
    ks_isolated_limits limits = ks_isolated_limits_default();
    limits.wall_milliseconds = 300;
    return limits;
}

static ks_isolated_result run(const ks_isolated_limits *limits, size_t (*work)(void *, void *, size_t), void *argument,
                              void *reply, size_t reply_size) {
    ks_context context;
    ks_context_init(&context, NULL);
    ks_isolated_result result;
    assert_int_equal(ks_isolated_run(&result, &context, limits, work, argument, reply, reply_size), KS_OK);
    return result;
}

static size_t add_one(void *argument, void *reply, size_t reply_size) {
    int value = *(int *)argument + 1;
    *(int *)argument = 0; // stays in the child
    memcpy(reply, &value, reply_size);
    return sizeof value;
}

static void brings_the_reply_back(void **state) {
    (void)state;
    ks_isolated_limits limits = ks_isolated_limits_default();
    int argument = 41;
    int reply = 0;
    ks_isolated_result result = run(&limits, add_one, &argument, &reply, sizeof reply);
    assert_int_equal(result.end, KS_ISOLATED_REPLIED);
    assert_int_equal(result.reply_size, sizeof reply);
    assert_int_equal(reply, 42);
    assert_int_equal(argument, 41);
}

static size_t large_reply(void *argument, void *reply, size_t reply_size) {
    (void)argument;
    memset(reply, 'x', reply_size); // more than a pipe holds
    return reply_size;
}

static void brings_a_large_reply_back(void **state) {
    (void)state;
    ks_isolated_limits limits = ks_isolated_limits_default();
    size_t size = (size_t)1 << 20;
    char *reply = malloc(size);
    ks_isolated_result result = run(&limits, large_reply, NULL, reply, size);
    assert_int_equal(result.end, KS_ISOLATED_REPLIED);
    assert_int_equal(reply[size - 1], 'x');
    free(reply);
}

static size_t raise_signal(void *argument, void *reply, size_t reply_size) {
    (void)reply;
    (void)reply_size;
    raise(*(int *)argument);
    return 0;
}

static void a_crash_is_an_outcome(void **state) {
    (void)state;
    static int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGKILL};
    ks_isolated_limits limits = ks_isolated_limits_default();
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        size_t reply[1];
        ks_isolated_result result = run(&limits, raise_signal, &signals[i], reply, sizeof reply);
        assert_int_equal(result.end, KS_ISOLATED_CRASHED);
        assert_int_equal(result.signal, signals[i]);
        assert_int_equal(result.reply_size, 0);
    }
}

static size_t leave_early(void *argument, void *reply, size_t reply_size) {
    (void)argument;
    (void)reply;
    (void)reply_size;
    _exit(0);
}

static void an_early_exit_is_a_crash(void **state) {
    (void)state;
    ks_isolated_limits limits = ks_isolated_limits_default();
    size_t reply[1];
    assert_int_equal(run(&limits, leave_early, NULL, reply, sizeof reply).end, KS_ISOLATED_CRASHED);
}

static size_t sleep_on(void *argument, void *reply, size_t reply_size) {
    (void)argument;
    (void)reply;
    while (reply_size > 0)
        pause();
    return 0;
}

static size_t spin(void *argument, void *reply, size_t reply_size) {
    (void)argument;
    volatile size_t *at = reply;
    while (reply_size > 0)
        (*at)++;
    return 0;
}

static void a_hang_is_an_outcome(void **state) {
    (void)state;
    size_t reply[1];
    ks_isolated_limits limits = quick();
    assert_int_equal(run(&limits, sleep_on, NULL, reply, sizeof reply).end, KS_ISOLATED_HUNG);
    assert_int_equal(run(&limits, spin, NULL, reply, sizeof reply).end, KS_ISOLATED_HUNG);
}

static void processor_time_is_bounded(void **state) {
    (void)state;
    size_t reply[1];
    ks_isolated_limits limits = ks_isolated_limits_default();
    limits.cpu_seconds = 1;
    ks_isolated_result result = run(&limits, spin, NULL, reply, sizeof reply);
    assert_int_equal(result.end, KS_ISOLATED_HUNG);
    assert_int_equal(result.signal, SIGXCPU);
}

static size_t map_much(void *argument, void *reply, size_t reply_size) {
    (void)reply_size;
    void *memory = mmap(NULL, *(size_t *)argument, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(reply, &(char){memory == MAP_FAILED}, 1);
    return 1;
}

static void address_space_is_bounded(void **state) {
    (void)state;
    ks_isolated_limits limits = ks_isolated_limits_default();
    limits.memory = (uint64_t)64 << 20;
    char refused = 0;
    size_t size = (size_t)256 << 20;
    assert_int_equal(run(&limits, map_much, &size, &refused, 1).end, KS_ISOLATED_REPLIED);
    assert_true(refused);
    size = (size_t)1 << 20;
    run(&limits, map_much, &size, &refused, 1);
    assert_false(refused);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_the_reply_back),    cmocka_unit_test(brings_a_large_reply_back),
        cmocka_unit_test(a_crash_is_an_outcome),    cmocka_unit_test(an_early_exit_is_a_crash),
        cmocka_unit_test(a_hang_is_an_outcome),     cmocka_unit_test(processor_time_is_bounded),
        cmocka_unit_test(address_space_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
