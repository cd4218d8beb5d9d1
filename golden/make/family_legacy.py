"""What only a legacy HDF5 file shows: names in chunks, the order that trainable flags give, weights of the model itself."""

import keras
from case import Case, normal
from family_structure import plain, trained
from keras import layers as L


def long_names():
    """layer_names is larger than an attribute may be, so it is stored in chunks."""
    out = [keras.Input((4,), name="i")]
    for n in range(24):
        out.append(L.Dense(4 if n % 2 else 3, activation="tanh", name=f"layer_{n:02}_" + "x" * 3000))
    return keras.Sequential(out)


def names_that_are_prefixes():
    i = keras.Input((4,), name="a")
    x = L.Dense(6, activation="tanh", name="a_b")(i)
    x = L.Dense(3, activation="tanh", name="a_b_c")(x)
    return keras.Model(i, L.Dense(2, name="ab")(x), name="m")


def nested_with_statistics():
    """An inner model whose weights a legacy file orders otherwise than the model: trainable ones first."""
    j = keras.Input((6,))
    x = L.BatchNormalization(name="first")(L.Dense(4, name="one")(j))
    inner = keras.Model(j, L.BatchNormalization(name="second")(L.Dense(3, name="two")(x)), name="inner")
    i = keras.Input((4,))
    return keras.Model(i, L.Dense(2, name="head")(inner(L.Dense(6, name="stem")(i))), name="outer")


def frozen_nested():
    model = nested_with_statistics()
    model.get_layer("inner").trainable = False
    return model


def partly_frozen_nested():
    model = nested_with_statistics()
    model.get_layer("inner").get_layer("one").trainable = False
    model.get_layer("inner").get_layer("second").trainable = False
    return model


def nested_sequential():
    inner = keras.Sequential([keras.Input((6,)), L.Dense(4), L.BatchNormalization(), L.Dense(3)], name="inner")
    return keras.Sequential([keras.Input((4,)), L.Dense(6), inner, L.BatchNormalization(), L.Dense(2)], name="outer")


def wrapped():
    i = keras.Input((6, 4))
    x = L.Bidirectional(L.LSTM(3, return_sequences=True, name="inside"), merge_mode="sum", name="both")(i)
    x = L.TimeDistributed(L.Dense(2, name="each"), name="per_step")(x)
    return keras.Model(i, L.GRU(3, name="gru")(x), name="wrapped")


def without_weights():
    i = keras.Input((6, 4))
    return keras.Model(i, L.Flatten()(L.AveragePooling1D(2)(L.Activation("tanh")(i))), name="bare")


def slots(make):
    def finish(model, inputs):
        model.compile(optimizer=make(), loss="mean_squared_error")
        model.fit(inputs[0], model.predict(inputs[0], verbose=0) * 0.5, epochs=2, batch_size=5, verbose=0)

    return finish


def cases():
    x, o = normal((4,)), keras.optimizers
    return [
        Case("long-names", long_names, x, title="legacy: names of layers that fill several attributes"),
        Case("names-that-are-prefixes", names_that_are_prefixes, x),
        Case("nested-with-statistics", nested_with_statistics, x),
        Case("frozen-nested", frozen_nested, x),
        Case("partly-frozen-nested", partly_frozen_nested, x),
        Case("nested-sequential", nested_sequential, x),
        Case("wrapped", wrapped, normal((6, 4))),
        Case("without-weights", without_weights, normal((6, 4)), tags=["legacy", "exact"]),
        Case("trained-sgd-momentum", plain, x, finish=slots(lambda: o.SGD(0.01, momentum=0.9))),
        Case("trained-adam-alias", plain, x, finish=trained, title="legacy: an optimizer's state, a loss by its alias"),
        Case("trained-rmsprop", plain, x, finish=slots(lambda: o.RMSprop(0.01, momentum=0.5, centered=True))),
        Case("trained-adagrad", plain, x, finish=slots(lambda: o.Adagrad(0.01))),
        Case("trained-ftrl", plain, x, finish=slots(lambda: o.Ftrl(0.01))),
    ]
