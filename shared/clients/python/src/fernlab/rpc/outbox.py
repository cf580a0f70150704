"""What one end sends: small messages at once, long ones in pieces between them.

INVARIANTS: messages of one call keep their order; of long messages of several calls each in turn sends one piece; no piece
is given to a link that has more than HIGH_WATER_BYTES to send; what waits here is at most ``pending_bytes``.
"""
from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Deque, Dict, List, Optional, Tuple, Union

from ..errors import busy
from .formats import Frame
from .limits import HIGH_WATER_BYTES, PIECE_BYTES, Limits
from .link import Link
from .messages import CallId
from .pieces import Pieces, frame_bytes
from .values import Keep

#: Which call a message is of: asked by this end, or by the other.
OURS, THEIRS = "ours", "theirs"
_Key = Tuple[str, Optional[CallId]]


class Outbox:
    def __init__(self, link: Link, limits: Limits) -> None:
        self._link = link
        self._limits = limits
        self._queues: Dict[_Key, Deque[Union[Frame, Pieces]]] = {}
        self._waiting: List["asyncio.Future[None]"] = []
        self._queued_bytes = 0
        self._numbers = 0
        self._ended = False
        #: It goes on in the next turn of the loop.
        self._is_paused = False

    def send(self, message: Dict[str, Any], side: str, call: Optional[CallId], keep: Optional[Keep] = None) -> None:
        """Raises ``value-unwritable``, ``message-too-large`` or ``link-busy``, and has sent nothing then."""
        frame = self._link.format.write(message, self._limits, keep)
        size = frame_bytes(frame)
        self._require_room(size)
        queue = self._queues.get((side, call))
        if queue is None and size <= PIECE_BYTES:
            self._link.send(frame)
            return
        self._queued_bytes += size
        self._numbers += 1
        entry = frame if size <= PIECE_BYTES else Pieces(frame, self._numbers)
        if queue is None:
            self._queues[(side, call)] = deque([entry])
        else:
            queue.append(entry)
        self._pump()

    def is_sent(self, call: CallId) -> bool:
        """Whether all of the call's request has been given to the link."""
        return (OURS, call) not in self._queues

    @property
    def has_room(self) -> bool:
        return self._queued_bytes + self._link.pending_bytes <= HIGH_WATER_BYTES

    async def room(self) -> None:
        """Returns when there is room for a stream's next item, or when the link has ended."""
        while not self._ended and not self.has_room:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting

    def drained(self) -> None:
        self._pump()
        if self.has_room:
            self._wake()

    def end(self) -> None:
        self._ended = True
        self._queues.clear()
        self._queued_bytes = 0
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _require_room(self, size: int) -> None:
        waiting = self._queued_bytes + self._link.pending_bytes
        most = self._limits.pending_bytes
        if 0 < waiting and waiting + size > most:
            raise busy(
                f"{waiting} bytes wait to be sent already, and at most {most} may: the other end does not take them"
            )

    def _pump(self) -> None:
        if self._is_paused:
            return
        sent = 0
        while self._queues and not self._ended:
            for key in list(self._queues):
                if self._link.pending_bytes > HIGH_WATER_BYTES or self._ended:
                    return
                if sent > HIGH_WATER_BYTES:
                    # The system may take any number at once: small messages of this turn go before the rest.
                    self._is_paused = True
                    asyncio.get_running_loop().call_soon(self._go_on)
                    return
                sent += self._send_next(key)

    def _go_on(self) -> None:
        self._is_paused = False
        self.drained()

    def _send_next(self, key: _Key) -> int:
        queue = self._queues[key]
        first = queue[0]
        if isinstance(first, Pieces):
            frame = first.next()
            size, is_done = first.last_bytes, first.is_done
        else:
            frame, size, is_done = first, frame_bytes(first), True
        self._queued_bytes -= size
        if is_done:
            queue.popleft()
        if not queue:
            del self._queues[key]
        self._link.send(frame)
        return size
