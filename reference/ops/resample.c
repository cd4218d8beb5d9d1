// SPDX-License-Identifier: Apache-2.0
//
// Source of the rules: tf.image.resize without antialiasing. Where an element lies is computed in float whatever the
// element type, because TensorFlow does.
#define KS_REAL_BITS 32 // of the declarations that this file does not use
#include "ops/resample.h"

#define PI 3.14159265358979323846

static ks_resample_taps bilinear(float place, size_t in_size) {
    float below = floorf(place);
    double share = (double)(place - below);
    ks_resample_taps taps = {.count = 1, .weights = {1}};
    if (below < 0)
        return taps;
    taps.first = (size_t)below;
    if (taps.first + 1 >= in_size) {
        taps.first = in_size - 1;
        return taps;
    }
    taps.count = 2;
    taps.weights[0] = 1 - share;
    taps.weights[1] = share;
    return taps;
}

// Keys's cubic, a = -1/2.
static double cubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x <= 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static double lanczos(double x, double radius) {
    x = fabs(x);
    if (x > radius)
        return 0;
    if (x <= 1e-3)
        return 1;
    return radius * sin(PI * x) * sin(PI * x / radius) / (PI * PI * x * x);
}

static void normalise(ks_resample_taps *taps) {
    double sum = 0;
    for (size_t i = 0; i < taps->count; i++)
        sum += taps->weights[i];
    for (size_t i = 0; i < taps->count; i++)
        taps->weights[i] /= sum;
}

// Elements outside have no weight, and the others share it. The fraction is rounded to 1/1024: TensorFlow reads the
// cubic from a table.
static ks_resample_taps bicubic(float place, size_t in_size) {
    float below = floorf(place);
    double share = (double)lrintf((place - below) * 1024) / 1024;
    ks_resample_taps taps = {0};
    for (int64_t i = (int64_t)below - 1; i <= (int64_t)below + 2; i++) {
        if (i < 0 || i >= (int64_t)in_size)
            continue;
        if (taps.count == 0)
            taps.first = (size_t)i;
        taps.weights[taps.count++] = cubic((double)(i - (int64_t)below) - share);
    }
    normalise(&taps);
    return taps;
}

// `centre` counts from the image's edge: element i has its centre at i + 1/2.
static ks_resample_taps windowed_sinc(float centre, size_t in_size, double radius) {
    int64_t first = (int64_t)ceil((double)centre - radius - 0.5), last = (int64_t)floor((double)centre + radius - 0.5);
    ks_resample_taps taps = {0};
    if (first < 0)
        first = 0;
    if (last >= (int64_t)in_size)
        last = (int64_t)in_size - 1;
    taps.first = (size_t)first;
    for (int64_t i = first; i <= last && taps.count < KS_MAX_RESAMPLE_TAPS; i++)
        taps.weights[taps.count++] = lanczos((double)i + 0.5 - (double)centre, radius);
    normalise(&taps);
    return taps;
}

// The share of each element in the area that the result covers, in float as TensorFlow's: its rounding shows.
static ks_resample_taps area(float from, float to, float scale, size_t in_size) {
    int64_t end = (int64_t)ceilf(to);
    ks_resample_taps taps = {.first = (size_t)floorf(from)};
    for (int64_t i = (int64_t)taps.first; i < end && taps.count < KS_MAX_RESAMPLE_TAPS; i++) {
        float start = (float)i, share = 1;
        if (start + 1 > to)
            share = start < from ? scale : to - start;
        else if (start < from)
            share = start + 1 - from;
        if (i < (int64_t)in_size)
            taps.weights[taps.count++] = (double)(share / scale);
        else if (taps.count) // beyond the edge the last element stands again
            taps.weights[taps.count - 1] += (double)(share / scale);
    }
    return taps;
}

ks_resample_taps ks_resample_taps_at(ks_interpolation interpolation, size_t index, size_t in_size, size_t out_size) {
    float scale = (float)in_size / (float)out_size;
    float centre = ((float)index + 0.5F) * scale;
    ks_resample_taps same = {.first = index * in_size / out_size, .count = 1, .weights = {1}};
    switch (interpolation) {
    case KS_INTERPOLATION_BILINEAR:
        return bilinear(centre - 0.5F, in_size);
    case KS_INTERPOLATION_BICUBIC:
        return bicubic(centre - 0.5F, in_size);
    case KS_INTERPOLATION_LANCZOS3:
        return windowed_sinc(centre, in_size, 3);
    case KS_INTERPOLATION_LANCZOS5:
        return windowed_sinc(centre, in_size, 5);
    case KS_INTERPOLATION_AREA:
        return area((float)index * scale, (float)(index + 1) * scale, scale, in_size);
    case KS_INTERPOLATION_NEAREST:
        break;
    }
    return same;
}
