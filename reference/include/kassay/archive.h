// SPDX-License-Identifier: Apache-2.0
//
// An archive of named members: a zip file (the `.keras` container) or a plain directory of the same files. Names are
// resolved as Python's zipfile does: of two members with one name the last in the central directory counts.
//
// Two readers stand behind this interface: the strict one (our own) and the one over libzip, which lives in a module
// that is loaded on first use.
#ifndef KASSAY_ARCHIVE_H
#define KASSAY_ARCHIVE_H

#include <kassay/context.h>
#include <kassay/text.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Which of the two independent readers.
typedef enum ks_road { KS_ROAD_STRICT, KS_ROAD_LIBRARY } ks_road;

typedef struct ks_archive ks_archive;

typedef struct ks_archive_member {
    ks_text name;         ///< as stored, UTF-8; lives as long as the archive
    uint64_t size;        ///< bytes after inflating
    uint64_t stored_size; ///< bytes in the file
    uint64_t offset; ///< of the member's first stored byte in the file; KS_NO_OFFSET in a directory or when not known
    uint32_t crc32;
    uint16_t method; ///< 0 stored, 8 deflated
    bool directory;
} ks_archive_member;

/// `bytes` must outlive the archive. All structure is checked here; no member is read.
ks_code ks_archive_open_zip(ks_archive **out, ks_context *context, ks_bytes bytes, ks_road road);
/// A directory in place of a zip file; member names are relative paths with "/". Symbolic links are refused.
ks_code ks_archive_open_directory(ks_archive **out, ks_context *context, const char *path);
void ks_archive_close(ks_archive *archive); ///< NULL is allowed

/// Members in the order of the central directory (directory: sorted by name). Every one, also those that a later
/// duplicate hides.
size_t ks_archive_count(const ks_archive *archive);
const ks_archive_member *ks_archive_member_at(const ks_archive *archive, size_t index);
/// The member that counts under this name, or NULL.
const ks_archive_member *ks_archive_find(const ks_archive *archive, const char *name);

/// The content of a member. A stored one is a view into the archive's bytes (of any alignment), another is inflated
/// into memory that the archive owns until it is closed; asking twice gives the same bytes. The CRC is verified on the
/// first request of each member unless `verify` is false.
ks_code ks_archive_read(ks_bytes *out, ks_archive *archive, const ks_archive_member *member, bool verify);

#ifdef __cplusplus
}
#endif
#endif
