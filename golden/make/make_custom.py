"""Makes golden cases of models with custom objects (golden/custom), in every format that this Keras can hold them in.

    python golden/make/make_custom.py --writer keras-3.15.1|keras-3.9.2|tf-2.15.1|tf-2.9.3 [--out golden] [--only GLOB]

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


def seed_of(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


class Maker:
    def __init__(self, writer, out):
        self.writer, self.out, self.three = writer, out, writer.startswith("keras-3")
        if self.three:
            import keras
        else:
            keras = tf.keras
        self.keras, self.asked = keras, Keras("keras" if self.three else "tf.keras")
        if writer.startswith("tf-2.9"):
            import r_edition

            self.module, self.name, self.models = r_edition, "r_edition", r_models(keras, r_edition)
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
            model(inputs.astype("float64"))
            model.set_weights([w.astype("float64") for w in weights])
            return np.array(model.predict(inputs.astype("float64"), batch_size=len(inputs), verbose=0))
        finally:
            keras.backend.set_floatx("float32")
            policy("float32")

    def write(self, name, kind):
        build, refused_too, what = self.models[name]
        family = "custom" if self.name == "guide" else "r-edition"
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
            steps = (7, 4) if name == "inside-wrapper" else (4,)
            inputs = rng.normal(0, 1, (5, *steps)).astype("float32")
            model(inputs)
            model.set_weights([rng.uniform(0.4, 1.6, w.shape).astype("float32") if "variance" in v.name else rng.normal(0, 0.6, w.shape).astype("float32")
                               for v, w in zip(model.weights, model.get_weights())])
            if not getattr(model, "inputs", None):
                model.predict(inputs, verbose=0)
            weights = model.get_weights()
            output = np.array(model.predict(inputs, batch_size=5, verbose=0))
            artifact, architecture, h5 = self.save(model, kind, folder)
            record["artifact"], record["load"]["architecture"] = artifact, architecture
            again = self.load(folder, kind, artifact, architecture, self.module.CUSTOM_OBJECTS)
            if h5:
                if not again.weights:
                    again(inputs)
                if architecture:
                    again.load_weights(os.path.join(folder, artifact))
                double = self.doubles(build, weights, inputs)
                record["predict"] = self.numbers(output, double)
                back = again.get_weights()
                same = len(back) == len(weights) and all(np.array_equal(a, b) for a, b in zip(back, weights))
                if not same:
                    raise AssertionError("FINDING: the writer's own reload has other weights")
                if not np.array_equal(np.array(again.predict(inputs, batch_size=5, verbose=0)), output):
                    bug = "the writer's own reload predicts otherwise"
                arrays = {f"weight.{i}": w for i, w in enumerate(weights)}
                arrays["names"] = np.array([n.encode() for n in self.names(h5, weights)], dtype="S") if weights else np.zeros(0, "S1")
                save_npz(os.path.join(folder, "weights.npz"), arrays)
                if bug:
                    record["predict"] = None
                    record.update(expect="either", level="MAY", reason=["accepted", "malformed", "unsupported"], tags=record["tags"] + ["writer-bug"])
                    record["title"] += ". Writer bug: " + bug
                else:
                    save_npz(os.path.join(folder, "io.npz"), {"input.0": inputs, "output.0": output, "float64.0": double})
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
        spread, scale, atol = bound_of(output, double)
        return {"bound": "stated", "atol": [atol], "rtol": 0, "reason": REASON, "spread": [spread], "scale": [scale], "second": "float64 tensorflow",
                "float64_atol": [1e-9 * scale], "kinks": None}

    def record(self, kind, name, what, seed):
        return {
            "schema": "kassay-case/1", "title": ("custom: " if self.name == "guide" else "R keras: ") + what, "format": kind, "since": "0.1", "revision": 1, "artifact": "",
            "load": {"architecture": None, "initial": None, "options": {}},
            "writer": {"keras": self.keras.__version__, "backend": "tensorflow " + tf.__version__, "h5py": h5py.__version__, "python": "%d.%d" % sys.version_info[:2],
                       "script": "golden/make/make_custom.py", "seed": seed},
            "level": "MUST", "expect": "accept", "reason": None, "clauses": [], "tags": ["custom"], "cves": [], "predict": None, "train": None,
            "custom_objects": [self.name], "twin": None, "edit": None, "kills": [], "budget": None,
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", required=True)
    parser.add_argument("--out", default="golden")
    parser.add_argument("--only", default="*")
    parser.add_argument("--kind")
    parser.add_argument("--new", action="store_true", help="only cases that are not there")
    arguments = parser.parse_args()
    maker, count = Maker(arguments.writer, arguments.out), 0
    for name in maker.models:
        for kind in maker.kinds():
            if fnmatch.fnmatch(name, arguments.only) and arguments.kind in (None, kind):
                family = "custom" if maker.name == "guide" else "r-edition"
                if not (arguments.new and os.path.exists(os.path.join(arguments.out, kind, arguments.writer, family, name))):
                    count += maker.write(name, kind)
    maker.asked.stop()
    print(count, "written")


if __name__ == "__main__":
    main()
