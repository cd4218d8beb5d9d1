// SPDX-License-Identifier: Apache-2.0
//
// Config of regularizers, as their rows read it.
#ifndef KASSAY_SCHEMA_REGULARIZER_H
#define KASSAY_SCHEMA_REGULARIZER_H

#include "schema/class.h"

typedef struct ks_l1 {
    double l1;
} ks_l1;

typedef struct ks_l2 {
    double l2;
} ks_l2;

typedef struct ks_l1_l2 {
    double l1;
    double l2;
} ks_l1_l2;

typedef struct ks_orthogonal_regularizer {
    double factor;
    int mode;
} ks_orthogonal_regularizer;

#endif
