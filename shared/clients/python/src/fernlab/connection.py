"""A connection with one node, whatever carries it at the moment.

INVARIANTS: a call is never done twice unless its caller said that it may be: what was sent and not answered when the link
broke is ``call-uncertain``; what was not sent, or may be repeated, goes by the next link, within its time. A stream that
lingers goes on where it was. A link that does not answer within twice ``watch`` seconds is left. A service whose contract
has changed in between is not called. Access is kept until its end, so that a hub that is away stops nobody.
"""
from __future__ import annotations

import asyncio
import time
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, List, Optional, Sequence

from .connect import show
from .contract import CONTRACT, Contract, read_contract, require_compatible
from .errors import LabError
from .rpc.batch import Outcome
from .rpc.calls import TIMEOUT_S
from .rpc.messages import PING
from .rpc.peer import CREDIT, Peer
from .ways.access import Access, KeptAccess
from .ways.known import known_ways
from .ways.nearest import nearest
from .ways.way import Way, WayInUse, candidates

_FIRST_WAIT_S, _LAST_WAIT_S = 0.1, 2.0
#: How long before its end a token is renewed.
_EARLY_S = 60.0
#: How often a link is asked whether it is there, and how long it has for the answer.
WATCH_S = 10.0
#: In place of the time that is left: a call that is as good as late is still told apart from one without a limit.
_LEAST_S = 0.001
#: A node that its hub does not hear of either has as long to come as one that was started again.
_GONE_S = 5.0
_BROKEN = ("link-ended", "call-uncertain")


async def _itself(peer: Peer, _left: Optional[float]) -> Peer:
    return peer


class Connection:
    """Opens nothing until it is used. ``access`` is asked at the first call, when no way answers, and before a token ends.

    ``amend`` is told when access is refused; where it says that another is to be had now, that is asked for once.
    """

    def __init__(
        self,
        node: str,
        access: Callable[[], Awaitable[Access]],
        ways: Optional[Sequence[Way]] = None,
        watch: float = WATCH_S,
        amend: Callable[[LabError], bool] = lambda _error: False,
    ) -> None:
        self.node = node
        self.way: Optional[WayInUse] = None
        self._access = KeptAccess(access)
        self._amend = amend
        self._ways = known_ways(None, None) if ways is None else ways
        #: Of each service what was found to hold for it, on the link that is used now.
        self._agreed: Dict[str, List[Contract]] = {}
        self._peer: Optional[Peer] = None
        self._was_reached = False
        self._reaching: Optional["asyncio.Task[Peer]"] = None
        self._renewing: Optional["asyncio.Task[None]"] = None
        self._renewals = asyncio.Lock()
        #: Set while there is no link.
        self._down = asyncio.Event()
        self._down.set()
        self._watch = watch
        self._watching: Optional["asyncio.Task[None]"] = None
        #: How often it was closed: what is under way then is not begun anew.
        self.closes = 0

    async def call(
        self,
        method: str,
        params: Any = None,
        timeout: Optional[float] = TIMEOUT_S,
        idempotent: bool = False,
        contract: Optional[Contract] = None,
    ) -> Any:
        """Raises the service's error, ``call-uncertain``, ``deadline-exceeded`` or ``node-unreachable``; and where a
        contract of its service is known that does not hold any more, ``contract-changed``."""

        async def work(peer: Peer, left: Optional[float]) -> Any:
            return await peer.call(method, params, left, idempotent)

        return await self._within(method, timeout, contract, work)

    async def batch(
        self,
        calls: Sequence[Sequence[Any]],
        stop: bool = False,
        timeout: Optional[float] = TIMEOUT_S,
        contract: Optional[Contract] = None,
    ) -> List[Outcome]:
        async def work(peer: Peer, left: Optional[float]) -> List[Outcome]:
            return await peer.batch(calls, stop, left)

        return await self._within(calls[0][0] if calls else PING, timeout, contract, work)

    async def stream(
        self,
        method: str,
        params: Any = None,
        credit: int = CREDIT,
        linger: float = 0,
        contract: Optional[Contract] = None,
    ) -> AsyncIterator[Any]:
        """Items; with ``linger`` seconds it goes on after a broken link where it was."""
        closes = self.closes
        peer = await self._ready(None)
        await self._check(peer, method, contract, TIMEOUT_S)
        received = peer.stream(method, params, credit, linger)
        try:
            while True:
                try:
                    async for item in received:
                        yield item
                    return
                except LabError as error:
                    is_kept = received.place is not None and peer.ended is not None and error.code in _BROKEN
                    if not is_kept or closes != self.closes:
                        raise
                # A service that came back as another version is not followed on.
                peer = await self._within(method, linger, contract, _itself)
                received = peer.resume(received.place, credit, linger)
        finally:
            received.give_up()

    async def reach(self) -> None:
        """Opens a link, if there is none; tries once."""
        await self._ready(None)

    async def stay_reached(self, is_wanted: Callable[[], bool]) -> None:
        """Opens a link whenever there is none, while that is wanted and until it is closed or this is given up."""
        closes, wait_s = self.closes, _FIRST_WAIT_S / 2
        while closes == self.closes and is_wanted():
            began = time.monotonic()
            try:
                await self._ready(None)
                await self._down.wait()
            except LabError:
                pass  # whoever calls is told; what can't be had now may be later
            lasted = time.monotonic() - began > _LAST_WAIT_S
            wait_s = _FIRST_WAIT_S if lasted else min(2 * wait_s, _LAST_WAIT_S)
            await asyncio.sleep(wait_s)

    async def renew(self) -> None:
        """Asks for access anew and signs in with it, as after a lock was taken; calls under way go on. Without a link it
        is the next one that asks."""
        if not await self._renew():
            self.forget()

    def forget(self) -> None:
        """The next link asks for access."""
        self._access.forget()

    async def close(self) -> None:
        """Ends the link, and what is under way; a later call opens another."""
        self.closes += 1
        self.forget()
        for task in (self._reaching, self._renewing):
            if task is not None:
                task.cancel()
        peer = self._peer
        if peer is not None:
            self._broke(peer)
            await peer.close("the client is done")

    async def _within(
        self,
        method: str,
        timeout: Optional[float],
        contract: Optional[Contract],
        work: Callable[[Peer, Optional[float]], Awaitable[Any]],
    ) -> Any:
        until = None if timeout is None else time.monotonic() + timeout
        closes = self.closes
        while True:
            peer = await self._ready(until)
            left = None if until is None else max(_LEAST_S, until - time.monotonic())
            try:
                await self._check(peer, method, contract, left)
                return await work(peer, left)
            except LabError as error:
                # Not sent, or it may be repeated. A service may say the same of a link of its own.
                is_ours = peer.ended is not None and closes == self.closes and error.code == "link-ended"
                if not is_ours or (until is not None and time.monotonic() >= until):
                    raise

    async def _check(self, peer: Peer, method: str, known: Optional[Contract], timeout: Optional[float]) -> None:
        """What answers after a broken link may be another version."""
        service = method.rpartition("/")[0]
        if known is None or any(agreed is known for agreed in self._agreed.get(service, ())):
            return
        met = await peer.call(f"{service}/{CONTRACT}", None, timeout, True)
        require_compatible(service, known, read_contract(service, met))
        if self._peer is peer:
            self._agreed.setdefault(service, []).append(known)

    async def _ready(self, until: Optional[float]) -> Peer:
        """The peer in use, or a new one; tries until then, and once without."""
        wait_s, closes, began = _FIRST_WAIT_S, self.closes, time.monotonic()
        while True:
            if closes != self.closes:
                raise self._closed()
            if self._peer is not None:
                return self._peer
            if self._reaching is None:
                self._reaching = asyncio.get_running_loop().create_task(self._reach())
                self._reaching.add_done_callback(self._reached)
            try:
                return await self._reached_by(self._reaching, until)
            except LabError as error:
                if error.retry == "never" or until is None or time.monotonic() + wait_s >= self._last_try(began, until):
                    raise
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LAST_WAIT_S)

    def _last_try(self, began: float, until: float) -> float:
        kept = self._access.kept
        is_away = kept is not None and kept.gone_since is not None and not self._was_reached
        return min(until, began + _GONE_S) if is_away else until

    async def _reached_by(self, reaching: "asyncio.Task[Peer]", until: Optional[float]) -> Peer:
        # Others wait for the same: it goes on.
        left = None if until is None else max(_LEAST_S, until - time.monotonic())
        done, _ = await asyncio.wait([reaching], timeout=left)
        if not done:
            message = f"{self.node} was not reached in time; nothing was sent"
            raise LabError("deadline-exceeded", message, kind="link", retry="later")
        if reaching.cancelled():
            raise self._closed()
        return reaching.result()

    def _closed(self) -> LabError:
        return LabError("link-ended", f"the connection with {self.node} was closed", kind="link")

    def _reached(self, task: "asyncio.Task[Peer]") -> None:
        self._reaching = None
        if not task.cancelled():
            task.exception()

    async def _reach(self) -> Peer:
        kept = self._access.kept
        if kept is None:
            return await self._anew(self._open)
        try:
            return await self._open(kept)
        except LabError as error:
            if error.kind == "link" and self._access.was_asked:
                raise
            return await self._instead_of(kept, error)

    async def _instead_of(self, kept: Access, failure: LabError) -> Peer:
        """By another access than the one that failed. Who gives it may be away: then that one is tried again later."""

        async def work(access: Access) -> Peer:
            is_silent = failure.kind == "link" and list(access.addresses) == list(kept.addresses)
            if is_silent or access == kept:
                raise failure
            return await self._open(access)

        try:
            return await self._anew(work)
        except LabError as error:
            raise failure if error.kind == "link" else error

    async def _anew(self, work: Callable[[Access], Awaitable[Any]]) -> Any:
        """Does it with access that is asked for now."""
        try:
            return await work(await self._access.ask())
        except LabError as error:
            if not self._amend(error):
                raise
        return await work(await self._access.ask())

    async def _open(self, access: Access) -> Peer:
        groups, refused = candidates(access.addresses, self._ways)
        what = self.node
        if access.gone_since is not None:
            what = f"{what}, which its hub has not heard of since {access.gone_since},"
        peer, way = await nearest(what, groups, refused, lambda peer: show(peer, access))
        self._peer, self.way, self._was_reached = peer, way, True
        self._down.clear()
        self._access.opened()
        # What was known before the link broke is looked at again.
        peer.on_end(lambda _: self._broke(peer))
        self._renew_before(access)
        self._watching = asyncio.get_running_loop().create_task(self._watch_over(peer))
        return peer

    async def _renew(self) -> bool:
        """False where there is no link."""
        async with self._renewals:
            await self._settled()
            if self._peer is None:
                return False
            await self._anew(self._change)
            return True

    async def _change(self, access: Access) -> None:
        await self._settled()
        peer = self._peer
        if peer is None:
            return
        try:
            await show(peer, access)
            self._renew_before(access)
        except LabError:
            # The next link has the access that was kept.
            if peer.ended is None:
                raise

    async def _settled(self) -> None:
        """No link is being opened."""
        while self._reaching is not None:
            await asyncio.wait([self._reaching])

    async def _watch_over(self, peer: Peer) -> None:
        """A machine without power says nothing of its end, and its links seem to be there for a quarter of an hour."""
        while peer.ended is None:
            await asyncio.sleep(self._watch)
            try:
                await peer.call(PING, None, self._watch, True)
            except LabError as error:
                if error.code != "link-busy":
                    await peer.close(f"{self.node} does not answer")

    def _renew_before(self, access: Access) -> None:
        if self._renewing is not None and self._renewing is not asyncio.current_task():
            self._renewing.cancel()
        self._renewing = None
        if access.token is not None and access.ends_at is not None:
            left = access.ends_at - time.monotonic()
            self._renewing = asyncio.get_running_loop().create_task(self._renew_after(max(left - _EARLY_S, left / 2)))

    async def _renew_after(self, seconds: float) -> None:
        wait_s = _FIRST_WAIT_S
        await asyncio.sleep(max(_FIRST_WAIT_S, seconds))
        while self._peer is not None:
            try:
                await self._renew()
                return
            except LabError:
                # The hub may be away: the token goes on until its end, and until then this is tried.
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _EARLY_S / 4)

    def _broke(self, peer: Peer) -> None:
        if self._peer is peer:
            self._peer, self.way = None, None
            self._down.set()
            if self._watching is not None and self._watching is not asyncio.current_task():
                self._watching.cancel()
            self._agreed.clear()
