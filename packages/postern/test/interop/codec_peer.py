"""Reads with the packages msgpack and cbor2 what each line on stdin holds, and answers with a line each.

{"codec": "msgpack", "bytes": "92a16101"} -> {"value": ["list", [["text", "a"], ["int", "1"]]], "bytes": "..."}
"""

import json
import struct
import sys

import cbor2
import msgpack


def told(value):
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, int):
        return ["int", str(value)]
    if isinstance(value, float):
        return ["float", struct.pack(">d", value).hex()]
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, str):
        return ["text", value.encode().hex()]
    if isinstance(value, list):
        return ["list", [told(item) for item in value]]
    return ["map", [[key, told(item)] for key, item in value.items()]]


for line in sys.stdin:
    asked = json.loads(line)
    frame = bytes.fromhex(asked["bytes"])
    if asked["codec"] == "msgpack":
        value = msgpack.unpackb(frame)
        again = msgpack.packb(value)
    else:
        value = cbor2.loads(frame)
        again = cbor2.dumps(value)
    print(json.dumps({"value": told(value), "bytes": again.hex()}))
