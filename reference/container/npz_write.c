// SPDX-License-Identifier: Apache-2.0
//
// Writing `.npz`: stored members in the given order, dated 1980-01-01, so that equal arrays give equal files. Layout as
// in npz.c and zip.c; sizes beyond 4 GiB are refused rather than written wrong.
#include <kassay/npz.h>
#include <kassay/writer.h>

#include <errno.h>
#include <libdeflate.h>
#include <stdio.h>
#include <unistd.h>

#define LARGEST_HEADER 1024

typedef struct out_file {
    ks_context *context;
    uint8_t *data;
    size_t size, room;
    ks_code code;
} out_file;

static void reserve(out_file *f, size_t size) {
    f->data = ks_allocate(f->context, size, 1);
    f->room = size;
    if (!f->data)
        f->code = f->context->error.code;
}

static void put(out_file *f, const void *data, size_t size) {
    if (f->code == KS_OK && size > f->room - f->size)
        f->code =
            ks_fail(f->context, KS_E_INTERNAL, KS_STAGE_SAVE, f->size, NULL, "the archive is larger than planned");
    if (f->code != KS_OK)
        return;
    if (size)
        memcpy(f->data + f->size, data, size);
    f->size += size;
}

static void put_uint(out_file *f, uint64_t value, size_t size) {
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    put(f, bytes, size);
}

static size_t longest_text(const ks_tensor *tensor) {
    const ks_text *texts = tensor->data;
    size_t longest = 1;
    for (size_t i = 0; i < tensor->size / sizeof(ks_text); i++)
        if (texts[i].size > longest)
            longest = texts[i].size;
    return longest;
}

static void describe(char *out, size_t size, const ks_tensor *tensor) {
    static const char *const descriptions[] = {
        [KS_BOOL8] = "|b1",   [KS_INT8] = "|i1",      [KS_INT16] = "<i2",      [KS_INT32] = "<i4",
        [KS_INT64] = "<i8",   [KS_UINT8] = "|u1",     [KS_UINT16] = "<u2",     [KS_UINT32] = "<u4",
        [KS_UINT64] = "<u8",  [KS_FLOAT16] = "<f2",   [KS_BFLOAT16] = "|V2",   [KS_FLOAT32] = "<f4",
        [KS_FLOAT64] = "<f8", [KS_COMPLEX64] = "<c8", [KS_COMPLEX128] = "<c16"};
    if (tensor->dtype == KS_STRING)
        snprintf(out, size, "|S%zu", longest_text(tensor));
    else
        snprintf(out, size, "%s", descriptions[tensor->dtype]);
}

static void put_header(out_file *f, const ks_tensor *tensor) {
    char text[LARGEST_HEADER - 64], description[32];
    int size;
    describe(description, sizeof(description), tensor);
    size = snprintf(text, sizeof(text), "{'descr': '%s', 'fortran_order': False, 'shape': (", description);
    for (int i = 0; i < tensor->shape.rank; i++)
        size += snprintf(text + size, sizeof(text) - (size_t)size, "%s%lld%s", i ? " " : "",
                         (long long)tensor->shape.dims[i],
                         i + 1 < tensor->shape.rank || tensor->shape.rank == 1 ? "," : "");
    size += snprintf(text + size, sizeof(text) - (size_t)size, "), }");
    put(f, "\x93NUMPY\x01\x00", 8);
    {
        size_t padded = ((size_t)size + 11 + 63) / 64 * 64 - 10; // magic and sizes are 10 bytes, '\n' ends the header
        put_uint(f, padded, 2);
        put(f, text, (size_t)size);
        for (size_t i = (size_t)size + 1; i < padded; i++)
            put(f, " ", 1);
        put(f, "\n", 1);
    }
}

static void put_texts(out_file *f, const ks_tensor *tensor) {
    const ks_text *texts = tensor->data;
    size_t longest = longest_text(tensor);
    for (size_t i = 0; i < tensor->size / sizeof(ks_text); i++) {
        put(f, texts[i].data, texts[i].size);
        for (size_t k = texts[i].size; k < longest; k++)
            put(f, "", 1);
    }
}

// Offset of the local header, for the central directory.
static size_t put_member(out_file *f, const ks_npz_entry *entry) {
    size_t start = f->size, name_size = strlen(entry->name) + 4, data, size;
    uint32_t crc;
    put(f, "PK\3\4\x14\0\0\0\0\0\0\0\x21\0", 14);
    put_uint(f, 0, 4); // CRC and sizes are filled in below
    put_uint(f, 0, 4);
    put_uint(f, 0, 4);
    put_uint(f, name_size, 2);
    put_uint(f, 0, 2);
    put(f, entry->name, name_size - 4);
    put(f, ".npy", 4);
    data = f->size;
    put_header(f, &entry->tensor);
    if (entry->tensor.dtype == KS_STRING)
        put_texts(f, &entry->tensor);
    else
        put(f, entry->tensor.data, entry->tensor.size);
    if (f->code != KS_OK)
        return start;
    size = f->size - data;
    crc = libdeflate_crc32(0, f->data + data, size);
    for (size_t i = 0; i < 4; i++) {
        f->data[start + 14 + i] = (uint8_t)(crc >> (8 * i));
        f->data[start + 18 + i] = f->data[start + 22 + i] = (uint8_t)(size >> (8 * i));
    }
    return start;
}

static void put_directory(out_file *f, const ks_npz_entry *entries, const size_t *starts, size_t count) {
    size_t start = f->size;
    for (size_t i = 0; i < count && f->code == KS_OK; i++) {
        uint8_t fixed[16];
        memcpy(fixed, f->data + starts[i] + 14, 12);
        put(f, "PK\1\2\x14\3\x14\0\0\0\0\0\0\0\x21\0", 16);
        put(f, fixed, 12);
        put_uint(f, strlen(entries[i].name) + 4, 2);
        put_uint(f, 0, 2 + 2 + 2 + 2);
        put_uint(f, (uint64_t)0600 << 16, 4);
        put_uint(f, starts[i], 4);
        put(f, entries[i].name, strlen(entries[i].name));
        put(f, ".npy", 4);
    }
    {
        size_t size = f->size - start;
        put(f, "PK\5\6\0\0\0\0", 8);
        put_uint(f, count, 2);
        put_uint(f, count, 2);
        put_uint(f, size, 4);
        put_uint(f, start, 4);
        put_uint(f, 0, 2);
    }
}

static ks_code save(out_file *f, const char *path) {
    if (strcmp(path, "-") != 0)
        return ks_save_bytes(f->context, path, (ks_bytes){f->data, f->size});
    for (size_t at = 0; at < f->size;) {
        ssize_t wrote = write(STDOUT_FILENO, f->data + at, f->size - at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return ks_fail(f->context, KS_E_IO, KS_STAGE_SAVE, KS_NO_OFFSET, "-", "writing failed: %s",
                           strerror(errno));
        at += (size_t)wrote;
    }
    return KS_OK;
}

// An upper bound, so that the archive is laid out in one piece without growing.
static size_t needed_size(const ks_npz_entry *entries, size_t count) {
    size_t size = 22;
    for (size_t i = 0; i < count; i++) {
        const ks_tensor *tensor = &entries[i].tensor;
        size_t data = tensor->dtype == KS_STRING ? tensor->size / sizeof(ks_text) * longest_text(tensor) : tensor->size;
        size += 30 + 46 + 2 * (strlen(entries[i].name) + 4) + LARGEST_HEADER + data;
    }
    return size;
}

ks_code ks_npz_write(ks_context *context, const char *path, const ks_npz_entry *entries, size_t count) {
    out_file f = {.context = context};
    size_t *starts = ks_allocate(context, count + 1, sizeof(*starts));
    ks_code code;
    if (!starts)
        return context->error.code;
    reserve(&f, needed_size(entries, count));
    for (size_t i = 0; i < count; i++)
        starts[i] = put_member(&f, &entries[i]);
    put_directory(&f, entries, starts, count);
    code = f.code;
    if (code == KS_OK && (f.size > UINT32_MAX || count > UINT16_MAX))
        code = ks_fail(context, KS_E_OVER_SIZE, KS_STAGE_SAVE, KS_NO_OFFSET, path,
                       "archives beyond 4 GiB are not written");
    if (code == KS_OK)
        code = save(&f, path);
    ks_free(context, f.data);
    ks_free(context, starts);
    return code;
}
