"""A node without a hub: it signs tokens itself, and locks."""
import asyncio
import os
import unittest

import fernlab
from fernlab import AsyncProxy, LabError, Proxy

URL, SOCKET, ADA, BOB = (os.environ[f"FERNLAB_{name}"] for name in ("URL", "SOCKET", "ADA", "BOB"))


class Alone(unittest.TestCase):
    def code_of(self, work):
        with self.assertRaises(LabError) as caught:
            work()
        return caught.exception.code

    def test_who_has_locked_it_uses_it(self):
        ada = Proxy("bench-1.psu", address=URL, token=ADA)
        bob = [Proxy(f"bench-{number}.psu", address=URL, token=BOB) for number in (2, 1)]
        with ada.lock("a diode"):
            ada.voltage = 2
            self.assertEqual(ada.voltage, 2)
            self.assertEqual(self.code_of(lambda: bob[1].set("voltage", 1)), "bench-held")
            with self.assertRaises(LabError) as caught:
                fernlab.lock(bob, "another").take()
            self.assertEqual(caught.exception.code, "service-locked")
            self.assertIn("a diode", caught.exception.message)
            self.assertEqual(self.code_of(lambda: bob[0].set("voltage", 1)), "bench-not-held", "all or nothing")
        self.assertEqual(self.code_of(lambda: ada.set("voltage", 1)), "bench-not-held")
        with fernlab.lock(bob, "another"):
            self.assertEqual(bob[1].voltage, 0, "the safe state")
            bob[0].voltage = 1

    def test_a_lock_that_is_given_up_while_it_is_asked_for_locks_nothing(self):
        async def work():
            ada = await AsyncProxy.connect("bench-1.psu", address=URL, token=ADA)
            bob = await AsyncProxy.connect("bench-1.psu", address=URL, token=BOB)
            peer = ada._service.group.connection._peer
            call, answered, go = peer.call, asyncio.Event(), asyncio.Event()

            async def late(*args):
                answer = await call(*args)
                answered.set()
                await go.wait()
                return answer

            peer.call = late
            taking = asyncio.ensure_future(ada.lock().take())
            await answered.wait()
            taking.cancel()
            go.set()
            with self.assertRaises(asyncio.CancelledError):
                await taking
            async with bob.lock():
                await bob.set("voltage", 1)
            await ada.close()
            await bob.close()

        asyncio.run(work())

    def test_who_owns_the_machine_needs_no_token(self):
        supply = Proxy("bench-1.psu", address=SOCKET)
        with supply.lock():
            supply.voltage = 1
            self.assertEqual((supply.voltage, supply.way.kind), (1, "unix-socket"))


if __name__ == "__main__":
    unittest.main()
