#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cases about archives: damage and lies in the zip container, each one edit away from its twin, and odd archives that Keras
reads.

    python golden/make/reject_zip.py            in an environment with Keras 3.15.1 (TensorFlow backend)

Writes golden/keras-v3/reject/zip/NAME/ (refused, or `either` where Keras's own answer is to accept) and
golden/keras-v3/archive/NAME/ (read as their twin). Every file is shown to Keras's load_model; its answer decides between
reject and either, and must be to accept for those in archive/.
"""

import io
import json
import os
import shutil
import struct
import sys
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras  # noqa: E402

GOLDEN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TWIN = "keras-v3/keras-3.15.1/core/dense"
TWIN_FOLDER = os.path.join(GOLDEN, TWIN)
DATE = (1980, 1, 1, 0, 0, 0)


class Archive:
    """The twin's bytes with its records found, so that an edit can name a field."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.end = self.data.rindex(b"PK\5\6")
        self.directory = struct.unpack_from("<I", self.data, self.end + 16)[0]
        self.entries = []
        at = self.directory
        while self.data[at : at + 4] == b"PK\1\2":
            name, extra, comment = struct.unpack_from("<HHH", self.data, at + 28)
            self.entries.append((at, struct.unpack_from("<I", self.data, at + 42)[0]))
            at += 46 + name + extra + comment

    def put(self, at, form, value):
        struct.pack_into("<" + form, self.data, at, value)

    def get(self, at, form):
        return struct.unpack_from("<" + form, self.data, at)[0]

    def start(self, number):
        local = self.entries[number][1]
        return local + 30 + sum(struct.unpack_from("<HH", self.data, local + 26))


def twin():
    with open(os.path.join(TWIN_FOLDER, "model.keras"), "rb") as file:
        return file.read()


def members():
    with zipfile.ZipFile(io.BytesIO(twin())) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def rebuilt(change=None, method=zipfile.ZIP_STORED, comment=b"", extra=(), zip64=False, pipe=False):
    """The twin's members written again by zipfile."""
    data = Pipe() if pipe else io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        archive.comment = comment
        for name, content in [*members(), *extra]:
            info = zipfile.ZipInfo(name, DATE)
            info.compress_type = method
            if change:
                change(info)
            with archive.open(info, "w", force_zip64=zip64) as file:
                file.write(content)
    return data.getvalue()


class Pipe(io.BytesIO):
    """Not seekable: zipfile then writes data descriptors."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise OSError("a pipe")

    def tell(self):
        raise OSError("a pipe")


def edited(edit):
    archive = Archive(twin())
    edit(archive)
    return bytes(archive.data)


def both(number, central, local, form, value):
    def edit(a):
        a.put(a.entries[number][0] + central, form, value)
        a.put(a.entries[number][1] + local, form, value)

    return lambda: edited(edit)


def central(number, offset, form, value):
    return lambda: edited(lambda a: a.put(a.entries[number][0] + offset, form, value))


def local(number, offset, form, value):
    return lambda: edited(lambda a: a.put(a.entries[number][1] + offset, form, value))


def flip_byte_of(number):
    def edit(a):
        a.data[a.start(number) + 40] ^= 1

    return lambda: edited(edit)


def at_end(offset, form, value):
    return lambda: edited(lambda a: a.put(a.end + offset, form, value))


def overlap(a):
    a.put(a.entries[1][0] + 42, "I", a.entries[0][1] + 4)


def swapped_names(a):
    at = a.entries[1][1] + 30
    a.data[at : at + 11] = b"CONFIG.JSON"


def without(name):
    def make():
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for member, content in members():
                if member != name:
                    archive.writestr(zipfile.ZipInfo(member, DATE), content)
        return data.getvalue()

    return make


def symlink():
    def change(info):
        if info.filename == "assets/link":
            info.external_attr = 0o120777 << 16
            info.create_system = 3

    return rebuilt(change, extra=[("assets/link", b"/etc/passwd")])


def named(name):
    return lambda: rebuilt(extra=[(name, b"x")])


def bomb():
    data = bytearray(rebuilt(method=zipfile.ZIP_DEFLATED))
    archive = Archive(data)
    archive.put(archive.entries[2][0] + 24, "I", 0xF0000000)
    archive.put(archive.entries[2][1] + 22, "I", 0xF0000000)
    return bytes(archive.data)


def broken_deflate():
    archive = Archive(rebuilt(method=zipfile.ZIP_DEFLATED))
    archive.data[archive.start(1)] ^= 0x06
    return bytes(archive.data)


def wrong_deflated_size():
    archive = Archive(rebuilt(method=zipfile.ZIP_DEFLATED))
    size = archive.get(archive.entries[1][0] + 24, "I")
    archive.put(archive.entries[1][0] + 24, "I", size + 1)
    archive.put(archive.entries[1][1] + 22, "I", size + 1)
    return bytes(archive.data)


def pickled_weights():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for member, content in members():
            name = "model.weights.npz" if member == "model.weights.h5" else member
            archive.writestr(zipfile.ZipInfo(name, DATE), b"PK\5\6" + bytes(18) if name.endswith("npz") else content)
    return data.getvalue()


# name: (bytes, edit, verdicts or codes)
DAMAGED = {
    "empty-file": (lambda: b"", "Every byte is gone.", ["malformed"]),
    "truncated": (lambda: twin()[:-100], "The last 100 bytes are gone.", ["malformed"]),
    "truncated-start": (lambda: twin()[100:], "The first 100 bytes are gone.", ["malformed"]),
    "no-end-record": (lambda: twin().replace(b"PK\5\6", b"PK\5\7"), "The end record's signature is wrong.", ["zip-no-end-record"]),
    "count-too-large": (at_end(10, "H", 9), "The end record announces nine entries.", ["malformed"]),
    "count-too-small": (at_end(10, "H", 2), "The end record announces two entries of three.", ["malformed"]),
    "directory-size-too-large": (at_end(12, "I", 1 << 30), "The central directory is said to be 1 GiB.", ["malformed"]),
    "directory-offset-wrong": (lambda: edited(lambda a: a.put(a.end + 16, "I", a.directory + 8)), "The central directory's offset is 8 too large.", ["malformed"]),
    "other-disk": (at_end(4, "H", 1), "The end record is on disk 1.", ["unsupported"]),
    "central-signature": (central(1, 0, "I", 0), "A central header's signature is zero.", ["zip-bad-signature"]),
    "local-signature": (local(1, 0, "I", 0), "A local header's signature is zero.", ["zip-bad-signature"]),
    "crc-of-config": (flip_byte_of(1), "One bit of config.json is turned.", ["zip-bad-crc"]),
    "crc-of-weights": (flip_byte_of(2), "One bit of model.weights.h5 is turned.", ["zip-bad-crc"]),
    "crc-field": (both(1, 16, 14, "I", 0), "The CRC-32 of config.json is zero.", ["zip-bad-crc"]),
    "encrypted": (both(1, 8, 6, "H", 1), "config.json is marked as encrypted.", ["unsupported"]),
    "strong-encryption": (both(1, 8, 6, "H", 0x40), "config.json is marked as strongly encrypted.", ["unsupported"]),
    "patched-data": (both(1, 8, 6, "H", 0x20), "config.json is marked as compressed patched data.", ["unsupported"]),
    "unknown-method": (both(1, 10, 8, "H", 99), "config.json is compressed by method 99.", ["unsupported"]),
    "stored-sizes-differ": (both(1, 24, 22, "I", 100), "config.json is stored with two different sizes.", ["malformed"]),
    "size-beyond-file": (lambda: edited(lambda a: [a.put(a.entries[2][0] + o, "I", 1 << 30) for o in (20, 24)]), "model.weights.h5 is said to have 1 GiB.", ["malformed"]),
    "local-name-differs": (lambda: edited(swapped_names), "The local header of config.json has another name.", ["zip-header-mismatch"]),
    "local-method-differs": (local(1, 8, "H", 8), "The local header of config.json says deflated.", ["zip-header-mismatch"]),
    "local-crc-differs": (local(1, 14, "I", 1), "The local header of config.json has another CRC-32.", ["zip-header-mismatch"]),
    "header-offset-wrong": (central(1, 42, "I", 7), "The header offset of config.json is wrong.", ["malformed"]),
    "overlap": (lambda: edited(overlap), "The header offset of config.json points into metadata.json.", ["malformed"]),
    "extra-too-long": (lambda: edited(lambda a: a.put(a.entries[1][0] + 30, "H", 9000)), "A central header's extra field is said to have 9,000 bytes.", ["malformed"]),
    "zip64-missing": (lambda: edited(lambda a: a.put(a.entries[1][0] + 24, "I", 0xFFFFFFFF)), "A size says zip64 and the field is missing.", ["zip-bad-zip64"]),
    "deflate-broken": (broken_deflate, "Deflated; the first byte of config.json's stream is damaged.", ["malformed"]),
    "deflate-size-wrong": (wrong_deflated_size, "Deflated; config.json is said to be one byte longer.", ["zip-bad-size"]),
    "bomb": (bomb, "Deflated; model.weights.h5 is said to inflate to 3.75 GiB.", ["over-limit", "malformed"]),
    "name-not-utf8": (lambda: edited(lambda a: [a.put(a.entries[0][0] + 8, "H", 0x800), a.put(a.entries[0][1] + 6, "H", 0x800), a.data.__setitem__(a.entries[0][0] + 46, 0xFF), a.data.__setitem__(a.entries[0][1] + 30, 0xFF)]), "metadata.json's name is marked as UTF-8 and is not.", ["zip-bad-name"]),
    "traversal": (named("../outside.txt"), "A further member is called ../outside.txt.", ["unsafe"]),
    "absolute-name": (named("/tmp/outside.txt"), "A further member is called /tmp/outside.txt.", ["unsafe"]),
    "drive-name": (named("C:/outside.txt"), "A further member is called C:/outside.txt.", ["unsafe"]),
    "symlink": (symlink, "A further member is a symbolic link to /etc/passwd.", ["unsafe"]),
    "no-config": (without("config.json"), "config.json is gone.", ["model-member"]),
    "no-weights": (without("model.weights.h5"), "model.weights.h5 is gone.", ["model-member"]),
    "pickled-weights": (pickled_weights, "The weights are model.weights.npz, pickled objects.", ["unsafe"]),
}

ODD = {
    "comment": (lambda: rebuilt(comment=b"an archive's comment"), "The archive has a comment."),
    "deflated": (lambda: rebuilt(method=zipfile.ZIP_DEFLATED), "Every member is deflated."),
    "data-descriptors": (lambda: rebuilt(pipe=True), "Written to a pipe: sizes stand in data descriptors."),
    "zip64": (lambda: rebuilt(zip64=True), "Every local header has a zip64 field."),
    "prefixed": (lambda: b"#!/usr/bin/env reader\n" + twin(), "Text stands before the archive."),
    "without-metadata": (without("metadata.json"), "metadata.json is gone."),
    "further-members": (lambda: rebuilt(extra=[("assets/", b""), ("notes.txt", b"hello")]), "A directory entry and a text file besides."),
    "duplicate-last-wins": (lambda: duplicate(), "config.json stands twice; the first one is no JSON."),
    "utf8-member": (lambda: rebuilt(extra=[("assets/\u00e9\u4e2d.txt", b"x")]), "A further member has a name in UTF-8."),
}


def duplicate():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(zipfile.ZipInfo("config.json", DATE), b"no json")
        for name, content in members():
            archive.writestr(zipfile.ZipInfo(name, DATE), content)
    return data.getvalue()


def keras_accepts(path):
    keras.backend.clear_session()
    try:
        keras.models.load_model(path, compile=False)
        return True
    except Exception:  # noqa: BLE001: any refusal is a refusal
        return False


def write(folder, data, record):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(os.path.join(folder, "model.keras"), "wb") as file:
        file.write(data)
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(record, file, indent=1)
        file.write("\n")


def main():
    with open(os.path.join(TWIN_FOLDER, "case.json")) as file:
        base = json.load(file)
    base["writer"]["script"] = "golden/make/reject_zip.py"
    base["tags"] = ["zip"]
    accepted = 0
    for name, (make, edit, reason) in DAMAGED.items():
        folder = os.path.join(GOLDEN, "keras-v3", "reject", "zip", name)
        record = dict(base, title="Refused: " + edit[0].lower() + edit[1:-1], expect="reject", reason=reason, predict=None, twin=TWIN, edit=edit)
        write(folder, make(), record)
        if keras_accepts(os.path.join(folder, "model.keras")):
            accepted += 1
            print("Keras accepts", name)
            record.update(expect="either", level="MAY", reason=[*reason, "accepted"], title="Odd: " + edit[0].lower() + edit[1:-1])
            write(folder, make(), record)
    for name, (make, edit) in ODD.items():
        folder = os.path.join(GOLDEN, "keras-v3", "archive", name)
        record = dict(base, title="Read: " + edit[0].lower() + edit[1:-1], twin=TWIN, edit=edit)
        write(folder, make(), record)
        for part in ("io.npz", "weights.npz", "structure.json"):
            shutil.copyfile(os.path.join(TWIN_FOLDER, part), os.path.join(folder, part))
        if not keras_accepts(os.path.join(folder, "model.keras")):
            print("Keras refuses", name)
            return 1
    print(f"{len(DAMAGED)} damaged ({accepted} of them accepted by Keras), {len(ODD)} odd")
    return 0


if __name__ == "__main__":
    sys.exit(main())
