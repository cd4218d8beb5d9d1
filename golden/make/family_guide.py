"""Models of the Keras guides that a `.keras` file can hold, small enough to commit."""

import keras
from case import Case, normal, several, tokens
from keras import layers as L


def digits():
    inputs = keras.Input((784,), name="digits")
    x = L.Dense(64, activation="relu", name="dense_1")(inputs)
    x = L.Dense(64, activation="relu", name="dense_2")(x)
    outputs = L.Dense(10, activation="softmax", name="predictions")(x)
    return keras.Model(inputs=inputs, outputs=outputs, name="3_layer_mlp")


def sequential_digits():
    return keras.Sequential(
        [
            keras.Input((784,), name="digits"),
            L.Dense(64, activation="relu", name="dense_1"),
            L.Dense(64, activation="relu", name="dense_2"),
            L.Dense(10, name="predictions"),
        ]
    )


def toy_resnet():
    inputs = keras.Input((16, 16, 3), name="img")
    x = L.Conv2D(8, 3, activation="relu")(inputs)
    x = L.Conv2D(12, 3, activation="relu")(x)
    one = L.MaxPooling2D(3)(x)
    x = L.Conv2D(12, 3, activation="relu", padding="same")(one)
    x = L.Conv2D(12, 3, activation="relu", padding="same")(x)
    two = L.add([x, one])
    x = L.GlobalAveragePooling2D()(two)
    x = L.Dropout(0.5)(L.Dense(6, activation="relu")(x))
    return keras.Model(inputs, L.Dense(10)(x), name="toy_resnet")


def xception_block():
    inputs = keras.Input((16, 16, 3))
    x = L.Rescaling(1.0 / 2)(inputs)
    x = L.Activation("relu")(L.BatchNormalization()(L.Conv2D(8, 3, strides=2, padding="same")(x)))
    previous = x
    x = L.BatchNormalization()(L.SeparableConv2D(12, 3, padding="same")(L.Activation("relu")(x)))
    x = L.MaxPooling2D(3, strides=2, padding="same")(x)
    x = L.add([x, L.Conv2D(12, 1, strides=2, padding="same")(previous)])
    return keras.Model(inputs, L.Dense(1, activation="sigmoid")(L.GlobalAveragePooling2D()(x)))


def tickets():
    title, body = keras.Input((8,), dtype="int32", name="title"), keras.Input((9,), dtype="int32", name="body")
    tags = keras.Input((12,), name="tags")
    x = L.concatenate([L.LSTM(6)(L.Embedding(30, 7)(title)), L.LSTM(4)(L.Embedding(30, 7)(body)), tags])
    return keras.Model([title, body, tags], [L.Dense(1, name="priority")(x), L.Dense(4, name="department")(x)])


def text_convolution():
    i = keras.Input((16,), dtype="int64")
    x = L.Dropout(0.5)(L.Embedding(40, 8)(i))
    x = L.Conv1D(6, 7, padding="valid", activation="relu", strides=3)(x)
    x = L.Dense(4, activation="relu")(L.GlobalMaxPooling1D()(x))
    return keras.Model(i, L.Dense(1, activation="sigmoid", name="predictions")(x))


def transformer_block():
    i = keras.Input((9,), dtype="int32")
    x = L.Embedding(30, 8)(i)
    a = L.LayerNormalization(epsilon=1e-3)(x + L.Dropout(0.1)(L.MultiHeadAttention(2, 4)(x, x)))
    f = L.Dense(8)(L.Dense(16, activation="gelu")(a))
    y = L.LayerNormalization(epsilon=1e-3)(a + f)
    return keras.Model(i, L.Dense(2, activation="softmax")(L.GlobalAveragePooling1D()(y)))


def autoencoder():
    i = keras.Input((8, 8, 1))
    x = L.MaxPooling2D(2, padding="same")(L.Conv2D(6, 3, activation="relu", padding="same")(i))
    x = L.Conv2DTranspose(6, 3, strides=2, activation="relu", padding="same")(x)
    return keras.Model(i, L.Conv2D(1, 3, activation="sigmoid", padding="same")(x))


def series():
    i = keras.Input((16, 3))
    x = i
    for _ in range(2):
        x = L.ReLU()(L.BatchNormalization()(L.Conv1D(6, 3, padding="same")(x)))
    return keras.Model(i, L.Dense(4, activation="softmax")(L.GlobalAveragePooling1D()(x)))


def stacked_lstm():
    return keras.Sequential(
        [keras.Input((9,), dtype="int32"), L.Embedding(30, 8), L.Bidirectional(L.LSTM(6, return_sequences=True)), L.Bidirectional(L.LSTM(4)), L.Dense(1, activation="sigmoid")]
    )


def cases():
    both = ("weights-v3", "json-v3")
    return [
        Case("mlp-784-64-64-10", digits, normal((784,)), old=True, also=both),
        Case("mlp-sequential", sequential_digits, normal((784,)), also=both),
        Case("toy-resnet", toy_resnet, normal((16, 16, 3)), old=True, also=both),
        Case("xception-block", xception_block, normal((16, 16, 3)), batch=5, also=both),
        Case("tickets", tickets, several(tokens(8, 30, False), tokens(9, 30, False), normal((12,))), batch=5, old=True, also=both),
        Case("text-convolution", text_convolution, tokens(16, 40, False, "int64"), batch=5, also=both),
        Case("transformer-block", transformer_block, tokens(9, 30, False), batch=5, old=True, also=both),
        Case("autoencoder", autoencoder, normal((8, 8, 1)), batch=5, old=True),
        Case("time-series", series, normal((16, 3)), batch=5, also=("weights-v3",)),
        Case("stacked-bidirectional", stacked_lstm, tokens(9, 30, False), batch=5, also=("weights-v3",)),
    ]
