#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cases about damaged shards and their index, JSON of Keras 2, archives of Keras 2, archives with npz weights, and files whose
name says another format than their content.

    python golden/make/reject_formats.py [--part sharded|json|archive|npz|names]    with Keras 3.15.1 and tf_keras 2.21

Every edit is shown to the Keras of its generation.
"""
import argparse
import io
import json
import os
import sys
import tempfile
import zipfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras as keras3  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras as keras2  # noqa: E402
from reject_case import ANY, MALFORMED, REFUSED, Bench, dataset, drop, edited, put  # noqa: E402
from reject_h5 import UNSAFE, config_rows, huge, keras2_nodes, layer, randomized, renamed, sequence, two_inputs, weights_file, whole_file  # noqa: E402
from reject_h5 import image as picture  # noqa: E402

SCRIPT = "reject_formats.py"
BACKEND = "tensorflow " + tf.__version__


def read_folder(folder):
    out = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            out[name] = file.read()
    return out


# -------------------------------------------------------------------------------------------------------------- shards


def sharded():
    """A kernel of 120 bytes and a bias of 20 do not fit into 130: layers straddle shards."""
    bench = Bench(SCRIPT, "keras", keras3.__version__, backend=BACKEND)
    model = randomized(two_inputs(keras3))
    with tempfile.TemporaryDirectory() as folder:
        model.save_weights(os.path.join(folder, "model.weights.json"), max_shard_size=130 / (1 << 30))
        base = read_folder(folder)
    base["architecture.json"] = model.to_json().encode()
    twin = "weights-v3-sharded/keras-3.15.1/twin-two-inputs"
    bench.write(twin, base, "model.weights.json", "The files that damaged ones are one edit away from", "accept", tags=["twin"], architecture="architecture.json")
    index = json.loads(base["model.weights.json"])
    shards = sorted(name for name in base if name.endswith(".weights.h5"))
    key = next(k for k in index["weight_map"] if "dense/" in k)
    last = next(k for k in reversed(list(index["weight_map"])))
    print(index, shards, key)

    def with_index(change, files=None):
        value = json.loads(base["model.weights.json"])
        other = change(value)
        return dict(files or base, **{"model.weights.json": json.dumps(value if other is None else other, indent=4).encode()})

    def where(value):
        return lambda index: index["weight_map"].__setitem__(key, value)

    def shard(number, change):
        return dict(base, **{shards[number]: change(base[shards[number]])})

    def without(name):
        return {k: v for k, v in base.items() if k != name}

    def kernel(make):
        return lambda data: edited(data, dataset("layers/dense/vars/0", make))

    rows = [
        ("index-empty", dict(base, **{"model.weights.json": b""}), "reject", MALFORMED, "the index is emptied"),
        ("index-truncated", dict(base, **{"model.weights.json": base["model.weights.json"][:-2]}), "reject", MALFORMED, "the last brace of the index is removed"),
        ("index-a-list", with_index(lambda i: [i]), "reject", MALFORMED, "the index is a list"),
        ("weight-map-missing", with_index(lambda i: i.pop("weight_map") and None), "reject", MALFORMED, "the index has no weight_map"),
        ("weight-map-a-list", with_index(lambda i: i.__setitem__("weight_map", list(i["weight_map"].items()))), "reject", MALFORMED, "weight_map is a list"),
        ("weight-map-empty", with_index(lambda i: i.__setitem__("weight_map", {})), "reject", MALFORMED, "weight_map is empty"),
        ("metadata-missing", with_index(lambda i: i.pop("metadata") and None), "either", ANY, "the index has no metadata"),
        ("total-size-wrong", with_index(lambda i: i["metadata"].__setitem__("total_size", 1)), "either", ANY, "total_size is 1"),
        ("layer-unlisted", with_index(lambda i: i["weight_map"].pop(key) and None), "reject", MALFORMED, "weight_map does not name the first Dense layer"),
        ("further-entry", with_index(lambda i: i["weight_map"].__setitem__("/layers/nobody/vars", [shards[0]])), "either", ANY, "weight_map names a layer that the model does not have"),
        ("key-without-slash", with_index(lambda i: i["weight_map"].__setitem__(key[1:], i["weight_map"].pop(key))), "reject", MALFORMED, "a key of weight_map has no slash in front"),
        ("parent-directory", with_index(where(["../" + shards[0]])), "reject", UNSAFE, "weight_map names a file outside the folder"),
        ("absolute-path", with_index(where(["/tmp/" + shards[0]])), "reject", UNSAFE, "weight_map names a file by its absolute path"),
        ("deep-parent", with_index(where(["inner/../../" + shards[0]])), "reject", UNSAFE, "weight_map names a file outside the folder by way of one inside"),
        ("shard-missing", without(shards[1]), "reject", MALFORMED + ["io"], "the second shard is not there"),
        ("first-shard-missing", without(shards[0]), "reject", MALFORMED + ["io"], "the first shard is not there"),
        ("shard-unknown", with_index(where(["model_00077.weights.h5"])), "reject", MALFORMED + ["io"], "weight_map names a shard that is not there"),
        ("wrong-shard", with_index(where([shards[-1]])), "reject", MALFORMED, "weight_map names the last shard for the first Dense layer"),
        ("one-shard-of-two", with_index(where(index["weight_map"][key][:1])), "reject", MALFORMED, "weight_map names one of the two shards that a layer is in"),
        ("shard-twice", with_index(where(index["weight_map"][key] + index["weight_map"][key][:1])), "either", ANY, "weight_map names a shard twice for one layer"),
        ("shard-more", with_index(where(index["weight_map"][key] + [shards[-1]])), "either", ANY, "weight_map names one shard more for a layer than it is in"),
        ("shards-in-other-order", with_index(where(index["weight_map"][key][::-1])), "either", ANY, "weight_map names the shards of a layer in the other order"),
        ("no-shard", with_index(where([])), "reject", MALFORMED, "weight_map names no shard for a layer"),
        ("shard-a-number", with_index(where(0)), "reject", MALFORMED, "weight_map gives a number for a layer"),
        ("shard-null", with_index(where([None])), "either", ["accepted", "malformed"], "weight_map gives null for a shard"),
        ("shard-name-empty", with_index(where([""])), "reject", MALFORMED + ["io", "unsafe"], "weight_map gives an empty name for a shard"),
        ("shard-the-index", with_index(where(["model.weights.json"])), "reject", MALFORMED, "weight_map names the index as a shard"),
        ("shard-truncated", shard(1, lambda d: d[: len(d) // 2]), "reject", MALFORMED, "the second half of the second shard is removed"),
        ("shard-not-hdf5", shard(1, lambda d: b"hello" * 100), "reject", MALFORMED, "the second shard is text"),
        ("shard-empty", shard(0, lambda d: b""), "reject", MALFORMED, "the first shard is emptied"),
        ("shards-exchanged", dict(base, **{shards[0]: base[shards[1]], shards[1]: base[shards[0]]}), "reject", MALFORMED, "the first two shards are exchanged"),
        ("kernel-transposed", shard(0, kernel(lambda old: np.ascontiguousarray(old.T))), "reject", MALFORMED, "the first kernel is transposed"),
        ("kernel-huge", shard(0, kernel(lambda old: huge)), "reject", MALFORMED + ["over-limit"], "the first kernel has 2^40 rows, none of them written"),
    ]
    only_shard = [k for k, v in index["weight_map"].items() if len(v) == 1]
    if only_shard:
        rows.append(("value-a-string", with_index(lambda i: i["weight_map"].__setitem__(only_shard[0], i["weight_map"][only_shard[0]][0])), "accept", None,
                     "weight_map gives one name and no list, as Keras 3.10 wrote it"))
    del last
    for name, files, expect, reason, what in rows:
        folder = "dialect" if expect == "accept" else "reject"
        title = {"accept": "Read as Keras reads it: ", "either": "Either: ", "reject": "Refused: "}[expect]
        bench.write("weights-v3-sharded/%s/%s" % (folder, name), files, "model.weights.json", title + what, expect, reason, None if expect == "accept" else twin, what + ".",
                    ["sharded"], architecture="architecture.json")
    return bench.close()


# ------------------------------------------------------------------------------------------------------ JSON of Keras 2


def edited_json(text, edit):
    config = json.loads(text)
    other = edit(config)
    return json.dumps(config if other is None else other).encode()


# tf_keras looks for these for ever, as it does in HDF5 files, where it was asked.
ENDLESS = ("node-index", "node-index-a-string", "cycle", "self-loop", "inbound-nodes-empty")


def json_of_keras2():
    bench = Bench(SCRIPT, "tf_keras", keras2.__version__, backend=BACKEND)
    texts = {}
    for make in (two_inputs, sequence, picture):
        name = {"two_inputs": "two-inputs"}.get(make.__name__, make.__name__)
        texts[name] = make(keras2).to_json().encode()
        bench.write("json-legacy/tfkeras-2.21.0/twin-" + name, {"model.json": texts[name]}, "model.json", "The model that damaged documents are one edit away from", "accept", tags=["twin"])
    both = layer("both", "config")
    rows = [("two-inputs", *row) for row in config_rows(keras2, keras2_nodes()) if row[0] != "units-other-than-the-weights"]
    rows += [
        ("sequence", "embedding-negative", put(layer("embedding", "config"), "output_dim", -4), REFUSED, "embedding gives -4 columns"),
        ("sequence", "inner-layer-unknown", put(both + ("layer",), "class_name", "LSTN"), REFUSED, "the layer inside both is of an unknown class"),
        ("sequence", "merge-mode-unknown", put(both, "merge_mode", "join"), REFUSED, "the merge mode of both is not known"),
        ("sequence", "recurrent-activation-unknown", put(layer("gru", "config"), "recurrent_activation", "sigmoidal"), REFUSED, "the recurrent activation of gru is not known"),
        ("sequence", "units-missing", drop(layer("gru", "config"), "units"), MALFORMED, "gru has no units"),
        ("sequence", "layers-of-numbers", put(("config",), "layers", [1, 2]), MALFORMED, "the layers of the Sequential model are numbers"),
        ("image", "axis-outside", put(layer("norm", "config"), "axis", [7]), MALFORMED, "norm works along axis 7 of a tensor of rank 4"),
        ("image", "padding-unknown", put(layer("conv", "config"), "padding", "samee"), REFUSED, "the padding of conv is not known"),
        ("image", "kernel-of-three", put(layer("conv", "config"), "kernel_size", [3, 3, 3]), MALFORMED, "conv has a kernel of three axes"),
        ("image", "groups-do-not-divide", put(layer("conv", "config"), "groups", 3), MALFORMED, "conv has 4 filters in 3 groups"),
        ("image", "rank-wrong", put(layer("image", "config"), "batch_input_shape", [None, 8, 3]), MALFORMED, "the image has rank 3, conv needs 4"),
        ("image", "shape-a-string", put(layer("image", "config"), "batch_input_shape", "8x8"), MALFORMED, "the shape of the image is a string"),
    ]
    for base, name, edit, reason, what in rows:
        # Without weights nothing tells tf_keras that one of two layers of a name is lost.
        expect = "either" if name == "duplicate-layer-name" else "reject"
        bench.write("json-legacy/reject/keras2/%s" % (name if base == "two-inputs" else base + "-" + name), {"model.json": edited_json(texts[base], edit)}, "model.json",
                    ("Either: " if expect == "either" else "Refused: ") + what, expect, ["accepted", "malformed"] if expect == "either" else reason,
                    "json-legacy/tfkeras-2.21.0/twin-" + base, what + ".", ["config"], unsafe=name in ENDLESS)
    return bench.close()


# -------------------------------------------------------------------------------------------- .keras archives of Keras 2


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def packed(members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return data.getvalue()


def archive_file(model, clean=True):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        model.save(path)
        with open(path, "rb") as file:
            members = members_of(file.read())
    metadata = json.loads(members["metadata.json"])
    metadata["date_saved"] = "2026-01-01@00:00:00"
    members["metadata.json"] = json.dumps(metadata).encode()
    return members


def archives_of_keras2():
    bench = Bench(SCRIPT, "tf_keras", keras2.__version__, backend=BACKEND)
    members = archive_file(randomized(two_inputs(keras2)))
    twin = "keras-v3/tfkeras-2.21.0/twin-two-inputs"
    bench.write(twin, {"model.keras": packed(members)}, "model.keras", "The file that damaged ones are one edit away from", "accept", tags=["twin"])
    total = eval(compile("lambda x: x[0] + x[1]", "lambda.py", "eval"))
    pair = [keras2.Input((5,)), keras2.Input((5,))]
    other = archive_file(keras2.Model(pair, keras2.layers.Lambda(total, name="add")(pair)))
    record = next(r for r in json.loads(other["config.json"])["config"]["layers"] if r["class_name"] == "Lambda")

    def swap(config):
        from reject_h5 import swap_lambda

        swap_lambda(record)(config)

    def config(edit):
        return dict(members, **{"config.json": edited_json(members["config.json"], edit)})

    def weights(edit):
        return dict(members, **{"model.weights.h5": edited(members["model.weights.h5"], edit)})

    place = "layers/dense/vars/0" if "layers/dense/vars/0" in listing(members["model.weights.h5"]) else "_layer_checkpoint_dependencies/dense/vars/0"
    inbound = layer("dense_a", "inbound_nodes", 0, 0)
    rows = [
        ("unknown-class", config(put(layer("dense_a"), "class_name", "Densely")), REFUSED, "the class of dense_a is one that Keras does not have"),
        ("unknown-module", config(put(layer("dense_a"), "module", "keras.layerz")), REFUSED, "the module of dense_a does not exist"),
        ("unknown-key", config(put(layer("dense_a", "config"), "unitz", 5)), REFUSED, "dense_a has a config key that Dense does not know"),
        ("units-negative", config(put(layer("dense_a", "config"), "units", -5)), MALFORMED, "dense_a has -5 units"),
        ("dangling-inbound", config(put(inbound, 0, "input_z")), MALFORMED, "dense_a is called on a layer that is not there"),
        ("lambda", config(swap), UNSAFE, "add is replaced by a Lambda layer with Python code"),
        ("config-truncated", dict(members, **{"config.json": members["config.json"][:-1]}), MALFORMED, "the last brace of config.json is removed"),
        ("config-missing", {k: v for k, v in members.items() if k != "config.json"}, MALFORMED + ["unsupported"], "config.json is removed"),
        ("weights-missing", {k: v for k, v in members.items() if k != "model.weights.h5"}, MALFORMED, "model.weights.h5 is removed"),
        ("kernel-transposed", weights(dataset(place, lambda old: np.ascontiguousarray(old.T))), MALFORMED, "the kernel of the first Dense layer is transposed"),
        ("kernel-missing", weights(lambda file: file.__delitem__(place)), MALFORMED, "the kernel of the first Dense layer is removed"),
        ("layer-group-missing", weights(lambda file: file.__delitem__(place[: place.index("/vars")])), MALFORMED, "the group of the first Dense layer is removed"),
    ]
    for name, files, reason, what in rows:
        # tf_keras finds its classes by name whatever the module.
        expect = "either" if name == "unknown-module" else "reject"
        bench.write("keras-v3/reject/keras2/" + name, {"model.keras": packed(files)}, "model.keras", ("Either: " if expect == "either" else "Refused: ") + what, expect,
                    ANY if expect == "either" else reason, twin, what + ".", ["keras2"])
    return bench.close()


def listing(data):
    import h5py

    found = []
    with h5py.File(io.BytesIO(data), "r") as file:
        file.visit(found.append)
    return found


# -------------------------------------------------------------------------------------------------- weights in npz form


def npz_archives():
    bench = Bench(SCRIPT, "keras", keras3.__version__, backend=BACKEND)
    model = randomized(two_inputs(keras3))
    members = archive_file(model)
    twin = "keras-v3/keras-3.15.1/twin-two-inputs"
    bench.write(twin, {"model.keras": packed(members)}, "model.keras", "The file that damaged ones are one edit away from", "accept", tags=["twin"])
    tree = {"layers/dense": {"0": np.array(model.weights[0]), "1": np.array(model.weights[1])}}
    pickled, plain = io.BytesIO(), io.BytesIO()
    np.savez(pickled, **{key: np.array(value, dtype=object) for key, value in tree.items()})
    np.savez(plain, **{"layers/dense/0": tree["layers/dense"]["0"]})
    rest = {k: v for k, v in members.items() if k != "model.weights.h5"}
    rows = [
        ("npz-pickled", dict(rest, **{"model.weights.npz": pickled.getvalue()}), "reject", ["unsafe"], "the weights are pickled Python objects in model.weights.npz"),
        ("npz-pickled-deflated", dict(rest, **{"model.weights.npz": repacked(pickled.getvalue())}), "reject", ["unsafe"], "the weights are pickled Python objects in a deflated model.weights.npz"),
        ("npz-arrays", dict(rest, **{"model.weights.npz": plain.getvalue()}), "reject", ["malformed", "unsupported", "unsafe"], "the weights are arrays in model.weights.npz, where Keras keeps objects"),
        ("npz-truncated", dict(rest, **{"model.weights.npz": pickled.getvalue()[:200]}), "reject", ["malformed", "unsupported", "unsafe"], "the weights are in a model.weights.npz that is cut"),
        ("npz-empty", dict(rest, **{"model.weights.npz": b""}), "reject", ["malformed", "unsupported", "unsafe"], "the weights are in an empty model.weights.npz"),
    ]
    for name, files, expect, reason, what in rows:
        bench.write("keras-v3/reject/npz/" + name, {"model.keras": packed(files)}, "model.keras", "Refused: " + what, expect, reason, twin, what + ".", ["npz"])
    both = dict(members, **{"model.weights.npz": pickled.getvalue()})
    bench.write("keras-v3/archive/npz-beside-hdf5", {"model.keras": packed(both)}, "model.keras", "Read as Keras reads it: the weights are there twice, in model.weights.h5, which counts, and pickled", "accept",
                edit="A model.weights.npz with pickled objects is put beside model.weights.h5.", tags=["npz"])
    return bench.close()


def repacked(data):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()


# ------------------------------------------------------------------------------- names that say another thing than content


def names():
    """Judged by content, with the disagreement said; what each Keras answers is recorded."""
    status = 0
    for flavour, keras, writer in (("keras", keras3, "keras-3.15.1"), ("tf_keras", keras2, "tfkeras-2.21.0")):
        bench = Bench(SCRIPT, flavour, keras.__version__, backend=BACKEND)
        model = randomized(two_inputs(keras))
        legacy, archive = whole_file(model, False), packed(archive_file(model))
        weights_old = weights_file(model, 3 if flavour == "keras" else 2)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.weights.h5")
            model.save_weights(path)
            with open(path, "rb") as file:
                weights_new = file.read()
        text = model.to_json().encode()
        arch = {"architecture.json": text}
        rows = [
            ("h5-legacy", "hdf5-named-keras", {"model.keras": legacy}, "model.keras", "a legacy HDF5 file is called model.keras", None),
            ("h5-legacy", "hdf5-named-hdf5", {"model.hdf5": legacy}, "model.hdf5", "a legacy HDF5 file is called model.hdf5", None),
            ("h5-legacy", "hdf5-named-weights", {"model.weights.h5": legacy}, "model.weights.h5", "a legacy HDF5 file with its model is called model.weights.h5", None),
            ("h5-legacy", "hdf5-without-ending", {"model": legacy}, "model", "a legacy HDF5 file is called model", None),
            ("keras-v3", "archive-named-h5", {"model.h5": archive}, "model.h5", "an archive is called model.h5", None),
            ("keras-v3", "archive-named-zip", {"model.zip": archive}, "model.zip", "an archive is called model.zip", None),
            ("keras-v3", "archive-without-ending", {"model": archive}, "model", "an archive is called model", None),
            ("weights-v3", "weights-named-h5", {"model.h5": weights_new, **arch}, "model.h5", "weights in the new form are called model.h5", "architecture.json"),
            ("h5-weights-legacy", "legacy-weights-named-weights-h5", {"model.weights.h5": weights_old, **arch}, "model.weights.h5", "weights in the old form are called model.weights.h5",
             "architecture.json"),
            ("h5-weights-legacy", "whole-file-as-weights", {"model.h5": legacy, **arch}, "model.h5", "the weights are those of a whole file", "architecture.json"),
        ]
        for kind, name, files, artifact, what, architecture in rows:
            # Keras 2 wrote legacy files under .keras until 2.12, and reads them whatever they are called.
            sure = flavour == "tf_keras" and name in ("hdf5-named-keras", "hdf5-named-hdf5", "hdf5-without-ending")
            bench.write("%s/names/%s-%s" % (kind, "keras2" if flavour == "tf_keras" else "keras3", name), files, artifact, "Name and content: " + what,
                        "accept" if sure else "either", None if sure else ["accepted", "malformed", "unsupported"], None, what + ("." if sure else ""), ["names"],
                        architecture=architecture)
        twin = "keras-v3/%s/twin-two-inputs" % writer
        for name, data, what in (("text-named-keras", b"not a model\n" * 9, "model.keras is text"), ("json-named-keras", text, "model.keras is the JSON of the model")):
            bench.write("keras-v3/names/%s-%s" % ("keras2" if flavour == "tf_keras" else "keras3", name), {"model.keras": data}, "model.keras", "Refused: " + what, "reject", REFUSED, twin,
                        "Everything is replaced: " + what + ".", ["names"])
        status |= directories(bench, members_of(archive)) if flavour == "keras" else 0
        status |= bench.close()
    return status


def directories(bench, members):
    """The directory form with something missing."""
    twin = "keras-v3-dir/keras-3.15.1/twin-two-inputs"
    members = {"model/" + name: data for name, data in members.items()}
    bench.write(twin, members, "model", "The directory that damaged ones are one edit away from", "accept", tags=["twin"])
    for name, gone, what in (("no-config", "model/config.json", "config.json is removed"), ("no-weights", "model/model.weights.h5", "model.weights.h5 is removed")):
        bench.write("keras-v3-dir/reject/" + name, {k: v for k, v in members.items() if k != gone}, "model", "Refused: " + what, "reject", REFUSED, twin, what + ".", ["directory"])
    broken = dict(members, **{"model/config.json": members["model/config.json"][:-1]})
    bench.write("keras-v3-dir/reject/config-truncated", broken, "model", "Refused: the last brace of config.json is removed", "reject", MALFORMED, twin,
                "The last brace of config.json is removed.", ["directory"])
    return 0


PARTS = {"sharded": sharded, "json": json_of_keras2, "archive": archives_of_keras2, "npz": npz_archives, "names": names}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--only", help="glob of case ids")
    parser.add_argument("--new", action="store_true", help="only cases that are not there")
    part = parser.parse_args().part
    return max(make() for name, make in PARTS.items() if part in (None, name))


if __name__ == "__main__":
    sys.exit(main())
