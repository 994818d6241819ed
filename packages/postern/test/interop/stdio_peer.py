import json
import sys


def add(a, b):
    return a + b


METHODS = {"peer.add": add}

for line in sys.stdin:
    call = json.loads(line)
    answer = {"jsonrpc": "2.0", "id": call.get("id")}
    try:
        answer["result"] = METHODS[call["method"]](**call["params"])
    except Exception as error:
        answer["error"] = {"code": -32603, "message": repr(error)}
    print(json.dumps(answer), flush=True)
