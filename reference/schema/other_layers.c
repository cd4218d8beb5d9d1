// SPDX-License-Identifier: Apache-2.0
//
// Layers that are described, not run: their keys are read, checked and written. Source of the keys: Keras 3 layers/**.
#include "schema/key_row.h"

#define NO_KERNEL "its arithmetic is not in this reference"

#define DESCRIBED(class_name, reason, words, key_table)                                                                \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(key_table),                                                                                            \
        .written = (words),                                                                                            \
        .unsupported = (reason),                                                                                       \
    }

static const ks_key layer_keys[] = {
    KS_ROW_LOOSE(activity_regularizer, REGULARIZER, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(autocast, BOOL, 0, "true"),
};

const ks_class ks_class_LayerBase = {
    .name = "Layer",
    .module = "keras",
    .kind = KS_KIND_LAYER,
    KS_KEYS(layer_keys),
    .written = "name activity_regularizer trainable dtype autocast",
};

static const ks_key mel_spectrogram_keys[] = {
    KS_ROW_LOOSE(fft_length, INT, 0, "2048"),      KS_ROW_LOOSE(sequence_stride, INT, 0, "512"),
    KS_ROW_LOOSE(sequence_length, INT, 0, "2048"), KS_ROW_LOOSE(window, TEXT, 0, "\"hann\""),
    KS_ROW_LOOSE(sampling_rate, INT, 0, "16000"),  KS_ROW_LOOSE(num_mel_bins, INT, 0, "128"),
    KS_ROW_LOOSE(min_freq, FLOAT, 0, "20.0"),      KS_ROW_LOOSE(max_freq, INT, 0, "8000"),
    KS_ROW_LOOSE(power_to_db, BOOL, 0, "true"),    KS_ROW_LOOSE(top_db, FLOAT, 0, "80.0"),
    KS_ROW_LOOSE(mag_exp, FLOAT, 0, "2.0"),        KS_ROW_LOOSE(min_power, FLOAT, 0, "1e-10"),
    KS_ROW_LOOSE(ref_power, FLOAT, 0, "1.0"),
};

DESCRIBED(MelSpectrogram, NO_KERNEL, NULL, mel_spectrogram_keys);

static const ks_key pipeline_keys[] = {
    KS_ROW_LOOSE(layers, ANY, KS_REQUIRED, NULL),
};

DESCRIBED(Pipeline, NO_KERNEL, "layers name", pipeline_keys);

static const ks_key reversible_embedding_keys[] = {
    KS_ROW_LOOSE(input_dim, INT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(output_dim, INT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(embeddings_initializer, INITIALIZER, 0, "\"random_uniform\""),
    KS_ROW_LOOSE(embeddings_regularizer, REGULARIZER, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(activity_regularizer, REGULARIZER, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(embeddings_constraint, CONSTRAINT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(mask_zero, BOOL, 0, "false"),
    KS_ROW_LOOSE(quantization_config, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(lora_rank, INT, KS_NULLABLE | KS_NOT_NULL, "null"),
    KS_ROW_LOOSE(lora_alpha, INT, KS_NULLABLE | KS_NOT_NULL, "null"),
    KS_ROW_LOOSE(tie_weights, BOOL, 0, "true"),
    KS_ROW_LOOSE(reverse_dtype, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(logit_soft_cap, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(ReversibleEmbedding, NO_KERNEL, NULL, reversible_embedding_keys);

static const ks_key stft_spectrogram_keys[] = {
    KS_ROW_LOOSE(mode, TEXT, 0, "\"log\""),
    KS_ROW_LOOSE(frame_length, INT, 0, "256"),
    KS_ROW_LOOSE(frame_step, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(fft_length, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(window, TEXT, 0, "\"hann\""),
    KS_ROW_LOOSE(periodic, BOOL, 0, "false"),
    KS_ROW_LOOSE(scaling, TEXT, 0, "\"density\""),
    KS_ROW_LOOSE(padding, TEXT, 0, "\"valid\""),
    KS_ROW_LOOSE_FORMAT("\"channels_last\""),
    KS_ROW_LOOSE(expand_dims, BOOL, 0, "false"),
};

DESCRIBED(STFTSpectrogram, NO_KERNEL, NULL, stft_spectrogram_keys);

// --- code -----------------------------------------------------------------------------------------------------------

#define CODE(class_name, what)                                                                                         \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        .unsafe = (what),                                                                                              \
    }

CODE(FlaxLayer, "it carries Python functions, which would be run");
CODE(JaxLayer, "it carries Python functions, which would be run");
CODE(TFSMLayer, "it loads and runs the program of another file");
CODE(TorchModuleWrapper, "it carries a pickled module, which would run code when it is read");

// What a layer accepts as input: written in configs, never a layer itself.
static const ks_key input_spec_keys[] = {
    KS_ROW_LOOSE(dtype, TEXT, KS_NULLABLE, "null"),   KS_ROW_LOOSE(shape, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(ndim, INT, KS_NULLABLE, "null"),     KS_ROW_LOOSE(max_ndim, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(min_ndim, INT, KS_NULLABLE, "null"), KS_ROW_LOOSE(axes, ANY, KS_NULLABLE, "{}"),
    KS_ROW_LOOSE(optional, BOOL, 0, "false"),
};

const ks_class ks_class_InputSpec = {
    .name = "InputSpec",
    .module = "keras",
    .kind = KS_KIND_SPEC,
    KS_KEYS(input_spec_keys),
};

// --- AbstractRNNCell of Keras 2 -------------------------------------------------------------------------------------

const ks_class ks_class_AbstractRNNCell = {
    .name = "AbstractRNNCell",
    .module = "keras2.layers",
    .kind = KS_KIND_LAYER,
    .unsupported = "it is abstract",
};
