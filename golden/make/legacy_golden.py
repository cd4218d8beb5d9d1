"""Writes the golden cases of one model of Keras 1 or 2: whole-model HDF5, HDF5 weights, JSON, and the new format of late Keras 2.

Runs under Python 3.6 to 3.11 with Keras 1.2 to 2.3 (TensorFlow or Theano), tf.keras 1.13 to 2.15 and tf_keras. The rules for
numbers are those of golden_files.py: a case is refused, with the reason printed, when its numbers could not see a bug.
"""

import hashlib
import io
import json
import os
import re
import shutil
import sys
import zipfile

import h5py
import legacy_double
import numpy as np
from golden_files import REASON, Refused, check_numbers, save_npz, write_json

class Case:
    """One model and how it is used; `tier` 1 is made by every writer, 2 by some, 3 by the main ones (legacy_make.py)."""

    def __init__(self, name, build, inputs, batch=5, finish=None, also=(), tier=2, title="", second=None, h5=True, layers=True):
        self.name, self.build, self.inputs, self.batch = name, build, inputs, batch
        self.finish, self.also, self.tier, self.title, self.second = finish, tuple(also), tier, title, second
        self.h5 = h5
        self.layers = layers  # whether structure.json is written: not where the writer's layers are not those of the file
        self.family, self.script = None, None


def seed_of(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def flatten(value):
    """Leaves in the order of Keras: dicts by sorted key."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in flatten(value[key])]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in flatten(item)]
    return [value]


class Environment:
    """The Keras of this process: `L` layers, `K` backend, `keras` the package, `generation` 1 or 2."""

    def __init__(self, writer):
        self.writer = writer
        if writer.startswith("tfkeras-"):
            os.environ["TF_USE_LEGACY_KERAS"] = "1"
            import tf_keras as keras
        elif writer.startswith("tf-"):
            from tensorflow import keras
        else:
            import keras
        self.keras, self.L, self.K = keras, keras.layers, keras.backend
        self.version = getattr(keras, "__version__", None)
        if self.version is None:  # tf.keras of 2.13 and later is the package keras
            self.version = __import__("keras").__version__
        self.multi = not writer.startswith("tf")
        self.theano = self.multi and self.K.backend() == "theano"
        if self.theano:
            import theano

            self.backend, self.tf = "theano " + theano.__version__, None
        else:
            import tensorflow as tf

            self.backend, self.tf = "tensorflow " + tf.__version__, tf
        number = writer.split("-", 1)[1]
        mine = self.version if self.multi or writer.startswith("tfkeras") else self.tf.__version__
        if mine != number:
            raise SystemExit("this environment is %s, not %s" % (mine, writer))
        self.number = tuple(int(part) for part in number.split("."))
        self.generation = 1 if self.multi and self.number[0] == 1 else 2
        # Features by release of tf.keras; multi-backend Keras is older than any.
        self.tf_number = None if self.multi else self.number
        base = keras.layers.Layer if hasattr(keras.layers, "Layer") else keras.engine.topology.Layer
        self.Layer = base

    def since(self, *number):
        return self.tf_number is not None and self.tf_number >= number

    def clear(self):
        if self.theano:
            self.K.common.reset_uids()
        else:
            self.K.clear_session()

    def set_floatx(self, name):
        self.K.set_floatx(name)
        # Until 2.3 the float64 policy is not that of floatx; later a policy follows floatx unless one was set.


# --- walking a model -----------------------------------------------------------------------------------------------


def sublayers(env, root):
    """Every layer that `root` reaches through attributes, lists and dicts, itself included."""
    seen, found, stack = set(), [], [root]
    while stack:
        item = stack.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, env.Layer):
            found.append(item)
            stack.extend(v for k, v in vars(item).items() if not k.endswith("inbound_nodes") and not k.endswith("outbound_nodes"))
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, (list, tuple)):
            stack.extend(item)
    return found


def variables_of(env, model):
    """The variables in the order of get_weights(); Model.weights of multi-backend Keras has another."""
    found, seen = [], set()
    for layer in model.layers:
        for variable in layer.weights:
            if id(variable) not in seen:
                seen.add(id(variable))
                found.append(variable)
    values, expected = env.K.batch_get_value(found), model.get_weights()
    if len(values) != len(expected) or any(np.asarray(a).tobytes() != b.tobytes() for a, b in zip(values, expected)):
        found, values = list(model.weights), env.K.batch_get_value(list(model.weights))
        if len(values) != len(expected) or any(np.asarray(a).tobytes() != b.tobytes() for a, b in zip(values, expected)):
            return by_values(env, model, found)
    return found


def by_values(env, model, variables):
    """The variables in the order of get_weights(), which numbers set in their place tell."""
    before = model.get_weights()
    model.set_weights([np.full(w.shape, number, w.dtype) for number, w in enumerate(before)])
    numbers = [int(np.ravel(value)[0]) for value in env.K.batch_get_value(variables)]
    model.set_weights(before)
    if sorted(numbers) != list(range(len(before))):
        raise Refused("the order of get_weights() is not understood")
    return [variables[numbers.index(k)] for k in range(len(before))]


def created_trainable(env, layers, variable):
    """As add_weight said, whatever layer.trainable says now."""
    # Wrappers of Keras 1 take over the lists that the layer inside has at that time: who holds it as trainable made it so.
    for names, answer in ((("_trainable_weights", "trainable_weights"), True), (("_non_trainable_weights", "non_trainable_weights"), False)):
        for layer in layers:
            for name in names:
                own = vars(layer).get(name)
                if own is not None and any(v is variable for v in own):
                    return answer
    raise Refused("%s belongs to no layer" % variable.name)


def shape_list(shape):
    return [None if d is None else int(d) for d in shape]


def int_shape(env, tensor):
    """As Keras infers it; TensorFlow's own shape knows less in Keras 1."""
    shape = getattr(tensor, "_keras_shape", None)
    return shape if shape is not None else env.K.int_shape(tensor)


def tensor_record(env, tensor):
    return {"shape": shape_list(int_shape(env, tensor)), "dtype": dtype_name(env, tensor)}


def dtype_name(env, tensor):
    return str(env.K.dtype(tensor)).replace("_ref", "")


def inner_model(model):
    """Sequential of Keras 1 to 2.1 keeps its graph in a Model of its own."""
    inner = getattr(model, "model", None)
    return inner if inner is not None and hasattr(inner, "container_nodes") else model


def first_outputs(env, model, layer):
    keys = None
    graph = inner_model(model)
    for name in ("_network_nodes", "container_nodes"):
        if getattr(graph, name, None):
            keys = getattr(graph, name)
    nodes = getattr(layer, "_inbound_nodes", None)
    nodes = nodes if nodes is not None else layer.inbound_nodes
    for index in range(len(nodes)):
        if keys is None or "%s_ib-%d" % (layer.name, index) in keys:
            return flatten(layer.get_output_at(index))
    return flatten(layer.get_output_at(0)) if nodes else []


def records_by_name(config):
    """Layer records of a model's config, by the layer's name."""
    layers = config if isinstance(config, list) else config["layers"]
    found = {}
    for record in layers:
        inner = record["config"]
        name = record.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
        found[name] = record
    return found


# --- numbers -------------------------------------------------------------------------------------------------------


def random_weight(rng, env, variable, value):
    """Random everywhere: a default of 0 or 1 hides bugs."""
    shape, name = value.shape, variable.name.split("/")[-1]
    if value.dtype.kind not in "f" or "summary" in name:  # whose values are in order
        return value
    if "variance" in name or "running_std" in name:
        return rng.uniform(0.4, 1.6, shape).astype(value.dtype)
    if "gamma" in name:
        return (rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)).astype(value.dtype)
    if len(shape) > 1 and "bias" not in name:
        fan_in = np.prod(shape[:-1])
        if "depthwise" in name:
            fan_in = np.prod(shape[:-2])
        if "embedding" in name:
            fan_in = 1
        return rng.normal(0, 1.0 / np.sqrt(max(1, fan_in)), shape).astype(value.dtype)
    return rng.normal(0, 0.3, shape).astype(value.dtype)


def set_weights(env, model, weights):
    """As set_weights; Normalization computes from a copy that must follow."""
    model.set_weights(weights)
    for layer in sublayers(env, model):
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def randomize(env, model, rng):
    set_weights(env, model, [random_weight(rng, env, v, w) for v, w in zip(variables_of(env, model), model.get_weights())])


def predict(env, model, inputs):
    """`inputs` in the order of model.inputs, handed over in the model's own structure."""
    given = inputs[0] if len(inputs) == 1 else inputs
    nested = getattr(model, "_nested_inputs", None)
    if isinstance(nested, dict):
        given = dict(zip(sorted(nested), inputs))
    if hasattr(model, "reset_states"):
        model.reset_states()
    if env.since(2, 4):  # the same without a compilation of each model
        tensors = [env.tf.constant(x) for x in inputs]
        given = dict(zip(sorted(nested), tensors)) if isinstance(nested, dict) else tensors[0] if len(tensors) == 1 else tensors
        return [np.array(y) for y in flatten(model(given, training=False))]
    return [np.array(y) for y in flatten(model.predict(given, batch_size=len(inputs[0]), verbose=0))]


def double(x):
    return x.astype("float64") if x.dtype == np.float32 else x


def float64_outputs(env, case, weights, inputs):
    env.clear()
    env.set_floatx("float64")
    undo = legacy_double.replace(env)
    try:
        model = case.build()
        inputs = [double(x) for x in inputs]
        build_if_needed(env, model, inputs)
        set_weights(env, model, [double(w) for w in weights])
        return predict(env, model, inputs)
    finally:
        undo()
        env.clear()
        env.set_floatx("float32")


def build_if_needed(env, model, inputs):
    if getattr(model, "built", True) is False or not getattr(model, "inputs", True):
        if env.generation == 1:
            model.build()
        else:
            model.predict(inputs[0] if len(inputs) == 1 else inputs, batch_size=len(inputs[0]), verbose=0)


# TensorFlow's float64 kernels of these, or the layer's config, hold their constants as float32 (kassay_golden.py).
SINGLE_CONSTANTS = ("gelu", "leaky_relu", '"LeakyReLU"', '"ReLU"', '"ELU"', '"ThresholdedReLU"', '"bilinear"', '"MultiHeadAttention"', '"variance": [')


def float64_tolerance(config):
    text = json.dumps(config)
    return 1e-7 if any(name in text for name in SINGLE_CONSTANTS) else 1e-9


# --- files ---------------------------------------------------------------------------------------------------------


def write_text(path, text):
    with open(path, "w") as file:
        file.write(text)


def dataset_names(data, prefix, weights):
    """The dataset of each weight, found by its bytes: random weights are all different."""
    handle, datasets = io.BytesIO(data), []
    with h5py.File(handle, "r") as file:

        def visit(name, item):
            if isinstance(item, h5py.Dataset) and name.startswith(prefix) and not name.startswith("optimizer/"):
                datasets.append((name, np.array(item)))

        file.visititems(visit)
    names = []
    for weight in weights:
        for index, (name, stored) in enumerate(datasets):
            if stored.shape == weight.shape and stored.dtype == weight.dtype and stored.tobytes() == weight.tobytes():
                names.append(name)
                del datasets[index]
                break
        else:
            raise Refused("a weight is not in the file")
    return names


def layer_groups(data):
    """Names of all groups of an HDF5 file."""
    groups = []
    with h5py.File(io.BytesIO(data), "r") as file:
        file.visititems(lambda name, item: groups.append(name) if isinstance(item, h5py.Group) else None)
    return groups


def save_kind(env, model, kind, folder):
    """Saves; returns (artifact, HDF5 bytes or None, architecture, the config that the dump shows)."""

    def at(name):
        return os.path.join(folder, name)

    def read(name):
        with open(at(name), "rb") as file:
            return file.read()

    if kind == "h5-legacy":
        model.save(at("model.h5"), **({"save_format": "h5"} if env.since(2, 0) else {}))
        with h5py.File(at("model.h5"), "r") as file:
            text = file.attrs["model_config"]
        text = text.decode("utf-8") if isinstance(text, bytes) else str(text)
        return "model.h5", read("model.h5"), None, json.loads(text)
    if kind == "json-legacy":
        write_text(at("model.json"), model.to_json())
        return "model.json", None, None, json.loads(read("model.json").decode("utf-8"))
    if kind == "keras-v3":
        # 2.12 writes the new format only when told so; later versions by the name.
        model.save(at("model.keras"), **({} if env.since(2, 13) else {"save_format": "keras_v3"}))
        with zipfile.ZipFile(at("model.keras")) as archive:
            return "model.keras", archive.read("model.weights.h5"), None, json.loads(archive.read("config.json").decode("utf-8"))
    name = "weights.h5" if kind == "h5-weights-legacy" else "model.weights.h5"
    model.save_weights(at(name))
    write_text(at("architecture.json"), model.to_json())
    return name, read(name), "architecture.json", json.loads(read("architecture.json").decode("utf-8"))


def load_kind(env, kind, folder, artifact):
    env.clear()
    models = env.keras.models
    if kind in ("h5-legacy", "keras-v3"):
        path = os.path.join(folder, artifact)
        return models.load_model(path) if env.generation == 1 else models.load_model(path, compile=False)
    with open(os.path.join(folder, "architecture.json" if kind != "json-legacy" else artifact)) as file:
        model = models.model_from_json(file.read())
    if kind != "json-legacy":
        model.load_weights(os.path.join(folder, artifact))
    return model


def without_ids(value):
    if isinstance(value, dict):
        return {k: without_ids(v) for k, v in value.items() if k != "shared_object_id"}
    return [without_ids(v) for v in value] if isinstance(value, list) else value


def snake_case(name):
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def v3_paths(env, model, data):
    """Path of each layer in the new format; 2.12 and 2.13 count each layer with weights twice, 2.14 hides the second time."""
    if env.since(2, 14) or env.tf_number is None:
        used, paths = {}, []
        for layer in model.layers:
            base = snake_case(type(layer).__name__)
            used[base] = used.get(base, -1) + 1
            paths.append(base + ("_%d" % used[base] if used[base] else ""))
        prefix = "layers/"
    else:
        # An OrderedDict: for each layer, "layer_with_weights-N" and then "layer-N" are the same object.
        used, paths = {}, []
        for layer in model.layers:
            base = snake_case(type(layer).__name__)
            used[base] = used.get(base, -1) + 1
            paths.append(base + ("_%d" % used[base] if used[base] else ""))
            if layer.weights:
                used[base] += 1
        prefix = "_layer_checkpoint_dependencies/"
    groups = set(layer_groups(data))
    paths = [prefix + path for path in paths]
    if any(path not in groups for path, layer in zip(paths, model.layers) if layer.weights):
        raise Refused("layer paths %s are not the file's %s" % (paths, sorted(groups)))
    return paths


def structure(env, model, loaded, kind, config, names, data, tensors, values):
    """A layer without a name in the config is called what the loaded model calls it; its group is the saved one's name."""
    layers = sublayers(env, model)
    records = records_by_name(config["config"])
    variables, ports = [], []
    for index, variable in enumerate(tensors):
        value = np.array(values[index], order="C")
        last = names[index].split("/")[-1] if names else None
        if kind in ("keras-v3", "weights-v3"):
            last = variable.name.split("/")[-1]
        variables.append(
            {
                "path": names[index] if names else None,
                "name": last.split(":")[0] if last else None,
                "dtype": str(value.dtype),
                "shape": shape_list(value.shape),
                "trainable": created_trainable(env, layers, variable),
                "sha256": hashlib.sha256(value.tobytes()).hexdigest() if names is not None else None,
            }
        )
    paths = [None] * len(model.layers)
    if kind in ("keras-v3", "weights-v3"):
        paths = v3_paths(env, model, data)
    elif kind != "json-legacy":
        paths = [("model_weights/" if kind == "h5-legacy" else "") + layer.name for layer in model.layers]
    for layer, path, given in zip(model.layers, paths, loaded.layers):
        record = records.get(layer.name)
        name = record["class_name"] if record else type(layer).__name__
        outputs = [tensor_record(env, t) for t in first_outputs(env, model, layer)]
        ports.append({"name": layer.name if record else given.name, "class": name, "path": path, "outputs": outputs})
    return {
        "schema": "kassay-dump/1",
        "format": kind,
        "object": without_ids(config),
        "inputs": [
            dict([("name", name)] + sorted(tensor_record(env, t).items(), reverse=True))
            for name, t in zip(model.input_names, flatten(model.inputs))
        ],
        "outputs": [tensor_record(env, t) for t in flatten(model.outputs)],
        "layers": ports,
        "variables": variables,
    }


def case_record(env, kind, case, artifact, seed, numbers, architecture, tolerance):
    prediction = None
    # A file of Keras 1 does not say who computed it; of convolutions and pooling this matters.
    options = {"backend": "theano"} if env.theano and env.generation == 1 and (case.family == "convolution" or case.name.startswith("conv-lstm")) else {}
    if numbers:
        spread, scale, atol = numbers
        prediction = {
            "bound": "stated",
            "atol": atol,
            "rtol": 0,
            "reason": REASON,
            "spread": spread,
            "scale": scale,
            "second": "float64 numpy" if case.second else "float64 " + env.backend.split()[0],
            "float64_atol": [tolerance * s for s in scale],
            "kinks": None,
        }
    return {
        "schema": "kassay-case/1",
        "title": case.title or "%s: %s" % (case.family, case.name.replace("-", " ")),
        "format": kind,
        "since": "0.1",
        "revision": 1,
        "artifact": artifact,
        "load": {"architecture": architecture, "initial": None, "options": options},
        "writer": {
            "keras": env.version,
            "backend": env.backend,
            "h5py": h5py.__version__,
            "python": "%d.%d" % sys.version_info[:2],
            "script": "golden/make/" + case.script,
            "seed": seed,
        },
        "level": "MUST",
        "expect": "accept",
        "reason": None,
        "clauses": [],
        "tags": [case.family, "keras%d" % env.generation],
        "cves": [],
        "predict": prediction,
        "train": None,
        "custom_objects": [],
        "twin": None,
        "edit": None,
        "kills": [],
        "budget": None,
    }


def check_reload(env, model, weights, outputs, inputs):
    again = model.get_weights()
    if len(again) != len(weights) or any(a.tobytes() != w.tobytes() for a, w in zip(again, weights)):
        raise Refused("FINDING: the writer's own reload has other weights")
    if any(len(int_shape(env, t)) != x.ndim for t, x in zip(flatten(model.outputs), outputs)):
        raise Refused("FINDING: the shapes of model.outputs are not those of the outputs")
    if any(a.tobytes() != b.tobytes() for a, b in zip(predict(env, model, inputs), outputs)):
        raise Refused("FINDING: the writer's own reload predicts otherwise")


def finish_kind(env, kind, case, folder, saved, numbers, seed, original):
    """Loads what was saved, demands equal weights and outputs, and writes the rest of the case; leaves the session used."""
    inputs, weights, outputs, doubles, bounds = numbers
    artifact, data, architecture, config = saved
    names = None
    if data is not None:
        names = dataset_names(data, "model_weights/" if kind == "h5-legacy" else "", weights)
    loaded = load_kind(env, kind, folder, artifact)
    build_if_needed(env, loaded, inputs)
    if names is not None:
        check_reload(env, loaded, weights, outputs, inputs)
        arrays = {}
        for label, values in (("input", inputs), ("output", outputs), ("float64", doubles)):
            arrays.update(("%s.%d" % (label, i), x) for i, x in enumerate(values))
        save_npz(os.path.join(folder, "io.npz"), arrays)
        stored = {"weight.%d" % i: w for i, w in enumerate(weights)}
        stored["names"] = np.array([n.encode() for n in names], dtype="S") if names else np.zeros(0, "S1")
        save_npz(os.path.join(folder, "weights.npz"), stored)
    if case.layers:
        # Keras 1 forgets the name of a Sequential model in its own config: what was saved says more than what was loaded.
        model, tensors = original if env.generation == 1 else (loaded, variables_of(env, loaded))
        values = weights if env.generation == 1 else loaded.get_weights()
        write_json(os.path.join(folder, "structure.json"), structure(env, model, loaded, kind, config, names, data, tensors, values))
    record = case_record(env, kind, case, artifact, seed, bounds if names is not None else None, architecture, float64_tolerance(config))
    write_json(os.path.join(folder, "case.json"), record)


def prepared(env, case, seed):
    """(model, inputs), the same at each call."""
    rng = np.random.RandomState(seed)
    env.clear()
    np.random.seed(seed)
    if env.tf is not None:
        random = getattr(env.tf, "random", None)
        (random.set_seed if hasattr(random, "set_seed") else env.tf.set_random_seed)(seed % 2**31)
    inputs = case.inputs(rng, case.batch)
    model = case.build()
    build_if_needed(env, model, inputs)
    randomize(env, model, rng)
    if case.finish:
        case.finish(model, inputs)
    return model, inputs


def told(error):
    if os.environ.get("KASSAY_TRACE"):
        import traceback

        traceback.print_exc()
    return "%s: %s" % (type(error).__name__, " ".join(str(error).split())[:300])


def write_case(env, out, case, kinds):
    """All `kinds` of one model; returns how many were written, and the problems. Any failure of Keras is told, none stops the others."""
    seed = seed_of("%s/%s" % (case.family, case.name))
    ids = {kind: "%s/%s/%s/%s" % (kind, env.writer, case.family, case.name) for kind in kinds}
    saved, problems = {}, []
    try:
        model, inputs = prepared(env, case, seed)
        weights = [np.array(w) for w in model.get_weights()]
        outputs = predict(env, model, inputs)
        original = (model, variables_of(env, model))
        for kind in kinds:
            folder = os.path.join(out, ids[kind])
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            try:
                saved[kind] = save_kind(env, model, kind, folder)
            except Exception as error:
                problems.append("%s: %s" % (ids[kind], told(error)))
        doubles = case.second([double(x) for x in inputs]) if case.second else float64_outputs(env, case, weights, inputs)
        numbers = (inputs, weights, outputs, doubles, check_numbers(outputs, doubles, inputs, [w.shape for w in weights]))
    except Exception as error:
        problems.append("%s/%s/%s: %s" % (env.writer, case.family, case.name, told(error)))
        saved = {}
    for kind in list(saved):
        try:
            finish_kind(env, kind, case, os.path.join(out, ids[kind]), saved[kind], numbers, seed, original)
        except Exception as error:
            problems.append("%s: %s" % (ids[kind], told(error)))
            del saved[kind]
    for kind in kinds:
        if kind not in saved:
            shutil.rmtree(os.path.join(out, ids[kind]), ignore_errors=True)
    return len(saved), problems
