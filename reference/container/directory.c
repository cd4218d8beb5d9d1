// SPDX-License-Identifier: Apache-2.0
//
// A directory in place of a zip archive: the unzipped form that Keras 3.4 and later write. Nothing is followed out of
// it: symbolic links and special files are refused.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container/zip_internal.h"

typedef struct folder {
    ks_archive base;
    ks_arena arena;
    int descriptor;
    ks__entries entries;
    size_t room;
    uint64_t total_size;
} folder;

static ks_code io_error(const folder *f, const char *name, const char *what) {
    return ks_fail(f->base.context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, name, "%s: %s", what, strerror(errno));
}

static ks_code add(folder *f, const char *name, uint64_t size, bool directory) {
    ks__entry *e;
    if (f->entries.count == f->room) {
        size_t room = f->room ? 2 * f->room : 16;
        ks__entry *bigger = ks_arena_get(&f->arena, room, sizeof(*bigger));
        if (!bigger)
            return f->base.context->error.code;
        if (f->entries.count)
            memcpy(bigger, f->entries.items, f->entries.count * sizeof(*bigger));
        f->entries.items = bigger;
        f->room = room;
    }
    if (f->entries.count >= f->base.context->limits.zip_members)
        return ks_fail(f->base.context, KS_E_ZIP_MEMBERS, KS_STAGE_FILE, KS_NO_OFFSET, name,
                       "more files than the limits allow");
    if (size > f->base.context->limits.member_size)
        return ks_fail(f->base.context, KS_E_OVER_SIZE, KS_STAGE_FILE, KS_NO_OFFSET, name,
                       "the file is larger than the limits allow");
    e = &f->entries.items[f->entries.count++];
    memset(e, 0, sizeof(*e));
    e->member.name = (ks_text){name, strlen(name)};
    e->member.size = e->member.stored_size = size;
    e->member.offset = KS_NO_OFFSET;
    e->member.directory = directory;
    f->total_size += size;
    return KS_OK;
}

static ks_code list(folder *f, int descriptor, const char *prefix, int depth);

static ks_code list_one(folder *f, int descriptor, const char *prefix, const char *entry, int depth) {
    const char *name = ks_arena_format(&f->arena, "%s%s", prefix, entry);
    struct stat status;
    int inner;
    ks_code code;
    if (!name)
        return f->base.context->error.code;
    if (fstatat(descriptor, entry, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return io_error(f, name, "cannot be examined");
    if (S_ISLNK(status.st_mode))
        return ks_fail(f->base.context, KS_E_DIR_SYMLINK, KS_STAGE_FILE, KS_NO_OFFSET, name,
                       "a symbolic link may lead out of the directory");
    if (S_ISREG(status.st_mode))
        return add(f, name, (uint64_t)status.st_size, false);
    if (!S_ISDIR(status.st_mode))
        return ks_fail(f->base.context, KS_E_DIR_TYPE, KS_STAGE_FILE, KS_NO_OFFSET, name,
                       "expected a file or a directory");
    name = ks_arena_format(&f->arena, "%s/", name);
    if (!name)
        return f->base.context->error.code;
    KS_TRY(add(f, name, 0, true));
    inner = openat(descriptor, entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0)
        return io_error(f, name, "cannot be opened");
    code = list(f, inner, name, depth + 1);
    close(inner);
done:
    return code;
}

// `descriptor` stays the caller's.
static ks_code list(folder *f, int descriptor, const char *prefix, int depth) {
    DIR *stream;
    struct dirent *entry;
    ks_code code = KS_OK;
    int copy;
    if (depth > 32)
        return ks_fail(f->base.context, KS_E_OVER_DEPTH, KS_STAGE_FILE, KS_NO_OFFSET, prefix,
                       "directories are nested more than 32 deep");
    copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        if (copy >= 0)
            close(copy);
        return io_error(f, prefix, "cannot be listed");
    }
    while (code == KS_OK && (entry = readdir(stream)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            code = list_one(f, descriptor, prefix, entry->d_name, depth);
    closedir(stream);
    return code;
}

// Opens a member one step at a time, so that no step can have become a symbolic link since the listing.
static int open_below(int root, const char *name) {
    int at = root, next;
    const char *slash;
    while ((slash = strchr(name, '/')) != NULL) {
        char step[NAME_MAX + 1] = "";
        if ((size_t)(slash - name) < sizeof(step))
            memcpy(step, name, (size_t)(slash - name));
        next = openat(at, step, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (at != root)
            close(at);
        if (next < 0)
            return -1;
        at = next;
        name = slash + 1;
    }
    next = openat(at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (at != root)
        close(at);
    return next;
}

static ks_code folder_read(ks_bytes *out, ks_archive *archive, const ks_archive_member *member, bool verify) {
    folder *f = (folder *)archive;
    ks__entry *e = (ks__entry *)(uintptr_t)member; // the member is the entry's first field
    size_t size = (size_t)member->size, got = 0;
    uint8_t *data;
    int descriptor;
    (void)verify; // files have no checksum
    out->size = 0;
    if (e->loaded || member->directory) {
        *out = e->content;
        return KS_OK;
    }
    descriptor = open_below(f->descriptor, member->name.data);
    if (descriptor < 0)
        return io_error(f, member->name.data, "cannot be opened");
    data = ks_allocate(archive->context, size + 1, 1);
    while (data && got < size) {
        ssize_t n = read(descriptor, data + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    close(descriptor);
    if (!data)
        return archive->context->error.code;
    if (got < size) {
        ks_free(archive->context, data);
        return ks_fail(archive->context, KS_E_FILE_CHANGED, KS_STAGE_FILE, got, member->name.data,
                       "expected %zu bytes, found %zu", size, got);
    }
    e->content = (ks_bytes){data, size};
    e->loaded = true;
    *out = e->content;
    return KS_OK;
}

static void folder_close(ks_archive *archive) {
    folder *f = (folder *)archive;
    ks_context *context = archive->context;
    for (size_t i = 0; i < f->entries.count; i++)
        ks_free(context, (void *)(uintptr_t)f->entries.items[i].content.data);
    if (f->descriptor >= 0)
        close(f->descriptor);
    ks_arena_fini(&f->arena);
    ks_free(context, f);
}

static size_t folder_count(const ks_archive *archive) {
    return ((const folder *)archive)->entries.count;
}

static const ks_archive_member *folder_member_at(const ks_archive *archive, size_t index) {
    return &((const folder *)archive)->entries.items[index].member;
}

static const ks_archive_member *folder_find(const ks_archive *archive, const char *name) {
    return ks__entries_find(&((const folder *)archive)->entries, name);
}

static const ks_archive_ops folder_ops = {folder_close, folder_count, folder_member_at, folder_find, folder_read};

static int compare_names(const void *a, const void *b) {
    return strcmp(((const ks__entry *)a)->member.name.data, ((const ks__entry *)b)->member.name.data);
}

ks_code ks_archive_open_directory(ks_archive **out, ks_context *context, const char *path) {
    folder *f = ks_allocate(context, 1, sizeof(*f));
    ks_code code;
    *out = NULL;
    if (!f)
        return context->error.code;
    f->base.ops = &folder_ops;
    f->base.context = context;
    ks_arena_init(&f->arena, context);
    f->descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->descriptor < 0) {
        code = io_error(f, path, "cannot be opened");
        goto done;
    }
    KS_TRY(list(f, f->descriptor, "", 0));
    if (f->entries.count)
        qsort(f->entries.items, f->entries.count, sizeof(*f->entries.items), compare_names);
    KS_TRY(ks__entries_index(&f->entries, &f->arena));
    ks_context_budget(context, f->total_size);
    *out = &f->base;
    return KS_OK;
done:
    folder_close(&f->base);
    return code;
}
