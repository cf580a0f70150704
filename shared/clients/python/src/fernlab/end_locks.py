"""Ending locks, those of others too: no other than was meant, at nodes of earlier versions as well."""
from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from .directory import AsyncDirectory
from .errors import LabError
from .lab import Group
from .watch_locks import node_locks


class Ending(NamedTuple):
    """A service whose lock is to end."""

    name: str
    group: Group
    #: Since when the lock is that is meant, RFC 3339; None for whichever there is.
    seen: Optional[str] = None


async def end_locks(ending: Sequence[Ending], reason: Optional[str]) -> None:
    """Ends locks of the same person, of whatever program; for a reason and with the right to, those of others.

    Benches one after another, then the services of each node together; raises ``hold-changed`` where one is locked since
    another time than was seen, which says who has it now, and ends nothing from there on.
    """
    for one in ending:
        if one.seen is not None:
            _instant(one.seen)
    groups = {id(one.group): one.group for one in ending}
    held = {key: group for key, group in groups.items() if group.bench and isinstance(group.directory, AsyncDirectory)}
    seen = {key: _seen_of_bench(group, ending) for key, group in held.items()}
    for key, group in held.items():
        if isinstance(group.directory, AsyncDirectory) and group.bench is not None:
            await group.directory.release(group.bench, None, reason or None, seen[key])
    for key, group in groups.items():
        if key not in held:
            await _end_at_node(group, [one for one in ending if one.group is group], reason)


def _seen_of_bench(group: Group, ending: Sequence[Ending]) -> Optional[str]:
    """As a part of it says; raises where two parts say two times."""
    said = [one.seen for one in ending if one.group is group and one.seen is not None]
    if len({_instant(since) for since in said}) > 1:
        times = " or since ".join(sorted(set(said)))
        raise LabError("call-invalid", f"seen: {group.bench} is held since {times}, not both: no hold was ended")
    return said[0] if said else None


async def _end_at_node(group: Group, ending: Sequence[Ending], reason: Optional[str]) -> None:
    connection = group.connection
    services = list(dict.fromkeys(one.name for one in ending))
    seen = [{"service": one.name, "since": one.seen} for one in ending if one.seen is not None]
    params: Dict[str, Any] = {"services": services, **({"reason": reason} if reason else {})}
    if seen:
        if (await node_locks(connection)).takes_seen:
            params["seen"] = seen
        else:
            # A node of an earlier version ends whatever there is: it is compared here, right before.
            _require_seen(seen, await connection.call("node/locks", idempotent=True))
    await connection.call("node/unlock", params)


def _require_seen(seen: List[Dict[str, Any]], told: Any) -> None:
    """Raises where one is locked since another time; that one is locked no more is for the node to say."""
    listed = told if isinstance(told, list) else []
    locks = {one.get("service"): one.get("lock") for one in listed if isinstance(one, dict)}
    for one in seen:
        lock = locks.get(one["service"])
        if not isinstance(lock, dict) or _instant(str(lock.get("since"))) == _instant(one["since"]):
            continue
        since, owner = lock.get("since"), lock.get("owner")
        message = f"no lock was ended: {one['service']} is locked by {owner or 'somebody else'} since {since}"
        details = {"since": since, **({"owner": owner} if isinstance(owner, str) else {})}
        raise LabError("hold-changed", f"{message}, which is another lock than was meant", details=details)


# Python before 3.11 reads three or six digits of a second alone.
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


def _instant(since: str) -> datetime:
    found = _TIME.fullmatch(since)
    if found is None:
        raise LabError("call-invalid", f'seen: "{since}" is no time such as 2026-11-28T16:00:00.000Z')
    seconds, digits, zone = found.groups()
    return datetime.fromisoformat(f"{seconds}.{(digits or '').ljust(6, '0')[:6]}{zone.replace('Z', '+00:00')}")
