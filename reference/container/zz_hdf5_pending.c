#include "container/container_internal.h"
__attribute__((weak)) ks_code ks__hdf5_open(ks_hdf5 **out, ks_context *context, ks_bytes bytes) { (void)out;(void)bytes; return ks_fail(context, KS_E_INTERNAL, KS_STAGE_HDF5, 0, NULL, "pending"); }
