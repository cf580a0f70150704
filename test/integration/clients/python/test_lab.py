"""A real hub with a real node: what a notebook does with them."""
import asyncio
import os
import time
import unittest
import unittest.mock

import fernlab
from fernlab import AsyncProxy, Directory, LabError, Proxy
from fernlab.background import background
from fernlab.errors import unreachable
from fernlab.ways.websocket import WebSocketWay


class WithLab(unittest.TestCase):
    def failure(self, work):
        with self.assertRaises(LabError) as caught:
            work()
        return caught.exception

    def test_the_directory_finds_by_tag_and_by_pattern(self):
        directory = Directory()
        self.assertEqual([one["name"] for one in directory.search(tag="supply")], ["diode-1.psu"])
        names = [one["name"] for one in directory.search(pattern="diode-1.*")]
        self.assertEqual(names, ["diode-1.ammeter", "diode-1.psu", "diode-1.voltmeter"])
        self.assertEqual(directory.search(prefix="nothing"), [])
        self.assertEqual(directory.get("diode-1.psu")["node"], "pi")
        self.assertEqual(self.failure(lambda: directory.get("diode-1.scope")).code, "service-unknown")
        self.assertEqual(directory.get("fernlab://main/pi/diode-1.psu")["name"], "diode-1.psu")
        for name in ("diode-1.psu", "nothing.such"):
            foreign = self.failure(lambda name=name: Directory().get(f"fernlab://elsewhere/pi/{name}"))
            self.assertEqual(foreign.code, "site-foreign")
            self.assertIn("is of another site than main, whose hub is at http", foreign.message)
            self.assertRegex(foreign.message, ": ask the hub of its site, or its node itself$")
        self.assertEqual(self.failure(lambda: Directory(token="wrong").search()).code, "token-refused")

    def test_a_bench_is_used_by_who_has_it_alone(self):
        supply = Proxy("pi/diode-1.psu")
        self.assertEqual(supply.way.kind if supply.way else None, None)
        self.assertEqual(supply.voltage, 0)
        self.assertEqual(supply.way.kind, "websocket")
        self.assertEqual(self.failure(lambda: supply.set("voltage", 1)).code, "right-missing")
        with supply.lock("a test"):
            supply.voltage = 1
            self.assertEqual(supply.voltage, 1)
            supply.voltage = "1500 mV"
            self.assertEqual(supply.voltage, 1.5)
            supply.set("voltage", {"value": 2000, "unit": "mV"})
            self.assertEqual(supply.voltage, 2)
            self.assertIn("is in s, which can't be given in V", self.failure(lambda: supply.set("voltage", "3 s")).message)
            # The bench's limit is narrower than the instrument's.
            self.assertIn("6 V is above the limit of 5 V", self.failure(lambda: supply.set("voltage", 6)).message)
            self.assertEqual(self.failure(lambda: fernlab.lock([supply]).take()).code, "locked-already")
        self.assertEqual(self.failure(lambda: supply.set("voltage", 1)).code, "right-missing")
        self.assertEqual(supply.voltage, 0, "the safe state")

    def test_the_hold_of_a_bench_is_ended_by_its_owner_and_with_a_reason_by_staff(self):
        theirs, mine = Proxy("diode-1.psu", token=os.environ["FERNLAB_OTHER"]), Proxy("diode-1.psu")
        with theirs.lock("a curve") as held:
            theirs.voltage = 1
            self.assertEqual(self.failure(mine.unlock).code, "not-found", "there is none of one's own")
            self.assertIsNone(held.lost)
            both, before = ["diode-1.psu", "pi/diode-1.voltmeter"], "2026-01-01T00:00:00Z"
            since = fernlab.Directory().get("diode-1.psu")["lockedBy"]["since"]
            for seen, code in (({both[0]: before}, "hold-changed"), ({both[0]: since, both[1]: before}, "call-invalid")):
                self.assertEqual(self.failure(lambda: fernlab.unlock(both, "it smells", seen)).code, code)
            self.assertIsNone(held.lost)
            fernlab.unlock(both, "it smells", {both[1]: since})
            lost = held.until_lost(20)
            self.assertIn(lost.code, ("hold-ended", "lease-ended"))
            self.assertRegex(lost.message, "^(your|the) hold of .* was ended by (?!somebody).+: it smells$")
            self.assertEqual((lost.details["why"], lost.details["reason"]), ("ended-by-other", "it smells"))
            self.assertEqual(self.failure(lambda: theirs.set("voltage", 1)).code, "right-missing")
        self.assertEqual(mine.voltage, 0, "the safe state")
        with mine.lock("another") as held:
            mine.voltage = 1
            asyncio.run(self.unlock("diode-1.psu"))
            self.assertIsNotNone(held.until_lost(20))
        self.assertEqual(mine.voltage, 0)
        audit = fernlab.Hub().ask_now("GET", "/audit", query={"limit": 50})["items"]
        self.assertTrue(any("it smells" in str(entry) for entry in audit), audit)

    async def unlock(self, name):
        supply = await AsyncProxy.connect(name)
        await supply.unlock()
        await supply.close()

    def test_it_goes_by_way_of_the_hub_where_nothing_nearer_leads(self):
        supply = Proxy("diode-1.psu")
        straight = WebSocketWay.connect

        async def nobody(_way, address):
            raise unreachable(address, "a router is between")

        with supply.lock("a test"), unittest.mock.patch.object(WebSocketWay, "connect", nobody):
            connection = supply._service.group.connection
            self.assertEqual(supply.way.kind, "websocket")
            readings = supply.follow("voltage", rate=50)
            self.assertEqual(next(readings)["voltage"]["value"], 0)
            background().run(connection._peer.close("the wire broke"))
            # What may be repeated goes on, and the hold with it.
            self.assertEqual(supply.voltage, 0)
            self.assertEqual((supply.way.kind, supply.way.address), ("mqtt", "hub:pi"))
            supply.voltage = 1
            while next(readings)["voltage"]["value"] != 1:
                pass
            self.assertIn("6 V is above the limit of 5 V", self.failure(lambda: supply.set("voltage", 6)).message)
            readings.close()
            WebSocketWay.connect = straight
            background().run(connection._peer.close("the hub restarts"))
            self.assertEqual(supply.voltage, 1)
            self.assertEqual(supply.way.kind, "websocket")
        self.assertEqual(supply.voltage, 0, "the safe state")

    def test_all_of_a_bench_is_locked_by_its_pattern_or_nothing(self):
        supply = Proxy("diode-1.psu")
        with fernlab.lock(["diode-1.*"], "a test"):
            supply.voltage = 1
            self.assertEqual(self.failure(fernlab.lock(["pi/diode-1.*", "b.box"]).take).code, "locked-already")
            box = Proxy("b.box")
            self.assertEqual(self.failure(lambda: box.set("value", 1)).code, "right-missing")
        self.assertEqual(self.failure(lambda: fernlab.lock(["other/diode-1.*"])).code, "service-unknown")
        given = fernlab.Hub().ask_now("POST", "/directory/tokens", body={"services": ["diode-1.*"]})
        peer = background().run(fernlab.connect(given["addresses"][0], given["token"]))
        for part in ("psu", "voltmeter", "ammeter"):
            self.assertIn("signals", background().run(peer.call(f"diode-1.{part}/contract.get")))
        refused = self.failure(lambda: background().run(peer.call("b.box/contract.get")))
        self.assertEqual(refused.code, "service-not-in-token")
        background().run(peer.close())

    def test_the_time_of_day_here_does_not_matter(self):
        now = time.time
        for wrong_s in (600, -600, 7200):
            with self.subTest(wrong_s), unittest.mock.patch("time.time", lambda: now() + wrong_s):
                supply = Proxy("diode-1.psu")
                with supply.lock("a test"):
                    supply.voltage = 1
                    self.assertEqual(next(supply.follow("voltage", rate=50))["voltage"]["value"], 1)
                    # What opens its node is kept, for when the hub is away.
                    self.assertIsNotNone(supply._service.group.connection._access.kept)
                supply.close()

    def test_the_same_in_asyncio(self):
        async def work():
            supply = await AsyncProxy.connect("diode-1.psu")
            async with supply.lock("a test"):
                await supply.set("voltage", 2)
                readings = [reading async for reading in _first(supply.follow("voltage", rate=50), 2)]
            await supply.close()
            return readings

        self.assertEqual([reading["voltage"]["value"] for reading in asyncio.run(work())], [2, 2])

    def test_a_run_is_followed_and_its_documents_read(self):
        run = fernlab.submit("small", "set", {"value": 3})
        names = [event.name for event in run.events()]
        self.assertEqual(names[-1], "end")
        self.assertIn("state", names)
        self.assertEqual(run.wait()["state"], "succeeded")
        documents = list(run.documents())
        self.assertEqual((documents[0][0], documents[-1][0]), ("start", "stop"))
        self.assertEqual(documents[-1][1]["run_start"], documents[0][1]["uid"])
        self.assertEqual(self.failure(lambda: fernlab.submit("small", "nothing-such")).code, "protocol-unknown")

        async def work():
            run = await fernlab.AsyncRun.submit("small", "set", {"value": 3, "pause": 600})
            async for event in run.events():
                if event.name == "state" and event.data["state"] == "running":
                    break
            await run.cancel()
            self.assertEqual((await run.wait())["state"], "cancelled")
            return [name async for name, _ in run.documents()], await fernlab.AsyncRun(done).data()

        done = run.id
        names, data = asyncio.run(work())
        self.assertEqual((names[0], names[-1]), ("start", "stop"))
        self.assertEqual(data, run.data())


async def _first(source, count):
    taken = 0
    async for item in source:
        yield item
        taken += 1
        if taken == count:
            return


if __name__ == "__main__":
    assert os.environ["FERNLAB_HUB"]
    unittest.main()
