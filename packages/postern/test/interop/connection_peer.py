"""Talks to a Postern server over multiprocessing.connection, whose send_bytes writes a length and the bytes.

    python3 connection_peer.py call PATH
    python3 connection_peer.py serve PATH
"""

import json
import os
import sys
from multiprocessing.connection import Client, Listener

task, path = sys.argv[1:]

if task == "call":
    with Client(path, "AF_UNIX") as connection:
        for text in ("short", "long " * 200_000):
            call = {"jsonrpc": "2.0", "id": 1, "method": "peer.echo", "params": {"text": text}}
            connection.send_bytes(json.dumps(call).encode())
            print(json.loads(connection.recv_bytes())["result"] == text)
else:
    os.umask(0o077)
    with Listener(path, "AF_UNIX") as listener:
        print("ready", flush=True)
        with listener.accept() as connection:
            for _ in range(2):
                call = json.loads(connection.recv_bytes(maxlength=16 * 1024 * 1024))
                answer = {"jsonrpc": "2.0", "id": call["id"], "result": call["params"]["text"]}
                connection.send_bytes(json.dumps(answer).encode())
