"""Is interrupted while it asks for a lock; the answer comes as the program ends."""
import asyncio
import os
import signal

from fernlab import Proxy
from fernlab.background import background

supply = Proxy("bench-1.psu", address=os.environ["FERNLAB_SOCKET"])
peer = supply._service.group.connection._peer
call, go = peer.call, asyncio.Event()


async def late(method, *args):
    answer = await call(method, *args)
    if method == "node/lock":
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
        await go.wait()
    return answer


peer.call = late


async def soon():
    asyncio.get_running_loop().call_later(0.3, go.set)


try:
    supply.lock("a diode", 600).take()
except KeyboardInterrupt:
    background().run(soon())
    print("interrupted", flush=True)
