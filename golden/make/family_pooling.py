"""Pooling and global pooling."""

import keras
import numpy as np
from case import Case, layer_case, normal
from keras import layers as L


def pool3d(size, strides, same, maximum):
    """3-D pooling in float64, which TensorFlow lacks; padding as TensorFlow's SAME, averages over real elements only."""

    def second(inputs):
        x = inputs[0]
        before, out_shape = [], []
        for n in x.shape[1:4]:
            out = -(-n // strides) if same else (n - size) // strides + 1
            before.append(max(0, (out - 1) * strides + size - n) // 2 if same else 0)
            out_shape.append(out)
        out = np.zeros((x.shape[0], *out_shape, x.shape[4]))
        for place in np.ndindex(*out_shape):
            window = [slice(max(0, p * strides - b), p * strides - b + size) for p, b in zip(place, before)]
            part = x[:, window[0], window[1], window[2], :]
            out[(slice(None), *place)] = (np.max if maximum else np.mean)(part, axis=(1, 2, 3))
        return [out]

    return second


def pooled_convolutions():
    """Between layers with weights: windows, strides and padding of one and two dimensions."""
    i, j = keras.Input((9, 10, 3)), keras.Input((11, 3))
    x = L.MaxPooling2D((2, 3), strides=(2, 1), padding="same")(L.Conv2D(4, 2)(i))
    x = L.Conv2D(6, 2)(L.AveragePooling2D(2, strides=(1, 2))(x))
    y = L.AveragePooling1D(3, strides=2, padding="same")(L.MaxPooling1D(2)(L.Conv1D(6, 2)(j)))
    return keras.Model([i, j], [L.GlobalMaxPooling2D()(x), L.GlobalAveragePooling2D(keepdims=True)(x), L.GlobalAveragePooling1D()(y)])


def cases():
    shapes = {1: (11, 3), 2: (8, 9, 3), 3: (6, 7, 8, 2)}
    out = []
    for d in (1, 2, 3):
        for kind in ("Max", "Average"):
            pool = getattr(L, f"{kind}Pooling{d}D")
            glob = getattr(L, f"Global{kind}Pooling{d}D")
            base = f"{kind.lower()}-pooling-{d}d"
            out += [
                layer_case(base, lambda pool=pool: pool(2), shapes[d], old=d < 3),
                layer_case(base + "-same", lambda pool=pool: pool(3, strides=2, padding="same"), shapes[d], also=("json-v3",) if d == 2 else ()),
                layer_case(base + "-strides", lambda pool=pool: pool(3, strides=1), shapes[d]),
                layer_case("global-" + base, lambda glob=glob: glob(), shapes[d], old=d == 2),
                layer_case("global-" + base + "-keepdims", lambda glob=glob: glob(keepdims=True), shapes[d]),
            ]
    for case in out:
        if "pooling-3d" in case.name and not case.name.startswith("global"):
            size, strides, same = (3, 2, True) if "same" in case.name else (3, 1, False) if "strides" in case.name else (2, 2, False)
            case.second = pool3d(size, strides, same, case.name.startswith("max"))
    out.append(Case("pooled-convolutions", pooled_convolutions, normal((9, 10, 3), (11, 3))))
    out.append(layer_case("max-pooling-2d-uneven", lambda: L.MaxPooling2D((2, 3), strides=(3, 2)), shapes[2]))
    return out
