"""What programs share: one connection with each bench, and one with the other services of each node.

INVARIANTS: a lock is all of what was asked for, or nothing; a hold of a bench is renewed, and its link opened again when it
breaks, until it is given back or lost; a hold that was lost is in the way of nothing; a service that has gone closes no other.
"""
from __future__ import annotations

import asyncio
import uuid
import weakref
from typing import Any, Callable, Coroutine, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

from .connection import Connection
from .directory import HOLD_S, AsyncDirectory, Found, NodeDirectory
from .errors import LabError
from .hub import Hub
from .ways.access import Access
from .ways.known import known_ways
from .ways.way import Way
from .watch_locks import watch_locks

GRACE_S = 10.0
#: What a hub and a node say of a hold that is no more.
_LOST = ("lease-ended", "lease-invalid", "hold-ended", "session-not-active")
#: Before the id of a live session that has a bench, where a lease could stand.
_OF_SESSION = "session/"


class Hold(NamedTuple):
    """Of a bench, by its lease or a live session."""

    lease: str
    grace: float
    #: Told once, when it has ended by itself.
    lost: Callable[[LabError], None]


class Group:
    """Services of one node that share a connection, a token and a hold."""

    def __init__(
        self, node: str, bench: Optional[str], directory: Union[AsyncDirectory, NodeDirectory], ways: Sequence[Way]
    ) -> None:
        self.node = node
        self.bench = bench
        self.hold: Optional[Hold] = None
        self.services: List[str] = []
        #: Those of them that were not there when access was asked for last.
        self._gone: Set[str] = set()
        self._adding = asyncio.Lock()
        self.directory = directory
        self.connection = Connection(node, self._access, ways, amend=self._amend)

    async def add(self, service: str) -> None:
        async with self._adding:
            if service in self.services and service not in self._gone:
                return
            before = self.services
            if service not in before:
                self.services = [*before, service]
            try:
                if isinstance(self.directory, AsyncDirectory):
                    await self.connection.renew()
            except BaseException:
                self.services = before
                raise

    def lose(self, hold: Hold, error: LabError) -> None:
        """The hold has ended: what is read after that is read without it."""
        if self.hold is hold:
            self.hold = None
            self.connection.forget()
            hold.lost(error)

    def _amend(self, error: LabError) -> bool:
        hold = self.hold
        if hold is None or error.code not in _LOST:
            return False
        self.lose(hold, error)
        return True

    async def _access(self) -> Access:
        hold, names = self.hold, list(self.services)
        try:
            access = await self._opens(names, hold)
            self._gone = set()
        except LabError as error:
            if error.code != "service-unknown" or isinstance(self.directory, NodeDirectory):
                raise
            there = [name for name in names if await self._is_there(name, self.directory)]
            if not there or there == names:
                raise
            access = await self._opens(there, hold)
            # They are asked for again next time: a daemon may be back.
            self._gone = set(names) - set(there)
        return access if hold is None else access._replace(grace=hold.grace)

    async def _opens(self, names: Sequence[str], hold: Optional[Hold]) -> Access:
        return await self.directory.access(self.node, names, None if hold is None else hold.lease)

    async def _is_there(self, name: str, directory: AsyncDirectory) -> bool:
        try:
            await directory.get(f"{self.node}/{name}")
        except LabError as error:
            if error.code != "service-unknown":
                raise
            return False
        return True


class Lab:
    """Opens nothing until it is used; belongs to one loop."""

    def __init__(self, directory: Union[AsyncDirectory, NodeDirectory], ca: Optional[str] = None) -> None:
        self.directory = directory
        self._ways = known_ways(directory.hub if isinstance(directory, AsyncDirectory) else None, ca)
        self._groups: Dict[Tuple[str, Optional[str]], Group] = {}

    async def find(self, name: str) -> Tuple[Found, Group]:
        directory = self.directory
        if isinstance(directory, NodeDirectory):
            group = self._group(directory.address, None)
            found = await directory.found(name, group.connection)
        else:
            found = await directory.find(name)
            group = self._group(found.node, found.bench)
        await group.add(found.name)
        return found, group

    def node_itself(self, address: str) -> Connection:
        """Of a lab that is one node: its connection."""
        directory = self.directory
        return self._group(directory.address if isinstance(directory, NodeDirectory) else address, None).connection

    def _group(self, node: str, bench: Optional[str]) -> Group:
        key = (node, bench)
        if key not in self._groups:
            self._groups[key] = Group(node, bench, self.directory, self._ways)
        return self._groups[key]

    async def close(self) -> None:
        """Ends all links; what is called later opens them anew."""
        for group in list(self._groups.values()):
            await group.connection.close()


_labs: "weakref.WeakKeyDictionary[Any, Dict[Any, Lab]]" = weakref.WeakKeyDictionary()


def lab_of(hub: Union[str, Hub, None], token: Optional[str], address: Optional[str], ca: Optional[str]) -> Lab:
    """The one of this loop for that hub, or that node, and that token."""
    labs = _labs.setdefault(asyncio.get_running_loop(), {})
    if address is not None:
        key: Any = (address, token, ca)
        if key not in labs:
            labs[key] = Lab(NodeDirectory(address, token), ca)
        return labs[key]
    asked = hub if isinstance(hub, Hub) else Hub(hub, token, ca)
    if asked.key not in labs:
        labs[asked.key] = Lab(AsyncDirectory(asked), asked.ca)
    return labs[asked.key]


async def close_labs() -> None:
    """Ends all links of this loop."""
    await asyncio.gather(*(lab.close() for lab in _labs.get(asyncio.get_running_loop(), {}).values()))


class AsyncLock:
    """A lock of services, and with a part of a bench of the bench; by ``async with``, or ``take`` and ``release``."""

    def __init__(
        self, held: Sequence[Tuple[str, Group]], reason: str, grace: float, session: Optional[str] = None
    ) -> None:
        self._held = sorted(held, key=lambda one: (one[1].node, one[1].bench or "", one[0]))
        self._reason = reason
        self._grace = grace
        self._session = session
        self._undo: List[Any] = []
        self._keeping: List["asyncio.Task[None]"] = []
        #: Why the lock was lost, if it was: somebody with the right to has ended it, or the hub was away for too long. Of one
        #: that a node gives ``lock-ended``, with ``details["why"]`` as the node says it.
        self.lost: Optional[LabError] = None
        #: Set once it is held no more.
        self._over: Optional[asyncio.Event] = None

    async def take(self) -> None:
        """Takes all, or raises ``bench-busy`` or ``service-locked`` and has taken nothing."""
        self.lost = None
        self._over = asyncio.Event()
        try:
            for group in _groups(self._held):
                services = [name for name, of in self._held if of is group]
                if group.bench is not None and isinstance(group.directory, AsyncDirectory):
                    await self._hold(group, group.bench, group.directory)
                else:
                    await self._lock(group, services)
        except BaseException:
            await self.release()
            raise

    async def release(self) -> None:
        """Gives all back; benches go to their safe state."""
        for task in self._keeping:
            task.cancel()
        self._keeping.clear()
        if self._over is not None:
            self._over.set()
        failure: Optional[LabError] = None
        while self._undo:
            undo = self._undo.pop()
            try:
                await undo()
            except LabError as error:
                # What has ended by itself is given back.
                if error.code not in (*_LOST, "not-locked"):
                    failure = failure or error
        if failure is not None:
            raise failure

    async def until_lost(self, timeout: Optional[float] = None) -> Optional[LabError]:
        """Waits until the lock is lost, and gives why; None when it was given back, or after ``timeout`` seconds."""
        if self._over is not None:
            try:
                await asyncio.wait_for(self._over.wait(), timeout)
            except asyncio.TimeoutError:
                return None
        return self.lost

    async def __aenter__(self) -> "AsyncLock":
        await self.take()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.release()

    async def _hold(self, group: Group, bench: str, directory: AsyncDirectory) -> None:
        if group.hold is not None:
            raise LabError("bench-busy", f"this program holds {bench} already")
        session = self._session
        lease = await directory.hold(bench, None, self._reason) if session is None else f"{_OF_SESSION}{session}"
        hold = Hold(lease, self._grace, self._lose)
        group.hold = hold
        self._undo.append(lambda: _give_back(group, bench, directory, hold))
        await group.connection.renew()
        await group.connection.reach()
        if self.lost is not None:
            raise self.lost
        self._keep(group.connection.stay_reached(lambda: group.hold is hold))
        if session is None:
            self._keep(_renewed(group, bench, directory, hold))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        self._keeping.append(asyncio.get_running_loop().create_task(work))

    def _lose(self, error: LabError) -> None:
        self.lost = self.lost or error
        if self._over is not None:
            self._over.set()

    async def _lock(self, group: Group, services: List[str]) -> None:
        connection = group.connection
        gone: Set[str] = set()
        # Its own: what other programs of the same person have locked stays theirs.
        taking = uuid.uuid4().hex
        params = {"services": services, "reason": self._reason, "graceS": self._grace, "id": taking}
        asked = asyncio.get_running_loop().create_task(connection.call("node/lock", params, idempotent=True))

        async def unlock() -> None:
            try:
                # It may have been given up while it was asked for.
                await asked
            except LabError:
                return
            # What was lost may be another's by now.
            left = [name for name in services if name not in gone]
            if left:
                await connection.call("node/unlock", {"services": left, "id": taking})

        self._undo.append(unlock)
        await asyncio.shield(asked)
        self._keep(connection.stay_reached(lambda: True))
        self._keep(watch_locks(connection, services, taking, gone, self._lose))


async def _give_back(group: Group, bench: str, directory: AsyncDirectory, hold: Hold) -> None:
    is_held = group.hold is hold
    if is_held:
        group.hold = None
        try:
            # The node closes links of a hold that has ended: this one goes on without it.
            await group.connection.renew()
        except LabError:
            # A hub that is away says so next.
            group.connection.forget()
    if hold.lease.startswith(_OF_SESSION):
        return
    try:
        await directory.release(bench, hold.lease)
    except LabError as error:
        if not is_held:
            return  # it was lost already
        if error.kind != "link":
            raise
        # Of a hub that is away: the node frees a bench whose owner's links are gone, after its grace.
        await group.connection.close()


async def _renewed(group: Group, bench: str, directory: AsyncDirectory, hold: Hold) -> None:
    wait_s = HOLD_S / 3
    while group.hold is hold:
        await asyncio.sleep(wait_s)
        try:
            await directory.hold(bench, hold.lease)
            wait_s = HOLD_S / 3
        except LabError as error:
            if error.retry == "never":
                group.lose(hold, error)
                return
            wait_s = 5.0


def _groups(held: Sequence[Tuple[str, Group]]) -> List[Group]:
    return list({id(group): group for _, group in held}.values())
