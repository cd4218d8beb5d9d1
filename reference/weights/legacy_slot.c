// SPDX-License-Identifier: Apache-2.0
//
// Values of variables through a writer's list: the whole variable, or (Keras 1) the columns of one gate, in the layout
// of the writer.
#include <string.h>

#include "base/cast.h"
#include "weights/legacy_internal.h"

ks_shape ks_slot_shape(const ks_slot *slot) {
    ks_shape part = slot->variable->shape, shape;
    if (slot->parts > 1)
        part.dims[part.rank - 1] /= slot->parts;
    if (!slot->layout)
        return part;
    shape.rank = slot->layout->rank;
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = slot->layout->axes[i] < 0 ? 1 : part.dims[slot->layout->axes[i]];
    return shape;
}

// --- elements -------------------------------------------------------------------------------------------------------

/// Where the elements of a slot's array stand among the variable's.
typedef struct places {
    ks_shape shape; ///< of the array
    size_t size;    ///< of an element
    size_t steps[KS_MAX_RANK], start;
} places;

static places places_of(const ks_slot *slot) {
    const ks_shape *whole = &slot->variable->shape;
    places p = {.shape = ks_slot_shape(slot), .size = ks_dtype_size(slot->variable->dtype)};
    size_t strides[KS_MAX_RANK], stride = p.size;
    for (int i = whole->rank; i-- > 0; stride *= (size_t)whole->dims[i])
        strides[i] = stride;
    for (int i = 0; i < p.shape.rank; i++) {
        int axis = slot->layout ? slot->layout->axes[i] : i;
        p.steps[i] = axis < 0 ? 0 : strides[axis];
    }
    if (slot->parts > 1)
        p.start = p.size * (size_t)(whole->dims[whole->rank - 1] / slot->parts * slot->part);
    return p;
}

static void copy_row(char *to, size_t to_step, const char *from, size_t from_step, size_t count, size_t size) {
    if (to_step == size && from_step == size) {
        memcpy(to, from, count * size);
        return;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(to + i * to_step, from + i * from_step, size);
}

static void move(const ks_slot *slot, char *into, const char *from, bool put) {
    places p = places_of(slot);
    int last = p.shape.rank - 1;
    size_t index[KS_MAX_RANK] = {0}, width = last < 0 ? 1 : (size_t)p.shape.dims[last], rows = 1,
           bytes = width * p.size;
    size_t step = last < 0 ? p.size : p.steps[last];
    for (int i = 0; i < last; i++)
        rows *= (size_t)p.shape.dims[i];
    for (size_t row = 0; row < rows; row++) {
        size_t at = p.start;
        for (int i = 0; i < last; i++)
            at += index[i] * p.steps[i];
        if (put)
            copy_row(into + at, step, from + row * bytes, p.size, width, p.size);
        else
            copy_row(into + row * bytes, p.size, from + at, step, width, p.size);
        for (int i = last; i-- > 0 && ++index[i] == (size_t)p.shape.dims[i];)
            index[i] = 0;
    }
}

void ks__slot_put(const ks_slot *slot, void *whole, const void *array) {
    move(slot, whole, array, true);
}

void ks__slot_take(const ks_slot *slot, void *array, const void *whole) {
    move(slot, array, whole, false);
}

// --- lists ----------------------------------------------------------------------------------------------------------

static bool is_variable(const ks_slot *slot) {
    return slot->parts == 1 && !slot->layout;
}

static ks_code extract(ks_slot *slot, ks_context *context, ks_arena *arena) {
    ks_shape shape = ks_slot_shape(slot);
    uint64_t count = 0;
    char *out;
    ks_shape_elements(&shape, &count);
    out = ks_arena_get(arena, (size_t)count + 1, ks_dtype_size(slot->variable->dtype));
    if (!out)
        return context->error.code;
    ks__slot_take(slot, out, slot->variable->data);
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
        if (!is_variable(slot) && slot->data)
            KS_TRY(extract(slot, context, arena));
    }
done:
    return code;
}

// A part is written into a copy of the variable, whose data may be a view of a file.
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
    ks_code code;
    ks_shape_elements(&shape, &count);
    cast = ks_arena_get(arena, (size_t)count + 1, ks_dtype_size(v->dtype));
    if (!cast)
        return context->error.code;
    if (!ks_cast(cast, v->dtype, values->data, values->dtype, (size_t)count))
        return ks_fail(context, KS_E_MODEL_WEIGHTS, KS_STAGE_MODEL, KS_NO_OFFSET, v->path,
                       "values of type %s cannot be cast to %s", ks_dtype_name(values->dtype), ks_dtype_name(v->dtype));
    if (is_variable(slot)) {
        v->data = cast;
        v->real[0] = v->real[1] = NULL;
        return KS_OK;
    }
    KS_TRY(own_data(v, context, arena));
    ks__slot_put(slot, (void *)(uintptr_t)v->data, cast);
done:
    return code;
}
