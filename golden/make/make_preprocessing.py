"""Makes golden cases of preprocessing layers in `.keras` and legacy `.h5` files: what each Keras saves of them and reads back.

    python golden/make/make_preprocessing.py --writer keras-3.15.1|tfkeras-2.21.0|tf-2.15.1|tf-2.9.3 [--out golden]

A file whose own writer reads it back with equal outputs is accepted; one that it cannot read, or reads otherwise, is kept as
the writer's bug; what it does not save at all is printed.
"""

import argparse
import json
import os
import shutil
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
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


def outputs(model, data):
    given = tf.constant(data) if data.dtype.kind == "U" else data
    out = np.array(model.predict(given, batch_size=len(data), verbose=0) if data.dtype.kind != "U" else model(given))
    return out


def line(error):
    text = str(error).split("Exception encountered: ")[-1].strip()
    return f"{type(error).__name__}: {(text.splitlines() or [''])[0][:140]}"


def write(keras, writer, out, name, kind, row):
    make, shape, dtype, data = row
    case_id = f"{kind}/{writer}/preprocessing-layers/{name}"
    folder = os.path.join(out, case_id)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    artifact = {"keras-v3": "model.keras", "h5-legacy": "model.h5"}[kind]
    path, bug = os.path.join(folder, artifact), None
    try:
        keras.backend.clear_session()
        i = keras.Input(shape, dtype=dtype, name="given")
        model = keras.Model(i, make()(i), name="preprocessing")
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
    record = {
        "schema": "kassay-case/1", "title": f"preprocessing layers: {name.replace('-', ' ')}", "format": kind, "since": "0.1", "revision": 1, "artifact": artifact,
        "load": {"architecture": None, "initial": None, "options": {}},
        "writer": {"keras": keras.__version__, "backend": "tensorflow " + tf.__version__, "h5py": h5py.__version__, "python": "%d.%d" % sys.version_info[:2],
                   "script": "golden/make/make_preprocessing.py", "seed": 7},
        "level": "MUST", "expect": "accept", "reason": None, "clauses": [], "tags": ["preprocessing"], "cves": [], "predict": None, "train": None,
        "custom_objects": [], "twin": None, "edit": None, "kills": [], "budget": None,
    }
    if bug:
        record.update(expect="either", level="MAY", reason=["accepted", "malformed", "unsupported"], tags=["preprocessing", "writer-bug"])
        record["title"] += ". Writer bug: " + bug
    else:
        scale = float(np.max(np.abs(expected.astype("float64"))))
        atol = 2e-6 * scale if exact else 0.0
        record["predict"] = {"bound": "stated", "atol": [atol], "rtol": 0, "reason": "2e-6 x scale: the same numbers in every precision", "spread": [0.0], "scale": [scale],
                             "second": "the writer's own reload", "float64_atol": [atol], "kinks": None}
        save_npz(os.path.join(folder, "io.npz"), {
            "input.0": np.char.encode(data, "utf-8") if data.dtype.kind == "U" else data, "output.0": expected,
            "float64.0": expected.astype("float64") if exact else expected,
        })
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(record, file, indent=1)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", required=True)
    parser.add_argument("--out", default="golden")
    parser.add_argument("--only", default="", help="names that begin so")
    arguments = parser.parse_args()
    if arguments.writer.startswith("keras-3"):
        import keras
    elif arguments.writer.startswith("tfkeras"):
        import tf_keras as keras
    else:
        keras = tf.keras
    for name, row in models(keras.layers).items():
        if not name.startswith(arguments.only):
            continue
        for kind in ("h5-legacy",) if arguments.writer.startswith("tf-2.9") else ("keras-v3", "h5-legacy"):
            write(keras, arguments.writer, arguments.out, name, kind, row)


if __name__ == "__main__":
    main()
