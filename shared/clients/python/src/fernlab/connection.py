"""A connection with one node, whatever carries it at the moment.

INVARIANTS: a call is never done twice unless its caller said that it may be: what was sent and not answered when the link
broke is ``call-uncertain``; what was not sent, or may be repeated, goes by the next link, within its time. A stream that
lingers goes on where it was. A link that does not answer within twice ``watch`` seconds is left. A service whose contract has changed in between is not called.
"""
from __future__ import annotations

import asyncio
import time
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, List, NamedTuple, Optional, Sequence

from .connect import connect, sign_in
from .contract import CONTRACT, Contract, read_contract, require_compatible
from .errors import LabError
from .rpc.batch import Outcome
from .rpc.calls import TIMEOUT_S
from .rpc.messages import PING
from .rpc.peer import CREDIT, Peer

_FIRST_WAIT_S, _LAST_WAIT_S = 0.1, 2.0
#: How long before its end a token is renewed.
_EARLY_S = 60.0
#: How often a link is asked whether it is there, and how long it has for the answer.
WATCH_S = 10.0
#: In place of the time that is left: a call that is as good as late is still told apart from one without a limit.
_LEAST_S = 0.001
_BROKEN = ("link-ended", "call-uncertain")


class Access(NamedTuple):
    """Where a node is, and what opens it."""

    addresses: Sequence[str]
    #: None on ways that ask for none.
    token: Optional[str] = None
    #: Epoch seconds.
    expires_at: Optional[float] = None
    #: For how many seconds a hold of the token outlives its last link.
    grace: Optional[float] = None


class Way(NamedTuple):
    """By which link a node is reached now."""

    kind: str
    address: str
    round_trip_ms: float


class Connection:
    """Opens nothing until it is used. ``access`` is asked at the first call, when no way answers, and before a token ends."""

    def __init__(
        self,
        node: str,
        access: Callable[[], Awaitable[Access]],
        ca: Optional[str] = None,
        watch: float = WATCH_S,
    ) -> None:
        self.node = node
        self.way: Optional[Way] = None
        self._access = access
        self._ca = ca
        #: Of each service what was found to hold for it, on the link that is used now.
        self._agreed: Dict[str, List[Contract]] = {}
        self._peer: Optional[Peer] = None
        self._reaching: Optional["asyncio.Task[Peer]"] = None
        self._renewing: Optional["asyncio.Task[None]"] = None
        self._watch = watch
        self._watching: Optional["asyncio.Task[None]"] = None
        #: How often it was closed: what is under way then is not begun anew.
        self._closes = 0

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
                    if received.place is None or peer.ended is None or error.code not in _BROKEN:
                        raise
                peer = await self._ready(time.monotonic() + linger)
                received = peer.resume(received.place, credit, linger)
        finally:
            received.give_up()

    async def reach(self) -> None:
        """Opens a link, if there is none; tries once."""
        await self._ready(None)

    async def renew(self) -> None:
        """Asks for access anew and signs in with it, as after a lock was taken; calls under way go on."""
        peer = self._peer
        if peer is not None:
            await self._sign_in(peer, await self._access())

    async def close(self) -> None:
        """Ends the link, and what is under way; a later call opens another."""
        self._closes += 1
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
        closes = self._closes
        while True:
            peer = await self._ready(until)
            left = None if until is None else max(_LEAST_S, until - time.monotonic())
            try:
                await self._check(peer, method, contract, left)
                return await work(peer, left)
            except LabError as error:
                # Not sent, or it may be repeated. A service may say the same of a link of its own.
                is_ours = peer.ended is not None and closes == self._closes and error.code == "link-ended"
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
        wait_s = _FIRST_WAIT_S
        while True:
            if self._peer is not None:
                return self._peer
            if self._reaching is None:
                self._reaching = asyncio.get_running_loop().create_task(self._reach())
                self._reaching.add_done_callback(self._reached)
            try:
                return await self._reached_by(self._reaching, until)
            except LabError as error:
                if error.retry == "never" or until is None or time.monotonic() + wait_s >= until:
                    raise
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LAST_WAIT_S)

    async def _reached_by(self, reaching: "asyncio.Task[Peer]", until: Optional[float]) -> Peer:
        # Others wait for the same: it goes on.
        left = None if until is None else max(_LEAST_S, until - time.monotonic())
        done, _ = await asyncio.wait([reaching], timeout=left)
        if not done:
            message = f"{self.node} was not reached in time; nothing was sent"
            raise LabError("node-unreachable", message, kind="link", retry="never")
        if reaching.cancelled():
            raise LabError("link-ended", f"the connection with {self.node} was closed", kind="link")
        return reaching.result()

    def _reached(self, task: "asyncio.Task[Peer]") -> None:
        self._reaching = None
        if not task.cancelled():
            task.exception()

    async def _reach(self) -> Peer:
        access = await self._access()
        if not access.addresses:
            message = f"{self.node} tells no address: it takes no links of clients (services.listen in its node.yaml)"
            raise LabError("node-unreachable", message, kind="link", retry="later")
        peer, address, took = await self._first(access)
        self._peer, self.way = peer, Way(peer.link.kind, address, took * 1000)
        # What was known before the link broke is looked at again.
        peer.on_end(lambda _: self._broke(peer))
        self._renew_before(access)
        self._watching = asyncio.get_running_loop().create_task(self._watch_over(peer))
        return peer

    async def _watch_over(self, peer: Peer) -> None:
        """A machine without power says nothing of its end, and its links seem to be there for a quarter of an hour."""
        while peer.ended is None:
            await asyncio.sleep(self._watch)
            try:
                await peer.call(PING, None, self._watch, True)
            except LabError as error:
                if error.code != "link-busy":
                    await peer.close(f"{self.node} does not answer")

    async def _first(self, access: Access) -> Any:
        """The first address that answers; the others are left."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(self._try(address, access)) for address in access.addresses]
        failures: List[LabError] = []
        chosen = None
        try:
            for done in asyncio.as_completed(tasks):
                try:
                    chosen = await done
                    return chosen
                except LabError as error:
                    failures.append(error)
        finally:
            await _leave(tasks, chosen)
        # What the node says of a token is more than that another address is silent.
        refusals = [error for error in failures if error.kind != "link"]
        if refusals:
            raise refusals[0]
        why = "; ".join(error.message for error in failures)
        raise LabError("node-unreachable", f"{self.node} can't be reached: {why}", kind="link", retry="later")

    async def _try(self, address: str, access: Access) -> Any:
        is_own = not address.startswith(("ws://", "wss://"))
        peer = await connect(address, None if is_own else access.token, ca=self._ca, grace=access.grace)
        began = time.perf_counter()
        try:
            await peer.call(PING, None, 10.0, True)
        except BaseException:
            await peer.close()
            raise
        return peer, address, time.perf_counter() - began

    async def _sign_in(self, peer: Peer, access: Access) -> None:
        if access.token is None or peer.link.kind == "unix-socket":
            return
        await sign_in(peer, access.token, access.grace, TIMEOUT_S)
        self._renew_before(access)

    def _renew_before(self, access: Access) -> None:
        if self._renewing is not None and self._renewing is not asyncio.current_task():
            self._renewing.cancel()
        self._renewing = None
        if access.token is not None and access.expires_at is not None:
            left = access.expires_at - time.time()
            self._renewing = asyncio.get_running_loop().create_task(self._renew_after(max(left - _EARLY_S, left / 2)))

    async def _renew_after(self, seconds: float) -> None:
        wait_s = _FIRST_WAIT_S
        await asyncio.sleep(max(_FIRST_WAIT_S, seconds))
        while self._peer is not None:
            try:
                await self.renew()
                return
            except LabError:
                # The hub may be away: the token goes on until its end, and until then this is tried.
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _EARLY_S / 4)

    def _broke(self, peer: Peer) -> None:
        if self._peer is peer:
            self._peer, self.way = None, None
            if self._watching is not None and self._watching is not asyncio.current_task():
                self._watching.cancel()
            self._agreed.clear()


async def _leave(tasks: Sequence["asyncio.Task[Any]"], chosen: Any) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if result is not chosen and not isinstance(result, BaseException):
            await result[0].close("another way was faster")
