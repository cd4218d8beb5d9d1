# SPDX-License-Identifier: Apache-2.0
"""Writes cases of damaged files, each one edit away from its twin and shown to the Keras of its generation."""
import fnmatch
import io
import json
import os
import shutil
import sys
import tempfile

import h5py
import numpy as np
from ask_keras import Keras
from golden_files import save_npz

GOLDEN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MALFORMED = ["malformed"]
REFUSED = ["malformed", "unsupported"]
ONLY = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else "*"
NEW = "--new" in sys.argv  # only cases that are not there
ANY = ["accepted", "malformed", "unsupported"]


class Bench:
    """Files of one kind, and the Keras that answers for them."""

    def __init__(self, script, flavour, version, seed=7, python=None, backend=None, python_version="3.11", h5py_version=None):
        self.keras, self.problems, self.counts = Keras(flavour, python), [], {}
        self.writer = {
            "keras": version, "backend": backend or "tensorflow", "h5py": h5py_version or h5py.__version__, "python": python_version,
            "script": "golden/make/" + script, "seed": seed,
        }

    def question(self, folder, kind, artifact, load):
        path = os.path.join(folder, artifact)
        if kind in ("json-v3", "json-legacy"):
            return {"kind": "json", "path": path}
        if load["architecture"]:
            return {"kind": "weights", "path": path, "into": os.path.join(folder, load["architecture"])}
        return {"kind": "whole", "path": path}

    def write(self, case_id, files, artifact, title, expect, reason=None, twin=None, edit=None, tags=(), architecture=None,
              answer=None, unsafe=False):
        """`answer`: what Keras says where it differs from `expect` ("accepts", "refuses"); `unsafe`: not shown to Keras."""
        kind, folder = case_id.split("/")[0], os.path.join(GOLDEN, case_id)
        if not fnmatch.fnmatch(case_id, ONLY) or (NEW and os.path.exists(os.path.join(folder, "case.json"))):
            return
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for name, data in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        load = {"architecture": architecture, "initial": None, "options": {}}
        complaint = "not asked" if unsafe else self.ask(folder, kind, artifact, load, expect, case_id)
        accepted = complaint is None
        print("%-72s %-7s %s" % (case_id, expect, "accepted" if accepted else complaint), flush=True)
        wanted = {"accepts": True, "refuses": False}.get(answer, accepted if expect == "either" else expect == "accept")
        if not unsafe and accepted != wanted:
            self.problems.append("%s: %s" % (case_id, "accepted" if accepted else complaint))
        if expect == "either":
            edit = (edit or "").rstrip(".") + "; %s %s" % ("Keras " + self.writer["keras"], "accepts it." if accepted else "refuses it: " + complaint + ".")
        case = {
            "schema": "kassay-case/1", "title": title, "format": kind, "since": "0.1", "revision": 1,
            "artifact": artifact, "load": load, "writer": self.writer,
            "level": "MAY" if expect == "either" else "MUST", "expect": expect, "reason": reason,
            "clauses": [], "tags": list(tags), "cves": [], "predict": None, "train": None, "custom_objects": [],
            "twin": twin, "edit": edit, "kills": [], "budget": None,
        }
        with open(os.path.join(folder, "case.json"), "w") as file:
            json.dump(case, file, indent=2)
            file.write("\n")
        self.counts[expect] = self.counts.get(expect, 0) + 1

    def ask(self, folder, kind, artifact, load, expect, case_id):
        """Keras's complaint or None; an accept case keeps the weights that Keras then has."""
        with tempfile.TemporaryDirectory() as scratch:
            save = os.path.join(scratch, "weights.npz") if expect == "accept" and kind not in ("json-v3", "json-legacy") else None
            complaint = self.keras.ask(save=save, **self.question(folder, kind, artifact, load))["complaint"]
            if save and complaint is None:
                with np.load(save) as arrays:
                    save_npz(os.path.join(folder, "weights.npz"), {name: arrays[name] for name in arrays.files})
        return complaint.replace(folder + os.sep, "") if complaint else None

    def close(self):
        self.keras.stop()
        print(self.counts)
        for problem in self.problems:
            print("UNEXPECTED", problem)
        return 1 if self.problems else 0


# --- edits of HDF5 files ----------------------------------------------------------------------------------------------


def edited(data, edit):
    """The file after `edit(file)`, in memory."""
    stream = io.BytesIO(data)
    with h5py.File(stream, "r+") as file:
        edit(file)
    return stream.getvalue()


def attribute(place, name, value):
    def edit(file):
        del file[place].attrs[name]
        file[place].attrs[name] = value

    return edit


def without_attribute(place, name):
    def edit(file):
        del file[place].attrs[name]

    return edit


def config_edit(change):
    """An edit of the JSON in model_config: `change(config)` in place, or returning another document."""

    def edit(file):
        text = file.attrs["model_config"]
        config = json.loads(text if isinstance(text, str) else text.decode())
        other = change(config)
        attribute("/", "model_config", json.dumps(config if other is None else other).encode())(file)

    return edit


def dataset(path, make):
    """`make(old)` in place of a dataset: an array, or a function of (parent, name)."""

    def edit(file):
        old = file[path][()]
        parent, name = file[path].parent, path.split("/")[-1]
        del parent[name]
        new = make(old)
        if callable(new):
            new(parent, name)
        else:
            parent.create_dataset(name, data=new)

    return edit


def several(*edits):
    def edit(file):
        for one in edits:
            one(file)

    return edit


# --- edits of JSON ----------------------------------------------------------------------------------------------------


def find(config, *path):
    """A name in a list means the layer called so."""
    for step in path:
        if isinstance(config, list) and isinstance(step, str):
            config = next(item for item in config if (item.get("config") or {}).get("name") == step)
        else:
            config = config[step]
    return config


def put(path, key, value):
    """Sets `key` at the place `path`, a tuple."""

    def edit(config):
        find(config, *path)[key] = json.loads(json.dumps(value))

    return edit


def drop(path, key):
    def edit(config):
        del find(config, *path)[key]

    return edit
