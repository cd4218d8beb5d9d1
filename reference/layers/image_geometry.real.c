// SPDX-License-Identifier: Apache-2.0
//
// CenterCrop, Resizing, CategoryEncoding; augmentations, which change nothing at inference.
#include "schema/image_geometry.h"

#include <math.h>
#include <string.h>

#include "layers/layer.h"
#include "ops/move.h"
#include "schema/key_row.h"

#define UNCHANGED(class_name)                                                                                          \
    KS_FORWARD(class_name) {                                                                                           \
        const ks_array *input = ks_call_input(call, object);                                                           \
        const ks_real *x = input ? KS_REAL(ks_as_real)(run, input) : NULL;                                             \
        if (!x)                                                                                                        \
            return run->context->error.code;                                                                           \
        memcpy(out->as.array->data, x, ks_array_elements(input) * sizeof(*x));                                         \
        return KS_OK;                                                                                                  \
    }
UNCHANGED(RandomBrightness)
UNCHANGED(RandomContrast)
UNCHANGED(RandomFlip)
UNCHANGED(RandomRotation)
UNCHANGED(RandomTranslation)
UNCHANGED(RandomZoom)

static int row_axis(const ks_image_geometry *params, const ks_shape *shape) {
    return params->data_format == KS_CHANNELS_FIRST ? shape->rank - 2 : shape->rank - 3;
}

KS_FORWARD(CenterCrop) {
    const ks_image_geometry *params = object->params;
    const ks_array *input = ks_call_input(call, object), *result = out->as.array;
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    int64_t offset[KS_MAX_RANK] = {0};
    int rows = row_axis(params, &input->shape);
    if (!x)
        return run->context->error.code;
    offset[rows] = -((input->shape.dims[rows] - params->height) / 2);
    offset[rows + 1] = -((input->shape.dims[rows + 1] - params->width) / 2);
    ks_copy_box(result->data, &result->shape, x, &input->shape, offset, sizeof(*x));
    return KS_OK;
}

// TensorFlow resizes in float, whatever the images are.
// Where along an axis of the input an element of the result lies: two neighbours and how far towards the second.
typedef struct place {
    size_t low, high;
    float part;
} place;

static place locate(size_t index, int64_t in, int64_t out, int interpolation) {
    float scale = (float)in / (float)out, at = ((float)index + 0.5F) * scale;
    place p = {0, 0, 0};
    if (interpolation == KS_RESIZE_NEAREST) {
        p.low = (size_t)floorf(at);
        p.low = p.low >= (size_t)in ? (size_t)in - 1 : p.low;
        p.high = p.low;
        return p;
    }
    at -= 0.5F;
    p.low = at > 0 ? (size_t)floorf(at) : 0;
    p.low = p.low >= (size_t)in ? (size_t)in - 1 : p.low;
    p.high = p.low + 1 >= (size_t)in ? (size_t)in - 1 : p.low + 1;
    if (at > 0)
        p.part = at - floorf(at);
    return p;
}

KS_FORWARD(Resizing) {
    const ks_image_geometry *params = object->params;
    const ks_array *input = ks_call_input(call, object), *result = out->as.array;
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    int rows = row_axis(params, &input->shape);
    size_t height = (size_t)input->shape.dims[rows], width = (size_t)input->shape.dims[rows + 1], before = 1, after = 1;
    size_t new_height = (size_t)params->height, new_width = (size_t)params->width;
    ks_real *y = ks_reals(result);
    if (!x)
        return run->context->error.code;
    for (int i = 0; i < rows; i++)
        before *= (size_t)input->shape.dims[i];
    for (int i = rows + 2; i < input->shape.rank; i++)
        after *= (size_t)input->shape.dims[i];
    for (size_t b = 0; b < before; b++, x += height * width * after)
        for (size_t i = 0; i < new_height; i++) {
            place v = locate(i, (int64_t)height, params->height, params->interpolation);
            for (size_t j = 0; j < new_width; j++) {
                place h = locate(j, (int64_t)width, params->width, params->interpolation);
                for (size_t c = 0; c < after; c++) {
                    const ks_real *low = x + v.low * width * after + c, *high = x + v.high * width * after + c;
                    float a = (float)low[h.low * after], d = (float)low[h.high * after];
                    float e = (float)high[h.low * after], f = (float)high[h.high * after];
                    float top = a + (d - a) * h.part, bottom = e + (f - e) * h.part;
                    // The nearest element is taken as it is.
                    *y++ = params->interpolation == KS_RESIZE_NEAREST ? low[h.low * after]
                                                                      : (ks_real)(top + (bottom - top) * v.part);
                }
            }
        }
    return KS_OK;
}

KS_FORWARD(CategoryEncoding) {
    const ks_category_encoding *params = object->params;
    const ks_array *input = ks_call_input(call, object), *result = out->as.array;
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    size_t count = ks_array_elements(input), tokens = (size_t)params->num_tokens;
    size_t group = params->output_mode == KS_ENCODE_ONE_HOT ? 1 : (size_t)input->shape.dims[input->shape.rank - 1];
    ks_real *y = ks_reals(result);
    if (!x)
        return run->context->error.code;
    memset(y, 0, ks_array_elements(result) * sizeof(*y));
    for (size_t i = 0; i < count; i++) {
        ks_real *to;
        if (!(x[i] >= 0 && x[i] < (ks_real)tokens))
            return ks_shape_error(run->context, object, "a value is outside of 0 to %lld", (long long)tokens - 1);
        to = &y[i / group * tokens + (size_t)x[i]];
        *to = params->output_mode == KS_ENCODE_COUNT ? *to + 1 : 1;
    }
    return KS_OK;
}
