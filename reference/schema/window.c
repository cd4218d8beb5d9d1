// SPDX-License-Identifier: Apache-2.0
#include "schema/window.h"

#include "schema/broadcast.h"
#include "schema/key_row.h"

const char *const ks_data_formats[] = {"channels_last", "channels_first", NULL};

int64_t ks_size_add(int64_t a, int64_t b) {
    int64_t sum;
    if (a < 0 || b < 0)
        return KS_UNKNOWN_DIM;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

int64_t ks_size_multiply(int64_t a, int64_t b) {
    int64_t product;
    if (a < 0 || b < 0)
        return KS_UNKNOWN_DIM;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

ks_code ks_result_like(ks_tree *out, ks_call *call, const ks_array *input, const ks_shape *shape) {
    return ks_result(out, call, ks_dtype_is_floating(input->dtype) ? KS_DTYPE_NONE : input->dtype, shape);
}

int ks_channel_axis(const ks_shape *shape, bool channels_first) {
    return channels_first ? 1 : shape->rank - 1;
}

// Keys are at most 2³¹ - 1, so that no product of two overflows.
static int64_t dilation_of(const ks_window_rule *rule, int axis) {
    return rule->dilation && rule->dilation->count ? rule->dilation->items[axis] : 1;
}

static int64_t extent_of(const ks_window_rule *rule, int axis) {
    return (rule->kernel->items[axis] - 1) * dilation_of(rule, axis) + 1;
}

ks_code ks_window_shape(ks_shape *out, ks_call *call, const ks_object *object, const ks_shape *input,
                        const ks_window_rule *rule, int64_t channels) {
    ks_shape shape = *input;
    int first = ks_spatial_axis(rule->channels_first);
    for (int i = 0; i < rule->kernel->count; i++) {
        int64_t size = shape.dims[first + i], extent = extent_of(rule, i), stride = rule->stride->items[i];
        if (size < 0)
            continue;
        if (rule->padding == KS_PADDING_VALID) {
            if (size < extent)
                return ks_shape_error(call->context, object, "a window of %lld elements does not fit %lld elements",
                                      (long long)extent, (long long)size);
            size = (size - extent) / stride + 1;
        } else {
            size = size ? (size - 1) / stride + 1 : 0;
        }
        shape.dims[first + i] = size;
    }
    shape.dims[ks_channel_axis(&shape, rule->channels_first)] = channels;
    *out = shape;
    return KS_OK;
}

static int64_t transposed_size(int64_t size, int64_t extent, int64_t stride, ks_padding padding,
                               const int64_t *output_padding) {
    int64_t full;
    if (padding == KS_PADDING_SAME && !output_padding)
        return ks_size_multiply(size, stride);
    if (size == 0)
        return 0;
    full = ks_size_multiply(size - 1, stride);
    if (padding == KS_PADDING_SAME)
        return ks_size_add(full, extent % 2 + *output_padding);
    if (output_padding)
        return ks_size_add(full, extent + *output_padding);
    return ks_size_add(full, extent > stride ? extent : stride);
}

ks_shape ks_window_transposed_shape(const ks_shape *input, const ks_window_rule *rule, const ks_ints *output_padding,
                                    int64_t channels) {
    ks_shape shape = *input;
    int first = ks_spatial_axis(rule->channels_first);
    for (int i = 0; i < rule->kernel->count; i++)
        if (shape.dims[first + i] >= 0)
            shape.dims[first + i] =
                transposed_size(shape.dims[first + i], extent_of(rule, i), rule->stride->items[i], rule->padding,
                                output_padding->count ? &output_padding->items[i] : NULL);
    shape.dims[ks_channel_axis(&shape, rule->channels_first)] = channels;
    return shape;
}

static int64_t padding_before(int64_t large, int64_t small, int64_t extent, int64_t stride,
                              const ks_window_rule *rule) {
    int64_t total;
    if (rule->padding == KS_PADDING_VALID)
        return 0;
    if (rule->padding == KS_PADDING_CAUSAL)
        return extent - 1;
    if (rule->same == KS_SAME_THEANO_CONVOLUTION)
        return extent / 2;
    if (rule->same == KS_SAME_THEANO_POOLING)
        return extent > 2 && extent % 2 ? extent - 2 : extent - 1;
    total = (small - 1) * stride + extent - large;
    return total > 0 ? total / 2 : 0;
}

ks_window ks_window_between(const ks_shape *large, const ks_shape *small, const ks_window_rule *rule) {
    ks_window window;
    int first = ks_spatial_axis(rule->channels_first);
    int missing = KS_SPATIAL - rule->kernel->count;
    for (int i = 0; i < KS_SPATIAL; i++) {
        int axis = i - missing;
        bool real = axis >= 0;
        window.in[i] = real ? large->dims[first + axis] : 1;
        window.out[i] = real ? small->dims[first + axis] : 1;
        window.kernel[i] = real ? rule->kernel->items[axis] : 1;
        window.stride[i] = real ? rule->stride->items[axis] : 1;
        window.dilation[i] = real ? dilation_of(rule, axis) : 1;
        window.before[i] =
            real ? padding_before(window.in[i], window.out[i], extent_of(rule, axis), window.stride[i], rule) : 0;
    }
    return window;
}
