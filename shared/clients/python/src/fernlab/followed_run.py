"""What is followed of a run over as many answers of its hub as it takes: its events and its documents. Pure but for the clock.

INVARIANTS: an event or a document is given once and in order, however often the connection breaks.
"""
from __future__ import annotations

import json
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from .errors import LabError

RETRY_S = 1.0
_DOCUMENTS = ("start", "descriptor", "event_page", "resource", "datum", "stop")
FINAL_STATES = ("succeeded", "partial", "failed", "cancelled", "interrupted", "inapplicable")


class Event(NamedTuple):
    """``name`` is ``state``, ``streams``, ``data``, ``progress``, ``wait``, ``outputs`` or, at last, ``end``."""

    name: str
    data: Any


class Patience:
    """How long the hub may be away."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.heard()

    def heard(self) -> None:
        self._until = time.monotonic() + self._seconds

    def bear(self, error: LabError) -> None:
        """Raises it where it stays so, or the hub has been away for too long."""
        may_come_back = error.retry != "never" or (error.kind == "link" and error.code != "unexpected-answer")
        if not may_come_back or time.monotonic() > self._until:
            raise error


class FollowedEvents:
    """Server-sent events."""

    def __init__(self, patience: float) -> None:
        self.patience = Patience(patience)
        self._last: Optional[str] = None
        self.begin()

    def begin(self) -> Dict[str, str]:
        """The headers by which an answer goes on where the one before ended."""
        self._name, self._id = "message", None  # type: Tuple[str, Optional[str]]
        self._data: List[str] = []
        return {} if self._last is None else {"last-event-id": self._last}

    def take(self, line: str) -> Optional[Event]:
        """The event that the line ends, if it ends one."""
        self.patience.heard()
        if line == "":
            name, data = self._name, self._data
            self._name, self._data = "message", []
            if not data:
                return None
            self._last = self._id or self._last
            return Event(name, _json("\n".join(data)))
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "event":
            self._name = value
        elif field == "id":
            self._id = value
        elif field == "data":
            self._data.append(value)
        return None


class FollowedDocuments:
    """Documents of an attempt, and where none is named of those that begin meanwhile."""

    def __init__(self, attempt: Optional[int], follow: bool, patience: float) -> None:
        self.patience = Patience(patience)
        self.is_over = False
        self._asked = attempt
        self._attempt = attempt
        self._follow = follow
        self._taken = 0

    @property
    def wants_run(self) -> bool:
        """Whether ``begin`` is to be told how the run stands before documents are asked for."""
        return self._attempt is None

    def begin(self, run: Mapping[str, Any]) -> None:
        # Of one that is over, the hub knows the last attempt that has any.
        if run["state"] not in FINAL_STATES:
            self._attempt = run["attempt"]

    @property
    def query(self) -> Dict[str, Any]:
        """By which an answer goes on where the one before ended."""
        return {"attempt": self._attempt, "follow": "true" if self._follow else "false", "skip": self._taken}

    def take(self, line: str) -> Optional[Tuple[str, Dict[str, Any]]]:
        """The document; None for one of a kind that this client does not know: later hubs may have more."""
        self.patience.heard()
        if not line:
            return None
        read = _json(line)
        if not isinstance(read, dict) or not isinstance(read.get("name"), str) or not isinstance(read.get("doc"), dict):
            raise LabError("unexpected-answer", "the hub gave what is no document of a run", kind="link")
        self._taken += 1
        return (read["name"], read["doc"]) if read["name"] in _DOCUMENTS else None

    def ended(self, run: Mapping[str, Any]) -> float:
        """The answer is over, and the run stands so: after how many seconds it is asked again, unless ``is_over``."""
        if not self._follow:
            self.is_over = True
        elif self._asked is None and self._attempt is not None and run["attempt"] > self._attempt:
            self._attempt += 1
            self._taken = 0
            return 0
        elif run["state"] in FINAL_STATES or run["attempt"] > (self._attempt or run["attempt"]):
            self.is_over = True
        return RETRY_S


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise LabError("unexpected-answer", "the hub answered what is no JSON", kind="link") from error
