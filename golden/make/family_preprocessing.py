"""Rescaling and Normalization."""

import keras
import numpy as np
from case import Case, layer_case, normal
from keras import layers as L


def adapted(**more):
    def build():
        layer = L.Normalization(**more)
        layer.adapt(np.random.default_rng(3).normal(1.5, 2.0, (50, 4)).astype("float32"))
        i = keras.Input((4,))
        return keras.Model(i, L.Dense(3)(layer(i)))

    return build


def cases():
    c = layer_case
    return [
        c("rescaling", lambda: L.Rescaling(0.25, offset=-1.0), (4, 3), old=True),
        c("rescaling-vector", lambda: L.Rescaling([0.5, 2.0, -1.0], offset=[1.0, 0.0, 0.5]), (4, 3), also=("json-v3",)),
        c("normalization-fixed", lambda: L.Normalization(mean=0.5, variance=2.0), (4,)),
        c("normalization-vectors", lambda: L.Normalization(mean=[0.5, -1.0, 2.0], variance=[2.0, 0.5, 1.5]), (4, 3), old=True),
        c("normalization-invert", lambda: L.Normalization(mean=[0.5, -1.0, 2.0], variance=[2.0, 0.5, 1.5], invert=True), (4, 3)),
        Case("normalization-adapted", adapted(), normal((4,)), old=True, also=("weights-v3",)),
        Case("normalization-adapted-no-axis", adapted(axis=None), normal((4,))),
    ]
