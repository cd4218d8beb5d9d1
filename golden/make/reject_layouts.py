#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cases one edit away from cases that are there: calls of nested models and of TensorFlow functions, constants in calls, layouts
of GRU, CuDNN and Theano.

    python golden/make/reject_layouts.py --part theano         with Keras 2.3.1
    python golden/make/reject_layouts.py --part calls|nodes|cudnn    then, in an environment with Keras 3.15.1 and tf_keras 2.21
"""
import argparse
import io
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import h5py  # noqa: E402
import numpy as np  # noqa: E402
from golden_files import save_npz  # noqa: E402
from reject_case import GOLDEN, MALFORMED, REFUSED, Bench, attribute, dataset, edited, find, put, several  # noqa: E402

TITLES = {"accept": "Read as Keras reads it: ", "reject": "Refused: "}


def content(twin, name):
    with open(os.path.join(GOLDEN, twin, name), "rb") as file:
        return file.read()


# --------------------------------------------------------------------------------------------------------------- calls


def calls():
    import tf_keras

    bench = Bench("reject_layouts.py", "tf_keras", tf_keras.__version__)
    old = "json-legacy/tf-2.15.1/"
    product = ("config", "layers", "tf.math.multiply")
    call = product + ("inbound_nodes", 0)
    factors = [1.5, -2.0, 0.25]

    def constant(*entries):
        return put(product + ("inbound_nodes",), 0, list(entries) + [{"y": ["dense", 0, 0], "name": None}])

    first = "json-legacy/dialect/constant-first"
    axes, norm = old + "normalization/batch-normalization-axes", ("config", "layers", "batch_normalization", "config")
    rows = [
        # name, twin, edit, expect, reason, what
        ("constant-first", old + "operations/constants", constant("_CONSTANT_VALUE", -1, factors), "accept", None, "a constant is the first argument of a call, a tensor the second"),
        ("constant-node", first, constant("_CONSTANT_VALUE", 0, factors), "reject", MALFORMED, "a constant is said to come from node 0"),
        ("constant-name", first, constant("_CONSTANT", -1, factors), "reject", MALFORMED, "a constant goes by a name that is none"),
        ("constant-shape", first, constant("_CONSTANT_VALUE", -1, factors[:2]), "reject", MALFORMED, "a constant of two entries is multiplied with three columns"),
        ("argument-dangling", old + "operations/tensor-arithmetic", put(("config", "layers", "tf.math.subtract", "inbound_nodes", 0, 3), "y", ["dense_z", 0, 0]), "reject", MALFORMED,
         "a tensor in kwargs is of a layer that is not there"),
        ("operation-unknown", old + "operations/arithmetic", put(product + ("config",), "function", "math.multiplyy"), "reject", REFUSED, "the function of a call is none of TensorFlow"),
        ("operation-argument-unknown", old + "operations/arithmetic", put(call + (3,), "colour", 1), "reject", REFUSED, "a function is called with an argument that it does not have"),
        ("operation-argument-missing", old + "operations/arithmetic", lambda config: find(config, *call)[3].pop("y") and None, "reject", REFUSED, "a product has no second factor"),
        ("slice-too-many", old + "operations/slices",
         lambda config: find(config, "config", "layers", "tf.__operators__.getitem", "inbound_nodes", 0)[3]["slice_spec"].extend([0, 0]), "reject", REFUSED,
         "a tensor is indexed along more axes than it has"),
        ("norm-axis-twice", axes, put(norm, "axis", [1, -3]), "reject", MALFORMED, "a normalization lists an axis twice"),
        ("norm-axis-outside", axes, put(norm, "axis", [1, 4]), "reject", MALFORMED, "a normalization lists an axis that the tensor does not have"),
        ("norm-clipping", axes, lambda config: find(config, *norm).update(renorm=True, renorm_clipping={"rmed": 2.0}), "reject", MALFORMED, "a renormalization has a limit that is none"),
        ("nested-node-0", old + "structure/nested-functional", put(("config", "layers", "dense_3", "inbound_nodes", 0, 0), 1, 0), "reject", MALFORMED,
         "dense_3 is called on node 0 of a nested model, which is its own making"),
    ]
    for name, twin, edit, expect, reason, what in rows:
        config = json.loads(content(twin, "model.json").decode())
        edit(config)
        case_id = "json-legacy/" + ("dialect/" if expect == "accept" else "reject/keras2/") + name
        bench.write(case_id, {"model.json": json.dumps(config).encode()}, "model.json", TITLES[expect] + what, expect, reason, None if expect == "accept" else twin, what + ".", ["config"])
    return bench.close()


def nodes():
    """Operations of TensorFlow 2.3 as layers."""
    import tf_keras

    bench = Bench("reject_layouts.py", "tf_keras", tf_keras.__version__)
    plain, functions = "json-legacy/tf-2.3.4/operations/node-constants", "json-legacy/tf-2.3.4/operations/node-functions"

    def layer(op):
        """The first layer of this operation, in the document."""
        return lambda config: next(r for r in config["config"]["layers"] if r["class_name"] == "TensorFlowOpLayer" and r["config"]["node_def"]["op"] == op)

    def edit(op, change):
        return lambda config: change(layer(op)(config))

    def at(*way):
        *way, key, value = way
        return lambda record: find(record, *way).__setitem__(key, value)

    rows = [
        # name, twin, edit, reason, what
        ("node-op-unknown", plain, edit("Mul", at("config", "node_def", "op", "Mull")), REFUSED, "an operation is none of TensorFlow"),
        ("node-op-missing", plain, edit("Mul", lambda r: r["config"]["node_def"].pop("op")), MALFORMED, "an operation has no name"),
        ("node-input-missing", plain, edit("Mul", lambda r: r["config"]["node_def"]["input"].pop()), MALFORMED, "a product has one input"),
        ("node-constant-missing", plain, edit("Mul", at("config", "constants", {})), MALFORMED, "a product has no second factor"),
        ("node-constant-number", plain, edit("Mul", at("config", "constants", {"7": [1.5, -2.0, 0.25]})), MALFORMED, "a constant is for an input that is not there"),
        ("node-constant-shape", plain, edit("Mul", at("config", "constants", {"1": [1.5, -2.0]})), MALFORMED, "a constant of two entries is multiplied with three columns"),
        ("node-type-unknown", plain, edit("Mul", at("config", "node_def", "attr", "T", {"type": "DT_FLOATY"})), REFUSED, "an attribute is a type that is none of TensorFlow"),
        ("node-list-of-four", functions, edit("ConcatV2", at("config", "node_def", "attr", "N", {"i": "4"})), REFUSED, "a list of three is said to be of four"),
        ("node-attribute-two", functions, edit("ConcatV2", at("config", "node_def", "attr", "N", {"i": "two"})), REFUSED, "a number is a word"),
        ("node-definition-a-list", plain, edit("Mul", at("config", "node_def", [])), MALFORMED, "the definition of an operation is a list"),
        ("node-dangling", plain, edit("Mul", lambda r: r["inbound_nodes"][0][0].__setitem__(0, "nobody")), MALFORMED, "an operation is called on a layer that is not there"),
        ("node-tensors-two", functions, edit("Reshape", lambda r: r["inbound_nodes"][0].append(list(r["inbound_nodes"][0][0]))), MALFORMED, "an operation of one tensor is called on two"),
    ]
    for name, twin, change, reason, what in rows:
        config = json.loads(content(twin, "model.json").decode())
        change(config)
        bench.write("json-legacy/reject/keras2/" + name, {"model.json": json.dumps(config).encode()}, "model.json", TITLES["reject"] + what, "reject", reason, twin, what + ".", ["config"])
    return bench.close()


# --------------------------------------------------------------------------------------------------------------- arrays


def arrays(data):
    """{last part of the name: path} of the only layer with weights."""
    found = {}
    with h5py.File(io.BytesIO(data), "r") as file:
        file.visititems(lambda path, item: found.__setitem__(path.split("/")[-1], path) if isinstance(item, h5py.Dataset) else None)
    return found


def write(bench, folder, rows):
    for name, twin, edits, expect, reason, what in rows:
        data = content(twin, "model.h5")
        paths = arrays(data)
        steps = [edit if callable(edit) else dataset(paths[edit[0]], edit[1]) for edit in edits]
        case_id = "h5-legacy/" + ("dialect/" if expect == "accept" else "reject/") + folder + "/" + name
        counts = dict(bench.counts)
        bench.write(case_id, {"model.h5": edited(data, several(*steps))}, "model.h5", TITLES[expect] + what, expect, reason, None if expect == "accept" else twin, what + ".", ["legacy"])
        if expect == "accept" and bench.counts != counts:
            same_model(bench, case_id, twin)
    return bench.close()


def same_model(bench, case_id, twin):
    """The model of the twin in another layout: Keras must get the twin's weights, numbers are the twin's, arrays the file's."""
    folder = os.path.join(GOLDEN, case_id)
    with np.load(os.path.join(folder, "weights.npz")) as keras_has, np.load(os.path.join(GOLDEN, twin, "weights.npz")) as wanted:
        order = [name for name in wanted.files if name != "names"]
        if any(not np.array_equal(keras_has[name], wanted[name]) for name in order):
            bench.problems.append(case_id + ": Keras has other weights than the twin's")
    data = content(case_id, "model.h5")
    with h5py.File(io.BytesIO(data), "r") as file:
        paths = arrays(data)
        parts = ["kernel:0", "recurrent_kernel:0", "bias:0"] if "recurrent_kernel:0" in paths else ["kernel:0", "bias:0"]
        save_npz(os.path.join(folder, "weights.npz"), {"weight.%d" % i: file[paths[part]][()] for i, part in enumerate(parts)})
    with open(os.path.join(folder, "io.npz"), "wb") as file:
        file.write(content(twin, "io.npz"))
    with open(os.path.join(folder, "case.json")) as file:
        case = json.load(file)
    case["predict"] = json.loads(content(twin, "case.json").decode())["predict"]
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(case, file, indent=2)
        file.write("\n")


def by_gate(count, change):
    return lambda old: np.hstack([change(gate) for gate in np.hsplit(old, count)])


def as_cudnn(gates):
    """Kernels in the layout of CuDNN."""
    return [("kernel:0", by_gate(gates, lambda gate: gate.T.reshape(gate.shape))), ("recurrent_kernel:0", by_gate(gates, lambda gate: gate.T))]


def cudnn():
    import tf_keras

    bench = Bench("reject_layouts.py", "tf_keras", tf_keras.__version__)
    after, before, lstm = ("h5-legacy/tf-2.15.1/recurrent/" + name for name in ("gru-reset-after", "gru-reset-before", "lstm"))
    flat = ("bias:0", lambda old: old.reshape(-1))
    rows = [
        ("cudnn-gru", after, as_cudnn(3) + [flat], "accept", None, "the weights of a GRU are those of a CuDNN layer, with a bias of 6 x units entries"),
        ("cudnn-lstm", lstm, as_cudnn(4) + [("bias:0", lambda old: np.concatenate([old / 2, old / 2]))], "accept", None, "the weights of an LSTM are those of a CuDNN layer, with a bias of 8 x units entries"),
        ("cudnn-gru-bias", after, [("bias:0", lambda old: old.reshape(-1)[:-1])], "reject", MALFORMED, "the bias of a GRU has 6 x units - 1 entries"),
        ("cudnn-gru-reset-before", before, [("bias:0", lambda old: np.concatenate([old, old]))], "reject", MALFORMED, "the bias is that of a CuDNN layer, the GRU resets before"),
        ("cudnn-lstm-bias", lstm, [("bias:0", lambda old: np.concatenate([old, old[:-1]]))], "reject", MALFORMED, "the bias of an LSTM has 8 x units - 1 entries"),
        ("gru-bias-one-row", after, [("bias:0", lambda old: old[0])], "reject", MALFORMED, "the bias of a GRU with reset_after has one row"),
        ("gru-bias-two-rows", before, [("bias:0", lambda old: np.stack([old, old]))], "reject", MALFORMED, "the bias of a GRU without reset_after has two rows"),
        ("gru-bias-three-rows", after, [("bias:0", lambda old: np.concatenate([old, old[:1]]))], "reject", MALFORMED, "the bias of a GRU with reset_after has three rows"),
        # Keras 2.3.1 puts arrays of any shape into its variables; tf_keras looks at the shape.
        ("theano-conv2d-kernel", "h5-legacy/dialect/keras2/theano-conv2d", [("kernel:0", lambda old: np.ascontiguousarray(old.transpose(3, 2, 0, 1)))], "reject", MALFORMED,
         "the kernel written with Theano is out, in, rows, columns"),
        ("theano-conv2d-narrow", "h5-legacy/dialect/keras2/theano-conv2d", [("kernel:0", lambda old: old[:-1])], "reject", MALFORMED, "a row of the kernel written with Theano is missing"),
    ]
    return write(bench, "keras2", rows)


def theano():
    import keras

    bench = Bench("reject_layouts.py", "keras1", keras.__version__, h5py_version=h5py.__version__, python_version="%d.%d" % sys.version_info[:2])
    twin = "h5-legacy/keras-2.3.1/convolution/"
    by_theano = several(attribute("/", "backend", b"theano"), attribute("model_weights", "backend", b"theano"))
    rows = [
        ("theano-conv2d", twin + "conv2d", [("kernel:0", lambda old: np.ascontiguousarray(old[::-1, ::-1])), by_theano], "accept", None, "a convolution in two dimensions was written with Theano"),
        ("theano-conv1d", twin + "conv1d", [("kernel:0", lambda old: np.ascontiguousarray(old[::-1])), by_theano], "accept", None, "a convolution in one dimension was written with Theano"),
    ]
    return write(bench, "keras2", rows)


PARTS = {"calls": calls, "nodes": nodes, "cudnn": cudnn, "theano": theano}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=PARTS, required=True)
    parser.add_argument("--only", help="glob of case ids")
    parser.add_argument("--new", action="store_true", help="only cases that are not there")
    return PARTS[parser.parse_args().part]()


if __name__ == "__main__":
    sys.exit(main())
