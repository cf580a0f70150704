"""The loop of asyncio, in a thread of its own, by which plain calls are done."""
from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import threading
from typing import Any, AsyncIterator, Awaitable, Iterator, Optional, Set

from .errors import LabError
from .lab import CLOSE_WAITS_S, close_labs, owed

_END = object()
#: How long a program that ends waits for what it had under way, and for its links to be closed.
_GIVEN_UP_S = 0.5
_END_S = CLOSE_WAITS_S + 1


class Background:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="fernlab", daemon=True)
        self._thread.start()
        self._is_over = False
        atexit.register(self._end)

    def run(self, work: Awaitable[Any]) -> Any:
        """Waits for it. Interrupting the wait (Ctrl-C) gives up the work."""
        if self._is_over:
            _discard(work)
            raise LabError("link-ended", "the program ends", kind="link")
        if threading.current_thread() is self._thread:
            _discard(work)
            message = "a plain call waits here for itself: use AsyncProxy within asyncio"
            raise LabError("call-in-loop", message)
        future = asyncio.run_coroutine_threadsafe(_awaited(work), self._loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise LabError("call-cancelled", "the call was cancelled") from None
        except BaseException:
            future.cancel()
            raise

    def iterate(self, source: AsyncIterator[Any]) -> Iterator[Any]:
        """Items of an asynchronous generator; leaving the loop closes it."""
        try:
            while True:
                item = self.run(_next(source))
                if item is _END:
                    return
                yield item
        finally:
            if not self._is_over:
                self.run(source.aclose())  # type: ignore[attr-defined]

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def _end(self) -> None:
        # What waits for a thread that is no more would wait for ever.
        self._is_over = True
        if self.pid != os.getpid():
            return
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop)
        self._thread.join(_END_S + 2 * _GIVEN_UP_S)

    async def _stop(self) -> None:
        # What is given back goes on until links are closed; what is given up by this begins to be.
        await _ended(_others() - owed())
        await asyncio.wait([asyncio.ensure_future(close_labs())], timeout=_END_S)
        await _ended(_others())
        self._loop.stop()


def _others() -> Set["asyncio.Task[Any]"]:
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


async def _ended(tasks: Set["asyncio.Task[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_GIVEN_UP_S)


_background: Optional[Background] = None
_making = threading.Lock()


def background() -> Background:
    """The one of this process; a forked one has its own."""
    global _background
    with _making:
        if _background is None or _background.pid != os.getpid():
            _background = Background()
        return _background


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


async def _next(source: AsyncIterator[Any]) -> Any:
    async for item in source:
        return item
    return _END


def _discard(work: Awaitable[Any]) -> None:
    close = getattr(work, "close", None)
    if close is not None:
        close()
