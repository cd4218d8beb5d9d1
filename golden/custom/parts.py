# SPDX-License-Identifier: Apache-2.0
"""Custom classes with several tensors in and out, masks, and every other kind of object. Runs with Keras 2 and 3."""
import numpy as np
import tensorflow as tf

try:
    import keras

    THREE = not keras.__version__.startswith("2.")
    if not THREE:
        keras = tf.keras
except ImportError:
    keras, THREE = tf.keras, False

register = getattr(keras, "saving", keras.utils)
register = getattr(register, "register_keras_serializable", None) or keras.utils.register_keras_serializable


# --- several tensors -------------------------------------------------------------------------------------------------


@register(package="golden")
class SumAndProduct(keras.layers.Layer):
    """A list of two tensors in, a list of two out: their sum, and their product times a variable."""

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(input_shape[0][-1],), initializer="ones")
        super().build(input_shape)

    def call(self, inputs):
        first, second = inputs
        return [first + second, first * second * self.scale]

    def compute_output_shape(self, input_shape):
        return [tuple(input_shape[0]), tuple(input_shape[0])]

    def get_config(self):
        return super().get_config()


class Compare(keras.layers.Layer):
    """Two arguments, a plain one and a dict as the result; it holds two layers and looks at `training`."""

    def __init__(self, units, **more):
        super().__init__(**more)
        self.units = units
        self.left = keras.layers.Dense(units, name="left")
        self.right = keras.layers.Dense(units, activation="tanh", name="right")

    if THREE:

        def build(self, query_shape, value_shape):
            self.left.build(query_shape)
            self.right.build(value_shape)
            super().build(query_shape)

    def call(self, query, value, gain=1.0, training=None):
        left, right = self.left(query), self.right(value)
        if training:
            left = left * 2.0
        return {"gap": (left - right) * gain, "sum": left + right}

    def compute_output_shape(self, query_shape, value_shape=None):
        shape = (*query_shape[:-1], self.units)
        return {"gap": shape, "sum": shape}

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class TwoTowers(keras.Model):
    """A subclassed model of two inputs, with a dict as its result."""

    def __init__(self, units, **more):
        super().__init__(**more)
        self.units = units
        self.left = keras.layers.Dense(units, activation="tanh", name="left")
        self.right = keras.layers.Dense(units, name="right")

    def call(self, inputs):
        left, right = self.left(inputs[0]), self.right(inputs[1])
        return {"total": left + right, "difference": left - right}

    def get_config(self):
        return {"units": self.units}

    @classmethod
    def from_config(cls, config, **more):
        return cls(config["units"])


# --- masks -----------------------------------------------------------------------------------------------------------


class OnlyPositive(keras.layers.Layer):
    """Hands its input on and masks the steps whose first value is not positive, with those that were masked before."""

    def __init__(self, **more):
        super().__init__(**more)
        self.supports_masking = True

    def call(self, inputs):
        return inputs * 1.0

    def compute_mask(self, inputs, mask=None):
        ops = keras.ops if THREE else tf  # Keras 3 writes these into the graph
        positive = ops.greater(inputs[..., 0], 0.0)
        return positive if mask is None else ops.logical_and(mask, positive)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return super().get_config()


class MaskedMean(keras.layers.Layer):
    """The mean over time of the steps that are not masked; its result has no mask."""

    def __init__(self, **more):
        super().__init__(**more)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return tf.reduce_mean(inputs, axis=1)
        weights = tf.cast(mask, inputs.dtype)[..., None]
        return tf.reduce_sum(inputs * weights, axis=1) / (tf.reduce_sum(weights, axis=1) + 0.5)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *input_shape[2:])

    def get_config(self):
        return super().get_config()


# --- initializers, regularizers, constraints -------------------------------------------------------------------------


@register(package="golden")
class Ramp(keras.initializers.Initializer):
    """start, start + step, start + 2 step, … in C order."""

    def __init__(self, start=0.0, step=0.125):
        self.start, self.step = start, step

    def __call__(self, shape, dtype=None, **more):
        count = int(np.prod(shape))
        return tf.constant((self.start + self.step * np.arange(count)).reshape(shape), dtype=dtype or "float32")

    def get_config(self):
        return {"start": self.start, "step": self.step}


def quarters(shape, dtype=None, **more):
    """An initializer that is a function: all 0.25."""
    return tf.fill(shape, tf.constant(0.25, dtype or "float32"))


@register(package="golden")
class Pull(keras.regularizers.Regularizer):
    """Draws weights to a target."""

    def __init__(self, target, strength=0.01):
        self.target, self.strength = target, strength

    def __call__(self, x):
        return self.strength * tf.reduce_sum(tf.square(x - self.target))

    def get_config(self):
        return {"target": self.target, "strength": self.strength}


class AtLeast(keras.constraints.Constraint):
    """Weights from a lowest value on."""

    def __init__(self, low=-1.0):
        self.low = low

    def __call__(self, w):
        return tf.maximum(w, self.low)

    def get_config(self):
        return {"low": self.low}


# --- losses, metrics, optimizers -------------------------------------------------------------------------------------


@register(package="golden")
class WeightedGap(keras.losses.Loss):
    """The mean absolute difference times a weight."""

    def __init__(self, weight=2.0, name="weighted_gap", **more):
        super().__init__(name=name, **more)
        self.weight = weight

    def call(self, y_true, y_pred):
        return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1) * self.weight

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}


class Spread(keras.metrics.Metric):
    """The largest prediction less the smallest, widened."""

    def __init__(self, width=1.0, name="spread", **more):
        super().__init__(name=name, **more)
        self.width = width
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign((tf.reduce_max(y_pred) - tf.reduce_min(y_pred)) * self.width)

    def result(self):
        return self.total

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@register(package="golden")
class WarmSGD(keras.optimizers.SGD):
    """SGD that says how many steps it takes slowly."""

    def __init__(self, warm=10, **more):
        super().__init__(**more)
        self.warm = warm

    def get_config(self):
        return {**super().get_config(), "warm": self.warm}


def cubic_gap(y_true, y_pred):
    """A loss that is a function."""
    return tf.reduce_mean(tf.abs(y_true - y_pred) ** 3, axis=-1)


@register(package="golden")
def largest(y_true, y_pred):
    """A metric that is a registered function."""
    return tf.reduce_max(y_pred)


CUSTOM_OBJECTS = {
    "Compare": Compare, "TwoTowers": TwoTowers, "OnlyPositive": OnlyPositive, "MaskedMean": MaskedMean, "quarters": quarters, "AtLeast": AtLeast, "Spread": Spread,
    "cubic_gap": cubic_gap,
}
