"""Calls a service by the client for Python: reads {"address", "calls", "clients", "batch", "plain"} as JSON lines, answers each with what it measured."""
import asyncio
import json
import sys
import time

import fernlab
from fernlab.background import background

METHOD, PARAMS = "adder/add", {"a": 3, "b": 4}


async def one(peer, calls, times):
    for _ in range(calls):
        began = time.perf_counter()
        await peer.call(METHOD, PARAMS)
        times.append((time.perf_counter() - began) * 1e6)


async def load(request):
    peers = [await fernlab.connect(request["address"]) for _ in range(request["clients"])]
    for peer in peers:
        await peer.call(METHOD, PARAMS)
    if request.get("batch"):
        began = time.perf_counter()
        outcomes = await peers[0].batch([(METHOD, PARAMS)] * request["batch"])
        elapsed = time.perf_counter() - began
        assert all(outcome.value == 7 for outcome in outcomes)
        figures = {"callsPerS": len(outcomes) / elapsed}
    else:
        times = []
        began = time.perf_counter()
        await asyncio.gather(*(one(peer, request["calls"] // len(peers), times) for peer in peers))
        figures = {"callsPerS": len(times) / (time.perf_counter() - began), "p50us": sorted(times)[len(times) // 2]}
    for peer in peers:
        await peer.close()
    return figures


def plain(request):
    """The same by plain calls, from the thread of a program without asyncio."""
    run = background().run
    peer = run(fernlab.connect(request["address"]))
    times = []
    began = time.perf_counter()
    for _ in range(request["calls"]):
        before = time.perf_counter()
        run(peer.call(METHOD, PARAMS))
        times.append((time.perf_counter() - before) * 1e6)
    elapsed = time.perf_counter() - began
    run(peer.close())
    return {"callsPerS": len(times) / elapsed, "p50us": sorted(times)[len(times) // 2]}


for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps(plain(asked) if asked.get("plain") else asyncio.run(load(asked))), flush=True)
