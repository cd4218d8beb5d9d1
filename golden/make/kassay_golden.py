"""Writes one golden case: a model built, given random weights, saved by real Keras, and what must come out of it.

A case is refused (with the reason printed) when its numbers could not see a bug: see golden_files.py.
"""

import hashlib
import io
import json
import os
import re
import shutil
import sys
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from golden_files import REASON, Refused, check_numbers, save_npz, write_json  # noqa: E402

VERSION = keras.__version__
WITH_ARCHITECTURE = ("weights-v3", "weights-v3-sharded", "h5-weights-legacy")
LEGACY = ("h5-legacy", "h5-weights-legacy")


def seed_of(case_id):
    return int(hashlib.sha256(case_id.encode()).hexdigest()[:8], 16)


def flatten(structure):
    return keras.tree.flatten(structure) if hasattr(keras, "tree") else tf.nest.flatten(structure)


# --- weights -------------------------------------------------------------------------------------------------------


def random_weight(rng, variable):
    """Random everywhere: a default of 0 or 1 hides bugs."""
    shape, name = tuple(variable.shape), variable.name
    dtype = keras.backend.standardize_dtype(variable.dtype)
    if "int" in dtype:
        return np.array(variable)
    if "variance" in name:
        return rng.uniform(0.4, 1.6, shape).astype("float32")
    if name in ("gamma", "scale"):
        return (rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)).astype("float32")
    if "kernel" in name or "embedding" in name:
        fan_in = np.prod(shape[:-1]) if len(shape) > 1 else 4
        if "depthwise" in name:
            fan_in = np.prod(shape[:-2])
        if "embedding" in name:
            fan_in = 1
        return rng.normal(0, 1.0 / np.sqrt(max(1, fan_in)), shape).astype("float32")
    return rng.normal(0, 0.3, shape).astype("float32")


def set_weights(model, weights):
    """As set_weights; Normalization computes from a copy that must follow."""
    model.set_weights(weights)
    for layer in model._flatten_layers():
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def randomize(model, rng):
    set_weights(model, [random_weight(rng, v) for v in model.weights])


# --- what the file says --------------------------------------------------------------------------------------------


def without_ids(value):
    if isinstance(value, dict):
        return {k: without_ids(v) for k, v in value.items() if k != "shared_object_id"}
    return [without_ids(v) for v in value] if isinstance(value, list) else value


def snake_case(name):
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def all_datasets(files):
    """(path, array) of every dataset but the optimizer's, in one HDF5 file or in several that share one tree."""
    datasets = []
    for data in files if isinstance(files, list) else [files]:
        with h5py.File(io.BytesIO(data), "r") as file:

            def visit(name, item):
                if isinstance(item, h5py.Dataset) and not name.startswith("optimizer/"):
                    datasets.append((name, np.array(item)))

            file.visititems(visit)
    return datasets


def dataset_names(h5_bytes, weights):
    """The dataset of each weight, found by its bytes: random weights are all different."""
    datasets, names = all_datasets(h5_bytes), []
    for weight in weights:
        for index, (name, data) in enumerate(datasets):
            if data.shape == weight.shape and data.tobytes() == weight.tobytes():
                names.append(name)
                del datasets[index]
                break
        else:
            raise Refused("a weight is not in the file")
    return names


def legacy_attribute(group, name):
    """A list of names, in one attribute or in chunks."""
    if name in group.attrs:
        values = list(group.attrs[name])
    else:
        values, chunk = [], 0
        while f"{name}{chunk}" in group.attrs:
            values += list(group.attrs[f"{name}{chunk}"])
            chunk += 1
    return [v.decode() if isinstance(v, bytes) else v for v in values]


def legacy_weights(layer):
    """In the order of a legacy file, which the trainable flags of the moment change."""
    return list(layer.trainable_weights) + list(layer.non_trainable_weights)


def legacy_names(model, h5_bytes, kind):
    """The dataset of each weight in a legacy file, as its writer laid them out; their bytes are compared."""
    root, paths = ("model_weights" if kind == "h5-legacy" else ""), {}
    with h5py.File(io.BytesIO(h5_bytes), "r") as file:
        group = file[root] if root else file
        owners = [(layer.name, legacy_weights(layer)) for layer in model.layers]
        own = model._trainable_variables + model._non_trainable_variables
        owners.append(("top_level_model_weights", own))
        for name, weights in owners:
            if name not in group:
                continue
            names = legacy_attribute(group[name], "weight_names")
            if len(names) != len(weights):
                raise Refused(f"{name} has {len(names)} weights in the file, {len(weights)} in the model")
            for weight, weight_name in zip(weights, names):
                path = "/".join(part for part in (root, name, weight_name) if part)
                if np.array(file[path]).tobytes() != np.array(weight).tobytes():
                    raise Refused(f"FINDING: {path} does not hold the weight that it names")
                paths.setdefault(id(weight), path)
    return [paths[id(w)] for w in model.weights]


def shape_list(shape):
    return [None if d is None else int(d) for d in shape]


def input_name(tensor):
    """Of its InputLayer; the result of another layer, with which a model of Keras 3.0 may begin, has no name in the file."""
    return getattr(getattr(tensor, "_keras_history", (tensor,))[0], "name", tensor.name)


def tensor_record(tensor):
    return {"shape": shape_list(tensor.shape), "dtype": keras.backend.standardize_dtype(tensor.dtype)}


def class_name(layer):
    return keras.saving.serialize_keras_object(layer)["class_name"]


def layer_path(kind, base, number, name):
    if kind == "h5-legacy":
        return "model_weights/" + name
    if kind == "h5-weights-legacy":
        return name
    return "layers/" + (f"{base}_{number}" if number else base)


def classes_in(config):
    """class_name by layer name, as the file says it."""
    found = {}
    for record in config.get("config", {}).get("layers", []) if isinstance(config.get("config"), dict) else []:
        found[record["config"]["name"]] = record["class_name"]
    return found


def layer_records(model, kind, config):
    used, records = {}, []
    said = classes_in(config) if kind == "h5-legacy" else {}
    for layer in model.layers:
        base = snake_case(type(layer).__name__)
        number = used.get(base, 0)
        used[base] = number + 1
        path = layer_path(kind, base, number, layer.name)
        # Calls made outside this model (the making of a nested model, a first use) are not part of it.
        nodes = [n for n in layer._inbound_nodes if is_in_model(model, layer, n)] or layer._inbound_nodes
        outputs = [tensor_record(t) for t in nodes[0].output_tensors] if nodes else []
        records.append({"name": layer.name, "class": said.get(layer.name) or class_name(layer), "path": path, "outputs": outputs})
    return records


def is_in_model(model, layer, node):
    functional = getattr(model, "_functional", None) or model
    nodes = getattr(functional, "_nodes", None)
    return nodes is None or any(n is node for n in nodes)


def structure(model, kind, config, names, with_data):
    variables = []
    for variable, name in zip(model.weights, names):
        data = np.ascontiguousarray(np.array(variable))
        variables.append(
            {
                "path": name,
                "name": name.split("/")[-1] if kind in LEGACY else variable.name,
                "dtype": keras.backend.standardize_dtype(variable.dtype),
                "shape": shape_list(variable.shape),
                "trainable": created_trainable(model, variable),
                "sha256": hashlib.sha256(data.tobytes()).hexdigest() if with_data else None,
            }
        )
    return {
        "schema": "kassay-dump/1",
        "format": kind,
        "object": without_ids(config),
        "inputs": [{"name": input_name(t), **tensor_record(t)} for t in flatten(model.inputs)],
        "outputs": [tensor_record(t) for t in flatten(model.outputs)],
        "layers": layer_records(model, kind, config),
        "variables": variables,
    }


def created_trainable(model, variable):
    """As add_weight said: in a layer's trainable list, whatever layer.trainable says now."""
    for layer in model._flatten_layers(include_self=True, recursive=True):
        if any(v is variable for v in layer._trainable_variables):
            return True
        if any(v is variable for v in layer._non_trainable_variables):
            return False
    raise Refused(f"{variable.name} belongs to no layer")


# --- numbers -------------------------------------------------------------------------------------------------------


def as_numpy(structure_of_tensors):
    return [np.array(t) for t in flatten(structure_of_tensors)]


def predict(model, inputs, eager=False):
    """`inputs` in the order of model.inputs, handed over in the model's own structure."""
    batch = len(inputs[0])
    names = [t.name for t in flatten(model.inputs)]
    given = inputs[0] if len(inputs) == 1 else inputs
    struct = getattr(model, "_inputs_struct", None)
    if isinstance(struct, dict):
        given = dict(zip(sorted(struct), inputs))
        if len(names) == 1:
            given = {next(iter(struct)): inputs[0]}
    if eager:
        return as_numpy(model(given, training=False))
    return as_numpy(model.predict(given, batch_size=batch, verbose=0))


def float64_outputs(build, weights, inputs, eager=False):
    keras.backend.clear_session()
    keras.config.set_floatx("float64") if hasattr(keras, "config") else keras.backend.set_floatx("float64")
    set_policy("float64")
    try:
        model = build()
        if not model.built or not model.inputs:
            predict_unbuilt(model, [x.astype("float64") if x.dtype == np.float32 else x for x in inputs])
        set_weights(model, [w.astype("float64") if w.dtype == np.float32 else w for w in weights])
        return predict(model, [x.astype("float64") if x.dtype == np.float32 else x for x in inputs], eager)
    finally:
        keras.backend.clear_session()
        keras.config.set_floatx("float32") if hasattr(keras, "config") else keras.backend.set_floatx("float32")
        set_policy("float32")


def set_policy(name):
    if hasattr(keras, "config") and hasattr(keras.config, "set_dtype_policy"):
        keras.config.set_dtype_policy(name)
    else:
        keras.mixed_precision.set_global_policy(name)


# TensorFlow's float64 kernels of these hold their constants (a slope, 1/sqrt(2), an interpolation weight, 1/sqrt(key_dim)) as float32.
SINGLE_CONSTANTS = (
    '"gelu"',
    '"leaky_relu"',
    '"LeakyReLU"',
    '"ReLU"',
    '"bilinear"',
    '"MultiHeadAttention"',
    '"GroupQueryAttention"',
    '"GroupedQueryAttention"',
)


def float64_tolerance(config):
    """Relative to scale: rounding of double arithmetic, or of a float32 constant where TensorFlow has one."""
    text = json.dumps(config)
    return 1e-7 if any(name in text for name in SINGLE_CONSTANTS) else 1e-9


# --- files ---------------------------------------------------------------------------------------------------------


def case_record(kind, case, artifact, seed, numbers, architecture, tolerance):
    spread, scale, atol = numbers if numbers else (None, None, None)
    prediction = None
    if numbers:
        prediction = {
            "bound": "stated",
            "atol": atol,
            "rtol": 0,
            "reason": REASON,
            "spread": spread,
            "scale": scale,
            "second": "float64 numpy" if case.second else "float64 tensorflow",
            "float64_atol": [tolerance * s for s in scale],
            "kinks": None,
        }
    return {
        "schema": "kassay-case/1",
        "title": case.title,
        "format": kind,
        "since": "0.1",
        "revision": 1,
        "artifact": artifact,
        "load": {"architecture": architecture, "initial": None, "options": {}},
        "writer": {
            "keras": VERSION,
            "backend": "tensorflow " + tf.__version__,
            "h5py": h5py.__version__,
            "python": "%d.%d" % sys.version_info[:2],
            "script": "golden/make/" + case.script,
            "seed": seed,
        },
        "level": "MUST",
        "expect": "accept",
        "reason": None,
        "clauses": [],
        "tags": case.tags,
        "cves": [],
        "predict": prediction,
        "train": None,
        "custom_objects": [],
        "twin": None,
        "edit": None,
        "kills": [],
        "budget": None,
    }


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


def config_of(kind, folder):
    if kind == "keras-v3":
        with zipfile.ZipFile(os.path.join(folder, "model.keras")) as archive:
            return json.loads(archive.read("config.json"))
    if kind == "h5-legacy":
        with h5py.File(os.path.join(folder, "model.h5"), "r") as file:
            return json.loads(file.attrs["model_config"])
    names = {kind: "architecture.json" for kind in WITH_ARCHITECTURE}
    names = {**names, "keras-v3-dir": os.path.join("model", "config.json")}
    with open(os.path.join(folder, names.get(kind, "model.json"))) as file:
        return json.load(file)


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def legacy_h5_format():
    """The writer of legacy weights, which Keras 3 keeps but reaches only through whole files."""
    from keras.src.legacy.saving import legacy_h5_format

    return legacy_h5_format


def half_in_gib(model):
    """A size of shards that makes two or three of any model."""
    sizes = [int(np.array(w).nbytes) for w in model.weights] or [1]
    return max(max(sizes), sum(sizes) * 6 // 10) / (1 << 30)


def save_artifact(model, kind, folder, shard_gib=None):
    """Saves, and returns (artifact, bytes of the HDF5 file, architecture)."""
    if kind == "keras-v3":
        path = os.path.join(folder, "model.keras")
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            return "model.keras", archive.read("model.weights.h5"), None
    if kind == "keras-v3-dir":
        path = os.path.join(folder, "model")
        model.save(path, zipped=False)
        with open(os.path.join(path, "model.weights.h5"), "rb") as file:
            return "model", file.read(), None
    if kind == "h5-legacy":
        path = os.path.join(folder, "model.h5")
        model.save(path)
        return "model.h5", read_bytes(path), None
    if kind in WITH_ARCHITECTURE:
        with open(os.path.join(folder, "architecture.json"), "w") as file:
            file.write(model.to_json())
    if kind == "weights-v3":
        path = os.path.join(folder, "model.weights.h5")
        model.save_weights(path)
        return "model.weights.h5", read_bytes(path), "architecture.json"
    if kind == "weights-v3-sharded":
        model.save_weights(os.path.join(folder, "model.weights.json"), max_shard_size=shard_gib)
        shards = sorted(name for name in os.listdir(folder) if name.endswith(".weights.h5"))
        if len(shards) < 1:
            raise Refused("no shard was written")
        return "model.weights.json", [read_bytes(os.path.join(folder, name)) for name in shards], "architecture.json"
    if kind == "h5-weights-legacy":
        path = os.path.join(folder, "model.h5")
        with h5py.File(path, "w") as file:
            legacy_h5_format().save_weights_to_hdf5_group(file, model)
        return "model.h5", read_bytes(path), "architecture.json"
    with open(os.path.join(folder, "model.json"), "w") as file:
        file.write(model.to_json())
    scratch = os.path.join(folder, "scratch.weights.h5")
    model.save_weights(scratch)
    with open(scratch, "rb") as file:
        data = file.read()
    os.remove(scratch)
    return "model.json", data, None


def load_artifact(kind, folder):
    keras.backend.clear_session()
    if kind == "keras-v3":
        return keras.models.load_model(os.path.join(folder, "model.keras"), compile=False)
    if kind == "keras-v3-dir":
        return keras.models.load_model(os.path.join(folder, "model"), compile=False)
    if kind == "h5-legacy":
        return keras.models.load_model(os.path.join(folder, "model.h5"), compile=False)
    name = "architecture.json" if kind in WITH_ARCHITECTURE else "model.json"
    with open(os.path.join(folder, name)) as file:
        model = keras.models.model_from_json(file.read())
    weights = {"weights-v3": "model.weights.h5", "weights-v3-sharded": "model.weights.json", "h5-weights-legacy": "model.h5"}
    if kind in weights:
        model.load_weights(os.path.join(folder, weights[kind]))
    return model


def write_case(out, kind, family, case):
    """`case`: name, build, inputs(rng, batch), batch, title, tags, finish(model, inputs) or None."""
    case_id = f"{kind}/keras-{VERSION}/{family}/{case.name}"
    folder = os.path.join(out, case_id)
    seed = seed_of(f"{family}/{case.name}")
    rng = np.random.default_rng(seed)
    fresh(folder)
    try:
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed % 2**31)
        inputs = case.inputs(rng, case.batch)
        model = case.build()
        if not model.built or not model.inputs:
            predict_unbuilt(model, inputs)
        randomize(model, rng)
        if case.finish:
            case.finish(model, inputs)
        weights = [np.array(w) for w in model.weights]
        artifact, h5_bytes, architecture = save_artifact(model, kind, folder, case.shard_gib or half_in_gib(model))
        names = legacy_names(model, h5_bytes, kind) if kind in LEGACY else dataset_names(h5_bytes, weights)
        numbers = None
        if kind != "json-v3":
            outputs = predict(model, inputs, case.eager)
            if case.second:
                doubles = case.second([x.astype("float64") for x in inputs])
            else:
                doubles = float64_outputs(case.build, weights, inputs, case.eager)
            numbers = check_numbers(outputs, doubles, inputs, [v.shape for v in model.weights])
        bug, loaded = None, model
        try:
            loaded = load_artifact(kind, folder)
            if kind != "json-v3":
                check_reload(loaded, weights, outputs, inputs, case.eager)
        except Exception as error:  # noqa: BLE001: a legacy file stays as a finding about its writer
            if kind not in LEGACY:
                raise
            bug, loaded = error, by_archive(model, folder)
        if kind != "json-v3":
            arrays = {f"input.{i}": x for i, x in enumerate(inputs)}
            arrays.update({f"output.{i}": x for i, x in enumerate(outputs)})
            arrays.update({f"float64.{i}": x for i, x in enumerate(doubles)})
            save_npz(os.path.join(folder, "io.npz"), arrays)
            stored = {f"weight.{i}": w for i, w in enumerate(weights)}
            stored["names"] = np.array([n.encode() for n in names], dtype="S") if names else np.zeros(0, "S1")
            save_npz(os.path.join(folder, "weights.npz"), stored)
        config = config_of(kind, folder)
        write_json(os.path.join(folder, "structure.json"), structure(loaded, kind, config, names, kind != "json-v3"))
        record = case_record(kind, case, artifact, seed, numbers, architecture, float64_tolerance(config))
        if bug:
            mark_writer_bug(record, bug)
        write_json(os.path.join(folder, "case.json"), record)
        return f"WRITER BUG {case_id}: {first_line(bug)}" if bug else None
    except Exception as error:  # noqa: BLE001: any failure of Keras is told, none stops the others
        shutil.rmtree(folder, ignore_errors=True)
        return f"{case_id}: {type(error).__name__}: {str(error)[:300]}"


def first_line(error):
    """What Keras complains of, in one line."""
    text = str(error).split("Exception encountered: ")[-1].strip()
    return f"{type(error).__name__}: {(text.splitlines() or [''])[0][:160]}"


def by_archive(model, folder):
    """The model as a `.keras` file gives it back: what the damaged legacy file stands for."""
    path = os.path.join(folder, "scratch.keras")
    model.save(path)
    try:
        keras.backend.clear_session()
        return keras.models.load_model(path, compile=False)
    finally:
        os.remove(path)


def mark_writer_bug(record, error):
    """Real weights and numbers in a file that its own writer does not read back: readers may differ."""
    differs = isinstance(error, Refused)
    record["expect"], record["level"] = "either", "MAY"
    record["reason"] = ["accepted"] if differs else ["accepted", "malformed", "unsupported"]
    record["tags"] = record["tags"] + ["writer-bug"]
    what = str(error).replace("FINDING: ", "") if differs else f"the writer does not load its own file ({first_line(error)})"
    record["title"] += ". Writer bug: " + what


def predict_unbuilt(model, inputs):
    model(inputs[0] if len(inputs) == 1 else inputs)


def check_reload(model, weights, outputs, inputs, eager):
    again = [np.array(w) for w in model.weights]
    if len(again) != len(weights) or any(a.tobytes() != w.tobytes() for a, w in zip(again, weights)):
        raise Refused("FINDING: the writer's own reload has other weights")
    if any(len(t.shape) != x.ndim for t, x in zip(flatten(model.outputs), outputs)):
        raise Refused("FINDING: the shapes of model.outputs are not those of the outputs")
    if any(a.tobytes() != b.tobytes() for a, b in zip(predict(model, inputs, eager), outputs)):
        raise Refused("FINDING: the writer's own reload predicts otherwise")
