// SPDX-License-Identifier: Apache-2.0
//
// Tensors in nested structures, as they are passed to a layer and come back from it. The same form serves a symbolic
// call (shapes only) and a numeric one.
//
// Kept: Keras's `tree` order. A dict's items are sorted by key when it is flattened.
#ifndef KASSAY_SCHEMA_TREE_H
#define KASSAY_SCHEMA_TREE_H

#include <kassay/tensor.h>
#include <kassay/value.h>

#include "base/arena.h"

typedef struct ks_array ks_array;

struct ks_array {
    ks_dtype dtype; ///< floating tensors of a numeric call: KS_FLOAT32 or KS_FLOAT64, whichever the call computes in;
                    ///< between operations on float64: that
    ks_shape shape; ///< dims may be KS_UNKNOWN_DIM in a symbolic call
    void *data;     ///< C order; NULL in a symbolic call
    ks_array *mask; ///< bool, what Keras keeps as `_keras_mask`; NULL: none
    ks_array *same; ///< ring of the arrays that are one tensor in Keras and have one mask; NULL: it is alone
};

typedef enum ks_tree_type {
    KS_TREE_NONE, ///< Python's None
    KS_TREE_ARRAY,
    KS_TREE_SLOT, ///< only in the recorded arguments of a graph's node: the tensor with this number
    KS_TREE_LIST, ///< list or tuple
    KS_TREE_DICT,
    KS_TREE_VALUE ///< a plain value: number, bool, text, slice object
} ks_tree_type;

typedef struct ks_tree ks_tree;

struct ks_tree {
    ks_tree_type type;
    union {
        ks_array *array;
        size_t slot;
        const ks_value *value;
        struct {
            ks_tree *items;
            ks_text *keys; ///< dict only
            size_t count;
        } list;
    } as;
};

static inline ks_tree ks_tree_of(ks_array *array) {
    ks_tree tree = {array ? KS_TREE_ARRAY : KS_TREE_NONE, {array}};
    return tree;
}
/// Number of leaves that are arrays or slots.
size_t ks_tree_count(const ks_tree *tree);
/// The leaves that are arrays, in flattened order (dicts by sorted key); `out` has room for `room`; returns their
/// number.
size_t ks_tree_flatten(const ks_tree *tree, ks_array **out, size_t room);
/// Same, for slots.
size_t ks_tree_slots(const ks_tree *tree, size_t *out, size_t room);
/// Puts slots in place of the arrays, numbered from `first` in flattened order; returns the number after the last.
size_t ks_tree_number(ks_tree *tree, size_t first);
/// A list of `count` empty trees; items is NULL on failure.
ks_tree ks_tree_list(ks_arena *arena, size_t count);
/// A new array of this type and shape without data; NULL on failure.
ks_array *ks_array_new(ks_arena *arena, ks_dtype dtype, const ks_shape *shape);
/// Makes two arrays one tensor: what is done to the mask of one is done to the other. `a` is alone and gets b's mask.
void ks_array_join(ks_array *a, ks_array *b);
/// Gives the array, and all that are one tensor with it, this mask; NULL: none.
void ks_array_set_mask(ks_array *array, ks_array *mask);
/// Elements of an array with known shape.
size_t ks_array_elements(const ks_array *array);
/// Python's index: a negative axis counts from the end. -1 when out of range.
int ks_axis(int64_t axis, int rank);

#endif
