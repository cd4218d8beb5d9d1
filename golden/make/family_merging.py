"""Merging layers, with broadcasting and masks."""

import keras
from case import Case, layer_case, normal, several, tokens
from keras import layers as L

# Concatenate joined the masks of its inputs by AND until 3.3.3; the newest Keras 3 counts for older files too.
MASKS_ARE_JOINED_BY_OR = tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 9)


def concatenate_masked():
    a, b = keras.Input((9,), dtype="int32"), keras.Input((9,), dtype="int32")
    x = L.Concatenate(axis=-1)([L.Embedding(20, 3, mask_zero=True)(a), L.Embedding(20, 4, mask_zero=True)(b)])
    return keras.Model([a, b], L.LSTM(3)(x))


def add_masked():
    a, b = keras.Input((9,), dtype="int32"), keras.Input((9,), dtype="int32")
    x = L.Add()([L.Embedding(20, 4, mask_zero=True)(a), L.Embedding(20, 4, mask_zero=True)(b)])
    return keras.Model([a, b], L.GRU(3)(x))


def concatenate_time():
    a, b = keras.Input((9,), dtype="int32"), keras.Input((8,), dtype="int32")
    x = L.Concatenate(axis=1)([L.Embedding(20, 4, mask_zero=True)(a), L.Embedding(20, 4, mask_zero=True)(b)])
    return keras.Model([a, b], L.SimpleRNN(3)(x))


def merged_towers(dot):
    """`dot`: Keras before 3.1 writes a Dot layer and does not read it back."""
    i, j = keras.Input((4, 6), name="left"), keras.Input((4, 3), name="right")
    a, b, c = L.Dense(6)(i), L.Dense(6, activation="tanh")(j), L.Dense(6)(j)
    x, y = L.Multiply()([L.Add()([a, b, c]), b]), L.Subtract()([L.Average()([a, b, c]), c])
    z = L.Minimum()([L.Maximum()([a, b]), c])
    scores = L.Concatenate(axis=1)([x, y])
    scores = L.Dot(axes=(2, 2), normalize=True)([scores, z]) if dot else scores
    return keras.Model([i, j], [L.Dense(2)(scores), L.Dense(3)(L.Concatenate()([x, z]))])


def cases():
    c, pair = layer_case, ((4, 6), (4, 6))
    return [
        c("add", lambda: L.Add(), *pair, (4, 6), old=True),
        c("add-broadcast", lambda: L.Add(), (4, 6), (1, 6)),
        c("subtract", lambda: L.Subtract(), *pair, old=True),
        c("multiply", lambda: L.Multiply(), *pair, old=True),
        c("multiply-ranks", lambda: L.Multiply(), (4, 6), (6,)),
        c("average", lambda: L.Average(), *pair, (4, 6), old=True),
        c("maximum", lambda: L.Maximum(), *pair, old=True, also=("weights-v3",)),
        c("minimum", lambda: L.Minimum(), *pair),
        c("concatenate", lambda: L.Concatenate(), (4, 6), (4, 3), old=True, also=("json-v3",)),
        c("concatenate-axis", lambda: L.Concatenate(axis=1), (4, 6), (3, 6)),
        c("dot", lambda: L.Dot(axes=1), (6,), (6,)),
        c("dot-axes", lambda: L.Dot(axes=(2, 1)), (4, 6), (6, 3)),
        c("dot-normalize", lambda: L.Dot(axes=2, normalize=True), (4, 6), (3, 6)),
        Case("concatenate-masked", concatenate_masked, several(tokens(9, 20), tokens(9, 20)), batch=5, old=MASKS_ARE_JOINED_BY_OR),
        Case("add-masked", add_masked, several(tokens(9, 20), tokens(9, 20)), batch=5),
        Case("concatenate-time-masked", concatenate_time, several(tokens(9, 20), tokens(8, 20)), batch=5),
        Case("merged-towers", lambda: merged_towers(True), normal((4, 6), (4, 3))),
        Case("merged-towers-without-dot", lambda: merged_towers(False), normal((4, 6), (4, 3))),
        Case("add-then-dense", lambda: keras.Sequential([keras.Input((4,)), L.Dense(6), L.Dense(3)]), normal((4,)), batch=5),
    ]
