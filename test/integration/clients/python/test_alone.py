"""A node without a hub: it signs tokens itself, and locks."""
import asyncio
import os
import unittest
import unittest.mock

import fernlab
from fernlab import AsyncProxy, LabError, Proxy
from fernlab.background import background
from fernlab.lab import close_labs
from fernlab.locks import AsyncLock

URL, SOCKET, ADA, BOB = (os.environ[f"FERNLAB_{name}"] for name in ("URL", "SOCKET", "ADA", "BOB"))
#: No other link of this program is hers.
CYD = os.environ["FERNLAB_CYD"]


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
            self.assertRegex(caught.exception.message, "^bench bench-1 is locked by somebody else since [^ ]*Z$")
            self.assertEqual(self.code_of(lambda: bob[0].set("voltage", 1)), "bench-not-held", "all or nothing")
        self.assertEqual(self.code_of(lambda: ada.set("voltage", 1)), "bench-not-held")
        with fernlab.lock(bob, "another"):
            self.assertEqual(bob[1].voltage, 0, "the safe state")
            bob[0].voltage = 1

    def test_the_node_itself_is_asked_over_the_link_of_a_proxy(self):
        ada, bob = (Proxy("bench-1.psu", address=URL, token=token) for token in (ADA, BOB))
        with ada.lock("a diode"):
            mine, its = ([one["lock"].get("reason") for one in proxy.of_node("locks")] for proxy in (ada, bob))
            self.assertEqual((mine, its), (["a diode"], [None]), "why is told to its owner")
        self.assertEqual(ada.of_node("locks"), [])
        asked = {"services": ["bench-1.psu"], "hours": 1}
        self.assertEqual(self.code_of(lambda: ada.of_node("lock", asked)), "call-invalid")

        async def work():
            mine = await AsyncProxy.connect("bench-1.psu", address=URL, token=ADA)
            found = await mine.of_node("directory", {"search": {"tag": ["first"]}})
            await mine.close()
            return [one["name"] for one in found]

        self.assertEqual(asyncio.run(work()), ["bench-1.psu"])

    def test_its_directory_is_searched_as_that_of_a_hub(self):
        directory = fernlab.Directory(address=URL[: -len("/rpc")], token=ADA)

        def names(**search):
            return sorted(entry["name"] for entry in directory.search(**search))

        self.assertEqual(names(), ["bench-1.psu", "bench-2.psu"])
        self.assertEqual(names(name="bench-2.psu"), ["bench-2.psu"])
        self.assertEqual(names(prefix="bench-1"), ["bench-1.psu"])
        self.assertEqual(names(pattern="BENCH-?.p*"), ["bench-1.psu", "bench-2.psu"])
        self.assertEqual(names(tag="supply"), ["bench-1.psu", "bench-2.psu"])
        self.assertEqual(names(tag=["supply", "first"]), ["bench-1.psu"])
        self.assertEqual(names(any_tag=["first", "oven"]), ["bench-1.psu"])
        self.assertEqual(names(state="gone"), [])
        found = directory.get("bench-1.psu")
        self.assertEqual(found["address"], f"fernlab://{found['site']}/n1/bench-1.psu")
        self.assertIn("voltage", found["contract"]["signals"])
        for other in (found["address"], found["id"]):
            self.assertEqual(directory.get(other)["id"], found["id"])
        for unknown in ("bench-9.psu", "n2/bench-1.psu", f"fernlab://{found['site']}/n2/bench-1.psu"):
            self.assertEqual(self.code_of(lambda name=unknown: directory.get(name)), "service-unknown")
        for foreign in ("fernlab://elsewhere/n1/bench-1.psu", "fernlab://elsewhere/n1/bench-9.psu"):
            self.assertEqual(self.code_of(lambda name=foreign: directory.get(name)), "site-foreign")
            self.assertEqual(self.code_of(lambda name=foreign: Proxy(name, address=SOCKET)), "site-foreign")
        self.assertEqual(self.code_of(lambda: directory.search(tag="")), "call-invalid")
        with Proxy(found["address"], address=SOCKET) as psu:
            self.assertEqual(psu.voltage, 0)
        self.assertEqual(len(fernlab.Directory(address=SOCKET).search()), 2)
        self.assertIn("/rpc", repr(fernlab.Directory(address=URL)))

    async def until_nothing_is_locked(self):
        staff = await AsyncProxy.connect("bench-1.psu", address=SOCKET)
        while await staff.of_node("locks"):
            await asyncio.sleep(0.02)
        await staff.close()

    def given_up(self, silent_at, then):
        """What was asked of the node with a lock that is given up while it is silent about that, and with ``then``."""

        async def work():
            cyd = await AsyncProxy.connect("bench-1.psu", address=URL, token=CYD)
            reached, go, asked = self.silent_at(cyd, silent_at)
            taking = asyncio.ensure_future(cyd.lock("a diode", 0).take())
            await reached.wait()
            taking.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await taking
            self.assertFalse(go.is_set())
            await then(cyd, go)
            await cyd.close()
            return [method for method in asked if method in ("node/lock", "node/unlock")]

        return asyncio.run(asyncio.wait_for(work(), 20))

    def test_a_lock_that_is_given_up_at_a_silent_node_ends_at_once_and_is_given_back(self):
        async def locked_again(cyd, go):
            # By an id of its own: it waits for nothing, and outlives what is given back.
            again = cyd.lock("another")
            await again.take()
            go.set()
            await cyd._service.group.paid()
            self.assertEqual([one["lock"]["reason"] for one in await cyd.of_node("locks")], ["another"])
            await again.release()
            self.assertEqual(await cyd.of_node("locks"), [])

        asked = self.given_up("node/lock", locked_again)
        self.assertEqual(asked, ["node/lock", "node/lock", "node/unlock", "node/unlock"])

        async def no_more(_, go):
            go.set()
            await asyncio.sleep(0.05)

        self.assertEqual(self.given_up("node/contract.get", no_more), [], "nothing is locked to be unlocked")

    def test_a_program_that_ends_gives_back_a_lock_that_was_given_up_and_waits_no_longer_than_a_moment(self):
        async def answers(cyd, go):
            asyncio.get_running_loop().call_later(0.1, go.set)
            await close_labs()
            bob = await AsyncProxy.connect("bench-1.psu", address=URL, token=BOB)
            async with bob.lock():
                await bob.set("voltage", 1)
            await bob.close()

        self.assertEqual(self.given_up("node/lock", answers), ["node/lock", "node/unlock"])

        async def stays_silent(*_):
            with unittest.mock.patch("fernlab.lab.CLOSE_WAITS_S", 0.1):
                await close_labs()
            await self.until_nothing_is_locked()

        self.assertEqual(self.given_up("node/lock", stays_silent), ["node/lock"], "it ended after its grace")

        async def closed_twice(cyd, go):
            go.set()
            await asyncio.gather(cyd.close(), close_labs(), close_labs())

        self.assertEqual(self.given_up("node/lock", closed_twice), ["node/lock", "node/unlock"])

    def test_what_is_owed_at_a_silent_node_opens_no_link_once_links_are_closed(self):
        async def work():
            cyd = await AsyncProxy.connect("bench-1.psu", address=URL, token=CYD)
            group = cyd._service.group
            connection, peer = group.connection, group.connection._peer
            reached, ended, opened = asyncio.Event(), asyncio.Event(), []
            peer.on_end(lambda _: ended.set())
            call, opens = peer.call, connection._open

            async def never(method, *args):
                if method != "node/lock":
                    return await call(method, *args)
                await call(method, *args)
                reached.set()
                await ended.wait()
                raise LabError("link-ended", "the link was closed", kind="link")

            async def counted(access):
                opened.append(access)
                return await opens(access)

            peer.call, connection._open = never, counted
            taking = asyncio.ensure_future(cyd.lock("a diode", 0).take())
            await reached.wait()
            taking.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await taking
            with unittest.mock.patch("fernlab.lab.CLOSE_WAITS_S", 0.1):
                await cyd.close()
            await group.paid()
            self.assertEqual((opened, group.owed), ([], set()))

        asyncio.run(asyncio.wait_for(work(), 20))

    async def of_two(self):
        """Supplies by two links, the first of which is locked first; none of them closes the other."""
        owner = await AsyncProxy.connect("bench-1.psu", address=SOCKET)
        return owner, await AsyncProxy.connect("bench-2.psu", address=URL, token=CYD)

    @staticmethod
    def lock_of(*proxies):
        return AsyncLock([(one._service.found.name, one._service.group) for one in proxies], "both", 0)

    @staticmethod
    def silent_at(proxy, method):
        """Its node has done this, and says so the first time only once the second event is set, where the first is.

        And the methods that were asked for.
        """
        peer = proxy._service.group.connection._peer
        call, reached, go, asked = peer.call, asyncio.Event(), asyncio.Event(), []

        async def late(one, *args):
            asked.append(one)
            answer = await call(one, *args)
            if one == method and not reached.is_set():
                reached.set()
                await go.wait()
            return answer

        peer.call = late
        return reached, go, asked

    def test_a_lock_that_can_not_be_had_whole_gives_back_the_rest_though_nobody_waits_any_more(self):
        async def work():
            owner, cyd = await self.of_two()
            bob = await AsyncProxy.connect("bench-2.psu", address=URL, token=BOB)
            peer = owner._service.group.connection._peer
            call, reached, go = peer.call, asyncio.Event(), asyncio.Event()

            async def late(method, *args):
                if method == "node/unlock":
                    reached.set()
                    await go.wait()
                return await call(method, *args)

            peer.call = late
            async with bob.lock():
                taking = asyncio.ensure_future(self.lock_of(owner, cyd).take())
                await reached.wait()
                taking.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await taking
                # What is owed at one node does not end with the links to another.
                await cyd.close()
                go.set()
                await owner._service.group.paid()
            self.assertEqual(await owner.of_node("locks"), [])
            await owner.close()
            await bob.close()

        asyncio.run(asyncio.wait_for(work(), 20))

    def test_a_lock_of_which_a_part_is_lost_while_the_rest_is_asked_for_is_not_had(self):
        async def work():
            owner, cyd = await self.of_two()
            reached, go, _ = self.silent_at(cyd, "node/lock")
            lock = self.lock_of(owner, cyd)
            taking = asyncio.ensure_future(lock.take())
            await reached.wait()
            await owner.unlock()
            self.assertEqual((await lock.until_lost(10)).code, "lock-ended")
            go.set()
            with self.assertRaises(LabError) as caught:
                await taking
            self.assertEqual(caught.exception.code, "lock-ended")
            self.assertEqual(await owner.of_node("locks"), [])
            await owner.close()
            await cyd.close()

        asyncio.run(asyncio.wait_for(work(), 20))

    def test_what_staff_has_ended_of_a_lock_keeps_the_rest_from_no_giving_back(self):
        async def work():
            cyd = [await AsyncProxy.connect(f"bench-{one}.psu", address=URL, token=CYD) for one in (1, 2)]
            staff = await AsyncProxy.connect("bench-1.psu", address=SOCKET)
            reached, go, _ = self.silent_at(cyd[0], "node/lock")
            taking = asyncio.ensure_future(self.lock_of(*cyd).take())
            await reached.wait()
            taking.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await taking
            await staff.unlock("it smells")
            go.set()
            await cyd[0]._service.group.paid()
            self.assertEqual(await staff.of_node("locks"), [])
            for one in (*cyd, staff):
                await one.close()

        asyncio.run(asyncio.wait_for(work(), 20))

    def test_a_lock_whose_answer_was_lost_is_given_back(self):
        async def work():
            ada = await AsyncProxy.connect("bench-1.psu", address=URL, token=ADA)
            bob = await AsyncProxy.connect("bench-1.psu", address=URL, token=BOB)
            connection = ada._service.group.connection
            call = connection.call

            async def lost(method, *args, **given):
                answer = await call(method, *args, **given)
                if method == "node/lock":
                    raise LabError("deadline-exceeded", "no answer came", kind="link", retry="later")
                return answer

            connection.call = lost
            with self.assertRaises(LabError) as caught:
                await ada.lock("a diode").take()
            self.assertEqual(caught.exception.code, "deadline-exceeded", "why it was not taken, and nothing else")
            async with bob.lock():
                await bob.set("voltage", 1)
                # What was refused is nobody's to give back.
                connection.call = call
                with self.assertRaises(LabError) as caught:
                    await ada.lock().take()
                self.assertEqual(caught.exception.code, "service-locked")
            await ada.close()
            await bob.close()

        asyncio.run(work())

    def test_whoever_may_ends_locks_of_other_programs_and_of_others(self):
        ada, bob = (Proxy("bench-1.psu", address=URL, token=token) for token in (ADA, BOB))
        staff = Proxy("bench-1.psu", address=SOCKET)
        second = Proxy("bench-2.psu", address=SOCKET)
        with ada.lock("a diode") as held:
            self.assertEqual(self.code_of(lambda: bob.unlock("mine now")), "service-locked")
            self.assertIsNone(held.lost)
            staff.unlock("it smells")
            lost = held.until_lost(20)
            self.assertEqual((lost.code, lost.details["why"]), ("lock-ended", "ended-by-other"))
            self.assertRegex(lost.message, ": it smells$")
        self.assertEqual(self.code_of(staff.unlock), "not-locked")
        with ada.lock("another"), second.lock():
            # As another program of the same person's would.
            ada.unlock()
            with bob.lock():
                self.assertEqual(self.code_of(ada.unlock), "service-locked")
                fernlab.unlock([staff, second], "closing time")
            self.assertEqual(self.code_of(second.unlock), "not-locked")

        async def work():
            ada = await AsyncProxy.connect("bench-1.psu", address=URL, token=ADA)
            for unlock in (ada.unlock, lambda: fernlab.async_unlock([ada])):
                async with ada.lock() as held:
                    await unlock()
                    self.assertEqual((await held.until_lost(20)).details["why"], "unlocked")
            await ada.close()

        asyncio.run(work())

    def test_no_other_lock_is_ended_than_the_one_that_was_seen(self):
        ada, staff = Proxy("bench-1.psu", address=URL, token=ADA), Proxy("bench-1.psu", address=SOCKET)
        second = Proxy("bench-2.psu", address=SOCKET)
        entry = fernlab.Directory(address=SOCKET)
        with ada.lock("a diode") as held, second.lock():
            since = entry.get("bench-1.psu")["lockedBy"]["since"]
            for work in (
                lambda: staff.unlock("it smells", "2026-01-01T00:00:00Z"),
                lambda: fernlab.unlock([second, staff], "it smells", {"bench-1.psu": "2026-01-01T00:00:00.000Z"}),
            ):
                with self.assertRaises(LabError) as caught:
                    work()
                told = {"since": since, "owner": "ada", "by": "ada", "reason": "a diode"}
                self.assertEqual((caught.exception.code, caught.exception.details), ("hold-changed", told))
            self.assertEqual(self.code_of(lambda: staff.unlock(seen="noon")), "call-invalid")
            self.assertEqual(self.code_of(lambda: fernlab.unlock([staff], seen={"bench-2.psu": since})), "call-invalid")
            self.assertIsNone(held.until_lost(0.05))
            self.assertEqual(len(staff.of_node("locks")), 2)

            async def work():
                supply = await AsyncProxy.connect("bench-1.psu", address=SOCKET)
                await supply.unlock("it smells", since.replace("Z", "+00:00"))
                await supply.close()

            asyncio.run(work())
            self.assertEqual(held.until_lost(20).details["why"], "ended-by-other")

    def test_a_lock_that_staff_has_ended_says_so_and_gives_back_nothing_of_the_next(self):
        ada, owner = Proxy("bench-1.psu", address=URL, token=ADA), Proxy("bench-1.psu", address=SOCKET)
        lock = fernlab.lock([ada, Proxy("bench-2.psu", address=URL, token=ADA)])
        with lock:
            self.assertIsNone(lock.until_lost(0.05))
            asyncio.run(self.unlock(SOCKET, None, "it smells"))
            lost = lock.until_lost(20)
            self.assertEqual((lost.code, lost.kind, lost.details["service"]), ("lock-ended", "caller", "bench-1.psu"))
            self.assertEqual(lost.details, {"service": "bench-1.psu", "why": "ended-by-other", "reason": "it smells"})
            self.assertRegex(lost.message, "^the lock of bench bench-1 was ended by somebody .*: it smells$")
            self.assertIs(lock.lost, lost)
            its = owner.lock()
            its.take()
        owner.voltage = 1
        self.assertEqual(owner.voltage, 1, "who has it next still has it")
        states = {one["name"]: one["state"] for one in fernlab.Directory(address=SOCKET).search()}
        self.assertEqual(states, {"bench-1.psu": "locked", "bench-2.psu": "up"})
        its.release()

    def test_why_else_a_lock_is_lost_in_asyncio(self):
        # Links of plain calls are this program's too, and its locks outlive others of its links.
        background().run(close_labs())

        async def why(lock):
            lost = await lock.until_lost(20)
            self.assertEqual(lost.code, "lock-ended")
            return lost.details["why"], lost.message

        async def work():
            ada = await AsyncProxy.connect("bench-1.psu", address=URL, token=ADA)
            async with ada.lock() as lock:
                await self.unlock(URL, ADA)
                self.assertEqual(await why(lock), ("unlocked", "bench bench-1 was unlocked by its owner"))
            connection = ada._service.group.connection
            async with ada.lock(grace=0.2) as lock:
                ways, connection._ways = connection._ways, []
                await connection._peer.close("cut")
                await self.until_nothing_is_locked()
                self.assertIsNone(lock.lost, "nothing can be heard yet")
                connection._ways = ways
                message = "no link of the owner of bench bench-1 was there for 0.2 s"
                self.assertEqual(await why(lock), ("grace-over", message))
            async with ada.lock(grace=60) as lock:
                await connection._peer.close("cut")
                await ada.set("voltage", 1)
                self.assertIsNone(await lock.until_lost(0.3), "a break that is shorter than the grace")
                waiting = asyncio.ensure_future(lock.until_lost())
                await asyncio.sleep(0)
            self.assertIsNone(await waiting, "given back")
            await ada.close()

        asyncio.run(work())

    async def unlock(self, address, token, reason=""):
        peer = await fernlab.connect(address, token)
        await peer.call("node/unlock", {"services": ["bench-1.psu"], "reason": reason})
        await peer.close()

    def test_who_owns_the_machine_needs_no_token(self):
        supply = Proxy("bench-1.psu", address=SOCKET)
        with supply.lock():
            supply.voltage = 1
            self.assertEqual((supply.voltage, supply.way.kind), (1, "unix-socket"))


if __name__ == "__main__":
    unittest.main()
