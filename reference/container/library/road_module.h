// SPDX-License-Identifier: Apache-2.0
//
// The parts of the library road's module.
#ifndef KASSAY_CONTAINER_LIBRARY_ROAD_MODULE_H
#define KASSAY_CONTAINER_LIBRARY_ROAD_MODULE_H

#include <kassay/library_road.h>

ks_code ks__libzip_open(ks_archive **out, ks_context *context, ks_bytes bytes);
ks_code ks__libhdf5_open(ks_hdf5 **out, ks_context *context, ks_bytes bytes);
ks_code ks__cjson_parse(ks_json **out, ks_context *context, ks_bytes bytes);
ks_code ks__libzip_write(ks_bytes *out, ks_context *context, const ks_zip_item *items, size_t count);
ks_code ks__libhdf5_writer_open(ks_hdf5_writer **out, ks_context *context, int descriptor, uint64_t offset);

#endif
