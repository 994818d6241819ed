"""Asks the TypeScript server of this example: python3 read_sensor.py PATH [--by-line]."""

import base64
import struct
import sys

from call_postern import CallError, Postern, PosternByLine

path, *options = sys.argv[1:]
postern = PosternByLine(path) if "--by-line" in options else Postern(path)

latest = postern.call("readings.latest", sensor="hall")
print(f"it is {latest['celsius']} °C in the hall")

history = postern.call("readings.history", sensor="hall", count=10)
values = struct.unpack("<10f", base64.b64decode(history["packed"]))
print("before that", *(f"{value:.1f}" for value in values))

try:
    postern.call("readings.latest", sensor="attic")
except CallError as error:
    print(f"{error.data['code']}: there are {' and '.join(error.data['details']['sensors'])}")

postern.close()
