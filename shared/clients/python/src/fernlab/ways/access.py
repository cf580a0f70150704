"""Where a node is and what opens it, as it was given last."""
from __future__ import annotations

import time
from typing import Awaitable, Callable, NamedTuple, Optional, Sequence

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
    #: The node is not connected with its hub, which has last heard of it then.
    gone_since: Optional[str] = None


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
