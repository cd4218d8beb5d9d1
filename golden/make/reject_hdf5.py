#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cases about the HDF5 file of weights: other encodings of the same weights, which must load, and damaged files, each one
edit away from its twin.

    python golden/make/reject_hdf5.py            in an environment with Keras 3.15.1

Reads golden/weights-v3/keras-3.15.1/core/dense (one Dense layer, kernel (6, 4) and bias (4,)) and writes
    golden/weights-v3/hdf5/NAME/           the same weights, stored in another way
    golden/weights-v3/reject/hdf5/NAME/    refused, or ("either") answered differently

Keras's own load_weights is shown every file, in a process of its own, and its answer must be the expected one.
"""
import io
import json
import multiprocessing
import os
import shutil
import struct
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "numpy"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

GOLDEN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BASE = "weights-v3/keras-3.15.1/core/dense"
VARS = "layers/dense/vars"
WRITER = {
    "keras": keras.__version__,
    "backend": "numpy " + np.__version__,
    "h5py": h5py.__version__,
    "python": "%d.%d" % sys.version_info[:2],
    "script": "golden/make/reject_hdf5.py",
    "seed": 0,
}
problems = []


# ------------------------------------------------------------------------------------------------------ Keras's answer


def load(path, architecture, pipe):
    try:
        model = keras.models.model_from_json(architecture)
        model.load_weights(path)
        pipe.send((None, [np.asarray(weight) for weight in model.get_weights()]))
    except Exception as error:  # any exception is a refusal
        text = str(error).strip()
        pipe.send((type(error).__name__ + ": " + (text.splitlines()[0][:90] if text else ""), None))


def keras_answer(data):
    """(None, weights) when Keras loads the file, else (complaint, None)."""
    with open(os.path.join(GOLDEN, BASE, "architecture.json")) as file:
        architecture = file.read()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.weights.h5")
        with open(path, "wb") as file:
            file.write(data)
        ours, theirs = multiprocessing.Pipe(False)
        child = multiprocessing.Process(target=load, args=(path, architecture, theirs))
        child.start()
        theirs.close()
        try:
            answer = ours.recv() if ours.poll(60) else ("hangs", None)
        except EOFError:
            answer = ("crashes", None)
        child.kill()
        child.join()
        return answer


# ------------------------------------------------------------------------------------------------------------- writing


def base_bytes():
    with open(os.path.join(GOLDEN, BASE, "model.weights.h5"), "rb") as file:
        return file.read()


KERNEL, BIAS = None, None


def rewrite(fill, libver=None):
    """A file with the tree that Keras writes, whose variables `fill(group)` puts into the layer's group."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", libver=libver) as file:
        file.create_group("vars").attrs["name"] = "functional"
        file.create_group("layers/input_layer/vars").attrs["name"] = "input_layer"
        group = file.create_group(VARS)
        group.attrs["name"] = "dense"
        fill(group)
    return stream.getvalue()


def plain(group):
    group["0"] = KERNEL
    group["1"] = BIAS


def stored(kernel, **options):
    """The kernel is stored with these options, the bias as always."""

    def fill(group):
        group.create_dataset("0", data=KERNEL if kernel is None else kernel, **options)
        group["1"] = BIAS

    return fill


def instead(make, bias=True):
    """`make(group)` puts something in the kernel's place."""

    def fill(group):
        make(group)
        if bias:
            group["1"] = BIAS

    return fill


def compact(group):
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_layout(h5py.h5d.COMPACT)
    dataset = h5py.h5d.create(group.id, b"0", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((6, 4)), creation)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, KERNEL)
    group["1"] = BIAS


def hard_link(group):
    group.file["elsewhere"] = KERNEL
    group["0"] = group.file["elsewhere"]
    group["1"] = BIAS


def attributes(group):
    plain(group)
    for i in range(20):
        group.attrs["a%d" % i] = i


def userblock(data):
    """The file behind 512 bytes of the user's: addresses count from the superblock, which is what the base address is for."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", userblock_size=512) as file, h5py.File(io.BytesIO(data), "r") as old:
        for name in old:
            old.copy(name, file)
    return b"notes".ljust(512, b".") + stream.getvalue()[512:]


LATEST = ("v110", "v110")
ACCEPT = [
    ("latest", lambda: rewrite(plain, LATEST), "superblock 3, new-style groups and object headers with checksums"),
    ("v108", lambda: rewrite(plain, ("v108", "v108")), "superblock 2"),
    ("chunked", lambda: rewrite(stored(None, chunks=(4, 3))), "the kernel in chunks that its shape does not fill"),
    ("deflate", lambda: rewrite(stored(None, chunks=(6, 4), compression="gzip")), "the kernel deflated"),
    ("shuffle-deflate-fletcher32", lambda: rewrite(stored(None, chunks=(4, 2), compression="gzip", shuffle=True,
                                                          fletcher32=True)), "the kernel through three filters"),
    ("fletcher32", lambda: rewrite(stored(None, chunks=(6, 4), fletcher32=True)), "the kernel with a checksum"),
    ("latest-fixed-array", lambda: rewrite(stored(None, chunks=(2, 2)), LATEST), "chunks in a fixed array"),
    ("latest-extensible-array", lambda: rewrite(stored(None, chunks=(2, 2), maxshape=(None, 4)), LATEST),
     "chunks in an extensible array"),
    ("latest-tree", lambda: rewrite(stored(None, chunks=(2, 2), maxshape=(None, None)), LATEST),
     "chunks in a version 2 B-tree"),
    ("latest-single", lambda: rewrite(stored(None, chunks=(6, 4), compression="gzip"), LATEST), "one chunk, deflated"),
    ("big-endian", lambda: rewrite(stored(None, dtype=">f4")), "the kernel in big-endian floats"),
    ("float64", lambda: rewrite(stored(None, dtype="f8")), "the kernel in float64, which Keras casts"),
    ("compact", lambda: rewrite(compact), "the kernel in its object header"),
    ("hard-link", lambda: rewrite(hard_link), "the kernel under two names"),
    ("userblock", lambda: userblock(base_bytes()), "512 bytes of the user's before the superblock"),
    ("dense-attributes", lambda: rewrite(attributes, LATEST), "so many attributes that they are in a heap"),
]


# --------------------------------------------------------------------------------------------------------- byte edits


def lookup3(data):
    """Jenkins's hash, as HDF5 uses it."""
    mask = 0xFFFFFFFF

    def rot(value, bits):
        return ((value << bits) | (value >> (32 - bits))) & mask

    a = b = c = (0xDEADBEEF + len(data)) & mask
    parts = [data[i : i + 12] for i in range(0, len(data), 12)]
    for number, part in enumerate(parts):
        x, y, z = struct.unpack("<III", part.ljust(12, b"\0"))
        a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
        if number + 1 < len(parts):
            for first, second in ((4, 6), (16, 19)):
                turns = (4, 6, 8) if first == 4 else (16, 19, 4)
                a = ((a - c) ^ rot(c, turns[0])) & mask
                c = (c + b) & mask
                b = ((b - a) ^ rot(a, turns[1])) & mask
                a = (a + c) & mask
                c = ((c - b) ^ rot(b, turns[2])) & mask
                b = (b + a) & mask
    for target, other, bits in (("c", "b", 14), ("a", "c", 11), ("b", "a", 25), ("c", "b", 16), ("a", "c", 4),
                                ("b", "a", 14), ("c", "b", 24)):
        values = {"a": a, "b": b, "c": c}
        values[target] = ((values[target] ^ values[other]) - rot(values[other], bits)) & mask
        a, b, c = values["a"], values["b"], values["c"]
    return c


def patch(data, at, new):
    return data[:at] + bytes(new) + data[at + len(new) :]


def nth(data, pattern, index=0):
    at = -1
    for _ in range(index + 1):
        at = data.index(pattern, at + 1)
    return at


def change(pattern, offset, new, index=0):
    """New bytes `offset` behind the start of a pattern."""

    def edit(data):
        old_at = nth(data, pattern, index) + offset
        assert data[old_at : old_at + len(new)] != bytes(new)
        return patch(data, old_at, new)

    return edit


def flip(pattern, offset, index=0):
    def edit(data):
        at = nth(data, pattern, index) + offset
        return patch(data, at, [data[at] ^ 0x01])

    return edit


def own_child(data):
    """The root group's B-tree node becomes an inner node that is its own child."""
    at = nth(data, b"TREE")
    return patch(patch(data, at + 5, [1]), at + 32, struct.pack("<Q", at))


def marked_open(data):
    """The flags of the superblock say that someone writes the file; its checksum fits."""
    data = patch(data, 11, [1])
    return patch(data, 44, struct.pack("<I", lookup3(data[:44])))


def kernel_address(new):
    """The address in the kernel's layout message."""

    def edit(data):
        with h5py.File(io.BytesIO(data), "r") as file:
            old = struct.pack("<Q", file[VARS]["0"].id.get_offset())
        return patch(data, nth(data, b"\x03\x01" + old) + 2, struct.pack("<Q", new))

    return edit


DEFLATE_MESSAGE = b"\x01\x00\x08\x00\x01\x00\x01\x00deflate\x00"
SIGNATURE = b"\x89HDF"

# name, twin (None: the base), edit of the twin's bytes, acceptable reasons, what the edit does
BYTE_EDITS = [
    ("empty", None, lambda d: b"", ["malformed"], "all bytes are removed"),
    ("bad-signature", None, change(SIGNATURE, 0, b"x"), ["malformed"], "the first byte of the signature is changed"),
    ("text-mode", None, lambda d: d.replace(b"\r\n", b"\n", 1), ["malformed"],
     "a carriage return is removed, as a transfer in text mode does"),
    ("truncated", None, lambda d: d[:-100], ["malformed"], "the last 100 bytes are removed"),
    ("truncated-half", None, lambda d: d[: len(d) // 2], ["malformed"], "the second half is removed"),
    ("superblock-version", None, change(SIGNATURE, 8, [9]), ["unsupported", "malformed"], "the superblock says version 9"),
    ("address-size", None, change(SIGNATURE, 13, [3]), ["unsupported", "malformed"], "addresses are said to have 3 bytes"),
    ("root-outside", None, change(SIGNATURE, 64, struct.pack("<Q", 1 << 40)), ["malformed"],
     "the root group's address lies outside the file"),
    ("checksum-superblock", "latest", flip(SIGNATURE, 44), ["malformed"], "a bit of the superblock's checksum is changed"),
    ("checksum-root", "latest", flip(b"OHDR", 8), ["malformed"], "a bit of the root group's header is changed"),
    ("open-for-writing", "latest", marked_open, ["malformed"], "the superblock says that the file is being written"),
    ("tree-signature", None, change(b"TREE", 0, b"FREE"), ["malformed"], "the root group's B-tree has another signature"),
    ("tree-own-child", None, own_child, ["malformed"], "the root group's B-tree node is its own child"),
    ("tree-too-many", None, change(b"TREE", 6, b"\xff\xff"), ["malformed"],
     "the root group's B-tree node says it has 65535 entries"),
    ("heap-signature", None, change(b"HEAP", 0, b"LEAP"), ["malformed"], "the root group's heap has another signature"),
    ("heap-outside", None, change(b"HEAP", 24, struct.pack("<Q", 1 << 40)), ["malformed"],
     "the data of the root group's heap lies outside the file"),
    ("name-outside", None, change(b"SNOD", 8, struct.pack("<Q", 1 << 20)), ["malformed"],
     "the name of a group lies outside its heap"),
    ("symbols-signature", None, change(b"SNOD", 0, b"SNOB"), ["malformed"], "a symbol table node has another signature"),
    ("data-outside", None, kernel_address(1 << 40), ["malformed"], "the kernel's elements lie outside the file"),
    ("deflate-broken", "deflate", flip(b"\x78\x5e", 10), ["malformed"], "a bit of the deflated kernel is changed"),
    ("filter-unknown", "deflate", change(DEFLATE_MESSAGE, 0, [0, 2]), ["unsupported"],
     "the kernel's filter has a number that nobody knows"),
    ("fletcher32-wrong", "fletcher32", lambda d: flip(KERNEL.tobytes()[:16], 3)(d), ["malformed"],
     "a bit of an element is changed, its checksum is not"),
]


def external_link(group):
    group["0"] = h5py.ExternalLink("other.h5", "/kernel")


def external_storage(group):
    group.create_dataset("0", (6, 4), "f4", external=[("other.bin", 0, 96)])


def virtual(group):
    layout = h5py.VirtualLayout(shape=(6, 4), dtype="f4")
    layout[...] = h5py.VirtualSource("other.h5", "kernel", shape=(6, 4))
    group.create_virtual_dataset("0", layout)


def soft_link(group):
    group.file["elsewhere"] = KERNEL
    group["0"] = h5py.SoftLink("/elsewhere")


def soft_link_to_group(data_group):
    plain(data_group.file.create_group("elsewhere"))
    parent = data_group.parent
    del parent["vars"]
    parent["vars"] = h5py.SoftLink("/elsewhere")


def dangling(group):
    group["0"] = h5py.SoftLink("/nowhere")


def circle(group):
    group["0"] = group


def huge(group):
    group.create_dataset("0", (1 << 40, 4), "f4", chunks=(1 << 10, 4))


def without_layer(group):
    parent = group.parent.parent
    del parent["dense"]


# name, what is put into the file, bias too, acceptable reasons (or the answers seen), what is done
STRUCTURE_EDITS = [
    ("external-link", external_link, True, ["unsafe"], "the kernel is a link into another file"),
    ("external-storage", external_storage, True, ["unsafe"], "the kernel's elements are in another file"),
    ("virtual", virtual, True, ["unsafe"], "the kernel is a virtual dataset over another file"),
    ("soft-link", soft_link, True, ["unsupported", "malformed"], "the kernel is a soft link to a dataset of this file"),
    ("soft-link-to-group", soft_link_to_group, False, ["unsupported", "malformed"],
     "the layer's group is a soft link to a group of this file"),
    ("soft-link-dangling", dangling, True, ["unsupported", "malformed"], "the kernel is a soft link to nothing"),
    ("group-for-dataset", lambda g: g.create_group("0"), True, ["malformed"], "the kernel is a group"),
    ("group-own-child", circle, True, ["malformed"], "the kernel is a hard link to its own group"),
    ("wrong-shape", lambda g: g.create_dataset("0", data=KERNEL[:, :3]), True, ["malformed"], "a column of the kernel is missing"),
    ("transposed", lambda g: g.create_dataset("0", data=np.ascontiguousarray(KERNEL.T)), True, ["malformed"],
     "the kernel is transposed"),
    ("wrong-rank", lambda g: g.create_dataset("0", data=KERNEL.reshape(-1)), True, ["malformed"], "the kernel is a vector"),
    ("huge", huge, True, ["malformed", "over-limit"], "the kernel has 2^40 rows, none of them written"),
    ("strings", lambda g: g.create_dataset("0", data=np.full((6, 4), b"one")), True, ["malformed", "unsupported"],
     "the kernel's elements are strings"),
    ("compound", lambda g: g.create_dataset("0", (6, 4), np.dtype([("a", "f4"), ("b", "i4")])), True,
     ["malformed", "unsupported"], "the kernel's elements are records"),
    ("null", lambda g: g.create_dataset("0", data=h5py.Empty("f4")), True, ["malformed"], "the kernel has no elements at all"),
    ("missing-bias", lambda g: g.create_dataset("0", data=KERNEL), False, ["malformed"], "the bias is missing"),
    ("missing-layer", without_layer, False, ["malformed"], "the layer's group is missing"),
    ("one-more", lambda g: (plain(g), g.create_dataset("2", data=BIAS)), False, ["malformed"], "there is a third variable"),
    ("lzf", lambda g: g.create_dataset("0", data=np.zeros_like(KERNEL), chunks=(6, 4), compression="lzf"), True,
     ["unsupported"], "the kernel goes through a filter of h5py's own"),
]


def write_case(path, data, title, expect, reason=None, twin=None, edit=None, source=None):
    complaint, weights = keras_answer(data)
    accepted = complaint is None
    if expect == "reject" and accepted:
        expect, reason = "either", ["accepted"] + reason
    print("%-48s %-7s %s" % (path, expect, "accepted" if accepted else complaint))
    folder = os.path.join(GOLDEN, path)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    base = os.path.join(GOLDEN, BASE)
    shutil.copy(os.path.join(base, "architecture.json"), folder)
    with open(os.path.join(base, "case.json")) as file:
        case = json.load(file)
    if expect == "accept":
        if not accepted or not all(np.array_equal(a, b) for a, b in zip(weights, (KERNEL, BIAS))):
            problems.append(path)
        for name in ("io.npz", "weights.npz", "structure.json"):
            shutil.copy(os.path.join(base, name), folder)
    else:
        case["predict"] = None
    with open(os.path.join(folder, "model.weights.h5"), "wb") as file:
        file.write(data)
    case.update(title=title, writer=WRITER, expect=expect, reason=reason, tags=["hdf5"], twin=twin, edit=edit,
                level="MAY" if expect == "either" else "MUST")
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(case, file, indent=2)
        file.write("\n")


def main():
    global KERNEL, BIAS
    with h5py.File(io.BytesIO(base_bytes()), "r") as file:
        KERNEL, BIAS = file[VARS]["0"][()], file[VARS]["1"][()]
    twins = {None: (BASE, base_bytes())}
    for name, make, text in ACCEPT:
        path = "weights-v3/hdf5/" + name
        twins[name] = (path, make())
        write_case(path, twins[name][1], "Weights of another HDF5 writer: " + text, "accept")
    for name, twin, edit, reasons, text in BYTE_EDITS:
        path, data = twins[twin]
        write_case("weights-v3/reject/hdf5/" + name, edit(data), "Refused: " + text, "reject", reasons, path, text + ".")
    for name, make, bias, reasons, text in STRUCTURE_EDITS:
        write_case("weights-v3/reject/hdf5/" + name, rewrite(instead(make, bias)), "Refused: " + text, "reject", reasons,
                   BASE, text + ".")
    for path in problems:
        print("unexpected:", path)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
