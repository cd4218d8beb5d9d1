// SPDX-License-Identifier: Apache-2.0
//
// Config of the layers that move elements about.
#ifndef KASSAY_SCHEMA_RESHAPING_H
#define KASSAY_SCHEMA_RESHAPING_H

#include "schema/window.h"

typedef struct ks_flatten {
    int data_format;
} ks_flatten;

typedef struct ks_reshape {
    ks_ints target_shape; ///< without the batch; one may be -1
} ks_reshape;

typedef struct ks_permute {
    ks_ints dims; ///< from 1
} ks_permute;

typedef struct ks_repeat_vector {
    int64_t n;
} ks_repeat_vector;

/// ZeroPadding and Cropping: pairs [before, after] per spatial axis, in the field of the layer's own key.
typedef struct ks_border {
    ks_ints padding, cropping;
    int data_format;
} ks_border;

typedef enum ks_interpolation {
    KS_INTERPOLATION_NEAREST,
    KS_INTERPOLATION_BILINEAR,
    KS_INTERPOLATION_BICUBIC,
    KS_INTERPOLATION_LANCZOS3,
    KS_INTERPOLATION_LANCZOS5,
    KS_INTERPOLATION_AREA
} ks_interpolation;

typedef struct ks_up_sampling {
    ks_ints size;
    int interpolation; ///< 2D only
    int data_format;   ///< 2D and 3D
} ks_up_sampling;

#endif
