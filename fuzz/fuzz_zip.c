// SPDX-License-Identifier: Apache-2.0
//
// The strict zip reader: every member of what it accepts is read, twice the same, and found again under its name; the
// same bytes elsewhere in memory get the same answer.
#include "common/fuzz_common.h"

#include <kassay/archive.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_member(ks_context *context, ks_archive *archive, size_t index) {
    const ks_archive_member *member = ks_archive_member_at(archive, index);
    const ks_archive_member *found = ks_archive_find(archive, member->name.data);
    ks_bytes first, second;
    ks_code code;
    ks_fuzz_assert(member->name.size && member->name.data[member->name.size] == 0);
    ks_fuzz_assert(found && ks_text_equal(found->name, member->name) && found >= member);
    code = ks_archive_read(&first, archive, member, false);
    if (code != KS_OK) {
        ks_context_clear(context);
        return;
    }
    ks_fuzz_assert(first.size == member->size);
    ks_fuzz_assert(ks_archive_read(&second, archive, member, false) == KS_OK && second.data == first.data);
    code = ks_archive_read(&second, archive, member, true);
    ks_fuzz_assert(code == KS_OK || code == KS_E_ZIP_CRC);
    ks_context_clear(context);
}

static void check_copy(const ks_context *first, const ks_archive *archive, const uint8_t *data, size_t size) {
    uint8_t *moved = malloc(size + 1);
    ks_context context;
    ks_archive *again = NULL;
    ks_code code;
    ks_fuzz_assert(moved);
    if (size)
        memcpy(moved + 1, data, size);
    ks_fuzz_begin(&context, size);
    code = ks_archive_open_zip(&again, &context, (ks_bytes){moved + 1, size}, KS_ROAD_STRICT);
    ks_fuzz_assert_with(&context, code == first->error.code && context.n_warnings == first->n_warnings);
    ks_fuzz_assert_with(&context, context.error.offset == first->error.offset);
    ks_fuzz_assert_with(&context, strcmp(context.error.message, first->error.message) == 0);
    ks_fuzz_assert(!archive || ks_archive_count(archive) == ks_archive_count(again));
    ks_archive_close(again);
    ks_fuzz_end(&context, size);
    free(moved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ks_context context;
    ks_archive *archive = NULL;
    ks_code code;
    ks_fuzz_begin(&context, size);
    code = ks_archive_open_zip(&archive, &context, (ks_bytes){data, size}, KS_ROAD_STRICT);
    ks_fuzz_check_error(&context, code, SIZE_MAX);
    ks_fuzz_assert((code == KS_OK) == (archive != NULL));
    check_copy(&context, archive, data, size);
    for (size_t i = 0; archive && i < ks_archive_count(archive); i++)
        check_member(&context, archive, i);
    ks_archive_close(archive);
    ks_fuzz_end(&context, size);
    return 0;
}
