# SPDX-License-Identifier: Apache-2.0
"""What R keras makes of R functions and classes: every function reaches Python under the name `python_function`, classes keep
the name they have in R, and numbers without L are floats."""
import tensorflow as tf
from tensorflow import keras


def from_r(function):
    """As an R function arrives in Python."""
    function.__name__ = function.__qualname__ = "python_function"
    return function


square_of_tanh = from_r(lambda x: tf.nn.tanh(x) ** 2)
half = from_r(lambda x: x * 0.5)
mean_of_predictions = from_r(lambda y_true, y_pred: tf.reduce_mean(y_pred))
absolute_error = from_r(lambda y_true, y_pred: tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1))


class my_dense_layer(keras.layers.Layer):
    """A dense layer without bias; its number of units comes from R as a float."""

    def __init__(self, output_dim, **more):
        super().__init__(**more)
        self.output_dim = output_dim

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(int(input_shape[-1]), int(self.output_dim)), initializer="random_normal")
        super().build(input_shape)

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)

    def get_config(self):
        return {**super().get_config(), "output_dim": float(self.output_dim)}


class antirectifier(keras.layers.Layer):
    """Both halves of the centred input, rectified and joined; no variables."""

    def call(self, inputs):
        x = inputs - tf.reduce_mean(inputs, axis=-1, keepdims=True)
        return tf.concat([tf.nn.relu(x), tf.nn.relu(-x)], axis=-1)

    def get_config(self):
        return super().get_config()


CUSTOM_OBJECTS = {"python_function": square_of_tanh, "my_dense_layer": my_dense_layer, "antirectifier": antirectifier}
