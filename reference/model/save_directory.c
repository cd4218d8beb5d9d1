// SPDX-License-Identifier: Apache-2.0
//
// The folder form of Keras 3: metadata.json, config.json, model.weights.h5, assets/. It is made whole under a temporary
// name and takes its place in one step; a folder that is there already is replaced only when it holds these three files
// and nothing else.
#include "model/save_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const members[] = {"metadata.json", "config.json", "model.weights.h5"};

#define N_MEMBERS (sizeof members / sizeof members[0])

static ks_code io_error(ks__save *save, const char *path, const char *what) {
    return ks_fail(save->context, KS_E_IO, KS_STAGE_SAVE, KS_NO_OFFSET, path, "%s: %s", what, strerror(errno));
}

static const char *join(ks__save *save, const char *folder, const char *name) {
    return ks_arena_format(&save->arena, "%s/%s", folder, name);
}

static void remove_folder(ks__save *save, const char *folder) {
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const char *path = join(save, folder, members[i]);
        if (path)
            unlink(path);
    }
    rmdir(folder);
}

static bool is_member(const char *name) {
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (strcmp(name, members[i]) == 0)
            return true;
    return false;
}

/// What stands at the place: nothing, or a folder that may be replaced; else an error.
static ks_code check_place(bool *exists, ks__save *save, const char *path) {
    struct stat status;
    *exists = lstat(path, &status) == 0;
    if (!*exists)
        return KS_OK;
    DIR *folder = S_ISDIR(status.st_mode) ? opendir(path) : NULL;
    if (!folder)
        return ks_fail(save->context, KS_E_SAVE_PLACE, KS_STAGE_SAVE, KS_NO_OFFSET, path, "this is not a folder");
    ks_code code = KS_OK;
    for (const struct dirent *entry; code == KS_OK && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && !is_member(entry->d_name))
            code = ks_fail(save->context, KS_E_SAVE_PLACE, KS_STAGE_SAVE, KS_NO_OFFSET, path,
                           "the folder holds \"%.100s\", which would be lost", entry->d_name);
    closedir(folder);
    return code;
}

static ks_code save_member(ks__save *save, const char *folder, const char *name, ks_bytes bytes) {
    const char *path = join(save, folder, name);
    return path ? ks_save_bytes(save->context, path, bytes) : save->context->error.code;
}

static ks_code save_config(ks__save *save, const char *folder) {
    ks_text config;
    ks_code code = ks__save_config_v3(&config, save, KS_WRITE_WORDS_ODD);
    if (code != KS_OK)
        return code;
    code = save_member(save, folder, "config.json", (ks_bytes){(const uint8_t *)config.data, config.size});
    ks_free(save->context, (void *)(uintptr_t)config.data);
    return code;
}

static ks_code save_weights(ks__save *save, const char *folder) {
    const char *path = join(save, folder, "model.weights.h5");
    ks_output *output = NULL;
    uint64_t size;
    ks_code code;
    if (!path)
        return save->context->error.code;
    KS_TRY(ks_output_open(&output, save->context, path));
    KS_TRY(ks__save_hdf5_at(&size, save, output, 0, ks__save_weights_v3));
    KS_TRY(ks_output_commit(output));
done:
    ks_output_close(output);
    return code;
}

static ks_code take_place(ks__save *save, const char *temporary, const char *path, bool exists) {
    mode_t mask = umask(0);
    umask(mask);
    if (chmod(temporary, 0777 & ~mask) != 0)
        return io_error(save, path, "the folder's mode cannot be set");
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, exists ? RENAME_EXCHANGE : RENAME_NOREPLACE) != 0)
        return io_error(save, path, "the new folder cannot take its place");
    if (exists)
        remove_folder(save, temporary); // what stood there before
    return KS_OK;
}

ks_code ks__save_directory(ks__save *save, const char *path) {
    size_t size = strlen(path);
    bool exists;
    ks_code code;
    while (size > 1 && path[size - 1] == '/')
        size--;
    path = ks_arena_text(&save->arena, path, size).data;
    char *temporary = path ? (char *)(uintptr_t)ks_arena_format(&save->arena, "%s.XXXXXX", path) : NULL;
    if (!temporary)
        return save->context->error.code;
    KS_TRY(check_place(&exists, save, path));
    if (!mkdtemp(temporary))
        return io_error(save, path, "a temporary folder beside it cannot be made");
    code = save_member(save, temporary, "metadata.json", ks__save_metadata());
    if (code == KS_OK)
        code = save_config(save, temporary);
    if (code == KS_OK)
        code = save_weights(save, temporary);
    if (code == KS_OK)
        code = ks__save_assets_in(save, temporary);
    if (code == KS_OK)
        code = take_place(save, temporary, path, exists);
    if (code != KS_OK) {
        ks__remove_assets(save, temporary);
        remove_folder(save, temporary);
    }
done:
    return code;
}
