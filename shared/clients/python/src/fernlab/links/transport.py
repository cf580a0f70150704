"""What a link over bytes has in common: room to send, an end that is told once, closing within a second."""
from __future__ import annotations

import asyncio
from typing import List, Optional

from ..errors import LabError, as_lab_error, link_ended
from ..rpc.formats import Format, Frame
from ..rpc.limits import HIGH_WATER_BYTES
from ..rpc.link import Link, Listener

CLOSE_S = 1.0


class TransportLink(Link, asyncio.Protocol):
    """A link over a transport of asyncio; who derives says what bytes mean."""

    def __init__(self, format: Format) -> None:
        self.format = format
        self._loop = asyncio.get_running_loop()
        self._transport: Optional[asyncio.Transport] = None
        self._listener: Optional[Listener] = None
        self._early: List[Frame] = []
        self._why: Optional[str] = None
        self._is_lost = False
        self._is_ended = False
        self._lost = self._loop.create_future()

    def take_bytes(self, data: bytes) -> None:
        """Takes what came; raises when it is no message of the link."""
        raise NotImplementedError

    def say_goodbye(self, why: str) -> None:
        """Sends the end of what is said, if there is a form for it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES, low=HIGH_WATER_BYTES // 2)

    def data_received(self, data: bytes) -> None:
        if self._is_ended:
            return
        try:
            self.take_bytes(data)
        except Exception as error:
            self.abort(as_lab_error(error).message)

    def resume_writing(self) -> None:
        if self._listener is not None and not self._is_ended:
            self._listener.drained()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        if self._why is None:
            self._why = str(exc) if exc is not None else "the other end closed it"
        self._is_lost = True
        if not self._lost.done():
            self._lost.set_result(None)
        self._end()

    @property
    def pending_bytes(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def listen(self, listener: Listener) -> None:
        self._listener = listener
        self._loop.call_soon(self._begin)

    async def close(self, why: str = "it was closed") -> None:
        if self._is_lost or self._transport is None:
            return
        if self._why is None:
            self._why = why
            self.say_goodbye(why)
        done, _ = await asyncio.wait([self._lost], timeout=CLOSE_S)
        if not done:
            self._transport.abort()
            await self._lost

    def abort(self, why: str) -> None:
        if self._why is None:
            self._why = why
        if self._transport is not None:
            self._transport.abort()

    def give(self, frame: Frame) -> None:
        """Hands a whole frame on."""
        if self._listener is None or self._early:
            self._early.append(frame)
        elif not self._is_ended:
            self._listener.frame(frame)

    @property
    def ended_because(self) -> LabError:
        return link_ended(self._why or "the connection broke")

    def _begin(self) -> None:
        assert self._listener is not None
        early, self._early = self._early, []
        for frame in early:
            if not self._is_ended:
                self._listener.frame(frame)
        if self._is_lost:
            self._end()

    def _end(self) -> None:
        if self._is_ended or self._listener is None:
            return
        self._is_ended = True
        self._listener.ended(self.ended_because)
