// SPDX-License-Identifier: Apache-2.0
//
// Config of CenterCrop, Resizing and CategoryEncoding.
#ifndef KASSAY_SCHEMA_IMAGE_GEOMETRY_H
#define KASSAY_SCHEMA_IMAGE_GEOMETRY_H

#include "schema/class.h"

typedef struct ks_image_geometry {
    int64_t height, width;
    int data_format;
    int interpolation; ///< index into "bilinear", "nearest"
    ks_text fill_mode;
    double fill_value;
    bool crop_to_aspect_ratio, pad_to_aspect_ratio, antialias;
} ks_image_geometry;

enum { KS_RESIZE_BILINEAR, KS_RESIZE_NEAREST };

typedef struct ks_category_encoding {
    int64_t num_tokens;
    int output_mode; ///< index into "multi_hot", "one_hot", "count"
    bool sparse;
} ks_category_encoding;

enum { KS_ENCODE_MULTI_HOT, KS_ENCODE_ONE_HOT, KS_ENCODE_COUNT };

#endif
