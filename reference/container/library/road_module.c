// SPDX-License-Identifier: Apache-2.0
//
// What the module exports.
#include "container/library/road_module.h"

__attribute__((visibility("default"))) extern const ks_library_road ks_library_road_module;

const ks_library_road ks_library_road_module = {
    .version = KS_LIBRARY_ROAD_VERSION,
    .zip_open = ks__libzip_open,
    .hdf5_open = ks__libhdf5_open,
    .json_parse = ks__cjson_parse,
    .hdf5_writer_open = ks__libhdf5_writer_open,
    .zip_write = ks__libzip_write,
};
