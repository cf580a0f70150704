"""What programs share: one connection with each bench, and one with the other services of each node.

INVARIANTS: a lock is all of what was asked for, or nothing; a hold of a bench is renewed until it is given back.
"""
from __future__ import annotations

import asyncio
import weakref
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from .connection import Access, Connection
from .directory import HOLD_S, AsyncDirectory, Found, NodeDirectory
from .errors import LabError
from .hub import Hub

GRACE_S = 10.0


class Group:
    """Services of one node that share a connection, a token and a hold."""

    def __init__(
        self, node: str, bench: Optional[str], directory: Union[AsyncDirectory, NodeDirectory], ca: Optional[str]
    ) -> None:
        self.node = node
        self.bench = bench
        self.lease: Optional[str] = None
        self.grace: Optional[float] = None
        self.services: List[str] = []
        self.directory = directory
        self.connection = Connection(node, self._access, ca)

    async def _access(self) -> Access:
        access = await self.directory.access(self.node, self.services, self.lease)
        return access if self.lease is None else access._replace(grace=self.grace)

    async def add(self, service: str) -> None:
        if service not in self.services:
            self.services.append(service)
            if isinstance(self.directory, AsyncDirectory):
                await self.connection.renew()


class Lab:
    """Opens nothing until it is used; belongs to one loop."""

    def __init__(self, directory: Union[AsyncDirectory, NodeDirectory], ca: Optional[str] = None) -> None:
        self.directory = directory
        self._ca = ca
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

    def _group(self, node: str, bench: Optional[str]) -> Group:
        key = (node, bench)
        if key not in self._groups:
            self._groups[key] = Group(node, bench, self.directory, self._ca)
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

    def __init__(self, held: Sequence[Tuple[str, Group]], reason: str, grace: float) -> None:
        self._held = sorted(held, key=lambda one: (one[1].node, one[1].bench or "", one[0]))
        self._reason = reason
        self._grace = grace
        self._undo: List[Any] = []
        self._renewing: List["asyncio.Task[None]"] = []
        #: Why the lock was lost, if it was: somebody with the right to has ended it, or the hub was away for too long.
        self.lost: Optional[LabError] = None

    async def take(self) -> None:
        """Takes all, or raises ``bench-busy`` or ``service-locked`` and has taken nothing."""
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
        for task in self._renewing:
            task.cancel()
        self._renewing.clear()
        failure: Optional[LabError] = None
        while self._undo:
            undo = self._undo.pop()
            try:
                await undo()
            except LabError as error:
                # What has ended by itself is given back.
                if error.code not in ("lease-ended", "lease-invalid"):
                    failure = failure or error
        if failure is not None:
            raise failure

    async def __aenter__(self) -> "AsyncLock":
        await self.take()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.release()

    async def _hold(self, group: Group, bench: str, directory: AsyncDirectory) -> None:
        if group.lease is not None:
            raise LabError("bench-busy", f"this program holds {bench} already")
        lease = await directory.hold(bench, None)
        group.lease, group.grace = lease, self._grace

        async def give_back() -> None:
            group.lease = None
            try:
                await directory.release(bench, lease)
                await group.connection.renew()
            except LabError as error:
                if error.kind != "link":
                    raise
                # Of a hub that is away: the node frees a bench whose owner's links are gone, after its grace.
                await group.connection.close()

        self._undo.append(give_back)
        await group.connection.renew()
        self._renewing.append(asyncio.get_running_loop().create_task(self._keep(directory, bench, lease)))

    async def _keep(self, directory: AsyncDirectory, bench: str, lease: str) -> None:
        wait_s = HOLD_S / 3
        while True:
            await asyncio.sleep(wait_s)
            try:
                await directory.hold(bench, lease)
                wait_s = HOLD_S / 3
            except LabError as error:
                if error.retry == "never":
                    self.lost = error
                    return
                wait_s = 5.0

    async def _lock(self, group: Group, services: List[str]) -> None:
        connection = group.connection
        params = {"services": services, "reason": self._reason, "graceS": self._grace}
        await connection.call("node/lock", params, idempotent=True)

        async def unlock() -> None:
            await connection.call("node/unlock", {"services": services})

        self._undo.append(unlock)


def _groups(held: Sequence[Tuple[str, Group]]) -> List[Group]:
    return list({id(group): group for _, group in held}.values())
