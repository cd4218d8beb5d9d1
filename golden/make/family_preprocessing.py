"""Rescaling and Normalization."""

import keras
import numpy as np
from case import Case, layer_case, normal, tokens
from keras import layers as L


def adapted(**more):
    def build():
        layer = L.Normalization(**more)
        layer.adapt(np.random.default_rng(3).normal(1.5, 2.0, (50, 4)).astype("float32"))
        i = keras.Input((4,))
        return keras.Model(i, L.Dense(3)(layer(i)))

    return build


def normalized_and_rescaled():
    layer = L.Normalization(axis=-1)
    layer.adapt(np.random.default_rng(3).normal(1.5, 2.0, (50, 4)).astype("float32"))
    i = keras.Input((4,))
    return keras.Model(i, L.Dense(3)(L.Rescaling([0.5, 2.0, -1.0, 0.25], offset=-0.5)(layer(i))))


def augmented():
    """Random layers, which do nothing when predicting, and their seeds in the file."""
    i = keras.Input((8, 9, 3))
    x = L.RandomFlip("horizontal", seed=3)(L.Rescaling(0.25, offset=-0.5)(i))
    x = L.RandomRotation(0.1, fill_mode="constant", fill_value=0.5, seed=4)(x)
    x = L.RandomTranslation(0.1, (-0.2, 0.3), fill_mode="wrap", seed=5)(L.RandomZoom(0.2, width_factor=0.3, seed=6)(x))
    x = L.CenterCrop(6, 7)(L.RandomContrast(0.3, seed=7)(x))
    return keras.Model(i, L.Conv2D(4, 3)(x))


def encoded():
    i = keras.Input((4,), dtype="int32")
    return keras.Model(i, L.Dense(3)(L.CategoryEncoding(num_tokens=7, output_mode="multi_hot")(i)))


def in_bins():
    i = keras.Input((6,))
    return keras.Model(i, L.Dense(3)(L.Embedding(4, 2)(L.Discretization(bin_boundaries=[-0.5, 0.0, 0.75])(i))))


def cases():
    c = layer_case
    return [
        c("rescaling", lambda: L.Rescaling(0.25, offset=-1.0), (4, 3), old=True),
        c("rescaling-vector", lambda: L.Rescaling([0.5, 2.0, -1.0], offset=[1.0, 0.0, 0.5]), (4, 3), also=("json-v3",)),
        c("normalization-fixed", lambda: L.Normalization(mean=0.5, variance=2.0), (4,)),
        c("normalization-vectors", lambda: L.Normalization(mean=[0.5, -1.0, 2.0], variance=[2.0, 0.5, 1.5]), (4, 3), old=True),
        c("normalization-invert", lambda: L.Normalization(mean=[0.5, -1.0, 2.0], variance=[2.0, 0.5, 1.5], invert=True), (4, 3)),
        Case("normalization-adapted", adapted(), normal((4,)), old=True, also=("weights-v3",)),
        Case("normalized-and-rescaled", normalized_and_rescaled, normal((4,))),
        Case("augmented-image", augmented, normal((8, 9, 3))),
        Case("encoded-categories", encoded, tokens(4, 7, False)),
        # In TensorFlow's graphs a Discretization of integers makes integers of its inputs first (FINDINGS.md).
        Case("embedded-bins", in_bins, normal((6,)), eager=True),
        Case("normalization-adapted-no-axis", adapted(axis=None), normal((4,))),
    ]
