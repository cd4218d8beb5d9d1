// SPDX-License-Identifier: Apache-2.0
//
// How Keras 1 lays out the kernels of convolutions: with channels first as Theano has them, filters before all else.
// Source: Keras 1.2.2 layers/convolutional.py, layers/convolutional_recurrent.py (W_shape in build).
#include <string.h>

#include "schema/convolutional_recurrent.h"
#include "schema/key_row.h"
#include "weights/legacy_internal.h"

static const ks_layout one_dimension = {4, {0, -1, 1, 2}}; // the kernel of a Conv2D of width 1
static const ks_layout two_dimensions = {4, {3, 2, 0, 1}};
static const ks_layout three_dimensions = {5, {4, 3, 0, 1, 2}};
static const ks_layout transposed_first = {4, {2, 3, 0, 1}};
static const ks_layout transposed_last = {4, {0, 1, 3, 2}};

static const ks_layout *convolution_layout(const ks_object *layer) {
    const ks_convolution *params = layer->params;
    bool first = params->data_format == KS_CHANNELS_FIRST;
    if (layer->row == &ks_class_Conv1D)
        return &one_dimension;
    if (layer->row == &ks_class_Conv2DTranspose)
        return first ? &transposed_first : &transposed_last;
    if (!first)
        return NULL;
    return layer->row == &ks_class_Conv3D ? &three_dimensions : &two_dimensions;
}

static bool is_convolution(const ks_class *row) {
    return row == &ks_class_Conv1D || row == &ks_class_Conv2D || row == &ks_class_Conv3D ||
           row == &ks_class_SeparableConv2D || row == &ks_class_Conv2DTranspose;
}

const ks_layout *ks__keras1_layout(const ks_variable *v) {
    const ks_object *owner = v->owner;
    if (strcmp(v->name, "bias") == 0)
        return NULL;
    if (is_convolution(owner->row))
        return convolution_layout(owner);
    if (owner->row == &ks_conv_lstm_cell && owner->parent->row == &ks_class_ConvLSTM2D)
        return ((const ks_conv_lstm *)owner->parent->params)->convolution.data_format == KS_CHANNELS_FIRST
                   ? &two_dimensions
                   : NULL;
    return NULL;
}
