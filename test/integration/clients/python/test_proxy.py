"""Services as objects, of a node alone."""
import array
import asyncio
import contextlib
import inspect
import io
import os
import threading
import unittest

import fernlab
from fernlab import AsyncProxy, LabError, Proxy, connect
from fernlab.connection import Access, Connection

URL, SOCKET, TOKEN = (os.environ[name] for name in ("FERNLAB_URL", "FERNLAB_SOCKET", "FERNLAB_TOKEN"))
NAME = "bench1.supply"


def asked(method, params=None):
    """A call beside the proxy's own link."""

    async def work():
        peer = await connect(SOCKET)
        answer = await peer.call(method, params)
        await peer.close()
        return answer

    return asyncio.run(work())


def restart():
    """Ends all links over the socket, at once or soon."""

    async def work():
        peer = await connect(SOCKET)
        ended = asyncio.get_running_loop().create_future()
        peer.on_end(ended.set_result)
        peer.send("restart")
        await ended

    asyncio.run(work())


class Plain(unittest.TestCase):
    def setUp(self):
        self.supply = Proxy(NAME, address=URL, token=TOKEN)

    def code_of(self, work):
        with self.assertRaises(LabError) as caught:
            work()
        return caught.exception.code

    def test_one_that_is_not_made_yet_has_no_members(self):
        for made in (object.__new__(Proxy), object.__new__(AsyncProxy)):
            self.assertFalse(hasattr(made, "_service") or hasattr(made, "__deepcopy__"))

    def said(self, work):
        with self.assertRaises(LabError) as caught:
            work()
        return str(caught.exception)

    def test_what_is_no_name_no_list_and_no_call_is_refused_in_words(self):
        for name in ("", " ", None, 7):
            wanted = "^the name of a service is wanted, such as bench3.scope, .* was given"
            self.assertRegex(self.said(lambda: Proxy(name, address=URL, token=TOKEN)), wanted)
            self.assertRegex(self.said(lambda: fernlab.Directory(address=URL, token=TOKEN).get(name)), wanted)
        for work in (fernlab.lock, fernlab.unlock):
            empty = "at least one service is to be named, and the list is empty (call-invalid)"
            self.assertEqual(self.said(lambda: work([])), empty)
            for given in (NAME, None, self.supply):
                self.assertRegex(self.said(lambda: work(given)), "^a list of services is wanted, as .*call-invalid")
        self.assertRegex(self.said(self.supply.read), ": signals must be a list of at least one; it has .*voltage")
        form = 'must be \\("action", {"argument": 1}\\)'
        for calls in ("foo", None, {"mean": {}}, 7):
            self.assertRegex(self.said(lambda: self.supply.batch(calls)), f"^calls must be a list of which each {form}")
        for call in ("fo", ("mean",), (7, {}), None):
            calls = [("mean", {"values": [1]}), call]
            self.assertRegex(self.said(lambda: self.supply.batch(calls)), f"^calls\\[1\\] {form}")

    def test_signals_are_attributes(self):
        supply = self.supply
        supply.voltage = 2.5
        self.assertEqual(supply.voltage, 2.5)
        self.assertEqual(supply.read("voltage"), 2.5)
        self.assertEqual(supply.read("voltage", "current"), {"voltage": 2.5, "current": 0.025})
        self.assertEqual(supply.readings("current"), {"current": {"value": 0.025, "time": 1_700_000_000}})
        supply.set("voltage", 1)
        self.assertEqual(supply.voltage, 1)
        with self.assertRaises(LabError) as caught:
            supply.voltage = 6
        self.assertEqual(caught.exception.issues, [{"path": "voltage", "message": "6 V is above the limit of 5 V"}])
        for name in ("current", "voltag", "ramp", "read"):
            with self.assertRaises(AttributeError):
                setattr(supply, name, 1)
        self.assertEqual(supply.voltage, 1)

    def test_an_attribute_that_is_not_there_is_told_with_those_that_are(self):
        supply, said = self.supply, "bench1.supply has no signal or action"
        for name, nearest in (("voltag", "voltage, current, ramp"), ("ramb", "ramp, voltage"), ("x" * 200, "voltage")):
            with self.assertRaises(AttributeError) as caught:
                getattr(supply, name)
            self.assertTrue(str(caught.exception).startswith(f"{said} '{name}'; it has {nearest}, "), caught.exception)
        self.assertFalse(hasattr(supply, "_repr_html_"))
        for name in ("voltag", "current", "ramp"):
            with self.assertRaises(AttributeError) as caught:
                setattr(supply, name, 1)
            wanted = f"bench1.supply has no signal that can be set '{name}'; it has voltage"
            self.assertEqual(str(caught.exception), wanted)
        with self.assertRaises(LabError) as caught:
            supply.read("voltag")
        self.assertIn('did you mean "voltage"?', caught.exception.message)

    def test_actions_are_methods(self):
        supply = self.supply
        self.assertEqual(list(supply.ramp(4, 2)), [2, 4])
        self.assertEqual(list(supply.ramp(to=4, steps=2, from_=2)), [3, 4])
        self.assertEqual(supply.voltage, 4)
        with self.assertRaises(TypeError):
            supply.ramp()
        with self.assertRaises(TypeError):
            supply.ramp(1, speed=2)
        self.assertEqual(self.code_of(lambda: supply.ramp(9)), "call-invalid")
        self.assertEqual(supply.do.read(), "the action")
        self.assertEqual(supply.do.ramp(3).tolist()[-1], 3)

    def test_help_is_of_the_contract(self):
        self.assertEqual(
            str(inspect.signature(self.supply.ramp)),
            "(to: float, steps: int = 10, from_: float = 0) -> 'array of float64'",
        )
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            help(self.supply.ramp)
        for words in ("Goes to a voltage in steps.", "to: number in V, from 0 to 5. Where to", "Takes about 0.5 s."):
            self.assertIn(words, shown.getvalue())
        self.assertIn("A power supply. bench1.supply, demo-supply 1.2.", type(self.supply).__doc__)
        self.assertEqual(
            type(self.supply).voltage.__doc__, "Output voltage. number in V, read-set, from 0 to 5."
        )
        self.assertLessEqual({"ramp", "voltage", "current", "count"}, set(dir(self.supply)))
        self.assertIn("demo-supply 1.2", repr(self.supply))

    def test_lists_of_numbers_are_taken_for_arrays(self):
        self.assertEqual(self.supply.mean([1, 2.5, 4]), 2.5)
        self.assertEqual(self.supply.mean((4,)), 4)
        self.assertEqual(self.supply.mean(array.array("d", [1, 2])), 1.5)
        outcomes = self.supply.batch([("mean", {"values": [1, 3]}), ("signals.read", {"signals": ["current"]})])
        self.assertEqual((outcomes[0].result(), "current" in outcomes[1].result()), (2, True))
        self.supply.voltage = 1
        with self.assertRaises(LabError) as caught:
            self.supply.batch([("signals.set", {"signal": "voltage", "value": 2}), ("mean", {"values": [1, "two"]})])
        self.assertEqual(caught.exception.issues, [{"path": "calls[1].values[1]", "message": "must be a number, not 'two'"}])
        self.assertEqual(self.supply.voltage, 1, "nothing was sent")

    def test_streams_and_events_are_loops(self):
        self.assertEqual(list(self.supply.count(300)), list(range(1, 301)))
        taken = []
        for reading in self.supply.follow("voltage", rate=100):
            taken.append(reading)
            if len(taken) == 3:
                break
        self.assertEqual(set(taken[0]), {"voltage"})
        self.assertEqual(list(self.supply.events("overheated")), [{"event": "overheated", "value": 81}])

    def test_functions_may_make_calls(self):
        self.supply.voltage = 3
        self.assertEqual(self.supply.ask(lambda number: number * self.supply.voltage), 6)
        main, ran = threading.current_thread(), []
        self.supply.ask(lambda number: ran.append(threading.current_thread()))
        self.assertIsNot(ran[0], main)

    def test_a_batch_is_one_message(self):
        outcomes = self.supply.batch([("ramp", {"to": 1, "steps": 1}), ("ramp", {}), ("read", {})])
        self.assertEqual([outcomes[0].result().tolist(), outcomes[2].result()], [[1], "the action"])
        self.assertEqual(outcomes[1].error.code, "call-invalid")

    def test_what_is_not_there_is_named(self):
        self.assertEqual(self.code_of(lambda: Proxy("bench9.scope", address=URL)), "service-unknown")
        self.assertEqual(self.code_of(lambda: Proxy("http://x/y", address=URL)), "address-wrong")
        self.assertEqual(self.code_of(lambda: Proxy(NAME, address="ws://127.0.0.1:1/rpc")), "node-unreachable")
        self.assertEqual(self.code_of(lambda: Proxy(NAME, address=URL, token="wrong")), "token-wrong")

    def test_site_and_node_of_a_full_address_are_held_against_the_node(self):
        for right in (f"fernlab://site/node/{NAME}", f"node/{NAME}"):
            self.assertEqual(Proxy(right, address=URL, token=TOKEN).contract["version"], "1.2")
        foreign = f"fernlab://elsewhere/node/{NAME}"
        with self.assertRaises(LabError) as caught:
            Proxy(foreign, address=URL, token=TOKEN)
        self.assertEqual((caught.exception.code, caught.exception.kind), ("site-foreign", "caller"))
        why = "is of another site than site: ask the hub of its site, or its node itself"
        self.assertEqual(caught.exception.message, f"{foreign} {why}")
        for wrong in (f"fernlab://site/other/{NAME}", f"other/{NAME}", "fernlab://site/node/bench9.scope"):
            self.assertEqual(self.code_of(lambda name=wrong: Proxy(name, address=URL, token=TOKEN)), "service-unknown")
        self.assertEqual(self.code_of(lambda: Proxy(NAME, address="peer:elsewhere/node")), "site-foreign")

    def test_threads_share_a_proxy(self):
        answers, threads = [], []
        for number in range(8):
            work = lambda: [answers.append(len(self.supply.ramp(1, 5))) for _ in range(20)]  # noqa: E731
            threads.append(threading.Thread(target=work))
            threads[-1].start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [5] * 160)

    def test_closed_links_open_anew(self):
        self.assertEqual(self.supply.way.kind, "websocket")
        self.supply.close()
        self.assertIsNone(self.supply.way)
        self.assertEqual(self.supply.do.read(), "the action")


class AfterRestart(unittest.TestCase):
    def test_a_proxy_goes_on_when_its_node_restarts(self):
        supply = Proxy(NAME, address=SOCKET)
        for _ in range(3):
            restart()
            # Reads may be repeated, whenever the link ends.
            self.assertEqual(supply.read("current"), supply.read("voltage") / 100)
        self.assertEqual(supply.way.kind, "unix-socket")

    def test_what_may_be_repeated_is_and_other_calls_are_uncertain(self):
        supply = Proxy(NAME, address=SOCKET)
        called, released, ends = threading.Event(), threading.Event(), []

        def hold(_number):
            called.set()
            released.wait()

        def ask():
            try:
                supply.ask(hold)
            except LabError as error:
                ends.append(error.code)

        threads = [
            threading.Thread(target=ask),
            threading.Thread(target=lambda: ends.append(supply.begin("a key of this test"))),
        ]
        for thread in threads:
            thread.start()
        called.wait()
        while "a key of this test" not in asked("begun"):
            pass
        restart()
        for thread in threads:
            thread.join()
        released.set()
        self.assertEqual(sorted(ends), ["call-uncertain", "repeated"])

    def test_a_changed_type_is_refused_with_both_versions(self):
        supply = Proxy(NAME, address=SOCKET)
        kept = supply.contract
        asked("change", "mV")
        self.addCleanup(asked, "restore")
        restart()
        with self.assertRaises(LabError) as caught:
            while True:
                # Until the link has ended, the one that was met answers.
                supply.read("voltage")
        error = caught.exception
        self.assertEqual((error.code, error.details), ("contract-changed", {"known": "1.2", "met": "2.0"}))
        self.assertIn("signals.voltage was in V, and is in mV", error.message)
        with self.assertRaises(LabError) as caught:
            Proxy(NAME, address=SOCKET, contract=kept)
        self.assertEqual(caught.exception.code, "contract-changed")
        self.assertEqual(Proxy(NAME, address=SOCKET).contract["version"], "2.0")


class Asyncio(unittest.IsolatedAsyncioTestCase):
    async def test_the_same_in_asyncio(self):
        supply = await AsyncProxy.connect(NAME, address=URL, token=TOKEN)
        await supply.set("voltage", 1.5)
        self.assertEqual(await supply.read("voltage"), 1.5)
        self.assertEqual(await supply.read("voltage", "current"), {"voltage": 1.5, "current": 0.015})
        self.assertEqual((await supply.ramp(4, 2)).tolist(), [2, 4])
        self.assertEqual([number async for number in supply.count(3)], [1, 2, 3])

        async def each(number):
            return number + await supply.read("voltage")

        self.assertEqual(await supply.ask(each), 6)
        self.assertIsInstance(supply.way, fernlab.WayInUse)
        with self.assertRaises(AttributeError):
            supply.voltage = 1
        with self.assertRaisesRegex(AttributeError, r"^voltage is read by: await proxy\.read\('voltage'\)$"):
            supply.voltage  # noqa: B018
        with self.assertRaisesRegex(AttributeError, "has no signal or action 'rampp'; it has ramp, voltage"):
            supply.rampp  # noqa: B018
        many = await asyncio.gather(*(supply.ramp(1, number + 1) for number in range(100)))
        self.assertEqual([len(wave) for wave in many], list(range(1, 101)))
        await supply.close()

    async def test_signatures_and_help_are_those_of_plain_proxies(self):
        supply = await AsyncProxy.connect(NAME, address=URL, token=TOKEN)
        plain = await asyncio.get_running_loop().run_in_executor(None, lambda: Proxy(NAME, address=URL, token=TOKEN))
        actions = [name for name in vars(type(plain.do)) if not name.startswith("_")]
        self.assertIn("ramp", actions)
        for name in actions:
            with self.subTest(name):
                own, other = getattr(supply.do, name), getattr(plain.do, name)
                self.assertEqual(inspect.signature(own), inspect.signature(other))
                self.assertEqual((own.__name__, own.__qualname__), (name, f"{supply.name}.{name}"))
                self.assertEqual(inspect.getdoc(own), inspect.getdoc(other))
                self.assertEqual(inspect.iscoroutinefunction(own), inspect.signature(own).return_annotation != "stream")
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            help(supply.ramp)
        self.assertIn("to: number in V", text.getvalue())
        with self.assertRaises(TypeError):
            await supply.ramp(1, 2, 3, 4, 5)
        self.assertEqual(inspect.getdoc(type(supply)), inspect.getdoc(type(plain)))
        await supply.close()

    async def test_plain_calls_within_the_loop_do_not_hold_themselves_up(self):
        supply = await asyncio.get_running_loop().run_in_executor(None, lambda: Proxy(NAME, address=URL, token=TOKEN))
        self.assertEqual(supply.do.read(), "the action")

        async def inner():
            return supply.do.read()

        with self.assertRaises(LabError) as caught:
            fernlab.background.background().run(inner())
        self.assertEqual(caught.exception.code, "call-in-loop")

    async def test_a_link_that_does_not_answer_is_left(self):
        async def access():
            return Access([URL], TOKEN)

        connection = Connection("node", access, watch=0.2)
        self.assertEqual(await connection.call("echo", 1, idempotent=True), 1)
        first = connection._peer
        if first is not None:
            first.send("freeze")
        # One of them waits on the dead link, and is repeated on another.
        while first is not None and first.ended is None:
            self.assertEqual(await connection.call("echo", 2, idempotent=True), 2)
        await connection.close()

    async def test_access_is_asked_for_anew_where_the_kept_one_opens_nothing(self):
        addresses = iter(["ws://127.0.0.1:1/rpc", URL])

        async def access():
            return Access([next(addresses)], TOKEN)

        connection = Connection("node", access)
        self.assertEqual(await connection.call("echo", 1), 1)
        await connection.close()

    async def test_renewing_waits_for_the_link_that_is_being_opened(self):
        asked, begun, go = [], asyncio.Event(), asyncio.Event()

        async def access():
            asked.append(TOKEN)
            given = Access([URL], TOKEN, grace=len(asked))
            begun.set()
            await go.wait()
            return given

        connection = Connection("node", access)
        reaching = asyncio.create_task(connection.reach())
        await begun.wait()
        renewing = asyncio.create_task(connection.renew())
        # It has come to where it waits.
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(reaching, renewing)
        self.assertEqual(await connection.call("lastSignIn"), {"token": TOKEN, "graceS": 2})
        await connection.close()

    async def test_closing_ends_streams_that_linger(self):
        supply = await AsyncProxy.connect(NAME, address=SOCKET)
        with self.assertRaises(LabError) as caught:
            async for number in supply.count(2000):
                if number == 1:
                    await supply.close()
        self.assertEqual(caught.exception.code, "call-uncertain")
        self.assertIsNone(supply.way)

    async def test_a_stream_goes_on_over_a_broken_link(self):
        supply = await AsyncProxy.connect(NAME, address=SOCKET)
        taken = []
        async for number in supply.count(2000):
            taken.append(number)
            if number in (100, 1000):
                peer = await connect(SOCKET)
                peer.send("restart")
                await peer.close()
        self.assertEqual(taken, list(range(1, 2001)))
        await supply.close()

    async def test_a_stream_of_a_service_that_came_back_as_another_is_not_followed_on(self):
        supply = await AsyncProxy.connect(NAME, address=SOCKET)
        peer = await connect(SOCKET)
        with self.assertRaises(LabError) as caught:
            async for number in supply.count(2000):
                if number == 100:
                    await peer.call("change", "mV")
                    peer.send("restart")
        self.assertEqual(caught.exception.code, "contract-changed")
        self.assertEqual(caught.exception.details, {"known": "1.2", "met": "2.0"})
        await peer.close()
        await supply.close()
        restoring = await connect(URL)
        await restoring.call("restore")
        await restoring.close()


if __name__ == "__main__":
    unittest.main()
