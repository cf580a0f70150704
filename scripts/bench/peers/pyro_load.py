"""Calls an object by Pyro4: reads {"uri", "serializer", "calls", "clients", "batch", "times", "bytes", "items"} as JSON lines, answers each with what it measured."""
import json
import multiprocessing
import sys
import time

import Pyro4


def quantile(values, q):
    return sorted(values)[int(q * (len(values) - 1))]


def one(proxy, calls):
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        proxy.add(3, 4)
        times.append((time.perf_counter() - began) * 1e6)
    return times


def client(uri, calls, ready, answers):
    with Pyro4.Proxy(uri) as proxy:
        proxy.add(1, 2)
        ready.wait()
        began = time.time()
        times = one(proxy, calls)
        answers.put((began, time.time(), times))


def crowd(request):
    """Clients in processes of their own."""
    count = request["clients"]
    ready, answers = multiprocessing.Barrier(count), multiprocessing.Queue()
    share = request["calls"] // count
    clients = [
        multiprocessing.Process(target=client, args=(request["uri"], share, ready, answers)) for _ in range(count)
    ]
    for each in clients:
        each.start()
    measured = [answers.get() for _ in clients]
    for each in clients:
        each.join()
    began, ended = min(m[0] for m in measured), max(m[1] for m in measured)
    times = [t for m in measured for t in m[2]]
    return {"callsPerS": len(times) / (ended - began), "p50us": quantile(times, 0.5)}


def batch(proxy, calls, times):
    if Pyro4.config.SERIALIZER == "marshal":
        # Pyro4 4.82 can't: its marshal serializer takes the missing keywords of a batch for a dictionary.
        return {}
    rates = []
    for _ in range(times):
        began = time.perf_counter()
        calling = Pyro4.batch(proxy)
        for _ in range(calls):
            calling.add(3, 4)
        answered = sum(1 for _ in calling())
        rates.append(answered / (time.perf_counter() - began))
        assert answered == calls
    return {"callsPerS": quantile(rates, 0.5)}


def echo(proxy, size, times):
    """MB per second, both directions added."""
    wave = bytes(size)
    rates = []
    for _ in range(times):
        began = time.perf_counter()
        assert len(proxy.echo(wave)) == size
        rates.append(2 * size / (time.perf_counter() - began) / 1e6)
    return {"mbPerS": quantile(rates, 0.5)}


def stream(proxy, items):
    began = time.perf_counter()
    taken = sum(1 for _ in proxy.count(items))
    return {"itemsPerS": taken / (time.perf_counter() - began)}


def again(proxy, times):
    """A new connection and the first call on it, in ms."""
    took = []
    for _ in range(times):
        proxy.add(1, 2)
        began = time.perf_counter()
        proxy._pyroRelease()
        proxy.add(1, 2)
        took.append((time.perf_counter() - began) * 1e3)
    return {"ms": quantile(took, 0.5)}


def measure(request):
    Pyro4.config.SERIALIZER = request["serializer"]
    if request.get("clients", 1) > 1:
        return crowd(request)
    with Pyro4.Proxy(request["uri"]) as proxy:
        proxy.add(1, 2)
        if request.get("batch"):
            return batch(proxy, request["batch"], request.get("times", 1))
        if request.get("bytes"):
            return echo(proxy, request["bytes"], request["times"])
        if request.get("items"):
            return stream(proxy, request["items"])
        if request.get("again"):
            return again(proxy, request["again"])
        began = time.perf_counter()
        times = one(proxy, request["calls"])
        elapsed = time.perf_counter() - began
        return {"callsPerS": len(times) / elapsed, "p50us": quantile(times, 0.5)}


for line in sys.stdin:
    print(json.dumps({**measure(json.loads(line)), "version": Pyro4.__version__}), flush=True)
