"""Recurrent layers, their wrappers, and masks."""

import keras
from case import Case, layer_case, masked_steps, normal, several, tokens
from keras import layers as L


def masked(make, length=6, width=3):
    def build():
        i = keras.Input((length, width))
        return keras.Model(i, make()(L.Masking(0.0)(i)))

    return build


def with_state(layer, states):
    def build():
        i = keras.Input((6, 3))
        state = [keras.Input((4,)) for _ in range(states)]
        return keras.Model([i, *state], layer()(i, initial_state=state if states > 1 else state[0]))

    return build


def encoder_decoder():
    a, b = keras.Input((6, 3)), keras.Input((9, 3))
    _, h, c = L.LSTM(4, return_state=True)(a)
    x = L.LSTM(4, return_sequences=True)(b, initial_state=[h, c])
    return keras.Model([a, b], L.TimeDistributed(L.Dense(2))(x))


def functional_steps():
    j = keras.Input((4,))
    return keras.Model(j, L.Dense(3, activation="tanh")(L.BatchNormalization()(j)), name="step")


def distributed_sequential():
    return keras.Sequential([keras.Input((6, 4)), L.TimeDistributed(functional_steps())])


def distributed_functional():
    i = keras.Input((6, 4))
    inner = keras.Sequential([L.Dense(4), functional_steps()])
    return keras.Model(i, L.LSTM(2)(L.TimeDistributed(inner)(L.TimeDistributed(functional_steps())(i))))


def cases():
    shape = (6, 3)
    c = layer_case
    cells = {"simple-rnn": L.SimpleRNN, "lstm": L.LSTM, "gru": L.GRU}
    out = []
    for name, layer in cells.items():
        out += [
            c(name, lambda layer=layer: layer(4), shape, old=True, also=("weights-v3",)),
            c(name + "-sequences", lambda layer=layer: layer(4, return_sequences=True), shape, old=True),
            c(name + "-state", lambda layer=layer: layer(4, return_state=True), shape),
            c(name + "-sequences-state", lambda layer=layer: layer(4, return_sequences=True, return_state=True), shape),
            c(name + "-backwards", lambda layer=layer: layer(4, go_backwards=True, return_sequences=True), shape),
            c(name + "-no-bias", lambda layer=layer: layer(4, use_bias=False), shape),
            c(name + "-unroll", lambda layer=layer: layer(4, unroll=True), shape),
            c(name + "-activation", lambda layer=layer: layer(4, activation="relu"), shape, also=("json-v3",)),
            Case(name + "-masked", masked(lambda layer=layer: layer(4)), masked_steps(6, 3), old=True),
            Case(name + "-masked-sequences", masked(lambda layer=layer: layer(4, return_sequences=True)), masked_steps(6, 3)),
            Case(name + "-masked-backwards", masked(lambda layer=layer: layer(4, go_backwards=True)), masked_steps(6, 3)),
            Case(
                name + "-masked-stacked",
                masked(lambda layer=layer: keras.Sequential([layer(4, return_sequences=True), layer(2)])),
                masked_steps(6, 3),
            ),
        ]
        states = 2 if name == "lstm" else 1
        out.append(
            Case(name + "-initial-state", with_state(lambda layer=layer: layer(4), states), normal(shape, *[(4,)] * states))
        )
        out.append(Case(name + "-cell", lambda name=name: cell_model(name), normal(shape)))
        if name != "simple-rnn":
            out.append(
                c(
                    name + "-recurrent-activation",
                    lambda layer=layer: layer(4, recurrent_activation="hard_sigmoid", activation="softsign"),
                    shape,
                    old=True,
                )
            )
    out += [
        c("gru-reset-before", lambda: L.GRU(4, reset_after=False), shape, old=True, also=("weights-v3",)),
        c("gru-reset-before-sequences", lambda: L.GRU(4, reset_after=False, return_sequences=True), shape),
        Case("gru-reset-before-masked", masked(lambda: L.GRU(4, reset_after=False)), masked_steps(6, 3)),
        c("lstm-no-forget-bias", lambda: L.LSTM(4, unit_forget_bias=False, dropout=0.2, recurrent_dropout=0.1), shape),
        c("bidirectional-lstm", lambda: L.Bidirectional(L.LSTM(4)), shape, old=True, also=("weights-v3", "json-v3")),
        c("bidirectional-gru-sequences", lambda: L.Bidirectional(L.GRU(4, return_sequences=True)), shape, old=True),
        c("bidirectional-backward-layer",
          lambda: L.Bidirectional(L.LSTM(4), backward_layer=L.GRU(4, go_backwards=True)), shape),
        c("bidirectional-state", lambda: L.Bidirectional(L.LSTM(4, return_state=True)), shape),
        Case("bidirectional-masked", masked(lambda: L.Bidirectional(L.LSTM(4, return_sequences=True))), masked_steps(6, 3), old=True),
        Case("bidirectional-masked-unrolled", masked(lambda: L.Bidirectional(L.GRU(4, return_sequences=True, unroll=True))), masked_steps(6, 3), old=True),
        Case("backwards-masked-unrolled", masked(lambda: L.SimpleRNN(4, return_sequences=True, go_backwards=True, unroll=True, zero_output_for_mask=True)), masked_steps(6, 3)),
        Case("bidirectional-masked-last", masked(lambda: L.Bidirectional(L.GRU(4), merge_mode="sum")), masked_steps(6, 3)),
        c("time-distributed-dense", lambda: L.TimeDistributed(L.Dense(4, activation="tanh")), (6, 3), old=True, also=("weights-v3",)),
        c("time-distributed-conv", lambda: L.TimeDistributed(L.Conv2D(2, 3)), (4, 6, 7, 3)),
        Case("time-distributed-model", distributed_sequential, normal((6, 4)), old=True),
        Case("time-distributed-models", distributed_functional, normal((6, 4)), also=("weights-v3",)),
        c("stacked-cells", lambda: L.RNN([L.LSTMCell(4), L.GRUCell(6)]), shape, also=("weights-v3",)),
        c("stacked-cells-state", lambda: L.RNN([L.SimpleRNNCell(4), L.LSTMCell(6)], return_state=True), shape),
        Case("encoder-decoder", encoder_decoder, several(normal((6, 3)), normal((9, 3))), old=True),
        Case(
            "embedding-bidirectional",
            lambda: keras.Sequential([keras.Input((9,), dtype="int32"), L.Embedding(20, 6, mask_zero=True), L.Bidirectional(L.LSTM(4)), L.Dense(2)]),
            tokens(9, 20),
            batch=5,
            old=True,
        ),
    ]
    for mode in ("sum", "mul", "ave", None):
        out.append(
            c(f"bidirectional-{mode}".lower(), lambda mode=mode: L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode=mode), shape)
        )
    return out


def cell_model(name):
    cell = {"simple-rnn": L.SimpleRNNCell, "lstm": L.LSTMCell, "gru": L.GRUCell}[name](4)
    i = keras.Input((6, 3))
    return keras.Model(i, L.RNN(cell, return_sequences=True)(i))
