"""Experiments: a run is submitted to the hub, followed while it goes on, and its documents come as dicts."""
from __future__ import annotations

import json
import time
import uuid
from typing import Any, Dict, Iterator, Mapping, NamedTuple, Optional, Tuple, Union

from .errors import LabError
from .hub import Hub, path_of

_RETRY_S = 1.0


class Event(NamedTuple):
    """``name`` is ``state``, ``streams``, ``data``, ``progress``, ``wait``, ``outputs`` or, at last, ``end``."""

    name: str
    data: Any


class Run:
    """A run of a hub; ``Run(id)`` for one that is there already."""

    def __init__(
        self,
        id: str,
        hub: Union[str, Hub, None] = None,
        token: Optional[str] = None,
        ca: Optional[str] = None,
    ) -> None:
        self.id = id
        self._hub = hub if isinstance(hub, Hub) else Hub(hub, token, ca)

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    def get(self) -> Dict[str, Any]:
        """How it stands: ``state``, ``outputs``, times, who."""
        return self._hub.ask_now("GET", path_of("runs", self.id))

    def cancel(self) -> None:
        self._hub.ask_now("POST", path_of("runs", self.id, "cancel"))

    def events(self, patience: float = 60.0) -> Iterator[Event]:
        """What happens, from its beginning to its end, while it happens.

        Goes on without a gap when the hub is away for a while; raises ``hub-unreachable`` after ``patience`` seconds of it.
        """
        last: Optional[str] = None
        until = time.monotonic() + patience
        while True:
            headers = {} if last is None else {"last-event-id": last}
            try:
                for event_id, event in read_events(self._hub.lines(path_of("runs", self.id, "events"), None, headers)):
                    until = time.monotonic() + patience
                    last = event_id or last
                    yield event
                    if event.name == "end":
                        return
            except LabError as error:
                if error.kind != "link" or time.monotonic() > until:
                    raise
            time.sleep(_RETRY_S)

    def wait(self, patience: float = 60.0) -> Dict[str, Any]:
        """Waits for its end, and returns the run."""
        for event in self.events(patience):
            if event.name == "end":
                break
        return self.get()

    def documents(self, attempt: Optional[int] = None) -> Iterator[Tuple[str, Dict[str, Any]]]:
        """Those that there are, as ``(name, doc)`` of the Bluesky event model: ``start``, ``descriptor``, ``event_page`` …"""
        for line in self._hub.lines(path_of("runs", self.id, "documents"), {"attempt": attempt}):
            if line:
                read = _json(line)
                yield read["name"], read["doc"]

    def data(self, stream: Optional[str] = None, attempt: Optional[int] = None) -> Dict[str, Any]:
        """A stream in columns."""
        return self._hub.ask_now("GET", path_of("runs", self.id, "data.json"), {"stream": stream, "attempt": attempt})


def submit(
    lab: str,
    protocol: str,
    parameters: Optional[Mapping[str, Any]] = None,
    *,
    bench: Optional[str] = None,
    note: Optional[str] = None,
    hub: Union[str, Hub, None] = None,
    token: Optional[str] = None,
    ca: Optional[str] = None,
) -> Run:
    """Submits a run of a lab's protocol: ``fernlab.submit("diode-iv", "sweep", {"points": 40}).wait()``."""
    asked = hub if isinstance(hub, Hub) else Hub(hub, token, ca)
    body = {"lab": lab, "protocol": protocol, "parameters": dict(parameters or {}), "bench": bench, "note": note}
    body = {key: value for key, value in body.items() if value is not None}
    # Where the answer is lost, the same run is answered again.
    headers = {"idempotency-key": str(uuid.uuid4())}
    try:
        run = asked.ask_now("POST", "/runs", None, body, headers)
    except LabError as error:
        if error.code != "hub-unreachable":
            raise
        run = asked.ask_now("POST", "/runs", None, body, headers)
    return Run(run["id"], asked)


def read_events(lines: Iterator[str]) -> Iterator[Tuple[Optional[str], Event]]:
    """Server-sent events, each with its id."""
    name, event_id, data = "message", None, []  # type: Tuple[str, Optional[str], Any]
    for line in lines:
        if line == "":
            if data:
                yield event_id, Event(name, _json("\n".join(data)))
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "event":
            name = value
        elif field == "id":
            event_id = value
        elif field == "data":
            data.append(value)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise LabError("unexpected-answer", "the hub answered what is no JSON", kind="link") from error
