"""A stream that this end receives.

INVARIANTS: items are taken in order, each once; at most ``credit`` of them wait here, and a sender that sends more ends the
stream with an error; leaving the loop by ``aclose`` gives up the stream at the other end.
"""
from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Callable, Deque, List, NamedTuple, Optional

from ..errors import LabError
from .messages import stream_out_of_step


class Place(NamedTuple):
    """Where a stream stands that may be gone on with."""

    token: str
    seen: int


class ReceivedStream:
    """Items by ``async for``; ``aclose`` gives it up."""

    def __init__(
        self,
        more: Callable[[int, int], None],
        cancel: Callable[[], None],
        credit: int,
        place: Optional[Place] = None,
    ) -> None:
        self._more = more
        self._cancel = cancel
        self._credit = credit
        self._items: Deque[Any] = deque()
        self._taker: Optional["asyncio.Future[None]"] = None
        self._seen = place.seen if place else 0
        self._taken = self._seen
        self._told = 0
        self._up_to = self._seen + credit
        self._token = place.token if place else None
        self._is_over = False
        self._error: Optional[LabError] = None

    @property
    def place(self) -> Optional[Place]:
        """Where to go on from on another link; None for a stream that the other end does not keep."""
        return None if self._token is None else Place(self._token, self._seen)

    def __aiter__(self) -> "ReceivedStream":
        return self

    async def __anext__(self) -> Any:
        while not self._items:
            if self._is_over:
                error, self._error = self._error, None
                if error is not None:
                    raise error
                raise StopAsyncIteration
            if self._taker is not None:
                raise LabError("stream-in-use", "the next item of the stream is waited for already")
            self._taker = asyncio.get_running_loop().create_future()
            try:
                await self._taker
            finally:
                self._taker = None
        item = self._items.popleft()
        self._taken += 1
        self._grant()
        return item

    async def aclose(self) -> None:
        self.give_up()

    async def __aenter__(self) -> "ReceivedStream":
        return self

    async def __aexit__(self, *_: Any) -> None:
        self.give_up()

    def give_up(self) -> None:
        was_over = self._is_over
        self._items.clear()
        self.end(None)
        self._error = None
        if not was_over:
            self._cancel()

    def kept_under(self, token: str) -> None:
        self._token = token

    def receive(self, first: int, items: List[Any]) -> None:
        if self._is_over:
            return
        last = first + len(items) - 1
        if first != self._seen + 1 or last > self._up_to:
            self.end(stream_out_of_step(first, last, self._seen + 1, self._up_to))
            self._cancel()
            return
        self._seen = last
        self._items.extend(items)
        self._wake()

    def end(self, error: Optional[LabError]) -> None:
        """No more items come; those that wait are still taken first."""
        if self._is_over:
            return
        self._is_over = True
        self._error = error
        # Whoever sent it keeps it until it is known that all has come.
        if self._token is not None:
            self._more(self._up_to, self._seen)
        self._wake()

    def _wake(self) -> None:
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    def _grant(self) -> None:
        if self._is_over:
            return
        up_to = self._taken + self._credit
        # A sender that keeps items may hold few of them, if they are long: it is told as soon as all were taken.
        is_kept = self._token is not None and self._taken == self._seen and self._told != self._seen
        if not is_kept and up_to - self._up_to < max(1, self._credit / 2):
            return
        self._up_to = up_to
        self._told = self._seen
        self._more(up_to, self._seen)
