#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the HDF5 files of corpus/hdf5/ and what is in them, as h5py reads it, to harness/unit/hdf5_listing.txt.

Needs h5py, h5repack and libhdf5 itself. Every structure that the strict reader knows is in one of the files: formats of h5py's library
versions, layouts, chunk indexes, filters, element types, links, attributes.

usage: make_hdf5.py [ROOT OF THE REPOSITORY]
"""
import ctypes
import ctypes.util
import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

ROOT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FOLDER = os.path.join(ROOT, "corpus", "hdf5")
LISTING = os.path.join(ROOT, "harness", "unit", "hdf5_listing.txt")
BOUNDS = {"earliest": ("earliest", "v110"), "v108": ("v108", "v108"), "v110": ("v110", "v110")}


def create(name, libver="earliest", **keywords):
    path = os.path.join(FOLDER, name + ".h5")
    if os.path.exists(path):
        os.remove(path)
    return h5py.File(path, "w", libver=BOUNDS[libver], **keywords)


def numbers(shape, dtype="f4"):
    """Element i is 0.5 i - 3, or i for integers."""
    count = int(np.prod(shape))
    values = np.arange(count)
    if np.dtype(dtype).kind == "f":
        values = values * 0.5 - 3
    return values.astype(dtype).reshape(shape)


def write_keras(libver):
    """The tree of a .weights.h5 file."""
    with create("keras-" + libver, libver) as file:
        for layer, shapes in (("dense", [(3, 4), (4,)]), ("dense_1", [(4, 2), (2,)]), ("input_layer", [])):
            group = file.create_group(f"layers/{layer}/vars")
            group.attrs["name"] = layer
            for i, shape in enumerate(shapes):
                group[str(i)] = numbers(shape)
        group = file.create_group("optimizer/vars")
        group["0"] = np.int64(7)
        group["1"] = np.float32(0.001)
        group["2"] = numbers((0, 3))
        group["10"] = numbers((12,))
        group["3"] = numbers((5,), "f2")
        file.create_group("vars").attrs["name"] = "sequential"


def write_legacy(libver):
    """The attributes of a Keras 2 whole-model file."""
    with create("legacy-" + libver, libver) as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = '{"class_name": "Sequential", "config": {"name": "s\u00e9q", "layers": []}}' * 8
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"dense", b"dense_1", b"a"])
        group.attrs["variable_names"] = ["one", "", "three \u2713"]
        group.attrs["empty"] = np.zeros((0,))
        group.create_group("dense/dense").create_dataset("kernel:0", data=numbers((2, 3)))
        group["dense"].attrs["weight_names"] = np.array([b"dense/kernel:0"])


def write_types(libver):
    with create("types-" + libver, libver) as file:
        for code in "i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8 c8 c16".split():
            for order in "<>":
                dtype = np.dtype(order + code)
                values = numbers((2, 3), "f8") * (1 + 2j if dtype.kind == "c" else 1)
                values = values.real if dtype.kind != "c" else values
                if dtype.kind == "u":
                    values = values + 3
                name = ("le_" if order == "<" else "be_") + code
                file.create_dataset(name, data=values.astype(dtype), dtype=dtype)
        file["bool"] = np.array([[True, False, True]])
        file["scalar"] = np.float64(2.5)
        file["null"] = h5py.Empty("f4")
        file["bfloat16"] = np.arange(6, dtype="<u2").view("V2")
        file["bfloat16"].attrs["dtype"] = "bfloat16"
        file["opaque"] = np.arange(8, dtype="<u2").view("V4")
        file["fixed"] = np.array([b"one", b"", b"three\0x", b"four!!!"], dtype="S8")
        variable = file.create_dataset("variable", (2, 2), dtype=h5py.string_dtype())
        variable[...] = [["alpha", ""], ["\u00e9\u4e16", "z" * 100]]
        file["text"] = "one text"
        for name, pad in (("nullterm", h5py.h5t.STR_NULLTERM), ("spacepad", h5py.h5t.STR_SPACEPAD)):
            kind = h5py.h5t.C_S1.copy()
            kind.set_size(6)
            kind.set_strpad(pad)
            space = h5py.h5s.create_simple((3,))
            dataset = h5py.h5d.create(file.id, name.encode(), kind, space)
            dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([b"ab", b"a b", b"abcde"], dtype="S6"), mtype=kind)
        file["compound"] = np.zeros(2, dtype=[("a", "i4"), ("b", "f8", (2,)), ("name", "S3")])
        file.create_dataset("enum", data=np.array([1, 2], "i4"), dtype=h5py.enum_dtype({"A": 1, "B": 2, "C": 3}, "i4"))
        file.create_dataset("array", (2,), dtype=np.dtype(("f4", (3,))))
        file.create_dataset("ragged", (2,), dtype=h5py.vlen_dtype("i4"))
        file.create_dataset("reference", (2,), dtype=h5py.ref_dtype)
        file["named"] = np.dtype("<f4")
        file.create_dataset("of_named", data=numbers((3,)), dtype=file["named"])
        file.attrs.create("of_named", numbers((2,)), dtype=file["named"])
        file["odd_integer"] = h5py.Empty("i4")
        odd = h5py.h5t.STD_I32LE.copy()
        odd.set_precision(24)
        h5py.h5d.create(file.id, b"integer24", odd, h5py.h5s.create_simple((2,)))


def write_layouts(libver):
    with create("layouts-" + libver, libver) as file:
        make = file.create_dataset
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        dataset = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((4, 2)), compact)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, numbers((4, 2)))
        make("contiguous", data=numbers((4, 2)))
        make("never_written", (2, 3), "f4", fillvalue=1.5)
        make("never_written_zero", (2, 3), "f8")
        make("never_written_chunks", (5, 3), ">i4", chunks=(2, 2), fillvalue=-7)
        make("chunks", data=numbers((7, 5)), chunks=(3, 2))
        make("single", data=numbers((7, 5)), chunks=(7, 5))
        make("single_deflate", data=numbers((7, 5)), chunks=(7, 5), compression="gzip", shuffle=True)
        make("deflate", data=numbers((40, 9), "f8"), chunks=(16, 4), compression="gzip", compression_opts=9)
        make("shuffle", data=numbers((11,), ">f4"), chunks=(4,), shuffle=True)
        make("fletcher", data=numbers((7, 5), "i2"), chunks=(3, 5), fletcher32=True)
        make("fletcher_odd", data=numbers((7,), "u1"), chunks=(3,), fletcher32=True)
        make("all_filters", data=numbers((6, 6, 6)), chunks=(4, 4, 4), compression="gzip", shuffle=True, fletcher32=True)
        make("growing", data=numbers((9, 3)), chunks=(2, 2), maxshape=(None, 3))
        make("growing_second", data=numbers((3, 9)), chunks=(2, 2), maxshape=(3, None), compression="gzip")
        make("growing_both", data=numbers((9, 7)), chunks=(2, 2), maxshape=(None, None))
        make("growing_both_deflate", data=numbers((9, 7)), chunks=(2, 2), maxshape=(None, None), compression="gzip")
        make("room", data=numbers((5, 3)), chunks=(2, 2), maxshape=(10, 20))
        holes = make("holes", (10, 10), "f4", chunks=(2, 3), maxshape=(None, 10), fillvalue=9)
        holes[4:6, 3:5] = 1
        early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        early.set_chunk((2, 2))
        early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        space = h5py.h5s.create_simple((5, 3), (5, 4))
        dataset = h5py.h5d.create(file.id, b"early", h5py.h5t.IEEE_F32LE, space, early)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, numbers((5, 3)))
        skipped = make("masked", (4, 4), "f4", chunks=(2, 2), compression="gzip", shuffle=True)
        skipped[...] = 0
        skipped.id.write_direct_chunk((2, 2), numbers((2, 2)).tobytes(), filter_mask=3)
        texts = make("chunked_text", (5,), h5py.string_dtype(), chunks=(2,))  # a fill value here breaks libhdf5
        texts[1:3] = ["x", "yy"]
        make("never_written_text", (3,), "S4", fillvalue=b"fill")


def write_indexes():
    """Chunk indexes large enough for pages, super blocks and internal nodes."""
    with create("index-fixed-paged", "v110") as file:
        file.create_dataset("paged", data=numbers((2500,), "u2"), chunks=(1,))
        holes = file.create_dataset("paged_holes", (5000,), "u1", chunks=(1,), compression="gzip")
        holes[4000:4003] = 5
    with create("index-extensible", "v110") as file:
        file.create_dataset("rows", data=numbers((3000,), "u2"), chunks=(2,), maxshape=(None,))
        file.create_dataset("columns", data=numbers((2, 300), "u1"), chunks=(1, 2), maxshape=(2, None), compression="gzip")
        far = file.create_dataset("far", (300000,), "u1", chunks=(2,), maxshape=(None,), fillvalue=1)
        far[299999] = 7
        far[131072] = 8
    with create("index-tree2", "v110") as file:
        file.create_dataset("plain", data=numbers((60, 40), "u2"), chunks=(2, 2), maxshape=(None, None))
        file.create_dataset("filtered", data=numbers((20, 20), "u1"), chunks=(2, 2), maxshape=(None, None), shuffle=True)
    with create("index-tree1") as file:
        file.create_dataset("plain", data=numbers((300,), "u2"), chunks=(2,))


def write_links(libver):
    with create("links-" + libver, libver) as file:
        group = file.create_group("g")
        group["data"] = numbers((3,))
        file["hard"] = group["data"]
        file["soft"] = h5py.SoftLink("/g/data")
        file["dangling"] = h5py.SoftLink("/nowhere")
        if libver != "earliest":
            file["external"] = h5py.ExternalLink("other.h5", "/x")
        file["\u00fcml\u00e4ut"] = numbers((1,))
        group["circle"] = file["/"]
        ordered = file.create_group("ordered", track_order=True)
        for name in "zyxab":
            ordered[name] = numbers((1,))


def write_many(libver, count):
    with create("many-" + libver, libver) as file:
        group = file.create_group("vars")
        target = group.create_group("0")
        for i in range(1, count):
            group[str(i)] = target
        long_names = file.create_group("long")
        for i in range(20):
            long_names["n%02d" % i + "x" * 200] = target


def write_attributes(libver):
    with create("attributes-" + libver, libver) as file:
        for i in range(40 if libver != "earliest" else 12):
            file.attrs[f"a{i}"] = numbers((i % 4,))
        few = file.create_group("few")
        few.attrs["complex"] = np.complex64(1 - 2j)
        few.attrs["bool"] = True
        few.attrs["big"] = np.array([1, 2, 3], ">i4")
        few.attrs["texts"] = ["a", "bb", ""]
        few.attrs["null"] = h5py.Empty("S4")
        few.attrs["matrix"] = numbers((2, 3), "f8")
        few.attrs["\u00fc"] = "\u00fc"
        dataset = file.create_dataset("d", data=numbers((2,)))
        for i in range(10):
            dataset.attrs[f"k{i}"] = f"value {i}"
        if libver != "earliest":
            file["d"].attrs["huge"] = numbers((10000,), "f8")
            ordered = file.create_group("ordered", track_order=True)
            for i in range(12):
                ordered.attrs[f"o{11 - i}"] = i


def write_plain_edges():
    """Chunks over the edge are left unfiltered: an option that h5py does not offer, so libhdf5 is called by hand."""
    lib = ctypes.CDLL(ctypes.util.find_library("hdf5_serial"))
    for name in ("H5Pcreate", "H5Fcreate", "H5Screate_simple", "H5Dcreate2"):
        getattr(lib, name).restype = ctypes.c_int64
    lib.H5open()

    def known(name):
        return ctypes.c_int64(ctypes.c_int64.in_dll(lib, name + "_g").value)

    def sizes(*values):
        return (ctypes.c_uint64 * len(values))(*values)

    access = ctypes.c_int64(lib.H5Pcreate(known("H5P_CLS_FILE_ACCESS_ID")))
    lib.H5Pset_libver_bounds(access, 2, 2)
    path = os.path.join(FOLDER, "plain-edges.h5").encode()
    file = ctypes.c_int64(lib.H5Fcreate(path, 2, ctypes.c_int64(0), access))
    data = numbers((6, 7))
    unlimited = 2**64 - 1
    for name, chunk, largest in ((b"fixed", (4, 4), (6, 7)), (b"single", (8, 8), (8, 8)), (b"growing", (4, 4), (unlimited, 7)),
                                 (b"both", (4, 4), (unlimited, unlimited))):
        creation = ctypes.c_int64(lib.H5Pcreate(known("H5P_CLS_DATASET_CREATE_ID")))
        lib.H5Pset_chunk(creation, 2, sizes(*chunk))
        lib.H5Pset_deflate(creation, 6)
        lib.H5Pset_chunk_opts(creation, 2)  # H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS
        space = ctypes.c_int64(lib.H5Screate_simple(2, sizes(6, 7), sizes(*largest)))
        dataset = ctypes.c_int64(lib.H5Dcreate2(file, name, known("H5T_IEEE_F32LE"), space, ctypes.c_int64(0), creation,
                                                ctypes.c_int64(0)))
        every = ctypes.c_int64(0)
        lib.H5Dwrite(dataset, known("H5T_NATIVE_FLOAT"), every, every, every, data.ctypes.data_as(ctypes.c_void_p))
        lib.H5Dclose(dataset)
    lib.H5Fclose(file)


def write_others():
    with create("userblock", userblock_size=1024) as file:
        file["x"] = numbers((4,))
        file.attrs["note"] = "behind a user block"
    path = os.path.join(FOLDER, "userblock.h5")
    with open(path, "r+b") as raw:
        raw.write(b"this belongs to the user\n")
    with create("virtual") as file:
        layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
        layout[...] = h5py.VirtualSource("other.h5", "data", shape=(4,))
        file.create_virtual_dataset("v", layout)
    with create("external") as file:
        file.create_dataset("e", (4,), "f4", external=[("other.bin", 0, 16)])
    with create("filter-unknown") as file:
        file.create_dataset("lzf", data=numbers((8,)), chunks=(4,), compression="lzf")
    with create("nbit", "earliest") as file:
        file.create_dataset("scaled", data=numbers((8,), "i4"), chunks=(4,), scaleoffset=0)
    with create("empty"):
        pass


def repack():
    for source, target, options in (
        ("layouts-earliest", "repack-latest", ["-L"]),
        ("keras-v110", "repack-deflate", ["-m", "1", "-f", "GZIP=1"]),
        ("types-earliest", "repack-types", ["-L", "-f", "NONE"]),
        ("attributes-earliest", "repack-attributes", ["-L", "-c", "2", "-d", "1"]),
    ):
        output = os.path.join(FOLDER, target + ".h5")
        if os.path.exists(output):
            os.remove(output)
        subprocess.run(["h5repack", *options, os.path.join(FOLDER, source + ".h5"), output], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# --- the listing -----------------------------------------------------------------------------------------------------


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return "%016x" % value


def text_bytes(value):
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return bytes(value)


NAMES = {"b1": "bool", "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64", "u1": "uint8", "u2": "uint16",
         "u4": "uint32", "u8": "uint64", "f2": "float16", "f4": "float32", "f8": "float64", "c8": "complex64",
         "c16": "complex128"}


def describe(holder):
    """"dtype shape hash" of a dataset or attribute, through its low-level id."""
    kind = holder.get_type()
    space = holder.get_space()
    if space.get_simple_extent_type() == h5py.h5s.NULL:
        shape = "null"
    else:
        shape = "(" + ",".join(str(n) for n in space.get_simple_extent_dims()) + ")"
    type_class = kind.get_class()
    if type_class == h5py.h5t.STRING:
        return "string", shape
    if type_class == h5py.h5t.OPAQUE:
        return "opaque%d" % kind.get_size(), shape
    if type_class == h5py.h5t.INTEGER and kind.get_precision() != 8 * kind.get_size():
        return "other", shape
    if type_class == h5py.h5t.ENUM and kind.dtype.kind != "b":
        return "other", shape
    if type_class in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM, h5py.h5t.COMPOUND):
        return NAMES.get(kind.dtype.str[1:], "other"), shape
    return "other", shape


def digest(value, dtype):
    if dtype == "string":
        items = np.asarray(value, dtype=object).reshape(-1) if not isinstance(value, (str, bytes)) else [value]
        return fnv(b"".join(len(text_bytes(item)).to_bytes(4, "little") + text_bytes(item) for item in items))
    array = np.asarray(value)
    return fnv(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).tobytes())


def list_attributes(lines, item, path):
    for name in sorted(item.attrs.keys(), key=lambda n: n.encode()):
        dtype, shape = describe(h5py.h5a.open(item.id, name.encode()))
        line = f"A {path}@{name} {dtype} {shape}"
        if dtype != "other" and shape != "null" and not dtype.startswith("opaque"):
            line += " " + digest(item.attrs[name], dtype)
        lines.append(line)


def list_dataset(lines, item, path):
    dtype, shape = describe(item.id)
    line = f"D {path} "
    if dtype == "opaque2" and item.attrs.get("dtype") == "bfloat16":
        dtype = "bfloat16"
    line += f"{dtype} {shape}"
    if is_elsewhere(item):
        line = f"R {path}"
    elif dtype != "other" and shape != "null" and not dtype.startswith("opaque"):
        line += " " + digest(item[()], dtype)
    lines.append(line)


def is_elsewhere(item):
    """Refused by the strict reader: elements of other files, and filters that Keras never uses."""
    try:
        creation = item.id.get_create_plist()
    except RuntimeError:  # libhdf5 2.0.0 loses the mapping of a virtual dataset that it wrote in the same process
        return True
    return creation.get_layout() == h5py.h5d.VIRTUAL or creation.get_external_count() > 0 or b"?" in filters(item)


def filters(item):
    creation = item.id.get_create_plist()
    known = {1: b"deflate", 2: b"shuffle", 3: b"fletcher32"}
    return [known.get(creation.get_filter(i)[0], b"?") for i in range(creation.get_nfilters())]


def list_group(lines, group, path, seen):
    address = h5py.h5o.get_info(group.id).addr
    lines.append(f"G {path or '/'} {len(group)}")
    list_attributes(lines, group, path or "/")
    if address in seen:
        raise AssertionError("a group was listed twice")
    seen.add(address)
    for name in sorted(group.keys(), key=lambda n: n.encode()):
        inner = f"{path}/{name}"
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            lines.append(f"L {inner} " + ("soft" if isinstance(link, h5py.SoftLink) else "external"))
            continue
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            lines.append(f"S {inner}")
        elif isinstance(item, h5py.Group):
            list_group(lines, item, inner, seen)
        else:
            seen.add(address)
            if isinstance(item, h5py.Dataset):
                list_dataset(lines, item, inner)
            else:
                lines.append(f"T {inner}")
            if not lines[-1].startswith("R "):
                list_attributes(lines, item, inner)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for libver in BOUNDS:
        write_keras(libver)
        write_legacy(libver)
        write_types(libver)
        write_layouts(libver)
        write_links(libver)
        write_attributes(libver)
    write_many("earliest", 300)
    write_many("v108", 600)
    write_indexes()
    write_others()
    write_plain_edges()
    repack()
    with open(LISTING, "w", encoding="utf-8") as out:
        out.write("# Made by fuzz/seeds/make_hdf5.py: what h5py finds in each file of corpus/hdf5/.\n")
        for name in sorted(n for n in os.listdir(FOLDER) if n.endswith(".h5")):
            lines = [f"F {name}"]
            # Some reads of h5py need write access: they get it on a copy.
            with tempfile.TemporaryDirectory() as folder:
                copy = shutil.copy(os.path.join(FOLDER, name), folder)
                with h5py.File(copy, "r" if name == "virtual.h5" else "r+") as file:
                    list_group(lines, file, "", set())
            out.write("\n".join(lines) + "\n")


main()
