"""Hears from a node which locks of a program have ended, and why."""
from __future__ import annotations

import asyncio
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence, Set

from .connection import Connection
from .errors import LabError

_FIRST_WAIT_S, _LAST_WAIT_S = 0.1, 2.0


class NodeLocks(NamedTuple):
    """What a node can do with locks: those of earlier versions refuse what they do not know."""

    #: A taking has an id, and ends by it alone.
    takes_id: bool
    #: Whoever waits is told how a lock has ended.
    tells: bool
    #: And, where that is asked by the id, how that taking has.
    tells_each: bool
    #: Whoever ends a lock may say since when that is which is meant.
    takes_seen: bool


async def node_locks(connection: Connection) -> NodeLocks:
    """As the contract of the node itself says."""
    contract = await connection.call("node/contract.get", idempotent=True)
    lock, lost, unlock = (_arguments(contract, name) for name in ("lock", "lost", "unlock"))
    return NodeLocks("id" in (lock or {}), lost is not None, "id" in (lost or {}), "seen" in (unlock or {}))


def _arguments(contract: Any, name: str) -> Optional[Dict[str, Any]]:
    """None where it has no such action."""
    actions = contract.get("actions") if isinstance(contract, dict) else None
    action = actions.get(name) if isinstance(actions, dict) else None
    if not isinstance(action, dict):
        return None
    given = action.get("arguments")
    return given if isinstance(given, dict) else {}


async def watch_locks(
    connection: Connection,
    services: Sequence[str],
    taking: Optional[str],
    gone: Set[str],
    lost: Callable[[LabError], None],
) -> None:
    """Puts the names of those that have ended in ``gone``, and tells of each, until all have, or the connection is closed.

    ``taking`` is the id by which they were locked, None at a node that takes none. They are asked for over each link anew, so
    that it hears also of what ended while no way led there.
    """
    closes, wait_s = connection.closes, _FIRST_WAIT_S
    while closes == connection.closes:
        left = [name for name in services if name not in gone]
        named = {} if taking is None else {"id": taking}
        items: Any = connection.stream("node/lost", {"services": left, **named})
        try:
            async for item in items:
                wait_s = _FIRST_WAIT_S
                ended = _ended(item)
                gone.add(ended.details["service"])
                lost(ended)
            if gone.issuperset(services):
                return
        except LabError as error:
            if closes != connection.closes:
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
