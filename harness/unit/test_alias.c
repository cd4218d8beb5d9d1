// SPDX-License-Identifier: Apache-2.0
//
// The names by which a config may call an object without a record.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "schema/class.h"

static ks_text text(const char *name) {
    return (ks_text){name, strlen(name)};
}

/// The first class of this kind with this name or snake_case form, found by looking at all.
static const ks_class *first(ks_kind kind, const char *name) {
    char snake[128];
    for (const ks_class *const *row = ks_classes(); *row; row++) {
        ks_snake_case(snake, sizeof snake, (*row)->name);
        if ((*row)->kind == kind && (strcmp((*row)->name, name) == 0 || strcmp(snake, name) == 0))
            return *row;
    }
    return NULL;
}

/// Every class is found by both its names, and is not found under another kind that has no such class.
static void test_all_classes(void **state) {
    (void)state;
    size_t count = 0;
    for (const ks_class *const *row = ks_classes(); *row; row++, count++) {
        char names[2][128];
        strcpy(names[0], (*row)->name);
        ks_snake_case(names[1], sizeof names[1], (*row)->name);
        for (int n = 0; n < 2; n++)
            for (ks_kind kind = KS_KIND_LAYER; kind <= KS_KIND_SPEC; kind++)
                if (ks_class_by_alias(kind, text(names[n])) != first(kind, names[n]))
                    fail_msg("\"%s\" as a %s finds another class", names[n], ks_kind_name(kind));
        assert_non_null(ks_class_by_alias((*row)->kind, text(names[1])));
    }
    assert_true(count > 200);
}

static void test_other_forms(void **state) {
    (void)state;
    static const char *const unknown[] = {
        "",       "_",      "glorotuniform", "Glorot_Uniform", "GLOROTUNIFORM", "glorot__uniform",
        "_zeros", "zeros_", "zeros ",        "zeroes",         "HeNormaL",      "conv2d"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_null(ks_class_by_alias(KS_KIND_INITIALIZER, text(unknown[i])));
    // The text need not end where its name does.
    assert_ptr_equal(ks_class_by_alias(KS_KIND_INITIALIZER, (ks_text){"zeros_like", 5}), &ks_class_Zeros);
    assert_null(ks_class_by_alias(KS_KIND_INITIALIZER, (ks_text){"zeros\0like", 10}));
    assert_null(ks_class_by_alias(KS_KIND_INITIALIZER, (ks_text){NULL, 0}));
}

static void test_names_of_their_own(void **state) {
    (void)state;
    assert_ptr_equal(ks_class_by_alias(KS_KIND_INITIALIZER, text("normal")), &ks_class_RandomNormal);
    assert_ptr_equal(ks_class_by_alias(KS_KIND_INITIALIZER, text("one")), &ks_class_Ones);
    assert_ptr_equal(ks_class_by_alias(KS_KIND_REGULARIZER, text("l1_l2")), &ks_class_L1L2);
    assert_null(ks_class_by_alias(KS_KIND_REGULARIZER, text("normal")));
}

static void *find_many(void *unused) {
    (void)unused;
    for (const ks_class *const *row = ks_classes(); *row; row++)
        if (ks_class_by_alias((*row)->kind, text((*row)->name)) == NULL)
            return "missing";
    return NULL;
}

/// Runs first, so that the threads meet at the making of the table.
static void test_threads(void **state) {
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_many, NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        void *missing = NULL;
        assert_int_equal(pthread_join(threads[i], &missing), 0);
        assert_null(missing);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_all_classes),
        cmocka_unit_test(test_other_forms),
        cmocka_unit_test(test_names_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
