// SPDX-License-Identifier: Apache-2.0
//
// keras.ops as nodes of a graph: config, operands, result types.
#ifndef KASSAY_SCHEMA_OPERATION_H
#define KASSAY_SCHEMA_OPERATION_H

#include "schema/class.h"

/// One struct for all operations; each row's keys say which fields it has.
typedef struct ks_operation {
    ks_ints axis; ///< count 0: None
    ks_ints axis2;
    bool keepdims;
    bool approximate;
    bool transpose_a, transpose_b;
    bool sparse, ragged;
    double a, b, c; ///< "negative_slope", "x_min", …: see the row
    ks_text text;   ///< "dtype", "subscripts"
    int64_t number; ///< "num_classes"
    const ks_value *ignored;
} ks_operation;

/// An argument of an operation as an array: a tensor, or a number, list, __numpy__ or __tensor__ from the file.
typedef struct ks_operand {
    ks_array *array;
    ks_value_type weak; ///< KS_VALUE_BOOL, INT or FLOAT for a Python number, else KS_VALUE_NULL
} ks_operand;

ks_code ks_operand_at(ks_operand *out, ks_call *call, const ks_object *object, size_t index);
ks_code ks_operand_of(ks_operand *out, ks_call *call, const ks_object *object, const ks_tree *tree);
/// The element type of both together, as Keras promotes them. Floating ones are the call's own in a numeric call.
ks_dtype ks_operand_dtype(const ks_call *call, const ks_operand *operands, size_t count);
/// A floating type in place of integers and bools.
ks_dtype ks_operand_float(const ks_call *call, ks_dtype dtype);
#define KS_MAX_TENSORDOT 16 ///< axes of both operands of Tensordot
/// Labels for the axes of Tensordot's operands, [rank] each, and its result, as text [KS_MAX_TENSORDOT + 1]; equal ones
/// are summed over. False: its config does not fit these shapes.
bool ks_tensordot_labels(char *out, char *a_labels, char *b_labels, const ks_object *object, const ks_shape *a,
                         const ks_shape *b);
/// The operands of an argument that is a list of tensors.
ks_operand *ks_operand_list(size_t *count, ks_call *call, const ks_object *object, size_t index);
/// Whether TensorFlow's matmul turns the matrices of this operand; Keras 3's Matmul never does.
bool ks_operand_is_transposed(const ks_object *object, size_t index);
ks_code ks_argument_error(ks_call *call, const ks_object *object, const char *text);
/// Whether an argument or a result is a float64 tensor, or has one among its constants.
bool ks_holds_double(const ks_tree *tree);

/// The axes of a reduction, in order; all of them for None. False when one is out of range or doubled.
bool ks_operation_axes(int *axes, int *count, const ks_ints *given, int rank);

/// One index of GetItem's key, along one axis of x.
typedef struct ks_index {
    bool new_axis; ///< a dimension of 1 that x does not have
    bool single;   ///< the axis goes away
    int64_t start, step, count;
} ks_index;

/// The key for an x of this shape: every axis has its index. Unknown lengths give count KS_UNKNOWN_DIM.
ks_code ks_getitem_key(ks_index *indices, int *count, ks_call *call, const ks_object *object, const ks_shape *shape);
/// Start indices and length of one part of Split.
ks_code ks_split_parts(int64_t *starts, size_t room, size_t *count, ks_call *call, const ks_object *object,
                       const ks_shape *shape, int axis);

/// The order of axes of Transpose, Swapaxes or Moveaxis; -1 somewhere when the config does not fit this rank.
void ks_operation_order(int *axes, const ks_object *object, int rank);
/// Before and after each axis; false when the config does not fit this rank.
bool ks_pad_widths(int64_t (*widths)[2], const ks_object *object, int rank);

#endif
