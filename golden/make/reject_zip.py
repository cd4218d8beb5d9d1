#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cases about the zip container: forms that Python's zipfile, and so Keras, reads, and archives that are damaged or lie,
each one edit away from its twin.

    python golden/make/reject_zip.py             in an environment with Keras 3.15.1 (TensorFlow backend)
    python golden/make/reject_zip.py --no-keras  any Python: writes without asking Keras

Writes
    golden/keras-v3/archive/NAME/           the model of keras-v3/keras-3.15.1/core/dense in other forms of zip, accepted
    golden/keras-v3/reject/zip/NAME/    refused; or "either", where zipfile does not look and a careful reader does

Every file is shown to Keras's load_model, and its answer must be the expected one; of an "either" case it is "accepted".
Bytes are edited by field offsets (APPNOTE.TXT 6.3), nothing of the archive is rewritten.
"""
import json
import os
import shutil
import struct
import sys
import tempfile
import zlib

GOLDEN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TWIN = "keras-v3/keras-3.15.1/core/dense"
SCRIPT = "golden/make/reject_zip.py"
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
ONES = 0xFFFFFFFF


# ----------------------------------------------------------------------------------------------------------- archives


class Archive:
    """The bytes of an archive without comment or prefix, and where its records stand."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.end = self.data.rindex(b"PK\5\6")
        count, self.directory_size, self.directory = struct.unpack("<HII", self.data[self.end + 10 : self.end + 20])
        if self.data[self.end - 20 : self.end - 16] == b"PK\6\7":
            count, self.directory_size, self.directory = struct.unpack("<QQQ", self.data[self.end - 44 : self.end - 20])
        self.central, self.local, self.content, self.stored = {}, {}, {}, {}
        at = self.directory
        for _ in range(count):
            stored, _, name_size, extra, comment = struct.unpack("<IIHHH", self.data[at + 20 : at + 34])
            name = bytes(self.data[at + 46 : at + 46 + name_size]).decode()
            local = struct.unpack("<I", self.data[at + 42 : at + 46])[0]
            self.central[name], self.local[name], self.stored[name] = at, local, stored
            self.content[name] = local + 30 + sum(struct.unpack("<HH", self.data[local + 26 : local + 30]))
            at += 46 + name_size + extra + comment

    def put(self, at, size, value):
        self.data[at : at + size] = value.to_bytes(size, "little")

    def both(self, name, offset, size, value):
        """The same field of the central header and, two bytes further in front, of the local one."""
        self.put(self.central[name] + offset, size, value)
        self.put(self.local[name] + offset - 2, size, value)


def member(name, content, method=0, flags=0, descriptor=None, zip64=False, extra=b"", external=0o600 << 16, made=0x0314,
           version=20, raw_name=None):
    """A member for `pack`."""
    stored = content
    if method == 8:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        stored = packer.compress(content) + packer.flush()
    return dict(name=name.encode() if raw_name is None else raw_name, content=content, stored=stored, method=method,
                flags=flags | (8 if descriptor else 0), descriptor=descriptor, zip64=zip64, extra=extra,
                external=external, made=made, version=45 if zip64 else version)


def fields(m, local):
    crc, stored, size = zlib.crc32(m["content"]), len(m["stored"]), len(m["content"])
    extra = m["extra"]
    if m["zip64"]:
        extra = struct.pack("<HHQQ", 1, 16, size, stored) + extra
        stored = size = ONES
    if local and m["descriptor"]:
        crc = stored = size = 0
        extra = m["extra"]
    head = struct.pack("<HHHHHIIIHH", m["version"], m["flags"], m["method"], 0, 0x21, crc, stored, size, len(m["name"]), len(extra))
    return head, extra


def descriptor(m):
    """None, or (signature or not, width of the sizes)."""
    if not m["descriptor"]:
        return b""
    signature, width = m["descriptor"]
    form = "<IQQ" if width == 8 else "<III"
    return (b"PK\7\10" if signature else b"") + struct.pack(form, zlib.crc32(m["content"]), len(m["stored"]), len(m["content"]))


def pack(members, zip64=False, comment=b"", between=b""):
    data, offsets = bytearray(), []
    for m in members:
        head, extra = fields(m, True)
        offsets.append(len(data))
        data += b"PK\3\4" + head + m["name"] + extra + m["stored"] + descriptor(m) + between
    start = len(data)
    for m, offset in zip(members, offsets):
        head, extra = fields(m, False)
        data += b"PK\1\2" + struct.pack("<H", m["made"]) + head + struct.pack("<HHHII", 0, 0, 0, m["external"], offset) + m["name"] + extra
    size, count = len(data) - start, len(members)
    if zip64:
        end = len(data)
        data += b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, start)
        data += b"PK\6\7" + struct.pack("<IQI", 0, end, 1)
        size = start = ONES
        count = 0xFFFF
    return bytes(data) + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, size, start, len(comment)) + comment


# ------------------------------------------------------------------------------------------------- forms that are read


def forms(files):
    """name, archive, what is unusual"""
    plain = [member(name, content) for name, content in files.items()]

    def every(**more):
        return [member(name, content, **more) for name, content in files.items()]

    def beside(*others):
        return pack(plain + list(others))

    whole = pack(plain)
    yield "stored", whole, "written anew by the script, otherwise as Keras writes it"
    yield "deflated", pack(every(method=8)), "all members are deflated"
    yield "comment", pack(plain, comment=b"a comment, PK and all"), "the archive has a comment"
    yield "trailing-bytes", whole + b"more bytes\n", "bytes follow the archive"
    yield "prefixed", b"#!/bin/sh\nexit 1\n" + whole, "other bytes stand before the archive"
    yield "prefix-zip64", b"#!/bin/sh\nexit 1\n" + pack(plain, zip64=True), "other bytes stand before an archive with zip64 end records"
    yield "gaps", pack(plain, between=b"\0" * 7), "seven bytes lie behind each member"
    yield "data-descriptors", pack(every(descriptor=(True, 4))), "sizes and CRCs stand behind the members"
    yield "descriptors-unsigned", pack(every(descriptor=(False, 4))), "sizes and CRCs stand behind the members, without signature"
    yield "descriptors-wide", pack(every(descriptor=(True, 8), method=8)), "sizes of eight bytes stand behind the deflated members"
    yield "zip64", pack(every(zip64=True)), "all sizes stand in zip64 fields"
    yield "zip64-end", pack(plain, zip64=True), "the directory is found by zip64 end records"
    yield "zip64-all", pack(every(zip64=True, method=8), zip64=True, comment=b"!"), "zip64 everywhere, deflated, with a comment"
    yield "extra-fields", pack(every(extra=struct.pack("<HH5s", 0x5455, 5, b"\3abcd"))), "all headers have an extra field"
    yield "padding-in-extra", pack(every(extra=b"\0\0\0")), "the extra fields are three zero bytes, as alignment tools write them"
    yield "reversed", pack(plain[::-1]), "the weights come first"
    yield "without-metadata", pack(plain[1:]), "metadata.json, which no loader opens, is missing"
    yield "made-by-dos", pack(every(made=20, external=0x20)), "the archive says it was made under DOS"
    yield "further-members", beside(member("assets/", b""), member("assets/empty/", b""), member("notes.txt", b"hello")), "two directories and a text file are members"
    yield "utf8-member", beside(member("assets/\u00e9\u4e2d\U0001f600.txt", b"x", flags=0x800)), "another member has a name in UTF-8"
    yield "name-code-page-437", beside(member("", b"x", raw_name=b"assets/\x82\x9b\xe1.txt")), "another member has a name in code page 437"
    yield "duplicate-last-wins", pack([plain[0], member(CONFIG, b"{}"), plain[1], plain[2]]), "an empty config.json stands before the right one; of equal names the last counts"
    yield "duplicate-weights", pack([plain[0], member(WEIGHTS, b"no HDF5"), plain[1], plain[2]]), "weights that are none stand before the right ones; of equal names the last counts"
    odd = Archive(whole)
    odd.put(odd.end + 8, 2, 7)
    odd.put(odd.end + 10, 2, 7)
    yield "odd-count", odd.data, "the end record announces seven members of three"
    cut = Archive(whole)
    cut.put(cut.end + 20, 2, 40)
    yield "cut-comment", cut.data, "the end record announces a comment that is not there"


# ------------------------------------------------------------------------------------------- archives that are refused


def edit(change):
    def apply(data, files):
        archive = Archive(data)
        change(archive)
        return bytes(archive.data)

    return apply


def flip(name, at):
    return edit(lambda a: a.data.__setitem__(a.content[name] + at, a.data[a.content[name] + at] ^ 0x20))


def both(name, offset, size, value):
    return edit(lambda a: a.both(name, offset, size, value))


def central(name, offset, size, value):
    return edit(lambda a: a.put(a.central[name] + offset, size, value))


def local(name, offset, size, value):
    return edit(lambda a: a.put(a.local[name] + offset, size, value))


def end(offset, size, value):
    return edit(lambda a: a.put(a.end + offset, size, value))


def beside(**more):
    """One more member."""

    def apply(data, files):
        return pack([member(name, content) for name, content in files.items()] + [member(**more)])

    return apply


def less(name):
    return lambda data, files: pack([member(key, content) for key, content in files.items() if key != name])


def resize(name, by):
    """All four sizes of a stored member."""

    def change(a):
        a.both(name, 20, 4, a.stored[name] + by)
        a.both(name, 24, 4, a.stored[name] + by)

    return edit(change)


def size_of(name, by):
    """The inflated size in both headers."""

    def change(a):
        size = struct.unpack("<I", a.data[a.central[name] + 24 : a.central[name] + 28])[0]
        a.both(name, 24, 4, size + by)

    return edit(change)


def directory_size(by):
    return edit(lambda a: a.put(a.end + 12, 4, a.directory_size + by))


def duplicate_last(data, files):
    return pack([member(name, content) for name, content in files.items()] + [member(CONFIG, b"{}")])


def pickled(data, files):
    return pack([member("model.weights.npz" if name == WEIGHTS else name, b"PK\5\6" + bytes(18) if name == WEIGHTS else content)
                 for name, content in files.items()])


def same_content_twice(a):
    """A second entry for config.json's bytes, under the same name: as in an overlapping bomb."""
    at = a.central[CONFIG]
    size = 46 + len(CONFIG)
    a.data[a.end : a.end] = a.data[at : at + size]
    a.end += size
    a.put(a.end + 8, 2, 4)
    a.put(a.end + 10, 2, 4)
    a.put(a.end + 12, 4, a.directory_size + size)


def huge(data, files):
    """Declared 5 GiB, in zip64 fields of both headers."""
    m = member(WEIGHTS, files[WEIGHTS], method=8, zip64=True)
    data = bytearray(pack([member("metadata.json", files["metadata.json"]), member(CONFIG, files[CONFIG]), m]))
    field = struct.pack("<HHQQ", 1, 16, len(m["content"]), len(m["stored"]))
    lie = struct.pack("<HHQQ", 1, 16, 5 << 30, len(m["stored"]))
    assert data.count(field) == 2
    return bytes(data.replace(field, lie))


MALFORMED, UNSUPPORTED = ["malformed"], ["unsupported", "malformed"]

# name, edit, acceptable reasons, what the edit does, twin in keras-v3/archive/ when it is not the plain archive
REJECT = [
    ("crc-of-weights", flip(WEIGHTS, 2048), ["zip-bad-crc"], "a bit of the weights is flipped", None),
    ("crc-of-config", flip(CONFIG, 40), ["zip-bad-crc"], "a bit of config.json is flipped", None),
    ("crc-field", both(CONFIG, 16, 4, 0x12345678), ["zip-bad-crc"], "both headers of config.json give another CRC", None),
    ("crc-deflated", both(CONFIG, 16, 4, 0x12345678), ["zip-bad-crc"], "both headers of the deflated config.json give another CRC", "deflated"),
    ("deflate-broken", edit(lambda a: a.put(a.content[CONFIG], 1, 7)), ["zip-bad-deflate"], "the deflate stream of config.json starts with a block type that does not exist", "deflated"),
    ("deflate-of-stored", both(CONFIG, 10, 2, 8), ["zip-bad-deflate", "zip-bad-size"], "the stored config.json is said to be deflated", None),
    ("truncated-by-one", lambda data, files: data[:-1], ["zip-no-end-record", "zip-truncated", "unknown-format"], "the last byte is removed", None),
    ("half-gone", lambda data, files: data[: len(data) // 2], ["zip-no-end-record"], "the second half is removed", None),
    ("empty-file", lambda data, files: b"", ["zip-no-end-record", "unknown-format"], "every byte is gone", None),
    ("truncated", lambda data, files: data[:-100], MALFORMED, "the last 100 bytes are gone", None),
    ("only-prefix", lambda data, files: data[:20], ["zip-no-end-record"], "all but the first 20 bytes are removed", None),
    ("no-end-record", end(3, 1, 7), ["zip-no-end-record"], "the signature of the end record is changed", None),
    ("end-cut-off", lambda data, files: data + b"PK\5\6", ["zip-truncated", "zip-no-end-record"], "the signature of a second end record follows, and nothing more", None),
    ("end-too-far", lambda data, files: data + bytes(66000), ["zip-no-end-record"], "66,000 zero bytes follow", None),
    ("directory-one-more", directory_size(1), ["zip-bad-signature"], "the directory is said to be a byte larger", None),
    ("directory-one-less", directory_size(-1), ["zip-bad-signature"], "the directory is said to be a byte smaller", None),
    ("directory-size-too-large", end(12, 4, 0x7FFFFFFF), ["zip-truncated"], "the directory is said to be larger than the file", None),
    ("directory-offset-wrong", edit(lambda a: a.put(a.end + 16, 4, a.directory + 8)), MALFORMED, "the directory's offset is 8 too large, so that all offsets are off by 8", None),
    ("central-signature", central(CONFIG, 3, 1, 9), ["zip-bad-signature"], "the signature of a central header is changed", None),
    ("central-name-longer", central("metadata.json", 28, 2, 14), ["zip-bad-signature"], "a name in the directory is said to be a byte longer", None),
    ("local-signature", local(CONFIG, 3, 1, 9), ["zip-bad-signature"], "the signature of config.json's local header is changed", None),
    ("local-name-differs", local(CONFIG, 30, 1, ord("k")), ["zip-header-mismatch"], "the local header of config.json has another name", None),
    ("local-name-longer", local(CONFIG, 26, 2, 12), ["zip-header-mismatch"], "the name in config.json's local header is said to be a byte longer", None),
    ("offset-outside", central(WEIGHTS, 42, 4, 0x7FFFFFFF), ["zip-truncated"], "the weights are said to lie behind the end of the file", None),
    ("header-offset-wrong", central(WEIGHTS, 42, 4, 1), ["zip-bad-signature"], "the weights are said to start in the middle of a header", None),
    ("overlap", edit(lambda a: a.put(a.central[CONFIG] + 42, 4, 4)), MALFORMED, "config.json is said to start inside metadata.json", None),
    ("offset-of-other", edit(lambda a: a.put(a.central[WEIGHTS] + 42, 4, a.local[CONFIG])), ["zip-header-mismatch"], "the weights are said to lie where config.json lies", None),
    ("stored-shorter", resize(WEIGHTS, -1), ["zip-bad-crc"], "all sizes of the weights are one less", None),
    ("stored-longer", resize(WEIGHTS, 1), ["zip-truncated"], "all sizes of the weights are one more, so that they reach into the directory", None),
    ("size-beyond-file", resize(WEIGHTS, 1 << 30), ["zip-truncated"], "all sizes of the weights are 1 GiB more", None),
    ("stored-much-longer", resize(CONFIG, 100), ["zip-overlap"], "all sizes of config.json are 100 more, so that it reaches into the next member", None),
    ("inflated-shorter", size_of(CONFIG, -10), ["zip-bad-size"], "config.json is said to inflate to ten bytes less", "deflated"),
    ("encrypted", both(CONFIG, 8, 2, 1), UNSUPPORTED, "config.json is said to be encrypted", None),
    ("strong-encryption", both(WEIGHTS, 8, 2, 0x41), UNSUPPORTED, "the weights are said to be strongly encrypted", None),
    ("patched-data", both(WEIGHTS, 8, 2, 0x20), UNSUPPORTED, "the weights are said to be patched data", None),
    ("unknown-method", both(CONFIG, 10, 2, 6), UNSUPPORTED, "config.json is said to be imploded", None),
    ("method-bzip2", both(CONFIG, 10, 2, 12), UNSUPPORTED, "config.json is said to be packed by bzip2", None),
    ("version-too-new", central(WEIGHTS, 6, 2, 64), UNSUPPORTED, "the weights are said to need version 6.4 of the format", None),
    ("zip64-field-short", edit(lambda a: a.put(a.central[CONFIG] + 46 + len(CONFIG) + 2, 2, 8)), ["zip-bad-zip64"], "the zip64 field of config.json has room for one size of two", "zip64"),
    ("zip64-other-disk", edit(lambda a: a.put(a.end - 4, 4, 2)), UNSUPPORTED, "the zip64 locator says that there are two disks", "zip64-end"),
    ("zip64-directory-huge", edit(lambda a: a.put(a.end - 20 - 16, 8, 1 << 62)), ["zip-truncated"], "the directory is said to be larger than any file", "zip64-end"),
    ("extra-too-long", edit(lambda a: a.put(a.central[CONFIG] + 46 + len(CONFIG) + 2, 2, 60)), ["zip-bad-extra"], "an extra field in the directory is longer than its space", "extra-fields"),
    ("name-not-utf8", beside(name="", raw_name=b"assets/\xff.txt", content=b"x", flags=0x800), ["zip-bad-name"], "a member is added whose name is marked as UTF-8 and is not", None),
    ("no-config", less(CONFIG), MALFORMED, "config.json is removed", None),
    ("no-weights", less(WEIGHTS), MALFORMED, "the weights are removed", None),
    ("pickled-weights", pickled, ["unsafe"], "the weights are model.weights.npz, which holds pickled objects", None),
    ("duplicate-last-is-wrong", duplicate_last, MALFORMED, "an empty config.json follows; of equal names the last counts", None),
    ("other-member-crc", lambda data, files: damaged_asset(files), ["zip-bad-crc"], "a member is added that no layer reads and whose CRC is wrong; Keras unpacks all", None),
    ("declared-5-gib", huge, ["malformed", "over-limit", "zip-bomb"], "the weights are said to inflate to 5 GiB", "deflated"),
]

# zipfile does not look at these; the answers seen
EITHER = [
    ("count-too-large", end(10, 2, 9), ["accepted", "malformed"], "the end record announces nine entries of three", None),
    ("count-too-small", end(10, 2, 2), ["accepted", "malformed"], "the end record announces two entries of three", None),
    ("truncated-start", lambda data, files: data[100:], ["accepted", "malformed"], "the first 100 bytes are gone, and with them metadata.json's header", None),
    ("local-crc-differs", local(CONFIG, 14, 4, 1), ["accepted", "malformed"], "the local header of config.json gives another CRC", None),
    ("local-size", local(CONFIG, 18, 4, 1), ["accepted", "malformed"], "the local header of config.json gives another size", None),
    ("local-method-differs", local(CONFIG, 8, 2, 8), ["accepted", "malformed"], "the local header of config.json says that it is deflated", None),
    ("stored-sizes-differ", both(WEIGHTS, 24, 4, 20000), ["accepted", "malformed"], "both headers of the stored weights give a larger size than is stored", None),
    ("deflate-size-wrong", size_of(CONFIG, 10), ["accepted", "malformed"], "config.json is said to inflate to ten bytes more", "deflated"),
    ("same-content-twice", edit(same_content_twice), ["accepted", "malformed"], "config.json has a second entry that names the same bytes", None),
    ("other-disk", end(4, 2, 1), ["accepted", "unsupported"], "the end record says that this is the second disk", None),
    ("member-on-other-disk", central(WEIGHTS, 34, 2, 1), ["accepted", "unsupported"], "the weights are said to lie on the second disk", None),
    ("zip64-missing", both(CONFIG, 24, 4, ONES), ["accepted", "malformed"], "the size of config.json is all ones, and there is no zip64 field", "deflated"),
    ("bomb", size_of(WEIGHTS, 0xF0000000), ["accepted", "over-limit", "malformed"], "the weights are said to inflate to 3.75 GiB more", "deflated"),
    ("symlink", beside(name="assets/link", content=b"/etc/passwd", external=0o120777 << 16), ["accepted", "unsafe"], "a symbolic link is added", None),
    ("traversal", beside(name="../evil.txt", content=b"x"), ["accepted", "malformed", "unsafe"], "a member is added whose name leads out of the archive", None),
    ("parent-directory-inside", beside(name="assets/../../evil.txt", content=b"x"), ["accepted", "malformed", "unsafe"], "a member is added whose name leads out of the archive by a detour", None),
    ("absolute-name", beside(name="/tmp/kassay-evil.txt", content=b"x"), ["accepted", "malformed", "unsafe"], "a member with an absolute name is added", None),
    ("backslash-name", beside(name="assets\\..\\..\\evil.txt", content=b"x"), ["accepted", "malformed", "unsafe"], "a member is added whose name would lead out of the archive under Windows", None),
    ("drive-name", beside(name="C:evil.txt", content=b"x"), ["accepted", "malformed", "unsafe"], "a member whose name starts with a drive is added", None),
    ("nul-in-name", beside(name="", raw_name=b"assets/a\0b", content=b"x"), ["accepted", "malformed"], "a member with NUL in its name is added", None),
]


def damaged_asset(files):
    archive = Archive(pack([member(name, content) for name, content in files.items()] + [member("assets/a.txt", b"x")]))
    archive.both("assets/a.txt", 16, 4, 1)
    return bytes(archive.data)


# ------------------------------------------------------------------------------------------------------------ writing


def load_keras():
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import keras

    return keras


def answer(keras, data):
    """None when Keras accepts, else its complaint."""
    keras.backend.clear_session()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        with open(path, "wb") as file:
            file.write(data)
        try:
            keras.saving.load_model(path, compile=False, safe_mode=True)
            return None
        except Exception as error:
            return "%s: %s" % (type(error).__name__, (str(error).strip() or "no message").splitlines()[0][:140])


class Writer:
    def __init__(self, keras):
        self.keras, self.problems = keras, []
        with open(os.path.join(GOLDEN, TWIN, "case.json")) as file:
            self.twin = json.load(file)

    def write(self, path, data, title, expect, reason, twin, what, predict=None):
        complaint = answer(self.keras, data) if self.keras else "not asked"
        accepted = complaint is None
        print("%-46s %-7s %s" % (path, expect, "accepted" if accepted else complaint))
        if self.keras and accepted == (expect == "reject"):
            self.problems.append(path)
        case = {
            "schema": "kassay-case/1", "title": title, "format": "keras-v3", "since": "0.1", "revision": 1,
            "artifact": "model.keras", "load": {"architecture": None, "initial": None, "options": {}},
            "writer": dict(self.twin["writer"], script=SCRIPT), "level": "MAY" if expect == "either" else "MUST",
            "expect": expect, "reason": reason, "clauses": [], "tags": ["zip"], "cves": [], "predict": predict,
            "train": None, "custom_objects": [], "twin": twin, "edit": what + ".", "kills": [], "budget": None,
        }
        folder = os.path.join(GOLDEN, path)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "model.keras"), "wb") as file:
            file.write(data)
        with open(os.path.join(folder, "case.json"), "w") as file:
            json.dump(case, file, indent=1)
            file.write("\n")
        if expect == "accept":
            for name in ("io.npz", "weights.npz", "structure.json"):
                shutil.copyfile(os.path.join(GOLDEN, TWIN, name), os.path.join(folder, name))


def main():
    writer = Writer(None if "--no-keras" in sys.argv[1:] else load_keras())
    with open(os.path.join(GOLDEN, TWIN, "model.keras"), "rb") as file:
        plain = file.read()
    archive = Archive(plain)
    files = {name: bytes(archive.data[at : at + archive.stored[name]]) for name, at in archive.content.items()}
    for folder in ("keras-v3/archive", "keras-v3/reject/zip"):
        shutil.rmtree(os.path.join(GOLDEN, folder), ignore_errors=True)
    twins = {}
    for name, data, what in forms(files):
        twins[name] = bytes(data)
        writer.write("keras-v3/archive/" + name, twins[name], "Read as Python reads it: " + what, "accept", None, None, what, writer.twin["predict"])
    for expect, rows in (("reject", REJECT), ("either", EITHER)):
        for name, change, reason, what, twin in rows:
            data = change(twins[twin] if twin else plain, files)
            title = "%s: %s" % ("Refused" if expect == "reject" else "Either", what)
            writer.write("keras-v3/reject/zip/" + name, data, title, expect, reason, "keras-v3/archive/" + twin if twin else TWIN, what)
    if writer.problems:
        sys.exit("Keras answers otherwise:\n  " + "\n  ".join(writer.problems))


if __name__ == "__main__":
    main()
