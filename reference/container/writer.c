// SPDX-License-Identifier: Apache-2.0
//
// The writers' interface: passes every call on to the module of the library road.
#include <kassay/library_road.h>

ks_code ks_hdf5_writer_open(ks_hdf5_writer **out, ks_context *context) {
    *out = NULL;
    const ks_library_road *library = ks_library_road_get(context);
    return library ? library->hdf5_writer_open(out, context, -1, 0) : context->error.code;
}

ks_code ks_hdf5_writer_open_at(ks_hdf5_writer **out, ks_context *context, int descriptor, uint64_t offset) {
    *out = NULL;
    const ks_library_road *library = ks_library_road_get(context);
    return library ? library->hdf5_writer_open(out, context, descriptor, offset) : context->error.code;
}

void ks_hdf5_writer_close(ks_hdf5_writer *writer) {
    if (writer)
        writer->ops->close(writer);
}

ks_code ks_hdf5_writer_group(ks_hdf5_writer *writer, const char *path) {
    return writer->ops->group(writer, path);
}

ks_code ks_hdf5_writer_dataset(ks_hdf5_writer *writer, const char *path, const ks_tensor *tensor) {
    return writer->ops->dataset(writer, path, tensor);
}

ks_code ks_hdf5_writer_text(ks_hdf5_writer *writer, const char *path, const char *name, ks_text text) {
    return writer->ops->text(writer, path, name, text, false);
}

ks_code ks_hdf5_writer_bytes(ks_hdf5_writer *writer, const char *path, const char *name, ks_text text) {
    return writer->ops->text(writer, path, name, text, true);
}

ks_code ks_hdf5_writer_attribute(ks_hdf5_writer *writer, const char *path, const char *name, const ks_tensor *tensor) {
    return writer->ops->attribute(writer, path, name, tensor);
}

ks_code ks_hdf5_writer_finish(ks_bytes *out, ks_hdf5_writer *writer) {
    return writer->ops->finish(out, writer);
}

ks_code ks_zip_write(ks_bytes *out, ks_context *context, const ks_zip_item *items, size_t count) {
    *out = (ks_bytes){NULL, 0};
    const ks_library_road *library = ks_library_road_get(context);
    return library ? library->zip_write(out, context, items, count) : context->error.code;
}
