// SPDX-License-Identifier: Apache-2.0
//
// Config of initializers, as their rows read it.
#ifndef KASSAY_SCHEMA_INITIALIZER_H
#define KASSAY_SCHEMA_INITIALIZER_H

#include "schema/class.h"

typedef struct ks_constant {
    ks_numbers value;
} ks_constant;

typedef struct ks_identity {
    double gain;
} ks_identity;

typedef struct ks_glorot_normal {
    const ks_value *seed;
    const ks_value *input_axes;
    const ks_value *output_axes;
} ks_glorot_normal;

typedef struct ks_glorot_uniform {
    const ks_value *seed;
    const ks_value *input_axes;
    const ks_value *output_axes;
} ks_glorot_uniform;

typedef struct ks_he_normal {
    const ks_value *seed;
    const ks_value *input_axes;
    const ks_value *output_axes;
} ks_he_normal;

typedef struct ks_he_uniform {
    const ks_value *seed;
    const ks_value *input_axes;
    const ks_value *output_axes;
} ks_he_uniform;

typedef struct ks_lecun_normal {
    const ks_value *seed;
    const ks_value *input_axes;
    const ks_value *output_axes;
} ks_lecun_normal;

typedef struct ks_lecun_uniform {
    const ks_value *seed;
    const ks_value *input_axes;
    const ks_value *output_axes;
} ks_lecun_uniform;

typedef struct ks_orthogonal {
    double gain;
    const ks_value *seed;
} ks_orthogonal;

typedef struct ks_random_normal {
    double mean;
    double stddev;
    const ks_value *seed;
} ks_random_normal;

typedef struct ks_random_uniform {
    double minval;
    double maxval;
    const ks_value *seed;
} ks_random_uniform;

typedef struct ks_truncated_normal {
    double mean;
    double stddev;
    const ks_value *seed;
} ks_truncated_normal;

typedef struct ks_variance_scaling {
    double scale;
    int mode;
    int distribution;
    const ks_value *seed;
    const ks_value *input_axes;
    const ks_value *output_axes;
} ks_variance_scaling;

typedef struct ks_stft {
    int side;
    const ks_value *window;
    ks_text scaling;
    bool periodic;
} ks_stft;

#endif
