// SPDX-License-Identifier: Apache-2.0
//
// Walks over HDF5 files for tests: everything that is in one, as text or only touched.
#ifndef KASSAY_HARNESS_UNIT_HDF5_FILES_H
#define KASSAY_HARNESS_UNIT_HDF5_FILES_H

#include <kassay/hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// A whole file; free `data`. `data` is NULL when it cannot be read.
static inline ks_bytes hdf5_file_read(const char *path) {
    ks_bytes bytes = {NULL, 0};
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return bytes;
    fseek(stream, 0, SEEK_END);
    bytes.size = (size_t)ftell(stream);
    rewind(stream);
    uint8_t *data = malloc(bytes.size ? bytes.size : 1);
    if (data && fread(data, 1, bytes.size, stream) == bytes.size)
        bytes.data = data;
    else
        free(data);
    fclose(stream);
    return bytes;
}

/// Text that grows.
typedef struct hdf5_text {
    char *data;
    size_t size;
    size_t capacity;
} hdf5_text;

static inline void hdf5_put(hdf5_text *text, const char *piece) {
    size_t size = strlen(piece);
    if (text->size + size + 1 > text->capacity) {
        text->capacity = 2 * (text->size + size + 1);
        text->data = realloc(text->data, text->capacity);
        if (!text->data)
            abort();
    }
    memcpy(text->data + text->size, piece, size + 1);
    text->size += size;
}

static inline uint64_t hdf5_fnv(uint64_t value, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * 0x100000001B3U;
    return value;
}

#define HDF5_FNV_START 0xCBF29CE484222325U

typedef struct hdf5_walk {
    ks_hdf5 *file;
    ks_context *context;
    hdf5_text *out; ///< NULL: only touch everything
    ks_hdf5_node seen[8192];
    size_t n_seen;
} hdf5_walk;

static inline bool hdf5_seen(hdf5_walk *walk, ks_hdf5_node node) {
    for (size_t i = 0; i < walk->n_seen; i++)
        if (walk->seen[i] == node)
            return true;
    if (walk->n_seen < sizeof walk->seen / sizeof walk->seen[0])
        walk->seen[walk->n_seen++] = node;
    return false;
}

static inline void hdf5_line(hdf5_walk *walk, const char *kind, const char *path, const char *rest) {
    if (!walk->out)
        return;
    hdf5_put(walk->out, kind);
    hdf5_put(walk->out, " ");
    hdf5_put(walk->out, path);
    if (rest[0]) {
        hdf5_put(walk->out, " ");
        hdf5_put(walk->out, rest);
    }
    hdf5_put(walk->out, "\n");
}

static inline void hdf5_shape(char *out, size_t out_size, const ks_hdf5_type *type) {
    size_t at = (size_t)snprintf(out, out_size, type->null_dataspace ? "null" : "(");
    for (int32_t i = 0; i < type->shape.rank && !type->null_dataspace; i++)
        at += (size_t)snprintf(out + at, out_size - at, "%s%lld", i ? "," : "", (long long)type->shape.dims[i]);
    if (!type->null_dataspace)
        snprintf(out + at, out_size - at, ")");
}

/// Reads the elements of a dataset (`name` NULL) or an attribute and gives their hash; KS_OK with `*has` false when
/// elements of such a type are not read.
static inline ks_code hdf5_elements(uint64_t *hash, bool *has, hdf5_walk *walk, ks_hdf5_node node, const char *name,
                                    const ks_hdf5_type *type) {
    uint64_t elements = 0;
    const ks_text *texts = NULL;
    size_t count = 0;
    ks_code code = KS_OK;
    *hash = HDF5_FNV_START;
    *has = type->dtype != KS_DTYPE_NONE && !type->null_dataspace;
    if (!*has || !ks_shape_elements(&type->shape, &elements))
        return KS_OK;
    if (type->dtype == KS_STRING) {
        code = name ? ks_hdf5_attribute_text(&texts, &count, walk->file, node, name)
                    : ks_hdf5_read_text(&texts, &count, walk->file, node);
        for (size_t i = 0; i < count && code == KS_OK; i++) {
            uint8_t size[4] = {(uint8_t)texts[i].size, (uint8_t)(texts[i].size >> 8), (uint8_t)(texts[i].size >> 16),
                               (uint8_t)(texts[i].size >> 24)};
            *hash = hdf5_fnv(*hash, size, 4);
            *hash = hdf5_fnv(*hash, texts[i].data, texts[i].size);
        }
        return code;
    }
    size_t size = (size_t)elements * ks_dtype_size(type->dtype);
    if (elements > walk->context->memory.limit)
        return KS_OK;
    void *data = ks_allocate(walk->context, size, 1);
    if (!data)
        return walk->context->error.code;
    code =
        name ? ks_hdf5_attribute_read(data, size, walk->file, node, name) : ks_hdf5_read(data, size, walk->file, node);
    if (code == KS_OK)
        *hash = hdf5_fnv(*hash, data, size);
    ks_free(walk->context, data);
    return code;
}

static inline const char *hdf5_dtype(const ks_hdf5_type *type, char *text, size_t text_size) {
    if (type->type_class == KS_HDF5_OPAQUE && type->dtype == KS_DTYPE_NONE)
        snprintf(text, text_size, "opaque%zu", type->size);
    else
        snprintf(text, text_size, "%s", type->type_class == KS_HDF5_OTHER ? "other" : ks_dtype_name(type->dtype));
    return text;
}

static inline ks_code hdf5_holder(hdf5_walk *walk, ks_hdf5_node node, const char *name, const char *path,
                                  const ks_hdf5_type *type) {
    char shape[256];
    char dtype[32];
    char rest[400];
    uint64_t hash = 0;
    bool has = false;
    ks_code code = hdf5_elements(&hash, &has, walk, node, name, type);
    hdf5_shape(shape, sizeof shape, type);
    int size = snprintf(rest, sizeof rest, "%s %s", hdf5_dtype(type, dtype, sizeof dtype), shape);
    if (has)
        snprintf(rest + size, sizeof rest - (size_t)size, " %016llx", (unsigned long long)hash);
    hdf5_line(walk, name ? "A" : "D", path, rest);
    return code;
}

static inline ks_code hdf5_attributes(hdf5_walk *walk, ks_hdf5_node node, const char *path) {
    const ks_text *names = NULL;
    size_t count = 0;
    ks_code code = ks_hdf5_attributes(&names, &count, walk->file, node);
    for (size_t i = 0; i < count && code == KS_OK; i++) {
        char inner[1024];
        ks_hdf5_type type;
        bool found = false;
        snprintf(inner, sizeof inner, "%s@%s", path, names[i].data);
        code = ks_hdf5_attribute(&type, &found, walk->file, node, names[i].data);
        if (code == KS_OK && found)
            code = hdf5_holder(walk, node, names[i].data, inner, &type);
    }
    return code;
}

static inline ks_code hdf5_object(hdf5_walk *walk, ks_hdf5_node node, const char *path, unsigned depth);

static inline ks_code hdf5_group(hdf5_walk *walk, ks_hdf5_node node, const char *path, unsigned depth) {
    static const char *const kinds[] = {"hard", "soft", "external", "user"};
    const ks_hdf5_link *links = NULL;
    size_t count = 0;
    char number[32];
    ks_code code = ks_hdf5_links(&links, &count, walk->file, node);
    if (code != KS_OK)
        return code;
    snprintf(number, sizeof number, "%zu", count);
    hdf5_line(walk, "G", path, number);
    code = hdf5_attributes(walk, node, path);
    for (size_t i = 0; i < count && code == KS_OK; i++) {
        char inner[1024];
        snprintf(inner, sizeof inner, "%s/%s", path[1] ? path : "", links[i].name.data);
        if (links[i].type != KS_LINK_HARD)
            hdf5_line(walk, "L", inner, kinds[links[i].type]);
        else if (hdf5_seen(walk, links[i].node))
            hdf5_line(walk, "S", inner, "");
        else if (depth < 50)
            code = hdf5_object(walk, links[i].node, inner, depth + 1);
    }
    return code;
}

static inline ks_code hdf5_object(hdf5_walk *walk, ks_hdf5_node node, const char *path, unsigned depth) {
    ks_hdf5_object_type kind = KS_HDF5_GROUP;
    ks_hdf5_type type;
    ks_code code = ks_hdf5_object(&kind, walk->file, node);
    if (code != KS_OK)
        return code;
    if (kind == KS_HDF5_GROUP)
        return hdf5_group(walk, node, path, depth);
    if (kind == KS_HDF5_DATASET) {
        code = ks_hdf5_dataset(&type, walk->file, node);
        if (code == KS_OK) {
            code = hdf5_holder(walk, node, NULL, path, &type);
        } else if (walk->out &&
                   (code == KS_E_HDF5_VIRTUAL || code == KS_E_HDF5_EXTERNAL || code == KS_E_HDF5_FILTER_UNKNOWN)) {
            hdf5_line(walk, "R", path, "");
            ks_context_clear(walk->context);
            code = KS_OK;
        }
    } else {
        hdf5_line(walk, "T", path, "");
    }
    return code == KS_OK ? hdf5_attributes(walk, node, path) : code;
}

/// Everything in a file, or the first failure. Nothing is left allocated.
static inline ks_code hdf5_walk_file(hdf5_text *out, ks_context *context, ks_bytes bytes, ks_road road) {
    static hdf5_walk walk;
    ks_code code = ks_hdf5_open(&walk.file, context, bytes, road);
    if (code != KS_OK)
        return code;
    walk.context = context;
    walk.out = out;
    walk.n_seen = 0;
    (void)hdf5_seen(&walk, ks_hdf5_root(walk.file));
    code = hdf5_object(&walk, ks_hdf5_root(walk.file), "/", 0);
    if (code == KS_OK)
        code = ks_hdf5_verify(walk.file);
    ks_hdf5_close(walk.file);
    return code;
}

#endif
