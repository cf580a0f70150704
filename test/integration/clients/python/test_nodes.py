"""Several nodes without a hub: one directory of all, and each reached by what it is called there."""
import asyncio
import os
import socket
import time
import unittest
import unittest.mock

import fernlab
from fernlab import AsyncNodesDirectory, AsyncProxy, Directory, LabError, Proxy

NORTH, NORTH_TOKEN, NORTH_SOCKET, SOUTH, SOUTH_TOKEN = (
    os.environ[f"FERNLAB_{name}"] for name in ("NORTH", "NORTH_TOKEN", "NORTH_SOCKET", "SOUTH", "SOUTH_TOKEN")
)
BOTH = [(NORTH, NORTH_TOKEN), (SOUTH, SOUTH_TOKEN)]
PARTS = ["north/bench-1.psu", "north/bench-2.psu", "south/bench-1.psu"]
NOWHERE = "ws://127.0.0.1:1/rpc"


class Nodes(unittest.TestCase):
    def failure(self, work):
        with self.assertRaises(LabError) as caught:
            work()
        return caught.exception

    def test_their_services_are_one_directory(self):
        directory = Directory(nodes=BOTH)
        self.assertEqual([one["id"] for one in directory.search()], PARTS)
        self.assertEqual([one["id"] for one in directory.search(pattern="bench-1.*")], [PARTS[0], PARTS[2]])
        self.assertEqual(directory.search(name="bench-9.psu"), [])
        self.assertEqual(directory.unanswered, {})
        self.assertEqual(repr(directory), f"Directory('{NORTH}, {SOUTH}')")
        self.assertEqual(self.failure(lambda: directory.search(tag="")).code, "call-invalid")

        async def work():
            other = AsyncNodesDirectory([NORTH_SOCKET, (SOUTH, SOUTH_TOKEN)])
            found = await other.named("south/*"), (await other.get("bench-2.psu"))["contract"]["signals"]
            await other.close()
            return found

        named, signals = asyncio.run(work())
        self.assertEqual(named, [PARTS[2]])
        self.assertIn("voltage", signals)

    def test_a_name_that_both_have_is_refused_with_both_addresses_and_these_lead_to_each(self):
        directory = Directory(nodes=BOTH)
        addresses = [one["address"] for one in directory.search(name="bench-1.psu")]
        site = directory.search()[0]["site"]
        self.assertEqual(addresses, [f"fernlab://{site}/{node}/bench-1.psu" for node in ("north", "south")])
        for work in (lambda: directory.get("bench-1.psu"), lambda: Proxy("bench-1.psu", nodes=BOTH)):
            error = self.failure(work)
            self.assertEqual((error.code, error.kind), ("service-ambiguous", "caller"))
            said = f"several nodes have a service bench-1.psu: say which, {addresses[0]} or {addresses[1]}"
            self.assertEqual(error.message, said)
            self.assertEqual(error.details, {"services": " ".join(addresses)})
        north, south = [Proxy(address, nodes=BOTH) for address in addresses]
        with south.lock("a look"):
            south.voltage = 2
            self.assertEqual((south.voltage, north.voltage), (2, 0))
            self.assertEqual((south.way.address, north.way.address), (SOUTH, NORTH))
            self.assertEqual(self.failure(lambda: north.set("voltage", 1)).code, "bench-not-held")
        self.assertEqual(Proxy("north/bench-1.psu", nodes=BOTH).way, north.way, "one connection")
        self.assertEqual(Proxy("bench-2.psu", nodes=BOTH).name, "bench-2.psu")
        foreign = self.failure(lambda: Proxy("fernlab://elsewhere/south/bench-1.psu", nodes=BOTH))
        self.assertEqual(foreign.code, "site-foreign")
        self.assertIn(f"is of another site than {site}: ask the hub of its site", foreign.message)
        for unknown in ("bench-9.psu", "west/bench-1.psu", f"fernlab://{site}/south/bench-2.psu"):
            self.assertEqual(self.failure(lambda name=unknown: Proxy(name, nodes=BOTH)).code, "service-unknown")

    def test_services_of_both_are_locked_together_or_not_at_all(self):
        mine = [Proxy(name, nodes=BOTH) for name in PARTS]
        owner = Proxy("bench-1.psu", address=NORTH_SOCKET)
        with owner.lock("a look"):
            self.assertEqual(self.failure(fernlab.lock(mine[1:] + mine[:1]).take).code, "service-locked")
            self.assertEqual([one["state"] for one in Directory(nodes=BOTH).search()], ["locked", "up", "up"])
        with fernlab.lock(mine, "all"):
            mine[2].voltage = 1
            self.assertEqual([one["state"] for one in Directory(nodes=BOTH).search()], ["locked"] * 3)
            # Each at its own node.
            fernlab.unlock(mine[:1] + mine[2:])
            self.assertEqual([one["state"] for one in Directory(nodes=BOTH).search()], ["up", "locked", "up"])

    def test_one_that_does_not_answer_is_named_and_keeps_nobody_from_the_others(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            mute = f"ws://127.0.0.1:{silent.getsockname()[1]}/rpc"
            directory = Directory(nodes=[mute, BOTH[1], NOWHERE, (NORTH, SOUTH_TOKEN)])
            began = time.monotonic()
            found = directory.search()
            self.assertLess(time.monotonic() - began, 8, "none has longer than 5 s")
        self.assertEqual([one["id"] for one in found], PARTS[2:])
        self.assertEqual(list(directory.unanswered), [mute, NOWHERE, NORTH])
        codes = [error.code for error in directory.unanswered.values()]
        self.assertEqual(codes[:2], ["deadline-exceeded", "node-unreachable"])
        self.assertRegex(codes[2], "^token-(foreign|invalid)$")
        # Time enough for the one that is there, also where the machine is busy.
        with unittest.mock.patch("fernlab.nodes_directory.ANSWER_S", 3):
            error = self.failure(lambda: Proxy("bench-2.psu", nodes=[BOTH[1], NOWHERE]))
            self.assertEqual(error.code, "service-unknown")
            self.assertEqual(error.message, f"there is no service bench-2.psu; of {NOWHERE} there is no answer")
        with unittest.mock.patch("fernlab.nodes_directory.ANSWER_S", 0.2):
            none = Directory(nodes=[NOWHERE, "/nowhere/services.sock"])
            error = self.failure(none.search)
            self.assertEqual((error.code, error.kind), ("node-unreachable", "link"))
            self.assertRegex(error.message, "^no node answers: ")
            self.assertEqual([issue["path"] for issue in error.issues], [NOWHERE, "/nowhere/services.sock"])
            self.assertEqual(list(none.unanswered), [NOWHERE, "/nowhere/services.sock"])
        self.assertEqual(Proxy("south/bench-1.psu", nodes=BOTH).voltage, 0)
        both_again = Directory(nodes=BOTH)
        both_again.search()
        self.assertEqual(both_again.unanswered, {})

    def test_a_node_that_is_named_twice_is_one(self):
        twice = [*BOTH, NORTH_SOCKET]
        self.assertEqual([one["id"] for one in Directory(nodes=twice).search()], PARTS)
        self.assertEqual(Proxy("bench-2.psu", nodes=twice).voltage, 0)

    def test_what_is_no_node_or_says_two_things_is_refused(self):
        for wrong in ("http://bench-pi:8090", "", "ftp://x"):
            self.assertEqual(self.failure(lambda given=wrong: Directory(nodes=[given])).code, "address-wrong")
        for more in ({"address": NORTH}, {"token": NORTH_TOKEN}, {"hub": "http://127.0.0.1:1"}):
            for work in (lambda: Directory(nodes=BOTH, **more), lambda: Proxy(PARTS[0], nodes=BOTH, **more)):
                error = self.failure(work)
                self.assertEqual(error.code, "call-invalid")
                self.assertIn(f"nodes and {list(more)[0]}", error.message)

    def test_the_same_in_asyncio(self):
        async def work():
            supply = await AsyncProxy.connect("south/bench-1.psu", nodes=BOTH)
            async with supply.lock("a look"):
                await supply.set("voltage", 1)
                read = await supply.read("voltage")
            await supply.close()
            return read

        self.assertEqual(asyncio.run(work()), 1)


if __name__ == "__main__":
    unittest.main()
