"""Models of Keras 1 with TensorFlow or Theano: each listed once; `th` orderings are written by both backends."""

import numpy as np
from legacy_golden import Case
from legacy_models_keras2 import masked_steps, normal, several, tokens

E = L = keras = None
WEIGHTS = ("h5-weights-legacy",)
BOTH = ("h5-weights-legacy", "json-legacy")
JSON = ("json-legacy",)


def use(environment):
    global E, L, keras
    E, L, keras = environment, environment.L, environment.keras


def Input(shape, **more):
    more.setdefault("dtype", E.K.floatx())  # the default is the floatx of when Keras was imported
    return L.Input(shape=shape, **more)


def Model(inputs, outputs, **more):
    return keras.models.Model(input=inputs, output=outputs, **more)


def Sequential(layers, **more):
    return keras.models.Sequential(layers, **more)


def stack(name, make, shape, **more):
    """`make(input_shape)` gives the layers of a Sequential model."""
    draw = more.pop("inputs", None) or normal(shape)
    return Case(name, lambda: Sequential(make(shape)), draw, **more)


def layer(name, make, shape, **more):
    """One layer in a functional model."""

    def build():
        i = Input(shape)
        return Model(i, make()(i))

    return Case(name, build, normal(shape), **more)


def core():
    k = keras
    yield stack("dense", lambda s: [L.Dense(4, activation="tanh", input_shape=s)], (6,), tier=1, also=BOTH)
    yield layer("dense-functional", lambda: L.Dense(4, activation="tanh"), (6,), tier=1, also=BOTH)
    yield stack("dense-input-dim", lambda s: [L.Dense(4, input_dim=6, bias=False), L.Activation("relu"), L.Dense(3)], (6,))
    yield stack(
        "dense-objects",
        lambda s: [
            L.Dense(
                4,
                init="he_normal",
                W_regularizer=k.regularizers.WeightRegularizer(l1=0.01, l2=0.02),
                b_regularizer=k.regularizers.l2(0.03),
                activity_regularizer=k.regularizers.activity_l1(0.5),
                W_constraint=k.constraints.maxnorm(3, axis=0),
                b_constraint=k.constraints.nonneg(),
                input_shape=s,
            ),
            L.Dense(3, init="orthogonal", W_constraint=k.constraints.unitnorm()),
        ],
        (6,),
        tier=1,
        also=JSON,
    )
    yield stack("dense-batch-shape", lambda s: [L.Dense(4, batch_input_shape=(5, 6)), L.Dense(3)], (6,))
    yield stack("time-distributed-dense", lambda s: [L.TimeDistributed(L.Dense(4), input_shape=s)], (7, 6), tier=1, also=BOTH)
    yield stack("time-distributed-dense-layer", lambda s: [L.TimeDistributedDense(4, input_shape=s)], (7, 6), also=WEIGHTS)
    yield stack("maxout", lambda s: [L.MaxoutDense(4, nb_feature=3, input_shape=s)], (6,), also=JSON)
    yield stack("highway", lambda s: [L.Highway(activation="tanh", input_shape=s)], (6,), also=JSON)
    yield stack("embedding", lambda s: [L.Embedding(20, 6, input_length=9), L.Flatten(), L.Dense(3)], (9,), inputs=tokens(9, 20, False, "float32"), tier=1, also=BOTH)
    yield stack("embedding-mask", lambda s: [L.Embedding(20, 6, mask_zero=True, input_length=9), L.LSTM(4)], (9,), inputs=tokens(9, 20, True, "float32"), batch=7, tier=1)
    yield stack("embedding-mask-dense", lambda s: [L.Embedding(20, 6, mask_zero=True, input_length=9), L.TimeDistributed(L.Dense(3)), L.GRU(4)], (9,), inputs=tokens(9, 20, True, "float32"), batch=7)
    yield stack("embedding-dropout", lambda s: [L.Embedding(20, 6, dropout=0.3, input_length=9), L.SimpleRNN(4)], (9,), inputs=tokens(9, 20, False, "float32"))
    yield stack("masking", lambda s: [L.Masking(-1.5, input_shape=s), L.LSTM(4)], (6, 3), inputs=masked_steps(6, 3, -1.5))
    yield stack("dropouts", lambda s: [L.Dense(4, input_shape=s), L.Dropout(0.3), L.GaussianNoise(0.2), L.GaussianDropout(0.2), L.ActivityRegularization(l1=0.1), L.Dense(3)], (6,), also=JSON)
    yield stack("spatial-dropout", lambda s: [L.SpatialDropout1D(0.3, input_shape=s), L.Convolution1D(3, 2)], (7, 4))


def activation():
    for name in ("softmax", "softplus", "softsign", "relu", "tanh", "sigmoid", "hard_sigmoid", "linear"):
        yield stack(name.replace("_", "-"), lambda s, name=name: [L.Dense(6, input_shape=s), L.Activation(name)], (4,), batch=7, tier=1 if name == "hard_sigmoid" else 2)
    yield stack("leaky-relu", lambda s: [L.Dense(6, input_shape=s), L.LeakyReLU(alpha=0.17)], (4,))
    yield stack("elu", lambda s: [L.Dense(6, input_shape=s), L.ELU(alpha=0.7)], (4,))
    yield stack("thresholded-relu", lambda s: [L.Dense(6, input_shape=s), L.ThresholdedReLU(theta=0.6)], (4,), also=JSON)
    yield stack("prelu", lambda s: [L.PReLU(input_shape=s)], (4, 3))
    yield stack("prelu-shared", lambda s: [L.PReLU(shared_axes=[1, 2], init="one", input_shape=s)], (4, 3, 2), also=JSON)
    yield stack("srelu", lambda s: [L.SReLU(input_shape=s)], (4, 3))
    yield stack("parametric-softplus", lambda s: [L.ParametricSoftplus(input_shape=s)], (4, 3))


def convolution():
    one, three = (11, 3), (6, 7, 8, 2)
    yield stack("convolution-1d", lambda s: [L.Convolution1D(4, 3, activation="relu", input_shape=s)], one, tier=1, also=BOTH)
    yield stack("convolution-1d-same", lambda s: [L.Convolution1D(4, 4, border_mode="same", subsample_length=3, bias=False, input_shape=s)], one)
    yield stack("atrous-convolution-1d", lambda s: [L.AtrousConvolution1D(4, 3, atrous_rate=2, input_shape=s)], one)
    for order in ("tf", "th"):
        two = (8, 9, 3) if order == "tf" else (3, 8, 9)
        more = {"dim_ordering": order}
        yield stack("convolution-2d-" + order, lambda s, more=more: [L.Convolution2D(4, 3, 2, activation="relu", input_shape=s, **more)], two, tier=1, also=BOTH)
        yield stack("convolution-2d-same-" + order, lambda s, more=more: [L.Convolution2D(4, 2, 4, border_mode="same", subsample=(2, 3), input_shape=s, **more)], two)
        yield stack("atrous-convolution-2d-" + order, lambda s, more=more: [L.AtrousConvolution2D(4, 3, 2, atrous_rate=(2, 2), input_shape=s, **more)], two)
        small, out = ((4, 6, 3), (5, 9, 13, 4)) if order == "tf" else ((3, 4, 6), (5, 4, 9, 13))
        yield stack("deconvolution-2d-" + order, lambda s, more=more, out=out: [L.Deconvolution2D(4, 3, 3, out, subsample=(2, 2), batch_input_shape=(5,) + s, **more)], small, also=WEIGHTS)
        if not E.theano:
            yield stack("separable-convolution-2d-" + order, lambda s, more=more: [L.SeparableConvolution2D(4, 3, 2, depth_multiplier=2, input_shape=s, **more)], two, also=JSON)
        yield stack("locally-connected-2d-" + order, lambda s, more=more: [L.LocallyConnected2D(2, 3, 2, subsample=(2, 3), input_shape=s, **more)], two)
        deep = three if order == "tf" else (2, 6, 7, 8)
        yield stack("convolution-3d-" + order, lambda s, more=more: [L.Convolution3D(3, 3, 2, 3, activation="tanh", input_shape=s, **more)], deep, also=WEIGHTS)
    yield stack("locally-connected-1d", lambda s: [L.LocallyConnected1D(4, 2, subsample_length=3, input_shape=s)], one, also=WEIGHTS)


def theano():
    """What Theano computes in its own way: padding "same" of even windows, strides and pooling."""
    if not E.theano:
        return
    yield stack("convolution-1d-same-stride", lambda s: [L.Convolution1D(4, 3, border_mode="same", subsample_length=2, input_shape=s)], (12, 3), also=WEIGHTS)
    yield stack("convolution-2d-even", lambda s: [L.Convolution2D(4, 4, 2, border_mode="same", subsample=(1, 2), dim_ordering="th", input_shape=s)], (3, 8, 9))
    yield stack("average-2d-same", lambda s: [L.AveragePooling2D((2, 3), strides=(2, 2), border_mode="same", dim_ordering="th", input_shape=s)], (3, 8, 9))
    yield stack("max-2d-same", lambda s: [L.MaxPooling2D((5, 4), strides=(2, 1), border_mode="same", dim_ordering="tf", input_shape=s)], (8, 9, 3))


def shapes():
    for order in ("tf", "th"):
        two = (8, 9, 3) if order == "tf" else (3, 8, 9)
        more = {"dim_ordering": order}
        yield stack("max-2d-" + order, lambda s, more=more: [L.MaxPooling2D((2, 3), input_shape=s, **more)], two, tier=1)
        yield stack("average-2d-" + order, lambda s, more=more: [L.AveragePooling2D((3, 3), strides=(2, 2), border_mode="same", input_shape=s, **more)], two)
        yield stack("global-2d-" + order, lambda s, more=more: [L.GlobalAveragePooling2D(input_shape=s, **more)], two)
        yield stack("global-max-2d-" + order, lambda s, more=more: [L.GlobalMaxPooling2D(input_shape=s, **more)], two)
        yield stack("padding-2d-" + order, lambda s, more=more: [L.ZeroPadding2D((1, 2, 0, 3), input_shape=s, **more), L.Convolution2D(3, 2, 2, **more), L.Cropping2D(((1, 0), (2, 1)), **more)], two)
        yield stack("padding-2d-dict-" + order, lambda s, more=more: [L.ZeroPadding2D({"top_pad": 2, "right_pad": 1}, input_shape=s, **more)], two)
        yield stack("upsampling-2d-" + order, lambda s, more=more: [L.UpSampling2D((2, 3), input_shape=s, **more), L.Convolution2D(3, 2, 2, **more)], two)
        deep = (6, 7, 8, 2) if order == "tf" else (2, 6, 7, 8)
        yield stack("shapes-3d-" + order, lambda s, more=more: [L.ZeroPadding3D((1, 2, 0), input_shape=s, **more), L.UpSampling3D((1, 2, 1), **more), L.Cropping3D(((1, 1), (0, 2), (1, 0)), **more)], deep)
        yield stack("flatten-" + order, lambda s, more=more: [L.Convolution2D(2, 3, 3, input_shape=s, **more), L.Flatten(), L.Dense(3)], two, tier=1, also=WEIGHTS)
    yield stack("max-1d", lambda s: [L.MaxPooling1D(3, stride=2, input_shape=s)], (11, 3))
    yield stack("average-1d", lambda s: [L.AveragePooling1D(2, input_shape=s)], (11, 3))
    yield stack("global-1d", lambda s: [L.Convolution1D(4, 2, input_shape=s), L.GlobalMaxPooling1D()], (7, 3))
    yield stack("global-average-1d", lambda s: [L.Convolution1D(4, 2, input_shape=s), L.GlobalAveragePooling1D()], (7, 3))
    yield stack("shapes-1d", lambda s: [L.ZeroPadding1D((1, 2), input_shape=s), L.Convolution1D(4, 2), L.UpSampling1D(2), L.Cropping1D((1, 2))], (7, 3))
    yield stack("reshapes", lambda s: [L.Dense(12, input_shape=s), L.Reshape((3, -1)), L.Permute((2, 1)), L.Flatten(), L.RepeatVector(2), L.SimpleRNN(3)], (6,), also=JSON)


def normalization():
    yield stack("batch-normalization", lambda s: [L.Dense(6, input_shape=s), L.BatchNormalization(), L.Dense(3)], (4,), tier=1, also=BOTH)
    yield stack("batch-normalization-axis-1", lambda s: [L.BatchNormalization(axis=1, epsilon=0.05, input_shape=s)], (4, 6, 3), also=WEIGHTS)
    yield stack("batch-normalization-image", lambda s: [L.BatchNormalization(epsilon=0.1, momentum=0.8, input_shape=s)], (4, 6, 3))


def merging():
    def merged(mode, shapes, **more):
        def build():
            inputs = [Input(s) for s in shapes]
            return Model(inputs, L.merge([L.Activation("tanh")(i) for i in inputs], mode=mode, **more))

        return build

    same = [(4, 6), (4, 6)]
    for mode in ("sum", "mul", "ave", "max"):
        yield Case("merge-" + mode, merged(mode, same + [(4, 6)]), normal(*(same + [(4, 6)])), tier=1 if mode == "sum" else 2, also=JSON if mode in ("sum", "max") else ())
    yield Case("merge-concat", merged("concat", [(4, 6), (4, 3)]), normal((4, 6), (4, 3)), tier=1)
    yield Case("merge-concat-axis-1", merged("concat", [(4, 6), (3, 6)], concat_axis=1), normal((4, 6), (3, 6)))
    yield Case("merge-dot", merged("dot", [(6,), (6,)]), normal((6,), (6,)))
    yield Case("merge-dot-axes", merged("dot", [(4, 6), (6, 3)], dot_axes=(2, 1)), normal((4, 6), (6, 3)))
    yield Case("merge-cos", merged("cos", [(6,), (6,)]), normal((6,), (6,)))

    def sequential_merge(mode, **more):
        def build():
            a = Sequential([L.Dense(4, input_dim=6)])
            b = Sequential([L.Dense(4, input_dim=3, activation="tanh")])
            return Sequential([L.Merge([a, b], mode=mode, **more), L.Dense(2)])

        return build

    # Its layers are the Merge and the Dense; the file has the branches' layers instead of the Merge.
    yield Case("merge-layer-sum", sequential_merge("sum"), normal((6,), (3,)), tier=1, also=WEIGHTS, layers=False)
    yield Case("merge-layer-concat", sequential_merge("concat", concat_axis=1), normal((6,), (3,)), also=WEIGHTS, layers=False)

    # Models within a branch, or after the Merge, are no branches: the file has each as one layer.
    def inner(width):
        return Sequential([L.Dense(4, input_dim=width, activation="tanh"), L.BatchNormalization(), L.Dense(3)])

    def branches_of_models():
        a = Sequential([inner(6), L.Dense(4), inner(4)])
        b = Sequential([L.Dense(2, input_dim=7), inner(2)])
        return Sequential([L.Merge([a, b], mode="mul"), inner(3), L.Dense(2)])

    def merge_below():
        a, b = Sequential([inner(6)]), Sequential([L.Dense(3, input_dim=7)])
        return Sequential([Sequential([L.Merge([a, b], mode="sum"), L.Dense(4)]), L.Dense(2)])

    yield Case("merge-layer-models", branches_of_models, normal((6,), (7,)), tier=3, also=WEIGHTS, layers=False)
    # Later versions list the layers by their depth, here those of the second branch first; all have the same shapes.
    def uneven_branches():
        a = Sequential([L.Dense(6, input_dim=6, activation="tanh")])
        b = Sequential([L.Dense(6, input_dim=6, activation="tanh"), L.Dense(6, activation="tanh"), L.Dense(6)])
        return Sequential([L.Merge([a, b], mode="sum"), L.Dense(6)])

    yield Case("merge-layer-uneven", uneven_branches, normal((6,), (6,)), also=WEIGHTS, layers=False)
    yield Case("merge-layer-below", merge_below, normal((6,), (7,)), tier=3, also=WEIGHTS, layers=False)


def recurrent():
    shape = (6, 3)
    for name, make in (("simple-rnn", L.SimpleRNN), ("lstm", L.LSTM), ("gru", L.GRU)):
        yield stack(name, lambda s, make=make: [make(4, input_shape=s)], shape, tier=1, also=BOTH)
        yield stack(name + "-sequences", lambda s, make=make: [make(4, return_sequences=True, activation="softsign", input_shape=s)], shape)
        yield stack(name + "-backwards", lambda s, make=make: [make(4, go_backwards=True, return_sequences=True, input_shape=s)], shape)
        yield stack(name + "-unroll", lambda s, make=make: [make(4, unroll=True, dropout_W=0.2, dropout_U=0.1, input_shape=s)], shape)
        yield stack(name + "-stateful", lambda s, make=make: [make(4, stateful=True, batch_input_shape=(5,) + s)], shape)
        yield stack(name + "-masked", lambda s, make=make: [L.Masking(0.0, input_shape=s), make(4, return_sequences=True)], shape, inputs=masked_steps(6, 3))
        for mode in ("mem", "gpu"):
            if mode == "gpu" and name == "simple-rnn":
                continue
            yield stack("%s-%s" % (name, mode), lambda s, make=make, mode=mode: [make(4, consume_less=mode, input_shape=s)], shape, also=BOTH if mode == "gpu" else ())
    yield stack("lstm-inner-activation", lambda s: [L.LSTM(4, inner_activation="sigmoid", activation="relu", forget_bias_init="zero", input_shape=s)], shape, also=JSON)
    yield stack("gru-inner-activation", lambda s: [L.GRU(4, inner_activation="sigmoid", W_regularizer="l2", input_shape=s)], shape)
    yield stack("stacked", lambda s: [L.LSTM(4, return_sequences=True, input_shape=s), L.GRU(6, return_sequences=True), L.SimpleRNN(3), L.Dense(2)], shape, tier=1, also=WEIGHTS)
    for mode in ("concat", "sum", "mul", "ave"):
        yield stack("bidirectional-" + mode, lambda s, mode=mode: [L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode=mode, input_shape=s)], shape, tier=1 if mode == "concat" else 2, also=BOTH if mode == "concat" else ())
    yield stack("bidirectional-turned", lambda s: [L.Bidirectional(L.LSTM(4, go_backwards=True, return_sequences=True), input_shape=s), L.Bidirectional(L.GRU(2, go_backwards=True))], shape)
    yield stack("bidirectional-gru", lambda s: [L.Bidirectional(L.GRU(4), input_shape=s), L.Dense(2)], shape)
    yield stack("time-distributed-convolution", lambda s: [L.TimeDistributed(L.Convolution2D(2, 3, 3, dim_ordering="tf"), input_shape=s)], (4, 6, 7, 3), also=WEIGHTS)
    for order, shape_2d in (("tf", (4, 6, 7, 3)), ("th", (4, 3, 6, 7))):
        yield stack("conv-lstm-2d-" + order, lambda s, order=order: [L.ConvLSTM2D(2, 3, 3, border_mode="same", dim_ordering=order, input_shape=s, return_sequences=True)], shape_2d, also=WEIGHTS)


def structure():
    x4 = normal((4,))

    def two_by_two():
        a, b = Input((4,), name="left"), Input((6,), name="right")
        x = L.merge([L.Dense(3)(a), L.Dense(3)(b)], mode="concat")
        return Model([a, b], [L.Dense(2, name="first")(x), L.Dense(7, name="second")(x)])

    yield Case("two-inputs-two-outputs", two_by_two, normal((4,), (6,)), tier=1, also=BOTH)

    def shared():
        a, b = Input((4,)), Input((4,))
        dense, out = L.Dense(6, activation="tanh"), L.Dense(3)
        return Model([a, b], L.merge([out(dense(a)), out(dense(b))], mode="mul"))

    yield Case("shared-layer", shared, normal((4,), (4,)), tier=1, also=BOTH)

    def nested():
        j = Input((6,), name="inner_input")
        inner = Model(j, [L.Dense(3)(j), L.Dense(2)(j)], name="inner")
        i = Input((4,))
        p, q = inner(L.Dense(6)(i))
        return Model(i, L.merge([p, q, L.Dense(7)(p)], mode="concat"))

    yield Case("nested-functional", nested, x4, tier=1, also=BOTH)

    def nested_twice():
        j = Input((6,))
        inner = Model(j, L.Dense(3, activation="tanh")(j), name="inner")
        i = Input((6,))
        return Model(i, [inner(i), inner(L.Dense(6)(i))])

    yield Case("nested-twice", nested_twice, normal((6,)), also=WEIGHTS)

    def tower():
        i = Input((4,))
        part = Sequential([L.Dense(6, activation="relu", input_dim=4), L.Dense(3)], name="tower")
        return Model(i, L.merge([part(i), L.Dense(3)(i)], mode="sum"))

    yield Case("sequential-in-functional", tower, x4, tier=1, also=BOTH)
    yield Case("sequential-in-sequential", lambda: Sequential([Sequential([L.Dense(6, input_dim=4), L.BatchNormalization()]), L.Dense(3)]), x4, also=BOTH)

    def functional_in_sequential():
        j = Input((4,))
        return Sequential([Model(j, L.Dense(6)(j), name="inner"), L.Dense(3)])

    yield Case("functional-in-sequential", functional_in_sequential, x4)

    def frozen():
        model = Sequential([L.Dense(6, input_dim=4), L.BatchNormalization(), L.Dense(3)])
        model.layers[0].trainable = False
        model.layers[1].trainable = False
        return model

    yield Case("frozen-layers", frozen, x4, tier=1, also=BOTH)

    def statistics():
        j = Input((4,))
        frozen_one = L.Dense(3)
        inner = Model(j, L.BatchNormalization()(frozen_one(L.BatchNormalization()(L.Dense(6)(j)))), name="inner")
        frozen_one.trainable = False
        return inner

    # A Sequential asks its layers for get_weights(), a Functional for their weights: the lists differ.
    yield Case("statistics-in-sequential", lambda: Sequential([L.Dense(4, input_dim=6), statistics(), L.Dense(2)]), normal((6,)))
    yield Case("statistics-in-distributed", lambda: Sequential([L.TimeDistributed(Sequential([L.Dense(4, input_dim=3), statistics()]), input_shape=(7, 3)), L.LSTM(2)]), normal((7, 3)))

    def distributed_functional():
        i = Input((7, 4))
        return Model(i, L.TimeDistributed(statistics())(i))

    yield Case("statistics-in-functional", distributed_functional, normal((7, 4)))

    def masked_branches():
        a, c = Input((9,), dtype="int32"), Input((4,))
        x = L.LSTM(3)(L.Embedding(20, 6, mask_zero=True)(a))
        return Model([a, c], L.Dense(2)(L.merge([x, c], mode="concat")))

    yield Case("masked-branch", masked_branches, several(tokens(9, 20), normal((4,))))


def compiled():
    x4 = normal((4,))

    def plain():
        return Sequential([L.Dense(6, activation="tanh", input_dim=4), L.BatchNormalization(), L.Dense(3, activation="softmax")])

    def train(make, loss="mse", steps=2, metrics=None):
        def finish(model, inputs):
            model.compile(make(), loss, metrics=metrics or [])
            target = np.abs(np.random.RandomState(3).normal(0, 1, (len(inputs[0]), 3))).astype("float32")
            target /= target.sum(axis=1, keepdims=True)
            for _ in range(steps):
                model.train_on_batch(inputs[0], target)

        return finish

    o = keras.optimizers
    yield Case("trained-sgd", plain, x4, finish=train(lambda: o.SGD(0.1, momentum=0.9, nesterov=True)), tier=1)
    yield Case("trained-adam", plain, x4, finish=train(lambda: o.Adam(0.01), "categorical_crossentropy", metrics=["accuracy"]), tier=1)
    for name in ("RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam"):
        yield Case("trained-" + name.lower(), plain, x4, finish=train(lambda name=name: getattr(o, name)()))
    yield Case("compiled-strings", plain, x4, finish=train(lambda: "rmsprop", "binary_crossentropy", steps=0))


def guide():
    def digits():
        inputs = Input((784,), name="digits")
        x = L.Dense(64, activation="relu")(inputs)
        x = L.Dense(64, activation="relu")(x)
        return Model(inputs, L.Dense(10, activation="softmax", name="predictions")(x))

    yield Case("mlp-784-64-64-10", digits, normal((784,)), tier=4)
    for order in ("tf", "th"):
        shape = (14, 14, 1) if order == "tf" else (1, 14, 14)
        more = {"dim_ordering": order}
        yield stack(
            "mnist-cnn-" + order,
            lambda s, more=more: [L.Convolution2D(8, 3, 3, border_mode="valid", input_shape=s, **more), L.Activation("relu"), L.Convolution2D(6, 3, 3, **more), L.Activation("relu")]
            + [L.MaxPooling2D(pool_size=(2, 2), **more), L.Dropout(0.25), L.Flatten(), L.Dense(12), L.Activation("relu"), L.Dropout(0.5), L.Dense(10), L.Activation("softmax")],
            shape,
            tier=1,
            also=BOTH,
        )
    yield stack("imdb-lstm", lambda s: [L.Embedding(40, 8, dropout=0.2), L.LSTM(6, dropout_W=0.2, dropout_U=0.2), L.Dense(1), L.Activation("sigmoid")], (9,), inputs=tokens(9, 40, False, "float32"), tier=1, also=BOTH)
    yield stack(
        "imdb-cnn",
        lambda s: [L.Embedding(40, 8, input_length=12), L.Convolution1D(nb_filter=6, filter_length=3, border_mode="valid", activation="relu", subsample_length=1), L.GlobalMaxPooling1D(), L.Dense(7), L.Activation("relu"), L.Dense(1), L.Activation("sigmoid")],
        (12,),
        inputs=tokens(12, 40, False, "float32"),
    )


FAMILIES = [
    ("core", core), ("activation", activation), ("convolution", convolution), ("convolution", theano), ("shapes", shapes), ("normalization", normalization),
    ("merging", merging), ("recurrent", recurrent), ("structure", structure), ("compiled", compiled), ("guide", guide),
]  # fmt: skip
