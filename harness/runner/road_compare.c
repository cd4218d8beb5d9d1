// SPDX-License-Identifier: Apache-2.0
#include "runner/road_compare_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

ks_roads_options ks_roads_options_default(void) {
    ks_roads_options options = {
        .limits = ks_limits_default(), .with_refused = false, .isolation = ks_isolated_limits_default()};
    return options;
}

const char *ks_roads_outcome_name(ks_roads_outcome outcome) {
    static const char *const names[] = {"agree", "listed", "differ"};
    return names[outcome];
}

void ks__comparison_begin(ks__comparison *self, ks_roads_result *out, ks_context *context,
                          const ks_roads_options *options, ks_road_family family, ks_bytes bytes) {
    memset(self, 0, sizeof *self);
    memset(out, 0, sizeof *out);
    self->result = out;
    self->options = options ? *options : ks_roads_options_default();
    self->context = context;
    self->bytes = bytes;
    self->family = family;
    ks_context_init(&self->strict, &self->options.limits);
    ks_context_budget(&self->strict, bytes.size);
    ks_context_init(&self->library, &self->options.limits);
    ks_context_budget(&self->library, bytes.size);
}

void ks__comparison_listed(ks__comparison *self, ks_road_difference_id id) {
    ks_roads_result *result = self->result;
    const ks_road_difference *row = ks_road_difference_row(id);
    for (size_t i = 0; i < result->n_rows; i++)
        if (result->rows[i] == row)
            return;
    if (result->n_rows < KS_ROADS_MAX_ROWS)
        result->rows[result->n_rows++] = row;
    if (result->outcome == KS_ROADS_AGREE)
        result->outcome = KS_ROADS_LISTED;
}

void ks__comparison_differ(ks__comparison *self, const char *format, ...) {
    ks_roads_result *result = self->result;
    if (result->outcome == KS_ROADS_DIFFER)
        return;
    result->outcome = KS_ROADS_DIFFER;
    memcpy(result->where, self->place, sizeof result->where);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->message, sizeof result->message, format, arguments);
    va_end(arguments);
}

bool ks__comparison_failed(const ks__comparison *self) {
    return self->result->outcome == KS_ROADS_DIFFER;
}

size_t ks__comparison_enter(ks__comparison *self, const char *separator, ks_text step) {
    size_t mark = self->place_size;
    size_t room = sizeof self->place - mark;
    int size =
        snprintf(self->place + mark, room, "%s%.*s", separator, (int)(step.size < 100 ? step.size : 100), step.data);
    self->place_size += size < 0 ? 0 : (size_t)size < room ? (size_t)size : room - 1;
    return mark;
}

void ks__comparison_leave(ks__comparison *self, size_t mark) {
    self->place_size = mark;
    self->place[mark] = '\0';
}

void ks__comparison_bytes(ks__comparison *self, const char *what, ks_bytes strict, ks_bytes library) {
    if (strict.size != library.size) {
        ks__comparison_differ(self, "%s: %zu bytes by the strict road, %zu by the library road", what, strict.size,
                              library.size);
        return;
    }
    for (size_t i = 0; i < strict.size; i++) {
        if (strict.data[i] != library.data[i]) {
            ks__comparison_differ(self, "%s: byte %zu of %zu is 0x%02X by the strict road, 0x%02X by the library road",
                                  what, i, strict.size, strict.data[i], library.data[i]);
            return;
        }
    }
}

// --- what the strict road refused ------------------------------------------------------------------------------------

typedef struct refused_work {
    ks__walk *walk;
    const ks__comparison *comparison;
} refused_work;

/// In the child: the reply is the library road's error record, code KS_OK when it accepts.
static size_t ask_library(void *argument, void *reply, size_t reply_size) {
    const refused_work *work = argument;
    ks_context context;
    ks_context_init(&context, &work->comparison->options.limits);
    ks_context_budget(&context, work->comparison->bytes.size);
    ks_code code = work->walk(&context, work->comparison->bytes, KS_ROAD_LIBRARY);
    if (code != KS_OK)
        memcpy(reply, &context.error, reply_size);
    return reply_size;
}

ks_code ks__comparison_refused(ks__comparison *self, ks__walk *walk) {
    ks_roads_result *result = self->result;
    if (!self->options.with_refused)
        return KS_OK;
    result->library_asked = true;
    refused_work work = {walk, self};
    ks_code code = ks_isolated_run(&result->child, self->context, &self->options.isolation, ask_library, &work,
                                   &result->library, sizeof result->library);
    if (code != KS_OK)
        return code;
    bool replied = result->child.end == KS_ISOLATED_REPLIED;
    if (replied && result->library.code != KS_OK)
        return KS_OK; // both refuse
    const ks_road_difference *row = ks__refused_row(self->family, &result->strict, self->bytes, replied);
    if (row)
        ks__comparison_listed(self, row->id);
    else
        ks__comparison_differ(self, "the strict road refuses (%s), the library road %s",
                              ks_code_name(result->strict.code),
                              replied                                 ? "accepts"
                              : result->child.end == KS_ISOLATED_HUNG ? "hangs"
                                                                      : "crashes");
    return KS_OK;
}

void ks__comparison_end(ks__comparison *self) {
    if (self->strict.memory.n_live != 0)
        ks__comparison_differ(self, "the strict road leaves %llu allocations",
                              (unsigned long long)self->strict.memory.n_live);
    if (self->library.memory.n_live != 0)
        ks__comparison_differ(self, "the library road leaves %llu allocations",
                              (unsigned long long)self->library.memory.n_live);
}

// --- rows for refused input ------------------------------------------------------------------------------------------

static bool stands_on_control(const ks_error *strict, ks_bytes bytes) {
    return strict->offset < bytes.size && bytes.data[strict->offset] < 0x20;
}

static bool ends_in_number(const ks_error *strict, ks_bytes bytes) {
    if (strict->offset == 0 || strict->offset > bytes.size)
        return false;
    return strchr("0123456789.eE+-", bytes.data[strict->offset - 1]) != NULL;
}

static ks_road_difference_id json_row(const ks_error *strict, ks_bytes bytes) {
    if (ks_code_verdict(strict->code) == KS_OVER_LIMIT)
        return KS_DIFFERENCE_JSON_LIMITS;
    switch (strict->code) {
    case KS_E_JSON_ENCODING:
        return KS_DIFFERENCE_JSON_LAX_TEXT;
    case KS_E_JSON_CONTROL:
        return KS_DIFFERENCE_JSON_LAX_CONTROL;
    case KS_E_JSON_NUMBER:
        return KS_DIFFERENCE_JSON_LAX_NUMBER;
    case KS_E_JSON_ESCAPE:
        return KS_DIFFERENCE_JSON_LAX_ESCAPE;
    case KS_E_JSON_TRUNCATED:
        return ends_in_number(strict, bytes) ? KS_DIFFERENCE_JSON_LAX_NUMBER : KS_N_DIFFERENCES;
    case KS_E_JSON_VALUE:
    case KS_E_JSON_KEY:
    case KS_E_JSON_COLON:
    case KS_E_JSON_COMMA:
        return stands_on_control(strict, bytes) ? KS_DIFFERENCE_JSON_LAX_CONTROL : KS_N_DIFFERENCES;
    default:
        return KS_N_DIFFERENCES;
    }
}

static size_t count_ends(ks_bytes bytes) {
    size_t count = 0;
    for (size_t i = 0; i + 4 <= bytes.size; i++)
        count += memcmp(bytes.data + i, "PK\5\6", 4) == 0;
    return count;
}

static ks_road_difference_id archive_row(const ks_error *strict, ks_bytes bytes) {
    if (ks_code_verdict(strict->code) == KS_OVER_LIMIT)
        return KS_DIFFERENCE_ZIP_LIMITS;
    if (count_ends(bytes) > 1)
        return KS_DIFFERENCE_ZIP_OTHER_END;
    switch (strict->code) {
    case KS_E_ZIP_MISMATCH:
    case KS_E_ZIP_SIGNATURE:
    case KS_E_ZIP_EXTRA:
    case KS_E_ZIP_ZIP64:
    case KS_E_ZIP_TRUNCATED:
    case KS_E_ZIP_OVERLAP:
    case KS_E_ZIP_MULTI_DISK:
        return KS_DIFFERENCE_ZIP_LAX_HEADERS;
    case KS_E_ZIP_NAME:
    case KS_E_ZIP_UNSAFE_NAME:
    case KS_E_ZIP_SYMLINK:
        return KS_DIFFERENCE_ZIP_LAX_NAMES;
    case KS_E_ZIP_SIZE:
    case KS_E_ZIP_DEFLATE:
        return KS_DIFFERENCE_ZIP_LAX_DEFLATE;
    case KS_E_ZIP_METHOD:
    case KS_E_ZIP_VERSION:
    case KS_E_ZIP_PATCHED:
    case KS_E_ZIP_ENCRYPTED:
        return KS_DIFFERENCE_ZIP_PROFILE;
    default:
        return KS_N_DIFFERENCES;
    }
}

static ks_road_difference_id hdf5_row(const ks_error *strict, bool accepted) {
    ks_verdict verdict = ks_code_verdict(strict->code);
    if (!accepted)
        return verdict == KS_MALFORMED ? KS_DIFFERENCE_HDF5_FRAGILE : KS_N_DIFFERENCES;
    if (verdict == KS_OVER_LIMIT)
        return KS_DIFFERENCE_HDF5_LIMITS;
    if (verdict == KS_UNSUPPORTED || verdict == KS_UNSAFE)
        return KS_DIFFERENCE_HDF5_PROFILE;
    switch (strict->code) {
    case KS_E_HDF5_NO_SIGNATURE: // what protects the bytes themselves must be seen by both
    case KS_E_HDF5_CHECKSUM:
    case KS_E_HDF5_DEFLATE:
    case KS_E_HDF5_FLETCHER:
    case KS_E_HDF5_CHUNK:
        return KS_N_DIFFERENCES;
    default:
        return verdict == KS_MALFORMED ? KS_DIFFERENCE_HDF5_LAX : KS_N_DIFFERENCES;
    }
}

const ks_road_difference *ks__refused_row(ks_road_family family, const ks_error *strict, ks_bytes bytes,
                                          bool accepted) {
    ks_road_difference_id id = KS_N_DIFFERENCES;
    if (family == KS_ROADS_JSON && accepted)
        id = json_row(strict, bytes);
    else if (family == KS_ROADS_ARCHIVE && accepted)
        id = archive_row(strict, bytes);
    else if (family == KS_ROADS_HDF5)
        id = hdf5_row(strict, accepted);
    return id == KS_N_DIFFERENCES ? NULL : ks_road_difference_row(id);
}
