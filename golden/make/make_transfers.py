"""Makes golden cases of weights that are loaded into a model which is there already: transfer learning, by position and by
name, with layers that do not fit, onto other trainable flags.

    python golden/make/make_transfers.py --flavour keras|tf_keras [--out golden] [--only GLOB]

in an environment with Keras 3.15.1 and tf_keras 2.21. A case holds the artifact, the model it is loaded into
(load.options.into), that model's weights before (initial.npz) and after (weights.npz), and what it then predicts (io.npz).
"""

import argparse
import fnmatch
import hashlib
import json
import os
import shutil
import sys
import warnings

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from golden_files import REASON, bound_of, save_npz  # noqa: E402

keras = L = None


# --- models: of a source and of what it is loaded into ----------------------------------------------------------------


def stem(x, frozen=()):
    for name, layer in (("base_1", L.Dense(6, activation="tanh", name="base_1")), ("norm", L.BatchNormalization(epsilon=0.01, name="norm")),
                        ("base_2", L.Dense(7, activation="tanh", name="base_2"))):
        x = layer(x)
        layer.trainable = name not in frozen
    return x


def classifier(classes=3, head="head", frozen=()):
    def build():
        i = keras.Input((4,), name="features")
        return keras.Model(i, L.Dense(classes, name=head)(stem(i, frozen)), name="classifier")

    return build


def as_sequential(frozen=(), head=3):
    def build():
        layers = [L.Dense(6, activation="tanh", name="base_1"), L.BatchNormalization(epsilon=0.01, name="norm"), L.Dense(7, activation="tanh", name="base_2")]
        for layer in layers:
            layer.trainable = layer.name not in frozen
        return keras.Sequential([keras.Input((4,), name="features"), *layers, L.Dense(head, name="head")], name="classifier")

    return build


def without_bias():
    i = keras.Input((4,), name="features")
    x = L.Dense(6, activation="tanh", use_bias=False, name="base_1")(i)
    x = L.Dense(7, activation="tanh", name="base_2")(L.BatchNormalization(epsilon=0.01, name="norm")(x))
    return keras.Model(i, L.Dense(3, name="head")(x), name="classifier")


def deeper():
    i = keras.Input((4,), name="features")
    x = L.Dense(5, activation="tanh", name="extra")(stem(i))
    return keras.Model(i, L.Dense(3, name="head")(x), name="deeper")


def reordered():
    """The same layers, created and listed in another order: two branches."""
    i = keras.Input((4,), name="features")
    right = L.Dense(3, name="right")(i)
    left = L.Dense(3, name="left")(i)
    return keras.Model(i, L.Concatenate(name="join")([left, right]), name="branches")


def branches():
    i = keras.Input((4,), name="features")
    left = L.Dense(3, name="left")(i)
    right = L.Dense(3, name="right")(i)
    return keras.Model(i, L.Concatenate(name="join")([left, right]), name="branches")


def nested(frozen=None, head=3):
    def build():
        j = keras.Input((4,), name="inner_features")
        x = L.BatchNormalization(name="n1")(L.Dense(6, activation="tanh", name="d1")(j))
        base = keras.Model(j, L.BatchNormalization(name="n2")(L.Dense(7, name="d2")(x)), name="base")
        if frozen == "base":
            base.trainable = False
        elif frozen:
            base.get_layer(frozen).trainable = False
        i = keras.Input((4,), name="features")
        return keras.Model(i, L.Dense(head, name="head")(base(i)), name="transfer")

    return build


def recurrent(units=5, head=2):
    def build():
        i = keras.Input((6, 4), name="series")
        x = L.Bidirectional(L.LSTM(units, return_sequences=True, name="lstm"), name="both")(i)
        return keras.Model(i, L.Dense(head, name="head")(L.GRU(3, name="gru")(x)), name="recurrent")

    return build


def convolution(head=2, kernel=3):
    def build():
        i = keras.Input((8, 8, 3), name="image")
        x = L.BatchNormalization(name="norm")(L.Conv2D(4, kernel, strides=2, padding="same", activation="tanh", name="conv")(i))
        return keras.Model(i, L.Dense(head, name="head")(L.GlobalAveragePooling2D(name="pool")(x)), name="convolution")

    return build


# name, source, format, target, file of the target, options, flavours, what happens
BY_NAME, SKIP, BOTH = {"by_name": True}, {"skip_mismatch": True}, {"by_name": True, "skip_mismatch": True}
ALL, NEW, OLD = ("keras", "tf_keras"), ("keras",), ("tf_keras",)
H5, W5, W3, K3 = "h5-legacy", "h5-weights-legacy", "weights-v3", "keras-v3"
ROWS = [
    ("topological", classifier(), W5, classifier(), "json", {}, ALL, "every layer, by position"),
    ("topological-whole-file", classifier(), H5, classifier(), "json", {}, ALL, "the weights of a whole file, by position"),
    ("topological-other-names", classifier(head="old"), W5, classifier(head="new"), "json", {}, ALL, "by position: the head has another name"),
    ("topological-into-h5", classifier(), W5, classifier(), "h5", {}, ALL, "into a model of a whole file"),
    ("topological-sequential", classifier(), W5, as_sequential(), "json", {}, ALL, "a Functional model's weights into a Sequential one"),
    ("topological-from-sequential", as_sequential(), H5, classifier(), "json", {}, ALL, "a Sequential model's weights into a Functional one"),
    ("by-name-new-head", classifier(5), W5, classifier(3, "new_head"), "json", BY_NAME, ALL, "by name: the head has another name and stays as it was"),
    ("by-name-new-head-whole-file", classifier(5), H5, classifier(3, "new_head"), "json", BY_NAME, ALL, "by name from a whole file: the head stays as it was"),
    ("by-name-other-order", branches, W5, reordered, "json", BY_NAME, ALL, "by name: the layers are listed in another order"),
    ("by-position-other-order", branches, W5, reordered, "json", {}, ALL, "by position: the layers are listed in another order, so each gets the other's weights"),
    ("by-name-deeper", classifier(), W5, deeper, "json", {**BOTH}, ALL, "by name: a layer is new and stays, the head does not fit and is skipped"),
    ("by-name-none-fits", branches, W5, classifier(), "json", BY_NAME, ALL, "by name: no name is known, every layer stays as it was"),
    ("by-name-skip-head", classifier(5), W5, classifier(3), "json", BOTH, ALL, "by name: the head's shape differs and is skipped"),
    ("by-name-skip-head-into-h5", classifier(5), H5, classifier(3), "h5", BOTH, ALL, "by name into a model of a whole file: the head's shape differs and is skipped"),
    ("topological-skip-head", classifier(5), W5, classifier(3), "json", SKIP, NEW, "by position: the head's shape differs and is skipped"),
    ("by-name-skip-wider", classifier(), W5, convolution(), "json", BOTH, ALL, "by name: norm has another width and is skipped, as is the head"),
    ("by-name-recurrent-head", recurrent(), W5, recurrent(head=3), "json", BOTH, ALL, "by name: the recurrent layers are loaded, the head is skipped"),
    ("by-name-recurrent-units", recurrent(), H5, recurrent(units=6), "json", BOTH, ALL, "by name: the recurrent layer of other width is skipped, as is the kernel behind it"),
    ("by-name-convolution", convolution(), H5, convolution(head=5), "json", BOTH, ALL, "by name: the convolution is loaded, the head is skipped"),
    ("flags-topological", classifier(), W5, classifier(frozen=("norm", "base_1")), "json", {}, ALL, "into a model with frozen layers"),
    ("flags-from-frozen", classifier(frozen=("norm",)), W5, classifier(), "json", {}, ALL, "the weights of a model with frozen layers"),
    ("nested-new-head", nested(head=5), W5, nested(), "json", BOTH, ALL, "by name: the nested base is loaded, the head is skipped"),
    ("nested-same-flags", nested("base"), W5, nested("base"), "json", {}, ALL, "a frozen nested base into a frozen nested base"),
    ("v3", classifier(), W3, classifier(), "json", {}, ALL, "every layer, by its place"),
    ("v3-into-archive", classifier(), W3, classifier(), "keras", {}, ALL, "into a model of a .keras file"),
    ("v3-flags", classifier(), W3, classifier(frozen=("norm", "base_1")), "json", {}, ALL, "into a model with frozen layers: order and place stay"),
    ("v3-flags-from-frozen", classifier(frozen=("norm", "base_2")), W3, classifier(), "json", {}, ALL, "the weights of a model with frozen layers"),
    ("v3-flags-nested", nested(), W3, nested("base"), "keras", {}, ALL, "into a model whose nested base is frozen"),
    ("v3-flags-from-nested", nested("base"), W3, nested("n2"), "json", {}, ALL, "from a frozen nested base into one with one frozen layer"),
    ("v3-other-names", classifier(head="old"), W3, classifier(head="new"), "json", {}, ALL, "names of layers make no difference"),
    ("v3-sequential", classifier(), W3, as_sequential(), "json", {}, ALL, "a Functional model's weights into a Sequential one"),
    ("v3-skip-head", classifier(5), W3, classifier(3), "json", SKIP, ALL, "the head's shape differs and is skipped"),
    ("v3-skip-recurrent", recurrent(), W3, recurrent(units=6), "json", SKIP, ALL, "what has another width is skipped"),
    ("v3-skip-missing", classifier(), W3, deeper, "json", SKIP, ALL, "a layer is new: it takes the place of the old head"),
    ("archive-as-weights", classifier(), K3, classifier(frozen=("norm",)), "json", {}, ALL, "the weights of a .keras file"),
    ("archive-as-weights-skip", classifier(5), K3, classifier(), "keras", SKIP, ALL, "the weights of a .keras file; the head's shape differs and is skipped"),
    ("archive-recurrent", recurrent(), K3, recurrent(), "json", {}, NEW, "recurrent weights of a .keras file"),
]

# name, source, format, target, file of the target, options, flavours, twin, what differs from the twin
REFUSED = [
    ("count", classifier(), W5, deeper, "json", {}, ALL, "topological", "the model has one layer more than the weights"),
    ("shape", classifier(5), W5, classifier(), "json", {}, ALL, "topological", "the head of the weights has 5 classes, that of the model 3"),
    ("shape-whole-file", classifier(5), H5, classifier(), "json", {}, ALL, "topological-whole-file", "the head of the weights has 5 classes, that of the model 3"),
    ("by-name-shape", classifier(5), W5, classifier(), "json", BY_NAME, ALL, "by-name-skip-head", "what does not fit is not to be skipped"),
    ("by-name-count", classifier(), W5, without_bias, "json", BY_NAME, ALL, "by-name-new-head", "base_1 of the model has no bias"),
    ("v3-shape", classifier(5), W3, classifier(), "json", {}, ALL, "v3-skip-head", "what does not fit is not to be skipped"),
    ("v3-missing", classifier(), W3, deeper, "json", {}, ALL, "v3-skip-missing", "what does not fit is not to be skipped"),
    ("v3-bias", classifier(), W3, without_bias, "json", {}, ALL, "v3", "base_1 of the model has no bias"),
    ("archive-shape", classifier(5), K3, classifier(), "keras", {}, ALL, "archive-as-weights-skip", "what does not fit is not to be skipped"),
]


# --- writing ----------------------------------------------------------------------------------------------------------


def random_weights(model, rng):
    values = []
    for variable in model.weights:
        shape, name = tuple(variable.shape), variable.name
        if "variance" in name:
            values.append(rng.uniform(0.4, 1.6, shape))
        elif "kernel" in name:
            values.append(rng.normal(0, 1 / np.sqrt(max(1, np.prod(shape[:-1]))), shape))
        else:
            values.append(rng.normal(0, 0.4, shape))
    return [v.astype("float32") for v in values]


def numbered(prefix, arrays):
    return {f"{prefix}.{i}": a for i, a in enumerate(arrays)}


def save_source(model, kind, folder):
    if kind == H5:
        model.save(os.path.join(folder, "model.h5"))
        return "model.h5"
    if kind == K3:
        model.save(os.path.join(folder, "model.keras"))
        return "model.keras"
    if kind == W3:
        model.save_weights(os.path.join(folder, "model.weights.h5"))
        return "model.weights.h5"
    path = os.path.join(folder, "model.h5")
    if keras.__name__ == "tf_keras":
        model.save_weights(path)
    else:
        from keras.src.legacy.saving import legacy_h5_format

        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return "model.h5"


def save_target(model, suffix, folder):
    name = "into." + suffix
    if suffix == "json":
        with open(os.path.join(folder, name), "w") as file:
            file.write(model.to_json())
    else:
        model.save(os.path.join(folder, name))
    return name


def open_target(name, folder):
    path = os.path.join(folder, name)
    if name.endswith(".json"):
        with open(path) as file:
            return keras.models.model_from_json(file.read())
    return keras.models.load_model(path, compile=False)


def predict(model, inputs):
    return np.array(model.predict(inputs, batch_size=len(inputs), verbose=0))


def float64_output(build, weights, inputs):
    keras.backend.clear_session()
    keras.backend.set_floatx("float64")
    try:
        policy = getattr(keras.config, "set_dtype_policy", None) if hasattr(keras, "config") else keras.mixed_precision.set_global_policy
        policy("float64")
        model = build()
        model.set_weights([w.astype("float64") for w in weights])
        return predict(model, inputs.astype("float64"))
    finally:
        keras.backend.set_floatx("float32")
        policy("float32")
        keras.backend.clear_session()


def numbers(output, double):
    spread, scale, atol = bound_of(output, double)
    return {"bound": "stated", "atol": [atol], "rtol": 0, "reason": REASON, "spread": [spread], "scale": [scale], "second": "float64 tensorflow",
            "float64_atol": [1e-9 * scale], "kinks": None}


def prepare(row, folder, rng):
    """Source and target in the folder: (artifact, model to load into, its file, its weights before)."""
    _, build_source, kind, build_target, suffix = row[:5]
    keras.backend.clear_session()
    source = build_source()
    source.set_weights(random_weights(source, rng))
    artifact = save_source(source, kind, folder)
    keras.backend.clear_session()
    fresh = build_target()
    fresh.set_weights(random_weights(fresh, rng))
    before = fresh.get_weights()
    into = save_target(fresh, suffix, folder)
    keras.backend.clear_session()
    model = open_target(into, folder)
    model.set_weights(before)
    return artifact, model, into, before


def load_quietly(model, path, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.load_weights(path, **options)


def one_line(error):
    text = str(error).split("Exception encountered: ")[-1].strip()
    return f"{type(error).__name__}: {(text.splitlines() or [''])[0][:160]}"


def start(out, row, flavour, family):
    """(case id, folder, seed, generator); the folder is empty."""
    writer = "tfkeras-" + keras.__version__ if flavour == "tf_keras" else "keras-" + keras.__version__
    case_id = f"{row[2]}/{writer}/{family}/{row[0]}" if family == "transfer" else f"{row[2]}/reject/{family}/{writer}-{row[0]}"
    seed = int(hashlib.sha256(("transfer/" + row[0]).encode()).hexdigest()[:8], 16)
    folder = os.path.join(out, case_id)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return case_id, folder, seed, np.random.default_rng(seed)


def write(out, row, flavour):
    name, _, kind, build_target, _, options, _, what = row
    case_id, folder, seed, rng = start(out, row, flavour, "transfer")
    try:
        artifact, model, into, before = prepare(row, folder, rng)
        load_quietly(model, os.path.join(folder, artifact), options)
        after = model.get_weights()
        changed = [not np.array_equal(a, b) for a, b in zip(before, after)]
        batch = 9 if "recurrent" in name or "convolution" in name else 8
        inputs = rng.normal(0, 1, (batch, *model.inputs[0].shape[1:])).astype("float32")
        output = predict(model, inputs)
        double = float64_output(build_target, after, inputs)
        prediction = numbers(output, double)
    except Exception as error:  # noqa: BLE001: any failure of Keras is told, none stops the others
        shutil.rmtree(folder, ignore_errors=True)
        print(f"{case_id}: {one_line(error)}", flush=True)
        return 0
    save_npz(os.path.join(folder, "initial.npz"), numbered("weight", before))
    save_npz(os.path.join(folder, "weights.npz"), numbered("weight", after))
    save_npz(os.path.join(folder, "io.npz"), {"input.0": inputs, "output.0": output, "float64.0": double})
    record = case_record(f"transfer: {what} ({sum(changed)} of {len(changed)} weights change)", kind, artifact, into, options, seed)
    record["predict"] = prediction
    write_record(folder, record)
    print(f"{case_id}: {sum(changed)} of {len(changed)} change", flush=True)
    return 1


def write_refused(out, row, flavour):
    kind, options, twin, what = row[2], row[5], row[7], row[8]
    case_id, folder, seed, rng = start(out, row, flavour, "transfer-refused")
    artifact, model, into, before = prepare(row, folder, rng)
    try:
        load_quietly(model, os.path.join(folder, artifact), options)
        shutil.rmtree(folder, ignore_errors=True)
        print(f"{case_id}: UNEXPECTED accepted", flush=True)
        return 0
    except Exception as error:  # noqa: BLE001
        print(f"{case_id}: {one_line(error)}", flush=True)
    save_npz(os.path.join(folder, "initial.npz"), numbered("weight", before))
    record = case_record(f"Refused: {what}", kind, artifact, into, options, seed)
    writer = case_id.split("/")[3][: -len(row[0]) - 1]
    record.update(expect="reject", reason=["malformed"], twin=f"{kind}/{writer}/transfer/{twin}", edit=what[0].upper() + what[1:] + ".")
    write_record(folder, record)
    return 1


def case_record(title, kind, artifact, into, options, seed):
    return {
        "schema": "kassay-case/1", "title": title, "format": kind, "since": "0.1", "revision": 1, "artifact": artifact,
        "load": {"architecture": None, "initial": "initial.npz", "options": {"into": into, **options}},
        "writer": {"keras": keras.__version__, "backend": "tensorflow " + tf.__version__, "h5py": h5py.__version__, "python": "%d.%d" % sys.version_info[:2],
                   "script": "golden/make/make_transfers.py", "seed": seed},
        "level": "MUST", "expect": "accept", "reason": None, "clauses": [], "tags": ["transfer"], "cves": [], "predict": None, "train": None,
        "custom_objects": [], "twin": None, "edit": None, "kills": [], "budget": None,
    }


def write_record(folder, record):
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(record, file, indent=1)
        file.write("\n")


def main():
    global keras, L
    parser = argparse.ArgumentParser()
    parser.add_argument("--flavour", default="keras", choices=ALL)
    parser.add_argument("--out", default="golden")
    parser.add_argument("--only", default="*")
    arguments = parser.parse_args()
    if arguments.flavour == "keras":
        import keras as chosen
    else:
        import tf_keras as chosen
    keras, L = chosen, chosen.layers
    count = 0
    for rows, make in ((ROWS, write), (REFUSED, write_refused)):
        rows = [row for row in rows if arguments.flavour in row[6] and fnmatch.fnmatch(row[0], arguments.only)]
        count += sum(make(arguments.out, row, arguments.flavour) for row in rows)
    print(count, "written")


if __name__ == "__main__":
    main()
