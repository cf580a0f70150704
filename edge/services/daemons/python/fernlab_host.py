"""The process of a daemon whose services are in Python 3.9 or later; nothing but the standard library is needed,
and ``cbor2`` is used where it is there.

Invariants: the link is a descriptor that nothing else writes to, whatever a service prints; questions whether the process
is well are answered while methods run; of one object, methods that are not async run one at a time.
"""

import asyncio
import os
import resource
import signal
import socket
import struct
import sys
import threading
import traceback

from fernlab_formats import best_format
from fernlab_hosted import Hosted, ServiceFailure, failure
from fernlab_values import MOST_BYTES, Unwritable, from_wire, to_wire

LINK_FD = 3
PIECE_BYTES = 60_000
MOST_FRAME_BYTES = 3 * 64 * 1024 + 64
MOST_MESSAGE_BYTES = 128 * 1024 * 1024
CLOSE_S = 2
METHOD_UNKNOWN = -32601


class Link:
    """The other end of the node's descriptor: messages of a format, long ones in pieces."""

    def __init__(self, reader, writer, form):
        self.format = form
        self._reader = reader
        self._writer = writer
        self._pieces = {}
        self._last = 0
        # Before Python 3.10 only one may wait for room.
        self._room = asyncio.Lock()

    async def messages(self):
        """Whole messages until the node is gone."""
        while True:
            try:
                (length,) = struct.unpack(">I", await self._reader.readexactly(4))
                if length > MOST_FRAME_BYTES:
                    return
                frame = await self._reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            piece = self.format.take_piece(frame)
            if piece is None:
                yield self.format.read(frame)
                continue
            number, part, is_last = piece
            parts = self._pieces.setdefault(number, bytearray())
            parts += part
            if len(parts) > MOST_MESSAGE_BYTES:
                return
            if is_last:
                yield self.format.read(bytes(self._pieces.pop(number)))

    async def send(self, message):
        """Resolves when it has been taken, or most of it; small messages pass between the pieces of long ones."""
        try:
            data = self.format.write(message)
        except Unwritable as error:
            raise ServiceFailure(error.code, str(error), kind="caller") from error
        if len(data) > MOST_BYTES:
            words = f"the message has {len(data)} bytes, and may have {MOST_BYTES}"
            raise ServiceFailure("message-too-large", words, kind="caller")
        if len(data) <= PIECE_BYTES:
            await self._frame(data)
            return
        self._last += 1
        number = self._last
        for at in range(0, len(data), PIECE_BYTES):
            end = at + PIECE_BYTES
            await self._frame(self.format.piece(number, data[at:end], end >= len(data)))

    async def _frame(self, data):
        self._writer.write(struct.pack(">I", len(data)) + data)
        async with self._room:
            await self._writer.drain()


class Call:
    """One that the node waits for."""

    def __init__(self, credit, number):
        self.up_to = credit
        self.number = number
        self.more = asyncio.Event()
        self.task = None


class Host:
    def __init__(self, link):
        self._link = link
        self._services = {}
        self._calls = {}

    async def run(self):
        async for message in self._link.messages():
            method = message.get("method")
            params = message.get("params") or {}
            if "id" in message:
                call = Call(message.get("credit"), params.get("call"))
                self._calls[message["id"]] = call
                call.task = asyncio.ensure_future(self._answer(message["id"], method, params, call))
            elif method == "rpc.cancel" and params["id"] in self._calls:
                self._calls[params["id"]].task.cancel()
            elif method == "rpc.more" and params["id"] in self._calls:
                call = self._calls[params["id"]]
                call.up_to = max(call.up_to or 0, params["upTo"])
                call.more.set()
            elif method == "host.give-up":
                for call in self._calls.values():
                    if call.number == params["call"]:
                        call.task.cancel()
            elif method == "host.session-ended":
                # After the calls that came before: each has its object once its task has begun.
                asyncio.get_running_loop().call_soon(self._end_session, params["session"])

    def _end_session(self, session):
        for service in self._services.values():
            service.end_session(session)

    async def close(self):
        services = list(self._services.values())
        self._services.clear()
        await asyncio.gather(*(service.close() for service in services))

    async def _answer(self, number, method, params, call):
        try:
            reply = {"id": number, "result": await self._do(number, method, params, call)}
        except asyncio.CancelledError:
            # By this the node knows that it has ended.
            reply = {"id": number, "error": ServiceFailure("call-cancelled", "it was given up", kind="caller").wire()}
        except Exception as error:
            reply = {"id": number, "error": failure(method, error).wire()}
        finally:
            self._calls.pop(number, None)
        try:
            await self._link.send(reply)
        except ServiceFailure as failed:
            await self._link.send({"id": number, "error": failed.wire()})
        except ConnectionError:
            pass  # nobody is there any more to be told

    async def _do(self, number, method, params, call):
        if method == "rpc.ping":
            return None
        if method == "host.load":
            return await self._load(params["services"])
        if method == "host.close":
            return await self.close()
        name, _, member = method.rpartition("/")
        service = self._services.get(name)
        if service is None:
            raise ServiceFailure("method-unknown", f"there is no {method}", kind="caller", number=METHOD_UNKNOWN)
        try:
            given = from_wire(params)
        except (ValueError, KeyError) as error:
            raise ServiceFailure("call-invalid", str(error), kind="caller") from error
        if call.up_to is None:
            return self._to_wire(await service.do(member, given))
        return await self._stream(number, service.items(member, given), call)

    async def _stream(self, number, items, call):
        sent = 0
        try:
            async for item in items:
                params = {"id": number, "from": sent + 1, "items": [self._to_wire(item)]}
                await self._link.send({"method": "rpc.items", "params": params})
                sent += 1
                while sent >= call.up_to:
                    call.more.clear()
                    await call.more.wait()
        finally:
            await items.aclose()
        return sent

    async def _load(self, asked):
        loaded = {}
        for service in asked:
            name = service["name"]
            try:
                hosted = await Hosted.load({**service, "parameters": from_wire(service["parameters"])})
                self._services[name] = hosted
                loaded[name] = {"contract": to_wire(hosted.contract, self._link.format.values)}
            except ServiceFailure as failed:
                loaded[name] = {"error": failed.wire()["data"]}
        return loaded

    def _to_wire(self, value):
        try:
            return to_wire(value, self._link.format.values)
        except Exception as error:
            raise failure("the result", error) from error


async def main():
    link_socket = socket.socket(fileno=LINK_FD)
    link_socket.setblocking(False)
    os.set_inheritable(LINK_FD, False)
    reader, writer = await asyncio.open_connection(sock=link_socket, limit=MOST_FRAME_BYTES)
    form = best_format()
    if form.name == "json":
        words = "arrays travel as JSON, a third longer: cbor2 is not there (Debian: apt-get install python3-cbor2)"
        print(words, file=sys.stderr)
    writer.write(f"fernlab.rpc.1.{form.name}\n".encode("ascii"))
    host = Host(Link(reader, writer, form))
    await host.run()
    try:
        await asyncio.wait_for(host.close(), CLOSE_S)
    except asyncio.TimeoutError:
        print("the services did not close in time", file=sys.stderr)


def keep_to(memory_mb):
    """More memory than this is refused with MemoryError, which its caller is told; the node looks at the whole."""
    limit = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    threading.stack_size(1024 * 1024)
    try:
        # The kernel ends this process before the node, when there is too little memory.
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("500")
    except OSError:
        pass  # not Linux


if __name__ == "__main__":
    # Ctrl-C at the node's terminal is the node's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_to(int(sys.argv[1]))
    try:
        asyncio.run(main())
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    # Methods that never return have threads, for which Python would wait.
    os._exit(0)
