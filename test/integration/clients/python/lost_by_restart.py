"""Holds a lock at a node that is started again."""
import os

from fernlab import Proxy

supply = Proxy("bench-1.psu", address=os.environ["FERNLAB_SOCKET"])
with supply.lock(grace=60) as lock:
    print("ready", flush=True)
    lost = lock.until_lost(30)
    print(lost and (lost.code, lost.details["why"]))
