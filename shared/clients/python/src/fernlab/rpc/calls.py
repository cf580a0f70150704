"""The calls that this end has made.

INVARIANTS: each settles exactly once: by its answer, its deadline, its being given up, or the end of the link; a call of
which all was sent and nothing came back when the link ended is ``call-uncertain`` unless it may be repeated; nothing is
repeated here.
"""
from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional

from ..errors import LabError, busy, link_ended, read_wire_error, why_ended
from .callbacks import Callbacks
from .limits import Limits
from .messages import CANCEL, CallId, Message
from .outbox import OURS, Outbox
from .received import ReceivedStream

#: Of a call whose caller names none.
TIMEOUT_S = 30.0

Settle = Callable[[Optional[LabError], Any], None]


@dataclass
class _Waiting:
    method: str
    idempotent: bool
    settle: Settle
    stream: Optional[ReceivedStream]
    timer: Optional[asyncio.TimerHandle] = None
    callbacks: List[int] = field(default_factory=list)


class Calls:
    def __init__(self, outbox: Outbox, callbacks: Callbacks, limits: Limits) -> None:
        self._outbox = outbox
        self._callbacks = callbacks
        self._limits = limits
        self._waiting: Dict[CallId, _Waiting] = {}
        self._last = 0
        self._ended: Optional[LabError] = None

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(
        self,
        request: Message,
        timeout_s: Optional[float],
        idempotent: bool,
        settle: Settle,
        stream: Optional[ReceivedStream] = None,
    ) -> CallId:
        """Sends the request; ``settle`` is called once, later. Raises what ``Outbox.send`` raises, or why the link ended."""
        if self._ended is not None:
            raise self._ended
        if len(self._waiting) >= self._limits.calls_under_way:
            raise busy(f"{len(self._waiting)} calls are under way already, and at most so many may be")
        self._last += 1
        call = self._last
        request["id"] = call
        if timeout_s is not None:
            request["timeoutMs"] = max(0.0, timeout_s * 1000)
        waiting = _Waiting(request["method"], idempotent, settle, stream)
        self._waiting[call] = waiting
        try:
            self._outbox.send(request, OURS, call, self._callbacks.keep)
        except BaseException:
            del self._waiting[call]
            self._callbacks.forget(self._callbacks.taken())
            raise
        waiting.callbacks = self._callbacks.taken()
        if timeout_s is not None:
            error = late(request["method"], idempotent)
            waiting.timer = asyncio.get_running_loop().call_later(timeout_s, self.give_up, call, error)
        return call

    def result(self, message: Message) -> None:
        waiting = self._take(message["id"])
        if waiting is not None:
            waiting.settle(None, message["result"])

    def failure(self, message: Message) -> bool:
        """False when it answers nothing that is waited for."""
        waiting = self._take(message.get("id"))
        if waiting is None:
            return False
        waiting.settle(read_wire_error(message["error"]), None)
        return True

    def stream_of(self, call: CallId) -> Optional[ReceivedStream]:
        waiting = self._waiting.get(call)
        return None if waiting is None else waiting.stream

    def give_up(self, call: CallId, error: LabError) -> None:
        """The caller wants no answer any more; the other end is told."""
        waiting = self._take(call)
        if waiting is None:
            return
        try:
            self._outbox.send({"method": CANCEL, "params": {"id": call}}, OURS, call)
        finally:
            waiting.settle(error, None)

    def end(self, error: LabError) -> None:
        self._ended = link_ended(why_ended(error))
        for call, waiting in list(self._waiting.items()):
            is_uncertain = not waiting.idempotent and self._outbox.is_sent(call)
            self._take(call)
            waiting.settle(uncertain(waiting.method, error) if is_uncertain else self._ended, None)

    def _take(self, call: Optional[CallId]) -> Optional[_Waiting]:
        waiting = None if call is None else self._waiting.pop(call, None)
        if waiting is not None:
            if waiting.timer is not None:
                waiting.timer.cancel()
            self._callbacks.forget(waiting.callbacks)
        return waiting


def uncertain(method: str, error: LabError) -> LabError:
    message = f"{method} was sent, and the link ended before an answer came, so it may have been done or not"
    return LabError("call-uncertain", f"{message}: {why_ended(error)}", kind="link", details={"method": method})


def late(method: str, idempotent: bool) -> LabError:
    doubt = "" if idempotent else ", so it may have been done or not"
    return LabError(
        "deadline-exceeded",
        f"{method} was not answered in time{doubt}",
        kind="link",
        retry="later" if idempotent else "never",
        details={"method": method},
    )


def cancelled(method: str) -> LabError:
    return LabError("call-cancelled", f"{method} was cancelled")
