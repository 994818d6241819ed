"""Calls a Postern server with nothing but Python's standard library. Copy it."""

import itertools
import json
import socket
import struct


class CallError(Exception):
    """The server answered an error: its number is `code`, and `data` says more."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code, self.data = error["code"], error.get("data")


class Postern:
    """A connection, for one call at a time: give each thread its own."""

    def __init__(self, path, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.file = self.socket.makefile("rwb")
        self.ids = itertools.count(1)

    def call(self, method, **params):
        call = {"jsonrpc": "2.0", "id": next(self.ids), "method": method, "params": params}
        self.send(json.dumps(call, allow_nan=False).encode())
        answer = {}
        while answer.get("id") != call["id"] and "error" not in answer:
            answer = json.loads(self.receive())
        if "error" in answer:
            raise CallError(answer["error"])
        return answer["result"]

    def send(self, body):
        self.file.write(struct.pack("!I", len(body)) + body)
        self.file.flush()

    def receive(self):
        (length,) = struct.unpack("!I", self.read(4))
        return self.read(length)

    def read(self, count):
        data = self.file.read(count)
        if len(data) < count:
            raise ConnectionError("the server has ended the connection")
        return data

    def close(self):
        self.file.close()
        self.socket.close()


class PosternByLine(Postern):
    """The same, with one message a line."""

    def send(self, body):
        self.file.write(body + b"\n")
        self.file.flush()

    def receive(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the server has ended the connection")
        return line
