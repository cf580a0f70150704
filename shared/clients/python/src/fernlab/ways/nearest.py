"""The nearest way that answers.

INVARIANTS: a further kind is begun only once the nearer ones failed or have been silent for ``HEAD_START_S``; of those that
have answered the nearest kind wins, and of one kind the one whose answers took least; each link that was opened and not
chosen is closed.
"""
from __future__ import annotations

import asyncio
import time
from typing import Any, Awaitable, Callable, Dict, List, NamedTuple, Optional, Sequence

from ..errors import LabError, unreachable
from ..rpc.messages import PING
from ..rpc.peer import Peer
from .way import ANSWER_S, NEARNESS, Candidate, Refused, WayInUse, unreachable_by_all

HEAD_START_S = 0.25
#: For how long others are waited for, once one has answered.
PATIENCE_S = 0.05
SignIn = Callable[[Peer], Awaitable[None]]


class Reached(NamedTuple):
    peer: Peer
    way: WayInUse


async def nearest(
    node: str, groups: Sequence[Sequence[Candidate]], refused: Sequence[Refused], sign_in: SignIn
) -> Reached:
    """Raises ``node-unreachable`` with what each way said, or what the node says of who signs in."""
    race = _Race(groups, sign_in)
    chosen: Optional[Reached] = None
    try:
        chosen = await race.run()
    finally:
        await race.leave(chosen)
    if chosen is not None:
        return chosen
    # What the node says of the token is more than that another address is silent.
    for _, error in race.failures:
        if error.kind != "link":
            raise error
    raise unreachable_by_all(node, [*refused, *((address, error.message) for address, error in race.failures)])


class _Race:
    def __init__(self, groups: Sequence[Sequence[Candidate]], sign_in: SignIn) -> None:
        self._waiting = list(groups)
        self._sign_in = sign_in
        self._running: Dict["asyncio.Task[Reached]", str] = {}
        self._reached: List[Reached] = []
        self.failures: List[Any] = []

    async def run(self) -> Optional[Reached]:
        """None where nothing answers."""
        until = 0.0
        while True:
            is_over = not self._running or time.monotonic() >= until
            if self._reached and is_over:
                return min(self._reached, key=lambda one: (NEARNESS.index(one.way.kind), one.way.round_trip_ms))
            if is_over and self._waiting:
                self._begin(self._waiting.pop(0))
                until = time.monotonic() + HEAD_START_S
            if not self._running:
                return None
            has_more = bool(self._reached or self._waiting)
            left = max(0.0, until - time.monotonic()) if has_more else None
            done, _ = await asyncio.wait(self._running, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            before = len(self._reached)
            for task in done:
                self._take(task)
            if before == 0 and self._reached:
                until = time.monotonic() + PATIENCE_S

    async def leave(self, chosen: Optional[Reached]) -> None:
        for task in self._running:
            task.cancel()
        late = await asyncio.gather(*self._running, return_exceptions=True)
        opened = [*self._reached, *(one for one in late if isinstance(one, Reached))]
        await asyncio.gather(*(one.peer.close("another way is nearer") for one in opened if one is not chosen))

    def _begin(self, group: Sequence[Candidate]) -> None:
        for candidate in group:
            task = asyncio.get_running_loop().create_task(_in_time(candidate, self._sign_in))
            self._running[task] = candidate.address

    def _take(self, task: "asyncio.Task[Reached]") -> None:
        address = self._running.pop(task)
        try:
            self._reached.append(task.result())
        except LabError as error:
            self.failures.append((address, error))


async def _in_time(candidate: Candidate, sign_in: SignIn) -> Reached:
    try:
        return await asyncio.wait_for(_try(candidate, sign_in), ANSWER_S)
    except asyncio.TimeoutError:
        raise unreachable(candidate.address, f"no answer in {ANSWER_S:g} s") from None


async def _try(candidate: Candidate, sign_in: SignIn) -> Reached:
    address, way = candidate
    link = await way.connect(address)
    peer = Peer(link)
    try:
        await sign_in(peer)
        return Reached(peer, WayInUse(way.kind, address, await _round_trip_ms(peer)))
    except BaseException:
        # Who does not answer takes no good-bye either.
        link.abort("it was of no use")
        raise


async def _round_trip_ms(peer: Peer) -> float:
    took: List[float] = []
    for _ in range(3):
        began = time.perf_counter()
        await peer.call(PING, None, ANSWER_S, True)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[1]
