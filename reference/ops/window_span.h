// SPDX-License-Identifier: Apache-2.0
//
// The taps of a window that meet real elements, per axis: no kernel needs a bounds check inside its loops.
#ifndef KASSAY_OPS_WINDOW_SPAN_H
#define KASSAY_OPS_WINDOW_SPAN_H

#include "schema/window.h"

/// Taps first … last - 1 lie inside; tap k stands at element start + k × dilation, which may be negative for others.
typedef struct ks_span {
    int64_t first, last;
    int64_t start;
} ks_span;

static inline ks_span ks_window_span(const ks_window *window, int axis, int64_t position) {
    int64_t dilation = window->dilation[axis];
    ks_span span;
    span.start = position * window->stride[axis] - window->before[axis];
    span.first = span.start < 0 ? (-span.start + dilation - 1) / dilation : 0;
    span.last = span.start < window->in[axis] ? (window->in[axis] - span.start - 1) / dilation + 1 : 0;
    if (span.last > window->kernel[axis])
        span.last = window->kernel[axis];
    return span;
}

/// Elements of the spatial axes together.
static inline size_t ks_window_volume(const int64_t *sizes) {
    return (size_t)(sizes[0] * sizes[1] * sizes[2]);
}

#endif
