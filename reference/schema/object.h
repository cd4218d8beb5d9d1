// SPDX-License-Identifier: Apache-2.0
//
// The canonical model: a tree of objects (models, layers, initializers, …) with checked config, ordered named children,
// variables and call graph. Every reader produces it; no stage after config looks at source text.
#ifndef KASSAY_SCHEMA_OBJECT_H
#define KASSAY_SCHEMA_OBJECT_H

#include <kassay/dialect.h>

#include "schema/tree.h"

typedef struct ks_class ks_class;
typedef struct ks_object ks_object;
typedef struct ks_variable ks_variable;
typedef struct ks_child ks_child;
typedef struct ks_graph ks_graph;
typedef struct ks_slot ks_slot; ///< weights/legacy.h

/// A weight. Lists keep the order of creation.
struct ks_variable {
    const char *name; ///< "kernel"
    const char *key;  ///< dataset in the object's group "vars"; NULL: its number
    ks_object *owner;
    ks_variable *next;
    ks_shape shape; ///< all dims known; see open_ended
    ks_dtype dtype;
    bool trainable;         ///< as created; `trainable` of the layer does not reorder (formats.md 3.5)
    bool listed;            ///< has its place in get_weights() order
    bool open_ended;        ///< its last dimension is that of the file, 0 before one is loaded
    ks_object *initializer; ///< of custom classes; others say theirs in the config
    const char *path;       ///< dataset in the weights file: "layers/dense/vars/0"; set by the weights stage
    const void *data;       ///< its elements in `dtype`, aligned; NULL before weights are loaded
    const void
        *real[2];   ///< the same as float and as double, for the kernels ([0] may equal data); see ks_variable_real
    bool loaded;    ///< by the newest run over a weights file
    ks_slot *slots; ///< [n_slots] the arrays that the writer's generation keeps for it; set by the weights stage
    size_t n_slots;
};

/// A sub-object that holds variables. `next` follows Keras's `_layers`, that is the order in which they were made.
struct ks_child {
    const char *attribute; ///< Python attribute: "forward_layer", "layers"
    bool member;           ///< one element of the list in that attribute
    ks_object *object;     ///< not owned: shared layers occur more than once
    ks_child *next;
};

struct ks_object {
    const ks_class *row;
    const char *path;  ///< v3 path, "layers/dense"; set by the weights stage
    const char *group; ///< of an older file, that its weights came from: "model_weights/dense"; NULL: none
    const char *name;  ///< config "name"; for objects without names the class name
    const ks_value
        *source; ///< the whole record {"module", "class_name", "config", …} or NULL when made by another object
    const ks_value
        *original;          ///< the same in the words of the file, when an older one was upgraded; else source or NULL
    const ks_value *config; ///< its config dict or NULL
    const char *place;      ///< where `config` stands: "config.json:/config/layers/3/config"
    void *params;           ///< struct of the class, filled from config by its key table
    bool trainable;
    bool built;
    ks_dialect dialect; ///< of the document it came from, where the same words mean other numbers
    bool multi_backend; ///< of Keras 1 and 2 before they became tf.keras
    bool theano;        ///< … and computed by Theano
    int version;        ///< of Keras, 209 for "2.9.0"; 0: the document does not say
    ks_dtype compute_dtype;
    ks_dtype variable_dtype;
    ks_variable *trainable_variables;
    ks_variable *other_variables;
    ks_variable *kept_variables; ///< saved under keys of their own, and none of the object's weights
    ks_child *children;
    ks_child *last_child;
    ks_graph *graph;                    ///< Functional and Sequential only
    const struct ks_registry *registry; ///< of the load, for what a custom class makes; NULL: none
    ks_object *parent;                  ///< that made it; NULL for members of a model
    size_t index;                       ///< dense number within the model, for per-object tables
    uint32_t walked[3];                 ///< marks of the weights stage: the lists that this object was last put into
};

/// Whether its numbers are those of Keras 1 or 2.
static inline bool ks_is_old(const ks_object *object) {
    return object->dialect == KS_DIALECT_KERAS1 || object->dialect == KS_DIALECT_KERAS2;
}
/// Whether it is of Keras 1 or 2 before this version (209 for 2.9); without a version the newest is assumed.
static inline bool ks_is_before(const ks_object *object, int version) {
    return ks_is_old(object) &&
           (object->dialect == KS_DIALECT_KERAS1 || (object->version && object->version < version));
}
/// Whether a number outside a table means the nearest row: Keras 3.0 to 3.2.
static inline bool ks_clips_rows(const ks_object *object) {
    return object->dialect == KS_DIALECT_KERAS3 && object->version && object->version < 303;
}
/// The row of a table of `count` rows that a number means. Keras 3 counts negative ones from the end, or clips; Keras 1
/// and 2 do neither. False: there is no such row. Source: Embedding and ops.take of each version with TensorFlow.
static inline bool ks_row_of(size_t *row, const ks_object *object, int64_t number, size_t count) {
    int64_t n = (int64_t)count;
    if (ks_clips_rows(object))
        number = number < 0 ? 0 : number < n ? number : n - 1;
    else if (number < 0 && !ks_is_old(object))
        number += n;
    *row = (size_t)number;
    return number >= 0 && number < n;
}

/// One call of a layer inside a Functional model (or Sequential, which is a chain of such calls).
typedef struct ks_node {
    ks_object *layer;
    ks_tree *arguments;   ///< one per argument of the class's signature; tensors are slots
    ks_tree result;       ///< structure of its result; tensors are slots
    size_t index;         ///< among the calls of its layer, as keras_history counts
    const ks_value *call; ///< {"args", "kwargs"} as it was written: which arguments had names; NULL: none had
    bool wide;            ///< an operation on float64, which is computed in that type whatever the model's is
    bool skipped;         ///< its arguments do not follow from the model's inputs: it is not computed (Keras 3.0)
} ks_node;

struct ks_graph {
    ks_object **layers; ///< model.layers: in the order of the file, only those reachable from the outputs
    size_t n_layers;
    ks_object **operations; ///< the same with the operations between them: what summary() lists
    size_t n_operations;
    /// A Sequential model of Keras 1 that begins with a Merge: its layers in the order of the file, as `operations` has
    /// them too; `layers` and the model's children are in the order that later versions give them. Else NULL.
    ks_child *in_order;
    ks_node *nodes; ///< in an order that can be executed
    size_t n_nodes;
    size_t *run_order; ///< [n_nodes]: indices of nodes in the order in which Keras 3 runs them; NULL: as they stand
    size_t n_slots;    ///< tensors
    ks_array *symbols; ///< [n_slots]: shape and dtype each had when the graph was wired
    ks_tree inputs;    ///< slots of InputLayer results, in the structure of the model's argument
    ks_tree outputs;
    bool single_in_list; ///< `outputs` is a list of one that may stand for a single tensor: see ks_graph_take_single
    bool begins_inside;  ///< some inputs are results of other layers (Keras 3.0), which stay part of the model
};

#endif
