#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes double_table.inc: bits of doubles, and Python's repr of each.

    python3 harness/unit/make_double_table.py > harness/unit/double_table.inc
"""
import math
import random
import struct

EDGES = [
    0.1, 1.0, -1.0, 100.0, 1e15, 123456789012345680.0, 1e16, 9999999999999998.0, 1e22, 1e23, 5e-324, 2.2250738585072014e-308,
    1.7976931348623157e308, 0.0001, 0.00001, 0.00012345, 1e-7, 1.5e-5, 9007199254740993.0, 0.3, 2 / 3, 123.456, 1e100, 1.5e300,
    4.35, 0.001, 1234567.125, 9.999999999999999e22, 0.0, -0.0,
]


def main():
    rng = random.Random(3)
    numbers = EDGES + [2.0**k for k in range(-1074, 1024, 11)]
    numbers += [struct.unpack(">d", struct.pack(">Q", rng.getrandbits(64)))[0] for _ in range(150)]
    numbers += [rng.uniform(-1000, 1000) for _ in range(30)]
    numbers += [struct.unpack("f", struct.pack("f", rng.uniform(-3, 3)))[0] for _ in range(20)]
    print("// Written by make_double_table.py; not to be edited.")
    for number in filter(math.isfinite, numbers):
        print('DOUBLE(0x%016xu, "%r")' % (struct.unpack(">Q", struct.pack(">d", number))[0], number))


main()
