"""Serves by the server of examples/python: methods of its own, on a socket of its own.

    python3 serve_peer.py PATH
"""

import os
import sys
import time

import serve_python

serve_python.METHODS = {
    "peer.add": lambda a, b: a + b,
    "peer.echo": lambda text: text,
    "peer.pid": os.getpid,
    "peer.hang": lambda: time.sleep(3600),
}

path = sys.argv[1]
if os.path.exists(path):
    os.unlink(path)
os.umask(0o077)
with serve_python.Server(path, serve_python.Connection) as server:
    print("ready", flush=True)
    server.serve_forever()
