// SPDX-License-Identifier: Apache-2.0
//
// Regularizers. Source of the keys: Keras 3 regularizers/regularizers.py.
#include "schema/regularizer.h"
static const char *const modes[] = {"rows", "columns", NULL};

static const ks_key l1_keys[] = {
    {KS_NAMED("l1"), .type = KS_KEY_FLOAT, .flags = KS_INERT | KS_SINGLE, .offset = KS_FIELD(ks_l1, l1),
     .otherwise = "0.01"},
};

const ks_class ks_class_L1 = {
    .name = "L1",
    .module = "keras.regularizers",
    .kind = KS_KIND_REGULARIZER,
    KS_KEYS(l1_keys),
    .params_size = sizeof(ks_l1),
};

static const ks_key l2_keys[] = {
    {KS_NAMED("l2"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_l2, l2), .otherwise = "0.01"},
};

const ks_class ks_class_L2 = {
    .name = "L2",
    .module = "keras.regularizers",
    .kind = KS_KIND_REGULARIZER,
    KS_KEYS(l2_keys),
    .params_size = sizeof(ks_l2),
};

static const ks_key l1_l2_keys[] = {
    {KS_NAMED("l1"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_l1_l2, l1), .otherwise = "0.0"},
    {KS_NAMED("l2"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_l1_l2, l2), .otherwise = "0.0"},
};

const ks_class ks_class_L1L2 = {
    .name = "L1L2",
    .module = "keras.regularizers",
    .kind = KS_KIND_REGULARIZER,
    KS_KEYS(l1_l2_keys),
    .params_size = sizeof(ks_l1_l2),
};

static const ks_key orthogonal_regularizer_keys[] = {
    {KS_NAMED("factor"), .type = KS_KEY_FLOAT, .flags = KS_INERT | KS_SINGLE,
     .offset = KS_FIELD(ks_orthogonal_regularizer, factor), .otherwise = "0.01"},
    {KS_NAMED("mode"), .type = KS_KEY_CHOICE, .flags = KS_INERT, .offset = KS_FIELD(ks_orthogonal_regularizer, mode),
     .otherwise = "\"rows\"", .choices = modes},
};

const ks_class ks_class_OrthogonalRegularizer = {
    .name = "OrthogonalRegularizer",
    .module = "keras.regularizers",
    .kind = KS_KIND_REGULARIZER,
    KS_KEYS(orthogonal_regularizer_keys),
    .params_size = sizeof(ks_orthogonal_regularizer),
};
