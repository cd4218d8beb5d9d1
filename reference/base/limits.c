// SPDX-License-Identifier: Apache-2.0
#include <kassay/limits.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

ks_limits ks_limits_default(void) {
    ks_limits limits = {
        .memory_base = 64 * MIB,
        .memory_per_byte = 4,
        .zip_members = 65536,
        .member_size = (uint64_t)64 << 30,
        .inflate_ratio = 1100, // deflate cannot exceed 1032
        .json_depth = 20000,
        .json_values = 20000000,
        .hdf5_objects = 2000000,
        .hdf5_depth = 64,
        .hdf5_attribute_size = 256 * MIB,
        .tensor_elements = (uint64_t)1 << 40,
        .layers = 200000,
        .nodes = 400000,
        .model_depth = 256,
        .run_memory = (uint64_t)8 << 30,
    };
    return limits;
}

ks_code ks_limits_set(ks_limits *limits, const char *assignment) {
#define FIELD(name) {#name, offsetof(ks_limits, name)}
    static const struct {
        const char *name;
        size_t offset;
    } fields[] = {
        FIELD(memory_base),   FIELD(memory_per_byte),     FIELD(zip_members),     FIELD(member_size),
        FIELD(inflate_ratio), FIELD(json_depth),          FIELD(json_values),     FIELD(hdf5_objects),
        FIELD(hdf5_depth),    FIELD(hdf5_attribute_size), FIELD(tensor_elements), FIELD(layers),
        FIELD(nodes),         FIELD(model_depth),         FIELD(run_memory),
    };
#undef FIELD
    const char *equals = strchr(assignment, '=');
    if (!equals || equals[1] < '0' || equals[1] > '9')
        return KS_E_USAGE;
    char *end = NULL;
    errno = 0;
    uint64_t value = strtoull(equals + 1, &end, 10);
    if (errno || *end)
        return KS_E_USAGE;
    size_t name_size = (size_t)(equals - assignment);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strlen(fields[i].name) == name_size && memcmp(fields[i].name, assignment, name_size) == 0) {
            memcpy((char *)limits + fields[i].offset, &value, sizeof value);
            return KS_OK;
        }
    }
    return KS_E_USAGE;
}
