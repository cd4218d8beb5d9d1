// SPDX-License-Identifier: Apache-2.0
//
// Saving a file atomically.
#include <kassay/writer.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static ks_code io_error(ks_context *context, const char *path, const char *what) {
    return ks_fail(context, KS_E_IO, KS_STAGE_SAVE, KS_NO_OFFSET, path, "%s: %s", what, strerror(errno));
}

static bool write_all(int descriptor, ks_bytes bytes) {
    size_t at = 0;
    while (at < bytes.size) {
        ssize_t wrote = write(descriptor, bytes.data + at, bytes.size - at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        at += (size_t)wrote;
    }
    return true;
}

/// The mode of the file that is replaced, else what the process's mask leaves of 0666.
static mode_t wanted_mode(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0)
        return status.st_mode & 07777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static void sync_directory(const char *path, char *buffer) {
    strcpy(buffer, path);
    char *slash = strrchr(buffer, '/');
    if (slash)
        slash[slash == buffer] = '\0';
    int directory = open(slash ? buffer : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return; // the file is whole either way; only its name may be lost with the power
    fsync(directory);
    close(directory);
}

ks_code ks_save_bytes(ks_context *context, const char *path, ks_bytes bytes) {
    size_t path_size = strlen(path);
    char *temporary = ks_allocate(context, path_size + sizeof ".XXXXXX", 1);
    if (!temporary)
        return context->error.code;
    memcpy(temporary, path, path_size);
    memcpy(temporary + path_size, ".XXXXXX", sizeof ".XXXXXX");
    ks_code code = KS_OK;
    int descriptor = mkostemp(temporary, O_CLOEXEC);
    if (descriptor < 0) {
        code = io_error(context, path, "a temporary file beside it cannot be made");
        goto done;
    }
    if (!write_all(descriptor, bytes) || fchmod(descriptor, wanted_mode(path)) != 0 || fsync(descriptor) != 0)
        code = io_error(context, path, "writing failed");
    if (close(descriptor) != 0 && code == KS_OK)
        code = io_error(context, path, "writing failed");
    if (code == KS_OK && rename(temporary, path) != 0)
        code = io_error(context, path, "the new file cannot take the old one's place");
    if (code != KS_OK)
        unlink(temporary);
    else
        sync_directory(path, temporary);
done:
    ks_free(context, temporary);
    return code;
}
