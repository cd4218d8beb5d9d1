"""Models of Keras 2 (multi-backend, tf.keras, tf_keras): each listed once, with a test of what the environment has."""

import numpy as np
from legacy_golden import Case

E = L = keras = None
ALL = ("h5-weights-legacy", "json-legacy", "keras-v3", "weights-v3")
NEW = ("keras-v3",)
WEIGHTS = ("h5-weights-legacy", "weights-v3")


def use(environment):
    global E, L, keras
    E, L, keras = environment, environment.L, environment.keras


# --- inputs --------------------------------------------------------------------------------------------------------


def normal(*shapes, **more):
    dtype = more.get("dtype", "float32")

    def draw(rng, batch):
        return [rng.normal(0, 1, (batch,) + shape).astype(dtype) for shape in shapes]

    return draw


def far_numbers(rng, batch):
    """Numbers that an int32 holds, those next to its ends, and what it does not hold."""
    far = [2147483520.0, 2147483648.0, 3e9, 1e20, -2147483648.0, -2147483904.0, -3e9, np.inf, -np.inf, np.nan]
    x = rng.uniform(-5, 5, (batch, 4))
    x.flat[: 2 * len(far) : 2] = far
    return [x.astype("float32")]


def tokens(length, vocabulary, masked=True, dtype="int32"):
    """Sequences of different lengths padded with 0, one with a gap in the middle."""

    def draw(rng, batch):
        ids = rng.randint(1, vocabulary, (batch, length))
        if masked:
            for row in range(batch):
                ids[row, max(2, length - row - (row % 2)) :] = 0
            ids[batch - 1, 1] = 0
        return [ids.astype(dtype)]

    return draw


def masked_steps(length, width, value=0.0):
    def draw(rng, batch):
        x = rng.normal(0, 1, (batch, length, width)).astype("float32")
        for row in range(batch):
            x[row, max(2, length - row) :] = value
        x[batch - 1, 1] = value
        return [x]

    return draw


def several(*draws):
    def draw(rng, batch):
        return [x for d in draws for x in d(rng, batch)]

    return draw


# --- shapes of models ----------------------------------------------------------------------------------------------


def Input(shape, **more):
    return L.Input(shape=shape, **more)


def Model(inputs, outputs, **more):
    return keras.models.Model(inputs, outputs, **more)


def Sequential(layers, **more):
    return keras.models.Sequential(layers, **more)


def one(make, *shapes):
    def build():
        inputs = [Input(shape) for shape in shapes]
        given = inputs[0] if len(inputs) == 1 else inputs
        return Model(given, make()(given))

    return build


def layer(name, make, *shapes, **more):
    """The commonest case: one layer, random inputs."""
    return Case(name, one(make, *shapes), normal(*shapes), **more)


def sequential(name, make, shape, **more):
    """Layers made by `make(input_shape=…)`'s list form: the first one says the shape, as was the custom."""
    return Case(name, lambda: Sequential(make()), normal(shape), **more)


def has(name):
    return hasattr(L, name)


# --- families ------------------------------------------------------------------------------------------------------

ACTIVATIONS = [
    "softmax", "elu", "selu", "softplus", "softsign", "relu", "tanh", "sigmoid", "hard_sigmoid", "exponential", "linear",
    "swish", "gelu", "mish", "relu6", "leaky_relu",
]  # fmt: skip


def core():
    k = keras
    yield layer("dense", lambda: L.Dense(4, activation="tanh"), (6,), tier=1, also=ALL)
    yield sequential("dense-stack", lambda: [L.Dense(4, activation="relu", input_shape=(6,)), L.Dense(3, activation="softmax")], (6,), tier=1, also=ALL)
    yield sequential("dense-batch-shape", lambda: [L.Dense(4, batch_input_shape=(5, 6)), L.Dense(3)], (6,), also=("json-legacy",))
    yield sequential("dense-input-layer", lambda: [L.InputLayer(input_shape=(6,), name="given"), L.Dense(4, activation="tanh")], (6,))
    yield layer("dense-no-bias", lambda: L.Dense(4, use_bias=False), (6,), tier=3)
    yield layer("dense-rank-3", lambda: L.Dense(4, activation="sigmoid"), (7, 6), also=NEW)
    yield layer("dense-rank-4", lambda: L.Dense(4), (3, 2, 6), tier=3)
    yield layer(
        "dense-objects",
        lambda: L.Dense(
            4,
            kernel_initializer=k.initializers.VarianceScaling(scale=0.5, mode="fan_avg", distribution="uniform", seed=3),
            bias_initializer=k.initializers.Constant(0.25),
            kernel_regularizer=k.regularizers.l1_l2(0.01, 0.02),
            bias_regularizer=k.regularizers.l2(0.03),
            activity_regularizer=k.regularizers.l1(0.5),
            kernel_constraint=k.constraints.MaxNorm(3, axis=0),
            bias_constraint=k.constraints.NonNeg(),
        ),
        (6,),
        tier=1,
        also=("json-legacy", "keras-v3"),
    )
    inits = k.initializers
    makers = [
        ("zeros", lambda: inits.Zeros()), ("ones", lambda: inits.Ones()), ("random-normal", lambda: inits.RandomNormal(0.1, 0.2, seed=3)),
        ("random-uniform", lambda: inits.RandomUniform(-0.1, 0.2, seed=3)), ("truncated-normal", lambda: inits.TruncatedNormal(0.1, 0.2, seed=3)),
        ("orthogonal", lambda: inits.Orthogonal(gain=1.5, seed=3)), ("identity", lambda: inits.Identity(gain=0.5)), ("he-normal", lambda: inits.he_normal()),
        ("lecun-uniform", lambda: inits.lecun_uniform(seed=3)), ("glorot-normal", lambda: inits.glorot_normal(seed=3)),
    ]  # fmt: skip

    def initialised():
        i = x = Input((6,))
        for name, make in makers:
            x = L.Dense(6, kernel_initializer=make(), activation="tanh", name=name)(x)
        return Model(i, x)

    yield Case("initializers", initialised, normal((6,)), also=("json-legacy", "keras-v3"))

    def constrained():
        i = x = Input((6,))
        c, r = k.constraints, k.regularizers
        for name, constraint in (("unit-norm", c.UnitNorm(axis=1)), ("min-max", c.MinMaxNorm(0.1, 2.0, rate=0.5, axis=0)), ("max", c.MaxNorm(1.5))):
            x = L.Dense(6, kernel_constraint=constraint, kernel_regularizer=r.l1(0.02), activation="tanh", name=name)(x)
        return Model(i, x)

    yield Case("constraints", constrained, normal((6,)), also=("json-legacy",))

    def embedding(mask_zero, then, **more):
        def build():
            i = Input((9,), dtype="int32")
            return Model(i, then(L.Embedding(20, 6, mask_zero=mask_zero, **more)(i)))

        return build

    yield Case("embedding", embedding(False, lambda x: L.Dense(3)(x)), tokens(9, 20, False), tier=1, also=WEIGHTS)
    yield Case("embedding-length", lambda: Sequential([L.Embedding(20, 6, input_length=9, embeddings_regularizer="l2"), L.Flatten(), L.Dense(3)]), tokens(9, 20, False, "float32"), also=("json-legacy",))
    yield Case("embedding-mask-lstm", embedding(True, lambda x: L.LSTM(4)(x)), tokens(9, 20), batch=7, tier=1, also=("h5-weights-legacy", "keras-v3"))
    yield Case("embedding-mask-dense-rnn", embedding(True, lambda x: L.SimpleRNN(4)(L.Dense(3)(x))), tokens(9, 20), batch=7)
    yield Case("embedding-mask-pool", embedding(True, lambda x: L.GlobalAveragePooling1D()(x)), tokens(9, 20))
    yield Case("masking-lstm", lambda: Sequential([L.Masking(0.0, input_shape=(6, 3)), L.LSTM(4)]), masked_steps(6, 3))
    # Where a mask ends in some versions: at ReLU before tf.keras 2.5, at MultiHeadAttention before 2.10, at the others in
    # all of Keras 2.
    for name, class_name, make in (
        ("relu", "ReLU", lambda x: L.ReLU(max_value=0.4)(x)),
        ("attention", "MultiHeadAttention", lambda x: L.MultiHeadAttention(2, 3)(x, x)),
        ("rescaling", "Rescaling", lambda x: L.Rescaling(0.5, 0.25)(x)),
        ("normalization", "Normalization", lambda x: L.Normalization(mean=0.125, variance=0.5625)(x)),
        ("identity", "Identity", lambda x: L.Identity()(x)),
    ):
        if has(class_name):
            yield Case("embedding-mask-" + name, embedding(True, lambda x, make=make: L.GRU(4)(make(x))), tokens(9, 20), batch=7, tier=3, also=("h5-weights-legacy", "keras-v3"))
    yield Case("masking-value", lambda: Sequential([L.Masking(mask_value=-1.5, input_shape=(6, 3)), L.GRU(4)]), masked_steps(6, 3, -1.5))
    for name, make, shape in (
        ("dropout", lambda: L.Dropout(0.4, noise_shape=None, seed=3), (6,)),
        ("spatial-dropout-1d", lambda: L.SpatialDropout1D(0.3), (6, 4)),
        ("spatial-dropout-2d", lambda: L.SpatialDropout2D(0.3), (6, 4, 3)),
        ("spatial-dropout-3d", lambda: L.SpatialDropout3D(0.3), (6, 4, 3, 2)),
        ("gaussian-dropout", lambda: L.GaussianDropout(0.3), (6,)),
        ("gaussian-noise", lambda: L.GaussianNoise(0.3), (6,)),
        ("alpha-dropout", lambda: L.AlphaDropout(0.3), (6,)),
        ("activity-regularization", lambda: L.ActivityRegularization(0.1, 0.2), (6,)),
    ):
        # A Dense before it: outputs that are not the inputs.
        yield Case(name, lambda make=make, shape=shape: Sequential([L.Dense(4, input_shape=shape), make(), L.Dense(3)]), normal(shape), tier=3)
    if has("EinsumDense") or hasattr(getattr(L, "experimental", None), "EinsumDense"):
        einsum = getattr(L, "EinsumDense", None) or L.experimental.EinsumDense
        yield layer("einsum-dense", lambda: einsum("abc,cde->abde", (7, 4, 3), bias_axes="de", activation="relu"), (7, 6), also=NEW)
    if E.since(2, 0):
        yield Case(
            "float64-layers",
            lambda: Sequential([L.InputLayer(input_shape=(6,), dtype="float64"), L.Dense(4, dtype="float64", activation="tanh"), L.Dense(3, dtype="float64")]),
            normal((6,), dtype="float64"),
            tier=3,
        )


def activation():
    for name in ACTIVATIONS:
        if hasattr(keras.activations, name):
            yield layer("activation-" + name.replace("_", "-"), lambda name=name: L.Activation(name), (4, 6), batch=7, tier=2 if name in ("hard_sigmoid", "softsign", "selu", "gelu", "softmax") else 3)
    for name in ("hard_sigmoid", "selu", "softplus", "elu", "exponential", "softsign"):
        if hasattr(keras.activations, name):
            yield layer("dense-" + name.replace("_", "-"), lambda name=name: L.Dense(6, activation=name), (4,), batch=7, tier=1 if name == "hard_sigmoid" else 2)
    if has("ReLU"):
        yield layer("relu", lambda: L.ReLU(), (6,), tier=3)
        yield layer("relu-max", lambda: L.ReLU(max_value=0.8), (6,), tier=3)
        try:
            L.ReLU(max_value=0.9, negative_slope=0.2, threshold=0.4)
            yield layer("relu-all", lambda: L.ReLU(max_value=0.9, negative_slope=0.2, threshold=0.4), (6,), also=("json-legacy", "keras-v3"))
        except TypeError:
            pass
    yield layer("leaky-relu", lambda: L.LeakyReLU(alpha=0.17), (6,), tier=1, also=NEW)
    yield layer("prelu", lambda: L.PReLU(), (4, 3))
    yield layer("prelu-shared", lambda: L.PReLU(shared_axes=[1, 2], alpha_initializer="uniform"), (4, 3, 2), also=("json-legacy", "keras-v3"))
    yield layer("elu", lambda: L.ELU(alpha=0.7), (6,))
    yield layer("thresholded-relu", lambda: L.ThresholdedReLU(theta=0.6), (6,), also=("json-legacy",))
    if has("Softmax"):
        yield layer("softmax-axis", lambda: L.Softmax(axis=1), (4, 3))

    def in_a_row():
        i = Input((4, 6))
        x = L.PReLU(shared_axes=[1])(L.Dense(6, activation="hard_sigmoid")(i))
        x = L.Dense(6, activation="selu")(L.ELU(alpha=0.7)(L.LeakyReLU(alpha=0.17)(x)))
        x = L.Dense(4, activation="softplus")(L.ThresholdedReLU(theta=0.1)(x))
        x = L.ReLU(max_value=0.9)(x) if has("ReLU") else L.Activation("softsign")(x)
        return Model(i, L.Softmax(axis=1)(x) if has("Softmax") else L.Activation("softmax")(x))

    yield Case("activations-in-a-row", in_a_row, normal((4, 6)), tier=5)
    yield Case("dense-activation-layer", lambda: Sequential([L.Dense(6, input_shape=(4,)), L.LeakyReLU(alpha=0.3), L.Dense(3), L.Activation("softsign")]), normal((4,)), tier=3)


def convolution():
    one_d, two_d, three_d, small = (11, 3), (8, 9, 3), (6, 7, 8, 2), (4, 6, 3)
    c = layer
    yield c("conv1d", lambda: L.Conv1D(4, 3, activation="relu"), one_d, tier=1, also=WEIGHTS)
    yield c("conv1d-same-strides", lambda: L.Conv1D(4, 4, strides=3, padding="same", activation="relu"), one_d)
    yield c("conv1d-causal-dilation", lambda: L.Conv1D(4, 3, padding="causal", dilation_rate=2), one_d, also=("json-legacy",))
    yield c("conv2d", lambda: L.Conv2D(4, 3, activation="relu"), two_d, tier=1, also=ALL)
    yield c("conv2d-same", lambda: L.Conv2D(4, (2, 4), padding="same"), two_d)
    yield c("conv2d-strides-same", lambda: L.Conv2D(4, 3, strides=(2, 3), padding="same"), two_d, also=NEW)
    yield c("conv2d-strides-valid", lambda: L.Conv2D(4, (3, 2), strides=2, use_bias=False), two_d, tier=3)
    yield c("conv2d-dilation", lambda: L.Conv2D(4, 3, dilation_rate=(2, 2), padding="same"), two_d)
    yield c("conv2d-channels-first", lambda: L.Conv2D(4, (3, 2), strides=2, padding="same", data_format="channels_first"), (3, 8, 9), also=("h5-weights-legacy",))
    if E.since(2, 3):
        yield c("conv2d-groups", lambda: L.Conv2D(4, 3, groups=2), (8, 9, 4), also=NEW)
    yield c("conv3d", lambda: L.Conv3D(3, 3, activation="tanh"), three_d)
    yield c("conv3d-same-strides", lambda: L.Conv3D(3, (2, 3, 2), strides=2, padding="same"), three_d, tier=3)
    if has("DepthwiseConv1D"):
        yield c("depthwise-conv1d", lambda: L.DepthwiseConv1D(3, depth_multiplier=2, padding="same"), one_d, also=NEW)
    if has("DepthwiseConv2D"):
        yield c("depthwise-conv2d", lambda: L.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"), two_d, tier=1, also=("h5-weights-legacy", "keras-v3"))
        yield c("depthwise-conv2d-strides", lambda: L.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False), two_d)
        if E.since(2, 3):
            yield c("depthwise-conv2d-dilation", lambda: L.DepthwiseConv2D(3, dilation_rate=2), two_d, tier=3)
    if has("SeparableConv1D"):
        yield c("separable-conv1d", lambda: L.SeparableConv1D(4, 3, depth_multiplier=2, padding="same", strides=2), one_d)
    yield c("separable-conv2d", lambda: L.SeparableConv2D(4, 3, depth_multiplier=2, activation="relu"), two_d, also=("h5-weights-legacy", "keras-v3"))
    yield c("separable-conv2d-same", lambda: L.SeparableConv2D(4, 3, strides=2, padding="same", use_bias=False), two_d, tier=3)
    yield c("conv2d-transpose", lambda: L.Conv2DTranspose(4, 3, strides=2, activation="relu"), small, tier=1, also=("h5-weights-legacy", "json-legacy", "keras-v3"))
    yield c("conv2d-transpose-same", lambda: L.Conv2DTranspose(4, (2, 3), strides=(2, 3), padding="same"), small)
    yield c("conv2d-transpose-channels-first", lambda: L.Conv2DTranspose(4, (2, 3), strides=2, data_format="channels_first"), (3, 4, 6), tier=3)
    if not E.multi or E.number >= (2, 2, 3):
        yield c("conv2d-transpose-output-padding", lambda: L.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1), small)
    if has("Conv3DTranspose"):
        yield c("conv3d-transpose", lambda: L.Conv3DTranspose(3, 3, strides=2, padding="same", use_bias=False), (2, 3, 4, 2))
    if has("Conv1DTranspose"):
        yield c("conv1d-transpose", lambda: L.Conv1DTranspose(4, 4, strides=3, padding="same", output_padding=1), one_d, also=NEW)
    if has("LocallyConnected1D"):
        yield c("locally-connected-1d", lambda: L.LocallyConnected1D(4, 2, strides=3, activation="tanh"), one_d, also=("h5-weights-legacy",))
        yield c("locally-connected-2d", lambda: L.LocallyConnected2D(4, (3, 2), strides=(2, 3)), two_d, tier=1, also=("json-legacy", "keras-v3"))
        if E.since(2, 0):
            yield c("locally-connected-2d-implementation-2", lambda: L.LocallyConnected2D(2, 3, strides=2, implementation=2), (4, 6, 3))
            yield c("locally-connected-1d-implementation-3", lambda: L.LocallyConnected1D(2, 3, padding="same", implementation=3), (6, 3))


def pool_3d(reduce):
    """Windows of 2 with strides (1, 2, 3), valid: TensorFlow has no float64 kernel."""

    def second(inputs):
        x = inputs[0]
        counts = [(n - 2) // s + 1 for n, s in zip(x.shape[1:4], (1, 2, 3))]
        taps = [
            x[:, a : a + counts[0], b : b + 2 * counts[1] - 1 : 2, c : c + 3 * counts[2] - 2 : 3]
            for a in range(2) for b in range(2) for c in range(2)
        ]  # fmt: skip
        return [reduce(np.stack(taps), axis=0)]

    return second


def bilinear(rows, columns):
    """TensorFlow answers in float32; before 2.0 it took the pixel's corner, not its middle."""

    def second(inputs):
        x = inputs[0]
        middle = 0.5 if E.since(2, 0) else 0.0

        def along(x, axis, factor):
            size = x.shape[axis]
            # Places are float32 in every kernel.
            step = np.float32(1) / np.float32(factor)
            place = np.maximum((np.arange(size * factor, dtype="float32") + np.float32(middle)) * step - np.float32(middle), 0)
            low = np.floor(place).astype(int)
            share = (place - low.astype("float32")).astype("float64").reshape([-1 if a == axis else 1 for a in range(x.ndim)])
            return np.take(x, low, axis) * (1 - share) + np.take(x, np.minimum(low + 1, size - 1), axis) * share

        return [along(along(x, 1, rows), 2, columns)]

    return second


def pooling():
    one_d, two_d, three_d = (11, 3), (8, 9, 3), (6, 7, 8, 2)
    for kind in ("Max", "Average"):
        low = kind.lower()
        make = {n: getattr(L, "%sPooling%dD" % (kind, n)) for n in (1, 2, 3)}
        yield layer(low + "-1d", lambda make=make: make[1](3, strides=2, padding="same"), one_d)
        yield layer(low + "-2d", lambda make=make: make[2]((2, 3)), two_d, tier=1)
        yield layer(low + "-2d-same", lambda make=make: make[2](3, strides=2, padding="same"), two_d, also=("json-legacy",))
        yield layer(low + "-3d", lambda make=make: make[3](2, strides=(1, 2, 3)), three_d, tier=3, second=pool_3d(np.max if kind == "Max" else np.mean))
        glob = {n: getattr(L, "Global%sPooling%dD" % (kind, n)) for n in (1, 2, 3)}
        yield layer("global-%s-1d" % low, lambda glob=glob: glob[1](), one_d)
        yield layer("global-%s-2d" % low, lambda glob=glob: glob[2](), two_d)
        yield layer("global-%s-2d-first" % low, lambda glob=glob: glob[2](data_format="channels_first"), (3, 8, 9))
        yield layer("global-%s-3d" % low, lambda glob=glob: glob[3](), three_d, tier=3)
        if E.since(2, 6):
            yield layer("global-%s-2d-keepdims" % low, lambda glob=glob: glob[2](keepdims=True), two_d, also=NEW)


    def between_convolutions():
        i, j = Input((9, 10, 3)), Input((11, 3))
        x = L.MaxPooling2D((2, 3), strides=(2, 1), padding="same")(L.Conv2D(4, 2)(i))
        x = L.Conv2D(6, 2)(L.AveragePooling2D(2, strides=(1, 2))(x))
        y = L.AveragePooling1D(3, strides=2, padding="same")(L.MaxPooling1D(2)(L.Conv1D(6, 2)(j)))
        average = L.GlobalAveragePooling2D(keepdims=True) if E.since(2, 6) else L.GlobalAveragePooling2D()
        return Model([i, j], [L.GlobalMaxPooling2D()(x), average(x), L.GlobalAveragePooling1D()(y)])

    yield Case("pooled-convolutions", between_convolutions, normal((9, 10, 3), (11, 3)), tier=5)


def conv_then(make, shape, width=4):
    """A convolution first, so that the numbers depend on weights."""
    rank = len(shape) - 1
    conv = {1: L.Conv1D, 2: L.Conv2D, 3: L.Conv3D}[rank]
    return lambda: Sequential([conv(width, 2, input_shape=shape)] + make())


def reshaping():
    one_d, two_d, three_d = (7, 3), (7, 8, 3), (4, 6, 7, 2)
    items = [
        ("flatten", lambda: [L.Flatten(), L.Dense(3)], two_d, 1), ("flatten-first", lambda: [L.Flatten(data_format="channels_first"), L.Dense(3)], two_d, 2),
        ("reshape", lambda: [L.Reshape((4, -1)), L.Dense(3)], one_d, 2), ("permute", lambda: [L.Permute((3, 1, 2)), L.Dense(3)], two_d, 2),
        ("repeat-vector", lambda: [L.Flatten(), L.RepeatVector(3), L.Dense(2)], one_d, 2),
        ("zero-padding-1d", lambda: [L.ZeroPadding1D((1, 2)), L.Conv1D(3, 2)], one_d, 2),
        ("zero-padding-2d", lambda: [L.ZeroPadding2D(((1, 2), (0, 3))), L.Conv2D(3, 2)], two_d, 1),
        ("zero-padding-2d-first", lambda: [L.ZeroPadding2D((1, 2), data_format="channels_first")], two_d, 3),
        ("zero-padding-3d", lambda: [L.ZeroPadding3D(((1, 0), (0, 2), (2, 1)))], three_d, 3),
        ("cropping-1d", lambda: [L.Cropping1D((1, 2))], one_d, 2), ("cropping-2d", lambda: [L.Cropping2D(((1, 2), (0, 3)))], two_d, 2),
        ("cropping-3d", lambda: [L.Cropping3D(((1, 0), (0, 2), (2, 1)))], three_d, 3),
        ("upsampling-1d", lambda: [L.UpSampling1D(3)], one_d, 2), ("upsampling-2d", lambda: [L.UpSampling2D((2, 3))], two_d, 2),
        ("upsampling-3d", lambda: [L.UpSampling3D((1, 2, 3))], (3, 4, 3, 2), 3),
    ]  # fmt: skip
    for name, make, shape, tier in items:
        if name == "flatten-first" and E.multi and E.number < (2, 2):
            continue
        yield Case(name, lambda make=make, shape=shape: conv_then(make, shape)(), normal(shape), tier=tier, also=("json-legacy",) if "2d" in name else ())

    def in_a_row():
        i = Input((6, 7, 3))
        x = L.Conv2D(4, 2)(L.ZeroPadding2D(((1, 2), (3, 0)))(i))
        x = L.UpSampling2D((2, 3))(L.Cropping2D(((1, 2), (0, 3)))(x))
        # Until 2.3 the width that -1 stands for is not known to the next layer of tf.keras.
        x = L.Dense(3)(L.Reshape((4, -1) if E.multi or E.since(2, 3) else (4, 180))(L.Permute((3, 1, 2))(x)))
        y = L.Cropping1D((1, 0))(L.UpSampling1D(2)(L.ZeroPadding1D((1, 3))(x)))
        z = L.RepeatVector(2)(L.Dense(2)(L.Flatten()(x)))
        return Model(i, [L.Dense(2)(y), z])

    yield Case("reshaped-in-a-row", in_a_row, normal((6, 7, 3)), tier=5)
    if not E.multi or E.number >= (2, 2, 3):
        yield layer("upsampling-2d-bilinear", lambda: L.UpSampling2D((2, 3), interpolation="bilinear"), two_d, also=NEW, second=bilinear(2, 3))


def normalization():
    yield Case("batch-normalization", lambda: Sequential([L.Dense(6, input_shape=(4,)), L.BatchNormalization(), L.Dense(3)]), normal((4,)), tier=1, also=ALL)
    yield layer("batch-normalization-image", lambda: L.BatchNormalization(epsilon=0.05, momentum=0.8), (4, 6, 3), tier=1, also=NEW)
    yield layer("batch-normalization-axis-1", lambda: L.BatchNormalization(axis=1), (4, 6, 3), also=("json-legacy", "h5-weights-legacy"))
    yield layer("batch-normalization-axis-2", lambda: L.BatchNormalization(axis=2, epsilon=0.1), (4, 6, 3), tier=3)
    yield layer("batch-normalization-rank-3", lambda: L.BatchNormalization(), (4, 6))
    yield layer("batch-normalization-no-scale", lambda: L.BatchNormalization(scale=False), (6,), also=NEW)
    yield layer("batch-normalization-no-center", lambda: L.BatchNormalization(center=False), (4, 6, 3))
    yield layer("batch-normalization-bare", lambda: L.BatchNormalization(center=False, scale=False, epsilon=0.2), (4, 6, 3), tier=3)
    if E.since(1, 13):
        yield layer("batch-normalization-axes", lambda: L.BatchNormalization(axis=[1, 3]), (4, 6, 3), tier=1, also=("json-legacy", "keras-v3"))
        yield layer("batch-normalization-axes-bare", lambda: L.BatchNormalization(axis=[2, -3], center=False, scale=False, epsilon=0.2), (4, 6, 3), tier=3)
    if E.since(2, 4):  # before, it has no renorm in float64
        limits = {"rmax": 3.0, "dmax": 2.0}
        yield layer("batch-normalization-renorm", lambda: L.BatchNormalization(renorm=True, renorm_momentum=0.8), (4, 6), tier=3, also=NEW)
        yield layer("batch-normalization-axes-renorm", lambda: L.BatchNormalization(axis=[-1, 1], renorm=True, renorm_clipping=limits, scale=False), (4, 6, 3), tier=3)
    if has("LayerNormalization"):
        yield layer("layer-normalization", lambda: L.LayerNormalization(epsilon=0.02), (4, 6), tier=1, also=NEW)
        yield layer("layer-normalization-axes", lambda: L.LayerNormalization(axis=[1, 2], scale=False), (4, 6, 3), also=("json-legacy",))
        yield layer("layer-normalization-axis-1", lambda: L.LayerNormalization(axis=1, center=False), (4, 6), tier=3)
    if has("UnitNormalization"):
        yield layer("unit-normalization", lambda: L.UnitNormalization(axis=1), (4, 6), also=NEW)
    if has("GroupNormalization"):
        yield layer("group-normalization", lambda: L.GroupNormalization(groups=3, epsilon=0.02), (4, 6), also=NEW)


def merging():
    for name, cls, tier in (("add", "Add", 1), ("subtract", "Subtract", 2), ("multiply", "Multiply", 2), ("average", "Average", 2), ("maximum", "Maximum", 2), ("minimum", "Minimum", 3)):
        if has(cls):
            many = () if cls == "Subtract" else ((4, 6),)

            def build(cls=cls, many=many):
                inputs = [Input((4, 6)) for _ in range(2 + len(many))]
                return Model(inputs, L.Dense(3)(getattr(L, cls)()(inputs)))

            yield Case(name, build, normal((4, 6), (4, 6), *many), tier=tier, also=("json-legacy", "keras-v3") if tier == 1 else ())

    def towers():
        i, j = Input((4, 6), name="left"), Input((4, 3), name="right")
        a, b, c = L.Dense(6)(i), L.Dense(6, activation="tanh")(j), L.Dense(6)(j)
        x = L.Multiply()([L.Add()([a, b, c]), b])
        y = L.Subtract()([L.Average()([a, b, c]), c]) if has("Subtract") else L.Average()([a, b, c])
        z = L.Maximum()([a, b])
        z = L.Minimum()([z, c]) if has("Minimum") else z
        scores = L.Dot(axes=(2, 2), normalize=True)([L.Concatenate(axis=1)([x, y]), z])
        return Model([i, j], [L.Dense(2)(scores), L.Dense(3)(L.Concatenate()([x, z]))])

    yield Case("merged-towers", towers, normal((4, 6), (4, 3)), tier=5)
    yield layer("concatenate", lambda: L.Concatenate(), (4, 6), (4, 3), tier=1)
    yield layer("concatenate-axis-1", lambda: L.Concatenate(axis=1), (4, 6), (3, 6), also=("json-legacy",))
    yield layer("dot", lambda: L.Dot(axes=1), (6,), (6,))
    yield layer("dot-axes", lambda: L.Dot(axes=(2, 1)), (4, 6), (6, 3), also=NEW)
    yield layer("dot-normalize", lambda: L.Dot(axes=-1, normalize=True), (4, 6), (3, 6), also=("json-legacy",))
    yield layer("multiply-broadcast", lambda: L.Multiply(), (4, 6), (1, 6), tier=3)
    yield layer("add-ranks", lambda: L.Add(), (4, 6), (6,), tier=3)


def recurrent():
    shape = (6, 3)
    # The cells that run on any CPU, in their generation's own defaults.
    for name, make in (("simple-rnn", L.SimpleRNN), ("lstm", L.LSTM), ("gru", L.GRU)):
        full = ("h5-weights-legacy", "json-legacy", "keras-v3")
        yield layer(name, lambda make=make: make(4), shape, tier=1, also=full if name != "simple-rnn" else ())
        yield layer(name + "-sequences", lambda make=make: make(4, return_sequences=True, activation="softsign"), shape)
        yield layer(name + "-state", lambda make=make: make(4, return_state=True), shape)
        yield layer(name + "-sequences-state", lambda make=make: make(4, return_sequences=True, return_state=True), shape, tier=3)
        yield layer(name + "-backwards", lambda make=make: make(4, go_backwards=True, return_sequences=True), shape)
        yield layer(name + "-no-bias", lambda make=make: make(4, use_bias=False), shape, tier=3)
        yield layer(name + "-unroll", lambda make=make: make(4, unroll=True, activation="relu"), shape)

        def stateful(make=make):
            return Sequential([make(4, stateful=True, batch_input_shape=(5, 6, 3))])

        yield Case(name + "-stateful", stateful, normal(shape), tier=3 if name == "simple-rnn" else 2, also=("json-legacy",))

        def masked(make=make):
            i = Input((6, 3))
            return Model(i, make(4, return_sequences=True)(L.Masking(0.0)(i)))

        yield Case(name + "-masked", masked, masked_steps(6, 3))

        def given_state(make=make, states=2 if name == "lstm" else 1):
            i, state = Input((6, 3)), [Input((4,)) for _ in range(states)]
            return Model([i] + state, make(4)(i, initial_state=state))

        yield Case(name + "-initial-state", given_state, normal(shape, *[(4,)] * (2 if name == "lstm" else 1)), tier=3 if name == "simple-rnn" else 2)
    for name, make in (("lstm", L.LSTM), ("gru", L.GRU)):
        yield layer(name + "-activations", lambda make=make: make(4, recurrent_activation="sigmoid", activation="elu"), shape)
        yield layer(name + "-hard-sigmoid", lambda make=make: make(4, recurrent_activation="hard_sigmoid"), shape, also=NEW)
        yield layer(name + "-dropout", lambda make=make: make(4, dropout=0.2, recurrent_dropout=0.1, implementation=2), shape, tier=3)
    yield layer("lstm-no-forget-bias", lambda: L.LSTM(4, unit_forget_bias=False, kernel_regularizer="l2"), shape, tier=3)
    try:
        L.GRU(4, reset_after=True)
    except TypeError:
        pass
    else:
        yield layer("gru-reset-after", lambda: L.GRU(4, reset_after=True, return_sequences=True), shape, tier=1, also=("h5-weights-legacy", "keras-v3"))
        yield layer("gru-reset-before", lambda: L.GRU(4, reset_after=False), shape, also=("json-legacy", "keras-v3"))

    def stack():
        return Sequential([L.LSTM(4, return_sequences=True, input_shape=shape), L.GRU(6, return_sequences=True), L.SimpleRNN(3)])

    yield Case("stacked", stack, normal(shape), tier=1, also=WEIGHTS)
    yield layer("bidirectional-lstm", lambda: L.Bidirectional(L.LSTM(4)), shape, tier=1, also=ALL)
    yield layer("bidirectional-gru-sequences", lambda: L.Bidirectional(L.GRU(4, return_sequences=True)), shape)
    for mode in ("sum", "mul", "ave", None):
        yield layer("bidirectional-%s" % str(mode).lower(), lambda mode=mode: L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode=mode), shape, tier=2 if mode in ("sum", None) else 3)

    def masked_both(unroll):
        def build():
            i = Input((6, 3))
            return Model(i, L.Bidirectional(L.GRU(4, return_sequences=True, unroll=unroll))(L.Masking(0.0)(i)))

        return build

    yield Case("bidirectional-masked", masked_both(False), masked_steps(6, 3))
    yield Case("bidirectional-masked-unrolled", masked_both(True), masked_steps(6, 3))
    if E.since(2, 0):
        yield layer("bidirectional-backward-layer", lambda: L.Bidirectional(L.LSTM(4), backward_layer=L.GRU(4, go_backwards=True)), shape, also=("json-legacy", "keras-v3"))
    def masked_states():
        i = L.Input((6,))
        steps = L.Embedding(7, 4, mask_zero=True)(i)
        states = L.LSTM(3, return_state=True)(steps)[1:]
        return Model(i, L.LSTM(3, return_sequences=True)(steps, initial_state=states))

    yield Case("lstm-masked-states", masked_states, tokens(6, 7), also=("h5-weights-legacy", "keras-v3"))
    turned = lambda: [L.Bidirectional(L.LSTM(4, go_backwards=True, return_sequences=True), input_shape=shape), L.Bidirectional(L.GRU(2, go_backwards=True))]
    yield sequential("bidirectional-turned", turned, shape, tier=2, also=("h5-weights-legacy", "keras-v3"))
    yield layer("bidirectional-state", lambda: L.Bidirectional(L.LSTM(4, return_state=True)), shape, tier=3)
    yield layer("time-distributed-dense", lambda: L.TimeDistributed(L.Dense(4, activation="tanh")), shape, tier=1, also=("h5-weights-legacy", "keras-v3"))
    yield layer("time-distributed-conv", lambda: L.TimeDistributed(L.Conv2D(2, 3)), (4, 6, 7, 3))
    yield Case(
        "time-distributed-model",
        lambda: Sequential([L.TimeDistributed(Sequential([L.Conv1D(2, 3, input_shape=(6, 3)), L.Flatten(), L.Dense(4)]), input_shape=(7, 6, 3)), L.LSTM(3)]),
        normal((7, 6, 3)),
        also=("h5-weights-legacy", "keras-v3"),
    )
    yield layer("conv-lstm-2d", lambda: L.ConvLSTM2D(2, (2, 3), padding="same", return_sequences=True), (4, 6, 7, 3), tier=1, also=("h5-weights-legacy", "keras-v3"))
    yield layer("conv-lstm-2d-strides", lambda: L.ConvLSTM2D(2, 3, strides=2, go_backwards=True, use_bias=False, recurrent_activation="sigmoid"), (4, 6, 7, 3), tier=3)
    if has("ConvLSTM1D"):
        yield layer("conv-lstm-1d", lambda: L.ConvLSTM1D(2, 3, activation="relu"), (4, 6, 3), also=NEW)
        yield layer("conv-lstm-3d", lambda: L.ConvLSTM3D(2, 2), (3, 4, 4, 4, 2), tier=3)
    if has("LSTMCell"):
        yield layer("cell-lstm", lambda: L.RNN(L.LSTMCell(4), return_sequences=True), shape, also=("json-legacy", "keras-v3"))
        yield layer("cell-gru-state", lambda: L.RNN(L.GRUCell(4), return_state=True), shape, tier=3)
        yield layer("stacked-cells", lambda: L.RNN([L.LSTMCell(4), L.GRUCell(6)]), shape, also=("json-legacy", "h5-weights-legacy", "keras-v3"))
        yield layer("stacked-cells-simple", lambda: L.RNN(L.StackedRNNCells([L.SimpleRNNCell(4), L.LSTMCell(6)]), return_sequences=True), shape, tier=3)

    def encoder_decoder():
        a, b = Input((6, 3)), Input((9, 3))
        _, h, c = L.LSTM(4, return_state=True)(a)
        x = L.LSTM(4, return_sequences=True)(b, initial_state=[h, c])
        return Model([a, b], L.TimeDistributed(L.Dense(2))(x))

    yield Case("encoder-decoder", encoder_decoder, normal((6, 3), (9, 3)), also=("json-legacy", "keras-v3"))


def attention():
    if has("Attention"):
        yield layer("attention", lambda: L.Attention(), (4, 6), (7, 6), tier=1)
        yield layer("attention-scale", lambda: L.Attention(use_scale=True), (4, 6), (7, 6), (7, 6), also=("json-legacy", "keras-v3"))
        if E.since(2, 7):
            yield layer("attention-concat", lambda: L.Attention(score_mode="concat", use_scale=True), (4, 6), (7, 6), also=NEW)
    if has("AdditiveAttention"):
        yield layer("additive-attention", lambda: L.AdditiveAttention(), (4, 6), (7, 6), also=("h5-weights-legacy",))
        yield layer("additive-attention-no-scale", lambda: L.AdditiveAttention(use_scale=False), (4, 6), (7, 6), tier=3)
    if has("MultiHeadAttention"):

        def attend(**more):
            def build():
                q, v = Input((7, 6)), Input((9, 6))
                return Model([q, v], L.MultiHeadAttention(num_heads=2, key_dim=3, **more)(q, v))

            return build

        two = normal((7, 6), (9, 6))
        yield Case("multi-head", attend(), two, tier=1, also=("h5-weights-legacy", "json-legacy", "keras-v3", "weights-v3"))
        yield Case("multi-head-value-dim", attend(value_dim=4, output_shape=8, use_bias=False), two, also=NEW)
        yield Case("multi-head-scores", lambda: _scores(), normal((7, 6)))


def _scores():
    i = Input((7, 6))
    y, scores = L.MultiHeadAttention(num_heads=2, key_dim=3)(i, i, return_attention_scores=True)
    return Model(i, [y, scores])


def preprocessing():
    P = L
    if not has("Rescaling"):
        P = getattr(getattr(L, "experimental", None), "preprocessing", None)
    if P is None:
        return
    image = (8, 9, 3)

    def then_conv(make, shape=image):
        def build():
            i = Input(shape)
            return Model(i, L.Conv2D(4, 3)(make()(i)))

        return build

    yield Case("rescaling", then_conv(lambda: P.Rescaling(0.25, offset=-0.5)), normal(image), also=("json-legacy", "keras-v3"))
    yield Case("center-crop", then_conv(lambda: P.CenterCrop(6, 7)), normal(image))
    yield Case("resizing-nearest", then_conv(lambda: P.Resizing(6, 7, interpolation="nearest")), normal(image))
    yield Case("resizing-bilinear", then_conv(lambda: P.Resizing(12, 13)), normal(image), also=NEW)
    if hasattr(P, "RandomFlip"):

        def augment():
            i = Input(image)
            x = P.RandomFlip("horizontal", seed=3)(i)
            x = P.RandomRotation(0.1, fill_mode="constant", seed=4)(x)
            x = P.RandomZoom(0.2, width_factor=0.3)(x)
            x = P.RandomTranslation(0.1, 0.2)(x)
            x = P.RandomContrast(0.3)(x)
            return Model(i, L.Conv2D(4, 3)(x))

        yield Case("random-layers", augment, normal(image), also=("json-legacy", "keras-v3"))
    if hasattr(P, "Normalization"):

        def adapted(model, inputs):
            layer = model.layers[1]
            data = np.random.RandomState(3).normal(0.3, 1.7, (40, 6)).astype("float32")
            weights = model.get_weights()
            layer.adapt(data)
            model.set_weights(layer.get_weights() + weights[len(layer.get_weights()) :])

        def normalize():
            i = Input((6,))
            return Model(i, L.Dense(3)(P.Normalization(axis=-1)(i)))

        yield Case("normalization", normalize, normal((6,)), also=("keras-v3",))
        yield Case("normalization-adapted", normalize, normal((6,)), finish=adapted, also=("h5-weights-legacy",))
        if E.since(2, 4):

            def given():
                i = Input((4, 6))
                return Model(i, L.Dense(3)(P.Normalization(axis=-1, mean=[0.1, -0.2, 0.3, 0.4, 0.0, 1.0], variance=[1.0, 0.5, 2.0, 1.5, 0.7, 0.3])(i)))

            yield Case("normalization-given", given, normal((4, 6)), also=("json-legacy", "keras-v3"))
    if hasattr(P, "Discretization") and E.since(2, 6):

        def discretize():
            i = Input((6,))
            x = P.Discretization(bin_boundaries=[-0.5, 0.0, 0.7])(i)
            return Model(i, L.Dense(3)(L.Embedding(4, 2)(x)))

        yield Case("discretization", discretize, normal((6,)))

        def adapt(bins):
            def build():
                i = Input((6,))
                layer = P.Discretization(num_bins=bins)
                x = L.Embedding(bins + 1, 2)(layer(i))
                layer.adapt(np.random.RandomState(4).normal(0, 1, (57, 6)).astype("float32"))
                return Model(i, L.Dense(3)(x))

            return build

        # Parts of the summary, all of it, and a number of bins whose reciprocal does not give it back.
        yield Case("discretization-adapted", adapt(5), normal((6,)), also=("h5-weights-legacy",))
        yield Case("discretization-adapted-few", adapt(400), normal((6,)))
        yield Case("discretization-adapted-49", adapt(49), normal((6,)))
    if hasattr(P, "CategoryEncoding") and E.since(2, 6):

        def encode(mode):
            def build():
                i = Input((1,) if mode == "one_hot" else (4,), dtype="int32")
                return Model(i, L.Dense(3)(P.CategoryEncoding(num_tokens=7, output_mode=mode)(i)))

            return build

        yield Case("category-encoding-multi-hot", encode("multi_hot"), tokens(4, 7, False), also=NEW)
        yield Case("category-encoding-one-hot", encode("one_hot"), tokens(1, 7, False), tier=3)
    if hasattr(P, "RandomBrightness"):
        yield Case("random-brightness", then_conv(lambda: P.RandomBrightness(0.2, value_range=(0.0, 1.0), seed=3)), normal(image), tier=3)


def structure():
    x4 = normal((4,))

    def two_by_two():
        a, b = Input((4,), name="left"), Input((6,), name="right")
        x = L.Concatenate()([L.Dense(3)(a), L.Dense(3)(b)])
        return Model([a, b], [L.Dense(2, name="first")(x), L.Dense(7, name="second")(x)])

    yield Case("two-inputs-two-outputs", two_by_two, normal((4,), (6,)), tier=1, also=ALL)

    def shared():
        a, b = Input((4,)), Input((4,))
        dense, out = L.Dense(6, activation="tanh"), L.Dense(3)
        return Model([a, b], L.Add()([out(dense(a)), out(dense(b))]))

    yield Case("shared-layer", shared, normal((4,), (4,)), tier=1, also=("h5-weights-legacy", "json-legacy", "keras-v3"))

    def shared_thrice():
        i = Input((4,))
        dense = L.Dense(4, activation="tanh")
        return Model(i, [dense(i), dense(dense(dense(i)))])

    yield Case("shared-thrice", shared_thrice, x4)

    def nested_functional():
        j = Input((6,), name="inner_input")
        inner = Model(j, [L.Dense(3)(j), L.Dense(2)(j)], name="inner")
        i = Input((4,))
        p, q = inner(L.Dense(6)(i))
        return Model(i, L.Concatenate()([p, q, L.Dense(7)(p)]))

    yield Case("nested-functional", nested_functional, x4, tier=1, also=ALL)

    def nested_twice():
        m = Input((3,))
        deepest = Model(m, L.Dense(3, activation="tanh")(m), name="deepest")
        j = Input((6,))
        middle = Model(j, deepest(L.Dense(3)(j)), name="middle")
        i = Input((6,))
        return Model(i, [middle(i), middle(L.Dense(6)(i))])

    yield Case("nested-twice", nested_twice, normal((6,)), also=("h5-weights-legacy", "keras-v3"))

    def nested_output():
        j = Input((4,))
        inner = Model(j, L.Dense(3)(j), name="inner")
        i = Input((4,))
        return Model(i, inner(i))

    yield Case("nested-output", nested_output, x4)

    def sequential_in_functional():
        i = Input((4,))
        tower = Sequential([L.Dense(6, activation="relu", input_shape=(4,)), L.Dense(3)], name="tower")
        return Model(i, L.Add()([tower(i), L.Dense(3)(i)]))

    yield Case("sequential-in-functional", sequential_in_functional, x4, tier=1, also=("h5-weights-legacy", "json-legacy", "keras-v3"))

    def functional_in_sequential():
        j = Input((6,))
        inner = Model(j, L.BatchNormalization()(L.Dense(3)(j)))
        return Sequential([L.Dense(6, input_shape=(4,)), inner, L.Dense(2)])

    yield Case("functional-in-sequential", functional_in_sequential, x4, also=("h5-weights-legacy", "keras-v3"))

    def sequential_in_sequential():
        return Sequential([Sequential([L.Dense(6, input_shape=(4,)), L.BatchNormalization()]), Sequential([L.Dense(3, input_shape=(6,))]), L.Dense(2)])

    yield Case("sequential-in-sequential", sequential_in_sequential, x4, also=("json-legacy",))
    if E.since(2, 0):
        yield Case("sequential-deferred", lambda: Sequential([L.Dense(6, activation="relu"), L.Dense(3)]), x4, tier=2, also=("keras-v3",))

        def dict_ports():
            ports = {"zebra": Input((4,), name="zebra"), "ant": Input((6,), name="ant")}
            x = L.Concatenate()([ports["zebra"], ports["ant"]])
            return Model(ports, {"z": L.Dense(2)(x), "a": L.Dense(3)(x)} if E.since(2, 4) else L.Dense(2)(x))

        yield Case("dict-ports", dict_ports, normal((6,), (4,)), also=("json-legacy", "keras-v3"))

    def repeated():
        layers = [L.Conv1D(3, 2, input_shape=(12, 2)), L.BatchNormalization(), L.Activation("relu")]
        for _ in range(2):
            layers += [L.Conv1D(3, 2), L.BatchNormalization(), L.Activation("relu")]
        return Sequential(layers + [L.Flatten(), L.Dense(6), L.Dense(4), L.Dense(2)])

    yield Case("repeated-classes", repeated, normal((12, 2)), also=("h5-weights-legacy", "keras-v3", "weights-v3"))

    def names():
        i = Input((4,), name="given_0")
        x = L.Dense(6, name="a.b-c")(i)
        return Model(i, L.Dense(3, name="Dense_1")(x), name="Model.x")

    yield Case("odd-names", names, x4, also=("json-legacy",))

    def residual():
        i = Input((8, 9, 3))
        x = L.Conv2D(4, 3, padding="same", activation="relu")(i)
        y = L.BatchNormalization()(L.Conv2D(4, 3, padding="same")(x))
        return Model(i, L.GlobalAveragePooling2D()(L.Activation("relu")(L.Add()([x, y]))))

    yield Case("residual", residual, normal((8, 9, 3)), tier=1, also=WEIGHTS)

    def unused_order():
        # Layers made in another order than the graph needs them.
        b, a = Input((6,), name="b"), Input((4,), name="a")
        late = L.Dense(3, name="late")
        early = L.Dense(6, name="early")(a)
        return Model([a, b], late(L.Multiply()([early, b])))

    yield Case("creation-order", unused_order, normal((4,), (6,)))

    def chunked(count, length):
        """HDF5 arrays of names are as wide as the longest: one long name makes many bytes."""
        i = x = Input((2,))
        for n in range(count):
            x = L.Dense(2, activation="tanh", name="n%d" % n + ("_long" * (length // 5) if n == 3 else ""))(x)
        return Model(i, x)

    # More than 64,512 bytes of names: layer_names0, layer_names1; weight_names0, weight_names1.
    yield Case("layer-names-chunked", lambda: chunked(24, 2700), x2(), also=("h5-weights-legacy",), tier=3)

    def chunked_weights():
        inner = chunked(14, 2400)
        i = Input((2,))
        return Model(i, inner(i))

    yield Case("weight-names-chunked", chunked_weights, x2(), tier=3)

    def frozen():
        model = Sequential([L.Dense(6, input_shape=(4,)), L.BatchNormalization(), L.Dense(3)])
        model.layers[0].trainable = False
        model.layers[1].trainable = False
        return model

    yield Case("frozen-layers", frozen, x4, tier=1, also=ALL)

    def frozen_model(partly):
        def build():
            j = Input((4,))
            inner = Model(j, L.Dense(3)(L.BatchNormalization()(L.Dense(6)(j))), name="inner")
            if partly:
                inner.layers[2].trainable = False
            else:
                inner.trainable = False
            return Sequential([L.Dense(4, input_shape=(4,)), inner, L.Dense(3)])

        return build

    yield Case("frozen-model", frozen_model(False), x4, tier=1, also=("h5-weights-legacy", "keras-v3"))
    yield Case("frozen-inside-model", frozen_model(True), x4, also=("h5-weights-legacy", "keras-v3"))

    def nested_norm():
        j = Input((4,))
        inner = Model(j, L.Dense(3)(L.BatchNormalization()(L.Dense(6)(L.BatchNormalization()(j)))), name="inner")
        return Sequential([L.Dense(4, input_shape=(4,)), inner])

    yield Case("nested-normalization", nested_norm, x4, tier=1, also=("h5-weights-legacy", "keras-v3", "weights-v3"))

    def leading_norm():
        inner = Sequential([L.Dense(6, input_shape=(4,)), L.BatchNormalization(), L.Dense(3)])
        inner.layers[0].trainable = False
        return Sequential([Sequential([inner, L.BatchNormalization()]), L.Dense(2)])

    # In Keras 2.0 and 2.1 the layers of models that a Sequential begins with count one by one.
    yield Case("leading-normalization", leading_norm, x4, tier=3)

    def masked_branches():
        a, b, c = Input((9,), dtype="int32"), Input((8,), dtype="int32"), Input((4,))
        embed = L.Embedding(20, 6, mask_zero=True)
        x, y = L.LSTM(3)(embed(a)), L.GRU(4)(embed(b))
        return Model([a, b, c], L.Dense(2)(L.Concatenate()([x, y, c])))

    yield Case("several-masked-branches", masked_branches, several(tokens(9, 20), tokens(8, 20), normal((4,))), also=("h5-weights-legacy", "keras-v3"))

    def plain_deep():
        i = x = Input((4,))
        for _ in range(40):
            x = L.Dense(4, activation="tanh")(x)
        return Model(i, x)

    yield Case("deep-40", plain_deep, x4, tier=3)


def x2():
    return normal((2,))


def casts_outside(tf):
    i = Input((4,))
    x = tf.cast(i, "int32")
    return Model(i, [L.Dense(3)(tf.one_hot(x, 5, dtype=keras.backend.floatx())), x + 1])


def nodes(tf):
    """Operations of TensorFlow as layers. Constants are exact in float32, which is what the files hold."""
    real = keras.backend.floatx

    def functions():
        i = Input((4, 6))
        x = tf.concat([i, tf.square(i), tf.abs(i) - 0.5], axis=-1)
        x = tf.reshape(x, (-1, 72))
        return Model(i, L.Dense(3)(tf.nn.relu(tf.tanh(x) + 0.25) * tf.sigmoid(-x) + tf.nn.softplus(x)))

    yield Case("node-functions", functions, normal((4, 6)), tier=1, also=("json-legacy",))

    def reductions():
        i = Input((7, 6))
        x = L.Dense(4)(i)
        return Model(i, [tf.reduce_mean(x, axis=1), tf.reduce_max(x, axis=-1, keepdims=True), tf.reduce_sum(x, [1, 2]), tf.reduce_prod(x, -1), tf.reduce_min(x, [-1])])

    yield Case("node-reductions", reductions, normal((7, 6)), tier=1)

    def matrices():
        i = Input((4, 6))
        x = tf.matmul(i, tf.transpose(i, [0, 2, 1]))
        z = tf.matmul(i, i, transpose_a=True)
        x = tf.maximum(tf.exp(x * 0.125), 0.875)
        x = tf.squeeze(L.Dense(3)(tf.expand_dims(x, 1)), axis=1)
        flat = tf.matmul(tf.reduce_sum(i, 1), tf.constant(np.arange(-6, 12).reshape(3, 6) / 8.0, real()), transpose_b=True)
        return Model(i, [x, z, flat])

    yield Case("node-matrices", matrices, normal((4, 6)), tier=1)

    def constants():
        i = Input((3,))
        x = 0.75 - L.Dense(3)(i)
        x = x * tf.constant([1.5, -2.0, 0.25], dtype=real()) + np.array([0.125, 0.25, 0.375])
        return Model(i, [tf.constant([[3.0, 2.0, -1.0]], dtype=real()) - x, tf.math.squared_difference(x, 1.5), x ** 2.0])

    yield Case("node-constants", constants, normal((3,)), tier=1, also=("json-legacy",))

    def casts():
        i = Input((6,), dtype="int32")
        x = tf.cast(i * 3 + 1, real()) / 7.0
        y = tf.one_hot(i, 9, dtype=real())
        return Model(i, [L.Dense(3)(x), L.Dense(2)(y), i * 2 - 5])

    yield Case("node-casts", casts, tokens(6, 9, False), tier=1)

    yield Case("node-casts-outside", lambda: casts_outside(tf), far_numbers, batch=6, tier=1)

    def choice():
        i = Input((6,))
        x = L.Dense(4)(i)
        return Model(i, [tf.where(x > 0.25, x * x, -x), tf.cast(tf.logical_and(x > 0.0, x < 1.0), real()) + x])

    yield Case("node-choice", choice, normal((6,)), tier=1)

    def pieces():
        i = Input((4, 6))
        a, b = tf.split(i, 2, axis=-1)
        c, d = tf.split(i, [1, 3], axis=1)
        x = tf.stack([a, b * 2.0], axis=1)
        y = tf.tile(c, [1, 2, 1]) - tf.reverse(i[:, :2], [2])
        return Model(i, [x, y, tf.slice(d, [0, 1, 0], [-1, 2, -1]), tf.pad(d, [[0, 0], [1, 0], [0, 2]]), tf.gather(i, [2, 0], axis=1), tf.cumsum(i, 1)])

    yield Case("node-pieces", pieces, normal((4, 6)), tier=1)

    def softmaxes():
        i = Input((7, 6))
        x = L.Dense(4)(i)
        return Model(i, [tf.nn.softmax(x), tf.nn.log_softmax(x), tf.nn.softmax(x, axis=1), tf.nn.leaky_relu(x, 0.25), tf.nn.elu(x), tf.floor(x * 2.0), x // 0.5])

    yield Case("node-activations", softmaxes, normal((7, 6)), tier=1)

    def bias():
        i = Input((4, 6))
        x = tf.nn.bias_add(i, tf.constant(np.arange(6) / 4.0, real()))
        return Model(i, [x, tf.atan2(i, 2.0), tf.maximum(i, tf.reduce_mean(i, 1, keepdims=True)), i[:, 1:, :-2]])

    yield Case("node-bias", bias, normal((4, 6)), tier=1)

    def names():
        i = Input((4, 6))
        return Model(i, tf.norm(i, axis=-1) * 2.0)

    def sums():
        i = Input((4, 6))
        a, b, c, d = tf.unstack(i, axis=1)
        return Model(i, [tf.add_n([a, b, c * 0.5]), d * 2.0])

    yield Case("node-sums", sums, normal((4, 6)), tier=1)
    yield Case("node-names", names, normal((4, 6)), tier=1)


def several_tokens(rng, batch):
    return [rng.randint(-20, 20, (batch, 4, 6)).astype("int32")]


def operations():
    """Arithmetic on symbolic tensors: TensorFlowOpLayer until 2.3, TFOpLambda and SlicingOpLambda after."""
    if not E.since(1, 15):
        return
    tf = E.tf
    x4 = normal((4,))

    def arithmetic():
        i = Input((4,))
        x = L.Dense(6)(i) * 2.0 + 1.0
        return Model(i, L.Dense(3)((x - 0.5) / 3.0))

    yield Case("arithmetic", arithmetic, x4, tier=1, also=("json-legacy", "h5-weights-legacy", "keras-v3"))

    def two_tensors():
        i = Input((4,))
        a, b = L.Dense(6)(i), L.Dense(6)(i)
        return Model(i, L.Dense(3)((a + b) * (a - b) - a * b))

    yield Case("tensor-arithmetic", two_tensors, x4, also=("json-legacy",))

    def slices():
        i = Input((7, 6))
        x = L.Dense(4)(i)
        return Model(i, L.Dense(3)(x[:, 0]) + L.Dense(3)(x[:, -1, :]))

    yield Case("slices", slices, normal((7, 6)), also=("json-legacy", "keras-v3"))

    def slices_more():
        i = Input((7, 6, 4))
        return Model(i, [L.Dense(3)(i[:, 1:5:2, ::-1]), L.Dense(2)(i[..., 1:3]), L.Dense(2)(i[:, tf.newaxis, 2])])

    yield Case("slices-more", slices_more, normal((7, 6, 4)))
    if not E.since(2, 4):
        yield from nodes(tf)
        return

    def functions():
        i = Input((4, 6))
        x = tf.concat([i, tf.square(i)], axis=-1)
        x = tf.reshape(x, (-1, 48))
        return Model(i, L.Dense(3)(tf.nn.relu(tf.tanh(x) + 0.2)))

    yield Case("functions", functions, normal((4, 6)), also=("json-legacy", "keras-v3"))

    def reductions():
        i = Input((7, 6))
        x = L.Dense(4)(i)
        return Model(i, [tf.reduce_mean(x, axis=1), tf.reduce_max(x, axis=-1, keepdims=True), tf.math.reduce_sum(x, [1, 2])])

    yield Case("reductions", reductions, normal((7, 6)), also=NEW)

    def more_functions():
        i = Input((4, 6))
        x = tf.transpose(i, [0, 2, 1])
        x = tf.matmul(i, x)
        x = tf.math.maximum(tf.math.exp(x * 0.1), 0.9)
        x = tf.expand_dims(x, 1)
        return Model(i, L.Dense(3)(tf.squeeze(x, axis=1)))

    yield Case("functions-more", more_functions, normal((4, 6)))

    def constants():
        i = Input((4,))
        x = L.Dense(3)(i)
        x = x * tf.constant([1.5, -2.0, 0.25], dtype=keras.backend.floatx()) + np.array([0.1, 0.2, 0.3])
        return Model(i, tf.math.sigmoid(x) - tf.abs(x))

    yield Case("constants", constants, x4, also=("json-legacy",))

    def casts():
        i = Input((6,), dtype="int32")
        x = tf.cast(i, keras.backend.floatx()) / 7.0
        y = tf.one_hot(i, 9, dtype=keras.backend.floatx())
        return Model(i, [L.Dense(3)(x), L.Dense(2)(y)])

    yield Case("casts", casts, tokens(6, 9, False))
    yield Case("casts-outside", lambda: casts_outside(tf), far_numbers, batch=6)

    def comparison():
        i = Input((6,))
        x = L.Dense(4)(i)
        return Model(i, tf.where(x > 0.2, x * x, -x))

    yield Case("comparison", comparison, normal((6,)))

    def softmax_stack():
        i = Input((6,))
        a, b = L.Dense(4)(i), L.Dense(4)(i)
        return Model(i, tf.nn.softmax(tf.stack([a, b], axis=1), axis=-1))

    yield Case("softmax-stack", softmax_stack, normal((6,)))

    def split():
        i = Input((6,))
        a, b = tf.split(L.Dense(8)(i), 2, axis=-1)
        return Model(i, a * tf.sigmoid(b))

    yield Case("split", split, normal((6,)))

    def attention_by_hand():
        i = Input((7, 6))
        q, k, v = L.Dense(4)(i), L.Dense(4)(i), L.Dense(4)(i)
        scores = tf.matmul(q, k, transpose_b=True) / 2.0
        return Model(i, tf.matmul(tf.nn.softmax(scores), v))

    def matmul_transposed():
        i = Input((4, 6))
        a = L.Dense(3)(i)
        b = L.Permute((2, 1))(a)
        return Model(i, [tf.matmul(i, a, transpose_a=True), tf.matmul(i, b, transpose_a=True, transpose_b=True), tf.matmul(b, b, transpose_b=True)])

    def squared_difference():
        i = Input((6,))
        a = L.Dense(6)(i)
        near = tf.math.squared_difference(a, i)
        return Model(i, [near, tf.math.squared_difference(i, 0.25), tf.math.squared_difference(tf.cast(i * 9.0, "int32"), 4)])

    def sums():
        i = Input((6,))
        a, b = L.Dense(4)(i), L.Dense(4)(i)
        return Model(i, [tf.add_n([a, b, a * b]), tf.add_n([a]), tf.add_n([tf.cast(a * 9.0, "int32"), tf.cast(b * 9.0, "int32")])])

    def unstacked():
        i = Input((4, 6))
        a, b, c, d = tf.unstack(i, axis=1)
        e, f = tf.unstack(L.Dense(2)(i), num=2, axis=-1)
        return Model(i, [a * b - c, L.Dense(3)(d), e - f])

    def tensordots():
        i, j = Input((4, 6)), Input((6, 4))
        x = tf.tensordot(L.Dense(8)(i), tf.constant(np.arange(-12, 12).reshape(8, 3) / 4.0, keras.backend.floatx()), 1)
        y = tf.tensordot(i, tf.constant(np.arange(-12, 12).reshape(6, 2, 2) / 8.0, keras.backend.floatx()), axes=[[2], [0]])
        z = tf.tensordot(j, tf.constant(np.arange(-12, 12).reshape(4, 6) / 8.0, keras.backend.floatx()), axes=[[1, -1], [1, 0]])
        return Model([i, j], [x, y, z])

    def places():
        """int64, unless int32 is asked for."""
        i = Input((4, 6))
        x = L.Dense(6)(i)
        y = L.Dense(2)(tf.one_hot(tf.argmax(x, -1), 6, dtype=keras.backend.floatx()))
        return Model(i, [tf.argmax(x, -1), tf.argmin(x, axis=1, output_type=tf.int32), y, tf.math.argmin(i, 1) + 1])

    def divisions():
        """Integers are divided in float64, from which layers go on in float32."""
        i = Input((4, 6), dtype="int32")
        return Model(i, [i / 7, L.Dense(3)(i / 9), tf.cumsum(i, 1), (i / 7 + 1e5) - 1e5])

    yield Case("argmax", places, normal((4, 6)), also=("json-legacy",))
    yield Case("whole-divisions", divisions, several_tokens, also=("json-legacy",))
    yield Case("add-n", sums, normal((6,)), also=("json-legacy",))
    yield Case("unstack", unstacked, normal((4, 6)), also=("json-legacy",))
    yield Case("tensordot", tensordots, normal((4, 6), (6, 4)), also=("json-legacy",))
    yield Case("squared-difference", squared_difference, normal((6,)))
    yield Case("matmul-transposed", matmul_transposed, normal((4, 6)), also=("json-legacy",))
    yield Case("attention-by-hand", attention_by_hand, normal((7, 6)), also=("json-legacy",))


def compiled():
    x4 = normal((4,))

    def plain():
        return Sequential([L.Dense(6, activation="tanh", input_shape=(4,)), L.BatchNormalization(), L.Dense(3, activation="softmax")])

    def train(make, loss="mean_squared_error", metrics=None, steps=2, **more):
        def finish(model, inputs):
            optimizer = make()
            model.compile(optimizer, loss=loss, **dict(more, **({"metrics": metrics} if metrics else {})))
            target = np.abs(np.random.RandomState(3).normal(0, 1, (len(inputs[0]), 3))).astype("float32")
            target /= target.sum(axis=1, keepdims=True)
            for _ in range(steps):
                model.train_on_batch(inputs[0], target)

        return finish

    o = keras.optimizers
    yield Case("trained-adam", plain, x4, finish=train(lambda: o.Adam(0.01), metrics=["accuracy"]), tier=1, also=("keras-v3", "h5-weights-legacy", "weights-v3"))
    yield Case("trained-sgd", plain, x4, finish=train(lambda: o.SGD(0.1, momentum=0.9, nesterov=True), loss="categorical_crossentropy"), tier=1, also=NEW)
    yield Case("trained-rmsprop", plain, x4, finish=train(lambda: o.RMSprop(0.01, rho=0.8), loss="mae"), also=NEW)
    yield Case("trained-adam-amsgrad", plain, x4, finish=train(lambda: o.Adam(0.01, amsgrad=True), loss="kullback_leibler_divergence") if amsgrad() else None, also=NEW)
    for name in ("Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "AdamW", "Lion", "Adafactor"):
        if hasattr(o, name):
            yield Case("trained-" + name.lower(), plain, x4, finish=train(lambda name=name: getattr(o, name)(0.01)), tier=3, also=NEW)
    if hasattr(o, "legacy"):
        yield Case("trained-legacy-adam", plain, x4, finish=train(lambda: o.legacy.Adam(0.01)), also=NEW)
        yield Case("trained-legacy-rmsprop", plain, x4, finish=train(lambda: o.legacy.RMSprop(0.01, centered=True, momentum=0.3)), tier=3)
    yield Case("compiled-strings", plain, x4, finish=train(lambda: "adam", loss="mse", metrics=["mae", "mse"], steps=0), also=NEW)
    if E.since(2, 0):
        losses, metrics = keras.losses, keras.metrics
        yield Case(
            "compiled-objects",
            plain,
            x4,
            finish=train(
                lambda: o.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9), clipnorm=1.5),
                loss=losses.Huber(0.5) if hasattr(losses, "Huber") else "mse",
                metrics=[metrics.MeanSquaredError(), metrics.CategoricalAccuracy(name="hits")],
            ),
            also=NEW,
        )

    def two_losses():
        i = Input((4,))
        x = L.Dense(6)(i)
        return Model(i, [L.Dense(2, name="first")(x), L.Dense(3, name="second")(x)])

    def compile_two(model, inputs):
        model.compile("rmsprop", loss={"first": "mse", "second": "mae"}, loss_weights={"first": 0.3, "second": 0.7}, metrics={"first": "mae"})

    yield Case("compiled-two-losses", two_losses, x4, finish=compile_two, also=NEW)

    def frozen_trained():
        model = Sequential([L.Dense(6, activation="tanh", input_shape=(4,)), L.BatchNormalization(), L.Dense(3, activation="softmax")])
        model.layers[0].trainable = False
        return model

    yield Case("trained-frozen", frozen_trained, x4, finish=train(lambda: o.Adam(0.01)), also=("h5-weights-legacy", "keras-v3"))


def amsgrad():
    try:
        keras.optimizers.Adam(0.01, amsgrad=True)
        return True
    except (TypeError, ValueError):
        return False


def guide():
    def digits():
        inputs = Input((784,), name="digits")
        x = L.Dense(64, activation="relu", name="dense_1")(inputs)
        x = L.Dense(64, activation="relu", name="dense_2")(x)
        return Model(inputs, L.Dense(10, activation="softmax", name="predictions")(x), name="3_layer_mlp")

    yield Case("mlp-784-64-64-10", digits, normal((784,)), tier=4)

    def mnist_cnn():
        return Sequential(
            [L.Conv2D(8, (3, 3), activation="relu", input_shape=(14, 14, 1)), L.Conv2D(6, (3, 3), activation="relu"), L.MaxPooling2D((2, 2)), L.Dropout(0.25)]
            + [L.Flatten(), L.Dense(12, activation="relu"), L.Dropout(0.5), L.Dense(10, activation="softmax")]
        )

    yield Case("mnist-cnn", mnist_cnn, normal((14, 14, 1)), tier=1, also=("h5-weights-legacy", "json-legacy", "keras-v3"))

    def imdb_lstm():
        return Sequential([L.Embedding(40, 8), L.LSTM(6, dropout=0.2, recurrent_dropout=0.2), L.Dense(1, activation="sigmoid")])

    yield Case("imdb-lstm", imdb_lstm, tokens(9, 40, False, "float32" if E.multi else "int32"), tier=1, also=("h5-weights-legacy", "json-legacy", "keras-v3"))

    def imdb_cnn():
        return Sequential(
            [L.Embedding(40, 8, input_length=12), L.Dropout(0.2), L.Conv1D(6, 3, padding="valid", activation="relu", strides=1), L.GlobalMaxPooling1D()]
            + [L.Dense(7), L.Dropout(0.2), L.Activation("relu"), L.Dense(1), L.Activation("sigmoid")]
        )

    yield Case("imdb-cnn", imdb_cnn, tokens(12, 40, False, "float32" if E.multi else "int32"), also=("json-legacy",))

    def autoencoder():
        i = Input((8, 8, 1))
        x = L.MaxPooling2D(2, padding="same")(L.Conv2D(6, 3, activation="relu", padding="same")(i))
        x = L.UpSampling2D(2)(L.Conv2D(6, 3, activation="relu", padding="same")(x))
        return Model(i, L.Conv2D(1, 3, activation="sigmoid", padding="same")(x))

    yield Case("autoencoder", autoencoder, normal((8, 8, 1)), also=NEW)

    def inception():
        i = Input((8, 9, 3))
        one = L.Conv2D(4, 3, padding="same", activation="relu")(L.Conv2D(4, 1, padding="same", activation="relu")(i))
        two = L.Conv2D(3, (2, 2), padding="same", activation="relu")(i)
        three = L.Conv2D(2, 1, padding="same", activation="relu")(L.MaxPooling2D((3, 3), strides=(1, 1), padding="same")(i))
        return Model(i, L.Concatenate(axis=-1)([one, two, three]))

    yield Case("inception-block", inception, normal((8, 9, 3)))

    def question_answering():
        question, story = Input((4,), dtype="int32", name="question"), Input((9,), dtype="int32", name="story")
        q = L.LSTM(6)(L.Embedding(20, 4)(question))
        s = L.LSTM(6)(L.Dropout(0.3)(L.Embedding(20, 8)(story)))
        return Model([question, story], L.Dense(7, activation="softmax")(L.Concatenate()([q, s])))

    yield Case("question-answering", question_answering, several(tokens(4, 20, False), tokens(9, 20, False)), also=("h5-weights-legacy",))

    def mobile_block():
        i = Input((8, 9, 3))
        x = L.ZeroPadding2D(((0, 1), (0, 1)))(i)
        x = L.Conv2D(4, 3, strides=2, use_bias=False, name="conv1")(x)
        x = L.BatchNormalization(name="conv1_bn", epsilon=0.001)(x)
        x = (L.ReLU(6.0) if has("ReLU") else L.Activation("relu"))(x)
        x = L.DepthwiseConv2D(3, padding="same", use_bias=False)(x) if has("DepthwiseConv2D") else x
        x = L.BatchNormalization()(x)
        x = L.GlobalAveragePooling2D()(x)
        return Model(i, L.Activation("softmax")(L.Flatten()(L.Conv2D(7, 1)(L.Reshape((1, 1, 4))(x)))))

    yield Case("mobile-block", mobile_block, normal((8, 9, 3)), also=("h5-weights-legacy", "keras-v3"))
    if has("MultiHeadAttention"):

        def transformer():
            i = Input((9,), dtype="int32")
            x = L.Embedding(30, 8)(i)
            a = L.LayerNormalization(epsilon=1e-3)(L.Add()([x, L.Dropout(0.1)(L.MultiHeadAttention(2, 4)(x, x))]))
            f = L.Dense(8)(L.Dense(16, activation="gelu")(a))
            y = L.LayerNormalization(epsilon=1e-3)(L.Add()([a, f]))
            return Model(i, L.Dense(2, activation="softmax")(L.GlobalAveragePooling1D()(y)))

        yield Case("transformer-block", transformer, tokens(9, 30, False), also=("h5-weights-legacy", "keras-v3"))


FAMILIES = [
    ("core", core), ("activation", activation), ("convolution", convolution), ("pooling", pooling), ("reshaping", reshaping),
    ("normalization", normalization), ("merging", merging), ("recurrent", recurrent), ("attention", attention), ("preprocessing", preprocessing),
    ("structure", structure), ("operations", operations), ("compiled", compiled), ("guide", guide),
]  # fmt: skip
