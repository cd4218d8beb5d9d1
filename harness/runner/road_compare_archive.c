// SPDX-License-Identifier: Apache-2.0
//
// Zip archives by both roads: the same members in the same order with the same content, found under the same names.
#include "runner/road_compare_internal.h"

#include "base/bytes.h"
#include <string.h>

#define END_SIZE 22     // end of central directory without its comment
#define LOCATOR_SIZE 20 // of zip64, before the end record
#define END64_SIZE 56   // zip64's end record, before that
#define LONGEST_COMMENT 65535
#define CENTRAL_SIZE 46 // central record without name, extra field and comment
#define DEFLATED 8
#define UNICODE_PATH 0x7075 // Info-ZIP's extra field with another name

static ks_code read_members(ks_archive *archive) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < ks_archive_count(archive) && code == KS_OK; i++) {
        ks_bytes content;
        code = ks_archive_read(&content, archive, ks_archive_member_at(archive, i), true);
    }
    return code;
}

static ks_code walk_archive(ks_context *context, ks_bytes bytes, ks_road road) {
    ks_archive *archive = NULL;
    ks_code code = ks_archive_open_zip(&archive, context, bytes, road);
    if (code == KS_OK)
        code = read_members(archive);
    ks_archive_close(archive);
    return code;
}

// --- what the bytes say about the rows -------------------------------------------------------------------------------

typedef struct zip_traits {
    bool cut_comment;  ///< the end record announces more comment than there is
    bool prefixed;     ///< the archive starts after other bytes: offsets count from there
    bool unicode_path; ///< some record has a second name
    bool entries_here; ///< the end record's two counts differ from each other or from the number of entries
} zip_traits;

/// The last end record, where Python looks for it; bytes.size when there is none.
static size_t find_end(ks_bytes bytes) {
    if (bytes.size < END_SIZE)
        return bytes.size;
    size_t lowest = bytes.size - END_SIZE > LONGEST_COMMENT ? bytes.size - END_SIZE - LONGEST_COMMENT : 0;
    for (size_t at = bytes.size - END_SIZE + 1; at-- > lowest;)
        if (memcmp(bytes.data + at, "PK\x05\x06", 4) == 0)
            return at;
    return bytes.size;
}

static void look_at_record(zip_traits *traits, ks_reader *reader) {
    ks_reader field = *reader;
    ks_read_skip(&field, 28);
    uint16_t name_size = ks_read_u16(&field);
    uint16_t extra_size = ks_read_u16(&field);
    uint16_t comment_size = ks_read_u16(&field);
    ks_read_skip(reader, CENTRAL_SIZE);
    ks_read_skip(reader, name_size);
    ks_bytes extra = ks_read_bytes(reader, extra_size);
    ks_read_skip(reader, comment_size);
    ks_reader items = ks_reader_from(extra, 0);
    while (!items.failed && items.at < extra.size) {
        if (ks_read_u16(&items) == UNICODE_PATH)
            traits->unicode_path = true;
        ks_read_skip(&items, ks_read_u16(&items));
    }
}

static zip_traits find_traits(ks_bytes bytes) {
    zip_traits traits = {false, false, false, false};
    size_t end = find_end(bytes);
    ks_reader reader = ks_reader_from(bytes, end < bytes.size ? end + 8 : bytes.size);
    uint64_t here = ks_read_u16(&reader);
    uint64_t total = ks_read_u16(&reader);
    uint64_t size = ks_read_u32(&reader);
    uint64_t offset = ks_read_u32(&reader);
    traits.cut_comment = ks_read_u16(&reader) > bytes.size - reader.at;
    if (reader.failed)
        return traits;
    if (end >= LOCATOR_SIZE + END64_SIZE && memcmp(bytes.data + end - LOCATOR_SIZE, "PK\x06\x07", 4) == 0) {
        end -= LOCATOR_SIZE + END64_SIZE;
        ks_reader wide = ks_reader_from(bytes, end + 24);
        here = ks_read_u64(&wide);
        total = ks_read_u64(&wide);
        size = ks_read_u64(&wide);
        offset = ks_read_u64(&wide);
    }
    if (size > end)
        return traits;
    traits.prefixed = offset != end - size;
    ks_reader records = ks_reader_from(bytes, end - (size_t)size);
    uint64_t count = 0;
    for (; !records.failed && records.at + CENTRAL_SIZE <= end; count++)
        look_at_record(&traits, &records);
    traits.entries_here = here != total || total != count;
    return traits;
}

// --- comparison ------------------------------------------------------------------------------------------------------

static bool same_size(ks__comparison *self, const char *what, uint64_t strict, uint64_t library) {
    if (strict != library)
        ks__comparison_differ(self, "%s: %llu by the strict road, %llu by the library road", what,
                              (unsigned long long)strict, (unsigned long long)library);
    return strict == library;
}

static void compare_names(ks__comparison *self, const zip_traits *traits, ks_text strict, ks_text library) {
    if (ks_text_equal(strict, library))
        return;
    if (traits->unicode_path)
        ks__comparison_listed(self, KS_DIFFERENCE_ZIP_UNICODE_PATH);
    else
        ks__comparison_bytes(self, "a name", (ks_bytes){(const uint8_t *)strict.data, strict.size},
                             (ks_bytes){(const uint8_t *)library.data, library.size});
}

static void compare_member(ks__comparison *self, const zip_traits *traits, ks_archive *strict, ks_archive *library,
                           size_t index) {
    const ks_archive_member *a = ks_archive_member_at(strict, index);
    const ks_archive_member *b = ks_archive_member_at(library, index);
    compare_names(self, traits, a->name, b->name);
    same_size(self, "size", a->size, b->size);
    same_size(self, "stored size", a->stored_size, b->stored_size);
    same_size(self, "CRC", a->crc32, b->crc32);
    same_size(self, "method", a->method, b->method);
    same_size(self, "is a directory", a->directory, b->directory);
    ks_bytes first = {NULL, 0};
    ks_bytes second = {NULL, 0};
    if (ks__comparison_failed(self) || ks_archive_read(&first, strict, a, true) != KS_OK)
        return;
    ks_code code = ks_archive_read(&second, library, b, true);
    if (code == KS_E_LIBRARY_ZIP_MEMBER && a->method == DEFLATED && strstr(self->library.error.message, "Zlib"))
        ks__comparison_listed(self, KS_DIFFERENCE_ZIP_RESERVED_LENGTH); // and the strict road verified the CRC
    else if (code == KS_E_OVER_MEMORY || code == KS_E_NO_MEMORY)
        ks__comparison_listed(self, KS_DIFFERENCE_ZIP_MEMORY);
    else if (code != KS_OK)
        ks__comparison_differ(self, "the library road cannot read it: %s", self->library.error.message);
    else
        ks__comparison_bytes(self, "content", first, second);
}

/// Which member counts under a name. Of duplicates the strict road takes the last, libzip the first.
static void compare_lookup(ks__comparison *self, const zip_traits *traits, ks_archive *strict, ks_archive *library,
                           size_t index) {
    const ks_archive_member *a = ks_archive_member_at(strict, index);
    const ks_archive_member *b = ks_archive_member_at(library, index);
    const ks_archive_member *found_a = ks_archive_find(strict, a->name.data);
    const ks_archive_member *found_b = ks_archive_find(library, a->name.data);
    bool counts_a = found_a == a;
    bool counts_b = found_b == b;
    if (counts_a == counts_b || traits->unicode_path)
        return;
    if (found_a && found_b) // one of them is another member of this name
        ks__comparison_listed(self, KS_DIFFERENCE_ZIP_DUPLICATE_NAME);
    else
        ks__comparison_differ(self, "its name is not found by the %s road", found_a ? "library" : "strict");
}

static void compare_archives(ks__comparison *self, ks_archive *strict, ks_archive *library) {
    zip_traits traits = find_traits(self->bytes);
    if (traits.prefixed) {
        ks__comparison_listed(self, KS_DIFFERENCE_ZIP_CONCATENATED);
        return; // it reads other members than we do
    }
    if (!same_size(self, "members", ks_archive_count(strict), ks_archive_count(library)))
        return;
    for (size_t i = 0; i < ks_archive_count(strict) && !ks__comparison_failed(self); i++) {
        size_t mark = ks__comparison_enter(self, "", ks_archive_member_at(strict, i)->name);
        compare_member(self, &traits, strict, library, i);
        compare_lookup(self, &traits, strict, library, i);
        ks__comparison_leave(self, mark);
    }
}

static void explain_refusal(ks__comparison *self) {
    zip_traits traits = find_traits(self->bytes);
    ks_code code = self->library.error.code;
    if (traits.prefixed)
        ks__comparison_listed(self, KS_DIFFERENCE_ZIP_PREFIX);
    else if (traits.entries_here)
        ks__comparison_listed(self, KS_DIFFERENCE_ZIP_ENTRIES_HERE);
    else if (traits.cut_comment)
        ks__comparison_listed(self, KS_DIFFERENCE_ZIP_CUT_COMMENT);
    else if (code == KS_E_OVER_MEMORY || code == KS_E_NO_MEMORY)
        ks__comparison_listed(self, KS_DIFFERENCE_ZIP_MEMORY);
    else
        ks__comparison_differ(self, "the strict road accepts, the library road refuses: %s",
                              self->library.error.message);
}

static ks_code compare_accepted(ks__comparison *self, ks_archive *strict) {
    ks_archive *library = NULL;
    self->result->library_asked = true;
    ks_code answer = ks_archive_open_zip(&library, &self->library, self->bytes, KS_ROAD_LIBRARY);
    if (answer == KS_E_LIBRARY_MODULE)
        return ks_fail(self->context, answer, KS_STAGE_ZIP, KS_NO_OFFSET, NULL, "%s", self->library.error.message);
    if (answer != KS_OK)
        explain_refusal(self);
    else
        compare_archives(self, strict, library);
    self->result->library = self->library.error;
    ks_archive_close(library);
    return KS_OK;
}

ks_code ks_roads_compare_archive(ks_roads_result *out, ks_context *context, const ks_roads_options *options,
                                 ks_bytes bytes) {
    ks__comparison self;
    ks__comparison_begin(&self, out, context, options, KS_ROADS_ARCHIVE, bytes);
    ks_archive *strict = NULL;
    ks_code code = ks_archive_open_zip(&strict, &self.strict, bytes, KS_ROAD_STRICT);
    if (code == KS_OK)
        code = read_members(strict);
    if (code != KS_OK) {
        out->strict = self.strict.error;
        code = ks__comparison_refused(&self, walk_archive);
    } else {
        code = compare_accepted(&self, strict);
    }
    ks_archive_close(strict);
    ks__comparison_end(&self);
    return code;
}
