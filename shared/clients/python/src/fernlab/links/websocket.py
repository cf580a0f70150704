"""A link over a WebSocket: JSON in text messages, CBOR in binary ones. The protocol is that of ``websockets``, by its part
without input and output, which is the same in all its versions; the connection is one of asyncio, so that sending waits for
nothing."""
from __future__ import annotations

import asyncio
import ssl as tls
from typing import Any, List, Mapping, Optional

from websockets import client as websockets_client
from websockets.frames import Opcode
from websockets.uri import parse_uri

from ..errors import LabError, unreachable, unreadable
from ..rpc.formats import Format, Frame, format_named
from ..rpc.limits import DEFAULT_LIMITS
from .transport import TransportLink

# Its name before version 11.
_Protocol = getattr(websockets_client, "ClientProtocol", None) or websockets_client.ClientConnection
_NORMAL = 1000
_LONGEST_REASON = 40
CONNECT_S = 10.0


class WebSocketLink(TransportLink):
    kind = "websocket"

    def __init__(self, format: Format, protocol: Any, headers: Mapping[str, str]) -> None:
        super().__init__(format)
        self._protocol = protocol
        self._headers = headers
        self._parts: List[bytes] = []
        self._parts_bytes = 0
        #: Done when the other end has taken the connection, or has not.
        self.opened = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        request = self._protocol.connect()
        for name, value in self._headers.items():
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        if not self.opened.done():
            failure = getattr(self._protocol, "handshake_exc", None)
            self.opened.set_exception(failure or exc or ConnectionError("it closed the connection"))
        super().connection_lost(exc)

    def send(self, frame: Frame) -> None:
        if self._transport is None or self._transport.is_closing() or self._why is not None:
            return
        if isinstance(frame, str):
            self._protocol.send_text(frame.encode())
        else:
            self._protocol.send_binary(frame)
        self._flush()

    def take_bytes(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._flush()
        for event in self._protocol.events_received():
            self._take_event(event)
        if self._protocol.close_expected() and self._transport is not None:
            self._note_close()
            self._transport.close()

    def eof_received(self) -> bool:
        try:
            self._protocol.receive_eof()
        except Exception as error:  # before the connection was taken it is no end that the protocol knows
            self.abort(str(error) or "the other end closed it")
        self._note_close()
        return False

    def say_goodbye(self, why: str) -> None:
        # Once closing has begun the protocol has sent all that it has to.
        try:
            self._protocol.send_close(_NORMAL, why[:_LONGEST_REASON])
        except Exception:
            self.abort(why)
            return
        self._flush()

    def _take_event(self, event: Any) -> None:
        opcode = getattr(event, "opcode", None)
        if opcode is None:
            self._take_handshake(event)
        elif opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._take_frame(event)

    def _take_handshake(self, _response: Any) -> None:
        if self.opened.done():
            return
        failure = getattr(self._protocol, "handshake_exc", None)
        if failure is None:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(failure)

    def _take_frame(self, frame: Any) -> None:
        if frame.opcode is not Opcode.CONT:
            is_text = frame.opcode is Opcode.TEXT
            if is_text != (self.format.name == "json"):
                # The peer counts what it can't read.
                self.give(b"" if self.format.name == "cbor" else "\0")
                self._parts, self._parts_bytes = [], 0
                return
        self._parts_bytes += len(frame.data)
        if self._parts_bytes > DEFAULT_LIMITS.message_bytes:
            raise unreadable("a message of the WebSocket is too long")
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts, self._parts_bytes = [], 0
        self.give(data.decode("utf-8", "replace") if self.format.name == "json" else data)

    def _note_close(self) -> None:
        if self._why is None:
            code = getattr(self._protocol, "close_code", None)
            reason = getattr(self._protocol, "close_reason", None)
            self._why = reason or (f"the other end closed it with code {code}" if code else "the connection broke")

    def _flush(self) -> None:
        assert self._transport is not None
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()


async def connect_websocket(
    url: str,
    format: str = "cbor",
    ca: Optional[str] = None,
    timeout: float = CONNECT_S,
    headers: Optional[Mapping[str, str]] = None,
) -> WebSocketLink:
    """Connects to ``ws://`` or ``wss://``; ``ca`` is a file with an authority to trust besides the system's, ``headers`` go
    with the request. Raises ``link-unreachable``."""
    try:
        uri = parse_uri(url)
    except Exception as error:
        raise LabError("address-wrong", f"{url!r} is no address of a WebSocket: {error}") from None
    chosen = format_named(format)
    subprotocol = f"fernlab.rpc.1.{format}"
    protocol = _Protocol(uri, subprotocols=[subprotocol], max_size=DEFAULT_LIMITS.message_bytes)
    link = WebSocketLink(chosen, protocol, headers or {})
    # Who gives up waiting never looks at it.
    link.opened.add_done_callback(lambda future: future.cancelled() or future.exception())
    try:
        await asyncio.wait_for(_open(link, uri, tls_context(ca) if uri.secure else None), timeout)
    except asyncio.TimeoutError:
        link.abort("nobody answered")
        raise unreachable(url, f"no answer in {timeout:g} s") from None
    except LabError:
        raise
    except Exception as error:
        link.abort("it was refused")
        raise unreachable(url, error) from error
    if protocol.subprotocol != subprotocol:
        link.abort("the ends agreed on no format")
        raise unreachable(url, f"it does not speak {subprotocol}")
    return link


async def _open(link: WebSocketLink, uri: Any, context: Optional[tls.SSLContext]) -> None:
    loop = asyncio.get_running_loop()
    name = {} if context is None else {"server_hostname": uri.host, "ssl_handshake_timeout": CONNECT_S}
    await loop.create_connection(lambda: link, uri.host, uri.port, ssl=context, **name)
    await link.opened


def tls_context(ca: Optional[str]) -> tls.SSLContext:
    context = tls.create_default_context()
    if ca is not None:
        context.load_verify_locations(cafile=ca)
    return context
