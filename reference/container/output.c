// SPDX-License-Identifier: Apache-2.0
//
// Files under temporary names: mkostemp in the same directory, fsync, rename, fsync of the directory.
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
    char *path;      ///< NULL: in memory
    char *temporary; ///< NULL: in memory, or committed
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

static ks_code make_temporary(ks_output *output, const char *path) {
    size_t size = strlen(path);
    output->path = ks_allocate(output->context, size + 1, 1);
    output->temporary = ks_allocate(output->context, size + sizeof ".XXXXXX", 1);
    if (!output->path || !output->temporary)
        return output->context->error.code;
    memcpy(output->path, path, size);
    memcpy(output->temporary, path, size);
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
    ks_code code = path ? make_temporary(output, path) : make_in_memory(output);
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
    if (output->synced || !output->path)
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

ks_code ks_output_commit(ks_output *output) {
    if (!output->path)
        return KS_OK;
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
