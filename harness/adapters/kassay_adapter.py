"""The adapter protocol "kassay-adapter/1" for implementations in Python; README.md beside this file describes it.

A subclass of `Adapter` says what it can and does the work; `main` speaks, in both forms. Nothing but numpy is needed.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import sys

import numpy as np

PROTOCOL = "kassay-adapter/1"
CUSTOM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "golden", "custom")
EXIT = {"accepted": 10, "rejected": 11, "unsupported": 12}


class Unsupported(Exception):
    """The file is valid, or may be, but outside what the implementation reads."""


class Adapter:
    name = version = ""
    formats = ()  # what `read` takes
    writes = ()  # what `write` gives
    gives = ("weights", "outputs", "dump")
    extra = {}  # further keys of hello: layers, choices, accumulation

    def read(self, request):
        """The model in request["file"]. Raises Unsupported, or any exception for a refusal."""
        raise NotImplementedError

    def weights(self, model):
        """Arrays in get_weights() order."""
        raise NotImplementedError

    def outputs(self, model, inputs):
        """Flattened outputs for flat inputs."""
        raise NotImplementedError

    def dump(self, model, request):
        """Those keys of harness/dump.schema.json that the implementation knows."""
        raise NotImplementedError

    def write(self, model, to, out):
        raise NotImplementedError

    def custom_scope(self, objects):
        """A context in which these names are known. Raises Unsupported when there are any and it cannot."""
        if objects:
            raise Unsupported(f"custom objects {sorted(objects)}")
        return contextlib.nullcontext()

    def rest(self):
        """Called after each request: what was registered in it is forgotten here."""


def explain(error):
    """One line of an exception, without the folder of this request."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines)}"[:400]


def custom_objects(names):
    """Those of golden/custom; a fresh import each time, because it registers, too."""
    objects = {}
    for name in names:
        path = os.path.join(CUSTOM, name + ".py")
        if not os.path.exists(path):
            raise Unsupported(f"custom objects {name}")
        spec = importlib.util.spec_from_file_location("kassay_custom_" + name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        objects.update(module.CUSTOM_OBJECTS)
    return objects


def plain(array):
    """Tensors of strings come as objects, which would be pickled."""
    array = np.asarray(array)
    if array.dtype == object:
        strings = [x if isinstance(x, bytes) else x.encode() for x in array.ravel()]
        array = np.array(strings, dtype="S").reshape(array.shape)
    return array


def save_arrays(path, stem, arrays):
    np.savez(path, **{f"{stem}.{i}": plain(array) for i, array in enumerate(arrays)})


def load_arrays(path, stem):
    with np.load(path, allow_pickle=False) as file:
        count = sum(name.startswith(stem + ".") for name in file.files)
        return [file[f"{stem}.{i}"] for i in range(count)]


def give(adapter, model, request):
    """Writes the parts; returns why some could not be given."""

    def weights():
        save_arrays(request["weights"], "weight", adapter.weights(model))

    def dump():
        with open(request["dump"], "w") as file:
            json.dump(adapter.dump(model, request), file)

    def outputs():
        save_arrays(request["outputs"], "output", adapter.outputs(model, load_arrays(request["inputs"], "input")))

    parts = {"weights": weights, "dump": dump, "outputs": outputs}
    failed = {}
    for part in adapter.gives:
        if not request.get(part) or (part == "outputs" and not request.get("inputs")):
            continue
        try:
            parts[part]()
        except Exception as error:
            failed[part] = explain(error)
    return failed


def answer(adapter, request):
    try:
        if request["format"] not in adapter.formats:
            raise Unsupported(f"the format {request['format']}")
        with adapter.custom_scope(custom_objects(request["custom_objects"])):
            model = adapter.read(request)
            if request["verb"] == "write":
                adapter.write(model, request["to"], request["out"])
                failed = {}
            else:
                failed = give(adapter, model, request)
    except Unsupported as error:
        return {"answer": "unsupported", "reason": explain(error)}
    except Exception as error:
        return {"answer": "rejected", "reason": explain(error)}
    finally:
        adapter.rest()
    return {"answer": "accepted", **({"failed": failed} if failed else {})}


def hello(adapter):
    return {
        "protocol": PROTOCOL,
        "name": adapter.name,
        "version": adapter.version,
        "formats": list(adapter.formats),
        "writes": list(adapter.writes),
        "gives": list(adapter.gives),
        **adapter.extra,
    }


def serve(adapter):
    with open(3, "rb") as requests, open(4, "wb", buffering=0) as replies:
        for line in requests:
            request = json.loads(line)
            if request["verb"] == "hello":
                reply = hello(adapter)
            elif request["verb"] in ("read", "write"):
                reply = answer(adapter, request)
            elif request["verb"] == "bye":
                return
            else:
                reply = {"answer": "unsupported", "reason": f"the verb {request['verb']}"}
            replies.write(json.dumps({"seq": request["seq"], **reply}).encode() + b"\n")


def parse(words):
    parser = argparse.ArgumentParser(description="One request: kassay-adapter/1, small form.")
    parser.add_argument("verb", choices=["hello", "read", "write"])
    parser.add_argument("file", nargs="?")
    for option in ("format", "architecture", "initial", "inputs", "outputs", "weights", "dump", "to", "out", "reply"):
        parser.add_argument("--" + option)
    parser.add_argument("--option", action="append", default=[])
    parser.add_argument("--custom", action="append", default=[])
    request = vars(parser.parse_args(words))
    pairs = (option.split("=", 1) for option in request.pop("option"))
    request["options"] = {key: json.loads(value) for key, value in pairs}
    request["custom_objects"] = request.pop("custom")
    return request


def main(adapter):
    if sys.argv[1:] == ["serve"]:
        serve(adapter)
        return 0
    request = parse(sys.argv[1:])
    reply = hello(adapter) if request["verb"] == "hello" else answer(adapter, request)
    with open(request["reply"], "w") as file:
        json.dump(reply, file)
    sys.stdout.flush()
    return EXIT[reply.get("answer", "accepted")]


def named_as(path, suffix):
    """The file under a name that ends so: some implementations look at names only."""
    if path.endswith(suffix):
        return path
    link = path + suffix
    if not os.path.lexists(link):
        os.symlink(path, link)
    return link
