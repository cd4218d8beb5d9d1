// SPDX-License-Identifier: Apache-2.0
//
// numpy's `.npz`: a zip archive whose members are `.npy` arrays:
//
//   "\x93NUMPY" major:1 minor:1 header_size:2 (version 1) or :4 (2 and 3), header, data
//   header: a Python dict literal {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } padded with spaces to
//   '\n'
//
// Source: numpy lib/format.py. Only the literals that numpy writes are read.
#include <kassay/npz.h>
#include <kassay/writer.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/name_table.h"
#include "container/container_internal.h"

struct ks_npz {
    ks_context *context;
    ks_arena arena;
    ks_archive *archive;
    const char **names;  ///< without ".npy"
    ks_name_table table; ///< of equal names the last counts, as in numpy
    const ks_archive_member **members;
    size_t count;
};

/// What an array's header says.
typedef struct header {
    char order;         ///< '<', '>', '|', '='
    char kind;          ///< 'f', 'i', 'u', 'b', 'c', 'S', 'U', 'V', 'O'
    uint64_t item_size; ///< as written: bytes, characters for 'U'
    bool fortran;
    ks_shape shape;
} header;

static ks_code fail(const ks_npz *npz, ks_code code, const char *name, const char *text) {
    return ks_fail(npz->context, code, KS_STAGE_NPZ, KS_NO_OFFSET, name, "%s", text);
}

// --- the header -----------------------------------------------------------------------------------------------------

typedef struct literal {
    const char *at, *end;
} literal;

static void blanks(literal *l) {
    while (l->at < l->end && (*l->at == ' ' || *l->at == '\n' || *l->at == '\t'))
        l->at++;
}

static bool take(literal *l, const char *text) {
    size_t size = strlen(text);
    blanks(l);
    if ((size_t)(l->end - l->at) < size || memcmp(l->at, text, size) != 0)
        return false;
    l->at += size;
    return true;
}

static bool take_number(literal *l, uint64_t *out) {
    blanks(l);
    *out = 0;
    if (l->at == l->end || *l->at < '0' || *l->at > '9')
        return false;
    for (; l->at < l->end && *l->at >= '0' && *l->at <= '9'; l->at++) {
        if (*out > (UINT64_MAX - 9) / 10)
            return false;
        *out = *out * 10 + (uint64_t)(*l->at - '0');
    }
    (void)take(l, "L"); // Python 2 wrote long integers so
    return true;
}

static bool take_text(literal *l, const char **out, size_t *size) {
    char quote;
    blanks(l);
    if (l->at == l->end || (*l->at != '\'' && *l->at != '"'))
        return false;
    quote = *l->at++;
    *out = l->at;
    while (l->at < l->end && *l->at != quote && *l->at != '\\')
        l->at++;
    if (l->at == l->end || *l->at != quote)
        return false;
    *size = (size_t)(l->at++ - *out);
    return true;
}

static bool take_shape(literal *l, ks_shape *out) {
    bool comma = true;
    out->rank = 0;
    if (!take(l, "("))
        return false;
    while (!take(l, ")")) {
        uint64_t dim;
        if (!comma || out->rank == KS_MAX_RANK || !take_number(l, &dim) || dim > INT64_MAX)
            return false;
        out->dims[out->rank++] = (int64_t)dim;
        comma = take(l, ",");
    }
    return out->rank != 1 || comma; // "(3)" is a number
}

static bool take_descr(const char *text, size_t size, header *h) {
    literal l = {text, text + size};
    if (size < 2)
        return false;
    h->order = strchr("<>|=", *l.at) ? *l.at++ : '|';
    h->kind = *l.at++;
    h->item_size = 0;
    return l.at == l.end || (take_number(&l, &h->item_size) && l.at == l.end);
}

static bool parse_header(const char *text, size_t size, header *h) {
    literal l = {text, text + size};
    bool descr = false, order = false, shape = false, comma = true;
    const char *key, *value;
    size_t key_size, value_size;
    if (!take(&l, "{"))
        return false;
    while (!take(&l, "}")) {
        if (!comma || !take_text(&l, &key, &key_size) || !take(&l, ":"))
            return false;
        if (key_size == 5 && memcmp(key, "descr", 5) == 0 && !descr) {
            descr = take_text(&l, &value, &value_size) && take_descr(value, value_size, h);
            if (!descr)
                return false;
        } else if (key_size == 13 && memcmp(key, "fortran_order", 13) == 0 && !order) {
            h->fortran = take(&l, "True");
            order = h->fortran || take(&l, "False");
            if (!order)
                return false;
        } else if (key_size == 5 && memcmp(key, "shape", 5) == 0 && !shape) {
            shape = take_shape(&l, &h->shape);
            if (!shape)
                return false;
        } else {
            return false;
        }
        comma = take(&l, ",");
    }
    blanks(&l);
    return descr && order && shape && l.at == l.end;
}

static ks_code read_header(const ks_npz *npz, const char *name, ks_bytes bytes, header *h, ks_bytes *data) {
    ks_reader r = ks_reader_from(bytes, 0);
    ks_bytes magic = ks_read_bytes(&r, 6);
    uint8_t major;
    uint32_t size;
    ks_bytes text;
    if (r.failed || memcmp(magic.data, "\x93NUMPY", 6) != 0)
        return fail(npz, KS_E_NPZ_MAGIC, name, "expected the magic of a .npy array");
    major = ks_read_u8(&r);
    ks_read_skip(&r, 1);
    if (!r.failed && (major < 1 || major > 3))
        return fail(npz, KS_E_NPZ_VERSION, name, "expected version 1, 2 or 3 of the .npy format");
    size = major == 1 ? ks_read_u16(&r) : ks_read_u32(&r);
    text = ks_read_bytes(&r, size);
    if (r.failed)
        return fail(npz, KS_E_NPZ_HEADER, name, "the array ends inside its header");
    if (!parse_header((const char *)text.data, text.size, h))
        return fail(npz, KS_E_NPZ_HEADER, name, "expected {'descr': text, 'fortran_order': bool, 'shape': tuple}");
    *data = (ks_bytes){bytes.data + r.at, bytes.size - r.at};
    return KS_OK;
}

// --- the data -------------------------------------------------------------------------------------------------------

static ks_dtype dtype_of(const header *h) {
    static const struct {
        char kind;
        uint64_t size;
        ks_dtype dtype;
    } types[] = {{'b', 1, KS_BOOL8},    {'i', 1, KS_INT8},      {'i', 2, KS_INT16},      {'i', 4, KS_INT32},
                 {'i', 8, KS_INT64},    {'u', 1, KS_UINT8},     {'u', 2, KS_UINT16},     {'u', 4, KS_UINT32},
                 {'u', 8, KS_UINT64},   {'f', 2, KS_FLOAT16},   {'f', 4, KS_FLOAT32},    {'f', 8, KS_FLOAT64},
                 {'V', 2, KS_BFLOAT16}, {'c', 8, KS_COMPLEX64}, {'c', 16, KS_COMPLEX128}};
    if (h->kind == 'S' || h->kind == 'U')
        return KS_STRING;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].kind == h->kind && types[i].size == h->item_size)
            return types[i].dtype;
    return KS_DTYPE_NONE;
}

// Offset of element `n` (counted in C order) in the file's order.
static size_t file_index(const header *h, size_t n) {
    size_t index = 0, stride = 1, position[KS_MAX_RANK];
    if (!h->fortran)
        return n;
    for (int i = h->shape.rank; i-- > 0;) {
        position[i] = n % (size_t)h->shape.dims[i];
        n /= (size_t)h->shape.dims[i];
    }
    for (int i = 0; i < h->shape.rank; i++) {
        index += position[i] * stride;
        stride *= (size_t)h->shape.dims[i];
    }
    return index;
}

static void copy_numbers(uint8_t *out, const header *h, const uint8_t *in, size_t elements, size_t item) {
    size_t part = h->kind == 'c' ? item / 2 : item; // complex numbers turn their halves one by one
    for (size_t i = 0; i < elements; i++) {
        const uint8_t *source = in + file_index(h, i) * item;
        uint8_t *target = out + i * item;
        for (size_t k = 0; k < item; k++)
            target[k] = h->order == '>' ? source[k / part * part + part - 1 - k % part] : source[k];
    }
}

static size_t put_utf8(char *out, uint32_t code) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

static ks_code read_texts(ks_npz *npz, const char *name, const header *h, const uint8_t *in, size_t elements,
                          ks_text *out) {
    size_t item = (size_t)h->item_size * (h->kind == 'U' ? 4 : 1);
    for (size_t i = 0; i < elements; i++) {
        const uint8_t *source = in + file_index(h, i) * item;
        char *text = ks_arena_get(&npz->arena, item + 1, 1);
        size_t size = 0;
        if (!text)
            return npz->context->error.code;
        if (h->kind == 'S') {
            for (size = item; size && source[size - 1] == 0;)
                size--;
            memcpy(text, source, size);
        } else {
            for (size_t k = 0; k < (size_t)h->item_size; k++) {
                const uint8_t *c = source + 4 * k;
                uint32_t code = h->order == '>'
                                    ? (uint32_t)c[0] << 24 | (uint32_t)c[1] << 16 | (uint32_t)c[2] << 8 | c[3]
                                    : (uint32_t)c[3] << 24 | (uint32_t)c[2] << 16 | (uint32_t)c[1] << 8 | c[0];
                if (code > 0x10ffff)
                    return fail(npz, KS_E_NPZ_HEADER, name, "a character beyond Unicode");
                size += put_utf8(text + size, code);
            }
            while (size && text[size - 1] == 0)
                size--;
        }
        out[i] = (ks_text){text, size};
    }
    return KS_OK;
}

static ks_code read_array(ks_tensor *out, ks_npz *npz, const char *name, ks_bytes bytes) {
    header h = {0};
    ks_bytes data = {0};
    uint64_t elements, item, size;
    void *copy;
    ks_code code;
    KS_TRY(read_header(npz, name, bytes, &h, &data));
    if (h.kind == 'O')
        return fail(npz, KS_E_NPZ_OBJECTS, name, "Python objects are pickled, which would run code when they are read");
    out->dtype = dtype_of(&h);
    if (out->dtype == KS_DTYPE_NONE)
        return fail(npz, KS_E_NPZ_DTYPE, name, "the array's type is not known here");
    out->shape = h.shape;
    item = h.kind == 'U' ? 4 * h.item_size : h.item_size;
    if (!ks_shape_elements(&h.shape, &elements) || h.item_size > UINT32_MAX ||
        __builtin_mul_overflow(elements, item, &size) || size != data.size)
        return fail(npz, KS_E_NPZ_SIZE, name, "the data is shorter or longer than the shape says");
    if (out->dtype == KS_STRING && elements > npz->context->limits.tensor_elements / 16)
        return fail(npz, KS_E_OVER_SIZE, name, "more strings than the limits allow");
    out->size = (size_t)elements * ks_dtype_size(out->dtype);
    if (out->dtype != KS_STRING && !h.fortran && h.order != '>' && (uintptr_t)data.data % (item ? item : 1) == 0) {
        out->data = data.data;
        return KS_OK;
    }
    copy = ks_arena_get(&npz->arena, (size_t)elements + 1, ks_dtype_size(out->dtype));
    if (!copy)
        return npz->context->error.code;
    out->data = copy;
    if (out->dtype == KS_STRING)
        return read_texts(npz, name, &h, data.data, (size_t)elements, copy);
    copy_numbers(copy, &h, data.data, (size_t)elements, (size_t)item);
done:
    return code;
}

// --- the archive ----------------------------------------------------------------------------------------------------

ks_code ks_npz_open(ks_npz **out, ks_context *context, ks_bytes bytes) {
    ks_npz *npz = ks_allocate(context, 1, sizeof(*npz));
    ks_code code;
    *out = NULL;
    if (!npz)
        return context->error.code;
    npz->context = context;
    ks_arena_init(&npz->arena, context);
    KS_TRY(ks__zip_open(&npz->archive, context, bytes));
    npz->count = ks_archive_count(npz->archive);
    npz->names = ks_arena_get(&npz->arena, npz->count + 1, sizeof(*npz->names));
    npz->members = ks_arena_get(&npz->arena, npz->count + 1, sizeof(*npz->members));
    if (!npz->names || !npz->members) {
        code = context->error.code;
        goto done;
    }
    for (size_t i = 0; i < npz->count; i++) {
        ks_text name = ks_archive_member_at(npz->archive, i)->name;
        bool suffix = name.size > 4 && memcmp(name.data + name.size - 4, ".npy", 4) == 0;
        npz->names[i] = ks_arena_text(&npz->arena, name.data, name.size - (suffix ? 4 : 0)).data;
        npz->members[i] = ks_archive_member_at(npz->archive, i);
        if (!npz->names[i]) {
            code = context->error.code;
            goto done;
        }
    }
    KS_TRY(ks_name_table_init(&npz->table, &npz->arena, npz->count));
    for (size_t i = 0; i < npz->count; i++) {
        ks_text name = ks_text_from(npz->names[i]);
        *ks_name_table_place(&npz->table, name) = (ks_named){name, i};
    }
    *out = npz;
    return KS_OK;
done:
    ks_npz_close(npz);
    return code;
}

void ks_npz_close(ks_npz *npz) {
    if (!npz)
        return;
    ks_archive_close(npz->archive);
    ks_arena_fini(&npz->arena);
    ks_free(npz->context, npz);
}

size_t ks_npz_count(const ks_npz *npz) {
    return npz->count;
}

const char *ks_npz_name(const ks_npz *npz, size_t index) {
    return npz->names[index];
}

bool ks_npz_has(const ks_npz *npz, const char *name) {
    return ks_name_table_place(&npz->table, ks_text_from(name))->number != KS_NO_NUMBER;
}

ks_code ks_npz_get(ks_tensor *out, ks_npz *npz, const char *name) {
    size_t at = ks_name_table_place(&npz->table, ks_text_from(name))->number;
    ks_bytes bytes;
    ks_code code;
    memset(out, 0, sizeof(*out));
    if (at == KS_NO_NUMBER)
        return fail(npz, KS_E_NPZ_MISSING, name, "the file has no array of this name");
    KS_TRY(ks_archive_read(&bytes, npz->archive, npz->members[at], true));
    KS_TRY(read_array(out, npz, name, bytes));
done:
    return code;
}
