// SPDX-License-Identifier: Apache-2.0
//
// HDF5 files for tests, in memory, through libhdf5 itself: what no writer of ours makes.
#ifndef KASSAY_HARNESS_UNIT_ODD_HDF5_H
#define KASSAY_HARNESS_UNIT_ODD_HDF5_H

#define H5_USE_110_API 1

#include <hdf5.h>
#include <kassay/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/// `latest` chooses the newest encoding of every object instead of the oldest. The file is written out when it is
/// closed: an image taken before says in its superblock that someone is writing to it.
/// `creation` is a file creation list, taken over.
static inline hid_t odd_begin_with(bool latest, hid_t creation) {
    char path[] = "/tmp/kassay-odd-XXXXXX";
    int descriptor = mkstemp(path);
    if (descriptor < 0)
        abort();
    close(descriptor);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, 65536, true);
    if (latest)
        H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    H5Pset_obj_track_times(creation, false);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    H5Pclose(access);
    H5Pclose(creation);
    return file;
}

static inline hid_t odd_begin(bool latest) {
    return odd_begin_with(latest, H5Pcreate(H5P_FILE_CREATE));
}

/// The file's bytes; free `data`.
static inline ks_bytes odd_end(hid_t file) {
    char path[64];
    H5Fget_name(file, path, sizeof path);
    H5Fclose(file);
    FILE *stream = fopen(path, "rb");
    if (!stream || fseek(stream, 0, SEEK_END) != 0)
        abort();
    ks_bytes bytes = {NULL, (size_t)ftell(stream)};
    uint8_t *data = malloc(bytes.size);
    rewind(stream);
    if (!data || fread(data, 1, bytes.size, stream) != bytes.size)
        abort();
    fclose(stream);
    unlink(path);
    bytes.data = data;
    return bytes;
}

/// A dataset of float32 0, 1, 2, … with this creation list (taken over), or the default when negative.
static inline void odd_floats(hid_t file, const char *name, hsize_t count, hid_t file_type, hid_t list) {
    hid_t space = H5Screate_simple(1, &count, NULL);
    hid_t dataset = H5Dcreate2(file, name, file_type, space, H5P_DEFAULT, list < 0 ? H5P_DEFAULT : list, H5P_DEFAULT);
    float *data = malloc(count * sizeof *data);
    for (hsize_t i = 0; i < count; i++)
        data[i] = (float)i;
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    free(data);
    H5Dclose(dataset);
    H5Sclose(space);
    if (list >= 0)
        H5Pclose(list);
}

static inline hid_t odd_chunked(hsize_t chunk) {
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 1, &chunk);
    return list;
}

static inline void odd_attribute(hid_t file, const char *object, const char *name, hid_t type, const void *data) {
    hid_t id = H5Oopen(file, object, H5P_DEFAULT);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(id, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, data);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Oclose(id);
}

static inline hid_t odd_no_traversal(const char *name, hid_t group, const void *data, size_t size, hid_t link_list,
                                     hid_t transfer_list) {
    (void)name;
    (void)group;
    (void)data;
    (void)size;
    (void)link_list;
    (void)transfer_list;
    return -1;
}

/// An external link. The class of such links may have been taken out of libhdf5 by then, so a stand-in is registered
/// for the moment.
static inline void odd_external_link(hid_t file, const char *name) {
    static const char payload[] = "\0elsewhere.h5\0/object"; // version and flags, file, object
    const H5L_class_t stand_in = {.version = H5L_LINK_CLASS_T_VERS,
                                  .id = H5L_TYPE_EXTERNAL,
                                  .comment = "stand-in",
                                  .trav_func = odd_no_traversal};
    htri_t known = H5Lis_registered(H5L_TYPE_EXTERNAL);
    if (known <= 0)
        H5Lregister(&stand_in);
    H5Lcreate_ud(file, name, H5L_TYPE_EXTERNAL, payload, sizeof payload, H5P_DEFAULT, H5P_DEFAULT);
    if (known <= 0)
        H5Lunregister(H5L_TYPE_EXTERNAL);
}

/// How many objects are open in the whole process. libhdf5 counts its own types too, hence a difference to a base.
static inline ssize_t odd_open_objects(void) {
    return H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL);
}

#endif
