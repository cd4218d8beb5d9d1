// SPDX-License-Identifier: Apache-2.0
//
// From the arrays of an older file to the variables of Keras 3: gates that were apart are put side by side, kernels of
// convolutions transposed, weights of CuDNN layers brought into the layout of plain ones. Source: Keras 2
// saving/hdf5_format.py (preprocess_weights_for_loading, _convert_rnn_weights) and, for kernels of Theano, Keras 2.3.1
// engine/saving.py (_need_convert_kernel). Keras 3 converts nothing: there a shape that differs is an error.
#include <string.h>

#include "schema/convolutional_recurrent.h"
#include "schema/key_row.h"
#include "schema/recurrent.h"
#include "weights/legacy_internal.h"

typedef enum plan_kind {
    AS_IS,
    PERMUTED,
    RESHAPED,
    CUDNN_KERNEL,    ///< each gate's block transposed and laid out anew: [in][units] from the flat units × in
    CUDNN_RECURRENT, ///< each gate's square block transposed
    CUDNN_BIASES     ///< input and recurrent biases added
} plan_kind;

/// How one variable comes out of its array.
typedef struct plan {
    plan_kind kind;
    ks_shape shape; ///< of the array after the permutation
    int order[KS_MAX_RANK];
    bool flipped; ///< all spatial axes reversed
    int gates;
} plan;

// --- convolutions ---------------------------------------------------------------------------------------------------

static void permute(plan *p, const int *order) {
    ks_shape shape = p->shape;
    int before[KS_MAX_RANK];
    memcpy(before, p->order, sizeof(before));
    for (int i = 0; i < p->shape.rank; i++) {
        p->shape.dims[i] = shape.dims[order[i]];
        p->order[i] = before[order[i]];
    }
    p->kind = PERMUTED;
}

static bool is_one_of(const ks_class *row, const ks_class *const *rows) {
    while (*rows && *rows != row)
        rows++;
    return *rows != NULL;
}

// The layers that Keras 2 converts kernels for.
static bool has_kernel_layout(const ks_class *row) {
    static const ks_class *const rows[] = {&ks_class_Conv1D, &ks_class_Conv2D, &ks_class_Conv3D,
                                           &ks_class_Conv2DTranspose, NULL};
    return is_one_of(row, rows);
}

// Keras 1 kept a kernel of Conv1D as that of a Conv2D of width 1, until 1.1 in the order of Theano.
static void plan_conv1d_of_keras1(plan *p, const ks_variable *v) {
    static const int theano[] = {2, 3, 1, 0};
    const ks_convolution *params = v->owner->params;
    if (p->shape.rank != 4)
        return;
    if (p->shape.dims[0] != params->kernel_size.items[0] || p->shape.dims[1] != 1 ||
        p->shape.dims[3] != params->filters)
        permute(p, theano);
    if (p->shape.dims[1] != 1)
        return; // will not fit
    p->kind = p->kind == AS_IS ? RESHAPED : p->kind;
    p->shape = (ks_shape){3, {p->shape.dims[0], p->shape.dims[2], p->shape.dims[3]}};
}

// The layout says where the array's axes stand in the variable; a plan, where the variable's come from.
static void plan_kernel_of_keras1(plan *p, const ks_variable *v) {
    const ks_layout *layout = v->slots->layout;
    int order[KS_MAX_RANK];
    if (v->owner->row == &ks_class_Conv1D) {
        plan_conv1d_of_keras1(p, v);
        return;
    }
    if (!layout || layout->rank != p->shape.rank)
        return;
    for (int i = 0; i < layout->rank; i++)
        order[layout->axes[i]] = i;
    permute(p, order);
}

static bool is_bias(const ks_variable *v) {
    return strcmp(v->name, "bias") == 0;
}

// Theano convolves with the kernel turned around. Keras 2 says who wrote a file, Keras 1 does not.
static bool is_turned(const ks__load *l, const ks_legacy_group *group) {
    if (group->writer != KS_WRITER_KERAS1 && !ks_writer_is_keras2(group->writer))
        return false;
    if (l->options.backend != KS_BACKEND_AUTO)
        return l->options.backend == KS_BACKEND_THEANO;
    return ks_writer_is_keras2(group->writer) && group->backend && strcmp(group->backend, "theano") == 0;
}

static void plan_convolution(plan *p, const ks__load *l, const ks_legacy_group *group, const ks_variable *v) {
    static const int other_order[] = {3, 2, 0, 1};
    if (is_bias(v))
        return;
    if (group->writer == KS_WRITER_KERAS1)
        plan_kernel_of_keras1(p, v);
    if (group->writer == KS_WRITER_KERAS3 || !has_kernel_layout(v->owner->row))
        return;
    if (p->shape.rank == 4 && !ks_shape_equal(&p->shape, &v->shape))
        permute(p, other_order);
    p->flipped = is_turned(l, group);
}

// --- recurrent cells ------------------------------------------------------------------------------------------------

// CuDNN layers keep two biases for every gate.
static bool is_cudnn(const ks_variable *first, int gates) {
    const ks_variable *bias = first;
    while (bias && !is_bias(bias))
        bias = bias->next;
    return bias && bias->slots->type.shape.rank == 1 && first->shape.rank == 2 &&
           bias->slots->type.shape.dims[0] == 2 * first->shape.dims[1] && first->shape.dims[1] % gates == 0;
}

static void plan_cell(plan *p, const ks_legacy_group *group, const ks_variable *v) {
    const ks_object *owner = v->owner;
    bool lstm = owner->row == &ks_class_LSTMCell;
    if (group->writer == KS_WRITER_KERAS3 || (!lstm && owner->row != &ks_class_GRUCell))
        return;
    p->gates = lstm ? 4 : 3;
    if (!is_cudnn(owner->trainable_variables, p->gates))
        return;
    if (!is_bias(v)) {
        p->kind = strcmp(v->name, "kernel") == 0 ? CUDNN_KERNEL : CUDNN_RECURRENT;
    } else if (lstm) {
        p->kind = CUDNN_BIASES;
        p->shape.dims[0] /= 2;
    } else if (v->shape.rank == 2) { // of a GRU with reset_after; no other one can take these weights
        p->kind = RESHAPED;
        p->shape = (ks_shape){2, {2, p->shape.dims[0] / 2}};
    }
}

// --- moving elements ------------------------------------------------------------------------------------------------

static void move_permuted(char *out, const char *in, const plan *p, const ks_shape *raw, size_t size, size_t count) {
    size_t strides[KS_MAX_RANK], steps[KS_MAX_RANK], index[KS_MAX_RANK] = {0}, step = size;
    int64_t dims[KS_MAX_RANK];
    int rank = raw->rank;
    for (int i = rank; i-- > 0; step *= (size_t)raw->dims[i])
        strides[i] = step;
    for (int i = 0; i < rank; i++) {
        steps[i] = strides[p->order[i]];
        dims[i] = raw->dims[p->order[i]];
    }
    for (size_t n = 0; n < count; n++, out += size) {
        const char *from = in;
        for (int i = 0; i < rank; i++)
            from += index[i] * steps[i];
        memcpy(out, from, size);
        for (int i = rank; i-- > 0 && ++index[i] == (size_t)dims[i];)
            index[i] = 0;
    }
}

// Reverses the spatial axes, which come before the last two.
static void flip(char *data, const ks_shape *shape, size_t size, size_t count) {
    size_t block = size, n_blocks;
    for (int i = shape->rank - 2; i < shape->rank; i++)
        block *= (size_t)shape->dims[i];
    n_blocks = block ? size * count / block : 0;
    for (size_t a = 0, b = n_blocks; a + 1 < b; a++, b--)
        for (size_t i = 0; i < block; i++) {
            char c = data[a * block + i];
            data[a * block + i] = data[(b - 1) * block + i];
            data[(b - 1) * block + i] = c;
        }
}

static void move_cudnn(char *out, const char *in, const plan *p, const ks_shape *shape, size_t size) {
    size_t rows = (size_t)shape->dims[0], width = (size_t)shape->dims[1], units = width / (size_t)p->gates;
    for (size_t gate = 0; gate < (size_t)p->gates; gate++)
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < units; j++) {
                // Element (i, j) of the block, taken from where the block in row order has its flat index.
                size_t flat = p->kind == CUDNN_KERNEL ? j * rows + i : j * units + i;
                const char *from = in + ((flat / units) * width + gate * units + flat % units) * size;
                memcpy(out + (i * width + gate * units + j) * size, from, size);
            }
}

static ks_code add_biases(ks__load *l, const ks_variable *v, float *out, const float *in, size_t count) {
    if (v->dtype != KS_FLOAT32)
        return ks__weights_fail(l, KS_E_WEIGHTS_DTYPE, v->slots->path, "biases of CuDNN layers are added as float32");
    for (size_t i = 0; i < count; i++)
        out[i] = in[i] + in[i + count];
    return KS_OK;
}

static ks_code apply(ks__load *l, const plan *p, ks_variable *v, const void *raw) {
    size_t size = ks_dtype_size(v->dtype);
    uint64_t count = 0;
    char *out;
    ks_code code = KS_OK;
    ks_shape_elements(&v->shape, &count);
    out = ks_arena_get(l->arena, (size_t)count + 1, size);
    if (!out)
        return l->context->error.code;
    switch (p->kind) {
    case AS_IS:
    case RESHAPED:
        memcpy(out, raw, (size_t)count * size);
        break;
    case PERMUTED:
        move_permuted(out, raw, p, &v->slots->type.shape, size, (size_t)count);
        break;
    case CUDNN_KERNEL:
    case CUDNN_RECURRENT:
        move_cudnn(out, raw, p, &v->shape, size);
        break;
    case CUDNN_BIASES:
        code = add_biases(l, v, (float *)(void *)out, raw, (size_t)count);
        break;
    }
    if (p->flipped)
        flip(out, &v->shape, size, (size_t)count);
    ks__set_data(v, out);
    return code;
}

// --- one variable ---------------------------------------------------------------------------------------------------

static bool needs_raw(const ks__load *l, const ks_slot *slot) {
    return !l->options.copy && !slot->data; // a model that keeps its own list does not show the file's arrays
}

static ks_code read_raw(ks__load *l, ks_slot *slot) {
    return needs_raw(l, slot)
               ? ks__dataset_read(&slot->data, l, slot->dataset, &slot->type, slot->type.dtype, slot->path)
               : KS_OK;
}

static ks_code mismatch(ks__load *l, ks_variable *v, const ks_slot *slot) {
    if (l->options.skip_mismatch)
        return ks__weights_note(l, v->owner, v, slot->path, "another shape");
    return ks__shape_mismatch(l, v, &slot->type, slot->path);
}

/// Whether the array can be the variable, which has the array's size then. By name Keras compares with the size that is
/// not known yet, and takes none.
static bool takes_size(const ks__load *l, ks_variable *v, const ks_shape *shape) {
    if (l->options.by_name || shape->rank != v->shape.rank)
        return false;
    for (int i = 0; i + 1 < shape->rank; i++)
        if (shape->dims[i] != v->shape.dims[i])
            return false;
    if (!l->options.check)
        v->shape = *shape;
    return true;
}

static ks_code convert_whole(ks__load *l, const ks_legacy_group *group, ks_variable *v) {
    ks_slot *slot = v->slots;
    plan p = {.shape = slot->type.shape};
    const void *data;
    ks_code code;
    for (int i = 0; i < KS_MAX_RANK; i++)
        p.order[i] = i;
    if (v->owner->row == &ks_class_LSTMCell || v->owner->row == &ks_class_GRUCell)
        plan_cell(&p, group, v);
    else if (has_kernel_layout(v->owner->row) || v->owner->row == &ks_class_SeparableConv2D)
        plan_convolution(&p, l, group, v);
    if (slot->type.null_dataspace ||
        !(v->open_ended ? takes_size(l, v, &p.shape) : ks_shape_equal(&p.shape, &v->shape)))
        return mismatch(l, v, slot);
    if (l->options.check)
        return ks__weights_note(l, v->owner, v, slot->path, NULL);
    KS_TRY(ks__dataset_read(&data, l, slot->dataset, &slot->type, v->dtype, slot->path));
    if (p.kind == AS_IS && !p.flipped) {
        ks__set_data(v, data);
        if (slot->type.dtype == v->dtype)
            slot->data = data;
    } else {
        KS_TRY(apply(l, &p, v, data));
    }
    KS_TRY(read_raw(l, slot));
    KS_TRY(ks__weights_note(l, v->owner, v, slot->path, NULL));
done:
    return code;
}

// Keras 1: one array per gate.
static ks_code convert_gates(ks__load *l, const ks_legacy_group *group, ks_variable *v) {
    size_t size = ks_dtype_size(v->dtype), parts = v->n_slots;
    ks_shape part = ks_slot_shape(&v->slots[0]);
    uint64_t count = 0;
    char *out = NULL;
    ks_code code = KS_OK;
    for (size_t i = 0; i < parts; i++)
        if (v->slots[i].type.null_dataspace || !ks_shape_equal(&v->slots[i].type.shape, &part))
            return mismatch(l, v, &v->slots[i]);
    ks_shape_elements(&v->shape, &count);
    if (!l->options.check) {
        out = ks_arena_get(l->arena, (size_t)count + 1, size);
        if (!out)
            return l->context->error.code;
    }
    for (size_t i = 0; out && i < parts; i++) {
        ks_slot *slot = &v->slots[i];
        const void *data;
        KS_TRY(ks__dataset_read(&data, l, slot->dataset, &slot->type, v->dtype, slot->path));
        ks__slot_put(slot, out, data);
        if (slot->type.dtype == v->dtype)
            slot->data = data;
        KS_TRY(read_raw(l, slot));
    }
    if (out && v->owner->row == &ks_conv_lstm_cell && !is_bias(v) && is_turned(l, group))
        flip(out, &v->shape, size, (size_t)count);
    if (out)
        ks__set_data(v, out);
    KS_TRY(ks__weights_note(l, v->owner, v, v->slots[0].path, NULL));
done:
    return code;
}

ks_code ks__legacy_convert(ks__load *l, const ks_legacy_group *group, const ks_slots *slots) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < slots->count; i++) {
        ks_variable *v = slots->items[i]->variable;
        if (slots->items[i]->part)
            continue;
        KS_TRY(v->n_slots > 1 ? convert_gates(l, group, v) : convert_whole(l, group, v));
    }
done:
    return code;
}
