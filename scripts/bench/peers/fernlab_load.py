"""Calls a service by the client for Python: reads {"address", "calls", "clients", "batch", "times", "plain"} as JSON lines, answers each with what it measured."""
import asyncio
import json
import multiprocessing
import sys
import time

import fernlab
from fernlab.background import background

METHOD, PARAMS = "adder/add", {"a": 3, "b": 4}


async def one(peer, calls):
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        await peer.call(METHOD, PARAMS)
        times.append((time.perf_counter() - began) * 1e6)
    return times


async def client(address, calls, ready):
    peer = await fernlab.connect(address)
    await peer.call(METHOD, PARAMS)
    ready()
    began = time.time()
    times = await one(peer, calls)
    ended = time.time()
    await peer.close()
    return began, ended, times


def own_process(address, calls, barrier, answers):
    answers.put(asyncio.run(client(address, calls, barrier.wait)))


def crowd(request):
    """Clients in processes of their own."""
    # What the threads of this process hold is no child's.
    new = multiprocessing.get_context("spawn")
    count = request["clients"]
    barrier, answers = new.Barrier(count), new.Queue()
    share = request["calls"] // count
    clients = [new.Process(target=own_process, args=(request["address"], share, barrier, answers)) for _ in range(count)]
    for each in clients:
        each.start()
    measured = [answers.get() for _ in clients]
    for each in clients:
        each.join()
    began, ended = min(m[0] for m in measured), max(m[1] for m in measured)
    return rated([t for m in measured for t in m[2]], ended - began)


def rated(times, elapsed):
    return {"callsPerS": len(times) / elapsed, "p50us": sorted(times)[len(times) // 2]}


async def load(request):
    if not request.get("batch"):
        began, ended, times = await client(request["address"], request["calls"], lambda: None)
        return rated(times, ended - began)
    peer = await fernlab.connect(request["address"])
    rates = []
    for _ in range(request.get("times", 1)):
        began = time.perf_counter()
        outcomes = await peer.batch([(METHOD, PARAMS)] * request["batch"])
        rates.append(len(outcomes) / (time.perf_counter() - began))
        assert all(outcome.value == 7 for outcome in outcomes)
    await peer.close()
    return {"callsPerS": sorted(rates)[len(rates) // 2]}


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
    return rated(times, elapsed)


def measure(request):
    if request.get("plain"):
        return plain(request)
    if request["clients"] > 1:
        return crowd(request)
    return asyncio.run(load(request))


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(measure(json.loads(line))), flush=True)
