"""Does with Python's struct module what each line on stdin asks for, and answers with a line each.

{"format": "<Id", "values": [["int", "7"], ["float", "3ff8000000000000"]], "bytes": "..."}
-> {"size": 12, "packed": "...", "unpacked": [...]}; null stands for what Python refuses to do.
"""

import json
import math
import struct
import sys


def given(tag, text):
    if tag == "int":
        return int(text)
    if tag == "float":
        return math.nan if text == "nan" else struct.unpack(">d", bytes.fromhex(text))[0]
    if tag == "bool":
        return text == "true"
    return bytes.fromhex(text) if tag == "bytes" else text


def told(value):
    if isinstance(value, bool):
        return ["bool", "true" if value else "false"]
    if isinstance(value, int):
        return ["int", str(value)]
    if isinstance(value, float):
        return ["float", "nan" if math.isnan(value) else struct.pack(">d", value).hex()]
    return ["bytes", value.hex()]


def outcome(run):
    try:
        return run()
    # SystemError: before Python 3.13 unpacking "0p" was one.
    except (struct.error, OverflowError, UnicodeEncodeError, SystemError):
        return None


for line in sys.stdin:
    case = json.loads(line)
    layout, values = case["format"], [given(*value) for value in case["values"]]
    answer = {
        "size": outcome(lambda: struct.calcsize(layout)),
        "packed": outcome(lambda: struct.pack(layout, *values).hex()),
        "unpacked": outcome(lambda: [told(value) for value in struct.unpack(layout, bytes.fromhex(case["bytes"]))]),
    }
    print(json.dumps(answer))
