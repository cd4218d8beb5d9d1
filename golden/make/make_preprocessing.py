"""Makes golden cases of preprocessing layers in `.keras` and legacy `.h5` files: what each Keras saves of them and reads back.

    python golden/make/make_preprocessing.py --writer keras-3.15.1|tfkeras-2.21.0|tf-2.15.1|tf-2.9.3|… [--out golden] [--all]

A file whose own writer reads it back with equal outputs is accepted, and so is one that only a newer writer of the generation
reads so (MENDED); one that it cannot read, or reads otherwise, is kept as the writer's bug; what it does not save at all is printed. `--all` makes what is no case of the suite, too: for golden/FINDINGS.md.
"""

import argparse
import fnmatch
import json
import os
import re
import shutil
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import string_models  # noqa: E402
from golden_files import save_npz  # noqa: E402

WORDS = np.array([["red"], ["green"], ["blue"], ["mauve"], ["red"]])
NUMBERS = np.array([[12], [7], [99], [12], [3]], "int64")
TEXTS = np.array([["The red house"], ["a green, green hill!"], ["blue"], ["nothing known here"], ["house on the hill"]])
BOUNDARIES = [-1.0, 0.0, 0.7, 2.0]
ROWS = np.array([[-1.5, 0.7, 0.05, 7.0], [0.0, -1.0, 2.0, 0.25], [np.nan, np.inf, -np.inf, 0.7], [3, 3, 3, -9], [0, -0.0, 1, 1]], "float32")
REALS = np.array([[-1.5], [0.0], [0.25], [3.0], [99.0]], "float32")
IMAGES = np.random.default_rng(7).uniform(0, 1, (5, 6, 7, 3)).astype("float32")


def adapted(layer, data):
    layer.adapt(data)
    return layer


def models(L):
    """name: (layer, input shape, dtype, data)"""
    text = "string"
    return {
        "string-lookup": (lambda: L.StringLookup(vocabulary=["red", "green", "blue"]), (1,), text, WORDS),
        "string-lookup-adapted": (lambda: adapted(L.StringLookup(), WORDS), (1,), text, WORDS),
        "string-lookup-multi-hot": (lambda: L.StringLookup(vocabulary=["red", "green", "blue"], num_oov_indices=2, output_mode="multi_hot"), (1,), text, WORDS),
        "integer-lookup": (lambda: L.IntegerLookup(vocabulary=[12, 7, 3], num_oov_indices=1), (1,), "int64", NUMBERS),
        "integer-lookup-adapted": (lambda: adapted(L.IntegerLookup(), NUMBERS), (1,), "int64", NUMBERS),
        "text-vectorization": (lambda: L.TextVectorization(vocabulary=["the", "red", "house", "green", "hill"], output_sequence_length=6), (1,), text, TEXTS),
        "text-vectorization-adapted": (lambda: adapted(L.TextVectorization(output_mode="multi_hot"), TEXTS), (1,), text, TEXTS),
        "text-vectorization-tf-idf": (lambda: adapted(L.TextVectorization(output_mode="tf_idf"), TEXTS), (1,), text, TEXTS),
        "discretization": (lambda: L.Discretization(bin_boundaries=[-1.0, 0.0, 2.0]), (1,), "float32", REALS),
        "discretization-adapted": (lambda: adapted(L.Discretization(num_bins=3), REALS), (1,), "float32", REALS),
        "discretization-one-hot": (lambda: L.Discretization(bin_boundaries=BOUNDARIES, output_mode="one_hot"), (1,), "float32", REALS),
        "discretization-multi-hot": (lambda: L.Discretization(bin_boundaries=BOUNDARIES, output_mode="multi_hot"), (4,), "float32", ROWS),
        "discretization-count": (lambda: L.Discretization(bin_boundaries=BOUNDARIES, output_mode="count"), (4,), "float32", ROWS),
        "discretization-cube": (lambda: L.Discretization(bin_boundaries=BOUNDARIES, output_mode="count"), (4, 2), "float32", np.stack([ROWS, ROWS[::-1]], 2)),
        "discretization-whole": (lambda: L.Discretization(bin_boundaries=[3.0, 7.5, 12.0]), (1,), "int64", NUMBERS),
        "category-encoding": (lambda: L.CategoryEncoding(num_tokens=101, output_mode="multi_hot"), (1,), "int64", NUMBERS),
        "hashing": (lambda: L.Hashing(num_bins=5), (1,), text, WORDS),
        "normalization": (lambda: adapted(L.Normalization(), REALS), (1,), "float32", REALS),
        "rescaling": (lambda: L.Rescaling(0.5, offset=-1.0), (1,), "float32", REALS),
        "center-crop": (lambda: L.CenterCrop(4, 3), (6, 7, 3), "float32", IMAGES),
        "resizing-nearest": (lambda: L.Resizing(3, 5, interpolation="nearest"), (6, 7, 3), "float32", IMAGES),
        "random-flip": (lambda: L.RandomFlip("horizontal", seed=3), (6, 7, 3), "float32", IMAGES),
        "random-rotation": (lambda: L.RandomRotation(0.1, seed=3), (6, 7, 3), "float32", IMAGES),
    }


def rows(L, writer):
    """name: (function of the layers' module and the inputs, data of each input)"""
    strings = string_models.of_tf_2_4() if writer.startswith("tf-2.4") else string_models.models()
    if not writer.startswith(("keras-3.15", "tfkeras")):
        return strings
    single = {name: (lambda L, i, make=make: make()(i), data) for name, (make, _, _, data) in models(L).items()}
    return dict(single, **strings)


# What becomes a case of the suite: every key once, in the newest Keras of each generation, and a few by older ones.
SINGLE = "discretization* string-lookup{,-adapted,-multi-hot} integer-lookup{,-adapted} text-vectorization{,-adapted,-tf-idf}"
CHOICE = {
    ("keras-3.15.1", "keras-v3"): SINGLE + " string-lookup-{masked,hashed,salted,special-tokens,invert-masked,one-hot-columns,multi-hot-cube,count-padded}"
    " string-lookup-{tf-idf-special,tf-idf-adapted,adapted-odd,adapted-lines,adapted-newline}"
    " integer-lookup-{masked,modulo,farmhash,invert,multi-hot-cube,tf-idf-adapted,adapted-negative}"
    " text-vectorization-{raw,lower,characters,bigrams,ngrams-unsplit,tf-idf-adapted,long,scalar}"
    " hashing-{salt-pair,masked,whole,one-hot-columns} hashed-crossing{,-one-hot} embedded-words classified-adapted joined-columns there-and-back",
    ("keras-3.15.1", "h5-legacy"): SINGLE + " string-lookup-{masked-empty,empty-token,invert,one-hot,tf-idf} integer-lookup-{salted,special-tokens,count-padded}"
    " text-vectorization-{strip,unsplit,ngrams,tf-idf-given} hashing-salt hashed-crossing-whole classified-texts",
    ("keras-3.12.4", "keras-v3"): "text-vectorization-scalar-count",
    ("keras-3.9.2", "keras-v3"): "text-vectorization-tf-idf-adapted hashed-crossing-scalar",
    ("keras-3.3.3", "keras-v3"): "string-lookup-adapted-odd",
    ("keras-3.3.3", "h5-legacy"): "integer-lookup-no-oov",
    ("keras-3.0.5", "keras-v3"): "integer-lookup-adapted-negative text-vectorization-{short,ngrams}",
    ("keras-3.0.5", "h5-legacy"): "hashing-whole",
    ("tfkeras-2.21.0", "keras-v3"): SINGLE + " category-encoding hashing normalization rescaling center-crop resizing-nearest random-*"
    " string-lookup-{tf-idf,adapted-hashed,adapted-lines} integer-lookup-tf-idf text-vectorization-{characters,ngrams} hashing-one-hot joined-columns",
    ("tfkeras-2.21.0", "h5-legacy"): SINGLE + " category-encoding hashing normalization rescaling center-crop resizing-nearest random-*"
    " string-lookup-{masked-empty,count-padded} integer-lookup-{modulo,invert} text-vectorization-{bigrams,padded} hashing-{masked,multi-hot} hashed-crossing-three classified-texts",
    ("tf-2.15.1", "keras-v3"): "string-lookup-adapted-odd",
    ("tf-2.15.1", "h5-legacy"): "integer-lookup-count-padded text-vectorization-ngrams",
    ("tf-2.9.3", "h5-legacy"): "string-lookup-invert integer-lookup-masked text-vectorization-count hashing-count",
    ("tf-2.6.5", "h5-legacy"): "string-lookup-hashed text-vectorization-short hashing-whole-32 embedded-words",
    ("tf-2.4.4", "h5-legacy"): "hashing-{salt,columns}",
}
# Files that their own writer does not read, and the newest of the generation does.
MENDED = {"keras-3.0.5/text-vectorization-ngrams": "Keras 3.15.1's reading", "keras-3.9.2/text-vectorization-tf-idf-adapted": "Keras 3.15.1's reading"}


def is_chosen(writer, kind, name):
    for pattern in CHOICE.get((writer, kind), "").split():
        found = re.fullmatch(r"(.*)\{(.*)\}", pattern)
        if any(fnmatch.fnmatch(name, one) for one in ([found[1] + part for part in found[2].split(",")] if found else [pattern])):
            return True
    return False


class Layers:
    """The layers of a Keras, wherever it keeps them."""

    def __init__(self, keras):
        self.places = [keras.layers]
        experimental = getattr(keras.layers, "experimental", None)
        if hasattr(experimental, "preprocessing"):
            self.places.append(experimental.preprocessing)

    def __getattr__(self, name):
        return next(getattr(place, name) for place in self.places if hasattr(place, name))


def as_bytes(array):
    """Strings as UTF-8."""
    if array.dtype.kind == "O":
        return np.array([s if isinstance(s, bytes) else s.encode() for s in array.ravel()], "S").reshape(array.shape)
    return np.char.encode(array, "utf-8") if array.dtype.kind == "U" else array


def outputs(model, data):
    if any(d.dtype.kind == "U" for d in data):
        given = [tf.constant(d) for d in data]
        return as_bytes(np.array(model(given if len(given) > 1 else given[0])))
    return as_bytes(np.array(model.predict(data if len(data) > 1 else data[0], batch_size=len(data[0]), verbose=0)))


def line(error):
    """The error's name and what it says, without where it was."""
    text = re.sub(r"\x1b\[[0-9;]*m|\{\{.*?\}\} | \[Op:.*?\]", "", str(error).split("Exception encountered: ")[-1])
    said = [one.strip() for one in text.splitlines() if one.strip()]
    said = [one for one in said if not re.match(r"Exception encountered when|Graph execution error|Detected at node|A total of .* could not be loaded|in user code|File ", one)] or said
    return f"{type(error).__name__}: {(said or [''])[0][:140]}"


def write(keras, writer, out, name, kind, row):
    make, data = row[0], row[1:]
    case_id = f"{kind}/{writer}/preprocessing-layers/{name}"
    folder = os.path.join(out, case_id)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    artifact = {"keras-v3": "model.keras", "h5-legacy": "model.h5"}[kind]
    path, bug = os.path.join(folder, artifact), None
    try:
        keras.backend.clear_session()
        tf.random.set_seed(7)
        given = [keras.Input(d.shape[1:], dtype="string" if d.dtype.kind == "U" else d.dtype.name, name="given" + "_%d" % i * (i > 0)) for i, d in enumerate(data)]
        model = keras.Model(given if len(given) > 1 else given[0], make(Layers(keras), *given), name="preprocessing")
        expected = outputs(model, data)
        weights = model.get_weights()
        model.save(path)
    except Exception as error:  # noqa: BLE001
        shutil.rmtree(folder, ignore_errors=True)
        print(f"{case_id}: NOT SAVED {line(error)}", flush=True)
        return
    try:
        keras.backend.clear_session()
        again = keras.models.load_model(path, compile=False)
        got = outputs(again, data)
        if got.shape != expected.shape or got.dtype != expected.dtype or not np.array_equal(got, expected):
            bug = "the writer's own reload gives other outputs"
    except Exception as error:  # noqa: BLE001
        bug = f"the writer does not load its own file ({line(error)})"
    print(f"{case_id}: {bug or 'loads'} {expected.dtype} {[w.shape for w in weights]}", flush=True)
    exact = expected.dtype.kind == "f"
    second = "the writer's own reload"
    if bug and f"{writer}/{name}" in MENDED:
        bug, second = None, MENDED[f"{writer}/{name}"]
    record = {
        "schema": "kassay-case/1", "title": f"preprocessing layers: {name.replace('-', ' ')}", "format": kind, "since": "0.1", "revision": 1, "artifact": artifact,
        "load": {"architecture": None, "initial": None, "options": {}},
        "writer": {"keras": keras.__version__ if hasattr(keras, "__version__") else tf.__version__, "backend": "tensorflow " + tf.__version__, "h5py": h5py.__version__, "python": "%d.%d" % sys.version_info[:2],
                   "script": "golden/make/make_preprocessing.py", "seed": 7},
        "level": "MUST", "expect": "accept", "reason": None, "clauses": [], "tags": ["preprocessing"], "cves": [], "predict": None, "train": None,
        "custom_objects": [], "twin": None, "edit": None, "kills": [], "budget": None,
    }
    if bug:
        record.update(expect="either", level="MAY", reason=["accepted", "malformed", "unsupported"], tags=["preprocessing", "writer-bug"])
        record["title"] += ". Writer bug: " + bug
    else:
        scale = 0.0 if expected.dtype.kind == "S" else float(np.max(np.abs(expected.astype("float64"))))
        atol = 2e-6 * scale if exact else 0.0
        record["predict"] = {"bound": "stated", "atol": [atol], "rtol": 0, "reason": "2e-6 x scale: the same numbers in every precision", "spread": [0.0], "scale": [scale],
                             "second": second, "float64_atol": [atol], "kinks": None}
        arrays = {"input.%d" % i: as_bytes(d) for i, d in enumerate(data)}
        save_npz(os.path.join(folder, "io.npz"), dict(arrays, **{"output.0": expected, "float64.0": expected.astype("float64") if exact else expected}))
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(record, file, indent=1)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", required=True)
    parser.add_argument("--out", default="golden")
    parser.add_argument("--only", default="", help="names that begin so")
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    if arguments.writer.startswith("keras-3"):
        import keras
    elif arguments.writer.startswith("tfkeras"):
        import tf_keras as keras
    else:
        keras = tf.keras
    kinds = ("keras-v3", "h5-legacy") if arguments.writer.startswith(("keras-3", "tfkeras", "tf-2.15")) else ("h5-legacy",)
    for name, row in rows(Layers(keras), arguments.writer).items():
        for kind in kinds:
            if name.startswith(arguments.only) and (arguments.all or is_chosen(arguments.writer, kind, name)):
                write(keras, arguments.writer, arguments.out, name, kind, row)


if __name__ == "__main__":
    main()
