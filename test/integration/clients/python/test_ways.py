"""Which way is taken to a node, and what becomes of a call when it breaks."""
import asyncio
import os
import unittest
from unittest import mock

from fernlab import LabError
from fernlab.connection import Connection
from fernlab.errors import unreachable
from fernlab.links.unix_socket import connect_unix_socket
from fernlab.links.websocket import connect_websocket
from fernlab.ways.access import Access
from fernlab.ways.way import Way

URL, SOCKET, TOKEN = os.environ["FERNLAB_URL"], os.environ["FERNLAB_SOCKET"], os.environ["FERNLAB_TOKEN"]


class Tried(Way):
    """A real link at each address ``<kind>:<name>``; one is down, one silent, one far away."""

    def __init__(self, kind, down=()):
        self.kind, self.asked, self.links, self.down = kind, [], {}, down

    def takes(self, address):
        return address.startswith(f"{self.kind}:")

    async def connect(self, address):
        self.asked.append(address)
        if address in self.down:
            raise unreachable(address, "refused")
        if address.endswith("silent"):
            await asyncio.get_running_loop().create_future()
        link = await (connect_unix_socket(SOCKET) if self.kind == "unix-socket" else connect_websocket(URL))
        if address.endswith("far"):
            send = link.send
            link.send = lambda frame: asyncio.get_running_loop().call_later(0.3, send, frame)
        self.links[address] = link
        return link


class Ways(unittest.IsolatedAsyncioTestCase):
    async def reach(self, addresses, down=()):
        ways = [Tried(kind, down) for kind in ("mqtt", "websocket", "unix-socket")]

        async def access():
            return Access(addresses, TOKEN)

        connection = Connection("pi", access, ways)
        self.addAsyncCleanup(connection.close)
        await connection.reach()
        self.assertEqual(await connection.call("echo", 5), 5)
        asked = [address for way in reversed(ways) for address in way.asked]
        return connection, asked, {address: link for way in ways for address, link in way.links.items()}

    async def test_the_nearest_is_taken_and_no_other_opened(self):
        connection, asked, _ = await self.reach(["mqtt:a", "websocket:a", "unix-socket:a"])
        self.assertEqual(asked, ["unix-socket:a"])
        self.assertEqual((connection.way.kind, connection.way.address), ("unix-socket", "unix-socket:a"))
        self.assertGreater(connection.way.round_trip_ms, 0)

    async def test_a_further_one_where_the_nearer_refuses_or_is_silent(self):
        connection, asked, _ = await self.reach(["mqtt:a", "websocket:a", "unix-socket:a"], ["unix-socket:a"])
        self.assertEqual((connection.way.address, asked), ("websocket:a", ["unix-socket:a", "websocket:a"]))
        connection, asked, _ = await self.reach(["mqtt:a", "websocket:silent"])
        self.assertEqual((connection.way.address, asked), ("mqtt:a", ["websocket:silent", "mqtt:a"]))

    async def test_the_quicker_of_two_of_a_kind_and_the_other_is_closed(self):
        connection, _, links = await self.reach(["websocket:far", "websocket:near"])
        self.assertEqual(connection.way.address, "websocket:near")
        self.assertTrue(links["websocket:far"]._transport.is_closing())

    async def test_a_call_is_repeated_where_it_may_be_and_else_uncertain(self):
        down = []
        connection, _, _ = await self.reach(["websocket:a", "unix-socket:a"], down)
        down.append("unix-socket:a")
        for idempotent in (False, True):
            peer = connection._peer
            call = asyncio.ensure_future(connection.call("echo", 6, idempotent=idempotent))
            await asyncio.sleep(0)
            peer.link.abort("the wire broke")
            if idempotent:
                self.assertEqual(await call, 6)
            else:
                with self.assertRaises(LabError) as caught:
                    await call
                self.assertEqual(caught.exception.code, "call-uncertain")
            self.assertEqual(await connection.call("echo", 7), 7)
            self.assertEqual(connection.way.kind, "websocket")

    async def test_a_node_that_is_away_is_not_waited_for_but_one_whose_link_breaks_is(self):
        down, since = ["unix-socket:a"], "2026-11-28T10:00:00.000Z"
        ways = [Tried("unix-socket", down)]

        async def access():
            return Access(["unix-socket:a"], TOKEN, gone_since=since)

        connection = Connection("pi", access, ways)
        self.addAsyncCleanup(connection.close)
        with mock.patch("fernlab.connection._GONE_S", 0.5):
            with self.assertRaises(LabError) as caught:
                await asyncio.wait_for(connection.call("echo", 5), 5)
            self.assertEqual(caught.exception.code, "node-unreachable")
            said = f"pi, which its hub has not heard of since {since}, can't be reached (unix-socket:a: "
            self.assertTrue(str(caught.exception).startswith(said), str(caught.exception))
            down.clear()
            self.assertEqual(await connection.call("echo", 5), 5)
            down.append("unix-socket:a")
            connection._peer.link.abort("the wire broke")
            asyncio.get_running_loop().call_later(1.5, down.clear)
            self.assertEqual(await connection.call("echo", 6, idempotent=True), 6)

    async def test_what_leads_nowhere_is_named(self):
        with self.assertRaises(LabError) as caught:
            await self.reach(["peer-hub:x", "mqtt:a"], ["mqtt:a"])
        self.assertEqual(caught.exception.code, "node-unreachable")
        self.assertEqual([issue["path"] for issue in caught.exception.issues], ["peer-hub:x", "mqtt:a"])


if __name__ == "__main__":
    unittest.main()
