#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds of the zip, npz, config, keras, object, h5_legacy, json_legacy and weights_index targets, and the dictionaries.

    python fuzz/seeds/make_corpus.py [path of the kassay command]

config/, keras/, h5_legacy/ and json_legacy/ hold the smallest golden cases of each family; weights_index/ holds indices, each followed
by a NUL byte and the bytes of its shards; object/ holds one record of each class of golden/objects/ and some bare names; zip/ holds archives that zipfile writes in every way it
can, and those of golden/make/reject_zip.py made small; the dictionaries come from `kassay layers --json`. Deterministic.
"""

import glob
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORPUS = os.path.join(ROOT, "corpus")
DATE = (1980, 1, 1, 0, 0, 0)


def fresh(name):
    folder = os.path.join(CORPUS, name)
    os.makedirs(folder, exist_ok=True)
    return folder


def archive(members, comment=b"", method=zipfile.ZIP_STORED, extra=b""):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        file.comment = comment
        for name, content in members:
            info = zipfile.ZipInfo(name, DATE)
            info.compress_type = method
            info.extra = extra
            file.writestr(info, content)
    return data.getvalue()


class Pipe(io.BytesIO):
    """Not seekable: zipfile then writes data descriptors."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise OSError("a pipe")

    def tell(self):
        raise OSError("a pipe")


def zip_seeds():
    members = [("metadata.json", b"{}"), ("config.json", b'{"a": 1}'), ("model.weights.h5", bytes(range(64)))]
    seeds = {
        "empty": archive([]),
        "stored": archive(members),
        "deflated": archive(members + [("long", b"abc" * 400)], method=zipfile.ZIP_DEFLATED),
        "comment": archive(members, comment=b"a comment"),
        "directory": archive([("assets/", b""), ("assets/a.txt", b"a")]),
        "utf8": archive([("\u00e9\u4e2d.txt", b"x")]),
        "duplicate": archive(members + [("config.json", b"{}")]),
        "prefixed": b"#!/bin/sh\n" + archive(members),
        "extra": archive(members, extra=struct.pack("<HH4s", 0xCAFE, 4, b"abcd")),
    }
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as file:
        file.writestr(zipfile.ZipInfo("config.json", DATE), b"{}")
    seeds["descriptor"] = pipe.getvalue()
    large = io.BytesIO()
    with zipfile.ZipFile(large, "w") as file:
        with file.open(zipfile.ZipInfo("config.json", DATE), "w", force_zip64=True) as member:
            member.write(b"{}")
    seeds["zip64"] = large.getvalue()
    seeds.update(golden_seeds())
    folder = fresh("zip")
    for name, data in seeds.items():
        with open(os.path.join(folder, name + ".zip"), "wb") as file:
            file.write(data)


def golden_seeds():
    """What the golden cases about archives do to a model, done to three tiny members."""
    sys.path.insert(0, os.path.join(ROOT, "golden", "make"))
    import reject_zip

    files = {"metadata.json": b"{}", "config.json": b'{"a": 1, "b": "\\u00e9"}', "model.weights.h5": bytes(range(64))}
    forms = {name: bytes(data) for name, data, _ in reject_zip.forms(files)}
    seeds = {"form-" + name: data for name, data in forms.items()}
    for name, change, _, _, twin in reject_zip.REJECT + reject_zip.EITHER:
        try:
            data = change(forms[twin or "stored"], files)
        except IndexError:  # these members are too short for this edit
            continue
        if len(data) < 4096:
            seeds["wrong-" + name] = data
    return seeds


def smallest(pattern, count):
    """The smallest file of each family first."""
    chosen, families = [], set()
    for path in sorted(glob.glob(os.path.join(ROOT, "golden", pattern)), key=lambda p: (os.path.getsize(p), p)):
        family = path.split(os.sep)[-3]
        if family not in families or len(chosen) < count // 2:
            families.add(family)
            chosen.append(path)
        if len(chosen) >= count:
            break
    return chosen


def copy_seeds(target, pattern, count, suffix):
    folder = fresh(target)
    for path in smallest(pattern, count):
        name = "-".join(path.split(os.sep)[-3:-1]) + suffix
        shutil.copyfile(path, os.path.join(folder, name))


def npz_seeds():
    folder = fresh("npz")
    for path in smallest("keras-v3/keras-3.15.1/*/*/io.npz", 12):
        shutil.copyfile(path, os.path.join(folder, "-".join(path.split(os.sep)[-3:-1]) + ".npz"))


def index_seeds():
    """Indices for the model of fuzz_weights_index.c, whose two shards are one file."""
    import h5py
    import numpy

    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        for layer, shape in (("dense", (2, 3)), ("dense_1", (3, 1))):
            group = file.create_group(f"layers/{layer}/vars")
            group["0"] = numpy.arange(numpy.prod(shape), dtype="float32").reshape(shape)
            group["1"] = numpy.zeros(shape[1:], "float32")
    shard = data.getvalue()
    first, second = "x_00000.weights.h5", "x_00001.weights.h5"

    def index(dense, dense_1, **more):
        weight_map = {"/layers/dense/vars": dense, "/layers/dense_1/vars": dense_1, **more}
        return json.dumps({"metadata": {"total_size": 52.0}, "weight_map": weight_map}, indent=4).encode()

    seeds = {
        "plain": index([first], [first]),
        "text": index(first, first),
        "two": index([first], [second]),
        "twice": index([first, first], [first]),
        "both": index([first, second], [second]),
        "empty-list": index([], [first]),
        "missing": index([first], ["y.weights.h5"]),
        "parent": index(["../x_00000.weights.h5"], [first]),
        "number": index([1], {"a": first}),
        "more": index([first], [first], **{"/vars": [second]}),
    }
    folder = fresh("weights_index")
    for name, data in seeds.items():
        with open(os.path.join(folder, name + ".json"), "wb") as file:
            file.write(data + b"\0" + shard)


# In the order of fuzz_object.c: as many blanks behind a document as the number of its kind.
KINDS = ["", "layer", "model", "initializer", "regularizer", "constraint", "policy", "optimizer", "loss", "metric", "schedule"]
NAMES = {"initializer": ["zeros", "he_normal"], "regularizer": ["l2"], "constraint": ["max_norm"], "optimizer": ["adam"],
         "loss": ["mse"], "metric": ["accuracy"]}


def object_seeds():
    with open(os.path.join(ROOT, "golden", "objects", "keras-3.15.1.json")) as file:
        entries = json.load(file)
    seeds = {}
    for entry in entries:
        record = entry.get("input")
        if record is None:
            continue  # an abstract class
        seeds.setdefault(f"{record.get('module')}.{record['class_name']}", json.dumps(record))
    for kind, names in NAMES.items():
        for name in names:
            seeds[f"name-{kind}-{name}"] = json.dumps(name) + " " * KINDS.index(kind)
    bare = {"class_name": "Dense", "config": {"name": "dense", "units": 3, "activation": "hard_sigmoid"}}
    seeds["record-without-module"] = json.dumps(bare) + " " * KINDS.index("layer")
    seeds["record-of-keras-2"] = json.dumps(bare)
    folder = fresh("object")
    for name, text in seeds.items():
        with open(os.path.join(folder, name + ".json"), "w") as file:
            file.write(text)


def dictionaries(command):
    document = json.loads(subprocess.run([command, "layers", "--json"], check=True, capture_output=True).stdout)
    words = {"class_name", "config", "module", "registered_name", "inbound_nodes", "keras_history", "__keras_tensor__"}
    words |= {"keras_version", "backend", "batch_input_shape", "_CONSTANT_VALUE", "output_dim", "border_mode", "dim_ordering"}
    words |= {"build_config", "input_shape", "args", "kwargs", "layers", "input_layers", "output_layers", "name", "dtype"}
    for row in document["layers"]:
        words |= {row["class"], row["module"], *row["keys"]}
        for key in row["keys"].values():
            words |= set(key.get("choices", []))
    folder = os.path.join(ROOT, "fuzz", "dictionaries")
    os.makedirs(folder, exist_ok=True)
    lines = [f'"\\"{word}\\""\n' for word in sorted(words)]
    for name in ("config", "keras", "object", "json_legacy", "h5_legacy"):
        with open(os.path.join(folder, name + ".dict"), "w") as file:
            file.write("# Written by fuzz/seeds/make_corpus.py from `kassay layers --json`.\n")
            file.writelines(lines)
            if name in ("keras", "h5_legacy"):
                file.write('"PK\\x01\\x02"\n"PK\\x03\\x04"\n"PK\\x05\\x06"\n"\\x89HDF\\x0d\\x0a\\x1a\\x0a"\n"SNOD"\n"TREE"\n"HEAP"\n')


def main():
    zip_seeds()
    npz_seeds()
    copy_seeds("config", "json-v3/*/*/*/model.json", 30, ".json")
    copy_seeds("keras", "keras-v3/keras-3.15.1/*/*/model.keras", 16, ".keras")
    for pattern, count in (("keras-*", 24), ("tf-*", 10), ("reject", 20)):
        copy_seeds("h5_legacy", f"h5-legacy/{pattern}/*/*/model.h5", count, ".h5")
    for pattern, count in (("keras-1*", 12), ("keras-2*", 12), ("tf*", 12), ("reject", 20)):
        copy_seeds("json_legacy", f"json-legacy/{pattern}/*/*/model.json", count, ".json")
    index_seeds()
    object_seeds()
    dictionaries(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "release", "bin", "kassay"))


if __name__ == "__main__":
    main()
