// SPDX-License-Identifier: Apache-2.0
//
// Scratch folders: copies are whole and no links, sizes add up, nothing outside is followed or removed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/scratch.h"

static void put_file(const char *folder, const char *name, size_t size) {
    char path[4096];
    FILE *file;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc((int)(i & 0xff), file);
    fclose(file);
}

static void test_tree(void **state) {
    char from[1024], to[1024], inner[2048], path[2048];
    struct stat status;
    ks_context context;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_scratch_make(from, &context, NULL, "kassay-from"), KS_OK);
    assert_int_equal(ks_scratch_make(to, &context, NULL, "kassay-to"), KS_OK);
    put_file(from, "a", 1000);
    snprintf(inner, sizeof(inner), "%s/inner", from);
    assert_int_equal(mkdir(inner, 0700), 0);
    put_file(inner, "b", 70000);
    assert_int_equal(ks_scratch_size(from), 71000);
    snprintf(path, sizeof(path), "%s/copy", to);
    assert_int_equal(ks_scratch_copy(&context, from, path), KS_OK);
    assert_int_equal(ks_scratch_size(to), 71000);
    // A second copy does not go over the first.
    assert_int_equal(ks_scratch_copy(&context, from, path), KS_E_IO);
    ks_context_clear(&context);
    // Links are neither copied, nor measured, nor followed when all is removed.
    snprintf(path, sizeof(path), "%s/link", to);
    assert_int_equal(symlink(from, path), 0);
    assert_int_equal(ks_scratch_size(to), 71000);
    snprintf(inner, sizeof(inner), "%s/other", to);
    assert_int_equal(ks_scratch_copy(&context, path, inner), KS_E_IO);
    ks_context_clear(&context);
    ks_scratch_remove(to);
    assert_int_not_equal(stat(to, &status), 0);
    assert_int_equal(ks_scratch_size(from), 71000);
    ks_scratch_remove(from);
    assert_int_not_equal(stat(from, &status), 0);
    assert_int_equal(ks_scratch_make(to, &context, "/no/such/folder", "x"), KS_E_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
