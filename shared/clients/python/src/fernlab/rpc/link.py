"""The Link port: one connection that carries frames both ways, whole and in order, until it ends.

INVARIANTS: ``frame`` is never called before ``listen``, within ``send``, or after ``ended``; ``ended`` is called exactly
once, whichever end closed it; ``send`` after that does nothing; ``close`` is idempotent and bounded.
"""
from __future__ import annotations

from typing import Callable, NamedTuple

from ..errors import LabError
from .formats import Format, Frame


class Listener(NamedTuple):
    frame: Callable[[Frame], None]
    #: What waited to be sent has gone, or most of it.
    drained: Callable[[], None]
    ended: Callable[[LabError], None]


class Link:
    #: ``unix-socket`` or ``websocket``.
    kind: str
    #: Both ends agreed on it when they connected.
    format: Format

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait in this process to be sent."""
        raise NotImplementedError

    def send(self, frame: Frame) -> None:
        raise NotImplementedError

    def listen(self, listener: Listener) -> None:
        raise NotImplementedError

    def abort(self, why: str) -> None:
        """Ends it at once, whatever waits to be sent."""
        raise NotImplementedError

    async def close(self, why: str = "it was closed") -> None:
        """What was sent before still goes, as far as the other end takes it within a second."""
        raise NotImplementedError
