// SPDX-License-Identifier: Apache-2.0
//
// A model is an archive with documents and an HDF5 file in it, an HDF5 file with documents in attributes, or a
// document: each part is compared by both roads, and what they say of it must lead to the answer.
#include "runner/road_explain.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <kassay/archive.h>
#include <kassay/hdf5.h>
#include <kassay/source.h>

#include "runner/road_compare.h"

typedef struct explanation {
    ks_context *context;
    ks_code answer;
    const ks_road_difference *row; ///< the first that explains the answer
    bool differ;                   ///< some part differs as no row says
} explanation;

/// The number's form is no reason: what takes a float for an int or the other way is the same in both roads' readers.
static void take(explanation *e, const ks_roads_result *result) {
    bool fits = result->library.code == KS_OK || result->library.code == e->answer;
    e->differ = e->differ || result->outcome == KS_ROADS_DIFFER;
    for (size_t i = 0; i < result->n_rows && !e->row && fits; i++)
        if (result->rows[i]->id != KS_DIFFERENCE_JSON_NUMBER_FORM)
            e->row = result->rows[i];
}

static ks_code explain_document(explanation *e, ks_bytes bytes) {
    ks_roads_result result;
    ks_code code = ks_roads_compare_json(&result, e->context, NULL, bytes);
    if (code == KS_OK)
        take(e, &result);
    return code;
}

static ks_code explain_attributes(explanation *e, ks_hdf5 *file) {
    static const char *const names[] = {"model_config", "training_config"};
    ks_code code = KS_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && code == KS_OK; i++) {
        const ks_text *texts;
        ks_hdf5_type type;
        size_t count = 0;
        bool found;
        code = ks_hdf5_attribute(&type, &found, file, ks_hdf5_root(file), names[i]);
        if (code == KS_OK && found && type.dtype == KS_STRING)
            code = ks_hdf5_attribute_text(&texts, &count, file, ks_hdf5_root(file), names[i]);
        if (code == KS_OK && count == 1)
            code = explain_document(e, (ks_bytes){(const uint8_t *)texts[0].data, texts[0].size});
    }
    return code;
}

static ks_code explain_hdf5(explanation *e, ks_hdf5 *file, ks_bytes bytes) {
    ks_roads_result result;
    ks_code code = ks_roads_compare_hdf5(&result, e->context, NULL, bytes);
    if (code == KS_OK) {
        take(e, &result);
        code = explain_attributes(e, file);
    }
    return code;
}

/// An HDF5 file or a document.
static ks_code explain_plain(explanation *e, ks_bytes bytes) {
    ks_hdf5 *file = NULL;
    ks_code code;
    if (ks_hdf5_open(&file, e->context, bytes, KS_ROAD_STRICT) == KS_OK) {
        code = explain_hdf5(e, file, bytes);
    } else {
        ks_context_clear(e->context);
        code = explain_document(e, bytes);
    }
    ks_hdf5_close(file);
    return code;
}

/// Members that a model is not read from may be anything.
static bool is_part(ks_text name) {
    static const char *const parts[] = {"config.json", "metadata.json", "model.weights.h5"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (ks_text_is(name, parts[i]))
            return true;
    return false;
}

static ks_code explain_archive(explanation *e, ks_archive *archive, ks_bytes bytes) {
    ks_roads_result result;
    ks_code code = ks_roads_compare_archive(&result, e->context, NULL, bytes);
    if (code == KS_OK)
        take(e, &result);
    for (size_t i = 0; i < ks_archive_count(archive) && code == KS_OK; i++) {
        const ks_archive_member *member = ks_archive_member_at(archive, i);
        if (is_part(member->name) && ks_archive_find(archive, member->name.data) == member)
            code = ks_archive_read(&bytes, archive, member, true);
        if (code == KS_OK && is_part(member->name) && ks_archive_find(archive, member->name.data) == member)
            code = explain_plain(e, bytes);
    }
    return code;
}

static ks_code explain_file(explanation *e, const char *path) {
    ks_source *source = NULL;
    ks_archive *archive = NULL;
    ks_bytes bytes;
    ks_code code = ks_source_open(&source, e->context, path);
    if (code != KS_OK)
        return code;
    bytes = ks_source_bytes(source);
    ks_context_budget(e->context, bytes.size);
    if (ks_archive_open_zip(&archive, e->context, bytes, KS_ROAD_STRICT) == KS_OK) {
        code = explain_archive(e, archive, bytes);
    } else {
        ks_context_clear(e->context);
        code = explain_plain(e, bytes);
    }
    ks_archive_close(archive);
    ks_source_close(source);
    return code;
}

static ks_code explain_folder(explanation *e, const char *path) {
    static const char *const parts[] = {"config.json", "metadata.json", "model.weights.h5"};
    ks_code code = KS_OK;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && code == KS_OK; i++) {
        char inner[4096];
        struct stat status;
        int size = snprintf(inner, sizeof inner, "%s/%s", path, parts[i]);
        if (size > 0 && (size_t)size < sizeof inner && stat(inner, &status) == 0)
            code = explain_file(e, inner);
    }
    return code;
}

ks_code ks_roads_explain(const ks_road_difference **out, ks_context *context, const char *path, ks_code answer) {
    explanation e = {context, answer, NULL, false};
    struct stat status;
    bool folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    ks_code code = folder ? explain_folder(&e, path) : explain_file(&e, path);
    *out = e.differ ? NULL : e.row;
    return code;
}
