// SPDX-License-Identifier: Apache-2.0
//
// The hashes that put strings into buckets, and the one of tables: the first beside what TensorFlow 2.21 gives for the
// same bytes (tf.strings.to_hash_bucket_fast and, with the key {3, 2^40}, to_hash_bucket_strong).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "ops/fingerprint.h"

#define BUCKETS 1000000007
#define LONGEST 400

static const uint64_t key[2] = {3, UINT64_C(1) << 40};

static const struct {
    size_t size;
    uint64_t fast, strong;
} expected[] = {
    {0, 912170738, 144027124},   {1, 977056160, 219422084},   {2, 174453507, 730201506},   {3, 859520856, 723839305},
    {4, 494729990, 639114416},   {7, 215819876, 209499650},   {8, 543792592, 274887171},   {9, 115621829, 817856801},
    {15, 877103701, 156961200},  {16, 210342968, 372161353},  {17, 706446522, 825208473},  {31, 124234446, 505118090},
    {32, 677488049, 625436876},  {33, 302848471, 663169259},  {63, 655523616, 41466152},   {64, 840166051, 396682969},
    {65, 384144616, 229639236},  {127, 221790561, 774657613}, {128, 856272433, 431569100}, {129, 803229908, 588661772},
    {192, 248484500, 546727804}, {193, 261753686, 103238098}, {400, 982782297, 233692787},
};

static void fill(char bytes[LONGEST]) {
    for (int i = 0; i < LONGEST; i++)
        bytes[i] = (char)(i * 7 + i / 13); // also NULs and bytes that are no UTF-8
}

static void test_sizes(void **state) {
    char bytes[LONGEST];
    (void)state;
    fill(bytes);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(ks_fingerprint64(bytes, expected[i].size) % BUCKETS, expected[i].fast);
        assert_int_equal(ks_siphash(key, bytes, expected[i].size) % BUCKETS, expected[i].strong);
    }
}

// Every size from 0 on, in one number each.
static void test_all_sizes(void **state) {
    uint64_t fast = 0, strong = 0;
    char bytes[LONGEST];
    (void)state;
    fill(bytes);
    for (size_t size = 0; size <= LONGEST; size++) {
        fast = fast * 31 + ks_fingerprint64(bytes, size) % BUCKETS;
        strong = strong * 31 + ks_siphash(key, bytes, size) % BUCKETS;
    }
    assert_int_equal(fast, UINT64_C(5146611637178416019));
    assert_int_equal(strong, UINT64_C(269512914118958732));
}

// The hash of tables: names of one length that differ in a few bytes must not meet. Of random places, three quarters
// would be used.
static void test_table_hash(void **state) {
    static const struct {
        const char *before, *after;
        int digits;
    } forms[] = {{"", "", 4}, {"dense_", "", 4}, {"word", "", 4}, {"a_layer_", "", 8}, {"", "_of_a_layer", 8}};
    (void)state;
    for (size_t form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
        static bool used[8192];
        size_t n_used = 0;
        memset(used, 0, sizeof(used));
        for (int i = 0; i < 10000; i++) {
            char name[40];
            int size =
                snprintf(name, sizeof(name), "%s%0*d%s", forms[form].before, forms[form].digits, i, forms[form].after);
            bool *place = &used[ks_hash_text(name, (size_t)size) % 8192];
            n_used += !*place;
            *place = true;
        }
        assert_in_range(n_used, 5500, 6000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes), cmocka_unit_test(test_all_sizes),
                                       cmocka_unit_test(test_table_hash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
