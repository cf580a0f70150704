"""One end of a link. Both ends are alike: each calls the other, and does what the other calls.

INVARIANTS: whatever comes over the link, nothing is raised into it and no call is done twice; a message that can't be read
does no call; when the link ends all that belongs to it is freed, and each call of this end settles.
"""
from __future__ import annotations

import asyncio
from typing import Any, Callable, Dict, List, Optional, Sequence

from ..errors import LabError, as_lab_error, method_unknown, unreadable, wire_error
from .batch import Outcome, batch_of, do_batch, read_outcomes
from .callbacks import Callbacks
from .calls import TIMEOUT_S, Calls, cancelled
from .formats import Frame
from .limits import DEFAULT_LIMITS, Limits
from .link import Link, Listener
from .messages import (
    BATCH,
    CALLBACK,
    CANCEL,
    ITEMS,
    LINGER,
    MORE,
    PING,
    RESUME,
    CallId,
    kind_of,
    read_callback,
    read_cancel,
    read_items,
    read_linger,
    read_more,
)
from .outbox import OURS, THEIRS, Outbox
from .pieces import Inbox
from .received import Place, ReceivedStream
from .serving import Context, Serve, Serving

CREDIT = 64


def _serves_nothing(method: str, _params: Any, _context: Context) -> Any:
    raise method_unknown(method)


class Peer:
    """Takes the link for itself; made within a running loop."""

    def __init__(
        self,
        link: Link,
        serve: Optional[Serve] = None,
        limits: Limits = DEFAULT_LIMITS,
        trouble: Optional[Callable[[LabError, Optional[str]], None]] = None,
    ) -> None:
        self.link = link
        self._limits = limits
        self._serve = serve or _serves_nothing
        self._trouble = trouble or (lambda _error, _method: None)
        self._inbox = Inbox(limits)
        self._outbox = Outbox(link, limits)
        self._callbacks = Callbacks(limits)
        self._calls = Calls(self._outbox, self._callbacks, limits)
        self._serving = Serving(self._do, self._outbox, limits, self._trouble, self._stuck)
        self._end_listeners: List[Callable[[LabError], None]] = []
        self._closing: Optional["asyncio.Task[None]"] = None
        self.ended: Optional[LabError] = None
        self._unreadable = 0
        link.listen(Listener(self._frame, self._outbox.drained, self._end))

    async def call(
        self, method: str, params: Any = None, timeout: Optional[float] = TIMEOUT_S, idempotent: bool = False
    ) -> Any:
        """Raises the error of the other end, ``deadline-exceeded``, ``link-busy``, ``call-uncertain`` or ``link-ended``.

        Cancelling the task gives the call up at the other end, too. ``timeout`` in seconds, None for none.
        """
        answered = asyncio.get_running_loop().create_future()

        def settle(error: Optional[LabError], result: Any) -> None:
            if answered.done():
                return
            if error is None:
                answered.set_result(result)
            else:
                answered.set_exception(error)

        call = self._calls.begin(_request(method, params), timeout, idempotent, settle)
        try:
            return await answered
        except asyncio.CancelledError:
            self._calls.give_up(call, cancelled(method))
            raise

    def send(self, method: str, params: Any = None) -> None:
        """Sends without an answer: nobody says whether it was done."""
        if self.ended is not None:
            raise self.ended
        self._outbox.send(_request(method, params), OURS, None)

    def stream(
        self,
        method: str,
        params: Any = None,
        credit: int = CREDIT,
        linger: float = 0,
        timeout: Optional[float] = None,
        idempotent: bool = False,
    ) -> ReceivedStream:
        """Items as they are taken, of which ``credit`` may be on the way; the other end keeps the stream for ``linger``
        seconds when the link ends."""
        return self._stream(_request(method, params), credit, linger, timeout, idempotent, None)

    def resume(self, place: Place, credit: int = CREDIT, linger: float = 0) -> ReceivedStream:
        """Goes on with a stream of an earlier link, without a gap; raises ``stream-gone`` at its first item."""
        request = _request(RESUME, {"token": place.token, "seen": place.seen})
        return self._stream(request, credit, linger, None, True, place)

    async def batch(
        self, calls: Sequence[Sequence[Any]], stop: bool = False, timeout: Optional[float] = TIMEOUT_S
    ) -> List[Outcome]:
        """Does the calls, each ``(method, params)``, one after another at the other end."""
        return read_outcomes(await self.call(BATCH, batch_of(calls, stop), timeout), len(calls))

    @property
    def under_way(self) -> Dict[str, int]:
        return {"calls": len(self._calls), "served": len(self._serving), "callbacks": len(self._callbacks)}

    def on_end(self, listener: Callable[[LabError], None]) -> None:
        """Called once, at once if it has ended."""
        if self.ended is None:
            self._end_listeners.append(listener)
        else:
            listener(self.ended)

    async def close(self, why: str = "it was closed") -> None:
        await self.link.close(why)

    def _stream(
        self,
        request: Dict[str, Any],
        credit: int,
        linger: float,
        timeout: Optional[float],
        idempotent: bool,
        place: Optional[Place],
    ) -> ReceivedStream:
        method = request["method"]
        request["credit"] = credit = max(1, min(credit, self._limits.stream_items))
        if linger > 0:
            request["lingerMs"] = linger * 1000
        call: Optional[CallId] = None

        def more(up_to: int, seen: int) -> None:
            # What ends the link, ends the stream with an error of its own.
            if self.ended is None and call is not None:
                params = {"id": call, "upTo": up_to, "seen": seen}
                self._outbox.send({"method": MORE, "params": params}, OURS, call)

        def cancel() -> None:
            if call is not None:
                self._calls.give_up(call, cancelled(method))

        received = ReceivedStream(more, cancel, credit, place)
        call = self._calls.begin(request, timeout, idempotent, lambda error, _: received.end(error), received)
        return received

    def _frame(self, frame: Frame) -> None:
        try:
            whole = self._inbox.take(frame)
            if whole is not None:
                self._take(whole)
        except Exception as error:
            self._not_read(as_lab_error(error))

    def _take(self, frame: Frame) -> None:
        message = self.link.format.read(frame, self._limits, self._callback_of)
        kind = kind_of(message, self._limits)
        if kind == "result":
            self._calls.result(message)
        elif kind == "request":
            self._serving.request(message, len(frame))
        elif kind == "one-way":
            self._one_way(message, len(frame))
        elif not self._calls.failure(message) and message.get("id") is None:
            self._trouble(unreadable(message["error"]["message"]), None)

    def _one_way(self, message: Dict[str, Any], size: int) -> None:
        method, params = message["method"], message.get("params")
        if method == ITEMS:
            call, first, items = read_items(params)
            stream = self._calls.stream_of(call)
            if stream is not None:
                stream.receive(first, items)
        elif method == LINGER:
            call, token = read_linger(params)
            stream = self._calls.stream_of(call)
            if stream is not None:
                stream.kept_under(token)
        elif method == MORE:
            call, up_to, _seen = read_more(params)
            self._serving.more(call, up_to)
        elif method == CANCEL:
            self._serving.cancel(read_cancel(params))
        # Others of a later version can be done without.
        elif not method.startswith("rpc.") or method == CALLBACK:
            self._serving.one_way(message, size)

    def _do(self, method: str, params: Any, context: Context) -> Any:
        if not method.startswith("rpc."):
            return self._serve(method, params, context)
        if method == PING:
            return None
        if method == BATCH:
            return do_batch(params, self._limits, lambda name, args: self._serve(name, args, Context(name, False)))
        if method != CALLBACK:
            raise method_unknown(method)
        number, args = read_callback(params)
        return self._callbacks.get(number)(*args)

    def _callback_of(self, number: int) -> Callable[..., Any]:
        def call_back(*args: Any) -> Any:
            return self.call(CALLBACK, {"callback": number, "args": list(args)})

        return call_back

    def _not_read(self, error: LabError) -> None:
        self._trouble(error, None)
        if self.ended is not None or self._closing is not None:
            return
        self._unreadable += 1
        most = self._limits.unreadable
        if self._unreadable > most:
            self._stuck(unreadable(f"more than {most} messages could not be read"))
            return
        try:
            self._outbox.send({"id": None, "error": wire_error(error)}, THEIRS, None)
        except LabError as full:
            self._stuck(full)

    def _stuck(self, error: LabError) -> None:
        """An answer can't be given: the other end takes none."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self.link.close(error.message))

    def _end(self, error: LabError) -> None:
        self.ended = error
        self._serving.end()
        self._calls.end(error)
        self._outbox.end()
        self._inbox.clear()
        listeners, self._end_listeners = self._end_listeners, []
        for listener in listeners:
            listener(error)


def _request(method: str, params: Any) -> Dict[str, Any]:
    return {"method": method} if params is None else {"method": method, "params": params}
