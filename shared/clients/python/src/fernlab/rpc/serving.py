"""The calls that the other end has made.

INVARIANTS: at most ``calls_under_way`` are under way, and their arguments have at most ``pending_bytes``; each is answered
at most once, and not at all when it was cancelled; a call's task is cancelled when the call is, when its time is over, and
when the link ends; what a service raises or returns never ends the link.
"""
from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional, Set

from ..errors import LabError, as_lab_error, busy, call_invalid, wire_error
from .calls import TIMEOUT_S
from .limits import Limits
from .messages import RESUME, CallId, Message
from .outbox import THEIRS, Outbox
from .sent import SentStream


@dataclass(frozen=True)
class Context:
    """What a service is told of a call besides its arguments."""

    method: str
    #: Whether a stream was asked for; else an async iterator is no answer.
    wants_stream: bool


#: Does a call: returns the result, an awaitable of it, or an async iterator where a stream is wanted.
Serve = Callable[[str, Any, Context], Any]
Trouble = Callable[[LabError, Optional[str]], None]


@dataclass
class _Served:
    message: Message
    bytes: int
    task: Optional["asyncio.Task[None]"] = None
    timer: Optional[asyncio.TimerHandle] = None
    stream: Optional[SentStream] = None
    is_over: bool = False


class Serving:
    def __init__(
        self, serve: Serve, outbox: Outbox, limits: Limits, trouble: Trouble, stuck: Callable[[LabError], None]
    ) -> None:
        self._serve = serve
        self._outbox = outbox
        self._limits = limits
        self._trouble = trouble
        self._stuck = stuck
        self._calls: Dict[CallId, _Served] = {}
        self._one_way: Set["asyncio.Task[None]"] = set()
        self._tasks: Set["asyncio.Task[None]"] = set()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._calls) + len(self._one_way)

    def request(self, message: Message, size: int) -> None:
        call_id = message["id"]
        refusal = self._fullness(size)
        if call_id in self._calls:
            refusal = call_invalid(f"a call with the id {call_id!r} is under way already")
        if refusal is not None:
            self._answer(call_id, refusal, None)
            return
        call = _Served(message, size)
        self._calls[call_id] = call
        self._bytes += size
        timeout_ms = message.get("timeoutMs", None if "credit" in message else TIMEOUT_S * 1000)
        loop = asyncio.get_running_loop()
        if timeout_ms is not None:
            call.timer = loop.call_later(timeout_ms / 1000, self._expire, call_id, call)
        call.task = loop.create_task(self._run(call_id, call))
        self._keep(call.task)
        # Also of a task that was cancelled before it began.
        call.task.add_done_callback(lambda _: self._forget(call_id, call))

    def one_way(self, message: Message, size: int) -> None:
        refusal = self._fullness(size)
        if refusal is not None:
            self._trouble(refusal, message["method"])
            return
        self._bytes += size
        task = asyncio.get_running_loop().create_task(self._run_one_way(message))
        self._one_way.add(task)
        self._keep(task)
        task.add_done_callback(lambda _: self._one_way_done(task, size))

    def cancel(self, call_id: CallId) -> None:
        call = self._calls.get(call_id)
        if call is not None:
            self._give_up(call)

    def more(self, call_id: CallId, up_to: int) -> None:
        call = self._calls.get(call_id)
        if call is not None and call.stream is not None:
            call.stream.more(up_to)

    def end(self) -> None:
        for call in list(self._calls.values()):
            self._give_up(call)
        for task in list(self._tasks):
            task.cancel()
        self._calls.clear()

    def _keep(self, task: "asyncio.Task[None]") -> None:
        # A loop itself holds tasks only weakly.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _one_way_done(self, task: Any, size: int) -> None:
        self._one_way.discard(task)
        self._bytes -= size

    def _fullness(self, size: int) -> Optional[LabError]:
        limits = self._limits
        if len(self) >= limits.calls_under_way:
            return busy(
                f"{limits.calls_under_way} calls of this link are under way already, and at most so many may be"
            )
        if self._bytes > 0 and self._bytes + size > limits.pending_bytes:
            return busy(
                f"the arguments of the calls under way have {self._bytes} bytes already, "
                f"and at most {limits.pending_bytes} may"
            )
        return None

    async def _run_one_way(self, message: Message) -> None:
        method = message["method"]
        try:
            result = self._serve(method, message.get("params"), Context(method, False))
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            self._trouble(as_lab_error(error), method)

    async def _run(self, call_id: CallId, call: _Served) -> None:
        error: Optional[LabError] = None
        result = None
        try:
            try:
                result = await self._do(call)
            except Exception as thrown:
                error = as_lab_error(thrown)
            if call.stream is not None:
                await call.stream.run()
            elif not call.is_over:
                self._answer(call_id, error, result)
        except asyncio.CancelledError:
            if not call.is_over:
                raise
        except Exception as thrown:
            self._stuck(as_lab_error(thrown))

    async def _do(self, call: _Served) -> Any:
        message = call.message
        method, wants_stream = message["method"], "credit" in message
        if method == RESUME:
            raise LabError("stream-gone", "the stream is not kept any more, or not from there on", kind="link")
        result = self._serve(method, message.get("params"), Context(method, wants_stream))
        if inspect.isawaitable(result):
            result = await result
        is_stream = hasattr(result, "__aiter__")
        if is_stream and not wants_stream:
            raise call_invalid(f"{method} is a stream, and must be asked for as one")
        if wants_stream and not is_stream:
            raise call_invalid(f"{method} is no stream")
        if is_stream:
            credit = int(message["credit"])
            call.stream = SentStream(message["id"], result.__aiter__(), credit, self._outbox, self._limits)
            return None
        return result

    def _expire(self, call_id: CallId, call: _Served) -> None:
        message = f"{call.message['method']} did not end in the time that its caller gave it"
        self._answer(call_id, LabError("deadline-exceeded", message, kind="instrument", retry="later"), None)
        self._give_up(call)

    def _give_up(self, call: _Served) -> None:
        call.is_over = True
        if call.timer is not None:
            call.timer.cancel()
        if call.task is not None:
            call.task.cancel()

    def _forget(self, call_id: CallId, call: _Served) -> None:
        if call.timer is not None:
            call.timer.cancel()
        self._bytes -= call.bytes
        if self._calls.get(call_id) is call:
            del self._calls[call_id]

    def _answer(self, call_id: CallId, error: Optional[LabError], result: Any) -> None:
        try:
            if error is None:
                try:
                    self._outbox.send({"id": call_id, "result": result}, THEIRS, call_id)
                    return
                except LabError as thrown:
                    error = thrown
            self._outbox.send({"id": call_id, "error": wire_error(error)}, THEIRS, call_id)
        except LabError as thrown:
            self._stuck(thrown)
