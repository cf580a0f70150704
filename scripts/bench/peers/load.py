"""Asks Celery to do nothing: reads {"tasks", "in_flight"} as JSON lines, answers each with what it measured."""
import json
import sys
import time
from collections import deque

from tasks import nothing


def load(tasks, in_flight):
    times = []
    waiting = deque()
    started = time.perf_counter()
    left = tasks
    while left > 0 or waiting:
        while left > 0 and len(waiting) < in_flight:
            asked = time.perf_counter()
            result = nothing.delay()
            # Without a callback, get() on a result that is already here waits up to a second for another to arrive.
            result.then(lambda _: None)
            waiting.append((asked, result))
            left -= 1
        asked, result = waiting.popleft()
        result.get(timeout=60)
        times.append((time.perf_counter() - asked) * 1000)
    return {"elapsedMs": (time.perf_counter() - started) * 1000, "timesMs": times}


for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(load(request["tasks"], request["in_flight"])), flush=True)
