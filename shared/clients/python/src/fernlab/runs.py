"""Experiments: a run is submitted to the hub, followed while it goes on, and its documents come as dicts."""
from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from typing import Any, AsyncIterator, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

from .errors import LabError
from .hub import Hub, path_of
from .hub_lines import lines_of

_RETRY_S = 1.0


class Event(NamedTuple):
    """``name`` is ``state``, ``streams``, ``data``, ``progress``, ``wait``, ``outputs`` or, at last, ``end``."""

    name: str
    data: Any


class _RunOfHub:
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
        return f"{type(self).__name__}({self.id!r})"


class Run(_RunOfHub):
    """A run of a hub; ``Run(id)`` for one that is there already."""

    def get(self) -> Dict[str, Any]:
        """How it stands: ``state``, ``outputs``, times, who."""
        return self._hub.ask_now("GET", path_of("runs", self.id))

    def cancel(self) -> None:
        self._hub.ask_now("POST", path_of("runs", self.id, "cancel"))

    def events(self, patience: float = 60.0) -> Iterator[Event]:
        """What happens, from its beginning to its end, while it happens.

        Goes on without a gap when the hub is away for a while; raises ``hub-unreachable`` after ``patience`` seconds of it.
        """
        following = _Following(patience)
        while True:
            try:
                for line in self._hub.lines(path_of("runs", self.id, "events"), None, following.begin()):
                    event = following.take(line)
                    if event is not None:
                        yield event
                        if event.name == "end":
                            return
            except LabError as error:
                following.bear(error)
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
                yield _document(line)

    def data(self, stream: Optional[str] = None, attempt: Optional[int] = None) -> Dict[str, Any]:
        """A stream in columns."""
        return self._hub.ask_now("GET", path_of("runs", self.id, "data.json"), {"stream": stream, "attempt": attempt})


class AsyncRun(_RunOfHub):
    """The same for programs of asyncio: ``run = await AsyncRun.submit("diode-iv", "iv-curve", {"points": 40})``."""

    @staticmethod
    async def submit(
        lab: str,
        protocol: str,
        parameters: Optional[Mapping[str, Any]] = None,
        *,
        bench: Optional[str] = None,
        note: Optional[str] = None,
        hub: Union[str, Hub, None] = None,
        token: Optional[str] = None,
        ca: Optional[str] = None,
    ) -> "AsyncRun":
        """Submits a run of a lab's protocol. One that is given up while it is submitted is cancelled at the hub."""
        asked = hub if isinstance(hub, Hub) else Hub(hub, token, ca)
        request = _submission(lab, protocol, parameters, bench, note)

        def undo(run: Any) -> None:
            with contextlib.suppress(LabError):  # the hub is gone, or the run is over
                asked.ask_now("POST", path_of("runs", run["id"], "cancel"))

        try:
            run = await asked.ask("POST", "/runs", undo, **request)
        except LabError as error:
            if error.code != "hub-unreachable":
                raise
            run = await asked.ask("POST", "/runs", undo, **request)
        return AsyncRun(run["id"], asked)

    async def get(self) -> Dict[str, Any]:
        """How it stands: ``state``, ``outputs``, times, who."""
        return await self._hub.ask("GET", path_of("runs", self.id))

    async def cancel(self) -> None:
        await self._hub.ask("POST", path_of("runs", self.id, "cancel"))

    async def events(self, patience: float = 60.0) -> AsyncIterator[Event]:
        """What happens, from its beginning to its end, while it happens; see ``Run.events``."""
        following = _Following(patience)
        while True:
            lines = lines_of(self._hub, path_of("runs", self.id, "events"), None, following.begin())
            try:
                async for line in lines:
                    event = following.take(line)
                    if event is not None:
                        yield event
                        if event.name == "end":
                            return
            except LabError as error:
                following.bear(error)
            finally:
                await lines.aclose()
            await asyncio.sleep(_RETRY_S)

    async def wait(self, patience: float = 60.0) -> Dict[str, Any]:
        """Waits for its end, and returns the run."""
        async for _ in self.events(patience):
            pass
        return await self.get()

    async def documents(self, attempt: Optional[int] = None) -> AsyncIterator[Tuple[str, Dict[str, Any]]]:
        """Those that there are, as ``(name, doc)`` of the Bluesky event model."""
        lines = lines_of(self._hub, path_of("runs", self.id, "documents"), {"attempt": attempt})
        try:
            async for line in lines:
                if line:
                    yield _document(line)
        finally:
            await lines.aclose()

    async def data(self, stream: Optional[str] = None, attempt: Optional[int] = None) -> Dict[str, Any]:
        """A stream in columns."""
        query = {"stream": stream, "attempt": attempt}
        return await self._hub.ask("GET", path_of("runs", self.id, "data.json"), query=query)


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
    """Submits a run of a lab's protocol: ``fernlab.submit("diode-iv", "iv-curve", {"points": 40}).wait()``."""
    asked = hub if isinstance(hub, Hub) else Hub(hub, token, ca)
    request = _submission(lab, protocol, parameters, bench, note)
    try:
        run = asked.ask_now("POST", "/runs", **request)
    except LabError as error:
        if error.code != "hub-unreachable":
            raise
        run = asked.ask_now("POST", "/runs", **request)
    return Run(run["id"], asked)


def _submission(
    lab: str, protocol: str, parameters: Optional[Mapping[str, Any]], bench: Optional[str], note: Optional[str]
) -> Dict[str, Any]:
    body = {"lab": lab, "protocol": protocol, "parameters": dict(parameters or {}), "bench": bench, "note": note}
    body = {key: value for key, value in body.items() if value is not None}
    # Where the answer is lost, the same run is answered again.
    return {"body": body, "headers": {"idempotency-key": str(uuid.uuid4())}}


class _Following:
    """Server-sent events over as many answers as it takes."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._until = time.monotonic() + patience
        self._last: Optional[str] = None
        self.begin()

    def begin(self) -> Dict[str, str]:
        """The headers by which an answer goes on where the one before ended."""
        self._name, self._id = "message", None  # type: Tuple[str, Optional[str]]
        self._data: List[str] = []
        return {} if self._last is None else {"last-event-id": self._last}

    def take(self, line: str) -> Optional[Event]:
        """The event that the line ends, if it ends one."""
        if line == "":
            name, data = self._name, self._data
            self._name, self._data = "message", []
            if not data:
                return None
            self._until = time.monotonic() + self._patience
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

    def bear(self, error: LabError) -> None:
        """Raises it where that is no broken link, or has been one for too long."""
        if error.kind != "link" or time.monotonic() > self._until:
            raise error


def _document(line: str) -> Tuple[str, Dict[str, Any]]:
    read = _json(line)
    return read["name"], read["doc"]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise LabError("unexpected-answer", "the hub answered what is no JSON", kind="link") from error
