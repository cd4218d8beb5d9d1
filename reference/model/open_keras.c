// SPDX-License-Identifier: Apache-2.0
//
// A `.keras` archive or its directory form: metadata.json, config.json, model.weights.h5. Source: Keras 3
// saving/saving_lib.py (_load_model_from_fileobj).
#include <stdlib.h>
#include <string.h>

#include "model/open_internal.h"

static ks_code read_member(ks_bytes *out, ks_model *m, const char *name, bool *found) {
    const ks_archive_member *member = ks_archive_find(m->archive, name);
    ks_code code = KS_OK;
    *found = member != NULL;
    if (member) {
        code = ks_archive_read(out, m->archive, member, true);
        if (code != KS_OK)
            ks_error_prefix_place(m->context, "");
    }
    return code;
}

/// Archives came with Keras 2.12, and nobody reads the version in them: an older one, or none, is not that of the
/// writer, and the config's form decides.
static ks_code take_version(ks_model *m, ks_text version) {
    char *end;
    long major = strtol(version.data, &end, 10), minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    if (major < 2 || (major == 2 && minor < 12)) {
        ks_warn(m->context, "keras-version-odd", "metadata.json");
        return KS_OK;
    }
    m->keras_version = ks_arena_text(&m->arena, version.data, version.size).data;
    return m->keras_version ? KS_OK : m->context->error.code;
}

static ks_code read_metadata(ks_model *m) {
    const ks_value *version;
    ks_json *json = NULL;
    ks_bytes bytes;
    bool found;
    ks_code code;
    KS_TRY(read_member(&bytes, m, "metadata.json", &found));
    if (!found) {
        ks_warn(m->context, "metadata-missing", "metadata.json");
        return KS_OK;
    }
    KS_TRY(ks__model_json(&json, m, bytes, "metadata.json"));
    version = ks_value_get(ks_json_root(json), "keras_version");
    if (version && version->type == KS_VALUE_STRING)
        code = take_version(m, version->text);
done:
    ks_json_free(json);
    return code;
}

static bool is_pickled_array(ks_bytes bytes) {
    static const char magic[] = "\x93NUMPY", objects[] = "'|O"; // in the header of the array, which comes first
    return bytes.size > sizeof magic && memcmp(bytes.data, magic, sizeof magic - 1) == 0 &&
           memmem(bytes.data, bytes.size < 256 ? bytes.size : 256, objects, sizeof objects - 1) != NULL;
}

/// The weights of such an archive are an archive too: arrays of objects.
static ks_code find_pickle(const char **out, ks_archive *archive) {
    ks_code code = KS_OK;
    *out = ks_archive_find(archive, "model.weights.npz") ? "model.weights.npz" : NULL;
    for (size_t i = 0; i < ks_archive_count(archive) && !*out && code == KS_OK; i++) {
        const ks_archive_member *member = ks_archive_member_at(archive, i);
        size_t size = member->name.size;
        ks_bytes bytes;
        if (size < 4 || memcmp(member->name.data + size - 4, ".npy", 4) != 0)
            continue;
        code = ks_archive_read(&bytes, archive, member, true);
        if (code == KS_OK && is_pickled_array(bytes))
            *out = member->name.data;
    }
    return code;
}

ks_code ks__refuse_pickles(ks_model *m, ks_archive *archive) {
    const char *pickle;
    ks_code code;
    KS_TRY(find_pickle(&pickle, archive));
    if (pickle)
        return ks_fail(m->context, KS_E_WEIGHTS_PICKLE, KS_STAGE_WEIGHTS, KS_NO_OFFSET, pickle,
                       "weights in this form are pickled objects, which would run code when they are read");
    if (ks_archive_find(archive, "variables.h5"))
        return ks__model_fail(m, KS_E_MODEL_FORMAT, "variables.h5",
                              "an archive of Keras 2.11, an experiment that no later version reads");
    return ks__model_fail(m, KS_E_MODEL_MEMBER,
                          ks_archive_find(archive, "config.json") ? "model.weights.h5" : "config.json",
                          "the archive has no such member");
done:
    return code;
}

/// Keras unpacks an archive with assets whole: a broken member is an error, whoever would read it. Of a folder it opens
/// what it needs.
static ks_code verify_members(ks_model *m) {
    bool whole = m->bytes.data || m->options.check_only;
    ks_code code = KS_OK;
    ks_bytes bytes;
    for (size_t i = 0; whole && i < ks_archive_count(m->archive) && code == KS_OK; i++)
        code = ks_archive_read(&bytes, m->archive, ks_archive_member_at(m->archive, i), true);
    return code;
}

ks_code ks__open_keras(ks_model *m) {
    ks_weights_options options = {.check = m->options.check_only};
    ks_bytes bytes;
    bool found;
    ks_code code;
    KS_TRY(read_metadata(m));
    KS_TRY(read_member(&bytes, m, "config.json", &found));
    if (!found)
        return ks__refuse_pickles(m, m->archive);
    KS_TRY(ks__model_config(m, bytes, "config.json"));
    KS_TRY(read_member(&bytes, m, "model.weights.h5", &found));
    if (!found)
        return ks__refuse_pickles(m, m->archive);
    KS_TRY(ks__model_hdf5(m, bytes, "model.weights.h5"));
    KS_TRY(ks__load_v3(m, m->weights, "model.weights.h5", &options));
    KS_TRY(ks__load_words(m));
    if (m->writer != KS_WRITER_KERAS3)
        KS_TRY(ks_weights_relist(&m->map, m->context, &m->arena));
    m->has_weights = true;
    KS_TRY(verify_members(m));
done:
    return code;
}
