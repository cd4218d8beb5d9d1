// SPDX-License-Identifier: Apache-2.0
//
// The library road: the same container and document interfaces over libzip, libhdf5 and cJSON. It lives in a module,
// libkassay-library-road.so, that the core library loads on the first use of KS_ROAD_LIBRARY, so that a program that
// only walks the strict road never maps those libraries.
//
// The operations below are what an implementation of each interface provides; the public functions of archive.h, hdf5.h
// and json.h dispatch through them. The first member of every implementation's struct is the matching `_base`.
#ifndef KASSAY_LIBRARY_ROAD_H
#define KASSAY_LIBRARY_ROAD_H

#include <kassay/archive.h>
#include <kassay/hdf5.h>
#include <kassay/json.h>
#include <kassay/writer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_archive_ops {
    void (*close)(ks_archive *archive);
    size_t (*count)(const ks_archive *archive);
    const ks_archive_member *(*member_at)(const ks_archive *archive, size_t index);
    const ks_archive_member *(*find)(const ks_archive *archive, const char *name);
    ks_code (*read)(ks_bytes *out, ks_archive *archive, const ks_archive_member *member, bool verify);
} ks_archive_ops;

struct ks_archive {
    const ks_archive_ops *ops;
    ks_context *context;
};

typedef struct ks_hdf5_ops {
    void (*close)(ks_hdf5 *file);
    ks_hdf5_node (*root)(const ks_hdf5 *file);
    ks_code (*find)(ks_hdf5_node *out, bool *found, ks_hdf5 *file, ks_hdf5_node from, const char *path);
    ks_code (*object)(ks_hdf5_object_type *out, ks_hdf5 *file, ks_hdf5_node node);
    ks_code (*links)(const ks_hdf5_link **out, size_t *count, ks_hdf5 *file, ks_hdf5_node group);
    ks_code (*dataset)(ks_hdf5_type *out, ks_hdf5 *file, ks_hdf5_node dataset);
    ks_code (*view)(ks_bytes *out, ks_hdf5 *file, ks_hdf5_node dataset);
    ks_code (*read)(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node dataset);
    ks_code (*read_text)(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node dataset);
    ks_code (*attributes)(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node);
    ks_code (*attribute)(ks_hdf5_type *out, bool *found, ks_hdf5 *file, ks_hdf5_node node, const char *name);
    ks_code (*attribute_read)(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node node, const char *name);
    ks_code (*attribute_text)(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node, const char *name);
    ks_code (*verify)(ks_hdf5 *file);
} ks_hdf5_ops;

struct ks_hdf5 {
    const ks_hdf5_ops *ops;
    ks_context *context;
};

typedef struct ks_hdf5_writer_ops {
    void (*close)(ks_hdf5_writer *writer);
    ks_code (*group)(ks_hdf5_writer *writer, const char *path);
    ks_code (*dataset)(ks_hdf5_writer *writer, const char *path, const ks_tensor *tensor);
    ks_code (*text)(ks_hdf5_writer *writer, const char *path, const char *name, ks_text text, bool ascii);
    ks_code (*attribute)(ks_hdf5_writer *writer, const char *path, const char *name, const ks_tensor *tensor);
    ks_code (*finish)(ks_bytes *out, ks_hdf5_writer *writer);
} ks_hdf5_writer_ops;

struct ks_hdf5_writer {
    const ks_hdf5_writer_ops *ops;
    ks_context *context;
};

/// What the module exports under the name `ks_library_road_module`. The module has its own copy of the base stage and
/// no state but that of the libraries in it.
typedef struct ks_library_road {
    int version; ///< KS_LIBRARY_ROAD_VERSION of the header that the module was built with
    ks_code (*zip_open)(ks_archive **out, ks_context *context, ks_bytes bytes);
    ks_code (*hdf5_open)(ks_hdf5 **out, ks_context *context, ks_bytes bytes);
    ks_code (*json_parse)(ks_json **out, ks_context *context, ks_bytes bytes);
    ks_code (*hdf5_writer_open)(ks_hdf5_writer **out, ks_context *context, int descriptor, uint64_t offset);
    ks_code (*zip_write)(ks_bytes *out, ks_context *context, const ks_zip_item *items, size_t count);
} ks_library_road;

#define KS_LIBRARY_ROAD_VERSION 3 // 2: writers; 3: HDF5 into a part of a file

/// The loaded module, or NULL with the error set. The first call loads it, once for all threads: from the directory
/// that KASSAY_MODULES names (ignored in set-user-id programs), else from beside the program, else from ../lib beside
/// it.
const ks_library_road *ks_library_road_get(ks_context *context);

/// Loads the module from one directory and checks its version. For tests; ks_library_road_get does the search.
/// On failure NULL, with the reason in `reason`.
const ks_library_road *ks_library_road_load(const char *directory, char *reason, size_t reason_size);

#ifdef __cplusplus
}
#endif
#endif
