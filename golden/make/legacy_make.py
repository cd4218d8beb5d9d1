"""Makes the golden cases of Keras 1 and 2 with the Keras of this environment.

    python golden/make/legacy_make.py --writer keras-2.3.1 --out golden [--family NAME] [--only GLOB] [--all]

The writer's name says which Keras is taken: keras-N the package keras, tf-N tensorflow.keras, tfkeras-N the package tf_keras.
Which models a writer makes: a share of each tier by the writer's weight, chosen by name (--all: every one). With
--matrix those that stand for the cells of matrix.py which have no case yet.
What Keras refuses, or what could not see a bug, is printed.
"""

import argparse
import fnmatch
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import matrix

for name, value in (("TF_CPP_MIN_LOG_LEVEL", "3"), ("CUDA_VISIBLE_DEVICES", "-1"), ("TF_ENABLE_ONEDNN_OPTS", "0"), ("TF_NUM_INTRAOP_THREADS", "1"), ("TF_NUM_INTEROP_THREADS", "1")):
    os.environ.setdefault(name, value)

# Of tiers 1, 2 and 3 one in N: two writers make everything, the others a sample that differs from writer to writer.
WEIGHTS = {
    "keras-1.2.2": (1, 1, 1), "tf-2.15.1": (1, 1, 1), "keras-2.3.1": (1, 3, 5), "tf-2.9.3": (1, 4, 8), "tf-1.15.5": (1, 4, 8),
    "tfkeras-2.21.0": (3, 10, 20), "tf-2.4.4": (2, 5, 10), "tf-2.12.1": (3, 8, 12), "keras-2.2.5": (3, 12, 24), "tf-1.13.2": (3, 12, 40), "tf-2.0.4": (4, 14, 30),
}  # fmt: skip
OTHERS = (5, 20, 60)
FULL = ("keras-1.2.2",)
WITH_V3 = ("tf-2.12.1", "tf-2.13.1", "tf-2.15.1", "tfkeras-2.21.0")
# 450 KB: one writer is enough.
WIDE = ("tf-2.9.3",)


def chosen(writer, case, golden):
    """Whether this writer makes this case."""
    if case.tier == 4:
        return writer in WIDE
    if case.tier == 5:  # only where it stands for a cell of matrix.py
        return False
    share = WEIGHTS.get(writer, OTHERS)[case.tier - 1]
    return golden.seed_of("%s %s/%s" % (writer, case.family, case.name)) % share == 0


def formats(writer, case, full):
    kinds = ["h5-legacy"] if case.h5 else []
    for kind in case.also:
        if kind in ("keras-v3", "weights-v3") and writer not in WITH_V3:
            continue
        # Weights and JSON files of tier 1 come from every writer, others from one.
        if kind in ("h5-weights-legacy", "json-legacy") and not full and case.tier > 1:
            continue
        kinds.append(kind)
    return kinds


def fill_matrix(env, golden, models, out):
    """Makes one case for each cell of the matrix that has none."""
    cases = {}
    for family, make in models.FAMILIES:
        for case in make():
            case.family, case.script = family, models.__name__ + ".py"
            cases[family, case.name] = case

    def write(family, name, kinds):
        count, problems = golden.write_case(env, out, cases[family, name], kinds)
        print(family, name, *kinds, count, flush=True)
        for problem in problems:
            print(problem, flush=True)

    left = matrix.fill(out, env.writer, set(cases), write)
    for kind, family in left:
        print("NOT FILLED: %s/%s/%s" % (kind, env.writer, family))
    return 1 if left else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", required=True)
    parser.add_argument("--out", default="golden")
    parser.add_argument("--family")
    parser.add_argument("--only", default="*", help="globs of names, with commas between them")
    parser.add_argument("--format", default="*")
    parser.add_argument("--suffix", default="", help="appended to the names of cases: --suffix=-theano")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--matrix", action="store_true", help="what matrix.py misses, instead")
    arguments = parser.parse_args()
    import legacy_golden as golden

    env = golden.Environment(arguments.writer)
    if env.generation == 1:
        import legacy_models_keras1 as models
    else:
        import legacy_models_keras2 as models
    models.use(env)
    if arguments.matrix:
        return fill_matrix(env, golden, models, arguments.out)
    written, refused = 0, []
    for family, make in models.FAMILIES:
        if arguments.family and family != arguments.family:
            continue
        for case in make():
            case.family, case.script = family, models.__name__ + ".py"
            wanted = any(fnmatch.fnmatch(case.name, glob) for glob in arguments.only.split(","))
            if not wanted or not (arguments.all or chosen(env.writer, case, golden)):
                continue
            case.name += arguments.suffix
            kinds = [kind for kind in formats(env.writer, case, env.writer in FULL) if fnmatch.fnmatch(kind, arguments.format)]
            count, problems = golden.write_case(env, arguments.out, case, kinds)
            for problem in problems:
                print(problem, flush=True)
            refused += problems
            written += count
        print(family, written, flush=True)
    print("%d written, %d refused" % (written, len(refused)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
