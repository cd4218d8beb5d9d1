// SPDX-License-Identifier: Apache-2.0
//
// Config of Hashing.
#ifndef KASSAY_SCHEMA_HASHING_H
#define KASSAY_SCHEMA_HASHING_H

#include "schema/class.h"

enum { KS_HASHING_INT, KS_HASHING_ONE_HOT, KS_HASHING_MULTI_HOT, KS_HASHING_COUNT };

typedef struct ks_hashing {
    int64_t num_bins;
    const ks_value *salt, *mask_value; ///< as in the config
    int output_mode;
    bool sparse;
    bool salted;
    uint64_t salts[2]; ///< of the strong hash
    bool masked;       ///< the first bin is that of mask_value
} ks_hashing;

/// null, an integer, which counts twice, or two.
ks_code ks_read_salt(uint64_t salts[2], bool *salted, ks_context *context, const ks_object *object,
                     const ks_value *salt);

#endif
