// SPDX-License-Identifier: Apache-2.0
//
// Read access to an HDF5 file: groups, datasets, attributes. Nothing is read that is not asked for.
//
// Two readers stand behind this interface: the strict one (our own) and the one over libhdf5 (in a module loaded on
// first use). Soft and external links, external storage and virtual datasets are refused by name when they are met on
// the way to something that was asked for, and are listed by ks_hdf5_links.
#ifndef KASSAY_HDF5_H
#define KASSAY_HDF5_H

#include <kassay/archive.h>
#include <kassay/context.h>
#include <kassay/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_hdf5 ks_hdf5;
/// An object (group or dataset) of an open file; plain data, no need to close.
typedef uint64_t ks_hdf5_node;

typedef enum ks_hdf5_link_type { KS_LINK_HARD, KS_LINK_SOFT, KS_LINK_EXTERNAL, KS_LINK_USER } ks_hdf5_link_type;

typedef struct ks_hdf5_link {
    ks_text name; ///< lives as long as the file
    ks_hdf5_link_type type;
    ks_hdf5_node node; ///< hard links only
} ks_hdf5_link;

typedef enum ks_hdf5_object_type { KS_HDF5_GROUP, KS_HDF5_DATASET, KS_HDF5_NAMED_TYPE } ks_hdf5_object_type;

typedef enum ks_hdf5_class {
    KS_HDF5_INTEGER,
    KS_HDF5_FLOAT,
    KS_HDF5_STRING_FIXED,
    KS_HDF5_STRING_VARIABLE,
    KS_HDF5_BOOL,    ///< h5py's bool: an enum over int8 with FALSE = 0 and TRUE = 1
    KS_HDF5_COMPLEX, ///< h5py's complex: a compound of two equal floats "r" and "i"
    KS_HDF5_OPAQUE,
    KS_HDF5_OTHER ///< any other compound, array, reference, enum, time, bit field: listed, never read
} ks_hdf5_class;

/// What a dataset or attribute holds.
typedef struct ks_hdf5_type {
    ks_hdf5_class type_class;
    ks_dtype dtype;       ///< element type as ks_hdf5_read gives it; KS_STRING for strings, NONE for opaque and other.
                          ///< opaque of size 2 with a dataset attribute dtype = "bfloat16" is KS_BFLOAT16
    size_t size;          ///< bytes of one stored element
    bool big_endian;      ///< as stored
    bool null_dataspace;  ///< H5S_NULL: no elements, no shape
    ks_shape shape;       ///< rank 0 for a scalar
    bool has_storage;     ///< false: nothing was ever written, the fill value counts
    bool native_view;     ///< contiguous, little-endian, unfiltered: ks_hdf5_view can give the bytes in place
    uint64_t stored_size; ///< bytes in the file (compressed when filtered)
    uint64_t offset;      ///< of the first byte when contiguous, else KS_NO_OFFSET
} ks_hdf5_type;

/// `bytes` must outlive the file. Reads the superblock and the root object's address, no more.
ks_code ks_hdf5_open(ks_hdf5 **out, ks_context *context, ks_bytes bytes, ks_road road);
void ks_hdf5_close(ks_hdf5 *file); ///< NULL is allowed
ks_hdf5_node ks_hdf5_root(const ks_hdf5 *file);

/// Looks `path` ("a/b/c", no leading slash needed; "" is `from` itself) up from a group. `*found` is false, with KS_OK,
/// when a component is missing. A soft, external or user link on the way is an error by name.
ks_code ks_hdf5_find(ks_hdf5_node *out, bool *found, ks_hdf5 *file, ks_hdf5_node from, const char *path);
ks_code ks_hdf5_object(ks_hdf5_object_type *out, ks_hdf5 *file, ks_hdf5_node node);
/// All links of a group, sorted by the bytes of their names. The array lives as long as the file.
ks_code ks_hdf5_links(const ks_hdf5_link **out, size_t *count, ks_hdf5 *file, ks_hdf5_node group);

ks_code ks_hdf5_dataset(ks_hdf5_type *out, ks_hdf5 *file, ks_hdf5_node dataset);
/// A view of a dataset whose type says native_view; any alignment.
ks_code ks_hdf5_view(ks_bytes *out, ks_hdf5 *file, ks_hdf5_node dataset);
/// All elements, converted to the host's byte order, C order, into `data` of exactly elements × ks_dtype_size bytes
/// (`data_size` is checked). Checksums of the chunks read are verified. Strings: use ks_hdf5_read_text.
ks_code ks_hdf5_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node dataset);
/// The elements of a dataset of strings; memory lives as long as the file. Fixed strings lose their padding as in h5py.
ks_code ks_hdf5_read_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node dataset);

/// Attributes of an object, sorted by name.
ks_code ks_hdf5_attributes(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node);
/// `*found` is false, with KS_OK, when there is none of this name.
ks_code ks_hdf5_attribute(ks_hdf5_type *out, bool *found, ks_hdf5 *file, ks_hdf5_node node, const char *name);
/// As ks_hdf5_read and ks_hdf5_read_text, for an attribute that exists.
ks_code ks_hdf5_attribute_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node node, const char *name);
ks_code ks_hdf5_attribute_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node, const char *name);

/// Verifies every checksum of the file that can be reached from the root (metadata and chunks). Used by `check`.
ks_code ks_hdf5_verify(ks_hdf5 *file);

#ifdef __cplusplus
}
#endif
#endif
