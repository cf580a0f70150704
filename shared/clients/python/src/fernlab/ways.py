"""Ways to a node: its addresses are tried at once, and the first that answers is taken."""
from __future__ import annotations

import asyncio
import time
from typing import Any, Awaitable, Callable, List, NamedTuple, Optional, Sequence, Tuple

from .connect import connect
from .errors import LabError
from .rpc.messages import PING
from .rpc.peer import Peer

_PING_S = 10.0
#: How often access is asked for anew while a node is silent: a hub counts each token until its end.
_FIRST_ASK_S, _LAST_ASK_S = 1.0, 60.0


class Access(NamedTuple):
    """Where a node is, and what opens it."""

    addresses: Sequence[str]
    #: None on ways that ask for none.
    token: Optional[str] = None
    #: When the token ends, by `time.monotonic()`: the time of day here may be wrong.
    ends_at: Optional[float] = None
    #: For how many seconds a hold of the token outlives its last link.
    grace: Optional[float] = None


class Way(NamedTuple):
    """By which link a node is reached now."""

    kind: str
    address: str
    round_trip_ms: float


class KeptAccess:
    """Access, and the last that was given."""

    def __init__(self, give: Callable[[], Awaitable[Access]]) -> None:
        self._give = give
        self._last: Optional[Access] = None
        self._wait_s = 0.0
        self._next_at = 0.0

    @property
    def kept(self) -> Optional[Access]:
        """The last that was given, until its end."""
        last = self._last
        return None if last is None or (last.ends_at is not None and last.ends_at <= time.monotonic()) else last

    @property
    def was_asked(self) -> bool:
        """Asked for so lately that a silent node is no reason to ask again."""
        return time.monotonic() < self._next_at

    async def ask(self) -> Access:
        self._wait_s = min(_LAST_ASK_S, max(_FIRST_ASK_S, 2 * self._wait_s))
        self._next_at = time.monotonic() + self._wait_s
        self._last = access = await self._give()
        return access

    def opened(self) -> None:
        """It was good for a link."""
        self._wait_s = self._next_at = 0.0

    def forget(self) -> None:
        self._last = None


async def first_way(node: str, access: Access, ca: Optional[str]) -> Tuple[Peer, Way]:
    """The first address that answers; the others are left. Raises what the node says of the token, or ``node-unreachable``."""
    if not access.addresses:
        message = f"{node} tells no address: it takes no links of clients (services.listen in its node.yaml)"
        raise LabError("node-unreachable", message, kind="link", retry="later")
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(_try(address, access, ca)) for address in access.addresses]
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
    raise LabError("node-unreachable", f"{node} can't be reached: {why}", kind="link", retry="later")


async def _try(address: str, access: Access, ca: Optional[str]) -> Tuple[Peer, Way]:
    is_own = not address.startswith(("ws://", "wss://"))
    peer = await connect(address, None if is_own else access.token, ca=ca, grace=access.grace)
    began = time.perf_counter()
    try:
        await peer.call(PING, None, _PING_S, True)
    except BaseException:
        await peer.close()
        raise
    return peer, Way(peer.link.kind, address, (time.perf_counter() - began) * 1000)


async def _leave(tasks: Sequence["asyncio.Task[Any]"], chosen: Any) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if result is not chosen and not isinstance(result, BaseException):
            await result[0].close("another way was faster")
