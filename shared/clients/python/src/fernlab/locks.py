"""Locks of services, and with a part of a bench of the bench.

INVARIANTS: a lock is all of what was asked for, or nothing; what may have been taken has its way back before it is known, and
is owed by its group until that was tried, where its taking has an id until its node has answered; whoever gives a lock up
waits for nobody; a hold of a bench is renewed, and its link opened again when it breaks, until it is given back or lost.
"""
from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any, Awaitable, Callable, Coroutine, Dict, List, Optional, Sequence, Set, Tuple

from .asked_hold import GIVE_BACK_EACH_S, HOLD_S, AskedHold, is_unknown
from .directory import AsyncDirectory
from .errors import LabError
from .lab import LOST, Group, Hold
from .watch_locks import NodeLocks, node_locks, watch_locks

GRACE_S = 10.0
#: Before the id of a live session that has a bench, where a lease could stand.
_OF_SESSION = "session/"


class AsyncLock:
    """A lock of services, and with a part of a bench of the bench; by ``async with``, or ``take`` and ``release``."""

    def __init__(
        self, held: Sequence[Tuple[str, Group]], reason: str, grace: float, session: Optional[str] = None
    ) -> None:
        self._held = sorted(held, key=lambda one: (one[1].place, one[1].bench or "", one[0]))
        self._reason = reason
        self._grace = grace
        self._session = session
        #: What gives back what was taken, and whether that is by an id of the taking.
        self._undo: List[Tuple[Group, Callable[[], Awaitable[None]], Callable[[], bool]]] = []
        self._keeping: List["asyncio.Task[None]"] = []
        #: Why the lock was lost, if it was: somebody with the right to has ended it, or the hub was away for too long. Of one
        #: that a node gives ``lock-ended``, with ``details["why"]`` as the node says it.
        self.lost: Optional[LabError] = None
        #: Set once it is held no more.
        self._over: Optional[asyncio.Event] = None

    async def take(self) -> None:
        """Takes all, or raises ``bench-busy``, ``locked-already`` or ``service-locked`` and has taken nothing.

        Cancelled it ends at once, and what it got is given back after that.
        """
        self.lost = None
        self._over = asyncio.Event()
        try:
            for group in _groups(self._held):
                services = [name for name, of in self._held if of is group]
                if group.bench is not None and isinstance(group.directory, AsyncDirectory):
                    await self._hold(group, group.bench, group.directory)
                else:
                    await self._lock(group, services)
        except Exception:
            # Why it was not taken says more than what could not be given back, which ends after its grace.
            await self._give_back()
            raise
        except BaseException:
            self._begin_to_give_back()
            raise

    async def release(self) -> None:
        """Gives all back; benches go to their safe state. What no answer came of is tried again after that."""
        failure = await self._give_back()
        if failure is not None:
            raise failure

    async def _give_back(self) -> Optional[LabError]:
        tries = self._begin_to_give_back()
        if tries:
            # They go on where nobody waits any more.
            await asyncio.wait(tries)
        return next((failure for failure in (one.result() for one in tries) if failure is not None), None)

    def _begin_to_give_back(self) -> List["asyncio.Task[Optional[LabError]]"]:
        for task in self._keeping:
            task.cancel()
        self._keeping.clear()
        if self._over is not None:
            self._over.set()
        undo, self._undo = self._undo, []
        return [group.owe(_tried(group, work, is_named)) for group, work, is_named in undo]

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
        had = LabError("locked-already", f"this program has {bench} already")
        if group.is_being_taken:
            raise had
        session = self._session
        group.is_being_taken = True
        try:
            # It may be given back just now.
            await group.paid()
            if group.hold is not None:
                raise had
            if group.unknown is not None:
                await group.unknown.give_back()
                group.unknown = None
            asked_at = time.monotonic()
            if session is not None:
                lease = f"{_OF_SESSION}{session}"
            else:
                lease = await _taken(group, directory.hold(bench, self._reason))
            hold = Hold(lease, self._grace, self._lose)
            group.hold = hold
        finally:
            group.is_being_taken = False
        self._undo.append((group, lambda: _give_back_bench(group, bench, directory, hold), lambda: False))
        await group.connection.renew()
        await group.connection.reach()
        if self.lost is not None:
            raise self.lost
        self._keep(group.connection.stay_reached(lambda: group.hold is hold))
        if session is None:
            self._keep(_renewed(group, bench, directory, hold, asked_at))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        self._keeping.append(asyncio.get_running_loop().create_task(work))

    def _lose(self, error: LabError) -> None:
        self.lost = self.lost or error
        if self._over is not None:
            self._over.set()

    async def _lock(self, group: Group, services: List[str]) -> None:
        connection, closes = group.connection, group.connection.closes
        gone: Set[str] = set()
        # Its own: what other programs of the same person have locked stays theirs.
        taking = uuid.uuid4().hex
        #: What it is given back by, once it may have been taken.
        named: Optional[Dict[str, str]] = None

        async def lock() -> NodeLocks:
            nonlocal named
            node = await node_locks(connection)
            if not node.takes_id:
                await group.paid()
            named = {"id": taking} if node.takes_id else {}
            params = {"services": services, "reason": self._reason, "graceS": self._grace, **named}
            try:
                await connection.call("node/lock", params, idempotent=True)
            except LabError as error:
                refused = error.details.get("service", services[0] if len(services) == 1 else None)
                told = error if refused is None else await group.who.amended(error, f"{group.node}/{refused}")
                if told is error:
                    raise
                raise told from error
            return node

        asked = asyncio.get_running_loop().create_task(lock())

        async def unlock() -> None:
            if named is None:
                asked.cancel()  # nothing is locked to be unlocked
                return
            # It may have been given up while it was asked for.
            await asyncio.wait([asked])
            # Refused, nothing is locked; where no answer came, or the program ends, nobody knows.
            if not asked.cancelled() and _is_refused(asked.exception()):
                return
            if closes != connection.closes:
                return  # opened again, its node would take the program for one that is back
            # What was lost may be another's by now.
            await _unlock_all(group, [name for name in services if name not in gone], named)

        self._undo.append((group, unlock, lambda: bool(named)))
        node = await asyncio.shield(asked)
        if self.lost is not None:
            raise self.lost
        self._keep(connection.stay_reached(lambda: True))
        if node.tells:
            self._keep(watch_locks(connection, services, taking if node.tells_each else None, gone, self._lose))


def _is_refused(error: Optional[BaseException]) -> bool:
    return isinstance(error, LabError) and error.kind != "link"


async def _undone(undo: Callable[[], Awaitable[None]]) -> Optional[LabError]:
    try:
        await undo()
    except LabError as error:
        # What has ended by itself is given back.
        return None if error.code in (*LOST, "not-locked") else error
    return None


async def _tried(
    group: Group, undo: Callable[[], Awaitable[None]], is_named: Callable[[], bool]
) -> Optional[LabError]:
    """Where no answer came it is tried again after that, by its id: without one it would end what was locked meanwhile."""
    failure = await _undone(undo)
    if failure is not None and failure.kind == "link" and is_named():
        group.owe(_until_undone(group, undo))
    return failure


async def _until_undone(group: Group, undo: Callable[[], Awaitable[None]]) -> None:
    """Tries again while no answer comes, for as long as it could last without its owner, until links are closed."""
    since = time.monotonic()
    while time.monotonic() - since < HOLD_S:
        is_last = await group.is_closing_within(GIVE_BACK_EACH_S)
        failure = await _undone(undo)
        if failure is None or failure.kind != "link" or is_last:
            return


async def _unlock_all(group: Group, services: Sequence[str], named: Dict[str, str]) -> None:
    """Its node has ended one by itself that it says not to be locked.

    Of several of which it refuses one it ends none: each is told alone, and the first refusal of these is raised.
    """
    if not services:
        return
    try:
        await group.connection.call("node/unlock", {"services": list(services), **named}, idempotent=True)
    except LabError as error:
        if error.kind != "link" and len(services) > 1:
            each = [asyncio.ensure_future(_unlock_all(group, [service], named)) for service in services]
            await asyncio.wait(each)
            for one in each:
                one.result()
        elif error.code != "not-locked":
            raise


async def _taken(group: Group, asked: AskedHold) -> str:
    try:
        return await asked.take()
    except (LabError, asyncio.CancelledError) as error:
        if not isinstance(error, LabError) or is_unknown(error):
            group.unknown = asked
            asked.give_back_later()
        raise


async def _give_back_bench(group: Group, bench: str, directory: AsyncDirectory, hold: Hold) -> None:
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


async def _renewed(group: Group, bench: str, directory: AsyncDirectory, hold: Hold, since: float) -> None:
    """``since`` is when it was asked for, by `time.monotonic()`."""
    wait_s = HOLD_S / 3
    while group.hold is hold:
        await asyncio.sleep(wait_s)
        asked_at = time.monotonic()
        try:
            await directory.renew(bench, hold.lease)
            since, wait_s = asked_at, HOLD_S / 3
        except LabError as error:
            if error.code in LOST or (error.kind == "caller" and error.retry == "never"):
                group.lose(hold, error)
            # While its hub is away the node itself goes on holding it, until its time is over.
            elif time.monotonic() - since >= HOLD_S:
                message = f"{bench} could not be held on for {HOLD_S / 60:g} minutes: {error.message}"
                group.lose(hold, LabError("lease-ended", message))
            wait_s = min(5.0, HOLD_S / 3)


def _groups(held: Sequence[Tuple[str, Group]]) -> List[Group]:
    return list({id(group): group for _, group in held}.values())
