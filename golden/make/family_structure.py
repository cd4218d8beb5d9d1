"""Structures: several inputs and outputs, nesting, sharing, names, operations, compile state."""

import keras
import numpy as np
from case import Case, normal, several, tokens
from keras import layers as L


def two_by_two():
    a, b = keras.Input((4,), name="left"), keras.Input((6,), name="right")
    x = L.Concatenate()([L.Dense(3)(a), L.Dense(3)(b)])
    return keras.Model([a, b], [L.Dense(2, name="first")(x), L.Dense(7, name="second")(x)])


def dict_ports():
    ports = {"zebra": keras.Input((4,), name="zebra"), "ant": keras.Input((6,), name="ant")}
    x = L.Concatenate()([ports["zebra"], ports["ant"]])
    return keras.Model(ports, {"z": L.Dense(2)(x), "a": L.Dense(3)(x)})


def nested_outputs():
    i = keras.Input((4,))
    x = L.Dense(6)(i)
    return keras.Model(i, [L.Dense(2)(x), [L.Dense(3)(x), {"k": L.Dense(7)(x)}]])


def shared():
    a, b = keras.Input((4,)), keras.Input((4,))
    dense, out = L.Dense(6, activation="tanh"), L.Dense(3)
    return keras.Model([a, b], L.Subtract()([out(dense(a)), out(dense(b))]))


def shared_thrice():
    i = keras.Input((4,))
    dense = L.Dense(4, activation="tanh")
    return keras.Model(i, [dense(i), dense(dense(dense(i)))])


def nested_functional():
    j = keras.Input((6,), name="inner_input")
    inner = keras.Model(j, [L.Dense(3)(j), L.Dense(2)(j)], name="inner")
    i = keras.Input((4,))
    p, q = inner(L.Dense(6)(i))
    return keras.Model(i, L.Concatenate()([p, q, L.Dense(7)(p)]))


def nested_twice():
    k = keras.Input((3,))
    deepest = keras.Model(k, L.Dense(3, activation="tanh")(k), name="deepest")
    j = keras.Input((6,))
    middle = keras.Model(j, deepest(L.Dense(3)(j)), name="middle")
    i = keras.Input((6,))
    return keras.Model(i, [middle(i), middle(L.Dense(6)(i))])


def nested_output():
    j = keras.Input((4,))
    inner = keras.Model(j, L.Dense(3)(j), name="inner")
    i = keras.Input((4,))
    return keras.Model(i, inner(i))


def sequential_in_functional():
    i = keras.Input((4,))
    tower = keras.Sequential([L.Dense(6, activation="relu"), L.Dense(3)], name="tower")
    return keras.Model(i, L.Add()([tower(i), L.Dense(3)(i)]))


def functional_in_sequential():
    j = keras.Input((6,))
    inner = keras.Model(j, L.Dense(3)(j))
    return keras.Sequential([keras.Input((4,)), L.Dense(6), inner, L.Dense(2)])


def states_at_the_end():
    return keras.Sequential([keras.Input((9, 4)), L.Dense(6), L.LSTM(3, return_state=True)])


def several_inside():
    j = keras.Input((6,))
    towers = keras.Sequential([keras.Model(j, [L.Dense(4)(j), L.Dense(4, activation="tanh")(j)])])
    return keras.Sequential([keras.Input((4,)), L.Dense(6), towers, L.Multiply(), L.Dense(3)])


def several_unannounced():
    return keras.Sequential([L.Bidirectional(L.GRU(3), merge_mode=None), L.Concatenate(), L.Dense(2)])


def dict_at_the_end():
    j = keras.Input((6,))
    ports = {"zebra": L.Dense(3)(j), "ant": L.Dense(2)(j)}
    inner = keras.Sequential([keras.Input((4,)), L.Dense(6, activation="tanh"), keras.Model(j, ports)])
    i = keras.Input((4,))
    out = inner(i)
    return keras.Model(i, [L.Dense(7)(out["ant"]), out["zebra"]])


def tensor_twice():
    j = keras.Input((4,))
    x = L.Dense(6, activation="tanh")(j)
    inner = keras.Model(j, {"z": x, "b": x, "m": [L.Dense(3)(x), x]})
    i = keras.Input((4,))
    out = inner(i)
    return keras.Model(i, [out["z"], L.Dense(2)(out["b"]), L.Subtract()([out["m"][1], L.Dense(6)(out["z"])])])


def frozen_sequential():
    inner = keras.Sequential([L.Dense(3), L.BatchNormalization()], name="inner")
    inner.trainable = False
    return keras.Sequential([keras.Input((4,)), inner, L.Dense(2)])


def from_the_middle():
    i = keras.Input((4,))
    middle, again = L.Dense(6, activation="tanh"), L.Dense(6)
    x = again(again(middle(i)))
    j = keras.Input((3,))
    last = L.Dense(2)(L.Concatenate()([again(x), j]))
    return keras.Model([x, j], last)


def in_the_middle():
    i = keras.Input((4,))
    x = L.Dense(6, activation="tanh")(i)
    return keras.Model([i, x], L.Concatenate()([L.Dense(3)(x), L.Dense(2)(i)]))


def deferred():
    return keras.Sequential([L.Dense(6, activation="relu"), L.Dense(3)])


def counters():
    return keras.Sequential(
        [keras.Input((12, 2))]
        + [layer for _ in range(3) for layer in (L.Conv1D(3, 2), L.LayerNormalization(), L.ReLU())]
        + [L.Flatten(), L.Dense(6), L.Dense(4), L.Dense(2)]
    )


def many():
    layers = [keras.Input((4,))]
    for n in range(12):
        layers.append(L.Dense(6 if n % 2 else 4, activation="tanh", name=f"zz_{11 - n}"))
    return keras.Sequential(layers)


def names():
    i = keras.Input((4,), name="in put")
    x = L.Dense(6, name="döner kebap")(i)
    return keras.Model(i, L.Dense(3, name="Dense_1")(x), name="Model.x")


def arithmetic():
    i = keras.Input((4,))
    x = L.Dense(6)(i) * 2.0 + 1.0
    return keras.Model(i, (x - 0.5) / 3.0)


def operations():
    i = keras.Input((4, 6))
    x = keras.ops.concatenate([i, keras.ops.square(i)], axis=-1)
    x = keras.ops.reshape(x, (-1, 48))
    return keras.Model(i, L.Dense(3)(keras.ops.tanh(x)))


def slices():
    i = keras.Input((7, 6))
    return keras.Model(i, L.Dense(3)(i[:, 0]) + L.Dense(3)(i[:, -1, :]))


def reductions():
    i = keras.Input((7, 6))
    return keras.Model(i, [keras.ops.mean(i, axis=1), keras.ops.max(i, axis=-1), keras.ops.sum(i, axis=(1, 2))])


def unstacked():
    i = keras.Input((4, 6))
    a, b, c, d = keras.ops.unstack(i, axis=1)
    e, f = keras.ops.unstack(L.Dense(2)(i), num=2, axis=-1)
    return keras.Model(i, [a * b - c, L.Dense(3)(d), e - f])


def tensordots():
    i, j = keras.Input((4, 6)), keras.Input((6, 8))
    x = keras.ops.tensordot(L.Dense(3)(i), np.arange(-6, 6, dtype="float32").reshape(3, 4) / 4.0, 1)
    y = keras.ops.tensordot(j, np.arange(-24, 24, dtype="float32").reshape(8, 6) / 8.0, axes=[[1, -1], [1, 0]])
    return keras.Model([i, j], [x, y])


def pieces():
    ops, i = keras.ops, keras.Input((4, 6))
    a, b, c = ops.split(L.Dense(6)(i), [1, 3], axis=1)
    d, e = ops.split(i, 2, axis=-1)
    x = ops.take(i, [5, 0, -2], axis=2) * d
    y = ops.pad(b, ((0, 0), (1, 0), (0, 2)), constant_values=0.5)
    z = ops.moveaxis(ops.flip(ops.swapaxes(i, 1, 2), axis=[1, -1]), 1, -1)
    return keras.Model(i, [a - c, x, y, z + ops.cumsum(i, axis=1), ops.flip(e, axis=2), ops.repeat(e, 3, axis=1)])


def taken_from_the_end():
    i = keras.Input((4, 6))
    return keras.Model(i, keras.ops.take(L.Dense(5)(i), [-1, 0, -3], axis=2))


def casts_outside():
    i = keras.Input((4,))
    x = keras.ops.cast(i, "int32")
    return keras.Model(i, [x, keras.ops.one_hot(x, 5), keras.ops.cast(x > 0, "float32") * L.Dense(4)(keras.ops.ones_like(i))])


def far_numbers(rng, batch):
    """Numbers that an int32 holds, those next to its ends, and what it does not hold."""
    far = [2147483520.0, 2147483648.0, 3e9, 1e20, -2147483648.0, -2147483904.0, -3e9, float("inf"), -float("inf"), float("nan")]
    x = rng.uniform(-5, 5, (batch, 4))
    x.flat[: 2 * len(far) : 2] = far
    return [x.astype("float32")]


def choices():
    ops, i = keras.ops, keras.Input((4, 6))
    x = L.Dense(6)(i)
    y = ops.elu(x) + ops.leaky_relu(x, 0.3) - ops.gelu(x)
    z = ops.normalize(x, axis=1, epsilon=2.0) + ops.std(i, axis=-1, keepdims=True) * ops.var(x, axis=[1, 2], keepdims=True)
    return keras.Model(i, [ops.argmax(x, axis=-1), ops.argmin(i, axis=1), L.Dense(3)(ops.one_hot(ops.argmax(x, axis=2), 6)), y, z, ops.norm(x, axis=2)])


def doubles():
    """Constants of float64: operations go on in float64, layers in float32. What 1e5 leaves of x only float64 has."""
    i = keras.Input((4,))
    c = np.array([1.1, -2.3, 0.7, 1.9])
    x = L.Dense(4)(i) * c
    y = (keras.ops.sin(x) + 1e5) - 1e5
    z = L.Dense(3)(x) * 1.5
    return keras.Model(i, [y, z, keras.ops.where(i > c * 0.1, i, 0.5), keras.ops.argmax(y * c, axis=-1)])


def double_inputs():
    """An input of float64, an inner model that has one too, and a cast to float64."""
    j = keras.Input((4,), dtype="float64", name="inner_input")
    inner = keras.Model(j, [(j / 3.0 + 1e5) - 1e5, L.Dense(3)(j)], name="inner")
    i, k = keras.Input((4,), dtype="float64"), keras.Input((4,))
    p, q = inner(L.Dense(4)(k))
    wide = keras.ops.cast(k, "float64")
    return keras.Model([i, k], [(i / 7.0 + 1e5) - 1e5, L.Dense(2)(i), p, q, wide / 3.0, i, keras.ops.concatenate([k, wide * 1.5], axis=-1), L.Concatenate()([wide / 7.0, k]), L.Reshape((2, 2))(wide / 7.0)])


def wide_and_narrow(rng, batch):
    return [rng.normal(0, 1, (batch, 4)), rng.normal(0, 1, (batch, 4)).astype("float32")]


def residual():
    i = keras.Input((8, 9, 3))
    x = L.Conv2D(4, 3, padding="same", activation="relu")(i)
    y = L.BatchNormalization()(L.Conv2D(4, 3, padding="same")(x))
    return keras.Model(i, L.GlobalAveragePooling2D()(L.ReLU()(x + y)))


def frozen():
    model = keras.Sequential([keras.Input((4,)), L.Dense(6), L.BatchNormalization(), L.Dense(3)])
    model.layers[0].trainable = False
    model.layers[1].trainable = False
    return model


def frozen_model():
    j = keras.Input((4,))
    inner = keras.Model(j, L.BatchNormalization()(L.Dense(6)(j)))
    inner.trainable = False
    return keras.Sequential([keras.Input((4,)), inner, L.Dense(3)])


def unused_input():
    a, b = keras.Input((4,)), keras.Input((6,))
    return keras.Model([a, b], L.Dense(3)(a))


def integers():
    i = keras.Input((9,), dtype="int64")
    return keras.Model(i, L.Dense(3)(L.Flatten()(L.Embedding(20, 4)(i))))


def mask_and_ops():
    i = keras.Input((9,), dtype="int32")
    x = L.Embedding(20, 6, mask_zero=True)(i)
    x = L.Dropout(0.2)(x)
    x = L.LayerNormalization()(x)
    return keras.Model(i, L.GRU(4)(x))


def deep(count):
    def build():
        i = x = keras.Input((4,))
        for _ in range(count):
            x = L.Dense(4, activation="tanh")(x)
        return keras.Model(i, x)

    return build


def compiled(**arguments):
    def finish(model, inputs):
        model.compile(**{k: v() if callable(v) else v for k, v in arguments.items()})

    return finish


def trained(model, inputs):
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    model.fit(inputs[0], model.predict(inputs[0], verbose=0) * 0.5, epochs=2, batch_size=5, verbose=0)


def plain():
    return keras.Sequential([keras.Input((4,)), L.Dense(6, activation="tanh"), L.Dense(3)])


def cases():
    x = normal((4,))
    o, k, s = keras.optimizers, keras.losses, keras.metrics
    out = [
        Case("two-inputs-two-outputs", two_by_two, normal((4,), (6,)), old=True, also=("weights-v3", "json-v3")),
        Case("dict-ports", dict_ports, normal((6,), (4,)), old=True, also=("json-v3",)),
        Case("nested-outputs", nested_outputs, x, also=("json-v3",)),
        Case("shared-layer", shared, normal((4,), (4,)), old=True, also=("weights-v3", "json-v3")),
        Case("shared-thrice", shared_thrice, x),
        Case("nested-functional", nested_functional, x, old=True, also=("weights-v3", "json-v3", "keras-v3-dir")),
        Case("nested-twice", nested_twice, x if False else normal((6,)), also=("weights-v3",)),
        Case("nested-output", nested_output, x, also=("json-v3",)),
        Case("sequential-in-functional", sequential_in_functional, x, old=True, also=("weights-v3",)),
        Case("functional-in-sequential", functional_in_sequential, x, old=True),
        Case("sequential-states", states_at_the_end, normal((9, 4)), also=("weights-v3", "json-v3")),
        Case("sequential-several-inside", several_inside, x, also=("weights-v3", "json-v3")),
        Case("sequential-several-without-input", several_unannounced, normal((9, 4))),
        Case("sequential-dict", dict_at_the_end, x, also=("json-v3",)),
        Case("tensor-twice", tensor_twice, x, old=True, also=("weights-v3", "json-v3")),
        Case("from-the-middle", from_the_middle, normal((6,), (3,))),
        Case("from-both-ends", in_the_middle, normal((4,), (6,))),
        Case("sequential-without-input", deferred, x, old=True),
        Case("repeated-classes", counters, normal((12, 2)), old=True, also=("weights-v3",)),
        Case("many-of-one-class", many, x, also=("weights-v3",)),
        Case("odd-names", names, x, also=("json-v3",)),
        Case("arithmetic-operations", arithmetic, x, old=True, also=("json-v3",)),
        Case("operations", operations, normal((4, 6))),
        Case("slices", slices, normal((7, 6))),
        Case("reductions", reductions, normal((7, 6))),
        Case("unstack", unstacked, normal((4, 6))),
        Case("tensordot", tensordots, normal((4, 6), (6, 8))),
        Case("pieces", pieces, normal((4, 6))),
        Case("take-from-the-end", taken_from_the_end, normal((4, 6)), batch=3, old=True),
        Case("casts-outside", casts_outside, far_numbers, batch=6, old=True),
        Case("choices", choices, normal((4, 6))),
        Case("float64-constants", doubles, x, old=True, also=("json-v3",)),
        Case("float64-inputs", double_inputs, wide_and_narrow),
        Case("residual", residual, normal((8, 9, 3)), old=True, also=("weights-v3",)),
        Case("frozen-layers", frozen, x, old=True, also=("weights-v3",)),
        Case("frozen-model", frozen_model, x),
        Case("frozen-sequential", frozen_sequential, x),
        Case("unused-input", unused_input, normal((4,), (6,))),
        Case("int64-input", integers, tokens(9, 20, False, "int64")),
        Case("mask-through-layers", mask_and_ops, tokens(9, 20), batch=5, old=True),
        Case("deep-100", deep(100), x),
        Case("compiled-strings", plain, x, finish=compiled(optimizer="adam", loss="mse", metrics=["mae"]), old=True),
        Case("compiled-sgd", plain, x, finish=compiled(optimizer=lambda: o.SGD(0.1, momentum=0.9, nesterov=True), loss=lambda: k.Huber(0.5))),
        Case("compiled-rmsprop", plain, x, finish=compiled(optimizer=lambda: o.RMSprop(0.01, rho=0.8, centered=True), loss="mae", metrics=lambda: [s.MeanSquaredError(), "cosine_similarity"])),
        Case("compiled-schedule", plain, x, finish=compiled(optimizer=lambda: o.AdamW(o.schedules.ExponentialDecay(0.1, 100, 0.9), weight_decay=0.01), loss="mse")),
        Case("compiled-classifier", plain, x, finish=compiled(optimizer="adagrad", loss=lambda: k.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), metrics=["accuracy"])),
        Case("trained-adam", plain, x, finish=trained, old=True, also=("weights-v3", "keras-v3-dir")),
        Case("several-masked-branches", several_branches, several(tokens(9, 20), tokens(8, 20), normal((4,))), batch=5, old=True),
    ]
    return out


def several_branches():
    a, b, c = keras.Input((9,), dtype="int32"), keras.Input((8,), dtype="int32"), keras.Input((4,))
    shared_embedding = L.Embedding(20, 6, mask_zero=True)
    x, y = L.LSTM(3)(shared_embedding(a)), L.GRU(4)(shared_embedding(b))
    return keras.Model([a, b, c], L.Dense(2)(L.Concatenate()([x, y, c])))
