// SPDX-License-Identifier: Apache-2.0
//
// Files under temporary names: mkostemp in the same directory, fsync, rename, fsync of the directory. Only a file can
// be replaced in this way: a device or a pipe gets the bytes, whole, when all of them are there, and where the path is
// a link, the file that it leads to is replaced.
#include <kassay/output.h>

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CRC_WINDOW ((uint64_t)64 << 20) ///< bytes mapped at once
#define LARGEST_PAGE ((uint64_t)65536)

struct ks_output {
    ks_context *context;
    char *path;      ///< NULL: in memory; links are resolved
    char *temporary; ///< NULL: in memory
    bool stream;     ///< the path is no file: what is in memory goes there
    int descriptor;
    bool synced;
};

static const char *place_of(const ks_output *output) {
    return output->path ? output->path : "memory";
}

static ks_code io_error(const ks_output *output, const char *what) {
    return ks_fail(output->context, KS_E_IO, KS_STAGE_SAVE, KS_NO_OFFSET, place_of(output), "%s: %s", what,
                   strerror(errno));
}

static bool keep_path(ks_output *output, const char *path) {
    size_t size = strlen(path);
    output->path = ks_allocate(output->context, size + 1, 1);
    if (output->path)
        memcpy(output->path, path, size);
    return output->path != NULL;
}

/// What stands at the path, if anything, and where that is.
static ks_code look(ks_output *output, const char *path) {
    struct stat status;
    char *resolved = NULL;
    if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode)) {
        if (stat(path, &status) != 0) {
            keep_path(output, path);
            return output->path ? io_error(output, "a link that leads to nothing") : output->context->error.code;
        }
        resolved = S_ISREG(status.st_mode) ? realpath(path, NULL) : NULL;
    }
    bool kept = keep_path(output, resolved ? resolved : path);
    free(resolved);
    if (!kept)
        return output->context->error.code;
    output->stream = stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
    return KS_OK;
}

static ks_code make_temporary(ks_output *output) {
    size_t size = strlen(output->path);
    output->temporary = ks_allocate(output->context, size + sizeof ".XXXXXX", 1);
    if (!output->temporary)
        return output->context->error.code;
    memcpy(output->temporary, output->path, size);
    memcpy(output->temporary + size, ".XXXXXX", sizeof ".XXXXXX");
    output->descriptor = mkostemp(output->temporary, O_CLOEXEC);
    if (output->descriptor >= 0)
        return KS_OK;
    output->temporary[0] = '\0'; // there is nothing to remove
    return io_error(output, "a temporary file beside it cannot be made");
}

static ks_code make_in_memory(ks_output *output) {
    output->descriptor = memfd_create("kassay-output", MFD_CLOEXEC);
    return output->descriptor < 0 ? io_error(output, "a file in memory cannot be made") : KS_OK;
}

ks_code ks_output_open(ks_output **out, ks_context *context, const char *path) {
    *out = NULL;
    ks_output *output = ks_allocate(context, 1, sizeof *output);
    if (!output)
        return context->error.code;
    output->context = context;
    output->descriptor = -1;
    ks_code code = path ? look(output, path) : KS_OK;
    if (code == KS_OK)
        code = path && !output->stream ? make_temporary(output) : make_in_memory(output);
    if (code == KS_OK)
        *out = output;
    else
        ks_output_close(output);
    return code;
}

int ks_output_descriptor(const ks_output *output) {
    return output->descriptor;
}

ks_code ks_output_write(ks_output *output, uint64_t offset, ks_bytes bytes) {
    size_t at = 0;
    output->synced = false;
    while (at < bytes.size) {
        ssize_t wrote = pwrite(output->descriptor, bytes.data + at, bytes.size - at, (off_t)(offset + at));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote == 0)
            errno = ENOSPC;
        if (wrote <= 0)
            return io_error(output, "writing failed");
        at += (size_t)wrote;
    }
    return KS_OK;
}

/// The file is ours, under a name that nobody knows, so that nobody makes it shorter while it is mapped.
ks_code ks_output_crc32(uint32_t *out, ks_output *output, uint64_t offset, uint64_t size) {
    struct stat status;
    uint32_t crc = 0;
    if (fstat(output->descriptor, &status) != 0 ||
        (size > 0 && ((uint64_t)status.st_size < offset || (uint64_t)status.st_size - offset < size)))
        return ks_fail(output->context, KS_E_INTERNAL, KS_STAGE_SAVE, offset, place_of(output),
                       "a checksum reaches beyond the end of what was written");
    while (size > 0) {
        uint64_t skip = offset % LARGEST_PAGE;
        uint64_t part = size < CRC_WINDOW ? size : CRC_WINDOW;
        size_t mapped = (size_t)(skip + part);
        uint8_t *bytes =
            mmap(NULL, mapped, PROT_READ, MAP_SHARED | MAP_POPULATE, output->descriptor, (off_t)(offset - skip));
        if (bytes == MAP_FAILED)
            return io_error(output, "what was written cannot be read back");
        crc = libdeflate_crc32(crc, bytes + skip, (size_t)part);
        munmap(bytes, mapped);
        offset += part;
        size -= part;
    }
    *out = crc;
    return KS_OK;
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

ks_code ks_output_sync(ks_output *output) {
    if (output->synced || !output->path || output->stream)
        return KS_OK;
    if (fchmod(output->descriptor, wanted_mode(output->path)) != 0 || fsync(output->descriptor) != 0)
        return io_error(output, "writing failed");
    output->synced = true;
    return KS_OK;
}

/// `buffer` has room for the path.
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

static ks_code send_part(ks_output *output, int target, const uint8_t *bytes, size_t size) {
    while (size > 0) {
        ssize_t wrote = write(target, bytes, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return io_error(output, "writing failed");
        bytes += wrote;
        size -= (size_t)wrote;
    }
    return KS_OK;
}

/// All that is in memory to the device or pipe.
static ks_code send(ks_output *output) {
    uint8_t part[16384];
    off_t at = 0;
    ks_code code = KS_OK;
    int target = open(output->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (target < 0)
        return io_error(output, "cannot be opened for writing");
    for (;;) {
        ssize_t got = pread(output->descriptor, part, sizeof part, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            code = io_error(output, "what was written cannot be read back");
        if (got <= 0)
            break;
        KS_TRY(send_part(output, target, part, (size_t)got));
        at += got;
    }
done:
    if (close(target) != 0 && code == KS_OK)
        code = io_error(output, "writing failed");
    return code;
}

ks_code ks_output_commit(ks_output *output) {
    if (!output->path)
        return KS_OK;
    if (output->stream)
        return send(output);
    ks_code code = ks_output_sync(output);
    if (code != KS_OK)
        return code;
    int descriptor = output->descriptor;
    output->descriptor = -1;
    if (close(descriptor) != 0)
        return io_error(output, "writing failed");
    if (rename(output->temporary, output->path) != 0)
        return io_error(output, "the new file cannot take the old one's place");
    sync_directory(output->path, output->temporary);
    output->temporary[0] = '\0';
    return KS_OK;
}

ks_code ks_output_take(ks_bytes *out, ks_output *output) {
    struct stat status;
    *out = (ks_bytes){NULL, 0};
    if (fstat(output->descriptor, &status) != 0)
        return io_error(output, "what was written cannot be read back");
    size_t size = (size_t)status.st_size;
    uint8_t *data = ks_allocate(output->context, size, 1);
    if (!data)
        return output->context->error.code;
    size_t at = 0;
    while (at < size) {
        ssize_t got = pread(output->descriptor, data + at, size - at, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            ks_free(output->context, data);
            return io_error(output, "what was written cannot be read back");
        }
        at += (size_t)got;
    }
    *out = (ks_bytes){data, size};
    return KS_OK;
}

void ks_output_close(ks_output *output) {
    if (!output)
        return;
    ks_context *context = output->context;
    if (output->descriptor >= 0)
        close(output->descriptor);
    if (output->temporary && output->temporary[0])
        unlink(output->temporary);
    ks_free(context, output->temporary);
    ks_free(context, output->path);
    ks_free(context, output);
}
