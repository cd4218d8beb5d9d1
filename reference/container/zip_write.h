// SPDX-License-Identifier: Apache-2.0
//
// What tests change in the writer of zip archives.
#ifndef KASSAY_CONTAINER_ZIP_WRITE_H
#define KASSAY_CONTAINER_ZIP_WRITE_H

#include <kassay/writer.h>

/// Sizes and offsets from `large` on stand in zip64 fields, as those from 2^32 - 1 on must. Before the first member.
void ks__zip_writer_large(ks_zip_writer *writer, uint64_t large);

#endif
