// SPDX-License-Identifier: Apache-2.0
//
// Generations of Keras. A generation decides the words of a config (Keras 1: "output_dim", "border_mode"; Keras 2:
// "batch_input_shape"; Keras 3: "module", "registered_name") and the numbers: the same name can mean another function
// (hard_sigmoid is 0.2x + 0.5 until Keras 2 and x/6 + 0.5 in Keras 3).
#ifndef KASSAY_DIALECT_H
#define KASSAY_DIALECT_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ks_dialect {
    KS_DIALECT_AUTO, ///< that of the file's keras_version, else of the form of its config
    KS_DIALECT_KERAS1,
    KS_DIALECT_KERAS2, ///< Keras 2, tf.keras and tf_keras
    KS_DIALECT_KERAS3
} ks_dialect;

/// Who computed a model of Keras 1 or 2 before they became tf.keras. Files of Keras 1 do not say. Theano turns the
/// kernels of convolutions around, and its padding "same" begins elsewhere.
typedef enum ks_backend {
    KS_BACKEND_AUTO, ///< of kernels what the file's weights say; else TensorFlow, as tf_keras takes them
    KS_BACKEND_TENSORFLOW,
    KS_BACKEND_THEANO
} ks_backend;

/// "auto", "tensorflow", "theano"
const char *ks_backend_name(ks_backend backend);
/// -1 when the name is none of these.
int ks_backend_by_name(const char *name);

/// "auto", "keras1", "keras2", "keras3"
const char *ks_dialect_name(ks_dialect dialect);
/// -1 when the name is none of these.
int ks_dialect_by_name(const char *name);

#ifdef __cplusplus
}
#endif
#endif
