// SPDX-License-Identifier: Apache-2.0
//
// What the files of the HDF5 reader over libhdf5 share.
#ifndef KASSAY_CONTAINER_LIBRARY_LIBHDF5_INTERNAL_H
#define KASSAY_CONTAINER_LIBRARY_LIBHDF5_INTERNAL_H

#define H5_USE_110_API 1 // object addresses as node numbers; newer releases keep this interface under the macro

#include "base/arena.h"
#include "container/library/road_module.h"

#include <hdf5.h>

#define NODE_BUCKETS 1024

/// Remembers one thing for each node: the links of a group, or only that it was seen.
typedef struct ks__node_entry {
    struct ks__node_entry *next;
    ks_hdf5_node node;
    const ks_hdf5_link *links;
    size_t count;
} ks__node_entry;

typedef struct ks__node_table {
    ks__node_entry *buckets[NODE_BUCKETS];
} ks__node_table;

typedef struct ks__libhdf5 {
    ks_hdf5 base;
    ks_arena arena; ///< links, names, texts
    ks_bytes bytes;
    hid_t file;
    ks_hdf5_node root;
    ks__node_table groups; ///< links already listed
} ks__libhdf5;

/// A dataset or an attribute with its type and dataspace, while it is being described or read.
typedef struct ks__holder {
    hid_t id;
    hid_t type;
    hid_t space;
    bool attribute;
} ks__holder;

void ks__libhdf5_prepare_thread(void);
/// Records a failure together with what libhdf5's error stack says at its innermost entry.
ks_code ks__libhdf5_refuse(ks_context *context, const char *what);

/// Makes an access list write to the part of an open file that begins at `offset`; nobody else uses that part.
bool ks__libhdf5_set_part_driver(hid_t access, int descriptor, uint64_t offset);
/// Did a write of this thread to a part fail? libhdf5 is not told.
bool ks__libhdf5_part_failed(void);
/// The errno of that failure, once; 0: none.
int ks__libhdf5_part_failure(void);

ks__node_entry *ks__node_find(const ks__node_table *table, ks_hdf5_node node);
/// NULL when memory is out.
ks__node_entry *ks__node_add(ks__node_table *table, ks_arena *arena, ks_hdf5_node node);

/// Opens the object at a node's address; negative with the error set.
hid_t ks__libhdf5_object(ks__libhdf5 *self, ks_hdf5_node node);
void ks__libhdf5_close_object(hid_t object);

ks_code ks__holder_open(ks__holder *out, ks__libhdf5 *self, hid_t id, bool attribute);
void ks__holder_close(ks__holder *holder); ///< not the id
/// Class, element type, order, shape.
ks_code ks__libhdf5_describe(ks_hdf5_type *out, ks__libhdf5 *self, const ks__holder *holder);
/// The type to read elements into: that of the file in the host's byte order. Negative with the error set.
hid_t ks__libhdf5_memory_type(ks__libhdf5 *self, const ks__holder *holder, const ks_hdf5_type *type);
/// Refuses elements that lie in other files or datasets, and filters that no model file needs.
ks_code ks__libhdf5_check_storage(ks__libhdf5 *self, hid_t dataset);

ks_code ks__libhdf5_dataset(ks_hdf5_type *out, ks_hdf5 *file, ks_hdf5_node dataset);
ks_code ks__libhdf5_view(ks_bytes *out, ks_hdf5 *file, ks_hdf5_node dataset);
ks_code ks__libhdf5_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node dataset);
ks_code ks__libhdf5_read_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node dataset);
ks_code ks__libhdf5_attributes(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node);
ks_code ks__libhdf5_attribute(ks_hdf5_type *out, bool *found, ks_hdf5 *file, ks_hdf5_node node, const char *name);
ks_code ks__libhdf5_attribute_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node node, const char *name);
ks_code ks__libhdf5_attribute_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node,
                                   const char *name);
ks_code ks__libhdf5_verify(ks_hdf5 *file);

#endif
