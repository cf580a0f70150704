"""Hears from a node which locks of a program have ended, and why."""
from __future__ import annotations

import asyncio
from typing import Any, Callable, Sequence, Set

from .connection import Connection
from .errors import LabError

_FIRST_WAIT_S, _LAST_WAIT_S = 0.1, 2.0


async def watch_locks(
    connection: Connection, services: Sequence[str], taking: str, gone: Set[str], lost: Callable[[LabError], None]
) -> None:
    """Puts the names of those that have ended in ``gone``, and tells of each, until all have, or the connection is closed.

    ``taking`` is the id by which they were locked. They are asked for over each link anew, so that it hears
    also of what ended while no way led there.
    """
    closes, wait_s = connection.closes, _FIRST_WAIT_S
    while closes == connection.closes:
        left = [name for name in services if name not in gone]
        items: Any = connection.stream("node/lost", {"services": left, "id": taking})
        try:
            async for item in items:
                wait_s = _FIRST_WAIT_S
                ended = _ended(item)
                gone.add(ended.details["service"])
                lost(ended)
            if gone.issuperset(services):
                return
        except LabError as error:
            # One of an earlier version does not tell.
            if error.code == "method-unknown" or closes != connection.closes:
                return
            # What opened the node is no more, and the lock with it.
            if error.kind == "caller" and error.retry == "never":
                gone.update(left)
                lost(error)
                return
        finally:
            await items.aclose()
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, _LAST_WAIT_S)


def _ended(item: Any) -> LabError:
    said = item if isinstance(item, dict) else {}
    service, why, message = (said.get(key) for key in ("service", "why", "message"))
    if not isinstance(service, str) or not isinstance(why, str) or not isinstance(message, str):
        raise LabError("unexpected-answer", "the node said what is no end of a lock", kind="link", retry="later")
    # Of one that somebody else has ended, who it was, where that is told, and what they said.
    told = {key: said[key] for key in ("by", "reason") if isinstance(said.get(key), str)}
    return LabError("lock-ended", message, details={"service": service, "why": why, **told})
