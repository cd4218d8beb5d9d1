// SPDX-License-Identifier: Apache-2.0
//
// The attributes of the older form. Lists of names are split into NAME0, NAME1, … where they would not fit into an
// object header; strings are of fixed or variable size, in ASCII or UTF-8, by version of h5py; an empty list is an
// array of float64 without elements. Source: Keras 2 saving/hdf5_format.py (save_attributes_to_hdf5_group).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weights/legacy_internal.h"

// --- names ----------------------------------------------------------------------------------------------------------

static ks_code read_names(const ks_text **out, size_t *count, bool *found, ks__load *l, ks_hdf5_node group,
                          const char *path, const char *name) {
    ks_hdf5_type type;
    uint64_t elements = 0;
    ks_code code;
    *count = 0;
    KS_TRY(ks_hdf5_attribute(&type, found, l->file, group, name));
    if (!*found)
        return KS_OK;
    if (type.null_dataspace || (ks_shape_elements(&type.shape, &elements) && elements == 0))
        return KS_OK;
    if (type.dtype != KS_STRING || type.shape.rank != 1)
        return ks__weights_fail(l, KS_E_WEIGHTS_NAMES, path, "expected a list of strings as attribute %s", name);
    KS_TRY(ks_hdf5_attribute_text(out, count, l->file, group, name));
    for (size_t i = 0; i < *count; i++)
        if ((*out)[i].size == 0 || strlen((*out)[i].data) != (*out)[i].size)
            return ks__weights_fail(l, KS_E_WEIGHTS_NAMES, path, "name %zu of attribute %s cannot be one", i, name);
done:
    return code;
}

ks_code ks__legacy_names(const ks_text **out, size_t *count, ks__load *l, ks_hdf5_node group, const char *path,
                         const char *name) {
    ks_text *all = NULL;
    size_t n = 0;
    bool found;
    ks_code code;
    *out = NULL;
    KS_TRY(read_names(out, count, &found, l, group, path, name));
    for (int chunk = 0; !found; chunk++) {
        char chunk_name[64];
        const ks_text *more;
        ks_text *bigger;
        bool chunk_found;
        size_t n_more;
        snprintf(chunk_name, sizeof(chunk_name), "%s%d", name, chunk);
        KS_TRY(read_names(&more, &n_more, &chunk_found, l, group, path, chunk_name));
        if (!chunk_found)
            break;
        bigger = ks_arena_get(l->arena, n + n_more + 1, sizeof(*bigger));
        if (!bigger)
            return l->context->error.code;
        if (n)
            memcpy(bigger, all, n * sizeof(*bigger));
        if (n_more)
            memcpy(bigger + n, more, n_more * sizeof(*bigger));
        all = bigger;
        n += n_more;
        *out = all;
        *count = n;
    }
done:
    return code;
}

ks_code ks__legacy_find(ks_hdf5_node *out, ks__load *l, ks_hdf5_node from, const char *from_path, ks_text name) {
    bool found;
    ks_code code;
    KS_TRY(ks_hdf5_find(out, &found, l->file, from, name.data));
    if (!found) {
        const char *path = ks_arena_format(l->arena, "%s%s%s", from_path, from_path[0] ? "/" : "", name.data);
        return path ? ks__weights_fail(l, KS_E_WEIGHTS_MISSING, path, "the file names this object and has none")
                    : l->context->error.code;
    }
done:
    return code;
}

// --- versions -------------------------------------------------------------------------------------------------------

ks_writer ks_writer_of(const char *version) {
    char *end;
    long major = strtol(version, &end, 10), minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    if (major >= 3)
        return KS_WRITER_KERAS3;
    if (major < 2)
        return KS_WRITER_KERAS1;
    // tf.keras until TensorFlow 1.12 ("2.1.6-tf") has the lists of its time.
    if (minor >= 4 || (minor >= 2 && strstr(version, "-tf")))
        return KS_WRITER_TF_KERAS;
    return minor >= 2 || strstr(version, "-tf") ? KS_WRITER_KERAS2 : KS_WRITER_KERAS2_0;
}

// A scalar string, or an array of one.
static ks_code read_word(const char **out, ks__load *l, ks_hdf5_node group, const char *path, const char *name) {
    const ks_text *texts;
    ks_hdf5_type type;
    size_t count;
    bool found;
    ks_code code;
    *out = NULL;
    KS_TRY(ks_hdf5_attribute(&type, &found, l->file, group, name));
    if (!found)
        return KS_OK;
    if (type.dtype != KS_STRING)
        return ks__weights_fail(l, KS_E_WEIGHTS_NAMES, path, "expected a string as attribute %s", name);
    KS_TRY(ks_hdf5_attribute_text(&texts, &count, l->file, group, name));
    if (count != 1)
        return ks__weights_fail(l, KS_E_WEIGHTS_NAMES, path, "expected one string as attribute %s, found %zu", name,
                                count);
    *out = texts[0].data;
done:
    return code;
}

ks_code ks_legacy_group_open(ks_legacy_group *out, ks_context *context, ks_arena *arena, ks_hdf5 *file,
                             const char *document, const char *path) {
    ks__load l = {.context = context, .arena = arena, .file = file, .document = document};
    ks_code code;
    memset(out, 0, sizeof(*out));
    out->path = path;
    if (path[0])
        KS_TRY(ks__legacy_find(&out->node, &l, ks_hdf5_root(file), "", ks_text_from(path)));
    else
        out->node = ks_hdf5_root(file);
    KS_TRY(read_word(&out->keras_version, &l, out->node, path, "keras_version"));
    KS_TRY(read_word(&out->backend, &l, out->node, path, "backend"));
    out->writer = ks_writer_of(out->keras_version ? out->keras_version : "1");
done:
    return code;
}
