#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cases about damaged documents: JSON that breaks a rule, and configs that break one of Keras's, each one edit away from
its twin.

    python golden/make/reject_json.py            in an environment with Keras 3.15.1 (TensorFlow backend)

Writes
    golden/json-v3/keras-3.15.1/twin-NAME/       the models that are edited, as Keras wrote them
    golden/json-v3/dialect/NAME/                 unusual bytes that Python, and so Keras, reads
    golden/json-v3/reject/{json,config}/NAME/    refused
    golden/keras-v3/keras-3.15.1/twin-NAME/, golden/keras-v3/reject/config/NAME/    the same inside a .keras file

Every edit is shown to Keras's own model_from_json (load_model for .keras files), and its answer must be the expected one;
of an "either" case the recorded answers must contain it.
"""
import copy
import io
import json
import os
import shutil
import sys
import zipfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import h5py  # noqa: E402
import keras  # noqa: E402
import tensorflow  # noqa: E402
from keras import layers  # noqa: E402

GOLDEN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WRITER = {
    "keras": keras.__version__,
    "backend": "tensorflow " + tensorflow.__version__,
    "h5py": h5py.__version__,
    "python": "%d.%d" % sys.version_info[:2],
    "script": "golden/make/reject_json.py",
    "seed": 7,
}
MALFORMED = ["malformed"]
REFUSED = ["malformed", "unsupported"]


# ------------------------------------------------------------------------------------------------------------- twins


def functional():
    a = keras.Input((6,), name="input_a")
    b = keras.Input((6,), name="input_b")
    x = layers.Dense(5, activation="relu", kernel_regularizer="l2", name="dense_a")(a)
    y = layers.Dense(5, name="dense_b")(b)
    total = layers.Add(name="add")([x, y])
    outputs = layers.Dense(3, activation="softmax", name="dense_out")(total)
    return keras.Model([a, b], outputs, name="two_inputs")


def convolution():
    return keras.Sequential(
        [
            keras.Input((8, 8, 4), name="image"),
            layers.Conv2D(6, 3, strides=2, padding="same", groups=2, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(2, name="dense"),
        ],
        name="convolution",
    )


def sequence():
    tokens = keras.Input((7,), name="tokens")
    x = layers.Embedding(20, 4, name="embedding")(tokens)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True, name="lstm"), name="both")(x)
    x = layers.Dropout(0.25, name="dropout")(x)
    x = layers.MultiHeadAttention(2, 5, name="attention")(x, x)
    x = layers.GlobalAveragePooling1D(name="average")(x)
    return keras.Model(tokens, layers.Dense(2, name="dense")(x), name="sequence")


def shapes():
    x = keras.Input((4, 6), name="matrix")
    turned = layers.Permute((2, 1), name="permute")(layers.Reshape((6, 4), name="reshape")(x))
    both = layers.Concatenate(axis=-1, name="concatenate")([x, turned])
    normal = layers.LayerNormalization(name="norm")(both)
    return keras.Model(x, layers.Dense(2, name="dense")(normal), name="shapes")


def lambda_record():
    """What Keras writes for a lambda; its code object names no file of this machine."""
    double = eval(compile("lambda x: x * 2", "lambda.py", "eval"))
    return json.loads(keras.Sequential([keras.Input((5,)), layers.Lambda(double, name="double")]).to_json())["config"]["layers"][1]


# ------------------------------------------------------------------------------------------------- edits of documents


def replace(old, new):
    def edit(text):
        assert text.count(old) >= 1, old
        return text.replace(old, new, 1)

    return edit


def note(value):
    """One more key in the outermost record, which Keras does not look at."""
    return replace(b'"compile_config": {}', b'"compile_config": {}, "note": ' + value)


# name, edit, acceptable reasons, what the edit does, twin when it is not the plain document
JSON_REJECT = [
    ("trailing-comma-in-list", replace(b'["input_b", 0, 0]]', b'["input_b", 0, 0],]'), ["json-trailing-comma"],
     "a comma is put before the end of input_layers", None),
    ("trailing-comma-in-object", replace(b'"bias_constraint": null, "quantization_config": null}', b'"bias_constraint": null, "quantization_config": null,}'),
     ["json-trailing-comma"], "a comma is put before the end of dense_a's config", None),
    ("unquoted-key", replace(b'"units"', b"units"), ["json-key"], "the quotes of a key are removed", None),
    ("single-quotes", replace(b'"relu"', b"'relu'"), ["json-value"], "a string is put in single quotes", None),
    ("missing-colon", replace(b'"units": 5', b'"units" 5'), ["json-colon"], "the colon behind a key is removed", None),
    ("missing-comma", replace(b'"units": 5, ', b'"units": 5 '), ["json-comma"], "the comma behind a value is removed", None),
    ("doubled-comma", replace(b'"units": 5, ', b'"units": 5,, '), ["json-key"], "the comma behind a value is doubled", None),
    ("missing-value", replace(b'"units": 5', b'"units": '), ["json-value"], "the value of a key is removed", None),
    ("control-character", replace(b'"relu"', b'"re\nlu"'), ["json-control-character"], "a line feed is put into a string", None),
    ("control-character-in-key", replace(b'"units"', b'"un\x01its"'), ["json-control-character"], "a byte 01 is put into a key", None),
    ("bad-escape", replace(b'"relu"', b'"r\\elu"'), ["json-bad-escape"], "a backslash is put before a letter that forms no escape", None),
    ("short-unicode-escape", replace(b'"relu"', b'"\\u72elu"'), ["json-bad-escape"], "a unicode escape has two digits", None),
    ("wrong-bracket", replace(b'["input_a", 0, 0], [', b'["input_a", 0, 0}, ['), ["json-comma"], "a list is closed with a brace", None),
    ("leading-zero", replace(b'"units": 5', b'"units": 05'), ["json-number"], "a zero is put before a number", None),
    ("plus-sign", replace(b'"units": 5', b'"units": +5'), ["json-value"], "a plus sign is put before a number", None),
    ("hexadecimal", replace(b'"units": 5', b'"units": 0x5'), ["json-comma"], "a number is written in hexadecimal", None),
    ("bare-point", note(b"1."), ["json-number"], "a number ends with its point", None),
    ("bare-exponent", note(b"1e"), ["json-number"], "a number ends with its exponent's letter", None),
    ("python-true", replace(b'"use_bias": true', b'"use_bias": True'), ["json-value"], "true is written as in Python", None),
    ("python-none", replace(b'"registered_name": null', b'"registered_name": None'), ["json-value"], "null is written as in Python", None),
    ("nan-in-lower-case", note(b"nan"), ["json-value"], "a key that nobody reads holds nan", "dialect/nan"),
    ("comment", replace(b'"units": 5', b'/* five */ "units": 5'), ["json-key"], "a comment is put before a key", None),
    ("extra-data", lambda text: text + b" {}", ["json-extra-data"], "a second document follows", None),
    ("extra-brace", lambda text: text + b"}", ["json-extra-data"], "a brace follows", None),
    ("nul-behind", lambda text: text + b"\0", ["json-extra-data"], "a NUL byte follows", None),
    ("truncated", lambda text: text[: len(text) // 2], ["json-truncated"], "the second half is removed", None),
    ("truncated-by-one", lambda text: text[:-1], ["json-truncated"], "the last brace is removed", None),
    ("empty", lambda text: b"", ["json-empty", "unknown-format"], "everything is removed", None),
    ("only-spaces", lambda text: b" \n", ["json-empty", "unknown-format"], "everything is replaced by white space", None),
    ("invalid-utf-8", replace(b'"relu"', b'"rel\xff"'), ["json-encoding"], "a byte FF is put into a string", None),
    ("cut-utf-8", replace(b'"relu"', b'"rel\xc3"'), ["json-encoding"], "the first byte of a two-byte character stands alone", None),
    ("overlong-utf-8", replace(b'"relu"', b'"rel\xc1\xb5"'), ["json-encoding"], "a letter is written in two bytes", None),
    ("no-break-space", replace(b'"units": 5', b'"units":\xc2\xa05'), ["json-value"], "a no-break space stands between key and value", None),
    ("two-marks", lambda text: b"\xef\xbb\xbf" * 2 + text, ["json-value"], "a second byte order mark is put in front", "dialect/utf-8-mark"),
    ("odd-utf-16", lambda text: text.decode().encode("utf-16")[:-1], ["json-encoding"], "the last byte is removed", "dialect/utf-16-mark"),
    ("cut-utf-32", lambda text: text.decode().encode("utf-32-be")[:-2], ["json-encoding"], "the last two bytes are removed", "dialect/utf-32-be"),
    ("long-integer", note(b"7" * 4301), ["json-long-integer"], "a key that nobody reads holds one digit more", "dialect/long-integer"),
    ("deep", note(b"[" * 100000 + b"]" * 100000), ["over-depth"], "a key that nobody reads holds 100,000 nested lists", "dialect/nested"),
    ("deep-and-open", lambda text: b"[" * 100000, ["over-depth", "malformed"], "everything is replaced by 100,000 opening brackets", None),
]

JSON_ACCEPT = [
    ("utf-8-mark", lambda text: b"\xef\xbb\xbf" + text, "a byte order mark is put in front"),
    ("utf-16-mark", lambda text: text.decode().encode("utf-16"), "written as UTF-16 with byte order mark"),
    ("utf-16-le", lambda text: text.decode().encode("utf-16-le"), "written as little-endian UTF-16 without mark"),
    ("utf-16-be", lambda text: text.decode().encode("utf-16-be"), "written as big-endian UTF-16 without mark"),
    ("utf-32-mark", lambda text: text.decode().encode("utf-32"), "written as UTF-32 with byte order mark"),
    ("utf-32-be", lambda text: text.decode().encode("utf-32-be"), "written as big-endian UTF-32 without mark"),
    ("duplicate-key", replace(b'"units": 5', b'"units": -1, "units": 5'), "a wrong value is put before a key's value, under the same key"),
    ("duplicate-class", replace(b'"class_name": "Dense"', b'"class_name": "Lambda", "class_name": "Dense"'), "another class is named before the right one"),
    ("nan", note(b"NaN"), "a key that nobody reads holds NaN"),
    ("infinities", note(b"[Infinity, -Infinity, 1e999]"), "a key that nobody reads holds infinities"),
    ("escaped-letters", replace(b'"units"', b'"\\u0075nits"'), "a letter of a key is written as an escape"),
    ("escaped-value", replace(b'"relu"', b'"r\\u0065lu"'), "a letter of a value is written as an escape"),
    ("lone-surrogate", note(b'"\\ud800"'), "a key that nobody reads holds half a surrogate pair"),
    ("encoded-surrogate", note(b'"\xed\xa0\x80"'), "a key that nobody reads holds half a surrogate pair as three bytes"),
    ("nul-in-string", note(b'"a\\u0000b"'), "a key that nobody reads holds a NUL character"),
    ("long-integer", note(b"7" * 4300), "a key that nobody reads holds an integer of 4300 digits"),
    ("nested", note(b"[" * 400 + b"]" * 400), "a key that nobody reads holds 400 nested lists"),
    ("white-space", lambda text: b"\r\n\t " + text.replace(b": ", b"\n:\t").replace(b", ", b"\r\n,") + b"\n\n", "white space of every kind is put between the tokens"),
    ("no-space", lambda text: text.replace(b": ", b":").replace(b", ", b","), "the white space between the tokens is removed"),
]


# --------------------------------------------------------------------------------------------------- edits of configs


def at(*path):
    """The place `path` in a config; a name in a list means the layer called so."""

    def find(config):
        for step in path:
            if isinstance(config, list) and isinstance(step, str):
                config = next(item for item in config if item["config"]["name"] == step)
            else:
                config = config[step]
        return config

    return find


def of(layer):
    return at("config", "layers", layer, "config")


def put(place, key, value):
    def edit(config):
        place(config)[key] = copy.deepcopy(value)

    return edit


def drop(place, key):
    def edit(config):
        del place(config)[key]

    return edit


def swap_lambda(config):
    record = lambda_record()
    old = at("config", "layers", "dense_b")(config)
    record["config"]["name"] = record["name"] = "dense_b"
    record["build_config"] = old["build_config"]
    record["inbound_nodes"] = old["inbound_nodes"]
    old.clear()
    old.update(record)


def rename_layer(old, new):
    def edit(config):
        text = json.dumps(config).replace('"%s"' % old, '"%s"' % new)
        config.clear()
        config.update(json.loads(text))

    return edit


def history(layer, index):
    """keras_history of an argument of `layer`."""

    def find(config):
        argument = at("config", "layers", layer, "inbound_nodes", 0, "args", 0)(config)
        return (argument if isinstance(argument, dict) else argument[index])["config"]["keras_history"]

    return find


def layer(name):
    return at("config", "layers", name)


TOP = at()
MODEL = at("config")
POLICY = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float16"}, "registered_name": None}

# twin, name, edit, acceptable reasons, what the edit does
CONFIG_REJECT = [
    ("functional", "unknown-class", put(layer("dense_a"), "class_name", "Densely"), REFUSED, "the class of dense_a is one that Keras does not have"),
    ("functional", "unknown-module", put(layer("dense_a"), "module", "keras.layerz"), REFUSED, "the module of dense_a does not exist"),
    ("functional", "module-outside-keras", put(layer("dense_a"), "module", "os"), REFUSED + ["unsafe"], "the module of dense_a is one of Python's"),
    ("functional", "unregistered-class", lambda c: (layer("dense_a")(c).update(module=None, class_name="Mine", registered_name="mine>Mine")),
     REFUSED, "dense_a is of a custom class that nobody registered"),
    ("functional", "class-name-a-number", put(layer("dense_a"), "class_name", 7), MALFORMED, "the class name of dense_a is a number"),
    ("functional", "class-name-missing", drop(layer("dense_a"), "class_name"), MALFORMED, "dense_a has no class name"),
    ("functional", "config-missing", drop(layer("dense_a"), "config"), MALFORMED, "dense_a has no config"),
    ("functional", "config-a-list", put(layer("dense_a"), "config", []), MALFORMED, "the config of dense_a is a list"),
    ("functional", "root-a-list", lambda c: [c], MALFORMED, "the document is a list around the model"),
    ("functional", "root-a-string", lambda c: "Functional", MALFORMED, "the document is a string"),
    ("functional", "root-unknown-class", put(TOP, "class_name", "Functionally"), REFUSED, "the class of the model does not exist"),
    ("functional", "root-a-layer", lambda c: layer("add")(c), REFUSED, "the document is a layer, not a model"),
    ("functional", "unknown-key", put(of("dense_a"), "unitz", 5), REFUSED, "dense_a has a config key that Dense does not know"),
    ("functional", "units-missing", drop(of("dense_a"), "units"), MALFORMED, "dense_a has no units"),
    ("functional", "units-negative", put(of("dense_a"), "units", -5), MALFORMED, "dense_a has -5 units"),
    ("functional", "units-zero", put(of("dense_a"), "units", 0), MALFORMED, "dense_a has 0 units"),
    ("functional", "units-a-float", put(of("dense_a"), "units", 5.5), MALFORMED, "dense_a has 5.5 units"),
    ("functional", "units-a-string", put(of("dense_a"), "units", "5"), MALFORMED, "the units of dense_a are a string"),
    ("functional", "units-null", put(of("dense_a"), "units", None), MALFORMED, "the units of dense_a are null"),
    ("functional", "units-a-list", put(of("dense_a"), "units", [5]), MALFORMED, "the units of dense_a are a list"),
    ("functional", "units-huge", put(of("dense_a"), "units", 1 << 62), MALFORMED + ["over-limit"], "dense_a has 2^62 units"),
    ("functional", "units-beyond-int64", put(of("dense_a"), "units", 1 << 70), MALFORMED + ["over-limit"], "dense_a has 2^70 units"),
    ("functional", "unknown-activation", put(of("dense_a"), "activation", "reluu"), REFUSED, "the activation of dense_a is not known"),
    ("functional", "activation-a-number", put(of("dense_a"), "activation", 1), MALFORMED, "the activation of dense_a is a number"),
    ("functional", "unknown-initializer", put(at("config", "layers", "dense_a", "config", "kernel_initializer"), "class_name", "GlorotUniformly"), REFUSED,
     "the initializer of dense_a is not known"),
    ("functional", "unknown-regularizer", put(at("config", "layers", "dense_a", "config", "kernel_regularizer"), "class_name", "L3"), REFUSED,
     "the regularizer of dense_a is not known"),
    ("functional", "unknown-constraint", put(of("dense_a"), "kernel_constraint", "max_normal"), REFUSED, "the constraint of dense_a is not known"),
    ("functional", "unknown-policy", put(at("config", "layers", "dense_a", "config", "dtype", "config"), "name", "float33"), REFUSED,
     "the dtype policy of dense_a is not known"),
    ("functional", "lambda", swap_lambda, ["unsafe"], "dense_b is replaced by a Lambda layer with Python code"),
    ("functional", "dangling-inbound", put(history("dense_a", 0), 0, "input_z"), MALFORMED, "dense_a is called on a layer that is not there"),
    ("functional", "node-index", put(history("dense_out", 0), 1, 3), MALFORMED, "dense_out is called on the fourth call of a layer that is called once"),
    ("functional", "tensor-index", put(history("dense_out", 0), 2, 1), MALFORMED, "dense_out is called on the second output of a layer that has one"),
    ("functional", "cycle", put(history("dense_a", 0), 0, "add"), MALFORMED, "dense_a is called on the layer that is called on it"),
    ("functional", "self-loop", put(history("dense_a", 0), 0, "dense_a"), MALFORMED, "dense_a is called on itself"),
    ("functional", "duplicate-layer-name", rename_layer("dense_b", "dense_a"), MALFORMED, "dense_b is called dense_a too, also where add is called on it"),
    ("functional", "input-layer-missing", put(at("config", "input_layers", 0), 0, "input_z"), MALFORMED, "input_layers names a layer that is not there"),
    ("functional", "output-layer-missing", put(at("config", "output_layers"), 0, "dense_z"), MALFORMED, "output_layers names a layer that is not there"),
    ("functional", "output-tensor-index", put(at("config", "output_layers"), 2, 4), MALFORMED, "output_layers names the fifth output of a layer that has one"),
    ("functional", "input-forgotten", lambda c: c["config"]["input_layers"].pop(), MALFORMED, "input_layers does not name input_b, on which the output depends"),
    ("functional", "layers-missing", drop(MODEL, "layers"), MALFORMED, "the model has no list of layers"),
    ("functional", "layers-a-string", put(MODEL, "layers", "dense"), MALFORMED, "the list of layers is a string"),
    ("functional", "layer-null", put(at("config", "layers"), 4, None), MALFORMED, "one of the layers is null"),
    ("functional", "input-layers-missing", drop(MODEL, "input_layers"), MALFORMED, "the model does not say its inputs"),
    ("functional", "inbound-nodes-missing", drop(layer("add"), "inbound_nodes"), MALFORMED, "add does not say what it is called on"),
    ("functional", "inbound-nodes-empty", put(layer("add"), "inbound_nodes", []), MALFORMED, "add is never called, although dense_out needs it"),
    ("functional", "merge-shapes", put(of("dense_b"), "units", 4), MALFORMED, "add gets 5 and 4 columns"),
    ("functional", "batch-shape-negative", put(of("input_a"), "batch_shape", [None, -6]), MALFORMED, "input_a has -6 columns"),
    ("functional", "batch-shape-strings", put(of("input_a"), "batch_shape", [None, "6"]), MALFORMED, "the columns of input_a are a string"),
    ("functional", "batch-shape-a-number", put(of("input_a"), "batch_shape", 6), MALFORMED, "the shape of input_a is a number"),
    ("functional", "rank-too-low", put(of("input_a"), "batch_shape", [None]), MALFORMED, "input_a has no columns, Dense needs them"),
    ("functional", "unknown-input-dtype", put(of("input_a"), "dtype", "float33"), REFUSED, "the dtype of input_a is not known"),
    ("convolution", "padding-unknown", put(of("conv"), "padding", "samee"), MALFORMED, "the padding of conv is not known"),
    ("convolution", "padding-causal", put(of("conv"), "padding", "causal"), MALFORMED, "the padding of conv is one that only Conv1D has"),
    ("convolution", "strides-zero", put(of("conv"), "strides", [0, 2]), MALFORMED, "a stride of conv is 0"),
    ("convolution", "strides-three", put(of("conv"), "strides", [2, 2, 2]), MALFORMED, "conv has three strides"),
    ("convolution", "strides-with-dilation", put(of("conv"), "dilation_rate", [2, 2]), REFUSED, "conv has strides and dilation at once"),
    ("convolution", "kernel-zero", put(of("conv"), "kernel_size", [3, 0]), MALFORMED, "the kernel of conv has no columns"),
    ("convolution", "kernel-negative", put(of("conv"), "kernel_size", [-3, 3]), MALFORMED, "the kernel of conv has -3 rows"),
    ("convolution", "groups-do-not-divide", put(of("conv"), "groups", 4), MALFORMED, "conv has 6 filters in 4 groups"),
    ("convolution", "groups-do-not-divide-channels", put(of("conv"), "groups", 3), MALFORMED, "conv has 4 channels in 3 groups"),
    ("convolution", "filters-zero", put(of("conv"), "filters", 0), MALFORMED, "conv has no filters"),
    ("convolution", "data-format-unknown", put(of("conv"), "data_format", "channels_middle"), MALFORMED, "the data format of conv is not known"),
    ("convolution", "kernel-larger-than-image", lambda c: of("conv")(c).update(padding="valid", kernel_size=[9, 9]), MALFORMED,
     "the kernel of conv is larger than the image"),
    ("convolution", "rank-wrong", lambda c: of("image")(c).update(batch_shape=[None, 8, 4]), MALFORMED, "the image has rank 3, conv needs 4"),
    ("convolution", "pool-zero", put(of("pool"), "pool_size", [0, 2]), MALFORMED, "the window of pool has no rows"),
    ("convolution", "axis-outside", put(of("norm"), "axis", 7), MALFORMED, "norm works along axis 7 of a tensor of rank 4"),
    ("convolution", "axis-a-string", put(of("norm"), "axis", "last"), MALFORMED, "the axis of norm is a string"),
    ("sequence", "rate-too-high", put(of("dropout"), "rate", 1.5), MALFORMED, "dropout drops 150 %"),
    ("sequence", "rate-negative", put(of("dropout"), "rate", -0.25), MALFORMED, "dropout drops -25 %"),
    ("sequence", "embedding-negative", put(of("embedding"), "output_dim", -4), MALFORMED, "embedding gives -4 columns"),
    ("sequence", "merge-mode-unknown", put(of("both"), "merge_mode", "join"), MALFORMED, "the merge mode of both is not known"),
    ("sequence", "inner-layer-unknown", put(at("config", "layers", "both", "config", "layer"), "class_name", "LSTN"), REFUSED,
     "the layer inside both is of an unknown class"),
    ("sequence", "inner-layer-not-recurrent", lambda c: at("config", "layers", "both", "config")(c).update(layer=copy.deepcopy(layer("dense")(c))), MALFORMED,
     "the layer inside both is not recurrent"),
    ("sequence", "recurrent-activation-unknown", put(at("config", "layers", "both", "config", "layer", "config"), "recurrent_activation", "sigmoidal"),
     REFUSED, "the recurrent activation of the LSTM is not known"),
    ("sequence", "inner-units-zero", put(at("config", "layers", "both", "config", "layer", "config"), "units", 0), MALFORMED, "the LSTM has no units"),
    ("sequence", "heads-zero", put(of("attention"), "num_heads", 0), MALFORMED, "attention has no heads"),
    ("sequence", "heads-negative", put(of("attention"), "num_heads", -2), MALFORMED, "attention has -2 heads"),
    ("shapes", "reshape-size", put(of("reshape"), "target_shape", [6, 5]), MALFORMED, "reshape turns 24 elements into 30"),
    ("shapes", "reshape-two-unknown", put(of("reshape"), "target_shape", [-1, -1]), MALFORMED, "reshape has two unknown dimensions"),
    ("shapes", "permute-not-a-permutation", put(of("permute"), "dims", [1, 1]), MALFORMED, "permute names one axis twice"),
    ("shapes", "permute-from-zero", put(of("permute"), "dims", [0, 1]), MALFORMED, "permute moves the batch axis"),
    ("shapes", "permute-rank", put(of("permute"), "dims", [2, 1, 3]), MALFORMED, "permute names three axes of two"),
    ("shapes", "concatenate-shapes", put(of("permute"), "dims", [1, 2]), MALFORMED, "concatenate gets 4 and 6 rows"),
    ("shapes", "concatenate-axis", put(of("concatenate"), "axis", 5), MALFORMED, "concatenate works along axis 5 of a tensor of rank 3"),
    ("shapes", "norm-axis", put(of("norm"), "axis", 4), MALFORMED, "norm works along axis 4 of a tensor of rank 3"),
]

# twin, name, edit, the answers seen, what the edit does
CONFIG_EITHER = [
    ("functional", "float16-policy", put(of("dense_a"), "dtype", POLICY), ["accepted", "unsupported"], "dense_a computes in float16"),
    ("functional", "merge-of-one", lambda c: at("config", "layers", "add", "inbound_nodes", 0, "args", 0)(c).pop(), ["accepted", "malformed"],
     "add is called on one tensor only"),
]

# The same inside a .keras file: twin, name, edit of config.json's bytes, reasons, what the edit does
KERAS_REJECT = [
    ("functional", "trailing-comma", replace(b'["input_b", 0, 0]]', b'["input_b", 0, 0],]'), ["json-trailing-comma"],
     "in config.json, a comma is put before the end of input_layers"),
    ("functional", "truncated-config", lambda text: text[:-1], ["json-truncated"], "the last brace of config.json is removed"),
    ("functional", "empty-config", lambda text: b"", ["json-empty"], "config.json is emptied"),
    ("functional", "invalid-utf-8", replace(b'"relu"', b'"rel\xff"'), ["json-encoding"], "in config.json, a byte FF is put into a string"),
    ("functional", "unknown-class", replace(b'"class_name": "Dense"', b'"class_name": "Densely"'), REFUSED, "the class of dense_a is one that Keras does not have"),
    ("functional", "units-negative", replace(b'"units": 5', b'"units": -5'), MALFORMED, "dense_a has -5 units"),
    ("functional", "dangling-inbound", replace(b'"keras_history": ["input_a"', b'"keras_history": ["input_z"'), MALFORMED,
     "dense_a is called on a layer that is not there"),
]


# ------------------------------------------------------------------------------------------------------------ writing


def keras_answer(data, suffix):
    """None when Keras accepts, else its complaint."""
    keras.backend.clear_session()
    try:
        if suffix == "keras":
            path = os.path.join(GOLDEN, ".reject_json.keras")
            with open(path, "wb") as file:
                file.write(data)
            try:
                model = keras.saving.load_model(path, compile=False, safe_mode=True)
            finally:
                os.remove(path)
        else:
            model = keras.models.model_from_json(data)
        if not isinstance(model, keras.Model):
            return "not a model but %s" % type(model).__name__
        return None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        text = str(error).split("Exception encountered: ")[-1].strip() or "no message"
        return "%s: %s" % (type(error).__name__, text.splitlines()[0][:140])


problems = []


def write_case(path, data, title, expect, reason=None, twin=None, edit=None, tags=()):
    suffix = "keras" if path.startswith("keras-v3/") else "json"
    complaint = keras_answer(data, suffix)
    accepted = complaint is None
    print("%-62s %-7s %s" % (path, expect, "accepted" if accepted else complaint))
    if (expect == "accept" and not accepted) or (expect == "reject" and accepted):
        problems.append(path)
    if expect == "either" and (accepted != ("accepted" in reason)):
        problems.append(path)
    folder = os.path.join(GOLDEN, path)
    os.makedirs(folder, exist_ok=True)
    artifact = "model." + suffix
    with open(os.path.join(folder, artifact), "wb") as file:
        file.write(data)
    case = {
        "schema": "kassay-case/1", "title": title, "format": path.split("/")[0], "since": "0.1", "revision": 1,
        "artifact": artifact, "load": {"architecture": None, "initial": None, "options": {}},
        "writer": WRITER, "level": "MAY" if expect == "either" else "MUST", "expect": expect, "reason": reason,
        "clauses": [], "tags": list(tags), "cves": [],
        "predict": None, "train": None, "custom_objects": [],
        "twin": twin, "edit": edit, "kills": [], "budget": None,
    }
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(case, file, indent=2)
        file.write("\n")


def archive(model):
    """The .keras file as Keras writes it, but with fixed dates."""
    path = os.path.join(GOLDEN, ".reject_json.keras")
    model.save(path)
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    os.remove(path)
    metadata = json.loads(members["metadata.json"])
    metadata["date_saved"] = "2026-01-01@00:00:00"
    members["metadata.json"] = json.dumps(metadata).encode()
    return members


def packed(members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return data.getvalue()


def write_json_cases(text, twin):
    for name, edit, what in JSON_ACCEPT:
        write_case("json-v3/dialect/" + name, edit(text), "Read as Python reads it: " + what, "accept", edit=what + ".", tags=["json", "dialect"])
    for name, edit, reason, what, other in JSON_REJECT:
        write_case("json-v3/reject/json/" + name, edit(text), "Refused: " + what, "reject", reason,
                   "json-v3/" + other if other else twin, what + ".", ["json"])


def write_config_cases(texts):
    rows = [row + ("reject",) for row in CONFIG_REJECT] + [row + ("either",) for row in CONFIG_EITHER]
    for base, name, edit, reason, what, expect in rows:
        config = json.loads(texts[base])
        edited = edit(config)
        if name.startswith("root-") and edited is not None:
            config = edited
        write_case("json-v3/reject/config/" + name, json.dumps(config).encode(), "%s: %s" % ("Refused" if expect == "reject" else "Either", what),
                   expect, reason, "json-v3/keras-3.15.1/twin-" + base, what + ".", ["config"])


def main():
    keras.utils.set_random_seed(7)
    texts = {}
    for make in (functional, convolution, sequence, shapes):
        model = make()
        texts[make.__name__] = model.to_json().encode()
        write_case("json-v3/keras-3.15.1/twin-" + make.__name__, texts[make.__name__], "The model that refused documents are one edit away from", "accept",
                   tags=["twin"])
    for folder in ("json-v3/reject/json", "json-v3/reject/config", "json-v3/dialect"):
        shutil.rmtree(os.path.join(GOLDEN, folder), ignore_errors=True)
    write_json_cases(texts["functional"], "json-v3/keras-3.15.1/twin-functional")
    write_config_cases(texts)
    members = archive(functional())
    twin = "keras-v3/keras-3.15.1/twin-functional"
    write_case(twin, packed(members), "The model that refused files are one edit away from", "accept", tags=["twin"])
    for _, name, edit, reason, what in KERAS_REJECT:
        write_case("keras-v3/reject/config/" + name, packed(dict(members, **{"config.json": edit(members["config.json"])})), "Refused: " + what, "reject", reason,
                   twin, what + ".", ["config"])
    if problems:
        sys.exit("Keras answers otherwise:\n  " + "\n  ".join(problems))


main()
