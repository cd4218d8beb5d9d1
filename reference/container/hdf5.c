// SPDX-License-Identifier: Apache-2.0
//
// The HDF5 interface: chooses the reader and passes every call on.
#include "container/container_internal.h"

ks_code ks_hdf5_open(ks_hdf5 **out, ks_context *context, ks_bytes bytes, ks_road road) {
    *out = NULL;
    if (road == KS_ROAD_STRICT)
        return ks__hdf5_open(out, context, bytes);
    const ks_library_road *library = ks_library_road_get(context);
    return library ? library->hdf5_open(out, context, bytes) : context->error.code;
}

void ks_hdf5_close(ks_hdf5 *file) {
    if (file)
        file->ops->close(file);
}

ks_hdf5_node ks_hdf5_root(const ks_hdf5 *file) {
    return file->ops->root(file);
}

ks_code ks_hdf5_find(ks_hdf5_node *out, bool *found, ks_hdf5 *file, ks_hdf5_node from, const char *path) {
    return file->ops->find(out, found, file, from, path);
}

ks_code ks_hdf5_object(ks_hdf5_object_type *out, ks_hdf5 *file, ks_hdf5_node node) {
    return file->ops->object(out, file, node);
}

ks_code ks_hdf5_links(const ks_hdf5_link **out, size_t *count, ks_hdf5 *file, ks_hdf5_node group) {
    return file->ops->links(out, count, file, group);
}

ks_code ks_hdf5_dataset(ks_hdf5_type *out, ks_hdf5 *file, ks_hdf5_node dataset) {
    return file->ops->dataset(out, file, dataset);
}

ks_code ks_hdf5_view(ks_bytes *out, ks_hdf5 *file, ks_hdf5_node dataset) {
    return file->ops->view(out, file, dataset);
}

ks_code ks_hdf5_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node dataset) {
    return file->ops->read(data, data_size, file, dataset);
}

ks_code ks_hdf5_read_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node dataset) {
    return file->ops->read_text(out, count, file, dataset);
}

ks_code ks_hdf5_attributes(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node) {
    return file->ops->attributes(out, count, file, node);
}

ks_code ks_hdf5_attribute(ks_hdf5_type *out, bool *found, ks_hdf5 *file, ks_hdf5_node node, const char *name) {
    return file->ops->attribute(out, found, file, node, name);
}

ks_code ks_hdf5_attribute_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node node, const char *name) {
    return file->ops->attribute_read(data, data_size, file, node, name);
}

ks_code ks_hdf5_attribute_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node, const char *name) {
    return file->ops->attribute_text(out, count, file, node, name);
}

ks_code ks_hdf5_verify(ks_hdf5 *file) {
    return file->ops->verify(file);
}
