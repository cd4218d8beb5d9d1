// SPDX-License-Identifier: Apache-2.0
//
// What one load may cost. Every count × size is checked against these before memory is asked for.
#ifndef KASSAY_LIMITS_H
#define KASSAY_LIMITS_H

#include <stdint.h>

#include <kassay/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_limits {
    uint64_t memory_base;         ///< bytes a load may hold at once, whatever the size of the file
    uint64_t memory_per_byte;     ///< and this many bytes more for each byte of the file
    uint64_t zip_members;         ///< entries of one central directory
    uint64_t member_size;         ///< bytes of one archive member after inflating
    uint64_t inflate_ratio;       ///< inflated / stored size of a member above 1 MiB
    uint64_t json_depth;          ///< nested arrays and objects of one document
    uint64_t json_values;         ///< values of one document
    uint64_t hdf5_objects;        ///< object headers opened in one file
    uint64_t hdf5_depth;          ///< nested groups, and levels of any tree
    uint64_t hdf5_attribute_size; ///< bytes of one attribute's value
    uint64_t tensor_elements;     ///< elements of one tensor
    uint64_t layers;              ///< layers of one model, nested ones included
    uint64_t nodes;               ///< calls in all graphs of one model
    uint64_t model_depth;         ///< models and layers nested in each other
    uint64_t run_memory;          ///< bytes that one prediction may hold at once
} ks_limits;

ks_limits ks_limits_default(void);
/// Changes one limit from text, "json_depth=100". KS_E_USAGE when the name or the number is wrong.
ks_code ks_limits_set(ks_limits *limits, const char *assignment);

#ifdef __cplusplus
}
#endif
#endif
