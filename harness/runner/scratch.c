// SPDX-License-Identifier: Apache-2.0
#include "runner/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static ks_code failed(ks_context *context, const char *path, const char *what) {
    return ks_fail(context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, path, "%s: %s", what, strerror(errno));
}

ks_code ks_scratch_make(char out[1024], ks_context *context, const char *parent, const char *name) {
    if (!parent)
        parent = getenv("TMPDIR");
    snprintf(out, 1024, "%s/%s-XXXXXX", parent && parent[0] ? parent : "/tmp", name);
    if (!mkdtemp(out))
        return failed(context, out, "no scratch folder");
    return KS_OK;
}

static ks_code copy_file(ks_context *context, const char *from, const char *to) {
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), out = -1;
    ks_code code = KS_OK;
    ssize_t sent = 1;
    if (in < 0)
        return failed(context, from, "cannot be read");
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while (out >= 0 && sent > 0)
        sent = sendfile(out, in, NULL, (size_t)1 << 30);
    if (out < 0 || sent < 0)
        code = failed(context, to, "cannot be written");
    close(in);
    if (out >= 0 && close(out) != 0 && code == KS_OK)
        code = failed(context, to, "cannot be written");
    return code;
}

static ks_code copy_folder(ks_context *context, const char *from, const char *to) {
    char left[4096], right[4096];
    struct dirent *entry;
    DIR *stream = opendir(from);
    ks_code code = KS_OK;
    if (!stream)
        return failed(context, from, "cannot be listed");
    if (mkdir(to, 0700) != 0)
        code = failed(context, to, "cannot be made");
    while (code == KS_OK && (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if ((size_t)snprintf(left, sizeof(left), "%s/%s", from, entry->d_name) >= sizeof(left) ||
            (size_t)snprintf(right, sizeof(right), "%s/%s", to, entry->d_name) >= sizeof(right))
            code = ks_fail(context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, from, "holds a path that is too long");
        else
            code = ks_scratch_copy(context, left, right);
    }
    closedir(stream);
    return code;
}

ks_code ks_scratch_copy(ks_context *context, const char *from, const char *to) {
    struct stat status;
    if (lstat(from, &status) != 0)
        return failed(context, from, "cannot be read");
    return S_ISDIR(status.st_mode) ? copy_folder(context, from, to) : copy_file(context, from, to);
}

// nftw has no argument for its caller.
static _Thread_local uint64_t sum;

static int add_size(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)path;
    (void)where;
    if (type == FTW_F && S_ISREG(status->st_mode))
        sum += (uint64_t)status->st_size;
    return 0;
}

uint64_t ks_scratch_size(const char *path) {
    sum = 0;
    nftw(path, add_size, 8, FTW_PHYS);
    return sum;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)status;
    (void)type;
    (void)where;
    remove(path);
    return 0;
}

void ks_scratch_remove(const char *path) {
    nftw(path, remove_one, 8, FTW_PHYS | FTW_DEPTH);
}
