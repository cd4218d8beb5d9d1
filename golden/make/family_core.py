"""InputLayer, Dense, EinsumDense, Embedding, Masking, Identity, the Dropout family."""

import keras
from case import Case, layer_case, masked_steps, tokens
from keras import layers as L

ACTIVATIONS = [
    "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "swish", "hard_silu", "sigmoid",
    "hard_sigmoid", "log_sigmoid", "sparse_sigmoid", "tanh", "hard_tanh", "tanh_shrink", "soft_shrink", "hard_shrink",
    "softplus", "softsign", "squareplus", "sparse_plus", "exponential", "mish", "softmax", "log_softmax", "sparsemax",
]  # fmt: skip


def embedding(mask_zero, then):
    def build():
        i = keras.Input((9,), dtype="int32")
        return keras.Model(i, then(L.Embedding(20, 6, mask_zero=mask_zero)(i)))

    return build


def numbers(low, high):
    """Numbers that are rows of the table and numbers that are none."""
    return lambda rng, batch: [rng.integers(low, high, (batch, 9)).astype("int32")]


def cases():
    out = [
        layer_case("dense", lambda: L.Dense(4, activation="tanh"), (6,), old=True, also=("weights-v3", "json-v3", "keras-v3-dir")),
        layer_case("dense-no-bias", lambda: L.Dense(4, use_bias=False), (6,), old=True),
        layer_case("dense-rank-3", lambda: L.Dense(4, activation="sigmoid"), (7, 6), old=True),
        layer_case("dense-rank-4", lambda: L.Dense(4), (3, 2, 6)),
        layer_case("dense-wide", lambda: L.Dense(300, activation="relu"), (260,), also=("weights-v3",)),
        layer_case(
            "dense-objects",
            lambda: L.Dense(
                4,
                kernel_initializer=keras.initializers.VarianceScaling(0.5, "fan_avg", "uniform", seed=3),
                bias_initializer=keras.initializers.Constant(0.25),
                kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02),
                bias_regularizer="l2",
                activity_regularizer=keras.regularizers.L1(0.5),
                kernel_constraint=keras.constraints.MaxNorm(3, axis=[0]),
                bias_constraint="non_neg",
            ),
            (6,),
            old=True,
            also=("json-v3",),
        ),
        layer_case("einsum-dense", lambda: L.EinsumDense("ab,bc->ac", 4, bias_axes="c"), (6,), old=True),
        layer_case(
            "einsum-dense-rank-3",
            lambda: L.EinsumDense("abc,cde->abde", (None, 4, 3), bias_axes="de", activation="relu"),
            (7, 6),
            also=("weights-v3", "json-v3"),
        ),
        layer_case("einsum-dense-ellipsis", lambda: L.EinsumDense("...x,xy->...y", 4, bias_axes="y"), (7, 6)),
        layer_case("einsum-dense-no-bias", lambda: L.EinsumDense("abc,bd->adc", (4, 6)), (7, 6)),
        layer_case("einsum-dense-bias-middle", lambda: L.EinsumDense("abc,cd->abd", (7, 4), bias_axes="b"), (7, 6)),
        Case("embedding", embedding(False, lambda x: L.Dense(3)(x)), tokens(9, 20, False), old=True, also=("weights-v3",)),
        Case("embedding-negative", embedding(False, lambda x: L.Dense(3)(x)), numbers(-20, 20), old=True),
        Case("embedding-outside", embedding(False, lambda x: L.Dense(3)(x)), numbers(-60, 60), old=True),  # 3.3 and later raise
        Case("embedding-mask-lstm", embedding(True, lambda x: L.LSTM(4)(x)), tokens(9, 20), batch=7, old=True),
        Case("embedding-mask-pool", embedding(True, lambda x: L.GlobalAveragePooling1D()(x)), tokens(9, 20), batch=5, old=True),
        Case("embedding-mask-dense-rnn", embedding(True, lambda x: L.SimpleRNN(4)(L.Dense(3)(x))), tokens(9, 20), batch=7),
        Case("masking-lstm", lambda: keras.Sequential([keras.Input((6, 3)), L.Masking(0.0), L.LSTM(4)]), masked_steps(6, 3), old=True),
        Case("masking-value", lambda: keras.Sequential([keras.Input((6, 3)), L.Masking(-1.5), L.GRU(4)]), masked_steps(6, 3, -1.5)),
        layer_case("identity", lambda: L.Identity(), (6,)),
        layer_case("dropout", lambda: L.Dropout(0.4, noise_shape=None, seed=3), (6,), old=True),
        layer_case("spatial-dropout-1d", lambda: L.SpatialDropout1D(0.3), (6, 4)),
        layer_case("spatial-dropout-2d", lambda: L.SpatialDropout2D(0.3), (6, 4, 3)),
        layer_case("spatial-dropout-3d", lambda: L.SpatialDropout3D(0.3), (6, 4, 3, 2)),
        layer_case("gaussian-dropout", lambda: L.GaussianDropout(0.3), (6,)),
        layer_case("gaussian-noise", lambda: L.GaussianNoise(0.3), (6,)),
        layer_case("alpha-dropout", lambda: L.AlphaDropout(0.3), (6,)),
        layer_case("activity-regularization", lambda: L.ActivityRegularization(0.1, 0.2), (6,)),
    ]
    for name in ACTIVATIONS:
        if hasattr(keras.activations, name):
            out.append(
                layer_case(
                    "dense-" + name.replace("_", "-"),
                    lambda name=name: L.Dense(6, activation=name),
                    (4,),
                    batch=7,
                    old=name in ("gelu", "hard_sigmoid", "selu", "softmax"),
                )
            )
    return out
