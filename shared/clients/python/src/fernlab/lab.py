"""What programs share: one connection with each bench, and one with the other services of each node.

INVARIANTS: a hold that was lost is in the way of nothing; a service that has gone closes no other; what is owed is tried once
more before links are closed.
"""
from __future__ import annotations

import asyncio
import contextlib
import weakref
from typing import (
    Any,
    Awaitable,
    Callable,
    Coroutine,
    Dict,
    Iterable,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
    TypeVar,
    Union,
    cast,
)

from .asked_hold import AskedHold
from .connection import Connection
from .directory import AsyncDirectory, Found
from .errors import LabError
from .hub import Hub
from .nodes_directory import NodeAt, NodesDirectory
from .ways.access import Access
from .ways.known import known_ways
from .ways.way import Way
from .who_has_it import WhoHasIt

Result = TypeVar("Result")

#: How long a program that closes its links waits for nodes that are silent.
CLOSE_WAITS_S = 2.0
#: What a hub and a node say of a hold that is no more.
LOST = ("lease-ended", "lease-invalid", "hold-ended", "session-not-active", "not-found")


class Hold(NamedTuple):
    """Of a bench, by its lease or a live session."""

    lease: str
    grace: float
    #: Told once, when it has ended by itself.
    lost: Callable[[LabError], None]


class Group:
    """Services of one node that share a connection, a token and a hold."""

    def __init__(
        self, node: str, bench: Optional[str], directory: Union[AsyncDirectory, NodesDirectory], ways: Sequence[Way]
    ) -> None:
        #: Its name; in a lab without a hub its address.
        self.node = node
        #: By which all programs know the node alike, and take its locks in one order.
        self.place = node
        self.bench = bench
        self.hold: Optional[Hold] = None
        #: Its bench is being taken, for a hold that is to be.
        self.is_being_taken = False
        #: Its bench may have been taken without a word of it.
        self.unknown: Optional[AskedHold] = None
        #: What gives back what may be held, with or without somebody who waits for it.
        self.owed: Set["asyncio.Task[Any]"] = set()
        self._closing = asyncio.Event()
        self.services: List[str] = []
        #: Those of them that were not there when access was asked for last.
        self._gone: Set[str] = set()
        self._adding = asyncio.Lock()
        self.directory = directory
        self.who = WhoHasIt(directory)
        self.connection = Connection(node, self._access, ways, amend=self._amend)

    def owe(self, work: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        task = asyncio.get_running_loop().create_task(work)
        self.owed.add(task)
        task.add_done_callback(self.owed.discard)
        return task

    async def paid(self, timeout: Optional[float] = None) -> None:
        """Waits until nothing is owed, or for so many seconds."""
        if self.owed:
            await asyncio.wait(set(self.owed), timeout=timeout)

    async def is_closing_within(self, seconds: float) -> bool:
        """As soon as it is closed, and False after that time."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """What a silent node has of this program ends by itself, a moment after the last of its links."""
        if self.unknown is not None:
            self.unknown.leave()
            with contextlib.suppress(LabError):  # its hub is away: it ends by itself
                await self.unknown.give_back()
        self._closing.set()
        await self.paid(CLOSE_WAITS_S)
        await self.connection.close()
        self._closing = asyncio.Event()

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
        if hold is None or error.code not in LOST:
            return False
        self.lose(hold, error)
        return True

    async def _access(self) -> Access:
        hold, names = self.hold, list(self.services)
        try:
            access = await self._opens(names, hold)
            self._gone = set()
        except LabError as error:
            if error.code != "service-unknown" or isinstance(self.directory, NodesDirectory):
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

    def __init__(self, directory: Union[AsyncDirectory, NodesDirectory], ca: Optional[str] = None) -> None:
        self.directory = directory
        self._ways = known_ways(directory.hub if isinstance(directory, AsyncDirectory) else None, ca)
        self._groups: Dict[Tuple[str, Optional[str]], Group] = {}

    async def find(self, name: str) -> Tuple[Found, Group]:
        directory = self.directory
        if isinstance(directory, NodesDirectory):
            found, address, place = await directory.found(name, self.connection_at)
            group = self._group(address, None)
            group.place = place
        else:
            found = await directory.find(name)
            group = self._group(found.node, found.bench)
        await group.add(found.name)
        return found, group

    @property
    def groups(self) -> Iterable[Group]:
        return self._groups.values()

    def connection_at(self, address: str) -> Connection:
        """With a node of a lab without a hub."""
        return self._group(address, None).connection

    def _group(self, node: str, bench: Optional[str]) -> Group:
        key = (node, bench)
        if key not in self._groups:
            self._groups[key] = Group(node, bench, self.directory, self._ways)
        return self._groups[key]

    async def close(self) -> None:
        """Ends all links; what is called later opens them anew."""
        await all_of(group.close() for group in self._groups.values())


async def all_of(works: Iterable[Awaitable[None]]) -> None:
    """Does them side by side; raises the first error once all have ended."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


_labs: "weakref.WeakKeyDictionary[Any, Dict[Any, Lab]]" = weakref.WeakKeyDictionary()


def lab_of(hub: Union[str, Hub, None], token: Optional[str], ca: Optional[str]) -> Lab:
    """The one of this loop for that hub and that token."""
    labs = _labs.setdefault(asyncio.get_running_loop(), {})
    asked = hub if isinstance(hub, Hub) else Hub(hub, token, ca)
    if asked.key not in labs:
        labs[asked.key] = Lab(AsyncDirectory(asked), asked.ca)
    return labs[asked.key]


def lab_of_nodes(nodes: Sequence[NodeAt], ca: Optional[str]) -> Tuple[Lab, NodesDirectory]:
    """The one of this loop for these nodes and their tokens."""
    labs = _labs.setdefault(asyncio.get_running_loop(), {})
    key = (tuple(nodes), ca)
    if key not in labs:
        labs[key] = Lab(NodesDirectory(nodes), ca)
    return labs[key], cast(NodesDirectory, labs[key].directory)


async def close_labs() -> None:
    """Ends all links of this loop."""
    await all_of(lab.close() for lab in _labs.get(asyncio.get_running_loop(), {}).values())


def owed() -> Set["asyncio.Task[Any]"]:
    """What gives back, in this loop, what may be held."""
    labs = _labs.get(asyncio.get_running_loop(), {}).values()
    return {task for lab in labs for group in lab.groups for task in group.owed}
