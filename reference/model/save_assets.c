// SPDX-License-Identifier: Apache-2.0
//
// The files that layers keep beside their variables: members "assets/…" of a `.keras` archive or of its folder form.
// They go unread from one to the other; every other whole model loses them by name. Source: Keras 3
// saving/saving_lib.py (DiskIOStore).
#include "model/save_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/lookup.h"

#define FOLDER "assets/"

/// The next asset from `*at` on that counts under its name; NULL at the end.
static const ks_archive_member *next_asset(const ks_model *model, size_t *at) {
    size_t count = model->archive ? ks_archive_count(model->archive) : 0;
    while (*at < count) {
        const ks_archive_member *member = ks_archive_member_at(model->archive, (*at)++);
        if (!member->directory && member->name.size > sizeof FOLDER - 1 &&
            memcmp(member->name.data, FOLDER, sizeof FOLDER - 1) == 0 &&
            ks_archive_find(model->archive, member->name.data) == member)
            return member;
    }
    return NULL;
}

/// The object whose file it is, by the longest path, and the file's name below it.
static const ks_saved_object *owner_of(const char **rest, const ks_model *model, const ks_archive_member *member) {
    const char *name = member->name.data + sizeof FOLDER - 1;
    const ks_saved_object *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < model->map.n_objects; i++) {
        const char *path = model->map.objects[i].object->path;
        size_t size = path ? strlen(path) : 0;
        if (size > longest && strncmp(name, path, size) == 0 && name[size] == '/') {
            found = &model->map.objects[i];
            longest = size;
        }
    }
    *rest = name + longest + (found != NULL);
    return found;
}

/// The name that Keras 3 has for a file, below `folder`: files of Keras 2 have other paths. NULL: no memory.
static char *new_name(ks__save *save, const char *folder, const ks_archive_member *member) {
    const char *rest, *slash = folder[0] ? "/" : "";
    const ks_saved_object *owner = owner_of(&rest, save->model, member);
    const char *name = owner ? ks_arena_format(&save->arena, "%s%s" FOLDER "%s/%s", folder, slash, owner->path, rest)
                             : ks_arena_format(&save->arena, "%s%s%s", folder, slash, member->name.data);
    return (char *)(uintptr_t)name;
}

/// Words that a layer looks up are in the config of a format without assets.
static bool is_in_config(const ks_model *model, const ks_archive_member *member) {
    const ks_object *layer;
    const char *rest;
    const ks_saved_object *owner = owner_of(&rest, model, member);
    const ks_lookup *lookup = owner ? ks_lookup_of(owner->object, &layer) : NULL;
    return lookup && ks_lookup_fits_config(lookup) && strcmp(rest, "vocabulary.txt") == 0;
}

ks_code ks__lose_assets(ks__save *save) {
    ks_code code = KS_OK;
    size_t at = 0;
    for (const ks_archive_member *member; code == KS_OK && (member = next_asset(save->model, &at));)
        if (!is_in_config(save->model, member))
            code = ks_lose(save->losses, "asset", member->name.data, "a file that a layer keeps beside its variables");
    return code;
}

ks_code ks__save_assets(ks__save *save, ks_zip_writer *zip) {
    ks_code code = KS_OK;
    size_t at = 0;
    for (const ks_archive_member *member; (member = next_asset(save->model, &at));) {
        const char *name = new_name(save, "", member);
        ks_bytes bytes;
        if (!name)
            return save->context->error.code;
        KS_TRY(ks_archive_read(&bytes, save->model->archive, member, true));
        KS_TRY(ks_zip_writer_add(zip, name, bytes, 0));
    }
done:
    return code;
}

// --- folders --------------------------------------------------------------------------------------------------------

/// Makes the folders on the way to a file. `path` is written to and put back.
static ks_code make_folders(ks__save *save, char *path, size_t from) {
    for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool made = mkdir(path, 0777) == 0 || errno == EEXIST;
        if (!made)
            ks_fail(save->context, KS_E_IO, KS_STAGE_SAVE, KS_NO_OFFSET, path, "the folder cannot be made: %s",
                    strerror(errno));
        *slash = '/';
        if (!made)
            return save->context->error.code;
    }
    return KS_OK;
}

ks_code ks__save_assets_in(ks__save *save, const char *folder) {
    ks_code code = KS_OK;
    size_t at = 0;
    for (const ks_archive_member *member; (member = next_asset(save->model, &at));) {
        char *path = new_name(save, folder, member);
        ks_bytes bytes;
        if (!path)
            return save->context->error.code;
        KS_TRY(ks_archive_read(&bytes, save->model->archive, member, true));
        KS_TRY(make_folders(save, path, strlen(folder) + 1));
        KS_TRY(ks_save_bytes(save->context, path, bytes));
    }
done:
    return code;
}

void ks__remove_assets(ks__save *save, const char *folder) {
    size_t at = 0;
    for (const ks_archive_member *member; (member = next_asset(save->model, &at));) {
        char *path = new_name(save, folder, member);
        if (!path)
            return;
        unlink(path);
        for (char *slash; (slash = strrchr(path + strlen(folder) + 1, '/'));) { // folders that are empty by now
            *slash = '\0';
            rmdir(path);
        }
    }
}
