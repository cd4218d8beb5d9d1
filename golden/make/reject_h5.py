#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cases about damaged legacy HDF5 files of Keras 2 (tf_keras) and of Keras 3's legacy writer, whole models and weights.

    python golden/make/reject_h5.py [--only GLOB]    in an environment with Keras 3.15.1 and tf_keras 2.21

Writes
    golden/h5-legacy/{tfkeras-2.21.0,keras-3.15.1}/twin-NAME/, golden/h5-weights-legacy/…/twin-NAME/    what is edited
    golden/h5-legacy/dialect/…     odd files that the Keras of their generation reads
    golden/h5-legacy/reject/…, golden/h5-weights-legacy/reject/…    refused, or ("either") answered differently
"""
import io
import json
import os
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import h5py  # noqa: E402
import keras as keras3  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras as keras2  # noqa: E402
from reject_case import ANY, MALFORMED, REFUSED, Bench, attribute, config_edit, dataset, drop, edited, find, put, several, without_attribute  # noqa: E402

UNSAFE = ["unsafe"]
G = "model_weights"


# ------------------------------------------------------------------------------------------------------------- twins


def two_inputs(keras):
    layers = keras.layers
    a, b = keras.Input((6,), name="input_a"), keras.Input((6,), name="input_b")
    x, y = layers.Dense(5, activation="relu", name="dense_a")(a), layers.Dense(5, name="dense_b")(b)
    return keras.Model([a, b], layers.Dense(3, name="dense_out")(layers.Add(name="add")([x, y])), name="two_inputs")


def sequence(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((7,), name="tokens"),
            layers.Embedding(20, 4, name="embedding"),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True, name="lstm"), name="both"),
            layers.GRU(3, name="gru"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(2, name="dense"),
        ],
        name="sequence",
    )


def image(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 3), name="image"),
            layers.Conv2D(4, 3, strides=2, padding="same", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(2, name="dense"),
        ],
        name="image_model",
    )


def randomized(model):
    rng = np.random.default_rng(7)
    model.set_weights([rng.normal(0, 0.5, w.shape).astype("float32") ** (2 if "variance" in v.name else 1) for w, v in zip(model.get_weights(), model.weights)])
    return model


def whole_file(model, compiled=True):
    if compiled:
        model.compile(optimizer="sgd", loss="mean_squared_error")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.h5")
        model.save(path)
        with open(path, "rb") as file:
            return file.read()


def weights_file(model, generation):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.h5")
        if generation == 2:
            model.save_weights(path)
        else:
            from keras.src.legacy.saving import legacy_h5_format

            with h5py.File(path, "w") as file:
                legacy_h5_format.save_weights_to_hdf5_group(file, model)
        with open(path, "rb") as file:
            return file.read()


# ------------------------------------------------------------------------------------------------- edits of the weights


def names(*values):
    return np.array([v.encode() for v in values], dtype="S")


def weight(generation, layer, name, root=G, path="%s/%s:0"):
    """The dataset of a weight, as each generation calls it."""
    own = (path % (layer, name)) if generation == 2 else None
    return "/".join(part for part in (root, layer, own) if part)


def external_link(parent, name):
    parent[name] = h5py.ExternalLink("other.h5", "/kernel")


def external_storage(parent, name):
    parent.create_dataset(name, (6, 5), "f4", external=[("other.bin", 0, 120)])


def virtual(parent, name):
    layout = h5py.VirtualLayout(shape=(6, 5), dtype="f4")
    layout[...] = h5py.VirtualSource("other.h5", "kernel", shape=(6, 5))
    parent.create_virtual_dataset(name, layout)


def huge(parent, name):
    parent.create_dataset(name, (1 << 40, 5), "f4", chunks=(1 << 10, 5))


def link(target):
    def make(parent, name):
        parent[name] = h5py.SoftLink(target)

    return make


def moved(path, target):
    """A dataset or group under another path, a soft link in its place."""

    def edit(file):
        file.move(path, target)
        file[path] = h5py.SoftLink("/" + target)

    return edit


def remove(path):
    def edit(file):
        del file[path]

    return edit


def dataset_for_group(path):
    def edit(file):
        del file[path]
        file[path] = np.zeros((6, 5), "f4")

    return edit


def chunked(place, name, pieces):
    """The list of names in several attributes: pieces of (number, values)."""

    def edit(file):
        del file[place].attrs[name]
        for number, values in pieces:
            file[place].attrs["%s%d" % (name, number)] = values

    return edit


def weights_rows(root, kernel, bias, kernel_name, bias_name, other_kernel, strict_links):
    """Edits of the weights of `two_inputs`: name, edit, expect, reason, what. Paths and names as this generation has them."""
    a = root + "/dense_a" if root else "dense_a"
    top = root or "/"
    soft = ("reject", REFUSED) if strict_links else ("either", ANY)
    layers = ("input_a", "input_b", "dense_a", "dense_b", "add", "dense_out")

    def names_of(*values):
        return attribute(top, "layer_names", names(*values))

    def at_weights(value):
        return attribute(a, "weight_names", value)

    def into_kernel(make):
        return dataset(kernel, make)

    return [
        ("layer-names-missing", without_attribute(top, "layer_names"), "reject", MALFORMED, "the list of layers is removed"),
        ("layer-names-short", names_of(*layers[:-1]), "reject", MALFORMED, "the list of layers does not name the last one"),
        ("layer-names-long", names_of(*layers, "dense_more"), "reject", MALFORMED, "the list of layers names one more, which has no group"),
        ("layer-names-other", names_of("input_a", "input_b", "dense_x", *layers[3:]), "reject", MALFORMED, "the list of layers names one that has no group in place of dense_a"),
        ("layer-names-twice", names_of("input_a", "input_b", "dense_b", *layers[3:]), "either", ["accepted", "malformed"], "the list of layers names dense_b twice, dense_a not at all"),
        ("layer-names-numbers", attribute(top, "layer_names", np.arange(6)), "reject", MALFORMED, "the list of layers is a list of numbers"),
        ("layer-names-a-number", attribute(top, "layer_names", 6), "reject", MALFORMED, "the list of layers is a number"),
        ("layer-names-a-string", attribute(top, "layer_names", "dense_a"), "reject", MALFORMED, "the list of layers is one string"),
        ("layer-names-empty", attribute(top, "layer_names", np.zeros(0)), "reject", MALFORMED, "the list of layers is empty"),
        ("layer-names-invalid-utf-8", attribute(top, "layer_names", np.array([b"input_a", b"input_b", b"dense\xff", b"dense_b", b"add", b"dense_out"])), "reject", MALFORMED, "the name of dense_a is no UTF-8"),
        ("layer-names-gap", chunked(top, "layer_names", [(0, names(*layers[:3])), (2, names(*layers[3:]))]), "reject", MALFORMED,
         "the list of layers is stored in chunks 0 and 2"),
        ("layer-names-from-one", chunked(top, "layer_names", [(1, names(*layers[:3])), (2, names(*layers[3:]))]), "reject", MALFORMED,
         "the list of layers is stored in chunks 1 and 2"),
        ("layer-names-chunk-missing", chunked(top, "layer_names", [(0, names(*layers[:3]))]), "reject", MALFORMED, "the list of layers is stored in chunks, the second is missing"),
        ("weight-names-missing", without_attribute(a, "weight_names"), "reject", MALFORMED, "the list of dense_a's weights is removed"),
        ("weight-names-short", at_weights(names(kernel_name)), "reject", MALFORMED, "the list of dense_a's weights does not name the bias"),
        ("weight-names-long", at_weights(names(kernel_name, bias_name, bias_name)), "reject", MALFORMED, "the list of dense_a's weights names the bias twice"),
        ("weight-names-swapped", at_weights(names(bias_name, kernel_name)), "reject", MALFORMED, "the list of dense_a's weights names the bias first"),
        ("weight-names-dangling", at_weights(names(kernel_name + "x", bias_name)), "reject", MALFORMED, "the list of dense_a's weights names a dataset that is not there"),
        ("weight-names-parent", at_weights(names("../" + kernel_name, bias_name)), "reject", MALFORMED, "the list of dense_a's weights names a path that begins with ../"),
        ("weight-names-numbers", at_weights(np.arange(2)), "reject", MALFORMED, "the list of dense_a's weights is a list of numbers"),
        ("weight-names-empty", at_weights(np.zeros(0)), "reject", MALFORMED, "the list of dense_a's weights is empty"),
        ("weight-names-gap", chunked(a, "weight_names", [(0, names(kernel_name)), (2, names(bias_name))]), "reject", MALFORMED, "the list of dense_a's weights is stored in chunks 0 and 2"),
        ("weight-names-elsewhere", at_weights(names("/" + other_kernel, bias_name)), "either", ["accepted", "malformed", "unsupported"],
         "the list of dense_a's weights names the kernel of dense_b by an absolute path"),
        ("layer-group-missing", remove(a), "reject", MALFORMED, "the group of dense_a is removed"),
        ("layer-group-a-dataset", dataset_for_group(a), "reject", MALFORMED, "the group of dense_a is a dataset"),
        ("kernel-missing", remove(kernel), "reject", MALFORMED, "the kernel of dense_a is removed"),
        ("kernel-a-group", into_kernel(lambda old: lambda parent, name: parent.create_group(name)), "reject", MALFORMED, "the kernel of dense_a is a group"),
        ("kernel-transposed", into_kernel(lambda old: np.ascontiguousarray(old.T)), "reject", MALFORMED, "the kernel of dense_a is transposed"),
        ("kernel-narrow", into_kernel(lambda old: old[:, :4]), "reject", MALFORMED, "a column of dense_a's kernel is missing"),
        ("kernel-flat", into_kernel(lambda old: old.reshape(-1)), "reject", MALFORMED, "the kernel of dense_a is a vector"),
        ("kernel-scalar", into_kernel(lambda old: old[0, 0]), "reject", MALFORMED, "the kernel of dense_a is one number"),
        ("kernel-of-rank-3", into_kernel(lambda old: old[None]), "reject", MALFORMED, "the kernel of dense_a has a further axis"),
        ("kernel-empty", into_kernel(lambda old: old[:0]), "reject", MALFORMED, "the kernel of dense_a has no rows"),
        ("kernel-huge", into_kernel(lambda old: huge), "reject", MALFORMED + ["over-limit"], "the kernel of dense_a has 2^40 rows, none of them written"),
        ("kernel-of-strings", into_kernel(lambda old: np.full(old.shape, b"abc")), "reject", REFUSED, "the kernel of dense_a holds strings"),
        ("kernel-compound", into_kernel(lambda old: np.zeros(old.shape, [("x", "f4"), ("y", "f4")])), "reject", REFUSED, "the elements of dense_a's kernel are pairs"),
        ("kernel-external-link", into_kernel(lambda old: external_link), "reject", UNSAFE, "the kernel of dense_a is a link into another file"),
        ("kernel-external-storage", into_kernel(lambda old: external_storage), "reject", UNSAFE, "the elements of dense_a's kernel are in another file"),
        ("kernel-virtual", into_kernel(lambda old: virtual), "reject", UNSAFE, "the kernel of dense_a is a virtual dataset over another file"),
        ("kernel-soft-link", moved(kernel, "elsewhere"), *soft, "the kernel of dense_a is a soft link to a dataset of this file"),
        ("kernel-soft-link-dangling", into_kernel(lambda old: link("/nowhere")), "reject", REFUSED, "the kernel of dense_a is a soft link to nothing"),
        ("kernel-soft-link-circle", into_kernel(lambda old: link("/" + kernel)), "reject", REFUSED, "the kernel of dense_a is a soft link to itself"),
        ("layer-group-soft-link", moved(a, "elsewhere"), *soft, "the group of dense_a is a soft link to a group of this file"),
    ]


def whole_rows(root=G):
    """Edits of the file around weights and config."""
    return [
        ("model-config-missing", without_attribute("/", "model_config"), "reject", REFUSED, "model_config is removed"),
        ("model-config-empty", attribute("/", "model_config", b""), "reject", REFUSED, "model_config is emptied"),
        ("model-config-a-number", attribute("/", "model_config", 7), "reject", REFUSED, "model_config is a number"),
        ("model-config-numbers", attribute("/", "model_config", np.arange(3.0)), "reject", REFUSED, "model_config is a list of numbers"),
        ("model-weights-missing", remove(root), "reject", MALFORMED, "the group of the weights is removed"),
        ("model-weights-a-dataset", dataset_for_group(root), "reject", MALFORMED, "the group of the weights is a dataset"),
        ("model-weights-external-link", lambda file: (remove(root)(file), file.__setitem__(root, h5py.ExternalLink("other.h5", "/model_weights"))), "reject", UNSAFE,
         "the group of the weights is a link into another file"),
        ("training-config-broken", attribute("/", "training_config", b'{"loss": '), "accept", None, "training_config, which nobody needs without compiling, is cut"),
        ("training-config-missing", without_attribute("/", "training_config"), "accept", None, "training_config is removed"),
        ("optimizer-unknown", lambda file: attribute("/", "training_config", file.attrs["training_config"].replace("SGD", "SGDD") if isinstance(file.attrs["training_config"], str)
                                                     else file.attrs["training_config"].replace(b"SGD", b"SGDD"))(file), "accept", None,
         "the optimizer is of an unknown class; nobody compiles"),
        ("group-that-nobody-names", lambda file: file.create_group(root + "/dense_z"), "accept", None, "a further group stands among the layers"),
        ("attribute-that-nobody-knows", lambda file: file[root].attrs.__setitem__("note", "hello"), "accept", None, "a further attribute stands beside layer_names"),
        ("layer-names-in-two-chunks", chunked(root, "layer_names", [(0, names("input_a", "input_b", "dense_a")), (1, names("dense_b", "add", "dense_out"))]), "accept", None,
         "the list of layers is stored in two chunks though it is short"),
        ("layer-names-and-a-chunk", lambda file: file[root].attrs.__setitem__("layer_names0", names("nobody")), "accept", None,
         "a chunk stands beside the whole list of layers, which counts"),
        ("layer-names-of-variable-length", attribute(root, "layer_names", np.array(["input_a", "input_b", "dense_a", "dense_b", "add", "dense_out"], h5py.string_dtype())), "accept", None,
         "the list of layers is stored in strings of variable length"),
        ("layer-names-swapped", attribute(root, "layer_names", names("input_a", "input_b", "dense_b", "dense_a", "add", "dense_out")), "either", ["accepted", "malformed"],
         "the list of layers names dense_b before dense_a, which has weights of the same shapes"),
        ("top-level-missing", remove(root + "/top_level_model_weights"), "accept", None, "the group of the model's own weights, which has none, is removed"),
        ("top-level-too-many", lambda file: (attribute(root + "/top_level_model_weights", "weight_names", names("extra:0"))(file),
                                             file.__setitem__(root + "/top_level_model_weights/extra:0", np.zeros(3, "f4"))), "reject", MALFORMED,
         "the model's own weights are one more than the model has"),
        ("keras-version-missing", without_attribute(root, "keras_version"), "either", ANY, "the group of the weights does not say the version of Keras"),
        ("keras-version-a-number", attribute(root, "keras_version", 2), "either", ANY, "the version of Keras is a number"),
        ("keras-version-nonsense", attribute(root, "keras_version", b"vier"), "either", ANY, "the version of Keras is no version"),
        ("backend-missing", without_attribute(root, "backend"), "accept", None, "the group of the weights does not say the backend"),
        ("backend-unknown", attribute(root, "backend", b"abacus"), "either", ANY, "the backend is one that never was"),
    ]


# ------------------------------------------------------------------------------------------------- edits of the config

LAYERS = ("config", "layers")


def layer(name, *more):
    return LAYERS + (name,) + more


def swap_lambda(record):
    def edit(config):
        old = find(config, *layer("add"))
        new = json.loads(json.dumps(record))
        new["config"]["name"] = new["name"] = "add"
        new["inbound_nodes"] = old["inbound_nodes"]
        old.clear()
        old.update(new)

    return edit


def lambda_record(keras):
    """What this Keras writes for a lambda; its code object names no file of this machine."""
    total = eval(compile("lambda x: x[0] + x[1]", "lambda.py", "eval"))
    pair = [keras.Input((5,)), keras.Input((5,))]
    model = keras.Model(pair, keras.layers.Lambda(total, name="add")(pair))
    data = whole_file(model, False)
    with h5py.File(io.BytesIO(data)) as file:
        text = file.attrs["model_config"]
    record = next(r for r in json.loads(text)["config"]["layers"] if r["class_name"] == "Lambda")
    for key in ("module", "function_type"):
        if key in record["config"] and key == "module":
            record["config"][key] = "__main__"
    return record


def renamed(old, new):
    def edit(config):
        return json.loads(json.dumps(config).replace('"%s"' % old, '"%s"' % new))

    return edit


def keras2_nodes():
    """Edits of inbound nodes as Keras 2 writes them: [[[name, node, tensor, kwargs]]]."""
    inbound = layer("dense_a", "inbound_nodes", 0, 0)
    out = layer("dense_out", "inbound_nodes", 0, 0)
    return [
        ("dangling-inbound", put(inbound, 0, "input_z"), MALFORMED, "dense_a is called on a layer that is not there"),
        ("node-index", put(out, 1, 3), MALFORMED, "dense_out is called on the fourth call of a layer that is called once"),
        ("tensor-index", put(out, 2, 1), MALFORMED, "dense_out is called on the second output of a layer that has one"),
        ("node-index-a-string", put(out, 1, "0"), MALFORMED, "a node index is a string"),
        ("cycle", put(inbound, 0, "add"), MALFORMED, "dense_a is called on the layer that is called on it"),
        ("self-loop", put(inbound, 0, "dense_a"), MALFORMED, "dense_a is called on itself"),
        ("inbound-short", lambda c: find(c, *out).__delitem__(slice(1, None)), MALFORMED, "an inbound node holds a name only"),
        ("inbound-long", lambda c: find(c, *out).append(5), MALFORMED, "an inbound node holds a fifth entry"),
        ("inbound-a-string", put(layer("dense_a", "inbound_nodes"), 0, "input_a"), MALFORMED, "an inbound node is a string"),
        ("inbound-a-number", put(layer("dense_a", "inbound_nodes"), 0, 5), MALFORMED, "an inbound node is a number"),
        ("inbound-arguments-a-list", put(out, 3, [1]), MALFORMED, "the arguments of a call are a list"),
        ("unknown-call-argument", put(out, 3, {"colour": 1}), REFUSED, "dense_out is called with an argument that it does not have"),
    ]


def keras3_nodes():
    a = layer("dense_a", "inbound_nodes", 0, "args", 0, "config", "keras_history")
    out = layer("dense_out", "inbound_nodes", 0, "args", 0, "config", "keras_history")
    return [
        ("dangling-inbound", put(a, 0, "input_z"), MALFORMED, "dense_a is called on a layer that is not there"),
        ("node-index", put(out, 1, 3), MALFORMED, "dense_out is called on the fourth call of a layer that is called once"),
        ("tensor-index", put(out, 2, 1), MALFORMED, "dense_out is called on the second output of a layer that has one"),
        ("cycle", put(a, 0, "add"), MALFORMED, "dense_a is called on the layer that is called on it"),
        ("self-loop", put(a, 0, "dense_a"), MALFORMED, "dense_a is called on itself"),
        ("history-short", lambda c: find(c, *out).pop(), MALFORMED, "a keras_history has two entries"),
    ]


def config_rows(keras, nodes):
    a = layer("dense_a", "config")
    return nodes + [
        ("unknown-class", put(layer("dense_a"), "class_name", "Densely"), REFUSED, "the class of dense_a is one that Keras does not have"),
        ("class-name-missing", drop(layer("dense_a"), "class_name"), MALFORMED, "dense_a has no class name"),
        ("class-name-a-number", put(layer("dense_a"), "class_name", 7), MALFORMED, "the class name of dense_a is a number"),
        ("config-missing", drop(layer("dense_a"), "config"), MALFORMED, "dense_a has no config"),
        ("root-unknown-class", put((), "class_name", "Functionally"), REFUSED, "the class of the model does not exist"),
        ("root-a-list", lambda c: [c], REFUSED, "the document is a list around the model"),
        ("root-without-config", drop((), "config"), MALFORMED, "the model has no config"),
        ("unknown-key", put(a, "unitz", 5), REFUSED, "dense_a has a config key that Dense does not know"),
        ("units-missing", drop(a, "units"), MALFORMED, "dense_a has no units"),
        ("units-negative", put(a, "units", -5), MALFORMED, "dense_a has -5 units"),
        ("units-a-list", put(a, "units", [5]), MALFORMED, "the units of dense_a are a list"),
        ("units-other-than-the-weights", put(layer("dense_out", "config"), "units", 4), MALFORMED, "dense_out has 4 units in the config and 3 in the weights"),
        ("unknown-activation", put(a, "activation", "reluu"), REFUSED, "the activation of dense_a is not known"),
        ("unknown-initializer", put(layer("dense_a", "config", "kernel_initializer"), "class_name", "GlorotUniformly"), REFUSED, "the initializer of dense_a is not known"),
        ("unknown-regularizer", put(a, "kernel_regularizer", {"class_name": "L3", "config": {"l3": 1.0}}), REFUSED, "the regularizer of dense_a is not known"),
        ("unknown-constraint", put(a, "kernel_constraint", {"class_name": "MaxNormal", "config": {}}), REFUSED, "the constraint of dense_a is not known"),
        ("lambda", swap_lambda(lambda_record(keras)), UNSAFE, "add is replaced by a Lambda layer with Python code"),
        ("duplicate-layer-name", renamed("dense_b", "dense_a"), MALFORMED, "dense_b is called dense_a too, also where add is called on it"),
        ("layers-missing", drop(("config",), "layers"), MALFORMED, "the model has no list of layers"),
        ("input-layers-missing", drop(("config",), "input_layers"), MALFORMED, "the model does not say its inputs"),
        ("input-layer-missing", put(("config", "input_layers", 0), 0, "input_z"), MALFORMED, "input_layers names a layer that is not there"),
        ("inbound-nodes-empty", put(layer("add"), "inbound_nodes", []), MALFORMED, "add is never called, although dense_out needs it"),
        ("merge-shapes", put(layer("dense_b", "config"), "units", 4), MALFORMED, "add gets 5 and 4 columns"),
    ]


BYTES = [
    ("truncated-json", lambda text: text[:-1], "the last brace of model_config is removed"),
    ("trailing-comma", lambda text: text.replace(b'"units": 5', b'"units": 5,', 1).replace(b'"units": 5,,', b'"units": 5,,', 1), "a comma is doubled in model_config"),
    ("invalid-utf-8", lambda text: text.replace(b'"relu"', b'"rel\xff"', 1), "a byte FF is put into a string of model_config"),
]


def text_edit(change):
    def edit(file):
        text = file.attrs["model_config"]
        attribute("/", "model_config", change(text.encode() if isinstance(text, str) else text))(file)

    return edit


# ------------------------------------------------------------------------------------------------------------- writing


def paths(data, root):
    """Datasets of dense_a and dense_b and their names, as the file has them."""
    with h5py.File(io.BytesIO(data)) as file:
        group = file[root] if root else file
        own = [n.decode() if isinstance(n, bytes) else n for n in group["dense_a"].attrs["weight_names"]]
        other = [n.decode() if isinstance(n, bytes) else n for n in group["dense_b"].attrs["weight_names"]]
    prefix = root + "/" if root else ""
    return prefix + "dense_a/" + own[0], prefix + "dense_a/" + own[1], own[0], own[1], prefix + "dense_b/" + other[0]


def write_whole(bench, generation, writer, keras, strict_links):
    bench_twins = {}
    for make in (two_inputs, sequence, image):
        twin = "h5-legacy/%s/twin-%s" % (writer, make.__name__.replace("_", "-"))
        data = whole_file(randomized(make(keras)))
        bench_twins[make.__name__] = (twin, data)
        bench.write(twin, {"model.h5": data}, "model.h5", "The file that damaged ones are one edit away from", "accept", tags=["twin"])
    twin, data = bench_twins["two_inputs"]
    short = "keras%d" % generation

    def one(name, edit, expect, reason, what, base=(twin, data), answer=None, unsafe=False):
        folder = "dialect" if expect == "accept" else "reject"
        title = {"accept": "Read as Keras reads it: ", "either": "Either: ", "reject": "Refused: "}[expect]
        bench.write("h5-legacy/%s/%s/%s" % (folder, short, name), {"model.h5": edited(base[1], edit)}, "model.h5", title + what, expect, reason,
                    None if expect == "accept" else base[0], what + ".", ["legacy"], answer=answer, unsafe=unsafe)

    for row in weights_rows(G, *paths(data, G), strict_links) + whole_rows():
        # tf_keras reads the elements of a virtual dataset whose source is missing as zeros, without a word.
        one(*row, answer="accepts" if row[0] == "kernel-virtual" and generation == 2 else None)
    both = G + "/both"
    listed = lambda file: [n if isinstance(n, str) else n.decode() for n in file[both].attrs["weight_names"]]  # noqa: E731
    sides = [
        ("bidirectional-forward-only", lambda file: attribute(both, "weight_names", names(*listed(file)[:3]))(file), "the weights of the backward layer are not listed"),
        ("bidirectional-five", lambda file: attribute(both, "weight_names", names(*listed(file)[:5]))(file), "the last weight of the backward layer is not listed"),
    ]
    for name, edit, what in sides if generation == 2 else []:
        one(name, edit, "reject", MALFORMED, what, base=bench_twins["sequence"])
    for name, edit, reason, what in config_rows(keras, keras2_nodes() if generation == 2 else keras3_nodes()):
        one("config-" + name, config_edit(edit), "reject", reason, what, answer="accepts" if name == "lambda" and generation == 2 else None)
    for name, change, what in BYTES:
        one("config-" + name, text_edit(change), "reject", MALFORMED, what)
    return bench_twins, one


def model_json(keras, make):
    return make(keras).to_json().encode()


def write_weights(bench, generation, writer, keras, strict_links):
    twin = "h5-weights-legacy/%s/twin-two-inputs" % writer
    model = randomized(two_inputs(keras))
    files = {"model.h5": weights_file(model, generation), "architecture.json": model.to_json().encode()}
    bench.write(twin, files, "model.h5", "The file that damaged ones are one edit away from", "accept", tags=["twin"], architecture="architecture.json")
    wanted = WEIGHTS_ROWS[generation]
    for name, edit, expect, reason, what in weights_rows("", *paths(files["model.h5"], ""), strict_links):
        if name in wanted:
            bench.write("h5-weights-legacy/reject/keras%d/%s" % (generation, name), dict(files, **{"model.h5": edited(files["model.h5"], edit)}), "model.h5",
                        ("Either: " if expect == "either" else "Refused: ") + what, expect, reason, twin, what + ".", ["legacy"], architecture="architecture.json")


WEIGHTS_ROWS = {
    2: ("layer-names-missing", "layer-names-short", "layer-names-long", "layer-names-gap", "weight-names-missing", "weight-names-short", "weight-names-swapped",
        "layer-group-missing", "layer-group-a-dataset", "kernel-missing", "kernel-transposed", "kernel-a-group", "kernel-external-link", "kernel-huge"),
    3: ("layer-names-missing", "layer-names-short", "weight-names-short", "kernel-missing", "kernel-narrow", "kernel-soft-link", "kernel-external-link"),
}


def main():
    backend = "tensorflow " + tf.__version__
    status = 0
    for generation, keras, flavour, writer in ((2, keras2, "tf_keras", "tfkeras-2.21.0"), (3, keras3, "keras", "keras-3.15.1")):
        bench = Bench("reject_h5.py", flavour, keras.__version__, backend=backend)
        write_whole(bench, generation, writer, keras, strict_links=generation == 3)
        write_weights(bench, generation, writer, keras, strict_links=generation == 3)
        status |= bench.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
