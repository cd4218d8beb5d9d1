#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes json_table.inc: documents, and what Python's json.loads makes of their bytes.

Run it with CPython 3.11 or later (earlier ones read integers of any length):
    python3 harness/unit/make_json_table.py > harness/unit/json_table.inc
The form of the values is that of canonical() here and in test_json_table.c.
"""
import json
import random
import struct
import sys


def canonical(value):
    if value is None:
        return "n"
    if value is True or value is False:
        return "t" if value else "F"
    if isinstance(value, int):
        return "i%d;" % value
    if isinstance(value, float):
        return "dnan;" if value != value else "d%s;" % struct.pack(">d", value).hex()
    if isinstance(value, str):
        return "s%s;" % value.encode("utf-8", "surrogatepass").hex()
    if isinstance(value, list):
        return "[" + "".join(map(canonical, value)) + "]"
    return "{" + "".join(canonical(key) + canonical(item) for key, item in value.items()) + "}"


PLAIN = r"""
null true false 0 -0 1 -1 10 1234567890 9223372036854775807 9223372036854775808 -9223372036854775808
-9223372036854775809 18446744073709551615 18446744073709551616 99999999999999999999999999999999999999
0.0 -0.0 0.1 0.5 1.5 -1.5 1e0 1E0 1e+0 1e-0 1e5 1E+5 1e-5 1.0e5 123.456e-7 1e22 1e23 1e-22 1e-23 1e308 1e309 -1e309 1e999
5e-324 2.4703282292062327e-324 2.4703282292062328e-324 2.2250738585072014e-308 2.2250738585072011e-308
1.7976931348623157e308 1.7976931348623159e308 9007199254740993.0 9007199254740992.0 9007199254740991.0 1e-400
0.1000000000000000055511151231257827021181583404541015625 3.141592653589793238462643383279502884197
123456789012345678901234567890.0 0.000000000000000000000000000001 1e0000000000000000000001 0e999 0.0e-999
0.001 0.9999999999999999 1e00 1.0E-05 4.35 2.675 1e1000000000000000000000 100000000000000000000000e-23
NaN Infinity -Infinity -NaN +1 +Infinity nan NAN Inf inf -inf infinity -infinity Infinit -Infinit Na N I -I - + .5 5. 1.e5
01 -01 00 0x10 1e 1e+ 1e- 1.5e 1_000 0b1 0o7 1a 1.2.3 1e5e5 1e5.5 --1 -a 1- 1+1 ١ True False None NULL Null TRUE tru
truee nul nulls fals falsey undefined t f n
[] [ ] [1] [1,2] [1,,2] [,] [,1] [1,] [1 2] [1;2] [[]] [[] [ []] [[1],[2]] [1, [1,2 {} {"a"} {"a":} {"a":1} {"a":1,} {,}
{"a" 1} {"a":1 "b":2} {"a":1,,"b":2} {a:1} {'a':1} {1:2} {null:1} {"a":1}} {"a":{"b":{}}} {"a":1,"a":2} {"a":1,"b":2,"a":3}
{"a":{"x":1},"b":0,"a":[]} {"":0} {"":0,"":1} {"a":1,"\u0061":2} {"a":NaN} [NaN,NaN] [Infinity,-Infinity] {"a":[1,{"b":[]}]}
"" "a" "é" "\u00e9" "\u00E9" "\n" "\"" "\\" "\/" "/" "\b\f\n\r\t" "\a" "\v" "\0" "\x41" "\'" "\u" "\u1" "\u12" "\u123"
"\u123g" "\u12345" "\U0041" "\u 041" "\u+041" "\u-041" "\u0000" "a\u0000b" "\u001f" "\u007f" "\ud83d\ude00" "\ud83d" "\ude00"
"\ud83d\ud83d\ude00" "\ude00\ud83d" "\ud83dx" "\ud83d\n" "\ud83d\u" "\ud83d\u0041" "\uD83D\uDE00" "\udbff\udfff" "\ud800\udc00"
"\ud83d\ude0" "\uDead" "\uffff" "\ufeff" "\u2028" "😀" "日本" "a "a"b" "abc 'a' a" "\" "\\" "\\\" `a` “a” [""] ["a] ["a","b"]
"tab\there" // /**/ [1]//x #x [1]x [1][2] {}{} 1 ""x null1 [null] [true,false,null] [tru] [nulll] "\u0022" "\u005c"
[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]] {"a":{"a":{"a":{"a":{"a":{}}}}}} [} {] {"a":1] [1} ]
""".split()

RAW = [
    b"", b" ", b"\n", b"\t\r\n ", b" 1 ", b"\n[ 1 ,\t2\r\n]\n", b"1 2", b"[1 ]", b"[ 1]", b"{ \"a\" : 1 }", b"{\"a\"\n:\n1\n}",
    b"\x0b1", b"\x0c1", b"1\x0b", b"1\x0c", b"\xc2\xa01", b"1\xc2\xa0", b"1\x00", b"\x001", b"\x00", b"\x00\x00", b"\x00\x00\x00",
    b"[1]\x00", b"\"\x00\"", b"\"\x1f\"", b"\"\x7f\"", b"\"a\nb\"", b"\"a\tb\"", b"\"a\rb\"", b"\"\\\n\"", b"\"\x80\"", b"\"\xc3\"",
    b"\"\xc3\xa9\"", b"\"\xc3(\"", b"\"\xc0\x80\"", b"\"\xc1\xbf\"", b"\"\xe0\x80\x80\"", b"\"\xe0\xa0\x80\"", b"\"\xed\xa0\x80\"",
    b"\"\xed\xbf\xbf\"", b"\"\xed\xa0\xbd\xed\xb8\x80\"", b"\"\xed\xa0\"", b"\"\xed\xa0\xc0\"", b"\"\xef\xbf\xbf\"",
    b"\"\xf0\x80\x80\x80\"", b"\"\xf0\x90\x80\x80\"", b"\"\xf0\x9f\x98\x80\"", b"\"\xf0\x9f\x98\"", b"\"\xf4\x8f\xbf\xbf\"",
    b"\"\xf4\x90\x80\x80\"", b"\"\xf5\x80\x80\x80\"", b"\"\xf8\x88\x80\x80\x80\"", b"\"\xff\"", b"\"\xfe\"", b"\xff", b"\xfe",
    b"[1]\xff", b"[1]\xc3\xa9", b"\xc3\xa9", b"\xef\xbb\xbf", b"\xef\xbb\xbf1", b"\xef\xbb\xbf\xef\xbb\xbf1", b"\xef\xbb\xbf [1] ",
    b"\xef\xbb1", b"\xef\xbb\xbf\"\xff\"", b" \xef\xbb\xbf1", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe1", b"\xff\xfe1\x00", b"\xfe\xff\x001",
    b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"\xff\xfe\x00\x001\x00\x00\x00", b"\x00\x00\xfe\xff\x00\x00\x001", b"1\x00", b"\x001",
    b"1\x00\x00\x00", b"\x00\x00\x001", b"1\x00 \x00", b"\x001\x00 ", b"12\x00", b"1\x002", b"\"\x00\"\x00", b"\"\x00a\x00\"\x00",
    b"\"\x00\x00\xd8\"\x00", b"\"\x00\x3d\xd8\x00\xde\"\x00", b"\"\x00\x00\xdc\x00\xd8\"\x00", b"\"\x00\x00\xd8", b"\"\x00\x00\xd8\x00",
    b"\"\x00a\x00\"\x00\x00", b"\xff\xfe\"\x00\xff\xfe\"\x00", b"\x00\"\xd8\x3d\xde\x00\x00\"", b"\x00\"\xd8\x00\x00\"",
    b"\"\0\0\0\x00\x00\x11\x00\"\0\0\0", b"\"\0\0\0\xff\xff\x10\x00\"\0\0\0", b"\"\0\0\0\x00\xd8\x00\x00\"\0\0\0",
    b"\"\0\0\0\x00\xd8\x00\x00\x00\xdc\x00\x00\"\0\0\0", b"\0\0\0\"\0\0\xd8\0\0\0\0\"", b"1\0\0\0\0", b"1\0\0\0\0\0", b"1\0\0\0 \0\0\0",
    b"[\0", b"\0[", b"[\0\0\0", b"\0\0\0[", b"1\x00\x00 ", b"\0\0", b"\0\0\0\0", b"[1,\0", b"\xff\xfe\xff\xfe1\0",
    b"1" * 400, b"1" * 400 + b".0", b"0." + b"1" * 800, b"1" * 400 + b"e-400", b"0." + b"0" * 400 + b"1e401", b"[" * 200 + b"]" * 200,
    b"2.22507385850720113605740979670913197593481954635164564e-308", b"9007199254740992999999999999999999999999999e-27",
]

SEEDS = [
    b'{"module": "keras.layers", "class_name": "Dense", "config": {"name": "dense", "units": 64, "rate": 0.5e-3, "x": [null, true]}}',
    b'[1, -2.5, "a\\u00e9\\n", {"k": []}, NaN, Infinity, -Infinity, {}, "\xc3\xa9"]',
    b'{"a": 1, "b": {"a": [0, 1e5]}, "a": "z"}',
]


def mutated(count):
    """Small damages of valid documents: bytes changed, removed, doubled; other encodings; all from one seed."""
    rng = random.Random(7)
    alphabet = b'{}[]",:\\0123456789.eE+-NIntfu \n\t\x00\xff\xc3'
    for _ in range(count):
        document = bytearray(rng.choice(SEEDS))
        for _ in range(rng.choice((1, 1, 2))):
            at = rng.randrange(len(document))
            kind = rng.randrange(4)
            if kind == 0:
                document[at] = rng.choice(alphabet)
            elif kind == 1:
                del document[at : at + rng.choice((1, 1, 1, 3))]
            elif kind == 2:
                document.insert(at, rng.choice(alphabet))
            else:
                del document[at:]
            if not document:
                document = bytearray(b"1")
        yield bytes(document)


def documents():
    for text in PLAIN:
        yield text.encode("utf-8")
    yield from RAW
    for text in ('[1, "é", {"a": "😀"}]', '{"k": 0.5}', '"x"', "7", "[1,]"):
        for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"):
            yield text.encode(encoding)
            yield text.encode(encoding)[:-1]
    for encoding in ("utf-16-be", "utf-32-be"):
        yield ("\ufeff[1]").encode(encoding)
        yield ("\ufeff\ufeff[1]").encode(encoding)
    for count in (63, 64, 65, 200):
        items = ["\"k%d\": %d" % (i * 7 % count, i) for i in range(count)]
        yield ("{" + ", ".join(items) + "}").encode()
        yield ("{" + ", ".join(items + items[::-3]) + "}").encode()
    yield from mutated(400)


def quoted(data):
    return '"' + "".join("\\%03o" % byte if byte < 0x20 or byte > 0x7E or byte in b'"\\?' else chr(byte) for byte in data) + '"'


def main():
    assert sys.version_info >= (3, 11)
    print("// Written by make_json_table.py; not to be edited.")
    seen = set()
    for document in documents():
        if document in seen:
            continue
        seen.add(document)
        try:
            answer = quoted(canonical(json.loads(document)).encode())
        except ValueError:
            answer = "NULL"
        print("DOCUMENT(%s, %d, %s)" % (quoted(document), len(document), answer))


main()
