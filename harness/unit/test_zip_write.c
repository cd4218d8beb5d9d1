// SPDX-License-Identifier: Apache-2.0
//
// The writer of zip archives where sizes and offsets need zip64: both roads and Python's zipfile read what was given.
// The bound from which they do is set low, so that small archives cross it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kassay/archive.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container/zip_write.h"

#define LARGE 1000
#define LARGEST_CONTENT 3000

typedef struct given {
    const char *name;
    size_t size;
    uint32_t alignment;
    bool growing; ///< written with begin and end
} given;

static const given members[] = {
    {"small", 10, 0, false},           {"small-aligned", 11, 64, false},
    {"below", LARGE - 1, 0, false},    {"large", LARGE, 0, false},
    {"growing-small", 20, 0, true},    {"growing-small-aligned", 21, 64, true},
    {"growing-large", 2000, 0, true},  {"growing-large-aligned", 3000, 64, true},
    {"large-aligned", 1500, 8, false}, {"empty", 0, 0, false},
    {"growing-empty", 0, 0, true},     {"small-behind", 5, 0, false},
};

#define COUNT (sizeof members / sizeof members[0])

static void fill(uint8_t *content, size_t member) {
    for (size_t i = 0; i < members[member].size; i++)
        content[i] = (uint8_t)(i * 7 + member * 31);
}

static void write_member(ks_zip_writer *zip, ks_output *output, size_t i) {
    uint8_t content[LARGEST_CONTENT];
    ks_bytes bytes = {content, members[i].size};
    uint64_t offset;
    fill(content, i);
    if (!members[i].growing) {
        assert_int_equal(ks_zip_writer_add(zip, members[i].name, bytes, members[i].alignment), KS_OK);
        return;
    }
    assert_int_equal(ks_zip_writer_begin(&offset, zip, members[i].name, members[i].alignment), KS_OK);
    assert_int_equal(ks_output_write(output, offset, bytes), KS_OK);
    assert_int_equal(ks_zip_writer_end(zip, bytes.size), KS_OK);
}

/// `large` 0: the true bound.
static ks_bytes write_archive(ks_context *context, uint64_t large) {
    ks_output *output;
    ks_zip_writer *zip;
    ks_bytes bytes;
    ks_context_init(context, NULL);
    assert_int_equal(ks_output_open(&output, context, NULL), KS_OK);
    assert_int_equal(ks_zip_writer_open(&zip, context, output), KS_OK);
    if (large)
        ks__zip_writer_large(zip, large);
    for (size_t i = 0; i < COUNT; i++)
        write_member(zip, output, i);
    assert_int_equal(ks_zip_writer_finish(zip), KS_OK);
    assert_int_equal(ks_output_take(&bytes, output), KS_OK);
    ks_zip_writer_close(zip);
    ks_output_close(output);
    return bytes;
}

static void drop_archive(ks_context *context, ks_bytes bytes) {
    ks_free(context, (void *)(uintptr_t)bytes.data);
    assert_int_equal(context->memory.n_live, 0);
}

static size_t count_of(ks_bytes bytes, const char *signature) {
    size_t count = 0;
    for (size_t i = 0; i + 4 <= bytes.size; i++)
        count += memcmp(bytes.data + i, signature, 4) == 0;
    return count;
}

static void expect_members(ks_bytes bytes, ks_road road) {
    ks_context context;
    ks_archive *archive;
    ks_context_init(&context, NULL);
    assert_int_equal(ks_archive_open_zip(&archive, &context, bytes, road), KS_OK);
    assert_int_equal(context.n_warnings, 0);
    assert_int_equal(ks_archive_count(archive), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const ks_archive_member *member = ks_archive_member_at(archive, i);
        uint8_t content[LARGEST_CONTENT];
        ks_bytes found;
        assert_string_equal(member->name.data, members[i].name);
        assert_int_equal(ks_archive_read(&found, archive, member, true), KS_OK);
        assert_int_equal(found.size, members[i].size);
        fill(content, i);
        if (found.size)
            assert_memory_equal(found.data, content, found.size);
        if (members[i].alignment && road == KS_ROAD_STRICT)
            assert_int_equal(member->offset % members[i].alignment, 0);
    }
    ks_archive_close(archive);
}

static void test_both_roads_read_it(void **state) {
    static const uint64_t bounds[] = {0, LARGE, 1}; // with 1 all but the empty members and the first header are large
    (void)state;
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        ks_context context;
        ks_bytes bytes = write_archive(&context, bounds[i]);
        assert_int_equal(count_of(bytes, "PK\6\6"), bounds[i] != 0);
        assert_int_equal(count_of(bytes, "PK\6\7"), bounds[i] != 0);
        expect_members(bytes, KS_ROAD_STRICT);
        expect_members(bytes, KS_ROAD_LIBRARY);
        drop_archive(&context, bytes);
    }
}

/// In the local header: version, both sizes, the length of the extra field and what stands first in it.
static void test_only_large_members_have_the_field(void **state) {
    ks_context context, reading;
    ks_bytes bytes = write_archive(&context, LARGE);
    ks_archive *archive;
    (void)state;
    ks_context_init(&reading, NULL);
    assert_int_equal(ks_archive_open_zip(&archive, &reading, bytes, KS_ROAD_STRICT), KS_OK);
    for (size_t i = 0; i < COUNT; i++) {
        const ks_archive_member *member = ks_archive_member_at(archive, i);
        size_t name_size = strlen(members[i].name);
        const uint8_t *name = bytes.data + member->offset, *header;
        bool large = members[i].size >= LARGE;
        while (memcmp(name, members[i].name, name_size) != 0)
            name--; // back over the extra field
        header = name - 30;
        assert_memory_equal(header, "PK\3\4", 4);
        assert_int_equal(header[4], large ? 45 : 20);
        assert_int_equal(memcmp(header + 18, "\xff\xff\xff\xff\xff\xff\xff\xff", 8) == 0, large);
        assert_int_equal(
            name + name_size < bytes.data + member->offset && memcmp(name + name_size, "\1\0\x10\0", 4) == 0, large);
    }
    ks_archive_close(archive);
    drop_archive(&context, bytes);
}

/// Three numbers of a central header have the value "look into the field": two sizes and the offset of a local header.
static void test_a_header_far_behind_has_the_field_in_the_directory(void **state) {
    ks_context context;
    ks_bytes bytes = write_archive(&context, LARGE);
    size_t at = bytes.size;
    (void)state;
    for (size_t i = COUNT; i-- > 0;) { // the first members stand before the bound
        bool large = i >= 3;
        do
            at--;
        while (memcmp(bytes.data + at, "PK\1\2", 4) != 0);
        assert_int_equal(bytes.data[at + 6], large ? 45 : 20);
        assert_int_equal(memcmp(bytes.data + at + 20, "\xff\xff\xff\xff\xff\xff\xff\xff", 8) == 0, large);
        assert_int_equal(memcmp(bytes.data + at + 42, "\xff\xff\xff\xff", 4) == 0, large);
    }
    drop_archive(&context, bytes);
}

static const char check[] = "import sys, zipfile\n"
                            "with zipfile.ZipFile(sys.argv[1]) as z:\n"
                            "    assert z.testzip() is None\n"
                            "    for i, m in enumerate(z.infolist()):\n"
                            "        data = bytes((k * 7 + i * 31) % 256 for k in range(m.file_size))\n"
                            "        assert z.read(m) == data, m\n"
                            "        print(m.filename, m.file_size, m.extract_version)\n";

static void test_zipfile_reads_it(void **state) {
    char path[] = "/tmp/kassay-zip-XXXXXX";
    char command[1024], line[200];
    ks_context context;
    ks_bytes bytes;
    FILE *found;
    (void)state;
    if (system("python3 -c 'import zipfile' 2>/dev/null") != 0)
        skip();
    bytes = write_archive(&context, LARGE);
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes.data, bytes.size), bytes.size);
    close(descriptor);
    snprintf(command, sizeof command, "python3 -c '%s' %s", check, path);
    found = popen(command, "r");
    assert_non_null(found);
    for (size_t i = 0; i < COUNT; i++) {
        char expected[200];
        assert_non_null(fgets(line, sizeof line, found));
        assert_int_equal(strncmp(line, members[i].name, strlen(members[i].name)), 0);
        snprintf(expected, sizeof expected, " %zu ", members[i].size);
        assert_non_null(strstr(line, expected));
    }
    assert_null(fgets(line, sizeof line, found));
    assert_int_equal(pclose(found), 0);
    unlink(path);
    drop_archive(&context, bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_roads_read_it),
        cmocka_unit_test(test_only_large_members_have_the_field),
        cmocka_unit_test(test_a_header_far_behind_has_the_field_in_the_directory),
        cmocka_unit_test(test_zipfile_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
