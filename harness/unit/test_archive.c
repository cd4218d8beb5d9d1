// SPDX-License-Identifier: Apache-2.0
//
// A directory in place of an archive: what it lists, and that nothing leads out of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <kassay/archive.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct tree {
    char root[40];
    char path[5000];
} tree;

static const char *below(tree *t, const char *name) {
    snprintf(t->path, sizeof(t->path), "%s/%s", t->root, name);
    return t->path;
}

static void put_file(tree *t, const char *name, const char *content) {
    FILE *file = fopen(below(t, name), "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static tree make_tree(void) {
    tree t = {.root = "/tmp/kassay-archive-XXXXXX"};
    assert_non_null(mkdtemp(t.root));
    put_file(&t, "model.weights.h5", "weights");
    put_file(&t, "config.json", "{}");
    put_file(&t, "metadata.json", "");
    assert_int_equal(mkdir(below(&t, "assets"), 0700), 0);
    assert_int_equal(mkdir(below(&t, "assets/a"), 0700), 0);
    put_file(&t, "assets/a/words.txt", "one two");
    return t;
}

static void drop_tree(tree *t) {
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", t->root);
    assert_int_equal(system(command), 0);
}

static void test_a_directory_lists_as_an_archive(void **state) {
    static const char *const names[] = {"assets/",     "assets/a/",     "assets/a/words.txt",
                                        "config.json", "metadata.json", "model.weights.h5"};
    tree t = make_tree();
    ks_context context;
    ks_archive *archive;
    ks_bytes bytes, again;
    const ks_archive_member *member;
    (void)state;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_archive_open_directory(&archive, &context, t.root), KS_OK);
    assert_int_equal(ks_archive_count(archive), 6);
    for (size_t i = 0; i < 6; i++) {
        member = ks_archive_member_at(archive, i);
        assert_string_equal(member->name.data, names[i]);
        assert_ptr_equal(ks_archive_find(archive, names[i]), member);
        assert_int_equal(member->directory, i < 2);
        assert_true(member->offset == KS_NO_OFFSET);
        assert_int_equal(ks_archive_read(&bytes, archive, member, true), KS_OK);
        assert_int_equal(bytes.size, member->size);
    }
    assert_null(ks_archive_find(archive, "assets"));
    member = ks_archive_find(archive, "assets/a/words.txt");
    assert_int_equal(ks_archive_read(&bytes, archive, member, true), KS_OK);
    assert_memory_equal(bytes.data, "one two", 7);
    assert_int_equal(ks_archive_read(&again, archive, member, true), KS_OK);
    assert_ptr_equal(again.data, bytes.data);
    ks_archive_close(archive);
    ks_archive_close(NULL);
    assert_int_equal(context.memory.n_live, 0);
    assert_int_equal(context.n_warnings, 0);
    drop_tree(&t);
}

static void refuses(const tree *t, ks_code code, const char *place, const ks_limits *limits) {
    ks_context context;
    ks_archive *archive;
    ks_context_init(&context, limits);
    assert_int_equal(ks_archive_open_directory(&archive, &context, t->root), code);
    assert_null(archive);
    assert_int_equal(context.error.stage, KS_STAGE_FILE);
    if (place)
        assert_string_equal(context.error.place, place);
    assert_int_equal(context.memory.n_live, 0);
}

static void test_links_and_special_files(void **state) {
    (void)state;
    tree t = make_tree();
    assert_int_equal(symlink("/etc/passwd", below(&t, "assets/a/link")), 0);
    refuses(&t, KS_E_DIR_SYMLINK, "assets/a/link", NULL);
    unlink(below(&t, "assets/a/link"));
    assert_int_equal(symlink("a", below(&t, "assets/b")), 0); // to a directory, even one inside
    refuses(&t, KS_E_DIR_SYMLINK, "assets/b", NULL);
    unlink(below(&t, "assets/b"));
    assert_int_equal(mkfifo(below(&t, "pipe"), 0600), 0);
    refuses(&t, KS_E_DIR_TYPE, "pipe", NULL);
    drop_tree(&t);
    refuses(&t, KS_E_IO, t.root, NULL); // it is gone
}

static void test_limits_of_a_directory(void **state) {
    (void)state;
    tree t = make_tree();
    ks_limits limits = ks_limits_default();
    limits.zip_members = 6;
    ks_context context;
    ks_archive *archive;
    ks_context_init(&context, &limits);
    assert_int_equal(ks_archive_open_directory(&archive, &context, t.root), KS_OK);
    ks_archive_close(archive);
    limits.zip_members = 5;
    refuses(&t, KS_E_ZIP_MEMBERS, NULL, &limits);
    limits = ks_limits_default();
    limits.member_size = 6;
    refuses(&t, KS_E_OVER_SIZE, NULL, &limits);
    char name[200] = "deep";
    for (int i = 0; i < 33; i++) {
        assert_int_equal(mkdir(below(&t, name), 0700), 0);
        strcat(name, "/d");
    }
    refuses(&t, KS_E_OVER_DEPTH, NULL, NULL);
    drop_tree(&t);
}

// The directory changes between listing and reading.
static void test_a_directory_that_changes(void **state) {
    (void)state;
    tree t = make_tree();
    ks_context context;
    ks_archive *archive;
    ks_bytes bytes;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_archive_open_directory(&archive, &context, t.root), KS_OK);
    put_file(&t, "model.weights.h5", "short");
    assert_int_equal(ks_archive_read(&bytes, archive, ks_archive_find(archive, "model.weights.h5"), true),
                     KS_E_FILE_CHANGED);
    ks_context_clear(&context);
    unlink(below(&t, "config.json"));
    assert_int_equal(symlink("metadata.json", below(&t, "config.json")), 0);
    assert_int_equal(ks_archive_read(&bytes, archive, ks_archive_find(archive, "config.json"), true), KS_E_IO);
    ks_context_clear(&context);
    char moved[100];
    snprintf(moved, sizeof(moved), "%s/elsewhere", t.root);
    assert_int_equal(rename(below(&t, "assets"), moved), 0);
    assert_int_equal(symlink("elsewhere", below(&t, "assets")), 0); // a link on the way to the file
    assert_int_equal(ks_archive_read(&bytes, archive, ks_archive_find(archive, "assets/a/words.txt"), true), KS_E_IO);
    ks_archive_close(archive);
    assert_int_equal(context.memory.n_live, 0);
    drop_tree(&t);
}

static void test_any_allocation_may_fail(void **state) {
    (void)state;
    tree t = make_tree();
    char name[32];
    for (int i = 0; i < 20; i++) { // more than the list has room for at first
        snprintf(name, sizeof(name), "assets/%d", i);
        put_file(&t, name, "x");
    }
    ks_code code = KS_E_NO_MEMORY;
    uint64_t k = 1;
    for (; code == KS_E_NO_MEMORY; k++) {
        ks_context context;
        ks_archive *archive;
        ks_context_init(&context, NULL);
        context.memory.fail_at = k;
        code = ks_archive_open_directory(&archive, &context, t.root);
        for (size_t i = 0; code == KS_OK && i < ks_archive_count(archive); i++) {
            ks_bytes bytes;
            code = ks_archive_read(&bytes, archive, ks_archive_member_at(archive, i), true);
        }
        ks_archive_close(archive);
        assert_int_equal(context.error.code, code);
        assert_int_equal(context.memory.n_live, 0);
    }
    assert_int_equal(code, KS_OK);
    assert_true(k > 20);
    drop_tree(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_directory_lists_as_an_archive), cmocka_unit_test(test_links_and_special_files),
        cmocka_unit_test(test_limits_of_a_directory),           cmocka_unit_test(test_a_directory_that_changes),
        cmocka_unit_test(test_any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
