// SPDX-License-Identifier: Apache-2.0
//
// Constraints. Source of the keys: Keras 3 constraints/constraints.py.
#include "schema/constraint.h"

static const ks_key max_norm_keys[] = {
    {KS_NAMED("max_value"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_max_norm, max_value),
     .otherwise = "2"},
    {KS_NAMED("axis"), .type = KS_KEY_INTS, .flags = KS_INERT, .offset = KS_FIELD(ks_max_norm, axis), .otherwise = "0"},
};

const ks_class ks_class_MaxNorm = {
    .name = "MaxNorm",
    .module = "keras.constraints",
    .kind = KS_KIND_CONSTRAINT,
    KS_KEYS(max_norm_keys),
    .params_size = sizeof(ks_max_norm),
};

static const ks_key min_max_norm_keys[] = {
    {KS_NAMED("min_value"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_min_max_norm, min_value),
     .otherwise = "0.0"},
    {KS_NAMED("max_value"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_min_max_norm, max_value),
     .otherwise = "1.0"},
    {KS_NAMED("rate"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_min_max_norm, rate),
     .otherwise = "1.0"},
    {KS_NAMED("axis"), .type = KS_KEY_INTS, .flags = KS_INERT, .offset = KS_FIELD(ks_min_max_norm, axis),
     .otherwise = "0"},
};

const ks_class ks_class_MinMaxNorm = {
    .name = "MinMaxNorm",
    .module = "keras.constraints",
    .kind = KS_KIND_CONSTRAINT,
    KS_KEYS(min_max_norm_keys),
    .params_size = sizeof(ks_min_max_norm),
};

const ks_class ks_class_NonNeg = {
    .name = "NonNeg",
    .module = "keras.constraints",
    .kind = KS_KIND_CONSTRAINT,
};

static const ks_key unit_norm_keys[] = {
    {KS_NAMED("axis"), .type = KS_KEY_INTS, .flags = KS_INERT, .offset = KS_FIELD(ks_unit_norm, axis),
     .otherwise = "0"},
};

const ks_class ks_class_UnitNorm = {
    .name = "UnitNorm",
    .module = "keras.constraints",
    .kind = KS_KIND_CONSTRAINT,
    KS_KEYS(unit_norm_keys),
    .params_size = sizeof(ks_unit_norm),
};

// The class that others derive from can be made and written too.
const ks_class ks_class_ConstraintBase = {
    .name = "Constraint",
    .module = "keras.constraints",
    .kind = KS_KIND_CONSTRAINT,
};

const ks_class ks_class_RadialConstraint = {
    .name = "RadialConstraint",
    .module = "keras2.constraints",
    .kind = KS_KIND_CONSTRAINT,
};
