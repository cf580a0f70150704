"""Live sessions from a program: its place in the queue, its bench, and the end of both.

INVARIANTS: what was begun here is ended here; a session that was there already, as on a page, goes on.
"""
from __future__ import annotations

import asyncio
from typing import Any, Dict, Optional, Union

from .background import background
from .errors import LabError
from .hub import Hub, path_of
from .locks import GRACE_S, AsyncLock
from .plain import made_plain
from .proxy import Service, made_async, meet_all

#: How often it is asked whose turn it is; who does not ask for a minute loses the place.
_ASK_S = 0.5


class _Session:
    def __init__(
        self,
        lab: str,
        seconds: Optional[int] = None,
        bench: Optional[str] = None,
        *,
        hub: Union[str, Hub, None] = None,
        token: Optional[str] = None,
        ca: Optional[str] = None,
    ) -> None:
        self._hub = hub if isinstance(hub, Hub) else Hub(hub, token, ca)
        body = {"lab": lab, "seconds": seconds, "bench": bench}
        self._body = {key: value for key, value in body.items() if value is not None}
        self._is_made = False
        self._lock: Optional[AsyncLock] = None
        #: Of the session, once it was asked for.
        self.id: Optional[str] = None
        #: ``<node>.<bench>``, once it has one.
        self.bench: Optional[str] = None
        #: The parts of the bench as proxies, by name.
        self.parts: Dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._body['lab']!r}, id={self.id!r})"

    @property
    def lost(self) -> Optional[LabError]:
        """Why the bench is this program's no more: the session's time is over, or somebody has ended it."""
        return None if self._lock is None else self._lock.lost

    async def _begin(self) -> Dict[str, Service]:
        try:
            loop = asyncio.get_running_loop()
            opened = loop.run_in_executor(None, lambda: self._hub.answer_now("POST", "/sessions", None, self._body))
            status, session = await opened
            self.id, self._is_made = session["id"], status == 201
            self.bench = await self._turn(session)
            services = await self._services(self.bench)
            held = [(one.found.name, one.group) for one in services.values()]
            self._lock = AsyncLock(held, "", GRACE_S, self.id)
            await self._lock.take()
            return services
        except BaseException:
            await self._end()
            raise

    async def _turn(self, session: Dict[str, Any]) -> str:
        while session["state"] != "active":
            if session["state"] == "closed":
                error = session.get("error") or {}
                message = error.get("message") or session.get("reason") or "it ended before it began"
                raise LabError(error.get("code", "session-closed"), f"session {self.id}: {message}")
            await asyncio.sleep(_ASK_S)
            session = await self._hub.ask("GET", path_of("sessions", str(self.id)))
        return str(session["bench"])

    async def _services(self, bench: str) -> Dict[str, Service]:
        node, _, name = bench.partition(".")
        services = await meet_all(f"{node}/{name}.*", self._hub)
        return {one.found.name[len(name) + 1 :]: one for one in services if one.found.bench == bench}

    async def _end(self) -> None:
        lock, self._lock = self._lock, None
        try:
            if lock is not None:
                await lock.release()
        finally:
            if self._is_made:
                self._is_made = False
                await self._hub.ask("DELETE", path_of("sessions", str(self.id)))


class Session(_Session):
    """``with fernlab.Session("diode-iv") as session:`` waits for its turn, and has ``session.parts["psu"]`` as a proxy.

    A session of yours that is open in that lab already, as on a page, is taken, and goes on at the end of the block; one
    that was begun here ends there. ``hub`` and ``token`` are as with ``Proxy``.
    """

    def __enter__(self) -> "Session":
        services = background().run(self._begin())
        self.parts = {name: made_plain(service) for name, service in services.items()}
        return self

    def __exit__(self, *_: Any) -> None:
        background().run(self._end())


class AsyncSession(_Session):
    """The same for programs of asyncio: ``async with fernlab.AsyncSession("diode-iv") as session:``."""

    async def __aenter__(self) -> "AsyncSession":
        services = await self._begin()
        self.parts = {name: made_async(service) for name, service in services.items()}
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self._end()
