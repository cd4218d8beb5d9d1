"""What a family file lists: one entry per case, and the usual inputs."""

import dataclasses
import typing

import numpy as np


@dataclasses.dataclass
class Case:
    name: str
    build: typing.Callable
    inputs: typing.Callable
    batch: int = 5
    title: str = ""
    tags: list = dataclasses.field(default_factory=list)
    finish: typing.Callable = None  # called with (model, inputs) before saving: compile, train, freeze
    second: typing.Callable = None  # float64 outputs from float64 inputs in numpy, where TensorFlow has no such kernel
    eager: bool = False  # numbers of model(x), where those of predict() are not the layer's
    script: str = ""
    also: tuple = ()  # further formats: "weights-v3", "json-v3"
    shard_gib: float = None  # max_shard_size of weights-v3-sharded
    old: bool = False  # made by the older writers too


def normal(*shapes):
    """Inputs of these shapes (without the batch)."""

    def draw(rng, batch):
        return [rng.normal(0, 1, (batch, *shape)).astype("float32") for shape in shapes]

    return draw


def tokens(length, vocabulary, masked=True, dtype="int32"):
    """Sequences of different lengths padded with 0, one with a gap in the middle."""

    def draw(rng, batch):
        ids = rng.integers(1, vocabulary, (batch, length))
        if masked:
            for row in range(batch):
                ids[row, max(2, length - row - (row % 2)) :] = 0
            ids[batch - 1, 1] = 0
        return [ids.astype(dtype)]

    return draw


def masked_steps(length, width, value=0.0):
    """Sequences whose missing steps hold `value` throughout."""

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


def one_layer(make, *shapes, batch=None):
    """A model of one layer on one or several inputs."""
    import keras

    def build():
        inputs = [keras.Input(shape, batch_size=batch) for shape in shapes]
        return keras.Model(inputs[0] if len(inputs) == 1 else inputs, make()(inputs[0] if len(inputs) == 1 else inputs))

    return build


def layer_case(name, make, *shapes, **more):
    """The commonest case: one layer, random inputs."""
    return Case(name=name, build=one_layer(make, *shapes), inputs=normal(*shapes), **more)
