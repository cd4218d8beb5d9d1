// SPDX-License-Identifier: Apache-2.0
//
// Config of Hashing.
#ifndef KASSAY_SCHEMA_HASHING_H
#define KASSAY_SCHEMA_HASHING_H

#include "schema/class.h"

#define KS_MAX_CROSSED 64

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

typedef struct ks_hashed_crossing {
    int64_t num_bins;
    int output_mode; ///< KS_HASHING_INT or KS_HASHING_ONE_HOT
    bool sparse;
    size_t n_crossed; ///< the tensors of its last call
} ks_hashed_crossing;

/// The tensors that are crossed, two or more; 0 with an error.
size_t ks_crossed_inputs(ks_array **out, size_t room, ks_call *call, const ks_object *object);

/// null, an integer, which counts twice, or two.
ks_code ks_read_salt(uint64_t salts[2], bool *salted, ks_context *context, const ks_object *object,
                     const ks_value *salt);

#endif
