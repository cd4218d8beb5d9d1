#!/usr/bin/env python3
"""Lists the deviations of an adapter in its expectation file, each with its reviewed reason.

    harness/expectations/explain.py [--part] EXPECTATIONS RESULTS…

The reasons stand in the file itself, as comments that the gate does not read:

    #: OUTCOME GLOB /PATTERN/ why

A deviation is explained by the first reason whose outcome and glob fit and whose pattern is found in its message. Lines for
explained deviations are written below the reasons; what no reason explains is printed, and the exit status is 1: then a person
looks, and either finds a fault or writes a reason. Of several results files the later counts where both have a case.
--part: the results are those of a part of the suite; the lines of all other cases stay as they are.
"""

import fnmatch
import json
import re
import sys

RULE = re.compile(r"#: (\S+) (\S+) /(.*)/ (.+)$")
END = "# --- deviations, written by explain.py"


def read_results(paths):
    results = {}
    for path in paths:
        with open(path) as file:
            for line in file:
                record = json.loads(line)
                if "outcome" in record:
                    results[record["id"]] = record
    return results


def main(*words):
    part = words[0] == "--part"
    target, *paths = words[part:]
    with open(target) as file:
        head, _, tail = file.read().partition(END)
    head = head.rstrip("\n")
    rules = [match.groups() for match in map(RULE.match, head.splitlines()) if match]
    used, unexplained = set(), 0
    results = read_results(paths)
    lines = [line for line in tail.splitlines() if line and line.split()[0] not in results] if part else []
    for case, record in sorted(results.items()):
        if record["outcome"] == "PASS":
            continue
        for rule in rules:
            outcome, glob, pattern, why = rule
            if outcome == record["outcome"] and fnmatch.fnmatch(case, glob) and re.search(pattern, record["message"]):
                lines.append(f"{case} {outcome}  # {why}")
                used.add(rule)
                break
        else:
            unexplained += 1
            print(f"{record['outcome']} {case}: {record['message'][:400]}")
    for rule in rules:
        if rule not in used and not part:
            print("explains nothing:", *rule)
    with open(target, "w") as file:
        file.write("\n".join([head, END, *sorted(lines)]) + "\n")
    print(f"{len(lines)} explained, {unexplained} not")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
