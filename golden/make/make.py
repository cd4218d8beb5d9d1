"""Makes golden cases with the Keras of this environment.

    python golden/make/make.py --out golden [--family NAME] [--only GLOB] [--old]

--old makes only the cases that older writers make too. What Keras refuses, or what could not see a bug, is printed.
"""

import argparse
import fnmatch
import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

FAMILIES = [
    "core",
    "activation",
    "convolution",
    "pooling",
    "reshaping",
    "normalization",
    "merging",
    "recurrent",
    "attention",
    "preprocessing",
    "structure",
    "guide",
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default="golden")
    parser.add_argument("--family")
    parser.add_argument("--only", default="*")
    parser.add_argument("--old", action="store_true")
    arguments = parser.parse_args()
    import kassay_golden

    written, refused = 0, []
    for family in FAMILIES:
        if arguments.family and family != arguments.family:
            continue
        module = importlib.import_module("family_" + family)
        for case in module.cases():
            if not fnmatch.fnmatch(case.name, arguments.only) or (arguments.old and not case.old):
                continue
            case.script = f"family_{family}.py"
            case.tags = case.tags or [family]
            case.title = case.title or f"{family}: {case.name.replace('-', ' ')}"
            for kind in ("keras-v3",) + (() if arguments.old else case.also):
                problem = kassay_golden.write_case(arguments.out, kind, family, case)
                if problem:
                    refused.append(problem)
                    print(problem, flush=True)
                else:
                    written += 1
        print(family, written, flush=True)
    print(f"{written} written, {len(refused)} refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
