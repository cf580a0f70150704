"""A bench that is asked for by an id of the taking, so that an answer that is lost leaves nothing behind.

INVARIANTS: until it is known that nothing was taken, or what was is given back, it is not forgotten: it is given back as soon
as its hub answers, at the latest when the bench is to be taken again, or until it has ended by itself.
"""
from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any, Dict, Optional

from .errors import LabError
from .hub import Hub, path_of

#: The longest that a node lets a bench be held without word from its hub: one that is stopped ends nothing before.
HOLD_S = 600
#: A hub that is being started again, or a link that broke, is back after so long.
_WAITS_S = (0.0, 0.25, 1.0, 2.0)
_TRIED_S = 30.0
#: What is given back is tried so often.
GIVE_BACK_EACH_S = 2.0


class AskedHold:
    def __init__(self, hub: Hub, bench: str, reason: str) -> None:
        self._hub = hub
        self._path = path_of("benches", bench, "lease")
        self._asked: Dict[str, Any] = {
            "body": {"ttlS": HOLD_S, **({"reason": reason} if reason else {})},
            "headers": {"idempotency-key": str(uuid.uuid4())},
        }
        self._asked_at = time.monotonic()
        self._is_over = False
        self._giving_back: Optional["asyncio.Task[None]"] = None
        self._later: Optional["asyncio.Task[None]"] = None

    async def take(self) -> str:
        """The lease. Asks again where no answer comes; raises what the hub refuses, or ``hub-unreachable``.

        Given up before the answer, it gives back the bench that it got.
        """
        waits = iter(_WAITS_S)
        while True:
            try:
                given = await self._hub.ask("POST", self._path, self._undo, **self._asked)
                return str(given["lease"])
            except LabError as error:
                wait_s = next(waits, None)
                is_late = time.monotonic() - self._asked_at > _TRIED_S
                if wait_s is None or is_late or not is_unknown(error):
                    raise
            await asyncio.sleep(wait_s)

    async def give_back(self) -> None:
        """Gives back what may have been taken without a word of it; raises while its hub is away.

        There is nothing left of it once it would have ended by itself.
        """
        if self._giving_back is None:
            self._giving_back = asyncio.get_running_loop().create_task(self._give_back())
            self._giving_back.add_done_callback(self._given_back)
        await asyncio.shield(self._giving_back)

    def give_back_later(self) -> None:
        """The same, as soon as the hub is there; ends when the hold has ended by itself."""
        if self._later is None:
            self._later = asyncio.get_running_loop().create_task(self._give_back_later())

    def leave(self) -> None:
        """Ends ``give_back_later``; it is given back when it is asked to, or ends by itself."""
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def _give_back_later(self) -> None:
        while not self._is_over:
            try:
                await self.give_back()
            except LabError:
                await asyncio.sleep(GIVE_BACK_EACH_S)  # tried again

    async def _give_back(self) -> None:
        if time.monotonic() - self._asked_at >= HOLD_S:
            self._is_over = True
        if self._is_over:
            return
        try:
            given = await self._hub.ask("POST", self._path, **self._asked)
            await self._hub.ask("DELETE", self._path, query={"lease": given["lease"]})
        except LabError as error:
            if is_unknown(error):
                raise
        self._is_over = True

    def _given_back(self, task: "asyncio.Task[None]") -> None:
        self._giving_back = None
        if not task.cancelled():
            task.exception()

    def _undo(self, given: Any) -> None:
        self._hub.ask_now("DELETE", self._path, query={"lease": given["lease"]})


def is_unknown(error: LabError) -> bool:
    """Whether it may have been taken nevertheless."""
    return error.kind == "link" or error.code == "still-at-work"
