"""Experiments: a run is submitted to the hub, followed while it goes on, and its documents come as dicts."""
from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from typing import Any, AsyncIterator, Dict, Iterator, Mapping, Optional, Tuple, Union

from .errors import LabError
from .followed_run import RETRY_S, Event, FollowedDocuments, FollowedEvents
from .hub import Hub, path_of
from .hub_lines import lines_of


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
        following = FollowedEvents(patience)
        while True:
            try:
                for line in self._hub.lines(path_of("runs", self.id, "events"), None, following.begin()):
                    event = following.take(line)
                    if event is not None:
                        yield event
                        following.patience.heard()  # what the program did meanwhile was not the hub's time
                        if event.name == "end":
                            return
            except LabError as error:
                following.patience.bear(error)
            time.sleep(RETRY_S)

    def wait(self, patience: float = 60.0) -> Dict[str, Any]:
        """Waits for its end, and returns the run."""
        for event in self.events(patience):
            if event.name == "end":
                break
        return self.get()

    def documents(
        self, attempt: Optional[int] = None, follow: bool = True, patience: float = 60.0
    ) -> Iterator[Tuple[str, Dict[str, Any]]]:
        """Its documents while they come, as ``(name, doc)`` of the Bluesky event model: ``start``, ``descriptor``,
        ``event_page`` … to the ``stop`` at its end, which a run that was cut off may not have.

        Where a further attempt begins, its documents follow, from its ``start`` on; ``attempt`` names one alone. With
        ``follow=False`` those that there are. Goes on when the hub was away, no document lost and none twice; raises
        ``hub-unreachable`` after ``patience`` seconds of it.
        """
        followed = FollowedDocuments(attempt, follow, patience)
        while not followed.is_over:
            wait_s = RETRY_S
            try:
                if followed.wants_run:
                    followed.begin(self.get())
                for line in self._hub.lines(path_of("runs", self.id, "documents"), followed.query):
                    document = followed.take(line)
                    if document is not None:
                        yield document
                        followed.patience.heard()
                wait_s = followed.ended(self.get())
            except LabError as error:
                followed.patience.bear(error)
            if not followed.is_over:
                time.sleep(wait_s)

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
        model: Optional[str] = None,
        priority: Optional[int] = None,
        note: Optional[str] = None,
        hub: Union[str, Hub, None] = None,
        token: Optional[str] = None,
        ca: Optional[str] = None,
    ) -> "AsyncRun":
        """Submits a run of a lab's protocol; see ``submit``. One that is given up while it is submitted is cancelled at the
        hub."""
        asked = hub if isinstance(hub, Hub) else Hub(hub, token, ca)
        request = _submission(lab, protocol, parameters, bench=bench, model=model, priority=priority, note=note)

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
        following = FollowedEvents(patience)
        while True:
            lines = lines_of(self._hub, path_of("runs", self.id, "events"), None, following.begin())
            try:
                async for line in lines:
                    event = following.take(line)
                    if event is not None:
                        yield event
                        following.patience.heard()  # what the program did meanwhile was not the hub's time
                        if event.name == "end":
                            return
            except LabError as error:
                following.patience.bear(error)
            finally:
                await lines.aclose()
            await asyncio.sleep(RETRY_S)

    async def wait(self, patience: float = 60.0) -> Dict[str, Any]:
        """Waits for its end, and returns the run."""
        async for _ in self.events(patience):
            pass
        return await self.get()

    async def documents(
        self, attempt: Optional[int] = None, follow: bool = True, patience: float = 60.0
    ) -> AsyncIterator[Tuple[str, Dict[str, Any]]]:
        """Its documents while they come, as ``(name, doc)`` of the Bluesky event model; see ``Run.documents``."""
        followed = FollowedDocuments(attempt, follow, patience)
        while not followed.is_over:
            wait_s = RETRY_S
            try:
                if followed.wants_run:
                    followed.begin(await self.get())
                lines = lines_of(self._hub, path_of("runs", self.id, "documents"), followed.query)
                try:
                    async for line in lines:
                        document = followed.take(line)
                        if document is not None:
                            yield document
                            followed.patience.heard()  # what the program did meanwhile was not the hub's time
                finally:
                    await lines.aclose()
                wait_s = followed.ended(await self.get())
            except LabError as error:
                followed.patience.bear(error)
            if not followed.is_over:
                await asyncio.sleep(wait_s)

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
    model: Optional[str] = None,
    priority: Optional[int] = None,
    note: Optional[str] = None,
    hub: Union[str, Hub, None] = None,
    token: Optional[str] = None,
    ca: Optional[str] = None,
) -> Run:
    """Submits a run of a lab's protocol: ``fernlab.submit("diode-iv", "iv-curve", {"points": 40}).wait()``.

    A parameter is a number in its declared unit, or ``{"value": 1200, "unit": "mV"}``. ``bench`` is the one that it is to
    run on, as ``<node>.<bench>``, ``model`` a model of the lab to run it on instead; a lower ``priority`` is sooner, and
    what one may not have becomes the soonest that is allowed; ``note`` is shown in lists. Raises what the hub refuses, with
    a path for each wrong parameter in ``issues``.
    """
    asked = hub if isinstance(hub, Hub) else Hub(hub, token, ca)
    request = _submission(lab, protocol, parameters, bench=bench, model=model, priority=priority, note=note)
    try:
        run = asked.ask_now("POST", "/runs", **request)
    except LabError as error:
        if error.code != "hub-unreachable":
            raise
        run = asked.ask_now("POST", "/runs", **request)
    return Run(run["id"], asked)


def _submission(lab: str, protocol: str, parameters: Optional[Mapping[str, Any]], **more: Any) -> Dict[str, Any]:
    given = {key: value for key, value in more.items() if value is not None}
    body = {"lab": lab, "protocol": protocol, "parameters": dict(parameters or {}), **given}
    # Where the answer is lost, the same run is answered again.
    return {"body": body, "headers": {"idempotency-key": str(uuid.uuid4())}}
