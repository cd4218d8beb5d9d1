// SPDX-License-Identifier: Apache-2.0
//
// Dtype policies. float32 alone can be run here (config/keys.c says so); the others are described. Source of the keys:
// Keras 3 dtype_policies/{dtype_policy,dtype_policy_map}.py.
#include "schema/key_row.h"

#define POLICY(class_name, module_name, key_table)                                                                     \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = module_name,                                                                                         \
        .kind = KS_KIND_POLICY,                                                                                        \
        KS_KEYS(key_table),                                                                                            \
    }

static const ks_key name_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"float32\""),
};

static const ks_key quantized_keys[] = {
    KS_ROW_LOOSE(mode, TEXT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(source_name, TEXT, KS_NULLABLE, "\"float32\""),
};

static const ks_key float8_keys[] = {
    KS_ROW_LOOSE(mode, TEXT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(source_name, TEXT, KS_NULLABLE, "\"float32\""),
    KS_ROW_LOOSE(amax_history_length, INT, 0, "1024"),
};

static const ks_key map_keys[] = {
    KS_ROW_LOOSE(default_policy, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(policy_map, ANY, KS_NULLABLE, "{}"),
};

POLICY(DTypePolicy, "keras", name_keys);
POLICY(FloatDTypePolicy, "keras", name_keys);
POLICY(QuantizedDTypePolicy, "keras.dtype_policies", quantized_keys);
POLICY(QuantizedFloat8DTypePolicy, "keras.dtype_policies", float8_keys);
POLICY(Int4DTypePolicy, "keras.dtype_policies", quantized_keys);
POLICY(GPTQDTypePolicy, "keras.dtype_policies", quantized_keys);
POLICY(AWQDTypePolicy, "keras.dtype_policies", quantized_keys);
POLICY(DTypePolicyMap, "keras.dtype_policies", map_keys);
