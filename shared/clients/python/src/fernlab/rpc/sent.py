"""A stream that this end sends, item by item as its source gives them and the receiver has room.

INVARIANTS: the source is asked only while there is credit and room on the link; it is closed however the stream ends.
"""
from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator, Optional

from ..errors import as_lab_error, wire_error
from .limits import Limits
from .messages import ITEMS, CallId
from .outbox import THEIRS, Outbox


class SentStream:
    def __init__(self, call: CallId, source: AsyncIterator[Any], credit: int, outbox: Outbox, limits: Limits) -> None:
        self._call = call
        self._source = source
        self._up_to = credit
        self._outbox = outbox
        self._limits = limits
        self._sent = 0
        self._wake: Optional["asyncio.Future[None]"] = None

    def more(self, up_to: int) -> None:
        self._up_to = min(max(self._up_to, up_to), self._sent + self._limits.stream_items)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def run(self) -> None:
        """Sends until the source ends, fails, or the task is cancelled; says the end to the receiver in the first two."""
        call, outbox = self._call, self._outbox
        try:
            try:
                await self._send_all()
                answer = {"id": call, "result": {"items": self._sent}}
            except Exception as error:
                answer = {"id": call, "error": wire_error(as_lab_error(error))}
            outbox.send(answer, THEIRS, call)
        finally:
            close = getattr(self._source, "aclose", None)
            if close is not None:
                await close()

    async def _send_all(self) -> None:
        while True:
            while self._sent >= self._up_to:
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake
                self._wake = None
            if not self._outbox.has_room:
                await self._outbox.room()
            try:
                item = await self._source.__anext__()
            except StopAsyncIteration:
                return
            params = {"id": self._call, "from": self._sent + 1, "items": [item]}
            self._outbox.send({"method": ITEMS, "params": params}, THEIRS, self._call)
            self._sent += 1
