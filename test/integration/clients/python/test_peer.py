"""The peer of Python against the peer of TypeScript, over each link in each format."""
import array
import asyncio
import math
import os
import unittest

import numpy

from fernlab import LabError, connect

URL, SOCKET, TOKEN = (os.environ[name] for name in ("FERNLAB_URL", "FERNLAB_SOCKET", "FERNLAB_TOKEN"))


class EveryLink:
    address = format = ""

    async def connect(self, **options):
        peer = await connect(self.address, format=self.format, **options)
        self.addAsyncCleanup(peer.close)
        return peer

    async def failure(self, awaitable):
        with self.assertRaises(LabError) as caught:
            await awaitable
        return caught.exception

    async def until(self, holds):
        while not await holds():
            await asyncio.sleep(0.002)

    async def test_values_come_as_they_were_sent(self):
        peer = await self.connect()
        values = await peer.call("values")
        plain = {
            "null": None,
            "true": True,
            "integer": 42,
            "negative": -7,
            "largest": 2**53 - 1,
            "beyond": 2.0**60,
            "fraction": -1.5,
            "smallest": 5e-324,
            "infinity": math.inf,
            "minusInfinity": -math.inf,
            "text": 'ñ 𝄞 \0 "\\',
            "bytes": b"\x00\xff",
            "nested": {"a": [1, [2, {"b": None}]], "with space": []},
            "marked": {"$type": "float64", "base64": "mine", "$$type": {"$type": 1}},
        }
        for name, value in plain.items():
            self.assertEqual(values[name], value, name)
        self.assertIs(type(values["beyond"]), float)
        self.assertTrue(math.isnan(values["nan"]))
        arrays = {
            "int8": [-1, 1],
            "uint16": [0, 65535],
            "int16": [-32768, 3],
            "uint32": [4294967295],
            "int32": [-2147483648],
            "uint64": [2**64 - 1],
            "int64": [-(2**63)],
            "float32": [1.5, math.nan],
            "float64": [1e300, -math.inf],
        }
        for name, items in arrays.items():
            numpy.testing.assert_array_equal(values[name], numpy.array(items, dtype=name))
            self.assertEqual(values[name].dtype, numpy.dtype(name))
        self.assertEqual(len(values["empty"]), 0)
        self.assertEqual(set(values), {*plain, *arrays, "nan", "minusZero", "empty"})

    async def test_javascript_sees_what_python_means(self):
        peer = await self.connect()
        table = [
            (None, "null"),
            (True, "true"),
            (2**53 - 1, "9007199254740991"),
            (-1.5, "-1.5"),
            (-0.0, "-0"),
            (2.0**60, "1152921504606847000"),
            (math.nan, "NaN"),
            (-math.inf, "-Infinity"),
            ("ñ 𝄞", '"ñ 𝄞"'),
            (b"\x01\x02", "Uint8Array[1 2]"),
            (bytearray(b"\x01"), "Uint8Array[1]"),
            (memoryview(b"\x03"), "Uint8Array[3]"),
            ((1, [2]), "[1 [2]]"),
            ({"$type": 1, "$$type": "x"}, '{"$type":1 "$$type":"x"}'),
            (numpy.float32(0.5), "0.5"),
            (numpy.int64(-3), "-3"),
            (numpy.bool_(True), "true"),
            (numpy.array([1.5, math.nan]), "Float64Array[1.5 NaN]"),
            (numpy.array([1, 2], dtype=">i2"), "Int16Array[1 2]"),
            (numpy.arange(6, dtype="float32")[::2], "Float32Array[0 2 4]"),
            (numpy.array([2**64 - 1], dtype="uint64"), "BigUint64Array[18446744073709551615]"),
            (numpy.array([7], dtype="uint8"), "Uint8Array[7]"),
            (array.array("d", [1.5]), "Float64Array[1.5]"),
            (array.array("h", [-1]), "Int16Array[-1]"),
        ]
        for value, words in table:
            self.assertEqual(await peer.call("describe", [value]), f"[{words}]", repr(value))

    async def test_what_no_message_carries_is_refused_with_its_place(self):
        peer = await self.connect()
        cycle = []
        cycle.append(cycle)
        for value in (2**53, {"a": object()}, [{"b": {1: 2}}], "\ud800", numpy.zeros((2, 2)), 1j, cycle, {1, 2}):
            error = await self.failure(peer.call("echo", value))
            self.assertEqual(error.code, "value-unwritable", repr(value))
        error = await self.failure(peer.call("echo", {"a": [1, object()]}))
        self.assertEqual(error.issues[0]["path"], "params.a[1]")
        self.assertEqual(peer.under_way, {"calls": 0, "served": 0, "callbacks": 0})

    async def test_an_error_arrives_as_the_same_error(self):
        peer = await self.connect()
        error = await self.failure(peer.call("fail"))
        self.assertEqual(
            error.to_json(),
            {
                "code": "voltage-too-high",
                "kind": "caller",
                "message": "12 V is above the limit of 5 V",
                "studentMessage": "Too high.",
                "retry": "later",
                "issues": [{"path": "voltage", "message": "too high"}],
                "details": {"limit": 5},
            },
        )
        for method, code in {
            "nothing": "method-unknown",
            "throwNothing": "internal-error",
            "cycle": "value-unwritable",
            "huge": "message-too-large",
        }.items():
            self.assertEqual((await self.failure(peer.call(method))).code, code)
        self.assertEqual(await peer.call("echo", 1), 1)

    async def test_sign_in(self):
        peer = await self.connect(token=TOKEN)
        self.assertEqual(await peer.call("echo", 1), 1)
        error = await self.failure(self.connect(token="another"))
        self.assertEqual(error.code, "token-wrong")

    async def test_late_and_cancelled_calls_end_at_both_ends(self):
        peer = await self.connect()
        name = f"late {self.id()}"
        error = await self.failure(peer.call("never", name, timeout=0.02))
        self.assertEqual(error.code, "deadline-exceeded")
        other = f"cancelled {self.id()}"
        task = asyncio.ensure_future(peer.call("never", other))

        async def heard(text):
            return any(str(line).startswith(text) for line in await peer.call("heard"))

        await self.until(lambda: heard(f"{other} begun"))
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        await self.until(lambda: heard(f"{other} call-cancelled"))
        await self.until(lambda: heard(f"{name} "))
        peer.send("note", f"one-way {self.id()}")
        await self.until(lambda: heard(f"one-way {self.id()}"))
        self.assertEqual(peer.under_way["calls"], 0)

    async def test_streams_end_fail_and_are_left(self):
        peer = await self.connect()
        taken = [item async for item in peer.stream("count", {"to": 1000}, credit=10)]
        self.assertEqual(taken, list(range(1, 1001)))
        stream = peer.stream("count", {"to": 5, "failAfter": 2})
        self.assertEqual([await stream.__anext__(), await stream.__anext__()], [1, 2])
        self.assertEqual((await self.failure(stream.__anext__())).code, "sensor-lost")
        async with peer.stream("count", {"to": 1e9}, credit=8) as endless:
            async for item in endless:
                if item == 100:
                    break

        async def is_free():
            return (await peer.call("underWay"))["served"] == 1  # the call that asks

        await self.until(is_free)
        self.assertEqual((await self.failure(peer.call("count", {"to": 1}))).code, "call-invalid")
        self.assertEqual((await self.failure(peer.stream("echo").__anext__())).code, "call-invalid")
        self.assertEqual(peer.under_way["calls"], 0)

    async def test_a_stream_goes_on_over_another_link(self):
        first, taken = await self.connect(), []
        stream = first.stream("count", {"to": 40}, credit=4, linger=20)
        while len(taken) < 10:
            taken.append(await stream.__anext__())
        first.send("cut")
        with self.assertRaises(LabError) as caught:
            async for item in stream:
                taken.append(item)
        self.assertEqual(caught.exception.kind, "link")
        second = await self.connect()
        async for item in second.resume(stream.place, credit=4, linger=20):
            taken.append(item)
        self.assertEqual(taken, list(range(1, 41)))

        async def is_forgotten():
            return (await second.call("underWay"))["lingering"] == 0

        await self.until(is_forgotten)

    async def test_batches(self):
        peer = await self.connect()
        calls = [("echo", 1), ("fail",), ("later", 3), ("rpc.batch", {"calls": []})]
        outcomes = await peer.batch(calls)
        self.assertEqual([outcomes[0].result(), outcomes[2].result()], [1, 3])
        self.assertEqual([outcomes[1].error.code, outcomes[3].error.code], ["voltage-too-high", "call-invalid"])
        stopped = await peer.batch(calls, stop=True)
        self.assertEqual([outcome.skipped for outcome in stopped], [False, False, True, True])
        many = await peer.batch([("echo", number) for number in range(5000)])
        self.assertEqual([outcome.value for outcome in many], list(range(5000)))

    async def test_functions_are_called_back(self):
        peer = await self.connect()

        def each(number):
            if number == 3:
                raise LabError("enough", "enough")
            return number * 10

        async def later(number):
            await asyncio.sleep(0)
            return each(number)

        for function in (each, later):
            self.assertEqual(await peer.call("callBack", {"each": function, "times": 3}), [0, 10, 20])
            error = await self.failure(peer.call("callBack", {"each": function, "times": 5}))
            self.assertEqual(error.code, "enough")
        self.assertEqual(peer.under_way["callbacks"], 0)
        error = await self.failure(peer.call("callBack", {"each": lambda number: 1 / 0, "times": 1}))
        self.assertEqual((error.code, error.message), ("internal-error", "unexpected: division by zero"))

    async def test_five_megabytes_hold_up_no_small_call(self):
        peer = await self.connect()
        wave = numpy.arange(625_000, dtype="float64")
        large = asyncio.ensure_future(peer.call("echo", wave))
        await asyncio.sleep(0)
        await peer.call("echo", 1)
        self.assertFalse(large.done())
        numpy.testing.assert_array_equal(await large, wave)
        text = "ñ𝄞" * 200_000
        self.assertTrue(await peer.call("echo", text) == text)

    async def test_what_may_have_been_done_when_the_link_breaks_is_uncertain(self):
        peer = await self.connect()
        names = [f"{kind} {self.id()}" for kind in ("uncertain", "repeatable")]
        calls = [
            asyncio.ensure_future(peer.call("never", names[0])),
            asyncio.ensure_future(peer.call("never", names[1], idempotent=True)),
        ]

        async def both_begun():
            return {f"{name} begun" for name in names} <= {str(line) for line in await peer.call("heard")}

        await self.until(both_begun)
        ends = []
        peer.on_end(lambda error: ends.append(error.code))
        peer.send("cut")
        uncertain, repeatable = [await self.failure(call) for call in calls]
        self.assertEqual((uncertain.code, uncertain.retry), ("call-uncertain", "never"))
        self.assertEqual((repeatable.code, repeatable.retry), ("link-ended", "now"))
        # Why it ended stands there once.
        self.assertEqual([str(error).count("the link ended: ") for error in (uncertain, repeatable)], [0, 1])
        self.assertEqual((await self.failure(peer.call("echo"))).code, "link-ended")
        self.assertEqual(ends, ["link-ended"])

    async def test_frames_that_nobody_can_read_harm_nothing(self):
        troubles = []
        peer = await self.connect(trouble=lambda error, method: troubles.append(error.code))
        spoiled = await peer.call("spoil")
        self.assertEqual(await peer.call("echo", 1), 1)
        self.assertEqual(troubles, ["rpc-unreadable"] * spoiled)

    async def test_more_of_them_end_the_link(self):
        peer = await self.connect()
        ended = asyncio.get_running_loop().create_future()
        peer.on_end(ended.set_result)
        await peer.call("spoil")
        peer.send("spoil")
        self.assertEqual((await ended).code, "link-ended")

    async def test_the_other_end_calls_too(self):
        ended = asyncio.get_running_loop().create_future()

        async def count(to):
            try:
                for number in range(to):
                    yield number
            finally:
                if not ended.done() and to > 100:
                    ended.set_result(to)

        async def wait():
            await asyncio.sleep(0)
            return "waited"

        def serve(method, params, context):
            if method == "double":
                return params * 2
            if method == "wait":
                return wait()
            if method == "count":
                return count(params)
            raise LabError("nothing-here", "nothing here")

        peer = await self.connect(serve=serve)
        self.assertEqual(await peer.call("askBack", {"method": "double", "params": 21}), 42)
        self.assertEqual(await peer.call("askBack", {"method": "wait"}), "waited")
        numbers = await peer.call("askBack", {"method": "count", "params": 30, "stream": True})
        self.assertEqual(numbers, list(range(30)))
        left = await peer.call("askBack", {"method": "count", "params": 10**9, "stream": True, "take": 7})
        self.assertEqual(left, list(range(7)))
        self.assertEqual(await ended, 10**9)
        for asked, code in (
            ({"method": "x"}, "nothing-here"),
            ({"method": "count", "params": 1}, "call-invalid"),
            ({"method": "double", "params": 1, "stream": True}, "call-invalid"),
        ):
            self.assertEqual((await self.failure(peer.call("askBack", asked))).code, code)
        self.assertEqual(await peer.call("askBack", {"method": "rpc.ping"}), None)
        batch = {"methods": ["double", "x"], "calls": [0, 1, 0], "params": [1, None, 2], "stop": False}
        answer = await peer.call("askBack", {"method": "rpc.batch", "params": batch})
        self.assertEqual((answer["results"], answer["errors"][0][0]), ([2, None, 4], 1))
        self.assertEqual(peer.under_way["served"], 0)


class UnixCbor(EveryLink, unittest.IsolatedAsyncioTestCase):
    address, format = SOCKET, "cbor"


class UnixJson(EveryLink, unittest.IsolatedAsyncioTestCase):
    address, format = f"unix:{SOCKET}", "json"


class WebSocketCbor(EveryLink, unittest.IsolatedAsyncioTestCase):
    address, format = URL, "cbor"


class WebSocketJson(EveryLink, unittest.IsolatedAsyncioTestCase):
    address, format = URL, "json"


class Nobody(unittest.IsolatedAsyncioTestCase):
    async def test_who_does_not_answer_is_named(self):
        for address in ("ws://127.0.0.1:1/rpc", "/nowhere/rpc.sock", URL.replace("/rpc", "") + "0/rpc"):
            with self.assertRaises(LabError) as caught:
                await connect(address)
            self.assertIn(caught.exception.code, ("link-unreachable", "address-wrong"))
            self.assertIn(address, caught.exception.message)


if __name__ == "__main__":
    unittest.main()
