# SPDX-License-Identifier: Apache-2.0
"""Custom classes and functions of the kinds that the Keras guides show. Runs with Keras 2 and 3."""
import numpy as np
import tensorflow as tf

try:
    import keras

    if keras.__version__.startswith("2."):
        keras = tf.keras
except ImportError:
    keras = tf.keras

register = getattr(keras, "saving", keras.utils)
register = getattr(register, "register_keras_serializable", None) or keras.utils.register_keras_serializable
saving = getattr(keras, "saving", None)


def serialize_object(value):
    if saving is not None and hasattr(saving, "serialize_keras_object"):
        return saving.serialize_keras_object(value)
    return keras.utils.serialize_keras_object(value)


def from_record(value, get):
    """An object of a config: a record, a name or None."""
    if isinstance(value, dict) and "module" in value and saving is not None and hasattr(saving, "deserialize_keras_object"):
        return saving.deserialize_keras_object(value)
    return get(value)


class CustomLayer(keras.layers.Layer):
    """Multiplies by a variable that starts as its argument `a`; the config holds what the variable is when it is saved."""

    def __init__(self, a, **more):
        super().__init__(**more)
        self.a = a

    def build(self, input_shape):
        self.var = self.add_weight(name="var_a", shape=(), initializer=keras.initializers.Constant(self.a))
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self.var

    def get_config(self):
        config = super().get_config()
        config["a"] = float(np.array(self.var)) if self.built else self.a
        return config


def custom_activation(x):
    """The square of the hyperbolic tangent."""
    return tf.nn.tanh(x) ** 2


class MyDense(keras.layers.Layer):
    """A dense layer without bias whose config holds objects: an initializer, a regularizer, a constraint."""

    def __init__(self, units, kernel_initializer="glorot_uniform", kernel_regularizer=None, kernel_constraint=None, **more):
        super().__init__(**more)
        self.hidden_units = units
        self.kernel_initializer = from_record(kernel_initializer, keras.initializers.get)
        self.kernel_regularizer = from_record(kernel_regularizer, keras.regularizers.get)
        self.kernel_constraint = from_record(kernel_constraint, keras.constraints.get)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], self.hidden_units), initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )
        super().build(input_shape)

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.hidden_units)

    def get_config(self):
        config = super().get_config()
        config["units"] = self.hidden_units
        for name in ("kernel_initializer", "kernel_regularizer", "kernel_constraint"):
            value = getattr(self, name)
            config[name] = None if value is None else serialize_object(value)
        return config


class ScaleAndShift(keras.layers.Layer):
    """Has arguments and no get_config: Keras 3 writes the arguments by itself, Keras 2 refuses to save it."""

    def __init__(self, scale=1.0, shift=0.0, **more):
        super().__init__(**more)
        self.scale, self.shift = scale, shift

    def call(self, inputs):
        return inputs * self.scale + self.shift


class Tower(keras.layers.Layer):
    """A layer of layers, found by its attributes, with a variable of its own and a statistic that is not trained."""

    def __init__(self, width, **more):
        super().__init__(**more)
        self.width = width
        self.up = keras.layers.Dense(2 * width, activation="tanh", name="up")
        self.norm = keras.layers.BatchNormalization(name="norm")
        self.down = keras.layers.Dense(width, name="down")

    def build(self, input_shape):
        self.gate = self.add_weight(name="gate", shape=(self.width,), initializer="ones")
        self.up.build(input_shape)
        self.norm.build((*input_shape[:-1], 2 * self.width))
        self.down.build((*input_shape[:-1], 2 * self.width))
        super().build(input_shape)

    def call(self, inputs, training=None):
        return self.down(self.norm(self.up(inputs), training=training)) * self.gate

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.width)

    def get_config(self):
        return {**super().get_config(), "width": self.width}


class CustomModel(keras.Model):
    """A subclassed model: as many Dense layers as `hidden_units` has entries, found in a list."""

    def __init__(self, hidden_units, **more):
        super().__init__(**more)
        self.hidden_units = list(hidden_units)
        self.dense_layers = [keras.layers.Dense(units, activation="tanh") for units in self.hidden_units]

    def call(self, inputs):
        for layer in self.dense_layers:
            inputs = layer(inputs)
        return inputs

    def get_config(self):
        return {"hidden_units": self.hidden_units}

    @classmethod
    def from_config(cls, config, **more):
        return cls(config["hidden_units"])


class ModelWithCustomConfig(keras.Model):
    """A subclassed model whose config is not the arguments of its constructor, with layers as attributes."""

    def __init__(self, first, second, **more):
        super().__init__(**more)
        self.out = keras.layers.Dense(second, name="out")
        self.hidden = keras.layers.Dense(first, activation=custom_activation, name="hidden")
        self.sizes = (first, second)

    def call(self, inputs):
        return self.out(self.hidden(inputs))

    def get_config(self):
        return {"sizes": {"hidden": self.sizes[0], "out": self.sizes[1]}, "note": "as written"}

    @classmethod
    def from_config(cls, config, **more):
        return cls(config["sizes"]["hidden"], config["sizes"]["out"])


@register(package="golden")
class RegisteredLayer(keras.layers.Layer):
    """Adds a trained vector; registered as golden>RegisteredLayer."""

    def __init__(self, start=0.0, **more):
        super().__init__(**more)
        self.start = start

    def build(self, input_shape):
        self.offset = self.add_weight(name="offset", shape=(input_shape[-1],), initializer=keras.initializers.Constant(self.start))
        super().build(input_shape)

    def call(self, inputs):
        return inputs + self.offset

    def get_config(self):
        return {**super().get_config(), "start": self.start}


@register(package="golden", name="half")
def half_tanh(x):
    """Half the hyperbolic tangent; registered as golden>half."""
    return tf.nn.tanh(x) * 0.5


@register()
class DefaultPackageLayer(keras.layers.Layer):
    """Squares; registered without a package, so as Custom>DefaultPackageLayer."""

    def call(self, inputs):
        return inputs * inputs

    def get_config(self):
        return super().get_config()


CUSTOM_OBJECTS = {
    "CustomLayer": CustomLayer, "custom_activation": custom_activation, "MyDense": MyDense, "ScaleAndShift": ScaleAndShift, "Tower": Tower,
    "CustomModel": CustomModel, "ModelWithCustomConfig": ModelWithCustomConfig,
}
