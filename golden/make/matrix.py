"""The matrix of the suite: every family of models in every format of every writer, and the model that stands for each cell.

A cell is filled by any case of that family which is accepted, or whose writer does not load its own file (tag writer-bug).
`make_formats.py --matrix` and `legacy_make.py --matrix` make what is missing: of the models below the first that works, counted
from a place that differs from cell to cell, so that writers and formats do not all show the same model. `ci/check-matrix`
prints the holes. Runs under every Python of the writers, from 3.6 on.
"""

import fnmatch
import hashlib
import json
import os

WRITERS_3 = ("keras-3.0.1", "keras-3.0.5", "keras-3.3.3", "keras-3.6.0", "keras-3.9.2", "keras-3.12.4", "keras-3.15.1")
WITH_DIRECTORY = ("keras-3.6.0", "keras-3.9.2", "keras-3.12.4", "keras-3.15.1")
WITH_SHARDS = ("keras-3.12.4", "keras-3.15.1")
WRITERS_2 = (
    "keras-2.0.9", "keras-2.2.5", "keras-2.3.1", "tf-1.13.2", "tf-1.15.5", "tf-2.0.4", "tf-2.3.4", "tf-2.4.4", "tf-2.6.5", "tf-2.9.3",
    "tf-2.11.1", "tf-2.12.1", "tf-2.13.1", "tf-2.15.1", "tfkeras-2.21.0",
)  # fmt: skip
WITH_V3 = ("tf-2.12.1", "tf-2.13.1", "tf-2.15.1", "tfkeras-2.21.0")
WRITERS_1 = ("keras-1.2.2",)
WRITERS = WRITERS_1 + WRITERS_2 + WRITERS_3

# The models that may stand for a family, by generation.
MODELS = {
    3: {
        "activation": ["activations-in-a-row", "prelu-shared", "prelu"],
        "attention": ["mha-value-dim", "mha-cross", "additive-attention", "mha-output-shape", "mha-causal", "gqa"],
        "convolution": ["separable-conv2d", "conv2d-transpose", "depthwise-conv2d", "conv1d-causal-dilation", "conv2d-groups", "separable-conv1d"],
        "core": ["dense-objects", "einsum-dense", "embedding", "embedding-mask-lstm"],
        "merging": ["merged-towers", "merged-towers-without-dot"],
        "normalization": ["batch-normalization-epsilon", "group-normalization", "layer-normalization", "batch-normalization-axis", "layer-normalization-axes", "rms-normalization"],
        "pooling": ["pooled-convolutions"],
        "preprocessing": ["normalized-and-rescaled", "augmented-image", "normalization-adapted", "encoded-categories", "embedded-bins"],
        "recurrent": ["gru-reset-before", "bidirectional-lstm", "stacked-cells", "time-distributed-dense", "lstm-recurrent-activation", "bidirectional-backward-layer", "encoder-decoder"],
        "reshaping": ["reshaped-in-a-row"],
        "structure": ["shared-layer", "nested-functional", "sequential-in-functional", "two-inputs-two-outputs", "repeated-classes", "frozen-layers", "dict-ports"],
    },
    2: {
        "activation": ["activations-in-a-row", "prelu-shared", "dense-hard-sigmoid", "dense-activation-layer"],
        "attention": ["multi-head", "additive-attention", "attention-scale", "multi-head-value-dim", "attention"],
        "convolution": ["separable-conv2d", "depthwise-conv2d", "conv2d-transpose", "locally-connected-2d", "conv1d-causal-dilation", "conv2d"],
        "core": ["dense-objects", "embedding-mask-lstm", "einsum-dense", "embedding", "dense-stack"],
        "merging": ["merged-towers"],
        "normalization": ["batch-normalization-image", "layer-normalization", "batch-normalization", "batch-normalization-axis-1"],
        "pooling": ["pooled-convolutions"],
        "preprocessing": ["normalization-given", "resizing-bilinear", "random-layers", "category-encoding-multi-hot", "rescaling", "center-crop", "normalization"],
        "recurrent": ["lstm", "gru-reset-after", "bidirectional-backward-layer", "conv-lstm-2d", "stacked-cells", "time-distributed-model", "bidirectional-lstm", "encoder-decoder"],
        "reshaping": ["reshaped-in-a-row"],
        "structure": ["shared-layer", "nested-functional", "sequential-in-functional", "nested-normalization", "repeated-classes", "frozen-layers", "dict-ports", "two-inputs-two-outputs"],
    },
    1: {
        "activation": ["prelu", "srelu", "hard-sigmoid", "parametric-softplus"],
        "convolution": ["convolution-2d-tf", "convolution-1d"],
        "core": ["dense", "highway"],
        "merging": ["merge-layer-sum", "merge-layer-concat"],
        "normalization": ["batch-normalization"],
        "recurrent": ["lstm", "gru"],
        "shapes": ["padding-2d-tf", "reshapes"],
        "structure": ["shared-layer", "nested-functional"],
    },
}  # fmt: skip

# Cells that cannot be, each with the reason.
ABSENT = [
    ("*/keras-2.*/attention", "standalone Keras 2 has no such layers"),
    ("*/tf-1.13.2/attention", "no such layers before TensorFlow 1.14"),
    ("*/keras-2.*/preprocessing", "standalone Keras 2 has no such layers"),
    ("*/tf-1.*/preprocessing", "no such layers before TensorFlow 2.1"),
    ("*/tf-2.0.4/preprocessing", "no such layers before TensorFlow 2.1"),
    ("*/tf-2.0.4/attention", "these layers have no get_config yet: not saved"),
]


def generation(writer):
    return 1 if writer in WRITERS_1 else 2 if writer in WRITERS_2 else 3


def formats(writer):
    if generation(writer) < 3:
        return ("h5-legacy", "h5-weights-legacy", "json-legacy") + (("keras-v3", "weights-v3") if writer in WITH_V3 else ())
    more = (("keras-v3-dir",) if writer in WITH_DIRECTORY else ()) + (("weights-v3-sharded",) if writer in WITH_SHARDS else ())
    return ("keras-v3", "weights-v3", "json-v3", "h5-legacy", "h5-weights-legacy") + more


def cells(writer):
    """(format, family) of this writer, without those that cannot be."""
    for family in MODELS[generation(writer)]:
        for kind in formats(writer):
            if not any(fnmatch.fnmatchcase("%s/%s/%s" % (kind, writer, family), glob) for glob, _ in ABSENT):
                yield kind, family


def candidates(writer, kind, family):
    models = MODELS[generation(writer)][family]
    if family == "merging":  # the second is the first with less
        return list(models)
    start = int(hashlib.sha256(("%s %s %s" % (writer, kind, family)).encode()).hexdigest()[:8], 16) % len(models)
    return models[start:] + models[:start]


def filled(golden, writer, kind, family, bugs_count=True):
    folder = os.path.join(golden, kind, writer, family)
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name, "case.json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                case = json.load(file)
            if case["expect"] == "accept" or (bugs_count and "writer-bug" in case["tags"]):
                return True
    return False


def holes(golden, writer, bugs_count=True):
    return [(kind, family) for kind, family in cells(writer) if not filled(golden, writer, kind, family, bugs_count)]


def fill(golden, writer, names, write):
    """Makes what is missing: `write(family, name, kinds)` for each model; returns the cells that no model filled.

    A writer's bug is kept and the next model tried; where every model shows one the cell is filled with it.
    `names` holds the (family, name) of every model that this environment can make.
    """
    left = []
    for family in MODELS[generation(writer)]:
        missing = {kind: [n for n in candidates(writer, kind, family) if (family, n) in names] for kind, f in holes(golden, writer, False) if f == family}
        while missing:
            # One model for several formats is built once.
            wanted = {}
            for kind in list(missing):
                if missing[kind]:
                    wanted.setdefault(missing[kind].pop(0), []).append(kind)
                else:
                    left += [] if filled(golden, writer, kind, family) else [(kind, family)]
                    del missing[kind]
            for name, kinds in wanted.items():
                write(family, name, kinds)
            missing = {kind: rest for kind, rest in missing.items() if not filled(golden, writer, kind, family, False)}
    return left
