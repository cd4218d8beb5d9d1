// SPDX-License-Identifier: Apache-2.0
//
// A model: loaded from a file, described, run. The file may be
//   keras-v3      a `.keras` zip archive: metadata.json, config.json, model.weights.h5
//   keras-v3-dir  a directory of the same members
//   weights-v3    a `.weights.h5`, together with an architecture (a JSON file or another model file)
//   weights-v3-sharded  the index of such weights in several files beside it, together with an architecture
//   h5-legacy     a whole model in the HDF5 form of Keras 1 and 2, which Keras 3 writes too
//   h5-weights-legacy   weights of that form, together with an architecture
//   json-v3       the JSON of model.to_json(): an architecture without weights
//   json-legacy   the same as Keras 1, Keras 2 and tf.keras write it
// The format is found from the bytes; the name only gives a warning when it says something else.
#ifndef KASSAY_MODEL_H
#define KASSAY_MODEL_H

#include <kassay/archive.h>
#include <kassay/context.h>
#include <kassay/dialect.h>
#include <kassay/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_model ks_model;

typedef struct ks_model_options {
    ks_road road;                       ///< which reader
    const char *format;                 ///< "keras-v3", …: refuse others; NULL: whatever the bytes say
    const char *architecture;           ///< file with the config for weights-only formats; NULL: none
    ks_dialect dialect;                 ///< whose words and numbers; KS_DIALECT_AUTO: the file says
    ks_backend backend;                 ///< who computed a model of Keras 1 or 2; KS_BACKEND_AUTO: the file says
    const struct ks_registry *registry; ///< custom classes (<kassay/registry.h>); NULL: none but those registered
    bool check_only;                    ///< stop after weights: every checksum verified, no tensor kept
} ks_model_options;

typedef struct ks_model_weight {
    const char *path;  ///< dataset from the file's root: "layers/dense/vars/0", "model_weights/dense/dense/kernel:0"
    const char *name;  ///< "kernel"
    const char *layer; ///< name of the object that owns it
    const char *layer_class;
    bool trainable;
    ks_tensor tensor; ///< data is NULL when the file has no weights
} ks_model_weight;

typedef struct ks_model_port {
    const char *name; ///< of the layer whose result it is
    ks_shape shape;   ///< rank -1 when it is not known
    ks_dtype dtype;
} ks_model_port;

/// Reads everything up to the weights and verifies every checksum; the code's verdict is the verdict on the file.
/// `options` may be NULL: the strict road.
ks_code ks_model_check(ks_context *context, const char *path, const ks_model_options *options);
/// Loads a model; what it reads is verified. On failure nothing is left behind.
ks_code ks_model_load(ks_model **out, ks_context *context, const char *path, const ks_model_options *options);
/// The same from memory, which must outlive the model; `name` is used in messages. `architecture` in the options is a
/// file.
ks_code ks_model_load_bytes(ks_model **out, ks_context *context, ks_bytes bytes, const char *name,
                            const ks_model_options *options);
/// Fresh weights for every variable: shapes, fans and distributions of its initializer, numbers of our own documented
/// generator (base/random.h) from this seed.
ks_code ks_model_initialize(ks_model *model, uint64_t seed);
/// keras.models.clone_model: the same architecture with fresh weights; layers that are shared stay shared. The clone
/// has the context, the options and the registry of the model.
ks_code ks_model_clone(ks_model **out, ks_model *model, uint64_t seed);
/// True when the weights were read, set or initialized.
bool ks_model_has_weights(const ks_model *model);
void ks_model_free(ks_model *model); ///< NULL is allowed

const char *ks_model_format(const ks_model *model);
/// "3.15.1" from metadata.json; empty when the file does not say.
const char *ks_model_keras_version(const ks_model *model);
const char *ks_model_name(const ks_model *model);
/// In get_weights() order of the Keras generation that wrote the file, with the arrays it keeps: Keras 1 has twelve for
/// an LSTM.
size_t ks_model_weight_count(const ks_model *model);
ks_model_weight ks_model_weight_at(const ks_model *model, size_t index);

typedef struct ks_load_options {
    ks_road road;
    const char *format; ///< of the weights file: refuse others; NULL: whatever the bytes say
    bool by_name;       ///< older HDF5 form only: layers by their names, in place of their order
    bool skip_mismatch; ///< leave out what does not fit; for Keras 2 models only together with by_name
    ks_backend backend; ///< who wrote a file of Keras 1 or 2; KS_BACKEND_AUTO: the file says
} ks_load_options;

/// Weights from a file into the model, as its Keras's load_weights: weights files of every form, sharded ones, and the
/// weights of whole `.keras` and `.h5` files. On failure the model keeps all its values. `report` may be NULL, else it
/// is JSON, "kassay-load/1": what was loaded, skipped (with the reason) and left, by layer and variable; free it with
/// ks_free. `options` may be NULL.
ks_code ks_model_load_weights(ks_text *report, ks_model *model, const char *path, const ks_load_options *options);
/// Values for all weights, in the order of ks_model_weight_at, cast to the model's types. KS_E_MODEL_WEIGHTS names the
/// first that does not fit, and the model keeps its values.
ks_code ks_model_set_weights(ks_model *model, const ks_tensor *weights, size_t count);

/// In the order of model.inputs and of the flattened outputs.
size_t ks_model_input_count(const ks_model *model);
ks_model_port ks_model_input_at(const ks_model *model, size_t index);
size_t ks_model_output_count(const ks_model *model);
ks_model_port ks_model_output_at(const ks_model *model, size_t index);

typedef struct ks_prediction ks_prediction;

/// Runs the model. `real` is KS_FLOAT32 or KS_FLOAT64: the type all floating arithmetic is done in. Inputs are cast to
/// the model's input types, as Keras does. The first output that is wrong is easier to find with a trace: see below.
ks_code ks_model_predict(ks_prediction **out, ks_model *model, const ks_tensor *inputs, size_t n_inputs, ks_dtype real);
size_t ks_prediction_count(const ks_prediction *prediction);
ks_tensor ks_prediction_at(const ks_prediction *prediction, size_t index);
void ks_prediction_free(ks_prediction *prediction); ///< NULL is allowed

/// The canonical description as JSON ("kassay-dump/1", harness/dump.schema.json). Free with ks_free.
ks_code ks_model_dump(ks_text *out, ks_model *model);
/// The same for people. Free with ks_free.
ks_code ks_model_describe(ks_text *out, ks_model *model);
/// Keras 3's model.to_json(): the record of the model, as Keras 3.15.1 writes it. Free with ks_free.
ks_code ks_model_to_json(ks_text *out, ks_model *model);

typedef struct ks_summary_options {
    const char *keras_version; ///< which version's table: "2.15.0"; NULL: that of the file's writer, else the newest
    bool expand_nested;        ///< rows for the layers of nested models (2.7 and later)
    bool show_trainable;       ///< a column that says Y or N (2.7 and later)
    int line_length;           ///< characters; 0: the version's own
} ks_summary_options;

/// Keras's summary() table. `options` may be NULL. Free with ks_free.
ks_code ks_model_summary(ks_text *out, ks_model *model, const ks_summary_options *options);
/// {"layers": [{"class", "module", "kind", "status", "reason", "keys"}]} from the registry. Free with ks_free.
ks_code ks_layers_json(ks_text *out, ks_context *context);

#ifdef __cplusplus
}
#endif
#endif
