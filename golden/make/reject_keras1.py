#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cases about damaged JSON and HDF5 files of Keras 1, shown to Keras 1.2.2.

    python golden/make/reject_keras1.py [--only GLOB]    in an environment with Keras 1.2.2 (Python 3.6)

Writes golden/{json-legacy,h5-legacy}/keras-1.2.2/twin-NAME/ and golden/{json-legacy,h5-legacy}/reject/keras1/NAME/.
"""
import io
import json
import os
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers as L  # noqa: E402
from reject_case import MALFORMED, REFUSED, Bench, attribute, config_edit, dataset, drop, edited, put, without_attribute  # noqa: E402

UNSAFE = ["unsafe"]
G = "model_weights"


def two_inputs():
    a, b = L.Input((6,), name="input_a"), L.Input((6,), name="input_b")
    x, y = L.Dense(5, activation="relu", name="dense_a")(a), L.Dense(5, name="dense_b")(b)
    return keras.models.Model([a, b], L.Dense(3, name="dense_out")(L.merge([x, y], mode="sum", name="add")), name="two_inputs")


def sequence():
    model = keras.models.Sequential(name="sequence")
    model.add(L.Embedding(20, 4, input_length=7, name="embedding"))
    model.add(L.LSTM(3, return_sequences=True, name="lstm"))
    model.add(L.GRU(3, name="gru"))
    model.add(L.Dense(2, name="dense"))
    return model


def image():
    model = keras.models.Sequential(name="image_model")
    model.add(L.Convolution2D(4, 3, 3, subsample=(2, 2), border_mode="same", dim_ordering="tf", input_shape=(8, 8, 3), name="conv"))
    model.add(L.BatchNormalization(name="norm"))
    model.add(L.MaxPooling2D((2, 2), dim_ordering="tf", name="pool"))
    model.add(L.Flatten(name="flat"))
    model.add(L.Dense(2, name="dense"))
    return model


def whole_file(model):
    rng = np.random.RandomState(7)
    model.set_weights([np.abs(rng.normal(0, 0.5, w.shape)).astype("float32") for w in model.get_weights()])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.h5")
        model.save(path)
        with open(path, "rb") as file:
            return file.read()


def edited_json(text, edit):
    config = json.loads(text.decode())
    other = edit(config)
    return json.dumps(config if other is None else other).encode()


def layer(name, *more):
    return ("config", "layers", name) + more


def lambda_in_place_of(config):
    total = eval(compile("lambda x: x[0] + x[1]", "lambda.py", "eval"))
    a, b = L.Input((5,)), L.Input((5,))
    model = keras.models.Model([a, b], L.merge([a, b], mode=total, output_shape=(5,), name="add"))
    record = next(r for r in json.loads(model.to_json())["config"]["layers"] if r["class_name"] == "Merge")
    by_name(config, "add")["config"] = record["config"]


FUNCTIONAL = [
    ("unknown-class", put(layer("dense_a"), "class_name", "Densely"), REFUSED, "the class of dense_a is one that Keras does not have"),
    ("class-of-keras-2", put(layer("dense_a"), "class_name", "Conv2D"), REFUSED, "dense_a is of a class that came with Keras 2, with Dense's keys"),
    ("class-name-missing", drop(layer("dense_a"), "class_name"), MALFORMED, "dense_a has no class name"),
    ("config-missing", drop(layer("dense_a"), "config"), MALFORMED, "dense_a has no config"),
    ("root-a-list", lambda c: [c], REFUSED, "the document is a list around the model"),
    ("root-unknown-class", put((), "class_name", "Modell"), REFUSED, "the class of the model does not exist"),
    ("output-dim-missing", drop(layer("dense_a", "config"), "output_dim"), MALFORMED, "dense_a has no output_dim"),
    ("units-of-keras-2", lambda c: layer_config(c, "dense_a").__setitem__("units", layer_config(c, "dense_a").pop("output_dim")), REFUSED,
     "the output_dim of dense_a is called units, as in Keras 2"),
    ("unknown-key", put(layer("dense_a", "config"), "unitz", 5), REFUSED, "dense_a has a config key that Dense does not know"),
    ("output-dim-a-string", put(layer("dense_a", "config"), "output_dim", "five"), MALFORMED, "the output_dim of dense_a is a string"),
    ("unknown-activation", put(layer("dense_a", "config"), "activation", "reluu"), REFUSED, "the activation of dense_a is not known"),
    ("unknown-init", put(layer("dense_a", "config"), "init", "glorot_normally"), REFUSED, "the init of dense_a is not known"),
    ("unknown-merge-mode", put(layer("add", "config"), "mode", "plus"), REFUSED, "the mode of a Merge layer is not known"),
    ("merge-shapes", put(layer("dense_b", "config"), "output_dim", 4), MALFORMED, "the Merge layer gets 5 and 4 columns"),
    ("dangling-inbound", put(layer("dense_a", "inbound_nodes", 0, 0), 0, "input_z"), MALFORMED, "dense_a is called on a layer that is not there"),
    ("node-index", put(layer("dense_out", "inbound_nodes", 0, 0), 1, 3), MALFORMED, "dense_out is called on the fourth call of a layer that is called once"),
    ("tensor-index", put(layer("dense_out", "inbound_nodes", 0, 0), 2, 1), MALFORMED, "dense_out is called on the second output of a layer that has one"),
    ("cycle", put(layer("dense_a", "inbound_nodes", 0, 0), 0, "add"), MALFORMED, "dense_a is called on the layer that is called on it"),
    ("self-loop", put(layer("dense_a", "inbound_nodes", 0, 0), 0, "dense_a"), MALFORMED, "dense_a is called on itself"),
    ("inbound-short", lambda c: by_name(c, "dense_out")["inbound_nodes"][0][0].__delitem__(slice(1, None)), MALFORMED, "an inbound node holds a name only"),
    ("inbound-a-string", put(layer("dense_a", "inbound_nodes"), 0, "input_a"), MALFORMED, "an inbound node is a string"),
    ("layers-missing", drop(("config",), "layers"), MALFORMED, "the model has no list of layers"),
    ("input-layers-missing", drop(("config",), "input_layers"), MALFORMED, "the model does not say its inputs"),
    ("output-layer-missing", put(("config", "output_layers", 0), 0, "dense_z"), MALFORMED, "output_layers names a layer that is not there"),
    ("lambda", lambda_in_place_of, UNSAFE, "the mode of the Merge layer is Python code"),
]
SEQUENTIAL = [
    ("image", "border-mode-unknown", put(("config", "conv", "config"), "border_mode", "samee"), REFUSED, "the border_mode of conv is not known"),
    ("image", "dim-ordering-unknown", put(("config", "conv", "config"), "dim_ordering", "fh"), REFUSED, "the dim_ordering of conv is not known"),
    ("image", "nb-filter-missing", drop(("config", "conv", "config"), "nb_filter"), MALFORMED, "conv has no nb_filter"),
    ("image", "input-shape-missing", drop(("config", "conv", "config"), "batch_input_shape"), REFUSED, "the first layer does not say its input"),
    ("image", "input-rank", put(("config", "conv", "config"), "batch_input_shape", [None, 8, 3]), MALFORMED, "the image has rank 3, conv needs 4"),
    ("sequence", "inner-activation-unknown", put(("config", "lstm", "config"), "inner_activation", "sigmoidal"), REFUSED, "the inner_activation of lstm is not known"),
    ("sequence", "layer-null", put(("config",), 1, None), MALFORMED, "one of the layers is null"),
    ("sequence", "config-a-string", put((), "config", "layers"), MALFORMED, "the config of the Sequential model is a string"),
]


def by_name(config, name):
    return next(r for r in config["config"]["layers"] if r["name"] == name)


def layer_config(config, name):
    return by_name(config, name)["config"]


def names(*values):
    return np.array([v.encode() for v in values], dtype="S")


def remove(path):
    def edit(file):
        del file[path]

    return edit


LAYERS = ("input_a", "input_b", "dense_a", "dense_b", "add", "dense_out")
HDF5 = [
    ("two-inputs", "model-config-missing", without_attribute("/", "model_config"), REFUSED, "model_config is removed"),
    ("two-inputs", "model-config-cut", lambda f: attribute("/", "model_config", f.attrs["model_config"][:-1])(f), MALFORMED, "the last brace of model_config is removed"),
    ("two-inputs", "model-weights-missing", remove(G), MALFORMED, "the group of the weights is removed"),
    ("two-inputs", "layer-names-missing", without_attribute(G, "layer_names"), MALFORMED, "the list of layers is removed"),
    ("two-inputs", "layer-names-short", attribute(G, "layer_names", names(*LAYERS[:-1])), MALFORMED, "the list of layers does not name the last one"),
    ("two-inputs", "layer-names-other", attribute(G, "layer_names", names("input_a", "input_b", "dense_x", *LAYERS[3:])), MALFORMED, "the list of layers names one that has no group"),
    ("two-inputs", "weight-names-short", attribute(G + "/dense_a", "weight_names", names("dense_a_W:0")), MALFORMED, "the list of dense_a's weights does not name the bias"),
    ("two-inputs", "weight-names-dangling", attribute(G + "/dense_a", "weight_names", names("dense_a_X:0", "dense_a_b:0")), MALFORMED, "the list of dense_a's weights names a dataset that is not there"),
    ("two-inputs", "kernel-transposed", dataset(G + "/dense_a/dense_a_W:0", lambda old: np.ascontiguousarray(old.T)), MALFORMED, "the kernel of dense_a is transposed"),
    ("two-inputs", "kernel-narrow", dataset(G + "/dense_a/dense_a_W:0", lambda old: old[:, :4]), MALFORMED, "a column of dense_a's kernel is missing"),
    ("two-inputs", "config-unknown-class", config_edit(put(layer("dense_a"), "class_name", "Densely")), REFUSED, "the class of dense_a is one that Keras does not have"),
    ("sequence", "lstm-eleven", lambda f: attribute(G + "/lstm", "weight_names", f[G + "/lstm"].attrs["weight_names"][:-1])(f), MALFORMED, "the LSTM has eleven arrays"),
    ("sequence", "lstm-three", lambda f: attribute(G + "/lstm", "weight_names", f[G + "/lstm"].attrs["weight_names"][:3])(f), MALFORMED, "the LSTM has three arrays, as in Keras 2, of one gate"),
    ("sequence", "gru-gate-narrow", lambda f: dataset(G + "/gru/" + f[G + "/gru"].attrs["weight_names"][3].decode(), lambda old: old[:, :2])(f), MALFORMED, "a column of one of GRU's gates is missing"),
    ("image", "kernel-th", lambda f: dataset(G + "/conv/" + f[G + "/conv"].attrs["weight_names"][0].decode(), lambda old: np.ascontiguousarray(old.transpose(3, 2, 0, 1)))(f), MALFORMED,
     "the kernel of conv is in the order of Theano, its config says the other"),
]


def main():
    bench = Bench("reject_keras1.py", "keras1", keras.__version__, backend="tensorflow " + tf.__version__, python_version="%d.%d" % sys.version_info[:2], h5py_version=h5py.__version__)
    texts, files = {}, {}
    for name, make in (("two-inputs", two_inputs), ("sequence", sequence), ("image", image)):
        model = make()
        texts[name], files[name] = model.to_json().encode(), whole_file(model)
        bench.write("json-legacy/keras-1.2.2/twin-" + name, {"model.json": texts[name]}, "model.json", "The model that damaged documents are one edit away from", "accept", tags=["twin"])
        bench.write("h5-legacy/keras-1.2.2/twin-" + name, {"model.h5": files[name]}, "model.h5", "The file that damaged ones are one edit away from", "accept", tags=["twin"])
    for base, name, edit, reason, what in [("two-inputs",) + row for row in FUNCTIONAL] + SEQUENTIAL:
        bench.write("json-legacy/reject/keras1/" + name, {"model.json": edited_json(texts[base], edit)}, "model.json", "Refused: " + what, "reject", reason,
                    "json-legacy/keras-1.2.2/twin-" + base, what + ".", ["config"], answer="accepts" if name == "lambda" else None)
    for base, name, edit, reason, what in HDF5:
        bench.write("h5-legacy/reject/keras1/" + name, {"model.h5": edited(files[base], edit)}, "model.h5", "Refused: " + what, "reject", reason,
                    "h5-legacy/keras-1.2.2/twin-" + base, what + ".", ["legacy"])
    return bench.close()


if __name__ == "__main__":
    sys.exit(main())
