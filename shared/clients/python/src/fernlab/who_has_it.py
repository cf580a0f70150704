"""Whose it is that a node refuses: a node with a hub knows people by their ids, and the directory says as much as the asker
may know."""
from __future__ import annotations

from typing import Any, Dict, Tuple, Union

from .directory import AsyncDirectory
from .errors import LabError
from .nodes_directory import NodesDirectory

_LOCKED = "service-locked"
_CODES = (_LOCKED, "bench-held", "bench-busy")


class WhoHasIt:
    """Asks for it once for each that has it, however often that refuses."""

    def __init__(self, directory: Union[AsyncDirectory, NodesDirectory]) -> None:
        self._directory = directory
        #: By service, since when it is had and by whom.
        self._told: Dict[str, Tuple[Any, Any]] = {}

    async def amended(self, error: LabError, service: str) -> LabError:
        """The error to tell; ``service`` is ``<node>/<service>``."""
        since = error.details.get("since")
        is_known = since is None or bool(error.details.get("run")) or bool(error.details.get("mine"))
        if error.code not in _CODES or is_known or not isinstance(self._directory, AsyncDirectory):
            return error
        if self._told.get(service, (None, None))[0] != since:
            # Of a hub that is away, or has not heard of it yet, nothing is known: what the node says stands.
            try:
                said = (await self._directory.get(service)).get("lockedBy")
            except LabError:
                return error
            # Of a bench its hub is the first to know.
            if not isinstance(said, dict) or (error.code == _LOCKED and said.get("since") != since):
                return error
            self._told[service] = since, said
        return with_who(error, service, self._told[service][1])


def with_who(error: LabError, service: str, locked_by: Any) -> LabError:
    """The error with who has it, since when and what for; as it is where the directory says no more than that it is had."""
    said = locked_by if isinstance(locked_by, dict) else {}
    person, is_mine, reason, since = (said.get(key) for key in ("person", "mine", "reason", "since"))
    name = person.get("name") if isinstance(person, dict) else None
    if name is None and is_mine is not True:
        return error
    who = "you have it in another program or page," if is_mine is True else f"{name} has it"
    then = "give it back there" if is_mine is True else "wait until it is given back"
    why = "" if reason is None else f" ({reason})"
    state = "locked" if error.code == _LOCKED else "in use"
    told = {"since": since, "mine": is_mine, "by": name, "reason": reason}
    details = {**error.details, **{key: value for key, value in told.items() if value is not None}}
    message = f"{service} is {state}: {who} since {since}{why}; {then}"
    return LabError(error.code, message, kind=error.kind, retry=error.retry, details=details)
