#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cases about damaged vocabularies of StringLookup, IntegerLookup and TextVectorization, in configs and in assets.

    python golden/make/reject_strings.py    with Keras 3.15.1
"""
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from golden_files import save_npz  # noqa: E402
from reject_case import ANY, GOLDEN, MALFORMED, REFUSED, Bench, config_edit, drop, edited, find, put  # noqa: E402
from reject_formats import archive_file, edited_json, packed  # noqa: E402
from reject_h5 import UNSAFE, whole_file  # noqa: E402
from string_models import COLOURS, WHOLE, WORDS, adapted  # noqa: E402

BACKEND = "tensorflow " + tf.__version__


def model(in_config=False):
    """One layer of each kind; without `in_config` those that were adapted keep their vocabulary as an asset."""
    L = keras.layers
    words, numbers = keras.Input((4,), dtype="string", name="given"), keras.Input((4,), dtype="int64", name="counted")
    line = keras.Input((1,), dtype="string", name="line")
    layers = [
        L.StringLookup(vocabulary=COLOURS, mask_token="", name="words"),
        L.StringLookup(vocabulary=COLOURS, idf_weights=[0.25, 0.75, 0.6], output_mode="tf_idf", name="weighed"),
    ]
    outputs = [layer(words) for layer in layers] + [L.IntegerLookup(vocabulary=[12, 7], num_oov_indices=2, name="numbers")(numbers)]
    if not in_config:
        outputs.append(adapted(L.StringLookup(name="learnt"), WORDS)(words))
        outputs.append(adapted(L.IntegerLookup(name="learnt_numbers"), WHOLE[1:])(numbers))
        outputs.append(adapted(L.TextVectorization(name="learnt_texts"), np.array([["a hill"], ["the hill"]]))(line))
    return keras.Model([words, numbers] + [line] * (not in_config), outputs, name="model")


def hashing():
    i = keras.Input((4,), dtype="string", name="given")
    return keras.Model(i, keras.layers.Hashing(num_bins=7, salt=[3, 5], name="hashed")(i), name="model")


def of_windows(bench):
    """Written on Windows, a vocabulary.txt has "\\r\\n" between its tokens."""
    i = keras.Input((1,), dtype="string", name="given")
    members = archive_file(keras.Model(i, adapted(keras.layers.StringLookup(), WORDS)(i), name="model"))
    members = {name: data.replace(b"\n", b"\r\n") if name.endswith("vocabulary.txt") else data for name, data in members.items()}
    case_id, data = "keras-v3/archive/vocabulary-of-windows", packed(members)
    bench.write(case_id, {"model.keras": data}, "model.keras", "Read as Keras reads it: a vocabulary as Windows writes lines", "accept", tags=["preprocessing"])
    folder = os.path.join(GOLDEN, case_id)
    expected = np.array(keras.models.load_model(os.path.join(folder, "model.keras"))(tf.constant(WORDS)))
    assert len(set(expected.ravel())) == 4
    save_npz(os.path.join(folder, "io.npz"), {"input.0": np.char.encode(WORDS), "output.0": expected, "float64.0": expected})
    with open(os.path.join(folder, "case.json")) as file:
        case = json.load(file)
    case["predict"] = {"bound": "stated", "atol": [0.0], "rtol": 0, "reason": "whole numbers", "spread": [0.0], "scale": [4.0], "second": "the same words with other line ends", "float64_atol": [0.0], "kinks": None}
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(case, file, indent=2)
        file.write("\n")


def layer(name):
    return ("config", "layers", name, "config")


def both(name, **keys):
    def edit(config):
        find(config, *layer(name)).update(keys)

    return edit


# What is said of a config, in `.keras` and in `.h5` files.
CONFIGS = [
    ("vocabulary-repeated", put(layer("words"), "vocabulary", ["red", "green", "red"]), "reject", MALFORMED, "the vocabulary of words has a token twice"),
    ("mask-in-vocabulary", put(layer("words"), "vocabulary", ["red", "", "blue"]), "reject", MALFORMED, "the mask token is the second of the vocabulary of words"),
    ("vocabulary-empty", put(layer("words"), "vocabulary", []), "reject", MALFORMED, "the vocabulary of words is empty"),
    ("vocabulary-too-large", put(layer("words"), "max_tokens", 4), "reject", MALFORMED, "words has max_tokens 4 and five with its special tokens"),
    ("idf-weights-missing", put(layer("weighed"), "idf_weights", None), "reject", MALFORMED, "weighed has a vocabulary without idf_weights"),
    ("idf-weights-short", put(layer("weighed"), "idf_weights", [0.25, 0.75]), "reject", MALFORMED, "weighed has three tokens and two idf_weights"),
    ("output-mode-unknown", put(layer("words"), "output_mode", "two_hot"), "reject", REFUSED, "output_mode of words is one that Keras does not have"),
    ("invert-multi-hot", both("words", invert=True, output_mode="multi_hot", vocabulary_size=None), "reject", MALFORMED, "words is inverted with output_mode multi_hot"),
    ("oov-negative", put(layer("words"), "num_oov_indices", -1), "reject", MALFORMED, "num_oov_indices of words is -1"),
    ("padded-without-maximum", put(layer("weighed"), "pad_to_max_tokens", True), "reject", MALFORMED, "weighed has pad_to_max_tokens without max_tokens"),
    ("salt-of-integers", put(layer("numbers"), "salt", [1, 2]), "reject", MALFORMED, "numbers has a salt without oov_method farmhash"),
]
HASHES = [
    ("salt-of-three", put(layer("hashed"), "salt", [1, 2, 3]), "reject", MALFORMED, "the salt of hashed has three numbers"),
    ("bins-zero", put(layer("hashed"), "num_bins", 0), "reject", MALFORMED, "hashed has no bins"),
    ("bins-missing", drop(layer("hashed"), "num_bins"), "reject", MALFORMED, "hashed does not say how many bins"),
    ("hash-mode-unknown", put(layer("hashed"), "output_mode", "tf_idf"), "reject", REFUSED, "output_mode of hashed is one that Hashing does not have"),
]
PATH = ("vocabulary-a-path", put(layer("words"), "vocabulary", "/etc/hostname"), "the vocabulary of words is the path of a file")


def main():
    bench = Bench("reject_strings.py", "keras", keras.__version__, backend=BACKEND)
    members = archive_file(model())
    learnt, numbers = (next(name for name in members if name.endswith("/%s/vocabulary.txt" % stem)) for stem in ("string_lookup_2", "integer_lookup_1"))
    twin = "keras-v3/keras-3.15.1/twin-strings"
    bench.write(twin, {"model.keras": packed(members)}, "model.keras", "The file that damaged ones are one edit away from", "accept", tags=["twin", "preprocessing"])

    of_windows(bench)

    def config(edit):  # of the members that are at hand
        return dict(members, **{"config.json": edited_json(members["config.json"], edit)})

    def asset(name, change):
        return dict(members, **{name: change(members[name])})

    rows = [(name, config(edit), expect, reason, what) for name, edit, expect, reason, what in CONFIGS]
    rows += [
        ("asset-repeated", asset(learnt, lambda text: text + b"\nred"), "reject", MALFORMED, "the vocabulary.txt of learnt has a token twice"),
        ("asset-no-integer", asset(numbers, lambda text: text + b"\ntwelve"), "reject", MALFORMED, "the vocabulary.txt of learnt_numbers has a line that is no integer"),
        ("asset-integer-in-spaces", asset(numbers, lambda text: text + b"\n +1_000 "), "either", ANY, "the vocabulary.txt of learnt_numbers has a line with spaces, a sign and an underscore"),
        ("asset-not-utf-8", asset(learnt, lambda text: text + b"\n\xff\xfe"), "reject", MALFORMED, "the vocabulary.txt of learnt is not UTF-8"),
        ("asset-empty", asset(learnt, lambda text: b""), "reject", MALFORMED, "the vocabulary.txt of learnt is emptied"),
        ("asset-missing", {k: v for k, v in members.items() if k != learnt}, "reject", MALFORMED, "the vocabulary.txt of learnt is removed"),
    ]
    name, edit, what = PATH
    bench.write("keras-v3/reject/strings/" + name, {"model.keras": packed(config(edit))}, "model.keras", "Refused: " + what, "reject", UNSAFE, twin, what + ".", ["strings"], unsafe=True)
    for name, files, expect, reason, what in rows:
        bench.write("keras-v3/reject/strings/" + name, {"model.keras": packed(files)}, "model.keras", {"either": "Either: ", "reject": "Refused: "}[expect] + what, expect, reason, twin,
                    what + ".", ["strings"])
    members, twin = archive_file(hashing()), "keras-v3/keras-3.15.1/twin-hashing"
    bench.write(twin, {"model.keras": packed(members)}, "model.keras", "The file that damaged ones are one edit away from", "accept", tags=["twin", "preprocessing"])
    for name, edit, expect, reason, what in HASHES:
        bench.write("keras-v3/reject/strings/" + name, {"model.keras": packed(config(edit))}, "model.keras", "Refused: " + what, expect, reason, twin, what + ".", ["strings"])
    data = whole_file(model(True), compiled=False)
    twin = "h5-legacy/keras-3.15.1/twin-strings"
    bench.write(twin, {"model.h5": data}, "model.h5", "The file that damaged ones are one edit away from", "accept", tags=["twin", "preprocessing"])
    name, edit, what = PATH
    bench.write("h5-legacy/reject/strings/" + name, {"model.h5": edited(data, config_edit(edit))}, "model.h5", "Refused: " + what, "reject", UNSAFE, twin, what + ".", ["strings"], unsafe=True)
    for name, edit, expect, reason, what in CONFIGS[:2]:
        bench.write("h5-legacy/reject/strings/" + name, {"model.h5": edited(data, config_edit(edit))}, "model.h5", "Refused: " + what, expect, reason, twin, what + ".", ["strings"])
    return bench.close()


if __name__ == "__main__":
    sys.exit(main())
