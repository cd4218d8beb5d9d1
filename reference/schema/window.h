// SPDX-License-Identifier: Apache-2.0
//
// Windows that slide over spatial axes: sizes of their results, and the geometry that convolution and pooling kernels
// walk. Source of the rules: Keras 3 ops/operation_utils.py (compute_conv_output_shape, compute_pooling_output_shape),
// backend/common/backend_utils.py (compute_conv_transpose_output_shape); TensorFlow's "SAME" puts the odd element of
// padding behind. Theano: Keras 1.2 and 2.3 backend/theano_backend.py (conv2d, pool2d).
#ifndef KASSAY_SCHEMA_WINDOW_H
#define KASSAY_SCHEMA_WINDOW_H

#include "schema/class.h"

typedef enum ks_padding { KS_PADDING_VALID, KS_PADDING_SAME, KS_PADDING_CAUSAL } ks_padding;

#define KS_SPATIAL 3

/// Axes that a layer does not have come first and have size 1.
typedef struct ks_window {
    int64_t in[KS_SPATIAL];
    int64_t out[KS_SPATIAL];
    int64_t kernel[KS_SPATIAL];
    int64_t stride[KS_SPATIAL];
    int64_t dilation[KS_SPATIAL];
    int64_t before[KS_SPATIAL]; ///< padding in front of the first element
} ks_window;

/// Where padding "same" begins. Theano has half of a convolution's window in front, and nearly all of a pooling's.
typedef enum ks_same { KS_SAME_TENSORFLOW, KS_SAME_THEANO_CONVOLUTION, KS_SAME_THEANO_POOLING } ks_same;

/// What a row knows of its windows. `dilation` may be empty: 1.
typedef struct ks_window_rule {
    const ks_ints *kernel, *stride, *dilation;
    ks_padding padding;
    bool channels_first;
    ks_same same; ///< only matters where elements are walked: sizes are the same
} ks_window_rule;

/// Sums and products of sizes; unknown stays unknown, what does not fit becomes INT64_MAX.
int64_t ks_size_add(int64_t a, int64_t b);
int64_t ks_size_multiply(int64_t a, int64_t b);

/// A result of the input's own type: the call's real type when that is floating.
ks_code ks_result_like(ks_tree *out, ks_call *call, const ks_array *input, const ks_shape *shape);

/// The axis of the channels, and the first spatial one.
int ks_channel_axis(const ks_shape *shape, bool channels_first);
static inline int ks_spatial_axis(bool channels_first) {
    return channels_first ? 2 : 1;
}
/// Result of sliding the windows over `input`, with `channels` channels; a shape error when a window finds no place.
ks_code ks_window_shape(ks_shape *out, ks_call *call, const ks_object *object, const ks_shape *input,
                        const ks_window_rule *rule, int64_t channels);
/// Result of the transposed convolution; `output_padding` is empty for Keras's default.
ks_shape ks_window_transposed_shape(const ks_shape *input, const ks_window_rule *rule, const ks_ints *output_padding,
                                    int64_t channels);
/// Geometry between the two shapes of a call, all dims known. For a transposed convolution `large` is the result.
ks_window ks_window_between(const ks_shape *large, const ks_shape *small, const ks_window_rule *rule);

#endif
