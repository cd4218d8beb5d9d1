// SPDX-License-Identifier: Apache-2.0
//
// Walking a window: at each position only the taps that meet real elements, so that no kernel needs a bounds check
// inside its loops.
#ifndef KASSAY_OPS_WINDOW_SPAN_H
#define KASSAY_OPS_WINDOW_SPAN_H

#include "schema/window.h"

/// Taps first … last - 1 lie inside; tap k stands at element start + k × dilation.
typedef struct ks_span {
    int64_t first, last;
    int64_t start;
} ks_span;

typedef struct ks_position {
    const ks_window *window;
    ks_span span[KS_SPATIAL];
} ks_position;

static inline ks_span ks_window_span(const ks_window *window, int axis, int64_t index) {
    int64_t dilation = window->dilation[axis];
    ks_span span;
    span.start = index * window->stride[axis] - window->before[axis];
    span.first = span.start < 0 ? (-span.start + dilation - 1) / dilation : 0;
    span.last = span.start < window->in[axis] ? (window->in[axis] - span.start - 1) / dilation + 1 : 0;
    if (span.last > window->kernel[axis])
        span.last = window->kernel[axis];
    return span;
}

static inline ks_position ks_position_at(const ks_window *window, int64_t o0, int64_t o1, int64_t o2) {
    ks_position at = {window,
                      {ks_window_span(window, 0, o0), ks_window_span(window, 1, o1), ks_window_span(window, 2, o2)}};
    return at;
}

/// Index of the element of `in` under a tap.
static inline size_t ks_element_index(const ks_position *at, int64_t k0, int64_t k1, int64_t k2) {
    const ks_window *w = at->window;
    int64_t i0 = at->span[0].start + k0 * w->dilation[0];
    int64_t i1 = at->span[1].start + k1 * w->dilation[1];
    int64_t i2 = at->span[2].start + k2 * w->dilation[2];
    return (size_t)((i0 * w->in[1] + i1) * w->in[2] + i2);
}

/// Index of a tap in the kernel.
static inline size_t ks_tap_index(const ks_position *at, int64_t k0, int64_t k1, int64_t k2) {
    return (size_t)((k0 * at->window->kernel[1] + k1) * at->window->kernel[2] + k2);
}

/// Elements of the spatial axes together.
static inline size_t ks_window_volume(const int64_t *sizes) {
    return (size_t)(sizes[0] * sizes[1] * sizes[2]);
}

/// Loops over o0, o1, o2 of the window's `out` side, in C order.
#define KS_EACH_POSITION(window)                                                                                       \
    for (int64_t o0 = 0; o0 < (window)->out[0]; o0++)                                                                  \
        for (int64_t o1 = 0; o1 < (window)->out[1]; o1++)                                                              \
            for (int64_t o2 = 0; o2 < (window)->out[2]; o2++)

/// Loops over the taps k0, k1, k2 of a position.
#define KS_EACH_TAP(at)                                                                                                \
    for (int64_t k0 = (at)->span[0].first; k0 < (at)->span[0].last; k0++)                                              \
        for (int64_t k1 = (at)->span[1].first; k1 < (at)->span[1].last; k1++)                                          \
            for (int64_t k2 = (at)->span[2].first; k2 < (at)->span[2].last; k2++)

#endif
