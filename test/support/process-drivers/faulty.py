"""A program that goes wrong in the way that its settings name, once its signal is set to that."""
import json
import os
import subprocess
import sys
import time

settings = {}


def send(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def count(name):
    path = os.path.join(settings["folder"], name)
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    with open(path) as file:
        return len(file.read().split())


def misbehave(how):
    if how == "die":
        print("the cable is out", file=sys.stderr, flush=True)
        os._exit(3)
    if how == "half":
        sys.stdout.write('{"jsonrpc":"2.0","id":')
        sys.stdout.flush()
        os._exit(0)
    if how == "hang":
        time.sleep(600)
    if how == "flood":
        while True:
            send({"jsonrpc": "2.0", "method": "log", "params": {"message": "x"}})
    if how == "long-line":
        sys.stdout.write("x" * 2_000_000)
        sys.stdout.flush()
        time.sleep(600)
    if how == "print":
        print("a library says hello", flush=True)
    if how == "noise":
        for number in range(100_000):
            print("noise", number, file=sys.stderr)
    if how == "family":
        subprocess.Popen(["sleep", "599"])
        subprocess.Popen(["sleep", "598"], start_new_session=True)
    if how == "gone":
        send({"jsonrpc": "2.0", "method": "connection", "params": {"up": False, "reason": "unplugged"}})
        send({"jsonrpc": "2.0", "method": "connection", "params": {"up": True}})
    if how == "infinite":
        return float("inf")
    if how == "environment":
        return json.dumps(sorted(os.environ))
    return None


def signals():
    described = {"how": {"dtype": "string", "access": "set"}, "value": {"dtype": "string"}}
    if settings.get("changes") and count("described") > 2:
        described["more"] = {}
    return settings.get("signals", described)


last = None
for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    params = request.get("params", {})
    method, result = request["method"], None
    if method in ("describe", "open"):
        settings = params["settings"]
    if method == "describe":
        result = {"fernlab": 1, "signals": signals()}
    if method == "open":
        count("opened")
    if method == "set":
        last = misbehave(params["value"])
    if method == "read":
        result = {"value": last}
    reply = {"jsonrpc": "2.0", "id": request["id"], "result": result}
    if method == "set" and params["value"] == "refuse":
        reply = {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": "the lid is open"}}
    send(reply)
