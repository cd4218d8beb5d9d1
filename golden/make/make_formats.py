"""Makes golden cases of the other formats that the Keras of this environment writes, from the same families.

    python golden/make/make_formats.py --out golden [--kind KIND] [--only GLOB]

What each format gets is listed below; --matrix makes what matrix.py misses, .keras files too. A legacy file that its own writer cannot load is kept, tagged writer-bug; what Keras
does not save at all, or what could not see a bug, is printed.
"""

import argparse
import fnmatch
import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import kassay_golden  # noqa: E402
import matrix  # noqa: E402

NEWEST = "3.15.1"
# What the writers before the newest get. Family: names of its cases, or globs
OLD = {
    "h5-legacy": {
        "core": ["dense-objects", "embedding"],
        "convolution": ["conv2d"],
        "normalization": ["batch-normalization"],
        "recurrent": ["lstm-activation", "gru-activation", "bidirectional-lstm", "time-distributed-model"],
        "structure": ["shared-layer", "nested-functional", "frozen-layers", "trained-adam"],
        "legacy": ["long-names", "nested-with-statistics", "frozen-nested"],
    },
    "h5-weights-legacy": {"legacy": ["nested-with-statistics", "wrapped"], "structure": ["frozen-layers"]},
    "weights-v3-sharded": {"sharded": ["*"]},
    "keras-v3-dir": {"structure": ["shared-layer", "nested-functional"]},
    "json-v3": {"core": ["dense-objects"], "recurrent": ["bidirectional-lstm"], "structure": ["nested-functional", "arithmetic-operations"]},
    "weights-v3": {"structure": ["trained-adam"]},
}
# What the newest gets.
SELECTION = {
    "h5-legacy": {
        "core": ["*"],
        "convolution": ["conv1d-causal-dilation", "conv2d", "conv2d-transpose", "depthwise*", "separable*"],
        "normalization": ["*"],
        "merging": ["*"],
        "recurrent": ["*"],
        "attention": ["*"],
        "structure": ["*"],
        "guide": ["*"],
        "preprocessing": ["*"],
        "legacy": ["*"],
    },
    "h5-weights-legacy": {
        "core": ["dense-objects", "embedding*"],
        "convolution": ["conv2d", "separable*"],
        "normalization": ["batch-normalization", "layer-normalization"],
        "recurrent": ["lstm-activation", "gru-activation", "bidirectional-lstm", "simple-rnn-activation"],
        "attention": ["mha-output-shape"],
        "structure": ["nested-functional", "nested-twice", "frozen-layers", "frozen-model", "shared-layer", "repeated-classes", "odd-names"],
        "guide": ["transformer-block", "tickets"],
        "legacy": ["*"],
    },
    "weights-v3-sharded": {"sharded": ["*"]},
    "keras-v3-dir": {
        "core": ["dense-objects", "embedding*"],
        "normalization": ["batch-normalization"],
        "recurrent": ["bidirectional-lstm", "lstm-activation"],
        "attention": ["mha-output-shape"],
        "structure": ["shared-layer", "frozen-layers", "repeated-classes", "sequential-without-input"],
        "guide": ["mlp-784-64-64-10", "transformer-block"],
    },
    "json-v3": {
        "core": ["dense-objects", "embedding*"],
        "convolution": ["conv2d"],
        "normalization": ["batch-normalization"],
        "recurrent": ["bidirectional-lstm", "gru-activation"],
        "attention": ["mha-output-shape"],
        "structure": ["two-inputs-two-outputs", "dict-ports", "nested-functional", "shared-layer", "arithmetic-operations"],
        "guide": ["mlp-sequential", "transformer-block"],
    },
    "weights-v3": {"structure": ["compiled-*", "trained-adam"]},
}
# Masked models that an `.h5` of Keras 3 cannot hold are all alike: these stand for them.
MASKED = ("mha-masked", "embedding-mask-pool", "add-masked", "lstm-masked", "several-masked-branches")
ALIKE = ("attention-key", "attention-scale", "attention-scores", "attention-masked")


def stands_for_itself(case):
    return case.name in MASKED or not (case.name in ALIKE or "mask" in case.name)


def wanted(kind, family, case):
    patterns = (SELECTION if kassay_golden.VERSION == NEWEST else OLD)[kind].get(family, [])
    if kind == "h5-legacy" and not stands_for_itself(case):
        return False
    return any(fnmatch.fnmatch(case.name, pattern) for pattern in patterns)


def cases_of(family):
    module = importlib.import_module("family_" + family)
    for case in module.cases():
        case.script = f"family_{family}.py"
        case.tags = case.tags or [family]
        case.title = case.title or f"{family}: {case.name.replace('-', ' ')}"
        yield case


def fill_matrix(out):
    """Makes one case for each cell of the matrix that has none."""
    writer = "keras-" + kassay_golden.VERSION
    cases = {(family, case.name): case for family in matrix.MODELS[3] for case in cases_of(family)}

    def write(family, name, kinds):
        for kind in kinds:
            problem = kassay_golden.write_case(out, kind, family, cases[family, name])
            print(problem or f"{kind}/{writer}/{family}/{name}", flush=True)

    left = matrix.fill(out, writer, set(cases), write)
    for kind, family in left:
        print(f"NOT FILLED: {kind}/{writer}/{family}")
    return 1 if left else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default="golden")
    parser.add_argument("--kind")
    parser.add_argument("--family")
    parser.add_argument("--only", default="*")
    parser.add_argument("--again", action="store_true", help="also make cases that are there")
    parser.add_argument("--matrix", action="store_true", help="what matrix.py misses, instead")
    arguments = parser.parse_args()
    if arguments.matrix:
        return fill_matrix(arguments.out)
    written, refused = 0, 0
    for kind in [arguments.kind] if arguments.kind else SELECTION:
        for family in dict.fromkeys([*SELECTION[kind], *OLD[kind]]):
            if arguments.family and family != arguments.family:
                continue
            for case in cases_of(family):
                case_id = f"{kind}/keras-{kassay_golden.VERSION}/{family}/{case.name}"
                if not wanted(kind, family, case) or not fnmatch.fnmatch(case.name, arguments.only):
                    continue
                if os.path.exists(os.path.join(arguments.out, case_id)) and not arguments.again:
                    continue
                problem = kassay_golden.write_case(arguments.out, kind, family, case)
                if problem:
                    print(problem, flush=True)
                written += os.path.exists(os.path.join(arguments.out, case_id))
                refused += not os.path.exists(os.path.join(arguments.out, case_id))
        print(kind, written, flush=True)
    print(f"{written} written, {refused} refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
