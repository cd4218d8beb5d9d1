#!/usr/bin/env python3
"""Adapter for Keras 3: `kassay verify --adapter 'python harness/adapters/keras.py'`.

Models are loaded as users load them: load_model, model_from_json, load_weights, with compile=False and safe_mode=True.
"""

import hashlib
import json
import os
import sys

# This file has the name of the package that it loads.
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path = [path for path in sys.path if os.path.abspath(path or ".") != HERE]

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras  # noqa: E402
import numpy as np  # noqa: E402

sys.path.append(HERE)
import kassay_adapter  # noqa: E402

SESSION = 40  # requests between two clear_session: one costs as much as several small models


def shape_list(shape):
    return None if shape is None else [None if d is None else int(d) for d in shape]


def tensor_record(tensor):
    return {"shape": shape_list(tensor.shape), "dtype": keras.backend.standardize_dtype(tensor.dtype)}


def nodes_in(model, layer):
    """Calls of the layer that belong to this model; those made while a model inside was built do not."""
    functional = getattr(model, "_functional", None) or model
    members = {id(node) for node in getattr(functional, "_nodes", None) or layer._inbound_nodes}
    return [node for node in layer._inbound_nodes if id(node) in members] or layer._inbound_nodes


def is_legacy(data):
    """Does the JSON say the words of Keras 2? model_from_json knows only those of Keras 3."""
    root = json.loads(data)
    return isinstance(root, dict) and "module" not in root


def legacy_model(data):
    """As load_model makes it from the config in an HDF5 file."""
    from keras.src.legacy.saving import saving_options, saving_utils

    with saving_options.keras_option_scope(use_legacy_config=True):
        return saving_utils.model_from_config(json.loads(data))


class Keras(kassay_adapter.Adapter):
    name = "keras"
    version = keras.__version__
    formats = (
        "keras-v3",
        "keras-v3-dir",
        "weights-v3",
        "weights-v3-sharded",
        "json-v3",
        "h5-legacy",
        "h5-weights-legacy",
    )
    writes = ("keras-v3", "keras-v3-dir", "weights-v3", "weights-v3-sharded", "json-v3", "h5-legacy")
    extra = {"accumulation": "float32", "choices": {"backend": keras.backend.backend()}}

    def __init__(self):
        self.served = 0
        self.registered = dict(keras.saving.get_custom_objects())
        self.class_names = {}

    def custom_scope(self, objects):
        return keras.saving.custom_object_scope(objects)

    # --- reading

    def read(self, request):
        path, kind = request["file"], request["format"]
        if kind.startswith("json-"):
            with open(path, "rb") as file:
                return keras.models.model_from_json(file.read())
        if not request["architecture"]:
            suffix = {"keras-v3": ".keras", "h5-legacy": ".h5"}.get(kind, "")
            return keras.models.load_model(kassay_adapter.named_as(path, suffix), compile=False)
        return self.read_weights(path, kind, request)

    def read_weights(self, path, kind, request):
        model = self.read_architecture(request["architecture"])
        if request["initial"]:
            model.set_weights(kassay_adapter.load_arrays(request["initial"], "weight"))
        suffix = {"weights-v3": ".weights.h5", "weights-v3-sharded": ".weights.json", "keras-v3": ".keras"}
        model.load_weights(kassay_adapter.named_as(path, suffix.get(kind, ".h5")), **request["options"])
        return model

    def read_architecture(self, path):
        if path.endswith(".json"):
            with open(path, "rb") as file:
                data = file.read()
            return legacy_model(data) if is_legacy(data) else keras.models.model_from_json(data)
        return keras.models.load_model(path, compile=False)

    # --- giving

    def weights(self, model):
        return model.get_weights()

    def outputs(self, model, inputs):
        # As model.predict, which costs a trace of the whole model for each.
        structure = getattr(model, "_inputs_struct", None)
        given = keras.tree.pack_sequence_as(structure, inputs) if structure is not None else inputs
        if structure is None and len(inputs) == 1:
            given = inputs[0]
        return [np.asarray(x) for x in keras.tree.flatten(model(given, training=False))]

    def dump(self, model, request):
        kind = request["format"]
        legacy = "legacy" in kind  # there names are another generation's
        return {
            "inputs": [
                {**({} if legacy else {"name": t.name}), **tensor_record(t)} for t in keras.tree.flatten(model.inputs)
            ],
            "outputs": [tensor_record(t) for t in keras.tree.flatten(model.outputs)],
            "layers": [self.layer_record(model, layer, legacy) for layer in model.layers],
            "variables": self.variable_records(model, not kind.startswith("json-"), legacy),
        }

    def layer_record(self, model, layer, legacy):
        nodes = nodes_in(model, layer)
        record = {"name": layer.name, "outputs": [tensor_record(t) for t in nodes[0].output_tensors] if nodes else []}
        if not legacy:
            record["class"] = self.class_name(layer)
        elif not isinstance(layer, keras.Model):  # Keras 2 has other names for those
            record["class"] = type(layer).__name__
        return record

    def class_name(self, layer):
        """As the files of Keras 3 have it, which is not always the name of the type."""
        cls = type(layer)
        if cls not in self.class_names:
            self.class_names[cls] = keras.saving.serialize_keras_object(layer)["class_name"]
        return self.class_names[cls]

    def variable_records(self, model, with_data, legacy):
        trainable = set()  # as the layer created it, whatever layer.trainable says now
        for layer in model._flatten_layers(include_self=True, recursive=True):
            trainable.update(id(v) for v in layer._trainable_variables)
        records = []
        for variable in model.weights:
            record = {
                **({} if legacy else {"name": variable.name}),
                "dtype": keras.backend.standardize_dtype(variable.dtype),
                "shape": shape_list(variable.shape),
                "trainable": id(variable) in trainable,
            }
            if with_data:
                record["sha256"] = hashlib.sha256(np.ascontiguousarray(variable).tobytes()).hexdigest()
            records.append(record)
        return records

    # --- writing

    def write(self, model, to, out):
        if to in ("keras-v3", "h5-legacy"):
            model.save(out)
        elif to == "keras-v3-dir":
            model.save(out, zipped=False)
        elif to == "weights-v3":
            model.save_weights(out)
        elif to == "weights-v3-sharded":
            # Several shards of every model; in GiB. A shard holds the largest variable at least.
            largest = max((variable.numpy().nbytes for variable in model.variables), default=0)
            model.save_weights(out, max_shard_size=max(1000, largest + 1) / 2**30)
        elif to == "json-v3":
            with open(out, "w") as file:
                file.write(model.to_json())
        else:
            raise kassay_adapter.Unsupported(f"writing {to}")

    def rest(self):
        known = keras.saving.get_custom_objects()
        known.clear()
        known.update(self.registered)
        self.served += 1
        if self.served % SESSION == 0:
            keras.backend.clear_session()


if __name__ == "__main__":
    sys.exit(kassay_adapter.main(Keras()))
