"""What old TensorFlow lacks in float64: convolutions as sums over taps, and Keras's casts to float32 around them left out."""

import math


def replace(env):
    """Installs the float64 substitutes that this environment needs; returns an undo."""
    undos = []
    if env.multi and not env.theano:
        normalization(env, undos)
        zeros = env.tf.zeros  # ConvLSTM2D makes its first state with it
        patch(undos, env.tf, "zeros", lambda shape, dtype=env.tf.float64, name=None: zeros(shape, dtype, name))
        if tuple(int(n) for n in env.tf.__version__.split(".")[:2]) < (1, 8):
            convolutions(env, undos)
    if env.since(1, 13) and not env.since(2, 4):
        from tensorflow.python.ops import array_ops, nn

        own_zeros = array_ops.zeros
        patch(undos, array_ops, "zeros", lambda shape, dtype=env.tf.float64, name=None: own_zeros(shape, dtype, name))
        patch(undos, nn, "fused_batch_norm", lambda *given, **named: fused_norm(nn, *given, **named))

    def undo():
        for owner, name, value in undos:
            setattr(owner, name, value)

    return undo


def patch(undos, owner, name, value):
    if hasattr(owner, name):
        undos.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)


def normalization(env, undos):
    """Multi-backend Keras has BatchNormalization in float32 only: its training half, and the fused kernel."""
    norm, tf = env.L.BatchNormalization, env.tf
    call = norm.call
    if env.number >= (2, 2):
        patch(undos, norm, "call", lambda self, inputs, training=None: call(self, inputs, training=False))
    patch(undos, env.K, "batch_normalization", lambda x, mean, var, beta, gamma, axis=-1, epsilon=1e-3: tf.nn.batch_normalization(x, mean, var, beta, gamma, epsilon))


def fused_norm(nn, x, scale, offset, mean=None, variance=None, epsilon=0.001, data_format="NHWC", is_training=True, **named):
    if is_training:
        mean, variance = nn.moments(x, [0, 1, 2])
    return nn.batch_normalization(x, mean, variance, offset, scale, epsilon), mean, variance


def ints(values, count, default=1):
    values = [default] * count if values is None else [values] * count if isinstance(values, int) else list(values)
    return values[1:-1] if len(values) == count + 2 else values


def convolutions(env, undos):
    tf = env.tf
    cast = tf.cast

    def kept(x, dtype, *more, **named):
        return x if str(dtype) == "float32" and getattr(x, "dtype", None) is not None and x.dtype.base_dtype == tf.float64 else cast(x, dtype, *more, **named)

    patch(undos, tf, "cast", kept)

    def sizes(x):
        return [int(d) for d in x.get_shape()[1:-1]]

    def each_tap(kernel):
        """(index, tap's position) of every tap of a kernel of these spatial sizes."""
        taps = [()]
        for size in kernel:
            taps = [t + (i,) for t in taps for i in range(size)]
        return taps

    def windows(x, kernel, strides, padding, rates):
        """The strided slice of the padded input that each tap sees."""
        out, pads = [], []
        for size, k, s, r in zip(sizes(x), kernel, strides, rates):
            reach = (k - 1) * r + 1
            count = int(math.ceil(size / float(s))) if padding == "SAME" else (size - reach) // s + 1
            total = max((count - 1) * s + reach - size, 0) if padding == "SAME" else 0
            out.append(count), pads.append([total // 2, total - total // 2])
        x = tf.pad(x, [[0, 0]] + pads + [[0, 0]])
        for tap in each_tap(kernel):
            index = [slice(None)] + [slice(t * r, t * r + (n - 1) * s + 1, s) for t, r, n, s in zip(tap, rates, out, strides)]
            yield tap, x[tuple(index + [slice(None)])], out

    def product(x, matrix):
        shape = [-1] + sizes(x) + [int(matrix.get_shape()[1])]
        return tf.reshape(tf.matmul(tf.reshape(x, [-1, int(x.get_shape()[-1])]), matrix), shape)

    def convolve(x, w, strides, padding, rates):
        kernel = [int(d) for d in w.get_shape()[:-2]]
        return sum(product(part, w[tap]) for tap, part, _ in windows(x, kernel, strides, padding, rates))

    def depthwise(x, w, strides, padding, rates):
        kernel, channels = [int(d) for d in w.get_shape()[:-2]], int(w.get_shape()[-2]) * int(w.get_shape()[-1])
        total = 0
        for tap, part, out in windows(x, kernel, strides, padding, rates):
            total += tf.reshape(tf.expand_dims(part, -1) * w[tap], [-1] + out + [channels])
        return total

    def transpose(x, w, output, strides, padding):
        """Scatters each input over the taps, and cuts what the forward convolution pads."""
        kernel, grid, channels = [int(d) for d in w.get_shape()[:2]], sizes(x), int(w.get_shape()[2])
        total = 0
        for tap in each_tap(kernel):
            part = product(x, tf.transpose(w[tap]))
            for axis, (n, s) in enumerate(zip(grid, strides)):
                part = tf.expand_dims(part, axis + 2)
                part = tf.pad(part, [[0, s - 1] if a == axis + 2 else [0, 0] for a in range(5)])
                shape = [-1] + [grid[a] * (strides[a] if a <= axis else 1) for a in range(2)] + [channels]
                part = tf.reshape(part, shape)
            cut = [(n - 1) * s + 1 for n, s in zip(grid, strides)]
            part = part[:, : cut[0], : cut[1]]
            full = [max(c + k - 1, o) + k for c, k, o in zip(cut, kernel, output)]
            total += tf.pad(part, [[0, 0]] + [[t, f - c - t] for t, f, c in zip(tap, full, cut)] + [[0, 0]])
        starts = [max((n - 1) * s + k - o, 0) // 2 if padding == "SAME" else 0 for n, s, k, o in zip(grid, strides, kernel, output)]
        return total[:, starts[0] : starts[0] + output[0], starts[1] : starts[1] + output[1]]

    nn = tf.nn

    def average(x, ksize, strides, padding, **named):
        """Padding does not count."""
        kernel, steps = ints(ksize, len(x.get_shape()) - 2), ints(strides, len(x.get_shape()) - 2)
        total, count = (sum(part for _, part, _ in windows(y, kernel, steps, padding, [1] * len(kernel))) for y in (x, tf.ones_like(x)))
        return total / count

    patch(undos, nn, "avg_pool", average)

    def any_convolution(input, filter, padding, strides=None, dilation_rate=None, data_format=None, **named):
        rank = len(filter.get_shape()) - 2
        return convolve(input, filter, ints(strides, rank), padding, ints(dilation_rate, rank))

    def static_shape(x, value):
        """Deconvolution's output shape may hold tensors for the batch; its sizes are constants."""
        from tensorflow.python.framework import tensor_util

        shape = tensor_util.constant_value_as_shape(tf.stack(value) if isinstance(value, (list, tuple)) else value)
        return [int(d) for d in shape[1:3]]

    patch(undos, nn, "conv2d", lambda x, w, strides=None, padding=None, **named: convolve(x, w, ints(strides, 2), padding, [1, 1]))
    patch(undos, nn, "conv3d", lambda x, w, strides=None, padding=None, **named: convolve(x, w, ints(strides, 3), padding, [1, 1, 1]))
    patch(undos, nn, "convolution", any_convolution)
    patch(undos, nn, "atrous_conv2d", lambda x, w, rate, padding, **named: convolve(x, w, [1, 1], padding, [rate, rate]))
    patch(undos, nn, "conv2d_transpose", lambda x, w, output, strides, padding="SAME", **named: transpose(x, w, static_shape(x, output), ints(strides, 2), padding))
    patch(undos, nn, "depthwise_conv2d", lambda x, w, strides, padding, rate=None, **named: depthwise(x, w, ints(strides, 2), padding, ints(rate, 2)))
    patch(
        undos,
        nn,
        "separable_conv2d",
        lambda x, d, p, strides, padding, rate=None, **named: convolve(depthwise(x, d, ints(strides, 2), padding, ints(rate, 2)), p, [1, 1], "VALID", [1, 1]),
    )
