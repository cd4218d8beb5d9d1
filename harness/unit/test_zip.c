// SPDX-License-Identifier: Apache-2.0
//
// The strict zip reader: what Python's zipfile accepts is read, every lie has its name, and neither short files nor
// short memory do harm.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kassay/archive.h>
#include <kassay/source.h>
#include <stdio.h>
#include <unistd.h>

#include "unit/zip_builder.h"

#define BYTES(text) ((ks_bytes){(const uint8_t *)(text), sizeof(text) - 1})

typedef struct opened {
    ks_context context;
    ks_archive *archive;
    ks_code code;
} opened;

/// Opens and reads every member; the code is the first that is not KS_OK.
static void open_bytes(opened *o, ks_bytes bytes, const ks_limits *limits, uint64_t fail_at) {
    ks_context_init(&o->context, limits);
    ks_context_budget(&o->context, bytes.size);
    o->context.memory.fail_at = fail_at;
    o->code = ks_archive_open_zip(&o->archive, &o->context, bytes, KS_ROAD_STRICT);
    assert_int_equal(o->code == KS_OK, o->archive != NULL);
    for (size_t i = 0; o->code == KS_OK && i < ks_archive_count(o->archive); i++) {
        ks_bytes content;
        o->code = ks_archive_read(&content, o->archive, ks_archive_member_at(o->archive, i), true);
    }
    assert_int_equal(o->context.error.code, o->code);
}

static void close_opened(opened *o) {
    ks_archive_close(o->archive);
    assert_int_equal(o->context.memory.n_live, 0);
    assert_int_equal(o->context.memory.held, 0);
}

static ks_bytes bytes_of(const built *b) {
    return (ks_bytes){b->data, b->size};
}

static bool warned(const opened *o, const char *name) {
    for (size_t i = 0; i < o->context.n_warnings; i++)
        if (strcmp(o->context.warnings[i].name, name) == 0)
            return true;
    return false;
}

static void expect_content(opened *o, const char *name, const char *content) {
    const ks_archive_member *member = ks_archive_find(o->archive, name);
    ks_bytes bytes, again;
    assert_non_null(member);
    assert_int_equal(ks_archive_read(&bytes, o->archive, member, true), KS_OK);
    assert_int_equal(bytes.size, strlen(content));
    assert_memory_equal(bytes.data, content, bytes.size);
    assert_int_equal(ks_archive_read(&again, o->archive, member, false), KS_OK);
    assert_ptr_equal(again.data, bytes.data);
}

// --- what is accepted -----------------------------------------------------------------------------------------------

static void accepts(const zip_plan *plan, const char *warning) {
    built b = build_zip(plan);
    opened o;
    open_bytes(&o, bytes_of(&b), NULL, 0);
    if (o.code != KS_OK)
        fail_msg("%s: %s", ks_code_name(o.code), o.context.error.message);
    for (size_t i = 0; i < ZIP_MEMBERS && plan->parts[i].name; i++) {
        const ks_archive_member *m = ks_archive_member_at(o.archive, i);
        assert_string_equal(m->name.data, plan->parts[i].name);
        assert_int_equal(m->offset, b.content[i]);
        assert_int_equal(m->method, plan->parts[i].method);
        assert_int_equal(m->crc32, built_crc(plan->parts[i].content, strlen(plan->parts[i].content)));
        expect_content(&o, plan->parts[i].name, plan->parts[i].content);
    }
    assert_null(ks_archive_find(o.archive, "no such member"));
    assert_int_equal(o.context.n_warnings, warning ? 1 : 0);
    if (warning)
        assert_true(warned(&o, warning));
    close_opened(&o);
    free(b.data);
}

static void test_forms_that_zipfile_reads(void **state) {
    static const zip_part config = {.name = "config.json", .content = "{}"};
    static const zip_part deflated = {.name = "deflated", .content = "abcabc", .method = 8};
    (void)state;
    accepts(&(zip_plan){0}, NULL);
    accepts(&(zip_plan){.parts = {config, deflated, {.name = "empty", .content = ""}}}, NULL);
    accepts(&(zip_plan){.parts = {config}, .comment = "a comment PK"}, NULL);
    accepts(&(zip_plan){.parts = {config}, .trailing = "more"}, "zip-trailing-bytes");
    accepts(&(zip_plan){.parts = {config, deflated}, .prefix = "#!/bin/sh\n"}, "zip-prefixed");
    accepts(&(zip_plan){.parts = {config, deflated}, .zip64 = true}, NULL);
    accepts(&(zip_plan){.parts = {config, deflated}, .zip64 = true, .prefix = "junk"}, "zip-prefixed");
    accepts(&(zip_plan){.parts = {{.name = "d/", .content = ""}, {.name = "d/x", .content = "1"}}}, NULL);
    accepts(&(zip_plan){.parts = {{.name = "\xc3\xa9\xe4\xb8\xad.txt", .content = "1", .flags = 0x800}}}, NULL);
    accepts(&(zip_plan){.parts = {{.name = "x", .content = "1", .extra = BYTES("\xfe\xca\2\0ab")}}}, NULL);
    accepts(&(zip_plan){.parts = {{.name = "x", .content = "1", .extra = BYTES("\0\0\0")}}},
            NULL); // zipalign's padding
    for (int width = 4; width <= 8; width += 4)
        for (int without = 0; without < 2; without++) {
            zip_part piped = {.name = "p", .content = "12", .descriptor = width, .unsigned_ = without, .method = 8};
            accepts(&(zip_plan){.parts = {piped, config}}, NULL);
            piped.method = 0;
            piped.zip64 = true;
            accepts(&(zip_plan){.parts = {piped, config}}, NULL);
        }
    accepts(&(zip_plan){.parts = {{.name = "x", .content = "1", .zip64 = true}, config}}, NULL);
}

static void test_of_equal_names_the_last_counts(void **state) {
    (void)state;
    built b = build_zip(&(zip_plan){
        .parts = {{.name = "a", .content = "old"}, {.name = "b", .content = "?"}, {.name = "a", .content = "new"}}});
    opened o;
    open_bytes(&o, bytes_of(&b), NULL, 0);
    assert_int_equal(o.code, KS_OK);
    assert_int_equal(ks_archive_count(o.archive), 3);
    expect_content(&o, "a", "new");
    assert_true(warned(&o, "zip-duplicate-name"));
    close_opened(&o);
    free(b.data);
}

// Every byte of code page 437 from 0x80 on, as Python's codec decodes it.
static void test_names_in_code_page_437(void **state) {
    static const char *const expected = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═"
                                        "╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩"
                                        "≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\xc2\xa0";
    char name[129] = "";
    (void)state;
    for (int i = 0; i < 128; i++)
        name[i] = (char)(0x80 + i);
    built b = build_zip(&(zip_plan){.parts = {{.name = name, .content = "1"}}});
    opened o;
    open_bytes(&o, bytes_of(&b), NULL, 0);
    assert_int_equal(o.code, KS_OK);
    assert_string_equal(ks_archive_member_at(o.archive, 0)->name.data, expected);
    close_opened(&o);
    free(b.data);
    // The two headers may say the same name in different ways.
    b = build_zip(&(zip_plan){.parts = {{.name = "plain", .content = "1"}}});
    built_set(&b, b.local[0] + 6, 2, 0x800);
    open_bytes(&o, bytes_of(&b), NULL, 0);
    assert_int_equal(o.code, KS_OK);
    close_opened(&o);
    free(b.data);
}

static void test_odd_numbers_that_zipfile_does_not_look_at(void **state) {
    static const struct {
        size_t at; ///< in the end record
        uint64_t value;
        const char *warning;
    } odd[] = {{8, 7, NULL}, {10, 7, "zip-odd-count"}, {10, 0, "zip-odd-count"}, {20, 9, "zip-cut-comment"}};
    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        built b = build_zip(&(zip_plan){.parts = {{.name = "a", .content = "1"}, {.name = "b", .content = "2"}}});
        opened o;
        built_set(&b, b.end + odd[i].at, 2, odd[i].value);
        open_bytes(&o, bytes_of(&b), NULL, 0);
        assert_int_equal(o.code, KS_OK);
        assert_int_equal(ks_archive_count(o.archive), 2);
        assert_int_equal(o.context.n_warnings, odd[i].warning != NULL);
        assert_true(!odd[i].warning || warned(&o, odd[i].warning));
        close_opened(&o);
        free(b.data);
    }
    built b = build_zip(&(zip_plan){.parts = {{.name = "a", .content = "1", .descriptor = 4}}});
    opened o;
    built_set(&b, b.content[0] + 1 + 4, 4, 0); // the descriptor's CRC
    open_bytes(&o, bytes_of(&b), NULL, 0);
    assert_int_equal(o.code, KS_OK);
    assert_true(warned(&o, "zip-odd-descriptor"));
    close_opened(&o);
    free(b.data);
}

// The end of a larger file, whose members all lie in it, and the same with one that does not.
static void test_a_file_whose_front_is_gone(void **state) {
    (void)state;
    built b = build_zip(&(zip_plan){.prefix = "0123456789", .parts = {{.name = "a", .content = "1"}}});
    opened o;
    built_set(&b, b.central[0] + 42, 4, b.local[0]); // offsets of the whole file
    built_set(&b, b.end + 16, 4, b.central[0]);
    open_bytes(&o, (ks_bytes){b.data + 10, b.size - 10}, NULL, 0);
    assert_int_equal(o.code, KS_OK);
    assert_true(warned(&o, "zip-cut-front"));
    close_opened(&o);
    built_set(&b, b.central[0] + 42, 4, 9);
    open_bytes(&o, (ks_bytes){b.data + 10, b.size - 10}, NULL, 0);
    assert_int_equal(o.code, KS_E_ZIP_TRUNCATED);
    close_opened(&o);
    free(b.data);
}

static void test_finding_among_many(void **state) {
    enum { COUNT = 3000 };
    built b = {0};
    size_t *local = malloc(COUNT * sizeof(*local)), start;
    char name[32], content[32];
    opened o;
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        local[i] = b.size;
        snprintf(name, sizeof(name), "layers/dense_%d/vars/0", i);
        snprintf(content, sizeof(content), "%d", i);
        built_local(&b, &(zip_part){.name = name, .content = content}, 0);
    }
    start = b.size;
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof(name), "layers/dense_%d/vars/0", i);
        snprintf(content, sizeof(content), "%d", i);
        b.local[0] = local[i];
        built_central(&b, &(zip_part){.name = name, .content = content}, 0, 0);
    }
    size_t size = b.size - start;
    built_put(&b, "PK\5\6\0\0\0\0", 8);
    built_number(&b, COUNT, 2);
    built_number(&b, COUNT, 2);
    built_number(&b, size, 4);
    built_number(&b, start, 4);
    built_number(&b, 0, 2);
    open_bytes(&o, bytes_of(&b), NULL, 0);
    assert_int_equal(o.code, KS_OK);
    for (int i = 0; i < COUNT; i += 7) {
        snprintf(name, sizeof(name), "layers/dense_%d/vars/0", i);
        snprintf(content, sizeof(content), "%d", i);
        expect_content(&o, name, content);
    }
    close_opened(&o);
    ks_limits limits = ks_limits_default();
    limits.zip_members = COUNT - 1;
    open_bytes(&o, bytes_of(&b), &limits, 0);
    assert_int_equal(o.code, KS_E_ZIP_MEMBERS);
    close_opened(&o);
    free(local);
    free(b.data);
}

// --- what is refused ------------------------------------------------------------------------------------------------

enum record { LOCAL, CENTRAL, END, LOCATOR, END64, CONTENT };

/// One field made wrong in an archive of a stored member "ab", a deflated one "cd" and a stored one "ef".
typedef struct wrong {
    const char *name; ///< of the code
    enum record record;
    size_t index, at, size;
    uint64_t value;
    bool both; ///< the same field of the other header of the member too
    bool zip64;
} wrong;

static const wrong wrongs[] = {
    {"zip-no-end-record", END, 0, 0, 1, 'X', false, false},
    {"zip-truncated", END, 0, 12, 4, 100000, false, false},        // size of the directory
    {"zip-bad-signature", END, 0, 12, 4, 144 - 50, false, false},  // a smaller one starts inside an entry
    {"zip-truncated", CENTRAL, 2, 28, 2, 3, false, false},         // name beyond the directory
    {"zip-truncated", CENTRAL, 2, 30, 2, 1, false, false},         // extra field
    {"zip-truncated", CENTRAL, 2, 32, 2, 1, false, false},         // comment
    {"zip-truncated", CENTRAL, 0, 42, 4, 0x10000, false, false},   // header offset
    {"zip-truncated", LOCAL, 2, 28, 2, 9000, false, false},        // extra field of the local header
    {"zip-truncated", CENTRAL, 2, 20, 4, 1000, true, false},       // stored size, made good below
    {"zip-bad-signature", CENTRAL, 1, 3, 1, 9, false, false},      //
    {"zip-bad-signature", LOCAL, 1, 0, 1, 'X', false, false},      //
    {"zip-bad-signature", CENTRAL, 1, 42, 4, 1, false, false},     // points at no header
    {"zip-multi-disk", END, 0, 4, 2, 1, false, false},             //
    {"zip-multi-disk", END, 0, 6, 2, 1, false, false},             //
    {"zip-multi-disk", CENTRAL, 0, 34, 2, 1, false, false},        //
    {"zip-multi-disk", LOCATOR, 0, 4, 4, 1, false, true},          //
    {"zip-multi-disk", LOCATOR, 0, 16, 4, 2, false, true},         //
    {"zip-multi-disk", END64, 0, 16, 4, 1, false, true},           //
    {"zip-multi-disk", END64, 0, 20, 4, 1, false, true},           //
    {"zip-truncated", END64, 0, 40, 8, UINT64_MAX, false, true},   // size of the directory
    {"zip-truncated", END64, 0, 48, 8, UINT64_MAX, false, true},   // its offset
    {"zip-truncated", END64, 0, 0, 4, 0, false, true},             // no record: the end record's ones count
    {"zip-bad-zip64", CENTRAL, 0, 24, 4, UINT32_MAX, true, false}, // says zip64 and has no field
    {"zip-bad-name", CENTRAL, 0, 46, 1, 0, true, false},           // NUL
    {"zip-bad-name", CENTRAL, 0, 28, 2, 0, false, false},          // empty
    {"zip-unsafe-name", CENTRAL, 0, 46, 1, '/', true, false},      //
    {"zip-unsafe-name", CENTRAL, 0, 46, 2, '.' | '.' << 8, true, false},
    {"zip-unsafe-name", CENTRAL, 0, 46, 2, 'C' | ':' << 8, true, false},
    {"zip-unsafe-name", CENTRAL, 0, 46, 2, 'a' | '\\' << 8, true, false},
    {"zip-symlink", CENTRAL, 0, 38, 4, 0120777U << 16, false, false}, //
    {"zip-encrypted", CENTRAL, 0, 8, 2, 1, true, false},              //
    {"zip-encrypted", CENTRAL, 0, 8, 2, 0x41, true, false},           //
    {"zip-patched", CENTRAL, 0, 8, 2, 0x20, true, false},             //
    {"zip-method", CENTRAL, 0, 10, 2, 12, true, false},               // bzip2
    {"zip-version", CENTRAL, 0, 6, 2, 64, false, false},              //
    {"zip-header-mismatch", LOCAL, 0, 6, 2, 1, false, false},         // encrypted there only
    {"zip-header-mismatch", LOCAL, 0, 8, 2, 8, false, false},         // method
    {"zip-header-mismatch", LOCAL, 0, 14, 4, 1, false, false},        // CRC
    {"zip-header-mismatch", LOCAL, 0, 18, 4, 1, false, false},        // stored size
    {"zip-header-mismatch", LOCAL, 0, 22, 4, 1, false, false},        // size
    {"zip-header-mismatch", LOCAL, 0, 30, 1, 'z', false, false},      // name
    {"zip-overlap", CENTRAL, 1, 20, 4, 40, true, false},              // stored size, made good below
    {"zip-bad-size", CENTRAL, 0, 24, 4, 1, true, false},              // a stored member's two sizes
    {"zip-bad-size", CENTRAL, 1, 24, 4, 1, true, false},              // more comes out
    {"zip-bad-size", CENTRAL, 1, 24, 4, 3, true, false},              // less comes out
    {"zip-bad-deflate", CONTENT, 1, 0, 1, 7, false, false},           // a block type that does not exist
    {"zip-bad-crc", CONTENT, 0, 0, 1, 'X', false, false},             //
    {"zip-bad-crc", CONTENT, 1, 5, 1, 'X', false, false},             // inflates, but to something else
    {"zip-bad-crc", CENTRAL, 2, 16, 4, 1, true, false},               //
    {"zip-bomb", CENTRAL, 1, 24, 4, 0x7fffffff, true, false},         //
};

static size_t place_of(const built *b, const wrong *w) {
    switch (w->record) {
    case LOCAL:
        return b->local[w->index] + w->at;
    case CENTRAL:
        return b->central[w->index] + w->at;
    case LOCATOR:
        return b->locator + w->at;
    case END64:
        return b->end64 + w->at;
    case CONTENT:
        return b->content[w->index] + w->at;
    default:
        return b->end + w->at;
    }
}

static built plain_archive(bool zip64) {
    return build_zip(&(zip_plan){.zip64 = zip64,
                                 .parts = {{.name = "ab", .content = "content"},
                                           {.name = "cd", .content = "12", .method = 8},
                                           {.name = "ef", .content = "last"}}});
}

static void make_wrong(built *b, const wrong *w) {
    built_set(b, place_of(b, w), w->size, w->value);
    if (w->both) // a central header has two bytes more in front; its name stands 16 bytes further
        built_set(b, b->local[w->index] + w->at - (w->at == 46 ? 16 : 2), w->size, w->value);
    if (w->at == 20 && w->record == CENTRAL && w->index == 2) { // stored: the other size follows
        built_set(b, b->central[2] + 24, 4, w->value);
        built_set(b, b->local[2] + 22, 4, w->value);
    }
}

static void test_every_way_to_be_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        const wrong *w = &wrongs[i];
        built b = plain_archive(w->zip64);
        opened o;
        open_bytes(&o, bytes_of(&b), NULL, 0);
        assert_int_equal(o.code, KS_OK); // the twin
        close_opened(&o);
        make_wrong(&b, w);
        open_bytes(&o, bytes_of(&b), NULL, 0);
        if (strcmp(ks_code_name(o.code), w->name) != 0)
            fail_msg("row %zu: expected %s, found %s: %s", i, w->name, ks_code_name(o.code), o.context.error.message);
        assert_int_equal(o.context.error.stage, KS_STAGE_ZIP);
        assert_true(o.context.error.offset <= b.size);
        close_opened(&o);
        free(b.data);
    }
}

static void refuses(const zip_plan *plan, ks_code code, const ks_limits *limits) {
    built b = build_zip(plan);
    opened o;
    open_bytes(&o, bytes_of(&b), limits, 0);
    if (o.code != code)
        fail_msg("expected %s, found %s", ks_code_name(code), ks_code_name(o.code));
    close_opened(&o);
    free(b.data);
}

static void test_names_and_fields_of_other_lengths(void **state) {
    static const char *const unsafe[] = {"../a", "a/../../b", "a/..", "/etc/passwd", "..\\a", "c:a", "a\\b"};
    static const char *const bad_utf8[] = {"\xff",
                                           "\xc3",
                                           "\xc1\xb5",
                                           "\xe0\x80\x80",
                                           "\xed\xa0\x80",
                                           "\xf0\x80\x80\x80",
                                           "\xf4\x90\x80\x80",
                                           "\xf5\x80\x80\x80",
                                           "a\x80"};
    static const char *const fine[] = {"..a", "a..b/c", ".hidden", "a/./b", "...", "a//b"};
    (void)state;
    for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
        refuses(&(zip_plan){.parts = {{.name = unsafe[i], .content = "1"}}}, KS_E_ZIP_UNSAFE_NAME, NULL);
    for (size_t i = 0; i < sizeof(bad_utf8) / sizeof(bad_utf8[0]); i++)
        refuses(&(zip_plan){.parts = {{.name = bad_utf8[i], .content = "1", .flags = 0x800}}}, KS_E_ZIP_NAME, NULL);
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
        accepts(&(zip_plan){.parts = {{.name = fine[i], .content = "1"}}}, NULL);
    refuses(&(zip_plan){.parts = {{.name = "x", .content = "1", .extra = BYTES("\1\0\5\0abc")}}}, KS_E_ZIP_EXTRA, NULL);
    refuses(&(zip_plan){.parts = {{.name = "x", .content = "1", .external = 0120777U << 16}}}, KS_E_ZIP_SYMLINK, NULL);
}

static void test_zip64_fields(void **state) {
    (void)state;
    built b = build_zip(&(zip_plan){.parts = {{.name = "x", .content = "1", .zip64 = true}}});
    opened o;
    built_set(&b, b.central[0] + 46 + 1 + 2, 2, 8); // room for one size only
    open_bytes(&o, bytes_of(&b), NULL, 0);
    assert_int_equal(o.code, KS_E_ZIP_ZIP64);
    close_opened(&o);
    built_set(&b, b.central[0] + 46 + 1 + 2, 2, 16);
    built_set(&b, b.central[0] + 42, 4, UINT32_MAX); // the header's offset should follow
    open_bytes(&o, bytes_of(&b), NULL, 0);
    assert_int_equal(o.code, KS_E_ZIP_ZIP64);
    close_opened(&o);
    free(b.data);
    // An offset that would wrap around when the prefix is added.
    static const uint8_t wrap[] = {1, 0, 8, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    b = build_zip(
        &(zip_plan){.prefix = "junk", .parts = {{.name = "x", .content = "1", .extra = {wrap, sizeof(wrap)}}}});
    built_set(&b, b.central[0] + 42, 4, UINT32_MAX);
    open_bytes(&o, bytes_of(&b), NULL, 0);
    assert_int_equal(o.code, KS_E_ZIP_TRUNCATED);
    close_opened(&o);
    free(b.data);
    // A locator at the very start of a file.
    uint8_t short_file[20 + 22] = "PK\6\7";
    memcpy(short_file + 20, "PK\5\6", 4);
    short_file[16] = 1;
    open_bytes(&o, (ks_bytes){short_file, sizeof(short_file)}, NULL, 0);
    assert_int_equal(o.code, KS_E_ZIP_ZIP64);
    close_opened(&o);
}

static void test_bombs_and_limits(void **state) {
    ks_limits limits = ks_limits_default();
    (void)state;
    limits.member_size = 3;
    refuses(&(zip_plan){.parts = {{.name = "x", .content = "1234"}}}, KS_E_ZIP_BOMB, &limits);
    limits = ks_limits_default();
    limits.memory_base = 16384; // one member too large for the budget, though small for its archive
    limits.memory_per_byte = 0;
    char *content = malloc(60001);
    memset(content, 'a', 60000);
    content[60000] = 0;
    refuses(&(zip_plan){.parts = {{.name = "x", .content = content, .method = 8}}}, KS_E_OVER_MEMORY, &limits);
    free(content);
}

// Bytes behind the deflate stream inside the member.
static void test_a_deflate_stream_that_ends_early(void **state) {
    (void)state;
    built b = build_zip(&(zip_plan){.parts = {{.name = "x", .content = "12345", .method = 8}}});
    opened o;
    built_set(&b, b.content[0] + 1, 4, 0xfffd0002); // a stored block of two bytes
    built_set(&b, b.central[0] + 24, 4, 2);
    built_set(&b, b.local[0] + 22, 4, 2);
    open_bytes(&o, bytes_of(&b), NULL, 0);
    assert_int_equal(o.code, KS_E_ZIP_SIZE);
    close_opened(&o);
    free(b.data);
}

static void test_end_records_in_odd_places(void **state) {
    (void)state;
    built b = plain_archive(false);
    opened o;
    built_put(&b, "PK\5\6 and no more", 16); // the last one counts, cut off or not
    open_bytes(&o, bytes_of(&b), NULL, 0);
    assert_int_equal(o.code, KS_E_ZIP_TRUNCATED);
    close_opened(&o);
    free(b.data);
    b = plain_archive(false);
    size_t whole = b.size;
    uint8_t *far = calloc(1, whole + 70000);
    memcpy(far, b.data, whole);
    open_bytes(&o, (ks_bytes){far, whole + 65000}, NULL, 0);
    assert_int_equal(o.code, KS_OK);
    close_opened(&o);
    open_bytes(&o, (ks_bytes){far, whole + 70000}, NULL, 0);
    assert_int_equal(o.code, KS_E_ZIP_NO_END);
    close_opened(&o);
    open_bytes(&o, (ks_bytes){far, 21}, NULL, 0);
    assert_int_equal(o.code, KS_E_ZIP_NO_END);
    close_opened(&o);
    free(far);
    free(b.data);
}

// --- short files, wrong bytes, short memory -------------------------------------------------------------------------

static built rich_archive(void) {
    return build_zip(&(zip_plan){.prefix = "#!",
                                 .comment = "c",
                                 .zip64 = true,
                                 .parts = {{.name = "ab", .content = "content", .zip64 = true},
                                           {.name = "cd", .content = "12", .method = 8, .descriptor = 4},
                                           {.name = "\xc3\xa9", .content = "last", .flags = 0x800, .method = 8},
                                           {.name = "ab", .content = "again", .extra = BYTES("\xfe\xca\2\0ab")}}});
}

static void test_every_shorter_file_is_refused(void **state) {
    (void)state;
    built b = rich_archive();
    for (size_t size = 0; size < b.size - 1; size++) { // the comment may be cut
        uint8_t *exact = malloc(size ? size : 1);      // so that a read beyond it is seen
        opened o;
        memcpy(exact, b.data, size);
        open_bytes(&o, (ks_bytes){exact, size}, NULL, 0);
        assert_int_not_equal(o.code, KS_OK);
        assert_int_equal(ks_code_verdict(o.code), KS_MALFORMED);
        close_opened(&o);
        free(exact);
    }
    free(b.data);
}

static bool same_answer(const opened *a, const opened *b) {
    return a->code == b->code && a->context.error.offset == b->context.error.offset &&
           strcmp(a->context.error.place, b->context.error.place) == 0 &&
           strcmp(a->context.error.message, b->context.error.message) == 0 &&
           a->context.n_warnings == b->context.n_warnings;
}

// Every byte wrong in several ways: no harm, and the same answer wherever the bytes stand.
static void test_wrong_bytes_get_the_same_answer_anywhere(void **state) {
    static const uint8_t masks[] = {0x01, 0x80, 0xff, 0x10};
    (void)state;
    built b = rich_archive();
    uint8_t *moved = malloc(b.size + 3);
    for (size_t at = 0; at < b.size; at++)
        for (size_t i = 0; i < sizeof(masks); i++) {
            opened first, second;
            b.data[at] ^= masks[i];
            memcpy(moved + 3, b.data, b.size);
            open_bytes(&first, bytes_of(&b), NULL, 0);
            open_bytes(&second, (ks_bytes){moved + 3, b.size}, NULL, 0);
            assert_true(same_answer(&first, &second));
            close_opened(&first);
            close_opened(&second);
            b.data[at] ^= masks[i];
        }
    free(moved);
    free(b.data);
}

static void test_any_allocation_may_fail(void **state) {
    (void)state;
    built b = rich_archive();
    ks_code code = KS_E_NO_MEMORY;
    uint64_t k = 1;
    for (; code == KS_E_NO_MEMORY; k++) {
        opened o;
        open_bytes(&o, bytes_of(&b), NULL, k);
        code = o.code;
        close_opened(&o);
    }
    assert_int_equal(code, KS_OK);
    assert_true(k > 5);
    free(b.data);
}

// --- files ----------------------------------------------------------------------------------------------------------

typedef struct mapped {
    char path[40];
    ks_context context;
    ks_source *source;
    ks_archive *archive;
    const char *shrink_before; ///< the file is emptied before this member is read
    size_t total;
} mapped;

static ks_code read_mapped(void *argument) {
    mapped *m = argument;
    ks_code code;
    KS_TRY(ks_archive_open_zip(&m->archive, &m->context, ks_source_bytes(m->source), KS_ROAD_STRICT));
    for (size_t i = 0; i < ks_archive_count(m->archive); i++) {
        const ks_archive_member *member = ks_archive_member_at(m->archive, i);
        ks_bytes content;
        if (m->shrink_before && strcmp(member->name.data, m->shrink_before) == 0)
            assert_int_equal(truncate(m->path, 0), 0);
        KS_TRY(ks_archive_read(&content, m->archive, member, true));
        m->total += content.size;
    }
done:
    return code;
}

static void test_a_mapped_file_that_shrinks(void **state) {
    static const char *const shrinks[] = {NULL, "stored", "deflated"};
    (void)state;
    char *large = malloc(1300001);
    memset(large, 'a', 1300000);
    large[60000] = 0; // as much as one stored block holds
    char *small = strdup(large);
    large[60000] = 'a';
    large[1300000] = 0;
    built b = build_zip(&(zip_plan){
        .parts = {{.name = "stored", .content = large}, {.name = "deflated", .content = small, .method = 8}}});
    for (size_t i = 0; i < 3; i++) {
        mapped m = {.path = "/tmp/kassay-zip-XXXXXX", .shrink_before = shrinks[i]};
        int descriptor = mkstemp(m.path);
        assert_int_equal(write(descriptor, b.data, b.size), b.size);
        close(descriptor);
        ks_context_init(&m.context, NULL);
        assert_int_equal(ks_source_open(&m.source, &m.context, m.path), KS_OK);
        ks_code code = ks_source_guard(m.source, &m.context, read_mapped, &m);
        assert_int_equal(code, shrinks[i] ? KS_E_FILE_CHANGED : KS_OK);
        if (code == KS_OK) {
            assert_int_equal(m.total, 1360000);
            assert_true(m.context.memory.peak < 80000); // the stored member is a view
            ks_archive_close(m.archive);
        }
        ks_source_close(m.source);
        assert_int_equal(m.context.memory.n_live, 0);
        unlink(m.path);
    }
    free(b.data);
    free(large);
    free(small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_that_zipfile_reads),
        cmocka_unit_test(test_of_equal_names_the_last_counts),
        cmocka_unit_test(test_names_in_code_page_437),
        cmocka_unit_test(test_odd_numbers_that_zipfile_does_not_look_at),
        cmocka_unit_test(test_a_file_whose_front_is_gone),
        cmocka_unit_test(test_finding_among_many),
        cmocka_unit_test(test_every_way_to_be_wrong),
        cmocka_unit_test(test_names_and_fields_of_other_lengths),
        cmocka_unit_test(test_zip64_fields),
        cmocka_unit_test(test_bombs_and_limits),
        cmocka_unit_test(test_a_deflate_stream_that_ends_early),
        cmocka_unit_test(test_end_records_in_odd_places),
        cmocka_unit_test(test_every_shorter_file_is_refused),
        cmocka_unit_test(test_wrong_bytes_get_the_same_answer_anywhere),
        cmocka_unit_test(test_any_allocation_may_fail),
        cmocka_unit_test(test_a_mapped_file_that_shrinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
