"""Calls an object by Pyro4: reads {"uri", "serializer", "calls", "clients", "batch"} as JSON lines, answers each with what it measured."""
import json
import sys
import threading
import time

import Pyro4


def one(proxy, calls, times):
    for _ in range(calls):
        began = time.perf_counter()
        proxy.add(3, 4)
        times.append((time.perf_counter() - began) * 1e6)


def load(request):
    Pyro4.config.SERIALIZER = request["serializer"]
    proxies = [Pyro4.Proxy(request["uri"]) for _ in range(request["clients"])]
    for proxy in proxies:
        proxy.add(1, 2)
    if request.get("batch"):
        if request["serializer"] == "marshal":
            # Pyro4 4.82 can't: its marshal serializer takes the missing keywords of a batch for a dictionary.
            return {"version": Pyro4.__version__}
        began = time.perf_counter()
        batch = Pyro4.batch(proxies[0])
        for _ in range(request["batch"]):
            batch.add(3, 4)
        answers = sum(1 for _ in batch())
        elapsed = time.perf_counter() - began
        assert answers == request["batch"]
        return {"callsPerS": answers / elapsed, "version": Pyro4.__version__}
    times = [[] for _ in proxies]
    share = request["calls"] // len(proxies)
    began = time.perf_counter()
    if len(proxies) == 1:
        one(proxies[0], share, times[0])
    else:
        # A proxy belongs to the thread that uses it.
        threads = []
        for proxy, own in zip(proxies, times):
            threads.append(threading.Thread(target=one, args=(Pyro4.Proxy(request["uri"]), share, own)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    elapsed = time.perf_counter() - began
    all_times = sorted(t for own in times for t in own)
    for proxy in proxies:
        proxy._pyroRelease()
    return {
        "callsPerS": len(all_times) / elapsed,
        "p50us": all_times[len(all_times) // 2],
        "version": Pyro4.__version__,
    }


for line in sys.stdin:
    print(json.dumps(load(json.loads(line))), flush=True)
