# SPDX-License-Identifier: Apache-2.0
"""What a Keras answers to a file. Each question goes to a process of its own kind, which is ended when it hangs.

As a program (`python ask_keras.py FLAVOUR`, FLAVOUR one of keras, tf_keras, tf.keras, keras1) it reads one JSON document per line and
writes one per line; it runs on Python 3.6 and later. As a module, `Keras(FLAVOUR)` starts it and asks.
"""
import json
import os
import select
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
TIMEOUT = 40


class Keras:
    def __init__(self, flavour, python=None, custom=None):
        self.command = [python or sys.executable, os.path.abspath(__file__), flavour] + ([custom] if custom else [])
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.process.stdout.readline()  # it says that it is ready

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None

    def ask(self, **question):
        """{"complaint": None or text, "weights": path of an npz or None, …}"""
        if not self.process:
            self.start()
        try:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT)
        line = self.process.stdout.readline() if ready else None
        if line:
            return json.loads(line.decode())
        self.stop()
        return {"complaint": "hangs" if line is None else "crashes", "weights": None}


# --- the process that answers -----------------------------------------------------------------------------------------


def load(keras, flavour, question):
    """The model that the question describes, as this Keras reads it."""
    path, kind = question["path"], question["kind"]
    custom = question.get("custom")
    if custom is not None:
        import importlib

        module = importlib.import_module(custom["module"])
        custom = {name: getattr(module, value) for name, value in custom["objects"].items()}
    if kind == "json":
        with open(path, "rb") as file:
            text = file.read().decode("utf-8")
        return keras.models.model_from_json(text, custom_objects=custom)
    if kind == "weights":
        into = question["into"]
        if into.endswith(".json"):
            with open(into, "rb") as file:
                model = keras.models.model_from_json(file.read().decode("utf-8"), custom_objects=custom)
        else:
            model = load(keras, flavour, {"kind": "whole", "path": into, "custom": question.get("custom")})
        if question.get("initial"):
            import numpy as np

            with np.load(question["initial"]) as arrays:
                model.set_weights([arrays["weight.%d" % i] for i in range(len(arrays.files) - ("names" in arrays.files))])
        model.load_weights(path, **question.get("options", {}))
        return model
    if flavour == "keras1":
        return keras.models.load_model(path, custom_objects=custom)
    if flavour == "tf.keras":
        return keras.models.load_model(path, custom_objects=custom, compile=False)
    return keras.models.load_model(path, custom_objects=custom, compile=False, safe_mode=True)


def answer(keras, flavour, question):
    import numpy as np

    try:
        if flavour != "keras1":
            keras.backend.clear_session()
        model = load(keras, flavour, question)
        if not hasattr(model, "get_weights") or not hasattr(model, "layers"):
            return {"complaint": "not a model but %s" % type(model).__name__}
        weights = [np.asarray(w) for w in model.get_weights()]
        if question.get("save"):
            np.savez(question["save"], **{"weight.%d" % i: w for i, w in enumerate(weights)})
        return {"complaint": None, "count": len(weights)}
    except BaseException as error:  # any exception is a refusal
        text = str(error).split("Exception encountered: ")[-1].strip() or "no message"
        return {"complaint": "%s: %s" % (type(error).__name__, text.splitlines()[0][:140])}


def main():
    flavour = sys.argv[1]
    replies = os.fdopen(os.dup(1), "wb")  # Keras prints on standard output
    os.dup2(2, 1)
    if len(sys.argv) > 2:
        sys.path.insert(0, sys.argv[2])
    if flavour == "tf_keras":
        import tf_keras as keras
    elif flavour == "tf.keras":
        from tensorflow import keras
    else:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import keras
    replies.write(b"{}\n")
    replies.flush()
    for line in sys.stdin:
        replies.write(json.dumps(answer(keras, flavour, json.loads(line))).encode() + b"\n")
        replies.flush()


if __name__ == "__main__":
    main()
