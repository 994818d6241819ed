"""Calls a Postern server by the client of examples/python, and prints what came of each call as a line of JSON.

    python3 call_peer.py PATH Postern|PosternByLine
"""

import json
import sys

import call_postern


def tell(value):
    print(json.dumps(value), flush=True)


path, kind = sys.argv[1:]
postern = getattr(call_postern, kind)(path)

tell(postern.call("peer.add", a=2, b=3))
tell(postern.call("peer.echo", text="Grüße \U0001f40d\n\u2028"))
large = "snake " * 500_000
tell(postern.call("peer.echo", text=large) == large)
for method, params in (("peer.fail", {"missing": 5}), ("peer.add", {"a": 2}), ("peer.unknown", {})):
    try:
        tell(postern.call(method, **params))
    except call_postern.CallError as error:
        tell([error.code, str(error), error.data])

# Many at once, by hand: their answers come in any order, and are told apart by their ids.
for ident in range(1000, 1200):
    call = {"jsonrpc": "2.0", "id": ident, "method": "peer.later", "params": {"n": ident}}
    postern.send(json.dumps(call).encode())
answers = [json.loads(postern.receive()) for _ in range(200)]
tell([answer["id"] for answer in answers] != sorted(answer["id"] for answer in answers))
tell(sorted(answer["id"] for answer in answers) == list(range(1000, 1200)))
tell(all(answer["result"] == 2 * answer["id"] for answer in answers))

# Not JSON: told, and the connection is over.
try:
    postern.send(b"{nonsense}")
    tell(json.loads(postern.receive())["error"]["code"])
    postern.receive()
except (ConnectionError, OSError) as error:
    tell(type(error).__name__)
postern.close()
