#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does real Keras load what the generator writes, and predict the same?

    build/release/bin/prop_keras_roundtrip --models 40 --write FOLDER          (or prop_training)
    python harness/property/check_with_keras.py FOLDER        (an environment with Keras 3.15.1)

Every FOLDER/NNNN.keras is loaded by Keras; its prediction for NNNN.in.npz must agree with NNNN.out.npz to 1e-5 of the
output's scale, and its weights must be those of the file in the order of the archive's HDF5 paths. Of a compiled model the
optimizer's variables must be those of the file too, in their order. Exit code 0 when at least 20 models were looked at and
all of them agree.
"""

import argparse
import os
import pathlib
import sys
import zipfile
import io

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy  # noqa: E402

LEAST = 20
TOLERANCE = 1e-5


def series(archive, prefix):
    count = sum(name.startswith(prefix + ".") for name in archive.files)
    return [archive[f"{prefix}.{i}"] for i in range(count)]


def datasets(path):
    """All datasets of the archive's weights: {path: array}."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            file.visititems(
                lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
    return found


def check_optimizer(model, saved):
    optimizer = getattr(model, "optimizer", None)  # none of a model that was never compiled
    loaded = [numpy.asarray(variable) for variable in optimizer.variables] if optimizer else []
    if len(loaded) != len(saved):
        return f"Keras's optimizer has {len(loaded)} variables, the file {len(saved)}"
    for i, variable in enumerate(loaded):
        if variable.shape != saved[f"optimizer/vars/{i}"].shape or (variable != saved[f"optimizer/vars/{i}"]).any():
            return f"Keras has another optimizer/vars/{i} than the file"
    return None


def check(path):
    found = datasets(path)
    optimizer = {name: found.pop(name) for name in list(found) if name.startswith("optimizer/")}
    model = keras.saving.load_model(path, compile=bool(optimizer))
    loaded = sorted(numpy.asarray(weight).tobytes() for weight in model.weights if "seed" not in weight.path)
    if loaded != sorted(array.tobytes() for array in found.values()):
        return "Keras has other weights than the file"
    complaint = check_optimizer(model, optimizer)
    if complaint:
        return complaint
    with numpy.load(path.with_suffix(".in.npz")) as archive:
        inputs = [keras.ops.convert_to_tensor(array.astype(object) if array.dtype.kind == "S" else array)
                  for array in series(archive, "input")]
    with numpy.load(path.with_suffix(".out.npz")) as archive:
        ours = series(archive, "output")
    theirs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    theirs = [numpy.asarray(output) for output in keras.tree.flatten(theirs)]
    if len(theirs) != len(ours):
        return f"{len(theirs)} outputs by Keras, {len(ours)} by the reference"
    for i, (a, b) in enumerate(zip(theirs, ours)):
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"output {i} is {a.dtype}{a.shape} by Keras, {b.dtype}{b.shape} by the reference"
        scale = max(1.0, float(numpy.max(numpy.abs(a), initial=0)))
        worst = float(numpy.max(numpy.abs(a.astype("float64") - b), initial=0))
        if not worst <= TOLERANCE * scale:
            return f"output {i} differs by {worst:g} at a scale of {scale:g}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    paths = sorted(folder.glob("*.keras"))
    bad = 0
    for path in paths:
        try:
            complaint = check(path)
        except Exception as error:  # whatever Keras raises is an answer
            complaint = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        if complaint:
            bad += 1
            print(f"{path.name}: {complaint}")
    print(f"Keras {keras.__version__}: {len(paths)} models, {bad} differ")
    return 0 if len(paths) >= LEAST and bad == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
