"""Activation and the activation layers."""

import keras
from case import Case, layer_case, several, normal
from family_core import ACTIVATIONS
from keras import layers as L


def softmax_masked():
    x = keras.Input((6,))
    m = keras.Input((6,), dtype="bool")
    return keras.Model([x, m], L.Softmax()(x, mask=m))


def in_a_row():
    i = keras.Input((4, 6))
    x = L.PReLU(shared_axes=[1])(L.Dense(6, activation="hard_sigmoid")(i))
    x = L.Dense(6, activation="selu")(L.ELU(alpha=0.7)(L.LeakyReLU(negative_slope=0.17)(x)))
    x = L.ReLU(max_value=0.9, negative_slope=0.2, threshold=0.1)(x)
    return keras.Model(i, L.Softmax(axis=1)(L.Dense(3, activation="softplus")(x)))


def bools(width):
    def draw(rng, batch):
        mask = rng.integers(0, 2, (batch, width)).astype("bool")
        mask[:, 0] = True
        return [mask]

    return draw


def cases():
    out = [
        layer_case("relu", lambda: L.ReLU(), (6,), old=True),
        layer_case("relu-max", lambda: L.ReLU(max_value=0.8), (6,)),
        layer_case("relu-slope", lambda: L.ReLU(negative_slope=0.15), (6,)),
        layer_case("relu-threshold", lambda: L.ReLU(threshold=0.3), (6,)),
        layer_case("relu-all", lambda: L.ReLU(max_value=0.9, negative_slope=0.2, threshold=0.4), (6,), old=True, also=("weights-v3", "json-v3")),
        layer_case("leaky-relu", lambda: L.LeakyReLU(negative_slope=0.17), (6,), old=True),
        layer_case("prelu", lambda: L.PReLU(), (4, 3), old=True, also=("weights-v3",)),
        layer_case("prelu-shared", lambda: L.PReLU(shared_axes=[1]), (4, 3), old=True),
        layer_case("prelu-shared-two", lambda: L.PReLU(shared_axes=[1, 2]), (4, 3, 2)),
        layer_case("elu", lambda: L.ELU(alpha=0.7), (6,), old=True),
        layer_case("softmax", lambda: L.Softmax(), (6,), old=True),
        layer_case("softmax-axis", lambda: L.Softmax(axis=1), (4, 3)),
        layer_case("softmax-axes", lambda: L.Softmax(axis=[1, 2]), (4, 3, 2), also=("json-v3",)),
        Case("softmax-mask", softmax_masked, several(normal((6,)), bools(6))),
        Case(
            "dense-activation-layer",
            lambda: keras.Sequential([keras.Input((4,)), L.Dense(6, activation=L.LeakyReLU(negative_slope=0.3))]),
            normal((4,)),
        ),
        Case("activations-in-a-row", in_a_row, normal((4, 6))),
        layer_case("glu", lambda: L.Activation("glu"), (6,)) if hasattr(keras.activations, "glu") else None,
    ]
    out += [
        layer_case("activation-" + name.replace("_", "-"), lambda name=name: L.Activation(name), (4, 6), batch=7, old=name in ("relu", "mish"))
        for name in ACTIVATIONS
        if hasattr(keras.activations, name)
    ]
    return [case for case in out if case]
