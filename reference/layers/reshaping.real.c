// SPDX-License-Identifier: Apache-2.0
//
// Layers that move elements about. All but interpolation work on elements of any type.
#include "schema/reshaping.h"

#include <string.h>

#include "layers/layer.h"
#include "ops/move.h"
#include "ops/resample.h"
#include "schema/key_row.h"

static ks_code copy_all(ks_call *call, ks_object *object, ks_tree *out) {
    const ks_array *input = ks_call_input(call, object);
    memcpy(out->as.array->data, input->data, ks_array_elements(input) * ks_dtype_size(input->dtype));
    return KS_OK;
}

KS_FORWARD(Flatten) {
    const ks_flatten *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    (void)run;
    if (params->data_format != KS_CHANNELS_FIRST || input->shape.rank < 3)
        return copy_all(call, object, out);
    ks_channels_to_back(out->as.array->data, input->data, &input->shape, ks_dtype_size(input->dtype));
    return KS_OK;
}

KS_FORWARD(Reshape) {
    (void)run;
    return copy_all(call, object, out);
}

KS_FORWARD(Permute) {
    const ks_permute *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    int axes[KS_MAX_INTS + 1] = {0};
    (void)run;
    for (int i = 0; i < params->dims.count; i++)
        axes[i + 1] = (int)params->dims.items[i];
    ks_transpose(out->as.array->data, input->data, &input->shape, axes, ks_dtype_size(input->dtype));
    return KS_OK;
}

KS_FORWARD(RepeatVector) {
    const ks_repeat_vector *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    (void)run;
    ks_repeat(out->as.array->data, input->data, &input->shape, 0, (size_t)params->n, ks_dtype_size(input->dtype));
    return KS_OK;
}

// --- ZeroPadding, Cropping ------------------------------------------------------------------------------------------

static ks_code forward_border(ks_call *call, ks_object *object, ks_tree *out, const ks_ints *border, int sign) {
    const ks_border *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    ks_array *result = out->as.array;
    int first = ks_spatial_axis(params->data_format == KS_CHANNELS_FIRST);
    int64_t offset[KS_MAX_RANK] = {0};
    for (int i = 0; i < border->count / 2; i++)
        offset[first + i] = sign * border->items[2 * i];
    memset(result->data, 0, ks_array_elements(result) * ks_dtype_size(result->dtype));
    ks_copy_box(result->data, &result->shape, input->data, &input->shape, offset, ks_dtype_size(input->dtype));
    return KS_OK;
}

static ks_code forward_padding(ks_call *call, ks_object *object, ks_tree *out) {
    const ks_border *params = object->params;
    return forward_border(call, object, out, &params->padding, 1);
}

static ks_code forward_cropping(ks_call *call, ks_object *object, ks_tree *out) {
    const ks_border *params = object->params;
    return forward_border(call, object, out, &params->cropping, -1);
}

KS_FORWARD(ZeroPadding1D) {
    (void)run;
    return forward_padding(call, object, out);
}
KS_FORWARD(ZeroPadding2D) {
    (void)run;
    return forward_padding(call, object, out);
}
KS_FORWARD(ZeroPadding3D) {
    (void)run;
    return forward_padding(call, object, out);
}
KS_FORWARD(Cropping1D) {
    (void)run;
    return forward_cropping(call, object, out);
}
KS_FORWARD(Cropping2D) {
    (void)run;
    return forward_cropping(call, object, out);
}
KS_FORWARD(Cropping3D) {
    (void)run;
    return forward_cropping(call, object, out);
}

// --- UpSampling -----------------------------------------------------------------------------------------------------

static size_t product(const ks_shape *shape, int first, int last) {
    size_t count = 1;
    for (int i = first; i < last; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

// One axis after the other, the last one into the result.
static ks_code forward_up_sampling(ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    const ks_up_sampling *params = object->params;
    const ks_array *input = ks_call_input(call, object);
    int first = ks_spatial_axis(params->data_format == KS_CHANNELS_FIRST);
    bool nearest = params->interpolation == KS_INTERPOLATION_NEAREST;
    const void *from = nearest ? input->data : KS_REAL(ks_as_real)(run, input);
    size_t item_size = nearest ? ks_dtype_size(input->dtype) : sizeof(ks_real);
    ks_shape shape = input->shape;
    if (!from)
        return run->context->error.code;
    for (int i = 0; i < params->size.count; i++) {
        int axis = first + i;
        size_t size = (size_t)shape.dims[axis], times = (size_t)params->size.items[i];
        size_t outer = product(&shape, 0, axis), inner = product(&shape, axis + 1, shape.rank);
        void *to = out->as.array->data;
        if (i + 1 < params->size.count)
            to = ks_run_memory(run, outer * size * times * inner, item_size);
        if (!to)
            return run->context->error.code;
        if (nearest)
            ks_repeat(to, from, &shape, axis, times, item_size);
        else
            KS_REAL(ks_resample_axis)(to, from, (ks_interpolation)params->interpolation, outer, size, size * times,
                                      inner);
        shape.dims[axis] *= (int64_t)times;
        from = to;
    }
    return KS_OK;
}

KS_FORWARD(UpSampling1D) {
    return forward_up_sampling(run, call, object, out);
}
KS_FORWARD(UpSampling2D) {
    return forward_up_sampling(run, call, object, out);
}
KS_FORWARD(UpSampling3D) {
    return forward_up_sampling(run, call, object, out);
}
