#!/usr/bin/env python3
"""Adapter for tf_keras, the living branch of Keras 2: `kassay verify --adapter 'python harness/adapters/tf_keras.py'`.

Files that Keras 3 wrote are another generation's and are answered `unsupported`, as far as they say so themselves.
"""

import hashlib
import json
import os
import sys
import zipfile

# This file has the name of the package that it loads.
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path = [path for path in sys.path if os.path.abspath(path or ".") != HERE]

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402

sys.modules["keras"] = tf_keras  # for golden/custom
sys.path.append(HERE)
import kassay_adapter  # noqa: E402

SESSION = 40  # requests between two clear_session


def shape_list(shape):
    shape = tf.TensorShape(shape)
    return None if shape.rank is None else shape.as_list()


def tensor_record(tensor):
    return {"shape": shape_list(tensor.shape), "dtype": tf.as_dtype(tensor.dtype).name}


def version_in_json(data):
    """As the document says, "3" for the form that only Keras 3 writes, None when it is no document."""
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(root, dict):
        return None
    version = root.get("keras_version", "3" if "module" in root else None)
    return version if isinstance(version, str) else None


def version_in_file(path, kind):
    try:
        if kind == "keras-v3":
            with zipfile.ZipFile(path) as archive:
                return version_in_json(archive.read("metadata.json"))
        if kind in ("h5-legacy", "h5-weights-legacy"):
            with h5py.File(path, "r") as file:
                version = file.attrs.get("keras_version", None)
                return version.decode() if isinstance(version, bytes) else version
        if kind == "json-legacy" or path.endswith(".json"):
            with open(path, "rb") as file:
                return version_in_json(file.read())
    except Exception:  # whatever is wrong with the file, loading it will say
        return None
    return None


def refuse_keras_3(path, kind):
    version = version_in_file(path, kind)
    if version and version.startswith("3"):
        raise kassay_adapter.Unsupported(f"written by Keras {version}")


class TfKeras(kassay_adapter.Adapter):
    name = "tf_keras"
    version = tf_keras.__version__
    formats = ("keras-v3", "weights-v3", "h5-legacy", "h5-weights-legacy", "json-legacy")
    writes = ("keras-v3", "weights-v3", "h5-legacy", "h5-weights-legacy", "json-legacy")
    extra = {"accumulation": "float32"}

    def __init__(self):
        self.served = 0
        self.registered = dict(tf_keras.saving.get_custom_objects())

    def custom_scope(self, objects):
        return tf_keras.saving.custom_object_scope(objects)

    # --- reading

    def read(self, request):
        path, kind = request["file"], request["format"]
        refuse_keras_3(path, kind)
        if kind == "json-legacy":
            return self.read_json(path)
        if not request["architecture"]:
            suffix = {"keras-v3": ".keras", "h5-legacy": ".h5"}[kind]
            return tf_keras.models.load_model(kassay_adapter.named_as(path, suffix), compile=False)
        model = self.read_architecture(request["architecture"])
        if request["initial"]:
            model.set_weights(kassay_adapter.load_arrays(request["initial"], "weight"))
        suffix = {"weights-v3": ".weights.h5", "keras-v3": ".keras"}.get(kind, ".h5")
        model.load_weights(kassay_adapter.named_as(path, suffix), **request["options"])
        return model

    def read_json(self, path):
        with open(path, "rb") as file:
            return tf_keras.models.model_from_json(file.read())

    def read_architecture(self, path):
        kind = "keras-v3" if path.endswith(".keras") else "h5-legacy" if path.endswith(".h5") else "json-legacy"
        refuse_keras_3(path, kind)
        if kind == "json-legacy":
            return self.read_json(path)
        return tf_keras.models.load_model(path, compile=False)

    # --- giving

    def weights(self, model):
        return model.get_weights()

    def outputs(self, model, inputs):
        # As model.predict, which costs a trace of the whole model for each.
        structure = getattr(model, "_nested_inputs", None)
        given = tf.nest.pack_sequence_as(structure, inputs) if structure is not None else inputs
        if structure is None and len(inputs) == 1:
            given = inputs[0]
        return [np.asarray(x) for x in tf.nest.flatten(model(given, training=False))]

    def dump(self, model, request):
        return {
            "inputs": [
                {"name": t._keras_history.layer.name, **tensor_record(t)} for t in tf.nest.flatten(model.inputs)
            ],
            "outputs": [tensor_record(t) for t in tf.nest.flatten(model.outputs)],
            "layers": [self.layer_record(model, layer) for layer in model.layers],
            "variables": self.variable_records(model, not request["format"].startswith("json-")),
        }

    def layer_record(self, model, layer):
        members = getattr(model, "_network_nodes", None) or set()
        nodes = [n for i, n in enumerate(layer.inbound_nodes) if f"{layer.name}_ib-{i}" in members]
        nodes = nodes or layer.inbound_nodes
        outputs = [tensor_record(t) for t in tf.nest.flatten(nodes[0].outputs)] if nodes else []
        return {"name": layer.name, "class": type(layer).__name__, "outputs": outputs}

    def variable_records(self, model, with_data):
        trainable = set()  # as the layer created it, whatever layer.trainable says now
        for layer in model._flatten_layers(include_self=True, recursive=True):
            trainable.update(id(v) for v in layer._trainable_weights)
        records = []
        for variable in model.weights:
            sized = variable if variable.shape.is_fully_defined() else variable.value()
            record = {
                "dtype": tf.as_dtype(variable.dtype).name,
                "shape": shape_list(sized.shape),
                "trainable": id(variable) in trainable,
            }
            if with_data:
                record["sha256"] = hashlib.sha256(np.ascontiguousarray(variable.numpy()).tobytes()).hexdigest()
            records.append(record)
        return records

    # --- writing

    def write(self, model, to, out):
        if to in ("keras-v3", "h5-legacy"):
            model.save(out)
        elif to in ("weights-v3", "h5-weights-legacy"):
            model.save_weights(out)
        elif to == "json-legacy":
            with open(out, "w") as file:
                file.write(model.to_json())
        else:
            raise kassay_adapter.Unsupported(f"writing {to}")

    def rest(self):
        known = tf_keras.saving.get_custom_objects()
        known.clear()
        known.update(self.registered)
        self.served += 1
        if self.served % SESSION == 0:
            tf_keras.backend.clear_session()


if __name__ == "__main__":
    sys.exit(kassay_adapter.main(TfKeras()))
