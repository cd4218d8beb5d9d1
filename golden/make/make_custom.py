"""Makes golden cases of models with custom objects (golden/custom), in every format that this Keras can hold them in.

    python golden/make/make_custom.py --writer keras-3.15.1|keras-3.9.2|tf-2.15.1|tf-2.9.3 [--module parts] [--out golden] [--only GLOB]

Of some models there is a refused sibling: the same file, read by one who was not given the classes.
"""

import argparse
import fnmatch
import hashlib
import io
import json
import os
import shutil
import sys
import zipfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "custom"))

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from ask_keras import Keras  # noqa: E402
from golden_files import REASON, bound_of, save_npz, write_json  # noqa: E402



def guide_models(keras, G):
    """name: (build, kept formats or None for all, a refused sibling too, what it is)"""
    L = keras.layers

    def chain(*layers):
        def build():
            i = x = keras.Input((4,), name="features")
            for make in layers:
                x = make()(x)
            return keras.Model(i, x, name="custom")

        return build

    def subclassed(make):
        return lambda: make()

    dense = lambda units, **more: (lambda: L.Dense(units, **more))  # noqa: E731
    return {
        "layer-with-a-variable": (chain(dense(6), lambda: G.CustomLayer(a=3.0, name="custom_layer"), dense(3)), True, "a layer whose config holds the value of its variable"),
        "activation-layer": (chain(dense(6), lambda: L.Activation(G.custom_activation, name="act"), dense(3)), True, "an Activation layer with a function of the user's"),
        "activation-of-dense": (chain(dense(6, activation=G.custom_activation), dense(3)), False, "a Dense layer with a function of the user's"),
        "my-dense": (chain(lambda: G.MyDense(6, name="mine"), dense(3)), True, "a layer whose config holds a record of its initializer"),
        "my-dense-objects": (chain(lambda: G.MyDense(6, kernel_initializer=keras.initializers.RandomNormal(stddev=0.5, seed=3), kernel_regularizer=keras.regularizers.L2(0.01),
                                                     kernel_constraint=keras.constraints.MaxNorm(1.5), name="mine"), dense(3)), False,
                             "a layer whose config holds records of objects"),
        "without-get-config": (chain(dense(6), lambda: G.ScaleAndShift(scale=0.5, shift=0.25, name="scale"), dense(3)), False, "a layer without get_config"),
        "layer-of-layers": (chain(dense(6), lambda: G.Tower(3, name="tower"), dense(2)), False, "a layer that holds layers, a variable and a statistic"),
        "two-of-a-kind": (chain(lambda: G.Tower(6, name="one"), lambda: G.Tower(3, name="two"), lambda: G.CustomLayer(a=-1.5, name="three")), False, "several custom layers"),
        "registered-layer": (chain(dense(6), lambda: G.RegisteredLayer(start=0.5, name="shift"), dense(3)), True, "a layer registered under a package"),
        "registered-function": (chain(dense(6, activation=G.half_tanh), dense(3)), True, "a function registered under a package"),
        "default-package": (chain(dense(6), lambda: G.DefaultPackageLayer(name="square"), dense(3)), False, "a layer registered without a package"),
        "everything": (chain(lambda: G.MyDense(6, name="mine"), lambda: G.CustomLayer(a=0.75, name="var"), lambda: L.Activation(G.custom_activation, name="act"),
                             lambda: G.RegisteredLayer(name="reg"), lambda: L.Dense(3, activation=G.half_tanh, name="end")), False, "custom layers and functions of every kind"),
        "inside-wrapper": (lambda: keras.Sequential([keras.Input((7, 4)), L.TimeDistributed(G.MyDense(3, name="mine"), name="each"), L.GRU(2, name="gru")]), False, "a custom layer in TimeDistributed"),
        "custom-model": (subclassed(lambda: G.CustomModel([6, 3])), True, "a subclassed model with its layers in a list"),
        "model-with-custom-config": (subclassed(lambda: G.ModelWithCustomConfig(6, 3)), True, "a subclassed model whose config is not its arguments"),
        "nested-custom-model": (lambda: keras.Sequential([keras.Input((4,)), L.Dense(6), G.CustomModel([7, 3])]), False, "a subclassed model inside a Sequential one"),
    }


def parts_models(keras, P):
    """The same of golden/custom/parts.py; each is built from a list of inputs' shapes and types."""
    L = keras.layers

    def pair():
        a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
        total, product = P.SumAndProduct(name="both")([L.Dense(6, activation="tanh", name="da")(a), L.Dense(6, name="db")(b)])
        return keras.Model([a, b], [L.Dense(3, name="end")(total), product], name="parts")

    def compare():
        a, b = keras.Input((4,), name="a"), keras.Input((7,), name="b")
        found = P.Compare(3, name="compare")(a, value=b, gain=0.5)
        return keras.Model([a, b], [L.Dense(2, name="end")(found["sum"]), found["gap"]], name="parts")

    def steps(*makes):
        def build():
            i = x = keras.Input((7, 4), name="steps")
            for make in makes:
                x = make()(x)
            return keras.Model(i, x, name="parts")

        return build

    def words():
        i = keras.Input((7,), dtype="int32", name="words")
        x = L.Embedding(9, 4, mask_zero=True, name="embedding")(i)
        x = P.OnlyPositive(name="positive")(x)
        return keras.Model(i, L.Dense(2, name="end")(P.MaskedMean(name="mean")(x)), name="parts")

    def objects():
        i = keras.Input((4,), name="features")
        x = L.Dense(6, kernel_initializer=P.Ramp(0.25, step=0.0625), bias_initializer=P.quarters, kernel_regularizer=P.Pull(0.5, strength=0.02),
                    kernel_constraint=P.AtLeast(-1.5), activation="tanh", name="first")(i)
        return keras.Model(i, L.Dense(3, kernel_constraint=P.AtLeast(), name="second")(x), name="parts")

    def compiled(**how):
        def build():
            i = keras.Input((4,), name="features")
            model = keras.Model(i, L.Dense(2, name="end")(L.Dense(6, activation="tanh", name="first")(i)), name="parts")
            model.compile(**{key: make() if callable(make) and key != "loss" else make for key, make in how.items()})
            return model

        return build

    return {
        "list-in-list-out": (pair, True, "a layer of a list of tensors, with a list as its result"),
        "arguments-and-dict": (compare, True, "a layer of two arguments and a plain one, with a dict as its result and layers inside"),
        "makes-a-mask": (steps(lambda: P.OnlyPositive(name="positive"), lambda: L.LSTM(3, name="lstm")), True, "a layer that makes the mask of the next one"),
        "takes-a-mask": (steps(lambda: L.Masking(0.0, name="masking"), lambda: P.MaskedMean(name="mean"), lambda: L.Dense(2, name="end")), False, "a layer that takes a mask and hands none on"),
        "joins-masks": (words, False, "a mask of Embedding, joined with one that a layer makes, taken by another"),
        "objects-of-every-kind": (objects, True, "an initializer, one that is a function, a regularizer, a constraint"),
        "model-of-two-inputs": (lambda: P.TwoTowers(3), True, "a subclassed model of two inputs with a dict as its result"),
        "compiled": (compiled(optimizer=lambda: P.WarmSGD(learning_rate=0.05, momentum=0.9, warm=7), loss=P.WeightedGap(weight=3.0), metrics=lambda: [P.Spread(width=2.0), "mae"]), False,
                     "compiled with a loss, a metric and an optimizer of one's own"),
        "compiled-functions": (compiled(optimizer="adam", loss=P.cubic_gap, metrics=lambda: [P.largest]), False, "compiled with functions as loss and metric"),
    }


def r_models(keras, R):
    L = keras.layers

    def compiled(model):
        model.compile(optimizer="sgd", loss=R.absolute_error, metrics=[R.mean_of_predictions])
        return model

    def chain(*makes, finish=None):
        def build():
            i = x = keras.Input((4,), name="features")
            for make in makes:
                x = make()(x)
            model = keras.Model(i, x, name="model")
            return finish(model) if finish else model

        return build

    dense = lambda units, **more: (lambda: L.Dense(units, **more))  # noqa: E731
    return {
        "activation": (chain(dense(6, activation=R.square_of_tanh), dense(3)), True, "an activation that is an R function"),
        "snake-case-layer": (chain(lambda: R.my_dense_layer(6.0, name="my_dense_layer"), dense(3)), True, "a class in snake case with a float for a number of units"),
        "antirectifier": (chain(dense(6), lambda: R.antirectifier(name="antirectifier"), dense(3)), False, "a class in snake case without variables"),
        "loss-and-metric": (chain(dense(6), dense(3), finish=compiled), False, "a loss and a metric that are two R functions of one name"),
        "two-functions": (chain(dense(6, activation=R.square_of_tanh), dense(3, activation=R.half)), False, "two activations that are different R functions of one name"),
    }


NOT_LOADED = {("tf-2.15.1", "h5-legacy", "objects-of-every-kind")}
FAMILIES = {"guide": "custom", "parts": "parts", "r_edition": "r-edition"}
TITLES = {"guide": "custom: ", "parts": "custom parts: ", "r_edition": "R keras: "}


def seed_of(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


class Maker:
    def __init__(self, writer, out, module):
        self.writer, self.out, self.three = writer, out, writer.startswith("keras-3")
        if self.three:
            import keras
        else:
            keras = tf.keras
        self.version = getattr(keras, "__version__", None) or __import__("keras").__version__
        self.keras, self.asked = keras, Keras("keras" if self.three else "tf.keras")
        if writer.startswith("tf-2.9"):
            import r_edition

            self.module, self.name, self.models = r_edition, "r_edition", r_models(keras, r_edition)
        elif module == "parts":
            import parts

            self.module, self.name, self.models = parts, "parts", parts_models(keras, parts)
        else:
            import guide

            self.module, self.name, self.models = guide, "guide", guide_models(keras, guide)

    def kinds(self):
        if self.three:
            return ("keras-v3", "h5-legacy", "weights-v3", "json-v3")
        if self.writer.startswith("tf-2.9"):
            return ("h5-legacy", "h5-weights-legacy", "json-legacy")
        return ("keras-v3", "h5-legacy", "h5-weights-legacy", "weights-v3", "json-legacy")

    def save(self, model, kind, folder):
        """(artifact, architecture, path of the HDF5 content or None)"""
        path = lambda name: os.path.join(folder, name)  # noqa: E731
        architecture = None
        if kind in ("weights-v3", "h5-weights-legacy"):
            architecture = "architecture.json"
            with open(path(architecture), "w") as file:
                file.write(model.to_json())
        if kind.startswith("json"):
            with open(path("model.json"), "w") as file:
                file.write(model.to_json())
            return "model.json", None, None
        artifact = {"keras-v3": "model.keras", "h5-legacy": "model.h5", "weights-v3": "model.weights.h5", "h5-weights-legacy": "model.h5"}[kind]
        if architecture:
            model.save_weights(path(artifact))
        else:
            model.save(path(artifact))
        return artifact, architecture, path(artifact)

    def load(self, folder, kind, artifact, architecture, objects):
        path = lambda name: os.path.join(folder, name)  # noqa: E731
        self.keras.backend.clear_session()
        if kind in ("keras-v3", "h5-legacy"):
            return self.keras.models.load_model(path(artifact), custom_objects=objects, compile=False)
        with open(path(architecture or artifact)) as file:
            model = self.keras.models.model_from_json(file.read(), custom_objects=objects)
        return model

    def load_back(self, folder, kind, artifact, architecture, name):
        """None for those that the writer is known not to load."""
        try:
            return self.load(folder, kind, artifact, architecture, self.module.CUSTOM_OBJECTS)
        except Exception as error:  # noqa: BLE001
            if (self.writer, kind, name) not in NOT_LOADED:
                raise
            print(f"{folder}: a finding: {type(error).__name__}: {str(error)[:200]}", flush=True)
            return None

    def keep_finding(self, folder, record, bug, weights, h5):
        record["predict"] = None
        record.update(expect="either", level="MAY", reason=["accepted", "malformed", "unsupported"], tags=record["tags"] + ["writer-bug"])
        record["title"] += ". Writer bug: " + bug
        if weights is not None:
            arrays = {f"weight.{i}": w for i, w in enumerate(weights)}
            arrays["names"] = np.array([n.encode() for n in self.names(h5, weights)], dtype="S")
            save_npz(os.path.join(folder, "weights.npz"), arrays)

    def names(self, path, weights):
        """The dataset of each weight, found by its bytes."""
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                data = archive.read("model.weights.h5")
        else:
            with open(path, "rb") as file:
                data = file.read()
        found, names = [], []
        with h5py.File(io.BytesIO(data), "r") as file:
            file.visititems(lambda name, item: found.append((name, np.array(item))) if isinstance(item, h5py.Dataset) and not name.startswith("optimizer") else None)
        for weight in weights:
            index = next(i for i, (_, d) in enumerate(found) if d.shape == weight.shape and d.tobytes() == weight.tobytes())
            names.append(found.pop(index)[0])
        return names

    def doubles(self, build, weights, inputs):
        keras = self.keras
        keras.backend.clear_session()
        policy = keras.config.set_dtype_policy if self.three else keras.mixed_precision.set_global_policy
        keras.backend.set_floatx("float64")
        policy("float64")
        try:
            model = build()
            inputs = [x.astype("float64") if x.dtype == "float32" else x for x in inputs]
            model(inputs[0] if len(inputs) == 1 else inputs)
            model.set_weights([w.astype("float64") for w in weights])
            return self.outputs(model, inputs)
        finally:
            keras.backend.set_floatx("float32")
            policy("float32")

    def outputs(self, model, inputs):
        found = model.predict(inputs[0] if len(inputs) == 1 else inputs, batch_size=len(inputs[0]), verbose=0)
        if isinstance(found, dict):
            found = [found[key] for key in sorted(found)]
        return [np.array(x) for x in (found if isinstance(found, (list, tuple)) else [found])]

    def inputs(self, name, model, rng):
        if name == "inside-wrapper":
            return [rng.normal(0, 1, (5, 7, 4)).astype("float32")]
        if name == "model-of-two-inputs":
            return [rng.normal(0, 1, (5, n)).astype("float32") for n in (4, 7)]
        if not getattr(model, "inputs", None):
            return [rng.normal(0, 1, (5, 4)).astype("float32")]
        found = []
        for tensor in model.inputs:
            shape = (5, *tensor.shape[1:])
            whole = "int" in str(tensor.dtype)
            found.append(rng.integers(0, 9, shape).astype("int32") if whole else rng.normal(0, 1, shape).astype("float32"))
        if name == "takes-a-mask":
            found[0][rng.random(found[0].shape[:2]) < 0.4] = 0
        return found

    def write(self, name, kind):
        build, refused_too, what = self.models[name]
        family = FAMILIES[self.name]
        case_id = f"{kind}/{self.writer}/{family}/{name}"
        folder = os.path.join(self.out, case_id)
        seed = seed_of(family + "/" + name)
        rng = np.random.default_rng(seed)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        record, bug = self.record(kind, name, what, seed), None
        try:
            self.keras.backend.clear_session()
            model = build()
            inputs = self.inputs(name, model, rng)
            model(inputs[0] if len(inputs) == 1 else inputs)
            model.set_weights([rng.uniform(0.4, 1.6, w.shape).astype("float32") if "variance" in v.name else rng.normal(0, 0.6, w.shape).astype("float32")
                               for v, w in zip(model.weights, model.get_weights())])
            if not getattr(model, "inputs", None):
                model.predict(inputs[0] if len(inputs) == 1 else inputs, verbose=0)
            if getattr(model, "optimizer", None) and self.name == "parts":
                model.fit(inputs[0], rng.normal(0, 1, (5, 2)).astype("float32"), epochs=2, batch_size=5, verbose=0)
            weights = model.get_weights()
            output = self.outputs(model, inputs)
            artifact, architecture, h5 = self.save(model, kind, folder)
            record["artifact"], record["load"]["architecture"] = artifact, architecture
            again = self.load_back(folder, kind, artifact, architecture, name)
            if again is None:
                bug = "the writer's own reload does not find a class"
                record["predict"] = None
                self.keep_finding(folder, record, bug, weights, h5)
            elif h5:
                if not again.weights:
                    again(inputs[0] if len(inputs) == 1 else inputs)
                if architecture:
                    again.load_weights(os.path.join(folder, artifact))
                double = self.doubles(build, weights, inputs)
                record["predict"] = self.numbers(output, double)
                back = again.get_weights()
                same = len(back) == len(weights) and all(np.array_equal(a, b) for a, b in zip(back, weights))
                if not same:
                    raise AssertionError("FINDING: the writer's own reload has other weights")
                if not all(np.array_equal(a, b) for a, b in zip(self.outputs(again, inputs), output)):
                    bug = "the writer's own reload predicts otherwise"
                arrays = {f"weight.{i}": w for i, w in enumerate(weights)}
                arrays["names"] = np.array([n.encode() for n in self.names(h5, weights)], dtype="S") if weights else np.zeros(0, "S1")
                save_npz(os.path.join(folder, "weights.npz"), arrays)
                if bug:
                    self.keep_finding(folder, record, bug, None, None)
                else:
                    save_npz(os.path.join(folder, "io.npz"), {
                        **{f"input.{i}": x for i, x in enumerate(inputs)}, **{f"output.{i}": x for i, x in enumerate(output)},
                        **{f"float64.{i}": x for i, x in enumerate(double)}})
        except Exception as error:  # noqa: BLE001: any failure of Keras is told, none stops the others
            shutil.rmtree(folder, ignore_errors=True)
            text = str(error).split("Exception encountered: ")[-1].strip()
            print(f"{case_id}: {type(error).__name__}: {text[:250]}", flush=True)
            return 0
        write_json(os.path.join(folder, "case.json"), record)
        if refused_too and not bug and kind in ("keras-v3", "h5-legacy", "json-v3", "json-legacy"):
            return 1 + self.refused(case_id, kind, family, name, record)
        return 1

    def refused(self, twin, kind, family, name, record):
        """The same file for a reader that was given no classes; what Keras then says is asked in a process of its own."""
        case_id = f"{kind}/reject/{family}/{self.writer}-{name}"
        folder = os.path.join(self.out, case_id)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        shutil.copy(os.path.join(self.out, twin, record["artifact"]), folder)
        record = json.loads(json.dumps(record))
        record.update(title="Refused: the classes are not supplied; " + record["title"], expect="reject", reason=["unsupported"], twin=twin, predict=None, custom_objects=[],
                      edit="The file is the same; its custom objects are not supplied.")
        write_json(os.path.join(folder, "case.json"), record)
        complaint = self.asked.ask(kind="json" if kind.startswith("json") else "whole", path=os.path.join(folder, record["artifact"]))["complaint"]
        print(f"{case_id}: {complaint or 'UNEXPECTED: accepted'}", flush=True)
        return 1

    def numbers(self, output, double):
        bounds = [bound_of(a, b) for a, b in zip(output, double)]
        return {"bound": "stated", "atol": [atol for _, _, atol in bounds], "rtol": 0, "reason": REASON, "spread": [spread for spread, _, _ in bounds],
                "scale": [scale for _, scale, _ in bounds], "second": "float64 tensorflow", "float64_atol": [1e-9 * scale for _, scale, _ in bounds], "kinks": None}

    def record(self, kind, name, what, seed):
        return {
            "schema": "kassay-case/1", "title": TITLES[self.name] + what, "format": kind, "since": "0.1", "revision": 1, "artifact": "",
            "load": {"architecture": None, "initial": None, "options": {}},
            "writer": {"keras": self.version, "backend": "tensorflow " + tf.__version__, "h5py": h5py.__version__, "python": "%d.%d" % sys.version_info[:2],
                       "script": "golden/make/make_custom.py", "seed": seed},
            "level": "MUST", "expect": "accept", "reason": None, "clauses": [], "tags": ["custom"], "cves": [], "predict": None, "train": None,
            "custom_objects": [self.name], "twin": None, "edit": None, "kills": [], "budget": None,
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", required=True)
    parser.add_argument("--out", default="golden")
    parser.add_argument("--only", default="*")
    parser.add_argument("--module", choices=("guide", "parts"), default="guide")
    parser.add_argument("--kind")
    parser.add_argument("--new", action="store_true", help="only cases that are not there")
    arguments = parser.parse_args()
    maker, count = Maker(arguments.writer, arguments.out, arguments.module), 0
    for name in maker.models:
        for kind in maker.kinds():
            if fnmatch.fnmatch(name, arguments.only) and arguments.kind in (None, kind):
                family = FAMILIES[maker.name]
                if not (arguments.new and os.path.exists(os.path.join(arguments.out, kind, arguments.writer, family, name))):
                    count += maker.write(name, kind)
    maker.asked.stop()
    print(count, "written")


if __name__ == "__main__":
    main()
