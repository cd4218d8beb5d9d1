#!/usr/bin/env python3
"""Adapter for the standalone Keras 2.2 and 2.3 (TensorFlow backend): `kassay verify --adapter 'python keras_2.py'`.

A peer for what is written in the older formats; it gives weights and outputs.
"""

import os
import sys

# In this folder a file has the name of the package that is loaded here.
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path = [path for path in sys.path if os.path.abspath(path or ".") != HERE]

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras  # noqa: E402

sys.path.append(HERE)
import kassay_adapter  # noqa: E402

SESSION = 20  # requests between two clear_session: everything goes into one graph


class Keras2(kassay_adapter.Adapter):
    name = "keras"
    version = keras.__version__
    formats = ("h5-legacy", "h5-weights-legacy", "json-legacy")
    writes = ("h5-legacy", "h5-weights-legacy", "json-legacy")
    gives = ("weights", "outputs")
    extra = {"accumulation": "float32"}

    def __init__(self):
        self.served = 0

    def read(self, request):
        path, kind = request["file"], request["format"]
        if kind == "json-legacy":
            return self.read_json(path)
        if not request["architecture"]:
            return keras.models.load_model(path, compile=False)
        model = self.read_json(request["architecture"])
        if request["initial"]:
            model.set_weights(kassay_adapter.load_arrays(request["initial"], "weight"))
        model.load_weights(path, **request["options"])
        return model

    def read_json(self, path):
        with open(path) as file:
            return keras.models.model_from_json(file.read())

    def weights(self, model):
        return model.get_weights()

    def outputs(self, model, inputs):
        outputs = model.predict(inputs, batch_size=len(inputs[0]))
        return outputs if isinstance(outputs, list) else [outputs]

    def write(self, model, to, out):
        if to == "h5-legacy":
            model.save(out)
        elif to == "h5-weights-legacy":
            model.save_weights(out)
        elif to == "json-legacy":
            with open(out, "w") as file:
                file.write(model.to_json())
        else:
            raise kassay_adapter.Unsupported("writing " + to)

    def rest(self):
        self.served += 1
        if self.served % SESSION == 0:
            keras.backend.clear_session()


if __name__ == "__main__":
    sys.exit(kassay_adapter.main(Keras2()))
