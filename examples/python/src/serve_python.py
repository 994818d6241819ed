"""Serves methods to Postern's clients with nothing but Python's standard library.

    python3 serve_python.py /run/user/1000/stats.sock
"""

import base64
import json
import os
import signal
import socketserver
import statistics
import struct
import sys

# What a client may send at once: it says how much is coming, and this is how much we believe.
MAX_BYTES = 16 * 1024 * 1024


def describe(packed):
    values = unpacked(packed)
    return {"count": len(values), "mean": statistics.fmean(values), "deviation": statistics.pstdev(values)}


def smooth(packed, window):
    values = unpacked(packed)
    means = [statistics.fmean(values[max(0, end - window) : end]) for end in range(1, len(values) + 1)]
    return {"packed": base64.b64encode(struct.pack(f"<{len(means)}d", *means)).decode()}


def unpacked(packed):
    data = base64.b64decode(packed, validate=True)
    return struct.unpack(f"<{len(data) // 8}d", data)


METHODS = {"stats.describe": describe, "stats.smooth": smooth}


def answer_to(call):
    """The answer to a call, or None to a notification, which wants none."""
    method, params = METHODS.get(call["method"]), call.get("params", {})
    answer = {"jsonrpc": "2.0", "id": call.get("id")}
    if method is None:
        answer["error"] = {"code": -32601, "message": f"there is no method {call['method']}"}
    else:
        try:
            answer["result"] = method(**params)
        except (TypeError, ValueError, struct.error) as error:
            answer["error"] = {"code": -32602, "message": str(error)}
    return answer if "id" in call else None


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        # JSON begins with a brace; a length below 16 MB begins with a zero.
        by_line = self.rfile.peek(1)[:1] == b"{"
        while body := self.read_line() if by_line else self.read_prefixed():
            answer = answer_to(json.loads(body))
            if answer is not None:
                data = json.dumps(answer, allow_nan=False).encode()
                self.wfile.write(data + b"\n" if by_line else struct.pack("!I", len(data)) + data)

    def read_line(self):
        line = self.rfile.readline(MAX_BYTES)
        return line if line.endswith(b"\n") else None

    def read_prefixed(self):
        head = self.rfile.read(4)
        length = struct.unpack("!I", head)[0] if len(head) == 4 else 0
        body = self.rfile.read(length) if length <= MAX_BYTES else b""
        return body if len(body) == length else None


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


if __name__ == "__main__":
    path = sys.argv[1]
    os.umask(0o077)  # The socket is for this user alone, from its first moment.
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, lambda *_: sys.exit())
    with Server(path, Connection) as server:
        try:
            print(f"serves unix:{path}", flush=True)
            server.serve_forever()
        finally:
            os.unlink(path)
