// SPDX-License-Identifier: Apache-2.0
//
// The archive interface: chooses the reader and passes every call on.
#include "container/container_internal.h"

ks_code ks_archive_open_zip(ks_archive **out, ks_context *context, ks_bytes bytes, ks_road road) {
    *out = NULL;
    if (road == KS_ROAD_STRICT)
        return ks__zip_open(out, context, bytes);
    const ks_library_road *library = ks_library_road_get(context);
    return library ? library->zip_open(out, context, bytes) : context->error.code;
}

void ks_archive_close(ks_archive *archive) {
    if (archive)
        archive->ops->close(archive);
}

size_t ks_archive_count(const ks_archive *archive) {
    return archive->ops->count(archive);
}

const ks_archive_member *ks_archive_member_at(const ks_archive *archive, size_t index) {
    return archive->ops->member_at(archive, index);
}

const ks_archive_member *ks_archive_find(const ks_archive *archive, const char *name) {
    return archive->ops->find(archive, name);
}

ks_code ks_archive_read(ks_bytes *out, ks_archive *archive, const ks_archive_member *member, bool verify) {
    return archive->ops->read(out, archive, member, verify);
}
