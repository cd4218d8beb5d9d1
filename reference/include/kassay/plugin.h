// SPDX-License-Identifier: Apache-2.0
//
// Custom classes and functions in C, for models whose files name classes that are not Keras's own. A plugin is a shared
// library that includes this header alone and exports
//
//     bool ks_plugin_register(const ks_plugin_host *host, ks_registry *registry);
//
// which hands its classes to host->add or host->pass. golden/custom/guide.c is the tutorial: the classes of the Keras
// guides, each beside its Python half.
//
// A class has two halves, as Keras's own have here: what it has (config keys, variables, sub-layers, the shape of its
// result) and what it computes. The second is one of
//   infer, forward_float, forward_double   plain arrays: one floating tensor in and one out
//   call                                   calls other layers: one tensor in and one out, for shapes and for numbers
//   call_all                               any structures of tensors in and out, masks and other arguments, the same
//   way
// Arrays are in C order. Initializers, regularizers, constraints, losses, metrics, optimizers and schedules have config
// keys; of initializers `fill` gives the numbers. Plain functions have a name.
//
// Tables begin with their size and grow at the end only: a plugin stays good for later programs of this interface's
// version, and one of another version is refused by that word.
#ifndef KASSAY_PLUGIN_H
#define KASSAY_PLUGIN_H

#include <kassay/status.h>
#include <kassay/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KS_PLUGIN_ABI 2

typedef struct ks_registry ks_registry;
typedef struct ks_plugin_host ks_plugin_host;
typedef struct ks_plugin_call ks_plugin_call;     ///< one build or call
typedef struct ks_plugin_object ks_plugin_object; ///< a layer or model
typedef struct ks_plugin_array ks_plugin_array;   ///< a tensor inside a call; without data when only shapes are asked
typedef struct ks_plugin_value ks_plugin_value; ///< an argument or result: a tensor, a structure of them, a plain value

typedef enum ks_plugin_kind {
    KS_PLUGIN_LAYER,
    KS_PLUGIN_MODEL,    ///< a subclassed model: sub-layers found by attribute, shape from the file's build_config
    KS_PLUGIN_FUNCTION, ///< an activation (forward), an initializer (fill), a regularizer, constraint, loss or metric
    KS_PLUGIN_INITIALIZER,
    KS_PLUGIN_REGULARIZER,
    KS_PLUGIN_CONSTRAINT,
    KS_PLUGIN_LOSS,      ///< its config has "name" and "reduction" before its own keys
    KS_PLUGIN_METRIC,    ///< … "name" and "dtype"
    KS_PLUGIN_OPTIMIZER, ///< … those of Keras's Optimizer
    KS_PLUGIN_SCHEDULE   ///< of learning rates
} ks_plugin_kind;

typedef enum ks_plugin_type {
    KS_PLUGIN_NONE, ///< Python's None, and an argument that was not given
    KS_PLUGIN_TENSOR,
    KS_PLUGIN_LIST, ///< or tuple
    KS_PLUGIN_DICT,
    KS_PLUGIN_PLAIN ///< a number, truth or text
} ks_plugin_type;

typedef enum ks_plugin_key_type {
    KS_PLUGIN_BOOL,
    KS_PLUGIN_INTEGER,
    KS_PLUGIN_NUMBER,
    KS_PLUGIN_TEXT,
    KS_PLUGIN_OBJECT, ///< a Keras object: its record, a name, or null
    KS_PLUGIN_VALUE   ///< any JSON value
} ks_plugin_key_type;

typedef struct ks_plugin_key {
    const char *name;
    ks_plugin_key_type type;
    const char *otherwise; ///< default as JSON text ("null", "0.5", "\"zeros\"", "[1, 2]"); NULL: required
} ks_plugin_key;

/// Begins every table: `.size = sizeof(ks_plugin_class)`.
#define KS_PLUGIN_CLASS .size = sizeof(ks_plugin_class)

typedef struct ks_plugin_class {
    size_t size;         ///< KS_PLUGIN_CLASS
    const char *package; ///< of register_keras_serializable; NULL: "Custom"
    const char *name;    ///< of the Python class or function
    ks_plugin_kind kind;
    const ks_plugin_key *keys; ///< what get_config adds to that of Keras's base class (of layers: name, trainable and
                               ///< dtype); what it does not write is not named
    size_t n_keys;
    bool passes_mask; ///< supports_masking
    /// Without get_config of its own Keras 3 writes the constructor's arguments, and Keras 2 refuses to save.
    bool automatic_config;
    /// The config has no name, trainable or dtype: get_config does not call that of the base class.
    bool bare_config;

    // --- one tensor in and one out

    /// Checks between keys; fails through host->fail. May be NULL.
    ks_code (*check)(const ks_plugin_host *host, ks_plugin_call *call, const ks_plugin_object *self);
    /// Makes variables and sub-layers for an input of this shape. May be NULL.
    ks_code (*build)(const ks_plugin_host *host, ks_plugin_call *call, ks_plugin_object *self, const ks_shape *input);
    /// The shape of the result; NULL: that of the input. Unknown dimensions are KS_UNKNOWN_DIM.
    ks_code (*infer)(const ks_plugin_host *host, ks_plugin_call *call, const ks_plugin_object *self, ks_shape *output,
                     const ks_shape *input);
    ks_code (*forward_float)(const ks_plugin_host *host, ks_plugin_call *call, const ks_plugin_object *self, float *out,
                             const ks_shape *output, const float *in, const ks_shape *input);
    ks_code (*forward_double)(const ks_plugin_host *host, ks_plugin_call *call, const ks_plugin_object *self,
                              double *out, const ks_shape *output, const double *in, const ks_shape *input);
    /// In place of infer and forward: calls sub-layers with host->apply.
    ks_code (*call)(const ks_plugin_host *host, ks_plugin_call *call, const ks_plugin_object *self,
                    ks_plugin_array *input, ks_plugin_array **output);

    // --- several tensors, masks, other arguments
    /// The arguments of Python's call without self, NULL-terminated; NULL: one. An argument "mask" is given the masks
    /// of the first one's tensors, "NAME_mask" those of NAME's, in the same structure; "training" what the call says.
    const char *const *arguments;
    /// In place of build. `arguments` are as in call_all, without numbers.
    ks_code (*build_all)(const ks_plugin_host *host, ks_plugin_call *call, ks_plugin_object *self,
                         ks_plugin_value *const *arguments);
    /// In place of infer, forward and call. Run once for shapes (tensors have no data) and then for numbers; both times
    /// the result has the same structure, dtypes and shapes.
    ks_code (*call_all)(const ks_plugin_host *host, ks_plugin_call *call, const ks_plugin_object *self,
                        ks_plugin_value *const *arguments, ks_plugin_value **output);
    /// compute_mask: the masks of the result's tensors in flattened order, NULL where there is none: arrays of "bool"
    /// from host->typed_array, without data when only shapes are asked. In place of passes_mask.
    ks_code (*compute_mask)(const ks_plugin_host *host, ks_plugin_call *call, const ks_plugin_object *self,
                            ks_plugin_value *const *arguments, ks_plugin_array **masks, size_t n_masks);

    // --- initializers
    /// The numbers of a variable of this shape; random ones from host->uniform and host->gauss. May be NULL: it is kept
    /// and written, and no fresh weights can be made.
    ks_code (*fill)(const ks_plugin_host *host, ks_plugin_call *call, const ks_plugin_object *self, double *out,
                    const ks_shape *shape);
} ks_plugin_class;

/// What the program offers to a plugin. Names of the class's own are not copied. Keys are paths into the config:
/// "units", "sizes/hidden", "hidden_units/0".
struct ks_plugin_host {
    uint32_t abi; ///< KS_PLUGIN_ABI

    /// Registers a class under "package>name", as register_keras_serializable does. The class must stay where it is.
    ks_code (*add)(ks_registry *registry, const ks_plugin_class *custom);
    /// Puts a class under a plain name, as an entry of custom_objects.
    ks_code (*pass)(ks_registry *registry, const char *name, const ks_plugin_class *custom);

    /// False when the key is absent or of another type.
    bool (*number)(const ks_plugin_object *self, const char *key, double *out);
    bool (*integer)(const ks_plugin_object *self, const char *key, int64_t *out);
    bool (*boolean)(const ks_plugin_object *self, const char *key, bool *out);
    /// NULL when the key is absent or null.
    const char *(*text)(const ks_plugin_object *self, const char *key);
    /// Items of a list; 0 when it is none.
    size_t (*count)(const ks_plugin_object *self, const char *key);

    /// A weight, in the order of add_weight. `initializer`: a name or record as JSON text ("\"zeros\""), or "@key" for
    /// the one that a config key holds; NULL: zeros.
    ks_code (*add_variable)(ks_plugin_call *call, ks_plugin_object *self, const char *name, const ks_shape *shape,
                            bool trainable, const char *initializer);
    /// A sub-layer from a record as JSON text, or from "@key". `member`: one element of the list in that attribute.
    ks_code (*add_layer)(ks_plugin_call *call, ks_plugin_object *self, const char *attribute, bool member,
                         const char *record, ks_plugin_object **out);
    /// Builds a sub-layer for an input of this shape, as calling it would.
    ks_code (*build_layer)(ks_plugin_call *call, ks_plugin_object *layer, const ks_shape *input);
    /// The index-th sub-layer of an attribute; NULL beyond the last.
    ks_plugin_object *(*layer)(const ks_plugin_object *self, const char *attribute, size_t index);

    /// Calls a sub-layer.
    ks_code (*apply)(ks_plugin_call *call, ks_plugin_object *layer, ks_plugin_array *input, ks_plugin_array **output);
    const ks_shape *(*shape)(const ks_plugin_array *array);
    /// Elements of a tensor inside `call`, of 32 or 64 bits; NULL when only shapes are asked.
    void *(*data)(ks_plugin_array *array);
    /// A new tensor; NULL when memory ran out.
    ks_plugin_array *(*array)(ks_plugin_call *call, const ks_shape *shape);
    /// Elements of a variable, of 32 or 64 bits.
    const void *(*variable)(const ks_plugin_call *call, const ks_plugin_object *self, const char *name);
    int (*bits)(const ks_plugin_call *call); ///< 32 or 64

    /// Records a failure and returns its code.
    ks_code (*fail)(ks_plugin_call *call, const ks_plugin_object *self, const char *message);

    // --- since version 2
    size_t size; ///< sizeof(ks_plugin_host)
    ks_plugin_type (*type)(const ks_plugin_value *value);
    /// Items of a list or dict; 0 of others.
    size_t (*items)(const ks_plugin_value *value);
    /// One item; NULL beyond the last.
    ks_plugin_value *(*item)(const ks_plugin_value *value, size_t index);
    /// The item of a dict with this key; NULL when there is none.
    ks_plugin_value *(*member)(const ks_plugin_value *value, const char *key);
    /// NULL when it is no tensor.
    ks_plugin_array *(*tensor)(const ks_plugin_value *value);
    /// Of a plain True or False; `otherwise` of all others: `training`.
    bool (*truth)(const ks_plugin_value *value, bool otherwise);
    /// Of a plain number; false for all others.
    bool (*plain_number)(const ks_plugin_value *value, double *out);
    /// NULL when it is no plain text.
    const char *(*plain_text)(const ks_plugin_value *value);
    /// A value of one tensor (NULL: None), a list, a dict; NULL when memory ran out, or an item is NULL.
    ks_plugin_value *(*value)(ks_plugin_call *call, ks_plugin_array *array);
    ks_plugin_value *(*list)(ks_plugin_call *call, ks_plugin_value *const *items, size_t count);
    ks_plugin_value *(*dict)(ks_plugin_call *call, const char *const *keys, ks_plugin_value *const *items,
                             size_t count);
    /// Calls a sub-layer with arguments by the names of its signature ("inputs", "query", "mask", …).
    ks_code (*apply_all)(ks_plugin_call *call, ks_plugin_object *layer, const char *const *names,
                         ks_plugin_value *const *values, size_t count, ks_plugin_value **output);
    /// The same without numbers, in a build: it builds the sub-layer. `output` may be NULL.
    ks_code (*build_layer_all)(ks_plugin_call *call, ks_plugin_object *layer, const char *const *names,
                               ks_plugin_value *const *values, size_t count, ks_plugin_value **output);
    /// "float32", "int64", "bool", …; floating tensors are of host->bits, whatever the model's types.
    const char *(*dtype)(const ks_plugin_array *array);
    /// A new tensor of this type; NULL when it is unknown or memory ran out.
    ks_plugin_array *(*typed_array)(ks_plugin_call *call, const char *dtype, const ks_shape *shape);
    /// The mask that a tensor carries; NULL: none.
    ks_plugin_array *(*mask)(const ks_plugin_array *array);
    double (*uniform)(ks_plugin_call *call); ///< in `fill`: from 0 to 1
    double (*gauss)(ks_plugin_call *call);   ///< in `fill`: of mean 0 and deviation 1
};

typedef bool ks_plugin_register_function(const ks_plugin_host *host, ks_registry *registry);

#if defined(__GNUC__)
#define KS_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define KS_PLUGIN_EXPORT
#endif
/// What a plugin defines. False: nothing can be used.
KS_PLUGIN_EXPORT bool ks_plugin_register(const ks_plugin_host *host, ks_registry *registry);

#ifdef __cplusplus
}
#endif
#endif
