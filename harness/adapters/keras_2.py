#!/usr/bin/env python3
"""Adapter for the standalone Keras 2.2 and 2.3 (TensorFlow backend): `kassay verify --adapter 'python keras_2.py'`.

A peer for what is written in the older formats.
"""

import hashlib
import os
import sys

# In this folder a file has the name of the package that is loaded here.
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path = [path for path in sys.path if os.path.abspath(path or ".") != HERE]

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras  # noqa: E402
import numpy as np  # noqa: E402

sys.path.append(HERE)
import kassay_adapter  # noqa: E402

SESSION = 20  # requests between two clear_session: everything goes into one graph


def tensor_record(tensor):
    shape = [None if size is None else int(size) for size in keras.backend.int_shape(tensor)]
    return {"shape": shape, "dtype": keras.backend.dtype(tensor)}


def flatten(layer):
    """The layer and all layers inside."""
    parts = list(getattr(layer, "_layers", [])) + list(getattr(layer, "cells", []))
    names = ("forward_layer", "backward_layer", "cell") if hasattr(layer, "forward_layer") else ("layer", "cell")
    parts += [vars(layer)[name] for name in names if name in vars(layer)]
    return [layer] + [inner for part in parts for inner in flatten(part)]


class Keras2(kassay_adapter.Adapter):
    name = "keras"
    version = keras.__version__
    formats = ("h5-legacy", "h5-weights-legacy", "json-legacy")
    writes = ("h5-legacy", "h5-weights-legacy", "json-legacy")
    extra = {"accumulation": "float32"}

    def __init__(self):
        self.served = 0

    def read(self, request):
        path, kind = request["file"], request["format"]
        if kind == "json-legacy":
            return self.read_json(path)
        if not request["architecture"]:
            return keras.models.load_model(path, compile=False)
        model = self.read_json(request["architecture"])
        if request["initial"]:
            model.set_weights(kassay_adapter.load_arrays(request["initial"], "weight"))
        model.load_weights(path, **request["options"])
        return model

    def read_json(self, path):
        with open(path) as file:
            return keras.models.model_from_json(file.read())

    def weights(self, model):
        return model.get_weights()

    def outputs(self, model, inputs):
        outputs = model.predict(inputs, batch_size=len(inputs[0]))
        return outputs if isinstance(outputs, list) else [outputs]

    def dump(self, model, request):
        pairs = zip(model.input_names, model.inputs)
        return {
            "inputs": [{"name": name, **tensor_record(tensor)} for name, tensor in pairs],
            "outputs": [tensor_record(tensor) for tensor in model.outputs],
            "layers": [self.layer_record(model, layer) for layer in model.layers],
            "variables": self.variable_records(model, not request["format"].startswith("json-")),
        }

    def layer_record(self, model, layer):
        members = [i for i in range(len(layer._inbound_nodes)) if model._node_key(layer, i) in model._network_nodes]
        tensors = layer._inbound_nodes[members[0]].output_tensors
        return {"name": layer.name, "class": type(layer).__name__, "outputs": [tensor_record(t) for t in tensors]}

    def variable_records(self, model, with_data):
        trainable = set()  # as the layer created it, whatever layer.trainable says now
        for layer in flatten(model):
            trainable.update(id(variable) for variable in layer._trainable_weights)
        variables = [variable for layer in model.layers for variable in layer.weights]  # as get_weights
        records = []
        for variable, value in zip(variables, keras.backend.batch_get_value(variables)):
            record = {
                "dtype": keras.backend.dtype(variable),
                "shape": list(keras.backend.int_shape(variable)),
                "trainable": id(variable) in trainable,
            }
            if with_data:
                record["sha256"] = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
            records.append(record)
        return records

    def write(self, model, to, out):
        if to == "h5-legacy":
            model.save(out)
        elif to == "h5-weights-legacy":
            model.save_weights(out)
        elif to == "json-legacy":
            with open(out, "w") as file:
                file.write(model.to_json())
        else:
            raise kassay_adapter.Unsupported("writing " + to)

    def rest(self):
        self.served += 1
        if self.served % SESSION == 0:
            keras.backend.clear_session()


if __name__ == "__main__":
    sys.exit(kassay_adapter.main(Keras2()))
