"""Weights in several files with an index: where shards end, and what is in which."""

import keras
from case import Case, normal
from family_legacy import nested_with_statistics, wrapped
from family_structure import counters, plain, shared, trained
from keras import layers as L

GIB = 1 << 30


def towers():
    i = keras.Input((24,))
    x = L.Dense(24, activation="tanh", name="a")(i)
    x = L.Dense(24, activation="tanh", name="b")(x)
    x = L.BatchNormalization(name="n")(x)
    return keras.Model(i, L.Dense(6, name="c")(x))


def wide():
    """A layer whose variables are more than ten: "10" sorts before "2"."""
    i = keras.Input((6, 8))
    x = L.RNN([L.LSTMCell(3), L.GRUCell(4), L.LSTMCell(3), L.SimpleRNNCell(2)], name="stack")(i)
    return keras.Model(i, L.Dense(3)(x))


def attention():
    i = keras.Input((6, 8))
    return keras.Model(i, L.MultiHeadAttention(2, 4, value_dim=3)(i, i))


def weightless_between():
    return keras.Sequential([keras.Input((8, 3)), L.Conv1D(6, 2), L.ReLU(), L.Flatten(), L.Dropout(0.5), L.Dense(4), L.Activation("tanh"), L.Dense(2)])


def cases():
    d = normal((24,))
    rows = [
        ("one-shard", towers, d, 1 << 20),
        ("shard-per-variable", towers, d, 24 * 24 * 4),
        ("two-layers-a-shard", towers, d, 5000),
        ("straddling", towers, d, 24 * 24 * 4 + 50),
        ("limit-met-exactly", towers, d, 2 * (24 * 24 + 24) * 4),
        ("limit-missed-by-a-byte", towers, d, 2 * (24 * 24 + 24) * 4 - 1),
        ("repeated-classes", counters, normal((12, 2)), 700),
        ("nested", nested_with_statistics, normal((4,)), 150),
        ("shared", shared, normal((4,), (4,)), 110),
        ("wrapped", wrapped, normal((6, 4)), 200),
        ("stacked-cells", wide, normal((6, 8)), 420),
        ("attention", attention, normal((6, 8)), 300),
        ("weightless-between", weightless_between, normal((8, 3)), 700),
    ]
    out = [Case(name, build, x, shard_gib=limit / GIB, title=f"sharded: {name.replace('-', ' ')} ({limit} bytes)") for name, build, x, limit in rows]
    out.append(Case("with-optimizer", plain, normal((4,)), finish=trained, shard_gib=200 / GIB, title="sharded: the optimizer's state in shards of its own"))
    return out
