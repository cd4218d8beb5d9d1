// SPDX-License-Identifier: Apache-2.0
//
// Config of constraints, as their rows read it.
#ifndef KASSAY_SCHEMA_CONSTRAINT_H
#define KASSAY_SCHEMA_CONSTRAINT_H

#include "schema/class.h"

typedef struct ks_max_norm {
    double max_value;
    ks_ints axis;
} ks_max_norm;

typedef struct ks_min_max_norm {
    double min_value;
    double max_value;
    double rate;
    ks_ints axis;
} ks_min_max_norm;

typedef struct ks_unit_norm {
    ks_ints axis;
} ks_unit_norm;

#endif
