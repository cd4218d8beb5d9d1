// SPDX-License-Identifier: Apache-2.0
//
// Values of variables through a writer's list: the whole variable, or (Keras 1) the columns of one gate.
#include <string.h>

#include "base/cast.h"
#include "weights/legacy.h"

ks_shape ks_slot_shape(const ks_slot *slot) {
    ks_shape shape = slot->variable->shape;
    if (slot->parts > 1)
        shape.dims[shape.rank - 1] /= slot->parts;
    return shape;
}

typedef struct columns {
    size_t rows, width, stride, start; ///< bytes, but rows
} columns;

static columns columns_of(const ks_slot *slot) {
    const ks_shape *shape = &slot->variable->shape;
    size_t row = ks_dtype_size(slot->variable->dtype);
    columns c = {.rows = 1};
    for (int i = 0; i + 1 < shape->rank; i++)
        c.rows *= (size_t)shape->dims[i];
    c.stride = row * (size_t)shape->dims[shape->rank - 1];
    c.width = c.stride / (size_t)slot->parts;
    c.start = c.width * (size_t)slot->part;
    return c;
}

static ks_code extract(ks_slot *slot, ks_context *context, ks_arena *arena) {
    columns c = columns_of(slot);
    char *out = ks_arena_get(arena, c.rows * c.width + 1, 1);
    if (!out)
        return context->error.code;
    for (size_t row = 0; row < c.rows; row++)
        memcpy(out + row * c.width, (const char *)slot->variable->data + row * c.stride + c.start, c.width);
    slot->data = out;
    return KS_OK;
}

ks_code ks_weights_relist(const ks_weight_map *map, ks_context *context, ks_arena *arena) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < map->n_listed; i++) {
        ks_slot *slot = map->listed[i];
        ks_shape shape = ks_slot_shape(slot);
        if (slot->present && !ks_shape_equal(&shape, &slot->type.shape))
            slot->present = false; // another layout: its path means nothing now
        slot->type.dtype = slot->variable->dtype;
        slot->data = slot->variable->data;
        if (slot->parts > 1 && slot->data)
            KS_TRY(extract(slot, context, arena));
    }
done:
    return code;
}

// A gate is written into a copy of the variable, whose data may be a view of a file.
static ks_code own_data(ks_variable *v, ks_context *context, ks_arena *arena) {
    uint64_t elements = 0;
    char *copy;
    ks_shape_elements(&v->shape, &elements);
    copy = ks_arena_get(arena, (size_t)elements + 1, ks_dtype_size(v->dtype));
    if (!copy)
        return context->error.code;
    if (v->data)
        memcpy(copy, v->data, (size_t)elements * ks_dtype_size(v->dtype));
    v->data = copy;
    v->real[0] = v->real[1] = NULL;
    return KS_OK;
}

ks_code ks_slot_store(ks_slot *slot, ks_context *context, ks_arena *arena, const ks_tensor *values) {
    ks_variable *v = slot->variable;
    ks_shape shape = ks_slot_shape(slot);
    uint64_t count = 0;
    char *cast;
    columns c;
    ks_code code;
    ks_shape_elements(&shape, &count);
    cast = ks_arena_get(arena, (size_t)count + 1, ks_dtype_size(v->dtype));
    if (!cast)
        return context->error.code;
    if (!ks_cast(cast, v->dtype, values->data, values->dtype, (size_t)count))
        return ks_fail(context, KS_E_MODEL_WEIGHTS, KS_STAGE_MODEL, KS_NO_OFFSET, v->path,
                       "values of type %s cannot be cast to %s", ks_dtype_name(values->dtype), ks_dtype_name(v->dtype));
    if (slot->parts == 1) {
        v->data = cast;
        v->real[0] = v->real[1] = NULL;
        return KS_OK;
    }
    KS_TRY(own_data(v, context, arena));
    c = columns_of(slot);
    for (size_t row = 0; row < c.rows; row++)
        memcpy((char *)(uintptr_t)v->data + row * c.stride + c.start, cast + row * c.width, c.width);
done:
    return code;
}
