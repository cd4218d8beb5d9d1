// SPDX-License-Identifier: Apache-2.0
//
// The words of lookup layers that were adapted: members "assets/PATH/vocabulary.txt" of an archive, PATH as in the
// weights. Source: Keras 3 saving/saving_lib.py (_load_state, DiskIOStore), layers/preprocessing/index_lookup.py
// (load_assets).
#include <string.h>

#include "model/open_internal.h"
#include "schema/lookup.h"

#define FOLDER "assets/"

// Keras opens its store of assets when the archive has any member besides the three of every model.
static bool has_assets(const ks_model *m) {
    return ks_archive_count(m->archive) > 3;
}

static ks_code load_words(ks_model *m, ks_object *object) {
    const char *place = ks_arena_format(&m->arena, FOLDER "%s/vocabulary.txt", object->path);
    const ks_archive_member *member;
    ks_bytes bytes;
    ks_code code;
    if (!place)
        return m->context->error.code;
    member = ks_archive_find(m->archive, place);
    if (!member && has_assets(m))
        return ks__model_fail(m, KS_E_MODEL_MEMBER, place, "the archive has no such member, nor has the config words");
    if (!member)
        return KS_OK;
    KS_TRY(ks_archive_read(&bytes, m->archive, member, true));
    KS_TRY(ks_lookup_read_words(m->context, &m->arena, object, bytes, place));
done:
    return code;
}

ks_code ks__load_words(ks_model *m) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < m->map.n_objects; i++)
        if (ks_lookup_wants_words(m->map.objects[i].object))
            KS_TRY(load_words(m, m->map.objects[i].object));
done:
    return code;
}
