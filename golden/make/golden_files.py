"""What every generator of golden cases shares: when numbers can see a bug, and files that are equal when their content is.

Runs under every Python of the writers, from 3.6 on.
"""

import io
import json
import zipfile

import numpy as np

REASON = (
    "max(8 x spread, 2e-6 x scale): spread is the largest difference between the float32 outputs and those of the same "
    "model in float64, scale the largest float64 output"
)


class Refused(Exception):
    """The case's numbers could not see a bug, or Keras does not load its own file."""


def bound_of(out, ref):
    """(spread, scale, atol) of one output, float32 and float64."""
    if out.shape != ref.shape:
        raise Refused("float64 gives shape %s, float32 %s" % (ref.shape, out.shape))
    if out.dtype.kind != "f":
        if not np.array_equal(out, ref):
            raise Refused("integer outputs differ in float64")
        return 0.0, float(np.max(np.abs(ref))), 0.0
    if ref.dtype != np.float64:
        raise Refused("the second number source computed in %s" % ref.dtype)
    if not np.all(np.isfinite(ref)):
        raise Refused("not finite")
    if ref.size > 1 and np.all(ref == ref.flat[0]):
        raise Refused("constant output")
    if out.dtype == np.float32 and np.array_equal(out.astype("float64"), ref) and not np.array_equal(ref, ref.astype("float32")):
        raise Refused("float64 numbers equal float32 ones")
    spread, scale = float(np.max(np.abs(out - ref))), float(np.max(np.abs(ref)))
    atol = max(8 * spread, 2e-6 * scale)
    if atol > 1e-5 * scale:
        raise Refused("bound %.3g is loose at scale %.3g" % (atol, scale))
    return spread, scale, atol


def check_numbers(outputs, doubles, inputs, shapes):
    """([spread], [scale], [atol]) of the outputs; `shapes` are those of the weights."""
    batch = len(inputs[0])
    sizes = {int(size) for shape in shapes for size in shape}
    if batch < 2 or batch in sizes:
        raise Refused("batch %d is a dimension of the model %s" % (batch, sorted(sizes)))
    bounds = [bound_of(out, ref) for out, ref in zip(outputs, doubles)]
    return [b[0] for b in bounds], [b[1] for b in bounds], [b[2] for b in bounds]


def save_npz(path, arrays):
    """As np.savez, with fixed dates: equal arrays give equal files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.array(array, order="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), data.getvalue())


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=1)
        file.write("\n")
