// SPDX-License-Identifier: Apache-2.0
//
// What a class has: config keys with defaults and checks, call signature, variables, output shape, mask rule. One row
// per class; no arithmetic (that is the other half, layers/). The rows drive config checking, `kassay layers`, the
// support table, the config fuzzer's dictionary and the list of keys that golden cases must cover.
//
// A family is one file `schema/FAMILY.c` that defines `const ks_class ks_class_NAME` rows, plus one line per class in
// `schema/classes.def`.
#ifndef KASSAY_SCHEMA_CLASS_H
#define KASSAY_SCHEMA_CLASS_H

#include "schema/object.h"

typedef enum ks_kind {
    KS_KIND_LAYER,
    KS_KIND_MODEL,
    KS_KIND_OPERATION, ///< a keras.ops node: config has only "name"
    KS_KIND_INITIALIZER,
    KS_KIND_REGULARIZER,
    KS_KIND_CONSTRAINT,
    KS_KIND_POLICY,
    KS_KIND_OPTIMIZER,
    KS_KIND_LOSS,
    KS_KIND_METRIC,
    KS_KIND_SCHEDULE,
    KS_KIND_FUNCTION, ///< a custom function, used as an activation
    KS_KIND_SPEC      ///< what a layer accepts as input
} ks_kind;

typedef enum ks_key_type { // the type of the field at `offset`
    KS_KEY_BOOL,           ///< bool
    KS_KEY_INT,            ///< int64_t; null: KS_NULL_INT
    KS_KEY_FLOAT,          ///< double (an int is taken too); null: NaN
    KS_KEY_TEXT,           ///< ks_text; null: data == NULL
    KS_KEY_CHOICE,         ///< int: index into `choices`; null: -1
    KS_KEY_INTS,       ///< ks_ints: list of ints, or one int repeated `length` times when length > 0; null: count == 0
    KS_KEY_PAIRS,      ///< ks_ints: `length` pairs [before, after], flattened; one int or one int per axis is taken too
    KS_KEY_NUMBERS,    ///< ks_numbers: a number or nested lists of numbers (or __numpy__/__tensor__); null: count == 0
    KS_KEY_SHAPE,      ///< ks_shape: null dims are KS_UNKNOWN_DIM; null: rank == -1
    KS_KEY_ACTIVATION, ///< ks_activation
    KS_KEY_INITIALIZER, ///< ks_object *; null: NULL. A name ("zeros") or an object
    KS_KEY_REGULARIZER, ///< ks_object *
    KS_KEY_CONSTRAINT,  ///< ks_object *
    KS_KEY_LAYER,       ///< ks_object *: a nested layer; null: NULL
    KS_KEY_LAYERS,      ///< ks_objects: a list of layers
    KS_KEY_ANY          ///< const ks_value *: looked at by the class's check
} ks_key_type;

#define KS_NULL_INT INT64_MIN
#define KS_LOOSE SIZE_MAX ///< offset of a key that is checked and written but has no field
#define KS_MAX_INTS 16

typedef struct ks_ints {
    int64_t items[KS_MAX_INTS];
    int32_t count;
    bool scalar; ///< the file has one int
} ks_ints;

typedef struct ks_numbers {
    const double *items;
    size_t count;
    ks_shape shape; ///< rank 0 for one number
} ks_numbers;

typedef struct ks_objects {
    ks_object **items;
    size_t count;
} ks_objects;

typedef enum ks_activation_id {
#define KS_ACTIVATION(symbol, name) KS_ACTIVATION_##symbol,
#include "schema/activations.def"
#undef KS_ACTIVATION
    KS_N_ACTIVATIONS,
    KS_FIRST_OLD_ACTIVATION = KS_ACTIVATION_HARD_SIGMOID_2, ///< from here on: not in Keras 3
    KS_ACTIVATION_LAYER = -1                                ///< an activation layer instead of a function
} ks_activation_id;

typedef struct ks_activation {
    ks_activation_id id; ///< KS_ACTIVATION_LINEAR for null
    ks_object *layer;
} ks_activation;

enum ks_key_flags {
    KS_NULLABLE = 1,   ///< null is a value
    KS_REQUIRED = 2,   ///< the constructor has no default
    KS_NUMERIC = 4,    ///< changes predictions: golden cases must cover a non-default value
    KS_INERT = 8,      ///< has no effect on loading and inference; checked, then kept for writing
    KS_SINGLE = 16,    ///< Keras holds the number as a float32 and writes what that is
    KS_READ_ONLY = 32, ///< written by other generations, or only where the base class writes it
    KS_NOT_NULL = 64,  ///< written when it is not null
    KS_SCALAR = 128,   ///< INTS: one int is written as one
    KS_GIVEN = 512,    ///< of custom classes: written when it was read
    KS_OLD = 256 ///< Keras 3 takes it and does not write it, Keras 2 does: with another value than the default, a loss
};

/// What a constructor makes of a plain number before it keeps it.
typedef enum ks_key_form {
    KS_FORM_PLAIN,
    KS_FORM_LIST,     ///< [v]
    KS_FORM_PAIR,     ///< [v, v]
    KS_FORM_FROM_0,   ///< [0, v]
    KS_FORM_FROM_1,   ///< [1, v]
    KS_FORM_AROUND_0, ///< [-v, v]
} ks_key_form;

typedef struct ks_key {
    const char *name;
    uint32_t name_size; ///< bytes: most rows that a key is compared with are told apart by it
    ks_key_type type;
    int flags;
    int length;                 ///< INTS and PAIRS: the number of items (pairs); 0 = any
    size_t offset;              ///< into the class's params struct
    const char *otherwise;      ///< default as JSON text; NULL with KS_REQUIRED
    int64_t minimum, maximum;   ///< INT, and each of INTS and PAIRS; checked when minimum < maximum
    const char *const *choices; ///< CHOICE: NULL-terminated
    const char *since, *until;  ///< Keras versions that write it, or NULL
    ks_key_form form;
} ks_key;

#define KS_MAX_ARGUMENTS 12

/// What a symbolic or numeric call hands to a class.
typedef struct ks_call {
    ks_context *context;
    ks_arena *arena;          ///< results live here
    const ks_tree *arguments; ///< [row->n_arguments], in the order of the signature; absent ones are KS_TREE_NONE
    ks_dtype real; ///< dtype of floating results: compute dtype in a symbolic call, FLOAT32/FLOAT64 in a numeric one
    bool symbolic;
    int depth; ///< of nested calls, bounded by limits.model_depth
} ks_call;

#define KS_SINCE_KERAS3 300

typedef enum ks_mask_rule {
    KS_MASK_NONE,  ///< supports_masking is false: the output has no mask
    KS_MASK_PASS,  ///< supports_masking, compute_mask not overridden: the first argument's mask goes on
    KS_MASK_CUSTOM ///< row->compute_mask (symbolic: is there a mask and its shape) and the layer's numeric half
} ks_mask_rule;

/// What a layer makes of integers, where Keras goes on in their type: a mean without its fraction, say.
typedef enum ks_integer_rule {
    KS_INTEGERS_TAKEN,
    KS_INTEGERS_REFUSED,        ///< that is not in this reference
    KS_INTEGERS_REFUSED_KERAS2, ///< … of Keras 1 and 2; Keras 3 makes floats of them
} ks_integer_rule;

struct ks_plugin_class;
struct ks_registry;

struct ks_class {
    const char *name;        ///< as written in class_name
    const char *python_name; ///< the Python class, which names HDF5 groups; NULL: same as name
    const char *module;      ///< "keras.layers"
    ks_kind kind;
    const ks_key *keys; ///< of its own; name, trainable and dtype of every layer are added by the config stage
    size_t n_keys;
    /// The keys in Keras's order, "*" for all of `keys` that are not named, "regularizer" for the activity_regularizer
    /// that a layer's base class writes when it is not null; NULL: "name trainable dtype regularizer *" (of layers),
    /// "name *" (of operations), "*" (of others). A key that is not named and has no "*" is only read.
    const char *written;
    bool writes_build; ///< an empty "build_config" even when it was never built
    size_t params_size;
    const char *const *arguments; ///< call signature without self, NULL-terminated; NULL means {"inputs"}
    ks_mask_rule mask;
    /// The version of Keras 2 from which `mask` holds (205 for 2.5), KS_SINCE_KERAS3: of none; the mask ends there in
    /// tf.keras before. Ask ks_mask_rule_of().
    int mask_since;
    bool returns_input; ///< its result is the very tensor it was given, not another one of equal numbers
    ks_integer_rule integers;
    /// Takes the masks away from its tensors (query, value, key) when it is called: layers that are called with them
    /// later see none.
    bool takes_masks;
    const char *policy;      ///< a dtype policy besides float32 that it can have: its check says when; or NULL
    const char *unsupported; ///< why this class cannot be run, or NULL
    const char *unsafe;      ///< why obeying it would be unsafe, or NULL
    const char *since;       ///< first Keras version that has it, or NULL
    const struct ks_plugin_class *custom; ///< the table of a custom class; NULL for Keras's own
    /// Checks between keys, after the key table was applied. May be NULL.
    ks_code (*check)(ks_context *context, ks_object *object);
    /// What Keras computes from other keys when it writes the config. May be NULL. False: no memory.
    bool (*adjust)(ks_value *config, ks_arena *arena, const ks_object *object);
    /// Makes variables and children for these arguments; called once. NULL: nothing to make.
    ks_code (*build)(ks_call *call, ks_object *object);
    /// The result's structure, dtypes and shapes. Called in symbolic calls, and in numeric ones to size the outputs.
    /// NULL: the result is like the first argument, in the call's real dtype.
    ks_code (*infer)(ks_tree *out, ks_call *call, ks_object *object);
    /// KS_MASK_CUSTOM: the masks of the flattened outputs (arrays without data; NULL entries: none).
    /// `masks` has as many entries as `result` has arrays.
    ks_code (*compute_mask)(ks_array **masks, const ks_tree *result, ks_call *call, ks_object *object);
};

/// What the layer does with a mask in its version of Keras. Source: supports_masking of each layer, asked of 23
/// versions.
static inline ks_mask_rule ks_mask_rule_of(const ks_object *object) {
    int since = object->row->mask_since;
    bool ends = since == KS_SINCE_KERAS3 ? ks_is_old(object) : ks_is_before(object, since) && !object->multi_backend;
    return since && ends ? KS_MASK_NONE : object->row->mask;
}

/// Helpers for rows.
#define KS_NAMED(text) .name = (text), .name_size = sizeof(text) - 1
#define KS_FIELD(type, field) offsetof(type, field)
#define KS_KEYS(table) .keys = (table), .n_keys = sizeof(table) / sizeof((table)[0])

/// Every row by its own name: ks_class_Dense.
#define KS_LAYER(name) extern const ks_class ks_class_##name;
#define KS_MASKED_LAYER(name) extern const ks_class ks_class_##name;
#define KS_OBJECT(name) extern const ks_class ks_class_##name;
#include "schema/classes.def"
#undef KS_LAYER
#undef KS_MASKED_LAYER
#undef KS_OBJECT

/// All classes, NULL-terminated, in the order of classes.def.
const ks_class *const *ks_classes(void);
/// By class_name and module; `module` may be NULL (Keras 1 and 2). Aliases ("Convolution2D") are found too.
const ks_class *ks_class_find(ks_text name, const ks_text *module);
/// By the name a config may use in place of a record ("glorot_uniform", "zeros", "l2"); NULL when unknown.
const ks_class *ks_class_by_alias(ks_kind kind, ks_text name);
/// Keras's to_snake_case for a class name: "Conv2DTranspose" gives "conv2d_transpose". Returns its length.
size_t ks_snake_case(char *out, size_t room, const char *name);
/// Whether only Keras 1 or 2 has it: its module is "keras1.…" or "keras2.…".
bool ks_class_is_old(const ks_class *row);
const char *ks_kind_name(ks_kind kind);
const char *ks_class_python_name(const ks_class *row);
/// Number of arguments of its signature.
size_t ks_class_argument_count(const ks_class *row);
/// KS_N_ACTIVATIONS when the name is unknown.
ks_activation_id ks_activation_by_name(ks_text name);
const char *ks_activation_name(ks_activation_id id);

// --- for build and infer functions ---------------------------------------------------------------------------------

/// The first argument's array; when it is something else, records an error and returns NULL.
ks_array *ks_call_input(ks_call *call, const ks_object *object);
/// Argument `index` when it is an array, else NULL.
ks_array *ks_call_array(const ks_call *call, size_t index);
/// True when argument `index` is the plain value True; `otherwise` when it is absent or None.
bool ks_call_flag(const ks_call *call, size_t index, bool otherwise);
/// Fails unless minimum <= rank <= maximum (maximum -1: any).
ks_code ks_call_check_rank(ks_call *call, const ks_object *object, const ks_array *input, int minimum, int maximum);
/// Makes `*out` one array of this dtype and shape. KS_DTYPE_NONE means call->real.
ks_code ks_result(ks_tree *out, ks_call *call, ks_dtype dtype, const ks_shape *shape);
/// Fails with a shape error at the object's place: KS_E_CONFIG_SHAPE.
#if defined(__GNUC__)
__attribute__((cold, format(printf, 3, 4)))
#endif
ks_code
ks_shape_error(ks_context *context, const ks_object *object, const char *format, ...);
/// Fails at one of the object's config keys.
#if defined(__GNUC__)
__attribute__((cold, format(printf, 5, 6)))
#endif
ks_code
ks_key_error(ks_context *context, ks_code code, const ks_object *object, const char *key, const char *format, ...);

/// Adds a variable of the object's variable dtype (dtype KS_DTYPE_NONE) or of another. All dims must be known: an
/// unknown one is a shape error.
ks_code ks_add_variable(ks_call *call, ks_object *object, const char *name, const ks_shape *shape, ks_dtype dtype,
                        bool trainable);
/// Adds one that is saved as dataset `key`, a vector whose size is that of the file; `kept`: it is none of the weights.
ks_code ks_add_kept_variable(ks_variable **out, ks_call *call, ks_object *object, const char *key, bool kept);
/// Whether the config names this dtype, alone or as a policy.
bool ks_config_dtype_is(const ks_object *object, const char *name);
/// Tells an existing object (from a KS_KEY_LAYER) to its parent under this attribute.
ks_code ks_add_child(ks_call *call, ks_object *object, const char *attribute, bool member, ks_object *child);
/// Makes a sub-layer that has no record of its own in the file (MultiHeadAttention's "query_dense"): params are zeroed
/// and `fill`ed by the caller afterwards; it inherits dtypes and trainable.
ks_code ks_make_child(ks_object **out, ks_call *call, ks_object *object, const char *attribute, const char *name,
                      const ks_class *row);
/// Builds `child` for these arguments unless it is built already.
ks_code ks_build(ks_call *call, ks_object *child, const ks_tree *arguments);
/// infer of `child`, with its rank of nesting counted. Builds it first when needed (symbolic calls only).
ks_code ks_infer(ks_tree *out, ks_call *call, ks_object *child, const ks_tree *arguments);

#endif
