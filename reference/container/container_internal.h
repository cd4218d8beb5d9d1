// SPDX-License-Identifier: Apache-2.0
//
// The strict readers behind the container interfaces.
#ifndef KASSAY_CONTAINER_INTERNAL_H
#define KASSAY_CONTAINER_INTERNAL_H

#include <kassay/library_road.h>

ks_code ks__zip_open(ks_archive **out, ks_context *context, ks_bytes bytes);
ks_code ks__hdf5_open(ks_hdf5 **out, ks_context *context, ks_bytes bytes);

#endif
